//! A vault, a receipt or a card that somebody forged, met by a device that has seen nothing before.

use amparo::crypto::hash::Hash;
use amparo::crypto::merkle::{leaf_hash, node_hash};
use amparo::crypto::seed::Seed;
use amparo::format::checkpoint::{Checkpoint, Origin};
use amparo::format::ids::{LogId, VaultId};
use amparo::format::receipt::{Receipt, ReceiptError};
use amparo::store::layout::{CheckpointName, EntryName};
use amparo::vault::VaultError;
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::receipt;
use amparo::vault::session::{Request, Trust};
use amparo::vault::verify::{VerifyRequest, verify};

use super::{files, found, logs, on, sealed, without_a_key};
use crate::vault::people::{Device, World};

fn owner(of: &Device) -> Trust {
    Trust::Owner(Box::new(of.person.card().clone()))
}

/// The leaves of a log by the names of its entries.
fn leaves(log: &std::path::Path) -> Vec<Hash> {
    let names = files(&log.join("entries")).into_iter();
    names.filter_map(|path| EntryName::parse(path.file_name()?.to_str()?)).map(|name| name.leaf).collect()
}

#[test]
fn nothing_is_vouched_for_that_nobody_here_knows() {
    let world = sealed();
    let verified = without_a_key(&world, None).expect("verified");
    assert!(!verified.trusted);
    let verified = without_a_key(&world, Some(&owner(&world.lawyer))).expect("verified");
    assert!(verified.trusted && verified.verdict == Verdict::Valid, "{:?}", verified.findings);
    // A vault with nothing in it but its file: nothing was checked, so nothing holds.
    for part in ["logs", "keys", "blobs"] {
        std::fs::remove_dir_all(world.vault.join(part)).expect("removed");
    }
    assert!(!without_a_key(&world, None).is_ok_and(|verified| verified.trusted));
    assert!(matches!(without_a_key(&world, Some(&owner(&world.reader))), Err(VaultError::OtherVault { .. })));
}

#[test]
fn a_member_does_not_become_the_founder_by_a_planted_name() {
    let world = sealed();
    world.open(&world.reader, "K7-0001", &world.path("out")).expect("the reader's own log begins");
    let founding = world.created.log.to_string();
    let theirs = logs(&world).into_iter().find(|log| !log.ends_with(&founding)).expect("the reader's log");
    assert!(matches!(without_a_key(&world, Some(&owner(&world.reader))), Err(VaultError::OtherVault { .. })));
    let first = files(&theirs.join("entries")).remove(0);
    let planted = EntryName { seq: 0, leaf: world.created.vault.0, sha256: Hash::of(b"planted") };
    std::fs::rename(&first, first.with_file_name(planted.to_string())).expect("renamed");
    std::fs::remove_dir_all(world.vault.join("logs").join(&founding)).expect("removed");
    let outcome = without_a_key(&world, Some(&owner(&world.reader)));
    assert!(matches!(outcome, Err(VaultError::OtherVault { .. })), "{outcome:?}");
}

#[test]
fn the_founders_log_grows_by_nobody_elses_signature() {
    let world = sealed();
    let log = world.vault.join("logs").join(world.created.log.to_string());
    let mut leaves = leaves(&log);
    let file = b"not even encrypted";
    let name = EntryName { seq: leaves.len() as u64, leaf: leaf_hash(b"forged"), sha256: Hash::of(file) };
    std::fs::write(log.join("entries/00000000").join(name.to_string()), file).expect("an entry");
    leaves.push(name.leaf);
    let size = leaves.len() as u64;
    let origin = Origin { vault: world.created.vault, log: world.created.log };
    let forged = Checkpoint { origin, size, root: amparo::crypto::merkle::root(&leaves) };
    let note = forged.sign(&Seed::from_bytes(&[66; 32]).keys()).to_bytes();
    let name = CheckpointName { size, sha256: Hash::of(&note) };
    std::fs::write(log.join("checkpoints").join(name.to_string()), &note).expect("a state");
    let verified = without_a_key(&world, Some(&owner(&world.lawyer))).expect("verified");
    assert_eq!(found(&verified, Check::Foreign), Some(Verdict::Incomplete), "{:?}", verified.findings);
    assert_eq!(verified.logs[0].size, size - 1, "the forged state is not the log's");
    let verified = world.verify(&world.monitor).expect("verified");
    assert_eq!((verified.verdict, verified.logs[0].size), (Verdict::Incomplete, size - 1));
}

fn receipt_of(world: &World) -> Receipt {
    on("Harbour", |setting| {
        let trust = Trust::VaultId(world.created.vault);
        let place = Request {
            vault: &world.vault,
            state: &world.reader.state,
            person: Some(&world.reader.person),
            trust: Some(&trust),
        };
        receipt::of_exhibit(setting, &place, "K7-0001").expect("a receipt")
    })
}

#[test]
fn a_receipt_speaks_of_the_log_whose_state_it_shows() {
    let world = sealed();
    let honest = receipt_of(&world);
    assert!(Receipt::parse(honest.print().as_bytes()).is_ok());
    // Mallory puts the lawyer's own entry, word for word, into a log of hers.
    let keys = Seed::from_bytes(&[66; 32]).keys();
    let (first, leaf) = (leaf_hash(b"anything"), leaf_hash(&honest.encoding));
    let origin = Origin { vault: world.created.vault, log: LogId([66; 16]) };
    let checkpoint = Checkpoint { origin, size: 2, root: node_hash(first, leaf) };
    let stolen = Receipt { path: vec![first], checkpoint, note: checkpoint.sign(&keys), ..honest };
    assert!(matches!(Receipt::parse(stolen.print().as_bytes()), Err(ReceiptError::Proof)));
}

#[test]
fn a_receipt_is_never_passed_over_in_silence() {
    let world = sealed();
    let receipts = [("r".to_string(), receipt_of(&world))];
    let verified = on("a court's machine", |setting| {
        let state = world.path("state of nobody");
        let place = Request { vault: &world.vault, state: &state, person: None, trust: None };
        verify(setting, &VerifyRequest { place, receipts: &receipts, short_receipts: &[], checkpoints: &[] })
            .expect("verified")
    });
    assert_eq!(found(&verified, Check::Receipt), Some(Verdict::Incomplete));
}

#[test]
fn a_vault_of_a_forger_with_everybodys_cards_is_another_vault() {
    let world = sealed();
    let forged = World::new();
    assert_ne!(forged.created.vault, world.created.vault);
    std::fs::copy(world.vault.join("VAULT"), forged.vault.join("VAULT")).expect("the true one's file");
    world.verify(&world.monitor).expect("pinned");
    let trust = Trust::VaultId(world.created.vault);
    let outcome = world.verify_at(&forged.vault, &world.monitor);
    assert!(!outcome.is_ok_and(|verified| verified.verdict == Verdict::Valid && verified.trusted));
    assert!(!without_a_key(&forged, Some(&trust)).is_ok_and(|verified| verified.trusted));
    assert_ne!(VaultId::UNFOUNDED, forged.created.vault);
}
