//! Files in `cosign/`: what a member signed of another's log, and what anybody may have put there.

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Recipient;
use amparo::format::checkpoint::{Checkpoint, Origin};
use amparo::format::cosignature::{complete, cosign};
use amparo::format::event::{Event, Head};
use amparo::format::ids::{LogId, VaultId};
use amparo::format::note::{Note, SignatureLine};
use amparo::store::layout;
use amparo::vault::cosign::coverage::SignedBy;
use amparo::vault::cosign::make::cosign as cosign_all;
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::session::Request;
use amparo::vault::verify::{Verified, VerifyRequest};

use super::owners::remove;
use crate::vault::forge::{ANN, CUSTODY, EVE, FOUNDER, Forge, MAIN, MONITOR, Pen, READER, SEALER, admit, founded};
use crate::vault::forge::{keys, note, to};
use crate::vault::forge_seal::{Exhibit, Twist};

const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;

/// A founder who has sealed one exhibit, with two entries.
fn sealed() -> (Forge, Pen) {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("seen by the monitor")], &Twist::default());
    (forge, founder)
}

/// The state of a log with the lines of its owner and of a cosigner.
pub(in crate::vault) fn cosigned(pen: &Pen, who: u8) -> Note {
    of_state(&pen.checkpoint(), pen.who, who)
}

fn of_state(state: &Checkpoint, owner: u8, who: u8) -> Note {
    let (owner, who) = (keys(owner), keys(who));
    complete(&state.sign(&owner), &owner.public(), &cosign(state, &who, 1_700_000_000), &who.public())
}

/// The cosigner's lines alone.
fn bare(state: &Checkpoint, who: u8) -> Note {
    cosign(state, &keys(who), 1_700_000_000)
}

pub(in crate::vault) fn put(forge: &Forge, log: LogId, note: &Note) -> String {
    put_bytes(forge, log, &note.to_bytes(), &[&to(CUSTODY)])
}

fn put_bytes(forge: &Forge, log: LogId, plaintext: &[u8], recipients: &[&Recipient]) -> String {
    let bytes = envelope::seal(plaintext, recipients).bytes;
    let path = layout::cosignature(log, Hash::of(&bytes));
    forge.put(&path, &bytes);
    path.to_string()
}

fn signers(verified: &Verified, pen: &Pen) -> Vec<(String, u64, bool)> {
    let log = verified.logs.iter().find(|log| log.log == pen.id).expect("its log");
    let by = |by: &SignedBy| (by.name.clone(), by.size, by.monitor);
    log.coverage.signed_by.iter().map(by).collect()
}

#[test]
fn an_honest_cosignature_covers_what_was_sealed_by_then() {
    let (forge, mut founder) = sealed();
    assert_eq!(forge.finds(&[]).covered_exhibits, 0);
    put(&forge, founder.id, &cosigned(&founder, MONITOR));
    let verified = forge.finds(&[]);
    assert_eq!((verified.covered_exhibits, verified.exhibits, verified.monitors_needed), (1, 1, Some(1)));
    assert_eq!(signers(&verified, &founder), [("Lantern".into(), 2, true)]);
    // What comes after it is not covered, and what one says of a smaller state counts all the same.
    founder.seal(&forge, &[Exhibit::text("too new")], &Twist::default());
    let verified = forge.finds(&[]);
    assert_eq!((verified.covered_exhibits, verified.exhibits), (1, 2));
    let log = &verified.logs[0].coverage;
    assert_eq!((log.size, log.up_to.as_deref()), (2, Some("K7:1")));
    assert!(verified.not_checked.iter().all(|text| !text.contains("cosign")), "{:?}", verified.not_checked);
}

#[test]
fn whoever_is_no_monitor_covers_nothing() {
    let (forge, mut founder) = sealed();
    put(&forge, founder.id, &cosigned(&founder, READER));
    let verified = forge.finds(&[]);
    assert_eq!((verified.covered_exhibits, signers(&verified, &founder)), (0, vec![("Harbour".into(), 2, false)]));
    // A monitor whom a sealer brought vouches for nobody until an owner agrees.
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], admit(ANN, &["monitor"]));
    put(&forge, founder.id, &cosigned(&founder, ANN));
    assert_eq!(forge.finds(&[]).covered_exhibits, 0);
    let before = founder.clone();
    founder.say(&forge, &[sealer.head()], admit(ANN, &["monitor"]));
    let verified = forge.finds(&[]);
    assert_eq!(verified.covered_exhibits, 1, "{:?}", signers(&verified, &before));
}

