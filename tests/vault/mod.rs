//! The vault floor on a real disk: people with their own devices, one vault between them.

pub(crate) mod agreement;
mod careful;
mod cosigning;
mod crashes;
mod custody;
mod damaged;
pub(crate) mod forge;
mod forge_founding;
mod forge_once;
pub(crate) mod forge_seal;
mod forged;
mod groups;
mod grown;
mod handovers;
mod members;
pub(crate) mod merging;
mod one_device;
mod packing;
pub(crate) mod people;
mod pouch_damage;
mod pouch_flips;
mod pouch_reading;
mod tampered;
mod telling;
mod together;
