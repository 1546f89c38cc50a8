//! The logs of a vault as one checked story: whose each log is, which signed state it has reached, in what causal
//! order things were said, and which of them count.
//!
//! In three steps, each a room: [`chain`] finds, for each log, the entries that lead to its largest signed state;
//! [`order`] puts all entries after what their authors had seen; [`authority`] decides what counts.

mod authority;
mod beside;
mod chain;
mod cosigned;
mod keys;
mod log;
mod order;
mod past;
mod reach;
mod removals;
mod shown;
mod signed;
mod trouble;

use std::collections::{BTreeMap, BTreeSet};

use super::VaultError;
use super::findings::{Check, Finding, Findings};
use super::survey::Survey;
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Identity;
use crate::format::card::Card;
use crate::format::event::{Admission, EntryRef, Event, ExhibitRef, Found, Head, Remove, Seal};
use crate::format::ids::{KeyId, LogId, MemberId, VaultId};
use crate::format::role::Role;
use crate::store::{Folder, layout};

use chain::{Read, Reading};
pub(crate) use cosigned::open_cosignature;
pub use keys::VaultKey;
pub use log::{Fork, Log, Place, Sizes, Standing, Told};
pub use past::Past;
pub(crate) use signed::{Signatures, check_head};
use trouble::LogTrouble;

/// Somebody whom a counted entry admitted.
#[derive(Clone, Debug)]
pub struct Member {
    /// The card.
    pub card: Card,
    /// Every role that was given, and where.
    pub grants: Vec<Grant>,
    /// Where the member was removed, if so.
    pub removed: Option<Place>,
    /// How far from the founder what she says next of owners would stand.
    pub reach: usize,
}

/// A role given to a member.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The entry that gives it.
    pub at: Place,
    /// False while only a sealer has said so.
    pub confirmed: bool,
    /// A handle for the member's first log.
    pub handle: Option<String>,
}

/// One sealing that counts, with its place.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// Where it was said.
    pub place: Place,
    /// The log's handle.
    pub handle: &'a str,
    /// What it says.
    pub seal: &'a Seal,
    /// When, as claimed.
    pub time: &'a str,
    /// By whom.
    pub member: MemberId,
}

/// The checked story of a vault.
#[derive(Clone, Debug)]
pub struct History {
    /// The vault.
    pub vault: VaultId,
    /// Who founded it.
    pub founder: MemberId,
    /// All logs whose owners' cards are known.
    pub logs: BTreeMap<LogId, Log>,
    /// Logs whose members no counted entry admits: no evidence, though they are here.
    pub(in crate::vault) foreign: BTreeMap<LogId, Log>,
    /// The cards that entries carry, by their text. What is no card is not among them.
    cards: BTreeMap<String, Card>,
    /// Everybody whom a counted entry admitted.
    pub members: BTreeMap<MemberId, Member>,
    /// Counted checks (`verify` entries) whose authors made them as monitors.
    pub checks_by_monitors: BTreeSet<Place>,
    /// Keys that counted entries brought.
    pub keys: BTreeMap<KeyId, VaultKey>,
    /// Custody keys of late entries, and of other histories. Whoever had been given one may have written to it.
    pub(super) custody_late: BTreeSet<KeyId>,
    /// The same of undecided entries.
    custody_undecided: BTreeSet<KeyId>,
    /// Where the logs of those who are no members any more stop to count.
    pub cuts: BTreeMap<LogId, u64>,
    /// Removals that take effect, by whom they remove.
    removals: BTreeMap<MemberId, Vec<(Place, Remove)>>,
    /// How far from the founder each stands who was ever made an owner: 0 is the founder.
    pub ranks: BTreeMap<MemberId, usize>,
    /// Logs of which no signed state can be followed here, and whose they are.
    untold: BTreeMap<LogId, MemberId>,
    /// Logs, of whomever, of which something lies here and could not be read: they may say more.
    pub unread: BTreeSet<LogId>,
    /// Removals that have no effect because of what their authors had not seen: told, and no findings.
    pub idle_removals: Vec<Place>,
    /// All entries, each after what its author had seen.
    pub order: Vec<Place>,
    /// Of these, the sealings that count: exhibits are looked up in them, one after the other.
    sealings: Vec<Place>,
    /// Handles that two logs or more have: asked for with every label.
    shared_handles: BTreeSet<String>,
    /// Monitors that must cosign before a state counts as covered.
    pub monitors_needed: u32,
    /// What does not hold.
    pub findings: Findings,
}

