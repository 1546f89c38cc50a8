//! From files to logs: opens every entry, and for each log finds the entries that lead, root by root, to its largest
//! state with both of its owner's signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Log, Past, Standing, Told, admissions};
use crate::crypto::envelope::{self, EnvelopeError};
use crate::crypto::hash::Hash;
use crate::crypto::merkle::Growing;
use crate::crypto::recipient::Identity;
use crate::format::card::Card;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::document::Document;
use crate::format::entry::{ENTRY_BYTES_MAX, Entry, entry_leaf};
use crate::format::event::{Event, Head};
use crate::format::ids::{LogId, MemberId, VaultId};
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::store::layout::{self, CheckpointName, EntryName};
use crate::store::{Folder, StoreError};
use crate::vault::findings::{Check, Findings, Verdict};
use crate::vault::parallel;
use crate::vault::survey::{LogFiles, Survey};

/// Header and authentication of an age file around a padded entry, generously.
const AGE_OVERHEAD_MAX: u64 = 1 << 20;
/// At so many forks of one log's files the search for the signed story is given up.
const BRANCHES_MAX: usize = 64;

/// An entry that was opened, and is what its file's name says.
struct Candidate {
    leaf: Hash,
    entry: Entry,
}

/// What lies in one log's folder, opened.
#[derive(Default)]
struct Opened {
    candidates: BTreeMap<u64, Vec<Candidate>>,
    /// Files that are not what they should be: path, place, trouble.
    unusable: Vec<(String, u64, Trouble)>,
}

/// What every step needs to know.
pub(super) struct Reading<'a> {
    pub(super) folder: &'a dyn Folder,
    pub(super) survey: &'a Survey,
    pub(super) vault: VaultId,
    pub(super) custody: &'a [&'a Identity],
    /// Files that this device is still about to commit: no strangers.
    pub(super) own: &'a BTreeSet<String>,
}

