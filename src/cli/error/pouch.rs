//! The way out of what can be wrong with a pouch.

use std::collections::BTreeSet;

use super::{WayOut, vault};
use crate::cli::{FAILED, INCOMPLETE, INVALID, NO_KEY, USAGE, hints};
use crate::vault::pouch::PouchError;

/// Every kind of failure about a pouch.
pub(super) fn way_out(error: &PouchError) -> WayOut {
    let told = |exit, hint: &str| WayOut { exit, hint: Some(hint.to_string()) };
    match error {
        PouchError::TooManyReceivers { .. } => told(USAGE, "make several pouches"),
        PouchError::Withdrawn { .. } => told(USAGE, "say why it is packed all the same: --purpose"),
        PouchError::NotToThem { .. } | PouchError::NothingToAnswer => told(FAILED, "amparo custody log"),
        PouchError::StandsAsItIs { .. } => {
            told(USAGE, "leave out --medium and the like; or pack the exhibits themselves, which makes a new offer")
        }
        PouchError::NoRoom { .. } => told(FAILED, "make room, or pack fewer exhibits: name them"),
        PouchError::OfferedNotPacked { offers, error } => {
            let (mut to, mut labels) = (BTreeSet::new(), String::new());
            for (label, name) in offers {
                to.insert(format!(" --to {}", hints::word(name)));
                labels = format!("{labels} {label}");
            }
            let to: String = to.into_iter().collect();
            told(vault(error).exit, &format!("amparo pack{to} -o FILE{labels}"))
        }
        PouchError::TooLongForText { .. } => told(FAILED, "amparo pack --to MEMBER -o FILE --no-exhibits"),
        PouchError::NotPackable { .. } => told(INCOMPLETE, "amparo verify"),
        PouchError::ForOthers => told(NO_KEY, "amparo identity show"),
        PouchError::StartLost { .. } | PouchError::CustodyLost => told(
            INCOMPLETE,
            "give its parity file and all its volumes as well; the custody log of its sender tells what was packed",
        ),
        PouchError::ArrivedDamaged { .. } | PouchError::HasGaps { .. } => told(
            INCOMPLETE,
            "give its parity file and all its volumes as well; or take what is whole: amparo unpack FILE --salvage",
        ),
        PouchError::Malformed { .. } | PouchError::Stranger { .. } => {
            told(INVALID, "take nothing from it; ask whoever sent it, by another road, whether the pouch is theirs")
        }
        PouchError::NoPouch { .. } => told(USAGE, "amparo verify --help"),
        PouchError::VolumeBytes { least, .. } => told(USAGE, &format!("larger volumes: --volumes {least}")),
        PouchError::FileTooLong { .. } => told(USAGE, "cut it: --volumes 4000MiB"),
        PouchError::Several { .. } => told(USAGE, "give the parts of one pouch at a time"),
        PouchError::BeyondRepair { .. } => {
            told(INCOMPLETE, "give all its volumes and its parity, from every copy of them")
        }
        PouchError::NothingTells { .. } => {
            told(INCOMPLETE, "give all its volumes and its parity, or the SHA-256 that its sender told: --sha256")
        }
        PouchError::TooLongForParity { .. } => {
            told(USAGE, "pack it in several pouches, by the exhibits that each is to hold")
        }
    }
}