impl History {
    /// Reads and checks all logs with the custody keys at hand. Files in `own` are what this device is still about
    /// to commit: they are no strangers.
    pub(crate) fn read(
        folder: &dyn Folder,
        survey: &Survey,
        vault: VaultId,
        custody: &[&Identity],
        own: &BTreeSet<String>,
        signatures: Signatures,
    ) -> Result<Self, VaultError> {
        let mut findings = Findings::default();
        let Read { mut logs, untold, unread, troubles, cards } =
            Reading { folder, survey, vault, custody, own, signatures }.logs(&mut findings);
        let Some((monitors_needed, founder)) =
            founding(&logs, vault).map(|(found, founder)| (found.monitors_needed, founder.member()))
        else {
            findings.extend(troubles.into_iter().map(|trouble| trouble.finding).collect());
            let lost = "no log here begins with the founding entry of the vault that it names";
            findings.incomplete(Check::Vault, "VAULT", lost);
            return Err(VaultError::NoFounding { findings });
        };
        loop {
            let mut history = Self {
                vault,
                founder,
                logs: std::mem::take(&mut logs),
                foreign: BTreeMap::new(),
                cards: cards.clone(),
                members: BTreeMap::new(),
                checks_by_monitors: BTreeSet::new(),
                keys: BTreeMap::new(),
                custody_late: BTreeSet::new(),
                custody_undecided: BTreeSet::new(),
                cuts: BTreeMap::new(),
                removals: BTreeMap::new(),
                ranks: BTreeMap::new(),
                untold: untold.clone(),
                unread: unread.clone(),
                idle_removals: Vec::new(),
                order: Vec::new(),
                sealings: Vec::new(),
                shared_handles: BTreeSet::new(),
                monitors_needed,
                findings: findings.clone(),
            };
            let mut ordered = order::causal(&mut history.logs);
            history.order = std::mem::take(&mut ordered.order);
            authority::judge(&mut history, None);
            // A cut names the history that counts: the logs are read anew with it, each fork at most once.
            let Some((log, fork)) = history.other_history_named() else {
                history.settle(ordered.troubles, troubles);
                return Ok(history);
            };
            logs = history.logs;
            logs.get_mut(&log).expect("it was just read").turn_to(fork);
        }
    }

    /// The same story, had an owner who may do it said this removal at its end: whose entries and keys would count.
    pub(crate) fn supposing(&self, removal: &Remove) -> Self {
        let mut supposed = self.clone();
        authority::judge(&mut supposed, Some(removal));
        supposed
    }

    /// A log of which a removal that counts names another history than the one that was taken.
    fn other_history_named(&self) -> Option<(LogId, usize)> {
        let removals = self.counted().filter_map(|(_, told)| match &told.entry.event {
            Event::Remove(removal) => Some(removal),
            _ => None,
        });
        removals.flat_map(|removal| removal.cuts.iter().map(|cut| (removal.member, cut))).find_map(|(member, cut)| {
            let log = self.logs.get(&cut.log).filter(|log| log.member == member)?;
            if log.turned || log.root_at(cut.size) == Some(cut.root) {
                return None;
            }
            let fork = log.forks.iter().position(|fork| {
                fork.root_at(cut.size) == Some(cut.root) && fork.head.size == fork.parted + fork.entries.len() as u64
            });
            Some((cut.log, fork?))
        })
    }

