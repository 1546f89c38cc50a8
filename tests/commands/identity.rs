//! `amparo identity`.

use amparo::crypto::seed::Seed;
use amparo::format::identity_file::IdentityFile;
use amparo::format::words::of_seed;

use super::harness::{Around, World, numbered};

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
    world.write("ann/a.card", b"an older one");
    for name in ["a.card.part", "a.card.old"] {
        world.write(&format!("ann/{name}"), b"a stranger's");
    }
    world.run("ann", &["identity", "card", "-o", "a.card", "--overwrite"]).exits(0);
    assert!(world.read("ann/a.card").starts_with(b"amparo.v1/card"));
    for name in ["a.card.part", "a.card.old"] {
        assert_eq!(world.read(&format!("ann/{name}")), b"a stranger's", "{name}");
    }
    assert!(!["a.card.2.part", "a.card.2.old"].iter().any(|name| world.path("ann").join(name).exists()));
    std::fs::create_dir(world.path("ann/folder")).expect("a folder");
    world.run("ann", &["identity", "card", "-o", "folder", "--overwrite"]).exits(1).says("exists already");
    assert!(world.path("ann/folder").is_dir());
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

/// The seed in a bare identity file.
fn seed_of(world: &World, who: &str) -> Seed {
    let file = world.read(&format!("{who}/.config/amparo/identity.age"));
    IdentityFile::parse(&file).expect("a bare identity").seed
}

/// Its 24 words.
fn words_of(world: &World, who: &str) -> String {
    of_seed(&seed_of(world, who)).join(" ")
}

fn ann() -> World {
    let world = World::new();
    world.run("ann", &["identity", "new", "--name", "Ann", "--no-passphrase"]).exits(0);
    world
}

#[test]
fn a_backup_is_done_when_the_paper_was_read_back() {
    let world = ann();
    let words = words_of(&world, "ann");
    let done = world.typing("ann", &["identity", "backup"], &["", "page 1"]).exits(0);
    assert!(done.pages[0].contains(&format!("   1. {}", words.split(' ').next().expect("a word"))));
    // One of them alone may stand in any sentence.
    let words: Vec<&str> = words.split(' ').collect();
    let is_told = |pair: &[&str]| [&done.out, &done.err].iter().any(|said| said.contains(&pair.join(" ")));
    assert!(!words.windows(2).any(is_told), "{} {}", done.out, done.err);
    let digits = done.out.trim().to_string();
    done.says("DONE").says("needs no passphrase").says("paper in a flat that may be searched").says("not in the words");
    world.run("ann", &["identity", "show"]).exits(0).says(&digits);
}

#[test]
fn a_backup_that_was_not_read_back_is_not_done() {
    let world = ann();
    let backup = ["identity", "backup"];
    let not_done = |typed: &[&str]| {
        world.typing("ann", &backup, typed).exits(1).says("NOT DONE").never_says("restores this identity")
    };
    not_done(&[]);
    not_done(&[""]);
    not_done(&["", "abandon abandon"]);
    let other = of_seed(&Seed::from_bytes(&[7; 32])).join(" ");
    not_done(&["", &other]).says("another identity");
    let mut wrong: Vec<String> = words_of(&world, "ann").split(' ').map(String::from).collect();
    wrong.swap(2, 3);
    let wrong = wrong.join(" ");
    not_done(&["", &wrong, &wrong, &wrong]).says("at least one is not the one that was written down");
    world.run("ann", &backup).exits(2).says("-o FILE");
    world.typing("ann", &["identity", "backup", "--no-input"], &["", "page 1"]).exits(2).says("-o FILE");
    world.typing("ann", &["identity", "backup", "--json"], &["", "page 1"]).exits(2);
    world.run("ann", &["identity", "backup", "-o", "-"]).exits(2).says("not written to a pipe");
}

