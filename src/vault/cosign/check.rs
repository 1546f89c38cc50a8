//! What a cosignature is worth: opened, held against the cards of its cosigner and of the log's member, and against the
//! story that this copy tells of the log. Each file is opened and verified once; whoever needs to know asks [`Checked`].

use std::collections::{BTreeMap, BTreeSet};

use crate::crypto::hash::Hash;
use crate::format::checkpoint::Checkpoint;
use crate::format::cosignature::{bears_cosigner_lines_of, complete, verify_cosigned};
use crate::format::event::{Event, Head};
use crate::format::ids::{LogId, MemberId};
use crate::format::note::Note;
use crate::store::{RelPath, layout};
use crate::vault::findings::{Check, Findings, Verdict};
use crate::vault::history::{History, Log, Member, open_cosignature};
use crate::vault::parallel;
use crate::vault::session::Session;

/// A cosignature whose two lines hold.
#[derive(Clone, Debug)]
pub struct Cosignature {
    /// The state that was seen.
    pub head: Head,
    /// By whom.
    pub cosigner: MemberId,
    /// When, in seconds since 1970-01-01T00:00:00Z, as the cosigner's clock claimed.
    pub time: u64,
    /// What it is worth here.
    pub worth: Worth,
    /// Whether, if it counts, it does as a monitor's whom an owner has admitted.
    pub by_monitor: bool,
    /// The log's own two lines, where they are there, and the cosigner's; nothing else.
    pub note: Note,
}

/// What a cosignature is worth beside this copy's story of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It is of a state of the story.
    Counts,
    /// The cosigner was removed, admitted again or not, and no check of hers that counts names that state: whoever has her
    /// device can sign with her keys.
    Late,
    /// It is of a longer state than this copy has, signed by the log's own member.
    Beyond,
    /// It is of another history, which this copy knows already, be it by this very file.
    OtherHistory,
    /// It is of another history, signed by the log's own member as well: two histories signed with one key.
    Fork,
}

/// Why a note is no cosignature that this vault can use.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) weight: Verdict,
    pub(super) check: Check,
    pub(super) reason: String,
}

impl Refusal {
    fn new(weight: Verdict, check: Check, reason: impl Into<String>) -> Self {
        Self { weight, check, reason: reason.into() }
    }

    fn foreign(reason: &str) -> Self {
        Self::new(Verdict::Incomplete, Check::Foreign, reason)
    }
}

/// All cosignatures of a vault, checked.
#[derive(Debug, Default)]
pub struct Checked {
    /// Those that hold.
    pub held: Vec<Cosignature>,
    /// Files whose cosignature holds: nothing that an interrupted run left.
    pub(super) sound: BTreeSet<RelPath>,
    /// What does not hold, or contradicts, or is longer than this copy.
    pub(crate) findings: Findings,
    /// Logs of which a longer state was signed and cosigned.
    pub(crate) surpassed: BTreeSet<LogId>,
    /// How many files were looked at.
    pub(crate) files: u64,
}

/// Checks all cosignatures of the vault, as a member.
pub(crate) fn check(session: &Session, history: &History) -> Checked {
    let judge = Judge::new(history);
    let mut names = Vec::new();
    for (log, files) in &session.survey.logs {
        // Of a log that is no evidence nothing more is said; a file that a counted entry calls a time stamp is none.
        if history.logs.contains_key(log) {
            names.extend(
                files.cosignatures.iter().filter(|file| !judge.stamps.contains(file)).map(|file| (*log, *file)),
            );
        }
    }
    let judged = parallel::map(&names, |(log, file)| judge.file(session, *log, *file));
    let mut checked = Checked { files: names.len() as u64, ..Checked::default() };
    for ((log, file), outcome) in names.into_iter().zip(judged) {
        let path = layout::cosignature(log, file);
        match outcome {
            None => {}
            Some(Ok(cosignature)) => {
                checked.sound.insert(path);
                checked.take(history, cosignature);
            }
            Some(Err(_)) if session.unfinished.may_be_torn(&path) => {}
            Some(Err(Refusal { weight, check, reason })) => {
                checked.findings.add(weight, check, path.to_string(), reason);
            }
        }
    }
    checked
}