    /// Takes in what is wrong with the logs and what they say of each other, but for what lies beyond a cut, which
    /// lowers nothing; and sets aside the logs of people whom nobody admitted.
    fn settle(&mut self, of_entries: Vec<(Place, Finding)>, of_logs: Vec<LogTrouble>) {
        let members = &self.members;
        let whose = self.logs.values().map(|log| (log.id, log.member)).chain(std::mem::take(&mut self.untold));
        let strangers: BTreeSet<LogId> =
            whose.filter(|(_, member)| !members.contains_key(member)).map(|(log, _)| log).collect();
        let logs = std::mem::take(&mut self.logs);
        (self.foreign, self.logs) = logs.into_iter().partition(|(id, _)| strangers.contains(id));
        self.order.retain(|place| !strangers.contains(&place.log));
        self.unread.retain(|log| !strangers.contains(log));
        for stranger in &strangers {
            let message = "nobody who might admitted whoever writes this log; it is no evidence";
            self.findings.incomplete(Check::Foreign, layout::log(*stranger).to_string(), message);
        }
        for trouble in of_logs {
            let late = self.cuts.get(&trouble.log).is_some_and(|cut| trouble.seq >= *cut);
            // What no signature covers is a stranger's wherever it lies, and not what a removed member said too late.
            if !strangers.contains(&trouble.log) && (!late || trouble.finding.check == Check::Foreign) {
                self.findings.push(trouble.finding);
            }
        }
        for (place, finding) in of_entries {
            if self.logs.contains_key(&place.log) && self.told(place).standing != Standing::Late {
                self.findings.push(finding);
            }
        }
        let mut handles = BTreeSet::new();
        let shared = self.logs.values().filter(|log| !handles.insert(&log.handle)).map(|log| log.handle.clone());
        self.shared_handles = shared.collect();
        self.check_sequences();
    }

    /// Whether two logs of the vault have one handle.
    pub fn is_shared(&self, handle: &str) -> bool {
        self.shared_handles.contains(handle)
    }

    /// The leaf that stands where an entry is said to stand.
    pub fn leaf_at(&self, entry: &EntryRef) -> Option<Hash> {
        let entries = &self.logs.get(&entry.log)?.entries;
        entries.get(usize::try_from(entry.seq).ok()?).map(|told| told.leaf)
    }

    /// The entry at `place`.
    ///
    /// # Panics
    ///
    /// When there is none; places come from this same history.
    pub fn told(&self, place: Place) -> &Told {
        self.find(place).expect("places name entries of this history")
    }

    /// What stands at a place that may be another history's.
    pub fn find(&self, place: Place) -> Option<&Told> {
        self.logs.get(&place.log)?.entries.get(usize::try_from(place.seq).ok()?)
    }

    /// All entries that count, in causal order.
    pub fn counted(&self) -> impl Iterator<Item = (Place, &Told)> {
        self.order
            .iter()
            .map(|place| (*place, self.told(*place)))
            .filter(|(_, told)| told.standing == Standing::Counted)
    }

    /// All entries beyond a cut that nobody adopted: kept, and they lower nothing.
    pub fn late(&self) -> impl Iterator<Item = (Place, &Told)> {
        let all = self.order.iter().map(|place| (*place, self.told(*place)));
        all.filter(|(_, told)| told.standing == Standing::Late)
    }

