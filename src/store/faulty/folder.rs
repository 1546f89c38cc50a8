//! The traits of the room, on the model.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::content::Content;
use super::crash::Dice;
use super::tree::Node;
use super::{Does, Fault, FaultyDisk, Rules, State, Times, Turned, refused};
use crate::store::{
    Disk, FileSystem, FileSystemKind, Folder, Item, Kind, Lock, Mode, OutFile, ReadFrom, RelPath, Source, Stat,
    StoreError, source,
};
use rustix::io::Errno;

impl Disk for FaultyDisk {
    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        let mut state = self.state();
        state.begin(path, Does::Look)?;
        state.tree.folder(path)?;
        Ok(self.below(path))
    }

    fn create_folder(&self, path: &Path, _: Mode) -> Result<Arc<dyn Folder>, StoreError> {
        let mut state = self.state();
        state.begin(path, Does::TakeSpace)?;
        state.tree.add(path, Node::of(Kind::Folder))?;
        state.tree.sync(&[path.to_path_buf()], false)?;
        Ok(self.below(path))
    }

    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        let mut state = self.state();
        state.begin(path, Does::TakeSpace)?;
        state.tree.add_above(path)?;
        match state.tree.folder(path) {
            Err(StoreError::Missing { .. }) => state.tree.add(path, Node::of(Kind::Folder))?,
            found => found?,
        }
        state.tree.sync(&[path.to_path_buf()], false)?;
        Ok(self.below(path))
    }

    fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        let mut state = self.state();
        state.begin(path, Does::Change)?;
        state.tree.folder(path)?;
        state.tree.remove(path)
    }

    fn stat(&self, path: &Path) -> Result<Stat, StoreError> {
        let mut state = self.state();
        state.begin(path, Does::Look)?;
        state.tree.find(path).map(Node::stat)
    }

    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        let mut state = self.state();
        state.begin(path, Does::Look)?;
        state.tree.file(path)?;
        Ok(Box::new(FaultySource { disk: self.clone(), path: path.to_path_buf(), position: 0 }))
    }

    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        let mut state = self.state();
        state.begin(path, Does::Look)?;
        Ok(state.tree.file(path)?.bytes.iter().copied().take(bytes_max).collect())
    }

    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError> {
        let mut state = self.state();
        state.begin(path, Does::Look)?;
        state.tree.find(path)?;
        let kind = match state.tree.rules {
            Rules::Ext4 => FileSystemKind::Local,
            Rules::ExFat => FileSystemKind::WithoutPermissions("exFAT"),
        };
        Ok(FileSystem { kind, bytes_free: u64::MAX, device: "0:1".into() })
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        let mut state = self.state();
        state.begin(path, Does::Look)?;
        state.tree.items(path)
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let mut state = self.state();
        state.begin(from, Does::Change)?;
        state.tree.rename(from, to)?;
        let fails = state.begin(to, Does::Sync)?.is_some();
        let folders: Vec<PathBuf> = [from, to].iter().filter_map(|path| path.parent()).map(Path::to_path_buf).collect();
        state.tree.sync(&folders, fails)?;
        if fails { Err(lost(to, Errno::IO.into())) } else { Ok(()) }
    }
}

/// What a sync that failed is told as.
fn lost(path: &Path, source: io::Error) -> StoreError {
    StoreError::NotDurable { path: path.to_path_buf(), source }
}

impl FaultyDisk {
    fn below(&self, path: &Path) -> Arc<dyn Folder> {
        Arc::new(FaultyFolder { disk: self.clone(), root: path.to_path_buf(), sync_failed: AtomicBool::new(false) })
    }
}

struct FaultyFolder {
    disk: FaultyDisk,
    root: PathBuf,
    sync_failed: AtomicBool,
}

impl FaultyFolder {
    fn full(&self, path: &RelPath) -> PathBuf {
        self.root.join(path)
    }

    fn file(&self, path: &RelPath, bytes_max: u64) -> Result<(Arc<Content>, Option<Arc<Content>>), StoreError> {
        let full = self.full(path);
        let mut state = self.disk.state();
        state.begin(&full, Does::Look)?;
        let cached = Arc::clone(&state.tree.file(&full)?.bytes);
        let bytes = cached.len() as u64;
        if bytes > bytes_max {
            return Err(StoreError::TooLarge { path: full, bytes, bytes_max });
        }
        Ok((cached, state.tree.on_medium(&full)))
    }

