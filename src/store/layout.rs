//! The names inside a vault, made and parsed: lowercase hex and decimal digits of fixed width, each bound to the
//! content that lies under it.
//!
//! ```text
//! VAULT
//! keys/<key id>/<sha256>.age
//! blobs/<first 2 digits>/<sha256>
//! logs/<log id>/entries/<seq div 256, 8 digits>/<seq, 10 digits>-<leaf>-<sha256>
//! logs/<log id>/checkpoints/<size, 10 digits>-<sha256>
//! logs/<log id>/cosign/<sha256>
//! ```

use std::fmt;
use std::path::Path;

use super::RelPath;
use crate::crypto::hash::Hash;
use crate::format::ids::{KeyId, LogId};

/// Entries of a log that share a folder: FAT32 holds few long names in one.
const SHELF_ENTRIES: u64 = 256;
const SHELF_DIGITS: usize = 8;
const SEQ_DIGITS: usize = 10;

/// The vault that a path leads through, as far as names tell: what stands before the nearest of its three folders.
pub fn vault_above(path: &Path) -> Option<&Path> {
    let is_ours =
        |folder: &&Path| ["blobs", "keys", "logs"].iter().any(|name| folder.file_name() == Some(name.as_ref()));
    path.ancestors().skip(1).find(is_ours)?.parent()
}

/// The name of an entry's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryName {
    /// Its place in the log, from 0.
    pub seq: u64,
    /// The leaf hash of what is in it.
    pub leaf: Hash,
    /// The SHA-256 of the file.
    pub sha256: Hash,
}

/// The name of a checkpoint's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckpointName {
    /// How many entries it covers.
    pub size: u64,
    /// The SHA-256 of the file.
    pub sha256: Hash,
}

impl EntryName {
    /// Reads a name; anything but what is printed is `None`.
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let parsed =
            Self { seq: digits(parts.next()?, SEQ_DIGITS)?, leaf: hash(parts.next())?, sha256: hash(parts.next())? };
        parts.next().is_none().then_some(parsed)
    }

    /// The folder that it lies in.
    pub fn shelf(&self) -> String {
        format!("{:0SHELF_DIGITS$}", self.seq / SHELF_ENTRIES)
    }
}

impl CheckpointName {
    /// Reads a name; anything but what is printed is `None`.
    pub fn parse(name: &str) -> Option<Self> {
        let (size, sha256) = name.split_once('-')?;
        Some(Self { size: digits(size, SEQ_DIGITS)?, sha256: Hash::from_hex(sha256)? })
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0SEQ_DIGITS$}-{}-{}", self.seq, self.leaf, self.sha256)
    }
}

impl fmt::Display for CheckpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0SEQ_DIGITS$}-{}", self.size, self.sha256)
    }
}

/// The hint that tells what the folder is.
pub fn vault_file() -> RelPath {
    made("VAULT".into())
}

/// The folder of wrapped keys.
pub fn keys() -> RelPath {
    made("keys".into())
}

/// The folder of blobs.
pub fn blobs() -> RelPath {
    made("blobs".into())
}

/// The folder of logs.
pub fn logs() -> RelPath {
    made("logs".into())
}

/// A vault key wrapped to one member, a share of it, or a dummy.
pub fn wrapped_key(key: KeyId, sha256: Hash) -> RelPath {
    made(format!("keys/{key}/{sha256}.age"))
}

/// A segment, manifest, inventory or attachment.
pub fn blob(sha256: Hash) -> RelPath {
    made(format!("blobs/{}/{sha256}", blob_shelf(&sha256)))
}

/// The folder in which a blob lies among others.
pub fn blob_shelf(sha256: &Hash) -> String {
    format!("{:02x}", sha256.0[0])
}

/// The blob that lies at a path, if it is one's.
pub fn blob_of(path: &RelPath) -> Option<Hash> {
    let name = Hash::from_hex(path.name().to_str()?)?;
    (*path == blob(name)).then_some(name)
}

/// The folder of one log.
pub fn log(id: LogId) -> RelPath {
    made(format!("logs/{id}"))
}

/// The folder of a log's first entries.
pub fn first_shelf(log: LogId) -> RelPath {
    made(format!("logs/{log}/entries/{:0SHELF_DIGITS$}", 0))
}

/// One entry of a log.
pub fn entry(log: LogId, name: &EntryName) -> RelPath {
    made(format!("logs/{log}/entries/{}/{name}", name.shelf()))
}

/// The folder of a log's signed states.
pub fn checkpoints(log: LogId) -> RelPath {
    made(format!("logs/{log}/checkpoints"))
}

/// One signed state of a log.
pub fn checkpoint(log: LogId, name: &CheckpointName) -> RelPath {
    made(format!("logs/{log}/checkpoints/{name}"))
}

