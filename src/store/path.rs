//! Paths below a folder that cannot leave it: checked once, here, whoever wrote the names.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The longest name that common file systems hold, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// A `/`-separated path below a folder, of at least one component, none of them empty, `.` or `..`. Raw bytes, because
/// a hostile folder holds any.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(OsString);

impl RelPath {
    /// Takes a path as it is, or refuses it.
    pub fn parse(path: impl AsRef<OsStr>) -> Option<Self> {
        let path = path.as_ref();
        path.as_bytes().split(|&byte| byte == b'/').all(is_name).then(|| Self(path.to_owned()))
    }

    /// This path and one name below it.
    pub fn join(&self, name: impl AsRef<OsStr>) -> Option<Self> {
        let name = name.as_ref();
        if !is_name(name.as_bytes()) || name.as_bytes().contains(&b'/') {
            return None;
        }
        let mut path = self.0.clone();
        path.push("/");
        path.push(name);
        Some(Self(path))
    }

    /// The folder this path lies in, unless that is the folder it is relative to.
    pub fn parent(&self) -> Option<Self> {
        let bytes = self.0.as_bytes();
        let slash = bytes.iter().rposition(|&byte| byte == b'/')?;
        Some(Self(OsStr::from_bytes(&bytes[..slash]).to_owned()))
    }

    /// Whether it names something in this very folder.
    pub(super) fn lies_in(&self, folder: &Self) -> bool {
        let below = self.0.as_bytes().strip_prefix(folder.0.as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
        below.is_some_and(|name| !name.contains(&b'/'))
    }

    /// The last component.
    pub fn name(&self) -> &OsStr {
        self.components().next_back().unwrap_or(&self.0)
    }

    /// The components, from the top down.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &OsStr> {
        self.0.as_bytes().split(|&byte| byte == b'/').map(OsStr::from_bytes)
    }

    /// The text of this path, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        self.0.to_str()
    }

    /// For the system's calls and for showing.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl AsRef<Path> for RelPath {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_path().display().fmt(f)
    }
}

fn is_name(name: &[u8]) -> bool {
    !matches!(name, b"" | b"." | b"..") && name.len() <= NAME_BYTES_MAX && !name.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_leaves_the_folder_is_a_path() {
        for bad in ["", ".", "..", "/", "/a", "a/", "a//b", "a/./b", "../a", "a/..", "a\0b", &"a".repeat(256)] {
            assert_eq!(RelPath::parse(bad), None, "{bad:?}");
        }
        for good in ["a", "...", "..a", "a/b/c", "a b", &"a".repeat(255)] {
            assert_eq!(RelPath::parse(good).and_then(|path| path.as_str().map(str::to_owned)).as_deref(), Some(good));
        }
        assert!(RelPath::parse(OsStr::from_bytes(b"\xff\xfe")).is_some_and(|path| path.as_str().is_none()));
    }

    #[test]
    fn joined_and_taken_apart() {
        let path = RelPath::parse("keys").and_then(|path| path.join("x")).expect("both are names");
        assert_eq!(path.as_path(), Path::new("keys/x"));
        assert_eq!(path.name(), "x");
        assert_eq!(path.parent(), RelPath::parse("keys"));
        assert_eq!(path.parent().and_then(|parent| parent.parent()), None);
        let lies_in = |folder: &str| RelPath::parse(folder).is_some_and(|folder| path.lies_in(&folder));
        assert_eq!(["keys", "key", "keys/x", "x"].map(lies_in), [true, false, false, false]);
        assert!(!RelPath::parse("keys/x/y").is_some_and(|path| path.lies_in(&RelPath::parse("keys").expect("a path"))));
        for bad in ["", "..", "a/b", "/"] {
            assert_eq!(path.join(bad), None);
        }
    }
}
