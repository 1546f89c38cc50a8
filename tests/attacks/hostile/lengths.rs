//! Documents by whoever has the vault's keys, signed and properly encrypted, that claim lengths nobody could hold and nest deeper than
//! anybody could follow. Each is the one thing that is found wrong, for what it costs to read its bytes.

use std::collections::BTreeSet;
use std::fs;

use amparo::crypto::pad::padded_length;
use amparo::crypto::seed::Seed;
use amparo::format::document::Document;
use amparo::format::entry::Entry;
use amparo::format::event::Event;
use amparo::format::identity_file::IdentityFile;
use amparo::format::inventory::Inventory;
use amparo::format::manifest::Manifest;
use amparo::format::pseudonym::Pseudonym;

use super::judge::{Desk, Input, Says};
use crate::commands::harness::World;
use crate::vault::forge::{CUSTODY, Forge, MAIN, Pen, READER, SEALER, VAULT, founded, note, to};
use crate::vault::forge_seal::{Exhibit, Twist, path};

/// What begins a value: MessagePack's lengths at their largest, and things within things.
fn beginnings() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("4 GiB of bytes", vec![0xc6, 0xff, 0xff, 0xff, 0xff]),
        ("4 GiB of text", vec![0xdb, 0xff, 0xff, 0xff, 0xff]),
        ("a list of 2^32", vec![0xdd, 0xff, 0xff, 0xff, 0xff]),
        ("a map of 2^32", vec![0xdf, 0xff, 0xff, 0xff, 0xff]),
        ("an extension of 4 GiB", vec![0xc9, 0xff, 0xff, 0xff, 0xff, 1]),
        ("a list of 65,535", vec![0xdc, 0xff, 0xff]),
        ("a map of 65,535", vec![0xde, 0xff, 0xff]),
        ("lists within lists", vec![0x91; 200_000]),
        ("maps within maps", [0x81, 0xa1, b'a'].repeat(100_000)),
        ("a list of nothings", [&[0xdd, 0, 0x20, 0, 0][..], &vec![0xc0; 2 << 20]].concat()),
    ]
}

/// Where it stands: instead of the document, of its first value, or behind its end.
fn bent(honest: &[u8]) -> Vec<(String, Vec<u8>)> {
    // A map, the text of its first key, and its value.
    let first = 2 + usize::from(honest[1] & 0x1f);
    let mut all = Vec::new();
    for (what, begins) in beginnings() {
        all.push((format!("{what} as a document"), begins.clone()));
        all.push((format!("{what} as its first value"), [&honest[..first], &begins, &honest[first..]].concat()));
        all.push((format!("{what} behind its end"), [honest, &begins].concat()));
    }
    all
}

fn padded<T: Document>(body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    let length = padded_length(body.len() as u64, T::PADDED_MIN);
    body.resize(usize::try_from(length).expect("short"), 0);
    body
}

/// One more entry of the sealer's, which is no entry; and where it lies.
fn entry(body: &[u8], forge: &Forge, pen: &mut Pen) -> (&'static str, String) {
    let lies = pen.plaintext(forge, body, &padded::<Entry>(body));
    pen.sign(forge);
    ("entry", lies)
}

/// A sealing whose inventory, or whose manifest, is none.
fn sealing(body: &[u8], forge: &Forge, pen: &mut Pen, is_inventory: bool) -> (&'static str, String) {
    let (mut event, _) = pen.sealing(forge, &[Exhibit::text("words")], &Twist::default());
    let Event::Seal(seal) = &mut event else { unreachable!() };
    let (blob, honest) = if is_inventory {
        (forge.put_blob(&padded::<Inventory>(body), &[&to(CUSTODY)]), &mut seal.inventory)
    } else {
        (forge.put_blob(&padded::<Manifest>(body), &[&to(MAIN)]), &mut seal.manifests[0].blob)
    };
    forge.remove(&path(*honest));
    *honest = blob;
    pen.say(forge, &[], event);
    (if is_inventory { "inventory" } else { "manifest" }, path(blob))
}

#[test]
fn claimed_lengths_and_depths_cost_nothing_and_are_the_one_thing_wrong() {
    let _row = crate::soak::row(9);
    let world = World::new();
    let Some(desk) = Desk::new(&world) else { return };
    let name = Pseudonym::parse("Harbour").expect("a name");
    let identity = IdentityFile { name, seed: Seed::from_bytes(&[READER; 32]) };
    world.write("reader/.config/amparo/identity.age", &identity.to_bytes());
    let (base, founder) = founded();
    let mut sealer = Pen::begin(base.vault, SEALER, "S4");
    sealer.say(&base, &[founder.head()], note("hello"));
    let (event, _) = sealer.sealing(&base.copy(), &[Exhibit::text("words")], &Twist::default());
    let honest = sealer.entry(&[], event).encode();
    let (mut met, mut faults) = (0, Vec::new());
    for (what, body) in bent(&honest) {
        for kind in ["entry", "inventory", "manifest"] {
            let (forge, mut pen) = (base.copy(), sealer.clone());
            let (check, subject) = match kind {
                "entry" => entry(&body, &forge, &mut pen),
                _ => sealing(&body, &forge, &mut pen, kind == "inventory"),
            };
            let _ = fs::remove_dir_all(world.path("reader/vault"));
            for (file, bytes) in forge.disk.files() {
                let below = file.strip_prefix(VAULT).expect("a vault alone").to_str().expect("text");
                world.write(&format!("reader/vault/{below}"), &bytes);
            }
            let input = Input {
                what: format!("{what}: {kind}"),
                who: "reader",
                args: &["verify", "vault", "--json", "--vault-id", &base.vault.to_string()],
                writes: &["reader/.local"],
                exit: 3,
                says: Says::Findings(BTreeSet::from([(check.to_string(), subject)])),
            };
            met += 1;
            faults.extend(desk.meets(&input).err());
        }
    }
    crate::soak::tell(&format!("{met} documents that claim too much"));
    assert!(faults.is_empty(), "{} of {met}: {}", faults.len(), faults.join("\n\n"));
}
