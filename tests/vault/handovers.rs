//! Handovers as somebody forged or confused them: which answers are answers, and what the story calls the rest.

use amparo::format::event::{Acknowledge, Discrepancy, EntryRef, Event, ExhibitRef, Head, Offer};
use amparo::format::ids::LogId;
use amparo::vault::custody::handovers::{NoAnswer, Status};
use amparo::vault::custody::story::{Story, story};
use amparo::vault::history::{Place, Standing};

use super::forge::{ANN, EVE, Forge, MONITOR, Pen, READER, SEALER, admit, founded, member, note};
use super::forge_seal::{Exhibit, Twist};

pub(super) fn offer(to: u8) -> Event {
    offer_of(to, Vec::new(), Vec::new())
}

/// An offer of these exhibits, or of everything, under these states.
pub(super) fn offer_of(to: u8, exhibits: Vec<ExhibitRef>, heads: Vec<Head>) -> Event {
    let nothing = String::new;
    Event::Offer(Offer {
        to: member(to),
        exhibits,
        heads,
        medium: nothing(),
        seal_number: nothing(),
        condition: nothing(),
        carrier: nothing(),
        place: nothing(),
        purpose: nothing(),
        authority: nothing(),
    })
}

pub(super) fn acknowledge(offer: EntryRef, amiss: &[&str]) -> Event {
    let found = amiss.iter().map(|subject| Discrepancy {
        check: "blob".into(),
        subject: (*subject).into(),
        message: "gone".into(),
    });
    Event::Acknowledge(Acknowledge {
        offer,
        heads: Vec::new(),
        level: "custody".into(),
        discrepancies: found.collect(),
    })
}

pub(super) fn decline(offer: EntryRef) -> Event {
    Event::Decline { offer, reason: "no".into() }
}

fn told(forge: &Forge) -> Story {
    forge.as_member(MONITOR, |setting, request| story(setting, request, None)).expect("a story")
}

/// The entry that a pen wrote last.
pub(super) fn last(forge: &Forge, pen: &Pen) -> EntryRef {
    let at = Place { log: pen.id, seq: pen.size() - 1 };
    EntryRef { log: at.log, seq: at.seq, leaf: told(forge).history().told(at).leaf }
}

fn status(forge: &Forge, offer: &EntryRef) -> Option<Status> {
    told(forge).line(Place { log: offer.log, seq: offer.seq }).status
}

fn no_answer(forge: &Forge, log: LogId, seq: u64) -> Option<NoAnswer> {
    told(forge).line(Place { log, seq }).no_answer
}

#[test]
fn the_status_does_not_depend_on_which_of_two_answers_comes_first() {
    for (answers, expected) in [
        (&["declined"][..], Status::Declined),
        (&["whole"], Status::Acknowledged),
        (&["amiss"], Status::Discrepant),
        (&["whole", "declined"], Status::Acknowledged),
        (&["declined", "whole"], Status::Acknowledged),
        (&["whole", "amiss", "whole"], Status::Discrepant),
        (&["amiss", "declined"], Status::Discrepant),
    ] {
        let (forge, mut founder) = founded();
        founder.say(&forge, &[], offer(READER));
        let made = last(&forge, &founder);
        assert_eq!(status(&forge, &made), Some(Status::Pending));
        // From devices that have not met: each answer in a log of its own.
        for (number, answer) in answers.iter().enumerate() {
            let mut pen = Pen::begin(forge.vault, READER, &format!("R{number}"));
            let event = match *answer {
                "whole" => acknowledge(made, &[]),
                "amiss" => acknowledge(made, &["blobs/00"]),
                _ => decline(made),
            };
            pen.say(&forge, &[founder.head()], event);
        }
        assert_eq!(status(&forge, &made), Some(expected), "{answers:?}");
        forge.finds(&[]);
    }
}

#[test]
fn nobody_answers_for_another_and_nothing_else_is_an_answer() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], offer(READER));
    let made = last(&forge, &founder);
    founder.say(&forge, &[], note("no offer"));
    let other = last(&forge, &founder);
    let mut pen = Pen::begin(forge.vault, SEALER, "S4");
    pen.say(&forge, &[founder.head()], acknowledge(made, &[]));
    pen.say(&forge, &[], decline(EntryRef { seq: 99, ..made }));
    pen.say(&forge, &[], acknowledge(EntryRef { leaf: other.leaf, ..made }, &[]));
    pen.say(&forge, &[], acknowledge(other, &[]));
    let found: Vec<_> = (0..4).map(|seq| no_answer(&forge, pen.id, seq)).collect();
    assert_eq!(
        found,
        [Some(NoAnswer::NotToThem), Some(NoAnswer::NotHere), Some(NoAnswer::NoOffer), Some(NoAnswer::NoOffer)]
    );
    assert_eq!(status(&forge, &made), Some(Status::Pending));
    assert_eq!(told(&forge).pending().count(), 1);
}

#[test]
fn what_does_not_count_is_told_and_answers_nothing() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], offer(READER));
    let made = last(&forge, &founder);
    let mut reader = Pen::begin(forge.vault, READER, "R2");
    reader.say(&forge, &[founder.head()], note("before"));
    // Beyond what a removal lets count.
    let reason = amparo::format::event::RemoveReason::Seized;
    let cuts = vec![reader.head()];
    let removal = Event::Remove(amparo::format::event::Remove { member: member(READER), reason, cuts });
    founder.say(&forge, &[reader.head()], removal);
    reader.say(&forge, &[], acknowledge(made, &[]));
    reader.say(&forge, &[], offer(SEALER));
    let story = told(&forge);
    let line = |seq| story.line(Place { log: reader.id, seq });
    assert_eq!((&line(1).told.standing, line(1).no_answer), (&Standing::Late, Some(NoAnswer::NotCounted)));
    assert_eq!((&line(2).told.standing, line(2).status), (&Standing::Late, None));
    assert_eq!(status(&forge, &made), Some(Status::Pending));
    // Nothing is left out: every entry of every log has its line.
    assert_eq!(story.lines().count(), 6);
}

#[test]
fn whom_only_a_sealer_brought_is_unconfirmed_until_an_owner_agrees() {
    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], admit(ANN, &["monitor"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[sealer.head()], note("hello"));
    let is_unconfirmed = |forge: &Forge| told(forge).line(Place { log: ann.id, seq: 0 }).unconfirmed;
    assert!(is_unconfirmed(&forge));
    founder.say(&forge, &[sealer.head()], admit(ANN, &["monitor"]));
    assert!(!is_unconfirmed(&forge));
}

#[test]
fn a_stranger_is_in_no_story() {
    let (forge, founder) = founded();
    let mut eve = Pen::begin(forge.vault, EVE, "E7");
    eve.say(&forge, &[founder.head()], note("hello"));
    assert_eq!(told(&forge).lines().count(), 1);
}

#[test]
fn where_two_records_share_a_handle_labels_tell_them_apart() {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("one"), Exhibit::text("two")], &Twist::default());
    let mut sealer = Pen::begin(forge.vault, SEALER, "K7");
    sealer.say(&forge, &[founder.head()], note("x"));
    sealer.seal(&forge, &[Exhibit::text("three")], &Twist::default());
    let story = told(&forge);
    let labels: Vec<String> = story.lines().flat_map(|line| line.exhibits).collect();
    assert_eq!(labels.len(), 3);
    assert!(labels.iter().all(|label| label.len() == "K7-0001~1234".len()), "{labels:?}");
    assert!(labels[0] != labels[2] && labels[0][..7] == labels[2][..7], "{labels:?}");
    assert!(story.lines().all(|line| line.label.contains('~')));
}
