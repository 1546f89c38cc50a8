//! `amparo border-check`: keys that open content only with others, and lines of which it is to be found out whose they are.

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::format::armor;
use amparo::format::identity_file::IdentityFile;
use amparo::format::key_file::KeyFile;
use amparo::format::role::Scope;
use serde_json::Value;

use super::border_check::{checked, of_kind};
use super::harness::World;

const READERS: [(&str, &str); 3] = [("owl", "Grey Owl"), ("tern", "Tern"), ("plover", "Plover")];

/// Three readers of whom so many must come together, each with a copy of a vault with one testimony.
fn quorum(needed: &str) -> World {
    let world = World::new();
    for (who, name) in READERS.into_iter().chain([("lawyer", "Blue Heron")]) {
        world.join(who, name);
    }
    let mut init = vec!["init", "evidence", "--handle", "K7", "--quorum", needed];
    for card in ["../owl.card", "../tern.card", "../plover.card"] {
        init.extend(["--reader", card]);
    }
    world.run("lawyer", &init).exits(0);
    world.write("lawyer/t.txt", b"I was there.\n");
    world.run("lawyer", &["seal", "t.txt", "--title", "Statement", "--vault", "evidence"]).exits(0);
    for who in ["owl", "tern", "plover", "courier"] {
        world.carry(who);
    }
    world
}

fn identity(world: &World, who: &str) -> Vec<u8> {
    world.read(&format!("{who}/.config/amparo/identity.age"))
}

/// The secret key of age alone, as stock age would use it.
fn line(world: &World, who: &str) -> String {
    String::from_utf8(identity(world, who)).expect("text").lines().last().expect("the key").to_string() + "\n"
}

fn age(world: &World, who: &str) -> Identity {
    IdentityFile::parse(&identity(world, who)).expect("a bare identity").seed.keys().age
}

fn opens<'a>(json: &'a Value, kind: &str) -> Vec<&'a str> {
    of_kind(json, kind).iter().map(|find| find["opens"].as_str().expect("a word")).collect()
}

/// The share of Tern, lent to Grey Owl.
fn lend(world: &World) -> Vec<u8> {
    let digits = world.digits();
    let to = ["--to", "Grey Owl", "-o", "../t.share", "--vault", "evidence", "--vault-id", &digits];
    world.run("tern", &[&["identity", "lend"], &to[..]].concat()).exits(0);
    world.read("t.share")
}

#[test]
fn readers_whose_shares_meet_on_one_device_open_content() {
    let world = quorum("2");
    world
        .run("owl", &["border-check"])
        .exits(0)
        .says("no content alone, but with other readers' shares the sections main");
    assert_eq!(opens(&checked(&world, "owl", &[], 0), "identity"), ["custody"]);
    // Her own share once more, in whatever form, is no second one.
    world.write("owl/music/song.mp3", &identity(&world, "owl"));
    checked(&world, "owl", &[], 0);
    world.write("owl/music/song.mp3", line(&world, "owl").as_bytes());
    assert_eq!(opens(&checked(&world, "owl", &[], 0), "age_key"), ["custody"]);
    world.write("owl/music/song.mp3", &identity(&world, "tern"));
    assert_eq!(opens(&checked(&world, "owl", &[], 1), "identity"), ["content", "content"]);
    world
        .run("owl", &["border-check"])
        .exits(1)
        .says("enough of these shares lie on this device: together they open content (sections main and register)")
        .says("do not carry these shares together: leave them with different people")
        .says("2 things open it, or could");
    world.write("owl/music/song.mp3", line(&world, "tern").as_bytes());
    let json = checked(&world, "owl", &[], 1);
    assert_eq!((opens(&json, "identity"), opens(&json, "age_key")), (vec!["content"], vec!["content"]));
    // Without their files, and in one.
    world.write("courier/list", line(&world, "owl").as_bytes());
    assert_eq!(opens(&checked(&world, "courier", &[], 0), "age_key"), ["custody"]);
    for list in [
        line(&world, "owl") + &line(&world, "plover"),
        format!("[\"{}\", \"{}\"]", line(&world, "owl").trim_end(), line(&world, "plover").trim_end()),
    ] {
        world.write("courier/list", list.as_bytes());
        assert_eq!(opens(&checked(&world, "courier", &[], 1), "age_key"), ["content"], "{list}");
    }
    // The wrapped shares lie in another copy.
    world.write("courier/list", line(&world, "owl").as_bytes());
    world.write("courier/other", line(&world, "plover").as_bytes());
    for (who, scope) in [("owl", "main"), ("owl", "register"), ("plover", "main"), ("plover", "register")] {
        lose_wraps(&world, who, "courier", |text| text.contains(&format!("# scope {scope}\n")));
    }
    assert_eq!(opens(&checked(&world, "courier", &[], 1), "age_key"), ["content", "content"]);
}

