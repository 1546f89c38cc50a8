//! What only a machine can show: swapped folders, devices, full and read-only media, other processes.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use amparo::store::real::RealDisk;
use amparo::store::{Disk, Kind, Mode, RelPath, StoreError};

use super::path;

/// Says why a case could not run here; `AMPARO_PEERS=required` makes that a failure.
#[expect(clippy::print_stderr, reason = "a skipped case must be seen")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
    assert_ne!(std::env::var_os("AMPARO_PEERS").as_deref(), Some(OsStr::new("required")), "{why}");
}

/// A file system of its own, in memory; `None` where this user may not mount one.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(options: &str) -> Option<Self> {
        let place = tempfile::tempdir().expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(place.path()).output();
        mounted.is_ok_and(|run| run.status.success()).then_some(Self(place))
    }

    fn make_read_only(&self) {
        let run = Command::new("mount").args(["-o", "remount,ro"]).arg(self.0.path()).output().expect("started");
        assert!(run.status.success());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn a_swapped_folder_redirects_nothing() {
    let place = tempfile::tempdir().expect("a folder");
    let vault = RealDisk.create_folder(&place.path().join("vault"), Mode::Private).expect("made");
    std::fs::create_dir(place.path().join("trap")).expect("made");
    std::fs::rename(place.path().join("vault"), place.path().join("moved")).expect("renamed");
    symlink("trap", place.path().join("vault")).expect("linked");
    vault.create(&path("a/x"), b"x", Mode::Private).expect("created");
    vault.sync(&[path("a/x")]).expect("synced");
    assert!(std::fs::read_dir(place.path().join("trap")).expect("listed").next().is_none());
    assert_eq!(std::fs::read(place.path().join("moved/a/x")).expect("read"), b"x");
}

#[test]
fn what_lies_in_the_current_folder_is_named_as_it_was_typed() {
    let here = RealDisk.folder(Path::new(".")).expect("the current folder");
    let error = here.read(&path("no such file"), 10).expect_err("nothing lies there");
    assert_eq!(error.to_string(), "no such file does not exist");
}

#[test]
fn modes_and_times_tell_as_little_as_they_can() {
    let place = tempfile::tempdir().expect("a folder");
    let root = place.path().join("vault");
    let vault = RealDisk.create_folder(&root, Mode::Private).expect("made");
    vault.create(&path("a/x"), b"x", Mode::Private).expect("created");
    let (file, folder) =
        (std::fs::metadata(root.join("a/x")).expect("known"), std::fs::metadata(root.join("a")).expect("known"));
    assert_eq!((file.mode() & 0o777, folder.mode() & 0o777), (0o600, 0o700));
    assert_eq!(std::fs::metadata(&root).expect("known").mode() & 0o777, 0o700);
    assert_eq!((file.mtime(), file.atime(), folder.mtime()), (946_684_800, 946_684_800, 946_684_800));
}

#[test]
fn the_last_component_of_a_named_path_may_be_a_link_to_a_vault() {
    let place = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(place.path().join("real/vault")).expect("made");
    std::fs::write(place.path().join("real/vault/VAULT"), b"x").expect("written");
    symlink("real", place.path().join("by-link")).expect("linked");
    symlink("real/vault", place.path().join("vault-link")).expect("linked");
    for named in ["by-link/vault", "vault-link"] {
        let vault = RealDisk.folder(&place.path().join(named)).expect("she may name it as she likes");
        assert_eq!(vault.read(&path("VAULT"), 1).expect("read"), b"x");
    }
    assert_eq!(RealDisk.stat(&place.path().join("vault-link")).expect("known").kind, Kind::Link);
}

#[test]
fn devices_and_pipes_are_refused_at_once() {
    let place = tempfile::tempdir().expect("a folder");
    let pipe = place.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::RUSR).expect("made");
    let started = Instant::now();
    for (named, expected) in
        [(Path::new("/dev/zero"), Kind::Device), (Path::new("/dev/tty"), Kind::Device), (&pipe, Kind::Pipe)]
    {
        let refusal = RealDisk.source(named).map(drop);
        assert!(matches!(refusal, Err(StoreError::NotRegular { kind, .. }) if kind == expected), "{}", named.display());
    }
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn names_of_any_bytes_and_folders_of_any_depth() {
    let place = tempfile::tempdir().expect("a folder");
    let odd = OsStr::from_bytes(b"\xff\x1b[2J\n\xe2\x80\xae");
    std::fs::write(place.path().join(odd), b"odd").expect("written");
    let items = RealDisk.list_source(place.path()).expect("listed");
    assert_eq!(items[0].name, odd);
    assert_eq!(RealDisk.stat(&place.path().join(odd)).expect("known").bytes, 3);
    let root = RealDisk.folder(place.path()).expect("opened");
    assert_eq!(root.read(&RelPath::parse(odd).expect("a name"), 3).expect("read"), b"odd");

    // Deeper than one system call can name (PATH_MAX), made and removed step by step.
    let mut deep = place.path().to_path_buf();
    for _ in 0..40 {
        deep.push("d".repeat(200));
        RealDisk.create_folder(&deep, Mode::Private).expect("made");
    }
    RealDisk.folder(&deep).expect("opened").create(&path("x"), b"deep", Mode::Private).expect("created");
    assert_eq!(RealDisk.list_source(&deep).expect("listed").len(), 1);
    let mut bytes = Vec::new();
    RealDisk.source(&deep.join("x")).expect("opened").read_to_end(&mut bytes).expect("read");
    assert_eq!(bytes, b"deep");
    let relative = RelPath::parse(deep.strip_prefix(place.path()).expect("below").as_os_str()).expect("a path");
    assert!(matches!(root.list(Some(&relative)), Ok(_) | Err(StoreError::BadPath { .. })));
}

#[test]
fn a_loop_of_links_ends() {
    let place = tempfile::tempdir().expect("a folder");
    symlink("b", place.path().join("a")).expect("linked");
    symlink("a", place.path().join("b")).expect("linked");
    symlink(".", place.path().join("self")).expect("linked");
    assert!(matches!(RealDisk.folder(&place.path().join("a")), Err(StoreError::Link { .. })));
    assert!(matches!(RealDisk.list_source(&place.path().join("self")), Err(StoreError::Link { .. })));
}

#[test]
fn a_file_that_changes_while_it_is_read_is_noticed() {
    let place = tempfile::tempdir().expect("a folder");
    let file = place.path().join("growing");
    std::fs::write(&file, b"1234").expect("written");
    let source = RealDisk.source(&file).expect("opened");
    let before = source.stat().expect("known");
    std::fs::OpenOptions::new()
        .append(true)
        .open(&file)
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"5"))
        .expect("written");
    let grown = source.stat().expect("known");
    assert!(grown != before && grown.bytes == 5);
    // Same length, and its owner put the old time back: the system's own time still tells.
    std::fs::write(&file, b"54321").expect("written");
    let modified =
        std::time::UNIX_EPOCH + Duration::new(grown.modified.seconds.unsigned_abs(), grown.modified.nanoseconds);
    std::fs::File::options().write(true).open(&file).and_then(|file| file.set_modified(modified)).expect("set");
    let forged = source.stat().expect("known");
    assert_eq!((forged.bytes, forged.modified), (5, grown.modified));
    assert_ne!(forged, grown);
}

