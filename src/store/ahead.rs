//! A disk with files on it that were read, or made, before this process gave up reaching them ([`super::confine`]): the
//! identity is read from memory, and an output is written through a handle that is open already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{Disk, FileSystem, Folder, Item, Lock, Mode, OutFile, ReadFrom, RelPath, Source, Stat, StoreError};

/// A disk, and folders of it that are held.
pub struct Ahead<'a> {
    disk: &'a dyn Disk,
    held: BTreeMap<PathBuf, Arc<Held>>,
}

/// A folder that was opened ahead, with what of it was read or made.
struct Held {
    folder: Arc<dyn Folder>,
    read: Mutex<BTreeMap<RelPath, Zeroizing<Vec<u8>>>>,
    made: Mutex<BTreeMap<RelPath, Box<dyn OutFile>>>,
    hidden: Mutex<BTreeSet<RelPath>>,
}

impl<'a> Ahead<'a> {
    /// A disk on which nothing is held yet.
    pub fn new(disk: &'a dyn Disk) -> Self {
        Self { disk, held: BTreeMap::new() }
    }

    /// Reads a small file and keeps it until this is dropped.
    pub fn read(&mut self, folder: &Path, name: &RelPath, bytes_max: u64) -> Result<(), StoreError> {
        let held = self.hold(folder)?;
        let bytes = Zeroizing::new(held.folder.read(name, bytes_max)?);
        lock(&held.read).insert(name.clone(), bytes);
        Ok(())
    }

    /// Makes an empty file under a name that must be free; it is removed again unless something is written to it.
    pub fn make(&mut self, folder: &Path, name: &RelPath, mode: Mode) -> Result<(), StoreError> {
        let held = self.hold(folder)?;
        let file = held.folder.create_stream(name, mode)?;
        lock(&held.made).insert(name.clone(), file);
        Ok(())
    }

    /// Lists a file no more: it is there for the sake of this command.
    pub fn hide(&mut self, folder: &Path, name: &RelPath) -> Result<(), StoreError> {
        lock(&self.hold(folder)?.hidden).insert(name.clone());
        Ok(())
    }

    fn hold(&mut self, folder: &Path) -> Result<Arc<Held>, StoreError> {
        if let Some(held) = self.held.get(folder) {
            return Ok(Arc::clone(held));
        }
        let opened = self.disk.folder(folder)?;
        let (read, made, hidden) = (Mutex::default(), Mutex::default(), Mutex::default());
        let held = Arc::new(Held { folder: opened, read, made, hidden });
        self.held.insert(folder.to_path_buf(), Arc::clone(&held));
        Ok(held)
    }

    /// The folder that is held and that a path lies in, with the name there.
    fn held(&self, path: &Path) -> Option<(&Held, RelPath)> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some((self.held.get(parent)?, path.file_name().and_then(RelPath::parse)?))
    }
}

fn lock<T>(held: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk for Ahead<'_> {
    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        match self.held.get(path) {
            Some(held) => Ok(Arc::clone(held) as _),
            None => self.disk.folder(path),
        }
    }

    fn create_folder(&self, path: &Path, mode: Mode) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.create_folder(path, mode)
    }

    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.create_folder_all(path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        self.disk.remove_folder(path)
    }

    fn stat(&self, path: &Path) -> Result<Stat, StoreError> {
        if let Some((held, name)) = self.held(path) {
            held.unwritten(&name)?;
        }
        self.disk.stat(path)
    }

    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        self.disk.source(path)
    }

    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        let read = self.held(path).and_then(|(held, name)| lock(&held.read).get(&name).map(|bytes| bytes.to_vec()));
        read.map_or_else(
            || self.disk.read_start(path, bytes_max),
            |mut bytes| {
                bytes.truncate(bytes_max);
                Ok(bytes)
            },
        )
    }

    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError> {
        self.disk.file_system(path)
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        let mut items = self.disk.list_source(path)?;
        let listed = self.disk.stat(path)?;
        for (folder, held) in &self.held {
            // A folder has many names.
            let same = |stat: Stat| stat.id() == listed.id();
            if self.disk.stat(folder).is_ok_and(same) {
                items.retain(|item| held.lists(item));
            }
        }
        Ok(items)
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.disk.move_source(from, to)
    }
}

impl Held {
    /// A path as the person would name it.
    fn at(&self, path: &RelPath) -> PathBuf {
        let shown = self.folder.shown();
        if shown == Path::new(".") { path.as_path().into() } else { shown.join(path) }
    }

    /// Whether somebody who looks is to see it.
    fn lists(&self, item: &Item) -> bool {
        let is_ahead = |name: RelPath| lock(&self.made).contains_key(&name) || lock(&self.hidden).contains(&name);
        !RelPath::parse(&item.name).is_some_and(is_ahead)
    }

    fn unwritten(&self, path: &RelPath) -> Result<(), StoreError> {
        if lock(&self.made).contains_key(path) {
            return Err(StoreError::Missing { path: self.at(path) });
        }
        Ok(())
    }
}

