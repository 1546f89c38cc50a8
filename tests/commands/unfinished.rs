//! What a kill left of a pouch, of answers, of a repair: the same command makes it anew, says nothing twice, and removes no
//! file but those that the mark stands for.

use std::fs;

use super::harness::{Outcome, World};
use super::pack::{at, events, packs};

const POUCH: &str = "No file that begins with this name is finished: they are worth nothing.\n";
const FILE: &str = "The file of this name is not finished: it is worth nothing.\n";

fn left(world: &World, prefix: &str) -> Vec<String> {
    let items = fs::read_dir(world.path("")).expect("a folder").flatten();
    let mut names: Vec<String> = items.map(|item| item.file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| name.starts_with(prefix));
    names.sort();
    names
}

#[test]
fn a_half_made_pouch_is_made_anew_and_offered_once() {
    let world = World::with_testimony();
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "--no-input"]).exits(0);
    for name in ["trip.bin.001", "trip.bin.002", "trip.bin.parity.001", "trip.bin.txt", "trip.bin.0x"] {
        world.write(name, b"half");
    }
    world.write("trip.bin.unfinished", POUCH.as_bytes());
    let before = events(&world, "lawyer").len();
    packs(&world, "trip.bin", &[]).exits(0).says("K7:2 offers it to Grey Owl");
    assert_eq!(events(&world, "lawyer").len(), before + 1, "that it was packed, and no second offer");
    assert_eq!(left(&world, "trip"), ["trip.bin", "trip.bin.0x", "trip.bin.txt"]);
    // Whoever packs once more offers once more: that one was packed.
    packs(&world, "more.bin", &[]).exits(0).says("K7:4 offers it to Grey Owl");
    // Other words are another offer.
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "--no-input"]).exits(0);
    packs(&world, "other.bin", &["--carrier", "Swift"]).exits(0).says("K7:7 offers it");
}

#[test]
fn a_pouch_whose_entry_stands_is_done() {
    let world = World::with_testimony();
    packs(&world, "trip.bin", &["--volumes", "700KB", "--parity", "5%"]).exits(0);
    let (made, said) = (left(&world, "trip"), events(&world, "lawyer").len());
    assert_eq!(made, ["trip.bin.001", "trip.bin.002", "trip.bin.parity.001"]);
    world.write("trip.bin.unfinished", POUCH.as_bytes());
    packs(&world, "trip.bin", &["--volumes", "700KB", "--parity", "5%"]).exits(1).says("exists already");
    assert_eq!((left(&world, "trip"), events(&world, "lawyer").len()), (made, said));
    world.run("courier", &["verify", "../trip.bin.001", "../trip.bin.002", "../trip.bin.parity.001"]).exits(0);
}

#[test]
fn nothing_is_removed_that_no_mark_stands_for() {
    let world = World::with_testimony();
    world.write("trip.bin.001", b"mine");
    packs(&world, "trip.bin", &[]).exits(1).says("trip.bin.001 exists already");
    // The mark of another command, and a file that only bears such a name.
    for mark in [FILE, "my list of what is not finished yet"] {
        world.write("trip.bin.unfinished", mark.as_bytes());
        packs(&world, "trip.bin", &[]).exits(1).says("exists already");
        assert_eq!(world.read("trip.bin.unfinished"), mark.as_bytes());
    }
    assert_eq!(world.read("trip.bin.001"), b"mine");
    assert!(events(&world, "lawyer").iter().all(|entry| entry["event"] != "offer"), "before anything was said");
    fs::remove_file(world.path("trip.bin.001")).expect("removed");
    packs(&world, "trip.bin", &[]).exits(1).says("trip.bin.unfinished exists already");
    // What a power cut left of a mark stands for nothing, and is in nobody's way.
    world.write("trip.bin.unfinished", &POUCH.as_bytes()[..20]);
    packs(&world, "trip.bin", &[]).exits(0);
    assert_eq!(left(&world, "trip"), ["trip.bin"]);
}

#[test]
fn half_an_answer_and_half_a_repair_are_made_anew() {
    let world = World::with_testimony();
    let answers = |world: &World| -> Outcome {
        at(world, "lawyer", &["pack", "--answers", "--to", "Grey Owl", "-o", "../a.txt"])
    };
    world.write("a.txt", b"-----BEGIN AGE");
    answers(&world).exits(1).says("exists already");
    world.write("a.txt.unfinished", FILE.as_bytes());
    answers(&world).exits(0);
    assert_eq!(left(&world, "a.txt"), ["a.txt"]);
    packs(&world, "trip.bin", &["--volumes", "700KB", "--parity", "60%"]).exits(0);
    fs::remove_file(world.path("trip.bin.002")).expect("lost");
    world.write("trip.bin", b"half");
    world.write("trip.bin.unfinished", FILE.as_bytes());
    // Under the name of the volumes: they are what it is made from.
    let files = ["verify", "../trip.bin.001", "../trip.bin.parity.001", "--repair", "../trip.bin"];
    world.run("courier", &files).exits(0).says("repaired: ../trip.bin");
    let all = ["trip.bin", "trip.bin.001", "trip.bin.parity.001", "trip.bin.parity.002"];
    assert_eq!(left(&world, "trip"), all);
}

#[test]
fn an_answer_that_got_lost_is_told_how_to_write() {
    let world = World::with_testimony();
    packs(&world, "trip.bin", &[]).exits(0);
    let unpack = ["unpack", "../trip.bin", "-o", "evidence", "--owner", "../lawyer.card", "--sign"];
    world.run("reader", &unpack).exits(0).says("ANSWER");
    world.run("reader", &unpack).exits(0).says("amparo pack --answers --to MEMBER -o answer.txt").never_says("ANSWER");
}
