//! Every verb between people, killed before each change that it makes on the disk: the vault verifies at once, the same
//! command goes on, nothing that was there is lost, nothing is said twice, and another's copy that takes it in has no
//! finding. `AMPARO_KILLS=all cargo test killed::verbs` kills before every change, `AMPARO_KILLS=pack`
//! before every one of that verb; else before some of each.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::amparo;
use crate::peers;

/// What changes something on a disk. An `openat` does where it creates.
const CALLS: &str = "trace=openat,write,pwrite64,fsync,syncfs,unlinkat,mkdirat";
/// So many kills of each verb, where not all are asked for.
const SAMPLE: usize = 4;

/// One verb, by whom it is typed.
pub(super) struct Verb {
    who: &'static str,
    args: &'static [&'static str],
    /// The copy that it is about, in her home; a new one is there when it is done.
    copy: &'static str,
    /// What typing it again may end with: done, or done before.
    again: &'static [i32],
    /// Whose copy takes the outcome in.
    other: &'static str,
    /// The custody events that it leaves of hers: so many more than before.
    leaves: &'static [(&'static str, usize)],
}

const HERE: &str = "evidence";

pub(super) const VERBS: [Verb; 10] = [
    verb("owl", &["merge", "../lawyer/evidence"], "lawyer", &[]),
    verb("lawyer", &["merge", "../osprey.txt"], "owl", &[]),
    Verb { again: &[0, 1], ..verb("owl", &["custody", "acknowledge"], "lawyer", &[("acknowledge", 1)]) },
    verb(
        "lawyer",
        &["member", "add", "../gull.card", "--role", "sealer", "--fingerprint", "DIGITS"],
        "owl",
        &[("admit", 1)],
    ),
    verb("lawyer", &["member", "remove", "Red Kite", "--reason", "left"], "owl", &[("remove", 1)]),
    verb("tern", &["identity", "lend", "--to", "Grey Owl", "-o", "../t.share", "--overwrite"], "lawyer", &[]),
    verb("kite", &["verify", "--cosign"], "lawyer", &[("verify", 1)]),
    Verb {
        again: &[0, 1],
        ..verb(
            "lawyer",
            &[
                "pack",
                "--to",
                "Grey Owl",
                "--to",
                "Tern",
                "-o",
                "../stick/out.bin",
                "--parity",
                "10%",
                "--volumes",
                "700KB",
            ],
            "owl",
            &[("offer", 2), ("pack", 1)],
        )
    },
    verb("owl", &["unpack", "../trip.bin", "--sign"], "lawyer", &[("acknowledge", 2)]),
    Verb {
        copy: "new",
        ..verb("tern", &["unpack", "../trip.bin", "-o", "new", "--sign"], "lawyer", &[("acknowledge", 1)])
    },
];

