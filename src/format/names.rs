//! Names: raw bytes of a file system become one safe name for a payload's member, a lossless field for the record, and
//! an escaped form for a terminal. Nothing here is trusted to be text.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use crate::crypto::hash::hex;

/// The most components of a member's path.
pub const COMPONENTS_MAX: usize = 32;
/// The most bytes of one component.
pub const COMPONENT_BYTES_MAX: usize = 200;
/// The most bytes of a member's path.
pub const MEMBER_BYTES_MAX: usize = 1024;
/// Room that [`member_path`] leaves for what [`unique`] adds.
const MEMBER_BYTES_MADE: usize = 1000;

/// One safe path component from the raw bytes of a name. Forbidden characters and broken UTF-8 become `_`; what is too
/// long loses its middle, not its extension.
pub fn member_name(raw: &[u8]) -> String {
    let mut name = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        name.extend(chunk.valid().chars().map(|c| if is_forbidden(c) { '_' } else { c }));
        if !chunk.invalid().is_empty() {
            name.push('_');
        }
    }
    if name.starts_with([' ', '-']) {
        name.replace_range(..1, "_");
    }
    if is_device(&name) {
        name.insert(0, '_');
    }
    if name.len() > COMPONENT_BYTES_MAX {
        name = suffixed(&name, "");
    }
    if name.ends_with([' ', '.']) {
        name.pop();
        name.push('_');
    }
    if name.is_empty() { "_".into() } else { name }
}

/// The safe path, below `content/`, of a file whose raw path below its folder is given (components split by `/`). A
/// path too deep or too long keeps its last component alone, in a folder `_deep`; the listing keeps the true one.
pub fn member_path(raw: &[u8]) -> String {
    let parts: Vec<String> = raw.split(|byte| *byte == b'/').map(member_name).collect();
    let path = parts.join("/");
    if parts.len() <= COMPONENTS_MAX && path.len() <= MEMBER_BYTES_MADE {
        return path;
    }
    format!("_deep/{}", parts.last().map_or("_", String::as_str))
}

/// The rule that a verifier holds every member's path below `content/` to:
///
/// - 1 to 32 components split by `/`, each of 1 to 200 bytes of UTF-8, at most 1024 bytes in all;
/// - no U+0000–001F, no U+007F–009F, none of `\ : * ? " < > |`, none of the invisible or direction-changing characters
///   U+061C, U+200B–200F, U+2028–202E, U+2060–2069, U+FEFF, U+FFF9–FFFB;
/// - no component begins with a space or a hyphen (an option, to a shell that expands `*`) or ends with a space or a
///   dot (which Windows drops; `.` and `..` fall with it);
/// - no component is a device of Windows: cut before its first dot, without spaces at the end and in any ASCII case
///   `CON`, `PRN`, `AUX`, `NUL`, `CONIN$`, `CONOUT$`, or `COM` or `LPT` and one of `0`–`9`, `¹`, `²`, `³`.
pub fn is_safe_member(path: &str) -> bool {
    path.len() <= MEMBER_BYTES_MAX
        && path.split('/').count() <= COMPONENTS_MAX
        && path.split('/').all(|part| {
            !part.is_empty()
                && part.len() <= COMPONENT_BYTES_MAX
                && !part.chars().any(is_forbidden)
                && !part.starts_with([' ', '-'])
                && !part.ends_with([' ', '.'])
                && !is_device(part)
        })
}

fn is_forbidden(c: char) -> bool {
    c.is_control() || is_invisible(c) || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

/// Characters that hide, or that change the direction of what stands around them: `gpj.exe` can look like `exe.jpg`.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

fn is_device(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or_default().trim_end_matches(' ').to_ascii_uppercase();
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str()) {
        return true;
    }
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    let mut number = port.unwrap_or_default().chars();
    matches!(number.next(), Some('0'..='9' | '¹' | '²' | '³')) && number.next().is_none()
}

