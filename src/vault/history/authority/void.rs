//! What came too late, and what rests on it: rights that somebody seemed to have in what she had seen. Whoever acted on
//! them did so in good faith; nothing of it counts, and nobody is accused of it. An owner can still adopt it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Place, Told, admissions};
use crate::crypto::recipient::Recipient;
use crate::format::card::Card;
use crate::format::event::{Event, NewKey};
use crate::format::ids::{KeyId, LogId, MemberId};
use crate::format::role::Scope;
use crate::vault::findings::Verdict;

/// Where each log's first entry stands that is late or undecided, and would give something if it counted: whoever has
/// seen a later one of the same log has seen that.
#[derive(Default)]
pub(super) struct Void {
    /// Roles, by whom they would be given to.
    admissions: BTreeMap<MemberId, BTreeMap<LogId, u64>>,
    /// Keys.
    keys: BTreeMap<LogId, u64>,
    /// Custody keys that late entries would bring.
    pub(super) custody_late: BTreeSet<KeyId>,
    /// Those that undecided entries would.
    pub(super) custody_undecided: BTreeSet<KeyId>,
}

/// The custody keys that an entry of a log brings, or would.
pub(super) fn custody_keys(told: &Told, log: LogId) -> impl Iterator<Item = KeyId> + '_ {
    let is_one = |key: &&NewKey| key.scope == Scope::Custody && key.recipient.parse::<Recipient>().is_ok();
    told.entry.event.new_keys().iter().filter(is_one).map(move |key| key.id(&log))
}

impl Void {
    /// Takes in an entry that does not count.
    pub(super) fn add(&mut self, told: &Told, place: Place) {
        if matches!(told.entry.event, Event::Rotate { .. } | Event::Share { .. }) {
            self.keys.entry(place.log).or_insert(place.seq);
        }
        for admission in admissions(&told.entry.event) {
            if let Ok(card) = Card::parse(admission.card.as_bytes()) {
                self.admissions.entry(card.member()).or_default().entry(place.log).or_insert(place.seq);
            }
        }
    }

    /// What it means that an entry is refused: somebody broke a rule, unless what is missing here, or what she had seen
    /// and came too late, might allow it.
    pub(super) fn weigh(&self, said: String, told: &Told, place: Place, member: MemberId) -> (Verdict, String) {
        if told.blind {
            (Verdict::Incomplete, format!("{said}, but not all that was seen by then is in this copy"))
        } else if self.bears(told, place, member) {
            (Verdict::Incomplete, format!("{said}, but it rests on what came too late: an owner can adopt that"))
        } else {
            (Verdict::Invalid, said)
        }
    }

    /// Whether what a member says rests, as far as can be told, on something of this that she had seen.
    pub(super) fn bears(&self, told: &Told, place: Place, member: MemberId) -> bool {
        let seen = |first: &BTreeMap<LogId, u64>| {
            first.iter().any(|(log, seq)| told.had_seen(place, Place { log: *log, seq: *seq }))
        };
        let uses_key = matches!(
            told.entry.event,
            Event::Seal(_) | Event::Amend { .. } | Event::Rotate { .. } | Event::Share { .. }
        );
        self.admissions.get(&member).is_some_and(seen) || uses_key && seen(&self.keys)
    }
}
