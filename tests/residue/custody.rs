//! What people say to each other about the evidence: offered, refused, answered, no longer consented to.

use super::Place;

#[test]
fn no_command_about_custody_leaves_a_secret_behind() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    let nothing = place.path("nothing");
    let with_vault = |args: &[&str]| args.iter().copied().chain(["--vault", "evidence"]).map(String::from).collect();
    let run = |who: &str, args: &[&str]| {
        let args: Vec<String> = with_vault(args);
        place.leaves_nothing(who, 0, &args.iter().map(String::as_str).collect::<Vec<_>>(), &[], &nothing);
    };
    let offer = place.told("lawyer", &["custody", "offer", "--to", "Grey Owl", "--vault", "evidence"], "offer");
    place.carry("evidence", "reader");
    run("reader", &["custody", "decline", &offer, "--reason", "the seal was broken"]);
    run("reader", &["pack", "--answers", "--to", "Blue Heron", "-o", "../answers.txt"]);
    run("lawyer", &["merge", "../answers.txt"]);
    run("lawyer", &["custody", "withdraw", "K7-0001", "--scope", "disclosure"]);
}
