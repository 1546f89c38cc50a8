//! Something else than a file where a file of a vault should be, and than a folder where a folder should be. What is no file is as
//! good as missing, and told; what is one is held against its name; neither is followed, awaited or read to its end.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use amparo::crypto::envelope;
use amparo::format::identity_file::IdentityFile;
use amparo::format::key_file::KeyFile;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::judge::{Desk, Input, Says};
use crate::commands::harness::World;

/// A place in a vault and the findings, by check and subject, where nothing lies there; and where a file lies there that has other bytes.
struct Place {
    name: &'static str,
    gone: &'static [(&'static str, &'static str)],
    other: Option<&'static [(&'static str, &'static str)]>,
}

const ENTRIES_GONE: &[(&str, &str)] =
    &[("behind", "LOG"), ("entry", "STATE 1"), ("entry", "STATE 2"), ("foreign", "LOG"), ("vault", "VAULT")];
const BEHIND: (&str, &str) = ("behind", "LOG");
const FIRST: (&str, &str) = ("foreign", "BLOB 1");
const SECOND: (&str, &str) = ("foreign", "BLOB 2");
const THIRD: (&str, &str) = ("foreign", "BLOB 3");

const PLACES: [Place; 18] = [
    Place { name: "VAULT", gone: &[("vault", "VAULT")], other: Some(&[("vault", "VAULT")]) },
    Place { name: "BLOB 1", gone: &[("blob", "BLOB 1")], other: Some(&[("blob", "BLOB 1")]) },
    Place { name: "BLOB 2", gone: &[("blob", "BLOB 2")], other: Some(&[("blob", "BLOB 2")]) },
    Place { name: "BLOB 3", gone: &[("blob", "BLOB 3")], other: Some(&[("blob", "BLOB 3")]) },
    Place { name: "KEY", gone: &[("key", "KEY")], other: Some(&[("key", "KEY")]) },
    Place { name: "OWN KEY", gone: &[("key", "KEYS")], other: Some(&[("key", "KEYS"), ("key", "OWN KEY")]) },
    Place { name: "STATE 1", gone: &[], other: Some(&[("signature", "STATE 1")]) },
    Place {
        name: "STATE 2",
        gone: &[BEHIND, FIRST, SECOND, THIRD, ("foreign", "ENTRY 1")],
        other: Some(&[BEHIND, FIRST, SECOND, THIRD, ("foreign", "ENTRY 1"), ("signature", "STATE 2")]),
    },
    Place {
        name: "ENTRY 0",
        gone: ENTRIES_GONE,
        other: Some(&[("entry", "ENTRY 0"), ("foreign", "LOG"), ("vault", "VAULT")]),
    },
    Place {
        name: "ENTRY 1",
        gone: &[BEHIND, FIRST, SECOND, THIRD, ("entry", "LOG, entry 1")],
        other: Some(&[BEHIND, FIRST, SECOND, THIRD, ("entry", "ENTRY 1")]),
    },
    Place { name: "SHELF", gone: &[("blob", "BLOB 1")], other: None },
    Place { name: "KEY FOLDER", gone: &[("key", "KEYS")], other: None },
    Place { name: "STATES", gone: &[("tree", "LOG"), ("vault", "VAULT")], other: None },
    Place { name: "ENTRIES", gone: ENTRIES_GONE, other: None },
    Place { name: "LOG", gone: &[("behind", "LOG"), ("vault", "VAULT")], other: None },
    Place { name: "BLOBS", gone: &[("blob", "INVENTORY")], other: None },
    Place { name: "KEYS", gone: &[("key", "KEYS")], other: None },
    Place { name: "LOGS", gone: &[("behind", "LOG"), ("vault", "VAULT")], other: None },
];

/// What lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    Nothing,
    LinkToItsOwnBytes,
    LinkToNowhere,
    LinkToItself,
    LinkToSecrets,
    LinkWithoutEnd,
    Pipe,
    Socket,
    Device,
    EmptyFolder,
    DeepFolder,
    /// A terabyte of which nothing is on the disk.
    Hole,
    EmptyFile,
}

const THINGS: [Thing; 13] = [
    Thing::Nothing,
    Thing::LinkToItsOwnBytes,
    Thing::LinkToNowhere,
    Thing::LinkToItself,
    Thing::LinkToSecrets,
    Thing::LinkWithoutEnd,
    Thing::Pipe,
    Thing::Socket,
    Thing::Device,
    Thing::EmptyFolder,
    Thing::DeepFolder,
    Thing::Hole,
    Thing::EmptyFile,
];

impl Thing {
    /// Lays it where nothing lies; false where this user may not make one.
    fn lay(self, world: &World, at: &Path, own: &Path) -> bool {
        match self {
            Self::Nothing => {}
            Self::LinkToItsOwnBytes => symlink(own, at).expect("a link"),
            Self::LinkToNowhere => symlink("/nowhere", at).expect("a link"),
            Self::LinkToItself => symlink(at.file_name().expect("a name"), at).expect("a link"),
            Self::LinkToSecrets => symlink(world.path("reader/.config/amparo/identity.age"), at).expect("a link"),
            Self::LinkWithoutEnd => symlink("/dev/zero", at).expect("a link"),
            Self::Pipe => mknodat(CWD, at, FileType::Fifo, Mode::RUSR, 0).expect("a pipe"),
            Self::Socket => {
                // The path of a socket is short.
                drop(UnixListener::bind(world.path("s")).expect("a socket"));
                fs::rename(world.path("s"), at).expect("moved");
            }
            Self::Device => return mknodat(CWD, at, FileType::CharacterDevice, Mode::RUSR, makedev(1, 5)).is_ok(),
            Self::EmptyFolder => fs::create_dir(at).expect("a folder"),
            Self::DeepFolder => fs::create_dir_all(at.join("d/".repeat(400))).expect("folders"),
            Self::Hole => fs::File::create(at).and_then(|file| file.set_len(1 << 40)).expect("a hole"),
            Self::EmptyFile => drop(fs::File::create(at).expect("a file")),
        }
        true
    }
}

