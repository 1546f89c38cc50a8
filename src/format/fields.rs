//! The fields that a record may have: for each its path, the question as a lawyer reads it, why courts ask it, and the
//! form of its answer. The choice of questions follows the Berkeley Protocol, ISO/IEC 27037 and the Istanbul Protocol.

mod table;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;

use super::names::printable;
use super::record::{BINDING_PATH, VALUE_BYTES_MAX, is_value};
pub use table::{FIELDS, FILLED_IN, REGISTER, SIX_QUESTIONS};

/// An answer that fits every field but free text: it was asked, and nobody knows.
pub const UNKNOWN: &str = "unknown";

/// What an exhibit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What a person said, written or recorded.
    Testimony,
    /// A paper, or its copy.
    Document,
    /// A medical report or finding.
    Medical,
    /// A photograph.
    Photo,
    /// A sound recording.
    Audio,
    /// A film.
    Video,
    /// Something published online.
    Web,
    /// A thing, shown by its pictures or description.
    Object,
    /// None of these.
    Other,
}

impl Kind {
    /// All kinds, in the order in which they are offered.
    pub const ALL: &'static [Self] = &[
        Self::Testimony,
        Self::Document,
        Self::Medical,
        Self::Photo,
        Self::Audio,
        Self::Video,
        Self::Web,
        Self::Object,
        Self::Other,
    ];

    /// The word for it: the value of `identity/kind`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Testimony => "testimony",
            Self::Document => "document",
            Self::Medical => "medical",
            Self::Photo => "photo",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Web => "web",
            Self::Object => "object",
            Self::Other => "other",
        }
    }

    /// The kind that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The form of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Free text, at most 16 KiB.
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One or more of these words, stored with a comma and a space between them.
    AnyOf(&'static [&'static str]),
    /// A year, a month, a date, or a date and time with its offset from UTC.
    When,
    /// `yes` or `no`.
    YesNo,
    /// A whole number, not negative.
    Number,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::OneOf(words) => write!(f, "one of: {}", words.join(", ")),
            Self::AnyOf(words) => write!(f, "one or more, with commas between: {}", words.join(", ")),
            Self::When => f.write_str("2026, 2026-11, 2026-11-20, or with time and offset 2026-11-20T14:30+02:00"),
            Self::YesNo => f.write_str("yes or no"),
            Self::Number => f.write_str("a whole number"),
        }
    }
}

/// One field that a person answers.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its path: group and name.
    pub path: &'static str,
    /// The kinds of exhibit that it is asked for.
    pub kinds: &'static [Kind],
    /// The form of its value.
    pub answer: Answer,
    /// The question as a lawyer reads it.
    pub question: &'static str,
    /// Why it is asked, or how to answer it.
    pub note: &'static str,
}

impl Field {
    /// The part of the path before `/`.
    pub fn group(&self) -> &'static str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// The part of the path after `/`.
    pub fn name(&self) -> &'static str {
        self.path.split('/').next_back().unwrap_or_default()
    }

    /// Whether it is asked for exhibits of this kind.
    pub fn applies_to(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The value as a record keeps it: trimmed, lines ended by line feeds, words in lower case; or why it cannot be.
    pub fn check(&self, value: &str) -> Result<String, FieldError> {
        let path = self.path;
        let value = value.trim().replace("\r\n", "\n");
        if value.is_empty() {
            return Err(FieldError::Empty { path });
        }
        if value.len() > VALUE_BYTES_MAX {
            return Err(FieldError::TooLong { path, bytes: value.len() });
        }
        if !is_value(&value) {
            return Err(FieldError::Control { path });
        }
        if self.answer == Answer::When && looks_local(&value) {
            return Err(FieldError::NoOffset { path });
        }
        self.answer.read(&value).ok_or(FieldError::Form { path, answer: self.answer })
    }
}

/// One question that `seal` asks, and the fields that hold its answers.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// What is asked.
    pub question: &'static str,
    /// Where the answers go, in this order.
    pub paths: &'static [&'static str],
}

/// Why a field cannot have the value that a person gave it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// No such field.
    #[error("there is no field {path}{}", nearest.map(|nearest| format!("; the nearest is {nearest}")).unwrap_or_default())]
    Unknown {
        /// The path as given, escaped for a terminal.
        path: String,
        /// The known path most like it.
        nearest: Option<&'static str>,
    },
    /// The program finds this out by itself.
    #[error("{path} is filled in by the program and cannot be set by hand")]
    FilledIn {
        /// The path as given, escaped for a terminal.
        path: String,
    },
    /// Who a witness is belongs to the section with fewer readers.
    #[error("{path} belongs to the register of witnesses, not to the exhibit's own record")]
    Register {
        /// The path.
        path: &'static str,
    },
    /// No value.
    #[error("{path} has no value")]
    Empty {
        /// The path.
        path: &'static str,
    },
    /// More than 16 KiB.
    #[error("{path} has {bytes} bytes, more than 16 KiB; seal long texts as an exhibit of their own")]
    TooLong {
        /// The path.
        path: &'static str,
        /// How many bytes it has.
        bytes: usize,
    },
    /// A control character.
    #[error("{path} holds a control character other than a line break or a tab")]
    Control {
        /// The path.
        path: &'static str,
    },
    /// A time without an offset could be any of two dozen moments.
    #[error("{path} has a time without its offset from UTC: write it as 2026-11-20T14:30+02:00, or the date alone")]
    NoOffset {
        /// The path.
        path: &'static str,
    },
    /// Not of the field's form.
    #[error("{path} takes {answer}")]
    Form {
        /// The path.
        path: &'static str,
        /// What it takes.
        answer: Answer,
    },
}

