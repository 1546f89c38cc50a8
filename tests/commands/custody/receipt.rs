//! `amparo custody receipt`.

use std::process::Command;

use super::super::harness::World;
use crate::peers;

#[test]
fn a_receipt_is_made_for_one_exhibit() {
    let world = World::with_testimony();
    let receipt = ["custody", "receipt", "K7-0001", "--vault", "evidence"];
    let printed = world.run("lawyer", &receipt).exits(0);
    assert!(printed.out.starts_with("c2sp.org/tlog-proof@v1\n"));
    let to_file = [&receipt[..], &["-o", "r.txt"]].concat();
    world.run("lawyer", &to_file).exits(0).says("next: amparo verify --receipt r.txt");
    assert_eq!(world.read("lawyer/r.txt"), printed.out.as_bytes());
    world.run("lawyer", &to_file).exits(1).says("exists already");
    let json = world.run("lawyer", &[&receipt[..], &["--json"]].concat()).exits(0).json();
    assert_eq!(json["checkpoint"]["size"], 2);
    world.carry("monitor");
    world.run("monitor", &receipt).exits(5).says("--owner CARD");
}

/// The short form of the receipt of `K7-0001`.
fn short(world: &World) -> String {
    let receipt = ["custody", "receipt", "K7-0001", "--vault", "evidence", "--json"];
    world.run("lawyer", &receipt).exits(0).json()["short"].as_str().expect("a line").to_string()
}

#[test]
fn a_vault_says_whether_it_holds_to_a_short_receipt() {
    let world = World::with_testimony();
    let line = short(&world);
    world.write("noted.txt", format!("  {}\r\n", line.to_lowercase()).as_bytes());
    let verify = |extra: &[&str]| world.run("lawyer", &[&["verify", "evidence"], extra].concat());
    verify(&["--receipt", "../noted.txt"]).exits(0).says("who signed what short receipts name");
    verify(&["../noted.txt"]).exits(0);
    let alone = world.run("court", &["verify", "../noted.txt"]).exits(5);
    alone.says("it bears no signature, so alone it proves nothing");
    let json = world.run("court", &["verify", "../noted.txt", "--json"]).exits(5).json();
    assert_eq!((&json["files"][0]["kind"], &json["files"][0]["holds"]), (&"short receipt".into(), &().into()));

    let words: Vec<&str> = line.split(' ').collect();
    let altered = |place: usize, word: &str| {
        let mut words = words.clone();
        words[place] = word;
        world.write("altered.txt", words.join(" ").as_bytes());
        verify(&["--receipt", "../altered.txt", "--json"])
    };
    let found = |outcome: super::super::harness::Outcome, exit: u8| {
        let json = outcome.exits(exit).json();
        assert_eq!(json["findings"].as_array().map(Vec::len), Some(1), "{json}");
        let finding = &json["findings"][0];
        (
            finding["check"].as_str().expect("a check").to_string(),
            finding["message"].as_str().expect("words").to_string(),
        )
    };
    let zeros = "0".repeat(64);
    let (check, message) = found(altered(5, &zeros), 3);
    assert!(check == "receipt" && message.contains("no exhibit that was sealed in log K7"), "{message}");
    let (check, message) = found(altered(4, &zeros), 3);
    assert!(check == "receipt" && message.contains("an unsigned receipt cannot tell"), "{message}");
    assert_eq!(found(altered(1, &zeros), 3).0, "receipt");
    assert_eq!(found(altered(2, &"0".repeat(32)), 4).0, "behind");
    assert_eq!(found(altered(3, "9"), 4).0, "behind");
    assert_eq!(found(altered(3, "09"), 3).0, "receipt");
    assert_eq!(found(altered(0, "AMPARO.V1/ROWS"), 3).0, "receipt");
    // A state from before the exhibit was sealed does not hold it.
    let founding = world.run("lawyer", &["init", "other", "--handle", "A1"]).exits(0);
    drop(founding);
    world.carry("bytes");
    let bytes = world.run("bytes", &["verify", "evidence", "--receipt", "../noted.txt"]).exits(4);
    bytes.says("it was not compared with the vault");
}

