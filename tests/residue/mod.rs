//! What a command leaves behind: nothing of a passphrase, of a person's seed and keys, of a vault's keys, of a file's
//! key or of what was sealed, in its memory at its end, in files, arguments and environment; however it ends.

mod custody;
mod homes;
mod members;
mod memory;
mod plants;
mod sealed;
mod typed;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use age_core::format::{FileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use amparo::crypto::envelope;
use amparo::crypto::hash::hex;
use amparo::crypto::recipient::Identity;
use amparo::crypto::seed::Seed;
use amparo::crypto::shares::{Share, combine};
use amparo::format::identity_file::IdentityFile;
use amparo::format::key_file::KeyFile;
use amparo::format::share_file::ShareFile;
use amparo::format::words::of_seed;
use hkdf::Hkdf;
use serde_json::Value;
use sha2::Sha256;

use crate::trace::{NAMING, touched};
use memory::{Canary, Ended, at_the_end, holding, traced};

const WORDS: &str = "canary of what was said, which nobody must find";
const PASSPHRASE: &str = "canary-passphrase zinc velvet orbit";
/// Where programs put what is temporary, if they do.
const TEMPORARY: &str = "temporary";
/// What the last program did that was traced.
const TRACE: &str = "trace";
/// So many words of an identity stand together nowhere by chance.
const WORDS_IN_A_ROW: usize = 4;
/// Before some of these calls a sealing is killed, so often at least.
const KILLS: [&str; 4] = ["write", "fsync", "unlinkat", "openat2"];
const KILLED_MIN: usize = 12;
/// Before the payload of an age file.
const NONCE_BYTES: usize = 16;
const PEOPLE: [(&str, &str); 4] =
    [("lawyer", "Blue Heron"), ("reader", "Grey Owl"), ("monitor", "Red Kite"), ("gull", "Gull")];

/// The program that is looked at: that of this build, or what `AMPARO_RESIDUE` names, such as one that was optimised.
fn amparo() -> PathBuf {
    std::env::var_os("AMPARO_RESIDUE").map_or_else(|| env!("CARGO_BIN_EXE_amparo").into(), PathBuf::from)
}

/// Homes side by side; each identity is under the passphrase.
struct Place {
    folder: tempfile::TempDir,
    strace: PathBuf,
}

/// What identity files hold, by their bytes: opening one takes long on purpose.
static SEEDS: Mutex<BTreeMap<Vec<u8>, Seed>> = Mutex::new(BTreeMap::new());

impl Place {
    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    fn command(&self, who: &str, args: &[&str]) -> Command {
        let (mut command, home) = (Command::new(amparo()), self.path(who));
        command.args(args).current_dir(&home).env_clear().env("HOME", &home).stdin(Stdio::null());
        command.env("AMPARO_PASSPHRASE_FILE", self.path("passphrase")).env("TMPDIR", self.path(TEMPORARY));
        command
    }

    fn done(&self, who: &str, args: &[&str]) {
        let output = self.command(who, args).output().expect("it starts");
        assert!(output.status.success(), "{who}: amparo {}: {output:?}", args.join(" "));
    }

    /// What a command tells in its JSON under this name.
    fn told(&self, who: &str, args: &[&str], field: &str) -> String {
        let told = self.command(who, args).arg("--json").output().expect("it starts");
        let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
        told[field].as_str().expect("text").to_string()
    }

    /// A vault of the lawyer's, carried to somebody who trusts it from then on.
    fn carry(&self, vault: &str, to: &str) {
        let hers = self.path("lawyer").join(vault);
        copy(&hers, &self.path(to).join(vault));
        let id = fs::read_to_string(hers.join("VAULT")).expect("text");
        let id = id.split_whitespace().find(|word| word.len() == 64).expect("an id").to_string();
        self.done(to, &["verify", vault, "--vault-id", &id]);
    }

    /// Everything that nobody must find: secrets, and what is sealed.
    fn canaries(&self) -> Vec<Canary> {
        self.secrets().into_iter().chain(sealed::canaries()).collect()
    }

