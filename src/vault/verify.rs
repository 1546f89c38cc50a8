//! Verifying a vault at the level that the keys allow: *bytes* without a key, *custody* as a member, *content* as a
//! reader. Every verdict says what was not checked.

use std::collections::{BTreeMap, BTreeSet};

use super::content::{self, Broken, Nowhere};
use super::exhibits;
use super::findings::{Check, Finding, Findings, Verdict};
use super::history::{History, Standing};
use super::session::{Request, Session, Trust};
use super::{Setting, Stage, VaultError, parallel, survey};
use crate::crypto::hash::Hash;
use crate::crypto::merkle;
use crate::format::card::Card;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::event::Event;
use crate::format::ids::{LogId, MemberId};
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::format::receipt::Receipt;
use crate::format::role::Section;
use crate::store::{StoreError, layout};

/// How deep a check could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Names, hashes, trees.
    Bytes,
    /// Signatures, authority, order, inventories.
    Custody,
    /// Records and payloads of at least one section.
    Content,
}

/// What to verify.
pub struct VerifyRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// Receipts that it must still hold to.
    pub receipts: &'a [(String, Receipt)],
    /// Signed states that somebody else remembers.
    pub checkpoints: &'a [(String, Vec<u8>)],
}

/// How one check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was made and holds.
    Pass,
    /// It was made and found something.
    Fail,
    /// It could not be made at this level.
    Skip,
}

/// One check with how often it was made.
#[derive(Clone, Copy, Debug)]
pub struct CheckDone {
    /// Which.
    pub check: Check,
    /// How it went.
    pub status: Status,
    /// On how many things.
    pub count: u64,
}

/// One log, as it was found.
#[derive(Clone, Debug)]
pub struct LogState {
    /// Its id.
    pub log: LogId,
    /// Whose it is, where that is known.
    pub member: Option<MemberId>,
    /// The owner's pseudonym, where that is known.
    pub name: Option<String>,
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// What verifying found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The vault.
    pub vault: crate::format::ids::VaultId,
    /// Whether this device trusts it.
    pub pinned: bool,
    /// How deep the check could go.
    pub level: Level,
    /// The verdict.
    pub verdict: Verdict,
    /// Every check.
    pub checks: Vec<CheckDone>,
    /// What does not hold, or is not there.
    pub findings: Vec<Finding>,
    /// What could not be checked, in sentences.
    pub not_checked: Vec<String>,
    /// What the reader of the verdict should know and that lowers it in no way.
    pub notices: Vec<String>,
    /// The logs.
    pub logs: Vec<LogState>,
    /// How many exhibits are sealed.
    pub exhibits: u64,
    /// How many blobs lie there.
    pub blobs: u64,
    /// Verdicts of exhibits that are not valid.
    pub exhibit_verdicts: BTreeMap<String, Verdict>,
}

/// Verifies a vault.
pub fn verify(setting: &mut Setting<'_>, request: &VerifyRequest<'_>) -> Result<Verified, VaultError> {
    let mut session = Session::open(setting, &request.place)?;
    let mut examiner = Examiner::new(&mut session);
    let blobs = survey::blobs(&*session.folder, &mut examiner.findings)?;
    let sizes = blobs.len() as u64 * (1 << 20);
    setting.watch.begin(Stage::Checking, Some(sizes));
    examiner.check_blobs(setting, &session, &blobs);
    match &session.history {
        Some(history) => {
            examiner.findings.extend(history.findings.clone());
            examiner.check_keys(&session, history);
            examiner.check_sealings(setting, &session, history, &blobs)?;
            examiner.tell_standing(history);
            examiner.check_remembered(history, request)?;
        }
        None => examiner.check_names(&session, request.place.trust)?,
    }
    if setting.watch.stopped() {
        return Err(VaultError::Stopped);
    }
    let verified = examiner.conclude(&session, blobs.len() as u64);
    if verified.pinned && verified.verdict != Verdict::Invalid && session.history.is_some() {
        session.remember_heads()?;
    }
    Ok(verified)
}

struct Examiner {
    findings: Findings,
    counts: BTreeMap<Check, u64>,
    notices: Vec<String>,
    not_checked: Vec<String>,
    logs: Vec<LogState>,
    exhibits: u64,
    exhibit_verdicts: BTreeMap<String, Verdict>,
    sections_read: BTreeSet<Section>,
    bad_blobs: BTreeMap<Hash, Verdict>,
}

