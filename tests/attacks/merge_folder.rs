//! A folder that somebody hands over to be merged, made to exhaust, trap or trick whoever does.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::commands::harness::World;

const JUNK: usize = 100_000;
/// So many where the program is measured, which has been built to be read, not to be fast.
const DECOYS: usize = 8_000;
/// Data in memory, in MiB.
const MEMORY_MAX: u64 = 256;
const MEMORY_TOO_LITTLE: u64 = 4;
/// Of a processor.
const SECONDS_MAX: u64 = 5;
/// Generously, on a slow machine that does other things as well.
const TIME_MAX: Duration = Duration::from_mins(2);
/// What a person is told, and a script.
const TEXT_BYTES_MAX: usize = 1 << 20;

fn junk(folder: &Path, count: usize, name: impl Fn(usize) -> String) {
    fs::create_dir_all(folder).expect("a folder");
    for n in 0..count {
        fs::File::create(folder.join(name(n))).expect("an empty file");
    }
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("a pipe");
}

/// The lawyer's newer copy, with everything around it that a file system can hold.
fn hostile(world: &World, other: &World, count: usize) {
    world.copy("lawyer/evidence", "stick");
    let stick = world.path("stick");
    let log = fs::read_dir(stick.join("logs")).expect("logs").flatten().next().expect("a log").path();
    let id = log.file_name().expect("a name").to_string_lossy().into_owned();
    junk(&stick.join("blobs/ab"), count / 4, |n| format!("ab{n:062x}"));
    junk(&stick.join("blobs/cd"), count / 4, |n| format!("junk\u{1b}[2J {n}"));
    junk(&log.join("entries/00000000"), count / 4, |n| format!("{n:010}-{n:064x}-{n:064x}"));
    junk(&stick.join("keys"), count / 8, |n| format!("{n:064x}.age"));
    junk(&log.join("checkpoints"), count / 16, |n| format!("{n:010}-{n:064x}"));
    junk(&log.join("cosign"), count / 16, |n| format!("{n:064x}"));
    // The founder's log under the id of nobody, and the log of another vault under the founder's.
    world.copy(&format!("stick/logs/{id}"), &format!("stick/logs/{}", "0".repeat(32)));
    for item in fs::read_dir(other.path("lawyer/evidence/logs")).expect("logs").flatten() {
        world.copy_from(&item.path(), &format!("stick/logs/{id}"));
    }
    let name = |n: u8| format!("blobs/ef/ef{}", format!("{n:02x}").repeat(31));
    fs::create_dir_all(stick.join("blobs/ef")).expect("a folder");
    pipe(&stick.join(name(1)));
    UnixListener::bind(world.path("s")).map(drop).expect("a socket");
    fs::rename(world.path("s"), stick.join(name(2))).expect("moved");
    symlink("/dev/zero", stick.join(name(3))).expect("a link");
    symlink(world.path("reader"), stick.join(name(4))).expect("a link");
    let free =
        (0..=255).map(|n| format!("blobs/{n:02x}")).find(|shelf| !stick.join(shelf).exists()).expect("a free shelf");
    symlink("/", stick.join(free)).expect("a link");
    symlink(".", stick.join("logs/11111111111111111111111111111111")).expect("a link");
    pipe(&stick.join("logs/22222222222222222222222222222222"));
    pipe(&log.join("entries/00000000/a pipe"));
    let deep = format!("blobs/ee/{}", "d/".repeat(900));
    fs::create_dir_all(stick.join(deep)).expect("deep folders");
    let file = fs::File::create(stick.join(name(5))).expect("a file");
    file.set_len(1 << 40).expect("a hole of a terabyte");
}

