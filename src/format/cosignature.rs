//! C2SP cosignatures (c2sp.org/tlog-cosignature): a member states that it saw a log in that state at that time.
//!
//! As everywhere two lines, Ed25519 (0x04) by the cosigning key and ML-DSA-44 (0x06), both of them or none. The bytes
//! are a note with the checkpoint's text and these lines; in a vault, and where it travels, the log's own two lines stand
//! before them ([`complete`]). Several of them in one text are the matter of [`super::cosignatures`].

use super::checkpoint::{Checkpoint, CheckpointError};
use super::ids::MemberId;
use super::note::{LineError, LineKind, LineType, Note, SignatureLine, key_id};
use crate::crypto::hash::Hash;
use crate::crypto::seed::{Keys, PublicKeys};
use crate::crypto::sign::{ed25519_verifies, ml_dsa_verifies};

/// tlog-cosignature: the largest time, in seconds since 1970-01-01T00:00:00Z.
pub const TIME_MAX: u64 = i64::MAX.unsigned_abs();

const TIME_BYTES: usize = 8;
const LABEL: &[u8; 12] = b"subtree/v1\n\0";

/// Why a note is no cosignature of that member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// Its text is no checkpoint of this format.
    #[error("no checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A line is missing, doubled, swapped or wrong.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The two lines state different times, or one beyond [`TIME_MAX`].
    #[error("the two lines do not state one possible time")]
    Time,
}

/// What a cosignature says, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The state that was seen.
    pub checkpoint: Checkpoint,
    /// When, in seconds since 1970-01-01T00:00:00Z: a claim of the cosigner's clock.
    pub time: u64,
    /// Lines that were not looked at.
    pub other_lines: usize,
}

/// Cosigns `checkpoint` at `time` (seconds since 1970-01-01T00:00:00Z, cut at [`TIME_MAX`]). The caller checked that
/// the log's own signatures hold and that it is consistent with all this member saw of that log.
pub fn cosign(checkpoint: &Checkpoint, keys: &Keys, time: u64) -> Note {
    let time = time.min(TIME_MAX);
    let public = keys.public();
    let name = MemberId::of(&public).key_name();
    let text = checkpoint.text();
    let lines = vec![
        SignatureLine::new(
            &name,
            key_id(&name, LineType::Ed25519Cosignature, &public.cosign),
            &timestamped(time, &keys.cosign.sign(&ed25519_message(time, &text))),
        ),
        ml_dsa_line(&name, time, checkpoint, keys),
    ];
    Note::new(text, lines)
}

/// Whether any line of `note` is by a cosigning key of that member, whether it holds or not.
pub fn bears_cosigner_lines_of(note: &Note, public: &PublicKeys) -> bool {
    let ids = cosigner_ids(public);
    note.lines().iter().any(|line| ids.iter().any(|(name, id)| line.name() == name && line.key_id() == *id))
}

/// The cosigned checkpoint that proves by itself what it rests on: of `signed` the log's own two lines, of `cosigned`,
/// whose text is the same, the cosigner's. All other lines are left out.
pub fn complete(signed: &Note, log: &PublicKeys, cosigned: &Note, cosigner: &PublicKeys) -> Note {
    debug_assert_eq!(signed.text(), cosigned.text(), "one state");
    let own = Checkpoint::parse_text(signed.text()).map(|checkpoint| checkpoint.key_ids(log)).unwrap_or_default();
    let pick = |note: &Note, ids: &[(String, [u8; 4])]| -> Vec<SignatureLine> {
        let lines = ids
            .iter()
            .filter_map(|(name, id)| note.lines().iter().find(|line| line.name() == name && line.key_id() == *id));
        lines.cloned().collect()
    };
    let lines = [pick(signed, &own), pick(cosigned, &cosigner_ids(cosigner))].concat();
    Note::new(cosigned.text().to_owned(), lines)
}

/// The names and ids of the two keys that a member cosigns with, in the order of their lines.
fn cosigner_ids(public: &PublicKeys) -> Vec<(String, [u8; 4])> {
    let name = MemberId::of(public).key_name();
    let ids = [
        key_id(&name, LineType::Ed25519Cosignature, &public.cosign),
        key_id(&name, LineType::MlDsa44Cosignature, &public.ml_dsa),
    ];
    ids.into_iter().map(|id| (name.clone(), id)).collect()
}

/// Checks that `note` is a cosignature by the member with these keys.
pub fn verify_cosigned(note: &Note, public: &PublicKeys) -> Result<Cosigned, CosignatureError> {
    let checkpoint = Checkpoint::parse_text(note.text())?;
    let name = MemberId::of(public).key_name();
    let pair = note.pair(
        &name,
        key_id(&name, LineType::Ed25519Cosignature, &public.cosign),
        key_id(&name, LineType::MlDsa44Cosignature, &public.ml_dsa),
    )?;
    let wrong = |kind| LineError::Wrong { kind };
    let (time, ed25519) = untimestamped(pair.ed25519).ok_or(wrong(LineKind::Ed25519))?;
    if !ed25519_verifies(&public.cosign, &ed25519_message(time, note.text()), ed25519) {
        return Err(wrong(LineKind::Ed25519).into());
    }
    let ml_dsa_time = verify_ml_dsa(&name, pair.ml_dsa, &checkpoint, public)?;
    if ml_dsa_time != time || time > TIME_MAX {
        return Err(CosignatureError::Time);
    }
    Ok(Cosigned { checkpoint, time, other_lines: pair.other_lines })
}

