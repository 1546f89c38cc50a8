//! The only room that touches the disk, behind one trait. No keys, no formats, no words for people may enter it.
//!
//! - this file: [`Disk`] and [`Folder`], what the floors above may ask of a disk
//! - [`error`]: what a disk can refuse
//! - [`file_system`]: what kind of file system something lies on
//! - [`path`]: paths below a folder that cannot leave it
//! - [`layout`]: the names inside a vault, made and parsed
//! - [`memory`]: what this device remembers outside the vaults
//! - [`mounted`]: a disk with one more folder on it
//! - [`overlay`]: two folders read as one
//! - [`veil`]: a folder without some of its files
//! - [`source`]: what is read in parts
//! - [`real`]: the machine's disk
//! - [`faulty`]: a disk in memory that loses power and fails on demand, for tests
//! - [`hygiene`]: what this process refuses to leave behind
//! - [`confine`]: what this process gives up before it parses bytes from outside
//! - [`ahead`]: a disk with files on it that were read, or made, before that
//! - [`aside`]: how something new takes the place of something old
//!
//! Three rules hold for each implementation. A file is **written once under its final name** and never edited. Nothing
//! is reached **through a link** below a folder. And nothing is **durable before [`Folder::sync`]** has returned.

pub mod ahead;
pub mod aside;
pub mod confine;
pub mod error;
pub mod faulty;
pub mod file_system;
pub mod hygiene;
pub mod layout;
pub mod memory;
pub mod mounted;
pub mod overlay;
pub mod path;
pub mod real;
pub mod source;
pub mod veil;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

pub use error::StoreError;
pub use file_system::{FileSystem, FileSystemKind};
pub use path::RelPath;
pub use source::Source;

/// The machine's disk, or a model of one.
///
/// Paths are those that a person named: links in the folders above the last component are followed, as she expects.
pub trait Disk: Send + Sync {
    /// Opens an existing folder. Everything below is reached through this handle, whatever happens to the path.
    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError>;

    /// Makes a folder that must not exist yet, in one that does. Its name is durable when this returns.
    fn create_folder(&self, path: &Path, mode: Mode) -> Result<Arc<dyn Folder>, StoreError>;

    /// Opens a folder for configuration or state and makes what is missing of its path, privately and durably.
    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError>;

    /// Removes an empty folder: undoes [`Disk::create_folder`].
    fn remove_folder(&self, path: &Path) -> Result<(), StoreError>;

    /// What lies at a path; the last component is never followed.
    fn stat(&self, path: &Path) -> Result<Stat, StoreError>;

    /// What a path leads to in the end, through a link that is its last component, too: to tell whether it is known already.
    fn stat_behind(&self, path: &Path) -> Result<Stat, StoreError> {
        self.stat(path)
    }

    /// Opens a source for reading. Anything but a regular file is refused at once, without waiting for a writer.
    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError>;

    /// The first bytes of a source, at most so many: a look at what it is, which reads no more of it than that.
    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError>;

    /// The file system that a path lies on; the last component is never followed.
    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError>;

    /// The items of a source folder, which must not be a link, in the byte order of their raw names, each looked up.
    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError>;

    /// Moves a source to a path where nothing lies yet, on the same file system. It is there for good when this
    /// returns; where it was moved and that could not be had, the error is [`StoreError::NotDurable`].
    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError>;
}

/// A folder and what lies below it.
pub trait Folder: Send + Sync {
    /// The path by which this folder was opened, to be shown; it is never used again to reach anything.
    fn shown(&self) -> &Path;

    /// What a folder answers that is only read: [`overlay`], a pouch. Whatever would change it refuses so by itself.
    fn read_only(&self, path: &RelPath) -> StoreError {
        StoreError::ReadOnly { path: self.shown().join(path) }
    }

    /// The whole of a regular file of at most `bytes_max` bytes; a longer one is refused before it is read.
    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError>;

    /// As [`Folder::read`], to be read in parts: for what need not be in memory as a whole.
    fn source(&self, path: &RelPath, bytes_max: u64) -> Result<Box<dyn Source>, StoreError> {
        let bytes = self.read(path, bytes_max)?;
        // Of two copies of a file it is the one that was read.
        let stat = Stat { bytes: bytes.len() as u64, ..self.stat(path)? };
        Ok(source::held(bytes, stat))
    }

    /// As [`Folder::source`], from the medium where the system can be made to. Sync first: what is not yet written
    /// cannot be read back.
    fn read_back(&self, path: &RelPath, bytes_max: u64) -> Result<(Box<dyn Source>, ReadFrom), StoreError> {
        Ok((self.source(path, bytes_max)?, ReadFrom::Cache))
    }

    /// What lies at a path; the last component is never followed.
    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError>;

