//! Power cuts and failing disks at every operation of every command that writes ([`acts`]), under one judge ([`judge`]); and
//! programs with a planted fault, which it must see ([`plants`]). `AMPARO_SOAK=N` looks at N times as many states,
//! `AMPARO_CUTS` and `AMPARO_FAULTS` say how many there shall be of each. From `AMPARO_SOAK=2` on every operation fails at least once.

mod acts;
mod judge;
mod plants;

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};

use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};

use super::agreement::dice::Dice;
use crate::soak;
use acts::{ACTS, Act};
use judge::{Program, Stage, Standing, Told};

/// States after a power cut that every run looks at, by each kind of file system.
const CUTS: u64 = 5_000;
/// Runs on a failing disk, by each kind of file system.
const FAULTS: u64 = 300;
/// Runs of each of three commands on a disk that turns a bit.
const FLIPS: u64 = 40;
/// Of the states after a power cut, the command is typed again in one of so many.
const AGAIN: usize = 8;

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
    states: u64,
    different: u64,
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
    ACTS.iter().find(|act| act.name == name).expect("an act of that name")
}

fn unchanged(disk: FaultyDisk) -> std::sync::Arc<dyn amparo::store::Disk> {
    std::sync::Arc::new(disk)
}

/// Cuts the power at every moment of an act, `states` times in all.
fn cuts(act: &'static Act, rules: Rules, program: Program, states: u64) -> Found {
    let stage = Stage::set(act, rules, program);
    let live = stage.base.twin();
    live.keep_moments();
    let mut acknowledged = Vec::new();
    let done = (act.run)(&stage.program_on(&live), &mut || acknowledged.push(live.moments()));
    assert!(matches!(done, Ok(true)), "{}: nothing fails in the rehearsal: {done:?}", act.name);
    let last = live.moments();
    acknowledged.push(last);
    let at = |moment: usize| live.at_moment(moment).unwrap_or_else(|| live.twin());
    let promises: Vec<(usize, Standing)> = acknowledged
        .into_iter()
        .map(|moment| {
            (moment, stage.standing(&stage.program_on(&at(moment))).expect("sound where it was acknowledged"))
        })
        .collect();
    let mut dice = Dice::new(soak::seed(), states ^ act.name.len() as u64);
    let (mut found, mut looked_at) = (Found::default(), BTreeSet::new());
    // Each moment as often as there are states for it, the last always; where there are fewer, evenly spread ones.
    let moments = last as u64 + 1;
    let nth = |number: u64| {
        if states < moments { number * moments / states } else { number % moments }
    };
    let mut drawn: Vec<usize> =
        (0..states).map(|number| usize::try_from(last as u64 - nth(number)).expect("few")).collect();
    drawn.sort_unstable();
    for of_one in drawn.chunk_by(|one, two| one == two) {
        let moment = of_one[0];
        let disk = at(moment);
        let promise = promises.iter().rev().find(|(from, _)| *from <= moment).map(|(_, promise)| promise);
        let told = if moment == last { Told::Done } else { Told::Nothing };
        for _ in of_one {
            let seed = dice.number();
            let cut = disk.crash(seed);
            found.states += 1;
            let mut hasher = DefaultHasher::new();
            (cut.files(), promise.is_some(), told).hash(&mut hasher);
            if !looked_at.insert(hasher.finish()) {
                continue;
            }
            found.different += 1;
            let is_typed_again = looked_at.len() % AGAIN == 0;
            let context = || format!("{}, {rules:?}, moment {moment} of {last}, seed {seed}", act.name);
            let held = stage.holds(&cut.twin(), told, promise);
            let held =
                held.and_then(|()| if is_typed_again { stage.goes_on(&cut, told, promise, seed) } else { Ok(()) });
            found.note(context, held);
        }
    }
    found
}

/// How often something fails.
#[derive(Clone, Copy)]
enum Runs {
    /// So often, at evenly spread operations.
    Spread(u64),
    /// So often, and at each operation at least once.
    Each(u64),
}

