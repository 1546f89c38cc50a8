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
const OUTCOME: [&str; 8] = ["exit", "verdict", "level", "trusted", "exhibits", "covered", "finding", "exhibit"];
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
    let alone = lines.iter().any(|(key, value)| key == "base" && value == "none");
    let mut words: Vec<String> = ["amparo", "verify", "--json"].map(Into::into).into();
    let mut env = BTreeMap::from([("AMPARO_STATE".to_string(), OsString::from(STATE))]);
    if !alone {
        words.push("vault".into());
    }
    for (key, value) in lines {
        let at = |name: &str| Path::new(PLACE).join(name);
        match (key.as_str(), value.split_once(' ').unwrap_or((value, ""))) {
            ("identity", ("none", _)) => {
                env.insert("HOME".into(), "/nobody".into());
            }
            ("identity", (seed, _)) => {
                let name = Pseudonym::parse("Vector").expect("a name");
                let identity = IdentityFile { name, seed: Seed::from_bytes(&unhex(seed).expect("64 digits")) };
                disk.put(&at("identity"), &identity.to_bytes());
                env.insert("AMPARO_IDENTITY".into(), at("identity").into());
            }
            ("trust", ("pinned", id)) => disk.put(&Path::new(STATE).join(id).join("pinned"), b"amparo.v1/pinned\n"),
            ("trust", ("given", id)) => words.extend(["--vault-id".into(), id.into()]),
            ("trust", ("owner", card)) => {
                disk.put(&at("owner.card"), &unbase64(card));
                words.extend(["--owner".into(), "owner.card".into()]);
            }
            ("remembers", (log, note)) => remember(disk, log, &unbase64(note)),
            (kind @ ("receipt" | "checkpoint" | "card"), (name, bytes)) => {
                disk.put(&at(name), &unbase64(bytes));
                words.extend((!alone).then(|| format!("--{kind}")).into_iter().chain([name.to_string()]));
            }
            _ => {}
        }
    }
    told(disk, words, env)
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

/// Runs the program and says what it told.
fn told(disk: &FaultyDisk, words: Vec<String>, env: BTreeMap<String, OsString>) -> Lines {
    let (mut out, mut err, stopped, clock) = (Vec::new(), Vec::new(), AtomicBool::new(false), Standing(Cell::new(0)));
    let mut context = Context {
        disk,
        clock: &clock,
        rng: &mut OsRng,
        machine: Hash::of(b"a device"),
        env,
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
    let exit = run(words.into_iter().map(OsString::from), &mut context);
    let mut lines: Lines = vec![("exit".into(), exit.to_string())];
    let Ok(json) = serde_json::from_slice::<Value>(&out) else {
        lines.push(("verdict".into(), "none".into()));
        return lines;
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    lines.push(("verdict".into(), text(&json["verdict"])));
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

struct Nobody;

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
