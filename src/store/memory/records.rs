//! What was begun and is not known to be done, as the device remembers it: names of files, and the ends of merges.

use std::collections::BTreeSet;
use std::path::Path;

use super::{CHANGE_BYTES_MAX, Change, Memory, below, change_bytes, read_change};
use crate::crypto::hash::{Hash, hex};
use crate::format::ids::{LogId, MemberId, VaultId};
use crate::store::{RelPath, StoreError, layout};

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
    /// Who began it, by the beginning of her id, where it is told.
    by: Option<String>,
}

impl Record {
    /// Whether it is this member's to clear: nobody else knows whether what she wrote is still to be signed for.
    pub fn is_left_by(&self, member: &MemberId) -> bool {
        self.by.as_ref() == Some(&beginning(member))
    }

    /// Whether it is about cosignatures, which nothing has to cover.
    pub fn is_of_cosignatures(&self) -> bool {
        !self.paths.is_empty() && self.paths.iter().all(layout::is_cosignature)
    }
}

/// Files in a vault that this device began to write and has not seen covered.
#[derive(Debug, Default)]
pub struct Unfinished {
    /// In the copy at hand: they may be torn here.
    here: BTreeSet<String>,
    /// In whatever copy: they are no strangers anywhere.
    pub anywhere: BTreeSet<String>,
}

impl Unfinished {
    /// Whether it may be torn in the copy at hand, and that is no damage.
    pub fn may_be_torn(&self, path: &RelPath) -> bool {
        self.here.contains(&path.to_string())
    }

    /// Whether this device wrote such a file, here or in another copy.
    pub fn has(&self, path: &RelPath) -> bool {
        self.anywhere.contains(&path.to_string())
    }

    fn extend(&mut self, is_here: bool, paths: impl Iterator<Item = RelPath>) {
        for path in paths.map(|path| path.to_string()) {
            if is_here {
                self.here.insert(path.clone());
            }
            self.anywhere.insert(path);
        }
    }
}

impl Memory {
    /// Writes down, durably, that files of these names are about to be written into the vault, by whom.
    pub fn intend(
        &self,
        vault: &VaultId,
        by: &MemberId,
        token: [u8; 8],
        paths: &[RelPath],
    ) -> Result<Intent, StoreError> {
        self.write_names(vault, "wrote", &format!("{}-{}", hex(&token), beginning(by)), paths)
    }

    /// As [`Memory::intend`], for what a merge is just writing: until it is synced and [arrived](Memory::arrive), any of it may
    /// be torn.
    pub fn intend_merge(&self, vault: &VaultId, token: [u8; 8], paths: &[RelPath]) -> Result<Intent, StoreError> {
        self.write_names(vault, "merging", &hex(&token), paths)
    }

    /// Writes down, durably, that files of these names came from another copy, whole, and that what covers them is on its way.
    pub fn arrive(&self, vault: &VaultId, paths: &[RelPath]) -> Result<Intent, StoreError> {
        let token = Hash::of(names_text(paths).as_bytes()).0;
        self.write_names(vault, "arrived", &hex(&token[..8]), paths)
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
        let path = self.record(vault, "merged", &hex(&token));
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
            let Some(bytes) = self.unless_forgotten(&path)? else { continue };
            let change = read_change(&bytes);
            merges.extend(change.map(|change| (Intent(path), change)));
        }
        Ok(merges)
    }

    fn write_names(&self, vault: &VaultId, room: &str, token: &str, paths: &[RelPath]) -> Result<Intent, StoreError> {
        let path = self.record(vault, room, token);
        self.write_new(&path, names_text(paths).as_bytes())?;
        Ok(Intent(path))
    }

    fn record(&self, vault: &VaultId, room: &str, token: &str) -> RelPath {
        below(&below(&Self::of(vault), room), &format!("{}-{token}", self.copy))
    }

    fn is_of_this_copy(&self, record: &str) -> bool {
        record.split_once('-').is_some_and(|(copy, _)| copy == self.copy)
    }

    fn names_of(&self, vault: &VaultId, room: &str) -> Result<Vec<Record>, StoreError> {
        let within = below(&Self::of(vault), room);
        let mut records = Vec::new();
        for name in self.names(Some(&within))? {
            let Some(text) = self.unless_forgotten(&below(&within, &name))? else { continue };
            // Only whole lines: what a power cut tore was not yet begun. And only names of the layout, digit for digit: a bit
            // that turned in a letter's case would name the same file, where the file system knows none, and nothing covers it.
            let text = String::from_utf8_lossy(&text);
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            let paths = whole.split('\n').filter(|line| layout::is_named(line)).filter_map(RelPath::parse).collect();
            let (intent, is_of_this_copy) = (Intent(below(&within, &name)), self.is_of_this_copy(&name));
            let by = name.split('-').nth(2).map(String::from);
            records.push(Record { intent, paths, is_of_this_copy, by });
        }
        Ok(records)
    }

    /// A record; `None` where another command, in another copy, forgot it just now.
    fn unless_forgotten(&self, path: &RelPath) -> Result<Option<Vec<u8>>, StoreError> {
        match self.folder()?.read(path, CHANGE_BYTES_MAX) {
            Err(StoreError::Missing { .. }) => Ok(None),
            bytes => Ok(Some(bytes?)),
        }
    }

    /// Forgets an intent.
    pub fn forget(&self, intent: &Intent) -> Result<(), StoreError> {
        self.folder()?.remove(&intent.0)
    }

    /// Files in the vault that are this device's own unfinished work.
    pub fn unfinished(&self, vault: &VaultId) -> Result<Unfinished, StoreError> {
        let mut unfinished = Unfinished::default();
        for record in self.intents(vault)?.into_iter().chain(self.arrivals(vault)?) {
            unfinished.extend(record.is_of_this_copy, record.paths.into_iter());
        }
        for name in self.names(Some(&below(&Self::of(vault), "own")))? {
            let Some(log) = LogId::from_hex(&name) else { continue };
            if let Some((_, change)) = self.last_change(vault, &log)? {
                unfinished.extend(true, change.files().map(|(path, _)| path));
            }
        }
        for (Intent(record), change) in self.merges_into(vault, |_| true)? {
            let is_here = record.name().to_str().is_some_and(|name| self.is_of_this_copy(name));
            unfinished.extend(is_here, change.files().map(|(path, _)| path));
        }
        Ok(unfinished)
    }
}

/// As much of a member's id as tells her from others at a device.
fn beginning(member: &MemberId) -> String {
    member.to_string().chars().take(16).collect()
}

/// A copy of a vault, by where it lies: where that is, nobody reads in it.
pub(super) fn copy_at(vault: &Path) -> String {
    let place = vault.canonicalize().or_else(|_| std::path::absolute(vault)).unwrap_or_else(|_| vault.to_path_buf());
    hex(&Hash::of(place.as_os_str().as_encoded_bytes()).0[..8])
}

fn names_text(paths: &[RelPath]) -> String {
    paths.iter().flat_map(|path| [path.to_string(), "\n".into()]).collect()
}
