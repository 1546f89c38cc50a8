//! C2SP signed notes (c2sp.org/signed-note): a text and, under it, one line a signature.
//!
//! This room knows the frame and the two lines that a member always signs with; what is signed, and how, is said by
//! the rooms of checkpoint, cosignature and card.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::crypto::hash::Hash;
use crate::crypto::sign::{ED25519_PUBLIC_BYTES, ML_DSA_PUBLIC_BYTES};

/// Longest note that is read, in bytes: text and 16 signatures of 5 kB, as signed-note asks a verifier to take.
pub const NOTE_BYTES_MAX: usize = 128 * 1024;

const DASH: &str = "\u{2014} ";
const KEY_ID_BYTES: usize = 4;

/// Why bytes are no signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("a note of {bytes} bytes, more than {NOTE_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not UTF-8, or a control character other than the newline.
    #[error("a note with characters that no note has")]
    Characters,
    /// No blank line between a text and signatures, or no newline at the end.
    #[error("not a text, a blank line and signature lines")]
    Frame,
    /// A signature line in another form than an em dash, a key name and canonical base64.
    #[error("signature line {number} has another form")]
    Line {
        /// Which one, counted from 1.
        number: usize,
    },
}

/// Why the two lines of a key name do not stand as they must.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Stripped, or never made.
    #[error("the {kind} line is missing")]
    Missing {
        /// Which of the two.
        kind: LineKind,
    },
    /// The same key twice.
    #[error("the {kind} line stands there twice")]
    Doubled {
        /// Which of the two.
        kind: LineKind,
    },
    /// Both are there in the wrong order.
    #[error("the Ed25519 line does not stand before the ML-DSA-44 line")]
    Swapped,
    /// It does not verify.
    #[error("the {kind} signature is not that of this key on this text")]
    Wrong {
        /// Which of the two.
        kind: LineKind,
    },
}

/// The two signatures that always stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineKind {
    /// The first.
    Ed25519,
    /// The second.
    MlDsa44,
}

impl std::fmt::Display for LineKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Ed25519 => "Ed25519",
            Self::MlDsa44 => "ML-DSA-44",
        })
    }
}

/// A text and its signature lines, parsed and not yet believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    lines: Vec<SignatureLine>,
}

/// `— <key name> base64(key id ‖ signature)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    name: String,
    key_id: [u8; KEY_ID_BYTES],
    signature: Vec<u8>,
}

impl SignatureLine {
    /// A line by the key of that name and id. Names of this program contain no space and no plus.
    pub fn new(name: &str, key_id: [u8; 4], signature: &[u8]) -> Self {
        Self { name: name.to_owned(), key_id, signature: signature.to_vec() }
    }

    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes that tell keys of one name apart; no proof of anything.
    pub fn key_id(&self) -> [u8; 4] {
        self.key_id
    }

    /// What follows the key id.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '+') {
            return None;
        }
        let decoded = BASE64_STANDARD.decode(encoded).ok()?; // refuses what is not canonical
        let (key_id, signature) = decoded.split_first_chunk::<KEY_ID_BYTES>()?;
        (!signature.is_empty()).then(|| Self::new(name, *key_id, signature))
    }

    fn print(&self) -> String {
        let encoded = BASE64_STANDARD.encode([self.key_id.as_slice(), &self.signature].concat());
        format!("{DASH}{} {encoded}\n", self.name)
    }
}

impl Note {
    /// A note of that text, which ends in a newline, and those lines, at least one.
    pub fn new(text: String, lines: Vec<SignatureLine>) -> Self {
        debug_assert!(text.ends_with('\n') && !lines.is_empty(), "callers print their own texts");
        Self { text, lines }
    }

