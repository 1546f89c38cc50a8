//! Leaks that are planted: the search sees each of them, where it is.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use amparo::crypto::hash::hex;
use amparo::store::hygiene::leave_no_dump;

use super::memory::{Canary, holding};
use super::{PASSPHRASE, Place, TEMPORARY, WORDS, derived};

/// The variable that lets the program below leave what it must not, and says under which name beside all folders.
const LEAVES: &str = "PLANT_LEAVES";

#[test]
fn a_canary_that_is_there_is_found() {
    let canaries: Vec<Canary> = vec![("one".into(), b"abcd".to_vec()), ("two".into(), b"bcde".to_vec())];
    assert_eq!(holding(b"..abcde", &canaries), ["one", "two"]);
    assert_eq!(holding(b"..abc", &canaries), [""; 0]);
}

/// A person who types a secret as an argument or gives it in a variable, and a secret in a file. Both are found in memory, too:
/// what the system put on the stack before the program began is overwritten by nobody.
#[test]
fn planted_leaks_are_seen() {
    let Some(place) = Place::new() else { return };
    let mut command = place.command("lawyer", &["custody", "note", PASSPHRASE, "--vault", "evidence"]);
    let seed = place.seed("lawyer").expect("an identity");
    command.env("PLANT", hex(seed.as_bytes()));
    fs::write(place.path("stick"), derived(&seed, "log")).expect("a plant");
    let left = place.left("lawyer", &command, 0, &[], &place.path("nothing"));
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
    let Some(place) = Place::new() else { return };
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["residue::plants::a_program_that_leaves_secrets", "--exact", "--ignored", "--test-threads=1"]);
    command.current_dir(place.path("lawyer")).env_clear().env("TMPDIR", place.path(TEMPORARY));
    // What is seen below is what was left, and not what the program has at hand.
    assert_eq!(place.left("lawyer", &command, 0, &[], &place.path("nothing")), [""; 0]);
    let beside = Path::new("/tmp").join(place.folder.path().file_name().expect("a name")).with_extension("plant");
    command.env(LEAVES, &beside);
    let left = place.left("lawyer", &command, 0, &[], &place.path("nothing"));
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

/// Somebody who checks without a key of what was sealed has it nowhere: in her memory it is looked for as well.
#[test]
fn only_who_can_open_may_have_what_was_sealed_in_memory() {
    let Some(place) = Place::new() else { return };
    let handles = |who: &str, verb: &str| place.handles_words(who, &place.command(who, &[verb, "evidence"]));
    assert!(handles("lawyer", "seal") && handles("reader", "open") && handles("reader", "verify"));
    assert!(!handles("monitor", "verify") && !handles("gull", "open") && !handles("reader", "list"));
}
