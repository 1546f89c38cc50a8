//! `amparo unpack`, and `merge` of answers: what arrives, what is refused, what is signed for.

use std::fs;

use serde_json::{Value, json};

use super::harness::{Around, Outcome, World};
use super::pack::{at, events, packs, seals};

/// A testimony is packed for the reader, who has nothing yet.
pub(super) fn sent() -> World {
    let world = World::with_testimony();
    packs(&world, "trip.bin", &[]).exits(0);
    world
}

/// The reader unpacks into her copy, or the beginning of one.
pub(super) fn unpacks(world: &World, name: &str, more: &[&str]) -> Outcome {
    let args = ["unpack", &format!("../{name}"), "-o", "evidence", "--owner", "../lawyer.card"];
    world.run("reader", &[&args[..], more].concat())
}

#[test]
fn a_vault_arrives_is_signed_for_and_the_answer_goes_back() {
    let world = sent();
    let unpacked = unpacks(&world, "trip.bin", &["--sign"]).exits(0);
    unpacked
        .says("MERGED: 3 custody events, 3 sealed files, ")
        .says("ACKNOWLEDGED K7:2 of Blue Heron")
        .says("ANSWER trip.answer for Blue Heron: send it back, as a file or as text")
        .says("They type amparo merge trip.answer.")
        .says("next: amparo list --vault evidence");
    at(&world, "reader", &["open", "K7-0001", "-o", "out"]).exits(0);
    assert_eq!(world.read("reader/out/K7-0001/content/t.txt"), b"I was there.\n");
    at(&world, "reader", &["verify"]).exits(0);
    let merged = at(&world, "lawyer", &["merge", "../reader/trip.answer"]).exits(0);
    merged.says("MERGED:").says("Grey Owl");
    at(&world, "lawyer", &["custody", "log"]).exits(0).says("offer: acknowledged").never_says("pending");
    assert_eq!(at(&world, "lawyer", &["verify", "--json"]).exits(0).json()["verdict"], "valid");
}

#[test]
fn a_script_gets_one_object() {
    let world = sent();
    let object = unpacks(&world, "trip.bin", &["--json", "--sign", "--answer", "a.txt"]).exits(0).json();
    let fixed = [
        "format",
        "logs",
        "entries",
        "blobs",
        "keys",
        "cosignatures",
        "states",
        "bytes",
        "missing",
        "foreign",
        "untaken",
        "damaged",
        "disposed",
        "interrupted",
        "forks",
        "findings",
        "verdict",
        "given",
        "awaits",
        "whole",
        "not_whole",
        "unseen",
        "pouch",
        "signed",
        "answer",
        "warnings",
    ];
    let keys: Vec<&String> = object.as_object().expect("an object").keys().collect();
    assert_eq!(keys, fixed);
    assert_eq!((&object["entries"], &object["blobs"], &object["answer"]), (&3.into(), &3.into(), &"a.txt".into()));
    assert_eq!(
        (&object["verdict"], &object["missing"], &object["findings"]),
        (&"valid".into(), &json!([]), &json!([]))
    );
    let twice = unpacks(&world, "trip.bin", &["--json"]).exits(0).json();
    assert_eq!((&twice["entries"], &twice["blobs"], &twice["answer"]), (&0.into(), &0.into(), &Value::Null));
    let unopened = world.run("monitor", &["unpack", "../trip.bin", "-o", "evidence", "--json"]).exits(12).json_error();
    assert_eq!(unopened["hint"], "amparo identity show");
}

#[test]
fn a_second_time_and_an_older_pouch_bring_nothing_new() {
    let world = sent();
    seals(&world, "second.txt");
    packs(&world, "later.bin", &[]).exits(0);
    unpacks(&world, "later.bin", &["--sign"]).exits(0);
    let before = world.tree("reader/evidence");
    for name in ["later.bin", "trip.bin"] {
        unpacks(&world, name, &["--sign"]).exits(0).says("Nothing new").never_says("ACKNOWLEDGED").never_says("behind");
        assert_eq!(world.tree("reader/evidence"), before, "{name}");
    }
    at(&world, "reader", &["verify"]).exits(0);
}

