//! Who acted on a right that came too late (FORMAT § 7.3, *undecided*): nothing of it counts, and nobody is accused of it;
//! and whoever had no such right to see is accused as before.

use amparo::format::document::Document;
use amparo::format::entry::entry_leaf;
use amparo::format::event::{EntryRef, Event, Head};
use amparo::vault::findings::{Check, Verdict};

use super::owners::remove;
use crate::vault::forge::{ANN, BEN, BESIDE, EVE, Forge, LATER, MAIN, Pen, READER, SEALER, admit, founded, note};
use crate::vault::forge_seal::{Exhibit, Twist};

const UNDECIDED: (Check, Verdict) = (Check::Authority, Verdict::Incomplete);
const REFUSED: (Check, Verdict) = (Check::Authority, Verdict::Invalid);

/// What is found is this about one entry, and nothing else.
#[track_caller]
fn finds(forge: &Forge, (check, weight): (Check, Verdict), entry: &str) -> u64 {
    forge.finds(&[(check, weight, entry)]).exhibits
}

/// The sealer lets Ann in as a monitor; the founder, who has not seen that, removes the sealer and lets Ann in herself.
struct LetIn {
    forge: Forge,
    founder: Pen,
    /// The founder's log before she let Ann in.
    before: Head,
    sealer: Pen,
    /// The admission that came too late.
    late: EntryRef,
}

fn let_in(roles: &[&str]) -> LetIn {
    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    founder.say(&forge, &[sealer.head()], remove(SEALER, &[sealer.head()]));
    let before = founder.head();
    founder.say(&forge, &[], admit(ANN, roles));
    let entry = sealer.entry(&[], admit(ANN, &["monitor"]));
    let late = EntryRef { log: sealer.id, seq: entry.seq, leaf: entry_leaf(&entry.encode()) };
    sealer.write(&forge, &entry);
    LetIn { forge, founder, before, sealer, late }
}

#[test]
fn who_was_let_in_too_late_is_undecided_until_an_owner_adopts_it() {
    let LetIn { forge, mut founder, sealer, late, .. } = let_in(&["monitor"]);
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[sealer.head()], note("hello"));
    finds(&forge, UNDECIDED, &ann.at(0));
    ann.say(&forge, &[founder.head()], note("since I was let in by an owner"));
    finds(&forge, UNDECIDED, &ann.at(0));
    founder.say(&forge, &[sealer.head()], Event::Adopt { entries: vec![late] });
    forge.finds(&[]);
}

#[test]
fn who_saw_nothing_that_let_her_in_is_refused() {
    let LetIn { forge, before, .. } = let_in(&["monitor"]);
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[before], note("hello"));
    finds(&forge, REFUSED, &ann.at(0));
}

#[test]
fn an_admission_that_came_too_late_excuses_nobody_else() {
    let LetIn { forge, mut founder, sealer, .. } = let_in(&["monitor"]);
    founder.say(&forge, &[], admit(BEN, &["monitor"]));
    let mut ben = Pen::begin(forge.vault, BEN, "B6");
    ben.say(&forge, &[founder.head(), sealer.head()], admit(EVE, &["monitor"]));
    finds(&forge, REFUSED, &ben.at(0));
}

/// Whoever only ever was let in too late stays a stranger, and who was removed lets nobody in, herself least of all.
#[test]
fn nobody_is_a_member_by_what_came_too_late() {
    let LetIn { forge, mut sealer, .. } = let_in(&["monitor"]);
    sealer.say(&forge, &[], admit(SEALER, &["owner", "sealer"]));
    sealer.seal(&forge, &[Exhibit::text("after she was removed")], &Twist::default());
    sealer.say(&forge, &[], admit(EVE, &["owner", "sealer"]));
    assert_eq!(forge.finds(&[]).exhibits, 0);
    let mut eve = Pen::begin(forge.vault, EVE, "E7");
    eve.say(&forge, &[sealer.head()], note("hello"));
    eve.seal(&forge, &[Exhibit::text("by a stranger")], &Twist::default());
    let verified = forge.verify(READER);
    assert_eq!((verified.verdict, verified.exhibits), (Verdict::Incomplete, 0));
    assert!(verified.findings.iter().all(|found| found.check == Check::Foreign), "{:?}", verified.findings);
}

/// Ann is an owner and brings a new key; the founder, who has not seen it, removes her.
struct Rotated {
    forge: Forge,
    founder: Pen,
    ann: Pen,
    /// The rotation that came too late.
    late: EntryRef,
}

fn rotated() -> Rotated {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    founder.say(&forge, &[], admit(BEN, &["reader/main"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], note("hello"));
    founder.say(&forge, &[ann.head()], remove(ANN, &[ann.head()]));
    let keys = vec![forge.new_key(ann.id, "main", 1, LATER, &[READER])];
    let entry = ann.entry(&[], Event::Rotate { keys });
    let late = EntryRef { log: ann.id, seq: entry.seq, leaf: entry_leaf(&entry.encode()) };
    ann.write(&forge, &entry);
    Rotated { forge, founder, ann, late }
}

#[test]
fn what_is_sealed_to_a_key_that_came_too_late_is_undecided_and_kept() {
    let Rotated { forge, founder, ann, .. } = rotated();
    forge.finds(&[]);
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head(), ann.head()], note("hello"));
    sealer.seal(&forge, &[Exhibit { key: LATER, ..Exhibit::text("in good faith") }], &Twist::default());
    assert_eq!(finds(&forge, UNDECIDED, &sealer.at(1)), 0);
}

