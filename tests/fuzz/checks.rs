//! One check for each parser of bytes from outside: whatever the bytes, it neither panics nor takes what it would print
//! otherwise. The engine of `cargo fuzz` and an ordinary test call the same functions.

use amparo::crypto::pad::padded_length;
use amparo::format::card::Card;
use amparo::format::checkpoint::Checkpoint;
use amparo::format::document::Document;
use amparo::format::entry::Entry;
use amparo::format::inventory::Inventory;
use amparo::format::manifest::Manifest;
use amparo::format::note::Note;
use amparo::format::parity::PacketHeader;
use amparo::format::pouch::{self, Header};
use amparo::format::receipt::Receipt;
use amparo::format::record::Record;
use amparo::format::short_receipt::ShortReceipt;
use amparo::format::volume::VolumePage;
use amparo::format::{armor, cosignatures, fork_proof, form, names};

/// A check of any bytes; whether the parser took them.
pub(crate) type Check = fn(&[u8]) -> bool;

/// Every target by its name.
pub(crate) const TARGETS: [(&str, Check); 10] = [
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
