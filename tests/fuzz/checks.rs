//! One check for each parser of bytes from outside: whatever the bytes, it neither panics nor takes what it would print
//! otherwise. The engine of `cargo fuzz` and an ordinary test call the same functions.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use amparo::crypto::envelope::{hybrid_stanzas, is_to_one_key, payload_bytes, start_bytes, work_factor};
use amparo::crypto::hash::Hash;
use amparo::crypto::pad::padded_length;
use amparo::format::card::Card;
use amparo::format::checkpoint::Checkpoint;
use amparo::format::document::Document;
use amparo::format::entry::Entry;
use amparo::format::identity_file::IdentityFile;
use amparo::format::ids::{LogId, VaultId};
use amparo::format::inventory::Inventory;
use amparo::format::key_file::KeyFile;
use amparo::format::listing::Listing;
use amparo::format::manifest::Manifest;
use amparo::format::media::{EMBEDDED_CHARS_MAX, Glance, embedded, media_type};
use amparo::format::note::Note;
use amparo::format::parity::PacketHeader;
use amparo::format::payload::{self, PayloadReader, Place};
use amparo::format::pouch::{self, Header};
use amparo::format::receipt::Receipt;
use amparo::format::record::Record;
use amparo::format::share_file::{LentShare, ShareFile};
use amparo::format::short_receipt::ShortReceipt;
use amparo::format::volume::VolumePage;
use amparo::format::words::{self, Sheet, Written, bytewords};
use amparo::format::{armor, cosignatures, fork_proof, form, names, vault_file};
use amparo::store::RelPath;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::layout::{self, CheckpointName, EntryName};
use amparo::store::memory::Memory;

// By its path: the engine's targets and the ordinary test each come to this file in their own way.
#[path = "found.rs"]
pub(crate) mod found;
pub(crate) use found::device;

/// A check of any bytes; whether the parser took them.
pub(crate) type Check = fn(&[u8]) -> bool;

/// Every target by its name.
pub(crate) const TARGETS: [(&str, Check); 19] = [
    ("entry", entry),
    ("checkpoint", checkpoint),
    ("card", card),
    ("manifest", manifest),
    ("inventory", inventory),
    ("receipt", receipt),
    ("pouch", pouch),
    ("parity", parity),
    ("form", form),
    ("names", names),
    ("payload", payload),
    ("listing", listing),
    ("secrets", secrets),
    ("words", words),
    ("envelope", envelope),
    ("media", media),
    ("paths", paths),
    ("memory", memory),
    ("device", device),
];

/// A document has one encoding, and one padded form of it.
fn document<T: Document>(bytes: &[u8]) -> bool {
    if let Ok(document) = T::decode(bytes) {
        assert_eq!(document.encode(), bytes);
        let padded = document.encode_padded();
        assert_eq!(padded.len() as u64, padded_length(bytes.len() as u64, T::PADDED_MIN));
        let (again, length) = T::decode_padded(&padded).expect("its own padded form");
        assert_eq!((again.encode().as_slice(), length), (bytes, bytes.len()));
        return true;
    }
    match T::decode_padded(bytes) {
        Ok((document, length)) => {
            assert_eq!(document.encode_padded(), bytes);
            assert_eq!(document.encode(), bytes[..length]);
            true
        }
        Err(_) => false,
    }
}

pub(crate) fn entry(bytes: &[u8]) -> bool {
    document::<Entry>(bytes)
}

pub(crate) fn inventory(bytes: &[u8]) -> bool {
    document::<Inventory>(bytes)
}

/// A manifest, and the record beside a payload.
pub(crate) fn manifest(bytes: &[u8]) -> bool {
    let is_record = Record::parse(bytes).is_ok_and(|record| {
        assert_eq!(record.print().expect("what was read can be printed"), bytes);
        true
    });
    document::<Manifest>(bytes) || is_record
}

