//! Archives of pouches as data, good and bad (FORMAT § 6.9): each file says what the archive holds, byte for byte, and what
//! becomes of it. `about` is for people; `base64` and `zeros` make the archive, in their order; `member` is a file that must be
//! found, with its size and SHA-256; `refused` is why there is none. They were made by another program than this one.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::{Folder, Kind, RelPath};
use amparo::vault::VaultError;
use amparo::vault::pouch::PouchError;
use amparo::vault::pouch::archive::Archive;
use amparo::vault::pouch::opened::Opened;
use amparo::vault::pouch::pieces::Pieces;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// What a file says: the archive, and the lines of what is expected.
fn parsed(text: &str) -> (Vec<u8>, Vec<String>) {
    let (mut archive, mut expected) = (Vec::new(), Vec::new());
    for line in text.lines() {
        match line.split_once(": ").expect("key and value") {
            ("about", _) => {}
            ("base64", value) => archive.extend(BASE64_STANDARD.decode(value).expect("base64")),
            ("zeros", value) => archive.resize(archive.len() + value.parse::<usize>().expect("a number"), 0),
            ("member" | "refused", _) => expected.push(line.to_string()),
            (key, _) => panic!("no such key: {key}"),
        }
    }
    (archive, expected)
}

/// What this program makes of an archive.
fn judged(archive: &[u8]) -> Vec<String> {
    let reader = Identity::from_seed(&[1; 32]);
    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/p"), &envelope::seal(archive, &[&reader.recipient()]).bytes);
    let opened = Opened::open(Pieces::whole(&disk, Path::new("/p")).expect("a file"), &[&reader]).expect("opened");
    match Archive::read(opened, Path::new("p")) {
        Ok(archive) => {
            assert!(!archive.has_gaps());
            let mut members = Vec::new();
            gather(&Arc::new(archive), None, &mut members);
            members.sort();
            members
        }
        Err(VaultError::Pouch(PouchError::Malformed { position })) => vec![format!("refused: malformed at {position}")],
        Err(VaultError::Pouch(PouchError::Stranger { name })) => vec![format!("refused: stranger {name}")],
        Err(other) => panic!("{other}"),
    }
}

fn gather(archive: &Arc<Archive>, below: Option<&RelPath>, members: &mut Vec<String>) {
    for item in archive.list(below).expect("listed") {
        let path = match below {
            Some(folder) => format!("{folder}/{}", item.name.to_string_lossy()),
            None => item.name.to_string_lossy().into_owned(),
        };
        let path = RelPath::parse(path).expect("a path");
        if item.kind == Kind::Folder {
            gather(archive, Some(&path), members);
        } else {
            let bytes = archive.read(&path, item.bytes).expect("read");
            members.push(format!("member: {path} {} {}", bytes.len(), Hash::of(&bytes)));
        }
    }
}

fn cases() -> Vec<(String, String)> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/pouches");
    let mut cases: Vec<(String, String)> = fs::read_dir(home)
        .expect("the cases are part of the project")
        .map(|item| item.expect("a case").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(path).expect("text"))
        })
        .collect();
    cases.sort();
    cases
}

/// All archives, be they right or wrong.
pub(crate) fn archives() -> impl Iterator<Item = Vec<u8>> {
    cases().into_iter().map(|(_, text)| parsed(&text).0)
}

#[test]
fn every_archive_is_read_or_refused_as_its_file_says() {
    let _row = crate::soak::row(11);
    let cases = cases();
    assert!(cases.len() >= 34, "{} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, text)| {
            let (archive, expected) = parsed(text);
            let found = judged(&archive);
            (found != expected).then(|| format!("{name}\nexpected {expected:#?}\nfound {found:#?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} archives are judged otherwise:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_case_that_says_otherwise_is_seen() {
    let _row = crate::soak::row(11);
    let cases = cases();
    let text = |wanted: &str| &cases.iter().find(|(name, _)| name == wanted).expect("this case").1;
    for (name, from, to) in [("whole", " 75 ", " 76 "), ("twice", " at ", " at 1"), ("whole", "zeros: 95", "zeros: 96")]
    {
        let (archive, expected) = parsed(&text(name).replacen(from, to, 1));
        assert_ne!(judged(&archive), expected, "{name}");
    }
}
