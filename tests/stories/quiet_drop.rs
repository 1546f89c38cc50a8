//! *The quiet drop*: an exhibit vanishes between two handovers, and the record says between which.

use std::fs;

use serde_json::Value;

use super::types;
use crate::commands::custody::shared;

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
    assert_eq!(between["whole"], first.as_str());
    let reader = record("lawyer").into_iter().find(|one| one["name"] == "Grey Owl").expect("her answer");
    assert_eq!((&between["not_whole"], &reader["event"]), (&reader["label"], &"acknowledge".into()));
    let text = types(&world, "lawyer", &["custody", "log", "K7-0002"]).exits(0);
    text.says("between these two acknowledgements it stopped being whole:").says(&first).says("pending offers:");
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
