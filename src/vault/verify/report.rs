//! From findings to a report: the verdict, every check with how often it was made, and what was not checked.

use std::collections::BTreeSet;

use super::{CheckDone, Examined, Examiner, Level, LogState, Status, Verified};
use crate::format::event::Event;
use crate::format::role::{Scope, Section};
use crate::vault::cosign::coverage::coverage;
use crate::vault::findings::Check;
use crate::vault::history::{History, Standing};
use crate::vault::members;
use crate::vault::session::Session;
use crate::vault::wrap;

impl Examiner {
    /// What is true and lowers nothing.
    pub(super) fn tell_standing(&mut self, history: &History) {
        for log in history.logs.values() {
            let late = log.entries.iter().filter(|told| told.standing == Standing::Late).count();
            if late > 0 {
                self.notices.push(format!(
                    "{late} entries of {} came after the state up to which this removed member's log counts: kept, shown as late, not counted",
                    history.name_of(log.member)
                ));
            }
        }
        for member in history.members.values() {
            if member.grants.iter().any(|grant| !grant.confirmed) && !member.grants.iter().any(|grant| grant.confirmed)
            {
                self.notices.push(format!(
                    "{} was admitted by a sealer and is unconfirmed until an owner agrees",
                    member.card.name()
                ));
            }
        }
        self.notices.extend(members::notices(history));
    }

    pub(super) fn conclude(mut self, session: &Session, blobs: u64) -> Examined {
        let level = Self::level(session);
        self.count(Check::Vault, 1);
        let files = session.survey.files() + blobs;
        self.count(Check::Layout, files);
        self.count(Check::Foreign, files);
        if let Some(history) = &session.history {
            self.tally(session, history);
            self.tell_readers(session, history);
        }
        self.tell_unchecked(level, session);
        let checks = Check::ALL.into_iter().map(|check| self.done(check)).collect();
        let verified = Verified {
            vault: session.vault,
            trusted: session.pinned && (session.history.is_some() || self.founder_signed),
            level,
            verdict: self.findings.verdict(),
            checks,
            findings: self.findings.iter().cloned().collect(),
            not_checked: self.not_checked,
            notices: self.notices,
            covered_exhibits: self.logs.iter().map(|log| log.coverage.covered).sum(),
            logs: self.logs,
            exhibits: self.exhibits,
            blobs,
            monitors_needed: session.history.as_ref().map(|history| history.monitors_needed),
            exhibit_verdicts: self.exhibit_verdicts,
            fork_proofs: Vec::new(),
        };
        Examined { verified, cosignatures: self.cosignatures, surpassed: self.surpassed }
    }

    /// How often the checks were made that were made while the history was read.
    fn tally(&mut self, session: &Session, history: &History) {
        self.count(Check::Card, history.members.len() as u64);
        let mut coverage = coverage(history, &self.cosignatures.held);
        for log in history.logs.values() {
            self.logs.push(LogState {
                log: log.id,
                member: Some(log.member),
                name: Some(history.name_of(log.member)),
                size: log.head.size,
                root: log.head.root,
                handle: Some(log.handle.clone()),
                coverage: coverage.remove(&log.id).unwrap_or_default(),
            });
            let entries = log.entries.len() as u64;
            let checkpoints = session.survey.logs.get(&log.id).map_or(0, |files| files.checkpoints.len() as u64);
            let references = log.entries.iter().map(|told| told.entry.heads.len() as u64).sum::<u64>();
            for (check, more) in [
                (Check::Entry, entries),
                (Check::Authority, entries),
                (Check::Sequence, entries),
                (Check::Signature, checkpoints),
                (Check::Tree, checkpoints),
                (Check::Fork, checkpoints),
                (Check::Reference, references),
                (Check::Behind, references),
            ] {
                self.count(check, more);
            }
        }
    }

    fn level(session: &Session) -> Level {
        match (&session.history, session.ring.sections().is_empty()) {
            (None, _) => Level::Bytes,
            (Some(_), true) => Level::Custody,
            (Some(_), false) => Level::Content,
        }
    }

    /// A check that nothing was there for is skipped, never passed.
    fn done(&self, check: Check) -> CheckDone {
        let count = self.counts.get(&check).copied().unwrap_or(0);
        let status = match (self.findings.any(check), count) {
            (true, _) => Status::Fail,
            (false, 0) => Status::Skip,
            (false, _) => Status::Pass,
        };
        CheckDone { check, status, count }
    }

    pub(super) fn tell_readers(&mut self, session: &Session, history: &History) {
        for met in session.ring.met() {
            self.notices.push(format!(
                "section {}: shares came together here; whoever has this device could keep its key",
                met.scope
            ));
        }
        for (id, key) in &history.keys {
            let Scope::Content(section) = &key.scope else { continue };
            let older = history.newest_key(&key.scope).is_some_and(|(newest, _)| newest != *id);
            let to_it = if older { format!("it at epoch {}", key.epoch) } else { "it".into() };
            self.sections_read.insert(section.clone());
            if !history.shown_to_open(*id) && session.ring.content(id).is_none() {
                self.notices.push(format!("section {section}: no reader has yet shown that this can be opened"));
            }
            match (wrap::needed(key), history.holders(key).len()) {
                (None, 1) => {
                    self.notices.push(format!("section {section}: only one person can open what is sealed to {to_it}"));
                }
                (Some(needed), holders) => self.notices.push(format!(
                    "section {section}: {needed} of its {holders} readers must come together to open what is sealed to {to_it}"
                )),
                _ => {}
            }
        }
    }

    pub(super) fn tell_unchecked(&mut self, level: Level, session: &Session) {
        let mut not = |text: &str| self.not_checked.push(text.into());
        not("whether what is sealed is true: VALID means unchanged since sealing");
        not("whether newer states were withheld, beyond what this device and the given receipts remember");
        not("the clocks of the devices: times are what each device claimed");
        match level {
            Level::Bytes => {
                not("who signed, who was allowed to, and in what order: that needs a custody key");
                not("whether all exhibits are here: that needs a custody key");
                not("records and content: that needs a content key");
            }
            Level::Custody => not("records and content: that needs a content key"),
            Level::Content => {
                let held: BTreeSet<&Section> = session.ring.sections();
                let closed: Vec<String> = self
                    .sections_read
                    .iter()
                    .filter(|section| !held.contains(section))
                    .map(ToString::to_string)
                    .collect();
                for section in closed {
                    self.not_checked
                        .push(format!("records and content of the section {section}: this identity has no key to it"));
                }
            }
        }
        if let Some(history) = &session.history {
            let stamps = history
                .counted()
                .filter(|(_, told)| matches!(told.entry.event, Event::Stamp { .. } | Event::Anchor { .. }))
                .count();
            if stamps > 0 {
                self.not_checked.push(format!("{stamps} time stamps and anchors: this version does not check them"));
            }
        }
        if level == Level::Bytes && session.survey.logs.values().any(|log| !log.cosignatures.is_empty()) {
            self.not_checked.push("who cosigned, and up to where: that needs a custody key".into());
        }
    }
}
