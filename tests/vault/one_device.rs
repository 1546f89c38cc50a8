//! Two people work with one device, each with an identity of her own: what one was interrupted in waits for her, and the other
//! clears nothing of it, whichever copy she works in.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::format::role::Role;
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::store::memory::Memory;
use amparo::store::{Disk as _, RelPath};
use amparo::vault::VaultError;
use amparo::vault::doctor::{Examination, doctor};
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::members::{AddRequest, add};
use amparo::vault::merge;

use super::merging::{carry, merge_into};
use super::people::{Device, World, device, request, with};

/// Another sealer at the lawyer's device.
fn kestrel(world: &World) -> Device {
    let Device { state, machine, .. } = &world.lawyer;
    Device { state: state.clone(), machine: *machine, ..device(&world.path(""), "Kestrel", 41) }
}

/// A disk that failed from the `nth` operation of her sealing on; `None` where that came to its end before.
fn cut_off(base: &FaultyDisk, world: &World, nth: u64) -> Option<FaultyDisk> {
    let disk = base.twin();
    disk.fail_at(disk.operations() + nth, Fault::Io, Times::FromThenOn);
    let told = world.moved_to(Arc::new(disk.clone())).seal(&[world.path("s/mine.txt")], false);
    (!told.is_ok_and(|sealing| !sealing.exhibits.is_empty())).then_some(disk)
}

#[test]
fn what_one_identity_was_sealing_the_other_does_not_clear() {
    let base = FaultyDisk::new(Rules::Ext4);
    for name in ["hers", "mine", "next"] {
        base.put(Path::new(&format!("/home/s/{name}.txt")), name.as_bytes());
    }
    let world = World::on(Arc::new(base.clone()), Path::new("/home")).expect("founded");
    with(world.disk(), world.lawyer.machine, |setting| {
        let (place, cards) = (request(&world.vault, &world.lawyer, None), [kestrel(&world).person.card().clone()]);
        add(setting, &AddRequest { place, cards: &cards, roles: &[Role::Sealer], handle: Some("S4".into()) })
    })
    .expect("admitted");
    let before: BTreeSet<PathBuf> = base.files().into_iter().map(|(path, _)| path).collect();
    let (mut carried_out, mut nth) = (0, 0);
    while let Some(disk) = cut_off(&base, &world, nth) {
        let left = disk.crash(nth);
        // In another copy as well: nothing of hers goes there without what it covers.
        carry(&left, &world.vault, &world.path("other"), |path| before.contains(&world.vault.join(path)));
        for copy in [&world.path("other"), &world.vault] {
            let mut kestrels = world.moved_to(Arc::new(left.clone()));
            kestrels.lawyer = kestrel(&world);
            kestrels.vault.clone_from(copy);
            // The log that she wrote in the other copy is not in this one until it is merged.
            let sealed = kestrels.seal(&[world.path("s/hers.txt")], false);
            if let Err(VaultError::OlderCopy { .. }) = sealed {
                merge_into(&left, &kestrels.lawyer, copy, &world.path("other"), false).expect("merged");
                kestrels.seal(&[world.path("s/hers.txt")], false).expect("sealed");
            }
        }
        let lawyer = world.moved_to(Arc::new(left));
        lawyer.seal(&[world.path("s/next.txt")], false).expect("sealed");
        let found = lawyer.verify(&lawyer.lawyer).expect("verified");
        assert_eq!(found.verdict, Verdict::Valid, "{nth}: {:#?}", found.findings);
        assert!(found.exhibits == 3 || found.exhibits == 4, "{nth}");
        carried_out += u64::from(found.exhibits == 4);
        nth += 1;
    }
    assert!(carried_out > 0, "of {nth} interruptions none came after the change was written down");
}

