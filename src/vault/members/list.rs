//! All members with their standing: since when and in which roles, removed or unconfirmed, what they have written, what
//! they wait for.

use std::collections::BTreeMap;

use super::{Awaited, awaiting, names};
use crate::format::event::{Event, RemoveReason};
use crate::format::ids::{LogId, MemberId};
use crate::format::role::Role;
use crate::vault::history::{History, Member, Place, Standing};
use crate::vault::labels::entry_label;
use crate::vault::session::{Request, Session};
use crate::vault::{Setting, VaultError};

/// Where something was said, and when, as claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// The entry, as people call it.
    pub entry: String,
    /// Its claimed time.
    pub time: String,
    /// Who said it.
    pub by: String,
}

/// One log of a member.
#[derive(Clone, Debug)]
pub struct ListedLog {
    /// Its id.
    pub log: LogId,
    /// Its handle.
    pub handle: String,
    /// How many entries it has.
    pub entries: u64,
    /// How many of them came too late to count.
    pub late: u64,
    /// How many of them whoever wrote them had no right to say.
    pub refused: u64,
}

/// One member.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Who.
    pub member: MemberId,
    /// Her pseudonym.
    pub name: String,
    /// The digits of her card.
    pub fingerprint: String,
    /// Whether she founded the vault.
    pub founder: bool,
    /// Her roles, each with where it was first given.
    pub roles: Vec<(Role, Since)>,
    /// Those of them that only a sealer has given.
    pub unconfirmed: Vec<Role>,
    /// Where she was removed, and why, if so.
    pub removed: Option<(Since, RemoveReason)>,
    /// Keys that she awaits.
    pub awaits: Vec<Awaited>,
    /// Her logs.
    pub logs: Vec<ListedLog>,
}

/// All members, the founder first, then by pseudonym; with names for what they await.
pub fn list(
    setting: &mut Setting<'_>,
    request: &Request<'_>,
) -> Result<(Vec<Listed>, BTreeMap<MemberId, String>), VaultError> {
    let session = Session::open(setting, request)?;
    let history = session.history()?;
    let mut awaited: BTreeMap<MemberId, Vec<Awaited>> = BTreeMap::new();
    for one in awaiting(history) {
        awaited.entry(one.member).or_default().push(one);
    }
    let mut logs: BTreeMap<MemberId, Vec<ListedLog>> = BTreeMap::new();
    for log in history.logs.values() {
        let with = |is: fn(&Standing) -> bool| log.entries.iter().filter(|told| is(&told.standing)).count() as u64;
        logs.entry(log.member).or_default().push(ListedLog {
            log: log.id,
            handle: log.handle.clone(),
            entries: log.entries.len() as u64,
            late: with(|standing| *standing == Standing::Late),
            refused: with(|standing| matches!(standing, Standing::Refused(_))),
        });
    }
    let one = |(id, member): (&MemberId, &Member)| Listed {
        member: *id,
        name: member.card.name().to_string(),
        fingerprint: id.fingerprint(),
        founder: *id == history.founder,
        roles: roles(history, member),
        unconfirmed: unconfirmed(member),
        removed: member.removed.map(|at| (since(history, at), reason(history, at))),
        awaits: awaited.remove(id).unwrap_or_default(),
        logs: logs.remove(id).unwrap_or_default(),
    };
    let mut all: Vec<Listed> = history.members.iter().map(one).collect();
    all.sort_by_cached_key(|listed| (!listed.founder, listed.name.to_lowercase(), listed.member));
    Ok((all, names(history)))
}

fn roles(history: &History, member: &Member) -> Vec<(Role, Since)> {
    let mut first: BTreeMap<String, (Role, Place)> = BTreeMap::new();
    for grant in &member.grants {
        first.entry(grant.role.to_string()).or_insert_with(|| (grant.role.clone(), grant.at));
    }
    first.into_values().map(|(role, at)| (role, since(history, at))).collect()
}

/// Roles that only a sealer has given so far.
pub(super) fn unconfirmed(member: &Member) -> Vec<Role> {
    let confirmed = |role: &Role| member.grants.iter().any(|grant| grant.role == *role && grant.confirmed);
    let mut open: Vec<Role> = member.grants.iter().map(|grant| grant.role.clone()).collect();
    open.retain(|role| !confirmed(role));
    open.sort_by_key(ToString::to_string);
    open.dedup();
    open
}

fn since(history: &History, at: Place) -> Since {
    Since {
        entry: entry_label(history, at),
        time: history.told(at).entry.time.clone(),
        by: history.name_of(history.logs[&at.log].member),
    }
}

fn reason(history: &History, at: Place) -> RemoveReason {
    match &history.told(at).entry.event {
        Event::Remove(removal) => removal.reason,
        _ => RemoveReason::Left,
    }
}
