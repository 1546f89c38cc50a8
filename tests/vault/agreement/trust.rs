//! Whom the second verifier takes for the founder: the owner of the card that was given, and nobody else. Both verifiers judge
//! `tests/vectors/vaults/trust`; here the second one is broken on purpose, and each time a case tells.

use std::path::Path;

use super::plants::{broken, differing};
use crate::vectors::case;

const BY_A_CARD: [&str; 7] = [
    "golden/bytes-founder",
    "golden/founders-card",
    "trust/a-member-who-did-not-found-it",
    "trust/the-founding-entry-in-anothers-log",
    "trust/one-of-two-lines",
    "trust/a-state-to-which-the-names-do-not-lead",
    "trust/a-member-sees-who-founded-it",
];

/// A check left out: its file, its text, what stands there instead, and the case that tells.
const FAULTS: [(&str, &str, &str, &str); 7] = [
    (
        "bytes_level.py",
        "if is_founding(folder, vault):\n            leaves",
        "if True:\n            leaves",
        "trust/a-member-who-did-not-found-it",
    ),
    (
        "bytes_level.py",
        "if root_of(leaves[:checkpoint.size]) == checkpoint.root:\n                        return",
        "if True:\n                        return",
        "trust/the-founding-entry-in-anothers-log",
    ),
    (
        "bytes_level.py",
        "if root_of(leaves[:checkpoint.size]) == checkpoint.root:\n                        return",
        "if True:\n                        return",
        "trust/a-state-to-which-the-names-do-not-lead",
    ),
    (
        "bytes_level.py",
        "checkpoint.signed_by(card) is Lines.HOLD:\n                    if root_of",
        "checkpoint.signed_by(card) is not Lines.NONE:\n                    if root_of",
        "trust/one-of-two-lines",
    ),
    ("vault.py", "asked.owner.member != custody.founder.member", "False", "trust/a-member-sees-who-founded-it"),
    ("vault.py", "report.trusted |= asked.owner is not None", "pass", "golden/founders-card"),
    ("vault.py", "report.trusted |= signed", "pass", "golden/bytes-founder"),
];

#[test]
fn a_second_verifier_that_trusts_another_card_than_the_founders_is_seen() {
    let _row = crate::soak::row(12);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let cases = BY_A_CARD.map(|name| case::home().join(name));
    match differing(&tests, &cases) {
        None => return,
        Some(differing) => assert!(differing.is_empty(), "{differing:?}"),
    }
    for (file, check, instead, case) in FAULTS {
        let broken = broken(file, check, instead);
        let differing = differing(broken.path(), &cases).expect("it was found before");
        assert!(differing.iter().any(|name| name == case), "{file} without {check:?}: only {differing:?} differ");
    }
}
