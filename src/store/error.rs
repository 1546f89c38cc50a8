//! What a disk can refuse. Each case names the path as the caller named it; [`StoreError`] is the error of the room.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::Kind;

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
    #[error("no space left for {}", path.display())]
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
