//! Whether all that an offer hands over lies here. It is looked at before anybody is asked to sign: an acknowledgement of
//! what is still on the road would say, for good, that it was missing. Nothing is read but names and inventories; whoever
//! signs has every hash checked.

use std::collections::BTreeSet;

use super::super::exhibits;
use super::super::history::History;
use super::super::named;
use super::super::session::Session;
use super::offer::is_under;
use crate::crypto::hash::Hash;
use crate::format::event::{ExhibitRef, Offer};
use crate::store::{Folder, layout};

/// Where the sealed files of an offer are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Not all of them are here.
    OnTheRoad,
    /// All are here, or may be absent, and none was in a pouch.
    CameEarlier,
    /// All are here, or may be absent, and the pouch had some of them.
    CameNow,
}

/// Where the sealed files of an offer are; perhaps after a pouch was taken in.
pub(super) fn whereabouts(
    session: &Session,
    history: &History,
    offer: &Offer,
    pouch: Option<&dyn Folder>,
) -> Whereabouts {
    let disposed = history.disposed();
    let lies_here = |blob: &Hash| named::lies_here(session, &disposed, blob);
    let exhibits: BTreeSet<ExhibitRef> = offer.exhibits.iter().copied().collect();
    let is_offered = |exhibit: &ExhibitRef| exhibits.is_empty() || exhibits.contains(exhibit);
    let was_in_it = |blob: &Hash| pouch.is_some_and(|pouch| pouch.stat(&layout::blob(*blob)).is_ok());
    let (mut here, mut looked_for, mut came) = (0, false, false);
    for sealing in history.sealings() {
        let concerns = if exhibits.is_empty() {
            is_under(&offer.heads, sealing.place)
        } else {
            exhibits.range(exhibits::numbers(&sealing)).next().is_some()
        };
        if !concerns {
            continue;
        }
        let Ok(rows) = exhibits::rows(session, &sealing) else { return Whereabouts::OnTheRoad };
        let mut offered = rows.iter().filter(|(row, _)| is_offered(&exhibits::reference(row))).peekable();
        if offered.peek().is_some() && !named::own_blobs(&sealing).all(|blob| lies_here(&blob)) {
            return Whereabouts::OnTheRoad;
        }
        for (_, blobs) in offered {
            if !blobs.iter().all(lies_here) {
                return Whereabouts::OnTheRoad;
            }
            here += 1;
            looked_for = true;
            came = came || blobs.iter().any(was_in_it);
        }
    }
    // Of nothing nothing can come.
    came = came || pouch.is_some() && !looked_for;
    match (exhibits.is_empty() || here == exhibits.len(), came) {
        (false, _) => Whereabouts::OnTheRoad,
        (true, false) => Whereabouts::CameEarlier,
        (true, true) => Whereabouts::CameNow,
    }
}
