//! The real program under `strace`: the room is closed before the first byte from outside is read, and nothing that it
//! must not reach is opened afterwards.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use super::can_close;
use crate::commands::harness::World;
use crate::peers;

/// The calls of one run, one a line, with the paths of their handles. What is named behind `<` is standard input.
fn traced(world: &World, strace: &Path, who: &str, args: &[&str]) -> Vec<String> {
    let (args, stdin) = match args {
        [args @ .., "<", file] => (args, Stdio::from(File::open(world.path(who).join(file)).expect("a file"))),
        args => (args, Stdio::null()),
    };
    let (home, trace) = (world.home(who), world.path("trace"));
    let mut command = Command::new(strace);
    command.args(["-f", "-y", "-s", "0", "-o"]).arg(&trace);
    command
        .args(["-e", "trace=read,pread64,readv,preadv,mmap,open,openat,openat2,landlock_restrict_self,seccomp,execve"]);
    command.arg(env!("CARGO_BIN_EXE_amparo")).args(args).current_dir(&home).env_clear().env("HOME", &home);
    let output = command.stdin(stdin).output().expect("strace starts");
    // A pouch cannot hold the entry that says that it was packed: a copy that has it finds the pouch older.
    assert!(matches!(output.status.code(), Some(0 | 4)), "amparo {}: {output:?}", args.join(" "));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("without protection"), "{said}");
    std::fs::read_to_string(trace).expect("a trace").lines().map(String::from).collect()
}

#[test]
fn the_room_is_closed_before_the_first_byte_from_outside_is_read() {
    let Some(strace) = peers::program("strace").filter(|_| can_close()) else { return };
    let world = World::with_testimony();
    let digits = world.digits();
    std::fs::create_dir(world.path("stick")).expect("a stick");
    world.run("lawyer", &["custody", "receipt", "K7-0001", "-o", "../stick/r.txt", "--vault", "evidence"]).exits(0);
    let pack = ["pack", "--to", "../reader.card", "-o", "../stick/p.bin", "--parity", "20%", "--vault", "evidence"];
    world.run("lawyer", &pack).exits(0);
    world.carry("reader");
    for name in ["one.txt", "other.txt"] {
        let (to, stick) = (["pack", "--answers", "--to", "Grey Owl", "-o"], format!("../stick/{name}"));
        world.run("lawyer", &["custody", "note", name, "--vault", "evidence"]).exits(0);
        world.run("lawyer", &[&to[..], &[&stick, "--vault", "evidence"]].concat()).exits(0);
    }
    world.copy("lawyer/evidence", "stick/evidence");
    let commands: [&[&str]; 11] = [
        &["verify", "evidence", "--vault-id", &digits],
        &["verify", "evidence", "--receipt", "../stick/r.txt"],
        &["verify", "../stick/p.bin"],
        &["verify", "../stick/p.bin", "../stick/p.bin.parity", "--repair", "whole.bin"],
        &["unpack", "../stick/p.bin", "-o", "new", "--vault-id", &digits, "--sign"],
        &["unpack", "../stick/p.bin", "../stick/p.bin.parity", "--vault", "evidence"],
        &["merge", "../stick/one.txt", "--vault", "evidence"],
        &["merge", "-", "--vault", "evidence", "<", "../stick/other.txt"],
        &["merge", "../stick/evidence", "--vault", "evidence"],
        &["open", "K7-0001", "-o", "opened", "--vault", "evidence"],
        &["custody", "acknowledge", "--vault", "evidence"],
    ];
    let from_outside =
        ["/stick/", "/reader/evidence"].map(|path| format!("{}{path}", world.path("").display()).replace("//", "/"));
    let identity = world.path("reader/.config").display().to_string();
    for args in commands {
        let calls = traced(&world, &strace, "reader", args);
        let context = format!("amparo {}", args.join(" "));
        let closed = |name: &str| {
            let of = |call: &String| call.contains(&format!(" {name}(")) && call.ends_with("= 0");
            calls.iter().position(of).unwrap_or_else(|| panic!("{context}: no {name}: {calls:#?}"))
        };
        let closed = closed("landlock_restrict_self").max(closed("seccomp"));
        let reads = |call: &&String| !call.contains(" open") && from_outside.iter().any(|path| call.contains(path));
        let early: Vec<&String> = calls[..closed].iter().filter(reads).collect();
        assert!(early.is_empty(), "{context}: {early:#?}");
        assert!(calls[closed..].iter().any(|call| reads(&call)), "{context}: nothing was read at all");
        // The rest of a call that another thread's interrupted names what it gave, and no longer how it was asked for.
        let asks = |call: &&String| call.contains(&identity) && !call.contains(" resumed>");
        let late: Vec<&String> = calls[closed..].iter().filter(asks).filter(|call| !call.contains("O_PATH")).collect();
        assert!(late.is_empty(), "{context}: {late:#?}");
        let programs = calls.iter().filter(|call| call.contains(" execve(")).count();
        assert_eq!(programs, 1, "{context}");
    }
}
