//! What the entries of a history name: wrapped keys and blobs. Entries that do not count keep theirs all the same where
//! an owner may yet let them count, or where they are the other half of contradicting histories; so nothing that can
//! still matter is taken for a stranger's, or left behind when copies are merged.

use std::collections::BTreeSet;

use super::exhibits;
use super::history::{History, Log, Place, Sealing, Standing, Told};
use super::session::Session;
use crate::crypto::hash::Hash;
use crate::format::event::Event;
use crate::format::ids::{KeyId, LogId};
use crate::store::layout;

/// The files of keys that an event brings or hands on, said in this log.
pub(super) fn key_files(log: LogId, event: &Event) -> Vec<(KeyId, Hash)> {
    let mut files = Vec::new();
    for key in event.new_keys() {
        let of_key = key.wraps.iter().map(|wrap| wrap.file).chain(key.dummies.iter().copied());
        let id = key.id(&log);
        files.extend(of_key.map(|file| (id, file)));
    }
    if let Event::Share { key, wraps, dummies } = event {
        files.extend(wraps.iter().map(|wrap| wrap.file).chain(dummies.iter().copied()).map(|file| (*key, file)));
    }
    files
}

/// The files of keys that entries name which count.
pub(super) fn counted_keys(history: &History) -> BTreeSet<(KeyId, Hash)> {
    let of_key = |(id, key): (&KeyId, &super::history::VaultKey)| {
        let files = key.wraps.iter().map(|(_, wrap)| wrap.file).chain(key.dummies.iter().copied());
        files.map(|file| (*id, file)).collect::<Vec<_>>()
    };
    history.keys.iter().flat_map(of_key).collect()
}

/// Entries whose files are kept though they do not count: those that came too late, those that cannot be judged because
/// something that their author had seen is not here, and those of other histories of a log.
pub(super) fn kept_beside(history: &History) -> impl Iterator<Item = (Place, &Told)> {
    let is_open = |told: &Told| match told.standing {
        Standing::Counted => false,
        Standing::Late => true,
        Standing::Refused(_) => told.undecided,
    };
    let uncounted = history.order.iter().map(|place| (*place, history.told(*place)));
    uncounted.filter(move |(_, told)| is_open(told)).chain(history.logs.values().flat_map(forked))
}

fn forked(log: &Log) -> impl Iterator<Item = (Place, &Told)> {
    let entries = log.forks.iter().flat_map(|fork| &fork.entries);
    entries.map(|told| (Place { log: log.id, seq: told.entry.seq }, told))
}

/// The blobs of a sealing that its entry itself names.
pub(super) fn own_blobs(sealing: &Sealing<'_>) -> impl Iterator<Item = Hash> {
    std::iter::once(sealing.seal.inventory).chain(sealing.seal.manifests.iter().map(|manifest| manifest.blob))
}

/// Whether a blob lies here by name, or may be absent.
pub(super) fn lies_here(session: &Session, disposed: &BTreeSet<Hash>, blob: &Hash) -> bool {
    disposed.contains(blob) || session.folder.stat(&layout::blob(*blob)).is_ok()
}

/// Blobs of entries that are kept though they do not count: no evidence, and no strangers either.
pub(super) fn blobs_beside(session: &Session, history: &History) -> BTreeSet<Hash> {
    let mut kept = BTreeSet::new();
    for (place, told) in kept_beside(history) {
        if let Event::Amend { blob, .. } = &told.entry.event {
            kept.insert(*blob);
        }
        let Some(sealing) = history.sealing(place, told) else { continue };
        kept.extend(own_blobs(&sealing));
        let rows = exhibits::rows(session, &sealing).unwrap_or_default();
        kept.extend(rows.into_iter().flat_map(|(_, blobs)| blobs));
    }
    kept
}
