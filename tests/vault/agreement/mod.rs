//! The program and the second verifier (`tests/second_verifier`, in Python, written from FORMAT.md alone) agree: on every
//! case that lies as data, and on vaults that are made up here by the thousand. `AMPARO_SECOND` says how many,
//! `AMPARO_SECOND_SEED` from which seed; each run prints both.

mod damage;
pub(crate) mod dice;
mod handovers;
mod plants;
mod stories;
mod trust;

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;

use serde_json::Value;

use self::dice::Dice;
use crate::peers;
use crate::soak;
use crate::vectors::case::{self, Lines};

/// What every run can afford; `.ci/run` asks for more.
const VAULTS: u64 = 240;
/// In so many, handovers have come as far as they can in every way.
const ENOUGH_FOR_ALL: u64 = 1_000;
/// How many vaults are made of one story.
const OF_ONE_STORY: u64 = 12;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |value| value.parse().unwrap_or_else(|_| panic!("{name} is no number")))
}

/// The second verifier, which answers for each case whose path it is given.
struct Second {
    child: Child,
    asks: ChildStdin,
    answers: thread::JoinHandle<Vec<(PathBuf, Vec<String>)>>,
}

impl Second {
    /// Starts it; `keep` says of which cases the file stays although both agree.
    fn start(keep: bool) -> Option<Self> {
        Self::start_from(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), keep)
    }

    /// The same, of a verifier that lies in another folder.
    fn start_from(folder: &Path, keep: bool) -> Option<Self> {
        let python = peers::python()?;
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let mut command = Command::new(python);
        command.args(["-m", "second_verifier", "--cases"]).arg(&tests).current_dir(folder);
        command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a peer that was found can be started");
        let asks = child.stdin.take().expect("it is piped");
        let said = BufReader::new(child.stdout.take().expect("it is piped"));
        let answers =
            thread::spawn(move || said.lines().map(|line| answer(&line.expect("text"), keep)).collect::<Vec<_>>());
        Some(Self { child, asks, answers })
    }

    fn ask(&mut self, case: &Path) {
        writeln!(self.asks, "{}", case.to_str().expect("text")).expect("it reads");
    }

    /// Every answer: the case, and where the second verifier differs.
    fn end(mut self) -> Vec<(PathBuf, Vec<String>)> {
        drop(self.asks);
        let answers = self.answers.join().expect("it answers");
        assert!(self.child.wait().expect("it ends").success());
        answers
    }
}

fn answer(line: &str, keep: bool) -> (PathBuf, Vec<String>) {
    let answer: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no answer: {line}"));
    let path = PathBuf::from(answer["case"].as_str().expect("a name"));
    let differences = answer["differences"].as_array().expect("a list").iter();
    let differences: Vec<String> = differences.map(|one| one.as_str().expect("text").into()).collect();
    if differences.is_empty() && !keep {
        fs::remove_file(&path).expect("it was just read");
    }
    (path, differences)
}

/// The cases of `tests/vectors/vaults`.
fn cases_below(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut cases) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).expect("a folder").flatten().map(|item| item.path()) {
            if item.is_dir() {
                folders.push(item);
            } else if item.extension().is_none() {
                cases.push(item);
            }
        }
    }
    cases
}

fn report(answers: &[(PathBuf, Vec<String>)]) -> String {
    let differing = answers.iter().filter(|(_, differences)| !differences.is_empty());
    let told = differing.map(|(case, differences)| format!("{}\n    {}\n", case.display(), differences.join("\n    ")));
    told.collect()
}

#[test]
fn both_verifiers_agree_on_every_case() {
    let _row = soak::row(12);
    let Some(mut second) = Second::start(true) else { return };
    let cases = cases_below(&case::home());
    for case in &cases {
        second.ask(case);
    }
    let answers = second.end();
    assert_eq!(answers.len(), cases.len());
    let differing = report(&answers);
    assert!(differing.is_empty(), "the case says (expected), the second verifier says (said):\n{differing}");
}

