//! The custody story of a vault, or of one exhibit, in causal order: nothing of it is left out, and what does not count says
//! so. Of a log with two signed histories it tells the one that counts, and that there is another (`contradictions`). Times
//! are what devices claimed; nothing here proves them.

use std::collections::BTreeMap;

use super::super::exhibits::{self, Sought};
use super::super::findings::Finding;
use super::super::history::{History, Place, Standing, Told};
use super::super::session::{Request, Session};
use super::super::{Setting, VaultError, labels};
use super::concern::{Subject, offers};
use super::handovers::{Handovers, NoAnswer, Status, answers};
use crate::format::event::{Event, ExhibitRef, Seal};
use crate::format::ids::MemberId;

/// A story, ready to be told entry by entry.
pub struct Story {
    pub(super) session: Session,
    pub(super) handovers: Handovers,
    pub(super) exhibit: Option<(Sought, Subject)>,
    /// For each entry that somebody adopted: where.
    adopted: BTreeMap<Place, Vec<Place>>,
}

/// One entry of a story.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Where it stands.
    pub place: Place,
    /// How people call it.
    pub label: String,
    /// Whose log it stands in.
    pub member: MemberId,
    /// The entry, with its standing.
    pub told: &'a Told,
    /// The member was admitted by a sealer alone, and no owner has agreed.
    pub unconfirmed: bool,
    /// Exhibits that it names, by label.
    pub exhibits: Vec<String>,
    /// Of an offer that counts.
    pub status: Option<Status>,
    /// Of an offer that counts: its answers, by label.
    pub answers: Vec<String>,
    /// Of an answer: the offer that it names, by label where this copy has it.
    pub offer: Option<String>,
    /// Of an answer: why it is none.
    pub no_answer: Option<NoAnswer>,
    /// Events by which it was adopted, by label.
    pub adopted: Vec<String>,
}

/// Reads the story of a vault, or of the exhibit that was typed.
pub fn story(setting: &mut Setting<'_>, request: &Request<'_>, typed: Option<&str>) -> Result<Story, VaultError> {
    let session = Session::open_to_tell(setting, request)?;
    session.history()?;
    let exhibit = typed.map(|typed| exhibits::find_to_tell(&session, typed)).transpose()?;
    Story::of(session, exhibit)
}

impl Story {
    /// The story that a session's history tells.
    pub fn of(session: Session, exhibit: Option<Sought>) -> Result<Self, VaultError> {
        let history = session.history()?;
        let handovers = Handovers::of(history);
        let exhibit = exhibit.map(|exhibit| {
            let mut subject = Subject::new(history, &exhibit);
            subject.look_for(history, &offers(history));
            (exhibit, subject)
        });
        let adopted = adopted(history);
        Ok(Self { session, handovers, exhibit, adopted })
    }

    /// The history it is told from.
    pub fn history(&self) -> &History {
        self.session.history.as_ref().expect("a story is made from a session with a history")
    }

    /// The exhibit it is about, if it is about one.
    pub fn exhibit(&self) -> Option<&Sought> {
        self.exhibit.as_ref().map(|(exhibit, _)| exhibit)
    }

