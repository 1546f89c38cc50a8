//! Whether a passphrase that a person chose is surely weak. It never says that one is strong: that depends on how it was
//! chosen, which nobody can see from it. Estimators with dictionaries (zxcvbn) bring more code than all of this command,
//! and know the words of a few languages only.

/// Shorter ones are tried out in weeks by a few graphics cards, scrypt or not, if they are of small letters.
const CHARACTERS_MIN: usize = 14;
/// Fewer different characters are a pattern.
const DIFFERENT_MIN: usize = 7;
/// Digits alone need to be this many, each of them chosen by chance.
const DIGITS_MIN: usize = 24;

/// Why it is weak, if it surely is.
pub(super) fn weakness(passphrase: &str) -> Option<&'static str> {
    let characters: Vec<char> = passphrase.to_lowercase().chars().collect();
    let different: std::collections::BTreeSet<&char> = characters.iter().collect();
    if characters.len() < CHARACTERS_MIN {
        return Some("is short");
    }
    if characters.iter().all(char::is_ascii_digit) && characters.len() < DIGITS_MIN {
        return Some("is a number");
    }
    if different.len() < DIFFERENT_MIN || repeats(&characters) {
        return Some("repeats itself");
    }
    let steps = characters.windows(2).filter(|pair| u32::from(pair[1]).abs_diff(u32::from(pair[0])) <= 1).count();
    (steps * 4 > characters.len() * 3).then_some("runs along the alphabet")
}

/// Whether it is a shorter piece again and again, the last time perhaps cut.
fn repeats(characters: &[char]) -> bool {
    (1..=characters.len() / 2).any(|period| characters.iter().zip(&characters[period..]).all(|(one, next)| one == next))
}

#[cfg(test)]
mod tests {
    use super::weakness;

    #[test]
    fn what_is_surely_weak_is_told_and_nothing_else_is() {
        assert_eq!(weakness("Sommer2026!"), Some("is short"));
        assert_eq!(weakness("19790314197903"), Some("is a number"));
        assert_eq!(weakness("aaaaaaaaaaaaaaaaaa"), Some("repeats itself"));
        assert_eq!(weakness("passwordpassword"), Some("repeats itself"));
        assert_eq!(weakness("abcdefghijklmnop"), Some("runs along the alphabet"));
        for enough in [
            "correct horse battery",
            "\u{645}\u{627} \u{632}\u{644}\u{62a} \u{623}\u{646}\u{62a}\u{638}\u{631} \u{647}\u{646}\u{627}",
            "kX9-vv2-pQr-8Lm",
        ] {
            assert_eq!(weakness(enough), None, "{enough}");
        }
    }
}
