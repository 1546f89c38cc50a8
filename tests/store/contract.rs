//! What the floors above may rely on, whichever disk they are given.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::store::real::RealDisk;
use amparo::store::{Disk, Folder, Item, Kind, Mode, StoreError};

use super::path;

/// A disk, and a folder on it that holds hostile things: `link` to `file`, `pipe`, `socket`, `folder/file`, `file`.
struct Place {
    disk: Arc<dyn Disk>,
    root: PathBuf,
    _guard: Option<tempfile::TempDir>,
}

impl Place {
    fn vault(&self) -> Arc<dyn Folder> {
        self.disk.create_folder(&self.root.join("vault"), Mode::Private).expect("made")
    }
}

fn on_each_disk(contract: impl Fn(&Place)) {
    let guard = tempfile::tempdir().expect("a folder");
    let root = guard.path().to_path_buf();
    std::fs::create_dir(root.join("folder")).expect("made");
    for file in ["file", "folder/file"] {
        std::fs::write(root.join(file), b"content").expect("written");
    }
    std::os::unix::fs::symlink("file", root.join("link")).expect("linked");
    std::os::unix::fs::symlink("folder", root.join("folder-link")).expect("linked");
    rustix::fs::mkfifoat(rustix::fs::CWD, root.join("pipe"), rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)
        .expect("made");
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("bound");
    contract(&Place { disk: Arc::new(RealDisk), root, _guard: Some(guard) });
    for rules in [Rules::Ext4, Rules::ExFat] {
        let (disk, root) = (FaultyDisk::new(rules), PathBuf::from("/place"));
        for file in ["file", "folder/file"] {
            disk.put(&root.join(file), b"content");
        }
        for (name, kind) in
            [("link", Kind::Link), ("folder-link", Kind::Link), ("pipe", Kind::Pipe), ("socket", Kind::Socket)]
        {
            disk.put_kind(&root.join(name), kind);
        }
        contract(&Place { disk: Arc::new(disk), root, _guard: None });
    }
}

#[test]
fn a_file_is_written_once_and_read_whole() {
    on_each_disk(|place| {
        let vault = place.vault();
        vault.create(&path("a/b/file"), b"bytes", Mode::Open).expect("created");
        assert_eq!(vault.read(&path("a/b/file"), 5).expect("read"), b"bytes");
        assert!(matches!(vault.read(&path("a/b/file"), 4), Err(StoreError::TooLarge { bytes: 5, bytes_max: 4, .. })));
        assert!(matches!(vault.create(&path("a/b/file"), b"x", Mode::Open), Err(StoreError::Exists { .. })));
        assert!(matches!(vault.create(&path("a/b"), b"x", Mode::Open), Err(StoreError::Exists { .. })));
        assert!(matches!(vault.create(&path("a/b/file/c"), b"x", Mode::Open), Err(StoreError::NotFolder { .. })));
        assert_eq!(vault.read(&path("a/b/file"), 5).expect("read"), b"bytes", "nothing was overwritten");
        vault.create(&path("empty"), b"", Mode::Private).expect("created");
        assert_eq!(vault.read(&path("empty"), 0).expect("read"), b"");
    });
}

#[test]
fn what_was_synced_reads_back_as_it_is() {
    on_each_disk(|place| {
        let vault = place.vault();
        for (name, length) in [("none", 0), ("one", 1), ("block", 4096), ("more", 70_001), ("parts", 1_300_000)] {
            let bytes: Vec<u8> = (0..length).map(|n: u32| n.to_le_bytes()[0]).collect();
            vault.create(&path(name), &bytes, Mode::Open).expect("created");
            vault.sync(&[path(name)]).expect("synced");
            let limit = u64::from(length);
            for mut source in [
                vault.source(&path(name), limit).expect("opened"),
                vault.read_back(&path(name), limit).expect("opened").0,
            ] {
                assert_eq!(source.stat().expect("known").bytes, limit);
                let mut read = Vec::new();
                source.read_to_end(&mut read).expect("read");
                assert_eq!(read, bytes);
            }
            if length > 0 {
                let short =
                    [vault.source(&path(name), limit - 1), vault.read_back(&path(name), limit - 1).map(|(s, _)| s)];
                assert!(short.iter().all(|short| matches!(short, Err(StoreError::TooLarge { .. }))));
            }
        }
        assert!(matches!(vault.sync(&[path("nowhere")]), Err(StoreError::NotDurable { .. })));
        assert!(matches!(vault.sync(&[]), Err(StoreError::NotDurable { .. })), "an error of a sync is final");
    });
}

