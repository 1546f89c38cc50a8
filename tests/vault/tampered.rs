//! What was done to a vault is found, by the right check, with the right weight.

use std::path::{Path, PathBuf};

use amparo::vault::findings::{Check, Verdict};
use amparo::vault::verify::{Level, Verified};

use super::people::World;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for item in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = item.path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

fn sealed() -> World {
    let world = World::new();
    let source = world.write("s/a.txt", b"some words");
    world.seal(&[source], false).expect("sealed");
    world
}

fn checks(verified: &Verified) -> Vec<(Check, Verdict)> {
    let mut all: Vec<_> = verified.findings.iter().map(|finding| (finding.check, finding.weight)).collect();
    all.dedup();
    all
}

#[test]
fn a_flip_in_any_file_is_found() {
    let world = sealed();
    for path in files(&world.vault) {
        let good = std::fs::read(&path).expect("bytes");
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 1;
        std::fs::write(&path, &bad).expect("written");
        let verified = world.verify(&world.reader);
        std::fs::write(&path, &good).expect("restored");
        match verified {
            Ok(verified) => {
                assert_eq!(verified.verdict, Verdict::Invalid, "{}: {:?}", path.display(), verified.findings);
            }
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
    assert_eq!(world.verify(&world.reader).expect("verified").verdict, Verdict::Valid);
}

#[test]
fn a_missing_file_is_incomplete_and_named() {
    let world = sealed();
    // Older signed states may be left out of copies; that of one entry is not the newest here.
    let older = |path: &Path| path.to_string_lossy().contains("checkpoints/0000000001");
    for path in files(&world.vault).into_iter().filter(|path| !older(path)) {
        let good = std::fs::read(&path).expect("bytes");
        std::fs::remove_file(&path).expect("removed");
        let verified = world.verify(&world.reader);
        std::fs::write(&path, &good).expect("restored");
        match verified {
            // Without its own wrapped custody key a reader is nobody in particular: nothing is vouched for then.
            Ok(verified) if verified.level == Level::Bytes => assert!(!verified.trusted, "{}", path.display()),
            Ok(verified) => {
                assert_ne!(verified.verdict, Verdict::Valid, "{}", path.display());
                let name = path.strip_prefix(&world.vault).expect("below").display().to_string();
                if name.starts_with("blobs") || name.starts_with("keys") {
                    assert!(
                        verified.findings.iter().any(|finding| finding.subject == name),
                        "{name}: {:?}",
                        verified.findings
                    );
                    assert_eq!(verified.verdict, Verdict::Incomplete, "{name}: {:?}", verified.findings);
                }
            }
            Err(error) => panic!("{}: {error}", path.display()),
        }
    }
}

#[test]
fn strangers_are_no_evidence() {
    let world = sealed();
    let blob = files(&world.vault.join("blobs")).remove(0);
    let mut bytes = std::fs::read(&blob).expect("bytes");
    bytes.push(0);
    let name = amparo::crypto::hash::Hash::of(&bytes).to_string();
    std::fs::create_dir_all(world.vault.join("blobs").join(&name[..2])).expect("a folder");
    std::fs::write(world.vault.join("blobs").join(&name[..2]).join(&name), &bytes).expect("a stranger");
    std::fs::write(world.vault.join("notes.txt"), "hello").expect("a stranger");
    let verified = world.verify(&world.monitor).expect("verified");
    assert_eq!(verified.verdict, Verdict::Incomplete);
    let found = checks(&verified);
    assert!(
        found.contains(&(Check::Foreign, Verdict::Incomplete)) && found.contains(&(Check::Layout, Verdict::Incomplete)),
        "{found:?}"
    );
}
