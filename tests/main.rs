//! All tests that need the whole program, in one binary.

mod store;
