//! `amparo open`.

use super::harness::{Around, World};

#[test]
fn a_reader_opens_after_first_contact_and_the_sealer_cannot() {
    let world = World::with_testimony();
    world.carry("reader");
    let open = ["open", "K7-0001", "-o", "out", "--vault", "evidence"];
    world.run("reader", &open).exits(5).says("--vault-id ID");
    assert!(!world.path("reader/out").exists());
    let digits = world.digits();
    let wrong = format!("{}{}", &digits[..46], if digits.ends_with('1') { '2' } else { '1' });
    world.typing("reader", &open, &[&wrong, &wrong, &wrong]).exits(5).says("not the digits of this vault");
    world.typing("reader", &open, &[&wrong, &digits]).exits(0).says("OPENED K7-0001");
    assert_eq!(world.read("reader/out/K7-0001/content/t.txt"), b"I was there.\n");
    world.run("reader", &open).exits(1).says("exists already");
    world.write("reader/out/K7-0001/content/t.txt", b"an older one");
    for name in ["K7-0001.part", "K7-0001.old"] {
        world.write(&format!("reader/out/{name}/mine.txt"), b"a stranger's");
    }
    let again = world.run("reader", &[&open[..], &["--overwrite", "--json"]].concat()).exits(0);
    let json =
        again.says("or a stranger's, and perhaps readable here: ").says("out/K7-0001.part; ").says("out/K7-0001.old; ");
    let json = json.json();
    assert_eq!(world.read("reader/out/K7-0001/content/t.txt"), b"I was there.\n");
    let mut left: Vec<String> = world.tree("reader/out").into_keys().collect();
    left.retain(|path| !path.starts_with("K7-0001/"));
    assert_eq!(left, ["K7-0001.old/mine.txt", "K7-0001.part/mine.txt"], "nobody asked to remove it");
    let exhibit = &json["exhibits"][0];
    assert_eq!((&exhibit["id"], &exhibit["bytes"]), (&"K7-0001".into(), &13.into()));
    assert!(exhibit["path"].is_string() && exhibit["sha256"].as_str().is_some_and(|hash| hash.len() == 64));
    world.run("lawyer", &open).exits(12).says("one of its readers can open it");
}

#[test]
fn content_can_go_to_a_pipe() {
    let world = World::with_testimony();
    world.carry("reader");
    let card = ["--owner", "../lawyer.card", "--vault", "evidence"];
    let opened = world.run("reader", &[&["open", "K7-0001", "--stdout"], &card[..]].concat()).exits(0);
    assert_eq!(opened.out, "I was there.\n");
    world.run("reader", &["open", "K7-0001", "--stdout", "--json", "--vault", "evidence"]).exits(2);
    world.run("reader", &["open", "K7-0001", "--vault", "evidence"]).exits(2).says("--output");
}

/// Plaintext released before it was authenticated: a pipe is given nothing of an exhibit of which one bit, the very last, is not
/// what was sealed; in whichever of its files, in whichever of their chunks.
#[test]
fn to_a_pipe_goes_nothing_of_what_is_damaged() {
    let world = World::with_vault();
    let film = b"I was there, and saw it all.\n".repeat(600_000);
    world.write("lawyer/film.bin", &film);
    world.run("lawyer", &["seal", "film.bin", "--vault", "evidence"]).exits(0);
    world.carry("reader");
    world.run("reader", &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    let blobs = world.tree("reader/evidence/blobs");
    assert_eq!(blobs.len(), 4, "two of the film, a manifest, an inventory: {blobs:?}");
    for blob in blobs.into_keys().map(|blob| format!("reader/evidence/blobs/{blob}")) {
        let good = world.read(&blob);
        for at in [good.len() - 1, good.len() / 2] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            world.write(&blob, &bad);
            let opened = world.run("reader", &["open", "K7-0001", "--stdout", "--vault", "evidence"]);
            assert!(opened.out.is_empty() && opened.exit != 0, "{blob} at {at}: {}", opened.err);
        }
        world.write(&blob, &good);
    }
    let opened = world.run("reader", &["open", "K7-0001", "--stdout", "--vault", "evidence"]).exits(0);
    assert!(opened.out.as_bytes() == film);
}

