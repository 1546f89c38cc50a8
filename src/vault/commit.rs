//! The one way to change a vault: an entry is added to this device's own log. The change is first written, durably,
//! into the device's memory, then into the vault; the checkpoint, written last, commits it. Whatever stops the
//! program in between, the next command writes the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Known, carry_out};
use super::clock::{self, Latest};
use super::history::{History, Log, Member, Sizes, Told};
use super::session::{Person, Session};
use super::{Setting, TOOL, VaultError, claimed_time, parallel, random};
use crate::crypto::envelope;
use crate::crypto::hash::Hash;
use crate::crypto::merkle::{Growing, root};
use crate::crypto::recipient::{Identity, Recipient};
use crate::crypto::seed::Keys;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::document::Document;
use crate::format::entry::{Begins, ENTRY_BYTES_MAX, ENTRY_FILE_BYTES_MAX, Entry, HEADS_MAX, entry_leaf, is_handle};
use crate::format::event::{Event, Head, Remove};
use crate::format::ids::{KeyId, LogId, MemberId, VaultId};
use crate::format::note::Note;
use crate::store::RelPath;
use crate::store::layout::{self, CheckpointName, EntryName};
use crate::store::memory::{Change, Intent};

/// What an entry says before its place in a log is known.
pub struct Saying {
    /// The event.
    pub event: Event,
    /// Files that the event names and that must be there before it, in order.
    pub files: Vec<(RelPath, Vec<u8>)>,
    /// Names that this device wrote ahead of the entry and that the entry now covers.
    pub intents: Vec<Intent>,
}

impl From<Event> for Saying {
    fn from(event: Event) -> Self {
        Self { event, files: Vec::new(), intents: Vec::new() }
    }
}

/// The log that this device appends to, between entries.
pub struct OwnLog {
    vault: VaultId,
    id: LogId,
    begins: Option<Begins>,
    tree: Growing,
    seen: Sizes,
    next_number: u64,
    handle: String,
    /// The latest time in the vault when it was opened, which the device's clock is held against.
    latest: Option<Latest>,
}

impl OwnLog {
    /// The log to append to: the one that this device's memory knows to its very end, else a new one. A log of which
    /// the vault holds more or other entries than the memory knows, or a second history, is never appended to again.
    pub fn find(setting: &mut Setting<'_>, session: &Session, member: MemberId) -> Result<Self, VaultError> {
        let history = session.sound_history()?;
        Self::find_in(setting, session, history, history, member)
    }

    /// The same for who states what is wrong with a vault: nothing is wrong with her own log.
    pub fn find_to_witness(setting: &mut Setting<'_>, session: &Session, member: MemberId) -> Result<Self, VaultError> {
        let history = session.history_to_witness()?;
        Self::find_in(setting, session, history, history, member)
    }

    fn find_in(
        setting: &mut Setting<'_>,
        session: &Session,
        history: &History,
        then: &History,
        member: MemberId,
    ) -> Result<Self, VaultError> {
        let mut last_known = None;
        let seen: BTreeMap<LogId, Vec<u8>> = session.memory.seen(&session.vault)?.into_iter().collect();
        for id in session.memory.own_logs(&session.vault, &member)? {
            let Some((size, change)) = session.memory.last_change(&session.vault, &id)? else { continue };
            let Some(log) = history.logs.get(&id) else { return Err(VaultError::OlderCopy { log: id }) };
            // What this device itself signed last; a copy can show another history of that size.
            let own = change.files().next_back().and_then(|(_, note)| signed_head(id, note));
            let own = own.filter(|own| log.holds(own));
            // A memory that was set back to an image, and has since seen more of this log, does not know what it wrote.
            let seen = seen.get(&id).and_then(|note| signed_head(id, note));
            let lacks_seen = seen.is_some_and(|seen| seen.size > size && !log.holds(&seen));
            if lacks_seen || own.is_none() && log.head.size < size {
                return Err(VaultError::OlderCopy { log: id });
            }
            let is_whole = own == Some(log.head) && log.forks.is_empty();
            let closed = log.entries.iter().any(|told| matches!(told.entry.event, Event::Close { .. }));
            if is_whole && !closed && is_for_all(session, (history, then), log)? {
                return Ok(Self { latest: Latest::of(history), ..Self::resume(session.vault, log) });
            }
            // Of contradicting histories this device goes on from its own.
            last_known = own.filter(|own| log.fork_of(own).is_some()).or(Some(log.head));
        }
        let older =
            history.logs.values().filter(|log| log.member == member).map(|log| log.head).max_by_key(|head| head.size);
        let begun = Self::begin(setting, history, member, last_known.or(older));
        Ok(Self { latest: Latest::of(history), ..begun })
    }

