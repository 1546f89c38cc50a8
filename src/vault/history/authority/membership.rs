//! Who is a member in the end, by which grants, and whose checks were a monitor's.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Grant, History, Member, Place};
use super::Court;
use crate::format::event::Event;
use crate::format::ids::MemberId;
use crate::format::role::Role;

impl Court {
    /// A removal, unless somebody who had seen all of them admitted the member again.
    fn removed(&self, history: &History, member: MemberId) -> Option<Place> {
        let grants = self.grants.get(&member).map(Vec::as_slice).unwrap_or_default();
        let removals = self.removals.get(&member).map(Vec::as_slice).unwrap_or_default();
        let saw = |grant: &Grant, removal: Place| history.told(grant.at).had_seen(grant.at, removal);
        if grants.iter().any(|grant| removals.iter().all(|(at, _)| saw(grant, *at))) {
            return None;
        }
        let unseen = removals.iter().find(|(at, _)| !grants.iter().any(|grant| saw(grant, *at)));
        unseen.or(removals.last()).map(|(at, _)| *at)
    }

    /// How near the founder what a member says next among owners would stand.
    fn reach(&self, history: &History, id: MemberId, grants: &[Grant]) -> usize {
        let owner = grants.iter().filter(|grant| grant.role == Role::Owner);
        let by_grant = owner.filter_map(|grant| Some(self.settled.get(&grant.at)?.saturating_add(1))).min();
        if id == history.founder { 0 } else { by_grant.unwrap_or(usize::MAX) }
    }

    /// Everybody whom a counted entry admitted. Of someone admitted again, what was given since.
    pub(super) fn members(&mut self, history: &History) -> BTreeMap<MemberId, Member> {
        let mut members = BTreeMap::new();
        for (id, card) in std::mem::take(&mut self.cards) {
            let removed = self.removed(history, id);
            let removals = self.removals.get(&id).map(Vec::as_slice).unwrap_or_default();
            let since = |grant: &&Grant| {
                removed.is_some() || removals.iter().all(|(at, _)| history.told(grant.at).had_seen(grant.at, *at))
            };
            let grants: Vec<Grant> = self.grants.get(&id).into_iter().flatten().filter(since).cloned().collect();
            let reach = self.reach(history, id, &grants);
            members.insert(id, Member { card, grants, removed, reach });
        }
        members
    }

    /// Counted checks that were a monitor's: an owner made their author one, after each removal that leaves the check out.
    /// So what she found stays a monitor's, whatever she is when she comes back; what she finds then is so only anew.
    pub(super) fn checks_by_monitors(&self, history: &History) -> BTreeSet<Place> {
        let checks = history.counted().filter(|(_, told)| matches!(told.entry.event, Event::Verify { .. }));
        let by_monitor = checks.filter(|(place, _)| {
            let log = &history.logs[&place.log];
            let cutting = self.cutting(log, *place);
            let since =
                |grant: &Grant| cutting.iter().all(|removal| history.told(grant.at).had_seen(grant.at, *removal));
            let mut grants = self.grants.get(&log.member).into_iter().flatten();
            grants.any(|grant| grant.role == Role::Monitor && grant.confirmed && since(grant))
        });
        by_monitor.map(|(place, _)| place).collect()
    }
}
