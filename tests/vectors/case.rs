//! A vault as data: a small text file that says how to make it, with what to verify it, and what must be found
//! (FORMAT § 10.2). Here such a file is read, made into a folder in memory, and judged by the program's own `verify`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use amparo::cli::{Ask, Context, Terminal, run};
use amparo::crypto::hash::{Hash, unhex};
use amparo::crypto::seed::Seed;
use amparo::format::identity_file::IdentityFile;
use amparo::format::pseudonym::Pseudonym;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::{Disk, Kind, RelPath};
use amparo::vault::Clock;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rand_core::OsRng;
use serde_json::Value;
use zeroize::Zeroizing;

/// Keys that say what must be found; all others say what is verified.
const OUTCOME: [&str; 10] =
    ["exit", "verdict", "level", "trusted", "exhibits", "covered", "finding", "exhibit", "handover", "discrepancy"];
/// Where the vault lies on the disk in memory.
pub(crate) const VAULT: &str = "/place/vault";
const PLACE: &str = "/place";
const STATE: &str = "/state";

/// The lines of a case, in order: key and value.
pub(crate) type Lines = Vec<(String, String)>;

/// Where the cases lie.
pub(crate) fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/vaults")
}

pub(crate) fn read(name: &str) -> Lines {
    let text = fs::read_to_string(home().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let lines = parse(&text);
    assert_eq!(print(&lines), text, "{name}: a case is printed as it is read");
    lines
}

fn parse(text: &str) -> Lines {
    let pair = |line: &str| line.split_once(": ").map(|(key, value)| (key.to_string(), value.to_string()));
    text.lines().map(|line| pair(line).unwrap_or_else(|| panic!("no key and value: {line:.60}"))).collect()
}

pub(crate) fn print(lines: &Lines) -> String {
    lines.iter().flat_map(|(key, value)| [key, ": ", value, "\n"]).collect()
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn unbase64(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).expect("base64")
}

/// What is verified, and what must be found of it.
pub(crate) fn parts(lines: &Lines) -> (Lines, Lines) {
    lines.iter().cloned().partition(|(key, _)| !OUTCOME.contains(&key.as_str()))
}

/// The folder that a case makes, at [`VAULT`].
pub(crate) fn made(lines: &Lines) -> FaultyDisk {
    let value = |wanted: &str| lines.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
    let disk = match value("base").expect("a base") {
        "none" | "empty" => FaultyDisk::new(Rules::Ext4),
        "golden/amparo.v1/vault" => golden(),
        case => made(&read(case)),
    };
    for (key, value) in lines {
        change(&disk, key, value);
    }
    disk
}

fn golden() -> FaultyDisk {
    let disk = FaultyDisk::new(Rules::Ext4);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/amparo.v1/vault");
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(&folder).expect("the golden vault").flatten() {
            let path = item.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let below = path.strip_prefix(&root).expect("below the vault");
                disk.put(&Path::new(VAULT).join(below), &fs::read(&path).expect("a file"));
            }
        }
    }
    disk
}

/// The bytes of a file below the vault.
pub(crate) fn file(disk: &FaultyDisk, path: &str) -> Vec<u8> {
    let path = Path::new(VAULT).join(path);
    let found = disk.files().into_iter().find(|(there, _)| *there == path);
    found.unwrap_or_else(|| panic!("{} is not there", path.display())).1
}

