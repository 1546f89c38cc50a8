//! `amparo doctor`.

use super::harness::World;

#[test]
fn single_points_of_loss_and_weak_settings_are_told() {
    let world = World::with_vault();
    world
        .run("lawyer", &["doctor", "--vault", "evidence"])
        .exits(0)
        .says("under no passphrase")
        .says("only one person can open the section main")
        .says("only one owner");
    let json = world.run("lawyer", &["doctor", "--vault", "evidence", "--json"]).exits(0).json();
    assert!(json["advice"].as_array().is_some_and(|advice| advice.iter().any(|one| one["gravity"] == "warning")));
    world.run("lawyer", &["doctor"]).exits(10);
}
