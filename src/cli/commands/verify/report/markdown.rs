//! Text of others inside a Markdown page. It stands in code spans, in which no renderer makes a heading, a link, an image or
//! HTML of anything, and no linkifier looks for addresses.

use crate::format::names::printable;

/// Somebody's words as one code span, for a line or a cell of a table.
pub(super) fn quoted(text: &str) -> String {
    let harmless = text.split('\n').map(|line| printable(line.as_bytes())).collect::<Vec<_>>().join(" / ");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_span() {
        assert_eq!(quoted("a"), "` a `");
        assert_eq!(quoted("`"), "`` ` ``");
        assert_eq!(quoted("a``b`"), "``` a``b` ```");
        assert_eq!(quoted("# a\n<b>\n![x](y)"), "` # a / <b> / ![x](y) `");
        assert_eq!(quoted("a|b\u{202e}\u{1b}"), "` a\u{a6}b\\u{202e}\\u{1b} `");
        assert_eq!(quoted(" "), "(nothing)");
    }
}
