//! The one object of a run with `--json`, written while the work goes on: what it lists may be too long for memory.
//! Its text is the same, byte for byte, as if it had been printed whole.

use std::io::{self, BufWriter, Write};

use serde_json::{Map, Value};

use super::call::Call;
use super::error::CliError;
use super::output::json_text;

/// What a list is written in pieces of, where nobody waits for each item.
const CHUNK_BYTES: usize = 64 << 10;

impl Call<'_, '_> {
    /// The one object of a run with `--json`: the members of `head`, the list, the members of `tail`, the warnings.
    pub(crate) fn print_json_list(
        &mut self,
        head: Value,
        list: &str,
        items: impl Iterator<Item = Value>,
        tail: Value,
    ) -> Result<(), CliError> {
        self.tell_clock();
        let members = |object| if let Value::Object(members) = object { members } else { Map::new() };
        let (head, mut tail) = (members(head), members(tail));
        tail.insert("warnings".into(), self.warnings.clone().into());
        let mut out = BufWriter::with_capacity(CHUNK_BYTES, &mut *self.context.stdout);
        let mut object = ObjectStream::default();
        let write = || {
            object.members(&mut out, head)?;
            object.list(&mut out, list)?;
            for item in items {
                object.item(&mut out, &item)?;
            }
            object.members(&mut out, tail)
        };
        write().and_then(|()| object.end(&mut out)).map_err(|source| CliError::Output { source })
    }
}

/// How far the object is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Nothing: a run that fails now has nothing on standard output.
    Nothing,
    /// Members, and no list is open.
    Members,
    /// A list is open, and has items or none yet.
    List { items: bool },
}

/// An object that is being written.
pub(crate) struct ObjectStream {
    written: Written,
}

impl Default for ObjectStream {
    fn default() -> Self {
        Self { written: Written::Nothing }
    }
}

impl ObjectStream {
    /// The beginning of a result that is one list: written with its first item, or at the end where it has none. So a
    /// run that does nothing may still end in an error alone.
    pub(crate) fn begin(&mut self, out: &mut dyn Write, list: &str) -> io::Result<()> {
        if !self.is_empty() {
            return Ok(());
        }
        self.members(out, Map::from_iter([("format".to_string(), Value::from(1))]))?;
        self.list(out, list)
    }

    /// Writes members.
    pub(crate) fn members(&mut self, out: &mut dyn Write, members: Map<String, Value>) -> io::Result<()> {
        if members.is_empty() {
            return Ok(());
        }
        self.open(out)?;
        let text = json_text(&Value::Object(members));
        let inner = text.strip_prefix("{\n").and_then(|rest| rest.strip_suffix("\n}\n")).unwrap_or_default();
        out.write_all(inner.as_bytes())
    }

    /// Opens a list.
    pub(crate) fn list(&mut self, out: &mut dyn Write, name: &str) -> io::Result<()> {
        self.open(out)?;
        self.written = Written::List { items: false };
        write!(out, "  \"{name}\": [")
    }

    /// Writes an item of the open list.
    pub(crate) fn item(&mut self, out: &mut dyn Write, item: &Value) -> io::Result<()> {
        let mut text = String::from(if self.written == (Written::List { items: true }) { ",\n" } else { "\n" });
        self.written = Written::List { items: true };
        // No string of JSON holds a line feed: every line is one of the print.
        let lines: Vec<String> = json_text(item).lines().map(|line| format!("    {line}")).collect();
        text.push_str(&lines.join("\n"));
        out.write_all(text.as_bytes())
    }

    /// Whether nothing is written yet.
    fn is_empty(&self) -> bool {
        self.written == Written::Nothing
    }

    /// Writes the end.
    pub(crate) fn end(mut self, out: &mut dyn Write) -> io::Result<()> {
        self.close(out)?;
        out.write_all(if self.is_empty() { b"{}\n" } else { b"\n}\n" })?;
        out.flush()
    }

    /// Everything between what is written and the next member.
    fn open(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.close(out)?;
        out.write_all(if self.is_empty() { b"{\n" } else { b",\n" })?;
        self.written = Written::Members;
        Ok(())
    }

    fn close(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if let Written::List { items } = self.written {
            out.write_all(if items { b"\n  ]" } else { b"]" })?;
            self.written = Written::Members;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(value: Value) -> Map<String, Value> {
        if let Value::Object(map) = value { map } else { Map::new() }
    }

    #[test]
    fn written_in_pieces_it_is_the_same_text() {
        let items = [json!({ "id": "K7-0001", "source": "a\n\u{202e}b", "parts": [1, {}] }), json!({ "id": 2 })];
        for count in 0..=2 {
            let mut out = Vec::new();
            let mut stream = ObjectStream::default();
            assert!(stream.is_empty());
            stream.begin(&mut out, "exhibits").expect("memory");
            stream.begin(&mut out, "exhibits").expect("memory");
            for item in &items[..count] {
                stream.item(&mut out, item).expect("memory");
            }
            stream.members(&mut out, members(json!({ "readback": true, "readers": ["a"] }))).expect("memory");
            stream.list(&mut out, "skipped").expect("memory");
            stream.members(&mut out, Map::new()).expect("memory");
            stream.end(&mut out).expect("memory");
            let whole = json!({
                "format": 1, "exhibits": items[..count], "readback": true, "readers": ["a"], "skipped": []
            });
            assert_eq!(String::from_utf8(out).expect("text"), json_text(&whole));
        }
    }
}
