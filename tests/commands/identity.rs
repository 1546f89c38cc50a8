//! `amparo identity`.

use super::harness::{Around, World};

#[test]
fn an_identity_is_made_shown_and_given_out() {
    let world = World::new();
    let made = world.run("ann", &["identity", "new", "--name", "Blue Heron", "--no-passphrase"]).exits(0);
    let digits = made.out.trim().to_string();
    assert_eq!(digits.len(), 47, "8 groups of 5 digits, alone on standard output");
    made.says("warning: this identity is under no passphrase").says("next: amparo identity card -o blue-heron.card");
    world.run("ann", &["identity", "show"]).exits(0).says("Blue Heron").says(&digits);
    let card = world.run("ann", &["identity", "card"]).exits(0);
    assert!(card.out.starts_with("amparo.v1/card\nname Blue Heron\n"));
    let json = world.run("ann", &["identity", "card", "--json"]).exits(0).json();
    assert_eq!(json["fingerprint"], digits.as_str());
    assert!(json["card"].as_str().is_some_and(|card| card.starts_with("amparo.v1/card\n")));
    assert_eq!(json["member"].as_str().map(str::len), Some(64));
}

#[test]
fn nothing_existing_is_overwritten() {
    let world = World::new();
    world.run("ann", &["identity", "new", "--name", "Ann", "--no-passphrase"]).exits(0);
    world.run("ann", &["identity", "new", "--name", "Ann", "--no-passphrase"]).exits(1).says("exists already");
    world.run("ann", &["identity", "card", "-o", "a.card"]).exits(0);
    world.run("ann", &["identity", "card", "-o", "a.card"]).exits(1).says("exists already");
    world.run("ann", &["identity", "card", "-o", "a.card", "--overwrite"]).exits(0);
    assert!(!world.path("ann/a.card.part").exists());
}

#[test]
fn passphrases_come_from_the_terminal_or_a_file() {
    let world = World::new();
    let new = ["identity", "new", "--name", "Ann"];
    world.typing("ann", &new, &["one", "two", "three", "three"]).exits(0).says("two different passphrases");
    world.typing("ann", &["identity", "show"], &["one"]).exits(12).says("the passphrase does not open it");
    world.typing("ann", &["identity", "show"], &["three"]).exits(0).says("Ann");
    world.write("ann/words", b"three\nand a second line\n");
    world.run("ann", &["identity", "show", "--passphrase-file", "words"]).exits(0);
    let env = Around { env: &[("AMPARO_PASSPHRASE_FILE", "words")], ..Around::default() };
    world.run_in("ann", &["identity", "show"], &env).exits(0);
    let piped = Around { stdin: b"three\n", ..Around::default() };
    world.run_in("ann", &["identity", "show", "--passphrase-file", "-"], &piped).exits(0);
}

#[test]
fn an_empty_answer_makes_ten_words() {
    let world = World::new();
    let made = world.typing("ann", &["identity", "new", "--name", "Ann"], &[""]).exits(0).says("shown this once");
    let words = made.err.lines().find_map(|line| line.strip_prefix("    ")).expect("the words").to_string();
    assert_eq!(words.split(' ').count(), 10);
    assert!(!made.out.contains(&words));
    world.typing("ann", &["identity", "show"], &[&words]).exits(0);
}

#[test]
fn without_input_the_flag_is_named() {
    let world = World::new();
    world.run("ann", &["identity", "new"]).exits(2).says("--name NAME");
    world.typing("ann", &["identity", "new", "--no-input"], &["never read"]).exits(2).says("--name NAME");
    world.run("ann", &["identity", "new", "--name", "A", "--no-input"]).exits(2).says("--passphrase-file");
    let error = world.run("ann", &["identity", "show", "--json"]).exits(12).json_error();
    assert_eq!(error["hint"], "amparo identity new");
    world.run("ann", &["identity", "new", "--name", "a\u{202e}b", "--no-passphrase"]).exits(2).says("U+202E");
    world.typing("ann", &["identity", "new", "--no-passphrase"], &["Typed Name"]).exits(0);
    world.run("ann", &["identity", "show"]).exits(0).says("Typed Name");
}

#[test]
fn a_weak_passphrase_is_warned_of_and_taken() {
    let world = World::new();
    let new = ["identity", "new", "--name", "Ann"];
    world.typing("ann", &new, &["secret", "secret"]).exits(0).says("warning:").says("this passphrase is short");
    world.typing("ann", &["identity", "show"], &["secret"]).exits(0);
    let long = "seven geese over the old mill";
    world.typing("bea", &["identity", "new", "--name", "Bea"], &[long, long]).exits(0).never_says("this passphrase");
}
