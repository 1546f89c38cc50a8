//! Bytewords (BCR-2020-012): a word of four letters for each byte, and the CRC-32 of all bytes behind them. A share is
//! written as the CBOR of BCR-2020-011: tag 40309 around its 37 bytes. A `ur:sskr` leaves the tag out: its type says it.

use zeroize::Zeroizing;

use super::{Kind, WordsError};
use crate::crypto::shares::{SHARE_BYTES, Share};

/// Letters that tell each word from all others; the first and the last do, too.
pub(super) const LETTERS_ENOUGH: usize = 3;

/// Words of a share: its CBOR and four of checksum.
pub(super) const SHARE_WORDS: usize = CBOR.len() + SHARE_BYTES + CHECKSUM_BYTES;

const CHECKSUM_BYTES: usize = 4;
/// Tag 40309, a string of 37 bytes.
const CBOR: [u8; 5] = [0xd9, 0x9d, 0x75, 0x58, 0x25];
/// Of these the tag.
const TAG_BYTES: usize = 3;
/// How a UR of this kind begins; minimal Bytewords follow, the first and the last letter of each word.
const UR: &str = "ur:sskr/";
/// Ten words' letters: a share has many more.
const UR_LETTERS_MIN: usize = 20;

/// Whether such a URI stands in a text, in either case, with enough behind it to be more than the mention of one.
pub fn has_ur(text: &str) -> bool {
    let text = Zeroizing::new(text.to_ascii_lowercase());
    text.split(UR).skip(1).any(|behind| {
        // In several parts it says which, and how many there are: ur:sskr/1-3/…
        let letters = behind.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '/');
        letters.bytes().take_while(u8::is_ascii_lowercase).count() >= UR_LETTERS_MIN
    })
}

/// The whole shares that stand so in a text, in either case.
pub fn urs(text: &str) -> Vec<Share> {
    let text = Zeroizing::new(text.to_ascii_lowercase());
    let whole = |(place, _)| {
        let from = text.get(place..)?;
        let letters = from.get(UR.len()..)?.bytes().take_while(u8::is_ascii_lowercase).count();
        from_ur(from.get(..UR.len().saturating_add(letters))?).ok()
    };
    text.match_indices(UR).filter_map(whole).collect()
}

/// The words of a share.
pub fn of_share(share: &Share) -> Vec<&'static str> {
    let bytes = encode(share, &CBOR);
    bytes.iter().filter_map(|byte| WORDS.get(usize::from(*byte)).copied()).collect()
}

/// A share as one word without spaces: `ur:sskr/…`, minimal Bytewords.
pub fn ur(share: &Share) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(UR.len().saturating_add(SHARE_WORDS.saturating_mul(2))));
    text.push_str(UR);
    for byte in encode(share, &CBOR[TAG_BYTES..]).iter() {
        let word = WORDS.get(usize::from(*byte)).copied().unwrap_or_default();
        text.extend(word.chars().next().into_iter().chain(word.chars().last()));
    }
    text
}

/// Reads `ur:sskr/…` back: lowercase, whole, with its checksum.
pub fn from_ur(text: &str) -> Result<Share, WordsError> {
    let letters = text.strip_prefix(UR).map(str::as_bytes).ok_or(WordsError::OtherShare)?;
    let number = |pair: &[u8]| {
        let ends =
            |word: &&str| [word.bytes().next(), word.bytes().last()] == [pair.first().copied(), pair.get(1).copied()];
        WORDS.iter().position(ends).and_then(|number| u8::try_from(number).ok())
    };
    let bytes: Option<Vec<u8>> = letters.chunks(2).map(number).collect();
    share_behind(&Zeroizing::new(bytes.ok_or(WordsError::OtherShare)?), &CBOR[TAG_BYTES..])
}

/// The share in the bytes of all words, checksum included.
pub(super) fn share_of(bytes: &[u8]) -> Result<Share, WordsError> {
    share_behind(bytes, &CBOR)
}

fn share_behind(bytes: &[u8], cbor: &[u8]) -> Result<Share, WordsError> {
    let (content, checksum) = bytes.split_last_chunk().ok_or(WordsError::Checksum { kind: Kind::Share })?;
    if crc32fast::hash(content).to_be_bytes() != *checksum {
        return Err(WordsError::Checksum { kind: Kind::Share });
    }
    let share = content.strip_prefix(cbor).and_then(|share| Share::from_bytes(share).ok());
    share.ok_or(WordsError::OtherShare)
}

fn encode(share: &Share, cbor: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(SHARE_WORDS));
    bytes.extend_from_slice(cbor);
    bytes.extend_from_slice(share.as_bytes());
    let checksum = crc32fast::hash(&bytes).to_be_bytes();
    bytes.extend_from_slice(&checksum);
    bytes
}

