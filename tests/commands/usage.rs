//! The command line itself: help, its examples, mistakes.

use super::harness::World;

/// The words of an example as a shell would split them, up to where the shell takes over.
pub(super) fn words(line: &str) -> Vec<String> {
    let line = line.split(['>', '<', '|']).next().unwrap_or_default();
    let mut words = Vec::new();
    for (at, piece) in line.split('"').enumerate() {
        if at % 2 == 1 {
            words.push(piece.to_string());
        } else {
            words.extend(piece.split_whitespace().map(str::to_string));
        }
    }
    words
}

/// All examples of a command and those below it, with the command's name.
pub(super) fn examples(command: &clap::Command, found: &mut Vec<(String, String)>) {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let lines: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ")).collect();
    let lines: Vec<&str> = lines.into_iter().filter(|line| line.starts_with("amparo")).collect();
    if !command.has_subcommands() || command.get_name() == "amparo" {
        assert!(!lines.is_empty(), "{} has no example", command.get_name());
    }
    found.extend(lines.iter().map(|line| (command.get_name().to_string(), (*line).to_string())));
    command.get_subcommands().for_each(|sub| examples(sub, found));
}

#[test]
fn every_command_has_examples_and_each_is_a_command_line() {
    let mut found = Vec::new();
    examples(&amparo::cli::command(), &mut found);
    assert!(found.len() > 20);
    for (name, line) in found {
        let words = words(&line);
        assert!(name == "amparo" || words.contains(&name), "an example of {name} is about it: {words:?}");
        let parsed = amparo::cli::command().try_get_matches_from(&words);
        assert!(parsed.is_ok(), "{words:?}: {}", parsed.expect_err("refused"));
    }
}

#[test]
fn help_is_short_and_long_and_goes_to_standard_output() {
    let world = World::new();
    let (short, long) = (world.run("ann", &["-h"]).exits(0), world.run("ann", &["--help"]).exits(0));
    assert!(long.out.len() > short.out.len() && long.err.is_empty());
    long.says("Exit codes:").says("AMPARO_PASSPHRASE_FILE");
    world.run("ann", &["seal", "--help"]).exits(0).says("Each file becomes one exhibit");
    world.run("ann", &["--version"]).exits(0).says("amparo 0.1.0");
}

#[test]
fn mistakes_are_usage_in_words_and_in_json() {
    let world = World::new();
    world.run("ann", &["seel"]).exits(2).says("'seal'");
    let error = world.run("ann", &["seel", "--json"]).exits(2).json_error();
    assert!(error["error"].as_str().is_some_and(|text| text.starts_with("unrecognized subcommand")));
    world.run("ann", &["identity", "--json"]).exits(2).json_error();
    world.run("ann", &["list", "--quiet", "--verbose"]).exits(2);
    world.run("ann", &["seel\u{1b}[2J"]).exits(2).never_says("\u{1b}");
}

#[test]
fn colours_only_where_a_person_looks() {
    use super::harness::Around;
    let world = World::new();
    let colourful = world.typing("ann", &["list"], &[]).exits(10);
    assert!(colourful.err.starts_with("\u{1b}[1;31merror:\u{1b}[0m"));
    world.run("ann", &["list"]).exits(10).never_says("\u{1b}");
    world.typing("ann", &["list", "--no-color"], &[]).exits(10).never_says("\u{1b}");
    for env in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let around = Around { env: &[env], typed: Some(&[]), ..Around::default() };
        world.run_in("ann", &["list"], &around).exits(10).never_says("\u{1b}");
    }
}

#[test]
fn two_answers_to_one_question_are_refused() {
    let world = World::with_vault();
    world.write("lawyer/t.txt", b"I was there.\n");
    let seal = |more: &[&str]| world.run("lawyer", &[&["seal", "t.txt", "--vault", "evidence"], more].concat());
    let first = "acquisition/when=2026-11-20";
    for more in [
        ["--field", first, "--field", "acquisition/when=2026-11-21"],
        ["--field", first, "--field", first],
        ["--field", "identity/title=One", "--title", "Two"],
        ["--field", "identity/kind=photo", "--kind", "photo"],
    ] {
        seal(&more).exits(2).says("is given twice on one command line").never_says("SEALED");
    }
    world.run("lawyer", &["list", "--vault", "evidence"]).exits(0).never_says("K7-0001");
    seal(&["--field", first, "--title", "One"]).exits(0).says("SEALED");
}

#[test]
fn overwriting_is_offered_only_where_it_can_be_had() {
    let world = World::with_vault();
    world.write("lawyer/taken/file", b"here");
    world.run("lawyer", &["identity", "new", "--name", "X", "--no-passphrase"]).exits(1).never_says("--overwrite");
    world.run("lawyer", &["init", "evidence", "--reader", "../reader.card"]).exits(1).never_says("--overwrite");
    world.run("lawyer", &["identity", "card", "-o", "taken/file"]).exits(1).says("or give --overwrite");
    world.run("lawyer", &["identity", "card", "-o", "taken/file", "--overwrite"]).exits(0);
}
