//! A courier's stick comes back torn: sectors that do not read, runs of them, whole volumes gone, the first or the last
//! megabyte of the pouch or of its parity, or of both. Up to the share that was asked for, all comes back, in every one of
//! the seeded patterns; above it, never a wrong byte, and an honest list of what is lost. What is lost holds other bytes, or, as
//! [`sectors`] has it, cannot be read.
//!
//! `AMPARO_PATTERNS=20000 cargo test torn_stick` goes through more of them. What is lost is counted as FORMAT § 6.10 has it:
//! in cells and packets that a loss touches.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use amparo::crypto::envelope;
use amparo::crypto::recipient::Identity;
use amparo::format::parity::{Grid, Layout};
use amparo::format::volume::{PAGE_BYTES, VolumePage};
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::{Disk, Mode, RelPath};
use amparo::vault::VaultError;
use amparo::vault::pouch::PouchError;
use amparo::vault::pouch::parity::make_parity;
use amparo::vault::pouch::pieces::{self, Condition, Pieces};
use amparo::vault::pouch::volumes::VolumeWriter;

mod plants;
mod salvaged;
mod sectors;

use super::Dice;
use crate::vault::people::Stopped;

const STICK: &str = "/stick";

/// What was put on the stick, by name, and how it came about.
struct Packed {
    pouch: Vec<u8>,
    files: Vec<(PathBuf, Vec<u8>)>,
    layout: Layout,
}

fn path(name: &str) -> RelPath {
    RelPath::parse(name).expect("a name of this test")
}

fn packed(bytes: usize, share: u16, volume_bytes: Option<u64>) -> Packed {
    let mut dice = Dice(bytes as u64 | 1);
    let noise: Vec<u8> = (0..bytes).map(|_| dice.below(256).to_le_bytes()[0]).collect();
    let pouch = envelope::seal(&noise, &[&Identity::from_seed(&[1; 32]).recipient()]).bytes;
    let disk = FaultyDisk::new(Rules::Ext4);
    let folder = disk.create_folder(Path::new(STICK), Mode::Open).expect("made");
    disk.put(Path::new("/pouch"), &pouch);
    let whole = Pieces::gather(&disk, &["/pouch".into()]).expect("a pouch");
    let id = whole.id().expect("a header");
    make_parity(&Stopped, &whole, share, (&*folder, &path("p.parity")), volume_bytes).expect("made");
    let mut writer = VolumeWriter::begin(&*folder, &path("p"), (id, pouch.len() as u64), volume_bytes).expect("begun");
    std::io::Write::write_all(&mut writer, &pouch).expect("written");
    writer.finish().expect("kept");
    let files = disk.files().into_iter().filter(|(path, _)| path.starts_with(STICK)).collect();
    let layout = Layout::of(Grid::of(pouch.len() as u64).expect("short"), share).expect("a share");
    Packed { pouch, files, layout }
}

/// The stick on its way.
#[derive(Clone)]
struct Stick<'p> {
    packed: &'p Packed,
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    touched: BTreeSet<(bool, u64)>,
    /// What was lost of which file.
    lost: Vec<(usize, Range<u64>)>,
}

impl<'p> Stick<'p> {
    fn of(packed: &'p Packed) -> Self {
        let files = packed.files.iter().map(|(path, bytes)| (path.clone(), Some(bytes.clone()))).collect();
        Self { packed, files, touched: BTreeSet::new(), lost: Vec::new() }
    }

    /// How many cells and packets may be lost, for all to come back.
    fn allowed(&self) -> usize {
        let Layout { grid, share, .. } = self.packed.layout;
        usize::try_from(grid.cells() * u64::from(share) / 100).expect("few")
    }

    fn is_parity(&self, file: usize) -> bool {
        self.files[file].0.to_string_lossy().contains("parity")
    }

