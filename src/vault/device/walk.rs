//! Looking through folders that may be anybody's and of any size: bounded in depth and number, never through a link,
//! never waiting for a pipe, reading no more of a file than what tells it. What was not looked at is always told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::kinds::START_BYTES;
use crate::store::{Disk, FileId, Item, Kind, Stat, StoreError};
use crate::vault::{Stage, VaultError, Watch};

/// Deeper folders are not looked into: nobody keeps files there, and a hostile medium has no bottom.
const DEPTH_MAX: usize = 64;
/// Files and folders that are looked at in one run.
const ITEMS_MAX: u64 = 1_000_000;
/// What was not looked at is listed up to this many; the rest is counted.
const SKIPPED_SHOWN_MAX: usize = 100;

/// Something that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotLooked {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// A walk, and what it has met so far.
pub(super) struct Walk<'a> {
    disk: &'a dyn Disk,
    watch: &'a dyn Watch,
    items_max: u64,
    /// Folders that were entered, and files that were named: by device and number there.
    entered: BTreeSet<FileId>,
    /// What leads elsewhere: told at the end, unless that place was looked through by another way.
    elsewhere: Vec<(PathBuf, Option<FileId>, String)>,
    /// Files that were looked at.
    pub(super) files: u64,
    /// What was not, as far as it is listed.
    pub(super) skipped: Vec<NotLooked>,
    /// How much was not looked at, whether listed or not.
    pub(super) skipped_count: u64,
    /// Links deeper inside that were not followed.
    pub(super) links: u64,
    looked: u64,
}

/// What is told of each thing that a walk meets.
pub(super) trait Visit {
    /// A folder, with what it holds. Items for which this is false are not looked at.
    fn folder(&mut self, path: &Path, items: &[Item]) -> Box<dyn Fn(&Item) -> bool>;
    /// A regular file, with its length and its first bytes.
    fn file(&mut self, path: &Path, bytes: u64, start: &[u8]);
}

impl<'a> Walk<'a> {
    pub(super) fn new(disk: &'a dyn Disk, watch: &'a dyn Watch) -> Self {
        watch.begin(Stage::Looking, None);
        Self {
            disk,
            watch,
            items_max: ITEMS_MAX,
            entered: BTreeSet::new(),
            elsewhere: Vec::new(),
            files: 0,
            skipped: Vec::new(),
            skipped_count: 0,
            links: 0,
            looked: 0,
        }
    }

    /// Looks at a file, or through a folder and all below it.
    pub(super) fn through(&mut self, root: &Path, visit: &mut dyn Visit) -> Result<(), VaultError> {
        let stat = self.disk.stat(root)?;
        match stat.kind {
            Kind::File => {
                self.file(root, visit);
                self.entered.insert(stat.id());
            }
            Kind::Folder => self.folders(root, stat.device, visit)?,
            Kind::Link => self.link(root),
            kind => self.skip(root, format!("it is {kind}")),
        }
        Ok(())
    }

    /// Nothing more is looked through: what leads to places that were not looked through is told.
    pub(super) fn end(&mut self) {
        for (path, id, reason) in std::mem::take(&mut self.elsewhere) {
            if id.is_none_or(|id| !self.entered.contains(&id)) {
                self.skip(&path, reason);
            }
        }
    }

    fn folders(&mut self, root: &Path, device: u64, visit: &mut dyn Visit) -> Result<(), VaultError> {
        let mut open = vec![(root.to_path_buf(), 0)];
        while let Some((folder, depth)) = open.pop() {
            if self.watch.stopped() {
                return Err(VaultError::Stopped);
            }
            let items = match self.enter(&folder, device) {
                Ok(Some(items)) => items,
                Ok(None) => continue,
                // What vanishes meanwhile is not there to be found.
                Err(StoreError::Missing { .. }) if depth > 0 => continue,
                Err(error) => {
                    self.skip(&folder, error.to_string());
                    continue;
                }
            };
            let wanted = visit.folder(&folder, &items);
            for item in items.iter().filter(|item| wanted(item)) {
                self.looked += 1;
                if self.looked > self.items_max {
                    self.skip(&folder, format!("more than {} files and folders were met", self.items_max));
                    return Ok(());
                }
                let path = folder.join(&item.name);
                match item.kind {
                    Kind::File => self.file(&path, visit),
                    Kind::Folder if depth == DEPTH_MAX => self.skip(&path, format!("it lies {DEPTH_MAX} folders deep")),
                    Kind::Folder => open.push((path, depth + 1)),
                    // So do people move their documents to another disk.
                    Kind::Link if depth == 0 => self.link(&path),
                    Kind::Link => self.links += 1,
                    Kind::Pipe | Kind::Socket | Kind::Device | Kind::Other => {}
                }
            }
        }
        Ok(())
    }

