//! A pouch that came as text, by mail or phone: read whole, it is a source like any other.

use std::io::Read;
use std::path::Path;

use crate::crypto::hash::Hash;
use crate::format::armor;
use crate::store::{Disk, FileTime, Kind, Source, Stat, StoreError, source};

/// The longest text that is read: 64 MiB.
pub(super) const TEXT_BYTES_MAX: u64 = 64 << 20;
const START_BYTES: usize = 256;

/// The SHA-256 of a text that stands for a pouch.
#[derive(Clone, Copy)]
pub(super) struct TextHash {
    /// As the text lies here: what `sha256sum` tells of the file.
    pub(super) as_it_lies: Hash,
    /// As it was made: mail changes line ends, and puts something around it.
    pub(super) as_made: Hash,
}

impl TextHash {
    fn of(text: &[u8], bytes: &[u8]) -> Self {
        Self { as_it_lies: Hash::of(text), as_made: Hash::of(armor::print(bytes).as_bytes()) }
    }
}

/// Opens a file; of age's text form, what it stands for.
pub(super) fn open(disk: &dyn Disk, path: &Path) -> Result<(Box<dyn Source>, Option<TextHash>), StoreError> {
    let mut source = disk.source(path)?;
    let stat = source.stat()?;
    // Where its beginning cannot be read it is looked at as it is: the rest may be of use.
    let is_text =
        stat.bytes <= TEXT_BYTES_MAX && disk.read_start(path, START_BYTES).is_ok_and(|start| armor::begins(&start));
    if !is_text {
        return Ok((source, None));
    }
    let mut text = Vec::new();
    source.by_ref().take(TEXT_BYTES_MAX).read_to_end(&mut text).map_err(|error| StoreError::from_io(path, error))?;
    Ok(match armor::parse(&text) {
        Ok(bytes) => {
            let (hash, stat) = (TextHash::of(&text, &bytes), Stat { bytes: bytes.len() as u64, ..stat });
            (source::held(bytes, stat), Some(hash))
        }
        // Damaged on the way: it is looked at as it is, and is no part of a pouch.
        Err(_) => (source, None),
    })
}

/// What was given as text; one that is damaged is no part of a pouch.
pub(super) fn given(text: &[u8]) -> Box<dyn Source> {
    let bytes = armor::parse(text).unwrap_or_default();
    let never = FileTime { seconds: 0, nanoseconds: 0 };
    let (kind, length) = (Kind::File, bytes.len() as u64);
    let stat = Stat { kind, bytes: length, modified: never, changed: never, device: 0, inode: 0, permissions: 0o400 };
    source::held(bytes, stat)
}