#[test]
fn a_pouch_for_others_opens_nothing_and_says_so() {
    let world = sent();
    let refused = world.run("monitor", &["unpack", "../trip.bin", "-o", "evidence"]).exits(12);
    refused.says("this pouch is for others: no key here opens it").says("hint: amparo identity show");
    assert!(!world.path("monitor/evidence").exists());
    world.run("stranger", &["unpack", "../trip.bin", "-o", "evidence"]).exits(12).says("amparo identity new");
}

#[test]
fn on_first_contact_the_vault_is_named_or_nothing_is_left() {
    let world = sent();
    let bare = ["unpack", "../trip.bin", "-o", "evidence"];
    world.run("reader", &bare).exits(5);
    world.run("reader", &[&bare[..], &["--owner", "../monitor.card"]].concat()).exits(5);
    let zeros = ["00000"; 8].join(" ");
    world.run("reader", &[&bare[..], &["--vault-id", &zeros]].concat()).exits(5);
    assert!(!world.path("reader/evidence").exists(), "a folder that nothing came into is taken away again");
    let digits = world.digits();
    world.run("reader", &[&bare[..], &["--vault-id", &digits]].concat()).exits(0).says("MERGED");
    // In the vault's folder, and known: no flag is needed.
    world.write("reader/evidence/x", b"");
    fs::remove_file(world.path("reader/evidence/x")).expect("removed");
    at(&world, "reader", &["unpack", "../trip.bin"]).exits(0).says("Nothing new");
}

#[test]
fn where_it_goes_must_be_a_vault_or_not_exist() {
    let world = sent();
    world.write("reader/papers/letter.txt", b"Dear friend\n");
    let into = |name: &str| world.run("reader", &["unpack", "../trip.bin", "-o", name, "--owner", "../lawyer.card"]);
    into("papers").exits(2).says("papers is there and is no vault").says("hint: name a vault");
    into("papers/letter.txt").exits(2);
    fs::create_dir(world.path("reader/empty")).expect("a folder");
    into("empty").exits(0).says("MERGED");
    into("none/deeper").exits(1);
    assert_eq!(world.files("reader/papers").len(), 1);
    world.run("reader", &["unpack", "../trip.bin"]).exits(10);
    world.run("reader", &["unpack", "../nothing.bin", "-o", "evidence"]).exits(1).says("nothing.bin");
    world.run("reader", &["unpack"]).exits(2).says("FILE");
    into("evidence").exits(0);
}

#[test]
fn a_terminal_is_asked_once_and_enter_leaves_it() {
    let world = sent();
    let args = ["unpack", "../trip.bin", "-o", "evidence", "--owner", "../lawyer.card"];
    let asked = world.typing("reader", &args, &[""]).exits(0);
    assert_eq!(asked.err.matches("Check every hash and sign for it?").count(), 1, "{}", asked.err);
    asked
        .says("K7:2 of Blue Heron waits for your signature.")
        .says("Check every hash and sign for it?")
        .says("next: amparo custody acknowledge")
        .never_says("ACKNOWLEDGED");
    assert!(!world.path("reader/trip.answer").exists());
    let signed = world.typing("reader", &args, &["yes"]).exits(0);
    assert_eq!(signed.err.matches("sign for it?").count(), 1, "{}", signed.err);
    signed.says("ACKNOWLEDGED K7:2").says("ANSWER trip.answer");
    assert!(world.path("reader/trip.answer").exists());
    // Nothing waits any more: nothing is asked.
    world.typing("reader", &args, &[]).exits(0).never_says("sign for it");
}

/// One answer is for all that the pouch hands over.
#[test]
fn a_terminal_is_asked_once_for_several_offers() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    for id in ["K7-0001", "K7-0002"] {
        at(&world, "lawyer", &["custody", "offer", "--no-input", "--to", "Grey Owl", id]).exits(0);
    }
    packs(&world, "two.bin", &["K7:3", "K7:4"]).exits(0);
    let args = ["unpack", "../two.bin", "-o", "evidence", "--owner", "../lawyer.card"];
    let signed = world.typing("reader", &args, &["yes"]).exits(0);
    assert_eq!(signed.err.matches("sign for").count(), 1, "{}", signed.err);
    signed.says("ACKNOWLEDGED K7:3").says("ACKNOWLEDGED K7:4").says("ANSWER two.answer");
}

