//! The files on their way: read from the other copy on all cores, held against the hash in their names, written under
//! the same names, synced a few at a time. Signed states come last, and make the rest count.
//!
//! Whatever stops this, the device's memory tells what was being written and what had come: what is whole of it the next
//! merge need not carry again, whatever was done in between.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use super::wanted::Wanted;
use super::{Held, Untaken};
use crate::crypto::envelope;
use crate::crypto::recipient::Identity;
use crate::format::document::Document;
use crate::format::entry::{ENTRY_FILE_BYTES_MAX, Entry, entry_leaf};
use crate::format::key_file::WRAPPED_KEY_BYTES_MAX;
use crate::format::note::NOTE_BYTES_MAX;
use crate::store::layout::{self, EntryName};
use crate::store::memory::{Change, Intent};
use crate::store::{Mode, RelPath, StoreError};
use crate::vault::exhibits::BLOB_BYTES_MAX;
use crate::vault::session::Session;
use crate::vault::{Setting, VaultError, Watch, interrupted, parallel, random};

/// What is written between two syncs. After a power cut so much is looked through for torn files.
const BATCH_BYTES_MAX: u64 = 64 << 20;
const BATCH_FILES_MAX: usize = 512;
/// Signed states that end a merge together: a few megabytes in the device's memory.
const STATES_MAX: usize = 4096;

/// One file to be copied.
struct Piece {
    path: RelPath,
    bytes: u64,
    bytes_max: u64,
    /// For an entry's file: what must be in it.
    entry: Option<EntryName>,
}

/// Where a file that was taken stands now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Came {
    /// Here, since just now.
    Written,
    /// Here, as before.
    Here,
    /// There alone: what is here under its name is damaged, and stays.
    Damaged,
}

/// What became of a file of the other copy, and how long it is; or why it was not taken.
type Taken = Result<(Came, u64), String>;

/// What came, in numbers, and what did not.
#[derive(Default)]
pub(super) struct Carried {
    pub(super) entries: u64,
    pub(super) blobs: u64,
    pub(super) keys: u64,
    pub(super) cosignatures: u64,
    pub(super) states: u64,
    pub(super) bytes: u64,
    pub(super) untaken: Vec<Untaken>,
    /// Files here that are not what their names promise, though the other copy has them whole.
    pub(super) damaged: Vec<RelPath>,
}

