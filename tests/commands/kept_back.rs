//! What a pouch leaves out, and that no more is said of it than is true: neither on the screen nor in the custody record.

use serde_json::json;

use super::harness::World;
use super::pack::{at, events, packs, seals};
use super::unpack::unpacks;

/// A folder with two exhibits, sealed at once: `K7-0001` and `K7-0002`.
fn with_two_at_once() -> World {
    let world = World::with_vault();
    for (name, text) in [("one.txt", "I was there.\n"), ("two.txt", "So was I.\n")] {
        world.write(&format!("lawyer/case/{name}"), text.as_bytes());
    }
    at(&world, "lawyer", &["seal", "case", "--kind", "testimony", "--title", "Of the bridge"]).exits(0);
    world
}

#[test]
fn the_record_of_what_was_withdrawn_goes_with_its_siblings_and_that_is_said() {
    let world = with_two_at_once();
    at(&world, "lawyer", &["custody", "withdraw", "K7-0001", "--scope", "all"]).exits(0);
    let told = "consent for K7-0001 was withdrawn: its sealed files are not in it, but its record is";
    let all = packs(&world, "all.bin", &[]).exits(0);
    all.says("for Grey Owl: K7-0002,").says(told).never_says("K7-0001 is not in it");
    packs(&world, "named.bin", &["K7-0002"]).exits(0).says(told);
    let object = packs(&world, "json.bin", &["--json"]).exits(0).json();
    assert_eq!((&object["withdrawn"], &object["withdrawn_records"]), (&json!(["K7-0001"]), &json!(["K7-0001"])));
    // It is true: the reader reads the record, and has no file to open.
    unpacks(&world, "all.bin", &[]).exits(0);
    at(&world, "reader", &["show", "K7-0001"]).exits(0).says("Of the bridge");
    let reason = ["--reason", "to see whether it is here"];
    let open = |id: &str| at(&world, "reader", &[&["open", id, "-o", &format!("o {id}")], &reason[..]].concat()).exit;
    assert_eq!(open("K7-0002"), 0);
    assert_ne!(open("K7-0001"), 0);
}

#[test]
fn where_nothing_goes_that_was_sealed_with_it_its_record_stays() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    at(&world, "lawyer", &["custody", "withdraw", "K7-0001", "--scope", "all"]).exits(0);
    let apart = packs(&world, "apart.bin", &[]).exits(0);
    apart.says("K7-0001 is not in it: consent was withdrawn").never_says("but its record is");
    packs(&world, "named.bin", &["K7-0002"]).exits(0).never_says("withdrawn");
    // Both withdrawn, and neither packed: no manifest goes.
    let world = with_two_at_once();
    for id in ["K7-0001", "K7-0002"] {
        at(&world, "lawyer", &["custody", "withdraw", id, "--scope", "all"]).exits(0);
    }
    let object = packs(&world, "none.bin", &["--json"]).exits(0).json();
    let (both, none) = (json!(["K7-0001", "K7-0002"]), json!([]));
    assert_eq!((&object["withdrawn"], &object["withdrawn_records"]), (&both, &none));
    // With a purpose it goes, and nothing of it stays back.
    let ordered = ["K7-0001", "--purpose", "ordered by the court", "--json"];
    assert_eq!(packs(&world, "one.bin", &ordered).exits(0).json()["withdrawn_records"], json!(["K7-0002"]));
}

/// An offer of everything was made, and no pouch of it; then more was sealed.
#[test]
fn what_was_sealed_since_an_offer_of_everything_does_not_go_unoffered() {
    let world = World::with_testimony();
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "--no-input"]).exits(0).says("OFFERED K7:2");
    seals(&world, "second.txt");
    let before = world.twin();
    let object = packs(&world, "trip.bin", &["K7:2", "--json"]).exits(0).json();
    assert_eq!((&object["exhibits"], &object["everything"]), (&json!(["K7-0001"]), &false.into()));
    assert_eq!(object["offers"], json!([{ "offer": "K7:2", "to_name": "Grey Owl" }]));
    // The custody record names what went: of the second exhibit it does not say that it was packed.
    let packed = |id: &str| {
        let log = at(&world, "lawyer", &["custody", "log", id, "--json"]).exits(0).json();
        log["entries"].as_array().expect("a list").iter().filter(|entry| entry["event"] == "pack").count()
    };
    assert_eq!((packed("K7-0001"), packed("K7-0002")), (1, 0));
    let said = events(&world, "lawyer").into_iter().rfind(|entry| entry["event"] == "pack").expect("it was said");
    assert_eq!((&said["exhibits"], &said["status"]), (&json!(["K7-0001"]), &"pending".into()));
    unpacks(&world, "trip.bin", &["--sign"]).exits(0).says("ACKNOWLEDGED K7:2");
    let opens = |id: &str| at(&world, "reader", &["open", id, "-o", &format!("o {id}")]).exit == 0;
    assert!(opens("K7-0001") && !opens("K7-0002"));
    // Whoever is offered it only now is offered what goes, and no more.
    let both = before.twin();
    packs(&both, "both.bin", &["--to", "Red Kite", "K7:2"]).exits(0);
    let offer = events(&both, "lawyer").into_iter().rfind(|entry| entry["event"] == "offer").expect("an offer");
    assert_eq!((&offer["to_name"], &offer["exhibits"]), (&"Red Kite".into(), &json!(["K7-0001"])));
    // What is named beside the offer goes, and a later offer of everything is of both.
    let object = packs(&before.twin(), "named.bin", &["K7:2", "K7-0002", "--json"]).exits(0).json();
    assert_eq!(object["exhibits"], json!(["K7-0001", "K7-0002"]));
    at(&before, "lawyer", &["custody", "offer", "--to", "Grey Owl", "--no-input"]).exits(0).says("OFFERED K7:4");
    let object = packs(&before, "all.bin", &["K7:4", "--json"]).exits(0).json();
    assert_eq!((&object["exhibits"], &object["everything"]), (&json!(["K7-0001", "K7-0002"]), &true.into()));
}
