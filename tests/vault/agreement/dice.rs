//! Chance that can be repeated: the same seed and story give the same decisions.

/// A generator that is good enough to choose (`SplitMix64`), and for nothing else.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64, story: u64) -> Self {
        let mut dice = Self(seed);
        let mixed = dice.number();
        Self(mixed ^ story.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.number() % limit.max(1) as u64).expect("below a usize")
    }

    /// Whether something happens that happens so often in a hundred times.
    pub(crate) fn percent(&mut self, often: usize) -> bool {
        self.below(100) < often
    }

    /// One of these, of which there is at least one.
    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let at = self.below(of.len());
        &of[at]
    }

    /// Each of these, or not.
    pub(crate) fn some<T: Clone>(&mut self, of: &[T], often: usize) -> Vec<T> {
        of.iter().filter(|_| self.percent(often)).cloned().collect()
    }
}
