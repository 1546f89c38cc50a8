use std::time::{Duration, Instant};

use exif::experimental::Writer;
use exif::{Field, In, Rational, SRational, Tag, Value};

use super::claims::{iso_6709, moment, since_1904};
use super::picture::is_modest;
use super::*;

/// What a file says of itself that goes by in pieces of some length.
fn said_in_pieces(file: &[u8], bytes: usize) -> Vec<(&'static str, String)> {
    let mut glance = Glance::default();
    file.chunks(bytes).for_each(|piece| glance.see(piece));
    super::embedded(&glance)
}

fn embedded(file: &[u8]) -> Vec<(&'static str, String)> {
    said_in_pieces(file, 1 << 20)
}

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
    assert!(expected.iter().all(|(path, _)| is_described(path)));
}

/// A form tells what the field is.
fn is_described(path: &str) -> bool {
    crate::format::fields::FILLED_IN.iter().any(|(known, _)| *known == path)
}

macro_rules! sample {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../tests/evidence/media/", $name)).as_slice())
    };
}

const CREATED: (&str, &str) = ("embedded/created", "2024-03-18T15:45:00Z");
const DEVICE: (&str, &str) = ("embedded/device", "Fabricam One");
const LATITUDE: (&str, &str) = ("embedded/latitude", "-30.50000");
const LONGITUDE: (&str, &str) = ("embedded/longitude", "-120.25000");
const ALTITUDE: (&str, &str) = ("embedded/altitude", "4.0");

/// A file, and what it says of itself.
type Sample = ((&'static str, &'static [u8]), Vec<(&'static str, &'static str)>);

/// Small files as phones, cameras and recorders write them, and what exiftool reads in each.
fn samples() -> Vec<Sample> {
    let day = ("embedded/taken", "2024-03-18");
    let at = |time| ("embedded/taken", time);
    let by = |program| ("embedded/software", program);
    vec![
        (sample!("phone.mp4"), vec![ALTITUDE, CREATED, LATITUDE, LONGITUDE, by("Lavf59.27.100")]),
        (
            sample!("phone.mov"),
            vec![ALTITUDE, CREATED, DEVICE, LATITUDE, LONGITUDE, by("1.0"), at("2024-03-18T07:45:00-08:00")],
        ),
        (sample!("camera.mov"), vec![ALTITUDE, CREATED, DEVICE, LATITUDE, LONGITUDE, by("1.0")]),
        (sample!("old-phone.3gp"), vec![CREATED, LATITUDE, LONGITUDE]),
        (sample!("memo.m4a"), vec![by("Lavf59.27.100"), day]),
        (
            sample!("recorder.wav"),
            vec![("embedded/device", "Fabricam R1"), by("Lavf59.27.100"), at("2024-03-18T07:45:00")],
        ),
        (sample!("info.wav"), vec![by("Lavf59.27.100"), day]),
        (sample!("voice.opus"), vec![by("Lavc59.37.100 libopus"), day]),
        (sample!("dictation.mp3"), vec![by("Fabricam Recorder"), at("2024-03-18T07:45:00")]),
        (
            sample!("photo.heic"),
            vec![DEVICE, LATITUDE, LONGITUDE, by("Fabricam Camera 1.0"), at("2024-03-18T07:42:10-08:00")],
        ),
    ]
}

#[test]
fn films_and_sounds_say_what_stock_tools_read_in_them() {
    for ((name, file), expected) in samples() {
        for bytes in [1, 7, 1 << 20] {
            let said = said_in_pieces(file, bytes);
            let found: Vec<(&str, &str)> = said.iter().map(|(path, value)| (*path, value.as_str())).collect();
            assert_eq!(found, expected, "{name} in pieces of {bytes}");
            assert!(found.iter().all(|(path, _)| is_described(path)), "{name}");
        }
    }
}

