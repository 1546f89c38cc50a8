//! What somebody types: the command itself, on the model's disk, with what it says; and acts of which more is seen than
//! one paper ([`super::papers`]).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use amparo::cli::{Context, Terminal, run};
use amparo::crypto::seed::Seed;
use amparo::format::armor;
use amparo::format::identity_file::IdentityFile;
use amparo::store::faulty::FaultyDisk;
use amparo::store::{FileSystemKind, RelPath};
use amparo::vault::custody::story::story;
use amparo::vault::session::Trust;
use amparo::vault::{VaultError, identity};
use rand_core::OsRng;

use super::super::super::people::{Device, Stopped, World, request};
use super::papers::{PAPER, Paper, is_receipt};
use super::{Act, PLAIN, READERS, as_who, check, members, pouches, sealing, trust};
use crate::vectors::case::Nobody;

/// Who types, in which folder, about which vault.
pub(in super::super) struct At<'w> {
    pub(super) who: &'w Device,
    pub(super) vault: Option<&'static str>,
    pub(super) folder: &'static str,
}

pub(in super::super) fn at_home<'w>(who: &'w Device, vault: &'static str) -> At<'w> {
    At { who, vault: Some(vault), folder: "" }
}

/// What a command said.
pub(in super::super) struct Said {
    pub(in super::super) exit: u8,
    pub(in super::super) out: Vec<u8>,
    pub(in super::super) err: String,
}

impl Said {
    /// Whether all of it was done, by the program's own word: 4 is that something is lacking.
    pub(super) fn done(self) -> Result<bool, VaultError> {
        match self.exit {
            0 => Ok(true),
            4 => Ok(false),
            _ => Err(VaultError::Output { source: io::Error::other(self.err) }),
        }
    }
}

/// Standard output. A line that begins with SEALED acknowledges an exhibit.
struct Heard<'a> {
    bytes: Vec<u8>,
    acknowledged: &'a mut dyn FnMut(),
}

impl Write for Heard<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        if bytes.starts_with(b"SEALED ") {
            (self.acknowledged)();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a command as somebody types it.
pub(in super::super) fn types(
    world: &World,
    at: &At<'_>,
    words: &[&str],
    mut stdin: &[u8],
    acknowledged: &mut dyn FnMut(),
) -> Said {
    let mut all: Vec<OsString> = ["amparo"].iter().chain(words).map(OsString::from).collect();
    let mut also = |flag: &str, value: OsString| all.extend([flag.into(), value]);
    also("--state", at.who.state.clone().into());
    also("--identity", identity_file(world, at.who).into());
    if let Some(vault) = at.vault {
        also("--vault", world.path(vault).into());
        let other = if vault == "two" { trust(world, vault) } else { None };
        let id = if let Some(Trust::VaultId(other)) = other { other } else { world.created.vault };
        also("--vault-id", id.to_string().into());
    }
    all.push("--no-input".into());
    let (mut heard, mut err) = (Heard { bytes: Vec::new(), acknowledged }, Vec::new());
    let folder = world.path(at.folder);
    let mut context = Context {
        disk: world.disk(),
        clock: &Stopped,
        rng: &mut OsRng,
        machine: at.who.machine,
        env: BTreeMap::from([("HOME".to_string(), folder.clone().into())]),
        folder,
        rebase: true,
        stdin: &mut stdin,
        stdout: &mut heard,
        stderr: &mut err,
        terminal: Terminal::default(),
        ask: &mut Nobody,
        stopped: &AtomicBool::new(false),
        confine: &mut |_| Ok(()),
    };
    let exit = run(all, &mut context);
    Said { exit, out: heard.bytes, err: String::from_utf8_lossy(&err).into_owned() }
}

fn identity_file(world: &World, who: &Device) -> PathBuf {
    world.path(&format!("keys/{}.age", who.person.card().name()))
}

const LETTER: &[u8] = b"a letter";

/// Everybody has her identity in a file; there is a desk, and a place for papers.
pub(super) fn prepared(disk: &FaultyDisk, world: &World) {
    for (who, seed) in [(&world.lawyer, 1), (&world.reader, 2), (&world.monitor, 3)] {
        let (file, seed) = (identity_file(world, who), Seed::from_bytes(&[seed; 32]));
        let name = who.person.card().name().to_string();
        as_who(world, who, |setting| identity::restore(setting, &file, &name, seed, None)).expect("her own");
    }
    disk.put(&world.path("desk/letter.txt"), LETTER);
    disk.put(&world.path("paper/readme.txt"), b"mine");
}

pub(super) fn read(world: &World, path: &str) -> Option<Vec<u8>> {
    let path = world.path(path);
    let folder = world.disk().folder(path.parent()?).ok()?;
    folder.read(&RelPath::parse(path.file_name()?)?, 1 << 20).ok()
}

/// Whether a custody record holds an event of this kind.
pub(super) fn is_said(world: &World, (copy, who): (&str, &Device), event: &str) -> Result<(), String> {
    let (folder, trust) = (world.path(copy), trust(world, copy));
    let told = as_who(world, who, |setting| story(setting, &request(&folder, who, trust.as_ref()), None));
    let told = told.map_err(|error| error.to_string())?;
    check(told.lines().any(|line| line.told.entry.event.name() == event), &format!("{event} does not stand there"))
}

type Acknowledge<'a> = &'a mut dyn FnMut();

fn seals(world: &World, words: &[&str], stdin: &[u8], acknowledged: Acknowledge<'_>) -> Result<bool, VaultError> {
    types(world, &at_home(&world.lawyer, "vault"), words, stdin, acknowledged).done()
}

fn opens_letter(world: &World) -> Result<(), String> {
    check(sealing::opens_as(world, "K7-0002")? == LETTER, "K7-0002 is not what was sealed")
}

/// What lies below a folder.
fn all_below(world: &World, folder: &Path) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for item in world.disk().list_source(folder).unwrap_or_default() {
        let path = folder.join(item.name);
        all.extend(all_below(world, &path));
        all.extend(world.disk().read_start(&path, 1 << 20));
    }
    all
}