#[test]
fn a_wrong_word_is_named_and_the_typing_goes_on_from_there() {
    let world = ann();
    let words = words_of(&world, "ann");
    let (start, rest) = words.split_at(words.match_indices(' ').nth(4).expect("24 words").0);
    let typed = ["Ann", &format!("{} zzzz", start.to_uppercase()), "abandon", "-", rest];
    let restore = ["identity", "restore", "--no-passphrase", "-o", "other.age"];
    let restored = world.typing("ann", &restore, &typed).exits(0);
    assert!(restored.pages[1].contains("NOT TAKEN: word 6 is not one of the list"), "{}", restored.pages[1]);
    assert!(restored.pages[1].contains("Go on from word 6") && restored.pages[1].contains("   5. "));
    assert!(restored.pages[2].contains("   6. abandon") && !restored.pages[3].contains("   6. "));
    assert_eq!(world.read("ann/other.age"), world.read("ann/.config/amparo/identity.age"));
}

#[test]
fn shares_go_to_several_people_and_any_so_many_restore() {
    let world = ann();
    let backup = ["identity", "backup", "--shares", "2/3"];
    let done = world.typing("ann", &backup, &["", "", "", "page 3", "page 1"]).exits(0).says("DONE");
    assert!(done.pages[1].starts_with("Share 2 of 3, for one person or place of its own. Any 2 restore it."));
    assert!(done.pages[4].contains("1 of 2 shares taken"));
    let sheet = |page: usize| numbered(&done.pages[page]);
    let shares = [sheet(0), sheet(1), sheet(2)];
    // Twice the same, one of another set, one that was misread: each is told, and the right one is taken after all.
    let again = world.typing("ann", &backup, &["", "", "", "page 1", "page 2"]).exits(0);
    let other = numbered(&again.pages[2]);
    let misread = shares[1].rsplit_once(' ').expect("words").0.to_string() + " able";
    world.typing("ann", &backup, &["", "", "", &shares[0]]).exits(1).says("NOT DONE");
    let restore = ["identity", "restore", "--name", "Ann", "--no-passphrase", "-o", "b.age"];
    let typed = [shares[0].as_str(), &shares[0], &other, &shares[1]];
    let restored = world.typing("ann", &restore, &typed).exits(0);
    assert!(restored.pages[2].contains("NOT TAKEN: the shares are not taken: share 1 is there twice"));
    assert!(restored.pages[3].contains("the shares are not of one set"));
    assert_eq!(world.read("ann/b.age"), world.read("ann/.config/amparo/identity.age"));
    let restore = ["identity", "restore", "--name", "Ann", "--no-passphrase", "-o", "c.age"];
    let restored = world.typing("ann", &restore, &[&misread, &shares[1], &shares[2]]).exits(0);
    assert!(restored.pages[1].contains("all 46 words are of the list, and at least one is not"));
    for bad in ["1/3", "4/3", "2/17", "2", "a/b"] {
        world.run("ann", &["identity", "backup", "--shares", bad]).exits(2).says("K/N as in 2/3");
    }
}

#[test]
fn an_identity_is_restored_from_a_file_of_words_under_any_name() {
    let world = ann();
    let show = world.run("ann", &["identity", "show", "--json"]).exits(0).json();
    let written = world.run("ann", &["identity", "backup", "-o", "words"]).exits(0).says("a flash drive keeps");
    written.never_says(&words_of(&world, "ann"));
    world.run("ann", &["identity", "backup", "-o", "words"]).exits(1).says("exists already");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(world.path("ann/words")).expect("the file").permissions(),
    );
    assert_eq!(mode & 0o077, 0, "nobody else reads it");
    world.write("bea/words", &world.read("ann/words"));
    let restore = ["identity", "restore", "--name", "Bea", "--no-passphrase", "--words"];
    let piped = Around { stdin: &world.read("ann/words"), ..Around::default() };
    world.run_in("bea", &[&restore[..], &["-"]].concat(), &piped).exits(0).says("Compare them with your card");
    world.run("bea", &[&restore[..], &["words"]].concat()).exits(1).says("exists already");
    let restored = world.run("bea", &["identity", "show", "--json"]).exits(0).json();
    assert_eq!((&restored["member"], restored["name"].as_str()), (&show["member"], Some("Bea")));
    assert_ne!(restored["card"], show["card"]);
    // Under a passphrase, as `identity new` asks for it.
    world.write("cleo/words", &world.read("ann/words"));
    let restore = ["identity", "restore", "--words", "words"];
    world.run("cleo", &restore).exits(2).says("--name NAME");
    world.typing("cleo", &restore, &["Cleo", "one", "one"]).exits(0);
    world.typing("cleo", &["identity", "show"], &["one"]).exits(0).says("Cleo");
    world.write("dora/words", b"legal winner thank");
    let restore = ["identity", "restore", "--name", "Dora", "--no-passphrase"];
    world.run("dora", &[&restore[..], &["--words", "words"]].concat()).exits(1).says("3 words of 24");
    world.run("dora", &restore).exits(2).says("--words FILE");
    assert!(!world.path("dora/.config").exists());
}