/// Makes safe paths different from each other, also where a file system folds case, and no file the folder of another:
/// the later one gets `~2`, `~3`… before its extension. The order is kept.
pub fn unique(names: &[String]) -> Vec<String> {
    let folders: HashSet<String> = names.iter().flat_map(|name| folders_of(name)).map(fold).collect();
    let mut taken: HashSet<String> = HashSet::with_capacity(names.len());
    let mut tried: HashMap<String, u32> = HashMap::new();
    names
        .iter()
        .map(|name| {
            let folded = fold(name);
            let mut candidate = (name.clone(), folded.clone());
            while folders.contains(&candidate.1) || taken.contains(&candidate.1) {
                // Counted for each name: a hundred thousand files called `_` must not cost their square.
                let number = tried.entry(folded.clone()).or_insert(1);
                *number = number.saturating_add(1);
                let next = disambiguated(name, *number);
                candidate = (next.clone(), fold(&next));
            }
            taken.insert(candidate.1);
            candidate.0
        })
        .collect()
}

fn folders_of(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(at, _)| path.get(..at))
}

/// Near enough to how NTFS, exFAT and APFS compare names: `ß` meets `SS`, which only adds a harmless `~2`.
fn fold(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

fn disambiguated(path: &str, number: u32) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let name = suffixed(name, &format!("~{number}"));
    if folder.is_empty() { name } else { format!("{folder}/{name}") }
}

/// `suffix` between stem and extension, the stem cut so that the whole has at most 200 bytes.
fn suffixed(name: &str, suffix: &str) -> String {
    const EXTENSION_BYTES_MAX: usize = 16;
    let dot = name.rfind('.').filter(|at| *at > 0 && name.len().saturating_sub(*at) <= EXTENSION_BYTES_MAX);
    let (stem, extension) = name.split_at(dot.unwrap_or(name.len()));
    let room = COMPONENT_BYTES_MAX.saturating_sub(suffix.len()).saturating_sub(extension.len());
    let stem = stem.get(..stem.floor_char_boundary(room)).unwrap_or_default();
    format!("{stem}{suffix}{extension}")
}

/// The field that keeps a raw name without loss: `<path>` when it is UTF-8 without control characters, else
/// `<path>_hex` with lowercase hex digits.
pub fn raw_field(path: &str, raw: &[u8]) -> (String, String) {
    match as_text(raw) {
        Some(text) => (path.into(), text.into()),
        None => (format!("{path}_hex"), hex(raw)),
    }
}

/// The raw name as text, when it is UTF-8 without control characters.
pub fn as_text(raw: &[u8]) -> Option<&str> {
    std::str::from_utf8(raw).ok().filter(|text| !text.chars().any(char::is_control))
}

/// For a terminal: controls, invisible and direction-changing characters as `\u{…}`, broken bytes as `\xNN`, a
/// backslash doubled, so that two different names never look the same.
pub fn printable(raw: &[u8]) -> String {
    let mut shown = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => shown.push_str("\\\\"),
                _ if c.is_control() || is_invisible(c) => shown.extend(c.escape_unicode()),
                _ => shown.push(c),
            }
        }
        for byte in chunk.invalid() {
            write!(shown, "\\x{byte:02x}").expect("a string takes everything");
        }
    }
    shown
}

