//! Sealings that a malicious sealer signed: everything holds together but for one thing.

use amparo::crypto::hash::Hash;
use amparo::format::event::{Event, Seal};
use amparo::format::ids::{LogId, VaultId};
use amparo::format::inventory::{Row, blobs_root};
use amparo::format::manifest::{Manifest, ManifestRecord};
use amparo::format::record::{Binding, Record};
use amparo::vault::findings::{Check, Verdict};

use super::owners::remove;
use crate::vault::forge::{
    ANN, CUSTODY, Forge, LATER, MAIN, MONITOR, Pen, READER, REGISTER, SEALER, admit, founded, note,
};
use crate::vault::forge_seal::{Exhibit, Twist, path};

const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;

/// Two exhibits, sealed with a twist; returns all blobs as well.
fn twisted(twist: &Twist<'_>) -> (Forge, Pen, Vec<Hash>) {
    let (forge, mut founder) = founded();
    let blobs = founder.seal(&forge, &[Exhibit::text("one"), Exhibit::text("two")], twist);
    (forge, founder, blobs)
}

/// The reader finds one thing that does not hold, about one of the blobs; what the rows would have covered is foreign.
fn one_fault(twist: &Twist<'_>, check: Check, which: usize) {
    let (forge, _, blobs) = twisted(twist);
    let verified = forge.verify(READER);
    let invalid: Vec<_> = verified.findings.iter().filter(|one| one.weight == INVALID).collect();
    assert_eq!(invalid.len(), 1, "{:?}", verified.findings);
    assert_eq!((invalid[0].check, &invalid[0].subject), (check, &path(blobs[which])));
    assert!(verified.findings.iter().all(|one| one.weight == INVALID || one.check == Check::Foreign));
    let ids = ["K7-0001", "K7-0002"];
    assert!(ids.iter().all(|id| verified.exhibit_verdicts.get(*id) == Some(&INVALID)), "{verified:?}");
}

/// Where two logs have one handle, whoever reads that a manifest is gone reads of whose exhibits it was.
/// An owner brings a custody key in one history of her log; her restored disk goes on with another, which is longer.
#[test]
fn an_inventory_under_a_key_of_another_history_breaks_no_rule() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], admit(ANN, &["owner"]));
    let mut ann = Pen::begin(forge.vault, ANN, "A5");
    ann.say(&forge, &[founder.head()], note("hello"));
    let mut restored = ann.clone();
    let keys = vec![forge.new_key(ann.id, "custody", 1, LATER, &[READER])];
    ann.say(&forge, &[], Event::Rotate { keys });
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head(), ann.head()], note("hello"));
    sealer.seal(&forge, &[Exhibit::text("one")], &Twist { inventory_to: Some(&[LATER]), ..Twist::default() });
    restored.say(&forge, &[], note("a day before"));
    restored.say(&forge, &[], note("and on"));
    let fork = (Check::Fork, INVALID, ann.folder());
    assert_eq!(forge.finds(&[(fork.0, fork.1, &fork.2)]).exhibits, 1);
    let lacks = forge.verify(MONITOR);
    let found: Vec<_> = lacks.findings.iter().map(|found| (found.check, found.weight)).collect();
    assert_eq!(found, [(Check::Fork, INVALID), (Check::Inventory, INCOMPLETE)], "{:?}", lacks.findings);
}

/// An owner makes a new custody key and gives it to one reader; or did so too late to count. The sealer who was given it as
/// well writes to it.
#[test]
fn an_inventory_under_a_key_that_not_all_were_given_breaks_no_rule() {
    for too_late in [false, true] {
        let (forge, mut founder) = founded();
        founder.say(&forge, &[], admit(ANN, &["owner"]));
        let mut ann = Pen::begin(forge.vault, ANN, "A5");
        ann.say(&forge, &[founder.head()], note("hello"));
        if too_late {
            founder.say(&forge, &[ann.head()], remove(ANN, &[ann.head()]));
        }
        let keys = vec![forge.new_key(ann.id, "custody", 1, LATER, &[READER])];
        ann.say(&forge, &[], Event::Rotate { keys });
        let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
        sealer.say(&forge, &[founder.head(), ann.head()], note("hello"));
        sealer.seal(&forge, &[Exhibit::text("one")], &Twist { inventory_to: Some(&[LATER]), ..Twist::default() });
        assert_eq!(forge.finds(&[]).exhibits, 1, "who was given the key reads it");
        let lacks = forge.verify(MONITOR);
        let found: Vec<_> = lacks.findings.iter().map(|found| (found.check, found.weight)).collect();
        assert_eq!(found, [(Check::Inventory, Verdict::Incomplete)], "{too_late}: {:?}", lacks.findings);
    }
}

