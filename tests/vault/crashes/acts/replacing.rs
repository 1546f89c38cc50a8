//! What is replaced because a person asked for it: the old one or the new one is whole at every moment.

use std::path::Path;
use std::sync::Arc;

use amparo::store::RelPath;
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::vault::VaultError;
use amparo::vault::open::{OpenRequest, open};
use amparo::vault::session::Trust;

use super::super::super::people::{World, request, with};
use super::check;
use super::papers::is_receipt;
use super::typed::{at_home, prepared, read, types};

pub(super) const OLD: &[u8] = b"what was here before";
const RECEIPT: &str = "K7-0001.receipt";

pub(super) fn opened_before(disk: &FaultyDisk, world: &World) {
    disk.put(&world.path("opened/K7-0001/content/first.txt"), OLD);
    disk.put(&world.path("opened/K7-0001.part/readme.txt"), b"a stranger's");
}

/// Of all that lies below a folder, the files at one of these paths, by what they hold.
pub(super) fn any(world: &World, folder: &str, inside: &str, is_it: impl Fn(&[u8]) -> bool) -> Result<(), String> {
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

/// A receipt of that name is there.
pub(super) fn receipt_before(disk: &FaultyDisk, world: &World) {
    prepared(disk, world);
    disk.put(&world.path("paper").join(RECEIPT), OLD);
    disk.put(&world.path("paper").join(format!("{RECEIPT}.part")), b"a stranger's");
}

/// By the command itself.
pub(super) fn writes_receipt(world: &World, _: &mut dyn FnMut()) -> Result<bool, VaultError> {
    let words = ["custody", "receipt", "K7-0001", "-o", &format!("paper/{RECEIPT}"), "--overwrite"];
    types(world, &at_home(&world.lawyer, "vault"), &words, b"", &mut || ()).done()
}

pub(super) fn is_old_or_new(world: &World) -> Result<(), String> {
    any(world, "paper", "", |read| read == OLD || is_receipt(read))?;
    any(world, "paper", "", |read| read == b"a stranger's")
}

pub(super) fn has_receipt(world: &World) -> Result<(), String> {
    let read = read(world, &format!("paper/{RECEIPT}"));
    check(read.is_some_and(|read| is_receipt(&read)), "the receipt is not there")
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
