//! `amparo border-check`.

use amparo::crypto::envelope;
use amparo::format::identity_file::IdentityFile;
use amparo::format::key_file::KeyFile;
use serde_json::Value;

use super::harness::{Around, World};
use super::pack::at;

/// The findings of one kind.
pub(super) fn of_kind<'a>(json: &'a Value, kind: &str) -> Vec<&'a Value> {
    json["findings"].as_array().expect("a list").iter().filter(|found| found["kind"] == kind).collect()
}

pub(super) fn checked(world: &World, who: &str, more: &[&str], exit: u8) -> Value {
    world.run(who, &[&["border-check", "--json"], more].concat()).exits(exit).json()
}

#[test]
fn a_sealer_is_told_what_a_forced_passphrase_would_show() {
    let world = World::with_testimony();
    world
        .run("lawyer", &["border-check"])
        .exits(0)
        .says("identity  ~~/lawyer/.config/amparo/identity.age")
        .says("without any passphrase: the custody record of ~~/lawyer/evidence: 3 members under pseudonyms, 1 exhibit")
        .says("no content")
        .says("put it under a passphrase")
        .says("Nothing that was found here opens content.")
        .says("Not told by this check:")
        .says("which readable files were sealed");
    let json = checked(&world, "lawyer", &[], 0);
    assert_eq!((&json["opens_content"], &json["complete"]), (&false.into(), &true.into()));
    assert_eq!(of_kind(&json, "identity")[0]["opens"], "custody");
    assert_eq!(of_kind(&json, "vault").len(), 1);
    assert!(of_kind(&json, "state")[0]["what"].as_str().is_some_and(|what| what.contains("1 vault")));
    for find in json["findings"].as_array().expect("a list") {
        let keys: Vec<&String> = find.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["kind", "path", "opens", "what", "advice"]);
    }
}

#[test]
fn a_reader_is_warned_of_the_identity_and_of_what_was_opened() {
    let world = World::with_testimony();
    world.carry("reader");
    let digits = world.digits();
    world.run("reader", &["open", "K7-0001", "-o", "out", "--vault", "evidence", "--vault-id", &digits]).exits(0);
    world
        .run("reader", &["border-check"])
        .exits(1)
        .says("OPENS CONTENT: without any passphrase: content of ~~/reader/evidence (sections main and register)")
        .says("opened exhibit  ~~/reader/out/K7-0001")
        .says("Content is within reach here: 2 things open it, or could.");
    std::fs::remove_file(world.path("reader/.config/amparo/identity.age")).expect("left at home");
    let json = checked(&world, "reader", &[], 1);
    assert_eq!(of_kind(&json, "identity").len(), 0);
    assert_eq!(of_kind(&json, "opened_exhibit")[0]["opens"], "content");
    std::fs::remove_dir_all(world.path("reader/out")).expect("removed");
    checked(&world, "reader", &[], 0);
    for name in ["K7-0001.part", "K7-0001.2.part", "K7-0001.old"] {
        let folder = world.path("reader/out").join(name);
        std::fs::create_dir_all(folder.join("content")).expect("an opening that was cut short");
        assert_eq!(of_kind(&checked(&world, "reader", &[], 1), "temporary")[0]["opens"], "content", "{name}");
        std::fs::remove_dir_all(folder).expect("removed");
    }
}

#[test]
fn an_identity_of_unknown_reach_counts_until_it_is_tried() {
    let world = World::new();
    world
        .typing("ann", &["identity", "new", "--name", "Ann"], &["correct horse battery", "correct horse battery"])
        .exits(0);
    world.run("ann", &["identity", "card", "--passphrase-file", "w"]).exits(1);
    world.run("ann", &["border-check", "--no-input"]).exits(1).says("MAY OPEN CONTENT: under a passphrase");
    world.typing("ann", &["border-check"], &[""]).exits(1).says("Enter leaves it locked").says("was not seen");
    world.typing("ann", &["border-check"], &["wrong"]).exits(1).says("the passphrase that was given does not open it");
    // It opens, and no vault is here to try it on: nobody can say that it opens no content elsewhere.
    world.typing("ann", &["border-check"], &["correct horse battery"]).exits(1).says("no vault was found here");
    // As the founder of a vault that others read, it shows custody only.
    world.run("bea", &["identity", "new", "--name", "Bea", "--no-passphrase"]).exits(0);
    world.run("bea", &["identity", "card", "-o", "../bea.card"]).exits(0);
    world.typing("ann", &["init", "evidence", "--reader", "../bea.card"], &["correct horse battery"]).exits(0);
    world
        .typing("ann", &["border-check"], &["correct horse battery"])
        .exits(0)
        .says("with its passphrase: the custody record of ~~/ann/evidence");
    // Away from the vault that this device knows, nobody can tell any more.
    std::fs::rename(world.path("ann/evidence"), world.path("elsewhere")).expect("moved");
    world
        .typing("ann", &["border-check"], &["correct horse battery"])
        .exits(1)
        .says("1 vault that this device knows lies in none of the places looked at");
    world.typing("ann", &["border-check", "../elsewhere"], &["correct horse battery"]).exits(0);
}

