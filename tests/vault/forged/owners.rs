//! Owners among themselves: nearer the founder goes first, the founder is removed by nobody, and what an owner brings
//! all may use.

use amparo::format::event::{EntryRef, Event, Head, Remove, RemoveReason};
use amparo::vault::findings::{Check, Verdict};

use crate::vault::forge::{
    ANN, BEN, EVE, FOUNDER, Forge, LATER, MONITOR, Pen, READER, SEALER, admit, founded, member, note,
};
use crate::vault::forge_seal::{Exhibit, Twist};

const INVALID: Verdict = Verdict::Invalid;

pub(in crate::vault) fn remove(who: u8, cuts: &[Head]) -> Event {
    let mut cuts = cuts.to_vec();
    cuts.sort_unstable();
    Event::Remove(Remove { member: member(who), reason: RemoveReason::Seized, cuts })
}

/// The founder admits Ann, Ann admits Ben, both as owners.
struct Owners {
    forge: Forge,
    founder: Pen,
    ann: Pen,
    ben: Pen,
}

fn owners() -> Owners {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], admit(BEN, &["owner"]));
    let mut ben = Pen::begin(forge.vault, BEN, "B6");
    ben.say(&forge, &[founder.head(), ann.head()], note("hello"));
    founder.say(&forge, &[ann.head(), ben.head()], note("seen"));
    Owners { forge, founder, ann, ben }
}

#[test]
fn an_owner_nearer_the_founder_is_not_removed() {
    let Owners { forge, mut ann, mut ben, .. } = owners();
    forge.finds(&[]);
    ben.say(&forge, &[], remove(ANN, &[]));
    forge.finds(&[(Check::Authority, INVALID, &ben.at(1))]);
    ann.say(&forge, &[ben.head()], admit(EVE, &["monitor"]));
    forge.finds(&[(Check::Authority, INVALID, &ben.at(1))]);
}

#[test]
fn an_owner_farther_from_the_founder_is_removed() {
    let Owners { forge, mut ann, mut ben, .. } = owners();
    ann.say(&forge, &[ben.head()], remove(BEN, &[ben.head()]));
    ben.say(&forge, &[], admit(EVE, &["reader/main"]));
    let verified = forge.finds(&[]);
    assert!(verified.notices.iter().any(|notice| notice.contains("Ben") && notice.contains("late")));
    assert_eq!(verified.logs.len(), 3);
}

#[test]
fn peers_do_not_remove_each_other() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    founder.say(&forge, &[], admit(BEN, &["owner"]));
    let (mut ann, mut ben) = (Pen::begin(forge.vault, ANN, "A5"), Pen::begin(forge.vault, BEN, "B6"));
    ann.say(&forge, &[founder.head()], remove(BEN, &[]));
    ben.say(&forge, &[founder.head()], remove(ANN, &[]));
    forge.finds(&[(Check::Authority, INVALID, &ann.at(0)), (Check::Authority, INVALID, &ben.at(0))]);
    founder.say(&forge, &[ann.head(), ben.head()], remove(BEN, &[]));
    let verified = forge.finds(&[(Check::Authority, INVALID, &ann.at(0))]);
    assert!(verified.notices.iter().any(|notice| notice.contains("Ben") && notice.contains("late")));
}

#[test]
fn nobody_removes_the_founder() {
    let Owners { forge, mut founder, mut ann, .. } = owners();
    ann.say(&forge, &[], remove(FOUNDER, &[]));
    founder.seal(&forge, &[Exhibit::text("still here")], &Twist::default());
    let verified = forge.finds(&[(Check::Authority, INVALID, &ann.at(1))]);
    assert_eq!(verified.exhibits, 1);
    founder.say(&forge, &[], remove(FOUNDER, &[]));
    forge.finds(&[(Check::Authority, INVALID, &ann.at(1)), (Check::Authority, INVALID, &founder.at(4))]);
}

#[test]
fn what_an_owner_brings_the_founder_may_use() {
    let Owners { forge, mut founder, mut ann, mut ben } = owners();
    let keys = vec![forge.new_key(ben.id, "main", 1, LATER, &[READER])];
    ben.say(&forge, &[], Event::Rotate { keys });
    founder.say(&forge, &[ben.head()], note("seen"));
    founder.seal(&forge, &[Exhibit { key: LATER, ..Exhibit::text("to the new key") }], &Twist::default());
    // A role that an owner farther from the founder gave to one who is nearer.
    ben.say(&forge, &[], admit(ANN, &["sealer"]));
    ann.say(&forge, &[ben.head()], note("seen"));
    ann.seal(&forge, &[Exhibit::text("by an owner who is a sealer now")], &Twist::default());
    assert_eq!(forge.finds(&[]).exhibits, 2);
}

