//! Up to where enough monitors have signed. A state that a monitor signed vouches for all before it: so each monitor
//! counts by the largest, and a log is covered up to where as many of them reach as the vault asks for.

use std::collections::BTreeMap;

use super::check::{Cosignature, Worth};
use crate::format::ids::{LogId, MemberId};
use crate::vault::history::{History, Place};
use crate::vault::labels;

/// How far one member has signed a log: as a monitor, or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// Who.
    pub member: MemberId,
    /// The pseudonym.
    pub name: String,
    /// The size of the largest state.
    pub size: u64,
    /// When, in seconds since 1970-01-01T00:00:00Z, as the signer's clock claimed.
    pub time: u64,
    /// Whether it counts for coverage: as a monitor whom an owner has admitted.
    pub monitor: bool,
}

/// How far a log is covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Everybody who signed a state of its story.
    pub signed_by: Vec<SignedBy>,
    /// Its first so many entries are covered by enough monitors; 0 for none.
    pub size: u64,
    /// How people call the last of them.
    pub up_to: Option<String>,
    /// How many exhibits that count are sealed in it.
    pub exhibits: u64,
    /// How many of them the covered entries seal.
    pub covered: u64,
    /// Which these are: the first and the last of each row of numbers without a gap, as people call them.
    pub which: Vec<(String, String)>,
}

/// The coverage of each log.
pub(crate) fn coverage(history: &History, held: &[Cosignature]) -> BTreeMap<LogId, Coverage> {
    let mut all: BTreeMap<LogId, Coverage> = history.logs.keys().map(|log| (*log, Coverage::default())).collect();
    // What a member signed as a monitor, and what she signed when she was none, are told apart.
    let mut largest: BTreeMap<(LogId, MemberId, bool), &Cosignature> = BTreeMap::new();
    for cosignature in held.iter().filter(|held| held.worth == Worth::Counts) {
        let by = (cosignature.head.log, cosignature.cosigner, cosignature.by_monitor);
        let known = largest.entry(by).or_insert(cosignature);
        // Of one state the earlier word says more.
        let rank = |one: &Cosignature| (one.head.size, std::cmp::Reverse(one.time));
        if rank(cosignature) > rank(known) {
            *known = cosignature;
        }
    }
    for ((log, member, monitor), cosignature) in &largest {
        let (size, time) = (cosignature.head.size, cosignature.time);
        let as_monitor = largest.get(&(*log, *member, true)).filter(|_| !monitor);
        if as_monitor.is_none_or(|as_monitor| as_monitor.head.size < size) {
            let by = SignedBy { member: *member, name: history.name_of(*member), size, time, monitor: *monitor };
            all.entry(*log).or_default().signed_by.push(by);
        }
    }
    for (log, coverage) in &mut all {
        coverage.size = covered_size(&coverage.signed_by, history.monitors_needed);
        let last = coverage.size.checked_sub(1).map(|seq| Place { log: *log, seq });
        coverage.up_to = last.map(|last| labels::entry_label(history, last));
    }
    let mut next: BTreeMap<LogId, u64> = BTreeMap::new();
    for sealing in history.sealings() {
        let (log, seal) = (sealing.place.log, sealing.seal);
        let coverage = all.entry(log).or_default();
        let count = u64::from(seal.count);
        coverage.exhibits += count;
        if sealing.place.seq < coverage.size {
            coverage.covered += count;
            let end = seal.first.saturating_add(count);
            let last = labels::exhibit_label(sealing.handle, end.saturating_sub(1));
            match coverage.which.last_mut().filter(|_| next.get(&log) == Some(&seal.first)) {
                Some((_, so_far)) => *so_far = last,
                None => coverage.which.push((labels::exhibit_label(sealing.handle, seal.first), last)),
            }
            next.insert(log, end);
        }
    }
    all
}

/// The largest size that as many monitors as are needed have reached. Where none is needed, nothing is called covered.
fn covered_size(signed_by: &[SignedBy], needed: u32) -> u64 {
    let mut sizes: Vec<u64> = signed_by.iter().filter(|by| by.monitor).map(|by| by.size).collect();
    sizes.sort_unstable_by_key(|size| std::cmp::Reverse(*size));
    let last = usize::try_from(needed).ok().and_then(|needed| needed.checked_sub(1));
    last.and_then(|last| sizes.get(last)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::Hash;

    #[test]
    fn as_many_monitors_as_are_needed_reach_the_covered_size() {
        let by = |size, monitor| {
            let member = MemberId(Hash::of(&[u8::try_from(size).expect("small")]));
            SignedBy { member, name: String::new(), size, time: 0, monitor }
        };
        let signed = [by(9, false), by(3, true), by(7, true), by(5, true)];
        for (needed, size) in [(0, 0), (1, 7), (2, 5), (3, 3), (4, 0), (u32::MAX, 0)] {
            assert_eq!(covered_size(&signed, needed), size, "{needed} needed");
        }
        assert_eq!(covered_size(&[], 1), 0);
    }
}
