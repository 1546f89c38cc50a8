//! `amparo show`.

use super::harness::World;

#[test]
fn a_reader_sees_the_record_and_others_the_row() {
    let world = World::with_testimony();
    world.carry("reader");
    world
        .run("reader", &["show", "K7-0001", "--vault", "evidence"])
        .exits(0)
        .says("identity/title: Statement")
        .says("next: amparo open K7-0001 -o ../opened --vault evidence");
    world
        .run("lawyer", &["show", "K7-0001", "--vault", "evidence"])
        .exits(0)
        .says("and this identity is none of them")
        .never_says("Statement");
    let json = world.run("reader", &["show", "K7-0001", "--vault", "evidence", "--json"]).exits(0).json();
    assert_eq!(json["fields"]["identity/kind"], "testimony");
    let json = world.run("lawyer", &["show", "K7-0001", "--vault", "evidence", "--json"]).exits(0).json();
    assert!(json["fields"].is_null());
    world.run("lawyer", &["show", "K7-0009", "--vault", "evidence"]).exits(1).says("hint: amparo list");
}
