//! The files of a vault that lie in a pouch, read as a folder: whatever reads another copy reads a pouch. Nothing is
//! unpacked for it; a file is decrypted when it is asked for, and its name tells what it must be.
//!
//! Only headers are read at first, one chunk each. Where one is damaged, the next that can be found is: what lies
//! between is lost, and what follows is not.

mod members;

use std::ffi::OsString;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use members::Members;

use super::opened::Opened;
use super::pieces::Lost;
use crate::format::names::printable;
use crate::format::pouch::{self, ANSWERS_BYTES_MIN, Header, MEMBERS_MAX, POUCH_BYTES_MIN};
use crate::format::tar::{BLOCK, padding};
use crate::store::{FileTime, Folder, Item, Kind, RelPath, Stat, StoreError, layout};
use crate::vault::VaultError;
use crate::vault::exhibits::BLOB_BYTES_MAX;
use crate::vault::pouch::PouchError;

const BLOCK_BYTES: u64 = BLOCK as u64;
/// Where a block says that it is the header of a tar.
const USTAR: Range<usize> = 257..262;

/// A pouch as a folder.
pub struct Archive {
    shown: PathBuf,
    opened: Option<Opened>,
    members: Members,
    /// Where headers could not be read.
    gaps: Vec<Range<u64>>,
}

impl Archive {
    /// Nothing at all: the copy of whoever has none yet.
    pub fn empty() -> Self {
        Self { shown: PathBuf::new(), opened: None, members: Members::default(), gaps: Vec::new() }
    }

    /// Finds the files of a pouch; `shown` is how people call it.
    pub fn read(opened: Opened, shown: &Path) -> Result<Self, VaultError> {
        let cut = !opened.end_holds();
        let mut walk = Walk { opened: &opened, cut, members: Members::default(), gaps: Vec::new(), rank: 0 };
        walk.all()?;
        let Walk { members, gaps, .. } = walk;
        Ok(Self { shown: shown.to_path_buf(), opened: Some(opened), members, gaps })
    }

    /// How many files lie in it.
    pub fn files(&self) -> usize {
        self.members.len()
    }

    /// Whether a sealed file is among them: without one it holds custody records and keys.
    pub fn has_blobs(&self) -> bool {
        self.list(Some(&layout::blobs())).is_ok()
    }

    /// Whether it does not tell all that it holds: a header is damaged, or members may have been cut off.
    pub fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// Whether something of its keys and custody records cannot be read, or may stand where nothing can: what is left need
    /// not even tell whose vault it is.
    pub fn custody_is_damaged(&self) -> bool {
        let first = self.members.first_blob();
        let may_hide = self.gaps.iter().any(|gap| first.is_none_or(|first| gap.start < first));
        let is_lost = |path: &String| RelPath::parse(path).is_none_or(|path| self.read(&path, BLOB_BYTES_MAX).is_err());
        may_hide || self.members.custody().any(is_lost)
    }

    /// The opened pouch; `None` of nothing.
    pub fn opened(&self) -> Option<&Opened> {
        self.opened.as_ref()
    }

    fn missing(&self, path: &RelPath) -> StoreError {
        StoreError::Missing { path: self.shown.join(path) }
    }
}

impl Folder for Archive {
    fn shown(&self) -> &Path {
        &self.shown
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        let at = self.members.get(path).ok_or_else(|| self.missing(path))?;
        let bytes = at.end - at.start;
        if bytes > bytes_max {
            return Err(StoreError::TooLarge { path: self.shown.join(path), bytes, bytes_max });
        }
        let mut content = vec![0; usize::try_from(bytes).expect("a member is no longer than a blob")];
        let opened = self.opened.as_ref().expect("what has members was opened");
        opened.read_at(at.start, &mut content).map_err(|lost| StoreError::Io {
            path: self.shown.join(path),
            source: io::Error::new(io::ErrorKind::InvalidData, lost.reason),
        })?;
        Ok(content)
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        let (kind, bytes) = match self.members.get(path) {
            Some(at) => (Kind::File, at.end - at.start),
            None if layout::blob_of(path).is_none() && !self.members.below(Some(path)).is_empty() => (Kind::Folder, 0),
            None => return Err(self.missing(path)),
        };
        let never = FileTime { seconds: 0, nanoseconds: 0 };
        Ok(Stat { kind, bytes, modified: never, changed: never, device: 0, inode: 0, permissions: 0o400 })
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        let found = self.members.below(below);
        match below {
            Some(path) if found.is_empty() => Err(self.missing(path)),
            _ => Ok(found.into_iter().map(item).collect()),
        }
    }

    fn sync(&self, _: &[RelPath]) -> Result<(), StoreError> {
        Ok(())
    }
}

fn item((name, bytes): (String, Option<u64>)) -> Item {
    let kind = if bytes.is_some() { Kind::File } else { Kind::Folder };
    Item { name: OsString::from(name), kind, bytes: bytes.unwrap_or(0), id: None }
}

/// Why there is no header at a place.
enum NoHeader {
    /// It lies where bytes are lost.
    Lost(Lost),
    /// No writer would have printed what stands there.
    Wrong,
}

