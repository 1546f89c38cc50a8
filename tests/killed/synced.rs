//! What the real program asks the real system to make durable: before it says SEALED, PACKED or that something came in,
//! each file that it wrote and the folder that holds its name were synced. The model in `tests/vault/crashes` knows
//! only that a sync was asked for; here stands what that does.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::amparo;
use super::stage::Stage;
use super::verbs::{VERBS, Verb, verb};
use crate::{peers, soak};

const CALLS: &str = "trace=openat,mkdirat,write,pwrite64,fsync,fdatasync,renameat2,linkat,unlinkat";

/// The calls of a trace in the order in which they ended, each in one piece.
fn whole(trace: &str) -> Vec<String> {
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    let mut calls = Vec::new();
    // Numbers of threads stand in a column, and a short one has two blanks behind it.
    for (thread, call) in
        trace.lines().filter_map(|line| line.split_once(' ')).map(|(one, call)| (one, call.trim_start()))
    {
        if let Some(start) = call.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, start);
        } else if let Some((_, end)) = call.strip_prefix("<... ").and_then(|call| call.split_once(" resumed>")) {
            calls.push(format!("{}{end}", begun.remove(thread).unwrap_or_default()));
        } else {
            calls.push(call.to_string());
        }
    }
    calls
}

#[test]
fn a_call_is_put_together_whatever_the_number_of_its_thread() {
    let trace =
        "9999  fsync(3</a> <unfinished ...>\n10000 fsync(4</b>) = 0\n9999  <... fsync resumed>) = 0\n7  close(3)";
    assert_eq!(whole(trace), ["fsync(4</b>) = 0", "fsync(3</a>) = 0", "close(3)"]);
}

/// The paths of the handles in a part of a call, as strace tells them.
fn handles(part: &str) -> Vec<PathBuf> {
    part.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(path, _)| PathBuf::from(path)).collect()
}

/// The texts in quotes.
fn names(call: &str) -> Vec<&str> {
    call.split('"').skip(1).step_by(2).collect()
}

/// When something that this run made was last changed, and when that became durable.
#[derive(Clone, Copy, Default)]
struct Made {
    named: usize,
    /// What was made ahead holds nothing yet.
    written: Option<usize>,
    is_folder: bool,
}

/// Of what was made before something was said on standard output, what was not durable then; and what was made in all.
fn not_durable(calls: &[String], stage: &Path) -> (Vec<PathBuf>, Vec<String>) {
    let said: Vec<usize> = (0..calls.len()).filter(|at| calls[*at].starts_with("write(1<")).collect();
    let [first, .., last] = said[..] else { return not_durable_at(&calls[..said[0]], stage) };
    let (_, lacking) = not_durable_at(&calls[..first], stage);
    let (made, late) = not_durable_at(&calls[..last], stage);
    (made, [lacking, late].concat())
}

fn not_durable_at(calls: &[String], stage: &Path) -> (Vec<PathBuf>, Vec<String>) {
    let (mut made, mut synced): (BTreeMap<PathBuf, Made>, BTreeMap<PathBuf, usize>) = Default::default();
    for (at, call) in calls.iter().enumerate() {
        let Some((asked, answer)) = call.rsplit_once(" = ").filter(|(_, answer)| !answer.starts_with('-')) else {
            continue;
        };
        let (handles_in, names) = (handles(asked), names(asked));
        match asked.split_once('(').map_or("", |(name, _)| name) {
            "openat" if asked.contains("O_CREAT") => {
                let file = handles(answer).remove(0);
                made.insert(file, Made { named: at, ..Made::default() });
            }
            "mkdirat" => {
                made.insert(handles_in[0].join(names[0]), Made { named: at, is_folder: true, ..Made::default() });
            }
            "write" | "pwrite64" => {
                if let Some(file) = made.get_mut(&handles_in[0]) {
                    file.written = Some(at);
                }
            }
            "fsync" | "fdatasync" => {
                synced.insert(handles_in[0].clone(), at);
            }
            name @ ("renameat2" | "linkat") => {
                let (from, to) = (handles_in[0].join(names[0]), handles_in[1].join(names[1]));
                let moved: Vec<PathBuf> = made.keys().filter(|path| path.starts_with(&from)).cloned().collect();
                for path in moved {
                    let rest = path.strip_prefix(&from).expect("below it").to_path_buf();
                    let now = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
                    let file = if name == "linkat" { made[&path] } else { made.remove(&path).expect("made") };
                    let named = if path == from { at } else { file.named };
                    synced.get(&path).copied().and_then(|when| synced.insert(now.clone(), when));
                    made.insert(now, Made { named, ..file });
                }
            }
            "unlinkat" => made.retain(|path, _| !path.starts_with(handles_in[0].join(names[0]))),
            _ => {}
        }
    }
    made.retain(|path, _| path.starts_with(stage));
    let since = |path: &Path, change: usize| synced.get(path).is_some_and(|when| *when > change);
    let mut lacking = Vec::new();
    for (path, what) in &made {
        if what.written.is_some_and(|written| !since(path, written)) {
            lacking.push(format!("the bytes of {}", path.display()));
        }
        if (what.is_folder || what.written.is_some()) && !since(path.parent().expect("a folder"), what.named) {
            lacking.push(format!("the name of {}", path.display()));
        }
    }
    (made.into_keys().collect(), lacking)
}

