//! Published breaks of other programs, tried here: one case each where no other test of this folder is one. The table at the end
//! of `docs/THREATS.md` names all.

use std::collections::BTreeSet;
use std::path::PathBuf;

use amparo::crypto::envelope::{self, PLAIN_CHUNK_BYTES, SEALED_CHUNK_BYTES, enter, start_bytes};
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::format::key_file::KeyFile;
use amparo::vault::findings::{Check, Verdict};

use super::{files, found, sealed};
use crate::vault::people::World;

/// The keys of the vault that the reader's identity opens.
fn keys_of_the_reader(world: &World) -> Vec<Identity> {
    let wrapped = files(&world.vault.join("keys")).into_iter().map(|path| std::fs::read(path).expect("bytes"));
    let opened = wrapped.filter_map(|file| envelope::open(&file, &[&world.reader.person.keys.age]).ok());
    opened.filter_map(|text| Some(KeyFile::parse(&text).ok()?.key)).collect()
}

/// A sealed file with the header and the nonce of another, and other words under them: what each of its recipients can make.
fn replaced(file: &[u8], keys: &[&Identity]) -> Option<Vec<u8>> {
    let (payload_at, key) = enter(file, keys).ok()?;
    let mut forged = file[..payload_at].to_vec();
    let chunks: Vec<&[u8]> = file[payload_at..].chunks(SEALED_CHUNK_BYTES).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        let mut words = b"what suits me better, ".repeat(PLAIN_CHUNK_BYTES / 22 + 1);
        words.truncate(chunk.len() - 16);
        let tag = key.seal(index as u64, index + 1 == chunks.len(), &mut words);
        forged.extend(words);
        forged.extend(tag);
    }
    Some(forged)
}

/// Payload replaced under a kept header by a recipient; two files with one header and one key.
#[test]
fn a_payload_replaced_under_a_kept_header_is_no_evidence() {
    let world = sealed();
    let keys = keys_of_the_reader(&world);
    let keys: Vec<&Identity> = keys.iter().collect();
    let blobs = files(&world.vault.join("blobs"));
    assert_eq!(blobs.len(), 3, "a segment, a manifest, an inventory");
    for blob in blobs {
        let good = std::fs::read(&blob).expect("bytes");
        let forged = replaced(&good, &keys).expect("the reader has the key of each");
        assert_eq!(forged.len(), good.len());
        assert!(envelope::open(&forged, &keys).expect("sound").starts_with(b"what suits me"), "a sound age file");
        // In place of the true one; then beside it, under its own name.
        std::fs::write(&blob, &forged).expect("replaced");
        for who in [&world.reader, &world.monitor] {
            let verified = world.verify(who).expect("verified");
            assert_eq!(found(&verified, Check::Blob), Some(Verdict::Invalid), "{}", blob.display());
        }
        assert!(world.open(&world.reader, "K7-0001", &world.path("out")).is_err());
        assert!(!world.path("out").exists() || files(&world.path("out")).is_empty());
        std::fs::write(&blob, &good).expect("restored");
        let name = Hash::of(&forged).to_string();
        let beside = world.write(&format!("vault/blobs/{}/{name}", &name[..2]), &forged);
        let verified = world.verify(&world.reader).expect("verified");
        assert_eq!((verified.verdict, verified.exhibits), (Verdict::Incomplete, 1), "{:?}", verified.findings);
        assert_eq!(found(&verified, Check::Foreign), Some(Verdict::Incomplete));
        std::fs::remove_file(beside).expect("removed");
    }
}

