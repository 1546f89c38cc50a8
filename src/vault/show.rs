//! Everything that this identity may see of one exhibit.

use super::custody::withdraw::withdrawn;
use super::exhibits;
use super::list::{Listed, listed};
use super::session::{Request, Session};
use super::{Setting, VaultError};
use crate::format::event::Head;

/// One exhibit with its place in the story.
pub struct Shown {
    /// As in the list.
    pub listed: Listed,
    /// The entry that sealed it.
    pub seq: u64,
    /// The signed state of the log it stands in.
    pub head: Head,
    /// Whether its blobs had been read back when it was signed.
    pub readback: bool,
    /// Why its record is not seen, where this identity has no key to it.
    pub closed: Option<VaultError>,
}

/// Shows one exhibit.
pub fn show(setting: &mut Setting<'_>, request: &Request<'_>, id: &str) -> Result<Shown, VaultError> {
    let session = Session::open_to_tell(setting, request)?;
    let exhibit = exhibits::find(&session, id)?;
    let history = session.history()?;
    let (known, closed) = match exhibits::record(&session, &exhibit) {
        Ok(known) => (Some(known), None),
        Err(
            error @ (VaultError::NotReadable { .. }
            | VaultError::AwaitsKey { .. }
            | VaultError::NoShareOfKey { .. }
            | VaultError::KeyLost { .. }
            | VaultError::TooFewShares { .. }),
        ) => (None, Some(error)),
        Err(error) => return Err(error),
    };
    let sealing = history.sealing_at(exhibit.place).expect("an exhibit stands in a sealing");
    let listed = listed(&session, &sealing, (exhibit.row, exhibit.blobs.clone()), known, &withdrawn(history))?;
    Ok(Shown {
        listed,
        seq: exhibit.place.seq,
        head: history.logs[&exhibit.place.log].head,
        readback: sealing.seal.readback,
        closed,
    })
}