/// One that was sealed lacks nothing; where a file could not be read, there is one before it that does.
fn opens_folder(world: &World) -> Result<(), String> {
    let sealed: [&[u8]; 3] = [b"the first", b"the second", b"the third and longest"];
    let out = world.path("proof");
    let listed = world.list(&world.reader).map_err(|error| error.to_string())?;
    let mut is_there = false;
    for exhibit in listed.iter().skip(1) {
        world.open(&world.reader, &exhibit.id, &out).map_err(|error| format!("it does not open: {error}"))?;
        let opened = all_below(world, &out.join(&exhibit.id));
        is_there |= sealed.iter().all(|one| opened.iter().any(|read| read == one));
    }
    check(is_there, "not all of the folder is there")
}

const SEALING_RECEIPT: Paper = Paper {
    at: |world| at_home(&world.lawyer, "vault"),
    words: &["seal", "desk/letter.txt", "--receipt", "paper/letter.receipt"],
    file: "paper/letter.receipt",
    is_whole: |_, bytes| is_receipt(bytes),
    ..PAPER
};

const MOVED: &str = "sealed/letter.txt";

fn seals_and_moves(world: &World, acknowledged: Acknowledge<'_>) -> Result<bool, VaultError> {
    let words = ["seal", "desk/letter.txt", "--done", "sealed"];
    let said = types(world, &at_home(&world.lawyer, "vault"), &words, b"", acknowledged);
    // Where a power cut doubled it, it is moved no second time.
    let is_double = said.err.contains("something of this name lies there already") && is_at(world, MOVED);
    if is_double { Ok(true) } else { said.done() }
}

fn is_at(world: &World, path: &str) -> bool {
    read(world, path).is_some_and(|read| read == LETTER)
}

/// What it moved is not there to be sealed again.
fn moved_before(world: &World, error: VaultError) -> Result<bool, VaultError> {
    if is_at(world, "desk/letter.txt") { Err(error) } else { Ok(is_at(world, MOVED)) }
}

/// The original is whole where it lay, or where it was to go. A rename on exFAT can lose it, but not what was sealed of
/// it.
fn is_somewhere(world: &World) -> Result<(), String> {
    if [MOVED, "desk/letter.txt"].iter().any(|path| is_at(world, path)) {
        return Ok(());
    }
    let system = world.disk().file_system(&world.path("desk")).map_err(|error| error.to_string())?;
    check(matches!(system.kind, FileSystemKind::WithoutPermissions(_)), "the original is lost")?;
    opens_letter(world)
}

fn is_moved(world: &World) -> Result<(), String> {
    check(is_at(world, MOVED), "what was told as moved is not there")?;
    opens_letter(world)
}

fn opens_to_stdout(world: &World, _: Acknowledge<'_>) -> Result<bool, VaultError> {
    let words = ["open", "K7-0001", "--stdout"];
    let said = types(world, &at_home(&world.reader, "copy"), &words, b"", &mut || ());
    assert!(b"the first".starts_with(&said.out), "it shows what was never sealed");
    let is_done = said.out == b"the first" && said.err.contains("The opening stands in the custody record.");
    said.done().map(|done| done && is_done)
}

const HERONS: &str = "keys/Blue Heron.age";

fn removes_identity(world: &World, _: Acknowledge<'_>) -> Result<bool, VaultError> {
    let at = At { who: &world.lawyer, vault: None, folder: "" };
    types(world, &at, &["identity", "remove", "--name", "Blue Heron"], b"", &mut || ()).done()
}

