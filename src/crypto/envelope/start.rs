//! What the first bytes of an age file tell without a key, or without the payload: for whom it is, how long its payload
//! is, what a guess of its passphrase costs. Nothing that stands behind them is believed here.

use age::Decryptor;

use super::{CHUNK_BYTES, EnvelopeError, NONCE_BYTES, TAG_BYTES, canonical_header, header_end, unwrap_error};
use crate::crypto::recipient::Identity;

/// Whether one of `identities` opens a file of which `start` holds at least the header and the nonce behind it. Nothing
/// of the payload is read, so nothing is said of it.
pub fn is_for(start: &[u8], identities: &[&Identity]) -> Result<bool, EnvelopeError> {
    canonical_header(start)?;
    let decryptor = Decryptor::new_buffered(start).map_err(|error| unwrap_error(&error))?;
    Ok(decryptor.decrypt(identities.iter().map(|identity| *identity as _)).is_ok())
}

/// How long the header and the nonce behind it are, of a file whose beginning `start` is; `None` where it does not hold both.
pub fn start_bytes(start: &[u8]) -> Option<usize> {
    let end = header_end(start)? + NONCE_BYTES;
    (start.starts_with(b"age-encryption.org/v1\n") && start.len() >= end).then_some(end)
}

/// How long the payload of a whole file of `file_bytes` bytes is, from the `start` of it that holds the header; `None`
/// where no age file has that length: it was cut short, or what stands there is none.
pub fn payload_bytes(start: &[u8], file_bytes: u64) -> Option<u64> {
    let before = (header_end(start)? + NONCE_BYTES) as u64;
    let sealed_chunk = (CHUNK_BYTES + TAG_BYTES) as u64;
    let sealed = file_bytes.checked_sub(before)?;
    let chunks = sealed.div_ceil(sealed_chunk);
    let last = sealed.checked_sub(chunks.checked_sub(1)? * sealed_chunk)?;
    // A last chunk of nothing stands only in a file of nothing.
    let whole = last > TAG_BYTES as u64 || (last == TAG_BYTES as u64 && chunks == 1);
    whole.then(|| sealed - chunks * TAG_BYTES as u64)
}

/// The work factor of a file under a passphrase, from its `start`: what a guess costs, as a power of two. `None` where
/// the file is to keys, or no age file.
pub fn work_factor(start: &[u8]) -> Option<u8> {
    let mut lines = start.split(|byte| *byte == b'\n');
    let stanza = lines.nth(1).filter(|_| start.starts_with(b"age-encryption.org/v1\n"))?;
    let stanza = std::str::from_utf8(stanza.strip_prefix(b"-> scrypt ")?).ok()?;
    stanza.split(' ').nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::{WORK_FACTOR, seal, seal_with_passphrase};
    use super::*;

    #[test]
    fn a_start_tells_for_whom_it_is_how_long_and_how_strong() {
        let (ann, eve) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[3; 32]));
        let to_ann = ann.recipient();
        for length in [0, 1, 65_535, 65_536, 65_537, 200_000] {
            let bytes = seal(&vec![7; length], &[&to_ann]).bytes;
            let start = &bytes[..bytes.len().min(4096)];
            assert_eq!(is_for(start, &[&ann]), Ok(true));
            assert_eq!(is_for(start, &[&eve]), Ok(false));
            assert_eq!(payload_bytes(start, bytes.len() as u64), Some(length as u64));
            assert_eq!(work_factor(start), None);
        }
        let bytes = seal(&vec![7; 65_537], &[&to_ann]).bytes;
        for cut in [1, 2, 17] {
            let left = payload_bytes(&bytes, bytes.len() as u64 - cut);
            assert!(left.is_none_or(|left| left < 65_537), "{cut}");
        }
        assert_eq!(payload_bytes(&bytes, bytes.len() as u64 - 1), None, "a last chunk of nothing");
        assert_eq!(payload_bytes(&bytes[..100], 100), None);
        assert_eq!(work_factor(&seal_with_passphrase(b"seed", "correct horse").bytes), Some(WORK_FACTOR));
    }
}
