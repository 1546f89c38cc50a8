//! What signed acts of readers show of the keys: that one was really used. Whoever is told that something can be opened
//! relies on it, so what an act leaves open counts as not shown.

use std::collections::{BTreeMap, BTreeSet};

use super::{History, VaultKey};
use crate::format::event::{Event, ExhibitRef, Seal};
use crate::format::ids::{KeyId, LogId, MemberId};

impl History {
    /// Whether some reader has shown, by a signed `open` or a check of the content, that a content key can be used. A check
    /// of the content shows it of keys that its author holds whole: of shares it does not say which came together. An
    /// `open` shows it of the keys of the sealing that it names: of one in shares only where its author had no other there.
    pub fn shown_to_open(&self, id: KeyId) -> bool {
        let Some(key) = self.keys.get(&id) else { return false };
        let mut sealed: Option<BTreeMap<(LogId, u64), &Seal>> = None;
        self.counted().any(|(place, told)| {
            let member = self.logs[&place.log].member;
            match &told.entry.event {
                Event::Open { exhibits, .. } if told.had_seen(place, key.at) => {
                    let first = |sealing: super::Sealing<'_>| (sealing.place.log, sealing.seal.first);
                    let sealed = sealed.get_or_insert_with(|| self.sealings().map(|it| (first(it), it.seal)).collect());
                    exhibits.iter().filter_map(|exhibit| seal_of(sealed, exhibit)).any(|seal| {
                        let hers = self.keys_there(seal, member);
                        hers.contains(&id) && (hers.len() == 1 || holds_whole(key, member))
                    })
                }
                Event::Verify { level, .. } => {
                    level == "content" && holds_whole(key, member) && told.had_seen(place, key.at)
                }
                _ => false,
            }
        })
    }

    /// Content keys of a sealing that a member was given, or a share of them.
    fn keys_there(&self, seal: &Seal, member: MemberId) -> BTreeSet<KeyId> {
        let given = |key: &VaultKey| key.wraps.iter().any(|(_, wrap)| wrap.member == member);
        let all = seal.manifests.iter().map(|manifest| manifest.key);
        all.filter(|id| self.keys.get(id).is_some_and(given)).collect()
    }
}

fn holds_whole(key: &VaultKey, member: MemberId) -> bool {
    key.wraps.iter().any(|(_, wrap)| wrap.member == member && wrap.share.is_none())
}

/// The sealing that numbered an exhibit.
fn seal_of<'s>(sealed: &BTreeMap<(LogId, u64), &'s Seal>, exhibit: &ExhibitRef) -> Option<&'s Seal> {
    let (first, seal) = sealed.range(..=(exhibit.log, exhibit.number)).next_back()?;
    (first.0 == exhibit.log && exhibit.number - first.1 < u64::from(seal.count)).then_some(*seal)
}
