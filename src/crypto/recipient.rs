//! The post-quantum recipients and identities of age (c2sp.org/age, "mlkem768x25519"), which the `age` crate lacks.
//!
//! What is made here opens with stock `age` ≥ 1.3 and the other way round. age draws the randomness of its stanzas.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use age::{DecryptError, EncryptError};
use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::primitives::{bech32_decode, bech32_encode, hpke_open, hpke_seal};
use age_core::secrecy::ExposeSecret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use bech32::Hrp;
use hpke::{Deserializable, Kem, Serializable};
use rand_core::OsRng;
use zeroize::Zeroizing;

use super::kem::{self, EncapsulatedKey, HybridKem};

/// The first word of a stanza to such a recipient.
pub const STANZA_TAG: &str = "mlkem768x25519";

/// Bytes of a recipient without its bech32 dress.
pub const RECIPIENT_BYTES: usize = kem::PUBLIC_BYTES;

/// Has the library that encapsulates collect, while something else is done, what its random numbers come from: 30 ms, once in a
/// process.
pub fn prepare_to_seal() {
    std::thread::spawn(|| aws_lc_rs::rand::fill(&mut [0]));
}

const INFO: &[u8] = b"age-encryption.org/mlkem768x25519";
const LABEL: &str = "postquantum";
const RECIPIENT_HRP: &str = "age1pq";
const IDENTITY_HRP: &str = "AGE-SECRET-KEY-PQ-";
const BODY_BYTES: usize = FILE_KEY_BYTES + 16;

/// Why a text or bytes are no recipient or identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Bad bech32: another prefix, a wrong checksum, mixed case, or not the one way to write it.
    #[error("not written as an age post-quantum key")]
    Text,
    /// Another length than the 1216 bytes of a recipient or the 32 of an identity.
    #[error("a key of {bytes} bytes")]
    Length {
        /// The length found.
        bytes: usize,
    },
    /// Right in form and unusable: coefficients that are not reduced, or an X25519 half of low order.
    #[error("a key that no key generation makes")]
    Unsound,
}

/// To whom a file is encrypted: `age1pq1…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient(kem::PublicKey);

impl Recipient {
    /// From the 1216 raw bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() != RECIPIENT_BYTES {
            return Err(KeyError::Length { bytes: bytes.len() });
        }
        kem::PublicKey::from_bytes(bytes).map(Self).map_err(|_| KeyError::Unsound)
    }

    /// The 1216 raw bytes: ML-KEM-768's encapsulation key, then X25519's public key.
    pub fn to_bytes(&self) -> [u8; RECIPIENT_BYTES] {
        let mut bytes = [0; RECIPIENT_BYTES];
        self.0.write_exact(&mut bytes);
        bytes
    }
}

impl FromStr for Recipient {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let recipient = Self::from_bytes(&decode(text, RECIPIENT_HRP)?)?;
        if recipient.to_string() == text { Ok(recipient) } else { Err(KeyError::Text) }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32_encode(Hrp::parse_unchecked(RECIPIENT_HRP), &self.to_bytes()))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({self})")
    }
}

impl age::Recipient for Recipient {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let (encapsulated, body) = hpke_seal::<HybridKem, _>(&self.0, INFO, file_key.expose_secret(), &mut OsRng);
        let share = BASE64_STANDARD_NO_PAD.encode(encapsulated.to_bytes());
        let stanza = Stanza { tag: STANZA_TAG.to_owned(), args: vec![share], body };
        Ok((vec![stanza], HashSet::from([LABEL.to_owned()])))
    }
}

/// Who can open it: `AGE-SECRET-KEY-PQ-1…`, a 32-byte seed. Wiped when dropped.
#[derive(Clone)]
pub struct Identity(kem::PrivateKey);

impl Identity {
    /// From the 32 secret bytes; any will do.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(kem::PrivateKey::from_seed(Zeroizing::new(*seed)))
    }

    /// The 32 secret bytes.
    pub fn seed(&self) -> &Zeroizing<[u8; 32]> {
        self.0.seed()
    }

    /// The public half.
    pub fn recipient(&self) -> Recipient {
        Recipient(HybridKem::sk_to_pk(&self.0))
    }

    /// The line that stock `age -i` takes. Not `Display`: a secret is never printed by accident.
    pub fn to_secret_line(&self) -> Zeroizing<String> {
        let mut lower = Zeroizing::new(bech32_encode(Hrp::parse_unchecked(IDENTITY_HRP), self.seed().as_slice()));
        lower.make_ascii_uppercase();
        lower
    }
}

