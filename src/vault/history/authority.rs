//! Which entries count. An entry counts if its author had been admitted, in the needed role, in what the author had
//! seen; and if it lies within every cut that a removal makes. Owners are judged in the order of their distance from
//! the founder, so that no two of them can remove each other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Grant, History, Log, Member, Place, Standing, Told, VaultKey, admissions};
use crate::crypto::recipient::Recipient;
use crate::format::card::Card;
use crate::format::event::{Event, Needs, Remove, Right, Wrap};
use crate::format::ids::{KeyId, LogId, MemberId};
use crate::format::role::Role;
use crate::store::layout;
use crate::vault::findings::{Check, Findings};

/// What has been established while judging.
#[derive(Default)]
struct Court {
    grants: BTreeMap<MemberId, Vec<Grant>>,
    cards: BTreeMap<MemberId, Card>,
    /// Removals that count, by whom they remove.
    removals: BTreeMap<MemberId, Vec<(Place, Remove)>>,
    adopted: BTreeSet<Place>,
    keys: BTreeMap<KeyId, VaultKey>,
    /// Distance of owners from the founder.
    ranks: BTreeMap<MemberId, usize>,
    judged: BTreeSet<LogId>,
}

/// Gives every entry its standing, and the history its members and keys.
pub(super) fn judge(history: &mut History) {
    let mut court = Court::default();
    court.ranks.insert(history.founder, 0);
    for rank in 0.. {
        let of_rank: BTreeSet<MemberId> =
            court.ranks.iter().filter(|(_, at)| **at == rank).map(|(member, _)| *member).collect();
        if of_rank.is_empty() {
            break;
        }
        court.sit(history, |member| of_rank.contains(&member), rank);
    }
    let all_ranked = court.ranks.clone();
    court.sit(history, |member| !all_ranked.contains_key(&member), usize::MAX);
    history.keys = court.keys;
    history.members = court
        .grants
        .into_iter()
        .filter_map(|(id, grants)| {
            let card = court.cards.remove(&id)?;
            // Whoever was admitted again after the last removal is a member again.
            let removal = court.removals.get(&id).and_then(|removals| removals.last()).map(|(place, _)| *place);
            let removed = removal.filter(|removal| !grants.iter().any(|grant| seen(history, grant.at, *removal)));
            Some((id, Member { card, grants, removed }))
        })
        .collect();
}

/// Whether the author of the entry at `place` had seen the entry `what`.
fn seen(history: &History, place: Place, what: Place) -> bool {
    has_seen(history.told(place), place, what)
}

fn has_seen(told: &Told, place: Place, what: Place) -> bool {
    if what.log == place.log {
        what.seq < place.seq
    } else {
        told.past.get(&what.log).is_some_and(|size| *size > what.seq)
    }
}

impl Court {
    /// Judges all logs of the members that `whose` picks, in causal order.
    fn sit(&mut self, history: &mut History, whose: impl Fn(MemberId) -> bool, rank: usize) {
        let mut closed = BTreeSet::new();
        for place in history.order.clone() {
            let log = &history.logs[&place.log];
            if !whose(log.member) {
                continue;
            }
            self.judged.insert(place.log);
            let told = history.told(place);
            let standing = if closed.contains(&place.log) {
                Standing::Refused("the log was closed before".into())
            } else {
                self.standing(history, log, told, place)
            };
            match &standing {
                Standing::Counted => {
                    if matches!(told.entry.event, Event::Close { .. }) {
                        closed.insert(place.log);
                    }
                    let (told, member) = (told.clone(), log.member);
                    self.take_in(&told, place, member, rank, &mut history.findings);
                }
                Standing::Late => {}
                Standing::Refused(reason) => {
                    let subject = format!("{}, entry {}", layout::log(place.log), place.seq);
                    let message = format!(
                        "{} may not say {:?} here: {reason}",
                        history.name_of_log(log),
                        told.entry.event.name()
                    );
                    history.findings.invalid(Check::Authority, subject, message);
                }
            }
            let entries = &mut history.logs.get_mut(&place.log).expect("it was just read").entries;
            entries[usize::try_from(place.seq).expect("entries are in memory")].standing = standing;
        }
    }

