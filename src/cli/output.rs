//! Results to standard output, talk to standard error. Whatever came from a file or another person is escaped before
//! it can reach a terminal; colours only where a person looks.

use std::fmt::Write as _;

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

use super::call::Call;
use super::error::CliError;
use super::hints;
use crate::format::names::{printable, printable_text};
use crate::vault::findings::Finding;

/// Troubles that are told one by one.
const TROUBLES_SHOWN_MAX: usize = 5;

/// How a word is set off.
#[derive(Clone, Copy)]
pub(crate) enum Tone {
    /// It holds, it is done.
    Good,
    /// Something can be lost.
    Careful,
    /// It does not hold.
    Bad,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "\u{1b}[1;32m",
            Self::Careful => "\u{1b}[1;33m",
            Self::Bad => "\u{1b}[1;31m",
        }
    }
}

impl Call<'_, '_> {
    /// A line of the result.
    pub(crate) fn print(&mut self, line: &str) -> Result<(), CliError> {
        self.print_bytes(format!("{line}\n").as_bytes())
    }

    /// The result as it is.
    pub(crate) fn print_bytes(&mut self, bytes: &[u8]) -> Result<(), CliError> {
        self.context.stdout.write_all(bytes).map_err(|source| CliError::Output { source })?;
        self.context.stdout.flush().map_err(|source| CliError::Output { source })
    }

    /// The one object of a run with `--json`; warnings go along.
    pub(crate) fn print_json(&mut self, mut object: Value) -> Result<(), CliError> {
        self.tell_clock();
        if let Value::Object(map) = &mut object {
            map.insert("warnings".into(), self.warnings.clone().into());
        }
        self.print_bytes(json_text(&object).as_bytes())
    }

    /// A line of talk; `--quiet` and `--json` leave it out.
    pub(crate) fn say(&mut self, line: &str) {
        if !self.global.quiet && !self.global.json {
            self.talk(line);
        }
    }

    /// The next useful command.
    pub(crate) fn suggest(&mut self, hint: impl Into<String>) {
        let mut hint: String = hint.into();
        let named = self.global.vault.as_ref().map(|vault| hints::word(&vault.to_string_lossy()));
        let about_vault = !["amparo identity", "amparo init"].iter().any(|start| hint.starts_with(start));
        if let (Some(vault), true, false) = (named, about_vault, hint.contains("--vault")) {
            hint.push_str(&format!(" --vault {vault}"));
        }
        let hint = shown(&hints::checked(hint));
        self.say(&format!("next: {hint}"));
    }

    /// What is wrong with other members' records, though nothing of this rests on them.
    pub(crate) fn warn_of_others(&mut self, findings: &[Finding]) {
        for finding in findings {
            self.warn(&format!(
                "this vault does not verify, though what was done rests on nothing of it: {}",
                said(finding)
            ));
        }
    }

    /// What does not hold of that from which something is told.
    pub(crate) fn warn_of_troubles<'f>(&mut self, what: &str, findings: impl ExactSizeIterator<Item = &'f Finding>) {
        let more = findings.len().saturating_sub(TROUBLES_SHOWN_MAX);
        for finding in findings.take(TROUBLES_SHOWN_MAX) {
            self.warn(&format!("{what} may be incomplete or disputed: {}", said(finding)));
        }
        if more > 0 {
            self.warn(&format!("{} more: amparo verify lists all", count(more as u64, "finding")));
        }
    }

    /// This copy lacks what this device has seen: another copy has more.
    pub(crate) fn warn_of_age(&mut self, findings: &[Finding]) {
        for finding in findings {
            self.warn(&format!("this is an older copy; amparo merge DIR takes in the other one: {}", said(finding)));
        }
    }

    /// What every member can read, and a sealer can be made to show.
    pub(crate) fn warn_of_words(&mut self) {
        self.warn(
            "every member of this vault can read these words, and a sealer can be forced to show them: name no witness",
        );
    }

    /// Something can be lost: said in any case, and part of the JSON.
    pub(crate) fn warn(&mut self, text: &str) {
        self.warnings.push(text.into());
        if !self.global.json {
            let word = self.set_off("warning:", Tone::Careful, self.context.terminal.errors);
            self.talk(&format!("{word} {text}"));
        }
    }

    /// A line on standard error, whatever the flags.
    pub(crate) fn talk(&mut self, line: &str) {
        // Nothing is left to do when standard error itself is gone.
        let _ = self.context.stderr.write_all(format!("{line}\n").as_bytes());
    }

    /// A word in colour, where colours may be.
    pub(crate) fn set_off(&self, word: &str, tone: Tone, on_terminal: bool) -> String {
        if self.colours(on_terminal) { format!("{}{word}\u{1b}[0m", tone.code()) } else { word.into() }
    }

    /// Whether colours may be.
    pub(crate) fn colours(&self, on_terminal: bool) -> bool {
        let dumb = self.variable("TERM").is_some_and(|term| term == "dumb");
        on_terminal && !dumb && !self.global.no_color && self.variable("NO_COLOR").is_none()
    }
}

