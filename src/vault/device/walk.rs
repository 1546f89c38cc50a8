//! Looking through folders that may be anybody's and of any size: bounded in depth and number, never through a link,
//! never waiting for a pipe, reading no more of a file than what tells it. What was not looked at is always told.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::kinds::START_BYTES;
use crate::store::{Disk, Item, Kind, StoreError};
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
    /// Folders that were entered, or are not to be: by device and number there.
    entered: BTreeSet<(u64, u64)>,
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
            files: 0,
            skipped: Vec::new(),
            skipped_count: 0,
            links: 0,
            looked: 0,
        }
    }

    /// Never enters this folder, wherever it is met.
    pub(super) fn leave_out(&mut self, folder: &Path) {
        if let Ok(stat) = self.disk.stat(folder) {
            self.entered.insert(stat.id());
        }
    }

    /// Looks at a file, or through a folder and all below it.
    pub(super) fn through(&mut self, root: &Path, visit: &mut dyn Visit) -> Result<(), VaultError> {
        let stat = self.disk.stat(root)?;
        match stat.kind {
            Kind::File => self.file(root, stat.bytes, visit),
            Kind::Folder => self.folders(root, stat.device, visit)?,
            kind => self.skip(root, format!("it is {kind}")),
        }
        Ok(())
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
                    Kind::File => self.file(&path, item.bytes, visit),
                    Kind::Folder if depth == DEPTH_MAX => self.skip(&path, format!("it lies {DEPTH_MAX} folders deep")),
                    Kind::Folder => open.push((path, depth + 1)),
                    // So do people move their documents to another disk.
                    Kind::Link if depth == 0 => self.skip(&path, "it is a link: name what it leads to".into()),
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
            self.skip(folder, "another disk or file system begins here: name it to have it looked through".into());
            return Ok(None);
        }
        if !self.entered.insert(stat.id()) {
            return Ok(None);
        }
        self.disk.list_source(folder).map(Some)
    }

    fn file(&mut self, path: &Path, bytes: u64, visit: &mut dyn Visit) {
        let wanted = usize::try_from(bytes).unwrap_or(usize::MAX);
        // Of what is too long to be a key, only the beginning can say anything.
        let wanted = if wanted > START_BYTES { START_BYTES / 16 } else { wanted };
        match self.disk.read_start(path, wanted).map(Zeroizing::new) {
            Ok(start) => {
                self.files += 1;
                self.watch.advance(start.len() as u64);
                visit.file(path, bytes, &start);
            }
            Err(StoreError::Missing { .. }) => {}
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
        let linked = |reason: &str| NotLooked { path: "/home/link".into(), reason: reason.into() };
        assert_eq!((walk.files, walk.links), (2, 1));
        assert_eq!(walk.skipped, [linked("it is a link: name what it leads to")]);
        walk.through(Path::new("/home/link"), &mut met).expect("told");
        assert_eq!(walk.skipped[1..], [linked("it is a link")]);
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