/// The ML-DSA-44 line of a checkpoint: by its own log (`name` is the origin, time 0) or by a cosigner.
pub(super) fn ml_dsa_line(name: &str, time: u64, checkpoint: &Checkpoint, keys: &Keys) -> SignatureLine {
    let message = cosigned_message(name, time, &checkpoint.origin.to_string(), checkpoint.size, &checkpoint.root);
    let id = key_id(name, LineType::MlDsa44Cosignature, &keys.ml_dsa.public());
    SignatureLine::new(name, id, &timestamped(time, &keys.ml_dsa.sign(&message)))
}

/// Verifies what such a line carries and gives the time it states.
pub(super) fn verify_ml_dsa(
    name: &str,
    line: &[u8],
    checkpoint: &Checkpoint,
    public: &PublicKeys,
) -> Result<u64, LineError> {
    let wrong = LineError::Wrong { kind: LineKind::MlDsa44 };
    let (time, signature) = untimestamped(line).ok_or(wrong)?;
    let message = cosigned_message(name, time, &checkpoint.origin.to_string(), checkpoint.size, &checkpoint.root);
    if ml_dsa_verifies(&public.ml_dsa, &message, signature) { Ok(time) } else { Err(wrong) }
}

/// tlog-cosignature, "Ed25519 signed message".
fn ed25519_message(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// tlog-cosignature, "ML-DSA-44 signed message": `cosigned_message` with `start` 0.
fn cosigned_message(cosigner: &str, time: u64, origin: &str, size: u64, root: &Hash) -> Vec<u8> {
    let mut message = LABEL.to_vec();
    message.extend(short_string(cosigner));
    message.extend(time.to_be_bytes());
    message.extend(short_string(origin));
    message.extend(0_u64.to_be_bytes());
    message.extend(size.to_be_bytes());
    message.extend(root.0);
    message
}

/// `opaque<1..2^8-1>`: one byte of length, then the bytes.
fn short_string(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).expect("names of this format have at most 107 bytes");
    [&[length], text.as_bytes()].concat()
}

/// `timestamped_signature`.
fn timestamped(time: u64, signature: &[u8]) -> Vec<u8> {
    [&time.to_be_bytes(), signature].concat()
}

fn untimestamped(line: &[u8]) -> Option<(u64, &[u8])> {
    let (time, signature) = line.split_first_chunk::<TIME_BYTES>()?;
    Some((u64::from_be_bytes(*time), signature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::seed::Seed;
    use crate::format::checkpoint::tests::checkpoint;

    #[test]
    fn a_cosignature_holds_for_its_member_checkpoint_and_time() {
        let (ann, ben) = (Seed::from_bytes(&[1; 32]).keys(), Seed::from_bytes(&[2; 32]).keys());
        let note = cosign(&checkpoint(7), &ann, 1_700_000_000);
        let reread = Note::parse(&note.to_bytes()).expect("own bytes");
        let cosigned = verify_cosigned(&reread, &ann.public()).expect("a cosignature");
        assert_eq!(cosigned, Cosigned { checkpoint: checkpoint(7), time: 1_700_000_000, other_lines: 0 });
        let missing = LineError::Missing { kind: LineKind::Ed25519 };
        assert_eq!(verify_cosigned(&note, &ben.public()), Err(missing.into()));
        let moved = Note::new(checkpoint(8).text(), note.lines().to_vec());
        let wrong = LineError::Wrong { kind: LineKind::Ed25519 };
        assert_eq!(verify_cosigned(&moved, &ann.public()), Err(wrong.into()));
    }

    #[test]
    fn both_lines_must_hold_and_state_one_time() {
        let ann = Seed::from_bytes(&[1; 32]).keys();
        let (early, late) = (cosign(&checkpoint(7), &ann, 1), cosign(&checkpoint(7), &ann, 2));
        let lines = |first: &SignatureLine, second: &SignatureLine| {
            verify_cosigned(&Note::new(checkpoint(7).text(), vec![first.clone(), second.clone()]), &ann.public())
        };
        assert_eq!(lines(&early.lines()[0], &late.lines()[1]), Err(CosignatureError::Time));
        let stripped = Note::new(checkpoint(7).text(), vec![early.lines()[0].clone()]);
        let missing = LineError::Missing { kind: LineKind::MlDsa44 };
        assert_eq!(verify_cosigned(&stripped, &ann.public()), Err(missing.into()));
        let mut redated = early.lines()[1].signature().to_vec();
        redated[7] = 2;
        let redated = SignatureLine::new(early.lines()[1].name(), early.lines()[1].key_id(), &redated);
        let wrong = LineError::Wrong { kind: LineKind::MlDsa44 };
        assert_eq!(lines(&late.lines()[0], &redated), Err(wrong.into()));
    }

    #[test]
    fn the_message_is_the_structure_of_the_specification() {
        let message = cosigned_message("co", 258, "log", 3, &Hash([9; 32]));
        let expected =
            [b"subtree/v1\n\0\x02co\0\0\0\0\0\0\x01\x02\x03log".as_slice(), &[0; 15], &[3], &[9; 32]].concat();
        assert_eq!(message, expected);
    }
}
