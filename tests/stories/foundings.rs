//! The two ways in which a vault begins, told whole: people in different countries, folders carried by hand.

use crate::commands::harness::World;
use crate::commands::member::{admit, exchange, listed, member, open, seal, verify};

/// A reader abroad founds the vault; the lawyer in the country seals into it and can open nothing.
#[test]
fn founded_abroad_by_a_reader() {
    let world = World::new();
    for (who, name) in [("reader", "Grey Owl"), ("lawyer", "Blue Heron"), ("second", "Tern"), ("monitor", "Red Kite")] {
        world.join(who, name);
    }
    let init = ["init", "evidence", "--sealer", "../lawyer.card", "--handle", "A1"];
    let digits = world.run("reader", &init).exits(0).says("Blue Heron may seal, as you may").out.trim().to_string();
    world.hand("reader", "lawyer");
    let vault = ["--vault", "evidence", "--vault-id", &digits];
    world.write("lawyer/t.txt", b"I was there.\n");
    let first = ["seal", "t.txt", "--kind", "testimony", "--title", "First"];
    let sealed = world.run("lawyer", &[&first[..], &vault[..]].concat()).exits(0).says("Grey Owl can open it.");
    let id = sealed.out.trim().trim_start_matches("SEALED ").to_string();
    world.run("lawyer", &["open", &id, "-o", "out", "--vault", "evidence"]).exits(12);
    // The lawyer brings a monitor she knows; the founder, who knows her too, agrees later.
    let kite = world.card_digits("monitor");
    let monitor = ["member", "add", "../monitor.card", "--role", "monitor", "--fingerprint", &kite];
    world.run("lawyer", &[&monitor[..], &vault[..]].concat()).exits(0).says("unconfirmed");
    world.hand("lawyer", "monitor");
    world.run("monitor", &["verify", "evidence", "--vault-id", &digits]).exits(0).says("unconfirmed until an owner");
    exchange(&world, "lawyer", "reader");
    world.run("reader", &[&monitor[..], &vault[..]].concat()).exits(0).says("ADMITTED Red Kite as monitor");
    // A second reader: whoever founded the vault holds its keys and hands them over at once.
    let tern = world.card_digits("second");
    let second = ["member", "add", "../second.card", "--role", "reader", "--role", "owner", "--fingerprint", &tern];
    let added = world.run("reader", &[&second[..], &vault[..]].concat()).exits(0);
    added.says("Handed the key to the section main to Tern.").never_says("awaits");
    world.hand("reader", "second");
    world.run("second", &["open", &id, "-o", "out", "--vault", "evidence", "--vault-id", &digits]).exits(0);
    assert_eq!(world.read(&format!("second/out/{id}/content/t.txt")), b"I was there.\n");
    world.run("second", &["doctor", "--vault", "evidence"]).exits(0).never_says("only one owner");
    exchange(&world, "reader", "second");
    for who in ["reader", "second"] {
        world.run(who, &["verify", "evidence"]).exits(0).never_says("unconfirmed").never_says("awaited");
    }
}

/// The lawyer founds it for a reader abroad, cannot read what she seals, and still admits, removes and renews keys.
#[test]
fn founded_by_the_lawyer_who_cannot_read() {
    let world = World::with_testimony();
    admit(&world, "second", "Tern", &["reader"]).exits(0).says("still awaits the key to the section main");
    admit(&world, "gull", "Gull", &["sealer"]).exits(0);
    for who in ["reader", "second", "gull", "monitor"] {
        world.carry(who);
        verify(&world, who).exits(0);
    }
    seal(&world, "gull", &[]).exits(0);
    member(&world, "reader", &["grant"]).exits(0).says("GRANTED 1 key").says("to Tern");
    // Folders come back in any order; in the end all hold the same.
    for (one, other) in [("reader", "lawyer"), ("gull", "lawyer"), ("second", "lawyer"), ("monitor", "lawyer")] {
        exchange(&world, one, other);
    }
    for who in ["reader", "second", "gull", "monitor"] {
        exchange(&world, "lawyer", who);
        verify(&world, who).exits(0).says("exhibits   2").never_says("awaited");
    }
    open(&world, "second", "K7-0001", "out").exits(0);
    // The second reader is arrested. She keeps what she had; nothing new is hers, and what she signs is late.
    exchange(&world, "second", "lawyer");
    let handle = listed(&world, "lawyer", "Tern")["logs"][0]["handle"].as_str().expect("a handle").to_string();
    member(&world, "lawyer", &["remove", "Tern", "--reason", "seized", "--trust-up-to", &format!("{handle}:0")])
        .exits(0)
        .says("She keeps what she could read: 2 exhibits")
        .never_says("is trusted, up to");
    seal(&world, "lawyer", &[]).exits(0).says("Grey Owl can open it.");
    for who in ["second", "reader", "gull", "monitor"] {
        world.hand("lawyer", who);
    }
    open(&world, "second", "K7-0002", "out2").exits(12).says("was removed from this vault");
    verify(&world, "second").exits(4).says("no custody key here opens it");
    open(&world, "reader", "K7-0002", "out2").exits(0);
    for who in ["reader", "gull", "monitor"] {
        verify(&world, who).exits(0).says("exhibits   3");
    }
    member(&world, "monitor", &["list"]).exits(0).says("Tern  REMOVED").says("seized");
}
