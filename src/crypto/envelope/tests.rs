//! What age files of this program are, and what is refused.

use super::*;

fn pair(number: u8) -> (Identity, Recipient) {
    let identity = Identity::from_seed(&[number; 32]);
    let recipient = identity.recipient();
    (identity, recipient)
}

#[test]
fn each_recipient_opens_it_and_so_does_the_file_key() {
    let ((ann, to_ann), (ben, to_ben), (eve, _)) = (pair(1), pair(2), pair(3));
    for length in [0, 1, 65_535, 65_536, 65_537, 200_000] {
        let plaintext = vec![7; length];
        let sealed = seal(&plaintext, &[&to_ann, &to_ben]);
        assert_eq!(*open(&sealed.bytes, &[&ann]).expect("for ann"), plaintext);
        assert_eq!(*open(&sealed.bytes, &[&eve, &ben]).expect("for ben"), plaintext);
        assert_eq!(*open_with_file_key(&sealed.bytes, &sealed.file_key).expect("its key"), plaintext);
        assert_eq!(open(&sealed.bytes, &[&eve]), Err(EnvelopeError::NotForThisKey));
        assert_eq!(hybrid_stanzas(&sealed.bytes), Ok(2));
    }
}

#[test]
fn the_buffer_is_never_outgrown() {
    let (_, to_ann) = pair(1);
    let sealed = seal(&vec![7; 300_000], &[&to_ann]);
    assert!(sealed.bytes.capacity() - sealed.bytes.len() < 1_000, "the first estimate was enough, and not too much");
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let (ann, to_ann) = pair(1);
    let sealed = seal(b"testimony", &[&to_ann]);
    for place in (0..sealed.bytes.len()).step_by(3) {
        let mut flipped = sealed.bytes.clone();
        flipped[place] ^= 1;
        assert!(open(&flipped, &[&ann]).is_err(), "byte {place}");
        assert!(open(&sealed.bytes[..place], &[&ann]).is_err(), "cut at {place}");
    }
    let longer = [sealed.bytes.as_slice(), b"\0"].concat();
    assert_eq!(open(&longer, &[&ann]), Err(EnvelopeError::Damaged { part: Part::Payload }));
}

#[test]
fn another_files_key_is_no_key() {
    let (_, to_ann) = pair(1);
    let (one, two) = (seal(b"one", &[&to_ann]), seal(b"two", &[&to_ann]));
    let error = open_with_file_key(&one.bytes, &two.file_key);
    assert_eq!(error, Err(EnvelopeError::Damaged { part: Part::HeaderMac }));
}

#[test]
fn a_passphrase_opens_and_a_hostile_work_factor_does_not() {
    let sealed = seal_with_passphrase(b"seed", "correct horse");
    assert_eq!(**open_with_passphrase(&sealed.bytes, "correct horse").expect("the passphrase"), *b"seed");
    assert_eq!(open_with_passphrase(&sealed.bytes, "correct horsf"), Err(EnvelopeError::WrongPassphrase));
    let line_end = sealed.bytes.iter().skip(22).position(|byte| *byte == b'\n').expect("a stanza") + 22;
    let mut hostile = sealed.bytes.clone();
    hostile[line_end - 2..line_end].copy_from_slice(b"30");
    assert_eq!(open_with_passphrase(&hostile, "x"), Err(EnvelopeError::TooMuchWork { work_factor: 30 }));
}

#[test]
fn an_endless_header_is_refused_at_once() {
    let mut endless = b"age-encryption.org/v1\n".to_vec();
    endless.extend(b"-> a\n\n".iter().copied().cycle().take(16 << 20));
    assert_eq!(hybrid_stanzas(&endless), Err(EnvelopeError::Damaged { part: Part::Header }));
    assert_eq!(hybrid_stanzas(b""), Err(EnvelopeError::Damaged { part: Part::Header }));
}