    /// The items of a folder; `None` where it was seen already.
    fn enter(&mut self, folder: &Path, device: u64) -> Result<Option<Vec<Item>>, StoreError> {
        let stat = self.disk.stat(folder)?;
        if stat.device != device {
            let reason = "another disk or file system begins here: name it to have it looked through";
            self.elsewhere.push((folder.to_path_buf(), Some(stat.id()), reason.into()));
            return Ok(None);
        }
        if !self.entered.insert(stat.id()) {
            return Ok(None);
        }
        // Names alone: of a vault's million files, how long each is must not be looked up.
        self.disk.folder(folder)?.list(None).map(Some)
    }

    fn link(&mut self, path: &Path) {
        let id = self.disk.stat_behind(path).ok().map(|stat| stat.id());
        self.elsewhere.push((path.to_path_buf(), id, "it is a link: name what it leads to".into()));
    }

    fn file(&mut self, path: &Path, visit: &mut dyn Visit) {
        let start = |stat: Stat| {
            if self.entered.contains(&stat.id()) {
                return Ok(None);
            }
            let wanted = usize::try_from(stat.bytes).unwrap_or(usize::MAX);
            // Of what is too long to be a key, only the beginning can say anything.
            let wanted = if wanted > START_BYTES { START_BYTES / 16 } else { wanted };
            Ok(Some((stat.bytes, Zeroizing::new(self.disk.read_start(path, wanted)?))))
        };
        match self.disk.stat(path).and_then(start) {
            Ok(Some((bytes, start))) => {
                self.files += 1;
                self.watch.advance(start.len() as u64);
                visit.file(path, bytes, &start);
            }
            Ok(None) | Err(StoreError::Missing { .. }) => {}
            Err(error) => self.skip(path, error.to_string()),
        }
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.skipped_count += 1;
        if self.skipped.len() < SKIPPED_SHOWN_MAX {
            self.skipped.push(NotLooked { path: path.to_path_buf(), reason });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::faulty::{FaultyDisk, Rules};

    struct Quiet;

    impl Watch for Quiet {
        fn begin(&self, _: Stage, _: Option<u64>) {}
        fn advance(&self, _: u64) {}
        fn stopped(&self) -> bool {
            false
        }
    }

    #[derive(Default)]
    struct Met(Vec<(PathBuf, usize)>);

    impl Visit for Met {
        fn folder(&mut self, _: &Path, _: &[Item]) -> Box<dyn Fn(&Item) -> bool> {
            Box::new(|item| item.name != "unwanted")
        }

        fn file(&mut self, path: &Path, _: u64, start: &[u8]) {
            self.0.push((path.to_path_buf(), start.len()));
        }
    }

    fn disk() -> FaultyDisk {
        let disk = FaultyDisk::new(Rules::Ext4);
        disk.put(Path::new("/home/a"), b"1");
        disk.put(Path::new("/home/below/b"), &vec![7; START_BYTES + 1]);
        disk.put(Path::new("/home/unwanted/c"), b"3");
        for (name, kind) in
            [("link", Kind::Link), ("below/link", Kind::Link), ("pipe", Kind::Pipe), ("device", Kind::Device)]
        {
            disk.put_kind(&Path::new("/home").join(name), kind);
        }
        disk
    }

    #[test]
    fn regular_files_alone_are_looked_at_and_of_long_ones_the_beginning() {
        let (disk, mut met) = (disk(), Met::default());
        let mut walk = Walk::new(&disk, &Quiet);
        walk.through(Path::new("/home"), &mut met).expect("walked");
        walk.through(Path::new("/home/below"), &mut met).expect("seen already");
        assert_eq!(met.0, [("/home/a".into(), 1), ("/home/below/b".into(), START_BYTES / 16)]);
        assert_eq!((walk.files, walk.links), (2, 1));
        walk.end();
        let linked = NotLooked { path: "/home/link".into(), reason: "it is a link: name what it leads to".into() };
        assert_eq!(walk.skipped, std::slice::from_ref(&linked));
        walk.through(Path::new("/home/link"), &mut met).expect("told");
        walk.end();
        assert_eq!(walk.skipped[1..], [linked]);
    }

    #[test]
    fn what_is_too_much_or_too_deep_is_told_and_not_passed_over() {
        let (disk, mut met) = (disk(), Met::default());
        let mut walk = Walk { items_max: 2, ..Walk::new(&disk, &Quiet) };
        walk.through(Path::new("/home"), &mut met).expect("walked");
        assert!(walk.skipped.iter().any(|not| not.reason.contains("more than 2")));
        let deep: PathBuf = std::iter::once("/").chain(std::iter::repeat_n("d", DEPTH_MAX + 2)).collect();
        disk.put(&deep.join("key"), b"1");
        let mut walk = Walk::new(&disk, &Quiet);
        walk.through(Path::new("/d"), &mut met).expect("walked");
        assert_eq!(walk.skipped_count, 1);
        assert!(walk.skipped[0].reason.contains("folders deep"));
    }
}
