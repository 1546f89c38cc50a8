//! Whatever lies where a command is given the name of a file: endless, no file at all, nested, binary, made to command a terminal.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::judge::{Desk, Input, Says};
use crate::commands::harness::World;
use crate::vault::agreement::dice::Dice;

/// A command that reads a file, and what it says of each sort of thing that is no such file: exit code and words.
struct Reader {
    who: &'static str,
    args: &'static [&'static str],
    too_long: (i32, &'static str),
    folder: (i32, &'static str),
    /// The beginning of an age file, with stanzas without end.
    age: (i32, &'static str),
    other: (i32, &'static str),
}

const LONG: (i32, &str) = (1, "are allowed");
const FOLDER: (i32, &str) = (1, "is a folder, not a regular file");
const NO_CARD: (i32, &str) = (3, "is no card that holds");
const NOTHING_KNOWN: (i32, &str) = (1, "is no vault, receipt, signed state or card");
const NO_POUCH: (i32, &str) = (2, "no part of a pouch");
const LOST: (i32, &str) = (4, "the beginning of this pouch is lost");

const READERS: [Reader; 10] = [
    card(&["member", "add", "../x", "--role", "monitor", "--no-input", "--vault", "evidence"]),
    card(&["init", "new", "--reader", "../x"]),
    card(&["verify", "evidence", "--owner", "../x"]),
    text(&["verify", "evidence", "--receipt", "../x"]),
    text(&["verify", "evidence", "--checkpoint", "../x"]),
    Reader { folder: (10, "is not a vault"), age: (4, "it is damaged"), ..text(&["verify", "../x"]) },
    Reader {
        who: "reader",
        args: &["merge", "../x", "--vault", "evidence"],
        too_long: LONG,
        folder: (10, "this is no copy of a vault"),
        age: LOST,
        other: (3, "holds no cosignatures that can be read"),
    },
    Reader {
        who: "reader",
        args: &["unpack", "../x", "--no-input", "--vault", "evidence"],
        too_long: NO_POUCH,
        folder: NO_POUCH,
        age: LOST,
        other: NO_POUCH,
    },
    Reader {
        who: "lawyer",
        args: &["seal", "t.txt", "--form", "../x", "--no-input", "--vault", "evidence"],
        too_long: LONG,
        folder: FOLDER,
        age: LONG,
        other: (2, "cannot be taken"),
    },
    Reader {
        who: "reader",
        args: &["list", "--identity", "../x", "--no-input", "--vault", "evidence"],
        too_long: LONG,
        folder: FOLDER,
        age: LONG,
        other: (1, "cannot be used as an identity"),
    },
];

const fn card(args: &'static [&'static str]) -> Reader {
    Reader { who: "lawyer", args, too_long: LONG, folder: FOLDER, age: LONG, other: NO_CARD }
}

const fn text(args: &'static [&'static str]) -> Reader {
    Reader { who: "reader", args, too_long: LONG, folder: FOLDER, age: LONG, other: NOTHING_KNOWN }
}

/// What lies there.
fn lay(kind: &str, at: &Path) {
    let write = |bytes: &[u8]| fs::write(at, bytes).expect("a file");
    match kind {
        "a hole of a terabyte" => fs::File::create(at).and_then(|file| file.set_len(1 << 40)).expect("a hole"),
        "a link without end" => symlink("/dev/zero", at).expect("a link"),
        "a link to the identity" => symlink("reader/.config/amparo/identity.age", at).expect("a link"),
        "a link to nowhere" => symlink("/nowhere", at).expect("a link"),
        "a pipe" => mknodat(CWD, at, FileType::Fifo, Mode::RUSR, 0).expect("a pipe"),
        "a folder" => fs::create_dir(at).expect("a folder"),
        "many letters" => write(&vec![b'A'; 64 << 20]),
        "many lines" => write(&vec![b'\n'; 64 << 20]),
        "stanzas without end" => {
            write(&[&b"age-encryption.org/v1\n"[..], &b"-> X25519 aaaa\nbbbb\n".repeat(200_000)].concat());
        }
        "one letter" => write(b"x"),
        "lists within lists" => write(&[b"a = ".as_slice(), &b"[".repeat(60_000)].concat()),
        "tables within tables" => write(&[b"a = ".as_slice(), &b"{a=".repeat(20_000)].concat()),
        "keys within keys" => write(&[b"a.".repeat(30_000).as_slice(), b"a = 1\n"].concat()),
        "escapes" => write(b"amparo.v1/\x1b[2J\x07\nname \x1b]0;title\x07\n\xe2\x80\xaename = \x1b[31m\n"),
        "escapes behind a header" => write("title = \"\u{1b}[2J\u{202e}\"\nname \u{9b}31m\n".as_bytes()),
        _ => unreachable!("{kind}"),
    }
}

const KINDS: [&str; 15] = [
    "a hole of a terabyte",
    "a link without end",
    "a link to the identity",
    "a link to nowhere",
    "a pipe",
    "a folder",
    "many letters",
    "many lines",
    "stanzas without end",
    "one letter",
    "lists within lists",
    "tables within tables",
    "keys within keys",
    "escapes",
    "escapes behind a header",
];

fn expected(reader: &Reader, kind: &str) -> (i32, &'static str) {
    match kind {
        _ if kind.starts_with("a link") => (1, "is reached through a link, which is never followed here"),
        "a pipe" => (1, "is a pipe, not a regular file"),
        "a folder" => reader.folder,
        "a hole of a terabyte" | "many letters" | "many lines" => reader.too_long,
        "stanzas without end" => reader.age,
        _ => reader.other,
    }
}

#[test]
fn whatever_a_command_is_given_for_a_file_is_refused_in_words() {
    let _row = crate::soak::row(9);
    let (world, _) = super::places::copy_of_the_reader();
    let Some(desk) = Desk::new(&world) else { return };
    let at = world.path("x");
    let (mut met, mut faults) = (0, Vec::new());
    for kind in KINDS {
        lay(kind, &at);
        for reader in &READERS {
            let (exit, words) = expected(reader, kind);
            let input = Input {
                what: format!("{kind} for amparo {}", reader.args.join(" ")),
                who: reader.who,
                args: reader.args,
                writes: &["reader/evidence", "reader/.local/state", "lawyer/evidence", "lawyer/.local/state"],
                exit,
                says: Says::Words(words),
            };
            met += 1;
            faults.extend(desk.meets(&input).err());
        }
        if at.is_dir() { fs::remove_dir(&at) } else { fs::remove_file(&at) }.expect("removed");
    }
    crate::soak::tell(&format!("{met} things given for a file"));
    assert!(faults.is_empty(), "{} of {met}: {}", faults.len(), faults.join("\n\n"));
    assert!(!world.path("lawyer/new").exists());
}

/// Pictures, films and sounds whose parts claim to be longer than anything, or lie within each other without end; and noise behind
/// a beginning that tells of one.
fn media(dice: &mut Dice) -> Vec<Vec<u8>> {
    let noise: Vec<u8> = (0..4000).map(|_| dice.number().to_le_bytes()[0]).collect();
    let png = |length: u32, kind: &[u8]| [b"\x89PNG\r\n\x1a\n", &length.to_be_bytes()[..], kind, &noise].concat();
    let exif = |count: u32| {
        let entry = [&[0x10, 1, 2, 0][..], &count.to_le_bytes(), &[8, 0, 0, 0]].concat();
        let tiff = [&b"II*\0\x08\0\0\0\xff\xff"[..], &entry.repeat(300)].concat();
        [&b"\xff\xd8\xff\xe1"[..], &[0xff, 0xff], b"Exif\0\0", &tiff].concat()
    };
    let film = |size: u32, times: usize| {
        let within = [&size.to_be_bytes()[..], b"moov"].concat().repeat(times);
        [&b"\0\0\0\x18ftypisom\0\0\0\0isommp42"[..], &within, &noise].concat()
    };
    let mut all = vec![
        png(u32::MAX, b"IHDR"),
        png(0, b"IHDR"),
        png(u32::MAX >> 1, b"eXIf"),
        exif(u32::MAX),
        exif(0),
        film(u32::MAX, 1),
        film(0, 1),
        film(1, 5000),
        film(16, 10_000),
        [&b"ID3\x04\0\0\x7f\x7f\x7f\x7f"[..], &noise].concat(),
        [&b"fLaC\x00\xff\xff\xff"[..], &noise].concat(),
        [&b"OggS\0\x02"[..], &[0xff; 21], &[0xff; 255], &noise].concat(),
        [&b"RIFF\xff\xff\xff\xffWAVEfmt \xff\xff\xff\xff"[..], &noise].concat(),
        [&b"II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\x08\0\0\0"[..], &noise].concat(),
        [&b"PK\x03\x04"[..], &[0xff; 26], &noise].concat(),
        [&b"%PDF-1.7\n"[..], &b"[".repeat(60_000)].concat(),
    ];
    let seeds = all.clone();
    for _ in 0..32 {
        // Somewhere else it claims something else.
        let mut bytes = dice.one(&seeds).clone();
        for _ in 0..4 {
            let at = dice.below(bytes.len().min(200));
            bytes[at] = *dice.one(&[0, 1, 0x7f, 0x80, 0xff]);
        }
        all.push(bytes);
    }
    all.sort();
    all.dedup();
    all
}

#[test]
fn exhibits_that_lie_about_their_parts_are_sealed_and_opened_as_they_are() {
    let _row = crate::soak::row(9);
    let world = World::with_vault();
    let Some(desk) = Desk::new(&world) else { return };
    let media = media(&mut Dice::new(crate::soak::seed(), 9));
    for (number, bytes) in media.iter().enumerate() {
        world.write(&format!("lawyer/media/{number:03}"), bytes);
    }
    let met = |who, args: &[&str], writes: &[&str], words| {
        let input = Input { what: args[0].into(), who, args, writes, exit: 0, says: Says::Words(words) };
        desk.meets(&input).unwrap_or_else(|fault| panic!("{fault}"));
    };
    let seal = ["seal", "media", "--no-input", "--vault", "evidence"];
    met("lawyer", &seal, &["lawyer/evidence", "lawyer/.local/state"], "SEALED");
    world.carry("reader");
    world.run("reader", &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    let labels = super::names::labels(&world);
    let mut open = vec!["open", "-o", "out", "--vault", "evidence"];
    open.extend(labels.iter().map(String::as_str));
    met("reader", &open, &["reader/out", "reader/evidence", "reader/.local/state"], "OPENED");
    let out = world.tree("reader/out");
    let content = out.keys().filter(|path| path.contains("/content/"));
    let mut opened: Vec<Vec<u8>> = content.map(|path| world.read(&format!("reader/out/{path}"))).collect();
    opened.sort();
    crate::soak::tell(&format!("{} exhibits that lie about their parts", media.len()));
    assert!(opened == media, "{} of {} came out", opened.len(), media.len());
}
