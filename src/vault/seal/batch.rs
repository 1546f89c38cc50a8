//! From segments to blobs on the disk: encrypted on all cores, named by their hashes, written once, synced as a group,
//! read back from the medium, compared with the ciphertext still in memory, opened with their file keys and hashed
//! against what was read from the source.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::crypto::envelope::{self, FileKey};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::payload::SEGMENT_BYTES;
use crate::store::memory::Intent;
use crate::store::{Mode, ReadFrom, RelPath, layout};
use crate::vault::session::Session;
use crate::vault::{Setting, VaultError, parallel, random};

/// What waits in memory before it is written: four whole segments, or many small ones.
const BATCH_BYTES_MAX: usize = 4 * SEGMENT_BYTES;
const BATCH_SEGMENTS_MAX: usize = 1024;

/// A stretch of a source's bytes within a segment, with the state of the source's SHA-256 before and after it.
#[derive(Clone)]
pub(super) struct Span {
    pub(super) within: Range<usize>,
    pub(super) before: Sha256,
    pub(super) after: Hash,
}

/// One piece of a payload.
pub(super) struct Segment {
    /// Whose it is: exhibits of a run are counted, and so are its inventories and manifests.
    pub(super) owner: u64,
    pub(super) recipient: Recipient,
    pub(super) plaintext: Vec<u8>,
    pub(super) spans: Vec<Span>,
}

/// A blob that is on the disk.
#[derive(Clone, Copy)]
pub(super) struct Written {
    pub(super) owner: u64,
    pub(super) name: Hash,
}

/// Blobs on their way to the disk.
pub(super) struct Batch {
    waiting: Vec<Segment>,
    waiting_bytes: usize,
    /// On the disk, in the order in which they were added, since the last commit.
    pub(super) written: Vec<Written>,
    /// What the device's memory holds about them.
    pub(super) intents: Vec<Intent>,
    readback: bool,
    /// Whether every blob read back so far came from the medium itself.
    pub(super) from_medium: bool,
}

/// A blob in memory with what it must turn out to be.
struct Blob {
    owner: u64,
    name: Hash,
    bytes: Vec<u8>,
    file_key: FileKey,
    spans: Vec<Span>,
}

impl Batch {
    pub(super) fn new(readback: bool) -> Self {
        let (waiting, written, intents) = (Vec::new(), Vec::new(), Vec::new());
        Self { waiting, waiting_bytes: 0, written, intents, readback, from_medium: true }
    }

    /// Takes a segment; writes the batch when it is full.
    pub(super) fn push(
        &mut self,
        setting: &mut Setting<'_>,
        session: &Session,
        segment: Segment,
    ) -> Result<(), VaultError> {
        self.waiting_bytes += segment.plaintext.len();
        self.waiting.push(segment);
        if self.waiting_bytes >= BATCH_BYTES_MAX || self.waiting.len() >= BATCH_SEGMENTS_MAX {
            self.write(setting, session)?;
        }
        Ok(())
    }