impl Reading<'_> {
    /// All logs whose owner is known by a card that some entry of the vault carries.
    pub(super) fn logs(&self, findings: &mut Findings) -> BTreeMap<LogId, Log> {
        let logs = &self.survey.logs;
        let mut opened: BTreeMap<LogId, Opened> = logs.iter().map(|(id, files)| (*id, self.open(*id, files))).collect();
        let cards = cards(&opened, findings);
        let resolved = logs.iter().filter_map(|(id, files)| {
            let opened = opened.remove(id).unwrap_or_default();
            Some((*id, self.resolve(*id, files, opened, &cards, findings)?))
        });
        resolved.collect()
    }

    fn open(&self, log: LogId, files: &LogFiles) -> Opened {
        let names: Vec<EntryName> = files.entries.values().flatten().copied().collect();
        let results = parallel::map(&names, |name| self.open_entry(log, name));
        let mut opened = Opened::default();
        for (name, result) in names.iter().zip(results) {
            match result {
                Ok(candidate) => opened.candidates.entry(name.seq).or_default().push(candidate),
                Err(trouble) => opened.unusable.push((layout::entry(log, name).to_string(), name.seq, trouble)),
            }
        }
        opened
    }

    fn open_entry(&self, log: LogId, name: &EntryName) -> Result<Candidate, Trouble> {
        let damaged = |reason: &str| Trouble { weight: Verdict::Invalid, reason: reason.into() };
        let file = self.folder.read(&layout::entry(log, name), ENTRY_BYTES_MAX + AGE_OVERHEAD_MAX)?;
        if Hash::of(&file) != name.sha256 {
            return Err(damaged("its bytes do not have the hash in its name"));
        }
        let padded = envelope::open(&file, self.custody).map_err(|error| match error {
            EnvelopeError::NotForThisKey => {
                Trouble { weight: Verdict::Incomplete, reason: "no custody key here opens it".into() }
            }
            other => damaged(&other.to_string()),
        })?;
        let (entry, length) = Entry::decode_padded(&padded).map_err(|error| damaged(&error.to_string()))?;
        let leaf = entry_leaf(padded.get(..length).unwrap_or_default());
        if leaf != name.leaf || entry.seq != name.seq || entry.log != log {
            return Err(damaged("it is not the entry that its name tells"));
        }
        let founds =
            matches!(entry.event, Event::Found(_)) && entry.vault == VaultId::UNFOUNDED && leaf == self.vault.0;
        if entry.vault != self.vault && !founds {
            return Err(damaged("it belongs to another vault"));
        }
        let begins = entry.begins.as_ref();
        if begins.is_some_and(|begins| LogId::derive(&entry.vault, &begins.member, &begins.salt) != log) {
            return Err(damaged("it begins a log with another id"));
        }
        Ok(Candidate { leaf, entry })
    }

    fn resolve(
        &self,
        id: LogId,
        files: &LogFiles,
        opened: Opened,
        cards: &BTreeMap<MemberId, Card>,
        findings: &mut Findings,
    ) -> Option<Log> {
        let owner = opened.candidates.get(&0).into_iter().flatten().find_map(|first| {
            let begins = first.entry.begins.as_ref()?;
            Some((cards.get(&begins.member)?, begins.handle.clone()))
        });
        let Some((card, handle)) = owner else {
            self.report_unusable(&opened, |_| true, findings);
            let message = "its first entry is missing or unreadable, or nobody whose card this vault holds began it";
            findings.incomplete(Check::Foreign, layout::log(id).to_string(), message);
            return None;
        };
        let heads = self.signed_heads(id, files, card, findings);
        for (head, note) in &heads {
            match follow(&opened.candidates, head) {
                Ok(story) => {
                    let log =
                        Log { id, member: card.member(), handle, entries: Vec::new(), head: *head, note: note.clone() };
                    let log = self.assemble(log, opened, &story, findings);
                    check_forks(&log, &heads, findings);
                    return Some(log);
                }
                Err(blocked) => self.report_blocked(id, head, &blocked, &opened, findings),
            }
        }
        self.report_unusable(&opened, |_| true, findings);
        let message = "no state of this log with both signatures of its owner leads to its entries";
        findings.invalid(Check::Tree, layout::log(id).to_string(), message);
        None
    }

    /// All states of this log that bear both of its owner's signatures, largest first.
    fn signed_heads(&self, id: LogId, files: &LogFiles, card: &Card, findings: &mut Findings) -> Vec<(Head, Note)> {
        let mut heads = Vec::new();
        for name in &files.checkpoints {
            let path = layout::checkpoint(id, name).to_string();
            match self.signed_head(id, name, card) {
                Ok(head) => heads.push(head),
                Err(_) if self.own.contains(&path) => {}
                Err(NotAHead::Stranger) => {
                    findings.incomplete(Check::Foreign, path, "it bears no signature of this log's owner");
                }
                Err(NotAHead::Trouble(trouble)) => findings.add(trouble.weight, Check::Signature, path, trouble.reason),
            }
        }
        heads.sort_by(|(one, _), (other, _)| other.size.cmp(&one.size).then(one.root.cmp(&other.root)));
        heads
    }

    fn signed_head(&self, id: LogId, name: &CheckpointName, card: &Card) -> Result<(Head, Note), NotAHead> {
        let bytes = self.folder.read(&layout::checkpoint(id, name), NOTE_BYTES_MAX as u64).map_err(Trouble::from)?;
        if Hash::of(&bytes) != name.sha256 {
            return Err(NotAHead::wrong("its bytes do not have the hash in its name"));
        }
        let (head, note) = check_head(&bytes, id, self.vault, card)?;
        if head.size == name.size { Ok((head, note)) } else { Err(NotAHead::wrong("its name tells another size")) }
    }

    fn report_blocked(&self, id: LogId, head: &Head, blocked: &Blocked, opened: &Opened, findings: &mut Findings) {
        let here = opened.unusable.iter().any(|(path, seq, _)| *seq == blocked.seq && !self.own.contains(path));
        if here {
            self.report_unusable(opened, |seq| seq == blocked.seq, findings);
        } else if blocked.seq == head.size || opened.candidates.contains_key(&blocked.seq) {
            let message = format!("the entries do not lead to the root that is signed for size {}", head.size);
            findings.invalid(Check::Tree, layout::log(id).to_string(), message);
        } else {
            let subject = format!("{}, entry {}", layout::log(id), blocked.seq);
            let message = format!("the entry is missing, though a state of {} entries is signed", head.size);
            findings.incomplete(Check::Entry, subject, message);
        }
    }

    fn report_unusable(&self, opened: &Opened, which: impl Fn(u64) -> bool, findings: &mut Findings) {
        for (path, seq, trouble) in &opened.unusable {
            if which(*seq) && !self.own.contains(path) {
                findings.add(trouble.weight, Check::Entry, path.clone(), trouble.reason.clone());
            }
        }
    }

    fn assemble(&self, mut log: Log, mut opened: Opened, story: &[usize], findings: &mut Findings) -> Log {
        for (seq, chosen) in story.iter().enumerate() {
            let mut here = opened.candidates.remove(&(seq as u64)).unwrap_or_default();
            let Candidate { leaf, entry } = here.swap_remove(*chosen);
            for stray in here {
                self.report_stray(log.id, &stray, findings);
            }
            log.entries.push(Told { entry, leaf, past: Arc::new(Past::new()), standing: Standing::Counted });
        }
        for stray in opened.candidates.values().flatten() {
            self.report_stray(log.id, stray, findings);
        }
        for (path, ..) in &opened.unusable {
            if !self.own.contains(path) && !findings.mentions(path) {
                findings.incomplete(Check::Foreign, path, "no signed state covers it; it is no evidence");
            }
        }
        log
    }

    fn report_stray(&self, id: LogId, stray: &Candidate, findings: &mut Findings) {
        let prefix = format!("{:010}-{}", stray.entry.seq, stray.leaf);
        if !self.own.iter().any(|path| path.contains(&prefix)) {
            let subject = format!("{}, entry {prefix}", layout::log(id));
            findings.incomplete(Check::Foreign, subject, "no signed state covers it; it is no evidence");
        }
    }
}

