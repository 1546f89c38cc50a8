//! What the model keeps, loses and lets fail.

use super::*;
use crate::store::{Disk, Folder, Mode, ReadFrom, RelPath};

const ROOT: &str = "/vault";

fn path(text: &str) -> RelPath {
    RelPath::parse(text).expect("a path of this test")
}

fn vault(rules: Rules) -> (FaultyDisk, Arc<dyn Folder>) {
    let disk = FaultyDisk::new(rules);
    let folder = disk.create_folder(Path::new(ROOT), Mode::Private).expect("made");
    (disk, folder)
}

/// What a crash leaves of `name` under many seeds.
fn fates(disk: &FaultyDisk, name: &str) -> Vec<Option<Vec<u8>>> {
    let full = Path::new(ROOT).join(name);
    let fate = |seed| disk.crash(seed).files().into_iter().find(|(path, _)| *path == full).map(|(_, bytes)| bytes);
    (0..300).map(fate).collect()
}

#[test]
fn what_was_not_synced_is_whole_or_lost_or_torn() {
    for rules in [Rules::Ext4, Rules::ExFat] {
        let (disk, folder) = vault(rules);
        let bytes = vec![7; 5000];
        folder.create(&path("a/file"), &bytes, Mode::Open).expect("created");
        let fates = fates(&disk, "a/file");
        assert!(fates.contains(&None) && fates.contains(&Some(bytes.clone())), "{rules:?}");
        let torn: Vec<_> = fates.iter().flatten().filter(|left| **left != bytes).collect();
        assert!(!torn.is_empty(), "{rules:?}");
        let only_prefixes = torn.iter().all(|left| bytes.starts_with(left));
        assert_eq!(only_prefixes, rules == Rules::Ext4);
    }
}

#[test]
fn what_was_synced_survives_and_only_that() {
    let (disk, folder) = vault(Rules::Ext4);
    folder.create(&path("a/kept"), b"kept", Mode::Open).expect("created");
    folder.create(&path("a/risked"), b"risked", Mode::Open).expect("created");
    folder.sync(&[path("a/kept")]).expect("synced");
    assert!(fates(&disk, "a/kept").iter().all(|left| left.as_deref() == Some(b"kept")));
    assert!(fates(&disk, "a/risked").contains(&None));
}

#[test]
fn later_files_can_survive_earlier_ones() {
    let (disk, folder) = vault(Rules::Ext4);
    folder.create(&path("1"), b"first", Mode::Open).expect("created");
    folder.create(&path("2"), b"second", Mode::Open).expect("created");
    let pairs: Vec<_> = fates(&disk, "1").into_iter().zip(fates(&disk, "2")).collect();
    assert!(pairs.contains(&(None, Some(b"second".to_vec()))));
    assert!(pairs.contains(&(Some(b"first".to_vec()), None)));
}

#[test]
fn a_rename_is_whole_on_ext4_and_not_on_exfat() {
    for (rules, may_break) in [(Rules::Ext4, false), (Rules::ExFat, true)] {
        let (disk, folder) = vault(rules);
        folder.create(&path("old"), b"x", Mode::Open).expect("created");
        folder.sync(&[path("old")]).expect("synced");
        folder.rename_new(&path("old"), &path("new")).expect("renamed");
        let counts: Vec<_> = (0..200).map(|seed| disk.crash(seed).files().len()).collect();
        assert_eq!(counts.contains(&0) && counts.contains(&2), may_break, "{rules:?}");
    }
}

fn read_back(folder: &dyn Folder) -> (Vec<u8>, ReadFrom) {
    let (mut source, from) = folder.read_back(&path("f"), 9).expect("opened");
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).expect("read");
    (bytes, from)
}

/// After a failed fsync the pages count as clean: a second sync succeeds and saves nothing.
#[test]
fn a_sync_that_is_tried_again_saves_nothing() {
    let (disk, folder) = vault(Rules::Ext4);
    folder.create(&path("f"), b"bytes", Mode::Open).expect("created");
    disk.fail_at(0, Fault::Sync, Times::Once);
    assert!(matches!(folder.sync(&[path("f")]), Err(StoreError::NotDurable { .. })));
    assert!(matches!(folder.sync(&[path("f")]), Err(StoreError::NotDurable { .. })), "final for this handle");
    let other = disk.folder(Path::new(ROOT)).expect("opened");
    other.sync(&[path("f")]).expect("the lie of the system");
    assert!(fates(&disk, "f").iter().all(|left| left.as_deref() != Some(b"bytes")));
    assert_ne!(read_back(&*other), (b"bytes".to_vec(), ReadFrom::Medium));
}

