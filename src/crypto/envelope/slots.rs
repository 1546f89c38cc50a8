//! An age file in one buffer, its plaintext in the slots where its chunks stand in the file: with room for each tag behind
//! it, and for the header before all. It is sealed and opened where it lies, and hashed while it is near the processor;
//! what comes of it is the same as of [`super::seal`], and a buffer serves again.

use std::ops::Range;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::parts::{PLAIN_CHUNK_BYTES, PayloadKey, SEALED_CHUNK_BYTES, begin_known};
use super::{
    Buffer, EnvelopeError, FileKey, GREASE_BYTES_MAX, Gate, Header, NONCE_BYTES, Part, STANZA_BYTES, TAG_BYTES,
};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::{Identity, Recipient};

/// Room for the header of a file to one recipient, with what age adds to it.
const START_BYTES_MAX: usize = 128 + GREASE_BYTES_MAX + STANZA_BYTES + NONCE_BYTES;

/// Plaintext in the slots of a buffer.
pub struct Slots {
    /// As long as it will be, so that the next plaintext is read straight into it.
    buffer: Buffer,
    /// Where the first slot begins.
    from: usize,
    /// How long the plaintext is.
    length: usize,
}

/// A sealed file in its buffer.
pub struct SealedSlots {
    buffer: Buffer,
    file: Range<usize>,
    /// The SHA-256 of the whole file.
    pub sha256: Hash,
    file_key: FileKey,
}

/// Why a file does not open to one key, here where it is also held against its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotsError {
    /// Its bytes have another hash. This comes before all others.
    OtherHash,
    /// It is no age file to exactly one key of this program's kind.
    NotToOneKey,
    /// It does not open.
    Envelope(EnvelopeError),
}

impl Slots {
    /// Nothing yet, with room for `capacity` bytes; it grows. `buffer` may be one that served before, or empty.
    pub fn new(mut buffer: Buffer, capacity: usize) -> Self {
        let wanted = START_BYTES_MAX + slot_bytes(capacity);
        if buffer.len() < wanted {
            buffer = Buffer::zeros(wanted);
        }
        Self { buffer, from: START_BYTES_MAX, length: 0 }
    }

    /// How long the plaintext is so far.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The free part of the slot that is being filled, of at most `bytes_max` bytes and never empty otherwise; what is put
    /// there counts once [`Slots::filled`] says so.
    pub fn room(&mut self, bytes_max: usize) -> &mut [u8] {
        let at = self.from + place(self.length);
        let room = bytes_max.min(PLAIN_CHUNK_BYTES - self.length % PLAIN_CHUNK_BYTES);
        if self.buffer.len() < at + room + TAG_BYTES {
            self.grow(at + room + TAG_BYTES);
        }
        &mut self.buffer[at..at + room]
    }

    /// Twice as large: of the smaller one nothing stays behind.
    fn grow(&mut self, wanted: usize) {
        let mut larger = Buffer::zeros(wanted.max(2 * self.buffer.len()));
        larger[..self.buffer.len()].copy_from_slice(&self.buffer);
        self.buffer = larger;
    }

    /// So many bytes of the room are plaintext now.
    ///
    /// # Panics
    ///
    /// When there was not so much room.
    pub fn filled(&mut self, bytes: usize) {
        assert!(bytes <= PLAIN_CHUNK_BYTES - self.length % PLAIN_CHUNK_BYTES, "more than there was room for");
        self.length += bytes;
    }

    /// Puts bytes behind the plaintext.
    pub fn extend(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.room(bytes.len());
            let (now, later) = bytes.split_at(room.len());
            room.copy_from_slice(now);
            self.filled(now.len());
            bytes = later;
        }
    }

    /// Puts zeros behind the plaintext.
    pub fn extend_zeros(&mut self, count: usize) {
        let mut left = count;
        while left > 0 {
            let room = self.room(left);
            room.fill(0);
            let filled = room.len();
            self.filled(filled);
            left -= filled;
        }
    }

    /// Forgets all plaintext from `length` on.
    pub fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }

    /// The plaintext from `at` on, as far as the slot goes; empty at the end.
    pub fn stretch(&self, at: usize) -> &[u8] {
        let end = self.length.min((at / PLAIN_CHUNK_BYTES + 1) * PLAIN_CHUNK_BYTES);
        let start = self.from + place(at);
        &self.buffer[start..start + end.saturating_sub(at)]
    }

    /// A copy of the first `length` bytes of the plaintext.
    #[must_use]
    pub fn beginning(&self, length: usize) -> Self {
        let mut copy = Self::new(Buffer::default(), length);
        while copy.length < length {
            let stretch = self.stretch(copy.length);
            copy.extend(&stretch[..stretch.len().min(length - copy.length)]);
        }
        copy
    }

    /// The whole plaintext in one piece.
    pub fn into_plaintext(mut self) -> Zeroizing<Vec<u8>> {
        let mut at = 0;
        while at < self.length {
            let (start, bytes) = (self.from + place(at), self.stretch(at).len());
            self.buffer.copy_within(start..start + bytes, at);
            at += bytes;
        }
        self.buffer.into_beginning(at)
    }

    /// The buffer, for the next one.
    pub fn into_buffer(self) -> Buffer {
        self.buffer
    }

    /// Encrypts to one recipient where it lies.
    pub fn seal(mut self, recipient: &Recipient) -> SealedSlots {
        let (start, key, file_key) = begin_known(&[recipient]);
        let first = self.from - start.len();
        self.buffer[first..self.from].copy_from_slice(&start);
        let mut hasher = Sha256::new_with_prefix(&start);
        let chunks = self.length.div_ceil(PLAIN_CHUNK_BYTES).max(1);
        let mut end = self.from;
        for index in 0..chunks {
            let bytes = PLAIN_CHUNK_BYTES.min(self.length - index * PLAIN_CHUNK_BYTES);
            let chunk = &mut self.buffer[end..end + bytes + TAG_BYTES];
            let (plain, tag) = chunk.split_at_mut(bytes);
            tag.copy_from_slice(&key.seal(index as u64, index + 1 == chunks, plain));
            hasher.update(chunk);
            end += bytes + TAG_BYTES;
        }
        SealedSlots { buffer: self.buffer, file: first..end, sha256: Hash(hasher.finalize().into()), file_key }
    }

    /// Opens a file of the hash `sha256` that is encrypted to exactly one key, with the first of `identities` that fits.
    /// `buffer` begins with the `length` bytes of the file.
    pub fn open(
        mut buffer: Buffer,
        length: usize,
        sha256: Hash,
        identities: &[&Identity],
    ) -> Result<Self, (SlotsError, Buffer)> {
        let file = &mut buffer[..length];
        let mut hasher = Sha256::new();
        let opened = open_in_place(file, &mut hasher, identities);
        if Hash(hasher.finalize().into()) != sha256 {
            return Err((SlotsError::OtherHash, buffer));
        }
        match opened {
            Ok((from, length)) => Ok(Self { buffer, from, length }),
            Err(error) => Err((error, buffer)),
        }
    }
}

