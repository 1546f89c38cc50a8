//! All tests that need the whole program, in one binary.

mod floors;
mod peers;
mod recovery;
mod store;
mod vault;
mod vectors;
