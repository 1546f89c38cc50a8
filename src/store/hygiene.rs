//! What this process refuses to leave behind: no core dump, no memory that another process of the same user may read, no
//! copies on its stack.

use rustix::io::Errno;
use rustix::process::{self, DumpableBehavior, Resource, Rlimit};

/// Forbids core dumps of this process, for good, and makes its memory unreadable to others of the same user.
///
/// Best called before the first secret is read. An error is no reason to refuse work, but a reason to say so.
pub fn leave_no_dump() -> Result<(), std::io::Error> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    process::setrlimit(Resource::Core, none)?;
    // Also closes /proc/<pid>/mem and ptrace to processes without special rights (prctl(2)).
    process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .or_else(|error| if error == Errno::NOSYS { Ok(()) } else { Err(error) })?;
    Ok(())
}

/// So much of the stack is overwritten: more than any command uses, and far less than a system gives.
const STACK_BYTES: usize = 1 << 20;
/// In steps of so many, each a call.
const STEP_BYTES: usize = 16 << 10;

/// Overwrites, when it is dropped, what ended calls left on this thread's stack: the compiler makes copies there that nobody
/// can wipe where they are made. To be made first, so that it is dropped last, after a panic too.
pub struct StackWiped;

impl Drop for StackWiped {
    fn drop(&mut self) {
        overwrite(STACK_BYTES / STEP_BYTES);
    }
}

#[inline(never)]
fn overwrite(steps: usize) {
    let mut step = [0_u8; STEP_BYTES];
    std::hint::black_box(&mut step);
    if let Some(more) = steps.checked_sub(1) {
        overwrite(more);
    }
    // Looked at once more, so that the call above is no jump that would use the same place again.
    std::hint::black_box(&step);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_core_can_be_dumped_any_more() {
        leave_no_dump().expect("a process may always give up its core");
        assert_eq!(process::getrlimit(Resource::Core), Rlimit { current: Some(0), maximum: Some(0) });
        assert_eq!(process::dumpable_behavior().expect("known"), DumpableBehavior::NotDumpable);
        assert!(process::setrlimit(Resource::Core, Rlimit { current: Some(1), maximum: Some(0) }).is_err());
    }
}
