//! The sealed files that lie in the other copy, and what becomes of each. There may be a million: of each its name is kept
//! once, and no path.

use crate::crypto::hash::Hash;

/// What becomes of a sealed file of the other copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It stays: it lies here already, or nothing signed names it.
    Stays,
    /// It is to be copied, and is so long, as far as that could be measured.
    Comes(u64),
    /// It stays: an authorised entry lets it be absent.
    Disposed,
}

/// Each by its name, in order.
#[derive(Default)]
pub(super) struct There(Vec<(Hash, Fate)>);

impl There {
    /// All that lie there, in order, of which nothing is known yet. A damaged folder may list one twice.
    pub(super) fn new(mut names: Vec<Hash>) -> Self {
        names.dedup();
        Self(names.into_iter().map(|name| (name, Fate::Stays)).collect())
    }

    /// What becomes of one; `None` where it does not lie there.
    pub(super) fn fate(&self, name: &Hash) -> Option<Fate> {
        self.find(name).map(|at| self.0[at].1)
    }

    /// The same, to be decided.
    pub(super) fn decide(&mut self, name: &Hash) -> Option<&mut Fate> {
        self.find(name).map(|at| &mut self.0[at].1)
    }

    /// Those that are to be copied, with their lengths.
    pub(super) fn coming(&self) -> impl Iterator<Item = (Hash, u64)> + '_ {
        self.0.iter().filter_map(|(name, fate)| match fate {
            Fate::Comes(bytes) => Some((*name, *bytes)),
            Fate::Stays | Fate::Disposed => None,
        })
    }

    /// How many are let be absent.
    pub(super) fn disposed(&self) -> u64 {
        self.0.iter().filter(|(_, fate)| *fate == Fate::Disposed).count() as u64
    }

    /// All but those that an authorised entry lets be absent.
    pub(super) fn undisposed(&self) -> impl Iterator<Item = &Hash> {
        self.0.iter().filter(|(_, fate)| *fate != Fate::Disposed).map(|(name, _)| name)
    }

    fn find(&self, name: &Hash) -> Option<usize> {
        self.0.binary_search_by_key(name, |(name, _)| *name).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_the_fate_that_was_decided() {
        let name = |byte: u8| Hash([byte; 32]);
        let mut there = There::new([1, 2, 3, 3, 5, 5].map(name).to_vec());
        *there.decide(&name(2)).expect("it lies there") = Fate::Comes(7);
        *there.decide(&name(5)).expect("it lies there") = Fate::Disposed;
        assert!(there.decide(&name(4)).is_none());
        assert_eq!(
            [1, 2, 4, 5].map(|byte| there.fate(&name(byte))),
            [Some(Fate::Stays), Some(Fate::Comes(7)), None, Some(Fate::Disposed)]
        );
        assert_eq!(there.coming().collect::<Vec<_>>(), [(name(2), 7)]);
        assert_eq!(
            (there.disposed(), there.undisposed().copied().collect::<Vec<_>>()),
            (1, [1, 2, 3].map(name).to_vec())
        );
    }
}
