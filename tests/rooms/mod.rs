//! Bytes from outside are parsed in a room without doors. Whoever takes a parser over is played here: at the very moment
//! at which a command has closed its room, everything that it must not reach is tried, and what it needs is used.

mod calls;
mod order;

use std::fs;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use amparo::store::confine::{self, Right, Unconfined};

use crate::commands::harness::{Around, World};

/// What an attacker would reach for, wherever the world lies.
struct Spoils {
    /// A folder with `identity.age` in it, and with `note`.
    identity: PathBuf,
    /// A folder that no command was told of; `file` lies in it.
    outside: PathBuf,
    vault: PathBuf,
    /// A port, and the path of a socket, behind which somebody listens.
    tcp: TcpListener,
    _unix: UnixListener,
}

impl Spoils {
    fn of(world: &World, who: &str, vault: &str) -> Self {
        let outside = world.path("outside");
        fs::create_dir_all(&outside).expect("a folder");
        fs::write(outside.join("file"), b"as it was").expect("a file");
        fs::write(outside.join("program"), b"#!/bin/sh\nexit 0\n").expect("a file");
        fs::set_permissions(outside.join("program"), fs::Permissions::from_mode(0o755)).expect("a program");
        let socket = outside.join("socket");
        let _ = fs::remove_file(&socket);
        Self {
            identity: world.path(who).join(".config/amparo"),
            vault: world.path(vault),
            tcp: TcpListener::bind("127.0.0.1:0").expect("a port"),
            _unix: UnixListener::bind(&socket).expect("a socket"),
            outside,
        }
    }

    /// What must not succeed, each with its name.
    fn attempts(&self) -> Vec<(&'static str, io::Result<()>)> {
        let (identity, outside) = (self.identity.join("identity.age"), &self.outside);
        let port = self.tcp.local_addr().expect("its address");
        let ends = |child: io::Result<std::process::Child>| child.and_then(|mut child| child.wait()).map(drop);
        let mut file = fs::OpenOptions::new();
        let inside = self.vault.join("blobs");
        vec![
            ("read the identity", fs::read(&identity).map(drop)),
            ("list the identity's folder", fs::read_dir(&self.identity).map(drop)),
            ("write to the identity", file.append(true).open(&identity).map(drop)),
            ("put something beside the identity", fs::write(self.identity.join("planted"), b"x")),
            ("read another file", fs::read(outside.join("file")).map(drop)),
            ("write another file", fs::write(outside.join("file"), b"x")),
            (
                "cut another file short",
                file.truncate(true).append(false).write(true).open(outside.join("file")).map(drop),
            ),
            ("make a file elsewhere", fs::write(outside.join("planted"), b"x")),
            ("make a folder elsewhere", fs::create_dir(outside.join("folder"))),
            ("make a link elsewhere", symlink("/", outside.join("link"))),
            ("rename another file", fs::rename(outside.join("file"), outside.join("moved"))),
            ("bring the identity into the vault", fs::hard_link(&identity, inside.join("identity"))),
            ("make a link in the vault", symlink(&identity, inside.join("link"))),
            ("carry the vault's file out", fs::rename(self.vault.join("VAULT"), outside.join("VAULT"))),
            ("let others read the identity", fs::set_permissions(&identity, fs::Permissions::from_mode(0o644))),
            (
                "read another process",
                fs::read(format!("/proc/{}/environ", std::os::unix::process::parent_id())).map(drop),
            ),
            ("read this process from outside", fs::read("/proc/self/maps").map(drop)),
            ("connect by TCP", TcpStream::connect(port).map(drop)),
            ("listen for TCP", TcpListener::bind("127.0.0.1:0").map(drop)),
            ("send by UDP", UdpSocket::bind("127.0.0.1:0").and_then(|udp| udp.send_to(b"x", port)).map(drop)),
            ("connect to a program here", UnixStream::connect(outside.join("socket")).map(drop)),
            ("talk through a pair of sockets", UnixStream::pair().map(drop)),
            ("send to a program here", UnixDatagram::unbound().map(drop)),
            ("run a program", ends(Command::new("/bin/true").spawn())),
            ("run a script of its own", ends(Command::new(outside.join("program")).spawn())),
            ("take another file's name away", fs::remove_file(outside.join("socket"))),
        ]
    }
}

