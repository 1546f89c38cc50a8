//! Paths that a person named, of any length and in any bytes, and the sources read there. Links above the last
//! component are hers to use; the last component is never followed where it is read.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::{again, beneath, durable, kind_of, open_regular, refused, stat_at, stat_of};
use crate::store::{FileSystem, FileSystemKind, Item, Kind, Source, Stat, StoreError};

/// A folder that is listed, or held.
pub(super) const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// What one system call takes, with room to spare (`PATH_MAX` is 4096); deeper folders are reached in strides.
const STRIDE_BYTES: usize = 3_000;

/// So much the system reads on behind what is asked for without being told (Linux: 128 KiB).
const READ_AHEAD_BYTES: u64 = 128 << 10;

/// The folder that a path lies in, and its name there (`.` where the path ends in no name).
pub(super) fn reach(path: &Path) -> Result<(OwnedFd, OsString), Errno> {
    let (above, name) = match path.file_name() {
        Some(name) => (path.parent().unwrap_or(Path::new("")), name),
        None if path.as_os_str().is_empty() => return Err(Errno::NOENT),
        None => (path, OsStr::new(".")),
    };
    let waypoint = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut reached: Option<OwnedFd> = None;
    let mut stride = PathBuf::new();
    let go = |from: Option<&OwnedFd>, stride: &Path| {
        let from = from.map_or(CWD, AsFd::as_fd);
        again(|| fs::openat(from, stride, waypoint, Mode::empty()))
    };
    for component in above.components() {
        if stride.as_os_str().len() + component.as_os_str().len() > STRIDE_BYTES {
            reached = Some(go(reached.as_ref(), &stride)?);
            stride = PathBuf::new();
        }
        stride.push(component);
    }
    let last = if stride.as_os_str().is_empty() { Path::new(".") } else { &stride };
    Ok((go(reached.as_ref(), last)?, name.to_owned()))
}

pub(super) fn open_folder(path: &Path) -> Result<OwnedFd, Errno> {
    let (above, name) = reach(path)?;
    again(|| fs::openat(&above, &name, FOLDER, Mode::empty()))
}

pub(super) fn create_folder(path: &Path, bits: Mode) -> Result<OwnedFd, Errno> {
    let (above, name) = reach(path)?;
    if name == "." || path.components().next_back() == Some(Component::ParentDir) {
        return Err(Errno::EXIST);
    }
    again(|| fs::mkdirat(&above, &name, bits))?;
    let made = beneath::open_folder(above.as_fd(), &name, FOLDER)
        .and_then(|made| durable::sync_folder(above.as_fd(), OsStr::new(".")).map(|()| made));
    if made.is_err() {
        let _ = fs::unlinkat(&above, &name, AtFlags::REMOVEDIR);
    }
    made
}

