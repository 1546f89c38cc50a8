//! MLKEM768-X25519, also called X-Wing: the hybrid KEM of age's `mlkem768x25519` stanzas, as an [`hpke::Kem`].
//!
//! draft-ietf-hpke-pq names it with KEM id 0x647a; draft-connolly-cfrg-xwing-kem gives the algorithm. It stays secret
//! while either of its halves does. Nothing but `recipient.rs` uses it.

use hpke::generic_array::typenum::{Sum, U32, U96, U192, U1024};
use hpke::kem::SharedSecret;
use hpke::rand_core::{CryptoRng, RngCore};
use hpke::{Deserializable, HpkeError, Serializable};
use ml_kem::kem::{Decapsulate, Encapsulate};
use ml_kem::{B32, Encoded, EncodedSizeUser, KemCore, MlKem768};
use sha3::digest::{ExtendableOutput, Update, XofReader};
use sha3::{Digest, Sha3_256, Shake256};
use x25519_dalek::{EphemeralSecret, PublicKey as X25519Public, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

type DecapsulationKey = <MlKem768 as KemCore>::DecapsulationKey;
type EncapsulationKey = <MlKem768 as KemCore>::EncapsulationKey;

const ML_KEM_PUBLIC_BYTES: usize = 1184;
const ML_KEM_CIPHERTEXT_BYTES: usize = 1088;

/// Bytes of a public key: ML-KEM-768's, then X25519's.
pub(crate) const PUBLIC_BYTES: usize = ML_KEM_PUBLIC_BYTES + 32;

/// Bytes of an encapsulated key: ML-KEM-768's ciphertext, then an X25519 share.
pub(crate) const ENCAPSULATED_BYTES: usize = ML_KEM_CIPHERTEXT_BYTES + 32;

/// The label that ends the input of the combiner: an X-Wing seen from the front.
const LABEL: &[u8] = br"\.//^\";

/// The KEM; its functions are those of [`hpke::Kem`].
pub(crate) struct HybridKem;

/// A public key that was checked: every coefficient is reduced (FIPS 203, 7.2) and the X25519 half has no low order.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicKey([u8; PUBLIC_BYTES]);

/// The 32-byte seed, and the two private keys that `SHAKE256(seed, 96)` gives, kept because expanding them costs as
/// much as using them. Each part wipes itself.
#[derive(Clone)]
pub(crate) struct PrivateKey {
    seed: Zeroizing<[u8; 32]>,
    ml_kem: DecapsulationKey,
    x25519: StaticSecret,
    x25519_public: X25519Public,
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
        let mut bytes = [0; PUBLIC_BYTES];
        let (ml_kem, x25519) = bytes.split_at_mut(ML_KEM_PUBLIC_BYTES);
        ml_kem.copy_from_slice(&sk.ml_kem.encapsulation_key().as_bytes());
        x25519.copy_from_slice(sk.x25519_public.as_bytes());
        PublicKey(bytes)
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
        let (ciphertext, ml_kem_secret) = pk_recip.ml_kem().encapsulate(csprng).map_err(|()| HpkeError::EncapError)?;
        let ml_kem_secret = Zeroizing::new(<[u8; 32]>::from(ml_kem_secret));
        let ephemeral = EphemeralSecret::random_from_rng(csprng);
        let share = X25519Public::from(&ephemeral);
        let theirs = pk_recip.x25519();
        let x25519_secret = ephemeral.diffie_hellman(&theirs);
        if !x25519_secret.was_contributory() {
            return Err(HpkeError::EncapError);
        }
        let mut encapsulated = [0; ENCAPSULATED_BYTES];
        let (ml_kem_part, x25519_part) = encapsulated.split_at_mut(ML_KEM_CIPHERTEXT_BYTES);
        ml_kem_part.copy_from_slice(&ciphertext);
        x25519_part.copy_from_slice(share.as_bytes());
        Ok((combine(&ml_kem_secret, x25519_secret.as_bytes(), &share, &theirs), EncapsulatedKey(encapsulated)))
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
        let ciphertext = ciphertext.try_into().map_err(|_| HpkeError::DecapError)?;
        let share = X25519Public::from(array(share)?);
        let ml_kem_secret = sk_recip.ml_kem.decapsulate(&ciphertext).map_err(|()| HpkeError::DecapError)?;
        let ml_kem_secret = Zeroizing::new(<[u8; 32]>::from(ml_kem_secret));
        let x25519_secret = sk_recip.x25519.diffie_hellman(&share);
        // A share of low order would fix the X25519 secret whatever the key: such a stanza is hostile.
        if !x25519_secret.was_contributory() {
            return Err(HpkeError::DecapError);
        }
        Ok(combine(&ml_kem_secret, x25519_secret.as_bytes(), &share, &sk_recip.x25519_public))
    }
}

impl PrivateKey {
    pub(crate) fn from_seed(seed: Zeroizing<[u8; 32]>) -> Self {
        let mut expanded = Zeroizing::new([0_u8; 96]);
        Shake256::default().chain(*seed).finalize_xof().read(expanded.as_mut_slice());
        let third = |number: usize| {
            let mut bytes = Zeroizing::new([0_u8; 32]);
            bytes.copy_from_slice(&expanded[32 * number..32 * (number + 1)]);
            bytes
        };
        let (mut d, mut z) = (B32::from(*third(0)), B32::from(*third(1)));
        let (ml_kem, _) = MlKem768::generate_deterministic(&d, &z);
        d.zeroize();
        z.zeroize();
        let x25519 = StaticSecret::from(*third(2));
        let x25519_public = X25519Public::from(&x25519);
        Self { seed, ml_kem, x25519, x25519_public }
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
    fn ml_kem(&self) -> EncapsulationKey {
        let encoded: &[u8] = &self.0[..ML_KEM_PUBLIC_BYTES];
        EncapsulationKey::from_bytes(encoded.try_into().expect("the first 1184 of 1216 bytes"))
    }

    fn x25519(&self) -> X25519Public {
        X25519Public::from(array(&self.0[ML_KEM_PUBLIC_BYTES..]).expect("the last 32 of 1216 bytes"))
    }
}

/// `SHA3-256(ss_M ‖ ss_X ‖ ct_X ‖ pk_X ‖ label)`.
fn combine(
    ml_kem_secret: &[u8; 32],
    x25519_secret: &[u8; 32],
    share: &X25519Public,
    public: &X25519Public,
) -> SharedSecret<HybridKem> {
    let hash = Sha3_256::new()
        .chain_update(ml_kem_secret)
        .chain_update(x25519_secret)
        .chain_update(share.as_bytes())
        .chain_update(public.as_bytes())
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
        let reprinted: Encoded<EncapsulationKey> = key.ml_kem().as_bytes();
        if reprinted.as_slice() != &encoded[..ML_KEM_PUBLIC_BYTES] {
            return Err(HpkeError::ValidationError);
        }
        // Multiplying by any clamped scalar gives zero exactly for the points of low order.
        if !StaticSecret::from([1; 32]).diffie_hellman(&key.x25519()).was_contributory() {
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