#[test]
fn what_anybody_can_put_there_is_foreign() {
    let (forge, founder) = sealed();
    let state = founder.checkpoint();
    let good = cosigned(&founder, MONITOR);
    let elsewhere = |origin| of_state(&Checkpoint { origin, ..state }, FOUNDER, MONITOR);
    let other_vault = elsewhere(Origin { vault: VaultId(Hash::of(b"elsewhere")), ..state.origin });
    let other_log = elsewhere(Origin { log: LogId([9; 16]), ..state.origin });
    let no_state = Note::new("no state\n".into(), good.lines().to_vec());
    let paths = [
        put_bytes(&forge, founder.id, b"no note", &[&to(CUSTODY)]),
        put_bytes(&forge, founder.id, &good.to_bytes(), &[&to(CUSTODY), &to(MAIN)]),
        put_bytes(&forge, founder.id, &good.to_bytes(), &[&to(MAIN)]),
        put_bytes(&forge, founder.id, &vec![b'x'; 200 << 10], &[&to(CUSTODY)]),
        put(&forge, founder.id, &no_state),
        put(&forge, founder.id, &other_vault),
        put(&forge, founder.id, &other_log),
        put(&forge, founder.id, &state.sign(&keys(FOUNDER))),
        put(&forge, founder.id, &cosigned(&founder, EVE)),
        // Of her own log a member says nothing new.
        put(&forge, founder.id, &cosigned(&founder, FOUNDER)),
    ];
    let expected: Vec<_> = paths.iter().map(|path| (Check::Foreign, INCOMPLETE, path.as_str())).collect();
    let verified = forge.finds(&expected);
    assert_eq!(verified.covered_exhibits, 0);

    // In the folder of another record of the same vault.
    let (forge, founder) = sealed();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    let path = put(&forge, sealer.id, &cosigned(&founder, MONITOR));
    forge.finds(&[(Check::Foreign, INCOMPLETE, &path)]);
}

#[test]
fn bytes_that_are_not_those_of_the_name_are_damage() {
    let (forge, founder) = sealed();
    let path = put(&forge, founder.id, &cosigned(&founder, MONITOR));
    let mut bytes = forge.read(&path);
    bytes.push(0);
    forge.put_named(&path, &bytes);
    let verified = forge.finds(&[(Check::Cosignature, INVALID, &path)]);
    assert_eq!(verified.covered_exhibits, 0);
}

#[test]
fn both_lines_of_the_cosigner_must_hold() {
    let (forge, founder) = sealed();
    let good = cosigned(&founder, MONITOR);
    let later = cosign(&founder.checkpoint(), &keys(MONITOR), 1_700_000_001);
    let other = bare(&Checkpoint { root: Hash::of(b"another"), ..founder.checkpoint() }, MONITOR);
    let line = |index: usize| good.lines()[index].clone();
    let with = |lines: &[SignatureLine]| Note::new(good.text().to_owned(), lines.to_vec());
    for (number, lines) in [
        vec![line(0), line(1), line(2)],
        vec![line(0), line(1), line(3)],
        vec![line(0), line(1), line(3), line(2)],
        vec![line(0), line(1), line(2), line(2), line(3)],
        vec![line(0), line(1), line(2), later.lines()[1].clone()],
        vec![line(0), line(1), other.lines()[0].clone(), line(3)],
        vec![line(0), line(1), line(2), other.lines()[1].clone()],
    ]
    .into_iter()
    .enumerate()
    {
        let there = forge.copy();
        let path = put(&there, founder.id, &with(&lines));
        let verified = there.verify(READER);
        assert_eq!(verified.findings.len(), 1, "{number}: {:?}", verified.findings);
        there.finds(&[(Check::Cosignature, INVALID, &path)]);
    }
    // What stands beside them is not looked at, and of the log's own lines nothing depends on them here.
    let mut lines = vec![line(1)];
    lines.extend([line(2), line(3), SignatureLine::new("witness.example", [1; 4], &[1; 64])]);
    put(&forge, founder.id, &with(&lines));
    assert_eq!(forge.finds(&[]).covered_exhibits, 1);
}

#[test]
fn a_longer_state_shows_that_the_copy_is_behind() {
    let (forge, founder) = sealed();
    let (elsewhere, mut longer) = (forge.copy(), founder.clone());
    longer.say(&elsewhere, &[], note("more"));
    let there = forge.copy();
    put(&there, founder.id, &cosigned(&longer, MONITOR));
    there.finds(&[(Check::Behind, INCOMPLETE, &founder.folder())]);
    // Nobody but the log's own member can show that there is more.
    let path = put(&forge, founder.id, &bare(&longer.checkpoint(), MONITOR));
    forge.finds(&[(Check::Behind, INCOMPLETE, &path)]);
}

