//! `amparo custody receipt`.

use super::super::harness::World;

#[test]
fn a_receipt_is_made_for_one_exhibit() {
    let world = World::with_testimony();
    let receipt = ["custody", "receipt", "K7-0001", "--vault", "evidence"];
    let printed = world.run("lawyer", &receipt).exits(0);
    assert!(printed.out.starts_with("c2sp.org/tlog-proof@v1\n"));
    let to_file = [&receipt[..], &["-o", "r.txt"]].concat();
    world.run("lawyer", &to_file).exits(0).says("next: amparo verify --receipt r.txt");
    assert_eq!(world.read("lawyer/r.txt"), printed.out.as_bytes());
    world.run("lawyer", &to_file).exits(1).says("exists already");
    let json = world.run("lawyer", &[&receipt[..], &["--json"]].concat()).exits(0).json();
    assert_eq!(json["checkpoint"]["size"], 2);
    world.carry("monitor");
    world.run("monitor", &receipt).exits(5).says("--owner CARD");
}
