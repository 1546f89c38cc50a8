//! Making the parity of a pouch: read once, row by row on all cores, in memory that does not grow with it.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::pieces::{Lost, Pieces, checksum, sum};
use super::volumes::{Made, part_name};
use crate::crypto::parity::Encoder;
use crate::format::parity::{Grid, HEADER_BYTES, Layout, PacketHeader, SUM_BYTES};
use crate::format::volume::PouchId;
use crate::store::{Folder, Mode, OutFile, RelPath, StoreError};
use crate::vault::pouch::PouchError;
use crate::vault::{Stage, VaultError, Watch};

/// What is held at once, on all cores together: rows, their packets, and what the code works on. One row of a pouch above 64 GiB
/// has more.
const HELD_BYTES_MAX: u64 = 128 << 20;
/// More adjacent rows at once do not make a disk faster.
const ROWS_TOGETHER_MAX: u64 = 16;
/// All files of parity are written at the same time.
const FILES_MAX: u64 = 500;

/// Makes parity for a `share` of 1 to 100 percent, in a file of this name or, where volumes are wanted, in several.
/// Returns them. On an error, or where the person wishes to stop, nothing stays.
pub fn make_parity(
    watch: &dyn Watch,
    pieces: &Pieces,
    share: u16,
    (folder, name): (&dyn Folder, &RelPath),
    volume_bytes: Option<u64>,
) -> Result<Vec<RelPath>, VaultError> {
    let too_long = VaultError::Pouch(PouchError::TooLongForParity { bytes: pieces.bytes() });
    let layout = Grid::of(pieces.bytes()).and_then(|grid| Layout::of(grid, share)).ok_or(too_long)?;
    let lost = || VaultError::Pouch(PouchError::StartLost { reason: "its header is damaged".into() });
    let pouch = pieces.id().ok_or_else(lost)?;
    let out = Out::begin(folder, name, &layout, volume_bytes)?;
    watch.begin(Stage::Parity, Some(layout.grid.pouch_bytes));
    let making = Making {
        pieces,
        layout,
        pouch,
        watch,
        out: Mutex::new(out),
        next: AtomicU64::new(0),
        failed: AtomicBool::new(false),
    };
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let row_bytes = layout.grid.strips * layout.grid.cell_bytes + layout.recovery * layout.packet_bytes();
    let code_bytes = Encoder::bytes_max(layout.grid.strips, layout.recovery);
    let threads = threads.min(HELD_BYTES_MAX / (row_bytes + code_bytes)).clamp(1, layout.grid.rows);
    let together = (HELD_BYTES_MAX / threads).saturating_sub(code_bytes) / row_bytes;
    let together = together.clamp(1, ROWS_TOGETHER_MAX);
    let together = together.min(layout.grid.rows.div_ceil(threads));
    let made = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| making.work(together))).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("making parity does not panic"))
    });
    made.map_err(|error| match error {
        Failed::Stopped => VaultError::Stopped,
        Failed::Read(lost) => VaultError::SourceUnreadable { source: io::Error::other(lost.reason) },
        Failed::Written(error) => StoreError::from_io(name.as_path(), error).into(),
    })?;
    Ok(making.out.into_inner().expect("nobody panicked").finish()?)
}

enum Failed {
    Stopped,
    Read(Lost),
    Written(io::Error),
}

struct Making<'a> {
    pieces: &'a Pieces,
    layout: Layout,
    pouch: PouchId,
    watch: &'a dyn Watch,
    out: Mutex<Out<'a>>,
    next: AtomicU64,
    failed: AtomicBool,
}

