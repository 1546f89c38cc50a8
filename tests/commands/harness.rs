//! A world for one test: a folder in which each person has a home and a machine of her own, a clock that stands, an
//! environment with nothing in it, a terminal whose answers were typed beforehand.

mod typed;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use amparo::cli::{Context, Terminal, run};
use amparo::crypto::hash::Hash;
use amparo::store::confine::{self, Reach, Unconfined};
use amparo::store::hygiene::leaving_nothing;
use amparo::store::real::RealDisk;
use amparo::vault::Clock;
use rand_core::OsRng;
use serde_json::Value;
use tempfile::TempDir;

use crate::copied::copy_all;
use typed::Typed;

pub(crate) use typed::numbered;

/// The world of one test.
pub(crate) struct World {
    folder: TempDir,
    /// Minutes that have gone by on everybody's clock.
    minutes: Cell<i64>,
}

/// What a run left on its streams; paths of this machine are shown as `~~`.
pub(crate) struct Outcome {
    pub(crate) exit: u8,
    pub(crate) out: String,
    pub(crate) err: String,
    /// What was shown where nothing keeps it.
    pub(crate) pages: Vec<String>,
}

impl Outcome {
    /// The run ended with this code.
    #[track_caller]
    pub(crate) fn exits(self, exit: u8) -> Self {
        assert_eq!(self.exit, exit, "\nstdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Both streams together say this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.out.contains(text) || self.err.contains(text),
            "{text:?} is not in\nstdout:\n{}\nstderr:\n{}",
            self.out,
            self.err
        );
        self
    }

    /// Neither stream says this.
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.out.contains(text) && !self.err.contains(text), "{text:?} is in\n{}\n{}", self.out, self.err);
        self
    }

    /// The one object on standard output.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.out).expect("one JSON object on standard output");
        assert_eq!(value["format"], 1);
        value
    }

    /// The one object on standard error.
    #[track_caller]
    pub(crate) fn json_error(&self) -> Value {
        let value: Value = serde_json::from_str(&self.err).expect("one JSON object on standard error");
        assert_eq!((&value["format"], &value["code"]), (&1.into(), &self.exit.into()));
        assert!(self.out.is_empty() && value["error"].is_string() && value.get("hint").is_some());
        value
    }
}

/// What the world does to one run beyond its arguments.
#[derive(Default)]
pub(crate) struct Around<'a> {
    pub(crate) env: &'a [(&'a str, &'a str)],
    pub(crate) stdin: &'a [u8],
    /// Answers typed at a terminal; `None`: there is no terminal.
    pub(crate) typed: Option<&'a [&'a str]>,
    pub(crate) stopped: bool,
    /// The person stops the run when standard input is read.
    pub(crate) stopped_at_input: bool,
    /// Columns of the terminal; 0 for many.
    pub(crate) width: usize,
    /// Nobody reads the output any more, as behind `| head`.
    pub(crate) unread: bool,
    /// What somebody does who took over a parser, from the moment on at which the room is closed.
    pub(crate) attack: Option<&'a (dyn Fn() + Sync)>,
    /// What the kernel says instead of closing the room.
    pub(crate) kernel: Option<&'a (dyn Fn() -> Result<(), Unconfined> + Sync)>,
}

/// A pipe that nobody reads.
struct Unread;

impl io::Write for Unread {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Standard input, before which a person may press Ctrl-C.
struct Input<'a> {
    bytes: &'a [u8],
    stop: Option<&'a AtomicBool>,
}

impl io::Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(stop) = self.stop {
            stop.store(true, Ordering::SeqCst);
        }
        self.bytes.read(buffer)
    }
}