    /// A new, empty file, as one operation; its fault, if it must suffer one.
    fn begin(&self, path: &RelPath, does: Does) -> Result<(FaultyOutFile, Option<Fault>), StoreError> {
        let full = self.full(path);
        let mut state = self.disk.state();
        let fault = state.begin(&full, does)?;
        let made = state.tree.add_above(&full)?;
        if let Err(error) = state.tree.add(&full, Node::file(Vec::new())) {
            // Nothing was written that could have failed: the next writing does.
            if let Some(fault) = fault {
                state.struck -= 1;
                state.faults.push((0, fault, Times::Once));
            }
            clean_up(&mut state, &made);
            return Err(error);
        }
        Ok((FaultyOutFile { disk: self.disk.clone(), path: full, made, kept: false }, fault))
    }
}

impl Folder for FaultyFolder {
    fn shown(&self) -> &Path {
        &self.root
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        self.file(path, bytes_max).map(|(cached, _)| cached.to_vec())
    }

    fn read_back(&self, path: &RelPath, bytes_max: u64) -> Result<(Box<dyn Source>, ReadFrom), StoreError> {
        let (cached, medium) = self.file(path, bytes_max)?;
        let (bytes, from) = medium.map_or((cached, ReadFrom::Cache), |medium| (medium, ReadFrom::Medium));
        Ok((source::held(bytes.to_vec(), self.stat(path)?), from))
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        self.disk.stat(&self.full(path))
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        let mut items = self.disk.list_source(&below.map_or_else(|| self.root.clone(), |path| self.full(path)))?;
        for item in &mut items {
            (item.bytes, item.id) = (0, None);
        }
        Ok(items)
    }

    fn create(&self, path: &RelPath, bytes: &[u8], _: Mode) -> Result<(), StoreError> {
        let (mut file, fault) = self.begin(path, Does::Write)?;
        file.append(bytes, fault)?;
        file.kept = true;
        Ok(())
    }

    fn create_stream(&self, path: &RelPath, _: Mode) -> Result<Box<dyn OutFile>, StoreError> {
        self.begin(path, Does::TakeSpace).map(|(file, _)| Box::new(file) as Box<dyn OutFile>)
    }

    fn create_folder(&self, path: &RelPath, _: Mode) -> Result<(), StoreError> {
        let full = self.full(path);
        let mut state = self.disk.state();
        state.begin(&full, Does::TakeSpace)?;
        let made = state.tree.add_above(&full)?;
        state.tree.add(&full, Node::of(Kind::Folder)).inspect_err(|_| clean_up(&mut state, &made))
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> Result<(), StoreError> {
        let (from, to) = (self.full(from), self.full(to));
        let mut state = self.disk.state();
        state.begin(&from, Does::Change)?;
        state.tree.rename(&from, &to)
    }

    fn sync(&self, created: &[RelPath]) -> Result<(), StoreError> {
        let mut state = self.disk.state();
        let fails = state.begin(&self.root, Does::Sync)?.is_some();
        // The names in the folder itself are always among what is synced, as on a machine.
        let created: Vec<PathBuf> = created.iter().map(|path| self.full(path)).chain([self.root.clone()]).collect();
        if self.sync_failed.load(Ordering::SeqCst) {
            return Err(lost(&self.root, io::Error::other("an earlier sync of this folder failed")));
        }
        let synced = state.tree.sync(&created, fails);
        if fails || synced.is_err() {
            self.sync_failed.store(true, Ordering::SeqCst);
            return Err(lost(&self.root, synced.err().map_or_else(|| Errno::IO.into(), io::Error::other)));
        }
        Ok(())
    }

    fn remove(&self, path: &RelPath) -> Result<(), StoreError> {
        let full = self.full(path);
        let mut state = self.disk.state();
        state.begin(&full, Does::Change)?;
        state.tree.remove(&full)
    }

    fn lock(&self, path: &RelPath) -> Result<Box<dyn Lock>, StoreError> {
        let full = self.full(path);
        let mut state = self.disk.state();
        state.begin(&full, Does::Change)?;
        state.tree.file(&full)?;
        let key = state.tree.key(&full);
        if !state.tree.locked.insert(key.clone()) {
            return Err(StoreError::Locked { path: full });
        }
        Ok(Box::new(FaultyLock { disk: self.disk.clone(), key }))
    }
}

fn clean_up(state: &mut State, made: &[PathBuf]) {
    if !state.is_dead() {
        for folder in made.iter().rev() {
            let _ = state.tree.remove(folder);
        }
    }
}

struct FaultyOutFile {
    disk: FaultyDisk,
    path: PathBuf,
    made: Vec<PathBuf>,
    kept: bool,
}

impl FaultyOutFile {
    fn append(&self, bytes: &[u8], fault: Option<Fault>) -> Result<(), StoreError> {
        let end = self.disk.state().tree.file(&self.path)?.bytes.len();
        self.put(end, bytes, fault)
    }