#[test]
fn a_full_medium_keeps_nothing_of_what_did_not_fit() {
    let Some(medium) = Mounted::new("size=256k") else { return skipped("no file system can be mounted here") };
    let root = RealDisk.folder(medium.0.path()).expect("opened");
    root.create(&path("small"), &[1; 1000], Mode::Open).expect("it fits");
    let refusal = root.create(&path("a/b/large"), &vec![1; 1_000_000], Mode::Open);
    assert!(matches!(refusal, Err(StoreError::Full { .. })));
    let mut stream = root.create_stream(&path("c/large"), Mode::Open).expect("created");
    let error = std::io::Write::write_all(&mut stream, &vec![1; 1_000_000]).expect_err("it does not fit");
    assert!(matches!(StoreError::from_io(Path::new("c/large"), error), StoreError::Full { .. }));
    drop(stream);
    let left: Vec<_> = root.list(None).expect("listed").into_iter().map(|item| item.name).collect();
    assert_eq!(left, ["small"]);
    root.create(&path("after"), &[1; 1000], Mode::Open).expect("the space came back");
}

#[test]
fn a_read_only_medium_says_so() {
    let Some(medium) = Mounted::new("size=256k") else { return skipped("no file system can be mounted here") };
    let root = RealDisk.folder(medium.0.path()).expect("opened");
    root.create(&path("a/VAULT"), b"x", Mode::Open).expect("created");
    medium.make_read_only();
    let read_only = |result: Result<(), StoreError>| matches!(result, Err(StoreError::ReadOnly { .. }));
    assert!(read_only(root.lock(&path("a/VAULT")).map(drop)));
    assert!(read_only(root.create(&path("a/x"), b"", Mode::Open)));
    assert!(read_only(root.create(&path("b/x"), b"", Mode::Open)));
    assert!(read_only(root.remove(&path("a/VAULT"))));
    assert!(read_only(RealDisk.create_folder(&medium.0.path().join("c"), Mode::Open).map(drop)));
    assert_eq!(root.read(&path("a/VAULT"), 1).expect("read"), b"x");
}

