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
//! <vault id>/wrote/<copy>-<digits>      names of files about to be written, forgotten once a signed state covers them
//! <vault id>/merging/<copy>-<digits>    names of files that a merge is just writing: what is torn of them is ours
//! <vault id>/arrived/<copy>-<digits>    names of files that a merge brought, whole, forgotten once signed states cover them
//! <vault id>/merged/<copy>-<digits>     the signed states that end a merge, forgotten when they are durable
//! ```
//!
//! There can be several copies of a vault at one device. What was begun in one says nothing of the others: those records tell,
//! by 16 digits, where the folder lay that they are about.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::layout::CheckpointName;
use super::{Disk, Folder, Mode, RelPath, StoreError};
use crate::crypto::hash::{Hash, hex};
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

/// Names of files that this device is about to write; forgotten when a signed state covers them.
#[derive(Clone, Debug)]
pub struct Intent(RelPath);

/// An intent that is remembered.
#[derive(Clone, Debug)]
pub struct Record {
    /// What is forgotten with it.
    pub intent: Intent,
    /// The names.
    pub paths: Vec<RelPath>,
    /// Whether it is about the copy at hand, and not about another at this device.
    pub is_of_this_copy: bool,
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
        Self { copy: copy_at(vault), ..self }
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

    /// The largest signed state of each log that this device has seen.
    pub fn seen(&self, vault: &VaultId) -> Result<Vec<(LogId, Vec<u8>)>, StoreError> {
        let mut seen = Vec::new();
        for name in self.names(Some(&below(&Self::of(vault), "seen")))? {
            let Some(log) = LogId::from_hex(&name) else { continue };
            let within = below(&below(&Self::of(vault), "seen"), &name);
            let largest =
                self.names(Some(&within))?.iter().filter_map(|name| CheckpointName::parse(name)).max_by_key(|c| c.size);
            if let Some(name) = largest {
                seen.push((log, self.folder()?.read(&below(&within, &name.to_string()), SMALL_BYTES_MAX)?));
            }
        }
        Ok(seen)
    }

