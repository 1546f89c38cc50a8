//! What a file is, by its first bytes and never by its name: a key has no fixed name, and whoever searches opens what
//! he finds. Nothing is believed here that a later room does not check; nothing of what is read leaves it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::REPORT_FIRST_LINE;
use crate::crypto::envelope;
use crate::format::checkpoint::Origin;
use crate::format::short_receipt::ShortReceipt;
use crate::format::words::{self, bytewords};
use crate::format::{card, form, identity_file, parity};

/// How much of a file is looked at: the whole of everything that is small enough to be a key, a form or a note.
pub(super) const START_BYTES: usize = 64 << 10;

/// This many words of a list in a row stand in hardly any other text: neither articles nor most short words are on one.
const WORDS_MIN: usize = 10;
/// So many of them are different ones. Of ten drawn by chance from the 2,048 of BIP-39 fewer are less than once in 700 million times,
/// of ten Bytewords once in 200,000, and a share has more than ten; `width` and `height` five times are no key.
const DIFFERENT_MIN: usize = 7;
/// No word of a list is longer.
const LETTERS_MAX: usize = 8;
const SECRET: &[u8] = b"AGE-SECRET-KEY-";
/// What begins so and is shorter is the mention of a key.
const SECRET_MIN: usize = 50;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const AGE_BINARY: &[u8] = b"age-encryption.org/v1\n";
const VOLUME: &[u8] = b"pouch-volume/v1\n";
const AGE_ARMOR: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
/// Where a tar says that it is one (POSIX ustar, offset 257).
const USTAR: std::ops::Range<usize> = 257..262;
/// ELF: the type of a core file, in the byte order of any machine that this program runs on.
const ELF_CORE: [u8; 2] = [4, 0];

/// What a file turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// An identity of this program, or its half of one, in the clear.
    BareIdentity,
    /// A key of a vault, in the clear.
    VaultKey,
    /// An age identity of another kind, in the clear.
    AgeKey,
    /// Words of the lists from which passphrases and paper copies of identities, whole or in shares, are made.
    Words,
    /// An age file under a passphrase.
    Locked,
    /// An age file to keys: a pouch, its volumes or parity, or anything else.
    AgeFile,
    /// The record of an exhibit that was opened, or a sealed payload that was decrypted.
    Opened,
    /// A form; whether an answer stands in it.
    Form(bool),
    /// A card.
    Card,
    /// A receipt.
    Receipt,
    /// A receipt's short form, as a line or in an image of its QR code.
    ShortReceipt,
    /// A signed state of a log, or several with cosignatures.
    Cosignatures,
    /// A report of a check.
    Report,
    /// A part of what a device remembers.
    Remembered,
    /// Any other text of this program.
    Document,
    /// A core dump.
    Core,
    /// What an editor keeps of a file while it is edited.
    EditorCopy,
}

/// What a file is that begins so; `None` for anything that concerns nobody here. `start` is the whole file where it is
/// at most [`START_BYTES`] long.
pub(super) fn shape(name: &OsStr, start: &[u8]) -> Option<Shape> {
    if start.starts_with(AGE_BINARY) {
        return Some(if is_locked(start) { Shape::Locked } else { Shape::AgeFile });
    }
    if is_part(start) {
        return Some(Shape::AgeFile);
    }
    if start.get(..4) == Some(b"\x7fELF") {
        return (start.get(16..18) == Some(&ELF_CORE)).then_some(Shape::Core);
    }
    if start.starts_with(b"b0VIM ") {
        return Some(Shape::EditorCopy);
    }
    let tar_of_ours = start.starts_with(b"content/") || start.starts_with(b"record.json\0");
    if tar_of_ours && start.get(USTAR) == Some(b"ustar") {
        return Some(Shape::Opened);
    }
    // A start that was cut may end within a character.
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&start[..error.valid_up_to()]).ok()?,
        Err(_) => {
            let foreign = foreign_text(start);
            let shape = foreign.and_then(|text| text_shape(&text));
            return shape.or_else(|| has_secret_line(start).then_some(Shape::AgeKey));
        }
    };
    text_shape(text).or_else(|| is_editors_copy(name).then_some(Shape::EditorCopy))
}

/// Whether a file that begins so is a volume of a pouch, or its parity.
pub(super) fn is_part(start: &[u8]) -> bool {
    start.starts_with(&parity::MAGIC) || start.starts_with(VOLUME)
}