    /// Reads a whole note; refuses what it would print differently.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: bytes.len() });
        }
        let note = std::str::from_utf8(bytes).map_err(|_| NoteError::Characters)?;
        // The bytes of other characters all lie above.
        if bytes.iter().any(|byte| *byte < b' ' && *byte != b'\n') {
            return Err(NoteError::Characters);
        }
        // The last blank line separates: texts may hold blank lines themselves.
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Frame)?;
        let signatures = signatures.strip_suffix('\n').ok_or(NoteError::Frame)?;
        let lines: Result<Vec<SignatureLine>, NoteError> = (1..)
            .zip(signatures.split('\n'))
            .map(|(number, line)| SignatureLine::parse(line).ok_or(NoteError::Line { number }))
            .collect();
        let parsed = Self { text: format!("{text}\n"), lines: lines? };
        if parsed.to_bytes() == bytes { Ok(parsed) } else { Err(NoteError::Frame) }
    }

    /// The bytes of the note: what [`Note::parse`] reads.
    pub fn to_bytes(&self) -> Vec<u8> {
        let lines: String = self.lines.iter().map(SignatureLine::print).collect();
        format!("{}\n{lines}", self.text).into_bytes()
    }

    /// The signed text, with its last newline and without the blank line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines.
    pub fn lines(&self) -> &[SignatureLine] {
        &self.lines
    }

    /// The two lines under `name` that a member signs with, each exactly once, Ed25519 first. All other lines are
    /// ignored, as signed-note demands, and counted.
    pub fn pair(&self, name: &str, ed25519: [u8; 4], ml_dsa: [u8; 4]) -> Result<Pair<'_>, LineError> {
        let find = |key_id, kind| -> Result<(usize, &SignatureLine), LineError> {
            let mut ours = self.lines.iter().enumerate().filter(|(_, line)| line.name == name && line.key_id == key_id);
            let first = ours.next().ok_or(LineError::Missing { kind })?;
            if ours.next().is_some() { Err(LineError::Doubled { kind }) } else { Ok(first) }
        };
        let (first, ed25519) = find(ed25519, LineKind::Ed25519)?;
        let (second, ml_dsa) = find(ml_dsa, LineKind::MlDsa44)?;
        if second < first {
            return Err(LineError::Swapped);
        }
        let other_lines = self.lines.len().saturating_sub(2);
        Ok(Pair { ed25519: ed25519.signature(), ml_dsa: ml_dsa.signature(), other_lines })
    }
}

/// The signatures of [`Note::pair`]: found, not yet verified.
#[derive(Clone, Copy, Debug)]
pub struct Pair<'a> {
    /// What the Ed25519 line carries.
    pub ed25519: &'a [u8],
    /// What the ML-DSA-44 line carries.
    pub ml_dsa: &'a [u8],
    /// How many lines of others, or of unknown keys, the note has.
    pub other_lines: usize,
}

/// The types of signature lines used here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineType {
    /// 0x01: Ed25519 over the note's text.
    Ed25519,
    /// 0x04: Ed25519 over a cosigned checkpoint and a time.
    Ed25519Cosignature,
    /// 0x06: ML-DSA-44 over a `cosigned_message`.
    MlDsa44Cosignature,
    /// 0xff with an identifier: ML-DSA-44 over a card; signed-note has no byte for it.
    MlDsa44Card,
}

/// What follows 0xff in the type of a card's ML-DSA-44 line, and begins the message it signs.
pub const CARD_ML_DSA_IDENTIFIER: &str = "amparo.v1/card-ml-dsa-44";