    /// The cells or packets that a range of a file touches.
    fn cells(&self, file: usize, range: &Range<u64>) -> impl Iterator<Item = (bool, u64)> + use<> {
        let (_, bytes) = &self.packed.files[file];
        let Layout { grid, .. } = self.packed.layout;
        let is_parity = self.is_parity(file);
        let touched = if is_parity {
            let packet_bytes = self.packed.layout.packet_bytes();
            let before: usize = self.packed.files[..file]
                .iter()
                .filter(|(path, _)| path.to_string_lossy().contains("parity"))
                .map(|(_, bytes)| bytes.len())
                .sum();
            let first = before as u64 / packet_bytes;
            first + range.start / packet_bytes..first + range.end.div_ceil(packet_bytes)
        } else {
            let (page, held) = match VolumePage::parse(&bytes[..PAGE_BYTES]) {
                Some((page, _)) => (page.offset, 4096..bytes.len() as u64 - 4096),
                None => (0, 0..bytes.len() as u64),
            };
            let data = range.start.max(held.start)..range.end.min(held.end);
            if data.is_empty() {
                0..0
            } else {
                let at = |offset: u64| page + offset - held.start;
                at(data.start) / grid.cell_bytes..at(data.end).div_ceil(grid.cell_bytes)
            }
        };
        touched.map(move |cell| (is_parity, cell))
    }

    /// Loses a range, if so much may be lost.
    fn lose(&mut self, file: usize, range: Range<u64>, allowed: usize, dice: &mut Dice) -> bool {
        if !self.touch(file, &range, allowed) {
            return false;
        }
        self.lost.push((file, range.clone()));
        let Some(bytes) = &mut self.files[file].1 else { return true };
        let place = usize::try_from(range.start).expect("short")..usize::try_from(range.end).expect("short");
        let kind = dice.below(3);
        for byte in &mut bytes[place] {
            *byte = match kind {
                0 => 0,
                1 => 0xff,
                _ => dice.below(256).to_le_bytes()[0],
            };
        }
        true
    }

    fn lose_file(&mut self, file: usize, allowed: usize) {
        if self.touch(file, &(0..self.packed.files[file].1.len() as u64), allowed) {
            self.files[file].1 = None;
        }
    }

    /// Notes what a loss touches, unless that is more than is allowed.
    fn touch(&mut self, file: usize, range: &Range<u64>, allowed: usize) -> bool {
        let new: Vec<(bool, u64)> = self.cells(file, range).filter(|cell| !self.touched.contains(cell)).collect();
        let may = self.touched.len() + new.len() <= allowed;
        if may {
            self.touched.extend(new);
        }
        may
    }

    /// One of the ways in which sticks are torn, until as much is lost as may be.
    fn tear(&mut self, allowed: usize, dice: &mut Dice) {
        let way = dice.below(6);
        let mut refused = 0;
        while refused < 20 && self.touched.len() < allowed {
            let file = dice.below(self.files.len());
            let bytes = self.packed.files[file].1.len();
            let (start, length) = match (way, dice.below(6)) {
                (0, _) | (5, 0) => (dice.below(bytes) / 512 * 512, 512),
                (1, _) | (5, 1 | 2) => (dice.below(bytes) / 4096 * 4096, 4096),
                (2, _) | (5, 3) => (dice.below(bytes), dice.below(1 + allowed * 4096 / 3)),
                (3, _) | (5, 4) => {
                    if dice.below(3) == 0 && self.files.len() > 2 {
                        self.lose_file(file, allowed);
                        refused += 1;
                        continue;
                    }
                    (dice.below(bytes), dice.below(60_000))
                }
                // The first and the last megabyte, as far as so much may be lost.
                _ => {
                    let length = (1 << 20).min(allowed.saturating_sub(self.touched.len() + 2) * 4096).min(bytes);
                    (if dice.below(2) == 0 { 0 } else { bytes - length }, length)
                }
            };
            let end = (start + length).min(bytes);
            let before = self.touched.len();
            let lost = self.lose(file, start as u64..end as u64, allowed, dice);
            // What is lost already, or would be too much, brings nobody further.
            refused += u32::from(!lost || self.touched.len() == before);
        }
    }

    /// Where runs no longer fit, single sectors do.
    fn fill_up(&mut self, allowed: usize, dice: &mut Dice) {
        for _ in 0..400 {
            if self.touched.len() == allowed {
                break;
            }
            let file = dice.below(self.files.len());
            let start = dice.below(self.packed.files[file].1.len() / 512) * 512;
            self.lose(file, start as u64..start as u64 + 512, allowed, dice);
        }
    }

    fn gathered(&self, dice: &mut Dice) -> Result<Pieces, VaultError> {
        let disk = FaultyDisk::new(Rules::Ext4);
        let mut names = Vec::new();
        for (number, (_, bytes)) in self.files.iter().enumerate() {
            let Some(bytes) = bytes else { continue };
            let name = any_name(number, dice);
            disk.put(&name, bytes);
            names.insert(dice.below(names.len() + 1), name);
        }
        Pieces::gather(&disk, &names)
    }

