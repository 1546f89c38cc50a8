//! `amparo verify`.

use std::fs;

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::store::real::RealDisk;
use amparo::store::{Disk, RelPath};
use amparo::vault::pouch::parity::make_parity;
use amparo::vault::pouch::pieces::Pieces;

use super::harness::World;
use crate::vault::people::Stopped;

fn one_blob(world: &World, vault: &str) -> std::path::PathBuf {
    let shelf = fs::read_dir(world.path(vault).join("blobs")).expect("shelves").next().expect("one").expect("readable");
    fs::read_dir(shelf.path()).expect("blobs").next().expect("one").expect("readable").path()
}

#[test]
fn a_monitor_verifies_custody_and_a_reader_content() {
    let world = World::with_testimony();
    world.carry("monitor");
    let unknown = world.run("monitor", &["verify", "evidence"]).exits(5).says("NOT KNOWN HERE");
    assert!(!unknown.out.contains("VALID: unchanged"));
    let json = world.run("monitor", &["verify", "evidence", "--json"]).exits(5).json();
    assert_eq!((&json["verdict"], &json["pinned"]), (&"incomplete".into(), &false.into()));
    let digits = world.digits();
    let valid = world.run("monitor", &["verify", "evidence", "--vault-id", &digits]).exits(0);
    assert!(valid.out.starts_with("VALID: unchanged since sealing\n"));
    valid.says("not checked:").says("records and content").says("Blue Heron: 2 events");
    let json = world.run("monitor", &["verify", "evidence", "--json"]).exits(0).json();
    assert_eq!((&json["verdict"], &json["level"]), (&"valid".into(), &"custody".into()));
    assert_eq!((&json["exhibits"], &json["pinned"]), (&1.into(), &true.into()));
    for key in ["checks", "findings", "not_checked", "logs", "blobs", "exhibit_verdicts", "notices", "vault"] {
        assert!(!json[key].is_null(), "{key}");
    }
    let log = json["logs"][0].as_object().expect("a log");
    for key in ["log", "member", "size", "root", "cosigned_by", "not_after", "not_before"] {
        assert!(log.contains_key(key), "{key}");
    }
    let statuses = json["checks"].as_array().expect("checks").iter().map(|check| check["status"].as_str());
    assert!(statuses.clone().all(|status| matches!(status, Some("pass" | "fail" | "skip"))) && statuses.count() > 10);
    world.carry("reader");
    let id = json["vault"].as_str().expect("an id").to_string();
    let json = world.run("reader", &["verify", "evidence", "--vault-id", &id, "--json"]).exits(0).json();
    assert_eq!(json["level"], "content");
}

#[test]
fn damage_and_loss_are_told_apart() {
    let world = World::with_testimony();
    let blob = one_blob(&world, "lawyer/evidence");
    let bytes = fs::read(&blob).expect("a blob");
    fs::write(&blob, [&bytes[..], b"x"].concat()).expect("damage");
    let found = world.run("lawyer", &["verify", "evidence"]).exits(3);
    assert!(found.out.starts_with("INVALID"));
    found.says("INVALID (blob) blobs/");
    fs::remove_file(&blob).expect("loss");
    let json = world.run("lawyer", &["verify", "evidence", "--json"]).exits(4).json();
    assert_eq!((&json["verdict"], &json["findings"][0]["check"]), (&"incomplete".into(), &"blob".into()));
}

#[test]
fn without_a_key_only_bytes_are_checked() {
    let world = World::with_testimony();
    world.carry("court");
    world.run("court", &["verify", "evidence"]).exits(5).says("there is no identity here");
    world.run("court", &["identity", "new", "--name", "Court", "--no-passphrase"]).exits(0);
    world.run("court", &["verify", "evidence"]).exits(5).says("no member of this vault");
    let json = world.run("court", &["verify", "evidence", "--owner", "../lawyer.card", "--json"]).json();
    assert_eq!(json["level"], "bytes");
    world.run("court", &["verify"]).exits(10);
    world.run("court", &["verify", "."]).exits(10);
    world.run("court", &["verify", "evidence", "--identity", "none"]).exits(12);
}

#[test]
fn a_locked_identity_names_the_flag() {
    let world = World::new();
    world.write("ann/words", b"words\n");
    world.run("ann", &["identity", "new", "--name", "Ann", "--passphrase-file", "words"]).exits(0);
    world.run("ann", &["init", "evidence", "--passphrase-file", "words"]).exits(0);
    world.run("ann", &["verify", "evidence", "--no-input"]).exits(2).says("--passphrase-file FILE");
    world.run("ann", &["verify", "evidence", "--passphrase-file", "words"]).exits(0);
}

