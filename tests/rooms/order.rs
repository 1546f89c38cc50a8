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
    let _row = crate::soak::row(10);
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
        is_in_order(&calls, &from_outside, &identity).unwrap_or_else(|fault| panic!("{context}: {fault}"));
        // Planted: a program that reads before it closes its room, that never closes it, that opens its identity late.
        let closes = |call: &String| call.contains(" landlock_restrict_self(");
        let closed = calls.iter().position(closes).expect("it is closed");
        let outside = calls.iter().position(|call| reads(call, &from_outside)).expect("it is read");
        let mut hasty = calls.clone();
        hasty[..=outside].rotate_right(1);
        let open: Vec<String> = calls.iter().filter(|call| !closes(call)).cloned().collect();
        let late = [&calls[..], &[format!("7 openat(3<{identity}>, \"identity.age\", O_RDONLY) = 4")]].concat();
        let unread: Vec<String> = calls[..=closed].iter().filter(|call| !reads(call, &from_outside)).cloned().collect();
        for (plant, planted) in [("reads first", hasty), ("no room", open), ("identity", late), ("no read", unread)] {
            assert!(is_in_order(&planted, &from_outside, &identity).is_err(), "{context}: {plant}: not seen");
        }
    }
}

/// Whether a call reads what lies at one of these places.
fn reads(call: &str, places: &[String; 2]) -> bool {
    !call.contains(" open") && places.iter().any(|path| call.contains(path))
}

/// Whether the room was closed before anything from outside was read, the identity was opened before, and no other program was begun.
fn is_in_order(calls: &[String], from_outside: &[String; 2], identity: &str) -> Result<(), String> {
    let closed = |name: &str| {
        let of = |call: &String| call.contains(&format!(" {name}(")) && call.ends_with("= 0");
        calls.iter().position(of).ok_or_else(|| format!("no {name}: {calls:#?}"))
    };
    let closed = closed("landlock_restrict_self")?.max(closed("seccomp")?);
    let nothing =
        |what: &str, found: Vec<&String>| if found.is_empty() { Ok(()) } else { Err(format!("{what}: {found:#?}")) };
    nothing("early", calls[..closed].iter().filter(|call| reads(call, from_outside)).collect())?;
    // The rest of a call that another thread's interrupted names what it gave, and no longer how it was asked for.
    let asks = |call: &&String| call.contains(identity) && !call.contains(" resumed>") && !call.contains("O_PATH");
    nothing("late", calls[closed..].iter().filter(asks).collect())?;
    if !calls[closed..].iter().any(|call| reads(call, from_outside)) {
        return Err("nothing was read at all".into());
    }
    match calls.iter().filter(|call| call.contains(" execve(")).count() {
        1 => Ok(()),
        programs => Err(format!("{programs} programs were begun")),
    }
}
