//! What a script can rely on of `pack`, `unpack`, `verify POUCH` and `border-check` with a pouch: each flag does what it says,
//! and each exit code is reached, by the case that it stands for.

use std::fs::{File, TryLockError};

use serde_json::{Value, json};

use super::harness::{Around, World};
use super::pack::{at, events, packs};
use super::unpack::unpacks;

fn stopped<'a>() -> Around<'a> {
    Around { stopped: true, ..Around::default() }
}

/// Another process works on a vault.
fn locked(world: &World, vault: &str) -> File {
    let file = File::options().write(true).open(world.path(&format!("{vault}/VAULT"))).expect("VAULT");
    assert!(!matches!(file.try_lock(), Err(TryLockError::WouldBlock)), "nobody else");
    file
}

/// What was sealed is no longer what was signed: the second entry of a copy's first log.
fn spoil(world: &World, vault: &str) {
    let mut entries: Vec<String> = world.tree(vault).into_keys().filter(|path| path.contains("/entries/")).collect();
    entries.sort_by_key(|path| path.rsplit('/').next().map(ToString::to_string));
    world.write(&format!("{vault}/{}", entries[1]), b"spoiled");
}

/// A custody form, flag by flag: what is given stands in the offer, and so in both copies.
#[test]
fn every_circumstance_of_a_handover_has_its_flag() {
    let world = World::with_testimony();
    let told = [
        ("--medium", "a stick", "medium"),
        ("--seal-no", "4711", "seal_no"),
        ("--condition", "scratched", "condition"),
        ("--carrier", "Blue Tit", "carrier"),
        ("--place", "the station", "place"),
        ("--purpose", "review", "purpose"),
        ("--authority", "power of attorney", "authority"),
    ];
    let flags: Vec<&str> = told.iter().flat_map(|(flag, text, _)| [*flag, *text]).collect();
    packs(&world, "trip.bin", &flags).exits(0);
    unpacks(&world, "trip.bin", &[]).exits(0);
    for who in ["lawyer", "reader"] {
        let offer = events(&world, who).into_iter().find(|entry| entry["event"] == "offer").expect("an offer");
        for (flag, text, key) in told {
            assert_eq!(offer[key], text, "{who}: {flag}");
        }
    }
    // They belong to an offer: without one they are refused.
    for (flag, text, _) in told {
        for alone in ["--no-exhibits", "--answers"] {
            packs(&world, "x.bin", &[alone, flag, text]).exits(2).says(flag);
        }
    }
}

#[test]
fn shares_and_sizes_are_read_as_people_write_them_and_nonsense_is_refused() {
    let world = World::with_testimony();
    for share in ["0%", "101%", "ten", "-1", "5.5%", ""] {
        packs(&world, "x.bin", &[&format!("--parity={share}")]).exits(2).says("from 1% to 100%");
    }
    for size in ["2 parsecs", "GiB", "", "-1", "1.5GiB", "99999999999GiB"] {
        packs(&world, "x.bin", &[&format!("--volumes={size}")]).exits(2).says("a number and a unit: 2GiB, 700MB");
    }
    for more in [["--answers", "--parity=10%"], ["--answers", "--volumes=1MiB"]] {
        packs(&world, "x.bin", &more).exits(2).says("--answers");
    }
    packs(&world, "x.bin", &["--no-exhibits", "K7-0001"]).exits(2).says("--no-exhibits");
    assert!(events(&world, "lawyer").len() == 2 && !world.path("x.bin").exists());
    for (number, (share, size, files)) in
        [("10%", "2GiB", 1), ("100", "300 kb", 4), ("1%", "524288", 3), ("7", "512KiB", 3)].into_iter().enumerate()
    {
        let more = ["--parity", share, "--volumes", size, "--json"];
        let object = packs(&world, &format!("{number}.bin"), &more).exits(0).json();
        let names = object["files"].as_array().expect("files");
        assert_eq!(names.len(), files, "{size}: {names:?}");
        assert!(object["parity"].as_array().is_some_and(|parity| !parity.is_empty()), "{share}");
    }
    // The first pouch to a newcomer can be cut and repaired, too.
    let first =
        packs(&world, "first.bin", &["--no-exhibits", "--parity=5%", "--volumes=400kB", "--json"]).exits(0).json();
    assert_eq!((&first["offers"], &first["exhibits"]), (&json!([]), &json!([])));
    assert!(first["files"].as_array().is_some_and(|files| files.len() > 1));
}

