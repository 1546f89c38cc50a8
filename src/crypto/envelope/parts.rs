//! An age file in parts (c2sp.org/age, "Payload"): its beginning first, then each chunk of 64 KiB by itself, in any
//! order and on any core. For files too large for memory; what comes of it is the same as of [`super::seal`].
//!
//! Whoever opens a chunk knows that it stood at this place of this file. That nothing follows or lacks, only the last
//! chunk tells: it must be opened first.

use std::cell::RefCell;

use age::{Decryptor, Encryptor};
use age_core::format::{FileKey as AgeFileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    CHUNK_BYTES, Capture, EnvelopeError, FileKey, Gate, Header, Known, NONCE_BYTES, Part, TAG_BYTES, unwrap_error,
};
use crate::crypto::recipient::{Identity, Recipient};

/// Bytes of plaintext in a chunk; only the last may have fewer.
pub const PLAIN_CHUNK_BYTES: usize = CHUNK_BYTES;

/// Bytes of a whole chunk in the file.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + TAG_BYTES;

/// The key of a payload: whoever has it seals and opens the chunks of one file and of no other.
pub struct PayloadKey(LessSafeKey);

/// Begins a file to `recipients`, one stanza each, in that order: its header with the payload's nonce, and the key of
/// the chunks that follow.
///
/// # Panics
///
/// When there are no recipients.
pub fn begin(recipients: &[&Recipient]) -> (Vec<u8>, PayloadKey) {
    let (start, key, _) = begin_known(recipients);
    (start, key)
}

/// As [`begin`], with the key with which the one who made the file can read it back.
pub(super) fn begin_known(recipients: &[&Recipient]) -> (Vec<u8>, PayloadKey, FileKey) {
    assert!(!recipients.is_empty(), "an age file needs a recipient");
    let recipients: Vec<&dyn age::Recipient> = recipients.iter().map(|recipient| *recipient as _).collect();
    let capture = Capture { recipients: &recipients, file_key: RefCell::new(None) };
    let encryptor = Encryptor::with_recipients(std::iter::once(&capture as _))
        .expect("recipients of one kind, each checked when it was parsed, take any file key");
    let mut start = Vec::new();
    // age's own writer is dropped before it has written a chunk; all that it wrote are the header and the nonce.
    drop(encryptor.wrap_output(&mut start).expect("writing into memory does not fail"));
    let file_key = capture.file_key.into_inner().expect("the encryptor wrapped the file key");
    let nonce = start.last_chunk().expect("the nonce ends what was written");
    let key = PayloadKey::derive(&file_key, nonce);
    (start, key, file_key)
}

/// Opens the beginning of a file, of which `start` holds at least the header and the nonce behind it: how long both
/// are, and the key of the chunks that follow.
pub fn enter(start: &[u8], identities: &[&Identity]) -> Result<(usize, PayloadKey), EnvelopeError> {
    let identities: Vec<&dyn age::Identity> = identities.iter().map(|identity| *identity as _).collect();
    let entered = Gate::enter(start, |_| true, &identities);
    entered.map_err(|error| error.unwrap_or(EnvelopeError::Damaged { part: Part::Header }))
}

/// How long the payload of `plain_bytes` bytes is in the file.
pub fn sealed_bytes(plain_bytes: u64) -> u64 {
    let chunks = plain_bytes.div_ceil(CHUNK_BYTES as u64).max(1);
    plain_bytes + chunks * TAG_BYTES as u64
}

/// Keeps the file key that passes the gate; age checks the header with it before it lets anybody have a reader.
struct Passing<'a> {
    gate: &'a Gate<'a>,
    file_key: RefCell<Option<FileKey>>,
}

impl age::Identity for Passing<'_> {
    fn unwrap_stanza(&self, _: &Stanza) -> Option<Result<AgeFileKey, age::DecryptError>> {
        None
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<AgeFileKey, age::DecryptError>> {
        let unwrapped = self.gate.unwrap_stanzas(stanzas);
        if let Some(Ok(file_key)) = &unwrapped {
            *self.file_key.borrow_mut() = Some(FileKey::from_bytes(file_key.expose_secret()));
        }
        unwrapped
    }
}

impl Gate<'_> {
    /// How long header and nonce of a file are, and the key of its chunks; an error of `None` where its header is none
    /// that `admits` lets pass.
    pub(super) fn enter(
        start: &[u8],
        admits: fn(&Header) -> bool,
        identities: &[&dyn age::Identity],
    ) -> Result<(usize, PayloadKey), Option<EnvelopeError>> {
        let gate = Gate::of(start, admits, identities).ok_or(None)?;
        let passing = Passing { gate: &gate, file_key: RefCell::new(None) };
        let decrypt = || Decryptor::new_buffered(start)?.decrypt(std::iter::once(&passing as _)).map(drop);
        decrypt().map_err(|error| gate.passed.get().map(|_| unwrap_error(&error)))?;
        let payload_at = gate.header.len() + NONCE_BYTES;
        let nonce = start.get(..payload_at).and_then(|start| start.last_chunk()).ok_or(None)?;
        let file_key = passing.file_key.take().ok_or(Some(EnvelopeError::NotForThisKey))?;
        Ok((payload_at, PayloadKey::derive(&file_key, nonce)))
    }
}

impl PayloadKey {
    /// The key of a whole file's chunks and where they begin, for the one who made it.
    pub(super) fn of_start(file: &[u8], file_key: &FileKey) -> Result<(usize, Self), Option<EnvelopeError>> {
        Gate::enter(file, |_| true, &[&Known(file_key)])
    }

