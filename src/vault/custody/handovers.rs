//! Handovers: each offer that counts, with its answers and the status that follows (FORMAT § 7.4). Whoever answers may
//! do so from two devices that have not met: so the status does not depend on which answer stands first.

use std::collections::BTreeMap;

use super::super::history::{History, Place, Standing};
use crate::format::event::{EntryRef, Event};
use crate::format::ids::{LogId, MemberId};

/// How far a handover has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nobody has answered.
    Pending,
    /// The receiver refused it, and never acknowledged.
    Declined,
    /// The receiver recomputed every hash and found nothing amiss.
    Acknowledged,
    /// The receiver signed what did not agree.
    Discrepant,
}

impl Status {
    /// As people and scripts see it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Declined => "declined",
            Self::Acknowledged => "acknowledged",
            Self::Discrepant => "acknowledged with discrepancies",
        }
    }
}

/// One offer that counts.
#[derive(Clone, Debug)]
pub struct Handover {
    /// To whom.
    pub to: MemberId,
    /// What the receiver's answers come to.
    pub status: Status,
    /// The receiver's answers that count, in causal order.
    pub answers: Vec<Place>,
}

/// Why an entry is no answer to a handover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// This copy has no such entry.
    NotHere,
    /// The entry is no offer, another one stands there, or it does not count.
    NoOffer,
    /// It was made to somebody else.
    NotToThem,
    /// The answer itself does not count.
    NotCounted,
}

/// All handovers of a vault.
#[derive(Clone, Debug, Default)]
pub struct Handovers {
    /// Offers that count, in causal order.
    offers: Vec<Place>,
    by_offer: BTreeMap<Place, Handover>,
    /// For each answer that is one: the offer.
    answered: BTreeMap<Place, Place>,
    /// For each pouch that was packed: the offers that it carries.
    packed: BTreeMap<Place, Vec<Place>>,
}

impl Handovers {
    /// Collects them, each entry looked at once.
    pub fn of(history: &History) -> Self {
        let mut all = Self::default();
        // By log and receiver; a log's own entries come in their order.
        let mut last: BTreeMap<(LogId, MemberId), Place> = BTreeMap::new();
        for (place, told) in history.counted() {
            match &told.entry.event {
                Event::Offer(offer) => {
                    let handover = Handover { to: offer.to, status: Status::Pending, answers: Vec::new() };
                    all.by_offer.insert(place, handover);
                    all.offers.push(place);
                    last.insert((place.log, offer.to), place);
                }
                Event::Pack { to, .. } => {
                    let carried = to.iter().filter_map(|member| last.get(&(place.log, *member)).copied());
                    all.packed.insert(place, carried.collect());
                }
                _ => {}
            }
        }
        // A second time: an answer can stand before its offer where a copy lacks what would order them.
        for (place, told) in history.counted() {
            let Some(offer) = answers(&told.entry.event) else { continue };
            let Ok(offer) = all.offer_meant(history, place, offer) else { continue };
            let handover = all.by_offer.get_mut(&offer).expect("it was just found");
            handover.answers.push(place);
            handover.status = handover.status.max(outcome(&told.entry.event));
            all.answered.insert(place, offer);
        }
        all
    }

    /// The handover that begins at a place.
    pub fn get(&self, offer: Place) -> Option<&Handover> {
        self.by_offer.get(&offer)
    }

    /// The offer that an entry answers.
    pub fn offer_of(&self, answer: Place) -> Option<Place> {
        self.answered.get(&answer).copied()
    }

    /// How far the handover has come for which a pouch was packed: pending while one of its receivers has not answered.
    pub fn of_pouch(&self, pack: Place) -> Option<Status> {
        let offers = self.packed.get(&pack)?.iter().map(|offer| self.by_offer[offer].status);
        let all: Vec<Status> = offers.collect();
        if all.contains(&Status::Pending) { Some(Status::Pending) } else { all.into_iter().max() }
    }

    /// All offers that count, in causal order.
    pub fn offers(&self) -> impl Iterator<Item = (Place, &Handover)> {
        self.offers.iter().map(|place| (*place, &self.by_offer[place]))
    }

    /// Offers without an answer, in causal order.
    pub fn pending(&self) -> impl Iterator<Item = Place> + '_ {
        self.offers().filter(|(_, handover)| handover.status == Status::Pending).map(|(place, _)| place)
    }

    /// To whom an offer was made.
    ///
    /// # Panics
    ///
    /// When none that counts stands there.
    pub fn receiver(&self, offer: Place) -> MemberId {
        self.by_offer[&offer].to
    }

    /// The offer that an answer at `place` means, or why it answers none.
    pub fn offer_meant(&self, history: &History, place: Place, offer: &EntryRef) -> Result<Place, NoAnswer> {
        if history.told(place).standing != Standing::Counted {
            return Err(NoAnswer::NotCounted);
        }
        let there = history.leaf_at(offer).ok_or(NoAnswer::NotHere)?;
        let meant = Place { log: offer.log, seq: offer.seq };
        let handover = self.by_offer.get(&meant).filter(|_| there == offer.leaf).ok_or(NoAnswer::NoOffer)?;
        if history.logs[&place.log].member == handover.to { Ok(meant) } else { Err(NoAnswer::NotToThem) }
    }
}

/// The offer that an event speaks of, if it is an answer.
pub(super) fn answers(event: &Event) -> Option<&EntryRef> {
    match event {
        Event::Acknowledge(acknowledge) => Some(&acknowledge.offer),
        Event::Decline { offer, .. } => Some(offer),
        _ => None,
    }
}

fn outcome(event: &Event) -> Status {
    match event {
        Event::Acknowledge(acknowledge) if acknowledge.discrepancies.is_empty() => Status::Acknowledged,
        Event::Acknowledge(_) => Status::Discrepant,
        _ => Status::Declined,
    }
}