/// Text of somebody else's, for one line.
pub(crate) fn shown(text: &str) -> String {
    printable(text.as_bytes())
}

/// What the verifier found, in its own words: names were escaped when they were found.
pub(crate) fn said(finding: &Finding) -> String {
    printable_text(&finding.to_string())
}

/// Text of somebody else's, line by line.
pub(crate) fn printable_lines(text: &str) -> String {
    let mut shown = String::new();
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        shown.push_str(&printable(line.as_bytes()));
        shown.push_str(end);
    }
    shown
}

/// JSON that a terminal can be shown: beyond what the standard asks for, invisible and direction-changing characters
/// are written as `\u…` too.
pub(crate) fn json_text(object: &Value) -> String {
    let plain = serde_json::to_string_pretty(object).expect("a JSON value always prints");
    let mut text = String::with_capacity(plain.len() + 1);
    let mut units = [0; 2];
    for c in plain.chars() {
        let harmless = c.is_ascii() || printable(c.encode_utf8(&mut [0; 4]).as_bytes()).chars().eq([c]);
        if harmless && c != '\u{7f}' {
            text.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                write!(text, "\\u{unit:04x}").expect("a string takes everything");
            }
        }
    }
    text.push('\n');
    text
}

/// A length for people.
pub(crate) fn size(bytes: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let in_units = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.1} KiB", in_units(1 << 10)),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", in_units(1 << 20)),
        _ => format!("{:.1} GiB", in_units(1 << 30)),
    }
}

/// `1 exhibit`, `2 exhibits`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    match (number, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "file or folder") => format!("{number} files and folders"),
        _ => format!("{number} {noun}s"),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn all_of(names: &[String]) -> String {
    match names {
        [] => "nobody".into(),
        [one] => one.clone(),
        [some @ .., last] => format!("{} and {last}", some.join(", ")),
    }
}

/// Lines of at most `width` columns, broken at spaces where that can be.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(4);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let room = if line.is_empty() { 0 } else { line.width() + 1 };
        if room + word.width() <= width {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            let mut one = [0; 4];
            if line.width() + c.encode_utf8(&mut one).width() > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        let text = "a word, a veryveryveryverylongword and 青鷺青鷺青鷺 شهادة";
        for width in 4..40 {
            let lines = wrapped(text, width);
            assert!(lines.iter().all(|line| line.width() <= width), "{width}: {lines:?}");
            let letters = |text: &str| text.replace(' ', "");
            assert_eq!(letters(&lines.concat()), letters(text));
        }
        assert_eq!(wrapped("", 10), [""]);
    }

    #[test]
    fn json_does_not_command_a_terminal_and_is_read_back_the_same() {
        let object = serde_json::json!({ "name": "a\u{1b}[2J\u{202e}\u{9b}شهادة\u{feff}\\" });
        let text = json_text(&object);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}', '\u{feff}']) && text.contains("شهادة"));
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), object);
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1536), "1.5 KiB");
        assert_eq!(size(16 << 20), "16.0 MiB");
        assert_eq!(count(1, "exhibit"), "1 exhibit");
        assert_eq!(all_of(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
