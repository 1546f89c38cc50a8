//! From files to logs: opens every entry, and for each log finds the entries that lead, root by root, to its largest
//! state with both of its owner's signatures.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::cosigned::other_states;
use super::reach::Reached;
use super::signed::{Look, Signatures, SignedState};
use super::trouble::{LogTrouble, Trouble, Troubles};
use super::{Fork, Log, Past, Standing, Told, admissions};
use crate::crypto::envelope::{self, EnvelopeError, SlotsError};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Identity;
use crate::format::card::Card;
use crate::format::document::Document;
use crate::format::entry::{ENTRY_BYTES_MAX, Entry, entry_leaf};
use crate::format::event::{Event, Head};
use crate::format::ids::{LogId, MemberId, VaultId};
use crate::store::Folder;
use crate::store::layout::{self, EntryName};
use crate::vault::findings::{Check, Findings, Verdict};
use crate::vault::parallel;
use crate::vault::survey::{LogFiles, Survey};

/// Header and authentication of an age file around a padded entry, generously.
const AGE_OVERHEAD_MAX: u64 = 1 << 20;

/// An entry that was opened, and is what its file's name says.
pub(super) struct Candidate {
    pub(super) leaf: Hash,
    pub(super) entry: Arc<Entry>,
    name: EntryName,
}

/// What lies in one log's folder, opened.
#[derive(Default)]
struct Opened {
    candidates: BTreeMap<u64, Vec<Candidate>>,
    /// Files that are not what they should be: path, place, trouble.
    unusable: Vec<(String, u64, Trouble)>,
}

impl Opened {
    /// The log id binds the member, so that of several first entries all name the same.
    fn begun_by(&self) -> Option<MemberId> {
        Some(self.candidates.get(&0)?.first()?.entry.begins.as_ref()?.member)
    }
}

/// What every step needs to know.
pub(super) struct Reading<'a> {
    pub(super) folder: &'a dyn Folder,
    pub(super) survey: &'a Survey,
    pub(super) vault: VaultId,
    pub(super) custody: &'a [&'a Identity],
    /// Files that this device is still about to commit: no strangers.
    pub(super) own: &'a BTreeSet<String>,
    pub(super) signatures: Signatures,
}