/// Chunks dropped, reordered, or spliced in from another file of the same recipient.
#[test]
fn chunks_that_are_dropped_moved_or_spliced_open_nothing() {
    let me = Identity::from_seed(&[42; 32]);
    let [one, other] =
        [1_u8, 2].map(|byte| envelope::seal(&vec![byte; 3 * PLAIN_CHUNK_BYTES], &[&me.recipient()]).bytes);
    let payload = |file: &[u8]| start_bytes(file).expect("a header");
    let chunk = |file: &[u8], n: usize| {
        let at = payload(file) + n * SEALED_CHUNK_BYTES;
        file[at..at + SEALED_CHUNK_BYTES].to_vec()
    };
    let with = |chunks: &[Vec<u8>]| [&one[..payload(&one)], &chunks.concat()].concat();
    let [first, second, third] = [0, 1, 2].map(|n| chunk(&one, n));
    assert!(envelope::open(&with(&[first.clone(), second.clone(), third.clone()]), &[&me]).is_ok());
    for chunks in [
        vec![],
        vec![first.clone(), second.clone()],
        vec![first.clone(), third.clone()],
        vec![second.clone(), first.clone(), third.clone()],
        vec![first.clone(), second.clone(), third.clone(), third.clone()],
        vec![first.clone(), chunk(&other, 1), third.clone()],
        vec![first.clone(), second.clone(), chunk(&other, 2)],
    ] {
        assert!(envelope::open(&with(&chunks), &[&me]).is_err(), "{} chunks", chunks.len());
    }
}

/// Header, nonce and payload of an age file.
fn parts(file: &[u8]) -> Option<[Vec<u8>; 3]> {
    const NONCE_BYTES: usize = 16;
    let payload = start_bytes(file)?;
    Some(
        [0..payload - NONCE_BYTES, payload - NONCE_BYTES..payload, payload..file.len()].map(|part| file[part].to_vec()),
    )
}

fn all_differ(files: &[[Vec<u8>; 3]]) -> bool {
    (0..3).all(|part| files.iter().map(|file| &file[part]).collect::<BTreeSet<_>>().len() == files.len())
}

/// Nonce reuse by refactoring: the same words sealed again and again, and whatever else is encrypted, share neither header nor nonce.
#[test]
fn no_two_files_have_one_header_or_one_nonce() {
    let world = World::new();
    for _ in 0..3 {
        let source = world.write("s/same.txt", &vec![7; 100_000]);
        world.seal(&[source], false).expect("sealed");
    }
    world.open(&world.reader, "K7-0001", &world.path("out")).expect("opened");
    let all = files(&world.vault).into_iter().map(|path| std::fs::read(path).expect("bytes"));
    let all: Vec<[Vec<u8>; 3]> = all.filter_map(|file| parts(&file)).collect();
    assert!(all.len() > 20, "{} files", all.len());
    assert!(all_differ(&all));
    // Planted: a file with the header, the nonce or the payload of another.
    for part in 0..3 {
        let mut planted = all.clone();
        planted[0][part] = planted[1][part].clone();
        assert!(!all_differ(&planted), "part {part} is there twice, and that is not seen");
    }
}

/// Plaintext released before it was authenticated: of a file whose last byte is damaged nothing comes out, nor of the files before it.
#[test]
fn of_an_exhibit_whose_end_is_damaged_nothing_comes_out() {
    let world = World::new();
    let source = world.write("s/film.bin", &vec![7; 17 << 20]);
    world.seal(&[source], false).expect("sealed");
    let large =
        files(&world.vault.join("blobs")).into_iter().filter(|path| path.metadata().expect("a file").len() > 1 << 20);
    let large: Vec<PathBuf> = large.collect();
    assert!(large.len() > 1, "several files of one exhibit");
    for path in large {
        let good = std::fs::read(&path).expect("bytes");
        let mut bad = good.clone();
        *bad.last_mut().expect("not empty") ^= 1;
        std::fs::write(&path, bad).expect("damaged");
        let out = world.path("out");
        assert!(world.open(&world.reader, "K7-0001", &out).is_err());
        assert!(files(&out).is_empty(), "{:?}", files(&out));
        std::fs::write(&path, good).expect("restored");
    }
    world.open(&world.reader, "K7-0001", &world.path("out")).expect("whole again");
}
