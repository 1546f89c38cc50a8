//! What a disk can refuse. Each case names the path as the caller named it; [`StoreError`] is the error of the room.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::{Kind, layout};

/// Longer names are cut where a full disk is told of.
const NAME_CHARS_MAX: usize = 32;

/// Why the disk did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing lies at this path.
    #[error("{} does not exist", path.display())]
    Missing {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// Something lies at this path already, and nothing is ever overwritten.
    #[error("{} exists already", path.display())]
    Exists {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// A regular file was needed.
    #[error("{} is {kind}, not a regular file", path.display())]
    NotRegular {
        /// The path that was asked for.
        path: PathBuf,
        /// What lies there.
        kind: Kind,
    },
    /// A folder was needed, at this path or on the way to it.
    #[error("{} is not a folder, or lies below something that is none", path.display())]
    NotFolder {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// A link stands at this path or on the way to it.
    #[error("{} is reached through a link, which is never followed here", path.display())]
    Link {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The folder still holds something.
    #[error("{} is not empty", path.display())]
    NotEmpty {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The file is longer than its format allows.
    #[error("{} has {bytes} bytes, more than the {bytes_max} that are allowed", path.display())]
    TooLarge {
        /// The path that was asked for.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// The most that the caller takes.
        bytes_max: u64,
    },
    /// The path is empty, or leads out of the folder, or the system cannot hold it.
    #[error("{} is no path that can be used here", path.display())]
    BadPath {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// This user may not.
    #[error("no permission for {}", path.display())]
    Denied {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The medium cannot be written.
    #[error("{} lies on a read-only medium", path.display())]
    ReadOnly {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// No space, or no quota, is left.
    #[error("{}", full(path))]
    Full {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// Another process has the lock.
    #[error("{} is locked by another process", path.display())]
    Locked {
        /// The path that was asked for.
        path: PathBuf,
    },
    /// The system could not make what was written durable. Final: a second attempt would succeed and prove nothing.
    #[error("{} could not be made durable", path.display())]
    NotDurable {
        /// What was being made durable.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Any other error of the system.
    #[error("the system failed at {}", path.display())]
    Io {
        /// The path that was asked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StoreError {
    /// The case that an error of the system stands for, at this path. Also for errors of [`super::Source`]'s and
    /// [`super::OutFile`]'s reading and writing.
    pub fn from_io(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.raw_os_error().map(Errno::from_raw_os_error) {
            Some(Errno::NOENT) => Self::Missing { path },
            Some(Errno::EXIST) => Self::Exists { path },
            Some(Errno::NOTDIR) => Self::NotFolder { path },
            Some(Errno::ISDIR) => Self::NotRegular { path, kind: Kind::Folder },
            Some(Errno::LOOP) => Self::Link { path },
            Some(Errno::NOTEMPTY) => Self::NotEmpty { path },
            Some(Errno::NAMETOOLONG | Errno::ILSEQ) => Self::BadPath { path },
            Some(Errno::ACCESS | Errno::PERM) => Self::Denied { path },
            Some(Errno::ROFS) => Self::ReadOnly { path },
            Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => Self::Full { path },
            _ => Self::Io { path, source },
        }
    }

    /// The path that the refusal concerns.
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing { path }
            | Self::Exists { path }
            | Self::NotRegular { path, .. }
            | Self::NotFolder { path }
            | Self::Link { path }
            | Self::NotEmpty { path }
            | Self::TooLarge { path, .. }
            | Self::BadPath { path }
            | Self::Denied { path }
            | Self::ReadOnly { path }
            | Self::Full { path }
            | Self::Locked { path }
            | Self::NotDurable { path, .. }
            | Self::Io { path, .. } => path,
        }
    }
}

/// Which disk is full, in words: what fills a vault has names of a hundred characters, which tell a person nothing.
fn full(path: &Path) -> String {
    let folder = layout::vault_above(path).or(path.parent()).unwrap_or(path);
    let shown = if folder == Path::new("") { "this folder".into() } else { folder.display().to_string() };
    let file: Vec<String> = path.strip_prefix(folder).unwrap_or(path).iter().map(shortened).collect();
    format!("the disk on which {shown} lies is full: no space left for {}", file.join("/"))
}

/// A name made of hashes, as far as anybody reads it.
fn shortened(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    match name.char_indices().nth(NAME_CHARS_MAX) {
        Some((at, _)) => format!("{}…", name.get(..at).unwrap_or_default()),
        None => name.into_owned(),
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a regular file",
            Self::Folder => "a folder",
            Self::Link => "a link",
            Self::Pipe => "a pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Other => "of an unknown kind",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_by_the_folder_that_a_person_knows() {
        let said = |path: &str| StoreError::Full { path: path.into() }.to_string();
        let blob = format!("blobs/ab/{}", "ab".repeat(32));
        let file = format!("blobs/ab/{}…", "ab".repeat(16));
        let full = |folder: &str| format!("the disk on which {folder} lies is full: no space left for {file}");
        assert_eq!(said(&format!("/home/logs/evidence/{blob}")), full("/home/logs/evidence"));
        assert_eq!(said(&blob), full("this folder"));
        assert_eq!(said("out/letter.pdf"), "the disk on which out lies is full: no space left for letter.pdf");
        assert_eq!(said("letter.pdf"), "the disk on which this folder lies is full: no space left for letter.pdf");
    }
}
