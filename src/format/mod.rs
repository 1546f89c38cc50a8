//! One record a file: parsed from bytes into a type that cannot be wrong, and printed again to the same bytes.
//!
//! Nothing here reads a disk, a clock or a key ring. A parser bounds what it reads before it allocates and refuses
//! whatever it would print differently.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

pub mod card;
pub mod checkpoint;
pub mod cosignature;
pub mod fingerprint;
pub mod identity_file;
pub mod ids;
pub mod note;
pub mod pseudonym;
