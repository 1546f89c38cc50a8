//! Removals that take effect, and up to where the logs of those who were removed count.

use super::{Grant, History, Place};
use crate::format::event::Remove;
use crate::format::ids::{LogId, MemberId};

impl History {
    /// Where the log of someone who is no member any more stops to count, whether or not it is here: the least size such
    /// that nobody who admitted her had seen every removal that cuts it there or before.
    pub(crate) fn cut_of(&self, log: LogId, member: MemberId) -> Option<u64> {
        let known = self.members.get(&member)?;
        known.removed?;
        let mut cuts: Vec<(u64, Place)> =
            self.removals_of(member).iter().map(|(at, removal)| (cut_size(removal, log), *at)).collect();
        cuts.sort_unstable();
        let mut back: Vec<&Grant> = known.grants.iter().collect();
        cuts.into_iter().find_map(|(size, removal)| {
            back.retain(|grant| self.told(grant.at).had_seen(grant.at, removal));
            back.is_empty().then_some(size)
        })
    }

    /// The removals of a member that take effect.
    pub fn removals_of(&self, member: MemberId) -> &[(Place, Remove)] {
        self.removals.get(&member).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Up to where a removal lets a log count; one that it does not list counts not at all.
pub(super) fn cut_size(removal: &Remove, log: LogId) -> u64 {
    removal.cuts.binary_search_by_key(&log, |cut| cut.log).map_or(0, |at| removal.cuts[at].size)
}
