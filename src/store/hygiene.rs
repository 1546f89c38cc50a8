//! What this process refuses to leave behind: no core dump, no memory that another process of the same user may read.

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
