//! `custody offer`: the first half of a handover. The entry names what is handed over and the states of all logs, so
//! that the receiver can hold the copy she gets against it.

use super::super::commit::OwnLog;
use super::super::exhibits::{self, Exhibit};
use super::super::history::Place;
use super::super::session::{Request, Session};
use super::super::{Setting, VaultError, labels};
use super::withdraw::withdrawn;
use super::{Said, say, words};
use crate::format::card::Card;
use crate::format::event::{Event, ExhibitRef, Head, Offer};
use crate::format::ids::MemberId;

/// To whom.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// As a person calls a member.
    pub typed: String,
    /// The card in a file of that name, if nobody is called so.
    pub card: Option<Card>,
}

/// What the giver says of the medium and the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// The data medium.
    pub medium: String,
    /// The number on its seal.
    pub seal_number: String,
    /// Its condition.
    pub condition: String,
    /// Who carries it.
    pub carrier: String,
    /// Where it was handed over.
    pub place: String,
    /// What for.
    pub purpose: String,
    /// Under what authority.
    pub authority: String,
}

/// What to offer.
pub struct OfferRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// To whom.
    pub to: &'a Receiver,
    /// Labels; none for everything that is sealed.
    pub ids: &'a [String],
    /// What is said of it.
    pub told: &'a Circumstances,
}

/// An offer that was made.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The entry.
    pub said: Said,
    /// To whom.
    pub to: MemberId,
    /// Her pseudonym.
    pub name: String,
    /// What, by label; empty for everything.
    pub exhibits: Vec<String>,
    /// Of these, whose consent was withdrawn.
    pub withdrawn: Vec<String>,
    /// How many exhibits are sealed under the states that are handed over.
    pub sealed: u64,
    /// The states that are handed over.
    pub heads: Vec<Head>,
}

/// Offers exhibits, or the whole vault, to a member.
pub fn offer(setting: &mut Setting<'_>, request: &OfferRequest<'_>) -> Result<Offered, VaultError> {
    let session = Session::open_to_write(setting, &request.place)?;
    let person = request.place.person()?;
    let history = session.sound_history()?;
    let (to, name) = receiver(&session, request.to)?;
    if to == person.member() {
        return Err(VaultError::OfferToOneself);
    }
    let chosen = exhibits::find_all(&session, request.ids, |_| Ok(()))?;
    let consent = withdrawn(history);
    let heads: Vec<Head> = history.logs.values().map(|log| log.head).collect();
    let event = event(to, chosen.iter().map(Exhibit::reference).collect(), heads.clone(), request.told)?;
    let sealed = history.sealings().map(|sealing| u64::from(sealing.seal.count)).sum();
    let mut own = OwnLog::find(setting, &session, person.member())?;
    let said = say(setting, &session, person, &mut own, event)?;
    session.remember_heads()?;
    let gone = chosen.iter().filter(|exhibit| consent.contains_key(&(exhibit.row.log, exhibit.row.number)));
    Ok(Offered {
        said,
        to,
        name,
        withdrawn: gone.map(|exhibit| exhibit.id.clone()).collect(),
        exhibits: chosen.iter().map(|exhibit| exhibit.id.clone()).collect(),
        sealed,
        heads,
    })
}

/// The entry of an offer.
pub(in crate::vault) fn event(
    to: MemberId,
    exhibits: Vec<ExhibitRef>,
    heads: Vec<Head>,
    told: &Circumstances,
) -> Result<Event, VaultError> {
    Ok(Event::Offer(Offer {
        to,
        exhibits,
        heads,
        medium: words("--medium", &told.medium)?,
        seal_number: words("--seal-no", &told.seal_number)?,
        condition: words("--condition", &told.condition)?,
        carrier: words("--carrier", &told.carrier)?,
        place: words("--place", &told.place)?,
        purpose: words("--purpose", &told.purpose)?,
        authority: words("--authority", &told.authority)?,
    }))
}

/// Somebody who is a member now: nobody else could answer.
pub(in crate::vault) fn receiver(session: &Session, to: &Receiver) -> Result<(MemberId, String), VaultError> {
    let history = session.history()?;
    let by_card = to.card.as_ref().and_then(|card| Some((card.member(), history.members.get(&card.member())?)));
    let (id, member) = match (labels::find_member(history, &to.typed), by_card) {
        (Err(VaultError::NoMember { .. }), Some(member)) => member,
        (found, _) => found?,
    };
    let name = member.card.name().to_string();
    if member.removed.is_some() { Err(VaultError::RemovedMember { name }) } else { Ok((id, name)) }
}

/// Whether what stands at a place is covered by these states: those of an offer of everything, or those that somebody had seen.
pub fn is_under(heads: &[Head], place: Place) -> bool {
    heads.iter().any(|head| head.log == place.log && place.seq < head.size)
}
