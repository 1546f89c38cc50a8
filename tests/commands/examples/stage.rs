//! The stages on which examples are typed: people, each with a home of her own, and what lies in it. Only what an
//! example names is made here; what an example itself makes is not there yet.

use std::fs;

use crate::commands::harness::World;

/// Files that examples name, with something of their kind in each.
const FILES: [(&str, &[u8]); 8] = [
    ("statement.pdf", b"%PDF-1.4\n"),
    ("testimony.pdf", b"%PDF-1.4\n"),
    ("photos/one.jpg", include_bytes!("../../evidence/photo.jpg")),
    ("case-7/a.txt", b"a\n"),
    ("my-files/b.txt", b"b\n"),
    ("case-7.toml", b"[identity]\ntitle = \"Case 7\"\n"),
    ("page.html", b"<p>a page</p>\n"),
    ("passphrase.txt", b"some words that nobody guesses\n"),
];

const FRIENDS: [(&str, &str, &str); 6] = [
    ("owl", "Grey Owl", "grey-owl"),
    ("tern", "Tern", "tern"),
    ("plover", "Plover", "plover"),
    ("kite", "Red Kite", "red-kite"),
    ("gull", "Gull", "gull"),
    ("sparrow", "Sparrow", "sparrow"),
];

/// Her friends have given Blue Heron their cards; on paper she has the words of an identity from an older device.
pub(super) fn on_a_new_device() -> World {
    let world = World::new();
    for (name, bytes) in FILES {
        world.write(&format!("ann/{name}"), bytes);
    }
    for (who, name, card) in FRIENDS {
        world.run(who, &["identity", "new", "--name", name, "--no-passphrase"]).exits(0);
        gives_card(&world, who, "ann", card);
    }
    world.run("old", &["identity", "new", "--name", "Blue Heron", "--no-passphrase"]).exits(0);
    world.run("old", &["identity", "backup", "-o", "../ann/words.txt"]).exits(0);
    leaves(&world, "old");
    world
}

/// Somebody gives somebody else her card, and its digits by another road.
fn gives_card(world: &World, who: &str, to: &str, card: &str) {
    world.home(to);
    world.run(who, &["identity", "card", "-o", &format!("../{to}/{card}.card")]).exits(0);
    world.write(&format!("{to}/{card}.digits"), world.card_digits(who).as_bytes());
}

pub(super) fn with_an_identity() -> World {
    let world = on_a_new_device();
    world.run("ann", &["identity", "new", "--name", "Blue Heron", "--no-passphrase"]).exits(0);
    world
}

/// What no example needs is not copied for each of them.
fn leaves(world: &World, who: &str) {
    fs::remove_dir_all(world.home(who)).expect("it was there");
}

/// Blue Heron founds a vault and puts two exhibits into it.
fn founds(world: &World, init: &[&str]) {
    for who in ["ann", "owl"] {
        gives_card(world, "ann", who, "blue-heron");
    }
    let made = world.run("ann", &[&["init", "evidence", "--handle", "K7"], init].concat()).exits(0);
    world.write("ann/evidence.digits", made.out.trim().as_bytes());
    for file in ["statement.pdf", "testimony.pdf"] {
        world.run("ann", &["seal", file, "--kind", "testimony", "--vault", "evidence"]).exits(0);
    }
}

/// Somebody gets a copy of the vault, and compares the founder's card.
fn gets_copy(world: &World, who: &str) {
    world.copy("ann/evidence", &format!("{who}/evidence"));
    world.run(who, &["verify", "evidence", "--owner", "../ann/blue-heron.card"]).exits(0);
}

/// On her own copy of the vault.
fn at(world: &World, who: &str, args: &[&str]) {
    world.run(who, &[args, &["--vault", "evidence"]].concat()).exits(0);
}

/// Two readers and a monitor; an offer to Grey Owl is `K7:3`; a stick came back from her, and a letter from Red Kite.
pub(super) fn in_a_case() -> World {
    let world = with_an_identity();
    let cards = ["--reader", "grey-owl.card", "--reader", "plover.card", "--monitor", "red-kite.card"];
    founds(&world, &cards);
    at(&world, "ann", &["custody", "receipt", "K7-0001", "-o", "K7-0001.receipt"]);
    at(&world, "ann", &["custody", "offer", "--to", "Grey Owl"]);
    for who in ["owl", "kite"] {
        gets_copy(&world, who);
    }
    world.copy("owl", "stick");
    world.run_on("stick", "owl", &["open", "K7-0001", "-o", "opened", "--vault", "evidence"]).exits(0);
    world.copy("kite", "kite-later");
    let cosign = ["verify", "evidence", "--cosign", "--cosignatures", "../ann/red-kite.cosignatures"];
    world.run_on("kite-later", "kite", &cosign).exits(0);
    leaves(&world, "kite-later");
    world
}

