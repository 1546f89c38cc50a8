//! How a pouch is, all of it looked at: what is damaged, what can be restored, and how much more may be lost.

use std::collections::BTreeSet;
use std::ops::Range;

use sha2::{Digest, Sha256};

use super::along::{Along, in_groups};
use super::gather::{Volume, without};
use super::mending::ranges;
use super::packets::Packets;
use super::{Pieces, to_usize};
use crate::crypto::hash::Hash;
use crate::vault::{Stage, VaultError, Watch};

const COPIED_BYTES: usize = 1 << 20;
/// What a torn sector costs whoever opens the pouch.
const CHUNK_BYTES: usize = 64 << 10;

/// How a pouch is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// What is damaged or lost of the pouch.
    pub damaged: Vec<Range<u64>>,
    /// What of that cannot be restored.
    pub lost: Vec<Range<u64>>,
    /// What could not be checked: nothing tells how it should be.
    pub unchecked: Vec<Range<u64>>,
    /// Packets of parity, and how many of them are damaged or lost.
    pub packets: u64,
    /// Of these, how many are damaged or lost.
    pub packets_damaged: u64,
    /// How much more may be lost, and all still come back; `None` where there is no parity.
    pub may_lose: Option<MayLose>,
}

/// What may be lost once more, of what is left, wherever it lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MayLose {
    /// So many of each group: of the weakest no more than these.
    pub pieces: u64,
    /// Pieces of a group: its cells and packets.
    pub of: u64,
    /// So many bytes side by side.
    pub run_bytes: u64,
}

impl Condition {
    /// Whether every byte of the pouch was checked, and holds.
    pub fn is_whole(&self) -> bool {
        self.damaged.is_empty() && self.unchecked.is_empty()
    }

    /// What turned out to be unreadable, though nothing tells how it should be.
    fn lose(&mut self, unreadable: Vec<Range<u64>>) {
        self.unchecked = without(std::mem::take(&mut self.unchecked), unreadable.clone());
        self.damaged.extend(unreadable.iter().cloned());
        self.lost.extend(unreadable);
    }

    /// Whether every byte of the pouch is here, or can be restored.
    pub fn can_be_repaired(&self) -> bool {
        self.lost.is_empty() && self.unchecked.is_empty()
    }
}

impl Pieces {
    /// Looks at every byte of the pouch and of its parity.
    pub fn check(&self, watch: &dyn Watch) -> Result<Condition, VaultError> {
        self.check_along(watch, None)
    }

    fn check_along(&self, watch: &dyn Watch, along: Option<&mut Along>) -> Result<Condition, VaultError> {
        match &self.packets {
            Some(packets) => self.check_cells(packets, watch, along),
            None => self.check_volumes(watch, along),
        }
    }

    /// The same, with the SHA-256 of what lies here or comes back; `None` where a part of it cannot be had, or where more has
    /// to be restored than memory holds: whoever reads from front to back would restore it again and again. Once it is
    /// repaired, that file tells.
    pub fn look(&self, watch: &dyn Watch) -> Result<(Condition, Option<Hash>), VaultError> {
        let mut along = Along::default();
        let mut condition = self.check_along(watch, Some(&mut along))?;
        let can_be_read = condition.lost.is_empty() && self.holds_restored(&condition.damaged);
        let sha256 = match along.of_all(self.bytes).filter(|_| self.text().is_none()) {
            _ if !can_be_read => None,
            None => self.sha256(watch)?,
            along => along,
        };
        if can_be_read && sha256.is_none() {
            condition.lose(self.unreadable(watch)?);
        }
        Ok((condition, sha256))
    }

    /// Where it cannot be read, by reading it in parts of [`CHUNK_BYTES`].
    fn unreadable(&self, watch: &dyn Watch) -> Result<Vec<Range<u64>>, VaultError> {
        let (mut torn, mut buffer, mut at): (Vec<Range<u64>>, _, _) = (Vec::new(), vec![0; CHUNK_BYTES], 0);
        while at < self.bytes {
            if watch.stopped() {
                return Err(VaultError::Stopped);
            }
            let part = &mut buffer[..to_usize((self.bytes - at).min(CHUNK_BYTES as u64))];
            if let Err(lost) = self.read_to_judge(at, part) {
                match torn.last_mut() {
                    Some(last) if last.end == lost.range.start => last.end = at + part.len() as u64,
                    _ => torn.push(lost.range.start..at + part.len() as u64),
                }
            }
            at += part.len() as u64;
        }
        Ok(torn)
    }

    /// Whether more is damaged than memory holds once it is restored: whoever looks here and there into such a pouch, without
    /// a place for what was restored, would restore it again and again.
    pub fn must_be_repaired_first(&self, watch: &dyn Watch) -> Result<bool, VaultError> {
        let Some(packets) = &self.packets else { return Ok(false) };
        Ok(!self.holds_restored(&self.check_cells(packets, watch, None)?.damaged))
    }

