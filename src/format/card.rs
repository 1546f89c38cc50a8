//! A card: the public half of an identity under a pseudonym, as a text note that people hand to each other.
//!
//! The two signatures show that whoever made it holds the keys and that nobody changed it since. That the keys are
//! those of the person one means, only the fingerprint tells, compared by another road.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::ids::MemberId;
use super::note::{CARD_ML_DSA_IDENTIFIER, LineError, LineKind, LineType, Note, NoteError, SignatureLine, key_id};
use super::pseudonym::{Pseudonym, PseudonymError};
use crate::crypto::recipient::{KeyError, Recipient};
use crate::crypto::seed::{Keys, PublicKeys};
use crate::crypto::sign::{ed25519_verifies, ml_dsa_verifies};

/// The first line of a card.
pub const FIRST_LINE: &str = "amparo.v1/card";

/// Why bytes are no card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// No signed note.
    #[error("no signed note: {0}")]
    Note(#[from] NoteError),
    /// A note of something else, or another version's card.
    #[error("no card of the format amparo.v1")]
    Kind,
    /// Not exactly the lines `name`, `age`, `log`, `cosign`, `ml-dsa-44`, in this order.
    #[error("the line {expected:?} is missing, or another stands in its place")]
    Line {
        /// Which line should stand there; empty where nothing more should.
        expected: &'static str,
    },
    /// A name that cannot be shown.
    #[error(transparent)]
    Name(#[from] PseudonymError),
    /// The age recipient is none.
    #[error("the age recipient is {0}")]
    Recipient(#[from] KeyError),
    /// A signature key that is not the base64 of so many bytes.
    #[error("the {key} key is not the base64 of a key")]
    Key {
        /// Which line.
        key: &'static str,
    },
    /// Signed under another member's name: a key was replaced.
    #[error("the card is signed as another member than its keys make")]
    OtherMember,
    /// A line is missing, doubled, swapped or wrong.
    #[error(transparent)]
    Signature(#[from] LineError),
}

/// A member's public keys and the name she goes by, as her own signatures confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    name: Pseudonym,
    keys: PublicKeys,
    member: MemberId,
    bytes: Vec<u8>,
}

impl Card {
    /// Makes and signs a card.
    pub fn sign(name: &Pseudonym, keys: &Keys) -> Self {
        let public = keys.public();
        let member = MemberId::of(&public);
        let (key_name, text) = (member.key_name(), text(name, &public));
        let lines = vec![
            SignatureLine::new(
                &key_name,
                key_id(&key_name, LineType::Ed25519, &public.log),
                &keys.log.sign(text.as_bytes()),
            ),
            SignatureLine::new(
                &key_name,
                key_id(&key_name, LineType::MlDsa44Card, &public.ml_dsa),
                &keys.ml_dsa.sign(&ml_dsa_message(&text)),
            ),
        ];
        let bytes = Note::new(text, lines).to_bytes();
        Self { name: name.clone(), keys: public, member, bytes }
    }

    /// Reads a card and verifies both signatures. Lines of others are ignored, and kept in [`Card::as_bytes`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CardError> {
        let note = Note::parse(bytes)?;
        let (name, keys) = parse_text(note.text())?;
        let member = MemberId::of(&keys);
        let key_name = member.key_name();
        if note.lines().iter().all(|line| line.name() != key_name) {
            return Err(CardError::OtherMember);
        }
        let pair = note.pair(
            &key_name,
            key_id(&key_name, LineType::Ed25519, &keys.log),
            key_id(&key_name, LineType::MlDsa44Card, &keys.ml_dsa),
        )?;
        if !ed25519_verifies(&keys.log, note.text().as_bytes(), pair.ed25519) {
            return Err(LineError::Wrong { kind: LineKind::Ed25519 }.into());
        }
        if !ml_dsa_verifies(&keys.ml_dsa, &ml_dsa_message(note.text()), pair.ml_dsa) {
            return Err(LineError::Wrong { kind: LineKind::MlDsa44 }.into());
        }
        Ok(Self { name, keys, member, bytes: bytes.to_vec() })
    }

    /// The name she goes by.
    pub fn name(&self) -> &Pseudonym {
        &self.name
    }

    /// Her public keys.
    pub fn keys(&self) -> &PublicKeys {
        &self.keys
    }

    /// Her member id, whose fingerprint people compare.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// The card as it was read or made.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn text(name: &Pseudonym, keys: &PublicKeys) -> String {
    let base64 = |key: &[u8]| BASE64_STANDARD.encode(key);
    let (log, cosign, ml_dsa) = (base64(&keys.log), base64(&keys.cosign), base64(&keys.ml_dsa));
    format!("{FIRST_LINE}\nname {name}\nage {}\nlog {log}\ncosign {cosign}\nml-dsa-44 {ml_dsa}\n", keys.age)
}

fn parse_text(text: &str) -> Result<(Pseudonym, PublicKeys), CardError> {
    let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
    if lines.next() != Some(FIRST_LINE) {
        return Err(CardError::Kind);
    }
    let mut value = |expected: &'static str| {
        let value = lines.next().and_then(|line| line.strip_prefix(expected)).and_then(|line| line.strip_prefix(' '));
        value.ok_or(CardError::Line { expected })
    };
    let name = Pseudonym::parse(value("name")?)?;
    let keys = PublicKeys {
        age: value("age")?.parse::<Recipient>()?,
        log: key("log", value("log")?)?,
        cosign: key("cosign", value("cosign")?)?,
        ml_dsa: key("ml-dsa-44", value("ml-dsa-44")?)?,
    };
    if lines.next().is_some() {
        return Err(CardError::Line { expected: "" });
    }
    Ok((name, keys))
}

