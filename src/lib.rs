//! An encrypted offline evidence vault.
//!
//! A lawyer seals testimonies and documents; the evidence travels; a monitor verifies custody without reading a
//! word; a reader abroad opens it; a court checks one exhibit decades later with ordinary tools. The bytes are fixed
//! by `docs/FORMAT.md`, the reasons by `docs/ARCHITECTURE.md`.
//!
//! The floors, from the ground up; each may use those before it and none after it (`tests/floors.rs` holds them to it):
//!
//! 1. [`crypto`]: pure bytes, no disk, clock or terminal.
//! 2. [`mod@format`]: one record a file, parsed and printed, strict and canonical.
//! 3. [`store`]: the only room that touches the disk, behind one trait.
//! 4. [`vault`]: what a person can do, one verb a file; returns outcomes, never prints.
//! 5. [`cli`]: the only room that speaks.
//!
//! The rooms of each floor stand in its own page, and all of them in the table of `docs/ARCHITECTURE.md`. Whoever reads
//! for the first time follows one exhibit: [`vault::seal`], [`vault::commit`], [`vault::session`], [`vault::history`],
//! [`vault::verify`], [`vault::open`]. Whoever checks the format begins with `docs/FORMAT.md` and [`mod@format`].

pub mod cli;
pub mod crypto;
pub mod format;
pub mod store;
pub mod vault;
