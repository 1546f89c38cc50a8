//! `amparo member remove` and `adopt`: who may, how far a removed member counts, and what becomes of the rest.

use super::{add, admit, exchange, files, listed, member, open, seal, verify};
use crate::commands::harness::World;

/// The lawyer's vault with Tern, who seals, and her copy of it.
fn with_tern(roles: &[&str]) -> World {
    let world = World::with_testimony();
    admit(&world, "tern", "Tern", roles).exits(0);
    world.carry("tern");
    verify(&world, "tern").exits(0);
    world
}

#[test]
fn what_a_removed_member_seals_afterwards_is_late_until_an_owner_adopts_it() {
    let world = with_tern(&["sealer"]);
    let first = seal(&world, "tern", &[]).exits(0).out;
    let handle = first.trim().trim_start_matches("SEALED ").trim_end_matches("-0001").to_string();
    exchange(&world, "tern", "lawyer");
    let removed = member(&world, "lawyer", &["remove", "Tern", "--reason", "left"]).exits(0);
    removed
        .says("REMOVED Tern")
        .says(&format!("Of the events in her record {handle}, 1 of 1 count, up to {handle}:0"))
        .says("New: epoch 1 of the key to the custody record, for")
        .says("She keeps the custody record as far as she has it")
        .never_says("epoch 1 of the key to the section main")
        .never_says("is trusted");
    verify(&world, "lawyer").exits(0).says("exhibits   2");
    // She does not know, or does not care: her copy takes it, everybody else's calls it late.
    seal(&world, "tern", &[]).exits(0);
    let id = format!("{handle}-0002");
    let receipt = ["custody", "receipt", &id, "--vault", "evidence", "--json"];
    let receipt = world.run("tern", &receipt).exits(0).json();
    world.write("whole.txt", receipt["receipt"].as_str().expect("a text").as_bytes());
    world.write("short.txt", receipt["short"].as_str().expect("a line").as_bytes());
    exchange(&world, "tern", "lawyer");
    // Whoever was given a receipt of it is told so, by either form; and whoever asks for its story.
    let vault = ["--vault", "evidence"];
    for form in ["../whole.txt", "../short.txt"] {
        let told = world.run("lawyer", &["verify", "evidence", "--receipt", form]).exits(4);
        told.says("its sealing is told here and does not count: it came after the record was cut");
    }
    let story = [&["custody", "log", &id][..], &vault].concat();
    world.run("lawyer", &story).exits(0).says("seal, LATE").says("late: behind the state up to which");
    let json = world.run("lawyer", &[&story[..], &["--json"]].concat()).exits(0).json();
    assert_eq!((&json["id"], &json["entries"][0]["late"]), (&id.as_str().into(), &true.into()));
    let none = ["custody", "log", &format!("{handle}-0009")];
    world.run("lawyer", &[&none[..], &vault].concat()).exits(1).says("there is no exhibit");
    verify(&world, "lawyer").exits(0).says("1 entries of Tern came after").says("exhibits   2");
    let list = listed(&world, "lawyer", "Tern");
    assert_eq!((&list["logs"][0]["late"], &list["removed"]["reason"]), (&1.into(), &"left".into()));
    assert_eq!(list["removed"]["entry"], "K7:4");
    member(&world, "lawyer", &["list"]).exits(0).says("Tern  REMOVED").says("1 LATE");
    // Her own device learns of it from the copy that came back.
    seal(&world, "tern", &[]).exits(1).says("may not seal");
    let late = format!("{handle}:1");
    member(&world, "lawyer", &["adopt", &late]).exits(0).says(&format!("ADOPTED {late}"));
    verify(&world, "lawyer").exits(0).says("exhibits   3").never_says("came after");
    for form in ["../whole.txt", "../short.txt"] {
        world.run("lawyer", &["verify", "evidence", "--receipt", form]).exits(0);
    }
    let adopting = world.run("lawyer", &[&["custody", "log"][..], &vault].concat()).exits(0);
    adopting.says(&format!("entries: {late}"));
    world.run("lawyer", &story).exits(0).says("adopted in: K7:").never_says("LATE");
    member(&world, "lawyer", &["adopt", &late]).exits(0).says("counts already");
    member(&world, "lawyer", &["adopt", "Z9:1"]).exits(1).says("there is no entry");
}

