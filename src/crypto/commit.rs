//! Salted commitments to the fields of a record, as the sorted leaves of a tree: one field can be shown later without
//! letting anyone guess another.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::hash::{Hash, feed_frame};
use super::merkle;

/// Fewer leaves than this would tell how little is known of an exhibit.
const LEAVES_MIN: usize = 64;

/// The 32 random bytes of one exhibit from which all its salts and decoys come.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, serde::Serialize, serde::Deserialize)]
pub struct Secret(#[serde(with = "serde_bytes")] pub [u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// All that comes from a secret: HMAC with its key in place, which is half of the work of a salt.
pub struct Salts(Hmac<Sha256>);

impl Secret {
    /// Its salts and decoys.
    pub fn salts(&self) -> Salts {
        Salts(Hmac::new_from_slice(&self.0).expect("HMAC takes keys of any length"))
    }
}

impl Salts {
    /// The salt of the field at `path`: enough, with path and value, to check that one commitment and no other.
    pub fn salt(&self, path: &str) -> Hash {
        self.derive("amparo.v1/salt", path.as_bytes())
    }

    /// The commitment to `value` at `path`.
    pub fn commit(&self, path: &str, value: &[u8]) -> Hash {
        commitment(&self.salt(path), path, value)
    }

    fn derive(&self, domain: &str, about: &[u8]) -> Hash {
        let mut mac = self.0.clone();
        feed_frame(domain, &[about], |bytes| mac.update(bytes));
        Hash(mac.finalize().into_bytes().into())
    }
}

/// `SHA-256(frame("amparo.v1/field", salt, path, value))`.
pub fn commitment(salt: &Hash, path: &str, value: &[u8]) -> Hash {
    Hash::tagged("amparo.v1/field", &[&salt.0, path.as_bytes(), value])
}

/// The leaf hashes of a record's tree: its commitments and as many decoys as make the next power of two (at least
/// 64), sorted by commitment.
pub fn record_leaves(secret: &Secret, commitments: impl IntoIterator<Item = Hash>) -> Vec<Hash> {
    let mut committed: Vec<Hash> = commitments.into_iter().collect();
    let wanted = committed.len().next_power_of_two().max(LEAVES_MIN);
    let missing = u32::try_from(wanted - committed.len()).expect("a record has far fewer leaves");
    let salts = secret.salts();
    committed.extend((0..missing).map(|number| salts.derive("amparo.v1/decoy", &number.to_be_bytes())));
    committed.sort_unstable();
    committed.iter().map(|commitment| merkle::leaf_hash(&commitment.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_a_power_of_two_and_hide_how_many_are_real() {
        let secret = Secret([7; 32]);
        let fields =
            |count: usize| (0..count).map(|n| secret.salts().commit(&format!("f/{n}"), b"v")).collect::<Vec<_>>();
        assert_eq!(record_leaves(&secret, fields(1)).len(), 64);
        assert_eq!(record_leaves(&secret, fields(64)).len(), 64);
        assert_eq!(record_leaves(&secret, fields(65)).len(), 128);
    }

    #[test]
    fn a_commitment_binds_path_and_value() {
        let secret = Secret([7; 32]);
        let one = secret.salts().commit("a/b", b"v");
        assert_ne!(one, secret.salts().commit("a/c", b"v"));
        assert_ne!(one, secret.salts().commit("a/b", b"w"));
        assert_ne!(one, Secret([8; 32]).salts().commit("a/b", b"v"));
        assert_eq!(one, commitment(&secret.salts().salt("a/b"), "a/b", b"v"));
    }
}