/// A text of this program's in which names were made [`printable`] when it was made: no backslash is doubled once more, and what a
/// terminal would obey, or not show, is escaped wherever it stands.
pub fn printable_text(text: &str) -> String {
    text.split('\\').map(|part| printable(part.as_bytes())).collect::<Vec<_>>().join("\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_text_is_escaped_once() {
        let found = format!("{}: not looked at", printable(b"a\x1b\\b"));
        assert_eq!(printable_text(&found), "a\\u{1b}\\\\b: not looked at");
        assert_eq!(printable_text("raw \u{1b}[2J\u{202e}"), "raw \\u{1b}[2J\\u{202e}");
    }

    fn name(raw: &str) -> String {
        member_name(raw.as_bytes())
    }

    #[test]
    fn readable_names_stay() {
        for raw in
            ["report.pdf", "شهادة.txt", "показания 1.md", ".hidden", "a..b", "IMG-1~2.JPG", "CONTRACT.txt", "COM10"]
        {
            assert_eq!(name(raw), raw);
            assert!(is_safe_member(raw), "{raw}");
        }
    }

    #[test]
    fn dangerous_names_become_safe() {
        for (raw, safe) in [
            ("", "_"),
            (".", "_"),
            ("..", "._"),
            ("a/b", "a_b"),
            ("-rf", "_rf"),
            (" x", "_x"),
            ("x. ", "x._"),
            ("x.", "x_"),
            ("a\u{202e}gpj.exe", "a_gpj.exe"),
            ("a\u{1b}[2Jb", "a_[2Jb"),
            ("C:\\x", "C__x"),
            ("nul", "_nul"),
            ("Com1.tar.gz", "_Com1.tar.gz"),
            ("con .txt", "_con .txt"),
            ("lpt³", "_lpt³"),
        ] {
            assert!(raw.is_empty() || !is_safe_member(raw) || raw == "a/b", "{raw:?}");
            assert_eq!(name(raw), safe, "{raw:?}");
            assert!(is_safe_member(safe), "{safe}");
        }
        assert_eq!(member_name(b"a\xff\xfeb\xc3.jpg"), "a__b_.jpg");
    }

    #[test]
    fn any_bytes_become_a_safe_name() {
        let mut seed = 1_u64;
        for _ in 0..20_000 {
            let raw: Vec<u8> = (0..seed % 300)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let choice = b" .-~/\\ACONUL1\xe2\x80\xae\xd8\xb4\0\x9f"[(seed >> 40) as usize % 20];
                    if (seed >> 33).is_multiple_of(4) { (seed >> 56) as u8 } else { choice }
                })
                .collect();
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            let made = member_name(&raw);
            assert!(is_safe_member(&made) && !made.contains('/'), "{made:?}");
            assert!(is_safe_member(&member_path(&raw)));
        }
    }

    #[test]
    fn long_names_keep_their_extension_and_deep_paths_their_file() {
        let made = name(&format!("{}.jpeg", "ش".repeat(300)));
        assert!(made.len() <= 200 && made.split('.').next_back() == Some("jpeg"));
        assert_eq!(name(&"x".repeat(300)), "x".repeat(200));
        assert!(is_safe_member(&name(&format!("CON.{}", "x".repeat(196)))));
        let deep = format!("{}file.txt", "d/".repeat(32));
        assert_eq!(member_path(deep.as_bytes()), "_deep/file.txt");
        assert_eq!(member_path(&deep.as_bytes()[2..]), deep[2..]);
        let long = format!("{}file.txt", format!("{}/", "x".repeat(200)).repeat(5));
        assert_eq!(member_path(long.as_bytes()), "_deep/file.txt");
        assert_eq!(member_path(b"../../etc/passwd"), "._/._/etc/passwd");
    }

    #[test]
    fn the_rule_has_its_limits() {
        assert!(is_safe_member(&["a"; 32].join("/")) && !is_safe_member(&["a"; 33].join("/")));
        assert!(is_safe_member(&"a".repeat(200)) && !is_safe_member(&"a".repeat(201)));
        assert!(!is_safe_member(&[&*"a".repeat(200); 6].join("/")));
        for bad in ["", "/a", "a/", "a//b", "a/../b", "./a", "a/.", "a\u{9f}", "a\u{feff}", "a/NUL.txt", "a|b"] {
            assert!(!is_safe_member(bad), "{bad:?}");
        }
    }

    #[test]
    fn collisions_are_numbered_in_order() {
        let names = ["a.txt", "A.TXT", "a.txt", "d/x", "D/X", "d", "a~2.txt", "e", "E/f"].map(String::from);
        let made = unique(&names);
        assert_eq!(made, ["a.txt", "A~2.TXT", "a~3.txt", "d/x", "D/X~2", "d~2", "a~2~2.txt", "e~2", "E/f"]);
        assert!(made.iter().all(|name| is_safe_member(name)));
        let long = vec![format!("{}.jpg", "x".repeat(196)); 3];
        assert!(unique(&long).iter().all(|name| is_safe_member(name) && name.split('.').next_back() == Some("jpg")));
        let same = unique(&vec!["_".to_owned(); 50_000]);
        assert_eq!(same[49_999], "_~50000");
    }

    #[test]
    fn raw_names_are_kept_without_loss_and_shown_without_harm() {
        assert_eq!(raw_field("original/name", "ä b".as_bytes()), ("original/name".into(), "ä b".into()));
        assert_eq!(raw_field("original/name", b"a\n"), ("original/name_hex".into(), "610a".into()));
        assert_eq!(raw_field("original/name", b"\xff"), ("original/name_hex".into(), "ff".into()));
        assert_eq!(printable(b"a\x1b[2J\\\xff\xc3"), "a\\u{1b}[2J\\\\\\xff\\xc3");
        assert_eq!(printable("شهادة\u{202e}".as_bytes()), "شهادة\\u{202e}");
    }
}
