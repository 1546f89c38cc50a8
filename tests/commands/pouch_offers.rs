//! Offers that a pouch carries: those that stand, those that are made for it, and when it is answered.

use serde_json::{Value, json};

use super::harness::World;
use super::pack::{at, events, packs, seals};

#[test]
fn an_offer_of_ones_own_is_packed_as_it_stands() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    let offer = |who: &str, more: &[&str]| {
        at(&world, who, &[&["custody", "offer", "--no-input", "--json"], more].concat()).exits(0).json()["offer"]
            .clone()
    };
    let one = offer("lawyer", &["--to", "Grey Owl", "K7-0002"]);
    let all = offer("lawyer", &["--to", "Grey Owl"]);
    let monitor = offer("lawyer", &["--to", "Red Kite"]);
    let before = events(&world, "lawyer").len();
    let object = packs(&world, "one.bin", &[one.as_str().expect("a label"), "--json"]).exits(0).json();
    assert_eq!((&object["exhibits"], &object["offers"][0]["offer"]), (&json!(["K7-0002"]), &one));
    assert_eq!(events(&world, "lawyer").len(), before + 1, "the pouch was said, and no second offer");
    let object = packs(&world, "all.bin", &[all.as_str().expect("a label"), "--json"]).exits(0).json();
    assert_eq!((&object["exhibits"], &object["everything"]), (&json!(["K7-0001", "K7-0002"]), &true.into()));
    // The status of each pouch is that of the offer that it carries, in whatever order they were packed.
    world.run("reader", &["unpack", "../all.bin", "-o", "evidence", "--owner", "../lawyer.card"]).exits(0);
    at(&world, "reader", &["custody", "acknowledge", all.as_str().expect("a label")]).exits(0);
    at(&world, "lawyer", &["merge", "../reader/evidence"]).exits(0);
    packs(&world, "again.bin", &[one.as_str().expect("a label")]).exits(0);
    let log = at(&world, "lawyer", &["custody", "log", "--json"]).exits(0).json();
    let entries = log["entries"].as_array().expect("entries").iter().filter(|entry| entry["event"] == "pack");
    let statuses: Vec<&Value> = entries.map(|entry| &entry["status"]).collect();
    assert_eq!(statuses, ["pending", "acknowledged", "pending"]);
    let refused = packs(&world, "x.bin", &[monitor.as_str().expect("a label")]).exits(1);
    refused.says("is no offer of yours to those for whom you pack");
    packs(&world, "x.bin", &["K7:1"]).exits(1).says("is no offer");
    packs(&world, "x.bin", &["K7:99"]).exits(1).says("no entry K7:99");
    assert!(!world.path("x.bin").exists());
}

/// Whoever gets more than what stands in an offer to her is offered the rest.
#[test]
fn what_goes_beyond_an_offer_is_offered_as_well() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    seals(&world, "third.txt");
    at(&world, "lawyer", &["custody", "offer", "--no-input", "--to", "Grey Owl", "K7-0002"]).exits(0);
    let object = packs(&world, "trip.bin", &["K7:4", "K7-0003", "--to", "Red Kite", "--json"]).exits(0).json();
    assert_eq!(object["exhibits"], json!(["K7-0002", "K7-0003"]));
    let offers = |name: &str| -> Vec<Value> {
        let offers = object["offers"].as_array().expect("a list").iter();
        offers.filter(|offer| offer["to_name"] == name).map(|offer| offer["offer"].clone()).collect()
    };
    assert_eq!(offers("Grey Owl"), ["K7:4", "K7:5"]);
    assert_eq!(offers("Red Kite"), ["K7:6"]);
    let offered = events(&world, "lawyer").into_iter().filter(|entry| entry["event"] == "offer");
    let exhibits: Vec<Value> = offered.map(|entry| entry["exhibits"].clone()).collect();
    assert_eq!(exhibits, [json!(["K7-0002"]), json!(["K7-0003"]), json!(["K7-0002", "K7-0003"])]);
}

