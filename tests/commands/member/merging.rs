//! Keys are handed on after a merge, when whoever holds them agrees.

use super::{admit, listed, member, verify};
use crate::commands::harness::{Outcome, World};

/// Tern was admitted as a reader by the lawyer, who does not read; the reader, who holds the key, has an older copy.
fn waiting() -> World {
    let world = World::with_testimony();
    world.carry("reader");
    verify(&world, "reader").exits(0);
    admit(&world, "tern", "Tern", &["reader"]).exits(0);
    world
}

const MERGE: [&str; 4] = ["merge", "../lawyer/evidence", "--vault", "evidence"];

fn is_given(world: &World) -> bool {
    listed(world, "reader", "Tern")["awaits"].as_array().expect("a list").is_empty()
}

#[test]
fn at_a_terminal_the_holder_is_asked_once() {
    for (answer, given) in [("yes", true), ("", false), ("y", false)] {
        let world = waiting();
        let merged: Outcome = world.typing("reader", &MERGE, &[answer]).exits(0);
        merged.says("Tern awaits the key to the section main, which you hold.").says("Hand over these keys?");
        assert_eq!(is_given(&world), given, "{answer:?}");
        // Who has said no is asked again with the next merge; who has said yes is not.
        let again = world.typing("reader", &MERGE, &[""]).exits(0);
        assert_eq!(again.err.contains("Hand over"), !given);
    }
}

#[test]
fn a_script_says_so_beforehand_or_is_told_how() {
    let world = waiting();
    let told = world.run("reader", &MERGE).exits(0);
    told.says("Tern awaits the key to the section main").says("next: amparo member grant");
    assert!(!is_given(&world));
    let json = world.run("reader", &[&MERGE[..], &["--json"]].concat()).exits(0).json();
    assert_eq!((&json["given"], &json["awaits"][0]["scope"]), (&serde_json::json!([]), &"main".into()));
    let json = world.run("reader", &[&MERGE[..], &["--grant", "--json"]].concat()).exits(0).json();
    assert_eq!((&json["given"][0]["scope"], &json["awaits"]), (&"main".into(), &serde_json::json!([])));
    assert!(is_given(&world));
    world.run("reader", &[&MERGE[..], &["--grant"]].concat()).exits(0).never_says("Handed");
    // The lawyer holds no such key, and is not asked for it.
    member(&world, "lawyer", &["list"]).exits(0);
    let lawyer = ["merge", "../reader/evidence", "--vault", "evidence"];
    world.typing("lawyer", &lawyer, &[]).exits(0).never_says("Hand over");
    assert!(listed(&world, "lawyer", "Tern")["awaits"].as_array().expect("a list").is_empty());
}
