//! Keys that are handed on, taken away, made anew and split, and an identity on paper.

use super::Place;

#[test]
fn no_command_about_members_and_shares_leaves_a_secret_behind() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    let nothing = place.path("nothing");
    let run = |who: &str, args: &[&str]| place.leaves_nothing(who, 0, args, &[], &nothing);
    let (gull, vault) = (place.told("gull", &["identity", "show"], "fingerprint"), ["--vault", "evidence"]);
    let add = ["member", "add", "../gull.card", "--role", "reader", "--fingerprint", &gull];
    run("lawyer", &[&add[..], &vault].concat());
    place.carry("evidence", "reader");
    run("reader", &[&["member", "grant"][..], &vault].concat());
    run("lawyer", &[&["merge", "../reader/evidence"][..], &vault].concat());
    place.carry("evidence", "gull");
    let late = place.told("gull", &[&["custody", "note", "said too late"][..], &vault].concat(), "entry");
    run("lawyer", &[&["member", "remove", "Gull", "--reason", "left"][..], &vault].concat());
    run("lawyer", &[&["merge", "../gull/evidence"][..], &vault].concat());
    run("lawyer", &[&["member", "adopt", &late][..], &vault].concat());
    run("lawyer", &[&["member", "rotate", "--section", "main"][..], &vault].concat());
    let readers = ["--reader", "../reader.card", "--reader", "../gull.card"];
    run("lawyer", &[&["init", "split", "--handle", "S4", "--quorum", "2"][..], &readers].concat());
    place.done("lawyer", &["seal", "t.txt", "--vault", "split"]);
    place.carry("split", "reader");
    place.carry("split", "gull");
    run("gull", &["identity", "lend", "--to", "Grey Owl", "-o", "../lent", "--vault", "split"]);
    run("reader", &["open", "S4-0001", "-o", "opened", "--share", "../lent", "--vault", "split"]);
    run("gull", &["identity", "backup", "-o", "../words"]);
    run("gull", &["identity", "remove", "--name", "Gull"]);
    run("gull", &["identity", "restore", "--name", "Gull", "--words", "../words"]);
}
