//! The vault floor on a real disk: people with their own devices, one vault between them.

mod custody;
mod people;
mod tampered;
