//! Cosigning and taking cosignatures in, on failing disks, on other disks than they were made on, and many at once.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use amparo::format::cosignatures;
use amparo::format::note::Note;
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::vault::VaultError;
use amparo::vault::cosign::make::{Cosigned, cosign};
use amparo::vault::cosign::take::{Taken, take};
use amparo::vault::findings::Verdict;
use amparo::vault::session::Trust;
use amparo::vault::verify::{Verified, VerifyRequest};

use super::forge::{MONITOR, Pen, admit, founded};
use super::forged::{cosigned_by, put_cosignature};
use super::merging::carry;
use super::people::{Device, World, request, with};

const ROOT: &str = "/home";

fn founded_on(rules: Rules) -> (FaultyDisk, World) {
    let disk = FaultyDisk::new(rules);
    disk.put(Path::new("/home/s/first.txt"), b"the first");
    let world = World::on(Arc::new(disk.clone()), Path::new(ROOT)).expect("founded");
    world.seal(&[world.path("s/first.txt")], false).expect("sealed");
    (disk, world)
}

fn cosigning(disk: &FaultyDisk, world: &World, who: &Device) -> Result<(Verified, Cosigned), VaultError> {
    let trust = Trust::VaultId(world.created.vault);
    with(disk, who.machine, |setting| {
        let place = request(&world.vault, who, Some(&trust));
        cosign(setting, &VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] })
            .map(|(verified, cosigned, _)| (verified, cosigned))
    })
}

fn taking(disk: &FaultyDisk, world: &World, who: &Device, notes: &[Note]) -> Result<Taken, VaultError> {
    let trust = Trust::VaultId(world.created.vault);
    with(disk, who.machine, |setting| take(setting, &request(&world.vault, who, Some(&trust)), notes))
}

/// Does something with one fault at each operation in turn, then cuts the power, and looks at what is left.
fn at_every_operation(
    base: &FaultyDisk,
    world: &World,
    act: impl Fn(&FaultyDisk, &World) -> bool,
    after: impl Fn(&FaultyDisk, &World, bool, &str),
) {
    let rehearsal = base.crash(0);
    let before = rehearsal.operations();
    assert!(act(&rehearsal, &world.moved_to(Arc::new(rehearsal.clone()))), "nothing fails in the rehearsal");
    let operations = rehearsal.operations() - before;
    assert!(operations > 10, "{operations} operations");
    for (fault, times) in [(Fault::Io, Times::FromThenOn), (Fault::ShortWrite, Times::Once)] {
        for nth in 0..operations {
            let disk = base.crash(0);
            disk.fail_at(disk.operations() + nth, fault, times);
            let there = world.moved_to(Arc::new(disk.clone()));
            let told = act(&disk, &there);
            disk.heal();
            let disk = disk.crash(nth);
            let there = world.moved_to(Arc::new(disk.clone()));
            after(&disk, &there, told, &format!("{fault:?} {times:?} at {nth} of {operations}"));
        }
    }
}

#[test]
fn a_power_cut_while_cosigning_leaves_all_of_it_or_nothing() {
    let (base, world) = founded_on(Rules::Ext4);
    at_every_operation(
        &base,
        &world,
        |disk, there| cosigning(disk, there, &there.monitor).is_ok_and(|(_, made)| made.signed.len() == 1),
        |disk, there, told, context| {
            let seen = there.verify(&there.monitor).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!(seen.verdict, Verdict::Valid, "{context}: {:?}", seen.findings);
            if told {
                assert_eq!(seen.covered_exhibits, 1, "{context}");
            }
            let (again, made) =
                cosigning(disk, there, &there.monitor).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!((again.verdict, again.covered_exhibits), (Verdict::Valid, 1), "{context}: {:?}", again.findings);
            assert_eq!(made.signed.len() + made.before.len(), 1, "{context}");
            let seen = there.verify(&there.reader).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!((seen.verdict, seen.covered_exhibits), (Verdict::Valid, 1), "{context}: {:?}", seen.findings);
        },
    );
}