#[test]
fn without_input_it_is_said_what_waits_and_nothing_is_signed() {
    let world = sent();
    let unpacked = unpacks(&world, "trip.bin", &["--no-input"]).exits(0);
    unpacked
        .says("K7:2 of Blue Heron waits for your signature.")
        .says("next: amparo custody acknowledge --vault evidence");
    assert!(events(&world, "reader").iter().all(|entry| entry["event"] != "acknowledge"));
}

#[test]
fn the_answer_lies_beside_the_person_under_a_free_name_or_where_she_says() {
    let world = sent();
    world.write("reader/trip.answer", b"another one");
    unpacks(&world, "trip.bin", &["--sign"]).exits(0).says("ANSWER trip-2.answer");
    assert_eq!(world.read("reader/trip.answer"), b"another one");
    seals(&world, "second.txt");
    packs(&world, "later.bin", &[]).exits(0);
    unpacks(&world, "later.bin", &["--sign", "--answer", "trip.answer"]).exits(1).says("exists already");
    unpacks(&world, "later.bin", &["--sign", "--answer", "evidence/a.txt"]).exits(2).says("inside the vault");
    unpacks(&world, "later.bin", &["--sign", "--answer", "none/a.txt"]).exits(1);
    let told = events(&world, "reader");
    assert!(!told.iter().any(|entry| entry["event"] == "acknowledge" && entry["offer"] == "K7:5"), "{told:#?}");
    unpacks(&world, "later.bin", &["--sign", "--answer", "my-answer.txt"]).exits(0).says("ANSWER my-answer.txt");
    at(&world, "lawyer", &["merge", "../reader/my-answer.txt"]).exits(0);
    at(&world, "lawyer", &["custody", "log"]).exits(0).never_says("pending");
}

#[test]
fn answers_are_taken_in_by_merge_and_also_by_unpack() {
    let world = sent();
    unpacks(&world, "trip.bin", &["--sign"]).exits(0);
    let twin = world.twin();
    let by_unpack = at(&twin, "lawyer", &["unpack", "../reader/trip.answer", "--json"]).exits(0).json();
    let by_merge = at(&world, "lawyer", &["merge", "../reader/trip.answer", "--json"]).exits(0).json();
    assert_eq!(by_unpack, by_merge);
    assert_eq!(by_merge["entries"], 1);
    // On paper and in mail lines end otherwise, and something stands around them.
    let text = String::from_utf8(world.read("reader/trip.answer")).expect("text");
    let mailed = format!("\n{}\n", text.replace('\n', "\r\n"));
    let world = twin;
    world.write("mailed.txt", mailed.as_bytes());
    at(&world, "lawyer", &["merge", "../mailed.txt"]).exits(0).says("Nothing new");
    // For somebody else they are closed.
    world.carry("monitor");
    at(&world, "monitor", &["verify", "--owner", "../lawyer.card"]).exits(0);
    at(&world, "monitor", &["merge", "../mailed.txt"]).exits(12).says("for others");
    // Half a text is no text.
    world.write("half.txt", &mailed.as_bytes()[..mailed.len() / 2]);
    at(&world, "lawyer", &["merge", "../half.txt"]).exits(2).says("no part of a pouch");
}

#[test]
fn keys_that_a_newcomer_awaits_are_handed_on_as_after_a_merge() {
    let world = sent();
    unpacks(&world, "trip.bin", &["--sign"]).exits(0);
    let digits = world.join("tern", "Grey Tern");
    let add = ["member", "add", "../tern.card", "--role", "reader", "--fingerprint", &digits];
    at(&world, "lawyer", &add).exits(0);
    packs(&world, "later.bin", &[]).exits(0);
    let later = ["unpack", "../later.bin", "--sign", "--no-input", "--json"];
    let twin = world.twin();
    let left = at(&twin, "reader", &later).exits(0).json();
    assert!(!left["awaits"].as_array().expect("a list").is_empty(), "{left:#}");
    assert_eq!(left["given"], json!([]));
    let granted = at(&world, "reader", &[&later[..], &["--grant"]].concat()).exits(0).json();
    assert!(!granted["given"].as_array().expect("a list").is_empty(), "{granted:#}");
    let packed = at(&world, "reader", &["pack", "--to", "Grey Tern", "-o", "../tern.bin", "--no-input"]).exits(0);
    packed.says("for Grey Tern: K7-0001");
    world.run("tern", &["unpack", "../tern.bin", "-o", "evidence", "--owner", "../lawyer.card"]).exits(0);
    at(&world, "tern", &["open", "K7-0001", "-o", "out"]).exits(0);
}

