//! The plaintext of a pouch: any part of it, decrypted chunk by chunk. A chunk that was damaged is lost, and nothing else is.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::pieces::{Lost, Pieces};
use crate::crypto::envelope::{
    self, EnvelopeError, HEADER_BYTES_MAX, PLAIN_CHUNK_BYTES, Part, PayloadKey, SEALED_CHUNK_BYTES,
};
use crate::crypto::recipient::Identity;
use crate::vault::VaultError;
use crate::vault::pouch::PouchError;

/// A header to four people has some 7 KiB.
const START_BYTES: usize = 16 << 10;
/// A megabyte: one for each thread that reads, and as many behind.
const HELD_CHUNKS_MAX: usize = 16;
const PLAIN_CHUNK: u64 = PLAIN_CHUNK_BYTES as u64;
const SEALED_CHUNK: u64 = SEALED_CHUNK_BYTES as u64;
const TAG: u64 = SEALED_CHUNK - PLAIN_CHUNK;

/// A pouch that one of the identities at hand opens.
pub struct Opened {
    pieces: Pieces,
    key: PayloadKey,
    payload_at: u64,
    bytes: u64,
    /// Less than a chunk follows the last one: the end was cut off there.
    frayed: bool,
    /// The chunks that were decrypted last: whoever reads on needs the rest of one, each thread of its own.
    last: Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>,
}

impl Opened {
    /// Opens a pouch with the first of `identities` that fits.
    pub fn open(pieces: Pieces, identities: &[&Identity]) -> Result<Self, VaultError> {
        let (payload_at, key) = enter(&pieces, identities)?;
        let sealed = pieces.bytes().saturating_sub(payload_at);
        let (whole, rest) = (sealed / SEALED_CHUNK, sealed % SEALED_CHUNK);
        let bytes = whole * PLAIN_CHUNK + rest.saturating_sub(TAG);
        // Only a payload of nothing ends with a bare tag.
        let frayed = if whole == 0 { rest < TAG } else { (1..=TAG).contains(&rest) };
        Ok(Self { pieces, key, payload_at, bytes, frayed, last: Mutex::default() })
    }

    /// How long the plaintext is, if nothing was cut off: only the last chunk proves it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where its bytes come from.
    pub fn pieces(&self) -> &Pieces {
        &self.pieces
    }

    /// Whether the last chunk is there: nothing was cut off, and nothing follows.
    pub fn end_holds(&self) -> bool {
        !self.frayed && self.chunk_as(self.bytes.saturating_sub(1) / PLAIN_CHUNK, true).is_ok()
    }

    /// The plaintext at a place.
    ///
    /// # Panics
    ///
    /// When it reaches beyond the end.
    pub fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), Lost> {
        assert!(at + into.len() as u64 <= self.bytes, "a member ends within its archive");
        let mut done = 0;
        while done < into.len() {
            let position = at + done as u64;
            let (index, within) = (position / PLAIN_CHUNK, position % PLAIN_CHUNK);
            let chunk = self.whole_chunk(index)?;
            let rest = usize::try_from(within).ok().and_then(|within| chunk.get(within..)).unwrap_or_default();
            let taken = rest.len().min(into.len() - done);
            into[done..done + taken].copy_from_slice(&rest[..taken]);
            done += taken;
        }
        Ok(())
    }

    fn whole_chunk(&self, index: u64) -> Result<Arc<Vec<u8>>, Lost> {
        let last = || self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, chunk)) = last().iter().find(|(held, _)| *held == index) {
            return Ok(Arc::clone(chunk));
        }
        // Without the lock: others decrypt other chunks meanwhile.
        let chunk = Arc::new(self.chunk(index)?);
        let mut last = last();
        last.truncate(HELD_CHUNKS_MAX - 1);
        last.push_front((index, Arc::clone(&chunk)));
        Ok(chunk)
    }

    /// What of the plaintext a lost chunk takes with it.
    fn plain_range(&self, index: u64) -> Range<u64> {
        index * PLAIN_CHUNK..((index + 1) * PLAIN_CHUNK).min(self.bytes)
    }

    fn chunk(&self, index: u64) -> Result<Vec<u8>, Lost> {
        let range = self.plain_range(index);
        if range.end < self.bytes {
            return self.chunk_as(index, false);
        }
        // Behind a cut between two chunks stands a whole one that was not the last.
        let may_be_inner = range.end - range.start == PLAIN_CHUNK;
        self.chunk_as(index, true).or_else(|lost| if may_be_inner { self.chunk_as(index, false) } else { Err(lost) })
    }

    fn chunk_as(&self, index: u64, last: bool) -> Result<Vec<u8>, Lost> {
        let range = self.plain_range(index);
        let plain = usize::try_from(range.end - range.start).expect("a chunk is small");
        let mut sealed = vec![0; plain + SEALED_CHUNK_BYTES - PLAIN_CHUNK_BYTES];
        let lost = |reason| Lost { range: range.clone(), reason };
        self.pieces
            .read_to_judge(self.payload_at + index * SEALED_CHUNK, &mut sealed)
            .map_err(|error| lost(error.reason))?;
        if self.key.open(index, last, &mut sealed).is_none() {
            return Err(lost("it is damaged there".into()));
        }
        sealed.truncate(plain);
        Ok(sealed)
    }
}

/// Reads as much of the beginning as holds the header, and opens it.
fn enter(pieces: &Pieces, identities: &[&Identity]) -> Result<(u64, PayloadKey), VaultError> {
    let mut wanted = START_BYTES;
    loop {
        let there = usize::try_from(pieces.bytes()).unwrap_or(usize::MAX).min(wanted);
        let mut start = vec![0; there];
        if let Err(lost) = pieces.read_to_judge(0, &mut start) {
            // What stands before a lost place may be the whole header.
            start.truncate(usize::try_from(lost.range.start).unwrap_or(0).min(there));
            pieces
                .read_to_judge(0, &mut start)
                .map_err(|lost| VaultError::Pouch(PouchError::StartLost { reason: lost.reason }))?;
        }
        match envelope::enter(&start, identities) {
            Ok((payload_at, key)) => return Ok((payload_at as u64, key)),
            Err(EnvelopeError::Damaged { part: Part::Header })
                if start.len() == wanted && wanted < HEADER_BYTES_MAX =>
            {
                wanted *= 4;
            }
            Err(EnvelopeError::NotForThisKey) => return Err(VaultError::Pouch(PouchError::ForOthers)),
            Err(error) => return Err(VaultError::Pouch(PouchError::StartLost { reason: error.to_string() })),
        }
    }
}

#[cfg(test)]
mod tests;
