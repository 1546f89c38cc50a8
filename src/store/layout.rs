//! The names inside a vault, made and parsed. A name that parses prints as itself again; whatever does not parse is
//! foreign, and never touched.
//!
//! ```text
//! VAULT                                                      text: format and vault id
//! keys/<key id>/<sha256>.age                                 a wrapped key
//! blobs/<first two digits>/<sha256>                          a blob
//! logs/<log id>/entries/<seq div 256>/<seq>-<leaf>-<sha256>  an entry
//! logs/<log id>/checkpoints/<size>-<sha256>                  a signed head
//! logs/<log id>/cosign/<sha256>                              a cosignature or time-stamp reply
//! ```

use super::RelPath;
use crate::crypto::hash::{Hash, hex, unhex};

/// The text that names a folder a vault.
pub const VAULT: &str = "VAULT";
/// The folder of wrapped keys.
pub const KEYS: &str = "keys";
/// The folder of blobs.
pub const BLOBS: &str = "blobs";
/// The folder of logs.
pub const LOGS: &str = "logs";
/// Entries in one folder.
pub const ENTRIES_A_FOLDER: u64 = 256;
/// The largest sequence number or tree size that a name holds.
pub const NUMBER_MAX: u64 = 9_999_999_999;

const SEQ_DIGITS: usize = 10;
const FOLDER_DIGITS: usize = 8;

/// The id of a log.
pub type LogId = [u8; 16];

/// What a file of a vault is by its name; each name is bound to the file's own SHA-256, its `file`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VaultFile {
    /// Format and vault id: a hint, never trusted.
    Vault,
    /// A vault identity wrapped to one member, or a share of it, or a dummy.
    Key {
        /// SHA-256 of the public recipient of the wrapped key.
        key: Hash,
        /// Of the file itself.
        file: Hash,
    },
    /// A segment, manifest, inventory or attachment.
    Blob {
        /// Of the file itself.
        file: Hash,
    },
    /// One entry of a log.
    Entry {
        /// The log.
        log: LogId,
        /// Its place in the log, from 0.
        seq: u64,
        /// Its leaf hash in the log's tree.
        leaf: Hash,
        /// Of the file itself.
        file: Hash,
    },
    /// A signed head of a log.
    Checkpoint {
        /// The log.
        log: LogId,
        /// How many entries it covers.
        size: u64,
        /// Of the file itself.
        file: Hash,
    },
    /// A cosignature or time-stamp reply, filed under the log it is about.
    Cosignature {
        /// The log.
        log: LogId,
        /// Of the file itself.
        file: Hash,
    },
}

impl VaultFile {
    /// Where the file lies. A number above [`NUMBER_MAX`] gives a name that does not parse.
    pub fn path(&self) -> RelPath {
        made(&match self {
            Self::Vault => VAULT.to_owned(),
            Self::Key { key, file } => format!("{KEYS}/{key}/{file}.age"),
            Self::Blob { file } => format!("{BLOBS}/{:02x}/{file}", file.0[0]),
            Self::Entry { log, seq, leaf, file } => {
                format!("{}/{seq:0SEQ_DIGITS$}-{leaf}-{file}", entries_text(log, *seq))
            }
            Self::Checkpoint { log, size, file } => {
                format!("{LOGS}/{}/checkpoints/{size:0SEQ_DIGITS$}-{file}", hex(log))
            }
            Self::Cosignature { log, file } => format!("{LOGS}/{}/cosign/{file}", hex(log)),
        })
    }

    /// What a path in a vault names, if it is a name that a vault has.
    pub fn parse(path: &RelPath) -> Option<Self> {
        let parts: Vec<&str> = path.as_str()?.split('/').collect();
        let file = match parts.as_slice() {
            [VAULT] => Self::Vault,
            [KEYS, key, name] => {
                Self::Key { key: Hash::from_hex(key)?, file: Hash::from_hex(name.strip_suffix(".age")?)? }
            }
            [BLOBS, _, name] => Self::Blob { file: Hash::from_hex(name)? },
            [LOGS, log, "entries", _, name] => {
                let (seq, hashes) = name.split_once('-')?;
                let (leaf, file) = hashes.split_once('-')?;
                Self::Entry {
                    log: unhex(log)?,
                    seq: number(seq)?,
                    leaf: Hash::from_hex(leaf)?,
                    file: Hash::from_hex(file)?,
                }
            }
            [LOGS, log, "checkpoints", name] => {
                let (size, file) = name.split_once('-')?;
                Self::Checkpoint { log: unhex(log)?, size: number(size)?, file: Hash::from_hex(file)? }
            }
            [LOGS, log, "cosign", name] => Self::Cosignature { log: unhex(log)?, file: Hash::from_hex(name)? },
            _ => return None,
        };
        // One spelling a name: the folders between must be those that follow from it.
        (file.path() == *path).then_some(file)
    }

    /// What the file's own SHA-256 must be; `VAULT` alone has a fixed name.
    pub fn file(&self) -> Option<Hash> {
        match self {
            Self::Vault => None,
            Self::Key { file, .. }
            | Self::Blob { file }
            | Self::Entry { file, .. }
            | Self::Checkpoint { file, .. }
            | Self::Cosignature { file, .. } => Some(*file),
        }
    }
}

