use std::time::{Duration, Instant};

use exif::experimental::Writer;
use exif::{Field, SRational};

use super::*;

/// A TIFF structure as a phone writes it.
fn tiff(little: bool) -> Vec<u8> {
    let ascii = |text: &str| Value::Ascii(vec![text.as_bytes().to_vec()]);
    let angle = |degrees, minutes, seconds| {
        Value::Rational([(degrees, 1), (minutes, 1), (seconds, 100)].map(|(num, denom)| Rational { num, denom }).into())
    };
    let fields: Vec<Field> = [
        (Tag::Make, ascii("Maker")),
        (Tag::Model, ascii("Maker One\u{1b}[2J")),
        (Tag::Software, ascii(&"x".repeat(400))),
        (Tag::DateTimeOriginal, ascii("2026:11:20 14:30:05")),
        (Tag::OffsetTimeOriginal, ascii("+02:00")),
        (Tag::DateTimeDigitized, ascii("2026:11:20 14:30:06")),
        (Tag::GPSLatitude, angle(33, 30, 1800)),
        (Tag::GPSLatitudeRef, ascii("S")),
        (Tag::GPSLongitude, angle(36, 17, 3600)),
        (Tag::GPSLongitudeRef, ascii("E")),
        (Tag::GPSAltitude, Value::Rational(vec![Rational { num: 6914, denom: 10 }])),
        (Tag::GPSAltitudeRef, Value::Byte(vec![1])),
        (Tag::ExposureBiasValue, Value::SRational(vec![SRational { num: -1, denom: 3 }])),
    ]
    .into_iter()
    .map(|(tag, value)| Field { tag, ifd_num: In::PRIMARY, value })
    .collect();
    let mut writer = Writer::new();
    for field in &fields {
        writer.push_field(field);
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    writer.write(&mut bytes, little).expect("it fits");
    bytes.into_inner()
}

fn chunked(before: &[u8], marker: &[u8], block: &[u8]) -> Vec<u8> {
    [before, marker, block, &[0xff; 64]].concat()
}

fn containers(block: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("tiff", block.to_vec()),
        ("jpeg", chunked(b"\xff\xd8\xff\xe1\x40\0", b"Exif\0\0", block)),
        ("png", chunked(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0", b"eXIf", block)),
        ("webp", chunked(b"RIFF\0\x10\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0", b"EXIF\0\x10\0\0Exif\0\0", block)),
        ("heif", chunked(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08mdat", b"\0\0\0\0", block)),
    ]
}

#[test]
fn device_times_and_place_are_found_in_every_container() {
    let expected = [
        ("embedded/altitude", "-691.4".to_owned()),
        ("embedded/device", "Maker One [2J".into()),
        ("embedded/digitized", "2026-11-20T14:30:06".into()),
        ("embedded/latitude", "-33.50500".into()),
        ("embedded/longitude", "36.29333".into()),
        ("embedded/software", "x".repeat(256)),
        ("embedded/taken", "2026-11-20T14:30:05+02:00".into()),
    ];
    for little in [true, false] {
        for (name, file) in containers(&tiff(little)) {
            assert_eq!(embedded(&file), expected, "{name}");
        }
    }
    let filled_in = |path: &str| crate::format::fields::FILLED_IN.iter().any(|(known, _)| *known == path);
    assert!(expected.iter().all(|(path, _)| filled_in(path)));
}

#[test]
fn files_without_exif_have_no_embedded_fields() {
    for file in
        [b"".as_slice(), b"text", b"II*\0", b"MM\0*\0\0\0\x08", b"%PDF-1.7 Exif\0\0II*\0", b"\xff\xd8\xff\xe0 nothing"]
    {
        assert!(embedded(file).is_empty());
    }
}

#[test]
fn broken_and_hostile_exif_neither_panics_nor_lasts() {
    let mut seed = 20_261_120_u64;
    let mut draw = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % below
    };
    let files: Vec<Vec<u8>> =
        [true, false].into_iter().flat_map(|little| containers(&tiff(little))).map(|(_, file)| file).collect();
    for round in 0..20_000 {
        let mut file = files[round % files.len()].clone();
        for _ in 0..=draw(6) {
            let at = draw(file.len());
            file[at] = [0, 1, 2, 4, 0x7f, 0x80, 0xff, 0x69, 0x87][draw(9)];
        }
        file.truncate(file.len() - draw(8) * draw(40));
        let start = Instant::now();
        for (_, value) in embedded(&file) {
            assert!(value.chars().count() <= 256 && !value.chars().any(char::is_control));
        }
        assert!(start.elapsed() < Duration::from_millis(50), "round {round}");
    }
}

/// One entry of a little-endian directory.
fn entry(tag: u16, kind: u16, count: u32, value: u32) -> Vec<u8> {
    [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value.to_le_bytes()].concat()
}

#[test]
fn directories_made_to_multiply_are_left_alone() {
    let header = b"II*\0\x08\0\0\0".as_slice();
    // A thousand pointers to as many overlapping directories of a thousand entries.
    let multiplied = |next: &[u8]| {
        let after = 12_010 + u32::try_from(next.len()).expect("short");
        let pointers: Vec<u8> = (0..1000).flat_map(|n| entry(0x8769, 4, 1, after + n * 12)).collect();
        [header, &1000_u16.to_le_bytes(), &pointers, next, &entry(1000, 1000, 1000, 1000).repeat(2000)].concat()
    };
    let overlapping = multiplied(&[]);
    let ended = multiplied(&[0; 4]);
    // One entry of sixteen million strings.
    let strings = [header, &1_u16.to_le_bytes(), &entry(0x110, 2, 15 << 20, 26), &vec![0; 16 << 20]].concat();
    // A chain without an end.
    let circle = [header, &0_u16.to_le_bytes(), &8_u32.to_le_bytes(), &[0; 16]].concat();
    for file in [overlapping, ended, strings, circle] {
        let start = Instant::now();
        assert!(!is_modest(&file) && embedded(&file).is_empty());
        assert!(start.elapsed() < Duration::from_millis(50));
    }
}

#[test]
fn media_types_follow_the_first_bytes() {
    for (head, whole, name, expected) in [
        (b"%PDF-1.7\n".as_slice(), true, "a.jpg", "application/pdf"),
        (b"\xff\xd8\xff\xe0", true, "a.txt", "image/jpeg"),
        ("Показания\r\n".as_bytes(), true, "a", "text/plain"),
        (b"# Title\n", true, "A.MD", "text/markdown"),
        (b"# Title\n", true, "md", "text/plain"),
        (b"caf\xc3", false, "a.txt", "text/plain"),
        (b"caf\xc3", true, "a.txt", UNKNOWN),
        (b"caf\xe9 au lait", false, "a.txt", UNKNOWN),
        (b"a\0b", true, "a.txt", UNKNOWN),
        (b"", true, "a.txt", UNKNOWN),
    ] {
        assert_eq!(media_type(head, whole, name.as_bytes()), expected, "{name}");
    }
}
