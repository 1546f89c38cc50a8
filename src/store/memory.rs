//! What this device remembers outside the vaults: which vaults it trusts, the heads it has seen, and of its own logs
//! the last change, written here before it appears in the vault, so that the next command can complete what a crash
//! left half done. Like everything, written once under its final name.
//!
//! ```text
//! <vault id>/pinned                     the vault is trusted here
//! <vault id>/confirmed/<key id>         the person at this device agreed to this key's readers
//! <vault id>/seen/<log id>/<size>-<sha256>   signed states this device has seen; the largest counts
//! <vault id>/own/<log id>/owner         machine and member that write this log from here
//! <vault id>/own/<log id>/<size>        the change that brings the log to that size
//! <vault id>/wrote/<copy>-<digits>-<member>  names of files about to be written, forgotten once a signed state covers them
//! <vault id>/merging/<copy>-<digits>    names of files that a merge is just writing: what is torn of them is ours
//! <vault id>/arrived/<copy>-<digits>    names of files that a merge brought, whole, forgotten once signed states cover them
//! <vault id>/merged/<copy>-<digits>     the signed states that end a merge, forgotten when they are durable
//! ```
//!
//! There can be several copies of a vault at one device. What was begun in one says nothing of the others: those records tell,
//! by 16 digits, where the folder lay that they are about.

mod records;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

pub use records::{Intent, Record, Unfinished};

use super::layout::CheckpointName;
use super::{Disk, Folder, Mode, RelPath, StoreError};
use crate::crypto::hash::{Hash, unhex};
use crate::format::ids::{KeyId, LogId, MemberId, VaultId};

/// A change of the founding of the largest vault is far below this.
const CHANGE_BYTES_MAX: u64 = 64 << 20;
const SMALL_BYTES_MAX: u64 = 64 << 10;

/// Files to be written into a vault in this order; the last is the checkpoint that commits them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Change {
    files: Vec<(String, ByteBuf)>,
}

impl Change {
    /// One more file.
    pub fn push(&mut self, path: &RelPath, bytes: Vec<u8>) {
        self.files.push((path.to_string(), ByteBuf::from(bytes)));
    }

    /// The same with one file before all others.
    #[must_use]
    pub fn preceded_by(mut self, path: &RelPath, bytes: Vec<u8>) -> Self {
        self.files.insert(0, (path.to_string(), ByteBuf::from(bytes)));
        self
    }

    /// The files in order.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = (RelPath, &[u8])> {
        self.files.iter().filter_map(|(path, bytes)| Some((RelPath::parse(path)?, bytes.as_slice())))
    }
}

/// What is remembered of one log.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The log.
    pub log: LogId,
    /// Its largest signed state that is what its name promises.
    pub note: Option<Vec<u8>>,
    /// How large one is that is larger and is not: a bit of it turned.
    pub spoilt: Option<u64>,
}

/// This device's memory.
pub struct Memory {
    /// `None` while this device has never remembered anything: looking leaves no trace.
    folder: Option<Arc<dyn Folder>>,
    shown: PathBuf,
    machine: Hash,
    /// The copy at hand, by where it lies.
    copy: String,
}

impl Memory {
    /// Opens the memory to look into it. `machine` tells this machine from others.
    pub fn open(disk: &dyn Disk, path: &Path, machine: Hash) -> Result<Self, StoreError> {
        let folder = match disk.folder(path) {
            Ok(folder) => Some(folder),
            Err(StoreError::Missing { .. }) => None,
            Err(error) => return Err(error),
        };
        Ok(Self { folder, shown: path.to_path_buf(), machine, copy: String::new() })
    }

    /// Opens the memory to add to it, making its folder when there is none.
    pub fn open_to_write(disk: &dyn Disk, path: &Path, machine: Hash) -> Result<Self, StoreError> {
        let folder = Some(disk.create_folder_all(path)?);
        Ok(Self { folder, shown: path.to_path_buf(), machine, copy: String::new() })
    }

