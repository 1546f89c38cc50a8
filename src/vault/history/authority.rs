//! Which entries count. An entry counts if its author had been admitted, in the needed role, in what the author had
//! seen; and if it lies within every cut that a removal makes.
//!
//! In two steps. First, owners among themselves, in the order of their distance from the founder, so that no two of
//! them can remove each other: who is an owner, which removals and adoptions take effect. Then all entries in causal
//! order: a role or a key counts from where it was seen, however far from the founder stands whoever gave it.

mod membership;
mod statements;
mod void;

use std::collections::BTreeMap;

use statements::check_statements;
use void::Void;

use super::removals::cut_size;
use super::{Grant, History, Log, Place, Standing, Told, VaultKey, admissions};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::card::Card;
use crate::format::event::{Event, Needs, Remove, Right, Wrap};
use crate::format::ids::{KeyId, LogId, MemberId};
use crate::format::role::{Role, Scope};
use crate::store::layout;
use crate::vault::findings::{Check, Findings, Verdict};
use crate::vault::parallel;

/// What has been established while judging.
#[derive(Default)]
struct Court {
    grants: BTreeMap<MemberId, Vec<Grant>>,
    cards: BTreeMap<MemberId, Card>,
    /// Removals that take effect, by whom they remove.
    removals: BTreeMap<MemberId, Vec<(Place, Remove)>>,
    /// Entries beyond a cut that an owner adopts, with the rank of the nearest such owner.
    adopted: BTreeMap<Place, usize>,
    keys: BTreeMap<KeyId, VaultKey>,
    /// Distance of owners from the founder, by the first way found, which is the shortest.
    ranks: BTreeMap<MemberId, usize>,
    /// What owners said of each other that takes effect, with the distance at which its author had the right to say it: an
    /// owner who was admitted again by somebody far from the founder says no more than that one's word gives.
    settled: BTreeMap<Place, usize>,
    /// Removals without effect, by people who could not know.
    idle: Vec<Place>,
    /// Where logs were closed.
    closed: BTreeMap<LogId, u64>,
    void: Void,
}

/// Gives every entry its standing, and the history its members and keys; with a removal beside those that are told.
pub(super) fn judge(history: &mut History, supposed: Option<&Remove>) {
    let mut court = Court { closed: closings(history), ..Court::default() };
    // Nobody has seen it.
    let nowhere = Place { log: LogId([0; 16]), seq: u64::MAX };
    court.removals.extend(supposed.map(|removal| (removal.member, vec![(nowhere, removal.clone())])));
    court.settle_owners(history);
    court.grants.clear();
    court.cards.clear();
    court.sit(history);
    history.members = court.members(history);
    history.checks_by_monitors = court.checks_by_monitors(history);
    history.idle_removals = std::mem::take(&mut court.idle);
    history.custody_late = std::mem::take(&mut court.void.custody_late);
    let forked = history.logs.values().flat_map(|log| log.forks.iter().map(|fork| (log.id, fork)));
    for (log, fork) in forked {
        history.custody_late.extend(fork.entries.iter().flat_map(|told| void::custody_keys(told, log)));
    }
    history.custody_undecided = std::mem::take(&mut court.void.custody_undecided);
    (history.keys, history.removals, history.ranks) = (court.keys, court.removals, court.ranks);
    let sealings = history.counted().filter(|(_, told)| matches!(told.entry.event, Event::Seal(_)));
    history.sealings = sealings.map(|(place, _)| place).collect();
    let told = history.logs.values().map(|log| (log.id, log.member));
    let whose = told.chain(history.untold.iter().map(|(log, member)| (*log, *member)));
    history.cuts = whose.filter_map(|(log, member)| Some((log, history.cut_of(log, member)?))).collect();
}

/// The first closing of each log, whether it counts or not: nobody goes on after it.
fn closings(history: &History) -> BTreeMap<LogId, u64> {
    let closes = |told: &&Told| matches!(told.entry.event, Event::Close { .. });
    history.logs.values().filter_map(|log| Some((log.id, log.entries.iter().find(closes)?.entry.seq))).collect()
}

