//! Restored cells that memory does not hold, in a file that no folder names: whoever reads a pouch from front to back meets
//! each row again and again, and it is to be restored once. What lies there is as encrypted as the pouch is; what is read back
//! is held against its checksum, as whatever comes from a disk is here.

use std::collections::BTreeMap;
use std::path::Path;

use super::read_exactly;
use crate::crypto::hash::Hash;
use crate::store::{Disk, Mode, OutFile, RelPath, Source, StoreError};

/// The file, and where in it a cell stands.
pub struct Spool {
    out: Option<Box<dyn OutFile>>,
    source: Box<dyn Source>,
    places: BTreeMap<u64, u64>,
    end: u64,
}

impl Spool {
    /// Begins one beside what will hold all of the pouch: where that has room, it has, too. Its name is gone before anything
    /// is written: no kill leaves more than an empty file, and the next run takes that away.
    pub fn begin(disk: &dyn Disk, (folder, beside): (&Path, &RelPath)) -> Result<Self, StoreError> {
        // Nobody else's file is called so.
        let hash = Hash::tagged("amparo.v1/spool", &[beside.to_string().as_bytes()]);
        let name = RelPath::parse(format!("{hash}.restored")).expect("hex is a name");
        let (opened, path) = (disk.folder(folder)?, folder.join(&name));
        if opened.stat(&name).is_ok_and(|stat| stat.bytes == 0) {
            opened.remove(&name)?;
        }
        let out = opened.create_stream(&name, Mode::Private)?;
        let source = disk.source(&path)?;
        opened.remove(&name)?;
        Ok(Self { out: Some(out), source, places: BTreeMap::new(), end: 0 })
    }

    pub(super) fn put(&mut self, cell: u64, bytes: &[u8]) -> std::io::Result<()> {
        if !self.places.contains_key(&cell) {
            self.out.as_mut().expect("it is open until it is dropped").write_at(self.end, bytes)?;
            self.places.insert(cell, self.end);
            self.end += bytes.len() as u64;
        }
        Ok(())
    }

    /// What lies there of a cell; whether it is the cell, its checksum tells.
    pub(super) fn get(&self, cell: u64, cell_bytes: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; cell_bytes];
        read_exactly(&*self.source, *self.places.get(&cell)?, &mut bytes).ok()?;
        Some(bytes)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // Its name is gone already: what bears it now is somebody else's, and is not to be removed.
        let _ = self.out.take().map(OutFile::finish);
    }
}