/// An owner who brings another's new key once more, without a word of her and long before, takes nothing from whoever
/// sealed to it: who brought a key is in its id.
#[test]
fn a_key_brought_again_is_another_key() {
    for scope in ["main", "register", "custody"] {
        let (forge, mut founder) = founded();
        founder.say(&forge, &[], admit(ANN, &["owner"]));
        founder.say(&forge, &[], admit(BEN, &["owner"]));
        let before = founder.head();
        let keys = vec![forge.new_key(founder.id, "main", 1, LATER, &[READER])];
        founder.say(&forge, &[], Event::Rotate { keys });
        let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
        sealer.say(&forge, &[founder.head()], note("seen"));
        sealer.seal(&forge, &[Exhibit { key: LATER, ..Exhibit::text("in good faith") }], &Twist::default());
        assert_eq!(forge.finds(&[]).exhibits, 1);
        let mut ben = Pen::begin(forge.vault, BEN, "B6");
        let keys = vec![forge.new_key(ben.id, scope, 1, LATER, &[READER])];
        let mut entry = ben.entry(&[before], Event::Rotate { keys });
        entry.time = "2000-01-01T00:00:00+00:00".into();
        ben.write(&forge, &entry);
        let verified = forge.finds(&[]);
        assert_eq!((verified.exhibits, verified.exhibit_verdicts.len()), (1, 0), "{scope}");
    }
}

#[test]
fn a_removed_owner_brings_nothing_more() {
    let Owners { forge, mut founder, mut ann, ben } = owners();
    founder.say(&forge, &[], remove(ANN, &[ann.head()]));
    let keys = vec![forge.new_key(ann.id, "main", 1, LATER, &[EVE])];
    ann.say(&forge, &[], Event::Rotate { keys });
    ann.say(&forge, &[], admit(EVE, &["reader/main"]));
    let mut eve = Pen::begin(forge.vault, EVE, "E7");
    eve.say(&forge, &[ann.head()], note("hello"));
    // What was late is kept: neither the log nor its key file is a stranger's; Eve is.
    let verified = forge.finds(&[(Check::Foreign, Verdict::Incomplete, &eve.folder())]);
    assert!(verified.notices.iter().any(|notice| notice.contains("Ann") && notice.contains("late")));
    let _ = (ben, MONITOR, SEALER);
}

#[test]
fn what_a_removed_owner_said_too_late_is_adopted_by_one_nearer_the_founder() {
    let Owners { forge, mut founder, mut ann, mut ben } = owners();
    founder.say(&forge, &[], remove(ANN, &[ann.head()]));
    let entry = ann.entry(&[], admit(EVE, &["monitor"]));
    ann.write(&forge, &entry);
    let leaf = amparo::format::entry::entry_leaf(&amparo::format::document::Document::encode(&entry));
    let adopt = Event::Adopt { entries: vec![EntryRef { log: ann.id, seq: 1, leaf }] };
    let mut eve = Pen::begin(forge.vault, EVE, "E7");
    eve.say(&forge, &[ann.head()], note("hello"));
    // Ann's own creature cannot undo her removal.
    ben.say(&forge, &[ann.head()], adopt.clone());
    forge.finds(&[(Check::Foreign, Verdict::Incomplete, &eve.folder())]);
    founder.say(&forge, &[ann.head()], adopt);
    forge.finds(&[]);
}

