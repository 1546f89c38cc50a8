//! One JSON object with one long list in it, written element by element: a hundred thousand entries are never all in
//! memory as JSON.

use serde_json::{Map, Value};

use super::call::Call;
use super::error::CliError;
use super::output::json_text;

/// Written at once when so much has come together.
const CHUNK_BYTES: usize = 64 << 10;

impl Call<'_, '_> {
    /// The one object of a run with `--json`: the keys of `head`, the list, the keys of `tail`, the warnings.
    pub(crate) fn print_json_list(
        &mut self,
        head: &Value,
        key: &str,
        items: impl Iterator<Item = Value>,
        mut tail: Value,
    ) -> Result<(), CliError> {
        if let Value::Object(tail) = &mut tail {
            tail.insert("warnings".into(), self.warnings.clone().into());
        }
        let mut text = format!("{{\n{},\n  {}: [", members(head), quoted(key));
        for (number, item) in items.enumerate() {
            text.push_str(if number == 0 { "\n" } else { ",\n" });
            text.push_str(&indented(&json_text(&item), 4));
            if text.len() >= CHUNK_BYTES {
                self.print_bytes(text.as_bytes())?;
                text.clear();
            }
        }
        text.push_str(&format!("\n  ],\n{}\n}}\n", members(&tail)));
        self.print_bytes(text.as_bytes())
    }
}

/// The members of an object as they stand inside it.
fn members(object: &Value) -> String {
    let nothing = Map::new();
    let members = object.as_object().unwrap_or(&nothing).iter();
    let lines: Vec<String> =
        members.map(|(key, value)| indented(&format!("{}: {}", quoted(key), json_text(value).trim_end()), 2)).collect();
    lines.join(",\n")
}

fn quoted(key: &str) -> String {
    json_text(&Value::from(key)).trim_end().into()
}

fn indented(text: &str, spaces: usize) -> String {
    let lines: Vec<String> = text.trim_end().lines().map(|line| format!("{:spaces$}{line}", "")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_those_of_the_object() {
        let object = serde_json::json!({ "a": 1, "b": [{ "c": "x\ny" }], "d": {} });
        let text = format!("{{\n{}\n}}", members(&object));
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), object);
    }
}