#[test]
fn a_pouch_of_another_vault_goes_into_no_copy() {
    let world = sent();
    unpacks(&world, "trip.bin", &[]).exits(0);
    world.run("lawyer", &["init", "other", "--reader", "../reader.card"]).exits(0);
    world.run("lawyer", &["pack", "--to", "Grey Owl", "-o", "../other.bin", "--vault", "other"]).exits(0);
    let before = world.tree("reader/evidence");
    at(&world, "reader", &["unpack", "../other.bin"]).exits(5).says("this is a copy of another vault");
    at(&world, "reader", &["merge", "../other.bin"]).exits(5).says("this is a copy of another vault");
    assert_eq!(world.tree("reader/evidence"), before);
}

#[test]
fn a_part_of_the_vault_is_taken_without_alarm() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    packs(&world, "one.bin", &["K7-0002"]).exits(0);
    let unpacked = unpacks(&world, "one.bin", &["--sign"]).exits(0);
    unpacked.says("MERGED").says("ACKNOWLEDGED").never_says("INCOMPLETE:");
    packs(&world, "two.bin", &["K7-0001"]).exits(0);
    unpacks(&world, "two.bin", &["--sign"]).exits(0).says("ACKNOWLEDGED").never_says("discrepan");
    at(&world, "reader", &["verify"]).exits(0);
}

#[test]
fn what_is_still_on_the_road_is_not_signed_for() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    packs(&world, "one.bin", &["K7-0001"]).exits(0);
    packs(&world, "two.bin", &["K7-0002"]).exits(0);
    // The second arrives first; its record tells of the first offer, whose evidence is not here yet.
    let unpacked = unpacks(&world, "two.bin", &["--sign"]).exits(0);
    unpacked.says("ACKNOWLEDGED K7:5").never_says("ACKNOWLEDGED K7:3").never_says("discrepan");
    unpacks(&world, "one.bin", &["--sign"]).exits(0).says("ACKNOWLEDGED K7:3").never_says("discrepan");
}

#[test]
fn what_came_earlier_is_not_signed_for_with_what_comes_now() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    packs(&world, "one.bin", &["K7-0001"]).exits(0);
    packs(&world, "two.bin", &["K7-0002"]).exits(0);
    unpacks(&world, "one.bin", &[]).exits(0).says("K7:3 of Blue Heron waits for your signature.");
    let unpacked = unpacks(&world, "two.bin", &["--sign"]).exits(0);
    let unpacked = unpacked.says("ACKNOWLEDGED K7:5").never_says("ACKNOWLEDGED K7:3");
    unpacked.says("K7:3 of Blue Heron came earlier, and still waits: amparo custody acknowledge K7:3");
    unpacks(&world, "one.bin", &["--sign"]).exits(0).says("ACKNOWLEDGED K7:3").never_says("still waits");
}

#[test]
fn a_discrepancy_that_is_signed_shows_in_the_exit_code() {
    let world = sent();
    unpacks(&world, "trip.bin", &[]).exits(0);
    let shown = at(&world, "reader", &["show", "K7-0001", "--json"]).exits(0).json();
    let blob = shown["blob_names"][0].as_str().expect("a blob");
    world.write(&format!("reader/evidence/blobs/{}/{blob}", &blob[..2]), b"damaged since");
    let signed = unpacks(&world, "trip.bin", &["--sign"]).exits(3);
    signed.says("ACKNOWLEDGED WITH DISCREPANCIES K7:2").says("ANSWER trip.answer");
}

#[test]
fn several_offers_are_signed_with_one_look_and_told_to_scripts() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    for id in ["K7-0001", "K7-0002"] {
        at(&world, "lawyer", &["custody", "offer", "--no-input", "--to", "Grey Owl", id]).exits(0);
    }
    packs(&world, "trip.bin", &["K7:3", "K7:4"]).exits(0);
    let object = unpacks(&world, "trip.bin", &["--sign", "--json"]).exits(0).json();
    let signed = object["signed"].as_array().expect("a list").iter();
    let signed: Vec<(&Value, &Value)> = signed.map(|one| (&one["offer"], &one["status"])).collect();
    assert_eq!(signed, [(&"K7:3".into(), &"acknowledged".into()), (&"K7:4".into(), &"acknowledged".into())]);
    assert_eq!(object["answer"], "trip.answer");
    at(&world, "lawyer", &["merge", "../reader/trip.answer"]).exits(0);
    at(&world, "lawyer", &["custody", "log"]).exits(0).never_says("pending");
}

