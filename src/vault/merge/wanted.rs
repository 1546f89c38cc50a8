//! What of the other copy belongs into this one: entries and signed states of every history of each log, the wrapped
//! keys and blobs that entries name, and cosignatures that hold.

use std::collections::{BTreeMap, BTreeSet};

use super::Copy;
use super::there::{Fate, There};
use crate::crypto::hash::Hash;
use crate::format::event::{Event, Head};
use crate::format::ids::{KeyId, LogId};
use crate::format::note::NOTE_BYTES_MAX;
use crate::store::layout::{self, CheckpointName};
use crate::store::{Folder, RelPath};
use crate::vault::cosign::check::Judge;
use crate::vault::findings::{Check, Findings};
use crate::vault::history::{History, Log, Place, Told, check_head};
use crate::vault::session::Session;
use crate::vault::survey::{self, LogFiles};
use crate::vault::{Setting, VaultError, exhibits, named};

/// What is to be copied, what stays where it is, and what can be found in neither copy.
#[derive(Default)]
pub(in crate::vault) struct Wanted {
    /// The sealed files of the other copy, and which of them are to be copied.
    pub(super) blobs: There,
    /// Wrapped keys.
    pub(in crate::vault) keys: Vec<(KeyId, Hash)>,
    /// Entries; of several files that hold one entry, one.
    pub(in crate::vault) entries: Vec<(LogId, layout::EntryName)>,
    /// Cosignatures and time-stamp replies.
    pub(in crate::vault) cosignatures: Vec<(LogId, Hash)>,
    /// Files that lie here and are not what their names promise, though nothing here covers them: somebody's unfinished work.
    pub(super) torn: BTreeSet<RelPath>,
    /// Signed states.
    pub(in crate::vault) states: Vec<(LogId, CheckpointName)>,
    /// Logs of which a signed state was there and could not be read again: what came for it would not count.
    pub(super) lost: BTreeSet<LogId>,
    /// Files that entries which count name and that neither copy has, and inventories that are whole in neither.
    pub(in crate::vault) missing: BTreeSet<RelPath>,
    /// Names among the sealed files of the other copy that are none, and shelves of them that could not be listed.
    pub(super) strangers: Findings,
    /// Inventories that are not what their sealing promises: what else belongs to it nobody can say.
    pub(super) unread: Vec<(String, String)>,
}

impl Wanted {
    /// Compares both copies with what they prove together.
    pub(super) fn find(
        setting: &Setting<'_>,
        session: &Session,
        own: Copy<'_>,
        source: Copy<'_>,
        replace: bool,
    ) -> Result<Self, VaultError> {
        let history = session.history()?;
        let mut search = Search::new(session, history, own, source, replace);
        search.custody(history);
        search.blobs(setting, history)?;
        Ok(search.wanted)
    }

    /// The same without blobs: what logs hold, and wrapped keys.
    pub(in crate::vault) fn find_custody(
        session: &Session,
        own: Copy<'_>,
        source: Copy<'_>,
    ) -> Result<Self, VaultError> {
        let history = session.history()?;
        let mut search = Search::new(session, history, own, source, false);
        search.custody(history);
        Ok(search.wanted)
    }

    /// Where the signed state of a log should lie that could not be read: without it nothing of that log counts elsewhere.
    pub(in crate::vault) fn unsigned(&self) -> impl Iterator<Item = RelPath> + '_ {
        self.lost.iter().map(|log| layout::checkpoints(*log))
    }

    /// How much is to be copied, without what is small.
    pub(super) fn bytes(&self) -> u64 {
        self.blobs.coming().map(|(_, bytes)| bytes).sum()
    }
}

struct Search<'a> {
    session: &'a Session,
    own: Copy<'a>,
    source: Copy<'a>,
    /// Whether what lies here is looked into, and a damaged file counts as none.
    replace: bool,
    judge: Judge<'a>,
    /// How many entries of each log the signed states of this copy cover.
    covered: BTreeMap<LogId, u64>,
    /// Signed states, by the hashes of their files, that are here to be kept whatever follows: a time stamp is over them.
    stamped: BTreeSet<Hash>,
    wanted: Wanted,
}

fn stamped(history: &History) -> BTreeSet<Hash> {
    let stamps = history.counted().filter_map(|(_, told)| match &told.entry.event {
        Event::Stamp { checkpoint, .. } => Some(*checkpoint),
        _ => None,
    });
    stamps.collect()
}

/// How far the largest state of a log reaches that lies in a copy and that its member signed. A name alone shows nothing.
fn covered_of(history: &History, log: &Log, (folder, survey): Copy<'_>) -> u64 {
    let names = survey.logs.get(&log.id).map(|files| &files.checkpoints);
    let mut names: Vec<&CheckpointName> = names.into_iter().flatten().collect();
    names.sort_unstable_by_key(|name| std::cmp::Reverse(name.size));
    let mut signed = names.into_iter().filter_map(|name| state_in(folder, history, log, name));
    signed.next().map_or(0, |head| head.size)
}