/// The words, each at the place of its byte: the table of BCR-2020-012.
#[rustfmt::skip]
pub(super) const WORDS: [&str; 256] = [
    "able", "acid", "also", "apex", "aqua", "arch", "atom", "aunt", "away", "axis", "back", "bald",
    "barn", "belt", "beta", "bias", "blue", "body", "brag", "brew", "bulb", "buzz", "calm", "cash",
    "cats", "chef", "city", "claw", "code", "cola", "cook", "cost", "crux", "curl", "cusp", "cyan",
    "dark", "data", "days", "deli", "dice", "diet", "door", "down", "draw", "drop", "drum", "dull",
    "duty", "each", "easy", "echo", "edge", "epic", "even", "exam", "exit", "eyes", "fact", "fair",
    "fern", "figs", "film", "fish", "fizz", "flap", "flew", "flux", "foxy", "free", "frog", "fuel",
    "fund", "gala", "game", "gear", "gems", "gift", "girl", "glow", "good", "gray", "grim", "guru",
    "gush", "gyro", "half", "hang", "hard", "hawk", "heat", "help", "high", "hill", "holy", "hope",
    "horn", "huts", "iced", "idea", "idle", "inch", "inky", "into", "iris", "iron", "item", "jade",
    "jazz", "join", "jolt", "jowl", "judo", "jugs", "jump", "junk", "jury", "keep", "keno", "kept",
    "keys", "kick", "kiln", "king", "kite", "kiwi", "knob", "lamb", "lava", "lazy", "leaf", "legs",
    "liar", "limp", "lion", "list", "logo", "loud", "love", "luau", "luck", "lung", "main", "many",
    "math", "maze", "memo", "menu", "meow", "mild", "mint", "miss", "monk", "nail", "navy", "need",
    "news", "next", "noon", "note", "numb", "obey", "oboe", "omit", "onyx", "open", "oval", "owls",
    "paid", "part", "peck", "play", "plus", "poem", "pool", "pose", "puff", "puma", "purr", "quad",
    "quiz", "race", "ramp", "real", "redo", "rich", "road", "rock", "roof", "ruby", "ruin", "runs",
    "rust", "safe", "saga", "scar", "sets", "silk", "skew", "slot", "soap", "solo", "song", "stub",
    "surf", "swan", "taco", "task", "taxi", "tent", "tied", "time", "tiny", "toil", "tomb", "toys",
    "trip", "tuna", "twin", "ugly", "undo", "unit", "urge", "user", "vast", "very", "veto", "vial",
    "vibe", "view", "visa", "void", "vows", "wall", "wand", "warm", "wasp", "wave", "waxy", "webs",
    "what", "when", "whiz", "wolf", "work", "yank", "yawn", "yell", "yoga", "yurt", "zaps", "zero",
    "zest", "zinc", "zone", "zoom",
];

#[cfg(test)]
mod tests {
    use rand_core::OsRng;

    use super::*;
    use crate::crypto::shares::split;

    /// The words of any bytes, as the standard's examples show them.
    fn words(bytes: &[u8]) -> String {
        let checksum = crc32fast::hash(bytes).to_be_bytes();
        let all = bytes.iter().chain(&checksum).map(|byte| WORDS[usize::from(*byte)]);
        all.collect::<Vec<_>>().join(" ")
    }

    fn unhexed(text: &str) -> Vec<u8> {
        let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
        (0..text.len()).step_by(2).map(byte).collect()
    }

    #[test]
    fn the_vectors_of_the_standards() {
        // BCR-2020-012, and the first share of BCR-2020-011 (two groups), with its tag and, in the UR, without.
        assert_eq!(words(&[0]), "able tied also webs lung");
        assert_eq!(words(b"Some bytes"), "guru jowl join inch crux iced kick jury inch junk taxi aqua kite limp");
        assert_eq!(
            words(&unhexed("d99d75554bbf1101003e990c1f0435e2b33c721535c74603d0")),
            "tuna next keep gyro gear runs body acid able film nail barn cost aqua epic veto quad fern jump buzz \
             epic slot frog apex taxi grim fern twin leaf"
        );
        let minimal: String = words(&unhexed("554bbf1101003e990c1f0435e2b33c721535c74603d0"))
            .split(' ')
            .flat_map(|word| [&word[..1], &word[3..]])
            .map(str::to_string)
            .collect();
        assert_eq!(minimal, "gogrrsbyadaefmnlbnctaaecvoqdfnjpbzecstfgaxtifpsskbfw");
    }

    #[test]
    fn words_are_told_apart_by_three_letters_and_by_their_ends() {
        let different = |key: fn(&str) -> String| {
            let keys: std::collections::BTreeSet<String> = WORDS.iter().map(|word| key(word)).collect();
            keys.len()
        };
        assert_eq!(different(|word| word[..3].into()), 256);
        assert_eq!(different(|word| format!("{}{}", &word[..1], &word[3..])), 256);
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn a_share_is_one_word_without_spaces_too() {
        let share = split(&[9; 32], 2, 2, &mut OsRng).remove(0);
        let text = ur(&share);
        assert!(text.starts_with("ur:sskr/hdda"), "a string of 37 bytes");
        let upper = format!("My share:\n{}\n", text.to_uppercase());
        assert!(has_ur(&text) && has_ur(&upper) && has_ur(&text.replace("sskr/", "sskr/1-2/")));
        assert!(
            !has_ur("a share as `ur:sskr/…`, or ur:sskr/hdda") && !has_ur(&text[1..]) && !has_ur(":") && !has_ur("")
        );
        assert_eq!(urs(&format!("{upper}and {}, {}.", &*text, &text[..30])), [share.clone(), share.clone()]);
        assert_eq!(from_ur(&text), Ok(share));
        let mut flipped = text.as_bytes().to_vec();
        for place in UR.len()..flipped.len() {
            let before =
                std::mem::replace(&mut flipped[place], if text.as_bytes()[place] == b'e' { b'a' } else { b'e' });
            assert!(from_ur(std::str::from_utf8(&flipped).expect("letters")).is_err(), "letter {place}");
            flipped[place] = before;
        }
        assert_eq!(from_ur(&text.to_uppercase()), Err(WordsError::OtherShare));
        assert!(from_ur(&text[..text.len() - 1]).is_err());
    }
}