/// A signed note, a signed state, a text of cosignatures, a proof of contradicting histories.
pub(crate) fn checkpoint(bytes: &[u8]) -> bool {
    let mut taken = false;
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_bytes(), bytes);
        if let Ok(state) = Checkpoint::parse_text(note.text()) {
            assert_eq!(state.text(), note.text());
        }
        taken = true;
    }
    if let Ok(notes) = cosignatures::parse(bytes) {
        let printed = cosignatures::print(&notes);
        assert_eq!(cosignatures::parse(printed.as_bytes()).expect("its own print"), notes);
        taken = true;
    }
    if let Ok(proof) = fork_proof::ForkProof::parse(bytes) {
        assert_eq!(proof.print().as_bytes(), bytes);
        taken = true;
    }
    taken
}

pub(crate) fn card(bytes: &[u8]) -> bool {
    Card::parse(bytes).is_ok_and(|card| {
        assert_eq!(card.as_bytes(), bytes);
        assert_eq!(Card::parse(card.as_bytes()).map(|again| again.member()), Ok(card.member()));
        true
    })
}

/// A receipt, and its short form.
pub(crate) fn receipt(bytes: &[u8]) -> bool {
    let long = Receipt::parse(bytes).is_ok_and(|receipt| {
        assert_eq!(receipt.print().as_bytes(), bytes);
        let _ = receipt.seal();
        true
    });
    long || ShortReceipt::parse(bytes).is_ok_and(|short| {
        assert_eq!(ShortReceipt::parse(short.to_string().as_bytes()), Ok(short));
        true
    })
}

/// The archive of a pouch, member by member, as long as its headers hold; and a pouch as text.
pub(crate) fn pouch(bytes: &[u8]) -> bool {
    if let Ok(held) = armor::parse(bytes) {
        assert_eq!(armor::parse(armor::print(&held).as_bytes()), Ok(held));
        return true;
    }
    let (mut at, mut index) = (0, 0);
    while let Some(header) = header_at(bytes, at, Some(index)) {
        let Header::Member { path, bytes: size, header_bytes, .. } = header else { return true };
        let printed = pouch::member_header(&path, size, index);
        assert_eq!(printed.len() as u64, header_bytes);
        assert!(bytes[at..].starts_with(&printed));
        let next =
            (at as u64).checked_add(pouch::member_bytes(&path, size)).and_then(|next| usize::try_from(next).ok());
        let Some(next) = next.filter(|next| *next > at) else { break };
        (at, index) = (next, index + 1);
    }
    // As whoever looks for the next header in a damaged pouch.
    let _ = header_at(bytes, at.saturating_add(512), None);
    index > 0
}

pub(crate) fn header_at(bytes: &[u8], at: usize, index: Option<u32>) -> Option<Header> {
    let mut blocks = bytes.get(at..)?.chunks_exact(512);
    let next = || blocks.next().and_then(|block| block.try_into().ok()).ok_or(());
    pouch::read_header(next, || (), (at as u64, bytes.len() as u64), index).ok()
}

/// The header of a packet, and the page of a volume.
pub(crate) fn parity(bytes: &[u8]) -> bool {
    if let Some((header, _)) = PacketHeader::parse(bytes) {
        assert!(bytes.starts_with(&header.print()));
        assert!(header.row < header.layout.grid.rows && header.index < header.layout.recovery);
        assert!(header.layout.slot(header.row, header.index) < header.layout.packets());
        return true;
    }
    VolumePage::parse(bytes).is_some_and(|(page, sha256)| {
        assert_eq!(page.print(sha256), bytes);
        assert!(page.offset + page.length <= page.total);
        true
    })
}

pub(crate) fn form(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    form::parse(text).is_ok_and(|answers| {
        assert!(
            answers.fields.iter().chain(&answers.register).all(|(path, value)| !path.is_empty() && !value.is_empty())
        );
        true
    })
}

