//! From segments to blobs: encrypted on all cores while the next are read, and named by their hashes; then they land.
//!
//! One batch is being filled while those before it land; so much is in memory at a time, whatever is sealed.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::Scope;

use super::landing::{Blob, Landed, Landing, Span, Written};
use super::payload::Sink;
use super::spare::Spare;
use crate::crypto::envelope::Slots;
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::payload::SEGMENT_BYTES;
use crate::store::memory::Intent;
use crate::store::{ReadFrom, RelPath, layout};
use crate::vault::parallel::{self, Crew, Pending};
use crate::vault::session::Session;
use crate::vault::{Setting, VaultError, random};

/// What is written and synced at once: two whole segments, or many small ones.
pub(super) const BATCH_BYTES_MAX: usize = 2 * SEGMENT_BYTES;
const BATCH_SEGMENTS_MAX: usize = 512;
/// So many batches may be landing: one is written or read back while the next is encrypted.
const LANDING_MAX: usize = 2;

/// One piece of a payload.
pub(super) struct Segment {
    /// Whose it is, by [`Batch::next_owner`].
    pub(super) owner: u64,
    pub(super) recipient: Recipient,
    pub(super) plaintext: Slots,
    /// In the order in which they lie there.
    pub(super) spans: Vec<Span>,
}

/// Blobs on their way to the disk.
pub(super) struct Batch<'scope> {
    session: &'scope Session,
    readback: bool,
    /// They encrypt and compare; one more writes and syncs.
    crew: Crew<'scope>,
    lander: Crew<'scope>,
    owners: u64,
    waiting: Vec<Encrypting>,
    /// In the order in which they were filled.
    landing: VecDeque<Pending<Landed>>,
    /// What is on the disk since the last commit, in the order in which it was added.
    written: Vec<Written>,
    /// What the device's memory holds about it.
    intents: Vec<Intent>,
    /// Whether every blob read back so far came from the medium itself.
    from_medium: bool,
    spare: Arc<Spare>,
}

/// Segments that are being encrypted, one after the other.
struct Encrypting {
    segments: Vec<Expected>,
    blobs: Pending<Vec<Blob>>,
}

/// What is known of a segment meanwhile.
struct Expected {
    owner: u64,
    bytes: usize,
    /// Whether nobody wants it any more.
    given_up: bool,
}

impl Expected {
    fn of(owner: u64, bytes: usize) -> Self {
        Self { owner, bytes, given_up: false }
    }
}

impl Encrypting {
    /// What of it is still wanted; nothing where making it failed.
    ///
    /// # Panics
    ///
    /// When there are more or fewer than were expected: whose they are is told by their places.
    fn wait(self) -> Vec<Blob> {
        let blobs = self.blobs.wait();
        assert!(blobs.is_empty() || blobs.len() == self.segments.len(), "as many segments as were expected");
        let wanted = self.segments.iter().map(|segment| !segment.given_up);
        blobs.into_iter().zip(wanted).filter_map(|(blob, wanted)| wanted.then_some(blob)).collect()
    }
}

impl<'scope> Batch<'scope> {
    pub(super) fn new(scope: &'scope Scope<'scope, '_>, session: &'scope Session, readback: bool) -> Self {
        Self {
            session,
            readback,
            crew: Crew::muster(scope, parallel::cores()),
            lander: Crew::muster(scope, 1),
            owners: 0,
            waiting: Vec::new(),
            landing: VecDeque::new(),
            written: Vec::new(),
            intents: Vec::new(),
            from_medium: true,
            spare: Arc::default(),
        }
    }

    /// Whose the next segments are: exhibits of a run are counted, and so are its inventories and manifests.
    pub(super) fn next_owner(&mut self) -> u64 {
        self.owners += 1;
        self.owners
    }

    /// Where buffers of segments come from.
    pub(super) fn spare(&self) -> &Arc<Spare> {
        &self.spare
    }

