//! Memory for a whole segment that leaves nothing behind.

use std::ops::{Deref, DerefMut};

use zeroize::{Zeroizing, zeroize_bytes};

/// Bytes that are wiped when dropped, all at once: `Zeroizing` wipes a vector byte by byte, which takes as long as
/// encrypting them.
#[derive(Clone, Default)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// So many zeros.
    pub fn zeros(bytes: usize) -> Self {
        Self(vec![0; bytes])
    }

    /// As much of its beginning, as a vector that wipes itself too.
    pub fn into_beginning(mut self, bytes: usize) -> Zeroizing<Vec<u8>> {
        zeroize_bytes(&mut self[bytes..]);
        let mut beginning = Zeroizing::new(std::mem::take(&mut self.0));
        beginning.truncate(bytes);
        beginning
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        zeroize_bytes(&mut self.0);
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes)", self.0.len())
    }
}
