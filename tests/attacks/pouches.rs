//! Pouches that somebody made who wants something of the reader: whoever has her card can encrypt to it. And files that
//! are none.

use std::fs;

use amparo::crypto::envelope;
use amparo::format::card::Card;
use amparo::format::pouch::{self, POUCH_BYTES_MIN};

use crate::commands::harness::{Outcome, World};
use crate::commands::pack::{at, packs, seals};

/// A testimony arrived in the reader's copy; the lawyer's is ahead by one exhibit.
fn arrived() -> World {
    let world = World::with_testimony();
    packs(&world, "first.bin", &[]).exits(0);
    let unpack = ["unpack", "../first.bin", "-o", "evidence", "--owner", "../lawyer.card", "--sign"];
    world.run("reader", &unpack).exits(0);
    seals(&world, "second.txt");
    world
}

/// Files below a folder, by their paths there, in the order of a pouch.
fn files(world: &World, below: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = world
        .tree(below)
        .into_keys()
        .filter(|name| !name.starts_with('.'))
        .map(|name| (name.clone(), world.read(&format!("{below}/{name}"))))
        .collect();
    files.sort_by_key(|(name, _)| (pouch::rank(name), name.clone()));
    files
}

/// A pouch to the reader's card, as anybody can make one.
pub(super) fn forge(world: &World, name: &str, files: &[(String, Vec<u8>)]) {
    let mut archive = Vec::new();
    for (index, (path, content)) in (0..).zip(files) {
        archive.extend(pouch::member_header(path, content.len() as u64, index));
        archive.extend(content);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    let (end, zeros) = pouch::end_at(archive.len() as u64, POUCH_BYTES_MIN);
    archive.extend(end);
    archive.resize(archive.len() + usize::try_from(zeros).expect("small"), 0);
    let card = Card::parse(&world.read("reader.card")).expect("a card");
    world.write(name, &envelope::seal(&archive, &[&card.keys().age]).bytes);
}

fn unpacks(world: &World, name: &str, more: &[&str]) -> Outcome {
    at(world, "reader", &[&["unpack", &format!("../{name}"), "--sign", "--no-input"], more].concat())
}

#[test]
fn a_pouch_that_somebody_else_made_of_true_files_is_as_good_as_any() {
    let world = arrived();
    forge(&world, "copied.bin", &files(&world, "lawyer/evidence"));
    unpacks(&world, "copied.bin", &[]).exits(0).says("MERGED");
    at(&world, "reader", &["open", "K7-0002", "-o", "out"]).exits(0);
}

#[test]
fn what_nothing_signed_covers_is_left_in_the_pouch_and_is_no_evidence() {
    let world = arrived();
    world.run("lawyer", &["init", "other", "--reader", "../reader.card"]).exits(0);
    let before = world.tree("reader/evidence");
    let own = files(&world, "reader/evidence");
    let mut mixed: Vec<(String, Vec<u8>)> = own.clone();
    // A whole other vault, and a sealed file under its true hash that no entry names.
    mixed.extend(files(&world, "lawyer/other").into_iter().filter(|(name, _)| name != "VAULT"));
    let stray =
        envelope::seal(b"planted", &[&Card::parse(&world.read("reader.card")).expect("a card").keys().age]).bytes;
    let sha256 = amparo::crypto::hash::Hash::of(&stray).to_string();
    mixed.push((format!("blobs/{}/{sha256}", &sha256[..2]), stray));
    mixed.sort_by_key(|(name, _)| (pouch::rank(name), name.clone()));
    forge(&world, "mixed.bin", &mixed);
    let told = unpacks(&world, "mixed.bin", &[]).exits(0);
    told.says("Nothing new").says("it is no evidence").says(&sha256).never_says("ACKNOWLEDGED");
    assert_eq!(world.tree("reader/evidence"), before);
    at(&world, "reader", &["verify"]).exits(0);
}

#[test]
fn a_sealed_file_under_anothers_name_is_not_written() {
    let world = arrived();
    let mut swapped = files(&world, "lawyer/evidence");
    let here = world.tree("reader/evidence");
    let new: Vec<usize> = (0..swapped.len())
        .filter(|at| swapped[*at].0.starts_with("blobs") && !here.contains_key(&swapped[*at].0))
        .collect();
    let last = swapped[*new.last().expect("new ones")].1.clone();
    swapped[new[0]].1 = last;
    let name = swapped[new[0]].0.clone();
    forge(&world, "swapped.bin", &swapped);
    unpacks(&world, "swapped.bin", &[]).exits(4).says("nothing of it counts yet").never_says("ACKNOWLEDGED");
    unpacks(&world, "swapped.bin", &["--salvage"]).exits(4).says("do not have the hash in its name");
    assert!(!world.path(&format!("reader/evidence/{name}")).exists());
}

#[test]
fn a_pouch_of_an_older_state_takes_nothing_back() {
    let world = arrived();
    let older = files(&world, "reader/evidence");
    packs(&world, "second.bin", &[]).exits(0);
    unpacks(&world, "second.bin", &[]).exits(0);
    let before = world.tree("reader/evidence");
    forge(&world, "older.bin", &older);
    unpacks(&world, "older.bin", &[]).exits(0).says("Nothing new").never_says("behind");
    assert_eq!(world.tree("reader/evidence"), before);
}

#[test]
fn two_histories_of_one_record_are_both_kept_and_told() {
    let world = arrived();
    world.copy("lawyer", "clone");
    world.write("clone/c.txt", b"on the clone");
    world.run_on("clone", "lawyer", &["seal", "c.txt", "--vault", "evidence"]).exits(0);
    let pack = ["pack", "--to", "Grey Owl", "-o", "../clone.bin", "--no-input", "--vault", "evidence"];
    world.run_on("clone", "lawyer", &pack).exits(0);
    seals(&world, "third.txt");
    packs(&world, "true.bin", &[]).exits(0);
    unpacks(&world, "true.bin", &[]).exits(0);
    unpacks(&world, "clone.bin", &[])
        .exits(3)
        .says("contradicting histories")
        .says("two histories signed with one key");
    let found = at(&world, "reader", &["verify", "--json"]).exits(3).json();
    assert!(found["findings"].as_array().expect("findings").iter().any(|found| found["check"] == "fork"), "{found:#}");
}

#[test]
fn names_that_lead_out_of_the_vault_are_refused_and_cannot_reach_the_terminal() {
    let world = arrived();
    let before = (world.tree("reader/evidence"), world.files("reader").len());
    for name in ["../../planted", "/tmp/planted", "blobs/../../planted", "\u{1b}]0;planted\u{7}\u{202e}txt", ".pad "] {
        forge(&world, "path.bin", &[("VAULT".into(), b"x".to_vec()), (name.into(), b"planted".to_vec())]);
        for more in [&[][..], &["--salvage"]] {
            let told = unpacks(&world, "path.bin", more).exits(3);
            assert!(!told.err.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{:?}", told.err);
            told.says("this pouch holds a file that no vault has").says("take nothing from it");
        }
    }
    assert_eq!((world.tree("reader/evidence"), world.files("reader").len()), before);
    assert!(!world.path("planted").exists());
}

#[test]
fn a_new_folder_is_not_made_for_what_is_no_vault() {
    let world = arrived();
    forge(&world, "nothing.bin", &[]);
    let into = |name: &str| world.run("reader", &["unpack", name, "-o", "new", "--owner", "../lawyer.card"]);
    into("../nothing.bin").exits(10).says("this is no copy of a vault");
    forge(&world, "stray.bin", &[(format!("blobs/ab/ab{}", "0".repeat(62)), b"x".to_vec())]);
    into("../stray.bin").exits(10);
    forge(&world, "hint.bin", &files(&world, "lawyer/evidence").into_iter().take(1).collect::<Vec<_>>());
    assert_ne!(into("../hint.bin").exit, 0);
    assert!(!world.path("reader/new").exists());
}

#[test]
fn sizes_that_nobody_could_store_are_refused_at_once() {
    let world = arrived();
    let card = Card::parse(&world.read("reader.card")).expect("a card");
    let blob = format!("blobs/ab/ab{}", "0".repeat(62));
    for size in [17_825_793, 8 << 30, 1 << 60, u64::MAX] {
        let mut archive = pouch::member_header("VAULT", 0, 0);
        archive.extend(pouch::member_header(&blob, size, 1));
        archive.resize(1 << 20, 0);
        world.write("bomb.bin", &envelope::seal(&archive, &[&card.keys().age]).bytes);
        unpacks(&world, "bomb.bin", &["--salvage"]).exits(3).says("was not made by this program");
    }
    // A text that unfolds into nothing, and a hole.
    let text = b"-----BEGIN AGE ENCRYPTED FILE-----\n".to_vec();
    world.write("text.bin", &[text, vec![b'A'; 1 << 20]].concat());
    let told = unpacks(&world, "text.bin", &[]);
    assert!([2, 4].contains(&told.exit), "{}", told.err);
    let hollow = fs::File::create(world.path("hollow.bin")).expect("made");
    hollow.set_len(1 << 23).expect("a hole");
    unpacks(&world, "hollow.bin", &[]).exits(2).says("no part of a pouch");
}

#[test]
fn pipes_devices_and_folders_are_no_pouches() {
    let world = arrived();
    rustix::fs::mkfifoat(rustix::fs::CWD, world.path("pipe"), rustix::fs::Mode::RUSR).expect("made");
    world.write("folder/x", b"x");
    let before = world.tree("reader/evidence");
    for name in ["../pipe", "/dev/zero", "/dev/null"] {
        let told = at(&world, "reader", &["unpack", name]);
        assert!(told.exit == 1, "{name}: {}\n{}", told.exit, told.err);
        assert_ne!(at(&world, "reader", &["merge", name]).exit, 0, "{name}");
    }
    assert_ne!(at(&world, "reader", &["unpack", "../folder"]).exit, 0);
    assert_eq!(world.tree("reader/evidence"), before);
}
