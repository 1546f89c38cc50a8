//! What is said of one exhibit, field by field: path → value, all of it text; and `record.json`, the same beside the
//! payload, for whoever has nothing but `age` and `tar`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::{LogId, VaultId};
use super::json::{self, JsonError};
use crate::crypto::commit::{Secret, record_leaves};
use crate::crypto::hash::{Hash, hex, unhex};
use crate::crypto::merkle;

/// The most bytes of a path.
pub const PATH_BYTES_MAX: usize = 128;
/// The most bytes of a value: 16 KiB.
pub const VALUE_BYTES_MAX: usize = 16 << 10;
/// The most bytes of `record.json`: 64 KiB.
pub const RECORD_BYTES_MAX: usize = 64 << 10;
/// The field that binds a record to its vault, log and number; every record has it.
pub const BINDING_PATH: &str = "exhibit";
/// Paths of a text's paragraphs; their commitments come from the text, so no field of a record may begin so.
pub const PARAGRAPH_PREFIX: &str = "content/paragraph/";

const FORMAT: &str = "amparo.v1/record";

/// Why something is no record.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A path outside `[a-z0-9_]+(/[a-z0-9_]+)*`, too long, or kept for the paragraphs of a text.
    #[error("not a path of a field: {path:?}")]
    Path {
        /// The path as given.
        path: String,
    },
    /// A value that is too long or holds a control character other than a line feed or a tab.
    #[error("the value of {path} is longer than 16 KiB or holds a control character")]
    Value {
        /// Whose value.
        path: String,
    },
    /// The fields together print as more than 64 KiB.
    #[error("the record would have {bytes} bytes, more than 64 KiB")]
    TooLong {
        /// How many bytes it would have.
        bytes: usize,
    },
    /// The mandatory field `exhibit` is missing or says nothing.
    #[error("the record is not bound to a vault, a log and a number")]
    Unbound,
    /// Another format, or another version of it.
    #[error("the record is of another format than amparo.v1/record")]
    Format,
    /// The secret is not 64 lowercase hex digits.
    #[error("the record's secret is not 64 hex digits")]
    Secret,
    /// Not the canonical JSON.
    #[error("record.json: {0}")]
    Json(#[from] JsonError),
}

/// The fields of one exhibit and the secret that salts their commitments. Its paths and values are always valid.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Record {
    secret: Secret,
    fields: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    secret: Secret,
    fields: BTreeMap<String, String>,
}

/// `record.json`, in the order of its keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    format: String,
    secret: String,
    fields: BTreeMap<String, String>,
}

/// The tree of a record: what its exhibit's row holds of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordTree {
    /// RFC 6962 root over the sorted commitments and decoys.
    pub root: Hash,
    /// How many leaves: a power of two, at least 64.
    pub leaves: u32,
}

impl Record {
    /// A record without fields.
    pub fn new(secret: Secret) -> Self {
        Self { secret, fields: BTreeMap::new() }
    }

    /// The secret of the exhibit's salts and decoys.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// All fields, sorted by the bytes of their paths.
    pub fn fields(&self) -> &BTreeMap<String, String> {
        &self.fields
    }

    /// The value at `path`.
    pub fn field(&self, path: &str) -> Option<&str> {
        self.fields.get(path).map(String::as_str)
    }

    /// Sets the value at `path`, whatever it was before. What may stand there is the concern of `fields`; here only
    /// the syntax counts.
    pub fn set(&mut self, path: impl Into<String>, value: impl Into<String>) -> Result<(), RecordError> {
        let (path, value) = (path.into(), value.into());
        check_field(&path, &value)?;
        self.fields.insert(path, value);
        Ok(())
    }

    /// Sets the mandatory field.
    pub fn bind(&mut self, binding: &Binding) {
        self.fields.insert(BINDING_PATH.into(), binding.to_string());
    }

    /// The vault, log and number that the record says it belongs to.
    pub fn binding(&self) -> Result<Binding, RecordError> {
        self.field(BINDING_PATH).and_then(Binding::parse).ok_or(RecordError::Unbound)
    }

