//! What an interrupted command left: files that this device wrote, as its memory shows, and that nothing signed covers.
//! Of its own making they are orphans, and the next sealing removes them. What came from another copy stays, whatever is done
//! in between: who goes on to take it in need not carry it again, and who will not says so. Only what the device itself wrote is
//! ever removed.

use std::collections::BTreeSet;

use super::VaultError;
use super::history::{Fork, History};
use super::session::Session;
use super::{exhibits, named};
use crate::crypto::hash::Hash;
use crate::format::event::Event;
use crate::store::memory::Intent;
use crate::store::{RelPath, layout};

/// Removes orphans; returns how many.
pub(super) fn clear(session: &Session) -> Result<u64, VaultError> {
    remove(session, &session.memory.intents(&session.vault)?)
}

/// Removes what came from other copies and counts for nothing: the person will not go on with it. Returns how many.
pub(super) fn clear_arrived(session: &Session) -> Result<u64, VaultError> {
    remove(session, &session.memory.arrivals(&session.vault)?)
}

fn remove(session: &Session, intents: &[(Intent, Vec<RelPath>)]) -> Result<u64, VaultError> {
    let named = intents.iter().flat_map(|(_, paths)| paths).cloned();
    let (here, gone): (BTreeSet<RelPath>, BTreeSet<RelPath>) =
        named.partition(|path| session.folder.exists(path).unwrap_or(true));
    let orphans = if here.is_empty() { here } else { uncovered(session, here)? };
    // What is gone may be so in the system's memory alone, where a sync failed: it must not come back when it is forgotten.
    let removed = session.folder.remove_all(&orphans.into_iter().chain(gone).collect::<Vec<_>>())?;
    for (intent, _) in intents {
        session.memory.forget(intent)?;
    }
    Ok(removed)
}

/// Forgets what came from other copies, once all of it counts.
pub(super) fn forget_arrived(session: &Session) -> Result<(), VaultError> {
    let arrivals = session.memory.arrivals(&session.vault)?;
    let uncovered = not_counting(session, &arrivals)?;
    for (intent, _) in arrivals.iter().filter(|(_, paths)| paths.iter().all(|path| !uncovered.contains(path))) {
        session.memory.forget(intent)?;
    }
    Ok(())
}

/// How many files lie here that came from other copies and count for nothing yet.
pub(super) fn arrived(session: &Session) -> Result<u64, VaultError> {
    let waiting = not_counting(session, &session.memory.arrivals(&session.vault)?)?;
    Ok(waiting.iter().filter(|path| session.folder.exists(path).unwrap_or(true)).count() as u64)
}

fn not_counting(session: &Session, arrivals: &[(Intent, Vec<RelPath>)]) -> Result<BTreeSet<RelPath>, VaultError> {
    let named: BTreeSet<RelPath> = arrivals.iter().flat_map(|(_, paths)| paths).cloned().collect();
    if named.is_empty() { Ok(named) } else { uncovered(session, named) }
}

/// What remains of these paths without those that entries and signed states cover.
fn uncovered(session: &Session, mut paths: BTreeSet<RelPath>) -> Result<BTreeSet<RelPath>, VaultError> {
    let history = session.history()?;
    for (key, file) in named::counted_keys(history) {
        paths.remove(&layout::wrapped_key(key, file));
    }
    for (_, told) in named::kept_beside(history) {
        for (key, file) in named::key_files(told.entry.log, &told.entry.event) {
            paths.remove(&layout::wrapped_key(key, file));
        }
    }
    remove_logs(session, history, &mut paths);
    if paths.iter().any(|path| path.components().next().is_some_and(|first| first == "blobs")) {
        remove_blobs(session, history, &mut paths);
    }
    Ok(paths)
}

/// Entries of any history of a log, its signed states, and what others signed of it.
fn remove_logs(session: &Session, history: &History, paths: &mut BTreeSet<RelPath>) {
    for (id, files) in &session.survey.logs {
        let Some(log) = history.logs.get(id) else { continue };
        let leaf_is = |seq: u64, leaf: Hash| {
            let at = |fork: &Fork| {
                let told = seq.checked_sub(fork.parted).and_then(|at| fork.entries.get(usize::try_from(at).ok()?));
                told.is_some_and(|told| told.leaf == leaf)
            };
            let told = usize::try_from(seq).ok().and_then(|seq| log.entries.get(seq));
            told.is_some_and(|told| told.leaf == leaf) || log.forks.iter().any(at)
        };
        for name in files.entries.values().flatten().filter(|name| leaf_is(name.seq, name.leaf)) {
            paths.remove(&layout::entry(*id, name));
        }
        let sizes: BTreeSet<u64> = log.forks.iter().map(|fork| fork.head.size).chain([log.head.size]).collect();
        for name in files.checkpoints.iter().filter(|name| sizes.iter().any(|size| name.size <= *size)) {
            paths.remove(&layout::checkpoint(*id, name));
        }
        for name in &files.cosignatures {
            paths.remove(&layout::cosignature(*id, *name));
        }
    }
}

/// Blobs that a sealing names. Where its inventory cannot be read, nobody can say which they are, and none is removed.
fn remove_blobs(session: &Session, history: &History, paths: &mut BTreeSet<RelPath>) {
    for (place, told) in history.counted().chain(named::kept_beside(history)) {
        if let Event::Amend { blob, .. } = &told.entry.event {
            paths.remove(&layout::blob(*blob));
        }
        let Some(sealing) = history.sealing(place, told) else { continue };
        for blob in named::own_blobs(&sealing) {
            paths.remove(&layout::blob(blob));
        }
        match exhibits::rows(session, &sealing) {
            Ok(rows) => {
                for blob in rows.into_iter().flat_map(|(_, blobs)| blobs) {
                    paths.remove(&layout::blob(blob));
                }
            }
            Err(_) => paths.retain(|path| path.components().next().is_none_or(|first| first != "blobs")),
        }
    }
}
