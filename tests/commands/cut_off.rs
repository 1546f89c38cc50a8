//! What an interrupted unpacking left, and what becomes of it.

use amparo::crypto::hash::{Hash, hex};

use super::harness::World;
use super::pack::{at, packs, seals};
use super::unpack::{sent, unpacks};

/// The names of a copy's sealed files in the memory of the reader's device, as an unpacking leaves them that was cut off.
fn interrupted(world: &World) -> Vec<String> {
    let whole = world.tree("lawyer/evidence");
    let here = world.tree("reader/evidence");
    let blobs: Vec<String> =
        whole.into_keys().filter(|name| name.starts_with("blobs") && !here.contains_key(name)).collect();
    for blob in &blobs {
        world.write(&format!("reader/evidence/{blob}"), &world.read(&format!("lawyer/evidence/{blob}")));
    }
    let vaults = world.tree("reader").into_keys().find(|name| name.ends_with("/pinned")).expect("a vault is known");
    let memory = vaults.trim_end_matches("pinned");
    let copy = hex(&Hash::of(world.path("reader/evidence").as_os_str().as_encoded_bytes()).0[..8]);
    let record = format!("reader/{memory}arrived/{copy}-0123456789abcdef");
    world.write(&record, (blobs.join("\n") + "\n").as_bytes());
    blobs
}

#[test]
fn what_an_interrupted_unpacking_brought_stays_until_it_counts_or_is_cleared() {
    let world = sent();
    unpacks(&world, "trip.bin", &[]).exits(0);
    seals(&world, "second.txt");
    packs(&world, "later.bin", &[]).exits(0);
    let blobs = interrupted(&world);
    assert_eq!(blobs.len(), 3);
    let are_here = |expected: bool| {
        let here = world.tree("reader/evidence");
        assert!(blobs.iter().all(|blob| here.contains_key(blob) == expected), "{here:?}");
    };
    at(&world, "reader", &["verify"]).exits(0);
    at(&world, "reader", &["custody", "note", "rain"]).exits(0);
    unpacks(&world, "trip.bin", &["--sign"]).exits(0).says("still waiting: 3 files").says("amparo merge --clear");
    are_here(true);
    at(&world, "reader", &["doctor"]).exits(0).says("3 files came with a merge or unpack that was interrupted");
    let object = unpacks(&world, "later.bin", &["--json"]).exits(0).json();
    assert_eq!((&object["blobs"], &object["interrupted"]), (&0.into(), &0.into()), "nothing is carried twice");
    at(&world, "reader", &["doctor"]).exits(0).never_says("interrupted");
    // Of what counts by now nothing is cleared.
    at(&world, "reader", &["merge", "--clear"]).exits(0).says("0 files removed");
    are_here(true);
    seals(&world, "third.txt");
    let blobs = interrupted(&world);
    at(&world, "reader", &["merge", "--clear", "--json"]).exits(0).says("\"removed\": 3");
    assert!(blobs.iter().all(|blob| !world.tree("reader/evidence").contains_key(blob)));
    at(&world, "reader", &["doctor"]).exits(0).never_says("interrupted");
    at(&world, "reader", &["merge"]).exits(2);
    at(&world, "reader", &["merge", "--clear", "../lawyer/evidence"]).exits(2);
}

/// A copy in which an inventory is still on the road cannot tell what it will list.
#[test]
fn what_may_yet_count_is_not_cleared_in_a_partial_copy() {
    let world = World::with_testimony();
    seals(&world, "second.txt");
    packs(&world, "one.bin", &["K7-0001"]).exits(0);
    unpacks(&world, "one.bin", &[]).exits(0);
    let blobs = interrupted(&world);
    assert_eq!(blobs.len(), 3, "those of the second, and its inventory among them");
    let mut in_doubt = 0;
    for blob in &blobs {
        let world = world.twin();
        std::fs::remove_file(world.path(&format!("reader/evidence/{blob}"))).expect("taken away");
        let waits = unpacks(&world, "one.bin", &[]).exits(0).out.contains("still waiting: 1 file ");
        in_doubt += usize::from(waits);
        at(&world, "reader", &["merge", "--clear"]).exits(0).says("0 files removed");
        let here = world.tree("reader/evidence");
        assert!(blobs.iter().all(|other| other == blob || here.contains_key(other)), "{here:?}");
        let told = at(&world, "reader", &["doctor"]).exits(0);
        assert_eq!((told.out + &told.err).contains("1 files came with"), waits);
    }
    assert_eq!(in_doubt, 1, "without the inventory alone nobody knows what belongs here");
    packs(&world, "two.bin", &["K7-0002"]).exits(0);
    let object = unpacks(&world, "two.bin", &["--json"]).exits(0).json();
    assert_eq!((&object["blobs"], &object["interrupted"]), (&0.into(), &0.into()), "nothing is carried twice");
    at(&world, "reader", &["verify"]).exits(0);
}
