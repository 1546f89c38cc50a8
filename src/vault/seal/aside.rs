//! Where the segment of a small file is kept in memory: nothing of it lands before the file has its number.

use std::sync::Arc;

use super::batch::Segment;
use super::payload::Sink;
use super::spare::Spare;
use crate::crypto::envelope::Slots;
use crate::vault::VaultError;

/// Files up to this size are small: each is one segment, however long its record is.
pub(super) const SMALL_BYTES_MAX: u64 = 4 << 20;

/// Where the one segment of a small file goes until it has its number.
pub(super) struct Aside {
    pub(super) spare: Arc<Spare>,
    pub(super) segments: Vec<Segment>,
}

impl Sink for Aside {
    fn file_bytes_max(&self) -> u64 {
        SMALL_BYTES_MAX
    }

    fn segment(&self, bytes: usize) -> Slots {
        self.spare.slots(bytes)
    }

    fn take(&mut self, segment: Segment) -> Result<(), VaultError> {
        self.segments.push(segment);
        Ok(())
    }

    fn drop_last(&mut self, _: u64, count: u64) -> Result<(), VaultError> {
        let count = usize::try_from(count).expect("they are in memory");
        self.segments.truncate(self.segments.len() - count);
        Ok(())
    }
}