#[test]
fn another_state_of_the_same_size_is_a_fork_only_with_its_owners_signatures() {
    let (forge, mut founder) = sealed();
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[founder.head()], note("hello"));
    let mut other = founder.clone();
    other.say(&forge.copy(), &[], note("what the monitor was shown"));
    founder.say(&forge, &[], note("what everybody else was shown"));
    let there = forge.copy();
    put(&there, founder.id, &cosigned(&other, MONITOR));
    let verified = there.finds(&[(Check::Fork, INVALID, &founder.folder())]);
    assert!(
        verified.notices.iter().any(|notice| notice.starts_with("Lantern cosigned the other of the two histories"))
    );
    assert_eq!(verified.covered_exhibits, 0);
    // The monitor who says in her own record what she saw is not accused of it.
    let heads = vec![other.head()];
    let said = Event::Verify { heads, level: "custody".into(), verdict: "valid".into() };
    monitor.say(&there, &[other.head()], said);
    there.finds(&[(Check::Fork, INVALID, &founder.folder())]);
    // Without them it is the cosigner's word alone, and it accuses nobody else.
    let path = put(&forge, founder.id, &bare(&other.checkpoint(), MONITOR));
    forge.finds(&[(Check::Cosignature, INVALID, &path)]);
}

#[test]
fn who_cosigned_the_other_of_two_known_histories_is_told_and_counts_not() {
    let (forge, mut founder) = sealed();
    let mut other = founder.clone();
    founder.say(&forge, &[], note("one"));
    founder.say(&forge, &[], note("and on"));
    other.say(&forge, &[], note("other"));
    put(&forge, founder.id, &cosigned(&other, MONITOR));
    let verified = forge.finds(&[(Check::Fork, INVALID, &founder.folder())]);
    assert_eq!(verified.covered_exhibits, 0);
    let told = "Lantern cosigned the other of the two histories of K7, at 3 events";
    assert!(verified.notices.iter().any(|notice| notice == told), "{:?}", verified.notices);
}

#[test]
fn of_a_removed_cosigner_only_what_a_check_of_hers_names_counts() {
    let (forge, mut founder) = sealed();
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[founder.head()], note("here"));
    let there = forge.copy();
    let (mut other, mut checked) = (founder.clone(), monitor.clone());
    put(&forge, founder.id, &cosigned(&founder, MONITOR));
    founder.say(&forge, &[monitor.head()], remove(MONITOR, &[monitor.head()]));
    let verified = forge.finds(&[]);
    assert_eq!(verified.covered_exhibits, 0);
    assert!(verified.notices.iter().any(|notice| notice.contains("late, not counted")), "{:?}", verified.notices);

    put(&there, founder.id, &cosigned(&other, MONITOR));
    let heads = vec![other.head()];
    checked.say(&there, &[], Event::Verify { heads, level: "custody".into(), verdict: "valid".into() });
    other.say(&there, &[checked.head()], remove(MONITOR, &[checked.head()]));
    let verified = there.finds(&[]);
    assert_eq!(verified.covered_exhibits, 1);
    assert!(!verified.notices.iter().any(|notice| notice.contains("late, not counted")));
    // A check beyond the cut is late itself.
    let heads = vec![other.head()];
    put(&there, other.id, &cosigned(&other, MONITOR));
    checked.say(&there, &[], Event::Verify { heads, level: "custody".into(), verdict: "valid".into() });
    let verified = there.finds(&[]);
    assert!(verified.notices.iter().any(|notice| notice.starts_with("1 cosignatures of Lantern")));
}

/// What a member checked and named.
fn checked(heads: &[Head]) -> Event {
    Event::Verify { heads: heads.to_vec(), level: "custody".into(), verdict: "valid".into() }
}

/// Whoever holds a seized device signs with its owner's keys. That she is admitted again, restored from paper with the same
/// keys, makes nothing of it hers.
#[test]
fn what_a_seized_device_signed_does_not_count_when_its_owner_is_back() {
    let (forge, mut founder) = sealed();
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[founder.head()], note("here"));
    let (cut, seen) = (monitor.head(), founder.head());
    put(&forge, founder.id, &cosigned(&founder, MONITOR));
    monitor.say(&forge, &[], checked(&[seen]));
    let before = founder.clone();
    founder.say(&forge, &[cut], remove(MONITOR, &[cut]));
    founder.say(&forge, &[], admit(MONITOR, &["monitor"]));
    let verified = forge.finds(&[]);
    assert_eq!((verified.covered_exhibits, signers(&verified, &before)), (0, Vec::new()));
    let told = "1 cosignatures of Lantern, who was removed and admitted again, are named by no check of hers that counts: late, not counted";
    assert!(verified.notices.iter().any(|notice| notice == told), "{:?}", verified.notices);
    // She may say so herself, as a monitor.
    let mut back = Pen::begin(forge.vault, MONITOR, "M4");
    back.say(&forge, &[founder.head()], checked(&[seen]));
    let verified = forge.finds(&[]);
    assert_eq!((verified.covered_exhibits, signers(&verified, &before)), (1, vec![("Lantern".into(), 2, true)]));
}

