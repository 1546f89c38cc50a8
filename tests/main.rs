//! All tests that need the whole program, in one binary.

mod floors;
mod peers;
mod vectors;