/// Any bytes become one safe name, and two different ones are never shown alike.
pub(crate) fn names(bytes: &[u8]) -> bool {
    for part in bytes.split(|byte| *byte == b'/') {
        let name = names::member_name(part);
        assert!(names::is_safe_member(&name) && !name.contains('/'), "{name:?}");
    }
    let path = names::member_path(bytes);
    assert!(names::is_safe_member(&path), "{path:?}");
    let shown = names::printable(bytes);
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
    let (field, value) = names::raw_field("name", bytes);
    assert_eq!(field == "name", names::as_text(bytes).is_some());
    assert!(field == "name" || value.len() == 2 * bytes.len());
    let both = names::unique(&[path.clone(), path.clone()]);
    assert!(both[0] != both[1] && both.iter().all(|name| names::is_safe_member(name)), "{both:?}");
    names::is_safe_member(&String::from_utf8_lossy(bytes))
}

/// The payload of an exhibit, up to its last byte.
pub(crate) fn payload(bytes: &[u8]) -> bool {
    payload_again(bytes).is_some_and(|again| {
        assert!(again == bytes);
        true
    })
}

/// The print of a payload, from what its members hold; `None` where it is none.
pub(crate) fn payload_again(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut reader, mut again, mut index) = (PayloadReader::new(bytes), Vec::new(), 0);
    let (mut listing, mut record) = (None, Vec::new());
    while let Some(mut member) = reader.next_member().ok()? {
        let (place, name, mut held) = (member.place, member.name.clone(), Vec::new());
        member.read_to_end(&mut held).ok()?;
        assert_eq!(held.len() as u64, member.bytes);
        match place {
            Place::Listing => listing = Some(held),
            Place::Record => record = held,
            Place::Content => {
                again.extend(payload::member_header(&name, member.bytes, index));
                again.extend(held);
                again.resize(again.len().next_multiple_of(512), 0);
                index += 1;
            }
        }
    }
    let tail = payload::tail(again.len() as u64, listing.as_deref(), &record);
    again.extend(tail.bytes);
    again.resize(again.len() + usize::try_from(tail.zeros).expect("no longer than what was read"), 0);
    Some(again)
}

pub(crate) fn listing(bytes: &[u8]) -> bool {
    Listing::parse(bytes).is_ok_and(|listing| {
        assert_eq!(listing.print().expect("what was read can be printed"), bytes);
        true
    })
}

/// What a key opens: an identity, a vault's key, a share of one, a share that was lent.
pub(crate) fn secrets(bytes: &[u8]) -> bool {
    let prints = [
        IdentityFile::parse(bytes).map(|identity| identity.to_bytes()).ok(),
        KeyFile::parse(bytes).map(|key| key.print()).ok(),
        ShareFile::parse(bytes).map(|share| share.print()).ok(),
        LentShare::parse(bytes).map(|share| share.print()).ok(),
    ];
    prints.into_iter().flatten().inspect(|print| assert!(print.as_slice() == bytes)).count() > 0
}

/// What a person typed from paper: words of a seed or of a share, or a share as one word.
pub(crate) fn words(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    if let Ok(share) = bytewords::from_ur(text) {
        assert!(bytewords::ur(&share).as_str() == text);
        return true;
    }
    words_again(text).is_some_and(|(taken, again)| {
        assert_eq!(taken, again);
        taken.len() == words::typed(text).count()
    })
}

/// The words that were taken, as their list has them, and those of what they give.
fn words_again(text: &str) -> Option<(Vec<String>, Vec<&'static str>)> {
    let mut sheet = Sheet::default();
    for word in words::typed(text) {
        sheet.push(&word).ok()?;
    }
    let taken = sheet.words().into_iter().map(String::from).collect();
    let again = match sheet.finish().ok()? {
        Written::Seed(seed) => words::of_seed(&seed),
        Written::Share(share) => bytewords::of_share(&share),
    };
    Some((taken, again))
}