#[test]
fn a_damaged_pouch_counts_for_nothing_until_what_is_whole_is_asked_for() {
    let world = World::with_testimony();
    world.write("lawyer/film.bin", &vec![7; 3 << 20]);
    at(&world, "lawyer", &["seal", "film.bin", "--kind", "video"]).exits(0);
    packs(&world, "trip.bin", &[]).exits(0);
    let mut bytes = world.read("trip.bin");
    // Far behind the records and the small exhibit: only the film lies there, blobs stand by their names.
    let spoilt = bytes.len() / 2;
    bytes[spoilt] ^= 1;
    world.write("torn.bin", &bytes);
    let refused = unpacks(&world, "torn.bin", &["--sign"]).exits(4);
    refused
        .says("the pouch is damaged, and nothing of it counts yet. Whole: K7-0001. Damaged: K7-0002")
        .says("amparo unpack FILE --salvage")
        .never_says("ACKNOWLEDGED");
    let salvaged = unpacks(&world, "torn.bin", &["--salvage", "--json"]).exits(4).json();
    // What the refused run copied already came in this pouch, too.
    assert_eq!((&salvaged["not_whole"], &salvaged["whole"]), (&json!(["K7-0002"]), &json!(["K7-0001"])));
    assert_eq!(salvaged["unseen"], json!([]));
    at(&world, "reader", &["open", "K7-0001", "-o", "out"]).exits(0);
    at(&world, "reader", &["open", "K7-0002", "-o", "out"]).exits(4);
    // The whole pouch, by another courier, completes it.
    unpacks(&world, "trip.bin", &["--sign"]).exits(0).says("1 sealed file").says("ACKNOWLEDGED");
    at(&world, "reader", &["verify"]).exits(0);
}

#[test]
fn a_pouch_whose_end_was_cut_off_gives_what_came_before() {
    let world = World::with_testimony();
    world.write("lawyer/film.bin", &vec![7; 3 << 20]);
    at(&world, "lawyer", &["seal", "film.bin", "--kind", "video"]).exits(0);
    packs(&world, "trip.bin", &[]).exits(0);
    let bytes = world.read("trip.bin");
    for (name, kept) in [("half.bin", bytes.len() / 2), ("third.bin", bytes.len() / 3)] {
        world.write(name, &bytes[..kept]);
        let twin = world.twin();
        unpacks(&twin, name, &[]).exits(4).says("the pouch is damaged where it tells what it holds");
        assert!(!twin.path("reader/evidence").exists(), "nothing came, so no folder stays");
        // The records stand in front of all sealed files.
        unpacks(&twin, name, &["--salvage"]).exits(4).says("MERGED: 4 custody events");
        unpacks(&twin, "trip.bin", &[]).exits(0);
        at(&twin, "reader", &["verify"]).exits(0);
    }
    // Of the padding, which here is most of the pouch, nothing is needed.
    let padded = sent();
    let most = padded.read("trip.bin");
    padded.write("less.bin", &most[..most.len() - 300_000]);
    unpacks(&padded, "less.bin", &["--sign"]).exits(0).says("ACKNOWLEDGED");
    world.write("none.bin", &bytes[..100]);
    unpacks(&world, "none.bin", &["--salvage"]).exits(4).says("the beginning of this pouch is lost");
    world.write("empty.bin", b"");
    unpacks(&world, "empty.bin", &[]).exits(2).says("no part of a pouch");
    world.write("letter.bin", b"Dear friend\n");
    unpacks(&world, "letter.bin", &[]).exits(2).says("no part of a pouch");
}

#[test]
fn ctrl_c_leaves_no_folder_and_the_same_command_goes_on() {
    let world = sent();
    let around = Around { stopped: true, ..Around::default() };
    let args = ["unpack", "../trip.bin", "-o", "evidence", "--owner", "../lawyer.card"];
    world.run_in("reader", &args, &around).exits(130);
    assert!(!world.path("reader/evidence").exists());
    world.run("reader", &args).exits(0).says("MERGED");
}
