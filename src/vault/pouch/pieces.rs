//! The bytes of a pouch, wherever they lie.

use std::io::Read;
use std::ops::Range;
use std::path::Path;

use crate::format::armor;
use crate::store::{Disk, Source, StoreError};

/// The longest text that is read.
const TEXT_BYTES_MAX: u64 = 64 << 20;

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
    source: Held,
    bytes: u64,
}

enum Held {
    File(Box<dyn Source>),
    /// What came as a text.
    Memory(Vec<u8>),
}

impl Pieces {
    /// One whole file.
    pub fn whole(disk: &dyn Disk, path: &Path) -> Result<Self, StoreError> {
        let mut source = disk.source(path)?;
        let bytes = source.stat()?.bytes;
        let start = disk.read_start(path, 256)?;
        if start.trim_ascii_start().starts_with(b"-----BEGIN AGE") {
            let mut text = Vec::new();
            source
                .by_ref()
                .take(TEXT_BYTES_MAX)
                .read_to_end(&mut text)
                .map_err(|error| StoreError::from_io(path, error))?;
            if let Ok(bytes) = armor::parse(&text) {
                return Ok(Self { bytes: bytes.len() as u64, source: Held::Memory(bytes) });
            }
        }
        Ok(Self { source: Held::File(source), bytes })
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
            let read = match &self.source {
                Held::File(source) => source.read_at(range.start, &mut into[done..]),
                Held::Memory(bytes) => {
                    let rest = usize::try_from(range.start).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
                    let read = rest.len().min(into.len() - done);
                    into[done..done + read].copy_from_slice(&rest[..read]);
                    Ok(read)
                }
            };
            match read {
                Ok(0) => return Err(Lost { range, reason: "the file ends before".into() }),
                Ok(read) => done += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Lost { range, reason: error.to_string() }),
            }
        }
        Ok(())
    }
}
