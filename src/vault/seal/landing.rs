//! A batch on its last stretch: written once and synced as a group, read back from the medium, compared with the ciphertext
//! still in memory, opened with its file keys and hashed against what was read from the source.

use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::batch::Segment;
use super::spare::Spare;
use crate::crypto::envelope::{Buffer, SealedSlots};
use crate::crypto::hash::Hash;
use crate::store::memory::Intent;
use crate::store::{Mode, ReadFrom, RelPath, StoreError, layout};
use crate::vault::VaultError;
use crate::vault::parallel::{Crew, Pending};
use crate::vault::session::Session;

/// A stretch of a source's bytes within a segment, with the state of the source's SHA-256 before and after it.
#[derive(Clone)]
pub(super) struct Span {
    pub(super) within: Range<usize>,
    pub(super) before: Sha256,
    pub(super) after: Hash,
}

/// A blob that is on the disk.
#[derive(Clone, Copy)]
pub(super) struct Written {
    pub(super) owner: u64,
    pub(super) name: Hash,
}

/// What came of a batch.
#[derive(Default)]
pub(super) struct Landed {
    /// What is on the disk, in the order in which it was added.
    pub(super) written: Vec<Written>,
    /// What is still being read back of it.
    pub(super) compared: Vec<Pending<Result<ReadFrom, VaultError>>>,
    /// What the device's memory holds about it.
    pub(super) intents: Vec<Intent>,
    pub(super) failure: Option<VaultError>,
}

/// A blob in memory with what it must turn out to be.
pub(super) struct Blob {
    owner: u64,
    sealed: SealedSlots,
    spans: Vec<Span>,
}

impl Blob {
    pub(super) fn seal(segment: Segment) -> Self {
        let Segment { owner, recipient, plaintext, spans } = segment;
        Self { owner, sealed: plaintext.seal(&recipient), spans }
    }
}

/// One batch on its last stretch.
pub(super) struct Landing<'scope> {
    pub(super) session: &'scope Session,
    pub(super) readback: bool,
    pub(super) crew: Crew<'scope>,
    pub(super) spare: Arc<Spare>,
    /// The name under which the device's memory holds it.
    pub(super) token: [u8; 8],
}

impl Landing<'_> {
    pub(super) fn all(self, parcels: Vec<Vec<Blob>>) -> Landed {
        let mut landed = Landed::default();
        landed.failure = self.write(parcels, &mut landed).err();
        landed
    }

    fn write(&self, parcels: Vec<Vec<Blob>>, landed: &mut Landed) -> Result<(), VaultError> {
        let folder = &self.session.folder;
        let blobs = || parcels.iter().flatten();
        let paths: Vec<RelPath> = blobs().map(|blob| layout::blob(blob.sealed.sha256)).collect();
        if paths.is_empty() {
            return Ok(());
        }
        // The names go into the device's memory first: whatever a crash leaves is known to be ours.
        let by = self.session.member.as_ref().expect("whoever seals is somebody");
        landed.intents.push(self.session.memory.intend(&self.session.vault, by, self.token, &paths)?);
        landed.written = blobs().map(|blob| Written { owner: blob.owner, name: blob.sealed.sha256 }).collect();
        for (blob, path) in blobs().zip(&paths) {
            folder.create(path, blob.sealed.bytes(), Mode::Open)?;
        }
        folder.sync(&paths)?;
        if self.readback {
            // The next batch need not wait for it.
            let compare = |parcel: Vec<Blob>| {
                let (session, spare) = (self.session, Arc::clone(&self.spare));
                self.crew.begin(move || compare(session, &spare, parcel))
            };
            landed.compared = parcels.into_iter().map(compare).collect();
        } else {
            for blob in parcels.into_iter().flatten() {
                self.spare.give(blob.sealed.into_buffer());
            }
        }
        Ok(())
    }
}

/// What is on the disk against the same in memory.
fn compare(session: &Session, spare: &Spare, parcel: Vec<Blob>) -> Result<ReadFrom, VaultError> {
    let mut all_from = ReadFrom::Medium;
    for blob in parcel {
        let (from, buffer) = compare_one(session, blob)?;
        spare.give(buffer);
        all_from = all_from.max(from);
    }
    Ok(all_from)
}

/// One blob on the disk against the same in memory and the source's own hash.
fn compare_one(session: &Session, mut blob: Blob) -> Result<(ReadFrom, Buffer), VaultError> {
    let path = layout::blob(blob.sealed.sha256);
    let (mut source, from) = session.folder.read_back(&path, blob.sealed.bytes().len() as u64)?;
    let mut spans = Spans { left: blob.spans.iter(), now: None, hold: true };
    let same = blob.sealed.is_read_back(&mut *source, |at, plaintext| spans.see(at, plaintext));
    let same = same.map_err(|source| StoreError::Io { path: session.folder.shown().join(&path), source })?;
    if !same || !spans.all_hold() {
        return Err(VaultError::ReadBack { path: path.to_string() });
    }
    Ok((from, blob.sealed.into_buffer()))
}

/// The stretches of a segment that came from a source, as they go by again.
struct Spans<'a> {
    left: std::slice::Iter<'a, Span>,
    now: Option<(&'a Span, Sha256)>,
    hold: bool,
}

impl Spans<'_> {
    /// The plaintext from `at` on; what came before it was seen.
    fn see(&mut self, at: usize, plaintext: &[u8]) {
        let end = at + plaintext.len();
        loop {
            if self.now.is_none() {
                self.now = self.left.next().map(|span| (span, span.before.clone()));
            }
            let Some((span, hasher)) = &mut self.now else { break };
            if span.within.start < end {
                let (from, to) = (span.within.start.max(at), span.within.end.min(end));
                hasher.update(&plaintext[from - at..to - at]);
            }
            if span.within.end > end {
                break;
            }
            self.hold &= Hash(hasher.clone().finalize().into()) == span.after;
            self.now = None;
        }
    }

    /// Whether each was seen to its end, and is what was read from the source.
    fn all_hold(&self) -> bool {
        self.hold && self.now.is_none() && self.left.as_slice().is_empty()
    }
}