#[test]
fn keys_are_found_by_content_under_any_name() {
    let world = World::with_testimony();
    let identity = world.read("reader/.config/amparo/identity.age");
    world.write("courier/music/song.mp3", &identity);
    let json = checked(&world, "courier", &[], 1);
    assert_eq!(of_kind(&json, "identity").len(), 1);
    // Beside the vault it is tried; as its age line alone, as stock age would use it, too.
    world.carry("courier");
    let json = checked(&world, "courier", &[], 1);
    assert_eq!(of_kind(&json, "identity")[0]["opens"], "content");
    let line = String::from_utf8(identity).expect("text").lines().last().expect("the key").to_string();
    world.write("courier/music/song.mp3", format!("# notes\n{line}\n").as_bytes());
    let json = checked(&world, "courier", &[], 1);
    assert_eq!(of_kind(&json, "age_key")[0]["opens"], "content");
    let monitor = String::from_utf8(world.read("monitor/.config/amparo/identity.age")).expect("text");
    world.write("courier/music/song.mp3", monitor.lines().last().expect("the key").as_bytes());
    let json = checked(&world, "courier", &[], 0);
    assert_eq!(of_kind(&json, "age_key")[0]["opens"], "custody");
    world.write(
        "courier/music/list",
        b"1. legal 2. winner 3. thank 4. year 5. wave 6. sausage 7. worth 8. useful 9. legal 10. will\n",
    );
    assert_eq!(of_kind(&checked(&world, "courier", &[], 1), "words")[0]["opens"], "unknown");
}

#[test]
fn a_key_of_the_vault_itself_is_told_by_what_it_opens() {
    let world = World::with_testimony();
    world.carry("courier");
    let identity = IdentityFile::parse(&world.read("reader/.config/amparo/identity.age")).expect("an identity");
    let held: Vec<KeyFile> = world
        .files("courier/evidence/keys")
        .iter()
        .filter_map(|file| KeyFile::parse(&envelope::open(&world.read(file), &[&identity.seed.keys().age]).ok()?).ok())
        .collect();
    for (scope, opens, exit) in [("main", "content", 1), ("custody", "custody", 0)] {
        let key = held.iter().find(|key| key.scope.to_string() == scope).expect("hers");
        // As stock age writes it down, and its last line alone, which says nothing of itself.
        world.write("courier/music/song.mp3", &key.print());
        assert_eq!(of_kind(&checked(&world, "courier", &[], exit), "vault_key")[0]["opens"], opens);
        world.write("courier/music/song.mp3", key.key.to_secret_line().as_bytes());
        assert_eq!(of_kind(&checked(&world, "courier", &[], exit), "age_key")[0]["opens"], opens);
    }
}

#[test]
fn a_pouch_counts_as_content_only_beside_the_key_of_whom_it_is_for() {
    let world = World::with_testimony();
    let to = ["--to", "Grey Owl", "--no-input", "--vault", "evidence"];
    world.run("lawyer", &[&["pack", "-o", "../trip.bin"], &to[..]].concat()).exits(0);
    world.run("lawyer", &[&["pack", "--answers", "-o", "../a.txt"], &to[..]].concat()).exits(0);
    for (name, made, holds) in [("music/song.mp3", "trip.bin", "content"), ("letter.txt", "a.txt", "custody")] {
        // Of an identity without its vault nobody can tell what it opens elsewhere; of the pouch one can.
        for (who, opens, exit) in [("courier", "nothing", 0), ("monitor", "nothing", 1), ("reader", holds, 1)] {
            let world = world.twin();
            world.write(&format!("{who}/{name}"), &world.read(made));
            let json = checked(&world, who, &[name], exit);
            let found = of_kind(&json, "age_file");
            assert_eq!(found.len(), 1, "{who}, {name}: {json:#}");
            assert_eq!(found[0]["opens"], opens, "{who}, {name}: {json:#}");
        }
    }
    // Beside a key that opens custody alone, answers are no reason to fail; a pouch whose end is lost may hold more.
    let monitor = world.twin();
    monitor.carry("monitor");
    at(&monitor, "lawyer", &["pack", "--answers", "--to", "Red Kite", "-o", "../monitor/b.txt"]).exits(0);
    let json = checked(&monitor, "monitor", &[], 0);
    assert_eq!(of_kind(&json, "age_file")[0]["opens"], "custody");
    assert!(of_kind(&json, "age_file")[0]["what"].as_str().is_some_and(|what| what.contains("no content")), "{json:#}");
    let torn = world.read("trip.bin");
    world.write("reader/torn.bin", &torn[..torn.len() / 2]);
    assert_eq!(of_kind(&checked(&world, "reader", &["torn.bin"], 1), "age_file")[0]["opens"], "content");
    // Whoever made it is as little able to open it as a courier; her vault lies in her home, and tells what her key opens.
    let json = checked(&world, "lawyer", &["../trip.bin"], 0);
    assert_eq!(of_kind(&json, "age_file")[0]["opens"], "nothing");
    world
        .run("reader", &["border-check", "../trip.bin"])
        .exits(1)
        .says("encrypted file  ~~/reader/../trip.bin")
        .says("carry the file or the key, not both");
    world.write("courier/trip.bin", &world.read("trip.bin"));
    let card = world.run("courier", &["border-check", "--card"]).exits(0);
    card.says("No key was found on this device.");
}

