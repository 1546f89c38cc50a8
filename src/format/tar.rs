//! Members of a tar as this program writes them: of all ways that POSIX allows, one for each name and size, so that the
//! bytes of an archive follow from its members. Stock `tar` extracts them.
//!
//! A header is one POSIX.1-1988 `ustar` block of 512 bytes. Text fields are filled up with NUL:
//!
//! | offset | bytes | field | value |
//! |---|---|---|---|
//! | 0 | 100 | name | the member's name (100 bytes long, it has no NUL) |
//! | 100 | 8 | mode | `0000644` |
//! | 108, 116 | 8, 8 | uid, gid | `0000000` |
//! | 124 | 12 | size | 11 octal digits |
//! | 136 | 12 | mtime | `00000000000` |
//! | 148 | 8 | checksum | 6 octal digits, NUL, space: the sum of the block's bytes, these 8 taken as spaces |
//! | 156 | 1 | type | `0` |
//! | 157 | 100 | link name | empty |
//! | 257 | 8 | magic, version | `ustar`, NUL, `00` |
//! | 265, 297 | 32, 32 | user, group | empty |
//! | 329, 337 | 8, 8 | device numbers | `0000000` |
//! | 345 | 167 | prefix, rest | NUL |
//!
//! Where the name is not ASCII or longer than 100 bytes, or the size above 8 GiB − 1 (octal 77777777777), a POSIX.1-2001
//! extended header precedes: a block as above with type `x`, the name `pax/` and a [`Label`], and as its bytes the records
//! `LENGTH path=NAME\n` (if the name does not fit) and `LENGTH size=SIZE\n` (if the size does not), in this order; LENGTH
//! counts the whole record, itself too. The block that follows then holds, for a name that does not fit, the label behind
//! its folder, and for a size that does not, 0. Should `.pad` itself need 8 GiB or more, an extended header `pax/pad` with
//! `size` precedes it, the whole is rounded up with it counted, and its block holds size 0.

use crate::crypto::pad::padded_length;

/// Bytes of a block, as POSIX calls it.
pub const BLOCK: usize = 512;
pub(super) const BLOCK_BYTES: u64 = 512;
/// Where the checksum stands in a header.
const CHECKSUM_AT: usize = 148;
/// The most bytes that an extended header's records can have: a path of 1032 bytes and a size of 20 digits.
pub(super) const EXTENDED_BYTES_MAX: u64 = 1100;
/// The two blocks of zeros that end an archive.
const END_BYTES: u64 = 2 * BLOCK_BYTES;
const NAME_BYTES_MAX: usize = 100;
/// The largest size that 11 octal digits hold: 8 GiB less one.
pub(super) const OCTAL_SIZE_MAX: u64 = 0o77_777_777_777;
/// The member that rounds an archive up.
pub(super) const PAD: &str = ".pad";

/// What stands in a block for a name that does not fit into it.
#[derive(Clone, Debug)]
pub struct Label<'a> {
    folder: &'a str,
    text: String,
}

impl<'a> Label<'a> {
    /// The member's place in its archive, from 0, with 8 digits; `folder` ends with `/`, or is empty.
    pub fn numbered(folder: &'a str, index: u32) -> Self {
        Self { folder, text: format!("{index:08}") }
    }
}

/// The header of a member: one block, or three and more where an extended header precedes.
pub fn header(name: &str, size: u64, label: &Label<'_>) -> Vec<u8> {
    sized_header(name, size, label, size > OCTAL_SIZE_MAX)
}

/// How many zeros follow `size` bytes of a member.
pub fn padding(size: u64) -> u64 {
    size.wrapping_neg() & (BLOCK_BYTES.saturating_sub(1))
}

/// Zeros up to the next block.
pub(super) fn fill(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
}

/// The header of `.pad` at `offset`, and how many zeros follow to the end of the archive: it is rounded up to the next
/// Padmé length from `floor` on.
pub fn end_at(offset: u64, floor: u64, folder: &str) -> (Vec<u8>, u64) {
    let fitting = |headers: u64| {
        let least = offset.saturating_add(headers).saturating_add(END_BYTES);
        padded_length(least, floor).saturating_sub(least)
    };
    let size = fitting(BLOCK_BYTES);
    let (size, extended) = if size > OCTAL_SIZE_MAX { (fitting(3 * BLOCK_BYTES), true) } else { (size, false) };
    let label = Label { folder, text: "pad".into() };
    (sized_header(PAD, size, &label, extended), size.saturating_add(END_BYTES))
}

