//! Records that are text or have fixed offsets: notes, the row, headers of a tar and of an age file.

use super::messagepack::{row, shortened};

/// Text with its middle replaced by an ellipsis and a count, where that is shorter.
pub(super) fn cut(text: &str, first: usize, last: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= first + last + 12 {
        return text.to_string();
    }
    let part = |letters: &[char]| letters.iter().collect::<String>();
    let (start, end) = (part(&letters[..first]), part(&letters[letters.len() - last..]));
    format!("{start}…{end} ({} characters)", letters.len())
}

/// Lines of text, the long ones cut.
pub(super) fn text(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).expect("UTF-8").trim_end_matches('\n');
    let shown = |line: &str| if line.chars().count() <= 120 { line.into() } else { cut(line, 82, 12) };
    text.lines().map(shown).collect()
}

/// The 128 bytes of a row.
pub(super) fn inventory_row(bytes: &[u8]) -> Vec<String> {
    let fields = [
        (0, 16, "log id"),
        (16, 8, "number"),
        (24, 32, "key id of section main"),
        (56, 32, "root of the record's tree"),
        (88, 4, "leaves of that tree"),
        (92, 4, "number of blobs"),
        (96, 32, "root of the tree of blobs"),
    ];
    fields
        .map(|(offset, length, meaning)| {
            let field = &bytes[offset..offset + length];
            let number = field.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            let value = if length <= 8 { format!(": {number}") } else { String::new() };
            row(offset, &shortened(field), &format!("{meaning}{value}"))
        })
        .to_vec()
}

/// The members of a payload, one after the other; of the headers the first in full.
pub(super) fn payload(bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut at = 0;
    while bytes[at] != 0 {
        let header = &bytes[at..at + 512];
        for (offset, length, meaning) in FIELDS {
            let field = &header[offset..offset + length];
            let changes = matches!(meaning, "name" | "size, octal" | "checksum");
            if lines.len() < FIELDS.len() || changes {
                lines.push(row(at + offset, &bytes_and_zeros(field), &said(field, meaning)));
            }
        }
        let digits = std::str::from_utf8(&header[124..135]).expect("digits");
        let size = usize::from_str_radix(digits, 8).expect("octal");
        let content = &bytes[at + 512..at + 512 + size];
        lines.push(row(at + 512, &bytes_and_zeros(content), &format!("the member's {size} bytes")));
        let zeros = size.wrapping_neg() % 512;
        if zeros > 0 {
            lines.push(row(at + 512 + size, "00…00", &format!("{zeros} zeros, up to a multiple of 512")));
        }
        at += 512 + size + zeros;
    }
    assert!(bytes.len() - at == 1024 && bytes[at..].iter().all(|byte| *byte == 0), "an archive ends");
    lines.push(row(at, "00…00", &format!("1024 zeros; {} bytes in all", bytes.len())));
    lines
}

const FIELDS: [(usize, usize, &str); 13] = [
    (0, 100, "name"),
    (100, 8, "mode"),
    (108, 8, "uid"),
    (116, 8, "gid"),
    (124, 12, "size, octal"),
    (136, 12, "mtime"),
    (148, 8, "checksum"),
    (156, 1, "type"),
    (157, 100, "link name"),
    (257, 8, "magic, version"),
    (265, 64, "user, group"),
    (329, 16, "device numbers"),
    (345, 167, "prefix, rest"),
];

fn said(field: &[u8], meaning: &str) -> String {
    let text: String = String::from_utf8_lossy(field).replace('\0', " ");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.is_empty() { meaning.to_string() } else { format!("{meaning}: {words}") }
}

fn bytes_and_zeros(field: &[u8]) -> String {
    let used = field.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    match (used, field.len() - used) {
        (0, zeros) => format!("00…00 ({zeros})"),
        (_, 0) => shortened(field),
        (_, 1) => format!("{} 00", shortened(&field[..used])),
        (_, zeros) => format!("{} 00…00 ({zeros})", shortened(&field[..used])),
    }
}

/// An age file: the header's lines, then what follows them.
pub(super) fn age(bytes: &[u8], plain: usize) -> Vec<String> {
    let mac = bytes.windows(5).position(|window| window == b"\n--- ").expect("the last line of the header") + 1;
    let end = mac + bytes[mac..].iter().position(|byte| *byte == b'\n').expect("its end") + 1;
    let mut lines = Vec::new();
    let mut at = 0;
    for line in std::str::from_utf8(&bytes[..end]).expect("text").lines() {
        lines.push(format!("{at:>6}  {}", cut(line, 70, 12)));
        at += line.len() + 1;
    }
    lines.push(row(end, &shortened(&bytes[end..end + 16]), "nonce of the payload key"));
    let body = &bytes[end + 16..];
    assert_eq!(body.len(), plain + 16 * plain.div_ceil(65536).max(1), "chunks and their tags");
    lines.push(row(end + 16, &shortened(body), &format!("{plain} bytes in chunks of 65536, a tag of 16 after each")));
    lines
}
