//! What can befall a vault on its way: files lost, torn, swapped, doubled, invented; and who then verifies it, with what.

use std::collections::BTreeMap;

use amparo::crypto::hash::{Hash, hex};

use super::dice::Dice;
use super::stories::Story;
use crate::vault::forge::{ANN, FOUNDER, MONITOR, READER, SEALER, VAULT, card};
use crate::vectors::case::{self, Lines};
use crate::vectors::written::{Files, changes, files_below};

/// The question of a case, without its answer: a vault with or without damage, and who verifies it.
pub(super) fn case(dice: &mut Dice, story: &Story, damaged: bool) -> Lines {
    let mut files = files_below(&story.forge.disk, VAULT);
    let mut strange = Lines::new();
    for _ in 0..if damaged { dice.below(4) } else { 0 } {
        befall(dice, &mut files, &mut strange);
    }
    let line = |key: &str, value: String| (key.to_string(), value);
    let mut lines = vec![
        line("check", "vault".into()),
        line("title", "a vault that nobody has seen before".into()),
        line("base", "founded".into()),
    ];
    lines.extend(verifier(dice, story));
    if dice.percent(25) {
        let mut remembered: BTreeMap<_, _> = BTreeMap::new();
        for (log, note) in dice.some(&story.states, 60) {
            remembered.insert(log, note);
        }
        lines.extend(
            remembered.into_iter().map(|(log, note)| line("remembers", format!("{log} {}", case::base64(&note)))),
        );
    }
    let founded = files_below(&case::made(&case::read("founded")), VAULT);
    lines.extend(changes(&founded, &files));
    lines.extend(strange);
    lines
}

fn verifier(dice: &mut Dice, Story { forge, receivers, .. }: &Story) -> Lines {
    let anybody = [READER, READER, READER, READER, READER, MONITOR, MONITOR, FOUNDER, SEALER, ANN, 0];
    let who = if receivers.is_empty() || dice.percent(60) { *dice.one(&anybody) } else { *dice.one(receivers) };
    let identity = if who == 0 { "none".into() } else { hex(&[who; 32]) };
    let owner = |who: u8| format!("owner {}", case::base64(card(who).as_bytes()));
    let trust = match dice.below(20) {
        0 => "none".to_string(),
        1..5 => owner(FOUNDER),
        5 => owner(READER),
        6..9 => format!("pinned {}", forge.vault),
        _ => format!("given {}", forge.vault),
    };
    vec![("identity".into(), identity), ("trust".into(), trust)]
}

/// Something happens to the files.
fn befall(dice: &mut Dice, files: &mut Files, strange: &mut Lines) {
    let paths: Vec<String> = files.keys().cloned().collect();
    if paths.is_empty() {
        return;
    }
    let path = dice.one(&paths).clone();
    let other = dice.one(&paths).clone();
    match dice.below(20) {
        0..4 => drop(files.remove(&path)),
        4 => files.retain(|name, _| !name.starts_with("blobs/")),
        5 => {
            let log = path.split('/').take(2).collect::<Vec<_>>().join("/");
            files.retain(|name, _| path == "VAULT" || !name.starts_with(&log));
        }
        6..8 => edit(files, &path, |bytes| {
            if !bytes.is_empty() {
                let at = dice.below(bytes.len());
                bytes[at] ^= 1 << dice.below(8);
            }
        }),
        8 => edit(files, &path, |bytes| bytes.truncate(dice.below(bytes.len()))),
        9 => edit(files, &path, |bytes| bytes.push(0)),
        10 => {
            let (one, two) = (files[&path].clone(), files[&other].clone());
            files.insert(path, two);
            files.insert(other, one);
        }
        11 => drop(files.insert(misnamed(dice, &path), files[&path].clone())),
        12 => drop(files.insert(transplanted(&path, &other), files[&path].clone())),
        13..15 => checkpoint(dice, files),
        15 => invented(dice, files, &path),
        16 => older(dice, files),
        17 => {
            let name = *dice.one(&["notes.txt", "keys/readme", "blobs/zz/x", "logs/x", "blobs/ab/short"]);
            files.insert(name.into(), b"a stranger".to_vec());
        }
        18 => {
            let kind = *dice.one(&["link", "pipe", "folder"]);
            strange.push((kind.into(), (*dice.one(&["elsewhere", "keys/here", "blobs/there"])).into()));
        }
        _ => drop(files.insert("VAULT".into(), format!("amparo.v1/vault\n{}\n", Hash::of(b"another")).into_bytes())),
    }
}