/// The state of a log that a file shows, if her signatures hold.
fn state_in(folder: &dyn Folder, history: &History, log: &Log, name: &CheckpointName) -> Option<Head> {
    let card = history.card_of(log.member)?;
    let path = layout::checkpoint(log.id, name);
    let bytes = folder.read(&path, NOTE_BYTES_MAX as u64).ok()?;
    let bytes = Some(bytes).filter(|bytes| layout::is_as_named(&path, bytes))?;
    Some(check_head(&bytes, log.id, history.vault, card).ok()?.0)
}

impl<'a> Search<'a> {
    fn new(session: &'a Session, history: &'a History, own: Copy<'a>, source: Copy<'a>, replace: bool) -> Self {
        let (judge, stamped) = (Judge::new(history), stamped(history));
        let logs = history.mergeable();
        let covered = logs.into_iter().map(|(id, log)| (id, covered_of(history, log, own))).collect();
        Self { session, own, source, replace, judge, covered, stamped, wanted: Wanted::default() }
    }

    fn custody(&mut self, history: &History) {
        for log in history.logs.values() {
            self.told(history, log);
            self.said_of(log);
        }
        // No evidence, and not without them: of these what is signed is taken, and nothing that others said of it.
        for log in history.named_beside() {
            self.told(history, log);
        }
        // Two histories can share a stretch that is not in the one that counts.
        self.wanted.entries.sort_unstable();
        self.wanted.entries.dedup();
        self.wanted.states.sort_unstable();
        self.wanted.states.dedup();
        self.keys(history);
    }

    /// Whether a file that lies here by name stays as it is. What this device was writing may be torn, and so may what no signed
    /// state here covers: somebody did not come to the end, here or elsewhere. Both are looked at.
    fn is_here(&mut self, path: &RelPath, is_covered: bool) -> bool {
        if is_covered && !self.replace && !self.session.unfinished.may_be_torn(path) {
            return true;
        }
        let read = self.own.0.read(path, exhibits::BLOB_BYTES_MAX);
        let is_torn = matches!(read, Ok(bytes) if !layout::is_as_named(path, &bytes));
        if is_torn && !is_covered {
            self.wanted.torn.insert(path.clone());
        }
        !is_torn
    }

    /// Whether a signed state of this copy reaches as far.
    fn is_covered(&self, place: Place) -> bool {
        self.covered.get(&place.log).is_some_and(|size| place.seq < *size)
    }

    /// What a log holds: its entries and states, those of its other histories too.
    fn told(&mut self, history: &History, log: &Log) {
        let none = LogFiles::default();
        let ours = self.own.1.logs.get(&log.id).unwrap_or(&none);
        let theirs = self.source.1.logs.get(&log.id).unwrap_or(&none);
        let forked = log.forks.iter().flat_map(|fork| &fork.entries);
        for told in log.entries.iter().chain(forked) {
            self.entry(log.id, told, ours, theirs);
        }
        self.states(history, log, ours, theirs);
    }

    /// What others said of its states.
    fn said_of(&mut self, log: &Log) {
        let none = LogFiles::default();
        let ours = self.own.1.logs.get(&log.id).unwrap_or(&none);
        let theirs = self.source.1.logs.get(&log.id).unwrap_or(&none);
        // A time stamp is over one checkpoint's file, whatever its size.
        let over = &self.stamped;
        let stamps = theirs.checkpoints.iter().filter(|name| over.contains(&name.sha256));
        let known: BTreeSet<CheckpointName> = ours.checkpoints.iter().copied().collect();
        self.wanted.states.extend(stamps.filter(|name| !known.contains(name)).map(|name| (log.id, *name)));
        for file in theirs.cosignatures.iter().filter(|file| !ours.cosignatures.contains(file)) {
            if self.judge.keeps(self.session, log.id, *file) {
                self.wanted.cosignatures.push((log.id, *file));
            }
        }
    }

    fn entry(&mut self, log: LogId, told: &Told, ours: &LogFiles, theirs: &LogFiles) {
        let of_leaf = |files: &LogFiles| -> Vec<layout::EntryName> {
            let here = files.entries.get(&told.entry.seq).into_iter().flatten();
            here.filter(|name| name.leaf == told.leaf).copied().collect()
        };
        let is_covered = self.is_covered(Place { log, seq: told.entry.seq });
        if of_leaf(ours).iter().any(|name| self.is_here(&layout::entry(log, name), is_covered)) {
            return;
        }
        // Several files can claim to hold it; the one that does is told when it is read.
        self.wanted.entries.extend(of_leaf(theirs).into_iter().map(|name| (log, name)));
    }