    /// All sealings that count, in causal order.
    pub fn sealings(&self) -> impl Iterator<Item = Sealing<'_>> {
        self.sealings.iter().filter_map(|place| self.sealing_at(*place))
    }

    /// The sealing that an entry is, whether it counts or not.
    pub fn sealing<'a>(&'a self, place: Place, told: &'a Told) -> Option<Sealing<'a>> {
        let Event::Seal(seal) = &told.entry.event else { return None };
        let log = self.logs.get(&place.log)?;
        Some(Sealing { place, handle: &log.handle, seal, time: &told.entry.time, member: log.member })
    }

    /// The sealing at a place, if one that counts stands there.
    pub fn sealing_at(&self, place: Place) -> Option<Sealing<'_>> {
        let told = self.logs.get(&place.log)?.entries.get(usize::try_from(place.seq).ok()?)?;
        let sealing = self.sealing(place, told);
        sealing.filter(|_| told.standing == Standing::Counted)
    }

    /// How far from the founder what a member says next of owners would stand: she removes, and adopts of, those beyond.
    pub fn reach(&self, member: MemberId) -> usize {
        self.members.get(&member).map_or(usize::MAX, |member| member.reach)
    }

    /// Whether `member` has, as far as this history tells, a role that `is_it` accepts.
    pub fn has_role(&self, member: MemberId, is_it: impl Fn(&Role) -> bool) -> bool {
        let known = self.members.get(&member).filter(|member| member.removed.is_none());
        known.is_some_and(|member| member.grants.iter().any(|grant| is_it(&grant.role)))
    }

    /// Whether an owner made this member a monitor; of someone admitted again, since. One whom only a sealer brought does not
    /// vouch for that sealer.
    pub fn is_monitor(&self, member: MemberId) -> bool {
        let grants = self.members.get(&member).map(|member| member.grants.as_slice()).unwrap_or_default();
        grants.iter().any(|grant| grant.role == Role::Monitor && grant.confirmed)
    }

    /// A member's pseudonym, or the start of the id where no card is known.
    pub fn name_of(&self, member: MemberId) -> String {
        match self.members.get(&member) {
            Some(member) => member.card.name().to_string(),
            None => format!("member {}", &member.to_string()[..8]),
        }
    }

    /// What has been withdrawn so far: the exhibit with its scope.
    pub fn withdrawals(&self) -> impl Iterator<Item = (ExhibitRef, &str)> {
        self.counted().filter_map(|(_, told)| match &told.entry.event {
            Event::Withdraw { exhibit, scope } => Some((*exhibit, scope.as_str())),
            _ => None,
        })
    }

    /// Blobs that an authorised entry lets be absent.
    pub fn disposed(&self) -> BTreeSet<Hash> {
        let events = self.counted().map(|(_, told)| &told.entry.event);
        events
            .filter_map(|event| if let Event::Dispose { blobs, .. } = event { Some(blobs) } else { None })
            .flatten()
            .copied()
            .collect()
    }

    /// Heads of all logs but one, for the entry that its owner writes next: only what advanced beyond what was `seen`.
    pub fn news_since(&self, seen: &Sizes, own: LogId) -> Vec<Head> {
        let advanced = |log: &&Log| log.id != own && log.head.size > seen.get(&log.id).copied().unwrap_or(0);
        self.logs.values().filter(advanced).map(|log| log.head).collect()
    }

    /// Numbers of exhibits run on within a log, whatever counts.
    fn check_sequences(&mut self) {
        for log in self.logs.values() {
            let mut next = 1;
            for told in &log.entries {
                let Event::Seal(seal) = &told.entry.event else { continue };
                if seal.first != next && told.standing != Standing::Late {
                    let message = format!("it numbers its exhibits from {}, where {next} would follow", seal.first);
                    let subject = format!("{}, entry {}", layout::log(log.id), told.entry.seq);
                    self.findings.invalid(Check::Sequence, subject, message);
                }
                next = seal.first + u64::from(seal.count);
            }
        }
    }
}

/// The founding entry: the first of a log, with the vault's id as its leaf hash, and with the card of whoever signed that
/// log as the founder's. Anybody can write down a founder's card; only she can found a vault under it.
fn founding(logs: &BTreeMap<LogId, Log>, vault: VaultId) -> Option<(&Found, Card)> {
    let founded = |log: &&Log| log.entries.first().is_some_and(|told| told.leaf == vault.0);
    let log = logs.values().find(founded)?;
    let Event::Found(found) = &log.entries.first()?.entry.event else { return None };
    let founder = Card::parse(found.founder.card.as_bytes()).ok()?;
    (founder.member() == log.member).then_some((found, founder))
}

/// Every admission that an event makes.
fn admissions(event: &Event) -> Vec<&Admission> {
    match event {
        Event::Found(found) => std::iter::once(&found.founder).chain(&found.members).collect(),
        Event::Admit(admission) => vec![admission],
        _ => Vec::new(),
    }
}