impl Examiner {
    fn new(session: &mut Session) -> Self {
        let findings = std::mem::take(&mut session.findings);
        Self {
            findings,
            counts: BTreeMap::new(),
            notices: Vec::new(),
            not_checked: Vec::new(),
            logs: Vec::new(),
            exhibits: 0,
            exhibit_verdicts: BTreeMap::new(),
            sections_read: BTreeSet::new(),
            bad_blobs: BTreeMap::new(),
        }
    }

    fn count(&mut self, check: Check, more: u64) {
        *self.counts.entry(check).or_default() += more;
    }

    /// Every blob that lies here against its name.
    fn check_blobs(&mut self, setting: &Setting<'_>, session: &Session, blobs: &[Hash]) {
        self.count(Check::Blob, blobs.len() as u64);
        let watch = setting.watch;
        let results = parallel::map(blobs, |name| {
            if watch.stopped() {
                return Ok(());
            }
            let result = exhibits::blob(&*session.folder, *name).map(drop);
            watch.advance(1 << 20);
            result
        });
        for (name, result) in blobs.iter().zip(results) {
            if let Err(finding) = result {
                if !session.unfinished.contains(&layout::blob(*name).to_string()) {
                    self.bad_blobs.insert(*name, finding.weight);
                    self.findings.push(finding);
                }
            }
        }
    }

    /// Every wrapped key that a counted entry names.
    fn check_keys(&mut self, session: &Session, history: &History) {
        let mut expected = BTreeSet::new();
        for (id, key) in &history.keys {
            let files = key.wraps.iter().map(|(_, wrap)| wrap.file).chain(key.dummies.iter().copied());
            expected.extend(files.map(|file| (*id, file)));
        }
        self.count(Check::Key, expected.len() as u64);
        for (id, file) in &expected {
            let path = layout::wrapped_key(*id, *file);
            match session.folder.read(&path, 64 << 10) {
                Ok(bytes) if Hash::of(&bytes) == *file => {}
                Ok(_) | Err(StoreError::TooLarge { .. }) => {
                    self.findings.invalid(Check::Key, path.to_string(), "its bytes do not have the hash in its name");
                }
                Err(StoreError::Missing { .. }) => {
                    self.findings.incomplete(
                        Check::Key,
                        path.to_string(),
                        "a wrapped key is missing: its reader could not open what is sealed",
                    );
                }
                Err(error) => self.findings.incomplete(Check::Key, path.to_string(), error.to_string()),
            }
        }
        for (id, files) in &session.survey.keys {
            for file in files.iter().filter(|file| !expected.contains(&(*id, **file))) {
                let path = layout::wrapped_key(*id, *file).to_string();
                if !session.unfinished.contains(&path) {
                    self.findings.incomplete(Check::Foreign, path, "no entry that counts names this key file");
                }
            }
        }
    }

    /// Every sealing: inventory, manifests, rows, blobs, and what a reader can open.
    fn check_sealings(
        &mut self,
        setting: &Setting<'_>,
        session: &Session,
        history: &History,
        blobs: &[Hash],
    ) -> Result<(), VaultError> {
        let present: BTreeSet<Hash> = blobs.iter().copied().collect();
        let disposed = history.disposed();
        let mut owners: BTreeMap<Hash, String> = BTreeMap::new();
        for sealing in history.sealings() {
            if setting.watch.stopped() {
                return Err(VaultError::Stopped);
            }
            self.count(Check::Inventory, 1);
            self.exhibits += u64::from(sealing.seal.count);
            let named = std::iter::once(sealing.seal.inventory)
                .chain(sealing.seal.manifests.iter().map(|manifest| manifest.blob));
            for blob in named {
                self.own(
                    &mut owners,
                    blob,
                    &format!("{}, entry {}", layout::log(sealing.place.log), sealing.place.seq),
                );
            }
            let rows = match exhibits::rows(session, &sealing) {
                Ok(rows) => rows,
                Err(finding) => {
                    for number in sealing.seal.first..sealing.seal.first + u64::from(sealing.seal.count) {
                        self.exhibit_verdicts
                            .insert(super::session::exhibit_label(sealing.handle, number), finding.weight);
                    }
                    self.findings.push(finding);
                    continue;
                }
            };
            let records = self.check_manifests(session, &sealing, &rows);
            for (index, (row, blobs)) in rows.iter().enumerate() {
                let exhibit = exhibits::Exhibit {
                    id: exhibits::label(history, row),
                    row: *row,
                    blobs: blobs.clone(),
                    place: sealing.place,
                    index: u32::try_from(index).expect("a sealing is small"),
                };
                let mut whole = true;
                for blob in blobs {
                    self.own(&mut owners, *blob, &exhibit.id);
                    whole &= self.check_presence(&exhibit.id, *blob, &present, &disposed);
                }
                match records.get(&row.number) {
                    Some(Ok(known)) if whole => self.check_content(setting, session, &exhibit, known)?,
                    Some(Err(finding)) => self.blame(&exhibit.id, finding.clone()),
                    _ => {}
                }
            }
        }
        for blob in blobs.iter().filter(|blob| !owners.contains_key(blob)) {
            let path = layout::blob(*blob).to_string();
            if !session.unfinished.contains(&path) {
                self.findings.incomplete(Check::Foreign, path, "no sealing names this blob; it is no evidence");
            }
        }
        Ok(())
    }

