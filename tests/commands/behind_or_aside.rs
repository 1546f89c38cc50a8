//! A copy that is behind what this device has seen, or that tells another history of a record than the one seen here: every
//! verb that looks at a copy notices.

use std::fs;

use super::custody::shared;
use super::harness::{Outcome, World};

/// An older copy than this device has seen.
const BEHIND: &str = "older";
/// A copy with another history.
const ASIDE: &str = "twin/evidence";

/// The lawyer's device has seen the reader's record with what she noted on her laptop. `older` is a copy from before that;
/// on `twin`, a clone of her disk, she noted something else.
fn seen() -> World {
    let world = shared();
    world.run("reader", &["custody", "offer", "--to", "Blue Heron", "--vault", "evidence"]).exits(0);
    world.copy("reader/evidence", "older");
    world.copy("reader", "twin");
    let note = |home: &str| world.run_on(home, "reader", &["custody", "note", home, "--vault", "evidence"]);
    note("reader").exits(0);
    note("twin").exits(0);
    world.run("lawyer", &["merge", "../reader/evidence", "--vault", "evidence"]).exits(0);
    world.write("lawyer/x.txt", b"x");
    world
}

/// One command of the lawyer's on another copy than the one she had.
fn on(world: &World, copy: &str, args: &[&str]) -> Outcome {
    let there = world.twin();
    fs::rename(there.path("lawyer/evidence"), there.path("had")).expect("put away");
    there.copy(copy, "lawyer/evidence");
    there.run("lawyer", &[args, &["--vault", "evidence"]].concat())
}

#[test]
fn every_verb_notices_a_copy_that_is_behind_or_aside() {
    let world = seen();
    let (verify, acknowledge): (&[&str], &[&str]) = (&["verify"], &["custody", "acknowledge"]);
    let (seal, merge): (&[&str], &[&str]) = (&["seal", "x.txt"], &["merge", "../monitor/evidence"]);
    let fewer = "with 2 events; this copy has 1";
    let another = "this device has seen another one of 2 events";
    // What is wrong with another's record is told, and stops nobody from sealing; nothing is signed for in an older copy
    // unless she says so, and of another history she signs just that.
    for (verb, copy, exit, words) in [
        (verify, BEHIND, 4, ["INCOMPLETE (behind)", fewer]),
        (verify, ASIDE, 3, ["INVALID (fork)", another]),
        (seal, BEHIND, 0, ["warning: this is an older copy; amparo merge DIR", fewer]),
        (seal, ASIDE, 0, ["warning: this vault does not verify", another]),
        (merge, BEHIND, 4, ["INCOMPLETE: something is still missing", fewer]),
        (merge, ASIDE, 3, ["INVALID: something does not hold", another]),
        (acknowledge, BEHIND, 4, ["error: this copy is older than what this device has seen", "--sign-older"]),
        (acknowledge, ASIDE, 3, ["ACKNOWLEDGED WITH DISCREPANCIES", another]),
    ] {
        let told = on(&world, copy, verb);
        assert_eq!(told.exit, exit, "{verb:?} {copy}\n{}\n{}", told.out, told.err);
        let told = words.into_iter().fold(told, |told, word| told.says(word));
        // Whose record it is.
        if words[1] != "--sign-older" {
            told.says("Grey Owl's custody record ");
        }
        // Of the copy that she had, none of it is said.
        let had = on(&world, "had", verb).exits(0);
        had.never_says(fewer).never_says(another).never_says("older copy");
    }
}