fn change(disk: &FaultyDisk, key: &str, value: &str) {
    let at = |path: &str| Path::new(VAULT).join(unescaped(path));
    let remove = |path: &str| {
        let folder = disk.folder(Path::new(VAULT)).expect("the vault");
        folder.remove_all(&[RelPath::parse(unescaped(path)).expect("a path")]).expect("removed");
    };
    let two = || value.rsplit_once(' ').expect("two parts");
    match key {
        "put" => disk.put(&at(two().0), &unbase64(two().1)),
        "fill" => disk.put(&at(two().0), &vec![0; two().1.parse().expect("a number of bytes")]),
        "remove" => remove(value),
        "rename" => {
            let bytes = file(disk, two().0);
            remove(two().0);
            disk.put(&at(two().1), &bytes);
        }
        "truncate" => {
            let bytes = file(disk, two().0);
            disk.put(&at(two().0), &bytes[..two().1.parse().expect("a number of bytes")]);
        }
        "flip" => {
            let (rest, bit) = two();
            let (path, offset) = rest.rsplit_once(' ').expect("an offset");
            let (mut bytes, bit) = (file(disk, path), bit.parse::<u32>().expect("a bit"));
            bytes[offset.parse::<usize>().expect("an offset")] ^= 1_u8 << bit;
            disk.put(&at(path), &bytes);
        }
        "link" => disk.put_kind(&at(value), Kind::Link),
        "pipe" => disk.put_kind(&at(value), Kind::Pipe),
        "folder" => disk.put_kind(&at(value), Kind::Folder),
        _ => {}
    }
}

/// A path written as findings write it: `\u{hex}`, `\\`.
fn unescaped(path: &str) -> String {
    let (mut plain, mut rest) = (String::new(), path);
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('\\') {
            plain.push('\\');
            rest = after;
        } else {
            let (digits, after) = after.strip_prefix("u{").and_then(|after| after.split_once('}')).expect("an escape");
            plain.push(char::from_u32(u32::from_str_radix(digits, 16).expect("hex")).expect("a character"));
            rest = after;
        }
    }
    plain + rest
}

/// What `verify` finds of a case, as the lines that must stand in its file.
pub(crate) fn judged(lines: &Lines) -> Lines {
    judged_on(&made(lines), lines)
}

/// The same of a folder that is already made.
pub(crate) fn judged_on(disk: &FaultyDisk, lines: &Lines) -> Lines {
    let program = Program::of(disk, lines);
    let (exit, said) = program.run("verify", &program.given);
    let mut found: Lines = vec![("exit".into(), exit.to_string())];
    let Some(said) = said else {
        found.push(("verdict".into(), "none".into()));
        return found;
    };
    found.extend(verdict(&said));
    if program.has_vault() {
        found.extend(handovers(&program));
        found.extend(lines.iter().filter(|(key, _)| key == "acknowledges").flat_map(|(_, offer)| {
            let (log, seq) = place(offer);
            acknowledged(&program, log, seq).unwrap_or_else(|| panic!("{offer} is not acknowledged"))
        }));
    }
    found
}

/// The line of a case that has the verifier acknowledge the first offer that waits for her, where the program lets her.
pub(crate) fn acknowledging(lines: &Lines) -> Option<(String, String)> {
    let disk = made(lines);
    let program = Program::of(&disk, lines);
    let (_, verified) = program.has_vault().then(|| program.run("verify", &program.given))?;
    verified?;
    let story = program.run("custody log", &[]).1?;
    let offer = story["pending"].as_array().expect("a list").iter().find_map(|one| {
        let signed = program.run("custody acknowledge", &[text(&one["offer"]), "--sign-older".into()]);
        signed.1.map(|_| text(&one["offer"]))
    })?;
    let entry = entries(&story).into_iter().find(|entry| entry["label"] == offer.as_str())?;
    Some(("acknowledges".into(), format!("{} {}", text(&entry["log"]), entry["seq"])))
}

