//! The files on their way: read from the other copy one at a time, held against the hash in their names, written under
//! the same names, synced a few at a time. Signed states come last, and make the rest count.
//!
//! Whatever stops this, the device's memory tells what was being written and what had come: what is whole of it the next
//! merge need not carry again, whatever was done in between.

use std::collections::BTreeSet;

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
use crate::vault::{Setting, VaultError, interrupted, random};

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
        for piece in Piece::blobs(wanted).chain(small) {
            if setting.watch.stopped() {
                return Err(VaultError::Stopped);
            }
            drop(self.take(&piece));
            setting.watch.advance(piece.bytes);
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
                if let Some(bytes) = self.take(&piece) {
                    change.push(&piece.path, bytes);
                    paths.push(piece.path);
                }
            }
            self.session.memory.prepare_merge(&self.session.vault, random(setting.rng), &change)?;
            for (path, bytes) in change.files() {
                self.carried.states += u64::from(self.put(&path, bytes)?);
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
        let mut pieces = pieces.peekable();
        let mut came = 0;
        while pieces.peek().is_some() {
            let (mut batch, mut bytes) = (Vec::new(), 0_u64);
            while let Some(piece) = pieces.next_if(|next| {
                batch.is_empty()
                    || (bytes.saturating_add(next.bytes) <= BATCH_BYTES_MAX && batch.len() < BATCH_FILES_MAX)
            }) {
                bytes = bytes.saturating_add(piece.bytes);
                batch.push(piece);
            }
            came += self.batch(setting, &batch)?;
        }
        Ok(came)
    }

    fn batch(&mut self, setting: &mut Setting<'_>, batch: &[Piece]) -> Result<u64, VaultError> {
        let (memory, vault) = (&self.session.memory, &self.session.vault);
        let paths: Vec<RelPath> = batch.iter().map(|piece| piece.path.clone()).collect();
        let writing = memory.intend_merge(vault, random(setting.rng), &paths)?;
        let (mut written, mut stopped) = (Vec::new(), false);
        for piece in batch {
            stopped = setting.watch.stopped();
            if stopped {
                break;
            }
            let Some(bytes) = self.take(piece) else { continue };
            if self.put(&piece.path, &bytes)? {
                self.carried.bytes = self.carried.bytes.saturating_add(bytes.len() as u64);
                written.push(piece.path.clone());
            }
            setting.watch.advance(piece.bytes);
        }
        self.own.sync(&written)?;
        if !written.is_empty() {
            self.intents.push(memory.arrive(vault, &written)?);
        }
        memory.forget(&writing)?;
        if stopped { Err(VaultError::Stopped) } else { Ok(written.len() as u64) }
    }

    /// A file of the other copy, if it is what its name promises.
    fn take(&mut self, piece: &Piece) -> Option<Vec<u8>> {
        let reason = match self.source.read(&piece.path, piece.bytes_max) {
            Ok(bytes) if !layout::is_as_named(&piece.path, &bytes) => {
                "its bytes do not have the hash in its name".to_string()
            }
            Ok(bytes) => match piece.entry {
                Some(name) if !is_entry(&bytes, &name, &self.session.ring.custody()) => {
                    "it is not the entry that its name tells".to_string()
                }
                _ => return Some(bytes),
            },
            // A pouch says why; of a folder the path stands beside it.
            Err(StoreError::Io { source, .. }) => source.to_string(),
            Err(error) => error.to_string(),
        };
        self.carried.untaken.push(Untaken { path: piece.path.to_string(), reason });
        None
    }

    /// Writes a file that is not here yet; whether it did. What is torn here gives way where it is unfinished work, or where
    /// the person said so.
    fn put(&mut self, path: &RelPath, bytes: &[u8]) -> Result<bool, VaultError> {
        match self.own.create(path, bytes, Mode::Open) {
            Err(StoreError::Exists { .. }) => {}
            other => return Ok(other.map(|()| true)?),
        }
        if self.own.read(path, bytes.len() as u64 + 1).is_ok_and(|there| there == bytes) {
            return Ok(false);
        }
        let is_unfinished = self.torn.contains(path) || self.session.unfinished.may_be_torn(path);
        if !self.replace && !is_unfinished {
            self.carried.damaged.push(path.clone());
            return Ok(false);
        }
        self.own.remove(path)?;
        self.own.create(path, bytes, Mode::Open)?;
        Ok(true)
    }
}

impl Piece {
    fn new(path: RelPath, bytes: u64, bytes_max: u64) -> Self {
        Self { path, bytes, bytes_max, entry: None }
    }

    fn blobs(wanted: &Wanted) -> impl Iterator<Item = Self> + '_ {
        wanted.blobs.iter().map(|(blob, bytes)| Self::new(layout::blob(*blob), *bytes, BLOB_BYTES_MAX))
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
