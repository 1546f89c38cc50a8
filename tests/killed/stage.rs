//! Homes of people side by side, in which a verb is typed and disturbed, and what must hold afterwards.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use amparo::crypto::hash::Hash;
use serde_json::Value;

use super::verbs::{Kill, Verb};
use super::{amparo, files, tells_of_orphans};

/// What changes something on a disk. An `openat` does where it creates.
const CALLS: &str = "trace=openat,write,pwrite64,fsync,syncfs,unlinkat,mkdirat,renameat2,linkat,utimensat";
/// Who has a home; the last one carries what was packed.
const PEOPLE: [&str; 6] = ["lawyer", "owl", "tern", "kite", "osprey", COURIER];
const COURIER: &str = "gull";
/// Everybody's copy.
pub(super) const HERE: &str = "evidence";

/// What there is before a verb is typed: exhibits, and how often its events stand there.
pub(super) struct Before {
    pub(super) exhibits: u64,
    said: Vec<usize>,
    blobs: usize,
}

/// What became of a kill.
#[derive(Default)]
pub(super) struct Survived {
    /// Files were left that no exhibit has, and were told of.
    pub(super) orphans: bool,
    /// Going on was to be killed as well, and whether it was.
    pub(super) asked_again: bool,
    pub(super) killed_again: bool,
}

/// Homes of people side by side, each with a copy of one vault, as it is before a verb is typed.
pub(super) struct Stage {
    folder: tempfile::TempDir,
    /// The digits of the card of whoever is to be admitted.
    digits: String,
}

impl Stage {
    pub(super) fn set() -> Self {
        let mut stage = Self { folder: tempfile::tempdir().expect("a folder"), digits: String::new() };
        let names = ["Blue Heron", "Grey Owl", "Tern", "Red Kite", "Osprey", "Gull"];
        for (who, name) in PEOPLE.into_iter().zip(names) {
            std::fs::create_dir(stage.path(who)).expect("a home");
            stage.done(who, &["identity", "new", "--name", name, "--no-passphrase"]);
            stage.done(who, &["identity", "card", "-o", &format!("../{who}.card")]);
        }
        let gull = stage.json("gull", &["identity", "show"]);
        stage.digits = gull["fingerprint"].as_str().expect("digits").into();
        let init = ["init", "evidence", "--handle", "K7", "--quorum", "2", "--reader", "../owl.card", "--reader"];
        let more = ["../tern.card", "--monitor", "../kite.card", "--monitor", "../osprey.card", "--json"];
        let made = stage.done("lawyer", &[&init[..], &more[..]].concat());
        let vault: Value = serde_json::from_slice(&made.stdout).expect("JSON");
        let vault = vault["vault"].as_str().expect("an id").to_string();
        stage.seals("first.txt");
        stage.done("lawyer", &["custody", "offer", "--to", "Grey Owl"]);
        for who in ["owl", "tern", "kite", "osprey"] {
            copy(&stage.path("lawyer/evidence"), &stage.path(who).join("evidence"));
            stage.done(who, &["verify", "--vault-id", &vault]);
        }
        // Lending is noted in a copy: here that is another one, which nobody sees again.
        let aside = stage.twin();
        for (lender, reader, name) in [("tern", "owl", "Grey Owl"), ("owl", "tern", "Tern")] {
            let share = format!("{reader}.share");
            aside.done(lender, &["identity", "lend", "--to", name, "-o", &format!("../{share}")]);
            std::fs::copy(aside.path(&share), stage.path(&share)).expect("handed over");
        }
        stage.done("osprey", &["verify", "--cosign", "--cosignatures", "../osprey.txt"]);
        stage.seals("second.txt");
        stage.done("lawyer", &["pack", "--to", "Grey Owl", "--to", "Tern", "-o", "../trip.bin"]);
        std::fs::create_dir(stage.path("stick")).expect("a stick");
        stage
    }

    fn seals(&self, name: &str) {
        std::fs::write(self.path("lawyer").join(name), name).expect("a source");
        self.done("lawyer", &["seal", name]);
    }

    pub(super) fn twin(&self) -> Self {
        self.twin_in(tempfile::tempdir(), |_| true)
    }

