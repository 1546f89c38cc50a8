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