impl Checked {
    fn take(&mut self, history: &History, cosignature: Cosignature) {
        let Head { log, size, .. } = cosignature.head;
        let (subject, name) = (layout::log(log).to_string(), history.name_of(cosignature.cosigner));
        let here = history.logs.get(&log).map_or(0, |log| log.head.size);
        // What lies beyond a cut is lacking to nobody.
        let is_whole = history.cuts.get(&log).is_some_and(|cut| here >= *cut);
        if cosignature.worth == Worth::Beyond && !is_whole {
            let message = format!("{name} cosigned it with {size} entries; this copy has {here}");
            self.findings.incomplete(Check::Behind, subject, message);
            self.surpassed.insert(log);
        }
        self.held.push(cosignature);
    }

    /// The cosignature of one member on one state that counts.
    pub fn of(&self, cosigner: MemberId, head: &Head) -> Option<&Cosignature> {
        let mut counts = self.held.iter().filter(|held| held.worth == Worth::Counts);
        counts.find(|held| held.cosigner == cosigner && held.head == *head)
    }
}

/// Judges notes by one history.
pub(crate) struct Judge<'a> {
    history: &'a History,
    /// States that checks which count name, by who made them; whether one of these was a monitor's.
    vouched: BTreeMap<(MemberId, Head), bool>,
    /// Files that entries which count call time stamps.
    stamps: BTreeSet<Hash>,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(history: &'a History) -> Self {
        let (mut vouched, mut stamps) = (BTreeMap::new(), BTreeSet::new());
        for (place, told) in history.counted() {
            match &told.entry.event {
                Event::Verify { heads, .. } => {
                    let member = history.logs[&place.log].member;
                    let by_monitor = history.checks_by_monitors.contains(&place);
                    for head in heads {
                        *vouched.entry((member, *head)).or_default() |= by_monitor;
                    }
                }
                Event::Stamp { file, .. } => drop(stamps.insert(*file)),
                _ => {}
            }
        }
        Self { history, vouched, stamps }
    }

    /// Whether a file belongs to the vault: a cosignature that holds, or what a counted entry calls a time stamp.
    pub(crate) fn keeps(&self, session: &Session, log: LogId, file: Hash) -> bool {
        self.stamps.contains(&file) || self.file(session, log, file).is_some_and(|outcome| outcome.is_ok())
    }

    /// Whether a file can be read, and is no evidence.
    pub(crate) fn refuses(&self, session: &Session, log: LogId, file: Hash) -> bool {
        matches!(self.file(session, log, file), Some(Err(_)))
    }

    /// The state that a cosignature is about, if it holds.
    pub(in crate::vault) fn head_of(&self, session: &Session, log: LogId, file: Hash) -> Option<Head> {
        Some(self.file(session, log, file)?.ok()?.head)
    }

    /// One file; `None` where its bytes are not those of its name, which is found wherever files are compared with theirs.
    fn file(&self, session: &Session, log: LogId, file: Hash) -> Option<Result<Cosignature, Refusal>> {
        let note = open_cosignature(&*session.folder, log, file, &session.ring.custody())?.map_err(Refusal::foreign);
        Some(note.and_then(|note| self.note(&note)).and_then(|cosignature| {
            let here = cosignature.head.log == log;
            if here { Ok(cosignature) } else { Err(Refusal::foreign("it is about another record than its folder")) }
        }))
    }

    /// One note.
    pub(super) fn note(&self, note: &Note) -> Result<Cosignature, Refusal> {
        let checkpoint = Checkpoint::parse_text(note.text())
            .map_err(|_| Refusal::foreign("it holds no state of a custody record; it is no evidence"))?;
        if checkpoint.origin.vault != self.history.vault {
            return Err(Refusal::foreign("it is about another vault"));
        }
        let log = self.history.logs.get(&checkpoint.origin.log);
        let log = log.ok_or_else(|| Refusal::foreign("it is about a custody record that this copy lacks"))?;
        let member = self.history.members.get(&log.member);
        let owner = member.ok_or_else(|| Refusal::foreign("it is about a record of nobody in this vault"))?;
        let (cosigner, by) = self
            .cosigner(note, log)
            .ok_or_else(|| Refusal::foreign("nobody who was admitted to this vault cosigned it; it is no evidence"))?;
        let cosigned = verify_cosigned(note, by.card.keys()).map_err(|error| {
            let reason = format!("it names {} as cosigner, and that does not hold: {error}", by.card.name());
            Refusal::new(Verdict::Invalid, Check::Cosignature, reason)
        })?;
        let head = Head { log: log.id, size: checkpoint.size, root: checkpoint.root };
        let vouches = self.vouches(cosigner, head);
        let worth = worth(note, log, owner, (by, vouches.is_some()), head)?;
        let note = complete(note, owner.card.keys(), note, by.card.keys());
        let by_monitor = vouches.unwrap_or(false);
        Ok(Cosignature { head, cosigner, time: cosigned.time, worth, by_monitor, note })
    }

    /// Whether a member stands behind her cosignature of a state, and if so whether as a monitor. Once she was ever removed,
    /// her keys may be in other hands: then only a check of hers that counts says so.
    fn vouches(&self, cosigner: MemberId, head: Head) -> Option<bool> {
        if self.history.removals_of(cosigner).is_empty() {
            return Some(self.history.is_monitor(cosigner));
        }
        self.vouched.get(&(cosigner, head)).copied()
    }

    /// The member, other than the log's own, of whose cosigning keys the first line is.
    fn cosigner(&self, note: &Note, log: &Log) -> Option<(MemberId, &'a Member)> {
        note.lines().iter().find_map(|line| {
            let member = MemberId::from_key_name(line.name()).filter(|member| *member != log.member)?;
            let known = self.history.members.get(&member)?;
            let alone = Note::new(note.text().to_owned(), vec![line.clone()]);
            bears_cosigner_lines_of(&alone, known.card.keys()).then_some((member, known))
        })
    }
}

