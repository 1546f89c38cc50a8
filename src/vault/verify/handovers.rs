//! What a verdict adds of handovers: which wait, and which did not go well. It lowers nothing.

use super::Examiner;
use crate::vault::custody::handovers::{Handovers, Status};
use crate::vault::history::History;
use crate::vault::labels;

/// Handovers that a notice names one by one.
const OFFERS_SHOWN_MAX: usize = 10;

impl Examiner {
    /// Which handovers wait, and which did not go well. An offer without an answer is no fault of the vault's.
    pub(super) fn tell_handovers(&mut self, history: &History) {
        let handovers = Handovers::of(history);
        for (status, words) in [
            (Status::Pending, "wait for an answer"),
            (Status::Discrepant, "were acknowledged with discrepancies"),
            (Status::Declined, "were declined"),
        ] {
            let of_status = handovers.offers().filter(|(_, handover)| handover.status == status);
            let offers: Vec<String> = of_status.map(|(place, _)| labels::entry_label(history, place)).collect();
            if !offers.is_empty() {
                let shown = offers.iter().take(OFFERS_SHOWN_MAX).cloned().collect::<Vec<_>>().join(", ");
                let more = if offers.len() > OFFERS_SHOWN_MAX { ", …" } else { "" };
                self.notices.push(format!("handovers that {words}: {} ({shown}{more})", offers.len()));
            }
        }
    }
}
