//! The one JSON of the format: what `serde_json` prints with two spaces of indentation, and a final newline. Whatever
//! would print differently (another order, another escape, a repeated key, a byte order mark) is refused.

use serde::{Serialize, de::DeserializeOwned};
use std::io;

/// Why bytes are not the canonical JSON of a type.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Longer than this file may be.
    #[error("longer than {bytes_max} bytes")]
    TooLong {
        /// The most bytes that it may have.
        bytes_max: usize,
    },
    /// No JSON, or not of the wanted shape. The place only: the words of the text are nobody's business.
    #[error("not the expected JSON (line {line}, column {column})")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 when it is the end of a line before.
        column: usize,
    },
    /// It says the same in other bytes than the only allowed ones.
    #[error("not printed in the canonical way")]
    NotCanonical,
}

/// The canonical bytes of `value`.
///
/// # Panics
///
/// When the type cannot be JSON; the types of the format can.
pub fn print<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("the format's own types print as JSON");
    bytes.push(b'\n');
    bytes
}

/// Reads `bytes` when they are exactly what [`print()`] gives for the value they hold.
pub fn parse<T: Serialize + DeserializeOwned>(bytes: &[u8], bytes_max: usize) -> Result<T, JsonError> {
    if bytes.len() > bytes_max {
        return Err(JsonError::TooLong { bytes_max });
    }
    let value: T = serde_json::from_slice(bytes)
        .map_err(|error| JsonError::Shape { line: error.line(), column: error.column() })?;
    // Compared as it is printed: a second copy of a long listing would double the memory.
    let mut rest = Expect { rest: bytes };
    let same = serde_json::to_writer_pretty(&mut rest, &value).is_ok();
    if same && rest.rest == b"\n" { Ok(value) } else { Err(JsonError::NotCanonical) }
}

/// A writer that takes only the bytes it expects.
struct Expect<'a> {
    rest: &'a [u8],
}

impl io::Write for Expect<'_> {
    fn write(&mut self, printed: &[u8]) -> io::Result<usize> {
        self.rest = self.rest.strip_prefix(printed).ok_or(io::ErrorKind::InvalidData)?;
        Ok(printed.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    type Map = BTreeMap<String, String>;

    #[test]
    fn only_the_printed_bytes_are_read() {
        let map = Map::from([("a".into(), "é\n\"".into()), ("b".into(), "\u{7f}/".into())]);
        let bytes = print(&map);
        assert_eq!(bytes, "{\n  \"a\": \"é\\n\\\"\",\n  \"b\": \"\u{7f}/\"\n}\n".as_bytes());
        assert_eq!(parse::<Map>(&bytes, 100).expect("printed"), map);
        for other in [
            "{\"a\": \"x\"}\n",
            "{\n  \"a\": \"x\"\n}",
            "{\n  \"a\": \"x\"\n}\n\n",
            "{\n  \"a\": \"\\u0041\"\n}\n",
            "{\n  \"a\": \"\\/\"\n}\n",
            "{\n  \"b\": \"x\",\n  \"a\": \"x\"\n}\n",
            "{\n  \"a\": \"x\",\n  \"a\": \"x\"\n}\n",
            "\u{feff}{\n  \"a\": \"x\"\n}\n",
            "{\r\n  \"a\": \"x\"\r\n}\r\n",
        ] {
            assert!(parse::<Map>(other.as_bytes(), 100).is_err(), "{other}");
        }
        assert!(parse::<Map>(b"{\n  \"a\": \"x\"\n}\n", 100).is_ok());
        assert!(matches!(parse::<Map>(&bytes, 5), Err(JsonError::TooLong { .. })));
    }
}
