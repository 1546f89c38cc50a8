//! SHA-256 (FIPS 180-4) values, and the one framing by which every other hash of the format keeps its domain.

use std::cmp::Ordering;
use std::fmt;

use sha2::{Digest, Sha256};

/// A SHA-256 value, printed as 64 lowercase hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Hash(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl Hash {
    /// 32 zero bytes: the vault id inside the entry that founds the vault.
    pub const ZERO: Self = Self([0; 32]);

    /// The plain SHA-256 of `bytes`, as `sha256sum` prints it.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The plain SHA-256 of `parts`, one behind the other, as if they were one.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// SHA-256 over [`frame`]: a hash that cannot be mistaken for one of another domain.
    pub fn tagged(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        feed_frame(domain, parts, |bytes| hasher.update(bytes));
        Self(hasher.finalize().into())
    }

    /// Reads 64 lowercase hex digits; anything else is `None`.
    pub fn from_hex(text: &str) -> Option<Self> {
        unhex(text).map(Self)
    }
}

/// By their bytes. Compared as two numbers: lists of a million are sorted by it, and to call `memcmp` for 32 bytes takes longer.
impl Ord for Hash {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |hash: &Self| {
            let (high, low) = hash.0.split_at(16);
            [high, low].map(|half| u128::from_be_bytes(half.try_into().expect("16 of 32 bytes")))
        };
        numbers(self).cmp(&numbers(other))
    }
}

impl PartialOrd for Hash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The domain and the parts, each behind its length: one byte for the domain's, eight big-endian bytes for a part's,
/// so that no two different lists have the same bytes.
///
/// # Panics
///
/// When the domain is longer than 255 bytes; domains are constants of the format.
pub fn frame(domain: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(1 + domain.len() + parts.iter().map(|part| 8 + part.len()).sum::<usize>());
    feed_frame(domain, parts, |bytes| framed.extend_from_slice(bytes));
    framed
}

/// The bytes of [`frame`], bit by bit, for what need not have them in one piece.
pub fn feed_frame(domain: &str, parts: &[&[u8]], mut take: impl FnMut(&[u8])) {
    take(&[u8::try_from(domain.len()).expect("a domain is a short constant")]);
    take(domain.as_bytes());
    for part in parts {
        take(&(part.len() as u64).to_be_bytes());
        take(part);
    }
}

/// Lowercase hex digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        digits.push(char::from(DIGITS[usize::from(byte >> 4)]));
        digits.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    digits
}

/// Exactly `N` bytes from `2 N` lowercase hex digits; anything else is `None`.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_different_lists_differ() {
        assert_ne!(frame("d", &[b"ab", b"c"]), frame("d", &[b"a", b"bc"]));
        assert_ne!(frame("d", &[b"a"]), frame("d", &[b"a", b""]));
        assert_eq!(frame("d", &[b"a"]), b"\x01d\0\0\0\0\0\0\0\x01a");
    }

    #[test]
    fn hashes_are_in_the_order_of_their_bytes() {
        let mut hashes: Vec<Hash> = (0..1000_u32).map(|number| Hash::of(&number.to_be_bytes())).collect();
        // Some that differ in one byte alone.
        hashes.extend((0..32).flat_map(|at| {
            let mut near = Hash::of(b"near");
            near.0[at] ^= 0x80;
            [near, Hash::of(b"near")]
        }));
        let mut by_bytes = hashes.clone();
        hashes.sort_unstable();
        by_bytes.sort_unstable_by_key(|hash| hash.0);
        assert_eq!(hashes, by_bytes);
    }

    #[test]
    fn hex_takes_only_lowercase_of_the_exact_length() {
        assert_eq!(unhex::<2>("0aff"), Some([10, 255]));
        assert_eq!(unhex::<2>("0aFF"), None);
        assert_eq!(unhex::<2>("0aff0"), None);
        assert_eq!(hex(&[10, 255]), "0aff");
    }
}
