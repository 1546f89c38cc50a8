//! `amparo init`.

use super::harness::World;

#[test]
fn a_vault_is_founded_and_who_can_open_is_said() {
    let world = World::new();
    for who in ["lawyer", "reader"] {
        world.run(who, &["identity", "new", "--name", who, "--no-passphrase"]).exits(0);
        world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
    }
    let made = world.run("lawyer", &["init", "evidence", "--reader", "../reader.card"]).exits(0);
    assert_eq!(made.out.trim().len(), 47);
    made.says("reader can open what is sealed here")
        .says("You cannot, and nobody can make you")
        .says("warning: nobody compared the cards of reader")
        .says("warning: only reader can open what is sealed")
        .says("warning: you are the only owner")
        .says("next: amparo seal FILE --vault evidence");
    world.run("lawyer", &["init", "evidence"]).exits(1).says("exists already");
    let json = world.run("lawyer", &["init", "other", "--handle", "A1", "--json"]).exits(0).json();
    assert_eq!((json["vault"].as_str().map(str::len), json["log"].as_str().map(str::len)), (Some(64), Some(32)));
    assert_eq!(json["handle"], "A1");
    assert_eq!(json["warnings"].as_array().map(Vec::len), Some(2));
}

#[test]
fn of_two_readers_neither_is_called_the_only_one() {
    let world = World::new();
    for who in ["lawyer", "reader", "second"] {
        world.run(who, &["identity", "new", "--name", who, "--no-passphrase"]).exits(0);
        world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
    }
    let readers = ["--reader", "../reader.card", "--reader", "../second.card"];
    let only = " can open what is sealed: if that identity is lost";
    world.run("lawyer", &[&["init", "evidence"], &readers[..2]].concat()).exits(0).says(only);
    let made = world.run("lawyer", &[&["init", "other", "--handle", "A1"], &readers[..]].concat()).exits(0);
    made.never_says(only).never_says("warning: only").says("warning: you are the only owner");
}

#[test]
fn what_cannot_found_a_vault_is_refused_before_anything_is_made() {
    let world = World::new();
    world.run("lawyer", &["init", "evidence"]).exits(12).says("amparo identity new");
    world.run("lawyer", &["identity", "new", "--name", "L", "--no-passphrase"]).exits(0);
    world.write("lawyer/bad.card", b"amparo.v1/card\nname X\n");
    world.run("lawyer", &["init", "evidence", "--reader", "bad.card"]).exits(3).says("no card that holds");
    world.run("lawyer", &["init", "evidence", "--reader", "none.card"]).exits(1).says("does not exist");
    world.run("lawyer", &["init", "evidence", "--handle", "k7"]).exits(2).says("a capital letter");
    world.run("lawyer", &["init", "evidence", "--reader", "-", "--monitor", "-"]).exits(2).says("read once");
    assert!(!world.path("lawyer/evidence").exists());
}

#[test]
fn no_more_monitors_are_needed_than_there_are() {
    let world = World::new();
    for who in ["lawyer", "red", "plover"] {
        world.run(who, &["identity", "new", "--name", who, "--no-passphrase"]).exits(0);
        world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
    }
    let needed = |folder: &str, monitors: &[&str], number: &str| {
        let mut args = vec!["init", folder, "--json"];
        for card in monitors {
            args.extend(["--monitor", *card]);
        }
        args.extend(Some(["--monitors-needed", number]).filter(|_| !number.is_empty()).into_iter().flatten());
        world.run("lawyer", &args)
    };
    let both = ["../red.card", "../plover.card"];
    needed("a", &both, "3").exits(2).says("3 monitors are to sign each state, and 2 are named");
    needed("a", &["../red.card", "../red.card"], "2").exits(2).says("and 1 are named");
    needed("a", &[], "1").exits(2);
    assert!(!world.path("lawyer/a").exists());
    for (folder, monitors, number, expected) in
        [("a", &both[..], "2", 2), ("b", &both, "", 1), ("c", &[], "", 0), ("d", &both, "0", 0)]
    {
        assert_eq!(needed(folder, monitors, number).exits(0).json()["monitors_needed"], expected, "{folder}");
    }
}
