//! One seed of 32 bytes, four keys: what a person writes on paper restores everything she signs and opens with.

use hkdf::Hkdf;
use rand_core::CryptoRngCore;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::hash::Hash;
use super::recipient::{Identity, Recipient};
use super::sign::{ED25519_PUBLIC_BYTES, Ed25519Key, ML_DSA_PUBLIC_BYTES, MlDsaKey};

/// The secret of an identity.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Seed([u8; 32]);

impl Seed {
    /// A new one.
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        let mut seed = Self([0; 32]);
        rng.fill_bytes(&mut seed.0);
        seed
    }

    /// From what was kept; any 32 bytes are a seed.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }

    /// The 32 secret bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The four keys, each from its own HKDF-SHA256 (RFC 5869) with an empty salt.
    pub fn keys(&self) -> Keys {
        Keys {
            age: Identity::from_seed(&self.derive("amparo.v1/identity/age")),
            log: Ed25519Key::from_seed(&self.derive("amparo.v1/identity/log")),
            cosign: Ed25519Key::from_seed(&self.derive("amparo.v1/identity/cosign")),
            ml_dsa: MlDsaKey::from_seed(&self.derive("amparo.v1/identity/ml-dsa-44")),
        }
    }

    fn derive(&self, info: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &self.0)
            .expand(info.as_bytes(), key.as_mut_slice())
            .expect("32 bytes are one block of HKDF-SHA256");
        key
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// The secret keys of an identity.
#[derive(Debug)]
pub struct Keys {
    /// Opens what is encrypted to this member.
    pub age: Identity,
    /// Signs the member's own logs and card.
    pub log: Ed25519Key,
    /// Cosigns the logs of others; C2SP discourages one key for two kinds of signature.
    pub cosign: Ed25519Key,
    /// The second signature under each of the others: its messages name what they are, so one key serves all.
    pub ml_dsa: MlDsaKey,
}

impl Keys {
    /// The public half of each.
    pub fn public(&self) -> PublicKeys {
        PublicKeys {
            age: self.age.recipient(),
            log: self.log.public(),
            cosign: self.cosign.public(),
            ml_dsa: self.ml_dsa.public(),
        }
    }
}

/// The public keys of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeys {
    /// To whom keys and pouches are encrypted.
    pub age: Recipient,
    /// Ed25519, for the member's own logs and card.
    pub log: [u8; ED25519_PUBLIC_BYTES],
    /// Ed25519, for cosignatures.
    pub cosign: [u8; ED25519_PUBLIC_BYTES],
    /// ML-DSA-44, beside each of the others.
    pub ml_dsa: [u8; ML_DSA_PUBLIC_BYTES],
}

impl PublicKeys {
    /// The member id: a hash of all four keys, so that no key can be replaced under it.
    pub fn member_id(&self) -> Hash {
        Hash::tagged("amparo.v1/member", &[&self.age.to_bytes(), &self.log, &self.cosign, &self.ml_dsa])
    }
}

#[cfg(test)]
mod tests {
    use rand_core::OsRng;

    use super::*;

    #[test]
    fn one_seed_always_gives_the_same_four_different_keys() {
        let seed = Seed::from_bytes(&[1; 32]);
        assert_eq!(seed.keys().public(), seed.keys().public());
        let infos = ["amparo.v1/identity/age", "amparo.v1/identity/log", "amparo.v1/identity/cosign"];
        let derived = infos.map(|info| *seed.derive(info));
        assert!(derived[0] != derived[1] && derived[1] != derived[2]);
        assert_ne!(Seed::generate(&mut OsRng), Seed::generate(&mut OsRng));
    }

    #[test]
    fn the_derivation_is_plain_hkdf() {
        // HKDF-SHA256 of 32 bytes 0x01 with no salt, computed once with Python's hmac.
        let derived = *Seed::from_bytes(&[1; 32]).derive("amparo.v1/identity/log");
        assert_eq!(
            super::super::hash::hex(&derived),
            "a1417d7644a4ec15e50996c34b03327db310d4956cd31a686949b10300f3c6bd"
        );
    }

    #[test]
    fn the_member_id_depends_on_each_key() {
        let (keys, other) = (Seed::from_bytes(&[1; 32]).keys().public(), Seed::from_bytes(&[2; 32]).keys().public());
        let changed = [
            PublicKeys { age: other.age, ..keys.clone() },
            PublicKeys { log: other.log, ..keys.clone() },
            PublicKeys { cosign: other.cosign, ..keys.clone() },
            PublicKeys { ml_dsa: other.ml_dsa, ..keys.clone() },
        ];
        assert!(changed.iter().all(|forged| forged.member_id() != keys.member_id()));
    }
}
