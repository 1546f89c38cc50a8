//! Vaults that nobody made honestly: for each check of the verifier at least one that only this check catches, and
//! beside it the honest vault that must not be accused.

mod authority;
mod cuts;
mod entries;
mod folder;
mod good;
mod histories;
mod memory;
mod owners;
mod payloads;
mod sealings;
mod states;
mod work;
