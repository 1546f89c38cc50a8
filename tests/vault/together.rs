//! A folder sealed as one, of which not everything can be read: what can is sealed, what cannot is listed, and the
//! signed record says how much is missing.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::store::file_system::FileSystem;
use amparo::store::{Disk, Folder, Item, Mode, Source, Stat, StoreError};
use amparo::vault::findings::Verdict;
use amparo::vault::seal::shown;

use crate::vault::people::{Sealing, World};

const SEGMENT_BYTES: usize = 16 << 20;

/// A disk on which one file does not hold still: the first times that it is opened it ends early, or is another file
/// afterwards.
struct Restless {
    disk: FaultyDisk,
    path: PathBuf,
    times: AtomicU32,
    ends_early: bool,
}

struct Moving {
    inner: Box<dyn Source>,
    ends_early: bool,
    left: usize,
    read: bool,
}

impl Read for Moving {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read = true;
        let room = buffer.len().min(self.left);
        let count = self.inner.read(&mut buffer[..room])?;
        self.left -= if self.ends_early { count } else { 0 };
        Ok(count)
    }
}

impl Source for Moving {
    fn stat(&self) -> Result<Stat, StoreError> {
        let mut stat = self.inner.stat()?;
        stat.inode += u64::from(self.read);
        Ok(stat)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read_at(offset, buffer)
    }
}

impl Disk for Restless {
    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.folder(path)
    }

    fn create_folder(&self, path: &Path, mode: Mode) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.create_folder(path, mode)
    }

    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.create_folder_all(path)
    }

    fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        self.disk.remove_folder(path)
    }

    fn stat(&self, path: &Path) -> Result<Stat, StoreError> {
        self.disk.stat(path)
    }

    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        let inner = self.disk.source(path)?;
        let left = self.times.load(Ordering::SeqCst);
        if path != self.path || left == 0 {
            return Ok(inner);
        }
        self.times.store(left - 1, Ordering::SeqCst);
        let bytes = usize::try_from(inner.stat()?.bytes).expect("a small file");
        Ok(Box::new(Moving { inner, ends_early: self.ends_early, left: bytes - 1, read: false }))
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        self.disk.list_source(path)
    }

    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        self.disk.read_start(path, bytes_max)
    }

    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError> {
        self.disk.file_system(path)
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.disk.move_source(from, to)
    }
}

fn folder_of_three(bytes: usize) -> FaultyDisk {
    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/home/case/a.txt"), b"one");
    disk.put(Path::new("/home/case/b.bin"), &vec![7; bytes]);
    disk.put(Path::new("/home/case/c.txt"), b"three");
    disk
}

/// What is sealed verifies as a reader, and the record says this of the folder.
#[track_caller]
fn sealed_with(world: &World, sealed: &Sealing, fields: &[(&str, Option<&str>)]) {
    assert_eq!(sealed.exhibits.len(), 1, "{:?}", sealed.skipped);
    let verified = world.verify(&world.reader).expect("verified");
    assert_eq!(verified.verdict, Verdict::Valid, "{:?}", verified.findings);
    let listed = world.list(&world.reader).expect("listed");
    let record = listed[0].record.as_ref().expect("a reader sees the record");
    for (path, value) in fields {
        assert_eq!(record.field(path), *value, "{path}");
    }
}

fn seals_on(disk: Restless) -> (World, Sealing) {
    let world = World::on(Arc::new(disk), Path::new("/home")).expect("founded");
    let sealed = world.seal(&[world.path("case")], true).expect("sealed");
    (world, sealed)
}

#[test]
fn what_of_a_folder_cannot_be_read_is_listed_and_the_rest_is_sealed() {
    let disk = folder_of_three(SEGMENT_BYTES + (1 << 20));
    let world = World::on(Arc::new(disk.clone()), Path::new("/home")).expect("founded");
    let (mut left_out, start) = (Vec::new(), disk.operations());
    let rehearsal = disk.crash(0);
    let before = rehearsal.operations();
    world.moved_to(Arc::new(rehearsal.clone())).seal(&[world.path("case")], true).expect("sealed");
    for nth in 0..rehearsal.operations() - before {
        let again = disk.crash(0);
        let there = world.moved_to(Arc::new(again.clone()));
        again.fail_at(start + nth, Fault::Io, Times::Once);
        let Ok(sealed) = there.seal(&[world.path("case")], true) else { continue };
        let Some(path) = sealed.skipped.first().map(|skipped| shown(&skipped.path)) else { continue };
        if path == "/home/case" {
            continue;
        }
        sealed_with(&there, &sealed, &[("content/skipped", Some("1")), ("content/files", Some("2"))]);
        left_out.push(path);
    }
    let times = |path: &str| left_out.iter().filter(|other| *other == path).count();
    assert!(times("/home/case/b.bin") > SEGMENT_BYTES >> 20, "while each piece is read: {left_out:?}");
    assert!(times("/home/case/a.txt") >= 2 && times("/home/case/c.txt") >= 2, "{left_out:?}");
}

#[test]
fn a_file_that_changes_once_is_read_again_and_one_that_keeps_changing_is_flagged() {
    for (times, ends_early, changed, skipped) in
        [(1, false, None, None), (1, true, None, None), (9, false, Some("yes"), None), (9, true, None, Some("1"))]
    {
        let path = PathBuf::from("/home/case/b.bin");
        // Long enough that a part of it is on the disk before its end is read.
        let disk =
            Restless { disk: folder_of_three(5 * SEGMENT_BYTES), path, times: AtomicU32::new(times), ends_early };
        let (world, sealed) = seals_on(disk);
        let files = if skipped.is_some() { "2" } else { "3" };
        let fields = [("content/changed", changed), ("content/skipped", skipped), ("content/files", Some(files))];
        sealed_with(&world, &sealed, &fields);
        assert_eq!(sealed.exhibits[0].changed, changed.is_some());
        assert_eq!(sealed.skipped.len(), usize::from(skipped.is_some()));
    }
}

#[test]
fn a_folder_of_which_nothing_can_be_read_is_skipped_with_each_of_its_files() {
    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/home/case/a.txt"), b"one");
    let path = PathBuf::from("/home/case/a.txt");
    let (_, sealed) = seals_on(Restless { disk, path, times: AtomicU32::new(9), ends_early: true });
    assert_eq!((sealed.exhibits.len(), sealed.skipped.len()), (0, 2), "{:?}", sealed.skipped);
}