#[test]
fn what_is_missing_is_missing() {
    on_each_disk(|place| {
        let vault = place.vault();
        let missing = |result: Result<(), StoreError>| matches!(result, Err(StoreError::Missing { .. }));
        assert!(missing(vault.read(&path("x"), 9).map(drop)));
        assert!(missing(vault.read(&path("x/y"), 9).map(drop)));
        assert!(missing(vault.list(Some(&path("x"))).map(drop)));
        assert!(missing(vault.remove(&path("x"))));
        assert!(missing(vault.lock(&path("x")).map(drop)));
        assert!(missing(vault.rename_new(&path("x"), &path("y"))));
        assert!(missing(place.disk.folder(&place.root.join("x")).map(drop)));
        assert!(missing(place.disk.source(&place.root.join("x/y")).map(drop)));
        assert!(missing(place.disk.create_folder(&place.root.join("x/y"), Mode::Open).map(drop)));
        assert!(!vault.exists(&path("x")).expect("known"));
    });
}

#[test]
fn a_folder_is_listed_in_the_order_of_bytes() {
    on_each_disk(|place| {
        let items = place.disk.list_source(&place.root).expect("listed");
        let told: Vec<_> = items.iter().map(|item| (item.name.to_str(), item.kind, item.bytes)).collect();
        let expected = [
            (Some("file"), Kind::File, 7),
            (Some("folder"), Kind::Folder, 0),
            (Some("folder-link"), Kind::Link, 0),
            (Some("link"), Kind::Link, 0),
            (Some("pipe"), Kind::Pipe, 0),
            (Some("socket"), Kind::Socket, 0),
        ];
        assert_eq!(told, expected);
        for item in &items {
            let stat = place.disk.stat(&place.root.join(&item.name)).expect("there");
            assert_eq!(item.id, Some(stat.id()), "{:?}", item.name);
        }
        let root = place.disk.folder(&place.root).expect("opened");
        let lengthless: Vec<_> = items.into_iter().map(|item| Item { bytes: 0, id: None, ..item }).collect();
        assert_eq!(root.list(None).expect("listed"), lengthless);
        assert_eq!(root.list(Some(&path("folder"))).expect("listed").len(), 1);
        assert!(matches!(root.list(Some(&path("file"))), Err(StoreError::NotFolder { .. })));
        assert!(matches!(root.list(Some(&path("folder-link"))), Err(StoreError::Link { .. })));
        assert!(matches!(place.disk.list_source(&place.root.join("folder-link")), Err(StoreError::Link { .. })));
    });
}

#[test]
fn only_regular_files_are_read() {
    on_each_disk(|place| {
        let root = place.disk.folder(&place.root).expect("opened");
        for (name, kind) in [("folder", Kind::Folder), ("pipe", Kind::Pipe), ("socket", Kind::Socket)] {
            for refusal in [
                place.disk.source(&place.root.join(name)).map(drop),
                root.read(&path(name), 9).map(drop),
                root.source(&path(name), 9).map(drop),
                root.read_back(&path(name), 9).map(drop),
                root.lock(&path(name)).map(drop),
            ] {
                assert!(matches!(refusal, Err(StoreError::NotRegular { kind: told, .. }) if told == kind), "{name}");
            }
            assert_eq!(place.disk.stat(&place.root.join(name)).expect("known").kind, kind);
        }
    });
}

