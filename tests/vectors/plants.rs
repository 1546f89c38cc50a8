//! What a program would write that has one fault, shown to the stock tools that the other tests of this folder run (row 11 of the
//! list of risks): each is refused by the tool that reads that layer, and what is written without the fault is not.

use std::process::Command;

use amparo::crypto::envelope::{SEALED_CHUNK_BYTES, seal};
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::format::note::{LineType, Note, SignatureLine, key_id};
use amparo::format::payload;

use super::notes::{checkpoint, go_verifier, keys, ml_dsa_seed, vkey};
use super::{age, node_command, notes, tried};
use crate::peers;

/// A fault, and what is written with it.
type Plant = (&'static str, Vec<u8>);

/// The tool takes what is honest, and refuses each plant.
fn are_seen(tool: &str, honest: &[u8], plants: &[Plant], refuses: impl Fn(&[u8]) -> bool) {
    assert!(!refuses(honest), "{tool} refuses what has no fault");
    for (plant, written) in plants {
        assert!(written != honest && refuses(written), "{plant}: not seen by {tool}");
    }
}

#[test]
fn the_library_of_ages_author_sees_faults_of_sealed_files() {
    let _row = crate::soak::row(11);
    let identity = Identity::from_seed(&[42; 32]);
    let secret = identity.to_secret_line();
    let refuses = |bytes: &[u8]| {
        let mut command = node_command(age::SCRIPT, &["decrypt", &secret])?;
        Some(tried(&mut command, bytes).is_err())
    };
    // Two whole chunks behind header and nonce.
    let honest = seal(&vec![0x5a; 2 * (SEALED_CHUNK_BYTES - 16)], &[&identity.recipient()]).bytes;
    if refuses(&honest).is_none() {
        return;
    }
    let payload = honest.len() - 2 * SEALED_CHUNK_BYTES;
    let (first, second) = honest[payload..].split_at(SEALED_CHUNK_BYTES);
    let header = &honest[..payload];
    let mac = header.windows(5).rposition(|five| five == b"\n--- ").expect("a line of the MAC") + 5;
    let mut other_mac = honest.clone();
    other_mac[mac] = if other_mac[mac] == b'A' { b'B' } else { b'A' };
    let plants = [
        ("no chunk is marked as the last", [header, first].concat()),
        ("chunks are written as they get ready", [header, second, first].concat()),
        ("a chunk is written twice", [header, first, first, second].concat()),
        ("the header is signed before its last stanza", other_mac),
        ("the nonce is left out", [&header[..payload - 16], first, second].concat()),
    ];
    are_seen("age-encryption", &honest, &plants, |bytes| refuses(bytes).expect("as above"));
}

/// A state with an Ed25519 line over this text, by a key of this id.
fn with_ed25519(signed: &str, id: [u8; 4]) -> Vec<u8> {
    let name = checkpoint().origin.to_string();
    let line = SignatureLine::new(&name, id, &keys().log.sign(signed.as_bytes()));
    let second = checkpoint().sign(&keys()).lines()[1].clone();
    Note::new(checkpoint().text(), vec![line, second]).to_bytes()
}

#[test]
fn go_and_openssl_see_faults_of_ed25519_lines() {
    let _row = crate::soak::row(11);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (Some(program), Some(openssl)) = (go_verifier(folder.path()), peers::program("openssl")) else { return };
    let (text, name, public) = (checkpoint().text(), checkpoint().origin.to_string(), keys().public().log);
    let id = key_id(&name, LineType::Ed25519, &public);
    let honest = checkpoint().sign(&keys()).to_bytes();
    let of_text = [
        ("the last line break is not signed", with_ed25519(text.trim_end(), id)),
        ("the hash of the text is signed", with_ed25519(&Hash::of(text.as_bytes()).to_string(), id)),
        ("another size is signed", with_ed25519(&text.replace("20852163", "20852164"), id)),
    ];
    let of_key = [
        (
            "a key's id is that of another kind of line",
            with_ed25519(&text, key_id(&name, LineType::Ed25519Cosignature, &public)),
        ),
        ("a key's id is that of another name", with_ed25519(&text, key_id("amparo.v1", LineType::Ed25519, &public))),
    ];
    let key = vkey(&name, &public);
    let go = |note: &[u8]| tried(Command::new(&program).arg(&key), note).is_err();
    are_seen("Go", &honest, &of_text, go);
    are_seen("Go", &honest, &of_key, go);
    let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..], &public].concat();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("key.der"), der).expect("a file");
    are_seen("openssl", &honest, &of_text, |note| {
        let note = Note::parse(note).expect("a note");
        std::fs::write(path("signed"), note.text()).expect("a file");
        std::fs::write(path("signature"), note.lines()[0].signature()).expect("a file");
        let mut command = Command::new(&openssl);
        command.args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin", "-inkey"]).arg(path("key.der"));
        tried(command.arg("-in").arg(path("signed")).arg("-sigfile").arg(path("signature")), b"").is_err()
    });
}

