//! Who may say what: rights come from what had been said and seen before, never from what was said later or elsewhere.

use amparo::format::event::{Event, NewKey, Wrap};
use amparo::vault::findings::{Check, Verdict};

use crate::vault::forge::{
    ANN, EVE, Forge, LATER, MAIN, MONITOR, Pen, READER, SEALER, admit, founded, founding, member, note,
};
use crate::vault::forge_seal::{Exhibit, Twist};

const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;

fn remove(who: u8) -> Event {
    let reason = amparo::format::event::RemoveReason::Left;
    Event::Remove(amparo::format::event::Remove { member: member(who), reason, cuts: Vec::new() })
}

#[test]
fn an_honest_vault_is_not_accused() {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("one"), Exhibit::text("two")], &Twist::default());
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    sealer.seal(&forge, &[Exhibit::text("three"), Exhibit::register("a name")], &Twist::default());
    let mut reader = Pen::begin(forge.vault, READER, "R2");
    reader.say(&forge, &[founder.head(), sealer.head()], Event::Open { exhibits: vec![], reason: String::new() });
    founder.say(&forge, &[sealer.head()], note("seen"));
    let verified = forge.finds(&[]);
    assert_eq!((verified.exhibits, verified.logs.len()), (4, 3));
    for who in [MONITOR, SEALER] {
        assert_eq!(forge.verify(who).verdict, Verdict::Valid);
    }
}

/// A member says something without the role for it.
fn refused(who: u8, event: Event) {
    let (forge, founder) = founded();
    let mut pen = Pen::begin(forge.vault, who, "X9");
    pen.say(&forge, &[founder.head()], note("a member may say this"));
    pen.say(&forge, &[], event);
    forge.finds(&[(Check::Authority, INVALID, &pen.at(1))]);
}

#[test]
fn a_right_that_a_role_does_not_give_is_refused() {
    let dispose = Event::Dispose { blobs: Vec::new(), reason: String::new(), authority: String::new() };
    let open = Event::Open { exhibits: Vec::new(), reason: String::new() };
    refused(SEALER, remove(MONITOR));
    refused(SEALER, admit(ANN, &["reader/main"]));
    refused(SEALER, admit(ANN, &["monitor", "sealer"]));
    refused(SEALER, dispose.clone());
    refused(SEALER, open.clone());
    refused(MONITOR, open);
    refused(MONITOR, dispose);
    refused(MONITOR, admit(ANN, &["monitor"]));
    refused(READER, remove(MONITOR));
}

#[test]
fn a_monitor_does_not_seal() {
    let (forge, founder) = founded();
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[founder.head()], note("a member may say this"));
    let blobs = monitor.seal(&forge, &[Exhibit::text("forged")], &Twist::default());
    let verified = forge.verify(READER);
    assert_eq!((verified.verdict, verified.exhibits), (INVALID, 0));
    let accused: Vec<_> = verified.findings.iter().filter(|finding| finding.weight == INVALID).collect();
    assert_eq!(accused.len(), 1);
    assert_eq!((accused[0].check, &accused[0].subject), (Check::Authority, &monitor.at(1)));
    let foreign = verified.findings.iter().filter(|finding| finding.check == Check::Foreign).count();
    assert_eq!(foreign, blobs.len(), "what a refused sealing names is no evidence");
}

#[test]
fn a_sealer_may_bring_a_monitor_whom_an_owner_confirms() {
    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], admit(ANN, &["monitor"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head(), sealer.head()], note("I am here"));
    let verified = forge.finds(&[]);
    assert!(verified.notices.iter().any(|notice| notice.contains("Ann") && notice.contains("unconfirmed")));
    founder.say(&forge, &[sealer.head()], admit(ANN, &["monitor"]));
    let verified = forge.finds(&[]);
    assert!(!verified.notices.iter().any(|notice| notice.contains("unconfirmed")), "{:?}", verified.notices);
}