#[test]
fn links_lead_nowhere() {
    on_each_disk(|place| {
        let root = place.disk.folder(&place.root).expect("opened");
        let link = |result: Result<(), StoreError>| matches!(result, Err(StoreError::Link { .. }));
        assert!(link(place.disk.source(&place.root.join("link")).map(drop)));
        assert!(link(root.read(&path("link"), 9).map(drop)));
        assert!(link(root.lock(&path("link")).map(drop)));
        assert!(link(root.read(&path("folder-link/file"), 9).map(drop)));
        assert!(link(root.stat(&path("folder-link/file")).map(drop)));
        assert!(link(root.create(&path("folder-link/new"), b"", Mode::Open)));
        assert!(link(root.create(&path("folder-link/a/new"), b"", Mode::Open)));
        assert!(link(root.create_stream(&path("folder-link/new"), Mode::Open).map(drop)));
        assert!(link(root.remove(&path("folder-link/file"))));
        assert!(link(root.rename_new(&path("file"), &path("folder-link/moved"))));
        assert!(matches!(root.create(&path("link"), b"", Mode::Open), Err(StoreError::Exists { .. })));
        assert_eq!(root.stat(&path("link")).expect("known").kind, Kind::Link);
        assert_eq!(root.list(Some(&path("folder"))).expect("listed").len(), 1, "nothing was written through the link");
    });
}

#[test]
fn a_stream_is_kept_only_when_it_is_finished() {
    on_each_disk(|place| {
        let vault = place.vault();
        let mut dropped = vault.create_stream(&path("a/b/x"), Mode::Private).expect("created");
        dropped.write_all(b"half").expect("written");
        drop(dropped);
        assert!(vault.list(None).expect("listed").is_empty(), "neither the file nor its folders stay");
        let mut kept = vault.create_stream(&path("a/b/x"), Mode::Private).expect("created");
        kept.write_all(b"ha").expect("written");
        kept.write_all(b"lf").expect("written");
        kept.finish().expect("kept");
        assert_eq!(vault.read(&path("a/b/x"), 4).expect("read"), b"half");
        vault.rename_new(&path("a/b/x"), &path("a/y")).expect("renamed");
        assert_eq!(vault.read(&path("a/y"), 4).expect("read"), b"half");
        assert!(!vault.exists(&path("a/b/x")).expect("known"));
        vault.create(&path("z"), b"", Mode::Open).expect("created");
        assert!(matches!(vault.rename_new(&path("z"), &path("a/y")), Err(StoreError::Exists { .. })));
    });
}

#[test]
fn a_stream_is_written_and_a_source_read_at_any_place() {
    on_each_disk(|place| {
        let vault = place.vault();
        let mut out = vault.create_stream(&path("x"), Mode::Private).expect("created");
        out.write_at(3, b"def").expect("written beyond the end");
        out.write_at(0, b"abc").expect("written");
        out.write_at(7, b"h").expect("written beyond the end");
        out.undate();
        out.finish().expect("kept");
        let source = place.disk.source(&place.root.join("vault/x")).expect("opened");
        let read = |offset: u64, room: usize| {
            let mut buffer = vec![9; room];
            let read = source.read_at(offset, &mut buffer).expect("read");
            buffer[..read].to_vec()
        };
        assert_eq!(read(0, 100), b"abcdef\0h");
        assert_eq!(read(4, 2), b"ef");
        assert!(read(8, 4).is_empty() && read(1 << 40, 4).is_empty());
    });
}

#[test]
fn only_what_is_empty_or_a_file_is_removed() {
    on_each_disk(|place| {
        let vault = place.vault();
        vault.create(&path("a/x"), b"", Mode::Open).expect("created");
        assert!(matches!(vault.remove(&path("a")), Err(StoreError::NotEmpty { .. })));
        assert!(matches!(place.disk.remove_folder(&place.root.join("vault")), Err(StoreError::NotEmpty { .. })));
        vault.remove(&path("a/x")).expect("removed");
        vault.remove(&path("a")).expect("removed");
        place.disk.remove_folder(&place.root.join("vault")).expect("removed");
        assert!(matches!(place.disk.stat(&place.root.join("vault")), Err(StoreError::Missing { .. })));
    });
}