/// As a stick that is mounted under another path the next time: what was whole may be somebody's, what is torn is nobody's.
#[test]
fn a_folder_that_moved_in_the_middle_of_a_sealing_keeps_nothing_torn() {
    let base = FaultyDisk::new(Rules::ExFat);
    for name in ["mine", "next"] {
        base.put(Path::new(&format!("/home/s/{name}.txt")), name.as_bytes());
    }
    let world = World::on(Arc::new(base.clone()), Path::new("/home")).expect("founded");
    let (moved, mut torn, mut whole, mut nth) = (world.path("moved"), 0, 0, 0);
    while let Some(disk) = cut_off(&base, &world, nth) {
        for seed in 0..4 {
            let left = disk.crash(4 * nth + seed);
            carry(&left, &world.vault, &moved, |_| true);
            let mut there = world.moved_to(Arc::new(left));
            there.vault.clone_from(&moved);
            let before = there.verify(&there.monitor).expect("verified");
            torn += u64::from(before.verdict == Verdict::Invalid);
            there.seal(&[world.path("s/next.txt")], false).expect("sealed");
            for who in [&there.lawyer, &there.monitor] {
                let found = there.verify(who).expect("verified");
                let foreign = found.findings.iter().all(|finding| finding.check == Check::Foreign);
                assert!(foreign && found.verdict != Verdict::Invalid, "{nth}, {seed}: {:#?}", found.findings);
            }
            // What is whole goes when she says that nothing covers it.
            let cleared = with(there.disk(), there.lawyer.machine, |setting| {
                merge::clear(setting, &request(&moved, &there.lawyer, None))
            });
            whole += cleared.expect("cleared").removed;
            let found = there.verify(&there.monitor).expect("verified");
            assert_eq!(found.verdict, Verdict::Valid, "{nth}, {seed}: {:#?}", found.findings);
        }
        nth += 1;
    }
    assert!(
        torn > 0 && whole > 0,
        "of {nth} interruptions {torn} tore what a monitor then sees, {whole} files were whole"
    );
}

/// A bit turned in what the device remembers: no evidence goes for it, nothing is called changed, and its own log goes on.
#[test]
fn a_bit_that_turned_in_the_memory_costs_nothing() {
    let base = FaultyDisk::new(Rules::ExFat);
    for name in ["mine", "next"] {
        base.put(Path::new(&format!("/home/s/{name}.txt")), name.as_bytes());
    }
    let world = World::on(Arc::new(base.clone()), Path::new("/home")).expect("founded");
    world.seal(&[world.path("s/mine.txt")], false).expect("sealed");
    let Device { state, machine, person, .. } = &world.lawyer;
    let (vault, of_vault) = (world.created.vault, state.join(world.created.vault.to_string()));
    let memory = Memory::open_to_write(world.disk(), state, *machine).expect("a memory").of_copy(&world.vault);
    let is_blob = |path: &PathBuf| path.starts_with(world.vault.join("blobs"));
    let blobs = base.files().into_iter().map(|(path, _)| path).filter(is_blob);
    let names = blobs.map(|path| path.strip_prefix(&world.vault).expect("below").display().to_string());
    // exFAT knows no case: each of these names a file that lies here, and that a sealing names otherwise.
    let turned = names.flat_map(|name| {
        let letters: Vec<usize> =
            name.match_indices(|digit: char| digit.is_ascii_lowercase()).map(|(at, _)| at).collect();
        letters.into_iter().map(move |at| [&name[..at], &name[at..=at].to_uppercase(), &name[at + 1..]].concat())
    });
    let turned: Vec<RelPath> = turned.map(|name| RelPath::parse(&name).expect("a path")).collect();
    assert!(turned.len() > 50 && turned.iter().all(|path| base.stat(&world.vault.join(path)).is_ok()));
    memory.intend(&vault, &person.member(), [7; 8], &turned).expect("remembered");
    let (seen, note) =
        base.files().into_iter().find(|(path, _)| path.starts_with(of_vault.join("seen"))).expect("a state");
    for at in 0..note.len() {
        let disk = base.twin();
        let mut bad = note.clone();
        bad[at] ^= 1 << (at % 8);
        disk.put(&seen, &bad);
        let there = world.moved_to(Arc::new(disk.clone()));
        let remembered = Memory::open(&disk, state, *machine).and_then(|memory| memory.seen(&vault)).expect("read");
        assert!(remembered.is_empty(), "{at}");
        if at % 97 > 0 {
            continue;
        }
        there.seal(&[there.path("s/next.txt")], false).expect("sealed");
        for who in [&there.lawyer, &there.reader] {
            let found = there.verify(who).expect("verified");
            assert_eq!((found.verdict, found.exhibits), (Verdict::Valid, 2), "{at}: {:#?}", found.findings);
        }
        there.open(&there.reader, "K7-0001", &there.path("out")).expect("opened");
        there.open(&there.reader, "K7-0002", &there.path("out")).expect("opened");
    }
}

