//! The machine's disk.
//!
//! - [`beneath`]: the one way in below an opened folder, never through a link
//! - [`named`]: paths that a person named, and the sources read there
//! - [`durable`]: what it takes to be on the medium, and to be read back from it

mod beneath;
mod durable;
mod named;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{self, AtFlags, FileType, FlockOperation, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::{Disk, FileTime, Folder, Item, Kind, Lock, Mode, OutFile, ReadFrom, RelPath, Source, Stat, StoreError};

/// The instant that all files of a vault claim: 2000-01-01 in UTC, which every file system can hold.
const CONSTANT_SECONDS: i64 = 946_684_800;

/// The machine's disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        let handle = named::open_folder(path).map_err(|error| refused(path, error))?;
        Ok(RealFolder::below(handle, path))
    }

    fn create_folder(&self, path: &Path, mode: Mode) -> Result<Arc<dyn Folder>, StoreError> {
        let handle = named::create_folder(path, folder_bits(mode)).map_err(|error| refused(path, error))?;
        Ok(RealFolder::below(handle, path))
    }

    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        named::create_missing(path, folder_bits(Mode::Private)).map_err(|error| refused(path, error))?;
        self.folder(path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        named::remove_folder(path).map_err(|error| refused(path, error))
    }

    fn stat(&self, path: &Path) -> Result<Stat, StoreError> {
        named::stat(path).map_err(|error| refused(path, error))
    }

    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        named::source(path)
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        named::list(path)
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let (from_folder, from_name) = named::reach(from).map_err(|error| refused(from, error))?;
        let (to_folder, to_name) = named::reach(to).map_err(|error| refused(to, error))?;
        rename_new((from_folder.as_fd(), &from_name), (to_folder.as_fd(), &to_name))
            .map_err(|error| refused(if error == Errno::EXIST { to } else { from }, error))
    }
}

/// Holds an open handle, so that a folder swapped for another cannot redirect what is written later.
struct RealFolder {
    shown: PathBuf,
    /// Open since before the first write: `syncfs` reports only the errors that came after its handle was opened.
    handle: OwnedFd,
    sync_failed: AtomicBool,
}

impl RealFolder {
    fn below(handle: OwnedFd, shown: &Path) -> Arc<dyn Folder> {
        Arc::new(Self { shown: shown.to_path_buf(), handle, sync_failed: AtomicBool::new(false) })
    }

    fn refused(&self, path: &RelPath, error: Errno) -> StoreError {
        refused(&self.shown.join(path), error)
    }

    fn reach(&self, path: &RelPath) -> Result<OwnedFd, StoreError> {
        beneath::reach(self.handle.as_fd(), path).map_err(|error| self.refused(path, error))
    }

    /// Opens a regular file for reading, and its length.
    fn open(&self, path: &RelPath, bytes_max: u64, more: OFlags) -> Result<(File, u64), StoreError> {
        let folder = self.reach(path)?;
        let (file, stat) = open_regular(folder.as_fd(), path.name(), OFlags::RDONLY | more, &self.shown.join(path))?;
        if stat.bytes > bytes_max {
            return Err(StoreError::TooLarge { path: self.shown.join(path), bytes: stat.bytes, bytes_max });
        }
        Ok((File::from(file), stat.bytes))
    }

    /// A new, empty file, and the means to remove it again.
    fn begin(&self, path: &RelPath, mode: Mode) -> Result<(File, Created), StoreError> {
        let (folder, made) = beneath::reach_or_make(self.handle.as_fd(), path, folder_bits(mode))
            .map_err(|error| self.refused(path, error))?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match again(|| fs::openat(&folder, path.name(), flags, file_bits(mode))) {
            Ok(handle) => Ok((File::from(handle), Created { folder, made, path: path.clone(), kept: false })),
            Err(error) => {
                made.undo();
                Err(self.refused(path, error))
            }
        }
    }
}

impl Folder for RealFolder {
    fn shown(&self) -> &Path {
        &self.shown
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        let (file, bytes) = self.open(path, bytes_max, OFlags::empty())?;
        read_whole(file, bytes, bytes_max, &self.shown.join(path))
    }

