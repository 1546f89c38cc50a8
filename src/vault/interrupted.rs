//! What an interrupted merge left, and torn cosignatures that were being taken in. The device's memory tells which files it was
//! just writing, and which signed states were to end a merge; so the next command that writes completes or clears it. Until then
//! what a merge left is not seen; a torn cosignature is forgiven in the copy alone in which it was begun.

use std::collections::BTreeSet;

use super::VaultError;
use super::change::{Known, read_back, write_all};
use super::survey;
use crate::format::ids::{LogId, VaultId};
use crate::store::layout::{self, CheckpointName};
use crate::store::memory::{Change, Intent, Memory};
use crate::store::{Folder, RelPath, StoreError};

/// Nothing that a merge writes is longer.
const FILE_BYTES_MAX: u64 = super::exhibits::BLOB_BYTES_MAX;

/// Writes the signed states that were to end a merge in this folder, and removes what was torn. Returns what is to be
/// forgotten about the merges that came to their end so: after what they brought, which counts now.
pub(super) fn settle(folder: &dyn Folder, memory: &Memory, vault: &VaultId) -> Result<Vec<Intent>, VaultError> {
    let mut ended = Vec::new();
    for (intent, change) in memory.merges(vault)? {
        let states: Vec<(RelPath, &[u8])> = change.files().collect();
        // Where entries of them lack, somebody took those away since: the states would tell of what is not here.
        if is_whole(folder, &change) || are_covered(folder, &states)? {
            write_all(folder, &states, Known::Nothing)?;
            ended.push(intent);
        }
    }
    for record in memory.merging(vault)? {
        // What cannot be read just now is looked at again the next time.
        let Some(whole) = clear_torn(folder, &record.paths)? else { continue };
        if !whole.is_empty() {
            memory.arrive(vault, &whole)?;
        }
        memory.forget(&record.intent)?;
    }
    // Nothing covers cosignatures: a whole one counts by itself. A torn one is nobody's, wherever its folder lay.
    for record in memory.intents(vault)?.iter().filter(|record| record.is_of_cosignatures()) {
        if clear_torn(folder, &record.paths)?.is_some() && record.is_of_this_copy {
            memory.forget(&record.intent)?;
        }
    }
    Ok(ended)
}

/// Removes what is torn of these, and returns what is whole, durably; `None` while some of them cannot be read.
pub(super) fn clear_torn(folder: &dyn Folder, paths: &[RelPath]) -> Result<Option<Vec<RelPath>>, VaultError> {
    let exists = |path: &&RelPath| folder.exists(path).unwrap_or(true);
    let (there, mut torn): (Vec<RelPath>, Vec<RelPath>) = paths.iter().cloned().partition(|path| exists(&path));
    // What is whole may be whole in the system's memory alone: nothing synced it yet, or a sync of it failed.
    if !there.is_empty() {
        folder.sync(&there)?;
    }
    let (mut whole, mut in_doubt) = (Vec::new(), false);
    for path in there {
        match read_back(folder, &path, FILE_BYTES_MAX) {
            Ok(bytes) if layout::is_as_named(&path, &bytes) => whole.push(path),
            Ok(_) => torn.push(path),
            Err(_) => in_doubt = true,
        }
    }
    // What is gone may be so in the system's memory alone as well, and must not come back when it is forgotten.
    if !torn.is_empty() {
        folder.remove_all(&torn)?;
    }
    Ok((!in_doubt).then_some(whole))
}

/// What must not be seen: files that a merge tore, and signed states of a merge that has not reached its end.
pub(super) fn hidden(folder: &dyn Folder, memory: &Memory, vault: &VaultId) -> Result<BTreeSet<RelPath>, VaultError> {
    let mut hidden = torn(folder, memory, vault)?;
    for (_, change) in memory.merges(vault)? {
        if !is_whole(folder, &change) {
            hidden.extend(change.files().map(|(path, _)| path));
        }
    }
    Ok(hidden)
}

/// Files that a merge was just writing and that are not what their names promise.
fn torn(folder: &dyn Folder, memory: &Memory, vault: &VaultId) -> Result<BTreeSet<RelPath>, VaultError> {
    let mut torn = BTreeSet::new();
    for path in memory.merging(vault)?.into_iter().flat_map(|record| record.paths) {
        match folder.read(&path, FILE_BYTES_MAX) {
            Ok(bytes) if layout::is_as_named(&path, &bytes) => {}
            Err(StoreError::Missing { .. }) => {}
            Ok(_) | Err(_) => drop(torn.insert(path)),
        }
    }
    Ok(torn)
}

/// Whether all that was to end a merge lies there.
pub(super) fn is_whole(folder: &dyn Folder, change: &Change) -> bool {
    let mut files = change.files();
    files.all(|(path, bytes)| folder.read(&path, bytes.len() as u64).is_ok_and(|there| there == bytes))
}

/// Whether something lies at every place that these states cover.
fn are_covered(folder: &dyn Folder, states: &[(RelPath, &[u8])]) -> Result<bool, VaultError> {
    let logs = survey::survey(folder)?.logs;
    let covered = |(path, _): &(RelPath, &[u8])| {
        let Some((log, size)) = state_of(path) else { return false };
        logs.get(&log).is_some_and(|files| (0..size).all(|seq| files.entries.contains_key(&seq)))
    };
    Ok(states.iter().all(covered))
}

/// The log and size in a checkpoint's path.
fn state_of(path: &RelPath) -> Option<(LogId, u64)> {
    let mut parts = path.components().skip(1);
    let log = LogId::from_hex(parts.next()?.to_str()?)?;
    Some((log, CheckpointName::parse(path.name().to_str()?)?.size))
}
