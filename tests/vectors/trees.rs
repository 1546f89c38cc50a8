//! Consistency proofs as an independent implementation makes them: Go's `sumdb/tlog`.

use std::path::Path;
use std::process::Command;

use amparo::crypto::hash::Hash;
use amparo::crypto::merkle::{consistency_proof, is_consistent, leaf_hash, root};

use super::{go, run};

#[test]
fn go_proves_the_same_beginnings_of_the_same_trees() {
    let _row = crate::soak::row(11);
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let Some(mut build) = go(folder.path()) else { return };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/trees.go");
    let program = folder.path().join("trees");
    run(build.arg("build").arg("-o").arg(&program).arg(source), b"");
    let text = String::from_utf8(run(Command::new(&program).arg("70"), b"")).expect("text");
    let leaves: Vec<Hash> = (0..70_u8).map(|byte| leaf_hash(&[byte])).collect();
    let mut lines = text.lines();
    for second in 1..=70 {
        for first in 1..=second {
            let (smaller, larger) = (root(&leaves[..first]), root(&leaves[..second]));
            let proof = consistency_proof(&leaves[..second], first).expect("a beginning");
            let mut wanted = vec![first.to_string(), second.to_string(), smaller.to_string(), larger.to_string()];
            wanted.extend(proof.iter().map(ToString::to_string));
            assert_eq!(lines.next(), Some(wanted.join(" ").as_str()));
            assert!(is_consistent(first as u64, smaller, second as u64, larger, &proof));
        }
    }
    assert_eq!(lines.next(), None);
}
