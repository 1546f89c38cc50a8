//! `listing.json`: the files of a folder that was sealed as one exhibit. Members have safe names; here stand the true
//! ones, and what each file held.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::json::{self, JsonError};
use super::names::{as_text, is_safe_member, printable};
use super::payload::{CONTENT, may_follow};
use crate::crypto::hash::{Hash, hex};

/// The most bytes of `listing.json`: 64 MiB.
pub const LISTING_BYTES_MAX: usize = 64 << 20;
/// The most files in one folder exhibit.
pub const FILES_MAX: usize = 100_000;
/// The most bytes of a raw path below the folder.
pub const RAW_NAME_BYTES_MAX: usize = 4096;

const FORMAT: &str = "amparo.v1/listing";

/// Why something is no listing.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// More than 100,000 files.
    #[error("a folder of {files} files; one exhibit may have {FILES_MAX}")]
    TooMany {
        /// How many there are.
        files: usize,
    },
    /// Longer than 64 MiB.
    #[error("the listing would have {bytes} bytes, more than 64 MiB")]
    TooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// A file whose line is wrong.
    #[error("the listing's file {member}: {what}")]
    File {
        /// The file's member, escaped for a terminal.
        member: String,
        /// What is wrong.
        what: &'static str,
    },
    /// Another format, or another version of it.
    #[error("the listing is of another format than amparo.v1/listing")]
    Format,
    /// Not the canonical JSON.
    #[error("listing.json: {0}")]
    Json(#[from] JsonError),
}

/// One file of a folder.
#[derive(Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Its member in the payload, whole: `content/…`.
    pub member: String,
    /// Its path below the folder as the file system had it, components split by `/`; 1 to 4096 bytes.
    pub name: Vec<u8>,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its bytes.
    pub sha256: Hash,
    /// When it was last changed, as its file system told.
    pub modified: Option<Timestamp>,
}

/// File names are evidence too.
impl std::fmt::Debug for ListedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ListedFile({} bytes)", self.bytes)
    }
}

