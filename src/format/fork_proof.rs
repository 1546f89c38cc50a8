//! The proof that one key signed two histories of one log: two signed states of which neither continues the other
//! (FORMAT § 4.6). It convinces whoever has the member's card, without the vault.
//!
//! Signatures are not looked at here: whose card is at hand is for the caller to know.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::checkpoint::Checkpoint;
use super::note::{NOTE_BYTES_MAX, Note};
use crate::crypto::hash::Hash;
use crate::crypto::merkle::is_consistent;

/// Longest proof that is read, in bytes: two notes, and a line for each of at most 65 hashes.
pub const FORK_PROOF_BYTES_MAX: usize = 2 * NOTE_BYTES_MAX + 4096;

/// The first line, by which the file is known.
pub const FIRST_LINE: &str = "amparo.v1/fork";

/// A consistency proof has at most one hash more than a tree of this format has levels.
const PATH_MAX: usize = 64;

/// Why a text proves no fork.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForkProofError {
    /// Not the lines of a fork proof, or other bytes than its one print.
    #[error("it is no proof of contradicting histories: {reason}")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// Its two states are of different logs.
    #[error("its two signed states are of different custody records")]
    OtherLog,
    /// The second state continues the first, or is the first.
    #[error("its two signed states do not contradict each other")]
    NoContradiction,
    /// The hashes do not lead from the named root to the second state.
    #[error("its hashes do not lead to the second signed state")]
    Proof,
}

/// A proof whose hashes hold; its signatures are still to be checked against a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForkProof {
    /// The root that the second history has at the size of the first state: another than was signed for it.
    pub root: Hash,
    /// RFC 6962 consistency proof from that root to the second state; empty where the sizes are equal.
    pub path: Vec<Hash>,
    /// The state of the smaller size.
    pub first: State,
    /// The other.
    pub second: State,
}

/// A signed state as it lies in a vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// What is signed.
    pub checkpoint: Checkpoint,
    /// The same with its signatures.
    pub note: Note,
}

impl State {
    /// The state that a note holds.
    pub fn of(note: Note) -> Option<Self> {
        let checkpoint = Checkpoint::parse_text(note.text()).ok()?;
        Some(Self { checkpoint, note })
    }
}

impl ForkProof {
    /// The proof of two states, if they contradict each other: `root` and `path` are of the second's history, at the
    /// size of the first.
    pub fn new(first: State, second: State, root: Hash, path: Vec<Hash>) -> Result<Self, ForkProofError> {
        let proof = Self { root, path, first, second };
        proof.prove()?;
        Ok(proof)
    }

    /// The one text.
    pub fn print(&self) -> String {
        let hash = |hash: &Hash| BASE64_STANDARD.encode(hash.0);
        let path: String = self.path.iter().flat_map(|node| [hash(node), "\n".into()]).collect();
        let note = |state: &State| String::from_utf8(state.note.to_bytes()).expect("a note is text");
        format!("{FIRST_LINE}\nroot {}\n{path}\n{}\n{}", hash(&self.root), note(&self.first), note(&self.second))
    }

