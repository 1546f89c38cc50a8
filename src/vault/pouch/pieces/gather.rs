//! What each file is, by what it holds and never by its name: the pouch itself, a volume of it, its parity, or nothing of it.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::packets::{Anchor, Packets};
use super::{Extent, PieceFile, Pieces, place, read_exactly, text, to_usize};
use crate::crypto::envelope::{self, HEADER_BYTES_MAX};
use crate::crypto::hash::Hash;
use crate::format::volume::{PAGE_BYTES, PouchId, VolumePage};
use crate::store::{Disk, Kind, StoreError};
use crate::vault::VaultError;
use crate::vault::pouch::PouchError;

const PAGE: u64 = PAGE_BYTES as u64;
const AGE: &[u8] = b"age-encryption.org/v1\n";
const START_BYTES: usize = 16 << 10;

/// A volume whose place is known.
pub(super) struct Volume {
    pub(super) page: VolumePage,
    /// The hash of its data, where the page behind it is there.
    pub(super) sha256: Option<Hash>,
    pub(super) extent: Extent,
    /// Whether it has that hash, once that was asked.
    pub(super) holds: OnceLock<bool>,
}

/// What a file turned out to be.
enum Found {
    /// It begins as an age file; its id, unless the header is damaged.
    Pouch(Option<PouchId>),
    Volume(Volume),
    Packets(Anchor),
    Unknown,
}

pub(super) fn gather(disk: &dyn Disk, named: &[PathBuf]) -> Result<Pieces, VaultError> {
    let (files, unreadable) = open_all(disk, named)?;
    let mut pieces = of_files(files)?;
    pieces.unknown.extend(unreadable);
    Ok(pieces)
}

/// What came as text, and lies in no file.
pub(super) fn of_text(text: &[u8]) -> Result<Pieces, VaultError> {
    let (path, source) = (PathBuf::from("-"), text::given(text));
    let bytes = source.stat()?.bytes;
    of_files(vec![PieceFile { path, source, bytes, text: None }])
}

fn of_files(files: Vec<PieceFile>) -> Result<Pieces, VaultError> {
    let found: Vec<Found> = files.iter().enumerate().map(|(index, file)| look(index, file)).collect();
    let (mut volumes, mut anchors, mut whole, mut strangers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, found) in found.into_iter().enumerate() {
        match found {
            Found::Pouch(id) => whole.push((index, id)),
            Found::Volume(volume) => volumes.push(volume),
            Found::Packets(anchor) => anchors.push(anchor),
            Found::Unknown => strangers.push(index),
        }
    }
    let (named_id, total) = agreed(&files, &volumes, &anchors)?;
    let own_id = whole.iter().find_map(|(_, id)| *id);
    // How long a pouch is, only a file tells that is one, if any is.
    let own = whole.iter().filter(|(_, id)| *id == own_id).map(|(index, _)| files[*index].bytes);
    let bytes = total.unwrap_or_else(|| own.max().unwrap_or(0));
    if bytes == 0 {
        return Err(VaultError::Pouch(PouchError::NoPouch { files: paths(&files, 0..files.len()) }));
    }
    let mut pieces = Pieces {
        id: named_id.or(own_id),
        bytes,
        extents: volumes.iter().map(|volume| volume.extent).collect(),
        reach: Vec::new(),
        missing: missing(&volumes),
        packets: Packets::of(anchors),
        volumes,
        files,
        unknown: Vec::new(),
        mending: super::Mending::default(),
    };
    pieces.take_in(whole, strangers)?;
    pieces.order();
    pieces.prefer_sound_volumes()?;
    if pieces.holes().is_empty() {
        pieces.missing.clear();
    } else if pieces.extents.is_empty() {
        pieces.missing.push("the pouch itself, in one file or in volumes".into());
    }
    Ok(pieces)
}

