//! Admitting: one `admit` entry a card, then the keys that this person holds, wrapped for the newcomers. That the cards
//! are those of the people meant, somebody has compared before; nothing here can know it.

use std::collections::{BTreeMap, BTreeSet};

use super::grant::{can_give, give};
use super::rotate::is_crowded;
use super::{Awaited, Given, awaiting, entitled, names};
use crate::format::card::Card;
use crate::format::event::{Admission, Event, RemoveReason};
use crate::format::ids::{KeyId, MemberId};
use crate::format::role::{Role, Scope};
use crate::vault::commit::OwnLog;
use crate::vault::history::History;
use crate::vault::session::{Request, Session};
use crate::vault::{Setting, VaultError, labels};

/// Whom to admit, as what.
pub struct AddRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// The cards, each once.
    pub cards: &'a [Card],
    /// The roles of each.
    pub roles: &'a [Role],
    /// What the labels of the member's exhibits shall start with; for one card.
    pub handle: Option<String>,
}

/// Somebody who would be, or was, admitted.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Who.
    pub member: MemberId,
    /// Her pseudonym.
    pub name: String,
    /// Roles that are new to her, or were unconfirmed.
    pub roles: Vec<Role>,
    /// Whether she was a member already, in other roles or unconfirmed.
    pub known: bool,
    /// Whether an owner says so; else it waits for one.
    pub confirmed: bool,
    /// Whether she was removed because her device was seized: whoever has it may hold the same keys.
    pub seized: bool,
    /// Other members who go by the same name, as it looks: their fingerprints.
    pub namesakes: Vec<String>,
}

/// What admitting these cards would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whom it would admit.
    pub newcomers: Vec<Newcomer>,
    /// Who is a member in all these roles already: her names there.
    pub already: Vec<(MemberId, String)>,
}

/// What was done.
#[derive(Clone, Debug)]
pub struct Added {
    /// Who was admitted, and the entry that says so.
    pub admitted: Vec<(Newcomer, String)>,
    /// Who was a member in all these roles before.
    pub already: Vec<(MemberId, String)>,
    /// Keys that were handed to them.
    pub given: Vec<Given>,
    /// Keys that they still await from others.
    pub awaited: Vec<Awaited>,
    /// Names of all members.
    pub names: BTreeMap<MemberId, String>,
}

/// What a request would do; nothing is written.
pub fn plan(setting: &mut Setting<'_>, request: &AddRequest<'_>) -> Result<Plan, VaultError> {
    let session = Session::open(setting, &request.place)?;
    planned(&session, request)
}

/// Admits them, and hands them every key that they ought to hold and this person does.
pub fn add(setting: &mut Setting<'_>, request: &AddRequest<'_>) -> Result<Added, VaultError> {
    let person = request.place.person()?;
    let session = Session::open_to_write(setting, &request.place)?;
    let plan = planned(&session, request)?;
    let keys = to_hand_on(&session, request)?;
    let (mut entries, mut given) = (Vec::new(), Vec::new());
    if !plan.newcomers.is_empty() || !keys.is_empty() {
        let mut log = OwnLog::find(setting, &session, person.member())?;
        for newcomer in &plan.newcomers {
            let card = request.cards.iter().find(|card| card.member() == newcomer.member);
            let card = card.expect("whom the plan names has a card in the request");
            let admission = Admission {
                card: String::from_utf8_lossy(card.as_bytes()).into_owned(),
                roles: newcomer.roles.clone(),
                handle: request.handle.clone(),
            };
            let head = log.append(setting, &session, person, Event::Admit(admission).into())?;
            entries.push((log.handle().to_string(), head));
        }
        for (key, cards) in keys {
            given.push(give(setting, &session, person, &mut log, key, &cards)?);
        }
        session.remember_heads()?;
    }
    drop(session);
    let session = Session::open(setting, &request.place)?;
    let history = session.history()?;
    let labels = entries.iter().map(|(handle, head)| labels::label_of_last(history, handle, *head, None));
    let is_asked = |awaited: &Awaited| request.cards.iter().any(|card| card.member() == awaited.member);
    Ok(Added {
        admitted: plan.newcomers.into_iter().zip(labels).collect(),
        already: plan.already,
        given,
        awaited: awaiting(history).into_iter().filter(is_asked).collect(),
        names: names(history),
    })
}

