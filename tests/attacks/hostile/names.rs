//! Names made to command a terminal, to hide, to leave their folder, to be options, devices or programs: in every folder of a
//! vault, in a folder that is sealed, in a pouch. Each has one form in which it is shown, and one under which it comes out.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::judge::{Desk, Input, Says, commands_a_terminal};
use super::places::copy_of_the_reader;
use crate::attacks::pouches::forge;
use crate::commands::harness::World;
use crate::vault::agreement::dice::Dice;

/// Names that every run draws.
const DRAWN: u64 = 12;

/// A name, how it is shown, and as what it comes out of a vault.
const NAMES: [(&[u8], &str, &str); 52] = [
    (b"\x1b[2Jclear", "\\u{1b}[2Jclear", "_[2Jclear"),
    (b"\x1b]0;title\x07", "\\u{1b}]0;title\\u{7}", "_]0;title_"),
    (b"\x1b]52;c;cGFzdGVk\x07", "\\u{1b}]52;c;cGFzdGVk\\u{7}", "_]52;c;cGFzdGVk_"),
    (b"\x1b[1A\x1b[2KVALID", "\\u{1b}[1A\\u{1b}[2KVALID", "_[1A_[2KVALID"),
    (b"bell\x07", "bell\\u{7}", "bell_"),
    (b"new\nline", "new\\u{a}line", "new_line"),
    (b"verdict\rVALID", "verdict\\u{d}VALID", "verdict_VALID"),
    (b"tab\there", "tab\\u{9}here", "tab_here"),
    (b"over\x08\x08struck", "over\\u{8}\\u{8}struck", "over__struck"),
    (b"delete\x7f", "delete\\u{7f}", "delete_"),
    (b"\x01\x02\x03", "\\u{1}\\u{2}\\u{3}", "___"),
    ("\u{9b}31mred".as_bytes(), "\\u{9b}31mred", "_31mred"),
    ("\u{85}next".as_bytes(), "\\u{85}next", "_next"),
    ("photo\u{202e}gpj.exe".as_bytes(), "photo\\u{202e}gpj.exe", "photo_gpj.exe"),
    ("a\u{2066}b\u{2069}c".as_bytes(), "a\\u{2066}b\\u{2069}c", "a_b_c"),
    ("no\u{200b}thing".as_bytes(), "no\\u{200b}thing", "no_thing"),
    ("\u{feff}mark".as_bytes(), "\\u{feff}mark", "_mark"),
    ("line\u{2028}end".as_bytes(), "line\\u{2028}end", "line_end"),
    ("\u{fff9}note".as_bytes(), "\\u{fff9}note", "_note"),
    ("arabic\u{61c}mark".as_bytes(), "arabic\\u{61c}mark", "arabic_mark"),
    (b"\xff\xfe", "\\xff\\xfe", "__"),
    (b"half\xc3", "half\\xc3", "half_"),
    (b"surrogate\xed\xa0\x80", "surrogate\\xed\\xa0\\x80", "surrogate___"),
    (b"overlong\xc0\xaf", "overlong\\xc0\\xaf", "overlong__"),
    (b"latin\xe9.txt", "latin\\xe9.txt", "latin_.txt"),
    (b"-rf", "-rf", "_rf"),
    (b"--help", "--help", "_-help"),
    (b" before", " before", "_before"),
    (b"behind ", "behind ", "behind_"),
    (b"dots...", "dots...", "dots.._"),
    (b"...", "...", ".._"),
    (b".. x ", ".. x ", ".. x_"),
    (b"..\\..\\x", "..\\\\..\\\\x", ".._.._x"),
    (b"C:\\x", "C:\\\\x", "C__x"),
    (b"stream:$DATA", "stream:$DATA", "stream_$DATA"),
    (b"*?\"<>|", "*?\"<>|", "______"),
    (b"CON", "CON", "_CON"),
    (b"nul.txt", "nul.txt", "_nul.txt"),
    (b"Com1", "Com1", "_Com1"),
    (b"LPT9.tar.gz", "LPT9.tar.gz", "_LPT9.tar.gz"),
    (b"aux .x", "aux .x", "_aux .x"),
    (b"CONIN$", "CONIN$", "_CONIN$"),
    ("com\u{b9}".as_bytes(), "com\u{b9}", "_com\u{b9}"),
    (b"$(touch planted)", "$(touch planted)", "$(touch planted)"),
    (b"`touch planted`", "`touch planted`", "`touch planted`"),
    (b"a;touch planted", "a;touch planted", "a;touch planted"),
    (b"'\\''", "'\\\\''", "'_''"),
    (b"%s%n%x", "%s%n%x", "%s%n%x"),
    (b"<script>", "<script>", "_script_"),
    (b"# heading", "# heading", "# heading"),
    (b"[link](mailto)", "[link](mailto)", "[link](mailto)"),
    (b"VAULT.", "VAULT.", "VAULT_"),
];

