//! Members of a vault whose readers must come together: who joins gets a share of a new key, who leaves loses hers, and
//! the quorum never ends unsaid.

use super::{add, files, listed, member, verify};
use crate::commands::harness::World;

const READERS: [(&str, &str); 3] = [("owl", "Grey Owl"), ("tern", "Tern"), ("plover", "Plover")];

/// A lawyer who seals, and three readers of whom two must come together; each has a copy.
fn two_of_three() -> World {
    let world = World::new();
    for (who, name) in READERS.into_iter().chain([("lawyer", "Blue Heron")]) {
        world.join(who, name);
    }
    let mut init = vec!["init", "evidence", "--handle", "K7", "--quorum", "2"];
    for card in ["../owl.card", "../tern.card", "../plover.card"] {
        init.extend(["--reader", card]);
    }
    world.run("lawyer", &init).exits(0);
    seal(&world, "before");
    world
}

fn seal(world: &World, text: &str) -> crate::commands::harness::Outcome {
    world.write("lawyer/e.txt", text.as_bytes());
    let args = [
        "seal",
        "e.txt",
        "--kind",
        "other",
        "--title",
        "Statement",
        "--vault",
        "evidence",
        "--owner",
        "../lawyer.card",
    ];
    world.run("lawyer", &args).exits(0)
}

/// The lawyer's copy goes to both; one lends a share, the other opens with it.
fn open_together(world: &World, id: &str, epoch: &str, lender: &str, to: (&str, &str), out: &str) -> u8 {
    let (who, name) = to;
    for one in [lender, who] {
        world.carry(one);
        verify(world, one).exits(0);
    }
    let file = format!("../{lender}-{who}-{epoch}.share");
    let known = ["--vault", "evidence", "--owner", "../lawyer.card"];
    let lend = ["identity", "lend", "--to", name, "--section", "main", "--epoch", epoch, "-o", &file];
    world.run(lender, &[&lend[..], &known[..]].concat()).exits(0);
    let alone = world.run(who, &[&["open", id, "-o", "alone"], &known[..]].concat());
    assert_eq!(alone.exit, 12, "one share opens nothing: {}", alone.err);
    world.run(who, &[&["open", id, "-o", out, "--share", &file], &known[..]].concat()).exit
}

#[test]
fn a_fourth_reader_gets_her_share_of_a_new_key() {
    let world = two_of_three();
    let digits = world.join("skua", "Skua");
    add(&world, "lawyer", "skua", &digits, &["reader"])
        .exits(0)
        .says("Skua still awaits the key to the section main")
        .says("next: amparo member rotate");
    member(&world, "lawyer", &["list"])
        .exits(0)
        .says("AWAITS   the key to the section main")
        .says("amparo member rotate");
    verify(&world, "lawyer").exits(0).says("keys awaited by Skua: main (epoch 0)").says("amparo member rotate");
    world.carry("owl");
    verify(&world, "owl").exits(0);
    let before = files(&world, "owl");
    member(&world, "owl", &["rotate"]).exits(1).says("may not make new keys");
    assert_eq!(files(&world, "owl"), before);
    member(&world, "lawyer", &["rotate"])
        .exits(0)
        .says("ROTATED 1 key")
        .says("epoch 1 of the key to the section main, in shares for")
        .says("any 2 of these 4 together")
        .says("Skua will not have a share of the key to the section main")
        .never_says("register");
    // She has her share, and for the older key nothing more can be done: nobody is asked to try again.
    let awaits = listed(&world, "lawyer", "Skua")["awaits"].clone();
    assert_eq!((awaits[0]["newest"].clone(), awaits.as_array().map(Vec::len)), (false.into(), Some(1)), "{awaits}");
    member(&world, "lawyer", &["rotate"]).exits(2).says("nobody awaits a share").says("--section main");
    seal(&world, "after").says("Any 2 of ").says("Skua");
    assert_eq!(open_together(&world, "K7-0002", "1", "tern", ("skua", "Skua"), "opened"), 0);
    assert_eq!(world.read("skua/opened/K7-0002/content/e.txt"), b"after");
    assert_eq!(open_together(&world, "K7-0001", "0", "tern", ("owl", "Grey Owl"), "older"), 0);
    assert_eq!(world.read("owl/older/K7-0001/content/e.txt"), b"before");
}

