//! One key, two histories; and what others say of a log's states.

use amparo::crypto::hash::Hash;
use amparo::format::event::{Event, Head};
use amparo::vault::findings::{Check, Verdict};

use super::owners::remove;
use crate::vault::forge::{ANN, BEN, EVE, Forge, Pen, SEALER, admit, founded, note};
use crate::vault::forge_seal::{Exhibit, Twist};

const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;

/// Whoever can write into the folder and knows the custody recipient can leave such a log there; it accuses nobody.
#[test]
fn a_strangers_log_is_foreign_however_broken_it_is() {
    let (forge, mut founder) = founded();
    let mut eve = Pen::begin(forge.vault, EVE, "E7");
    // Her card is known by her own word alone.
    let first = eve.entry(&[], admit(EVE, &["monitor"]));
    eve.unsigned(&forge, &first);
    let second = eve.entry(&[], note("hello"));
    let second = eve.unsigned(&forge, &second);
    let state = eve.sign(&forge);
    forge.remove(&second);
    forge.finds(&[(Check::Foreign, INCOMPLETE, &eve.folder())]);
    let mut bytes = forge.read(&state);
    bytes[300] ^= 1;
    forge.put_named(&state, &bytes);
    forge.finds(&[(Check::Foreign, INCOMPLETE, &eve.folder())]);
    // Of a member the same is told, unless it lies beyond where her log counts.
    founder.say(&forge, &[], admit(EVE, &["monitor"]));
    assert_eq!(forge.verify(crate::vault::forge::READER).verdict, INVALID);
    founder.say(&forge, &[], remove(EVE, &[]));
    forge.finds(&[]);
}

/// The founder's log, and a second way that it could have gone.
fn parted() -> (Forge, Pen, Pen) {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], note("common"));
    let other = founder.clone();
    (forge, founder, other)
}

#[test]
fn two_states_of_one_size_are_a_fork_whichever_name_comes_first() {
    // Names and roots are hashes: over several attempts both orders occur.
    for _ in 0..6 {
        let (forge, mut one, mut other) = parted();
        one.say(&forge, &[], note("one"));
        other.say(&forge, &[], note("other"));
        forge.finds(&[(Check::Fork, INVALID, &one.folder())]);
        // The same with one side's entry gone.
        let gone = forge.names(&format!("{}/entries/00000000/0000000002-", one.folder())).remove(0);
        forge.remove(&gone);
        forge.finds(&[(Check::Fork, INVALID, &one.folder())]);
    }
}

#[test]
fn two_histories_of_different_lengths_are_one_fork_and_both_are_covered() {
    let (forge, mut one, mut other) = parted();
    for number in 0..3 {
        one.say(&forge, &[], note(&format!("one {number}")));
    }
    for number in 0..2 {
        other.say(&forge, &[], note(&format!("other {number}")));
    }
    forge.finds(&[(Check::Fork, INVALID, &one.folder())]);
}

#[test]
fn who_saw_the_other_history_is_not_accused() {
    let (forge, mut founder, mut other) = parted();
    founder.say(&forge, &[], note("one"));
    founder.say(&forge, &[], note("the longer one"));
    other.say(&forge, &[], admit(ANN, &["sealer"]));
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[other.head()], note("hello"));
    sealer.seal(&forge, &[Exhibit::text("honest")], &Twist::default());
    let verified = forge.finds(&[(Check::Fork, INVALID, &founder.folder())]);
    assert_eq!(verified.exhibits, 1, "the sealer was admitted in what both histories have in common");
}

#[test]
fn entries_that_nobody_signed_do_not_hide_those_that_are() {
    let (forge, mut founder) = founded();
    let mut strays = Vec::new();
    for number in 0..80 {
        let mut stray = founder.clone();
        let entry = stray.entry(&[], note(&format!("unsigned {number}")));
        stray.unsigned(&forge, &entry);
        let entry = stray.entry(&[], note("and on"));
        strays.extend([stray.unsigned(&forge, &entry)]);
    }
    founder.seal(&forge, &[Exhibit::text("signed")], &Twist::default());
    founder.say(&forge, &[], note("signed too"));
    let verified = forge.verify(SEALER);
    assert_eq!((verified.verdict, verified.exhibits), (INCOMPLETE, 1));
    assert!(verified.findings.iter().all(|one| one.check == Check::Foreign && one.weight == INCOMPLETE));
    assert_eq!(verified.findings.len(), 160);
}

