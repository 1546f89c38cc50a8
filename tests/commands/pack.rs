//! `amparo pack`: what goes, for whom, what stays, and what is told of it.

use std::fs;
use std::time::{Duration, SystemTime};

use amparo::crypto::hash::Hash;
use serde_json::{Value, json};

use super::harness::{Around, Outcome, World};

/// In a person's own copy.
pub(crate) fn at(world: &World, who: &str, args: &[&str]) -> Outcome {
    world.run(who, &[args, &["--vault", "evidence"]].concat())
}

/// The lawyer packs for Grey Owl, into a file that both can reach.
pub(crate) fn packs(world: &World, name: &str, more: &[&str]) -> Outcome {
    at(world, "lawyer", &[&["pack", "--to", "Grey Owl", "-o", &format!("../{name}"), "--no-input"], more].concat())
}

/// Seals a text of that name in the lawyer's vault.
pub(crate) fn seals(world: &World, name: &str) {
    world.write(&format!("lawyer/{name}"), name.as_bytes());
    at(world, "lawyer", &["seal", name, "--kind", "document"]).exits(0);
}

/// The events of a copy's custody story, in order.
pub(crate) fn events(world: &World, who: &str) -> Vec<Value> {
    let told = at(world, who, &["custody", "log", "--json"]).exits(0).json();
    told["entries"].as_array().expect("entries").clone()
}

/// What a new copy of the reader has of it: the labels of exhibits that she can open.
fn arrives(world: &World, name: &str) -> Vec<String> {
    let home = format!("reader of {name}");
    world.copy("reader", &home);
    let unpacked = ["unpack", &format!("../{name}"), "-o", "new", "--owner", "../lawyer.card", "--json"];
    let unpacked = world.run(&home, &unpacked).json();
    assert!(unpacked["entries"].as_u64() > Some(0), "{unpacked:#}");
    let listed = world.run(&home, &["list", "--vault", "new", "--json"]).json();
    let ids = listed["exhibits"].as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id"));
    let opens = |id: &&str| world.run(&home, &["open", id, "-o", &format!("o {id}"), "--vault", "new"]).exit == 0;
    ids.filter(opens).map(String::from).collect()
}

#[test]
fn a_pouch_is_the_offer_and_is_told() {
    let world = World::with_testimony();
    let packed = packs(&world, "trip.bin", &["--carrier", "Blue Tit", "--purpose", "review"]).exits(0);
    let file = world.read("trip.bin");
    let sha256 = Hash::of(&file).to_string();
    assert!(packed.out.starts_with("PACKED ../trip.bin for Grey Owl: K7-0001, "), "{}", packed.out);
    packed
        .says("K7:2 offers it to Grey Owl: pending until the answer is in your copy")
        .says(&format!("SHA-256 of the pouch, to be compared by another road: {sha256}"))
        .says("  amparo unpack ../trip.bin -o evidence")
        .says("next: amparo verify ../trip.bin");
    let told = events(&world, "lawyer");
    let (offer, pack) = (&told[2], &told[3]);
    assert_eq!((&offer["event"], &offer["status"]), (&"offer".into(), &"pending".into()));
    assert_eq!((&offer["carrier"], &offer["purpose"]), (&"Blue Tit".into(), &"review".into()));
    assert_eq!(offer["to_name"], "Grey Owl");
    assert_eq!(pack["event"], "pack", "{pack:#}");
    at(&world, "lawyer", &["verify"]).exits(0);
    // Neither a date nor a name of it is this program's.
    let modified = fs::metadata(world.path("trip.bin")).and_then(|stat| stat.modified()).expect("a time");
    assert_eq!(modified, SystemTime::UNIX_EPOCH + Duration::from_hours(262_968), "the first second of 2000");
    assert!(file.starts_with(b"age-encryption.org/v1\n"));
    // The lawyer, who made it, cannot open it again.
    let again = world.run("lawyer", &["unpack", "../trip.bin", "-o", "mine"]).exits(12);
    again.says("this pouch is for others: no key here opens it");
    assert!(!world.path("lawyer/mine").exists());
}

