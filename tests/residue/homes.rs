//! Where each test begins: people with their identities, a vault, a pouch.

use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{PASSPHRASE, PEOPLE, Place, TEMPORARY, WORDS, files};
use crate::peers;

/// Where each test begins: files by their place, with their rights. It is made once, as each command opens an identity, and
/// written anew for each test.
static HOMES: OnceLock<Vec<(PathBuf, u32, Vec<u8>)>> = OnceLock::new();

impl Place {
    pub(super) fn new() -> Option<Self> {
        let strace = peers::program("strace")?;
        let parent = fs::File::open(format!("/proc/{}/mem", std::os::unix::process::parent_id()));
        if !peers::right("look into the memory of other processes", parent.is_ok()) {
            return None;
        }
        let homes = HOMES.get_or_init(|| Self::made(&strace).kept());
        let place = Self { folder: tempfile::tempdir().expect("a folder"), strace };
        for (path, rights, bytes) in homes {
            let path = place.path("").join(path);
            DirBuilder::new().recursive(true).mode(0o700).create(path.parent().expect("a folder")).expect("made");
            let mut file = fs::File::options().write(true).create_new(true).mode(*rights).open(path).expect("made");
            file.write_all(bytes).expect("written");
        }
        for folder in [TEMPORARY, "tern"] {
            fs::create_dir(place.path(folder)).expect("a folder");
        }
        Some(place)
    }

    fn kept(&self) -> Vec<(PathBuf, u32, Vec<u8>)> {
        let kept = |file: PathBuf| {
            let (rights, bytes) = (file.metadata().expect("rights").mode(), fs::read(&file).expect("bytes"));
            (file.strip_prefix(self.folder.path()).expect("below").to_path_buf(), rights, bytes)
        };
        files(self.folder.path()).into_iter().map(kept).collect()
    }

    fn made(strace: &Path) -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder"), strace: strace.to_path_buf() };
        fs::create_dir(place.path(TEMPORARY)).expect("a folder");
        fs::write(place.path("passphrase"), format!("{PASSPHRASE}\n")).expect("a file");
        fs::write(place.path("nothing"), b"").expect("a file");
        for (who, name) in PEOPLE {
            fs::create_dir(place.path(who)).expect("a home");
            place.done(who, &["identity", "new", "--name", name]);
            place.done(who, &["identity", "card", "-o", &format!("../{who}.card")]);
        }
        fs::write(place.path("lawyer/t.txt"), WORDS).expect("a source");
        let init = ["init", "evidence", "--reader", "../reader.card", "--monitor", "../monitor.card", "--handle", "K7"];
        place.done("lawyer", &init);
        place.done("lawyer", &["seal", "t.txt", "--vault", "evidence"]);
        place.done("lawyer", &["custody", "offer", "--to", "Grey Owl", "--vault", "evidence"]);
        place.done("lawyer", &["pack", "--to", "../reader.card", "-o", "../p.bin", "--vault", "evidence"]);
        place
    }
}
