//! Parts of a pouch, gathered and repaired: what story *the torn stick* does not tell.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::store::{Disk, Folder, Mode, RelPath};
use amparo::vault::VaultError;
use amparo::vault::pouch::PouchError;
use amparo::vault::pouch::parity::make_parity;
use amparo::vault::pouch::pieces::Pieces;
use amparo::vault::pouch::repair::repair;
use amparo::vault::pouch::unfinished::Mark;
use amparo::vault::pouch::volumes::VolumeWriter;

use super::people::{Stopped, with};

fn name(text: &str) -> RelPath {
    RelPath::parse(text).expect("a name of this test")
}

fn pouch(seed: u8, bytes: usize) -> Vec<u8> {
    let noise: Vec<u8> =
        (0..bytes.div_ceil(32)).flat_map(|n| Hash::of(&[&n.to_be_bytes()[..], &[seed]].concat()).0).collect();
    envelope::seal(&noise[..bytes], &[&Identity::from_seed(&[1; 32]).recipient()]).bytes
}

fn stick(rules: Rules) -> (FaultyDisk, Arc<dyn Folder>) {
    let disk = FaultyDisk::new(rules);
    let folder = disk.create_folder(Path::new("/stick"), Mode::Open).expect("made");
    (disk, folder)
}

fn gather(disk: &dyn Disk, names: &[&str]) -> Result<Pieces, VaultError> {
    let paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
    Pieces::gather(disk, &paths)
}

fn whole(pieces: &Pieces) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(pieces.bytes()).expect("short")];
    pieces.read_at(0, &mut bytes).expect("all of it");
    bytes
}

pub(crate) fn in_volumes(
    folder: &dyn Folder,
    pouch: &[u8],
    id: &Pieces,
    volume_bytes: Option<u64>,
) -> Result<Vec<RelPath>, VaultError> {
    let id = (id.id().expect("a header"), pouch.len() as u64);
    let mut writer = VolumeWriter::begin(folder, &name("p"), id, volume_bytes)?;
    for part in pouch.chunks(70_001) {
        writer.write_all(part).map_err(|error| amparo::vault::pouch::volumes::refusal(&name("p"), error))?;
    }
    writer.finish()
}

#[test]
fn volumes_are_joined_and_tell_what_lacks() {
    let _row = crate::soak::row(5);
    let (disk, folder) = stick(Rules::ExFat);
    let bytes = pouch(1, 400_000);
    disk.put(Path::new("/whole"), &bytes);
    let source = gather(&disk, &["/whole"]).expect("a pouch");
    assert_eq!(whole(&source), bytes);
    let files = in_volumes(&*folder, &bytes, &source, Some(128 << 10)).expect("written");
    assert_eq!(files.iter().map(ToString::to_string).collect::<Vec<_>>(), ["p.001", "p.002", "p.003", "p.004"]);
    assert!(disk.files().iter().all(|(path, held)| !path.starts_with("/stick") || held.len() <= 128 << 10));
    let joined = gather(&disk, &["/stick"]).expect("volumes");
    assert_eq!(whole(&joined), bytes);
    assert!(joined.check(&Stopped).expect("looked at").is_whole() && joined.missing().is_empty());
    disk.put(Path::new("/note"), b"a shopping list");
    let some = gather(&disk, &["/stick/p.004", "/note", "/stick/p.001", "/stick/p.002"]).expect("some volumes");
    assert_eq!((some.missing(), some.unknown()), (&["volume 3 of 4".to_string()][..], &[PathBuf::from("/note")][..]));
    let condition = some.check(&Stopped).expect("looked at");
    assert_eq!(condition.lost, std::slice::from_ref(&(2 * 122_880..3 * 122_880)));
    assert!(some.read_at(2 * 122_880 - 1, &mut [0]).is_ok() && some.read_at(2 * 122_880, &mut [0]).is_err());
    // A changed byte is damage that the volume's hash tells.
    let (_, mut second) = disk.files().into_iter().find(|(path, _)| path.ends_with("p.002")).expect("there");
    second[50_000] ^= 1;
    disk.put(Path::new("/stick/p.002"), &second);
    let condition = gather(&disk, &["/stick"]).expect("volumes").check(&Stopped).expect("looked at");
    assert_eq!(condition.damaged, std::slice::from_ref(&(122_880..2 * 122_880)));
    assert!(condition.unchecked.is_empty());
}

