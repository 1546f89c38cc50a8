//! What a person should know about the state of a vault and this device, before it hurts: unfinished work, single
//! points of loss, weak settings. It repairs nothing.

mod safety;
mod torn;

use std::path::Path;

use super::clock::{self, Latest};
use super::history::History;
use super::keyring;
use super::members;
use super::orphans;
use super::session::{Request, Session};
use super::wrap;
use super::{Setting, VaultError};
use crate::format::role::{Role, Scope};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// Good to know.
    Note,
    /// Something can be lost.
    Warning,
}

/// One thing to know.
#[derive(Clone, Debug)]
pub struct Advice {
    /// How bad it is.
    pub gravity: Gravity,
    /// In a sentence.
    pub text: String,
}

/// What to examine.
pub struct Examination<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// The identity's file, if there is one.
    pub identity: &'a Path,
    /// The current folder: forms are filled in there.
    pub here: &'a Path,
}

/// Examines a vault and this device.
pub fn doctor(setting: &mut Setting<'_>, examination: &Examination<'_>) -> Result<Vec<Advice>, VaultError> {
    let request = &examination.place;
    let session = Session::open(setting, request)?;
    let mut advice = Vec::new();
    let mut warn = |text: String| advice.push(Advice { gravity: Gravity::Warning, text });
    let latest = session.history.as_ref().and_then(Latest::of);
    if let Some(doubt) = clock::doubt(setting.clock, latest.as_ref()) {
        warn(doubt.to_string());
    }
    if request.person.is_some_and(|person| person.bare) {
        warn("the identity on this device is under no passphrase: whoever takes the device has it".into());
    }
    if !session.pinned {
        warn(
            "this device does not know the vault yet: compare the digits of its id with those its founder gave you"
                .into(),
        );
    }
    torn::torn(setting, request.vault, &session, &mut warn)?;
    if session.history.is_some() || orphans::is_beginning(&session) {
        let (begun, elsewhere) = orphans::begun(&session)?;
        if elsewhere > 0 {
            warn(format!(
                "{elsewhere} files of a sealing lie here that was interrupted in another copy, or where this folder lay before: they \
                 count for nothing, and the next seal of whoever began it removes what is torn of them"
            ));
        }
        if begun > 0 {
            warn(format!(
                "{begun} files are left of an interrupted sealing: the next command of whoever began it goes on with it, or her \
                 next seal removes them"
            ));
        }
        let arrived = orphans::arrived(&session)?;
        if arrived > 0 {
            warn(format!(
                "{arrived} files came with a merge or unpack that was interrupted, or were begun where this folder lay before: the \
                 same merge or unpack goes on with what it brought; amparo merge --clear removes them"
            ));
        }
    } else {
        let untold = orphans::untold(&session)?;
        if untold > 0 {
            warn(format!(
                "files that this device began to write or to take in lie here ({untold}): without a key to the custody record nobody \
                 can tell which of them count, and which an interruption left"
            ));
        }
    }
    if let Some(history) = &session.history {
        for finding in session.findings.iter().chain(history.findings.iter()) {
            warn(finding.to_string());
        }
        single_points(history, &mut warn);
        members::notices(history).into_iter().for_each(&mut warn);
        only_copy(history, &mut warn);
        for (id, key) in &history.keys {
            for member in history.holders(key) {
                if !keyring::is_handed(&*session.folder, *id, key, member) {
                    let name = history.name_of(member);
                    warn(format!("the key file that lets {name} open {} is missing or damaged here", key.scope));
                }
            }
        }
    }
    if session.memory.remembered(&session.vault)?.is_empty() {
        advice.push(Advice {
            gravity: Gravity::Note,
            text: "this device remembers no state of this vault yet; verify it once".into(),
        });
    }
    advice.extend(safety::safety(setting.disk, examination));
    Ok(advice)
}

fn single_points(history: &History, warn: &mut dyn FnMut(String)) {
    let scopes: std::collections::BTreeSet<&Scope> = history.keys.values().map(|key| &key.scope).collect();
    for scope in scopes {
        let Scope::Content(section) = scope else { continue };
        let Some((id, key)) = history.newest_key(scope) else { continue };
        let (needed, holders) = (wrap::needed(key), history.holders(key).len());
        match (wrap::spare(history, key), needed) {
            (None, Some(needed)) => warn(format!(
                "{needed} readers must come together to open the section {section}, and only {holders} are left: nobody can open it"
            )),
            (Some(0), Some(needed)) => warn(format!(
                "all {needed} readers left must come together to open the section {section}: if one of these identities is lost, it is lost"
            )),
            (None, None) => warn(format!("nobody can open the section {section}")),
            (Some(0), None) => {
                warn(format!("only one person can open the section {section}: if that identity is lost, it is lost"));
            }
            _ => {}
        }
        if !history.shown_to_open(id) {
            warn(format!("section {section}: no reader has yet shown that it can be opened"));
        }
    }
    let owners =
        history.members.keys().filter(|member| history.has_role(**member, |role| *role == Role::Owner)).count();
    if owners < 2 {
        warn("only one owner: if that identity is lost, nobody can admit or remove anybody".into());
    }
}

/// Whether anybody else is known to have seen the newest sealing: only they could have a copy of it.
fn only_copy(history: &History, warn: &mut dyn FnMut(String)) {
    let Some(newest) = history.sealings().last() else { return };
    let seen = history.counted().any(|(place, told)| {
        history.logs.get(&place.log).is_some_and(|log| log.member != newest.member)
            && told.had_seen(place, newest.place)
    });
    if !seen {
        warn("nobody else's record shows that they have seen the newest sealing: this may be its only copy".into());
    }
}
