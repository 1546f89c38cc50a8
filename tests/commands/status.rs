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

#[test]
fn offers_without_an_answer_are_told_where_no_passphrase_is_needed() {
    let world = World::with_testimony();
    world.run("lawyer", &["custody", "offer", "--to", "Grey Owl", "--vault", "evidence"]).exits(0);
    world.run("lawyer", &["--vault", "evidence"]).exits(0).says("next: amparo verify").never_says("K7:2");
    world.carry("reader");
    let status = ["--vault", "evidence"];
    world.run("reader", &status).exits(0).says("not known").never_says("K7:2");
    let digits = world.digits();
    world.run("reader", &["verify", "--vault-id", &digits, "--vault", "evidence"]).exits(0);
    let told = world.run("reader", &status).exits(0);
    told.says("you have not answered yet").says("K7:2 of Blue Heron").says("next: amparo custody acknowledge K7:2");
    let json = world.run("reader", &["--vault", "evidence", "--json"]).exits(0).json();
    assert_eq!(json["offers"], serde_json::json!([{ "offer": "K7:2", "from": "Blue Heron" }]));
    world.run("reader", &["custody", "acknowledge", "--vault", "evidence"]).exits(0);
    world.run("reader", &status).exits(0).says("next: amparo verify").never_says("K7:2");
}

#[test]
fn a_passphrase_is_not_asked_for() {
    let world = World::new();
    world.write("eve/pass", b"a passphrase of the tests\n");
    world.write("eve/note.txt", b"I was there.\n");
    let locked = |args: &[&str]| world.run("eve", &[args, &["--passphrase-file", "pass"]].concat()).exits(0);
    locked(&["identity", "new", "--name", "Eve"]);
    locked(&["init", "evidence", "--handle", "K7"]);
    locked(&["seal", "note.txt", "--vault", "evidence"]);
    let told = world.typing("eve", &["--vault", "evidence"], &[]).exits(0);
    told.says("next: amparo verify").says("amparo custody log").says("with your passphrase");
    assert!(world.run("eve", &["--vault", "evidence", "--json"]).exits(0).json()["offers"].is_null());
    assert_eq!(locked(&["--vault", "evidence", "--json"]).json()["offers"], serde_json::json!([]));
}
