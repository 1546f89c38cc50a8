//! Removing: a `remove` entry says up to where each of a member's logs counts; a `rotate` entry brings new keys for what
//! she could read. These are two entries: whatever stops the program between them, doing it again completes it.

use std::collections::{BTreeMap, BTreeSet};

use super::rotate::{is_crowded, say_new_epochs};
use super::{Renewed, entitled, given, names, require_owner};
use crate::format::event::{Head, Remove, RemoveReason};
use crate::format::ids::{LogId, MemberId};
use crate::format::role::{Role, Scope, Section};
use crate::store::layout;
use crate::vault::commit::{OwnLog, say_removal};
use crate::vault::findings::{Check, Finding, Verdict};
use crate::vault::history::{self, History, Log, Place, Standing};
use crate::vault::labels::{self, find_entry, find_member};
use crate::vault::session::{Request, Session};
use crate::vault::{Setting, VaultError};

/// Whom to remove, and how much of what she said counts.
pub struct RemoveRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// The member, as a person calls her.
    pub member: &'a str,
    /// Why.
    pub reason: RemoveReason,
    /// Entries of hers, as a person calls them: their logs count up to and with them. Others count as far as they are here.
    pub trust_up_to: &'a [String],
}

/// How far a log of the removed member counts.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The log.
    pub log: LogId,
    /// Its handle.
    pub handle: String,
    /// How many of its entries count.
    pub counted: u64,
    /// How many are here.
    pub here: u64,
    /// The last that counts, as people call it, and its claimed time.
    pub last: Option<(String, String)>,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Removed {
    /// Who.
    pub member: MemberId,
    /// Her pseudonym.
    pub name: String,
    /// Whether a `remove` entry was written now; else she had been removed before.
    pub now: bool,
    /// How far each of her logs counts.
    pub kept: Vec<Kept>,
    /// The handle of this device's own log, where she goes on in another: others may not be able to read that one's end.
    pub left: Option<String>,
    /// New epochs of keys that she had held.
    pub renewed: Vec<Renewed>,
    /// Sections whose newest key she has a share of, and which have more readers than there can be shares: the removal is
    /// not complete there.
    pub crowded: Vec<Section>,
    /// How many exhibits, sealed until now, the keys that she keeps open.
    pub readable: u64,
    /// Sections that one person alone can read now.
    pub alone: Vec<(Section, MemberId)>,
    /// Whether only one owner is left.
    pub one_owner: bool,
    /// What is wrong with logs that nothing of this rests on, hers among them.
    pub overlooked: Vec<Finding>,
    /// Names of all members.
    pub names: BTreeMap<MemberId, String>,
}

/// So often keys are renewed that are found to be hers still.
const ROUNDS_MAX: u32 = 3;