    /// The SHA-256 of the pouch as it lies here, of one that came as text that of the text; `None` where a part of it cannot be
    /// had. Of what is damaged ask [`Self::look`].
    pub fn sha256(&self, watch: &dyn Watch) -> Result<Option<Hash>, VaultError> {
        if let Some(text) = self.text() {
            return Ok(Some(text.as_it_lies));
        }
        watch.begin(Stage::Checking, Some(self.bytes));
        let (mut hasher, mut buffer, mut at) = (Sha256::new(), vec![0; COPIED_BYTES], 0);
        while at < self.bytes {
            if watch.stopped() {
                return Err(VaultError::Stopped);
            }
            let part = &mut buffer[..to_usize((self.bytes - at).min(COPIED_BYTES as u64))];
            if self.read_to_judge(at, part).is_err() {
                return Ok(None);
            }
            hasher.update(&*part);
            watch.advance(part.len() as u64);
            at += part.len() as u64;
        }
        Ok(Some(Hash(hasher.finalize().into())))
    }

    fn check_cells(
        &self,
        packets: &Packets,
        watch: &dyn Watch,
        mut along: Option<&mut Along>,
    ) -> Result<Condition, VaultError> {
        let layout = packets.layout();
        let grid = layout.grid;
        watch.begin(Stage::Checking, Some(self.bytes + layout.bytes()));
        let mut take = |cell, is_whole: Option<bool>, bytes: &[u8]| {
            if let (Some(along), Some(true)) = (along.as_deref_mut(), is_whole) {
                let span = grid.span(cell);
                along.take(span.start, &bytes[..to_usize(span.end - span.start)]);
            }
        };
        let is_whole = |cell, into: &mut [u8]| self.is_whole(packets, cell, into);
        let looked = in_groups((grid.cells(), grid.cell_bytes), watch, is_whole, &mut take)?;
        let holds = |slot, _: &mut [u8]| Some(packets.holds(&self.files, slot));
        let whole = in_groups((layout.packets(), layout.packet_bytes()), watch, holds, &mut |_, _, _| {})?;
        let mut rows = vec![(0_u64, 0_u64); to_usize(grid.rows)]; // damaged cells, whole packets
        let (mut damaged, mut unchecked) = (Vec::new(), Vec::new());
        for (cell, is_whole) in (0..).zip(&looked) {
            match is_whole {
                Some(true) => {}
                Some(false) => {
                    rows[to_usize(grid.place(cell).0)].0 += 1;
                    damaged.push(cell);
                }
                None => unchecked.push(cell),
            }
        }
        for (slot, _) in (0_u64..).zip(&whole).filter(|(_, whole)| **whole == Some(true)) {
            rows[to_usize(slot % grid.rows)].1 += 1;
        }
        let lost = damaged.iter().copied().filter(|cell| {
            let (damaged, packets) = rows[to_usize(grid.place(*cell).0)];
            damaged > packets
        });
        // Whichever is the first to run out: cells to restore others from, or parts of the table.
        let spare = |(damaged, packets): &(u64, u64)| packets.saturating_sub(layout.pieces.max(*damaged));
        let spare = rows.iter().map(spare).min().unwrap_or(0);
        // Cells side by side are of different rows, as many as there are; at both ends of a run one is hit in part.
        let run_bytes = (spare * grid.rows).saturating_sub(1) * grid.cell_bytes;
        let may_lose = MayLose { pieces: spare, of: grid.strips + layout.recovery, run_bytes };
        let packets_damaged = whole.iter().filter(|whole| **whole != Some(true)).count() as u64;
        let unchecked = ranges(&grid, unchecked.into_iter());
        let torn = self.torn_among(&unchecked);
        let mut condition = Condition {
            lost: ranges(&grid, lost),
            damaged: ranges(&grid, damaged.iter().copied()),
            unchecked,
            packets: layout.packets(),
            packets_damaged,
            may_lose: Some(may_lose),
        };
        condition.lose(torn);
        Ok(condition)
    }

    /// What of these ranges lies in volumes that have not their hash: that they are damaged is known, and no more.
    fn torn_among(&self, unchecked: &[Range<u64>]) -> Vec<Range<u64>> {
        let meets = |range: &Range<u64>, volume: &&Volume| {
            range.start < volume.extent.end && volume.extent.start < range.end && volume.sha256.is_some()
        };
        let volumes = self.volumes.iter().filter(|volume| unchecked.iter().any(|range| meets(range, volume)));
        let torn = volumes.filter(|volume| !self.holds(volume)).map(|volume| volume.extent.start..volume.extent.end);
        without(unchecked.to_vec(), without(unchecked.to_vec(), torn.collect()))
    }

