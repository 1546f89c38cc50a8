//! Receipts: a short text that proves one exhibit, or one sealing, against a signed state.

use super::commit::proof_of;
use super::exhibits::{self, Exhibit};
use super::history::Place;
use super::session::{Request, Session};
use super::{Setting, VaultError};
use crate::crypto::merkle;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::document::Document;
use crate::format::entry::Entry;
use crate::format::receipt::{RECEIPT_BYTES_MAX, Receipt, ReceiptError, RowProof};

/// The receipt of one exhibit.
pub fn of_exhibit(setting: &mut Setting<'_>, request: &Request<'_>, id: &str) -> Result<Receipt, VaultError> {
    let session = Session::open(setting, request)?;
    let exhibit = exhibits::find(&session, id)?;
    make(&session, exhibit.place, Some(&exhibit))
}

/// The receipt of the sealing that brought a log to this size; it stands for everything before it as well.
pub fn of_sealing(
    setting: &mut Setting<'_>,
    request: &Request<'_>,
    head: crate::format::event::Head,
) -> Result<Receipt, VaultError> {
    let session = Session::open(setting, request)?;
    make(&session, Place { log: head.log, seq: head.size - 1 }, None)
}

fn make(session: &Session, place: Place, exhibit: Option<&Exhibit>) -> Result<Receipt, VaultError> {
    let history = session.sound_history()?;
    session.require_sound(place.log)?;
    let log = &history.logs[&place.log];
    // What one of two contradicting histories says alone is vouched for by neither.
    if let Some(fork) = log.forks.iter().find(|fork| fork.parted <= place.seq) {
        return Err(VaultError::Contradicted { log: log.id, parted: fork.parted });
    }
    let told = history.told(place);
    let row = match exhibit {
        None => None,
        Some(exhibit) => {
            let sealing = history.sealing_at(place).expect("an exhibit stands in a sealing");
            let leaves: Vec<_> = exhibits::rows_of(session, &sealing)?.iter().map(|(row, _)| row.leaf()).collect();
            let path = merkle::inclusion_proof(&leaves, exhibit.index as usize).expect("the exhibit has a row");
            Some(RowProof { row: exhibit.row, index: exhibit.index, path })
        }
    };
    let receipt = Receipt {
        entry: Entry::clone(&told.entry),
        encoding: told.entry.encode(),
        row,
        path: proof_of(log, place.seq).expect("places name entries of this history"),
        checkpoint: Checkpoint {
            origin: Origin { vault: history.vault, log: log.id },
            size: log.head.size,
            root: log.head.root,
        },
        note: log.note.clone(),
    };
    if receipt.print().len() >= RECEIPT_BYTES_MAX {
        return Err(ReceiptError::TooLong.into());
    }
    Ok(receipt)
}
