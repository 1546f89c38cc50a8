//! The ASCII armor of age (c2sp.org/age, strict PEM): a small age file as text that survives mail and a phone.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
const COLUMNS: usize = 64;
const GROUP: usize = COLUMNS / 4 * 3;

/// The text is no armored age file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no age file in its text form, or was changed on the way")]
pub struct ArmorError;

/// An age file as text.
pub fn print(bytes: &[u8]) -> String {
    let mut text = format!("{BEGIN}\n");
    for group in bytes.chunks(GROUP) {
        BASE64_STANDARD.encode_string(group, &mut text);
        text.push('\n');
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// How long such a text of an age file of so many bytes becomes at most: on its way a line may end in two bytes.
pub fn text_bytes_max(bytes: u64) -> u64 {
    const MARKS: usize = BEGIN.len() + 2 + END.len() + 2;
    let lines = bytes.div_ceil(GROUP as u64);
    bytes.div_ceil(3).saturating_mul(4).saturating_add(lines.saturating_mul(2)).saturating_add(MARKS as u64)
}

/// Whether a text begins so.
pub fn begins(start: &[u8]) -> bool {
    start.trim_ascii_start().starts_with(BEGIN.as_bytes())
}

/// Reads it back. White space before and behind it, and line ends of another system, are what mail does: they do not
/// count. Within, nothing may differ from the one way to write it.
pub fn parse(text: &[u8]) -> Result<Vec<u8>, ArmorError> {
    let text = std::str::from_utf8(text).map_err(|_| ArmorError)?.replace("\r\n", "\n");
    let text = text.trim();
    let body = text.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).ok_or(ArmorError)?;
    let bytes = BASE64_STANDARD.decode(body.replace('\n', "")).map_err(|_| ArmorError)?;
    if print(&bytes).trim_end() == text { Ok(bytes) } else { Err(ArmorError) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_at_every_length_and_after_a_journey_by_mail() {
        for length in [1, 47, 48, 49, 96, 3000] {
            let bytes = vec![0xa5; length];
            let text = print(&bytes);
            assert!(text.lines().all(|line| line.len() <= COLUMNS));
            assert_eq!(parse(text.as_bytes()), Ok(bytes.clone()));
            assert_eq!(text_bytes_max(length as u64), text.replace('\n', "\r\n").len() as u64);
            let mailed = format!("\r\n  {}\r\n\r\n", text.replace('\n', "\r\n"));
            assert_eq!(parse(mailed.as_bytes()), Ok(bytes));
        }
    }

    #[test]
    fn other_ways_to_write_it_are_refused() {
        let text = print(&[7; 100]);
        let (first, rest) = text.split_at(BEGIN.len() + 1 + 10);
        for other in [format!("{first}\n{rest}"), format!("{first} {rest}"), format!("x{text}"), text.replace('=', "")]
        {
            assert_eq!(parse(other.as_bytes()), Err(ArmorError), "{other}");
        }
        assert_eq!(parse(b""), Err(ArmorError));
        assert_eq!(parse(&[0xff]), Err(ArmorError));
    }
}
