//! A disk in memory that loses power and fails on demand, for tests: what survives on it survives because the code
//! above asked for it, in time and by name.
//!
//! - this file: what a test can do to the disk
//! - [`tree`]: what lies on it
//! - [`crash`]: what a power cut takes of that
//! - [`folder`]: the traits of the room
//!
//! It is stricter than a machine: a sync makes durable only what is named to it. Links have no target here.

mod crash;
mod folder;
mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;

use super::{Kind, StoreError};
use crash::Dice;
use tree::{Node, Tree};

/// A disk in memory; clones are the same disk.
#[derive(Clone)]
pub struct FaultyDisk(Arc<Mutex<State>>);

/// Whose rules the disk follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// As ext4: a torn file holds a true beginning, a rename happens or does not.
    Ext4,
    /// As exFAT: a torn file may have its whole length and zeros in any sector, a rename can lose or double the file,
    /// names differ by more than case, and some characters are refused.
    ExFat,
}

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Any operation: EIO. From then on for ever, it is a power cut: not even cleaning up works.
    Io,
    /// An operation that needs space: ENOSPC.
    Full,
    /// An operation that changes something: EROFS.
    ReadOnly,
    /// Writing: a part is written, then ENOSPC.
    ShortWrite,
    /// A sync: EIO, after which the system has forgotten the data and a later sync would seem to succeed.
    Sync,
    /// Writing seems to succeed, and the medium holds one bit other than what was written.
    Flip,
    /// Any operation: EINTR. From then on for ever, it strikes every other one: a second attempt comes through.
    Interrupted,
}

/// How often it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// The first operation that the fault can strike.
    Once,
    /// Every one from there on.
    FromThenOn,
}

impl FaultyDisk {
    /// An empty disk: a root folder `/`.
    pub fn new(rules: Rules) -> Self {
        Self::holding(Tree::new(rules))
    }

    fn holding(tree: Tree) -> Self {
        let state = State { tree, operations: 0, faults: Vec::new(), read_only: false, growing: None, moments: None };
        Self(Arc::new(Mutex::new(state)))
    }

    /// How many operations were asked for so far: each call of the traits is one, and so is each read of a source and
    /// each write to a stream.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Makes the `nth` operation (the first is 0) fail, or the first after it that the fault can strike; beside what was to
    /// fail already.
    pub fn fail_at(&self, nth: u64, fault: Fault, times: Times) {
        self.state().faults.push((nth, fault, times));
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// Keeps, from now on, what lies here before each operation that changes something: the power may fail at any of these
    /// moments, and nothing need be done twice to see what each would leave.
    pub fn keep_moments(&self) {
        self.state().moments = Some(Vec::new());
    }

    /// How many moments were kept so far.
    pub fn moments(&self) -> usize {
        self.state().moments.as_ref().map_or(0, Vec::len)
    }

    /// The disk as it was at a moment; `None` from the last on.
    pub fn at_moment(&self, nth: usize) -> Option<Self> {
        self.state().moments.as_ref().and_then(|moments| moments.get(nth)).cloned().map(Self::holding)
    }

    /// Whether every change is refused from now on.
    pub fn set_read_only(&self, read_only: bool) {
        self.state().read_only = read_only;
    }

    /// Cuts the power: a new disk, on which what was synced is whole and anything else is there, lost, torn or
    /// overtaken by what was done later, as the seed decides. This disk goes on as if nothing had happened.
    #[must_use]
    pub fn crash(&self, seed: u64) -> Self {
        Self::holding(self.state().tree.after_crash(&mut Dice::new(seed)))
    }

    /// The same disk once more: what happens to one does not happen to the other.
    #[must_use]
    pub fn twin(&self) -> Self {
        Self::holding(self.state().tree.clone())
    }

    /// Puts a file and the folders above it there, durably, whatever was there before.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        self.state().tree.put(path, Node::file(bytes.to_vec()));
    }

    /// Puts a thing of another kind there, durably.
    pub fn put_kind(&self, path: &Path, kind: Kind) {
        self.state().tree.put(path, Node::of(kind));
    }

    /// Appends to a source, once, as soon as its first bytes have been read.
    pub fn grow_while_read(&self, path: &Path, more: &[u8]) {
        self.state().growing = Some((path.to_path_buf(), more.to_vec()));
    }

    /// All files that can be seen, with their bytes, by full path: to compare two states.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        self.state().tree.files()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    tree: Tree,
    operations: u64,
    faults: Vec<(u64, Fault, Times)>,
    read_only: bool,
    growing: Option<(PathBuf, Vec<u8>)>,
    moments: Option<Vec<Tree>>,
}

/// What an operation does, as far as faults care.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Look,
    Change,
    TakeSpace,
    Write,
    Sync,
}