/// A copy of everybody's, and a newer one of the lawyer's, from which the monitor has merged.
fn people_with_copies() -> World {
    let world = World::with_testimony();
    for who in ["reader", "monitor"] {
        world.carry(who);
        world.run(who, &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    }
    world.write("lawyer/more.txt", b"more");
    world.run("lawyer", &["seal", "more.txt", "--vault", "evidence"]).exits(0);
    world.run("monitor", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(0);
    world
}

/// The program itself, with so much memory for its data, and so many seconds of a processor.
fn limited(world: &World, who: &str, mebibytes: u64, seconds: u64, args: &[&str]) -> Output {
    let limits = format!("ulimit -d {} && ulimit -t {seconds} && exec \"$@\"", mebibytes << 10);
    let mut command = Command::new("sh");
    command.args(["-c", &limits, "sh", env!("CARGO_BIN_EXE_amparo")]).args(args);
    let home = world.home(who);
    command.current_dir(&home).env_clear().env("HOME", &home).env("AMPARO_VAULT", "evidence");
    command.output().expect("a shell starts it")
}

/// A file of a terabyte, of which nothing is on the disk, under each kind of name; and folders within folders.
fn huge(stick: &Path, log: &Path) {
    let hash = "f".repeat(64);
    let names = [
        stick.join(format!("blobs/ff/{hash}")),
        stick.join(format!("keys/{hash}/{hash}.age")),
        log.join(format!("entries/00000000/0000000003-{hash}-{hash}")),
        log.join(format!("checkpoints/0000000003-{hash}")),
        log.join(format!("cosign/{hash}")),
        stick.join("huge"),
    ];
    for name in names {
        fs::create_dir_all(name.parent().expect("a folder")).expect("folders");
        fs::File::create(name).and_then(|file| file.set_len(1 << 40)).expect("a hole of a terabyte");
    }
    for below in ["keys", "logs", "blobs"] {
        fs::create_dir_all(stick.join(below).join("d/".repeat(900))).expect("deep folders");
    }
}

/// RELIABILITY: thousands of decoys, files without an end and folders without a bottom cost at most 256 MiB and 5 seconds.
#[test]
fn a_hostile_folder_is_merged_in_bounded_memory_and_time() {
    let world = people_with_copies();
    hostile(&world, &World::with_testimony(), DECOYS);
    let stick = world.path("stick");
    let log = fs::read_dir(world.path("lawyer/evidence/logs")).expect("logs").flatten().next().expect("a log");
    huge(&stick, &stick.join("logs").join(log.file_name()));
    let merge = ["merge", "../stick"];
    let starved = limited(&world, "reader", MEMORY_TOO_LITTLE, SECONDS_MAX, &merge);
    assert!(!starved.status.success(), "a limit that does not bind shows nothing");
    let hurried = limited(&world, "reader", MEMORY_MAX, 0, &merge);
    assert!(!hurried.status.success(), "the same of a limit of time");
    let merged = limited(&world, "reader", MEMORY_MAX, SECONDS_MAX, &merge);
    let said = String::from_utf8_lossy(&merged.stderr).into_owned();
    assert_eq!(merged.status.code(), Some(0), "{:?}: {said}", merged.status);
    assert_eq!(world.tree("reader/evidence"), world.tree("monitor/evidence"));
    for args in [["verify", "../stick"], ["doctor", "--json"]] {
        let looked = limited(&world, "reader", MEMORY_MAX, SECONDS_MAX, &args);
        assert!(looked.status.code().is_some(), "{args:?}: {:?}", looked.status);
    }
}

#[test]
fn a_hostile_folder_gives_what_belongs_here_and_nothing_else_in_bounded_time() {
    let world = people_with_copies();
    hostile(&world, &World::with_testimony(), JUNK);

    let began = Instant::now();
    let merged = world.run("reader", &["merge", "../stick", "--vault", "evidence"]);
    assert!(began.elapsed() < TIME_MAX, "{:?}", began.elapsed());
    assert!(merged.out.len() + merged.err.len() < TEXT_BYTES_MAX, "{} bytes", merged.out.len() + merged.err.len());
    merged.exits(0).says("MERGED").says("left in the other copy").never_says("\u{1b}");
    assert_eq!(
        world.tree("reader/evidence"),
        world.tree("monitor/evidence"),
        "as from the clean copy, and no file more"
    );
    world.run("reader", &["verify", "evidence"]).exits(0);
    world.run("reader", &["open", "K7-0002", "-o", "out", "--vault", "evidence"]).exits(0);
    let again = world.run("reader", &["merge", "../stick", "--vault", "evidence", "--json"]).exits(0);
    assert!(again.out.len() < 64 * TEXT_BYTES_MAX, "{} bytes", again.out.len());
}
