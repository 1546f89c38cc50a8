//! Fourteen kinds of forged logs, a hundred of each (row 6 of the list of risks), amid honest ones that chance draws: what is found
//! is exactly what was forged, and nothing about anybody else. `AMPARO_FORGERIES=N` makes N of each.

mod plants;

use std::collections::{BTreeMap, BTreeSet};

use amparo::crypto::hash::Hash;
use amparo::crypto::merkle::Growing;
use amparo::format::entry::Entry;
use amparo::format::event::{Event, Head};
use amparo::format::ids::VaultId;
use amparo::format::note::{Note, SignatureLine};
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::verify::Verified;

use super::owners::remove;
use crate::soak;
use crate::vault::agreement::dice::Dice;
use crate::vault::forge::{ANN, EVE, Forge, MONITOR, Pen, READER, SEALER, admit, founded, keys, note};
use crate::vault::forge_once::{keep_to_this_thread, new_state};
use crate::vault::forge_seal::{Exhibit, Twist, path};
use crate::vectors::written;

/// Of each kind, in every run.
const FORGERIES: u64 = 100;
const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;

/// What is found: check, weight, subject.
type Found = Vec<(Check, Verdict, String)>;

/// A vault in which several members have said something, all of it honest so far.
struct Scene {
    forge: Forge,
    founder: Pen,
    /// A sealer, who is going to forge.
    forger: Pen,
    /// Exhibits so far.
    exhibits: u64,
    /// Where the device keeps its memory that verifies in the end.
    state: String,
}

impl Scene {
    fn drawn(dice: &mut Dice) -> Self {
        let (forge, founder) = founded();
        let forger = Pen::begin(forge.vault, SEALER, "S4");
        let mut scene = Self { forge, founder, forger, exhibits: 0, state: new_state() };
        scene.forger.say(&scene.forge, &[scene.founder.head()], note("hello"));
        let mut reader = Pen::begin(scene.forge.vault, READER, "R2");
        reader.say(&scene.forge, &[scene.founder.head()], note("hello"));
        let (mut seen_by_founder, mut seen_by_forger) = (0, scene.founder.size());
        for step in 0..3 + dice.below(4) {
            match dice.below(5) {
                0 => scene.say_honestly(dice, step),
                1 => drop(scene.founder.say(&scene.forge, &[], note(&format!("step {step}")))),
                2 => drop(reader.say(&scene.forge, &[], opened())),
                3 if scene.forger.size() > seen_by_founder => {
                    seen_by_founder = scene.forger.size();
                    scene.founder.say(&scene.forge, &[scene.forger.head()], note("seen"));
                }
                _ if scene.founder.size() > seen_by_forger => {
                    seen_by_forger = scene.founder.size();
                    scene.forger.say(&scene.forge, &[scene.founder.head()], note("seen as well"));
                }
                _ => scene.say_honestly(dice, step),
            }
        }
        scene
    }

    /// The forger, while there is nothing to forge.
    fn say_honestly(&mut self, dice: &mut Dice, step: usize) {
        if dice.percent(40) {
            self.forger.seal(&self.forge, &[Exhibit::text(&format!("exhibit of step {step}"))], &Twist::default());
            self.exhibits += 1;
        } else {
            self.forger.say(&self.forge, &[], note(&format!("remark of step {step}")));
        }
    }

    /// Remarks that nobody has seen yet.
    fn tail(&self, dice: &mut Dice) -> Vec<Entry> {
        (0..2 + dice.below(4)).map(|n| self.forger.entry(&[], note(&format!("remark {n} at the end")))).collect()
    }

    /// The log ends so, after the device has seen it end otherwise.
    fn retold(&mut self, seen: &[Entry], told: &[Entry]) {
        let before = self.forge.copy();
        write(&mut self.forger.clone(), &self.forge, seen);
        self.forge.try_verify(READER, &self.state).expect("a verdict");
        for (path, bytes) in self.forge.disk.files().into_iter().filter(|(path, _)| path.starts_with("/state")) {
            before.disk.put(&path, &bytes);
        }
        write(&mut self.forger.clone(), &before, told);
        self.forge = before;
    }

