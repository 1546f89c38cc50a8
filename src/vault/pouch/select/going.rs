//! What goes into a pouch, in rows. There may be a million of it: a row in order takes half of the memory of a map.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::format::event::ExhibitRef;
use crate::vault::history::Place;

/// So few are not put in order on the way.
const FEW: usize = 1 << 12;

/// What is gathered in whatever order. Somebody may name the same a thousand times: whenever it has doubled it is put in order, and
/// each is kept once.
#[derive(Debug)]
pub(super) struct Gathered<K, V> {
    all: Vec<(K, V)>,
    /// So many there were when it was put in order last.
    ordered: usize,
}

impl<K, V> Default for Gathered<K, V> {
    fn default() -> Self {
        Self { all: Vec::new(), ordered: 0 }
    }
}

impl<K: Ord + Copy, V: Ord> Gathered<K, V> {
    pub(super) fn extend(&mut self, more: impl IntoIterator<Item = (K, V)>) {
        self.all.extend(more);
        if self.all.len() > FEW.max(2 * self.ordered) {
            self.order();
        }
    }

    fn order(&mut self) {
        self.all.sort_unstable();
        self.all.dedup_by_key(|(key, _)| *key);
        self.ordered = self.all.len();
    }

    /// Each once, in order.
    pub(super) fn in_order(mut self) -> Vec<(K, V)> {
        self.order();
        self.all
    }
}

/// Exhibits as entries refer to them, each once and in order, with the place in its log of the sealing that each stands in.
#[derive(Debug, Default)]
pub(super) struct Going(Vec<(ExhibitRef, u64)>);

impl Going {
    pub(super) fn new(all: Gathered<ExhibitRef, u64>) -> Self {
        Self(all.in_order())
    }

    /// These and others.
    pub(super) fn and(mut self, others: Gathered<ExhibitRef, u64>) -> Self {
        self.0.extend(others.in_order());
        Self::new(Gathered { all: self.0, ordered: 0 })
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

    fn gathered(numbers: &[u64]) -> Gathered<ExhibitRef, u64> {
        let mut gathered = Gathered::default();
        gathered.extend(numbers.iter().map(|number| (exhibit(*number), number / 4)));
        gathered
    }

    #[test]
    fn each_goes_once_and_in_order() {
        let mut going = Going::new(gathered(&[7, 3, 5, 3])).and(gathered(&[9, 1, 5]));
        let numbers = |those: &mut dyn Iterator<Item = &ExhibitRef>| those.map(|one| one.number).collect::<Vec<_>>();
        assert_eq!(numbers(&mut going.all()), [1, 3, 5, 7, 9]);
        assert_eq!(numbers(&mut going.within(exhibit(3)..exhibit(9))), [3, 5, 7]);
        assert_eq!(numbers(&mut going.which(|_, sealing| sealing.seq == 1)), [5, 7]);
        assert!(going.contains(&exhibit(9)) && !going.contains(&exhibit(8)));
        going.remove(&[1, 7, 8].map(exhibit).into());
        assert_eq!(numbers(&mut going.all()), [3, 5, 9]);
        going.remove(&[3, 5, 9].map(exhibit).into());
        assert!(going.is_empty());
    }

    #[test]
    fn what_is_named_a_thousand_times_takes_no_more_room() {
        let mut gathered = Gathered::default();
        for sealing in 0..1000 {
            gathered.extend((0..1000).map(|number| (exhibit(number), sealing)));
            assert!(gathered.all.len() <= FEW + 1000);
        }
        assert!(gathered.in_order().into_iter().eq((0..1000).map(|number| (exhibit(number), 0))));
    }
}