#[test]
fn two_of_three_that_must_all_come_together_open_nothing() {
    let world = quorum("3");
    world.write("owl/music/song.mp3", &identity(&world, "tern"));
    assert_eq!(opens(&checked(&world, "owl", &[], 0), "identity"), ["custody", "custody"]);
    world.write("owl/music/list", line(&world, "plover").as_bytes());
    assert_eq!(opens(&checked(&world, "owl", &[], 1), "identity"), ["content", "content"]);
    std::fs::remove_dir_all(world.path("owl/music")).expect("removed");
    // A share that was lent is a key as long as nobody can tell that the others are far.
    world.write("owl/t.share", &lend(&world));
    let json = checked(&world, "owl", &[], 1);
    assert_eq!((opens(&json, "identity"), opens(&json, "share")), (vec!["custody"], vec!["unknown"]));
    world.run("owl", &["border-check"]).exits(1).says("with the shares of enough other readers it opens content");
}

#[test]
fn a_share_that_was_lent_counts_beside_the_readers_own() {
    let world = quorum("2");
    let lent = lend(&world);
    world.write("owl/music/letter", &lent);
    let json = checked(&world, "owl", &[], 1);
    assert_eq!((opens(&json, "identity"), opens(&json, "share")), (vec!["content"], vec!["content"]));
    world.run("owl", &["border-check"]).exits(1).says("share of a key  ~~/owl/music/letter").says("(section main)");
    // For whoever else has it, it is a file to somebody else's key; Tern's own share is the same one.
    world.write("courier/letter", &lent);
    assert_eq!(opens(&checked(&world, "courier", &[], 0), "age_file"), ["nothing"]);
    world.write("tern/letter", &lent);
    assert_eq!(opens(&checked(&world, "tern", &[], 0), "identity"), ["custody"]);
    // Decrypted, as stock age would do it, and the last line of that alone.
    let plain = envelope::open(&armor::parse(&lent).expect("text"), &[&age(&world, "owl")]).expect("hers");
    let text = String::from_utf8(plain.to_vec()).expect("text");
    let uri = text.trim_end().lines().last().expect("the share").to_uppercase();
    for text in [text, format!("Tern: {uri}.")] {
        world.write("owl/music/letter", text.as_bytes());
        let json = checked(&world, "owl", &[], 1);
        assert_eq!((opens(&json, "identity"), opens(&json, "words")), (vec!["content"], vec!["content"]), "{text}");
    }
}

/// Removes from a copy what hands somebody the keys of which this is true.
fn lose_wraps(world: &World, who: &str, copy: &str, is_it: impl Fn(&str) -> bool) {
    let (age, mut lost) = (age(world, who), 0);
    for file in world.files(&format!("{copy}/evidence/keys")) {
        let plain = envelope::open(&world.read(&file), &[&age]).ok();
        if plain.is_some_and(|plain| is_it(&String::from_utf8_lossy(&plain))) {
            std::fs::remove_file(world.path(&file)).expect("removed");
            lost += 1;
        }
    }
    assert!(lost > 0, "nothing to lose");
}

#[test]
fn a_bare_line_is_judged_as_the_identity_of_whoever_it_is() {
    let world = World::with_testimony();
    world.carry("courier");
    // What hands a reader the content keys is missing in this copy; another may have it.
    lose_wraps(&world, "reader", "courier", |text| !text.contains("# scope custody\n"));
    world.write("courier/key", &identity(&world, "reader"));
    assert_eq!(opens(&checked(&world, "courier", &[], 1), "identity"), ["content"]);
    world.write("courier/key", line(&world, "reader").as_bytes());
    assert_eq!(opens(&checked(&world, "courier", &[], 1), "age_key"), ["content"]);
    world
        .run("courier", &["border-check"])
        .exits(1)
        .says("content of ~~/courier/evidence (sections main and register)");
    // Of a monitor it is known that she opens no content, as of her identity.
    world.write("courier/key", line(&world, "monitor").as_bytes());
    world.run("courier", &["border-check"]).exits(0).says("3 members under pseudonyms, 1 exhibit").says("no content");
    // Beside it one that cannot be read, or one that opens nothing here.
    for other in ["AGE-SECRET-KEY-1QQPQ\n".to_string(), Identity::from_seed(&[9; 32]).to_secret_line().to_string()] {
        world.write("courier/key", (line(&world, "monitor") + &other).as_bytes());
        assert_eq!(opens(&checked(&world, "courier", &[], 1), "age_key"), ["unknown"], "{other}");
    }
}