impl Pieces {
    /// Gives files their place that do not say which it is: the pouch in one file, and what is too damaged to say so.
    fn take_in(&mut self, whole: Vec<(usize, Option<PouchId>)>, strangers: Vec<usize>) -> Result<(), VaultError> {
        let (mut foreign, mut candidates) = (Vec::new(), strangers);
        for (index, id) in whole {
            let end = self.files[index].bytes.min(self.bytes);
            if id.is_some() && id == self.id {
                self.extents.push(Extent { file: index, at: 0, start: 0, end });
            } else if self.packets.is_none() && self.id.is_none() {
                // Alone, and its header is damaged: it is all there is.
                self.extents.push(Extent { file: index, at: 0, start: 0, end });
            } else {
                // Its header was damaged, or it is another pouch: its cells tell.
                candidates.push(index);
                foreign.extend(id.map(|_| index));
            }
        }
        let places = match &self.packets {
            Some(packets) => place::find(packets, &self.files, &candidates),
            None => Vec::new(),
        };
        let is_placed = |index: &usize| places.iter().any(|extent| extent.file == *index);
        let strange: Vec<usize> = foreign.iter().copied().filter(|index| !is_placed(index)).collect();
        if !strange.is_empty() {
            let parts: Vec<usize> = (0..self.files.len()).filter(|index| !candidates.contains(index)).collect();
            return Err(VaultError::Pouch(PouchError::Several {
                files: paths(&self.files, parts.into_iter().chain(strange)),
            }));
        }
        self.unknown =
            candidates.iter().filter(|index| !is_placed(index)).map(|index| self.files[*index].path.clone()).collect();
        self.extents.extend(places);
        Ok(())
    }

    /// What of the pouch lies in none of the files.
    pub(super) fn holes(&self) -> Vec<Range<u64>> {
        self.without(self.extents.iter().map(|extent| extent.start..extent.end).collect())
    }

    /// What of the pouch lies in none of these ranges.
    pub(super) fn without(&self, ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
        without(std::iter::once(0..self.bytes), ranges)
    }
}

/// What of some ranges lies in none of the others, in order.
pub(super) fn without(ranges: impl IntoIterator<Item = Range<u64>>, mut others: Vec<Range<u64>>) -> Vec<Range<u64>> {
    others.sort_by_key(|other| other.start);
    let mut rest = Vec::new();
    for range in ranges {
        let mut at = range.start;
        for other in others.iter().take_while(|other| other.start < range.end) {
            if other.start > at {
                rest.push(at..other.start);
            }
            at = at.max(other.end);
        }
        if at < range.end {
            rest.push(at..range.end);
        }
    }
    rest.sort_by_key(|range| range.start);
    rest
}

/// Opens what was named. Of what lies in a folder, a file that cannot be opened keeps none of the others from being used.
fn open_all(disk: &dyn Disk, named: &[PathBuf]) -> Result<(Vec<PieceFile>, Vec<PathBuf>), StoreError> {
    let (mut files, mut unreadable) = (Vec::new(), Vec::new());
    let mut open = |path: PathBuf| {
        let (source, text) = text::open(disk, &path)?;
        let bytes = source.stat()?.bytes;
        files.push(PieceFile { path, source, bytes, text });
        Ok::<_, StoreError>(())
    };
    for path in named {
        if disk.stat(path)?.kind == Kind::Folder {
            for item in disk.list_source(path)?.into_iter().filter(|item| item.kind == Kind::File) {
                let path = path.join(item.name);
                if open(path.clone()).is_err() {
                    unreadable.push(path);
                }
            }
        } else {
            open(path.clone())?;
        }
    }
    Ok((files, unreadable))
}

/// Whether a file is a part of some pouch.
pub(super) fn is_part(disk: &dyn Disk, path: &Path) -> Result<bool, StoreError> {
    let (source, text) = text::open(disk, path)?;
    let bytes = source.stat()?.bytes;
    let mut start = vec![0; to_usize(bytes.min(START_BYTES as u64))];
    // An identity under a passphrase is an age file, too, and no pouch.
    let is_locked = read_exactly(&*source, 0, &mut start).is_ok() && envelope::work_factor(&start).is_some();
    let file = PieceFile { path: path.to_path_buf(), source, bytes, text };
    Ok(!is_locked && !matches!(look(0, &file), Found::Unknown))
}