    fn resume(vault: VaultId, log: &Log) -> Self {
        let mut tree = Growing::default();
        tree.extend(log.leaves());
        let (handle, next_number) = (log.handle.clone(), log.next_number());
        Self { vault, id: log.id, begins: None, tree, seen: log.seen(), next_number, handle, latest: None }
    }

    fn begin(setting: &mut Setting<'_>, history: &History, member: MemberId, continues: Option<Head>) -> Self {
        let salt = random(setting.rng);
        let id = LogId::derive(&history.vault, &member, &salt);
        let handle = free_handle(history, member, &id);
        let begins = Some(Begins { member, salt, handle: handle.clone(), continues });
        Self::fresh(history.vault, id, begins, handle)
    }

    fn fresh(vault: VaultId, id: LogId, begins: Option<Begins>, handle: String) -> Self {
        let (tree, seen) = (Growing::default(), Sizes::new());
        Self { vault, id, begins, tree, seen, next_number: 1, handle, latest: None }
    }

    /// The log that founds a vault; its vault id is known once the first entry stands.
    pub(super) fn found(setting: &mut Setting<'_>, member: MemberId, handle: Option<String>) -> Self {
        let nowhere = VaultId::UNFOUNDED;
        let salt = random(setting.rng);
        let id = LogId::derive(&nowhere, &member, &salt);
        let handle = handle.unwrap_or_else(|| drawn_handle(&id));
        let begins = Some(Begins { member, salt, handle: handle.clone(), continues: None });
        Self::fresh(nowhere, id, begins, handle)
    }

    /// Its id.
    pub fn id(&self) -> LogId {
        self.id
    }

    /// What its exhibits' labels start with.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// The number of the next exhibit.
    pub fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Appends one entry and commits it; durable when this returns.
    pub fn append(
        &mut self,
        setting: &mut Setting<'_>,
        session: &Session,
        person: &Person,
        saying: Saying,
    ) -> Result<Head, VaultError> {
        self.append_to(session.custody_recipient()?, setting, session, person, saying)
    }

    fn append_to(
        &mut self,
        custody: &Recipient,
        setting: &mut Setting<'_>,
        session: &Session,
        person: &Person,
        saying: Saying,
    ) -> Result<Head, VaultError> {
        let history = session.history()?;
        if let Some(doubt) = clock::doubt(setting.clock, self.latest.as_ref()) {
            setting.watch.doubts_clock(&doubt);
        }
        let heads = news(history, &self.seen, self.id, person.member());
        for head in &heads {
            self.seen.insert(head.log, head.size);
        }
        let (head, change) = self.write(setting, &person.keys, custody, heads, saying.event, saying.files)?;
        session.memory.begin_log(&session.vault, &self.id, &person.member())?;
        session.memory.prepare(&session.vault, &self.id, head.size, &change)?;
        carry_out(&*session.folder, &change, Known::Nothing)?;
        // Seen from now on: whatever happens to the file, this device knows that the log was so long.
        if let Some((_, note)) = change.files().next_back() {
            session.memory.remember(&session.vault, &self.id, head.size, note)?;
        }
        for intent in &saying.intents {
            session.memory.forget(intent)?;
        }
        Ok(head)
    }

