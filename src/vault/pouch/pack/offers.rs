//! The offers that a pouch carries: a new one to each receiver, or one that stands already.

use super::super::select::Chosen;
use super::super::write::Piece;
use super::{PackRequest, Packing};
use crate::format::event::{Event, ExhibitRef, Head, Offer};
use crate::format::ids::MemberId;
use crate::format::pouch::rank;
use crate::store::RelPath;
use crate::vault::custody::handovers::Handovers;
use crate::vault::custody::offer::{Circumstances, event, is_under};
use crate::vault::custody::say;
use crate::vault::history::{History, Place};
use crate::vault::pouch::PouchError;
use crate::vault::{Setting, VaultError, labels};

/// Offers of the person's that stand already and that she named, by their places.
pub(super) type Standing<'h> = Vec<(Place, &'h Offer)>;

/// An offer that goes with the pouch.
pub(super) struct Made {
    pub(super) place: Place,
    /// How people call it.
    pub(super) label: String,
    /// The receiver's name.
    pub(super) name: String,
}

/// What one receiver is to be offered.
pub(super) struct Due {
    member: MemberId,
    name: String,
    /// Offers to her that stand already and go with the pouch.
    standing: Vec<Place>,
    /// What each new one names; nothing for everything.
    pub(super) parts: Vec<Vec<ExhibitRef>>,
}

impl Packing<'_> {
    /// What each receiver is to be offered: what goes and does not stand in an offer to her yet. Words of a person who offers
    /// nothing new would stand nowhere.
    pub(super) fn due(
        &self,
        exhibits: &Chosen,
        offered: &[(Place, &Offer)],
        told: &Circumstances,
    ) -> Result<Vec<Due>, VaultError> {
        let history = self.session.history()?;
        let due: Vec<Due> = self
            .to
            .iter()
            .map(|(member, name)| {
                let hers = offered.iter().copied().filter(|(_, offer)| offer.to == *member);
                let (standing, hers): (Vec<Place>, Vec<&Offer>) = hers.unzip();
                let parts = match hers.as_slice() {
                    // What is kept for oneself is handed to nobody.
                    _ if *member == self.person.member() => Vec::new(),
                    [] => exhibits.offered(),
                    hers => exhibits.beyond(hers),
                };
                Due { member: *member, name: name.clone(), standing, parts }
            })
            .collect();
        let is_new = due.iter().any(|due| !due.parts.is_empty());
        if !is_new && !offered.is_empty() && *told != Circumstances::default() {
            let offers = offered.iter().map(|(place, _)| labels::entry_label(history, *place)).collect();
            return Err(VaultError::Pouch(PouchError::StandsAsItIs { offers }));
        }
        Ok(due)
    }

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

    /// Offers what is due. The entries go with the pouch. Returns all offers that do.
    pub(super) fn offer(
        &mut self,
        setting: &mut Setting<'_>,
        request: &PackRequest<'_>,
        due: Vec<Due>,
        pieces: &mut Vec<Piece>,
    ) -> Result<Vec<Made>, VaultError> {
        let history = self.session.history()?;
        let handovers = Handovers::of(history);
        let mut offers = Vec::new();
        let mut heads: Vec<Head> = history.logs.values().map(|log| log.head).collect();
        for Due { member, name, standing, parts } in due {
            let stands = |place: Place| Made { place, label: labels::entry_label(history, place), name: name.clone() };
            offers.extend(standing.iter().copied().map(stands));
            for part in parts {
                let event = event(member, part, heads.clone(), request.told)?;
                if let Some(place) = self.left_standing(history, &handovers, &event) {
                    offers.push(stands(place));
                    continue;
                }
                let said = say(setting, &self.session, self.person, &mut self.own, event)?;
                heads.retain(|head| head.log != said.head.log);
                heads.push(said.head);
                heads.sort_unstable();
                let place = Place { log: said.head.log, seq: said.head.size - 1 };
                offers.push(Made { place, label: said.label, name: name.clone() });
                self.take_signed(pieces)?;
            }
        }
        Ok(offers)
    }

    /// An offer in the same words that nobody answered and no pouch carried: an earlier run did not come to its pouch.
    fn left_standing(&self, history: &History, handovers: &Handovers, event: &Event) -> Option<Place> {
        let Event::Offer(wanted) = event else { return None };
        let in_words = |offer: &Offer| {
            let mut words = Offer { heads: Vec::new(), ..offer.clone() };
            // In which order people named them, or an older program did, says nothing.
            words.exhibits.sort_unstable();
            words
        };
        handovers.uncarried().filter(|place| place.log == self.own.id()).find(|place| {
            let Event::Offer(offer) = &history.told(*place).entry.event else { return false };
            // One of everything is of what was sealed by then.
            let is_of_all = || history.sealings().all(|sealing| is_under(&offer.heads, sealing.place));
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