#[test]
fn a_flip_on_the_way_is_seen_only_from_the_medium() {
    let (disk, folder) = vault(Rules::Ext4);
    folder.create(&path("there"), b"", Mode::Open).expect("created");
    disk.fail_at(0, Fault::Flip(7), Times::Once);
    folder.create(&path("there"), b"", Mode::Open).expect_err("a name that is taken writes nothing");
    folder.create(&path("f"), b"bytes", Mode::Open).expect("created");
    folder.sync(&[path("f")]).expect("synced");
    assert_eq!(folder.read(&path("f"), 9).expect("read"), b"bytes");
    let (medium, from) = read_back(&*folder);
    assert!(medium != b"bytes" && from == ReadFrom::Medium);
    assert_eq!(disk.crash(0).files()[0].1, medium);
    let turned = disk.turned().remove(0);
    assert_eq!((medium[turned.at] ^ b"bytes"[turned.at], turned.bytes, disk.struck()), (1 << turned.bit, 5, 1));
}

#[test]
fn any_bit_of_what_is_written_turns_and_often_one_at_its_ends() {
    let places: Vec<Turned> = (0..600)
        .map(|seed| {
            let (disk, folder) = vault(Rules::Ext4);
            disk.fail_at(0, Fault::Flip(seed), Times::Once);
            folder.create(&path("f"), &[0; 1000], Mode::Open).expect("created");
            disk.turned().remove(0)
        })
        .collect();
    let of = |within: std::ops::Range<usize>| places.iter().filter(|turned| within.contains(&turned.at)).count();
    assert!(of(0..16) > 100 && of(984..1000) > 100 && of(16..984) > 100);
    assert!((0..8).all(|bit| places.iter().any(|turned| turned.bit == bit)));
}

#[test]
fn each_fault_strikes_where_it_can_and_leaves_nothing() {
    for (fault, times) in [Fault::Io, Fault::Full, Fault::ReadOnly, Fault::ShortWrite]
        .into_iter()
        .flat_map(|fault| [(fault, Times::Once), (fault, Times::FromThenOn)])
    {
        let (disk, folder) = vault(Rules::ExFat);
        disk.fail_at(disk.operations(), fault, times);
        let error = folder.create(&path("a/b/f"), b"bytes", Mode::Open).expect_err("it fails");
        let expected = match fault {
            Fault::Io => matches!(error, StoreError::Io { .. }),
            Fault::ReadOnly => matches!(error, StoreError::ReadOnly { .. }),
            _ => matches!(error, StoreError::Full { .. }),
        };
        assert!(expected, "{fault:?}: {error}");
        let power_is_gone = (fault, times) == (Fault::Io, Times::FromThenOn);
        assert_eq!(disk.files().is_empty(), !power_is_gone, "{fault:?} {times:?}");
        assert_eq!(folder.create(&path("a/c"), b"", Mode::Open).is_ok(), times == Times::Once);
    }
}

#[test]
fn exfat_folds_case_and_refuses_some_names() {
    let (_, folder) = vault(Rules::ExFat);
    folder.create(&path("File"), b"x", Mode::Open).expect("created");
    assert!(matches!(folder.create(&path("fILE"), b"", Mode::Open), Err(StoreError::Exists { .. })));
    assert!(matches!(folder.create(&path("a:b"), b"", Mode::Open), Err(StoreError::BadPath { .. })));
}

#[test]
fn a_source_can_grow_while_it_is_read() {
    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/source"), b"1234");
    disk.grow_while_read(Path::new("/source"), b"5");
    let mut source = disk.source(Path::new("/source")).expect("opened");
    let before = source.stat().expect("known");
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut source, &mut bytes).expect("read");
    assert_ne!(source.stat().expect("known"), before);
}

#[test]
fn the_print_of_a_disk_tells_what_is_seen_and_what_the_medium_holds() {
    let (disk, folder) = vault(Rules::Ext4);
    folder.create(&path("a"), b"bytes", Mode::Open).expect("created");
    let (pending, twin) = (disk.print(), disk.twin());
    assert_eq!(twin.print(), pending);
    let of_twin = twin.folder(Path::new(ROOT)).expect("there");
    twin.fail_at(0, Fault::Sync, Times::Once);
    of_twin.sync(&[path("a")]).expect_err("it fails");
    folder.sync(&[path("a")]).expect("synced");
    let (synced, lost) = (disk.print(), twin.print());
    assert!(synced != pending && lost != pending && lost != synced);
    assert_eq!(disk.crash(0).print(), synced, "nothing was lost");
    // Only the medium holds another bit.
    let written = |fault: Option<Fault>| {
        let disk = disk.twin();
        if let Some(fault) = fault {
            disk.fail_at(0, fault, Times::Once);
        }
        let folder = disk.folder(Path::new(ROOT)).expect("there");
        folder.create(&path("b"), b"more", Mode::Open).expect("created");
        folder.sync(&[path("b")]).expect("synced");
        disk
    };
    let (seen, flipped) = (written(None), written(Some(Fault::Flip(1))));
    assert_ne!(flipped.print(), seen.print());
    assert_eq!(flipped.print_of_files(), seen.print_of_files());
    assert_ne!(flipped.crash(0).print_of_files(), seen.print_of_files());
}
