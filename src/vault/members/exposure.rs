//! What was sealed to a key of somebody who is removed, and which whoever removed her had not seen: sealed offline to
//! an older epoch, say. It is valid, and it is readable by those removed since.

use std::collections::{BTreeMap, BTreeSet};

use crate::format::ids::{KeyId, MemberId};
use crate::format::role::Scope;
use crate::vault::history::{History, Place};

/// Records of one sealing that people can read who were removed.
#[derive(Clone, Debug)]
pub struct Exposed {
    /// The sealing.
    pub place: Place,
    /// The content key.
    pub key: KeyId,
    /// How many records of the sealing are encrypted to it.
    pub records: u32,
    /// Who holds the key and was removed by somebody who had not seen this sealing.
    pub by: Vec<MemberId>,
    /// Whether the sealer had seen one of these removals, and no newer key was there.
    pub knowing: bool,
}

/// All of them, in causal order. What was sealed before a removal, as its author had seen, is no news: whoever leaves
/// keeps what she could read.
pub fn readable_since(history: &History) -> Vec<Exposed> {
    let removed: BTreeMap<KeyId, BTreeSet<(MemberId, Place)>> = history
        .keys
        .iter()
        .filter(|(_, key)| key.scope != Scope::Custody)
        .map(|(id, key)| {
            let given = key.wraps.iter().map(|(_, wrap)| wrap.member);
            (*id, given.filter_map(|who| Some((who, history.members.get(&who)?.removed?))).collect())
        })
        .filter(|(_, by): &(KeyId, BTreeSet<_>)| !by.is_empty())
        .collect();
    if removed.is_empty() {
        return Vec::new();
    }
    let mut exposed = Vec::new();
    for sealing in history.sealings() {
        for manifest in &sealing.seal.manifests {
            let holders = removed.get(&manifest.key).into_iter().flatten();
            let since: Vec<_> =
                holders.filter(|(_, at)| !history.told(*at).had_seen(*at, sealing.place)).copied().collect();
            if since.is_empty() {
                continue;
            }
            let told = history.told(sealing.place);
            exposed.push(Exposed {
                place: sealing.place,
                key: manifest.key,
                records: manifest.records,
                knowing: since.iter().any(|(_, at)| told.had_seen(sealing.place, *at)),
                by: since.into_iter().map(|(member, _)| member).collect(),
            });
        }
    }
    exposed
}
