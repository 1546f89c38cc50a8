//! `amparo member add`: cards, digits, roles.

use std::collections::BTreeSet;

use super::{add, admit, files, listed, member, open, seal, verify};
use crate::commands::harness::World;

const TERN: [&str; 5] = ["member", "add", "../tern.card", "--role", "sealer"];
const VAULT: [&str; 2] = ["--vault", "evidence"];

#[test]
fn digits_are_typed_or_given_and_compared() {
    let world = World::with_vault();
    let digits = world.join("tern", "Tern");
    let command = [&TERN[..], &VAULT[..]].concat();
    let before = files(&world, "lawyer");
    world.run("lawyer", &command).exits(2).says("--fingerprint DIGITS");
    let other = world.card_digits("reader");
    for wrong in [&other, &digits.replacen(char::is_numeric, "x", 1)] {
        let exit = if wrong == &other { 5 } else { 2 };
        world.run("lawyer", &[&command[..], &["--fingerprint", wrong]].concat()).exits(exit);
    }
    // The right digits do not excuse wrong ones beside them.
    let both = [&command[..], &["--fingerprint", &digits, "--fingerprint", &other]].concat();
    world.run("lawyer", &both).exits(5).says("these are not the digits of the card that calls itself Tern");
    world.typing("lawyer", &command, &["y", "yes", &other]).exits(5).never_says(&digits);
    assert_eq!(files(&world, "lawyer"), before, "nothing was written");
    let admitted = world.typing("lawyer", &command, &[&other, &digits.replace(' ', "-")]).exits(0);
    admitted
        .says("Digits of Tern:")
        .says("ADMITTED Tern as sealer (K7:1)")
        .says("Handed the key to the custody record to Tern.")
        .says("next: amparo member list --vault evidence");
    verify(&world, "lawyer").exits(0);
}

#[test]
fn who_is_a_member_already_is_told_and_nothing_is_written() {
    let world = World::with_vault();
    let digits = world.card_digits("monitor");
    let before = files(&world, "lawyer");
    let again = add(&world, "lawyer", "monitor", &digits, &["monitor"]).exits(0);
    again.says("Red Kite is a member in this role already").never_says("ADMITTED");
    assert_eq!(files(&world, "lawyer"), before);
    // A new role is an admission of its own; what she has already is not said again.
    let json = member(
        &world,
        "lawyer",
        &["add", "../monitor.card", "--role", "monitor", "--role", "sealer", "--fingerprint", &digits, "--json"],
    );
    let json = json.exits(0).json();
    assert_eq!(json["admitted"][0]["roles"], serde_json::json!(["sealer"]));
    assert_eq!(json["admitted"][0]["entry"], "K7:1");
    for key in ["already", "given", "awaits"] {
        assert_eq!(json[key].as_array().map(Vec::len), Some(0), "{key}");
    }
    assert_eq!(listed(&world, "lawyer", "Red Kite")["roles"], serde_json::json!(["monitor", "sealer"]));
    verify(&world, "lawyer").exits(0);
}

#[test]
fn several_cards_are_admitted_at_once_and_each_is_compared() {
    let world = World::with_vault();
    let (tern, gull) = (world.join("tern", "Tern"), world.join("gull", "Gull"));
    let cards = ["add", "../tern.card", "../gull.card", "--role", "sealer"];
    member(&world, "lawyer", &[&cards[..], &["--fingerprint", &tern]].concat()).exits(2);
    let both = [&cards[..], &["--fingerprint", &gull, "--fingerprint", &tern]].concat();
    member(&world, "lawyer", &[&both[..], &["--handle", "T1"]].concat()).exits(2).says("one card at a time");
    member(&world, "lawyer", &both).exits(0).says("Handed the key to the custody record to Gull and Tern.");
    world.carry("gull");
    verify(&world, "gull").exits(0).says("custody: signatures");
}

