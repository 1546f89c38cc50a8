//! The whole pouch as it was, written out: what is whole is copied, what is damaged restored, a row at a time and each once.

use std::io;

use super::packets::{self, Packets};
use super::{Pieces, to_usize};
use crate::store::OutFile;
use crate::vault::{Stage, Watch};

const COPIED_BYTES: usize = 1 << 20;

/// Why a pouch could not be written as it was.
pub(in crate::vault::pouch) enum Unrepaired {
    /// The person wished to stop.
    Stopped,
    /// So many bytes cannot be had.
    Lost(u64),
    /// The file could not be written.
    Out(io::Error),
}

impl Pieces {
    /// Writes every byte, or fails: what was written is then worth nothing.
    pub(in crate::vault::pouch) fn write_whole(
        &self,
        watch: &dyn Watch,
        out: &mut dyn OutFile,
    ) -> Result<(), Unrepaired> {
        watch.begin(Stage::Repairing, Some(self.bytes));
        match &self.packets {
            Some(packets) => {
                let damaged = self.copy_cells(packets, watch, out)?;
                self.write_restored(packets, &damaged, watch, out)
            }
            None => self.copy(watch, out),
        }
    }

    /// Whether another holds the same bytes, as far as checksums tell.
    pub(in crate::vault::pouch) fn is_same_as(&self, other: &Self) -> bool {
        let Some(packets) = &self.packets else { return true };
        let grid = packets.layout().grid;
        let (mut bytes, mut own) = (vec![0; to_usize(grid.cell_bytes)], vec![0; to_usize(grid.cell_bytes)]);
        (0..grid.cells()).all(|cell| {
            let (span, (row, strip)) = (grid.span(cell), grid.place(cell));
            bytes.fill(0);
            let held = other.read_at(span.start, &mut bytes[..to_usize(span.end - span.start)]);
            held.is_ok()
                && match packets.sum_of(&self.files, row, strip) {
                    Some(sum) => sum == packets::sum(&bytes),
                    None => self.is_whole(packets, cell, &mut own) == Some(true) && own == bytes,
                }
        })
    }

    fn copy(&self, watch: &dyn Watch, out: &mut dyn OutFile) -> Result<(), Unrepaired> {
        let (mut buffer, mut at) = (vec![0; COPIED_BYTES], 0);
        while at < self.bytes {
            let part = &mut buffer[..to_usize((self.bytes - at).min(COPIED_BYTES as u64))];
            self.raw(at, part, 0).map_err(|lost| Unrepaired::Lost(lost.range.end - lost.range.start))?;
            put(watch, out, at, part)?;
            at += part.len() as u64;
        }
        Ok(())
    }

    /// Copies each cell that has its checksum; the others, with their rows. Nothing is written in their places.
    fn copy_cells(
        &self,
        packets: &Packets,
        watch: &dyn Watch,
        out: &mut dyn OutFile,
    ) -> Result<Vec<(u64, u64)>, Unrepaired> {
        let grid = packets.layout().grid;
        let (mut damaged, mut cell_bytes) = (Vec::new(), vec![0; to_usize(grid.cell_bytes)]);
        for cell in 0..grid.cells() {
            let span = grid.span(cell);
            let held = to_usize(span.end - span.start);
            if self.is_whole(packets, cell, &mut cell_bytes) == Some(true) {
                put(watch, out, span.start, &cell_bytes[..held])?;
            } else {
                damaged.push((grid.place(cell).0, cell));
            }
        }
        damaged.sort_unstable();
        Ok(damaged)
    }

    fn write_restored(
        &self,
        packets: &Packets,
        damaged: &[(u64, u64)],
        watch: &dyn Watch,
        out: &mut dyn OutFile,
    ) -> Result<(), Unrepaired> {
        let grid = packets.layout().grid;
        let mut lost = 0;
        for row in damaged.chunk_by(|one, other| one.0 == other.0) {
            let restored = self.restore(packets, row[0].0);
            for (_, cell) in row {
                let span = grid.span(*cell);
                let held = to_usize(span.end - span.start);
                match restored.iter().find(|(restored, _)| restored == cell) {
                    Some((_, bytes)) => put(watch, out, span.start, &bytes[..held])?,
                    None => lost += held as u64,
                }
            }
        }
        if lost > 0 { Err(Unrepaired::Lost(lost)) } else { Ok(()) }
    }
}

fn put(watch: &dyn Watch, out: &mut dyn OutFile, at: u64, bytes: &[u8]) -> Result<(), Unrepaired> {
    if watch.stopped() {
        return Err(Unrepaired::Stopped);
    }
    out.write_at(at, bytes).map_err(Unrepaired::Out)?;
    watch.advance(bytes.len() as u64);
    Ok(())
}
