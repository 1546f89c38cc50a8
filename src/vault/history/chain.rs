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
use crate::vault::findings::{Check, Findings};
use crate::vault::survey::{LogFiles, Survey};
use crate::vault::{VaultError, parallel};

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
    /// Files that are not what they should be: path, place, whether that is damage (or only unreadable here), reason.
    unusable: Vec<(String, u64, bool, String)>,
}

/// All logs whose owner is known by a card that some entry of the vault carries.
pub(super) fn read(
    folder: &dyn Folder,
    survey: &Survey,
    vault: VaultId,
    custody: &[&Identity],
    own: &BTreeSet<String>,
    findings: &mut Findings,
) -> Result<BTreeMap<LogId, Log>, VaultError> {
    let mut opened: BTreeMap<LogId, Opened> = BTreeMap::new();
    for (log, files) in &survey.logs {
        opened.insert(*log, open_entries(folder, *log, files, vault, custody)?);
    }
    let cards = cards(&opened, findings);
    let mut logs = BTreeMap::new();
    for (id, files) in &survey.logs {
        let opened = opened.remove(id).unwrap_or_default();
        if let Some(log) = resolve(folder, *id, files, opened, vault, &cards, own, findings)? {
            logs.insert(*id, log);
        }
    }
    Ok(logs)
}

fn open_entries(
    folder: &dyn Folder,
    log: LogId,
    files: &LogFiles,
    vault: VaultId,
    custody: &[&Identity],
) -> Result<Opened, VaultError> {
    let names: Vec<EntryName> = files.entries.values().flatten().copied().collect();
    let results = parallel::map(&names, |name| open_entry(folder, log, name, vault, custody));
    let mut opened = Opened::default();
    for (name, result) in names.iter().zip(results) {
        match result {
            Ok(candidate) => opened.candidates.entry(name.seq).or_default().push(candidate),
            Err(Unusable { damaged, reason }) => {
                opened.unusable.push((layout::entry(log, name).to_string(), name.seq, damaged, reason));
            }
        }
    }
    Ok(opened)
}

struct Unusable {
    damaged: bool,
    reason: String,
}

fn open_entry(
    folder: &dyn Folder,
    log: LogId,
    name: &EntryName,
    vault: VaultId,
    custody: &[&Identity],
) -> Result<Candidate, Unusable> {
    let damaged = |reason: String| Unusable { damaged: true, reason };
    let file = folder.read(&layout::entry(log, name), ENTRY_BYTES_MAX + AGE_OVERHEAD_MAX).map_err(|error| {
        Unusable { damaged: matches!(error, StoreError::TooLarge { .. }), reason: error.to_string() }
    })?;
    if Hash::of(&file) != name.sha256 {
        return Err(damaged("its bytes do not have the hash in its name".into()));
    }
    let padded = envelope::open(&file, custody).map_err(|error| match error {
        EnvelopeError::NotForThisKey => Unusable { damaged: false, reason: "no custody key here opens it".into() },
        other => damaged(other.to_string()),
    })?;
    let (entry, length) = Entry::decode_padded(&padded).map_err(|error| damaged(error.to_string()))?;
    let leaf = entry_leaf(padded.get(..length).unwrap_or_default());
    let founds =
        matches!(entry.event, Event::Found(_)) && entry.seq == 0 && entry.vault.0 == Hash::ZERO && leaf == vault.0;
    if leaf != name.leaf || entry.seq != name.seq || entry.log != log {
        return Err(damaged("it is not the entry that its name tells".into()));
    }
    if entry.vault != vault && !founds {
        return Err(damaged("it belongs to another vault".into()));
    }
    if let Some(begins) = &entry.begins {
        if LogId::derive(&entry.vault, &begins.member, &begins.salt) != log {
            return Err(damaged("it begins a log with another id".into()));
        }
    }
    Ok(Candidate { leaf, entry })
}