impl FromStr for Identity {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = Zeroizing::new(decode(text, IDENTITY_HRP)?);
        let seed = <&[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| KeyError::Length { bytes: bytes.len() })?;
        let identity = Self::from_seed(seed);
        if *identity.to_secret_line() == text { Ok(identity) } else { Err(KeyError::Text) }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}

impl age::Identity for Identity {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != STANZA_TAG {
            return None;
        }
        let Some(share) = well_formed_share(stanza) else { return Some(Err(DecryptError::InvalidHeader)) };
        match hpke_open::<HybridKem>(&share, &self.0, INFO, &stanza.body) {
            Ok(opened) => {
                let opened = Zeroizing::new(opened);
                Some(Ok(FileKey::init_with_mut(|file_key| file_key.copy_from_slice(&opened))))
            }
            // Another recipient's stanza looks exactly like this.
            Err(hpke::HpkeError::OpenError) => None,
            Err(_) => Some(Err(DecryptError::InvalidHeader)),
        }
    }
}

/// The rules of c2sp.org/age: two arguments, canonical base64 of 1120 bytes, and a body of exactly 32 bytes, checked
/// before decryption so that no one body can be made to open under several keys.
fn well_formed_share(stanza: &Stanza) -> Option<EncapsulatedKey> {
    let [share] = stanza.args.as_slice() else { return None };
    let bytes = BASE64_STANDARD_NO_PAD.decode(share).ok()?;
    if bytes.len() != kem::ENCAPSULATED_BYTES || stanza.body.len() != BODY_BYTES {
        return None;
    }
    EncapsulatedKey::from_bytes(&bytes).ok()
}

/// The data of a bech32 text with that prefix in either case; callers re-print it, so only one case gets through.
fn decode(text: &str, prefix: &str) -> Result<Vec<u8>, KeyError> {
    let same_prefix = |hrp: Hrp| if hrp.as_str().eq_ignore_ascii_case(prefix) { Ok(()) } else { Err(KeyError::Text) };
    bech32_decode(
        text,
        |_| KeyError::Text,
        same_prefix,
        |_, bytes| {
            let mut data = Vec::with_capacity(text.len()); // no reallocation that would leave a copy of a secret behind
            data.extend(bytes);
            Ok(data)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::Hash;

    /// The example pair of c2sp.org/age.
    const SPEC_IDENTITY: &str = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR";
    const SPEC_RECIPIENT_SHA256: &str = "a091dd7e0ee9d62b75173dcc98441a0424baa941e66a8776e570a4ae60ff61ea";

    #[test]
    fn the_identity_of_the_specification_has_its_recipient() {
        let identity: Identity = SPEC_IDENTITY.parse().expect("the example");
        let recipient = identity.recipient().to_string();
        assert_eq!(Hash::of(recipient.as_bytes()).to_string(), SPEC_RECIPIENT_SHA256);
        assert_eq!(*identity.to_secret_line(), SPEC_IDENTITY);
        assert_eq!(recipient.parse::<Recipient>().expect("own text").to_bytes(), identity.recipient().to_bytes());
    }

    #[test]
    fn only_one_way_to_write_a_key_is_read() {
        let identity = Identity::from_seed(&[3; 32]);
        let recipient = identity.recipient().to_string();
        assert_eq!(recipient.to_uppercase().parse::<Recipient>(), Err(KeyError::Text));
        assert!(identity.to_secret_line().to_lowercase().parse::<Identity>().is_err());
        assert_eq!(format!("{recipient} ").parse::<Recipient>(), Err(KeyError::Text));
        assert_eq!(Recipient::from_bytes(&[0; 3]), Err(KeyError::Length { bytes: 3 }));
        assert!(SPEC_IDENTITY.parse::<Recipient>().is_err());
    }

    #[test]
    fn a_stanza_that_breaks_a_rule_is_an_error_and_a_foreign_one_is_not() {
        use age::{Identity as _, Recipient as _};
        let (ours, other) = (Identity::from_seed(&[3; 32]), Identity::from_seed(&[4; 32]));
        let file_key = FileKey::new(Box::new([9; 16]));
        let (mut stanzas, labels) = ours.recipient().wrap_file_key(&file_key).expect("a sound key");
        assert!(labels.contains("postquantum"));
        let mut stanza = stanzas.remove(0);
        let opened = ours.unwrap_stanza(&stanza).expect("ours").expect("sound");
        assert_eq!(opened.expose_secret(), &[9; 16]);
        assert!(other.unwrap_stanza(&stanza).is_none());
        stanza.args.push("more".to_owned());
        assert!(matches!(other.unwrap_stanza(&stanza), Some(Err(DecryptError::InvalidHeader))));
        stanza.args.pop();
        stanza.body.push(0);
        assert!(matches!(ours.unwrap_stanza(&stanza), Some(Err(DecryptError::InvalidHeader))));
    }
}