fn planned(session: &Session, request: &AddRequest<'_>) -> Result<Plan, VaultError> {
    let person = request.place.person()?;
    let history = session.sound_history()?;
    let is_owner = history.has_role(person.member(), |role| *role == Role::Owner);
    let is_sealer = history.has_role(person.member(), |role| *role == Role::Sealer);
    match (is_owner, is_sealer) {
        (true, _) => {}
        (false, true) if request.roles == [Role::Monitor] => {}
        (false, true) => {
            return Err(VaultError::NotInRole { what: "admit anybody but monitors", role: Role::Owner.to_string() });
        }
        (false, false) => return Err(VaultError::NotInRole { what: "admit members", role: Role::Owner.to_string() }),
    }
    for section in
        request.roles.iter().filter_map(|role| if let Role::Reader(section) = role { Some(section) } else { None })
    {
        let scope = Scope::Content(section.clone());
        if history.newest_key(&scope).is_none() {
            return Err(VaultError::NoSection { section: section.to_string() });
        }
        let mut readers: BTreeSet<MemberId> = entitled(history, &scope).into_iter().map(|(id, _)| id).collect();
        readers.extend(request.cards.iter().map(Card::member));
        if is_crowded(history, &scope, readers.len()) {
            return Err(VaultError::TooManyShares { section: section.to_string(), readers: readers.len() });
        }
    }
    if let Some(handle) = &request.handle
        && is_taken(history, handle, request.cards)
    {
        return Err(VaultError::HandleTaken { handle: handle.clone() });
    }
    let mut plan = Plan { newcomers: Vec::new(), already: Vec::new() };
    for card in request.cards {
        let roles = new_roles(history, card.member(), request.roles, is_owner);
        let known = history.members.get(&card.member()).filter(|member| member.removed.is_none());
        match known {
            Some(known) if roles.is_empty() => plan.already.push((card.member(), known.card.name().to_string())),
            _ => plan.newcomers.push(Newcomer {
                member: card.member(),
                name: card.name().to_string(),
                roles,
                known: known.is_some(),
                confirmed: is_owner,
                seized: was_seized(history, card.member()),
                namesakes: namesakes(history, request.cards, card),
            }),
        }
    }
    Ok(plan)
}

/// The roles, sorted by their words, that a member does not have yet; an owner's word is more than a sealer's.
fn new_roles(history: &History, member: MemberId, roles: &[Role], by_owner: bool) -> Vec<Role> {
    let known = history.members.get(&member).filter(|member| member.removed.is_none());
    let grants = known.map(|member| member.grants.as_slice()).unwrap_or_default();
    let has = |role: &&Role| grants.iter().any(|grant| grant.role == **role && (grant.confirmed || !by_owner));
    let mut new: Vec<Role> = roles.iter().filter(|role| !has(role)).cloned().collect();
    new.sort_by_key(ToString::to_string);
    new.dedup();
    new
}

/// Whether the removal after which she is no member says that her device was seized.
fn was_seized(history: &History, member: MemberId) -> bool {
    let removed = history.members.get(&member).and_then(|member| member.removed);
    let removal = removed.map(|at| &history.told(at).entry.event);
    matches!(removal, Some(Event::Remove(removal)) if removal.reason == RemoveReason::Seized)
}

/// Whether a handle is somebody else's, by a log or by an admission.
fn is_taken(history: &History, handle: &str, cards: &[Card]) -> bool {
    let own = |member: &MemberId| cards.iter().any(|card| card.member() == *member);
    let by_log = history.logs.values().any(|log| log.handle == handle && !own(&log.member));
    let promised = history.members.iter().filter(|(id, _)| !own(id)).flat_map(|(_, member)| &member.grants);
    by_log || promised.into_iter().any(|grant| grant.handle.as_deref() == Some(handle))
}

/// Others who go by a name that is read as the same.
fn namesakes(history: &History, cards: &[Card], card: &Card) -> Vec<String> {
    let spelled = |card: &Card| card.name().to_string().to_lowercase().replace(' ', "");
    let members = history.members.values().map(|member| &member.card);
    let same = members.chain(cards).filter(|other| other.member() != card.member() && spelled(other) == spelled(card));
    let mut same: Vec<String> = same.map(|other| other.member().fingerprint()).collect();
    same.sort_unstable();
    same.dedup();
    same
}

/// For each key of this person's: the cards of the request whose members ought to hold it, by then, and do not.
fn to_hand_on<'r>(session: &Session, request: &AddRequest<'r>) -> Result<BTreeMap<KeyId, Vec<&'r Card>>, VaultError> {
    let person = request.place.person()?;
    let history = session.history()?;
    let mut keys = BTreeMap::new();
    for (id, key) in history.keys.iter().filter(|(id, _)| can_give(session, person, **id)) {
        let ought = |card: &&Card| match &key.scope {
            Scope::Custody => true,
            Scope::Content(section) => {
                let reader = Role::Reader(section.clone());
                request.roles.contains(&reader) || history.has_role(card.member(), |role| *role == reader)
            }
        };
        let lacks = |card: &&Card| key.wraps.iter().all(|(_, wrap)| wrap.member != card.member());
        let cards: Vec<&'r Card> = request.cards.iter().filter(ought).filter(lacks).collect();
        if !cards.is_empty() {
            keys.insert(*id, cards);
        }
    }
    Ok(keys)
}
