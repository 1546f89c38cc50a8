//! Logs of people whom nobody admitted in time: no evidence, and named by those who had not heard of that. A copy without
//! them would lack what it was told of, for good.

use std::collections::BTreeMap;

use super::{History, Log, Standing};
use crate::format::card::Card;
use crate::format::event::Head;
use crate::format::ids::{LogId, MemberId};

impl History {
    /// The card of whoever writes a log that is here, admitted or not.
    pub(in crate::vault) fn card_of(&self, member: MemberId) -> Option<&Card> {
        let admitted = self.members.get(&member).map(|member| &member.card);
        admitted.or_else(|| self.cards.values().find(|card| card.member() == member))
    }

    /// All logs that copies give each other: those of members, and those that are named beside.
    pub(in crate::vault) fn mergeable(&self) -> BTreeMap<LogId, &Log> {
        self.logs.values().chain(self.named_beside()).map(|log| (log.id, log)).collect()
    }

    /// Logs that are no evidence, and of which entries that are not late name states: whoever said so had seen their
    /// members admitted, and a copy without these logs would lack what it was told of. What such logs themselves name is a
    /// stranger's word.
    pub(in crate::vault) fn named_beside(&self) -> Vec<&Log> {
        if self.foreign.is_empty() {
            return Vec::new();
        }
        let told = self.order.iter().map(|place| self.told(*place));
        let heads = told.filter(|told| told.standing != Standing::Late).flat_map(|told| &told.entry.heads);
        let held = |head: &Head| self.foreign.get(&head.log).filter(|log| log.holds(head));
        let named: BTreeMap<LogId, &Log> = heads.filter_map(held).map(|log| (log.id, log)).collect();
        named.into_values().collect()
    }
}
