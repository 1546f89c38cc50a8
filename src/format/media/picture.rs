//! What a camera wrote into a picture (JPEG, TIFF, HEIF, PNG, WebP): EXIF, through a library, behind a look at whether
//! reading it costs little.

use exif::{Exif, In, Rational, Tag, Value};

use super::claims::{self, Claims, clean, moment};
use super::glance::HEAD_BYTES_MAX;

pub(super) fn read(head: &[u8], claims: &mut Claims) {
    let head = head.get(..HEAD_BYTES_MAX).unwrap_or(head);
    let block = exif_block(head).filter(|block| is_modest(block));
    let Some(exif) = block.and_then(read_exif) else { return };
    claims.say("embedded/altitude", altitude(&exif));
    claims.say("embedded/device", claims::device(text(&exif, Tag::Make), text(&exif, Tag::Model)));
    claims.say("embedded/digitized", time(&exif, Tag::DateTimeDigitized, Tag::OffsetTimeDigitized));
    claims.say("embedded/latitude", degrees(&exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, 90.0));
    claims.say("embedded/longitude", degrees(&exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, 180.0));
    claims.say("embedded/software", text(&exif, Tag::Software));
    claims.say("embedded/taken", time(&exif, Tag::DateTimeOriginal, Tag::OffsetTimeOriginal));
}

/// The TIFF structure that holds a picture's EXIF data: where its container's marker announces it.
fn exif_block(head: &[u8]) -> Option<&[u8]> {
    /// A structure inside a container can be cut from its file: offsets count from its start.
    const BLOCK_BYTES_MAX: usize = 1 << 20;
    /// Between a marker and the structure stand at most a length and one more marker.
    const GAP_MAX: usize = 12;
    if is_tiff(head) {
        return Some(head);
    }
    let marker: &[u8] = match infer::get(head)?.mime_type() {
        "image/jpeg" => b"Exif\0\0",
        "image/png" => b"eXIf",
        "image/webp" => b"EXIF",
        "image/heif" | "image/avif" => b"",
        _ => return None,
    };
    // A HEIF item has no marker of its own that all writers set; its structure is the first one in the file.
    let gap_max = if marker.is_empty() { 0 } else { GAP_MAX };
    head.windows(marker.len().max(4)).enumerate().filter(|(_, window)| window.starts_with(marker)).find_map(
        |(at, _)| {
            let after = head.get(at.saturating_add(marker.len())..)?;
            let block = (0..=gap_max).filter_map(|gap| after.get(gap..)).find(|block| is_tiff(block))?;
            Some(block.get(..BLOCK_BYTES_MAX).unwrap_or(block))
        },
    )
}

fn is_tiff(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II*\0") || bytes.starts_with(b"MM\0*")
}

/// Whether reading a TIFF structure costs little. Its directories may overlap, so that a small file can claim billions
/// of entries; the library bounds neither those nor the number of strings in one entry.
pub(super) fn is_modest(block: &[u8]) -> bool {
    const ENTRIES_MAX: usize = 4096;
    const DIRECTORIES_MAX: usize = 32;
    const TEXT_BYTES_MAX: u32 = 16 << 10;
    let little = block.starts_with(b"II");
    let short = |at: usize| read_number::<2>(block, at, little);
    let long = |at: usize| read_number::<4>(block, at, little);
    let mut open: Vec<u32> = long(4).into_iter().collect();
    let (mut directories, mut entries) = (0_usize, 0_usize);
    while let Some(offset) = open.pop() {
        if offset == 0 {
            continue;
        }
        let Ok(start) = usize::try_from(offset) else { return false };
        let Some(count) = short(start) else { continue };
        directories = directories.saturating_add(1);
        entries = entries.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
        if directories > DIRECTORIES_MAX || entries > ENTRIES_MAX {
            return false;
        }
        let mut at = start.saturating_add(2);
        for _ in 0..count {
            let fields =
                (short(at), short(at.saturating_add(2)), long(at.saturating_add(4)), long(at.saturating_add(8)));
            let (Some(tag), Some(kind), Some(values), Some(value)) = fields else { break };
            match (tag, kind, values) {
                // Pointers to the directories of EXIF, GPS and interoperability.
                (0x8769 | 0x8825 | 0xa005, 4, 1) => open.push(value),
                (0x8769 | 0x8825 | 0xa005, ..) | (_, 2, TEXT_BYTES_MAX..) => return false,
                _ => {}
            }
            at = at.saturating_add(12);
        }
        open.extend(long(at));
    }
    true
}

fn read_number<const N: usize>(block: &[u8], at: usize, little: bool) -> Option<u32> {
    let bytes = block.get(at..)?.first_chunk::<N>()?;
    let add = |number: u32, byte: &u8| number << 8 | u32::from(*byte);
    Some(if little { bytes.iter().rev().fold(0, add) } else { bytes.iter().fold(0, add) })
}

fn read_exif(block: &[u8]) -> Option<Exif> {
    let mut reader = exif::Reader::new();
    let read = reader.continue_on_error(true).read_raw(block.to_vec());
    read.or_else(|error| error.distill_partial_result(|_| ())).ok()
}

fn value(exif: &Exif, tag: Tag) -> Option<&Value> {
    exif.get_field(tag, In::PRIMARY).map(|field| &field.value)
}

/// The first string of an entry.
fn text(exif: &Exif, tag: Tag) -> Option<String> {
    let Value::Ascii(strings) = value(exif, tag)? else { return None };
    clean(&String::from_utf8_lossy(strings.first()?))
}

/// A local time, with its offset where the file has one: EXIF 2.31 keeps it beside the time.
fn time(exif: &Exif, tag: Tag, offset: Tag) -> Option<String> {
    let local = text(exif, tag)?;
    moment(&format!("{local}{}", text(exif, offset).unwrap_or_default()))
}

/// An angle in degrees, minutes and seconds.
fn degrees(exif: &Exif, tag: Tag, side: Tag, limit: f64) -> Option<String> {
    let Value::Rational(parts) = value(exif, tag)? else { return None };
    let [degrees, minutes, seconds] = parts.as_slice() else { return None };
    let sum = quotient(*degrees)? + quotient(*minutes)? / 60.0 + quotient(*seconds)? / 3600.0;
    let sign = match text(exif, side)?.as_str() {
        "N" | "E" => 1.0,
        "S" | "W" => -1.0,
        _ => return None,
    };
    claims::degrees(sign * sum, limit)
}

fn altitude(exif: &Exif) -> Option<String> {
    let Value::Rational(parts) = value(exif, Tag::GPSAltitude)? else { return None };
    let metres = quotient(*parts.first()?)?;
    let below = value(exif, Tag::GPSAltitudeRef).and_then(|side| side.get_uint(0)) == Some(1);
    claims::metres(if below { -metres } else { metres })
}

fn quotient(number: Rational) -> Option<f64> {
    (number.denom != 0).then(|| f64::from(number.num) / f64::from(number.denom))
}
