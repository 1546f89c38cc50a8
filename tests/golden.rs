//! A vault of every released format, kept for ever: it was made once, and each later program must read it as this one
//! does. Nothing regenerates a folder that is there.
//!
//! - `AMPARO_GOLDEN=write` makes `tests/golden/amparo.v1/`, if there is none
//! - `AMPARO_GOLDEN=page` prints it into `docs/FORMAT.md`, § 1, between the marks ([`page`])

mod messagepack;
mod opened;
mod page;
mod records;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::crypto::hash::Hash;
use amparo::crypto::seed::Seed;
use amparo::format::card::Card;
use amparo::format::identity_file::IdentityFile;
use amparo::format::pseudonym::Pseudonym;
use amparo::format::receipt::Receipt;
use amparo::format::role::Section;
use amparo::store::Disk;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::real::RealDisk;
use amparo::vault::create::{CreateRequest, create};
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::open::{OpenRequest, open};
use amparo::vault::receipt::of_exhibit;
use amparo::vault::seal::SealRequest;
use amparo::vault::session::{Request, Trust};
use amparo::vault::survey;
use amparo::vault::verify::{Level, Verified, VerifyRequest, verify};

use super::vault::people::{Device, device, request, sealing, with};

/// Who they are and the byte that their seeds consist of.
const PEOPLE: [(&str, u8); 3] = [("Blue Heron", 1), ("Grey Owl", 2), ("Red Kite", 3)];
const TESTIMONY: &str = "\
I keep the bakery on the corner. On the night of the ninth I was lighting the oven when two cars stopped outside.

They took my neighbour from his door. Neither car had plates. I counted five men; one of them limped.
";

/// Paths below `tests/golden/amparo.v1/`, with their bytes.
type Files = BTreeMap<String, Vec<u8>>;

#[test]
fn the_golden_vault_is_the_one_that_was_released() {
    let folder = home().join("tests/golden/amparo.v1");
    if wanted("write") && !folder.exists() {
        write(&folder, &made());
    }
    let mut files = read(&folder);
    let sums = files.remove("SHA256SUMS").expect("its hashes are kept beside it");
    assert_eq!(String::from_utf8(sums).expect("text"), hashes(&files), "a vault that was released is never edited");
}

#[test]
fn the_golden_vault_is_valid_at_every_level() {
    let place = copy();
    for (who, level, exhibits) in [
        (None, Level::Bytes, 0),
        (Some(1), Level::Content, 1),
        (Some(2), Level::Custody, 1),
        (Some(0), Level::Custody, 1),
    ] {
        let verified = verified(place.path(), who);
        let found = (verified.verdict, verified.level, verified.exhibits, verified.blobs, verified.logs.len());
        assert_eq!(found, (Verdict::Valid, level, exhibits, 3, 2), "{who:?}: {:?}", verified.findings);
        assert!(verified.findings.is_empty() && verified.exhibit_verdicts.is_empty(), "{:?}", verified.findings);
        let mut sizes: Vec<u64> = verified.logs.iter().map(|log| log.size).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 2]);
        let receipts: u64 =
            verified.checks.iter().filter(|done| done.check == Check::Receipt).map(|done| done.count).sum();
        assert_eq!(receipts, u64::from(who.is_some()), "the receipt is compared by who can read the logs");
    }
}

#[test]
fn the_golden_exhibit_opens_to_the_bytes_that_were_sealed() {
    let place = copy();
    let (vault, out) = (place.path().join("vault"), place.path().join("out"));
    let reader = person(place.path(), 1);
    let trust = trusted(&vault);
    let opened = with(&RealDisk, reader.machine, |setting| {
        let place = request(&vault, &reader, Some(&trust));
        open(setting, &OpenRequest { place, ids: &["K7-0001".into()], out: &out, overwrite: false, reason: "" })
    })
    .expect("opened");
    assert!(opened.unrecorded.is_none(), "{:?}", opened.unrecorded);
    assert_eq!(fs::read_to_string(&opened.exhibits[0].path).expect("the file"), TESTIMONY);
}

#[test]
fn the_golden_receipt_and_the_golden_keys_are_still_the_same() {
    let place = copy();
    let bytes = fs::read(place.path().join("K7-0001.receipt")).expect("the receipt");
    let receipt = Receipt::parse(&bytes).expect("its proofs hold");
    let (lawyer, vault) = (person(place.path(), 0), place.path().join("vault"));
    let trust = trusted(&vault);
    let again = with(&RealDisk, lawyer.machine, |setting| {
        of_exhibit(setting, &request(&vault, &lawyer, Some(&trust)), "K7-0001")
    });
    assert_eq!(again.expect("a receipt").print().as_bytes(), bytes);
    assert_eq!(receipt.checkpoint.size, 2);
    for (index, (name, seed)) in PEOPLE.iter().enumerate() {
        let path = |kind| place.path().join(format!("{}.{kind}", file_name(name)));
        let card = Card::parse(&fs::read(path("card")).expect("a card")).expect("it proves itself");
        let keys = Seed::from_bytes(&[*seed; 32]).keys();
        assert_eq!(card.keys(), &keys.public(), "{name}");
        assert_eq!(fs::read(path("identity")).expect("a file"), identity_file(index), "{name}");
    }
}

