//! Which exhibits came whole: told where the other copy, or the pouch, is damaged.

use std::collections::BTreeSet;

use super::Copy;
use super::wanted::Wanted;
use crate::crypto::hash::Hash;
use crate::store::layout;
use crate::vault::findings::Findings;
use crate::vault::session::Session;
use crate::vault::{VaultError, exhibits, labels, named, survey};

/// More labels than these fill no line: the others are counted.
const LISTED_MAX: usize = 100;

/// The exhibits of which the other copy has something that belongs here, whether it came now or lay here before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Of these everything is here.
    pub whole: Vec<String>,
    /// Of these something is lacking.
    pub damaged: Vec<String>,
    /// Of these nothing can be seen in the other copy, and not all is here.
    pub unseen: Vec<String>,
}

impl Arrival {
    /// Looks at all exhibits that both copies together tell of. `untaken` are files of the other copy that could not be read.
    pub(super) fn of(
        session: &Session,
        own: Copy<'_>,
        source: Copy<'_>,
        wanted: &Wanted,
        untaken: &BTreeSet<String>,
    ) -> Result<Self, VaultError> {
        let in_copy = |copy: Copy<'_>| survey::blobs(copy.0, &mut Findings::default());
        let here: BTreeSet<Hash> = in_copy(own)?.into_iter().collect();
        let sent: BTreeSet<Hash> = in_copy(source)?.into_iter().collect();
        let history = session.history()?;
        let disposed = history.disposed();
        let is_lost = |blob: &Hash| untaken.contains(&layout::blob(*blob).to_string());
        let is_had = |blob: &Hash| {
            disposed.contains(blob) || ((here.contains(blob) || wanted.blobs.contains_key(blob)) && !is_lost(blob))
        };
        let mut arrival = Self::default();
        for sealing in history.sealings() {
            let own_blobs: Vec<Hash> = named::own_blobs(&sealing).collect();
            let described = own_blobs.iter().all(is_had);
            let Ok(rows) = exhibits::rows(session, &sealing) else {
                // What the inventory lists nobody can say, but for the numbers, which the entry tells.
                let handle = &history.logs[&sealing.place.log].handle;
                let numbers = sealing.seal.first..sealing.seal.first + u64::from(sealing.seal.count);
                let list = if own_blobs.iter().any(|blob| sent.contains(blob)) {
                    &mut arrival.damaged
                } else {
                    &mut arrival.unseen
                };
                list.extend(numbers.map(|number| labels::exhibit_label(handle, number)));
                continue;
            };
            for (row, blobs) in rows {
                let was_sent = blobs.iter().any(|blob| sent.contains(blob));
                let list = match (described && blobs.iter().all(is_had), was_sent) {
                    (true, true) => &mut arrival.whole,
                    (false, true) => &mut arrival.damaged,
                    (false, false) => &mut arrival.unseen,
                    // It lay here whole, and is no affair of the other copy.
                    (true, false) => continue,
                };
                list.push(labels::label(history, &row));
            }
        }
        Ok(arrival)
    }

    /// Labels on one line.
    pub fn listed(labels: &[String]) -> String {
        match labels {
            [] => "none".into(),
            few if few.len() <= LISTED_MAX => few.join(", "),
            many => format!("{} and {} more", many[..LISTED_MAX].join(", "), many.len() - LISTED_MAX),
        }
    }
}
