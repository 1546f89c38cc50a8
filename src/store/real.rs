//! The machine's disk.
//!
//! - [`folder`]: a folder held by its handle, and what is written and read below it
//! - [`beneath`]: the one way in below a folder, never through a link
//! - [`named`]: paths that a person named, and the sources read there
//! - [`durable`]: what it takes to be on the medium, and to be read back from it

mod beneath;
mod durable;
mod folder;
mod named;

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{self, AtFlags, FileType, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::{Disk, FileSystem, FileTime, Folder, Item, Kind, Mode, RelPath, Source, Stat, StoreError};
use folder::RealFolder;

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

    fn stat_behind(&self, path: &Path) -> Result<Stat, StoreError> {
        named::stat_behind(path).map_err(|error| refused(path, error))
    }

    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        named::source(path)
    }

    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        named::read_start(path, bytes_max)
    }

    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError> {
        named::file_system(path).map_err(|error| refused(path, error))
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        named::list(path)
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let (from_folder, from_name) = named::reach(from).map_err(|error| refused(from, error))?;
        let (to_folder, to_name) = named::reach(to).map_err(|error| refused(to, error))?;
        rename_new((from_folder.as_fd(), &from_name), (to_folder.as_fd(), &to_name))
            .map_err(|error| refused(if error == Errno::EXIST { to } else { from }, error))?;
        // Its new name first: until then exFAT can lose a file of which only the old name is known to be gone.
        for folder in [&to_folder, &from_folder] {
            durable::sync_folder(folder.as_fd(), OsStr::new("."))
                .map_err(|error| StoreError::NotDurable { path: to.to_path_buf(), source: error.into() })?;
        }
        Ok(())
    }
}

/// How what should be a regular file is opened: should it be another thing by now, nothing waits and nothing is taken over.
const CAREFULLY: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Opens what must be a regular file: looked at first, because opening a device can have effects and opening a pipe
/// can wait; then once more through the handle, because the name may have been given to something else in between.
fn open_regular(
    folder: BorrowedFd<'_>,
    name: &OsStr,
    flags: OFlags,
    shown: impl Fn() -> PathBuf,
) -> Result<(OwnedFd, Stat), StoreError> {
    let regular = |stat: Stat| match stat.kind {
        Kind::File => Ok(stat),
        Kind::Link => Err(StoreError::Link { path: shown() }),
        kind => Err(StoreError::NotRegular { path: shown(), kind }),
    };
    let refused = |error| refused(&shown(), error);
    stat_at(folder, name).map_err(refused).and_then(regular)?;
    let file = again(|| fs::openat(folder, name, flags | CAREFULLY, fs::Mode::empty())).map_err(refused)?;
    let stat = again(|| fs::fstat(&file)).map_err(refused)?;
    Ok((file, regular(stat_of(&stat))?))
}

/// Reads what a file holds now, and never more than was allowed, should it grow meanwhile.
fn read_whole(file: &File, bytes: u64, bytes_max: u64, shown: impl Fn() -> PathBuf) -> Result<Vec<u8>, StoreError> {
    let too_large = |bytes| StoreError::TooLarge { path: shown(), bytes, bytes_max };
    let mut content = Vec::new();
    // Room for one byte more: who is given less than there is room for has reached the end, and need not ask again.
    let mut wanted =
        usize::try_from(bytes).ok().and_then(|bytes| bytes.checked_add(1)).ok_or_else(|| too_large(bytes))?;
    loop {
        content.try_reserve_exact(wanted).map_err(|_| too_large(bytes))?;
        let room = content.capacity() - content.len();
        let read = again(|| rustix::io::read(file, rustix::buffer::spare_capacity(&mut content)));
        let read = read.map_err(|error| refused(&shown(), error))?;
        let length = content.len() as u64;
        if length > bytes_max {
            return Err(too_large(length));
        }
        if read == 0 || (read < room && length >= bytes) {
            return Ok(content);
        }
        // It grows: as much again, and one byte too many tells that it may not.
        wanted = content.len().clamp(1, usize::try_from(bytes_max - length).unwrap_or(usize::MAX).saturating_add(1));
    }
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

fn stat_at(folder: BorrowedFd<'_>, name: impl AsRef<Path>) -> Result<Stat, Errno> {
    again(|| fs::statat(folder, name.as_ref(), AtFlags::SYMLINK_NOFOLLOW)).map(|stat| stat_of(&stat))
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
        permissions: stat.st_mode & 0o777,
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
