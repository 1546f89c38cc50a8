//! How often the disk is asked while a pouch is read from front to back: not the more often, the more of it is lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::{fs, io};

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::format::volume::VolumePage;
use amparo::store::real::RealDisk;
use amparo::store::{Disk, FileSystem, Folder, Item, Mode, RelPath, Source, Stat, StoreError};
use amparo::vault::pouch::parity::make_parity;
use amparo::vault::pouch::pieces::{Pieces, Spool};

use super::people::Stopped;
use super::pouch_damage::in_volumes;

/// The machine's disk, with a count of what was read at a place.
#[derive(Default)]
struct Counting(Arc<AtomicU64>);

struct Counted(Box<dyn Source>, Arc<AtomicU64>);

impl io::Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Source for Counted {
    fn stat(&self) -> Result<Stat, StoreError> {
        self.0.stat()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read_at(offset, buffer)?;
        self.1.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Disk for Counting {
    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        Ok(Box::new(Counted(RealDisk.source(path)?, Arc::clone(&self.0))))
    }

    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        RealDisk.folder(path)
    }

    fn create_folder(&self, path: &Path, mode: Mode) -> Result<Arc<dyn Folder>, StoreError> {
        RealDisk.create_folder(path, mode)
    }

    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        RealDisk.create_folder_all(path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        RealDisk.remove_folder(path)
    }

    fn stat(&self, path: &Path) -> Result<Stat, StoreError> {
        RealDisk.stat(path)
    }

    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        RealDisk.read_start(path, bytes_max)
    }

    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError> {
        RealDisk.file_system(path)
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        RealDisk.list_source(path)
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        RealDisk.move_source(from, to)
    }
}

fn noise(bytes: usize) -> Vec<u8> {
    let header = envelope::seal(b"", &[&Identity::from_seed(&[1; 32]).recipient()]).bytes;
    let mut state = 88_172_645_463_325_252_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut pouch = header;
    pouch.extend((0..bytes.div_ceil(8)).flat_map(|_| next()));
    pouch
}

/// Reads all of it, and returns its hash, and how many bytes were read for that.
fn read(disk: &Counting, pieces: &Pieces) -> (Hash, u64) {
    let (mut whole, before) =
        (vec![0; usize::try_from(pieces.bytes()).expect("short")], disk.0.load(Ordering::Relaxed));
    for (number, part) in whole.chunks_mut(65_552).enumerate() {
        pieces.read_at(number as u64 * 65_552, part).expect("it comes back");
    }
    (Hash::of(&whole), disk.0.load(Ordering::Relaxed) - before)
}

/// More is lost than memory holds of what was restored: a volume of 56 MiB.
#[test]
fn a_lost_volume_is_restored_once() {
    let home = tempfile::tempdir().expect("a folder");
    let disk = Counting::default();
    let pouch = noise(128 << 20);
    let whole = home.path().join("whole");
    fs::write(&whole, &pouch).expect("written");
    let stick = disk.create_folder(&home.path().join("stick"), Mode::Open).expect("made");
    let name = |name: &str| RelPath::parse(name).expect("a name");
    let pieces = Pieces::gather(&disk, std::slice::from_ref(&whole)).expect("a pouch");
    make_parity(&Stopped, &pieces, 50, (&*stick, &name("parity")), None).expect("made");
    in_volumes(&*stick, &pouch, &pieces, Some(56 << 20)).expect("kept");
    stick.remove(&name("p.002")).expect("lost");
    let gathered = || Pieces::gather(&disk, &[home.path().join("stick")]).expect("volumes");
    let (right, bytes) = (Hash::of(&pouch), pouch.len() as u64);

    let pieces = gathered();
    pieces.spool_to(Spool::begin(&disk, (home.path(), &name("evidence"))).expect("begun"));
    let (found, spooled) = read(&disk, &pieces);
    assert!(found == right, "a wrong byte");
    assert!(spooled < 4 * bytes, "{spooled} bytes were read for {bytes}");
    let left: Vec<PathBuf> = fs::read_dir(home.path()).expect("listed").flatten().map(|item| item.path()).collect();
    assert_eq!(left.len(), 2, "the spool has no name: {left:?}");

    // Without a place for it, each pass gives as much as memory holds.
    let (found, held) = read(&disk, &gathered());
    assert!(found == right, "a wrong byte");
    assert!(held < 6 * bytes, "{held} bytes were read for {bytes}");
}

/// What a kill left of a spool is an empty file; it is taken away, and nothing else of that name is.
#[test]
fn an_empty_spool_that_was_left_is_taken_away() {
    let home = tempfile::tempdir().expect("a folder");
    let (disk, pouch) = (Counting::default(), noise(100_000));
    let whole = home.path().join("whole");
    fs::write(&whole, &pouch).expect("written");
    let folder = disk.folder(home.path()).expect("opened");
    let parity = RelPath::parse("parity").expect("a name");
    let alone = Pieces::gather(&disk, std::slice::from_ref(&whole)).expect("a pouch");
    make_parity(&Stopped, &alone, 10, (&*folder, &parity), None).expect("made");
    let pieces = Pieces::gather(&disk, &[whole.clone(), home.path().join("parity")]).expect("a pouch");
    let evidence = RelPath::parse("evidence").expect("a name");
    let left = home.path().join(format!("{}.restored", Hash::tagged("amparo.v1/spool", &[b"evidence"])));
    for (content, stays) in [(&b""[..], false), (b"mine", true)] {
        fs::write(&left, content).expect("left");
        let spool = Spool::begin(&disk, (home.path(), &evidence));
        assert_eq!((left.exists(), spool.is_err()), (stays, stays));
        if let Ok(spool) = spool {
            pieces.spool_to(spool);
        }
        assert!(read(&disk, &pieces).0 == Hash::of(&pouch));
    }
}