#[test]
fn a_power_cut_while_taking_in_leaves_nothing_that_does_not_hold() {
    let (base, world) = founded_on(Rules::Ext4);
    let elsewhere = base.crash(0);
    let there = world.moved_to(Arc::new(elsewhere.clone()));
    let (_, made) = cosigning(&elsewhere, &there, &there.monitor).expect("cosigned");
    let notes = made.notes();
    at_every_operation(
        &base,
        &world,
        |disk, there| taking(disk, there, &there.lawyer, &notes).is_ok(),
        |disk, there, told, context| {
            let seen = there.verify(&there.lawyer).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!(seen.verdict, Verdict::Valid, "{context}: {:?}", seen.findings);
            assert!(!told || seen.covered_exhibits == 1, "{context}");
            // Whatever is done next on this device, nothing torn is left for others to find, wherever the folder lies by then.
            let moved = disk.twin();
            carry(&moved, &there.vault, &there.path("moved"), |_| true);
            for vault in [there.vault.clone(), there.path("moved")] {
                let mut next = there.moved_to(Arc::new(moved.twin()));
                next.vault = vault;
                next.seal(&[next.path("s/first.txt")], false).unwrap_or_else(|error| panic!("{context}: {error}"));
                let seen = next.verify(&next.reader).unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!(seen.verdict, Verdict::Valid, "{context}: {:?}", seen.findings);
            }
            let again = taking(disk, there, &there.lawyer, &notes).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!(again.added.len() + again.here.len(), 1, "{context}");
            // What was acknowledged stays, whatever is done next on this device.
            there.seal(&[there.path("s/first.txt")], false).unwrap_or_else(|error| panic!("{context}: {error}"));
            for who in [&there.lawyer, &there.reader] {
                let seen = there.verify(who).unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!(
                    (seen.verdict, seen.covered_exhibits),
                    (Verdict::Valid, 1),
                    "{context}: {:?}",
                    seen.findings
                );
            }
        },
    );
}

#[test]
fn a_longer_state_that_was_once_taken_in_is_remembered() {
    let (base, world) = founded_on(Rules::Ext4);
    let newer = base.crash(0);
    let there = world.moved_to(Arc::new(newer.clone()));
    there.seal(&[there.path("s/first.txt")], false).expect("sealed");
    let (_, made) = cosigning(&newer, &there, &there.monitor).expect("cosigned");
    taking(&base, &world, &world.reader, &made.notes()).expect("taken");
    for path in
        base.files().into_iter().map(|(path, _)| path).filter(|path| path.to_string_lossy().contains("/cosign/"))
    {
        let folder = amparo::store::Disk::folder(&base, path.parent().expect("a folder")).expect("it is there");
        let name = amparo::store::RelPath::parse(path.file_name().expect("a name")).expect("a name");
        folder.remove_all(&[name]).expect("removed");
    }
    // Whoever takes the file away again does not make this device forget.
    let seen = world.verify(&world.reader).expect("verified");
    assert_eq!(seen.verdict, Verdict::Incomplete, "{:?}", seen.findings);
    assert_eq!(world.verify(&world.lawyer).expect("verified").verdict, Verdict::Valid);
}

#[test]
fn the_text_of_many_is_taken_as_a_whole() {
    let (base, world) = founded_on(Rules::ExFat);
    world.open(&world.reader, "K7-0001", Path::new("/home/opened")).expect("opened");
    let elsewhere = base.crash(0);
    let there = world.moved_to(Arc::new(elsewhere.clone()));
    let (_, made) = cosigning(&elsewhere, &there, &there.monitor).expect("cosigned");
    assert_eq!(made.signed.len(), 2, "the lawyer's log and the reader's");
    let text = cosignatures::print(&made.notes());
    let notes = cosignatures::parse(text.as_bytes()).expect("own text");
    assert_eq!(taking(&base, &world, &world.lawyer, &notes).expect("taken").added.len(), 2);
    assert_eq!(world.verify(&world.reader).expect("verified").verdict, Verdict::Valid);
}

/// So many logs, each cosigned by each of so many monitors, and how long a check of them takes.
fn many(logs: u8, monitors: u8) {
    let (forge, mut founder) = founded();
    let who: Vec<u8> = (0..monitors).map(|number| 110 + number).collect();
    for monitor in &who {
        founder.say(&forge, &[], admit(*monitor, &["monitor"]));
    }
    let mut pens = vec![founder.clone()];
    for number in 1..logs {
        let mut pen = Pen::begin(forge.vault, MONITOR, &format!("M{number}"));
        pen.say(&forge, &[founder.head()], super::forge::note("here"));
        pens.push(pen);
    }
    for pen in &pens {
        for monitor in &who {
            put_cosignature(&forge, pen.id, &cosigned_by(pen, *monitor));
        }
    }
    let begun = Instant::now();
    let verified = forge.finds(&[]);
    let taken = begun.elapsed();
    assert!(verified.logs.iter().all(|log| log.coverage.signed_by.len() == usize::from(monitors)));
    assert!(taken.as_secs() < 60, "{} cosignatures took {taken:?}", u32::from(logs) * u32::from(monitors));
}

#[test]
fn a_dozen_logs_and_monitors_are_checked_at_once() {
    many(12, 12);
}

#[test]
#[ignore = "a minute to make; run it when the check of cosignatures changes"]
fn a_hundred_logs_and_monitors_are_checked_in_seconds() {
    many(100, 100);
}