impl Folder for Held {
    fn shown(&self) -> &Path {
        self.folder.shown()
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        self.unwritten(path)?;
        match lock(&self.read).get(path) {
            Some(bytes) if bytes.len() as u64 <= bytes_max => Ok(bytes.to_vec()),
            Some(bytes) => Err(StoreError::TooLarge { path: self.at(path), bytes: bytes.len() as u64, bytes_max }),
            None => self.folder.read(path, bytes_max),
        }
    }

    fn source(&self, path: &RelPath, bytes_max: u64) -> Result<Box<dyn Source>, StoreError> {
        self.unwritten(path)?;
        self.folder.source(path, bytes_max)
    }

    fn read_back(&self, path: &RelPath, bytes_max: u64) -> Result<(Box<dyn Source>, ReadFrom), StoreError> {
        self.unwritten(path)?;
        self.folder.read_back(path, bytes_max)
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        self.unwritten(path)?;
        self.folder.stat(path)
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        let mut items = self.folder.list(below)?;
        if below.is_none() {
            items.retain(|item| self.lists(item));
        }
        Ok(items)
    }

    fn create(&self, path: &RelPath, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
        let made = lock(&self.made).remove(path);
        let Some(mut file) = made else { return self.folder.create(path, bytes, mode) };
        file.write_all(bytes).map_err(|error| StoreError::from_io(&self.at(path), error))?;
        file.undate();
        file.finish()
    }

    fn create_stream(&self, path: &RelPath, mode: Mode) -> Result<Box<dyn OutFile>, StoreError> {
        let made = lock(&self.made).remove(path);
        made.map_or_else(|| self.folder.create_stream(path, mode), Ok)
    }

    fn create_folder(&self, path: &RelPath, mode: Mode) -> Result<(), StoreError> {
        self.folder.create_folder(path, mode)
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> Result<(), StoreError> {
        self.folder.rename_new(from, to)
    }

    fn sync(&self, created: &[RelPath]) -> Result<(), StoreError> {
        self.folder.sync(created)
    }

    fn remove(&self, path: &RelPath) -> Result<(), StoreError> {
        self.folder.remove(path)
    }

    fn lock(&self, path: &RelPath) -> Result<Box<dyn Lock>, StoreError> {
        self.folder.lock(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::faulty::{FaultyDisk, Rules};

    fn name(text: &str) -> RelPath {
        RelPath::parse(text).expect("a name")
    }

    #[test]
    fn what_was_read_ahead_is_there_though_the_disk_has_it_no_more() {
        let disk = FaultyDisk::new(Rules::Ext4);
        disk.put(Path::new("/home/identity"), b"secret");
        let mut ahead = Ahead::new(&disk);
        ahead.read(Path::new("/home"), &name("identity"), 9).expect("read");
        disk.folder(Path::new("/home")).and_then(|home| home.remove(&name("identity"))).expect("removed");
        let home = ahead.folder(Path::new("/home")).expect("held");
        assert_eq!(home.read(&name("identity"), 9).expect("held"), b"secret");
        assert_eq!(ahead.read_start(Path::new("/home/identity"), 3).expect("held"), b"sec");
        assert!(matches!(home.read(&name("identity"), 3), Err(StoreError::TooLarge { .. })));
        assert!(matches!(home.read(&name("other"), 3), Err(StoreError::Missing { .. })));
    }

    #[test]
    fn what_was_made_ahead_is_written_once_or_was_never_there() {
        let disk = FaultyDisk::new(Rules::Ext4);
        disk.put(Path::new("/home/there"), b"");
        let home = Path::new("/home");
        let mut ahead = Ahead::new(&disk);
        assert!(matches!(ahead.make(home, &name("there"), Mode::Open), Err(StoreError::Exists { .. })));
        for made in ["report", "never", "stream"] {
            ahead.make(home, &name(made), Mode::Open).expect("made");
            assert!(matches!(ahead.stat(&home.join(made)), Err(StoreError::Missing { .. })));
        }
        ahead.hide(home, &name("there")).expect("hidden");
        let folder = ahead.folder(home).expect("held");
        for listed in [folder.list(None), ahead.list_source(home)] {
            assert_eq!(listed.expect("listed"), []);
        }
        assert!(!folder.exists(&name("report")).expect("looked"));
        folder.create(&name("report"), b"words", Mode::Open).expect("written");
        assert!(matches!(folder.create(&name("report"), b"", Mode::Open), Err(StoreError::Exists { .. })));
        let mut stream = folder.create_stream(&name("stream"), Mode::Open).expect("the one that is open");
        stream.write_all(b"more").and_then(|()| stream.flush()).expect("written");
        stream.finish().expect("kept");
        folder.sync(&[name("report"), name("stream")]).expect("synced");
        drop((folder, ahead));
        let there = |name: &str| disk.stat(&home.join(name)).map(|stat| stat.bytes).ok();
        assert_eq!((there("report"), there("stream"), there("never")), (Some(5), Some(4), None));
    }
}
