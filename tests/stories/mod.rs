//! Whole cases, each on real folders with a home of their own for each person, told by the commands that they type. The
//! false accusation alone plays on a disk in memory, below the command line: it goes through many histories.

mod customs_officer;
mod false_accusation;
mod forger;
mod foundings;
mod honest_year;
mod quiet_drop;
mod seized_laptop;
mod slow_year;
mod torn_stick;
mod withdrawn_reader;

use serde_json::Value;

use crate::commands::harness::{Outcome, World};

/// Somebody with a card, known to everybody by it.
pub(crate) fn joins(world: &World, who: &str, pseudonym: &str) -> String {
    world.run(who, &["identity", "new", "--name", pseudonym, "--no-passphrase"]).exits(0);
    world.run(who, &["identity", "card", "-o", &format!("../{who}.card")]).exits(0);
    let shown = world.run(who, &["identity", "show", "--json"]).exits(0).json();
    shown["fingerprint"].as_str().expect("digits").to_string()
}

/// A command about the person's own copy, which lies in her home as `evidence`.
pub(crate) fn types(world: &World, who: &str, args: &[&str]) -> Outcome {
    world.run(who, &[args, &["--vault", "evidence"][..]].concat())
}

/// What `verify` says of a person's own copy.
pub(crate) fn verdict(world: &World, who: &str) -> Value {
    types(world, who, &["verify", "--json"]).json()
}

/// The custody story of a person's own copy, as everybody must tell it.
pub(crate) fn story(world: &World, who: &str) -> Value {
    types(world, who, &["custody", "log", "--json"]).exits(0).json()["entries"].clone()
}

/// Somebody's copy goes on a stick, by hand, to another, who takes it in.
pub(crate) fn carries(world: &World, from: &str, to: &str, stick: &str) -> Outcome {
    world.copy(&format!("{from}/evidence"), stick);
    types(world, to, &["merge", &format!("../{stick}"), "--no-input"])
}

/// Seals a file that holds its own name, and returns its id.
pub(crate) fn seals(world: &World, who: &str, name: &str, more: &[&str]) -> String {
    world.write(&format!("{who}/{name}"), name.as_bytes());
    let args = [&["seal", name, "--kind", "document", "--json"][..], more].concat();
    let sealed = types(world, who, &args).exits(0).json();
    sealed["exhibits"][0]["id"].as_str().expect("an id").to_string()
}

/// Numbers that look like chance and are the same in each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // xorshift64* (Vigna, 2016): enough to shuffle a story.
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).expect("31 bits") % n
    }
}
