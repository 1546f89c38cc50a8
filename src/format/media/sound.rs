//! What a sound says of itself: the chunks of WAV (`bext` of field recorders, EBU Tech 3285; `INFO`), and the tags of
//! MP3, Ogg, Opus and FLAC through a library.

use std::io::Cursor;

use lofty::config::{ParseOptions, ParsingMode};
use lofty::file::TaggedFileExt as _;
use lofty::probe::Probe;
use lofty::tag::ItemKey;

use super::claims::{Claims, clean, moment, until_zero};
use super::glance::Part;

pub(super) fn read(head: &[u8], parts: &[Part], claims: &mut Claims) {
    for (name, part) in parts {
        match name {
            b"bext" => recorded(part, claims),
            b"LIST" => informed(part, claims),
            _ => {}
        }
    }
    tagged(head, claims);
}

/// `bext`: description (256), originator (32), reference (32), date (10), time (8).
fn recorded(part: &[u8], claims: &mut Claims) {
    let field = |at: usize, bytes: usize| part.get(at..).and_then(|rest| rest.get(..bytes)).and_then(until_zero);
    claims.say("embedded/device", field(256, 32));
    let clock = field(330, 8).unwrap_or_default();
    claims.say("embedded/taken", field(320, 10).and_then(|date| moment(&format!("{date} {clock}"))));
}

/// A list of texts, each with its name and length, from even places.
fn informed(part: &[u8], claims: &mut Claims) {
    let Some(mut rest) = part.strip_prefix(b"INFO") else { return };
    while let Some((header, after)) = rest.split_first_chunk::<8>() {
        let bytes = header.get(4..).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes));
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let Some((content, later)) = after.split_at_checked(bytes) else { return };
        match header.get(..4) {
            Some(b"ICRD") => claims.say("embedded/taken", until_zero(content).and_then(|date| moment(&date))),
            Some(b"ISFT") => claims.say("embedded/software", until_zero(content)),
            _ => {}
        }
        rest = if bytes % 2 == 1 { later.get(1..).unwrap_or_default() } else { later };
    }
}

/// Tags at the beginning of a file. Those of films and of WAV were read above; the library would look for them in a file
/// that may be cut off.
fn tagged(head: &[u8], claims: &mut Claims) {
    if ![b"ID3".as_slice(), b"OggS", b"fLaC"].iter().any(|start| head.starts_with(start)) {
        return;
    }
    let options = ParseOptions::new().read_properties(false).read_cover_art(false).parsing_mode(ParsingMode::Relaxed);
    let probe = Probe::new(Cursor::new(head)).options(options).guess_file_type();
    let Some(file) = probe.ok().and_then(|probe| probe.read().ok()) else { return };
    for tag in file.tags() {
        let text = |key| tag.get_string(key).and_then(clean);
        claims.say("embedded/taken", text(ItemKey::RecordingDate).and_then(|time| moment(&time)));
        claims.say("embedded/created", text(ItemKey::EncodingTime).and_then(|time| moment(&time)));
        claims.say("embedded/software", text(ItemKey::EncoderSoftware).or_else(|| text(ItemKey::EncodedBy)));
    }
}
