//! What came of a merge: what lies here now and did not before, what neither copy has, what was left where it was, and
//! where one log has two histories.

use std::collections::{BTreeMap, BTreeSet};

use super::carry::Carried;
use super::wanted::Wanted;
use super::{Arrival, Copy, Other, Union};
use crate::crypto::hash::Hash;
use crate::format::checkpoint::Checkpoint;
use crate::format::event::Head;
use crate::format::ids::{LogId, MemberId};
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::store::layout::{self, CheckpointName};
use crate::store::{Folder, RelPath};
use crate::vault::findings::{Finding, Findings, Verdict};
use crate::vault::history::{History, Log};
use crate::vault::members::{self, Awaited};
use crate::vault::orphans;
use crate::vault::session::{Person, Session};
use crate::vault::survey::{self, LogFiles};
use crate::vault::{VaultError, Watch};

/// What came of a merge.
#[derive(Debug)]
pub struct Merged {
    /// Every log, as it was here and as it is now.
    pub logs: Vec<Growth>,
    /// Entries that came.
    pub entries: u64,
    /// Sealed files that came.
    pub blobs: u64,
    /// Wrapped keys that came.
    pub keys: u64,
    /// Cosignatures and time-stamp replies that came.
    pub cosignatures: u64,
    /// Signed states that came.
    pub states: u64,
    /// Bytes that came.
    pub bytes: u64,
    /// Files that counted entries name and that neither copy has.
    pub missing: Vec<String>,
    /// Files of the other copy that nothing signed covers: they were left there.
    pub foreign: Vec<String>,
    /// Files of the other copy that belong here and could not be taken.
    pub untaken: Vec<Untaken>,
    /// Files here that are not what their names promise, and whole in the other copy.
    pub damaged: Vec<String>,
    /// Files here that an earlier merge or unpacking brought before it was interrupted, and that count for nothing yet.
    pub interrupted: u64,
    /// Which exhibits of a pouch came whole; told only where something was not taken, is in neither copy, or may be
    /// hidden.
    pub arrival: Arrival,
    /// Sealed files of the other copy that an authorised entry lets be absent: they were not brought back.
    pub disposed: u64,
    /// Logs of which two histories are signed with one key.
    pub forks: Vec<Forked>,
    /// What does not hold here now, or is not here.
    pub findings: Vec<Finding>,
    /// The verdict on what a merge looks at; sealed files that were here already were not read.
    pub verdict: Verdict,
    /// Keys that others await and that this person can hand on.
    pub grantable: Vec<Awaited>,
    /// Names of all members.
    pub names: BTreeMap<MemberId, String>,
}

/// One log before and after.
#[derive(Clone, Debug)]
pub struct Growth {
    /// The log.
    pub log: LogId,
    /// Its handle.
    pub handle: String,
    /// Whose it is.
    pub member: MemberId,
    /// By pseudonym.
    pub name: String,
    /// Entries before.
    pub before: u64,
    /// Entries now.
    pub after: u64,
}

/// A file that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untaken {
    /// Its path in the other copy.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Two histories of one log.
#[derive(Clone, Debug)]
pub struct Forked {
    /// The log.
    pub log: LogId,
    /// Its handle.
    pub handle: String,
    /// Whose keys signed both.
    pub member: MemberId,
    /// By pseudonym.
    pub name: String,
    /// How many entries both have in common.
    pub parted: u64,
    /// The two states: that of the history which counts, and the other.
    pub states: [Head; 2],
    /// Whether the entries of both lie here.
    pub whole: bool,
}

impl Merged {
    /// Whether anything came.
    pub fn is_new(&self) -> bool {
        self.entries + self.blobs + self.keys + self.cosignatures + self.states > 0
    }
}