    /// Without parity, volumes tell by their hashes whether they are as they were made.
    fn check_volumes(&self, watch: &dyn Watch, along: Option<&mut Along>) -> Result<Condition, VaultError> {
        watch.begin(Stage::Checking, Some(self.bytes));
        // Where files overlap, what is read there may be another's bytes than those of the volume that is looked at.
        let mut along = along.filter(|_| !self.overlaps());
        let (mut sound, mut told) = (Vec::new(), self.holes());
        let mut volumes: Vec<&Volume> = self.volumes.iter().filter(|volume| volume.sha256.is_some()).collect();
        volumes.sort_by_key(|volume| volume.extent.start);
        for volume in volumes {
            let range = volume.extent.start..volume.extent.end;
            let is_sound = self.is_sound(volume, Some(watch), along.as_deref_mut())?;
            if is_sound { sound.push(range) } else { told.push(range) }
        }
        if let (Some(along), false) = (along, told.is_empty()) {
            *along = Along::default();
        }
        let damaged = without(told, sound.clone());
        let unchecked = self.without([sound, damaged.clone()].concat());
        Ok(Condition { lost: damaged.clone(), unchecked, damaged, ..Condition::default() })
    }

    /// Where a place lies in several files and no parity tells, only what has its hash is read there: anything else than
    /// that may be damaged.
    pub(super) fn prefer_sound_volumes(&mut self) -> Result<(), VaultError> {
        if !self.overlaps() || self.packets.is_some() {
            return Ok(());
        }
        let mut sound: Vec<super::Extent> = Vec::new();
        for volume in &self.volumes {
            if self.is_sound(volume, None, None)? {
                sound.push(volume.extent);
            }
        }
        let files: BTreeSet<usize> = sound.iter().map(|extent| extent.file).collect();
        let covered: Vec<Range<u64>> = sound.iter().map(|extent| extent.start..extent.end).collect();
        let others = self.extents.iter().filter(|extent| !files.contains(&extent.file));
        let rest = others.flat_map(|extent| {
            let rest = without(std::iter::once(extent.start..extent.end), covered.clone()).into_iter();
            let at = |start: u64| extent.at + (start - extent.start);
            rest.map(move |Range { start, end }| super::Extent { at: at(start), start, end, ..*extent })
        });
        self.extents = sound.iter().copied().chain(rest).collect();
        self.order();
        Ok(())
    }

    /// Whether a place lies in several files.
    fn overlaps(&self) -> bool {
        self.extents.windows(2).zip(&self.reach).any(|(pair, reach)| *reach > pair[1].start)
    }

    /// Reads a range if every byte of it lies in a volume that has its hash; whether it did.
    pub(super) fn read_sound(&self, range: &Range<u64>, into: &mut [u8]) -> bool {
        let mut at = range.start;
        while at < range.end {
            let holding = self.meeting(&(at..at + 1)).filter_map(|extent| self.volume_in(extent.file));
            let Some(volume) = holding.into_iter().find(|volume| self.holds(volume)) else { return false };
            let (extent, upto) = (volume.extent, volume.extent.end.min(range.end));
            let part = &mut into[to_usize(at - range.start)..to_usize(upto - range.start)];
            if super::read_exactly(&*self.files[extent.file].source, extent.at + (at - extent.start), part).is_err() {
                return false;
            }
            at = upto;
        }
        true
    }

    /// The volume in a file; they stand in the order of the files.
    fn volume_in(&self, file: usize) -> Option<&Volume> {
        let at = self.volumes.binary_search_by_key(&file, |volume| volume.extent.file).ok()?;
        self.volumes.get(at)
    }

    /// Whether a volume has its hash: looked at once, when it is first asked for.
    fn holds(&self, volume: &Volume) -> bool {
        *volume.holds.get_or_init(|| self.is_sound(volume, None, None).unwrap_or(false))
    }

    /// Whether a volume is all here, and has the hash that stands behind it.
    fn is_sound(
        &self,
        volume: &Volume,
        watch: Option<&dyn Watch>,
        mut along: Option<&mut Along>,
    ) -> Result<bool, VaultError> {
        let extent = &volume.extent;
        let Some(sha256) = volume.sha256.filter(|_| extent.end - extent.start == volume.page.length) else {
            return Ok(false);
        };
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; COPIED_BYTES];
        let (mut at, end) = (extent.at, extent.at + (extent.end - extent.start));
        while at < end {
            if watch.is_some_and(Watch::stopped) {
                return Err(VaultError::Stopped);
            }
            let part = &mut buffer[..to_usize((end - at).min(COPIED_BYTES as u64))];
            if super::read_exactly(&*self.files[extent.file].source, at, part).is_err() {
                return Ok(false);
            }
            hasher.update(&*part);
            if let Some(along) = &mut along {
                along.take(extent.start + (at - extent.at), part);
            }
            at += part.len() as u64;
            if let Some(watch) = watch {
                watch.advance(part.len() as u64);
            }
        }
        Ok(Hash(hasher.finalize().into()) == sha256)
    }
}