#[test]
fn an_unsigned_first_entry_renames_nothing_and_an_unsigned_card_accuses_nobody() {
    for _ in 0..4 {
        let (forge, mut founder) = founded();
        let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
        let mut stray = sealer.clone();
        stray.begins.handle = "X9".into();
        let mut entry = stray.entry(&[], admit(ANN, &["monitor"]));
        let Event::Admit(admission) = &mut entry.event else { unreachable!() };
        admission.card = admission.card.replace("Ann", "Anne");
        stray.unsigned(&forge, &entry);
        sealer.say(&forge, &[founder.head()], note("hello"));
        let blobs = sealer.seal(&forge, &[Exhibit::text("mine")], &Twist::default());
        forge.remove(&crate::vault::forge_seal::path(blobs[0]));
        founder.say(&forge, &[], note("unconcerned"));
        let verified = forge.verify(SEALER);
        assert_eq!(verified.verdict, INCOMPLETE, "{:?}", verified.findings);
        assert!(verified.exhibit_verdicts.contains_key("S4-0001"), "{:?}", verified.exhibit_verdicts);
    }
}

#[test]
fn a_signed_admission_of_a_card_that_does_not_hold_is_found() {
    let (forge, mut founder) = founded();
    let Event::Admit(mut admission) = admit(ANN, &["monitor"]) else { unreachable!() };
    admission.card = admission.card.replace("Ann", "Anne");
    founder.say(&forge, &[], Event::Admit(admission));
    forge.finds(&[(Check::Card, INVALID, &founder.at(1))]);
}

#[test]
fn a_lie_about_another_log_accuses_the_liar() {
    let (forge, founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    let mut twice = sealer.clone();
    let there = forge.copy();
    twice.say(&there, &[founder.head()], note("seen again"));
    there.finds(&[(Check::Reference, INVALID, &twice.at(1))]);

    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    founder.say(&forge, &[], note("more"));
    sealer.say(&forge, &[Head { root: Hash::of(b"a lie"), ..founder.head() }], note("a lie"));
    forge.finds(&[(Check::Reference, INVALID, &sealer.at(1))]);
}

#[test]
fn a_copy_that_is_behind_accuses_nobody() {
    let (forge, mut founder) = founded();
    let behind = forge.copy();
    let mut second = Pen::begin(forge.vault, BEN, "B6");
    founder.say(&forge, &[], admit(BEN, &["sealer"]));
    founder.say(&forge, &[], admit(SEALER, &["owner"]));
    // The sealer's log arrives, and the founder's newer entries do not.
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    sealer.say(&forge, &[], admit(ANN, &["monitor", "sealer"]));
    second.say(&forge, &[founder.head()], note("hello"));
    forge.finds(&[]);
    let folder = format!("{}/", sealer.folder());
    for name in forge.names(&folder) {
        behind.put_named(&name, &forge.read(&name));
    }
    behind.finds(&[(Check::Behind, INCOMPLETE, &sealer.at(0)), (Check::Authority, INCOMPLETE, &sealer.at(1))]);
}

#[test]
fn two_lies_do_not_wait_for_each_other() {
    let (forge, founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    let mut monitor = Pen::begin(forge.vault, crate::vault::forge::MONITOR, "M3");
    // Each claims to have seen more of the other than there is.
    monitor.say(&forge, &[founder.head(), Head { log: sealer.id, size: 9, root: Hash::of(b"m") }], note("hello"));
    sealer.say(&forge, &[founder.head(), Head { log: monitor.id, size: 9, root: Hash::of(b"s") }], note("hello"));
    sealer.seal(&forge, &[Exhibit::text("still judged")], &Twist::default());
    let verified =
        forge.finds(&[(Check::Behind, INCOMPLETE, &sealer.at(0)), (Check::Behind, INCOMPLETE, &monitor.at(0))]);
    assert_eq!(verified.exhibits, 1);
}

#[test]
fn states_that_are_checked_or_continued_are_those_of_their_logs() {
    let lie = |founder: &Pen| Head { root: Hash::of(b"a lie"), ..founder.head() };
    let verify = |heads| Event::Verify { heads, level: "custody".into(), verdict: "valid".into() };
    let (forge, founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], verify(vec![founder.head()]));
    forge.finds(&[]);
    sealer.say(&forge, &[], verify(vec![lie(&founder)]));
    forge.finds(&[(Check::Reference, INVALID, &sealer.at(1))]);

    let (forge, founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.begins.continues = Some(lie(&founder));
    sealer.say(&forge, &[founder.head()], note("from a new device"));
    forge.finds(&[(Check::Reference, INVALID, &sealer.at(0))]);
}
