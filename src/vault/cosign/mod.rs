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

use super::history::History;
use crate::crypto::envelope;
use crate::crypto::hash::Hash;
use crate::format::ids::LogId;
use crate::format::note::Note;
use crate::format::role::Scope;
use crate::store::{RelPath, layout};
use crate::vault::VaultError;

/// A cosignature as the file that it is in a vault: to the newest custody key.
fn file(history: &History, log: LogId, note: &Note) -> Result<(RelPath, Vec<u8>), VaultError> {
    let (_, custody) = history.newest_key(&Scope::Custody).ok_or(VaultError::NoKey)?;
    let bytes = envelope::seal(&note.to_bytes(), &[&custody.recipient]).bytes;
    Ok((layout::cosignature(log, Hash::of(&bytes)), bytes))
}