    /// The same in memory, where there is room: what a kill leaves does not depend on the medium, and there it takes half the
    /// time. Without the homes that a verb and what is looked at after it do not touch.
    fn brief_twin(&self, verb: &Verb) -> Self {
        let named = |home: &str| verb.args.iter().any(|arg| Path::new(arg).starts_with(format!("../{home}")));
        let is_needed = |home: &str| [verb.who, verb.other, COURIER].contains(&home) || named(home);
        self.twin_in(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()), |name| {
            !PEOPLE.contains(&name) || is_needed(name)
        })
    }

    fn twin_in(&self, folder: std::io::Result<tempfile::TempDir>, is_needed: impl Fn(&str) -> bool) -> Self {
        let twin = Self { folder: folder.expect("a folder"), digits: self.digits.clone() };
        for item in std::fs::read_dir(self.folder.path()).expect("homes").flatten() {
            if is_needed(&item.file_name().to_string_lossy()) {
                copy(&item.path(), &twin.path("").join(item.file_name()));
            }
        }
        twin
    }

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A command in somebody's home about the copy there, run by the program itself or under another.
    pub(super) fn command(&self, who: &str, under: Command, args: &[&str]) -> Output {
        self.prepared(who, under, args).output().expect("the program starts")
    }

    fn prepared(&self, who: &str, under: Command, args: &[&str]) -> Command {
        let mut command = under;
        let home = self.path(who);
        command.current_dir(&home).env_clear().env("HOME", &home).stdin(Stdio::null());
        if home.join("evidence").exists() {
            command.env("AMPARO_VAULT", "evidence");
        }
        let args = args.iter().map(|arg| if *arg == "DIGITS" { self.digits.as_str() } else { arg });
        command.args(args);
        command
    }

    /// The program, on its way.
    pub(super) fn begun(&self, who: &str, args: &[&str]) -> Child {
        let mut command = self.prepared(who, Command::new(amparo()), args);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program starts")
    }

    pub(super) fn run(&self, who: &str, args: &[&str]) -> Output {
        self.command(who, Command::new(amparo()), args)
    }

    pub(super) fn done(&self, who: &str, args: &[&str]) -> Output {
        let output = self.run(who, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{who}: amparo {}: {said}", args.join(" "));
        output
    }

    pub(super) fn json(&self, who: &str, args: &[&str]) -> Value {
        let output = self.run(who, &[args, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{who}: {args:?}: no JSON: {output:?}"))
    }

    /// Somebody's copy has nothing wrong and lacks nothing; how many exhibits it has.
    pub(super) fn sound_exhibits(&self, who: &str, copy: &str, context: &str) -> u64 {
        let report = self.json(who, &["verify", copy]);
        assert_eq!(report["verdict"], "valid", "{context}, {who}: {report:#}");
        report["exhibits"].as_u64().expect("a count")
    }

    /// The calls that change something, each with its number among those of its name: as each thread counts its own, the
    /// first that comes so far is killed.
    pub(super) fn changes(&self, verb: &Verb, strace: &Path) -> Vec<(String, u64)> {
        self.brief_twin(verb).changes_made(verb, strace)
    }

    /// The same where a kill came before, and all is as it was then: a device knows a copy by its place, and what was begun there.
    fn changes_ahead(&self, verb: &Verb, strace: &Path) -> Vec<(String, u64)> {
        let (kept, here) = (self.brief_twin(verb), self.folder.path());
        let changes = self.changes_made(verb, strace);
        std::fs::remove_dir_all(here).and_then(|()| std::fs::rename(kept.folder.path(), here)).expect("as it was");
        changes
    }

    fn changes_made(&self, verb: &Verb, strace: &Path) -> Vec<(String, u64)> {
        let trace = self.path("trace");
        let mut under = Command::new(strace);
        under.args(["-f", "--seccomp-bpf", "-o"]).arg(&trace).args(["-e", CALLS]).arg(amparo());
        let output = self.command(verb.who, under, verb.args);
        let ends = output.status.code().is_some_and(|code| code == 0 || verb.again.contains(&code));
        assert!(ends, "{}: {output:?}", verb.args.join(" "));
        let trace = std::fs::read_to_string(trace).expect("a trace");
        let mut counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        let mut changes = Vec::new();
        for line in trace.lines() {
            let Some((thread, call)) = line.split_once(' ') else { continue };
            let split = call.trim_start().split_once('(').filter(|(name, _)| !name.contains(' '));
            let Some((name, rest)) = split else { continue };
            let count = counts.entry((thread.into(), name.into())).or_default();
            *count += 1;
            let changes_nothing = match name {
                "openat" => !rest.contains("O_CREAT"),
                "write" => rest.starts_with("1,") || rest.starts_with("2,"),
                _ => false,
            };
            let change = (name.to_string(), *count);
            if !changes_nothing && !changes.contains(&change) {
                changes.push(change);
            }
        }
        changes
    }

    /// Kills the verb before one call, and looks at what is left, and at what becomes of it, `fully` at all of that; nothing where
    /// this run made fewer such calls than the one that was counted (threads and names differ), and so was not killed.
    pub(super) fn survives(
        &self,
        kill: &Kill<'_>,
        strace: &Path,
        fully: bool,
        meanwhile: fn(&Self),
    ) -> Option<Survived> {
        let stage = self.brief_twin(kill.verb);
        let Kill { verb, before, change, second } = kill;
        let context = format!("amparo {} killed before {} number {}", verb.args.join(" "), change.0, change.1);
        if !stage.is_killed(verb, before, strace, change, &context) {
            return None;
        }
        meanwhile(&stage);
        let mut survived = Survived { orphans: stage.orphans(verb, before, &context), ..Survived::default() };
        if let Some(second) = second {
            let changes = stage.changes_ahead(verb, strace);
            if let Some(change) = changes.get(second % changes.len().max(1)) {
                let context = format!("{context}, and again before {} number {}", change.0, change.1);
                survived.asked_again = true;
                survived.killed_again = stage.is_killed(verb, before, strace, change, &context);
                survived.orphans |= stage.orphans(verb, before, &context);
            }
        }
        if fully {
            stage.goes_on(verb, before, &context);
        } else {
            stage.is_done(verb, before, &context);
        }
        Some(survived)
    }

    /// Whether the kill came: else the verb came to its end. What it acknowledged before is there.
    fn is_killed(&self, verb: &Verb, before: &Before, strace: &Path, change: &(String, u64), context: &str) -> bool {
        let output = self.disturbed(verb, strace, change, "signal=KILL");
        let ended = output.status.code().is_some_and(|code| code == 0 || verb.again.contains(&code));
        assert!(ended || output.status.signal() == Some(9), "{context}: {}", output.status);
        let told = String::from_utf8_lossy(&output.stdout).matches("SEALED ").count() as u64;
        assert!(
            told == 0 || self.exhibits(verb, context) >= before.exhibits + told,
            "{context}: {told} were acknowledged"
        );
        !ended
    }

    /// Nothing that was there is lost. Whether files came that no exhibit has: then `doctor` tells so.
    fn orphans(&self, verb: &Verb, before: &Before, context: &str) -> bool {
        let now = self.exhibits(verb, context);
        assert!(now >= before.exhibits, "{context}");
        if verb.copy != HERE || now > before.exhibits || self.blobs(verb) == before.blobs {
            return false;
        }
        let told = self.json(verb.who, &["doctor"]);
        assert!(tells_of_orphans(&told), "{context}: nothing tells of what is left: {told:#}");
        true
    }

    /// How many there are that are whole. What a merge tore counts for nothing, is not seen, and goes with the next
    /// command that writes.
    fn blobs(&self, verb: &Verb) -> usize {
        let is_whole = |path: &&PathBuf| {
            let bytes = std::fs::read(path).expect("a blob");
            path.file_name().is_some_and(|name| *name == *Hash::of(&bytes).to_string())
        };
        files(&self.path(verb.who).join(verb.copy).join("blobs")).keys().filter(is_whole).count()
    }

    /// What there is before a verb is typed.
    pub(super) fn before(&self, verb: &Verb, context: &str) -> Before {
        let said = verb.leaves.iter().map(|(event, _)| self.said_by(verb.who, verb.who, HERE, event));
        Before { said: said.collect(), exhibits: self.exhibits(verb, context), blobs: self.blobs(verb) }
    }

    /// How many exhibits the copy of a verb has, which must be sound; of a new one nothing counts before it is done.
    pub(super) fn exhibits(&self, verb: &Verb, context: &str) -> u64 {
        if verb.copy == HERE { self.sound_exhibits(verb.who, verb.copy, context) } else { 0 }
    }

    /// Types a verb, of which strace disturbs one call: `signal=KILL`, or `error=` and what the system answers.
    pub(super) fn disturbed(&self, verb: &Verb, strace: &Path, (call, nth): &(String, u64), how: &str) -> Output {
        let mut under = Command::new(strace);
        let (trace, inject) = (format!("trace={call}"), format!("inject={call}:{how}:when={nth}"));
        under.args(["-f", "-o"]).arg(self.path("trace")).args(["-e", &trace, "-e", &inject]).arg(amparo());
        self.command(verb.who, under, verb.args)
    }

    /// The verb goes on when it is typed again, and all is sound then; how many exhibits there are.
    fn is_done(&self, verb: &Verb, before: &Before, context: &str) -> u64 {
        let again = self.run(verb.who, verb.args);
        let told = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(again.status.code().is_some_and(|code| verb.again.contains(&code)), "{context}, again: {told}");
        let done = self.sound_exhibits(verb.who, verb.copy, context);
        assert!(done >= before.exhibits.max(1), "{context}");
        done
    }

    /// What is left is sound, the verb goes on when it is typed again, another's copy takes all of it in, and whoever reads opens
    /// what was sealed before.
    pub(super) fn goes_on(&self, verb: &Verb, before: &Before, context: &str) {
        let done = self.is_done(verb, before, context);
        let others = self.sound_exhibits(verb.other, HERE, context);
        self.done(verb.other, &["merge", &format!("../{}/{}", verb.who, verb.copy), "--no-input"]);
        assert_eq!(self.sound_exhibits(verb.other, HERE, context), others.max(done), "{context}");
        let mut opened = 0;
        for (who, copy) in [(verb.who, verb.copy), (verb.other, HERE)] {
            self.has_said(verb, before, (who, copy), context);
            opened += usize::from(self.opens(who, copy, context));
        }
        assert!(opened > 0, "{context}: nobody opened anything");
        self.nothing_half_made(context);
    }

    /// A copy holds what the verb says, once.
    pub(super) fn has_said(&self, verb: &Verb, before: &Before, (who, copy): (&str, &str), context: &str) {
        for ((event, more), before) in verb.leaves.iter().zip(&before.said) {
            let hers = self.said_by(verb.who, who, copy, event);
            assert_eq!(hers, before + more, "{context}: {event} in the copy of {who}");
        }
    }

    /// A reader, with the share that the other one lent her, has the bytes that were sealed first; false where nobody
    /// lent any.
    fn opens(&self, who: &str, copy: &str, context: &str) -> bool {
        let share = format!("../{who}.share");
        if !self.path(who).join(&share).exists() {
            return false;
        }
        let opened = self.run(who, &["open", "K7-0001", "--stdout", "--share", &share, "--vault", copy]);
        let said = String::from_utf8_lossy(&opened.stderr);
        assert_eq!(String::from_utf8_lossy(&opened.stdout), "first.txt", "{context}, opened by {who}: {said}");
        true
    }

    /// How many events of a kind a member said, by somebody's copy.
    pub(super) fn said_by(&self, member: &str, who: &str, copy: &str, event: &str) -> usize {
        let log = self.json(who, &["custody", "log", "--vault", copy]);
        let entries = log["entries"].as_array().expect("entries");
        let member = self.json(member, &["identity", "show"])["member"].clone();
        entries.iter().filter(|entry| entry["event"] == event && entry["member"] == member).count()
    }

    /// Beside people's vaults lies nothing that was not finished: a pouch on the stick is whole, whatever mark was there is gone.
    fn nothing_half_made(&self, context: &str) {
        let names = |folder: &str| -> Vec<String> {
            let items = std::fs::read_dir(self.path(folder)).expect("a folder").flatten();
            items.map(|item| item.file_name().to_string_lossy().into_owned()).collect()
        };
        for folder in ["", "stick", "lawyer", "owl", "tern"].into_iter().filter(|folder| self.path(folder).exists()) {
            let left = names(folder);
            let half = |name: &&String| name.ends_with(".unfinished") || name.ends_with(".restored");
            assert_eq!(left.iter().find(half), None, "{context}");
        }
        let made: Vec<String> = names("stick").into_iter().map(|name| format!("../stick/{name}")).collect();
        if !made.is_empty() {
            let args: Vec<&str> = std::iter::once("verify").chain(made.iter().map(String::as_str)).collect();
            let checked = self.run("gull", &args);
            assert_eq!(checked.status.code(), Some(0), "{context}: {}", String::from_utf8_lossy(&checked.stdout));
        }
    }
}

/// A file, or a folder with all below it; with its rights and its time.
fn copy(from: &Path, to: &Path) {
    let stat = from.metadata().expect("it is there");
    if stat.is_dir() {
        std::fs::create_dir(to).expect("a folder");
        for item in std::fs::read_dir(from).expect("a folder").flatten() {
            copy(&item.path(), &to.join(item.file_name()));
        }
        std::fs::set_permissions(to, stat.permissions()).expect("its rights");
    } else {
        let mut file = File::options().write(true).create_new(true).mode(stat.mode()).open(to).expect("made");
        file.write_all(&std::fs::read(from).expect("read")).expect("written");
        file.set_modified(stat.modified().expect("a time")).expect("its time");
    }
}
