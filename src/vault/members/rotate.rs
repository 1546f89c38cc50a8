//! New epochs of keys. Whoever makes a key for a section that she does not read wraps it and forgets it here: it leaves
//! this room in no form but the wrapped files.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::entitled;
use crate::crypto::recipient::Identity;
use crate::format::card::Card;
use crate::format::event::{Event, NewKey};
use crate::format::ids::MemberId;
use crate::format::role::Scope;
use crate::store::RelPath;
use crate::vault::commit::{OwnLog, Saying};
use crate::vault::create::wrap_new_key;
use crate::vault::history::History;
use crate::vault::session::{Person, Session};
use crate::vault::{Setting, VaultError, random};

/// A key that replaces another from now on.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// What it opens.
    pub scope: Scope,
    /// Its epoch.
    pub epoch: u32,
    /// To whom it was given.
    pub holders: Vec<MemberId>,
}

/// Says one `rotate` entry with a new epoch for each of these scopes, for all who ought to hold it but `without`.
pub(super) fn rotate(
    setting: &mut Setting<'_>,
    session: &Session,
    person: &Person,
    log: &mut OwnLog,
    scopes: &BTreeSet<Scope>,
    without: MemberId,
) -> Result<Vec<Renewed>, VaultError> {
    let history = session.history()?;
    let (mut keys, mut files, mut renewed) = (Vec::new(), Vec::new(), Vec::new());
    for scope in scopes {
        let holders: Vec<&Card> =
            entitled(history, scope).into_iter().filter(|(id, _)| *id != without).map(|(_, card)| card).collect();
        let key = new_epoch(setting, history, scope, &holders, &mut files);
        renewed.push(Renewed {
            scope: scope.clone(),
            epoch: key.epoch,
            holders: holders.iter().map(|card| card.member()).collect(),
        });
        keys.push(key);
    }
    // Whoever makes a key has named its readers: this device need not ask about it.
    for key in &keys {
        session.memory.confirm(&session.vault, &key.id())?;
    }
    let event = Event::Rotate { keys };
    log.append(setting, session, person, Saying { event, files, intents: Vec::new() })?;
    Ok(renewed)
}

fn new_epoch(
    setting: &mut Setting<'_>,
    history: &History,
    scope: &Scope,
    holders: &[&Card],
    files: &mut Vec<(RelPath, Vec<u8>)>,
) -> NewKey {
    let epochs = history.keys.values().filter(|key| key.scope == *scope).map(|key| key.epoch.saturating_add(1));
    let epoch = epochs.max().unwrap_or(0);
    let key = Identity::from_seed(&Zeroizing::new(random(setting.rng)));
    wrap_new_key(setting.rng, scope.clone(), epoch, &key, holders, files)
}
