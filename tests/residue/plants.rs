//! Leaks that are planted: the search sees each of them, where it is.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use amparo::crypto::hash::hex;
use amparo::store::hygiene::leave_no_dump;

use super::memory::{Canary, holding};
use super::{PASSPHRASE, Place, TEMPORARY, WORDS, derived, sealed};
use crate::commands::harness::World;

/// The variable that lets the program below leave what it must not, and says under which name beside all folders.
const LEAVES: &str = "PLANT_LEAVES";

#[test]
fn a_canary_that_is_there_is_found() {
    let _row = crate::soak::row(10);
    let canaries: Vec<Canary> = vec![("one".into(), b"abcd".to_vec()), ("two".into(), b"bcde".to_vec())];
    assert_eq!(holding(b"..abcde", &canaries), ["one", "two"]);
    assert_eq!(holding(b"..abc", &canaries), [""; 0]);
}

/// A person who types a secret as an argument or gives it in a variable, and a secret in a file. Both are found in memory, too:
/// what the system put on the stack before the program began is overwritten by nobody.
#[test]
fn planted_leaks_are_seen() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    let mut command = place.command("lawyer", &["custody", "note", PASSPHRASE, "--vault", "evidence"]);
    let seed = place.seed("lawyer").expect("an identity");
    command.env("PLANT", hex(seed.as_bytes()));
    fs::write(place.path("stick"), derived(&seed, "log")).expect("a plant");
    let left = place.left(&command, 0, &[], &place.path("nothing"));
    for found in [
        "passphrase in arguments",
        "passphrase in [stack]",
        "seed of the lawyer in hex in environment",
        "seed of the lawyer in hex in [stack]",
        "log key of the lawyer in stick",
    ] {
        assert!(left.iter().any(|left| left == found), "{found}: {left:?}");
    }
}

/// Freed memory, the stack of a thread that has ended, a file that is there for a moment only.
#[test]
fn what_a_program_leaves_in_its_memory_and_beside_is_seen() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    let mut command = this_program(&place, "a_program_that_leaves_secrets");
    // What is seen below is what was left, and not what the program has at hand.
    assert_eq!(place.left(&command, 0, &[], &place.path("nothing")), [""; 0]);
    let beside = Path::new("/tmp").join(place.folder.path().file_name().expect("a name")).with_extension("plant");
    command.env(LEAVES, &beside);
    let left = place.left(&command, 0, &[], &place.path("nothing"));
    let temporary = place.path(TEMPORARY).join("spool");
    for made in [&beside, &temporary] {
        assert!(left.contains(&format!("made: {}", made.display())), "{left:?}");
    }
    for secret in ["passphrase", "words"] {
        let in_memory = |part| left.contains(&format!("{secret} in {part}"));
        assert!(in_memory("memory") || in_memory("[heap]"), "{secret}: {left:?}");
    }
    assert!(left.contains(&format!("words in {TEMPORARY}/left")), "{left:?}");
}

/// The same file, which a kill keeps from being removed.
#[test]
fn what_lies_there_at_a_kill_is_seen() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    let mut command = this_program(&place, "a_program_that_leaves_secrets");
    command.env(LEAVES, place.path("beside"));
    assert!(place.killed(&command, "?unlink,?unlinkat", 1));
    let left = place.left_in_files(&place.canaries());
    assert!(left.contains(&"words in beside".into()), "{left:?}");
}

#[test]
#[ignore = "the program of the test above"]
fn a_program_that_leaves_secrets() {
    leave_no_dump().expect("no dump");
    fs::write("ours", "nothing secret").expect("written");
    let Some(beside) = std::env::var_os(LEAVES) else { return };
    in_freed_memory(PASSPHRASE.as_bytes());
    std::thread::spawn(|| on_the_stack(WORDS.as_bytes())).join().expect("no panic");
    let temporary = std::env::temp_dir();
    for spool in [beside.into(), temporary.join("spool")] {
        fs::write(&spool, WORDS).and_then(|()| fs::remove_file(&spool)).expect("written");
    }
    fs::write(temporary.join("left"), WORDS).expect("written");
}

/// So often at most a program is run that leaves something by chance.
const TRIES: usize = 3;

/// What seals and opens here is what the program does, and it overwrites its stacks; but this program's memory is given
/// back as it is. The search sees evidence in it.
#[test]
fn evidence_in_memory_that_nobody_wipes_is_seen() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    sealed::make_sources(&place);
    let command = this_program(&place, "a_program_that_gives_memory_back_as_it_is");
    let in_memory = |left: &String| left.ends_with(" in memory") || left.ends_with(" in [heap]");
    let mut lacking = vec!["name", "title", "witness", "paragraph"];
    // What is given back is given out again, as chance has it: one run in ten leaves three of the four.
    for _ in 0..TRIES {
        let left = place.left(&command, 0, &[], &place.path("nothing"));
        lacking.retain(|evidence| !left.iter().filter(|left| in_memory(left)).any(|left| left.starts_with(evidence)));
        if lacking.is_empty() {
            return;
        }
    }
    panic!("{lacking:?} were not seen in {TRIES} runs");
}

#[test]
#[ignore = "the program of the test above"]
fn a_program_that_gives_memory_back_as_it_is() {
    if !Path::new("sources").exists() {
        return;
    }
    leave_no_dump().expect("no dump");
    let world = World::with_vault();
    world.copy_from(Path::new("sources"), "lawyer/sources");
    let seal = ["seal", "sources/papers", "sources/film", "--form", "sources/form.toml", "--vault", "evidence"];
    world.run("lawyer", &seal).exits(0);
    world.carry("reader");
    world.run("reader", &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    world.run("reader", &["open", "K7-0001", "K7-0002", "K7-0003", "-o", "opened", "--vault", "evidence"]).exits(0);
}

/// A test of this program, as a program of its own in the lawyer's home.
fn this_program(place: &Place, test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args([&format!("residue::plants::{test}"), "--exact", "--ignored", "--test-threads=1"]);
    command.current_dir(place.path("lawyer")).env_clear().env("TMPDIR", place.path(TEMPORARY));
    command
}

/// Near its end: what is freed is given out again from its beginning. What lies behind it is kept, or all would go back
/// to the system.
fn in_freed_memory(secret: &[u8]) {
    for _ in 0..8 {
        let mut freed = vec![0; 16 << 10];
        let behind = vec![1_u8; 64];
        freed[12 << 10..][..secret.len()].copy_from_slice(secret);
        black_box(&mut freed);
        std::mem::forget(black_box(behind));
    }
}

#[inline(never)]
fn on_the_stack(secret: &[u8]) {
    let mut frame = [0; 1024];
    frame[512..][..secret.len()].copy_from_slice(secret);
    black_box(&mut frame);
}
