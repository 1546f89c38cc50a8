//! The mark of what is being made: a small file beside it, there before the first of its files and gone when all is said and
//! done. By it the same command clears what a kill or a power cut left, and whoever looks at the stick is told.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::pieces::Pieces;
use crate::crypto::hash::Hash;
use crate::store::{Disk, Folder, Kind, Lock, Mode, RelPath, StoreError};
use crate::vault::{Setting, VaultError};

/// What a mark stands for: only that is ever removed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marked {
    /// The file of that name.
    File,
    /// A pouch and its parity, each in one file or in volumes.
    Pouch,
}

impl Marked {
    const ALL: [Self; 2] = [Self::File, Self::Pouch];

    fn text(self) -> &'static str {
        match self {
            Self::File => "The file of this name is not finished: it is worth nothing.\n",
            Self::Pouch => "No file that begins with this name is finished: they are worth nothing.\n",
        }
    }

    /// Whether these are what a power cut left of such a mark: then none of the files was begun.
    fn is_torn_text(self, bytes: &[u8]) -> bool {
        let text = self.text().as_bytes();
        is_torn(bytes, text, text.len())
    }

    fn has(self, rest: &str) -> bool {
        let volume = rest.strip_prefix(".parity").unwrap_or(rest).strip_prefix('.');
        let is_number = |text: &str| text.len() >= 3 && text.bytes().all(|digit| digit.is_ascii_digit());
        rest.is_empty() || self == Self::Pouch && (rest == ".parity" || volume.is_some_and(is_number))
    }

    /// What lies there of it.
    fn files(self, folder: &dyn Folder, name: &RelPath) -> Result<Vec<RelPath>, StoreError> {
        let name = name.to_string();
        let is_part = |item: &str| item.strip_prefix(&name).is_some_and(|rest| self.has(rest));
        let items = folder.list(None)?.into_iter().filter(|item| item.kind == Kind::File);
        let parts = items.filter(|item| item.name.to_str().is_some_and(is_part));
        Ok(parts.filter_map(|item| RelPath::parse(item.name)).collect())
    }
}

/// Whether these can be what a power cut left of a file that begins with `start` and has at most so many bytes: what is there is
/// right, or zeros.
pub(super) fn is_torn(bytes: &[u8], start: &[u8], bytes_max: usize) -> bool {
    bytes.len() <= bytes_max && bytes.iter().zip(start).all(|(byte, right)| *byte == 0 || byte == right)
}

/// A mark that was set: dropped without [`Mark::lift`], it goes if the files went that it stands for, and else stays with them.
pub struct Mark {
    marked: Marked,
    place: PathBuf,
    folder: Arc<dyn Folder>,
    name: RelPath,
    path: RelPath,
    /// `None` where the file system has no locks.
    lock: Option<Box<dyn Lock>>,
    stays: Cell<bool>,
    /// Set for good: files may have been begun under it.
    stands: bool,
}

impl Mark {
    /// Marks the name of one file, and clears what an earlier run left under it, of which nothing is read. Refused where
    /// something lies there without a mark.
    pub fn file(disk: &dyn Disk, out: (&Path, &RelPath)) -> Result<Self, VaultError> {
        Self::set(disk, Marked::File, out, |_| false)
    }

    /// The same for a pouch; refused as well where it is whole and `done`: then nothing but this step was missing.
    pub(super) fn pouch(
        setting: &Setting<'_>,
        out: (&Path, &RelPath),
        done: impl FnOnce(Hash) -> bool,
    ) -> Result<Self, VaultError> {
        Self::set(setting.disk, Marked::Pouch, out, |files| sha256(setting, out.0, files).is_some_and(done))
    }

    fn set(
        disk: &dyn Disk,
        marked: Marked,
        (place, name): (&Path, &RelPath),
        is_done: impl FnOnce(&[RelPath]) -> bool,
    ) -> Result<Self, VaultError> {
        let folder = disk.folder(place)?;
        let path = path_of(name).ok_or_else(|| StoreError::BadPath { path: place.join(name) })?;
        let there = marked.files(&*folder, name)?;
        let exists = |file: &RelPath| VaultError::from(StoreError::Exists { path: place.join(file) });
        let found = read(&*folder, &path);
        let was_there = found.as_deref() == Some(marked.text().as_bytes());
        if !was_there {
            there.first().map_or(Ok(()), |first| Err(exists(first)))?;
            if found.is_some_and(|bytes| marked.is_torn_text(&bytes)) {
                folder.remove(&path)?;
            }
            folder.create(&path, marked.text().as_bytes(), Mode::Open)?;
        }
        let stays = Cell::new(was_there);
        let mut mark = Self {
            marked,
            place: place.to_path_buf(),
            folder,
            name: name.clone(),
            path,
            lock: None,
            stays,
            stands: false,
        };
        mark.folder.sync(std::slice::from_ref(&mark.path))?;
        mark.lock = match mark.folder.lock(&mark.path) {
            Err(locked @ StoreError::Locked { .. }) => {
                mark.stays.set(true);
                return Err(locked.into());
            }
            lock => lock.ok(),
        };
        if let Some(first) = there.first() {
            if is_done(&there) {
                mark.lift()?;
                return Err(exists(first));
            }
            mark.folder.remove_all(&there)?;
        }
        mark.stays.set(false);
        mark.stands = true;
        Ok(mark)
    }

    /// Where the file is made that it stands for.
    pub(super) fn place(&self) -> (&Path, &RelPath) {
        (&self.place, &self.name)
    }

    /// The mark itself.
    pub fn path(&self) -> &RelPath {
        &self.path
    }

    /// All that it stood for is durable, and said.
    pub(super) fn lift(&self) -> Result<(), VaultError> {
        self.stays.set(true);
        self.folder.remove_all(std::slice::from_ref(&self.path))?;
        Ok(())
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let are_gone = || self.marked.files(&*self.folder, &self.name).is_ok_and(|left| left.is_empty());
        // Gone for good first: after a power cut none of them comes back without its mark.
        if !self.stays.get() && are_gone() && (!self.stands || self.folder.sync(&[]).is_ok()) {
            // Where it cannot be removed, the next run does.
            let _ = self.folder.remove(&self.path);
        }
    }
}

/// Whether what lies under a name was never finished.
pub fn is_marked(disk: &dyn Disk, (place, name): (&Path, &RelPath)) -> bool {
    let bytes = disk.folder(place).ok().and_then(|folder| read(&*folder, &path_of(name)?));
    bytes.is_some_and(|bytes| Marked::ALL.into_iter().any(|marked| bytes == marked.text().as_bytes()))
}

fn path_of(name: &RelPath) -> Option<RelPath> {
    RelPath::parse(format!("{name}.unfinished"))
}

fn read(folder: &dyn Folder, path: &RelPath) -> Option<Vec<u8>> {
    let longest = Marked::ALL.into_iter().map(|marked| marked.text().len()).max().unwrap_or(0);
    folder.read(path, longest as u64).ok()
}

/// The SHA-256 of the pouch that lies in these files; `None` where they are none, or not a whole one.
fn sha256(setting: &Setting<'_>, place: &Path, files: &[RelPath]) -> Option<Hash> {
    let files: Vec<PathBuf> = files.iter().map(|file| place.join(file)).collect();
    let (condition, sha256) = Pieces::gather(setting.disk, &files).ok()?.look(setting.watch).ok()?;
    sha256.filter(|_| condition.damaged.is_empty())
}