    /// The signed states of a log's histories: of each, any file that shows it will do. No file is looked at twice, however
    /// many states somebody signed.
    fn states(&mut self, history: &History, log: &Log, ours: &LogFiles, theirs: &LogFiles) {
        let shown = |(folder, _): Copy<'_>, files: &LogFiles, among: &BTreeSet<Head>| {
            let sizes: BTreeSet<u64> = among.iter().map(|head| head.size).collect();
            let names = files.checkpoints.iter().filter(|name| sizes.contains(&name.size));
            let shown = names.filter_map(|name| Some((state_in(folder, history, log, name)?, *name)));
            shown.collect::<BTreeMap<Head, CheckpointName>>()
        };
        let mut lacking: BTreeSet<Head> = log.forks.iter().map(|fork| fork.head).chain([log.head]).collect();
        let here = shown(self.own, ours, &lacking);
        lacking.retain(|head| !here.contains_key(head));
        let there = shown(self.source, theirs, &lacking);
        for head in lacking {
            match there.get(&head) {
                Some(name) => self.wanted.states.push((log.id, *name)),
                None => drop(self.wanted.lost.insert(log.id)),
            }
        }
    }

    fn keys(&mut self, history: &History) {
        let counted = named::counted_keys(history);
        let beside =
            named::kept_beside(history).flat_map(|(_, told)| named::key_files(told.entry.log, &told.entry.event));
        let all: BTreeSet<(KeyId, Hash)> = counted.iter().copied().chain(beside).collect();
        let here = history.counted().filter(|(place, _)| self.is_covered(*place));
        let covered: BTreeSet<(KeyId, Hash)> =
            here.flat_map(|(_, told)| named::key_files(told.entry.log, &told.entry.event)).collect();
        for (key, file) in all {
            let has = |copy: Copy<'_>| copy.1.keys.get(&key).is_some_and(|files| files.contains(&file));
            let path = layout::wrapped_key(key, file);
            if has(self.own) && self.is_here(&path, covered.contains(&(key, file))) {
                continue;
            }
            if has(self.source) {
                self.wanted.keys.push((key, file));
            } else if counted.contains(&(key, file)) && !has(self.own) {
                self.wanted.missing.insert(path);
            }
        }
    }

    fn blobs(&mut self, setting: &Setting<'_>, history: &History) -> Result<(), VaultError> {
        let ours = survey::blobs(self.own.0, &mut Findings::default())?;
        self.wanted.blobs = There::new(survey::blobs(self.source.0, &mut self.wanted.strangers)?);
        let disposed = history.disposed();
        let counted = history.counted().map(|(place, told)| (place, told, true));
        let beside = named::kept_beside(history).map(|(place, told)| (place, told, false));
        for (place, told, counts) in counted.chain(beside) {
            if setting.watch.stopped() {
                return Err(VaultError::Stopped);
            }
            let mut blobs = Vec::new();
            if let Event::Amend { blob, .. } = &told.entry.event {
                blobs.push(*blob);
            }
            if let Some(sealing) = history.sealing(place, told) {
                blobs.extend(named::own_blobs(&sealing));
                let read = || exhibits::rows(self.session, &sealing);
                // A medium that stumbles once is asked again: without the inventory nothing else of it can be taken.
                match read().or_else(|_| read()) {
                    Ok(rows) => blobs.extend(rows.into_iter().flat_map(|(_, blobs)| blobs)),
                    // A damaged file is told where it lies; this is about what its sealer signed.
                    Err(finding) if finding.check == Check::Inventory => {
                        self.wanted.unread.push((finding.subject, finding.message));
                    }
                    // Missing or damaged in both: what else belongs to it stays behind, and nobody is to think that all is here.
                    Err(_) if counts => {
                        let inventory = sealing.seal.inventory;
                        if !disposed.contains(&inventory) {
                            self.wanted.missing.insert(layout::blob(inventory));
                        }
                    }
                    Err(_) => {}
                }
            }
            let is_covered = self.is_covered(place);
            for blob in blobs {
                self.blob(blob, is_covered, &ours, &disposed, counts);
            }
        }
        Ok(())
    }

    fn blob(&mut self, blob: Hash, is_covered: bool, ours: &[Hash], disposed: &BTreeSet<Hash>, counts: bool) {
        let path = layout::blob(blob);
        let lies_here = ours.binary_search(&blob).is_ok();
        if lies_here && self.is_here(&path, is_covered) {
            return;
        }
        let is_disposed = disposed.contains(&blob);
        match self.wanted.blobs.decide(&blob) {
            Some(fate @ Fate::Stays) if is_disposed => *fate = Fate::Disposed,
            // What cannot be measured now is told when it is read.
            Some(fate @ Fate::Stays) => *fate = Fate::Comes(self.source.0.stat(&path).map_or(0, |stat| stat.bytes)),
            None if counts && !is_disposed && !lies_here => drop(self.wanted.missing.insert(path)),
            _ => {}
        }
    }
}
