//! `amparo seal`.

use std::os::unix::fs::symlink;

use super::harness::{Around, World};

const VAULT: [&str; 2] = ["--vault", "evidence"];

fn seal<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["seal"], more, &VAULT[..]].concat()
}

#[test]
fn what_is_sealed_is_told_with_what_is_still_readable() {
    let world = World::with_vault();
    world.write("lawyer/secret-name.txt", b"text");
    let sealed = world.run("lawyer", &seal(&["secret-name.txt", "--receipt", "r.txt"])).exits(0);
    assert_eq!(sealed.out, "SEALED K7-0001\n");
    sealed
        .says("Grey Owl can open it")
        .says("only Grey Owl can open it")
        .says("No reader has yet shown that this can be opened")
        .says("STILL READABLE here: 1 file or folder")
        .says("This may be the only copy")
        .says("next: amparo verify --vault evidence")
        .never_says("secret-name");
    assert!(world.read("lawyer/r.txt").starts_with(b"c2sp.org/tlog-proof@v1\n"));
    world
        .run("lawyer", &seal(&["secret-name.txt", "-v"]))
        .exits(0)
        .says("SEALED K7-0002  4 bytes  ~~/lawyer/secret-name.txt");
    let quiet = world.run("lawyer", &seal(&["secret-name.txt", "--quiet"])).exits(0).says("warning: only Grey Owl");
    assert_eq!(quiet.out, "SEALED K7-0003\n");
    quiet.never_says("next:");
}

#[test]
fn json_has_the_keys_of_the_contract() {
    let world = World::with_vault();
    world.write("lawyer/a.txt", b"text");
    let json = world.run("lawyer", &seal(&["a.txt", "--json"])).exits(0).json();
    let exhibit = &json["exhibits"][0];
    assert_eq!((&exhibit["id"], &exhibit["bytes"], &exhibit["blobs"]), (&"K7-0001".into(), &4.into(), &1.into()));
    assert!(exhibit["source"].as_str().is_some_and(|source| source.ends_with("a.txt")));
    assert_eq!(exhibit["sha256"], "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1");
    assert_eq!(json["checkpoint"]["size"], 2);
    assert_eq!((&json["readback"], json["skipped"].as_array().map(Vec::len)), (&true.into(), Some(0)));
}

#[test]
fn what_is_skipped_is_listed_and_exit_4() {
    let world = World::with_vault();
    world.write("lawyer/f/.hidden", b"h");
    symlink("/etc/passwd", world.path("lawyer/f/link\u{1b}[2J")).expect("a link");
    world
        .run("lawyer", &seal(&["f", "--done", "done"]))
        .exits(4)
        .says("1 path skipped, NOT sealed")
        .says("link\\u{1b}[2J: it is a link")
        .says("not moved: ~~/lawyer/f: not all of it was sealed");
    let json = world.run("lawyer", &seal(&["f", "--json"])).exits(4).json();
    assert_eq!(json["exhibits"].as_array().map(Vec::len), Some(1));
    assert!(json["skipped"][0]["reason"].is_string() && json["skipped"][0]["path"].is_string());
}

#[test]
fn whole_sources_move_away() {
    let world = World::with_vault();
    world.write("lawyer/a.txt", b"a");
    world.write("lawyer/f/b.txt", b"b");
    world.run("lawyer", &seal(&["a.txt", "f", "--done", "done"])).exits(0).says("2 now in done");
    assert!(!world.path("lawyer/a.txt").exists());
    assert_eq!(world.read("lawyer/done/f/b.txt"), b"b");
    world.write("lawyer/a.txt", b"another");
    world.run("lawyer", &seal(&["a.txt", "--done", "done"])).exits(4).says("lies there already");
    assert_eq!(world.read("lawyer/a.txt"), b"another");
    world.write("lawyer/g/c.txt", b"c");
    world.run("lawyer", &seal(&["g", "--together", "--done", "done"])).exits(0);
    assert_eq!(world.read("lawyer/done/g/c.txt"), b"c");
}

#[test]
fn a_court_s_questions_are_asked_and_the_witness_goes_to_the_register() {
    let world = World::with_vault();
    world.write("lawyer/a.txt", b"a");
    let typed = [
        "testimony",
        "yesterday",
        "2026-11-19",
        "Ward 3",
        "",
        "perhaps",
        "yes",
        "oral",
        "voice, name",
        "Ann Example",
        "",
    ];
    let sealed = world.typing("lawyer", &seal(&["a.txt"]), &typed).exits(0);
    sealed
        .says("What is it?")
        .says("a record of its own in the section register")
        .says("sealed apart")
        .never_says("Ann Example");
    world.carry("reader");
    let json = world.run("reader", &["list", "--json", "--vault", "evidence"]).exits(0).json();
    let testimony = json["exhibits"].as_array().expect("a list").iter().find(|one| one["kind"] == "testimony");
    let id = testimony.expect("the testimony")["id"].as_str().expect("an id");
    let fields = world.run("reader", &["show", id, "--json", "--vault", "evidence"]).exits(0).json()["fields"].clone();
    assert_eq!(fields["acquisition/when"], "2026-11-19");
    assert_eq!(fields["acquisition/where"], "Ward 3");
    assert_eq!(fields["consent/identifies"], "name, voice");
    assert!(fields["source/register"].is_string() && fields.get("acquisition/present").is_none());
    world.typing("lawyer", &seal(&["a.txt", "--no-input"]), &[]).exits(0).never_says("What is it?");
}

