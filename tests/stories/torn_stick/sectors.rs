//! Sectors that do not read: the medium answers with an error, as a stick that is torn truly does. What stands around them
//! counts as if they were merely wrong.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use amparo::crypto::hash::Hash;
use amparo::store::{FileSystem, Folder, Item, Source, Stat, StoreError};
use amparo::vault::pouch::opened::Opened;

use super::*;

const MIB: u64 = 1 << 20;

/// A disk of which some places cannot be read, and some files not even be opened.
struct TornDisk {
    disk: FaultyDisk,
    torn: BTreeMap<PathBuf, Vec<Range<u64>>>,
    closed: BTreeSet<PathBuf>,
}

/// An open file of it. What stands before a torn place is read up to there.
struct TornSource {
    source: Box<dyn Source>,
    torn: Vec<Range<u64>>,
    at: u64,
}

impl Read for TornSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.read_at(self.at, buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Source for TornSource {
    fn stat(&self) -> Result<Stat, StoreError> {
        self.source.stat()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if self.torn.iter().any(|torn| torn.contains(&offset)) {
            return Err(io::Error::from_raw_os_error(5));
        }
        let next = self.torn.iter().map(|torn| torn.start).filter(|start| *start > offset).min();
        let room = next.map_or(buffer.len(), |next| usize::try_from(next - offset).expect("short").min(buffer.len()));
        self.source.read_at(offset, &mut buffer[..room])
    }
}

impl Disk for TornDisk {
    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        if self.closed.contains(path) {
            return Err(StoreError::from_io(path, io::Error::from_raw_os_error(5)));
        }
        let torn = self.torn.get(path).cloned().unwrap_or_default();
        Ok(Box::new(TornSource { source: self.disk.source(path)?, torn, at: 0 }))
    }

    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let read = self.source(path)?.take(bytes_max as u64).read_to_end(&mut bytes);
        read.map(|_| bytes).map_err(|error| StoreError::from_io(path, error))
    }

    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.folder(path)
    }

    fn create_folder(&self, path: &Path, mode: Mode) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.create_folder(path, mode)
    }

    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.create_folder_all(path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        self.disk.remove_folder(path)
    }

    fn stat(&self, path: &Path) -> Result<Stat, StoreError> {
        self.disk.stat(path)
    }

    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError> {
        self.disk.file_system(path)
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        self.disk.list_source(path)
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.disk.move_source(from, to)
    }
}

/// The files as they were, of which what was lost cannot be read.
fn unreadable(stick: &Stick<'_>, dice: &mut Dice) -> Result<Pieces, VaultError> {
    let (mut torn, mut names) = (BTreeMap::new(), Vec::new());
    let disk = FaultyDisk::new(Rules::Ext4);
    for (number, (_, whole)) in stick.packed.files.iter().enumerate() {
        if stick.files[number].1.is_none() {
            continue;
        }
        let name = any_name(number, dice);
        disk.put(&name, whole);
        let lost = stick.lost.iter().filter(|(file, _)| *file == number).map(|(_, range)| range.clone());
        torn.insert(name.clone(), lost.filter(|range| !range.is_empty()).collect());
        names.insert(dice.below(names.len() + 1), name);
    }
    Pieces::gather(&TornDisk { disk, torn, closed: BTreeSet::new() }, &names)
}

fn ours_unreadable(stick: &Stick<'_>, dice: &mut Dice) -> Result<Vec<u8>, String> {
    ours_of(stick, unreadable(stick, dice))
}

#[test]
fn up_to_the_share_what_does_not_read_comes_back() {
    let _row = crate::soak::row(8);
    let sticks = sticks();
    for seed in patterns(500) {
        judged(seed, &sticks, ours_unreadable).unwrap_or_else(|fault| panic!("{fault}"));
    }
}

#[test]
fn above_the_share_what_does_not_read_is_told_honestly() {
    let _row = crate::soak::row(8);
    let program = Above { gathered: unreadable, ..ABOVE };
    is_honest_above_the_share(patterns(100), &program).unwrap_or_else(|fault| panic!("{fault}"));
}

/// A whole megabyte, at either end, of the pouch, of its parity, of both, and of all four; in one file and in volumes; with
/// other bytes in it, and unreadable.
#[test]
fn the_first_and_the_last_megabyte_come_back() {
    let _row = crate::soak::row(8);
    for volumes in [None, Some(2_500_000)] {
        let packed = packed(17_200_000, 30, volumes);
        let ends: [&[(bool, bool)]; 9] = [
            &[(false, false)],
            &[(false, true)],
            &[(true, false)],
            &[(true, true)],
            &[(false, false), (true, false)],
            &[(false, true), (true, true)],
            &[(false, false), (true, true)],
            &[(false, false), (false, true)],
            &[(false, false), (false, true), (true, false), (true, true)],
        ];
        for (number, ends) in ends.into_iter().enumerate() {
            let (mut stick, mut dice) = (Stick::of(&packed), Dice(number as u64 + 1));
            for (of_parity, at_end) in ends {
                stick.lose_megabyte(*of_parity, *at_end, &mut dice);
            }
            for program in [ours, ours_unreadable] {
                let read = program(&stick, &mut dice).unwrap_or_else(|fault| panic!("{volumes:?} {ends:?}: {fault}"));
                assert!(read == packed.pouch, "{volumes:?} {ends:?}: a wrong byte");
            }
        }
    }
}

