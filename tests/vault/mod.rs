//! The vault floor on a real disk: people with their own devices, one vault between them.

mod crashes;
mod custody;
pub(crate) mod people;
mod tampered;