#[test]
fn papers_are_checked_without_a_vault() {
    let world = World::with_testimony();
    world.run("lawyer", &["custody", "receipt", "K7-0001", "-o", "../r.txt", "--vault", "evidence"]).exits(0);
    let known = world.run("court", &["verify", "../r.txt", "--owner", "../lawyer.card"]).exits(0);
    known.says("VALID: it holds").says("Blue Heron").says("numbered 0001").says("not checked:");
    world.run("court", &["verify", "--receipt", "../r.txt", "--owner", "../lawyer.card"]).exits(0);
    world.run("court", &["verify", "../r.txt"]).exits(5).says("whose card was given");
    world.run("court", &["verify", "../r.txt", "--owner", "../monitor.card"]).exits(5);
    let text = String::from_utf8(world.read("r.txt")).expect("text");
    world.write("forged.txt", text.replacen("index 1", "index 0", 1).as_bytes());
    let json = world.run("court", &["verify", "../forged.txt", "--json"]).exits(3).json();
    assert_eq!((&json["verdict"], &json["findings"][0]["check"]), (&"invalid".into(), &"receipt".into()));
    let state = text.split_once("\n\n").expect("a note behind the proof").1.to_string();
    world.write("state.txt", state.as_bytes());
    world.run("court", &["verify", "../state.txt", "--owner", "../lawyer.card"]).exits(0).says("a signed state");
    let (head, signature) = state.trim_end().rsplit_once(' ').expect("a signature line");
    let turned = if signature.ends_with('A') { "B" } else { "A" };
    let middle = signature.len() / 2;
    let forged = format!("{head} {}{turned}{}\n", &signature[..middle], &signature[middle + 1..]);
    world.write("state2.txt", forged.as_bytes());
    if forged != state {
        world.run("court", &["verify", "../state2.txt", "--owner", "../lawyer.card"]).exits(3);
    }
    world.run("court", &["verify", "../lawyer.card"]).exits(5).says("Blue Heron");
    world.run("court", &["verify", "../lawyer.card", "--owner", "../lawyer.card"]).exits(0);
    world.write("what.txt", b"hello");
    world.run("court", &["verify", "../what.txt"]).exits(1).says("no vault, receipt, signed state or card");
}

#[test]
fn a_receipt_is_held_against_an_older_copy() {
    let world = World::with_vault();
    world.carry("monitor");
    world.write("lawyer/a.txt", b"a");
    world.run("lawyer", &["seal", "a.txt", "--receipt", "../r.txt", "--vault", "evidence"]).exits(0);
    let verify = ["verify", "evidence", "--owner", "../lawyer.card"];
    world.run("monitor", &verify).exits(0);
    world.run("monitor", &[&verify[..], &["--receipt", "../r.txt"]].concat()).exits(4).says("INCOMPLETE (behind)");
    world.run("lawyer", &["verify", "evidence", "--receipt", "../r.txt"]).exits(0);
    world
        .run("lawyer", &["verify", "evidence", "--checkpoint", "../r.txt"])
        .exits(2)
        .says("not what --checkpoint takes");
}

/// What somebody carried on paper or by phone: one signed state.
#[test]
fn a_signed_state_is_held_against_a_vault_that_has_it_lacks_it_or_contradicts_it() {
    let world = World::with_vault();
    let verify = ["verify", "evidence", "--owner", "../lawyer.card", "--checkpoint", "../state.txt"];
    let say = |home: &str, text: &str| {
        world.run_on(home, "lawyer", &["custody", "note", text, "--vault", "evidence"]).exits(0);
    };
    // The device's own memory goes along: two disks that were one.
    world.copy("lawyer", "restored");
    world.carry("monitor");
    say("lawyer", "on the first disk");
    let newest = world.files("lawyer/evidence").into_iter().filter(|path| path.contains("/checkpoints/"));
    let newest = newest.max_by_key(|path| path.rsplit('/').next().map(str::to_owned)).expect("a signed state");
    world.write("state.txt", &std::fs::read(newest).expect("the state"));
    world.run("lawyer", &verify).exits(0).says("VALID");
    world.run("monitor", &verify).exits(4).says("INCOMPLETE (behind)");
    say("restored", "on the second");
    world.copy_from(&world.path("restored/evidence"), "court/evidence");
    world.run("court", &verify).exits(4).says("that needs a custody key");
    let aside = [&["verify", "../court/evidence"], &verify[2..]].concat();
    world.run("monitor", &aside).exits(3).says("INVALID (fork)").says("../state.txt");
    let lawyer = world.run("lawyer", &["list", "--vault", "../court/evidence"]).exits(3);
    lawyer.says("may be incomplete or disputed");
}

