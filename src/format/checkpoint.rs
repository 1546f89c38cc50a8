//! The signed head of a log: a C2SP checkpoint (c2sp.org/tlog-checkpoint) without extension lines, under two lines by
//! the log's own member, Ed25519 (0x01) and ML-DSA-44 (0x06). Both must hold.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::cosignature::{ml_dsa_line, verify_ml_dsa};
use super::ids::{LogId, VaultId};
use super::note::{LineError, LineKind, LineType, Note, SignatureLine, key_id};
use crate::crypto::hash::Hash;
use crate::crypto::seed::{Keys, PublicKeys};
use crate::crypto::sign::ed25519_verifies;

/// The most entries a log can have; stock tools count them in a signed 64-bit number.
pub const SIZE_MAX: u64 = i64::MAX.unsigned_abs();

const PREFIX: &str = "amparo.v1/";

/// tlog-cosignature allows it for a log's own line: the file must not tell when it was made.
const NO_TIME: u64 = 0;

/// Why a note is no checkpoint, or not that of this member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not exactly the three lines.
    #[error("not an origin, a size and a root hash, each on its line")]
    Lines,
    /// The first line is not `amparo.v1/<vault id>/<log id>`.
    #[error("the origin names no log of a vault")]
    Origin,
    /// The second line is no canonical decimal number up to [`SIZE_MAX`].
    #[error("the tree size is no such number")]
    Size,
    /// The third line is not the base64 of 32 bytes.
    #[error("the root hash is no such hash")]
    Root,
    /// A line is missing, doubled, swapped or wrong.
    #[error(transparent)]
    Signature(#[from] LineError),
    /// The ML-DSA-44 line states a time, which the log's own line must not.
    #[error("the log's own ML-DSA-44 line states the time {time}")]
    Time {
        /// What it states, in seconds since 1970-01-01T00:00:00Z.
        time: u64,
    },
}

/// Which log of which vault: the first line of its checkpoints and the name of its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The vault.
    pub vault: VaultId,
    /// The log.
    pub log: LogId,
}

impl Origin {
    /// Reads `amparo.v1/<vault id>/<log id>`; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let (vault, log) = text.strip_prefix(PREFIX)?.split_once('/')?;
        Some(Self { vault: VaultId::from_hex(vault)?, log: LogId::from_hex(log)? })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}/{}", self.vault, self.log)
    }
}

/// The state of one log: its first `size` entries are the leaves of the tree with that root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// How many entries, at most [`SIZE_MAX`].
    pub size: u64,
    /// The RFC 6962 root over them.
    pub root: Hash,
}

/// A checkpoint whose two lines hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What they say.
    pub checkpoint: Checkpoint,
    /// Lines that were not looked at.
    pub other_lines: usize,
}

impl Checkpoint {
    /// The three lines.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64_STANDARD.encode(self.root.0))
    }

    /// Reads the three lines; whoever signed them, if anyone, is another question.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Lines);
        };
        let checkpoint = Self {
            origin: Origin::parse(origin).ok_or(CheckpointError::Origin)?,
            size: size.parse().ok().filter(|size| *size <= SIZE_MAX).ok_or(CheckpointError::Size)?,
            root: root_from_base64(root).ok_or(CheckpointError::Root)?,
        };
        // Of all that a number's parser takes (+1, 007), only the canonical form prints the same.
        if checkpoint.text() == text { Ok(checkpoint) } else { Err(CheckpointError::Size) }
    }

    /// Signs with the keys of the log's member.
    pub fn sign(&self, keys: &Keys) -> Note {
        let (name, text) = (self.origin.to_string(), self.text());
        let ed25519_id = key_id(&name, LineType::Ed25519, &keys.log.public());
        let ed25519 = SignatureLine::new(&name, ed25519_id, &keys.log.sign(text.as_bytes()));
        let ml_dsa = ml_dsa_line(&name, NO_TIME, self, keys);
        Note::new(text, vec![ed25519, ml_dsa])
    }

    /// Whether any line of `note` is by a key of that member, whether it holds or not. Where none is, the note is a
    /// stranger's, and no statement of the member at all.
    pub fn bears_lines_of(&self, note: &Note, public: &PublicKeys) -> bool {
        let ids = self.key_ids(public);
        note.lines().iter().any(|line| ids.iter().any(|(name, id)| line.name() == name && line.key_id() == *id))
    }

    /// The names and ids of the two keys that the log's member signs its states with, in the order of their lines.
    pub(super) fn key_ids(&self, public: &PublicKeys) -> Vec<(String, [u8; 4])> {
        let name = self.origin.to_string();
        let ids = [
            key_id(&name, LineType::Ed25519, &public.log),
            key_id(&name, LineType::MlDsa44Cosignature, &public.ml_dsa),
        ];
        ids.into_iter().map(|id| (name.clone(), id)).collect()
    }

    /// Checks that `note` is a checkpoint signed with both keys of that member. That the log is this member's is for
    /// the caller to know.
    pub fn verify(note: &Note, public: &PublicKeys) -> Result<Signed, CheckpointError> {
        let checkpoint = Self::parse_text(note.text())?;
        let name = checkpoint.origin.to_string();
        let pair = note.pair(
            &name,
            key_id(&name, LineType::Ed25519, &public.log),
            key_id(&name, LineType::MlDsa44Cosignature, &public.ml_dsa),
        )?;
        if !ed25519_verifies(&public.log, note.text().as_bytes(), pair.ed25519) {
            return Err(LineError::Wrong { kind: LineKind::Ed25519 }.into());
        }
        match verify_ml_dsa(&name, pair.ml_dsa, &checkpoint, public)? {
            NO_TIME => Ok(Signed { checkpoint, other_lines: pair.other_lines }),
            time => Err(CheckpointError::Time { time }),
        }
    }
}