#[test]
fn a_removal_by_an_owner_who_could_not_know_better_is_no_finding() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], admit(BEN, &["owner"]));
    let mut ben = Pen::begin(forge.vault, BEN, "B6");
    ben.say(&forge, &[ann.head()], note("hello"));
    // The founder makes Ben her own owner, while Ann, who has not seen it, removes him.
    founder.say(&forge, &[ann.head()], admit(BEN, &["owner"]));
    ann.say(&forge, &[ben.head()], remove(BEN, &[ben.head()]));
    let told = |notice: &String| notice.contains("Ann tried to remove Ben") && notice.contains("without effect");
    assert!(forge.finds(&[]).notices.iter().any(told));
    // Who has seen it knows, and says what is not so.
    ann.say(&forge, &[founder.head()], note("seen"));
    ann.say(&forge, &[], remove(BEN, &[ben.head()]));
    forge.finds(&[(Check::Authority, INVALID, &ann.at(3))]);
    founder.say(&forge, &[ann.head(), ben.head()], remove(BEN, &[ben.head()]));
    let notices = forge.finds(&[(Check::Authority, INVALID, &ann.at(3))]).notices;
    assert!(!notices.iter().any(told), "once Ben is removed nothing is left to say: {notices:?}");
}

/// Ann makes Ben an owner, and Ben lets Eve be one: by a word that is far from the founder, and not the first or the last.
#[test]
fn an_owner_acts_by_the_right_that_she_has_seen() {
    for readmitted in [true, false] {
        let (forge, mut founder) = founded();
        let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
        sealer.say(&forge, &[founder.head()], note("hello"));
        founder.say(&forge, &[sealer.head()], admit(ANN, &["owner"]));
        let mut ann = Pen::begin(forge.vault, ANN, "A5");
        ann.say(&forge, &[founder.head()], admit(BEN, &["owner"]));
        if readmitted {
            founder.say(&forge, &[], admit(EVE, &["owner"]));
            founder.say(&forge, &[], remove(EVE, &[]));
        }
        let mut ben = Pen::begin(forge.vault, BEN, "B6");
        ben.say(&forge, &[founder.head(), ann.head()], admit(EVE, &["owner"]));
        let mut eve = Pen::begin(forge.vault, EVE, "E7");
        let seen = [founder.head(), ann.head(), ben.head(), sealer.head()];
        eve.say(&forge, &seen, remove(SEALER, &[sealer.head()]));
        if !readmitted {
            founder.say(&forge, &[], admit(EVE, &["owner"]));
        }
        sealer.seal(&forge, &[Exhibit::text("after she was removed")], &Twist::default());
        assert_eq!(forge.finds(&[]).exhibits, 0, "{readmitted}");
        // Ben stands no farther from the founder than what let her speak.
        eve.say(&forge, &[], remove(BEN, &[ben.head()]));
        forge.finds(&[(Check::Authority, Verdict::Invalid, &eve.at(1))]);
    }
}

/// Two owners who have not met remove a sealer and let her in again, each: nobody has seen all of it.
#[test]
fn who_was_removed_twice_is_back_when_somebody_has_seen_both() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    let (mut ann, before) = (Pen::begin(forge.vault, ANN, "A5"), founder.head());
    for (pen, heads) in [(&mut founder, vec![]), (&mut ann, vec![before])] {
        pen.say(&forge, &heads, remove(SEALER, &[]));
        pen.say(&forge, &[], admit(SEALER, &["sealer"]));
    }
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head(), ann.head()], note("hello"));
    sealer.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    assert_eq!(forge.finds(&[]).exhibits, 0);
    founder.say(&forge, &[ann.head()], admit(SEALER, &["sealer"]));
    let head = founder.head();
    sealer.say(&forge, &[head], note("again"));
    sealer.seal(&forge, &[Exhibit::text("two")], &Twist::default());
    assert_eq!(forge.finds(&[]).exhibits, 1);
}

/// She was removed, let in again, and removed once more: what counts of her second log is as open to doubt as anything.
#[test]
fn a_second_removal_hides_no_fork_of_what_counts() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], remove(SEALER, &[]));
    founder.say(&forge, &[], admit(SEALER, &["sealer"]));
    let mut sealer = Pen::begin(forge.vault, SEALER, "S5");
    sealer.say(&forge, &[founder.head()], note("hello"));
    let mut other = sealer.clone();
    sealer.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    founder.say(&forge, &[sealer.head()], remove(SEALER, &[sealer.head()]));
    assert_eq!(forge.finds(&[]).exhibits, 1);
    let there = forge.copy();
    sealer.say(&there, &[], note("after the cut"));
    assert_eq!(there.finds(&[]).exhibits, 1);
    other.say(&forge, &[], note("another history of the same entry"));
    let verified = forge.finds(&[(Check::Fork, INVALID, &sealer.folder())]);
    assert_eq!(verified.exhibits, 1);
}
