//! Builds the payload of one exhibit in one pass: content as it is read, then the record, cut into segments as it
//! grows. Nothing of it ever lies on the disk in the clear.

use sha2::{Digest, Sha256};

use super::batch::{Batch, Segment, Span};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::media::Glance;
use crate::format::payload::{self, SEGMENT_BYTES};
use crate::store::{Source, Stat};
use crate::vault::session::Session;
use crate::vault::{Setting, VaultError};

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
    /// What the segment held then, once it has gone to the batch.
    gone: Option<(Vec<u8>, Vec<Span>)>,
}

/// A payload in the making.
pub(super) struct Payload<'a, 'b, 's> {
    setting: &'a mut Setting<'b>,
    session: &'s Session,
    batch: &'a mut Batch,
    owner: u64,
    recipient: Recipient,
    segment: Vec<u8>,
    spans: Vec<Span>,
    offset: u64,
    expected: u64,
    members: u32,
    /// How many segments have gone to the batch.
    emitted: u64,
    mark: Option<Mark>,
    /// What the content shows as it goes by.
    pub(super) glance: Glance,
}

impl<'a, 'b, 's> Payload<'a, 'b, 's> {
    /// Starts the payload of `owner`; `expected` is about how long it gets.
    #[allow(clippy::too_many_arguments, reason = "what a run has, what this exhibit is")]
    pub(super) fn new(
        setting: &'a mut Setting<'b>,
        session: &'s Session,
        batch: &'a mut Batch,
        owner: u64,
        recipient: Recipient,
        expected: u64,
        glance: Glance,
    ) -> Self {
        let (segment, spans) = (Vec::new(), Vec::new());
        let (offset, members, emitted, mark) = (0, 0, 0, None);
        Self {
            setting,
            session,
            batch,
            owner,
            recipient,
            segment,
            spans,
            offset,
            expected,
            members,
            emitted,
            mark,
            glance,
        }
    }

    /// A member whose bytes are at hand; returns their SHA-256 continued from `whole`.
    pub(super) fn member(&mut self, name: &str, bytes: &[u8], whole: &mut Sha256) -> Result<(), VaultError> {
        self.header(name, bytes.len() as u64)?;
        self.content(bytes, whole)?;
        self.append(&vec![0; padding(bytes.len() as u64)])
    }

