//! Each example that a help text prints is typed, on a stage where what it names is there, and does what it says.

use std::fs;

use super::harness::{Around, Outcome, World};
use super::usage::{examples, words};

/// What stands in examples for the vault's own digits, which nobody knows beforehand.
const DIGITS_SHOWN: &str = "28559 12310 93023 00000 67295 66051 00000 00000";

/// Files that examples name, with something of their kind in each.
const FILES: [(&str, &[u8]); 8] = [
    ("statement.pdf", b"%PDF-1.4\n"),
    ("testimony.pdf", b"%PDF-1.4\n"),
    ("photos/one.jpg", include_bytes!("../evidence/photo.jpg")),
    ("case-7/a.txt", b"a\n"),
    ("my-files/b.txt", b"b\n"),
    ("case-7.toml", b"[identity]\ntitle = \"Case 7\"\n"),
    ("page.html", b"<p>a page</p>\n"),
    ("words.txt", b"some words that nobody guesses\n"),
];

/// Examples that end otherwise than with 0, and why.
const EXITS: [(&str, u8); 1] = [
    // A reader stands on the stage, and whoever takes her device reads.
    ("amparo border-check", 1),
];

/// Somebody who may do everything in a vault of hers that holds one exhibit, and the cards of her friends.
struct Stage {
    world: World,
    digits: String,
}

impl Stage {
    fn new() -> Self {
        let world = World::new();
        for (name, bytes) in FILES {
            world.write(&format!("ann/{name}"), bytes);
        }
        for (who, name, card) in
            [("owl", "Grey Owl", "grey-owl"), ("tern", "Tern", "tern"), ("kite", "Red Kite", "red-kite")]
        {
            world.run(who, &["identity", "new", "--name", name, "--no-passphrase"]).exits(0);
            world.run(who, &["identity", "card", "-o", &format!("../ann/{card}.card")]).exits(0);
        }
        Self { world, digits: String::new() }
    }

    fn identity(self) -> Self {
        self.world.run("ann", &["identity", "new", "--name", "Blue Heron", "--no-passphrase"]).exits(0);
        self.world.run("ann", &["identity", "card", "-o", "blue-heron.card"]).exits(0);
        self
    }

    fn vault(mut self) -> Self {
        self.world.run("ann", &["init", "evidence", "--handle", "K7"]).exits(0);
        let sealed = self.world.run("ann", &["seal", "statement.pdf", "--kind", "testimony", "--vault", "evidence"]);
        sealed.exits(0);
        self.world
            .run("ann", &["custody", "receipt", "K7-0001", "-o", "K7-0001.receipt", "--vault", "evidence"])
            .exits(0);
        let shown = self.world.run("ann", &["verify", "evidence", "--json"]).json();
        let vault = amparo::format::ids::VaultId::from_hex(shown["vault"].as_str().expect("an id")).expect("an id");
        self.digits = vault.fingerprint();
        self
    }

    /// The stage of one example.
    fn of(words: &[String]) -> Self {
        match (words.get(1).map(String::as_str), words.get(2).map(String::as_str)) {
            (None | Some("tour" | "form" | "util"), _) | (Some("identity"), Some("new")) => Self::new(),
            (Some("identity" | "init"), _) => {
                let stage = Self::new().identity();
                // What an example makes is not there yet.
                fs::remove_file(stage.world.path("ann/blue-heron.card")).expect("it was just made");
                stage
            }
            (Some("custody"), Some("receipt")) => {
                let stage = Self::new().identity().vault();
                fs::remove_file(stage.world.path("ann/K7-0001.receipt")).expect("it was just made");
                stage
            }
            _ => Self::new().identity().vault(),
        }
    }

    fn types(&self, line: &str) -> Outcome {
        let line = line.replace(DIGITS_SHOWN, &self.digits);
        let stdin = line.split_once('<').map(|(_, file)| {
            // What is not on the stage reads as nothing; the command then says what it misses.
            fs::read(self.world.path(&format!("ann/{}", file.trim()))).unwrap_or_default()
        });
        let words = words(&line);
        let args: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let env: &[(&str, &str)] = if self.digits.is_empty() { &[] } else { &[("AMPARO_VAULT", "evidence")] };
        let around = Around {
            env,
            stdin: stdin.as_deref().unwrap_or_default(),
            // An empty passphrase makes one of ten words.
            typed: args.starts_with(&["identity", "new"]).then_some(&["", ""][..]),
            stopped: false,
            stopped_at_input: false,
        };
        self.world.run_in("ann", &args, &around)
    }
}

#[test]
fn each_does_what_it_says() {
    let mut found = Vec::new();
    examples(&amparo::cli::command(), &mut found);
    let mut lines: Vec<String> = found.into_iter().map(|(_, line)| line).collect();
    lines.sort();
    lines.dedup();
    let mut otherwise = Vec::new();
    for line in lines {
        let stage = Stage::of(&words(&line));
        let wanted = EXITS.iter().find(|(start, _)| line.starts_with(start)).map_or(0, |(_, exit)| *exit);
        let outcome = stage.types(&line);
        if outcome.exit != wanted {
            otherwise.push(format!("$ {line}\n{}, not {wanted}\n{}\n{}", outcome.exit, outcome.out, outcome.err));
        }
    }
    assert!(otherwise.is_empty(), "{}", otherwise.join("\n"));
}
