//! The age test suite of C2SP, and files that npm `age-encryption` opens and makes.

use std::path::Path;

use amparo::crypto::envelope::{
    self, Buffer, EnvelopeError, Part, Slots, WORK_FACTOR_MAX, open_any, open_with_file_key, open_with_passphrase,
    seal, seal_with_passphrase,
};
use amparo::crypto::hash::{Hash, unhex};
use amparo::crypto::recipient::Identity;
use zeroize::Zeroizing;

use super::node;

pub(super) const SCRIPT: &str = include_str!("age.mjs");

/// How many vectors of each family the suite has in version 0.2.0; fewer would mean that some were not run.
const FAMILIES: [(&str, usize); 9] = [
    ("empty", 1),
    ("header", 1),
    ("hmac", 8),
    ("hybrid", 18),
    ("scrypt", 25),
    ("stanza", 14),
    ("stream", 28),
    ("version", 1),
    ("x25519", 14),
];

/// One vector: what it expects, with which keys, of which file.
struct Vector {
    expect: String,
    payload: Option<Hash>,
    identities: Vec<Box<dyn age::Identity>>,
    passphrases: Vec<String>,
    file_key: Option<envelope::FileKey>,
    file: Vec<u8>,
}

impl Vector {
    fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).expect("a vector");
        let end = bytes.windows(2).position(|pair| pair == b"\n\n").expect("an empty line");
        let header = std::str::from_utf8(&bytes[..end]).expect("a textual header");
        let mut vector = Self {
            expect: String::new(),
            payload: None,
            identities: Vec::new(),
            passphrases: Vec::new(),
            file_key: None,
            file: bytes[end + 2..].to_vec(),
        };
        for line in header.lines() {
            let (key, value) = line.split_once(": ").expect("a key and a value");
            match key {
                "expect" => value.clone_into(&mut vector.expect),
                "payload" => vector.payload = Hash::from_hex(value),
                "passphrase" => vector.passphrases.push(value.to_owned()),
                "file key" => vector.file_key = unhex(value).map(|key| envelope::FileKey::from_bytes(&key)),
                "identity" if value.starts_with("AGE-SECRET-KEY-PQ-") => {
                    let identity: Identity = value.parse().expect("a hybrid identity");
                    vector.identities.push(Box::new(identity));
                }
                "identity" => {
                    let identity: age::x25519::Identity = value.parse().expect("an X25519 identity");
                    vector.identities.push(Box::new(identity));
                }
                "comment" | "compressed" => {}
                other => panic!("unknown key {other}"),
            }
        }
        vector
    }

    fn open(&self) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        if let Some(passphrase) = self.passphrases.first() {
            return open_with_passphrase(&self.file, passphrase);
        }
        let identities: Vec<&dyn age::Identity> = self.identities.iter().map(AsRef::as_ref).collect();
        open_any(&self.file, &identities)
    }

    /// The outcome in the suite's words; nothing is released unless it is success, whatever a streaming reader would.
    fn outcome(result: &Result<Zeroizing<Vec<u8>>, EnvelopeError>) -> &'static str {
        match result {
            Ok(_) => "success",
            Err(EnvelopeError::NotForThisKey | EnvelopeError::WrongPassphrase) => "no match",
            Err(EnvelopeError::Damaged { part: Part::HeaderMac }) => "HMAC failure",
            Err(EnvelopeError::Damaged { part: Part::Header } | EnvelopeError::TooMuchWork { .. }) => "header failure",
            Err(EnvelopeError::Damaged { part: Part::Payload }) => "payload failure",
        }
    }
}

#[test]
fn every_vector_of_the_suite_has_its_expected_outcome() {
    let _row = crate::soak::row(11);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let path = folder.path().to_str().expect("its path is text");
    if node(SCRIPT, &["dump", path], b"").is_none() {
        return;
    }
    let mut failures = Vec::new();
    for (family, expected_count) in FAMILIES {
        let mut count = 0;
        for entry in std::fs::read_dir(&folder).expect("the dumped vectors") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a textual name");
            if name.split('_').next() != Some(family) {
                continue;
            }
            count += 1;
            let vector = Vector::read(&entry.path());
            let result = vector.open();
            if Vector::outcome(&result) != vector.expect {
                failures.push(format!("{name}: expected {}, got {:?}", vector.expect, result.as_ref().map(|_| ())));
            } else if let Ok(plaintext) = &result {
                assert_eq!(vector.payload, Some(Hash::of(plaintext)), "{name}");
                let file_key = vector.file_key.as_ref().expect("a file that opens has a file key");
                assert_eq!(open_with_file_key(&vector.file, file_key).as_ref(), Ok(plaintext), "{name}");
            }
        }
        assert_eq!(count, expected_count, "vectors of the family {family}");
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn what_is_sealed_here_opens_there() {
    let _row = crate::soak::row(11);
    let identity = Identity::from_seed(&[42; 32]);
    let secret = identity.to_secret_line();
    // The last is longer than a segment: the number of its last chunk needs a second byte.
    for length in [0, 1, 65_536, 200_000, (16 << 20) + 65_537] {
        let plaintext = vec![0x5a; length];
        let sealed = seal(&plaintext, &[&Identity::from_seed(&[1; 32]).recipient(), &identity.recipient()]);
        let Some(opened) = node(SCRIPT, &["decrypt", &secret], &sealed.bytes) else { return };
        assert!(opened == plaintext, "{length} bytes");
    }
}

/// Evidence is sealed where it lies, chunk by chunk: of every length at which something changes.
#[test]
fn evidence_of_each_length_at_a_boundary_opens_there() {
    let _row = crate::soak::row(11);
    let identity = Identity::from_seed(&[42; 32]);
    let secret = identity.to_secret_line();
    let chunks = [0, 1, 4_096, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 1 << 20];
    let segments = [(16 << 20) - 1, 16 << 20, (16 << 20) + 1, (16 << 20) + 65_537];
    for length in chunks.into_iter().chain(segments) {
        let plaintext: Vec<u8> = (0..251).cycle().take(length).collect();
        let mut slots = Slots::new(Buffer::default(), length);
        slots.extend(&plaintext);
        let sealed = slots.seal(&identity.recipient());
        let Some(opened) = node(SCRIPT, &["decrypt", &secret], sealed.bytes()) else { return };
        assert!(opened == plaintext, "{length} bytes");
    }
}

#[test]
fn what_is_sealed_there_opens_here() {
    let _row = crate::soak::row(11);
    let identity = Identity::from_seed(&[42; 32]);
    let recipient = identity.recipient().to_string();
    let plaintext = vec![0x5a; 200_000];
    let Some(sealed) = node(SCRIPT, &["encrypt", &recipient], &plaintext) else { return };
    assert_eq!(envelope::is_to_one_key(&sealed), Ok(true));
    assert!(*envelope::open(&sealed, &[&identity]).expect("it is for this identity") == plaintext);
    let theirs = node(SCRIPT, &["recipient", &identity.to_secret_line()], b"").expect("as above");
    assert_eq!(theirs, recipient.as_bytes());
}

#[test]
fn a_passphrase_opens_there_too() {
    let _row = crate::soak::row(11);
    const { assert!(envelope::WORK_FACTOR <= WORK_FACTOR_MAX) };
    let sealed = seal_with_passphrase(b"# an identity file\n", "correct horse battery staple");
    let Some(opened) = node(SCRIPT, &["passphrase", "correct horse battery staple"], &sealed.bytes) else { return };
    assert_eq!(opened, b"# an identity file\n");
}
