//! `amparo merge FILE`, and `amparo verify --cosign`, which makes such files.

use super::harness::{Around, World};

/// A vault with one testimony and two monitors who must both sign; each person has a copy and knows the vault.
fn watched() -> World {
    let world = World::new();
    let people = [("lawyer", "Blue Heron"), ("reader", "Grey Owl"), ("monitor", "Red Kite"), ("second", "Plover")];
    for (who, name) in people {
        world.run(who, &["identity", "new", "--name", name, "--no-passphrase"]).exits(0);
        world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
    }
    let init = "init evidence --reader ../reader.card --monitor ../monitor.card --monitor ../second.card --handle K7 \
                --monitors-needed 2";
    world.run("lawyer", &init.split(' ').collect::<Vec<_>>()).exits(0).says("once 2 monitors have signed");
    world.write("lawyer/t.txt", b"I was there.\n");
    world.run("lawyer", &["seal", "t.txt", "--vault", "evidence"]).exits(0);
    for who in ["reader", "monitor", "second"] {
        world.carry(who);
        world.run(who, &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    }
    world
}

fn cosign(file: &str) -> Vec<&str> {
    vec!["verify", "evidence", "--cosign", "--cosignatures", file]
}

#[test]
fn what_monitors_sign_reaches_other_copies_and_covers_exhibits() {
    let world = watched();
    let made = world.run("monitor", &cosign("../red.txt")).exits(0);
    assert!(made.out.starts_with("VALID: unchanged since sealing\n"));
    made.says("cosigned by you now:\n  Blue Heron up to event K7:1\n")
        .says("1 of the 2 monitors needed signed K7: 0 of 1 exhibits covered")
        .says("adds them with: amparo merge ../red.txt")
        .never_says("NOT cosigned");
    world.run("second", &cosign("../plover.txt")).exits(0);

    let merge = ["merge", "../red.txt", "--vault", "evidence"];
    world.run("lawyer", &merge).exits(0).says("ADDED    Red Kite signed K7 of Blue Heron at 2 events");
    world.run("lawyer", &merge).exits(0).says("HERE     Red Kite").says("0 cosignatures added, 1 here already");
    let partly = world.run("lawyer", &["verify", "evidence", "--json"]).exits(0).json();
    assert_eq!((&partly["covered_exhibits"], &partly["monitors_needed"]), (&0.into(), &2.into()));
    assert_eq!((&partly["logs"][0]["covered_size"], &partly["exhibits"]), (&0.into(), &1.into()));

    // As a mail program delivers it, through a pipe.
    let text = String::from_utf8(world.read("plover.txt")).expect("text").replace('\n', "\r\n");
    let around = Around { stdin: text.as_bytes(), ..Around::default() };
    world.run_in("lawyer", &["merge", "-", "--vault", "evidence"], &around).exits(0).says("ADDED    Plover");
    world
        .run("lawyer", &["verify", "evidence"])
        .exits(0)
        .says("2 of the 2 monitors needed signed K7 up to event K7:1: 1 of 1 exhibits covered")
        .says("Red Kite signed K7 at 2 events, 2026-11-20T12:30:00Z by that device's clock");
    let json = world.run("lawyer", &["verify", "evidence", "--json"]).exits(0).json();
    assert_eq!((&json["covered_exhibits"], &json["logs"][0]["covered_size"]), (&1.into(), &2.into()));
    let by = &json["logs"][0]["cosigned_by"][0];
    for key in ["member", "name", "size", "time", "monitor"] {
        assert!(!by[key].is_null(), "{key}");
    }
    // The reader's copy knows nothing of it yet; her content check counts for no monitor.
    world.run("reader", &["verify", "evidence", "--cosign"]).exits(0).says("counts as no monitor");
}

/// Her first check lacked a sealed file; when it has come she checks again, and the record says so, with no other file.
#[test]
fn a_better_check_of_what_was_signed_before_is_recorded() {
    let world = watched();
    let shown = world.run("reader", &["show", "K7-0001", "--vault", "evidence", "--json"]).exits(0).json();
    let name = shown["blob_names"][0].as_str().expect("a sealed file").to_string();
    let lost = format!("monitor/evidence/blobs/{}/{name}", &name[..2]);
    std::fs::remove_file(world.path(&lost)).expect("lost");
    let check = || world.run("monitor", &["verify", "evidence", "--cosign", "--json"]).json();
    let first = check();
    assert_eq!((&first["verdict"], &first["cosigned"]["entry"]["seq"]), (&"incomplete".into(), &0.into()));
    // Nothing has changed, and nothing is said again.
    assert!(check()["cosigned"]["entry"].is_null());
    world.copy("lawyer/evidence/blobs", "monitor/evidence/blobs");
    let second = check();
    assert_eq!((&second["verdict"], &second["cosigned"]["entry"]["seq"]), (&"valid".into(), &1.into()));
    assert_eq!(second["cosigned"]["signed"], serde_json::json!([]));
    assert_eq!(second["cosigned"]["before"].as_array().map(Vec::len), Some(1));
    assert_eq!((&first["cosigned"]["rechecked"], &second["cosigned"]["rechecked"]), (&0.into(), &1.into()));
    assert!(check()["cosigned"]["entry"].is_null());
    let log = world.run("monitor", &["custody", "log", "--vault", "evidence", "--json"]).exits(0).json();
    let said: Vec<_> =
        log["entries"].as_array().expect("entries").iter().filter(|one| one["event"] == "verify").collect();
    let told: Vec<_> = said.iter().map(|one| (&one["verdict"], &one["heads"][0]["size"])).collect();
    assert_eq!(told, [(&"incomplete".into(), &2.into()), (&"valid".into(), &2.into())]);
    world.hand("monitor", "lawyer");
    world.run("lawyer", &["verify", "evidence"]).exits(0).says("1 of the 2 monitors needed signed K7");
}

#[test]
fn a_state_is_cosigned_once_and_the_file_can_be_made_again() {
    let world = watched();
    let json = world.run("monitor", &["verify", "evidence", "--cosign", "--json"]).exits(0).json();
    let cosigned = &json["cosigned"];
    assert_eq!((&cosigned["signed"][0]["size"], &cosigned["entry"]["seq"]), (&2.into(), &0.into()));
    assert_eq!((&cosigned["refused"], &cosigned["withheld"]), (&serde_json::Value::Null, &serde_json::json!([])));
    let again = world.run("monitor", &cosign("../red.txt")).exits(0);
    again.says("cosigned by you before:\n  Blue Heron").never_says("by you now");
    world.run("monitor", &cosign("../red.txt")).exits(1).says("exists already");
    let replaced = [cosign("../red.txt"), vec!["--overwrite"]].concat();
    world.run("monitor", &replaced).exits(0);
    let to_stdout =
        world.run("monitor", &cosign("-")).exits(0).says("VALID: unchanged since sealing").says("1 state cosigned");
    assert_eq!(to_stdout.out.as_bytes(), world.read("red.txt"));
    let counted = world.run("monitor", &["verify", "evidence", "--json"]).exits(0).json();
    let own = counted["logs"].as_array().expect("logs").iter().find(|log| log["name"] == "Red Kite").expect("hers");
    assert_eq!(own["size"], 1, "one check was entered");
    world.run("monitor", &[&cosign("-")[..], &["--json"]].concat()).exits(2).says("--cosignatures FILE");
}

/// The monitor's cosignatures go home as answers, without any sealed file; and who has seen them gets none again.
#[test]
fn answers_carry_cosignatures() {
    let world = watched();
    world.run("monitor", &["verify", "evidence", "--cosign"]).exits(0).says("by you now");
    let answers = |name: &str| {
        let file = format!("../{name}");
        world.run("monitor", &["pack", "--answers", "--to", "Blue Heron", "-o", &file, "--vault", "evidence"])
    };
    answers("kite.txt").exits(0);
    assert!(world.read("kite.txt").len() < 64 << 10, "it goes by mail: {} bytes", world.read("kite.txt").len());
    let signers = || {
        let json = world.run("lawyer", &["verify", "evidence", "--json"]).exits(0).json();
        let own = json["logs"].as_array().expect("logs").iter().find(|log| log["name"] == "Blue Heron").expect("hers");
        own["cosigned_by"].as_array().expect("a list").len()
    };
    assert_eq!(signers(), 0);
    let merge = ["merge", "../kite.txt", "--vault", "evidence", "--json"];
    let merged = world.run("lawyer", &merge).exits(0).json();
    assert_eq!((&merged["cosignatures"], &merged["entries"], &merged["blobs"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(signers(), 1);
    let again = world.run("lawyer", &merge).exits(0).json();
    assert_eq!((&again["cosignatures"], &again["entries"]), (&0.into(), &0.into()));
    // Handed on to a third, who lacks both.
    let on = ["pack", "--answers", "--to", "Grey Owl", "-o", "../on.txt", "--vault", "evidence"];
    world.run("lawyer", &on).exits(0);
    let merged = world.run("reader", &["merge", "../on.txt", "--vault", "evidence", "--json"]).exits(0).json();
    assert_eq!(merged["cosignatures"], 1);
}

#[test]
fn what_does_not_hold_is_not_cosigned() {
    let world = watched();
    let older = world.path("second/evidence");
    world.write("lawyer/u.txt", b"and later\n");
    world.run("lawyer", &["seal", "u.txt", "--vault", "evidence", "--receipt", "../receipt.txt"]).exits(0);
    // A copy that is older than what a receipt shows.
    let with_receipt = ["verify", "evidence", "--cosign", "--receipt", "../receipt.txt"];
    let behind = world.run("second", &with_receipt).exits(4);
    behind.says("NOT cosigned:\n  K7 of Blue Heron: a longer state of it was signed").never_says("by you now");
    assert!(!older.join("logs").read_dir().expect("logs").flatten().any(|log| log.path().join("cosign").exists()));
    // One that is older than what the device has seen.
    let newer = world.path("monitor/newer");
    std::process::Command::new("cp").arg("-r").arg(world.path("lawyer/evidence")).arg(&newer).status().expect("cp");
    world.run("monitor", &["verify", "newer", "--cosign", "--cosignatures", "../newer.txt"]).exits(0);
    world
        .run("monitor", &["verify", "evidence", "--cosign"])
        .exits(4)
        .says("this device has seen Blue Heron's custody record K7 with 3 events");

    // A copy in which a sealed file is damaged.
    let blobs = world.path("second/evidence/blobs");
    let shelf = blobs.read_dir().expect("shelves").next().expect("one").expect("readable").path();
    let blob = shelf.read_dir().expect("blobs").next().expect("one").expect("readable").path();
    std::fs::write(&blob, b"damaged").expect("written");
    let damaged = world.run("second", &["verify", "evidence", "--cosign"]).exits(3);
    damaged.says("NOTHING was cosigned:\n  blobs/").never_says("by you now");
    let json = world.run("second", &["verify", "evidence", "--cosign", "--json"]).exits(3).json();
    assert!(json["cosigned"]["refused"].is_string() && json["cosigned"]["entry"].is_null());

    // A monitor has signed more than the reader's copy has: whoever takes that in knows.
    let taken = world.run("reader", &["merge", "../newer.txt", "--vault", "evidence"]).exits(0);
    taken.says("this copy is older: Red Kite saw K7 of Blue Heron with 3 events");
    world.run("reader", &["verify", "evidence"]).exits(4).says("INCOMPLETE (behind)");
}

#[test]
fn whoever_may_not_cosign_is_told_why() {
    let world = watched();
    world.run("court", &["identity", "new", "--name", "Court", "--no-passphrase"]).exits(0);
    world.carry("court");
    world.run("court", &["verify", "evidence", "--cosign", "--owner", "../lawyer.card"]).exits(12);
    world.carry("stranger");
    world.run("stranger", &["verify", "evidence", "--cosign"]).exits(12).says("amparo identity new");
    world
        .run("monitor", &["verify", "../lawyer.card", "--cosign"])
        .exits(2)
        .says("are about a vault, and none is named");
    world.run("monitor", &["verify", "evidence", "--cosignatures", "x"]).exits(2).says("--cosign");
    world.run("monitor", &["verify", "evidence", "--cosign", "--state", "new"]).exits(5).says("--owner CARD");
}

#[test]
fn what_cannot_be_taken_in_is_refused_with_its_reason() {
    let world = watched();
    world.run("monitor", &cosign("../red.txt")).exits(0);
    let text = String::from_utf8(world.read("red.txt")).expect("text");
    let merge = |file: &str| world.run("lawyer", &["merge", file, "--vault", "evidence"]);
    world.write("greeting.txt", format!("Dear friend,\n\n{text}").as_bytes());
    merge("../greeting.txt")
        .exits(3)
        .says("line 1 is no part of a cosigned state")
        .says("hint: ask for the file again");
    let (head, tail) = text.trim_end().rsplit_once("AAAA").expect("a signature line has zeros of its time");
    world.write("changed.txt", format!("{head}AAAB{tail}\n").as_bytes());
    merge("../changed.txt").exits(3).says("REFUSED  number 1 of the file:").says("0 cosignatures added");
    world.write("state.txt", format!("{}\n", text.lines().take(6).collect::<Vec<_>>().join("\n")).as_bytes());
    merge("../state.txt").exits(4).says("nobody who was admitted to this vault cosigned it");
    let json = world.run("lawyer", &["merge", "../state.txt", "--vault", "evidence", "--json"]).exits(4).json();
    assert_eq!(json["cosignatures"]["refused"][0]["number"], 1);
    merge("evidence").exits(2).says("the vault itself");
    merge("../none.txt").exits(1).says("does not exist");
    merge("t.txt").exits(3).says("line 1 is no part");
    // Another vault of the same people.
    world.run("lawyer", &["init", "other", "--monitor", "../monitor.card"]).exits(0);
    world.run("lawyer", &["merge", "../red.txt", "--vault", "other"]).exits(4).says("it is about another vault");
    // Nothing was added by all this.
    let json = world.run("lawyer", &["verify", "evidence", "--json"]).exits(0).json();
    assert_eq!(json["logs"][0]["cosigned_by"], serde_json::json!([]));
    // Several in one file are no paper of one state.
    world.write("two.txt", format!("{text}\n{text}").as_bytes());
    world.run("court", &["verify", "../two.txt"]).exits(2).says("hint: amparo merge ../two.txt");
    let json = world.run("lawyer", &["merge", "../two.txt", "--vault", "evidence", "--json"]).exits(0).json();
    let cosignatures = &json["cosignatures"];
    assert_eq!(cosignatures["added"].as_array().map(Vec::len), Some(1));
    assert_eq!(cosignatures["here"].as_array().map(Vec::len), Some(1));
    assert_eq!(cosignatures["added"][0]["worth"], "counts");
    // One alone is a signed state as well, which the founder's card proves.
    world.run("court", &["verify", "../red.txt", "--owner", "../lawyer.card"]).exits(0).says("a signed state");
}
