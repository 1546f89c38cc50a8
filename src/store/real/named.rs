//! Paths that a person named, of any length and in any bytes, and the sources read there. Links above the last
//! component are hers to use; the last component is never followed where it is read.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{self, AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::{again, beneath, durable, kind_of, open_regular, refused, stat_at, stat_of};
use crate::store::{Item, Source, Stat, StoreError};

/// A folder that is listed, or held.
pub(super) const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// What one system call takes, with room to spare (`PATH_MAX` is 4096); deeper folders are reached in strides.
const STRIDE_BYTES: usize = 3_000;

/// The folder that a path lies in, and its name there (`.` where the path ends in no name).
pub(super) fn reach(path: &Path) -> Result<(OwnedFd, OsString), Errno> {
    let (above, name) = match path.file_name() {
        Some(name) => (path.parent().unwrap_or(Path::new("")), name),
        None if path.as_os_str().is_empty() => return Err(Errno::NOENT),
        None => (path, OsStr::new(".")),
    };
    let waypoint = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut reached = again(|| fs::openat(CWD, ".", waypoint, Mode::empty()))?;
    let mut stride = PathBuf::new();
    for component in above.components() {
        if stride.as_os_str().len() + component.as_os_str().len() > STRIDE_BYTES {
            reached = again(|| fs::openat(&reached, &stride, waypoint, Mode::empty()))?;
            stride = PathBuf::new();
        }
        stride.push(component);
    }
    if !stride.as_os_str().is_empty() {
        reached = again(|| fs::openat(&reached, &stride, waypoint, Mode::empty()))?;
    }
    Ok((reached, name.to_owned()))
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

pub(super) fn source(path: &Path) -> Result<Box<dyn Source>, StoreError> {
    let (above, name) = reach(path).map_err(|error| refused(path, error))?;
    // Looking at evidence should not change its access time; only its owner may ask for that.
    let unnoticed = open_regular(above.as_fd(), &name, OFlags::RDONLY | OFlags::NOATIME, path);
    let (file, _) = match unnoticed {
        Err(StoreError::Denied { .. }) => open_regular(above.as_fd(), &name, OFlags::RDONLY, path)?,
        opened => opened?,
    };
    let _ = fs::fadvise(&file, 0, None, fs::Advice::Sequential);
    Ok(Box::new(RealSource { file: File::from(file), shown: path.to_path_buf() }))
}

pub(super) fn list(path: &Path) -> Result<Vec<Item>, StoreError> {
    let open = || {
        let (above, name) = reach(path)?;
        beneath::open_folder(above.as_fd(), &name, FOLDER)
    };
    open().and_then(|folder| items(&folder)).map_err(|error| refused(path, error))
}

/// What a folder holds. An item that vanishes meanwhile is still told, so that whoever asks for it learns of it.
pub(super) fn items(folder: &OwnedFd) -> Result<Vec<Item>, Errno> {
    let mut items = Vec::new();
    for entry in fs::Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        let (kind, bytes) = match stat_at(folder.as_fd(), OsStr::from_bytes(name)) {
            Ok(stat) => (stat.kind, stat.bytes),
            Err(_) => (kind_of(entry.file_type()), 0),
        };
        items.push(Item { name: OsString::from_vec(name.to_vec()), kind, bytes });
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
        again(|| fs::fstat(&self.file)).map(|stat| stat_of(&stat)).map_err(|error| refused(&self.shown, error))
    }
}