#[test]
fn a_verdict_of_another_kind_is_a_disagreement() {
    let _row = soak::row(12);
    let Some(mut second) = Second::start(true) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let twists = [
        ("golden/valid-reader", "exit: 0", "exit: 4"),
        ("custody/segment-missing", "incomplete blob", "invalid blob"),
        ("custody/segment-missing", "K7-0001 incomplete", "K7-0001 invalid"),
        ("custody/entry-missing", ", entry 1", ", entry 2"),
        ("golden/valid-reader", "level: content", "level: custody"),
        ("cosignatures/an-honest-cosignature-covers-what-was-sealed-by-then-2", "covered: 1", "covered: 2"),
        ("handovers/how-far-a-handover-has-come", " pending", " declined"),
        ("handovers/what-an-acknowledgement-of-everything-lists-3", "discrepancy: blob ", "discrepancy: entry "),
    ];
    for (at, (name, from, to)) in twists.iter().enumerate() {
        let text = case::print(&case::read(name));
        assert!(text.contains(from), "{name}");
        let path = folder.path().join(at.to_string());
        fs::write(&path, text.replace(from, to)).expect("written");
        second.ask(&path);
    }
    for (case, differences) in second.end() {
        assert!(!differences.is_empty(), "{}: nothing was noticed", case.display());
    }
}

#[test]
fn both_verifiers_agree_on_vaults_that_nobody_has_seen_before() {
    let _row = soak::row(12);
    let Some(mut second) = Second::start(false) else { return };
    let (vaults, seed) = (soak::count("AMPARO_SECOND", VAULTS), number("AMPARO_SECOND_SEED", soak::seed()));
    // What both do not agree on stays here, to be looked at.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("second-{seed}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder");
    let stories: Vec<u64> = (0..vaults.div_ceil(OF_ONE_STORY)).collect();
    let mut handovers = BTreeMap::new();
    for pair in stories.chunks(2) {
        // A thread for each: what a forger draws begins anew, and what it remembers is forgotten.
        let told: Vec<_> = pair
            .iter()
            .map(|story| (*story, OF_ONE_STORY.min(vaults - story * OF_ONE_STORY)))
            .map(|(story, count)| (story, thread::spawn(move || tell(Dice::new(seed, story), count))))
            .collect();
        for (story, told) in told {
            for (at, lines) in told.join().expect("a story").into_iter().enumerate() {
                let path = folder.join(format!("{story}-{at}"));
                fs::write(&path, case::print(&lines)).expect("written");
                second.ask(&path);
                tally(&lines, &mut handovers);
            }
        }
    }
    let answers = second.end();
    assert_eq!(answers.len() as u64, vaults);
    let what = ["pending", "declined", "acknowledged", "acknowledged with discrepancies", "answered", "discrepancy"];
    assert!(
        vaults < ENOUGH_FOR_ALL || what.iter().all(|what| handovers.contains_key(*what)),
        "of handovers only {handovers:?}"
    );
    let differing = report(&answers);
    // Not `println!`: a seed is told also where nothing is wrong, and the test harness would swallow it.
    let _ = writeln!(
        std::io::stderr(),
        "both verifiers judged {vaults} vaults from seed {seed}, with handovers: {handovers:?}"
    );
    assert!(
        differing.is_empty(),
        "seed {seed}: the program says (expected), the second verifier says (said):\n{differing}"
    );
    let _ = fs::remove_dir_all(&folder);
}

/// How many handovers have come how far, and how many discrepancies were signed.
fn tally(lines: &Lines, handovers: &mut BTreeMap<String, u64>) {
    for (key, value) in lines {
        let what = match key.as_str() {
            "handover" => value.splitn(3, ' ').nth(2).expect("a status"),
            "discrepancy" => key,
            _ => continue,
        };
        *handovers.entry(what.into()).or_default() += 1;
    }
}

/// One story, and of it so many vaults with the program's own verdicts, the first as it was told.
fn tell(mut dice: Dice, count: u64) -> Vec<Lines> {
    crate::vault::forge_once::keep_to_this_thread();
    let story = stories::tell(&mut dice);
    let cases = (0..count).map(|number| {
        let mut lines = damage::case(&mut dice, &story, number > 0);
        lines.extend(case::acknowledging(&lines));
        lines.extend(case::judged(&lines));
        lines
    });
    cases.collect()
}