    fn read_back(&self, path: &RelPath, bytes_max: u64) -> Result<(Vec<u8>, ReadFrom), StoreError> {
        let (file, bytes) = self.open(path, bytes_max, OFlags::empty())?;
        if durable::forget(&file)
            && let Ok((direct, bytes)) = self.open(path, bytes_max, OFlags::DIRECT)
            && let Some(content) = durable::read_direct(&direct, bytes)
        {
            return Ok((content, ReadFrom::Medium));
        }
        Ok((read_whole(file, bytes, bytes_max, &self.shown.join(path))?, ReadFrom::Cache))
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        let folder = self.reach(path)?;
        stat_at(folder.as_fd(), path.name()).map_err(|error| self.refused(path, error))
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        let shown = below.map_or_else(|| self.shown.clone(), |path| self.shown.join(path));
        let folder = match below {
            None => again(|| fs::openat(&self.handle, ".", named::FOLDER, fs::Mode::empty())),
            Some(path) => beneath::reach(self.handle.as_fd(), path)
                .and_then(|parent| beneath::open_folder(parent.as_fd(), path.name(), named::FOLDER)),
        };
        folder.and_then(named::items).map_err(|error| refused(&shown, error))
    }

    fn create(&self, path: &RelPath, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
        let (mut file, mut created) = self.begin(path, mode)?;
        file.write_all(bytes).map_err(|error| StoreError::from_io(&self.shown.join(path), error))?;
        // Best effort: some file systems keep no times, and nothing rests on them.
        let _ = fs::futimens(&file, &constant_times());
        let _ = fs::utimensat(&created.folder, ".", &constant_times(), AtFlags::empty());
        created.kept = true;
        Ok(())
    }

    fn create_stream(&self, path: &RelPath, mode: Mode) -> Result<Box<dyn OutFile>, StoreError> {
        let (file, created) = self.begin(path, mode)?;
        Ok(Box::new(RealOutFile { file, created }))
    }

    fn create_folder(&self, path: &RelPath, mode: Mode) -> Result<(), StoreError> {
        let (folder, made) = beneath::reach_or_make(self.handle.as_fd(), path, folder_bits(mode))
            .map_err(|error| self.refused(path, error))?;
        again(|| fs::mkdirat(&folder, path.name(), folder_bits(mode))).map_err(|error| {
            made.undo();
            self.refused(path, error)
        })
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> Result<(), StoreError> {
        let (from_folder, to_folder) = (self.reach(from)?, self.reach(to)?);
        rename_new((from_folder.as_fd(), from.name()), (to_folder.as_fd(), to.name()))
            .map_err(|error| self.refused(if error == Errno::EXIST { to } else { from }, error))
    }

    fn sync(&self, created: &[RelPath]) -> Result<(), StoreError> {
        let lost = |path: &Path, source: io::Error| StoreError::NotDurable { path: path.to_path_buf(), source };
        if self.sync_failed.load(Ordering::SeqCst) {
            return Err(lost(&self.shown, io::Error::other("an earlier sync of this folder failed")));
        }
        durable::sync(self.handle.as_fd(), created).map_err(|(path, error)| {
            self.sync_failed.store(true, Ordering::SeqCst);
            lost(&path.map_or_else(|| self.shown.clone(), |path| self.shown.join(path)), error.into())
        })
    }

    fn remove(&self, path: &RelPath) -> Result<(), StoreError> {
        let folder = self.reach(path)?;
        let is_folder = stat_at(folder.as_fd(), path.name()).map_err(|error| self.refused(path, error))?.kind;
        let flags = if is_folder == Kind::Folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        again(|| fs::unlinkat(&folder, path.name(), flags)).map_err(|error| self.refused(path, error))
    }

    fn lock(&self, path: &RelPath) -> Result<Box<dyn Lock>, StoreError> {
        let folder = self.reach(path)?;
        let shown = self.shown.join(path);
        let (file, _) = open_regular(folder.as_fd(), path.name(), OFlags::RDWR, &shown)?;
        match again(|| fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Ok(Box::new(RealLock { _file: file })),
            Err(Errno::WOULDBLOCK) => Err(StoreError::Locked { path: shown }),
            Err(error) => Err(refused(&shown, error)),
        }
    }
}

/// A file that this very call created, with the folders it made for it; removed again unless it is kept.
struct Created {
    folder: OwnedFd,
    made: beneath::Made,
    path: RelPath,
    kept: bool,
}

impl Drop for Created {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::unlinkat(&self.folder, self.path.name(), AtFlags::empty());
            self.made.undo();
        }
    }
}

struct RealOutFile {
    file: File,
    created: Created,
}

impl Write for RealOutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl OutFile for RealOutFile {
    fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        self.created.kept = true;
        Ok(())
    }
}

/// The system gives the lock back when the file is closed, even after a kill.
struct RealLock {
    _file: OwnedFd,
}

impl Lock for RealLock {}

