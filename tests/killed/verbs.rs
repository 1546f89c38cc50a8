//! Every verb between people, killed before each change that it makes on the disk: the vault verifies at once, the same
//! command goes on, nothing that was there is lost, nothing is said twice, and another's copy that takes it in has no
//! finding. `AMPARO_KILLS=all cargo test killed::verbs` kills before every change; else before some of each verb.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::amparo;
use crate::peers;

/// What changes something on a disk. An `openat` does where it creates.
const CALLS: &str = "trace=openat,write,fsync,syncfs,unlinkat,mkdirat";
/// So many kills of each verb, where not all are asked for.
const SAMPLE: usize = 4;

/// One verb, by whom it is typed.
struct Verb {
    who: &'static str,
    args: &'static [&'static str],
    /// What typing it again may end with: done, or done before.
    again: &'static [i32],
    /// Whose copy takes the outcome in.
    other: &'static str,
    /// The custody event that it leaves, once.
    leaves: Option<&'static str>,
}

const VERBS: [Verb; 7] = [
    Verb { who: "owl", args: &["merge", "../lawyer/evidence"], again: &[0], other: "lawyer", leaves: None },
    Verb { who: "lawyer", args: &["merge", "../osprey.txt"], again: &[0], other: "owl", leaves: None },
    Verb {
        who: "owl",
        args: &["custody", "acknowledge"],
        again: &[0, 1],
        other: "lawyer",
        leaves: Some("acknowledge"),
    },
    Verb {
        who: "lawyer",
        args: &["member", "add", "../gull.card", "--role", "sealer", "--fingerprint", "DIGITS"],
        again: &[0],
        other: "owl",
        leaves: Some("admit"),
    },
    Verb {
        who: "lawyer",
        args: &["member", "remove", "Red Kite", "--reason", "left"],
        again: &[0],
        other: "owl",
        leaves: Some("remove"),
    },
    Verb {
        who: "tern",
        args: &["identity", "lend", "--to", "Grey Owl", "-o", "../t.share", "--overwrite"],
        again: &[0],
        other: "lawyer",
        leaves: None,
    },
    Verb { who: "kite", args: &["verify", "--cosign"], again: &[0], other: "lawyer", leaves: Some("verify") },
];

/// Homes of people side by side, each with a copy of one vault, as it is before a verb is typed.
struct Stage {
    folder: tempfile::TempDir,
    /// The digits of the card of whoever is to be admitted.
    digits: String,
}