#[test]
fn what_stands_behind_gigabytes_is_seen_as_it_goes_by() {
    let (_, file) = sample!("phone.mp4");
    let at = file.windows(4).position(|window| window == b"mdat").expect("samples") - 4;
    let length = u32::from_be_bytes(*file[at..].first_chunk().expect("a length")) as usize;
    let zeros = vec![0; 1 << 20];
    let mut glance = Glance::default();
    glance.see(&file[..at]);
    let long = 6_u64 << 30;
    glance.see(&[&[0, 0, 0, 1][..], b"mdat", &(long + 16).to_be_bytes()].concat());
    (0..long >> 20).for_each(|_| glance.see(&zeros));
    glance.see(&file[at + length..]);
    assert_eq!(super::embedded(&glance), embedded(file));
    assert!(glance.head().len() == HEAD_BYTES_MAX && glance.parts().iter().all(|(_, part)| part.len() < 4096));

    // The same in a field recorder's RF64, whose samples are too many for 32 bits.
    let (_, file) = sample!("recorder.wav");
    let at = file.windows(4).position(|window| window == b"bext").expect("what the recorder says");
    let told = u32::from_le_bytes(*file[at + 4..].first_chunk().expect("a length")) as usize;
    let mut glance = Glance::default();
    glance.see(b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0");
    glance.see(&[&[0; 8][..], &long.to_le_bytes(), &[0; 12]].concat());
    glance.see(b"data\xff\xff\xff\xff");
    (0..long >> 20).for_each(|_| glance.see(&zeros));
    glance.see(&file[at..at + 8 + told]);
    let device = super::embedded(&glance).into_iter().find(|(path, _)| *path == "embedded/device");
    assert_eq!(device.expect("seen").1, "Fabricam R1");
}

#[test]
fn nothing_is_said_of_what_is_no_single_file() {
    let mut glance = Glance::averted();
    glance.see(sample!("phone.mov").1);
    assert!(super::embedded(&glance).is_empty() && glance.head().is_empty());
}

#[test]
fn times_and_places_are_told_as_far_as_they_are_known() {
    for (text, expected) in [
        ("2024", Some("2024")),
        ("2024-03", Some("2024-03")),
        ("2024:03:18", Some("2024-03-18")),
        ("2024-03-18T07:45:00-0800", Some("2024-03-18T07:45:00-08:00")),
        ("2024-03-18T07:45:00.25+02", Some("2024-03-18T07:45:00+02:00")),
        ("2024:03:18 07:45:00Z", Some("2024-03-18T07:45:00Z")),
        ("2024_03_18 07-45-00", Some("2024-03-18T07:45:00")),
        ("2024-03-18T07:45:00 local", Some("2024-03-18T07:45:00")),
        ("2024-02-30", None),
        ("2024-03-18T25:00:00", None),
        ("1904-01-01T00:00:00Z", None),
        ("9999-01-01", None),
        ("20240318", None),
        ("", None),
        ("в марте", None),
    ] {
        assert_eq!(moment(text).as_deref(), expected, "{text}");
    }
    assert_eq!(since_1904(3_793_621_500).as_deref(), Some("2024-03-18T15:45:00Z"));
    assert!([0, 1, u64::from(u32::MAX) << 8, u64::MAX].into_iter().all(|seconds| since_1904(seconds).is_none()));
    for (text, expected) in [
        ("-30.5000-120.2500/", Some((-30.5, -120.25, None))),
        ("+3030.00-12015.00+4.0CRSWGS_84/", Some((30.5, -120.25, Some(4.0)))),
        ("+303000.0-1201500.0/", Some((30.5, -120.25, None))),
        ("+30.5", None),
        ("30.5,120.25", None),
        ("+3-4/", None),
        ("+3é.5+004.5/", None),
    ] {
        assert_eq!(iso_6709(text), expected, "{text}");
    }
}

#[test]
fn absurd_values_are_passed_over() {
    let (_, file) = sample!("phone.mov");
    let swap = |from: &[u8], to: &[u8]| {
        assert_eq!(from.len(), to.len());
        let at = file.windows(from.len()).position(|window| window == from).expect("it is there");
        embedded(&[&file[..at], to, &file[at + from.len()..]].concat())
    };
    let lacks = |said: Vec<(&str, String)>, path: &str| said.len() > 2 && said.iter().all(|(known, _)| *known != path);
    assert!(lacks(swap(b"-30.5000-120.2500", b"-95.5000-120.2500"), "embedded/latitude"));
    assert!(lacks(swap(b"-30.5000-120.2500", b"-30.5000-999.2500"), "embedded/longitude"));
    assert!(lacks(swap(b"2024-03-18T07:45", b"2424-03-18T07:45"), "embedded/taken"));
    assert!(lacks(swap(b"mvhd\0", b"mvhd\x07"), "embedded/created"));
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
fn broken_and_hostile_files_neither_panic_nor_last() {
    let mut seed = 20_261_120_u64;
    let mut draw = move |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).expect("31 bits") % below
    };
    let pictures = [true, false].into_iter().flat_map(|little| containers(&tiff(little))).map(|(_, file)| file);
    let files: Vec<Vec<u8>> = pictures.chain(samples().into_iter().map(|((_, file), _)| file.to_vec())).collect();
    for round in 0..40_000 {
        let mut file = files[round % files.len()].clone();
        for _ in 0..=draw(6) {
            let at = draw(file.len());
            file[at] = [0, 1, 2, 4, 0x7f, 0x80, 0xff, 0x69, 0x87][draw(9)];
        }
        file.truncate(file.len() - draw(8) * draw(40));
        let read = || {
            let start = Instant::now();
            // Not through the guard: what would panic is to be known here.
            let mut glance = Glance::default();
            glance.see(&file);
            let mut claims = claims::Claims::default();
            picture::read(glance.head(), &mut claims);
            film::read(glance.parts(), &mut claims);
            sound::read(glance.head(), glance.parts(), &mut claims);
            for (_, value) in claims.into_fields() {
                assert!(value.chars().count() <= 256 && !value.chars().any(char::is_control));
            }
            start.elapsed()
        };
        // A busy machine can keep a thread waiting; what is slow by itself is slow each time.
        assert!((0..5).any(|_| read() < Duration::from_millis(50)), "round {round}");
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
        // What a hostile input may take at all; that it is refused before it is parsed is what was asserted above.
        assert!(start.elapsed() < Duration::from_secs(5));
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