    /// Whether anything, of whatever kind, lies at a path.
    fn exists(&self, path: &RelPath) -> Result<bool, StoreError> {
        match self.stat(path) {
            Ok(_) => Ok(true),
            Err(StoreError::Missing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The items of a folder below (`None`: of this one), in the byte order of their raw names. How long they are is not
    /// looked up: of a hundred thousand entries the names tell enough.
    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError>;

    /// Writes a file once, under a name that must be free, and makes the folders above it. Where this fails, what it
    /// created is removed. Its times are set to one constant instant where the file system lets us.
    fn create(&self, path: &RelPath, _: &[u8], _: Mode) -> Result<(), StoreError> {
        Err(self.read_only(path))
    }

    /// As [`Folder::create`], for a file too large for memory; dropped before [`OutFile::finish`], it is removed.
    /// Its times are left as they are.
    fn create_stream(&self, path: &RelPath, _: Mode) -> Result<Box<dyn OutFile>, StoreError> {
        Err(self.read_only(path))
    }

    /// Makes a folder that must not exist yet, and those above it.
    fn create_folder(&self, path: &RelPath, _: Mode) -> Result<(), StoreError> {
        Err(self.read_only(path))
    }

    /// Gives a file or folder another name, which must be free. For what is put out; never inside a vault.
    fn rename_new(&self, from: &RelPath, _: &RelPath) -> Result<(), StoreError> {
        Err(self.read_only(from))
    }

    /// Makes these new files, and the names of all folders above them, durable as one group. An error is final: the
    /// system may have forgotten what it could not write, so that no later sync of this handle can succeed.
    fn sync(&self, created: &[RelPath]) -> Result<(), StoreError>;

    /// Removes a file, a link itself, or an empty folder.
    fn remove(&self, path: &RelPath) -> Result<(), StoreError> {
        Err(self.read_only(path))
    }

    /// Removes files, durably: none of them comes back after a power cut. Returns how many were there.
    fn remove_all(&self, paths: &[RelPath]) -> Result<u64, StoreError> {
        let mut removed = 0;
        let mut folders = BTreeSet::new();
        for path in paths {
            match self.remove(path) {
                Ok(()) => removed += 1,
                Err(StoreError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
            folders.extend(path.parent());
        }
        let mut there = Vec::new();
        for folder in folders {
            // Where a folder went with its file, the one above it must forget its name, or both come back.
            for above in std::iter::successors(Some(folder), RelPath::parent) {
                if self.exists(&above)? {
                    there.push(above);
                    break;
                }
            }
        }
        self.sync(&there)?;
        Ok(removed)
    }

    /// Locks an existing file against other processes, or says at once that one of them has it. The file must be
    /// writable, so that a read-only medium is known before anything is done.
    fn lock(&self, path: &RelPath) -> Result<Box<dyn Lock>, StoreError> {
        Err(self.read_only(path))
    }
}

/// A new file that is being written.
pub trait OutFile: Write + Send {
    /// Writes at a place, wherever [`Write`] stands; what lies between the end so far and a place beyond it is zeros.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Sets its times to the constant instant of [`Folder::create`], where the file system lets us: its date tells nothing.
    fn undate(&mut self);

    /// Keeps the file. It is durable only after [`Folder::sync`].
    fn finish(self: Box<Self>) -> Result<(), StoreError>;
}

/// A lock, held until it is dropped.
pub trait Lock: Send + Sync {}

/// Who may read what is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nobody but this user (0600, 0700).
    Private,
    /// Whoever the user's own mask lets in (0666, 0777 less the mask).
    Open,
}

/// Where a read-back came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReadFrom {
    /// The storage device was asked (its own memory may still have answered).
    Medium,
    /// The system may have answered from memory.
    Cache,
}

/// What kind of thing lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A FIFO: opening one can wait for ever.
    Pipe,
    /// A socket.
    Socket,
    /// A character or block device.
    Device,
    /// Something the system has no name for.
    Other,
}

/// What the system says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its kind.
    pub kind: Kind,
    /// Its length; 0 for what is no regular file.
    pub bytes: u64,
    /// When its content last changed, as its owner can set it.
    pub modified: FileTime,
    /// When the system last saw a change of it.
    pub changed: FileTime,
    /// The file system it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Who may do what with it: the nine permission bits (0o777), as far as its file system keeps any.
    pub permissions: u32,
}

/// What two paths have in common that lead to one file: its file system, and its number there.
pub type FileId = (u64, u64);

impl Stat {
    /// Which file it is.
    pub fn id(&self) -> FileId {
        (self.device, self.inode)
    }
}

/// A time of a file, since 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime {
    /// Seconds, negative before 1970.
    pub seconds: i64,
    /// Nanoseconds of that second, always forward.
    pub nanoseconds: u32,
}

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The raw name: it may hold any byte but `/` and zero.
    pub name: OsString,
    /// Its kind, not following a link.
    pub kind: Kind,
    /// Its length, where it was looked up; 0 for what is no regular file.
    pub bytes: u64,
    /// Which file it is, where it was looked up.
    pub id: Option<FileId>,
}