/// The outcome, from what lies here `after` all was written.
pub(super) fn tell(
    watch: &dyn Watch,
    union: &Union<'_>,
    (after, person): (&Session, &Person),
    wanted: &Wanted,
    carried: Carried,
) -> Result<Merged, VaultError> {
    let &Union { session, own, source, other } = union;
    let history = after.history()?;
    let mut findings = after.findings.clone();
    findings.extend(history.findings.clone());
    let mut untaken = carried.untaken;
    let unlisted = strangers(source, wanted).filter(|found| could_not_be_listed(source.0, found));
    untaken.extend(unlisted.map(|found| Untaken { path: found.subject.clone(), reason: found.message.clone() }));
    let mut missing = wanted.missing.clone();
    let here = survey::blobs(&*after.folder, &mut Findings::default())?;
    let unseen = wanted.blobs.coming().filter(|(blob, _)| here.binary_search(blob).is_err());
    missing.extend(unseen.map(|(blob, _)| layout::blob(blob)).filter(|path| is_absent(after, path)));
    missing.extend(
        wanted.keys.iter().map(|(key, file)| layout::wrapped_key(*key, *file)).filter(|path| is_absent(after, path)),
    );
    let mut verdict = findings.verdict();
    if !missing.is_empty() || !untaken.is_empty() {
        verdict = verdict.max(Verdict::Incomplete);
    }
    if !carried.damaged.is_empty() || !wanted.unread.is_empty() {
        verdict = Verdict::Invalid;
    }
    for (subject, message) in &wanted.unread {
        findings.invalid(crate::vault::findings::Check::Inventory, subject.clone(), message.clone());
    }
    let names = history.members.keys().map(|member| (*member, history.name_of(*member))).collect();
    let kept: BTreeSet<String> = untaken.iter().map(|file| file.path.clone()).collect();
    let came_in_part = !kept.is_empty() || (carried.blobs > 0 && !missing.is_empty());
    let arrival = match other {
        Other::Pouch { has_gaps } if has_gaps || came_in_part => {
            let told = Arrival::of(watch, session, own, wanted, &kept)?;
            // A pouch that tells all that it holds has left them out on purpose.
            if has_gaps { told } else { Arrival { unseen: Vec::new(), ..told } }
        }
        _ => Arrival::default(),
    };
    Ok(Merged {
        interrupted: orphans::arrived(after)?,
        arrival,
        logs: history.logs.values().map(|log| growth(history, log, own)).collect(),
        entries: carried.entries,
        blobs: carried.blobs,
        keys: carried.keys,
        cosignatures: carried.cosignatures,
        states: carried.states,
        bytes: carried.bytes,
        missing: missing.iter().map(ToString::to_string).collect(),
        foreign: foreign(session, (after, &here), source, wanted, &kept)?,
        untaken,
        damaged: carried.damaged.iter().map(ToString::to_string).collect(),
        disposed: wanted.blobs.disposed(),
        forks: history.logs.values().flat_map(|log| forks(history, log)).collect(),
        findings: findings.iter().cloned().collect(),
        grantable: members::grantable(after, person),
        names,
        verdict,
    })
}

/// What lies in the other copy, and is none of the format or could not be listed.
fn strangers<'a>(source: Copy<'a>, wanted: &'a Wanted) -> impl Iterator<Item = &'a Finding> {
    source.1.findings.iter().chain(wanted.strangers.iter())
}

fn is_absent(after: &Session, path: &RelPath) -> bool {
    after.folder.exists(path).is_ok_and(|there| !there)
}

/// Whether a finding about names is that a folder of the format could not be read, and not that a stranger lies there.
fn could_not_be_listed(folder: &dyn Folder, finding: &Finding) -> bool {
    RelPath::parse(&finding.subject).is_some_and(|path| {
        matches!(folder.stat(&path), Ok(stat) if stat.kind == crate::store::Kind::Folder)
            && folder.list(Some(&path)).is_err()
    })
}

fn growth(history: &History, log: &Log, own: Copy<'_>) -> Growth {
    Growth {
        log: log.id,
        handle: log.handle.clone(),
        member: log.member,
        name: history.name_of(log.member),
        before: own.1.logs.get(&log.id).map_or(0, |files| size_before(log, own.0, files)),
        after: log.head.size,
    }
}

