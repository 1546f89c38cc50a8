//! Builds the payload of one exhibit in one pass: content as it is read, then the record, cut into segments as it
//! grows. Nothing of it ever lies on the disk in the clear.

use std::io::Read as _;

use sha2::{Digest, Sha256};

use super::batch::Segment;
use super::landing::Span;
use crate::crypto::envelope::Slots;
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::media::Glance;
use crate::format::payload::{self, SEGMENT_BYTES};
use crate::store::{Source, Stat};
use crate::vault::{VaultError, Watch};

/// Where the segments of a payload go.
pub(super) trait Sink {
    /// The longest file whose segments may go there.
    fn file_bytes_max(&self) -> u64;

    /// One to be filled, of about so many bytes.
    fn segment(&self, bytes: usize) -> Slots;

    /// Takes one that is full, or the last.
    fn take(&mut self, segment: Segment) -> Result<(), VaultError>;

    /// Gives up the last segments, all of one owner.
    fn drop_last(&mut self, owner: u64, count: u64) -> Result<(), VaultError>;
}

/// How the reading of one source file went.
pub(super) enum Read {
    /// All its bytes were there, and it was the same file afterwards.
    Whole(Hash),
    /// It ended early, grew, or is another file now.
    Changed(Hash),
    /// It ended early: there are no bytes to fill its place with.
    Short,
}

/// How far a payload was when a source file began.
struct Mark {
    offset: u64,
    members: u32,
    emitted: u64,
    segment: usize,
    spans: usize,
    /// What the segment held then, once it has gone to the sink.
    gone: Option<(Slots, Vec<Span>)>,
}

/// A stretch of a source that is being read: it lasts until the source or the segment ends.
struct Stretch {
    start: usize,
    before: Sha256,
}

/// A payload in the making.
pub(super) struct Payload<'w, S> {
    sink: S,
    watch: &'w dyn Watch,
    owner: u64,
    recipient: Recipient,
    segment: Option<Slots>,
    spans: Vec<Span>,
    stretch: Option<Stretch>,
    offset: u64,
    expected: u64,
    members: u32,
    /// How many segments have gone to the sink.
    emitted: u64,
    mark: Option<Mark>,
    /// What the content shows as it goes by.
    pub(super) glance: Glance,
}

impl<'w, S: Sink> Payload<'w, S> {
    /// Starts the payload of `owner`; `expected` is about how long it gets.
    pub(super) fn new(
        sink: S,
        watch: &'w dyn Watch,
        owner: u64,
        recipient: Recipient,
        expected: u64,
        glance: Glance,
    ) -> Self {
        Self {
            sink,
            watch,
            owner,
            recipient,
            segment: None,
            spans: Vec::new(),
            stretch: None,
            offset: 0,
            expected,
            members: 0,
            emitted: 0,
            mark: None,
            glance,
        }
    }

