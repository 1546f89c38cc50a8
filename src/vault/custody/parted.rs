//! Between which two statements an exhibit stopped being whole. Nobody is named as having had it who did not have the copy that
//! went on: of several copies on several roads, each tells of its own road alone.

use std::collections::BTreeSet;

use super::super::exhibits::{self, Exhibit, Sought};
use super::super::history::{Place, Sealing};
use super::super::labels::label;
use super::concern::{Found, Subject, offers};
use super::offer::is_under;
use super::story::Story;
use crate::format::event::{Acknowledge, Event};
use crate::format::ids::MemberId;

/// Between which two statements an exhibit stopped being whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted {
    /// The last statement before, by whoever gave it away, that she had it whole: her acknowledgement, or her sealing of it.
    /// `None` where she had said nothing of the kind.
    pub whole: Option<Place>,
    /// Whoever gave it away.
    pub giver: MemberId,
    /// The offer with which she did.
    pub offer: Place,
    /// The first acknowledgement that did not find it whole.
    pub amiss: Place,
}

impl Story {
    /// Where the exhibit that the story is about stopped being whole; `None` where no acknowledgement says so, or the story
    /// is about the vault.
    pub fn parted(&self) -> Option<Parted> {
        let (_, subject) = self.exhibit.as_ref()?;
        self.parted_of(subject, &self.acknowledgements())
    }

    /// The same of every exhibit of the vault, by label, in causal order of their sealings. Of a sealing whose inventory cannot
    /// be read nobody can say which files are whose.
    pub fn all_parted(&self) -> Vec<(String, Parted)> {
        let (history, acknowledgements) = (self.history(), self.acknowledgements());
        let (offers, mut all) = (offers(history), Vec::new());
        for sealing in history.sealings() {
            let suspects: Vec<Place> =
                acknowledgements.iter().copied().filter(|place| self.is_suspect(*place, &sealing)).collect();
            // Every inventory is opened for it: only where there is something to look for.
            if suspects.is_empty() {
                continue;
            }
            let rows = exhibits::rows(&self.session, &sealing).unwrap_or_default();
            for (index, (row, blobs)) in (0..).zip(rows) {
                let exhibit =
                    Sought::from(Exhibit { id: label(history, &row), row, blobs, place: sealing.place, index });
                let mut subject = Subject::new(history, &exhibit);
                let is_amiss = |place: &Place| self.found(&subject, *place) == Some(Found::Amiss);
                if suspects.iter().any(is_amiss) {
                    subject.look_for(history, &offers);
                    let parted = self.parted_of(&subject, &acknowledgements);
                    all.extend(parted.map(|parted| (exhibit.id, parted)));
                }
            }
        }
        all
    }

    /// Acknowledgements that answer an offer, in causal order.
    fn acknowledgements(&self) -> Vec<Place> {
        let history = self.history();
        let answers = history.order.iter().copied().filter(|place| self.handovers.offer_of(*place).is_some());
        answers.filter(|place| matches!(history.told(*place).entry.event, Event::Acknowledge(_))).collect()
    }

    fn acknowledgement(&self, place: Place) -> Option<&Acknowledge> {
        match &self.history().told(place).entry.event {
            Event::Acknowledge(said) => Some(said),
            _ => None,
        }
    }

    /// What an acknowledgement says of an exhibit, be it about it or not.
    fn found(&self, subject: &Subject, place: Place) -> Option<Found> {
        self.acknowledgement(place).map(|said| subject.found(said))
    }

    /// Whether an acknowledgement may say of an exhibit of this sealing that it was not whole.
    fn is_suspect(&self, place: Place, sealing: &Sealing<'_>) -> bool {
        let Some(said) = self.acknowledgement(place) else { return false };
        if !said.discrepancies.is_empty() {
            return true;
        }
        if is_under(&said.heads, sealing.place) {
            return false;
        }
        let offer = self.handovers.offer_of(place).map(|offer| &self.history().told(offer).entry.event);
        let Some(Event::Offer(offer)) = offer else { return false };
        let mut named = offer.exhibits.iter();
        if offer.exhibits.is_empty() {
            is_under(&offer.heads, sealing.place)
        } else {
            named.any(|exhibit| exhibit.log == sealing.place.log && sealing.seal.numbers().contains(&exhibit.number))
        }
    }

    fn parted_of(&self, subject: &Subject, acknowledgements: &[Place]) -> Option<Parted> {
        let history = self.history();
        let mut whole = BTreeSet::new();
        for place in acknowledgements.iter().copied() {
            if !subject.is_concerned(&self.handovers, place, history.told(place)) {
                continue;
            }
            match self.found(subject, place)? {
                Found::Whole => drop(whole.insert(place)),
                Found::Unsaid => {}
                Found::Amiss => {
                    let offer = self.handovers.offer_of(place)?;
                    let giver = history.logs[&offer.log].member;
                    return Some(Parted {
                        whole: self.had_whole(subject, &whole, offer, giver),
                        giver,
                        offer,
                        amiss: place,
                    });
                }
            }
        }
        None
    }

    /// The last time before an offer that its giver said that she had the exhibit whole.
    fn had_whole(&self, subject: &Subject, whole: &BTreeSet<Place>, offer: Place, giver: MemberId) -> Option<Place> {
        let history = self.history();
        let is_hers = |place: &Place| history.logs[&place.log].member == giver;
        let before = |place: &Place| history.told(offer).had_seen(offer, *place);
        let said = history.order.iter().rev().copied();
        said.filter(|place| whole.contains(place) || *place == subject.sealed()).filter(is_hers).find(before)
    }
}