#[test]
fn only_an_owner_admits_and_a_sealer_brings_monitors() {
    let world = World::with_vault();
    admit(&world, "tern", "Tern", &["sealer"]).exits(0);
    let digits = world.join("kite", "Kite");
    for who in ["reader", "monitor", "tern"] {
        world.carry(who);
    }
    let before = files(&world, "monitor");
    add(&world, "monitor", "kite", &digits, &["monitor"]).exits(1).says("may not admit members");
    add(&world, "reader", "kite", &digits, &["reader"]).exits(1).says("amparo member add CARD --role owner");
    assert_eq!(files(&world, "monitor"), before);
    let card = ["add", "../kite.card", "--role", "monitor", "--role", "sealer", "--fingerprint", &digits];
    member(&world, "tern", &card).exits(1).says("may not admit anybody but monitors");
    let brought = add(&world, "tern", "kite", &digits, &["monitor"]).exits(0);
    brought.says("unconfirmed until an owner adds the same card").says("Handed the key to the custody record to Kite");
    add(&world, "tern", "kite", &digits, &["monitor"]).exits(0).says("already");
    verify(&world, "tern").exits(0).says("unconfirmed until an owner agrees");
    assert_eq!(listed(&world, "tern", "Kite")["unconfirmed"], serde_json::json!(["monitor"]));
    member(&world, "tern", &["list"]).exits(0).says("UNCONFIRMED");
    // An owner confirms by adding the same, or by adopting the entry that admitted.
    world.hand("tern", "lawyer");
    world.hand("tern", "kite");
    verify(&world, "kite").exits(0);
    let entry = listed(&world, "lawyer", "Kite")["since"][0]["entry"].as_str().expect("a label").to_string();
    world.hand("tern", "reader");
    member(&world, "reader", &["adopt", &entry]).exits(1).says("may not adopt entries");
    member(&world, "lawyer", &["adopt", &entry]).exits(0).says(&format!("ADOPTED {entry}"));
    assert_eq!(listed(&world, "lawyer", "Kite")["unconfirmed"], serde_json::json!([]));
    member(&world, "lawyer", &["adopt", &entry]).exits(0).says("counts already");
    verify(&world, "lawyer").exits(0).never_says("unconfirmed");
    let second = World::with_vault();
    admit(&second, "tern", "Tern", &["sealer"]).exits(0);
    second.carry("tern");
    let digits = second.join("kite", "Kite");
    add(&second, "tern", "kite", &digits, &["monitor"]).exits(0);
    second.hand("tern", "lawyer");
    add(&second, "lawyer", "kite", &digits, &["monitor"]).exits(0).says("ADMITTED Kite as monitor");
    assert_eq!(listed(&second, "lawyer", "Kite")["unconfirmed"], serde_json::json!([]));
}

#[test]
fn a_hostile_card_is_refused_and_a_namesake_is_told() {
    let world = World::with_vault();
    let digits = world.join("tern", "Tern");
    let card = String::from_utf8(world.read("tern.card")).expect("text");
    world.write("bad.card", card.replace("name Tern", "name Turn").as_bytes());
    let before = files(&world, "lawyer");
    add(&world, "lawyer", "bad", &digits, &["sealer"]).exits(3).says("is no card that holds");
    let double = world.join("double", "red kite");
    let warned = add(&world, "lawyer", "double", &world.card_digits("monitor"), &["monitor"]).exits(5);
    warned.says("another one here goes by the name red kite too, with the digits").never_says(&double);
    assert_eq!(files(&world, "lawyer"), before);
    add(&world, "lawyer", "double", &double, &["monitor"]).exits(0).says(&world.card_digits("monitor"));
    assert_eq!(member(&world, "lawyer", &["list", "--json"]).json()["members"].as_array().map(Vec::len), Some(4));
}

#[test]
fn sections_and_handles_are_checked_before_anybody_types_digits() {
    let world = World::with_vault();
    world.join("tern", "Tern");
    let add = |more: &[&str]| {
        let command = [&["member", "add", "../tern.card"], more, &VAULT[..]].concat();
        world.typing("lawyer", &command, &[])
    };
    add(&["--role", "reader", "--section", "photos"]).exits(1).says("no section").never_says("Digits of");
    add(&["--role", "reader", "--section", "Photos"]).exits(2);
    add(&["--role", "sealer", "--section", "main"]).exits(2).says("--section is for readers");
    add(&["--role", "boss"]).exits(2).says("possible values");
    add(&["--role", "sealer", "--handle", "K7"]).exits(2).says("somebody else's").never_says("Digits of");
    add(&[]).exits(2).says("--role");
    let digits = world.card_digits("tern");
    let handle = ["add", "../tern.card", "--role", "sealer", "--handle", "T9", "--fingerprint", &digits];
    member(&world, "lawyer", &handle).exits(0);
    world.carry("tern");
    assert_eq!(seal(&world, "tern", &[]).exits(0).out, "SEALED T9-0001\n");
    member(&world, "lawyer", &["add", "../monitor.card", "--role", "sealer", "--handle", "T9"]).exits(2);
}