#[test]
fn what_is_read_is_what_lies_there_now() {
    on_each_disk(|place| {
        let vault = place.vault();
        for bytes in [b"1", b"2"] {
            vault.create(&path("a/x"), bytes, Mode::Open).expect("created");
            assert_eq!(vault.read(&path("a/x"), 1).expect("read"), bytes, "in a folder that was gone before");
            vault.remove(&path("a/x")).expect("removed");
            assert!(matches!(vault.read(&path("a/x"), 1), Err(StoreError::Missing { .. })));
            vault.remove(&path("a")).expect("removed");
        }
        vault.create(&path("a/x"), b"3", Mode::Open).expect("created");
        assert_eq!(vault.read(&path("a/x"), 1).expect("read"), b"3");
        vault.rename_new(&path("a"), &path("b")).expect("renamed");
        assert!(matches!(vault.read(&path("a/x"), 1), Err(StoreError::Missing { .. })));
        assert_eq!(vault.read(&path("b/x"), 1).expect("read"), b"3");
    });
}

#[test]
fn folders_are_made_once_or_as_far_as_they_are_missing() {
    on_each_disk(|place| {
        let deep = place.root.join("folder/config/state");
        let first = place.disk.create_folder_all(&deep).expect("made");
        first.create(&path("x"), b"1", Mode::Private).expect("created");
        let again = place.disk.create_folder_all(&deep).expect("found");
        assert_eq!(again.read(&path("x"), 1).expect("read"), b"1");
        assert!(matches!(place.disk.create_folder(&deep, Mode::Open), Err(StoreError::Exists { .. })));
        assert!(matches!(place.disk.create_folder_all(&place.root.join("file/x")), Err(StoreError::NotFolder { .. })));
        assert!(matches!(place.disk.folder(&place.root.join("file")), Err(StoreError::NotFolder { .. })));
        again.create_folder(&path("p/q"), Mode::Open).expect("made");
        assert!(matches!(again.create_folder(&path("p/q"), Mode::Open), Err(StoreError::Exists { .. })));
    });
}

#[test]
fn a_lock_is_held_by_one_until_it_is_dropped() {
    on_each_disk(|place| {
        let one = place.disk.folder(&place.root).expect("opened");
        let other = place.disk.folder(&place.root).expect("opened");
        let lock = one.lock(&path("file")).expect("locked");
        assert!(matches!(other.lock(&path("file")), Err(StoreError::Locked { .. })));
        drop(lock);
        assert!(other.lock(&path("file")).is_ok());
    });
}

#[test]
fn a_source_is_read_and_known_and_moved() {
    on_each_disk(|place| {
        let file = place.root.join("file");
        let mut source = place.disk.source(&file).expect("opened");
        let before = source.stat().expect("known");
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).expect("read");
        assert_eq!((bytes.as_slice(), before.bytes), (b"content".as_slice(), 7));
        assert_eq!(source.stat().expect("known"), before);
        assert_eq!(place.disk.stat(&file).expect("known").inode, before.inode);
        let moved = place.root.join("folder/moved");
        place.disk.move_source(&file, &moved).expect("moved");
        assert!(matches!(place.disk.move_source(&moved, &place.root.join("pipe")), Err(StoreError::Exists { .. })));
        assert_eq!(place.disk.stat(&moved).expect("known").bytes, 7);
    });
}

#[test]
fn an_error_names_the_path_as_it_was_asked_for() {
    on_each_disk(|place| {
        let error = place.vault().read(&path("a/b"), 1).expect_err("missing");
        assert_eq!(error.path(), Path::new(&place.root.join("vault/a/b")));
    });
}