#[test]
fn a_script_gets_one_object() {
    let world = World::with_testimony();
    let object = packs(&world, "trip.bin", &["--json"]).exits(0).json();
    let keys: Vec<&String> = object.as_object().expect("an object").keys().collect();
    let fixed = [
        "format",
        "pouch",
        "files",
        "parity",
        "bytes",
        "sha256",
        "to",
        "offers",
        "entry",
        "exhibits",
        "everything",
        "known",
        "withdrawn",
        "withdrawn_records",
        "broken",
        "lacking",
        "may_be_missing",
        "warnings",
    ];
    assert_eq!(keys, fixed);
    let file = world.read("trip.bin");
    assert_eq!((&object["bytes"], &object["sha256"]), (&file.len().into(), &Hash::of(&file).to_string().into()));
    assert_eq!((&object["pouch"], &object["entry"]), (&"../trip.bin".into(), &"K7:3".into()));
    assert_eq!(object["offers"], json!([{ "offer": "K7:2", "to_name": "Grey Owl" }]));
    assert_eq!((&object["to"][0]["name"], &object["exhibits"]), (&"Grey Owl".into(), &json!(["K7-0001"])));
    assert_eq!((&object["everything"], &object["known"]), (&true.into(), &0.into()));
    assert_eq!((&object["withdrawn"], &object["lacking"]), (&json!([]), &json!([])));
    let answers = ["pack", "--answers", "--to", "Grey Owl", "-o", "../a.txt", "--json"];
    let object = at(&world, "lawyer", &answers).exits(0).json();
    assert_eq!(object.as_object().expect("an object").len(), fixed.len());
    assert_eq!((&object["entry"], &object["offers"], &object["exhibits"]), (&Value::Null, &json!([]), &json!([])));
    assert_eq!(object["sha256"], Hash::of(&world.read("a.txt")).to_string());
}

#[test]
fn names_that_are_taken_or_inside_the_vault_are_refused_before_anything_is_said() {
    let world = World::with_testimony();
    world.write("taken.bin", b"mine");
    packs(&world, "taken.bin", &[]).exits(1).says("exists already");
    assert_eq!(world.read("taken.bin"), b"mine");
    at(&world, "lawyer", &["pack", "--to", "Grey Owl", "-o", "evidence/trip.bin"]).exits(2).says("inside the vault");
    at(&world, "lawyer", &["pack", "--to", "Grey Owl", "-o", "none/trip.bin"]).exits(1);
    at(&world, "lawyer", &["pack", "-o", "trip.bin"]).exits(2).says("--to");
    at(&world, "lawyer", &["pack", "--to", "Grey Owl"]).exits(2).says("--output");
    at(&world, "lawyer", &["pack", "--to", "Somebody", "-o", "trip.bin"]).exits(1).says("nobody in this vault");
    at(&world, "lawyer", &["pack", "--to", "Grey Owl", "-o", "trip.bin", "K7-0009"]).exits(1).says("no exhibit");
    let long = "x".repeat(5000);
    packs(&world, "trip.bin", &["--medium", &long]).exits(2).says("--medium");
    for more in [["--answers", "K7-0001"], ["--answers", "--carrier=x"]] {
        packs(&world, "trip.bin", &more).exits(2).says("--answers");
    }
    world.run("lawyer", &["pack", "--to", "Grey Owl", "-o", "trip.bin", "--vault", "nothing"]).exits(10);
    world.run("monitor", &["pack", "--to", "Grey Owl", "-o", "trip.bin", "--vault", "../lawyer/evidence"]).exits(5);
    assert_eq!(events(&world, "lawyer").len(), 2, "founding and sealing, and nothing since");
    assert!(!world.path("trip.bin").exists() && !world.path("lawyer/trip.bin").exists());
}

#[test]
fn only_what_was_named_goes_and_the_rest_is_not_missing() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    seals(&world, "third.txt");
    packs(&world, "two.bin", &["k7-3", "K7-0001", "K7-0003"]).exits(0).says("Grey Owl: K7-0001, K7-0003,");
    assert_eq!(arrives(&world, "two.bin"), ["K7-0001", "K7-0003"]);
    packs(&world, "all.bin", &[]).exits(0).says("Grey Owl: K7-0001, K7-0002, K7-0003,");
    assert_eq!(arrives(&world, "all.bin"), ["K7-0001", "K7-0002", "K7-0003"]);
}

