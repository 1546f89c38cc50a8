//! The golden vault with every file opened that its people can open.

use std::collections::BTreeMap;

use amparo::crypto::envelope;
use amparo::crypto::recipient::Identity;
use amparo::crypto::seed::Seed;
use amparo::format::document::Document;
use amparo::format::entry::Entry;
use amparo::format::event::Event;
use amparo::format::inventory::Inventory;
use amparo::format::key_file::KeyFile;
use amparo::format::manifest::Manifest;

use super::{Files, PEOPLE};

/// One file of the vault: what it is, and what it holds once it is opened.
pub(super) struct Opened {
    pub(super) kind: String,
    pub(super) plain: Vec<u8>,
}

/// Every file below `vault/` by its path there.
pub(super) fn all(files: &Files) -> BTreeMap<&str, Opened> {
    let vault: Vec<(&str, &[u8])> =
        files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix("vault/")?, bytes.as_slice()))).collect();
    let mut opened = BTreeMap::new();
    let mut keys = BTreeMap::new();
    for (path, bytes) in vault.iter().filter(|(path, _)| path.starts_with("keys/")) {
        let held = PEOPLE.iter().find_map(|(name, seed)| {
            let member = Seed::from_bytes(&[*seed; 32]).keys().age;
            Some((name, envelope::open(bytes, &[&member]).ok()?.to_vec()))
        });
        let Some((name, plain)) = held else {
            opened.insert(*path, Opened { kind: "a dummy".into(), plain: Vec::new() });
            continue;
        };
        let KeyFile { scope, key, .. } = KeyFile::parse(&plain).expect("a wrapped key");
        opened.insert(*path, Opened { kind: format!("key of {scope}, wrapped to {name}"), plain });
        keys.insert(scope.to_string(), key);
    }
    for (path, bytes) in vault.iter().filter(|(path, _)| !path.starts_with("keys/")) {
        opened.insert(*path, one(path, bytes, &keys));
    }
    opened
}

fn one(path: &str, bytes: &[u8], keys: &BTreeMap<String, Identity>) -> Opened {
    let with = |scope: &str| envelope::open(bytes, &[&keys[scope]]).map(|plain| plain.to_vec());
    if path.contains("/entries/") {
        let plain = with("custody").expect("an entry");
        let (entry, _) = Entry::decode_padded(&plain).expect("an entry");
        let event = match entry.event {
            Event::Found(_) => "found",
            Event::Seal(_) => "seal",
            _ => "open",
        };
        return Opened { kind: format!("entry: {event}"), plain };
    }
    if !path.starts_with("blobs/") {
        let kind = if path == "VAULT" { "the hint" } else { "checkpoint" };
        return Opened { kind: kind.into(), plain: bytes.to_vec() };
    }
    if let Ok(plain) = with("custody") {
        Inventory::decode_padded(&plain).expect("an inventory");
        return Opened { kind: "inventory".into(), plain };
    }
    let plain = with("main").expect("a manifest or a segment");
    let kind = if Manifest::decode_padded(&plain).is_ok() { "manifest" } else { "segment" };
    Opened { kind: kind.into(), plain }
}
