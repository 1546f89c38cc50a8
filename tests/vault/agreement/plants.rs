//! The second verifier broken on purpose, a check at a time: forged, forked, older, stripped and removed logs are told from honest
//! ones by these checks, and handovers from each other; without any of them some case is judged otherwise than its file says.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Second, cases_below};
use crate::vectors::case;

/// A check left out: what for, its file, its text, what stands there instead, and where the cases lie of which one tells.
const FAULTS: [(&str, &str, &str, &str, &str); 15] = [
    (
        "an entry names the root before it",
        "histories.py",
        "before = nodes.get((entry.seq, entry.previous))",
        "before = next((node for key, node in nodes.items() if key[0] == entry.seq), None)",
        "entries",
    ),
    ("both lines hold", "notes.py", "above < below and holds(classic, quantum)", "above < below", "states"),
    ("a removed member is late", "standing.py", "if self.is_cut(told, self.grants):", "if False:", "cuts"),
    (
        "a role allows what is said",
        "standing.py",
        "if not self.is_closed(told) and self._is_allowed(told):",
        "if not self.is_closed(told):",
        "authority",
    ),
    (
        "two histories of one log",
        "custody.py",
        "if any(not self.is_past_cut(log, self._where(log, state)) for state in log.forks):",
        "if False:",
        "histories",
    ),
    (
        "this device remembers more",
        "custody.py",
        "if here is None or checkpoint.size > len(here.story):",
        "if here is None:",
        "memory",
    ),
    ("what a monitor saw", "cosignatures.py", "elif note.size > len(log.story):", "elif False:", "cosignatures"),
    (
        "of who was removed a check is needed",
        "cosignatures.py",
        "if member not in standing.cuts:",
        "if True:",
        "cosignatures",
    ),
    (
        "a monitor is one when she checks",
        "cosignatures.py",
        "all(by.saw(cut.by) for cut in standing.cuts_on(check))",
        "True",
        "cosignatures",
    ),
    (
        "an entry is of this vault and log",
        "histories.py",
        "if not entry.vault_in(vault) or entry.seq == 0 and not entry.begins_its_log():",
        "if entry.seq == 0 and not entry.begins_its_log():",
        "entries",
    ),
    (
        "only she answers to whom it was offered",
        "handovers.py",
        r#"offer.entry.leaf == named["leaf"] and offer.entry.body["to"] == told.member"#,
        r#"offer.entry.leaf == named["leaf"]"#,
        "handovers",
    ),
    (
        "a discrepancy stays one",
        "handovers.py",
        "TABLE = (AMISS, WHOLE, DECLINED)",
        "TABLE = (WHOLE, AMISS, DECLINED)",
        "handovers",
    ),
    (
        "a pouch carries offers to whom it is for",
        "handovers.py",
        r#"self.offers[told.log.id, seq].entry.body["to"] in body["to"]"#,
        "True",
        "handovers",
    ),
    ("what was sealed since was not handed over", "handovers.py", "each.subject not in since", "True", "handovers"),
    (
        "another exhibit under the number that was offered",
        "handovers.py",
        r#"if row_leaf(sealing.rows[at].data) == exhibit["row"] else None"#,
        "",
        "handovers",
    ),
];

/// The cases that a verifier in this folder judges otherwise than their files say.
pub(super) fn differing(folder: &Path, cases: &[PathBuf]) -> Option<Vec<String>> {
    let mut second = Second::start_from(folder, true)?;
    for case in cases {
        second.ask(case);
    }
    let answers = second.end().into_iter().filter(|(_, differences)| !differences.is_empty());
    let name = |path: &Path| path.strip_prefix(case::home()).expect("a case").to_str().expect("text").to_string();
    Some(answers.map(|(path, _)| name(&path)).collect())
}

/// The second verifier with one text of one file replaced, in a folder of its own.
pub(super) fn broken(file: &str, check: &str, instead: &str) -> tempfile::TempDir {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let broken = tempfile::tempdir().expect("a folder");
    let package = broken.path().join("second_verifier");
    fs::create_dir(&package).expect("a folder");
    for item in fs::read_dir(tests.join("second_verifier")).expect("its files").flatten() {
        if item.path().is_file() {
            fs::copy(item.path(), package.join(item.file_name())).expect("copied");
        }
    }
    let text = fs::read_to_string(package.join(file)).expect("text");
    assert_eq!(text.matches(check).count(), 1, "{file}: {check}");
    fs::write(package.join(file), text.replace(check, instead)).expect("written");
    broken
}

#[test]
fn a_verifier_that_leaves_out_a_check_of_logs_is_seen() {
    let _row = crate::soak::row(12);
    for (what, file, check, instead, cases) in FAULTS {
        let broken = broken(file, check, instead);
        let cases = cases_below(&case::home().join(cases));
        let Some(differing) = differing(broken.path(), &cases) else { return };
        assert!(!differing.is_empty(), "{what}: not missed in {} cases", cases.len());
    }
}
