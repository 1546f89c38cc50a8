//! MLKEM768-X25519, also called X-Wing: the hybrid KEM of age's `mlkem768x25519` stanzas, as an [`hpke::Kem`].
//!
//! draft-ietf-hpke-pq names it with KEM id 0x647a; draft-connolly-cfrg-xwing-kem gives the algorithm. It stays secret
//! while either of its halves does. Nothing but `recipient.rs` uses it.
//!
//! Both halves are computed by `aws-lc-rs`, in half the time of the pure-Rust crates, but for one thing: it makes no key
//! from a seed. That `ml-kem` does (docs/decisions/0002), and the tests have the two open what the other encapsulated.

use std::sync::Arc;

use aws_lc_rs::agreement::{self, UnparsedPublicKey, X25519};
use aws_lc_rs::kem::{Ciphertext, DecapsulationKey, EncapsulationKey, ML_KEM_768};
use hpke::generic_array::typenum::{Sum, U32, U96, U192, U1024};
use hpke::kem::SharedSecret;
use hpke::rand_core::{CryptoRng, RngCore};
use hpke::{Deserializable, HpkeError, Serializable};
use ml_kem::{B32, Encoded, EncodedSizeUser, KemCore, MlKem768};
use sha3::digest::{ExtendableOutput, Update, XofReader};
use sha3::{Digest, Sha3_256, Shake256};
use zeroize::{Zeroize, Zeroizing};

type CheckedKey = <MlKem768 as KemCore>::EncapsulationKey;

const ML_KEM_PUBLIC_BYTES: usize = 1184;
const ML_KEM_CIPHERTEXT_BYTES: usize = 1088;
const X25519_BYTES: usize = 32;

/// Bytes of a public key: ML-KEM-768's, then X25519's.
pub(crate) const PUBLIC_BYTES: usize = ML_KEM_PUBLIC_BYTES + X25519_BYTES;

/// Bytes of an encapsulated key: ML-KEM-768's ciphertext, then an X25519 share.
pub(crate) const ENCAPSULATED_BYTES: usize = ML_KEM_CIPHERTEXT_BYTES + X25519_BYTES;

/// The label that ends the input of the combiner: an X-Wing seen from the front.
const LABEL: &[u8] = br"\.//^\";

/// The KEM; its functions are those of [`hpke::Kem`].
pub(crate) struct HybridKem;

/// A public key that was checked: every coefficient is reduced (FIPS 203, 7.2) and the X25519 half has no low order.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKey([u8; PUBLIC_BYTES]);

/// The 32-byte seed, and the two private keys that `SHAKE256(seed, 96)` gives, kept because expanding them costs as
/// much as using them. Each part wipes itself where it lies: a key that is cloned or moved takes no secret along.
#[derive(Clone)]
pub(crate) struct PrivateKey {
    seed: Arc<Zeroizing<[u8; 32]>>,
    ml_kem: Arc<DecapsulationKey>,
    x25519: Arc<agreement::PrivateKey>,
    public: PublicKey,
}

/// What a stanza carries.
#[derive(Clone)]
pub(crate) struct EncapsulatedKey([u8; ENCAPSULATED_BYTES]);

impl hpke::Kem for HybridKem {
    type PublicKey = PublicKey;
    type PrivateKey = PrivateKey;
    type EncappedKey = EncapsulatedKey;
    type NSecret = U32;
    const KEM_ID: u16 = 0x647a;

    fn sk_to_pk(sk: &PrivateKey) -> PublicKey {
        sk.public.clone()
    }

    /// The trait wants it; age has no derived keys, an identity is the seed itself.
    fn derive_keypair(ikm: &[u8]) -> (PrivateKey, PublicKey) {
        let mut seed = Zeroizing::new([0; 32]);
        Shake256::default().chain(ikm).finalize_xof().read(seed.as_mut_slice());
        let private = PrivateKey::from_seed(seed);
        let public = Self::sk_to_pk(&private);
        (private, public)
    }