    /// The commitments to all fields, in the order of their paths.
    pub fn commitments(&self) -> Vec<Hash> {
        let salts = self.secret.salts();
        self.fields.iter().map(|(path, value)| salts.commit(path, value.as_bytes())).collect()
    }

    /// The leaf hashes of the record's tree, from its own commitments and those of its text's paragraphs.
    pub fn leaves(&self, text: &[Hash]) -> Vec<Hash> {
        record_leaves(&self.secret, self.commitments().into_iter().chain(text.iter().copied()))
    }

    /// The tree over [`Record::leaves`].
    ///
    /// # Panics
    ///
    /// When there are more than `u32::MAX` leaves; 64 KiB of fields and 4,096 paragraphs are far fewer.
    pub fn tree(&self, text: &[Hash]) -> RecordTree {
        let leaves = self.leaves(text);
        let count = u32::try_from(leaves.len()).expect("a record has far fewer leaves");
        RecordTree { root: merkle::root(&leaves), leaves: count }
    }

    /// `record.json`; fails when it is too long or the record is not bound.
    pub fn print(&self) -> Result<Vec<u8>, RecordError> {
        self.binding()?;
        let bytes =
            json::print(&Printed { format: FORMAT.into(), secret: hex(&self.secret.0), fields: self.fields.clone() });
        if bytes.len() > RECORD_BYTES_MAX {
            return Err(RecordError::TooLong { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads `record.json`, which must be exactly what [`Record::print`] gives.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let printed: Printed = json::parse(bytes, RECORD_BYTES_MAX)?;
        if printed.format != FORMAT {
            return Err(RecordError::Format);
        }
        let secret = Secret(unhex(&printed.secret).ok_or(RecordError::Secret)?);
        let record = Self::try_from(Unchecked { secret, fields: printed.fields })?;
        record.binding()?;
        Ok(record)
    }
}

impl TryFrom<Unchecked> for Record {
    type Error = RecordError;

    fn try_from(unchecked: Unchecked) -> Result<Self, RecordError> {
        let Unchecked { secret, fields } = unchecked;
        fields.iter().try_for_each(|(path, value)| check_field(path, value))?;
        Ok(Self { secret, fields })
    }
}

/// Values are evidence: they reach a terminal only where someone asked to see them.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({} fields)", self.fields.len())
    }
}

fn check_field(path: &str, value: &str) -> Result<(), RecordError> {
    if !is_path(path) {
        return Err(RecordError::Path { path: path.chars().take(PATH_BYTES_MAX).collect() });
    }
    if !is_value(value) {
        return Err(RecordError::Value { path: path.into() });
    }
    Ok(())
}

/// Whether a record may have a field at `path`.
pub fn is_path(path: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'));
    path.len() <= PATH_BYTES_MAX && path.split('/').all(is_part) && !path.starts_with(PARAGRAPH_PREFIX)
}

/// Whether a field may have this value: at most 16 KiB, and of U+0000–001F and U+007F–009F only line feed and tab.
pub fn is_value(value: &str) -> bool {
    value.len() <= VALUE_BYTES_MAX && !value.chars().any(|c| c.is_control() && c != '\n' && c != '\t')
}

/// The value of the field `exhibit`: `amparo.v1/<vault id>/<log id>/<number>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The vault's id.
    pub vault: VaultId,
    /// The log in whose `seal` entry the exhibit stands.
    pub log: LogId,
    /// The exhibit's number in that log, from 1.
    pub number: u64,
}

