//! What a search of this device would find, and what each thing would open: the people's keys and papers, vaults, what
//! this device and its other programs remember, what the system leaves. Nothing is changed, and no trace is left.
//!
//! In two steps, because passphrases are asked in between: [`search`] looks, [`Search::judge`] tries what it found.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::device::gather::{Gathered, Places, gather};
use super::device::reach::{self, Tried, Vaults};
use super::device::{Fact, Find, Home, Kind, NotLooked, Opens, machine, traces};
use super::{Setting, VaultError, survey};
use crate::format::ids::VaultId;
use crate::store::memory::Memory;
use crate::store::{Disk, StoreError};

/// Where to look.
pub struct SearchRequest<'a> {
    /// Where this person's identity lies, if there is one.
    pub identity: &'a Path,
    /// What this device remembers.
    pub state: &'a Path,
    /// The vault at hand, if there is one.
    pub vault: Option<&'a Path>,
    /// Files and folders to look through; each must be there.
    pub named: &'a [PathBuf],
    /// Folders that are looked through in any case, if they are there.
    pub always: &'a [PathBuf],
    /// Where other programs keep what they remember.
    pub home: Option<&'a Home>,
}

/// What a search found before any key was tried.
pub struct Search {
    gathered: Gathered,
    identity: PathBuf,
    state: PathBuf,
    pins: Vec<VaultId>,
    remembers: bool,
    others: Vec<Find>,
}

/// What a search of this device would find.
pub struct Border {
    /// Each thing, keys first.
    pub finds: Vec<Find>,
    /// Things that open nothing and were counted only.
    pub unlisted: u64,
    /// How many files were looked at.
    pub files: u64,
    /// Links that were not followed.
    pub links: u64,
    /// What was not looked at, as far as it is listed.
    pub skipped: Vec<NotLooked>,
    /// How much was not looked at.
    pub skipped_count: u64,
}

impl Border {
    /// Whether something here opens content, or is a key of which nobody can tell that it does not.
    pub fn opens_content(&self) -> bool {
        self.finds.iter().any(Find::may_open_content)
    }

    /// Whether everything was looked at that was to be.
    pub fn is_whole(&self) -> bool {
        self.skipped_count == 0
    }

    /// The keys on this device, of whatever reach.
    pub fn keys(&self) -> impl Iterator<Item = &Find> {
        self.finds.iter().filter(|find| find.kind.is_key())
    }
}

/// Looks through this device.
pub fn search(setting: &mut Setting<'_>, request: &SearchRequest<'_>) -> Result<Search, VaultError> {
    let disk = setting.disk;
    let mut known = vec![request.identity.to_path_buf()];
    known.extend(request.vault.map(Path::to_path_buf));
    known.extend_from_slice(request.always);
    let places = Places { known: &known, named: request.named, state: request.state };
    let mut gathered = gather(disk, setting.watch, &places)?;
    let memory = Memory::open(disk, request.state, setting.machine)?;
    let mut others = Vec::new();
    if let Some(home) = request.home {
        let (finds, failed) = traces::traces(disk, home, &gathered.vaults);
        others.extend(finds);
        gathered.skipped_count += failed.len() as u64;
        let failed = failed
            .into_iter()
            .map(|error: StoreError| NotLooked { path: error.path().to_path_buf(), reason: error.to_string() });
        gathered.skipped.extend(failed);
    } else {
        gathered.skipped_count += 1;
        let reason = "where your home folder is could not be told: set HOME".into();
        gathered.skipped.push(NotLooked { path: "~".into(), reason });
    }
    others.extend(machine::leaks(disk).into_iter().map(Find::leak));
    Ok(Search {
        gathered,
        identity: request.identity.to_path_buf(),
        state: request.state.to_path_buf(),
        pins: memory.pins()?,
        remembers: disk.stat(request.state).is_ok(),
        others,
    })
}

impl Search {
    /// Files under a passphrase, to be asked for.
    pub fn locked(&self) -> Vec<PathBuf> {
        self.gathered.locked.iter().map(|(path, _)| path.clone()).collect()
    }

    /// Tries each key on each vault. `passphrases` stand beside the files that [`Search::locked`] names, in its order.
    pub fn judge(
        self,
        setting: &mut Setting<'_>,
        passphrases: &[Option<Zeroizing<String>>],
    ) -> Result<Border, VaultError> {
        let Self { gathered, identity, state, pins, remembers, others } = self;
        let here: Vec<(PathBuf, BTreeSet<VaultId>)> =
            gathered.vaults.iter().map(|vault| (vault.clone(), ids(setting.disk, vault))).collect();
        let elsewhere = pins.iter().filter(|pin| !here.iter().any(|(_, ids)| ids.contains(pin))).count();
        let vaults = Vaults { state: &state, here: &here, elsewhere };
        let (mut finds, mut tried) = (Vec::new(), Tried::default());
        for (path, kind) in &gathered.keys {
            stop_if_asked(setting)?;
            finds.push(vaults.bare(setting, path, *kind, &mut tried));
        }
        for (number, (path, _)) in gathered.locked.iter().enumerate() {
            stop_if_asked(setting)?;
            let passphrase = passphrases.get(number).and_then(Option::as_ref).map(|words| words.as_str());
            finds.push(vaults.locked(setting, path, *path == identity, passphrase, &mut tried));
        }
        let all_opened = finds.iter().chain(&gathered.finds).all(|find| match find.fact {
            Fact::Key { .. } => true,
            _ => !find.kind.is_key(),
        });
        for file in &gathered.age_files {
            finds.push(Vaults::age_file(setting.disk, file, &mut tried, all_opened));
        }
        for (vault, ids) in &here {
            let known = ids.iter().any(|id| pins.contains(id));
            finds.push(Find {
                kind: Kind::Vault,
                path: vault.clone(),
                opens: Opens::Nothing,
                fact: Fact::Vault { known },
            });
        }
        if remembers {
            let fact = Fact::State { vaults: pins };
            finds.push(Find { kind: Kind::State, path: state.clone(), opens: Opens::Nothing, fact });
        }
        finds.extend(gathered.finds);
        for find in finds.iter().filter(|find| find.kind == Kind::Words) {
            tried.shares.written(setting.disk, &find.path);
        }
        let met = tried.shares.met();
        for find in finds.iter_mut().filter(|find| find.kind.is_key()) {
            if let Some(sections) = met.get(find.path.as_path()) {
                find.open_together(sections.iter().map(ToString::to_string).collect());
            }
        }
        finds.extend(others);
        finds.sort_by(|one, other| (one.kind, &one.path).cmp(&(other.kind, &other.path)));
        Ok(Border {
            finds,
            unlisted: gathered.unlisted,
            files: gathered.files,
            links: gathered.links,
            skipped: gathered.skipped,
            skipped_count: gathered.skipped_count,
        })
    }
}

fn stop_if_asked(setting: &Setting<'_>) -> Result<(), VaultError> {
    if setting.watch.stopped() { Err(VaultError::Stopped) } else { Ok(()) }
}

/// The ids that a vault could have; none where it cannot be looked into.
fn ids(disk: &dyn Disk, vault: &Path) -> BTreeSet<VaultId> {
    let surveyed = disk.folder(vault).map_err(VaultError::from).and_then(|folder| survey::survey(&*folder));
    surveyed.map(|survey| reach::ids(&survey)).unwrap_or_default()
}
