//! The tar inside a pouch: part of a vault, under the names that the vault has for it, padded so that its length tells
//! little. Stock `age -d` and `tar x` make a folder of it that is a copy of the vault as far as it goes.
//!
//! In order: the file `VAULT`; wrapped keys; what logs hold; blobs; then `.pad` and the end, as [`super::tar`] has them.
//! So whoever reads from the front can check all signatures before the first blob, and needs to go back for nothing.
//! A label is the member's place in the archive, from 0, with 8 digits, below no folder.

use super::tar::{self, Label};

/// No pouch holds less: 1 MiB. Custody alone and a few pages look the same.
pub const POUCH_BYTES_MIN: u64 = 1 << 20;
/// No answers hold less: 16 KiB. They go by mail.
pub const ANSWERS_BYTES_MIN: u64 = 16 << 10;
/// The most members of a pouch.
pub const MEMBERS_MAX: u32 = 99_999_999;
/// How many stanzas a pouch can have: the next of these, so that its header does not count its readers.
pub const STANZAS: [usize; 5] = [4, 8, 16, 32, 64];

/// What a pouch begins with, whatever it holds.
const FIRST: &str = "VAULT";

/// How many stanzas a pouch to so many people has; `None` where they are too many for one.
pub fn stanzas(people: usize) -> Option<usize> {
    STANZAS.into_iter().find(|stanzas| people <= *stanzas)
}

/// The header of the member at `index`.
pub fn member_header(path: &str, bytes: u64, index: u32) -> Vec<u8> {
    tar::header(path, bytes, &Label::numbered("", index))
}

/// The header of `.pad` at `offset`, and how many zeros follow to the end of the archive, which is not shorter than `floor`.
pub fn end_at(offset: u64, floor: u64) -> (Vec<u8>, u64) {
    tar::end_at(offset, floor, "")
}

/// How long the whole archive is whose members, headers and padding take `offset` bytes.
pub fn whole_bytes(offset: u64, floor: u64) -> u64 {
    let (header, zeros) = end_at(offset, floor);
    offset.saturating_add(header.len() as u64).saturating_add(zeros)
}

/// The shortest that an archive of this length can have been made for: answers, or a pouch.
pub fn floor_of(whole_bytes: u64) -> u64 {
    if whole_bytes < POUCH_BYTES_MIN { ANSWERS_BYTES_MIN } else { POUCH_BYTES_MIN }
}

/// How many bytes a member of `bytes` bytes takes with its header and padding.
pub fn member_bytes(path: &str, bytes: u64) -> u64 {
    let header = member_header(path, bytes, 0).len() as u64;
    header.saturating_add(bytes).saturating_add(tar::padding(bytes))
}

/// Where a path may stand: each kind after the one before.
pub fn rank(path: &str) -> u8 {
    match path.split('/').next() {
        Some(FIRST) => 0,
        Some("keys") => 1,
        Some("logs") => 2,
        _ => 3,
    }
}

/// What stands at a place of the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// A member: its bytes follow.
    Member {
        /// Its path in the vault.
        path: String,
        /// Its size.
        bytes: u64,
        /// How long its header is.
        header_bytes: u64,
        /// The place that its label claims, where it has one.
        index: Option<u32>,
    },
    /// `.pad`: nothing but zeros follows.
    End,
}