#[test]
fn parts_of_several_pouches_are_refused_by_name() {
    let _row = crate::soak::row(5);
    let (disk, folder) = stick(Rules::Ext4);
    let (one, other) = (pouch(1, 300_000), pouch(2, 300_000));
    disk.put(Path::new("/one"), &one);
    disk.put(Path::new("/other"), &other);
    let pieces = gather(&disk, &["/one"]).expect("a pouch");
    make_parity(&Stopped, &pieces, 10, (&*folder, &name("parity")), None).expect("made");
    let error = gather(&disk, &["/other", "/stick/parity"]).err().expect("refused").to_string();
    assert!(error.contains("/other") && error.contains("/stick/parity"), "{error}");
    assert!(matches!(gather(&disk, &["/one", "/other"]).err(), Some(VaultError::Pouch(PouchError::Several { .. }))));
    assert!(gather(&disk, &["/one", "/stick/parity"]).is_ok());
    disk.put(Path::new("/empty"), b"");
    assert!(matches!(gather(&disk, &["/empty"]).err(), Some(VaultError::Pouch(PouchError::NoPouch { .. }))));
}

/// Two torn copies of one pouch, and no parity that would be enough for either: where one is damaged the other is not.
#[test]
fn damaged_copies_help_each_other_and_are_written_as_one() {
    let _row = crate::soak::row(5);
    let (disk, folder) = stick(Rules::Ext4);
    let bytes = pouch(3, 500_000);
    disk.put(Path::new("/whole"), &bytes);
    make_parity(&Stopped, &gather(&disk, &["/whole"]).expect("a pouch"), 1, (&*folder, &name("parity")), None)
        .expect("made");
    let (mut one, mut other) = (bytes.clone(), bytes.clone());
    one[..250_000].fill(0);
    other[254_000..].fill(0);
    disk.put(Path::new("/one"), &one);
    disk.put(Path::new("/other"), &other);
    let pieces = gather(&disk, &["/one", "/stick/parity", "/other"]).expect("a pouch");
    let repairs = |pieces: &Pieces, to: &str| {
        let mark = Mark::file(&disk, (Path::new("/stick"), &name(to))).expect("marked");
        with(&disk, Hash::ZERO, |setting| repair(setting, pieces, &mark))
    };
    let sha256 = repairs(&pieces, "mended");
    assert_eq!(sha256.expect("repaired"), Hash::of(&bytes));
    let pieces = gather(&disk, &["/one", "/stick/parity"]).expect("a pouch");
    let beyond = repairs(&pieces, "worse");
    assert!(
        matches!(beyond, Err(VaultError::Pouch(PouchError::BeyondRepair { lost, .. })) if lost > 200_000),
        "{beyond:?}"
    );
    assert!(disk.files().iter().all(|(path, _)| !path.ends_with("worse") && !path.ends_with("worse.unfinished")));
}

