//! The bytes of a pouch, wherever they lie.

use std::ops::Range;
use std::path::Path;

use crate::store::{Disk, Source, StoreError};

/// Bytes that cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Where.
    pub range: Range<u64>,
    /// Why.
    pub reason: String,
}

/// The bytes of one pouch.
pub struct Pieces {
    source: Box<dyn Source>,
    bytes: u64,
}

impl Pieces {
    /// One whole file.
    pub fn whole(disk: &dyn Disk, path: &Path) -> Result<Self, StoreError> {
        let source = disk.source(path)?;
        let bytes = source.stat()?.bytes;
        Ok(Self { source, bytes })
    }

    /// How many there are.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Those at a place.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Lost> {
        let mut done = 0;
        while done < into.len() {
            let range = offset + done as u64..offset + into.len() as u64;
            match self.source.read_at(range.start, &mut into[done..]) {
                Ok(0) => return Err(Lost { range, reason: "the file ends before".into() }),
                Ok(read) => done += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Lost { range, reason: error.to_string() }),
            }
        }
        Ok(())
    }
}
