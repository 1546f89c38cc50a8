use std::path::Path;

use super::*;
use crate::store::faulty::{FaultyDisk, Rules};
use crate::vault::pouch::PouchError;

const LENGTHS: [usize; 7] = [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000];

fn me() -> Identity {
    Identity::from_seed(&[1; 32])
}

fn plain(length: usize) -> Vec<u8> {
    (0..251).cycle().take(length).collect()
}

fn opened(file: &[u8], identities: &[&Identity]) -> Result<Opened, VaultError> {
    let disk = FaultyDisk::new(Rules::Ext4);
    disk.put(Path::new("/p"), file);
    Opened::open(Pieces::whole(&disk, Path::new("/p"))?, identities)
}

fn sealed(plain: &[u8]) -> (Vec<u8>, usize) {
    let file = envelope::seal(plain, &[&me().recipient()]).bytes;
    let payload = usize::try_from(envelope::sealed_bytes(plain.len() as u64)).expect("small");
    let payload_at = file.len() - payload;
    (file, payload_at)
}

/// What of the plaintext can be read, chunk by chunk; and that it is right.
fn readable(opened: &Opened, plain: &[u8]) -> Vec<usize> {
    let chunks = plain.chunks(PLAIN_CHUNK_BYTES).enumerate();
    let is_read = |(index, chunk): &(usize, &[u8])| {
        let mut into = vec![0; chunk.len()];
        let at = (index * PLAIN_CHUNK_BYTES) as u64;
        let within = at + chunk.len() as u64 <= opened.bytes();
        let read = within && opened.read_at(at, &mut into).is_ok();
        assert!(!read || into == *chunk, "wrong bytes of chunk {index}");
        read
    };
    chunks.filter(is_read).map(|(index, _)| index).collect()
}

#[test]
fn any_part_is_read_from_any_place() {
    for length in LENGTHS {
        let plain = plain(length);
        let opened = opened(&sealed(&plain).0, &[&me()]).expect("opened");
        assert_eq!(opened.bytes(), length as u64);
        assert!(opened.end_holds(), "{length}");
        for at in [0, 1, 65_000, 65_536, 131_071].into_iter().filter(|at| *at <= length) {
            for count in [0, 1, 512, 70_000, length].into_iter().filter(|count| at + count <= length) {
                let mut into = vec![0; count];
                opened.read_at(at as u64, &mut into).expect("read");
                assert_eq!(into, plain[at..at + count], "{length}: {count} at {at}");
            }
        }
    }
}

#[test]
fn of_a_damaged_chunk_only_what_lies_there_is_lost() {
    let plain = plain(200_000);
    let (file, payload_at) = sealed(&plain);
    for lost in 0..4 {
        for within in [0, 1000] {
            let mut file = file.clone();
            file[payload_at + lost * SEALED_CHUNK_BYTES + within] ^= 1;
            let opened = opened(&file, &[&me()]).expect("opened");
            assert_eq!(readable(&opened, &plain), (0..4).filter(|index| *index != lost).collect::<Vec<_>>());
            assert_eq!(opened.end_holds(), lost != 3);
            let told = opened.read_at(0, &mut vec![0; plain.len()]).expect_err("a part is lost");
            let start = (lost * PLAIN_CHUNK_BYTES) as u64;
            assert_eq!(told.range, start..(start + PLAIN_CHUNK).min(plain.len() as u64));
        }
    }
}

#[test]
fn a_cut_end_costs_the_chunk_that_was_cut_and_is_noticed() {
    let plain = plain(200_000);
    let (file, payload_at) = sealed(&plain);
    for chunk in 0..4 {
        for more in [0, 1, 15, 16, 17, 2000, SEALED_CHUNK_BYTES - 1] {
            let kept = payload_at + chunk * SEALED_CHUNK_BYTES + more;
            if kept < file.len() {
                let opened = opened(&file[..kept], &[&me()]).expect("opened");
                assert!(!opened.end_holds(), "{more} bytes behind chunk {chunk}");
                assert_eq!(readable(&opened, &plain), (0..chunk).collect::<Vec<_>>(), "{more} behind {chunk}");
            }
        }
    }
}

#[test]
fn what_follows_the_end_is_noticed_and_costs_the_last_chunk_at_most() {
    for length in [1, 65_536, 200_000] {
        let plain = plain(length);
        for more in [1, 16, 17, 70_000] {
            let file = [sealed(&plain).0, vec![0; more]].concat();
            let opened = opened(&file, &[&me()]).expect("opened");
            assert!(!opened.end_holds(), "{more} behind {length}");
            assert!(readable(&opened, &plain).len() + 1 >= plain.len().div_ceil(PLAIN_CHUNK_BYTES));
        }
    }
}

#[test]
fn whose_it_is_is_told_from_a_beginning_that_is_lost() {
    let (file, _) = sealed(b"a testimony");
    let eve = Identity::from_seed(&[3; 32]);
    assert!(matches!(opened(&file, &[&eve]), Err(VaultError::Pouch(PouchError::ForOthers))));
    assert!(opened(&file, &[&eve, &me()]).is_ok());
    let mac = file.windows(4).position(|four| four == b"--- ").expect("the last line of the header") + 4;
    let mut torn = file.clone();
    torn[mac] = if torn[mac] == b'A' { b'B' } else { b'A' };
    for file in [&torn[..], &file[..100]] {
        assert!(
            matches!(opened(file, &[&me()]), Err(VaultError::Pouch(PouchError::StartLost { .. }))),
            "{} bytes",
            file.len()
        );
    }
    for file in [&b""[..], b"Dear friend\n"] {
        assert!(
            matches!(opened(file, &[&me()]), Err(VaultError::Pouch(PouchError::NoPouch { .. }))),
            "{} bytes",
            file.len()
        );
    }
}

#[test]
fn a_header_to_as_many_as_there_can_be_is_read_whole() {
    let others: Vec<_> = (10..73).map(|seed| Identity::from_seed(&[seed; 32]).recipient()).collect();
    let mine = me().recipient();
    let all: Vec<_> = others.iter().chain([&mine]).collect();
    let file = envelope::seal(b"a testimony", &all).bytes;
    assert!(file.len() > 4 * START_BYTES);
    let opened = opened(&file, &[&me()]).expect("opened");
    let mut into = [0; 11];
    opened.read_at(0, &mut into).expect("read");
    assert_eq!(&into, b"a testimony");
}
