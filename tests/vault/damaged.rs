//! A small vault with something wrong in one of its files: a bit, a cut, a hole, two files in each other's place, a file twice or
//! gone, a stranger under a good name. Each is noticed, and the file is named. `AMPARO_BITS=N` turns N bits and `AMPARO_LENGTHS=N`
//! cuts to N lengths, evenly spread over all there are, or all of them; `AMPARO_DAMAGES=N` looks at N of the others.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use amparo::crypto::hash::Hash;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::{Disk, RelPath};
use amparo::vault::findings::{Check, Finding, Verdict};
use amparo::vault::parallel::alone;
use amparo::vault::verify::{Level, Verified};

use super::agreement::dice::Dice;
use super::people::World;
use crate::soak;

const DAMAGES: u64 = 5_000;
const BITS: u64 = 2_500;
const LENGTHS: u64 = 500;

type Files = Vec<(PathBuf, Vec<u8>)>;

/// A vault with two exhibits, and its files.
fn sealed() -> (FaultyDisk, World, Files) {
    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/home/s/a.txt"), b"some words");
    disk.put(Path::new("/home/s/b.txt"), &vec![7; 40_000]);
    let world = World::on(Arc::new(disk.clone()), Path::new("/home")).expect("founded");
    world.seal(&["s/a.txt", "s/b.txt"].map(|name| world.path(name)), false).expect("sealed");
    let files = disk.files().into_iter().filter(|(path, _)| path.starts_with(&world.vault)).collect();
    (disk.crash(0), world, files)
}

/// One damage: what it is, the files that it concerns, and what lies there then (`None`: nothing).
struct Damage {
    what: String,
    left: Vec<(PathBuf, Option<Vec<u8>>)>,
}

fn drawn(dice: &mut Dice, files: &Files) -> Damage {
    let (path, bytes) = dice.one(files).clone();
    let (other, others) = dice.one(files).clone();
    let (at, end) = (dice.below(bytes.len()), dice.below(bytes.len() + 1));
    let mut changed = bytes.clone();
    let one = |what: String, bytes: Option<Vec<u8>>| Damage { what, left: vec![(path.clone(), bytes)] };
    match dice.below(7) {
        0 => {
            let hole = at.min(end)..at.max(end).min(at.min(end) + 4096);
            changed[hole.clone()].fill(*dice.one(&[0, 0xff]));
            one(format!("a hole at {hole:?}"), Some(changed))
        }
        1 => {
            changed.extend_from_slice(&bytes[..end]);
            one(format!("{end} bytes again at its end"), Some(changed))
        }
        2 | 3 => Damage { what: "swapped".into(), left: vec![(path, Some(others)), (other, Some(bytes))] },
        4 => one("gone".into(), None),
        5 => {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let double = path.with_file_name(format!("0{}", &name[..name.len() - 1]));
            Damage { what: "a second time".into(), left: vec![(double, Some(bytes))] }
        }
        _ => {
            changed[at] ^= 1;
            let name = Hash::of(&changed).to_string();
            let blob = Path::new("/home/vault/blobs").join(&name[..2]).join(&name);
            Damage { what: "a stranger under a good name".into(), left: vec![(blob, Some(changed))] }
        }
    }
}

fn do_to(disk: &FaultyDisk, damage: &Damage) {
    for (path, bytes) in &damage.left {
        if let Some(bytes) = bytes {
            disk.put(path, bytes);
        } else {
            let folder = disk.folder(path.parent().expect("a folder")).expect("it is there");
            let name = RelPath::parse(path.file_name().expect("a name")).expect("a name");
            folder.remove_all(&[name]).expect("removed");
        }
    }
}

/// A program that verifies.
type Program = fn(&World) -> Result<Verified, String>;

fn ours(world: &World) -> Result<Verified, String> {
    world.verify(&world.reader).map_err(|error| error.to_string())
}

/// Who has no key of what was sealed has hashes alone to go by.
fn for_the_monitor(world: &World) -> Result<Verified, String> {
    world.verify(&world.monitor).map_err(|error| error.to_string())
}

