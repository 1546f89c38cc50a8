//! Payloads that a malicious sealer made: rows, records and signatures hold, and the bytes are not what is said of them.

use amparo::crypto::hash::Hash;
use amparo::format::listing::{ListedFile, Listing};
use amparo::vault::findings::{Check, Verdict};

use crate::vault::forge::{LATER, MAIN, REGISTER, founded};
use crate::vault::forge_seal::{Exhibit, Twist, path};

const INVALID: Verdict = Verdict::Invalid;

/// The payload of one exhibit does not hold, and nothing else is wrong.
fn wrong(exhibit: Exhibit, twist: &Twist<'_>) {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[exhibit, Exhibit::text("untouched")], twist);
    let verified = forge.finds(&[(Check::Payload, INVALID, &founder.label(1))]);
    assert_eq!(verified.exhibit_verdicts.get("K7-0001"), Some(&INVALID));
    assert_eq!(verified.exhibit_verdicts.len(), 1);
}

fn right(exhibit: Exhibit) {
    let (forge, mut founder) = founded();
    founder.seal(&forge, &[exhibit], &Twist::default());
    forge.finds(&[]);
}

const TEXT: &str = "First.\n\nSecond.\n";

fn text() -> Exhibit {
    Exhibit::text(TEXT)
}

/// A folder of two files.
fn folder() -> Exhibit {
    let file = |name: &str, bytes: &[u8]| ListedFile {
        member: format!("content/{name}"),
        name: name.into(),
        bytes: bytes.len() as u64,
        sha256: Hash::of(bytes),
        modified: None,
    };
    let members = vec![("content/a".to_string(), b"one".to_vec()), ("content/b/c".to_string(), b"two".to_vec())];
    let listing = Listing::new(vec![file("a", b"one"), file("b/c", b"two")]).expect("a listing");
    let sha256 = Hash::of(&listing.print().expect("short")).to_string();
    let fields = [("content/files", "2"), ("content/listing_sha256", &sha256), ("original/bytes", "6")];
    let fields = fields.map(|(path, value)| (path.to_string(), value.to_string())).to_vec();
    Exhibit { key: MAIN, members, listing: Some(listing), fields, is_text: false }
}

#[test]
fn honest_payloads_are_not_accused() {
    right(text());
    right(folder());
    right(Exhibit::register("a name"));
}

#[test]
fn what_a_record_says_of_its_bytes_holds() {
    let other = Hash::of(b"other").to_string();
    wrong(text().with("original/sha256", Some(&other)), &Twist::default());
    wrong(text().with("original/sha256", None), &Twist::default());
    wrong(text().with("original/bytes", Some("17")), &Twist::default());
    wrong(text().with("content/name", Some("b.txt")), &Twist::default());
    wrong(text().with("content/name", None), &Twist::default());
    wrong(text().with("content/parts", Some("1")), &Twist::default());
    wrong(text().with("content/name", None).with("content/parts", Some("01")), &Twist::default());
    wrong(Exhibit::register("a name").with("content/name", Some("a.txt")), &Twist::default());
}

#[test]
fn members_are_those_of_the_record() {
    let mut more = text();
    more.members.push(("content/b.txt".into(), b"more".to_vec()));
    wrong(more, &Twist::default());
    let mut none = text();
    none.members.clear();
    wrong(Exhibit { is_text: false, ..none }, &Twist::default());
    let mut renamed = text();
    renamed.members[0].0 = "content/c.txt".into();
    wrong(renamed, &Twist::default());
    let mut outside = text();
    outside.members[0].0 = "content/../a.txt".into();
    wrong(outside, &Twist::default());
    let with_listing = Exhibit { listing: folder().listing, ..text() };
    wrong(with_listing, &Twist::default());
}