    /// All entries that belong to it, in causal order; each is made when it is asked for.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.places().map(|place| self.line(place))
    }

    /// The entry at a place, as the story tells it.
    pub fn line(&self, place: Place) -> Line<'_> {
        let history = self.history();
        let told = history.told(place);
        let member = history.logs[&place.log].member;
        let label = |place: &Place| labels::entry_label(history, *place);
        let handover = self.handovers.get(place);
        let (offer, no_answer) = self.answered(place, told);
        Line {
            place,
            label: label(&place),
            member,
            told,
            unconfirmed: is_unconfirmed(history, member),
            exhibits: self.exhibits_of(place, &told.entry.event),
            status: handover.map(|handover| handover.status).or_else(|| self.handovers.of_pouch(place)),
            answers: handover.map(|handover| handover.answers.iter().map(label).collect()).unwrap_or_default(),
            offer,
            no_answer,
            // An adoption by somebody no nearer the founder is without effect.
            adopted: self
                .adopted
                .get(&place)
                .filter(|_| told.standing == Standing::Counted)
                .into_iter()
                .flatten()
                .map(label)
                .collect(),
        }
    }

    /// Offers that nobody has answered, in causal order.
    pub fn pending(&self) -> impl Iterator<Item = Place> + '_ {
        self.handovers.pending().filter(|place| self.tells(*place))
    }

    /// All offers that count and belong to the story.
    pub fn offers(&self) -> impl Iterator<Item = Place> + '_ {
        self.handovers.offers().map(|(place, _)| place).filter(|place| self.tells(*place))
    }

    /// To whom an offer of this story was made.
    pub fn receiver(&self, offer: Place) -> MemberId {
        self.handovers.receiver(offer)
    }

    /// Stretches of which somebody said that custody was not recorded, in causal order.
    pub fn gaps(&self) -> impl Iterator<Item = Place> + '_ {
        self.places().filter(|place| {
            let told = self.history().told(*place);
            told.standing == Standing::Counted && matches!(told.entry.event, Event::Gap { .. })
        })
    }

    /// What is wrong with the logs it is told from: an entry may be missing, or another history may stand beside them; and why
    /// the row of the exhibit that it is about cannot be read.
    pub fn troubles(&self) -> Vec<&Finding> {
        let unread = self.exhibit.as_ref().and_then(|(exhibit, _)| exhibit.read.as_ref().err());
        self.session.of_logs().chain(unread).collect()
    }

    fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.history().order.iter().copied().filter(|place| self.tells(*place))
    }

    fn tells(&self, place: Place) -> bool {
        let Some((_, subject)) = &self.exhibit else { return true };
        subject.is_concerned(&self.handovers, place, self.history().told(place))
    }

    fn answered(&self, place: Place, told: &Told) -> (Option<String>, Option<NoAnswer>) {
        let history = self.history();
        let Some(offer) = answers(&told.entry.event) else { return (None, None) };
        let there = Place { log: offer.log, seq: offer.seq };
        let label = history.leaf_at(offer).map(|_| labels::entry_label(history, there));
        (label, self.handovers.offer_meant(history, place, offer).err())
    }

    /// Labels of the exhibits that an event names.
    fn exhibits_of(&self, place: Place, event: &Event) -> Vec<String> {
        let history = self.history();
        let of = |exhibits: &[ExhibitRef]| -> Vec<String> {
            exhibits.iter().map(|exhibit| labels::reference_label(history, exhibit)).collect()
        };
        match event {
            Event::Seal(seal) => self.sealed(place, seal),
            Event::Amend { exhibit, .. } | Event::Withdraw { exhibit, .. } | Event::Disclose { exhibit, .. } => {
                of(&[*exhibit])
            }
            Event::Offer(offer) => of(&offer.exhibits),
            Event::Open { exhibits, .. } => of(exhibits),
            Event::Pack { exhibits, .. } => of(exhibits.as_deref().unwrap_or_default()),
            Event::Note { exhibit, .. } | Event::Gap { exhibit, .. } => of(exhibit.as_slice()),
            _ => Vec::new(),
        }
    }

    fn sealed(&self, place: Place, seal: &Seal) -> Vec<String> {
        let history = self.history();
        let handle = &history.logs[&place.log].handle;
        // Only where two logs share a handle do labels need the hashes of the rows, and the inventory be opened.
        if history.is_shared(handle)
            && let Some(sealing) = history.sealing(place, history.told(place))
            && let Ok(rows) = exhibits::rows(&self.session, &sealing)
        {
            return rows.iter().map(|(row, _)| labels::label(history, row)).collect();
        }
        seal.numbers().map(|number| labels::exhibit_label(handle, number)).collect()
    }
}

/// Entries that counted ones adopt.
fn adopted(history: &History) -> BTreeMap<Place, Vec<Place>> {
    let mut adopted: BTreeMap<Place, Vec<Place>> = BTreeMap::new();
    for (place, told) in history.counted() {
        let Event::Adopt { entries } = &told.entry.event else { continue };
        for entry in entries.iter().filter(|entry| history.leaf_at(entry) == Some(entry.leaf)) {
            adopted.entry(Place { log: entry.log, seq: entry.seq }).or_default().push(place);
        }
    }
    adopted
}

fn is_unconfirmed(history: &History, member: MemberId) -> bool {
    history.members.get(&member).is_some_and(|member| member.grants.iter().all(|grant| !grant.confirmed))
}