#[test]
fn a_key_of_which_nothing_was_seen_seals_nothing_though_it_came_too_late() {
    let Rotated { forge, founder, .. } = rotated();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    sealer.seal(&forge, &[Exhibit { key: LATER, ..Exhibit::text("from where?") }], &Twist::default());
    let verified = forge.verify(READER);
    let refused = verified.findings.iter().filter(|one| (one.check, one.weight) == REFUSED);
    assert_eq!(
        (refused.map(|one| one.subject.clone()).collect::<Vec<_>>(), verified.exhibits),
        (vec![sealer.at(1)], 0)
    );
}

#[test]
fn a_key_that_came_too_late_excuses_only_what_needs_a_key() {
    let Rotated { forge, founder, ann, .. } = rotated();
    let mut ben = Pen::begin(forge.vault, BEN, "B6");
    ben.say(&forge, &[founder.head(), ann.head()], admit(EVE, &["monitor"]));
    finds(&forge, REFUSED, &ben.at(0));
}

#[test]
fn who_follows_a_rotation_that_came_too_late_with_the_next_is_undecided() {
    let Rotated { forge, mut founder, ann, .. } = rotated();
    founder.say(&forge, &[], admit(EVE, &["owner"]));
    let mut eve = Pen::begin(forge.vault, EVE, "E7");
    let keys = vec![forge.new_key(eve.id, "main", 2, crate::vault::forge::REGISTER + 9, &[READER])];
    let rotate = Event::Rotate { keys };
    let (there, mut blind) = (forge.copy(), eve.clone());
    eve.say(&forge, &[founder.head(), ann.head()], rotate.clone());
    let verified = forge.verify(READER);
    let found =
        |weight| move |one: &&amparo::vault::findings::Finding| (one.check, one.weight) == (Check::Authority, weight);
    assert_eq!(verified.findings.iter().filter(found(Verdict::Incomplete)).count(), 1, "{:?}", verified.findings);
    assert_ne!(verified.verdict, Verdict::Invalid);
    blind.say(&there, &[founder.head()], rotate);
    assert_eq!(there.verify(READER).findings.iter().filter(found(Verdict::Invalid)).count(), 1);
}

/// Eve saw a rotation that came too late, and rightly did not count it. That it is adopted afterwards makes hers no fault,
/// and what was sealed to her key stays sealed; so it is with a longer cut by somebody nearer the founder.
#[test]
fn a_rotation_that_counts_after_all_leaves_the_one_beside_it_alone() {
    let Rotated { forge, mut founder, ann, late } = rotated();
    founder.say(&forge, &[], admit(EVE, &["owner", "sealer"]));
    let mut eve = Pen::begin(forge.vault, EVE, "E7");
    let keys = vec![forge.new_key(eve.id, "main", 1, BESIDE, &[READER])];
    eve.say(&forge, &[founder.head(), ann.head()], Event::Rotate { keys });
    eve.seal(&forge, &[Exhibit { key: BESIDE, ..Exhibit::text("to the key that counts") }], &Twist::default());
    assert_eq!(forge.finds(&[]).exhibits, 1);
    founder.say(&forge, &[eve.head()], Event::Adopt { entries: vec![late] });
    assert_eq!(forge.finds(&[]).exhibits, 1);
    let keys = vec![forge.new_key(founder.id, "main", 2, BESIDE + 1, &[READER])];
    founder.say(&forge, &[], Event::Rotate { keys });
    forge.finds(&[]);
}

/// Who holds a share, or a key that came too late, hands on what she thinks that she has.
#[test]
fn who_hands_on_a_key_that_came_too_late_is_undecided_and_who_never_saw_it_is_refused() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(BEN, &["reader/main"]));
    founder.say(&forge, &[], admit(EVE, &["reader/main"]));
    let mut reader = Pen::begin(forge.vault, READER, "R2");
    reader.say(&forge, &[founder.head()], note("hello"));
    let before = founder.head();
    founder.say(&forge, &[reader.head()], remove(READER, &[reader.head()]));
    let share = |forge: &Forge, to: u8| Event::Share {
        key: forge.key_id(MAIN),
        wraps: forge.wraps(MAIN, &[to]),
        dummies: Vec::new(),
    };
    let handed = share(&forge, BEN);
    reader.say(&forge, &[], handed);
    let handed_on = share(&forge, EVE);
    for (heads, expected) in [(vec![before, reader.head()], UNDECIDED), (vec![before], REFUSED)] {
        let there = forge.copy();
        let mut ben = Pen::begin(there.vault, BEN, "B6");
        ben.say(&there, &heads, handed_on.clone());
        let verified = there.verify(crate::vault::forge::MONITOR);
        let authority = verified.findings.iter().filter(|one| one.check == Check::Authority);
        let told: Vec<_> = authority.map(|one| (one.check, one.weight, one.subject.clone())).collect();
        assert_eq!(told, [(expected.0, expected.1, ben.at(0))], "{:?}", verified.findings);
    }
}
