//! Which exhibits came whole: told where the other copy, or the pouch, is damaged.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use super::Copy;
use super::there::Fate;
use super::wanted::Wanted;
use crate::crypto::hash::Hash;
use crate::store::layout;
use crate::vault::exhibits::{self, BLOB_BYTES_MAX};
use crate::vault::findings::Findings;
use crate::vault::session::Session;
use crate::vault::{VaultError, Watch, labels, named, survey};

/// More labels than these fill no line: the others are counted.
const LISTED_MAX: usize = 100;

/// The exhibits of which the other copy has something that belongs here, whether it came now or lay here before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Of these everything is here.
    pub whole: Vec<String>,
    /// Of these something is lacking, or is not what its name promises.
    pub damaged: Vec<String>,
    /// Of these nothing can be seen in the other copy, and not all is here.
    pub unseen: Vec<String>,
}

impl Arrival {
    /// Looks at all exhibits that both copies together tell of. `untaken` are files of the other copy that could not be read.
    /// What lay here before is read, where it is to be called whole: its name alone proves nothing.
    pub(super) fn of(
        watch: &dyn Watch,
        session: &Session,
        own: Copy<'_>,
        wanted: &Wanted,
        untaken: &BTreeSet<String>,
    ) -> Result<Self, VaultError> {
        let here = survey::blobs(own.0, &mut Findings::default())?;
        let history = session.history()?;
        let disposed = history.disposed();
        let is_lost = |blob: &Hash| untaken.contains(&layout::blob(*blob).to_string());
        let is_sent = |blob: &Hash| wanted.blobs.fate(blob).is_some();
        let comes = |blob: &Hash| {
            let is_copied = || matches!(wanted.blobs.fate(blob), Some(Fate::Comes(_)));
            disposed.contains(blob) || (is_copied() && !is_lost(blob))
        };
        let is_named = |blob: &Hash| comes(blob) || (here.binary_search(blob).is_ok() && !is_lost(blob));
        let is_whole = |blob: &Hash| comes(blob) || (is_named(blob) && is_sound(own, blob));
        let mut arrival = Self::default();
        for sealing in history.sealings() {
            if watch.stopped() {
                return Err(VaultError::Stopped);
            }
            let own_blobs: Vec<Hash> = named::own_blobs(&sealing).collect();
            let is_described = OnceCell::new();
            let Ok(rows) = exhibits::rows(session, &sealing) else {
                // What the inventory lists nobody can say, but for the numbers, which the entry tells.
                let handle = &history.logs[&sealing.place.log].handle;
                let list = if own_blobs.iter().any(is_sent) { &mut arrival.damaged } else { &mut arrival.unseen };
                list.extend(sealing.seal.numbers().map(|number| labels::exhibit_label(handle, number)));
                continue;
            };
            for (row, blobs) in rows {
                let list = if blobs.iter().any(is_sent) {
                    let is_described = *is_described.get_or_init(|| own_blobs.iter().all(is_whole));
                    if is_described && blobs.iter().all(is_whole) { &mut arrival.whole } else { &mut arrival.damaged }
                } else if own_blobs.iter().chain(&blobs).all(is_named) {
                    // It lies here, and is no affair of the other copy.
                    continue;
                } else {
                    &mut arrival.unseen
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

/// Whether a sealed file of a copy is what its name promises.
fn is_sound(copy: Copy<'_>, blob: &Hash) -> bool {
    let path = layout::blob(*blob);
    copy.0.read(&path, BLOB_BYTES_MAX).is_ok_and(|bytes| layout::is_as_named(&path, &bytes))
}