#[test]
fn a_reader_admitted_by_who_cannot_read_awaits_the_key_from_who_can() {
    let world = World::with_testimony();
    let admitted = admit(&world, "tern", "Tern", &["reader"]).exits(0);
    admitted
        .says("ADMITTED Tern as reader of main")
        .says("Tern still awaits the key to the section main, from Grey Owl: by amparo member grant on that device");
    verify(&world, "lawyer").exits(0).says("keys awaited by Tern: main (epoch 0); to be given by Grey Owl");
    world.run("lawyer", &["doctor", "--vault", "evidence"]).exits(0).says("keys awaited by Tern");
    let before = files(&world, "lawyer");
    member(&world, "lawyer", &["grant"]).exits(0).says("nobody awaits a key that you hold").says("Tern still awaits");
    assert_eq!(files(&world, "lawyer"), before);
    world.carry("tern");
    open(&world, "tern", "K7-0001", "out")
        .exits(12)
        .says("this identity is one of them and was not handed the key yet; Grey Owl could hand it on")
        .says("by amparo member grant on that device");
    world
        .run("tern", &["show", "K7-0001", "--vault", "evidence"])
        .exits(0)
        .says("was not handed the key yet; Grey Owl could hand it on");
    world.carry("reader");
    let json = member(&world, "reader", &["grant", "--json"]).exits(0).json();
    assert_eq!((&json["given"][0]["scope"], json["given"].as_array().map(Vec::len)), (&"main".into(), Some(1)));
    assert_eq!(json["awaits"].as_array().map(Vec::len), Some(0));
    member(&world, "reader", &["grant"]).exits(0).says("nobody awaits a key");
    // Four files for one wrap: their number does not tell how many people there are.
    let wrapped = |who: &str| files(&world, who).iter().filter(|name| name.contains("/keys/")).count();
    assert_eq!(wrapped("reader") - wrapped("lawyer"), 4);
    world.hand("reader", "tern");
    open(&world, "tern", "K7-0001", "out").exits(0);
    // Where her key file does not come along, that is what she is told.
    let keys_of = |who: &str| -> BTreeSet<String> {
        let below = |path: String| path.split_once("/evidence/").map(|(_, below)| below.to_string());
        files(&world, who).into_iter().filter_map(below).filter(|name| name.starts_with("keys/")).collect()
    };
    let without = world.path("without");
    std::process::Command::new("cp").arg("-r").arg(world.path("tern/evidence")).arg(&without).status().expect("cp");
    for name in &keys_of("tern") - &keys_of("lawyer") {
        std::fs::remove_file(without.join(name)).expect("removed");
    }
    world
        .run("tern", &["open", "K7-0001", "--vault", "../without", "-o", "none"])
        .exits(12)
        .says("the key file of this identity is missing or damaged in this copy");
    assert_eq!(world.read("tern/out/K7-0001/content/t.txt"), b"I was there.\n");
    verify(&world, "tern").exits(0).never_says("awaited");
    let digits = world.card_digits("tern");
    let register = ["add", "../tern.card", "--role", "reader", "--section", "register", "--fingerprint", &digits];
    world.hand("reader", "lawyer");
    member(&world, "lawyer", &register).exits(0).says("the key to the section register, from Grey Owl");
    let list = listed(&world, "lawyer", "Tern");
    assert_eq!(list["awaits"][0]["scope"], "register");
    assert_eq!(list["awaits"][0]["from"], serde_json::json!(["Grey Owl"]));
    for key in ["member", "name", "fingerprint", "roles", "unconfirmed", "removed", "awaits", "logs", "since"] {
        assert!(list.get(key).is_some(), "{key}");
    }
    assert_eq!(list["fingerprint"], digits.as_str());
    member(&world, "lawyer", &["list"])
        .exits(0)
        .says("AWAITS   the key to the section register, from Grey Owl")
        .never_says("next: amparo member grant");
    world.hand("lawyer", "reader");
    member(&world, "reader", &["list"]).exits(0).says("next: amparo member grant --vault evidence");
}