impl Reading<'_> {
    /// All logs whose owner is known by a card that some entry of the vault carries.
    pub(super) fn logs(&self, findings: &mut Findings) -> Read {
        let logs = &self.survey.logs;
        let opened = self.open_all();
        let cards = cards(&opened);
        let of_members: BTreeMap<MemberId, &Card> = cards.values().map(|card| (card.member(), card)).collect();
        let owner = |(id, opened): (&LogId, &Opened)| Some((*id, *of_members.get(&opened.begun_by()?)?));
        let owners: BTreeMap<LogId, &Card> = opened.iter().filter_map(owner).collect();
        let looks = self.look_at_states(&owners);
        let none = Opened::default();
        let resolved = parallel::map(&logs.iter().collect::<Vec<_>>(), |(id, files)| {
            let mut troubles = Troubles::of(**id);
            let found = (opened.get(id).unwrap_or(&none), looks.get(id).map(Vec::as_slice).unwrap_or_default());
            (self.resolve(**id, files, found, owners.get(id).copied(), &mut troubles), troubles)
        });
        let mut read = Read::default();
        for ((id, files), (log, troubles)) in logs.iter().zip(resolved) {
            read.unread.extend(troubles.unread.then_some(*id));
            if let Some(log) = log {
                read.logs.insert(*id, log);
                read.troubles.extend(troubles.found);
            } else if !self.is_unfinished(*id, files) {
                match owners.get(id) {
                    // Whose it is is known: whether anybody admitted her decides what is said of it.
                    Some(card) => {
                        read.untold.insert(*id, card.member());
                        read.troubles.extend(troubles.found);
                    }
                    None => findings.extend(troubles.found.into_iter().map(|trouble| trouble.finding).collect()),
                }
            }
        }
        read.cards = cards;
        read
    }

    /// Every entry of every log, on all cores at once: a vault of many short logs must not wait at the end of each.
    fn open_all(&self) -> BTreeMap<LogId, Opened> {
        let logs = self.survey.logs.iter();
        let names = logs.flat_map(|(log, files)| files.entries.values().flatten().map(|name| (*log, *name)));
        let names: Vec<(LogId, EntryName)> = names.collect();
        let results = parallel::map(&names, |(log, name)| self.open_entry(*log, name));
        let mut opened: BTreeMap<LogId, Opened> = BTreeMap::new();
        for ((log, name), result) in names.iter().zip(results) {
            let opened = opened.entry(*log).or_default();
            match result {
                Ok(candidate) => opened.candidates.entry(name.seq).or_default().push(candidate),
                Err(trouble) => opened.unusable.push((layout::entry(*log, name).to_string(), name.seq, trouble)),
            }
        }
        opened
    }

    fn open_entry(&self, log: LogId, name: &EntryName) -> Result<Candidate, Trouble> {
        let damaged = |reason: &str| Trouble::new(Verdict::Invalid, reason);
        let file = self.folder.read(&layout::entry(log, name), ENTRY_BYTES_MAX + AGE_OVERHEAD_MAX)?;
        let padded = envelope::open_named(file, name.sha256, self.custody).map_err(|error| match error {
            SlotsError::OtherHash => damaged("its bytes do not have the hash in its name"),
            SlotsError::NotToOneKey => damaged("it is not an age file to exactly one key of the vault"),
            SlotsError::Envelope(EnvelopeError::NotForThisKey) => {
                Trouble::new(Verdict::Incomplete, "no custody key here opens it")
            }
            SlotsError::Envelope(other) => damaged(&other.to_string()),
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
        Ok(Candidate { leaf, entry: Arc::new(entry), name: *name })
    }

    fn resolve(
        &self,
        id: LogId,
        files: &LogFiles,
        (opened, looks): (&Opened, &[Look]),
        owner: Option<&Card>,
        troubles: &mut Troubles,
    ) -> Option<Log> {
        let Some(card) = owner else {
            self.report_unusable(opened, |_| true, troubles);
            let message = "its first entry is missing or unreadable, or nobody whose card this vault holds began it";
            troubles.add(0, Verdict::Incomplete, Check::Foreign, layout::log(id).to_string(), message);
            return None;
        };
        let (mut states, reached) = self.signed_states((id, files, card), looks, &opened.candidates, troubles);
        let Some(main) = states.iter().position(|state| reached.heads.contains_key(&state.head)) else {
            if let Some(state) = states.first() {
                self.report_blocked(&state.head, reached.longest, opened, troubles);
            } else {
                let message = "no state of this log with both signatures of its owner is here";
                troubles.add(0, Verdict::Incomplete, Check::Tree, layout::log(id).to_string(), message);
            }
            self.report_unusable(opened, |_| true, troubles);
            return None;
        };
        let larger: Vec<SignedState> = states.drain(..main).collect();
        let state = states.remove(0);
        let head = state.head;
        let note = self.note_of(state, card, troubles)?;
        for larger in larger.iter().filter(|larger| larger.head.size > head.size) {
            self.report_blocked(&larger.head, reached.longest, opened, troubles);
        }
        // Of one size, what does not lead to entries here is another history all the same.
        states.extend(larger.into_iter().filter(|other| other.head.size == head.size));
        let path = reached.path(&head);
        let is_told =
            |state: &Head| *state == head || root_at(&opened.candidates, &path, state.size) == Some(state.root);
        states.extend(other_states(self, id, files, card, head.size, is_told));
        let log = Log {
            id,
            member: card.member(),
            handle: String::new(),
            entries: Vec::new(),
            head,
            note,
            forks: Vec::new(),
            turned: false,
        };
        Some(self.assemble(log, opened, &path, (states, card), &reached, troubles))
    }

    /// Whether all that lies there is what this device was about to begin the log with.
    fn is_unfinished(&self, id: LogId, files: &LogFiles) -> bool {
        let entries = files.entries.values().flatten().map(|name| layout::entry(id, name));
        let mut paths = entries.chain(files.checkpoints.iter().map(|name| layout::checkpoint(id, name)));
        files.cosignatures.is_empty() && paths.all(|path| self.own.contains(&path.to_string()))
    }

    /// What stands between the entries and a state that is signed; `longest` is as far as any of them lead.
    fn report_blocked(&self, head: &Head, longest: u64, opened: &Opened, troubles: &mut Troubles) {
        let blocked = longest.min(head.size);
        let log = layout::log(head.log);
        let is_barred = blocked < head.size;
        let here = opened.unusable.iter().any(|(path, seq, _)| *seq == blocked && !self.own.contains(path));
        if is_barred && here {
            self.report_unusable(opened, |seq| seq == blocked, troubles);
        } else if is_barred && !opened.candidates.contains_key(&blocked) {
            let message = format!("the entry is missing, though a state of {} entries is signed", head.size);
            let subject = format!("{log}, entry {blocked}");
            troubles.add(blocked, Verdict::Incomplete, Check::Entry, subject, message);
        } else {
            let message = format!("the entries do not lead to the root that is signed for size {}", head.size);
            troubles.add(blocked, Verdict::Invalid, Check::Tree, log.to_string(), message);
        }
    }

    fn report_unusable(&self, opened: &Opened, which: impl Fn(u64) -> bool, troubles: &mut Troubles) {
        for (path, seq, trouble) in &opened.unusable {
            if which(*seq) && !self.own.contains(path) {
                troubles.add_file(*seq, Check::Entry, path.clone(), trouble.clone());
            }
        }
    }

    /// Puts the entries of `path` into the log, and those of each other signed state that it did not go through
    /// beside them as a fork. What is left is covered by no signature.
    fn assemble(
        &self,
        mut log: Log,
        opened: &Opened,
        path: &[usize],
        (others, card): (Vec<SignedState>, &Card),
        reached: &Reached,
        troubles: &mut Troubles,
    ) -> Log {
        let mut covered: BTreeSet<(u64, usize)> = BTreeSet::new();
        log.entries = told(opened, path, 0, &mut covered);
        let begins = log.entries.first().and_then(|first| first.entry.begins.as_ref());
        log.handle = begins.map(|begins| begins.handle.clone()).unwrap_or_default();
        let strayed = |state: &SignedState| log.root_at(state.head.size) != Some(state.head.root);
        for state in others.into_iter().filter(strayed).collect::<Vec<_>>() {
            let head = state.head;
            if log.forks.iter().any(|fork| fork.root_at(head.size) == Some(head.root)) {
                continue; // an earlier state of another history that is known already
            }
            let Some(note) = self.note_of(state, card, troubles) else { continue };
            let other = reached.path(&head);
            let parted = path.iter().zip(&other).take_while(|(one, other)| one == other).count();
            let entries = told(opened, &other, parted, &mut covered);
            let message = format!(
                "two histories signed with one key, in the custody record {}: at {} events both root {} and root {} are signed",
                log.handle,
                head.size,
                head.root,
                log.root_at(head.size).expect("the size is within the log"),
            );
            // Where the other history is not here, nobody can tell how early they parted.
            let parted = parted as u64;
            troubles.add(parted, Verdict::Invalid, Check::Fork, layout::log(log.id).to_string(), message);
            log.forks.push(Fork { parted, entries, head, note });
        }
        for (seq, here) in &opened.candidates {
            for (index, stray) in here.iter().enumerate() {
                if !covered.contains(&(*seq, index)) {
                    self.report_stray(log.id, stray, troubles);
                }
            }
        }
        for (path, seq, _) in &opened.unusable {
            if !self.own.contains(path) && !troubles.mention(path) {
                let message = "no signed state covers it; it is no evidence";
                troubles.add(*seq, Verdict::Incomplete, Check::Foreign, path.clone(), message);
            }
        }
        log
    }

    fn report_stray(&self, id: LogId, stray: &Candidate, troubles: &mut Troubles) {
        let path = layout::entry(id, &stray.name).to_string();
        // What this device prepared lies there in its own bytes, or as another encryption of the same entry.
        let of_this_entry = path.rsplit_once('-').map_or(path.as_str(), |(entry, _)| entry);
        let own = self.own.range::<str, _>((Bound::Included(of_this_entry), Bound::Unbounded)).next();
        if !own.is_some_and(|own| own.starts_with(of_this_entry)) {
            let message = "no signed state covers it; it is no evidence";
            troubles.add(stray.entry.seq, Verdict::Incomplete, Check::Foreign, path, message);
        }
    }
}

/// The root at a size below that of the state that a path leads to: each entry names the one before it.
pub(super) fn root_at(candidates: &BTreeMap<u64, Vec<Candidate>>, path: &[usize], size: u64) -> Option<Hash> {
    let chosen = path.get(usize::try_from(size).ok()?)?;
    Some(candidates.get(&size)?.get(*chosen)?.entry.previous)
}

/// The entries of a path from one place on.
fn told(opened: &Opened, path: &[usize], from: usize, covered: &mut BTreeSet<(u64, usize)>) -> Vec<Told> {
    let nothing = Arc::new(Past::default());
    let places = (0_u64..).zip(path).skip(from);
    let told = places.map(|(seq, chosen)| {
        covered.insert((seq, *chosen));
        let Candidate { leaf, entry, .. } = &opened.candidates[&seq][*chosen];
        let (entry, past, standing) = (Arc::clone(entry), Arc::clone(&nothing), Standing::Counted);
        Told { entry, leaf: *leaf, past, blind: false, undecided: false, standing }
    });
    told.collect()
}

/// What was read of all logs.
#[derive(Default)]
pub(super) struct Read {
    pub(super) logs: BTreeMap<LogId, Log>,
    /// Logs of which no signed state can be followed here, and whose they are.
    pub(super) untold: BTreeMap<LogId, MemberId>,
    /// Logs of which something lies here and cannot be read: what they say may not be all.
    pub(super) unread: BTreeSet<LogId>,
    /// What is wrong with them, whoever they turn out to belong to.
    pub(super) troubles: Vec<LogTrouble>,
    /// The cards that entries carry, by their text.
    pub(super) cards: BTreeMap<String, Card>,
}

/// Cards prove themselves: their member id is the hash of their keys. Whether they were admitted is another question.
/// Each is checked once, however often it is admitted.
fn cards(opened: &BTreeMap<LogId, Opened>) -> BTreeMap<String, Card> {
    let entries = opened.values().flat_map(|log| log.candidates.values().flatten()).map(|candidate| &candidate.entry);
    let admissions = entries.flat_map(|entry| admissions(&entry.event));
    let texts: BTreeSet<&String> = admissions.map(|admission| &admission.card).collect();
    let texts: Vec<&String> = texts.into_iter().collect();
    let cards = parallel::map(&texts, |text| Card::parse(text.as_bytes()).ok());
    texts.into_iter().zip(cards).filter_map(|(text, card)| Some((text.clone(), card?))).collect()
}
