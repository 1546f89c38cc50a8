//! What was sealed, and the pouch that holds it, is longer than the memory that the real program gets: it is sealed, checked at each
//! level, opened, packed, repaired and taken in all the same, piece by piece.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::process::{Command, Output};

use super::amparo;
use super::stage::Stage;

/// What the program may have for its data, in MiB; the film is longer.
const MEMORY_MAX: u64 = 256;
const FILM_BYTES: u64 = 320 << 20;
/// So little is not enough: a limit that does not bind shows nothing.
const MEMORY_TOO_LITTLE: u64 = 32;

fn limited(stage: &Stage, who: &str, mebibytes: u64, args: &[&str]) -> Output {
    let limit = format!("ulimit -d {} && exec \"$0\" \"$@\"", mebibytes << 10);
    let mut under = Command::new("sh");
    under.args(["-c", &limit]).arg(amparo());
    stage.command(who, under, args)
}

#[test]
fn what_is_longer_than_memory_is_sealed_checked_opened_packed_repaired_and_taken_in() {
    let stage = Stage::set();
    File::create(stage.path("lawyer/film.bin")).and_then(|film| film.set_len(FILM_BYTES)).expect("a film of zeros");
    let does = |who: &str, args: &[&str]| {
        let done = limited(&stage, who, MEMORY_MAX, args);
        assert!(done.status.success(), "{args:?}: {done:?}");
    };
    let seal = ["seal", "film.bin", "--kind", "video"];
    let starved = limited(&stage, "lawyer", MEMORY_TOO_LITTLE, &seal);
    assert!(!starved.status.success(), "the limit does not bind");
    does("lawyer", &seal);
    does("lawyer", &["pack", "--to", "Tern", "-o", "../film.pouch", "--parity", "10%"]);
    let (pouch, parity) = ("../film.pouch", "../film.pouch.parity");
    let bytes = std::fs::metadata(stage.path("film.pouch")).expect("a pouch").len();
    assert!(bytes > FILM_BYTES, "what was sealed is in it");
    does("gull", &["verify", pouch, parity]);
    let mut torn = File::options().write(true).open(stage.path("film.pouch")).expect("the pouch");
    torn.seek(SeekFrom::Start(bytes / 3)).and_then(|_| torn.write_all(&vec![7; 16 << 20])).expect("torn");
    does("gull", &["verify", pouch, parity, "--repair", "../film.repaired"]);
    does("tern", &["unpack", pouch, parity, "-o", "film", "--owner", "../lawyer.card", "--sign"]);
    // At each level: as whoever sealed it, as whoever may read it, as whoever has no key of what was sealed.
    let here = ["verify", "--vault", "../lawyer/evidence"];
    does("lawyer", &here);
    does("tern", &["verify", "--vault", "film", "--share", "../tern.share"]);
    does("kite", &here);
    does("tern", &["open", "K7-0003", "-o", "out", "--vault", "film", "--share", "../tern.share"]);
    does("owl", &["merge", "../tern/film"]);
}