/// Removes a member, or completes a removal.
pub fn remove(setting: &mut Setting<'_>, request: &RemoveRequest<'_>) -> Result<Removed, VaultError> {
    let person = request.place.person()?;
    let mut session = Session::open_to_write(setting, &request.place)?;
    let (member, _) = find_member(session.history()?, request.member)?;
    session.set_aside(member);
    let history = session.sound_history()?;
    require_owner(&session, person.member(), "remove members")?;
    check_rank(history, person.member(), member)?;
    check_newest(&session, history, member)?;
    let cuts = cuts(history, member, request.trust_up_to)?;
    for scope in &to_renew(history, member).0 {
        if let Scope::Content(section) = scope
            && entitled(history, scope).iter().all(|(id, _)| *id == member)
        {
            return Err(VaultError::LastReader { name: history.name_of(member), section: section.to_string() });
        }
    }
    let (now, overlooked, mut left) = (cuts.is_some(), session.overlooked(), None);
    if let Some(cuts) = cuts {
        let removal = Remove { member, reason: request.reason, cuts };
        left = say_removal(setting, &session, person, removal)?;
        drop(session);
        // Who ought to hold the new keys, and which epoch comes next, is what the story says now: whoever was admitted beyond
        // the cut is nobody, and what was brought there is no key.
        session = Session::open_to_write(setting, &request.place)?;
        session.set_aside(member);
    }
    let mut renewed: Vec<Renewed> = Vec::new();
    for round in 1.. {
        let scopes = renewable(session.history()?, member);
        if !scopes.is_empty() {
            let mut log = OwnLog::find(setting, &session, person.member())?;
            renewed.extend(say_new_epochs(setting, &session, person, &mut log, &scopes, Some(member))?);
            session.remember_heads()?;
        }
        drop(session);
        // Read anew: a medium that stumbled may have hidden that she was given another key as well.
        session = Session::open(setting, &request.place)?;
        session.set_aside(member);
        let history = session.history()?;
        let Some(scope) = renewable(history, member).pop_first() else { break };
        if round == ROUNDS_MAX {
            let name = history.name_of(member);
            let message = format!("{name} is removed, and still holds the newest key of {scope}: type the same again");
            let subject = layout::keys().to_string();
            return Err(Finding { weight: Verdict::Incomplete, check: Check::Key, subject, message }.into());
        }
        drop(session);
        session = Session::open_to_write(setting, &request.place)?;
        session.set_aside(member);
    }
    let history = session.history()?;
    let crowded = to_renew(history, member).1;
    Ok(Removed {
        member,
        name: history.name_of(member),
        now,
        kept: kept(history, member),
        left,
        renewed,
        crowded,
        readable: readable(history, member),
        alone: alone(history),
        one_owner: history.members.keys().filter(|id| history.has_role(**id, |role| *role == Role::Owner)).count() == 1,
        overlooked,
        names: names(history),
    })
}

/// Nobody removes the founder, or an owner who stands no farther from the founder; such a removal would have no effect.
fn check_rank(history: &History, by: MemberId, member: MemberId) -> Result<(), VaultError> {
    let rank = |of: MemberId| history.ranks.get(&of).copied().unwrap_or(usize::MAX);
    let why = if member == history.founder {
        "nobody removes whoever founded a vault"
    } else if member == by {
        "nobody removes herself; an owner nearer the founder can"
    } else if rank(member) <= history.reach(by) {
        "an owner is removed only by one nearer the founder, and you are not nearer"
    } else {
        return Ok(());
    };
    Err(VaultError::NotRemovable { name: history.name_of(member), why })
}

/// An older copy would cut off what this device has seen her say: a log that is shorter here, or is not here at all.
fn check_newest(session: &Session, history: &History, member: MemberId) -> Result<(), VaultError> {
    let card = &history.members[&member].card;
    for (id, note) in session.memory.seen(&session.vault)? {
        let Ok((head, _)) = history::check_head(&note, id, session.vault, card) else { continue };
        if history.logs.get(&id).is_none_or(|log| log.head.size < head.size) {
            return Err(VaultError::OlderCopy { log: id });
        }
    }
    Ok(())
}

/// Up to where each of her logs shall count; `None` where she was removed before and no less shall count now.
fn cuts(history: &History, member: MemberId, trust_up_to: &[String]) -> Result<Option<Vec<Head>>, VaultError> {
    let mut named: BTreeMap<LogId, u64> = BTreeMap::new();
    for typed in trust_up_to {
        let place = find_entry(history, typed)?;
        if history.logs[&place.log].member != member {
            return Err(VaultError::NotHers { entry: typed.clone(), name: history.name_of(member) });
        }
        if named.insert(place.log, place.seq.saturating_add(1)).is_some() {
            return Err(VaultError::LogTwice { entry: typed.clone() });
        }
    }
    let removed = history.members[&member].removed.is_some();
    if removed && named.is_empty() {
        return Ok(None);
    }
    let before = if removed { cuts_so_far(history, member) } else { BTreeMap::new() };
    let mut cuts = Vec::new();
    for log in history.logs.values().filter(|log| log.member == member) {
        let so_far = if removed { before.get(&log.id).copied() } else { Some(log.head) };
        let size = so_far.map_or(0, |head| head.size);
        match named.get(&log.id) {
            Some(wanted) if *wanted > size => {
                let entry = labels::entry_label(history, Place { log: log.id, seq: wanted.saturating_sub(1) });
                return Err(VaultError::CutBefore { entry });
            }
            Some(wanted) => cuts.extend(log.root_at(*wanted).map(|root| Head { log: log.id, size: *wanted, root })),
            None => cuts.extend(so_far),
        }
    }
    // Logs that are not in this copy keep the state at which they were cut.
    cuts.extend(before.into_values().filter(|cut| !history.logs.contains_key(&cut.log)));
    cuts.sort_unstable();
    let tighter = !removed || cuts != cuts_so_far(history, member).into_values().collect::<Vec<_>>();
    Ok(tighter.then_some(cuts))
}

