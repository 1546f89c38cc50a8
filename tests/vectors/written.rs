//! How cases come to be: with `AMPARO_VECTORS=write` each vault that a test of `tests/vault/forged`
//! verifies is written down beside what was found, unless its file is there already. Written once, a case is data:
//! nothing changes it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use amparo::store::faulty::FaultyDisk;
use amparo::vault::verify::Verified;

use super::case::{Lines, VAULT, acknowledging, base64, home, judged, judged_on, made, print};

/// Longer ones show nothing that a shorter one does not.
const CASE_BYTES_MAX: usize = 215_000;

/// Of tests that go through many of one kind, those that are kept; of none, with the reason.
const KEPT: &[(&str, &[usize])] = &[
    ("two_states_of_one_size_are_a_fork_whichever_name_comes_first", &[1, 2, 3]),
    ("an_unsigned_first_entry_renames_nothing_and_an_unsigned_card_accuses_nobody", &[1]),
    ("wrapped_keys_are_those_that_entries_name", &[1, 4, 7, 10]),
    ("what_a_record_says_of_its_bytes_holds", &[1, 3, 4, 6, 7, 8]),
    ("members_are_those_of_the_record", &[1, 2, 5]),
    ("a_folder_is_that_of_its_listing", &[1, 2, 4, 6, 7]),
    ("every_byte_of_a_payload_is_the_one_that_a_writer_would_write", &[1, 3, 5, 7, 8]),
    ("a_segment_is_encrypted_to_the_rows_key_alone", &[1, 2]),
    ("honest_payloads_are_not_accused", &[2, 3]),
    // `good` has the same in less.
    ("whoever_is_admitted_again_counts_again", &[]),
    // A medium that fails is no data.
    ("a_failing_disk_makes_nothing_invalid", &[]),
];

/// Files below the vault.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A case that others can be told from.
struct Known {
    name: String,
    files: Files,
}

/// Those written by this run. More than one thread is needed: a test is known by the name of its own.
static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());
static COUNTED: Mutex<BTreeMap<String, usize>> = Mutex::new(BTreeMap::new());

fn known<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether new cases are to be written.
pub(crate) fn wanted() -> bool {
    std::env::var_os("AMPARO_VECTORS").is_some_and(|word| word == "write")
}

/// What lies below a folder.
pub(crate) fn files_below(disk: &FaultyDisk, folder: &str) -> Files {
    let below = |(path, bytes): (std::path::PathBuf, Vec<u8>)| {
        Some((path.strip_prefix(Path::new(folder)).ok()?.to_str()?.to_string(), bytes))
    };
    disk.files().into_iter().filter_map(below).collect()
}

/// Writes down what a test verified, with what its device remembered before.
pub(crate) fn record(files: Files, head: Lines, verified: &Verified) {
    let thread = std::thread::current();
    let Some((module, test)) = thread.name().and_then(|name| name.strip_prefix("vault::forged::")?.split_once("::"))
    else {
        return;
    };
    let kept = KEPT.iter().find(|(name, _)| *name == test);
    let count = {
        let mut counted = known(&COUNTED);
        let count = counted.entry(test.to_string()).or_default();
        *count += 1;
        *count
    };
    if kept.is_some_and(|(_, kept)| !kept.contains(&count)) {
        return;
    }
    let title = test.replace('_', " ");
    let number = if count == 1 { String::new() } else { format!("-{count}") };
    let name = format!("{module}/{}{number}", test.replace('_', "-"));
    if home().join(&name).exists() {
        return;
    }
    let (base, changes) = nearest(&files);
    let mut lines: Lines = vec![("check".into(), "vault".into()), ("title".into(), title), ("base".into(), base)];
    lines.extend(head.into_iter().chain(changes));
    lines.extend(acknowledging(&lines));
    let outcome = judged(&lines);
    let mut found: Vec<String> =
        verified.findings.iter().map(|one| format!("{} {} {}", one.weight, one.check, one.subject)).collect();
    found.sort_unstable();
    found.dedup();
    let told = outcome.iter().filter(|(key, _)| key == "finding").map(|(_, finding)| finding.clone());
    if told.collect::<Vec<_>>() != found {
        tell(&format!("{name}: left out, its files alone are judged otherwise: {outcome:?} {found:?}"));
        return;
    }
    lines.extend(outcome);
    let bytes = print(&lines).len();
    if bytes > CASE_BYTES_MAX {
        tell(&format!("{name}: left out, {bytes} bytes"));
        return;
    }
    write(&name, &lines);
    known(&KNOWN).push(Known { name, files });
}

/// Tells whoever writes new cases.
fn tell(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

pub(crate) fn write(name: &str, lines: &Lines) {
    let path = home().join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    fs::write(path, print(lines)).expect("a new case");
}

/// The base from which the changes are shortest.
fn nearest(files: &Files) -> (String, Lines) {
    let mut best = ("empty".to_string(), changes(&Files::new(), files));
    let mut offer = |name: &str, base: &Files| {
        let these = changes(base, files);
        if print(&these).len() < print(&best.1).len() {
            best = (name.to_string(), these);
        }
    };
    if home().join("founded").exists() {
        offer("founded", &files_below(&made(&super::case::read("founded")), VAULT));
    }
    known(&KNOWN).iter().for_each(|one| offer(&one.name, &one.files));
    best
}

/// What must be done to make the one of the other.
pub(crate) fn changes(from: &Files, to: &Files) -> Lines {
    let mut lines = Lines::new();
    for path in from.keys().filter(|path| !to.contains_key(*path)) {
        lines.push(("remove".into(), escaped(path)));
    }
    for (path, bytes) in to {
        let path_text = escaped(path);
        match from.get(path) {
            Some(old) if old == bytes => {}
            Some(old) if old.len() > bytes.len() && old.starts_with(bytes) => {
                lines.push(("truncate".into(), format!("{path_text} {}", bytes.len())));
            }
            Some(old) if flipped(old, bytes).is_some() => {
                let (offset, bit) = flipped(old, bytes).expect("looked at");
                lines.push(("flip".into(), format!("{path_text} {offset} {bit}")));
            }
            _ if bytes.iter().all(|byte| *byte == 0) => {
                lines.push(("fill".into(), format!("{path_text} {}", bytes.len())));
            }
            _ => lines.push(("put".into(), format!("{path_text} {}", base64(bytes)))),
        }
    }
    lines
}

fn flipped(old: &[u8], new: &[u8]) -> Option<(usize, u32)> {
    if old.len() != new.len() {
        return None;
    }
    let mut different = old.iter().zip(new).enumerate().filter(|(_, (one, other))| one != other);
    let (at, (one, other)) = different.next()?;
    let bits = one ^ other;
    (bits.is_power_of_two() && different.next().is_none()).then_some((at, bits.trailing_zeros()))
}

fn escaped(path: &str) -> String {
    amparo::format::names::printable(path.as_bytes())
}

/// A case that somebody wrote by hand: what is found is added, if its file is not there.
pub(crate) fn complete(name: &str, mut lines: Lines) {
    if !home().join(name).exists() {
        let outcome = judged_on(&made(&lines), &lines);
        lines.extend(outcome);
        write(name, &lines);
    }
}
