//! A disk in memory that loses power and fails on demand, for tests: what survives on it survives because the code
//! above asked for it, in time and by name.
//!
//! - this file: what a test can do to the disk
//! - [`tree`]: what lies on it, and [`content`]: the bytes of its files
//! - [`crash`]: what a power cut takes of that
//! - [`folder`]: the traits of the room
//!
//! It is stricter than a machine: a sync makes durable only what is named to it. Links have no target here.

mod content;
mod crash;
mod folder;
#[cfg(test)]
mod tests;
mod tree;

use std::hash::{DefaultHasher, Hasher};
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
    /// Writing seems to succeed, and the medium holds one bit other than what was written: the seed says which one, as
    /// often in the first bytes and in the last as anywhere.
    Flip(u64),
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

/// A bit that turned on its way to the medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// The file that it was written to.
    pub path: PathBuf,
    /// Where in the file: the byte.
    pub at: usize,
    /// Which bit of it.
    pub bit: u8,
    /// How many bytes the file had then.
    pub bytes: usize,
}

impl FaultyDisk {
    /// An empty disk: a root folder `/`.
    pub fn new(rules: Rules) -> Self {
        Self::holding(Tree::new(rules))
    }

    fn holding(tree: Tree) -> Self {
        let state = State {
            tree,
            operations: 0,
            faults: Vec::new(),
            struck: 0,
            turned: Vec::new(),
            read_only: false,
            growing: None,
            moments: None,
        };
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

    /// How often something failed so far.
    pub fn struck(&self) -> u64 {
        self.state().struck
    }

    /// The bits that turned so far.
    pub fn turned(&self) -> Vec<Turned> {
        self.state().turned.clone()
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

    /// The disk as it was at a moment, as it is from the last on.
    #[must_use]
    pub fn at_moment(&self, nth: usize) -> Self {
        Self::holding(self.state().at(nth).clone())
    }

    /// Cuts the power at a moment.
    #[must_use]
    pub fn crash_at(&self, nth: usize, seed: u64) -> Self {
        Self::holding(self.state().at(nth).after_crash(&mut Dice::new(seed)))
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

    /// Makes everything what it is on its twin, as durable as there: for programs that take back what they may not. Who holds
    /// a lock here goes on holding it.
    pub fn take_back_to(&self, twin: &Self) {
        let tree = twin.state().tree.clone();
        let mut state = self.state();
        let locked = std::mem::take(&mut state.tree.locked);
        state.tree = tree;
        state.tree.locked = locked;
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

    /// A number for all that lies here and on the medium: two disks that have the same one hold the same, seen and after a
    /// power cut. Who holds a lock is no part of it.
    pub fn print(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.state().tree.hash(&mut hasher);
        hasher.finish()
    }

    /// A number for all files that can be seen, by full path, with their bytes.
    pub fn print_of_files(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.state().tree.hash_files(&mut hasher);
        hasher.finish()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    tree: Tree,
    operations: u64,
    faults: Vec<(u64, Fault, Times)>,
    struck: u64,
    turned: Vec<Turned>,
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
    /// What lay here at a moment.
    fn at(&self, moment: usize) -> &Tree {
        self.moments.as_ref().and_then(|moments| moments.get(moment)).unwrap_or(&self.tree)
    }

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
                Fault::ShortWrite | Fault::Flip(_) => does == Does::Write,
                Fault::Sync => does == Does::Sync,
                Fault::Interrupted => times == Times::Once || now.saturating_sub(nth).is_multiple_of(2),
            };
            can && now >= nth
        };
        let Some(at) = self.faults.iter().position(strikes) else { return Ok(None) };
        let (_, fault, times) = self.faults[at];
        self.struck += 1;
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
            Fault::ShortWrite | Fault::Flip(_) | Fault::Sync => Ok(Some(fault)),
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
