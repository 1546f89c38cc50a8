//! The real binary, killed, interrupted and locked out: what was acknowledged stays, the rest was never there, and the
//! next command goes on. This file kills `seal` and interrupts it; [`verbs`] kills what people do between
//! them, on the [`stage`], [`failing`] lets their calls fail, [`synced`] looks at what they make durable; [`pouches`]
//! kills an unpacking of many files; [`lean`] gives it less memory than a pouch is long; [`plants`] shows that it would
//! see a program that forgets one of its duties.

mod failing;
mod lean;
mod plants;
mod pouches;
mod stage;
mod synced;
mod verbs;

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::{peers, soak};

const SOURCE: &str = "what was said\n\nand then\n";

/// A lawyer's device: a home of its own, a vault that she can open herself, one source.
struct Laptop {
    folder: tempfile::TempDir,
}

impl Laptop {
    fn new() -> Self {
        let laptop = Self { folder: tempfile::tempdir().expect("a folder") };
        std::fs::write(laptop.path("source.txt"), SOURCE).expect("a source");
        laptop.expect(0, &["identity", "new", "--name", "Blue Heron", "--no-passphrase", "--quiet"]);
        laptop.expect(0, &["init", "vault", "--quiet"]);
        laptop.expect(0, &["--vault", "vault", "seal", "source.txt", "--quiet"]);
        laptop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear().env("HOME", self.folder.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(amparo()).args(args).output().expect("the program starts")
    }

    fn expect(&self, exit: i32, args: &[&str]) -> Output {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(exit), "amparo {}: {said}", args.join(" "));
        output
    }

    /// How many exhibits a check of everything finds, none of them wanting anything.
    fn sound_exhibits(&self, context: &str) -> u64 {
        let output = self.run(&["--vault", "vault", "verify", "--json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect(context);
        assert_eq!(report["verdict"], "valid", "{context}: {report:#}");
        report["exhibits"].as_u64().expect("a count")
    }

    /// Whether the device tells of what an interrupted sealing left.
    fn tells_of_orphans(&self, context: &str) -> bool {
        let output = self.run(&["--vault", "vault", "doctor", "--json"]);
        tells_of_orphans(&serde_json::from_slice(&output.stdout).expect(context))
    }

    /// The labels of all exhibits.
    fn labels(&self) -> Vec<String> {
        let output = self.expect(0, &["--vault", "vault", "list", "--json"]);
        let list: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let exhibits = list["exhibits"].as_array().expect("a list").iter();
        exhibits.map(|one| one["id"].as_str().expect("a label").to_string()).collect()
    }

    /// What an exhibit holds, as its reader opens it.
    fn opened(&self, label: &str) -> String {
        let output = self.expect(0, &["--vault", "vault", "open", label, "--stdout"]);
        String::from_utf8(output.stdout).expect("text")
    }
}

/// Whether what `doctor` says names files that no exhibit has.
fn tells_of_orphans(doctor: &serde_json::Value) -> bool {
    let advice = doctor["advice"].as_array().expect("advice").iter();
    let mut texts = advice.map(|advice| advice["text"].as_str().expect("a text"));
    texts.any(|text| text.contains("are left of an interrupted") || text.contains("that was interrupted"))
}

fn amparo() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_amparo"))
}

/// Calls that change something, and before each how many of them a kill comes. Most of what `openat` opens it does not make.
const CALLS: [(&str, usize); 10] = [
    ("openat", 12),
    ("write", 5),
    ("pwrite64", 5),
    ("fsync", 5),
    ("syncfs", 1),
    ("unlinkat", 5),
    ("mkdirat", 2),
    ("renameat2", 1),
    ("linkat", 1),
    ("utimensat", 8),
];

impl Laptop {
    fn blobs(&self) -> u64 {
        files(&self.path("vault/blobs")).len() as u64
    }

    /// Kills a sealing before a call, unless it ends before.
    fn killed(&self, strace: &Path, call: &str, nth: usize) -> Output {
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=KILL:when={nth}"));
        let mut command = self.command(strace);
        command.args(["-f", "-o", "/dev/null", "-e", &trace, "-e", &inject]).arg(amparo());
        command.args(["--vault", "vault", "seal", "source.txt"]).output().expect("strace starts")
    }