/// A cosignature or a time-stamp reply about a log.
pub fn cosignature(log: LogId, sha256: Hash) -> RelPath {
    made(format!("logs/{log}/cosign/{sha256}"))
}

/// The SHA-256 that a file of a vault bears in its name; `None` for `VAULT`, and for what the layout does not name.
pub fn named_hash(path: &RelPath) -> Option<Hash> {
    let name = path.name().to_str()?;
    let name = name.strip_suffix(".age").unwrap_or(name);
    Hash::from_hex(name.rsplit_once('-').map_or(name, |(_, sha256)| sha256))
}

/// Whether these bytes are those that the name promises; a name that promises nothing is content with any.
pub fn is_as_named(path: &RelPath, bytes: &[u8]) -> bool {
    named_hash(path).is_none_or(|sha256| Hash::of(bytes) == sha256)
}

/// Whether the layout has such a name for a file.
pub fn is_named(path: &str) -> bool {
    let hex = |name: &str| Hash::from_hex(name).is_some();
    match path.split('/').collect::<Vec<_>>()[..] {
        ["VAULT"] => true,
        ["keys", key, file] => hex(key) && file.strip_suffix(".age").is_some_and(hex),
        ["blobs", shelf, name] => shelf.len() == 2 && name.starts_with(shelf) && hex(name),
        ["logs", log, "entries", shelf, name] => {
            LogId::from_hex(log).is_some() && EntryName::parse(name).is_some_and(|name| name.shelf() == shelf)
        }
        ["logs", log, "checkpoints", name] => LogId::from_hex(log).is_some() && CheckpointName::parse(name).is_some(),
        ["logs", log, "cosign", name] => LogId::from_hex(log).is_some() && hex(name),
        _ => false,
    }
}

/// Whether a path is that of a cosignature.
pub fn is_cosignature(path: &RelPath) -> bool {
    let text = path.to_string();
    let [logs, log, folder, file] = text.split('/').collect::<Vec<_>>()[..] else { return false };
    logs == "logs" && LogId::from_hex(log).is_some() && folder == "cosign" && Hash::from_hex(file).is_some()
}

fn made(path: String) -> RelPath {
    RelPath::parse(path).expect("names of the layout are hex and digits")
}

fn hash(text: Option<&str>) -> Option<Hash> {
    Hash::from_hex(text?)
}

/// A decimal number of exactly so many digits.
fn digits(text: &str, count: usize) -> Option<u64> {
    let all = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_nothing_else_is() {
        let (leaf, sha256) = (Hash::of(b"leaf"), Hash::of(b"file"));
        let entry = EntryName { seq: 513, leaf, sha256 };
        assert_eq!(EntryName::parse(&entry.to_string()), Some(entry));
        assert_eq!(entry.shelf(), "00000002");
        let checkpoint = CheckpointName { size: 7, sha256 };
        assert_eq!(CheckpointName::parse(&checkpoint.to_string()), Some(checkpoint));
        for bad in
            [entry.to_string().replace("0000000513", "513"), format!("{entry}-"), entry.to_string().to_uppercase()]
        {
            assert_eq!(EntryName::parse(&bad), None, "{bad}");
        }
        assert_eq!(CheckpointName::parse(&format!("+{checkpoint}")), None);
        assert_eq!(blob(sha256).components().count(), 3);
        assert!(is_cosignature(&cosignature(LogId([7; 16]), sha256)) && !is_cosignature(&blob(sha256)));
    }

    #[test]
    fn names_tell_what_their_files_must_be() {
        let (log, sha256) = (LogId([7; 16]), Hash::of(b"file"));
        let entry = EntryName { seq: 3, leaf: Hash::of(b"leaf"), sha256 };
        let named = [
            blob(sha256),
            super::entry(log, &entry),
            checkpoint(log, &CheckpointName { size: 4, sha256 }),
            cosignature(log, sha256),
            wrapped_key(KeyId(Hash::of(b"key")), sha256),
        ];
        for path in named {
            assert_eq!(named_hash(&path), Some(sha256), "{path}");
            assert!(is_as_named(&path, b"file") && !is_as_named(&path, b"other"), "{path}");
            assert!(is_named(&path.to_string()), "{path}");
            for strange in [format!("x{path}"), format!("{path}0"), format!("{path}/"), path.to_string().to_uppercase()]
            {
                assert!(!is_named(&strange), "{strange}");
            }
        }
        assert!(is_named("VAULT") && !is_named("VAULT/x") && !is_named("blobs") && !is_named("../VAULT"));
        assert_eq!(named_hash(&vault_file()), None);
        assert!(is_as_named(&vault_file(), b"anything"));
    }
}
