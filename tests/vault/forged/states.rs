//! Signed states: both lines of the log's own member, for this log of this vault, and nothing else.

use amparo::crypto::hash::Hash;
use amparo::format::checkpoint::{Checkpoint, Origin};
use amparo::format::ids::{LogId, VaultId};
use amparo::format::note::{Note, SignatureLine};
use amparo::store::layout::{self, CheckpointName, EntryName};
use amparo::vault::findings::{Check, Verdict};

use crate::vault::forge::{FOUNDER, Forge, Pen, SEALER, founded, keys, note};

const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;

/// A vault whose founder has said one thing more; its second state is signed by `forged` instead.
fn with(forged: impl Fn(&Checkpoint) -> Note) -> (Forge, Pen, String) {
    let (forge, mut founder) = founded();
    let entry = founder.entry(&[], note("signed strangely"));
    founder.unsigned(&forge, &entry);
    let path = forge.put_note(founder.id, 2, &forged(&founder.checkpoint()).to_bytes());
    (forge, founder, path)
}

/// The state is no state, so that the entry behind the one before is covered by nothing.
fn no_state(forged: impl Fn(&Checkpoint) -> Note, check: Check, weight: Verdict) {
    let (forge, founder, path) = with(forged);
    let verified = forge.verify(SEALER);
    let found: Vec<_> = verified.findings.iter().map(|one| (one.check, one.weight, one.subject.as_str())).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.contains(&(check, weight, path.as_str())), "{found:?}");
    let foreign = format!("{}/entries/00000000/0000000001-", founder.folder());
    assert!(found.iter().any(|(check, _, subject)| *check == Check::Foreign && subject.starts_with(&foreign)));
}

fn lines(note: &Note, pick: &[usize]) -> Note {
    let lines: Vec<SignatureLine> = pick.iter().map(|index| note.lines()[*index].clone()).collect();
    Note::new(note.text().to_owned(), lines)
}

#[test]
fn both_lines_in_order_and_no_third() {
    let pick = |pick: &'static [usize]| move |state: &Checkpoint| lines(&state.sign(&keys(FOUNDER)), pick);
    for stripped in [&[0][..], &[1], &[1, 0], &[0, 0, 1], &[0, 1, 1]] {
        no_state(pick(stripped), Check::Signature, INVALID);
    }
    let (forge, ..) = with(pick(&[0, 1]));
    forge.finds(&[]);
}

#[test]
fn lines_of_another_state_do_not_hold() {
    for line in [0, 1] {
        no_state(
            |state| {
                let honest = state.sign(&keys(FOUNDER));
                let other = Checkpoint { root: Hash::of(b"another"), ..*state }.sign(&keys(FOUNDER));
                let mut lines = honest.lines().to_vec();
                lines[line] = other.lines()[line].clone();
                Note::new(honest.text().to_owned(), lines)
            },
            Check::Signature,
            INVALID,
        );
    }
}

#[test]
fn what_another_member_signs_under_a_logs_id_is_foreign() {
    no_state(|state| state.sign(&keys(SEALER)), Check::Foreign, INCOMPLETE);
}

#[test]
fn a_state_of_another_vault_or_log_is_none_of_this_log() {
    let signed = |origin: Origin, state: &Checkpoint| Checkpoint { origin, ..*state }.sign(&keys(FOUNDER));
    let elsewhere = VaultId(Hash::of(b"elsewhere"));
    no_state(|state| signed(Origin { vault: elsewhere, ..state.origin }, state), Check::Signature, INVALID);
    no_state(|state| signed(Origin { log: LogId([9; 16]), ..state.origin }, state), Check::Signature, INVALID);
}

#[test]
fn a_states_name_tells_its_size_and_its_hash() {
    let (forge, founder) = founded();
    let note = founder.checkpoint().sign(&keys(FOUNDER)).to_bytes();
    let wrong_size = forge.put_note(founder.id, 7, &note);
    let name = CheckpointName { size: 1, sha256: Hash::of(b"another") };
    let wrong_hash = layout::checkpoint(founder.id, &name);
    forge.put(&wrong_hash, &note);
    let huge = forge.put_note(founder.id, 1, &vec![b'x'; 200 << 10]);
    forge.finds(&[
        (Check::Signature, INVALID, &wrong_size),
        (Check::Signature, INVALID, &wrong_hash.to_string()),
        (Check::Signature, INVALID, &huge),
    ]);
}

#[test]
fn a_state_to_which_no_entries_lead_is_named() {
    let (forge, mut founder) = founded();
    let lost = founder.say(&forge, &[], note("lost on the way"));
    founder.say(&forge, &[], note("here"));
    let name = forge.names(&format!("{}/entries/00000000/0000000001-", founder.folder())).remove(0);
    forge.remove(&name);
    let verified = forge.verify(SEALER);
    assert_eq!(verified.verdict, INCOMPLETE, "{:?}", verified.findings);
    assert!(verified.findings.iter().any(|one| one.check == Check::Entry && one.subject == founder.at(1)));

    // All are there, and another root is signed for them.
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], note("here"));
    let root = Hash::of(b"not the root");
    let origin = Origin { vault: forge.vault, log: founder.id };
    let state = Checkpoint { origin, size: 3, root };
    forge.put_note(founder.id, 3, &state.sign(&keys(FOUNDER)).to_bytes());
    forge.finds(&[(Check::Entry, INCOMPLETE, &founder.at(2))]);
    let entry = founder.entry(&[], note("covered by no state"));
    founder.unsigned(&forge, &entry);
    let verified = forge.verify(SEALER);
    let tree: Vec<_> = verified.findings.iter().filter(|one| one.weight == INVALID).collect();
    assert_eq!(tree.len(), 1);
    assert_eq!((tree[0].check, &tree[0].subject), (Check::Tree, &founder.folder()));
    let _ = lost;
}

#[test]
fn a_damaged_file_beyond_a_state_does_not_explain_its_root() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], note("here"));
    let uncovered = founder.entry(&[], note("covered by no state"));
    let uncovered = founder.unsigned(&forge, &uncovered);
    let name = EntryName { seq: 3, leaf: Hash::of(b"a leaf"), sha256: Hash::of(b"other bytes") };
    let damaged = layout::entry(founder.id, &name);
    forge.put(&damaged, b"bytes");
    let origin = Origin { vault: forge.vault, log: founder.id };
    let state = Checkpoint { origin, size: 3, root: Hash::of(b"not the root") };
    forge.put_note(founder.id, 3, &state.sign(&keys(FOUNDER)).to_bytes());
    forge.finds(&[
        (Check::Tree, INVALID, &founder.folder()),
        (Check::Foreign, INCOMPLETE, &uncovered),
        (Check::Foreign, INCOMPLETE, &damaged.to_string()),
    ]);
}
