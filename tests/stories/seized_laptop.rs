//! *The seized laptop*: a sealer's device is taken. What had left it in time counts, what is sealed on it since never
//! does and accuses nobody; from paper she has her identity again, and goes on in a record of her own on a new machine.

use serde_json::Value;

use super::{carries, joins, seals, story, types, verdict};
use crate::commands::harness::{World, numbered};

/// A reader abroad founded the vault; a second owner reads as well; a monitor; the lawyer in the country seals.
/// Returns the digits of the lawyer's card too, as the owners have them in their notebooks.
fn founded() -> (World, String) {
    let world = World::new();
    let lawyer = joins(&world, "heron", "Blue Heron");
    for (who, pseudonym) in [("owl", "Grey Owl"), ("kite", "Red Kite")] {
        joins(&world, who, pseudonym);
    }
    let second = joins(&world, "crane", "White Crane");
    let init = ["init", "evidence", "--sealer", "../heron.card", "--monitor", "../kite.card", "--handle", "A1"];
    world.run("owl", &init).exits(0);
    let crane = ["--role", "reader", "--role", "owner", "--fingerprint", &second];
    types(&world, "owl", &[&["member", "add", "../crane.card"], &crane[..]].concat()).exits(0);
    for who in ["heron", "crane", "kite"] {
        world.copy("owl/evidence", &format!("{who}/evidence"));
        types(&world, who, &["verify", "--owner", "../owl.card"]).exits(0);
    }
    (world, lawyer)
}

/// The entries of a copy's story in which an exhibit was sealed.
fn sealings(world: &World, who: &str) -> Vec<Value> {
    let told = story(world, who);
    let entries = told.as_array().expect("entries").iter();
    entries.filter(|entry| entry["event"] == "seal").cloned().collect()
}

/// The entry that sealed an exhibit, as a person calls it.
fn entry_of(world: &World, who: &str, id: &str) -> String {
    let all = sealings(world, who);
    let entry = all.iter().find(|entry| entry["exhibits"][0] == id).expect("it was sealed");
    entry["label"].as_str().expect("a label").to_string()
}

/// How many sealings a copy has, and how many of them are late.
fn counts(world: &World, who: &str) -> (usize, usize) {
    let all = sealings(world, who);
    (all.len(), all.iter().filter(|entry| entry["late"] == true).count())
}

fn is_valid(world: &World, who: &str, exhibits: u64) -> Value {
    let found = verdict(world, who);
    assert_eq!((&found["verdict"], &found["exhibits"]), (&"valid".into(), &exhibits.into()), "{who}: {found:#}");
    assert_eq!(found["findings"], Value::Array(Vec::new()), "{who}: nobody is accused");
    found
}

