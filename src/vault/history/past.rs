//! What somebody had seen: how many entries of each log. Every entry has such a past, and most of them share one.

use std::sync::Arc;

use crate::format::ids::LogId;

/// How many entries of each log of a vault the author of an entry had seen.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// All logs of the vault in ascending order, one list for all pasts.
    logs: Arc<[LogId]>,
    /// Of each of them. Numbers side by side, because pasts are merged for every state that every entry names.
    sizes: Vec<u64>,
}

impl Past {
    /// Of somebody who has seen nothing of these logs, which stand in ascending order.
    pub(super) fn of_nothing(logs: Arc<[LogId]>) -> Self {
        Self { sizes: vec![0; logs.len()], logs }
    }

    /// How many entries of a log had been seen.
    pub fn size_of(&self, log: &LogId) -> u64 {
        self.logs.binary_search(log).ok().and_then(|at| self.sizes.get(at)).copied().unwrap_or(0)
    }

    /// The logs of which anything had been seen, with how much.
    pub fn iter(&self) -> impl Iterator<Item = (LogId, u64)> + '_ {
        self.logs.iter().copied().zip(self.sizes.iter().copied()).filter(|(_, size)| *size > 0)
    }

    /// Takes in that the log with this number among all was seen at a size; false where at least so much of it had been.
    pub(super) fn see(&mut self, log: usize, size: u64) -> bool {
        let news = self.sizes.get_mut(log).filter(|seen| **seen < size);
        news.map(|seen| *seen = size).is_some()
    }

    /// Takes in all that another had seen of the same logs.
    pub(super) fn see_all(&mut self, other: Option<&Self>) {
        let Some(other) = other else { return };
        debug_assert!(other.logs == self.logs, "pasts of one vault have one list of logs");
        for (seen, more) in self.sizes.iter_mut().zip(&other.sizes) {
            *seen = (*seen).max(*more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_pasts_the_larger_of_each_size_is_seen() {
        let logs: Arc<[LogId]> = [LogId([1; 16]), LogId([2; 16]), LogId([3; 16])].into();
        let (mut ann, mut ben) = (Past::of_nothing(Arc::clone(&logs)), Past::of_nothing(Arc::clone(&logs)));
        ann.see(0, 5);
        ann.see(2, 2);
        assert!(!ann.see(2, 1));
        ben.see(2, 7);
        ann.see_all(Some(&ben));
        assert_eq!(ann.iter().collect::<Vec<_>>(), [(logs[0], 5), (logs[2], 7)]);
        assert_eq!(ann.size_of(&logs[1]), 0);
        ann.see_all(None);
        assert_eq!((ann.size_of(&logs[2]), Past::default().size_of(&logs[2])), (7, 0));
        assert_eq!(ann.size_of(&LogId([9; 16])), 0, "a log of no vault");
    }
}
