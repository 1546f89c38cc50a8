//! `amparo merge`, and what shows contradicting histories to others.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::harness::{Around, World};
use crate::copied::copy_all;

/// The lawyer's vault with a testimony; the reader and the monitor have copies and know it.
fn shared() -> World {
    let world = World::with_testimony();
    for who in ["reader", "monitor"] {
        world.carry(who);
        world.run(who, &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    }
    world
}

fn seal(world: &World, who: &str, text: &str) {
    world.write(&format!("{who}/more.txt"), text.as_bytes());
    world.run(who, &["seal", "more.txt", "--vault", "evidence"]).exits(0);
}

#[test]
fn copies_that_went_separate_ways_become_one_by_merging_both_ways() {
    let world = shared();
    world.run("reader", &["open", "K7-0001", "-o", "out", "--vault", "evidence"]).exits(0);
    seal(&world, "lawyer", "more");
    let merged = world.run("reader", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(0);
    merged
        .says("MERGED: 1 custody event, 3 sealed files and 1 signed state")
        .says("Blue Heron (K7): 1 new event, now 3");
    world.run("reader", &["open", "K7-0002", "-o", "out", "--vault", "evidence"]).exits(0);
    let json = world.run("lawyer", &["merge", "../reader/evidence", "--vault", "evidence", "--json"]).exits(0).json();
    assert_eq!((&json["entries"], &json["blobs"], &json["keys"]), (&2.into(), &0.into(), &0.into()));
    assert_eq!((&json["cosignatures"], &json["verdict"]), (&0.into(), &"valid".into()));
    for key in ["missing", "foreign", "forks", "untaken", "damaged", "findings"] {
        assert_eq!(json[key].as_array().map(Vec::len), Some(0), "{key}");
    }
    let logs = json["logs"].as_array().expect("logs");
    let reader = logs.iter().find(|log| log["name"] == "Grey Owl").expect("the reader's record");
    assert_eq!((&reader["before"], &reader["after"]), (&0.into(), &2.into()));
    assert!(reader["member"].is_string() && reader["log"].is_string());
    for who in ["lawyer", "reader"] {
        world.run(who, &["verify", "evidence"]).exits(0);
        let other = if who == "lawyer" { "../reader/evidence" } else { "../lawyer/evidence" };
        world.run(who, &["merge", other, "--vault", "evidence"]).exits(0).says("Nothing new");
    }
}

#[test]
fn what_cannot_be_merged_is_refused_and_nothing_is_written() {
    let world = shared();
    let before = world.tree("lawyer/evidence");
    let merge = |args: &[&str]| world.run("lawyer", &[&["merge"], args, &["--vault", "evidence"]].concat());
    merge(&["evidence"]).exits(2).says("the vault itself");
    merge(&["evidence/blobs"]).exits(2).says("lies inside it");
    world.write("lawyer/empty/x.txt", b"x");
    merge(&["empty"]).exits(10).says("no copy of a vault");
    merge(&["empty/x.txt"]).exits(3).says("holds no cosignatures");
    merge(&["nowhere"]).exits(1);
    world.run("reader", &["init", "own"]).exits(0);
    merge(&["../reader/own"]).exits(5).says("another vault");
    std::os::unix::fs::symlink(world.path("lawyer/evidence"), world.path("lawyer/alias")).expect("a link");
    assert_ne!(merge(&["alias"]).exit, 0);
    assert_eq!(world.tree("lawyer/evidence"), before);

    // On a device that does not know the vault nothing is taken in, and a stranger reads nothing.
    world.carry("court");
    world.run("court", &["identity", "new", "--name", "Court", "--no-passphrase"]).exits(0);
    let stranger = ["merge", "../lawyer/evidence", "--vault", "evidence", "--owner", "../lawyer.card"];
    world.run("court", &stranger).exits(12);
    world.run("monitor", &["merge", "../lawyer/evidence", "--vault", "evidence", "--state", "other"]).exits(5);
    world.run("lawyer", &["merge", "../reader/evidence", "--vault", "nothing"]).exits(10);
}

#[test]
fn a_source_may_lack_its_file_vault_and_be_read_only_and_damaged() {
    let world = shared();
    seal(&world, "lawyer", "more");
    let source = world.path("lawyer/evidence");
    fs::remove_file(source.join("VAULT")).expect("removed");
    let theirs = world.tree("monitor/evidence");
    let spoilt =
        world.tree("lawyer/evidence").into_keys().find(|name| name.starts_with("blobs") && !theirs.contains_key(name));
    let spoilt = spoilt.expect("a new blob");
    let whole = world.read(&format!("lawyer/evidence/{spoilt}"));
    fs::write(source.join(&spoilt), b"spoilt").expect("damage");
    for folder in [source.clone(), source.join("logs")] {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).expect("read-only");
    }
    let merged = world.run("monitor", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(4);
    merged.says("could not be taken from the other copy").says(&spoilt).never_says("in neither copy");
    assert!(!world.path(&format!("monitor/evidence/{spoilt}")).exists(), "what is damaged is never written");
    world.run("monitor", &["verify", "evidence"]).exits(4);
    fs::write(source.join(&spoilt), whole).expect("mended");
    world.run("monitor", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(0).says("MERGED");
    world.run("monitor", &["verify", "evidence"]).exits(0);
}

#[test]
fn a_stranger_in_the_other_copy_stays_there() {
    let world = shared();
    let stray = format!("lawyer/evidence/blobs/ab/ab{}", "0".repeat(62));
    world.write(&stray, b"stray");
    world.write("lawyer/evidence/notes.txt", b"stray");
    let before = world.tree("monitor/evidence");
    let merged = world.run("monitor", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(0);
    merged.says("Nothing new").says("left in the other copy").says("notes.txt").says("blobs/ab/ab");
    assert_eq!(world.tree("monitor/evidence"), before);
}

#[test]
fn a_damaged_file_here_gives_way_only_when_the_person_says_so() {
    let world = shared();
    let blob = world.tree("lawyer/evidence").into_keys().find(|name| name.starts_with("blobs")).expect("a blob");
    fs::write(world.path(&format!("monitor/evidence/{blob}")), b"torn").expect("damage");
    world.run("monitor", &["verify", "evidence"]).exits(3);
    let args = ["merge", "../lawyer/evidence", "--vault", "evidence"];
    world.run("monitor", &args).exits(0).says("Nothing new");
    world.run("monitor", &["verify", "evidence"]).exits(3);
    world.run("monitor", &[&args[..], &["--replace-damaged"]].concat()).exits(0).says("1 sealed file");
    world.run("monitor", &["verify", "evidence"]).exits(0);
}

#[test]
fn a_newcomer_whose_keys_lie_only_in_the_other_copy_merges() {
    let world = shared();
    fs::remove_dir_all(world.path("monitor/evidence/keys")).expect("no keys");
    world.run("monitor", &["list", "--vault", "evidence"]).exits(12);
    let merged = world.run("monitor", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(0);
    merged.says("12 keys");
    world.run("monitor", &["verify", "evidence"]).exits(0);
}

#[test]
fn an_older_copy_is_refused_with_the_way_out_and_a_merge_clears_it() {
    let world = shared();
    world.carry("drawer");
    seal(&world, "lawyer", "more");
    fs::rename(world.path("lawyer/evidence"), world.path("lawyer/newer")).expect("moved");
    fs::rename(world.path("drawer/evidence"), world.path("lawyer/evidence")).expect("the older copy is taken out");
    world.write("lawyer/x.txt", b"x");
    let refused = world.run("lawyer", &["seal", "x.txt", "--vault", "evidence"]).exits(4);
    refused.says("older than what this device has seen or written").says("hint: amparo merge DIR");
    world.run("lawyer", &["verify", "evidence"]).exits(4).says("INCOMPLETE (behind)");
    world.run("lawyer", &["merge", "newer", "--vault", "evidence"]).exits(0);
    world.run("lawyer", &["verify", "evidence"]).exits(0);
    world.run("lawyer", &["seal", "x.txt", "--vault", "evidence"]).exits(0).says("K7-0003");
}

#[test]
fn a_device_that_has_seen_more_of_others_warns_when_it_seals() {
    let world = shared();
    world.run("reader", &["open", "K7-0001", "-o", "out", "--vault", "evidence"]).exits(0);
    world.carry("drawer");
    world.run("lawyer", &["merge", "../reader/evidence", "--vault", "evidence"]).exits(0);
    fs::rename(world.path("lawyer/evidence"), world.path("lawyer/newer")).expect("moved");
    fs::rename(world.path("drawer/evidence"), world.path("lawyer/evidence")).expect("the older copy is taken out");
    world.write("lawyer/x.txt", b"x");
    world
        .run("lawyer", &["seal", "x.txt", "--vault", "evidence"])
        .exits(0)
        .says("this is an older copy; amparo merge DIR");
}

#[test]
fn ctrl_c_leaves_the_vault_as_it_was() {
    use super::harness::Around;
    let world = shared();
    seal(&world, "lawyer", "more");
    let before = world.tree("monitor/evidence");
    let around = Around { stopped: true, ..Around::default() };
    world.run_in("monitor", &["merge", "../lawyer/evidence", "--vault", "evidence"], &around).exits(130);
    assert_eq!(world.tree("monitor/evidence"), before);
    world.run("monitor", &["verify", "evidence"]).exits(0);
    world.run("monitor", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(0);
}

/// The lawyer's whole device, memory included, is cloned; both go on. The reader's vault is at hand for who merges.
fn cloned() -> World {
    let world = shared();
    copy_all(&world.path("lawyer"), &world.path("clone"));
    seal(&world, "lawyer", "on the laptop");
    world.write("clone/more.txt", b"on the clone");
    world.run_on("clone", "lawyer", &["seal", "more.txt", "--vault", "evidence"]).exits(0);
    world.write("clone/more.txt", b"on the clone again");
    world.run_on("clone", "lawyer", &["seal", "more.txt", "--vault", "evidence"]).exits(0);
    world
}

#[test]
fn a_cloned_disk_is_told_as_two_histories_and_each_copy_goes_on() {
    let world = cloned();
    let merge = |who: &str, other: &str| {
        world.run_on(who, "lawyer", &["merge", &format!("../{other}/evidence"), "--vault", "evidence"])
    };
    merge("lawyer", "clone").exits(3).says("two histories signed with one key").says("they part after 2 events");
    merge("clone", "lawyer").exits(3).says("contradicting histories");
    // Earlier states of a history are not needed, and stay where they are.
    let tree = |who: &str| {
        let mut tree = world.tree(&format!("{who}/evidence"));
        tree.retain(|name, _| !name.contains("checkpoints"));
        tree
    };
    assert_eq!(tree("lawyer"), tree("clone"), "both copies hold both histories");
    for who in ["lawyer", "clone"] {
        let json = world.run_on(who, "lawyer", &["verify", "evidence", "--json"]).exits(3).json();
        let findings = json["findings"].as_array().expect("findings");
        assert!(findings.iter().all(|found| found["check"] == "fork"), "{findings:?}");
        // It goes on in a new record.
        world.write(&format!("{who}/on.txt"), who.as_bytes());
        let sealed = world.run_on(who, "lawyer", &["seal", "on.txt", "--vault", "evidence", "--json"]).exits(0).json();
        assert!(!sealed["exhibits"][0]["id"].as_str().expect("an id").starts_with("K7-"), "{sealed}");
    }
    merge("lawyer", "clone").exits(3);
    merge("clone", "lawyer").exits(3);
    merge("lawyer", "clone").exits(3).says("Nothing new");
    let json = world.run_on("lawyer", "lawyer", &["verify", "evidence", "--json"]).exits(3).json();
    assert_eq!(json["findings"].as_array().map(Vec::len), Some(1), "{}", json["findings"]);
    assert_eq!(json["logs"].as_array().map(Vec::len), Some(3));
    // What was sealed before they parted opens; what only one history tells is not vouched for.
    world.run("reader", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(3);
    world.run("reader", &["open", "K7-0001", "-o", "out", "--vault", "evidence"]).exits(0).says("two histories");
    world.run("reader", &["custody", "receipt", "K7-0001", "--vault", "evidence"]).exits(0);
    let refused = world.run("reader", &["custody", "receipt", "K7-0002", "--vault", "evidence"]).exits(3);
    refused.says("part after 2 events").says("hint: amparo verify --fork-proof FILE");
}

#[test]
fn a_proof_convinces_whoever_has_only_the_card() {
    let world = cloned();
    world.run("monitor", &["verify", "evidence", "--fork-proof", "../none.txt"]).exits(0).says("no proof was written");
    assert!(!world.path("none.txt").exists());
    world.run("monitor", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(0);
    world.run("monitor", &["merge", "../clone/evidence", "--vault", "evidence"]).exits(3);
    world.run("monitor", &["verify", "evidence"]).exits(3).says("next: amparo verify --fork-proof");
    world.run("monitor", &["verify", "evidence", "--fork-proof", "evidence/p.txt"]).exits(2).says("inside the vault");
    let json = world.run("monitor", &["verify", "evidence", "--fork-proof", "../proof.txt", "--json"]).exits(3).json();
    assert_eq!(json["fork_proofs"].as_array().map(Vec::len), Some(1));
    world.run("monitor", &["verify", "evidence", "--fork-proof", "../proof.txt"]).exits(1).says("exists already");

    let proved = world.run("court", &["verify", "../proof.txt", "--owner", "../lawyer.card"]).exits(0);
    proved.never_says("VALID").says("PROVED").says("two histories signed with one key").says("Blue Heron");
    world.run("court", &["verify", "../proof.txt", "../lawyer.card", "--json"]).exits(5);
    world.run("court", &["verify", "../proof.txt"]).exits(5).says("whose card was given");
    world.run("court", &["verify", "../proof.txt", "--owner", "../monitor.card"]).exits(5);
    let json = world.run("court", &["verify", "../proof.txt", "--owner", "../lawyer.card", "--json"]).exits(0).json();
    assert_eq!((&json["files"][0]["kind"], &json["files"][0]["known"]), (&"fork".into(), &true.into()));

    // A line that is another's, and a proof of nothing.
    let text = String::from_utf8(world.read("proof.txt")).expect("text");
    let root = text.lines().nth(1).expect("a root").to_string();
    let forged = text.replacen(&root, &format!("root {}=", "A".repeat(43)), 1);
    world.write("forged.txt", forged.as_bytes());
    let json = world.run("court", &["verify", "../forged.txt", "--owner", "../lawyer.card", "--json"]).exits(3).json();
    assert_eq!(json["findings"][0]["check"], "fork");
    let (front, last) = text.trim_end().rsplit_once(' ').expect("the last signature");
    let turned = if last.as_bytes()[100] == b'A' { "B" } else { "A" };
    world.write("forged2.txt", format!("{front} {}{turned}{}\n", &last[..100], &last[101..]).as_bytes());
    let json = world.run("court", &["verify", "../forged2.txt", "--owner", "../lawyer.card", "--json"]).exits(3).json();
    assert_eq!(json["findings"][0]["check"], "signature");

    // Against a copy that has one of the histories, the proof shows what that copy hides.
    world.run("reader", &["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(0);
    let json = world.run("reader", &["verify", "evidence", "../proof.txt", "--json"]).exits(3).json();
    assert_eq!(json["findings"][0]["check"], "fork");
}

#[test]
fn what_somebody_remembers_proves_a_history_that_was_replaced() {
    let world = cloned();
    world.run("lawyer", &["custody", "receipt", "K7-0002", "-o", "../r.txt", "--vault", "evidence"]).exits(0);
    world.run("monitor", &["merge", "../clone/evidence", "--vault", "evidence"]).exits(0);
    let args = ["verify", "evidence", "--receipt", "../r.txt", "--fork-proof", "../proof.txt"];
    world.run("monitor", &args).exits(3).says("INVALID (fork)").says("proof.txt");
    world.run("court", &["verify", "../proof.txt", "--owner", "../lawyer.card"]).exits(0).says("PROVED");
}

#[test]
fn a_device_restored_from_paper_and_the_old_one_are_both_right() {
    let world = shared();
    // The same identity on a new machine, with nothing remembered and somebody's copy of the vault.
    world.write("new/identity.age", &world.read("lawyer/.config/amparo/identity.age"));
    copy_all(&world.path("monitor/evidence"), &world.path("new/evidence"));
    let new = |args: &[&str]| world.run("new", &[args, &["--identity", "identity.age"]].concat());
    new(&["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    world.write("new/n.txt", b"from the new machine");
    new(&["seal", "n.txt", "--vault", "evidence"]).exits(0).says("next");
    // The old machine turns up again and goes on.
    seal(&world, "lawyer", "from the old machine");
    world.run("lawyer", &["merge", "../new/evidence", "--vault", "evidence"]).exits(0);
    new(&["merge", "../lawyer/evidence", "--vault", "evidence"]).exits(0);
    for json in [
        world.run("lawyer", &["verify", "evidence", "--json"]).exits(0).json(),
        new(&["verify", "evidence", "--json"]).exits(0).json(),
    ] {
        assert_eq!((&json["verdict"], &json["exhibits"]), (&"valid".into(), &3.into()));
        assert_eq!(json["logs"].as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn standard_input_is_read_once_within_a_room_as_well() {
    let world = World::with_vault();
    world.carry("monitor");
    let cosign = ["verify", "evidence", "--cosign", "--cosignatures", "../c.txt", "--vault-id", &world.digits()];
    world.run("monitor", &cosign).exits(0);
    let twice = ["merge", "-", "--vault", "evidence", "--owner", "-"];
    let given = Around { stdin: &world.read("c.txt"), ..Around::default() };
    world.run_in("lawyer", &twice, &given).exits(2).says("standard input");
}