    /// The entry and its checkpoint as files, the checkpoint last. An entry that no reader would take is none.
    pub(super) fn write(
        &mut self,
        setting: &mut Setting<'_>,
        keys: &Keys,
        custody: &Recipient,
        heads: Vec<Head>,
        event: Event,
        files: Vec<(RelPath, Vec<u8>)>,
    ) -> Result<(Head, Change), VaultError> {
        let seq = self.tree.size();
        if let Event::Seal(seal) = &event {
            self.next_number = seal.first + u64::from(seal.count);
        }
        let entry = Entry {
            format: Entry::FORMAT.into(),
            vault: self.vault,
            log: self.id,
            seq,
            previous: self.tree.root(),
            nonce: random(setting.rng),
            time: claimed_time(setting.clock),
            clock: "device".into(),
            heads,
            tool: TOOL.into(),
            begins: self.begins.take(),
            event,
        };
        let encoding = entry.encode();
        if encoding.len() as u64 > ENTRY_BYTES_MAX {
            return Err(VaultError::EntryTooLong { bytes: encoding.len() as u64 });
        }
        let leaf = entry_leaf(&encoding);
        if matches!(entry.event, Event::Found(_)) {
            self.vault = VaultId(leaf);
        }
        self.tree.push(leaf);
        self.seen.insert(self.id, self.tree.size());
        let head = Head { log: self.id, size: self.tree.size(), root: self.tree.root() };
        let file = envelope::seal(&entry.encode_padded(), &[custody]).bytes;
        let checkpoint =
            Checkpoint { origin: Origin { vault: self.vault, log: self.id }, size: head.size, root: head.root };
        let note: Note = checkpoint.sign(keys);
        let note = note.to_bytes();
        let mut change = Change::default();
        for (path, bytes) in files {
            change.push(&path, bytes);
        }
        change.push(&layout::entry(self.id, &EntryName { seq, leaf, sha256: Hash::of(&file) }), file);
        change.push(&layout::checkpoint(self.id, &CheckpointName { size: head.size, sha256: Hash::of(&note) }), note);
        Ok((head, change))
    }

    /// The vault it belongs to.
    pub(super) fn vault(&self) -> VaultId {
        self.vault
    }
}

/// Says one thing in this device's own log, durably, and remembers the states that were seen by then.
pub fn say(
    setting: &mut Setting<'_>,
    session: &Session,
    person: &Person,
    saying: impl Into<Saying>,
) -> Result<Head, VaultError> {
    let head = OwnLog::find(setting, session, person.member())?.append(setting, session, person, saying.into())?;
    session.remember_heads()?;
    Ok(head)
}

/// Says a removal where everybody can read it: to a key, and in a log, that count once it is said, since what it takes away
/// nobody else need have been given. Returns the handle of this device's log, where she had to go on in another.
pub(super) fn say_removal(
    setting: &mut Setting<'_>,
    session: &Session,
    person: &Person,
    removal: Remove,
) -> Result<Option<String>, VaultError> {
    let before = OwnLog::find(setting, session, person.member())?;
    let history = session.sound_history()?;
    let then = history.supposing(&removal);
    let mut log = OwnLog::find_in(setting, session, history, &then, person.member())?;
    log.append_to(session.custody_recipient_in(&then)?, setting, session, person, Event::Remove(removal).into())?;
    session.remember_heads()?;
    Ok((log.id != before.id && before.begins.is_none()).then_some(before.handle))
}

