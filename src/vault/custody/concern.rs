//! Which entries concern one exhibit: its sealing, what names it, and what speaks of everything at a time when it was
//! sealed already.

use std::collections::BTreeSet;

use super::super::exhibits::Sought;
use super::super::history::{History, Place, Told};
use super::discrepancies::MORE;
use super::handovers::{Handovers, answers};
use super::offer::is_under;
use crate::crypto::hash::Hash;
use crate::format::event::{Acknowledge, Event, ExhibitRef, Head};
use crate::format::ids::LogId;
use crate::store::layout;

/// One exhibit, as entries can speak of it.
pub(super) struct Subject {
    log: LogId,
    number: u64,
    sealed: Place,
    blobs: BTreeSet<Hash>,
    /// Its label and the paths of its blobs and of what lists them: what a discrepancy can be about.
    subjects: BTreeSet<String>,
    /// Whether its row, which names its blobs, could be read.
    has_row: bool,
    /// Offers that it is a part of, whether they count or not.
    offers: BTreeSet<Place>,
}

/// What an acknowledgement says of one exhibit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It was here and whole.
    Whole,
    /// It was not.
    Amiss,
    /// What did not agree may be about this exhibit: there was more than the entry lists, or its own files are not known here.
    Unsaid,
}

/// Every offer, whether it counts or not.
pub(super) fn offers(history: &History) -> Vec<Place> {
    let is_offer = |place: &&Place| matches!(history.told(**place).entry.event, Event::Offer(_));
    history.order.iter().filter(is_offer).copied().collect()
}

impl Subject {
    /// An exhibit of which no offer is known yet: see [`Self::look_for`].
    pub(super) fn new(history: &History, sought: &Sought) -> Self {
        let exhibit = sought.read.as_ref().ok();
        let blobs: BTreeSet<Hash> = exhibit.into_iter().flat_map(|exhibit| exhibit.blobs.iter().copied()).collect();
        // Where the inventory or its manifest is gone, nobody can say which blobs are the exhibit's.
        let listed = match &history.told(sought.place).entry.event {
            Event::Seal(seal) => {
                let is_its = |key| exhibit.is_some_and(|exhibit| exhibit.row.key == key);
                let manifests = seal.manifests.iter().filter(|manifest| is_its(manifest.key));
                manifests.map(|manifest| manifest.blob).chain([seal.inventory]).collect()
            }
            _ => Vec::new(),
        };
        let paths = blobs.iter().copied().chain(listed).map(|blob| layout::blob(blob).to_string());
        Self {
            log: sought.place.log,
            number: sought.number,
            sealed: sought.place,
            subjects: paths.chain([sought.id.clone()]).collect(),
            blobs,
            has_row: exhibit.is_some(),
            offers: BTreeSet::new(),
        }
    }

    /// Takes in those of these offers that it is a part of.
    pub(super) fn look_for(&mut self, history: &History, offers: &[Place]) {
        for place in offers {
            if let Event::Offer(offer) = &history.told(*place).entry.event
                && self.is_part(&offer.exhibits, &offer.heads)
            {
                self.offers.insert(*place);
            }
        }
    }

    /// Whether an entry concerns it.
    pub(super) fn is_concerned(&self, handovers: &Handovers, place: Place, told: &Told) -> bool {
        let event = &told.entry.event;
        let after = || told.had_seen(place, self.sealed);
        match event {
            Event::Seal(_) => place == self.sealed,
            Event::Amend { exhibit, .. } | Event::Withdraw { exhibit, .. } | Event::Disclose { exhibit, .. } => {
                self.is_it(exhibit)
            }
            Event::Offer(_) => self.offers.contains(&place),
            Event::Acknowledge(_) | Event::Decline { .. } => {
                let named = answers(event).map(|offer| Place { log: offer.log, seq: offer.seq });
                handovers.offer_of(place).or(named).is_some_and(|offer| self.offers.contains(&offer))
            }
            Event::Open { exhibits, .. } => exhibits.iter().any(|exhibit| self.is_it(exhibit)),
            Event::Pack { exhibits, .. } => exhibits.as_ref().map_or_else(after, |exhibits| self.is_named(exhibits)),
            Event::Verify { heads, .. } => self.is_under(heads),
            Event::Note { exhibit, .. } => exhibit.as_ref().is_some_and(|exhibit| self.is_it(exhibit)),
            // Where custody of everything was not recorded, custody of this was not.
            Event::Gap { exhibit, .. } => exhibit.as_ref().map_or_else(after, |exhibit| self.is_it(exhibit)),
            // Without its row, any blob may be one of its own.
            Event::Dispose { blobs, .. } => !self.has_row || blobs.iter().any(|blob| self.blobs.contains(blob)),
            Event::Adopt { entries } => {
                entries.iter().any(|entry| entry.log == self.sealed.log && entry.seq == self.sealed.seq)
            }
            Event::Found(_)
            | Event::Admit(_)
            | Event::Remove(_)
            | Event::Rotate { .. }
            | Event::Share { .. }
            | Event::Stamp { .. }
            | Event::Anchor { .. }
            | Event::Close { .. } => false,
        }
    }

    /// What an acknowledgement of an offer that it is a part of says of this exhibit.
    pub(super) fn found(&self, said: &Acknowledge) -> Found {
        let is_named = said.discrepancies.iter().any(|found| self.subjects.contains(&found.subject));
        // Without its row, any blob may be one of its own.
        let may_be = |subject: &str| !self.has_row && subject.starts_with(&format!("{}/", layout::blobs()));
        // In a copy whose logs did not reach its sealing it was not, whatever the discrepancy is told about.
        if is_named || !self.is_under(&said.heads) {
            Found::Amiss
        } else if said.discrepancies.iter().any(|found| found.check == MORE || may_be(&found.subject)) {
            Found::Unsaid
        } else {
            Found::Whole
        }
    }

    /// Where it was sealed.
    pub(super) fn sealed(&self) -> Place {
        self.sealed
    }

    fn is_it(&self, exhibit: &ExhibitRef) -> bool {
        (exhibit.log, exhibit.number) == (self.log, self.number)
    }

    fn is_named(&self, exhibits: &[ExhibitRef]) -> bool {
        exhibits.iter().any(|exhibit| self.is_it(exhibit))
    }

    /// Part of what is handed over: by name, or with everything.
    fn is_part(&self, exhibits: &[ExhibitRef], heads: &[Head]) -> bool {
        if exhibits.is_empty() { self.is_under(heads) } else { self.is_named(exhibits) }
    }

    fn is_under(&self, heads: &[Head]) -> bool {
        is_under(heads, self.sealed)
    }
}
