//! Whoever holds a copy of the vault and can write into it, with everybody's cards and no key: a courier, a border
//! post, a synchronised folder.

use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Identity;
use amparo::format::ids::LogId;
use amparo::format::key_file::{KEY_FILE_BYTES, KeyFile};
use amparo::vault::VaultError;
use amparo::vault::create::{CreateRequest, create};
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::verify::{Level, Status};

use super::{files, found, logs, on, sealed};
use crate::vault::people::World;

/// Puts a file for a member into the folder of a key; returns its name below the vault.
fn plant_key(world: &World, key: &str, plaintext: &[u8], of: &crate::vault::people::Device) -> String {
    let bytes = envelope::seal(plaintext, &[&of.person.card().keys().age]).bytes;
    let name = format!("keys/{key}/{}.age", Hash::of(&bytes));
    world.write(&format!("vault/{name}"), &bytes);
    name
}

#[test]
fn a_key_of_their_own_gives_no_access_that_a_report_would_tell_of() {
    let world = sealed();
    let key = Identity::from_seed(&[66; 32]);
    let key = KeyFile { log: LogId([7; 16]), scope: "main".parse().expect("a scope"), epoch: 0, key };
    let planted = plant_key(&world, &key.id().to_string(), &key.print(), &world.monitor);
    let verified = world.verify(&world.monitor).expect("verified");
    assert_eq!((verified.level, verified.verdict), (Level::Custody, Verdict::Incomplete));
    assert!(verified.not_checked.iter().any(|text| text.starts_with("records and content")));
    assert!(verified.findings.iter().all(|finding| finding.check == Check::Foreign && finding.subject == planted));
}

#[test]
fn a_file_to_a_members_card_accuses_nobody_and_stops_nothing() {
    let world = sealed();
    let key = files(&world.vault.join("keys")).remove(0);
    let key = key.parent().and_then(|folder| folder.file_name()).expect("a key's folder").to_string_lossy();
    plant_key(&world, &key, &[b'\n'; KEY_FILE_BYTES], &world.lawyer);
    let verified = world.verify(&world.lawyer).expect("verified");
    assert_eq!((verified.verdict, found(&verified, Check::Key)), (Verdict::Incomplete, None));
    let more = world.write("s/b.txt", b"more words");
    world.seal(&[more], false).expect("sealing goes on");
}

