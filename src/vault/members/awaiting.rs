//! Who ought to hold which key and does not yet, and who holds what she ought not to any more. Facts of a history, for
//! every verb that shows how things stand.

use std::collections::{BTreeMap, BTreeSet};

use super::{entitled, given, is_split, readable_since};
use crate::format::event::Event;
use crate::format::ids::{KeyId, MemberId};
use crate::format::role::Scope;
use crate::vault::history::{History, Place};
use crate::vault::labels::entry_label;

/// So many custody events are named in one sentence.
const EVENTS_SHOWN_MAX: usize = 10;

/// A key that a member ought to hold and that nobody has handed to her yet.
#[derive(Clone, Debug)]
pub struct Awaited {
    /// Who.
    pub member: MemberId,
    /// Which key.
    pub key: KeyId,
    /// What it opens.
    pub scope: Scope,
    /// Its epoch.
    pub epoch: u32,
    /// Members who hold it and can hand it on. None are left where all of them were removed.
    pub from: Vec<MemberId>,
    /// Whether it exists in shares alone: nobody can hand it on.
    pub split: bool,
    /// Whether it is the newest of its scope, to which people seal.
    pub newest: bool,
}

impl Awaited {
    /// Whether only a new epoch can give her a key to what is sealed from then on.
    pub fn needs_new_epoch(&self) -> bool {
        self.split && self.newest
    }
}

/// A scope whose newest key is in the hands of somebody who was removed: the removal is not complete.
#[derive(Clone, Debug)]
pub struct Outdated {
    /// What it opens.
    pub scope: Scope,
    /// The key.
    pub key: KeyId,
    /// Who holds it and was removed.
    pub by: Vec<MemberId>,
}

/// Every key that some member ought to hold and was not given, in the order of scopes and epochs.
pub fn awaiting(history: &History) -> Vec<Awaited> {
    let mut all = Vec::new();
    for (id, key) in &history.keys {
        let given = given(key);
        let split = is_split(key);
        let newest = history.newest_key(&key.scope).is_some_and(|(newest, _)| newest == *id);
        let whole = key.wraps.iter().filter(|(_, wrap)| wrap.share.is_none()).map(|(_, wrap)| wrap.member);
        let holders = history.holders(key);
        let from: BTreeSet<MemberId> = whole.filter(|member| holders.contains(member)).collect();
        let awaits = entitled(history, &key.scope).into_iter().filter(|(member, _)| !given.contains(member));
        all.extend(awaits.map(|(member, _)| Awaited {
            member,
            key: *id,
            scope: key.scope.clone(),
            epoch: key.epoch,
            from: from.iter().copied().collect(),
            split,
            newest,
        }));
    }
    all.sort_by(|one, other| (&one.scope, one.epoch, one.member).cmp(&(&other.scope, other.epoch, other.member)));
    all
}

/// Every scope whose newest key a removed member holds.
pub fn outdated(history: &History) -> Vec<Outdated> {
    let scopes: BTreeSet<&Scope> = history.keys.values().map(|key| &key.scope).collect();
    let newest = scopes.into_iter().filter_map(|scope| history.newest_key(scope));
    let held = newest.map(|(id, key)| {
        let removed = |member: &MemberId| history.members.get(member).is_some_and(|member| member.removed.is_some());
        Outdated { scope: key.scope.clone(), key: id, by: given(key).into_iter().filter(removed).collect() }
    });
    held.filter(|outdated| !outdated.by.is_empty()).collect()
}

/// Removals without effect, by owners who could not know, of people who are still here.
fn idle_removals(history: &History) -> Vec<String> {
    let tell = |place: &Place| {
        let Event::Remove(removal) = &history.told(*place).entry.event else { return None };
        history.members.get(&removal.member).filter(|member| member.removed.is_none())?;
        let (by, whom) = (history.name_of(history.logs[&place.log].member), history.name_of(removal.member));
        let entry = entry_label(history, *place);
        Some(format!(
            "{by} tried to remove {whom} ({entry}), without effect: {whom} was made an owner in what {by} had not seen; only an owner nearer the founder than {whom} can remove {whom}"
        ))
    };
    history.idle_removals.iter().filter_map(tell).collect()
}

