//! The manifest of one section in one sealing: the records of its exhibits, each with the commitments to its text.
//! On disk it is a blob, an age file to the section's content key.

use serde::{Deserialize, Serialize};

use super::document::{Document, DocumentError};
use super::ids::{LogId, VaultId};
use super::record::Record;
use crate::crypto::hash::Hash;

/// One exhibit's record as it stands in a manifest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestRecord {
    /// The exhibit's number in its log.
    pub number: u64,
    /// What is said of it, and the secret from which all its salts come.
    pub record: Record,
    /// Commitments to the paragraphs of its text, in order; empty where the content is no text.
    pub text: Vec<Hash>,
}

/// The records of one section in one sealing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    /// The vault.
    pub vault: VaultId,
    /// The log.
    pub log: LogId,
    /// Ascending by number.
    pub records: Vec<ManifestRecord>,
}

impl Manifest {
    /// The manifest of `records`, which must ascend by number.
    pub fn new(vault: VaultId, log: LogId, records: Vec<ManifestRecord>) -> Self {
        Self { format: Self::KIND.into(), vault, log, records }
    }
}

impl Document for Manifest {
    const KIND: &'static str = "amparo.v1/manifest";
    const PADDED_MIN: u64 = 16 << 10;

    fn format(&self) -> &str {
        &self.format
    }

    fn check(&self) -> Result<(), DocumentError> {
        let ascending = self.records.is_sorted_by(|one, next| one.number < next.number);
        Self::bound((1..=4096).contains(&self.records.len()) && ascending, "records")
    }
}