    fn derive(file_key: &FileKey, nonce: &[u8; NONCE_BYTES]) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(nonce), file_key.as_bytes())
            .expand(b"payload", &mut *key)
            .expect("HKDF gives 32 bytes");
        let key = UnboundKey::new(&CHACHA20_POLY1305, &*key).expect("a key of ChaCha20-Poly1305 has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Encrypts chunk `index`, counted from 0, in place; returns the tag that follows it in the file. A chunk is whole,
    /// or the `last`; the last is empty only in a file of nothing. None may be sealed twice with different bytes.
    pub fn seal(&self, index: u64, last: bool, chunk: &mut [u8]) -> [u8; TAG_BYTES] {
        debug_assert!(chunk.len() == CHUNK_BYTES || (last && chunk.len() < CHUNK_BYTES));
        let tag = self.0.seal_in_place_separate_tag(nonce(index, last), Aad::empty(), chunk);
        let tag = tag.expect("a chunk is shorter than any limit of the cipher");
        tag.as_ref().try_into().expect("a tag of Poly1305 has 16 bytes")
    }

    /// Decrypts chunk `index` in place, tag behind it; returns its plaintext, or `None` where it is not that chunk.
    pub fn open<'a>(&self, index: u64, last: bool, sealed: &'a mut [u8]) -> Option<&'a mut [u8]> {
        let opened = self.0.open_in_place(nonce(index, last), Aad::empty(), sealed).ok()?;
        let may_stand = opened.len() == CHUNK_BYTES || (last && (!opened.is_empty() || index == 0));
        may_stand.then_some(opened)
    }
}

impl std::fmt::Debug for PayloadKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PayloadKey(…)")
    }
}

/// Eleven bytes of the counter, big-endian, and one that tells the last chunk.
fn nonce(index: u64, last: bool) -> Nonce {
    let mut nonce = [0; 12];
    nonce[3..11].copy_from_slice(&index.to_be_bytes());
    nonce[11] = u8::from(last);
    Nonce::assume_unique_for_key(nonce)
}

#[cfg(test)]
mod tests {
    use super::super::{open, seal};
    use super::*;

    /// Around chunks, and where the number of a chunk needs a second byte.
    const LENGTHS: [usize; 11] =
        [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, (16 << 20) - 1, 16 << 20, (16 << 20) + 65_537];

    fn in_parts(plaintext: &[u8], recipients: &[&Recipient]) -> Vec<u8> {
        let (mut file, key) = begin(recipients);
        let mut chunks: Vec<Vec<u8>> = plaintext.chunks(CHUNK_BYTES).map(<[u8]>::to_vec).collect();
        if chunks.is_empty() {
            chunks.push(Vec::new());
        }
        let last = chunks.len() - 1;
        for (index, mut chunk) in chunks.into_iter().enumerate() {
            let tag = key.seal(index as u64, index == last, &mut chunk);
            file.extend(chunk);
            file.extend(tag);
        }
        file
    }

    #[test]
    fn what_is_sealed_in_parts_age_opens() {
        let (ann, eve) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[3; 32]));
        for length in LENGTHS {
            let plaintext: Vec<u8> = (0..251).cycle().take(length).collect();
            let file = in_parts(&plaintext, &[&eve.recipient(), &ann.recipient()]);
            assert_eq!(*open(&file, &[&ann]).expect("opened"), plaintext);
            assert_eq!(super::super::payload_bytes(&file, file.len() as u64), Some(length as u64));
            let (start, _) = enter(&file, &[&eve]).expect("entered");
            assert_eq!(file.len() - start, usize::try_from(sealed_bytes(length as u64)).expect("small"));
        }
    }

    #[test]
    fn what_age_sealed_is_opened_in_parts_from_the_end() {
        let ann = Identity::from_seed(&[1; 32]);
        for length in LENGTHS {
            let plaintext: Vec<u8> = (0..251).cycle().take(length).collect();
            let file = seal(&plaintext, &[&ann.recipient()]).bytes;
            let (payload_at, key) = enter(&file, &[&ann]).expect("entered");
            let mut chunks: Vec<Vec<u8>> = file[payload_at..].chunks(SEALED_CHUNK_BYTES).map(<[u8]>::to_vec).collect();
            let last = chunks.len() - 1;
            for (index, chunk) in chunks.iter_mut().enumerate().rev() {
                let at = index * CHUNK_BYTES;
                let expected = &plaintext[at..length.min(at + CHUNK_BYTES)];
                assert!(key.open(index as u64, index != last, &mut chunk.clone()).is_none(), "{length}");
                assert!(key.open(index as u64 + 1, index == last, &mut chunk.clone()).is_none(), "{length}");
                assert_eq!(key.open(index as u64, index == last, chunk).as_deref(), Some(expected), "{length}");
            }
        }
    }

    #[test]
    fn a_changed_byte_anywhere_is_noticed() {
        let (ann, eve) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[3; 32]));
        let file = seal(b"a testimony", &[&ann.recipient()]).bytes;
        assert_eq!(enter(&file, &[&eve]).map(drop), Err(EnvelopeError::NotForThisKey));
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            let opened = enter(&changed, &[&ann]).ok().and_then(|(payload_at, key)| {
                key.open(0, true, &mut changed.split_off(payload_at)).map(|opened| opened.to_vec())
            });
            assert_eq!(opened, None, "byte {at}");
        }
    }

    #[test]
    fn an_empty_last_chunk_stands_only_in_a_file_of_nothing() {
        let (_, key) = begin(&[&Identity::from_seed(&[1; 32]).recipient()]);
        for (index, stands) in [(0, true), (1, false)] {
            let mut sealed = key.seal(index, true, &mut []).to_vec();
            assert_eq!(key.open(index, true, &mut sealed).is_some(), stands);
        }
    }
}