#[test]
fn names_by_the_ten_thousand_cost_seconds_and_a_page() {
    let world = sealed();
    let shelf = world.vault.join("blobs/zz");
    std::fs::create_dir_all(&shelf).expect("a folder");
    for number in 0..30_000 {
        std::fs::File::create(shelf.join(format!("{number}"))).expect("a stranger");
    }
    let began = Instant::now();
    let verified = world.verify(&world.monitor).expect("verified");
    assert_eq!(found(&verified, Check::Layout), Some(Verdict::Incomplete));
    assert!(verified.findings.len() < 1_100, "{} findings", verified.findings.len());
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[test]
fn without_the_file_vault_nothing_is_written_and_everything_opens() {
    let world = sealed();
    let count = files(&world.vault).len();
    for content in [None, Some("nonsense")] {
        std::fs::remove_file(world.vault.join("VAULT")).expect("removed");
        content.map(|content| world.write("vault/VAULT", content.as_bytes()));
        let more = world.write("s/b.txt", b"more words");
        let refused = world.seal(&[more], false);
        assert!(matches!(refused, Err(VaultError::NotAVault | VaultError::VaultFile(_))), "{refused:?}");
        assert_eq!(files(&world.vault).len(), count - usize::from(content.is_none()));
        world.write("vault/VAULT", b"");
    }
    std::fs::remove_file(world.vault.join("VAULT")).expect("removed");
    world.verify(&world.reader).expect("the reader's device comes to know the vault");
    let opened = world.open(&world.reader, "K7-0001", &world.path("out")).expect("opened");
    assert!(opened.unrecorded.is_some());
}

#[test]
fn a_file_vault_that_names_another_vault_brings_none_of_its_files() {
    let world = sealed();
    let other = world.path("other vault");
    let founded = on("Blue Heron", |setting| {
        let request = CreateRequest {
            folder: &other,
            state: &world.lawyer.state,
            founder: &world.lawyer.person,
            readers: std::slice::from_ref(world.reader.person.card()),
            register_readers: &[],
            monitors: &[],
            sealers: &[],
            handle: None,
            monitors_needed: None,
            quorum: None,
        };
        create(setting, &request).expect("founded")
    });
    std::fs::copy(other.join("VAULT"), world.vault.join("VAULT")).expect("swapped");
    let more = world.write("s/b.txt", b"more words");
    assert!(world.seal(&[more], false).is_err());
    assert!(!world.vault.join("logs").join(founded.log.to_string()).exists(), "the other vault's log came here");
    let verified = world.verify(&world.monitor).expect("verified");
    assert_eq!(found(&verified, Check::Vault), Some(Verdict::Invalid));
}

#[test]
fn a_newer_format_is_no_reason_to_check_less() {
    let world = sealed();
    let text = std::fs::read_to_string(world.vault.join("VAULT")).expect("text");
    world.write("vault/VAULT", text.replace("v1", "v2").as_bytes());
    assert!(matches!(world.verify(&world.monitor), Err(VaultError::VaultFile(_))));
    let more = world.write("s/b.txt", b"more words");
    assert!(world.seal(&[more], false).is_err());
}

#[test]
fn links_pipes_and_endless_files_are_not_followed_awaited_or_read() {
    let world = sealed();
    for path in files(&world.vault) {
        let good = std::fs::read(&path).expect("bytes");
        let aside = world.path("aside");
        std::fs::write(&aside, &good).expect("the same bytes elsewhere");
        for attack in 0..3 {
            let _ = std::fs::remove_file(&path);
            match attack {
                0 => symlink(&aside, &path).expect("a link"),
                1 => rustix::fs::mknodat(
                    rustix::fs::CWD,
                    &path,
                    rustix::fs::FileType::Fifo,
                    rustix::fs::Mode::from_raw_mode(0o600),
                    0,
                )
                .expect("a pipe"),
                _ => {
                    let file = std::fs::File::create(&path).expect("a file");
                    file.set_len(1 << 40).expect("sparse");
                }
            }
            let began = Instant::now();
            if let Ok(verified) = world.verify(&world.reader) {
                assert!(
                    verified.verdict != Verdict::Valid || !verified.trusted,
                    "{} by attack {attack}",
                    path.display()
                );
            }
            assert!(began.elapsed() < Duration::from_secs(20), "{}", path.display());
        }
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(&path, &good).expect("restored");
    }
    assert_eq!(world.verify(&world.reader).expect("verified").verdict, Verdict::Valid);
}

#[test]
fn a_valid_age_file_to_the_vaults_keys_is_no_evidence() {
    let world = sealed();
    let blob = files(&world.vault.join("blobs")).remove(0);
    let good = std::fs::read(&blob).expect("bytes");
    // One sealed file under the name of another: both are sound age files to keys of this vault.
    let other = std::fs::read(files(&world.vault.join("blobs")).remove(1)).expect("bytes");
    std::fs::write(&blob, &other).expect("swapped");
    assert_eq!(world.verify(&world.monitor).expect("verified").verdict, Verdict::Invalid);
    std::fs::write(&blob, &good).expect("restored");
    let bytes = envelope::seal(b"planted", &[&Identity::from_seed(&[66; 32]).recipient()]).bytes;
    let name = Hash::of(&bytes).to_string();
    world.write(&format!("vault/blobs/{}/{name}", &name[..2]), &bytes);
    let verified = world.verify(&world.reader).expect("verified");
    assert_eq!((verified.verdict, verified.exhibits), (Verdict::Incomplete, 1));
    assert_eq!(found(&verified, Check::Foreign), Some(Verdict::Incomplete));
}

#[test]
fn what_was_looked_at_nowhere_did_not_pass() {
    let world = sealed();
    let verified = world.verify(&world.monitor).expect("verified");
    for done in &verified.checks {
        assert_eq!(done.status == Status::Skip, done.count == 0, "{:?}", done.check);
    }
    let skipped = |check| verified.checks.iter().any(|done| done.check == check && done.status == Status::Skip);
    for check in [Check::Manifest, Check::Record, Check::Payload, Check::Cosignature, Check::Receipt] {
        assert!(skipped(check), "{check}");
    }
}

#[test]
fn an_older_copy_is_told_from_a_whole_one() {
    let world = sealed();
    world.verify(&world.monitor).expect("remembered");
    let log = logs(&world).remove(0);
    for path in files(&log).into_iter().filter(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("0000000002-")
            || (name.starts_with("0000000001-") && path.to_string_lossy().contains("entries"))
    }) {
        std::fs::remove_file(path).expect("removed");
    }
    let verified = world.verify(&world.monitor).expect("verified");
    assert_eq!(found(&verified, Check::Behind), Some(Verdict::Incomplete));
}
