//! Whole vaults, good and bad, each with what must be found: every case is judged again, and every row of the check
//! tables of FORMAT § 8 is shown by one, or it is said why none can show it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::case::{home, judged, parts, print, read};

/// The names of all cases, sorted.
pub(crate) fn all() -> Vec<String> {
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
    let _row = crate::soak::row(11);
    let names = all();
    assert!(names.len() > 250, "{} cases", names.len());
    let mut wrong = Vec::new();
    for name in names {
        let (given, expected) = parts(&read(&name));
        let found = judged(&given);
        if found != expected {
            wrong.push(format!("{name}\nexpected\n{}found\n{}", print(&expected), print(&found)));
        }
    }
    assert!(wrong.is_empty(), "{} cases are judged otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_case_that_says_otherwise_is_seen() {
    let _row = crate::soak::row(11);
    for (name, from, to) in [
        ("golden/valid-reader", "exit: 0", "exit: 4"),
        ("custody/segment-missing", "incomplete blob", "invalid blob"),
        ("custody/segment-missing", "K7-0001 incomplete", "K7-0001 invalid"),
        ("custody/entry-missing", ", entry 1", ", entry 2"),
        ("cosignatures/an-honest-cosignature-covers-what-was-sealed-by-then-2", "covered: 1", "covered: 2"),
        ("handovers/how-far-a-handover-has-come", " pending", " declined"),
        ("handovers/what-an-acknowledgement-of-everything-lists-3", "discrepancy: blob ", "discrepancy: entry "),
    ] {
        let (given, expected) = parts(&read(name));
        let other = print(&expected).replace(from, to);
        assert!(other != print(&expected) && other != print(&judged(&given)), "{name}");
    }
}

/// A row of a check table: section, checks, when, weight.
struct Row {
    section: String,
    check: String,
    when: String,
    weight: String,
}

fn rows() -> Vec<Row> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/FORMAT.md");
    let page = fs::read_to_string(page).expect("the page");
    let (mut section, mut within, mut rows) = (String::new(), false, Vec::new());
    for line in page.lines() {
        if let Some(title) = line.strip_prefix("### ") {
            section = title.split(' ').next().unwrap_or_default().into();
        }
        within = line.starts_with("| check | when |") || within && line.starts_with('|');
        let cells: Vec<&str> = line.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
        if let (true, [check, when, weight, ..]) = (within && section.starts_with("8."), cells.as_slice())
            && *check != "check"
        {
            let (check, when) = (check.replace('`', ""), (*when).to_string());
            rows.push(Row { section: section.clone(), check, when, weight: weight.to_lowercase() });
        }
    }
    rows
}

#[test]
fn every_row_of_the_check_tables_is_shown_by_a_vault() {
    let _row = crate::soak::row(11);
    let list = fs::read_to_string(home().join("rows.txt")).expect("which case shows which row");
    let mut shown = BTreeSet::new();
    let rows = rows();
    assert!(rows.len() > 75, "{} rows", rows.len());
    for line in list.lines() {
        let (row, case) = line.split_once(" -> ").expect("a row and its case");
        let (place, when) = row.split_once(": ").expect("a check and its condition");
        let (section, check) = place.split_once(' ').expect("a section and a check");
        let meant: Vec<usize> = (0..rows.len())
            .filter(|at| rows[*at].section == section && rows[*at].check == check)
            .filter(|at| rows[*at].when.starts_with(when))
            .collect();
        let [at] = meant.as_slice() else { panic!("{row}: {} rows begin so", meant.len()) };
        assert!(shown.insert(*at), "{row}: twice");
        if case.starts_with("none: ") {
            continue;
        }
        let (_, expected) = parts(&read(case));
        let weights: &[&str] = match rows[*at].weight.as_str() {
            "invalid" => &["invalid"],
            "incomplete" => &["incomplete"],
            _ => &["incomplete", "invalid"],
        };
        let finds = weights.iter().any(|weight| {
            let finding = format!("{weight} {check} ");
            expected.iter().any(|(key, value)| key == "finding" && value.starts_with(&finding))
        });
        let at_bytes = expected.iter().any(|(key, value)| key == "level" && value == "bytes");
        assert!(finds, "{row}: {case} does not show it");
        assert!(section != "8.3" || at_bytes, "{row}: {case} is not of that level");
    }
    let missing: Vec<String> = (0..rows.len())
        .filter(|at| !shown.contains(at))
        .map(|at| format!("{} {}", rows[at].section, rows[at].when))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:#?}");
}
