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
    /// Of sealed files, by name.
    blobs: Places,
    first_blob: Option<u64>,
}

impl Members {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.custody.len() + self.blobs.len()
    }

    pub(super) fn get(&self, path: &RelPath) -> Option<Range<u64>> {
        match layout::blob_of(path) {
            Some(blob) => self.blobs.get(&blob).map(|(start, bytes)| start..start + u64::from(bytes)),
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
        if prefix.is_empty() && self.blobs.len() > 0 {
            let blobs = layout::blobs().to_string();
            found.insert(found.partition_point(|(name, _)| *name < blobs), (blobs, None));
        }
        found
    }

    /// The shelves of sealed files, or what stands on one.
    fn of_blobs(&self, named: &str) -> Vec<(String, Option<u64>)> {
        let shelf = |first: u8| layout::blob_shelf(&Hash([first; 32]));
        if named.is_empty() {
            let filled = (0..=u8::MAX).filter(|first| self.blobs.on_shelf(*first).next().is_some());
            return filled.map(|first| (shelf(first), None)).collect();
        }
        let Some(first) = (0..=u8::MAX).find(|first| shelf(*first) == named) else { return Vec::new() };
        let mut found: Vec<(Hash, u32)> = self.blobs.on_shelf(first).collect();
        found.sort_unstable();
        found.into_iter().map(|(blob, bytes)| (blob.to_string(), Some(u64::from(bytes)))).collect()
    }
}

/// Where a sealed file begins, and how long it is.
type At = (u64, u32);

/// Places of sealed files. A pouch holds them in two runs, each in the order of their names: what comes in order is appended to a
/// row, which takes half of the memory of a map that is filled so. Where the order begins anew, the row goes into a map: whatever
/// somebody wrote, each is moved once.
#[derive(Default)]
struct Places {
    row: Vec<(Hash, At)>,
    before: BTreeMap<Hash, At>,
}

impl Places {
    fn len(&self) -> usize {
        self.row.len() + self.before.len()
    }

    fn get(&self, blob: &Hash) -> Option<At> {
        let in_row = || self.row.binary_search_by_key(blob, |(blob, _)| *blob).ok();
        self.before.get(blob).copied().or_else(|| in_row().map(|index| self.row[index].1))
    }

    /// Takes in one that is not among them.
    fn insert(&mut self, blob: Hash, at: At) {
        if self.row.last().is_some_and(|(last, _)| blob < *last) {
            let row = std::mem::take(&mut self.row);
            // A map that is made of a row is full.
            if self.before.is_empty() { self.before = row.into_iter().collect() } else { self.before.extend(row) }
        }
        self.row.push((blob, at));
    }

    /// Those whose names begin with a byte, and their lengths.
    fn on_shelf(&self, first: u8) -> impl Iterator<Item = (Hash, u32)> + '_ {
        let (mut least, mut last) = ([0; 32], [0xFF; 32]);
        (least[0], last[0]) = (first, first);
        let from = self.row.partition_point(|(blob, _)| blob.0[0] < first);
        let row = self.row[from..].iter().take_while(move |(blob, _)| blob.0[0] == first);
        let row = row.map(|(blob, (_, bytes))| (*blob, *bytes));
        row.chain(self.before.range(Hash(least)..=Hash(last)).map(|(blob, (_, bytes))| (*blob, *bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes that tell nothing of each other's order, and the first byte of which is one of eight.
    fn names(count: u64) -> Vec<Hash> {
        let name = |number: u64| {
            let mut name = Hash::of(&number.to_be_bytes());
            name.0[0] %= 8;
            name
        };
        (0..count).map(name).collect()
    }

    #[test]
    fn whatever_the_order_each_stands_at_its_place() {
        let drawn = names(1000);
        let sorted = |mut names: Vec<Hash>| {
            names.sort_unstable();
            names
        };
        let two_orders = [sorted(drawn[..300].to_vec()), sorted(drawn[300..].to_vec())].concat();
        let reversed = sorted(drawn.clone()).into_iter().rev().collect();
        for order in [sorted(drawn.clone()), two_orders, drawn, reversed] {
            let (mut places, mut known) = (Places::default(), BTreeMap::new());
            for (number, name) in (0_u32..).zip(&order) {
                assert_eq!(places.get(name), None);
                let at = (512 * u64::from(number), number);
                places.insert(*name, at);
                known.insert(*name, at);
                assert_eq!(places.len(), known.len());
            }
            for (name, at) in &known {
                assert_eq!(places.get(name), Some(*at));
            }
            assert_eq!(places.get(&Hash([9; 32])), None);
            for first in 0..9 {
                let found: BTreeMap<Hash, u32> = places.on_shelf(first).collect();
                let wanted = known.iter().filter(|(name, _)| name.0[0] == first);
                assert_eq!(found, wanted.map(|(name, (_, bytes))| (*name, *bytes)).collect());
            }
        }
    }
}
