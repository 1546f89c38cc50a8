//! The name a member goes by: what others see, never a proof of who it is.

use std::fmt;

/// Longest name, in characters.
pub const CHARACTERS_MAX: usize = 64;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PseudonymError {
    /// Empty.
    #[error("a name has at least one character")]
    Empty,
    /// More than [`CHARACTERS_MAX`].
    #[error("a name of {characters} characters, more than {CHARACTERS_MAX}")]
    TooLong {
        /// How many.
        characters: usize,
    },
    /// A space at either end, or two in a row: two names would look the same.
    #[error("a name begins or ends with a space or has two in a row")]
    Spaces,
    /// A control, an invisible or a direction-changing character.
    #[error("a name with the character U+{:04X}, which does not print", u32::from(*character))]
    Unprintable {
        /// Which one.
        character: char,
    },
}

/// 1 to 64 printable characters of any script.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// Takes a name as it is typed; nothing is trimmed or changed.
    pub fn parse(text: &str) -> Result<Self, PseudonymError> {
        if text.is_empty() {
            return Err(PseudonymError::Empty);
        }
        let characters = text.chars().count();
        if characters > CHARACTERS_MAX {
            return Err(PseudonymError::TooLong { characters });
        }
        if let Some(character) = text.chars().find(|character| !prints(*character)) {
            return Err(PseudonymError::Unprintable { character });
        }
        if text.starts_with(' ') || text.ends_with(' ') || text.contains("  ") {
            return Err(PseudonymError::Spaces);
        }
        if let Some(character) = idle_joiner(text) {
            return Err(PseudonymError::Unprintable { character });
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a terminal shows it as a mark of its own and nothing hides or turns around because of it (UTS 39, bidi
/// controls of UAX 9). The joiners U+200C and U+200D are needed to write Persian or Hindi; see [`idle_joiner`].
fn prints(character: char) -> bool {
    if character.is_control() || (character.is_whitespace() && character != ' ') {
        return false;
    }
    !matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
        | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..)
}

/// The first joiner that does not stand between two characters beyond Latin, where it would be invisible.
fn idle_joiner(text: &str) -> Option<char> {
    let characters: Vec<char> = text.chars().collect();
    let joiner = |character: char| matches!(character, '\u{200c}' | '\u{200d}');
    let shaped = |place: Option<usize>| {
        let neighbour = place.and_then(|place| characters.get(place));
        neighbour.is_some_and(|neighbour| u32::from(*neighbour) >= 0x600 && !joiner(*neighbour))
    };
    let idle = |place: usize| !(shaped(place.checked_sub(1)) && shaped(place.checked_add(1)));
    characters.iter().enumerate().find(|(place, character)| joiner(**character) && idle(*place)).map(|(_, c)| *c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_scripts_are_taken_as_they_are() {
        for name in
            ["Blue Heron", "Ñandú", "مالك الحزين", "می\u{200c}خواهم", "क्\u{200d}ष", "青鷺", "Серая цапля", "7", "🐦"]
        {
            assert_eq!(Pseudonym::parse(name).expect(name).as_str(), name);
        }
        assert!(Pseudonym::parse(&"é".repeat(64)).is_ok());
    }

    #[test]
    fn what_hides_turns_or_looks_the_same_is_refused() {
        assert_eq!(Pseudonym::parse(""), Err(PseudonymError::Empty));
        assert_eq!(Pseudonym::parse(&"a".repeat(65)), Err(PseudonymError::TooLong { characters: 65 }));
        for name in [" a", "a ", "a  b", " "] {
            assert_eq!(Pseudonym::parse(name), Err(PseudonymError::Spaces), "{name:?}");
        }
        for character in "\0\n\r\t\u{1b}\u{7f}\u{85}\u{a0}\u{ad}\u{61c}\u{200b}\u{200c}\u{200e}\u{202e}\u{2028}\u{2066}\u{2069}\u{3000}\u{3164}\u{e000}\u{fe0f}\u{feff}\u{fffd}\u{e0041}\u{10ffff}".chars() {
            let name = format!("a{character}b");
            assert_eq!(Pseudonym::parse(&name), Err(PseudonymError::Unprintable { character }), "{name:?}");
        }
    }
}
