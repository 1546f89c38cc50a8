//! A holder hands keys on: wrapped anew for those who ought to hold them and do not yet, one `share` entry a key. Only
//! who holds a key can do it; nobody keeps one for later.

use std::collections::BTreeMap;

use super::{Awaited, awaiting, names};
use crate::format::card::Card;
use crate::format::event::{Event, NewKey};
use crate::format::ids::{KeyId, MemberId};
use crate::format::role::Scope;
use crate::vault::commit::{OwnLog, Saying};
use crate::vault::session::{Person, Request, Session};
use crate::vault::wrap::{self, NewWraps};
use crate::vault::{Setting, VaultError};

/// A key that was handed on.
#[derive(Clone, Debug)]
pub struct Given {
    /// Which.
    pub key: KeyId,
    /// What it opens.
    pub scope: Scope,
    /// Its epoch.
    pub epoch: u32,
    /// To whom.
    pub members: Vec<MemberId>,
}

/// What was handed on, and what is still awaited from others.
#[derive(Clone, Debug)]
pub struct Granted {
    /// By this person, now.
    pub given: Vec<Given>,
    /// Who still awaits what.
    pub left: Vec<Awaited>,
    /// Names of all members, for whoever tells it.
    pub names: BTreeMap<MemberId, String>,
}

/// Hands on every key of this person's that somebody awaits. The session is open to write; its history does not know of
/// the new entries.
pub fn grant(setting: &mut Setting<'_>, session: &Session, person: &Person) -> Result<Vec<Given>, VaultError> {
    let history = session.sound_history()?;
    let mut wanted: BTreeMap<KeyId, Vec<&Card>> = BTreeMap::new();
    for awaited in grantable(session, person) {
        wanted.entry(awaited.key).or_default().push(&history.members[&awaited.member].card);
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut log = OwnLog::find(setting, session, person.member())?;
    let mut given = Vec::new();
    for (key, cards) in wanted {
        given.push(give(setting, session, person, &mut log, key, &cards)?);
    }
    session.remember_heads()?;
    Ok(given)
}

/// The same for a vault that nobody has opened yet.
pub fn grant_here(setting: &mut Setting<'_>, request: &Request<'_>) -> Result<Granted, VaultError> {
    let person = request.person()?;
    let session = Session::open_to_write(setting, request)?;
    session.require_member(person.member(), "hand keys on")?;
    let given = grant(setting, &session, person)?;
    drop(session);
    let session = Session::open(setting, request)?;
    let history = session.history()?;
    Ok(Granted { given, left: awaiting(history), names: names(history) })
}

/// What others await that this person can hand on. Nothing where the story does not hold. Whoever was removed still holds
/// keys; what she says of them would be late.
pub fn grantable(session: &Session, person: &Person) -> Vec<Awaited> {
    let sound = session.sound_history().ok().filter(|history| history.has_role(person.member(), |_| true));
    let awaited = sound.map(awaiting).unwrap_or_default();
    awaited.into_iter().filter(|awaited| can_give(session, person, awaited.key)).collect()
}

/// Whether this person holds a key so that her word about it counts: it opens here, and a counted entry gave it to her.
pub(super) fn can_give(session: &Session, person: &Person, id: KeyId) -> bool {
    let known = session.history.as_ref().and_then(|history| history.keys.get(&id));
    let mine = known
        .is_some_and(|key| key.wraps.iter().any(|(_, wrap)| wrap.member == person.member() && wrap.share.is_none()));
    mine && session.ring.key(&id).is_some()
}

/// Wraps one key for these members and says so.
pub(super) fn give(
    setting: &mut Setting<'_>,
    session: &Session,
    person: &Person,
    log: &mut OwnLog,
    id: KeyId,
    cards: &[&Card],
) -> Result<Given, VaultError> {
    let key = session.ring.key(&id).ok_or(VaultError::NoKey)?;
    let mut files = Vec::new();
    let new = NewWraps { key, holders: cards, needed: None };
    let NewKey { wraps, dummies, .. } = wrap::wrap_new_key(setting.rng, &new, &mut files);
    let event = Event::Share { key: id, wraps, dummies };
    log.append(setting, session, person, Saying { event, files, intents: Vec::new() })?;
    let members = cards.iter().map(|card| card.member()).collect();
    Ok(Given { key: id, scope: key.scope.clone(), epoch: key.epoch, members })
}