#[test]
fn answers_are_checked_before_anything_is_sealed() {
    let world = World::with_vault();
    world.write("lawyer/a.txt", b"a");
    let field = |field| world.run("lawyer", &seal(&["a.txt", "--field", field]));
    field("acquisition/wen=2026").exits(2).says("the nearest is acquisition/when");
    field("acquisition/when=2026-11-20T14:30").exits(2).says("offset from UTC");
    field("person/name=Ann").exits(2).says("a command line is remembered").never_says("Ann");
    field("nonsense").exits(2).says("PATH=VALUE");
    world.write("lawyer/f.toml", b"[identity]\ntitel = \"x\"\n");
    world.run("lawyer", &seal(&["a.txt", "--form", "f.toml"])).exits(2).says("line 2");
    world.run("lawyer", &seal(&["a.txt", "--kind", "foto"])).exits(2).says("photo");
    world.run("lawyer", &seal(&["a.txt", "--section", "Main"])).exits(2);
    world
        .run("lawyer", &seal(&["a.txt", "--section", "other"]))
        .exits(1)
        .says("no section")
        .says("hint: amparo member list");
    world.write("lawyer/wide.toml", b"\xff\xfe[\0");
    world.run("lawyer", &seal(&["a.txt", "--form", "wide.toml"])).exits(1).says("plain text in UTF-8");
    world.run("lawyer", &seal(&["none.txt"])).exits(1).says("does not exist");
    world.run("lawyer", &["list", "--vault", "evidence"]).exits(0).says("Nothing is sealed here yet");
}

#[test]
fn standard_input_has_one_reader() {
    let world = World::with_vault();
    let piped = Around { stdin: b"from a pipe", ..Around::default() };
    let sealed = world.run_in("lawyer", &seal(&["-", "--json"]), &piped).exits(0).json();
    assert_eq!((&sealed["exhibits"][0]["source"], &sealed["exhibits"][0]["bytes"]), (&"-".into(), &11.into()));
    world.run_in("lawyer", &seal(&["-", "--form", "-"]), &piped).exits(2).says("it can be read once");
    world.run_in("lawyer", &seal(&["-", "--passphrase-file", "-"]), &piped).exits(2);
    world.run_in("lawyer", &seal(&["-", "-"]), &piped).exits(2).says("standard input is named twice");
}

#[test]
fn a_run_that_ends_early_tells_what_is_sealed_and_why_it_ended() {
    let world = World::with_vault();
    world.write("lawyer/a.txt", b"a");
    let stop = Around { stdin: b"from a pipe", stopped_at_input: true, ..Around::default() };
    let outcome = world.run_in("lawyer", &seal(&["a.txt", "-", "--json"]), &stop).exits(130);
    let json = outcome.json();
    assert_eq!(json["exhibits"].as_array().map(Vec::len), Some(1));
    assert_eq!((&json["exhibits"][0]["id"], &json["checkpoint"]["size"]), (&"K7-0001".into(), &2.into()));
    assert_eq!(json["skipped"], serde_json::json!([{ "path": "-", "reason": "the run ended before it" }]));
    let error: serde_json::Value = serde_json::from_str(&outcome.err).expect("one object on standard error");
    assert_eq!((&error["format"], &error["code"]), (&1.into(), &130.into()));
    let text = world.run_in("lawyer", &seal(&["a.txt", "-"]), &stop).exits(130);
    assert_eq!(text.out, "SEALED K7-0002\n");
    text.says("-: the run ended before it").says("the run ended early").says("error: stopped before the end");
    world.run_in("lawyer", &seal(&["-", "--json"]), &stop).exits(130).json_error();
    world.run("lawyer", &["verify", "evidence"]).exits(0);
}

#[test]
fn many_empty_files_are_named_up_to_a_hundred() {
    let world = World::with_vault();
    for number in 0..102 {
        world.write(&format!("lawyer/f/{number:03}"), b"");
    }
    let sealed = world.run("lawyer", &seal(&["f", "--done", "done"])).exits(0);
    assert_eq!(sealed.out.lines().count(), 102);
    sealed.says("K7-0100 is empty").never_says("K7-0101 is empty").says("2 more exhibits: they are empty");
    assert!(world.path("lawyer/done/f/101").exists());
}