/// How far a log had come here: its largest signed state that is one of its histories' and whose entries lay here.
fn size_before(log: &Log, folder: &dyn Folder, files: &LogFiles) -> u64 {
    let mut names: Vec<&CheckpointName> = files.checkpoints.iter().collect();
    names.sort_unstable_by(|one, other| other.cmp(one));
    let here = (0..log.head.size.max(files.entries.len() as u64))
        .take_while(|seq| files.entries.contains_key(seq))
        .count() as u64;
    let reached = names.into_iter().filter(|name| name.size <= here);
    let is_state = |name: &&CheckpointName| state(folder, log.id, name).is_some_and(|head| log.holds(&head));
    reached.into_iter().find(is_state).map_or(0, |name| name.size)
}

fn state(folder: &dyn Folder, log: LogId, name: &CheckpointName) -> Option<Head> {
    let bytes = folder.read(&layout::checkpoint(log, name), NOTE_BYTES_MAX as u64).ok()?;
    let checkpoint = Checkpoint::parse_text(Note::parse(&bytes).ok()?.text()).ok()?;
    Some(Head { log, size: checkpoint.size, root: checkpoint.root })
}

fn forks(history: &History, log: &Log) -> Vec<Forked> {
    let forked = |fork: &crate::vault::history::Fork| Forked {
        log: log.id,
        handle: log.handle.clone(),
        member: log.member,
        name: history.name_of(log.member),
        parted: fork.parted,
        states: [log.head, fork.head],
        whole: fork.head.size == fork.parted + fork.entries.len() as u64,
    };
    log.forks.iter().map(forked).collect()
}

/// What was left in the other copy: names that lie there, and neither here nor for a reason that was told.
fn foreign(
    union: &Session,
    (after, here): (&Session, &[Hash]),
    source: Copy<'_>,
    wanted: &Wanted,
    untaken: &BTreeSet<String>,
) -> Result<Vec<String>, VaultError> {
    let mut left = Vec::new();
    let none = LogFiles::default();
    let logs = union.history()?.mergeable();
    for (id, theirs) in &source.1.logs {
        let ours = after.survey.logs.get(id).unwrap_or(&none);
        let is_told = |seq: u64, leaf: Hash| ours.entries.get(&seq).into_iter().flatten().any(|name| name.leaf == leaf);
        let entries = theirs.entries.values().flatten().filter(|name| !is_told(name.seq, name.leaf));
        left.extend(entries.map(|name| layout::entry(*id, name)));
        let known: BTreeSet<&CheckpointName> = ours.checkpoints.iter().collect();
        // An earlier state of a known history is no stranger, and not needed.
        let is_earlier = |name: &&CheckpointName| {
            let head = state(source.0, *id, name);
            head.is_some_and(|head| logs.get(id).is_some_and(|log| log.holds(&head)))
        };
        let states = theirs.checkpoints.iter().filter(|name| !known.contains(name) && !is_earlier(name));
        left.extend(states.map(|name| layout::checkpoint(*id, name)));
        let cosigned: BTreeSet<&Hash> = ours.cosignatures.iter().collect();
        let strangers = theirs.cosignatures.iter().filter(|file| !cosigned.contains(file));
        left.extend(strangers.map(|file| layout::cosignature(*id, *file)));
    }
    for (key, files) in &source.1.keys {
        let known: BTreeSet<&Hash> = after.survey.keys.get(key).into_iter().flatten().collect();
        left.extend(files.iter().filter(|file| !known.contains(file)).map(|file| layout::wrapped_key(*key, *file)));
    }
    let blobs = wanted.blobs.undisposed().filter(|blob| here.binary_search(blob).is_err());
    left.extend(blobs.copied().map(layout::blob));
    let left = left.into_iter().map(|path| path.to_string());
    let odd = strangers(source, wanted).map(|found| found.subject.clone());
    let odd = odd.filter(|subject| subject != "VAULT" && !untaken.contains(subject));
    let all: BTreeSet<String> = left.filter(|path| !untaken.contains(path)).chain(odd).collect();
    Ok(all.into_iter().collect())
}
