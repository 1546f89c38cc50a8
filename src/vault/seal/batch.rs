//! From segments to blobs on the disk: encrypted on all cores while the next are read, named by their hashes, written once
//! and synced as a group, read back from the medium, compared with the ciphertext still in memory, opened with their file
//! keys and hashed against what was read from the source.
//!
//! One batch is being filled while those before it land; so much is in memory at a time, whatever is sealed.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::thread::Scope;

use sha2::{Digest, Sha256};

use super::spare::Spare;
use crate::crypto::envelope::{Buffer, SealedSlots, Slots};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::payload::SEGMENT_BYTES;
use crate::store::memory::Intent;
use crate::store::{Mode, ReadFrom, RelPath, StoreError, layout};
use crate::vault::parallel::{self, Crew, Pending};
use crate::vault::session::Session;
use crate::vault::{Setting, VaultError, random};

/// What is written and synced at once: two whole segments, or many small ones.
pub(super) const BATCH_BYTES_MAX: usize = 2 * SEGMENT_BYTES;
const BATCH_SEGMENTS_MAX: usize = 512;
/// So many batches may be landing: one is written or read back while the next is encrypted.
const LANDING_MAX: usize = 2;
/// Small segments are handed to the crew together, so many or so many bytes: waking a thread costs as much as a small file.
const PARCEL_SEGMENTS_MAX: usize = 16;
const PARCEL_BYTES_MAX: usize = 512 << 10;

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
    pub(super) plaintext: Slots,
    /// In the order in which they lie there.
    pub(super) spans: Vec<Span>,
}

/// A blob that is on the disk.
#[derive(Clone, Copy)]
pub(super) struct Written {
    pub(super) owner: u64,
    pub(super) name: Hash,
}

/// Blobs on their way to the disk.
pub(super) struct Batch<'scope> {
    session: &'scope Session,
    readback: bool,
    /// They encrypt and compare; one more writes and syncs.
    crew: Crew<'scope>,
    lander: Crew<'scope>,
    parcel: Vec<Segment>,
    waiting: Vec<Parcel>,
    /// In the order in which they were filled.
    landing: VecDeque<Pending<Landed>>,
    landed: Landed,
    spare: Arc<Spare>,
}

/// Segments that are being encrypted, one after the other.
struct Parcel {
    pieces: Vec<Piece>,
    blobs: Pending<Vec<Blob>>,
}

/// What is known of a segment meanwhile.
struct Piece {
    owner: u64,
    bytes: usize,
    /// Whether nobody wants it any more.
    given_up: bool,
}

/// What is on the disk, in the order in which it was added, since the last commit.
struct Landed {
    written: Vec<Written>,
    /// What is still being read back of it.
    compared: Vec<Pending<Result<ReadFrom, VaultError>>>,
    /// What the device's memory holds about it.
    intents: Vec<Intent>,
    /// Whether every blob read back so far came from the medium itself.
    from_medium: bool,
    failure: Option<VaultError>,
}

impl Default for Landed {
    fn default() -> Self {
        Self { written: Vec::new(), compared: Vec::new(), intents: Vec::new(), from_medium: true, failure: None }
    }
}

/// A blob in memory with what it must turn out to be.
struct Blob {
    owner: u64,
    sealed: SealedSlots,
    spans: Vec<Span>,
}

impl Blob {
    fn seal(segment: Segment) -> Self {
        let Segment { owner, recipient, plaintext, spans } = segment;
        Self { owner, sealed: plaintext.seal(&recipient), spans }
    }
}

impl Parcel {
    /// What of it is still wanted.
    fn wait(self) -> Vec<Blob> {
        let wanted = self.pieces.iter().map(|piece| !piece.given_up);
        self.blobs.wait().into_iter().zip(wanted).filter_map(|(blob, wanted)| wanted.then_some(blob)).collect()
    }
}

impl<'scope> Batch<'scope> {
    pub(super) fn new(scope: &'scope Scope<'scope, '_>, session: &'scope Session, readback: bool) -> Self {
        Self {
            session,
            readback,
            crew: Crew::muster(scope, parallel::cores()),
            lander: Crew::muster(scope, 1),
            parcel: Vec::new(),
            waiting: Vec::new(),
            landing: VecDeque::new(),
            landed: Landed::default(),
            spare: Arc::default(),
        }
    }

    /// A segment to be filled, of about so many bytes.
    pub(super) fn segment(&self, bytes: usize) -> Slots {
        Slots::new(self.spare.take(bytes), bytes)
    }

    /// Takes a segment; begins to write the batch when it is full.
    pub(super) fn push(&mut self, setting: &mut Setting<'_>, segment: Segment) -> Result<(), VaultError> {
        self.parcel.push(segment);
        let bytes: usize = self.parcel.iter().map(|segment| segment.plaintext.len()).sum();
        if bytes >= PARCEL_BYTES_MAX || self.parcel.len() >= PARCEL_SEGMENTS_MAX {
            self.hand_to_crew();
            let (count, bytes) = self.waiting().fold((0, 0), |(count, bytes), piece| (count + 1, bytes + piece.bytes));
            if bytes >= BATCH_BYTES_MAX || count >= BATCH_SEGMENTS_MAX {
                self.land(setting)?;
            }
        }
        Ok(())
    }

    /// Begins to encrypt what was collected.
    fn hand_to_crew(&mut self) {
        let parcel = std::mem::take(&mut self.parcel);
        if parcel.is_empty() {
            return;
        }
        let piece = |segment: &Segment| Piece { owner: segment.owner, bytes: segment.plaintext.len(), given_up: false };
        let pieces = parcel.iter().map(piece).collect();
        let blobs = self.crew.begin(move || parcel.into_iter().map(Blob::seal).collect());
        self.waiting.push(Parcel { pieces, blobs });
    }

