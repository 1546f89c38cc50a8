//! Reed–Solomon over GF(2^16): from `originals` cells of equal length, `recovery` more, of which any that are left
//! replace as many lost ones. Which cell is whole, checksums must have told before; none of them is looked at here.
//!
//! One code, the crate's high-rate one, whatever the counts: its matrix stands in FORMAT § 6.10.

use reed_solomon_simd::engine::DefaultEngine;
use reed_solomon_simd::rate::{HighRateDecoder, HighRateEncoder, RateDecoder, RateEncoder};

/// Columns that are encoded at once: so narrow that a whole row of them stays in the processor's own memory.
const ENCODED_BYTES: usize = 1024;

/// Columns that are restored at once: with 16,384 places, as many as a code may need, they take 64 MiB.
const RESTORED_BYTES: usize = 4096;

/// Makes recovery cells, row after row.
pub struct Encoder {
    code: HighRateEncoder<DefaultEngine>,
    originals: usize,
    columns: usize,
}

impl Encoder {
    /// For rows of `originals` cells of `cell_bytes`, a multiple of 64.
    ///
    /// # Panics
    ///
    /// When a count is zero, the field has no place for so many, or cells have another length: layouts exclude that.
    pub fn new(originals: usize, recovery: usize, cell_bytes: usize) -> Self {
        let columns = if cell_bytes.is_multiple_of(ENCODED_BYTES) { ENCODED_BYTES } else { cell_bytes };
        assert!(columns > 0 && columns.is_multiple_of(64), "cells are whole blocks of the code");
        let encoder = HighRateEncoder::new(originals, recovery, columns, DefaultEngine::new(), None)
            .expect("a layout fits into the field");
        Self { code: encoder, originals, columns }
    }

    /// So much does one hold at most.
    pub fn bytes_max(originals: u64, recovery: u64) -> u64 {
        // The code works on as many places as there are cells, in whole blocks of a power of two that recovery fits into.
        originals.saturating_add(recovery.next_power_of_two().saturating_mul(2)).saturating_mul(ENCODED_BYTES as u64)
    }

    /// Hands over the recovery cells of the row whose cells stand one behind the other in `row`: piece by piece, each
    /// with its index and the column at which it stands in that cell.
    pub fn encode(&mut self, row: &[u8], mut put: impl FnMut(usize, usize, &[u8])) {
        let cell_bytes = row.len() / self.originals;
        assert!(row.len().is_multiple_of(self.originals) && cell_bytes.is_multiple_of(self.columns));
        for column in (0..cell_bytes).step_by(self.columns) {
            for cell in row.chunks_exact(cell_bytes) {
                self.code
                    .add_original_shard(&cell[column..column + self.columns])
                    .expect("as many cells of this length as the encoder was made for");
            }
            let encoded = self.code.encode().expect("all cells are there");
            for (index, piece) in encoded.recovery_iter().enumerate() {
                put(index, column, piece);
            }
        }
    }
}

