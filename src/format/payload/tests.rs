use std::io::{self, Read, Write};
use std::process::{Command, Stdio};

use super::*;
use crate::crypto::pad::padded_length;
use crate::format::tar::{OCTAL_SIZE_MAX, extended_record, fill};

fn pad_at(offset: u64) -> (Vec<u8>, u64) {
    tar::end_at(offset, PAYLOAD_BYTES_MIN, CONTENT)
}

const RECORD_JSON: &[u8] = b"{}\n";

fn payload(members: &[(&str, &[u8])], listing: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, (name, content)) in (0..).zip(members) {
        bytes.extend(member_header(name, content.len() as u64, index));
        bytes.extend_from_slice(content);
        fill(&mut bytes);
    }
    let tail = tail(bytes.len() as u64, listing, RECORD_JSON);
    bytes.extend(tail.bytes);
    bytes.resize(bytes.len() + usize::try_from(tail.zeros).expect("small"), 0);
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, PayloadError> {
    let mut reader = PayloadReader::new(bytes);
    let mut members = Vec::new();
    while let Some(mut member) = reader.next_member()? {
        let mut content = Vec::new();
        member.read_to_end(&mut content)?;
        assert_eq!(content.len() as u64, member.bytes);
        members.push((member.name, content));
    }
    assert_eq!(reader.position(), bytes.len() as u64);
    Ok(members)
}

/// 138 bytes of Arabic and Cyrillic below `content/`: needs an extended header.
const LONG: &str = "content/شهادة/показания свидетеля, часть первая, записано в тот же день.txt";

#[test]
fn what_is_written_is_read() {
    let folder: [(&str, &[u8]); 4] =
        [("content/a", b""), ("content/a-b", &[7; 512]), ("content/b/c", &[8; 513]), (LONG, b"text\n")];
    let bytes = payload(&folder, Some(b"[]\n"));
    let members = read(&bytes).expect("just written");
    assert_eq!(members.len(), 6);
    assert!(folder.iter().zip(&members).all(|(one, other)| one.0 == other.0 && one.1 == other.1));
    assert_eq!(members[4], ("listing.json".into(), b"[]\n".to_vec()));
    assert_eq!(members[5], ("record.json".into(), RECORD_JSON.to_vec()));
    assert!(read(&payload(&[], Some(b"[]\n"))).is_ok(), "an empty folder");
    assert!(read(&payload(&[], None)).is_ok(), "a record alone, as in the register");

    let mut skipping = PayloadReader::new(&bytes[..]);
    let mut count = 0;
    while skipping.next_member().expect("unread members are skipped").is_some() {
        count += 1;
    }
    assert_eq!(count, 6);
    assert!(skipping.next_member().expect("it stays ended").is_none());
}

#[test]
fn lengths_are_padme_lengths() {
    for size in (0..40).map(|n| n * 1777).chain([1 << 20, (1 << 20) + 1]) {
        let bytes = payload(&[("content/x", &vec![1; size])], None);
        let length = bytes.len() as u64;
        assert_eq!(length, padded_length(length, PAYLOAD_BYTES_MIN));
        assert!(length >= 16 << 10);
    }
}

#[test]
fn a_header_is_these_bytes() {
    let header = member_header("content/x", 10, 3);
    let mut expected = [0; 512];
    expected[..9].copy_from_slice(b"content/x");
    expected[100..148].copy_from_slice(b"0000644\x000000000\x000000000\x0000000000012\x0000000000000\0");
    expected[148..157].copy_from_slice(b"        0");
    expected[257..265].copy_from_slice(b"ustar\x0000");
    expected[329..345].copy_from_slice(b"0000000\x000000000\0");
    let sum: u32 = expected.iter().map(|byte| u32::from(*byte)).sum();
    expected[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    assert_eq!(header, expected);

    let long = member_header(LONG, 10, 3);
    assert_eq!(long.len(), 3 * 512);
    assert!(long.starts_with(b"pax/00000003\0") && long[156] == b'x');
    let record = format!("{} path={LONG}\n", LONG.len() + 10);
    assert!(long[512..].starts_with(format!("{record}\0").as_bytes()));
    assert!(long[1024..].starts_with(b"content/00000003\0") && long[1024 + 156] == b'0');

    let hundred = format!("content/{}", "x".repeat(92));
    assert_eq!(member_header(&hundred, 1, 0).len(), 512);
    assert_eq!(member_header(&format!("{hundred}x"), 1, 0).len(), 3 * 512);
}

#[test]
fn extended_records_count_themselves() {
    for length in 0..1100 {
        let record = extended_record("path", &"x".repeat(length));
        let claimed: usize = record.split(' ').next().and_then(|digits| digits.parse().ok()).expect("a length");
        assert_eq!(claimed, record.len());
    }
}

#[test]
fn sizes_above_eight_gibibytes_go_into_an_extended_header() {
    const LARGE: u64 = 8 << 30;
    assert_eq!(member_header("content/v.mp4", LARGE - 1, 0).len(), 512);
    let header = member_header("content/v.mp4", LARGE, 0);
    assert_eq!(header.len(), 3 * 512);
    assert!(header[512..].starts_with(b"19 size=8589934592\n\0"));
    assert!(header[1024..].starts_with(b"content/v.mp4\0"));
    assert_eq!(&header[1024 + 124..1024 + 136], b"00000000000\0");
    // A sparse stream, so that 8 GiB cost no memory.
    let tail = tail(header.len() as u64 + LARGE, None, RECORD_JSON);
    let whole = (&header[..]).chain(io::repeat(0).take(LARGE)).chain(&tail.bytes[..]);
    let mut reader = PayloadReader::new(std::io::BufReader::new(whole));
    let member = reader.next_member().expect("a right header").expect("a member");
    assert_eq!((member.name.as_str(), member.bytes), ("content/v.mp4", LARGE));
}

#[test]
fn enormous_padding_has_an_extended_header_too() {
    let terabytes = 3_u64 << 40;
    for offset in [terabytes + 512, terabytes + (40 << 30), u64::MAX - 511] {
        let (header, zeros) = pad_at(offset);
        let extended = zeros - 1024 > OCTAL_SIZE_MAX;
        assert_eq!(header.len(), if extended { 3 * 512 } else { 512 });
        if offset < u64::MAX / 2 {
            let total = offset + header.len() as u64 + zeros;
            assert_eq!(total, padded_length(total, PAYLOAD_BYTES_MIN));
        }
    }
    assert_eq!(pad_at(terabytes + 512).0.len(), 3 * 512);
}

#[test]
fn every_changed_byte_is_refused_or_seen() {
    let bytes = payload(&[("content/a", b"abc"), (LONG, b"text\n")], Some(b"[]\n"));
    let members = read(&bytes).expect("just written");
    let free: Vec<usize> = [b"abc".as_slice(), b"text\n", b"[]\n", RECORD_JSON, LONG.as_bytes()]
        .iter()
        .flat_map(|content| {
            let at = bytes.windows(content.len()).position(|window| window == *content).expect("it is there");
            at..at + content.len()
        })
        .collect();
    let dense = bytes.len() - 8000;
    for at in (0..dense).chain((dense..bytes.len()).step_by(61)) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << (at % 8);
        match read(&changed) {
            Ok(others) => assert!(free.contains(&at) && others != members, "byte {at}"),
            Err(_) => assert!(!free.contains(&at) || LONG.as_bytes().contains(&bytes[at]), "byte {at}"),
        }
    }
}