impl Court {
    /// Owners among themselves, the nearest to the founder first: in each pass act those who stand so near, by rights that
    /// took effect in the passes before.
    fn settle_owners(&mut self, history: &History) {
        self.ranks.insert(history.founder, 0);
        let is_among_owners = |place: &&Place| {
            matches!(
                history.told(**place).entry.event,
                Event::Found(_) | Event::Admit(_) | Event::Remove(_) | Event::Adopt { .. }
            )
        };
        let mut waiting: Vec<Place> = history.order.iter().filter(is_among_owners).copied().collect();
        for rank in 0.. {
            let acts = |place: &Place| {
                let log = &history.logs[&place.log];
                self.ranks.get(&log.member).is_some_and(|near| *near <= rank)
                    && self.standing(history, log, history.told(*place), *place) == Standing::Counted
            };
            let (acting, left): (Vec<Place>, Vec<Place>) = waiting.into_iter().partition(acts);
            if acting.is_empty() {
                break;
            }
            for place in acting {
                self.settle(history, history.told(place), place, rank);
            }
            waiting = left;
        }
    }

    fn settle(&mut self, history: &History, told: &Told, place: Place, rank: usize) {
        self.settled.insert(place, rank);
        for member in self.grant(history, told, place, true) {
            self.ranks.entry(member).or_insert(rank.saturating_add(1));
        }
        match &told.entry.event {
            Event::Remove(removal) if self.ranks.get(&removal.member).is_none_or(|removed| *removed > rank) => {
                self.removals.entry(removal.member).or_default().push((place, removal.clone()));
            }
            Event::Adopt { entries } => {
                for entry in entries.iter().filter(|entry| history.leaf_at(entry) == Some(entry.leaf)) {
                    // Ranks ascend: the first who adopts is the nearest.
                    self.adopted.entry(Place { log: entry.log, seq: entry.seq }).or_insert(rank);
                }
            }
            _ => {}
        }
    }

    /// Judges all entries in causal order.
    fn sit(&mut self, history: &mut History) {
        let (mut found_about, mut standings) = (Vec::new(), Vec::with_capacity(history.order.len()));
        // What it says of other logs, an entry can be asked before any is judged: on all cores.
        let stated = parallel::map(&history.order, |place| {
            let mut found = Findings::default();
            check_statements(history, history.told(*place), *place, &mut found);
            (found.verdict() != Verdict::Valid).then(|| Box::new(found))
        });
        for (place, stated) in history.order.iter().copied().zip(stated) {
            let log = &history.logs[&place.log];
            let told = history.told(place);
            let standing = self.standing(history, log, told, place);
            let (mut found, mut undecided) = (Findings::default(), false);
            match &standing {
                Standing::Counted => {
                    let confirmed = self.confirms(log, told, place, history);
                    self.take_in(history, told, place, (log.member, confirmed), &mut found);
                    found.extend(stated.map(|stated| *stated).unwrap_or_default());
                    self.check_effect(history, told, place, log.member, &mut found);
                }
                Standing::Late => {
                    self.void.add(told, place);
                    self.void.custody_late.extend(void::custody_keys(told, place.log));
                }
                Standing::Refused(reason) => {
                    let said = format!("{} may not say {:?} here: {reason}", owner_of(log), told.entry.event.name());
                    let (weight, message) = self.void.weigh(said, told, place, log.member);
                    undecided = weight == Verdict::Incomplete;
                    if undecided {
                        self.void.add(told, place);
                        self.void.custody_undecided.extend(void::custody_keys(told, place.log));
                    }
                    found.add(weight, Check::Authority, subject(place), message);
                }
            }
            if found.verdict() != Verdict::Valid {
                found_about.push((log.member, found));
            }
            standings.push((standing, undecided));
        }
        for (place, (standing, undecided)) in history.order.iter().zip(standings) {
            let entries = &mut history.logs.get_mut(&place.log).expect("it was just read").entries;
            let told = &mut entries[usize::try_from(place.seq).expect("entries are in memory")];
            (told.standing, told.undecided) = (standing, undecided);
        }
        // What somebody says whom nobody ever admitted is foreign as a whole, and breaks no rule.
        let members = found_about.into_iter().filter(|(member, _)| self.grants.contains_key(member));
        for (_, found) in members {
            history.findings.extend(found);
        }
    }

