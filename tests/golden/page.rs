//! Prints the golden vault between the marks of `docs/FORMAT.md`, § 1.

use std::collections::BTreeMap;

use amparo::format::document::Document;
use amparo::format::inventory::Inventory;
use amparo::format::manifest::Manifest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Files;
use super::messagepack::table;
use super::opened::{Opened, all};
use super::records::{age, inventory_row, payload, text};

const END: &str = "<!-- golden: end -->";

/// The page with both parts printed anew.
pub(super) fn print(page: &str, files: &Files) -> String {
    let opened = all(files);
    let page = between(page, "<!-- golden: tree -->", &tree(files, &opened));
    between(&page, "<!-- golden: records -->", &records(files, &opened))
}

fn between(page: &str, mark: &str, part: &str) -> String {
    let start = page.find(mark).expect("the mark") + mark.len();
    let end = start + page[start..].find(END).expect("the end");
    format!("{}\n{part}{}", &page[..start], &page[end..])
}

fn tree(files: &Files, opened: &BTreeMap<&str, Opened>) -> String {
    let lines: Vec<String> = opened
        .iter()
        .map(|(path, file)| {
            let bytes = files[&format!("vault/{path}")].len();
            format!("{:<66} {bytes:>6}  {}  {}", short_path(path), section(&file.kind), file.kind)
        })
        .collect();
    fenced(&lines)
}

/// The path with its ids and hashes cut to 8 digits.
fn short_path(path: &str) -> String {
    let mut short = String::new();
    for part in path.split_inclusive(['/', '-', '.']) {
        let (digits, end) = part.split_at(part.trim_end_matches(['/', '-', '.']).len());
        let long = digits.len() >= 32;
        short += &format!("{}{}{end}", if long { &digits[..8] } else { digits }, if long { "…" } else { "" });
    }
    short
}

fn fenced(lines: &[String]) -> String {
    let mut text = "```\n".to_string();
    for line in lines {
        assert!(line.chars().count() <= 120 || line.contains("\"exhibit\""), "a long line: {line}");
        text += line;
        text.push('\n');
    }
    text + "```\n"
}

fn records(files: &Files, opened: &BTreeMap<&str, Opened>) -> String {
    let find = |kind: &str| {
        let (path, file) = opened.iter().find(|(_, file)| file.kind.starts_with(kind)).expect("every kind is there");
        (*path, file.plain.as_slice())
    };
    let checkpoint = opened.iter().rfind(|(path, _)| path.contains("checkpoints/0000000002-")).expect("the head").1;
    let (segment_path, segment) = find("segment");
    let (inventory, manifest) = (find("inventory").1, find("manifest").1);
    let rows = Inventory::decode_padded(inventory).expect("an inventory").0;
    let row = rows.rows().next().expect("a row").0;
    let record = Manifest::decode_padded(manifest).expect("a manifest").0.records[0].record.print();
    let receipt = &files["K7-0001.receipt"];
    let sections = [
        ("`VAULT` (§ 5.1):", text(find("the hint").1)),
        ("A card (§ 4.2), `blue-heron.card`:", text(&files["blue-heron.card"])),
        (
            "An identity file (§ 3.4), `blue-heron.identity`, which lies here without its passphrase:",
            text(&files["blue-heron.identity"]),
        ),
        ("A wrapped key (§ 3.5), opened; line feeds follow up to 512 bytes:", text(find("key of custody").1)),
        ("A checkpoint (§ 4.3), the head of the lawyer's log:", text(&checkpoint.plain)),
        (
            "The founding entry (§ 6.2), opened. A key stands left of `·`, its value right of it:",
            table(find("entry: found").1),
        ),
        ("The seal entry, opened:", table(find("entry: seal").1)),
        ("The inventory (§ 6.4), opened:", table(inventory)),
        ("Its row:", inventory_row(&row.to_bytes())),
        ("The manifest (§ 6.5), opened:", table(manifest)),
        ("`record.json` of the exhibit (§ 6.6), whole:", whole(&record.expect("a record"))),
        ("The payload (§ 6.8), opened; of the second and the third header only what differs:", payload(segment)),
        (
            "The file that it lies in, an age file (§ 2.5) as all the others are:",
            age(&files[&format!("vault/{segment_path}")], segment.len()),
        ),
        ("The receipt of the exhibit (§ 4.5), `K7-0001.receipt`:", text(receipt)),
        ("Its `extra`, decoded:", table(&extra(receipt))),
    ];
    let mut page = "\
Long values are cut in the middle; the number in brackets is their whole length, in bytes if nothing else is said. All
bytes are in [`tests/golden/amparo.v1`](../tests/golden/amparo.v1). Of a list of structures the first is shown in full.

"
    .to_string();
    let parts: Vec<String> = sections.iter().map(|(title, lines)| format!("{title}\n\n{}", fenced(lines))).collect();
    page += &parts.join("\n");
    page
}

/// Every line whole, however long.
fn whole(json: &[u8]) -> Vec<String> {
    std::str::from_utf8(json).expect("UTF-8").lines().map(String::from).collect()
}

/// Where the page speaks of a file of this kind.
fn section(kind: &str) -> &'static str {
    let first = kind.split([' ', ',', ':']).next().unwrap_or(kind);
    match first {
        "the" => "§ 5.1",
        "key" | "a" => "§ 3.5",
        "checkpoint" => "§ 4.3",
        "entry" => "§ 6.2",
        "inventory" => "§ 6.4",
        "manifest" => "§ 6.5",
        "segment" => "§ 6.8",
        other => panic!("{other} has no section"),
    }
}

fn extra(receipt: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(receipt).expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix("extra ")).expect("an extra line");
    BASE64_STANDARD.decode(line).expect("base64")
}