#[test]
fn every_shorter_and_longer_payload_is_refused() {
    let bytes = payload(&[("content/a", &[1; 5000])], None);
    for length in (0..bytes.len()).step_by(101).chain(bytes.len() - 5..bytes.len()) {
        assert!(read(&bytes[..length]).is_err(), "{length}");
    }
    for more in [1, 512, 1024, 10_240] {
        let longer = [bytes.as_slice(), &vec![0; more]].concat();
        assert!(matches!(read(&longer), Err(PayloadError::Trailing { .. })));
    }
}

#[test]
fn strange_members_are_refused() {
    let order = |error: &PayloadError| matches!(error, PayloadError::Order { .. });
    let unexpected = |error: &PayloadError| matches!(error, PayloadError::Unexpected { .. });
    let refused = |names: &[&str]| {
        let members: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, b"x".as_slice())).collect();
        read(&payload(&members, Some(b"[]\n"))).expect_err("a strange member")
    };
    assert!(order(&refused(&["content/b", "content/a"])));
    assert!(order(&refused(&["content/a", "content/a"])));
    assert!(order(&refused(&["content/a", "content/a/b"])));
    for name in ["content/../a", "content/", "/etc/passwd", "a", "content/a\u{202e}b", "content/CON", ".pad"] {
        assert!(unexpected(&refused(&[name])), "{name}");
    }
    assert!(unexpected(&refused(&["content/a", "listing.json", "content/b"])));
    assert!(unexpected(&refused(&["content/a", "listing.json"])), "a second listing");
    assert!(!unexpected(&refused(&["content/a", "record.json"])), "a first record is no end here");
    let long = payload(&[("content/a", b"x")], None);
    let at = long.windows(11).position(|window| window == b"record.json").expect("the record");
    let mut large = long[..at].to_vec();
    large.extend(member_header(RECORD, 65_537, 0));
    assert!(matches!(read(&large), Err(PayloadError::TooLong { .. })));
}

#[test]
fn claimed_sizes_cost_no_memory() {
    let mut bytes = member_header("content/a", u64::MAX, 0);
    bytes.extend([1; 600]);
    let mut reader = PayloadReader::new(&bytes[..]);
    let mut member = reader.next_member().expect("a right header").expect("a member");
    assert_eq!(member.bytes, u64::MAX);
    assert!(member.read_to_end(&mut Vec::new()).is_err());
    assert!(matches!(reader.next_member(), Err(PayloadError::Ends { .. })));
}

#[test]
fn the_order_keeps_folders_together() {
    let mut names = ["a-b", "a/c", "b", "a/b/c", "a", "B", "a/b!"];
    names.sort_by(|one, other| member_order(one, other));
    assert_eq!(names, ["B", "a", "a/b/c", "a/b!", "a/c", "a-b", "b"]);
}

#[test]
fn stock_tar_extracts_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let deep = format!("content/{}й/دليل.txt", "глубоко/".repeat(28));
    let members: [(&str, &[u8]); 3] = [("content/a b.txt", b"abc"), (&deep, b"deep\n"), (LONG, &vec![9; 70_000])];
    let bytes = payload(&members, Some(b"[]\n"));
    let mut tar = Command::new("tar")
        .args(["-x", "-f", "-", "-C"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("every system has tar");
    tar.stdin.take().expect("piped").write_all(&bytes).expect("tar reads all");
    let output = tar.wait_with_output().expect("tar ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    for (name, content) in members.into_iter().chain([("record.json", RECORD_JSON), ("listing.json", b"[]\n")]) {
        assert_eq!(std::fs::read(folder.path().join(name)).expect("extracted"), content);
    }
    assert!(folder.path().join(".pad").exists() && !folder.path().join("pax").exists());
}
