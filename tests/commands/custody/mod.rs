//! `amparo custody`: each subcommand.

mod alike;
mod answers;
mod log;
mod notes;
mod receipt;

use super::harness::World;

/// Everybody has the vault, knows it, and has a record of her own.
pub(crate) fn shared() -> World {
    let world = World::with_testimony();
    for who in ["reader", "monitor"] {
        world.carry(who);
        world.run(who, &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    }
    world
}

/// In the vault that lies in the person's home.
fn at(world: &World, who: &str, args: &[&str]) -> super::harness::Outcome {
    world.run(who, &[args, &["--vault", "evidence"]].concat())
}
