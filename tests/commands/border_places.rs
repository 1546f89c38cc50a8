//! `amparo border-check`: where it looks, and what hides nothing from it.

use std::os::unix::fs::PermissionsExt;

use super::border_check::{checked, of_kind};
use super::harness::{Around, World};

/// Folders that are called as a vault's are, a vault's own folders, and the device's memory hide nothing.
#[test]
fn a_key_is_found_in_any_folder_whatever_it_is_called() {
    let world = World::with_testimony();
    let identity = world.read("reader/.config/amparo/identity.age");
    checked(&world, "courier", &[], 0);
    // Two folders of anybody are no vault.
    world.write("courier/keys/owl.age", &identity);
    world.write("courier/logs/today.txt", b"nothing happened\n");
    let json = checked(&world, "courier", &[], 1);
    assert_eq!((of_kind(&json, "identity").len(), of_kind(&json, "vault").len()), (1, 0));
    world.run("courier", &["border-check", "--card"]).exits(1).says("1 key lies on this device");
    for name in ["keys", "logs"] {
        std::fs::remove_dir_all(world.path(&format!("courier/{name}"))).expect("removed");
    }
    world.carry("courier");
    let log = world.files("courier/evidence/logs").remove(0);
    let log = log.split("/logs/").nth(1).and_then(|path| path.split('/').next()).expect("a log").to_string();
    checked(&world, "courier", &[], 0);
    let inside = ["keys/owl.age", "blobs/owl", "blobs/ab/owl.age", "logs/owl", "owl.age", "keys/ab/VAULT"];
    for place in inside.map(str::to_string).into_iter().chain([format!("logs/{log}/entries/00000000/owl.age")]) {
        let path = format!("courier/evidence/{place}");
        world.write(&path, &identity);
        let json = checked(&world, "courier", &[], 1);
        assert_eq!(of_kind(&json, "identity")[0]["opens"], "content", "{place}");
        assert_eq!(of_kind(&json, "vault").len(), 1);
        std::fs::remove_file(world.path(&path)).expect("removed");
    }
    // A vault that lost its hint is one by its logs, and then that name is anybody's.
    std::fs::remove_file(world.path("courier/evidence/VAULT")).expect("removed");
    let json = checked(&world, "courier", &[], 0);
    assert_eq!((of_kind(&json, "vault").len(), of_kind(&json, "age_file").len()), (1, 0));
    world.write("courier/evidence/VAULT", &identity);
    assert_eq!(of_kind(&checked(&world, "courier", &[], 1), "identity").len(), 1);
    // So in the memory of a device, which holds texts of this program under its own names.
    let json = checked(&world, "lawyer", &[], 0);
    assert_eq!((of_kind(&json, "state").len(), of_kind(&json, "document").len()), (1, 0));
    let state = ".local/state/amparo";
    world.write(&format!("lawyer/{state}/owl.age"), &identity);
    let json = checked(&world, "lawyer", &[], 1);
    assert_eq!(of_kind(&json, "identity").len(), 2);
    let json = checked(&world, "lawyer", &[".local/../.local"], 1);
    assert_eq!((of_kind(&json, "identity").len(), of_kind(&json, "state").len()), (2, 1));
}

/// One folder can be a vault and an opened exhibit.
#[test]
fn what_was_opened_into_a_vaults_folder_is_found_beside_the_vault() {
    let world = World::with_testimony();
    world.carry("reader");
    let open = ["open", "K7-0001", "-o", "out", "--vault", "evidence", "--owner", "../lawyer.card"];
    world.run("reader", &open).exits(0);
    world.carry("courier");
    checked(&world, "courier", &[], 0);
    world.copy("reader/out/K7-0001", "courier/evidence");
    let json = checked(&world, "courier", &[], 1);
    assert_eq!((of_kind(&json, "opened_exhibit").len(), of_kind(&json, "vault").len()), (1, 1), "{json:#}");
    world.run("courier", &["border-check", "--card"]).exits(1);
}

#[test]
fn what_is_named_is_looked_through_beside_the_home_folder() {
    let world = World::with_testimony();
    world.write("stick/letter.txt", b"Dear friend\n");
    let card = |world: &World| world.run("courier", &["border-check", "--card", "../stick"]);
    card(&world).exits(0).says("No key was found on this device.");
    let key = world.read("reader/.config/amparo/identity.age");
    world.write("courier/music/song.mp3", &key);
    card(&world).exits(1).says("1 key lies on this device");
    std::fs::rename(world.path("courier/music/song.mp3"), world.path("stick/song.mp3")).expect("moved");
    world.run("courier", &["border-check", "--card"]).exits(0);
    card(&world).exits(1).says("1 key lies on this device");
    // So in this person's own folder for what is temporary; those of everybody are told of.
    std::fs::rename(world.path("stick/song.mp3"), world.path("courier-tmp")).expect("moved");
    let own = world.path("temporary");
    std::fs::create_dir_all(&own).expect("a folder");
    std::fs::rename(world.path("courier-tmp"), own.join("x")).expect("moved");
    let around = Around { env: &[("TMPDIR", own.to_str().expect("text"))], ..Around::default() };
    world.run_in("courier", &["border-check", "--card"], &around).exits(1).says("1 key lies on this device");
    world.run("courier", &["border-check"]).exits(0).says("temporary folders that all users share");
    // One that everybody may write into is shared, wherever it lies.
    std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o777)).expect("opened to everybody");
    world.run_in("courier", &["border-check", "--card"], &around).exits(0);
    // Where no home folder is known, nobody can say what lies in it.
    let homeless = Around { env: &[("HOME", "")], ..Around::default() };
    let nowhere = ["border-check", "--identity", "none", "--state", "nowhere"];
    world.run_in("courier", &nowhere, &homeless).exits(4).says("set HOME");
    world.run_in("courier", &[&nowhere[..], &["--card"]].concat(), &homeless).exits(4);
}

