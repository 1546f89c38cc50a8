//! What a pouch leaves out, and that no more is said of it than is true: neither on the screen nor in the custody record.

use serde_json::json;

use super::harness::World;
use super::pack::{at, packs};
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
    super::pack::seals(&world, "second.txt");
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
