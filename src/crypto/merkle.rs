//! The Merkle tree of RFC 6962, section 2: leaf and node hashes, root, inclusion and consistency proofs.
//!
//! Trees are held as their leaf hashes; a million leaves are 32 MB and hash in under a second.

use sha2::{Digest, Sha256};

use super::hash::Hash;

/// RFC 6962, 2.1: `SHA-256(0x00 || data)`.
pub fn leaf_hash(data: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(data).finalize().into())
}

/// RFC 6962, 2.1: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: Hash, right: Hash) -> Hash {
    let mut node = [1; 65];
    node[1..33].copy_from_slice(&left.0);
    node[33..].copy_from_slice(&right.0);
    Hash::of(&node)
}

/// The root over leaf hashes; of none, the SHA-256 of the empty string.
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(b""),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(root(left), root(right))
        }
    }
}

/// The roots of all beginnings of a tree, from that of nothing to that of all leaves: each of them asked for by itself
/// would hash what was hashed before.
pub fn roots(leaves: &[Hash]) -> Vec<Hash> {
    let mut tree = Growing::default();
    let grown = leaves.iter().map(|leaf| {
        tree.push(*leaf);
        tree.root()
    });
    std::iter::once(Hash::of(b"")).chain(grown).collect()
}

/// The largest power of two smaller than `count`, which must be at least 2.
fn split(count: usize) -> usize {
    (count.div_ceil(2)).next_power_of_two()
}

/// RFC 6962, 2.1.1: the audit path of leaf `index`, from its sibling up; `None` when there is no such leaf.
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut leaves, mut index) = (leaves, index);
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            path.push(root(right));
            leaves = left;
        } else {
            path.push(root(left));
            index -= left.len();
            leaves = right;
        }
    }
    path.reverse();
    Some(path)
}

/// The root that `path` leads to from `leaf` at `index` in a tree of `size` leaves (RFC 9162, 2.1.3.2); `None` when
/// the path has the wrong length for that place.
pub fn root_from_inclusion(leaf: Hash, index: u64, size: u64, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(*sibling, hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// RFC 6962, 2.1.2: what proves that the tree over the first `first` leaves is a beginning of the tree over all of
/// them. `None` unless 1 <= `first` <= the number of leaves; empty where both are one tree.
pub fn consistency_proof(leaves: &[Hash], first: usize) -> Option<Vec<Hash>> {
    if first == 0 || first > leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    // Whether the first `first` of these leaves are all that the smaller tree has: its root is then known already.
    let (mut leaves, mut first, mut whole) = (leaves, first, true);
    while first != leaves.len() {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if first <= left.len() {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            first -= left.len();
            leaves = right;
            whole = false;
        }
    }
    if !whole {
        proof.push(root(leaves));
    }
    proof.reverse();
    Some(proof)
}

/// Whether the tree of `first` leaves with root `first_root` is a beginning of the tree of `second` leaves with root
/// `second_root`, as `proof` shows (RFC 9162, 2.1.4.2). Sizes of 0 are never consistent: nothing could be shown.
pub fn is_consistent(first: u64, first_root: Hash, second: u64, second_root: Hash, proof: &[Hash]) -> bool {
    if first == 0 || first > second {
        return false;
    }
    if first == second {
        return proof.is_empty() && first_root == second_root;
    }
    let mut path = proof.iter();
    // A complete smaller tree is a node of the larger one, and the first of the path by itself.
    let start = if first.is_power_of_two() { Some(&first_root) } else { path.next() };
    let Some(start) = start else { return false };
    let (mut place, mut last) = (first - 1, second - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut smaller, mut larger) = (*start, *start);
    for hash in path {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            smaller = node_hash(*hash, smaller);
            larger = node_hash(*hash, larger);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            larger = node_hash(larger, *hash);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && smaller == first_root && larger == second_root
}

/// A tree that grows a leaf at a time and tells its root at every size, in a few dozen hashes of memory.
#[derive(Clone, Debug, Default)]
pub struct Growing {
    size: u64,
    /// Roots of the complete subtrees, largest first: one for each bit of `size`.
    peaks: Vec<Hash>,
}

impl Growing {
    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf hash.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        for _ in 0..self.size.trailing_ones() {
            hash = node_hash(self.peaks.pop().expect("a peak stands for each one bit of the size"), hash);
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root at the present size.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => Hash::of(b""),
            Some(smallest) => peaks.fold(*smallest, |right, left| node_hash(*left, right)),
        }
    }
}

impl Extend<Hash> for Growing {
    fn extend<T: IntoIterator<Item = Hash>>(&mut self, leaves: T) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree of RFC 6962's reference implementation: eight inputs and their roots at each size.
    const INPUTS: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    #[test]
    fn roots_are_those_of_the_reference_tree() {
        let leaves: Vec<Hash> = INPUTS.iter().map(|data| leaf_hash(data)).collect();
        assert_eq!(root(&[]).to_string(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(root(&leaves[..1]).to_string(), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        assert_eq!(root(&leaves[..2]).to_string(), "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
        assert_eq!(root(&leaves).to_string(), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
        assert_eq!(roots(&leaves), (0..=leaves.len()).map(|size| root(&leaves[..size])).collect::<Vec<_>>());
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proved_and_no_other() {
        let leaves: Vec<Hash> = (0..70_u8).map(|n| leaf_hash(&[n])).collect();
        let mut growing = Growing::default();
        for size in 1..=leaves.len() {
            growing.push(leaves[size - 1]);
            let tree = &leaves[..size];
            assert_eq!(growing.root(), root(tree));
            for (index, leaf) in tree.iter().enumerate() {
                let path = inclusion_proof(tree, index).expect("the leaf is there");
                let proved = |leaf, index: usize| root_from_inclusion(leaf, index as u64, size as u64, &path);
                assert_eq!(proved(*leaf, index), Some(root(tree)));
                assert_ne!(proved(leaf_hash(b"another"), index), Some(root(tree)));
                assert_ne!(proved(*leaf, index + 1), Some(root(tree)));
            }
            assert_eq!(inclusion_proof(tree, size), None);
        }
    }

    #[test]
    fn every_beginning_of_every_small_tree_is_proved_and_no_other() {
        let leaves: Vec<Hash> = (0..70_u8).map(|n| leaf_hash(&[n])).collect();
        for second in 1..=leaves.len() {
            let tree = &leaves[..second];
            for first in 1..=second {
                let proof = consistency_proof(tree, first).expect("it is a beginning");
                let holds = |first_root, proof: &[Hash]| {
                    is_consistent(first as u64, first_root, second as u64, root(tree), proof)
                };
                assert!(holds(root(&tree[..first]), &proof), "{first} of {second}");
                assert!(!holds(leaf_hash(b"another"), &proof), "{first} of {second}");
                let longer = [&proof[..], &[leaf_hash(b"more")]].concat();
                assert!(!holds(root(&tree[..first]), &longer), "{first} of {second}");
                for at in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[at] = leaf_hash(b"wrong");
                    assert!(!holds(root(&tree[..first]), &wrong), "{first} of {second}");
                    let shorter = [&proof[..at], &proof[at + 1..]].concat();
                    assert!(!holds(root(&tree[..first]), &shorter), "{first} of {second}");
                }
            }
            assert_eq!(consistency_proof(tree, 0), None);
            assert_eq!(consistency_proof(tree, second + 1), None);
        }
        assert!(!is_consistent(0, root(&[]), 1, root(&leaves[..1]), &[]));
    }
}
