//! Each example that a help text prints is typed, on a stage where what it names is there, and does what it says.

mod stage;

use amparo::crypto::hash::Hash;

use super::harness::{Around, Outcome, World};
use super::usage::{examples, words};

/// What stands in examples for digits that nobody knows beforehand: the vault's, or those of the card that is named.
const DIGITS_SHOWN: &str = "28559 12310 93023 00000 67295 66051 00000 00000";

/// The same for the SHA-256 of the pouch that came.
const DIGEST_SHOWN: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Examples that rightly end otherwise than with 0, and why.
const EXITS: [(&str, u8, &str); 2] = [
    ("amparo border-check", 1, "it is typed by a reader, whose key lies on the device and opens content"),
    ("amparo verify evidence --fork-proof contradiction.txt", 3, "whoever writes the proof holds both histories"),
];

/// Flags whose value an example makes.
const MAKE: [&str; 8] =
    ["-o", "--answer", "--cosignatures", "--fork-proof", "--repair", "--report", "--qr-svg", "--done"];

/// Who types an example, and on which stage.
struct Part {
    /// The words that the line begins with. Of several parts the longest is played; a lone `amparo` is only itself.
    start: &'static str,
    stage: &'static str,
    who: &'static str,
    /// Answers at the terminal; `None`: there is none. `@FILE` is what stands in that file of hers.
    typed: Option<&'static [&'static str]>,
}

const fn part(start: &'static str, stage: &'static str, who: &'static str) -> Part {
    Part { start, stage, who, typed: None }
}

const fn asked(start: &'static str, stage: &'static str, typed: &'static [&'static str]) -> Part {
    Part { start, stage, who: "ann", typed: Some(typed) }
}

