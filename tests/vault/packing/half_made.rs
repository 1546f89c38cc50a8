//! Packing on a disk that is full, or fails: nothing half-made stays, and an offer that stands is packed when it is named, and is the
//! only one.

use std::sync::atomic::{AtomicU64, Ordering};

use amparo::vault::pouch::pack::pack_custody;
use amparo::vault::{Setting, Stage, Watch};

use super::*;

/// The files on the stick.
fn on_stick(disk: &FaultyDisk) -> Vec<PathBuf> {
    let files = disk.files().into_iter().map(|(path, _)| path);
    files.filter(|path| path.starts_with("/stick")).collect()
}

/// What the lawyer's log says of handovers.
fn said(disk: &FaultyDisk, world: &World) -> Vec<&'static str> {
    let told =
        with(disk, world.lawyer.machine, |setting| story(setting, &request(&world.vault, &world.lawyer, None), None));
    let told = told.expect("a story");
    let events = told.lines().map(|line| line.told.entry.event.name());
    events.filter(|name| ["offer", "pack"].contains(name)).collect()
}

/// Packs with one fault at each operation in turn. Nothing half-made stays; an offer that stands is packed when it is
/// named, and is the only one.
fn packs_or_leaves_nothing(fault: Fault, times: Times, cut: bool, stride: usize) {
    let (base, world, copy) = base(Rules::Ext4, true);
    let rehearsal = base.crash(0);
    let before = rehearsal.operations();
    packs(&rehearsal, &world, "trip.bin", &[]).expect("nothing fails in the rehearsal");
    let operations = rehearsal.operations() - before;
    assert!(operations > 30, "{operations} operations");
    let (mut offered, mut made) = (0, 0);
    for nth in (0..operations).step_by(stride) {
        let disk = base.crash(0);
        disk.fail_at(disk.operations() + nth, fault, times);
        let told = packs(&disk, &world, "trip.bin", &[]);
        disk.heal();
        let context = format!("{fault:?} {times:?} at {nth} of {operations}: {:?}", told.as_ref().err());
        // What a power cut leaves of a file that was never finished, nobody can clean up before the next start.
        let left = on_stick(&disk);
        let mine = [PathBuf::from("/stick/readme.txt")];
        let with_pouch = [mine[0].clone(), PathBuf::from("/stick/trip.bin")];
        let with_mark = [&with_pouch[..], &[PathBuf::from("/stick/trip.bin.unfinished")]].concat();
        match &told {
            Ok(_) => assert_eq!(left, with_pouch, "{context}"),
            // A disk on which nothing can be removed any more keeps what was begun, and the mark by which it is known.
            Err(_) if times == Times::FromThenOn && left == with_mark => {}
            // It was whole when the custody record, or its mark, could not be completed.
            Err(_) if left == with_mark || left == with_pouch => {
                let whole = world.moved_to(Arc::new(disk.crash(0)));
                let folder = world.path("whole");
                let came = unpacks(&disk.crash(0), &whole, "trip.bin", &folder);
                let came = came.unwrap_or_else(|error| panic!("{context}: half a pouch stays: {error}"));
                assert!(came.untaken.is_empty(), "{context}: {:?}", came.untaken);
            }
            Err(_) => assert!(cut || left == mine, "{context}: {left:?}"),
        }
        let disk = if cut { disk.crash(nth) } else { disk };
        let there = world.moved_to(Arc::new(disk.clone()));
        let seen = there.verify(&there.lawyer).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(seen.verdict, Verdict::Valid, "{context}: {:?}", seen.findings);
        made += usize::from(told.is_ok());
        let ids = match told {
            Err(VaultError::Pouch(PouchError::OfferedNotPacked { offers, .. })) => {
                offers.into_iter().map(|(label, _)| label).collect()
            }
            _ => Vec::new(),
        };
        offered += usize::from(!ids.is_empty());
        // The same command clears what was left and says nothing twice, or tells that all of it was done.
        let retried = disk.crash(0);
        if nth % 2 == 0 {
            // Whatever else is said in between.
            let place = request(&there.vault, &there.lawyer, None);
            let noted = with(&retried, there.lawyer.machine, |setting| note(setting, &place, "rain", None, Kind::Note));
            noted.unwrap_or_else(|error| panic!("{context}: {error}"));
        }
        match packs(&retried, &world.moved_to(Arc::new(retried.clone())), "trip.bin", &[]) {
            Ok(_) | Err(VaultError::Store(StoreError::Exists { .. })) => {}
            Err(error) => panic!("{context}, again: {error}"),
        }
        assert_eq!(said(&retried, &world), ["offer", "pack"], "{context}, again");
        assert_eq!(on_stick(&retried), with_pouch, "{context}, again");
        let again = packs(&disk, &there, "again.bin", &ids).unwrap_or_else(|error| panic!("{context}: {error}"));
        if !ids.is_empty() {
            let labels: Vec<&String> = again.offers.iter().map(|(label, _)| label).collect();
            assert_eq!(labels, ids.iter().collect::<Vec<_>>(), "{context}: offered twice");
        }
        let came = unpacks(&disk, &there, "again.bin", &copy).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(came.verdict, Verdict::Valid, "{context}: {:?}", came.findings);
    }
    assert!(offered > 0 || stride > 1, "no fault came between the offer and the pouch: {offered}");
    assert!(made < usize::try_from(operations).expect("few"), "{made} of {operations}");
}

