//! One log as it was told: its entries, its signed state, and other histories of it that were signed as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::past::Past;
use crate::crypto::hash::Hash;
use crate::format::entry::Entry;
use crate::format::event::{Event, Head};
use crate::format::ids::{LogId, MemberId};
use crate::format::note::Note;

/// How many entries of each log somebody has seen so far.
pub type Sizes = BTreeMap<LogId, u64>;

/// One entry's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The log.
    pub log: LogId,
    /// The entry's place in it.
    pub seq: u64,
}

/// Whether an entry counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its author might say it, then.
    Counted,
    /// Beyond the state up to which a removed member's log counts, and not adopted.
    Late,
    /// Nothing let its author say it, then; and why.
    Refused(String),
}

/// An entry that a signed state covers.
#[derive(Clone, Debug)]
pub struct Told {
    /// What it says.
    pub entry: Arc<Entry>,
    /// Its leaf hash.
    pub leaf: Hash,
    /// What its author had seen before.
    pub past: Arc<Past>,
    /// Whether its author had seen something that is not in this copy.
    pub blind: bool,
    /// Whether it is refused, and what is missing here or came too late might allow it.
    pub undecided: bool,
    /// Whether it counts.
    pub standing: Standing,
}

impl Told {
    /// Whether the author of this entry, which stands at `here`, had seen the entry at `what`.
    pub fn had_seen(&self, here: Place, what: Place) -> bool {
        let before = if what.log == here.log { here.seq } else { self.past.size_of(&what.log) };
        what.seq < before
    }
}

/// One log, up to its largest signed state.
#[derive(Clone, Debug)]
pub struct Log {
    /// Its id.
    pub id: LogId,
    /// Whose it is.
    pub member: MemberId,
    /// What its exhibits' labels start with.
    pub handle: String,
    /// Its entries in order.
    pub entries: Vec<Told>,
    /// Its state.
    pub head: Head,
    /// That state, signed.
    pub note: Note,
    /// Other histories that its owner signed, where there are any.
    pub forks: Vec<Fork>,
    /// Whether a cut named one of them as the one that counts.
    pub(super) turned: bool,
}

/// Another history of a log, signed with the same keys.
#[derive(Clone, Debug)]
pub struct Fork {
    /// How many entries both histories have in common.
    pub parted: u64,
    /// What follows; empty where it is not here.
    pub entries: Vec<Told>,
    /// Its state.
    pub head: Head,
    /// That state, signed.
    pub note: Note,
}

impl Log {
    /// The root at `size`, which must not exceed the log's.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        let size_here = self.entries.len() as u64;
        if size == size_here {
            return Some(self.head.root);
        }
        // Each entry names the root before it, which its chain was checked against.
        self.entries.get(usize::try_from(size).ok()?).map(|told| told.entry.previous)
    }

    /// Whether a state is one of this log's, in whichever of its histories.
    pub fn holds(&self, head: &Head) -> bool {
        self.root_at(head.size) == Some(head.root) || self.fork_of(head).is_some()
    }

    /// The other history that a state is of, if it is of one.
    pub fn fork_of(&self, head: &Head) -> Option<&Fork> {
        self.forks.iter().find(|fork| fork.root_at(head.size) == Some(head.root))
    }

    /// Takes another of its histories for the one that counts.
    pub(super) fn turn_to(&mut self, fork: usize) {
        let turned = self.forks.swap_remove(fork);
        let before = std::mem::take(&mut self.entries);
        self.entries = turned.whole_beside(&before);
        let head = std::mem::replace(&mut self.head, turned.head);
        let note = std::mem::replace(&mut self.note, turned.note);
        // Where each of the others parts from this history is another place than where it parted from that one.
        for fork in self.forks.iter_mut().filter(|fork| !fork.entries.is_empty()) {
            let entries = fork.whole_beside(&before);
            fork.part_from(&self.entries, entries);
        }
        let mut left = Fork { parted: 0, entries: Vec::new(), head, note };
        left.part_from(&self.entries, before);
        self.forks.push(left);
        self.turned = true;
    }

    /// The number that the next exhibit sealed in this log gets.
    pub fn next_number(&self) -> u64 {
        let last = self.entries.iter().rev().find_map(|told| match &told.entry.event {
            Event::Seal(seal) => Some(seal.first + u64::from(seal.count)),
            _ => None,
        });
        last.unwrap_or(1)
    }

    /// Its leaf hashes in order.
    pub fn leaves(&self) -> Vec<Hash> {
        self.entries.iter().map(|told| told.leaf).collect()
    }

    /// What its owner had seen when the last entry was written.
    pub fn seen(&self) -> Sizes {
        let mut seen: Sizes = self.entries.last().map(|told| told.past.iter().collect()).unwrap_or_default();
        seen.insert(self.id, self.entries.len() as u64);
        seen
    }
}

impl Fork {
    /// All entries of this history, of which the first are those of `story`, from which it parted.
    fn whole_beside(&self, story: &[Told]) -> Vec<Told> {
        let common = story.iter().zip(0..self.parted).map(|(told, _)| told);
        common.chain(&self.entries).cloned().collect()
    }

    /// Keeps of `entries` what follows after this history and `story` part.
    fn part_from(&mut self, story: &[Told], mut entries: Vec<Told>) {
        let parted = story.iter().zip(&entries).take_while(|(one, other)| one.leaf == other.leaf).count();
        self.entries = entries.split_off(parted);
        self.parted = parted as u64;
    }

    /// The root at `size` of what is not common to both histories.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        if size == self.head.size {
            return Some(self.head.root);
        }
        let beyond = size.checked_sub(self.parted).filter(|beyond| *beyond > 0)?;
        self.entries.get(usize::try_from(beyond).ok()?).map(|told| told.entry.previous)
    }
}