#[test]
fn exhibits_of_a_missing_manifest_are_told_apart() {
    let (forge, founder, blobs) = twisted(&Twist::default());
    let mut sealer = Pen::begin(forge.vault, SEALER, "K7");
    sealer.say(&forge, &[founder.head()], note("hello"));
    sealer.seal(&forge, &[Exhibit::text("the other")], &Twist::default());
    forge.remove(&path(blobs[MANIFEST]));
    let verified = forge.finds(&[(Check::Blob, INCOMPLETE, &path(blobs[MANIFEST]))]);
    let lowered: Vec<&str> = verified.exhibit_verdicts.keys().map(|id| &id[..8]).collect();
    assert_eq!(lowered, ["K7-0001~", "K7-0002~"]);
}

const INVENTORY: usize = 2;
const MANIFEST: usize = 3;

#[test]
fn an_inventory_is_that_of_its_entry() {
    let faults: [Twist<'_>; 7] = [
        Twist { seal: Some(&|seal: &mut Seal| seal.root = Hash::of(b"another")), ..Twist::default() },
        Twist { inventory: Some(&|one| one.log = LogId([1; 16])), ..Twist::default() },
        Twist { inventory: Some(&|one| one.vault = VaultId(Hash::of(b"another"))), ..Twist::default() },
        Twist { rows: Some(&|rows| rows.swap(0, 1)), ..Twist::default() },
        Twist { rows: Some(&|rows| rows[1].0.log = LogId([1; 16])), ..Twist::default() },
        Twist { rows: Some(&|rows| rows[0].0.blobs_root = Hash::of(b"another")), ..Twist::default() },
        Twist { rows: Some(&|rows| rows[1].0.number = 9), ..Twist::default() },
    ];
    for twist in faults {
        one_fault(&twist, Check::Inventory, INVENTORY);
    }
    twisted(&Twist::default()).0.finds(&[]);
}

#[test]
fn an_inventory_has_as_many_rows_as_its_entry_counts() {
    let more = |seal: &mut Seal| {
        seal.count = 3;
        seal.manifests[0].records = 3;
    };
    let (forge, _, blobs) = twisted(&Twist { seal: Some(&more), ..Twist::default() });
    let verified = forge.verify(READER);
    let invalid: Vec<_> = verified.findings.iter().filter(|one| one.weight == INVALID).collect();
    assert_eq!((invalid.len(), invalid[0].check), (1, Check::Inventory));
    assert_eq!(invalid[0].subject, path(blobs[INVENTORY]));
}

#[test]
fn inventory_and_manifest_are_encrypted_to_their_own_key_alone() {
    one_fault(&Twist { inventory_to: Some(&[MAIN]), ..Twist::default() }, Check::Inventory, INVENTORY);
    one_fault(&Twist { inventory_to: Some(&[CUSTODY, MAIN]), ..Twist::default() }, Check::Inventory, INVENTORY);
    one_fault(&Twist { manifests_to: Some(&[REGISTER]), ..Twist::default() }, Check::Manifest, MANIFEST);
    one_fault(&Twist { manifests_to: Some(&[MAIN, LATER]), ..Twist::default() }, Check::Manifest, MANIFEST);
}

#[test]
fn rows_name_the_keys_that_the_entry_names() {
    let (forge, mut founder) = founded();
    let to_register = |rows: &mut Vec<(Row, Vec<Hash>)>| rows[0].0.key = forge.key_id(REGISTER);
    let twist = Twist { rows: Some(&to_register), ..Twist::default() };
    let blobs = founder.seal(&forge, &[Exhibit::text("one"), Exhibit::text("two")], &twist);
    let verified = forge.verify(MONITOR);
    let invalid: Vec<_> = verified.findings.iter().filter(|one| one.weight == INVALID).collect();
    assert_eq!((invalid.len(), &invalid[0].subject), (1, &path(blobs[INVENTORY])));
}

#[test]
fn a_blob_belongs_to_one_row() {
    let share = |rows: &mut Vec<(Row, Vec<Hash>)>| {
        let blobs = rows[0].1.clone();
        rows[1].0.blobs_root = blobs_root(&blobs);
        rows[1].1 = blobs;
    };
    let (forge, mut founder) = founded();
    let twist = Twist { rows: Some(&share), ..Twist::default() };
    let same = [Exhibit::text("one"), Exhibit::text("one")];
    let blobs = founder.seal(&forge, &same, &twist);
    forge.remove(&path(blobs[1]));
    let verified = forge.verify(MONITOR);
    assert_eq!(verified.findings.len(), 1, "{:?}", verified.findings);
    let one = &verified.findings[0];
    assert_eq!((one.check, one.weight, &one.subject), (Check::Inventory, INVALID, &path(blobs[0])));
}

