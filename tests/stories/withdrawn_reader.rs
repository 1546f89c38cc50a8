//! *The withdrawn reader*: a reader leaves. What was sealed before she could read, she still can; what is sealed since
//! she cannot; what a sealer who had not heard of it sealed meanwhile is valid, and is shown as readable by her.

use super::{carries, joins, seals, story, types, verdict};
use crate::commands::harness::World;

/// A lawyer who owns and seals, a second sealer, two readers, a monitor; each with a copy.
fn founded() -> World {
    let world = World::new();
    let people = [
        ("heron", "Blue Heron"),
        ("tern", "Grey Tern"),
        ("owl", "Grey Owl"),
        ("crane", "White Crane"),
        ("kite", "Red Kite"),
    ];
    for (who, pseudonym) in people {
        joins(&world, who, pseudonym);
    }
    let init = [
        "init",
        "evidence",
        "--handle",
        "K7",
        "--reader",
        "../owl.card",
        "--reader",
        "../crane.card",
        "--monitor",
        "../kite.card",
        "--sealer",
        "../tern.card",
    ];
    world.run("heron", &init).exits(0);
    for (who, _) in &people[1..] {
        world.copy("heron/evidence", &format!("{who}/evidence"));
        types(&world, who, &["verify", "--owner", "../heron.card"]).exits(0);
    }
    world
}

#[test]
fn she_reads_what_was_sealed_before_and_nothing_since() {
    let world = founded();
    let before = seals(&world, "heron", "before.txt", &[]);
    carries(&world, "heron", "owl", "stick-1").exits(0);
    types(&world, "owl", &["open", &before, "-o", "opened"]).exits(0);
    carries(&world, "owl", "heron", "stick-2").exits(0);

    world.later(60);
    types(&world, "heron", &["member", "remove", "Grey Owl", "--reason", "left", "--no-input"])
        .exits(0)
        .says("Grey Owl");
    let since = seals(&world, "heron", "since.txt", &["--accept-readers"]);
    // Another sealer has not heard of it, and seals to the key that she knows.
    world.later(60);
    let unaware = seals(&world, "tern", "unaware.txt", &[]);

    for (from, to) in [("tern", "heron"), ("heron", "tern"), ("heron", "crane"), ("heron", "kite"), ("heron", "owl")] {
        carries(&world, from, to, &format!("stick-{from}-{to}")).exits(0);
    }
    for who in ["heron", "tern", "crane", "kite"] {
        let found = verdict(&world, who);
        assert_eq!(found["verdict"], "valid", "{who}: {found:#}");
        let notices = found["notices"].to_string();
        assert!(notices.contains("readable by those removed since"), "{who}: {notices}");
    }
    for id in [&before, &since, &unaware] {
        types(&world, "crane", &["open", id, "-o", &format!("opened-{id}")]).exits(0);
    }
    types(&world, "owl", &["open", &before, "-o", "again"]).exits(0);
    types(&world, "owl", &["open", &unaware, "-o", "unaware"]).exits(0);
    types(&world, "owl", &["open", &since, "-o", "since"]).exits(12).says("Grey Owl was removed");
    assert!(!world.path("owl/since").join(&since).exists(), "nothing of it came out");
}

#[test]
fn what_she_says_after_she_left_is_kept_as_late_and_accuses_nobody() {
    let world = founded();
    let before = seals(&world, "heron", "before.txt", &[]);
    carries(&world, "heron", "owl", "stick-1").exits(0);
    types(&world, "owl", &["open", &before, "-o", "opened"]).exits(0);
    carries(&world, "owl", "heron", "stick-2").exits(0);
    types(&world, "heron", &["member", "remove", "Grey Owl", "--reason", "left", "--no-input"]).exits(0);
    types(&world, "owl", &["custody", "note", "Said without having heard of it."]).exits(0);
    for (from, to) in [("owl", "heron"), ("heron", "kite"), ("heron", "owl")] {
        carries(&world, from, to, &format!("stick-{from}-{to}")).exits(0);
    }
    for who in ["heron", "kite"] {
        assert_eq!(verdict(&world, who)["verdict"], "valid", "{who}");
        let told = story(&world, who);
        let note = told.as_array().expect("entries").iter().find(|entry| entry["event"] == "note").expect("the note");
        assert_eq!(note["late"], true, "{who}: {note:#}");
    }
}
