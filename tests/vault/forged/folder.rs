//! What somebody without any key can do to the folder, and what a failing disk does to it.

use std::path::Path;

use amparo::format::event::{Event, Wrap};
use amparo::format::key_file::KeyFile;
use amparo::store::faulty::{Fault, Times};
use amparo::store::{Kind, layout};
use amparo::vault::VaultError;
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::verify::Level;

use crate::vault::forge::{
    CUSTODY, FOUNDER, Forge, LATER, MAIN, MONITOR, READER, REGISTER, VAULT, founded, keys, member, vault_key,
};
use crate::vault::forge_once;
use crate::vault::forge_seal::{Exhibit, Twist, path};

const INVALID: Verdict = Verdict::Invalid;
const INCOMPLETE: Verdict = Verdict::Incomplete;

fn sealed() -> (Forge, Vec<amparo::crypto::hash::Hash>) {
    let (forge, mut founder) = founded();
    let blobs = founder.seal(&forge, &[Exhibit::text("one")], &Twist::default());
    (forge, blobs)
}

#[test]
fn the_file_vault_is_a_hint_and_never_trusted() {
    let (forge, _) = sealed();
    for (text, weight) in [(&b"amparo.v1/vault\nnonsense\n"[..], INVALID), (&[b'x'; 5000], INVALID), (b"", INVALID)] {
        forge.put_named("VAULT", text);
        forge.finds(&[(Check::Vault, weight, "VAULT")]);
    }
    let another = amparo::crypto::hash::Hash::of(b"another");
    forge.put_named("VAULT", format!("amparo.v1/vault\n{another}\n").as_bytes());
    forge.finds(&[(Check::Vault, INVALID, "VAULT")]);
    forge.remove("VAULT");
    forge.finds(&[(Check::Vault, INCOMPLETE, "VAULT")]);
    forge.disk.put_kind(&Path::new(VAULT).join("VAULT"), Kind::Link);
    forge.finds(&[(Check::Vault, INCOMPLETE, "VAULT"), (Check::Layout, INCOMPLETE, "VAULT")]);
    forge.put_named("VAULT", b"amparo.v2/vault\n\n");
    let newer = forge.try_verify(READER, "/state/newer");
    assert!(matches!(newer, Err(VaultError::VaultFile(_))), "{newer:?}");
}

/// Nothing below them is looked at, whatever its own name.
#[test]
fn folders_without_a_name_of_the_format_are_not_entered() {
    let (forge, blobs) = sealed();
    let log = forge.names("logs/")[0][..37].to_string();
    let empty = ["blobs/zz".to_string(), format!("{log}/entries/0000000a")];
    for folder in &empty {
        forge.disk.put_kind(&Path::new(VAULT).join(folder), Kind::Folder);
        forge.finds(&[(Check::Layout, INCOMPLETE, folder)]);
        forge.put_named(&format!("{folder}/{}", blobs[0]), b"x");
        forge.finds(&[(Check::Layout, INCOMPLETE, folder)]);
        forge.remove(&format!("{folder}/{}", blobs[0]));
        forge.remove(folder);
    }
}

#[test]
fn a_wrapped_key_is_encrypted_to_its_member_alone() {
    let (forge, mut founder) = founded();
    let mut key = forge.new_key(founder.id, "main", 1, LATER, &[]);
    let plaintext = forge.key(LATER).print();
    let both = [READER, MONITOR].map(|who| keys(who).age.recipient());
    let bytes = forge_once::sealed(&plaintext, &both);
    let file = amparo::crypto::hash::Hash::of(&bytes);
    let path = layout::wrapped_key(key.id(&founder.id), file);
    forge.put(&path, &bytes);
    key.wraps = vec![Wrap { member: member(READER), file, share: None }];
    founder.say(&forge, &[], Event::Rotate { keys: vec![key] });
    forge.finds(&[(Check::Key, INVALID, &path.to_string())]);
    assert!(forge.verify(FOUNDER).findings.is_empty(), "it is not hers to open");
}

#[test]
fn names_that_no_vault_has_are_strangers_and_shown_escaped() {
    let (forge, _) = sealed();
    for (name, kind) in [("pipe", Kind::Pipe), ("blobs/zz", Kind::File), ("keys/link", Kind::Link)] {
        forge.disk.put_kind(&Path::new(VAULT).join(name), kind);
        forge.finds(&[(Check::Layout, INCOMPLETE, name)]);
        forge.remove(name);
    }
    forge.put_named("a\u{1b}[31m\u{202e}b\n", b"");
    let verified = forge.verify(READER);
    assert_eq!((verified.verdict, verified.findings.len()), (INCOMPLETE, 1));
    let subject = &verified.findings[0].subject;
    assert!(subject.chars().all(|letter| letter.is_ascii_graphic() || letter == ' '), "{subject}");
    let id = forge.vault.to_string();
    let (forge, blobs) = sealed();
    for name in [
        format!("blobs/00/{}", blobs[0]),
        format!("blobs/{}", blobs[0]),
        format!("keys/{id}/file"),
        format!("logs/{}/entries/00000001/x", &id[..32]),
        format!("logs/{}/more/x", &id[..32]),
        format!("logs/{}/checkpoints/1-x", &id[..32]),
        format!("logs/{}/cosign/x", &id[..32]),
        "logs/x/y".into(),
    ] {
        let (there, name) = (forge.copy(), name.as_str());
        there.put_named(name, b"hello");
        let verified = there.verify(MONITOR);
        assert_eq!(verified.verdict, INCOMPLETE);
        assert!(verified.findings.iter().any(|one| one.check == Check::Layout), "{name}: {:?}", verified.findings);
    }
}