    fn put(&self, at: usize, bytes: &[u8], fault: Option<Fault>) -> Result<(), StoreError> {
        let mut state = self.disk.state();
        let before = state.tree.file(&self.path)?.clone();
        let written = if matches!(fault, Some(Fault::Io | Fault::ShortWrite)) { bytes.len() / 2 } else { bytes.len() };
        let end = at + written;
        let with = |before: &[u8]| {
            let mut whole = before.to_vec();
            whole.resize(whole.len().max(end), 0);
            whole[at..end].copy_from_slice(&bytes[..written]);
            whole
        };
        let whole = with(&before.bytes);
        let mut medium = before.medium.map(|medium| with(&medium));
        if let Some(Fault::Flip(seed)) = fault
            && written > 0
        {
            let flipped = medium.get_or_insert_with(|| whole.clone());
            let (place, bit) = Dice::new(seed).bit_of(written);
            flipped[at + place] ^= 1 << bit;
            state.turned.push(Turned { path: self.path.clone(), at: at + place, bit, bytes: flipped.len() });
        }
        state.tree.write(&self.path, whole, medium);
        match fault {
            Some(Fault::Io) => Err(refused(&self.path, Errno::IO)),
            Some(Fault::ShortWrite) => Err(refused(&self.path, Errno::NOSPC)),
            _ => Ok(()),
        }
    }
}

impl Write for FaultyOutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fault = self.disk.state().begin(&self.path, Does::Write).map_err(system_error)?;
        self.append(bytes, fault).map_err(system_error)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl OutFile for FaultyOutFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let fault = self.disk.state().begin(&self.path, Does::Write).map_err(system_error)?;
        let at = usize::try_from(offset).expect("the model's files fit into memory");
        self.put(at, bytes, fault).map_err(system_error)
    }

    fn undate(&mut self) {}

    fn finish(mut self: Box<Self>) -> Result<(), StoreError> {
        self.disk.state().begin(&self.path, Does::Look)?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for FaultyOutFile {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if !self.kept && !state.is_dead() {
            let _ = state.tree.remove(&self.path);
            clean_up(&mut state, &self.made);
        }
    }
}

/// A stream speaks the system's own errors, so that [`StoreError::from_io`] finds the case again.
fn system_error(error: StoreError) -> io::Error {
    match error {
        StoreError::Full { .. } => Errno::NOSPC.into(),
        StoreError::ReadOnly { .. } => Errno::ROFS.into(),
        StoreError::Io { source, .. } => source,
        other => io::Error::other(other),
    }
}

struct FaultySource {
    disk: FaultyDisk,
    path: PathBuf,
    position: usize,
}

impl Read for FaultySource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.read_at(self.position as u64, buffer)?;
        self.position += read;
        Ok(read)
    }
}

impl Source for FaultySource {
    fn stat(&self) -> Result<Stat, StoreError> {
        self.disk.stat(&self.path)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        state.begin(&self.path, Does::Look).map_err(system_error)?;
        let bytes = Arc::clone(&state.tree.file(&self.path).map_err(system_error)?.bytes);
        let rest = usize::try_from(offset).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        if let Some((_, more)) = state.growing.take_if(|(path, _)| *path == self.path) {
            state.tree.write(&self.path, [bytes.as_slice(), &more].concat(), None);
        }
        Ok(read)
    }
}

struct FaultyLock {
    disk: FaultyDisk,
    key: PathBuf,
}

impl Lock for FaultyLock {}

impl Drop for FaultyLock {
    fn drop(&mut self) {
        self.disk.state().tree.locked.remove(&self.key);
    }
}