/// Reads the header at `position` in an archive of `whole_bytes`; `next_block` gives one block after the other from there.
/// `index` is the member's place where it is known. `wrong` says that no writer would have printed what stands there.
pub fn read_header<E>(
    next_block: impl FnMut() -> Result<[u8; tar::BLOCK], E>,
    wrong: impl Fn() -> E,
    (position, whole_bytes): (u64, u64),
    index: Option<u32>,
) -> Result<Header, E> {
    let (path, bytes, read) = tar::claimed_header(next_block, &wrong)?;
    if path == tar::PAD {
        let (end, zeros) = end_at(position, floor_of(whole_bytes));
        let reaches = position.saturating_add(end.len() as u64).saturating_add(zeros) == whole_bytes;
        return if end == read && reaches { Ok(Header::End) } else { Err(wrong()) };
    }
    let claimed = claimed_index(&read);
    let printed = member_header(&path, bytes, claimed.or(index).unwrap_or_default());
    let at_its_place = claimed.is_none() || index.is_none() || claimed == index;
    if printed != read || !at_its_place {
        return Err(wrong());
    }
    Ok(Header::Member { path, bytes, header_bytes: read.len() as u64, index: claimed })
}

/// The number in the label of an extended header.
fn claimed_index(header: &[u8]) -> Option<u32> {
    let label = header.get(..12)?.strip_prefix(b"pax/")?;
    std::str::from_utf8(label).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob_path() -> String {
        format!("blobs/ab/ab{}", "0".repeat(62))
    }

    fn key_path() -> String {
        format!("keys/{}/{}.age", "1".repeat(64), "2".repeat(64))
    }

    fn read(bytes: &[u8], place: (u64, u64), index: Option<u32>) -> Option<Header> {
        let mut blocks = bytes.chunks_exact(512);
        read_header(|| blocks.next().and_then(|block| block.try_into().ok()).ok_or(()), || (), place, index).ok()
    }

    #[test]
    fn headers_are_read_back_at_their_place_and_nowhere_else() {
        for (path, index) in [("VAULT".to_string(), None), (blob_path(), None), (key_path(), Some(7))] {
            let header = member_header(&path, 5, 7);
            let member = Header::Member { path, bytes: 5, header_bytes: header.len() as u64, index };
            assert_eq!(read(&header, (0, 1 << 20), Some(7)).as_ref(), Some(&member));
            assert_eq!(read(&header, (0, 1 << 20), None), Some(member), "while searching");
            assert_eq!(read(&header, (0, 1 << 20), Some(8)).is_some(), index.is_none());
            for at in 0..header.len() {
                let mut changed = header.clone();
                changed[at] ^= 1;
                assert_ne!(read(&changed, (0, 1 << 20), Some(7)), read(&header, (0, 1 << 20), Some(7)), "byte {at}");
            }
        }
    }

    #[test]
    fn the_end_is_where_the_length_says() {
        for (offset, floor) in [(512, ANSWERS_BYTES_MIN), (512, POUCH_BYTES_MIN), (5 << 20, POUCH_BYTES_MIN)] {
            let (header, zeros) = end_at(offset, floor);
            let whole = whole_bytes(offset, floor);
            assert_eq!(whole, offset + header.len() as u64 + zeros);
            assert_eq!(floor_of(whole), floor);
            assert_eq!(read(&header, (offset, whole), Some(1)), Some(Header::End));
            assert_eq!(read(&header, (offset, whole + 512), Some(1)), None);
            assert_eq!(read(&header, (offset + 512, whole), Some(1)), None);
        }
    }

    #[test]
    fn readers_are_not_counted_by_the_header() {
        assert_eq!([1, 4, 5, 64].map(stanzas), [Some(4), Some(4), Some(8), Some(64)]);
        assert_eq!(stanzas(65), None);
    }

    #[test]
    fn lengths_are_those_of_what_is_written() {
        for path in ["VAULT".to_string(), blob_path(), key_path()] {
            for bytes in [0, 1, 512, 513] {
                let mut archive = member_header(&path, bytes, 3);
                archive.resize(archive.len() + usize::try_from(bytes).expect("small"), 1);
                tar::fill(&mut archive);
                assert_eq!(archive.len() as u64, member_bytes(&path, bytes));
            }
        }
        assert!(
            rank("VAULT") < rank(&key_path())
                && rank(&key_path()) < rank("logs/x")
                && rank("logs/x") < rank(&blob_path())
        );
    }
}