    fn encap<R: CryptoRng + RngCore>(
        pk_recip: &PublicKey,
        sender_id_keypair: Option<(&PrivateKey, &PublicKey)>,
        csprng: &mut R,
    ) -> Result<(SharedSecret<Self>, EncapsulatedKey), HpkeError> {
        if sender_id_keypair.is_some() {
            return Err(HpkeError::EncapError); // X-Wing has no authenticated mode
        }
        let ml_kem = EncapsulationKey::new(&ML_KEM_768, &pk_recip.0[..ML_KEM_PUBLIC_BYTES]);
        // It draws its randomness from the system by itself.
        let encapsulated = ml_kem.map_err(drop).and_then(|key| key.encapsulate().map_err(drop));
        let (ciphertext, ml_kem_secret) = encapsulated.map_err(|()| HpkeError::EncapError)?;
        let mut secret = Zeroizing::new([0; X25519_BYTES]);
        csprng.fill_bytes(secret.as_mut_slice());
        let ephemeral = x25519_key(&secret);
        let share = x25519_public(&ephemeral);
        let theirs = pk_recip.x25519();
        let x25519_secret = x25519(&ephemeral, theirs).ok_or(HpkeError::EncapError)?;
        let mut encapsulated = [0; ENCAPSULATED_BYTES];
        let (ml_kem_part, x25519_part) = encapsulated.split_at_mut(ML_KEM_CIPHERTEXT_BYTES);
        ml_kem_part.copy_from_slice(ciphertext.as_ref());
        x25519_part.copy_from_slice(&share);
        Ok((combine(ml_kem_secret.as_ref(), &x25519_secret, &share, theirs), EncapsulatedKey(encapsulated)))
    }

    fn decap(
        sk_recip: &PrivateKey,
        pk_sender_id: Option<&PublicKey>,
        encapped_key: &EncapsulatedKey,
    ) -> Result<SharedSecret<Self>, HpkeError> {
        if pk_sender_id.is_some() {
            return Err(HpkeError::DecapError);
        }
        let (ciphertext, share) = encapped_key.0.split_at(ML_KEM_CIPHERTEXT_BYTES);
        let ml_kem_secret = sk_recip.ml_kem.decapsulate(Ciphertext::from(ciphertext));
        let ml_kem_secret = ml_kem_secret.map_err(|_| HpkeError::DecapError)?;
        // A share of low order would fix the X25519 secret whatever the key: such a stanza is hostile.
        let x25519_secret = x25519(&sk_recip.x25519, share).ok_or(HpkeError::DecapError)?;
        Ok(combine(ml_kem_secret.as_ref(), &x25519_secret, share, sk_recip.public.x25519()))
    }
}

impl PrivateKey {
    pub(crate) fn from_seed(seed: Zeroizing<[u8; 32]>) -> Self {
        let mut expanded = Zeroizing::new([0_u8; 96]);
        Shake256::default().chain(seed.as_slice()).finalize_xof().read(expanded.as_mut_slice());
        let third = |number: usize| {
            let mut bytes = Zeroizing::new([0_u8; 32]);
            bytes.copy_from_slice(&expanded[32 * number..32 * (number + 1)]);
            bytes
        };
        let (mut d, mut z) = (B32::from(*third(0)), B32::from(*third(1)));
        let (ml_kem, _) = MlKem768::generate_deterministic(&d, &z);
        d.zeroize();
        z.zeroize();
        let mut ml_kem_bytes = ml_kem.as_bytes();
        let mut public = [0; PUBLIC_BYTES];
        let (ml_kem_public, x25519_part) = public.split_at_mut(ML_KEM_PUBLIC_BYTES);
        ml_kem_public.copy_from_slice(&ml_kem.encapsulation_key().as_bytes());
        let ml_kem = DecapsulationKey::new(&ML_KEM_768, &ml_kem_bytes).expect("FIPS 203, table 3: 2400 bytes");
        ml_kem_bytes.zeroize();
        let x25519 = x25519_key(&third(2));
        x25519_part.copy_from_slice(&x25519_public(&x25519));
        Self { seed: Arc::new(seed), ml_kem: Arc::new(ml_kem), x25519: Arc::new(x25519), public: PublicKey(public) }
    }

