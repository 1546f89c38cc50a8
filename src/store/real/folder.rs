//! A folder of the machine, held by its handle, and what is written and read below it.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{self, AtFlags, FlockOperation, OFlags};
use rustix::io::Errno;

use super::{
    again, beneath, constant_times, durable, file_bits, folder_bits, named, open_regular, read_whole, refused,
    rename_new, stat_at,
};
use crate::store::{Folder, Item, Kind, Lock, Mode, OutFile, ReadFrom, RelPath, Source, Stat, StoreError};

/// A lock is waited for so often, and so long each time: a quarter of a second in all.
const LOCK_ATTEMPTS_MAX: u32 = 25;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Holds an open handle, so that a folder swapped for another cannot redirect what is written later.
pub(super) struct RealFolder {
    shown: PathBuf,
    /// Open since before the first write: `syncfs` reports only the errors that came after its handle was opened.
    handle: OwnedFd,
    /// Where the last file was opened: whoever reads one file of a folder reads the next, and the way there is long.
    near: Mutex<Option<Near>>,
    sync_failed: AtomicBool,
}

/// A folder below, by its path and its handle.
type Near = (RelPath, Arc<OwnedFd>);

impl RealFolder {
    pub(super) fn below(handle: OwnedFd, shown: &Path) -> Arc<dyn Folder> {
        Arc::new(Self {
            shown: shown.to_path_buf(),
            handle,
            near: Mutex::default(),
            sync_failed: AtomicBool::new(false),
        })
    }

    /// A path as the person would name it: below the current folder, without the dot.
    fn at(&self, path: &RelPath) -> PathBuf {
        if self.shown == Path::new(".") { path.as_path().into() } else { self.shown.join(path) }
    }

    fn refused(&self, path: &RelPath, error: Errno) -> StoreError {
        refused(&self.at(path), error)
    }

    fn reach(&self, path: &RelPath) -> Result<OwnedFd, StoreError> {
        beneath::reach(self.handle.as_fd(), path).map_err(|error| self.refused(path, error))
    }

    /// Opens a regular file for reading, and its length.
    fn open(&self, path: &RelPath, bytes_max: u64, more: OFlags) -> Result<(File, u64), StoreError> {
        let flags = OFlags::RDONLY | more;
        let open_in = |folder: &OwnedFd| open_regular(folder.as_fd(), path.name(), flags, || self.at(path));
        let (file, stat) = if let Some(opened) = self.near(path).and_then(|folder| open_in(&folder).ok()) {
            opened
        } else {
            // There is no such folder near, or it is gone, and another may be there by its name.
            let folder = self.reach(path)?;
            let opened = open_in(&folder)?;
            *self.near.lock().unwrap_or_else(PoisonError::into_inner) = path.parent().zip(Some(Arc::new(folder)));
            opened
        };
        if stat.bytes > bytes_max {
            return Err(StoreError::TooLarge { path: self.at(path), bytes: stat.bytes, bytes_max });
        }
        Ok((File::from(file), stat.bytes))
    }

    /// The folder that a path lies in, where the last file was opened there.
    fn near(&self, path: &RelPath) -> Option<Arc<OwnedFd>> {
        let near = self.near.lock().unwrap_or_else(PoisonError::into_inner);
        near.as_ref().filter(|(folder, _)| path.lies_in(folder)).map(|(_, handle)| Arc::clone(handle))
    }

