//! How long the parity of a pouch takes, and mending one: `parity make FOLDER MEBIBYTES SHARE`, then `parity mend FOLDER`,
//! each a process of its own, so that its peak memory can be told. `tests/bench/pouch.sh` runs them beside `par2`.

#![allow(clippy::print_stdout, missing_docs)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use amparo::crypto::envelope;
use amparo::crypto::recipient::Identity;
use amparo::store::real::RealDisk;
use amparo::store::{Disk, RelPath};
use amparo::vault::pouch::parity::make_parity;
use amparo::vault::pouch::pieces::Pieces;
use amparo::vault::pouch::repair::repair;
use amparo::vault::pouch::unfinished::Mark;
use amparo::vault::{Clock, Setting, Stage, Watch};

/// Nobody watches.
struct Nobody;

impl Watch for Nobody {
    fn begin(&self, _stage: Stage, _bytes: Option<u64>) {}
    fn advance(&self, _bytes: u64) {}
    fn stopped(&self) -> bool {
        false
    }
}

impl Clock for Nobody {
    fn now(&self) -> jiff::ZonedDateTime {
        "2031-05-04T23:10:00-03:00[-03:00]".parse().expect("a time")
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

fn name(text: &str) -> RelPath {
    RelPath::parse(text).expect("a name")
}

/// Bytes that no program can shorten, behind a true header.
fn write_pouch(path: &Path, mebibytes: u64) {
    let mut file = std::fs::File::create_new(path).expect("a free name");
    let (start, _) = envelope::begin(&[&Identity::from_seed(&[1; 32]).recipient()]);
    file.write_all(&start).expect("written");
    let mut state = 88_172_645_463_325_252_u64;
    for _ in 0..mebibytes {
        let mut part = Vec::with_capacity(1 << 20);
        while part.len() < 1 << 20 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            part.extend_from_slice(&state.to_le_bytes());
        }
        file.write_all(&part).expect("written");
    }
}

fn told<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{what:<28} {:8.2} s", start.elapsed().as_secs_f64());
    result
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let disk = RealDisk;
    match words.as_slice() {
        ["write", folder, mebibytes] => {
            write_pouch(&Path::new(folder).join("pouch"), mebibytes.parse().expect("a number"));
        }
        ["make", folder, share] => {
            let pieces = Pieces::gather(&disk, &[Path::new(folder).join("pouch")]).expect("a pouch");
            let opened = disk.folder(Path::new(folder)).expect("a folder");
            let share = share.parse().expect("a number");
            told("parity made", || make_parity(&Nobody, &pieces, share, (&*opened, &name("pouch.parity")), None))
                .expect("made");
        }
        ["check", folder] => {
            let pieces = Pieces::gather(&disk, &[PathBuf::from(folder)]).expect("a pouch");
            let condition = told("all checked", || pieces.check(&Nobody)).expect("looked at");
            println!("{} ranges damaged, {} lost", condition.damaged.len(), condition.lost.len());
        }
        ["mend", folder] => {
            let pieces = Pieces::gather(&disk, &[PathBuf::from(folder)]).expect("a pouch");
            let mut rng = rand_core::OsRng;
            let machine = amparo::crypto::hash::Hash::ZERO;
            let setting = Setting { disk: &disk, clock: &Nobody, rng: &mut rng, watch: &Nobody, machine };
            let mark = Mark::file(&disk, (Path::new(folder), &name("mended"))).expect("marked");
            let sha256 = told("mended and read back", || repair(&setting, &pieces, &mark)).expect("mended");
            println!("{sha256}");
        }
        _ => println!("parity write FOLDER MEBIBYTES · make FOLDER SHARE · check FOLDER · mend FOLDER"),
    }
}
