//! All tests that need the whole program, in one binary.

mod peers;
mod vectors;
