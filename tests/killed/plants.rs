//! Planted faults: what a program would leave that forgets one of its duties. The harness of [`super::verbs`] sees each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::verbs::{Stage, VERBS, Verb, kills};
use crate::peers;

/// What happens between the kill and the next command.
type Forgets = fn(&Stage);

#[test]
fn planted_faults_are_seen() {
    let Some(strace) = peers::program("strace") else { return };
    let stage = Stage::set();
    let [.., pack, _, unpack] = &VERBS;
    let plants: [(&str, &Verb, Forgets); 3] = [
        ("no mark is set on what is being made", pack, |stage| {
            let _ = std::fs::remove_file(stage.path("stick/out.bin.unfinished"));
        }),
        ("the offer is not found again", pack, |stage| {
            // Somebody said something in between: no offer stands at the end of the log.
            stage.run("lawyer", &["custody", "note", "nothing"]);
        }),
        ("what a merge was just writing is not remembered", unpack, |stage| {
            forget("merging", &stage.path("tern"));
        }),
    ];
    for (plant, verb, meanwhile) in plants {
        let kills = kills(&stage, &strace, std::slice::from_ref(verb), 30);
        let is_red = kills.iter().any(|(verb, change)| {
            catch_unwind(AssertUnwindSafe(|| {
                stage.survives(verb, &strace, change, meanwhile);
            }))
            .is_err()
        });
        assert!(is_red, "{plant}: not seen at {} kills", kills.len());
    }
}

/// Removes every folder of that name below another.
fn forget(name: &str, below: &Path) {
    for item in std::fs::read_dir(below).expect("a folder").flatten().filter(|item| item.path().is_dir()) {
        if item.file_name() == name {
            std::fs::remove_dir_all(item.path()).expect("removed");
        } else {
            forget(name, &item.path());
        }
    }
}
