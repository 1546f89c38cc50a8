//! `custody note` and `custody withdraw`.

use super::{at, shared};

#[test]
fn notes_gaps_and_what_was_written_down_later() {
    let world = shared();
    let noted = at(&world, "lawyer", &["custody", "note", "in the safe", "--exhibit", "k7-1"]).exits(0);
    noted.says("NOTED K7:2, about K7-0001").says("name no witness");
    at(&world, "lawyer", &["custody", "note", "out of sight", "--gap", "--from", "3 May"]).exits(0).says("GAP K7:3");
    at(&world, "lawyer", &["custody", "note", "handed over then", "--reconstructed"]).exits(0).says("reconstructed");
    at(&world, "lawyer", &["custody", "note", "x", "--gap", "--reconstructed"]).exits(2);
    at(&world, "lawyer", &["custody", "note", "x", "--from", "then"]).exits(2).says("--gap");
    at(&world, "lawyer", &["custody", "note"]).exits(2).says("TEXT");
    at(&world, "lawyer", &["custody", "note", "a\u{7}b"]).exits(2).says("control characters");
    world.typing("lawyer", &["custody", "note", "--vault", "evidence"], &["typed"]).exits(0).says("NOTED K7:5");
    let log = at(&world, "lawyer", &["custody", "log"]).exits(0);
    log.says("note, RECONSTRUCTED").says("gaps").says("K7:3  3 May to ? (as told): out of sight");
    let report = ["verify", "--report", "../page.md", "--names", "roles"];
    at(&world, "lawyer", &report).exits(0);
    assert!(String::from_utf8(world.read("page.md")).expect("text").contains("**note, RECONSTRUCTED**"));
    let json = at(&world, "lawyer", &["custody", "log", "--json"]).exits(0).json();
    let entry = |at: usize| json["entries"][at].clone();
    assert_eq!((&entry(2)["text"], &entry(2)["exhibits"][0]), (&"in the safe".into(), &"K7-0001".into()));
    assert_eq!((&entry(3)["event"], &entry(3)["from"]), (&"gap".into(), &"3 May".into()));
    assert_eq!((&entry(4)["reconstructed"], &entry(5)["reconstructed"]), (&true.into(), &false.into()));
    assert_eq!((&json["gaps"][0]["entry"], &json["gaps"][0]["text"]), (&"K7:3".into(), &"out of sight".into()));
    at(&world, "lawyer", &["verify"]).exits(0);
}

#[test]
fn a_withdrawal_needs_no_opening_and_stops_it() {
    let world = shared();
    let withdraw = ["custody", "withdraw", "K7-0001", "--scope"];
    at(&world, "monitor", &[&withdraw[..], &["all"]].concat()).exits(1).says("may not withdraw");
    at(&world, "lawyer", &withdraw[..3]).exits(2).says("--scope");
    let first = at(&world, "lawyer", &[&withdraw[..], &["disclosure"]].concat()).exits(0);
    first.says("WITHDRAWN K7-0001, scope disclosure, in K7:2");
    at(&world, "lawyer", &[&withdraw[..], &["disclosure"]].concat()).exits(0).says("was withdrawn before");
    world.hand("lawyer", "reader");
    let open = ["open", "K7-0001", "-o", "out"];
    at(&world, "reader", &open).exits(1).says("was withdrawn").says("--reason");
    at(&world, "lawyer", &[&withdraw[..], &["all"]].concat()).exits(0).says("in K7:3").says("not be used at all");
    // The wider of what was said is what is shown, whatever was said last.
    at(&world, "lawyer", &[&withdraw[..], &["disclosure"]].concat()).exits(0).says("scope all; nothing was entered");
    world.hand("lawyer", "reader");
    at(&world, "reader", &open).exits(1).says("was withdrawn");
    for command in [&["list"][..], &["show", "K7-0001"][..]] {
        at(&world, "reader", command).exits(0).says("WITHDRAWN (all)");
    }
    at(&world, "reader", &[&open[..], &["--reason", "asked by the court"]].concat()).exits(0);
    let log = at(&world, "reader", &["custody", "log", "K7-0001"]).exits(0);
    log.says("WITHDRAWN (disclosure)").says("WITHDRAWN (all)").says("reason: asked by the court");
    at(&world, "lawyer", &["custody", "offer", "--to", "Grey Owl", "K7-0001"]).exits(0).says("consent for K7-0001");
}