#[test]
fn an_identity_is_removed_by_its_name_and_what_stays_is_told() {
    let world = World::with_vault();
    world.run("lawyer", &["identity", "remove"]).exits(2).says("--name NAME");
    world.typing("lawyer", &["identity", "remove"], &["Red Kite"]).exits(1).says("it was not removed");
    world.run("lawyer", &["identity", "show"]).exits(0);
    let removed = world.typing("lawyer", &["identity", "remove"], &["Blue Heron"]).exits(0);
    removed.says("for ever").says("is not erased").says(".local/state/amparo stays").says("Removed the identity");
    assert!(!world.path("lawyer/.config/amparo/identity.age").exists());
    world.run("lawyer", &["identity", "show"]).exits(12);
    let removed = world.run("reader", &["identity", "remove", "--name", "Grey Owl", "--json"]).exits(0).json();
    assert_eq!(removed["state_left"], false);
}

#[test]
fn from_paper_a_person_goes_on_elsewhere_with_a_new_record() {
    let world = World::with_testimony();
    let words = words_of(&world, "lawyer");
    world.carry("abroad");
    let restore = ["identity", "restore", "--name", "Blue Heron", "--no-passphrase"];
    world.typing("abroad", &restore, &[&words]).exits(0);
    world.write("abroad/t2.txt", b"It was night.\n");
    let digits = world.digits();
    let seal = ["seal", "t2.txt", "--vault", "evidence", "--vault-id", &digits];
    world.run("abroad", &seal).exits(0).says("SEALED");
    let verified = world.run("abroad", &["verify", "evidence", "--json"]).exits(0).json();
    let logs = verified["logs"].as_array().expect("logs");
    assert_eq!((verified["verdict"].as_str(), verified["exhibits"].as_u64(), logs.len()), (Some("valid"), Some(2), 2));
    assert_eq!(logs[0]["member"], logs[1]["member"], "one member, two records");
    // A reader's device, too: what was sealed to her opens.
    let words = words_of(&world, "reader");
    world.typing("exile", &["identity", "restore", "--name", "Grey Owl", "--no-passphrase"], &[&words]).exits(0);
    world.carry("exile");
    let open = ["open", "K7-0001", "-o", "opened", "--vault", "evidence", "--vault-id", &digits];
    world.run("exile", &open).exits(0).says("OPENED K7-0001");
    world.run("exile", &["verify", "evidence"]).exits(0);
}

#[test]
fn words_and_seeds_are_left_in_no_file() {
    let world = ann();
    let (seed, words) = (seed_of(&world, "ann"), words_of(&world, "ann"));
    world.run("ann", &["identity", "remove", "--name", "Ann"]).exits(0);
    let restore = ["identity", "restore", "--name", "Ann"];
    world.typing("ann", &restore, &[&words, "a passphrase", "a passphrase"]).exits(0);
    let backup = ["identity", "backup", "--shares", "2/2"];
    let done = world.typing("ann", &backup, &["a passphrase", "", "", "page 2", "page 1"]).exits(0);
    let hex = amparo::crypto::hash::hex(seed.as_bytes());
    let share = numbered(&done.pages[0]);
    let secrets =
        [words.split_once(' ').expect("words").1, &hex, share.split_at(60).1, &*seed.keys().age.to_secret_line()]
            .map(str::to_string);
    let mut folders = vec![world.path("")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).expect("a folder") {
            let path = item.expect("an item").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let bytes = std::fs::read(&path).expect("a file");
            let text = String::from_utf8_lossy(&bytes);
            assert!(!secrets.iter().any(|secret| text.contains(secret.as_str())), "{}", path.display());
            assert!(!bytes.windows(32).any(|window| window == seed.as_bytes()), "{}", path.display());
        }
    }
    assert_eq!(files, 1, "the identity under its passphrase, and nothing else");
    for secret in &secrets {
        assert!(!done.out.contains(secret) && !done.err.contains(secret));
    }
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
