//! Where the files of a pouch stand in it. Of sealed files there may be a million: of each its hash is kept, and no path.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::crypto::hash::Hash;
use crate::store::{RelPath, layout};

/// Where the bytes of each file stand.
#[derive(Default)]
pub(super) struct Members {
    /// Of keys and custody records, by path.
    custody: BTreeMap<String, Range<u64>>,
    /// Of sealed files, by name: the first byte, and how many.
    blobs: BTreeMap<Hash, (u64, u32)>,
    first_blob: Option<u64>,
}

impl Members {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.custody.len() + self.blobs.len()
    }

    pub(super) fn get(&self, path: &RelPath) -> Option<Range<u64>> {
        match layout::blob_of(path) {
            Some(blob) => self.blobs.get(&blob).map(|(start, bytes)| *start..start + u64::from(*bytes)),
            None => self.custody.get(&path.to_string()).cloned(),
        }
    }

    /// Takes in a file, which is no longer than a blob.
    pub(super) fn insert(&mut self, path: &RelPath, at: Range<u64>) {
        let Some(blob) = layout::blob_of(path) else {
            self.custody.insert(path.to_string(), at);
            return;
        };
        let bytes = u32::try_from(at.end - at.start).expect("a blob is short");
        self.blobs.insert(blob, (at.start, bytes));
        self.first_blob = Some(self.first_blob.map_or(at.start, |first| first.min(at.start)));
    }

    /// Takes no more memory than is needed: what comes in order fills the map by half.
    pub(super) fn shrink(&mut self) {
        self.blobs = std::mem::take(&mut self.blobs).into_iter().collect();
    }

    /// Paths of keys and custody records.
    pub(super) fn custody(&self) -> impl Iterator<Item = &String> {
        self.custody.keys()
    }

    /// Where the first sealed file begins.
    pub(super) fn first_blob(&self) -> Option<u64> {
        self.first_blob
    }

    /// What lies in a folder: names, and how long a file is.
    pub(super) fn below(&self, folder: Option<&RelPath>) -> Vec<(String, Option<u64>)> {
        let prefix = folder.map_or_else(String::new, |path| format!("{path}/"));
        let blobs = format!("{}/", layout::blobs());
        if let Some(shelf) = prefix.strip_prefix(&blobs) {
            return self.of_blobs(shelf.trim_end_matches('/'));
        }
        let mut found: Vec<(String, Option<u64>)> = Vec::new();
        let mut from = prefix.clone();
        while let Some((path, at)) = self.custody.range(from.clone()..).next() {
            let Some(rest) = path.strip_prefix(&prefix) else { break };
            if let Some((folder, _)) = rest.split_once('/') {
                // `0` is the first character after `/`.
                from = format!("{prefix}{folder}0");
                found.push((folder.into(), None));
            } else {
                from = format!("{path}\0");
                found.push((rest.into(), Some(at.end - at.start)));
            }
        }
        if prefix.is_empty() && !self.blobs.is_empty() {
            let blobs = layout::blobs().to_string();
            found.insert(found.partition_point(|(name, _)| *name < blobs), (blobs, None));
        }
        found
    }

    /// The shelves of sealed files, or what stands on one.
    fn of_blobs(&self, named: &str) -> Vec<(String, Option<u64>)> {
        let on_shelf = |first: u8| {
            let (mut least, mut last) = ([0; 32], [0xFF; 32]);
            (least[0], last[0]) = (first, first);
            self.blobs.range(Hash(least)..=Hash(last))
        };
        let shelf = |first: u8| layout::blob_shelf(&Hash([first; 32]));
        if named.is_empty() {
            let filled = (0..=u8::MAX).filter(|first| on_shelf(*first).next().is_some());
            return filled.map(|first| (shelf(first), None)).collect();
        }
        let Some(first) = (0..=u8::MAX).find(|first| shelf(*first) == named) else { return Vec::new() };
        on_shelf(first).map(|(blob, (_, bytes))| (blob.to_string(), Some(u64::from(*bytes)))).collect()
    }
}
