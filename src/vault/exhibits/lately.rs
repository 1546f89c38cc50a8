//! The lists that were read last. Whoever names exhibits one after the other mostly names the next of the same sealing, whose
//! lists hold up to 4,096: they are read and checked once for all of these.

use std::sync::{Arc, Mutex, PoisonError};

use super::{ListedRecord, Rows};
use crate::format::ids::KeyId;
use crate::vault::history::Place;

/// The lists of one sealing, by where its entry stands: a history tells one entry of each place.
#[derive(Default)]
pub(in crate::vault) struct Lately {
    /// Its rows with their blobs.
    pub(super) rows: Last<Place, Rows>,
    /// The records of one section of it.
    pub(super) records: Last<(Place, KeyId), Vec<ListedRecord>>,
}

/// One list.
pub(super) struct Last<K, T>(Mutex<Option<(K, Arc<T>)>>);

impl<K, T> Default for Last<K, T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: PartialEq, T> Last<K, T> {
    /// The list of this: as it was read last, or read now. What could not be read is not remembered.
    pub(super) fn or_read<E>(&self, of: K, read: impl FnOnce() -> Result<T, E>) -> Result<Arc<T>, E> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, list)) = &*last
            && *known == of
        {
            return Ok(Arc::clone(list));
        }
        // Two are never in memory.
        *last = None;
        let list = Arc::new(read()?);
        *last = Some((of, Arc::clone(&list)));
        Ok(list)
    }
}