/// What the beginning of an age file tells to whoever has no key.
pub(crate) fn envelope(bytes: &[u8]) -> bool {
    let (file_bytes, start) = (bytes.len() as u64, start_bytes(bytes));
    assert!(start.is_none_or(|start| start <= bytes.len()));
    assert!(payload_bytes(bytes, file_bytes).is_none_or(|held| held < file_bytes));
    let work = work_factor(bytes);
    let stanzas = hybrid_stanzas(bytes);
    assert!(stanzas.is_err() || start.is_some());
    assert!(!is_to_one_key(bytes).is_ok_and(|is_to_one| is_to_one) || stanzas == Ok(1));
    stanzas.is_ok() || work.is_some()
}

/// What a picture, a film or a sound says of itself, in one piece or in many.
pub(crate) fn media(bytes: &[u8]) -> bool {
    let (mut whole, mut pieces) = (Glance::default(), Glance::default());
    whole.see(bytes);
    bytes.chunks(97).for_each(|piece| pieces.see(piece));
    let said = embedded(&whole);
    assert_eq!(embedded(&pieces), said);
    for (path, value) in &said {
        assert!(path.starts_with("embedded/") && !value.chars().any(char::is_control), "{path}: {value:?}");
        assert!((1..=EMBEDDED_CHARS_MAX).contains(&value.chars().count()), "{path}: {value:?}");
    }
    assert!(media_type(whole.head(), true, b"x.md").contains('/'));
    !said.is_empty()
}

/// A name that the layout has, and the file `VAULT`.
pub(crate) fn paths(bytes: &[u8]) -> bool {
    let is_vault = vault_file::parse(bytes).is_ok_and(|vault| {
        assert_eq!(vault_file::print(&vault).as_bytes(), bytes);
        true
    });
    let Some(path) = RelPath::parse(OsStr::from_bytes(bytes)) else { return is_vault };
    assert!(path.as_path().components().all(|part| matches!(part, Component::Normal(_))));
    assert_eq!(path.components().collect::<Vec<_>>().join(OsStr::new("/")).as_bytes(), bytes);
    let text = path.as_str().unwrap_or_default();
    if layout::is_named(text) {
        is_as_printed(&path);
    }
    is_vault || layout::is_named(text)
}

/// A name of the layout says what it promises as it is printed.
pub(crate) fn is_as_printed(path: &RelPath) {
    let name = path.name().to_str().expect("a name of the layout");
    let promised = layout::named_hash(path).map(|sha256| sha256.to_string());
    assert!(name == "VAULT" || promised.is_some_and(|sha256| name.contains(&sha256)), "{name}");
    assert!(EntryName::parse(name).is_none_or(|entry| entry.to_string() == name), "{name}");
    assert!(CheckpointName::parse(name).is_none_or(|state| state.to_string() == name), "{name}");
    assert!(layout::blob_of(path).is_none_or(|blob| layout::blob(blob) == *path), "{name}");
}

/// What a device remembers: the names of what was begun, line by line, and the last change of a log, under its hash.
pub(crate) fn memory(bytes: &[u8]) -> bool {
    let (disk, vault, log) = (FaultyDisk::new(Rules::Ext4), VaultId(Hash::ZERO), LogId([0; 16]));
    let of_vault = Path::new("/state").join(vault.to_string());
    disk.put(&of_vault.join("wrote/0-0"), bytes);
    let change = [bytes, &Hash::of(bytes).0].concat();
    disk.put(&of_vault.join(format!("own/{log}/0000000001")), &change);
    let memory = Memory::open(&disk, Path::new("/state"), Hash::ZERO).expect("its folder");
    let begun = memory.intents(&vault).expect("it is read");
    let names: Vec<RelPath> = begun.into_iter().flat_map(|record| record.paths).collect();
    are_whole_lines(&names, bytes);
    let change = memory.last_change(&vault, &log).expect("it is read");
    !names.is_empty() || change.is_some_and(|(_, change)| change.files().count() > 0)
}

/// A line that is torn names nothing.
pub(crate) fn are_whole_lines(names: &[RelPath], bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let whole: Vec<&str> = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).collect();
    assert!(names.iter().all(|name| whole.contains(&name.as_str().expect("text"))), "{names:?}");
}
