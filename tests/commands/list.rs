//! `amparo list`.

use super::harness::World;

#[test]
fn each_sees_what_she_may() {
    let world = World::with_testimony();
    let sealer = world.run("lawyer", &["list", "--vault", "evidence"]).exits(0);
    assert_eq!(sealer.out.trim_end(), "K7-0001  2026-11-20 14:30  Blue Heron  main");
    world.carry("reader");
    let reader = world.run("reader", &["list", "--vault", "evidence"]).exits(0).says("does not know this vault yet");
    assert_eq!(reader.out.trim_end(), "K7-0001  2026-11-20 14:30  Blue Heron  main  13 bytes  testimony  Statement");
    let json = world.run("reader", &["list", "--vault", "evidence", "--json"]).exits(0).json();
    let exhibit = &json["exhibits"][0];
    assert_eq!((&exhibit["id"], &exhibit["section"]), (&"K7-0001".into(), &"main".into()));
    assert_eq!((&exhibit["bytes"], &exhibit["kind"]), (&13.into(), &"testimony".into()));
    for key in ["sealed_at", "sealer", "blobs", "title"] {
        assert!(!exhibit[key].is_null(), "{key}");
    }
    let json = world.run("lawyer", &["list", "--vault", "evidence", "--json"]).exits(0).json();
    assert!(json["exhibits"][0].get("title").is_none());
}

#[test]
fn the_vault_is_found_from_below_and_by_the_environment() {
    use super::harness::Around;
    let world = World::with_vault();
    world.run("lawyer/evidence/logs", &["list"]).exits(12).says("no identity");
    let env = Around { env: &[("AMPARO_VAULT", "evidence")], ..Around::default() };
    world.run_in("lawyer", &["list"], &env).exits(0).says("Nothing is sealed here yet");
    world.run("lawyer", &["list"]).exits(10).says("there is no vault");
    world.run("lawyer", &["list", "--vault", "."]).exits(10).says("is not a vault");
    world.run("lawyer", &["list", "--vault", "evidense"]).exits(10).says("evidense does not exist");
    let identity = |file| world.run("lawyer", &["list", "--vault", "evidence", "--identity", file]);
    identity("../lawyer.card").exits(1).says("lawyer.card cannot be used as an identity").says("a card is not");
    identity("none").exits(12).says("--identity FILE");
}
