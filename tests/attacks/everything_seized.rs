//! All that lies on the sealer's machine after sealing, the identity open, and every key tried that any of it yields: the
//! inability to reopen is true, not a rule of the program.

use std::path::{Path, PathBuf};

use amparo::crypto::envelope;
use amparo::crypto::recipient::Identity;
use amparo::format::key_file::KeyFile;

use crate::vault::people::World;

const WORDS: &[u8] = b"what the witness said in ward three";

fn files(folder: &Path) -> Vec<PathBuf> {
    let items = std::fs::read_dir(folder).expect("a folder").flatten().map(|item| item.path());
    items.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Every age file in these bytes: the whole, and whatever begins like one further in.
fn age_files(bytes: &[u8]) -> Vec<Vec<u8>> {
    const BEGINNING: &[u8] = b"age-encryption.org/v1\n";
    let begins = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(BEGINNING));
    begins.map(|at| bytes[at..].to_vec()).collect()
}

/// What opens with keys that were found, and with keys found in what opened.
fn all_that_opens(candidates: &[Vec<u8>], own: Identity) -> Vec<Vec<u8>> {
    let mut ring = vec![own];
    let mut opened: Vec<Option<Vec<u8>>> = vec![None; candidates.len()];
    loop {
        let mut found = Vec::new();
        for (candidate, opened) in candidates.iter().zip(&mut opened).filter(|(_, opened)| opened.is_none()) {
            let keys: Vec<&Identity> = ring.iter().collect();
            if let Ok(plaintext) = envelope::open(candidate, &keys) {
                found.extend(KeyFile::parse(&plaintext).ok().map(|held| held.key));
                *opened = Some(plaintext.to_vec());
            }
        }
        if found.is_empty() {
            return opened.into_iter().flatten().collect();
        }
        ring.extend(found);
    }
}

#[test]
fn with_everything_in_hand_nobody_reopens_what_was_sealed() {
    let world = World::new();
    let source = world.write("s/testimony.txt", WORDS);
    let register = [("person/name".to_string(), "Ann Example".to_string())];
    let sealed = world.seal_with(std::slice::from_ref(&source), false, &register).expect("sealed");
    assert_eq!(sealed.exhibits.len(), 1);
    std::fs::remove_file(source).expect("the source is gone");
    let seized = files(&world.vault).into_iter().chain(files(&world.lawyer.state));
    let candidates: Vec<Vec<u8>> = seized.flat_map(|path| age_files(&std::fs::read(path).expect("bytes"))).collect();
    let tells = |who: &Identity, words: &[u8]| {
        let opened = all_that_opens(&candidates, who.clone());
        assert!(opened.len() > 2, "logs and inventory open to every member");
        opened.iter().any(|plaintext| plaintext.windows(words.len()).any(|stretch| stretch == words))
    };
    for words in [WORDS, b"Ann Example", b"testimony.txt", b"record.json"] {
        assert!(tells(&world.reader.person.keys.age, words), "the same search finds it with the reader's identity");
        assert!(!tells(&world.lawyer.person.keys.age, words), "{:?}", String::from_utf8_lossy(words));
        assert!(!tells(&world.monitor.person.keys.age, words), "{:?}", String::from_utf8_lossy(words));
    }
}