/// What the program itself writes in the clear.
#[test]
fn papers_of_this_program_are_known_and_told_for_what_they_show() {
    let world = World::with_testimony();
    for (names, file) in [("full", "letters/a"), ("roles", "letters/b")] {
        std::fs::create_dir_all(world.path("lawyer/letters")).expect("a folder");
        world.run("lawyer", &["verify", "evidence", "--report", file, "--names", names]).exits(0);
    }
    assert!(String::from_utf8(world.read("lawyer/letters/a")).expect("text").contains("Grey Owl"));
    let json = checked(&world, "lawyer", &[], 0);
    let reports = of_kind(&json, "report");
    assert!(reports.len() == 2 && reports.iter().all(|report| report["opens"] == "custody"), "{json:#}");
    world
        .run("lawyer", &["border-check"])
        .exits(0)
        .says("report  ~~/lawyer/letters/a\n    shows the custody record: a report of a check, readable by anyone")
        .says("members by their pseudonyms");
    // A receipt as an image, and its line, as it is shown, in small letters, in a mail.
    let receipt = ["custody", "receipt", "K7-0001", "--qr-svg", "letters/c", "--vault", "evidence"];
    let line = world.run("lawyer", &receipt).exits(0).out;
    assert!(line.starts_with("AMPARO.V1/ROW "), "{line}");
    world.write("lawyer/letters/d", line.as_bytes());
    world.write("lawyer/letters/e", line.to_lowercase().as_bytes());
    world.write("lawyer/letters/f", format!("Dear Ann,\nkeep this:\n\n> {line}\n").as_bytes());
    assert_eq!(of_kind(&checked(&world, "lawyer", &[], 0), "short_receipt").len(), 4);
    world.run("lawyer", &["border-check"]).exits(0).says("the short form of a receipt, in the clear");
    let cosign = ["verify", "evidence", "--cosign", "--cosignatures", "letter", "--owner", "../lawyer.card"];
    world.carry("monitor");
    world.run("monitor", &cosign).exits(0);
    assert_eq!(of_kind(&checked(&world, "monitor", &[], 0), "cosignatures")[0]["opens"], "nothing");
    world
        .run("monitor", &["border-check"])
        .exits(0)
        .says("it is cosigned, by whom and when, by the digits of that person's card");
}

/// Shares on paper restore an identity as its 24 words do.
#[test]
fn shares_that_were_written_down_are_found_and_prose_is_not() {
    let world = World::with_testimony();
    let share = amparo::crypto::shares::split(&[7; 32], 2, 3, &mut rand_core::OsRng).remove(0);
    let words = amparo::format::words::bytewords::of_share(&share);
    let numbered: Vec<String> = words.iter().zip(1..).map(|(word, at)| format!("{at:>2}. {word}")).collect();
    let uri = amparo::format::words::bytewords::ur(&share);
    // However a person marks them.
    let rows: Vec<String> = words.iter().zip(1..).map(|(word, at)| format!("| ({at}) | \"{word}\" |")).collect();
    let texts = [numbered.join("\n"), rows.join("\n"), words.join(" "), words.join(";"), uri.to_string()];
    for text in texts.into_iter().chain([format!("share:{}", uri.to_uppercase())]) {
        world.write("courier/list.txt", text.as_bytes());
        assert_eq!(of_kind(&checked(&world, "courier", &[], 1), "words")[0]["opens"], "unknown", "{text}");
        world.run("courier", &["border-check", "--card"]).exits(1).says("1 key lies on this device");
    }
    std::fs::remove_file(world.path("courier/list.txt")).expect("removed");
    // The pages of this project, which speak of all of it, hold no key.
    let pages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    for page in std::fs::read_dir(pages).expect("pages").map(|page| page.expect("a page").path()) {
        if page.is_file() {
            let name = page.file_name().expect("a name").to_string_lossy().into_owned();
            world.write(&format!("courier/{name}"), &std::fs::read(&page).expect("read"));
        }
    }
    let json = world.run("courier", &["border-check", "--json"]).json();
    assert_eq!(of_kind(&json, "words").len(), 0, "{json:#}");
}