#[test]
fn the_format_begins_with_the_golden_vault() {
    let path = home().join("docs/FORMAT.md");
    let text = fs::read_to_string(&path).expect("the page");
    let files = read(&home().join("tests/golden/amparo.v1"));
    let printed = page::print(&text, &files);
    if wanted("page") {
        fs::write(&path, &printed).expect("the page is written");
        return;
    }
    assert!(printed == text, "§ 1 is not what the golden vault holds: AMPARO_GOLDEN=page prints it");
}

fn wanted(word: &str) -> bool {
    std::env::var_os("AMPARO_GOLDEN").is_some_and(|value| value == word)
}

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn person(root: &Path, index: usize) -> Device {
    let (name, seed) = PEOPLE[index];
    device(root, name, seed)
}

fn file_name(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

fn identity_file(index: usize) -> Vec<u8> {
    let (name, seed) = PEOPLE[index];
    let name = Pseudonym::parse(name).expect("a name");
    IdentityFile { name, seed: Seed::from_bytes(&[seed; 32]) }.to_bytes().to_vec()
}

fn verified(root: &Path, who: Option<usize>) -> Verified {
    let vault = root.join("vault");
    let trust = trusted(&vault);
    let receipt = Receipt::parse(&fs::read(root.join("K7-0001.receipt")).expect("the receipt")).expect("sound");
    let receipts = who.map(|_| ("K7-0001.receipt".to_string(), receipt)).into_iter().collect::<Vec<_>>();
    let device = person(root, who.unwrap_or(2));
    let place = Request { person: who.map(|_| &*device.person), ..request(&vault, &device, Some(&trust)) };
    with(&RealDisk, device.machine, |setting| {
        verify(setting, &VerifyRequest { place, receipts: &receipts, short_receipts: &[], checkpoints: &[] })
    })
    .expect("verified")
}

/// Trust in the vault by its id, as somebody has it who compared the digits.
fn trusted(vault: &Path) -> Trust {
    Trust::VaultId(survey::hint(&*RealDisk.folder(vault).expect("a folder")).expect("its id"))
}

/// A copy that a verb may write to.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), &read(&home().join("tests/golden/amparo.v1")));
    folder
}

/// Makes the vault on a disk in memory, whose paths and times are those of no machine.
fn made() -> Files {
    let disk = FaultyDisk::new(Rules::Ext4);
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let root = Path::new("/place");
    let [lawyer, reader, monitor] = [0, 1, 2].map(|index| person(root, index));
    let (vault, source) = (root.join("vault"), root.join("testimony.txt"));
    disk.put(&source, TESTIMONY.as_bytes());
    let created = with(&*shared, lawyer.machine, |setting| {
        let request = CreateRequest {
            folder: &vault,
            state: &lawyer.state,
            founder: &lawyer.person,
            readers: std::slice::from_ref(reader.person.card()),
            register_readers: &[],
            monitors: std::slice::from_ref(monitor.person.card()),
            sealers: &[],
            handle: Some("K7".into()),
            monitors_needed: None,
            quorum: None,
        };
        create(setting, &request).expect("founded")
    });
    let receipt = with(&*shared, lawyer.machine, |setting| {
        let request_to_seal = SealRequest {
            place: request(&vault, &lawyer, None),
            paths: &[source],
            together: false,
            section: Section::main(),
            fields: &[("identity/kind".into(), "testimony".into())],
            register: &[],
            identity: None,
            readback: true,
            accepted: &[],
        };
        let sealed = sealing(setting, &request_to_seal, &mut std::io::empty()).expect("sealed");
        assert!(sealed.failure.is_none() && sealed.exhibits[0].id == "K7-0001");
        of_exhibit(setting, &request(&vault, &lawyer, None), "K7-0001").expect("a receipt")
    });
    let trust = Trust::VaultId(created.vault);
    with(&*shared, reader.machine, |setting| {
        let place = request(&vault, &reader, Some(&trust));
        let out = root.join("out");
        let opening = OpenRequest { place, ids: &["K7-0001".into()], out: &out, overwrite: false, reason: "" };
        assert!(open(setting, &opening).expect("opened").unrecorded.is_none());
    });
    let in_vault = disk.files().into_iter().filter_map(|(path, bytes)| {
        Some((format!("vault/{}", path.strip_prefix(&vault).ok()?.to_str().expect("the layout is text")), bytes))
    });
    let mut files: Files = in_vault.collect();
    files.insert("K7-0001.receipt".into(), receipt.print().into_bytes());
    for (index, who) in [&lawyer, &reader, &monitor].into_iter().enumerate() {
        let name = file_name(PEOPLE[index].0);
        files.insert(format!("{name}.identity"), identity_file(index));
        files.insert(format!("{name}.card"), who.person.card().as_bytes().to_vec());
    }
    let sums = hashes(&files).into_bytes();
    files.insert("SHA256SUMS".into(), sums);
    files
}

/// As `sha256sum` prints them.
fn hashes(files: &Files) -> String {
    files.iter().flat_map(|(path, bytes)| [Hash::of(bytes).to_string(), format!("  {path}\n")]).collect()
}

fn write(folder: &Path, files: &Files) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        fs::write(path, bytes).expect("a file");
    }
}

fn read(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for item in fs::read_dir(&next).expect("the golden vault is part of the project") {
            let path = item.expect("a name").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_str().expect("text").to_string();
                files.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    files
}
