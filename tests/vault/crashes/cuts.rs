//! The power fails at every moment of an act, again and again, and takes something else each time.

use std::collections::HashSet;

use amparo::store::faulty::Rules;

use super::super::agreement::dice::Dice;
use super::Found;
use super::acts::Act;
use super::judge::{Program, Stage, Standing, Told};
use crate::soak;

/// Of the states after a power cut, the command is typed again in one of so many.
const AGAIN: usize = 8;

/// How many states after power cuts of one act are looked at.
#[derive(Clone, Copy)]
pub(super) struct Cuts {
    /// So many that differ.
    pub(super) judged: u64,
    /// But no more than so many are drawn.
    pub(super) drawn_max: u64,
}

/// Cuts the power at every moment of an act, again and again.
pub(super) fn cuts(act: &'static Act, rules: Rules, program: Program, wanted: Cuts) -> Found {
    let stage = Stage::set(act, rules, program);
    let live = stage.base.twin();
    live.keep_moments();
    let mut acknowledged = Vec::new();
    let done = (act.run)(&stage.program_on(&live), &mut || acknowledged.push(live.moments()));
    assert!(matches!(done, Ok(true)), "{}: nothing fails in the rehearsal: {done:?}", act.name);
    let last = live.moments();
    let on_the_way = acknowledged.len();
    acknowledged.push(last);
    let mut found = Found::default();
    let mut promises: Vec<(usize, Standing)> = Vec::new();
    for (nth, moment) in acknowledged.into_iter().enumerate() {
        match stage.promised(&live.at_moment(moment), (nth + 1).min(on_the_way) as u64) {
            Ok(promise) => promises.push((moment, promise)),
            Err(fault) => found.faults.push(format!("{}, {rules:?}, moment {moment}: {fault}", act.name)),
        }
    }
    let mut dice = Dice::new(soak::seed(), wanted.drawn_max ^ act.name.len() as u64);
    let mut looked_at = HashSet::new();
    // Each moment once in a round, the last one first; where fewer are drawn, evenly spread ones.
    let moments = last as u64 + 1;
    for number in 0..wanted.drawn_max {
        if found.judged >= wanted.judged {
            break;
        }
        let nth = if wanted.drawn_max < moments { number * moments / wanted.drawn_max } else { number % moments };
        let moment = usize::try_from(last as u64 - nth).expect("few");
        // What was promised more must be there where less was kept.
        let promised = promises.iter().rposition(|(from, _)| *from <= moment);
        let promise = promised.map(|nth| &promises[nth].1);
        let told = if moment == last { Told::Done } else { Told::Nothing };
        let seed = dice.number();
        let cut = live.crash_at(moment, seed);
        found.states += 1;
        if !looked_at.insert((cut.print_of_files(), promised, told)) {
            continue;
        }
        found.judged += 1;
        let is_typed_again = looked_at.len() % AGAIN == 0;
        let context = || format!("{}, {rules:?}, moment {moment} of {last}, seed {seed}", act.name);
        let held = stage.holds(&cut.twin(), told, promise);
        let held =
            held.and_then(|()| if is_typed_again { stage.goes_on(&cut, told, promise, (seed, true)) } else { Ok(()) });
        found.note(context, held);
    }
    found
}