    /// One more entry of the forger's, bent, and a state that is signed for it; where it lies.
    fn bent(&mut self, bend: impl Fn(&mut Entry)) -> String {
        let mut entry = self.forger.entry(&[], note("bent"));
        bend(&mut entry);
        let path = self.forger.unsigned(&self.forge, &entry);
        self.forger.sign(&self.forge);
        path
    }
}

fn opened() -> Event {
    Event::Open { exhibits: Vec::new(), reason: String::new() }
}

/// Goes on with these entries, each in its place.
fn write(pen: &mut Pen, forge: &Forge, entries: &[Entry]) {
    for entry in entries {
        let entry = Entry { seq: pen.size(), previous: pen.tree.root(), ..entry.clone() };
        pen.write(forge, &entry);
    }
}

/// Forges; what must be found then.
type Kind = fn(&mut Dice, &mut Scene) -> Found;

const KINDS: [(&str, Kind); 14] = [
    ("forged", forged),
    ("older", older),
    ("forked", forked),
    ("reordered", reordered),
    ("backdated", backdated),
    ("of another vault", of_another_vault),
    ("stripped of a signature", stripped),
    ("signed with another's key", signed_by_another),
    ("naming another past", of_another_past),
    ("of somebody whom nobody admitted", not_admitted),
    ("of a removed member", removed),
    ("without the right", without_the_right),
    ("lying about another log", lying),
    ("with an entry dropped", dropped),
];

/// Whatever bytes are signed as an entry.
fn forged(dice: &mut Dice, scene: &mut Scene) -> Found {
    let bytes: Vec<u8> = (0..16 + dice.below(600)).map(|_| dice.number().to_le_bytes()[0]).collect();
    let path = scene.forger.plaintext(&scene.forge, &bytes, &bytes);
    scene.forger.sign(&scene.forge);
    vec![(Check::Entry, INVALID, path)]
}

fn older(dice: &mut Dice, scene: &mut Scene) -> Found {
    let tail = scene.tail(dice);
    scene.retold(&tail, &tail[..dice.below(tail.len())]);
    vec![(Check::Behind, INCOMPLETE, scene.forger.folder())]
}

fn forked(dice: &mut Dice, scene: &mut Scene) -> Found {
    for way in ["one", "other"] {
        let mut pen = scene.forger.clone();
        for number in 0..=dice.below(4) {
            pen.say(&scene.forge, &[], note(&format!("{way} {number}")));
        }
    }
    vec![(Check::Fork, INVALID, scene.forger.folder())]
}

fn reordered(dice: &mut Dice, scene: &mut Scene) -> Found {
    let tail = scene.tail(dice);
    let mut told = tail.clone();
    let at = dice.below(told.len() - 1);
    told.swap(at, at + 1);
    scene.retold(&tail, &told);
    vec![(Check::Fork, INVALID, scene.forger.folder())]
}

fn backdated(dice: &mut Dice, scene: &mut Scene) -> Found {
    let tail = scene.tail(dice);
    let mut told = tail.clone();
    told[dice.below(tail.len())].time = format!("2029-01-{:02}T08:00:00-03:00", 1 + dice.below(28));
    scene.retold(&tail, &told);
    vec![(Check::Fork, INVALID, scene.forger.folder())]
}

fn of_another_vault(dice: &mut Dice, scene: &mut Scene) -> Found {
    let another = VaultId(Hash::of(&dice.number().to_be_bytes()));
    vec![(Check::Entry, INVALID, scene.bent(|entry| entry.vault = another))]
}

fn stripped(dice: &mut Dice, scene: &mut Scene) -> Found {
    let entry = scene.forger.entry(&[], note("signed strangely"));
    let entry = scene.forger.unsigned(&scene.forge, &entry);
    let honest = scene.forger.checkpoint().sign(&keys(SEALER));
    let picks: [&[usize]; 7] = [&[0], &[1], &[1, 0], &[0, 0], &[1, 1], &[0, 0, 1], &[0, 1, 1]];
    let pick = *dice.one(&picks);
    let lines = pick.iter().map(|line| honest.lines()[*line].clone()).collect();
    let note = Note::new(honest.text().to_owned(), lines);
    let state = scene.forge.put_note(scene.forger.id, scene.forger.size(), &note.to_bytes());
    vec![(Check::Signature, INVALID, state), (Check::Foreign, INCOMPLETE, entry)]
}