    /// Everything secret that there is now: passphrase, seeds, the vault's keys, and the keys of its files.
    fn secrets(&self) -> Vec<Canary> {
        let mut canaries: Vec<Canary> = vec![("passphrase".into(), PASSPHRASE.into())];
        let mut keys: Vec<Identity> = Vec::new();
        for who in PEOPLE.map(|(who, _)| who).into_iter().chain(["tern"]) {
            let Some(seed) = self.seed(who) else { continue };
            canaries.push((format!("seed of the {who}"), seed.as_bytes().to_vec()));
            canaries.push((format!("seed of the {who} in hex"), hex(seed.as_bytes()).into_bytes()));
            canaries.extend(on_paper(&seed).map(|words| (format!("words of the {who}"), words)));
            for name in ["log", "cosign", "ml-dsa-44"] {
                canaries.push((format!("{name} key of the {who}"), derived(&seed, name)));
            }
            keys.push(seed.keys().age);
        }
        let files = files(self.folder.path());
        let (mut of_vault, mut shares) = (Vec::new(), BTreeMap::<[u8; 16], Vec<Share>>::new());
        for bytes in &self.wrapped() {
            let Ok(opened) = envelope::open(bytes, &keys.iter().collect::<Vec<_>>()) else { continue };
            of_vault.extend(KeyFile::parse(&opened).ok().map(|file| file.key));
            if let Ok(file) = ShareFile::parse(&opened) {
                canaries.push((format!("share {}", file.share.index()), file.share.as_bytes().to_vec()));
                shares.entry(file.split).or_default().push(file.share);
            }
        }
        keys.extend(of_vault);
        for mut shares in shares.into_values() {
            // Each copy of the vault holds them all.
            shares.sort_by_key(Share::index);
            shares.dedup();
            keys.extend(combine(&shares.iter().collect::<Vec<_>>()).ok().map(|seed| Identity::from_seed(&seed)));
        }
        for (number, key) in keys.iter().enumerate() {
            canaries.push((format!("key {number}"), key.seed().to_vec()));
            canaries.push((format!("key {number} in words"), key.to_secret_line().as_bytes().to_vec()));
        }
        let (seen, mut of_files) = (RefCell::new(Vec::new()), 0);
        for file in files.iter().filter(|file| !file.ends_with("identity.age")) {
            let bytes = fs::read(file).expect("bytes");
            let Some(start) = envelope::start_bytes(&bytes) else { continue };
            let name = file.file_name().expect("a name").to_string_lossy();
            for key in &keys {
                let _ = envelope::open_any(&bytes, &[&Noting { key, seen: &seen }]);
            }
            if let Some(key) = seen.take().pop() {
                let nonce = &bytes[start - NONCE_BYTES..start];
                of_files += 1;
                canaries.push((format!("payload key of {name}"), expanded(Some(nonce), &key, "payload")));
                canaries.push((format!("key of {name}"), key));
            }
        }
        assert!(keys.len() > 4 && of_files > 4, "{} keys, {of_files} of files", keys.len());
        canaries
    }

    fn seed(&self, who: &str) -> Option<Seed> {
        let locked = fs::read(self.path(who).join(".config/amparo/identity.age")).ok()?;
        let mut seeds = SEEDS.lock().unwrap_or_else(PoisonError::into_inner);
        let seed = seeds.entry(locked).or_insert_with_key(|locked| {
            let opened = envelope::open_with_passphrase(locked, PASSPHRASE).expect("the passphrase");
            IdentityFile::parse(&opened).expect("an identity").seed
        });
        Some(seed.clone())
    }

    /// Wrapped keys and shares of all copies.
    fn wrapped(&self) -> Vec<Vec<u8>> {
        let files = files(self.folder.path()).into_iter().filter(|file| file.to_string_lossy().contains("/keys/"));
        files.map(|file| fs::read(file).expect("bytes")).collect()
    }

    /// Runs one command, and tells what it left, and where.
    fn left(&self, command: &Command, exit: i32, inject: &[&str], stdin: &Path) -> Vec<String> {
        self.left_after(|canaries| at_the_end(self, command, inject, stdin, canaries), exit)
    }

    /// What is left once a command has been looked at when it ended.
    fn left_after(&self, look: impl FnOnce(&dyn Fn() -> Vec<Canary>) -> Ended, exit: i32) -> Vec<String> {
        // A secret may be gone when it ends, another only be there then.
        let (before, all) = (self.canaries(), RefCell::<Vec<Canary>>::default());
        let ended = look(&|| {
            all.replace(before.iter().cloned().chain(self.canaries()).collect());
            all.borrow().clone()
        });
        let arguments = String::from_utf8_lossy(&ended.arguments).replace('\0', " ");
        assert_eq!(ended.exit, exit, "{arguments}");
        assert!(ended.bytes > 64 << 10, "{arguments}: only {} bytes of memory were seen", ended.bytes);
        assert_eq!(ended.core_limit.split_whitespace().filter(|word| *word == "0").count(), 2, "{}", ended.core_limit);
        let all = all.into_inner();
        let beside = [("arguments", &ended.arguments), ("environment", &ended.environment)];
        let beside = beside.into_iter().flat_map(|(place, bytes)| named(&holding(bytes, &all), place));
        ended.found.iter().cloned().chain(beside).chain(self.left_in_files(&all)).chain(self.made_elsewhere()).collect()
    }