fn look(index: usize, file: &PieceFile) -> Found {
    let mut page = vec![0; PAGE_BYTES];
    let before = read_exactly(&*file.source, 0, &mut page).ok().and_then(|()| VolumePage::parse(&page));
    let is_age = page.starts_with(AGE) || begins_as_age(file);
    let behind_at = file.bytes.checked_sub(PAGE);
    let behind = behind_at
        .filter(|_| !is_age)
        .and_then(|at| read_exactly(&*file.source, at, &mut page).ok().and_then(|()| VolumePage::parse(&page)));
    if let Some(volume) = volume(index, file.bytes, before, behind) {
        return Found::Volume(volume);
    }
    if is_age {
        return Found::Pouch(id_of(file));
    }
    Anchor::find(index, &*file.source, file.bytes).map_or(Found::Unknown, Found::Packets)
}

/// A pouch shorter than a page begins like any other.
fn begins_as_age(file: &PieceFile) -> bool {
    let mut start = [0; AGE.len()];
    read_exactly(&*file.source, 0, &mut start).is_ok() && start == AGE
}

/// The volume that one page or both tell of.
fn volume(
    file: usize,
    file_bytes: u64,
    before: Option<(VolumePage, Option<Hash>)>,
    behind: Option<(VolumePage, Option<Hash>)>,
) -> Option<Volume> {
    let before = before.filter(|(_, hash)| hash.is_none()).map(|(page, _)| page);
    let behind = behind.filter(|(_, hash)| hash.is_some());
    let sha256 = behind.and_then(|(page, hash)| hash.filter(|_| before.is_none_or(|before| before == page)));
    let (page, extent) = if let Some(page) = before {
        // The page behind may have been cut off, and a part of the data with it.
        let held = (file_bytes - PAGE).min(page.length);
        (page, Extent { file, at: PAGE, start: page.offset, end: page.offset + held })
    } else {
        let (page, _) = behind?;
        let end = file_bytes - PAGE;
        let held = end.min(page.length);
        let start = page.offset + (page.length - held);
        (page, Extent { file, at: end - held, start, end: start + held })
    };
    Some(Volume { page, sha256, extent, holds: OnceLock::new() })
}

fn id_of(file: &PieceFile) -> Option<PouchId> {
    let mut wanted = START_BYTES;
    loop {
        let mut start = vec![0; to_usize(file.bytes.min(wanted as u64))];
        read_exactly(&*file.source, 0, &mut start).ok()?;
        if let Some(end) = envelope::start_bytes(&start) {
            return Some(PouchId::of(&start[..end]));
        }
        if start.len() < wanted || wanted > HEADER_BYTES_MAX {
            return None;
        }
        wanted *= 4;
    }
}

/// Which pouch the volumes and packets are of, and how long it is: all say the same, or they are of several.
fn agreed(
    files: &[PieceFile],
    volumes: &[Volume],
    anchors: &[Anchor],
) -> Result<(Option<PouchId>, Option<u64>), VaultError> {
    let of_volumes = volumes.iter().map(|volume| (volume.extent.file, volume.page.pouch, volume.page.total));
    let of_packets =
        anchors.iter().map(|anchor| (anchor.file, anchor.header.pouch, anchor.header.layout.grid.pouch_bytes));
    let said: Vec<(usize, PouchId, u64)> = of_volumes.chain(of_packets).collect();
    let Some((_, id, total)) = said.first().copied() else { return Ok((None, None)) };
    let shares_agree = anchors.windows(2).all(|pair| pair[0].header.layout == pair[1].header.layout);
    if !shares_agree || said.iter().any(|(_, other, bytes)| (*other, *bytes) != (id, total)) {
        return Err(VaultError::Pouch(PouchError::Several {
            files: paths(files, said.iter().map(|(file, ..)| *file)),
        }));
    }
    Ok((Some(id), Some(total)))
}

/// The volumes that are not here.
fn missing(volumes: &[Volume]) -> Vec<String> {
    let Some(parts) = volumes.iter().map(|volume| volume.page.parts).max() else { return Vec::new() };
    let here: BTreeSet<u64> = volumes.iter().map(|volume| volume.page.part).collect();
    (1..=parts).filter(|part| !here.contains(part)).map(|part| format!("volume {part} of {parts}")).collect()
}

fn paths(files: &[PieceFile], which: impl IntoIterator<Item = usize>) -> Vec<String> {
    which.into_iter().map(|index| shown(&files[index].path)).collect()
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
