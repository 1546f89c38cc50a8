//! `custody decline`: the receiver does not take what was offered, and says why.

use super::super::commit::OwnLog;
use super::super::session::{Request, Session};
use super::super::{Setting, VaultError};
use super::{Said, offer_to_answer, say, words};
use crate::format::event::{EntryRef, Event};

/// An offer that was declined.
#[derive(Clone, Debug)]
pub struct Declined {
    /// The offer.
    pub offer: String,
    /// Whose it was.
    pub from: String,
    /// The entry.
    pub said: Said,
}

/// Declines an offer: the one that was typed, else the only one that waits for this person.
pub fn decline(
    setting: &mut Setting<'_>,
    request: &Request<'_>,
    typed: Option<&str>,
    reason: &str,
) -> Result<Declined, VaultError> {
    let session = Session::open_to_write(setting, request)?;
    let person = request.person()?;
    let history = session.sound_history()?;
    let (place, offer) = offer_to_answer(history, person.member(), typed)?;
    let leaf = history.told(place).leaf;
    let from = history.name_of(history.logs[&place.log].member);
    let event =
        Event::Decline { offer: EntryRef { log: place.log, seq: place.seq, leaf }, reason: words("--reason", reason)? };
    let mut own = OwnLog::find(setting, &session, person.member())?;
    let said = say(setting, &session, person, &mut own, event)?;
    session.remember_heads()?;
    Ok(Declined { offer, from, said })
}
