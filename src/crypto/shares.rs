//! A secret of 32 bytes as shares of which some, and no fewer, give it back: SSKR (BCR-2020-011) with one group. The
//! arithmetic is that of `bc-shamir`, bit-sliced and without tables; here stand the five bytes before each share.

use bc_rand::RandomNumberGenerator;
use rand_core::CryptoRngCore;
use zeroize::{Zeroize, Zeroizing};

/// The length of a share: identifier, thresholds and index in 5 bytes, then its 32 bytes.
pub const SHARE_BYTES: usize = 37;
/// Most shares of one secret: an index has four bits.
pub const SHARES_MAX: u8 = 16;

const HEADER_BYTES: usize = 5;

/// Why shares do not come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharesError {
    /// The bytes are no SSKR share of a secret of 32 bytes in one group.
    #[error("these are not the bytes of a share of this kind")]
    Form,
    /// The shares are of different secrets.
    #[error("the shares are not of one set")]
    OtherSet,
    /// One share stands there twice.
    #[error("share {index} is there twice")]
    Twice {
        /// Which, from 1.
        index: u8,
    },
    /// Too few.
    #[error("{given} of {needed} shares")]
    TooFew {
        /// How many are there.
        given: usize,
        /// How many must come together.
        needed: u8,
    },
    /// They are enough, and what they give is not what was split.
    #[error("one of the shares is not what was handed out: together they do not give what was split")]
    Checksum,
}

/// One share. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Share(Zeroizing<[u8; SHARE_BYTES]>);

impl Share {
    /// Reads the bytes of one: a group of its own, reserved bits zero, at least two needed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SharesError> {
        let bytes: &[u8; SHARE_BYTES] = bytes.try_into().map_err(|_| SharesError::Form)?;
        // Byte 2 is group threshold and count, the upper half of byte 3 the group's index: 1 of 1, the first.
        let single = bytes[2] == 0 && bytes[3] >> 4 == 0 && bytes[4] >> 4 == 0;
        let share = Self(Zeroizing::new(*bytes));
        if single && share.needed() >= 2 { Ok(share) } else { Err(SharesError::Form) }
    }

    /// All its bytes.
    pub fn as_bytes(&self) -> &[u8; SHARE_BYTES] {
        &self.0
    }

    /// The same for all shares of one set, drawn at random: 16 bits tell sets apart that one person keeps.
    pub fn set(&self) -> u16 {
        u16::from_be_bytes([self.0[0], self.0[1]])
    }

    /// How many must come together.
    pub fn needed(&self) -> u8 {
        (self.0[3] & 15) + 1
    }

    /// Which share, from 1.
    pub fn index(&self) -> u8 {
        (self.0[4] & 15) + 1
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Share({} of any {}, …)", self.index(), self.needed())
    }
}

/// Splits a secret into `total` shares of which any `needed` give it back, and fewer tell nothing of it.
///
/// # Panics
///
/// Unless 2 ≤ `needed` ≤ `total` ≤ [`SHARES_MAX`].
pub fn split(secret: &[u8; 32], needed: u8, total: u8, rng: &mut dyn CryptoRngCore) -> Vec<Share> {
    assert!(2 <= needed && needed <= total && total <= SHARES_MAX, "{needed} of {total} shares");
    let mut set = [0; 2];
    rng.fill_bytes(&mut set);
    let values = bc_shamir::split_secret(needed.into(), total.into(), secret, &mut Passed(rng));
    let values = Zeroizing::new(values.expect("32 bytes, and the numbers were checked"));
    let share = |(index, value): (u8, &Vec<u8>)| {
        let mut bytes = Zeroizing::new([0; SHARE_BYTES]);
        bytes[..2].copy_from_slice(&set);
        (bytes[3], bytes[4]) = (needed - 1, index);
        bytes[HEADER_BYTES..].copy_from_slice(value);
        Share(bytes)
    };
    (0..).zip(values.iter()).map(share).collect()
}

/// Puts shares together. More than are needed are all used, so that a wrong one among them is noticed.
pub fn combine(shares: &[&Share]) -> Result<Zeroizing<[u8; 32]>, SharesError> {
    let first = shares.first().ok_or(SharesError::TooFew { given: 0, needed: 2 })?;
    let (set, needed) = (first.set(), first.needed());
    for (place, share) in shares.iter().enumerate() {
        if share.set() != set || share.needed() != needed {
            return Err(SharesError::OtherSet);
        }
        if shares[..place].iter().any(|other| other.index() == share.index()) {
            return Err(SharesError::Twice { index: share.index() });
        }
    }
    if shares.len() < usize::from(needed) {
        return Err(SharesError::TooFew { given: shares.len(), needed });
    }
    let indexes: Vec<usize> = shares.iter().map(|share| usize::from(share.index() - 1)).collect();
    let values: Vec<&[u8]> = shares.iter().map(|share| &share.0[HEADER_BYTES..]).collect();
    let mut secret = bc_shamir::recover_secret(&indexes, &values).map_err(|_| SharesError::Checksum)?;
    let whole = <[u8; 32]>::try_from(secret.as_slice()).map(Zeroizing::new);
    secret.zeroize();
    whole.map_err(|_| SharesError::Checksum)
}