#[test]
fn a_folder_is_that_of_its_listing() {
    let mut reordered = folder();
    reordered.members.swap(0, 1);
    wrong(reordered, &Twist::default());
    let mut changed = folder();
    changed.members[1].1 = b"owt".to_vec();
    wrong(changed, &Twist::default());
    let mut missing = folder();
    missing.members.pop();
    wrong(missing.with("original/bytes", Some("3")), &Twist::default());
    wrong(folder().with("content/files", Some("3")), &Twist::default());
    wrong(folder().with("original/bytes", Some("7")), &Twist::default());
    wrong(folder().with("content/listing_sha256", Some(&Hash::of(b"x").to_string())), &Twist::default());
    wrong(Exhibit { listing: None, ..folder() }, &Twist::default());
}

#[test]
fn paragraphs_are_those_that_were_committed_to() {
    let swap = |known: &mut amparo::format::manifest::ManifestRecord| {
        if known.text.len() == 2 {
            known.text.swap(0, 1);
        }
    };
    wrong(text(), &Twist { committed: Some(&swap), ..Twist::default() });
    let none = |known: &mut amparo::format::manifest::ManifestRecord| {
        if known.text.len() == 2 {
            known.text.clear();
        }
    };
    wrong(text(), &Twist { committed: Some(&none), ..Twist::default() });
    let three = |record: &mut amparo::format::record::Record| {
        if record.field("content/paragraphs") == Some("2") {
            record.set("content/paragraphs", "3").expect("a field");
        }
    };
    wrong(text(), &Twist { record: Some(&three), ..Twist::default() });
}

/// The payload of the exhibit that begins with a certain text, bent.
fn bent(how: &dyn Fn(&mut Vec<u8>)) {
    let only = |payload: &mut Vec<u8>| {
        if payload.get(512..512 + TEXT.len()) == Some(TEXT.as_bytes()) {
            how(payload);
        }
    };
    wrong(text(), &Twist { payload: Some(&only), ..Twist::default() });
}

#[test]
fn every_byte_of_a_payload_is_the_one_that_a_writer_would_write() {
    bent(&|payload| *payload.last_mut().expect("bytes") = 1);
    bent(&|payload| payload[512 + TEXT.len()] = 1);
    bent(&|payload| payload[100] = b'7');
    bent(&|payload| payload.extend([0; 1024]));
    bent(&|payload| payload.truncate(payload.len() - 512));
    bent(&|payload| payload[512] = b'f');
    // The record inside is not the one in the manifest.
    bent(&|payload| {
        let at = payload.windows(10).position(|window| window == b"text/plain").expect("the record");
        payload[at] = b'T';
    });
    // A member is there twice.
    bent(&|payload| {
        let first = payload[..1024].to_vec();
        payload.splice(0..0, first);
        payload.truncate(payload.len() - 1024);
    });
}

#[test]
fn segments_stand_in_their_order_and_all_are_there() {
    let halves = |segments: &mut Vec<Vec<u8>>| {
        let first = segments.remove(0);
        let (one, other) = first.split_at(first.len() / 2);
        segments.extend([one.to_vec(), other.to_vec()]);
    };
    let (forge, mut founder) = founded();
    let swap = |blobs: &mut Vec<Hash>| blobs.swap(0, 1);
    founder.seal(&forge, &[text()], &Twist { segments: Some(&halves), blobs: Some(&swap), ..Twist::default() });
    forge.finds(&[(Check::Payload, INVALID, &founder.label(1))]);

    let (forge, mut founder) = founded();
    let drop_last = |blobs: &mut Vec<Hash>| blobs.truncate(1);
    let twist = Twist { segments: Some(&halves), blobs: Some(&drop_last), ..Twist::default() };
    let blobs = founder.seal(&forge, &[text()], &twist);
    let last = path(blobs[1]);
    forge.finds(&[(Check::Payload, INVALID, &founder.label(1)), (Check::Foreign, Verdict::Incomplete, &last)]);
}

#[test]
fn a_segment_is_encrypted_to_the_rows_key_alone() {
    for recipients in [&[REGISTER][..], &[MAIN, LATER], &[LATER]] {
        let (forge, mut founder) = founded();
        let blobs = founder.seal(&forge, &[text()], &Twist { segments_to: Some(recipients), ..Twist::default() });
        forge.finds(&[(Check::Payload, INVALID, &path(blobs[0]))]);
    }
}
