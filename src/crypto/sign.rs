//! The two signatures that stand side by side on everything a member signs: Ed25519 (RFC 8032) and ML-DSA-44
//! (FIPS 204, pure, empty context). A forger would have to break both.

use std::cell::Cell;

use aws_lc_rs::signature::{KeyPair, ML_DSA_44, ML_DSA_44_SIGNING, PqdsaKeyPair, UnparsedPublicKey};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// Bytes of an Ed25519 public key.
pub const ED25519_PUBLIC_BYTES: usize = 32;

/// Bytes of an Ed25519 signature.
pub const ED25519_SIGNATURE_BYTES: usize = 64;

/// Bytes of an ML-DSA-44 public key.
pub const ML_DSA_PUBLIC_BYTES: usize = 1312;

/// Bytes of an ML-DSA-44 signature.
pub const ML_DSA_SIGNATURE_BYTES: usize = 2420;

/// An Ed25519 key pair; wiped when dropped.
pub struct Ed25519Key(SigningKey);

impl Ed25519Key {
    /// From the 32-byte seed, RFC 8032's private key.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The public key.
    pub fn public(&self) -> [u8; ED25519_PUBLIC_BYTES] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs; the same message gives the same signature.
    pub fn sign(&self, message: &[u8]) -> [u8; ED25519_SIGNATURE_BYTES] {
        self.0.sign(message).to_bytes()
    }
}

impl std::fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ed25519Key(…)")
    }
}

/// Whether `signature` is `public`'s on `message`. Strict: no key of small order, no second encoding of a signature.
pub fn ed25519_verifies(public: &[u8; ED25519_PUBLIC_BYTES], message: &[u8], signature: &[u8]) -> bool {
    let (Some(key), Ok(signature)) = (verifying_key(public), Signature::from_slice(signature)) else {
        return false;
    };
    key.verify_strict(message, &signature).is_ok()
}

/// The key as a point of the curve. Finding it takes a seventh of the time of a signature, and the states of a log are
/// checked one after the other against the same key: each thread keeps its last.
fn verifying_key(public: &[u8; ED25519_PUBLIC_BYTES]) -> Option<VerifyingKey> {
    thread_local! {
        static LAST: Cell<Option<VerifyingKey>> = const { Cell::new(None) };
    }
    let last = LAST.get().filter(|key| key.as_bytes() == public);
    last.or_else(|| {
        let key = VerifyingKey::from_bytes(public).ok()?;
        LAST.set(Some(key));
        Some(key)
    })
}

/// An ML-DSA-44 key pair; its library wipes it when dropped.
pub struct MlDsaKey(PqdsaKeyPair);

impl MlDsaKey {
    /// From the 32-byte seed ξ of FIPS 204, algorithm 1.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, seed).expect("any 32 bytes are a seed of ML-DSA-44"))
    }

    /// The public key.
    pub fn public(&self) -> [u8; ML_DSA_PUBLIC_BYTES] {
        self.0.public_key().as_ref().try_into().expect("FIPS 204, table 2: 1312 bytes")
    }

    /// Signs. Hedged with the library's own randomness (FIPS 204, 3.4): two signatures on one message differ.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; ML_DSA_SIGNATURE_BYTES];
        let written = self.0.sign(message, &mut signature).expect("the buffer has the size of a signature");
        assert_eq!(written, ML_DSA_SIGNATURE_BYTES, "FIPS 204, table 2: 2420 bytes");
        signature
    }
}

impl std::fmt::Debug for MlDsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MlDsaKey(…)")
    }
}

/// Whether `signature` is `public`'s on `message`, with the empty context.
pub fn ml_dsa_verifies(public: &[u8; ML_DSA_PUBLIC_BYTES], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ML_DSA_44, public).verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::super::hash::unhex;
    use super::*;

    #[test]
    fn rfc_8032_test_1() {
        let seed = unhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").expect("64 digits");
        let public = unhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").expect("64 digits");
        let key = Ed25519Key::from_seed(&seed);
        assert_eq!(key.public(), public);
        assert!(ed25519_verifies(&public, b"", &key.sign(b"")));
        assert!(!ed25519_verifies(&public, b"x", &key.sign(b"")));
    }

    #[test]
    fn a_key_of_small_order_verifies_nothing() {
        // With the neutral element as key, R = the neutral element and S = 0 satisfy the lax equation for any message.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert!(!ed25519_verifies(&neutral, b"anything", &signature));
    }

    #[test]
    fn ml_dsa_signs_and_refuses() {
        let key = MlDsaKey::from_seed(&[5; 32]);
        assert_eq!(key.public(), MlDsaKey::from_seed(&[5; 32]).public());
        let mut signature = key.sign(b"text");
        assert!(ml_dsa_verifies(&key.public(), b"text", &signature));
        assert!(!ml_dsa_verifies(&key.public(), b"texT", &signature));
        assert!(!ml_dsa_verifies(&MlDsaKey::from_seed(&[6; 32]).public(), b"text", &signature));
        signature[100] ^= 1;
        assert!(!ml_dsa_verifies(&key.public(), b"text", &signature));
        assert!(!ml_dsa_verifies(&key.public(), b"text", &signature[1..]));
    }
}
