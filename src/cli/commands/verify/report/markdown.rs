//! Text of others inside a Markdown page. It stands in code spans, in which no renderer makes a heading, a link, an image or
//! HTML of anything, and no linkifier looks for addresses.

use crate::format::names::{printable, printable_text};

/// Somebody's words as one code span, for a line or a cell of a table.
pub(super) fn quoted(text: &str) -> String {
    code(text, |line| printable(line.as_bytes()))
}

/// The same of a text of this program's, with names in it that are escaped already.
pub(super) fn quoted_text(text: &str) -> String {
    code(text, printable_text)
}

fn code(text: &str, harmless: impl Fn(&str) -> String) -> String {
    let harmless = text.split('\n').map(harmless).collect::<Vec<_>>().join(" / ");
    if harmless.trim().is_empty() {
        return "(nothing)".into();
    }
    // A vertical bar ends a cell even inside a code span, unless a backslash stands before it; and where no cell is, that
    // backslash would show. So the bar gets another shape, everywhere.
    let harmless = harmless.replace('|', "\u{a6}");
    let longest = harmless.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // A space inside the fence keeps an outer backtick from joining it, and is not shown.
    format!("{fence} {harmless} {fence}")
}

/// A sentence that the program made. With a foreign word in it that could mean something to a renderer, it stands in a code
/// span as a whole.
pub(super) fn sentence(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || " ,.;:()'-".contains(c);
    let begins = text.starts_with(char::is_alphabetic)
        || !text.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(['.', ')']);
    let address = text.to_lowercase().contains("www.");
    if text.chars().all(plain) && begins && !address && !text.starts_with('-') { text.into() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_plain_only_where_nothing_in_it_can_mean_anything() {
        let ours = "handovers that wait for an answer: 1 (K7:3)";
        assert_eq!(sentence(ours), ours);
        assert_eq!(sentence("3 entries of Ann, late"), "3 entries of Ann, late");
        for text in ["*Ann*", "www.example", "a <b>", "[x](y)", "1. Ann", "- Ann", "# Ann", "a_b_", "https://x"] {
            assert!(sentence(text).starts_with('`'), "{text}");
        }
    }

    #[test]
    fn nothing_leaves_its_span() {
        assert_eq!(quoted("a"), "` a `");
        assert_eq!(quoted("`"), "`` ` ``");
        assert_eq!(quoted("a``b`"), "``` a``b` ```");
        assert_eq!(quoted("# a\n<b>\n![x](y)"), "` # a / <b> / ![x](y) `");
        assert_eq!(quoted("a|b\u{202e}\u{1b}"), "` a\u{a6}b\\u{202e}\\u{1b} `");
        assert_eq!(quoted(" "), "(nothing)");
        assert_eq!([quoted("a\\u{1b}"), quoted_text("a\\u{1b}")], ["` a\\\\u{1b} `", "` a\\u{1b} `"]);
    }
}