#[test]
fn noble_sees_faults_of_ml_dsa_lines() {
    let _row = crate::soak::row(11);
    let name = checkpoint().origin.to_string();
    let honest = checkpoint().sign(&keys());
    let refuses = |note: &[u8]| {
        let mut command = node_command(notes::SCRIPT, &["checkpoint", &name, &ml_dsa_seed()])?;
        Some(tried(&mut command, note).is_err())
    };
    if refuses(&honest.to_bytes()).is_none() {
        return;
    }
    let (ed25519, ml_dsa) = (honest.lines()[0].clone(), &honest.lines()[1]);
    // A time of eight bytes stands before the signature.
    let with = |signature: &[u8]| {
        let line = SignatureLine::new(&name, ml_dsa.key_id(), signature);
        Note::new(honest.text().to_owned(), vec![ed25519.clone(), line]).to_bytes()
    };
    let time = &ml_dsa.signature()[..8];
    let plants = [
        ("the text alone is signed", with(&[time, &keys().ml_dsa.sign(honest.text().as_bytes())].concat())),
        ("no time stands before it", with(&ml_dsa.signature()[8..])),
        ("a time that was not signed", with(&[&[0, 0, 0, 0, 0, 0, 0, 1], &ml_dsa.signature()[8..]].concat())),
        ("the line is left out", Note::new(honest.text().to_owned(), vec![ed25519.clone()]).to_bytes()),
    ];
    are_seen("noble", &honest.to_bytes(), &plants, |note| refuses(note).expect("as above"));
}

/// Two files, the size in the header of the first printed so, and its sum made so.
fn archive(size: impl Fn(u64) -> String, sum: impl Fn(&mut [u8]) -> u32, fill: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, (name, content)) in (0..).zip([("content/a", vec![7_u8; 1000]), ("content/b", vec![8; 300])]) {
        let mut header = payload::member_header(name, content.len() as u64, index);
        header[124..135].copy_from_slice(size(content.len() as u64).as_bytes());
        let sum = sum(&mut header);
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(header);
        bytes.extend(content);
        if fill {
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

#[test]
fn tar_and_sha256sum_see_faults_of_payloads_and_names() {
    let _row = crate::soak::row(11);
    let (Some(tar), Some(sha256sum)) = (peers::program("tar"), peers::program("sha256sum")) else { return };
    let octal = |size: u64| format!("{size:011o}");
    let summed = |field: u8| {
        move |header: &mut [u8]| {
            header[148..156].fill(field);
            header.iter().map(|byte| u32::from(*byte)).sum()
        }
    };
    let honest = archive(octal, summed(b' '), true);
    let named = payload::member_header("content/a", 1000, 0);
    assert!(honest.starts_with(&named), "as the program writes it");
    let plants = [
        ("a sum that takes its own field for zeros", archive(octal, summed(0), true)),
        ("a size in decimal", archive(|size| format!("{size:011}"), summed(b' '), true)),
        ("files that are not filled up", archive(octal, summed(b' '), false)),
    ];
    are_seen("tar", &honest, &plants, |bytes| {
        tried(Command::new(&tar).args(["--list", "--file", "-"]), bytes).is_err()
    });

    let sealed = seal(b"words", &[&Identity::from_seed(&[42; 32]).recipient()]).bytes;
    let list = |name: Hash| format!("{name}  -\n").into_bytes();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let refuses = |list: &[u8]| {
        std::fs::write(folder.path().join("list"), list).expect("a file");
        tried(Command::new(&sha256sum).args(["--check"]).arg(folder.path().join("list")), &sealed).is_err()
    };
    let plants = [
        ("a name that is the hash of what was sealed", list(Hash::of(b"words"))),
        ("a name that is the hash of all but the last chunk's tag", list(Hash::of(&sealed[..sealed.len() - 16]))),
    ];
    are_seen("sha256sum", &list(Hash::of(&sealed)), &plants, refuses);
}