#[test]
fn her_evidence_her_identity_and_the_story_go_on_from_paper() {
    let (world, digits) = founded();
    // She backs herself up: what she wrote down is what she types to prove it.
    let backup = world.typing("heron", &["identity", "backup"], &["", "page 1"]).exits(0).says("DONE");
    let paper = numbered(&backup.pages[0]);
    let known = [seals(&world, "heron", "first.txt", &[]), seals(&world, "heron", "second.txt", &[])];
    for to in ["owl", "crane"] {
        carries(&world, "heron", to, &format!("stick-to-{to}")).exits(0);
    }
    world.later(60 * 24);
    let left = [seals(&world, "heron", "third.txt", &[]), seals(&world, "heron", "fourth.txt", &[])];
    world.copy("heron/evidence", "stick-left-behind");
    // The device is taken that night; whoever has it seals with it, as if it were she.
    world.later(60 * 12);
    seals(&world, "heron", "forced.txt", &[]);
    world.copy("heron/evidence", "what-they-hand-in");

    // The owner hears of it before any of that has come to her.
    world.later(60);
    let last = entry_of(&world, "owl", &known[1]);
    let remove = ["member", "remove", "Blue Heron", "--reason", "seized", "--trust-up-to", &last, "--no-input"];
    types(&world, "owl", &remove).exits(0).says("REMOVED Blue Heron");
    is_valid(&world, "owl", 2);
    types(&world, "owl", &["merge", "../stick-left-behind", "--no-input"]).exits(0);
    is_valid(&world, "owl", 2);
    assert_eq!(counts(&world, "owl"), (4, 2), "what was on the stick came too late");
    types(&world, "owl", &["merge", "../what-they-hand-in", "--no-input"]).exits(0);
    is_valid(&world, "owl", 2);
    assert_eq!(counts(&world, "owl"), (5, 3), "and so did what was sealed under force");

    // What lay on the stick is hers: somebody whom the owner trusts had it from her own hand.
    let adopted = left.clone().map(|id| entry_of(&world, "owl", &id));
    types(&world, "owl", &["member", "adopt", &adopted[0], &adopted[1]]).exits(0).says(&adopted[1]);
    is_valid(&world, "owl", 4);
    assert_eq!(counts(&world, "owl"), (5, 1));

    // On a new machine, from paper, with a copy that the second owner brings. Nothing is hers until she is back.
    let restore = ["identity", "restore", "--name", "Blue Heron", "--no-passphrase"];
    assert!(world.typing("abroad", &restore, &[&paper]).exits(0).out.contains(&digits), "the same digits");
    carries(&world, "owl", "crane", "stick-1").exits(0);
    let again = ["member", "add", "../heron.card", "--role", "sealer", "--fingerprint", &digits];
    types(&world, "crane", &again).exits(0).says("ADMITTED Blue Heron").says("a device was seized");
    world.copy("crane/evidence", "abroad/evidence");
    types(&world, "abroad", &["verify", "--owner", "../owl.card"]).exits(0);
    world.later(60);
    let since = seals(&world, "abroad", "fifth.txt", &["--accept-readers"]);
    is_valid(&world, "abroad", 5);
    let before = entry_of(&world, "abroad", &left[1]);
    let record = |label: &str| label.split_once(':').expect("a record and a number").0.to_string();
    assert_ne!(record(&entry_of(&world, "abroad", &since)), record(&before), "she goes on in a new record");

    // The old device goes on too, and has heard of nothing.
    seals(&world, "heron", "forced-again.txt", &[]);
    world.copy("heron/evidence", "what-they-hand-in-next");
    for to in ["owl", "crane", "kite", "abroad"] {
        carries(&world, "abroad", to, &format!("stick-2-{to}"));
        types(&world, to, &["merge", "../what-they-hand-in-next", "--no-input"]).exits(0);
    }
    ends_well(&world, &[&known[..], &left[..], &[since]].concat());
}

/// Every copy is valid with her evidence, and all tell one story, in which all of it stands.
fn ends_well(world: &World, hers: &[String]) {
    let told = story(world, "owl");
    for who in ["owl", "crane", "kite", "abroad"] {
        let found = is_valid(world, who, 5);
        assert!(found["notices"].to_string().contains("came after"), "{who} hears of what came too late: {found:#}");
        assert_eq!(counts(world, who), (7, 2), "{who}");
        assert_eq!(story(world, who), told, "{who} tells another story");
    }
    let all = told.as_array().expect("entries");
    let events = |event: &str| all.iter().filter(|entry| entry["event"] == event).count();
    assert_eq!((events("remove"), events("adopt"), events("admit")), (1, 1, 2));
    types(world, "kite", &["custody", "log"]).exits(0).says("seized").says("LATE");
    let names = ["first.txt", "second.txt", "third.txt", "fourth.txt", "fifth.txt"];
    for (id, name) in hers.iter().zip(names) {
        types(world, "crane", &["open", id, "-o", "opened"]).exits(0);
        assert_eq!(world.read(&format!("crane/opened/{id}/content/{name}")), name.as_bytes(), "{id}");
    }
}
