//! Buffers of segments that have landed: fresh memory costs as much as encrypting.

use std::sync::{Mutex, PoisonError};

use super::batch::BATCH_BYTES_MAX;
use crate::crypto::envelope::Buffer;

/// Buffers as long as this are for segments of a large file, shorter ones for small files.
const LARGE_BYTES_MIN: usize = 1 << 20;
/// So much of the short ones is kept for the next; of the others no more exist than land at a time.
const SMALL_SPARE_BYTES_MAX: usize = BATCH_BYTES_MAX;

/// Buffers to be filled again.
#[derive(Default)]
pub(super) struct Spare(Mutex<Shelves>);

#[derive(Default)]
struct Shelves {
    large: Vec<Buffer>,
    small: Vec<Buffer>,
    small_bytes: usize,
}

impl Spare {
    /// One for about so many bytes. It may be shorter, where it was for a small file.
    pub(super) fn take(&self, bytes: usize) -> Buffer {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes >= LARGE_BYTES_MIN {
            return shelves.large.pop().unwrap_or_default();
        }
        let buffer = shelves.small.pop().unwrap_or_default();
        shelves.small_bytes -= buffer.len();
        buffer
    }

    pub(super) fn give(&self, buffer: Buffer) {
        let mut shelves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.len() >= LARGE_BYTES_MIN {
            shelves.large.push(buffer);
        } else if shelves.small_bytes + buffer.len() <= SMALL_SPARE_BYTES_MAX {
            shelves.small_bytes += buffer.len();
            shelves.small.push(buffer);
        }
    }
}
