//! The first pouch to a newcomer: records and keys alone, also where much is sealed; and how it is answered.

use serde_json::{Value, json};

use super::harness::World;
use super::pack::{at, events, packs, seals};

/// A newcomer is admitted to a vault with evidence, and gets a pouch without any of it.
fn admitted() -> World {
    let world = World::with_testimony();
    let digits = world.join("tern", "Grey Tern");
    let add = ["member", "add", "../tern.card", "--role", "reader", "--fingerprint", &digits];
    at(&world, "lawyer", &add).exits(0);
    world
}

fn packs_first(world: &World, more: &[&str]) -> Value {
    let args = ["pack", "--to", "Grey Tern", "-o", "../first.bin", "--no-exhibits", "--no-input", "--json"];
    at(world, "lawyer", &[&args[..], more].concat()).exits(0).json()
}

/// The last pouch in somebody's custody record.
fn last_pack(world: &World, who: &str) -> Value {
    events(world, who).into_iter().rfind(|entry| entry["event"] == "pack").expect("a pouch")
}

#[test]
fn a_newcomer_gets_the_vault_and_no_evidence() {
    let world = admitted();
    let packed = packs_first(&world, &[]);
    assert_eq!((&packed["exhibits"], &packed["offers"]), (&json!([]), &json!([])));
    assert_eq!(
        (&packed["everything"], &packed["withdrawn"], &packed["lacking"]),
        (&false.into(), &json!([]), &json!([]))
    );
    let unpack = ["unpack", "../first.bin", "-o", "evidence", "--owner", "../lawyer.card"];
    world
        .run("tern", &unpack)
        .exits(0)
        .says("MERGED")
        .never_says("sealed file,")
        .never_says("waits for your signature");
    assert!(!world.path("tern/evidence/blobs").exists(), "no sealed file goes along");
    // She knows what there is, and who is a member, and cannot open it.
    at(&world, "tern", &["custody", "log"]).exits(0).says("K7-0001");
    at(&world, "tern", &["member", "list"]).exits(0).says("Grey Tern");
    // What follows later brings the evidence itself.
    packs(&world, "later.bin", &["--to", "Grey Tern"]).exits(0);
    at(&world, "tern", &["unpack", "../later.bin", "--sign"]).exits(0).says("ACKNOWLEDGED");
}

#[test]
fn it_is_told_and_nothing_is_asked_or_offered() {
    let world = admitted();
    let args = ["pack", "--to", "Grey Tern", "-o", "../first.bin", "--no-exhibits", "--vault", "evidence"];
    let packed = world.typing("lawyer", &args, &[]).exits(0);
    packed
        .says("PACKED ../first.bin for Grey Tern: custody records and keys, no exhibits, ")
        .says("it offers nothing: whatever they sign next answers it")
        .never_says("custody form");
    assert_eq!(events(&world, "lawyer").iter().filter(|entry| entry["event"] == "offer").count(), 0);
    for more in [["--no-exhibits", "K7-0001"], ["--no-exhibits", "--answers"], ["--no-exhibits", "--carrier=x"]] {
        packs(&world, "no.bin", &more).exits(2).says("--no-exhibits");
    }
    // It can be damaged and cut as any other can.
    let args = ["pack", "--to", "Grey Owl", "-o", "../v.bin", "--no-exhibits", "--parity", "10", "--volumes", "300KiB"];
    let object = at(&world, "lawyer", &[&args[..], &["--json"]].concat()).exits(0).json();
    assert!(object["files"].as_array().is_some_and(|files| files.len() > 1), "{object:#}");
}

