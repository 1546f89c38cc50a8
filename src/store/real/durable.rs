//! What it takes to be on the medium, and to be read back from it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{self, Advice, Mode, OFlags};
use rustix::io::Errno;

use super::{RelPath, again, beneath, named};

/// Alignment that direct reads need: no device in use asks for more.
const DIRECT_ALIGNMENT: usize = 4096;

/// File systems whose direct reads ask the storage device, by their magic numbers (statfs(2)): ext2 to ext4, XFS,
/// Btrfs, F2FS, FAT, exFAT, NTFS. Left out is what lies in memory, on a network, behind another program or over another
/// file system: nobody here could say where such a read is answered.
const ON_A_DEVICE: [u64; 7] = [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x4D44, 0x2011_BAB0, 0x7366_746E];

/// Makes new files and the names of all folders above them durable. The error names the path that failed, `None` for
/// the file system as a whole.
pub(super) fn sync(root: BorrowedFd<'_>, created: &[RelPath]) -> Result<(), (Option<RelPath>, Errno)> {
    // One call lets the system write the whole group in the order it likes best; what follows is then quick. It is no
    // substitute: through FUSE it reaches no medium, and before Linux 5.8 it reported no errors.
    match again(|| fs::syncfs(root)) {
        Ok(()) | Err(Errno::NOSYS | Errno::NOTSUP | Errno::INVAL) => {}
        Err(error) => return Err((None, error)),
    }
    for path in created {
        sync_file(root, path).map_err(|error| (Some(path.clone()), error))?;
    }
    let folders: BTreeSet<RelPath> =
        created.iter().flat_map(|path| std::iter::successors(path.parent(), RelPath::parent)).collect();
    for folder in folders.iter().rev() {
        beneath::reach(root, folder)
            .and_then(|above| sync_folder(above.as_fd(), folder.name()))
            .map_err(|error| (Some(folder.clone()), error))?;
    }
    sync_folder(root, OsStr::new(".")).map_err(|error| (None, error))
}

/// Makes the names in a folder durable. Some file systems keep no such promise and refuse to be asked.
pub(super) fn sync_folder(above: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    let folder = beneath::open_folder(above, name, named::FOLDER)?;
    match again(|| fs::fsync(&folder)) {
        Err(Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) => Ok(()),
        done => done,
    }
}

fn sync_file(root: BorrowedFd<'_>, path: &RelPath) -> Result<(), Errno> {
    let above = beneath::reach(root, path)?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = again(|| fs::openat(&above, path.name(), flags, Mode::empty()))?;
    again(|| fs::fsync(&file))
}

/// Lets the system forget what it holds of a file in memory, and tells whether a direct read of it can be trusted to
/// ask the device.
pub(super) fn forget(file: &File) -> bool {
    let forgotten = fs::fadvise(file, 0, None, Advice::DontNeed).is_ok();
    let magic = again(|| fs::fstatfs(file)).ok().and_then(|system| u64::try_from(system.f_type).ok());
    forgotten && magic.is_some_and(|magic| ON_A_DEVICE.contains(&magic))
}

/// Reads a file that was opened for direct reading; `None` where the system will not, or where it is not that long.
pub(super) fn read_direct(mut file: &File, bytes: u64) -> Option<Vec<u8>> {
    let length = usize::try_from(bytes).ok()?;
    let whole_blocks = length.checked_next_multiple_of(DIRECT_ALIGNMENT)?;
    let mut buffer = vec![0; whole_blocks.checked_add(DIRECT_ALIGNMENT)?];
    let start = buffer.as_ptr().align_offset(DIRECT_ALIGNMENT);
    let mut filled = 0;
    while filled < length {
        let room = buffer.get_mut(start.checked_add(filled)?..start.checked_add(whole_blocks)?)?;
        match file.read(room) {
            Ok(0) => return None,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    if filled != length {
        return None;
    }
    buffer.copy_within(start..start + length, 0);
    buffer.truncate(length);
    Some(buffer)
}