    /// Kills a program before a call; whether it came so far.
    fn killed(&self, command: &Command, call: &str, nth: u32) -> bool {
        let inject = format!("inject={call}:signal=KILL:when={nth}");
        let calls = format!("trace={NAMING},{call}");
        let status = traced(self, command, &calls, &[&inject]).output().expect("strace starts").status;
        assert!(status.success() || status.signal() == Some(9), "{call} number {nth}: {status}");
        !status.success()
    }

    /// Names outside, and below the folder for what is temporary, that the last traced program made, also for a while.
    fn made_elsewhere(&self) -> Vec<String> {
        let trace = fs::read(self.path(TRACE)).expect("a trace");
        assert!(!trace.is_empty(), "nothing was traced");
        let names: BTreeSet<PathBuf> = touched(&String::from_utf8_lossy(&trace), self.folder.path());
        let is_ours = |name: &Path| {
            name == Path::new("/dev/tty")
                || name.starts_with(self.folder.path()) && !name.starts_with(self.path(TEMPORARY))
        };
        names.into_iter().filter(|name| !is_ours(name)).map(|name| format!("made: {}", name.display())).collect()
    }

    fn left_in_files(&self, all: &[Canary]) -> Vec<String> {
        let name = |file: &Path| file.strip_prefix(self.folder.path()).expect("below").to_string_lossy().into_owned();
        let all_files = files(self.folder.path()).into_iter().map(|file| (name(&file), file));
        let is_readable = |name: &str| {
            ["passphrase", "words", "lawyer/t.txt", TRACE].contains(&name)
                || ["/sources/", "/done/", "/opened/"].iter().any(|folder| name.contains(folder))
        };
        let kept = all_files.filter(|(name, _)| !is_readable(name));
        kept.flat_map(|(name, file)| named(&holding(&fs::read(file).expect("bytes"), all), &name)).collect()
    }

    /// Runs one command, of which nothing may be left.
    fn leaves_nothing(&self, who: &str, exit: i32, args: &[&str], inject: &[&str], stdin: &Path) {
        let left = self.left(&self.command(who, args), exit, inject, stdin);
        assert_eq!(left, [""; 0], "{who}: amparo {}", args.join(" "));
    }
}

fn named(canaries: &[String], place: &str) -> Vec<String> {
    canaries.iter().map(|canary| format!("{canary} in {place}")).collect()
}

/// Some of the words of an identity in a row, as people type them and as a file has them.
fn on_paper(seed: &Seed) -> impl Iterator<Item = Vec<u8>> {
    let words = of_seed(seed);
    let numbered: Vec<String> = (1..).zip(&words).map(|(number, word)| format!("{number:>2}. {word}\n")).collect();
    let typed: Vec<String> = words.chunks(WORDS_IN_A_ROW).map(|row| row.join(" ")).collect();
    let rows: Vec<String> = numbered.chunks(WORDS_IN_A_ROW).map(<[String]>::concat).collect();
    typed.into_iter().chain(rows).map(String::into_bytes)
}

/// A key of an identity, as FORMAT.md derives it.
fn derived(seed: &Seed, name: &str) -> Vec<u8> {
    expanded(None, seed.as_bytes(), &format!("amparo.v1/identity/{name}"))
}

fn expanded(salt: Option<&[u8]>, key: &[u8], info: &str) -> Vec<u8> {
    let mut bytes = vec![0; 32];
    Hkdf::<Sha256>::new(salt, key).expand(info.as_bytes(), &mut bytes).expect("one block");
    bytes
}

/// Notes the key of each file that it opens.
struct Noting<'a> {
    key: &'a Identity,
    seen: &'a RefCell<Vec<Vec<u8>>>,
}

impl age::Identity for Noting<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        let opened = self.key.unwrap_stanza(stanza);
        if let Some(Ok(key)) = &opened {
            self.seen.borrow_mut().push(key.expose_secret().to_vec());
        }
        opened
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for item in fs::read_dir(folder).expect("a folder").map(|item| item.expect("an item").path()) {
        if item.is_dir() { all.extend(files(&item)) } else { all.push(item) }
    }
    all
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).expect("below"));
        fs::create_dir_all(target.parent().expect("a folder")).expect("made");
        fs::copy(&file, target).expect("copied");
    }
}

