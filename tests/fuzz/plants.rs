//! Parsers with a planted fault, one for each target: what the checks of [`super::checks`] ask of a parser turns red at each.

use amparo::format::card::Card;
use amparo::format::document::Document;
use amparo::format::entry::Entry;
use amparo::format::form;
use amparo::format::manifest::Manifest;
use amparo::format::names;
use amparo::format::note::Note;
use amparo::format::pouch::{self, Header};
use amparo::format::receipt::Receipt;

use super::checks::{Check, header_at};
use super::{corpus, run};

const PLANTS: [(&str, &str, Check); 10] = [
    ("entry", "zeros behind its end are passed over", |bytes| {
        let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        same(Entry::decode(&bytes[..end]).map(|entry| entry.encode()), bytes)
    }),
    ("inventory", "a length is believed", |bytes| {
        let claimed = bytes.get(1).map_or(0, |byte| usize::from(*byte));
        !bytes[..claimed].is_empty()
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
    ("parity", "a field is read where nothing is", |bytes| bytes[32] == bytes[33]),
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
    let corpus = corpus();
    for (target, plant, parser) in PLANTS {
        assert!(noticed(target, parser, &corpus), "{target}: {plant}: not seen");
    }
}