/// Opens what must be a regular file: looked at first, because opening a device can have effects and opening a pipe
/// can wait; then once more through the handle, because the name may have been given to something else in between.
fn open_regular(
    folder: BorrowedFd<'_>,
    name: &OsStr,
    flags: OFlags,
    shown: &Path,
) -> Result<(OwnedFd, Stat), StoreError> {
    let regular = |stat: Stat| match stat.kind {
        Kind::File => Ok(stat),
        Kind::Link => Err(StoreError::Link { path: shown.to_path_buf() }),
        kind => Err(StoreError::NotRegular { path: shown.to_path_buf(), kind }),
    };
    stat_at(folder, name).map_err(|error| refused(shown, error)).and_then(regular)?;
    let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = again(|| fs::openat(folder, name, flags, fs::Mode::empty())).map_err(|error| refused(shown, error))?;
    let stat = again(|| fs::fstat(&file)).map_err(|error| refused(shown, error))?;
    Ok((file, regular(stat_of(&stat))?))
}

/// Reads what a file holds now, and never more than was allowed, should it grow meanwhile.
fn read_whole(file: File, bytes: u64, bytes_max: u64, shown: &Path) -> Result<Vec<u8>, StoreError> {
    let too_large = |bytes| StoreError::TooLarge { path: shown.to_path_buf(), bytes, bytes_max };
    let mut content = Vec::new();
    let capacity = usize::try_from(bytes).map_err(|_| too_large(bytes))?;
    content.try_reserve_exact(capacity).map_err(|_| too_large(bytes))?;
    io::Read::read_to_end(&mut io::Read::take(file, bytes_max.saturating_add(1)), &mut content)
        .map_err(|error| StoreError::from_io(shown, error))?;
    if content.len() as u64 > bytes_max {
        return Err(too_large(content.len() as u64));
    }
    Ok(content)
}

/// Renames to a name that must be free, by the surest means that the file system has.
fn rename_new(from: (BorrowedFd<'_>, &OsStr), to: (BorrowedFd<'_>, &OsStr)) -> Result<(), Errno> {
    match again(|| fs::renameat_with(from.0, from.1, to.0, to.1, RenameFlags::NOREPLACE)) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::PERM) => {}
        done => return done,
    }
    match again(|| fs::linkat(from.0, from.1, to.0, to.1, AtFlags::empty())) {
        Ok(()) => again(|| fs::unlinkat(from.0, from.1, AtFlags::empty())),
        Err(Errno::EXIST) => Err(Errno::EXIST),
        // No links there (exFAT), or a folder: what is left is to look first.
        Err(_) => match stat_at(to.0, to.1) {
            Ok(_) => Err(Errno::EXIST),
            Err(Errno::NOENT) => again(|| fs::renameat(from.0, from.1, to.0, to.1)),
            Err(error) => Err(error),
        },
    }
}

fn stat_at(folder: BorrowedFd<'_>, name: &OsStr) -> Result<Stat, Errno> {
    again(|| fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)).map(|stat| stat_of(&stat))
}

fn stat_of(stat: &fs::Stat) -> Stat {
    let kind = kind_of(FileType::from_raw_mode(stat.st_mode));
    let time = |seconds, nanoseconds| FileTime { seconds, nanoseconds: u32::try_from(nanoseconds).unwrap_or(0) };
    Stat {
        kind,
        bytes: if kind == Kind::File { u64::try_from(stat.st_size).unwrap_or(0) } else { 0 },
        modified: time(stat.st_mtime, stat.st_mtime_nsec),
        changed: time(stat.st_ctime, stat.st_ctime_nsec),
        device: stat.st_dev,
        inode: stat.st_ino,
    }
}

fn kind_of(kind: FileType) -> Kind {
    match kind {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        FileType::Fifo => Kind::Pipe,
        FileType::Socket => Kind::Socket,
        FileType::CharacterDevice | FileType::BlockDevice => Kind::Device,
        FileType::Unknown => Kind::Other,
    }
}

fn folder_bits(mode: Mode) -> fs::Mode {
    fs::Mode::from_raw_mode(if mode == Mode::Private { 0o700 } else { 0o777 })
}

fn file_bits(mode: Mode) -> fs::Mode {
    fs::Mode::from_raw_mode(if mode == Mode::Private { 0o600 } else { 0o666 })
}

fn constant_times() -> Timestamps {
    let constant = Timespec { tv_sec: CONSTANT_SECONDS, tv_nsec: 0 };
    Timestamps { last_access: constant, last_modification: constant }
}

fn refused(path: &Path, error: Errno) -> StoreError {
    StoreError::from_io(path, error.into())
}

/// A signal is no failure: the call is made again.
fn again<T>(call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    rustix::io::retry_on_intr(call)
}