    fn standing(&self, history: &History, log: &Log, told: &Told, place: Place) -> Standing {
        let member = log.member;
        let cutting = self.cutting(log, place);
        let grants = self.grants_for(log, told, place, &cutting, history);
        if !cutting.is_empty() && grants.is_empty() {
            return Standing::Late;
        }
        if self.closed.get(&place.log).is_some_and(|closed| *closed < place.seq) {
            return Standing::Refused("the log was closed before".into());
        }
        let founding = place.seq == 0 && member == history.founder && told.leaf == history.vault.0;
        let (holds, reason) = match told.entry.event.needs() {
            Needs::Founding => (founding, "a vault is founded once, by its first entry"),
            Needs::Role(rights) => (
                grants.iter().any(|grant| rights.iter().any(|right: &Right| right.is_given_by(&grant.role))),
                "nothing that was seen by then gives the role for it",
            ),
            Needs::Key(key) => {
                let held = self.keys.get(&key).is_some_and(|key| {
                    // Who holds a share has nothing whole to hand on.
                    let whole = |wrap: &Wrap| wrap.member == member && wrap.share.is_none();
                    key.wraps.iter().any(|(at, wrap)| whole(wrap) && told.had_seen(place, *at))
                });
                (held, "nothing that was seen by then gave this member the key")
            }
            Needs::Membership => (!grants.is_empty(), "nothing that was seen by then admits this member"),
        };
        if !holds {
            return Standing::Refused(reason.into());
        }
        if let Event::Rotate { keys } = &told.entry.event
            && !keys.iter().all(|new| new.epoch <= self.next_epoch(&new.scope, told, place))
        {
            return Standing::Refused("its epoch leaves some out after those that were seen by then".into());
        }
        match self.unknown_key(told, place) {
            Some(key) => Standing::Refused(format!("nothing that was seen by then brought the key {key}")),
            None => Standing::Counted,
        }
    }

    /// The grants by which an entry's author speaks. Of someone admitted again only what was given after each removal that
    /// leaves the entry out.
    fn grants_for(&self, log: &Log, told: &Told, place: Place, cutting: &[Place], history: &History) -> Vec<&Grant> {
        let seen = |grant: &&Grant| {
            told.had_seen(place, grant.at)
                && cutting.iter().all(|removal| history.told(grant.at).had_seen(grant.at, *removal))
        };
        self.grants.get(&log.member).into_iter().flatten().filter(seen).collect()
    }

    /// Whether the roles that an entry gives need nobody else's word: an owner gave them, or an owner adopted them.
    fn confirms(&self, log: &Log, told: &Told, place: Place, history: &History) -> bool {
        match told.entry.event {
            Event::Found(_) => true,
            Event::Admit(_) => {
                let grants = self.grants_for(log, told, place, &self.cutting(log, place), history);
                grants.iter().any(|grant| grant.role == Role::Owner) || self.adopted.contains_key(&place)
            }
            _ => false,
        }
    }

    /// The removals that leave an entry out, unless it is adopted. What an owner said is adopted only by one nearer
    /// the founder: whom a removed owner had made an owner cannot undo the removal.
    fn cutting(&self, log: &Log, place: Place) -> Vec<Place> {
        let rank = self.ranks.get(&log.member).copied().unwrap_or(usize::MAX);
        if self.adopted.get(&place).is_some_and(|adopter| *adopter < rank) {
            return Vec::new();
        }
        let removals = self.removals.get(&log.member).map(Vec::as_slice).unwrap_or_default();
        let cutting = removals.iter().filter(|(_, removal)| place.seq >= cut_size(removal, log.id));
        cutting.map(|(at, _)| *at).collect()
    }

    /// The epoch that follows those of a scope's keys that the entry's author had seen: the largest that may be brought. A
    /// smaller one is no fault: what did not count when the author wrote may count now.
    fn next_epoch(&self, scope: &Scope, told: &Told, place: Place) -> u32 {
        let seen = self.keys.values().filter(|key| key.scope == *scope && told.had_seen(place, key.at));
        seen.map(|key| key.epoch.saturating_add(1)).max().unwrap_or(0)
    }

