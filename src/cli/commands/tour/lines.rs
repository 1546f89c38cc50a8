//! Lines of the tour: commands as they are typed, and what they say, both broken between words where they are too long.

use std::cell::RefCell;
use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::cli::output::wrapped;

/// What sets a command's own words off from the story.
pub(super) const INDENT: &str = "  ";

/// A command as it is typed, in lines that a shell takes for one.
pub(super) fn typed(who: &str, words: &[&str], width: usize) -> String {
    let (mut text, mut line) = (String::new(), format!("{who}$ amparo"));
    for word in words.iter().map(|word| quoted(word)) {
        if line.width() + word.width() + " \\ ".len() > width {
            text.push_str(&line);
            text.push_str(" \\\n");
            line = "   ".into();
        }
        line.push(' ');
        line.push_str(&word);
    }
    text + &line
}

/// Sets a command's own words off from the story, line by line, and breaks lines that are too long between words.
pub(super) struct Indented<'a, W: Write + ?Sized> {
    inner: &'a RefCell<&'a mut W>,
    width: usize,
    /// What has come of a line so far.
    line: Vec<u8>,
}

impl<'a, W: Write + ?Sized> Indented<'a, W> {
    pub(super) fn new(inner: &'a RefCell<&'a mut W>, width: usize) -> Self {
        Self { inner, width, line: Vec::new() }
    }

    fn end_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let mut inner = self.inner.borrow_mut();
        for piece in fitted(&text, self.width) {
            writeln!(inner, "{}{piece}", if piece.is_empty() { "" } else { INDENT })?;
        }
        Ok(())
    }
}

/// A line as it is, or in several of at most `width` columns where it is longer; what follows hangs in.
fn fitted(line: &str, width: usize) -> Vec<String> {
    if line.width() <= width {
        return vec![line.into()];
    }
    let text = line.trim_start_matches(' ');
    let hang = " ".repeat(line.len() - text.len());
    let pieces = wrapped(text, width.saturating_sub(hang.len() + INDENT.len()));
    let hung =
        pieces.iter().enumerate().map(|(at, piece)| format!("{hang}{}{piece}", if at > 0 { INDENT } else { "" }));
    hung.collect()
}

impl<W: Write + ?Sized> Write for Indented<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend(part.strip_suffix(b"\n").unwrap_or(part));
            if part.ends_with(b"\n") {
                self.end_line()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.borrow_mut().flush()
    }
}

impl<W: Write + ?Sized> Drop for Indented<'_, W> {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            // Whoever reads no more has been told so at the line before.
            let _ = self.end_line();
        }
    }
}

/// A word as a shell would need it.
fn quoted(word: &str) -> String {
    let plain =
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./=:@%+".contains(&byte));
    if plain { word.into() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_command_is_broken_between_words_as_a_shell_takes_it() {
        let words = ["--vault", "vault", "seal", "evidence/a b.txt", "--receipt", "receipt.txt"];
        let text = typed("lawyer", &words, 40);
        assert!(text.lines().all(|line| line.width() <= 40), "{text}");
        let one_line = text.replace(" \\\n   ", "");
        assert_eq!(one_line, "lawyer$ amparo --vault vault seal 'evidence/a b.txt' --receipt receipt.txt");
    }

    #[test]
    fn long_lines_hang_in_and_short_ones_stay() {
        let mut out = Vec::new();
        {
            let cell = RefCell::new(&mut out);
            let mut lines = Indented::new(&cell, 20);
            lines.write_all(b"a  table  stays\n\n  which is a line too").expect("taken");
            lines.write_all(b" long for it\nand the end").expect("taken");
        }
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text, "  a  table  stays\n\n    which is a line\n      too long for it\n  and the end\n");
    }
}
