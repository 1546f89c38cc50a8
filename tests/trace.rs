//! What `strace -y` writes of a program: which names it made, changed or removed.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Calls that make, change or remove a name.
pub(crate) const NAMING: &str = "open,openat,openat2,creat,mkdir,mkdirat,unlink,unlinkat,rmdir,rename,renameat,\
    renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,truncate,chmod,fchmodat,chown,fchownat,lchown";

/// The names in a trace that a call made, changed or removed, or tried to.
pub(crate) fn touched(trace: &str, home: &Path) -> BTreeSet<PathBuf> {
    let mut all = BTreeSet::new();
    for line in trace.lines() {
        let Some((call, rest)) = line.split_once(' ').and_then(|(_, call)| call.trim_start().split_once('(')) else {
            continue;
        };
        let reads = ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().all(|flag| !rest.contains(flag));
        if !NAMING.split(',').any(|naming| naming == call) || call.starts_with("open") && reads {
            continue;
        }
        let mut base = home.to_path_buf();
        let mut rest = rest;
        // Each name stands behind the folder that it is below, if one is given: `9</home>, "name"`.
        while let Some(at) = rest.find(['<', '"']) {
            let (is_folder, behind) = (rest.as_bytes()[at] == b'<', &rest[at + 1..]);
            let Some(end) = behind.find(if is_folder { '>' } else { '"' }) else { break };
            let path = Path::new(&behind[..end]);
            if is_folder {
                base = path.to_path_buf();
            } else {
                all.insert(plain(&base.join(path)));
            }
            rest = &behind[end + 1..];
            if !is_folder && call.starts_with("open") {
                break;
            }
        }
    }
    all
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[test]
fn a_trace_tells_what_is_written_and_where() {
    let trace = r#"7 openat(AT_FDCWD</home>, "a/../x", O_WRONLY|O_CREAT, 0600) = 3</home/x>
7 openat2(9</vault>, "VAULT", {flags=O_RDONLY|O_CLOEXEC, resolve=RESOLVE_BENEATH}, 24) = 10</vault/VAULT>
8 mkdirat(9</vault>, "blobs/../../etc", 0700 <unfinished ...>
7 renameat2(9</vault>, "a", 10</stick>, "b", 0) = -1 EXDEV (Invalid cross-device link)
8 <... mkdirat resumed>) = 0
8 write(3</home/x>, "text", 4) = 4
8 unlink("y") = 0"#;
    let expected = ["/etc", "/home/x", "/home/y", "/stick/b", "/vault/a"].map(PathBuf::from);
    assert_eq!(touched(trace, Path::new("/home")).into_iter().collect::<Vec<_>>(), expected);
}
