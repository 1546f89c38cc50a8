//! The verbs that move evidence, inside one process, on one large file and on many small ones: `cargo bench --bench pipelines`.
//! `TMPDIR` says where; whole processes beside their peers are timed by `tests/bench/peers.sh`.

#![allow(missing_docs)]

#[path = "../../copied.rs"]
mod copied;
#[path = "../../vault/people.rs"]
#[allow(dead_code, reason = "the tests' own people, of whom less is asked here")]
mod people;
mod travel;

use std::fs;
use std::path::PathBuf;

use amparo::vault::findings::Verdict;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use rand_core::{OsRng, RngCore};

use people::World;

/// What is sealed: how many files, and how long each is.
#[derive(Clone, Copy, Debug)]
enum Evidence {
    Film,
    Scans,
}

const ALL: [Evidence; 2] = [Evidence::Film, Evidence::Scans];

impl Evidence {
    fn files(self) -> (usize, usize) {
        match self {
            Self::Film => (1, 256 << 20),
            Self::Scans => (2_000, 25_000),
        }
    }

    fn bytes(self) -> BytesCount {
        let (count, bytes) = self.files();
        BytesCount::new(count * bytes)
    }

    /// Random bytes in a folder of their own.
    fn write(self) -> (tempfile::TempDir, [PathBuf; 1]) {
        let folder = tempfile::tempdir().expect("a folder");
        let (count, bytes) = self.files();
        let mut content = vec![0; bytes];
        for number in 0..count {
            OsRng.fill_bytes(&mut content);
            fs::write(folder.path().join(number.to_string()), &content).expect("written");
        }
        let paths = [folder.path().to_path_buf()];
        (folder, paths)
    }

    fn seal_in(self, world: &World) {
        let (_folder, paths) = self.write();
        world.seal(&paths, false).expect("sealed");
    }

    /// A vault that holds it.
    fn sealed(self) -> World {
        let world = World::new();
        self.seal_in(&world);
        world
    }
}

fn main() {
    divan::main();
}

#[divan::bench(args = ALL, sample_count = 5, sample_size = 1)]
fn seal(bencher: Bencher<'_, '_>, evidence: Evidence) {
    let (_folder, paths) = evidence.write();
    let sealed = |world: World| {
        world.seal(&paths, false).expect("sealed");
        world
    };
    bencher.counter(evidence.bytes()).with_inputs(World::new).bench_local_values(sealed);
}

#[divan::bench(args = ALL, sample_count = 5, sample_size = 1)]
fn verify_as_monitor(bencher: Bencher<'_, '_>, evidence: Evidence) {
    verify(bencher, evidence, |world| &world.monitor);
}

#[divan::bench(args = ALL, sample_count = 5, sample_size = 1)]
fn verify_as_reader(bencher: Bencher<'_, '_>, evidence: Evidence) {
    verify(bencher, evidence, |world| &world.reader);
}

fn verify(bencher: Bencher<'_, '_>, evidence: Evidence, who: fn(&World) -> &people::Device) {
    let world = evidence.sealed();
    bencher.counter(evidence.bytes()).bench_local(|| {
        let verified = world.verify(who(&world)).expect("a verdict");
        assert_eq!(verified.verdict, Verdict::Valid, "{:?}", verified.findings);
    });
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn open_film(bencher: Bencher<'_, '_>) {
    let (_folder, paths) = Evidence::Film.write();
    let world = World::new();
    let id = world.seal(&paths, false).expect("sealed").exhibits.remove(0).id;
    let out = || tempfile::tempdir().expect("a folder");
    bencher.counter(Evidence::Film.bytes()).with_inputs(out).bench_local_values(|out| {
        black_box(world.open(&world.reader, &id, &out.path().join("opened")).expect("opened"));
        out
    });
}