/// What a device remembers of a longer record is spoilt: it still knows that there was more.
#[test]
fn a_bit_that_turned_in_the_memory_hides_no_older_copy() {
    let disk = FaultyDisk::new(Rules::Ext4);
    for name in ["mine", "next"] {
        disk.put(Path::new(&format!("/home/s/{name}.txt")), name.as_bytes());
    }
    let world = World::on(Arc::new(disk.clone()), Path::new("/home")).expect("founded");
    world.seal(&[world.path("s/mine.txt")], false).expect("sealed");
    carry(&disk, &world.vault, &world.path("older"), |_| true);
    world.seal(&[world.path("s/next.txt")], false).expect("sealed");
    let seen = |who: &Device| who.state.join(world.created.vault.to_string()).join("seen");
    for who in [&world.reader, &world.monitor] {
        assert_eq!(world.verify(who).expect("verified").verdict, Verdict::Valid);
        let states = disk.files().into_iter().filter(|(path, _)| path.starts_with(seen(who)));
        let states: Vec<(PathBuf, Vec<u8>)> = states.collect();
        assert!(!states.is_empty());
        for (path, mut note) in states {
            note[100] ^= 1;
            disk.put(&path, &note);
        }
        let found = world.verify_at(&world.path("older"), who).expect("verified");
        let is_behind = found.findings.iter().any(|finding| finding.check == Check::Behind);
        assert!(is_behind && found.verdict == Verdict::Incomplete, "{:#?}", found.findings);
        // A whole copy is whole, and by it the memory is mended.
        assert_eq!(world.verify(who).expect("verified").verdict, Verdict::Valid);
    }
}

/// Her identity is gone from the device, or it is somebody else's turn who opens nothing: what was begun is told all the same.
#[test]
fn what_was_begun_is_told_to_whoever_cannot_tell_whether_it_counts() {
    let base = FaultyDisk::new(Rules::Ext4);
    base.put(Path::new("/home/s/mine.txt"), b"mine");
    let world = World::on(Arc::new(base.clone()), Path::new("/home")).expect("founded");
    let advice = |disk: &FaultyDisk| {
        let (stranger, identity) = (kestrel(&world), world.path("nothing"));
        let advice = with(disk, stranger.machine, |setting| {
            let place = request(&world.vault, &stranger, None);
            doctor(setting, &Examination { place, identity: &identity, here: &world.path("") })
        });
        advice.expect("examined").into_iter().map(|one| one.text).collect::<Vec<_>>().join("\n")
    };
    assert!(!advice(&base).contains("nobody can tell"));
    let blobs =
        |disk: &FaultyDisk| disk.files().iter().filter(|(path, _)| path.starts_with(world.vault.join("blobs"))).count();
    let (mut told, mut nth) = (0, 0);
    while let Some(disk) = cut_off(&base, &world, nth) {
        disk.heal();
        if blobs(&disk) > blobs(&base) {
            let advice = advice(&disk);
            assert!(advice.contains("nobody can tell which of them count"), "{nth}: {advice}");
            told += 1;
        }
        nth += 1;
    }
    assert!(told > 0, "of {nth} faults none left a sealed file");
}
