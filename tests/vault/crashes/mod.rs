//! Power cuts and failing disks at every operation of every command that writes ([`acts`]), under one judge ([`judge`]); and
//! programs with a planted fault, which it must see ([`plants`]). `AMPARO_SOAK=N` looks for N times as many states,
//! `AMPARO_CUTS` says how many different ones after a power cut, `AMPARO_FAULTS` how many runs on a failing disk, and
//! `AMPARO_ACTS` with what the names of the acts begin that are tried. In every run each operation of each act fails once,
//! by the rules of one file system or the other; from `AMPARO_SOAK=2` on by those of both, more than once, and in pairs.

mod acts;
mod cuts;
mod judge;
mod plants;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::thread;

use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times, Turned};

use super::agreement::dice::Dice;
use crate::soak;
use acts::Act;
use cuts::{Cuts, cuts};
use judge::{Program, Stage, Told, papers_are_as_written};

/// Different states after a power cut that every run looks at, by each kind of file system.
const CUTS: u64 = 9_000;
/// For each of them so many are drawn at most: of some acts there are few.
const DRAWN_FOR_EACH: u64 = 16;
/// So many that differ there must be.
const DEMANDED: u64 = 5_000;
/// Where every operation fails in turn, others are shown what came of it after one in so many.
const SHOWN: usize = 4;
/// Runs of each of seven commands on a disk that turns a bit.
const FLIPS: u64 = 40;
/// Runs of each command that writes a paper on such a disk, and as many again where the bit is the paper's.
const PAPER_FLIPS: u64 = 6;

const KINDS: [(Fault, Times); 12] = [
    (Fault::Io, Times::Once),
    (Fault::Io, Times::FromThenOn),
    (Fault::Full, Times::Once),
    (Fault::Full, Times::FromThenOn),
    (Fault::ReadOnly, Times::Once),
    (Fault::ReadOnly, Times::FromThenOn),
    (Fault::ShortWrite, Times::Once),
    (Fault::ShortWrite, Times::FromThenOn),
    (Fault::Sync, Times::Once),
    (Fault::Sync, Times::FromThenOn),
    (Fault::Interrupted, Times::Once),
    (Fault::Interrupted, Times::FromThenOn),
];

/// What was looked at, and what did not hold.
#[derive(Default)]
struct Found {
    /// What was drawn, or run.
    states: u64,
    /// Of these, what differs from all others, and in what something failed: it was looked at.
    judged: u64,
    /// Of these, what left what another failure had left: that was judged once.
    again: u64,
    /// The bits that turned.
    turned: Vec<Turned>,
    faults: Vec<String>,
}

impl Found {
    fn note(&mut self, context: impl FnOnce() -> String, outcome: Result<(), String>) {
        if let Err(fault) = outcome {
            self.faults.push(format!("{}: {fault}", context()));
        }
    }
}

fn act(name: &str) -> &'static Act {
    acts::every().find(|act| act.name == name).expect("an act of that name")
}

fn unchanged(disk: FaultyDisk) -> std::sync::Arc<dyn amparo::store::Disk> {
    std::sync::Arc::new(disk)
}

/// Where something fails.
#[derive(Clone, Copy)]
enum Runs {
    /// So often, at evenly spread operations.
    Spread(u64),
    /// At each operation so often; after once also at two.
    Each(u64),
    /// At every other operation, from this one on.
    EveryOther(u64),
    /// At one operation so often.
    At(u64, u64),
}

impl Runs {
    fn places(self, operations: u64, dice: &mut Dice) -> Vec<u64> {
        match self {
            Self::Spread(runs) if runs < operations => {
                (0..runs).map(|run| (run * operations + dice.number() % operations) / runs).collect()
            }
            Self::Spread(runs) => (0..runs).map(|run| run % operations).collect(),
            Self::Each(times) => (0..times * operations).map(|run| run % operations).collect(),
            Self::EveryOther(first) => (first..operations).step_by(2).collect(),
            Self::At(nth, times) => (0..times).map(|_| nth).collect(),
        }
    }
}