/// Cards prove themselves: their member id is the hash of their keys. Whether they were admitted is another question.
fn cards(opened: &BTreeMap<LogId, Opened>, findings: &mut Findings) -> BTreeMap<MemberId, Card> {
    let mut cards = BTreeMap::new();
    let entries = opened.values().flat_map(|log| log.candidates.values().flatten()).map(|candidate| &candidate.entry);
    for entry in entries {
        for admission in admissions(&entry.event) {
            match Card::parse(admission.card.as_bytes()) {
                Ok(card) => drop(cards.insert(card.member(), card)),
                Err(error) => {
                    let message = format!("entry {} admits a card that does not hold: {error}", entry.seq);
                    findings.invalid(Check::Card, entry.log.to_string(), message);
                }
            }
        }
    }
    cards
}

#[allow(clippy::too_many_arguments, reason = "the one place where a log's files, cards and findings meet")]
fn resolve(
    folder: &dyn Folder,
    id: LogId,
    files: &LogFiles,
    opened: Opened,
    vault: VaultId,
    cards: &BTreeMap<MemberId, Card>,
    own: &BTreeSet<String>,
    findings: &mut Findings,
) -> Result<Option<Log>, VaultError> {
    let owner = opened.candidates.get(&0).into_iter().flatten().find_map(|first| {
        let begins = first.entry.begins.as_ref()?;
        Some((cards.get(&begins.member)?, begins.member, begins.handle.clone()))
    });
    let Some((card, member, handle)) = owner else {
        report_unusable(&opened, |_| true, own, findings);
        let message = "its first entry is missing or unreadable, or nobody whose card this vault holds began it";
        findings.incomplete(Check::Foreign, layout::log(id).to_string(), message);
        return Ok(None);
    };
    let heads = signed_heads(folder, id, files, vault, card, own, findings)?;
    let mut stories = heads.iter().map(|(head, note)| (head, note, follow(&opened.candidates, head)));
    let mut chosen = None;
    for (head, note, story) in stories.by_ref() {
        match story {
            Ok(story) => {
                chosen = Some((*head, note.clone(), story));
                break;
            }
            Err(blocked) => report_blocked(id, head, blocked, &opened, own, findings),
        }
    }
    let Some((head, note, story)) = chosen else {
        report_unusable(&opened, |_| true, own, findings);
        findings.invalid(
            Check::Tree,
            layout::log(id).to_string(),
            "no state of this log with both signatures of its owner leads to its entries",
        );
        return Ok(None);
    };
    let log = assemble(id, member, handle, head, note, opened, &story, own, findings);
    check_forks(&log, &heads, findings);
    Ok(Some(log))
}

/// All states of this log that bear both of its owner's signatures, largest first.
fn signed_heads(
    folder: &dyn Folder,
    id: LogId,
    files: &LogFiles,
    vault: VaultId,
    card: &Card,
    own: &BTreeSet<String>,
    findings: &mut Findings,
) -> Result<Vec<(Head, Note)>, VaultError> {
    let mut heads = Vec::new();
    for name in &files.checkpoints {
        let path = layout::checkpoint(id, name).to_string();
        match signed_head(folder, id, name, vault, card)? {
            Ok(head) => heads.push(head),
            Err(_) if own.contains(&path) => {}
            Err(Some(reason)) => findings.invalid(Check::Signature, path, reason),
            Err(None) => findings.incomplete(Check::Foreign, path, "it bears no signature of this log's owner"),
        }
    }
    heads.sort_by(|(one, _), (other, _)| other.size.cmp(&one.size).then(one.root.cmp(&other.root)));
    Ok(heads)
}

/// One checkpoint file: a signed state, or what is wrong with it (`None`: it is a stranger's).
fn signed_head(
    folder: &dyn Folder,
    id: LogId,
    name: &CheckpointName,
    vault: VaultId,
    card: &Card,
) -> Result<Result<(Head, Note), Option<String>>, VaultError> {
    let bytes = match folder.read(&layout::checkpoint(id, name), NOTE_BYTES_MAX as u64) {
        Ok(bytes) => bytes,
        Err(error) => return Ok(Err(Some(error.to_string()))),
    };
    if Hash::of(&bytes) != name.sha256 {
        return Ok(Err(Some("its bytes do not have the hash in its name".into())));
    }
    Ok(check_head(&bytes, id, vault, card).and_then(|(head, note)| {
        if head.size == name.size { Ok((head, note)) } else { Err(Some("its name tells another size".into())) }
    }))
}