impl Stage {
    fn set() -> Self {
        let mut stage = Self { folder: tempfile::tempdir().expect("a folder"), digits: String::new() };
        let people = ["lawyer", "owl", "tern", "kite", "osprey", "gull"];
        let names = ["Blue Heron", "Grey Owl", "Tern", "Red Kite", "Osprey", "Gull"];
        for (who, name) in people.into_iter().zip(names) {
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
        stage.done("osprey", &["verify", "--cosign", "--cosignatures", "../osprey.txt"]);
        stage.seals("second.txt");
        stage
    }

    fn seals(&self, name: &str) {
        std::fs::write(self.path("lawyer").join(name), name).expect("a source");
        self.done("lawyer", &["seal", name]);
    }

    fn twin(&self) -> Self {
        let twin = Self { folder: tempfile::tempdir().expect("a folder"), digits: self.digits.clone() };
        copy(self.folder.path(), twin.folder.path());
        twin
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A command in somebody's home about the copy there, run by the program itself or under another.
    fn command(&self, who: &str, under: Command, args: &[&str]) -> Output {
        let mut command = under;
        let home = self.path(who);
        command.current_dir(&home).env_clear().env("HOME", &home).stdin(Stdio::null());
        if home.join("evidence").exists() {
            command.env("AMPARO_VAULT", "evidence");
        }
        let args = args.iter().map(|arg| if *arg == "DIGITS" { self.digits.as_str() } else { arg });
        command.args(args).output().expect("the program starts")
    }

    fn run(&self, who: &str, args: &[&str]) -> Output {
        self.command(who, Command::new(amparo()), args)
    }

    fn done(&self, who: &str, args: &[&str]) -> Output {
        let output = self.run(who, args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{who}: amparo {}: {said}", args.join(" "));
        output
    }

    fn json(&self, who: &str, args: &[&str]) -> Value {
        let output = self.run(who, &[args, &["--json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{who}: {args:?}: no JSON: {output:?}"))
    }

    /// Somebody's copy has nothing wrong and lacks nothing; how many exhibits it has.
    fn sound_exhibits(&self, who: &str, context: &str) -> u64 {
        let report = self.json(who, &["verify"]);
        assert_eq!(report["verdict"], "valid", "{context}, {who}: {report:#}");
        report["exhibits"].as_u64().expect("a count")
    }

    /// The calls of the program's first thread that change something, each with its number among those of its name.
    fn changes(&self, verb: &Verb, strace: &Path) -> Vec<(String, u64)> {
        let (stage, trace) = (self.twin(), self.path("trace"));
        let mut under = Command::new(strace);
        under.args(["-f", "-o"]).arg(&trace).args(["-e", CALLS]).arg(amparo());
        let output = stage.command(verb.who, under, verb.args);
        assert_eq!(output.status.code(), Some(0), "{}: {output:?}", verb.args.join(" "));
        let trace = std::fs::read_to_string(trace).expect("a trace");
        let first = trace.split_whitespace().next().unwrap_or_default().to_string();
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let mut changes = Vec::new();
        for line in trace.lines().filter(|line| line.split_whitespace().next() == Some(first.as_str())) {
            let call = line[first.len()..].trim_start();
            let Some((name, rest)) = call.split_once('(').filter(|(name, _)| !name.contains(' ')) else { continue };
            let count = counts.entry(name.into()).or_default();
            *count += 1;
            let changes_nothing = match name {
                "openat" => !rest.contains("O_CREAT"),
                "write" => rest.starts_with("1,") || rest.starts_with("2,"),
                _ => false,
            };
            if !changes_nothing {
                changes.push((name.into(), *count));
            }
        }
        changes
    }

    /// Kills the verb before one call, and looks at what is left, and at what becomes of it; false where this run made fewer
    /// such calls than the one that was counted (threads and names differ), and so was not killed.
    fn survives(&self, verb: &Verb, strace: &Path, (call, nth): &(String, u64)) -> bool {
        let stage = self.twin();
        let context = format!("amparo {} killed before {call} number {nth}", verb.args.join(" "));
        let before = stage.sound_exhibits(verb.who, &context);
        let mut under = Command::new(strace);
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        under.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]).arg(amparo());
        let killed = stage.command(verb.who, under, verb.args);
        if killed.status.code() == Some(0) {
            return false;
        }
        stage.goes_on(verb, before, &context);
        true
    }

    /// What a kill left is sound, the verb goes on when it is typed again, and another's copy takes all of it in.
    fn goes_on(&self, verb: &Verb, before: u64, context: &str) {
        assert!(self.sound_exhibits(verb.who, context) >= before, "{context}");
        let again = self.run(verb.who, verb.args);
        let said = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(again.status.code().is_some_and(|code| verb.again.contains(&code)), "{context}, again: {said}");
        assert!(self.sound_exhibits(verb.who, context) >= before, "{context}");
        self.done(verb.other, &["merge", &format!("../{}/evidence", verb.who), "--no-input"]);
        assert_eq!(self.sound_exhibits(verb.other, context), 2.min(before + u64::from(verb.other == "lawyer")).max(1));
        if let Some(event) = verb.leaves {
            let log = self.json(verb.other, &["custody", "log"]);
            let entries = log["entries"].as_array().expect("entries");
            let member = self.json(verb.who, &["identity", "show"])["member"].clone();
            let said = entries.iter().filter(|entry| entry["event"] == event && entry["member"] == member).count();
            assert_eq!(said, 1, "{context}: {log:#}");
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().expect("cp runs");
    assert!(copied.success());
}

#[test]
fn killed_before_any_change_no_verb_loses_or_accuses() {
    let Some(strace) = peers::program("strace") else { return };
    let stage = Stage::set();
    let all = std::env::var_os("AMPARO_KILLS").is_some_and(|value| value == "all");
    let mut kills = Vec::new();
    for verb in &VERBS {
        let changes = stage.changes(verb, &strace);
        assert!(changes.len() > 10, "{}: {changes:?}", verb.args.join(" "));
        let stride = if all { 1 } else { changes.len().div_ceil(SAMPLE) };
        kills.extend(changes.into_iter().rev().step_by(stride).map(|change| (verb, change)));
    }
    let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((verb, change)) = kills.get(next.fetch_add(1, Ordering::SeqCst)) {
                    missed.fetch_add(usize::from(!stage.survives(verb, &strace, change)), Ordering::SeqCst);
                }
            });
        }
    });
    let missed = missed.into_inner();
    assert!(missed * 10 <= kills.len(), "{missed} of {} were not killed", kills.len());
}

/// What a verb that commits too early, takes back what it has signed, or does not know its own work again would leave.
#[test]
fn what_no_kill_may_leave_is_noticed() {
    let stage = Stage::set();
    let newest = |below: &str| {
        let found =
            Command::new("find").arg(stage.path("lawyer/evidence")).args(["-type", "f", "-path", below]).output();
        let found = String::from_utf8(found.expect("find runs").stdout).expect("text");
        let newest = found.lines().map(PathBuf::from).max_by_key(|path| path.file_name().map(ToOwned::to_owned));
        newest.expect("a file").strip_prefix(stage.folder.path()).expect("on the stage").to_path_buf()
    };
    let is_noticed = |what: &str, verb: &Verb, plant: &dyn Fn(&Stage)| {
        let twin = stage.twin();
        let before = twin.sound_exhibits(verb.who, what);
        plant(&twin);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| twin.goes_on(verb, before, what)));
        assert!(outcome.is_err(), "{what}: nothing was noticed");
    };
    let lost = |names: &[&str]| {
        let paths: Vec<PathBuf> = names.iter().map(|name| newest(name)).collect();
        move |twin: &Stage| {
            for path in &paths {
                std::fs::remove_file(twin.folder.path().join(path)).expect("removed");
            }
        }
    };
    let (admits, entry, state) = (&VERBS[3], "*/entries/*", "*/checkpoints/*");
    is_noticed("a signed state without its entry", admits, &lost(&[entry]));
    is_noticed("an entry that nothing signed covers", admits, &lost(&[state]));
    is_noticed("a log that was taken back", admits, &lost(&[entry, state]));
    is_noticed("a sealing without a blob", admits, &lost(&["*/blobs/*"]));
    is_noticed("a key that nobody has", admits, &lost(&["*/keys/*"]));
    let args = &["custody", "note", "carried by bus"];
    let notes = Verb { who: "lawyer", args, again: &[0], other: "owl", leaves: Some("note") };
    is_noticed("a remark that is made twice", &notes, &|twin| drop(twin.done(notes.who, notes.args)));
}
