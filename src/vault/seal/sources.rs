//! What is to be sealed: files, folders, standard input. Folders are walked without following a link; whatever is no
//! regular file is skipped and listed with its reason, never silently.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::format::listing::FILES_MAX;
use crate::store::{Disk, Item, Kind, Stat, StoreError};
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
    pub reason: String,
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
    Folder { path: PathBuf, name: Vec<u8>, files: Vec<SourceFile> },
    /// Standard input.
    Input,
}

impl Piece {
    /// About how many bytes its content has; small ones are sealed first.
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

/// Looks through what the person named.
pub(super) fn look(
    disk: &dyn Disk,
    watch: &dyn Watch,
    paths: &[PathBuf],
    together: bool,
    own: &[Option<&Path>],
) -> Result<(Vec<Piece>, Vec<Skipped>), VaultError> {
    watch.begin(Stage::Looking, None);
    let own = own.iter().flatten().filter_map(|path| disk.stat(path).ok()).map(|stat| (stat.device, stat.inode));
    let mut walk = Walk { disk, watch, skipped: Vec::new(), own: own.collect() };
    let mut pieces = Vec::new();
    for path in paths {
        if path == Path::new("-") {
            pieces.push(Piece::Input);
            continue;
        }
        // What a person names must be there; what only lies in a folder may turn out to be unfit.
        let stat = disk.stat(path)?;
        if walk.is_own(&stat) {
            walk.skip(path.as_os_str(), OWN);
            continue;
        }
        match stat.kind {
            Kind::File => {
                let name = path.file_name().unwrap_or(path.as_os_str()).as_bytes().to_vec();
                pieces.push(Piece::File(SourceFile { path: path.clone(), name, bytes: stat.bytes }));
            }
            Kind::Folder => {
                let mut files = Vec::new();
                walk.folder(path, &OsString::new(), 0, &mut files)?;
                walk.gather(path, files, together, &mut pieces);
            }
            kind => walk.skip(path.as_os_str(), unfit(kind)),
        }
    }
    pieces.sort_by_key(Piece::bytes);
    Ok((pieces, walk.skipped))
}

struct Walk<'a> {
    disk: &'a dyn Disk,
    watch: &'a dyn Watch,
    skipped: Vec<Skipped>,
    /// The vault, the device's memory and the identity, by device and inode.
    own: BTreeSet<(u64, u64)>,
}

impl Walk<'_> {
    fn gather(&mut self, path: &Path, files: Vec<SourceFile>, together: bool, pieces: &mut Vec<Piece>) {
        if !together {
            let own_names = files.into_iter().map(|file| {
                let name = file.path.file_name().unwrap_or(file.path.as_os_str()).as_bytes().to_vec();
                Piece::File(SourceFile { name, ..file })
            });
            pieces.extend(own_names);
        } else if files.len() > FILES_MAX {
            self.skip(
                path.as_os_str(),
                "it holds more than 100,000 files, too many for one exhibit; seal it without --together",
            );
        } else if files.is_empty() {
            self.skip(path.as_os_str(), "the folder holds no file");
        } else {
            let name = path.file_name().unwrap_or(OsStr::new("folder")).as_bytes().to_vec();
            pieces.push(Piece::Folder { path: path.to_path_buf(), name, files });
        }
    }

    fn folder(
        &mut self,
        root: &Path,
        below: &OsString,
        depth: usize,
        files: &mut Vec<SourceFile>,
    ) -> Result<(), VaultError> {
        if self.watch.stopped() {
            return Err(VaultError::Stopped);
        }
        let here = if below.is_empty() { root.to_path_buf() } else { root.join(below) };
        let items = match self.disk.list_source(&here) {
            Ok(items) => items,
            // Listed, whether it was named or lies in one that was: what can be sealed is sealed.
            Err(error) => {
                self.skip(here.as_os_str(), refusal(&error));
                return Ok(());
            }
        };
        for item in items {
            self.item(root, below, depth, &item, files)?;
        }
        Ok(())
    }

    fn item(
        &mut self,
        root: &Path,
        below: &OsString,
        depth: usize,
        item: &Item,
        files: &mut Vec<SourceFile>,
    ) -> Result<(), VaultError> {
        let mut name = below.clone();
        if !name.is_empty() {
            name.push("/");
        }
        name.push(&item.name);
        let path = root.join(&name);
        let stat = match self.disk.stat(&path) {
            Ok(stat) if self.is_own(&stat) => {
                self.skip(path.as_os_str(), OWN);
                return Ok(());
            }
            stat => stat,
        };
        match item.kind {
            Kind::File => match stat {
                Ok(stat) => files.push(SourceFile { path, name: name.into_vec(), bytes: stat.bytes }),
                Err(error) => self.skip(path.as_os_str(), refusal(&error)),
            },
            Kind::Folder if depth >= DEPTH_MAX => self.skip(path.as_os_str(), "the folder is nested too deeply"),
            Kind::Folder => self.folder(root, &name, depth + 1, files)?,
            kind => self.skip(path.as_os_str(), unfit(kind)),
        }
        Ok(())
    }

    fn is_own(&self, stat: &Stat) -> bool {
        self.own.contains(&(stat.device, stat.inode))
    }

    fn skip(&mut self, path: &OsStr, reason: impl Into<String>) {
        self.skipped.push(Skipped { path: path.as_bytes().to_vec(), reason: reason.into() });
    }
}

fn unfit(kind: Kind) -> String {
    match kind {
        Kind::Link => "it is a link; links are not followed: name the file itself".into(),
        kind => format!("it is {kind}, not a file"),
    }
}

/// Why a source could not be read, without its path.
pub(super) fn refusal(error: &StoreError) -> String {
    match error {
        StoreError::Missing { .. } => "it was gone before it could be read".into(),
        StoreError::Denied { .. } => "no permission to read it".into(),
        StoreError::NotRegular { kind, .. } => unfit(*kind),
        StoreError::Link { .. } => unfit(Kind::Link),
        StoreError::Io { source, .. } => format!("it could not be read: {source}"),
        other => other.to_string(),
    }
}