    /// Takes a segment; begins to write the batch when it is full.
    pub(super) fn push(&mut self, setting: &mut Setting<'_>, segment: Segment) -> Result<(), VaultError> {
        let expected = vec![(segment.owner, segment.plaintext.len())];
        self.make(setting, expected, move || (vec![segment], ())).map(drop)
    }

    /// Whether these, of owners and about so long, would begin to land with what waits.
    pub(super) fn would_land(&self, expected: &[(u64, usize)]) -> bool {
        let waiting = self.waiting.iter().flat_map(|encrypting| &encrypting.segments);
        let all = waiting.map(|segment| segment.bytes).chain(expected.iter().map(|(_, bytes)| *bytes));
        let (count, bytes) = all.fold((0, 0), |(count, bytes), more| (count + 1, bytes + more));
        bytes >= BATCH_BYTES_MAX || count >= BATCH_SEGMENTS_MAX
    }

    /// Has the crew make segments and encrypt them: as many as are expected, of these owners and about so long, in this order;
    /// or, where that fails, none. What else comes of it can be had as soon as they are made.
    pub(super) fn make<R: Send + 'scope>(
        &mut self,
        setting: &mut Setting<'_>,
        expected: Vec<(u64, usize)>,
        work: impl FnOnce() -> (Vec<Segment>, R) + Send + 'scope,
    ) -> Result<Pending<R>, VaultError> {
        let (result, give) = Pending::promised();
        let blobs = self.crew.begin(move || {
            let (segments, result) = work();
            give(result);
            segments.into_iter().map(Blob::seal).collect()
        });
        let expected = expected.into_iter().map(|(owner, bytes)| Expected::of(owner, bytes));
        self.waiting.push(Encrypting { segments: expected.collect(), blobs });
        if self.would_land(&[]) {
            self.land(setting)?;
        }
        Ok(result)
    }

    /// Lets all that waits land, behind what is landing already.
    pub(super) fn land(&mut self, setting: &mut Setting<'_>) -> Result<(), VaultError> {
        let waiting = std::mem::take(&mut self.waiting);
        self.begin(setting, waiting)
    }

    fn begin(&mut self, setting: &mut Setting<'_>, batch: Vec<Encrypting>) -> Result<(), VaultError> {
        self.settle_to(LANDING_MAX - 1)?;
        if !batch.is_empty() {
            let landing = Landing {
                session: self.session,
                readback: self.readback,
                crew: self.crew.clone(),
                spare: Arc::clone(&self.spare),
                token: random(setting.rng),
            };
            self.landing
                .push_back(self.lander.begin(move || landing.all(batch.into_iter().map(Encrypting::wait).collect())));
        }
        Ok(())
    }

    /// Lets these segments land past all that waits; durable and read back when this returns their names.
    pub(super) fn land_alone(
        &mut self,
        setting: &mut Setting<'_>,
        segments: Vec<Segment>,
    ) -> Result<Vec<Hash>, VaultError> {
        let count = segments.len();
        let expected = segments.iter().map(|segment| Expected::of(segment.owner, segment.plaintext.len()));
        let expected = expected.collect();
        let blobs = Pending::ready(segments.into_iter().map(Blob::seal).collect());
        self.begin(setting, vec![Encrypting { segments: expected, blobs }])?;
        self.settle()?;
        Ok(self.written[self.written.len() - count..].iter().map(|written| written.name).collect())
    }

    /// Waits until no more than so many batches are landing.
    fn settle_to(&mut self, landing_max: usize) -> Result<(), VaultError> {
        let mut settled = Ok(());
        while self.landing.len() > landing_max
            && let Some(landing) = self.landing.pop_front()
        {
            let Landed { written, compared, intents, failure } = landing.wait();
            self.written.extend(written);
            self.intents.extend(intents);
            settled = settled.and(failure.map_or(Ok(()), Err));
            for compared in compared {
                let read = compared.wait().map(|from| self.from_medium &= from == ReadFrom::Medium);
                settled = settled.and(read);
            }
        }
        settled
    }

    /// Waits for all that lands: durable and read back when this returns.
    pub(super) fn settle(&mut self) -> Result<(), VaultError> {
        self.settle_to(0)
    }

    /// What is on the disk since the last commit; of what landed last only after [`Batch::settle`].
    pub(super) fn written(&self) -> &[Written] {
        &self.written
    }

    /// Whether every blob read back so far came from the medium itself.
    pub(super) fn is_from_medium(&self) -> bool {
        self.from_medium
    }

    /// Gives up everything of one owner: what waits is dropped, what is written is removed.
    pub(super) fn drop_owner(&mut self, owner: u64) -> Result<(), VaultError> {
        self.drop_waiting(owner, usize::MAX);
        self.settle()?;
        let is_given_up = |written: &Written| written.owner == owner;
        remove(self.session, self.written.iter().filter(|written| is_given_up(written)))?;
        self.written.retain(|written| !is_given_up(written));
        Ok(())
    }

    /// Gives up the last segments of the owner whose segments came last.
    pub(super) fn drop_last(&mut self, owner: u64, count: u64) -> Result<(), VaultError> {
        let count = usize::try_from(count).expect("segments are in memory or listed there");
        let left = count - self.drop_waiting(owner, count);
        self.settle()?;
        let kept = self.written.len() - left;
        debug_assert!(self.written[kept..].iter().all(|written| written.owner == owner));
        remove(self.session, &self.written[kept..])?;
        self.written.truncate(kept);
        Ok(())
    }

    /// Drops the last of an owner's segments that wait, at most so many; returns how many.
    fn drop_waiting(&mut self, owner: u64, count_max: usize) -> usize {
        let segments = self.waiting.iter_mut().flat_map(|encrypting| &mut encrypting.segments).rev();
        let meant = segments.filter(|segment| !segment.given_up && segment.owner == owner).take(count_max);
        let dropped = meant.map(|segment| segment.given_up = true).count();
        self.waiting.retain(|encrypting| encrypting.segments.iter().any(|segment| !segment.given_up));
        dropped
    }

    /// Gives up everything since the last commit. What a change that is already written down names is no longer here:
    /// that change will be completed.
    pub(super) fn abandon(&mut self) -> Result<(), VaultError> {
        self.waiting.clear();
        let _ = self.settle(); // whatever failed, what was written is known, and is given up
        remove(self.session, &self.written)?;
        self.written.clear();
        for intent in std::mem::take(&mut self.intents) {
            self.session.memory.forget(&intent)?;
        }
        Ok(())
    }

    /// Hands over what the device's memory holds about the blobs of a group that is about to be committed.
    pub(super) fn hand_over(&mut self) -> Vec<Intent> {
        self.written.clear();
        std::mem::take(&mut self.intents)
    }
}

/// Where segments go one by one, as they are read.
pub(super) struct Stream<'a, 'b, 'scope> {
    pub(super) setting: &'a mut Setting<'b>,
    pub(super) batch: &'a mut Batch<'scope>,
}

impl Sink for Stream<'_, '_, '_> {
    fn file_bytes_max(&self) -> u64 {
        u64::MAX
    }

    fn segment(&self, bytes: usize) -> Slots {
        self.batch.spare.slots(bytes)
    }

    fn take(&mut self, segment: Segment) -> Result<(), VaultError> {
        self.batch.push(self.setting, segment)
    }

    fn drop_last(&mut self, owner: u64, count: u64) -> Result<(), VaultError> {
        self.batch.drop_last(owner, count)
    }
}

fn remove<'a>(session: &Session, given_up: impl IntoIterator<Item = &'a Written>) -> Result<(), VaultError> {
    let paths: Vec<RelPath> = given_up.into_iter().map(|written| layout::blob(written.name)).collect();
    if !paths.is_empty() {
        session.folder.remove_all(&paths)?;
    }
    Ok(())
}