#[test]
fn a_full_disk_while_packing_leaves_nothing_half_made() {
    packs_or_leaves_nothing(Fault::Full, Times::Once, false, 1);
    packs_or_leaves_nothing(Fault::ShortWrite, Times::Once, false, 5);
}

#[test]
fn a_failing_disk_or_a_power_cut_while_packing_costs_only_the_pouch() {
    packs_or_leaves_nothing(Fault::Sync, Times::Once, false, 7);
    packs_or_leaves_nothing(Fault::Io, Times::Once, false, 7);
    packs_or_leaves_nothing(Fault::Io, Times::FromThenOn, true, 5);
}

/// Packs in volumes and with parity, with one fault at each operation in turn: all files of it are on the stick and whole, or none
/// is.
fn all_files_or_none(fault: Fault, times: Times, stride: usize) {
    let how = (Some(20), Some(400_000));
    let (base, world, _) = base(Rules::Ext4, true);
    let rehearsal = base.crash(0);
    let before = rehearsal.operations();
    let made = packs_with(how, &rehearsal, &world, "trip.bin", &[]).expect("nothing fails in the rehearsal").made;
    let operations = rehearsal.operations() - before;
    assert!(made.0.len() > 2 && !made.1.is_empty(), "{made:?}");
    let (mut kept, mut gone) = (0, 0);
    for nth in (0..operations).step_by(stride) {
        let disk = base.crash(0);
        disk.fail_at(disk.operations() + nth, fault, times);
        let told = packs_with(how, &disk, &world, "trip.bin", &[]);
        disk.heal();
        let context = format!("{fault:?} {times:?} at {nth} of {operations}: {:?}", told.as_ref().err());
        let left = on_stick(&disk);
        let mine = [PathBuf::from("/stick/readme.txt")];
        let is_mark = |path: &&PathBuf| path.ends_with("trip.bin.unfinished");
        let files: Vec<PathBuf> = left.iter().filter(|path| **path != mine[0] && !is_mark(path)).cloned().collect();
        if files.is_empty() {
            // A disk that fails from then on keeps the mark, too: by it the next command knows what was never finished.
            assert!(told.is_err() && (left == mine || times == Times::FromThenOn), "{context}: {left:?}");
            gone += 1;
        } else {
            let pieces = Pieces::gather(&disk, &files).unwrap_or_else(|error| panic!("{context}: {error}"));
            let of_parity = files.iter().filter(|path| path.to_string_lossy().contains("parity")).count();
            assert_eq!((files.len(), of_parity), (made.0.len() + made.1.len(), made.1.len()), "{context}: {left:?}");
            let mut bytes = vec![0; usize::try_from(pieces.bytes()).expect("short")];
            pieces.read_at(0, &mut bytes).unwrap_or_else(|lost| panic!("{context}: {lost:?}"));
            assert!(pieces.mended().ranges.is_empty(), "{context}: half a pouch");
            kept += 1;
        }
        // The same command clears what was left, or tells that all of it was done.
        let there = world.moved_to(Arc::new(disk.clone()));
        match packs_with(how, &disk, &there, "trip.bin", &[]) {
            Ok(_) | Err(VaultError::Store(StoreError::Exists { .. })) => {}
            Err(error) => panic!("{context}, again: {error}"),
        }
        let there_now: BTreeSet<PathBuf> = on_stick(&disk).into_iter().collect();
        let expected = made.0.iter().chain(&made.1).map(|name| Path::new("/stick").join(name));
        assert_eq!(there_now, expected.chain(mine).collect(), "{context}, again");
        assert_eq!(said(&disk, &world), ["offer", "pack"], "{context}, again");
    }
    assert!(kept > 0 && gone > 0, "both happened: {kept} {gone}");
}

