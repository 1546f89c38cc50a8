//! Two copies of one vault read as one folder: what lies in either is there. Nothing is ever written through it.
//!
//! Of a name that both have, the first copy's file is taken, unless it is not what its name promises and the second's
//! is: a file that was damaged in one copy is whole in the union.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::layout::is_as_named;
use super::{Folder, Item, RelPath, Stat, StoreError};

/// A folder over two, for reading.
pub struct Overlay {
    first: Arc<dyn Folder>,
    second: Arc<dyn Folder>,
}

impl Overlay {
    /// `first` is preferred.
    pub fn new(first: Arc<dyn Folder>, second: Arc<dyn Folder>) -> Self {
        Self { first, second }
    }

    /// What one folder or else the other answers. That the second cannot be asked takes nothing from the first.
    fn either<T>(&self, ask: impl Fn(&dyn Folder) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match ask(&*self.first) {
            Err(first @ StoreError::Missing { .. }) => match ask(&*self.second) {
                Err(StoreError::Missing { .. }) => Err(first),
                second => second,
            },
            Err(first) => ask(&*self.second).map_err(|_| first),
            first => first,
        }
    }
}

impl Folder for Overlay {
    fn shown(&self) -> &Path {
        self.first.shown()
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        let first = self.first.read(path, bytes_max);
        if first.as_ref().is_ok_and(|bytes| is_as_named(path, bytes)) {
            return first;
        }
        match self.second.read(path, bytes_max) {
            Ok(bytes) if is_as_named(path, &bytes) => Ok(bytes),
            second => match first {
                Err(StoreError::Missing { .. }) => second,
                first => first,
            },
        }
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        self.either(|folder| folder.stat(path))
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        let (first, second) = match (self.first.list(below), self.second.list(below)) {
            (Ok(first), Ok(second)) => (first, second),
            (Ok(one), Err(_)) | (Err(_), Ok(one)) => return Ok(one),
            (Err(StoreError::Missing { .. }), Err(error)) | (Err(error), Err(_)) => return Err(error),
        };
        let mut items: BTreeMap<OsString, Item> = second.into_iter().map(|item| (item.name.clone(), item)).collect();
        items.extend(first.into_iter().map(|item| (item.name.clone(), item)));
        Ok(items.into_values().collect())
    }

    fn sync(&self, _: &[RelPath]) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::Hash;
    use crate::store::faulty::{FaultyDisk, Rules};
    use crate::store::{Disk, Mode, layout};

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).expect("a path")
    }

    fn overlay(files: &[(&str, &[u8])]) -> Overlay {
        let disk = FaultyDisk::new(Rules::Ext4);
        disk.put(Path::new("/one/VAULT"), b"one");
        disk.put(Path::new("/other/VAULT"), b"other");
        for (path, bytes) in files {
            disk.put(Path::new(path), bytes);
        }
        let folder = |name| disk.folder(Path::new(name)).expect("a folder");
        Overlay::new(folder("/one"), folder("/other"))
    }

    #[test]
    fn a_file_that_is_short_in_the_first_is_read_to_its_end_in_the_second() {
        let whole = b"all of it".to_vec();
        let blob = layout::blob(Hash::of(&whole));
        let (one, other) = (format!("/one/{blob}"), format!("/other/{blob}"));
        let both = overlay(&[(&one, b"al"), (&other, &whole)]);
        let source = both.source(&blob, 99).expect("opened");
        assert_eq!(source.stat().expect("known").bytes, whole.len() as u64);
    }

    #[test]
    fn what_lies_in_either_is_there_and_the_first_is_preferred() {
        let both = overlay(&[("/one/a/1", b"x"), ("/other/a/2", b"y"), ("/other/b/3", b"z")]);
        let names = |below: Option<&str>| -> Vec<OsString> {
            let items = both.list(below.map(path).as_ref()).expect("items");
            items.into_iter().map(|item| item.name).collect()
        };
        assert_eq!(names(None), ["VAULT", "a", "b"]);
        assert_eq!(names(Some("a")), ["1", "2"]);
        assert_eq!(names(Some("b")), ["3"]);
        assert_eq!(both.read(&path("VAULT"), 9).expect("read"), b"one");
        assert_eq!(both.read(&path("a/2"), 9).expect("read"), b"y");
        assert!(both.exists(&path("b/3")).expect("known") && !both.exists(&path("b/4")).expect("known"));
        assert!(matches!(both.read(&path("none"), 9), Err(StoreError::Missing { .. })));
        assert!(matches!(both.list(Some(&path("none"))), Err(StoreError::Missing { .. })));
    }

    #[test]
    fn of_a_damaged_and_a_whole_file_the_whole_one_is_read() {
        let name = layout::blob(Hash::of(b"whole"));
        let there = |one: &[u8], other: &[u8]| {
            let both = overlay(&[(&format!("/one/{name}"), one), (&format!("/other/{name}"), other)]);
            both.read(&name, 99).expect("read")
        };
        assert_eq!(there(b"torn", b"whole"), b"whole");
        assert_eq!(there(b"whole", b"torn"), b"whole");
        assert_eq!(there(b"torn", b"other"), b"torn");
    }

    #[test]
    fn nothing_is_written_through_it() {
        let both = overlay(&[("/one/a/1", b"x")]);
        let refused = |result: Result<(), StoreError>| matches!(result, Err(StoreError::ReadOnly { .. }));
        assert!(refused(both.create(&path("c"), b"", Mode::Open)));
        assert!(refused(both.create_folder(&path("c"), Mode::Open)));
        assert!(refused(both.rename_new(&path("a"), &path("c"))));
        assert!(refused(both.remove(&path("a/1"))));
        assert!(refused(both.remove_all(&[path("a/1")]).map(drop)));
        assert!(refused(both.lock(&path("VAULT")).map(drop)));
        assert!(refused(both.create_stream(&path("c"), Mode::Open).map(drop)));
    }
}
