//! Where in the pouch a file belongs that no longer says so: some of its cells are looked for among all checksums.

use std::collections::HashMap;

use super::packets::{self, Packets};
use super::{Extent, PieceFile, read_exactly, to_usize};
use crate::format::parity::SUM_BYTES;
use crate::format::volume::PAGE_BYTES;

/// So many cells of a file are tried, evenly spread over it: a damaged part of it hits only some.
const SAMPLES: u64 = 128;

type Sum = [u8; SUM_BYTES];

/// The places of those candidates that are parts of the pouch.
pub(super) fn find(packets: &Packets, files: &[PieceFile], candidates: &[usize]) -> Vec<Extent> {
    let grid = packets.layout().grid;
    let mut samples: HashMap<Sum, (usize, u64)> = HashMap::new();
    for index in candidates {
        sample(&files[*index], *index, grid.cell_bytes, &mut samples);
    }
    if samples.is_empty() {
        return Vec::new();
    }
    let mut places: Vec<Extent> = Vec::new();
    for row in 0..grid.rows {
        for strip in 0..grid.strips {
            let found = packets.sum_of(files, row, strip).and_then(|sum| samples.get(&sum));
            let Some((file, at)) = found.copied() else { continue };
            let span = grid.span(grid.cell(row, strip));
            if span.is_empty() || places.iter().any(|extent| extent.file == file) {
                continue;
            }
            // What stands before the pouch's start, or this file's, belongs to nothing.
            let before = at.min(span.start);
            let end = (span.start + (files[file].bytes - at)).min(grid.pouch_bytes);
            places.push(Extent { file, at: at - before, start: span.start - before, end });
        }
    }
    places
}

/// The checksums of some cells of a file: with no page before them, or with one whose text is lost.
fn sample(file: &PieceFile, index: usize, cell_bytes: u64, samples: &mut HashMap<Sum, (usize, u64)>) {
    let cells = file.bytes / cell_bytes;
    let step = (cells / SAMPLES).max(1);
    let mut cell = vec![0; to_usize(cell_bytes)];
    for first in [0, PAGE_BYTES as u64 % cell_bytes] {
        for at in (0..cells).step_by(to_usize(step)).map(|number| first + number * cell_bytes) {
            if read_exactly(&*file.source, at, &mut cell).is_ok() && cell.iter().any(|byte| *byte != 0) {
                samples.insert(packets::sum(&cell), (index, at));
            }
        }
        if first == PAGE_BYTES as u64 % cell_bytes && first == 0 {
            break;
        }
    }
}