impl State {
    /// Counts an operation. An error, or the fault that its writing must suffer, or nothing.
    fn begin(&mut self, path: &Path, does: Does) -> Result<Option<Fault>, StoreError> {
        let now = self.operations;
        self.operations += 1;
        if does != Does::Look
            && let Some(moments) = &mut self.moments
        {
            moments.push(self.tree.clone());
        }
        let changes = matches!(does, Does::Change | Does::TakeSpace | Does::Write);
        if self.read_only && changes {
            return Err(refused(path, Errno::ROFS));
        }
        let strikes = |&(nth, fault, times): &(u64, Fault, Times)| {
            let can = match fault {
                Fault::Io => true,
                Fault::Full => matches!(does, Does::TakeSpace | Does::Write),
                Fault::ReadOnly => changes,
                Fault::ShortWrite | Fault::Flip => does == Does::Write,
                Fault::Sync => does == Does::Sync,
                Fault::Interrupted => times == Times::Once || now.saturating_sub(nth).is_multiple_of(2),
            };
            can && now >= nth
        };
        let Some(at) = self.faults.iter().position(strikes) else { return Ok(None) };
        let (_, fault, times) = self.faults[at];
        if times == Times::Once {
            self.faults.remove(at);
        }
        match fault {
            Fault::Io if does == Does::Write => Ok(Some(fault)),
            Fault::Io if does == Does::Sync => Ok(Some(Fault::Sync)),
            Fault::Io => Err(refused(path, Errno::IO)),
            Fault::Full => Err(refused(path, Errno::NOSPC)),
            Fault::ReadOnly => Err(refused(path, Errno::ROFS)),
            Fault::Interrupted => Err(refused(path, Errno::INTR)),
            Fault::ShortWrite | Fault::Flip | Fault::Sync => Ok(Some(fault)),
        }
    }

    /// Whether the power is gone, so that nothing can be cleaned up.
    fn is_dead(&self) -> bool {
        let dead = |&(nth, fault, times): &(u64, Fault, Times)| {
            (fault, times) == (Fault::Io, Times::FromThenOn) && self.operations > nth
        };
        self.faults.iter().any(dead)
    }
}