/// The folder of what is wrapped of one key.
pub fn keys_of(key: &Hash) -> RelPath {
    made(&format!("{KEYS}/{key}"))
}

/// The folder of blobs whose hash begins with this byte.
pub fn blobs_of(first: u8) -> RelPath {
    made(&format!("{BLOBS}/{first:02x}"))
}

/// The folder of one log.
pub fn log_of(log: &LogId) -> RelPath {
    made(&format!("{LOGS}/{}", hex(log)))
}

/// The folder of the folders of a log's entries.
pub fn entries_of(log: &LogId) -> RelPath {
    made(&format!("{LOGS}/{}/entries", hex(log)))
}

/// The folder in which the entry with this sequence number lies.
pub fn entries_folder(log: &LogId, seq: u64) -> RelPath {
    made(&entries_text(log, seq))
}

/// The folder of a log's signed heads.
pub fn checkpoints_of(log: &LogId) -> RelPath {
    made(&format!("{LOGS}/{}/checkpoints", hex(log)))
}

/// The folder of the cosignatures of a log's heads.
pub fn cosignatures_of(log: &LogId) -> RelPath {
    made(&format!("{LOGS}/{}/cosign", hex(log)))
}

fn entries_text(log: &LogId, seq: u64) -> String {
    format!("{LOGS}/{}/entries/{:0FOLDER_DIGITS$}", hex(log), seq / ENTRIES_A_FOLDER)
}

/// Exactly ten decimal digits.
fn number(digits: &str) -> Option<u64> {
    let all_digits = digits.len() == SEQ_DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| all_digits)
}

fn made(path: &str) -> RelPath {
    RelPath::parse(path).expect("made of digits and fixed words")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &str) -> Option<VaultFile> {
        RelPath::parse(path).and_then(|path| VaultFile::parse(&path))
    }

    #[test]
    fn each_name_reads_as_what_it_was_made_from() {
        let (log, leaf, file) = ([0xab; 16], Hash([1; 32]), Hash([0xcd; 32]));
        for one in [
            VaultFile::Vault,
            VaultFile::Key { key: leaf, file },
            VaultFile::Blob { file },
            VaultFile::Entry { log, seq: 0, leaf, file },
            VaultFile::Entry { log, seq: NUMBER_MAX, leaf, file },
            VaultFile::Checkpoint { log, size: 1, file },
            VaultFile::Cosignature { log, file },
        ] {
            assert_eq!(VaultFile::parse(&one.path()), Some(one));
        }
        let entry = VaultFile::Entry { log, seq: 513, leaf, file }.path();
        assert_eq!(
            entry.as_str(),
            Some(format!("logs/{}/entries/00000002/0000000513-{leaf}-{file}", "ab".repeat(16)).as_str())
        );
        assert_eq!(entry.parent(), Some(entries_folder(&log, 513)));
        assert_eq!(VaultFile::Blob { file }.path().parent(), Some(blobs_of(0xcd)));
        assert_eq!(VaultFile::Key { key: leaf, file }.path().parent(), Some(keys_of(&leaf)));
        assert_eq!(VaultFile::Checkpoint { log, size: 1, file }.path().parent(), Some(checkpoints_of(&log)));
        assert_eq!(VaultFile::Cosignature { log, file }.path().parent(), Some(cosignatures_of(&log)));
        assert_eq!(entries_of(&log).parent(), Some(log_of(&log)));
    }

    #[test]
    fn no_second_spelling_is_read() {
        let (hash, log) = ("cd".repeat(32), "ab".repeat(16));
        let folder = format!("logs/{log}/entries/00000000");
        for bad in [
            "vault".to_owned(),
            "VAULT/x".to_owned(),
            format!("keys/{hash}/{hash}"),
            format!("keys/{hash}/{hash}.AGE"),
            format!("keys/{hash}/x/{hash}.age"),
            format!("blobs/ab/{hash}"),
            format!("blobs/cd/{}", hash.to_uppercase()),
            format!("blobs/cd/{}", &hash[1..]),
            format!("blobs/{hash}"),
            format!("logs/{log}/entries/00000001/0000000000-{hash}-{hash}"),
            format!("logs/{log}/entries/0/0000000000-{hash}-{hash}"),
            format!("{folder}/0-{hash}-{hash}"),
            format!("{folder}/+000000001-{hash}-{hash}"),
            format!("{folder}/00000000001-{hash}-{hash}"),
            format!("{folder}/0000000001-{hash}"),
            format!("{folder}/0000000001-{hash}-{hash}-{hash}"),
            format!("logs/{hash}/cosign/{hash}"),
            format!("logs/{log}/cosign/{hash}.age"),
            format!("logs/{log}/checkpoints/1-{hash}"),
            format!("logs/{log}/checkpoints/{hash}"),
            "blobs".to_owned(),
            "lost+found".to_owned(),
        ] {
            assert_eq!(text(&bad), None, "{bad}");
        }
        assert!(text(&format!("blobs/cd/{hash}")).is_some());
    }

    #[test]
    fn a_number_too_large_is_no_name() {
        let file = Hash([0; 32]);
        for size in [NUMBER_MAX + 1, u64::MAX] {
            assert_eq!(VaultFile::parse(&VaultFile::Checkpoint { log: [0; 16], size, file }.path()), None);
        }
    }
}