    /// A member read from a source file, which looked like `before` when it was opened.
    pub(super) fn file(&mut self, name: &str, source: &mut dyn Source, before: &Stat) -> Result<Read, VaultError> {
        let size = before.bytes;
        self.header(name, size)?;
        let mut whole = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        let mut left = size;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let count = source.read(&mut buffer[..wanted]).map_err(|source| VaultError::SourceUnreadable { source })?;
            if count == 0 {
                return Ok(Read::Short);
            }
            self.content(&buffer[..count], &mut whole)?;
            self.setting.watch.advance(count as u64);
            left -= count as u64;
        }
        self.append(&vec![0; padding(size)])?;
        let hash = Hash(whole.finalize().into());
        let grew = source.read(&mut buffer[..1]).map_err(|source| VaultError::SourceUnreadable { source })? != 0;
        let unchanged = !grew && source.stat().is_ok_and(|now| now == *before);
        Ok(if unchanged { Read::Whole(hash) } else { Read::Changed(hash) })
    }

    /// From here on [`Payload::take_back`] leads back to here, until [`Payload::keep`].
    pub(super) fn mark(&mut self) {
        self.mark = Some(Mark {
            offset: self.offset,
            members: self.members,
            emitted: self.emitted,
            segment: self.segment.len(),
            spans: self.spans.len(),
            gone: None,
        });
    }

    /// What was added since the mark stays.
    pub(super) fn keep(&mut self) {
        self.mark = None;
    }

    /// Takes back what was added since the mark, from the batch and from the disk as well.
    pub(super) fn take_back(&mut self) -> Result<(), VaultError> {
        let mark = self.mark.take().expect("whoever takes back has set a mark");
        if let Some((segment, spans)) = mark.gone {
            self.batch.drop_last(self.session, self.owner, self.emitted - mark.emitted)?;
            (self.segment, self.spans, self.emitted) = (segment, spans, mark.emitted);
        } else {
            self.segment.truncate(mark.segment);
            self.spans.truncate(mark.spans);
        }
        self.glance.again();
        (self.offset, self.members) = (mark.offset, mark.members);
        Ok(())
    }

    /// Everything behind the content, and the last segment.
    pub(super) fn finish(mut self, listing: Option<&[u8]>, record_json: &[u8]) -> Result<(), VaultError> {
        let tail = payload::tail(self.offset, listing, record_json);
        self.append(&tail.bytes)?;
        let zeros = vec![0; 1 << 20];
        let mut left = tail.zeros;
        while left > 0 {
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(zeros.len());
            self.append(&zeros[..count])?;
            left -= count as u64;
        }
        if self.segment.is_empty() { Ok(()) } else { self.emit() }
    }

    fn stopped(&self) -> bool {
        self.setting.watch.stopped()
    }

    /// What every verb is given; for the steps between content and record.
    pub(super) fn setting(&mut self) -> &mut Setting<'b> {
        self.setting
    }

    fn header(&mut self, name: &str, size: u64) -> Result<(), VaultError> {
        let header = payload::member_header(name, size, self.members);
        self.members += 1;
        self.append(&header)
    }

    /// Bytes of a source: hashed before they are copied anywhere, and the stretch remembered for read-back.
    fn content(&mut self, mut bytes: &[u8], whole: &mut Sha256) -> Result<(), VaultError> {
        self.glance.see(bytes);
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(SEGMENT_BYTES - self.segment.len()));
            let before = whole.clone();
            whole.update(now);
            let start = self.segment.len();
            self.remember(start..start + now.len(), before, whole);
            self.append(now)?;
            bytes = later;
        }
        Ok(())
    }

    /// A stretch that follows the last one directly makes it longer.
    fn remember(&mut self, within: std::ops::Range<usize>, before: Sha256, whole: &Sha256) {
        let after = Hash(whole.clone().finalize().into());
        match self.spans.last_mut() {
            Some(last) if last.within.end == within.start && last.after == Hash(before.clone().finalize().into()) => {
                last.within.end = within.end;
                last.after = after;
            }
            _ => self.spans.push(Span { within, before, after }),
        }
    }

    fn append(&mut self, mut bytes: &[u8]) -> Result<(), VaultError> {
        while !bytes.is_empty() {
            if self.segment.capacity() == 0 {
                let left = usize::try_from(self.expected.saturating_sub(self.offset)).unwrap_or(usize::MAX);
                self.segment.reserve_exact(left.clamp(16 << 10, SEGMENT_BYTES));
            }
            let (now, later) = bytes.split_at(bytes.len().min(SEGMENT_BYTES - self.segment.len()));
            self.segment.extend_from_slice(now);
            self.offset += now.len() as u64;
            bytes = later;
            if self.segment.len() == SEGMENT_BYTES {
                self.emit()?;
            }
        }
        Ok(())
    }

    fn emit(&mut self) -> Result<(), VaultError> {
        if self.stopped() {
            return Err(VaultError::Stopped);
        }
        if let Some(mark) = self.mark.as_mut().filter(|mark| mark.gone.is_none()) {
            mark.gone = Some((self.segment[..mark.segment].to_vec(), self.spans[..mark.spans].to_vec()));
        }
        self.emitted += 1;
        let segment = Segment {
            owner: self.owner,
            recipient: self.recipient.clone(),
            plaintext: std::mem::take(&mut self.segment),
            spans: std::mem::take(&mut self.spans),
        };
        self.batch.push(self.setting, self.session, segment)
    }
}

fn padding(size: u64) -> usize {
    usize::try_from(payload::padding(size)).expect("a tar block has 512 bytes")
}
