//! MessagePack as a table: a line for each field with its offset, its bytes and what they mean.

use amparo::crypto::hash::hex;

use super::records::cut;

/// What a field of bytes is; text and numbers speak for themselves.
const MEANINGS: [(&str, &str); 25] = [
    ("vault", "the vault id"),
    ("handle", "seals nothing yet"),
    ("log", "the log id"),
    ("previous", "root of the log before this entry"),
    ("nonce", "random"),
    ("member", "member id"),
    ("salt", "random; the log id comes from it"),
    ("file", "SHA-256 of the wrapped key's file"),
    ("share", "a whole key, no share"),
    ("continues", "this log continues no other"),
    ("begins", "only where seq is 0"),
    ("root", "root of the tree of rows"),
    ("inventory", "SHA-256 of the blob"),
    ("key", "key id of section main"),
    ("blob", "SHA-256 of the blob"),
    ("rows[0]", "the row, below"),
    ("blobs[0]", "SHA-256 of its one segment"),
    ("dummies[0]", "SHA-256 of a dummy's file"),
    ("dummies[1]", "SHA-256 of a dummy's file"),
    ("dummies[2]", "SHA-256 of a dummy's file"),
    ("secret", "random; all salts come from it"),
    ("text[0]", "commitment to paragraph 1"),
    ("text[1]", "commitment to paragraph 2"),
    ("entry", "the encoding of the seal entry, as above"),
    ("row", "the row, as above"),
];

/// Every field of one document; of lists of structures only the first in full.
pub(super) fn table(bytes: &[u8]) -> Vec<String> {
    let mut walk = Walk { bytes, at: 0, lines: Vec::new() };
    walk.value(0, "", 0);
    if walk.at < bytes.len() {
        assert!(bytes[walk.at..].iter().all(|byte| *byte == 0), "only zeros follow");
        let zeros = bytes.len() - walk.at;
        walk.lines.push(row(walk.at, "00…00", &format!("{zeros} zeros, up to {} bytes", bytes.len())));
    }
    walk.lines
}

/// One line: offset, bytes, meaning.
pub(super) fn row(offset: usize, bytes: &str, meaning: &str) -> String {
    let line = format!("{offset:>6}  {bytes:<50}  {meaning}");
    line.trim_end().to_string()
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    lines: Vec<String>,
}

impl Walk<'_> {
    /// The value at `at`, whose line begins at `from`, where its key stands if it has one.
    fn value(&mut self, from: usize, label: &str, depth: usize) {
        let (key_end, (kind, header, length)) = (self.at, self.marker());
        self.at += header;
        let indent = "  ".repeat(depth.saturating_sub(1));
        let name = if label.is_empty() { String::new() } else { format!("{indent}{label}: ") };
        let key = if from == key_end { String::new() } else { format!("{} · ", spaced(&self.bytes[from..key_end])) };
        let marker = hex(&self.bytes[key_end..self.at]);
        match kind {
            Kind::Map | Kind::List => {
                let word = if kind == Kind::Map { "map of" } else { "list of" };
                self.lines.push(row(from, &format!("{key}{marker}"), &format!("{name}{word} {length}")));
                for index in 0..length {
                    if kind == Kind::Map { self.field(depth + 1) } else { self.element(label, index, depth + 1) }
                }
            }
            Kind::Text | Kind::Bytes => {
                let value = &self.bytes[self.at..self.at + length];
                self.at += length;
                let meaning = match std::str::from_utf8(value) {
                    Ok(text) if kind == Kind::Text => quoted(text),
                    _ if value.iter().all(|byte| *byte == 0) => "zeros: the vault is being founded".into(),
                    _ => meaning(label),
                };
                self.lines.push(row(from, &format!("{key}{marker} {}", shortened(value)), &format!("{name}{meaning}")));
            }
            Kind::Number => self.lines.push(row(from, &format!("{key}{marker}"), &format!("{name}{length}"))),
            Kind::Word(word) => {
                let why = if word == "nil" { format!(" ({})", meaning(label)) } else { String::new() };
                self.lines.push(row(from, &format!("{key}{marker}"), &format!("{name}{word}{why}")));
            }
        }
    }

    fn field(&mut self, depth: usize) {
        let from = self.at;
        let (_, header, length) = self.marker();
        let name = std::str::from_utf8(&self.bytes[from + header..from + header + length]).expect("a field's name");
        self.at += header + length;
        self.value(from, name, depth);
    }

    /// A structure after the first of its list is one line: its fields are those of the first.
    fn element(&mut self, list: &str, index: usize, depth: usize) {
        let (from, label) = (self.at, format!("{list}[{index}]"));
        let lines = self.lines.len();
        let structure = self.marker().0 == Kind::Map;
        self.value(from, &label, depth);
        if structure && index > 0 {
            self.lines.truncate(lines);
            let (indent, length) = ("  ".repeat(depth - 1), self.at - from);
            let bytes = shortened(&self.bytes[from..self.at]);
            self.lines.push(row(from, &bytes, &format!("{indent}{label}: {length} bytes, the fields of {list}[0]")));
        }
    }

    /// What stands at `at`, how long its marker is, and the length or the number that it holds.
    fn marker(&self) -> (Kind, usize, usize) {
        let rest = &self.bytes[self.at..];
        let number = |bytes: usize| rest[1..=bytes].iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte));
        let low = |mask: u8| usize::from(rest[0] & mask);
        match rest[0] {
            0x00..=0x7f => (Kind::Number, 1, low(0x7f)),
            0x80..=0x8f => (Kind::Map, 1, low(0x0f)),
            0x90..=0x9f => (Kind::List, 1, low(0x0f)),
            0xa0..=0xbf => (Kind::Text, 1, low(0x1f)),
            0xc0 => (Kind::Word("nil"), 1, 0),
            0xc2 => (Kind::Word("no"), 1, 0),
            0xc3 => (Kind::Word("yes"), 1, 0),
            0xc4 => (Kind::Bytes, 2, number(1)),
            0xc5 => (Kind::Bytes, 3, number(2)),
            0xcc => (Kind::Number, 2, number(1)),
            0xcd => (Kind::Number, 3, number(2)),
            0xd9 => (Kind::Text, 2, number(1)),
            0xda => (Kind::Text, 3, number(2)),
            0xde => (Kind::Map, 3, number(2)),
            other => panic!("no value of this vault begins with {other:02x}"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Map,
    List,
    Text,
    Bytes,
    Number,
    Word(&'static str),
}

fn meaning(label: &str) -> String {
    let found = MEANINGS.iter().find(|(name, _)| *name == label);
    found.unwrap_or_else(|| panic!("{label} has no meaning")).1.to_string()
}

/// Text on one line; its length stands beside its bytes.
fn quoted(text: &str) -> String {
    let whole = format!("{text:?}");
    cut(&whole, 16, 8).split(" (").next().filter(|short| short.contains('…')).unwrap_or(&whole).to_string()
}

/// The marker of a key, then its letters.
fn spaced(key: &[u8]) -> String {
    format!("{} {}", hex(&key[..1]), shortened(&key[1..]))
}

/// Hex, cut in the middle with a count.
pub(super) fn shortened(bytes: &[u8]) -> String {
    if bytes.len() <= 9 {
        return hex(bytes);
    }
    format!("{}…{} ({})", hex(&bytes[..3]), hex(&bytes[bytes.len() - 2..]), bytes.len())
}
