//! Everything on the sealer's machine in other hands, and what it remembers against whoever changes the vault.

use std::time::{Duration, SystemTime};

use amparo::crypto::hash::Hash;
use amparo::store::RelPath;
use amparo::store::memory::Memory;
use amparo::vault::findings::{Check, Verdict};

use super::{files, found, logs, sealed};
use crate::vault::people::{Device, World};

const CANARIES: [&[u8]; 4] = [b"canary in the words", b"canary-in-the-name", b"canary of the witness", b"Mozambique"];

fn holds(bytes: &[u8], canary: &[u8]) -> bool {
    bytes.windows(canary.len()).any(|window| window == canary)
}

#[test]
fn neither_vault_nor_memory_tells_what_was_sealed() {
    let world = World::new();
    let source = world.write("s/canary-in-the-name Mozambique.txt", b"canary in the words\n\nmore");
    let register = [("person/name".to_string(), "canary of the witness".to_string())];
    world.seal_with(std::slice::from_ref(&source), false, &register).expect("sealed");
    // Nor what would confirm a guess.
    let sha256 = Hash::of(&std::fs::read(&source).expect("the source"));
    let in_hex = sha256.to_string();
    let of_seed = [1_u8; 32];
    let secrets: [&[u8]; 3] = [&sha256.0, in_hex.as_bytes(), &of_seed];
    for folder in [&world.vault, &world.lawyer.state] {
        for path in files(folder) {
            let bytes = std::fs::read(&path).expect("bytes");
            let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
            for canary in CANARIES.into_iter().chain(secrets) {
                assert!(!holds(&bytes, canary) && !holds(name.as_bytes(), canary), "{name}");
            }
        }
    }
}

#[test]
fn file_times_do_not_tell_when() {
    let world = sealed();
    let constant = SystemTime::UNIX_EPOCH + Duration::from_hours(262_968);
    for path in files(&world.vault).into_iter().chain(files(&world.lawyer.state)) {
        let modified = std::fs::metadata(&path).and_then(|data| data.modified()).expect("a time");
        assert_eq!(modified, constant, "{}", path.display());
    }
}

#[test]
fn what_this_device_wrote_is_not_unwritten_unnoticed() {
    let world = sealed();
    world.open(&world.reader, "K7-0001", &world.path("out")).expect("opened: a log of one entry, without blobs");
    let founding = world.created.log.to_string();
    let theirs = logs(&world).into_iter().find(|log| !log.ends_with(&founding)).expect("the reader's log");
    world.open(&world.reader, "K7-0001", &world.path("again")).expect("opened");
    let newest = files(&theirs.join("checkpoints")).pop().expect("a state");
    std::fs::write(&newest, b"").expect("emptied");
    let verified = world.verify(&world.reader).expect("verified");
    assert_eq!(found(&verified, Check::Behind), Some(Verdict::Incomplete), "{:?}", verified.findings);
}

#[test]
fn a_damaged_blob_is_damaged_whatever_this_device_was_about_to_write() {
    let world = sealed();
    let Device { state, machine, person, .. } = &world.lawyer;
    let memory = Memory::open_to_write(world.disk(), state, *machine).expect("a memory").of_copy(&world.vault);
    for blob in files(&world.vault.join("blobs")) {
        let name = blob.strip_prefix(&world.vault).expect("below").display().to_string();
        // As after a crash between the commit and the forgetting of what had been intended.
        let path = RelPath::parse(&name).expect("a path");
        let intent = memory
            .intend(&world.created.vault, &person.member(), [7; 8], std::slice::from_ref(&path))
            .expect("an intent");
        assert!(memory.unfinished(&world.created.vault).expect("read").may_be_torn(&path));
        let good = std::fs::read(&blob).expect("bytes");
        let mut bad = good.clone();
        bad[100] ^= 1;
        std::fs::write(&blob, bad).expect("damaged");
        let verified = world.verify(&world.lawyer).expect("verified");
        std::fs::write(&blob, good).expect("restored");
        assert_eq!(verified.verdict, Verdict::Invalid, "{name}: {:?}", verified.findings);
        memory.forget(&intent).expect("forgotten");
    }
}