    /// A key that the entry uses and that nobody brought.
    fn unknown_key(&self, told: &Told, place: Place) -> Option<KeyId> {
        let known = |key: &KeyId| self.keys.get(key).is_some_and(|key| told.had_seen(place, key.at));
        match &told.entry.event {
            Event::Seal(seal) => seal.manifests.iter().map(|manifest| manifest.key).find(|key| !known(key)),
            Event::Amend { key, .. } => Some(*key).filter(|key| !known(key)),
            _ => None,
        }
    }

    /// Takes in the roles that an entry gives; returns whom it makes an owner.
    fn grant(&mut self, history: &History, told: &Told, place: Place, confirmed: bool) -> Vec<MemberId> {
        let mut owners = Vec::new();
        for admission in admissions(&told.entry.event) {
            let Some(card) = history.cards.get(&admission.card) else { continue };
            let member = card.member();
            for role in &admission.roles {
                if *role == Role::Owner {
                    owners.push(member);
                }
                let grant = Grant { role: role.clone(), at: place, confirmed, handle: admission.handle.clone() };
                self.grants.entry(member).or_default().push(grant);
            }
            self.cards.insert(member, card.clone());
        }
        owners
    }

    /// Lets an entry that counts take effect.
    fn take_in(
        &mut self,
        history: &History,
        told: &Told,
        place: Place,
        (author, confirmed): (MemberId, bool),
        findings: &mut Findings,
    ) {
        self.grant(history, told, place, confirmed);
        for admission in admissions(&told.entry.event) {
            if !history.cards.contains_key(&admission.card)
                && let Err(error) = Card::parse(admission.card.as_bytes())
            {
                let message = format!("it admits a card that does not hold: {error}");
                findings.invalid(Check::Card, subject(place), message);
            }
        }
        let rank = self.ranks.get(&author).copied().unwrap_or(usize::MAX);
        for new in told.entry.event.new_keys() {
            let id = new.id(&place.log);
            if let Ok(recipient) = new.recipient.parse::<Recipient>() {
                // What its log brought before it brings no second time: a key in shares stays in shares.
                self.keys.entry(id).or_insert_with(|| VaultKey::new(new, recipient, place, rank));
            } else {
                let message = "the entry that brings this key names no recipient";
                findings.invalid(Check::Key, id.to_string(), message);
            }
        }
        if let Event::Share { key, wraps, dummies } = &told.entry.event {
            self.hand_on(*key, wraps, dummies, place);
        }
    }

    /// A removal without effect breaks a rule only where its author could know that it has none: honest owners in two
    /// copies make one by chance.
    fn check_effect(&mut self, history: &History, told: &Told, place: Place, author: MemberId, found: &mut Findings) {
        let Event::Remove(Remove { member, .. }) = &told.entry.event else { return };
        if self.removals.get(member).into_iter().flatten().any(|(at, _)| *at == place) {
            return;
        }
        let rank = |of: &Place| self.settled.get(of).copied().unwrap_or(usize::MAX);
        let grants = self.grants.get(member).into_iter().flatten();
        let mut seen = grants.filter(|grant| grant.role == Role::Owner && told.had_seen(place, grant.at));
        let too_near = |grant: &Grant| rank(&grant.at).saturating_add(1) <= rank(&place);
        // The nearer of two rights that she had may have come too late since.
        let could_know = *member == history.founder || *member == author || seen.any(too_near);
        if could_know && !self.void.bears(told, place, author) {
            let message = "an owner is removed only by one nearer the founder; this removal has no effect";
            found.invalid(Check::Authority, subject(place), message);
        } else {
            self.idle.push(place);
        }
    }

    fn hand_on(&mut self, key: KeyId, wraps: &[Wrap], dummies: &[Hash], place: Place) {
        if let Some(key) = self.keys.get_mut(&key) {
            key.wraps.extend(wraps.iter().map(|wrap| (place, wrap.clone())));
            key.dummies.extend(dummies);
        }
    }
}

/// A log's owner while members are still being established.
fn owner_of(log: &Log) -> String {
    format!("the owner of log {} ({})", log.handle, &log.member.to_string()[..8])
}

/// How findings name an entry.
fn subject(place: Place) -> String {
    format!("{}, entry {}", layout::log(place.log), place.seq)
}