/// What of it succeeded.
fn succeeded(attempts: Vec<(&'static str, io::Result<()>)>) -> Vec<&'static str> {
    attempts.into_iter().filter(|(_, outcome)| outcome.is_ok()).map(|(name, _)| name).collect()
}

/// Whether this kernel closes rooms; else a line says that nothing was tested.
fn can_close() -> bool {
    let closed = std::thread::spawn(|| confine::this_thread(&Vec::new())).join().expect("no panic");
    match closed {
        Ok(()) => true,
        Err(error @ Unconfined::Kernel) => {
            let required = std::env::var_os("AMPARO_PEERS").is_some_and(|value| value == "required");
            assert!(!required, "{error}");
            let _ = writeln!(io::stderr(), "SKIPPED rooms: {error}");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn what_is_tried_in_a_room_succeeds_outside_of_one() {
    let _row = crate::soak::row(10);
    let world = World::with_testimony();
    let spoils = Spoils::of(&world, "lawyer", "lawyer/evidence");
    let failed: Vec<_> = spoils.attempts().into_iter().filter(|(_, outcome)| outcome.is_err()).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn a_room_holds_what_it_was_given_and_threads_that_begin_in_it_are_in_it() {
    let _row = crate::soak::row(10);
    if !can_close() {
        return;
    }
    let world = World::with_testimony();
    let spoils = Spoils::of(&world, "lawyer", "lawyer/evidence");
    let target = world.path("target");
    fs::create_dir(&target).expect("a folder");
    std::thread::scope(|scope| {
        let inside = scope.spawn(|| {
            confine::this_thread(&vec![(spoils.vault.clone(), Right::Read), (target.clone(), Right::Write)])
                .expect("closed");
            assert_eq!(succeeded(spoils.attempts()), [""; 0]);
            assert_eq!(
                std::thread::scope(|scope| scope.spawn(|| succeeded(spoils.attempts())).join()).expect("no panic"),
                [""; 0]
            );
            fs::read(spoils.vault.join("VAULT")).expect("the vault is read");
            fs::write(spoils.vault.join("planted"), b"x").expect_err("and not written");
            fs::create_dir(target.join("a"))
                .and_then(|()| fs::write(target.join("a/b"), b"x"))
                .expect("the target is written");
            fs::rename(target.join("a/b"), target.join("a/c")).expect("and renamed in");
            fs::rename(target.join("a/c"), target.join("c")).expect_err("within a folder only");
            fs::remove_file(target.join("a/c")).and_then(|()| fs::remove_dir(target.join("a"))).expect("and emptied");
        });
        inside.join().expect("the attacker got nowhere");
    });
    assert_eq!(fs::read(spoils.outside.join("file")).expect("there"), b"as it was");
}

#[test]
fn a_link_that_a_courier_left_leads_nowhere() {
    let _row = crate::soak::row(10);
    if !can_close() {
        return;
    }
    let world = World::with_testimony();
    let secret = world.path("lawyer/.config/amparo/identity.age");
    let pouch = world.path("pouch.bin");
    symlink(&secret, &pouch).expect("a link");
    let read = std::thread::spawn(move || {
        confine::this_thread(&vec![(pouch, Right::Source)]).expect("closed");
        fs::read(secret)
    });
    assert!(read.join().expect("no panic").is_err());
}

#[test]
fn a_process_of_several_threads_is_not_called_confined() {
    let _row = crate::soak::row(10);
    // Here others run, whose part it is.
    let alone = std::thread::spawn(|| confine::whole_process(&Vec::new())).join().expect("no panic");
    assert!(matches!(alone, Err(Unconfined::NotAlone | Unconfined::Kernel)), "{alone:?}");
}

/// Runs a command of somebody, and tries everything at the moment at which it closed its room.
fn attacked(
    world: &World,
    (who, vault): (&str, &str),
    (args, stdin): (&[&str], &[u8]),
    (written, shut): (&[&str], &[&str]),
) {
    let spoils = Spoils::of(world, who, vault);
    let root = world.path("");
    let closed = AtomicUsize::new(0);
    let attack = || {
        closed.fetch_add(1, Ordering::SeqCst);
        assert_eq!(succeeded(spoils.attempts()), [""; 0], "amparo {}", args.join(" "));
        let write = |below: &&str| fs::write(root.join(below).join("planted"), b"x").is_ok();
        assert!(written.iter().all(write), "amparo {}", args.join(" "));
        assert!(!shut.iter().any(write), "amparo {}", args.join(" "));
        for below in written {
            fs::remove_file(root.join(below).join("planted")).expect("it was");
        }
    };
    let outcome = world.run_in(who, args, &Around { attack: Some(&attack), stdin, ..Around::default() });
    assert_eq!(closed.load(Ordering::SeqCst), 1, "amparo {}: the room was closed so often", args.join(" "));
    outcome.exits(0);
}

#[test]
fn each_command_that_parses_bytes_from_outside_closes_its_room_and_does_its_work_in_it() {
    let _row = crate::soak::row(10);
    if !can_close() {
        return;
    }
    let world = World::with_testimony();
    let digits = world.digits();
    fs::create_dir(world.path("out")).expect("a folder");
    world.carry("reader");
    world.carry("monitor");
    world.copy("lawyer/evidence", "stick/evidence");
    world.run("lawyer", &["custody", "receipt", "K7-0001", "-o", "../r.txt", "--vault", "evidence"]).exits(0);
    world.run("lawyer", &["pack", "--to", "../reader.card", "-o", "../p.bin", "--vault", "evidence"]).exits(0);
    let known = |args: &[&'static str]| -> Vec<String> {
        args.iter().map(ToString::to_string).chain(["--vault-id".into(), digits.clone()]).collect()
    };
    let run = |who: &str, args: &[&'static str], written: &[&str], shut: &[&str]| {
        let args = known(args);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        attacked(&world, (who, &format!("{who}/evidence")), (&args, b""), (written, shut));
    };
    run(
        "monitor",
        &["verify", "evidence"],
        &["monitor/.local/state/amparo"],
        &["monitor", "monitor/evidence", "stick"],
    );
    run(
        "monitor",
        &["verify", "evidence", "--report", "../out/report.md", "--names", "full"],
        &[],
        &["monitor/evidence", "."],
    );
    run(
        "monitor",
        &["verify", "evidence", "--cosign", "--cosignatures", "../out/c.txt"],
        &["monitor/evidence"],
        &["."],
    );
    run("monitor", &["verify", "evidence", "--fork-proof", "../out/f.txt"], &[], &["monitor/evidence", "."]);
    run("lawyer", &["verify", "../r.txt", "--owner", "../lawyer.card"], &[], &["lawyer/evidence", "."]);
    run("reader", &["verify", "../p.bin"], &[], &["reader/evidence", "reader", "."]);
    run("lawyer", &["merge", "../out/c.txt", "--vault", "evidence"], &["lawyer/evidence"], &["lawyer", "."]);
    run(
        "reader",
        &["open", "K7-0001", "-o", "opened", "--vault", "evidence"],
        &["reader/evidence", "reader/opened"],
        &["reader"],
    );
    run(
        "monitor",
        &["merge", "../stick/evidence", "--vault", "evidence"],
        &["monitor/evidence"],
        &["stick/evidence", "monitor"],
    );
    world.run("lawyer", &["custody", "offer", "--to", "Red Kite", "--vault", "evidence"]).exits(0);
    world.hand("lawyer", "monitor");
    run("monitor", &["custody", "acknowledge", "--vault", "evidence"], &["monitor/evidence"], &["monitor"]);
    nothing_is_left(&world);
}

/// Of all commands these read the most hostile bytes, and write the most beside what they make.
#[test]
fn a_pouch_and_answers_are_taken_in_and_repaired_in_a_room() {
    let _row = crate::soak::row(10);
    if !can_close() {
        return;
    }
    let world = World::with_testimony();
    for folder in ["out", "stick"] {
        fs::create_dir(world.path(folder)).expect("a folder");
    }
    let pack = ["pack", "--to", "../reader.card", "-o", "../stick/p.bin", "--parity", "20%", "--vault", "evidence"];
    world.run("lawyer", &pack).exits(0);
    let run = |who: &str, vault: &str, args: &[&str], written: &[&str]| {
        attacked(&world, (who, vault), (args, b""), (written, &[who, "out", "stick", "."]));
    };
    let answer = ["--sign", "--answer", "../out/answer.txt"];
    let unpack = ["unpack", "../stick", "-o", "new", "--owner", "../lawyer.card"];
    run("reader", "reader/new", &[&unpack[..], &answer[..]].concat(), &["reader/new", "reader/.local/state/amparo"]);
    run("reader", "reader/new", &["unpack", "../stick/p.bin", "--vault", "new"], &["reader/new"]);
    run("lawyer", "lawyer/evidence", &["merge", "../out/answer.txt", "--vault", "evidence"], &["lawyer/evidence"]);
    world.run("lawyer", &["custody", "note", "by bus", "--vault", "evidence"]).exits(0);
    let answers = ["pack", "--answers", "--to", "Grey Owl", "-o", "../out/a.txt", "--vault", "evidence"];
    world.run("lawyer", &answers).exits(0);
    let (merge, shut) = (["merge", "-", "--vault", "new"], ["reader", "out"]);
    attacked(&world, ("reader", "reader/new"), (&merge, &world.read("out/a.txt")), (&["reader/new"], &shut));
    let pouch = world.read("stick/p.bin");
    let mut damaged = pouch.clone();
    damaged[9000..9200].fill(0);
    world.write("stick/p.bin", &damaged);
    let repair = ["verify", "../stick/p.bin", "../stick/p.bin.parity", "--repair", "../out/whole.bin"];
    run("lawyer", "lawyer/evidence", &repair, &[]);
    assert!(world.read("out/whole.bin") == pouch);
    nothing_is_left(&world);
}

#[test]
fn what_a_pouch_would_have_brought_is_taken_back_with_its_marks() {
    let _row = crate::soak::row(10);
    let world = World::with_testimony();
    fs::create_dir(world.path("stick")).expect("a folder");
    let pack = ["pack", "--to", "../reader.card", "-o", "../stick/p.bin", "--vault", "evidence"];
    world.run("lawyer", &pack).exits(0);
    let before = world.files("monitor");
    let unpack = ["unpack", "../stick", "-o", "new", "--owner", "../lawyer.card"];
    world.run("monitor", &[&unpack[..], &["--sign", "--answer", "../stick/a.txt"]].concat()).exits(12);
    world.typing("monitor", &unpack, &[]).exits(12).never_says("no part of the pouch");
    world.run("monitor", &["verify", "../stick/p.bin", "--repair", "../stick/r.bin"]).exits(4);
    // In the folder of the pouch itself: what was made ahead is no part of it.
    world.typing("stick", &["identity", "new", "--name", "Tern", "--no-passphrase"], &[]).exits(0);
    world.typing("stick", &["unpack", ".", "-o", "../new"], &[]).exits(12).never_says("no part of the pouch");
    assert_eq!(world.files("monitor"), before);
    assert!(!world.path("monitor/new").exists() && !world.path("new").exists());
    nothing_is_left(&world);
}

/// What was made ahead and not needed is gone.
fn nothing_is_left(world: &World) {
    let is_left =
        |file: &String| [".unfinished", ".restored", ".answer", "f.txt", "r.bin"].iter().any(|end| file.ends_with(end));
    assert_eq!(world.files("").into_iter().find(is_left), None);
}

#[test]
fn a_kernel_that_closes_no_room_is_told_of_loudly_and_the_work_is_done() {
    let _row = crate::soak::row(10);
    let world = World::with_testimony();
    let in_part: [fn() -> Unconfined; 3] = [
        || Unconfined::NotAlone,
        || Unconfined::Files { reason: "no rule was taken".into() },
        || Unconfined::Calls { reason: "no filter was taken".into() },
    ];
    for why in in_part {
        let unable = || Err(why());
        let told =
            world.run_in("lawyer", &["verify", "evidence"], &Around { kernel: Some(&unable), ..Around::default() });
        told.exits(0).says("warning: what comes from outside is parsed without protection").says(&why().to_string());
    }
    let unable = || Err(Unconfined::Kernel);
    let run = |args: &[&str]| world.run_in("lawyer", args, &Around { kernel: Some(&unable), ..Around::default() });
    run(&["verify", "evidence"]).exits(0).says("warning: what comes from outside is parsed without protection");
    let warned = run(&["verify", "evidence", "--json"]).exits(0).json();
    assert!(warned["warnings"][0].as_str().is_some_and(|warning| warning.contains("without protection")), "{warned}");
    run(&["verify", "evidence", "--quiet"]).exits(0).says("without protection");
}

#[test]
fn what_was_made_ahead_and_not_needed_is_taken_back() {
    let _row = crate::soak::row(10);
    let world = World::with_testimony();
    world.carry("monitor");
    world
        .run(
            "monitor",
            &["verify", "evidence", "--report", "r.md", "--names", "full", "--checkpoint", "evidence/VAULT"],
        )
        .exits(1);
    world.run("monitor", &["open", "K7-9999", "-o", "opened", "--vault", "evidence", "--vault-id", &world.digits()]);
    for name in ["r.md", "opened"] {
        assert!(!Path::new(&world.path("monitor").join(name)).exists(), "{name}");
    }
}