/// The randomness that was passed in, under the trait of a newer `rand_core`, which `bc-shamir` takes.
struct Passed<'a>(&'a mut dyn CryptoRngCore);

impl rand_core_09::RngCore for Passed<'_> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

impl rand_core_09::CryptoRng for Passed<'_> {}

impl RandomNumberGenerator for Passed<'_> {}

#[cfg(test)]
mod tests {
    use rand_core::OsRng;

    use super::*;

    const SECRET: [u8; 32] = [0xa7; 32];

    /// The same without `bc-shamir`, and without its tricks: arithmetic in GF(256) modulo x⁸ + x⁴ + x³ + x + 1.
    fn times(mut a: u8, mut b: u8) -> u8 {
        let mut product = 0;
        while b > 0 {
            product ^= if b & 1 == 1 { a } else { 0 };
            a = (a << 1) ^ if a & 0x80 == 0 { 0 } else { 0x1b };
            b >>= 1;
        }
        product
    }

    fn at(x: u8, points: &[(u8, u8)]) -> u8 {
        let inverse = |a: u8| (1..=255).find(|b| times(a, *b) == 1).expect("not zero");
        points.iter().fold(0, |sum, (xi, yi)| {
            let others = points.iter().filter(|(xj, _)| xj != xi);
            sum ^ others.fold(*yi, |value, (xj, _)| times(value, times(x ^ xj, inverse(xi ^ xj))))
        })
    }

    #[test]
    fn any_so_many_give_it_back_and_fewer_are_told_how_many_lack() {
        for (needed, total) in [(2, 2), (2, 3), (3, 5), (16, 16)] {
            let shares = split(&SECRET, needed, total, &mut OsRng);
            assert_eq!(shares.len(), usize::from(total));
            let enough: Vec<&Share> = shares.iter().rev().take(needed.into()).collect();
            assert_eq!(combine(&enough).as_deref(), Ok(&SECRET));
            assert_eq!(combine(&shares.iter().collect::<Vec<_>>()).as_deref(), Ok(&SECRET), "all of them");
            let few = combine(&enough[1..]);
            assert_eq!(few, Err(SharesError::TooFew { given: usize::from(needed) - 1, needed }));
        }
    }

    #[test]
    fn a_strangers_arithmetic_finds_the_same_secret() {
        let shares = split(&SECRET, 3, 5, &mut OsRng);
        let byte = |place: usize| {
            let points: Vec<(u8, u8)> = shares[1..4].iter().map(|share| (share.0[4], share.0[5 + place])).collect();
            at(255, &points)
        };
        assert_eq!((0..32).map(byte).collect::<Vec<u8>>(), SECRET);
    }

    #[test]
    fn the_crate_of_the_standard_reads_them_and_we_read_its_own() {
        let shares = split(&SECRET, 2, 3, &mut OsRng);
        let bytes: Vec<Vec<u8>> = shares[1..].iter().map(|share| share.as_bytes().to_vec()).collect();
        assert_eq!(sskr::sskr_combine(&bytes).expect("two of three").data(), SECRET);
        let group = sskr::GroupSpec::new(3, 4).expect("3 of 4");
        let spec = sskr::Spec::new(1, vec![group]).expect("one group");
        let theirs = sskr::sskr_generate(&spec, &sskr::Secret::new(SECRET).expect("32 bytes")).expect("shares");
        let theirs: Vec<Share> = theirs[0].iter().map(|bytes| Share::from_bytes(bytes).expect("one group")).collect();
        assert_eq!(theirs.iter().map(Share::index).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(combine(&theirs[..3].iter().collect::<Vec<_>>()).as_deref(), Ok(&SECRET));
    }

    #[test]
    fn a_flipped_bit_anywhere_is_noticed() {
        let shares = split(&SECRET, 2, 3, &mut OsRng);
        for place in 0..SHARE_BYTES {
            for bit in 0..8 {
                let mut bytes = *shares[0].as_bytes();
                bytes[place] ^= 1 << bit;
                let changed = Share::from_bytes(&bytes).and_then(|share| combine(&[&share, &shares[2]]));
                // The checksum of SSKR has 32 bits.
                assert_ne!(changed.as_deref(), Ok(&SECRET), "byte {place}, bit {bit}");
                assert!(changed.is_err(), "byte {place}, bit {bit}");
            }
        }
    }

    #[test]
    fn other_sets_doubles_and_other_kinds_are_refused() {
        let (shares, other) = (split(&SECRET, 2, 3, &mut OsRng), split(&SECRET, 3, 3, &mut OsRng));
        assert_eq!(combine(&[&shares[0], &other[1]]), Err(SharesError::OtherSet));
        assert_eq!(combine(&[&shares[1], &shares[1]]), Err(SharesError::Twice { index: 2 }));
        let changed = |place: usize, value: u8| {
            let mut bytes = shares[0].as_bytes().to_vec();
            bytes[place] = value;
            Share::from_bytes(&bytes)
        };
        for (place, value) in [(2, 0x10), (2, 0x01), (3, 0x11), (4, 0x10), (3, 0)] {
            assert_eq!(changed(place, value), Err(SharesError::Form), "byte {place}");
        }
        assert_eq!(Share::from_bytes(&shares[0].as_bytes()[1..]), Err(SharesError::Form));
    }
}
