//! What a member is known to have of the sealed files.

use std::collections::BTreeSet;

use crate::format::event::{Event, ExhibitRef};
use crate::format::ids::MemberId;
use crate::vault::custody::handovers::{Handovers, Status};
use crate::vault::history::{History, Place, Sealing, Sizes};

/// What a member is known to have: what she acknowledged without a discrepancy, and what she sealed. That she offered
/// something proves nothing: she may have offered everything, and lacked what was still on its way to her.
pub(super) struct Has {
    member: MemberId,
    /// Everything under these states.
    under: Sizes,
    exhibits: BTreeSet<ExhibitRef>,
}

impl Has {
    pub(super) fn of(history: &History, member: MemberId) -> Self {
        let mut has = Self { member, under: Sizes::new(), exhibits: BTreeSet::new() };
        for (place, handover) in Handovers::of(history).offers() {
            if handover.to == member && handover.status == Status::Acknowledged {
                has.take(history, place);
            }
        }
        has
    }

    fn take(&mut self, history: &History, offer: Place) {
        let Event::Offer(offer) = &history.told(offer).entry.event else { return };
        if offer.exhibits.is_empty() {
            for head in &offer.heads {
                let known = self.under.entry(head.log).or_default();
                *known = head.size.max(*known);
            }
        }
        self.exhibits.extend(offer.exhibits.iter().copied());
    }

    pub(super) fn sealing(&self, sealing: &Sealing<'_>) -> bool {
        let Place { log, seq } = sealing.place;
        sealing.member == self.member || self.under.get(&log).is_some_and(|size| seq < *size)
    }

    pub(super) fn exhibit(&self, sealing: &Sealing<'_>, exhibit: &ExhibitRef) -> bool {
        self.sealing(sealing) || self.exhibits.contains(exhibit)
    }
}