#[test]
fn named_sections_get_a_new_key_whoever_awaits_one() {
    let world = two_of_three();
    let json = member(&world, "lawyer", &["rotate", "--section", "register", "--json"]).exits(0).json();
    assert_eq!(json["renewed"][0]["scope"], "register");
    assert_eq!((&json["renewed"][0]["needed"], &json["renewed"][0]["needed_before"]), (&2.into(), &2.into()));
    let before = files(&world, "lawyer");
    member(&world, "lawyer", &["rotate", "--section", "nowhere"]).exits(1).says("no section \"nowhere\"");
    assert_eq!(files(&world, "lawyer"), before);
}

#[test]
fn a_removal_hands_new_shares_to_those_who_stay_and_tells_when_the_quorum_shrinks() {
    let world = two_of_three();
    let removed = member(&world, "lawyer", &["remove", "Plover", "--reason", "left"]).exits(0);
    removed
        .says("REMOVED Plover")
        .says("epoch 1 of the key to the section main, in shares for Grey Owl and Tern: any 2 of these 2")
        .says("epoch 1 of the key to the section register, in shares for")
        .says("all 2 readers left must come together")
        .never_says("still to be made");
    verify(&world, "lawyer").exits(0).never_says("still holding the newest key");
    seal(&world, "after");
    assert_eq!(open_together(&world, "K7-0002", "1", "tern", ("owl", "Grey Owl"), "opened"), 0);
    assert_eq!(world.read("owl/opened/K7-0002/content/e.txt"), b"after");
    // From two to one: said in words, never silently.
    member(&world, "lawyer", &["remove", "Tern", "--reason", "left"])
        .exits(0)
        .says("2 readers had to come together in the section main, and one is left: that one opens alone")
        .says("New: epoch 2 of the key to the section main, for Grey Owl.");
    member(&world, "lawyer", &["remove", "Grey Owl", "--reason", "left"]).exits(1).says("the only reader");
}

#[test]
fn a_quorum_of_three_becomes_one_of_two_and_says_so() {
    let world = World::new();
    for (who, name) in READERS.into_iter().chain([("lawyer", "Blue Heron")]) {
        world.join(who, name);
    }
    let mut init = vec!["init", "evidence", "--handle", "K7", "--quorum", "3"];
    for card in ["../owl.card", "../tern.card", "../plover.card"] {
        init.extend(["--reader", card]);
    }
    world.run("lawyer", &init).exits(0);
    member(&world, "lawyer", &["remove", "Plover", "--reason", "seized"])
        .exits(0)
        .says("3 readers had to come together in the section main; only 2 are left, and from now on these 2 are enough")
        .says("any 2 of these 2");
}

#[test]
fn more_than_sixteen_readers_cannot_have_shares() {
    let world = two_of_three();
    let mut args = vec!["add".to_string()];
    for number in 0..14 {
        let (who, name) = (format!("reader{number}"), format!("Reader {number}"));
        let digits = world.join(&who, &name);
        args.extend([format!("../{who}.card"), "--fingerprint".into(), digits]);
    }
    args.extend(["--role".to_string(), "reader".into()]);
    let all: Vec<&str> = args.iter().map(String::as_str).collect();
    let before = files(&world, "lawyer");
    member(&world, "lawyer", &all).exits(1).says("at most 16: 17 readers are too many");
    assert_eq!(files(&world, "lawyer"), before);
    let sixteen = [&all[..1], &all[4..]].concat();
    member(&world, "lawyer", &sixteen).exits(0);
    member(&world, "lawyer", &["rotate"]).exits(0).says("any 2 of these 16");
}