fn edit(files: &mut Files, path: &str, how: impl FnOnce(&mut Vec<u8>)) {
    how(files.get_mut(path).expect("it is one of them"));
}

/// The same name, but for one digit at its end.
fn misnamed(dice: &mut Dice, path: &str) -> String {
    let (stem, ending) = path.strip_suffix(".age").map_or((path, ""), |stem| (stem, ".age"));
    let digit = *dice.one(&['0', '7', 'c']);
    format!("{}{digit}{ending}", &stem[..stem.len() - 1])
}

/// The file's own name in the folder of another.
fn transplanted(path: &str, other: &str) -> String {
    let name = path.rsplit('/').next().expect("a name");
    other.rsplit_once('/').map_or_else(|| name.to_string(), |(folder, _)| format!("{folder}/{name}"))
}

/// Something is done to a signed state, under a name that fits again.
fn checkpoint(dice: &mut Dice, files: &mut Files) {
    let states: Vec<String> = files.keys().filter(|name| name.contains("/checkpoints/")).cloned().collect();
    if states.is_empty() {
        return;
    }
    let path = dice.one(&states).clone();
    if dice.percent(40) {
        files.remove(&path);
        return;
    }
    let text = String::from_utf8_lossy(&files[&path]).into_owned();
    let Some((state, signatures)) = text.split_once("\n\n") else { return };
    let mut lines: Vec<String> = signatures.lines().map(Into::into).collect();
    let mut state = state.to_string();
    let mut size = path.rsplit('/').next().expect("a name")[..10].to_string();
    match dice.below(6) {
        0 => lines.truncate(1),
        1 => lines.reverse(),
        2 => lines.push(lines[0].clone()),
        3 => drop(lines.remove(0)),
        4 => {
            let larger: u64 = size.parse::<u64>().expect("a size") + 1;
            size = format!("{larger:010}");
        }
        _ => state = state.replace("amparo.v1", "amparo.v2"),
    }
    let bytes = format!("{state}\n\n{}\n", lines.join("\n")).into_bytes();
    let folder = path.rsplit_once('/').expect("a folder").0;
    files.insert(format!("{folder}/{size}-{}", Hash::of(&bytes)), bytes);
    if dice.percent(50) {
        files.remove(&path);
    }
}

/// A file of other bytes whose name fits them.
fn invented(dice: &mut Dice, files: &mut Files, path: &str) {
    let Some((folder, name)) = path.rsplit_once('/') else { return };
    let mut bytes = files[path].clone();
    if dice.percent(50) && !bytes.is_empty() {
        let at = dice.below(bytes.len());
        bytes[at] ^= 1;
    } else {
        bytes.truncate(dice.below(bytes.len()));
    }
    let hash = Hash::of(&bytes).to_string();
    let (folder, name) = if folder.starts_with("blobs") {
        (format!("blobs/{}", &hash[..2]), hash)
    } else if name.len() > 64 {
        let (stem, ending) = name.strip_suffix(".age").map_or((name, ""), |stem| (stem, ".age"));
        (folder.to_string(), format!("{}{hash}{ending}", &stem[..stem.len() - 64]))
    } else {
        (folder.to_string(), hash)
    };
    files.insert(format!("{folder}/{name}"), bytes);
    if dice.percent(50) {
        files.remove(path);
    }
}

/// One log as it was some entries ago.
fn older(dice: &mut Dice, files: &mut Files) {
    let logs: Vec<String> =
        files.keys().filter(|name| name.contains("/checkpoints/")).map(|name| name[..37].to_string()).collect();
    if logs.is_empty() {
        return;
    }
    let (log, size) = (dice.one(&logs).clone(), dice.below(4));
    files.retain(|name, _| {
        let digits = name.rsplit('/').next().expect("a name").get(..10).and_then(|digits| digits.parse::<usize>().ok());
        let beyond = |part: &str, limit: usize| {
            name.starts_with(&format!("{log}/{part}/")) && digits.is_some_and(|number| number >= limit)
        };
        !beyond("entries", size) && !beyond("checkpoints", size + 1)
    });
}
