//! Whole vaults, good and bad, each with what must be found: every case is judged again, and every row of the check tables
//! of FORMAT § 8 is shown by one, or says why none can show it.

use std::fs;
use std::path::Path;

use super::case::{home, judged, parts, read};
use super::written;

/// The names of all cases, sorted.
fn all() -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![home()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(&folder).expect("the cases are part of the project").flatten() {
            let path = item.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none() {
                names.push(path.strip_prefix(home()).expect("below").to_str().expect("text").to_string());
            }
        }
    }
    names.sort_unstable();
    names
}

#[test]
fn every_vault_has_the_verdict_of_its_file() {
    let names = all();
    assert!(names.len() > 100, "{} cases", names.len());
    let mut wrong = Vec::new();
    for name in names {
        let (given, expected) = parts(&read(&name));
        let found = judged(&given);
        if found != expected {
            wrong.push(format!("{name}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} cases are judged otherwise:\n{}", wrong.len(), wrong.join("\n"));
}
