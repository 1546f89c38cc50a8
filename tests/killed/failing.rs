//! The real program on a disk that fails, as far as a system call can play one: a sync that fails, a write that finds no room. The
//! model in `tests/vault/crashes` tries every operation; this holds it against the machine. The judge is that of the kills.

use std::path::Path;

use super::stage::Stage;
use super::verbs::{VERBS, Verb};
use crate::{peers, soak};

/// How many failures of each kind every run tries of each verb.
const OF_EACH: u64 = 2;
const KINDS: [(&[&str], &str); 2] = [(&["fsync", "syncfs", "fdatasync"], "EIO"), (&["write", "pwrite64"], "ENOSPC")];

/// What became of one failure.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// It did not come: this run made fewer such calls than the one that was counted.
    Missed,
    /// The program went on without what failed, and did all of it.
    Done,
    /// It said that it failed.
    Told,
}

/// The code with which the program ends, and that with which a planted one would.
type Code = fn(Option<i32>) -> Option<i32>;

/// Lets one call of a verb fail. What was there is sound, whatever was acknowledged is there, and the same command then succeeds.
fn fails(stage: &Stage, verb: &Verb, strace: &Path, (change, error): (&(String, u64), &str), code: Code) -> Ended {
    let stage = stage.twin();
    let context = format!("amparo {}, {error} at {} number {}", verb.args.join(" "), change.0, change.1);
    let before = stage.before(verb, &context);
    let output = stage.disturbed(verb, strace, change, &format!("error={error}"));
    let trace = std::fs::read_to_string(stage.path("trace")).expect("a trace");
    if !trace.contains("(INJECTED)") {
        return Ended::Missed;
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let ended = match code(output.status.code()) {
        Some(0) => Ended::Done,
        // Each thread counts its own calls: the line that says so may be among those that fail.
        Some(1) if ["error: ", "hint: "].iter().any(|word| said.contains(word)) => Ended::Told,
        code => panic!("{context}: it ends with {code:?}: {said}"),
    };
    if ended == Ended::Done {
        stage.sound_exhibits(verb.who, verb.copy, &context);
        stage.has_said(verb, &before, (verb.who, verb.copy), &context);
    } else {
        assert!(stage.exhibits(verb, &context) >= before.exhibits, "{context}");
    }
    stage.goes_on(verb, &before, &context);
    ended
}

#[test]
fn a_failed_sync_or_a_full_disk_is_told_and_the_same_command_then_succeeds() {
    let _row = soak::row(3);
    let Some(strace) = peers::program("strace") else { return };
    let stage = Stage::set();
    let [seal, merge, _, acknowledge, .., pack, _, unpack] = &VERBS;
    let (mut failed, mut told) = (0, 0);
    for verb in [seal, merge, acknowledge, pack, unpack] {
        let changes = stage.changes(verb, &strace);
        for (calls, error) in KINDS {
            let of_kind: Vec<_> = changes.iter().filter(|(call, _)| calls.contains(&call.as_str())).collect();
            let wanted = usize::try_from(soak::times().saturating_mul(OF_EACH)).expect("few").min(of_kind.len());
            for nth in 0..wanted {
                let change = of_kind[nth * of_kind.len() / wanted];
                match fails(&stage, verb, &strace, (change, error), |code| code) {
                    Ended::Missed => {}
                    ended => (failed, told) = (failed + 1, told + u64::from(ended == Ended::Told)),
                }
            }
        }
    }
    soak::tell(&format!("{failed} calls failed, of which {told} were told"));
    assert!(failed >= 12 && told * 2 > failed, "{failed} failed, {told} were told");
}

#[test]
fn a_program_that_calls_done_what_failed_is_seen() {
    let _row = soak::row(3);
    let Some(strace) = peers::program("strace") else { return };
    let stage = Stage::set();
    let acknowledge = &VERBS[3];
    let changes = stage.changes(acknowledge, &strace);
    let is_seen = changes.iter().filter(|(call, _)| call == "fsync").any(|change| {
        let planted = || fails(&stage, acknowledge, &strace, (change, "EIO"), |_| Some(0));
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(planted)).is_err()
    });
    assert!(is_seen, "not seen at {changes:?}");
}
