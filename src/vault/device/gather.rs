//! Everything of this program, and every key, that lies in the places that were named: found by content, each once,
//! whatever it is called and by however many paths it is met.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::kinds::{self, Shape};
use super::walk::{Visit, Walk};
use super::{Fact, Find, KEY_FILE_BYTES_MAX, Kind, NotLooked, Opens};
use crate::format::ids::LogId;
use crate::format::vault_file::{self, VaultFileError};
use crate::store::{self, Disk, FileId, Item, StoreError, aside, layout, memory};
use crate::vault::{VaultError, Watch};

/// Things of one kind that open nothing are listed up to this many; the rest is counted.
const LISTED_MAX: usize = 50;
/// More than what a file `VAULT` holds: one that goes on behind that is another file.
const HINT_BYTES: usize = 1024;

/// What lies in the places that were looked through.
#[derive(Default)]
pub(in crate::vault) struct Gathered {
    /// What is judged by its kind alone.
    pub(in crate::vault) finds: Vec<Find>,
    /// Files in the clear that are identities, keys of vaults, or other keys.
    pub(in crate::vault) keys: Vec<(PathBuf, Kind)>,
    /// Files under a passphrase.
    pub(in crate::vault) locked: Vec<(PathBuf, u64)>,
    /// Files encrypted to keys, with their length.
    pub(in crate::vault) age_files: Vec<(PathBuf, u64)>,
    /// Vaults.
    pub(in crate::vault) vaults: Vec<PathBuf>,
    /// Finds that were counted and not listed.
    pub(in crate::vault) unlisted: u64,
    /// How many files were looked at.
    pub(in crate::vault) files: u64,
    /// Links that were not followed.
    pub(in crate::vault) links: u64,
    /// What was not looked at, as far as it is listed.
    pub(in crate::vault) skipped: Vec<NotLooked>,
    /// How much was not looked at.
    pub(in crate::vault) skipped_count: u64,
}

/// Where to look.
pub(in crate::vault) struct Places<'a> {
    /// Files and folders that are looked at if they are there.
    pub(in crate::vault) known: &'a [PathBuf],
    /// Folders and files that must be there.
    pub(in crate::vault) named: &'a [PathBuf],
    /// What this device remembers: judged apart. What else lies in its folder is looked at like anything.
    pub(in crate::vault) state: &'a Path,
}

/// Looks through places.
pub(in crate::vault) fn gather(
    disk: &dyn Disk,
    watch: &dyn Watch,
    places: &Places<'_>,
) -> Result<Gathered, VaultError> {
    let mut walk = Walk::new(disk, watch);
    let state = disk.stat_behind(places.state).ok().map(|stat| stat.id());
    let gathered = Gathered::default();
    let mut met = Met { disk, gathered, state, ours: BTreeMap::new(), seen: BTreeSet::new(), others: 0 };
    // What was named comes first: of that, the other files are counted.
    for place in places.named {
        met.others = 0;
        walk.through(place, &mut met)?;
        if met.others > 0 {
            let fact = Fact::Files { count: met.others };
            met.gathered.finds.push(Find::new(Kind::Files, place, Opens::Unknown, fact));
        }
    }
    for place in std::iter::once(places.state).chain(places.known.iter().map(PathBuf::as_path)) {
        match disk.stat(place) {
            Err(StoreError::Missing { .. } | StoreError::NotFolder { .. }) => {}
            _ => walk.through(place, &mut met)?,
        }
    }
    walk.end();
    let (files, links) = (walk.files, walk.links);
    Ok(Gathered { files, links, skipped: walk.skipped, skipped_count: walk.skipped_count, ..met.gathered })
}

/// What a walk has met.
struct Met<'a> {
    disk: &'a dyn Disk,
    gathered: Gathered,
    /// What this device remembers, by whatever path it is met.
    state: Option<FileId>,
    /// Folders in which files have names that this program gives.
    ours: BTreeMap<PathBuf, Layout>,
    /// Things that were noted, by device and number there.
    seen: BTreeSet<(FileId, bool)>,
    /// Files that concern nobody here.
    others: u64,
}

