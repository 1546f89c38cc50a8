//! A disk on which something that is read as a folder lies at a path: whatever takes the path of a folder takes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Disk, FileSystem, FileTime, Folder, Item, Kind, Mode, RelPath, Source, Stat, StoreError};

/// A disk with one more folder on it, which hides whatever else lies there.
pub struct Mounted<'a> {
    disk: &'a dyn Disk,
    at: PathBuf,
    folder: Arc<dyn Folder>,
}

/// Where a path leads.
enum Place {
    Elsewhere,
    Itself,
    Below(RelPath),
}

impl<'a> Mounted<'a> {
    /// `folder` at the path `at`.
    pub fn new(disk: &'a dyn Disk, at: &Path, folder: Arc<dyn Folder>) -> Self {
        Self { disk, at: at.to_path_buf(), folder }
    }

    fn place(&self, path: &Path) -> Place {
        match path.strip_prefix(&self.at) {
            Ok(rest) if rest.as_os_str().is_empty() => Place::Itself,
            Ok(rest) => RelPath::parse(rest).map_or(Place::Elsewhere, Place::Below),
            Err(_) => Place::Elsewhere,
        }
    }

    fn elsewhere(&self, path: &Path) -> Result<&dyn Disk, StoreError> {
        match self.place(path) {
            Place::Elsewhere => Ok(self.disk),
            Place::Itself | Place::Below(_) => Err(StoreError::ReadOnly { path: path.to_path_buf() }),
        }
    }
}

impl Disk for Mounted<'_> {
    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        if path == self.at { Ok(Arc::clone(&self.folder)) } else { self.elsewhere(path)?.folder(path) }
    }

    fn create_folder(&self, path: &Path, mode: Mode) -> Result<Arc<dyn Folder>, StoreError> {
        self.elsewhere(path)?.create_folder(path, mode)
    }

    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.elsewhere(path)?.create_folder_all(path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        self.elsewhere(path)?.remove_folder(path)
    }

    fn stat(&self, path: &Path) -> Result<Stat, StoreError> {
        let never = FileTime { seconds: 0, nanoseconds: 0 };
        match self.place(path) {
            Place::Elsewhere => self.disk.stat(path),
            Place::Below(path) => self.folder.stat(&path),
            Place::Itself => Ok(Stat {
                kind: Kind::Folder,
                bytes: 0,
                modified: never,
                changed: never,
                device: 0,
                inode: 0,
                permissions: 0o500,
            }),
        }
    }

    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        self.elsewhere(path)?.source(path)
    }

    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        self.elsewhere(path)?.read_start(path, bytes_max)
    }

    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError> {
        self.disk.file_system(if self.elsewhere(path).is_ok() { path } else { &self.at })
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        match self.place(path) {
            Place::Elsewhere => self.disk.list_source(path),
            Place::Itself => self.folder.list(None),
            Place::Below(path) => self.folder.list(Some(&path)),
        }
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.elsewhere(to)?;
        self.elsewhere(from)?.move_source(from, to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::faulty::{FaultyDisk, Rules};

    #[test]
    fn a_folder_lies_where_it_was_put_and_the_rest_is_as_it_was() {
        let disk = FaultyDisk::new(Rules::Ext4);
        disk.put(Path::new("/other/a/1"), b"x");
        disk.put(Path::new("/home/file"), b"y");
        let folder = disk.folder(Path::new("/other")).expect("a folder");
        let mounted = Mounted::new(&disk, Path::new("/home/pouch"), folder);
        let kind = |path: &str| mounted.stat(Path::new(path)).map(|stat| stat.kind).ok();
        assert_eq!(kind("/home/pouch"), Some(Kind::Folder));
        assert_eq!(kind("/home/pouch/a/1"), Some(Kind::File));
        assert_eq!(kind("/home/file"), Some(Kind::File));
        assert_eq!(kind("/home/pouch/b"), None);
        let inside = mounted.folder(Path::new("/home/pouch")).expect("a folder");
        assert_eq!(inside.read(&RelPath::parse("a/1").expect("a path"), 9).expect("read"), b"x");
        assert_eq!(mounted.list_source(Path::new("/home/pouch/a")).expect("listed").len(), 1);
        assert!(mounted.source(Path::new("/home/file")).is_ok());
        let refused = mounted.create_folder(Path::new("/home/pouch/new"), Mode::Open).map(drop);
        assert!(matches!(refused, Err(StoreError::ReadOnly { .. })));
    }
}
