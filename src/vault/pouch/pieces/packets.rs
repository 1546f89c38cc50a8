//! The packets of a parity file: found, checked, and the tables of checksums that are spread over them.

use std::sync::OnceLock;

use super::{PieceFile, read_exactly, read_from, to_usize};
use crate::crypto::hash::Hash;
use crate::crypto::parity;
use crate::format::parity::{HEADER_BYTES, Layout, MAGIC, PacketHeader, SUM_BYTES};
use crate::format::volume::PouchId;
use crate::store::Source;

/// So many places that look like the beginning of a packet are tried in a file before it counts as none of parity.
const TRIES_MAX: u32 = 1 << 16;
const WINDOW_BYTES: usize = 1 << 20;

/// The checksum of a cell.
pub(in crate::vault::pouch) fn sum(cell: &[u8]) -> [u8; SUM_BYTES] {
    let Hash(hash) = Hash::of(cell);
    *hash.first_chunk().expect("a hash has 32 bytes")
}

/// The checksum of a packet, over its header so far and what follows that.
pub(in crate::vault::pouch) fn checksum(header: &[u8], body: &[u8]) -> [u8; 16] {
    let Hash(hash) = Hash::of_parts(&[header, body]);
    *hash.first_chunk().expect("a hash has 32 bytes")
}

/// The parity of one pouch, in one file or several.
pub(super) struct Packets {
    layout: Layout,
    pouch: PouchId,
    files: Vec<Anchor>,
    /// Each row's table, once it was asked for; `None` where too few packets are left for it.
    tables: Vec<OnceLock<Option<Vec<u8>>>>,
}

/// A packet that was found whole: from it, all others of its file have their place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Anchor {
    pub(super) file: usize,
    pub(super) at: u64,
    pub(super) header: PacketHeader,
}

/// So much of a file is looked through without a gap.
const THOROUGH_BYTES: u64 = 64 << 20;
/// At so many places is a longer one looked into.
const PLACES: u64 = 256;
/// What a system reads in one go from a medium that fails.
const SECTOR_BYTES: usize = 4096;
/// So many sectors may fail while a packet is looked for.
const TORN_MAX: u32 = 256;

impl Anchor {
    /// Looks for a whole packet in a file: from its start on, and at places all over a long one. Packets are alike and
    /// stand everywhere in a parity file; a file that shows none at so many places is something else.
    pub(super) fn find(file: usize, source: &dyn Source, bytes: u64) -> Option<Self> {
        let (mut window, mut from, mut tries, mut torn) = (vec![0; WINDOW_BYTES], 0, 0, 0);
        while from + (HEADER_BYTES as u64) <= bytes {
            let taken = to_usize((bytes - from).min(WINDOW_BYTES as u64));
            let looked = &mut window[..taken];
            if read_exactly(source, from, looked).is_err() {
                read_around(source, from, looked, &mut torn);
            }
            for within in (0..taken.saturating_sub(HEADER_BYTES - 1)).filter(|at| looked[*at..].starts_with(&MAGIC)) {
                let at = from + within as u64;
                let Some((header, _)) = PacketHeader::parse(&looked[within..within + HEADER_BYTES]) else { continue };
                if read(source, at, &header).is_some() {
                    return Some(Self { file, at, header });
                }
                tries += 1;
                if tries > TRIES_MAX {
                    return None;
                }
            }
            let on = (taken - (HEADER_BYTES - 1)) as u64;
            from += if from < THOROUGH_BYTES { on } else { on.max(bytes / PLACES) };
        }
        None
    }

    /// Where another packet of this file must stand.
    fn place(&self, slot: u64) -> Option<u64> {
        let layout = &self.header.layout;
        let own = layout.slot(self.header.row, self.header.index);
        let distance = own.abs_diff(slot) * layout.packet_bytes();
        if slot < own { self.at.checked_sub(distance) } else { Some(self.at + distance) }
    }
}

