//! All tests that need the whole program, in one binary.

mod attacks;
mod commands;
mod copied;
mod floors;
mod fuzz;
mod golden;
mod killed;
mod peers;
mod readme;
mod recovery;
mod residue;
mod rooms;
mod soak;
mod store;
mod stories;
mod terminal;
mod threats;
mod trace;
mod vault;
mod vectors;