/// A pouch came to Grey Owl, who has a copy and wrote something down since, and to Plover, who has nothing yet.
pub(super) fn when_a_pouch_came() -> World {
    let world = in_a_case();
    at(&world, "ann", &["pack", "--to", "Grey Owl", "--to", "Plover", "-o", "../owl/holiday.bin", "--parity", "10%"]);
    at(&world, "owl", &["custody", "note", "the seal of the stick was whole"]);
    at(&world, "owl", &["pack", "--answers", "--to", "Blue Heron", "-o", "../ann/answer.txt"]);
    for file in ["owl/holiday.bin", "ann/evidence.digits"] {
        world.write(&format!("plover/{}", &file[4..]), &world.read(file));
    }
    world
}

/// Blue Heron, who reads nothing, has admitted Tern; Grey Owl holds the keys that Tern awaits.
pub(super) fn after_a_newcomer() -> World {
    let world = in_a_case();
    let tern = world.card_digits("tern");
    at(&world, "ann", &["member", "add", "tern.card", "--role", "reader", "--fingerprint", &tern]);
    world.copy("ann/evidence", "owl/evidence");
    world
}

/// Sparrow, who seals under S4, has said 15 things, the last two of them perhaps not herself.
pub(super) fn when_a_device_was_seized() -> World {
    let world = in_a_case();
    let sparrow = world.card_digits("sparrow");
    let add = ["member", "add", "sparrow.card", "--role", "sealer", "--handle", "S4", "--fingerprint", &sparrow];
    at(&world, "ann", &add);
    gets_copy(&world, "sparrow");
    for _ in 0..15 {
        at(&world, "sparrow", &["custody", "note", "it lies where it lay"]);
    }
    world.copy("sparrow/evidence", "ann/evidence");
    world
}

pub(super) fn after_a_removal() -> World {
    let world = when_a_device_was_seized();
    at(&world, "ann", &["member", "remove", "Sparrow", "--reason", "seized", "--trust-up-to", "S4:12"]);
    world
}

/// Two of three readers must come together; Tern has lent Grey Owl her share.
pub(super) fn where_two_must_come_together() -> World {
    let world = with_an_identity();
    let readers = ["--reader", "grey-owl.card", "--reader", "tern.card", "--reader", "plover.card", "--quorum", "2"];
    founds(&world, &readers);
    for who in ["owl", "tern"] {
        gets_copy(&world, who);
    }
    gives_card(&world, "owl", "tern", "grey-owl");
    world.copy("tern", "tern-later");
    let lend = ["identity", "lend", "--to", "Grey Owl", "-o", "../owl/from-tern.txt", "--vault", "evidence"];
    world.run_on("tern-later", "tern", &lend).exits(0);
    leaves(&world, "tern-later");
    world
}

/// The same, and a fourth reader was admitted, who awaits a share of a new key.
pub(super) fn where_one_awaits_a_share() -> World {
    let world = where_two_must_come_together();
    let gull = world.card_digits("gull");
    let sections = ["--section", "main", "--section", "register"];
    let add = ["member", "add", "gull.card", "--role", "reader", "--fingerprint", &gull];
    at(&world, "ann", &[&add[..], &sections].concat());
    world
}

/// Blue Heron's device was cloned and both went on; Red Kite has seen both, Grey Owl has her proof of it.
pub(super) fn after_two_histories() -> World {
    let world = in_a_case();
    world.copy("ann", "clone");
    for (home, note) in [("ann", "on the laptop"), ("clone", "on the clone")] {
        world.run_on(home, "ann", &["custody", "note", note, "--vault", "evidence"]).exits(0);
    }
    at(&world, "kite", &["merge", "../ann/evidence"]);
    world.run("kite", &["merge", "../clone/evidence", "--vault", "evidence"]).exits(3);
    world.run("kite", &["verify", "evidence", "--fork-proof", "../owl/contradiction.txt"]).exits(3);
    world
}

/// A courier carries two copies and no key; Grey Owl, a reader, travels with hers.
pub(super) fn at_a_border() -> World {
    let world = in_a_case();
    world.copy("ann/evidence", "courier/evidence");
    world.copy("ann/evidence", "media/stick/evidence");
    world.write("courier/Documents/letter.txt", b"Dear friend\n");
    world
}
