//! A pouch that came as text, by mail or phone: read whole, it is a source like any other.

use std::io::{self, Read};
use std::path::Path;

use crate::format::armor;
use crate::store::{Disk, FileTime, Kind, Source, Stat, StoreError};

/// The longest text that is read: 64 MiB.
pub(super) const TEXT_BYTES_MAX: u64 = 64 << 20;
const START_BYTES: usize = 256;

/// Opens a file; of age's text form, what it stands for.
pub(super) fn open(disk: &dyn Disk, path: &Path) -> Result<Box<dyn Source>, StoreError> {
    let mut source = disk.source(path)?;
    let stat = source.stat()?;
    if stat.bytes > TEXT_BYTES_MAX || !armor::begins(&disk.read_start(path, START_BYTES)?) {
        return Ok(source);
    }
    let mut text = Vec::new();
    source.by_ref().take(TEXT_BYTES_MAX).read_to_end(&mut text).map_err(|error| StoreError::from_io(path, error))?;
    Ok(match armor::parse(&text) {
        Ok(bytes) => Box::new(Text { stat: Stat { bytes: bytes.len() as u64, ..stat }, bytes, position: 0 }),
        // Damaged on the way: it is looked at as it is, and is no part of a pouch.
        Err(_) => source,
    })
}

/// What was given as text; one that is damaged is no part of a pouch.
pub(super) fn given(text: &[u8]) -> Box<dyn Source> {
    let bytes = armor::parse(text).unwrap_or_default();
    let never = FileTime { seconds: 0, nanoseconds: 0 };
    let (kind, length) = (Kind::File, bytes.len() as u64);
    let stat = Stat { kind, bytes: length, modified: never, changed: never, device: 0, inode: 0, permissions: 0o400 };
    Box::new(Text { stat, bytes, position: 0 })
}

struct Text {
    stat: Stat,
    bytes: Vec<u8>,
    position: u64,
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.read_at(self.position, buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Source for Text {
    fn stat(&self) -> Result<Stat, StoreError> {
        Ok(self.stat.clone())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|from| self.bytes.get(from..)).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}
