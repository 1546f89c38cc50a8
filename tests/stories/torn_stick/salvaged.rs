//! A real pouch comes back torn, with what restores it or without: what `unpack --salvage` calls whole opens as it was sealed,
//! and nothing else opens.

use std::collections::BTreeMap;

use super::super::{joins, types};
use super::Dice;
use crate::commands::harness::World;

const SIZES: [usize; 4] = [60_000, 150_000, 90_000, 250_000];

/// Four exhibits by label, and two pouches of them: with parity, and without.
fn sent() -> (World, BTreeMap<String, Vec<u8>>) {
    let world = World::new();
    joins(&world, "heron", "Blue Heron");
    joins(&world, "owl", "Grey Owl");
    world.run("heron", &["init", "evidence", "--handle", "K7", "--reader", "../owl.card"]).exits(0);
    let mut sealed = BTreeMap::new();
    for (number, bytes) in SIZES.into_iter().enumerate() {
        let (name, mut dice) = (format!("scan-{number}"), Dice(number as u64 + 1));
        let content: Vec<u8> = (0..bytes).map(|_| dice.below(256).to_le_bytes()[0]).collect();
        world.write(&format!("heron/{name}"), &content);
        let seal = types(&world, "heron", &["seal", &name, "--kind", "other", "--json"]).exits(0).json();
        let label = seal["exhibits"][0]["id"].as_str().expect("an id").to_string();
        sealed.insert(label, content);
    }
    let pack = |name: &str, more: &[&str]| {
        let args = [&["pack", "--to", "Grey Owl", "-o", name, "--no-input"][..], more].concat();
        types(&world, "heron", &args).exits(0);
    };
    pack("../bare.bin", &[]);
    pack("../mended.bin", &["--parity", "5"]);
    (world, sealed)
}

/// Spoils so many runs of bytes, of up to 6,000 each.
fn tears(world: &World, name: &str, runs: usize, dice: &mut Dice) {
    let mut bytes = world.read(name);
    for _ in 0..runs {
        let start = dice.below(bytes.len());
        let end = (start + 1 + dice.below(6000)).min(bytes.len());
        bytes[start..end].iter_mut().for_each(|byte| *byte = !*byte);
    }
    world.write(name, &bytes);
}

#[test]
fn what_is_called_whole_opens_and_nothing_else_does() {
    let _row = crate::soak::row(8);
    let (sent, sealed) = sent();
    let (mut all, mut some, mut none) = (0, 0, 0);
    for seed in crate::soak::seeds("AMPARO_SALVAGES", 40) {
        let mut dice = Dice((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let world = sent.twin();
        let files: &[&str] = if seed % 2 == 0 { &["../bare.bin"] } else { &["../mended.bin", "../mended.bin.parity"] };
        let runs = if seed % 2 == 0 { 1 + dice.below(3) } else { 1 + dice.below(30) };
        tears(&world, files[0].trim_start_matches("../"), runs, &mut dice);
        let unpack =
            [&["unpack"], files, &["-o", "evidence", "--owner", "../heron.card", "--salvage", "--json"]].concat();
        let told = world.run("owl", &unpack);
        let context = format!("seed {seed}: exit {}: {}", told.exit, told.err);
        let whole: Vec<String> = match told.exit {
            0 => sealed.keys().cloned().collect(),
            _ if !world.path("owl/evidence").exists() => Vec::new(),
            _ => {
                let object = told.exits(4).json();
                let whole = object["whole"].as_array().expect("a list");
                whole.iter().map(|label| label.as_str().expect("a label").to_string()).collect()
            }
        };
        for (number, (label, content)) in sealed.iter().enumerate() {
            let out = format!("out-{number}");
            let opened = if world.path("owl/evidence").exists() {
                types(&world, "owl", &["open", label, "-o", &out]).exit == 0
            } else {
                false
            };
            assert_eq!(opened, whole.contains(label), "{context}: {label}");
            let path = format!("owl/{out}/{label}/content/scan-{number}");
            assert!(!opened || world.read(&path) == *content, "{context}: a wrong byte in {label}");
            assert!(opened || !world.path(&path).exists(), "{context}: {label} was opened in part");
        }
        let count = if whole.len() == sealed.len() {
            &mut all
        } else if whole.is_empty() {
            &mut none
        } else {
            &mut some
        };
        *count += 1;
    }
    assert!(all > 0 && some > 0 && none > 0, "all of it happened: {all} came whole, {some} in part, of {none} nothing");
}