/// Makes each folder of a path that is missing, from the top down.
pub(super) fn create_missing(path: &Path, bits: Mode) -> Result<(), Errno> {
    let ancestors: Vec<&Path> = path.ancestors().filter(|above| !above.as_os_str().is_empty()).collect();
    for above in ancestors.into_iter().rev() {
        match open_folder(above) {
            Err(Errno::NOENT) => match create_folder(above, bits) {
                Ok(_) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error),
            },
            // A folder that may be passed through and not listed is no obstacle.
            Ok(_) | Err(Errno::ACCESS) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) fn remove_folder(path: &Path) -> Result<(), Errno> {
    let (above, name) = reach(path)?;
    again(|| fs::unlinkat(&above, &name, AtFlags::REMOVEDIR))
}

pub(super) fn stat(path: &Path) -> Result<Stat, Errno> {
    let (above, name) = reach(path)?;
    stat_at(above.as_fd(), &name)
}

pub(super) fn stat_behind(path: &Path) -> Result<Stat, Errno> {
    let (above, name) = reach(path)?;
    again(|| fs::statat(&above, &name, AtFlags::empty())).map(|stat| stat_of(&stat))
}

pub(super) fn source(path: &Path) -> Result<Box<dyn Source>, StoreError> {
    let (file, stat) = open_unnoticed(path)?;
    if stat.bytes > READ_AHEAD_BYTES {
        let _ = fs::fadvise(&file, 0, None, fs::Advice::Sequential);
    }
    Ok(source_of(File::from(file), path.to_path_buf()))
}

/// A file that is open already, to be read in parts.
pub(super) fn source_of(file: File, shown: PathBuf) -> Box<dyn Source> {
    Box::new(RealSource { file, shown })
}

/// What the system says of an open file.
pub(super) fn stat_open(file: &File, shown: &Path) -> Result<Stat, StoreError> {
    again(|| fs::fstat(file)).map(|stat| stat_of(&stat)).map_err(|error| refused(shown, error))
}

pub(super) fn read_start(path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
    let (file, _) = open_unnoticed(path)?;
    // Whoever looks at a hundred thousand beginnings must not have the system read on behind each of them.
    let _ = fs::fadvise(&file, 0, None, fs::Advice::Random);
    // One buffer that never grows: what is looked at may be a secret, and a copy left behind would not be wiped.
    let mut start = Vec::with_capacity(bytes_max.saturating_add(1));
    File::from(file)
        .take(bytes_max as u64)
        .read_to_end(&mut start)
        .map_err(|error| StoreError::from_io(path, error))?;
    Ok(start)
}

/// Looking at evidence should not change its access time; only its owner may ask for that.
fn open_unnoticed(path: &Path) -> Result<(OwnedFd, Stat), StoreError> {
    let (above, name) = reach(path).map_err(|error| refused(path, error))?;
    let open = |flags| open_regular(above.as_fd(), &name, flags, || path.to_path_buf());
    match open(OFlags::RDONLY | OFlags::NOATIME) {
        Err(StoreError::Denied { .. }) => open(OFlags::RDONLY),
        opened => opened,
    }
}

pub(super) fn file_system(path: &Path) -> Result<FileSystem, Errno> {
    let (above, name) = reach(path)?;
    let there = again(|| fs::openat(&above, &name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty()))?;
    let (told, stat) = (again(|| fs::fstatfs(&there))?, again(|| fs::fstat(&there))?);
    let block_bytes = u64::try_from(told.f_bsize).unwrap_or(0);
    Ok(FileSystem {
        #[allow(
            clippy::cast_sign_loss,
            reason = "magic numbers are 32 bits wide, whatever type the system has for them"
        )]
        kind: FileSystemKind::of_magic(told.f_type as u64 & 0xffff_ffff),
        bytes_free: told.f_bavail.saturating_mul(block_bytes),
        device: format!("{}:{}", fs::major(stat.st_dev), fs::minor(stat.st_dev)),
    })
}

pub(super) fn list(path: &Path) -> Result<Vec<Item>, StoreError> {
    let open = || {
        let (above, name) = reach(path)?;
        beneath::open_folder(above.as_fd(), &name, FOLDER)
    };
    open().and_then(|folder| items(&folder, Details::LookedUp)).map_err(|error| refused(path, error))
}

/// Whether it is looked up how long each file is, and which.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Details {
    LookedUp,
    Unknown,
}

/// What a folder holds. An item that vanishes meanwhile is still told, so that whoever asks for it learns of it.
pub(super) fn items(folder: &OwnedFd, details: Details) -> Result<Vec<Item>, Errno> {
    let mut items = Vec::new();
    for entry in fs::Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        let listed = kind_of(entry.file_type());
        // Some file systems list no kinds.
        let is_needed = details == Details::LookedUp || listed == Kind::Other;
        let stat = if is_needed { stat_at(folder.as_fd(), OsStr::from_bytes(name)).ok() } else { None };
        let id = stat.as_ref().filter(|_| details == Details::LookedUp).map(Stat::id);
        let (kind, bytes) = stat.map_or((listed, 0), |stat| (stat.kind, stat.bytes));
        items.push(Item { name: OsString::from_vec(name.to_vec()), kind, bytes, id });
    }
    items.sort_by(|a: &Item, b: &Item| a.name.as_bytes().cmp(b.name.as_bytes()));
    Ok(items)
}

struct RealSource {
    file: File,
    shown: PathBuf,
}

impl Read for RealSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Source for RealSource {
    fn stat(&self) -> Result<Stat, StoreError> {
        stat_open(&self.file, &self.shown)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}