#[test]
fn it_is_pending_until_whatever_she_signs_next_is_here() {
    let world = admitted();
    let packed = packs_first(&world, &[]);
    let told = last_pack(&world, "lawyer");
    assert_eq!(
        (&told["status"], &told["everything"], &told["exhibits"]),
        (&"pending".into(), &false.into(), &json!([]))
    );
    assert_eq!((&told["sha256"], &told["bytes"]), (&packed["sha256"], &packed["bytes"]));
    let sha256 = packed["sha256"].as_str().expect("digits");
    let text = at(&world, "lawyer", &["custody", "log"]).exits(0).says("pack: pending");
    assert!(text.out.split_whitespace().collect::<String>().contains(sha256), "{}", text.out);
    // Another member's word answers nothing for her.
    world.carry("reader");
    at(&world, "reader", &["verify", "--owner", "../lawyer.card"]);
    at(&world, "reader", &["custody", "note", "seen"]).exits(0);
    at(&world, "reader", &["pack", "--answers", "--to", "Blue Heron", "-o", "../owl.txt"]).exits(0);
    at(&world, "lawyer", &["merge", "../owl.txt"]).exits(0);
    assert_eq!(last_pack(&world, "lawyer")["status"], "pending");
    let unpack = ["unpack", "../first.bin", "-o", "evidence", "--owner", "../lawyer.card"];
    world.run("tern", &unpack).exits(0);
    at(&world, "tern", &["custody", "note", "it came"]).exits(0);
    at(&world, "tern", &["pack", "--answers", "--to", "Blue Heron", "-o", "../tern.txt"]).exits(0);
    at(&world, "lawyer", &["merge", "../tern.txt"]).exits(0);
    assert_eq!(last_pack(&world, "lawyer")["status"], "answered");
    at(&world, "lawyer", &["custody", "log"]).exits(0).says("pack: answered").never_says("pending");
    // The next one is answered by what she says after that one.
    seals(&world, "second.txt");
    at(&world, "lawyer", &["pack", "--to", "Grey Tern", "-o", "../second.bin", "--no-exhibits"]).exits(0);
    assert_eq!(last_pack(&world, "lawyer")["status"], "pending");
}

#[test]
fn of_several_receivers_all_must_have_seen_it_and_of_oneself_nothing_is_awaited() {
    let world = admitted();
    let both = ["pack", "--to", "Grey Tern", "--to", "Red Kite", "-o", "../both.bin", "--no-exhibits"];
    at(&world, "lawyer", &both).exits(0);
    for (who, status) in [("tern", "pending"), ("monitor", "answered")] {
        world.run(who, &["unpack", "../both.bin", "-o", "evidence", "--owner", "../lawyer.card"]).exits(0);
        at(&world, who, &["custody", "note", "it came"]).exits(0);
        at(&world, who, &["pack", "--answers", "--to", "Blue Heron", "-o", &format!("../{who}.txt")]).exits(0);
        at(&world, "lawyer", &["merge", &format!("../{who}.txt")]).exits(0);
        assert_eq!(last_pack(&world, "lawyer")["status"], status, "{who}");
    }
    at(&world, "lawyer", &["pack", "--to", "Blue Heron", "-o", "../mine.bin", "--no-exhibits"]).exits(0);
    assert_eq!(last_pack(&world, "lawyer")["status"], Value::Null);
}

/// A pouch of evidence has the status of the offer in it.
#[test]
fn a_pouch_with_exhibits_is_answered_by_the_answer_to_its_offer() {
    let world = World::with_testimony();
    packs(&world, "trip.bin", &["--to", "Red Kite"]).exits(0);
    assert_eq!(last_pack(&world, "lawyer")["status"], "pending");
    for (who, status) in [("reader", "pending"), ("monitor", "acknowledged")] {
        let unpack = ["unpack", "../trip.bin", "-o", "evidence", "--owner", "../lawyer.card", "--sign"];
        world.run(who, &unpack).exits(0);
        at(&world, "lawyer", &["merge", &format!("../{who}/trip.answer")]).exits(0);
        assert_eq!(last_pack(&world, "lawyer")["status"], status, "{who}");
    }
    // They have all of it: the next one carries nothing to sign for, and says so in the record.
    packs(&world, "again.bin", &[]).exits(0).says("no exhibits");
    let told = last_pack(&world, "lawyer");
    assert_eq!((&told["everything"], &told["status"]), (&false.into(), &"pending".into()));
}