/// Thousands of volumes cost no more than one file.
#[test]
fn each_place_is_found_among_thousands_of_volumes() {
    use amparo::store::faulty::{FaultyDisk, Rules};
    let disk = FaultyDisk::new(Rules::Ext4);
    let pouch = noise(20 << 20);
    disk.put(Path::new("/whole"), &pouch);
    let stick = disk.create_folder(Path::new("/stick"), Mode::Open).expect("made");
    let alone = Pieces::whole(&disk, Path::new("/whole")).expect("a pouch");
    assert!(in_volumes(&*stick, &pouch, &alone, Some(12 << 10)).expect("kept").len() > 5000);
    let pieces = Pieces::gather(&disk, &["/stick".into()]).expect("volumes");
    let begun = std::time::Instant::now();
    let mut byte = [0];
    for at in (0..pieces.bytes()).step_by(97) {
        pieces.read_at(at, &mut byte).expect("read");
        assert_eq!(byte[0], pouch[usize::try_from(at).expect("short")]);
    }
    // 216,000 places: a look at all volumes for each of them takes more than a second for every 1000 volumes.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// A stick is slow: whoever checks a pouch without a key reads it once, for its parity or volumes and for its hash.
#[test]
fn a_pouch_is_checked_and_hashed_in_one_reading() {
    let home = tempfile::tempdir().expect("a folder");
    let (disk, pouch) = (Counting::default(), noise(3 << 20));
    let (right, bytes) = (Hash::of(&pouch), pouch.len() as u64);
    let whole = home.path().join("whole");
    fs::write(&whole, &pouch).expect("written");
    let [parity, stick] = ["parity", "stick"].map(|name| home.path().join(name));
    let folder = disk.folder(home.path()).expect("opened");
    let name = |name: &str| RelPath::parse(name).expect("a name");
    let alone = Pieces::gather(&disk, std::slice::from_ref(&whole)).expect("a pouch");
    make_parity(&Stopped, &alone, 10, (&*folder, &name("parity")), None).expect("made");
    let volumes = disk.create_folder(&stick, Mode::Open).expect("made");
    in_volumes(&*volumes, &pouch, &alone, Some(1 << 20)).expect("kept");
    let looked = |files: &[&Path]| {
        let files: Vec<PathBuf> = files.iter().map(|file| file.to_path_buf()).collect();
        let pieces = Pieces::gather(&disk, &files).expect("a pouch");
        let before = disk.0.load(Ordering::Relaxed);
        let (condition, sha256) = pieces.look(&Stopped).expect("looked at");
        (condition.is_whole(), sha256, disk.0.load(Ordering::Relaxed) - before)
    };
    let beside = fs::metadata(&parity).expect("there").len();
    let (is_whole, sha256, read) = looked(&[&whole, &parity]);
    assert!(is_whole && sha256 == Some(right) && read <= bytes + 2 * beside, "{read} bytes of {bytes} and {beside}");
    let (is_whole, sha256, read) = looked(&[&stick]);
    assert!(is_whole && sha256 == Some(right) && read == bytes, "{read} bytes of {bytes}");

    // What is damaged is restored for its hash; a damaged volume beside a sound one is none of it.
    let mut torn = pouch.clone();
    torn[1_500_000] ^= 1;
    fs::write(&whole, &torn).expect("written");
    assert_eq!(looked(&[&whole, &parity]).1, Some(right));
    let second = fs::read(stick.join("p.002")).expect("there");
    let mut torn = second.clone();
    torn[500_000] ^= 1;
    for (first, last) in [(&torn, &second), (&second, &torn)] {
        fs::write(stick.join("p.002"), first).expect("written");
        fs::write(stick.join("p.005"), last).expect("written");
        assert_eq!(looked(&[&stick]).1, Some(right));
    }
}

/// The hash that a courier compares is that of what whoever reads there is given: a volume's own hash is not signed, and somebody
/// can make one with other bytes that overlaps the others.
#[test]
fn the_hash_of_volumes_that_overlap_is_that_of_what_is_read_there() {
    use amparo::store::faulty::{FaultyDisk, Rules};
    let disk = FaultyDisk::new(Rules::ExFat);
    let pouch = noise(3 << 20);
    disk.put(Path::new("/whole"), &pouch);
    let stick = disk.create_folder(Path::new("/stick"), Mode::Open).expect("made");
    let alone = Pieces::whole(&disk, Path::new("/whole")).expect("a pouch");
    in_volumes(&*stick, &pouch, &alone, Some(1 << 20)).expect("kept");
    let read = || {
        let pieces = Pieces::gather(&disk, &["/stick".into()]).expect("volumes");
        let mut bytes = vec![0; pouch.len()];
        pieces.read_to_judge(0, &mut bytes).expect("read");
        let (condition, sha256) = pieces.look(&Stopped).expect("looked at");
        assert!(condition.is_whole(), "{condition:?}");
        assert_eq!(sha256, Some(Hash::of(&bytes)));
        bytes == pouch
    };
    assert!(read());
    let (offset, length) = (600_000, 700_000);
    let forged: Vec<u8> = pouch[offset..offset + length].iter().map(|byte| byte ^ 1).collect();
    let (of, total) = (alone.id().expect("a header"), alone.bytes());
    let page = VolumePage { part: 2, parts: 4, pouch: of, total, offset: offset as u64, length: length as u64 };
    let file = [page.print(None), forged.clone(), page.print(Some(Hash::of(&forged)))].concat();
    disk.put(Path::new("/stick/another"), &file);
    assert!(!read(), "the other bytes are read nowhere: what is this test about?");
}
