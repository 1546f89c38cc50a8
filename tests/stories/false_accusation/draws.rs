//! Randomness for a history: looks like chance, and is the same in each run of one seed.

use amparo::crypto::hash::Hash;
use rand_core::{CryptoRng, RngCore};

/// Randomness of the program that can be had again.
pub(super) struct Draws(pub(super) u64, pub(super) u64);

impl RngCore for Draws {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            self.1 += 1;
            let block = Hash::of(format!("draw {} {}", self.0, self.1).as_bytes());
            chunk.copy_from_slice(&block.0[..chunk.len()]);
        }
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl CryptoRng for Draws {}