/// The files of a folder, in the order of their members in the payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing(Vec<ListedFile>);

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Printed {
    format: String,
    files: Vec<PrintedFile>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrintedFile {
    member: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_hex: Option<String>,
    bytes: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    modified: Option<String>,
}

impl Listing {
    /// Files in the order of `payload::member_order`, their members safe and each only once.
    pub fn new(files: Vec<ListedFile>) -> Result<Self, ListingError> {
        if files.len() > FILES_MAX {
            return Err(ListingError::TooMany { files: files.len() });
        }
        let mut previous: Option<&str> = None;
        for file in &files {
            let wrong = |what| ListingError::File { member: printable(file.member.as_bytes()), what };
            let path = file.member.strip_prefix(CONTENT).filter(|path| is_safe_member(path));
            let path = path.ok_or_else(|| wrong("not a safe member below content/"))?;
            if previous.is_some_and(|previous| !may_follow(previous, path)) {
                return Err(wrong("repeated or out of order"));
            }
            if !(1..=RAW_NAME_BYTES_MAX).contains(&file.name.len()) {
                return Err(wrong("a name of 1 to 4096 bytes is needed"));
            }
            previous = Some(path);
        }
        Ok(Self(files))
    }

    /// The files.
    pub fn files(&self) -> &[ListedFile] {
        &self.0
    }

    /// `listing.json`. Its plain SHA-256 is the record's field `content/listing_sha256`.
    pub fn print(&self) -> Result<Vec<u8>, ListingError> {
        let files = self.0.iter().map(PrintedFile::from).collect();
        let bytes = json::print(&Printed { format: FORMAT.into(), files });
        if bytes.len() > LISTING_BYTES_MAX {
            return Err(ListingError::TooLong { bytes: bytes.len() });
        }
        Ok(bytes)
    }

    /// Reads `listing.json`, which must be exactly what [`Listing::print`] gives.
    pub fn parse(bytes: &[u8]) -> Result<Self, ListingError> {
        let printed: Printed = json::parse(bytes, LISTING_BYTES_MAX)?;
        if printed.format != FORMAT {
            return Err(ListingError::Format);
        }
        Self::new(printed.files.into_iter().map(PrintedFile::read).collect::<Result<_, _>>()?)
    }
}

impl From<&ListedFile> for PrintedFile {
    fn from(file: &ListedFile) -> Self {
        let name = as_text(&file.name).map(str::to_owned);
        Self {
            member: file.member.clone(),
            name_hex: name.is_none().then(|| hex(&file.name)),
            name,
            bytes: file.bytes,
            sha256: file.sha256.to_string(),
            modified: file.modified.map(|time| time.to_string()),
        }
    }
}

impl PrintedFile {
    fn read(self) -> Result<ListedFile, ListingError> {
        let wrong = |what| ListingError::File { member: printable(self.member.as_bytes()), what };
        let name = match (&self.name, &self.name_hex) {
            (Some(name), None) if as_text(name.as_bytes()).is_some() => name.clone().into_bytes(),
            (None, Some(digits)) => unhex(digits)
                .filter(|name| as_text(name).is_none())
                .ok_or_else(|| wrong("name_hex is only for names that are no text"))?,
            _ => return Err(wrong("either name or name_hex is needed")),
        };
        let sha256 = Hash::from_hex(&self.sha256).ok_or_else(|| wrong("sha256 is not 64 hex digits"))?;
        let modified = self.modified.as_deref().map(read_time).transpose().map_err(wrong)?;
        Ok(ListedFile { member: self.member, name, bytes: self.bytes, sha256, modified })
    }
}

/// `2026-11-20T12:30:00Z`, with as many digits after the second as are needed and no more.
fn read_time(text: &str) -> Result<Timestamp, &'static str> {
    let time: Option<Timestamp> = text.parse().ok();
    time.filter(|time| time.to_string() == text).ok_or("modified is not a time in UTC as the format prints it")
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> =
        pairs.map(|pair| crate::crypto::hash::unhex::<1>(std::str::from_utf8(pair).ok()?).map(|[byte]| byte)).collect();
    bytes.filter(|bytes| hex(bytes) == digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(member: &str, name: &[u8]) -> ListedFile {
        let modified = Some("2026-11-20T12:30:00.5Z".parse().expect("a time"));
        ListedFile { member: member.into(), name: name.into(), bytes: 3, sha256: Hash::of(b"abc"), modified }
    }

    #[test]
    fn listing_json_is_these_bytes_and_no_others() {
        let files = vec![file("content/a/ä.txt", "a/ä.txt".as_bytes()), file("content/b_", b"b\xff")];
        let listing = Listing::new(files).expect("in order");
        let bytes = listing.print().expect("short");
        let sha256 = Hash::of(b"abc");
        let text = format!(
            "{{\n  \"format\": \"amparo.v1/listing\",\n  \"files\": [\n    {{\n      \"member\": \"content/a/ä.txt\",\n      \
             \"name\": \"a/ä.txt\",\n      \"bytes\": 3,\n      \"sha256\": \"{sha256}\",\n      \"modified\": \
             \"2026-11-20T12:30:00.5Z\"\n    }},\n    {{\n      \"member\": \"content/b_\",\n      \"name_hex\": \
             \"62ff\",\n      \"bytes\": 3,\n      \"sha256\": \"{sha256}\",\n      \"modified\": \
             \"2026-11-20T12:30:00.5Z\"\n    }}\n  ]\n}}\n"
        );
        assert_eq!(String::from_utf8(bytes.clone()).expect("text"), text);
        assert_eq!(Listing::parse(&bytes).expect("just printed"), listing);
        for (from, to) in [
            ("62ff", "6263"),
            ("62ff", "62f"),
            ("62ff", "62FF"),
            ("62ff", ""),
            ("\"name\": \"a/ä.txt\"", "\"name\": \"\""),
            ("\"name\": \"a/ä.txt\"", "\"name\": \"a\\n\""),
            ("content/a/ä.txt", "content/c"),
            ("content/a/ä.txt", "content/b_"),
            ("content/b_", "content/../b"),
            ("content/b_", "b_"),
            (".5Z", ".50Z"),
            (".5Z", ".5+00:00"),
            ("\"bytes\": 3", "\"bytes\": 3.0"),
            ("\"bytes\": 3", "\"bytes\": -3"),
            ("\"bytes\": 3,\n", "\"bytes\": 3,\n      \"more\": 3,\n"),
            ("v1/listing", "v2/listing"),
        ] {
            assert!(Listing::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{from} to {to}");
        }
    }

    #[test]
    fn an_empty_folder_has_a_listing_and_too_many_files_have_none() {
        let empty = Listing::new(vec![]).expect("nothing wrong").print().expect("short");
        assert_eq!(empty, b"{\n  \"format\": \"amparo.v1/listing\",\n  \"files\": []\n}\n");
        assert!(Listing::parse(&empty).is_ok());
        let files = (0..=FILES_MAX).map(|n| file(&format!("content/{n:08}"), b"x")).collect();
        assert!(matches!(Listing::new(files), Err(ListingError::TooMany { .. })));
    }
}
