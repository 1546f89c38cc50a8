//! What this process refuses to leave behind: no core dump, no memory that another process of the same user may read, no
//! secret on its stack.

use std::hint::black_box;

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

/// Deeper than any work goes: the deepest was seen at 150 KiB.
const STACK_BYTES: u64 = 256 << 10;
const FRAME_BYTES: usize = 4096;

/// Works, and overwrites the stack that was used for it, after a panic too. A secret that moves leaves a copy where it stood,
/// and so do libraries that wipe what they return and not what they worked with.
pub fn leaving_nothing<R>(work: impl FnOnce() -> R) -> R {
    let _wiped = Wiped;
    below(work)
}

/// Not inlined: what it uses of the stack lies where it will be overwritten.
#[inline(never)]
fn below<R>(work: impl FnOnce() -> R) -> R {
    work()
}

struct Wiped;

impl Drop for Wiped {
    fn drop(&mut self) {
        let most = process::getrlimit(Resource::Stack).current.unwrap_or(u64::MAX);
        let bytes = STACK_BYTES.min(most / 4);
        overwrite(usize::try_from(bytes).unwrap_or(0) / FRAME_BYTES);
    }
}

/// Not a loop: each call has a part of the stack for itself, and is asked for it again when those below are done.
#[inline(never)]
fn overwrite(frames: usize) {
    let mut frame = [0_u8; FRAME_BYTES];
    black_box(&mut frame);
    if frames > 0 {
        overwrite(frames - 1);
    }
    black_box(&frame);
}

/// More than a pouch may have volumes.
const OPEN_FILES: u64 = 16 << 10;

/// Lets this process hold as many files open as it may, for pouches of thousands of volumes; best effort.
pub fn allow_many_files() {
    let limit = process::getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        let _ = process::setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit });
    }
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