/// Under the name of her key, one line or both; or openly another's, which nobody takes for hers.
fn signed_by_another(dice: &mut Dice, scene: &mut Scene) -> Found {
    let entry = scene.forger.entry(&[], note("said by another"));
    let entry = scene.forger.unsigned(&scene.forge, &entry);
    let (state, another) = (scene.forger.checkpoint(), *dice.one(&[READER, EVE]));
    let (hers, others) = (state.sign(&keys(SEALER)), state.sign(&keys(another)));
    let as_hers = |at: usize| {
        let line = &hers.lines()[at];
        SignatureLine::new(line.name(), line.key_id(), others.lines()[at].signature())
    };
    let (lines, check, weight) = match dice.below(4) {
        0 => (vec![as_hers(0), hers.lines()[1].clone()], Check::Signature, INVALID),
        1 => (vec![hers.lines()[0].clone(), as_hers(1)], Check::Signature, INVALID),
        2 => (vec![as_hers(0), as_hers(1)], Check::Signature, INVALID),
        _ => (others.lines().to_vec(), Check::Foreign, INCOMPLETE),
    };
    let note = Note::new(hers.text().to_owned(), lines);
    let state = scene.forge.put_note(scene.forger.id, scene.forger.size(), &note.to_bytes());
    vec![(check, weight, state), (Check::Foreign, INCOMPLETE, entry)]
}

/// An entry that does not go on from the one before it, and what is said after it.
fn of_another_past(dice: &mut Dice, scene: &mut Scene) -> Found {
    let roots = [Hash::of(&dice.number().to_be_bytes()), Growing::default().root(), scene.founder.head().root];
    let previous = *dice.one(&roots);
    let mut strays = vec![scene.bent(|entry| entry.previous = previous)];
    for _ in 0..dice.below(3) {
        strays.push(scene.bent(|_| ()));
    }
    let strays = strays.into_iter().map(|stray| (Check::Foreign, INCOMPLETE, stray));
    strays.chain([(Check::Tree, INVALID, scene.forger.folder())]).collect()
}

fn not_admitted(dice: &mut Dice, scene: &mut Scene) -> Found {
    let mut eve = Pen::begin(scene.forge.vault, EVE, "E7");
    eve.say(&scene.forge, &[scene.founder.head()], admit(EVE, &["owner"]));
    let mut found = vec![(Check::Foreign, INCOMPLETE, eve.folder())];
    for _ in 0..dice.below(4) {
        if dice.percent(30) {
            let blobs = eve.seal(&scene.forge, &[Exhibit::text("planted")], &Twist::default());
            found.extend(blobs.into_iter().map(|blob| (Check::Foreign, INCOMPLETE, path(blob))));
        } else {
            eve.say(&scene.forge, &[], admit(ANN, &["sealer"]));
        }
    }
    found
}

/// Whatever she says beyond the cut lowers nothing.
fn removed(dice: &mut Dice, scene: &mut Scene) -> Found {
    let gone = remove(SEALER, &[scene.forger.head()]);
    scene.founder.say(&scene.forge, &[], gone);
    for _ in 0..=dice.below(4) {
        let lie = Head { log: scene.founder.id, size: 2, root: Hash::of(&dice.number().to_be_bytes()) };
        match dice.below(4) {
            0 => drop(scene.forger.seal(&scene.forge, &[Exhibit::text("too late")], &Twist::default())),
            1 => drop(scene.forger.say(&scene.forge, &[lie], note("a lie"))),
            2 => drop(scene.forger.say(&scene.forge, &[], remove(MONITOR, &[]))),
            _ => drop(scene.forger.say(&scene.forge, &[], note("and more"))),
        }
    }
    Vec::new()
}

fn without_the_right(dice: &mut Dice, scene: &mut Scene) -> Found {
    let event = match dice.below(5) {
        0 => remove(MONITOR, &[]),
        1 => admit(ANN, &["reader/main"]),
        2 => admit(ANN, &["owner"]),
        3 => Event::Dispose { blobs: Vec::new(), reason: String::new(), authority: String::new() },
        _ => opened(),
    };
    let seq = scene.forger.size();
    scene.forger.say(&scene.forge, &[], event);
    vec![(Check::Authority, INVALID, scene.forger.at(seq))]
}

