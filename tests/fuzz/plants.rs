//! Parsers with a planted fault, one for each target: what the checks of [`super::checks`] ask of a parser turns red at each.

use amparo::crypto::envelope::hybrid_stanzas;
use amparo::crypto::pad::padded_length;
use amparo::format::card::Card;
use amparo::format::document::Document;
use amparo::format::entry::Entry;
use amparo::format::inventory::Inventory;
use amparo::format::key_file::KeyFile;
use amparo::format::listing::Listing;
use amparo::format::manifest::Manifest;
use amparo::format::media::{Glance, embedded};
use amparo::format::note::Note;
use amparo::format::parity::PacketHeader;
use amparo::format::pouch::{self, Header};
use amparo::format::receipt::Receipt;
use amparo::format::{form, names};
use amparo::store::{RelPath, layout};

use super::checks::found::found_on_a_device;
use super::checks::{self, Check, are_whole_lines, header_at, is_as_printed, payload_again};
use super::{corpus, run};

const PLANTS: [(&str, &str, Check); 19] = [
    ("entry", "zeros behind its end are passed over", |bytes| {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        same(Entry::decode(&bytes[..end]).map(|entry| entry.encode()), bytes)
    }),
    ("inventory", "it may be filled up to any length", |bytes| {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let mut padded = bytes[..end].to_vec();
        padded.resize(usize::try_from(padded_length(end as u64, Inventory::PADDED_MIN)).expect("short"), 0);
        same(Inventory::decode_padded(&padded).map(|(inventory, _)| inventory.encode_padded()), bytes)
    }),
    ("manifest", "what fills it up is not looked at", |bytes| {
        let mut zeroed = bytes.to_vec();
        zeroed[bytes.len() / 2..].fill(0);
        same(Manifest::decode_padded(&zeroed).map(|(manifest, _)| manifest.encode_padded()), bytes)
    }),
    ("checkpoint", "characters that nobody sees are passed over", |bytes| {
        same(Note::parse(&visible(bytes)).map(|note| note.to_bytes()), bytes)
    }),
    ("card", "the same", |bytes| same(Card::parse(&visible(bytes)).map(|card| card.as_bytes().to_vec()), bytes)),
    ("receipt", "the same", |bytes| {
        same(Receipt::parse(&visible(bytes)).map(|receipt| receipt.print().into_bytes()), bytes)
    }),
    ("pouch", "the sum of a header is not looked at", |bytes| {
        let mut summed = bytes.to_vec();
        let Some(block) = summed.first_chunk_mut::<512>() else { return false };
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let Some(Header::Member { path, bytes: size, .. }) = header_at(&summed, 0, Some(0)) else { return false };
        assert!(bytes.starts_with(&pouch::member_header(&path, size, 0)));
        true
    }),
    ("parity", "of a packet's row nothing is read", |bytes| {
        const ROW: std::ops::Range<usize> = 12..16;
        let mut first = bytes.to_vec();
        let Some(row) = first.get_mut(ROW) else { return false };
        row.fill(0);
        PacketHeader::parse(&first).is_some_and(|(header, _)| {
            assert!(bytes.starts_with(&header.print()));
            true
        })
    }),
    ("form", "an answer may be empty", |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        form::parse(text).is_ok_and(|_| {
            let mut answers = text.lines().filter_map(|line| line.split_once(" = "));
            assert!(answers.all(|(_, value)| value != "\"\""));
            true
        })
    }),
    ("names", "a name is taken as it is", |bytes| {
        assert!(names::is_safe_member(&String::from_utf8_lossy(bytes)));
        true
    }),
    ("payload", "zeros are taken for what was cut off", |bytes| {
        let mut whole = bytes.to_vec();
        whole.resize(bytes.len().next_multiple_of(16 << 10), 0);
        same(payload_again(&whole).ok_or(()), bytes)
    }),
    ("listing", "characters that nobody sees are passed over", |bytes| {
        same(Listing::parse(&visible(bytes)).and_then(|listing| listing.print()), bytes)
    }),
    ("secrets", "the same", |bytes| same(KeyFile::parse(&visible(bytes)).map(|key| key.print().to_vec()), bytes)),
    ("words", "the same", |bytes| {
        let seen = visible(bytes);
        assert_eq!(checks::words(&seen), checks::words(bytes));
        checks::words(&seen)
    }),
    ("envelope", "characters that nobody sees are passed over", |bytes| {
        let seen = hybrid_stanzas(&visible(bytes));
        assert!(seen.is_err() || seen == hybrid_stanzas(bytes));
        seen.is_ok()
    }),
    ("media", "what came first is all that is looked at", |bytes| {
        let (mut first, mut whole) = (Glance::default(), Glance::default());
        first.see(&bytes[..bytes.len() / 2]);
        whole.see(bytes);
        let said = embedded(&whole);
        assert_eq!(embedded(&first), said);
        !said.is_empty()
    }),
    ("paths", "large letters are taken for small ones", |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return false };
        let is_named = layout::is_named(&text.to_ascii_lowercase().replace("vault", "VAULT"));
        if is_named {
            is_as_printed(&RelPath::parse(text).expect("a path"));
        }
        is_named
    }),
    ("memory", "a torn line is taken for whole", |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let names: Vec<RelPath> = text.lines().filter_map(RelPath::parse).collect();
        are_whole_lines(&names, bytes);
        !names.is_empty()
    }),
    ("device", "what comes first is all that is looked at", |bytes| {
        let found = found_on_a_device("/home/notes.txt", bytes);
        assert_eq!(found_on_a_device("/home/notes.txt", &bytes[..bytes.len() / 2]), found);
        !found.is_empty()
    }),
];

/// What was taken has one print.
fn same<E>(printed: Result<Vec<u8>, E>, bytes: &[u8]) -> bool {
    printed.is_ok_and(|printed| {
        assert_eq!(printed, bytes);
        true
    })
}

fn visible(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| !matches!(byte, 0 | 1 | 0x7f | 0xff)).collect()
}

/// What a run says of a parser that does not survive it.
fn noticed(name: &str, parser: Check, corpus: &[Vec<u8>]) -> bool {
    let ended = std::panic::catch_unwind(|| run(name, parser, corpus));
    ended.is_err_and(|said| said.downcast_ref::<String>().is_some_and(|said| said.contains("does not survive")))
}

#[test]
fn a_parser_that_panics_or_takes_two_prints_is_noticed() {
    let _row = crate::soak::row(7);
    let corpus = corpus();
    for (target, plant, parser) in PLANTS {
        assert!(noticed(target, parser, &corpus), "{target}: {plant}: not seen");
    }
}
