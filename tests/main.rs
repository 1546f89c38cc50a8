//! All tests that need the whole program, in one binary.

mod commands;
mod floors;
mod peers;
mod store;
mod vault;
mod vectors;
