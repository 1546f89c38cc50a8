//! Removals and their cuts: what lies beyond is kept, shown as late, and lowers nothing.

use amparo::crypto::hash::Hash;
use amparo::format::document::Document;
use amparo::format::entry::entry_leaf;
use amparo::format::event::{EntryRef, Event, Head};
use amparo::vault::findings::{Check, Verdict};

use super::owners::remove;
use crate::vault::forge::{ANN, Forge, MONITOR, Pen, READER, SEALER, admit, founded, note};
use crate::vault::forge_seal::{Exhibit, Twist};

const INVALID: Verdict = Verdict::Invalid;

/// The sealer has sealed one exhibit; everybody has seen it.
fn sealed() -> (Forge, Pen, Pen) {
    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    sealer.seal(&forge, &[Exhibit::text("in time")], &Twist::default());
    founder.say(&forge, &[sealer.head()], note("seen"));
    (forge, founder, sealer)
}

#[test]
fn what_lies_within_a_cut_counts_and_what_lies_beyond_is_late() {
    let (forge, mut founder, mut sealer) = sealed();
    founder.say(&forge, &[], remove(SEALER, &[sealer.head()]));
    let verified = forge.finds(&[]);
    assert_eq!(verified.exhibits, 1);
    sealer.seal(&forge, &[Exhibit::text("too late")], &Twist::default());
    sealer.say(&forge, &[], note("and more"));
    let verified = forge.finds(&[]);
    assert_eq!(verified.exhibits, 1);
    let late = "2 entries of Sparrow came after";
    assert!(verified.notices.iter().any(|notice| notice.starts_with(late)), "{:?}", verified.notices);
}

#[test]
fn whatever_is_wrong_beyond_a_cut_lowers_nothing() {
    let (forge, mut founder, mut sealer) = sealed();
    founder.say(&forge, &[], remove(SEALER, &[sealer.head()]));
    let lie = Head { log: founder.id, size: 2, root: Hash::of(b"a lie") };
    sealer.say(&forge, &[lie], note("another has said otherwise"));
    sealer.say(&forge, &[Head { size: 99, ..lie }], note("you lack something"));
    sealer.next_number = 77;
    sealer.seal(&forge, &[Exhibit::text("numbered at will")], &Twist::default());
    let bad = admit(READER, &["monitor"]);
    let Event::Admit(mut admission) = bad else { unreachable!() };
    admission.card = admission.card.replace("Harbour", "Harbor");
    sealer.say(&forge, &[], Event::Admit(admission));
    let verified = forge.finds(&[]);
    assert_eq!(verified.exhibits, 1);
}

#[test]
fn a_log_that_a_removal_does_not_list_does_not_count() {
    let (forge, mut founder, sealer) = sealed();
    let mut second = Pen::begin(forge.vault, SEALER, "S5");
    second.say(&forge, &[founder.head()], note("from another device"));
    founder.say(&forge, &[], remove(SEALER, &[sealer.head()]));
    let verified = forge.finds(&[]);
    assert!(verified.notices.iter().any(|notice| notice.starts_with("1 entries of Sparrow")), "{:?}", verified.notices);
}

#[test]
fn what_is_adopted_counts() {
    let (forge, mut founder, mut sealer) = sealed();
    founder.say(&forge, &[], remove(SEALER, &[sealer.head()]));
    let (event, _) = sealer.sealing(&forge, &[Exhibit::text("on the way when it happened")], &Twist::default());
    let entry = sealer.entry(&[], event);
    let leaf = entry_leaf(&entry.encode());
    sealer.write(&forge, &entry);
    let one = EntryRef { log: sealer.id, seq: 2, leaf };
    // Another entry than the one that lies there is not adopted, and whoever says so is told.
    let mut other = founder.clone();
    let there = forge.copy();
    other.say(&there, &[sealer.head()], Event::Adopt { entries: vec![EntryRef { leaf: Hash::of(b"another"), ..one }] });
    let verified = there.finds(&[(Check::Reference, INVALID, &other.at(3))]);
    assert_eq!(verified.exhibits, 1);
    founder.say(&forge, &[sealer.head()], Event::Adopt { entries: vec![one] });
    assert_eq!(forge.finds(&[]).exhibits, 2);
}