#[test]
fn an_exhibit_that_was_sealed_later_is_not_in_an_earlier_state() {
    let world = World::with_testimony();
    let earlier = short(&world);
    world.write("lawyer/u.txt", b"later");
    world.run("lawyer", &["seal", "u.txt", "--vault", "evidence"]).exits(0);
    let receipt = ["custody", "receipt", "K7-0002", "--vault", "evidence", "--json"];
    let later = world.run("lawyer", &receipt).exits(0).json()["short"].as_str().expect("a line").to_string();
    let row = later.rsplit_once(' ').expect("words").1;
    let (state, _) = earlier.rsplit_once(' ').expect("words");
    world.write("mixed.txt", format!("{state} {row}").as_bytes());
    world.run("lawyer", &["verify", "evidence", "--receipt", "../mixed.txt"]).exits(3).says("by then has its row");
    world.write("later.txt", later.as_bytes());
    world.run("lawyer", &["verify", "evidence", "--receipt", "../later.txt"]).exits(0);
}

/// Rows of modules, true where dark, from what was drawn with half blocks for a dark screen.
fn modules(drawn: &str) -> Vec<Vec<bool>> {
    let mut rows = Vec::new();
    for line in drawn.lines().filter(|line| line.contains(['\u{2588}', '\u{2580}', '\u{2584}'])) {
        for light in [['\u{2588}', '\u{2580}'], ['\u{2588}', '\u{2584}']] {
            rows.push(line.chars().map(|drawn| !light.contains(&drawn)).collect());
        }
    }
    rows
}

/// The same from the squares of an image.
fn squares(svg: &str) -> Vec<Vec<bool>> {
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let between = |text: &str, from: &str, to: &str| {
        text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map(|(found, _)| found.to_string())
    };
    let width = number(&between(svg, "viewBox=\"0 0 ", " ").expect("a size"));
    let mut rows = vec![vec![false; width]; width];
    let path = between(svg, "fill=\"#000\" d=\"", "\"").expect("squares");
    for run in path.split('M').skip(1) {
        let (place, rest) = run.split_once('h').expect("a run");
        let (column, row) = place.split_once(' ').expect("a place");
        let length = rest.split_once('v').expect("a length").0;
        rows[number(row)][number(column)..number(column) + number(length)].fill(true);
    }
    rows
}

/// What a program of others reads off a picture of these modules, each four points wide.
fn read_by_zbar(rows: &[Vec<bool>]) -> Option<String> {
    let zbar = peers::program("zbarimg")?;
    let width = rows[0].len() * 4;
    let mut picture = format!("P5\n{width} {}\n255\n", rows.len() * 4).into_bytes();
    for row in rows {
        let points: Vec<u8> = row.iter().flat_map(|dark| [if *dark { 0 } else { 255 }; 4]).collect();
        (0..4).for_each(|_| picture.extend(&points));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("code.pgm");
    std::fs::write(&file, picture).expect("written");
    let output = Command::new(zbar).args(["--raw", "--quiet"]).arg(&file).output().expect("it starts");
    Some(String::from_utf8_lossy(&output.stdout).trim_end().to_string())
}

#[test]
fn the_codes_are_read_by_a_program_of_others() {
    let world = World::with_testimony();
    let line = short(&world);
    let receipt = ["custody", "receipt", "K7-0001", "--vault", "evidence"];
    let shown = world.run("lawyer", &[&receipt[..], &["--qr"]].concat()).exits(0);
    assert!(shown.out.ends_with(&format!("{line}\n")), "{}", shown.out);
    let rows = modules(&shown.out);
    assert_eq!(rows[0].len(), 61, "it fits a window of 80 columns");
    let svg = [&receipt[..], &["--qr-svg", "../code.svg"]].concat();
    assert_eq!(world.run("lawyer", &svg).exits(0).out, format!("{line}\n"));
    let image = squares(&String::from_utf8(world.read("code.svg")).expect("text"));
    assert_eq!(image[..], rows[..image.len()], "both show the same");
    let Some(read) = read_by_zbar(&rows) else { return };
    assert_eq!(read, line);
    assert_eq!(read_by_zbar(&image).expect("as above"), line);

    world.run("lawyer", &svg).exits(1).says("exists already");
    world.run("lawyer", &[&receipt[..], &["--qr-svg", "-"]].concat()).exits(2).says("name a file");
    let both = [&receipt[..], &["--qr", "-o", "../r.txt"]].concat();
    let both = world.run("lawyer", &both).exits(0).says("The receipt of K7-0001 is in ../r.txt");
    assert!(!both.out.contains("tlog-proof"));
}