/// What the author of the next entry has seen since the last, as much as an entry can name: first of all the logs by
/// which she is a member, then those that bring keys and members, so that whoever reads the entry finds it allowed.
fn news(history: &History, seen: &Sizes, own: LogId, author: MemberId) -> Vec<Head> {
    let mut heads = history.news_since(seen, own);
    if heads.len() > HEADS_MAX {
        let given = |member: &Member| member.grants.iter().map(|grant| grant.at.log).collect::<Vec<_>>();
        let mine: BTreeSet<LogId> = history.members.get(&author).map(given).unwrap_or_default().into_iter().collect();
        // Who is admitted again must have been seen to be removed, each time.
        let removals = |member: &Member| {
            history.removals_of(member.card.member()).iter().map(|(at, _)| at.log).collect::<Vec<_>>()
        };
        let keys = history.keys.values();
        let keys: BTreeSet<LogId> =
            keys.flat_map(|key| key.wraps.iter().map(|(at, _)| at.log).chain([key.at.log])).collect();
        let members: BTreeSet<LogId> =
            history.members.values().flat_map(|member| given(member).into_iter().chain(removals(member))).collect();
        heads.sort_by_key(|head| {
            (!mine.contains(&head.log), !keys.contains(&head.log), !members.contains(&head.log), head.log)
        });
        heads.truncate(HEADS_MAX);
        heads.sort_unstable();
    }
    heads
}

/// Whether a log can be read with custody keys that count, as others must: not where some of it was encrypted to one that
/// came too late, and was perhaps given to nobody else.
fn is_for_all(session: &Session, (now, then): (&History, &History), log: &Log) -> Result<bool, VaultError> {
    let goes =
        |id: &KeyId| !then.keys.contains_key(id) && (then.custody_late.contains(id) || now.keys.contains_key(id));
    let (going, counting): (Vec<_>, Vec<_>) = session.ring.custody_by_id().partition(|(id, _)| goes(id));
    if going.is_empty() {
        return Ok(true);
    }
    let counting: Vec<&Identity> = counting.into_iter().map(|(_, key)| key).collect();
    let names = session.survey.logs.get(&log.id).map(|files| &files.entries);
    let opens = |told: &Told| -> Result<bool, VaultError> {
        let here = names.and_then(|names| names.get(&told.entry.seq)).into_iter().flatten();
        for name in here.filter(|name| name.leaf == told.leaf) {
            let bytes = session.folder.read(&layout::entry(log.id, name), ENTRY_FILE_BYTES_MAX)?;
            if envelope::open(&bytes, &counting).is_ok() {
                return Ok(true);
            }
        }
        Ok(false)
    };
    parallel::map(&log.entries, opens).into_iter().try_fold(true, |all, opens| Ok(all && opens?))
}

/// The handle that an admission proposes, unless a log has it already; else one drawn from the log's id.
fn free_handle(history: &History, member: MemberId, id: &LogId) -> String {
    let taken = |handle: &str| history.logs.values().any(|log| log.handle == handle);
    let grants = history.members.get(&member).map(|member| member.grants.as_slice()).unwrap_or_default();
    let proposed = grants.iter().filter_map(|grant| grant.handle.clone()).find(|handle| !taken(handle));
    let base = proposed.unwrap_or_else(|| drawn_handle(id));
    let mut numbered = (2_u32..).map(|number| format!("{base}{number}")).filter(|handle| is_handle(handle));
    if taken(&base) { numbered.find(|handle| !taken(handle)).unwrap_or(base) } else { base }
}

/// A letter and a digit that are not mistaken for one another in handwriting.
fn drawn_handle(id: &LogId) -> String {
    const LETTERS: &[u8] = b"ACDEFHJKLMNPRTUVWXY";
    const DIGITS: &[u8] = b"234679";
    let pick = |from: &[u8], by: u8| char::from(from[usize::from(by) % from.len()]);
    [pick(LETTERS, id.0[0]), pick(DIGITS, id.0[1])].iter().collect()
}

/// The state that a checkpoint's file of this device shows.
fn signed_head(log: LogId, note: &[u8]) -> Option<Head> {
    let checkpoint = Checkpoint::parse_text(Note::parse(note).ok()?.text()).ok()?;
    Some(Head { log, size: checkpoint.size, root: checkpoint.root })
}

/// The root over leaf hashes, for those who prove an entry to others.
pub(super) fn proof_of(log: &Log, seq: u64) -> Option<Vec<Hash>> {
    debug_assert_eq!(root(&log.leaves()), log.head.root);
    crate::crypto::merkle::inclusion_proof(&log.leaves(), usize::try_from(seq).ok()?)
}
