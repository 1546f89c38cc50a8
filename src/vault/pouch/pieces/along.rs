//! A pouch read once from front to back, for all that is asked of it: its cells on all cores, its SHA-256 along the way.

use std::collections::VecDeque;

use sha2::{Digest, Sha256};

use super::to_usize;
use crate::crypto::hash::Hash;
use crate::vault::parallel::{self, Crew};
use crate::vault::{VaultError, Watch};

/// So many bytes are looked at in one go.
const TOGETHER_BYTES: u64 = 512 << 10;

/// What is shown of each: which it is, what the look gave, what was read of it.
type Show<'a> = dyn FnMut(u64, Option<bool>, &[u8]) + 'a;

/// The SHA-256 of a pouch that is read from front to back for another reason: a slow medium is not read twice for it. It
/// stands only where what was taken turned out to be what whoever reads there is given.
#[derive(Default)]
pub(super) struct Along {
    hasher: Sha256,
    taken: u64,
}

impl Along {
    /// Takes sound bytes that come in their turn. Behind a gap nothing is taken any more.
    pub(super) fn take(&mut self, at: u64, bytes: &[u8]) {
        if at == self.taken {
            self.hasher.update(bytes);
            self.taken += bytes.len() as u64;
        }
    }

    /// That of the whole pouch, where all of it came.
    pub(super) fn of_all(self, bytes: u64) -> Option<Hash> {
        (self.taken == bytes).then(|| Hash(self.hasher.finalize().into()))
    }
}

/// Looks at so many things of so many bytes on all cores, and shows each in order, with what was read of it; what each look
/// gave.
pub(super) fn in_groups(
    (count, each_bytes): (u64, u64),
    watch: &dyn Watch,
    look: impl Fn(u64, &mut [u8]) -> Option<bool> + Sync,
    show: &mut Show<'_>,
) -> Result<Vec<Option<bool>>, VaultError> {
    let together = (TOGETHER_BYTES / each_bytes).max(1);
    let mut groups = (0..count.div_ceil(together)).map(|group| group * together..((group + 1) * together).min(count));
    let (look, each) = (&look, to_usize(each_bytes));
    std::thread::scope(|scope| {
        let crew = Crew::muster(scope, parallel::cores());
        let (mut looked, mut ahead, mut spare) = (Vec::with_capacity(to_usize(count)), VecDeque::new(), Vec::new());
        loop {
            while ahead.len() < 2 * parallel::cores()
                && let Some(group) = groups.next()
            {
                let mut read = spare.pop().unwrap_or_else(|| vec![0; to_usize(together) * each]);
                ahead.push_back(crew.begin(move || {
                    // Torn sectors take seconds each: whoever stops waits for none that is yet to come.
                    let look = |(one, into)| if watch.stopped() { None } else { look(one, into) };
                    let found: Vec<_> = group.clone().zip(read.chunks_mut(each)).map(look).collect();
                    (group, found, read)
                }));
            }
            let Some(group) = ahead.pop_front() else { return Ok(looked) };
            let (group, found, read) = group.wait();
            if watch.stopped() {
                return Err(VaultError::Stopped);
            }
            watch.advance((group.end - group.start) * each_bytes);
            for ((one, found), read) in group.zip(found).zip(read.chunks(each)) {
                show(one, found, read);
                looked.push(found);
            }
            spare.push(read);
        }
    })
}