/// What no vault has in any folder, longest first: as many bytes as a name may have, and what is cut to 200.
fn long_names() -> [(Vec<u8>, String, String); 3] {
    let all = |c: &str, times: usize| c.repeat(times);
    [
        (all("x", 255).into_bytes(), all("x", 255), all("x", 200)),
        (
            format!("{}.jpeg", all("y", 250)).into_bytes(),
            format!("{}.jpeg", all("y", 250)),
            format!("{}.jpeg", all("y", 195)),
        ),
        (all("\x1b", 255).into_bytes(), all("\\u{1b}", 255), all("_", 200)),
    ]
}

fn names() -> Vec<(Vec<u8>, String, String)> {
    let short = NAMES.iter().map(|(raw, shown, safe)| (raw.to_vec(), (*shown).into(), (*safe).into()));
    short.chain(long_names()).collect()
}

/// Names that chance draws of what is worst in names, and how each is shown: `AMPARO_NAMES=N` draws N.
fn drawn() -> Vec<(Vec<u8>, String)> {
    const WORST: [&str; 20] = [
        "\u{1b}[",
        "\u{7}",
        "\n",
        "\r",
        "\u{8}",
        "\u{7f}",
        "\u{9b}",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{feff}",
        "\\",
        "..",
        " ",
        "-",
        "\"",
        "a",
        "\u{634}",
        "\u{1f511}",
        "e\u{301}",
    ];
    let mut dice = Dice::new(crate::soak::seed(), 9);
    let mut draw = || {
        let (mut raw, mut shown) = (b"n".to_vec(), "n".to_string());
        for _ in 0..=dice.below(40) {
            if dice.percent(20) {
                // No byte from here on belongs to any character.
                let byte = *dice.one(&[0x80, 0xbf, 0xc0, 0xf5, 0xff]);
                raw.push(byte);
                shown.push_str(&format!("\\x{byte:02x}"));
                continue;
            }
            let worst = *dice.one(&WORST);
            raw.extend_from_slice(worst.as_bytes());
            for c in worst.chars() {
                match c {
                    '\\' => shown.push_str("\\\\"),
                    _ if c != '\n' && !commands_a_terminal(c) => shown.push(c),
                    _ => shown.extend(c.escape_unicode()),
                }
            }
        }
        (raw, shown)
    };
    (0..crate::soak::count("AMPARO_NAMES", DRAWN)).map(|_| draw()).collect()
}

