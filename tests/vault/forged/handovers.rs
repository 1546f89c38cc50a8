//! Handovers as FORMAT § 7.4 tells them: how far each has come, and what an acknowledgement of a damaged copy lists.

use amparo::crypto::hash::Hash;
use amparo::format::event::{EntryRef, Event, ExhibitRef, Head};
use amparo::format::ids::MemberId;
use amparo::vault::VaultError;
use amparo::vault::custody::acknowledge::{AcknowledgeRequest, acknowledge as sign};
use amparo::vault::custody::story::story;
use amparo::vault::history::Place;
use amparo::vault::session::Request;

use super::owners::remove;
use crate::vault::forge::{ANN, CUSTODY, FOUNDER, Forge, MONITOR, Pen, READER, SEALER, founded, member, note};
use crate::vault::forge_seal::{Exhibit, Twist, path};
use crate::vault::handovers::{acknowledge, decline, last, offer, offer_of};

/// An offer to the reader of these, or of everything under these states.
fn of(exhibits: &[ExhibitRef], heads: &[Head]) -> Event {
    offer_of(READER, exhibits.to_vec(), heads.to_vec())
}

fn packed(to: &[u8], exhibits: Option<&[ExhibitRef]>, offers: &[u64], pouch: &str) -> Event {
    let mut to: Vec<MemberId> = to.iter().map(|who| member(*who)).collect();
    to.sort_unstable();
    let exhibits = exhibits.map(<[ExhibitRef]>::to_vec);
    Event::Pack { to, exhibits, offers: offers.to_vec(), pouch: Hash::of(pouch.as_bytes()), bytes: 20_000 }
}

/// How the custody story calls an entry's status.
#[track_caller]
fn is(forge: &Forge, log: &Pen, seq: u64, status: Option<&str>) {
    let told = forge.as_member(READER, |setting, request| story(setting, request, None)).expect("a story");
    let line = told.line(Place { log: log.id, seq });
    assert_eq!(line.status.map(amparo::vault::custody::handovers::Status::word), status);
}

/// What the reader's acknowledgement of the one offer to her lists, as check and subject.
#[track_caller]
fn lists(forge: &Forge, expected: &[&str]) {
    // The vault as it is becomes a case; what she signs is written into a copy.
    forge.verify(READER);
    let copy = forge.copy();
    let signed = copy.as_member(READER, |setting, request| {
        let place = Request { ..*request };
        sign(setting, &AcknowledgeRequest { place, offer: None, sign_older: true }).expect("signed")
    });
    let told = copy.as_member(READER, |setting, request| story(setting, request, None)).expect("a story");
    let answer = told.lines().find(|line| line.label == signed.said.label).expect("her answer");
    let Event::Acknowledge(said) = &answer.told.entry.event else { panic!("no acknowledgement") };
    let mut listed: Vec<String> =
        said.discrepancies.iter().map(|one| format!("{} {}", one.check, one.subject)).collect();
    listed.sort_unstable();
    listed.dedup();
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

#[test]
fn how_far_a_handover_has_come() {
    for (answers, status) in [
        (&[][..], "pending"),
        (&["declined"], "declined"),
        (&["whole"], "acknowledged"),
        (&["amiss"], "acknowledged with discrepancies"),
        (&["whole", "declined"], "acknowledged"),
        (&["declined", "amiss", "whole"], "acknowledged with discrepancies"),
    ] {
        let (forge, mut founder) = founded();
        founder.say(&forge, &[], offer(READER));
        let made = last(&forge, &founder);
        for (number, answer) in answers.iter().enumerate() {
            let mut reader = Pen::begin(forge.vault, READER, &format!("R{number}"));
            let event = match *answer {
                "whole" => acknowledge(made, &[]),
                "amiss" => acknowledge(made, &["blobs/ab/abc"]),
                _ => decline(made),
            };
            reader.say(&forge, &[founder.head()], event);
        }
        forge.finds(&[]);
        is(&forge, &founder, 1, Some(status));
    }
}

#[test]
fn what_is_no_answer() {
    // By another; to an entry that is not the offer; to a note; what a removal cuts off.
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], offer(READER));
    let made = last(&forge, &founder);
    founder.say(&forge, &[], note("no offer"));
    let no_offer = last(&forge, &founder);
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[founder.head()], acknowledge(made, &[]));
    let mut reader = Pen::begin(forge.vault, READER, "R2");
    reader.say(&forge, &[founder.head()], acknowledge(EntryRef { leaf: Hash::of(b"another"), ..made }, &[]));
    reader.say(&forge, &[], acknowledge(no_offer, &[]));
    forge.finds(&[]);
    is(&forge, &founder, 1, Some("pending"));
    let cut = reader.head();
    reader.say(&forge, &[], acknowledge(made, &[]));
    forge.verify(READER);
    is(&forge, &founder, 1, Some("acknowledged"));
    founder.say(&forge, &[reader.head()], remove(READER, &[cut]));
    forge.verify(MONITOR);
    is(&forge, &founder, 1, Some("pending"));
}

