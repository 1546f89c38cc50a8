//! New epochs of keys. Whoever makes a key for a section that she does not read wraps it and forgets it here: it leaves
//! this room in no form but the wrapped files. What was split stays split: a rotation never ends a quorum unsaid.

use std::collections::{BTreeMap, BTreeSet};

use super::{Awaited, awaiting, entitled, names, require_owner};
use crate::crypto::shares::SHARES_MAX;
use crate::format::card::Card;
use crate::format::event::{Event, NewKey};
use crate::format::ids::{LogId, MemberId};
use crate::format::role::{Scope, Section};
use crate::store::RelPath;
use crate::vault::commit::{OwnLog, Saying};
use crate::vault::history::History;
use crate::vault::session::{Person, Request, Session};
use crate::vault::wrap::{self, NewWraps};
use crate::vault::{Setting, VaultError};

/// A key that replaces another from now on.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// What it opens.
    pub scope: Scope,
    /// Its epoch.
    pub epoch: u32,
    /// To whom it was given.
    pub holders: Vec<MemberId>,
    /// How many of them must come together; `None` where each holds it whole.
    pub needed: Option<u8>,
    /// How many had to for the key before.
    pub needed_before: Option<u8>,
}

/// Which keys to replace.
pub struct RotateRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// Sections; none: those where somebody awaits a share of the newest key.
    pub sections: &'a [Section],
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The new keys.
    pub renewed: Vec<Renewed>,
    /// Who still awaits which key of these sections.
    pub awaited: Vec<Awaited>,
    /// Names of all members.
    pub names: BTreeMap<MemberId, String>,
}

/// Makes a new epoch of the keys of sections, for all who ought to hold them now.
pub fn rotate(setting: &mut Setting<'_>, request: &RotateRequest<'_>) -> Result<Rotated, VaultError> {
    let person = request.place.person()?;
    let session = Session::open_to_write(setting, &request.place)?;
    let history = session.sound_history()?;
    require_owner(&session, person.member(), "make new keys")?;
    let mut scopes: BTreeSet<Scope> = request.sections.iter().cloned().map(Scope::Content).collect();
    if scopes.is_empty() {
        scopes = awaiting(history).into_iter().filter(Awaited::needs_new_epoch).map(|awaited| awaited.scope).collect();
    }
    if scopes.is_empty() {
        return Err(VaultError::NothingToRotate);
    }
    for scope in &scopes {
        let section = scope.to_string();
        if history.newest_key(scope).is_none() {
            return Err(VaultError::NoSection { section });
        }
        match entitled(history, scope).len() {
            0 => return Err(VaultError::NoReader { section }),
            readers if is_crowded(history, scope, readers) => {
                return Err(VaultError::TooManyShares { section, readers });
            }
            _ => {}
        }
    }
    let mut log = OwnLog::find(setting, &session, person.member())?;
    let renewed = say_new_epochs(setting, &session, person, &mut log, &scopes, None)?;
    session.remember_heads()?;
    drop(session);
    let session = Session::open(setting, &request.place)?;
    let history = session.history()?;
    let awaited = awaiting(history).into_iter().filter(|awaited| scopes.contains(&awaited.scope)).collect();
    Ok(Rotated { renewed, awaited, names: names(history) })
}

/// Whether a scope's key is in shares, of which there cannot be enough for so many people.
pub(super) fn is_crowded(history: &History, scope: &Scope, holders: usize) -> bool {
    let before = history.newest_key(scope).map(|(_, key)| key);
    before.is_some_and(|key| wrap::needed_after(key, holders).is_some()) && holders > usize::from(SHARES_MAX)
}

/// Says one `rotate` entry with a new epoch for each of these scopes, for all who ought to hold it but `without`. None of
/// them is crowded.
pub(super) fn say_new_epochs(
    setting: &mut Setting<'_>,
    session: &Session,
    person: &Person,
    log: &mut OwnLog,
    scopes: &BTreeSet<Scope>,
    without: Option<MemberId>,
) -> Result<Vec<Renewed>, VaultError> {
    let history = session.history()?;
    let (mut keys, mut files, mut renewed) = (Vec::new(), Vec::new(), Vec::new());
    for scope in scopes {
        let holders = entitled(history, scope).into_iter().filter(|(id, _)| Some(*id) != without);
        let holders: Vec<&Card> = holders.map(|(_, card)| card).collect();
        let before = history.newest_key(scope).map(|(_, key)| key);
        let needed = before.and_then(|before| wrap::needed_after(before, holders.len()));
        let key = new_epoch(setting, log.id(), history, scope, &holders, needed, &mut files);
        renewed.push(Renewed {
            scope: scope.clone(),
            epoch: key.epoch,
            holders: holders.iter().map(|card| card.member()).collect(),
            needed,
            needed_before: before.and_then(wrap::needed),
        });
        keys.push(key);
    }
    // Whoever makes a key has named its readers: this device need not ask about it.
    for key in &keys {
        session.memory.confirm(&session.vault, &key.id(&log.id()))?;
    }
    let event = Event::Rotate { keys };
    log.append(setting, session, person, Saying { event, files, intents: Vec::new() })?;
    Ok(renewed)
}

fn new_epoch(
    setting: &mut Setting<'_>,
    log: LogId,
    history: &History,
    scope: &Scope,
    holders: &[&Card],
    needed: Option<u8>,
    files: &mut Vec<(RelPath, Vec<u8>)>,
) -> NewKey {
    let epochs = history.keys.values().filter(|key| key.scope == *scope).map(|key| key.epoch.saturating_add(1));
    let epoch = epochs.max().unwrap_or(0);
    let key = wrap::new_key(setting.rng, log, scope.clone(), epoch);
    wrap::wrap_new_key(setting.rng, &NewWraps { key: &key, holders, needed }, files)
}
