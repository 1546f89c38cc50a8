//! `docs/THREATS.md` promises a test for each threat. What it names must be there, or the promise is empty.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders of tests that the page names; in others lie packages of peers as well.
const FOLDERS: [&str; 10] =
    ["attacks", "commands", "killed", "recovery", "residue", "rooms", "store", "stories", "vault", "vectors"];

/// The Rust files below a folder, each with its text.
fn gather(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for item in fs::read_dir(folder).expect("a folder of the source") {
        let path = item.expect("a name").path();
        if path.is_dir() {
            gather(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.insert(path.clone(), fs::read_to_string(&path).expect("a source file"));
        }
    }
}

/// Each `path::to::a_test` of the page; a `…` in front stands for the path before it.
fn named(page: &str) -> Vec<Vec<String>> {
    let mut all: Vec<Vec<String>> = Vec::new();
    for word in page.split('`').skip(1).step_by(2).filter(|word| word.contains("::") && !word.contains(' ')) {
        let mut parts: Vec<String> = word.split("::").map(String::from).collect();
        if parts[0] == "…" {
            let before = all.last().expect("a path to continue");
            parts.splice(0..1, before[..before.len() - 1].iter().cloned());
        }
        all.push(parts);
    }
    all
}

/// Whether a test, or a file of tests, stands where the path says: `a::b::test` in `a/b.rs`, in `a/b/…`, or in a module
/// `tests` of `a.rs`.
fn is_there(path: &[String], root: &Path, files: &BTreeMap<PathBuf, String>) -> bool {
    let (name, modules) = path.split_last().expect("a path has parts");
    let modules: PathBuf = modules.iter().filter(|module| *module != "tests").collect();
    let test = format!("fn {name}(");
    ["src", "tests"].iter().map(|top| root.join(top).join(&modules)).any(|place| {
        let of_module = |file: &Path| file.with_extension("").starts_with(&place);
        files.iter().any(|(file, text)| {
            of_module(file) && (text.contains(&test) || file.with_extension("") == place.join(name))
        })
    })
}

fn missing(page: &str) -> (usize, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = BTreeMap::new();
    gather(&root.join("src"), &mut files);
    for folder in FOLDERS {
        gather(&root.join("tests").join(folder), &mut files);
    }
    let floors = root.join("tests/floors.rs");
    files.insert(floors.clone(), fs::read_to_string(floors).expect("a source file"));
    let named = named(page);
    let missing = named.iter().filter(|path| !is_there(path, root, &files)).map(|path| path.join("::")).collect();
    (named.len(), missing)
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let (named, missing) = missing(include_str!("../docs/THREATS.md"));
    assert!(named > 100, "only {named} tests are named");
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
}

#[test]
fn a_test_that_is_not_there_is_noticed() {
    let page = "`attacks::sources::nobody_wrote_this`, `…::nor_this`";
    assert_eq!(
        missing(page),
        (2, vec!["attacks::sources::nobody_wrote_this".into(), "attacks::sources::nor_this".into()])
    );
}
