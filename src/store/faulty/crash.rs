//! What a power cut takes of what no sync has covered: any of it, in any order, whole or torn.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Rules;
use super::tree::{Node, Nodes, Tree};
use crate::store::Kind;

/// What a device writes at once.
const SECTOR_BYTES: usize = 512;
/// Of what is written, its ends: where a header lies, and a checksum.
const END_BYTES: usize = 16;

/// A change that no sync has covered yet.
#[derive(Clone)]
pub(super) struct Pending {
    pub(super) change: Change,
    /// A sync of it failed: the system takes its data for written, and it is not.
    pub(super) doomed: bool,
}

#[derive(Clone, Hash)]
pub(super) enum Change {
    Appeared(PathBuf),
    Vanished(PathBuf),
    Renamed(PathBuf, PathBuf),
}

impl Tree {
    /// The disk that the next start of the machine finds.
    pub(super) fn after_crash(&self, dice: &mut Dice) -> Self {
        let mut nodes = self.durable.clone();
        // Some crashes come early and some late: how much had reached the medium differs as a whole.
        let kept_of_8 = dice.below(9);
        for pending in &self.pending {
            let kept = dice.below(8) < kept_of_8;
            match &pending.change {
                Change::Renamed(from, to) if self.rules == Rules::ExFat => {
                    let (appears, vanishes) = (kept, dice.below(8) < kept_of_8);
                    rename_apart(&mut nodes, from, to, appears, vanishes);
                }
                change if kept => apply(&mut nodes, &self.appeared, change),
                _ => {}
            }
            if let Change::Appeared(path) = &pending.change
                && let Some(node) = nodes.get_mut(path.as_os_str())
                && node.kind == Kind::File
                && (pending.doomed || dice.below(8) >= kept_of_8)
            {
                node.medium = Some(Arc::new(self.torn(&node.bytes, pending.doomed, dice).into()));
            }
        }
        drop_unreachable(&mut nodes);
        for node in nodes.values_mut() {
            if let Some(medium) = node.medium.take() {
                node.bytes = medium;
            }
        }
        Self::durably(self.rules, nodes)
    }

    /// What is left of data that were on their way; never all of it where it is `doomed`.
    fn torn(&self, bytes: &[u8], doomed: bool, dice: &mut Dice) -> Vec<u8> {
        if self.rules == Rules::Ext4 {
            let length = bytes.len() + usize::from(!doomed);
            return bytes[..dice.below(length.max(1))].to_vec();
        }
        let mut left = bytes.to_vec();
        for (sector, part) in left.chunks_mut(SECTOR_BYTES).enumerate() {
            if dice.below(2) == 0 || doomed && sector == 0 {
                part.fill(0);
            }
        }
        left
    }
}

pub(super) fn apply(nodes: &mut Nodes, appeared: &Nodes, change: &Change) {
    match change {
        Change::Appeared(path) => {
            if let Some(node) = appeared.get(path.as_os_str()) {
                nodes.insert(path.into(), node.clone());
            }
        }
        Change::Vanished(path) => {
            nodes.remove(path.as_os_str());
        }
        Change::Renamed(from, to) => rename(nodes, from, to, true),
    }
}

fn rename_apart(nodes: &mut Nodes, from: &Path, to: &Path, appears: bool, vanishes: bool) {
    if appears {
        rename(nodes, from, to, vanishes);
    } else if vanishes {
        nodes.retain(|path, _| !Path::new(path).starts_with(from));
    }
}

/// Moves what lies at and below a path; or copies it, where the old name stays.
pub(super) fn rename(nodes: &mut Nodes, from: &Path, to: &Path, vanishes: bool) {
    let moved: Vec<(OsString, Node)> = nodes
        .iter()
        .filter_map(|(path, node)| {
            let rest = Path::new(path).strip_prefix(from).ok()?;
            let target = if rest.as_os_str().is_empty() { to.to_path_buf() } else { to.join(rest) };
            Some((target.clone().into(), Node { shown: target, ..node.clone() }))
        })
        .collect();
    if vanishes {
        nodes.retain(|path, _| !Path::new(path).starts_with(from));
    }
    nodes.extend(moved);
}

/// What lies in no folder is not found again.
fn drop_unreachable(nodes: &mut Nodes) {
    let folders: BTreeSet<OsString> =
        nodes.iter().filter(|(_, node)| node.kind == Kind::Folder).map(|(path, _)| path.clone()).collect();
    nodes.retain(|path, _| Path::new(path).ancestors().skip(1).all(|above| folders.contains(above.as_os_str())));
}

/// Numbers that follow from a seed (SplitMix64): a state that broke something can be made again.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A bit of so many bytes, of which there is one: as often at either end as anywhere.
    pub(super) fn bit_of(&mut self, bytes: usize) -> (usize, u8) {
        let end = bytes.min(END_BYTES);
        let place = match self.below(3) {
            0 => self.below(end),
            1 => self.below(bytes),
            _ => bytes - 1 - self.below(end),
        };
        (place, u8::try_from(self.below(8)).expect("less than 8"))
    }

    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % bound as u64).expect("less than a usize")
    }
}