/// Lets something fail at operations of an act; then the power may be cut.
fn failing(act: &'static Act, rules: Rules, program: Program, kinds: &[(Fault, Times)], runs: Runs) -> Found {
    let stage = Stage::set(act, rules, program);
    let rehearsal = stage.base.twin();
    let done = (act.run)(&stage.program_on(&rehearsal), &mut || ());
    assert!(matches!(done, Ok(true)), "{}: nothing fails in the rehearsal: {done:?}", act.name);
    let operations = rehearsal.operations();
    let (Runs::Spread(number) | Runs::Each(number) | Runs::EveryOther(number) | Runs::At(number, _)) = runs;
    let mut dice = Dice::new(soak::seed(), number ^ act.name.len() as u64);
    let (mut found, mut judged) = (Found::default(), HashMap::new());
    for (run, nth) in runs.places(operations, &mut dice).into_iter().enumerate() {
        let (fault, times) = match *dice.one(kinds) {
            (Fault::Flip(_), times) => (Fault::Flip(dice.number()), times),
            other => other,
        };
        let disk = stage.base.twin();
        disk.fail_at(nth, fault, times);
        // A long run tries pairs as well, when each has failed alone; of bits, one turns.
        let is_pair = run as u64 >= operations && !matches!(fault, Fault::Flip(_)) && dice.percent(30);
        let second = is_pair.then(|| nth + 1 + dice.number() % (operations - nth).max(1));
        if let Some(second) = second {
            disk.fail_at(second, dice.one(kinds).0, Times::Once);
        }
        let (mut acknowledged, mut promise) = (0, Ok(None));
        let mut acknowledge = || {
            acknowledged += 1;
            let promised = stage.promised(&disk.twin(), acknowledged).map(Some);
            promise = std::mem::replace(&mut promise, Ok(None)).and(promised);
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| (act.run)(&stage.program_on(&disk), &mut acknowledge)));
        disk.heal();
        found.states += 1;
        found.turned.extend(disk.turned());
        let Ok(outcome) = outcome else {
            found
                .faults
                .push(format!("{}, {rules:?}, {fault:?} {times:?} at {nth} of {operations}: it panics", act.name));
            continue;
        };
        // Only the medium tells what it holds.
        let (is_cut, seed) = (dice.percent(50) || matches!(fault, Fault::Flip(_)), dice.number());
        let context = || {
            let then = if is_cut { ", then the power" } else { "" };
            format!(
                "{}, {rules:?}, {fault:?} {times:?} at {nth} of {operations}{then}, seed {seed}: {outcome:?}",
                act.name
            )
        };
        let told = match outcome {
            Ok(true) => Told::Done,
            Ok(false) => Told::InPart,
            Err(_) => Told::Nothing,
        };
        let held = (|| {
            let mut promise = promise?;
            if told == Told::Done {
                let done = stage.promised(&disk, acknowledged)?;
                stage.has(&done, promise.as_ref())?;
                promise = Some(done);
            }
            let left = if is_cut { disk.crash(seed) } else { disk.twin() };
            if told == Told::Done && matches!(fault, Fault::Flip(_)) {
                papers_are_as_written(&disk, &left)?;
            }
            let is_shown = run % SHOWN == 0 || !matches!(runs, Runs::EveryOther(_));
            // Where something fails early it often leaves what another failure left: once is enough.
            let was_shown = judged.entry((left.print(), told, promise.clone()));
            if let Entry::Occupied(was_shown) = &was_shown
                && (!is_shown || *was_shown.get())
            {
                found.again += 1;
                return Ok(());
            }
            was_shown.insert_entry(is_shown);
            found.judged += u64::from(disk.struck() > 0);
            stage.holds(&left.twin(), told, promise.as_ref())?;
            stage.goes_on(&left, told, promise.as_ref(), (seed, is_shown))
        })();
        found.note(context, held);
    }
    found
}

fn nothing_was_found(what: &str, rules: Rules, found: &[Found]) {
    let sum = |of: fn(&Found) -> u64| found.iter().map(of).sum::<u64>();
    let (states, judged, again) = (sum(|found| found.states), sum(|found| found.judged), sum(|found| found.again));
    soak::tell(&format!(
        "{what}, {rules:?}: {states} states, {judged} of them looked at, {again} as another had left it, seed {}",
        soak::seed()
    ));
    let faults: Vec<&String> = found.iter().flat_map(|found| &found.faults).collect();
    assert!(faults.is_empty(), "{} of {states}: {:#?}", faults.len(), &faults[..faults.len().min(20)]);
}