/// The states at which the removals of someone who is no member any more cut her logs; a log that the one that cuts it does
/// not list does not count at all.
fn cuts_so_far(history: &History, member: MemberId) -> BTreeMap<LogId, Head> {
    let listed = history.removals_of(member).iter().flat_map(|(_, removal)| &removal.cuts);
    listed.filter(|cut| history.cut_of(cut.log, member) == Some(cut.size)).map(|cut| (cut.log, *cut)).collect()
}

/// Scopes whose newest key she was given, or a share of it; apart from these, sections with too many readers for shares:
/// that keeps nobody from removing her.
fn to_renew(history: &History, member: MemberId) -> (BTreeSet<Scope>, Vec<Section>) {
    let scopes: BTreeSet<&Scope> = history.keys.values().map(|key| &key.scope).collect();
    let (mut now, mut crowded) = (BTreeSet::new(), Vec::new());
    for scope in scopes {
        let holds = history.newest_key(scope).is_some_and(|(_, key)| given(key).contains(&member));
        let left = entitled(history, scope).iter().filter(|(id, _)| *id != member).count();
        match scope {
            _ if !holds => {}
            Scope::Content(section) if is_crowded(history, scope, left) => crowded.push(section.clone()),
            scope => drop(now.insert(scope.clone())),
        }
    }
    (now, crowded)
}

/// Of these scopes those for whose new key somebody is left.
fn renewable(history: &History, member: MemberId) -> BTreeSet<Scope> {
    let (mut scopes, _) = to_renew(history, member);
    scopes.retain(|scope| entitled(history, scope).iter().any(|(id, _)| *id != member));
    scopes
}

fn kept(history: &History, member: MemberId) -> Vec<Kept> {
    let of_log = |log: &Log| {
        let in_time = || log.entries.iter().filter(|told| told.standing != Standing::Late);
        let last = in_time().next_back().map(|told| {
            let place = Place { log: log.id, seq: told.entry.seq };
            (labels::entry_label(history, place), told.entry.time.clone())
        });
        let (counted, here) = (in_time().count() as u64, log.entries.len() as u64);
        Kept { log: log.id, handle: log.handle.clone(), counted, here, last }
    };
    history.logs.values().filter(|log| log.member == member).map(of_log).collect()
}

/// How many exhibits are encrypted to content keys that she was given.
fn readable(history: &History, member: MemberId) -> u64 {
    let opens = |key| history.keys.get(key).is_some_and(|key| given(key).contains(&member));
    let manifests = history.sealings().flat_map(|sealing| sealing.seal.manifests.iter());
    manifests.filter(|manifest| opens(&manifest.key)).map(|manifest| u64::from(manifest.records)).sum()
}

fn alone(history: &History) -> Vec<(Section, MemberId)> {
    let scopes: BTreeSet<&Scope> = history.keys.values().map(|key| &key.scope).collect();
    let one = |scope: &Scope| {
        let Scope::Content(section) = scope else { return None };
        let holders = history.holders(history.newest_key(scope)?.1);
        let mut holders = holders.into_iter();
        let (first, second) = (holders.next()?, holders.next());
        second.is_none().then(|| (section.clone(), first))
    };
    scopes.into_iter().filter_map(one).collect()
}
