//! Buffers of segments that have landed: fresh memory costs as much as encrypting.

use std::sync::{Mutex, PoisonError};

use super::batch::BATCH_BYTES_MAX;
use crate::crypto::envelope::{Buffer, PLAIN_CHUNK_BYTES, Slots};

/// So much is kept: what lands at a time, and what is filled meanwhile.
const KEPT_BYTES_MAX: usize = 3 * BATCH_BYTES_MAX;

/// Buffers to be filled again.
#[derive(Default)]
pub(super) struct Spare(Mutex<Shelf>);

#[derive(Default)]
struct Shelf {
    buffers: Vec<Buffer>,
    bytes: usize,
}

impl Spare {
    /// Slots for about so many bytes, in one of a few lengths, so that what served for one file serves for the next.
    pub(super) fn slots(&self, bytes: usize) -> Slots {
        let step = (bytes.next_power_of_two() / 4).max(1);
        let capacity = bytes.next_multiple_of(step);
        Slots::new(self.take(capacity), capacity)
    }

    /// A buffer for so many bytes, or an empty one. What is shorter is let go: small files come first, so that it serves no
    /// more. So is what is far longer: it came from a manifest.
    fn take(&self, bytes: usize) -> Buffer {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(buffer) = shelf.buffers.pop() {
            shelf.bytes -= buffer.len();
            if (bytes..2 * bytes + PLAIN_CHUNK_BYTES).contains(&buffer.len()) {
                return buffer;
            }
        }
        Buffer::default()
    }

    pub(super) fn give(&self, buffer: Buffer) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.bytes + buffer.len() <= KEPT_BYTES_MAX {
            shelf.bytes += buffer.len();
            shelf.buffers.push(buffer);
        }
    }
}
