//! The filter of the real program, as the kernel was given it, tried with calls that no library makes.

use std::process::{Command, Stdio};

use super::can_close;
use crate::commands::harness::World;
use crate::peers;

/// What each call ends with, without the filter and with it.
const ANSWERS: [(&str, &[&str], &str); 11] = [
    ("type for her", &["ENOTTY"], "EPERM"),
    ("type for her, in other bits", &["ENOTTY"], "EPERM"),
    ("type by the console's clipboard", &["ENOTTY"], "EPERM"),
    // Where rings are switched off for all, the filter makes no difference to see.
    ("ask by a ring", &["EFAULT", "EPERM"], "EPERM"),
    ("a socket", &["done"], "EPERM"),
    ("a socket, by x32", &["ENOSYS", "done"], "EPERM"),
    ("a ring, by x32", &["ENOSYS", "EFAULT"], "EPERM"),
    ("type for her, by x32", &["ENOSYS", "ENOTTY"], "EPERM"),
    ("a program, by x32", &["ENOSYS", "EFAULT"], "EPERM"),
    ("another machine's number", &["done"], "SIGSYS"),
    ("what is not refused", &["done"], "done"),
];

#[test]
fn calls_that_lead_around_the_list_are_refused_as_well() {
    let _row = crate::soak::row(10);
    let Some((strace, python)) = peers::program("strace").zip(peers::program("python3")).filter(|_| can_close()) else {
        return;
    };
    if !cfg!(target_arch = "x86_64") {
        return; // the numbers are those of that machine
    }
    let world = World::with_vault();
    let (home, trace) = (world.home("lawyer"), world.path("trace"));
    let mut command = Command::new(strace);
    command.args(["-f", "-X", "raw", "-v", "-e", "trace=seccomp", "-o"]).arg(&trace);
    command.arg(env!("CARGO_BIN_EXE_amparo")).args(["verify", "evidence"]);
    let output = command.current_dir(&home).env_clear().env("HOME", &home).stdin(Stdio::null()).output();
    assert_eq!(output.expect("strace starts").status.code(), Some(0));
    let mut python = Command::new(python);
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rooms/calls.py"));
    let trace = std::fs::File::open(trace).expect("a trace");
    let output = python.stdin(trace).output().expect("Python starts");
    let told = String::from_utf8(output.stdout).expect("text");
    let mut lines = told.lines();
    for (call, without, with) in ANSWERS {
        let line = lines.next().unwrap_or_default();
        let answers = line.strip_prefix(&format!("{call}: ")).and_then(|answers| answers.split_once(", "));
        let is_so = answers.is_some_and(|(first, second)| without.contains(&first) && second == with);
        assert!(is_so, "{call}: {told}{}", String::from_utf8_lossy(&output.stderr));
    }
}