impl Stick<'_> {
    /// Loses the first or the last megabyte of the pouch or of its parity, over as many files as it takes.
    fn lose_megabyte(&mut self, of_parity: bool, at_end: bool, dice: &mut Dice) {
        let mut files: Vec<usize> = (0..self.files.len()).filter(|file| self.is_parity(*file) == of_parity).collect();
        if at_end {
            files.reverse();
        }
        let (mut left, allowed) = (MIB, self.allowed());
        for file in files {
            let bytes = self.packed.files[file].1.len() as u64;
            let taken = left.min(bytes);
            let range = if at_end { bytes - taken..bytes } else { 0..taken };
            assert!(self.lose(file, range, allowed, dice), "so much may be lost");
            left -= taken;
        }
        assert_eq!(left, 0);
    }
}

/// A pouch on a disk of its own, with parity of ten percent, of which these places do not read.
fn alone(torn: &[(&str, Range<u64>)]) -> (Vec<u8>, TornDisk) {
    let packed = packed(600_000, 10, None);
    let disk = FaultyDisk::new(Rules::Ext4);
    for (path, bytes) in &packed.files {
        disk.put(path, bytes);
    }
    let mut places: BTreeMap<PathBuf, Vec<Range<u64>>> = BTreeMap::new();
    for (name, range) in torn {
        places.entry(Path::new(STICK).join(name)).or_default().push(range.clone());
    }
    (packed.pouch, TornDisk { disk, torn: places, closed: BTreeSet::new() })
}

fn gathers(disk: &TornDisk, names: &[&str]) -> Pieces {
    let files: Vec<PathBuf> = names.iter().map(|name| Path::new(STICK).join(name)).collect();
    Pieces::gather(disk, &files).expect("a pouch")
}

fn whole(pieces: &Pieces) -> Vec<u8> {
    let mut read = vec![0; usize::try_from(pieces.bytes()).expect("short")];
    pieces.read_at(0, &mut read).expect("all of it");
    read
}

#[test]
fn one_sector_hides_nothing_of_what_stands_around_it() {
    // In the only megabyte of the parity file, in which its packets are looked for.
    let (pouch, disk) = alone(&[("p.parity", 10_240..10_752), ("p", 300_032..300_544)]);
    assert_eq!(whole(&gathers(&disk, &["p", "p.parity"])), pouch);
    // Where it is looked at whether a file is a text.
    let (pouch, disk) = alone(&[("p", 0..512)]);
    assert_eq!(whole(&gathers(&disk, &["p", "p.parity"])), pouch);
    // Behind the header of a lone pouch: it opens all the same.
    let (_, disk) = alone(&[("p", 12_288..12_800)]);
    let opened = Opened::open(gathers(&disk, &["p"]), &[&Identity::from_seed(&[1; 32])]).expect("its header reads");
    let mut byte = [0];
    assert!(opened.read_at(100_000, &mut byte).is_ok() && opened.read_at(0, &mut byte).is_err());
}

#[test]
fn a_file_that_does_not_open_keeps_no_other_from_being_used() {
    let (pouch, mut disk) = alone(&[]);
    let bad = Path::new(STICK).join("holiday.jpg");
    disk.disk.put(&bad, b"a picture");
    disk.closed.insert(bad.clone());
    let pieces = Pieces::gather(&disk, &[STICK.into()]).expect("the others are a pouch");
    assert_eq!((pieces.unknown(), whole(&pieces)), (&[bad.clone()][..], pouch));
    // Whoever names it is told.
    assert!(Pieces::gather(&disk, &[bad, Path::new(STICK).join("p")]).is_err());
}

#[test]
fn of_a_lone_pouch_it_is_told_where_it_does_not_read() {
    let (pouch, disk) = alone(&[("p", 300_032..300_544), ("p", 400_000..480_000)]);
    let (condition, sha256) = gathers(&disk, &["p"]).look(&Stopped).expect("looked at");
    // Each part of 64 KiB is given up behind the place.
    let torn = [300_032..327_680, 400_000..458_752, 458_752..524_288];
    let joined = [300_032..327_680, 400_000..524_288];
    let told: u64 = condition.damaged.iter().map(|range| range.end - range.start).sum();
    assert_eq!(told, torn.iter().map(|range| range.end - range.start).sum::<u64>());
    assert_eq!((&condition.damaged[..], &condition.lost[..]), (&joined[..], &joined[..]));
    let length = pouch.len() as u64;
    assert_eq!(condition.unchecked, [0..300_032, 327_680..400_000, 524_288..length]);
    assert!(sha256.is_none() && !condition.can_be_repaired());
    let (pouch, disk) = alone(&[]);
    let (condition, sha256) = gathers(&disk, &["p"]).look(&Stopped).expect("looked at");
    assert_eq!((condition.damaged.len(), sha256), (0, Some(Hash::of(&pouch))));
}