fn key<const N: usize>(key: &'static str, encoded: &str) -> Result<[u8; N], CardError> {
    let decoded = BASE64_STANDARD.decode(encoded).map_err(|_| CardError::Key { key })?;
    decoded.try_into().map_err(|_| CardError::Key { key })
}

/// The identifier keeps a card's ML-DSA-44 signature apart from those on checkpoints, which begin with another label.
fn ml_dsa_message(text: &str) -> Vec<u8> {
    [CARD_ML_DSA_IDENTIFIER.as_bytes(), b"\0", text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::seed::Seed;

    fn keys(number: u8) -> Keys {
        Seed::from_bytes(&[number; 32]).keys()
    }

    fn heron() -> Card {
        Card::sign(&Pseudonym::parse("Blue Heron").expect("a name"), &keys(1))
    }

    fn forged(from: &str, to: &str) -> CardError {
        let text = String::from_utf8(heron().as_bytes().to_vec()).expect("text");
        assert!(text.contains(from), "nothing to forge");
        Card::parse(text.replacen(from, to, 1).as_bytes()).expect_err("a forgery")
    }

    #[test]
    fn a_card_is_read_as_it_was_made() {
        let card = Card::parse(heron().as_bytes()).expect("own card");
        assert_eq!(card, heron_with_the_same_bytes(&card));
        assert_eq!(card.name().as_str(), "Blue Heron");
        assert_eq!(card.keys(), &keys(1).public());
        assert_eq!(card.member(), MemberId::of(&keys(1).public()));
    }

    /// ML-DSA-44 signatures differ each time, so two makings of a card are compared without their bytes.
    fn heron_with_the_same_bytes(card: &Card) -> Card {
        Card { bytes: card.bytes.clone(), ..heron() }
    }

    #[test]
    fn a_replaced_key_or_name_is_noticed() {
        let (mine, theirs) = (keys(1).public(), keys(2).public());
        assert_eq!(forged(&mine.age.to_string(), &theirs.age.to_string()), CardError::OtherMember);
        let base64 = |key: &[u8]| BASE64_STANDARD.encode(key);
        assert_eq!(forged(&base64(&mine.log), &base64(&theirs.log)), CardError::OtherMember);
        assert_eq!(forged(&base64(&mine.cosign), &base64(&theirs.cosign)), CardError::OtherMember);
        assert_eq!(forged(&base64(&mine.ml_dsa), &base64(&theirs.ml_dsa)), CardError::OtherMember);
        let wrong = LineError::Wrong { kind: LineKind::Ed25519 };
        assert_eq!(forged("Blue Heron", "Blue Huron"), CardError::Signature(wrong));
    }

    #[test]
    fn each_signature_is_needed() {
        let note = Note::parse(heron().as_bytes()).expect("a note");
        let with = |lines: Vec<SignatureLine>| Card::parse(&Note::new(note.text().to_owned(), lines).to_bytes());
        let (first, second) = (note.lines()[0].clone(), note.lines()[1].clone());
        let error = |line: LineError| Err(CardError::Signature(line));
        assert_eq!(with(vec![first.clone()]), error(LineError::Missing { kind: LineKind::MlDsa44 }));
        assert_eq!(with(vec![second.clone()]), error(LineError::Missing { kind: LineKind::Ed25519 }));
        assert_eq!(with(vec![second.clone(), first.clone()]), error(LineError::Swapped));
        let mut broken = second.signature().to_vec();
        broken[9] ^= 1;
        let broken = SignatureLine::new(second.name(), second.key_id(), &broken);
        assert_eq!(with(vec![first, broken]), error(LineError::Wrong { kind: LineKind::MlDsa44 }));
    }

    #[test]
    fn the_form_is_strict() {
        assert_eq!(forged("amparo.v1/card\n", "amparo.v2/card\n"), CardError::Kind);
        assert_eq!(forged("name Blue Heron\n", ""), CardError::Line { expected: "name" });
        assert_eq!(forged("\nlog ", "\nlog  "), CardError::Key { key: "log" });
        assert_eq!(forged("\n\n", "\nmore\n\n"), CardError::Line { expected: "" });
        assert_eq!(forged("Blue Heron", "Blue Heron "), CardError::Name(PseudonymError::Spaces));
        assert_eq!(forged("age age1", "age age2"), CardError::Recipient(KeyError::Text));
        assert_eq!(Card::parse(b"hello\n"), Err(CardError::Note(NoteError::Frame)));
    }
}