    fn standing(&self, history: &History, log: &Log, told: &Told, place: Place) -> Standing {
        if self.is_cut(history, log, told, place) && !self.adopted.contains(&place) {
            return Standing::Late;
        }
        let member = log.member;
        let founding = place.seq == 0 && member == history.founder && told.leaf == history.vault.0;
        let granted = |is_it: &dyn Fn(&Role) -> bool| {
            let grants = self.grants.get(&member).map(Vec::as_slice).unwrap_or_default();
            grants.iter().any(|grant| is_it(&grant.role) && has_seen(told, place, grant.at))
        };
        let (holds, reason) = match told.entry.event.needs() {
            Needs::Founding => (founding, "a vault is founded once, by its first entry"),
            Needs::Role(rights) => (
                granted(&|role| rights.iter().any(|right: &Right| right.is_given_by(role))),
                "nothing that was seen by then gives the role for it",
            ),
            Needs::Key(key) => {
                let held = self.keys.get(&key).is_some_and(|key| {
                    key.wraps.iter().any(|(at, wrap)| wrap.member == member && has_seen(told, place, *at))
                });
                (held, "nothing that was seen by then gave this member the key")
            }
            Needs::Membership => (granted(&|_| true), "nothing that was seen by then admits this member"),
        };
        if !holds {
            return Standing::Refused(reason.into());
        }
        match self.unknown_key(told, place) {
            Some(key) => Standing::Refused(format!("nothing that was seen by then brought the key {key}")),
            None => Standing::Counted,
        }
    }

    /// Whether a removal that counts leaves this entry out. Entries of someone admitted again, who had seen both the
    /// removal and the new admission, are not touched by the old removal.
    fn is_cut(&self, history: &History, log: &Log, told: &Told, place: Place) -> bool {
        let removals = self.removals.get(&log.member).map(Vec::as_slice).unwrap_or_default();
        removals.iter().any(|(at, removal)| {
            let size = removal.cuts.iter().find(|cut| cut.log == log.id).map_or(0, |cut| cut.size);
            let grants = self.grants.get(&log.member).map(Vec::as_slice).unwrap_or_default();
            let again = grants.iter().any(|grant| has_seen(told, place, grant.at) && seen(history, grant.at, *at));
            place.seq >= size && !again
        })
    }

    /// A key that the entry uses and that nobody brought.
    fn unknown_key(&self, told: &Told, place: Place) -> Option<KeyId> {
        let known = |key: &KeyId| self.keys.get(key).is_some_and(|key| has_seen(told, place, key.at));
        match &told.entry.event {
            Event::Seal(seal) => seal.manifests.iter().map(|manifest| manifest.key).find(|key| !known(key)),
            Event::Amend { key, .. } => Some(*key).filter(|key| !known(key)),
            _ => None,
        }
    }

    /// Lets an entry that counts take effect.
    fn take_in(&mut self, told: &Told, place: Place, author: MemberId, rank: usize, findings: &mut Findings) {
        let event = &told.entry.event;
        let by_owner = self.ranks.contains_key(&author);
        for admission in admissions(event) {
            let Ok(card) = Card::parse(admission.card.as_bytes()) else { continue };
            let member = card.member();
            for role in &admission.roles {
                if *role == Role::Owner {
                    self.ranks.entry(member).or_insert(rank.saturating_add(1));
                }
                let grant =
                    Grant { role: role.clone(), at: place, confirmed: by_owner, handle: admission.handle.clone() };
                self.grants.entry(member).or_default().push(grant);
            }
            self.cards.insert(member, card);
        }
        for new in event.new_keys() {
            match new.recipient.parse::<Recipient>() {
                Ok(recipient) => {
                    self.keys.entry(new.id()).or_insert_with(|| VaultKey::new(new, recipient, place));
                }
                Err(_) => findings.invalid(
                    Check::Key,
                    new.id().to_string(),
                    "the entry that brings this key names no recipient",
                ),
            }
        }
        match event {
            Event::Share { key, wraps, dummies } => self.hand_on(*key, wraps, dummies, place),
            Event::Adopt { entries } => {
                self.adopted.extend(entries.iter().map(|entry| Place { log: entry.log, seq: entry.seq }));
            }
            Event::Remove(removal) if self.ranks.get(&removal.member).is_some_and(|removed| *removed <= rank) => {
                let subject = format!("{}, entry {}", layout::log(place.log), place.seq);
                findings.invalid(
                    Check::Authority,
                    subject,
                    "an owner is removed only by one nearer the founder; this removal has no effect",
                );
            }
            Event::Remove(removal) => self.removals.entry(removal.member).or_default().push((place, removal.clone())),
            _ => {}
        }
    }

    fn hand_on(&mut self, key: KeyId, wraps: &[Wrap], dummies: &[crate::crypto::hash::Hash], place: Place) {
        if let Some(key) = self.keys.get_mut(&key) {
            key.wraps.extend(wraps.iter().map(|wrap| (place, wrap.clone())));
            key.dummies.extend(dummies);
        }
    }
}

impl History {
    /// The pseudonym of a log's owner while members are still being established.
    fn name_of_log(&self, log: &Log) -> String {
        format!("the owner of log {} ({})", log.handle, &log.member.to_string()[..8])
    }
}
