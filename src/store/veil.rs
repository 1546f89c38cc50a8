//! A folder without some of its files: what an interrupted merge was still writing is as if it were not there, until
//! the merge is done.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{Folder, Item, Lock, Mode, OutFile, ReadFrom, RelPath, Source, Stat, StoreError};

/// A folder in which some files are not seen.
pub struct Veil {
    folder: Arc<dyn Folder>,
    hidden: BTreeSet<RelPath>,
}

impl Veil {
    /// The folder, less what is `hidden`; the folder itself where nothing is.
    pub fn over(folder: Arc<dyn Folder>, hidden: BTreeSet<RelPath>) -> Arc<dyn Folder> {
        if hidden.is_empty() { folder } else { Arc::new(Self { folder, hidden }) }
    }

    fn seen(&self, path: &RelPath) -> Result<(), StoreError> {
        if self.hidden.contains(path) {
            return Err(StoreError::Missing { path: self.shown().join(path) });
        }
        Ok(())
    }
}

impl Folder for Veil {
    fn shown(&self) -> &Path {
        self.folder.shown()
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        self.seen(path)?;
        self.folder.read(path, bytes_max)
    }

    fn source(&self, path: &RelPath, bytes_max: u64) -> Result<Box<dyn Source>, StoreError> {
        self.seen(path)?;
        self.folder.source(path, bytes_max)
    }

    fn read_back(&self, path: &RelPath, bytes_max: u64) -> Result<(Box<dyn Source>, ReadFrom), StoreError> {
        self.seen(path)?;
        self.folder.read_back(path, bytes_max)
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        self.seen(path)?;
        self.folder.stat(path)
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        let mut items = self.folder.list(below)?;
        let within = |item: &Item| match below {
            Some(below) => below.join(&item.name),
            None => RelPath::parse(&item.name),
        };
        items.retain(|item| within(item).is_none_or(|path| !self.hidden.contains(&path)));
        Ok(items)
    }

    fn create(&self, path: &RelPath, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
        self.folder.create(path, bytes, mode)
    }

    fn create_stream(&self, path: &RelPath, mode: Mode) -> Result<Box<dyn OutFile>, StoreError> {
        self.folder.create_stream(path, mode)
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
