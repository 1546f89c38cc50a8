//! What is read in parts, from a disk or from memory.

use std::io::{self, Cursor, Read};

use super::{Stat, StoreError};

/// A source that is being read.
pub trait Source: Read + Send + Sync {
    /// What the system says of the open file now. If it differs after reading, the file changed while it was read.
    fn stat(&self) -> Result<Stat, StoreError>;

    /// Reads at a place, wherever [`Read`] stands: at most `buffer.len()` bytes, 0 at the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// What is in memory already.
pub(crate) fn held(bytes: Vec<u8>, stat: Stat) -> Box<dyn Source> {
    Box::new(Held { bytes: Cursor::new(bytes), stat })
}

struct Held {
    bytes: Cursor<Vec<u8>>,
    stat: Stat,
}

impl Read for Held {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl Source for Held {
    fn stat(&self) -> Result<Stat, StoreError> {
        Ok(self.stat.clone())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).ok().and_then(|offset| self.bytes.get_ref().get(offset..));
        from.unwrap_or_default().read(buffer)
    }
}
