//! The fuzz targets as an ordinary test: every check of [`checks`] over the whole corpus and over changes of it that the
//! same seed makes again. `AMPARO_FUZZ=N` makes N changes of each; how the engine runs stands in `Cargo.toml` here.

pub(crate) mod checks;
mod plants;

use std::fs;
use std::path::{Path, PathBuf};

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::format::fields::Kind;
use amparo::format::identity_file::IdentityFile;
use amparo::format::key_file::KeyFile;
use amparo::format::parity::{Grid, Layout, PacketHeader};
use amparo::format::volume::{PouchId, VolumePage};
use amparo::format::{armor, form};

use crate::vault::agreement::dice::Dice;
use crate::vectors::{format, pouches};
use checks::{Check, TARGETS};

/// Changes of each input in an ordinary run.
const CHANGES: u64 = 200;
/// Longer inputs are the same again.
const BYTES_MAX: usize = 64 << 10;
const SEED: u64 = 0x616d_7061_726f;

/// Whatever the project has of bytes that some parser takes, and of bytes that it must not.
fn corpus() -> Vec<Vec<u8>> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/amparo.v1");
    let files: Vec<Vec<u8>> = files(&golden).iter().map(|file| fs::read(file).expect("bytes")).collect();
    let mut all = opened(&files);
    all.extend(files);
    all.extend(format::bodies());
    all.extend(pouches::archives());
    all.push(armor::print(b"what comes by mail").into_bytes());
    all.extend(Kind::ALL.iter().map(|kind| form::blank(*kind).into_bytes()));
    all.push(
        b"[identity]\nkind = \"document\"\ntitle = \"a\\u00e9\"\n[register]\n\"person/name\" = '''x'''\n".to_vec(),
    );
    let page = VolumePage { part: 2, parts: 3, pouch: PouchId([7; 16]), total: 900, offset: 400, length: 400 };
    all.extend([page.print(None), page.print(Some(Hash::of(b"data")))]);
    let layout = Layout::of(Grid::of(1 << 24).expect("within"), 7).expect("a share");
    let header = PacketHeader { pouch: PouchId([9; 16]), layout, row: 0, index: 3 };
    all.push([&header.print()[..], &[5; 16]].concat());
    let names = ["", ".", "..", "/etc/passwd", "CON.txt", "a\u{202e}b", "é\\", "x/../y", "con", " a", "a.", "-rf"];
    all.extend(names.map(|name| name.as_bytes().to_vec()));
    all.extend([b"\xff\xfe\x00".to_vec(), vec![b'a'; 300], b"a/".repeat(600)]);
    all.retain(|bytes| bytes.len() <= BYTES_MAX);
    all.sort();
    all.dedup();
    all
}

/// What the keys that lie among these files open.
fn opened(files: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let people = files.iter().filter_map(|file| Some(IdentityFile::parse(file).ok()?.seed.keys().age));
    let people: Vec<Identity> = people.collect();
    let open = |keys: &[Identity]| -> Vec<Vec<u8>> {
        let keys: Vec<&Identity> = keys.iter().collect();
        files.iter().filter_map(|file| Some(envelope::open(file, &keys).ok()?.to_vec())).collect()
    };
    let wrapped = open(&people);
    let keys: Vec<Identity> = wrapped.iter().filter_map(|text| Some(KeyFile::parse(text).ok()?.key)).collect();
    assert!(!keys.is_empty(), "the golden vault opens");
    open(&keys)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for item in fs::read_dir(folder).expect("a folder").map(|item| item.expect("an item").path()) {
        if item.is_dir() { all.extend(files(&item)) } else { all.push(item) }
    }
    all.sort();
    all
}

/// Other bytes: flipped, cut, doubled, filled, or with a part of another input in them.
fn changed(bytes: &[u8], corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    const TELLING: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b' ', b'/'];
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(3) {
        let (at, end) = (dice.below(bytes.len() + 1), dice.below(bytes.len() + 1));
        let (start, end) = (at.min(end), at.max(end));
        match dice.below(7) {
            0 if start < bytes.len() => bytes[start] ^= 1 << dice.below(8),
            1 if start < bytes.len() => bytes[start] = *dice.one(&TELLING),
            2 => bytes.truncate(start),
            3 => drop(bytes.drain(start..end.min(start + 64))),
            4 => {
                let again = bytes[start..end.min(start + 600)].to_vec();
                bytes.splice(start..start, again);
            }
            5 => {
                let other = dice.one(corpus);
                let from = dice.below(other.len() + 1);
                let part = other[from..other.len().min(from + 64)].to_vec();
                bytes.splice(start..end.min(start + 64), part);
            }
            _ => bytes.insert(start, *dice.one(&TELLING)),
        }
    }
    bytes
}

fn changes() -> usize {
    usize::try_from(crate::soak::count("AMPARO_FUZZ", CHANGES)).expect("few")
}

/// Runs a check; what it panics on is shown as hex, to become a vector.
fn survives(name: &str, check: Check, bytes: &[u8]) -> bool {
    std::panic::catch_unwind(|| check(bytes))
        .unwrap_or_else(|_| panic!("{name} does not survive {}", amparo::crypto::hash::hex(bytes)))
}

#[test]
fn every_parser_survives_the_corpus_and_what_is_made_of_it() {
    let corpus = corpus();
    std::thread::scope(|scope| {
        let half = TARGETS.len() / 2;
        for targets in [&TARGETS[..half], &TARGETS[half..]] {
            let corpus = &corpus;
            scope.spawn(move || targets.iter().for_each(|(name, check)| run(name, *check, corpus)));
        }
    });
}

fn run(name: &str, check: Check, corpus: &[Vec<u8>]) {
    let taken: Vec<&Vec<u8>> = corpus.iter().filter(|bytes| survives(name, check, bytes)).collect();
    assert!(!taken.is_empty(), "{name} takes nothing of the corpus");
    let mut dice = Dice::new(SEED, name.len() as u64);
    let (mut refused, mut made) = (0, 0);
    for bytes in taken {
        for _ in 0..changes() {
            let other = changed(bytes, corpus, &mut dice);
            made += 1;
            refused += usize::from(!survives(name, check, &other));
        }
    }
    // Of a pouch only headers are looked at, of a form only the language; any bytes are a name.
    let is_strict = !["pouch", "form", "names"].contains(&name);
    assert!(!is_strict || refused * 2 > made, "{name} takes {} of {made} changes", made - refused);
}

/// `AMPARO_CORPUS=FOLDER` writes what the engine starts from, a folder for each target.
#[test]
fn the_corpus_goes_where_it_is_wanted() {
    let Some(folder) = std::env::var_os("AMPARO_CORPUS").map(PathBuf::from) else { return };
    let corpus = corpus();
    for (name, check) in TARGETS {
        let folder = folder.join(name);
        fs::create_dir_all(&folder).expect("a folder");
        for bytes in corpus.iter().filter(|bytes| check(bytes)) {
            fs::write(folder.join(Hash::of(bytes).to_string()), bytes).expect("written");
        }
    }
}

#[test]
fn each_target_of_the_engine_is_a_check_that_runs_here() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    let manifest = fs::read_to_string(home.join("Cargo.toml")).expect("text");
    for (name, _) in TARGETS {
        let target = fs::read_to_string(home.join(format!("targets/{name}.rs"))).expect("a target");
        assert!(target.contains(&format!("checks::{name}(bytes)")), "{name}");
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name}");
    }
    assert_eq!(fs::read_dir(home.join("targets")).expect("a folder").count(), TARGETS.len());
}