impl World {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder for the test"), minutes: Cell::new(0) }
    }

    /// The same world once more, as it is now: what is done in one of the two stays there.
    pub(crate) fn twin(&self) -> Self {
        let twin = Self { folder: tempfile::tempdir().expect("a folder for the test"), minutes: self.minutes.clone() };
        copy_all(self.folder.path(), twin.folder.path());
        twin
    }

    /// Time goes by.
    pub(crate) fn later(&self, minutes: i64) {
        self.minutes.set(self.minutes.get() + minutes);
    }

    /// A lawyer who seals, a reader, a monitor, and a vault of theirs in the lawyer's home.
    pub(crate) fn with_vault() -> Self {
        let world = Self::new();
        for (who, name) in [("lawyer", "Blue Heron"), ("reader", "Grey Owl"), ("monitor", "Red Kite")] {
            world.run(who, &["identity", "new", "--name", name, "--no-passphrase"]).exits(0);
            world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
        }
        let init = ["init", "evidence", "--reader", "../reader.card", "--monitor", "../monitor.card", "--handle", "K7"];
        world.run("lawyer", &init).exits(0);
        world
    }

    /// The same with one testimony in it, `K7-0001`.
    pub(crate) fn with_testimony() -> Self {
        let world = Self::with_vault();
        world.write("lawyer/t.txt", b"I was there.\n");
        world
            .run("lawyer", &["seal", "t.txt", "--kind", "testimony", "--title", "Statement", "--vault", "evidence"])
            .exits(0);
        world
    }

    /// A person's home, which is where she stands.
    pub(crate) fn home(&self, who: &str) -> PathBuf {
        let home = self.folder.path().join(who);
        fs::create_dir_all(&home).expect("a home");
        home
    }

    /// A path in this world.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn write(&self, below: &str, bytes: &[u8]) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().expect("below the world")).expect("its folder");
        fs::write(path, bytes).expect("a file of the test");
    }

    pub(crate) fn read(&self, below: &str) -> Vec<u8> {
        fs::read(self.path(below)).expect("a file of the test")
    }

    /// Somebody carries the lawyer's vault to another person.
    pub(crate) fn carry(&self, to: &str) {
        self.copy("lawyer/evidence", &format!("{to}/evidence"));
    }

    /// A folder is copied, as a file copier does it.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        copy_all(&self.path(from), &self.path(to));
    }

    /// The same from outside this world.
    pub(crate) fn copy_from(&self, from: &Path, to: &str) {
        copy_all(from, &self.path(to));
    }

    /// Somebody carries a copy of the vault from one person to another, who puts it over her own: files are only added.
    pub(crate) fn hand(&self, from: &str, to: &str) {
        copy_all(&self.home(from).join("evidence"), &self.home(to).join("evidence"));
    }

    /// One more person, with a card in the folder that all share; returns the card's digits.
    pub(crate) fn join(&self, who: &str, name: &str) -> String {
        self.run(who, &["identity", "new", "--name", name, "--no-passphrase"]).exits(0);
        self.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
        self.card_digits(who)
    }

    /// The digits of a person's card.
    pub(crate) fn card_digits(&self, who: &str) -> String {
        let card = self.run(who, &["identity", "card", "--json"]).exits(0).json();
        card["fingerprint"].as_str().expect("digits").to_string()
    }

    /// The names of all files below a folder, sorted.
    pub(crate) fn files(&self, below: &str) -> Vec<String> {
        let mut all = Vec::new();
        let mut folders = vec![self.path(below)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).expect("a folder").flatten() {
                let path = entry.path();
                if path.is_dir() { folders.push(path) } else { all.push(path.display().to_string()) }
            }
        }
        all.sort();
        all
    }

    /// The digits of the lawyer's vault.
    pub(crate) fn digits(&self) -> String {
        let verified = self.run("lawyer", &["verify", "evidence"]);
        let line = verified.out.lines().find_map(|line| line.strip_prefix("vault")).expect("the vault's line");
        line.trim().get(..47).expect("47 characters").to_string()
    }

    pub(crate) fn run(&self, who: &str, args: &[&str]) -> Outcome {
        self.run_in(who, args, &Around::default())
    }

    /// At a terminal, where this was typed.
    pub(crate) fn typing(&self, who: &str, args: &[&str], typed: &[&str]) -> Outcome {
        self.run_in(who, args, &Around { typed: Some(typed), ..Around::default() })
    }

    /// In somebody's home, on the machine of another: a disk image that was cloned.
    pub(crate) fn run_on(&self, home: &str, machine: &str, args: &[&str]) -> Outcome {
        self.run_at(home, machine, args, &Around::default())
    }

    /// Every file below a folder of this world, by path, with its hash.
    pub(crate) fn tree(&self, below: &str) -> BTreeMap<String, Hash> {
        let root = self.path(below);
        let mut tree = BTreeMap::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for item in fs::read_dir(folder).expect("a folder").map(|item| item.expect("an item").path()) {
                if item.is_dir() {
                    folders.push(item);
                } else {
                    let name = item.strip_prefix(&root).expect("below").to_string_lossy().into_owned();
                    tree.insert(name, Hash::of(&fs::read(&item).expect("a file")));
                }
            }
        }
        tree
    }

    pub(crate) fn run_in(&self, who: &str, args: &[&str], around: &Around<'_>) -> Outcome {
        self.run_at(who, who, args, around)
    }

    /// In a thread of its own: what a command gives up, it gives up truly, and only there. It leaves nothing on its stack, as
    /// in the program.
    fn run_at(&self, who: &str, machine: &str, args: &[&str], around: &Around<'_>) -> Outcome {
        let (home, here, minutes) = (self.home(who), self.folder.path(), self.minutes.get());
        let run = || Self::run_there((home, here, minutes), machine, args, around);
        thread::scope(|scope| scope.spawn(|| leaving_nothing(run)).join()).unwrap_or_else(|panic| resume_unwind(panic))
    }

    fn run_there(
        (home, here, minutes): (PathBuf, &Path, i64),
        machine: &str,
        args: &[&str],
        around: &Around<'_>,
    ) -> Outcome {
        let mut env: BTreeMap<String, OsString> = BTreeMap::from([("HOME".into(), home.clone().into())]);
        env.extend(around.env.iter().map(|(name, value)| ((*name).to_string(), OsString::from(value))));
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut ask = Typed {
            lines: around.typed.unwrap_or_default().iter().map(ToString::to_string).collect(),
            anybody: around.typed.is_some(),
            shown: String::new(),
            pages: Vec::new(),
        };
        let terminal = around.typed.is_some();
        let clock = Standing { minutes, looks: Cell::new(0) };
        let stopped = AtomicBool::new(around.stopped);
        let mut stdin = Input { bytes: around.stdin, stop: around.stopped_at_input.then_some(&stopped) };
        let mut context = Context {
            disk: &RealDisk,
            clock: &clock,
            rng: &mut OsRng,
            machine: Hash::of(machine.as_bytes()),
            env,
            folder: home,
            rebase: true,
            stdin: &mut stdin,
            stdout: if around.unread { &mut Unread } else { &mut out },
            stderr: &mut err,
            terminal: Terminal {
                input: terminal,
                output: false,
                errors: terminal,
                width: if around.width == 0 { 100 } else { around.width },
            },
            ask: &mut ask,
            stopped: &stopped,
            confine: &mut |reach| confine(around, reach),
        };
        let words = std::iter::once("amparo").chain(args.iter().copied()).map(OsString::from);
        let exit = run(words, &mut context);
        let here = here.to_string_lossy().into_owned();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("streams are text").replace(&here, "~~");
        let err = format!("{}{}", text(err), ask.shown);
        Outcome { exit, out: text(out), err, pages: ask.pages }
    }
}

/// As the program does it; a kernel that cannot is told of by the tests that are about it.
fn confine(around: &Around<'_>, reach: &Reach) -> Result<(), Unconfined> {
    if let Some(kernel) = around.kernel {
        return kernel();
    }
    let confined = confine::this_thread(reach);
    if let Some(attack) = around.attack {
        attack();
    }
    if matches!(confined, Err(Unconfined::Kernel)) { Ok(()) } else { confined }
}

/// The clock stands during a run; each look at the time since the start is a little later.
struct Standing {
    minutes: i64,
    looks: Cell<u64>,
}

impl Clock for Standing {
    fn now(&self) -> jiff::ZonedDateTime {
        let start: jiff::ZonedDateTime = "2026-11-20T14:30:00+02:00[+02:00]".parse().expect("a time");
        start + jiff::SignedDuration::from_mins(self.minutes)
    }

    fn elapsed(&self) -> Duration {
        self.looks.set(self.looks.get() + 1);
        Duration::from_millis(self.looks.get())
    }
}