impl Binding {
    /// Reads what `Display` prints; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("amparo.v1/")?.split('/');
        let vault = VaultId::from_hex(parts.next()?)?;
        let log = LogId::from_hex(parts.next()?)?;
        let number = parts.next()?.parse().ok()?;
        let binding = Self { vault, log, number };
        (number > 0 && binding.to_string() == text).then_some(binding)
    }
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "amparo.v1/{}/{}/{}", self.vault, self.log, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Record {
        let mut record = Record::new(Secret([7; 32]));
        record.bind(&Binding { vault: VaultId(Hash([1; 32])), log: LogId([2; 16]), number: 12 });
        record.set("identity/title", "Kadın\tsaid:\n\"no\"").expect("a value");
        record
    }

    #[test]
    fn record_json_is_these_bytes_and_no_others() {
        let bytes = sample().print().expect("small");
        let text = String::from_utf8(bytes.clone()).expect("text");
        let expected = format!(
            "{{\n  \"format\": \"amparo.v1/record\",\n  \"secret\": \"{}\",\n  \"fields\": {{\n    \"exhibit\": \
             \"amparo.v1/{}/{}/12\",\n    \"identity/title\": \"Kadın\\tsaid:\\n\\\"no\\\"\"\n  }}\n}}\n",
            "07".repeat(32),
            "01".repeat(32),
            "02".repeat(16)
        );
        assert_eq!(text, expected);
        assert_eq!(Record::parse(&bytes).expect("just printed"), sample());
        for (from, to) in [
            ("exhibit", "Exhibit"),
            ("identity/title", "exhibit"),
            ("identity/title", "content/paragraph/000001"),
            ("\\t", "\\u0009"),
            ("v1/record", "v2/record"),
            ("\"07", "\"0G"),
            ("/12", "/012"),
            ("/12", "/0"),
            ("ı", "\\u0131"),
            ("said", "\u{85}"),
            ("  \"secret", "  \"more\": 1,\n  \"secret"),
        ] {
            let changed = text.replacen(from, to, 1);
            assert!(Record::parse(changed.as_bytes()).is_err(), "{from} to {to}");
        }
    }

    #[test]
    fn paths_and_values_have_limits() {
        assert!(["a", "a/b_1/2"].iter().all(|path| is_path(path)));
        assert!(!["", "/a", "a/", "a//b", "A", "a-b", "a.b", "ä"].iter().any(|path| is_path(path)));
        assert!(is_path(&"a".repeat(128)) && !is_path(&"a".repeat(129)));
        assert!(is_value(&"ü".repeat(8 << 10)) && !is_value(&"ü".repeat((8 << 10) + 1)));
        assert!(!["\r", "\u{1b}[2J", "\u{7f}", "\u{9f}", "\0"].iter().any(|value| is_value(value)));
        let mut record = sample();
        for number in 0..4 {
            record.set(format!("a/{number}"), "x".repeat(VALUE_BYTES_MAX)).expect("each is short enough");
        }
        assert!(matches!(record.print(), Err(RecordError::TooLong { .. })));
        assert!(matches!(Record::new(Secret([0; 32])).print(), Err(RecordError::Unbound)));
    }

    #[test]
    fn the_tree_changes_with_each_field_and_paragraph() {
        let record = sample();
        let tree = record.tree(&[]);
        assert_eq!(tree.leaves, 64);
        assert_ne!(tree.root, record.tree(&[Hash::of(b"paragraph")]).root);
        let mut other = record.clone();
        other.set("identity/title", "yes").expect("a value");
        assert_ne!(tree.root, other.tree(&[]).root);
        let many: Vec<Hash> = (0..63_u8).map(|n| Hash::of(&[n])).collect();
        assert_eq!(record.tree(&many).leaves, 128);
    }

    #[test]
    fn neither_secret_nor_values_are_printed_for_debugging() {
        assert_eq!(format!("{:?}", sample()), "Record(2 fields)");
    }

    #[test]
    fn a_record_in_messagepack_is_checked_as_well() {
        let bytes = rmp_serde::to_vec_named(&sample()).expect("packs");
        assert_eq!(rmp_serde::from_slice::<Record>(&bytes).expect("unpacks"), sample());
        let mut broken = sample();
        broken.fields.insert("BAD".into(), String::new());
        let bytes = rmp_serde::to_vec_named(&broken).expect("packs");
        assert!(rmp_serde::from_slice::<Record>(&bytes).is_err());
    }
}
