//! The bytes of a pouch, wherever they lie: in one file, or in volumes, with or without parity. Where parity is at hand,
//! each cell is checked as it is read, and a damaged one is restored on the way; without it bytes are what they are.
//!
//! Everything here works without a key, and nothing here knows one. A checksum tells damage, not forgery: who changes a
//! pouch on purpose can change its parity to fit, and only the reader's key tells.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use crate::crypto::hash::Hash;
use crate::format::parity::Layout;
use crate::format::volume::PouchId;
use crate::store::{Disk, Source};
use crate::vault::VaultError;

mod along;
mod gather;
mod mending;
mod packets;
mod place;
mod repair;
mod spool;
mod survey;
mod text;

pub use mending::Mended;
pub(super) use packets::{checksum, sum};
pub(super) use repair::Unrepaired;
pub use spool::Spool;
pub use survey::{Condition, MayLose};

/// The longest text that is taken for a pouch: 64 MiB.
pub const TEXT_BYTES_MAX: u64 = text::TEXT_BYTES_MAX;

use mending::Mending;
use packets::Packets;

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
    files: Vec<PieceFile>,
    id: Option<PouchId>,
    bytes: u64,
    /// What of the pouch lies where, in the order of their starts; parts may lie in several files.
    extents: Vec<Extent>,
    /// How far each of them and those before it reach.
    reach: Vec<u64>,
    volumes: Vec<gather::Volume>,
    packets: Option<Packets>,
    missing: Vec<String>,
    unknown: Vec<PathBuf>,
    mending: Mending,
}

/// What becomes of a cell whose checksum is lost.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    IsLost,
    AsItLies,
}

/// One of the files.
struct PieceFile {
    path: PathBuf,
    source: Box<dyn Source>,
    bytes: u64,
    /// Of a text that stands for a pouch.
    text: Option<text::TextHash>,
}

/// Bytes of the pouch that stand one behind the other in a file.
#[derive(Clone, Copy, Debug)]
struct Extent {
    file: usize,
    /// Where in the file they begin.
    at: u64,
    /// Where in the pouch.
    start: u64,
    end: u64,
}

impl Pieces {
    /// Looks at what each file holds, whatever its name, in any order; a folder stands for the files in it.
    pub fn gather(disk: &dyn Disk, files: &[PathBuf]) -> Result<Self, VaultError> {
        gather::gather(disk, files)
    }

    /// A pouch that was given as text.
    pub fn of_text(text: &[u8]) -> Result<Self, VaultError> {
        gather::of_text(text)
    }

    /// Whether a file is a part of some pouch, by what it holds.
    pub fn is_part(disk: &dyn Disk, path: &std::path::Path) -> Result<bool, VaultError> {
        Ok(gather::is_part(disk, path)?)
    }

    /// One whole file.
    pub fn whole(disk: &dyn Disk, path: &std::path::Path) -> Result<Self, VaultError> {
        Self::gather(disk, &[path.to_path_buf()])
    }

    /// How many bytes the pouch has.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Which pouch it is; `None` where its beginning is damaged and nothing else tells.
    pub fn id(&self) -> Option<PouchId> {
        self.id
    }

    /// How much parity is at hand.
    pub fn parity(&self) -> Option<Layout> {
        self.packets.as_ref().map(Packets::layout)
    }