/// The same by somebody else.
const fn asked_of(who: &'static str, start: &'static str, stage: &'static str, typed: &'static [&'static str]) -> Part {
    Part { start, stage, who, typed: Some(typed) }
}

/// Blue Heron is ann, as in all stories here; the others are called by the last word of their pseudonyms.
const PARTS: &[Part] = &[
    part("amparo", "on_a_new_device", "ann"),
    part("amparo tour", "on_a_new_device", "ann"),
    part("amparo form", "on_a_new_device", "ann"),
    part("amparo util", "on_a_new_device", "ann"),
    // An empty passphrase makes one of ten words.
    asked("amparo identity new", "on_a_new_device", &["", ""]),
    asked("amparo identity restore", "on_a_new_device", &["Blue Heron", "@words.txt", "", ""]),
    asked("amparo identity restore --name", "on_a_new_device", &["", ""]),
    part("amparo identity card", "with_an_identity", "ann"),
    part("amparo identity show", "with_an_identity", "ann"),
    asked("amparo identity backup", "with_an_identity", &["", "page 1"]),
    asked("amparo identity backup --shares 2/3", "with_an_identity", &["", "", "", "page 1", "page 3"]),
    asked("amparo identity remove", "with_an_identity", &["Blue Heron"]),
    part("amparo identity remove --name", "with_an_identity", "ann"),
    part("amparo init", "with_an_identity", "ann"),
    part("amparo seal", "in_a_case", "ann"),
    part("amparo list", "in_a_case", "owl"),
    part("amparo show", "in_a_case", "owl"),
    part("amparo open", "in_a_case", "owl"),
    part("amparo verify", "in_a_case", "ann"),
    part("amparo verify evidence --cosign", "in_a_case", "kite"),
    part("amparo verify holiday.bin", "when_a_pouch_came", "owl"),
    part("amparo merge", "in_a_case", "ann"),
    part("amparo merge - < answer.txt", "when_a_pouch_came", "ann"),
    part("amparo merge answer.txt", "when_a_pouch_came", "ann"),
    part("amparo doctor", "in_a_case", "ann"),
    part("amparo pack", "in_a_case", "ann"),
    part("amparo pack --answers", "when_a_pouch_came", "owl"),
    part("amparo unpack", "when_a_pouch_came", "owl"),
    asked_of("plover", "amparo unpack holiday.bin -o", "when_a_pouch_came", &["@evidence.digits", "yes"]),
    part("amparo custody log", "in_a_case", "ann"),
    part("amparo custody note", "in_a_case", "ann"),
    part("amparo custody offer", "in_a_case", "ann"),
    part("amparo custody receipt", "in_a_case", "owl"),
    part("amparo custody withdraw", "in_a_case", "ann"),
    part("amparo custody acknowledge", "in_a_case", "owl"),
    part("amparo custody decline", "in_a_case", "owl"),
    part("amparo member list", "in_a_case", "ann"),
    asked("amparo member add tern.card", "in_a_case", &["@tern.digits"]),
    asked("amparo member add gull.card", "in_a_case", &["@gull.digits"]),
    part("amparo member add red-kite.card", "in_a_case", "ann"),
    part("amparo member grant", "after_a_newcomer", "owl"),
    part("amparo member remove", "when_a_device_was_seized", "ann"),
    part("amparo member adopt", "after_a_removal", "ann"),
    part("amparo member rotate", "where_one_awaits_a_share", "ann"),
    part("amparo identity lend", "where_two_must_come_together", "tern"),
    part("amparo open K7-0001 -o opened --share", "where_two_must_come_together", "owl"),
    part("amparo verify evidence --fork-proof", "after_two_histories", "kite"),
    part("amparo verify contradiction.txt", "after_two_histories", "owl"),
    part("amparo border-check", "at_a_border", "owl"),
    part("amparo border-check --card", "at_a_border", "courier"),
    part("amparo border-check /media/stick", "at_a_border", "courier"),
];

/// Each stage is a test, so that several are played at once.
macro_rules! stages {
    ($($name:ident),*) => {
        const STAGES: &[&str] = &[$(stringify!($name)),*];
        $(#[test] fn $name() { play(stringify!($name), &stage::$name()); })*
    };
}

stages!(
    on_a_new_device,
    with_an_identity,
    in_a_case,
    when_a_pouch_came,
    after_a_newcomer,
    when_a_device_was_seized,
    after_a_removal,
    where_two_must_come_together,
    where_one_awaits_a_share,
    after_two_histories,
    at_a_border
);

/// All that the help texts show, each once.
fn lines() -> Vec<String> {
    let mut found = Vec::new();
    examples(&amparo::cli::command(), &mut found);
    let mut lines: Vec<String> = found.into_iter().map(|(_, line)| line).collect();
    lines.sort();
    lines.dedup();
    lines
}

impl Part {
    fn of(line: &str) -> Option<&'static Self> {
        PARTS.iter().filter(|part| part.begins(line)).max_by_key(|part| part.start.len())
    }

    fn begins(&self, line: &str) -> bool {
        let rest = line.strip_prefix(self.start);
        rest.is_some_and(|rest| rest.is_empty() || (self.start != "amparo" && rest.starts_with(' ')))
    }

    fn types(&self, line: &str, world: &World) -> Outcome {
        let hers = |file: &str| world.read(&format!("{}/{}", self.who, file.trim()));
        let text = |file: &str| String::from_utf8(hers(file)).expect("text");
        let stdin = line.split_once('<').map(|(_, file)| hers(file)).unwrap_or_default();
        let args: Vec<String> = words(line).into_iter().skip(1).collect();
        let card = args.iter().find_map(|word| word.strip_suffix(".card")).unwrap_or("evidence");
        let args: Vec<String> = args
            .iter()
            .map(|word| match word.as_str() {
                DIGITS_SHOWN => text(&format!("{card}.digits")),
                DIGEST_SHOWN => Hash::of(&hers("holiday.bin")).to_string(),
                // What a shell would make of it; and the root of this world's disk is elsewhere.
                word if word.starts_with("~/") => format!("{}{}", world.home(self.who).display(), &word[1..]),
                word if word.starts_with('/') => world.path(&word[1..]).display().to_string(),
                word => word.to_string(),
            })
            .collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let answer = |answer: &&str| answer.strip_prefix('@').map_or_else(|| (*answer).to_string(), text);
        let typed: Option<Vec<String>> = self.typed.map(|typed| typed.iter().map(answer).collect());
        let typed: Option<Vec<&str>> = typed.as_ref().map(|typed| typed.iter().map(String::as_str).collect());
        let has_vault = world.home(self.who).join("evidence").exists();
        let env: &[(&str, &str)] = if has_vault { &[("AMPARO_VAULT", "evidence")] } else { &[] };
        world.run_in(self.who, &args, &Around { env, stdin: &stdin, typed: typed.as_deref(), ..Around::default() })
    }
}

/// Every example of a stage, each on one of its own: what one leaves does not help or disturb another.
fn play(stage: &str, world: &World) {
    for line in lines() {
        let Some(part) = Part::of(&line).filter(|part| part.stage == stage) else { continue };
        let world = world.twin();
        let made = made(&line).map(|name| world.home(part.who).join(name));
        assert!(made.as_ref().is_none_or(|made| !made.exists()), "it is there already: {line}");
        let outcome = part.types(&line, &world);
        let wanted = EXITS.iter().find(|(start, ..)| line == *start).map_or(0, |(_, exit, _)| *exit);
        assert_eq!(outcome.exit, wanted, "{} $ {line}\n{}\n{}", part.who, outcome.out, outcome.err);
        assert!(made.is_none_or(|made| made.exists()), "it was not made: {line}\n{}", outcome.err);
        if line.contains("--json") {
            outcome.json();
        }
    }
}

/// The file or folder that an example makes by a flag.
fn made(line: &str) -> Option<String> {
    let words = words(line);
    let receipt = if line.starts_with("amparo seal") { "--receipt" } else { "-o" };
    let flag = words.iter().position(|word| MAKE.contains(&word.as_str()) || word == receipt)?;
    // In volumes there is no file of the name alone.
    let first = if words.iter().any(|word| word == "--volumes") { ".001" } else { "" };
    words.get(flag + 1).map(|name| format!("{name}{first}"))
}

#[test]
fn each_has_a_part_and_no_part_or_exit_is_for_nothing() {
    let lines = lines();
    for line in &lines {
        let part = Part::of(line);
        assert!(part.is_some_and(|part| STAGES.contains(&part.stage)), "nobody types: {line}");
    }
    for part in PARTS {
        let played = lines.iter().filter_map(|line| Part::of(line)).any(|other| other.start == part.start);
        assert!(played, "no example begins with: {}", part.start);
    }
    for (line, exit, why) in EXITS {
        assert!(lines.iter().any(|other| other == line), "no example is: {line}");
        assert!(exit != 0 && !why.is_empty(), "{line}");
    }
}