fn refused(path: &Path, error: Errno) -> StoreError {
    StoreError::from_io(path, io::Error::from(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Disk, Folder, Mode, ReadFrom, RelPath};

    const ROOT: &str = "/vault";

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).expect("a path of this test")
    }

    fn vault(rules: Rules) -> (FaultyDisk, Arc<dyn Folder>) {
        let disk = FaultyDisk::new(rules);
        let folder = disk.create_folder(Path::new(ROOT), Mode::Private).expect("made");
        (disk, folder)
    }

    /// What a crash leaves of `name` under many seeds.
    fn fates(disk: &FaultyDisk, name: &str) -> Vec<Option<Vec<u8>>> {
        let full = Path::new(ROOT).join(name);
        let fate = |seed| disk.crash(seed).files().into_iter().find(|(path, _)| *path == full).map(|(_, bytes)| bytes);
        (0..300).map(fate).collect()
    }

    #[test]
    fn what_was_not_synced_is_whole_or_lost_or_torn() {
        for rules in [Rules::Ext4, Rules::ExFat] {
            let (disk, folder) = vault(rules);
            let bytes = vec![7; 5000];
            folder.create(&path("a/file"), &bytes, Mode::Open).expect("created");
            let fates = fates(&disk, "a/file");
            assert!(fates.contains(&None) && fates.contains(&Some(bytes.clone())), "{rules:?}");
            let torn: Vec<_> = fates.iter().flatten().filter(|left| **left != bytes).collect();
            assert!(!torn.is_empty(), "{rules:?}");
            let only_prefixes = torn.iter().all(|left| bytes.starts_with(left));
            assert_eq!(only_prefixes, rules == Rules::Ext4);
        }
    }

    #[test]
    fn what_was_synced_survives_and_only_that() {
        let (disk, folder) = vault(Rules::Ext4);
        folder.create(&path("a/kept"), b"kept", Mode::Open).expect("created");
        folder.create(&path("a/risked"), b"risked", Mode::Open).expect("created");
        folder.sync(&[path("a/kept")]).expect("synced");
        assert!(fates(&disk, "a/kept").iter().all(|left| left.as_deref() == Some(b"kept")));
        assert!(fates(&disk, "a/risked").contains(&None));
    }

    #[test]
    fn later_files_can_survive_earlier_ones() {
        let (disk, folder) = vault(Rules::Ext4);
        folder.create(&path("1"), b"first", Mode::Open).expect("created");
        folder.create(&path("2"), b"second", Mode::Open).expect("created");
        let pairs: Vec<_> = fates(&disk, "1").into_iter().zip(fates(&disk, "2")).collect();
        assert!(pairs.contains(&(None, Some(b"second".to_vec()))));
        assert!(pairs.contains(&(Some(b"first".to_vec()), None)));
    }

    #[test]
    fn a_rename_is_whole_on_ext4_and_not_on_exfat() {
        for (rules, may_break) in [(Rules::Ext4, false), (Rules::ExFat, true)] {
            let (disk, folder) = vault(rules);
            folder.create(&path("old"), b"x", Mode::Open).expect("created");
            folder.sync(&[path("old")]).expect("synced");
            folder.rename_new(&path("old"), &path("new")).expect("renamed");
            let counts: Vec<_> = (0..200).map(|seed| disk.crash(seed).files().len()).collect();
            assert_eq!(counts.contains(&0) && counts.contains(&2), may_break, "{rules:?}");
        }
    }

    fn read_back(folder: &dyn Folder) -> (Vec<u8>, ReadFrom) {
        let (mut source, from) = folder.read_back(&path("f"), 9).expect("opened");
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).expect("read");
        (bytes, from)
    }

    /// After a failed fsync the pages count as clean: a second sync succeeds and saves nothing.
    #[test]
    fn a_sync_that_is_tried_again_saves_nothing() {
        let (disk, folder) = vault(Rules::Ext4);
        folder.create(&path("f"), b"bytes", Mode::Open).expect("created");
        disk.fail_at(0, Fault::Sync, Times::Once);
        assert!(matches!(folder.sync(&[path("f")]), Err(StoreError::NotDurable { .. })));
        assert!(matches!(folder.sync(&[path("f")]), Err(StoreError::NotDurable { .. })), "final for this handle");
        let other = disk.folder(Path::new(ROOT)).expect("opened");
        other.sync(&[path("f")]).expect("the lie of the system");
        assert!(fates(&disk, "f").iter().all(|left| left.as_deref() != Some(b"bytes")));
        assert_ne!(read_back(&*other), (b"bytes".to_vec(), ReadFrom::Medium));
    }

    #[test]
    fn a_flip_on_the_way_is_seen_only_from_the_medium() {
        let (disk, folder) = vault(Rules::Ext4);
        disk.fail_at(0, Fault::Flip, Times::Once);
        folder.create(&path("f"), b"bytes", Mode::Open).expect("created");
        folder.sync(&[path("f")]).expect("synced");
        assert_eq!(folder.read(&path("f"), 9).expect("read"), b"bytes");
        let (medium, from) = read_back(&*folder);
        assert!(medium != b"bytes" && from == ReadFrom::Medium);
        assert_eq!(disk.crash(0).files()[0].1, medium);
    }

    #[test]
    fn each_fault_strikes_where_it_can_and_leaves_nothing() {
        for (fault, times) in [Fault::Io, Fault::Full, Fault::ReadOnly, Fault::ShortWrite]
            .into_iter()
            .flat_map(|fault| [(fault, Times::Once), (fault, Times::FromThenOn)])
        {
            let (disk, folder) = vault(Rules::ExFat);
            disk.fail_at(disk.operations(), fault, times);
            let error = folder.create(&path("a/b/f"), b"bytes", Mode::Open).expect_err("it fails");
            let expected = match fault {
                Fault::Io => matches!(error, StoreError::Io { .. }),
                Fault::ReadOnly => matches!(error, StoreError::ReadOnly { .. }),
                _ => matches!(error, StoreError::Full { .. }),
            };
            assert!(expected, "{fault:?}: {error}");
            let power_is_gone = (fault, times) == (Fault::Io, Times::FromThenOn);
            assert_eq!(disk.files().is_empty(), !power_is_gone, "{fault:?} {times:?}");
            assert_eq!(folder.create(&path("a/c"), b"", Mode::Open).is_ok(), times == Times::Once);
        }
    }

    #[test]
    fn exfat_folds_case_and_refuses_some_names() {
        let (_, folder) = vault(Rules::ExFat);
        folder.create(&path("File"), b"x", Mode::Open).expect("created");
        assert!(matches!(folder.create(&path("fILE"), b"", Mode::Open), Err(StoreError::Exists { .. })));
        assert!(matches!(folder.create(&path("a:b"), b"", Mode::Open), Err(StoreError::BadPath { .. })));
    }

    #[test]
    fn a_source_can_grow_while_it_is_read() {
        let disk = FaultyDisk::new(Rules::Ext4);
        disk.put(Path::new("/source"), b"1234");
        disk.grow_while_read(Path::new("/source"), b"5");
        let mut source = disk.source(Path::new("/source")).expect("opened");
        let before = source.stat().expect("known");
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut source, &mut bytes).expect("read");
        assert_ne!(source.stat().expect("known"), before);
    }
}
