//! A file that is still being written when it is sealed: small when it was looked at, long when its turn comes.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use amparo::vault::findings::Verdict;
use amparo::vault::{Stage, Watch};

use crate::vault::people::{Stopped, World};

/// Makes a file grow between the look at it and its reading.
struct Recorder {
    film: PathBuf,
    bytes: usize,
}

impl Watch for Recorder {
    fn begin(&self, stage: Stage, _: Option<u64>) {
        if stage == Stage::Sealing {
            let mut film = File::options().append(true).open(&self.film).expect("it is there");
            film.write_all(&(0..=250).cycle().take(self.bytes).collect::<Vec<u8>>()).expect("it grows");
        }
    }

    fn advance(&self, _: u64) {}

    fn stopped(&self) -> bool {
        false
    }
}

/// Seals forty small files and one that is about to grow; it comes at a place that its first length decides.
fn seal_beside(first_bytes: usize, bytes: usize, blobs: u64) {
    let world = World::new();
    for number in 0..40 {
        world.write(&format!("case/{number:02}"), &vec![number; 1_000 + usize::from(number)]);
    }
    let film = world.write("case/film", &vec![7; first_bytes]);
    let recorder = Recorder { film, bytes };
    let sealing = world.seal_watched(&[world.path("case")], &Stopped, &recorder, &mut || {}).expect("sealed");
    assert_eq!((sealing.count, sealing.skipped.len()), (41, 0));
    for exhibit in &sealing.exhibits {
        let source = PathBuf::from(String::from_utf8(exhibit.source.clone()).expect("a path"));
        let is_film = source.ends_with("film");
        assert_eq!(exhibit.blobs, if is_film { blobs } else { 1 }, "{}", source.display());
        let out = world.path(&format!("opened {}", exhibit.id));
        world.open(&world.reader, &exhibit.id, &out).expect("it opens");
        let name = source.file_name().expect("a name");
        let opened = walk(&out).into_iter().find(|path| path.ends_with(name)).expect("under its name");
        assert!(fs::read(opened).expect("read") == fs::read(&source).expect("there"), "{}", source.display());
    }
    assert_eq!(world.verify(&world.reader).expect("a verdict").verdict, Verdict::Valid);
}

fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    let items = fs::read_dir(folder).expect("a folder").map(|item| item.expect("an item").path());
    items.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_film_that_is_still_being_copied_takes_nothing_from_its_neighbours() {
    // First, in the midst of the others, and last.
    for first_bytes in [10, 1_020, 5_000] {
        seal_beside(first_bytes, 20 << 20, 2);
    }
}

#[test]
fn a_file_that_grew_and_is_still_small_is_sealed_as_it_is_now() {
    seal_beside(1_005, 200_000, 1);
}