/// Whatever fails while it is made: no half of it stays, and nothing that was there is touched.
#[test]
fn what_is_not_finished_leaves_nothing() {
    let _row = crate::soak::row(5);
    let bytes = pouch(4, 300_000);
    let make = |disk: &FaultyDisk, folder: &dyn Folder| {
        let pieces = gather(disk, &["/whole"])?;
        make_parity(&Stopped, &pieces, 10, (folder, &name("p.parity")), Some(128 << 10))?;
        in_volumes(folder, &bytes, &pieces, Some(128 << 10))
    };
    let (disk, folder) = stick(Rules::ExFat);
    disk.put(Path::new("/whole"), &bytes);
    let before = disk.operations();
    make(&disk, &*folder).expect("made");
    let (operations, files) = (disk.operations() - before, disk.files().len());
    let of_parity =
        |disk: &FaultyDisk| disk.files().iter().filter(|(path, _)| path.to_string_lossy().contains("parity")).count();
    let all_parity = of_parity(&disk);
    assert!(all_parity > 1 && files > all_parity + 2, "several volumes of each: {files}");
    for (fault, kind) in [(Fault::Full, "full"), (Fault::ShortWrite, "full"), (Fault::Sync, "sync")] {
        for nth in (0..operations).step_by(if fault == Fault::Full { 1 } else { 7 }) {
            let (disk, folder) = stick(Rules::ExFat);
            disk.put(Path::new("/whole"), &bytes);
            disk.fail_at(disk.operations() + nth, fault, Times::Once);
            let made = make(&disk, &*folder);
            disk.heal();
            let left: Vec<PathBuf> = disk.files().into_iter().map(|(path, _)| path).collect();
            let parity = of_parity(&disk);
            let volumes = left.len() - 1 - parity;
            match made {
                Ok(_) => assert_eq!(left.len(), files, "{kind} {nth}"),
                // Parity is a whole of its own: it stays where the volumes after it fail.
                Err(error) => {
                    assert!(volumes == 0 && [0, all_parity].contains(&parity), "{kind} {nth}: {left:?}: {error}");
                }
            }
        }
    }
}

/// What is said of a pouch that may be damaged further is true of the worst that may befall it: so many pieces of its weakest
/// group, be they cells or packets, and a run wherever it begins. One more, and something is lost.
#[test]
fn as_much_as_is_said_may_still_be_lost_wherever_it_lies() {
    const CELL: usize = 4096;
    let _row = crate::soak::row(5);
    let (disk, folder) = stick(Rules::Ext4);
    let bytes = pouch(5, 40 << 20);
    disk.put(Path::new("/p"), &bytes);
    make_parity(&Stopped, &gather(&disk, &["/p"]).expect("a pouch"), 5, (&*folder, &name("parity")), None)
        .expect("made");
    let (_, parity) = disk.files().into_iter().find(|(path, _)| path.ends_with("parity")).expect("made");
    let layout = gather(&disk, &["/p", "/stick/parity"]).expect("both").parity().expect("parity");
    let (rows, packet_bytes) = (layout.grid.rows, usize::try_from(layout.packet_bytes()).expect("short"));
    assert!(rows > 2);
    let at = |number: u64| usize::try_from(number).expect("short");
    // A hundred cells of the second row are damaged already.
    let cells = |range: std::ops::Range<u64>| range.map(|strip| at(layout.grid.cell(1, strip)) * CELL);
    let damaged = |range| {
        let mut torn = bytes.clone();
        cells(range).for_each(|start| torn[start] ^= 1);
        torn
    };
    let looks = |pouch: &[u8], parity: &[u8]| {
        disk.put(Path::new("/p"), pouch);
        disk.put(Path::new("/stick/parity"), parity);
        gather(&disk, &["/p", "/stick/parity"]).expect("both").check(&Stopped).expect("looked at")
    };
    let before = looks(&damaged(0..100), &parity);
    let more = before.may_lose.expect("there is parity");
    assert_eq!(more.of, layout.grid.strips + layout.recovery);
    assert_eq!(more.pieces, layout.recovery - layout.pieces.max(100));
    assert!(looks(&damaged(0..100 + more.pieces), &parity).can_be_repaired());
    assert!(!looks(&damaged(0..101 + more.pieces), &parity).can_be_repaired());
    let without = |packets: u64| {
        let mut torn = parity.clone();
        (0..packets).for_each(|index| torn[at(layout.slot(1, index)) * packet_bytes + 100] ^= 1);
        torn
    };
    let last = looks(&damaged(0..100), &without(more.pieces));
    assert!(last.can_be_repaired() && last.may_lose.is_some_and(|more| (more.pieces, more.run_bytes) == (0, 0)));
    assert!(!looks(&damaged(0..100), &without(more.pieces + 1)).can_be_repaired());
    for start in [0, 1, 4095, 12_345_678, (40 << 20) - at(more.run_bytes)] {
        let mut torn = damaged(0..100);
        torn[start..start + at(more.run_bytes)].iter_mut().for_each(|byte| *byte ^= 0x5a);
        assert!(looks(&torn, &parity).can_be_repaired(), "a run from {start} on");
    }
}