#[test]
fn no_command_leaves_a_secret_behind() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    place.carry("evidence", "reader");
    place.carry("evidence", "monitor");
    copy(&place.path("lawyer/evidence"), &place.path("stick/evidence"));
    let nothing = place.path("nothing");
    let run = |who: &str, args: &[&str]| place.leaves_nothing(who, 0, args, &[], &nothing);
    run("tern", &["identity", "new", "--name", "Tern"]);
    run("gull", &["identity", "show"]);
    run("gull", &["identity", "card"]);
    run("lawyer", &["list", "--vault", "evidence"]);
    run("reader", &["list", "--vault", "evidence"]);
    run("reader", &["show", "K7-0001", "--vault", "evidence"]);
    run("reader", &["verify", "evidence"]);
    // A pouch cannot hold the entry that says that it was packed: it is older than the copy.
    place.leaves_nothing("reader", 4, &["verify", "../p.bin"], &[], &nothing);
    run("monitor", &["verify", "evidence", "--cosign", "--cosignatures", "../c.txt"]);
    run("reader", &["open", "K7-0001", "-o", "opened", "--vault", "evidence"]);
    run("reader", &["custody", "acknowledge", "--vault", "evidence"]);
    run("reader", &["unpack", "../p.bin", "-o", "evidence"]);
    run("reader", &["merge", "../stick/evidence", "--vault", "evidence"]);
    run("lawyer", &["merge", "../c.txt", "--vault", "evidence"]);
    run("lawyer", &["custody", "log", "--vault", "evidence"]);
    run("lawyer", &["custody", "note", "a note", "--vault", "evidence"]);
    run("lawyer", &["custody", "receipt", "K7-0001", "-o", "../r.txt", "--vault", "evidence"]);
    run("lawyer", &["pack", "--to", "../reader.card", "-o", "../q.bin", "--vault", "evidence"]);
    run("lawyer", &["doctor", "--vault", "evidence"]);
    run("lawyer", &["member", "list", "--vault", "evidence"]);
    run("lawyer", &["--vault", "evidence"]);
    // A reader's identity opens what lies beside it, and that is what it is to say.
    place.leaves_nothing("reader", 1, &["border-check", ".", "--vault", "evidence"], &[], &nothing);
    run("lawyer", &["init", "another", "--reader", "../reader.card"]);
    run("lawyer", &["seal", "t.txt", "--vault", "evidence"]);
    // A new copy lacks what she has said in the other one.
    let unpack = ["unpack", "../q.bin", "-o", "new", "--owner", "../lawyer.card", "--sign"];
    place.leaves_nothing("reader", 4, &unpack, &[], &nothing);
    place.leaves_nothing("lawyer", 0, &["seal", "-", "--vault", "evidence"], &[], &place.path("lawyer/t.txt"));
}

#[test]
fn nothing_secret_is_left_however_a_command_ends() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    place.carry("evidence", "reader");
    let nothing = place.path("nothing");
    // No thread can be started: a panic.
    let panic = "inject=clone3:error=EAGAIN:when=3+";
    place.leaves_nothing("reader", 101, &["verify", "evidence"], &[panic], &nothing);
    // A disk that fails, a passphrase that is not the one.
    let failing = ["inject=syncfs,fsync:error=EIO"];
    place.leaves_nothing("lawyer", 1, &["seal", "t.txt", "--vault", "evidence"], &failing, &nothing);
    fs::write(place.path("passphrase"), "canary-passphrase of another\n").expect("written");
    let ended = at_the_end(&place, &place.command("reader", &["verify", "evidence"]), &[], &nothing, &|| {
        vec![("passphrase".into(), b"canary-passphrase of another".to_vec())]
    });
    assert_ne!(ended.exit, 0);
    assert_eq!(ended.found, [""; 0]);
    assert_eq!(place.made_elsewhere(), [""; 0]);
}

#[test]
fn a_kill_leaves_nothing_readable_in_any_file() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    let command = place.command("lawyer", &["seal", "t.txt", "--vault", "evidence"]);
    let mut killed = 0;
    for call in KILLS {
        for nth in [1, 3, 6, 10] {
            killed += usize::from(place.killed(&command, call, nth));
            let context = format!("killed before {call} number {nth}");
            // Those of what this run sealed as well.
            assert_eq!(place.left_in_files(&place.canaries()), [""; 0], "{context}");
            assert_eq!(place.made_elsewhere(), [""; 0], "{context}");
        }
    }
    // Each thread counts its own calls: some come to fewer.
    assert!(killed >= KILLED_MIN, "only {killed} were killed");
}