#[test]
fn pack_ends_as_the_table_of_codes_says() {
    let world = World::with_testimony();
    let pack = ["pack", "--to", "Grey Owl", "-o", "../x.bin", "--no-input", "--vault", "evidence"];
    let lock = locked(&world, "lawyer/evidence");
    world.run("lawyer", &pack).exits(11).says("locked by another process");
    drop(lock);
    world.run_in("lawyer", &pack, &stopped()).exits(130);
    world.run("lawyer", &[&pack[..], &["--identity", "none"]].concat()).exits(12).says("--identity FILE");
    world.carry("courier");
    world.run("courier", &pack).exits(12).says("amparo identity new");
    world.run("lawyer", &[&pack[..7], &["none"]].concat()).exits(10);
    world.run("lawyer", &[&pack[..], &["--state", "elsewhere"]].concat()).exits(5).says("--vault-id ID");
    let twin = world.twin();
    let blob = twin.tree("lawyer/evidence").into_keys().find(|path| path.starts_with("blobs")).expect("a blob");
    std::fs::remove_file(twin.path(&format!("lawyer/evidence/{blob}"))).expect("lost");
    let object = twin.run("lawyer", &[&pack[..], &["--json"]].concat()).exits(4).json();
    assert_eq!((&object["lacking"], object["sha256"].is_string()), (&json!([blob]), true), "what is there went");
    assert!(!world.path("x.bin").exists());
    world.run("lawyer", &pack).exits(0);
    world.run("lawyer", &pack).exits(1).says("exists already");
    // Nothing is built on a record that does not verify, and nothing leaves it.
    spoil(&world, "lawyer/evidence");
    let more = ["pack", "--to", "Grey Owl", "-o", "../y.bin", "--no-input", "--vault", "evidence"];
    world.run("lawyer", &more).exits(3);
    assert!(!world.path("y.bin").exists() && !world.path("y.bin.unfinished").exists());
}

#[test]
fn unpack_ends_as_the_table_of_codes_says() {
    let world = World::with_testimony();
    packs(&world, "trip.bin", &[]).exits(0);
    let unpack = ["unpack", "../trip.bin", "-o", "evidence", "--no-input", "--owner", "../lawyer.card"];
    world.run("monitor", &unpack).exits(12).says("for others");
    world.run("courier", &unpack).exits(12).says("amparo identity new");
    world.run("reader", &unpack[..5]).exits(5).says("--vault-id ID");
    world.run("reader", &["unpack", "../trip.bin"]).exits(10);
    world.run("reader", &["unpack", "../none.bin", "-o", "evidence"]).exits(1).says("none.bin");
    world.run("reader", &["unpack", "-o", "evidence"]).exits(2);
    world.run_in("reader", &unpack, &stopped()).exits(130);
    assert!(!world.path("reader/evidence").exists());
    let whole = world.read("trip.bin");
    world.write("torn.bin", &whole[..whole.len() / 8]);
    world.run("reader", &["unpack", "../torn.bin", "-o", "evidence", "--owner", "../lawyer.card"]).exits(4);
    assert!(!world.path("reader/evidence").exists());
    world.run("reader", &unpack).exits(0);
    let lock = locked(&world, "reader/evidence");
    world.run("reader", &unpack).exits(11).says("locked by another process");
    drop(lock);
    world.run("reader", &unpack).exits(0);
    // A copy whose record does not hold: what comes is not taken for a repair of it, and the finding is told.
    spoil(&world, "reader/evidence");
    world.run("reader", &unpack).exits(3);
}