    /// The same for work on the copy of a vault that lies there.
    #[must_use]
    pub fn of_copy(self, vault: &Path) -> Self {
        Self { copy: records::copy_at(vault), ..self }
    }

    /// The vaults that are trusted here.
    pub fn pins(&self) -> Result<Vec<VaultId>, StoreError> {
        let vaults = self.names(None)?.into_iter().filter_map(|name| VaultId::from_hex(&name));
        let mut pinned = Vec::new();
        for vault in vaults {
            if self.is_pinned(&vault)? {
                pinned.push(vault);
            }
        }
        Ok(pinned)
    }

    /// Whether a vault is trusted here.
    pub fn is_pinned(&self, vault: &VaultId) -> Result<bool, StoreError> {
        match self.folder() {
            Ok(folder) => folder.exists(&below(&Self::of(vault), "pinned")),
            Err(_) => Ok(false),
        }
    }

    /// Trusts a vault from now on.
    pub fn pin(&self, vault: &VaultId) -> Result<(), StoreError> {
        self.write_new(&below(&Self::of(vault), "pinned"), b"amparo.v1/pinned\n")
    }

    /// Whether the person at this device agreed to the readers of a key.
    pub fn is_confirmed(&self, vault: &VaultId, key: &KeyId) -> Result<bool, StoreError> {
        match self.folder() {
            Ok(folder) => folder.exists(&Self::confirmed(vault, key)),
            Err(_) => Ok(false),
        }
    }

    /// Remembers that the person at this device agreed to the readers of a key.
    pub fn confirm(&self, vault: &VaultId, key: &KeyId) -> Result<(), StoreError> {
        self.write_new(&Self::confirmed(vault, key), b"amparo.v1/confirmed\n")
    }

    /// The largest signed state of each log that this device has seen, of those that are what their names promise.
    pub fn seen(&self, vault: &VaultId) -> Result<Vec<(LogId, Vec<u8>)>, StoreError> {
        Ok(self.remembered(vault)?.into_iter().filter_map(|seen| Some((seen.log, seen.note?))).collect())
    }

    /// The logs of which it remembers any state.
    pub fn remembered(&self, vault: &VaultId) -> Result<Vec<Seen>, StoreError> {
        let mut remembered = Vec::new();
        for name in self.names(Some(&below(&Self::of(vault), "seen")))? {
            let Some(log) = LogId::from_hex(&name) else { continue };
            let within = below(&below(&Self::of(vault), "seen"), &name);
            let (mut note, mut spoilt) = (None, None);
            for name in self.states(&within)?.into_iter().rev() {
                let bytes = self.folder()?.read(&below(&within, &name.to_string()), SMALL_BYTES_MAX)?;
                if Hash::of(&bytes) == name.sha256 {
                    note = Some(bytes);
                    break;
                }
                spoilt = spoilt.or(Some(name.size));
            }
            remembered.push(Seen { log, note, spoilt });
        }
        Ok(remembered)
    }

    /// The states of a log that are remembered, by name, the largest last.
    fn states(&self, within: &RelPath) -> Result<Vec<CheckpointName>, StoreError> {
        let names = self.names(Some(within))?;
        let mut states: Vec<CheckpointName> = names.iter().filter_map(|name| CheckpointName::parse(name)).collect();
        states.sort_unstable_by_key(|name| name.size);
        Ok(states)
    }

    /// The size of the largest state of a log that this device has seen; 0 for none.
    pub fn seen_size(&self, vault: &VaultId, log: &LogId) -> Result<u64, StoreError> {
        let within = below(&below(&Self::of(vault), "seen"), &log.to_string());
        Ok(self.states(&within)?.last().map_or(0, |name| name.size))
    }

    /// Whether the last change of an own log is not known to be durable in the vault: no state of it was remembered since.
    pub fn is_uncertain(&self, vault: &VaultId, log: &LogId) -> Result<bool, StoreError> {
        let size = self.last_change(vault, log)?.map_or(0, |(size, _)| size);
        Ok(self.seen_size(vault, log)? < size)
    }