#[test]
fn a_stranger_is_foreign_whatever_she_signs() {
    let (forge, founder) = founded();
    let mut eve = Pen::begin(forge.vault, EVE, "E7");
    eve.say(&forge, &[founder.head()], note("hello"));
    forge.finds(&[(Check::Foreign, INCOMPLETE, &eve.folder())]);

    // Her own log may carry her card: she is no member for that, and what is wrong with it is nobody else's fault.
    let (forge, founder) = founded();
    let mut eve = Pen::begin(forge.vault, EVE, "K7");
    eve.say(&forge, &[founder.head()], admit(EVE, &["owner", "sealer"]));
    let mut other = eve.clone();
    eve.say(&forge, &[], remove(SEALER));
    eve.say(&forge, &[], note("one story"));
    other.say(&forge, &[], note("another story"));
    let verified = forge.finds(&[(Check::Foreign, INCOMPLETE, &eve.folder())]);
    assert_eq!(verified.logs.len(), 1);
}

#[test]
fn a_role_counts_from_where_it_was_seen() {
    let (forge, mut founder) = founded();
    let before = founder.head();
    founder.say(&forge, &[], admit(MONITOR, &["sealer"]));
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[before], note("hello"));
    let withdraw = |row| Event::Withdraw {
        exhibit: amparo::format::event::ExhibitRef { log: founder.id, number: 1, row },
        scope: "all".into(),
    };
    let row = amparo::crypto::hash::Hash::of(b"row");
    monitor.say(&forge, &[], withdraw(row));
    monitor.say(&forge, &[founder.head()], withdraw(row));
    forge.finds(&[(Check::Authority, INVALID, &monitor.at(1))]);
}

#[test]
fn a_key_is_shared_by_its_holders_alone() {
    let share = |forge: &Forge| {
        let wraps = forge.wraps(MAIN, &[MONITOR]);
        Event::Share { key: forge.key_id(MAIN), wraps, dummies: Vec::new() }
    };
    let (forge, founder) = founded();
    let mut reader = Pen::begin(forge.vault, READER, "R2");
    reader.say(&forge, &[founder.head()], share(&forge));
    forge.finds(&[]);

    let (forge, founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    let event = share(&forge);
    let Event::Share { wraps, .. } = &event else { unreachable!() };
    let Wrap { file, .. } = wraps[0].clone();
    sealer.say(&forge, &[founder.head()], event);
    let path = format!("keys/{}/{file}.age", forge.key_id(MAIN));
    forge.finds(&[(Check::Authority, INVALID, &sealer.at(0)), (Check::Foreign, INCOMPLETE, &path)]);
}

#[test]
fn a_vault_is_founded_once() {
    let (forge, mut founder) = founded();
    let again = founding(&forge, founder.id);
    founder.say(&forge, &[], again);
    let verified = forge.verify(READER);
    let (foreign, accused): (Vec<_>, Vec<_>) =
        verified.findings.iter().partition(|finding| finding.check == Check::Foreign);
    assert_eq!(accused.len(), 1, "{accused:?}");
    assert_eq!((accused[0].check, accused[0].weight, &accused[0].subject), (Check::Authority, INVALID, &founder.at(1)));
    assert!(foreign.iter().all(|finding| finding.subject.starts_with("keys/")), "what it wraps is nobody's");
}

#[test]
fn nothing_follows_the_closing_of_a_log() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], Event::Close { reason: "a new device".into() });
    forge.finds(&[]);
    founder.say(&forge, &[], note("and yet"));
    forge.finds(&[(Check::Authority, INVALID, &founder.at(2))]);
}

#[test]
fn a_key_that_nobody_brought_seals_nothing() {
    let (forge, mut founder) = founded();
    let exhibit = Exhibit { key: LATER, ..Exhibit::text("for Eve") };
    founder.seal(&forge, &[exhibit], &Twist::default());
    let verified = forge.verify(READER);
    assert_eq!((verified.verdict, verified.exhibits), (INVALID, 0));
    assert!(
        verified.findings.iter().any(|finding| finding.check == Check::Authority && finding.subject == founder.at(1))
    );
}