    fn check_manifests(
        &mut self,
        session: &Session,
        sealing: &super::history::Sealing<'_>,
        rows: &[(crate::format::inventory::Row, Vec<Hash>)],
    ) -> BTreeMap<u64, Result<exhibits::Known, Finding>> {
        let mut all = BTreeMap::new();
        for manifest in &sealing.seal.manifests {
            if session.ring.content(&manifest.key).is_none() {
                if let Err(finding) = exhibits::blob(&*session.folder, manifest.blob) {
                    self.findings.push(finding);
                }
                continue;
            }
            self.count(Check::Manifest, 1);
            match exhibits::records(session, sealing, manifest, rows) {
                Ok(records) => all.extend(records),
                Err(finding) => {
                    for (row, _) in rows.iter().filter(|(row, _)| row.key == manifest.key) {
                        self.exhibit_verdicts
                            .insert(super::session::exhibit_label(sealing.handle, row.number), finding.weight);
                    }
                    self.findings.push(finding);
                }
            }
        }
        all
    }

    /// A blob belongs to one row, inventory or manifest.
    fn own(&mut self, owners: &mut BTreeMap<Hash, String>, blob: Hash, owner: &str) {
        if let Some(other) = owners.insert(blob, owner.into()) {
            let message = format!("it is named by {other} and by {owner}");
            self.findings.invalid(Check::Inventory, layout::blob(blob).to_string(), message);
        }
    }

    fn check_presence(&mut self, id: &str, blob: Hash, present: &BTreeSet<Hash>, disposed: &BTreeSet<Hash>) -> bool {
        if let Some(weight) = self.bad_blobs.get(&blob).copied() {
            self.lower(id, weight);
            return false;
        }
        if present.contains(&blob) {
            return true;
        }
        if !disposed.contains(&blob) {
            self.findings.incomplete(
                Check::Blob,
                layout::blob(blob).to_string(),
                format!("a part of exhibit {id} is not in this copy"),
            );
            self.lower(id, Verdict::Incomplete);
        }
        false
    }

    fn check_content(
        &mut self,
        setting: &Setting<'_>,
        session: &Session,
        exhibit: &exhibits::Exhibit,
        known: &exhibits::Known,
    ) -> Result<(), VaultError> {
        self.count(Check::Record, 1);
        self.count(Check::Payload, 1);
        match content::walk(session, exhibit, known, setting.watch, &mut Nowhere) {
            Ok(()) => Ok(()),
            Err(Broken::Exhibit(finding)) => {
                self.blame(&exhibit.id, finding);
                Ok(())
            }
            Err(Broken::Sink(source)) => Err(VaultError::Output { source }),
        }
    }

    fn blame(&mut self, id: &str, finding: Finding) {
        self.lower(id, finding.weight);
        self.findings.push(finding);
    }

    fn lower(&mut self, id: &str, weight: Verdict) {
        let verdict = self.exhibit_verdicts.entry(id.into()).or_insert(weight);
        *verdict = weight.max(*verdict);
    }

    /// What is true and lowers nothing.
    fn tell_standing(&mut self, history: &History) {
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
    }

    /// What others remember, against this copy.
    fn check_remembered(&mut self, history: &History, request: &VerifyRequest<'_>) -> Result<(), VaultError> {
        self.count(Check::Receipt, (request.receipts.len() + request.checkpoints.len()) as u64);
        for (name, receipt) in request.receipts {
            self.check_state(history, name, &receipt.note);
        }
        for (name, bytes) in request.checkpoints {
            match Note::parse(bytes) {
                Ok(note) => self.check_state(history, name, &note),
                Err(error) => self.findings.invalid(Check::Receipt, name, error.to_string()),
            }
        }
        Ok(())
    }

