//! What members say of custody: who handed what to whom, what was found then, what was not written down at the time,
//! and whose consent was taken back. One verb a room; each adds one entry to this device's own log.
//!
//! - [`offer`], [`acknowledge`], [`decline`]: the two sides of a handover
//! - [`note`], [`withdraw`]: what else is said
//! - [`arrived`]: whether what was offered lies here
//! - [`handovers`]: every offer with its answers, and the status that follows
//! - [`discrepancies`]: what of a verdict concerns an offer
//! - [`concern`]: which entries concern one exhibit
//! - [`story`]: all of it in causal order
//! - [`parted`]: between which two acknowledgements an exhibit stopped being whole
//! - [`contradictions`]: what stands only in another history of a log
//! - [`premis`]: what archivists call each event
//!
//! Nothing here decides what counts: `history` has done that before.

pub mod acknowledge;
pub mod arrived;
mod concern;
pub mod contradictions;
pub mod decline;
mod discrepancies;
pub mod handovers;
pub mod note;
pub mod offer;
pub mod parted;
pub mod premis;
pub mod story;
pub mod withdraw;

use arrived::Whereabouts;

use super::commit::OwnLog;
use super::history::{History, Place};
use super::labels;
use super::session::{Person, Request, Session};
use super::{Setting, VaultError};
use crate::format::entry::is_words;
use crate::format::event::{Event, Head};
use crate::format::ids::MemberId;
use crate::store::Folder;
use crate::store::layout::EntryName;
use handovers::{Handovers, Status};

/// An entry that was added to this device's log.
#[derive(Clone, Debug)]
pub struct Said {
    /// How people call it.
    pub label: String,
    /// The state that it led to.
    pub head: Head,
}

/// Adds one entry to this device's own log, durably, and tells how people call it. Of whoever is no member here it would be no
/// evidence, and nobody would be told of it.
pub(super) fn say(
    setting: &mut Setting<'_>,
    session: &Session,
    person: &Person,
    own: &mut OwnLog,
    event: Event,
) -> Result<Said, VaultError> {
    session.require_member(person.member(), "sign")?;
    let head = own.append(setting, session, person, event.into())?;
    let label = labels::label_of_last(session.history()?, own.handle(), head, newest_leaf(session, head)?.as_deref());
    Ok(Said { label, head })
}

/// The leaf hash in the name of the entry that this device wrote last in a log.
fn newest_leaf(session: &Session, head: Head) -> Result<Option<String>, VaultError> {
    let Some((_, change)) = session.memory.last_change(&session.vault, &head.log)? else { return Ok(None) };
    let mut names = change.files().filter_map(|(path, _)| {
        let name = path.as_path().file_name()?.to_str().and_then(EntryName::parse)?;
        Some(name.leaf.to_string())
    });
    Ok(names.next_back())
}

/// Words of a person, as an entry can hold them.
fn words(what: &'static str, text: &str) -> Result<String, VaultError> {
    if is_words(text) { Ok(text.into()) } else { Err(VaultError::NotWords { what }) }
}

/// An offer to somebody who has not answered yet.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// The offer, as people call it.
    pub offer: String,
    /// Whose it is.
    pub from: String,
    /// Where what it hands over is.
    pub whereabouts: Whereabouts,
}

/// The offers that wait for this person's answer, perhaps after a pouch was taken in, in causal order; nothing is written. Empty for
/// whoever opens no custody record here.
pub fn waiting(
    setting: &mut Setting<'_>,
    request: &Request<'_>,
    pouch: Option<&dyn Folder>,
) -> Result<Vec<Waiting>, VaultError> {
    let person = request.person()?.member();
    let session = Session::open_to_tell(setting, request)?;
    let Some(history) = &session.history else { return Ok(Vec::new()) };
    let waiting = pending_for(&Handovers::of(history), person);
    Ok(waiting
        .into_iter()
        .map(|place| Waiting {
            offer: labels::entry_label(history, place),
            from: history.name_of(history.logs[&place.log].member),
            whereabouts: match &history.told(place).entry.event {
                Event::Offer(offer) => arrived::whereabouts(&session, history, offer, pouch),
                _ => Whereabouts::OnTheRoad,
            },
        })
        .collect())
}

fn pending_for(handovers: &Handovers, person: MemberId) -> Vec<Place> {
    handovers.pending().filter(|place| handovers.receiver(*place) == person).collect()
}

/// The offer that a person answers: the one that was named, else the only one that waits for her.
fn offer_to_answer(history: &History, person: MemberId, typed: Option<&str>) -> Result<(Place, String), VaultError> {
    let handovers = Handovers::of(history);
    let Some(typed) = typed else {
        let waiting = pending_for(&handovers, person);
        let labels = || waiting.iter().map(|place| labels::entry_label(history, *place)).collect::<Vec<_>>();
        return match waiting.as_slice() {
            [] => Err(VaultError::NothingOffered),
            [one] => Ok((*one, labels::entry_label(history, *one))),
            _ => Err(VaultError::SeveralOffers { offers: labels() }),
        };
    };
    let place = labels::find_entry(history, typed)?;
    let label = labels::entry_label(history, place);
    let Some(handover) = handovers.get(place) else { return Err(VaultError::NotAnOffer { entry: label }) };
    if handover.to != person {
        return Err(VaultError::NotYourOffer { offer: label, to: history.name_of(handover.to) });
    }
    match (handover.status, handover.answers.first()) {
        (Status::Pending, _) | (_, None) => Ok((place, label)),
        (status, Some(first)) => Err(VaultError::Answered {
            offer: label,
            status: status.word(),
            answer: labels::entry_label(history, *first),
        }),
    }
}
