//! What is sealed, and everybody who has it in her hands: she who seals it, and those who check, list, open and carry
//! it.

use std::fs;

use super::memory::Canary;
use super::{Place, WORDS};

/// What a person answers who is asked about the evidence.
pub(super) const ANSWER: &str = "canary of an answer that was typed";
const NAME: &str = "canary of the name of a paper.txt";
const TITLE: &str = "canary of a title in a form";
const WITNESS: &str = "canary of a witness in a form";
const PARAGRAPH: &str = "canary of a paragraph among many";
/// Longer than a segment.
const FILM_BYTES: usize = 20 << 20;
/// Where the canaries of a film stand: at its beginning and end, within chunks, and on both sides of where its first
/// segment ends.
const PLACES: [usize; 6] = [0, 100_000, 9 << 20, (16 << 20) - 4096, 17 << 20, FILM_BYTES - 64];

fn of_film(place: usize) -> String {
    format!("canary at the byte {place:08} of a film")
}

/// Pieces of all that is ever sealed here.
pub(super) fn canaries() -> Vec<Canary> {
    let texts = [WORDS, ANSWER, NAME, TITLE, WITNESS, PARAGRAPH];
    let texts = ["words", "answer", "name", "title", "witness", "paragraph"].map(String::from).into_iter().zip(texts);
    let texts = texts.map(|(name, text)| (name, text.as_bytes().to_vec()));
    let places = PLACES.map(|place| (format!("film at {place}"), of_film(place).into_bytes()));
    texts.chain(places).collect()
}

/// Evidence of every form, with a form that was filled in.
pub(super) fn make_sources(place: &Place) {
    let sources = place.path("lawyer/sources");
    fs::create_dir_all(sources.join("papers")).expect("a folder");
    let mut film: Vec<u8> = (0..251).cycle().take(FILM_BYTES).collect();
    for place in PLACES {
        let canary = of_film(place);
        film[place..][..canary.len()].copy_from_slice(canary.as_bytes());
    }
    let paragraphs = format!("{PARAGRAPH}.\n\n").repeat(400);
    let form = format!("[identity]\nkind = \"testimony\"\ntitle = \"{TITLE}\"\n\n[register]\nname = \"{WITNESS}\"\n");
    for (name, bytes) in [
        ("film", &film[..]),
        ("text.md", paragraphs.as_bytes()),
        ("form.toml", form.as_bytes()),
        ("moved.txt", WORDS.as_bytes()),
        (&format!("papers/{NAME}"), WORDS.as_bytes()),
        ("papers/text.txt", paragraphs.as_bytes()),
    ] {
        fs::write(sources.join(name), bytes).expect("a source");
    }
}

#[test]
fn nothing_of_the_evidence_is_left_by_whoever_seals_it() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    make_sources(&place);
    let (nothing, film) = (place.path("nothing"), place.path("lawyer/sources/film"));
    let seals = |args: &[&str], stdin| {
        let args = [&["seal", "--vault", "evidence"], args].concat();
        place.leaves_nothing("lawyer", 0, &args, &[], stdin);
    };
    seals(&["sources/film"], &nothing);
    seals(&["sources/film", "--no-readback"], &nothing);
    seals(&["-"], &film);
    seals(&["t.txt", "--no-readback"], &nothing);
    seals(&["sources/text.md", "--receipt", "../text.receipt"], &nothing);
    seals(&["sources/papers", "--together", "--form", "sources/form.toml"], &nothing);
    seals(&["sources/papers"], &nothing);
    seals(&["sources/moved.txt", "--done", "done"], &nothing);
    place.leaves_nothing("lawyer", 0, &["list", "--vault", "evidence"], &[], &nothing);
    place.leaves_nothing("lawyer", 0, &["show", "K7-0004", "--vault", "evidence"], &[], &nothing);
}

#[test]
fn nothing_of_the_evidence_is_left_by_whoever_checks_lists_opens_or_carries_it() {
    let _row = crate::soak::row(10);
    let Some(place) = Place::new() else { return };
    make_sources(&place);
    let nothing = place.path("nothing");
    let run = |who: &str, args: &[&str]| place.leaves_nothing(who, 0, args, &[], &nothing);
    place.done("lawyer", &["seal", "sources/film", "sources/text.md", "--vault", "evidence"]);
    let form = ["--together", "--form", "sources/form.toml"];
    place.done("lawyer", &[&["seal", "sources/papers", "--vault", "evidence"], &form[..]].concat());
    place.carry("evidence", "reader");
    place.carry("evidence", "monitor");
    run("monitor", &["verify", "evidence"]);
    run("reader", &["verify", "evidence"]);
    run("reader", &["list", "--vault", "evidence"]);
    for id in ["K7-0002", "K7-0003", "K7-0004", "K7-0005"] {
        run("reader", &["show", id, "--vault", "evidence"]);
        run("reader", &["open", id, "-o", "opened", "--vault", "evidence"]);
    }
    run("reader", &["open", "K7-0002", "--stdout", "--vault", "evidence"]);
    run("reader", &["open", "K7-0001", "--stdout", "--vault", "evidence"]);
    run("reader", &["pack", "--to", "../monitor.card", "-o", "../p2.bin", "--vault", "evidence"]);
    run("lawyer", &["pack", "--to", "../reader.card", "-o", "../p3.bin", "--parity", "10%", "--vault", "evidence"]);
    run("reader", &["unpack", "../p3.bin", "-o", "evidence"]);
    run("reader", &["merge", "../lawyer/evidence", "--vault", "evidence"]);
}