    fn check_state(&mut self, history: &History, name: &str, note: &Note) {
        let Ok(checkpoint) = Checkpoint::parse_text(note.text()) else {
            return self.findings.invalid(Check::Receipt, name, "it holds no signed state");
        };
        let log = history.logs.values().find(|log| checkpoint.origin == (Origin { vault: history.vault, log: log.id }));
        let Some(log) = log else {
            let message = if checkpoint.origin.vault == history.vault {
                "it names a log that this copy lacks"
            } else {
                return self.findings.invalid(Check::Receipt, name, "it is about another vault");
            };
            return self.findings.incomplete(Check::Behind, name, message);
        };
        let Some(card) = history.members.get(&log.member).map(|member| &member.card) else { return };
        if let Err(error) = Checkpoint::verify(note, card.keys()) {
            return self.findings.invalid(Check::Receipt, name, format!("its signatures do not hold: {error}"));
        }
        if checkpoint.size > log.head.size {
            let message = format!(
                "it shows log {} with {} entries; this copy has {}",
                log.handle, checkpoint.size, log.head.size
            );
            self.findings.incomplete(Check::Behind, name, message);
        } else if log.root_at(checkpoint.size) != Some(checkpoint.root) {
            let message = format!(
                "two histories signed with one key: it shows another state of log {} at {} entries",
                log.handle, checkpoint.size
            );
            self.findings.invalid(Check::Fork, name, message);
        }
    }

    /// Without a key: files against their names, the leaves in the names against the roots of the states.
    fn check_names(&mut self, session: &Session, trust: Option<&Trust>) -> Result<(), VaultError> {
        let card = match trust {
            Some(Trust::Owner(card)) => Some(&**card),
            _ => None,
        };
        for (id, files) in &session.survey.logs {
            for entry in files.entries.values().flatten() {
                self.count(Check::Entry, 1);
                let path = layout::entry(*id, entry);
                match session.folder.read(&path, 8 << 20) {
                    Ok(bytes) if Hash::of(&bytes) == entry.sha256 => {}
                    Ok(_) => self.findings.invalid(
                        Check::Entry,
                        path.to_string(),
                        "its bytes do not have the hash in its name",
                    ),
                    Err(error) => self.findings.incomplete(Check::Entry, path.to_string(), error.to_string()),
                }
            }
            self.check_tree(session, *id, card)?;
        }
        for (key, files) in &session.survey.keys {
            for file in files {
                self.count(Check::Key, 1);
                let path = layout::wrapped_key(*key, *file);
                if !session.folder.read(&path, 64 << 10).is_ok_and(|bytes| Hash::of(&bytes) == *file) {
                    self.findings.invalid(Check::Key, path.to_string(), "its bytes do not have the hash in its name");
                }
            }
        }
        Ok(())
    }

    fn check_tree(&mut self, session: &Session, id: LogId, card: Option<&Card>) -> Result<(), VaultError> {
        let files = &session.survey.logs[&id];
        let mut leaves = Vec::new();
        for seq in 0.. {
            match files.entries.get(&seq).map(Vec::as_slice) {
                Some([one]) => leaves.push(one.leaf),
                Some(_) => break,
                None => break,
            }
        }
        let mut largest: Option<(u64, Hash)> = None;
        for name in &files.checkpoints {
            self.count(Check::Tree, 1);
            let path = layout::checkpoint(id, name).to_string();
            let bytes = session.folder.read(&layout::checkpoint(id, name), NOTE_BYTES_MAX as u64)?;
            let checkpoint =
                Note::parse(&bytes).ok().and_then(|note| Some((Checkpoint::parse_text(note.text()).ok()?, note)));
            let Some((checkpoint, note)) = checkpoint.filter(|(checkpoint, _)| {
                Hash::of(&bytes) == name.sha256
                    && checkpoint.size == name.size
                    && checkpoint.origin == (Origin { vault: session.vault, log: id })
            }) else {
                self.findings.invalid(Check::Signature, path, "it is not the signed state that its name tells");
                continue;
            };
            if let Some(card) = card.filter(|card| checkpoint.bears_lines_of(&note, card.keys())) {
                self.count(Check::Signature, 1);
                if let Err(error) = Checkpoint::verify(&note, card.keys()) {
                    self.findings.invalid(Check::Signature, path.clone(), error.to_string());
                }
            }
            match usize::try_from(checkpoint.size).ok().and_then(|size| leaves.get(..size)) {
                Some(leaves) if merkle::root(leaves) == checkpoint.root => {}
                Some(_) => {
                    self.findings.invalid(Check::Tree, path, "the entries do not lead to the root that is signed")
                }
                None => self.findings.incomplete(Check::Entry, path, "entries that it covers are missing, or doubled"),
            }
            largest = largest.max(Some((checkpoint.size, checkpoint.root)));
        }
        match largest {
            Some((size, root)) => {
                if leaves.len() as u64 > size {
                    self.findings.incomplete(
                        Check::Foreign,
                        layout::log(id).to_string(),
                        "entries beyond the largest signed state; they are no evidence",
                    );
                }
                self.logs.push(LogState { log: id, member: None, name: None, size, root });
            }
            None => self.findings.incomplete(
                Check::Tree,
                layout::log(id).to_string(),
                "no signed state of this log is here",
            ),
        }
        Ok(())
    }