impl Making<'_> {
    /// Takes rows until none is left.
    fn work(&self, together: u64) -> Result<(), Failed> {
        let result = self.rows(together);
        if result.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        result
    }

    fn rows(&self, together: u64) -> Result<(), Failed> {
        let Layout { grid, recovery, pieces, fragment_bytes, .. } = self.layout;
        let mut cells = Encoder::new(count(grid.strips), count(recovery), count(grid.cell_bytes));
        let mut tables = Encoder::new(count(pieces), count(recovery), count(fragment_bytes));
        let mut rows = vec![vec![0; count(grid.strips * grid.cell_bytes)]; count(together)];
        let mut packets = vec![0; count(recovery * self.layout.packet_bytes() * together)];
        loop {
            let first = self.next.fetch_add(together, Ordering::Relaxed);
            if first >= grid.rows || self.failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            if self.watch.stopped() {
                return Err(Failed::Stopped);
            }
            let taken = together.min(grid.rows - first);
            self.read(first, &mut rows[..count(taken)])?;
            for (number, row) in (0..).zip(&rows[..count(taken)]) {
                self.encode((first, number, taken), row, (&mut cells, &mut tables), &mut packets);
            }
            let strip_bytes = count(taken * self.layout.packet_bytes());
            let mut out = self.out.lock().expect("nobody panics");
            for (index, together) in (0..recovery).zip(packets.chunks_exact(strip_bytes)) {
                out.write(self.layout.slot(first, index), together).map_err(Failed::Written)?;
            }
            drop(out);
            self.watch.advance((taken * grid.strips * grid.cell_bytes).min(grid.pouch_bytes));
        }
    }

    /// Reads adjacent rows: of each strip, a few cells one behind the other.
    fn read(&self, first: u64, rows: &mut [Vec<u8>]) -> Result<(), Failed> {
        let grid = &self.layout.grid;
        let cell_bytes = count(grid.cell_bytes);
        let mut cells = vec![0; cell_bytes * rows.len()];
        for strip in 0..grid.strips {
            let cell = grid.cell(first, strip);
            let start = grid.span(cell).start;
            let end = grid.span(cell + rows.len() as u64 - 1).end;
            let held = count(end - start);
            self.pieces.read_at(start, &mut cells[..held]).map_err(Failed::Read)?;
            cells[held..].fill(0);
            let place = count(strip) * cell_bytes;
            for (row, cell) in rows.iter_mut().zip(cells.chunks_exact(cell_bytes)) {
                row[place..place + cell_bytes].copy_from_slice(cell);
            }
        }
        Ok(())
    }

    /// Fills in the packets of one of the rows that are made together: those of one recovery strip stand side by side.
    fn encode(
        &self,
        (first, number, taken): (u64, u64, u64),
        row: &[u8],
        (cells, tables): (&mut Encoder, &mut Encoder),
        packets: &mut [u8],
    ) {
        let layout = &self.layout;
        let (packet_bytes, fragment_bytes) = (count(layout.packet_bytes()), count(layout.fragment_bytes));
        let place = |index: usize| (index * count(taken) + count(number)) * packet_bytes;
        let mut table = vec![0; count(layout.pieces * layout.fragment_bytes)];
        for (into, cell) in table.chunks_exact_mut(SUM_BYTES).zip(row.chunks_exact(count(layout.grid.cell_bytes))) {
            into.copy_from_slice(&sum(cell));
        }
        tables.encode(&table, |index, column, bytes| {
            packets[place(index) + HEADER_BYTES + column..][..bytes.len()].copy_from_slice(bytes);
        });
        cells.encode(row, |index, column, bytes| {
            packets[place(index) + HEADER_BYTES + fragment_bytes + column..][..bytes.len()].copy_from_slice(bytes);
        });
        for index in 0..layout.recovery {
            let header = PacketHeader { pouch: self.pouch, layout: *layout, row: first + number, index }.print();
            let packet = &mut packets[place(count(index))..][..packet_bytes];
            let sum = checksum(&header, &packet[HEADER_BYTES..]);
            packet[..header.len()].copy_from_slice(&header);
            packet[header.len()..HEADER_BYTES].copy_from_slice(&sum);
        }
    }
}

/// The files that are being written, each of so many packets.
struct Out<'a> {
    made: Made<'a>,
    files: Vec<(RelPath, Box<dyn OutFile>)>,
    packet_bytes: u64,
    slots: u64,
}

impl<'a> Out<'a> {
    fn begin(
        folder: &'a dyn Folder,
        name: &RelPath,
        layout: &Layout,
        volume_bytes: Option<u64>,
    ) -> Result<Self, VaultError> {
        let (packet_bytes, packets) = (layout.packet_bytes(), layout.packets());
        let slots = volume_bytes.map_or(packets, |bytes| (bytes / packet_bytes).min(packets));
        let least = least_bytes(layout);
        if let Some(bytes) = volume_bytes.filter(|bytes| *bytes < least) {
            return Err(VaultError::Pouch(PouchError::VolumeBytes { bytes, least }));
        }
        let parts = packets.div_ceil(slots);
        let mut files = Vec::new();
        for part in 1..=parts {
            let path = if volume_bytes.is_none() { name.clone() } else { part_name(name, part, parts)? };
            let file = folder.create_stream(&path, Mode::Open)?;
            files.push((path, file));
        }
        Ok(Self { made: Made::none_yet(folder), files, packet_bytes, slots })
    }

    /// Writes packets that stand one behind the other, from this slot on.
    fn write(&mut self, mut slot: u64, mut packets: &[u8]) -> io::Result<()> {
        while !packets.is_empty() {
            let (file, within) = (count(slot / self.slots), slot % self.slots);
            let room = (self.slots - within).min(packets.len() as u64 / self.packet_bytes);
            let (here, rest) = packets.split_at(count(room * self.packet_bytes));
            self.files[file].1.write_at(within * self.packet_bytes, here)?;
            (slot, packets) = (slot + room, rest);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<RelPath>, StoreError> {
        for (path, file) in self.files {
            self.made.add(path, file)?;
        }
        self.made.keep()
    }
}

/// The least that volumes of such parity may have.
pub(super) fn least_bytes(layout: &Layout) -> u64 {
    layout.packets().div_ceil(FILES_MAX) * layout.packet_bytes()
}

/// Counts and lengths of what is held in memory.
fn count(number: u64) -> usize {
    usize::try_from(number).expect("what is held in memory is small")
}