/// Restores the lost cells of a row: those of `row` for which `is_whole` is false, in place. `recovery` are recovery
/// cells with their index. `false`, and nothing is changed, where these are too few.
///
/// # Panics
///
/// As [`Encoder::new`]; and when an index is given twice or is none.
pub fn restore(row: &mut [u8], is_whole: &[bool], recovery: &[(usize, &[u8])], recovery_count: usize) -> bool {
    let lost = is_whole.iter().filter(|whole| !**whole).count();
    if lost == 0 {
        return true;
    }
    if recovery.len() < lost {
        return false;
    }
    let cell_bytes = row.len() / is_whole.len();
    let columns = if cell_bytes.is_multiple_of(RESTORED_BYTES) { RESTORED_BYTES } else { cell_bytes };
    let mut decoder = HighRateDecoder::new(is_whole.len(), recovery_count, columns, DefaultEngine::new(), None)
        .expect("a layout fits into the field");
    for column in (0..cell_bytes).step_by(columns) {
        let places = column..column + columns;
        for (index, cell) in row.chunks_exact(cell_bytes).enumerate().filter(|(index, _)| is_whole[*index]) {
            decoder.add_original_shard(index, &cell[places.clone()]).expect("each cell once");
        }
        for (index, cell) in &recovery[..lost] {
            decoder.add_recovery_shard(*index, &cell[places.clone()]).expect("each recovery cell once");
        }
        let restored = decoder.decode().expect("as many cells as the row has");
        for (index, piece) in restored.restored_original_iter() {
            row[index * cell_bytes..][places.clone()].copy_from_slice(piece);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(bytes: usize, mut seed: u64) -> Vec<u8> {
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    fn encoded(row: &[u8], originals: usize, recovery: usize) -> Vec<Vec<u8>> {
        let cell_bytes = row.len() / originals;
        let mut cells = vec![vec![0; cell_bytes]; recovery];
        let mut encoder = Encoder::new(originals, recovery, cell_bytes);
        encoder.encode(row, |index, column, piece| cells[index][column..column + piece.len()].copy_from_slice(piece));
        cells
    }

    #[test]
    fn as_many_as_are_left_come_back_and_no_more() {
        for (originals, recovery, cell_bytes) in [(1, 2, 64), (5, 3, 448), (7, 40, 4096), (257, 60, 8192)] {
            let whole = noise(originals * cell_bytes, 7);
            let cells = encoded(&whole, originals, recovery);
            for lost in [0, 1, originals.min(recovery)] {
                let mut row = whole.clone();
                let mut is_whole = vec![true; originals];
                for index in 0..lost {
                    let index = index * originals / lost.max(1);
                    is_whole[index] = false;
                    row[index * cell_bytes..(index + 1) * cell_bytes].fill(0xee);
                }
                // The last of them: not those that stand first.
                let left: Vec<(usize, &[u8])> =
                    cells.iter().map(Vec::as_slice).enumerate().skip(recovery - lost).collect();
                if lost > 0 {
                    let torn = row.clone();
                    assert!(!restore(&mut row, &is_whole, &left[1..], recovery));
                    assert_eq!(row, torn);
                }
                assert!(restore(&mut row, &is_whole, &left, recovery));
                assert!(row == whole, "{originals} {recovery} {lost}");
            }
        }
    }

    /// The matrix of FORMAT § 6.10, computed without the crate.
    #[test]
    fn the_code_is_the_one_of_the_format() {
        const BASIS: [u16; 16] = [
            0x0001, 0xACCA, 0x3C0E, 0x163E, 0xC582, 0xED2E, 0x914C, 0x4012, 0x6C98, 0x10D8, 0x6A72, 0xB900, 0xFDB8,
            0xFB34, 0xFF38, 0x991E,
        ];
        let times = |mut a: u32, mut b: u32| {
            let mut product = 0;
            while b != 0 {
                product ^= if b & 1 == 1 { a } else { 0 };
                a <<= 1;
                a ^= if a & 0x1_0000 == 0 { 0 } else { 0x1_002D };
                b >>= 1;
            }
            product
        };
        let inverse = |a: u32| {
            (0..15)
                .fold((a, 1), |(power, result), _| {
                    let power = times(power, power);
                    (power, times(result, power))
                })
                .1
        };
        let element =
            |n: usize| (0..16).filter(|bit| n >> bit & 1 == 1).fold(0, |sum, bit| sum ^ u32::from(BASIS[bit]));
        let (originals, recovery): (usize, usize) = (9, 5);
        let places = recovery.next_power_of_two();
        let row = noise(originals * 64, 3);
        let symbol = |cell: &[u8], n: usize| element(usize::from(cell[n]) | usize::from(cell[32 + n]) << 8);
        let cells = encoded(&row, originals, recovery);
        for n in [0, 1, 31] {
            for (i, cell) in cells.iter().enumerate() {
                let sum = row.chunks_exact(64).enumerate().fold(0, |sum, (j, original)| {
                    let y = element(places + j);
                    let z = (0..places).fold(1, |product, x| times(product, y ^ element(x)));
                    sum ^ times(symbol(original, n), times(z, inverse(y ^ element(i))))
                });
                assert_eq!(symbol(cell, n), sum, "recovery cell {i}");
            }
        }
    }
}
