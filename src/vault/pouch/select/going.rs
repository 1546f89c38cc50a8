//! The exhibits that go into a pouch. There may be a million: a row in order takes half of the memory of a map.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::format::event::ExhibitRef;
use crate::vault::history::Place;

/// As entries refer to them, each once and in order, with the place in its log of the sealing that each stands in.
#[derive(Debug, Default)]
pub(super) struct Going(Vec<(ExhibitRef, u64)>);

impl Going {
    /// These, which come in whatever order.
    pub(super) fn new(mut all: Vec<(ExhibitRef, u64)>) -> Self {
        all.sort_unstable();
        all.dedup_by_key(|(exhibit, _)| *exhibit);
        Self(all)
    }

    /// And these.
    pub(super) fn and(mut self, mut more: Vec<(ExhibitRef, u64)>) -> Self {
        self.0.append(&mut more);
        Self::new(self.0)
    }

    pub(super) fn remove(&mut self, some: &BTreeSet<ExhibitRef>) {
        self.0.retain(|(exhibit, _)| !some.contains(exhibit));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn contains(&self, exhibit: &ExhibitRef) -> bool {
        self.0.binary_search_by_key(exhibit, |(exhibit, _)| *exhibit).is_ok()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &ExhibitRef> {
        self.0.iter().map(|(exhibit, _)| exhibit)
    }

    /// Those within a range.
    pub(super) fn within(&self, range: Range<ExhibitRef>) -> impl Iterator<Item = &ExhibitRef> {
        let [from, to] = [range.start, range.end].map(|end| self.0.partition_point(|(exhibit, _)| *exhibit < end));
        self.0[from..to].iter().map(|(exhibit, _)| exhibit)
    }

    /// Those of which `which` is true, by where each was sealed.
    pub(super) fn which(&self, which: impl Fn(&ExhibitRef, Place) -> bool) -> impl Iterator<Item = &ExhibitRef> {
        let sealing = |exhibit: &ExhibitRef, seq: u64| Place { log: exhibit.log, seq };
        let those = self.0.iter().filter(move |(exhibit, seq)| which(exhibit, sealing(exhibit, *seq)));
        those.map(|(exhibit, _)| exhibit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::Hash;
    use crate::format::ids::LogId;

    fn exhibit(number: u64) -> ExhibitRef {
        ExhibitRef { log: LogId([1; 16]), number, row: Hash([2; 32]) }
    }

    #[test]
    fn each_goes_once_and_in_order() {
        let going = Going::new([7, 3, 5, 3].map(|number| (exhibit(number), number / 4)).to_vec());
        let going = going.and([9, 1, 5].map(|number| (exhibit(number), number / 4)).to_vec());
        let numbers =
            |exhibits: &mut dyn Iterator<Item = &ExhibitRef>| exhibits.map(|one| one.number).collect::<Vec<_>>();
        assert_eq!(numbers(&mut going.all()), [1, 3, 5, 7, 9]);
        assert_eq!(numbers(&mut going.within(exhibit(3)..exhibit(9))), [3, 5, 7]);
        assert_eq!(numbers(&mut going.which(|_, sealing| sealing.seq == 1)), [5, 7]);
        assert!(going.contains(&exhibit(9)) && !going.contains(&exhibit(8)));
        let mut going = going;
        going.remove(&[1, 7, 8].map(exhibit).into());
        assert_eq!(numbers(&mut going.all()), [3, 5, 9]);
        going.remove(&[3, 5, 9].map(exhibit).into());
        assert!(going.is_empty());
    }
}