/// The way from header to header.
struct Walk<'a> {
    opened: &'a Opened,
    /// The end is lost: what reaches beyond is lost too, and no fault of whoever wrote it.
    cut: bool,
    members: Members,
    gaps: Vec<Range<u64>>,
    rank: u8,
}

impl Walk<'_> {
    fn all(&mut self) -> Result<(), VaultError> {
        let (mut position, mut index) = (0, Some(0));
        loop {
            match self.header(position, index) {
                // Of what follows nothing is needed.
                Ok(Header::End) => return Ok(()),
                Ok(Header::Member { path, bytes, header_bytes, index: claimed }) => {
                    let start = position + header_bytes;
                    match self.admit(&path, start, bytes)? {
                        Some(next) => position = next,
                        None if self.reaches_beyond(start, bytes) => {
                            self.lose(position);
                            return Ok(());
                        }
                        None => return Err(malformed(position)),
                    }
                    index = claimed.or(index).map(|index| index + 1).filter(|index| *index <= MEMBERS_MAX);
                }
                Err(NoHeader::Wrong) => return Err(malformed(position)),
                Err(NoHeader::Lost(lost)) => {
                    let Some(found) = self.search(lost.range.end.max(position + BLOCK_BYTES)) else {
                        self.lose(position);
                        return Ok(());
                    };
                    self.gaps.push(position..found);
                    (position, index) = (found, None);
                }
            }
        }
    }

    /// Whether a member may have been whole before the end was lost.
    fn reaches_beyond(&self, start: u64, bytes: u64) -> bool {
        self.cut && bytes <= BLOB_BYTES_MAX && start + bytes + padding(bytes) > self.opened.bytes()
    }

    /// From here on nothing is known.
    fn lose(&mut self, position: u64) {
        self.gaps.push(position..self.opened.bytes().max(position));
    }

    /// Takes a member in; where the next one begins, or `None` where it may not stand there.
    fn admit(&mut self, path: &str, start: u64, bytes: u64) -> Result<Option<u64>, VaultError> {
        let named = RelPath::parse(path).filter(|_| layout::is_named(path));
        let Some(named) = named else {
            return Err(VaultError::Pouch(PouchError::Stranger { name: printable(path.as_bytes()) }));
        };
        let rank = pouch::rank(path);
        if rank < self.rank || bytes > BLOB_BYTES_MAX || self.members.get(&named).is_some() {
            return Ok(None);
        }
        let next = start + bytes + padding(bytes);
        if next > self.opened.bytes() {
            return Ok(None);
        }
        self.rank = rank;
        self.members.insert(&named, start..start + bytes);
        Ok(Some(next))
    }

    fn header(&self, position: u64, index: Option<u32>) -> Result<Header, NoHeader> {
        // Where the end is lost, `.pad` tells how long the archive was.
        let floors = if self.cut { &[POUCH_BYTES_MIN, ANSWERS_BYTES_MIN][..] } else { &[] };
        let cut = floors.iter().map(|floor| pouch::whole_bytes(position, *floor));
        let read = |whole| {
            let mut at = position;
            let next_block = || {
                let block = self.block(at)?;
                at += BLOCK_BYTES;
                Ok(block)
            };
            pouch::read_header(next_block, || NoHeader::Wrong, (position, whole), index)
        };
        let first = read(self.opened.bytes());
        match first {
            Err(NoHeader::Wrong) => cut.map(read).find(Result::is_ok).unwrap_or(first),
            first => first,
        }
    }

    fn block(&self, at: u64) -> Result<[u8; BLOCK], NoHeader> {
        let end = self.opened.bytes();
        if at + BLOCK_BYTES > end {
            let lost = Lost { range: at..end.max(at), reason: "the pouch ends before".into() };
            return Err(if self.cut { NoHeader::Lost(lost) } else { NoHeader::Wrong });
        }
        let mut block = [0; BLOCK];
        self.opened.read_at(at, &mut block).map_err(NoHeader::Lost)?;
        Ok(block)
    }

    /// The next header from a place on, after damage. What a blob holds is encrypted: it looks like none.
    fn search(&self, from: u64) -> Option<u64> {
        let mut at = from.next_multiple_of(BLOCK_BYTES);
        while at < self.opened.bytes() {
            match self.block(at) {
                Ok(block) if block[USTAR] == *b"ustar" && self.is_header(at) => return Some(at),
                Err(NoHeader::Lost(lost)) => at = lost.range.end.max(at + 1).next_multiple_of(BLOCK_BYTES),
                _ => at += BLOCK_BYTES,
            }
        }
        None
    }

    fn is_header(&self, at: u64) -> bool {
        match self.header(at, None) {
            Ok(Header::Member { path, bytes, .. }) => {
                let is_new = |path: RelPath| self.members.get(&path).is_none();
                layout::is_named(&path) && bytes <= BLOB_BYTES_MAX && RelPath::parse(&path).is_some_and(is_new)
            }
            Ok(Header::End) => true,
            Err(_) => false,
        }
    }
}

fn malformed(position: u64) -> VaultError {
    VaultError::Pouch(PouchError::Malformed { position })
}

#[cfg(test)]
mod tests;
