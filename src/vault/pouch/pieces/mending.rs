//! Cells that were damaged and came back: restored a row at a time, checked against their checksum, and kept for a while.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::packets::{self, Packets};
use super::spool::Spool;
use super::{Lost, Pieces, Unknown, to_usize};
use crate::crypto::parity;
use crate::format::parity::Grid;

/// Restored cells that memory holds, in bytes: whoever reads on needs the others of the row.
const KEPT_BYTES_MAX: u64 = 48 << 20;

const BEYOND_REPAIR: &str = "it is damaged there, beyond what the parity at hand can restore";
const UNCHECKED: &str = "so much of the parity is lost that nothing tells whether it is damaged there";

/// What was restored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// How many cells.
    pub cells: u64,
    /// Where they stand in the pouch.
    pub ranges: Vec<Range<u64>>,
}

#[derive(Default)]
pub(super) struct Mending {
    state: Mutex<State>,
    /// Held while a row is restored: two at a time would take twice the memory, and be the same row most often.
    one_row: Mutex<()>,
}

#[derive(Default)]
struct State {
    kept: BTreeMap<u64, Arc<Vec<u8>>>,
    mended: BTreeSet<u64>,
    lost: BTreeSet<u64>,
    grid: Option<Grid>,
    /// Where the others go that were restored, if there is such a place.
    spool: Option<Spool>,
}

impl Mending {
    pub(super) fn told(&self) -> Mended {
        let state = self.state();
        let ranges = state.grid.map(|grid| ranges(&grid, state.mended.iter().copied())).unwrap_or_default();
        Mended { cells: state.mended.len() as u64, ranges }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A cell that was restored, `Err` where that was tried in vain.
    fn kept(&self, cell: u64) -> Option<Result<Arc<Vec<u8>>, ()>> {
        let state = self.state();
        if state.lost.contains(&cell) {
            return Some(Err(()));
        }
        state.kept.get(&cell).cloned().map(Ok)
    }

    /// A cell that was restored and went to the spool, as it lies there.
    fn spooled(&self, cell: u64, cell_bytes: usize) -> Option<Vec<u8>> {
        self.state().spool.as_ref()?.get(cell, cell_bytes)
    }

    /// Keeps what was restored of a row for the sake of the cell that was `asked` for.
    fn keep(&self, grid: &Grid, asked: u64, restored: Vec<(u64, Vec<u8>)>) {
        let mut state = self.state();
        state.grid = Some(*grid);
        for (cell, bytes) in restored {
            state.mended.insert(cell);
            state.kept.insert(cell, Arc::new(bytes));
        }
        while state.kept.len() as u64 * grid.cell_bytes > KEPT_BYTES_MAX {
            // Whoever reads on has what stands before, and comes to the last of it last.
            let is_behind = state.kept.first_key_value().is_some_and(|(cell, _)| *cell < asked);
            let evicted = if is_behind { state.kept.pop_first() } else { state.kept.pop_last() };
            let Some((cell, bytes)) = evicted else { break };
            if state.spool.as_mut().is_some_and(|spool| spool.put(cell, &bytes).is_err()) {
                // A full disk makes it slow, and no more.
                state.spool = None;
            }
        }
    }

    fn give_up(&self, cells: impl Iterator<Item = u64>) {
        self.state().lost.extend(cells);
    }
}

/// The places of cells that are given in ascending order, those side by side as one.
pub(super) fn ranges(grid: &Grid, cells: impl Iterator<Item = u64>) -> Vec<Range<u64>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for span in cells.map(|cell| grid.span(cell)) {
        match ranges.last_mut() {
            Some(last) if last.end == span.start => last.end = span.end,
            _ => ranges.push(span),
        }
    }
    ranges
}

impl Pieces {
    /// Gives restored cells a place, for whoever reads all of a pouch of which much is lost. Without it reading is slow, and
    /// no more.
    pub fn spool_to(&self, spool: Spool) {
        if self.packets.is_some() {
            self.mending.state().spool = Some(spool);
        }
    }

    /// Whether so much damage is restored once, and held, while a pouch is read from front to back.
    pub fn holds_restored(&self, damaged: &[Range<u64>]) -> bool {
        damaged.iter().map(|range| range.end - range.start).sum::<u64>() <= KEPT_BYTES_MAX
    }

    pub(super) fn read_cells(
        &self,
        packets: &Packets,
        unknown: Unknown,
        offset: u64,
        into: &mut [u8],
    ) -> Result<(), Lost> {
        let grid = packets.layout().grid;
        let end = offset.saturating_add(into.len() as u64);
        if end > self.bytes {
            return Err(Lost { range: offset..end, reason: "the pouch ends before".into() });
        }
        let mut at = offset;
        while at < end {
            let cell = at / grid.cell_bytes;
            let (span, upto) = (grid.span(cell), grid.span(cell).end.min(end));
            let bytes = self.cell(packets, unknown, cell)?;
            let part = &mut into[to_usize(at - offset)..to_usize(upto - offset)];
            part.copy_from_slice(&bytes[to_usize(at - span.start)..to_usize(upto - span.start)]);
            at = upto;
        }
        Ok(())
    }