#[test]
fn of_volumes_and_parity_all_stay_or_none_where_the_disk_is_full() {
    all_files_or_none(Fault::Full, Times::Once, 2);
    all_files_or_none(Fault::Full, Times::FromThenOn, 3);
}

/// Counts how often a pouch is begun.
struct Begun(AtomicU64);

impl Watch for Begun {
    fn begin(&self, stage: Stage, _: Option<u64>) {
        self.0.fetch_add(u64::from(stage == Stage::Packing), Ordering::Relaxed);
    }
    fn advance(&self, _: u64) {}
    fn stopped(&self) -> bool {
        false
    }
}

/// Three histories of one key, two of which share an entry that is not in the longest: a disk that was set back twice. Each file
/// goes into a pouch once, and is taken in once.
#[test]
fn histories_that_share_a_stretch_are_packed_and_merged() {
    let (disk, world, copy) = base(Rules::Ext4, true);
    let says = |disk: &FaultyDisk, words: &[&str]| {
        for word in words {
            with(disk, world.lawyer.machine, |setting| {
                note(setting, &request(&world.vault, &world.lawyer, None), word, None, Kind::Note)
            })
            .expect("said");
        }
    };
    let beside = disk.twin();
    says(&beside, &["shared"]);
    for (nth, (disk_then, words)) in
        [(&disk, &["a", "b", "c"][..]), (&beside, &["d"]), (&beside.twin(), &["e"])].into_iter().enumerate()
    {
        says(disk_then, words);
        for (path, bytes) in disk_then.files() {
            if let Ok(below) = path.strip_prefix(&world.vault) {
                disk.put(&world.path(&format!("copy {nth}")).join(below), &bytes);
            }
        }
    }
    for nth in 0..3 {
        let merged = merge_into(&disk, &world.reader, &copy, &world.path(&format!("copy {nth}")), false);
        assert_eq!(merged.expect("merged").forks.len(), nth, "{nth}");
    }
    let merged = merge_into(&disk, &world.reader, &world.path("older"), &copy, false).expect("merged");
    assert_eq!((merged.damaged, merged.untaken.len()), (Vec::new(), 0));
    let (to, name) =
        (Receiver { typed: "Blue Heron".into(), card: None }, RelPath::parse("forked.bin").expect("a name"));
    let packed = with(&disk, world.reader.machine, |setting| {
        let (place, told) = (request(&copy, &world.reader, None), Circumstances::default());
        pack_custody(setting, &to_stick(place, &to, &told, &name))
    });
    assert_eq!(packed.expect("packed").lacking, Vec::<String>::new());
    let pieces = Pieces::whole(&disk, Path::new("/stick/forked.bin")).expect("a pouch");
    let opened = Opened::open(pieces, &[&world.lawyer.person.keys.age]).expect("opened");
    let archive = Archive::read(opened, Path::new("pouch")).expect("each file stands in it once");
    assert!(!archive.has_gaps() && !archive.custody_is_damaged());
}

/// However many of its files are damaged, no more than one pouch is begun in vain.
#[test]
fn all_that_is_damaged_is_found_at_once() {
    let (disk, world, _) = base(Rules::Ext4, true);
    let packs = |name: &str| {
        let (begun, name) = (Begun(AtomicU64::new(0)), RelPath::parse(name).expect("a name"));
        let to = Receiver { typed: "Harbour".into(), card: None };
        let packed = with(&disk, world.lawyer.machine, |setting| {
            let Setting { disk, clock, rng, machine, .. } = setting;
            let mut setting = Setting { disk: *disk, clock: *clock, rng: &mut **rng, watch: &begun, machine: *machine };
            let (place, told) = (request(&world.vault, &world.lawyer, None), Circumstances::default());
            pack(&mut setting, &to_stick(place, &to, &told, &name))
        });
        (packed.expect("packed without them").lacking, begun.0.into_inner())
    };
    let files = disk.files().into_iter().filter(|(path, _)| path.starts_with(world.vault.join("blobs")));
    let blobs: Vec<(PathBuf, Vec<u8>)> = files.collect();
    for (blob, _) in &blobs {
        disk.put(blob, b"damaged");
    }
    // Without the lists nobody knows what else should go.
    let (lists, begun) = packs("none.bin");
    assert_eq!((lists.len(), begun), (2, 1), "{lists:?}");
    for (blob, bytes) in &blobs {
        if lists.iter().any(|list| blob.ends_with(list)) {
            disk.put(blob, bytes);
        }
    }
    let (lacking, begun) = packs("some.bin");
    assert_eq!((lacking.len(), begun), (blobs.len() - lists.len(), 2), "{lacking:?}");
}