    /// Remembers a signed state, and forgets smaller ones of the same log.
    pub fn remember(&self, vault: &VaultId, log: &LogId, size: u64, note: &[u8]) -> Result<(), StoreError> {
        let within = below(&below(&Self::of(vault), "seen"), &log.to_string());
        let name = CheckpointName { size, sha256: Hash::of(note) };
        self.write_new(&below(&within, &name.to_string()), note)?;
        for older in self.names(Some(&within))?.iter().filter_map(|name| CheckpointName::parse(name)) {
            if older.size < size {
                self.folder()?.remove(&below(&within, &older.to_string()))?;
            }
        }
        Ok(())
    }

    /// The logs of `member` that are written from this very machine.
    pub fn own_logs(&self, vault: &VaultId, member: &MemberId) -> Result<Vec<LogId>, StoreError> {
        let (owner, mut own) = (self.owner_text(member), Vec::new());
        for name in self.names(Some(&below(&Self::of(vault), "own")))? {
            let Some(log) = LogId::from_hex(&name) else { continue };
            match self.folder()?.read(&below(&Self::own(vault, &log), "owner"), SMALL_BYTES_MAX) {
                Ok(text) if text == owner.as_bytes() => own.push(log),
                Ok(_) | Err(StoreError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(own)
    }

    /// Begins to write a log from this machine.
    pub fn begin_log(&self, vault: &VaultId, log: &LogId, member: &MemberId) -> Result<(), StoreError> {
        self.write_new(&below(&Self::own(vault, log), "owner"), self.owner_text(member).as_bytes())
    }

    /// The last change of an own log, with the size that it brings the log to. A torn one was never begun in the vault.
    pub fn last_change(&self, vault: &VaultId, log: &LogId) -> Result<Option<(u64, Change)>, StoreError> {
        let within = Self::own(vault, log);
        let mut sizes: Vec<u64> = self.names(Some(&within))?.iter().filter_map(|name| name.parse().ok()).collect();
        sizes.sort_unstable();
        while let Some(size) = sizes.pop() {
            let bytes = self.folder()?.read(&below(&within, &size_name(size)), CHANGE_BYTES_MAX)?;
            if let Some(change) = read_change(&bytes) {
                return Ok(Some((size, change)));
            }
            self.folder()?.remove(&below(&within, &size_name(size)))?;
        }
        Ok(None)
    }

    /// Writes down, durably, the change that brings an own log to `size`; earlier ones but the last are forgotten.
    pub fn prepare(&self, vault: &VaultId, log: &LogId, size: u64, change: &Change) -> Result<(), StoreError> {
        let within = Self::own(vault, log);
        self.write_new(&below(&within, &size_name(size)), &change_bytes(change))?;
        for older in self.names(Some(&within))?.iter().filter_map(|name| name.parse::<u64>().ok()) {
            if older + 1 < size {
                self.folder()?.remove(&below(&within, &size_name(older)))?;
            }
        }
        Ok(())
    }

    fn of(vault: &VaultId) -> RelPath {
        RelPath::parse(vault.to_string()).expect("hex digits are a name")
    }

    fn confirmed(vault: &VaultId, key: &KeyId) -> RelPath {
        below(&below(&Self::of(vault), "confirmed"), &key.to_string())
    }

    fn own(vault: &VaultId, log: &LogId) -> RelPath {
        below(&below(&Self::of(vault), "own"), &log.to_string())
    }

    fn owner_text(&self, member: &MemberId) -> String {
        format!("amparo.v1/own\nmachine {}\nmember {member}\n", self.machine)
    }

    fn folder(&self) -> Result<&dyn Folder, StoreError> {
        self.folder.as_deref().ok_or_else(|| StoreError::Missing { path: self.shown.clone() })
    }

    fn names(&self, path: Option<&RelPath>) -> Result<Vec<String>, StoreError> {
        match self.folder().and_then(|folder| folder.list(path)) {
            Ok(items) => Ok(items.into_iter().filter_map(|item| item.name.into_string().ok()).collect()),
            Err(StoreError::Missing { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Writes and syncs; what is already there in the same bytes stays.
    fn write_new(&self, path: &RelPath, bytes: &[u8]) -> Result<(), StoreError> {
        match self.folder()?.create(path, bytes, Mode::Private) {
            Err(StoreError::Exists { .. }) => {
                if self.folder()?.read(path, CHANGE_BYTES_MAX)? == bytes {
                    return Ok(());
                }
                // A crash tore it: what stands there was never acted upon.
                self.folder()?.remove(path)?;
                self.folder()?.create(path, bytes, Mode::Private)?;
            }
            other => other?,
        }
        // What looks remembered and may be gone after a power cut is taken back: the next command must not rely on it.
        self.folder()?
            .sync(std::slice::from_ref(path))
            .inspect_err(|_| drop(self.folder().map(|folder| folder.remove(path))))
    }
}

/// Whether the memory has such a name for a file.
pub fn is_named(path: &str) -> bool {
    let names = |name: &str| {
        let parts: Vec<&str> = name.split('-').collect();
        (2..=3).contains(&parts.len()) && parts.iter().all(|part| part.len() == 16 && unhex::<8>(part).is_some())
    };
    let is_log = |name: &str| LogId::from_hex(name).is_some();
    let parts = path.split('/').collect::<Vec<_>>();
    let is_vault = parts.first().is_some_and(|vault| VaultId::from_hex(vault).is_some());
    is_vault
        && match parts[1..] {
            ["pinned"] => true,
            ["confirmed", key] => KeyId::from_hex(key).is_some(),
            ["seen", log, name] => is_log(log) && CheckpointName::parse(name).is_some(),
            ["own", log, name] => is_log(log) && (name == "owner" || is_size_name(name)),
            ["wrote" | "merging" | "arrived" | "merged", name] => names(name),
            _ => false,
        }
}

/// A path of this module's own making, or below what a listing gave.
fn below(path: &RelPath, name: &str) -> RelPath {
    path.join(name).expect("digits, words, and names that were listed")
}

fn size_name(size: u64) -> String {
    format!("{size:010}")
}

fn is_size_name(name: &str) -> bool {
    name.parse().is_ok_and(|size| size_name(size) == name)
}

fn change_bytes(change: &Change) -> Vec<u8> {
    let mut bytes = rmp_serde::to_vec(change).expect("names and bytes");
    bytes.extend_from_slice(&Hash::of(&bytes).0);
    bytes
}

fn read_change(bytes: &[u8]) -> Option<Change> {
    let (change, hash) = bytes.split_last_chunk::<32>()?;
    if Hash::of(change).0 != *hash {
        return None;
    }
    rmp_serde::from_slice(change).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_writes_has_a_name_of_it_and_nothing_else_does() {
        let (vault, log, hash) = (VaultId(Hash::of(b"vault")), LogId([7; 16]), Hash::of(b"key"));
        let copy = records::copy_at(Path::new("/nowhere"));
        let named = [
            format!("{vault}/pinned"),
            format!("{vault}/confirmed/{hash}"),
            format!("{vault}/seen/{log}/{}", CheckpointName { size: 3, sha256: hash }),
            format!("{vault}/own/{log}/owner"),
            format!("{vault}/own/{log}/{}", size_name(12)),
            format!("{vault}/merging/{copy}-{copy}"),
            format!("{vault}/wrote/{copy}-{copy}-{copy}"),
        ];
        for path in named {
            assert!(is_named(&path), "{path}");
            assert!(!is_named(&format!("{path}x")) && !is_named(&format!("x{path}")), "{path}");
        }
        let strange = [
            "pinned".into(),
            format!("{vault}/owl.age"),
            format!("{vault}/own/{log}/12"),
            format!("{vault}/wrote/{copy}"),
            format!("{vault}/confirmed/owl.age"),
        ];
        assert!(!strange.iter().any(|path| is_named(path)));
    }
}
