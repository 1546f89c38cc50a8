//! What people read to each other: 40 digits of an id. Digits are the same in every language.

use crate::crypto::hash::Hash;

const GROUPS: usize = 8;
const DIGITS: usize = 5;

/// The zero of each block of ten decimal digits that a keyboard may give (Unicode, `General_Category=Nd`).
const ZEROS: [char; 21] = [
    '0', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}',
    '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{17e0}', '\u{1810}', '\u{ff10}',
];

/// 8 groups of 5 digits, separated by single spaces: each 4 bytes of `hash`, big-endian, modulo 100,000. They keep
/// 132 bits of it.
pub fn fingerprint(hash: &Hash) -> String {
    let (pieces, _) = hash.0.as_chunks::<4>();
    let groups: Vec<String> =
        pieces.iter().map(|piece| format!("{:0DIGITS$}", u32::from_be_bytes(*piece) % 100_000)).collect();
    groups.join(" ")
}

/// Whether someone typed the fingerprint of `hash`: all 40 digits, of any script, in order. Spaces and dashes are
/// ignored wherever they stand; anything else is refused, also fewer digits.
pub fn same_fingerprint(typed: &str, hash: &Hash) -> bool {
    digits(typed).is_some_and(|digits| digits == fingerprint(hash).replace(' ', ""))
}

/// Whether this is a fingerprint at all: what somebody mistook for one is no wrong fingerprint.
pub fn is_fingerprint(typed: &str) -> bool {
    digits(typed).is_some_and(|digits| digits.len() == GROUPS * DIGITS)
}

fn digits(typed: &str) -> Option<String> {
    typed.chars().filter(|character| !separates(*character)).map(decimal_digit).collect()
}

fn separates(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// The ASCII digit that `character` stands for.
fn decimal_digit(character: char) -> Option<char> {
    let value = ZEROS.iter().find_map(|zero| {
        let value = u32::from(character).checked_sub(u32::from(*zero))?;
        (value < 10).then_some(value)
    })?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = "28559 12310 93023 00000 67295 66051 00000 00000";

    fn hash() -> Hash {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&0xdead_beef_u32.to_be_bytes()); // 3,735,928,559
        bytes[4..8].copy_from_slice(&12_310_u32.to_be_bytes());
        bytes[8..12].copy_from_slice(&4_000_093_023_u32.to_be_bytes());
        bytes[16..20].copy_from_slice(&u32::MAX.to_be_bytes()); // 4,294,967,295
        bytes[20..24].copy_from_slice(&[0, 1, 2, 3]); // 66,051
        Hash(bytes)
    }

    #[test]
    fn groups_are_the_pieces_modulo_a_hundred_thousand() {
        assert_eq!(fingerprint(&hash()), PRINTED);
        assert_eq!(fingerprint(&Hash::ZERO), "00000 00000 00000 00000 00000 00000 00000 00000");
    }

    #[test]
    fn people_may_type_it_with_their_own_digits_and_pauses() {
        let printed = fingerprint(&hash());
        let in_digits_of = |zero: char| -> String {
            let digit = |c: char| c.to_digit(10).and_then(|value| char::from_u32(u32::from(zero) + value)).unwrap_or(c);
            printed.chars().map(digit).collect()
        };
        assert!(ZEROS.iter().all(|zero| same_fingerprint(&in_digits_of(*zero), &hash())));
        assert!(same_fingerprint(&printed.replace(' ', ""), &hash()));
        assert!(same_fingerprint(&format!("  {}\n", printed.replace(' ', " — ")), &hash()));
    }

    #[test]
    fn nothing_else_will_do() {
        assert!(is_fingerprint(PRINTED) && !is_fingerprint("") && !is_fingerprint("12345 67890"));
        assert!(!is_fingerprint(&PRINTED.replace('9', "n")));
        let printed = fingerprint(&hash());
        let (prefix, last) = printed.split_at(printed.len() - 1);
        assert!(!same_fingerprint("", &hash()));
        assert!(!same_fingerprint(prefix, &hash()));
        assert!(!same_fingerprint(&format!("{printed}0"), &hash()));
        assert!(!same_fingerprint(&format!("{prefix}{}", if last == "1" { "2" } else { "1" }), &hash()));
        assert!(!same_fingerprint(&printed.replacen(' ', "/", 1), &hash()));
        assert!(!same_fingerprint(&printed.replace('0', "O"), &hash()));
    }
}
