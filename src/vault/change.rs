//! Carrying out a change that the device's memory holds: its files appear in the vault in their order, the checkpoint
//! last. Whatever stopped an earlier command in between, this writes the rest.

use super::VaultError;
use crate::format::ids::{LogId, MemberId, VaultId};
use crate::store::layout::{self, CheckpointName, EntryName};
use crate::store::memory::{Change, Memory};
use crate::store::{Folder, Mode, RelPath, StoreError};

/// Writes the files of a change that are not there yet, in order, the last only when all others are durable.
pub(super) fn carry_out(folder: &dyn Folder, change: &Change) -> Result<(), VaultError> {
    let mut files: Vec<(RelPath, &[u8])> = change.files().collect();
    let Some((last, checkpoint)) = files.pop() else { return Ok(()) };
    for (path, bytes) in &files {
        write_once(folder, path, bytes)?;
    }
    folder.sync(&files.into_iter().map(|(path, _)| path).collect::<Vec<_>>())?;
    write_once(folder, &last, checkpoint)?;
    folder.sync(&[last])?;
    Ok(())
}

/// Creates a file; one that is there already must have the same bytes, or be what a crash tore of them.
pub(super) fn write_once(folder: &dyn Folder, path: &RelPath, bytes: &[u8]) -> Result<(), VaultError> {
    match folder.create(path, bytes, Mode::Open) {
        Err(StoreError::Exists { .. }) => {
            if folder.read(path, bytes.len() as u64 + 1).is_ok_and(|there| there == bytes) {
                return Ok(());
            }
            // The device's memory shows that this very file was being written from here: what stands is its torn half.
            folder.remove(path)?;
            Ok(folder.create(path, bytes, Mode::Open)?)
        }
        other => Ok(other?),
    }
}

/// Completes what an earlier command of this device left half done in this vault.
pub(super) fn complete(
    folder: &dyn Folder,
    memory: &Memory,
    vault: &VaultId,
    member: &MemberId,
) -> Result<(), VaultError> {
    for log in memory.own_logs(vault, member)? {
        let Some((size, change)) = memory.last_change(vault, &log)? else { continue };
        let checkpoints = layout::checkpoints(log);
        let sizes: Vec<u64> = match folder.list(Some(&checkpoints)) {
            Ok(items) => items
                .iter()
                .filter_map(|item| CheckpointName::parse(item.name.to_str()?))
                .map(|name| name.size)
                .collect(),
            Err(StoreError::Missing { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        // A copy that is older than the state before this change is another copy: nothing is completed there. Nor in
        // another vault whose file `VAULT` was changed to name this one: that would tell its holder of this vault.
        let stands_before = match size {
            1 => begins_here(folder, vault, log)?,
            _ => sizes.iter().any(|there| *there == size - 1),
        };
        // Once a change stood whole somewhere, a copy without it is an older copy: the change's blobs are not here.
        let done_elsewhere = !sizes.contains(&size) && memory.seen_size(vault, &log)? >= size;
        if stands_before && !done_elsewhere && !sizes.iter().any(|there| *there > size) {
            carry_out(folder, &change)?;
        }
    }
    Ok(())
}

/// Whether a log of this vault can begin in this folder: the founding entry lies there, or no other log does.
fn begins_here(folder: &dyn Folder, vault: &VaultId, log: LogId) -> Result<bool, VaultError> {
    let logs = match folder.list(Some(&layout::logs())) {
        Ok(items) => items.into_iter().filter_map(|item| LogId::from_hex(item.name.to_str()?)).collect(),
        Err(StoreError::Missing { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    for other in logs.iter().filter(|other| **other != log) {
        let first = match folder.list(Some(&layout::first_shelf(*other))) {
            Ok(items) => items,
            Err(StoreError::Missing { .. }) => continue,
            Err(error) => return Err(error.into()),
        };
        let names = first.iter().filter_map(|item| EntryName::parse(item.name.to_str()?));
        if names.into_iter().any(|name| name.seq == 0 && name.leaf == vault.0) {
            return Ok(true);
        }
    }
    Ok(logs.iter().all(|other| *other == log))
}