#[test]
fn a_seized_device_is_trusted_up_to_an_entry() {
    let world = with_tern(&["sealer"]);
    for _ in 0..4 {
        seal(&world, "tern", &[]).exits(0);
    }
    world.hand("tern", "lawyer");
    let handle = listed(&world, "lawyer", "Tern")["logs"][0]["handle"].as_str().expect("a handle").to_string();
    let remove = |more: &[&str]| member(&world, "lawyer", &[&["remove", "tern", "--reason", "seized"], more].concat());
    let at = |seq: u64| format!("{handle}:{seq}");
    let before = files(&world, "lawyer");
    remove(&["--trust-up-to", "K7:1"]).exits(2).says("stands in no custody record of Tern");
    remove(&["--trust-up-to", &at(1), "--trust-up-to", &at(2)]).exits(2).says("another entry of the same");
    remove(&["--trust-up-to", &at(9)]).exits(1).says("there is no entry");
    assert_eq!(files(&world, "lawyer"), before);
    remove(&[])
        .exits(0)
        .says(&format!("all that this copy has of Tern's record {handle} is trusted, up to {}", at(3)))
        .says("2026-11-20T14:30:00+02:00")
        .says("--trust-up-to");
    verify(&world, "lawyer").exits(0).says("exhibits   5");
    let json = remove(&["--trust-up-to", &at(1), "--json"]).exits(0).json();
    assert_eq!((&json["now"], &json["logs"][0]["counted"]), (&true.into(), &2.into()));
    assert_eq!((&json["logs"][0]["trusted_up_to"], json["renewed"].as_array().map(Vec::len)), (&at(1).into(), Some(0)));
    verify(&world, "lawyer").exits(0).says("exhibits   3").says("2 entries of Tern came after");
    remove(&["--trust-up-to", &at(3)]).exits(1).says("an earlier removal lets less count").says("amparo member adopt");
    let before = files(&world, "lawyer");
    remove(&[]).exits(0).says("was removed before; nothing is left to do");
    remove(&["--trust-up-to", &at(1)]).exits(0).says("nothing is left to do");
    assert_eq!(files(&world, "lawyer"), before);
}

#[test]
fn who_may_not_be_removed_is_refused_before_anything_is_written() {
    let world = with_tern(&["sealer", "owner"]);
    let kea = world.join("kea", "Kea");
    add(&world, "lawyer", "kea", &kea, &["owner"]).exits(0);
    let skua = world.join("skua", "Skua");
    world.hand("lawyer", "tern");
    add(&world, "tern", "skua", &skua, &["owner"]).exits(0);
    exchange(&world, "tern", "lawyer");
    for who in ["kea", "skua", "monitor"] {
        world.carry(who);
    }
    let refused = |by: &str, whom: &str, why: &str| {
        let before = files(&world, by);
        member(&world, by, &["remove", whom, "--reason", "left"]).exits(1).says(why);
        assert_eq!(files(&world, by), before, "{by} removes {whom}");
    };
    refused("monitor", "Tern", "may not remove members");
    refused("tern", "Blue Heron", "nobody removes whoever founded a vault");
    refused("lawyer", "Blue Heron", "nobody removes whoever founded a vault");
    refused("tern", "Tern", "nobody removes herself");
    refused("tern", "Kea", "only by one nearer the founder");
    refused("kea", "Tern", "only by one nearer the founder");
    refused("skua", "Tern", "only by one nearer the founder");
    refused("lawyer", "Grey Owl", "the only reader of the section \"main\"");
    refused("lawyer", "Nobody", "nobody in this vault is called Nobody");
    member(&world, "lawyer", &["remove", "Tern"]).exits(2).says("--reason");
    // An owner farther away goes, and who is nearer can be removed by the founder alone.
    member(&world, "kea", &["remove", "Skua", "--reason", "left"]).exits(0).says("REMOVED Skua");
    exchange(&world, "kea", "lawyer");
    member(&world, "lawyer", &["remove", "Kea", "--reason", "left"]).exits(0);
    verify(&world, "lawyer").exits(0);
    // What she said before she left counts: Skua stays removed.
    assert!(listed(&world, "lawyer", "Skua")["removed"].is_object());
}