/// A checkpoint of log `id` against its owner's card.
pub(crate) fn check_head(bytes: &[u8], id: LogId, vault: VaultId, card: &Card) -> Result<(Head, Note), Option<String>> {
    let note = Note::parse(bytes).map_err(|error| Some(error.to_string()))?;
    let checkpoint = Checkpoint::parse_text(note.text()).map_err(|error| Some(error.to_string()))?;
    if checkpoint.origin != (Origin { vault, log: id }) {
        return Err(Some("it is a state of another log".into()));
    }
    if !checkpoint.bears_lines_of(&note, card.keys()) {
        return Err(None);
    }
    match Checkpoint::verify(&note, card.keys()) {
        Ok(_) => Ok((Head { log: id, size: checkpoint.size, root: checkpoint.root }, note)),
        Err(error) => Err(Some(error.to_string())),
    }
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

fn report_blocked(
    id: LogId,
    head: &Head,
    blocked: Blocked,
    opened: &Opened,
    own: &BTreeSet<String>,
    findings: &mut Findings,
) {
    let subject = format!("{}, entry {}", layout::log(id), blocked.seq);
    let here = opened.unusable.iter().any(|(path, seq, ..)| *seq == blocked.seq && !own.contains(path));
    if here {
        report_unusable(opened, |seq| seq == blocked.seq, own, findings);
    } else if blocked.seq == head.size || opened.candidates.contains_key(&blocked.seq) {
        let message = format!("the entries do not lead to the root that is signed for size {}", head.size);
        findings.invalid(Check::Tree, layout::log(id).to_string(), message);
    } else {
        let message = format!("the entry is missing, though a state of {} entries is signed", head.size);
        findings.incomplete(Check::Entry, subject, message);
    }
}

fn report_unusable(opened: &Opened, which: impl Fn(u64) -> bool, own: &BTreeSet<String>, findings: &mut Findings) {
    for (path, seq, damaged, reason) in &opened.unusable {
        match (which(*seq) && !own.contains(path), damaged) {
            (true, true) => findings.invalid(Check::Entry, path, reason),
            (true, false) => findings.incomplete(Check::Entry, path, reason),
            _ => {}
        }
    }
}

#[allow(clippy::too_many_arguments, reason = "a log's parts, once")]
fn assemble(
    id: LogId,
    member: MemberId,
    handle: String,
    head: Head,
    note: Note,
    mut opened: Opened,
    story: &[usize],
    own: &BTreeSet<String>,
    findings: &mut Findings,
) -> Log {
    let mut entries = Vec::with_capacity(story.len());
    for (seq, chosen) in story.iter().enumerate() {
        let mut here = opened.candidates.remove(&(seq as u64)).unwrap_or_default();
        let Candidate { leaf, entry } = here.swap_remove(*chosen);
        for stray in here {
            stranger(id, &stray, own, findings);
        }
        entries.push(Told { entry, leaf, past: Arc::new(Past::new()), standing: Standing::Counted });
    }
    for stray in opened.candidates.values().flatten() {
        stranger(id, stray, own, findings);
    }
    for (path, ..) in &opened.unusable {
        if !own.contains(path) && !findings.mentions(path) {
            findings.incomplete(Check::Foreign, path, "no signed state covers it; it is no evidence");
        }
    }
    Log { id, member, handle, entries, head, note }
}

fn stranger(id: LogId, stray: &Candidate, own: &BTreeSet<String>, findings: &mut Findings) {
    let prefix = format!("{:010}-{}", stray.entry.seq, stray.leaf);
    if !own.iter().any(|path| path.contains(&prefix)) {
        let subject = format!("{}, entry {prefix}", layout::log(id));
        findings.incomplete(Check::Foreign, subject, "no signed state covers it; it is no evidence");
    }
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
