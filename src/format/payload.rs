//! The tar of an exhibit. Its bytes are a pure function of its members' names and bytes, so that a reader can rebuild
//! the whole and refuse any difference; stock `tar` extracts it.
//!
//! In order, each member a header, its bytes, and zeros up to a multiple of 512:
//!
//! 1. the original, under `content/`: one file; or the parts of what came from standard input, `content/part-000001`
//!    and on, each of 16 MiB but the last; or the files of a folder, in the order of [`member_order`];
//! 2. `listing.json`, for a folder only;
//! 3. `record.json`;
//! 4. `.pad`: zeros, as many as make the whole [`padded_length`] long (Padmé, floor 16 KiB);
//! 5. two blocks of 512 zeros, the end of a POSIX archive.
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
//! extended header precedes: a block as above with type `x`, the name `pax/` and 8 decimal digits (the member's place
//! among the members of `content/`, from 0), and as its bytes the records `LENGTH path=NAME\n` (if the name does not
//! fit) and `LENGTH size=SIZE\n` (if the size does not), in this order; LENGTH counts the whole record, itself too. The
//! block that follows then holds, for a name that does not fit, `content/` and the same 8 digits, and for a size that
//! does not, 0. Should `.pad` itself need 8 GiB or more, an extended header `pax/pad` with `size` precedes it, the
//! whole is rounded up with it counted, and its block holds size 0.

mod reader;

use std::cmp::Ordering;

pub(crate) use reader::may_follow;
pub use reader::{Member, PayloadError, PayloadReader, Place};

use crate::crypto::pad::padded_length;

/// No payload is shorter: 16 KiB.
pub const PAYLOAD_BYTES_MIN: u64 = 16 << 10;
/// A payload is cut into segments of 16 MiB, a blob each; only the last may be shorter.
pub const SEGMENT_BYTES: usize = 16 << 20;
/// What comes from standard input is cut into members of this size: 16 MiB.
pub const PART_BYTES: u64 = 16 << 20;
/// The most members below `content/`.
pub const MEMBERS_MAX: u32 = 999_999;
/// The folder of the original's members.
pub const CONTENT: &str = "content/";
/// The member that lists the files of a folder.
pub const LISTING: &str = "listing.json";
/// The member that holds the record.
pub const RECORD: &str = "record.json";

const BLOCK: usize = 512;
const BLOCK_BYTES: u64 = 512;
const NAME_BYTES_MAX: usize = 100;
/// The largest size that 11 octal digits hold: 8 GiB less one.
const OCTAL_SIZE_MAX: u64 = 0o77_777_777_777;

/// The header of a member: one block, or three and more where an extended header precedes. `name` is the whole one
/// (`content/…`), `size` in bytes, `index` the member's place below `content/`, from 0.
pub fn member_header(name: &str, size: u64, index: u32) -> Vec<u8> {
    header(name, size, &format!("{index:08}"), size > OCTAL_SIZE_MAX)
}

/// How many zeros follow `size` bytes of a member.
pub fn padding(size: u64) -> u64 {
    size.wrapping_neg() & (BLOCK_BYTES.saturating_sub(1))
}

/// The name of part `number`, from 1, of what came from standard input.
pub fn part_name(number: u32) -> String {
    format!("{CONTENT}part-{number:06}")
}

/// The order of members below `content/`: by bytes, `/` before every other. So the files of a folder stand together, a
/// repeated name or a file that is another's folder meets its twin, and a reader needs to remember one name only.
pub fn member_order(one: &str, other: &str) -> Ordering {
    one.split('/').cmp(other.split('/'))
}

/// What follows the content members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// `listing.json`, `record.json` and the header of `.pad`.
    pub bytes: Vec<u8>,
    /// How many zeros follow: those of `.pad` and the two blocks of the end. They can be gigabytes.
    pub zeros: u64,
}

/// The tail of a payload whose content members, headers and padding took `offset` bytes.
pub fn tail(offset: u64, listing: Option<&[u8]>, record_json: &[u8]) -> Tail {
    let mut bytes = Vec::new();
    for (name, content) in listing.map(|listing| (LISTING, listing)).into_iter().chain([(RECORD, record_json)]) {
        bytes.extend(member_header(name, content.len() as u64, 0));
        bytes.extend_from_slice(content);
        fill(&mut bytes);
    }
    let (header, zeros) = pad_at(offset.saturating_add(bytes.len() as u64));
    bytes.extend(header);
    Tail { bytes, zeros }
}

/// The header of `.pad` at `offset`, and how many zeros follow to the end of the payload.
fn pad_at(offset: u64) -> (Vec<u8>, u64) {
    const END: u64 = 2 * BLOCK_BYTES;
    let fitting = |headers: u64| {
        let least = offset.saturating_add(headers).saturating_add(END);
        padded_length(least, PAYLOAD_BYTES_MIN).saturating_sub(least)
    };
    let size = fitting(BLOCK_BYTES);
    let (size, extended) = if size > OCTAL_SIZE_MAX { (fitting(3 * BLOCK_BYTES), true) } else { (size, false) };
    (header(".pad", size, "pad", extended), size.saturating_add(END))
}

fn header(name: &str, size: u64, label: &str, extended_size: bool) -> Vec<u8> {
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
    let mut bytes = block(&format!("pax/{label}"), records.len() as u64, "x");
    bytes.extend_from_slice(records.as_bytes());
    fill(&mut bytes);
    let stand_in = format!("{CONTENT}{label}");
    bytes.extend(block(if name_fits { name } else { &stand_in }, if extended_size { 0 } else { size }, "0"));
    bytes
}

/// POSIX.1-2001, pax: the length counts its own digits.
fn extended_record(key: &str, value: &str) -> String {
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
    let printed = |checksum: &str| {
        let fields = [
            (name, 100),
            ("0000644", 8),
            ("0000000", 8),
            ("0000000", 8),
            (&size, 12),
            ("00000000000", 12),
            (checksum, 8),
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
        block
    };
    let sum: u32 = printed("        ").iter().copied().map(u32::from).sum();
    printed(&format!("{sum:06o}\0 "))
}

fn fill(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
}

#[cfg(test)]
mod tests;