fn root_from_base64(text: &str) -> Option<Hash> {
    BASE64_STANDARD.decode(text).ok()?.try_into().ok().map(Hash)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::crypto::seed::Seed;

    pub(in crate::format) fn checkpoint(size: u64) -> Checkpoint {
        let origin = Origin { vault: VaultId(Hash::of(b"vault")), log: LogId([7; 16]) };
        Checkpoint { origin, size, root: Hash::of(b"root") }
    }

    #[test]
    fn both_lines_hold_and_others_are_counted() {
        let keys = Seed::from_bytes(&[1; 32]).keys();
        let note = checkpoint(3).sign(&keys);
        assert_eq!(note.lines().len(), 2);
        let mut lines = note.lines().to_vec();
        lines.insert(1, SignatureLine::new("witness.example", [1; 4], &[1; 64]));
        lines.push(SignatureLine::new(&checkpoint(3).origin.to_string(), [2; 4], &[1; 64]));
        let note = Note::parse(&Note::new(note.text().to_owned(), lines).to_bytes()).expect("own bytes");
        let signed = Checkpoint::verify(&note, &keys.public());
        assert_eq!(signed, Ok(Signed { checkpoint: checkpoint(3), other_lines: 2 }));
    }

    #[test]
    fn stripped_doubled_swapped_and_wrong_lines_are_told_apart() {
        let (ann, ben) = (Seed::from_bytes(&[1; 32]).keys(), Seed::from_bytes(&[2; 32]).keys());
        let (ours, other) = (checkpoint(3).sign(&ann), checkpoint(4).sign(&ann));
        let (ed25519, ml_dsa) = (ours.lines()[0].clone(), ours.lines()[1].clone());
        let verify = |lines: &[&SignatureLine]| {
            let note = Note::new(ours.text().to_owned(), lines.iter().map(|line| (*line).clone()).collect());
            Checkpoint::verify(&note, &ann.public()).map(|_| ())
        };
        let line_error = |error: LineError| Err(CheckpointError::Signature(error));
        assert_eq!(verify(&[&ed25519, &ml_dsa]), Ok(()));
        assert_eq!(verify(&[&ed25519]), line_error(LineError::Missing { kind: LineKind::MlDsa44 }));
        assert_eq!(verify(&[&ml_dsa]), line_error(LineError::Missing { kind: LineKind::Ed25519 }));
        assert_eq!(verify(&[&ed25519, &ed25519, &ml_dsa]), line_error(LineError::Doubled { kind: LineKind::Ed25519 }));
        assert_eq!(verify(&[&ed25519, &ml_dsa, &ml_dsa]), line_error(LineError::Doubled { kind: LineKind::MlDsa44 }));
        assert_eq!(verify(&[&ml_dsa, &ed25519]), line_error(LineError::Swapped));
        let (old_ed25519, old_ml_dsa) = (&other.lines()[0], &other.lines()[1]);
        assert_eq!(verify(&[old_ed25519, &ml_dsa]), line_error(LineError::Wrong { kind: LineKind::Ed25519 }));
        assert_eq!(verify(&[&ed25519, old_ml_dsa]), line_error(LineError::Wrong { kind: LineKind::MlDsa44 }));
        let foreign = Checkpoint::verify(&checkpoint(3).sign(&ben), &ann.public()).map(|_| ());
        assert_eq!(foreign, line_error(LineError::Missing { kind: LineKind::Ed25519 }));
    }

    #[test]
    fn the_logs_own_line_states_no_time() {
        let keys = Seed::from_bytes(&[1; 32]).keys();
        let note = checkpoint(3).sign(&keys);
        let timed = ml_dsa_line(&checkpoint(3).origin.to_string(), 5, &checkpoint(3), &keys);
        let note = Note::new(note.text().to_owned(), vec![note.lines()[0].clone(), timed]);
        assert_eq!(Checkpoint::verify(&note, &keys.public()), Err(CheckpointError::Time { time: 5 }));
    }

    #[test]
    fn only_the_canonical_text_is_read() {
        let text = checkpoint(3).text();
        assert_eq!(Checkpoint::parse_text(&text), Ok(checkpoint(3)));
        let changed = |from: &str, to: &str| Checkpoint::parse_text(&text.replacen(from, to, 1)).expect_err(to);
        assert_eq!(changed("\n3\n", "\n03\n"), CheckpointError::Size);
        assert_eq!(changed("\n3\n", "\n+3\n"), CheckpointError::Size);
        assert_eq!(changed("\n3\n", "\n-3\n"), CheckpointError::Size);
        assert_eq!(changed("\n3\n", "\n9223372036854775808\n"), CheckpointError::Size);
        assert_eq!(changed("amparo.v1", "amparo.v2"), CheckpointError::Origin);
        assert_eq!(changed("0707", "07070"), CheckpointError::Origin);
        assert_eq!(changed("=\n", "\n"), CheckpointError::Root);
        assert_eq!(Checkpoint::parse_text(&format!("{text}extension\n")), Err(CheckpointError::Lines));
        assert_eq!(Checkpoint::parse_text(text.trim_end()), Err(CheckpointError::Lines));
    }
}