/// The field at `path`, of a record or of the register.
pub fn find(path: &str) -> Option<&'static Field> {
    FIELDS.iter().chain(REGISTER).find(|field| field.path == path)
}

/// Checks what a person says of an exhibit; the value as the record keeps it.
pub fn check(path: &str, value: &str) -> Result<String, FieldError> {
    if let Some(field) = REGISTER.iter().find(|field| field.path == path) {
        return Err(FieldError::Register { path: field.path });
    }
    known(path, FIELDS)?.check(value)
}

/// Checks what a person says of a witness, for a record in the section `register`.
pub fn check_register(path: &str, value: &str) -> Result<String, FieldError> {
    known(path, REGISTER)?.check(value)
}

fn known(path: &str, fields: &'static [Field]) -> Result<&'static Field, FieldError> {
    fields.iter().find(|field| field.path == path).ok_or_else(|| {
        let shown = || printable(path.as_bytes()).chars().take(128).collect();
        if is_filled_in(path) {
            FieldError::FilledIn { path: shown() }
        } else {
            FieldError::Unknown { path: shown(), nearest: nearest(path, fields) }
        }
    })
}

/// Whether the program alone sets this field.
pub fn is_filled_in(path: &str) -> bool {
    path == BINDING_PATH || matches!(path.split_once('/'), Some(("content" | "original" | "embedded", _)))
}

/// The field whose name was given without its group, else the one that fewest edits make of `path`.
fn nearest(path: &str, fields: &'static [Field]) -> Option<&'static str> {
    const EDITS_MAX: usize = 3;
    let path: String = path.chars().take(64).collect::<String>().to_lowercase().replace(['.', '-', ' '], "_");
    let mut same_name = fields.iter().filter(|field| path.rsplit('/').next() == Some(field.name()));
    if let (Some(field), None) = (same_name.next(), same_name.next()) {
        return Some(field.path);
    }
    let distances = fields.iter().map(|field| {
        let name_only = edits(&path, field.name()).saturating_add(1);
        (edits(&path.replace('/', "_"), &field.path.replace('/', "_")).min(name_only), field.path)
    });
    distances.min_by_key(|(distance, _)| *distance).filter(|(distance, _)| *distance <= EDITS_MAX).map(|(_, path)| path)
}

/// Levenshtein's distance.
fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, a) in (1_usize..).zip(one.chars()) {
        let mut diagonal = std::mem::replace(row.first_mut().expect("a row has a first place"), above);
        let mut left = above;
        for (cell, b) in row.iter_mut().skip(1).zip(other.chars()) {
            let changed = diagonal.saturating_add(usize::from(a != b));
            diagonal = *cell;
            *cell = changed.min(left.saturating_add(1)).min(diagonal.saturating_add(1));
            left = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

impl Answer {
    fn read(self, value: &str) -> Option<String> {
        let word = value.to_lowercase();
        if self != Self::Text && word == UNKNOWN {
            return Some(word);
        }
        match self {
            Self::Text => Some(value.into()),
            Self::OneOf(words) => words.contains(&word.as_str()).then_some(word),
            Self::AnyOf(words) => read_words(&word, words),
            Self::When => read_when(value),
            Self::YesNo => matches!(word.as_str(), "yes" | "no").then_some(word),
            Self::Number => word.parse::<u64>().ok().map(|number| number.to_string()),
        }
    }
}

/// The chosen words in the order of the field, each once; `none` stands alone.
fn read_words(value: &str, words: &[&str]) -> Option<String> {
    let chosen: Vec<&str> = value.split(',').map(str::trim).filter(|word| !word.is_empty()).collect();
    let alone = chosen.len() == 1 || !chosen.contains(&"none");
    if chosen.is_empty() || !alone || chosen.iter().any(|word| !words.contains(word)) {
        return None;
    }
    let ordered: Vec<&str> = words.iter().copied().filter(|word| chosen.contains(word)).collect();
    Some(ordered.join(", "))
}

fn read_when(value: &str) -> Option<String> {
    if !value.chars().all(|c| c.is_ascii_digit() || "-+:.TtZz ".contains(c)) {
        return None;
    }
    let date = |text: &str| text.parse::<Date>().is_ok();
    match value.len() {
        4 => date(&format!("{value}-01-01")).then(|| value.into()),
        7 => date(&format!("{value}-01")).then(|| value.into()),
        10 => date(value).then(|| value.into()),
        _ => {
            let value = value.to_uppercase().replacen(' ', "T", 1).replace(' ', "");
            value.parse::<Timestamp>().ok().map(|_| value)
        }
    }
}

/// A date and a time of day, and nothing after it.
fn looks_local(value: &str) -> bool {
    let time = value.get(10..).unwrap_or_default();
    let digits_only = |text: &str| text.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.'));
    value.get(..10).is_some_and(|date| date.parse::<Date>().is_ok())
        && time.strip_prefix(['T', 't', ' ']).is_some_and(|time| !time.is_empty() && digits_only(time))
}

#[cfg(test)]
mod tests;
