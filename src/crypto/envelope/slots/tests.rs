//! Slots beside age's own reading and writing.

use super::super::{open, open_with_file_key, seal};
use super::*;

const LENGTHS: [usize; 10] = [0, 1, 4_096, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 1 << 20];

/// Around a whole segment, where the number of a chunk needs a second byte.
const SEGMENT_LENGTHS: [usize; 4] = [(16 << 20) - 1, 16 << 20, (16 << 20) + 1, (16 << 20) + 65_537];

fn plaintext(length: usize) -> Vec<u8> {
    (0..251).cycle().take(length).collect()
}

fn copy(sealed: &SealedSlots) -> SealedSlots {
    let (buffer, file, file_key) = (sealed.buffer.clone(), sealed.file.clone(), sealed.file_key.clone());
    SealedSlots { buffer, file, sha256: sealed.sha256, file_key }
}

fn laid(plaintext: &[u8], capacity: usize) -> Slots {
    let mut slots = Slots::new(Buffer::default(), capacity);
    for part in plaintext.chunks(1_000) {
        slots.extend(part);
    }
    slots
}

#[test]
fn what_is_sealed_in_slots_age_opens_and_its_hash_is_told() {
    let ann = Identity::from_seed(&[1; 32]);
    let small = LENGTHS.into_iter().flat_map(|length| [0, 10_000, length].map(|capacity| (length, capacity)));
    for (length, capacity) in small.chain(SEGMENT_LENGTHS.map(|length| (length, length))) {
        let plain = plaintext(length);
        let sealed = laid(&plain, capacity).seal(&ann.recipient());
        assert!(*open(sealed.bytes(), &[&ann]).expect("opened") == plain, "{length}");
        assert!(*open_with_file_key(sealed.bytes(), &sealed.file_key).expect("opened") == plain, "{length}");
        assert_eq!(Hash::of(sealed.bytes()), sealed.sha256);
    }
}

#[test]
fn what_age_sealed_is_opened_in_slots() {
    let (ann, eve) = (Identity::from_seed(&[1; 32]), Identity::from_seed(&[3; 32]));
    for length in LENGTHS.into_iter().chain(SEGMENT_LENGTHS) {
        let plain = plaintext(length);
        let file = seal(&plain, &[&ann.recipient()]).bytes;
        let (sha256, whole) = (Hash::of(&file), file.len());
        let opened = |file: Vec<u8>, sha256, length, key| Slots::open(Buffer::from(file), length, sha256, &[key]);
        let slots = opened(file.clone(), sha256, whole, &ann).expect("opened");
        let mut stretches = Vec::new();
        while stretches.len() < plain.len() {
            stretches.extend_from_slice(slots.stretch(stretches.len()));
        }
        assert_eq!(stretches, plain);
        assert!(slots.stretch(length).is_empty());
        assert_eq!(*slots.beginning(length / 2).into_plaintext(), plain[..length / 2]);
        assert_eq!(*slots.into_plaintext(), plain);
        let error = |opened: Result<Slots, (SlotsError, _)>| opened.map(drop).map_err(|(error, _)| error);
        let stranger = error(opened(file.clone(), sha256, whole, &eve));
        assert_eq!(stranger, Err(SlotsError::Envelope(EnvelopeError::NotForThisKey)));
        assert_eq!(error(opened(file.clone(), Hash::ZERO, whole, &ann)), Err(SlotsError::OtherHash));
        let mut changed = file.clone();
        *changed.last_mut().expect("a tag") ^= 1;
        let sha256_changed = Hash::of(&changed);
        let damaged = SlotsError::Envelope(EnvelopeError::Damaged { part: Part::Payload });
        assert_eq!(error(opened(changed.clone(), sha256_changed, whole, &ann)), Err(damaged));
        assert_eq!(error(opened(changed, sha256, whole, &ann)), Err(SlotsError::OtherHash));
        let cut = Hash::of(&file[..whole - TAG_BYTES]);
        assert_eq!(error(opened(file.clone(), cut, whole - TAG_BYTES, &ann)), Err(damaged));
        let two = seal(&plain, &[&ann.recipient(), &eve.recipient()]).bytes;
        let (sha256_two, whole_two) = (Hash::of(&two), two.len());
        assert_eq!(error(opened(two, sha256_two, whole_two, &ann)), Err(SlotsError::NotToOneKey));
    }
}

#[test]
fn reading_back_sees_the_plaintext_and_every_changed_byte() {
    let ann = Identity::from_seed(&[1; 32]);
    for length in LENGTHS.into_iter().chain(SEGMENT_LENGTHS) {
        let plain = plaintext(length);
        let sealed = || laid(&plain, length).seal(&ann.recipient());
        let mut one = sealed();
        let file = one.bytes().to_vec();
        let mut seen = Vec::new();
        let see = |at: usize, bytes: &[u8]| {
            assert_eq!(at, seen.len());
            seen.extend_from_slice(bytes);
        };
        assert!(one.is_read_back(&mut file.as_slice(), see).expect("read"));
        assert_eq!(seen, plain);
    }
    let plain = plaintext(70_000);
    let mut file = laid(&plain, 0).seal(&ann.recipient());
    let bytes = file.bytes().to_vec();
    for at in (0..bytes.len()).step_by(997).chain([0, bytes.len() - 1]) {
        let mut one = copy(&file);
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(!one.is_read_back(&mut changed.as_slice(), |_, _| {}).expect("read"), "byte {at}");
        // What the memory lost before it was written is the same on the disk, and opens no longer.
        let mut one = copy(&file);
        one.buffer[one.file.start + at] ^= 1;
        assert!(!one.is_read_back(&mut changed.as_slice(), |_, _| {}).expect("read"), "byte {at}");
    }
    for other in [&bytes[..bytes.len() - 1], &[&bytes[..], b"x"].concat()] {
        let mut one = copy(&file);
        assert!(!one.is_read_back(&mut &other[..], |_, _| {}).expect("read"));
    }
    assert!(file.is_read_back(&mut bytes.as_slice(), |_, _| {}).expect("read"));
}

#[test]
fn a_buffer_that_served_before_leaves_nothing_of_it() {
    let ann = Identity::from_seed(&[1; 32]);
    let buffer = laid(&plaintext(300_000), 0).seal(&ann.recipient()).into_buffer();
    let mut slots = Slots::new(buffer, 0);
    slots.extend(b"short");
    slots.extend_zeros(100_000);
    let sealed = slots.seal(&ann.recipient());
    let opened = open(sealed.bytes(), &[&ann]).expect("opened");
    assert_eq!((&opened[..5], opened[5..].iter().all(|byte| *byte == 0)), (&b"short"[..], true));
}