#[test]
fn a_manifest_is_that_of_its_rows() {
    let faults: [Twist<'_>; 4] = [
        Twist { manifest: Some(&|one: &mut Manifest| one.log = LogId([1; 16])), ..Twist::default() },
        Twist { manifest: Some(&|one: &mut Manifest| one.vault = VaultId(Hash::of(b"x"))), ..Twist::default() },
        Twist { manifest: Some(&|one: &mut Manifest| drop(one.records.pop())), ..Twist::default() },
        Twist { manifest: Some(&|one: &mut Manifest| one.records[1].number = 7), ..Twist::default() },
    ];
    for twist in faults {
        one_fault(&twist, Check::Manifest, MANIFEST);
    }
}

/// What is wrong with the record of the first exhibit alone.
fn record_fault(twist: &Twist<'_>) {
    let (forge, founder, _) = twisted(twist);
    let verified = forge.finds(&[(Check::Record, INVALID, &founder.label(1))]);
    assert_eq!(verified.exhibit_verdicts.len(), 1);
}

#[test]
fn a_record_is_the_one_that_its_row_fixes() {
    let first = |one: &Manifest| one.records[0].number == 1;
    assert!(first(&Manifest::new(VaultId(Hash::ZERO), LogId([0; 16]), vec![sample()])));
    record_fault(&Twist {
        manifest: Some(&|one| one.records[0].record.set("identity/title", "said later").expect("a field")),
        ..Twist::default()
    });
    record_fault(&Twist { manifest: Some(&|one| one.records[0].text.clear()), ..Twist::default() });
    record_fault(&Twist { rows: Some(&|rows| rows[0].0.record_root = Hash::of(b"another")), ..Twist::default() });
    record_fault(&Twist { rows: Some(&|rows| rows[0].0.record_leaves = 128), ..Twist::default() });
}

#[test]
fn a_record_is_bound_to_its_exhibit() {
    let elsewhere = |record: &mut Record| {
        let Some(binding) = record.binding().ok().filter(|binding| binding.number == 1) else { return };
        record.bind(&Binding { number: 12, ..binding });
    };
    record_fault(&Twist { record: Some(&elsewhere), ..Twist::default() });
    let elsewhere = |record: &mut Record| {
        let Some(binding) = record.binding().ok().filter(|binding| binding.number == 1) else { return };
        record.bind(&Binding { vault: VaultId(Hash::of(b"another")), ..binding });
    };
    record_fault(&Twist { record: Some(&elsewhere), ..Twist::default() });
}

fn sample() -> ManifestRecord {
    let secret = amparo::crypto::commit::Secret([0; 32]);
    ManifestRecord { number: 1, record: Record::new(secret), text: Vec::new() }
}

#[test]
fn numbers_run_on_without_gaps() {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    founder.next_number = 4;
    founder.seal(&forge, &[Exhibit::text("four")], &Twist::default());
    forge.finds(&[(Check::Sequence, INVALID, &founder.at(2))]);

    let (forge, mut founder) = founded();
    founder.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    founder.next_number = 1;
    founder.seal(&forge, &[Exhibit::text("one again")], &Twist::default());
    forge.finds(&[(Check::Sequence, INVALID, &founder.at(2))]);
}

#[test]
fn what_is_disposed_of_may_be_absent_and_nothing_else() {
    let (forge, mut founder, blobs) = twisted(&Twist::default());
    let mut gone = vec![blobs[0], blobs[MANIFEST]];
    gone.sort_unstable();
    for blob in &gone {
        forge.remove(&path(*blob));
    }
    let (there, before) = (forge.copy(), founder.head());
    let missing = [blobs[0], blobs[MANIFEST]].map(path);
    let missing = [missing[0].as_str(), missing[1].as_str()].map(|path| (Check::Blob, INCOMPLETE, path));
    forge.finds(&missing);
    let dispose = Event::Dispose { blobs: gone, reason: "asked for".into(), authority: "the witness".into() };
    founder.say(&forge, &[], dispose.clone());
    forge.finds(&[]);
    assert_eq!(forge.verify(MONITOR).verdict, Verdict::Valid);
    // A sealer may not dispose.
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&there, &[before], dispose);
    there.finds(&[missing[0], missing[1], (Check::Authority, INVALID, &sealer.at(0))]);
}
