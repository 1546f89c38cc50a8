//! What lies in a vault's folder, by name alone: the logs' files, the wrapped keys, and what has no business there.
//! Nothing is opened here but the hint in `VAULT`.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;

use super::VaultError;
use super::findings::{Check, Findings};
use super::parallel;
use crate::crypto::hash::Hash;
use crate::crypto::merkle;
use crate::format::ids::{KeyId, LogId, VaultId};
use crate::format::names::printable;
use crate::format::vault_file::{self, VaultFileError};
use crate::store::layout::{self, CheckpointName, EntryName};
use crate::store::{Folder, Item, Kind, RelPath, StoreError};

/// A folder of a vault with more names than this is refused: no honest one has them.
const NAMES_MAX: usize = 4_000_000;

/// Strangers that are named one by one in each folder: a report is for people, and a million names cost a courier nothing.
const STRANGERS_SHOWN_MAX: usize = 1_000;

/// The files of one log, as their names tell.
#[derive(Clone, Debug, Default)]
pub struct LogFiles {
    /// By place; more than one name at a place is two stories or a stranger's file.
    pub entries: BTreeMap<u64, Vec<EntryName>>,
    /// Signed heads, by size.
    pub checkpoints: Vec<CheckpointName>,
    /// Cosignatures and time-stamp replies.
    pub cosignatures: Vec<Hash>,
}

impl LogFiles {
    fn count(&self) -> usize {
        self.entries.values().map(Vec::len).sum::<usize>() + self.checkpoints.len() + self.cosignatures.len()
    }

    /// The leaves in the names from the first on, as far as each place has one name and no more.
    pub fn leaves(&self) -> Vec<Hash> {
        let sole = |seq| match self.entries.get(&seq).map(Vec::as_slice) {
            Some([one]) => Some(one.leaf),
            _ => None,
        };
        (0..).map_while(sole).collect()
    }

    /// The root over the first `size` of [`LogFiles::leaves`].
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        let leaves = self.leaves();
        leaves.get(..usize::try_from(size).ok()?).map(merkle::root)
    }
}

/// The names in a vault.
#[derive(Debug, Default)]
pub struct Survey {
    /// What the file `VAULT` says.
    pub hint: Option<VaultId>,
    /// Logs by id.
    pub logs: BTreeMap<LogId, LogFiles>,
    /// Wrapped files by key.
    pub keys: BTreeMap<KeyId, Vec<Hash>>,
    /// Names that the format does not give.
    pub findings: Findings,
    /// Folders that could not be listed: what lies in them is not known.
    pub unlisted: Vec<RelPath>,
}

/// Reads the hint: the one way to tell a vault from any other folder.
pub fn hint(folder: &dyn Folder) -> Result<VaultId, VaultError> {
    let bytes = match folder.read(&layout::vault_file(), 1024) {
        Err(StoreError::Missing { .. }) => return Err(VaultError::NotAVault),
        Err(StoreError::TooLarge { .. }) => return Err(VaultFileError::Malformed.into()),
        other => other?,
    };
    Ok(vault_file::parse(&bytes)?)
}

/// Lists everything but the blobs.
pub fn survey(folder: &dyn Folder) -> Result<Survey, VaultError> {
    let mut survey = Survey::default();
    match hint(folder) {
        Ok(id) => survey.hint = Some(id),
        Err(VaultError::NotAVault) => survey.findings.incomplete(Check::Vault, "VAULT", "the file is missing"),
        Err(VaultError::VaultFile(error @ VaultFileError::Newer { .. })) => return Err(error.into()),
        Err(error @ VaultError::VaultFile(_)) => survey.findings.invalid(Check::Vault, "VAULT", error.to_string()),
        Err(error) => survey.findings.incomplete(Check::Vault, "VAULT", error.to_string()),
    }
    for item in items(folder, None)? {
        match (item.name.to_str(), item.kind) {
            (Some("VAULT"), Kind::File) | (Some("blobs"), Kind::Folder) => {}
            (Some("keys"), Kind::Folder) => survey.keys(folder)?,
            (Some("logs"), Kind::Folder) => survey.logs(folder)?,
            _ => survey.stranger(None, &item),
        }
    }
    Ok(survey)
}

/// The blobs that lie there, in order. Strangers among them become findings.
pub fn blobs(folder: &dyn Folder, findings: &mut Findings) -> Result<Vec<Hash>, VaultError> {
    let mut survey = Survey::default();
    let mut found = Vec::new();
    survey.each(folder, &layout::blobs(), Kind::Folder, |survey, shelf, below| {
        if !is_shelf(shelf, 2, |digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
            return Ok(false);
        }
        survey.each(folder, below, Kind::File, |_, name, _| {
            let hash = Hash::from_hex(name).filter(|_| name.starts_with(shelf));
            found.extend(hash);
            Ok(hash.is_some())
        })?;
        Ok(true)
    })?;
    findings.extend(survey.findings);
    // Whatever order a folder lists them in: who looks one up divides them by two.
    found.sort_unstable();
    Ok(found)
}

impl Survey {
    /// How many files of logs and keys lie there.
    pub fn files(&self) -> u64 {
        let count =
            self.logs.values().map(LogFiles::count).sum::<usize>() + self.keys.values().map(Vec::len).sum::<usize>();
        count as u64
    }