#[test]
fn what_was_acknowledged_does_not_go_again_unless_it_is_named() {
    let world = World::with_testimony();
    packs(&world, "one.bin", &[]).exits(0);
    let unpack = ["unpack", "../one.bin", "-o", "evidence", "--owner", "../lawyer.card", "--sign"];
    world.run("reader", &unpack).exits(0).says("ACKNOWLEDGED K7:2");
    // As long as the answer is not here, all goes again.
    let object = packs(&world, "again.bin", &["--json"]).exits(0).json();
    assert_eq!((&object["exhibits"], &object["known"]), (&json!(["K7-0001"]), &0.into()));
    at(&world, "lawyer", &["merge", "../reader/one.answer"]).exits(0);
    let object = packs(&world, "none.bin", &["--json"]).exits(0).json();
    assert_eq!((&object["exhibits"], &object["known"]), (&json!([]), &1.into()));
    assert_eq!(object["offers"], json!([]), "there is nothing to sign for");
    seals(&world, "second.txt");
    let packed = packs(&world, "new.bin", &[]).exits(0);
    packed
        .says("for Grey Owl: K7-0002,")
        .says("not in it: 1 exhibit, which they signed for or sealed themselves")
        .says("amparo custody offer --to");
    // Offer and entry name what went, so that nobody reads in the story of the first that it went again.
    let told = events(&world, "lawyer");
    for entry in &told[told.len() - 2..] {
        assert_eq!(entry["exhibits"], json!(["K7-0002"]), "{entry:#}");
    }
    packs(&world, "named.bin", &["K7-0001"]).exits(0).says("for Grey Owl: K7-0001,");
    // For two, whatever one of them lacks.
    packs(&world, "both.bin", &["--to", "Red Kite"]).exits(0).says("Grey Owl and Red Kite: K7-0001, K7-0002,");
}

#[test]
fn withdrawn_consent_keeps_an_exhibit_back_unless_a_purpose_is_stated() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    at(&world, "lawyer", &["custody", "withdraw", "K7-0001", "--scope", "all"]).exits(0);
    let packed = packs(&world, "trip.bin", &[]).exits(0);
    packed.says("for Grey Owl: K7-0002,").says("K7-0001 is not in it: consent was withdrawn");
    assert_eq!(arrives(&world, "trip.bin"), ["K7-0002"]);
    let object = packs(&world, "json.bin", &["--json"]).exits(0).json();
    assert_eq!((&object["withdrawn"], &object["everything"]), (&json!(["K7-0001"]), &false.into()));
    let refused = packs(&world, "x.bin", &["K7-0001"]).exits(2);
    refused.says("consent for K7-0001 was withdrawn").says("--purpose");
    assert!(!world.path("x.bin").exists());
    packs(&world, "ordered.bin", &["K7-0001", "--purpose", "ordered by the court"]).exits(0).says("Owl: K7-0001,");
    let offer = events(&world, "lawyer").into_iter().rfind(|entry| entry["event"] == "offer").expect("an offer");
    assert_eq!((&offer["purpose"], &offer["exhibits"][0]), (&"ordered by the court".into(), &"K7-0001".into()));
}

#[test]
fn a_pouch_without_exhibits_does_not_say_that_all_are_in_it() {
    let world = World::with_testimony();
    at(&world, "lawyer", &["custody", "withdraw", "K7-0001", "--scope", "all"]).exits(0);
    let concerning = |world: &World| {
        let log = at(world, "lawyer", &["custody", "log", "K7-0001", "--json"]).exits(0).json();
        log["entries"].as_array().expect("a list").iter().filter(|entry| entry["event"] == "pack").count()
    };
    let object = packs(&world, "none.bin", &["--json"]).exits(0).json();
    assert_eq!((&object["exhibits"], &object["everything"]), (&json!([]), &false.into()));
    assert_eq!(concerning(&world), 0, "it was not packed");
    at(&world, "lawyer", &["custody", "log"]).exits(0).says("none").never_says("all that was sealed");
    // What lacks its sealed file is not said to be in it, either.
    let world = World::with_testimony();
    let blobs = world.tree("lawyer/evidence").into_keys().filter(|name| name.starts_with("blobs"));
    blobs.for_each(|blob| fs::remove_file(world.path(&format!("lawyer/evidence/{blob}"))).expect("lost"));
    packs(&world, "lacking.bin", &[]).exits(4);
    at(&world, "lawyer", &["custody", "log"]).exits(0).never_says("all that was sealed");
    let world = World::with_testimony();
    packs(&world, "all.bin", &[]).exits(0);
    assert_eq!(concerning(&world), 1);
    at(&world, "lawyer", &["custody", "log"]).exits(0).says("all that was sealed by then");
}