#[test]
fn whoever_is_admitted_again_counts_again_in_the_roles_given_since() {
    let world = with_tern(&["sealer", "reader"]);
    seal(&world, "tern", &[]).exits(0);
    exchange(&world, "tern", "lawyer");
    member(&world, "lawyer", &["remove", "Tern", "--reason", "left"]).exits(0);
    seal(&world, "tern", &[]).exits(0);
    let digits = world.card_digits("tern");
    add(&world, "lawyer", "tern", &digits, &["sealer"])
        .exits(0)
        .says("Handed epoch 1 of the key to the custody record");
    exchange(&world, "tern", "lawyer");
    let list = listed(&world, "lawyer", "Tern");
    assert_eq!((&list["roles"], &list["removed"]), (&serde_json::json!(["sealer"]), &serde_json::Value::Null));
    seal(&world, "tern", &["--accept-readers"]).exits(0);
    exchange(&world, "tern", "lawyer");
    verify(&world, "lawyer").exits(0).says("exhibits   3").says("1 entries of Tern came after");
    // And removed again: both cuts stand, what lay between stays late.
    member(&world, "lawyer", &["remove", "Tern", "--reason", "left"]).exits(0).says("2 of 3 count");
    verify(&world, "lawyer").exits(0).says("exhibits   3");
    member(&world, "lawyer", &["remove", "Tern", "--reason", "left"]).exits(0).says("nothing is left to do");
}

#[test]
fn the_last_reader_goes_once_there_is_another() {
    let world = World::with_testimony();
    let refused = member(&world, "lawyer", &["remove", "Grey Owl", "--reason", "seized"]).exits(1);
    refused.says("hint: amparo member add CARD --role reader --section main");
    admit(&world, "tern", "Tern", &["reader"]).exits(0);
    let digits = world.card_digits("tern");
    let register = ["add", "../tern.card", "--role", "reader", "--section", "register", "--fingerprint", &digits];
    member(&world, "lawyer", &["remove", "Grey Owl", "--reason", "seized"]).exits(1).says("register");
    member(&world, "lawyer", &register).exits(0);
    member(&world, "lawyer", &["remove", "Grey Owl", "--reason", "seized"])
        .exits(0)
        .says("New: epoch 1 of the key to the section main, for Tern.")
        .says("She keeps what she could read: 1 exhibit sealed to keys that she holds")
        .says("only Tern can open the section main now")
        .says("you are the only owner now");
    // Nobody is left to hand on the old key: that is said wherever it matters.
    verify(&world, "lawyer")
        .exits(0)
        .says("keys awaited by Tern: main (epoch 0), register (epoch 0); nobody who holds");
    seal(&world, "lawyer", &[]).exits(0).says("Tern can open it.");
    world.carry("tern");
    open(&world, "tern", "K7-0002", "out").exits(0);
    open(&world, "tern", "K7-0001", "out1").exits(12);
    world.carry("reader");
    // She cannot even read the custody record of it.
    open(&world, "reader", "K7-0002", "out").exits(12).says("was removed from this vault");
}

#[test]
fn an_older_copy_cuts_nothing_off() {
    let world = with_tern(&["sealer"]);
    seal(&world, "tern", &[]).exits(0);
    exchange(&world, "tern", "lawyer");
    let log = listed(&world, "lawyer", "Tern")["logs"][0]["log"].as_str().expect("an id").to_string();
    verify(&world, "lawyer").exits(0);
    std::fs::remove_dir_all(world.path(&format!("lawyer/evidence/logs/{log}"))).expect("lost");
    let before = files(&world, "lawyer");
    member(&world, "lawyer", &["remove", "Tern", "--reason", "left"]).exits(4).says("this copy is older");
    assert_eq!(files(&world, "lawyer"), before);
    world.hand("tern", "lawyer");
    member(&world, "lawyer", &["remove", "Tern", "--reason", "left"]).exits(0).says("1 of 1 count");
    // Whoever was removed hands on no keys, though she still holds them.
    world.hand("lawyer", "tern");
    member(&world, "tern", &["grant"]).exits(1).says("may not hand keys on");
}