    fn conclude(mut self, session: &Session, blobs: u64) -> Verified {
        let level = self.level(session);
        if let Some(history) = &session.history {
            for log in history.logs.values() {
                self.logs.push(LogState {
                    log: log.id,
                    member: Some(log.member),
                    name: Some(history.name_of(log.member)),
                    size: log.head.size,
                    root: log.head.root,
                });
                for check in [Check::Entry, Check::Authority, Check::Sequence] {
                    *self.counts.entry(check).or_default() += log.entries.len() as u64;
                }
                let checkpoints = session.survey.logs.get(&log.id).map_or(0, |files| files.checkpoints.len() as u64);
                for check in [Check::Signature, Check::Tree, Check::Fork] {
                    *self.counts.entry(check).or_default() += checkpoints;
                }
                let references = log.entries.iter().map(|told| told.entry.heads.len() as u64).sum::<u64>();
                for check in [Check::Reference, Check::Behind] {
                    *self.counts.entry(check).or_default() += references;
                }
            }
            self.count(Check::Card, history.members.len() as u64);
            self.tell_readers(session, history);
        }
        self.tell_unchecked(level, session);
        let checks = Check::ALL.into_iter().map(|check| self.done(check, level)).collect();
        Verified {
            vault: session.vault,
            pinned: session.pinned,
            level,
            verdict: self.findings.verdict(),
            checks,
            findings: self.findings.iter().cloned().collect(),
            not_checked: self.not_checked,
            notices: self.notices,
            logs: self.logs,
            exhibits: self.exhibits,
            blobs,
            exhibit_verdicts: self.exhibit_verdicts,
        }
    }

    fn level(&self, session: &Session) -> Level {
        match (&session.history, session.ring.sections().is_empty()) {
            (None, _) => Level::Bytes,
            (Some(_), true) => Level::Custody,
            (Some(_), false) => Level::Content,
        }
    }

    fn done(&self, check: Check, level: Level) -> CheckDone {
        let needs = match check {
            Check::Layout | Check::Vault | Check::Blob | Check::Entry | Check::Key | Check::Tree | Check::Foreign => {
                Level::Bytes
            }
            Check::Manifest | Check::Record | Check::Payload => Level::Content,
            _ => Level::Custody,
        };
        let count = self.counts.get(&check).copied().unwrap_or(0);
        let status = match (self.findings.any(check), level >= needs || count > 0) {
            (true, _) => Status::Fail,
            (false, true) => Status::Pass,
            (false, false) => Status::Skip,
        };
        CheckDone { check, status, count }
    }

    fn tell_readers(&mut self, session: &Session, history: &History) {
        for (id, key) in &history.keys {
            let crate::format::role::Scope::Content(section) = &key.scope else { continue };
            self.sections_read.insert(section.clone());
            if !history.shown_to_open(*id) && session.ring.content(id).is_none() {
                self.notices.push(format!("section {section}: no reader has yet shown that this can be opened"));
            }
            if history.holders(key).len() == 1 {
                self.notices.push(format!("section {section}: only one person can open what is sealed to it"));
            }
        }
    }

    fn tell_unchecked(&mut self, level: Level, session: &Session) {
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
        if session.survey.logs.values().any(|log| !log.cosignatures.is_empty()) {
            self.not_checked.push("cosignatures: this version does not check them".into());
        }
    }
}