#[test]
fn a_link_or_a_pipe_in_place_of_a_file_is_not_followed() {
    for kind in [Kind::Link, Kind::Pipe, Kind::Folder] {
        let (forge, blobs) = sealed();
        let name = path(blobs[0]);
        forge.remove(&name);
        forge.disk.put_kind(&Path::new(VAULT).join(&name), kind);
        forge.finds(&[(Check::Layout, INCOMPLETE, &name), (Check::Blob, INCOMPLETE, &name)]);
    }
}

#[test]
fn blobs_are_intact_there_and_named_by_a_sealing() {
    let (forge, blobs) = sealed();
    let name = path(blobs[0]);
    let good = forge.read(&name);
    forge.put_named(&name, &[good.as_slice(), b"x"].concat());
    forge.finds(&[(Check::Blob, INVALID, &name)]);
    forge.put_named(&name, &vec![0; 18 << 20]);
    forge.finds(&[(Check::Blob, INVALID, &name)]);
    forge.remove(&name);
    forge.finds(&[(Check::Blob, INCOMPLETE, &name)]);
    forge.put_named(&name, &good);
    let stray = path(forge.put_blob(b"hello", &[&vault_key(MAIN).recipient()]));
    forge.finds(&[(Check::Foreign, INCOMPLETE, &stray)]);
}

#[test]
fn wrapped_keys_are_those_that_entries_name() {
    let (forge, _) = sealed();
    let wrap = |there: &Forge, key, scope: &str, seed| {
        let scope = scope.parse().expect("a scope");
        let held = KeyFile { scope, key: vault_key(seed), ..there.key(key) };
        let file = there.put_wrap(there.key_id(key), &held.print(), READER);
        format!("keys/{}/{file}.age", there.key_id(key))
    };
    // Whoever has the reader's card can put such files there: they are foreign, and nothing is believed of them.
    for (key, scope, seed) in [(MAIN, "main", REGISTER), (CUSTODY, "main", CUSTODY), (MAIN, "custody", MAIN)] {
        for _ in 0..3 {
            let there = forge.copy();
            let stray = wrap(&there, key, scope, seed);
            let verified = there.finds(&[(Check::Foreign, INCOMPLETE, &stray)]);
            assert_eq!(verified.level, Level::Content);
        }
    }
    // Two files change places.
    let names = forge.names("keys/");
    let (one, other) = (&names[0], &names[1]);
    let (first, second) = (forge.read(one), forge.read(other));
    forge.put_named(one, &second);
    forge.put_named(other, &first);
    let verified = forge.verify(MONITOR);
    let found: Vec<_> = verified.findings.iter().filter(|one| one.check == Check::Key).collect();
    assert!(found.len() == 2 && found.iter().all(|one| one.weight == INVALID), "{:?}", verified.findings);
}

#[test]
fn a_wrapped_key_that_an_entry_names_and_that_holds_another_is_found_by_who_opens_it() {
    let (forge, mut founder) = founded();
    let mut new = forge.new_key(founder.id, "main", 1, LATER, &[READER]);
    let id = new.id(&founder.id);
    let plaintext = KeyFile { key: vault_key(MAIN), ..forge.key(LATER) }.print();
    let honest = format!("keys/{}/{}.age", id, new.wraps[0].file);
    forge.remove(&honest);
    new.wraps[0].file = forge.put_wrap(id, &plaintext, READER);
    let file = format!("keys/{}/{}.age", id, new.wraps[0].file);
    founder.say(&forge, &[], amparo::format::event::Event::Rotate { keys: vec![new] });
    forge.finds(&[(Check::Key, INVALID, &file)]);
    assert_eq!(forge.verify(MONITOR).verdict, Verdict::Valid, "who cannot open it cannot tell");
}

#[test]
fn a_failing_disk_makes_nothing_invalid() {
    let (forge, _) = sealed();
    let before = forge.disk.operations();
    forge.verify(READER);
    let operations = forge.disk.operations() - before;
    let mut verdicts = 0;
    for nth in 0..operations {
        let there = forge.copy();
        there.disk.fail_at(there.disk.operations() + nth, Fault::Io, Times::Once);
        match there.try_verify(READER, "/state/failing") {
            Ok(verified) => {
                assert_ne!(verified.verdict, INVALID, "at {nth}: {:?}", verified.findings);
                verdicts += 1;
            }
            Err(VaultError::Store(_)) => {}
            Err(error) => panic!("at {nth}: {error}"),
        }
    }
    assert!(verdicts * 2 > operations, "{verdicts} verdicts of {operations}");
}
