//! `amparo member`.

mod add;
mod keys;
mod merging;
mod quorum;
mod remove;

use super::harness::{Outcome, World};

/// A member command on one's own copy, known by the founder's card.
pub(crate) fn member(world: &World, who: &str, args: &[&str]) -> Outcome {
    let known = ["--vault", "evidence", "--owner", "../lawyer.card"];
    world.run(who, &[&["member"], args, &known[..]].concat())
}

/// The lawyer admits somebody who has made an identity under that name.
pub(crate) fn admit(world: &World, who: &str, name: &str, roles: &[&str]) -> Outcome {
    let digits = world.join(who, name);
    add(world, "lawyer", who, &digits, roles)
}

/// Somebody admits somebody, or gives her more roles.
pub(crate) fn add(world: &World, by: &str, who: &str, digits: &str, roles: &[&str]) -> Outcome {
    let card = format!("../{who}.card");
    let roles: Vec<&str> = roles.iter().flat_map(|role| ["--role", *role]).collect();
    member(world, by, &[&["add", &card, "--fingerprint", digits], roles.as_slice()].concat())
}

/// Verifies one's own copy.
pub(crate) fn verify(world: &World, who: &str) -> Outcome {
    world.run(who, &["verify", "evidence", "--owner", "../lawyer.card"])
}

/// Seals one file on one's own copy.
pub(crate) fn seal(world: &World, who: &str, more: &[&str]) -> Outcome {
    world.write(&format!("{who}/e.txt"), b"evidence");
    world.run(who, &[&["seal", "e.txt", "--vault", "evidence", "--owner", "../lawyer.card"], more].concat())
}

/// Opens an exhibit on one's own copy, into a folder of that name.
pub(crate) fn open(world: &World, who: &str, id: &str, out: &str) -> Outcome {
    world.run(who, &["open", id, "-o", out, "--vault", "evidence", "--owner", "../lawyer.card"])
}

/// Everything in one's copy of the vault.
pub(crate) fn files(world: &World, who: &str) -> Vec<String> {
    world.files(&format!("{who}/evidence"))
}

/// Two people put their copies together.
pub(crate) fn exchange(world: &World, one: &str, other: &str) {
    world.hand(one, other);
    world.hand(other, one);
}

/// What `member list` tells of somebody.
pub(crate) fn listed(world: &World, who: &str, name: &str) -> serde_json::Value {
    let all = member(world, who, &["list", "--json"]).exits(0).json();
    let members = all["members"].as_array().expect("members").iter();
    let mut named: Vec<_> = members.filter(|member| member["name"] == name).cloned().collect();
    assert_eq!(named.len(), 1, "{name} in {all}");
    named.remove(0)
}
