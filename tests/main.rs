//! All tests that need the whole program, in one binary.

mod floors;
mod peers;
mod vault;
mod vectors;