/// Carries files from one copy to the other.
pub(super) struct Carrier<'a> {
    session: &'a Session,
    own: &'a Held,
    source: &'a Held,
    replace: bool,
    /// Files that lie here, torn, and that nothing here covers.
    torn: &'a BTreeSet<RelPath>,
    /// What the device's memory holds about files that are whole and not yet covered.
    intents: Vec<Intent>,
    carried: Carried,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(
        session: &'a Session,
        (own, source): (&'a Held, &'a Held),
        replace: bool,
        torn: &'a BTreeSet<RelPath>,
    ) -> Self {
        Self { session, own, source, replace, torn, intents: Vec::new(), carried: Carried::default() }
    }

    /// Files of the other copy that could not be taken so far.
    pub(super) fn untaken(&self) -> BTreeSet<String> {
        self.carried.untaken.iter().map(|file| file.path.clone()).collect()
    }

    /// Everything but the signed states; durable when this returns.
    pub(super) fn files(&mut self, setting: &mut Setting<'_>, wanted: &Wanted) -> Result<(), VaultError> {
        self.carried.blobs = self.all(setting, Piece::blobs(wanted))?;
        self.carried.keys = self.all(setting, Piece::keys(wanted))?;
        self.carried.entries = self.all(setting, Piece::entries(wanted))?;
        self.carried.cosignatures = self.all(setting, Piece::cosignatures(wanted))?;
        Ok(())
    }

    /// Reads all of it and writes nothing: what cannot be taken is known afterwards.
    pub(super) fn look(&mut self, setting: &Setting<'_>, wanted: &Wanted) -> Result<(), VaultError> {
        let small = Piece::keys(wanted).chain(Piece::entries(wanted)).chain(Piece::cosignatures(wanted));
        for batch in batches(Piece::blobs(wanted).chain(small)) {
            let looks = self.each(setting.watch, &batch, |_, _| Ok(Came::Here))?;
            self.note(&batch, looks).1?;
        }
        Ok(())
    }

    /// The signed states: first into the device's memory, then into the vault.
    pub(super) fn states(&mut self, setting: &mut Setting<'_>, wanted: &Wanted) -> Result<(), VaultError> {
        if setting.watch.stopped() {
            return Err(VaultError::Stopped);
        }
        for path in wanted.unsigned() {
            let reason = "a signed state of it could not be read".into();
            self.carried.untaken.push(Untaken { path: path.to_string(), reason });
        }
        for states in wanted.states.chunks(STATES_MAX) {
            let mut change = Change::default();
            let mut paths = Vec::new();
            for (log, name) in states {
                let piece = Piece::new(layout::checkpoint(*log, name), 0, NOTE_BYTES_MAX as u64);
                match self.take(&piece) {
                    Ok(bytes) => {
                        change.push(&piece.path, bytes);
                        paths.push(piece.path);
                    }
                    Err(reason) => self.carried.untaken.push(Untaken { path: piece.path.to_string(), reason }),
                }
            }
            self.session.memory.prepare_merge(&self.session.vault, random(setting.rng), &change)?;
            for (path, bytes) in change.files() {
                let came = self.put(&path, bytes)?;
                self.carried.states += u64::from(came == Came::Written);
                if came == Came::Damaged {
                    self.carried.damaged.push(path);
                }
            }
            self.own.sync(&paths)?;
        }
        Ok(())
    }

    /// What was written is covered now. Where a signed state did not come, the device's memory still tells what else came
    /// for it. An end that lacks one, or has one that is damaged here, would keep all of it from being seen.
    pub(super) fn finish(self) -> Result<Carried, VaultError> {
        let memory = &self.session.memory;
        for (intent, change) in memory.merges(&self.session.vault)? {
            if !interrupted::is_whole(&**self.own, &change) {
                memory.forget(&intent)?;
            }
        }
        if self.carried.untaken.is_empty() {
            for intent in &self.intents {
                memory.forget(intent)?;
            }
        }
        Ok(self.carried)
    }

    /// Carries all pieces, batch by batch; returns how many came.
    fn all(&mut self, setting: &mut Setting<'_>, pieces: impl Iterator<Item = Piece>) -> Result<u64, VaultError> {
        let mut came = 0;
        for batch in batches(pieces) {
            came += self.batch(setting, &batch)?;
        }
        Ok(came)
    }

    fn batch(&mut self, setting: &mut Setting<'_>, batch: &[Piece]) -> Result<u64, VaultError> {
        let (memory, vault) = (&self.session.memory, &self.session.vault);
        let paths: Vec<RelPath> = batch.iter().map(|piece| piece.path.clone()).collect();
        let writing = memory.intend_merge(vault, random(setting.rng), &paths)?;
        let came = self.each(setting.watch, batch, |path, bytes| self.put(path, bytes))?;
        let (written, outcome) = self.note(batch, came);
        self.own.sync(&written)?;
        if !written.is_empty() {
            self.intents.push(memory.arrive(vault, &written)?);
        }
        memory.forget(&writing)?;
        outcome.map(|()| written.len() as u64)
    }

    /// Takes pieces on all cores, and has each kept; `None` for those that were not come to.
    fn each(
        &self,
        watch: &dyn Watch,
        pieces: &[Piece],
        keep: impl Fn(&RelPath, &[u8]) -> Result<Came, VaultError> + Sync,
    ) -> Result<Vec<Option<Taken>>, VaultError> {
        // What fails first ends it; what fails beside it may do so because of that.
        let failed = OnceLock::new();
        let one = |piece: &Piece| {
            if failed.get().is_some() || watch.stopped() {
                return None;
            }
            let taken = match self.take(piece) {
                Ok(bytes) => keep(&piece.path, &bytes).map(|came| Ok((came, bytes.len() as u64))),
                Err(reason) => Ok(Err(reason)),
            };
            watch.advance(piece.bytes);
            taken.map_err(|error| failed.set(error)).ok()
        };
        let taken = parallel::map(pieces, one);
        failed.into_inner().map_or(Ok(taken), Err)
    }

    /// Notes what became of each; returns those that were written, or `Stopped` beside them where some were not come to.
    fn note(&mut self, pieces: &[Piece], taken: Vec<Option<Taken>>) -> (Vec<RelPath>, Result<(), VaultError>) {
        let (mut written, mut outcome) = (Vec::new(), Ok(()));
        for (piece, taken) in pieces.iter().zip(taken) {
            match taken {
                Some(Ok((Came::Written, bytes))) => {
                    self.carried.bytes = self.carried.bytes.saturating_add(bytes);
                    written.push(piece.path.clone());
                }
                Some(Ok((Came::Here, _))) => {}
                Some(Ok((Came::Damaged, _))) => self.carried.damaged.push(piece.path.clone()),
                Some(Err(reason)) => self.carried.untaken.push(Untaken { path: piece.path.to_string(), reason }),
                None => outcome = Err(VaultError::Stopped),
            }
        }
        (written, outcome)
    }

    /// A file of the other copy, if it is what its name promises; else why it was not taken.
    fn take(&self, piece: &Piece) -> Result<Vec<u8>, String> {
        match self.source.read(&piece.path, piece.bytes_max) {
            Ok(bytes) if !layout::is_as_named(&piece.path, &bytes) => {
                Err("its bytes do not have the hash in its name".into())
            }
            Ok(bytes) => match piece.entry {
                Some(name) if !is_entry(&bytes, &name, &self.session.ring.custody()) => {
                    Err("it is not the entry that its name tells".into())
                }
                _ => Ok(bytes),
            },
            // A pouch says why; of a folder the path stands beside it.
            Err(StoreError::Io { source, .. }) => Err(source.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Writes a file that is not here yet. What is torn here gives way where it is unfinished work, or where the person said so.
    fn put(&self, path: &RelPath, bytes: &[u8]) -> Result<Came, VaultError> {
        match self.own.create(path, bytes, Mode::Open) {
            Err(StoreError::Exists { .. }) => {}
            other => return Ok(other.map(|()| Came::Written)?),
        }
        if self.own.read(path, bytes.len() as u64 + 1).is_ok_and(|there| there == bytes) {
            return Ok(Came::Here);
        }
        let is_unfinished = self.torn.contains(path) || self.session.unfinished.may_be_torn(path);
        if !self.replace && !is_unfinished {
            return Ok(Came::Damaged);
        }
        self.own.remove(path)?;
        self.own.create(path, bytes, Mode::Open)?;
        Ok(Came::Written)
    }
}

/// As many at a time as are written between two syncs.
fn batches(pieces: impl Iterator<Item = Piece>) -> impl Iterator<Item = Vec<Piece>> {
    let mut pieces = pieces.peekable();
    std::iter::from_fn(move || {
        let (mut batch, mut bytes) = (Vec::new(), 0_u64);
        while let Some(piece) = pieces.next_if(|next| {
            batch.is_empty() || (bytes.saturating_add(next.bytes) <= BATCH_BYTES_MAX && batch.len() < BATCH_FILES_MAX)
        }) {
            bytes = bytes.saturating_add(piece.bytes);
            batch.push(piece);
        }
        (!batch.is_empty()).then_some(batch)
    })
}

impl Piece {
    fn new(path: RelPath, bytes: u64, bytes_max: u64) -> Self {
        Self { path, bytes, bytes_max, entry: None }
    }

    fn blobs(wanted: &Wanted) -> impl Iterator<Item = Self> + '_ {
        wanted.blobs.coming().map(|(blob, bytes)| Self::new(layout::blob(blob), bytes, BLOB_BYTES_MAX))
    }

    fn keys(wanted: &Wanted) -> impl Iterator<Item = Self> + '_ {
        let paths = wanted.keys.iter().map(|(key, file)| layout::wrapped_key(*key, *file));
        paths.map(|path| Self::new(path, 0, WRAPPED_KEY_BYTES_MAX))
    }

    fn entries(wanted: &Wanted) -> impl Iterator<Item = Self> + '_ {
        wanted.entries.iter().map(|(log, name)| {
            let piece = Self::new(layout::entry(*log, name), 0, ENTRY_FILE_BYTES_MAX);
            Self { entry: Some(*name), ..piece }
        })
    }

    fn cosignatures(wanted: &Wanted) -> impl Iterator<Item = Self> + '_ {
        let paths = wanted.cosignatures.iter().map(|(log, file)| layout::cosignature(*log, *file));
        paths.map(|path| Self::new(path, 0, ENTRY_FILE_BYTES_MAX))
    }
}

/// Whether an age file holds the entry that a name tells.
fn is_entry(bytes: &[u8], name: &EntryName, custody: &[&Identity]) -> bool {
    let Ok(padded) = envelope::open(bytes, custody) else { return false };
    let Ok((entry, length)) = Entry::decode_padded(&padded) else { return false };
    entry.seq == name.seq && padded.get(..length).is_some_and(|encoding| entry_leaf(encoding) == name.leaf)
}