#[test]
fn how_far_a_pouch_has_come() {
    let (forge, mut founder) = founded();
    let mut to = |who: u8| {
        founder.say(&forge, &[], offer(who));
        last(&forge, &founder)
    };
    let (first, second, elsewhere) = (to(READER), to(MONITOR), to(SEALER));
    // Entry 4 goes with two offers; the third is to somebody to whom the pouch is not.
    founder.say(&forge, &[], packed(&[READER, MONITOR], None, &[1, 2, 3], "one"));
    is(&forge, &founder, 4, Some("pending"));
    forge.finds(&[]);
    let mut reader = Pen::begin(forge.vault, READER, "R2");
    reader.say(&forge, &[founder.head()], acknowledge(first, &["blobs/ab/abc"]));
    is(&forge, &founder, 4, Some("pending"));
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[founder.head()], decline(second));
    is(&forge, &founder, 4, Some("acknowledged with discrepancies"));
    forge.finds(&[]);
    // Of one pouch several entries can tell, and each has the status of all that it carries.
    founder.say(&forge, &[], packed(&[SEALER], Some(&[]), &[], "two"));
    founder.say(&forge, &[], packed(&[SEALER], None, &[], "three"));
    founder.say(&forge, &[], packed(&[SEALER], None, &[3], "three"));
    is(&forge, &founder, 5, Some("pending"));
    is(&forge, &founder, 6, Some("pending"));
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], acknowledge(elsewhere, &[]));
    // What carried nothing is answered by whoever shows to have seen what stands before it.
    is(&forge, &founder, 5, Some("answered"));
    is(&forge, &founder, 6, Some("acknowledged"));
    is(&forge, &founder, 7, Some("acknowledged"));
    // Without offers, and to nobody but its author, there is nothing to wait for.
    founder.say(&forge, &[], packed(&[SEALER], None, &[], "four"));
    founder.say(&forge, &[], packed(&[FOUNDER], Some(&[]), &[], "five"));
    is(&forge, &founder, 8, None);
    is(&forge, &founder, 9, None);
    forge.finds(&[]);
}

#[test]
fn what_an_acknowledgement_of_everything_lists() {
    let (forge, mut founder) = founded();
    let offered = founder.seal(&forge, &[Exhibit::text("one"), Exhibit::text("two")], &Twist::default());
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    founder.say(&forge, &[sealer.head()], of(&[], &[founder.head(), sealer.head()]));
    lists(&forge, &[]);
    let since = founder.seal(&forge, &[Exhibit::text("three")], &Twist::default());
    forge.remove(&path(since[0]));
    lists(&forge, &[]);
    forge.remove(&path(offered[0]));
    lists(&forge, &[&format!("blob {}", path(offered[0]))]);
    // All that concerns more than what was sealed since is listed: here a stranger under a name that must be escaped once.
    forge.put_named("a\\b\u{7}", b"?");
    let stranger = "layout a\\\\b\\u{7}";
    lists(&forge, &[&format!("blob {}", path(offered[0])), stranger]);
    // A log that was handed over with more entries than are here.
    for name in forge.names(&sealer.folder()) {
        forge.remove(&name);
    }
    let behind = format!("behind {}", sealer.folder());
    let named = format!("behind {}", founder.at(2));
    lists(&forge, &[&format!("blob {}", path(offered[0])), stranger, &behind, &named]);
}

/// Two exhibits of one log and one of another.
struct Named {
    forge: Forge,
    founder: Pen,
    sealer: Pen,
    /// The blobs of each sealing: rows, inventory, manifest.
    blobs: [Vec<Hash>; 2],
    exhibits: Vec<ExhibitRef>,
}

