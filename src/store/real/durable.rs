//! What it takes to be on the medium, and to be read back from it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::fs::{self, Advice, OFlags};
use rustix::io::Errno;

use super::{CAREFULLY, RelPath, again, beneath, named};
use crate::store::{Source, Stat, StoreError};

/// Alignment that direct reads need: no device in use asks for more.
const DIRECT_ALIGNMENT: usize = 4096;
/// So much is read directly at a time.
const DIRECT_PART_BYTES: usize = 512 << 10;

/// So many syncs are waited for at a time,
const SYNCS_MAX: usize = 16;
/// where there are at least so many.
const MANY: usize = 64;

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
    some_at_a_time(created, |path| sync_file(root, path))?;
    let folders: BTreeSet<RelPath> =
        created.iter().flat_map(|path| std::iter::successors(path.parent(), RelPath::parent)).collect();
    let folders: Vec<RelPath> = folders.into_iter().rev().collect();
    some_at_a_time(&folders, |folder| sync_folder(beneath::reach(root, folder)?.as_fd(), folder.name()))?;
    sync_folder(root, OsStr::new(".")).map_err(|error| (None, error))
}

/// The same of each path, until one fails. Where there are many, threads wait for some at a time: the system then asks the medium
/// once for several.
fn some_at_a_time(
    paths: &[RelPath],
    sync: impl Fn(&RelPath) -> Result<(), Errno> + Sync,
) -> Result<(), (Option<RelPath>, Errno)> {
    let next = AtomicUsize::new(0);
    let some = || {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Err(error) = sync(path) {
                next.store(paths.len(), Ordering::Relaxed);
                return Err((Some(path.clone()), error));
            }
        }
        Ok(())
    };
    let threads = if paths.len() < MANY { 1 } else { SYNCS_MAX };
    thread::scope(|scope| {
        // Where the system grants no more threads, fewer do it.
        let others = (1..threads).map_while(|_| thread::Builder::new().spawn_scoped(scope, some).ok());
        let others: Vec<_> = others.collect();
        let own = some();
        let of_others = others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        std::iter::once(own).chain(of_others).collect()
    })
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
    let file = beneath::open(root, path, OFlags::RDONLY | CAREFULLY)?;
    again(|| fs::fsync(&file))
}

/// Lets the system forget what it holds of a file in memory, and tells whether a direct read of it can be trusted to
/// ask the device.
pub(super) fn forget(file: &File) -> bool {
    let forgotten = fs::fadvise(file, 0, None, Advice::DontNeed).is_ok();
    let magic = again(|| fs::fstatfs(file)).ok().and_then(|system| u64::try_from(system.f_type).ok());
    forgotten && magic.is_some_and(|magic| ON_A_DEVICE.contains(&magic))
}

/// A file that was opened for direct reading, read in parts. What the system refuses it refuses at the first: from
/// then on an error is the medium's.
pub(super) struct Direct {
    file: File,
    shown: PathBuf,
    /// A part, from the first place in it that is aligned.
    part: Vec<u8>,
    aligned: usize,
    /// What of the part is not handed out yet.
    rest: Range<usize>,
    /// How much of the file was not yet asked for.
    left: u64,
}

impl Direct {
    /// Reads the first part; `None` where the system will not.
    pub(super) fn begin(file: File, bytes: u64, shown: PathBuf) -> Option<Self> {
        let room = usize::try_from(bytes).unwrap_or(DIRECT_PART_BYTES).min(DIRECT_PART_BYTES);
        let part = vec![0; room.next_multiple_of(DIRECT_ALIGNMENT) + DIRECT_ALIGNMENT];
        let aligned = part.as_ptr().align_offset(DIRECT_ALIGNMENT);
        let mut direct = Self { file, shown, part, aligned, rest: 0..0, left: bytes };
        direct.next().ok().map(|()| direct)
    }

    /// Reads the next part, unless the file ends.
    fn next(&mut self) -> io::Result<()> {
        let wanted = usize::try_from(self.left).unwrap_or(DIRECT_PART_BYTES).min(DIRECT_PART_BYTES);
        let blocks = wanted.next_multiple_of(DIRECT_ALIGNMENT);
        let mut filled = 0;
        while filled < wanted {
            let room = &mut self.part[self.aligned + filled..self.aligned + blocks];
            match self.file.read(room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // More than was asked for: it grew since it was opened.
        self.rest = self.aligned..self.aligned + filled;
        self.left = self.left.saturating_sub(filled as u64);
        Ok(())
    }
}

impl Read for Direct {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && self.left > 0 {
            self.next()?;
        }
        let count = self.rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.part[self.rest.start..self.rest.start + count]);
        self.rest.start += count;
        Ok(count)
    }
}

impl Source for Direct {
    fn stat(&self) -> Result<Stat, StoreError> {
        named::stat_open(&self.file, &self.shown)
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into()) // it is read once, from its beginning
    }
}