fn lying(dice: &mut Dice, scene: &mut Scene) -> Found {
    for number in 0..=dice.below(3) {
        scene.founder.say(&scene.forge, &[], note(&format!("true {number}")));
    }
    let lie = Head { root: Hash::of(&dice.number().to_be_bytes()), ..scene.founder.head() };
    let seq = scene.forger.size();
    scene.forger.say(&scene.forge, &[lie], note("another has said otherwise"));
    vec![(Check::Reference, INVALID, scene.forger.at(seq))]
}

/// An entry of the end is gone, the states are not.
fn dropped(dice: &mut Dice, scene: &mut Scene) -> Found {
    let (tail, first) = (scene.tail(dice), scene.forger.size());
    write(&mut scene.forger, &scene.forge, &tail);
    let gone = first + dice.below(tail.len()) as u64;
    let entries = format!("{}/entries/00000000/", scene.forger.folder());
    let lies = |seq: u64| scene.forge.names(&format!("{entries}{seq:010}-")).remove(0);
    scene.forge.remove(&lies(gone));
    // What no state leads to any more belongs to nothing.
    let behind = (gone + 1..scene.forger.size()).map(|seq| (Check::Foreign, INCOMPLETE, lies(seq)));
    behind.chain([(Check::Entry, INCOMPLETE, scene.forger.at(gone))]).collect()
}

/// A program that verifies.
type Program = fn(&Scene) -> Verified;

fn ours(scene: &Scene) -> Verified {
    scene.forge.try_verify(READER, &scene.state).expect("a verdict")
}

/// What is wrong with a program's verdict about one forgery.
fn fault(dice: &mut Dice, kind: Kind, program: Program) -> Option<String> {
    // What is written twice is remembered, but not for longer than this.
    keep_to_this_thread();
    let mut scene = Scene::drawn(dice);
    let expected: BTreeSet<_> = kind(dice, &mut scene).into_iter().collect();
    let verified = program(&scene);
    let found: BTreeSet<_> = verified.findings.iter().map(|one| (one.check, one.weight, one.subject.clone())).collect();
    let verdict = expected.iter().map(|(_, weight, _)| *weight).max().unwrap_or(Verdict::Valid);
    let is_right = found == expected && verified.verdict == verdict && verified.exhibits == scene.exhibits;
    (!is_right).then(|| {
        format!(
            "{:?} with {} exhibits and {found:?}, not {verdict:?} with {} and {expected:?}",
            verified.verdict, verified.exhibits, scene.exhibits
        )
    })
}

/// Judges so many of each kind; the faults, by kind.
fn faults(program: Program, each: u64) -> BTreeMap<&'static str, Vec<String>> {
    let run = |(number, (name, kind)): (usize, &(&'static str, Kind))| {
        let mut dice = Dice::new(soak::seed(), 600 + number as u64);
        let faults: Vec<String> = (0..each).filter_map(|_| fault(&mut dice, *kind, program)).collect();
        (*name, faults)
    };
    let kinds: Vec<_> = KINDS.iter().enumerate().collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = kinds
            .chunks(KINDS.len() / 2)
            .map(|kinds| scope.spawn(move || kinds.iter().map(|kind| run(*kind)).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("judged")).collect()
    })
}

#[test]
fn of_a_forged_log_exactly_what_was_forged_is_found() {
    let _row = soak::row(6);
    if written::wanted() {
        return;
    }
    let each = soak::count("AMPARO_FORGERIES", FORGERIES);
    let faults = faults(ours, each);
    soak::tell(&format!("{each} forgeries of each of {} kinds, seed {}", KINDS.len(), soak::seed()));
    let told: Vec<String> = faults
        .iter()
        .filter(|(_, faults)| !faults.is_empty())
        .map(|(kind, faults)| format!("{kind}, {} of {each}: {:#?}", faults.len(), &faults[..faults.len().min(3)]))
        .collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}