/// A stick with volumes and parity: whoever has no key opens none of it; beside a key a later part may open, since the first does.
#[test]
fn the_parts_of_a_pouch_are_told_from_other_files() {
    let world = World::with_testimony();
    let cut = ["--parity", "30", "--volumes", "300KiB", "--no-input", "--vault", "evidence"];
    world.run("lawyer", &[&["pack", "--to", "Grey Owl", "-o", "../v.bin"], &cut[..]].concat()).exits(0);
    let parts: Vec<String> = std::fs::read_dir(world.path(""))
        .expect("a folder")
        .map(|item| item.expect("an item").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("v.bin."))
        .collect();
    assert!(parts.len() > 5 && parts.iter().filter(|name| name.contains("parity")).count() > 1, "{parts:?}");
    for who in ["courier", "monitor", "reader"] {
        // Names tell nothing: they were changed.
        for (number, part) in parts.iter().enumerate() {
            world.write(&format!("{who}/stick/holiday-{number}.jpg"), &world.read(part));
        }
    }
    let first = parts.iter().position(|name| name == "v.bin.001").expect("there");
    let opens = |who: &str, exit: u8| -> Vec<String> {
        let json = checked(&world, who, &["stick"], exit);
        let files = of_kind(&json, "age_file");
        assert_eq!(files.len(), parts.len(), "{who}: {json:#}");
        let of = |number: usize| {
            let name = format!("holiday-{number}.jpg");
            let found = files.iter().find(|file| file["path"].as_str().is_some_and(|path| path.ends_with(&name)));
            found.expect("it was found")["opens"].as_str().expect("a word").to_string()
        };
        (0..parts.len()).map(of).collect()
    };
    assert!(opens("courier", 0).iter().all(|opens| opens == "nothing"));
    world.run("courier", &["border-check", "--card"]).exits(0).says("No key was found on this device.");
    // For the monitor it is not made out; of a part without a header nobody can tell that.
    for (who, of_first) in [("monitor", "nothing"), ("reader", "content")] {
        for (number, opens) in opens(who, 1).iter().enumerate() {
            assert_eq!(opens, if number == first { of_first } else { "unknown" }, "{who}: {}", parts[number]);
        }
    }
    let said = world.run("courier", &["border-check", "stick"]).exits(0);
    said.says("a part of a pouch, or what restores one; it tells its size, and which files belong together")
        .never_says("nothing else");
    world.run("reader", &["border-check", "stick"]).exits(1).says("with the other parts a key here may open it");
}

#[test]
fn papers_and_histories_are_told_and_no_word_of_them() {
    let world = World::new();
    let form = world.run("ann", &["form", "testimony"]).exits(0).out;
    world.write("ann/blank.toml", form.as_bytes());
    let json = checked(&world, "ann", &[], 0);
    assert_eq!(of_kind(&json, "form")[0]["opens"], "nothing");
    world.write("ann/filled.toml", form.replace("title = \"\"", "title = \"Canary saw it\"").as_bytes());
    world.write("ann/.bash_history", b"ls\namparo seal x --title \"Canary saw it\"\n");
    world
        .run("ann", &["border-check"])
        .exits(1)
        .says("a form with answers in it")
        .says("shell history  ~~/ann/.bash_history")
        .says("1 line names amparo or a vault (line 2); titles or fields of exhibits stand among them")
        .never_says("Canary");
    std::fs::remove_file(world.path("ann/filled.toml")).expect("removed");
    world.write("ann/.bash_history", b"ls\namparo verify\n");
    assert_eq!(of_kind(&checked(&world, "ann", &[], 0), "history")[0]["opens"], "nothing");
}

