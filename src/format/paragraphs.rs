//! A text is committed paragraph by paragraph, so that a court's copy can withhold some and still be checked.

use super::record::PARAGRAPH_PREFIX;
use crate::crypto::commit::Secret;
use crate::crypto::hash::Hash;

/// A longer text is committed as a whole only: 1 MiB.
pub const TEXT_BYTES_MAX: usize = 1 << 20;
/// A text of more paragraphs is committed as a whole only.
pub const PARAGRAPHS_MAX: usize = 4096;

/// The paragraphs of `content`, which put together are `content` again; `None` when it is not committed by paragraph:
/// its media type is neither `text/plain` nor `text/markdown`, it is no UTF-8, it is too long or has too many.
///
/// A line ends with a line feed. A line is blank when it holds nothing but spaces, tabs, carriage returns and its line
/// feed. A paragraph begins at the start of the text, and at each line that is not blank and follows a blank one.
pub fn paragraphs<'a>(media_type: &str, content: &'a [u8]) -> Option<Vec<&'a str>> {
    if !is_committed_type(media_type) || content.len() > TEXT_BYTES_MAX {
        return None;
    }
    let found = split(std::str::from_utf8(content).ok()?);
    (found.len() <= PARAGRAPHS_MAX).then_some(found)
}

/// Whether texts of this media type are committed by paragraph.
pub fn is_committed_type(media_type: &str) -> bool {
    matches!(media_type, "text/plain" | "text/markdown")
}

/// The path of paragraph `number`, from 1: `content/paragraph/000001`.
pub fn path(number: usize) -> String {
    format!("{PARAGRAPH_PREFIX}{number:06}")
}

/// The commitments to the paragraphs, in their order.
pub fn commitments(secret: &Secret, paragraphs: &[&str]) -> Vec<Hash> {
    let salts = secret.salts();
    (1..).zip(paragraphs).map(|(number, text)| salts.commit(&path(number), text.as_bytes())).collect()
}

fn split(text: &str) -> Vec<&str> {
    let mut paragraphs = Vec::new();
    let (mut start, mut at, mut after_blank) = (0_usize, 0_usize, false);
    for line in text.split_inclusive('\n') {
        let blank = line.bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        if after_blank && !blank {
            paragraphs.extend(text.get(start..at));
            start = at;
        }
        after_blank = blank;
        at = at.saturating_add(line.len());
    }
    paragraphs.extend(text.get(start..).filter(|last| !last.is_empty()));
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_begin_after_blank_lines() {
        for (text, expected) in [
            ("", vec![]),
            ("one", vec!["one"]),
            ("one\ntwo\n", vec!["one\ntwo\n"]),
            ("one\n\ntwo", vec!["one\n\n", "two"]),
            ("one\r\n \t\r\n\r\ntwo\r\n\r\n", vec!["one\r\n \t\r\n\r\n", "two\r\n\r\n"]),
            ("\n\none", vec!["\n\n", "one"]),
            ("\n \n", vec!["\n \n"]),
            ("a\n\u{a0}\nb", vec!["a\n\u{a0}\nb"]),
        ] {
            assert_eq!(split(text), expected, "{text:?}");
            assert_eq!(split(text).concat(), text);
        }
    }

    #[test]
    fn only_short_texts_are_committed_by_paragraph() {
        assert!(paragraphs("text/plain", b"a").is_some() && paragraphs("text/markdown", b"a").is_some());
        assert!(paragraphs("text/html", b"a").is_none());
        assert!(paragraphs("text/plain", b"\xff").is_none());
        assert!(paragraphs("text/plain", &vec![b'a'; TEXT_BYTES_MAX]).is_some());
        assert!(paragraphs("text/plain", &vec![b'a'; TEXT_BYTES_MAX + 1]).is_none());
        assert!(paragraphs("text/plain", "a\n\n".repeat(4096).as_bytes()).is_some());
        assert!(paragraphs("text/plain", "a\n\n".repeat(4097).as_bytes()).is_none());
    }

    #[test]
    fn commitments_bind_the_place_of_a_paragraph() {
        let secret = Secret([3; 32]);
        let made = commitments(&secret, &["a", "a"]);
        assert_eq!(made[0], secret.salts().commit("content/paragraph/000001", b"a"));
        assert_ne!(made[0], made[1]);
        assert_eq!(path(4096), "content/paragraph/004096");
    }
}