fn sized_header(name: &str, size: u64, label: &Label<'_>, extended_size: bool) -> Vec<u8> {
    let name_fits = name.is_ascii() && name.len() <= NAME_BYTES_MAX;
    if name_fits && !extended_size {
        return block(name, size, "0");
    }
    let mut records = String::new();
    if !name_fits {
        records.push_str(&extended_record("path", name));
    }
    if extended_size {
        records.push_str(&extended_record("size", &size.to_string()));
    }
    let mut bytes = block(&format!("pax/{}", label.text), records.len() as u64, "x");
    bytes.extend_from_slice(records.as_bytes());
    fill(&mut bytes);
    let stand_in = format!("{}{}", label.folder, label.text);
    bytes.extend(block(if name_fits { name } else { &stand_in }, if extended_size { 0 } else { size }, "0"));
    bytes
}

/// POSIX.1-2001, pax: the length counts its own digits.
pub(super) fn extended_record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let mut length = rest.len();
    loop {
        let record = format!("{length}{rest}");
        if record.len() == length {
            return record;
        }
        length = record.len();
    }
}

fn block(name: &str, size: u64, kind: &str) -> Vec<u8> {
    let size = format!("{size:011o}");
    let fields = [
        (name, 100),
        ("0000644", 8),
        ("0000000", 8),
        ("0000000", 8),
        (&size, 12),
        ("00000000000", 12),
        ("        ", 8), // the checksum, counted as spaces
        (kind, 1),
        ("", 100),
        ("ustar\x0000", 8),
        ("", 32),
        ("", 32),
        ("0000000", 8),
        ("0000000", 8),
        ("", 167),
    ];
    let mut block = Vec::with_capacity(BLOCK);
    for (text, width) in fields {
        let end = block.len().saturating_add(width);
        block.extend_from_slice(text.as_bytes());
        block.resize(end, 0);
    }
    let sum: u32 = block.iter().copied().map(u32::from).sum();
    let checksum = format!("{sum:06o}\0 ");
    block.iter_mut().skip(CHECKSUM_AT).zip(checksum.bytes()).for_each(|(byte, printed)| *byte = printed);
    block
}

/// Name and size as the header at hand claims them, and that header's bytes. `next_block` gives one block after the other;
/// whoever asks prints the header anew and compares: what is read loosely here must print as these very bytes.
pub(super) fn claimed_header<E>(
    mut next_block: impl FnMut() -> Result<[u8; BLOCK], E>,
    wrong: impl Fn() -> E,
) -> Result<(String, u64, Vec<u8>), E> {
    let first = next_block()?;
    let (mut name, mut bytes) = claimed(&first).ok_or_else(&wrong)?;
    let mut read = first.to_vec();
    if first[156] == b'x' {
        if bytes > EXTENDED_BYTES_MAX {
            return Err(wrong());
        }
        let mut records = Vec::new();
        for _ in 0..bytes.div_ceil(BLOCK_BYTES) {
            records.extend(next_block()?);
        }
        let last = next_block()?;
        (name, bytes) = claimed(&last).ok_or_else(&wrong)?;
        extend(&records, &mut name, &mut bytes).ok_or_else(&wrong)?;
        read.extend(records);
        read.extend(last);
    }
    Ok((name, bytes, read))
}

/// Name and size as a block claims them.
fn claimed(block: &[u8]) -> Option<(String, u64)> {
    let name = block.get(..100)?.split(|byte| *byte == 0).next()?;
    let digits = std::str::from_utf8(block.get(124..135)?).ok()?;
    Some((String::from_utf8(name.to_vec()).ok()?, u64::from_str_radix(digits, 8).ok()?))
}

/// Takes path and size from an extended header's records. A safe path holds no line feed, so records are lines.
fn extend(records: &[u8], name: &mut String, bytes: &mut u64) -> Option<()> {
    let text = std::str::from_utf8(records).ok()?.trim_end_matches('\0');
    for line in text.lines() {
        match line.split_once(' ')?.1.split_once('=')? {
            ("path", path) => *name = path.into(),
            ("size", size) => *bytes = size.parse().ok()?,
            _ => return None,
        }
    }
    Some(())
}
