//! `custody log`: the table and the object for scripts tell the same.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::harness::{Around, World};
use super::super::member::{add, exchange, seal};
use super::{at, shared};

/// Where the object holds what the table says below an event, by the word that stands before it.
const TOLD: &[(&str, &[&str])] = &[
    ("exhibits", &["exhibits", "everything"]),
    ("read back", &["readback"]),
    ("consent", &["scope"]),
    ("reason", &["reason"]),
    ("checked", &["level"]),
    ("up to", &["heads"]),
    ("to", &["to_name", "to_names", "to_outside"]),
    ("counts up to", &["cuts"]),
    ("member", &["members", "admitted_name", "removed_name"]),
    ("entries", &["entries"]),
    ("new key", &["keys"]),
    ("made out to", &["keys", "to_names"]),
    ("key", &["scope"]),
    ("medium", &["medium"]),
    ("seal number", &["seal_no"]),
    ("condition", &["condition"]),
    ("carrier", &["carrier"]),
    ("place", &["place"]),
    ("purpose", &["purpose"]),
    ("authority", &["authority"]),
    ("answered in", &["answers"]),
    ("offer", &["offer"]),
    ("discrepancy", &["discrepancies"]),
    ("bytes", &["bytes"]),
    ("SHA-256", &["sha256"]),
    ("text", &["text"]),
    ("from (as told)", &["from"]),
    ("to (as told)", &["to"]),
    ("late", &["late"]),
    ("reconstructed", &["reconstructed"]),
    ("adopted in", &["adopted_in"]),
];

/// A case in which almost everything is said that this program can say.
fn eventful() -> World {
    let world = shared();
    let digits = world.join("tern", "Tern");
    add(&world, "lawyer", "tern", &digits, &["sealer", "reader"]).exits(0);
    world.carry("tern");
    seal(&world, "tern", &[]).exits(0);
    exchange(&world, "tern", "lawyer");
    exchange(&world, "lawyer", "reader");
    at(&world, "reader", &["member", "grant"]).exits(0);
    at(&world, "reader", &["open", "K7-0001", "-o", "out"]).exits(0);
    exchange(&world, "reader", "lawyer");
    let told = [
        "custody",
        "offer",
        "--to",
        "Red Kite",
        "--medium",
        "a stick",
        "--seal-no",
        "4711",
        "--condition",
        "sound",
        "--carrier",
        "a friend",
        "--place",
        "the bridge",
        "--purpose",
        "safety",
        "--authority",
        "none",
    ];
    at(&world, "lawyer", &told).exits(0);
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "K7-0001"]).exits(0);
    at(&world, "lawyer", &["pack", "--to", "Tern", "-o", "../p.bin", "--no-input"]).exits(0);
    exchange(&world, "lawyer", "monitor");
    at(&world, "monitor", &["custody", "acknowledge"]).exits(0);
    at(&world, "monitor", &["verify", "--cosign"]).exits(0);
    exchange(&world, "lawyer", "reader");
    at(&world, "reader", &["custody", "decline", "--reason", "not now"]).exits(0);
    for who in ["monitor", "reader"] {
        exchange(&world, who, "lawyer");
    }
    at(&world, "lawyer", &["custody", "note", "a week later", "--reconstructed", "--exhibit", "K7-0001"]).exits(0);
    let gap = ["custody", "note", "nobody looked", "--gap", "--from", "3 May", "--to", "4 May"];
    at(&world, "lawyer", &gap).exits(0);
    at(&world, "lawyer", &["custody", "withdraw", "K7-0001", "--scope", "disclosure"]).exits(0);
    at(&world, "lawyer", &["member", "remove", "Tern", "--reason", "left"]).exits(0);
    for _ in 0..2 {
        seal(&world, "tern", &[]).exits(0);
    }
    world.hand("tern", "lawyer");
    let story = at(&world, "lawyer", &["custody", "log", "--json"]).exits(0).json();
    let late = story["entries"].as_array().expect("entries").iter().find(|entry| entry["late"] == true);
    let late = late.expect("hers")["label"].as_str().expect("a label").to_string();
    at(&world, "lawyer", &["member", "adopt", &late]).exits(0);
    world
}

#[test]
fn scripts_are_told_all_that_people_are() {
    let world = eventful();
    let story = at(&world, "lawyer", &["custody", "log", "--json"]).exits(0).json();
    let entries = story["entries"].as_array().expect("entries");
    let around = Around { width: 140, ..Around::default() };
    let table = world.run_in("lawyer", &["custody", "log", "--vault", "evidence"], &around).exits(0).out;
    let indent = |line: &str| line.len() - line.trim_start().len();
    let rows = || table.lines().skip(1).take_while(|line| !line.is_empty());
    let below = rows().map(indent).filter(|indent| *indent > 0).min().expect("details");
    let (mut entry, mut events, mut words) = (&Value::Null, BTreeSet::new(), BTreeSet::new());
    for line in rows() {
        if indent(line) == 0 {
            let label = line.split(' ').next().expect("a label");
            entry = entries.iter().find(|entry| entry["label"] == label).unwrap_or_else(|| panic!("{label}\n{table}"));
            events.insert(entry["event"].as_str().expect("a word"));
        } else if indent(line) == below {
            let word = line.trim_start().split(": ").next().expect("a word");
            let (word, keys) =
                TOLD.iter().find(|(told, _)| *told == word).unwrap_or_else(|| panic!("{word}: {entry:#}"));
            words.insert(*word);
            let is_said = |key: &&str| match &entry[*key] {
                Value::Null | Value::Bool(false) => false,
                // That a pouch has no exhibit is said by an empty list.
                Value::Array(list) => !list.is_empty() || (*key, &entry["event"]) == ("exhibits", &"pack".into()),
                Value::String(text) => !text.is_empty(),
                _ => true,
            };
            assert!(keys.iter().any(is_said), "{word} stands in the table alone: {entry:#}");
        }
    }
    let all = "acknowledge adopt admit decline found gap note offer open pack remove rotate seal share verify withdraw";
    assert_eq!(events, all.split(' ').collect());
    let never: Vec<_> = TOLD.iter().filter(|(word, _)| !words.contains(word)).map(|(word, _)| word).collect();
    assert_eq!(never, [&"discrepancy"], "quiet_drop has one");
}
