//! Handovers: each offer that counts, with its answers and the status that follows (FORMAT § 7.4). Whoever answers may
//! do so from two devices that have not met: so the status does not depend on which answer stands first.

use std::collections::{BTreeMap, BTreeSet};

use super::super::history::{History, Place, Sizes, Standing};
use crate::crypto::hash::Hash;
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
    /// Of a pouch without exhibits, which offers nothing: each receiver has since said something that shows her to have seen
    /// what it carried.
    Answered,
}

impl Status {
    /// As people and scripts see it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Declined => "declined",
            Self::Acknowledged => "acknowledged",
            Self::Discrepant => "acknowledged with discrepancies",
            Self::Answered => "answered",
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
    /// For each `pack` entry: what can be answered of its pouch.
    packed: BTreeMap<Place, Carried>,
    /// The offers that each pouch carries, by the log of those who packed it.
    carried: BTreeMap<(LogId, Hash), BTreeSet<Place>>,
}

/// What can be answered of a pouch.
#[derive(Clone, Debug)]
enum Carried {
    /// The offers that it carries.
    Offers(Hash),
    /// It has no exhibits; whether each receiver has shown to have seen what it carried.
    Nothing(Option<Status>),
}

impl Handovers {
    /// Collects them, each entry looked at once.
    pub fn of(history: &History) -> Self {
        let mut all = Self::default();
        let mut seen = Seen::default();
        for (place, told) in history.counted() {
            match &told.entry.event {
                Event::Offer(offer) => {
                    let handover = Handover { to: offer.to, status: Status::Pending, answers: Vec::new() };
                    all.by_offer.insert(place, handover);
                    all.offers.push(place);
                }
                Event::Pack { to, exhibits: Some(exhibits), offers, .. }
                    if exhibits.is_empty() && offers.is_empty() =>
                {
                    all.packed.insert(place, Carried::Nothing(seen.of_pouch(history, place, to)));
                }
                Event::Pack { to, offers, pouch, .. } => {
                    let offers = offers.iter().map(|seq| Place { log: place.log, seq: *seq });
                    // A log's own entries come in their order: what stands behind is not known yet.
                    let made = offers.filter(|at| all.by_offer.get(at).is_some_and(|offer| to.contains(&offer.to)));
                    all.carried.entry((place.log, *pouch)).or_default().extend(made);
                    all.packed.insert(place, Carried::Offers(*pouch));
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

    /// How far the handover has come for which a pouch was packed: pending while one of its receivers has not answered. Of one
    /// without exhibits, whether its receivers have shown to have seen what it carried.
    pub fn of_pouch(&self, pack: Place) -> Option<Status> {
        let offers = match self.packed.get(&pack)? {
            Carried::Offers(pouch) => &self.carried[&(pack.log, *pouch)],
            Carried::Nothing(status) => return *status,
        };
        let all: Vec<Status> = offers.iter().map(|offer| self.by_offer[offer].status).collect();
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

    /// Of these, offers that no pouch is said to carry.
    pub fn uncarried(&self) -> impl Iterator<Item = Place> + '_ {
        let carried: BTreeSet<Place> = self.carried.values().flatten().copied().collect();
        self.pending().filter(move |place| !carried.contains(place))
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

/// What members have shown to have seen, each looked at once.
#[derive(Default)]
struct Seen(BTreeMap<MemberId, Sizes>);

impl Seen {
    /// How far a pouch has come that offers nothing; `None` where it was packed for nobody but its author.
    fn of_pouch(&mut self, history: &History, pack: Place, to: &[MemberId]) -> Option<Status> {
        let author = history.logs[&pack.log].member;
        let mut status = None;
        for member in to.iter().filter(|member| **member != author) {
            let seen = self.0.entry(*member).or_insert_with(|| seen_by(history, *member));
            // It carried what stands before the entry that tells of it.
            if seen.get(&pack.log).is_none_or(|size| *size < pack.seq) {
                return Some(Status::Pending);
            }
            status = Some(Status::Answered);
        }
        status
    }
}

/// What a member has shown to have seen: by her own logs, as far as they are here.
pub(in crate::vault) fn seen_by(history: &History, member: MemberId) -> Sizes {
    let mut seen = Sizes::new();
    for log in history.logs.values().filter(|log| log.member == member) {
        for (id, size) in log.seen() {
            let known = seen.entry(id).or_default();
            *known = size.max(*known);
        }
    }
    seen
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
