//! A key of the vault as an entry brings it: to whom it was wrapped, in which files.

use serde::{Deserialize, Serialize};

use crate::crypto::hash::Hash;
use crate::format::ids::{KeyId, LogId, MemberId};
use crate::format::role::{Scope, Section};

/// One share of a split content key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The same for all shares of one splitting.
    #[serde(with = "serde_bytes")]
    pub split: [u8; 16],
    /// Which share, from 1.
    pub index: u8,
    /// How many must come together.
    pub needed: u8,
    /// How many there are.
    pub total: u8,
    /// SHA-256 of the share, so that a bad one has a name.
    pub hash: Hash,
}

/// A vault key, or a share of one, encrypted to one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrap {
    /// For whom.
    pub member: MemberId,
    /// The wrapped file's SHA-256: its name under `keys/<key id>/`.
    pub file: Hash,
    /// Set when the file holds a share.
    pub share: Option<Share>,
}

/// A new vault key with the files that hand it to members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// What it opens.
    pub scope: Scope,
    /// 0 at the founding, one more at each rotation.
    pub epoch: u32,
    /// The age recipient (`age1pq1…`).
    pub recipient: String,
    /// One for each member who gets it.
    pub wraps: Vec<Wrap>,
    /// Files of the same form that nobody can open, sorted: they hide how many members there are.
    pub dummies: Vec<Hash>,
}

impl NewKey {
    /// Its id, brought by an entry of this log.
    pub fn id(&self, log: &LogId) -> KeyId {
        KeyId::derive(log, &self.scope, self.epoch, &self.recipient)
    }

    /// The section whose content it opens, if any.
    pub fn section(&self) -> Option<&Section> {
        match &self.scope {
            Scope::Content(section) => Some(section),
            Scope::Custody => None,
        }
    }
}