/// Lets something fail at operations of an act; then the power may be cut.
fn failing(act: &'static Act, rules: Rules, program: Program, kinds: &[(Fault, Times)], runs: Runs) -> Found {
    let stage = Stage::set(act, rules, program);
    let rehearsal = stage.base.twin();
    let done = (act.run)(&stage.program_on(&rehearsal), &mut || ());
    assert!(matches!(done, Ok(true)), "{}: nothing fails in the rehearsal: {done:?}", act.name);
    let operations = rehearsal.operations();
    let runs = match runs {
        Runs::Spread(runs) => runs,
        Runs::Each(runs) => runs.max(operations),
    };
    let mut dice = Dice::new(soak::seed(), runs ^ act.name.len() as u64);
    let mut found = Found::default();
    for run in 0..runs {
        // All operations in turn where there are enough runs, and evenly spread ones where there are not.
        let nth =
            if runs < operations { (run * operations + dice.number() % operations) / runs } else { run % operations };
        let (fault, times) = *dice.one(kinds);
        let disk = stage.base.twin();
        disk.fail_at(nth, fault, times);
        // A long run tries pairs as well, when each has failed alone.
        let second =
            (run >= operations && dice.percent(30)).then(|| nth + 1 + dice.number() % (operations - nth).max(1));
        if let Some(second) = second {
            disk.fail_at(second, dice.one(kinds).0, Times::Once);
        }
        let outcome = catch_unwind(AssertUnwindSafe(|| (act.run)(&stage.program_on(&disk), &mut || ())));
        disk.heal();
        found.states += 1;
        let Ok(outcome) = outcome else {
            found
                .faults
                .push(format!("{}, {rules:?}, {fault:?} {times:?} at {nth} of {operations}: it panics", act.name));
            continue;
        };
        // Only the medium tells what it holds.
        let (is_cut, seed) = (dice.percent(50) || fault == Fault::Flip, dice.number());
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
            let promise = if told == Told::Done { Some(stage.standing(&stage.program_on(&disk))?) } else { None };
            let left = if is_cut { disk.crash(seed) } else { disk.twin() };
            stage.holds(&left.twin(), told, promise.as_ref())?;
            stage.goes_on(&left, told, promise.as_ref(), seed)
        })();
        found.note(context, held);
    }
    found
}

fn nothing_was_found(what: &str, rules: Rules, found: &[Found]) {
    let sum = |of: fn(&Found) -> u64| found.iter().map(of).sum::<u64>();
    let (states, different) = (sum(|found| found.states), sum(|found| found.different));
    soak::tell(&format!("{what}, {rules:?}: {states} states, {different} of them looked at, seed {}", soak::seed()));
    let faults: Vec<&String> = found.iter().flat_map(|found| &found.faults).collect();
    assert!(faults.is_empty(), "{} of {states}: {:#?}", faults.len(), &faults[..faults.len().min(20)]);
}

fn power_cuts(rules: Rules) {
    let each = soak::count("AMPARO_CUTS", CUTS).div_ceil(ACTS.len() as u64);
    let found: Vec<Found> = ACTS.iter().map(|act| cuts(act, rules, unchanged, each)).collect();
    nothing_was_found("power cuts", rules, &found);
}

fn failing_disks(rules: Rules) {
    let each = soak::count("AMPARO_FAULTS", FAULTS).div_ceil(ACTS.len() as u64);
    // Each operation of each act is some thousand runs: minutes that not every run can have.
    let runs = if soak::times() > 1 { Runs::Each(each) } else { Runs::Spread(each) };
    let found: Vec<Found> = ACTS.iter().map(|act| failing(act, rules, unchanged, &KINDS, runs)).collect();
    nothing_was_found("failing disks", rules, &found);
}

#[test]
fn a_power_cut_at_any_operation_costs_nothing_that_was_acknowledged() {
    power_cuts(Rules::Ext4);
}

#[test]
fn a_power_cut_on_exfat_costs_nothing_that_was_acknowledged() {
    power_cuts(Rules::ExFat);
}

#[test]
fn a_full_disk_or_a_failed_sync_leaves_the_vault_whole() {
    failing_disks(Rules::Ext4);
}

#[test]
fn a_failing_disk_on_exfat_leaves_the_vault_whole() {
    failing_disks(Rules::ExFat);
}

/// What was given up after a sync that failed was removed in the system's memory alone, and must not come back after a power cut
/// when nobody remembers any more whose it was.
#[test]
fn what_was_given_up_after_a_failed_sync_does_not_come_back() {
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
                stage.goes_on(&disk.twin(), Told::Nothing, None, seed),
            );
        }
    }
    assert!(found.states > 0);
    nothing_was_found("power cuts after a failed sync", Rules::Ext4, &[found]);
}

/// A bit turns between encryption and disk: what is acknowledged all the same is whole on the medium.
fn flips(program: Program, runs: u64) -> [Found; 3] {
    let flip = [(Fault::Flip, Times::Once)];
    [("seal", Rules::Ext4), ("seal in two groups", Rules::ExFat), ("custody note", Rules::Ext4)]
        .map(|(name, rules)| failing(act(name), rules, program, &flip, Runs::Spread(runs)))
}

#[test]
fn a_bit_that_turns_on_its_way_is_seen_before_anything_is_acknowledged() {
    let runs = soak::count("AMPARO_FLIPS", FLIPS);
    nothing_was_found("flips on the way to the disk", Rules::Ext4, &flips(unchanged, runs));
}
