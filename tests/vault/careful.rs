//! What a tired person does, and what must not come of it.

use std::path::{Path, PathBuf};

use amparo::vault::VaultError;
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::seal::shown;

use super::people::World;
use crate::copied::copy_all;

#[test]
fn two_copies_of_a_vault_do_not_spoil_each_other() {
    let mut world = World::new();
    let source = world.write("s/a.txt", b"one");
    world.seal(std::slice::from_ref(&source), false).expect("sealed");
    let stick = world.path("stick");
    copy_all(&world.vault, &stick);
    world.seal(std::slice::from_ref(&source), false).expect("sealed at home");
    let home = std::mem::replace(&mut world.vault, stick);
    let refused = world.seal(std::slice::from_ref(&source), false);
    assert!(matches!(refused, Err(VaultError::OlderCopy { .. })), "{refused:?}");
    let verified = world.verify(&world.reader).expect("verified");
    assert_eq!((verified.verdict, verified.exhibits), (Verdict::Valid, 1), "{:?}", verified.findings);
    let behind = world.verify(&world.lawyer).expect("verified");
    assert!(behind.findings.iter().any(|finding| finding.check == Check::Behind), "{:?}", behind.findings);
    world.vault = home;
    world.seal(&[source], false).expect("sealed at home again");
    assert_eq!(world.verify(&world.lawyer).expect("verified").verdict, Verdict::Valid);
}

#[test]
fn nothing_is_sealed_that_nobody_could_open() {
    let world = World::new();
    let source = world.write("s/a.txt", b"one");
    world.seal(std::slice::from_ref(&source), false).expect("sealed");
    for key in std::fs::read_dir(world.vault.join("keys")).expect("keys").flatten() {
        // Of the custody key everybody has a file; of a content key the reader alone.
        let files: Vec<PathBuf> =
            std::fs::read_dir(key.path()).expect("files").flatten().map(|file| file.path()).collect();
        let own = files.iter().any(|file| {
            let bytes = std::fs::read(file).expect("bytes");
            amparo::crypto::envelope::open(&bytes, &[&world.lawyer.person.keys.age]).is_ok()
        });
        if !own {
            std::fs::remove_dir_all(key.path()).expect("removed");
        }
    }
    match world.seal(&[source], false) {
        Err(VaultError::Unsound(finding)) => {
            assert_eq!((finding.check, finding.weight), (Check::Key, Verdict::Incomplete));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_done_does_not_wait_for_a_large_file() {
    let world = World::new();
    let small = world.write("s/small.txt", b"one");
    let large = world.path("s/large.bin");
    std::fs::File::create(&large).and_then(|file| file.set_len(257 << 20)).expect("a sparse file");
    let sealed = world.seal(&[large, small], false).expect("sealed");
    assert_eq!(sealed.head.expect("a signed state").size, 3, "the founding, the small file, the large one");
}

#[test]
fn the_vault_and_the_memory_are_never_sealed_into_themselves() {
    let world = World::new();
    world.write("s/a.txt", b"one");
    let home = world.vault.parent().expect("a home").to_path_buf();
    let sealed = world.seal(&[home, world.vault.clone()], false).expect("sealed");
    let skipped: Vec<String> = sealed.skipped.iter().map(|skipped| shown(&skipped.path)).collect();
    let own = |name: &str| skipped.iter().filter(|path| path.ends_with(name)).count();
    assert_eq!((own("/vault"), own("/state of Blue Heron")), (2, 1), "{skipped:?}");
    assert_eq!(sealed.exhibits.len(), 1);
}

#[test]
fn what_is_missing_does_not_hide_the_rest_of_the_list() {
    let world = World::new();
    let source = world.write("s/a.txt", b"one");
    world.seal(std::slice::from_ref(&source), false).expect("sealed");
    world.seal(&[source], false).expect("sealed");
    for shelf in std::fs::read_dir(world.vault.join("blobs")).expect("blobs").flatten() {
        for blob in std::fs::read_dir(shelf.path()).expect("blobs").flatten().map(|blob| blob.path()) {
            let bytes = std::fs::read(&blob).expect("bytes");
            std::fs::remove_file(&blob).expect("removed");
            let listed = world.list(&world.reader).expect("listed as far as can be");
            assert!(!listed.is_empty(), "{}", blob.display());
            std::fs::write(&blob, bytes).expect("restored");
        }
    }
    assert_eq!(world.list(&world.reader).expect("listed").len(), 2);
}

#[test]
fn a_folder_that_cannot_be_read_is_listed_and_the_rest_is_sealed() {
    use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
    use std::sync::Arc;

    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/home/closed/b.txt"), b"two");
    disk.put(Path::new("/home/s/a.txt"), b"one");
    let world = World::on(Arc::new(disk.clone()), Path::new("/home")).expect("founded");
    let sources = [world.path("s/a.txt"), world.path("closed")];
    let (mut listed, start) = (0, disk.operations());
    for nth in 0..200 {
        let again = disk.crash(0);
        let there = world.moved_to(Arc::new(again.clone()));
        again.fail_at(start + nth, Fault::Io, Times::Once);
        if let Ok(sealed) = there.seal(&sources, false) {
            let closed = sealed.skipped.iter().any(|skipped| shown(&skipped.path) == "/home/closed");
            assert!(!closed || sealed.exhibits.len() == 1, "{:?}", sealed.skipped);
            listed += u32::from(closed);
        }
    }
    assert_eq!(listed, 1, "the listing of that folder is one operation");
}