/// Reads what can be read of a window, and zeros for the rest: one torn sector hides none of the packets around it. Where many
/// sectors are torn, each takes seconds: the rest is then passed over.
fn read_around(source: &dyn Source, from: u64, window: &mut [u8], torn: &mut u32) {
    window.fill(0);
    for (at, part) in (from..).step_by(SECTOR_BYTES).zip(window.chunks_mut(SECTOR_BYTES)) {
        if *torn >= TORN_MAX {
            return;
        }
        if let Err((done, _)) = read_from(source, at, part) {
            part[done..].fill(0);
            *torn += 1;
        }
    }
}

/// What follows a packet's header, where packet and header are those that belong there.
fn read(source: &dyn Source, at: u64, expected: &PacketHeader) -> Option<Vec<u8>> {
    let mut packet = vec![0; to_usize(expected.layout.packet_bytes())];
    read_exactly(source, at, &mut packet).ok()?;
    let (header, stated) = PacketHeader::parse(&packet[..HEADER_BYTES])?;
    let holds = header == *expected && checksum(&header.print(), &packet[HEADER_BYTES..]) == stated;
    holds.then(|| packet.split_off(HEADER_BYTES))
}

impl Packets {
    /// All of one pouch; the first anchor tells which.
    pub(super) fn of(files: Vec<Anchor>) -> Option<Self> {
        let PacketHeader { layout, pouch, .. } = files.first()?.header;
        let tables = (0..layout.grid.rows).map(|_| OnceLock::new()).collect();
        Some(Self { layout, pouch, files, tables })
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    pub(super) fn lie_in(&self, file: usize) -> bool {
        self.files.iter().any(|anchor| anchor.file == file)
    }

    /// A packet's fragment and cell, where it is whole in one of the files.
    pub(super) fn packet(&self, files: &[PieceFile], row: u64, index: u64) -> Option<Vec<u8>> {
        let header = PacketHeader { pouch: self.pouch, layout: self.layout, row, index };
        let slot = self.layout.slot(row, index);
        // Of hundreds of files only those are read that reach so far.
        self.files.iter().find_map(|anchor| {
            let (file, at) = (&files[anchor.file], anchor.place(slot)?);
            let reaches = at.checked_add(self.layout.packet_bytes()).is_some_and(|end| end <= file.bytes);
            reaches.then(|| read(&*file.source, at, &header)).flatten()
        })
    }

    /// Whether a packet is whole.
    pub(super) fn holds(&self, files: &[PieceFile], slot: u64) -> bool {
        let (index, row) = (slot / self.layout.grid.rows, slot % self.layout.grid.rows);
        self.packet(files, row, index).is_some()
    }

    /// The checksum that a cell must have; `None` where the row's table is lost.
    pub(super) fn sum_of(&self, files: &[PieceFile], row: u64, strip: u64) -> Option<[u8; SUM_BYTES]> {
        let table = self.tables[to_usize(row)].get_or_init(|| self.table(files, row)).as_ref()?;
        table.get(to_usize(strip) * SUM_BYTES..)?.first_chunk().copied()
    }

    fn table(&self, files: &[PieceFile], row: u64) -> Option<Vec<u8>> {
        let (pieces, fragment_bytes) = (to_usize(self.layout.pieces), to_usize(self.layout.fragment_bytes));
        let fragment = |index: u64| {
            let mut packet = self.packet(files, row, index)?;
            packet.truncate(fragment_bytes);
            Some((to_usize(index), packet))
        };
        let fragments: Vec<(usize, Vec<u8>)> = (0..self.layout.recovery).filter_map(fragment).take(pieces).collect();
        let fragments: Vec<(usize, &[u8])> =
            fragments.iter().map(|(index, bytes)| (*index, bytes.as_slice())).collect();
        let mut table = vec![0; pieces * fragment_bytes];
        let recovery = to_usize(self.layout.recovery);
        parity::restore(&mut table, &vec![false; pieces], &fragments, recovery).then_some(table)
    }

    /// Whole recovery cells of a row, with their index: as many as are wanted, if there are as many.
    pub(super) fn recovery(&self, files: &[PieceFile], row: u64, wanted: usize) -> Vec<(usize, Vec<u8>)> {
        let fragment_bytes = to_usize(self.layout.fragment_bytes);
        let cell = |index: u64| Some((to_usize(index), self.packet(files, row, index)?.split_off(fragment_bytes)));
        (0..self.layout.recovery).filter_map(cell).take(wanted).collect()
    }
}
