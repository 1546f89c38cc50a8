//! One record a file: parsed from bytes into a type that cannot be wrong, and printed again to the same bytes.
//!
//! Nothing here reads a disk, a clock or a terminal. A parser bounds every length before it allocates, and re-prints
//! what it read to refuse what differs.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

pub mod armor;
pub mod card;
pub mod checkpoint;
pub mod cosignature;
pub mod cosignatures;
pub mod document;
pub mod entry;
pub mod event;
pub mod fields;
pub mod fingerprint;
pub mod fork_proof;
pub mod form;
pub mod identity_file;
pub mod ids;
pub mod inventory;
pub mod json;
pub mod key_file;
pub mod listing;
pub mod manifest;
pub mod media;
pub mod names;
pub mod note;
pub mod paragraphs;
pub mod parity;
pub mod payload;
pub mod pouch;
pub mod pseudonym;
pub mod receipt;
pub mod record;
pub mod role;
pub mod share_file;
pub mod short_receipt;
pub mod tar;
pub mod vault_file;
pub mod volume;
pub mod words;
