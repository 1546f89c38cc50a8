//! Pure bytes: no disk, no clock, no terminal. Randomness is passed in (age alone draws its own, inside age files).

pub mod commit;
pub mod envelope;
pub mod hash;
pub(crate) mod kem;
pub mod merkle;
pub mod pad;
pub mod parity;
pub mod recipient;
pub mod seed;
pub mod shares;
pub mod sign;
