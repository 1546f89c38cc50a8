//! `amparo doctor`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::harness::World;
use super::member::add;

#[test]
fn single_points_of_loss_and_weak_settings_are_told() {
    let world = World::with_vault();
    world
        .run("lawyer", &["doctor", "--vault", "evidence"])
        .exits(0)
        .says("under no passphrase")
        .says("only one person can open the section main")
        .says("only one owner")
        .never_says("only copy")
        .never_says("torn")
        .never_says("open to other users");
    let json = world.run("lawyer", &["doctor", "--vault", "evidence", "--json"]).exits(0).json();
    assert!(json["advice"].as_array().is_some_and(|advice| advice.iter().any(|one| one["gravity"] == "warning")));
    world.run("lawyer", &["doctor"]).exits(10);
}

/// Where two read, neither is the only one; where one of them is removed, the other is again.
#[test]
fn of_two_readers_neither_is_called_the_only_one() {
    let world = World::with_testimony();
    let doctor = ["doctor", "--vault", "evidence"];
    let only = "only one person can open the section main";
    world.run("lawyer", &doctor).exits(0).says(only);
    let digits = world.join("second", "Tern");
    add(&world, "lawyer", "second", &digits, &["reader"]).exits(0);
    // She awaits the key until somebody who holds it hands it on.
    world.carry("reader");
    world.run("reader", &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    world.run("reader", &["member", "grant", "--vault", "evidence"]).exits(0);
    world.hand("reader", "lawyer");
    world.run("lawyer", &doctor).exits(0).never_says(only).says("only one owner");
    world.run("lawyer", &["verify", "evidence"]).exits(0).never_says("section main: only one");
    world.run("lawyer", &["member", "remove", "Tern", "--reason", "left", "--vault", "evidence"]).exits(0);
    world.run("lawyer", &doctor).exits(0).says(only);
}

#[test]
fn what_only_one_copy_holds_is_told_until_somebody_else_has_seen_it() {
    let world = World::with_testimony();
    let doctor = ["doctor", "--vault", "evidence"];
    world.run("lawyer", &doctor).exits(0).says("this may be its only copy");
    world.carry("reader");
    let digits = world.digits();
    world.run("reader", &["open", "K7-0001", "-o", "out", "--vault", "evidence", "--vault-id", &digits]).exits(0);
    world.run("reader", &doctor).exits(0).never_says("only copy");
}

#[test]
fn a_torn_sealed_file_is_told_by_its_length() {
    let world = World::with_testimony();
    let shelf =
        fs::read_dir(world.path("lawyer/evidence/blobs")).expect("blobs").next().expect("a shelf").expect("read");
    let blob = fs::read_dir(shelf.path()).expect("a shelf").next().expect("a blob").expect("read").path();
    let whole = fs::read(&blob).expect("a blob");
    let doctor = ["doctor", "--vault", "evidence"];
    for length in [0, 100, whole.len() / 2 + 1, whole.len() - 1] {
        fs::write(&blob, &whole[..length]).expect("torn");
        world.run("lawyer", &doctor).exits(0).says("1 sealed file is torn or cannot be read (blobs/");
    }
    fs::write(&blob, &whole).expect("mended");
    world.run("lawyer", &doctor).exits(0).never_says("torn");
    assert_eq!(fs::read(&blob).expect("there"), whole);
}

#[test]
fn what_others_on_the_machine_can_read_is_told() {
    let world = World::with_vault();
    let doctor = ["doctor", "--vault", "evidence"];
    let open_up = |below: &str, bits| {
        fs::set_permissions(world.path(below), fs::Permissions::from_mode(bits)).expect("its owner may");
    };
    open_up("lawyer/.config/amparo/identity.age", 0o640);
    world.run("lawyer", &doctor).exits(0).says("the identity is open to other users of this machine: chmod 600");
    open_up("lawyer/.config/amparo/identity.age", 0o600);
    open_up("lawyer/.local/state/amparo", 0o705);
    world.run("lawyer", &doctor).exits(0).says("what this device remembers is open to other users").says("chmod 700");
    open_up("lawyer/.local/state/amparo", 0o700);
    world.write("lawyer/statement.toml", b"[identity]\ntitle = \"Canary\"\n");
    let found = world.run("lawyer", &doctor).exits(0).says("statement.toml is a form with answers in the clear");
    found.never_says("Canary").never_says("open to other users");
}
