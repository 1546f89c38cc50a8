//! What is only told of a vault checks fewer signatures than `verify`, and tells the same: on all vaults of the vectors.

use std::path::Path;

use amparo::crypto::hash::{Hash, unhex};
use amparo::crypto::seed::Seed;
use amparo::format::pseudonym::Pseudonym;
use amparo::store::faulty::FaultyDisk;
use amparo::vault::custody::story::{Story, story};
use amparo::vault::findings::{Check, Finding};
use amparo::vault::session::{Person, Request, Session};

use super::people::with;
use crate::vectors::case::{self, Lines, VAULT};
use crate::vectors::vaults;

/// Every entry with its standing, and every state, in order.
fn told(story: &Story) -> Vec<String> {
    let history = story.history();
    let lines = story.lines().map(|line| format!("{:?} {:?} {:?}", line.place, line.told.leaf, line.told.standing));
    let forks = |log: &amparo::vault::history::Log| -> Vec<_> {
        log.forks.iter().map(|fork| (fork.parted, fork.head, fork.entries.len())).collect()
    };
    lines.chain(history.logs.values().map(|log| format!("{:?} {:?}", log.head, forks(log)))).collect()
}

/// A trouble that only who looks at every signed state can see.
fn is_of_older_state(trouble: &Finding) -> bool {
    trouble.check == Check::Signature && trouble.subject.contains("/checkpoints/")
}

/// The same vault, opened to be verified and only to be told; `None` where neither can be.
fn both(name: &str, lines: &Lines, disk: &FaultyDisk) -> Option<(Story, Story)> {
    let (_, seed) = lines.iter().find(|(key, value)| key == "identity" && value != "none")?;
    let state = Path::new("/state");
    for (_, trust) in lines.iter().filter(|(key, _)| key == "trust") {
        if let Some(id) = trust.strip_prefix("pinned ") {
            disk.put(&state.join(id).join("pinned"), b"amparo.v1/pinned\n");
        }
    }
    let keys = Seed::from_bytes(&unhex(seed).expect("64 digits")).keys();
    let person = Person::new(Pseudonym::parse("Vector").expect("a name"), keys, true);
    let request = Request { vault: Path::new(VAULT), state, person: Some(&person), trust: None };
    let machine = Hash::of(b"machine");
    let wholly =
        with(disk, machine, |setting| Session::open(setting, &request).and_then(|session| Story::of(session, None)));
    match (wholly, with(disk, machine, |setting| story(setting, &request, None))) {
        (Ok(wholly), Ok(quickly)) => Some((wholly, quickly)),
        (Err(one), Err(other)) if one.to_string() == other.to_string() => None,
        (one, other) => panic!("{name}: {:?} and {:?}", one.err(), other.err()),
    }
}

#[test]
fn what_is_told_is_what_verify_reads() {
    let mut compared = 0;
    for name in vaults::all() {
        let lines = case::read(&name);
        // Vaults with which nothing is wrong in any log have the same states in one way.
        if !lines.iter().any(|(key, value)| key == "finding" && value.contains(" logs/")) {
            continue;
        }
        let Some((wholly, quickly)) = both(&name, &lines, &case::made(&lines)) else { continue };
        assert_eq!(told(&quickly), told(&wholly), "{name}");
        let (all, seen) = (wholly.troubles(), quickly.troubles());
        assert!(seen.iter().all(|trouble| all.contains(trouble)), "{name}: {seen:#?}");
        let mut unseen = all.iter().filter(|trouble| !seen.contains(trouble));
        assert!(unseen.all(|trouble| is_of_older_state(trouble)), "{name}: {all:#?}");
        compared += 1;
    }
    assert!(compared > 50, "{compared} vaults");
}

#[test]
fn only_who_verifies_sees_that_the_signatures_of_an_older_state_do_not_hold() {
    let name = "golden/valid-reader";
    let lines = case::read(name);
    let disk = case::made(&lines);
    let mut states: Vec<_> =
        disk.files().into_iter().filter(|(path, _)| path.to_string_lossy().contains("/checkpoints/")).collect();
    states.sort();
    let older = states.windows(2).find(|pair| pair[0].0.parent() == pair[1].0.parent()).expect("two of one log");
    let (path, mut bytes) = older[0].clone();
    let last = bytes.len() - 8;
    bytes[last] ^= 1;
    disk.put(&path, &bytes);
    let (wholly, quickly) = both(name, &lines, &disk).expect("it is read");
    assert_eq!(told(&quickly), told(&wholly));
    assert!(matches!(wholly.troubles().as_slice(), [trouble] if is_of_older_state(trouble)));
    assert!(quickly.troubles().is_empty(), "{:#?}", quickly.troubles());
}
