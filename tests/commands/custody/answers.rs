//! `custody offer`, `acknowledge`, `decline`: both sides of a handover, and each refusal.

use std::fs;

use super::{at, shared};

#[test]
fn an_offer_is_made_checked_and_signed_for() {
    let world = shared();
    let offered = at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "--medium", "USB stick"]).exits(0);
    assert_eq!(offered.out, "OFFERED K7:2 to Grey Owl: everything sealed by now, 1 exhibit\n");
    offered.says("Grey Owl then types:").says("amparo custody acknowledge K7:2");
    world.hand("lawyer", "reader");
    let signed = at(&world, "reader", &["custody", "acknowledge"]).exits(0);
    assert!(signed.out.starts_with("ACKNOWLEDGED K7:2 of Blue Heron, in "), "{}", signed.out);
    signed.says("every hash of 1 exhibit").says("what you can open was opened");
    at(&world, "reader", &["custody", "acknowledge", "K7:2"]).exits(1).says("answered before: acknowledged");
    at(&world, "reader", &["custody", "decline", "K7:2", "--reason", "x"]).exits(1).says("answered before");
    at(&world, "reader", &["custody", "acknowledge"]).exits(1).says("nothing waits for an answer");
    world.hand("reader", "lawyer");
    at(&world, "lawyer", &["custody", "log"]).exits(0).says("offer: acknowledged").never_says("pending");
    at(&world, "lawyer", &["verify"]).exits(0);
}

#[test]
fn a_member_is_named_by_pseudonym_digits_id_or_card() {
    let world = shared();
    let json = at(&world, "lawyer", &["custody", "offer", "--to", "../monitor.card", "K7-0001", "--json"]);
    let json = json.exits(0).json();
    assert_eq!((&json["offer"], &json["to_name"]), (&"K7:2".into(), &"Red Kite".into()));
    assert_eq!((&json["exhibits"][0], &json["everything"]), (&"K7-0001".into(), &false.into()));
    assert_eq!(json["heads"].as_array().map(Vec::len), Some(1));
    let id = json["to"].as_str().expect("an id")[..12].to_string();
    at(&world, "lawyer", &["custody", "offer", "--to", &id, "k7-1", "K7-0001"]).exits(0).says("Red Kite: K7-0001\n");
    at(&world, "lawyer", &["custody", "offer", "--to", "Blue Heron"]).exits(1).says("to oneself");
    at(&world, "lawyer", &["custody", "offer", "--to", "Somebody"]).exits(1).says("nobody in this vault");
    world.run("stranger", &["identity", "new", "--name", "Stranger", "--no-passphrase"]).exits(0);
    world.run("stranger", &["identity", "card", "-o", "../stranger.card"]).exits(0);
    at(&world, "lawyer", &["custody", "offer", "--to", "../stranger.card"]).exits(1).says("nobody in this vault");
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "K7-0009"]).exits(1).says("no exhibit K7-0009");
    at(&world, "lawyer", &["custody", "offer"]).exits(2).says("--to");
    let long = "x".repeat(5000);
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "--medium", &long]).exits(2).says("--medium");
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "--place", "a\u{1b}b"]).exits(2).says("--place");
}

#[test]
fn what_no_flag_says_is_asked_and_may_be_skipped() {
    let world = shared();
    let offer = ["custody", "offer", "--to", "Grey Owl", "--medium", "disk", "--vault", "evidence"];
    let asked = world.typing("lawyer", &offer, &["4711", "", "Tern", "", "", ""]).exits(0);
    asked.says("The number on its seal:").says("Who carries it").never_says("The medium:");
    let json = at(&world, "lawyer", &["custody", "log", "--json"]).exits(0).json();
    let entry = &json["entries"][2];
    assert_eq!((&entry["seal_no"], &entry["carrier"]), (&"4711".into(), &"Tern".into()));
    assert_eq!((&entry["medium"], &entry["condition"]), (&"disk".into(), &"".into()));
}

#[test]
fn only_whom_it_was_made_to_answers_and_of_several_one_is_named() {
    let world = shared();
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl"]).exits(0);
    world.hand("lawyer", "monitor");
    at(&world, "monitor", &["custody", "acknowledge", "K7:2"]).exits(1).says("was made to Grey Owl");
    at(&world, "monitor", &["custody", "acknowledge"]).exits(1).says("nothing waits");
    at(&world, "monitor", &["custody", "acknowledge", "K7:1"]).exits(1).says("is no offer");
    at(&world, "monitor", &["custody", "acknowledge", "K7:9"]).exits(1).says("no entry K7:9");
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "K7-0001"]).exits(0);
    world.hand("lawyer", "reader");
    let several = at(&world, "reader", &["custody", "acknowledge"]).exits(2);
    several.says("K7:2, K7:3").says("hint: amparo custody acknowledge K7:2");
    let json = at(&world, "reader", &["custody", "acknowledge", "K7:3", "--json"]).exits(0).json();
    assert_eq!((&json["offer"], &json["status"]), (&"K7:3".into(), &"acknowledged".into()));
    assert_eq!((&json["level"], &json["discrepancies"]), (&"content".into(), &serde_json::json!([])));
    at(&world, "reader", &["custody", "acknowledge"]).exits(0).says("ACKNOWLEDGED K7:2");
}