#[test]
fn what_cannot_be_looked_at_is_told_and_nothing_is_waited_for() {
    let world = World::new();
    world.write("ann/a/letter.txt", b"Dear friend\n");
    std::fs::create_dir_all(world.path("ann/a/b")).expect("a folder");
    let pipe = world.path("ann/a/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo is there");
    assert!(made.success());
    std::os::unix::fs::symlink("/", world.path("ann/a/b/out")).expect("linked");
    let json = checked(&world, "ann", &[], 0);
    assert_eq!(json["links"], 1);
    std::os::unix::fs::symlink("/", world.path("ann/Documents")).expect("linked");
    world
        .run("ann", &["border-check"])
        .exits(4)
        .says("Nothing that was found here opens content, and not everything could be looked at.")
        .says("~~/ann/Documents: it is a link: name what it leads to");
    // It leads to all of the machine: somewhere else, it can be named.
    std::fs::remove_file(world.path("ann/Documents")).expect("removed");
    std::fs::create_dir_all(world.path("disk/documents")).expect("a folder");
    std::os::unix::fs::symlink("../disk/documents", world.path("ann/Documents")).expect("linked");
    world.run("ann", &["border-check"]).exits(4);
    world.run("ann", &["border-check", "../disk"]).exits(0);
    world.run("ann", &["border-check", "../disk", "a"]).exits(0).says("1 other file that anybody can read");
    world.run("ann", &["border-check", "none"]).exits(1).says("does not exist");
    let stopped = Around { stopped: true, ..Around::default() };
    world.run_in("ann", &["border-check"], &stopped).exits(130);
}

#[test]
fn the_card_is_given_only_where_it_is_true() {
    let world = World::with_testimony();
    world
        .run("lawyer", &["border-check", "--card"])
        .exits(1)
        .says("1 key lies on this device")
        .says("hint: amparo border-check");
    // A courier carries the vault, and a file made out to a reader.
    world.carry("courier");
    let blobs = world.path("courier/evidence/blobs");
    let shelf = std::fs::read_dir(blobs).expect("blobs").next().expect("a shelf").expect("read").path();
    let blob = std::fs::read_dir(shelf).expect("a shelf").next().expect("a blob").expect("read").path();
    std::fs::copy(blob, world.path("courier/delivery")).expect("copied");
    let card = world.run("courier", &["border-check", "--card"]).exits(0);
    assert!(
        card.out.starts_with("STATEMENT\n") && card.out.contains("No key was found on this device."),
        "{}",
        card.out
    );
    assert!(
        card.out.contains("1 encrypted file (") && card.out.contains("1 folder of encrypted files"),
        "{}",
        card.out
    );
    assert!(card.out.contains("20 November 2026") && !card.out.contains("courier") && !card.out.contains("~~"));
    let json = checked(&world, "courier", &["--card"], 0);
    assert_eq!(json["card"], card.out.as_str());
    assert_eq!(of_kind(&json, "age_file")[0]["opens"], "nothing");
    world.run("courier", &["border-check", "--card", "-o", "card.txt"]).exits(0);
    assert_eq!(world.read("courier/card.txt"), card.out.as_bytes());
    world.run("courier", &["border-check", "--card", "-o", "card.txt"]).exits(1).says("exists already");
    // The reader's key beside files that are made out to it.
    std::fs::rename(world.path("courier/evidence/keys"), world.path("courier/wrapped")).expect("moved");
    std::fs::remove_dir_all(world.path("courier/evidence")).expect("removed");
    checked(&world, "courier", &["--card"], 0);
    world.write("courier/key", &world.read("reader/.config/amparo/identity.age"));
    let json = checked(&world, "courier", &[], 1);
    let files = of_kind(&json, "age_file");
    assert!(files.iter().any(|file| file["opens"] == "content") && files.iter().any(|file| file["opens"] == "nothing"));
    world.run("courier", &["border-check", "--card"]).exits(1);
}

#[test]
fn nothing_is_changed_by_looking() {
    let world = World::with_testimony();
    let list = || {
        let out = std::process::Command::new("find").arg(world.path("")).args(["-printf", "%p %s %T@\n"]).output();
        let mut lines: Vec<String> =
            String::from_utf8(out.expect("find is there").stdout).expect("text").lines().map(str::to_string).collect();
        lines.sort();
        lines
    };
    let before = list();
    world.run("lawyer", &["border-check"]).exits(0);
    assert_eq!(list(), before);
}