    /// Writes all that waits; durable and read back when this returns.
    pub(super) fn write(&mut self, setting: &mut Setting<'_>, session: &Session) -> Result<(), VaultError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        if waiting.is_empty() {
            return Ok(());
        }
        let sealed = parallel::map(&waiting, |segment| {
            let sealed = envelope::seal(&segment.plaintext, &[&segment.recipient]);
            (Hash::of(&sealed.bytes), sealed)
        });
        let blobs: Vec<Blob> = waiting
            .into_iter()
            .zip(sealed)
            .map(|(segment, (name, sealed))| Blob {
                owner: segment.owner,
                name,
                bytes: sealed.bytes,
                file_key: sealed.file_key,
                spans: segment.spans,
            })
            .collect();
        let paths: Vec<RelPath> = blobs.iter().map(|blob| layout::blob(blob.name)).collect();
        // The names go into the device's memory first: whatever a crash leaves is known to be ours.
        self.intents.push(session.memory.intend(&session.vault, random(setting.rng), &paths)?);
        self.written.extend(blobs.iter().map(|blob| Written { owner: blob.owner, name: blob.name }));
        for (blob, path) in blobs.iter().zip(&paths) {
            session.folder.create(path, &blob.bytes, Mode::Open)?;
        }
        session.folder.sync(&paths)?;
        if self.readback {
            self.read_back(session, &blobs)?;
        }
        Ok(())
    }

    fn read_back(&mut self, session: &Session, blobs: &[Blob]) -> Result<(), VaultError> {
        for result in parallel::map(blobs, |blob| compare(session, blob)) {
            self.from_medium &= result? == ReadFrom::Medium;
        }
        Ok(())
    }

    /// Gives up everything of one owner: what waits is dropped, what is written is removed.
    pub(super) fn drop_owner(&mut self, session: &Session, owner: u64) -> Result<(), VaultError> {
        self.waiting.retain(|segment| segment.owner != owner);
        self.waiting_bytes = self.waiting.iter().map(|segment| segment.plaintext.len()).sum();
        let (given_up, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.written).into_iter().partition(|written| written.owner == owner);
        self.written = kept;
        remove(session, &given_up)
    }

    /// Gives up the last segments of the owner whose segments came last.
    pub(super) fn drop_last(&mut self, session: &Session, owner: u64, count: u64) -> Result<(), VaultError> {
        let mut left = usize::try_from(count).expect("segments are in memory or listed there");
        while left > 0 && self.waiting.last().is_some_and(|segment| segment.owner == owner) {
            self.waiting.pop();
            left -= 1;
        }
        self.waiting_bytes = self.waiting.iter().map(|segment| segment.plaintext.len()).sum();
        let given_up = self.written.split_off(self.written.len() - left);
        debug_assert!(given_up.iter().all(|written| written.owner == owner));
        remove(session, &given_up)
    }

    /// Gives up everything since the last commit. What a change that is already written down names is no longer here:
    /// that change will be completed.
    pub(super) fn abandon(&mut self, session: &Session) -> Result<(), VaultError> {
        self.waiting.clear();
        self.waiting_bytes = 0;
        remove(session, &std::mem::take(&mut self.written))?;
        for intent in std::mem::take(&mut self.intents) {
            session.memory.forget(&intent)?;
        }
        Ok(())
    }

    /// Hands over what the device's memory holds about the blobs of a group that is about to be committed.
    pub(super) fn hand_over(&mut self) -> Vec<Intent> {
        self.written.clear();
        std::mem::take(&mut self.intents)
    }

    /// The blobs of one owner, in order.
    pub(super) fn blobs_of(&self, owner: u64) -> Vec<Hash> {
        self.written.iter().filter(|written| written.owner == owner).map(|written| written.name).collect()
    }
}

/// One blob on the disk against the same in memory and the source's own hash.
fn compare(session: &Session, blob: &Blob) -> Result<ReadFrom, VaultError> {
    let path = layout::blob(blob.name);
    let differs = || VaultError::ReadBack { path: path.to_string() };
    let (bytes, from) = session.folder.read_back(&path, blob.bytes.len() as u64)?;
    if bytes != blob.bytes {
        return Err(differs());
    }
    let plaintext = envelope::open_with_file_key(&bytes, &blob.file_key).map_err(|_| differs())?;
    for span in &blob.spans {
        let stretch = plaintext.get(span.within.clone()).ok_or_else(differs)?;
        let after = span.before.clone().chain_update(stretch);
        if Hash(after.finalize().into()) != span.after {
            return Err(differs());
        }
    }
    Ok(from)
}

fn remove(session: &Session, given_up: &[Written]) -> Result<(), VaultError> {
    if !given_up.is_empty() {
        let paths: Vec<RelPath> = given_up.iter().map(|written| layout::blob(written.name)).collect();
        session.folder.remove_all(&paths)?;
    }
    Ok(())
}