#[test]
fn several_receivers_open_one_pouch_and_each_gets_an_offer() {
    let world = World::with_testimony();
    let object = packs(&world, "trip.bin", &["--to", "Red Kite", "--to", "../monitor.card", "--json"]).exits(0).json();
    assert_eq!(object["to"].as_array().map(Vec::len), Some(2), "whoever is named twice gets one");
    assert_eq!(object["offers"].as_array().map(Vec::len), Some(2));
    for (who, offer) in [("reader", "K7:2"), ("monitor", "K7:3")] {
        let unpack = ["unpack", "../trip.bin", "-o", "evidence", "--owner", "../lawyer.card", "--sign"];
        world.run(who, &unpack).exits(0).says(&format!("ACKNOWLEDGED {offer}"));
        at(&world, who, &["verify"]).exits(0);
        at(&world, "lawyer", &["merge", &format!("../{who}/trip.answer")]).exits(0);
    }
    at(&world, "lawyer", &["custody", "log"]).exits(0).never_says("pending");
}

#[test]
fn a_pouch_to_oneself_hands_nothing_over() {
    let world = World::with_testimony();
    let packed = at(&world, "lawyer", &["pack", "--to", "Blue Heron", "-o", "../trip.bin", "--json"]).exits(0).json();
    assert_eq!((&packed["offers"], &packed["exhibits"]), (&json!([]), &json!(["K7-0001"])));
    // That it was packed is said behind it: on the same device the spare copy is the older one, and nothing else.
    let unpack = ["unpack", "../trip.bin", "-o", "spare", "--json"];
    let unpacked = world.run("lawyer", &unpack).exits(4).json();
    assert_eq!((&unpacked["answer"], &unpacked["findings"][0]["check"]), (&Value::Null, &"behind".into()));
    assert_eq!((unpacked["findings"].as_array().map(Vec::len), &unpacked["missing"]), (Some(1), &json!([])));
    world.run("lawyer", &["verify", "spare"]).exits(4).says("behind");
}

#[test]
fn only_members_of_today_get_one() {
    let world = World::with_testimony();
    let digits = world.join("tern", "Grey Tern");
    packs(&world, "x.bin", &["--to", "../tern.card"]).exits(1).says("nobody in this vault");
    let add = ["member", "add", "../tern.card", "--role", "reader", "--fingerprint", &digits];
    at(&world, "lawyer", &add).exits(0);
    at(&world, "lawyer", &["pack", "--to", "../tern.card", "-o", "../new.bin"]).exits(0).says("for Grey Tern");
    // The first that a newcomer gets: she reads the custody record, and awaits the content key.
    let unpack = ["unpack", "../new.bin", "-o", "evidence", "--owner", "../lawyer.card"];
    world.run("tern", &unpack).exits(0);
    at(&world, "tern", &["list"]).exits(0).says("K7-0001");
    at(&world, "tern", &["open", "K7-0001", "-o", "out"]).exits(12);
    at(&world, "lawyer", &["member", "remove", "Grey Tern", "--reason", "left"]).exits(0);
    at(&world, "lawyer", &["pack", "--to", "Grey Tern", "-o", "../x.bin"]).exits(1).says("Grey Tern");
    assert!(!world.path("x.bin").exists());
}

