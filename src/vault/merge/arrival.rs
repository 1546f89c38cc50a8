//! Which exhibits came whole: told where the other copy, or the pouch, is damaged.

use std::collections::BTreeSet;

use super::Copy;
use super::wanted::Wanted;
use crate::crypto::hash::Hash;
use crate::store::layout;
use crate::vault::findings::Findings;
use crate::vault::session::Session;
use crate::vault::{VaultError, exhibits, labels, named, survey};

/// The exhibits of which something came, or should have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// Of these everything is here.
    pub whole: Vec<String>,
    /// Of these something is lacking.
    pub damaged: Vec<String>,
}

impl Arrival {
    /// Looks at all exhibits of which the other copy has something that belongs here. `untaken` are its files that could
    /// not be read.
    pub(super) fn of(
        session: &Session,
        own: Copy<'_>,
        wanted: &Wanted,
        untaken: &BTreeSet<String>,
    ) -> Result<Self, VaultError> {
        let here: BTreeSet<Hash> = survey::blobs(own.0, &mut Findings::default())?.into_iter().collect();
        let is_lost = |blob: &Hash| untaken.contains(&layout::blob(*blob).to_string());
        let is_had = |blob: &Hash| (here.contains(blob) || wanted.blobs.contains_key(blob)) && !is_lost(blob);
        let mut arrival = Self::default();
        let history = session.history()?;
        for sealing in history.sealings() {
            let described = named::own_blobs(&sealing).all(|blob| is_had(&blob));
            for (row, blobs) in exhibits::rows(session, &sealing).unwrap_or_default() {
                if !blobs.iter().any(|blob| wanted.blobs.contains_key(blob)) {
                    continue;
                }
                let whole = described && blobs.iter().all(is_had);
                let list = if whole { &mut arrival.whole } else { &mut arrival.damaged };
                list.push(labels::label(history, &row));
            }
        }
        Ok(arrival)
    }
}
