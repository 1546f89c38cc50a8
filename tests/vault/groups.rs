//! More small files than one entry covers: while the first entry is written, the next files have their numbers already. Whatever
//! becomes of those, the first entry stands with all that it covers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::vault::findings::Verdict;
use amparo::vault::{Stage, Watch};

use super::people::{Stopped, World};

const FILES: usize = 4_600;
/// What one entry covers of these.
const FIRST: u64 = 4_095;

/// A vault on a disk that can fail, and a folder of so many tiny files.
fn world() -> (FaultyDisk, World, PathBuf) {
    let disk = FaultyDisk::new(Rules::Ext4);
    for number in 0..FILES {
        disk.put(Path::new(&format!("/home/scans/{number:04}")), number.to_string().as_bytes());
    }
    let world = World::on(Arc::new(disk.clone()), Path::new("/home")).expect("founded");
    let scans = world.path("scans");
    (disk, world, scans)
}

#[test]
fn a_disk_that_fails_after_the_first_entry_takes_nothing_of_it() {
    let (disk, world, scans) = world();
    let mut told = 0;
    let sealing = world.seal_watched(&[scans], &Stopped, &Stopped, &mut || {
        told += 1;
        if told == 1 {
            disk.fail_at(disk.operations(), Fault::Io, Times::FromThenOn);
        }
    });
    let sealing = sealing.expect("the first entry stands");
    assert_eq!((sealing.count, told), (FIRST, FIRST));
    assert!(sealing.failure.is_some());
    assert_eq!(sealing.skipped.len() as u64, FILES as u64 - FIRST, "each that is left is named");
    disk.heal();
    for left in [disk.twin(), disk.crash(3)] {
        let world = world.moved_to(Arc::new(left.clone()));
        let found = world.verify(&world.lawyer).expect("verified");
        assert_eq!((found.verdict, found.exhibits), (Verdict::Valid, FIRST), "{:#?}", found.findings);
        // Numbers go on where they stood.
        left.put(Path::new("/home/more"), b"more");
        let more = world.seal(&[world.path("more")], false).expect("sealed");
        assert_eq!(more.exhibits[0].id, format!("K7-{}", FIRST + 1));
        let found = world.verify(&world.lawyer).expect("verified");
        assert_eq!((found.verdict, found.exhibits), (Verdict::Valid, FIRST + 1), "{:#?}", found.findings);
    }
}

#[test]
fn numbers_run_on_over_two_entries_and_each_file_has_its_own() {
    let (_, world, scans) = world();
    let sealing = world.seal_watched(&[scans], &Stopped, &Stopped, &mut || ()).expect("sealed");
    let labels: Vec<String> = (1..=FILES).map(|number| format!("K7-{number:04}")).collect();
    assert_eq!(sealing.exhibits.iter().map(|exhibit| exhibit.id.clone()).collect::<Vec<_>>(), labels);
    let mut sources: Vec<&[u8]> = sealing.exhibits.iter().map(|exhibit| exhibit.source.as_slice()).collect();
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(sources.len(), FILES);
    let found = world.verify(&world.reader).expect("verified");
    assert_eq!((found.verdict, found.exhibits), (Verdict::Valid, FILES as u64), "{:#?}", found.findings);
}

/// Makes what comes behind the first entry grow between the look at it and its reading.
struct Growing(FaultyDisk);

impl Watch for Growing {
    fn begin(&self, stage: Stage, _: Option<u64>) {
        if stage == Stage::Sealing {
            for number in 4_100..4_120 {
                self.0.put(Path::new(&format!("/home/scans/{number:04}")), &vec![7; 3 << 20]);
            }
        }
    }

    fn advance(&self, _: u64) {}

    fn stopped(&self) -> bool {
        false
    }
}

#[test]
fn files_that_grow_while_an_entry_is_written_wait_for_it() {
    let (disk, world, scans) = world();
    let sealing = world.seal_watched(&[scans], &Stopped, &Growing(disk), &mut || ()).expect("sealed");
    assert_eq!((sealing.count, sealing.skipped.len()), (FILES as u64, 0));
    assert_eq!(sealing.exhibits.iter().filter(|exhibit| exhibit.bytes == 3 << 20).count(), 20);
    let found = world.verify(&world.reader).expect("verified");
    assert_eq!((found.verdict, found.exhibits), (Verdict::Valid, FILES as u64), "{:#?}", found.findings);
}
