//! Entries: intact, in their place, of this log and vault, and in the one encoding that the format gives.

use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Recipient;
use amparo::format::document::Document;
use amparo::format::entry::{Entry, entry_leaf};
use amparo::format::event::Head;
use amparo::format::ids::{LogId, VaultId};
use amparo::store::layout::{self, EntryName};
use amparo::vault::findings::{Check, Verdict};

use crate::vault::forge::{CUSTODY, Forge, MAIN, Pen, SEALER, founded, note, to};

const INVALID: Verdict = Verdict::Invalid;

/// The sealer's second entry is `bytes`: signed as if it were an entry, and no entry.
fn unreadable(encoding: &[u8], padded: &[u8]) {
    let (forge, founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    let path = sealer.plaintext(&forge, encoding, padded);
    sealer.sign(&forge);
    forge.finds(&[(Check::Entry, INVALID, &path)]);
}

/// The sealer's second entry, bent and signed.
fn bent(bend: impl Fn(&mut Entry)) -> (Forge, Pen, String) {
    let (forge, founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[founder.head()], note("hello"));
    let mut entry = sealer.entry(&[], note("bent"));
    bend(&mut entry);
    let path = sealer.unsigned(&forge, &entry);
    sealer.sign(&forge);
    (forge, sealer, path)
}

#[test]
fn an_entry_stands_in_its_own_place() {
    let wrong: [&dyn Fn(&mut Entry); 9] = [
        &|entry| entry.seq = 5,
        &|entry| entry.log = LogId([1; 16]),
        &|entry| entry.vault = VaultId(Hash::of(b"another vault")),
        &|entry| entry.format = "amparo.v2/entry".into(),
        &|entry| entry.time = "yesterday".into(),
        &|entry| entry.time = "2031-02-30T23:10:00-03:00".into(),
        &|entry| entry.clock = "a\u{1b}[31mclock".into(),
        &|entry| {
            let head = |n: u8| Head { log: LogId([n; 16]), size: 1, root: Hash::of(&[n]) };
            entry.heads = (0..65).map(head).collect();
        },
        &|entry| {
            let head = |n: u8| Head { log: LogId([n; 16]), size: 1, root: Hash::of(&[n]) };
            entry.heads = vec![head(2), head(1)];
        },
    ];
    for bend in wrong {
        let (forge, _, path) = bent(bend);
        forge.finds(&[(Check::Entry, INVALID, &path)]);
    }
    bent(|_| {}).0.finds(&[]);
}

#[test]
fn an_entry_names_the_root_before_it() {
    let (forge, sealer, _) = bent(|entry| entry.previous = Hash::of(b"another root"));
    let verified = forge.verify(SEALER);
    let invalid: Vec<_> = verified.findings.iter().filter(|one| one.weight == INVALID).collect();
    assert_eq!(invalid.len(), 1);
    assert_eq!((invalid[0].check, &invalid[0].subject), (Check::Tree, &sealer.folder()));
}

#[test]
fn a_log_begins_once_and_with_the_id_that_its_member_gives() {
    let (forge, _, path) = bent(|entry| {
        entry.begins = Some(Pen::begin(entry.vault, SEALER, "S5").begins);
    });
    forge.finds(&[(Check::Entry, INVALID, &path)]);

    let (forge, founder) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.begins.salt = [9; 16];
    let entry = sealer.entry(&[founder.head()], note("hello"));
    let path = sealer.unsigned(&forge, &entry);
    sealer.sign(&forge);
    let folder = sealer.folder();
    forge.finds(&[(Check::Entry, INVALID, &path), (Check::Foreign, Verdict::Incomplete, &folder)]);
}

#[test]
fn an_entry_has_one_encoding() {
    let (forge, _) = founded();
    let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
    sealer.say(&forge, &[], note("hello"));
    let entry = sealer.entry(&[], note("bytes"));
    let (encoding, padded) = (entry.encode(), entry.encode_padded());
    let longer: Vec<u8> = padded.iter().copied().chain([0; 512]).collect();
    let mut marked = padded.clone();
    *marked.last_mut().expect("padding") = 1;
    // A map of 16-bit length, which the shortest form does not need.
    let wide: Vec<u8> = [&[0xde, 0, encoding[0] & 0x0f], &encoding[1..]].concat();
    let deep = [vec![0x91; 100_000], vec![0xc0]].concat();
    for padded in [&encoding, &longer, &marked, &wide, &deep, &Vec::new()] {
        unreadable(&encoding, padded);
    }
    unreadable(&encoding, &vec![0; 6 << 20]);
}

#[test]
fn an_entry_is_encrypted_to_the_custody_key_alone() {
    for (recipients, weight) in [(vec![MAIN], INVALID), (vec![CUSTODY, MAIN], INVALID)] {
        let (forge, founder) = founded();
        let mut sealer = Pen::begin(forge.vault, SEALER, "S4");
        let entry = sealer.entry(&[founder.head()], note("hello"));
        sealer.tree.push(entry_leaf(&entry.encode()));
        sealer.sign(&forge);
        let recipients: Vec<Recipient> = recipients.into_iter().map(to).collect();
        let recipients: Vec<&Recipient> = recipients.iter().collect();
        let file = amparo::crypto::envelope::seal(&entry.encode_padded(), &recipients).bytes;
        let name = EntryName { seq: 0, leaf: entry_leaf(&entry.encode()), sha256: Hash::of(&file) };
        let path = layout::entry(sealer.id, &name);
        forge.put(&path, &file);
        let verified = forge.verify(crate::vault::forge::MONITOR);
        assert!(
            verified.findings.iter().any(|one| one.check == Check::Entry && one.subject == path.to_string()),
            "{weight}: {:?}",
            verified.findings
        );
    }
}

#[test]
fn an_entry_of_another_name_is_damaged() {
    let (forge, mut founder) = founded();
    founder.say(&forge, &[], note("one"));
    let name = forge.names(&format!("{}/entries/00000000/0000000001-", founder.folder())).remove(0);
    let bytes = forge.read(&name);
    forge.remove(&name);
    // The hash is that of the file; the leaf is another's.
    let sha256 = Hash::of(&bytes);
    let path = layout::entry(founder.id, &EntryName { seq: 1, leaf: Hash::of(b"another leaf"), sha256 });
    forge.put(&path, &bytes);
    forge.finds(&[(Check::Entry, INVALID, &path.to_string())]);
}
