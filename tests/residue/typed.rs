//! What is typed at a terminal: a passphrase, the words of an identity, answers about the evidence.

use super::memory::{held, looked_at};
use super::{PASSPHRASE, Place, sealed};
use crate::peers;
use crate::terminal::{Terminal, words};

/// Runs a command that asks for the passphrase at a terminal, and for more; nothing of that may be left.
fn leaves_nothing(place: &Place, who: &str, args: &[&str], say_more: &dyn Fn(&Terminal)) {
    let mut command = place.command(who, args);
    command.env_remove("AMPARO_PASSPHRASE_FILE");
    if peers::program("tmux").is_none() {
        return;
    }
    let left = place.left_after(
        |canaries| {
            let terminal = Terminal::of(&held(place, &command, &[])).expect("tmux is there");
            terminal.waits_for("assphrase");
            terminal.types(PASSPHRASE);
            say_more(&terminal);
            looked_at(terminal.process(), &command, canaries)
        },
        0,
    );
    assert_eq!(left, [""; 0], "{who}: amparo {}", args.join(" "));
}

#[test]
fn nothing_that_is_typed_is_left() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    place.carry("evidence", "reader");
    leaves_nothing(&place, "tern", &["identity", "new", "--name", "Tern"], &|terminal| {
        terminal.waits_for("The same again");
        terminal.types(PASSPHRASE);
    });
    leaves_nothing(&place, "reader", &["verify", "evidence"], &|_| {});
    leaves_nothing(&place, "gull", &["identity", "backup"], &|terminal| {
        let page = terminal.waits_for("they vanish");
        terminal.types("");
        terminal.waits_for("Word 1 and on");
        terminal.types(&words(&page).join(" "));
    });
    let seal = ["seal", "t.txt", "--kind", "document", "--vault", "evidence"];
    leaves_nothing(&place, "lawyer", &seal, &|terminal| {
        terminal.waits_for("When was it obtained");
        terminal.types("");
        terminal.waits_for("Where was it obtained");
        terminal.types(sealed::ANSWER);
        (0..3).for_each(|_| terminal.types(""));
    });
}