/// The calls of a verb that change something.
fn traced(stage: &Stage, verb: &Verb, strace: &Path) -> Vec<String> {
    let mut under = Command::new(strace);
    under
        .args(["-f", "-y", "-s", "256", "-e", "signal=none", "-e", CALLS, "-o"])
        .arg(stage.path("trace"))
        .arg(amparo());
    let output = stage.command(verb.who, under, verb.args);
    assert_eq!(output.status.code(), Some(0), "{}: {output:?}", verb.args.join(" "));
    whole(&std::fs::read_to_string(stage.path("trace")).expect("a trace"))
}

#[test]
fn what_is_acknowledged_was_synced_by_file_and_by_folder() {
    let _row = soak::row(2);
    let Some(strace) = peers::program("strace") else { return };
    let first = Stage::set();
    let mut told = Vec::new();
    for verb in [&VERBS[0], &VERBS[8], &VERBS[10]] {
        let stage = first.twin();
        let root = stage.path("").canonicalize().expect("there");
        let (what, calls) = (verb.args[0], traced(&stage, verb, &strace));
        let (made, lacking) = not_durable(&calls, &root);
        assert_eq!(lacking, [""; 0], "{what}");
        assert!(made.len() > 5, "{what}: {made:?}");
        told.push(format!("{} of {what}", made.len()));
        // Planted: a program that leaves out every sync, those of files, those of folders, or that of any one file.
        let is_sync = |call: &String| call.starts_with("fsync(");
        let is_of_made = |call: &String| made.contains(&handles(call)[0]) && !handles(call)[0].is_dir();
        let without = |left_out: &dyn Fn(&String) -> bool| -> Vec<String> {
            calls.iter().filter(|call| !(is_sync(call) && left_out(call))).cloned().collect()
        };
        let is_seen = |left_out: &dyn Fn(&String) -> bool| !not_durable(&without(left_out), &root).1.is_empty();
        assert!(is_seen(&|_| true), "{what}: nothing is synced, and that is not seen");
        assert!(is_seen(&is_of_made), "{what}: no file is synced, and that is not seen");
        assert!(is_seen(&|call| !is_of_made(call)), "{what}: no folder is synced, and that is not seen");
        for file in made.iter().filter(|path| path.is_file()) {
            assert!(is_seen(&|call| handles(call)[0] == *file), "{what}: {} is not synced", file.display());
        }
    }
    soak::tell(&format!("files and folders that were durable when it was told: {}", told.join(", ")));
}

/// Of what is moved away the old name may be gone for good only where the new one is there for good.
#[test]
fn what_was_moved_has_its_new_name_for_good() {
    let _row = soak::row(2);
    let Some(strace) = peers::program("strace") else { return };
    let stage = Stage::set();
    let moves = verb("lawyer", &["seal", "first.txt", "--done", "sealed"], "owl", &[]);
    let calls = traced(&stage, &moves, &strace);
    assert!(has_moved_for_good(&calls));
    // Planted: a program that leaves out either sync, or makes the loss of the old name durable first.
    let moved = moved_at(&calls);
    let mut syncs = (moved..calls.len()).filter(|at| calls[*at].starts_with("fsync("));
    let (first, second) = (syncs.next().expect("a sync"), syncs.next().expect("another"));
    for left_out in [first, second] {
        let without = [&calls[..left_out], &calls[left_out + 1..]].concat();
        assert!(!has_moved_for_good(&without), "not seen without {}", calls[left_out]);
    }
    let mut swapped = calls;
    swapped.swap(first, second);
    assert!(!has_moved_for_good(&swapped), "not seen the other way round");
}

/// The call that moved the original away.
fn moved_at(calls: &[String]) -> usize {
    let is_move = |call: &String| call.starts_with("renameat2(") && names(call).contains(&"first.txt");
    calls.iter().rposition(is_move).expect("it was moved")
}

/// Whether the folder that it went to was synced behind it, then the one that it left, and nothing else.
fn has_moved_for_good(calls: &[String]) -> bool {
    let moved = moved_at(calls);
    let synced: Vec<PathBuf> =
        calls[moved..].iter().filter(|call| call.starts_with("fsync(")).map(|call| handles(call).remove(0)).collect();
    let folders = handles(&calls[moved]);
    folders.len() == 2 && synced.iter().eq(folders.iter().rev())
}