#[test]
fn a_vault_that_is_unknown_locked_or_stopped_gets_nothing() {
    let world = World::with_vault();
    world.write("lawyer/a.txt", b"a");
    let stop = Around { stopped: true, ..Around::default() };
    world.run_in("lawyer", &seal(&["a.txt"]), &stop).exits(130).says("stopped before the end");
    let state = [&seal(&["a.txt"])[..], &["--state", "elsewhere"]].concat();
    world.run("lawyer", &state).exits(5).says("--vault-id ID");
    let lock = std::fs::File::options().write(true).open(world.path("lawyer/evidence/VAULT")).expect("VAULT");
    lock.lock().expect("a lock");
    let error = world.run("lawyer", &seal(&["a.txt", "--json"])).exits(11).json_error();
    assert!(error["error"].as_str().is_some_and(|text| text.contains("locked by another process")));
    drop(lock);
    world.write("lawyer/evidence/VAULT", b"amparo.v2/vault\nx\n");
    world.run("lawyer", &seal(&["a.txt"])).exits(1).says("a newer program");
    world.run("monitor", &["list", "--vault", "../lawyer/evidence"]).exits(1);
}

#[test]
fn a_monitor_may_not_seal() {
    let world = World::with_vault();
    world.carry("monitor");
    world.write("monitor/a.txt", b"a");
    world.run("monitor", &seal(&["a.txt", "--owner", "../lawyer.card"])).exits(1).says("may not seal");
}

#[test]
fn a_film_tells_its_device_time_and_place_from_a_file_and_from_a_pipe() {
    // Its boxes with device, time and place stand last, behind the pictures, which here take two parts of a pipe.
    let film = include_bytes!("../evidence/media/phone.mov");
    let at = film.windows(4).position(|window| window == b"mdat").expect("the pictures") - 4;
    let length = u32::from_be_bytes(*film[at..].first_chunk().expect("a length"));
    let end = at + usize::try_from(length).expect("short");
    let longer = (length + (20 << 20)).to_be_bytes();
    let film = [&film[..at], &longer, &film[at + 4..end], &vec![0; 20 << 20], &film[end..]].concat();
    let world = World::with_vault();
    world.write("lawyer/film.mov", &film);
    world.run("lawyer", &seal(&["film.mov"])).exits(0);
    world.run_in("lawyer", &seal(&["-"]), &Around { stdin: &film, ..Around::default() }).exits(0);
    world.carry("reader");
    for id in ["K7-0001", "K7-0002"] {
        let shown = world.run("reader", &["show", id, "--vault", "evidence", "--json"]).exits(0).json().to_string();
        for said in ["2024-03-18T07:45:00-08:00", "Fabricam One", "-30.50000", "-120.25000", "2024-03-18T15:45:00Z"] {
            assert!(shown.contains(said), "{id}, {said}: {shown}");
        }
    }
}

#[test]
fn what_nobody_reads_is_done_all_the_same() {
    let world = World::with_vault();
    world.write("lawyer/a.txt", b"a");
    let unread = Around { unread: true, ..Around::default() };
    world
        .run_in("lawyer", &seal(&["a.txt", "--receipt", "r.txt", "--done", "done"]), &unread)
        .exits(1)
        .says("Sealed 1 exhibit")
        .says("1 now in done")
        .never_says("error:");
    assert!(world.path("lawyer/r.txt").exists() && world.path("lawyer/done/a.txt").exists());
    world.run_in("lawyer", &["list", "--vault", "evidence"], &unread).exits(1).never_says("error:");
    let json = world.run_in("lawyer", &["list", "--vault", "evidence", "--json"], &unread).exits(1).json_error();
    assert!(json["error"].as_str().is_some_and(|error| error.contains("could not be written")));
}

#[test]
fn a_place_for_what_is_done_must_be_there_before_anything_is_sealed() {
    let world = World::with_vault();
    world.write("lawyer/a.txt", b"a");
    world.write("lawyer/b.txt", b"b");
    world.run("lawyer", &seal(&["a.txt", "--done", "b.txt"])).exits(1).says("is not a folder");
    world.run("lawyer", &["list", "--vault", "evidence"]).exits(0).says("Nothing is sealed here yet");
}

#[test]
fn an_empty_folder_is_listed() {
    let world = World::with_vault();
    world.write("lawyer/a.txt", b"a");
    std::fs::create_dir(world.path("lawyer/empty")).expect("a folder");
    for more in [&[][..], &["--together"]] {
        let args = [&["a.txt", "empty"], more].concat();
        world.run("lawyer", &seal(&args)).exits(4).says("SEALED").says("empty: the folder holds no file");
    }
    let json = world.run("lawyer", &seal(&["empty", "--json"])).exits(4).json();
    assert_eq!(json["skipped"].as_array().map(Vec::len), Some(1));
    assert!(json["warnings"].to_string().contains("1 path skipped, NOT sealed\""));
}
