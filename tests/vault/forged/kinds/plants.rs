//! Programs that judge forged logs with one fault: the judge sees it. That a verifier is caught whose own check is left
//! out shows `tests/plants`.

use amparo::vault::findings::{Check, Verdict};
use amparo::vault::verify::Verified;

use super::{Program, Scene, faults, ours};
use crate::vectors::written;

/// A program without one check.
fn without(scene: &Scene, left_out: Check) -> Verified {
    let mut seen = ours(scene);
    seen.findings.retain(|finding| finding.check != left_out);
    seen.verdict = seen.findings.iter().map(|finding| finding.weight).max().unwrap_or(Verdict::Valid);
    seen
}

#[test]
fn planted_faults_are_seen() {
    if written::wanted() {
        return;
    }
    let plants: [(&str, Program, &[&str]); 9] = [
        (
            "entries are not read",
            |scene| without(scene, Check::Entry),
            &["forged", "of another vault", "with an entry dropped"],
        ),
        ("nothing is remembered", |scene| without(scene, Check::Behind), &["older"]),
        ("two histories are one", |scene| without(scene, Check::Fork), &["forked", "reordered", "backdated"]),
        (
            "signatures are not checked",
            |scene| without(scene, Check::Signature),
            &["stripped of a signature", "signed with another's key"],
        ),
        ("the root before is not looked at", |scene| without(scene, Check::Tree), &["naming another past"]),
        ("strangers are not told", |scene| without(scene, Check::Foreign), &["of somebody whom nobody admitted"]),
        ("everybody may say everything", |scene| without(scene, Check::Authority), &["without the right"]),
        (
            "what logs say of each other is not compared",
            |scene| without(scene, Check::Reference),
            &["lying about another log"],
        ),
        (
            "whoever was removed is forgotten",
            |scene| {
                let seen = ours(scene);
                Verified { exhibits: seen.exhibits + 1, ..seen }
            },
            &["of a removed member"],
        ),
    ];
    for (plant, program, kinds) in plants {
        let faults = faults(program, 4);
        for kind in kinds {
            assert!(!faults[kind].is_empty(), "{plant}: not seen in logs {kind}");
        }
    }
}
