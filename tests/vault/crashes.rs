//! Power cuts and failing disks at every operation: what was acknowledged is there and opens, the rest is as if it had
//! never been begun, and the next command goes on.

use std::path::Path;
use std::sync::Arc;

use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::vault::findings::Verdict;

use super::people::World;

const ROOT: &str = "/home";

fn founded(rules: Rules) -> (FaultyDisk, World) {
    let disk = FaultyDisk::new(rules);
    disk.put(Path::new("/home/s/first.txt"), b"the first");
    disk.put(Path::new("/home/s/second.txt"), b"the second");
    let world = World::on(Arc::new(disk.clone()), Path::new(ROOT)).expect("founded");
    world.seal(&[world.path("s/first.txt")], false).expect("sealed");
    (disk, world)
}

/// Seals with one fault at each operation in turn; then the power is cut.
fn survives(rules: Rules, fault: Fault, times: Times, cut: bool) {
    let (base, world) = founded(rules);
    let rehearsal = base.crash(0);
    let before = rehearsal.operations();
    let there = world.moved_to(Arc::new(rehearsal.clone()));
    there.seal(&[there.path("s/second.txt")], false).expect("nothing fails in the rehearsal");
    let operations = rehearsal.operations() - before;
    assert!(operations > 20, "{operations} operations");
    for nth in 0..operations {
        let disk = base.crash(0);
        disk.fail_at(disk.operations() + nth, fault, times);
        let there = world.moved_to(Arc::new(disk.clone()));
        let told = there.seal(&[there.path("s/second.txt")], false);
        disk.heal();
        let after = if cut { disk.crash(nth) } else { disk };
        let there = world.moved_to(Arc::new(after));
        let context = format!("{rules:?} {fault:?} {times:?} at {nth} of {operations}: {told:?}");

        let seen = there.verify(&there.lawyer).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(seen.verdict, Verdict::Valid, "{context}: {:?}", seen.findings);
        let acknowledged = told.as_ref().map_or(0, |sealed| sealed.exhibits.len());
        assert!(seen.exhibits > acknowledged as u64, "{context}: {} exhibits", seen.exhibits);

        let again =
            there.seal(&[there.path("s/first.txt")], false).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(again.failure.is_none(), "{context}");
        let stranger = there.verify(&there.reader).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(stranger.verdict, Verdict::Valid, "{context}: {:?}", stranger.findings);
        assert!(stranger.exhibits >= 2 + acknowledged as u64, "{context}");
    }
}

#[test]
fn a_power_cut_at_any_operation_costs_nothing_that_was_acknowledged() {
    for rules in [Rules::Ext4, Rules::ExFat] {
        survives(rules, Fault::Io, Times::FromThenOn, true);
    }
}

#[test]
fn a_full_disk_or_a_failed_sync_leaves_the_vault_whole() {
    for fault in [Fault::Full, Fault::Io, Fault::Sync, Fault::ShortWrite] {
        survives(Rules::Ext4, fault, Times::Once, true);
    }
}

#[test]
fn a_power_cut_while_founding_leaves_a_vault_or_none() {
    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/home/s/first.txt"), b"the first");
    let before = disk.operations();
    World::on(Arc::new(disk.clone()), Path::new(ROOT)).expect("founded");
    let operations = disk.operations() - before;
    for nth in 0..operations {
        let disk = FaultyDisk::new(Rules::Ext4);
        disk.put(Path::new("/home/s/first.txt"), b"the first");
        disk.fail_at(disk.operations() + nth, Fault::Io, Times::FromThenOn);
        let told = World::on(Arc::new(disk.clone()), Path::new(ROOT));
        disk.heal();
        let after = disk.crash(nth);
        if let Ok(world) = told {
            let there = world.moved_to(Arc::new(after));
            assert_eq!(there.verify(&there.monitor).expect("verified").verdict, Verdict::Valid, "{nth}");
        }
    }
}
