//! Whether all that an offer hands over lies here. It is looked at before anybody is asked to sign: an acknowledgement of
//! what is still on the road would say, for good, that it was missing. Nothing is read but names and inventories; whoever
//! signs has every hash checked.

use super::super::exhibits;
use super::super::history::{History, Sealing};
use super::super::named;
use super::super::session::Session;
use crate::crypto::hash::Hash;
use crate::format::event::{ExhibitRef, Offer};

/// Whether each sealed file of an offer is here, or may be absent.
pub(super) fn is_here(session: &Session, history: &History, offer: &Offer) -> bool {
    let disposed = history.disposed();
    let lies_here = |blob: &Hash| named::lies_here(session, &disposed, blob);
    let mut left: Vec<&ExhibitRef> = offer.exhibits.iter().collect();
    let all = history.sealings().filter(|sealing| concerns(offer, sealing)).all(|sealing| {
        let Ok(rows) = exhibits::rows(session, &sealing) else { return false };
        let offered = |row: &crate::format::inventory::Row| {
            let is_it = |one: &ExhibitRef| one.log == row.log && one.number == row.number && one.row == row.leaf();
            offer.exhibits.is_empty() || offer.exhibits.iter().any(is_it)
        };
        let mut offered = rows.iter().filter(|(row, _)| offered(row)).peekable();
        let described = offered.peek().is_none() || named::own_blobs(&sealing).all(|blob| lies_here(&blob));
        described
            && offered.all(|(row, blobs)| {
                left.retain(|one| (one.log, one.number) != (row.log, row.number));
                blobs.iter().all(lies_here)
            })
    });
    all && left.is_empty()
}

/// Whether a sealing can hold something of an offer: without exhibits, all that is sealed under its states.
fn concerns(offer: &Offer, sealing: &Sealing<'_>) -> bool {
    let place = sealing.place;
    if offer.exhibits.is_empty() {
        return offer.heads.iter().any(|head| head.log == place.log && place.seq < head.size);
    }
    let holds = |one: &ExhibitRef| {
        one.number.checked_sub(sealing.seal.first).is_some_and(|index| index < u64::from(sealing.seal.count))
    };
    offer.exhibits.iter().any(|one| one.log == place.log && holds(one))
}