/// Why a file cannot be used: damage, or only that it cannot be read here.
pub(crate) struct Trouble {
    weight: Verdict,
    reason: String,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        let oversize = matches!(error, StoreError::TooLarge { .. });
        Self { weight: if oversize { Verdict::Invalid } else { Verdict::Incomplete }, reason: error.to_string() }
    }
}

/// Why a checkpoint's file is no state of its log.
pub(crate) enum NotAHead {
    /// No line in it is by the log's owner.
    Stranger,
    /// It does not hold, or cannot be read.
    Trouble(Trouble),
}

impl NotAHead {
    fn wrong(reason: &(impl ToString + ?Sized)) -> Self {
        Self::Trouble(Trouble { weight: Verdict::Invalid, reason: reason.to_string() })
    }
}

impl From<Trouble> for NotAHead {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// A checkpoint of log `id` against its owner's card.
pub(crate) fn check_head(bytes: &[u8], id: LogId, vault: VaultId, card: &Card) -> Result<(Head, Note), NotAHead> {
    let note = Note::parse(bytes).map_err(|error| NotAHead::wrong(&error))?;
    let checkpoint = Checkpoint::parse_text(note.text()).map_err(|error| NotAHead::wrong(&error))?;
    if checkpoint.origin != (Origin { vault, log: id }) {
        return Err(NotAHead::wrong("it is a state of another log"));
    }
    if !checkpoint.bears_lines_of(&note, card.keys()) {
        return Err(NotAHead::Stranger);
    }
    Checkpoint::verify(&note, card.keys()).map_err(|error| NotAHead::wrong(&error))?;
    Ok((Head { log: id, size: checkpoint.size, root: checkpoint.root }, note))
}

/// Cards prove themselves: their member id is the hash of their keys. Whether they were admitted is another question.
fn cards(opened: &BTreeMap<LogId, Opened>, findings: &mut Findings) -> BTreeMap<MemberId, Card> {
    let mut cards = BTreeMap::new();
    let entries = opened.values().flat_map(|log| log.candidates.values().flatten()).map(|candidate| &candidate.entry);
    for entry in entries {
        for admission in admissions(&entry.event) {
            match Card::parse(admission.card.as_bytes()) {
                Ok(card) => {
                    cards.insert(card.member(), card);
                }
                Err(error) => {
                    let message = format!("entry {} admits a card that does not hold: {error}", entry.seq);
                    findings.invalid(Check::Card, entry.log.to_string(), message);
                }
            }
        }
    }
    cards
}

/// How far the entries lead towards a head, where they do not reach it.
struct Blocked {
    /// The first place without a fitting entry; the head's size where all are there and the root is another.
    seq: u64,
}

/// The entries, one a place, whose roots lead to `head`.
fn follow(candidates: &BTreeMap<u64, Vec<Candidate>>, head: &Head) -> Result<Vec<usize>, Blocked> {
    let (mut growing, mut chosen) = (Growing::default(), Vec::new());
    let mut branches: Vec<(Growing, Vec<usize>)> = Vec::new();
    let mut blocked = Blocked { seq: 0 };
    for _ in 0..BRANCHES_MAX {
        while growing.size() < head.size {
            let seq = growing.size();
            let root = growing.root();
            let here = candidates.get(&seq).map(Vec::as_slice).unwrap_or_default();
            let mut fitting = here.iter().enumerate().filter(|(_, candidate)| candidate.entry.previous == root);
            let Some((first, candidate)) = fitting.next() else { break };
            for (other, alternative) in fitting {
                let mut branch = growing.clone();
                branch.push(alternative.leaf);
                branches.push((branch, chosen.iter().copied().chain([other]).collect()));
            }
            growing.push(candidate.leaf);
            chosen.push(first);
        }
        blocked.seq = blocked.seq.max(growing.size());
        if growing.size() == head.size && growing.root() == head.root {
            return Ok(chosen);
        }
        match branches.pop() {
            Some(branch) => (growing, chosen) = branch,
            None => break,
        }
    }
    Err(blocked)
}

/// Every smaller signed state must be a state that this log went through.
fn check_forks(log: &Log, heads: &[(Head, Note)], findings: &mut Findings) {
    for (head, _) in heads.iter().filter(|(head, _)| head.size <= log.head.size) {
        if log.root_at(head.size) != Some(head.root) {
            let message = format!(
                "two histories signed with one key: at size {} its owner signed both root {} and root {}",
                head.size,
                head.root,
                log.root_at(head.size).expect("the size is within the log"),
            );
            findings.invalid(Check::Fork, layout::log(log.id).to_string(), message);
        }
    }
}