    /// A member whose bytes are at hand; returns their SHA-256 continued from `whole`.
    pub(super) fn member(&mut self, name: &str, bytes: &[u8], whole: &mut Sha256) -> Result<(), VaultError> {
        self.header(name, bytes.len() as u64)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            self.content(whole, rest.len(), &mut |room| Ok(rest.read(room).expect("memory is read without fail")))?;
        }
        self.end_stretch(whole);
        self.append_zeros(payload::padding(bytes.len() as u64))
    }

    /// A member read from a source file, which looked like `before` when it was opened.
    pub(super) fn file(&mut self, name: &str, source: &mut dyn Source, before: &Stat) -> Result<Read, VaultError> {
        let size = before.bytes;
        self.header(name, size)?;
        let mut whole = Sha256::new();
        let mut left = size;
        let mut unread =
            |buffer: &mut [u8]| source.read(buffer).map_err(|source| VaultError::SourceUnreadable { source });
        while left > 0 {
            let count = self.content(&mut whole, usize::try_from(left).unwrap_or(usize::MAX), &mut unread)?;
            if count == 0 {
                return Ok(Read::Short);
            }
            self.watch.advance(count as u64);
            left -= count as u64;
        }
        self.end_stretch(&whole);
        self.append_zeros(payload::padding(size))?;
        let hash = Hash(whole.finalize().into());
        let grew = unread(&mut [0])? != 0;
        let unchanged = !grew && source.stat().is_ok_and(|now| now == *before);
        Ok(if unchanged { Read::Whole(hash) } else { Read::Changed(hash) })
    }

    /// From here on [`Payload::take_back`] leads back to here, until [`Payload::keep`].
    pub(super) fn mark(&mut self) {
        self.mark = Some(Mark {
            offset: self.offset,
            members: self.members,
            emitted: self.emitted,
            segment: self.filled(),
            spans: self.spans.len(),
            gone: None,
        });
    }

    /// What was added since the mark stays.
    pub(super) fn keep(&mut self) {
        self.mark = None;
    }

    /// Takes back what was added since the mark, from the sink as well.
    pub(super) fn take_back(&mut self) -> Result<(), VaultError> {
        let mark = self.mark.take().expect("whoever takes back has set a mark");
        self.stretch = None;
        if let Some((segment, spans)) = mark.gone {
            self.sink.drop_last(self.owner, self.emitted - mark.emitted)?;
            (self.segment, self.spans, self.emitted) = (Some(segment), spans, mark.emitted);
        } else {
            self.segment.iter_mut().for_each(|segment| segment.truncate(mark.segment));
            self.spans.truncate(mark.spans);
        }
        self.glance.again();
        (self.offset, self.members) = (mark.offset, mark.members);
        Ok(())
    }

    /// Everything behind the content, and the last segment.
    pub(super) fn finish(mut self, listing: Option<&[u8]>, record_json: &[u8]) -> Result<S, VaultError> {
        let tail = payload::tail(self.offset, listing, record_json);
        self.append(&tail.bytes)?;
        self.append_zeros(tail.zeros)?;
        self.emit()?;
        Ok(self.sink)
    }

    /// The longest file that it takes.
    pub(super) fn file_bytes_max(&self) -> u64 {
        self.sink.file_bytes_max()
    }

    /// Whose it is.
    pub(super) fn owner(&self) -> u64 {
        self.owner
    }

    /// So many bytes were read for it.
    pub(super) fn advance(&self, bytes: u64) {
        self.watch.advance(bytes);
    }

    fn header(&mut self, name: &str, size: u64) -> Result<(), VaultError> {
        let header = payload::member_header(name, size, self.members);
        self.members += 1;
        self.append(&header)
    }

    /// The next bytes of a source, of which so many are left: read to where they stay, hashed there at once, and the stretch
    /// remembered for read-back. Returns how many came.
    fn content(
        &mut self,
        whole: &mut Sha256,
        left: usize,
        read: &mut dyn FnMut(&mut [u8]) -> Result<usize, VaultError>,
    ) -> Result<usize, VaultError> {
        if self.free() == 0 {
            self.end_stretch(whole);
        }
        let wanted = left.min(self.make_room()?);
        let segment = self.segment.as_mut().expect("there is room in it");
        let start = segment.len();
        let room = segment.room(wanted);
        let count = read(room)?;
        let bytes = &room[..count];
        self.stretch.get_or_insert_with(|| Stretch { start, before: whole.clone() });
        whole.update(bytes);
        self.glance.see(bytes);
        segment.filled(count);
        self.offset += count as u64;
        Ok(count)
    }

    /// Bytes of the payload's own.
    fn append(&mut self, mut bytes: &[u8]) -> Result<(), VaultError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.make_room()?));
            self.segment.as_mut().expect("there is room in it").extend(now);
            self.offset += now.len() as u64;
            bytes = later;
        }
        Ok(())
    }

    fn append_zeros(&mut self, count: u64) -> Result<(), VaultError> {
        let mut left = count;
        while left > 0 {
            let now = usize::try_from(left).unwrap_or(usize::MAX).min(self.make_room()?);
            self.segment.as_mut().expect("there is room in it").extend_zeros(now);
            self.offset += now as u64;
            left -= now as u64;
        }
        Ok(())
    }

    /// How much more the segment takes.
    fn free(&self) -> usize {
        SEGMENT_BYTES - self.filled()
    }

    /// How much it holds.
    fn filled(&self) -> usize {
        self.segment.as_ref().map_or(0, Slots::len)
    }

    /// Sees to it that the segment takes more, and tells how much.
    fn make_room(&mut self) -> Result<usize, VaultError> {
        if self.free() == 0 {
            self.emit()?;
        }
        if self.segment.is_none() {
            let left = usize::try_from(self.expected.saturating_sub(self.offset)).unwrap_or(usize::MAX);
            self.segment = Some(self.sink.segment(left.clamp(16 << 10, SEGMENT_BYTES)));
        }
        Ok(self.free())
    }

    /// Ends the stretch of a source that has been read so far.
    fn end_stretch(&mut self, whole: &Sha256) {
        if let Some(Stretch { start, before }) = self.stretch.take() {
            let after = Hash(whole.clone().finalize().into());
            self.spans.push(Span { within: start..self.filled(), before, after });
        }
    }

    fn emit(&mut self) -> Result<(), VaultError> {
        if self.watch.stopped() {
            return Err(VaultError::Stopped);
        }
        let Some(plaintext) = self.segment.take() else { return Ok(()) };
        if let Some(mark) = self.mark.as_mut().filter(|mark| mark.gone.is_none()) {
            mark.gone = Some((plaintext.beginning(mark.segment), self.spans[..mark.spans].to_vec()));
        }
        self.emitted += 1;
        let (owner, recipient, spans) = (self.owner, self.recipient.clone(), std::mem::take(&mut self.spans));
        self.sink.take(Segment { owner, recipient, plaintext, spans })
    }
}