/// The status of each pouch, as the lawyer's record has it.
fn statuses(world: &World) -> Vec<String> {
    let packed = events(world, "lawyer").into_iter().filter(|entry| entry["event"] == "pack");
    packed.map(|entry| entry["status"].as_str().expect("a status").to_string()).collect()
}

fn offers(world: &World, more: &[&str]) -> String {
    let args = [&["custody", "offer", "--no-input", "--json", "--to", "Grey Owl"], more].concat();
    at(world, "lawyer", &args).exits(0).json()["offer"].as_str().expect("a label").to_string()
}

/// Grey Owl has a copy, and signs for one offer in it.
fn owl_signs(world: &World, offer: &str) {
    world.carry("reader");
    at(world, "reader", &["verify", "--owner", "../lawyer.card"]).exits(0);
    at(world, "reader", &["custody", "acknowledge", offer]).exits(0);
    at(world, "lawyer", &["merge", "../reader/evidence"]).exits(0);
}

#[test]
fn a_pouch_is_answered_when_all_offers_are_that_it_carries() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    // In whatever order exhibits were named.
    let both = offers(&world, &["K7-0002", "K7-0001"]);
    let other = offers(&world, &["K7-0001"]);
    packs(&world, "both.bin", &[&both]).exits(0);
    owl_signs(&world, &other);
    assert_eq!(statuses(&world), ["pending"]);
    owl_signs(&world, &both);
    assert_eq!(statuses(&world), ["acknowledged"]);
    // Two offers in one pouch.
    let (one, two) = (offers(&world, &["K7-0001"]), offers(&world, &["K7-0002"]));
    packs(&world, "two.bin", &[&one, &two]).exits(0);
    owl_signs(&world, &two);
    assert_eq!(statuses(&world)[1], "pending");
    // It was carried: whoever packs in the same words offers anew.
    let object = packs(&world, "again.bin", &["K7-0001", "--json"]).exits(0).json();
    assert_ne!(object["offers"][0]["offer"], one);
    owl_signs(&world, &one);
    assert_eq!(statuses(&world), ["acknowledged", "acknowledged", "pending"]);
}

#[test]
fn an_offer_of_everything_and_what_was_sealed_since_go_together() {
    let world = World::with_testimony();
    let everything = offers(&world, &[]);
    seals(&world, "second.txt");
    let object = packs(&world, "trip.bin", &[&everything, "K7-0002", "--json"]).exits(0).json();
    assert_eq!(
        (&object["offers"][0]["offer"], &object["exhibits"]),
        (&everything.as_str().into(), &json!(["K7-0001", "K7-0002"]))
    );
    owl_signs(&world, object["offers"][1]["offer"].as_str().expect("a label"));
    assert_eq!(statuses(&world), ["pending"]);
    owl_signs(&world, &everything);
    assert_eq!(statuses(&world), ["acknowledged"]);
    // One of everything that no pouch carried is not carried by what is packed once more for another.
    let (again, one) = (offers(&world, &[]), offers(&world, &["K7-0001"]));
    for name in ["one.bin", "once-more.bin"] {
        packs(&world, name, &[&one]).exits(0);
    }
    owl_signs(&world, &again);
    assert_eq!(statuses(&world), ["acknowledged", "pending", "pending"]);
}