/// What is found of each act; on all cores.
fn of_each_act(look: &(dyn Fn(&'static Act) -> Found + Sync)) -> Vec<Found> {
    let left = Mutex::new(acts::all());
    let next = || left.lock().expect("no thread panicked").next();
    let work = || std::iter::from_fn(next).map(look).collect::<Vec<Found>>();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("it does not panic")).collect()
    })
}

fn power_cuts(rules: Rules) {
    let each = soak::count("AMPARO_CUTS", CUTS).div_ceil(acts::all().count() as u64);
    let wanted = Cuts { judged: each, drawn_max: each.saturating_mul(DRAWN_FOR_EACH) };
    let found = of_each_act(&|act| cuts(act, rules, unchanged, wanted));
    nothing_was_found("power cuts", rules, &found);
    let judged: u64 = found.iter().map(|found| found.judged).sum();
    let is_whole = soak::count("AMPARO_CUTS", CUTS) >= CUTS && acts::all().count() == acts::every().count();
    assert!(judged >= DEMANDED || !is_whole, "only {judged} states differ");
}

fn failing_disks(rules: Rules) {
    let runs = match (soak::count("AMPARO_FAULTS", 0), soak::times()) {
        // Both file systems at each operation take twice the minutes that every run has for it.
        (0, 1) => Runs::EveryOther((soak::seed() + u64::from(rules == Rules::ExFat)) % 2),
        (0, times) => Runs::Each(times),
        (faults, _) => Runs::Spread(faults.div_ceil(acts::all().count() as u64)),
    };
    let found = of_each_act(&|act| failing(act, rules, unchanged, &KINDS, runs));
    nothing_was_found("failing disks", rules, &found);
}

#[test]
fn a_power_cut_at_any_operation_costs_nothing_that_was_acknowledged() {
    let _row = soak::row(2);
    power_cuts(Rules::Ext4);
}

#[test]
fn a_power_cut_on_exfat_costs_nothing_that_was_acknowledged() {
    let _row = soak::row(2);
    power_cuts(Rules::ExFat);
}

#[test]
fn a_full_disk_or_a_failed_sync_leaves_the_vault_whole() {
    let _row = soak::row(3);
    failing_disks(Rules::Ext4);
}

#[test]
fn a_failing_disk_on_exfat_leaves_the_vault_whole() {
    let _row = soak::row(3);
    failing_disks(Rules::ExFat);
}

/// What was given up after a sync that failed was removed in the system's memory alone, and must not come back after a power cut
/// when nobody remembers any more whose it was.
#[test]
fn what_was_given_up_after_a_failed_sync_does_not_come_back() {
    let _row = soak::row(2);
    let stage = Stage::set(act("seal"), Rules::Ext4, unchanged);
    let rehearsal = stage.base.twin();
    assert!((stage.act.run)(&stage.program_on(&rehearsal), &mut || ()).is_ok());
    let mut found = Found::default();
    // The next sync fails: several operations in a row are one fault.
    for nth in (0..rehearsal.operations()).step_by(5) {
        let disk = stage.base.twin();
        disk.fail_at(nth, Fault::Sync, Times::Once);
        if (stage.act.run)(&stage.program_on(&disk), &mut || ()).is_ok() {
            continue;
        }
        disk.heal();
        for seed in 0..5 {
            found.states += 1;
            found.note(
                || format!("a sync failed at {nth}, seed {seed}"),
                stage.goes_on(&disk.twin(), Told::Nothing, None, (seed, true)),
            );
        }
    }
    assert!(found.states > 0);
    found.judged = found.states;
    nothing_was_found("power cuts after a failed sync", Rules::Ext4, &[found]);
}

/// A medium that stumbles once, wherever that is: what it hides for a moment is not taken for absent. Of a removal that is
/// to whom a key was given; of a pouch, the signed state of a log.
#[test]
fn what_a_medium_hides_for_a_moment_is_not_taken_for_absent() {
    let _row = soak::row(3);
    let found = match soak::times() {
        1 => STUMBLES.map(|name| stumbles(act(name), unchanged)).into(),
        _ => of_each_act(&|act| stumbles(act, unchanged)),
    };
    nothing_was_found("a medium that stumbles", Rules::Ext4, &found);
}

/// Acts that rest on what they read: to whom a key was given, what the signed state of a log is.
const STUMBLES: [&str; 3] = ["member remove", "pack --no-exhibits", "pack --no-exhibits of two logs"];

