//! What a vault holds, as far as this identity may see: labels and places for every member, records for readers.

use std::collections::{BTreeMap, VecDeque};

use super::custody::withdraw::{Scope, withdrawn};
use super::exhibits::{self, Known};
use super::findings::Finding;
use super::history::Sealing;
use super::labels;
use super::parallel::{self, Crew};
use super::session::{Request, Session};
use super::{Setting, VaultError};
use crate::crypto::hash::Hash;
use crate::format::ids::LogId;
use crate::format::inventory::Row;
use crate::format::record::Record;

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
    std::thread::scope(|scope| {
        // A sealing may hold thousands: the next ones are read while one is told.
        let crew = Crew::muster(scope, parallel::cores());
        let (session, mut sealings, mut ahead) = (&session, history.sealings(), VecDeque::new());
        loop {
            while ahead.len() <= parallel::cores()
                && let Some(sealing) = sealings.next()
            {
                ahead.push_back((sealing, crew.begin(move || Prepared::read(session, &sealing))));
            }
            let Some((sealing, prepared)) = ahead.pop_front() else { return Ok(troubles) };
            let prepared = prepared.wait();
            troubles.extend(prepared.troubles);
            for (row, known) in prepared.rows {
                each(listed(session, &sealing, row, known, &withdrawn)?)?;
            }
        }
    })
}

/// An exhibit's row, and its blobs in order.
type Located = (Row, Vec<Hash>);

/// What is to be told of one sealing.
#[derive(Default)]
struct Prepared {
    rows: Vec<(Located, Option<Known>)>,
    troubles: Vec<Finding>,
}

impl Prepared {
    fn read(session: &Session, sealing: &Sealing<'_>) -> Self {
        let rows = match exhibits::rows(session, sealing) {
            Ok(rows) => rows,
            Err(trouble) => return Self { troubles: vec![trouble], ..Self::default() },
        };
        let (mut records, mut troubles) = (BTreeMap::new(), Vec::new());
        for manifest in sealing.seal.manifests.iter().filter(|manifest| session.ring.content(&manifest.key).is_some()) {
            match exhibits::listed(session, sealing, manifest, &rows) {
                Ok(listed) => records.extend(listed.into_iter().map(|listed| (listed.row.number, listed))),
                Err(trouble) => troubles.push(trouble),
            }
        }
        let mut known = |row: &Row| {
            let listed = records.remove(&row.number)?;
            match exhibits::check_record(session, sealing, &listed) {
                Ok(()) => Some(listed.known()),
                Err(trouble) => {
                    troubles.push(trouble);
                    None
                }
            }
        };
        let rows = rows.into_iter().map(|row| (known(&row.0), row)).map(|(known, row)| (row, known)).collect();
        Self { rows, troubles }
    }
}

/// One row in words.
pub(super) fn listed(
    session: &Session,
    sealing: &Sealing<'_>,
    (row, blob_names): Located,
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