    /// The next file is reached from the folder's own handle again.
    fn forget_near(&self) {
        *self.near.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// A new, empty file, and the means to remove it again.
    fn begin(&self, path: &RelPath, mode: Mode) -> Result<(File, Created), StoreError> {
        let (folder, new_folders) = beneath::reach_or_make(self.handle.as_fd(), path, folder_bits(mode))
            .map_err(|error| self.refused(path, error))?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match again(|| fs::openat(&folder, path.name(), flags, file_bits(mode))) {
            Ok(handle) => Ok((File::from(handle), Created { folder, new_folders, path: path.clone(), kept: false })),
            Err(error) => {
                new_folders.undo();
                // Some file systems refuse some characters, and this is how they say so.
                if error == Errno::INVAL {
                    return Err(StoreError::BadPath { path: self.at(path) });
                }
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
        read_whole(&file, bytes, bytes_max, || self.at(path))
    }

    fn source(&self, path: &RelPath, bytes_max: u64) -> Result<Box<dyn Source>, StoreError> {
        let (file, _) = self.open(path, bytes_max, OFlags::empty())?;
        Ok(named::source_of(file, self.at(path)))
    }

    fn read_back(&self, path: &RelPath, bytes_max: u64) -> Result<(Box<dyn Source>, ReadFrom), StoreError> {
        // What was written is confirmed where everybody will look for it, not in a folder that was moved away since.
        self.forget_near();
        let (file, _) = self.open(path, bytes_max, OFlags::empty())?;
        if durable::forget(&file)
            && let Ok((direct, bytes)) = self.open(path, bytes_max, OFlags::DIRECT)
            && let Some(direct) = durable::Direct::begin(direct, bytes, self.at(path))
        {
            return Ok((Box::new(direct), ReadFrom::Medium));
        }
        Ok((named::source_of(file, self.at(path)), ReadFrom::Cache))
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        let folder = self.reach(path)?;
        stat_at(folder.as_fd(), path.name()).map_err(|error| self.refused(path, error))
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        let shown = below.map_or_else(|| self.shown.clone(), |path| self.at(path));
        let folder = match below {
            None => again(|| fs::openat(&self.handle, ".", named::FOLDER, fs::Mode::empty())),
            Some(path) => beneath::reach(self.handle.as_fd(), path)
                .and_then(|parent| beneath::open_folder(parent.as_fd(), path.name(), named::FOLDER)),
        };
        folder.and_then(|folder| named::items(&folder, named::Details::Unknown)).map_err(|error| refused(&shown, error))
    }

    fn create(&self, path: &RelPath, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
        let (mut file, mut created) = self.begin(path, mode)?;
        file.write_all(bytes).map_err(|error| StoreError::from_io(&self.at(path), error))?;
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
        let (folder, new_folders) = beneath::reach_or_make(self.handle.as_fd(), path, folder_bits(mode))
            .map_err(|error| self.refused(path, error))?;
        again(|| fs::mkdirat(&folder, path.name(), folder_bits(mode))).map_err(|error| {
            new_folders.undo();
            self.refused(path, error)
        })
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> Result<(), StoreError> {
        let (from_folder, to_folder) = (self.reach(from)?, self.reach(to)?);
        *self.near.lock().unwrap_or_else(PoisonError::into_inner) = None; // it may be what gets another name
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
            lost(&path.map_or_else(|| self.shown.clone(), |path| self.at(&path)), error.into())
        })
    }

    fn remove(&self, path: &RelPath) -> Result<(), StoreError> {
        let folder = self.reach(path)?;
        let kind = stat_at(folder.as_fd(), path.name()).map_err(|error| self.refused(path, error))?.kind;
        let flags = if kind == Kind::Folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        again(|| fs::unlinkat(&folder, path.name(), flags)).map_err(|error| self.refused(path, error))
    }

    fn lock(&self, path: &RelPath) -> Result<Box<dyn Lock>, StoreError> {
        let folder = self.reach(path)?;
        let shown = self.at(path);
        let (file, _) = open_regular(folder.as_fd(), path.name(), OFlags::RDWR, || shown.clone())?;
        for attempt in 0.. {
            match again(|| fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
                Ok(()) => break,
                // Whoever held it may be gone this moment; so may a child that has it only until it becomes another program.
                Err(Errno::WOULDBLOCK) if attempt < LOCK_ATTEMPTS_MAX => std::thread::sleep(LOCK_PAUSE),
                Err(Errno::WOULDBLOCK) => return Err(StoreError::Locked { path: shown }),
                Err(error) => return Err(refused(&shown, error)),
            }
        }
        Ok(Box::new(RealLock { _file: file }))
    }
}

/// A file that this very call created, with the folders it made for it; removed again unless it is kept.
struct Created {
    folder: OwnedFd,
    new_folders: beneath::Made,
    path: RelPath,
    kept: bool,
}

impl Drop for Created {
    fn drop(&mut self) {
        if !self.kept {
            let _ = fs::unlinkat(&self.folder, self.path.name(), AtFlags::empty());
            self.new_folders.undo();
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
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn undate(&mut self) {
        // Best effort: some file systems keep no times, and nothing rests on them.
        let _ = fs::futimens(&self.file, &constant_times());
    }

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
