//! Cosignatures: another member's word that she saw a log in that state. What such a word is worth here, how it is made,
//! and how it is taken in from another copy.
//!
//! - [`check`]: each cosignature against the checked story, once
//! - [`coverage`]: up to where enough monitors have signed
//! - [`make`]: `verify --cosign`
//! - [`take`]: `merge FILE`

pub mod check;
pub mod coverage;
pub mod make;
pub mod take;

pub use check::{Cosignature, Worth};

use super::session::Session;
use crate::crypto::envelope;
use crate::crypto::hash::Hash;
use crate::format::ids::LogId;
use crate::format::note::Note;
use crate::store::{RelPath, layout};
use crate::vault::VaultError;

/// A cosignature as the file that it is in a vault: to the newest custody key that this person holds.
fn file(session: &Session, log: LogId, note: &Note) -> Result<(RelPath, Vec<u8>), VaultError> {
    let bytes = envelope::seal(&note.to_bytes(), &[session.custody_recipient()?]).bytes;
    Ok((layout::cosignature(log, Hash::of(&bytes)), bytes))
}