/// A reader's copy with one exhibit, and the names that this table has for what lies in it.
pub(super) fn copy_of_the_reader() -> (World, Vec<(&'static str, String)>) {
    let world = World::with_testimony();
    world.carry("reader");
    world.run("reader", &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    let names = names(&world);
    (world, names)
}

fn names(world: &World) -> Vec<(&'static str, String)> {
    let tree: Vec<String> = world.tree("reader/evidence").into_keys().collect();
    let below = |part: &str| tree.iter().filter(|name| name.contains(part)).cloned().collect::<Vec<_>>();
    let folder = |name: &str| name.rsplit_once('/').expect("a folder").0.to_string();
    let identity = IdentityFile::parse(&world.read("reader/.config/amparo/identity.age")).expect("an identity");
    let opens = |name: &String| -> Option<KeyFile> {
        let file = world.read(&format!("reader/evidence/{name}"));
        KeyFile::parse(&envelope::open(&file, &[&identity.seed.keys().age]).ok()?).ok()
    };
    let keys = below("keys/");
    let own = keys.iter().find(|name| opens(name).is_some_and(|key| key.scope.to_string() == "custody"));
    let own = own.expect("the reader's custody key").clone();
    let anothers = keys.iter().find(|name| opens(name).is_none()).expect("a key of another").clone();
    // Without the inventory nobody can tell what else is missing.
    let custody = opens(&own).expect("the reader's").key;
    let is_inventory =
        |name: &&String| envelope::open(&world.read(&format!("reader/evidence/{name}")), &[&custody]).is_ok();
    let inventory = below("blobs/").iter().find(is_inventory).expect("an inventory").clone();
    let [first, second, third] = <[String; 3]>::try_from(below("blobs/")).expect("three blobs");
    let [entry, newest] = <[String; 2]>::try_from(below("/entries/")).expect("two entries");
    let [state, signed] = <[String; 2]>::try_from(below("/checkpoints/")).expect("two states");
    vec![
        ("VAULT", "VAULT".into()),
        ("SHELF", folder(&first)),
        ("INVENTORY", inventory),
        ("BLOB 1", first),
        ("BLOB 2", second),
        ("BLOB 3", third),
        ("KEY", anothers),
        ("KEY FOLDER", folder(&own)),
        ("OWN KEY", own),
        ("LOG", folder(&folder(&state))),
        ("STATES", folder(&state)),
        ("STATE 1", state),
        ("STATE 2", signed),
        ("ENTRIES", folder(&entry)),
        ("ENTRY 0", entry),
        ("ENTRY 1", newest),
        ("BLOBS", "blobs".into()),
        ("KEYS", "keys".into()),
        ("LOGS", "logs".into()),
    ]
}

/// The exit code and the findings of a place where something else lies.
fn expected(place: &Place, thing: Thing) -> (i32, Vec<(&'static str, String)>) {
    let all = |pairs: &[(&'static str, &'static str)]| -> Vec<(&'static str, String)> {
        pairs.iter().map(|(check, subject)| (*check, (*subject).to_string())).collect()
    };
    if let (Thing::Hole | Thing::EmptyFile, Some(other)) = (thing, place.other) {
        return (3, all(other));
    }
    let mut found = all(place.gone);
    match (thing, place.other) {
        (Thing::Nothing, _) | (Thing::EmptyFolder, None) => {}
        (Thing::DeepFolder, None) => found.push(("layout", format!("{}/d", place.name))),
        _ => found.push(("layout", place.name.to_string())),
    }
    (if found.is_empty() { 0 } else { 4 }, found)
}

#[test]
fn whatever_lies_in_place_of_a_file_or_folder_is_not_followed_awaited_or_read() {
    let _row = crate::soak::row(9);
    let (world, names) = copy_of_the_reader();
    let Some(desk) = Desk::new(&world) else { return };
    let path = |name: &str| {
        let (symbol, rest) = name.split_at(name.find(['/', ',']).unwrap_or(name.len()));
        let path = &names.iter().find(|(there, _)| *there == symbol).expect("a name of the table").1;
        format!("{path}{rest}")
    };
    let (mut met, mut faults) = (0, Vec::new());
    for place in &PLACES {
        let (at, aside) = (world.path("reader/evidence").join(path(place.name)), world.path("aside"));
        fs::rename(&at, &aside).expect("put aside");
        for thing in THINGS {
            if !thing.lay(&world, &at, &aside) {
                continue;
            }
            let (exit, found) = expected(place, thing);
            let found = found.into_iter().map(|(check, subject)| (check.to_string(), path(&subject))).collect();
            let input = Input {
                what: format!("{thing:?} in place of {}", place.name),
                who: "reader",
                args: &["verify", "evidence", "--json"],
                writes: &["reader/.local/state"],
                exit,
                says: Says::Findings(found),
            };
            met += 1;
            faults.extend(desk.meets(&input).err());
            match fs::symlink_metadata(&at) {
                Ok(there) if there.is_dir() => fs::remove_dir_all(&at).expect("removed"),
                Ok(_) => fs::remove_file(&at).expect("removed"),
                Err(_) => assert_eq!(thing, Thing::Nothing),
            }
        }
        fs::rename(&aside, &at).expect("put back");
    }
    crate::soak::tell(&format!("{met} things in place of files and folders"));
    assert!(faults.is_empty(), "{} of {met}: {}", faults.len(), faults.join("\n\n"));
}
