//! Which of the signed states of a log its entries lead to: all histories at once, each entry looked at once.

use std::collections::BTreeMap;

use super::chain::Candidate;
use crate::crypto::hash::Hash;
use crate::crypto::merkle::Growing;
use crate::format::event::Head;

/// Which signed states the entries lead to.
pub(super) struct Reached {
    /// Each step: which entry of those at its place, and the step before it.
    steps: Vec<(usize, Option<usize>)>,
    /// The last step to each state.
    pub(super) heads: BTreeMap<Head, usize>,
    /// As far as any entries lead.
    pub(super) longest: u64,
}

/// Follows all histories that the entries tell, place by place. Each entry names the root before it, so that it has
/// one place in one history: however many strangers lie there, each is looked at once.
pub(super) fn reach(candidates: &BTreeMap<u64, Vec<Candidate>>, heads: impl Iterator<Item = Head>) -> Reached {
    let wanted: BTreeMap<(u64, Hash), Head> = heads.map(|head| ((head.size, head.root), head)).collect();
    let mut tips: BTreeMap<Hash, (Growing, Option<usize>)> = BTreeMap::new();
    let nothing = Growing::default();
    tips.insert(nothing.root(), (nothing, None));
    let mut reached = Reached { steps: Vec::new(), heads: BTreeMap::new(), longest: 0 };
    while !tips.is_empty() {
        let here = candidates.get(&reached.longest).map(Vec::as_slice).unwrap_or_default();
        let mut next = BTreeMap::new();
        for (index, candidate) in here.iter().enumerate() {
            let Some((tree, before)) = tips.get(&candidate.entry.previous) else { continue };
            let mut tree = tree.clone();
            tree.push(candidate.leaf);
            reached.steps.push((index, *before));
            let last = reached.steps.len() - 1;
            let root = tree.root();
            if let Some(head) = wanted.get(&(tree.size(), root)) {
                reached.heads.insert(*head, last);
            }
            next.insert(root, (tree, Some(last)));
        }
        tips = next;
        reached.longest += u64::from(!tips.is_empty());
    }
    reached
}

impl Reached {
    /// Which entry of those at each place leads to a state; none where the entries do not lead there.
    pub(super) fn path(&self, head: &Head) -> Vec<usize> {
        let last = self.heads.get(head).copied();
        let back = std::iter::successors(last, |step| self.steps.get(*step)?.1);
        let mut path: Vec<usize> = back.filter_map(|step| Some(self.steps.get(step)?.0)).collect();
        path.reverse();
        path
    }
}
