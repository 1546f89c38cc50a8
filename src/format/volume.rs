//! A volume of a pouch: the same page of text before and behind a part of its bytes (FORMAT § 6.10), so that either may
//! be lost. No program is named in it.

use crate::crypto::hash::{Hash, hex, unhex};

/// The length of the page before the data, and of that behind it.
pub const PAGE_BYTES: usize = 4096;

/// The first line of a page.
pub const FIRST_LINE: &str = "pouch-volume/v1";

/// The most volumes of a pouch.
pub const PARTS_MAX: u64 = 9999;

/// Which pouch a volume or a packet belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PouchId(pub [u8; 16]);

impl PouchId {
    /// The id of the pouch with this age header and nonce: known before its first chunk is encrypted.
    pub fn of(start: &[u8]) -> Self {
        let Hash(hash) = Hash::tagged("amparo.v1/pouch", &[start]);
        Self(*hash.first_chunk().expect("a hash has 32 bytes"))
    }
}

impl std::fmt::Display for PouchId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl std::fmt::Debug for PouchId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// What a volume says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VolumePage {
    /// Which volume, from 1.
    pub part: u64,
    /// How many there are.
    pub parts: u64,
    /// Of which pouch.
    pub pouch: PouchId,
    /// The whole pouch's length.
    pub total: u64,
    /// Where in the pouch its bytes stand.
    pub offset: u64,
    /// How many there are.
    pub length: u64,
}

impl VolumePage {
    /// The page: before the data without `sha256`, behind it with.
    pub fn print(&self, sha256: Option<Hash>) -> Vec<u8> {
        let Self { part, parts, pouch, total, offset, length } = self;
        let mut text = format!(
            "{FIRST_LINE}\npart {part} of {parts}\npouch {pouch}\ntotal {total}\noffset {offset}\nlength {length}\n"
        );
        if let Some(sha256) = sha256 {
            text.push_str(&format!("sha256 {sha256}\n"));
        }
        let mut page = text.into_bytes();
        page.resize(PAGE_BYTES, 0);
        page
    }

    /// Reads a page, and the hash in it where it is the one behind the data.
    pub fn parse(page: &[u8]) -> Option<(Self, Option<Hash>)> {
        let end = page.iter().position(|byte| *byte == 0).unwrap_or(page.len());
        let mut lines = std::str::from_utf8(page.get(..end)?).ok()?.lines();
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let (part, parts) = lines.next()?.strip_prefix("part ")?.split_once(" of ")?;
        let pouch = PouchId(unhex(lines.next()?.strip_prefix("pouch ")?)?);
        let mut number = |name| lines.next()?.strip_prefix(name)?.parse().ok();
        let (total, offset, length) = (number("total ")?, number("offset ")?, number("length ")?);
        let read = Self { part: part.parse().ok()?, parts: parts.parse().ok()?, pouch, total, offset, length };
        let sha256 = match lines.next() {
            Some(line) => Some(Hash::from_hex(line.strip_prefix("sha256 ")?)?),
            None => None,
        };
        (read.is_sound() && read.print(sha256) == page).then_some((read, sha256))
    }

    fn is_sound(&self) -> bool {
        let within = self.offset.checked_add(self.length).is_some_and(|end| end <= self.total);
        within && self.length > 0 && (1..=PARTS_MAX).contains(&self.parts) && (1..=self.parts).contains(&self.part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_print_is_read() {
        let page = VolumePage { part: 2, parts: 3, pouch: PouchId([7; 16]), total: 900, offset: 400, length: 400 };
        for sha256 in [None, Some(Hash::of(b"data"))] {
            let bytes = page.print(sha256);
            assert_eq!(bytes.len(), PAGE_BYTES);
            assert_eq!(VolumePage::parse(&bytes), Some((page, sha256)));
            assert_eq!(VolumePage::parse(&bytes[..4095]), None);
            for at in [0, 22, 30, 200, 4095] {
                let mut other = bytes.clone();
                other[at] ^= 0x40;
                assert_eq!(VolumePage::parse(&other), None, "byte {at}");
            }
        }
        let bad = |page: VolumePage| VolumePage::parse(&page.print(None));
        for other in [
            VolumePage { part: 0, ..page },
            VolumePage { part: 4, ..page },
            VolumePage { parts: PARTS_MAX + 1, ..page },
            VolumePage { offset: 501, ..page },
            VolumePage { offset: u64::MAX, ..page },
            VolumePage { length: 0, ..page },
        ] {
            assert_eq!(bad(other), None, "{other:?}");
        }
        let padded = String::from_utf8(page.print(None)).expect("text").replace("total 900", "total 0900");
        assert_eq!(VolumePage::parse(&padded.as_bytes()[..4096]), None);
    }
}
