//! The fuzz targets as an ordinary test: every check of [`checks`] over the whole corpus and over changes of it that the
//! same seed makes again. `AMPARO_FUZZ=N` makes N changes of each; how the engine runs stands in `Cargo.toml` here.

pub(crate) mod checks;
mod plants;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::crypto::seed::Seed;
use amparo::crypto::shares::Share;
use amparo::format::fields::Kind;
use amparo::format::identity_file::IdentityFile;
use amparo::format::ids::{KeyId, LogId, MemberId, VaultId};
use amparo::format::key_file::KeyFile;
use amparo::format::listing::{ListedFile, Listing};
use amparo::format::parity::{Grid, Layout, PacketHeader};
use amparo::format::role::{Scope, Section};
use amparo::format::share_file::{LentShare, ShareFile};
use amparo::format::volume::{PouchId, VolumePage};
use amparo::format::words::{bytewords, of_seed};
use amparo::format::{armor, form};
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::layout;
use amparo::store::memory::{Change, Memory};

use crate::soak;
use crate::vault::agreement::dice::Dice;
use crate::vectors::{format, pouches};
use checks::{Check, TARGETS};

/// Changes of each input in an ordinary run.
const CHANGES: u64 = 200;
/// Longer inputs are the same again.
const BYTES_MAX: usize = 64 << 10;
/// So many names of each folder of a vault stand for all of them.
const NAMES_OF_EACH_FOLDER: usize = 3;

/// Whatever the project has of bytes that some parser takes, and of bytes that it must not.
fn corpus() -> Vec<Vec<u8>> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let (golden, media) = (tests.join("golden/amparo.v1"), tests.join("evidence/media"));
    let bytes = |folder: &Path| files(folder).iter().map(|file| fs::read(file).expect("bytes")).collect::<Vec<_>>();
    let kept = bytes(&golden);
    let mut all = opened(&kept);
    all.extend(kept);
    all.extend(bytes(&media));
    all.extend(names_of_a_vault(&golden.join("vault")));
    all.extend(on_paper());
    all.push(listing());
    all.extend(remembered());
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

/// Some names of each folder of a vault.
fn names_of_a_vault(vault: &Path) -> Vec<Vec<u8>> {
    let names = files(vault).into_iter().map(|file| file.strip_prefix(vault).expect("below").to_path_buf());
    let mut of_each = BTreeMap::<PathBuf, Vec<Vec<u8>>>::new();
    for name in names {
        let folder = of_each.entry(name.parent().expect("a folder").to_path_buf()).or_default();
        folder.push(name.into_os_string().into_encoded_bytes());
    }
    of_each.into_values().flat_map(|names| names.into_iter().take(NAMES_OF_EACH_FOLDER)).collect()
}

/// Words of a seed and of a share, and what else a share is written as.
fn on_paper() -> Vec<Vec<u8>> {
    let share = Share::from_bytes(&[&[1, 2, 0, 1, 0][..], &[9; 32]].concat()).expect("one of two");
    let lines = [of_seed(&Seed::from_bytes(&[7; 32])).join(" "), bytewords::of_share(&share).join(" ")];
    let line = bytewords::ur(&share).as_bytes().to_vec();
    let id = |byte| Hash([byte; 32]);
    let (scope, split) = (Scope::Content(Section::main()), [3; 16]);
    let file = ShareFile { scope, epoch: 0, split, total: 3, share };
    let printed = file.print().to_vec();
    let (vault, key) = (VaultId(id(1)), KeyId(id(2)));
    let lent = LentShare { vault, key, from: MemberId(id(3)), to: MemberId(id(4)), file };
    lines.map(String::into_bytes).into_iter().chain([line, printed, lent.print().to_vec()]).collect()
}

/// What a device remembers of files that it is about to write: their names, and a change without its hash.
fn remembered() -> [Vec<u8>; 2] {
    let (disk, vault, log) = (FaultyDisk::new(Rules::Ext4), VaultId(Hash::ZERO), LogId([0; 16]));
    let memory = Memory::open_to_write(&disk, Path::new("/state"), Hash::ZERO).expect("a folder");
    let path = layout::blob(Hash::of(b"a blob"));
    let mut change = Change::default();
    change.push(&path, b"what is in it".to_vec());
    memory.prepare(&vault, &log, 1, &change).expect("remembered");
    memory.intend(&vault, &MemberId(Hash::ZERO), [7; 8], &[path.clone(), layout::vault_file()]).expect("remembered");
    let of = |room: &str| {
        let files = disk.files();
        let file = files.into_iter().find(|(file, _)| file.components().any(|part| part.as_os_str() == room));
        file.expect("a record").1
    };
    let change = of("own");
    [of("wrote"), change[..change.len() - 32].to_vec()]
}

fn listing() -> Vec<u8> {
    let file = |member: &str, name: &[u8], modified: Option<&str>| ListedFile {
        member: format!("content/{member}"),
        name: name.to_vec(),
        bytes: 7,
        sha256: Hash::of(name),
        modified: modified.map(|time| time.parse().expect("a time")),
    };
    let files = vec![
        file("a/b.txt", b"a/b.txt", Some("2031-05-04T23:10:00Z")),
        file("x_", b"x\xff", None),
        file("y", b"y", None),
    ];
    Listing::new(files).expect("in order").print().expect("short")
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
    [open(&keys), wrapped].concat()
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
    usize::try_from(soak::count("AMPARO_FUZZ", CHANGES)).expect("few")
}

/// Runs a check; what it panics on is shown as hex, to become a vector.
fn survives(name: &str, check: Check, bytes: &[u8]) -> bool {
    std::panic::catch_unwind(|| check(bytes))
        .unwrap_or_else(|_| panic!("{name} does not survive {}", amparo::crypto::hash::hex(bytes)))
}

#[test]
fn every_parser_survives_the_corpus_and_what_is_made_of_it() {
    let _row = soak::row(7);
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
    let mut dice = Dice::new(soak::seed(), name.len() as u64);
    let (mut refused, mut made) = (0, 0);
    for bytes in &taken {
        for _ in 0..changes() {
            let other = changed(bytes, corpus, &mut dice);
            made += 1;
            refused += usize::from(!survives(name, check, &other));
        }
    }
    soak::tell(&format!("{name}: {} inputs, {made} changes of them, seed {}", taken.len(), soak::seed()));
    // Of a pouch and an age file only headers are looked at, of a form only the language, of a payload not what its files hold;
    // any bytes are a name, any lines are names, a film is played whatever its frames show, and what is left of a key is looked for.
    let is_strict = !["pouch", "envelope", "form", "payload", "names", "media", "memory", "device"].contains(&name);
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
