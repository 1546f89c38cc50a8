//! What a file is by its first bytes, whatever its name says, and what a camera, a phone or a recorder wrote into it:
//! device, times, place. Claims of the file, kept beside it; the original keeps the rest. Its bytes may be hostile: here
//! they cost a bounded memory and time, and never an error.
//!
//! - this file: the media type, and [`Glance`]'s outcome
//! - [`glance`]: the few parts of a file that tell of it, kept while all of it goes by
//! - [`claims`]: what was found, in the forms that a record has
//! - [`picture`]: EXIF, through a library
//! - [`film`]: the boxes of MP4, QuickTime and 3GP
//! - [`sound`]: the chunks of WAV, and tags through a library

mod claims;
mod film;
mod glance;
mod picture;
mod sound;

pub use claims::EMBEDDED_CHARS_MAX;
pub use glance::{Glance, HEAD_BYTES_MAX};

const UNKNOWN: &str = "application/octet-stream";

/// The media type of a file from its first bytes and, for Markdown only, its name. `whole` tells that `head` is all of
/// it: a cut may split a character of a text.
pub fn media_type(head: &[u8], whole: bool, name: &[u8]) -> &'static str {
    if let Some(kind) = infer::get(head) {
        return kind.mime_type();
    }
    if !is_text(head, whole) {
        return UNKNOWN;
    }
    let name = name.to_ascii_lowercase();
    if name.ends_with(b".md") || name.ends_with(b".markdown") { "text/markdown" } else { "text/plain" }
}

/// UTF-8 with no other control characters than those that lay out a text.
fn is_text(head: &[u8], whole: bool) -> bool {
    let (text, cut) = match std::str::from_utf8(head) {
        Ok(text) => (text, false),
        Err(error) => {
            let text = head.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
            (text.unwrap_or_default(), error.error_len().is_none() && !whole)
        }
    };
    let complete = cut || text.len() == head.len();
    complete && !text.is_empty() && !text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}'))
}

/// The fields `embedded/…` of a file that has gone by, sorted by path; none when it says nothing of itself, or nothing
/// that can be so.
pub fn embedded(glance: &Glance) -> Vec<(&'static str, String)> {
    // Two libraries read bytes that an enemy may have written. A panic in one of them must not stop a sealing: the file
    // then says nothing of itself.
    let found = std::panic::catch_unwind(|| {
        let mut claims = claims::Claims::default();
        picture::read(glance.head(), &mut claims);
        film::read(glance.parts(), &mut claims);
        sound::read(glance.head(), glance.parts(), &mut claims);
        claims.into_fields()
    });
    found.unwrap_or_default()
}

#[cfg(test)]
mod tests;