    /// What was sealed and what was acknowledged is there and opens, and what is left is told of. How many exhibits there are, and
    /// whether something was left; each exhibit has so many blobs.
    fn survived(&self, output: &Output, (sealed, of_each): (u64, u64), context: &str) -> (u64, bool) {
        let told = String::from_utf8_lossy(&output.stdout).matches("SEALED").count() as u64;
        let found = self.sound_exhibits(context);
        assert!(found >= sealed + told, "{context}: {found} exhibits, {sealed} before, {told} acknowledged");
        // Before opening, which goes on with it.
        let leaves = self.blobs() > found * of_each;
        assert!(!leaves || self.tells_of_orphans(context), "{context}: nothing tells of what is left");
        assert_eq!(self.opened(self.labels().last().expect("an exhibit")), SOURCE, "{context}");
        (found, leaves)
    }
}

#[test]
fn killed_before_any_change_on_the_disk() {
    let _row = soak::row(1);
    let Some(strace) = peers::program("strace") else { return };
    let laptop = Laptop::new();
    let mut sealed = laptop.sound_exhibits("at first");
    let of_each = laptop.blobs() / sealed;
    let (mut kills, mut orphans) = (0, 0);
    let often = usize::try_from(soak::times()).unwrap_or(usize::MAX);
    for (call, stride) in CALLS {
        for nth in (1..).step_by((stride / often).max(1)) {
            let output = laptop.killed(&strace, call, nth);
            let context = format!("killed before {call} number {nth}");
            let (found, leaves) = laptop.survived(&output, (sealed, of_each), &context);
            sealed = found;
            orphans += u64::from(leaves);
            if output.status.success() {
                break;
            }
            kills += 1;
        }
    }
    soak::tell(&format!("{kills} kills of seal, {orphans} of which left files that were told of"));
    assert!(kills > 30 && orphans > 0, "only {kills} kills, and {orphans} that left something");
    laptop.expect(0, &["--vault", "vault", "seal", "source.txt"]);
    assert_eq!(laptop.sound_exhibits("at last"), sealed + 1);
}

/// Planted: a program that notes nowhere what it is about to write, and one that takes back what it has acknowledged.
#[test]
fn a_sealing_that_forgets_a_duty_is_seen() {
    let _row = soak::row(1);
    let Some(strace) = peers::program("strace") else { return };
    let plants: [fn(&Laptop); 2] = [
        |laptop| forget_notes(&laptop.path(".local/state/amparo")),
        |laptop| {
            let entries = files(&laptop.path("vault/logs"))
                .into_keys()
                .filter(|path| path.to_string_lossy().contains("/entries/"));
            std::fs::remove_file(entries.max().expect("an entry")).expect("removed");
        },
    ];
    for (number, plant) in plants.into_iter().enumerate() {
        let laptop = Laptop::new();
        let of_each = laptop.blobs();
        let mut kills = CALLS.iter().flat_map(|(call, _)| [1, 2, 4].map(|nth| (*call, nth)));
        let is_seen = kills.any(|(call, nth)| {
            let output = laptop.killed(&strace, call, nth);
            plant(&laptop);
            let judged = || laptop.survived(&output, (1, of_each), "planted");
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(judged)).is_err()
        });
        assert!(is_seen, "plant {number} is not seen");
    }
}

/// Removes what a device remembers of files that were about to be written.
fn forget_notes(memory: &Path) {
    for vault in std::fs::read_dir(memory).expect("a memory").flatten() {
        let _ = std::fs::remove_dir_all(vault.path().join("wrote"));
    }
}

#[test]
fn interrupted_in_the_middle_of_a_large_file() {
    let laptop = Laptop::new();
    let before = laptop.sound_exhibits("at first");
    std::fs::File::create(laptop.path("large.bin")).and_then(|file| file.set_len(8 << 30)).expect("a sparse file");
    let mut sealing = laptop
        .command(amparo())
        .args(["--vault", "vault", "seal", "large.bin"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(Duration::from_millis(1500));
    let signalled = Command::new("kill").args(["-INT", &sealing.id().to_string()]).status().expect("kill runs");
    assert!(signalled.success());
    assert_eq!(sealing.wait().expect("it ends").code(), Some(130));
    assert_eq!(laptop.sound_exhibits("after Ctrl-C"), before);
    let blobs: u64 = files(&laptop.path("vault/blobs")).values().map(|(_, bytes)| bytes).sum();
    assert!(blobs < 1 << 20, "what was given up is gone: {blobs} bytes are left");
}

/// What lies below a folder, and in which file of the disk, how long.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u64, u64)> {
    let mut found = BTreeMap::new();
    let Ok(items) = std::fs::read_dir(folder) else { return found };
    for path in items.flatten().map(|item| item.path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(stat) = path.metadata() {
            found.insert(path, (stat.ino(), stat.len()));
        }
    }
    found
}

#[test]
fn a_vault_in_use_is_left_alone() {
    let laptop = Laptop::new();
    let held = std::fs::File::open(laptop.path("vault/VAULT")).expect("the vault");
    held.lock().expect("locked");
    laptop.expect(11, &["--vault", "vault", "seal", "source.txt"]);
    laptop.expect(0, &["--vault", "vault", "verify"]);
    drop(held);
    laptop.expect(0, &["--vault", "vault", "seal", "source.txt"]);
}

#[test]
fn every_answer_is_no_on_a_read_only_medium_but_reading() {
    let laptop = Laptop::new();
    let mount = |args: &[&str]| Command::new("mount").args(args).current_dir(laptop.folder.path()).status();
    let bound = mount(&["--bind", "vault", "vault"]).is_ok_and(|status| status.success());
    let read_only = bound && mount(&["-o", "remount,bind,ro", "vault"]).is_ok_and(|status| status.success());
    if read_only {
        laptop.expect(1, &["--vault", "vault", "seal", "source.txt"]);
        laptop.expect(0, &["--vault", "vault", "verify"]);
        laptop.expect(0, &["--vault", "vault", "open", "-o", "copy", &laptop.labels()[0]]);
    } else {
        let _ = writeln!(std::io::stderr(), "SKIPPED a read-only medium: this user may not mount");
    }
    if bound {
        let _ = Command::new("umount").arg(laptop.path("vault")).status();
    }
}