#[test]
fn a_bare_line_of_a_reader_who_awaits_her_key_opens_content() {
    let world = World::with_testimony();
    let digits = world.join("skua", "Skua");
    let add = ["member", "add", "../skua.card", "--role", "reader", "--fingerprint", &digits, "--vault", "evidence"];
    world.run("lawyer", &add).exits(0).says("still awaits the key");
    world.carry("courier");
    world.write("courier/key", line(&world, "skua").as_bytes());
    assert_eq!(opens(&checked(&world, "courier", &[], 1), "age_key"), ["content"]);
}

#[test]
fn a_key_that_shows_the_custody_record_and_is_nobodys_counts() {
    let world = World::with_testimony();
    world.carry("courier");
    let monitor = age(&world, "monitor");
    let mut held = world
        .files("courier/evidence/keys")
        .into_iter()
        .filter_map(|file| KeyFile::parse(&envelope::open(&world.read(&file), &[&monitor]).ok()?).ok());
    let custody = held.find(|key| key.scope == Scope::Custody).expect("hers");
    let stranger = Identity::from_seed(&[9; 32]);
    let wrapped = envelope::seal(&custody.print(), &[&stranger.recipient()]).bytes;
    world.write(&format!("courier/evidence/keys/{}/{}.age", custody.id(), Hash::of(&wrapped)), &wrapped);
    world.write("courier/key", stranger.to_secret_line().as_bytes());
    assert_eq!(opens(&checked(&world, "courier", &[], 1), "age_key"), ["unknown"]);
    world
        .run("courier", &["border-check"])
        .exits(1)
        .says("it shows the custody record, and is on no member's card there");
    // No more does an identity's file: who is in no copy of the story yet may be a reader by what this copy lacks.
    world.join("tern", "Tern");
    let wrapped = envelope::seal(&custody.print(), &[&age(&world, "tern").recipient()]).bytes;
    world.write(&format!("courier/evidence/keys/{}/{}.age", custody.id(), Hash::of(&wrapped)), &wrapped);
    world.write("courier/key", &identity(&world, "tern"));
    assert_eq!(opens(&checked(&world, "courier", &[], 1), "identity"), ["unknown"]);
    // Nor does it tell anything of a reader that somebody put a file for her among the entries.
    lose_wraps(&world, "reader", "courier", |_| true);
    let entry = world.files("courier/evidence/logs").into_iter().find(|file| file.contains("/entries/")).expect("one");
    world.write(&entry, &envelope::seal(b"x", &[&age(&world, "reader").recipient()]).bytes);
    world.write("courier/key", line(&world, "reader").as_bytes());
    assert_eq!(opens(&checked(&world, "courier", &[], 1), "age_key"), ["unknown"]);
}

/// In an older copy, or one that lost files, a reader opens nothing: that tells nothing of her.
#[test]
fn whoever_opens_nothing_in_one_vault_is_not_known_from_another() {
    let world = World::with_testimony();
    world.carry("monitor");
    checked(&world, "monitor", &[], 0);
    world.run("other", &["identity", "new", "--name", "Other", "--no-passphrase"]).exits(0);
    world.run("other", &["init", "archive", "--reader", "../reader.card"]).exits(0);
    world.copy("other/archive", "monitor/archive");
    for key in [identity(&world, "monitor"), line(&world, "monitor").into_bytes()] {
        world.write("monitor/.config/amparo/identity.age", &key);
        checked(&world, "monitor", &[], 1);
    }
    world.run("monitor", &["border-check"]).exits(1).says("nothing in ~~/monitor/archive; in a fuller copy");
    // Another copy of the same vault tells it.
    std::fs::remove_dir_all(world.path("monitor/archive")).expect("removed");
    world.copy("lawyer/evidence", "monitor/older");
    std::fs::remove_dir_all(world.path("monitor/older/keys")).expect("removed");
    checked(&world, "monitor", &[], 0);
}
