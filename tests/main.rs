//! All tests that need the whole program, in one binary.

mod attacks;
mod floors;
mod peers;
mod store;
mod vault;
mod vectors;
