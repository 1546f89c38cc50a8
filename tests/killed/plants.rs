//! Planted faults: what a program would leave that forgets one of its duties. The harness of [`super::verbs`] sees each.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::forget_notes;
use super::stage::Stage;
use super::verbs::{VERBS, Verb, kills};
use crate::peers;

/// What happens between the kill and the next command.
type Forgets = fn(&Stage);

#[test]
fn planted_faults_are_seen() {
    let _row = crate::soak::row(1);
    let Some(strace) = peers::program("strace") else { return };
    let stage = Stage::set();
    let [seal, .., pack, _, unpack] = &VERBS;
    let plants: [(&str, &Verb, Forgets); 4] = [
        ("nothing notes what a sealing is about to write", seal, |stage| {
            forget_notes(&stage.path("lawyer/.local/state/amparo"));
        }),
        ("no mark is set on what is being made", pack, |stage| {
            let _ = std::fs::remove_file(stage.path("stick/out.bin.unfinished"));
        }),
        ("the offer is not found again", pack, |stage| {
            // Something was sealed in between: the offer, of everything, is not of all that goes now.
            let file = stage.path("lawyer/more.txt");
            std::fs::write(&file, b"more").expect("written");
            stage.done("lawyer", &["seal", &file.to_string_lossy()]);
        }),
        ("the file by which a new copy is known comes last", unpack, |stage| {
            let _ = std::fs::remove_file(stage.path("tern/new/VAULT"));
        }),
    ];
    for (plant, verb, meanwhile) in plants {
        let kills = kills(&stage, &strace, std::slice::from_ref(verb), 30);
        let is_red = kills.iter().any(|kill| {
            catch_unwind(AssertUnwindSafe(|| {
                stage.survives(kill, &strace, true, meanwhile);
            }))
            .is_err()
        });
        assert!(is_red, "{plant}: not seen at {} kills", kills.len());
    }
}