    /// A cell, as it was when its parity was made.
    fn cell(&self, packets: &Packets, unknown: Unknown, cell: u64) -> Result<Arc<Vec<u8>>, Lost> {
        let grid = packets.layout().grid;
        let lost = |reason: &str| Lost { range: grid.span(cell), reason: reason.into() };
        let kept = |kept: Result<Arc<Vec<u8>>, ()>| kept.map_err(|()| lost(BEYOND_REPAIR));
        if let Some(found) = self.mending.kept(cell) {
            return kept(found);
        }
        let mut bytes = vec![0; to_usize(grid.cell_bytes)];
        match self.is_whole(packets, cell, &mut bytes) {
            Some(true) => return Ok(Arc::new(bytes)),
            Some(false) => {}
            None if unknown == Unknown::IsLost => return Err(lost(UNCHECKED)),
            None => {
                let span = grid.span(cell);
                self.raw(span.start, &mut bytes[..to_usize(span.end - span.start)], 0)?;
                return Ok(Arc::new(bytes));
            }
        }
        let _one = self.mending.one_row.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = self.mending.kept(cell) {
            return kept(found);
        }
        let (row, strip) = grid.place(cell);
        if let Some(bytes) = self.mending.spooled(cell, bytes.len())
            && packets.sum_of(&self.files, row, strip) == Some(packets::sum(&bytes))
        {
            return Ok(Arc::new(bytes));
        }
        let restored = self.restore(packets, row);
        let found = restored.iter().find(|(one, _)| *one == cell).map(|(_, bytes)| Arc::new(bytes.clone()));
        self.mending.keep(&grid, cell, restored);
        found.ok_or_else(|| lost(BEYOND_REPAIR))
    }

    /// Reads a cell and says whether it has its checksum. Where that is lost, the hash of the volume tells that it is whole;
    /// `None` where nobody knows.
    pub(super) fn is_whole(&self, packets: &Packets, cell: u64, into: &mut [u8]) -> Option<bool> {
        let grid = packets.layout().grid;
        let span = grid.span(cell);
        let (row, strip) = grid.place(cell);
        let held = to_usize(span.end - span.start);
        let Some(sum) = packets.sum_of(&self.files, row, strip) else {
            into[held..].fill(0);
            return self.read_sound(&span, &mut into[..held]).then_some(true);
        };
        let is_it = |choice| {
            into[held..].fill(0);
            self.raw(span.start, &mut into[..held], choice).is_ok() && packets::sum(into) == sum
        };
        Some((0..self.choices(&span).max(1)).any(is_it))
    }

    /// Restores a row, and returns those of its cells that were damaged and are whole now. The others are given up.
    pub(super) fn restore(&self, packets: &Packets, row: u64) -> Vec<(u64, Vec<u8>)> {
        let layout = packets.layout();
        let (grid, cell_bytes) = (layout.grid, to_usize(layout.grid.cell_bytes));
        let mut bytes = vec![0; to_usize(grid.strips) * cell_bytes];
        let mut is_whole = Vec::with_capacity(to_usize(grid.strips));
        for (cell, into) in (0..grid.strips).map(|strip| grid.cell(row, strip)).zip(bytes.chunks_exact_mut(cell_bytes))
        {
            // What lies behind the pouch's end is zeros, and cannot be lost.
            let is_behind = grid.span(cell).is_empty();
            is_whole.push(is_behind || self.is_whole(packets, cell, into) == Some(true));
        }
        let damaged: Vec<usize> = (0..is_whole.len()).filter(|strip| !is_whole[*strip]).collect();
        let recovery = packets.recovery(&self.files, row, damaged.len());
        let recovery: Vec<(usize, &[u8])> = recovery.iter().map(|(index, cell)| (*index, cell.as_slice())).collect();
        let came_back = parity::restore(&mut bytes, &is_whole, &recovery, to_usize(layout.recovery));
        let mut restored = Vec::new();
        for strip in damaged {
            let (cell, place) = (grid.cell(row, strip as u64), strip * cell_bytes..(strip + 1) * cell_bytes);
            let sum = packets.sum_of(&self.files, row, strip as u64);
            if came_back && sum == Some(packets::sum(&bytes[place.clone()])) {
                restored.push((cell, bytes[place].to_vec()));
            } else {
                self.mending.give_up(std::iter::once(cell));
            }
        }
        restored
    }
}