#[test]
fn a_refusal_says_why() {
    let world = shared();
    at(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("lawyer", "monitor");
    at(&world, "monitor", &["custody", "decline"]).exits(2).says("--reason TEXT");
    let decline = ["custody", "decline", "--reason", "the seal was broken"];
    at(&world, "monitor", &decline).exits(0).says("DECLINED K7:2 of Blue Heron").says("name no witness");
    let log = at(&world, "monitor", &["custody", "log"]).exits(0);
    log.says("offer: declined").says("reason: the seal was broken");
    at(&world, "monitor", &["verify"]).exits(0).says("handovers that were declined: 1 (K7:2)");
}

#[test]
fn what_is_missing_is_signed_and_ends_with_its_code() {
    let world = shared();
    at(&world, "lawyer", &["custody", "offer", "--to", "Red Kite", "K7-0001"]).exits(0);
    world.hand("lawyer", "monitor");
    let shown = at(&world, "monitor", &["show", "K7-0001", "--json"]).exits(0).json();
    let name = shown["blob_names"][0].as_str().expect("a sealed file").to_string();
    let blob = world.path(&format!("monitor/evidence/blobs/{}/{name}", &name[..2]));
    fs::remove_file(&blob).expect("dropped");
    let signed = at(&world, "monitor", &["custody", "acknowledge"]).exits(4);
    signed.says("ACKNOWLEDGED WITH DISCREPANCIES").says("INCOMPLETE (blob)").says("under your name");
    let log = at(&world, "monitor", &["custody", "log"]).exits(0);
    log.says("offer: acknowledged with").says("acknowledge, with").says("discrepancy: (blob)");
    let json = at(&world, "monitor", &["custody", "log", "--json"]).exits(0).json();
    let entries = json["entries"].as_array().expect("entries");
    assert_eq!(entries[2]["status"], "acknowledged with discrepancies");
    let found = &entries[3]["discrepancies"][0];
    assert_eq!((&found["check"], &entries[3]["level"]), (&"blob".into(), &"custody".into()));
    assert_eq!(found["subject"], format!("blobs/{}/{name}", &name[..2]));
}

#[test]
fn damage_elsewhere_is_no_discrepancy_of_what_was_offered() {
    let world = shared();
    world.write("lawyer/other.txt", b"another\n");
    world.run("lawyer", &["seal", "other.txt", "--vault", "evidence"]).exits(0);
    at(&world, "lawyer", &["custody", "offer", "--to", "Red Kite", "K7-0001"]).exits(0);
    at(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("lawyer", "monitor");
    let shown = at(&world, "monitor", &["show", "K7-0002", "--json"]).exits(0).json();
    let name = shown["blob_names"][0].as_str().expect("a sealed file").to_string();
    let blob = world.path(&format!("monitor/evidence/blobs/{}/{name}", &name[..2]));
    fs::write(&blob, b"other bytes").expect("damaged");
    let one = at(&world, "monitor", &["custody", "acknowledge", "K7:3"]).exits(0);
    one.says("ACKNOWLEDGED K7:3").says("do not concern what was offered");
    at(&world, "monitor", &["custody", "acknowledge", "K7:4"]).exits(3).says("WITH DISCREPANCIES");
}

#[test]
fn an_older_copy_is_not_signed_for_unless_that_is_what_is_signed() {
    let world = shared();
    at(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("lawyer", "monitor");
    world.hand("monitor", "older");
    fs::remove_dir_all(world.path("older")).expect("made anew below");
    world.hand("monitor", "older");
    at(&world, "lawyer", &["custody", "note", "later"]).exits(0);
    world.hand("lawyer", "monitor");
    at(&world, "monitor", &["verify"]).exits(0);
    let old = ["custody", "acknowledge", "--vault", "../older/evidence"];
    world.run("monitor", &old).exits(4).says("older than what this device has seen").says("--sign-older");
    let log = world.run("monitor", &["custody", "log", "--vault", "../older/evidence"]).exits(4);
    log.says("pending offers:").says("may be incomplete");
    let signed = world.run("monitor", &[&old[..], &["--sign-older"]].concat()).exits(4);
    signed.says("WITH DISCREPANCIES").says("(behind)");
}

/// Where her own record is shorter than she wrote it, she can sign nothing, and is not told that she could.
#[test]
fn who_has_written_since_is_not_told_to_sign_for_an_older_copy() {
    let world = shared();
    at(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    world.hand("lawyer", "monitor");
    at(&world, "monitor", &["verify", "--cosign"]).exits(0);
    world.hand("lawyer", "older");
    let old = ["custody", "acknowledge", "--vault", "../older/evidence"];
    for more in [&[][..], &["--sign-older"]] {
        let refused = world.run("monitor", &[&old[..], more].concat()).exits(4);
        refused.says("older than what this device has seen or written").says("amparo merge").never_says("--sign-older");
    }
}

#[test]
fn what_is_wrong_with_the_givers_own_record_can_be_signed() {
    let world = shared();
    at(&world, "lawyer", &["custody", "offer", "--to", "Red Kite"]).exits(0);
    at(&world, "lawyer", &["custody", "note", "a later event"]).exits(0);
    world.hand("lawyer", "monitor");
    // Somebody spoils the founder's last event on the way: nothing may be built on such a copy, and it can be told.
    let logs = world.path("monitor/evidence/logs");
    let log = fs::read_dir(logs).expect("logs").next().expect("one").expect("readable").path();
    let shelf = log.join("entries/00000000");
    let last = fs::read_dir(shelf).expect("entries").map(|entry| entry.expect("readable").path()).max().expect("one");
    fs::write(&last, b"spoiled").expect("damage");
    at(&world, "monitor", &["custody", "note", "x"]).exits(3);
    at(&world, "monitor", &["custody", "acknowledge"]).exits(3).says("INVALID (entry)");
}
