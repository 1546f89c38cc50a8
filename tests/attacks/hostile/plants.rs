//! Programs with a planted fault stand in for the real one, and the judge sees each.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::judge::{Desk, Input, Says};
use crate::commands::harness::World;

/// What is planted: a script that runs the real program (`$AMPARO`), or does not; and how the fault is told.
const PLANTS: [(&str, &str, &str); 10] = [
    ("names are shown as they are", r#"printf 'found \033[2Jx\n'; exec "$AMPARO" "$@""#, "reaches the terminal"),
    (
        "a name turns the text around",
        r#"printf 'photo\342\200\256gpj.exe\n'; exec "$AMPARO" "$@""#,
        "reaches the terminal",
    ),
    ("bytes that are no text", r#"printf '\377\n'; exec "$AMPARO" "$@""#, "it says what is no text"),
    ("a file is written where its name says", r#"echo planted > ../planted; exec "$AMPARO" "$@""#, "it writes outside"),
    ("a file of the person's own is removed", r#"rm -f ../reader.card; exec "$AMPARO" "$@""#, "it writes outside"),
    ("as much memory as a length claims", "exec dd if=/dev/zero bs=400M count=1", "exit code 1"),
    ("what never comes is awaited", "exec sleep 1000", "it ends otherwise than by itself"),
    // The limit of a processor ends it, long before the clock on the wall would.
    ("it works without end", "while :; do :; done", "it ends otherwise than by itself: Some(152)"),
    ("it crashes", "kill -SEGV $$", "it ends otherwise than by itself"),
    ("everything is well", r#"echo '{"findings": []}'; exit 0"#, "exit code 0"),
];

#[test]
fn planted_faults_are_seen() {
    let _row = crate::soak::row(9);
    let (world, _) = super::places::copy_of_the_reader();
    let Some(mut desk) = Desk::new(&world) else { return };
    fs::write(world.path("reader/evidence/planted"), b"a stranger").expect("a hostile input");
    let real = desk.program.clone();
    // So that nobody waits for what waits.
    desk.wait_seconds = 20;
    meets(&desk).unwrap_or_else(|fault| panic!("the real program is faulted: {fault}"));
    for (plant, script, told) in PLANTS {
        desk.program = program(&world, &script.replace("$AMPARO", real.to_str().expect("text")));
        desk.wait_seconds = if script.contains("sleep") { 2 } else { 60 };
        let fault = meets(&desk).expect_err(plant);
        assert!(fault.contains(told), "{plant}: {fault}");
    }
}

/// The one hostile input of this test.
fn meets(desk: &Desk<'_>) -> Result<(), String> {
    let input = Input {
        what: "a stranger".into(),
        who: "reader",
        args: &["verify", "evidence", "--json"],
        writes: &["reader/.local/state"],
        exit: 4,
        says: Says::Findings(BTreeSet::from([("layout".into(), "planted".into())])),
    };
    desk.meets(&input).map(drop)
}

fn program(world: &World, script: &str) -> PathBuf {
    let path = world.path("plant");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("it runs");
    path
}
