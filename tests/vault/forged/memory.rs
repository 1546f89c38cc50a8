//! What a device remembers against what it is shown.

use amparo::format::ids::VaultId;
use amparo::format::vault_file;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::layout;
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::session::{Request, Session, Trust};

use super::owners::remove;
use crate::vault::forge::{
    ANN, FOUNDER, Forge, Pen, READER, SEALER, admit, assert_found, card, founded, founding, note,
};

const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;

#[test]
fn an_older_copy_is_behind_and_a_newer_one_is_not() {
    let (forge, mut founder) = founded();
    let older = forge.copy();
    founder.say(&forge, &[], note("more"));
    let newer = forge.copy();
    founder.say(&newer, &[], note("and more"));
    // One device, one memory: it lies on the disk that it verifies, and goes with the copies.
    assert_found(&forge.try_verify(READER, "/state/mine").expect("a verdict"), &[]);
    let state = forge.disk.files().into_iter().filter(|(path, _)| path.starts_with("/state"));
    for (path, bytes) in state {
        older.disk.put(&path, &bytes);
        newer.disk.put(&path, &bytes);
    }
    let verified = older.try_verify(READER, "/state/mine").expect("a verdict");
    assert_found(&verified, &[(Check::Behind, INCOMPLETE, &founder.folder())]);
    assert_found(&newer.try_verify(READER, "/state/mine").expect("a verdict"), &[]);
}

#[test]
fn a_history_that_parted_from_what_was_seen_is_a_fork() {
    let (forge, mut founder) = founded();
    let there = forge.copy();
    let mut restored = founder.clone();
    founder.say(&forge, &[], note("seen"));
    restored.say(&there, &[], note("after a restore"));
    restored.say(&there, &[], note("and on"));
    assert_found(&forge.try_verify(READER, "/state/mine").expect("a verdict"), &[]);
    for (path, bytes) in forge.disk.files().into_iter().filter(|(path, _)| path.starts_with("/state")) {
        there.disk.put(&path, &bytes);
    }
    let verified = there.try_verify(READER, "/state/mine").expect("a verdict");
    assert_found(&verified, &[(Check::Fork, INVALID, &founder.folder())]);
    // The same device is not talked out of it.
    let again = there.try_verify(READER, "/state/mine").expect("a verdict");
    assert_found(&again, &[(Check::Fork, INVALID, &founder.folder())]);
}

/// What a device has seen that keeps its memory beside another copy.
fn remembers_from(seen: &Forge, here: &Forge) {
    seen.try_verify(READER, "/state/mine").expect("a verdict");
    for (path, bytes) in seen.disk.files().into_iter().filter(|(path, _)| path.starts_with("/state")) {
        here.disk.put(&path, &bytes);
    }
}

/// Whoever has a seized device shows somebody what it signs, and takes it away again: after the removal nobody misses it.
/// Found by the second verifier.
#[test]
fn what_was_seen_beyond_a_cut_is_lacking_to_nobody() {
    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    let shown = forge.copy();
    let (mut late, mut other) = (sealer.clone(), Pen::begin(forge.vault, SEALER, "S5"));
    late.say(&shown, &[], note("too late"));
    other.say(&shown, &[founder.head()], note("from nowhere"));
    // The removal lets the one log count as far as it is here, and of the other nothing.
    let (there, mut owner) = (forge.copy(), founder.clone());
    owner.say(&there, &[sealer.head()], remove(SEALER, &[sealer.head()]));
    remembers_from(&shown, &there);
    assert_found(&there.try_verify(READER, "/state/mine").expect("a verdict"), &[]);
    // Before it, and where it lets more count than is here, both are missed.
    remembers_from(&shown, &forge);
    let behind = |subject: &'static str| (Check::Behind, INCOMPLETE, subject);
    let [one, two, cut] = [late.folder(), other.folder(), founder.at(1)].map(|subject| behind(subject.leak()));
    assert_found(&forge.try_verify(READER, "/state/mine").expect("a verdict"), &[one, two]);
    founder.say(&forge, &[sealer.head()], remove(SEALER, &[late.head()]));
    assert_found(&forge.try_verify(READER, "/state/mine").expect("a verdict"), &[cut, one]);
}

#[test]
fn another_history_than_was_seen_is_none_of_a_log_that_does_not_count_at_all() {
    let (forge, founder) = founded();
    let sealer = Pen::begin(forge.vault, SEALER, "S4");
    let shown = forge.copy();
    sealer.clone().say(&shown, &[founder.head()], note("one"));
    sealer.clone().say(&forge, &[founder.head()], note("other"));
    let there = forge.copy();
    founder.clone().say(&there, &[], remove(SEALER, &[]));
    remembers_from(&shown, &there);
    assert_found(&there.try_verify(READER, "/state/mine").expect("a verdict"), &[]);
    remembers_from(&shown, &forge);
    let verified = forge.try_verify(READER, "/state/mine").expect("a verdict");
    assert_found(&verified, &[(Check::Fork, INVALID, &sealer.folder())]);
}

/// Somebody was let in too late: what she wrote is no evidence any more. It is here all the same, and nobody has to look for
/// it. Found as history 1553 of the false accusation.
#[test]
fn what_was_seen_of_somebody_who_was_let_in_too_late_is_not_lacking() {
    let (forge, mut founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], admit(ANN, &["monitor"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[sealer.head()], note("hello"));
    let shown = forge.copy();
    founder.say(&forge, &[], remove(SEALER, &[]));
    remembers_from(&shown, &forge);
    let folder = ann.folder();
    let foreign = (Check::Foreign, INCOMPLETE, folder.as_str());
    assert_found(&forge.try_verify(READER, "/state/mine").expect("a verdict"), &[foreign]);
    // What she wrote elsewhere is lacking.
    ann.say(&shown, &[], note("more"));
    remembers_from(&shown, &forge);
    let behind = (Check::Behind, INCOMPLETE, folder.as_str());
    assert_found(&forge.try_verify(READER, "/state/mine").expect("a verdict"), &[behind, foreign]);
}

#[test]
fn nobody_founds_a_vault_in_anothers_name() {
    // Whoever has the founder's card can write a founding entry that names her, and can sign it only as somebody else.
    let mut forge = Forge::on(FaultyDisk::new(Rules::Ext4));
    let mut pen = Pen::begin(VaultId::UNFOUNDED, SEALER, "K7");
    pen.say(&forge, &[], founding(&forge, pen.id));
    forge.vault = pen.vault;
    forge.put(&layout::vault_file(), vault_file::print(&forge.vault).as_bytes());
    let outcome = forge.as_member(READER, |setting, request| {
        let owner = Trust::Owner(Box::new(card(FOUNDER)));
        Session::open(setting, &Request { trust: Some(&owner), ..*request }).map(|session| session.pinned)
    });
    assert!(outcome.is_err(), "{outcome:?}");
}