impl Visit for Met<'_> {
    fn folder(&mut self, path: &Path, items: &[Item]) -> Box<dyn Fn(&Item) -> bool> {
        if let Some(hint) = self.vault(path, items) {
            if self.is_new(path, true) {
                self.gathered.vaults.push(path.to_path_buf());
            }
            self.ours.insert(path.to_path_buf(), Layout::Vault { hint });
        }
        if self.state.is_some() && self.disk.stat(path).ok().map(|stat| stat.id()) == self.state {
            self.ours.insert(path.to_path_buf(), Layout::Memory);
        }
        // A vault's own files are judged as a vault, and so is a memory; what else lies there is looked at like anything.
        if let Some((layout, within)) = self.within(path) {
            return Box::new(move |item| {
                let own = item.name.to_str().filter(|_| item.kind == store::Kind::File);
                own.is_none_or(|name| !layout.names(&format!("{within}{name}")))
            });
        }
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if aside::beside(name).is_some_and(kinds::is_label) && self.is_new(path, false) {
            self.note(Kind::Temporary, path, Opens::Content, Fact::Nothing);
        }
        Box::new(|_| true)
    }

    fn file(&mut self, path: &Path, bytes: u64, start: &[u8]) {
        let Some(shape) = kinds::shape(path.file_name().unwrap_or_default(), start) else {
            self.others += 1;
            return;
        };
        let above = || path.parent().unwrap_or(path).to_path_buf();
        // An exhibit is its folder; a memory is the folder of a vault in it.
        let thing = match shape {
            Shape::Opened if path.file_name().is_some_and(|name| name == "record.json") => above(),
            Shape::Remembered => above(),
            _ => path.to_path_buf(),
        };
        if !self.is_new(&thing, false) {
            return;
        }
        let here = Fact::Encrypted { bytes, here: None, is_part: false };
        match shape {
            Shape::BareIdentity => self.gathered.keys.push((thing, Kind::Identity)),
            Shape::VaultKey => self.gathered.keys.push((thing, Kind::VaultKey)),
            Shape::AgeKey => self.gathered.keys.push((thing, Kind::AgeKey)),
            Shape::Locked if bytes <= KEY_FILE_BYTES_MAX => self.gathered.locked.push((thing, bytes)),
            Shape::Locked => self.note(Kind::LockedFile, &thing, Opens::Unknown, here),
            Shape::AgeFile => self.gathered.age_files.push((thing, bytes)),
            Shape::Words => self.note(Kind::Words, &thing, Opens::Unknown, Fact::Nothing),
            Shape::Opened => self.note(Kind::OpenedExhibit, &thing, Opens::Content, Fact::Nothing),
            Shape::Form(answered) => {
                let opens = if answered { Opens::Content } else { Opens::Nothing };
                self.note(Kind::Form, &thing, opens, Fact::Form { answered });
            }
            Shape::Card => self.note(Kind::Card, &thing, Opens::Nothing, Fact::Nothing),
            Shape::Receipt => self.note(Kind::Receipt, &thing, Opens::Nothing, Fact::Nothing),
            Shape::ShortReceipt => self.note(Kind::ShortReceipt, &thing, Opens::Nothing, Fact::Nothing),
            Shape::Cosignatures => self.note(Kind::Cosignatures, &thing, Opens::Nothing, Fact::Nothing),
            Shape::Report => self.note(Kind::Report, &thing, Opens::Custody, Fact::Nothing),
            Shape::Remembered => self.note(Kind::State, &thing, Opens::Nothing, Fact::Nothing),
            Shape::Document => self.note(Kind::Document, &thing, Opens::Nothing, Fact::Nothing),
            Shape::Core => self.note(Kind::CoreFile, &thing, Opens::Unknown, Fact::Nothing),
            Shape::EditorCopy => self.note(Kind::Temporary, &thing, Opens::Unknown, Fact::Nothing),
        }
    }
}

/// Whose names the files in a folder have.
#[derive(Clone, Copy)]
enum Layout {
    /// A vault's; `hint`: its file `VAULT` holds what it should and nothing else.
    Vault { hint: bool },
    /// Those of what this device remembers.
    Memory,
}

impl Layout {
    fn names(self, path: &str) -> bool {
        match self {
            Self::Vault { hint } => layout::is_named(path) && (hint || path != "VAULT"),
            Self::Memory => memory::is_named(path),
        }
    }
}

impl Met<'_> {
    /// Whether a folder is a vault: a file `VAULT` of this program lies in it, or logs under their names. If so, whether that
    /// file is as it should be.
    fn vault(&self, path: &Path, items: &[Item]) -> Option<bool> {
        let has = |name: &str, kind| items.iter().any(|item| item.name == name && item.kind == kind);
        let hint = if has("VAULT", store::Kind::File) {
            self.disk.read_start(&path.join("VAULT"), HINT_BYTES).unwrap_or_default()
        } else {
            Vec::new()
        };
        let parsed = vault_file::parse(&hint);
        let has_log = || {
            let logs = self.disk.folder(&path.join("logs")).and_then(|logs| logs.list(None)).unwrap_or_default();
            logs.iter().any(|log| log.name.to_str().is_some_and(|name| LogId::from_hex(name).is_some()))
        };
        let is_vault = matches!(parsed, Ok(_) | Err(VaultFileError::Newer { .. }))
            || has("logs", store::Kind::Folder) && has("keys", store::Kind::Folder) && has_log();
        is_vault.then_some(parsed.is_ok())
    }

    /// The nearest folder above with names of this program, and the path below it as it goes on with a name.
    fn within(&self, path: &Path) -> Option<(Layout, String)> {
        let (above, layout) = path.ancestors().find_map(|above| self.ours.get_key_value(above))?;
        let below = path.strip_prefix(above).ok()?.to_str()?;
        Some((*layout, if below.is_empty() { String::new() } else { format!("{below}/") }))
    }

    /// Whether a thing is met for the first time, by whatever path: as a vault, or as anything else, for one folder can be both.
    fn is_new(&mut self, path: &Path, as_vault: bool) -> bool {
        self.disk.stat(path).is_ok_and(|stat| self.seen.insert((stat.id(), as_vault)))
    }

    fn note(&mut self, kind: Kind, path: &Path, opens: Opens, fact: Fact) {
        let alike = self.gathered.finds.iter().filter(|find| find.kind == kind).count();
        if !matches!(opens, Opens::Content | Opens::Custody) && !kind.is_key() && alike >= LISTED_MAX {
            self.gathered.unlisted += 1;
        } else {
            self.gathered.finds.push(Find::new(kind, path, opens, fact));
        }
    }
}