#[test]
fn a_cut_that_contradicts_the_log_accuses_who_made_it() {
    let (forge, mut founder, sealer) = sealed();
    founder.say(&forge, &[], remove(SEALER, &[Head { root: Hash::of(b"a lie"), ..sealer.head() }]));
    forge.finds(&[(Check::Reference, INVALID, &founder.at(2))]);
}

#[test]
fn a_cut_beyond_what_is_here_tells_that_the_copy_is_behind() {
    let (forge, mut founder, sealer) = sealed();
    let more = Head { log: sealer.id, size: 9, root: Hash::of(b"not here") };
    founder.say(&forge, &[], remove(SEALER, &[more]));
    assert_eq!(forge.finds(&[(Check::Behind, Verdict::Incomplete, &founder.at(2))]).exhibits, 1);
}

#[test]
fn whoever_is_admitted_again_counts_again() {
    let (forge, mut founder, mut sealer) = sealed();
    founder.say(&forge, &[], remove(SEALER, &[sealer.head()]));
    sealer.seal(&forge, &[Exhibit::text("between")], &Twist::default());
    founder.say(&forge, &[], admit(SEALER, &["sealer"]));
    sealer.say(&forge, &[founder.head()], note("back"));
    sealer.seal(&forge, &[Exhibit::text("again")], &Twist::default());
    let verified = forge.finds(&[]);
    assert_eq!(verified.exhibits, 2, "what was said between is late");
}

#[test]
fn of_two_histories_the_one_that_the_cut_names_counts() {
    let (forge, mut founder, sealer) = sealed();
    // Whoever has the seized device signs another, longer history from before the cut.
    let mut thief = Pen::begin(forge.vault, SEALER, "S4");
    thief.begins.clone_from(&sealer.begins);
    thief.id = sealer.id;
    for number in 0..5 {
        thief.say(&forge, &[], note(&format!("forged {number}")));
    }
    founder.say(&forge, &[], remove(SEALER, &[sealer.head()]));
    let verified = forge.finds(&[(Check::Fork, INVALID, &sealer.folder())]);
    assert_eq!(verified.exhibits, 1, "the history that the owner has seen");
}

/// The thief's history is the longer one, and somebody has seen it: she lacks nothing, and whoever cuts at it lies no more
/// than who cuts at the other.
#[test]
fn who_saw_the_longer_history_that_no_cut_names_accuses_nobody() {
    let (forge, mut founder, sealer) = sealed();
    let mut thief = sealer.clone();
    for number in 0..5 {
        thief.say(&forge, &[], note(&format!("forged {number}")));
    }
    let mut honest = sealer.clone();
    honest.say(&forge, &[], note("honest"));
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[founder.head(), thief.head()], note("seen"));
    founder.say(&forge, &[], remove(SEALER, &[honest.head()]));
    let fork = (Check::Fork, INVALID, honest.folder());
    forge.finds(&[(fork.0, fork.1, &fork.2)]);
    founder.say(&forge, &[], remove(SEALER, &[thief.head()]));
    forge.finds(&[(fork.0, fork.1, &fork.2)]);
}

/// Three histories, and the cut names neither the longest nor the one that a witness saw: what she saw is what hers and the
/// story have in common, not what lies at the same places of the story.
#[test]
fn who_saw_a_third_history_saw_nothing_of_the_one_that_the_cut_names() {
    let (forge, mut founder, mut longest) = sealed();
    let mut named = longest.clone();
    named.say(&forge, &[], admit(ANN, &["monitor"]));
    for number in 0..4 {
        named.say(&forge, &[], note(&format!("named {number}")));
        longest.say(&forge, &[], note(&format!("longest {number}")));
    }
    let mut third = longest.clone();
    third.say(&forge, &[], note("third"));
    longest.say(&forge, &[], note("longest"));
    longest.say(&forge, &[], note("and longer"));
    founder.say(&forge, &[], remove(SEALER, &[named.head()]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[third.head()], note("hello"));
    let fork = (Check::Fork, INVALID, named.folder());
    let expected = [&fork, &fork].map(|(check, weight, folder)| (*check, *weight, folder.as_str()));
    let unseen = ann.at(0);
    forge.finds(&[&expected[..], &[(Check::Authority, Verdict::Incomplete, unseen.as_str())]].concat());
}
