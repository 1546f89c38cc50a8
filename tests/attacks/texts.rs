//! Small texts that come from outside, changed at random with fixed seeds: nothing of it panics, and nothing is taken for
//! what it is not. What is taken is what one print gives, or holds under no card but as it was.

use amparo::crypto::hash::Hash;
use amparo::crypto::merkle::{consistency_proof, leaf_hash, root};
use amparo::crypto::seed::{Keys, Seed};
use amparo::crypto::shares;
use amparo::format::checkpoint::{Checkpoint, Origin};
use amparo::format::cosignature::{complete, cosign, verify_cosigned};
use amparo::format::cosignatures;
use amparo::format::fork_proof::{ForkProof, State};
use amparo::format::ids::{KeyId, LogId, MemberId, VaultId};
use amparo::format::role::{Scope, Section};
use amparo::format::share_file::{LentShare, ShareFile};
use amparo::format::short_receipt::ShortReceipt;
use rand_core::OsRng;

use crate::stories::Dice;

/// So many changed texts of each kind.
const CHANGED: usize = 5_000;

/// Calls `look` with the text, changed in one to three places: a bit, a byte, a piece gone, doubled, moved or cut off.
fn changed(text: &[u8], seed: u64, mut look: impl FnMut(&[u8])) {
    let mut dice = Dice(seed);
    for _ in 0..CHANGED {
        let mut bytes = text.to_vec();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len().max(1));
            let length = (1 + dice.below(40)).min(bytes.len().saturating_sub(at));
            let piece: Vec<u8> = bytes.get(at..at + length).unwrap_or_default().to_vec();
            match dice.below(7) {
                _ if bytes.is_empty() => bytes.push(b'x'),
                0 => bytes[at] ^= 1 << dice.below(8),
                1 => bytes[at] = u8::try_from(dice.below(256)).expect("a byte"),
                2 => drop(bytes.drain(at..at + length)),
                3 => drop(bytes.splice(at..at, piece)),
                4 => {
                    bytes.drain(at..at + length);
                    let to = dice.below(bytes.len() + 1);
                    bytes.splice(to..to, piece);
                }
                5 => bytes.truncate(at),
                // What people's programs do: digits, signs and white space.
                _ => bytes[at] = b"0189aAzZ -+\t\r\n=/\xe2"[dice.below(17)],
            }
        }
        if bytes != text {
            look(&bytes);
        }
    }
}

fn ann() -> Keys {
    Seed::from_bytes(&[1; 32]).keys()
}

fn checkpoint(leaves: &[Hash]) -> Checkpoint {
    let origin = Origin { vault: VaultId(Hash::of(b"vault")), log: LogId([7; 16]) };
    Checkpoint { origin, size: leaves.len() as u64, root: root(leaves) }
}

#[test]
fn no_changed_fork_proof_holds_for_anything_else() {
    let leaf = |n: u8, way: u8| leaf_hash(&[n, if n < 2 { 0 } else { way }]);
    let (one, other): (Vec<Hash>, Vec<Hash>) =
        ((0..4).map(|n| leaf(n, 1)).collect(), (0..9).map(|n| leaf(n, 2)).collect());
    let state = |leaves: &[Hash]| State { checkpoint: checkpoint(leaves), note: checkpoint(leaves).sign(&ann()) };
    let path = consistency_proof(&other, one.len()).expect("within");
    let proof = ForkProof::new(state(&one), state(&other), root(&other[..4]), path).expect("a fork");
    changed(proof.print().as_bytes(), 11, |bytes| {
        let Ok(read) = ForkProof::parse(bytes) else { return };
        assert_eq!(read.print().as_bytes(), bytes, "one print");
        if [&read.first, &read.second].iter().all(|state| Checkpoint::verify(&state.note, &ann().public()).is_ok()) {
            let said =
                |proof: &ForkProof| (proof.root, proof.path.clone(), proof.first.checkpoint, proof.second.checkpoint);
            assert_eq!(said(&read), said(&proof));
        }
    });
}

#[test]
fn no_changed_text_of_cosignatures_vouches_for_another_state() {
    let ben = Seed::from_bytes(&[2; 32]).keys();
    let leaves: Vec<Hash> = (0..9).map(|n| leaf_hash(&[n])).collect();
    let notes = [4, 9].map(|size| {
        let state = checkpoint(&leaves[..size]);
        complete(&state.sign(&ann()), &ann().public(), &cosign(&state, &ben, 1_700_000_000), &ben.public())
    });
    let texts: Vec<&str> = notes.iter().map(amparo::format::note::Note::text).collect();
    changed(cosignatures::print(&notes).as_bytes(), 12, |bytes| {
        for note in cosignatures::parse(bytes).unwrap_or_default() {
            if let Ok(cosigned) = verify_cosigned(&note, &ben.public()) {
                assert!(texts.contains(&note.text()), "{}", note.text());
                assert_eq!(cosigned.time, 1_700_000_000);
            }
            if Checkpoint::verify(&note, &ann().public()).is_ok() {
                assert!(texts.contains(&note.text()), "{}", note.text());
            }
        }
    });
}

#[test]
fn no_changed_share_is_read_but_as_its_one_print() {
    let share = shares::split(&[5; 32], 2, 3, &mut OsRng).remove(0);
    let scope = Scope::Content(Section::main());
    let file = ShareFile { scope, epoch: 3, split: [9; 16], total: 3, share };
    changed(&file.print(), 13, |bytes| {
        let Ok(read) = ShareFile::parse(bytes) else { return };
        assert_eq!(read.print().as_slice(), bytes);
        assert!(read.share == file.share, "the share itself has a checksum");
    });
    let vault = VaultId(Hash::of(b"vault"));
    let [from, to] = [b"from".as_slice(), b"to"].map(|name| MemberId(Hash::of(name)));
    let lent = LentShare { vault, key: KeyId(Hash::of(b"key")), from, to, file };
    changed(&lent.print(), 14, |bytes| {
        let Ok(read) = LentShare::parse(bytes) else { return };
        assert_eq!(read.print().as_slice(), bytes);
        assert!(read.file.share == lent.file.share);
    });
}

#[test]
fn no_changed_short_receipt_is_read_but_as_what_it_says() {
    let leaves: Vec<Hash> = (0..13).map(|n| leaf_hash(&[n])).collect();
    let short = ShortReceipt { checkpoint: checkpoint(&leaves), row: Hash::of(b"row") };
    changed(short.to_string().as_bytes(), 15, |bytes| {
        let Ok(read) = ShortReceipt::parse(bytes) else { return };
        let words = String::from_utf8_lossy(bytes).to_ascii_uppercase();
        assert_eq!(words.split_whitespace().collect::<Vec<_>>().join(" "), read.to_string());
    });
}