    fn keys(&mut self, folder: &dyn Folder) -> Result<(), VaultError> {
        self.each(folder, &layout::keys(), Kind::Folder, |survey, name, below| {
            let Some(key) = KeyId::from_hex(name) else { return Ok(false) };
            survey.each(folder, below, Kind::File, |survey, name, _| {
                let file = name.strip_suffix(".age").and_then(Hash::from_hex);
                survey.keys.entry(key).or_default().extend(file);
                Ok(file.is_some())
            })?;
            Ok(true)
        })
    }

    fn logs(&mut self, folder: &dyn Folder) -> Result<(), VaultError> {
        let mut found = Vec::new();
        self.each(folder, &layout::logs(), Kind::Folder, |_, name, below| {
            let log = LogId::from_hex(name);
            found.extend(log.map(|log| (log, below.clone())));
            Ok(log.is_some())
        })?;
        // Each with a survey of its own: a vault of many logs is listed on all cores.
        let surveys = parallel::map(&found, |(_, below)| {
            let mut survey = Self::default();
            survey.log(folder, below).map(|files| (files, survey))
        });
        for ((log, _), surveyed) in found.into_iter().zip(surveys) {
            let (files, below) = surveyed?;
            self.findings.extend(below.findings);
            self.unlisted.extend(below.unlisted);
            // Empty folders mean nothing: a copier may leave them behind.
            if files.count() > 0 {
                self.logs.insert(log, files);
            }
        }
        Ok(())
    }

    fn log(&mut self, folder: &dyn Folder, within: &RelPath) -> Result<LogFiles, VaultError> {
        let mut files = LogFiles::default();
        self.each(folder, within, Kind::Folder, |survey, name, below| {
            match name {
                "entries" => survey.entries(folder, below, &mut files)?,
                "checkpoints" => survey.each(folder, below, Kind::File, |_, name, _| {
                    let checkpoint = CheckpointName::parse(name);
                    files.checkpoints.extend(checkpoint);
                    Ok(checkpoint.is_some())
                })?,
                "cosign" => survey.each(folder, below, Kind::File, |_, name, _| {
                    let hash = Hash::from_hex(name);
                    files.cosignatures.extend(hash);
                    Ok(hash.is_some())
                })?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(files)
    }

    fn entries(&mut self, folder: &dyn Folder, within: &RelPath, files: &mut LogFiles) -> Result<(), VaultError> {
        self.each(folder, within, Kind::Folder, |survey, shelf, below| {
            if !is_shelf(shelf, 8, |digit| digit.is_ascii_digit()) {
                return Ok(false);
            }
            survey.each(folder, below, Kind::File, |_, name, _| {
                let entry = EntryName::parse(name).filter(|entry| entry.shelf() == shelf);
                if let Some(entry) = entry {
                    files.entries.entry(entry.seq).or_default().push(entry);
                }
                Ok(entry.is_some())
            })?;
            Ok(true)
        })
    }

    /// Takes each item of a folder by its name and path; what is of another kind, or is not `taken`, is a stranger.
    fn each(
        &mut self,
        folder: &dyn Folder,
        within: &RelPath,
        kind: Kind,
        mut taken: impl FnMut(&mut Self, &str, &RelPath) -> Result<bool, VaultError>,
    ) -> Result<(), VaultError> {
        let mut strangers = 0_usize;
        let items = match items(folder, Some(within)) {
            Err(VaultError::Store(error)) => {
                self.findings.incomplete(Check::Layout, within.to_string(), error.to_string());
                self.unlisted.push(within.clone());
                return Ok(());
            }
            other => other?,
        };
        for item in items {
            let path = item.name.to_str().zip(within.join(&item.name)).filter(|_| item.kind == kind);
            let known = match path {
                Some((name, path)) => taken(self, name, &path)?,
                None => false,
            };
            if !known {
                strangers += 1;
                if strangers <= STRANGERS_SHOWN_MAX {
                    self.stranger(Some(within), &item);
                }
            }
        }
        if strangers > STRANGERS_SHOWN_MAX {
            let message = format!("{strangers} names here are none that a vault has; the first are listed");
            self.findings.incomplete(Check::Layout, within.to_string(), message);
        }
        Ok(())
    }

    fn stranger(&mut self, within: Option<&RelPath>, item: &Item) {
        let name = printable(item.name.as_bytes());
        let path = within.map_or_else(|| name.clone(), |within| format!("{within}/{name}"));
        self.findings.incomplete(
            Check::Layout,
            path,
            "a vault has nothing of this name; it was not looked at and is no evidence",
        );
    }
}

/// Whether a folder has a name of the format: what has none is not entered.
fn is_shelf(name: &str, digits: usize, is_digit: impl Fn(u8) -> bool) -> bool {
    name.len() == digits && name.bytes().all(is_digit)
}

/// The items of a folder of the vault; none where the folder is missing.
fn items(folder: &dyn Folder, path: Option<&RelPath>) -> Result<Vec<Item>, VaultError> {
    match folder.list(path) {
        Ok(items) if items.len() > NAMES_MAX => {
            Err(VaultError::TooMany { folder: path.map(ToString::to_string).unwrap_or_default() })
        }
        Ok(items) => Ok(items),
        Err(StoreError::Missing { .. }) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}