fn sealing(forge: &Forge, pen: &mut Pen, words: &[&str]) -> (Vec<Hash>, Vec<ExhibitRef>) {
    let exhibits: Vec<Exhibit> = words.iter().map(|words| Exhibit::text(words)).collect();
    let (event, blobs) = pen.sealing(forge, &exhibits, &Twist::default());
    let Event::Seal(seal) = &event else { unreachable!() };
    let sealed = forge.exhibits_of(seal);
    pen.say(forge, &[], event);
    (blobs, sealed)
}

fn named() -> Named {
    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    let (first, one) = sealing(&forge, &mut founder, &["one", "two"]);
    let (second, two) = sealing(&forge, &mut sealer, &["three"]);
    Named { forge, founder, sealer, blobs: [first, second], exhibits: [one, two].concat() }
}

#[test]
fn what_an_acknowledgement_of_named_exhibits_lists() {
    let Named { forge, mut founder, sealer, blobs: [first, second], exhibits } = named();
    founder.say(&forge, &[sealer.head()], of(&[exhibits[0], exhibits[2]], &[founder.head(), sealer.head()]));
    lists(&forge, &[]);
    // Of what was not offered nothing is listed.
    forge.remove(&path(first[1]));
    forge.put_named("stranger.txt", b"?");
    lists(&forge, &[]);
    let [blob, inventory, manifest] = [path(first[0]), path(first[2]), path(first[3])];
    forge.remove(&blob);
    lists(&forge, &[&format!("blob {blob}")]);
    let mut damaged = forge.read(&manifest);
    damaged[100] ^= 1;
    forge.put_named(&manifest, &damaged);
    lists(&forge, &[&format!("blob {blob}"), &format!("blob {manifest}")]);
    forge.put_named("VAULT", format!("amparo.v1/vault\n{}\n", Hash::of(b"another")).as_bytes());
    let in_folder = format!("{}/notes.txt", sealer.folder());
    forge.put_named(&in_folder, b"?");
    let others = [format!("blob {blob}"), "vault VAULT".into(), format!("layout {in_folder}")];
    lists(&forge, &[&others[0], &format!("blob {manifest}"), &others[1], &others[2]]);
    // Without the inventory nobody can say which blobs are the exhibit's.
    forge.remove(&inventory);
    lists(&forge, &[&format!("blob {inventory}"), &others[1], &others[2]]);
    // Of another log the same.
    forge.remove(&path(second[0]));
    lists(&forge, &[&format!("blob {inventory}"), &format!("blob {}", path(second[0])), &others[1], &others[2]]);
}

#[test]
fn what_an_acknowledgement_lists_of_exhibits_that_are_not_here() {
    let (forge, mut founder) = founded();
    let (_, exhibits) = sealing(&forge, &mut founder, &["one", "two"]);
    let asked = [
        ExhibitRef { row: Hash::of(b"another row"), ..exhibits[0] },
        ExhibitRef { number: 40, ..exhibits[0] },
        ExhibitRef { log: amparo::format::ids::LogId([9; 16]), ..exhibits[0] },
        exhibits[1],
    ];
    founder.say(&forge, &[], of(&asked, &[founder.head()]));
    lists(&forge, &["reference K7-0001", "behind K7-0040", "behind ?-0001"]);
}

#[test]
fn where_two_logs_have_one_handle_an_acknowledgement_tells_which_exhibit() {
    let Named { forge, mut founder, exhibits, .. } = named();
    let mut other = Pen::begin(forge.vault, SEALER, "K7");
    other.say(&forge, &[founder.head()], note("the same handle"));
    let lost = ExhibitRef { number: 9, ..exhibits[0] };
    founder.say(&forge, &[other.head()], of(&[exhibits[0], lost], &[founder.head()]));
    lists(&forge, &[&format!("behind K7-0009~{}", &lost.row.to_string()[..4])]);
}

/// She reads the custody record and was never admitted: what she would sign here nobody would ever be told.
#[test]
fn who_is_no_member_signs_for_nothing() {
    let (forge, mut founder) = founded();
    let (key, wraps) = (forge.key_id(CUSTODY), forge.wraps(CUSTODY, &[ANN]));
    founder.say(&forge, &[], Event::Share { key, wraps, dummies: Vec::new() });
    founder.say(&forge, &[], offer(ANN));
    let files = forge.names("").len();
    let refused = forge.as_member(ANN, |setting, request| {
        sign(setting, &AcknowledgeRequest { place: Request { ..*request }, offer: None, sign_older: true })
    });
    assert!(matches!(refused, Err(VaultError::NotAMember { .. })), "{refused:?}");
    assert_eq!(forge.names("").len(), files);
}
