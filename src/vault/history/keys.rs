//! The keys of a vault that counted entries brought: who was given which, and which of a scope is the newest.

use std::collections::BTreeSet;

use super::{History, Place};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::event::{NewKey, Wrap};
use crate::format::ids::{KeyId, MemberId};
use crate::format::role::Scope;

/// A key of the vault that a counted entry brought.
#[derive(Clone, Debug)]
pub struct VaultKey {
    /// What it opens.
    pub scope: Scope,
    /// Which in the order of its scope's keys.
    pub epoch: u32,
    /// To whom blobs and entries are encrypted.
    pub recipient: Recipient,
    /// The entry that brought it.
    pub at: Place,
    /// How far from the founder the owner stands who brought it: 0 is the founder.
    pub rank: usize,
    /// Who was given it, where, and in which file.
    pub wraps: Vec<(Place, Wrap)>,
    /// Files of the same form that nobody can open.
    pub dummies: BTreeSet<Hash>,
}

impl VaultKey {
    pub(super) fn new(key: &NewKey, recipient: Recipient, at: Place, rank: usize) -> Self {
        Self {
            scope: key.scope.clone(),
            epoch: key.epoch,
            recipient,
            at,
            rank,
            wraps: key.wraps.iter().map(|wrap| (at, wrap.clone())).collect(),
            dummies: key.dummies.iter().copied().collect(),
        }
    }
}

impl History {
    /// The newest key of a scope that this history knows: of several of one epoch, that of the owner nearest the founder,
    /// then the lowest key id.
    pub fn newest_key(&self, scope: &Scope) -> Option<(KeyId, &VaultKey)> {
        self.newest_key_of(scope, |_| true)
    }

    /// The same among those that `is_meant` accepts.
    pub fn newest_key_of(&self, scope: &Scope, is_meant: impl Fn(&KeyId) -> bool) -> Option<(KeyId, &VaultKey)> {
        let of_scope = self.keys.iter().filter(|(id, key)| key.scope == *scope && is_meant(id));
        of_scope.map(|(id, key)| (*id, key)).min_by_key(|(id, key)| (std::cmp::Reverse(key.epoch), key.rank, *id))
    }

    /// Every key to which inventories may be encrypted.
    pub fn custody_keys(&self) -> impl Iterator<Item = &KeyId> {
        let brought = self.keys.iter().filter(|(_, key)| key.scope == Scope::Custody).map(|(id, _)| id);
        brought.chain(&self.custody_late).chain(&self.custody_undecided)
    }

    /// Members who were given a key and not removed since.
    pub fn holders(&self, key: &VaultKey) -> BTreeSet<MemberId> {
        let given = key.wraps.iter().map(|(_, wrap)| wrap.member);
        given.filter(|member| self.members.get(member).is_some_and(|member| member.removed.is_none())).collect()
    }
}
