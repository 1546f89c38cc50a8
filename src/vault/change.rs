//! Carrying out a change that the device's memory holds: its files appear in the vault in their order, the checkpoint
//! last. Whatever stopped an earlier command in between, this writes the rest.

use super::VaultError;
use crate::format::ids::{LogId, MemberId, VaultId};
use crate::store::layout::{self, CheckpointName, EntryName};
use crate::store::memory::{Change, Memory};
use crate::store::{Folder, Mode, RelPath, StoreError};

/// What this device knows of files that it may have written before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// They were durable once, and read back.
    Durable,
    /// Nothing: what the system shows of them may be in its memory alone, because a sync failed or never came.
    Nothing,
}

/// Writes the files of a change that are not there yet, in order, the last only when all others are on the medium.
pub(super) fn carry_out(folder: &dyn Folder, change: &Change, known: Known) -> Result<(), VaultError> {
    let mut files: Vec<(RelPath, &[u8])> = change.files().collect();
    let last = files.pop();
    write_all(folder, &files, known)?;
    write_all(folder, last.as_slice(), known)
}

/// Writes files that are not there yet, durably, and reads back what is not known to be there.
pub(super) fn write_all(folder: &dyn Folder, files: &[(RelPath, &[u8])], known: Known) -> Result<(), VaultError> {
    for (path, bytes) in files {
        write_once(folder, path, bytes, known)?;
    }
    folder.sync(&files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>())?;
    for (path, bytes) in files {
        if !is_there(folder, path, bytes, known)? {
            return Err(VaultError::ReadBack { path: path.to_string() });
        }
    }
    Ok(())
}

/// Creates a file; one that is there already must have the same bytes, or be what a crash tore of them.
fn write_once(folder: &dyn Folder, path: &RelPath, bytes: &[u8], known: Known) -> Result<(), VaultError> {
    match folder.create(path, bytes, Mode::Open) {
        Err(StoreError::Exists { .. }) => {
            if is_there(folder, path, bytes, known)? {
                return Ok(());
            }
            // The device's memory shows that this very file was being written from here: what stands is its torn half.
            folder.remove(path)?;
            Ok(folder.create(path, bytes, Mode::Open)?)
        }
        other => Ok(other?),
    }
}

/// Whether a file has these bytes, on the medium where nothing else is known of it. What was durable once is not taken for
/// torn because it cannot be read now: it would be removed to be written anew, and lost where that fails as well.
fn is_there(folder: &dyn Folder, path: &RelPath, bytes: &[u8], known: Known) -> Result<bool, VaultError> {
    let bytes_max = bytes.len() as u64 + 1;
    match known {
        Known::Nothing => Ok(read_back(folder, path, bytes_max).is_ok_and(|there| there == bytes)),
        Known::Durable => match folder.read(path, bytes_max) {
            Err(StoreError::TooLarge { .. }) => Ok(false),
            read => Ok(read? == bytes),
        },
    }
}

/// What the medium holds of a small file.
pub(crate) fn read_back(folder: &dyn Folder, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, VaultError> {
    let (mut source, _) = folder.read_back(path, bytes_max)?;
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).map_err(|error| StoreError::from_io(path.as_path(), error))?;
    Ok(bytes)
}

/// Completes what an earlier command of this person left half done, in whichever copy of that age she works in next. What another
/// identity at the device began is hers to complete, and nobody else clears what it covers.
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
            let was_done = memory.seen_size(vault, &log)? >= size;
            carry_out(folder, &change, if was_done { Known::Durable } else { Known::Nothing })?;
            if let Some((_, note)) = change.files().next_back().filter(|_| !was_done) {
                memory.remember(vault, &log, size, note)?;
            }
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