/// signed-note, "Signatures": the first 4 bytes of `SHA-256(name ‖ "\n" ‖ type ‖ public key)`.
pub fn key_id(name: &str, line_type: LineType, public: &[u8]) -> [u8; 4] {
    let (byte, identifier): (u8, &str) = match line_type {
        LineType::Ed25519 => (0x01, ""),
        LineType::Ed25519Cosignature => (0x04, ""),
        LineType::MlDsa44Cosignature => (0x06, ""),
        LineType::MlDsa44Card => (0xff, CARD_ML_DSA_IDENTIFIER),
    };
    debug_assert!(matches!(public.len(), ED25519_PUBLIC_BYTES | ML_DSA_PUBLIC_BYTES), "a public key");
    let hash = Hash::of(&[name.as_bytes(), b"\n", &[byte], identifier.as_bytes(), public].concat());
    let (id, _) = hash.0.split_first_chunk().expect("4 of 32 bytes");
    *id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::ed25519_verifies;

    /// The example of signed-note.md and its verifier key.
    const EXAMPLE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    const EXAMPLE_KEY: &str = "AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    #[test]
    fn the_example_of_the_specification_verifies() {
        let note = Note::parse(EXAMPLE.as_bytes()).expect("the example");
        let key = BASE64_STANDARD.decode(EXAMPLE_KEY).expect("base64");
        let public: [u8; 32] = key[1..].try_into().expect("32 bytes behind the type");
        let line = &note.lines()[0];
        assert_eq!(line.key_id(), key_id("example.com/foo", LineType::Ed25519, &public));
        assert_eq!(line.key_id(), [0x53, 0x0d, 0x90, 0x3a]);
        assert!(ed25519_verifies(&public, note.text().as_bytes(), line.signature()));
        assert_eq!(note.to_bytes(), EXAMPLE.as_bytes());
    }

    #[test]
    fn texts_may_hold_blank_lines() {
        let note = Note::parse("a\n\nb\n\n\u{2014} k AAAAAAA=\n".as_bytes()).expect("a note");
        assert_eq!(note.text(), "a\n\nb\n");
        assert_eq!(Note::parse("a\n\n\n\u{2014} k AAAAAAA=\n".as_bytes()).expect("a note").text(), "a\n\n");
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let refused = |note: &str| Note::parse(note.as_bytes()).expect_err(note);
        assert_eq!(refused(""), NoteError::Frame);
        assert_eq!(refused("text\n"), NoteError::Frame);
        assert_eq!(refused("text\n\u{2014} k AAAAAAA=\n"), NoteError::Frame);
        assert_eq!(refused("text\n\n\u{2014} k AAAAAAA="), NoteError::Frame);
        assert_eq!(refused("text\n\n"), NoteError::Frame);
        assert_eq!(refused("te\txt\n\n\u{2014} k AAAAAAA=\n"), NoteError::Characters);
        assert_eq!(refused("text\r\n\r\n\u{2014} k AAAAAAA=\r\n"), NoteError::Characters);
        for line in [
            "- k AAAAAAA=",               // a hyphen
            "\u{2014} k+ AAAAAAA=",       // a plus in the name
            "\u{2014} k\u{a0}l AAAAAAA=", // a Unicode space in the name
            "\u{2014}  AAAAAAA=",         // no name
            "\u{2014} k  AAAAAAA=",       // two spaces
            "\u{2014} k AAAAAA==",        // a key id and nothing behind it
            "\u{2014} k AAAAAAA",         // no padding
            "\u{2014} k AAAAAAB=",        // trailing bits
            "\u{2014} k AAAAAAA= ",       // more
            "",
        ] {
            assert_eq!(
                refused(&format!("text\n\n\u{2014} k AAAAAAA=\n{line}\n")),
                if line.is_empty() { NoteError::Frame } else { NoteError::Line { number: 2 } }
            );
        }
        assert_eq!(Note::parse(b"\xff\n\n").expect_err("not UTF-8"), NoteError::Characters);
        let long = vec![b'a'; NOTE_BYTES_MAX + 1];
        assert_eq!(Note::parse(&long).expect_err("long"), NoteError::TooLong { bytes: long.len() });
    }

    #[test]
    fn sixteen_of_the_largest_signatures_fit() {
        let line = SignatureLine::new(&"n".repeat(107), [0; 4], &[0; 5_000]);
        let note = Note::new("text\n".repeat(20), vec![line; 16]);
        assert_eq!(Note::parse(&note.to_bytes()), Ok(note));
    }

    #[test]
    fn a_pair_is_each_line_once_and_in_order() {
        let line = |number: u8| SignatureLine::new("k", [number; 4], &[number]);
        let pair = |lines: &[u8]| {
            let note = Note::new("t\n".to_owned(), lines.iter().map(|number| line(*number)).collect());
            note.pair("k", [1; 4], [2; 4]).map(|pair| pair.other_lines)
        };
        let (ed25519, ml_dsa) = (LineKind::Ed25519, LineKind::MlDsa44);
        assert_eq!(pair(&[3, 1, 4, 2, 4]), Ok(3));
        assert_eq!(pair(&[2, 3]), Err(LineError::Missing { kind: ed25519 }));
        assert_eq!(pair(&[1, 3]), Err(LineError::Missing { kind: ml_dsa }));
        assert_eq!(pair(&[1, 1, 2]), Err(LineError::Doubled { kind: ed25519 }));
        assert_eq!(pair(&[1, 2, 2]), Err(LineError::Doubled { kind: ml_dsa }));
        assert_eq!(pair(&[2, 1]), Err(LineError::Swapped));
    }
}
