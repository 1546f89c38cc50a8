//! Vaults with which nothing is wrong, however much happened in them.

use amparo::format::event::{Event, ExhibitRef};
use amparo::vault::findings::{Check, Verdict};

use super::owners::remove;
use crate::vault::forge::{LATER, MONITOR, Pen, READER, SEALER, admit, founded, founding_with, note};
use crate::vault::forge_seal::{Exhibit, Twist, path};

fn withdraw(pen: &Pen) -> Event {
    let row = amparo::crypto::hash::Hash::of(b"row");
    Event::Withdraw { exhibit: ExhibitRef { log: pen.id, number: 1, row }, scope: "disclosure".into() }
}

#[test]
fn two_people_write_and_a_third_opens() {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], withdraw(&founder));
    let mut reader = Pen::begin(forge.vault, READER, "R2");
    reader.say(&forge, &[founder.head(), sealer.head()], Event::Open { exhibits: vec![], reason: String::new() });
    founder.say(&forge, &[sealer.head(), reader.head()], note("seen"));
    let verified = forge.finds(&[]);
    assert_eq!((verified.exhibits, verified.logs.len()), (1, 3));
    assert_eq!(forge.verify(MONITOR).verdict, Verdict::Valid);
}

#[test]
fn a_section_gets_a_new_key_and_is_sealed_to_it() {
    let (forge, mut founder) = founded();
    let keys = vec![forge.new_key(founder.id, "main", 1, LATER, &[READER])];
    founder.say(&forge, &[], Event::Rotate { keys });
    founder.seal(&forge, &[Exhibit { key: LATER, ..Exhibit::text("to the new key") }], &Twist::default());
    assert_eq!(forge.finds(&[]).exhibits, 1);
}

#[test]
fn a_member_is_removed_and_admitted_again() {
    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    founder.say(&forge, &[sealer.head()], remove(SEALER, &[sealer.head()]));
    sealer.say(&forge, &[], note("too late"));
    founder.say(&forge, &[], admit(SEALER, &["sealer"]));
    sealer.say(&forge, &[founder.head()], withdraw(&founder));
    let verified = forge.finds(&[]);
    assert!(verified.notices.iter().any(|notice| notice.starts_with("1 entries of Sparrow")), "{:?}", verified.notices);
}

#[test]
fn a_third_section_has_a_key_of_its_own() {
    let (forge, mut founder) = founding_with(&[("medical", LATER, &[MONITOR])]);
    founder.seal(&forge, &[Exhibit { key: LATER, ..Exhibit::text("for a doctor") }], &Twist::default());
    assert_eq!(forge.finds(&[]).exhibits, 1);
    assert_eq!(forge.verify(MONITOR).level, amparo::vault::verify::Level::Content);
}

#[test]
fn of_two_logs_with_one_handle_exhibits_are_told_apart() {
    let (forge, mut founder) = founded();
    let blobs = founder.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    let mut sealer = Pen::begin(forge.vault, SEALER, "K7");
    sealer.say(&forge, &[founder.head()], note("hello"));
    sealer.seal(&forge, &[Exhibit::text("the other")], &Twist::default());
    forge.finds(&[]);
    forge.remove(&path(blobs[0]));
    let verified = forge.finds(&[(Check::Blob, Verdict::Incomplete, &path(blobs[0]))]);
    let lowered: Vec<&String> = verified.exhibit_verdicts.keys().collect();
    assert!(lowered.len() == 1 && lowered[0].starts_with("K7-0001~"), "{lowered:?}");
}
