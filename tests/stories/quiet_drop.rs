//! *The quiet drop*: an exhibit vanishes between two handovers, and the record says between which.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::types;
use crate::commands::custody::shared;
use crate::commands::harness::World;
use crate::commands::member::{add, seal};

/// Three handovers: one acknowledged, one that found a sealed file gone, one declined; and one that nobody answered.
#[test]
fn the_quiet_drop_is_placed_between_two_handovers() {
    let world = shared();
    world.write("lawyer/photo.txt", b"what the photo shows\n");
    world.run("lawyer", &["seal", "photo.txt", "--vault", "evidence"]).exits(0);
    types(&world, "lawyer", &["custody", "offer", "--to", "Red Kite", "--seal-no", "4711"]).exits(0).says("K7:3");
    world.hand("lawyer", "monitor");
    types(&world, "monitor", &["custody", "acknowledge"]).exits(0);
    let record = |who: &str| {
        let json = types(&world, who, &["custody", "log", "--json"]).json();
        json["entries"].as_array().expect("entries").clone()
    };
    let first = record("monitor").pop().expect("her answer")["label"].as_str().expect("a label").to_string();

    // On the way from the monitor to the reader one sealed file is quietly left out.
    types(&world, "monitor", &["custody", "offer", "--to", "Grey Owl"]).exits(0);
    world.hand("monitor", "reader");
    let shown = types(&world, "reader", &["show", "K7-0002", "--json"]).exits(0).json();
    let name = shown["blob_names"][0].as_str().expect("a sealed file").to_string();
    fs::remove_file(world.path(&format!("reader/evidence/blobs/{}/{name}", &name[..2]))).expect("dropped");
    types(&world, "reader", &["custody", "acknowledge"]).exits(4).says("a part of K7-0002 is not in this copy");
    types(&world, "reader", &["custody", "offer", "--to", "Blue Heron"]).exits(0);
    types(&world, "reader", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("reader", "lawyer");
    types(&world, "lawyer", &["custody", "decline", "--reason", "it is not whole"]).exits(0);
    types(&world, "lawyer", &["custody", "note", "one night without record", "--gap", "--from", "3 May"]).exits(0);
    types(&world, "lawyer", &["custody", "withdraw", "K7-0001", "--scope", "all"]).exits(0);

    let statuses: Vec<Value> =
        record("lawyer").into_iter().filter(|one| one["event"] == "offer").map(|one| one["status"].clone()).collect();
    assert_eq!(statuses, ["acknowledged", "acknowledged with discrepancies", "declined", "pending"]);
    let json = types(&world, "lawyer", &["custody", "log", "K7-0002", "--json"]).exits(0).json();
    let between = &json["stopped_being_whole_between"];
    assert_eq!(bare(&between["whole"]), bare(&first.as_str().into()));
    let reader = record("lawyer").into_iter().find(|one| one["name"] == "Grey Owl").expect("her answer");
    assert_eq!((bare(&between["not_whole"]), &reader["event"]), (bare(&reader["label"]), &"acknowledge".into()));
    let text = types(&world, "lawyer", &["custody", "log", "K7-0002"]).exits(0);
    text.says("between these two acknowledgements it stopped being whole:")
        .says(&bare(&first.as_str().into()))
        .says("pending offers:");
    // The other exhibit was whole all the time.
    let json = types(&world, "lawyer", &["custody", "log", "K7-0001", "--json"]).exits(0).json();
    assert!(json["stopped_being_whole_between"].is_null());
    let whole = types(&world, "lawyer", &["custody", "log"]).exits(0);
    whole.says("gaps:").says("one night without record").says("WITHDRAWN (all)").says("reason: it is not whole");
    // The lawyer still has it: nothing of the evidence is lost, and a handover that went wrong lowers no verdict.
    types(&world, "lawyer", &["verify"]).exits(0).says("handovers that wait for an answer: 1");
}

#[test]
fn everybody_tells_the_same_story_whoever_carried_the_copies() {
    let world = shared();
    for (giver, receiver, name) in
        [("lawyer", "monitor", "Red Kite"), ("monitor", "reader", "Grey Owl"), ("reader", "lawyer", "Blue Heron")]
    {
        types(&world, giver, &["custody", "offer", "--to", name]).exits(0);
        world.hand(giver, receiver);
        types(&world, receiver, &["custody", "acknowledge"]).exits(0);
    }
    for (from, to) in [("lawyer", "monitor"), ("lawyer", "reader")] {
        world.hand(from, to);
    }
    let told = |who: &str| types(&world, who, &["custody", "log", "--json"]).exits(0).json();
    let story = told("lawyer");
    assert_eq!(story["entries"].as_array().map(Vec::len), Some(8));
    assert!(story["pending"].as_array().is_some_and(Vec::is_empty));
    for who in ["monitor", "reader"] {
        assert_eq!(told(who)["entries"], story["entries"], "{who}");
    }
}

/// Where an exhibit stopped being whole, as the lawyer's copy tells.
fn parted(world: &World, id: &str) -> Value {
    types(world, "lawyer", &["custody", "log", id, "--json"]).exits(0).json()["stopped_being_whole_between"].clone()
}

/// An event's label as it was before another record with the same handle came along: devices that have not met draw one by chance.
fn bare(label: &Value) -> String {
    let label = label.as_str().unwrap_or_default();
    label.split_once('~').map_or(label, |(bare, _)| bare).to_string()
}

fn place(world: &World, who: &str, blob: &str) -> PathBuf {
    world.path(&format!("{who}/evidence/blobs/{}/{blob}", &blob[..2]))
}

fn drops(world: &World, who: &str, blob: &str) {
    fs::remove_file(place(world, who, blob)).expect("dropped");
}

/// The names of all sealed files.
fn blobs(world: &World, who: &str) -> Vec<String> {
    let paths = world.files(&format!("{who}/evidence/blobs"));
    paths.iter().map(|path| path.rsplit('/').next().expect("a name").to_string()).collect()
}

/// The sealed file of an exhibit of one.
fn blob_of(world: &World, id: &str) -> String {
    let shown = types(world, "reader", &["show", id, "--json"]).exits(0).json();
    shown["blob_names"][0].as_str().expect("a sealed file").to_string()
}

fn seals_a_photo(world: &World) {
    world.write("lawyer/photo.txt", b"what the photo shows\n");
    types(world, "lawyer", &["seal", "photo.txt"]).exits(0);
}

/// Two sticks go out. What is lost on one of them is no affair of whoever had the other.
#[test]
fn whoever_never_had_the_copy_is_not_named() {
    let world = shared();
    seals_a_photo(&world);
    types(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("lawyer", "monitor");
    types(&world, "monitor", &["custody", "acknowledge"]).exits(0);
    world.later(10);
    types(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl"]).exits(0).says("K7:4");
    world.hand("lawyer", "reader");
    drops(&world, "reader", &blob_of(&world, "K7-0002"));
    let amiss = types(&world, "reader", &["custody", "acknowledge", "--json"]).exits(4).json();
    world.hand("monitor", "lawyer");
    world.hand("reader", "lawyer");
    let told = parted(&world, "K7-0002");
    assert_eq!(
        (&told["whole"], bare(&told["not_whole"]), &told["offer"]),
        (&"K7:2".into(), bare(&amiss["answer"]), &"K7:4".into())
    );
    types(&world, "lawyer", &["custody", "log", "K7-0002"])
        .exits(0)
        .says("between its sealing and this acknowledgement it stopped being whole:")
        .says("given      K7:4 by Blue Heron");
}

#[test]
fn of_a_giver_who_never_said_that_she_had_it_whole_it_is_said_so() {
    let world = shared();
    seals_a_photo(&world);
    world.hand("lawyer", "monitor");
    types(&world, "monitor", &["custody", "offer", "--to", "Grey Owl"]).exits(0);
    world.hand("monitor", "reader");
    drops(&world, "reader", &blob_of(&world, "K7-0002"));
    types(&world, "reader", &["custody", "acknowledge"]).exits(4);
    world.hand("reader", "lawyer");
    let told = parted(&world, "K7-0002");
    assert_eq!((&told["whole"], &told["giver_name"]), (&Value::Null, &"Red Kite".into()));
    types(&world, "lawyer", &["custody", "log", "K7-0002"])
        .exits(0)
        .says("it was not whole when it was checked on arrival, and nothing shows when it was whole last:")
        .says("whole      Red Kite had not signed before that she had it whole");
}

/// On the way the end of the sealer's record is cut off: the discrepancy is about that record, and the exhibit is gone all
/// the same.
#[test]
fn an_exhibit_whose_sealing_was_cut_off_on_the_road_was_not_whole() {
    let world = shared();
    seals_a_photo(&world);
    types(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("lawyer", "monitor");
    let whole = types(&world, "monitor", &["custody", "acknowledge", "--json"]).exits(0).json();
    types(&world, "monitor", &["custody", "offer", "--to", "Grey Owl"]).exits(0);
    world.hand("monitor", "reader");
    let story = types(&world, "lawyer", &["custody", "log", "--json"]).exits(0).json();
    let log = story["entries"][0]["log"].as_str().expect("the founder's").to_string();
    for (folder, from) in [("entries/00000000", 2), ("checkpoints", 3)] {
        for path in world.files(&format!("reader/evidence/logs/{log}/{folder}")) {
            let name = path.rsplit('/').next().expect("a name");
            if name[..10].parse::<u64>().expect("digits") >= from {
                fs::remove_file(&path).expect("cut off");
            }
        }
    }
    let amiss = types(&world, "reader", &["custody", "acknowledge", "--json"]).exits(4).json();
    world.hand("reader", "lawyer");
    let told = parted(&world, "K7-0002");
    assert_eq!((bare(&told["whole"]), bare(&told["not_whole"])), (bare(&whole["answer"]), bare(&amiss["answer"])));
    assert!(parted(&world, "K7-0001").is_null());
    let page = ["verify", "--report", "page.md", "--names", "full"];
    types(&world, "lawyer", &page).exits(0);
    let page = String::from_utf8(world.read("lawyer/page.md")).expect("text");
    assert!(page.contains("- K7-0002: whole in "), "{page}");
}

/// The list of what was sealed is left out with nothing else: nobody can say any more which sealed files are whose, and the story
/// of each exhibit is told all the same to whoever found it so.
#[test]
fn the_story_of_an_exhibit_is_told_where_its_list_is_gone() {
    let world = shared();
    types(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("lawyer", "monitor");
    let whole = types(&world, "monitor", &["custody", "acknowledge", "--json"]).exits(0).json();
    types(&world, "monitor", &["custody", "offer", "--to", "Grey Owl"]).exits(0);
    world.hand("monitor", "reader");
    let blobs = blobs(&world, "reader");
    let known = blob_of(&world, "K7-0001");
    let list = blobs.into_iter().filter(|blob| *blob != known).find(|blob| {
        drops(&world, "reader", blob);
        let gone = types(&world, "reader", &["custody", "log", "K7-0001"]).exit == 4;
        if !gone {
            fs::copy(place(&world, "lawyer", blob), place(&world, "reader", blob)).expect("put back");
        }
        gone
    });
    assert!(list.is_some(), "one of them is the list");
    let amiss = types(&world, "reader", &["custody", "acknowledge", "--json"]).exits(4).json();
    let told = types(&world, "reader", &["custody", "log", "K7-0001"]).exits(4);
    told.says("the list of K7-0001: it is not in this copy").says("it stopped being whole");
    // Of whichever has a certain row nobody can tell then.
    types(&world, "reader", &["custody", "log", "K7-0001~0000"]).exits(4).says("error: this copy is not whole");
    let json = types(&world, "reader", &["custody", "log", "K7-0001", "--json"]).exits(4).json();
    let between = &json["stopped_being_whole_between"];
    assert_eq!((&json["id"], bare(&between["not_whole"])), (&"K7-0001".into(), bare(&amiss["answer"])));
    assert_eq!(bare(&between["whole"]), bare(&whole["answer"]));
    types(&world, "reader", &["custody", "offer", "--to", "Blue Heron", "K7-0001"])
        .exits(4)
        .says("this copy is not whole")
        .never_says("does not verify");
    types(&world, "reader", &["verify"]).exits(4).says("the list of K7-0001: it is not in this copy");
}

/// The sealer's whole record is left out on the road: that she had sealed anything is told by what the others signed.
#[test]
fn a_sealer_whose_whole_record_is_gone_is_missed() {
    let world = shared();
    let digits = world.join("tern", "Tern");
    add(&world, "lawyer", "tern", &digits, &["sealer"]).exits(0);
    world.carry("tern");
    let sealed = seal(&world, "tern", &["--json"]).exits(0).json();
    let id = sealed["exhibits"][0]["id"].as_str().expect("an id").to_string();
    world.hand("tern", "lawyer");
    types(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("lawyer", "monitor");
    let story = types(&world, "monitor", &["custody", "log", &id, "--json"]).exits(0).json();
    let log = story["entries"][0]["log"].as_str().expect("hers").to_string();
    fs::remove_dir_all(world.path(&format!("monitor/evidence/logs/{log}"))).expect("left out");
    let amiss = types(&world, "monitor", &["custody", "acknowledge", "--json"]).exits(4).json();
    let behind = |one: &Value| one["check"] == "behind" && one["subject"] == format!("logs/{log}");
    assert!(amiss["discrepancies"].as_array().expect("a list").iter().any(behind), "{amiss:#}");
    types(&world, "monitor", &["verify"]).exits(4).says("INCOMPLETE (behind)");
    world.hand("monitor", "lawyer");
    let told = parted(&world, &id);
    assert_eq!((bare(&told["not_whole"]), &told["giver_name"]), (bare(&amiss["answer"]), &"Blue Heron".into()));
    assert!(parted(&world, "K7-0001").is_null(), "what was sealed in another record came whole");
}

/// More is gone than an acknowledgement lists: of what it does not name it says neither that it was whole nor that it was not.
#[test]
fn what_a_long_list_leaves_out_was_not_found_whole() {
    let world = shared();
    for number in 0..205 {
        world.write(&format!("lawyer/many/{number:03}.txt"), format!("page {number}").as_bytes());
    }
    types(&world, "lawyer", &["seal", "many"]).exits(0).says("K7-0206");
    types(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    for who in ["monitor", "reader"] {
        world.hand("lawyer", who);
    }
    let lost: Vec<String> = (2..=206).map(|number| blob_of(&world, &format!("K7-{number:04}"))).collect();
    for blob in &lost {
        drops(&world, "monitor", blob);
    }
    let said = types(&world, "monitor", &["custody", "acknowledge", "--json"]).exits(4).json();
    let story = types(&world, "monitor", &["custody", "log", "--json"]).exits(0).json();
    let entries = story["entries"].as_array().expect("entries");
    let answer = entries.iter().find(|entry| bare(&entry["label"]) == bare(&said["answer"])).expect("hers");
    let listed = answer["discrepancies"].as_array().expect("a list");
    assert_eq!((listed.len(), &listed[200]["check"]), (201, &"more".into()));
    let named =
        |blob: &str| listed.iter().any(|one| one["subject"].as_str().is_some_and(|subject| subject.ends_with(blob)));
    let left_out = lost.iter().position(|blob| !named(blob)).expect("five are not named");
    let (id, blob) = (format!("K7-{:04}", left_out + 2), &lost[left_out]);
    world.hand("monitor", "lawyer");
    assert!(parted(&world, &id).is_null(), "nobody said that it was not whole");
    types(&world, "monitor", &["custody", "offer", "--to", "Grey Owl", &id]).exits(0);
    world.hand("monitor", "reader");
    drops(&world, "reader", blob);
    types(&world, "reader", &["custody", "acknowledge"]).exits(4);
    world.hand("reader", "lawyer");
    let told = parted(&world, &id);
    assert_eq!((&told["whole"], &told["giver_name"]), (&Value::Null, &"Red Kite".into()));
}