#[test]
fn verify_of_a_pouch_ends_as_the_table_of_codes_says() {
    let world = World::with_testimony();
    at(&world, "lawyer", &["custody", "receipt", "K7-0001", "-o", "../r.txt"]).exits(0);
    let parity = ["--parity", "30%"];
    let sha256 = packs(&world, "trip.bin", &[&parity[..], &["--json"]].concat()).exits(0).json()["sha256"].clone();
    let sha256 = sha256.as_str().expect("a hash").to_string();
    let run = |who: &str, args: &[&str]| world.run(who, &[&["verify"], args].concat());
    let both = ["../trip.bin", "../trip.bin.parity"];
    run("courier", &both).exits(0).says("VALID");
    run("courier", &both[..1]).exits(4).says("INCOMPLETE");
    run("courier", &["../trip.bin", "--sha256", &sha256]).exits(0);
    run("courier", &["../trip.bin", "--sha256", &"0".repeat(64)]).exits(3).says("INVALID");
    run("courier", &["../none.bin"]).exits(1);
    run("courier", &["../trip.bin", "--sha256", "x"]).exits(2);
    for (name, of) in [("one.bin", "K7-0001"), ("two.bin", "K7-0001")] {
        packs(&world, name, &[of]).exits(0);
    }
    run("courier", &["../one.bin", "../two.bin"]).exits(2).says("parts of several pouches");
    world.run_in("courier", &["verify", both[0], both[1]], &stopped()).exits(130);
    world.run_in("courier", &["verify", both[0], both[1], "--repair", "w.bin"], &stopped()).exits(130);
    assert!(world.files("courier").iter().all(|file| !file.contains("w.bin")), "{:?}", world.files("courier"));
    // Somebody else's is checked as a courier checks it; for whom it is, what is in it is a vault, and must be known.
    run("monitor", &both).exits(0).says("for whom");
    run("reader", &both).exits(5);
    run("reader", &[&both[..], &["--owner", "../lawyer.card"]].concat()).exits(0).says("content");
    run("reader", &[&both[..], &["--cosign"]].concat()).exits(2).says("cosigned once it is unpacked");
    // A paper, a report, a proof: of the vault that is in it.
    let object = run("reader", &[&both[..], &["--receipt", "../r.txt", "--json"]].concat()).exits(0).json();
    assert_eq!((&object["verdict"], &object["level"]), (&"valid".into(), &"content".into()));
    let report = [&both[..], &["--report", "report.md", "--names", "roles"]].concat();
    run("reader", &report).exits(0);
    assert!(String::from_utf8(world.read("reader/report.md")).expect("text").contains("VALID"));
    run("reader", &report).exits(1).says("exists already");
    run("reader", &[&report[..], &["--overwrite"]].concat()).exits(0);
    run("reader", &[&both[..], &["--fork-proof", "proof.txt"]].concat()).exits(0);
    assert!(!world.path("reader/proof.txt").exists(), "there is one history");
    for flag in [&["--receipt", "../r.txt"][..], &["--cosign"], &["--report", "r.md", "--names", "full"]] {
        run("reader", &[&["../trip.bin", "--sha256", &sha256][..], flag].concat()).exits(2);
    }
    run("reader", &["../trip.bin", "--quiet", "--sha256", &sha256]).exits(0);
}

#[test]
fn border_check_ends_as_the_table_of_codes_says_of_a_pouch() {
    let world = World::with_testimony();
    packs(&world, "trip.bin", &["--parity", "10%"]).exits(0);
    for who in ["courier", "monitor", "reader"] {
        for name in ["trip.bin", "trip.bin.parity"] {
            world.write(&format!("{who}/{name}"), &world.read(name));
        }
    }
    let told = |who: &str, exit: u8| -> Value { world.run(who, &["border-check", "--json"]).exits(exit).json() };
    let opens = |who: &str, exit: u8| -> Vec<String> {
        let told = told(who, exit);
        let found = told["findings"].as_array().expect("a list").iter().filter(|found| found["kind"] == "age_file");
        found.map(|found| found["opens"].as_str().expect("a word").to_string()).collect()
    };
    assert_eq!(opens("courier", 0), ["nothing", "nothing"]);
    assert!(opens("monitor", 1).iter().all(|opens| opens != "content"));
    assert!(opens("reader", 1).contains(&"content".to_string()));
    world.run("courier", &["border-check", "--card"]).exits(0).says("No key was found on this device.");
    world.run("reader", &["border-check", "--card"]).exits(1);
    world.run("courier", &["border-check", "nowhere"]).exits(1);
    world.run_in("courier", &["border-check"], &stopped()).exits(130);
    world.run("courier", &["border-check", "--nonsense"]).exits(2);
}