/// What is sealed from now on cannot be covered by as many monitors as the founding entry asks for.
fn too_few_monitors(history: &History) -> Option<String> {
    let needed = history.monitors_needed as usize;
    let here =
        history.members.iter().filter(|(id, member)| member.removed.is_none() && history.is_monitor(**id)).count();
    (here < needed).then(|| {
        let (monitors, are) = (if needed == 1 { "monitor" } else { "monitors" }, if here == 1 { "is a member" } else { "are members" });
        format!("{needed} {monitors} must sign before an exhibit is called covered, and {here} {are}: what is sealed from now on cannot be; an owner can add one")
    })
}

/// From whom a key is awaited; whether it exists in shares alone, and whether a new epoch is needed.
type Source = (Vec<MemberId>, (bool, bool));

/// All of this in sentences, for verdicts and advice: it lowers nothing, and somebody has to act on it.
pub fn notices(history: &History) -> Vec<String> {
    let names = |members: &[MemberId]| {
        let mut names: Vec<String> = members.iter().map(|member| history.name_of(*member)).collect();
        names.sort_unstable();
        names
    };
    let mut grouped: BTreeMap<(Vec<String>, Source), Vec<MemberId>> = BTreeMap::new();
    let mut by_member: BTreeMap<(MemberId, Source), Vec<String>> = BTreeMap::new();
    for awaited in awaiting(history) {
        let key = format!("{} (epoch {})", awaited.scope, awaited.epoch);
        let shares = (awaited.split, awaited.needs_new_epoch());
        by_member.entry((awaited.member, (awaited.from, shares))).or_default().push(key);
    }
    for ((member, source), keys) in by_member {
        grouped.entry((keys, source)).or_default().push(member);
    }
    let mut said = Vec::new();
    for ((keys, (from, shares)), members) in grouped {
        let (who, keys) = (names(&members).join(", "), keys.join(", "));
        said.push(match (shares, from.as_slice()) {
            ((true, true), _) => format!(
                "keys awaited by {who}: {keys}; they exist in shares alone: an owner makes new ones with amparo member rotate"
            ),
            ((true, false), _) => format!(
                "keys awaited by {who}: {keys}; they exist in shares alone: what was sealed to them opens with those who hold these shares"
            ),
            ((false, _), []) => format!("keys awaited by {who}: {keys}; nobody who holds them is left"),
            ((false, _), from) => format!("keys awaited by {who}: {keys}; to be given by {}", names(from).join(" or ")),
        });
    }
    for outdated in outdated(history) {
        said.push(format!(
            "removed, and still holding the newest key of {}: {}; an owner completes the removal by removing again",
            outdated.scope,
            names(&outdated.by).join(", ")
        ));
    }
    said.extend(idle_removals(history));
    said.extend(too_few_monitors(history));
    let mut exposed: BTreeMap<(Scope, Vec<MemberId>), (u64, Vec<String>)> = BTreeMap::new();
    for one in readable_since(history) {
        let Some(key) = history.keys.get(&one.key) else { continue };
        let (exhibits, events) = exposed.entry((key.scope.clone(), one.by)).or_default();
        *exhibits += u64::from(one.records);
        events.push(entry_label(history, one.place));
    }
    for ((scope, by), (exhibits, events)) in exposed {
        let what = if exhibits == 1 { "1 exhibit".into() } else { format!("{exhibits} exhibits") };
        let more = if events.len() > EVENTS_SHOWN_MAX { " and more" } else { "" };
        let events: Vec<String> = events.into_iter().take(EVENTS_SHOWN_MAX).collect();
        said.push(format!(
            "{what} of the section {scope}, sealed to a key from before a removal, readable by those removed since: {} (custody events {}{more})",
            names(&by).join(", "), events.join(", ")
        ));
    }
    said
}
