//! A whole pouch as data: the golden vault, packed for its reader, in volumes and with parity. It was made once; this program
//! opens it with a volume lost, stock tools open it without this program, and Python makes the same parity.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use amparo::crypto::envelope;
use amparo::format::identity_file::IdentityFile;
use amparo::format::pouch::{self, ANSWERS_BYTES_MIN};
use amparo::format::tar::padding;
use amparo::format::volume::PouchId;
use amparo::store::real::RealDisk;
use amparo::store::{Disk, Folder as _, RelPath};
use amparo::vault::pouch::archive::Archive;
use amparo::vault::pouch::opened::Opened;
use amparo::vault::pouch::parity::make_parity;
use amparo::vault::pouch::pieces::Pieces;
use amparo::vault::pouch::volumes::VolumeWriter;

use super::{node, run};
use crate::peers;
use crate::vault::people::Stopped;

const SHARE: u16 = 3;
const VOLUME_BYTES: u64 = 72 << 10;
const VOLUMES: [&str; 3] = ["pouch.001", "pouch.002", "pouch.003"];
const PARITY: &str = "pouch.parity";

fn home(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(below)
}

fn reader() -> IdentityFile {
    let text = fs::read(home("golden/amparo.v1/grey-owl.identity")).expect("the golden reader");
    IdentityFile::parse(&text).expect("an identity")
}

/// What lies in a folder, by its path there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![folder.to_path_buf()]);
    while let Some(next) = folders.pop() {
        for item in fs::read_dir(&next).expect("listed").flatten().map(|item| item.path()) {
            if item.is_dir() {
                folders.push(item);
            } else {
                let name = item.strip_prefix(folder).expect("below").to_str().expect("ASCII").to_string();
                files.insert(name, fs::read(&item).expect("read"));
            }
        }
    }
    files
}

fn golden() -> BTreeMap<String, Vec<u8>> {
    files(&home("golden/amparo.v1/vault"))
}

/// Makes the vector where there is none: nothing regenerates what is there.
fn make() {
    let mut archive = Vec::new();
    let mut all: Vec<(String, Vec<u8>)> = golden().into_iter().collect();
    all.sort_by_key(|(path, _)| pouch::rank(path));
    for (index, (path, content)) in (0..).zip(all) {
        archive.extend(pouch::member_header(&path, content.len() as u64, index));
        archive.extend(&content);
        archive.resize(archive.len() + usize::try_from(padding(content.len() as u64)).expect("small"), 0);
    }
    let (header, zeros) = pouch::end_at(archive.len() as u64, ANSWERS_BYTES_MIN);
    archive.extend(header);
    archive.resize(archive.len() + usize::try_from(zeros).expect("small"), 0);
    let bytes = envelope::seal(&archive, &[&reader().seed.keys().age.recipient()]).bytes;
    let id = PouchId::of(&bytes[..envelope::start_bytes(&bytes).expect("a header")]);
    fs::create_dir(home("vectors/pouch")).expect("made");
    let folder = RealDisk.folder(&home("vectors/pouch")).expect("a folder");
    let name = |name: &str| RelPath::parse(name).expect("a name");
    let about = (id, bytes.len() as u64);
    let mut writer = VolumeWriter::begin(&*folder, &name("pouch"), about, Some(VOLUME_BYTES)).expect("begun");
    writer.write_all(&bytes).expect("written");
    writer.finish().expect("kept");
    let pieces = Pieces::gather(&RealDisk, &[home("vectors/pouch")]).expect("volumes");
    make_parity(&Stopped, &pieces, SHARE, (&*folder, &name(PARITY)), None).expect("made");
}

fn vector(name: &str) -> PathBuf {
    if std::env::var_os("AMPARO_VECTORS").is_some_and(|word| word == "write") && !home("vectors/pouch").exists() {
        make();
    }
    home("vectors/pouch").join(name)
}

/// The pouch in one piece, as FORMAT § 6.10 joins it.
fn joined() -> Vec<u8> {
    let volumes = VOLUMES.map(|name| fs::read(vector(name)).expect("a volume"));
    volumes.iter().flat_map(|volume| &volume[4096..volume.len() - 4096]).copied().collect()
}

#[test]
fn with_any_volume_lost_it_opens_to_the_golden_vault() {
    let _row = crate::soak::row(11);
    let identity = reader().seed.keys().age;
    for lost in VOLUMES.map(Some).into_iter().chain([None]) {
        let parts = VOLUMES.into_iter().chain([PARITY]).filter(|name| Some(*name) != lost).map(vector);
        let pieces = Pieces::gather(&RealDisk, &parts.collect::<Vec<_>>()).expect("parts of a pouch");
        assert!(pieces.check(&Stopped).expect("looked at").can_be_repaired(), "{lost:?}");
        let opened = Opened::open(pieces, &[&identity]).expect("opened");
        assert!(opened.end_holds());
        let archive = Archive::read(opened, Path::new("pouch")).expect("read");
        assert!(!archive.has_gaps());
        let golden = golden();
        assert_eq!(archive.files(), golden.len());
        for (path, content) in golden {
            let path = RelPath::parse(path).expect("a path");
            assert!(archive.read(&path, 1 << 20).expect("there") == content, "{path} without {lost:?}");
        }
    }
}

#[test]
fn stock_tools_open_it() {
    let _row = crate::soak::row(11);
    let (Some(shell), Some(tar)) = (peers::program("sh"), peers::program("tar")) else { return };
    let identity =
        String::from_utf8(fs::read(home("golden/amparo.v1/grey-owl.identity")).expect("read")).expect("text");
    let key = identity.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).expect("a key");
    let command = "for file in pouch.0*; do tail -c +4097 \"$file\" | head -c -4096; done";
    let pouch = run(Command::new(shell).args(["-c", command]).current_dir(vector("")), b"");
    let Some(archive) = node(include_str!("age.mjs"), &["decrypt", key], &pouch) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    run(Command::new(tar).args(["--extract", "--exclude=.pad", "--directory"]).arg(folder.path()), &archive);
    assert!(files(folder.path()) == golden(), "tar makes another folder");
}

#[test]
fn python_makes_its_parity() {
    let _row = crate::soak::row(11);
    let Some(python) = peers::program("python3") else { return };
    let made = run(Command::new(python).arg(home("vectors/parity.py")).arg(SHARE.to_string()), &joined());
    assert!(made == fs::read(vector(PARITY)).expect("parity"), "another parity");
}
