//! *The forger*: a member rewrites, drops, reorders, backdates or signs anew what stands in his own record, after a monitor has
//! seen it. He has his own keys, his own device and its memory, and sets whatever he likes back to what it was: nobody could
//! do more with the program, or without it. He is caught, and what convicts him convinces whoever has only his card.

use std::collections::BTreeSet;

use serde_json::Value;

use super::joins;
use crate::commands::harness::World;

/// A receipt of Tern's second statement.
const RECEIPT: &str = "../r.txt";

/// Tern has sealed three statements; before each, his home was kept as it was then, as `tern-1` to `tern-3`. The monitor has a
/// copy with all of them, cosigned it, and has a receipt of the second.
fn seen_by_a_monitor() -> World {
    let world = World::new();
    for (who, name) in [("lawyer", "Blue Heron"), ("tern", "Tern"), ("reader", "Grey Owl"), ("monitor", "Red Kite")] {
        joins(&world, who, name);
    }
    let mut init = vec!["init", "evidence", "--handle", "K7"];
    init.extend(["--sealer", "../tern.card", "--reader", "../reader.card", "--monitor", "../monitor.card"]);
    world.run("lawyer", &init).exits(0);
    world.write("lawyer/hers.txt", b"Nothing of this is Tern's.\n");
    world.run("lawyer", &["seal", "hers.txt", "--vault", "evidence"]).exits(0);
    world.copy("lawyer/evidence", "tern/evidence");
    world.run("tern", &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    for number in 1..=3 {
        world.later(60);
        world.copy("tern", &format!("tern-{number}"));
        seals(&world, "tern", number, &format!("What was said on day {number}.\n"));
    }
    world.copy("tern/evidence", "monitor/evidence");
    let cosign = ["verify", "evidence", "--owner", "../lawyer.card", "--cosign", "--cosignatures", "../c.txt"];
    world.run("monitor", &cosign).exits(0);
    let second = labels(&world, "monitor").into_iter().find(|id| id.ends_with("-0002")).expect("his second");
    world.run("monitor", &["custody", "receipt", &second, "-o", RECEIPT, "--vault", "evidence"]).exits(0);
    world
}

/// What Tern seals from one of his homes, on his own machine.
fn seals(world: &World, home: &str, number: usize, words: &str) {
    world.write(&format!("{home}/{number}.txt"), words.as_bytes());
    world.run_on(home, "tern", &["seal", &format!("{number}.txt"), "--vault", "evidence"]).exits(0);
}

fn labels(world: &World, who: &str) -> Vec<String> {
    let listed = world.run(who, &["list", "--vault", "evidence", "--json"]).exits(0).json();
    let exhibits = listed["exhibits"].as_array().expect("a list").iter();
    exhibits.map(|exhibit| exhibit["id"].as_str().expect("an id").to_string()).collect()
}

/// What is found of his record, by check. Of others nothing is found but that a copy is older than what was seen.
fn found(world: &World, seen: &Value) -> BTreeSet<String> {
    let logs = world.run("tern", &["verify", "evidence", "--json"]).exits(0).json();
    let is_his = |log: &&Value| log["name"] == "Tern";
    let his = logs["logs"].as_array().expect("logs").iter().find(is_his).expect("his log")["log"].clone();
    let his = format!("logs/{}", his.as_str().expect("an id"));
    let findings = seen["findings"].as_array().expect("findings").iter();
    let (of_him, of_others): (Vec<&Value>, Vec<&Value>) = findings.partition(|found| {
        found["subject"].as_str().is_some_and(|subject| subject.starts_with(&his) || subject == RECEIPT)
    });
    assert!(of_others.iter().all(|found| found["check"] == "behind"), "somebody else is accused: {of_others:?}");
    of_him.iter().map(|found| found["check"].as_str().expect("a check").to_string()).collect()
}

/// He hands on a copy whose record is another than the monitor saw. Her device notices it by itself; so does whoever has her
/// cosignatures or a receipt; once both histories are in one folder, a proof comes of it.
fn is_convicted(world: &World, home: &str) {
    let copy = format!("../{home}/evidence");
    // He himself is told nothing by this program that would stop him: he has set its memory back.
    world.run_on(home, "tern", &["verify", "evidence"]).exits(0);
    let monitor = format!("monitor-{home}");
    world.copy("monitor", &monitor);
    let sees = |args: &[&str]| world.run_on(&monitor, "monitor", args);
    let seen = sees(&["verify", &copy, "--json"]).exits(3).json();
    assert_eq!(found(world, &seen), BTreeSet::from(["fork".to_string()]), "{home}");
    sees(&["merge", &copy, "--vault", "evidence"]).exits(3).says("two histories signed with one key");
    let seen = sees(&["verify", "evidence", "--fork-proof", "../proof.txt", "--json"]).exits(3).json();
    assert_eq!(found(world, &seen), BTreeSet::from(["fork".to_string()]), "{home}");
    let proved = world.run("court", &["verify", "../proof.txt", "--owner", "../tern.card"]).exits(0);
    proved.says("PROVED").says("two histories signed with one key").says("Tern");
    std::fs::remove_file(world.path("proof.txt")).expect("looked at");
    // The reader never met the monitor's copy. What the monitor gave out shows it to her, with a proof as well.
    let reader = format!("reader-{home}");
    world.copy("reader", &reader);
    world.copy(&format!("{home}/evidence"), &format!("{reader}/evidence"));
    let reads = |args: &[&str]| world.run_on(&reader, "reader", args);
    reads(&["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    let args = ["verify", "evidence", "--receipt", RECEIPT, "--fork-proof", "../proof.txt", "--json"];
    let seen = reads(&args).exits(3).json();
    assert_eq!(found(world, &seen), BTreeSet::from(["fork".to_string()]), "{home}");
    world.run("court", &["verify", "../proof.txt", "--owner", "../tern.card"]).exits(0).says("PROVED");
    std::fs::remove_file(world.path("proof.txt")).expect("looked at");
    // What the lawyer sealed opens all the same.
    reads(&["open", "K7-0001", "-o", "out", "--vault", "evidence"]).exits(0);
}

#[test]
fn whoever_rewrites_his_record_is_convicted() {
    let world = seen_by_a_monitor();
    world.copy("tern-2", "rewritten");
    seals(&world, "rewritten", 2, "Nothing was said on day 2.\n");
    seals(&world, "rewritten", 3, "What was said on day 3.\n");
    is_convicted(&world, "rewritten");
    // The second is left out, the third stays.
    world.copy("tern-2", "dropped");
    seals(&world, "dropped", 3, "What was said on day 3.\n");
    seals(&world, "dropped", 4, "What was said on day 4.\n");
    is_convicted(&world, "dropped");
}

#[test]
fn whoever_reorders_backdates_or_signs_anew_is_convicted() {
    let world = seen_by_a_monitor();
    world.copy("tern-2", "reordered");
    seals(&world, "reordered", 3, "What was said on day 3.\n");
    seals(&world, "reordered", 2, "What was said on day 2.\n");
    is_convicted(&world, "reordered");
    world.copy("tern-2", "anew");
    for number in 2..=3 {
        seals(&world, "anew", number, &format!("What was said on day {number}.\n"));
    }
    is_convicted(&world, "anew");
    world.copy("tern-3", "backdated");
    world.later(-60 * 24 * 10);
    seals(&world, "backdated", 3, "What was said on day 3.\n");
    is_convicted(&world, "backdated");
}

/// The last is left out, and nothing else is written: that could be an older copy, and nobody is accused of more.
#[test]
fn an_end_that_is_cut_off_is_missed() {
    let world = seen_by_a_monitor();
    let copy = "../tern-3/evidence";
    let seen = world.run("monitor", &["verify", copy, "--json"]).exits(4).json();
    assert_eq!(found(&world, &seen), BTreeSet::from(["behind".to_string()]));
    world.copy("tern-3/evidence", "reader/evidence");
    world.run("reader", &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    // Whoever was sent the cosignatures misses it too, and merging gives it back: it is as if nothing had been.
    world.run("reader", &["merge", "../c.txt", "--vault", "evidence"]).says("this copy is older: Red Kite saw");
    let seen = world.run("reader", &["verify", "evidence", "--json"]).exits(4).json();
    assert_eq!(found(&world, &seen), BTreeSet::from(["behind".to_string()]));
    world.run("reader", &["merge", "../monitor/evidence", "--vault", "evidence"]).exits(0);
    world.run("reader", &["verify", "evidence"]).exits(0);
}