/// What is wrong with what a program says of a damaged vault, if anything is.
fn judged(world: &World, files: &Files, damage: &Damage, program: Program) -> Result<(), String> {
    let is_as_before = |(path, bytes): &(PathBuf, Option<Vec<u8>>)| {
        files.iter().any(|(good, right)| good == path && Some(right) == bytes.as_ref())
    };
    let hit: Vec<&PathBuf> = damage.left.iter().filter(|file| !is_as_before(file)).map(|(path, _)| path).collect();
    let context = |fault: &str| format!("{}, {hit:?}: {fault}", damage.what);
    let seen = match program(world) {
        Ok(seen) => seen,
        // What claims another format is refused as a whole.
        Err(_) if hit == [Path::new("/home/vault/VAULT")] => return Ok(()),
        Err(error) => return Err(context(&error)),
    };
    if hit.is_empty() {
        return if seen.verdict == Verdict::Valid { Ok(()) } else { Err(context("nothing was wrong")) };
    }
    // An older signed state may be left out. Without her own wrapped custody key a reader is nobody in particular.
    let is_older = |path: &Path| path.to_string_lossy().contains("checkpoints/0000000001");
    if damage.left.iter().any(|(path, left)| left.is_none() && is_older(path))
        || seen.level == Level::Bytes && !seen.trusted
    {
        return Ok(());
    }
    if seen.verdict == Verdict::Valid {
        return Err(context("it is said to be VALID"));
    }
    let is_named = |path: &Path| {
        let name = path.strip_prefix("/home/vault").expect("in the vault").to_string_lossy().into_owned();
        // What a log is without one of its files is told of the log, or of its entries.
        let log = name.strip_prefix("logs/").map(|rest| format!("logs/{}", &rest[..32]));
        let is_gone = damage.left.iter().any(|(gone, left)| gone == path && left.is_none());
        seen.findings.iter().any(|finding| {
            let of_log = log
                .as_ref()
                .is_some_and(|log| finding.subject == *log || is_gone && finding.subject.starts_with(log.as_str()));
            finding.subject == name || of_log
        })
    };
    match hit.iter().find(|path| !is_named(path)) {
        Some(path) => Err(context(&format!("{} is not named: {:?}", path.display(), seen.findings))),
        None => Ok(()),
    }
}

/// One look in so many takes all cores by itself, as a person's does.
const THREADED: u64 = 4;

/// Looks at so many damaged vaults, on all cores; what is wrong.
fn on_all_cores(count: u64, look: impl Fn(u64) -> Option<String> + Sync) -> Vec<String> {
    let (next, faults) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < count) {
                    let fault = if number % THREADED == 0 { look(number) } else { alone(|| look(number)) };
                    faults.lock().expect("no panic").extend(fault);
                }
            });
        }
    });
    faults.into_inner().expect("no panic")
}

/// What is found wrong with a program.
fn faults(program: Program, damages: u64) -> Vec<String> {
    let (base, world, files) = sealed();
    on_all_cores(damages, |number| {
        let damage = drawn(&mut Dice::new(soak::seed(), number), &files);
        let disk = base.twin();
        do_to(&disk, &damage);
        judged(&world.moved_to(Arc::new(disk)), &files, &damage, program).err()
    })
}

#[test]
fn whatever_is_damaged_is_noticed_and_named() {
    let _row = soak::row(5);
    let damages = soak::count("AMPARO_DAMAGES", DAMAGES);
    let faults = faults(ours, damages);
    soak::tell(&format!("{damages} vaults with other damage, seed {}", soak::seed()));
    assert!(faults.is_empty(), "{} of {damages}: {:#?}", faults.len(), &faults[..faults.len().min(20)]);
}

/// The check that holds a file's bytes against its name and its signatures.
fn check_of(name: &str) -> Check {
    match name.split('/').next() {
        Some("blobs") => Check::Blob,
        Some("keys") => Check::Key,
        Some("logs") if name.contains("/entries/") => Check::Entry,
        Some("logs") => Check::Signature,
        _ => Check::Vault,
    }
}

