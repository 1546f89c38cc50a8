//! `custody log`: what it tells and how it looks.

use serde_json::Value;

use super::super::harness::Around;
use super::{at, shared};

#[test]
fn times_are_claimed_and_nothing_is_called_proven() {
    let world = shared();
    let log = at(&world, "lawyer", &["custody", "log"]).exits(0);
    let lines: Vec<&str> = log.out.lines().collect();
    assert!(lines[0].contains("time, as claimed") && lines[0].contains("time, proven"), "{}", lines[0]);
    let rows: Vec<&&str> = lines.iter().filter(|line| line.starts_with("K7:")).collect();
    assert_eq!(rows.len(), 2);
    assert!(rows.iter().all(|row| row.contains("2026-11-20 14:30+02:00") && row.contains("not proven")));
    let json = at(&world, "lawyer", &["custody", "log", "--json"]).exits(0).json();
    let entries = json["entries"].as_array().expect("entries");
    for entry in entries {
        for key in ["log", "seq", "label", "member", "name", "time", "event", "exhibits", "premis", "counts", "late"] {
            assert!(!entry[key].is_null(), "{key}");
        }
        for key in ["refused", "not_before", "not_after"] {
            assert!(entry[key].is_null() && entry.get(key).is_some(), "{key}");
        }
    }
    let events: Vec<&Value> = entries.iter().map(|entry| &entry["event"]).collect();
    assert_eq!(events, ["found", "seal"]);
    assert_eq!((&entries[1]["premis"], &entries[1]["exhibits"][0]), (&"ing".into(), &"K7-0001".into()));
    for key in ["vault", "pending", "gaps", "warnings"] {
        assert!(!json[key].is_null(), "{key}");
    }
}

#[test]
fn of_one_exhibit_only_what_concerns_it_is_told() {
    let world = shared();
    world.write("lawyer/other.txt", b"another\n");
    world.run("lawyer", &["seal", "other.txt", "--vault", "evidence"]).exits(0);
    at(&world, "lawyer", &["custody", "note", "of the other", "--exhibit", "K7-0002"]).exits(0);
    at(&world, "lawyer", &["custody", "note", "of the first", "--exhibit", "K7-0001"]).exits(0);
    at(&world, "lawyer", &["custody", "offer", "--to", "Red Kite", "K7-0002"]).exits(0);
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl"]).exits(0);
    at(&world, "lawyer", &["custody", "note", "nobody knows", "--gap"]).exits(0);
    let log = at(&world, "lawyer", &["custody", "log", "k7-1"]).exits(0);
    log.says("of the first").never_says("of the other").says("nobody knows");
    let json = at(&world, "lawyer", &["custody", "log", "k7-1", "--json"]).exits(0).json();
    let labels: Vec<&Value> = json["entries"].as_array().expect("entries").iter().map(|one| &one["label"]).collect();
    assert_eq!(labels, ["K7:1", "K7:4", "K7:6", "K7:7"]);
    assert_eq!((&json["id"], &json["pending"][0]["offer"]), (&"K7-0001".into(), &"K7:6".into()));
    let json = at(&world, "lawyer", &["custody", "log", "K7-0002", "--json"]).exits(0).json();
    let labels: Vec<&Value> = json["entries"].as_array().expect("entries").iter().map(|one| &one["label"]).collect();
    assert_eq!(labels, ["K7:2", "K7:3", "K7:5", "K7:6", "K7:7"]);
    at(&world, "lawyer", &["custody", "log", "K7-0009"]).exits(1);
    world.run("stranger", &["custody", "log"]).exits(10);
}

#[test]
fn long_and_hostile_words_stay_text_within_the_screen() {
    let world = shared();
    let words = format!("{} \u{202e}# <b>[x](y)", "long words ".repeat(40));
    at(&world, "lawyer", &["custody", "note", &words]).exits(0);
    let log = at(&world, "lawyer", &["custody", "log"]).exits(0).never_says("\u{202e}");
    assert!(log.out.lines().all(|line| line.chars().count() <= 100), "{}", log.out);
    let env = Around { env: &[("AMPARO_VAULT", "evidence")], ..Around::default() };
    world.run_in("lawyer", &["custody", "log", "--quiet"], &env).exits(0);
}

/// The lawyer's whole device is cloned, and both go on: of her record there are two histories. The longer one is told.
#[test]
fn what_stands_only_in_the_other_of_two_histories_is_told() {
    let world = shared();
    world.copy("lawyer", "clone");
    let seals = |home: &str, name: &str| {
        world.write(&format!("{home}/{name}"), name.as_bytes());
        world.run_on(home, "lawyer", &["seal", name, "--vault", "evidence"]).exits(0);
    };
    seals("lawyer", "laptop.txt");
    seals("clone", "clone.txt");
    seals("clone", "more.txt");
    // The reader signs what she saw of the one, the monitor has the other.
    at(&world, "reader", &["merge", "../lawyer/evidence"]).exits(0);
    at(&world, "reader", &["verify", "--cosign", "--cosignatures", "../seen.txt"]).exits(0);
    at(&world, "monitor", &["merge", "../clone/evidence"]).exits(0);
    let none = at(&world, "monitor", &["custody", "log", "--json"]).exits(0).json();
    assert_eq!(none["contradicting_histories"], serde_json::json!([]));
    at(&world, "monitor", &["custody", "log"]).exits(0).never_says("contradicting histories");
    at(&world, "monitor", &["merge", "../seen.txt"]).exits(3);
    let lacking = at(&world, "monitor", &["custody", "log", "--json"]).exits(3).json();
    let other = &lacking["contradicting_histories"][0];
    assert_eq!((&other["size"], &other["parted"], &other["events"]), (&3.into(), &Value::Null, &Value::Null));
    let log = at(&world, "monitor", &["custody", "log"]).exits(3);
    log.says("another state of 3 events is signed, and its events are not here");

    at(&world, "monitor", &["merge", "../lawyer/evidence"]).exits(3);
    let json = at(&world, "monitor", &["custody", "log", "--json"]).exits(3).json();
    assert_eq!(json["entries"].as_array().map(Vec::len), Some(4), "the longer history of the lawyer's record");
    let others = json["contradicting_histories"].as_array().expect("a list");
    let [other] = others.as_slice() else { panic!("{others:?}") };
    assert_eq!((&other["handle"], &other["name"]), (&"K7".into(), &"Blue Heron".into()));
    assert_eq!((&other["parted"], &other["events"], &other["size"]), (&2.into(), &1.into(), &3.into()));
    let sealed = other["exhibits"][0].as_str().expect("an exhibit");
    assert!(sealed.starts_with("K7-0002~") && sealed.len() == "K7-0002~3f2a".len(), "{sealed}");
    let log = at(&world, "monitor", &["custody", "log"]).exits(3).says("contradicting histories:");
    log.says("K7 of Blue Heron: parted after 2 events").says("sealed only there:").says(sealed);
    at(&world, "monitor", &["verify", "--report", "../page.md", "--names", "roles"]).exits(3);
    let page = String::from_utf8(world.read("page.md")).expect("text");
    let part = page.split_once("\n## Contradicting histories\n\n").expect("the part").1;
    let line = "- K7 of sealer 1: parted after 2 events; the other history goes on with 1 event, not told in this story; sealed only there: ";
    assert!(part.starts_with(&format!("{line}{sealed}\n")), "{part}");
}
