//! What is replaced because a person asked for it: the old one or the new one is whole at every moment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use amparo::cli::{Context, Terminal, run};
use amparo::crypto::seed::Seed;
use amparo::format::receipt::Receipt;
use amparo::store::RelPath;
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::vault::open::{OpenRequest, open};
use amparo::vault::session::Trust;
use amparo::vault::{VaultError, identity};
use rand_core::OsRng;

use super::super::super::people::{Stopped, World, request, with};
use super::{as_who, check};
use crate::vectors::case::Nobody;

const OLD: &[u8] = b"what was here before";
const RECEIPT: &str = "K7-0001.receipt";

pub(super) fn opened_before(disk: &FaultyDisk, world: &World) {
    disk.put(&world.path("opened/K7-0001/content/first.txt"), OLD);
    disk.put(&world.path("opened/K7-0001.part/readme.txt"), b"a stranger's");
}

/// Of all that lies below a folder, the files at one of these paths, by what they hold.
fn any(world: &World, folder: &str, inside: &str, is_it: impl Fn(&[u8]) -> bool) -> Result<(), String> {
    let folder = world.disk().folder(&world.path(folder)).map_err(|error| error.to_string())?;
    let items = folder.list(None).map_err(|error| error.to_string())?;
    let names: Vec<String> = items.iter().map(|item| item.name.to_string_lossy().into_owned()).collect();
    let is_there = |name: &String| {
        let path = RelPath::parse(format!("{name}{inside}")).expect("a path");
        folder.read(&path, 1 << 20).is_ok_and(|read| is_it(&read))
    };
    check(names.iter().any(is_there), &format!("neither the old one nor the new one is whole: {names:?}"))
}

pub(super) fn is_open(world: &World) -> Result<(), String> {
    any(world, "opened", "/content/first.txt", |read| read == OLD || read == b"the first")?;
    any(world, "opened", "/readme.txt", |read| read == b"a stranger's")
}

/// She has her identity in a file, and a receipt of that name.
pub(super) fn receipt_before(disk: &FaultyDisk, world: &World) {
    let (file, seed) = (world.path("keys/me.age"), Seed::from_bytes(&[1; 32]));
    let made = as_who(world, &world.lawyer, |setting| identity::restore(setting, &file, "Blue Heron", seed, None));
    assert!(made.is_ok(), "the lawyer's own");
    disk.put(&world.path("paper").join(RECEIPT), OLD);
    disk.put(&world.path("paper").join(format!("{RECEIPT}.part")), b"a stranger's");
}

/// By the command itself.
pub(super) fn writes_receipt(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let output = format!("paper/{RECEIPT}");
    let words = ["amparo", "custody", "receipt", "K7-0001", "-o", &output, "--overwrite", "--vault", "vault"];
    let places = ["--state", "state of Blue Heron", "--identity", "keys/me.age", "--no-input"];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut context = Context {
        disk: world.disk(),
        clock: &Stopped,
        rng: &mut OsRng,
        machine: world.lawyer.machine,
        env: BTreeMap::new(),
        folder: world.path(""),
        rebase: true,
        stdin: &mut io::empty(),
        stdout: &mut out,
        stderr: &mut err,
        terminal: Terminal::default(),
        ask: &mut Nobody,
        stopped: &AtomicBool::new(false),
        confine: &mut |_| Ok(()),
    };
    match run(words.into_iter().chain(places).map(OsString::from), &mut context) {
        0 => Ok(true),
        _ => Err(VaultError::Output { source: io::Error::other(String::from_utf8_lossy(&err).into_owned()) }),
    }
}

fn is_new(text: &[u8]) -> bool {
    Receipt::parse(text).is_ok_and(|receipt| receipt.print().as_bytes() == text)
}

pub(super) fn is_receipt(world: &World) -> Result<(), String> {
    any(world, "paper", "", |read| read == OLD || is_new(read))?;
    any(world, "paper", "", |read| read == b"a stranger's")
}

pub(super) fn has_receipt(world: &World) -> Result<(), String> {
    let folder = world.disk().folder(&world.path("paper")).map_err(|error| error.to_string())?;
    let read = folder.read(&RelPath::parse(RECEIPT).expect("a name"), 1 << 20);
    check(read.is_ok_and(|read| is_new(&read)), "the receipt is not there")
}

/// What stands under its name is readable: then it was opened, and that is told, whatever failed afterwards.
#[test]
fn what_was_replaced_is_an_opening_whatever_fails_then() {
    let base = FaultyDisk::new(Rules::Ext4);
    base.put(Path::new("/home/s/first.txt"), b"the first");
    let world = World::on(Arc::new(base.clone()), Path::new("/home")).expect("founded");
    world.seal(&[world.path("s/first.txt")], false).expect("sealed");
    opened_before(&base, &world);
    let (ids, out, trust) = (["K7-0001".to_string()], world.path("opened"), Trust::VaultId(world.created.vault));
    let (mut later, mut nth) = (0, 0);
    loop {
        let disk = base.twin();
        let last = disk.operations() + nth;
        disk.fail_at(last, Fault::Io, Times::Once);
        let told = with(&disk, world.reader.machine, |setting| {
            let place = request(&world.vault, &world.reader, Some(&trust));
            open(setting, &OpenRequest { place, ids: &ids, out: &out, overwrite: true, reason: "" })
        });
        let is_over = disk.operations() <= last;
        let stands = disk
            .files()
            .iter()
            .any(|(path, bytes)| path.ends_with("opened/K7-0001/content/first.txt") && bytes.as_slice() != OLD);
        match told {
            Ok(opened) => {
                assert_eq!((opened.exhibits.len(), stands), (1, true), "{nth}");
                later += u64::from(opened.failure.is_some() && opened.unrecorded.is_none());
            }
            Err(error) => assert!(!stands, "{nth}: it can be read, and is told as not opened: {error}"),
        }
        if is_over {
            break;
        }
        nth += 1;
    }
    assert!(later > 0, "of {nth} faults none came between the new name and the record");
}