/// Every folder of a vault.
fn folders(names: &[(&'static str, String)]) -> Vec<String> {
    let wanted = ["BLOBS", "SHELF", "KEYS", "KEY FOLDER", "LOGS", "LOG", "ENTRIES", "STATES"];
    let there = names.iter().filter(|(symbol, _)| wanted.contains(symbol)).map(|(_, path)| path.clone());
    let log = &names.iter().find(|(symbol, _)| *symbol == "LOG").expect("a log").1;
    there.chain([String::new(), format!("{log}/entries"), format!("{log}/cosign")]).collect()
}

#[test]
fn no_name_in_any_folder_of_a_vault_is_taken_for_more_than_a_strangers() {
    let _row = crate::soak::row(9);
    let (world, there) = copy_of_the_reader();
    let Some(desk) = Desk::new(&world) else { return };
    let (folders, mut met, mut faults) = (folders(&there), 0, Vec::new());
    let table = names().into_iter().map(|(raw, shown, _)| (raw, shown));
    for (raw, shown) in table.chain(drawn()) {
        let mut files = Vec::new();
        for folder in &folders {
            let file = world.path("reader/evidence").join(folder).join(OsStr::from_bytes(&raw));
            fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            fs::write(&file, b"planted").expect("a stranger");
            files.push(file);
        }
        let subject = |folder: &String| if folder.is_empty() { shown.clone() } else { format!("{folder}/{shown}") };
        let found = folders.iter().map(|folder| ("layout".to_string(), subject(folder))).collect();
        let input = |args, says| Input {
            what: format!("the name {shown}"),
            who: "reader",
            args,
            writes: &["reader/.local/state"],
            exit: 4,
            says,
        };
        met += folders.len();
        faults.extend(desk.meets(&input(&["verify", "evidence", "--json"], Says::Findings(found))).err());
        let told = format!("INCOMPLETE (layout) {shown}: a vault has nothing of this name");
        faults.extend(desk.meets(&input(&["verify", "evidence"], Says::Words(&told))).err());
        for file in files {
            fs::remove_file(file).expect("removed");
        }
    }
    crate::soak::tell(&format!("{met} names in folders of a vault, seed {}", crate::soak::seed()));
    assert!(faults.is_empty(), "{} of {met}: {}", faults.len(), faults.join("\n\n"));
}

/// Sealed one by one and as one, and opened: safe names below the folder, the true bytes in the record, nothing else anywhere.
#[test]
fn sealed_names_come_out_as_they_must_and_nowhere_else() {
    let _row = crate::soak::row(9);
    let world = World::with_vault();
    let Some(desk) = Desk::new(&world) else { return };
    let names = names();
    let folder = world.path("lawyer/hostile");
    fs::create_dir(&folder).expect("a folder");
    for (raw, _, _) in &names {
        fs::write(folder.join(OsStr::from_bytes(raw)), raw).expect("a source");
    }
    let seals = |more: &'static [&'static str]| -> String {
        let args = [&["seal", "hostile", "--vault", "evidence", "--no-input"], more].concat();
        let input = Input {
            what: format!("names sealed {more:?}"),
            who: "lawyer",
            args: &args,
            writes: &["lawyer/evidence", "lawyer/.local/state"],
            exit: 0,
            says: Says::Words("SEALED"),
        };
        desk.meets(&input).unwrap_or_else(|fault| panic!("{fault}")).out
    };
    seals(&[]);
    seals(&["--together"]);
    world.carry("reader");
    world.run("reader", &["verify", "evidence", "--owner", "../lawyer.card"]).exits(0);
    let labels = labels(&world);
    assert_eq!(labels.len(), names.len() + 1);
    let mut args = vec!["open", "-o", "out", "--vault", "evidence"];
    args.extend(labels.iter().map(String::as_str));
    let input = Input {
        what: "all of them opened".into(),
        who: "reader",
        args: &args,
        writes: &["reader/out", "reader/evidence", "reader/.local/state"],
        exit: 0,
        says: Says::Words("OPENED"),
    };
    desk.meets(&input).unwrap_or_else(|fault| panic!("{fault}"));
    let opened: Vec<(String, Vec<u8>)> = world
        .tree("reader/out")
        .into_keys()
        .map(|path| (path.clone(), world.read(&format!("reader/out/{path}"))))
        .collect();
    let mut faults = Vec::new();
    for (raw, shown, safe) in &names {
        let came: Vec<&str> = opened.iter().filter(|(_, bytes)| bytes == raw).map(|(path, _)| path.as_str()).collect();
        let is_right = |path: &&str| Path::new(path).file_name().is_some_and(|name| name == OsStr::new(safe));
        if came.len() != 2 || !came.iter().all(is_right) {
            faults.push(format!("{shown} came out as {came:?}, not as {safe}"));
        }
    }
    crate::soak::tell(&format!("{} names sealed and opened, twice", names.len()));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What the reader's copy has, by label.
pub(super) fn labels(world: &World) -> Vec<String> {
    let list = world.run("reader", &["list", "--vault", "evidence", "--json"]).exits(0).json();
    let exhibits = list["exhibits"].as_array().expect("a list").iter();
    exhibits.map(|one| one["id"].as_str().expect("a label").to_string()).collect()
}

/// Paths that lead out of a folder, or that two readers of an archive take for two things.
const PATHS: [&str; 18] = [
    "../planted",
    "../../lawyer/planted",
    "/tmp/planted",
    "/etc/cron.d/planted",
    "blobs/../../planted",
    "blobs/ab/../../../planted",
    "./VAULT",
    "VAULT/",
    "VAULT/planted",
    "blobs//ab",
    "blobs/ab",
    "blobs/AB/planted",
    "keys/../.local/state/planted",
    "logs/.",
    "~/planted",
    ".config/amparo/identity.age",
    "file:///planted",
    "\\\\server\\share\\planted",
];

/// A pouch with one file of that name, to the reader's card: anybody can make one.
fn pouch_with(world: &World, name: &str) {
    forge(world, "pouch.bin", &[("VAULT".into(), b"x".to_vec()), (name.into(), b"y".to_vec())]);
}

#[test]
fn no_name_in_a_pouch_brings_a_file_that_no_vault_has() {
    let _row = crate::soak::row(9);
    let (world, _) = copy_of_the_reader();
    let Some(desk) = Desk::new(&world) else { return };
    let before = world.tree("reader/evidence");
    let (mut met, mut faults) = (0, Vec::new());
    let texts = NAMES.iter().filter_map(|(raw, ..)| std::str::from_utf8(raw).ok());
    for name in texts.chain(PATHS) {
        pouch_with(&world, name);
        let input = Input {
            what: format!("a pouch with {name:?}"),
            who: "reader",
            args: &["unpack", "../pouch.bin", "--vault", "evidence", "--no-input", "--salvage"],
            writes: &["reader/evidence", "reader/.local/state"],
            exit: 3,
            says: Says::Words("this pouch holds a file that no vault has"),
        };
        met += 1;
        faults.extend(desk.meets(&input).err());
        if world.tree("reader/evidence") != before {
            faults.push(format!("{name:?}: the copy is another one"));
        }
    }
    crate::soak::tell(&format!("{met} names in a pouch"));
    assert!(faults.is_empty(), "{} of {met}: {}", faults.len(), faults.join("\n\n"));
}