/// The plaintext of a whole file in memory that is named by its hash, opened as [`Slots::open`] does.
pub fn open_named(bytes: Vec<u8>, sha256: Hash, identities: &[&Identity]) -> Result<Zeroizing<Vec<u8>>, SlotsError> {
    let length = bytes.len();
    let opened = Slots::open(Buffer::from(bytes), length, sha256, identities);
    opened.map(Slots::into_plaintext).map_err(|(error, _)| error)
}

/// Where the slots begin, and how long the plaintext in them is. Whatever comes of it, the whole file was hashed.
fn open_in_place(file: &mut [u8], hasher: &mut Sha256, identities: &[&Identity]) -> Result<(usize, usize), SlotsError> {
    let identities: Vec<&dyn age::Identity> = identities.iter().map(|identity| *identity as _).collect();
    let (payload_at, key) = match Gate::enter(file, Header::is_to_one_key, &identities) {
        Ok(entered) => entered,
        Err(error) => {
            hasher.update(file);
            return Err(error.map_or(SlotsError::NotToOneKey, SlotsError::Envelope));
        }
    };
    let (start, payload) = file.split_at_mut(payload_at);
    hasher.update(start);
    let last = payload.len().div_ceil(SEALED_CHUNK_BYTES).saturating_sub(1);
    let (mut length, mut whole) = (0, !payload.is_empty());
    for (index, chunk) in payload.chunks_mut(SEALED_CHUNK_BYTES).enumerate() {
        hasher.update(&*chunk);
        match key.open(index as u64, index == last, chunk).filter(|_| whole) {
            Some(opened) => length += opened.len(),
            None => whole = false,
        }
    }
    let damaged = SlotsError::Envelope(EnvelopeError::Damaged { part: Part::Payload });
    if whole { Ok((payload_at, length)) } else { Err(damaged) }
}

impl SealedSlots {
    /// The whole file.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.file.clone()]
    }

    /// Holds what `read` gives against the file, byte by byte, and opens it again with the key that it was sealed with,
    /// chunk by chunk: `see` is handed each with the place where it begins in the plaintext. True where the two are the
    /// same to the end, and all of it opened.
    pub fn is_read_back(
        &mut self,
        read: &mut dyn std::io::Read,
        mut see: impl FnMut(usize, &[u8]),
    ) -> std::io::Result<bool> {
        let file = &mut self.buffer[self.file.clone()];
        let mut part = vec![0; SEALED_CHUNK_BYTES.min(file.len() + 1)];
        let Ok((payload_at, key)) = PayloadKey::of_start(file, &self.file_key) else { return Ok(false) };
        let (start, payload) = file.split_at_mut(payload_at);
        if !is_next(read, start, &mut part)? {
            return Ok(false);
        }
        let last = payload.len().div_ceil(SEALED_CHUNK_BYTES).saturating_sub(1);
        for (index, chunk) in payload.chunks_mut(SEALED_CHUNK_BYTES).enumerate() {
            if !is_next(read, chunk, &mut part)? {
                return Ok(false);
            }
            let Some(opened) = key.open(index as u64, index == last, chunk) else { return Ok(false) };
            see(index * PLAIN_CHUNK_BYTES, opened);
        }
        match read.read_exact(&mut part[..1]) {
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(true),
            more => more.map(|()| false),
        }
    }

    /// The buffer, for the next one.
    pub fn into_buffer(self) -> Buffer {
        self.buffer
    }
}

impl std::fmt::Debug for Slots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slots({} bytes)", self.length)
    }
}

/// Whether the next bytes that are read are these.
fn is_next(read: &mut dyn std::io::Read, expected: &[u8], part: &mut [u8]) -> std::io::Result<bool> {
    for expected in expected.chunks(part.len()) {
        let part = &mut part[..expected.len()];
        match read.read_exact(part) {
            Ok(()) if part == expected => {}
            Err(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => return Err(error),
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Where in the slots a byte of the plaintext lies.
fn place(at: usize) -> usize {
    at / PLAIN_CHUNK_BYTES * SEALED_CHUNK_BYTES + at % PLAIN_CHUNK_BYTES
}

/// How much the slots of so many bytes take.
fn slot_bytes(plain_bytes: usize) -> usize {
    plain_bytes + plain_bytes.div_ceil(PLAIN_CHUNK_BYTES).max(1) * TAG_BYTES
}

#[cfg(test)]
mod tests;
