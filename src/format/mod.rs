//! One record a file: parsed and printed, strict and canonical. Pure bytes: no disk, no clock, no terminal may enter.
//!
//! A parser bounds every length before it allocates, and re-prints what it read to refuse what differs.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects, clippy::indexing_slicing))]

pub mod fields;
pub mod form;
pub mod json;
pub mod listing;
pub mod media;
pub mod names;
pub mod paragraphs;
pub mod payload;
pub mod record;