#[test]
fn a_rotation_leaves_no_epoch_out() {
    for (epoch, holds) in [(1, true), (0, true), (2, false)] {
        let (forge, mut founder) = founded();
        let keys = vec![forge.new_key(founder.id, "main", epoch, LATER, &[READER])];
        founder.say(&forge, &[], Event::Rotate { keys });
        let verified = forge.verify(MONITOR);
        let refused = verified.findings.iter().any(|one| one.check == Check::Authority && one.weight == INVALID);
        assert_eq!((verified.verdict == Verdict::Valid, refused), (holds, !holds), "{epoch}");
    }
}

#[test]
fn a_key_that_its_log_brings_again_is_brought_once() {
    let (forge, mut founder) = founded();
    let key = forge.new_key(founder.id, "main", 1, LATER, &[READER]);
    founder.say(&forge, &[], Event::Rotate { keys: vec![key.clone()] });
    founder.seal(&forge, &[Exhibit { key: LATER, ..Exhibit::text("to it") }], &Twist::default());
    let wraps = forge.wraps(LATER, &[MONITOR]);
    let stray = format!("keys/{}/{}.age", key.id(&founder.id), wraps[0].file);
    founder.say(&forge, &[], Event::Rotate { keys: vec![NewKey { wraps, ..key }] });
    assert_eq!(forge.finds(&[(Check::Foreign, INCOMPLETE, &stray)]).exhibits, 1);
}

/// Who was an owner and is a sealer now brings monitors as a sealer does.
#[test]
fn a_monitor_is_confirmed_by_what_her_bringer_was_then() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    founder.say(&forge, &[], remove(ANN));
    founder.say(&forge, &[], admit(ANN, &["sealer"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], admit(EVE, &["monitor"]));
    let unconfirmed = |forge: &Forge| {
        let verified = forge.finds(&[]);
        verified.notices.iter().any(|notice| notice.contains("Eve") && notice.contains("unconfirmed"))
    };
    assert!(unconfirmed(&forge));
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    assert!(unconfirmed(&forge), "what she is since changes nothing of it");
}

#[test]
fn an_amendment_covers_its_blob() {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    let blob = forge.put_blob(b"amended", &[&crate::vault::forge::to(MAIN)]);
    let row = amparo::crypto::hash::Hash::of(b"row");
    let exhibit = amparo::format::event::ExhibitRef { log: founder.id, number: 1, row };
    let amend = |key| Event::Amend { exhibit, key: forge.key_id(key), blob };
    founder.say(&forge, &[], amend(MAIN));
    forge.finds(&[]);
    let there = forge.copy();
    there.remove(&crate::vault::forge_seal::path(blob));
    let lacks = crate::vault::forge_seal::path(blob);
    let verified = there.finds(&[(Check::Blob, INCOMPLETE, &lacks)]);
    assert!(verified.exhibit_verdicts.is_empty(), "the exhibit itself is whole");
    founder.say(&forge, &[], amend(LATER));
    forge.finds(&[(Check::Authority, INVALID, &founder.at(3))]);
}

#[test]
fn a_key_that_is_brought_has_a_recipient() {
    let (forge, mut founder) = founded();
    let mut key = forge.new_key(founder.id, "main", 1, LATER, &[READER]);
    key.recipient = "age1pq1qqqq".into();
    let id = key.id(&founder.id).to_string();
    founder.say(&forge, &[], Event::Rotate { keys: vec![key] });
    let verified = forge.verify(MONITOR);
    let accused: Vec<_> = verified.findings.iter().filter(|one| one.weight == INVALID).collect();
    assert_eq!((accused.len(), accused[0].check, &accused[0].subject), (1, Check::Key, &id));
}
