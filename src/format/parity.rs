//! Where the bytes of a pouch and of its parity stand (FORMAT § 6.10): cells, strips and rows, and the header of the
//! packets that a parity file consists of. Nothing is computed from what they hold here.

use super::volume::PouchId;

/// The least bytes of a cell.
pub const CELL_BYTES_MIN: u64 = 4096;

/// The most cells of a pouch: their checksums are held in memory while it is repaired.
pub const CELLS_MAX: u64 = 4 << 20;

/// The most cells of a row.
pub const STRIPS_MAX: u64 = 4096;

/// The longest pouch that parity is made for: the row of a longer one would not fit into the memory of a small machine.
pub const POUCH_BYTES_MAX: u64 = 128 << 30;

/// Bytes of a checksum in a table: the beginning of a cell's SHA-256.
pub const SUM_BYTES: usize = 8;

/// Bytes of a packet's header.
pub const HEADER_BYTES: usize = 64;

/// How a packet begins. It names the method, not the program.
pub const MAGIC: [u8; 8] = *b"RSPARITY";

const VERSION: u16 = 1;
const CHECKSUM_AT: usize = 48;

/// How a pouch of some length is cut: strips one behind the other, of cells of one length; what lacks at the end is zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The pouch's length.
    pub pouch_bytes: u64,
    /// A cell's length, a power of two.
    pub cell_bytes: u64,
    /// Strips, and with it the cells of a row.
    pub strips: u64,
    /// Rows, and with it the cells of a strip.
    pub rows: u64,
}

impl Grid {
    /// The grid of a pouch of 1 byte to [`POUCH_BYTES_MAX`].
    pub fn of(pouch_bytes: u64) -> Option<Self> {
        if !(1..=POUCH_BYTES_MAX).contains(&pouch_bytes) {
            return None;
        }
        let mut cell_bytes = CELL_BYTES_MIN;
        while pouch_bytes.div_ceil(cell_bytes) > CELLS_MAX {
            cell_bytes = cell_bytes.checked_mul(2)?;
        }
        let cells = pouch_bytes.div_ceil(cell_bytes);
        let rows = cells.div_ceil(STRIPS_MAX);
        Some(Self { pouch_bytes, cell_bytes, strips: cells.div_ceil(rows), rows })
    }

    /// The cells that hold at least a byte of the pouch.
    pub fn cells(&self) -> u64 {
        self.pouch_bytes.div_ceil(self.cell_bytes)
    }

    /// Which cell is that of a row and strip, counted from the pouch's start; it may lie behind its end, and is zeros then.
    pub fn cell(&self, row: u64, strip: u64) -> u64 {
        strip.saturating_mul(self.rows).saturating_add(row)
    }

    /// Row and strip of a cell.
    pub fn place(&self, cell: u64) -> (u64, u64) {
        (cell.checked_rem(self.rows).unwrap_or(0), cell.checked_div(self.rows).unwrap_or(0))
    }

    /// Where a cell's bytes stand in the pouch; none, where it lies behind the end.
    pub fn span(&self, cell: u64) -> std::ops::Range<u64> {
        let start = cell.saturating_mul(self.cell_bytes).min(self.pouch_bytes);
        start..start.saturating_add(self.cell_bytes).min(self.pouch_bytes)
    }
}

/// How much parity a pouch has, and how it stands in its file. All follows from the pouch's length and the share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The pouch's own part.
    pub grid: Grid,
    /// Which share of the pouch may be lost, in percent: 1 to 100.
    pub share: u16,
    /// Recovery cells of a row, and so its packets.
    pub recovery: u64,
    /// So many packets of a row give back its table.
    pub pieces: u64,
    /// A packet's part of the table, in bytes.
    pub fragment_bytes: u64,
}

impl Layout {
    /// The layout for a share of 1 to 100 percent.
    pub fn of(grid: Grid, share: u16) -> Option<Self> {
        if !(1..=100).contains(&share) {
            return None;
        }
        // What may be lost of a row on average, and how much more where losses lie unevenly: by Bernstein's inequality
        // a row loses more than this with a probability below 2^-40 (docs/decisions/0007).
        let on_average = grid.strips.saturating_mul(share.into()).div_ceil(100);
        let surely = on_average.saturating_add(root(on_average.saturating_mul(56))).saturating_add(19);
        let table_bytes = grid.strips.saturating_mul(SUM_BYTES as u64);
        // About where a longer table costs as much as more packets to hold it.
        let wanted = root(surely.saturating_mul(table_bytes).div_ceil(grid.cell_bytes)).max(1);
        let fragment_bytes = table_bytes.div_ceil(wanted).next_multiple_of(64);
        let pieces = table_bytes.div_ceil(fragment_bytes);
        Some(Self { grid, share, recovery: surely.saturating_add(pieces), pieces, fragment_bytes })
    }

    /// A packet's length: header, fragment, cell.
    pub fn packet_bytes(&self) -> u64 {
        (HEADER_BYTES as u64).saturating_add(self.fragment_bytes).saturating_add(self.grid.cell_bytes)
    }

    /// All packets.
    pub fn packets(&self) -> u64 {
        self.recovery.saturating_mul(self.grid.rows)
    }

    /// Where a packet stands in the order of the file: all rows of the first recovery strip, then of the second.
    pub fn slot(&self, row: u64, index: u64) -> u64 {
        index.saturating_mul(self.grid.rows).saturating_add(row)
    }

    /// The whole file's length.
    pub fn bytes(&self) -> u64 {
        self.packets().saturating_mul(self.packet_bytes())
    }
}

/// The square root, rounded up.
fn root(number: u64) -> u64 {
    let below = number.isqrt();
    below.saturating_add(u64::from(below.saturating_mul(below) < number))
}

