//! Pouches that cannot be made, for want of numbers, room or length: refused before anything is said, so that no offer stays
//! pending of which no pouch exists.

use super::harness::World;
use super::pack::{at, events, packs};

/// How large the refused volumes would have to be, by the hint.
fn least(hint: &str) -> u64 {
    let digits: String =
        hint.split_once("--volumes ").expect("a hint").1.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("bytes")
}

#[test]
fn so_many_volumes_that_no_pouch_can_have_them_offer_nothing() {
    let world = World::with_testimony();
    world.write("lawyer/film.bin", &vec![7; 3 << 20]);
    at(&world, "lawyer", &["seal", "film.bin", "--kind", "video"]).exits(0);
    let (before, tree) = (events(&world, "lawyer").len(), world.tree("lawyer/evidence"));
    // A page of 4 KiB stands before and behind each; of parity there are at most 500 files.
    for more in [&["--volumes", "9000"][..], &["--volumes", "12288", "--parity", "100%"], &["--volumes", "1"]] {
        let refused = packs(&world, "trip.bin", more).exits(2);
        let refused = refused.says("are too small, or too many").never_says("stands in your custody record");
        assert_eq!(events(&world, "lawyer").len(), before, "{more:?}: something was said");
        assert_eq!(world.tree("lawyer/evidence"), tree, "{more:?}");
        assert!(!world.path("trip.bin.unfinished").exists() && !world.path("trip.bin.001").exists(), "{more:?}");
        // What the hint names is enough.
        let wanted = least(&refused.err).to_string();
        let twin = world.twin();
        packs(&twin, "trip.bin", &[&["--volumes", &wanted], &more[2..]].concat()).exits(0).says("PACKED");
    }
    let error = packs(&world, "trip.bin", &["--volumes", "9000", "--json"]).exits(2).json_error();
    assert!(error["hint"].as_str().is_some_and(|hint| least(hint) > 9000), "{error:#}");
}