    pub(crate) fn seed(&self) -> &Zeroizing<[u8; 32]> {
        &self.seed
    }
}

/// The trait wants it; the seed is the key, and is never compared with a secret of someone else's choice.
impl PartialEq for PrivateKey {
    fn eq(&self, other: &Self) -> bool {
        self.seed == other.seed
    }
}

impl Eq for PrivateKey {}

impl PublicKey {
    fn ml_kem(&self) -> CheckedKey {
        let encoded: &[u8] = &self.0[..ML_KEM_PUBLIC_BYTES];
        CheckedKey::from_bytes(encoded.try_into().expect("the first 1184 of 1216 bytes"))
    }

    fn x25519(&self) -> &[u8] {
        &self.0[ML_KEM_PUBLIC_BYTES..]
    }
}

fn x25519_key(secret: &[u8; X25519_BYTES]) -> agreement::PrivateKey {
    agreement::PrivateKey::from_private_key(&X25519, secret).expect("any 32 bytes are a key of X25519")
}

fn x25519_public(key: &agreement::PrivateKey) -> [u8; X25519_BYTES] {
    let public = key.compute_public_key().expect("a private key of X25519 has its public key with it");
    public.as_ref().try_into().expect("RFC 7748: 32 bytes")
}

/// The secret that a key and the other side's share have in common; `None` where the share has low order: the library
/// refuses a secret that is all zero (RFC 7748, 6.1).
fn x25519(key: &agreement::PrivateKey, share: &[u8]) -> Option<Zeroizing<[u8; X25519_BYTES]>> {
    agreement::agree(key, UnparsedPublicKey::new(&X25519, share), (), |agreed| {
        let mut secret = Zeroizing::new([0; X25519_BYTES]);
        secret.copy_from_slice(agreed);
        Ok(secret)
    })
    .ok()
}

/// `SHA3-256(ss_M ‖ ss_X ‖ ct_X ‖ pk_X ‖ label)`.
fn combine(
    ml_kem_secret: &[u8],
    x25519_secret: &[u8; X25519_BYTES],
    share: &[u8],
    public: &[u8],
) -> SharedSecret<HybridKem> {
    let hash = Sha3_256::new()
        .chain_update(ml_kem_secret)
        .chain_update(x25519_secret)
        .chain_update(share)
        .chain_update(public)
        .chain_update(LABEL);
    let mut secret = SharedSecret::default();
    hash.finalize_into(&mut secret.0);
    secret
}

fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], HpkeError> {
    bytes.try_into().map_err(|_| HpkeError::IncorrectInputLength(N, bytes.len()))
}

impl Serializable for PublicKey {
    type OutputSize = Sum<U1024, U192>;

    fn write_exact(&self, buf: &mut [u8]) {
        buf.copy_from_slice(&self.0);
    }
}

impl Deserializable for PublicKey {
    fn from_bytes(encoded: &[u8]) -> Result<Self, HpkeError> {
        let key = Self(array(encoded)?);
        // FIPS 203, 7.2: decoding reduces each coefficient, so only a reduced key encodes to itself.
        let reprinted: Encoded<CheckedKey> = key.ml_kem().as_bytes();
        if reprinted.as_slice() != &encoded[..ML_KEM_PUBLIC_BYTES] {
            return Err(HpkeError::ValidationError);
        }
        // Multiplying by any clamped scalar gives zero exactly for the points of low order.
        if x25519(&x25519_key(&[1; X25519_BYTES]), key.x25519()).is_none() {
            return Err(HpkeError::ValidationError);
        }
        Ok(key)
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PublicKey(…)")
    }
}

