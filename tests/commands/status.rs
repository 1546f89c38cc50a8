//! `amparo` alone.

use super::harness::World;

#[test]
fn the_next_step_follows_from_what_is_here() {
    let world = World::new();
    world.run("ann", &[]).exits(0).says("next: amparo identity new");
    world.run("ann", &["identity", "new", "--name", "Ann", "--no-passphrase"]).exits(0);
    world.run("ann", &[]).exits(0).says("next: amparo init evidence");
    let world = World::with_vault();
    world.run("lawyer", &["--vault", "evidence"]).exits(0).says("nothing is sealed").says("next: amparo seal FILE");
    world.carry("monitor");
    world.run("monitor", &["--vault", "evidence"]).exits(0).says("not known").says("next: amparo verify");
    let world = World::with_testimony();
    let json = world.run("lawyer", &["--vault", "evidence", "--json"]).exits(0).json();
    assert_eq!((&json["known"], &json["events"]), (&true.into(), &2.into()));
}