    /// The bytes at a place. With parity, only what was checked or restored: of a place that can be neither, `Lost`.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<(), Lost> {
        match &self.packets {
            Some(packets) => self.read_cells(packets, Unknown::IsLost, offset, into),
            None => self.raw(offset, into, 0),
        }
    }

    /// The same for a reader who can tell by other means: what nothing here tells of is given as it lies.
    pub fn read_to_judge(&self, offset: u64, into: &mut [u8]) -> Result<(), Lost> {
        match &self.packets {
            Some(packets) => self.read_cells(packets, Unknown::AsItLies, offset, into),
            None => self.raw(offset, into, 0),
        }
    }

    /// What was restored so far.
    pub fn mended(&self) -> Mended {
        self.mending.told()
    }

    /// What belongs to the pouch and is not here.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    /// Whether it came as text that had this SHA-256 when it was made: line ends, and what stands around it, do not count.
    pub fn was_made_as(&self, sha256: Hash) -> bool {
        self.text().is_some_and(|text| text.as_made == sha256)
    }

    /// The text that all of it came as, if it did.
    fn text(&self) -> Option<text::TextHash> {
        let whole = self.extents.iter().find(|extent| (extent.start, extent.end) == (0, self.bytes))?;
        self.files[whole.file].text.filter(|_| self.packets.is_none())
    }

    /// The files that are no part of it.
    pub fn unknown(&self) -> &[PathBuf] {
        &self.unknown
    }

    /// The files that are a part of it.
    pub fn known(&self) -> impl Iterator<Item = &std::path::Path> {
        let is_part = |index: &usize| {
            let data = self.extents.iter().any(|extent| extent.file == *index);
            data || self.packets.as_ref().is_some_and(|packets| packets.lie_in(*index))
        };
        (0..self.files.len()).filter(is_part).map(|index| self.files[index].path.as_path())
    }

    /// Reads what lies at a place; where several files hold it, from another of them with each `choice`.
    fn raw(&self, offset: u64, into: &mut [u8], choice: usize) -> Result<(), Lost> {
        let end = offset.saturating_add(into.len() as u64);
        let lost = |at: u64, reason: &str| Lost { range: at..end, reason: reason.into() };
        if end > self.bytes {
            return Err(lost(offset, "the pouch ends before"));
        }
        let mut at = offset;
        while at < end {
            let holding: Vec<&Extent> = self.meeting(&(at..at + 1)).collect();
            let Some(extent) = holding.get(choice.min(holding.len().saturating_sub(1))) else {
                return Err(lost(at, "the file that held it is not here"));
            };
            let upto = end.min(extent.end);
            let part = &mut into[to_usize(at - offset)..to_usize(upto - offset)];
            read_from(&*self.files[extent.file].source, extent.at + (at - extent.start), part)
                .map_err(|(done, error)| lost(at + done as u64, &error.to_string()))?;
            at = upto;
        }
        Ok(())
    }

    /// How many files hold a place at most.
    fn choices(&self, range: &Range<u64>) -> usize {
        self.meeting(range).count()
    }

    /// The extents that hold a part of a range. Of thousands of volumes only those are looked at that can.
    fn meeting(&self, range: &Range<u64>) -> impl Iterator<Item = &Extent> + use<'_> {
        let from = self.reach.partition_point(|reach| *reach <= range.start);
        let upto = self.extents.partition_point(|extent| extent.start < range.end);
        let start = range.start;
        self.extents.get(from..upto).unwrap_or_default().iter().filter(move |extent| start < extent.end)
    }

    /// Keeps the extents in order, once all are known.
    fn order(&mut self) {
        self.extents.sort_by_key(|extent| extent.start);
        let reach = self.extents.iter().scan(0, |reach: &mut u64, extent| {
            *reach = extent.end.max(*reach);
            Some(*reach)
        });
        self.reach = reach.collect();
    }
}

/// Fills `into` from a place of a source.
fn read_exactly(source: &dyn Source, offset: u64, into: &mut [u8]) -> io::Result<()> {
    read_from(source, offset, into).map_err(|(_, error)| error)
}

/// The same; where it fails, how much came before that: what stands before a torn sector may be all that is needed.
fn read_from(source: &dyn Source, offset: u64, into: &mut [u8]) -> Result<(), (usize, io::Error)> {
    let mut done = 0;
    while done < into.len() {
        match source.read_at(offset + done as u64, &mut into[done..]) {
            Ok(0) => return Err((done, io::Error::new(io::ErrorKind::UnexpectedEof, "the file ends before"))),
            Ok(read) => done += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((done, error)),
        }
    }
    Ok(())
}

/// Counts and lengths of what is held in memory.
fn to_usize(number: u64) -> usize {
    usize::try_from(number).expect("what is held in memory is small")
}