/// What is wrong with what a program says of a vault in which one file has other bytes: INVALID, by the check of that file, under
/// its name.
fn placed(world: &World, path: &Path, program: Program) -> Result<(), String> {
    let name = path.strip_prefix("/home/vault").expect("in the vault").to_str().expect("text");
    let seen = match program(world) {
        Ok(seen) => seen,
        // What claims another format is refused as a whole.
        Err(_) if name == "VAULT" => return Ok(()),
        Err(error) => return Err(error),
    };
    let is_placed = |finding: &Finding| {
        (finding.check, finding.weight, finding.subject.as_str()) == (check_of(name), Verdict::Invalid, name)
    };
    if seen.verdict == Verdict::Invalid && seen.findings.iter().any(is_placed) {
        return Ok(());
    }
    Err(format!("{name}: {:?}, {:?}", seen.verdict, seen.findings))
}

/// Changes one file after another in the same way, at `count` places evenly spread over all that there are, or at all; how many that
/// were, and what is wrong.
fn each(
    count: u64,
    places: fn(&[u8]) -> u64,
    change: fn(&[u8], u64) -> Vec<u8>,
    program: Program,
) -> (u64, Vec<String>) {
    let (base, world, files) = sealed();
    let all: u64 = files.iter().map(|(_, bytes)| places(bytes)).sum();
    let count = count.min(all);
    let faults = on_all_cores(count, |number| {
        let mut nth = u64::try_from(u128::from(number) * u128::from(all) / u128::from(count)).expect("less");
        let (path, bytes) = files
            .iter()
            .find(|(_, bytes)| {
                let is_here = nth < places(bytes);
                nth -= if is_here { 0 } else { places(bytes) };
                is_here
            })
            .expect("within all");
        let disk = base.twin();
        disk.put(path, &change(bytes, nth));
        placed(&world.moved_to(Arc::new(disk)), path, program).err().map(|fault| format!("place {nth}: {fault}"))
    });
    (count, faults)
}

fn turned(count: u64, program: Program) -> (u64, Vec<String>) {
    let turn = |bytes: &[u8], bit: u64| {
        let mut turned = bytes.to_vec();
        turned[usize::try_from(bit / 8).expect("short")] ^= 1 << (bit % 8);
        turned
    };
    each(count, |bytes| 8 * bytes.len() as u64, turn, program)
}

fn cut(count: u64, program: Program) -> (u64, Vec<String>) {
    let cut = |bytes: &[u8], length: u64| bytes[..usize::try_from(length).expect("short")].to_vec();
    each(count, |bytes| bytes.len() as u64, cut, program)
}

#[test]
fn each_bit_and_each_length_is_placed_by_its_check_in_its_file() {
    let _row = soak::row(4);
    let (bits, mut faults) = turned(soak::count("AMPARO_BITS", BITS), ours);
    let (lengths, of_lengths) = cut(soak::count("AMPARO_LENGTHS", LENGTHS), ours);
    faults.extend(of_lengths);
    faults.extend(turned(bits / 5, for_the_monitor).1);
    faults.extend(cut(lengths / 5, for_the_monitor).1);
    soak::tell(&format!("{bits} bits turned, {lengths} lengths"));
    assert!(faults.is_empty(), "{}: {:#?}", faults.len(), &faults[..faults.len().min(20)]);
}

/// A program that leaves one check out.
fn without(world: &World, left_out: Check) -> Result<Verified, String> {
    let mut seen = ours(world)?;
    seen.findings.retain(|finding| finding.check != left_out);
    seen.verdict = seen.findings.iter().map(|finding| finding.weight).max().unwrap_or(Verdict::Valid);
    Ok(seen)
}

#[test]
fn planted_faults_are_seen() {
    let _row = soak::row(5);
    let plants: [(&str, Program); 6] = [
        ("sealed files are not hashed", |world| without(world, Check::Blob)),
        ("entries are not opened", |world| without(world, Check::Entry)),
        ("signatures are not checked", |world| without(world, Check::Signature)),
        ("wrapped keys are not hashed", |world| without(world, Check::Key)),
        ("strangers are not told", |world| without(world, Check::Foreign)),
        ("names are not looked at", |world| without(world, Check::Layout)),
    ];
    for (plant, program) in plants {
        assert!(!faults(program, 300).is_empty(), "{plant}: not seen");
    }
    // Of these each kind of file has its own, and a bit and a length that is passed over.
    for (plant, program) in &plants[..4] {
        assert!(!turned(120, *program).1.is_empty() && !cut(120, *program).1.is_empty(), "{plant}: not seen");
    }
}
