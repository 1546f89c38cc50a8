//! What is to be sealed: files, folders, standard input. Folders are walked without following a link; whatever is no
//! regular file is skipped and listed with its reason, never silently.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::index::{FolderRef, Index};
use crate::format::listing::FILES_MAX;
use crate::store::{Disk, FileId, Item, Kind, StoreError};
use crate::vault::{Stage, VaultError, Watch};

/// Deeper folders are skipped: no path to them could be stored.
const DEPTH_MAX: usize = 64;
const OWN: &str = "it is amparo's own: the vault, what this device remembers, or the identity";

/// Something that was not sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its path as the person would name it, raw.
    pub path: Vec<u8>,
    /// Why.
    pub reason: Cow<'static, str>,
}

/// One file to be read.
#[derive(Clone, Debug)]
pub(super) struct SourceFile {
    /// Where it lies.
    pub(super) path: PathBuf,
    /// Its raw path below the folder that is sealed together, or its raw name.
    pub(super) name: Vec<u8>,
    pub(super) bytes: u64,
}

/// What becomes one exhibit.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// A file.
    File(SourceFile),
    /// A folder sealed as one, its files in the order of the payload.
    Folder {
        path: PathBuf,
        name: Vec<u8>,
        files: Vec<SourceFile>,
        /// How much of what lies in it was not taken: links, devices, what could not be looked at.
        skipped: u64,
    },
    /// Standard input.
    Input,
}

impl Piece {
    /// About how many bytes its content has.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::File(file) => file.bytes,
            Self::Folder { files, .. } => files.iter().map(|file| file.bytes).sum(),
            Self::Input => u64::MAX,
        }
    }

    /// What the person called it, raw.
    pub(super) fn shown(&self) -> Vec<u8> {
        match self {
            Self::File(file) => file.path.as_os_str().as_bytes().to_vec(),
            Self::Folder { path, .. } => path.as_os_str().as_bytes().to_vec(),
            Self::Input => b"-".to_vec(),
        }
    }
}

/// Looks through what the person named. What is found stands in the order in which it is sealed: small ones first.
pub(super) fn look(
    disk: &dyn Disk,
    watch: &dyn Watch,
    paths: &[PathBuf],
    together: bool,
    own: &[Option<&Path>],
) -> Result<(Index, Vec<Skipped>), VaultError> {
    watch.begin(Stage::Looking, None);
    let own = own.iter().flatten().filter_map(|path| disk.stat(path).ok()).map(|stat| stat.id());
    let mut walk = Walk { disk, watch, skipped: Vec::new(), own: own.collect(), found: Index::default() };
    for path in paths {
        if path == Path::new("-") {
            walk.found.add_input();
            continue;
        }
        // What a person names must be there; what only lies in a folder may turn out to be unfit.
        let stat = disk.stat(path)?;
        if walk.own.contains(&stat.id()) {
            walk.skip(path, OWN);
            continue;
        }
        match stat.kind {
            Kind::File => walk.found.add_named_file(path, stat.bytes),
            Kind::Folder => walk.named_folder(path, together)?,
            kind => walk.skip(path, unfit(kind)),
        }
    }
    walk.found.sort();
    Ok((walk.found, walk.skipped))
}

struct Walk<'a> {
    disk: &'a dyn Disk,
    watch: &'a dyn Watch,
    skipped: Vec<Skipped>,
    /// The vault, the device's memory and the identity.
    own: BTreeSet<FileId>,
    found: Index,
}

impl Walk<'_> {
    fn named_folder(&mut self, path: &Path, together: bool) -> Result<(), VaultError> {
        let (before, skipped_before) = (self.found.mark(), self.skipped.len());
        let root = self.found.named_folder(path);
        self.folder(root, path, 0)?;
        match self.found.files_since(&before) {
            // Beside what else is listed of it, where that says why.
            0 if together || self.skipped.len() == skipped_before => self.skip(path, "the folder holds no file"),
            _ if !together => {}
            files if files > FILES_MAX => {
                self.found.give_up_since(&before);
                let message = "it holds more than 100,000 files, too many for one exhibit; seal it without --together";
                self.skip(path, message);
            }
            _ => self.found.join_since(&before, root, (self.skipped.len() - skipped_before) as u64),
        }
        Ok(())
    }

    fn folder(&mut self, folder: FolderRef, path: &Path, depth: usize) -> Result<(), VaultError> {
        if self.watch.stopped() {
            return Err(VaultError::Stopped);
        }
        let items = match self.disk.list_source(path) {
            Ok(items) => items,
            // Listed, whether it was named or lies in one that was: what can be sealed is sealed.
            Err(error) => {
                self.skip(path, refusal(&error));
                return Ok(());
            }
        };
        for item in items {
            self.item(folder, path, depth, &item)?;
        }
        Ok(())
    }

    fn item(&mut self, folder: FolderRef, within: &Path, depth: usize, item: &Item) -> Result<(), VaultError> {
        let path = within.join(&item.name);
        // What could not be looked up when it was listed may say why now.
        let looked_up = match item.id {
            Some(id) => Ok((id, item.bytes)),
            None => self.disk.stat(&path).map(|stat| (stat.id(), stat.bytes)),
        };
        if looked_up.as_ref().is_ok_and(|(id, _)| self.own.contains(id)) {
            self.skip(&path, OWN);
            return Ok(());
        }
        match item.kind {
            Kind::File => match looked_up {
                Ok((_, bytes)) => self.found.add_file(folder, item.name.as_bytes(), bytes),
                Err(error) => self.skip(&path, refusal(&error)),
            },
            Kind::Folder if depth >= DEPTH_MAX => self.skip(&path, "the folder is nested too deeply"),
            Kind::Folder => {
                let below = self.found.folder(folder, item.name.as_bytes());
                self.folder(below, &path, depth + 1)?;
            }
            kind => self.skip(&path, unfit(kind)),
        }
        Ok(())
    }

    fn skip(&mut self, path: impl AsRef<OsStr>, reason: impl Into<Cow<'static, str>>) {
        self.skipped.push(Skipped { path: path.as_ref().as_bytes().to_vec(), reason: reason.into() });
    }
}

fn unfit(kind: Kind) -> Cow<'static, str> {
    match kind {
        Kind::Link => "it is a link; links are not followed: name the file itself".into(),
        kind => format!("it is {kind}, not a file").into(),
    }
}

/// Why a source could not be read, without its path.
pub(super) fn refusal(error: &StoreError) -> Cow<'static, str> {
    match error {
        StoreError::Missing { .. } => "it was gone before it could be read".into(),
        StoreError::Denied { .. } => "no permission to read it".into(),
        StoreError::NotRegular { kind, .. } => unfit(*kind),
        StoreError::Link { .. } => unfit(Kind::Link),
        StoreError::Io { source, .. } => format!("it could not be read: {source}").into(),
        other => other.to_string().into(),
    }
}