    /// Reads a proof and checks its hashes.
    pub fn parse(bytes: &[u8]) -> Result<Self, ForkProofError> {
        let malformed = |reason| ForkProofError::Malformed { reason };
        if bytes.len() > FORK_PROOF_BYTES_MAX {
            return Err(malformed("it is too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("it is not UTF-8"))?;
        // A note of a state is two blocks: its three lines, and those of its signatures.
        let blocks: Vec<&str> = text.split("\n\n").collect();
        let [proof, first, first_lines, second, second_lines] = blocks.as_slice() else {
            return Err(malformed("it is not a proof and two signed states, with empty lines between"));
        };
        let mut lines = proof.split('\n');
        if lines.next() != Some(FIRST_LINE) {
            return Err(malformed("its first line is another"));
        }
        let root = lines.next().and_then(|line| line.strip_prefix("root ")).and_then(hash_line);
        let root = root.ok_or(malformed("its second line names no root"))?;
        let path = lines.map(hash_line).collect::<Option<Vec<_>>>().ok_or(malformed("a line of it is not a hash"))?;
        if path.len() > PATH_MAX {
            return Err(malformed("it has more hashes than a proof can need"));
        }
        let state = |note: String| Note::parse(note.as_bytes()).ok().and_then(State::of);
        let no_state = malformed("what it shows is not two signed states");
        let first = state(format!("{first}\n\n{first_lines}\n")).ok_or(no_state)?;
        let second = state(format!("{second}\n\n{second_lines}")).ok_or(no_state)?;
        let parsed = Self { root, path, first, second };
        if parsed.print().as_bytes() != bytes {
            return Err(malformed("its bytes are not those that the format prescribes"));
        }
        parsed.prove()?;
        Ok(parsed)
    }

    fn prove(&self) -> Result<(), ForkProofError> {
        let (first, second) = (&self.first.checkpoint, &self.second.checkpoint);
        if first.origin != second.origin {
            return Err(ForkProofError::OtherLog);
        }
        if first.size == 0 || first.size > second.size {
            return Err(ForkProofError::Malformed { reason: "its states are not in the order of their sizes" });
        }
        if !is_consistent(first.size, self.root, second.size, second.root, &self.path) {
            return Err(ForkProofError::Proof);
        }
        // With hashes that hold, another root at the first size is the contradiction, and nothing else is.
        if self.root == first.root { Err(ForkProofError::NoContradiction) } else { Ok(()) }
    }
}

fn hash_line(line: &str) -> Option<Hash> {
    BASE64_STANDARD.decode(line).ok()?.try_into().ok().map(Hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::merkle::{consistency_proof, leaf_hash, root};
    use crate::crypto::seed::Seed;
    use crate::format::checkpoint::Origin;
    use crate::format::ids::{LogId, VaultId};

    fn state(leaves: &[Hash], log: u8) -> State {
        let origin = Origin { vault: VaultId(Hash::of(b"vault")), log: LogId([log; 16]) };
        let checkpoint = Checkpoint { origin, size: leaves.len() as u64, root: root(leaves) };
        State { checkpoint, note: checkpoint.sign(&Seed::from_bytes(&[1; 32]).keys()) }
    }

    fn histories(first: usize, second: usize) -> (Vec<Hash>, Vec<Hash>) {
        let leaf = |n: usize, way: u8| leaf_hash(&[u8::try_from(n).expect("small"), if n < 2 { 0 } else { way }]);
        ((0..first).map(|n| leaf(n, 1)).collect(), (0..second).map(|n| leaf(n, 2)).collect())
    }

    #[test]
    fn two_histories_of_any_sizes_are_proved_and_read_back() {
        for (first, second) in [(3, 3), (3, 4), (4, 9), (7, 8), (5, 64)] {
            let (one, other) = histories(first, second);
            let path = consistency_proof(&other, first).expect("within");
            let proof = ForkProof::new(state(&one, 7), state(&other, 7), root(&other[..first]), path).expect("a fork");
            let text = proof.print();
            assert_eq!(ForkProof::parse(text.as_bytes()).as_ref(), Ok(&proof));
            assert_eq!(text.lines().next(), Some(FIRST_LINE));
        }
    }

    #[test]
    fn what_contradicts_nothing_is_no_proof() {
        let (_, other) = histories(4, 9);
        let path = consistency_proof(&other, 4).expect("within");
        let honest = ForkProof::new(state(&other[..4], 7), state(&other, 7), root(&other[..4]), path.clone());
        assert_eq!(honest, Err(ForkProofError::NoContradiction));
        let twice = ForkProof::new(state(&other, 7), state(&other, 7), root(&other), Vec::new());
        assert_eq!(twice, Err(ForkProofError::NoContradiction));
        let (one, _) = histories(4, 9);
        let claimed = ForkProof::new(state(&one, 7), state(&other, 7), Hash::of(b"any"), path.clone());
        assert_eq!(claimed, Err(ForkProofError::Proof));
        let apart = ForkProof::new(state(&one, 8), state(&other, 7), root(&other[..4]), path);
        assert_eq!(apart, Err(ForkProofError::OtherLog));
    }

    #[test]
    fn every_line_counts() {
        let (one, other) = histories(4, 9);
        let path = consistency_proof(&other, 4).expect("within");
        let proof = ForkProof::new(state(&one, 7), state(&other, 7), root(&other[..4]), path).expect("a fork");
        let text = proof.print();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for at in 0..lines.len() {
            let without: String = lines.iter().enumerate().filter(|(n, _)| *n != at).map(|(_, line)| *line).collect();
            // A note whose signature line is gone is a note all the same: signatures are the caller's to check.
            if !lines[at].starts_with('\u{2014}') {
                assert!(ForkProof::parse(without.as_bytes()).is_err(), "without {:?}", lines[at]);
            }
            let doubled: String =
                lines.iter().enumerate().flat_map(|(n, line)| vec![*line; 1 + usize::from(n == at)]).collect();
            if !lines[at].starts_with('\u{2014}') {
                assert!(ForkProof::parse(doubled.as_bytes()).is_err(), "with {:?} twice", lines[at]);
            }
        }
        for other in [format!("{text}\n"), text.replacen("amparo.v1/fork", "amparo.v2/fork", 1), format!(" {text}")] {
            assert!(ForkProof::parse(other.as_bytes()).is_err());
        }
    }
}