#[test]
fn a_damaged_or_missing_sealed_file_stays_here_and_is_told() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    let blobs = |world: &World| world.tree("lawyer/evidence").into_keys().filter(|name| name.starts_with("blobs"));
    let before: Vec<String> = blobs(&world).collect();
    seals(&world, "third.txt");
    let new: Vec<String> = blobs(&world).filter(|name| !before.contains(name)).collect();
    assert_eq!(new.len(), 3, "the exhibit, the inventory that lists it, the manifest that describes it");
    let mut broken = Vec::new();
    for (number, spoilt) in new.iter().enumerate() {
        let path = world.path(&format!("lawyer/evidence/{spoilt}"));
        let whole = fs::read(&path).expect("there");
        for is_torn in [true, false] {
            if is_torn {
                fs::write(&path, b"torn").expect("damage");
            } else {
                fs::remove_file(&path).expect("removed");
            }
            let name = format!("{number}-{is_torn}.bin");
            let packed = packs(&world, &name, &["--json"]).exits(4).json();
            assert_eq!(packed["lacking"], json!([spoilt]), "{name}");
            assert_eq!(
                (&packed["exhibits"], &packed["everything"]),
                (&json!(["K7-0001", "K7-0002"]), &json!(false)),
                "{name}"
            );
            broken.push(packed["broken"].clone());
            let said = events(&world, "lawyer").pop().expect("the pack entry");
            assert_eq!((&said["event"], &said["everything"]), (&json!("pack"), &json!(false)), "{name}");
            assert_eq!(said["exhibits"], json!(["K7-0001", "K7-0002"]), "the entry says what went: {name}");
            assert_eq!(arrives(&world, &name), ["K7-0001", "K7-0002"], "{name}");
        }
        packs(&world, &format!("{number}-told.bin"), &[])
            .exits(4)
            .says("1 file that belong")
            .says("amparo verify tells");
        fs::write(&path, whole).expect("mended");
    }
    // Without its inventory nobody can say what it lists; else both say it, whether it is torn or not there.
    let named = broken.iter().filter(|broken| **broken == json!(["K7-0003"])).count();
    let nothing = broken.iter().filter(|broken| **broken == json!([])).count();
    assert_eq!((named, nothing), (4, 2), "{broken:?}");
    let left: Vec<String> = fs::read_dir(world.path(""))
        .expect("a folder")
        .flatten()
        .map(|item| item.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!left.iter().any(|name| name.contains("part") || name.contains("tmp")), "{left:?}");
}

#[test]
fn without_a_terminal_nothing_is_asked_and_with_one_the_form_is() {
    let world = World::with_testimony();
    packs(&world, "a.bin", &[]).exits(0).never_says("What a custody form asks");
    let pack = ["pack", "--to", "Grey Owl", "-o", "../b.bin", "--vault", "evidence", "--medium", "a stick"];
    let asked = world.typing("lawyer", &pack, &["4711", "", "Blue Tit", "", "", ""]).exits(0);
    asked.says("What a custody form asks").says("Who carries it").never_says("The medium:");
    let told = events(&world, "lawyer");
    let offer = told.iter().rfind(|entry| entry["event"] == "offer").expect("an offer");
    assert_eq!(
        (&offer["medium"], &offer["seal_no"], &offer["carrier"]),
        (&"a stick".into(), &"4711".into(), &"Blue Tit".into())
    );
}

#[test]
fn ctrl_c_leaves_no_pouch() {
    let world = World::with_testimony();
    let around = Around { stopped: true, ..Around::default() };
    let pack = ["pack", "--to", "Grey Owl", "-o", "../trip.bin", "--vault", "evidence", "--no-input"];
    world.run_in("lawyer", &pack, &around).exits(130);
    assert!(!world.path("trip.bin").exists());
    at(&world, "lawyer", &["verify"]).exits(0);
    packs(&world, "trip.bin", &[]).exits(0);
}

#[test]
fn answers_are_a_text_and_of_nothing_new_none_is_made() {
    let world = World::with_testimony();
    let answers = |who: &str, to: &str, name: &str| {
        at(&world, who, &["pack", "--answers", "--to", to, "-o", &format!("../{name}")])
    };
    answers("lawyer", "Grey Owl", "a.txt")
        .exits(0)
        .says("for Grey Owl: custody records,")
        .says("  amparo merge ../a.txt")
        .never_says("pending");
    let text = String::from_utf8(world.read("a.txt")).expect("text");
    assert!(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{text}");
    assert_eq!(events(&world, "lawyer").len(), 2, "no entry is written for answers");
    world.carry("reader");
    at(&world, "reader", &["verify", "evidence", "--owner", "../lawyer.card"]);
    answers("reader", "Blue Heron", "b.txt").exits(1).says("there is nothing to answer").says("amparo custody log");
    at(&world, "reader", &["custody", "note", "seen"]).exits(0);
    answers("reader", "Blue Heron", "b.txt").exits(0);
    assert!(world.read("b.txt").len() < 40 << 10, "it goes by mail: {} bytes", world.read("b.txt").len());
    at(&world, "lawyer", &["merge", "../b.txt"]).exits(0).says("1 custody event");
    at(&world, "lawyer", &["merge", "../b.txt"]).exits(0).says("Nothing new");
    answers("reader", "Blue Heron", "b.txt").exits(1).says("exists already");
}