/// A text in another encoding than UTF-8, as older editors write it; of what it says in letters of ASCII, nothing is lost.
fn foreign_text(start: &[u8]) -> Option<Zeroizing<String>> {
    let wide = |number: fn([u8; 2]) -> u16| {
        let numbers = start.chunks_exact(2).map(|pair| number([pair[0], pair[1]]));
        char::decode_utf16(numbers).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)).collect::<String>()
    };
    let text = match start {
        [0xff, 0xfe, ..] if start.contains(&0) => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] if start.contains(&0) => wide(u16::from_be_bytes),
        // What has a zero in it is no text.
        _ if start.contains(&0) => return None,
        _ => String::from_utf8_lossy(start).into_owned(),
    };
    Some(Zeroizing::new(text))
}

fn text_shape(text: &str) -> Option<Shape> {
    let first = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default().trim_end();
    if first == identity_file::FIRST_LINE {
        return Some(Shape::BareIdentity);
    }
    if first == "# amparo.v1/key" {
        return Some(Shape::VaultKey);
    }
    if has_secret_line(text.as_bytes()) {
        return Some(Shape::AgeKey);
    }
    if first == AGE_ARMOR {
        let armored = dearmored(text);
        return Some(if armored.is_none_or(|start| is_locked(&start)) { Shape::Locked } else { Shape::AgeFile });
    }
    if has_words(text) || bytewords::has_ur(text) {
        return Some(Shape::Words);
    }
    if first == card::FIRST_LINE {
        return Some(Shape::Card);
    }
    if first == "c2sp.org/tlog-proof@v1" {
        return Some(Shape::Receipt);
    }
    if first == "amparo.v1/pinned" || first == "amparo.v1/own" {
        return Some(Shape::Remembered);
    }
    if text.starts_with("{\n  \"format\": \"amparo.v1/record\"") {
        return Some(Shape::Opened);
    }
    if Origin::parse(first).is_some() {
        return Some(Shape::Cosignatures);
    }
    if first == REPORT_FIRST_LINE {
        return Some(Shape::Report);
    }
    if ShortReceipt::stands_in(text) {
        return Some(Shape::ShortReceipt);
    }
    if first.to_ascii_lowercase().starts_with("amparo.v1/") {
        return Some(Shape::Document);
    }
    form_shape(text, first)
}

/// A form is known by what heads it or, where that was deleted, by answering questions that only a form asks. One that
/// cannot be read as a whole is taken for one that was filled in.
fn form_shape(text: &str, first: &str) -> Option<Shape> {
    let headed = first.starts_with("# A form for an exhibit of the kind ");
    let grouped = || text.lines().any(|line| matches!(line.trim(), "[identity]" | "[acquisition]" | "[register]"));
    if !headed && !grouped() {
        return None;
    }
    match form::parse(text) {
        Ok(answers) => {
            let said = answers.fields.iter().any(|(path, _)| path != "identity/kind") || !answers.register.is_empty();
            (headed || said).then_some(Shape::Form(said))
        }
        Err(_) => headed.then_some(Shape::Form(true)),
    }
}

fn is_locked(start: &[u8]) -> bool {
    envelope::work_factor(start).is_some() || start.starts_with(b"age-encryption.org/v1\n-> scrypt ")
}

/// The binary start of an armored file; `None` where it is too damaged to tell.
pub(super) fn dearmored(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let lines = text.lines().skip(1).take_while(|line| !line.starts_with("-----"));
    let base64: String = lines.flat_map(|line| line.trim().chars()).collect();
    let whole = base64.len() - base64.len() % 4;
    let bytes = BASE64_STANDARD.decode(base64.get(..whole)?).ok()?;
    bytes.starts_with(AGE_BINARY).then(|| Zeroizing::new(bytes))
}

/// The lines that are secrets of `age`, of whatever kind, and such as stand within a line, as in a mail or a list.
pub(super) fn secret_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.flat_map(|line| {
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
        if line.starts_with(SECRET) || line.starts_with(b"AGE-PLUGIN-") {
            return vec![line];
        }
        let at = |place| {
            let secret: &[u8] = &line[place..];
            let ends = |byte: &u8| !byte.is_ascii_alphanumeric() && *byte != b'-';
            &secret[..secret.iter().position(ends).unwrap_or(secret.len())]
        };
        let places = line.windows(SECRET.len()).enumerate().filter(|(_, window)| *window == SECRET);
        places.map(|(place, _)| at(place)).filter(|secret| secret.len() >= SECRET_MIN).collect()
    })
}

fn has_secret_line(text: &[u8]) -> bool {
    secret_lines(text).next().is_some()
}

/// Whether words of one list, that of BIP-39 or Bytewords, stand in a row, with whatever marks, on one line or many. The row
/// ends at the first other word. They are counted over all of it: a sheet may have each word twice.
fn has_words(text: &str) -> bool {
    let mut rows = [words::Kind::Seed, words::Kind::Share].map(|kind| (kind, 0, Vec::with_capacity(DIFFERENT_MIN)));
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
        let word = (word.len() <= LETTERS_MAX).then(|| Zeroizing::new(word.to_ascii_lowercase()));
        for (kind, length, different) in &mut rows {
            let Some(word) = word.clone().filter(|word| words::is_listed(*kind, word)) else {
                *length = 0;
                different.clear();
                continue;
            };
            *length += 1;
            if !different.contains(&word) {
                different.push(word);
            }
            if *length >= WORDS_MIN && different.len() >= DIFFERENT_MIN {
                return true;
            }
        }
    }
    false
}