/// What a state is worth beside a log that a member cosigned and, as far as can be told, stands behind.
fn worth(note: &Note, log: &Log, owner: &Member, (by, vouches): (&Member, bool), head: Head) -> Result<Worth, Refusal> {
    let name = by.card.name();
    if head.size <= log.head.size && log.root_at(head.size) == Some(head.root) {
        return Ok(if vouches { Worth::Counts } else { Worth::Late });
    }
    if log.forks.iter().any(|fork| fork.root_at(head.size) == Some(head.root)) {
        return Ok(Worth::OtherHistory);
    }
    // Beyond and beside the story only the log's own member can show that there is more.
    let signed = Checkpoint::verify(note, owner.card.keys()).is_ok();
    match (head.size > log.head.size, signed) {
        (true, true) => Ok(Worth::Beyond),
        (false, true) => Ok(Worth::Fork),
        (true, false) => {
            let reason = format!(
                "{name} states that she saw this record with {} entries, without its owner's signatures; this copy has {}",
                head.size, log.head.size
            );
            Err(Refusal::new(Verdict::Incomplete, Check::Behind, reason))
        }
        (false, false) => {
            let reason = format!("{name} cosigned a state of size {} that this record never had or signed", head.size);
            Err(Refusal::new(Verdict::Invalid, Check::Cosignature, reason))
        }
    }
}

/// Cosignatures that count for nothing and lower nothing, in sentences.
pub(crate) fn notices(history: &History, held: &[Cosignature]) -> Vec<String> {
    let mut late: BTreeMap<MemberId, u64> = BTreeMap::new();
    let mut notices = BTreeSet::new();
    for cosignature in held {
        match cosignature.worth {
            Worth::Late => *late.entry(cosignature.cosigner).or_default() += 1,
            Worth::OtherHistory => {
                let (name, head) = (history.name_of(cosignature.cosigner), cosignature.head);
                let handle = history.logs.get(&head.log).map_or("", |log| log.handle.as_str());
                notices.insert(format!(
                    "{name} cosigned the other of the two histories of {handle}, at {} events",
                    head.size
                ));
            }
            Worth::Counts | Worth::Beyond | Worth::Fork => {}
        }
    }
    notices.extend(late.into_iter().map(|(member, count)| {
        let name = history.name_of(member);
        let is_back = history.members.get(&member).is_some_and(|member| member.removed.is_none());
        let again = if is_back { " and admitted again" } else { "" };
        format!("{count} cosignatures of {name}, who was removed{again}, are named by no check of hers that counts: late, not counted")
    }));
    notices.into_iter().collect()
}
