//! Pouches by the real binary: volumes and parity of which some came, the first and the last megabyte lost, and a kill amid
//! unpacking, after which the same command goes on where it stood.

use std::io::Write;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use amparo::crypto::hash::Hash;
use serde_json::Value;

use super::files;
use super::stage::Stage;

const MEGABYTE: usize = 1 << 20;

/// Packs a film for a reader who has nothing yet; the names of the volumes, and of the parity files.
fn packed(stage: &Stage, share: &str) -> (Vec<String>, Vec<String>, String) {
    std::fs::write(stage.path("lawyer/film.bin"), vec![7; 6 * MEGABYTE]).expect("a source");
    stage.done("lawyer", &["seal", "film.bin", "--kind", "video"]);
    let args = ["pack", "--to", "Tern", "-o", "../stick/trip.bin", "--parity", share, "--volumes", "1500kB"];
    let told = stage.json("lawyer", &args);
    let names = |key: &str| -> Vec<String> {
        let names = told[key].as_array().expect("names").iter();
        names.map(|name| format!("../stick/{}", name.as_str().expect("a name"))).collect()
    };
    (names("files"), names("parity"), told["sha256"].as_str().expect("a hash").into())
}

fn with<'a>(command: &[&'a str], files: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, files, more].concat()
}

fn refs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// What the courier, who has no key, is told, and the reader, who takes it in anew.
fn judged(stage: &Stage, files: &[&str]) -> (Output, Output) {
    let new = stage.path("tern/new");
    if new.exists() {
        std::fs::remove_dir_all(&new).expect("the last one is gone");
    }
    let checked = stage.run("gull", &with(&["verify"], files, &["--json"]));
    (checked, stage.run("tern", &with(&["unpack"], files, &["-o", "new", "--owner", "../lawyer.card"])))
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[track_caller]
fn ends(outputs: &(Output, Output), verified: i32, unpacked: i32) {
    let codes = (outputs.0.status.code(), outputs.1.status.code());
    assert_eq!(codes, (Some(verified), Some(unpacked)), "{}\n{}", said(&outputs.0), said(&outputs.1));
}

fn condition(checked: &Output) -> Value {
    let told: Value = serde_json::from_slice(&checked.stdout).expect("JSON");
    told["pouch"].clone()
}

/// Zeros in place of a part of a file.
fn lose(path: &Path, from_end: bool) {
    let mut bytes = std::fs::read(path).expect("a file");
    let lost = bytes.len().min(MEGABYTE);
    let at = if from_end { bytes.len() - lost } else { 0 };
    bytes[at..at + lost].fill(0);
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn parity_that_did_not_come_costs_nothing_of_what_is_whole() {
    let stage = Stage::set();
    let (data, parity, sha256) = packed(&stage, "50%");
    let (data, parity) = (refs(&data), refs(&parity));
    assert!(data.len() > 3 && parity.len() > 2, "{data:?} {parity:?}");
    // Some of it, none of it, and the other way round: parity before volumes, in no order.
    for files in [with(&parity[1..], &data, &[]), data.clone(), with(&data, &parity, &[])] {
        let outcome = judged(&stage, &files);
        ends(&outcome, 0, 0);
        assert_eq!(condition(&outcome.0)["sha256"], sha256);
    }
    // A volume lacks. With a part of the parity it comes back, and without parity it is missed.
    let torn = [&data[..1], &data[2..]].concat();
    let outcome = judged(&stage, &with(&torn, &parity[1..], &[]));
    ends(&outcome, 4, 0);
    let told = condition(&outcome.0);
    assert_eq!(
        (&told["repairable"], &told["missing"][0]),
        (&true.into(), &format!("volume 2 of {}", data.len()).into())
    );
    assert!(said(&outcome.1).contains("missing: volume 2 of"), "{}", said(&outcome.1));
    assert!(said(&outcome.1).contains("restored from its parity"), "{}", said(&outcome.1));
    stage.sound_exhibits("tern", "new", "it came back");
    let outcome = judged(&stage, &torn);
    ends(&outcome, 4, 4);
    assert_eq!(condition(&outcome.0)["repairable"], false);
    assert!(said(&outcome.1).contains("nothing of it counts yet"), "{}", said(&outcome.1));
    let salvaged = with(&["unpack"], &torn, &["-o", "new", "--owner", "../lawyer.card", "--salvage"]);
    let salvaged = stage.run("tern", &salvaged);
    assert_eq!(salvaged.status.code(), Some(4), "{}", said(&salvaged));
    // Of the parity alone too little is left to make a whole pouch of it.
    let outcome = judged(&stage, &parity);
    ends(&outcome, 4, 4);
    // A changed byte is damage that the volume's hash tells, and parity undoes.
    let second = stage.path("stick/trip.bin.002");
    let mut bytes = std::fs::read(&second).expect("a volume");
    bytes[700_000] ^= 1;
    std::fs::write(&second, bytes).expect("written");
    ends(&judged(&stage, &data), 4, 4);
    ends(&judged(&stage, &with(&data, &parity[1..], &[])), 4, 0);
}

#[test]
fn the_first_and_the_last_megabyte_of_each_part_come_back() {
    let stage = Stage::set();
    let (data, parity, sha256) = packed(&stage, "50%");
    let all = [refs(&data), refs(&parity)].concat();
    let place = |name: &str| stage.path(name.trim_start_matches("../"));
    // Of the pouch, as it lies over its volumes, and of its parity.
    lose(&place(&data[0]), false);
    lose(&place(&data[data.len() - 1]), true);
    lose(&place(&parity[parity.len() - 1]), true);
    let outcome = judged(&stage, &all);
    ends(&outcome, 4, 0);
    let told = condition(&outcome.0);
    assert_eq!((&told["repairable"], &told["sha256"]), (&true.into(), &sha256.as_str().into()));
    stage.sound_exhibits("tern", "new", "all came back");
    let repair = stage.run("gull", &with(&["verify"], &all, &["--repair", "whole.bin", "--sha256", &sha256]));
    assert_eq!(repair.status.code(), Some(0), "{}", said(&repair));
    assert!(said(&repair).contains(&format!("repaired: whole.bin, SHA-256 {sha256}")), "{}", said(&repair));
    std::fs::rename(stage.path("gull/whole.bin"), stage.path("whole.bin")).expect("handed over");
    ends(&judged(&stage, &["../whole.bin"]), 4, 0);
}

#[test]
fn killed_amid_unpacking_the_same_command_goes_on() {
    let _row = crate::soak::row(1);
    let stage = Stage::set();
    std::fs::create_dir(stage.path("lawyer/pages")).expect("a folder");
    for page in 0..200 {
        std::fs::write(stage.path(&format!("lawyer/pages/{page}.txt")), vec![page; 20_000]).expect("a page");
    }
    stage.done("lawyer", &["seal", "pages"]);
    let packed = stage.json("lawyer", &["pack", "--to", "Tern", "-o", "../big.bin"]);
    assert!(packed["exhibits"].as_array().is_some_and(|all| all.len() > 200));
    let args = ["unpack", "../big.bin", "-o", "new", "--owner", "../lawyer.card"];
    let blobs = stage.path("tern/new/blobs");
    let mut unpacking = stage.begun("tern", &args);
    let killed = loop {
        let here = files(&blobs).len();
        if here >= 40 || unpacking.try_wait().expect("it runs").is_some() {
            break here;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    unpacking.kill().expect("killed");
    assert_eq!(unpacking.wait().expect("it ends").code(), None, "it had come to its end with {killed} files");
    // Nothing counts yet; what is whole is not written again. Each core writes one at a time, and what it wrote may be torn.
    let left = files(&blobs);
    let is_whole = |path: &Path| {
        let bytes = std::fs::read(blobs.join(path)).expect("it lies there");
        path.ends_with(Hash::of(&bytes).to_string())
    };
    let whole: Vec<_> = left.iter().filter(|(path, _)| is_whole(path)).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    assert!(whole.len() + cores >= left.len(), "{} of {} are whole", whole.len(), left.len());
    assert_ne!(stage.run("tern", &["verify", "new"]).status.code(), Some(0));
    let again = stage.json("tern", &args);
    let (came, there) = (again["blobs"].as_u64().expect("a count"), files(&blobs));
    let kept = left.iter().filter(|(path, file)| there.get(*path) == Some(file)).count();
    let _ = writeln!(std::io::stderr(), "killed with {} of {} files, {came} came then", left.len(), there.len());
    let is_kept = whole.iter().all(|(path, file)| there.get(*path) == Some(file));
    assert!(is_kept && kept == whole.len(), "{kept} of {} were kept", whole.len());
    assert_eq!(came, (there.len() - kept) as u64, "{kept} were there");
    assert!(stage.sound_exhibits("tern", "new", "it went on") > 200);
    assert_eq!(stage.json("tern", &args)["blobs"], 0);
}