/// A file system in memory has no medium, and must not be said to have been read from one.
#[test]
fn memory_is_no_medium() {
    use amparo::store::ReadFrom;
    let Some(medium) = Mounted::new("size=256k") else { return skipped("no file system can be mounted here") };
    let root = RealDisk.folder(medium.0.path()).expect("opened");
    root.create(&path("x"), b"bytes", Mode::Open).expect("created");
    root.sync(&[path("x")]).expect("synced");
    let (mut source, from) = root.read_back(&path("x"), 9).expect("opened");
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).expect("read");
    assert_eq!((bytes.as_slice(), from), (&b"bytes"[..], ReadFrom::Cache));
}

/// What was written on a disk is read back from the disk, whatever its length.
#[test]
fn a_disk_is_read_back_from_its_medium() {
    use amparo::store::ReadFrom;
    const ON_A_DISK: [&str; 5] = ["ext2/ext3", "xfs", "btrfs", "f2fs", "exfat"];
    let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let asked = Command::new("stat").args(["-f", "-c", "%T"]).arg(place.path()).output().expect("started");
    let kind = String::from_utf8_lossy(&asked.stdout).trim().to_string();
    if !ON_A_DISK.contains(&kind.as_str()) {
        return skipped(&format!("the build folder lies on {kind}"));
    }
    let root = RealDisk.folder(place.path()).expect("opened");
    let part = 512 << 10;
    for length in [1, 4095, 4096, 4097, part - 1, part, part + 1, 3 * part + 7] {
        let (name, bytes) = (path(&format!("x/{length}")), pattern(length));
        root.create(&name, &bytes, Mode::Open).expect("created");
        root.sync(std::slice::from_ref(&name)).expect("synced");
        let (mut source, from) = root.read_back(&name, length as u64).expect("opened");
        let mut read = Vec::new();
        source.read_to_end(&mut read).expect("read");
        assert_eq!(from, ReadFrom::Medium, "{length} bytes on {kind}");
        assert!(read == bytes, "{length} bytes");
    }
}

/// Bytes of which no two places of a block are alike.
fn pattern(length: usize) -> Vec<u8> {
    (0_u64..).flat_map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes()).take(length).collect()
}

#[test]
fn another_process_holds_the_lock_until_it_dies() {
    let place = tempfile::tempdir().expect("a folder");
    let file: PathBuf = place.path().join("VAULT");
    std::fs::write(&file, b"x").expect("written");
    let started = Command::new("flock")
        .args(["--exclusive", "--no-fork"])
        .arg(&file)
        .args(["sh", "-c", "echo locked; exec sleep 60"])
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut holder) = started else { return skipped("no flock(1) here") };
    let mut line = String::new();
    BufReader::new(holder.stdout.take().expect("piped")).read_line(&mut line).expect("read");
    assert_eq!(line, "locked\n");
    let root = RealDisk.folder(place.path()).expect("opened");
    assert!(matches!(root.lock(&path("VAULT")), Err(StoreError::Locked { .. })));
    holder.kill().and_then(|()| holder.wait()).expect("ended");
    assert!(root.lock(&path("VAULT")).is_ok());
}
