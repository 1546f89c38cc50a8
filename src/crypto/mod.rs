//! Pure bytes: no disk, no clock, no terminal. Randomness is passed in (age alone draws its own, inside age files).

pub mod commit;
pub mod hash;
pub mod merkle;
pub mod pad;