    /// Whether a packet of parity came through: then what is lost is known, and can be told.
    fn has_packet(&self) -> bool {
        self.has_some(true)
    }

    /// Whether a cell of the pouch did.
    fn has_whole_cell(&self) -> bool {
        self.has_some(false)
    }

    fn has_some(&self, of_parity: bool) -> bool {
        let mut files = (0..self.files.len()).filter(|file| self.is_parity(*file) == of_parity);
        files.any(|file| {
            let all = 0..self.packed.files[file].1.len() as u64;
            self.cells(file, &all).any(|cell| !self.touched.contains(&cell))
        })
    }
}

/// Under any name; and in any order.
fn any_name(number: usize, dice: &mut Dice) -> PathBuf {
    PathBuf::from(format!("/{}-{number}", dice.below(1000)))
}

/// How a stick comes to the program.
type Gathered = fn(&Stick<'_>, &mut Dice) -> Result<Pieces, VaultError>;

/// With other bytes wherever something was lost.
fn spoilt(stick: &Stick<'_>, dice: &mut Dice) -> Result<Pieces, VaultError> {
    stick.gathered(dice)
}

/// What a program makes of a stick: the pouch, or why not.
type Program = fn(&Stick<'_>, &mut Dice) -> Result<Vec<u8>, String>;

/// This one.
fn ours(stick: &Stick<'_>, dice: &mut Dice) -> Result<Vec<u8>, String> {
    ours_of(stick, stick.gathered(dice))
}

fn ours_of(stick: &Stick<'_>, gathered: Result<Pieces, VaultError>) -> Result<Vec<u8>, String> {
    let pieces = gathered.map_err(|error| error.to_string())?;
    let mut read = vec![0; usize::try_from(pieces.bytes()).expect("short")];
    for (number, part) in read.chunks_mut(65_536).enumerate() {
        pieces.read_at(number as u64 * 65_536, part).map_err(|lost| format!("lost: {lost:?}"))?;
    }
    let damaged = stick.touched.iter().any(|(is_parity, _)| !is_parity);
    if damaged || pieces.mended().ranges.is_empty() { Ok(read) } else { Err("mended what was whole".into()) }
}

/// What was lost of a stick of which all came back.
struct Lost {
    /// Of what may be.
    share: f64,
    /// Whether whole files were, of the pouch itself.
    volumes: bool,
}

/// What is wrong with a program, where not all comes back from a stick that lost no more than the share; else what was lost.
fn judged(seed: u64, sticks: &[Packed], program: Program) -> Result<Lost, String> {
    let mut dice = Dice((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let packed = stick_of(seed, sticks);
    let mut stick = Stick::of(packed);
    stick.tear(stick.allowed(), &mut dice);
    stick.fill_up(stick.allowed(), &mut dice);
    let lost = format!("pattern {seed}, {} of {} lost", stick.touched.len(), stick.allowed());
    let read = program(&stick, &mut dice).map_err(|error| format!("{lost}: {error}"))?;
    #[allow(clippy::cast_precision_loss, reason = "a share of some hundred")]
    let share = stick.touched.len() as f64 / stick.allowed() as f64;
    let volumes = (0..stick.files.len()).any(|file| stick.files[file].1.is_none() && !stick.is_parity(file));
    if read == packed.pouch { Ok(Lost { share, volumes }) } else { Err(format!("{lost}: a wrong byte")) }
}

fn patterns(usual: u64) -> Range<u64> {
    crate::soak::seeds("AMPARO_PATTERNS", usual)
}

/// Short pouches, and now and then one of several rows.
fn sticks() -> Vec<Packed> {
    [
        (600_000, 10, None),
        (600_000, 10, Some(120_000)),
        (900_000, 30, Some(200_000)),
        (300_000, 100, Some(65_536)),
        (1_200_000, 1, None),
        (17_200_000, 10, Some(1_500_000)),
    ]
    .into_iter()
    .map(|(bytes, share, volumes)| packed(bytes, share, volumes))
    .collect()
}

fn stick_of(seed: u64, sticks: &[Packed]) -> &Packed {
    // The long one is rare: it takes as long as twenty others.
    let short = sticks.len() as u64 - 1;
    let which = if seed % 40 == 39 { short } else { seed % short };
    &sticks[usize::try_from(which).expect("few")]
}

#[test]
fn up_to_the_share_all_comes_back() {
    let _row = crate::soak::row(8);
    let sticks = sticks();
    let all: Vec<Lost> =
        patterns(1000).map(|seed| judged(seed, &sticks, ours).unwrap_or_else(|fault| panic!("{fault}"))).collect();
    let full = all.iter().filter(|lost| lost.share > 0.99).count();
    assert!(full * 100 > all.len() * 95, "of {} patterns only {full} lost all that may be lost", all.len());
    assert!(all.iter().all(|lost| lost.share > 0.0), "a pattern lost nothing");
    let without_volumes = all.iter().filter(|lost| lost.volumes).count();
    assert!(without_volumes * 40 > all.len(), "volumes of the pouch lacked in {without_volumes} patterns only");
}

#[test]
fn above_the_share_never_a_wrong_byte_and_an_honest_list() {
    let _row = crate::soak::row(8);
    is_honest_above_the_share(patterns(1000), &Above { gathered: spoilt, ..ABOVE })
        .unwrap_or_else(|fault| panic!("{fault}"));
}

/// A program before a stick that lost more than the share: how it comes to it, what it tells as lost, how it reads.
struct Above {
    gathered: Gathered,
    lost: fn(&Condition) -> Vec<Range<u64>>,
    reads: fn(&Pieces, u64, &mut [u8]) -> Result<(), pieces::Lost>,
}

/// This one.
const ABOVE: Above = Above {
    gathered: spoilt,
    lost: |condition| [&condition.lost[..], &condition.unchecked].concat(),
    reads: Pieces::read_at,
};

fn is_honest_above_the_share(seeds: Range<u64>, program: &Above) -> Result<(), String> {
    let (sticks, patterns) = (sticks(), seeds.end - seeds.start);
    let (mut some_lost, mut all_back, mut none_left) = (0, 0, 0);
    for seed in seeds {
        let mut dice = Dice((seed + 1).wrapping_mul(0xd6e8_feb8_6659_fd93));
        let mut stick = Stick::of(stick_of(seed, &sticks));
        let allowed = stick.allowed() + 8;
        stick.tear(allowed * (1 + dice.below(6)), &mut dice);
        if stick.files.iter().all(|(_, bytes)| bytes.is_none()) {
            continue;
        }
        let gathered = (program.gathered)(&stick, &mut dice);
        if !stick.has_packet() {
            // Without a whole packet nothing is promised: nothing of it may say any more what it was.
            none_left += 1;
            continue;
        }
        let pieces = match gathered {
            // A header that reads as another's, and nothing by which the pouch could be known.
            Err(VaultError::Pouch(PouchError::Several { .. })) if !stick.has_whole_cell() => {
                none_left += 1;
                continue;
            }
            gathered => gathered.map_err(|error| format!("pattern {seed}: {error}"))?,
        };
        let lost =
            is_honest(&stick.packed.pouch, &pieces, program).map_err(|fault| format!("pattern {seed}: {fault}"))?;
        (some_lost, all_back) = (some_lost + u64::from(lost), all_back + u64::from(!lost));
    }
    assert!(some_lost > 0 && all_back > 0, "both happened: {some_lost} {all_back}");
    assert!(none_left * 10 < patterns, "{none_left} had no packet left");
    Ok(())
}

/// What is told as lost does not read, all else reads as it was. Whether something is lost.
fn is_honest(pouch: &[u8], pieces: &Pieces, program: &Above) -> Result<bool, String> {
    let check = |holds: bool, fault: String| if holds { Ok(()) } else { Err(fault) };
    check(pieces.parity().is_some() && pieces.bytes() == pouch.len() as u64, "not found".into())?;
    let condition = pieces.check(&Stopped).map_err(|error| error.to_string())?;
    let told = (program.lost)(&condition);
    let mut lost = false;
    for start in (0..pouch.len()).step_by(4096) {
        let mut cell = vec![0; 4096.min(pouch.len() - start)];
        let is_told = told.iter().any(|range| range.contains(&(start as u64)));
        let reads = (program.reads)(pieces, start as u64, &mut cell).is_ok();
        let is_right = cell == pouch[start..start + cell.len()];
        check(!reads || is_right, format!("a wrong byte at {start}"))?;
        check(reads != is_told, format!("what is told of {start} is not so"))?;
        lost |= is_told;
    }
    check(lost != condition.can_be_repaired(), "it is not told whether all comes back".into())?;
    Ok(lost)
}