/// It says that none is there.
fn removed_before(world: &World, error: VaultError) -> Result<bool, VaultError> {
    if error_says(&error, "there is no identity in") && read(world, HERONS).is_none() { Ok(true) } else { Err(error) }
}

fn error_says(error: &VaultError, words: &str) -> bool {
    matches!(error, VaultError::Output { source } if source.to_string().contains(words))
}

fn is_whole_or_gone(world: &World) -> Result<(), String> {
    let parsed = read(world, HERONS).map(|bytes| IdentityFile::parse(&bytes).is_ok());
    check(parsed.unwrap_or(true), "half of an identity is there")
}

fn is_gone(world: &World) -> Result<(), String> {
    check(read(world, HERONS).is_none(), "the identity that was removed is there again")
}

fn merges(world: &World, who: &Device, copy: &'static str, words: &[&str]) -> Result<bool, VaultError> {
    types(world, &at_home(who, copy), &[&["merge"][..], words].concat(), b"", &mut || ()).done()
}

const ANSWER: &str = "paper/answer.txt";

/// Signs for what came and writes the answer; where that got lost, it is written anew, as the program says.
fn unpacks_and_answers(world: &World, _: Acknowledge<'_>) -> Result<bool, VaultError> {
    let at = at_home(&world.reader, "copy");
    let said = types(world, &at, &["unpack", "/stick/whole.bin", "--sign", "--answer", ANSWER], b"", &mut || ());
    if said.exit != 0 || !said.err.contains("An answer that got lost is written anew") {
        return said.done();
    }
    types(world, &at, &["pack", "--answers", "--to", "Blue Heron", "-o", ANSWER], b"", &mut || ()).done()
}

fn answered_before(world: &World, error: VaultError) -> Result<bool, VaultError> {
    if error_says(&error, "exists already") && has_answer(world).is_ok() { Ok(true) } else { Err(error) }
}

fn has_answer(world: &World) -> Result<(), String> {
    check(read(world, ANSWER).is_some_and(|text| armor::parse(&text).is_ok()), "the answer is not there")
}

pub(super) static ACTS: [Act; 10] = [
    Act {
        name: "seal of a folder",
        before: prepared,
        run: |world, acknowledged| seals(world, &["seal", "s", "--together"], b"", acknowledged),
        effect: opens_folder,
        ..PLAIN
    },
    Act {
        name: "seal of standard input",
        before: prepared,
        run: |world, acknowledged| seals(world, &["seal", "-", "--kind", "web"], LETTER, acknowledged),
        effect: opens_letter,
        ..PLAIN
    },
    Act {
        name: "seal --receipt",
        before: prepared,
        run: |world, acknowledged| SEALING_RECEIPT.types(world, acknowledged),
        settles: |world, error| SEALING_RECEIPT.settles(world, error),
        effect: |world| SEALING_RECEIPT.is_there(world).and_then(|()| opens_letter(world)),
        ..PLAIN
    },
    Act {
        name: "seal --done",
        before: prepared,
        run: seals_and_moves,
        settles: moved_before,
        always: is_somewhere,
        effect: is_moved,
        ..PLAIN
    },
    Act {
        name: "open --stdout",
        before: prepared,
        run: opens_to_stdout,
        effect: |world| is_said(world, ("copy", &world.reader), "open"),
        ..READERS
    },
    Act {
        name: "identity remove",
        before: prepared,
        run: removes_identity,
        settles: removed_before,
        always: is_whole_or_gone,
        effect: is_gone,
        ..PLAIN
    },
    Act {
        name: "merge --grant",
        before: |disk, world| {
            prepared(disk, world);
            assert!(members::adds(world, &mut || ()).expect("added"));
        },
        run: |world, _| merges(world, &world.reader, "copy", &["vault", "--grant"]),
        says: &[("admit", 1), ("share", 2)],
        ..READERS
    },
    Act {
        name: "merge of a pouch",
        before: |disk, world| {
            prepared(disk, world);
            pouches::packed(disk, world);
        },
        run: |world, _| merges(world, &world.reader, "copy", &["/stick/whole.bin"]),
        says: &[("seal", 2), ("offer", 1)],
        ..READERS
    },
    Act {
        name: "merge of answers",
        before: |disk, world| {
            prepared(disk, world);
            pouches::answered(disk, world);
            assert!(pouches::answers_back(world, &mut || ()).expect("written"));
        },
        run: |world, _| merges(world, &world.lawyer, "vault", &["/stick/answers.txt"]),
        says: &[("offer", 1), ("acknowledge", 1)],
        ..PLAIN
    },
    Act {
        name: "unpack --answer",
        before: |disk, world| {
            prepared(disk, world);
            pouches::packed(disk, world);
        },
        run: unpacks_and_answers,
        settles: answered_before,
        effect: has_answer,
        says: &[("offer", 1), ("acknowledge", 1)],
        ..READERS
    },
];