impl Serializable for PrivateKey {
    type OutputSize = U32;

    fn write_exact(&self, buf: &mut [u8]) {
        buf.copy_from_slice(self.seed.as_slice());
    }
}

impl Deserializable for PrivateKey {
    fn from_bytes(encoded: &[u8]) -> Result<Self, HpkeError> {
        array(encoded).map(|seed| Self::from_seed(Zeroizing::new(seed)))
    }
}

impl Serializable for EncapsulatedKey {
    type OutputSize = Sum<U1024, U96>;

    fn write_exact(&self, buf: &mut [u8]) {
        buf.copy_from_slice(&self.0);
    }
}

impl Deserializable for EncapsulatedKey {
    fn from_bytes(encoded: &[u8]) -> Result<Self, HpkeError> {
        array(encoded).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use hpke::Kem;
    use ml_kem::kem::{Decapsulate, Encapsulate};
    use rand_core::OsRng;

    use super::*;

    #[test]
    fn both_sides_get_one_secret_and_another_key_gets_another() {
        let (private, public) = HybridKem::gen_keypair(&mut OsRng);
        let (ours, encapsulated) = HybridKem::encap(&public, None, &mut OsRng).expect("a sound key");
        assert!(HybridKem::decap(&private, None, &encapsulated).expect("a sound share").0 == ours.0);
        let (other, _) = HybridKem::gen_keypair(&mut OsRng);
        assert!(HybridKem::decap(&other, None, &encapsulated).expect("a sound share").0 != ours.0);
    }

    /// Each opens what the other encapsulated: one library's mistake would show.
    #[test]
    fn two_libraries_agree_on_the_lattice() {
        let (seed_d, seed_z) = (B32::from([5; 32]), B32::from([6; 32]));
        let (theirs, theirs_public) = MlKem768::generate_deterministic(&seed_d, &seed_z);
        let ours = DecapsulationKey::new(&ML_KEM_768, &theirs.as_bytes()).expect("a key");
        let ours_public = EncapsulationKey::new(&ML_KEM_768, &theirs_public.as_bytes()).expect("a key");
        for _ in 0..20 {
            let (ciphertext, secret) = ours_public.encapsulate().expect("encapsulated");
            let encoded = ml_kem::array::Array::try_from(ciphertext.as_ref()).expect("1088 bytes");
            assert_eq!(theirs.decapsulate(&encoded).expect("opened").as_slice(), secret.as_ref());
            let (ciphertext, secret) = theirs_public.encapsulate(&mut OsRng).expect("encapsulated");
            let opened = ours.decapsulate(Ciphertext::from(ciphertext.as_slice())).expect("opened");
            assert_eq!(opened.as_ref(), secret.as_slice());
        }
    }

    #[test]
    fn keys_that_are_not_reduced_or_of_low_order_are_refused() {
        let (_, public) = HybridKem::gen_keypair(&mut OsRng);
        assert!(PublicKey::from_bytes(&public.0).is_ok());
        let mut not_reduced = public.0;
        not_reduced[..3].fill(0xff);
        assert_eq!(PublicKey::from_bytes(&not_reduced).err(), Some(HpkeError::ValidationError));
        let mut low_order = public.0;
        low_order[ML_KEM_PUBLIC_BYTES..].fill(0);
        assert_eq!(PublicKey::from_bytes(&low_order).err(), Some(HpkeError::ValidationError));
        assert!(PublicKey::from_bytes(&public.0[1..]).is_err());
    }

    #[test]
    fn a_share_of_low_order_is_refused() {
        let (private, public) = HybridKem::gen_keypair(&mut OsRng);
        let (_, mut encapsulated) = HybridKem::encap(&public, None, &mut OsRng).expect("a sound key");
        encapsulated.0[ML_KEM_CIPHERTEXT_BYTES..].fill(0);
        assert_eq!(HybridKem::decap(&private, None, &encapsulated).err(), Some(HpkeError::DecapError));
    }
}