/// A pouch of 1 MiB, its parity and volumes of it, as a courier gets them.
fn pouch(world: &World, home: &str) -> Vec<u8> {
    let noise: Vec<u8> = (0_u32..32_768).flat_map(|n| Hash::of(&n.to_be_bytes()).0).collect();
    let bytes = envelope::seal(&noise, &[&Identity::from_seed(&[1; 32]).recipient()]).bytes;
    world.write(&format!("{home}/holiday.bin"), &bytes);
    let folder = RealDisk.folder(&world.path(home)).expect("a home");
    let pieces = Pieces::gather(&RealDisk, &[world.path(home).join("holiday.bin")]).expect("a pouch");
    let name = RelPath::parse("holiday.bin.parity").expect("a name");
    make_parity(&Stopped, &pieces, 10, (&*folder, &name), None).expect("made");
    bytes
}

#[test]
fn a_courier_checks_a_pouch_without_a_key_and_repairs_it() {
    let world = World::with_testimony();
    let bytes = pouch(&world, "monitor");
    let run = |args: &[&str]| world.run("monitor", &[&["verify"], args].concat());
    let digest = Hash::of(&bytes).to_string();
    run(&["holiday.bin", "holiday.bin.parity"])
        .exits(0)
        .says("VALID: undamaged")
        .says(&digest)
        .says("pieces of each group may still");
    let alone = run(&["holiday.bin"]).exits(4);
    alone.says("nothing shows damage").says(&digest).says("not checked:");
    let mut torn = bytes.clone();
    torn[500_000..560_000].fill(0);
    world.write("monitor/holiday.bin", &torn);
    run(&["holiday.bin.parity", "holiday.bin"]).exits(4).says("INCOMPLETE: damaged, and all of it can be restored");
    let json = run(&["holiday.bin", "holiday.bin.parity", "--json"]).exits(4).json();
    assert_eq!((&json["verdict"], &json["pouch"]["repairable"]), (&"incomplete".into(), &true.into()));
    assert_eq!(json["pouch"]["damaged"][0]["offset"], 499_712);
    let repair = ["holiday.bin", "holiday.bin.parity", "--repair", "whole.bin"];
    run(&repair).exits(0).says(&digest);
    assert!(fs::read(world.path("monitor").join("whole.bin")).expect("written") == bytes);
    // Nothing that is there is ever replaced.
    run(&repair).exits(1);
    torn[..900_000].fill(7);
    world.write("monitor/holiday.bin", &torn);
    run(&["holiday.bin", "holiday.bin.parity"]).exits(4).says("a part of it is lost");
    run(&["holiday.bin", "holiday.bin.parity", "--repair", "more.bin"]).exits(4);
    assert!(!world.path("monitor").join("more.bin").exists());
    world.write("monitor/holiday.bin", &bytes[..bytes.len() - 4096]);
    run(&["holiday.bin"]).exits(4).says("it was cut short");
    run(&["--repair", "no.bin"]).exits(2);
}

#[test]
fn a_pouch_of_which_much_is_damaged_is_repaired_before_anybody_looks_inside() {
    let world = World::with_testimony();
    world.write("lawyer/film.bin", &vec![7; 60 << 20]);
    let lawyer = |args: &[&str]| world.run("lawyer", &[args, &["--vault", "evidence", "--no-input"]].concat()).exits(0);
    lawyer(&["seal", "film.bin", "--no-readback"]);
    lawyer(&["pack", "--to", "Grey Owl", "--parity", "90", "-o", "../reader/holiday.bin"]);
    let mut torn = world.read("reader/holiday.bin");
    torn[4 << 20..54 << 20].fill(0);
    world.write("reader/holiday.bin", &torn);
    let run = |args: &[&str]| world.run("reader", &[&["verify"], args].concat());
    let told = run(&["holiday.bin", "holiday.bin.parity"]).exits(4);
    told.says("only once it is repaired").says("all of it can be restored");
    run(&["holiday.bin", "holiday.bin.parity", "--repair", "whole.bin"]).exits(0);
    // Whole, and of a vault that nobody has told this reader to trust.
    run(&["whole.bin"]).exits(5).says("content");
}