#[test]
fn what_is_told_of_an_offer_that_stands_would_stand_nowhere() {
    let world = World::with_testimony();
    let offer = offers(&world, &["K7-0001"]);
    let refused = packs(&world, "x.bin", &[&offer, "--carrier", "Swift"]).exits(2);
    refused.says("stands as it was said").says("which makes a new offer");
    assert!(!world.path("x.bin").exists());
    // Consent withdrawn since then: only a reason lets it go, and the record says which.
    at(&world, "lawyer", &["custody", "withdraw", "K7-0001", "--scope", "all"]).exits(0);
    packs(&world, "x.bin", &[&offer]).exits(2).says("consent for K7-0001 was withdrawn");
    packs(&world, "trip.bin", &[&offer, "--purpose", "ordered by the court"]).exits(0);
    let said = events(&world, "lawyer").into_iter().rfind(|entry| entry["event"] == "offer").expect("an offer");
    assert_eq!((&said["purpose"], &said["exhibits"][0]), (&"ordered by the court".into(), &"K7-0001".into()));
    // An offer that says why is packed as it stands.
    let offer = offers(&world, &["K7-0001", "--purpose", "ordered once more"]);
    packs(&world, "again.bin", &[&offer]).exits(0).says(&format!("{offer} offers it to Grey Owl"));
}

/// Her copy burned: what she signed for stays by default, and all of it goes with an offer of everything.
#[test]
fn whoever_lost_what_she_signed_for_gets_it_again_by_an_offer_of_everything() {
    let world = World::with_testimony();
    let first = offers(&world, &[]);
    owl_signs(&world, &first);
    seals(&world, "second.txt");
    let everything = offers(&world, &[]);
    let object = packs(&world, "all.bin", &[&everything, "--json"]).exits(0).json();
    assert_eq!((&object["exhibits"], &object["known"]), (&json!(["K7-0001", "K7-0002"]), &0.into()));
    world.copy("reader", "again");
    std::fs::remove_dir_all(world.path("again/evidence")).expect("lost");
    let unpacked = world.run("again", &["unpack", "../all.bin", "-o", "evidence", "--sign"]).exits(0);
    unpacked.says(&format!("ACKNOWLEDGED {everything}"));
}

#[test]
fn what_the_receiver_sealed_stays_with_her_and_no_entry_says_that_it_went() {
    let world = World::with_testimony();
    let digits = world.join("tern", "Grey Tern");
    let add = ["member", "add", "../tern.card", "--role", "sealer", "--fingerprint", &digits];
    at(&world, "lawyer", &add).exits(0);
    world.copy("lawyer/evidence", "tern/evidence");
    at(&world, "tern", &["verify", "--owner", "../lawyer.card"]).exits(0);
    world.write("tern/hers.txt", b"hers");
    at(&world, "tern", &["seal", "hers.txt", "--kind", "document"]).exits(0);
    at(&world, "lawyer", &["merge", "../tern/evidence", "--no-input"]).exits(0);
    let to_tern = |name: &str, more: &[&str]| {
        let args = [&["pack", "--to", "Grey Tern", "-o", name, "--no-input", "--json"], more].concat();
        at(&world, "lawyer", &args).exits(0).json()
    };
    let object = to_tern("../trip.bin", &[]);
    assert_eq!((&object["exhibits"], &object["known"]), (&json!(["K7-0001"]), &1.into()));
    for entry in events(&world, "lawyer").iter().rev().take(2) {
        assert_eq!(entry["exhibits"], json!(["K7-0001"]), "{entry:#}");
    }
    // On a new device, from paper, she signs for what came, and gets her own with an offer of everything.
    world.copy("tern", "again");
    std::fs::remove_dir_all(world.path("again/evidence")).expect("seized");
    let unpack = |name: &str| world.run("again", &["unpack", name, "-o", "evidence", "--sign"]).exits(0);
    unpack("../trip.bin").says("ACKNOWLEDGED");
    let offer = ["custody", "offer", "--no-input", "--json", "--to", "Grey Tern"];
    let everything = at(&world, "lawyer", &offer).exits(0).json()["offer"].as_str().expect("a label").to_string();
    assert_eq!(to_tern("../all.bin", &[&everything])["known"], 0);
    unpack("../all.bin").says(&format!("ACKNOWLEDGED {everything}"));
    at(&world, "again", &["verify"]).exits(0);
}