/// Names that editors give to the copies they leave beside a file.
fn is_editors_copy(name: &OsStr) -> bool {
    let name = name.as_bytes();
    (name.len() > 1 && name.ends_with(b"~")) || (name.len() > 2 && name.starts_with(b"#") && name.ends_with(b"#"))
}

/// Whether a name is that of an exhibit, as `open` names its folder: `K7-0012`, perhaps with `~3f2a`.
pub(super) fn is_label(name: &[u8]) -> bool {
    let bare = name.split(|byte| *byte == b'~').next().unwrap_or_default();
    let Some(dash) = bare.iter().rposition(|byte| *byte == b'-') else { return false };
    let (handle, number) = (&bare[..dash], &bare[dash + 1..]);
    let is_handle = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'-';
    !handle.is_empty() && handle.iter().all(is_handle) && number.len() >= 4 && number.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::envelope::{seal, seal_with_passphrase};
    use crate::crypto::recipient::Identity;
    use crate::crypto::seed::Seed;
    use crate::format::fields::Kind;
    use crate::format::identity_file::IdentityFile;
    use crate::format::pseudonym::Pseudonym;

    fn of(bytes: &[u8]) -> Option<Shape> {
        shape(OsStr::new("holiday.jpg"), bytes)
    }

    #[test]
    fn keys_are_known_under_any_name_and_behind_any_remark() {
        let heron =
            IdentityFile { name: Pseudonym::parse("Blue Heron").expect("a name"), seed: Seed::from_bytes(&[5; 32]) };
        let bytes = heron.to_bytes();
        assert_eq!(of(&bytes), Some(Shape::BareIdentity));
        let line = heron.seed.keys().age.to_secret_line();
        for text in [
            format!("remark\r\n  {}\r\n", *line),
            format!("\u{feff}{}", *line),
            format!("> Her key: \"{}\".", *line),
            "AGE-SECRET-KEY-1QQ\n".into(),
            "AGE-PLUGIN-YUBIKEY-1Q".into(),
        ] {
            assert_eq!(of(text.as_bytes()), Some(Shape::AgeKey), "{text}");
        }
        assert_eq!(of(&[b"\xff\xfe\n", line.as_bytes()].concat()), Some(Shape::AgeKey), "in a file that is no text");
        assert_eq!(of(b"a line that begins with `AGE-SECRET-KEY-PQ-1`"), None);
        for text in [&*line, std::str::from_utf8(&bytes).expect("text")] {
            let wide: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert!(matches!(of(&wide), Some(Shape::AgeKey | Shape::BareIdentity)), "as some editors write all text");
        }
        assert_eq!(of(&seal_with_passphrase(&bytes, "correct horse").bytes), Some(Shape::Locked));
        assert_eq!(of(&seal(b"x", &[&Identity::from_seed(&[1; 32]).recipient()]).bytes), Some(Shape::AgeFile));
    }

    #[test]
    fn an_armored_file_is_looked_into() {
        for (bytes, expected) in [
            (seal_with_passphrase(b"x", "correct horse").bytes, Shape::Locked),
            (seal(b"x", &[&Identity::from_seed(&[1; 32]).recipient()]).bytes, Shape::AgeFile),
        ] {
            let base64 = BASE64_STANDARD.encode(bytes);
            let lines: Vec<&str> =
                base64.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).expect("text")).collect();
            let armored = format!("{AGE_ARMOR}\n{}\n-----END AGE ENCRYPTED FILE-----\n", lines.join("\n"));
            assert_eq!(of(armored.as_bytes()), Some(expected));
        }
    }

    #[test]
    fn words_of_a_paper_are_told_from_prose() {
        let list = bip39::Language::English.word_list();
        let words: Vec<&str> = (0..10).map(|number| list[number * 97]).collect();
        assert_eq!(of(words.join(" ").as_bytes()), Some(Shape::Words));
        let older = [b"Contrase\xf1a:\r\n", words.join(" ").as_bytes()].concat();
        assert_eq!(of(&older), Some(Shape::Words), "in an older encoding");
        assert_eq!(of(&[&older[..], b"\0"].concat()), None, "in a program");
        let numbered: Vec<String> = words.iter().zip(1..).map(|(word, at)| format!("{at}. {word}")).collect();
        assert_eq!(of(numbered.join("\n").as_bytes()), Some(Shape::Words));
        assert_eq!(of(words[..9].join(" ").as_bytes()), None);
        let share: Vec<&str> = "able acid also apex aqua arch atom aunt away axis".split(' ').collect();
        assert_eq!(of(share.join("-").to_uppercase().as_bytes()), Some(Shape::Words));
        assert_eq!(of(share[..9].join(" ").as_bytes()), None);
        let mixed = [&words[..9], &["keno"], &share[1..8]].concat();
        assert_eq!(of(mixed.join(" ").as_bytes()), None, "a row is of one list");
        let sizes = [r#"{"width":16,"height":16},"#; 9].concat();
        assert_eq!(of(sizes.as_bytes()), None, "no key has a word ten times");
        // Drawn by chance, one comes twice now and then; or somebody wrote each down twice.
        let twice = [&words[..7], &words[..3]].concat();
        assert_eq!(of(twice.join(" ").as_bytes()), Some(Shape::Words));
        assert_eq!(of([&words[..6], &words[..6]].concat().join(" ").as_bytes()), None);
        let doubled: Vec<String> = words.iter().zip(1..).map(|(word, at)| format!("{at}. {word} | {word}")).collect();
        assert_eq!(of(doubled.join("\n").as_bytes()), Some(Shape::Words));
        assert_eq!(of([&words[..7], &["the"], &words[..7]].concat().join(" ").as_bytes()), None, "a word of no list");
        let uri = format!("ur:sskr/{}", "ae".repeat(20));
        assert_eq!(of(uri.as_bytes()), Some(Shape::Words));
        assert_eq!(of(b"She said that they had come at night, four of them, and that nobody had a paper."), None);
    }

    #[test]
    fn a_blank_form_is_told_from_one_that_answers() {
        let blank = form::blank(Kind::Testimony);
        assert_eq!(of(blank.as_bytes()), Some(Shape::Form(false)));
        assert_eq!(of(blank.replace("title = \"\"", "title = \"Statement\"").as_bytes()), Some(Shape::Form(true)));
        assert_eq!(of(blank.replace("title = \"\"", "title = Statement").as_bytes()), Some(Shape::Form(true)));
        assert_eq!(of(b"[identity]\ntitle = \"Statement\"\n"), Some(Shape::Form(true)));
        assert_eq!(of(b"[identity]\nprovider = 5\n"), None, "some other program's settings");
    }

    #[test]
    fn parts_of_a_pouch_are_known_under_any_name() {
        use crate::format::volume::{PouchId, VolumePage};
        let page = VolumePage { part: 2, parts: 3, pouch: PouchId([7; 16]), total: 900, offset: 400, length: 400 };
        assert_eq!(of(&page.print(None)), Some(Shape::AgeFile));
        assert_eq!(of(&[&parity::MAGIC[..], &[0; 56]].concat()), Some(Shape::AgeFile));
    }

    #[test]
    fn texts_of_this_program_are_known_in_small_letters_and_in_large() {
        let id = "ab".repeat(32);
        let log = &id[..32];
        let line = format!("AMPARO.V1/ROW {id} {log} 7 {id} {id}").to_uppercase();
        let svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\">\n<desc>{line}</desc>\n</svg>\n");
        for text in [line.clone(), line.to_lowercase(), format!("Dear Ann,\n\n> {line}"), svg] {
            assert_eq!(of(text.as_bytes()), Some(Shape::ShortReceipt), "{text}");
        }
        assert_eq!(of(b"<svg xmlns=\"http://www.w3.org/2000/svg\">\n<desc>A cat</desc>\n"), None);
        assert_eq!(of(format!("amparo.v1/{id}/{log}\n7\n").as_bytes()), Some(Shape::Cosignatures));
        assert_eq!(of(format!("{REPORT_FIRST_LINE}\n\n**It holds.**\n").as_bytes()), Some(Shape::Report));
        assert_eq!(of(b"AMPARO.V1/NEWER\n"), Some(Shape::Document));
    }

    #[test]
    fn other_things_are_nothing_here() {
        assert_eq!(of(b""), None);
        assert_eq!(of(b"\x89PNG\r\n"), None);
        assert_eq!(of(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0"), None, "a program");
        assert_eq!(of(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x04\0"), Some(Shape::Core));
        assert_eq!(shape(OsStr::new("letter.txt~"), b"dear"), Some(Shape::EditorCopy));
    }

    #[test]
    fn labels_of_exhibits() {
        assert!(["K7-0001", "K7-0012~3f2a", "A-B-12345"].iter().all(|name| is_label(name.as_bytes())));
        assert!(!["K7-1", "k7-0001", "-0001", "K7", "K7-00a1", ""].iter().any(|name| is_label(name.as_bytes())));
    }
}