    /// The size of the largest state of a log that this device has seen; 0 for none.
    pub fn seen_size(&self, vault: &VaultId, log: &LogId) -> Result<u64, StoreError> {
        let within = below(&below(&Self::of(vault), "seen"), &log.to_string());
        let sizes = self.names(Some(&within))?.into_iter().filter_map(|name| CheckpointName::parse(&name));
        Ok(sizes.map(|name| name.size).max().unwrap_or(0))
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
        let owner = self.owner_text(member);
        let mut own = Vec::new();
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

    /// Writes down, durably, that files of these names are about to be written into the vault.
    pub fn intend(&self, vault: &VaultId, token: [u8; 8], paths: &[RelPath]) -> Result<Intent, StoreError> {
        self.write_names(vault, "wrote", token, paths)
    }

    /// As [`Memory::intend`], for what a merge is just writing: until it is synced and [arrived](Memory::arrive), any of it may
    /// be torn.
    pub fn intend_merge(&self, vault: &VaultId, token: [u8; 8], paths: &[RelPath]) -> Result<Intent, StoreError> {
        self.write_names(vault, "merging", token, paths)
    }

    /// Writes down, durably, that files of these names came from another copy, whole, and that what covers them is on its way.
    pub fn arrive(&self, vault: &VaultId, paths: &[RelPath]) -> Result<Intent, StoreError> {
        let token = Hash::of(names_text(paths).as_bytes()).0;
        self.write_names(vault, "arrived", *token.first_chunk().expect("32 bytes"), paths)
    }

    /// What this device itself began to write and has not seen covered.
    pub fn intents(&self, vault: &VaultId) -> Result<Vec<Record>, StoreError> {
        self.names_of(vault, "wrote")
    }

    /// What it began to take from another copy and has not seen covered.
    pub fn arrivals(&self, vault: &VaultId) -> Result<Vec<Record>, StoreError> {
        Ok([self.names_of(vault, "arrived")?, self.names_of(vault, "merging")?].concat())
    }

    /// Of these, what a merge was just writing into the copy at hand.
    pub fn merging(&self, vault: &VaultId) -> Result<Vec<Record>, StoreError> {
        let mut records = self.names_of(vault, "merging")?;
        records.retain(|record| record.is_of_this_copy);
        Ok(records)
    }

    /// Writes down, durably, the signed states that end a merge, before they appear in the vault.
    pub fn prepare_merge(&self, vault: &VaultId, token: [u8; 8], change: &Change) -> Result<Intent, StoreError> {
        let path = self.record(vault, "merged", token);
        self.write_new(&path, &change_bytes(change))?;
        Ok(Intent(path))
    }

    /// Ends of merges that may not have reached the copy at hand. A torn one was never begun there.
    pub fn merges(&self, vault: &VaultId) -> Result<Vec<(Intent, Change)>, StoreError> {
        self.merges_into(vault, |name| self.is_of_this_copy(name))
    }

    fn merges_into(&self, vault: &VaultId, which: impl Fn(&str) -> bool) -> Result<Vec<(Intent, Change)>, StoreError> {
        let within = below(&Self::of(vault), "merged");
        let mut merges = Vec::new();
        for name in self.names(Some(&within))?.into_iter().filter(|name| which(name)) {
            let path = below(&within, &name);
            let change = read_change(&self.folder()?.read(&path, CHANGE_BYTES_MAX)?);
            merges.extend(change.map(|change| (Intent(path), change)));
        }
        Ok(merges)
    }

    fn write_names(
        &self,
        vault: &VaultId,
        room: &str,
        token: [u8; 8],
        paths: &[RelPath],
    ) -> Result<Intent, StoreError> {
        let path = self.record(vault, room, token);
        self.write_new(&path, names_text(paths).as_bytes())?;
        Ok(Intent(path))
    }

    fn record(&self, vault: &VaultId, room: &str, token: [u8; 8]) -> RelPath {
        below(&below(&Self::of(vault), room), &format!("{}-{}", self.copy, hex(&token)))
    }

    fn is_of_this_copy(&self, record: &str) -> bool {
        record.split_once('-').is_some_and(|(copy, _)| copy == self.copy)
    }

    fn names_of(&self, vault: &VaultId, room: &str) -> Result<Vec<Record>, StoreError> {
        let within = below(&Self::of(vault), room);
        let mut records = Vec::new();
        for name in self.names(Some(&within))? {
            let text = match self.folder()?.read(&below(&within, &name), CHANGE_BYTES_MAX) {
                // Another command, in another copy, forgot it just now.
                Err(StoreError::Missing { .. }) => continue,
                text => text?,
            };
            // Only whole lines: the last may be torn, and what it names was then not yet begun.
            let text = String::from_utf8_lossy(&text);
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            let paths = whole.split('\n').filter_map(RelPath::parse).collect();
            let (intent, is_of_this_copy) = (Intent(below(&within, &name)), self.is_of_this_copy(&name));
            records.push(Record { intent, paths, is_of_this_copy });
        }
        Ok(records)
    }

    /// Forgets an intent.
    pub fn forget(&self, intent: &Intent) -> Result<(), StoreError> {
        self.folder()?.remove(&intent.0)
    }

    /// Files in the vault that are this device's own unfinished work, in whatever copy of it: they are no strangers there.
    pub fn unfinished(&self, vault: &VaultId) -> Result<BTreeSet<String>, StoreError> {
        let begun = self.intents(vault)?.into_iter().chain(self.arrivals(vault)?);
        let mut paths: BTreeSet<String> = begun.flat_map(|record| record.paths).map(|path| path.to_string()).collect();
        for name in self.names(Some(&below(&Self::of(vault), "own")))? {
            let Some(log) = LogId::from_hex(&name) else { continue };
            if let Some((_, change)) = self.last_change(vault, &log)? {
                paths.extend(change.files().map(|(path, _)| path.to_string()));
            }
        }
        for (_, change) in self.merges_into(vault, |_| true)? {
            paths.extend(change.files().map(|(path, _)| path.to_string()));
        }
        Ok(paths)
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

/// A path of this module's own making, or below what a listing gave.
fn below(path: &RelPath, name: &str) -> RelPath {
    path.join(name).expect("digits, words, and names that were listed")
}

/// A copy of a vault, by where it lies: where that is, nobody reads in it.
fn copy_at(vault: &Path) -> String {
    let place = vault.canonicalize().or_else(|_| std::path::absolute(vault)).unwrap_or_else(|_| vault.to_path_buf());
    hex(&Hash::of(place.as_os_str().as_encoded_bytes()).0[..8])
}

fn names_text(paths: &[RelPath]) -> String {
    paths.iter().flat_map(|path| [path.to_string(), "\n".into()]).collect()
}

fn size_name(size: u64) -> String {
    format!("{size:010}")
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
