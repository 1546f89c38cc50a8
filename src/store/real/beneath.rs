//! The one way in below an opened folder: no component of a path is ever followed through a link, so that a hostile or
//! swapped folder leads nowhere else.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self, AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::{RelPath, again, constant_times};
use crate::store::Kind;

/// How often a look-up is made again that a rename elsewhere disturbed (openat2(2), `EAGAIN`).
const DISTURBED_MAX: usize = 16;

/// A handle by which things below are named and nothing is read.
const WAYPOINT: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// No way leads through a link, or out.
const RESOLVE: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);

/// The folder that a path lies in.
pub(super) fn reach(root: BorrowedFd<'_>, path: &RelPath) -> Result<OwnedFd, Errno> {
    match path.parent() {
        None => again(|| fs::openat(root, ".", WAYPOINT, Mode::empty())),
        Some(parent) => at_once(root, parent.as_path()).unwrap_or_else(|| by_steps(root, &parent)),
    }
}

/// Opens what lies at a path, as far as the system lets it in one call. Whoever does not know what it is looks at it before.
pub(super) fn open(root: BorrowedFd<'_>, path: &RelPath, flags: OFlags) -> Result<OwnedFd, Errno> {
    match again(|| fs::openat2(root, path.as_path(), flags, Mode::empty(), RESOLVE)) {
        Err(Errno::AGAIN | Errno::NOSYS | Errno::PERM | Errno::XDEV) => {
            let above = reach(root, path)?;
            again(|| fs::openat(&above, path.name(), flags | OFlags::NOFOLLOW, Mode::empty()))
        }
        opened => opened,
    }
}

/// As [`reach`], making the folders that are missing.
pub(super) fn reach_or_make(root: BorrowedFd<'_>, path: &RelPath, bits: Mode) -> Result<(OwnedFd, Made), Errno> {
    match reach(root, path) {
        Err(Errno::NOENT) => {}
        reached => return reached.map(|folder| (folder, Made::default())),
    }
    let mut made = Made::default();
    let mut folder = again(|| fs::openat(root, ".", WAYPOINT, Mode::empty()))?;
    for name in path.parent().iter().flat_map(RelPath::components) {
        match make_step(folder, name, bits, &mut made) {
            Ok(next) => folder = next,
            Err(error) => {
                made.undo();
                return Err(error);
            }
        }
    }
    Ok((folder, made))
}

/// Opens one folder below another; a link is refused as a link.
pub(super) fn open_folder(folder: BorrowedFd<'_>, name: &OsStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    match again(|| fs::openat(folder, name, flags | OFlags::DIRECTORY | OFlags::NOFOLLOW, Mode::empty())) {
        // A link gives this too, because it is no folder.
        Err(Errno::NOTDIR) if super::stat_at(folder, name).is_ok_and(|stat| stat.kind == Kind::Link) => {
            Err(Errno::LOOP)
        }
        opened => opened,
    }
}

/// Folders that were made on the way, top down, so that a failure leaves none behind.
#[derive(Default)]
pub(super) struct Made(Vec<(OwnedFd, OsString)>);

impl Made {
    /// Removes those that are still empty.
    pub(super) fn undo(&self) {
        for (folder, name) in self.0.iter().rev() {
            let _ = fs::unlinkat(folder, name, AtFlags::REMOVEDIR);
        }
    }
}

fn make_step(folder: OwnedFd, name: &OsStr, bits: Mode, made: &mut Made) -> Result<OwnedFd, Errno> {
    let is_new = match again(|| fs::mkdirat(&folder, name, bits)) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(error) => return Err(error),
    };
    let next = open_folder(folder.as_fd(), name, WAYPOINT);
    if is_new {
        let _ = fs::utimensat(&folder, ".", &constant_times(), AtFlags::empty());
        made.0.push((folder, name.to_owned()));
    }
    next
}

/// One system call for the whole path; `None` where the kernel or a sandbox lacks it.
fn at_once(root: BorrowedFd<'_>, folder: &Path) -> Option<Result<OwnedFd, Errno>> {
    // With `O_NOFOLLOW` a link at the end would be opened as such, and only then refused for being no folder.
    let flags = WAYPOINT.difference(OFlags::NOFOLLOW);
    for _ in 0..DISTURBED_MAX {
        match again(|| fs::openat2(root, folder, flags, Mode::empty(), RESOLVE)) {
            Err(Errno::AGAIN) => {}
            Err(Errno::NOSYS | Errno::PERM) => return None,
            Err(Errno::XDEV) => return Some(Err(Errno::LOOP)),
            reached => return Some(reached),
        }
    }
    None
}

fn by_steps(root: BorrowedFd<'_>, folder: &RelPath) -> Result<OwnedFd, Errno> {
    let mut reached: Option<OwnedFd> = None;
    for name in folder.components() {
        let from = reached.as_ref().map_or(root, AsFd::as_fd);
        reached = Some(open_folder(from, name, WAYPOINT)?);
    }
    Ok(reached.expect("a path has a component"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways must agree, because nobody chooses which one a machine takes.
    #[test]
    fn one_call_and_step_by_step_agree() {
        let place = tempfile::tempdir().expect("a folder for the test");
        std::fs::create_dir_all(place.path().join("a/b")).expect("made");
        std::fs::write(place.path().join("a/file"), b"").expect("written");
        std::os::unix::fs::symlink("b", place.path().join("a/link")).expect("linked");
        std::os::unix::fs::symlink("/", place.path().join("a/out")).expect("linked");
        let root = std::fs::File::open(place.path()).expect("opened");
        for (path, expected) in [
            ("a/b", None),
            ("a/link", Some(Errno::LOOP)),
            ("a/out/tmp", Some(Errno::LOOP)),
            ("a/file", Some(Errno::NOTDIR)),
            ("a/none", Some(Errno::NOENT)),
        ] {
            let path = RelPath::parse(path).expect("a path");
            assert_eq!(by_steps(root.as_fd(), &path).err(), expected, "{path}");
            if let Some(reached) = at_once(root.as_fd(), path.as_path()) {
                assert_eq!(reached.err(), expected, "{path}");
            }
        }
    }
}