/// Log and number of an entry.
fn place(value: &str) -> (&str, u64) {
    let (log, seq) = value.split_once(' ').expect("two parts");
    (log, seq.parse().expect("a number"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_string()
}

fn entries(story: &Value) -> Vec<Value> {
    story["entries"].as_array().expect("a list").clone()
}

/// Puts a state that the device has seen where its memory keeps it.
fn remember(disk: &FaultyDisk, log: &str, note: &[u8]) {
    let text = String::from_utf8_lossy(note);
    let mut lines = text.lines();
    let vault = lines.next().and_then(|origin| origin.split('/').nth(1)).expect("an origin");
    let size: u64 = lines.next().and_then(|size| size.parse().ok()).expect("a size");
    let name = format!("{vault}/seen/{log}/{size:010}-{}", Hash::of(note));
    disk.put(&Path::new(STATE).join(name), note);
}

/// The program, as the person of a case runs it.
struct Program<'a> {
    disk: &'a FaultyDisk,
    env: BTreeMap<String, OsString>,
    /// What every command is told: how the vault is known.
    trust: Vec<String>,
    /// What `verify` is given besides the vault; without a vault, that alone.
    given: Vec<String>,
    alone: bool,
}

impl<'a> Program<'a> {
    /// Puts beside the vault what the case gives.
    fn of(disk: &'a FaultyDisk, lines: &Lines) -> Self {
        let alone = lines.iter().any(|(key, value)| key == "base" && value == "none");
        let env = BTreeMap::from([("AMPARO_STATE".to_string(), OsString::from(STATE))]);
        let mut program = Self { disk, env, trust: Vec::new(), given: Vec::new(), alone };
        for (key, value) in lines {
            program.take(key, value);
        }
        program
    }

    fn take(&mut self, key: &str, value: &str) {
        let at = |name: &str| Path::new(PLACE).join(name);
        match (key, value.split_once(' ').unwrap_or((value, ""))) {
            ("identity", ("none", _)) => {
                self.env.insert("HOME".into(), "/nobody".into());
            }
            ("identity", (seed, _)) => {
                let name = Pseudonym::parse("Vector").expect("a name");
                let identity = IdentityFile { name, seed: Seed::from_bytes(&unhex(seed).expect("64 digits")) };
                self.disk.put(&at("identity"), &identity.to_bytes());
                self.env.insert("AMPARO_IDENTITY".into(), at("identity").into());
            }
            ("trust", ("pinned", id)) => {
                self.disk.put(&Path::new(STATE).join(id).join("pinned"), b"amparo.v1/pinned\n");
            }
            ("trust", ("given", id)) => self.trust.extend(["--vault-id".into(), id.into()]),
            ("trust", ("owner", card)) => {
                self.disk.put(&at("owner.card"), &unbase64(card));
                self.trust.extend(["--owner".into(), "owner.card".into()]);
            }
            ("remembers", (log, note)) => remember(self.disk, log, &unbase64(note)),
            (kind @ ("receipt" | "checkpoint" | "card"), (name, bytes)) => {
                self.disk.put(&at(name), &unbase64(bytes));
                let flag = (!self.alone).then(|| format!("--{kind}"));
                self.given.extend(flag.into_iter().chain([name.to_string()]));
            }
            _ => {}
        }
    }

    fn has_vault(&self) -> bool {
        !self.alone
    }

    /// Runs a command and says how it ended and, where it told something, what.
    fn run(&self, command: &str, more: &[String]) -> (u8, Option<Value>) {
        let vault = if self.alone { vec![] } else { vec!["--vault".to_string(), "vault".into()] };
        let words = ["amparo"].into_iter().chain(command.split(' ')).chain(["--json"]).map(String::from);
        let words = words.chain(vault).chain(self.trust.iter().cloned()).chain(more.iter().cloned());
        let (mut out, mut err, stopped) = (Vec::new(), Vec::new(), AtomicBool::new(false));
        let clock = Standing(Cell::new(0));
        let mut context = Context {
            disk: self.disk,
            clock: &clock,
            rng: &mut OsRng,
            machine: Hash::of(b"a device"),
            env: self.env.clone(),
            folder: PLACE.into(),
            rebase: true,
            stdin: &mut io::empty(),
            stdout: &mut out,
            stderr: &mut err,
            terminal: Terminal::default(),
            ask: &mut Nobody,
            stopped: &stopped,
            confine: &mut |_| Ok(()),
        };
        let exit = run(words.map(OsString::from), &mut context);
        (exit, serde_json::from_slice(&out).ok())
    }
}

/// The lines of a verdict.
fn verdict(json: &Value) -> Lines {
    let mut lines: Lines = vec![("verdict".into(), text(&json["verdict"]))];
    lines.push(("level".into(), text(&json["level"])));
    if let Some(trusted) = json["trusted"].as_bool() {
        lines.push(("trusted".into(), if trusted { "yes" } else { "no" }.into()));
        lines.push(("exhibits".into(), json["exhibits"].to_string()));
        if json["covered_exhibits"] != 0 {
            lines.push(("covered".into(), json["covered_exhibits"].to_string()));
        }
    }
    let findings = json["findings"].as_array().expect("a list");
    let mut found: Vec<String> = findings
        .iter()
        .map(|one| format!("{} {} {}", text(&one["weight"]), text(&one["check"]), text(&one["subject"])))
        .collect();
    found.sort_unstable();
    found.dedup();
    lines.extend(found.into_iter().map(|finding| ("finding".into(), finding)));
    let exhibits = json["exhibit_verdicts"].as_object().expect("a map");
    lines.extend(exhibits.iter().map(|(id, verdict)| ("exhibit".into(), format!("{id} {}", text(verdict)))));
    lines
}

/// How far each handover has come, as the custody story tells it to whoever can read it.
fn handovers(program: &Program<'_>) -> Lines {
    let (_, Some(story)) = program.run("custody log", &[]) else { return Lines::new() };
    let with_status = entries(&story).into_iter().filter(|entry| entry["status"].is_string());
    let mut told: Vec<(String, u64, String)> = with_status
        .map(|entry| (text(&entry["log"]), entry["seq"].as_u64().expect("a number"), text(&entry["status"])))
        .collect();
    told.sort_unstable();
    told.into_iter().map(|(log, seq, status)| ("handover".into(), format!("{log} {seq} {status}"))).collect()
}

/// What stands in the entry by which the person of a case acknowledges an offer.
fn acknowledged(program: &Program<'_>, log: &str, seq: u64) -> Option<Lines> {
    let is_at = |entry: &Value, log: &str, seq: u64| entry["log"] == log && entry["seq"] == seq;
    let (_, story) = program.run("custody log", &[]);
    let offer = entries(&story?).into_iter().find(|entry| is_at(entry, log, seq))?;
    let (_, signed) = program.run("custody acknowledge", &[text(&offer["label"]), "--sign-older".into()]);
    let signed = signed?;
    let (_, story) = program.run("custody log", &[]);
    let answer = entries(&story?).into_iter().find(|entry| {
        is_at(entry, signed["log"].as_str().unwrap_or_default(), signed["seq"].as_u64().unwrap_or_default())
    })?;
    let listed = answer["discrepancies"].as_array().expect("a list").iter();
    let mut listed: Vec<String> =
        listed.map(|one| format!("{} {}", text(&one["check"]), text(&one["subject"]))).collect();
    listed.sort_unstable();
    listed.dedup();
    Some(listed.into_iter().map(|one| ("discrepancy".into(), one)).collect())
}

struct Standing(Cell<u64>);

impl Clock for Standing {
    fn now(&self) -> jiff::ZonedDateTime {
        "2031-05-04T23:10:00-03:00[-03:00]".parse().expect("a time")
    }

    fn elapsed(&self) -> Duration {
        self.0.set(self.0.get() + 1);
        Duration::from_millis(self.0.get())
    }
}

/// Whoever is asked does not answer.
pub(crate) struct Nobody;

impl Ask for Nobody {
    fn line(&mut self, _prompt: &str) -> io::Result<Option<String>> {
        Ok(None)
    }

    fn passphrase(&mut self, _prompt: &str) -> io::Result<Option<Zeroizing<String>>> {
        Ok(None)
    }

    fn privately(&mut self, _page: &str, _prompt: &str) -> io::Result<Option<Zeroizing<String>>> {
        Ok(None)
    }
}