const fn verb(
    who: &'static str,
    args: &'static [&'static str],
    other: &'static str,
    leaves: &'static [(&'static str, usize)],
) -> Verb {
    Verb { who, args, copy: HERE, again: &[0], other, leaves }
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
        stage.done("lawyer", &["pack", "--to", "Grey Owl", "--to", "Tern", "-o", "../trip.bin"]);
        std::fs::create_dir(stage.path("stick")).expect("a stick");
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

    pub(super) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// A command in somebody's home about the copy there, run by the program itself or under another.
    fn command(&self, who: &str, under: Command, args: &[&str]) -> Output {
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
    fn changes(&self, verb: &Verb, strace: &Path) -> Vec<(String, u64)> {
        let (stage, trace) = (self.twin(), self.path("trace"));
        let mut under = Command::new(strace);
        under.args(["-f", "-o"]).arg(&trace).args(["-e", CALLS]).arg(amparo());
        let output = stage.command(verb.who, under, verb.args);
        assert_eq!(output.status.code(), Some(0), "{}: {output:?}", verb.args.join(" "));
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

    /// Kills the verb before one call, and looks at what is left, and at what becomes of it; false where this run made fewer
    /// such calls than the one that was counted (threads and names differ), and so was not killed.
    pub(super) fn survives(
        &self,
        verb: &Verb,
        strace: &Path,
        (call, nth): &(String, u64),
        meanwhile: fn(&Self),
    ) -> bool {
        let stage = self.twin();
        let context = format!("amparo {} killed before {call} number {nth}", verb.args.join(" "));
        let is_new = !stage.path(verb.who).join(verb.copy).exists();
        let sound = || if is_new { 0 } else { stage.sound_exhibits(verb.who, verb.copy, &context) };
        let before = sound();
        let said: Vec<usize> =
            verb.leaves.iter().map(|(event, _)| stage.said_by(verb.who, verb.who, HERE, event)).collect();
        let mut under = Command::new(strace);
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        under.args(["-f", "-o", "/dev/null", "-e", &format!("trace={call}"), "-e", &inject]).arg(amparo());
        let killed = stage.command(verb.who, under, verb.args);
        if killed.status.code() == Some(0) {
            return false;
        }
        meanwhile(&stage);
        assert!(sound() >= before, "{context}");
        stage.goes_on(verb, before, &said, &context);
        true
    }

    /// What a kill left is sound, the verb goes on when it is typed again, and another's copy takes all of it in.
    fn goes_on(&self, verb: &Verb, before: u64, said: &[usize], context: &str) {
        let again = self.run(verb.who, verb.args);
        let told = String::from_utf8_lossy(&again.stderr).into_owned();
        assert!(again.status.code().is_some_and(|code| verb.again.contains(&code)), "{context}, again: {told}");
        let done = self.sound_exhibits(verb.who, verb.copy, context);
        assert!(done >= before.max(1), "{context}");
        let others = self.sound_exhibits(verb.other, HERE, context);
        self.done(verb.other, &["merge", &format!("../{}/{}", verb.who, verb.copy), "--no-input"]);
        assert_eq!(self.sound_exhibits(verb.other, HERE, context), others.max(done), "{context}");
        for ((event, more), before) in verb.leaves.iter().zip(said) {
            for (who, copy) in [(verb.who, verb.copy), (verb.other, HERE)] {
                let hers = self.said_by(verb.who, who, copy, event);
                assert_eq!(hers, before + more, "{context}: {event} in the copy of {who}");
            }
        }
        self.nothing_half_made(context);
    }

    /// How many events of a kind a member said, by somebody's copy.
    fn said_by(&self, member: &str, who: &str, copy: &str, event: &str) -> usize {
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
        for folder in ["", "stick", "lawyer", "owl", "tern"] {
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

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from.join(".")).arg(to).status().expect("cp runs");
    assert!(copied.success());
}

/// The kills of some verbs, and how many of these are tried.
pub(super) fn kills<'v>(
    stage: &Stage,
    strace: &Path,
    verbs: &'v [Verb],
    sample: usize,
) -> Vec<(&'v Verb, (String, u64))> {
    let all = std::env::var("AMPARO_KILLS").unwrap_or_default();
    let soaked = usize::try_from(crate::soak::times()).unwrap_or(usize::MAX / sample);
    let mut kills = Vec::new();
    for verb in verbs {
        let changes = stage.changes(verb, strace);
        assert!(changes.len() > 10, "{}: {changes:?}", verb.args.join(" "));
        let stride = if all == "all" || all == verb.args[0] { 1 } else { changes.len().div_ceil(sample * soaked) };
        kills.extend(changes.into_iter().rev().step_by(stride).map(|change| (verb, change)));
    }
    kills
}

#[test]
fn killed_before_any_change_no_verb_loses_or_accuses() {
    let Some(strace) = peers::program("strace") else { return };
    let stage = Stage::set();
    let kills = kills(&stage, &strace, &VERBS, SAMPLE);
    let (next, missed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((verb, change)) = kills.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let survived = stage.survives(verb, &strace, change, |_| ());
                    missed.fetch_add(usize::from(!survived), Ordering::SeqCst);
                }
            });
        }
    });
    let missed = missed.into_inner();
    let _ = writeln!(std::io::stderr(), "{} kills, of which {missed} did not come", kills.len());
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
        let before = twin.sound_exhibits(verb.who, HERE, what);
        let said: Vec<usize> =
            verb.leaves.iter().map(|(event, _)| twin.said_by(verb.who, verb.who, HERE, event)).collect();
        plant(&twin);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            assert!(twin.sound_exhibits(verb.who, HERE, what) >= before, "{what}");
            twin.goes_on(verb, before, &said, what);
        }));
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
    let notes = verb("lawyer", args, "owl", &[("note", 1)]);
    is_noticed("a remark that is made twice", &notes, &|twin| drop(twin.done(notes.who, notes.args)));
}
