//! A clock that is plainly wrong is told wherever something is signed, and refuses nothing.

use super::harness::{Outcome, World};

const SEAL: [&str; 4] = ["seal", "more.txt", "--vault", "evidence"];
const YEAR: i64 = 365 * 24 * 60;

fn warned(outcome: &Outcome) -> bool {
    outcome.err.contains("the clock of this device says")
}

#[test]
fn a_clock_behind_the_vault_is_told_and_refuses_nothing() {
    let world = World::with_testimony();
    world.write("lawyer/more.txt", b"more");
    let doctor = ["doctor", "--vault", "evidence"];
    world.run("lawyer", &doctor).exits(0).never_says("the clock of this device");
    world.later(-45);
    assert!(!warned(&world.run("lawyer", &SEAL).exits(0)), "clocks differ by minutes");
    world.later(-4 * 60);
    let sealed = world.run("lawyer", &SEAL).exits(0).says("SEALED");
    let said = "the clock of this device says 2026-11-20 09:45, and an entry of Blue Heron in this vault is from 2026-11-20 14:30";
    let sealed = sealed.says(said).says("one of the two clocks is wrong");
    assert_eq!(sealed.err.matches("the clock of this device").count(), 1);
    assert!(warned(&world.run("lawyer", &["custody", "note", "later", "--vault", "evidence"]).exits(0)));
    world.run("lawyer", &doctor).exits(0).says(said);
    let sealed = world.run("lawyer", &[&SEAL[..], &["--json"]].concat()).exits(0).json();
    let told = sealed["warnings"].as_array().expect("a list").iter().filter_map(|one| one.as_str());
    assert_eq!(told.filter(|one| one.contains("the clock of this device")).count(), 1, "{sealed:#}");
    world.run("lawyer", &["verify", "evidence"]).exits(0).never_says("the clock of this device");
    world.later(6 * 60);
    assert!(!warned(&world.run("lawyer", &SEAL).exits(0)));
}

#[test]
fn a_clock_before_the_program_was_made_or_decades_ahead_is_told() {
    let world = World::with_vault();
    world.write("lawyer/more.txt", b"more");
    for (minutes, said) in [(-10 * YEAR, "this program was made later"), (30 * YEAR, "decades after this program")] {
        world.later(minutes);
        world.run("lawyer", &SEAL).exits(0).says("SEALED").says(said);
        world.run("lawyer", &["doctor", "--vault", "evidence"]).exits(0).says(said);
        let init = ["init", &format!("founded {minutes}"), "--reader", "../reader.card"];
        world.run("lawyer", &init).exits(0).says(said);
        world.later(-minutes);
    }
    // One entry from the far future measures nobody.
    assert!(!warned(&world.run("lawyer", &SEAL).exits(0)));
}
