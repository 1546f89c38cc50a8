//! The tar of an exhibit. Its bytes are a pure function of its members' names and bytes, so that a reader can rebuild
//! the whole and refuse any difference; stock `tar` extracts it.
//!
//! In order, each member a header, its bytes, and zeros up to a multiple of 512:
//!
//! 1. the original, under `content/`: one file; or the parts of what came from standard input, `content/part-000001`
//!    and on, each of 16 MiB but the last; or the files of a folder, in the order of [`member_order`];
//! 2. `listing.json`, for a folder only;
//! 3. `record.json`;
//! 4. `.pad`: zeros, as many as make the whole `padded_length` long (Padmé, floor 16 KiB);
//! 5. two blocks of 512 zeros, the end of a POSIX archive.
//!
//! Headers and padding are those of [`super::tar`], with `content/` before the labels.

mod reader;

use std::cmp::Ordering;

pub(crate) use reader::may_follow;
pub use reader::{Member, PayloadError, PayloadReader, Place};

use super::tar;
pub use super::tar::padding;

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

/// The header of a member: one block, or three and more where an extended header precedes. `name` is the whole one
/// (`content/…`), `size` in bytes, `index` the member's place below `content/`, from 0.
pub fn member_header(name: &str, size: u64, index: u32) -> Vec<u8> {
    tar::header(name, size, &tar::Label::numbered(CONTENT, index))
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
        tar::fill(&mut bytes);
    }
    let (header, zeros) = tar::end_at(offset.saturating_add(bytes.len() as u64), PAYLOAD_BYTES_MIN, CONTENT);
    bytes.extend(header);
    Tail { bytes, zeros }
}

#[cfg(test)]
mod tests;
