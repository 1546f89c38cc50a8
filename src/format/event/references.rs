//! How entries point at logs, at other entries and at exhibits.

use serde::{Deserialize, Serialize};

use crate::crypto::hash::Hash;
use crate::format::ids::LogId;

/// A log's state: so many entries, under this root (RFC 6962).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// The log.
    pub log: LogId,
    /// How many entries it has.
    pub size: u64,
    /// The root of its tree at that size.
    pub root: Hash,
}

/// One entry, by its place and the hash of its leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryRef {
    /// The log it stands in.
    pub log: LogId,
    /// Its place there, from 0.
    pub seq: u64,
    /// The RFC 6962 leaf hash of its bytes.
    pub leaf: Hash,
}

/// One exhibit, by its label and the hash of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExhibitRef {
    /// The log it was sealed in.
    pub log: LogId,
    /// Its number there, from 1.
    pub number: u64,
    /// The leaf hash of its row.
    pub row: Hash,
}
