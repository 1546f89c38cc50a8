//! A folder made to trick whoever seals it, and an exhibit made to trick whoever opens it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use amparo::format::names::is_safe_member;
use amparo::vault::findings::Verdict;

use super::files;
use crate::vault::people::World;

const NAMES: [&[u8]; 9] = [
    b"-rf",
    b"..\\..\\x",
    b"a\x1b[2J\x1b]0;owned\x07",
    "photo\u{202e}gpj.exe".as_bytes(),
    b"\xff\xfe",
    b"con.txt",
    b"same",
    b"SAME",
    b"new\nline",
];

#[test]
fn names_come_out_safe_and_below_the_folder_and_keep_their_bytes_in_the_record() {
    let world = World::new();
    let folder = world.path("hostile");
    std::fs::create_dir(&folder).expect("a folder");
    for name in NAMES {
        std::fs::write(folder.join(OsStr::from_bytes(name)), name).expect("a file");
    }
    world.write("outside", b"nobody's business");
    symlink(world.path("outside"), folder.join("link")).expect("a link");
    symlink("/", folder.join("root")).expect("a link");
    for together in [false, true] {
        let sealed = world.seal(std::slice::from_ref(&folder), together).expect("sealed");
        assert_eq!(sealed.skipped.len(), 2, "links are told and not followed");
    }
    let before = files(&world.path(".")).len();
    let mut ids: Vec<String> = (1..=NAMES.len()).map(|number| format!("K7-{number:04}")).collect();
    ids.push(format!("K7-{:04}", NAMES.len() + 1));
    let out = world.path("out");
    for id in &ids {
        world.open(&world.reader, id, &out).expect("opened");
    }
    let mut contents = Vec::new();
    for path in files(&out) {
        let below = path.strip_prefix(&out).expect("below").to_str().expect("text").to_string();
        assert!(is_safe_member(&below), "{below:?}");
        contents.push(std::fs::read(&path).expect("bytes"));
    }
    for name in NAMES {
        assert_eq!(contents.iter().filter(|bytes| bytes.as_slice() == name).count(), 2, "{name:?}");
    }
    assert!(!contents.iter().any(|bytes| bytes == b"nobody's business"));
    let elsewhere = files(&world.path(".")).iter().filter(|path| !path.starts_with(world.path("./out"))).count();
    // The reader's device remembers and the reader's log grows; nothing else is new.
    assert!(elsewhere >= before);
    assert_eq!(world.verify(&world.reader).expect("verified").verdict, Verdict::Valid);
}