    /// What waits and is still wanted.
    fn waiting(&self) -> impl Iterator<Item = &Piece> {
        self.waiting.iter().flat_map(|parcel| &parcel.pieces).filter(|piece| !piece.given_up)
    }

    /// Lets all that waits land, behind what is landing already.
    fn land(&mut self, setting: &mut Setting<'_>) -> Result<(), VaultError> {
        self.hand_to_crew();
        self.settle(LANDING_MAX - 1)?;
        let waiting = std::mem::take(&mut self.waiting);
        if !waiting.is_empty() {
            let landing = Landing {
                session: self.session,
                readback: self.readback,
                crew: self.crew.clone(),
                spare: Arc::clone(&self.spare),
                token: random(setting.rng),
            };
            self.landing.push_back(self.lander.begin(move || landing.all(waiting)));
        }
        Ok(())
    }

    /// Waits until no more than so many batches are landing.
    fn settle(&mut self, landing_max: usize) -> Result<(), VaultError> {
        let mut settled = Ok(());
        while self.landing.len() > landing_max
            && let Some(landing) = self.landing.pop_front()
        {
            let Landed { written, compared, intents, failure, .. } = landing.wait();
            self.landed.written.extend(written);
            self.landed.intents.extend(intents);
            settled = settled.and(failure.map_or(Ok(()), Err));
            for compared in compared {
                let read = compared.wait().map(|from| self.landed.from_medium &= from == ReadFrom::Medium);
                settled = settled.and(read);
            }
        }
        settled
    }

    /// Writes all that waits; durable and read back when this returns.
    pub(super) fn write(&mut self, setting: &mut Setting<'_>) -> Result<(), VaultError> {
        self.land(setting)?;
        self.settle(0)
    }

    /// What is on the disk since the last commit; of what was pushed last only after [`Batch::write`].
    pub(super) fn written(&self) -> &[Written] {
        &self.landed.written
    }

    /// Whether every blob read back so far came from the medium itself.
    pub(super) fn is_from_medium(&self) -> bool {
        self.landed.from_medium
    }

    /// Gives up everything of one owner: what waits is dropped, what is written is removed.
    pub(super) fn drop_owner(&mut self, owner: u64) -> Result<(), VaultError> {
        self.give_up_last(|piece| piece.owner == owner, usize::MAX);
        self.settle(0)?;
        let (given_up, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.landed.written).into_iter().partition(|written| written.owner == owner);
        self.landed.written = kept;
        remove(self.session, &given_up)
    }

    /// Gives up the last segments of the owner whose segments came last.
    pub(super) fn drop_last(&mut self, owner: u64, count: u64) -> Result<(), VaultError> {
        let count = usize::try_from(count).expect("segments are in memory or listed there");
        let left = count - self.give_up_last(|piece| piece.owner == owner, count);
        self.settle(0)?;
        let written = &mut self.landed.written;
        let given_up = written.split_off(written.len() - left);
        debug_assert!(given_up.iter().all(|written| written.owner == owner));
        remove(self.session, &given_up)
    }

    /// Gives up the last of what waits that is meant, at most so many; returns how many.
    fn give_up_last(&mut self, is_meant: impl Fn(&Piece) -> bool, count_max: usize) -> usize {
        self.hand_to_crew();
        let pieces = self.waiting.iter_mut().flat_map(|parcel| &mut parcel.pieces).rev();
        let meant = pieces.filter(|piece| !piece.given_up && is_meant(piece)).take(count_max);
        meant.map(|piece| piece.given_up = true).count()
    }

    /// Gives up everything since the last commit. What a change that is already written down names is no longer here:
    /// that change will be completed.
    pub(super) fn abandon(&mut self) -> Result<(), VaultError> {
        self.give_up_last(|_| true, usize::MAX);
        self.waiting.clear();
        let _ = self.settle(0); // whatever failed, what was written is known, and is given up
        remove(self.session, &std::mem::take(&mut self.landed.written))?;
        for intent in std::mem::take(&mut self.landed.intents) {
            self.session.memory.forget(&intent)?;
        }
        Ok(())
    }

    /// Hands over what the device's memory holds about the blobs of a group that is about to be committed.
    pub(super) fn hand_over(&mut self) -> Vec<Intent> {
        self.landed.written.clear();
        std::mem::take(&mut self.landed.intents)
    }

    /// The blobs of one owner, in order.
    pub(super) fn blobs_of(&self, owner: u64) -> Vec<Hash> {
        self.written().iter().filter(|written| written.owner == owner).map(|written| written.name).collect()
    }
}

/// One batch on its last stretch.
struct Landing<'scope> {
    session: &'scope Session,
    readback: bool,
    crew: Crew<'scope>,
    spare: Arc<Spare>,
    /// The name under which the device's memory holds it.
    token: [u8; 8],
}

impl Landing<'_> {
    fn all(self, waiting: Vec<Parcel>) -> Landed {
        let mut landed = Landed::default();
        let parcels = waiting.into_iter().map(Parcel::wait).collect();
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
        landed.intents.push(self.session.memory.intend(&self.session.vault, self.token, &paths)?);
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

fn remove(session: &Session, given_up: &[Written]) -> Result<(), VaultError> {
    if !given_up.is_empty() {
        let paths: Vec<RelPath> = given_up.iter().map(|written| layout::blob(written.name)).collect();
        session.folder.remove_all(&paths)?;
    }
    Ok(())
}
