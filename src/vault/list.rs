//! What a vault holds, as far as this identity may see: labels and places for every member, records for readers.

use std::collections::BTreeMap;

use super::custody::withdraw::{Scope, withdrawn};
use super::exhibits::{self, Known};
use super::findings::Finding;
use super::history::Sealing;
use super::labels;
use super::session::{Request, Session};
use super::{Setting, VaultError, parallel};
use crate::crypto::hash::Hash;
use crate::format::ids::LogId;
use crate::format::inventory::Row;
use crate::format::record::Record;

/// Records that are checked together, on all cores, before they are told.
const CHUNK_ROWS: usize = 256;

/// One exhibit of a list.
#[derive(Clone)]
pub struct Listed {
    /// Its label.
    pub id: String,
    /// The claimed time of its sealing.
    pub sealed_at: String,
    /// The sealer's pseudonym.
    pub sealer: String,
    /// Its section.
    pub section: String,
    /// How many blobs hold it.
    pub blobs: u32,
    /// `disclosure` or `all` where consent was withdrawn.
    pub withdrawn: Option<String>,
    /// What is said of it; `None` for those who are no readers of its section.
    pub record: Option<Record>,
    /// Its row.
    pub row: Row,
    /// Its blobs in order.
    pub blob_names: Vec<Hash>,
}

/// Lists all exhibits that count, sealing by sealing, in causal order. Returns what could not be listed, or not wholly, and
/// what does not hold of the logs that it is told from.
pub fn list(
    setting: &mut Setting<'_>,
    request: &Request<'_>,
    each: &mut dyn FnMut(Listed) -> Result<(), VaultError>,
) -> Result<Vec<Finding>, VaultError> {
    let session = Session::open_to_tell(setting, request)?;
    let history = session.history()?;
    let withdrawn = withdrawn(history);
    let mut troubles: Vec<Finding> = session.of_logs().cloned().collect();
    for sealing in history.sealings() {
        let rows = match exhibits::rows(&session, &sealing) {
            Ok(rows) => rows,
            Err(trouble) => {
                troubles.push(trouble);
                continue;
            }
        };
        let mut records = BTreeMap::new();
        for manifest in sealing.seal.manifests.iter().filter(|manifest| session.ring.content(&manifest.key).is_some()) {
            match exhibits::listed(&session, &sealing, manifest, &rows) {
                Ok(listed) => records.extend(listed.into_iter().map(|listed| (listed.row.number, listed))),
                Err(trouble) => troubles.push(trouble),
            }
        }
        // A sealing may hold thousands: the first are told before the last are checked.
        for chunk in rows.chunks(CHUNK_ROWS) {
            let known = parallel::map(chunk, |(row, _)| {
                let listed = records.get(&row.number)?;
                Some(exhibits::check_record(&session, &sealing, listed))
            });
            for ((row, blobs), known) in chunk.iter().zip(known) {
                let known = known.transpose().unwrap_or_else(|trouble| {
                    troubles.push(trouble);
                    None
                });
                each(listed(&session, &sealing, (*row, blobs.clone()), known, &withdrawn)?)?;
            }
        }
    }
    Ok(troubles)
}

/// One row in words.
pub(super) fn listed(
    session: &Session,
    sealing: &Sealing<'_>,
    (row, blob_names): (Row, Vec<Hash>),
    known: Option<Known>,
    withdrawn: &BTreeMap<(LogId, u64), Scope>,
) -> Result<Listed, VaultError> {
    let history = session.history()?;
    Ok(Listed {
        id: labels::label(history, &row),
        sealed_at: sealing.time.to_string(),
        sealer: history.name_of(sealing.member),
        section: history.keys.get(&row.key).map_or_else(|| "?".into(), |key| key.scope.to_string()),
        blobs: row.blobs,
        withdrawn: withdrawn.get(&(row.log, row.number)).map(|scope| scope.word().to_string()),
        record: known.map(|known| known.record),
        row,
        blob_names,
    })
}