/// Her program does so: it does not take what she cannot have signed for signed before.
#[test]
fn who_is_back_signs_anew_what_only_the_seized_device_signed() {
    let (forge, mut founder) = sealed();
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    monitor.say(&forge, &[founder.head()], note("here"));
    founder.say(&forge, &[monitor.head()], remove(MONITOR, &[monitor.head()]));
    founder.say(&forge, &[], admit(MONITOR, &["monitor"]));
    put(&forge, founder.id, &cosigned(&founder, MONITOR));
    assert_eq!(forge.finds(&[]).covered_exhibits, 0);
    let made = forge.as_member(MONITOR, |setting, place| {
        let place = Request { vault: place.vault, state: place.state, person: place.person, trust: place.trust };
        let request = VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] };
        cosign_all(setting, &request).expect("cosigned").1
    });
    assert_eq!((made.signed.len(), made.before.len()), (1, 0), "{:?}", made.refused);
    assert_eq!(forge.finds(&[]).covered_exhibits, 1);
}

#[test]
fn what_a_monitor_signed_stays_a_monitors_when_she_comes_back_as_something_else() {
    let (forge, mut founder) = sealed();
    let mut monitor = Pen::begin(forge.vault, MONITOR, "M3");
    put(&forge, founder.id, &cosigned(&founder, MONITOR));
    monitor.say(&forge, &[founder.head()], checked(&[founder.head()]));
    let before = founder.clone();
    founder.say(&forge, &[monitor.head()], remove(MONITOR, &[monitor.head()]));
    founder.say(&forge, &[], admit(MONITOR, &["sealer"]));
    assert_eq!(forge.finds(&[]).covered_exhibits, 1);
    founder.seal(&forge, &[Exhibit::text("sealed since")], &Twist::default());
    let verified = forge.finds(&[]);
    assert_eq!((verified.covered_exhibits, verified.exhibits), (1, 2));
    assert_eq!(signers(&verified, &before), [("Lantern".into(), 2, true)]);
    // What she signs as a sealer is told, and covers nothing; in a log of either time.
    for mut hers in [Pen::begin(forge.vault, MONITOR, "M4"), monitor] {
        let there = forge.copy();
        put(&there, founder.id, &cosigned(&founder, MONITOR));
        hers.say(&there, &[founder.head()], checked(&[founder.head()]));
        let verified = there.finds(&[]);
        assert_eq!((verified.covered_exhibits, verified.exhibits), (1, 2));
        assert_eq!(signers(&verified, &before), [("Lantern".into(), 5, false), ("Lantern".into(), 2, true)]);
        // Unless an owner makes her a monitor again: then her word is good for what she has checked since.
        let mut owner = founder.clone();
        owner.say(&there, &[hers.head()], admit(MONITOR, &["monitor"]));
        let verified = there.finds(&[]);
        assert_eq!((verified.covered_exhibits, signers(&verified, &before)), (2, vec![("Lantern".into(), 5, true)]));
    }
}

#[test]
fn what_lies_beyond_a_cut_is_lacking_to_nobody() {
    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    founder.say(&forge, &[sealer.head()], remove(SEALER, &[sealer.head()]));
    let mut late = sealer.clone();
    late.say(&forge.copy(), &[], note("too late"));
    put(&forge, sealer.id, &cosigned(&late, MONITOR));
    forge.finds(&[]);
}

#[test]
fn a_file_that_an_entry_calls_a_time_stamp_is_no_cosignature() {
    let (forge, mut founder) = sealed();
    let path = put_bytes(&forge, founder.id, b"a time stamp", &[&to(CUSTODY)]);
    let there = forge.copy();
    there.finds(&[(Check::Foreign, INCOMPLETE, &path)]);
    let file = Hash::from_hex(path.rsplit('/').next().expect("a name")).expect("a hash");
    founder.say(&forge, &[], Event::Stamp { kind: "rfc3161".into(), checkpoint: Hash::of(b"a state"), file });
    forge.finds(&[]);
}

#[test]
fn of_a_record_that_is_no_evidence_nothing_more_is_said() {
    let (forge, founder) = sealed();
    let mut eve = Pen::begin(forge.vault, EVE, "E7");
    eve.say(&forge, &[founder.head()], note("nobody asked me in"));
    put(&forge, eve.id, &bare(&eve.checkpoint(), MONITOR));
    forge.finds(&[(Check::Foreign, INCOMPLETE, &eve.folder())]);
    let head: Head = eve.head();
    assert_eq!(head.size, 1);
}
