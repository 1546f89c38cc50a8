//! Vaults that nobody made honestly: for each check of the verifier at least one that only this check catches, and
//! beside it the honest vault that must not be accused.

mod authority;
mod cosignatures;
mod cuts;
mod entries;
mod folder;
mod forger;
mod good;
mod handovers;
mod histories;
mod kinds;
mod memory;
mod owners;
mod payloads;
mod sealings;
mod shares;
mod states;
mod too_late;
mod work;

pub(super) use cosignatures::{cosigned as cosigned_by, put as put_cosignature};
pub(super) use owners::remove;
