//! *The honest year*: three sealers, two readers, two monitors; forty exchanges by hand in random order, offline, merges
//! in every direction. Every copy ends with the same verdict and the same custody story.

use super::{Dice, carries, joins, story, types, verdict};
use crate::commands::harness::World;

const SEALERS: [(&str, &str); 3] = [("heron", "Blue Heron"), ("tern", "Grey Tern"), ("wren", "Small Wren")];
const READERS: [(&str, &str); 2] = [("owl", "Grey Owl"), ("crane", "White Crane")];
const MONITORS: [(&str, &str); 2] = [("kite", "Red Kite"), ("merlin", "Swift Merlin")];
const EXCHANGES: usize = 40;
const SEED: u64 = 0x2026_1120;

/// Everybody, sealers first.
fn everybody() -> impl Iterator<Item = &'static str> {
    SEALERS.iter().chain(&READERS).chain(&MONITORS).map(|(who, _)| *who)
}

#[test]
fn every_copy_ends_with_the_same_verdict_and_the_same_story() {
    let world = founded();
    let mut dice = Dice(SEED);
    let people: Vec<&str> = everybody().collect();
    for exchange in 0..EXCHANGES {
        let from = people[dice.below(people.len())];
        let to = loop {
            let other = people[dice.below(people.len())];
            if other != from {
                break other;
            }
        };
        world.later(60 * 24 * 9);
        acts(&world, from, exchange, &mut dice);
        carries(&world, from, to, &format!("stick-{exchange}")).exits(0);
        let found = verdict(&world, to);
        assert_eq!(found["verdict"], "valid", "seed {SEED:#x}, exchange {exchange}, {from} to {to}: {found:#}");
    }
    // At the end of the year everything comes together, and goes out again.
    for (round, (from, to)) in people[1..]
        .iter()
        .map(|who| (*who, people[0]))
        .chain(people[1..].iter().map(|who| (people[0], *who)))
        .enumerate()
    {
        carries(&world, from, to, &format!("last-{round}")).exits(0);
    }
    let (told, sealed) = (story(&world, people[0]), verdict(&world, people[0])["exhibits"].clone());
    let entries = told.as_array().expect("entries");
    assert!(entries.len() > EXCHANGES, "each exchange left an entry at least");
    // A year in which something never happened would show nothing of it.
    for event in ["seal", "open", "verify", "offer", "acknowledge"] {
        assert!(entries.iter().any(|entry| entry["event"] == event), "nobody did: {event}");
    }
    let answered = |entry: &&serde_json::Value| entry["event"] == "offer" && entry["status"] == "acknowledged";
    assert!(entries.iter().any(|entry| answered(&entry)), "no offer was acknowledged");
    for who in &people {
        let found = verdict(&world, who);
        assert_eq!((&found["verdict"], &found["exhibits"]), (&"valid".into(), &sealed), "{who}: {found:#}");
        assert_eq!(story(&world, who), told, "{who} tells another story, seed {SEED:#x}");
    }
}

/// The vault, and a copy of it with everybody, each having compared its digits.
fn founded() -> World {
    let world = World::new();
    for (who, pseudonym) in SEALERS.iter().chain(&READERS).chain(&MONITORS) {
        joins(&world, who, pseudonym);
    }
    let cards = [
        ("--sealer", "../tern.card"),
        ("--sealer", "../wren.card"),
        ("--reader", "../owl.card"),
        ("--reader", "../crane.card"),
        ("--monitor", "../kite.card"),
        ("--monitor", "../merlin.card"),
    ];
    let init: Vec<&str> = ["init", "evidence", "--handle", "K7"]
        .into_iter()
        .chain(cards.iter().flat_map(|(flag, card)| [*flag, *card]))
        .collect();
    world.run("heron", &init).exits(0);
    for who in everybody().filter(|who| *who != "heron") {
        world.copy("heron/evidence", &format!("{who}/evidence"));
        types(&world, who, &["verify", "--owner", "../heron.card"]).exits(0);
    }
    world
}

/// What somebody does before a copy leaves her hands.
fn acts(world: &World, who: &str, exchange: usize, dice: &mut Dice) {
    let others: Vec<&str> = everybody().filter(|other| *other != who).collect();
    let name = |who: &str| {
        let all = SEALERS.iter().chain(&READERS).chain(&MONITORS);
        all.clone().find(|(known, _)| *known == who).expect("one of them").1
    };
    if SEALERS.iter().any(|(sealer, _)| *sealer == who) {
        world.write(
            &format!("{who}/statement-{exchange}.txt"),
            format!("What was said on day {exchange}.\n").as_bytes(),
        );
        types(world, who, &["seal", &format!("statement-{exchange}.txt"), "--kind", "testimony"]).exits(0);
    } else if MONITORS.iter().any(|(monitor, _)| *monitor == who) {
        types(world, who, &["verify", "--cosign"]).exits(0);
    } else {
        let sealed = types(world, who, &["list", "--json"]).exits(0).json();
        let ids: Vec<&str> =
            sealed["exhibits"].as_array().expect("a list").iter().filter_map(|one| one["id"].as_str()).collect();
        if let Some(id) = ids.get(dice.below(ids.len().max(1))) {
            types(world, who, &["open", id, "-o", &format!("opened-{exchange}")]).exits(0);
        }
    }
    match dice.below(3) {
        0 => {
            let to = name(others[dice.below(others.len())]);
            types(world, who, &["custody", "offer", "--to", to, "--medium", "a stick", "--no-input"]).exits(0);
        }
        1 => {
            types(world, who, &["custody", "note", "The power failed twice."]).exits(0);
        }
        _ => {
            let told = story(world, who);
            let pending = told.as_array().expect("entries").iter().find(|entry| {
                entry["event"] == "offer" && entry["status"] == "pending" && entry["to_name"] == name(who)
            });
            if let Some(offer) = pending.and_then(|entry| entry["label"].as_str()) {
                types(world, who, &["custody", "acknowledge", offer, "--no-input"]).exits(0);
            }
        }
    }
}