/// What a packet says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketHeader {
    /// Which pouch it repairs.
    pub pouch: PouchId,
    /// How that pouch and its parity are cut.
    pub layout: Layout,
    /// Its row.
    pub row: u64,
    /// Which of the row's recovery cells it holds.
    pub index: u64,
}

impl PacketHeader {
    /// The header's bytes before its checksum.
    pub fn print(&self) -> [u8; CHECKSUM_AT] {
        let mut bytes = [0; CHECKSUM_AT];
        let fields: [&[u8]; 7] = [
            &MAGIC,
            &VERSION.to_be_bytes(),
            &self.layout.share.to_be_bytes(),
            &u32::try_from(self.row).expect("a grid has few rows").to_be_bytes(),
            &u32::try_from(self.index).expect("a row has few packets").to_be_bytes(),
            &self.layout.grid.pouch_bytes.to_be_bytes(),
            &self.pouch.0,
        ];
        for (to, from) in bytes.iter_mut().zip(fields.iter().copied().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// Reads a header, and the checksum that stands in it; `None` where no packet begins so.
    pub fn parse(bytes: &[u8]) -> Option<(Self, [u8; 16])> {
        let (magic, rest) = bytes.split_first_chunk::<8>()?;
        let (version, rest) = rest.split_first_chunk()?;
        let (share, rest) = rest.split_first_chunk()?;
        let (row, rest) = rest.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let (pouch_bytes, rest) = rest.split_first_chunk()?;
        let (pouch, rest) = rest.split_first_chunk()?;
        let checksum = rest.get(4..)?.first_chunk()?;
        if *magic != MAGIC || u16::from_be_bytes(*version) != VERSION {
            return None;
        }
        let layout = Layout::of(Grid::of(u64::from_be_bytes(*pouch_bytes))?, u16::from_be_bytes(*share))?;
        let (row, index) = (u32::from_be_bytes(*row).into(), u32::from_be_bytes(*index).into());
        let header = Self { pouch: PouchId(*pouch), layout, row, index };
        let is_one = row < layout.grid.rows && index < layout.recovery && bytes.starts_with(&header.print());
        is_one.then_some((header, *checksum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_covers_the_pouch_and_little_more() {
        for bytes in [1, 4096, 4097, 1 << 20, (1 << 24) + 1, 1 << 30, 20 << 30, POUCH_BYTES_MAX] {
            let grid = Grid::of(bytes).expect("within the limits");
            let held = grid.strips * grid.rows * grid.cell_bytes;
            assert!(held >= bytes && held - bytes < grid.rows * grid.cell_bytes + grid.cell_bytes, "{bytes}");
            assert!(grid.strips <= STRIPS_MAX && grid.cells() <= CELLS_MAX);
            assert_eq!(grid.place(grid.cell(grid.rows - 1, 1)), (grid.rows - 1, 1));
        }
        assert_eq!(Grid::of(0), None);
        assert_eq!(Grid::of(POUCH_BYTES_MAX + 1), None);
        let grid = Grid::of(1 << 30).expect("within the limits");
        assert_eq!((grid.cell_bytes, grid.strips, grid.rows), (4096, 4096, 64));
        assert_eq!(grid.span(1), 4096..8192);
        assert_eq!(Grid::of(5000).expect("within").span(1), 4096..5000);
    }

    /// For every share and size: what a row may lose on average, and unevenness, leave enough packets for the table.
    #[test]
    fn the_margin_holds_for_every_share() {
        for bytes in [1, 5000, 1 << 20, 1 << 24, 1 << 30, 20 << 30, POUCH_BYTES_MAX] {
            let grid = Grid::of(bytes).expect("within the limits");
            for share in 1..=100 {
                let layout = Layout::of(grid, share).expect("a share");
                let on_average = (grid.strips * u64::from(share)).div_ceil(100);
                let loses = layout.recovery - layout.pieces;
                let small = |number: u64| f64::from(u32::try_from(number).expect("a few thousand"));
                let (margin, mean) = (small(loses - on_average), small(on_average));
                let bits = margin * margin / (2.0 * (mean + margin / 3.0)) / std::f64::consts::LN_2;
                assert!(bits >= 40.0, "{bytes} {share}: {bits}");
                assert!(layout.pieces * layout.fragment_bytes >= grid.strips * 8);
                assert!(layout.recovery.next_power_of_two() + grid.strips <= 65_536, "the field has places for all");
            }
        }
        let layout = Layout::of(Grid::of(1 << 30).expect("within"), 10).expect("a share");
        assert_eq!((layout.recovery, layout.pieces, layout.fragment_bytes), (645, 64, 512));
        assert_eq!(Layout::of(layout.grid, 0), None);
        assert_eq!(Layout::of(layout.grid, 101), None);
    }

    #[test]
    fn only_its_own_print_is_a_header() {
        let layout = Layout::of(Grid::of(1 << 24).expect("within"), 7).expect("a share");
        let header = PacketHeader { pouch: PouchId([9; 16]), layout, row: 0, index: 3 };
        let mut bytes = header.print().to_vec();
        bytes.extend([5; 16]);
        assert_eq!(bytes.len(), HEADER_BYTES);
        assert_eq!(PacketHeader::parse(&bytes), Some((header, [5; 16])));
        assert_eq!(PacketHeader::parse(&bytes[..63]), None);
        for at in [0, 9, 10, 12, 16, 20, 44, 47] {
            let mut other = bytes.clone();
            other[at] ^= 0x80;
            assert_eq!(PacketHeader::parse(&other), None, "byte {at}");
        }
    }
}
