//! Signed texts that other implementations verify: Go's `sumdb/note` the Ed25519 lines, `@noble/post-quantum` those of
//! ML-DSA-44.

use std::path::{Path, PathBuf};

use amparo::crypto::hash::{Hash, hex};
use amparo::crypto::seed::{Keys, Seed};
use amparo::format::card::Card;
use amparo::format::checkpoint::{Checkpoint, Origin};
use amparo::format::cosignature::{complete, cosign};
use amparo::format::ids::{LogId, MemberId, VaultId};
use amparo::format::note::{LineType, Note, key_id};
use amparo::format::pseudonym::Pseudonym;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{go, node, run};

pub(super) const SCRIPT: &str = include_str!("notes.mjs");
const SEED: [u8; 32] = [0x11; 32];

pub(super) fn keys() -> Keys {
    Seed::from_bytes(&SEED).keys()
}

pub(super) fn checkpoint() -> Checkpoint {
    let origin = Origin { vault: VaultId(Hash::of(b"a vault")), log: LogId([0x77; 16]) };
    Checkpoint { origin, size: 20_852_163, root: Hash::of(b"a root") }
}

fn card() -> Card {
    Card::sign(&Pseudonym::parse("مالك الحزين Azul").expect("a name"), &keys())
}

/// signed-note, "Verifier keys", of an Ed25519 key.
pub(super) fn vkey(name: &str, public: &[u8; 32]) -> String {
    let typed = [&[0x01], public.as_slice()].concat();
    format!("{name}+{}+{}", hex(&key_id(name, LineType::Ed25519, public)), BASE64_STANDARD.encode(typed))
}

/// The seed of the ML-DSA-44 key, derived here once more with HKDF-SHA256 so that the peer can make the key itself.
pub(super) fn ml_dsa_seed() -> String {
    let mut seed = [0; 32];
    hkdf::Hkdf::<sha2::Sha256>::new(None, &SEED)
        .expand(b"amparo.v1/identity/ml-dsa-44", &mut seed)
        .expect("32 bytes are one block");
    hex(&seed)
}

/// Go's verifier of signed notes, built into this folder.
pub(super) fn go_verifier(folder: &Path) -> Option<PathBuf> {
    let mut build = go(folder)?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/verify.go");
    let program = folder.join("verify");
    run(build.arg("build").arg("-o").arg(&program).arg(source), b"");
    Some(program)
}

#[test]
fn go_verifies_the_ed25519_lines() {
    let _row = crate::soak::row(11);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let Some(program) = go_verifier(folder.path()) else { return };
    let verify = |note: &[u8], key: &str| run(std::process::Command::new(&program).arg(key), note);

    let note = checkpoint().sign(&keys());
    let opened = verify(&note.to_bytes(), &vkey(&checkpoint().origin.to_string(), &keys().public().log));
    assert_eq!(opened, checkpoint().text().as_bytes());

    // A complete cosigned checkpoint is a note of the log like any other.
    let (own, public) = (checkpoint().sign(&keys()), keys().public());
    let cosigned = complete(&own, &public, &cosign(&checkpoint(), &keys(), 1_700_000_000), &public);
    let opened = verify(&cosigned.to_bytes(), &vkey(&checkpoint().origin.to_string(), &keys().public().log));
    assert_eq!(opened, checkpoint().text().as_bytes());

    let opened = verify(card().as_bytes(), &vkey(&card().member().key_name(), &keys().public().log));
    assert_eq!(opened, Note::parse(card().as_bytes()).expect("a note").text().as_bytes());

    let example = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    assert!(Note::parse(example.as_bytes()).is_ok());
    let opened = verify(example.as_bytes(), "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k");
    assert_eq!(opened, b"This is an example message.\n");
}

#[test]
fn noble_makes_the_same_key_and_verifies_the_ml_dsa_lines() {
    let _row = crate::soak::row(11);
    let name = checkpoint().origin.to_string();
    let note = checkpoint().sign(&keys()).to_bytes();
    let Some(time) = node(SCRIPT, &["checkpoint", &name, &ml_dsa_seed()], &note) else { return };
    assert_eq!(time, b"0");

    let member = MemberId::of(&keys().public()).key_name();
    let note = cosign(&checkpoint(), &keys(), 1_700_000_000).to_bytes();
    let time = node(SCRIPT, &["checkpoint", &member, &ml_dsa_seed()], &note).expect("as above");
    assert_eq!(time, b"1700000000");
    // As a vault and a text keep it: below the log's own two lines.
    let (own, public) = (checkpoint().sign(&keys()), keys().public());
    let whole = complete(&own, &public, &Note::parse(&note).expect("own bytes"), &public);
    let time = node(SCRIPT, &["checkpoint", &member, &ml_dsa_seed()], &whole.to_bytes()).expect("as above");
    assert_eq!(time, b"1700000000");
    let time = node(SCRIPT, &["cosignature", &member, &hex(&public.cosign)], &whole.to_bytes()).expect("as above");
    assert_eq!(time, b"1700000000");

    node(SCRIPT, &["card", &member, &ml_dsa_seed()], card().as_bytes()).expect("as above");
}
