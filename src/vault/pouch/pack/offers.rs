//! The offers that a pouch carries: a new one to each receiver, or one that stands already.

use std::collections::BTreeSet;

use super::super::select::Chosen;
use super::super::write::Piece;
use super::{PackRequest, Packing};
use crate::format::event::{Event, ExhibitRef, Head, Offer};
use crate::format::ids::MemberId;
use crate::format::pouch::rank;
use crate::store::RelPath;
use crate::vault::custody::handovers::Handovers;
use crate::vault::custody::offer::{event, is_under};
use crate::vault::custody::say;
use crate::vault::history::{History, Place};
use crate::vault::pouch::PouchError;
use crate::vault::{Setting, VaultError, labels};

impl Packing<'_> {
    /// An offer of this person's to one of those for whom she packs.
    pub(super) fn own_offer<'h>(&self, history: &'h History, place: Place) -> Result<&'h Offer, VaultError> {
        let entry = || labels::entry_label(history, place);
        let Event::Offer(offer) = &history.told(place).entry.event else {
            return Err(VaultError::NotAnOffer { entry: entry() });
        };
        let is_hers = history.logs[&place.log].member == self.person.member();
        let is_theirs = self.to.iter().any(|(member, _)| *member == offer.to);
        if is_hers && is_theirs { Ok(offer) } else { Err(VaultError::Pouch(PouchError::NotToThem { offer: entry() })) }
    }

    /// Offers to each receiver what goes and does not stand in an offer to her yet. The entries go with the pouch. Returns their
    /// labels, each with the receiver's name.
    pub(super) fn offer(
        &mut self,
        setting: &mut Setting<'_>,
        request: &PackRequest<'_>,
        exhibits: &Chosen,
        offered: &[(Place, MemberId)],
        pieces: &mut Vec<Piece>,
    ) -> Result<Vec<(String, String)>, VaultError> {
        let history = self.session.history()?;
        let handovers = Handovers::of(history);
        let mut offers = Vec::new();
        let mut heads: Vec<Head> = history.logs.values().map(|log| log.head).collect();
        for (member, name) in &self.to {
            let hers: Vec<Place> =
                offered.iter().filter(|(_, to)| to == member).map(|(place, _)| *place).collect();
            offers.extend(hers.iter().map(|place| (labels::entry_label(history, *place), name.clone())));
            // What is kept for oneself is handed to nobody.
            let parts = match hers.as_slice() {
                _ if *member == self.person.member() => Vec::new(),
                [] => exhibits.offered(),
                hers => beyond(history, exhibits, hers),
            };
            for part in parts {
                let event = event(*member, part, heads.clone(), request.told)?;
                if let Some(place) = self.left_standing(history, &handovers, &event) {
                    offers.push((labels::entry_label(history, place), name.clone()));
                    continue;
                }
                let said = say(setting, &self.session, self.person, &mut self.own, event)?;
                heads.retain(|head| head.log != said.head.log);
                heads.push(said.head);
                heads.sort_unstable();
                offers.push((said.label, name.clone()));
                self.take_signed(pieces)?;
            }
        }
        Ok(offers)
    }

    /// An offer in the same words that nobody answered and no pouch carried: an earlier run did not come to its pouch.
    fn left_standing(&self, history: &History, handovers: &Handovers, event: &Event) -> Option<Place> {
        let Event::Offer(wanted) = event else { return None };
        let in_words = |offer: &Offer| Offer { heads: Vec::new(), ..offer.clone() };
        handovers.uncarried().filter(|place| place.log == self.own.id()).find(|place| {
            let Event::Offer(offer) = &history.told(*place).entry.event else { return false };
            // One of everything is of what was sealed by then.
            let is_of_all = || history.sealings().all(|sealing| is_under(offer, sealing.place));
            in_words(offer) == in_words(wanted) && (!offer.exhibits.is_empty() || is_of_all())
        })
    }

    /// Adds the entry that was signed last, and its state, behind others of their kind.
    fn take_signed(&self, pieces: &mut Vec<Piece>) -> Result<(), VaultError> {
        let last = self.session.memory.last_change(&self.session.vault, &self.own.id())?;
        let (_, change) = last.expect("an entry was just written down");
        for (path, content) in change.files() {
            let rank_of = |path: &RelPath| rank(&path.to_string());
            let last = pieces.partition_point(|other| rank_of(&other.path()) <= rank_of(&path));
            pieces.insert(last, Piece::Signed { path, content: content.to_vec() });
        }
        Ok(())
    }
}

/// What goes beyond these offers to one member.
fn beyond(history: &History, exhibits: &Chosen, offers: &[Place]) -> Vec<Vec<ExhibitRef>> {
    let (mut named, mut of_everything) = (BTreeSet::new(), Vec::new());
    for place in offers {
        let Event::Offer(offer) = &history.told(*place).entry.event else { continue };
        named.extend(offer.exhibits.iter().copied());
        of_everything.extend(Some(offer).filter(|offer| offer.exhibits.is_empty()));
    }
    exhibits.named(|exhibit, sealing| {
        !named.contains(exhibit) && !of_everything.iter().any(|offer| is_under(offer, sealing))
    })
}