fn stumbles(act: &'static Act, program: Program) -> Found {
    failing(act, Rules::Ext4, program, &[(Fault::Io, Times::Once)], Runs::Each(1))
}

/// Where papers are written beside a vault.
fn is_of_paper(path: &Path) -> bool {
    ["/home/paper", "/home/traveller"].iter().any(|folder| path.starts_with(folder))
}

/// A bit turns between encryption and disk: what is acknowledged all the same is whole on the medium. Of every form of sealing, and
/// of a remark.
fn flips(program: Program, runs: u64) -> [Found; 7] {
    let flip = [(Fault::Flip(0), Times::Once)];
    let acts = [
        (act("seal"), Rules::Ext4),
        (act("seal in two groups"), Rules::ExFat),
        (act("custody note"), Rules::Ext4),
        (act("seal of a folder"), Rules::ExFat),
        (act("seal of standard input"), Rules::Ext4),
        (act("seal --receipt"), Rules::Ext4),
        (act("seal --done"), Rules::Ext4),
    ];
    acts.map(|(act, rules)| failing(act, rules, program, &flip, Runs::Spread(runs)))
}

/// The same of every paper that a command writes beside a vault.
fn paper_flips(program: Program, runs: u64) -> Vec<(&'static Act, Found)> {
    let flip = [(Fault::Flip(0), Times::Once)];
    let of = |act| {
        let found = |runs| failing(act, Rules::Ext4, program, &flip, runs);
        [Runs::Spread(runs), Runs::At(written_at(act), runs)].map(|runs| (act, found(runs)))
    };
    acts::of_papers().iter().flat_map(of).collect()
}

/// The operation by which an act writes its paper.
fn written_at(act: &'static Act) -> u64 {
    let stage = Stage::set(act, Rules::Ext4, unchanged);
    let turns = |nth: &u64| {
        let disk = stage.base.twin();
        disk.fail_at(*nth, Fault::Flip(0), Times::Once);
        let _ = (act.run)(&stage.program_on(&disk), &mut || ());
        disk.turned().iter().any(|turned| is_of_paper(&turned.path))
    };
    let rehearsal = stage.base.twin();
    assert!((act.run)(&stage.program_on(&rehearsal), &mut || ()).is_ok());
    (0..rehearsal.operations()).rev().find(turns).expect("it is written")
}

/// Near an end of a file: in a header, or in what stands last.
const END_BYTES: usize = 16;

#[test]
fn a_bit_that_turns_on_its_way_is_seen_before_anything_is_acknowledged() {
    let _row = soak::row(13);
    let runs = soak::count("AMPARO_FLIPS", FLIPS);
    let found = flips(unchanged, runs);
    let places = found.each_ref().map(|found| {
        let of = |is_there: fn(&Turned) -> bool| found.turned.iter().filter(|turned| is_there(turned)).count();
        let (first, last) =
            (of(|bit| bit.at < END_BYTES), of(|bit| bit.at >= END_BYTES && bit.at + END_BYTES >= bit.bytes));
        [first, found.turned.len() - first - last, last]
    });
    let papers = paper_flips(unchanged, soak::count("AMPARO_FLIPS", PAPER_FLIPS));
    let struck = |found: &Found| found.turned.iter().filter(|turned| is_of_paper(&turned.path)).count();
    for pair in papers.chunks(2) {
        let (paper, anywhere, at_it) = (pair[0].0.name, struck(&pair[0].1), struck(&pair[1].1));
        soak::tell(&format!("{paper}: {anywhere} and {at_it} bits of the paper turned"));
        assert!(at_it > 0, "{paper}: not struck in {:?}", pair[1].1.turned);
    }
    let papers: Vec<Found> = papers.into_iter().map(|(_, found)| found).collect();
    nothing_was_found("flips of papers on the way to the disk", Rules::Ext4, &papers);
    soak::tell(&format!("of each act so many bits turned at the beginning, between, at the end of a file: {places:?}"));
    nothing_was_found("flips on the way to the disk", Rules::Ext4, &found);
    if runs >= FLIPS {
        assert!(places.iter().flatten().all(|struck| *struck > 0), "{places:?}");
        let turned = |bit| found.iter().flat_map(|found| &found.turned).any(|turned| turned.bit == bit);
        assert!((0..8).all(turned), "not every bit of a byte turned");
    }
}