#[test]
fn what_was_opened_before_a_failure_is_told_and_stands_in_the_record() {
    let world = World::with_testimony();
    world.write("lawyer/u.txt", b"So was I.\n");
    world.run("lawyer", &["seal", "u.txt", "--vault", "evidence"]).exits(0);
    world.carry("reader");
    world.write("reader/out/K7-0002/mine", b"mine");
    let open = ["open", "K7-0001", "K7-0002", "-o", "out", "--owner", "../lawyer.card", "--vault", "evidence"];
    let opened = world.run("reader", &open).exits(1).says("OPENED K7-0001").says("K7-0002 exists already");
    assert_eq!(opened.out.lines().count(), 1);
    world
        .run("reader", &["custody", "log", "K7-0001", "--vault", "evidence"])
        .exits(0)
        .says("Grey Owl                  open");
    world.run("reader", &["custody", "log", "K7-0002", "--vault", "evidence"]).exits(0).never_says("open\n");
}

#[test]
fn content_of_which_a_part_went_to_a_pipe_stands_in_the_record() {
    let world = World::with_testimony();
    world.carry("reader");
    let open = ["open", "K7-0001", "--stdout", "--owner", "../lawyer.card", "--vault", "evidence"];
    let unread = Around { unread: true, ..Around::default() };
    world.run_in("reader", &open, &unread).exits(1).never_says("Opened K7-0001").says("stands in the custody record");
    world.run("reader", &["custody", "log", "--vault", "evidence"]).exits(0).says("Grey Owl                  open");
}

/// Exhibits are put out together: of those behind a damaged one nothing is left, and those before it are whole.
#[test]
fn of_many_at_once_those_before_a_damaged_one_are_opened() {
    let (world, count, bad) = (World::with_vault(), 70, 67);
    for number in 1..=count {
        world.write(&format!("lawyer/s/{number:02}.txt"), format!("Page {number}.\n").as_bytes());
    }
    world.run("lawyer", &["seal", "s", "--vault", "evidence"]).exits(0);
    world.carry("reader");
    world.run("reader", &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    let id = |number: u32| format!("K7-{number:04}");
    let shown = world.run("reader", &["show", &id(bad), "--json", "--vault", "evidence"]).exits(0).json();
    let name = shown["blob_names"][0].as_str().expect("a name").to_string();
    let blob = format!("reader/evidence/blobs/{}/{name}", &name[..2]);
    let good = world.read(&blob);
    world.write(&blob, &good[..good.len() - 1]);
    let ids: Vec<String> = (1..=count).map(id).chain([id(1), id(66)]).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let open = |out: &str| {
        let place = ["-o", out, "--vault", "evidence"];
        world.run("reader", &[&["open"], &ids[..], &place[..]].concat())
    };
    let opened = open("out").exits(3).says(&name);
    assert_eq!(opened.out.lines().count(), 66, "{}", opened.out);
    let files = world.tree("reader/out");
    assert_eq!(files.len(), 2 * 66, "{:?}", files.keys());
    assert!(files.keys().all(|path| !path.contains(".part")));
    for number in 1..bad {
        let page = world.read(&format!("reader/out/{}/content/{number:02}.txt", id(number)));
        assert_eq!(page, format!("Page {number}.\n").as_bytes());
    }
    let log = world.run("reader", &["custody", "log", &id(66), "--vault", "evidence"]).exits(0);
    log.says("Grey Owl                  open");
    world.write(&blob, &good);
    let opened = open("all").exits(0);
    assert_eq!(opened.out.lines().count(), 70, "what is named twice is opened once: {}", opened.out);
}
