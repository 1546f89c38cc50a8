//! Secrets as words that a person can copy by hand: the seed of an identity as the 24 words of BIP-39, a share of one as
//! the 46 words of its `ur:sskr` (BCR-2020-011) in Bytewords (BCR-2020-012).
//!
//! Reading is kind to a tired hand and strict in what it takes: any case, any spacing, numbers before the words; a wrong
//! word is told by its place, with words that look like it; the checksum of each sheet decides.

pub mod bytewords;
mod near;

use bip39::{Language, Mnemonic};
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::seed::Seed;
use crate::crypto::shares::Share;

/// Letters that tell each word of BIP-39 from all others.
const LETTERS_ENOUGH: usize = 4;
/// The words with which each share of this kind begins, and hardly ever a seed (one in 2³³).
const SHARE_BEGINS: [&str; 3] = ["tuna", "next", "keep"];
/// A sheet has so many words at most.
const WORDS_MAX: usize = bytewords::SHARE_WORDS;

/// What a sheet of words holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The seed of an identity.
    Seed,
    /// One share of it.
    Share,
}

impl Kind {
    /// How many words it has.
    pub fn words(self) -> usize {
        match self {
            Self::Seed => 24,
            Self::Share => bytewords::SHARE_WORDS,
        }
    }

    fn list(self) -> &'static [&'static str] {
        match self {
            Self::Seed => Language::English.word_list(),
            Self::Share => &bytewords::WORDS,
        }
    }

    /// The number of a word in its list: the whole word, or enough of its first letters.
    fn find(self, typed: &str) -> Option<usize> {
        let (list, enough) = match self {
            Self::Seed => (self.list(), LETTERS_ENOUGH),
            Self::Share => (self.list(), bytewords::LETTERS_ENOUGH),
        };
        let whole = list.iter().position(|word| *word == typed);
        whole.or_else(|| list.iter().position(|word| typed.len() >= enough && word.starts_with(typed)))
    }
}

/// Why words are not taken. It says nothing of the right ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    /// A word that is not in the list.
    #[error("word {place} is not one of the list{}", if near.is_empty() { String::new() } else { format!("; near it: {}", near.join(", ")) })]
    Unknown {
        /// Which, from 1.
        place: usize,
        /// Words that look like it.
        near: Vec<&'static str>,
    },
    /// Fewer words than the sheet has.
    #[error("{found} words of {}", kind.words())]
    TooFew {
        /// What the sheet holds.
        kind: Kind,
        /// How many there are.
        found: usize,
    },
    /// All words are of the list, and they do not belong together.
    #[error("all {} words are of the list, and at least one is not the one that was written down", kind.words())]
    Checksum {
        /// What the sheet was to hold.
        kind: Kind,
    },
    /// More words than one sheet has.
    #[error("there are more words than belong together")]
    TooMany,
    /// A sound sheet of another kind of share.
    #[error("it is a share of another kind than this program makes")]
    OtherShare,
}

/// What a sheet of words gave.
#[derive(Debug)]
pub enum Written {
    /// The seed itself.
    Seed(Seed),
    /// One share.
    Share(Share),
}

/// The words of a seed.
pub fn of_seed(seed: &Seed) -> Vec<&'static str> {
    let mut mnemonic = Mnemonic::from_entropy(seed.as_bytes()).expect("32 bytes are 24 words");
    let words = mnemonic.words().collect();
    mnemonic.zeroize();
    words
}

/// Whether it is a whole word of the list for this kind, in lower case.
pub fn is_listed(kind: Kind, word: &str) -> bool {
    kind.list().binary_search(&word).is_ok()
}

/// What a person wrote in a line, word by word; numbers and marks before and behind words do not count.
pub fn typed(line: &str) -> impl Iterator<Item = Zeroizing<String>> + '_ {
    let bare = |piece: &str| Zeroizing::new(piece.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase());
    line.split_whitespace().map(bare).filter(|word| !word.is_empty())
}

/// A sheet that is being read, word by word. Wiped when dropped.
#[derive(Default)]
pub struct Sheet {
    kind: Option<Kind>,
    /// Words that could begin either kind.
    open: Vec<Zeroizing<String>>,
    /// Numbers of words in their list.
    numbers: Zeroizing<Vec<u16>>,
}

impl Sheet {
    /// What it holds, once its first words have told.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// How many words were taken.
    pub fn len(&self) -> usize {
        self.numbers.len().saturating_add(self.open.len())
    }

    /// Whether no word was taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it has all its words.
    pub fn is_full(&self) -> bool {
        self.kind.is_some_and(|kind| self.numbers.len() == kind.words())
    }

    /// The words that were taken, as they stand in the list.
    pub fn words(&self) -> Vec<&str> {
        let list = self.kind.map(Kind::list).unwrap_or_default();
        let known = self.numbers.iter().filter_map(|number| list.get(usize::from(*number)).copied());
        known.chain(self.open.iter().map(|word| word.as_str())).collect()
    }

    /// Takes the next word. Where it is refused, the words before it stay taken. Beyond the last word nothing is taken.
    pub fn push(&mut self, word: &str) -> Result<(), WordsError> {
        let word = Zeroizing::new(word.to_lowercase());
        match self.kind {
            Some(_) => self.take(&word),
            None if SHARE_BEGINS.get(self.open.len()) == Some(&word.as_str()) => {
                self.open.push(word);
                if self.open.len() == SHARE_BEGINS.len() { self.decide(Kind::Share) } else { Ok(()) }
            }
            None => {
                self.decide(Kind::Seed)?;
                self.take(&word)
            }
        }
    }

    /// Forgets the last word.
    pub fn take_back(&mut self) {
        if self.numbers.pop().is_none() {
            self.open.pop();
        }
        if self.numbers.is_empty() {
            self.kind = None;
        }
    }

    /// What all words together give.
    pub fn finish(mut self) -> Result<Written, WordsError> {
        if self.kind.is_none() {
            self.decide(Kind::Seed)?;
        }
        let kind = self.kind.unwrap_or(Kind::Seed);
        if !self.is_full() {
            return Err(WordsError::TooFew { kind, found: self.numbers.len() });
        }
        match kind {
            Kind::Seed => self.seed().map(Written::Seed),
            Kind::Share => self.share().map(Written::Share),
        }
    }

    fn decide(&mut self, kind: Kind) -> Result<(), WordsError> {
        self.kind = Some(kind);
        // Room for all of them at once: growing would leave copies behind.
        self.numbers.reserve_exact(WORDS_MAX);
        std::mem::take(&mut self.open).iter().try_for_each(|word| self.take(word))
    }

    fn take(&mut self, word: &str) -> Result<(), WordsError> {
        let Some(kind) = self.kind.filter(|_| !self.is_full()) else { return Ok(()) };
        match kind.find(word).and_then(|number| u16::try_from(number).ok()) {
            Some(number) => {
                self.numbers.push(number);
                Ok(())
            }
            None => Err(WordsError::Unknown {
                place: self.numbers.len().saturating_add(1),
                near: near::words_like(word, kind.list()),
            }),
        }
    }

    fn seed(&self) -> Result<Seed, WordsError> {
        let line = Zeroizing::new(self.words().join(" "));
        let mut mnemonic = Mnemonic::parse_in_normalized(Language::English, &line)
            .map_err(|_| WordsError::Checksum { kind: Kind::Seed })?;
        let (bytes, length) = mnemonic.to_entropy_array();
        mnemonic.zeroize();
        let bytes = Zeroizing::new(bytes);
        match bytes.get(..length).map(<&[u8; 32]>::try_from) {
            Some(Ok(seed)) => Ok(Seed::from_bytes(seed)),
            _ => Err(WordsError::Checksum { kind: Kind::Seed }),
        }
    }

    fn share(&self) -> Result<Share, WordsError> {
        let narrow = |number: &u16| u8::try_from(*number).ok();
        let bytes: Option<Vec<u8>> = self.numbers.iter().map(narrow).collect();
        bytewords::share_of(&Zeroizing::new(bytes.unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use rand_core::OsRng;

    use super::*;
    use crate::crypto::shares;

    fn read(text: &str) -> Result<Written, WordsError> {
        let mut sheet = Sheet::default();
        typed(text).try_for_each(|word| sheet.push(&word))?;
        sheet.finish()
    }

    fn seed(text: &str) -> [u8; 32] {
        match read(text) {
            Ok(Written::Seed(seed)) => *seed.as_bytes(),
            other => panic!("no seed: {other:?}"),
        }
    }

    #[test]
    fn the_words_are_those_of_bip_39() {
        // Of the vectors of BIP-39 (Trezor), those of 32 bytes.
        let zeros = format!("{}art", "abandon ".repeat(23));
        assert_eq!(of_seed(&Seed::from_bytes(&[0; 32])).join(" "), zeros);
        let eight = "legal winner thank year wave sausage worth ";
        let ones = format!("{eight}useful {eight}useful {eight}title");
        assert_eq!(of_seed(&Seed::from_bytes(&[0x7f; 32])).join(" "), ones);
        assert_eq!(seed(&zeros), [0; 32]);
        assert_eq!(seed(&ones), [0x7f; 32]);
    }

    #[test]
    fn each_word_of_a_list_is_found_in_it() {
        for kind in [Kind::Seed, Kind::Share] {
            assert!(kind.list().iter().all(|word| is_listed(kind, word)));
            assert!(!is_listed(kind, "witness!") && !is_listed(kind, ""));
        }
        assert!(is_listed(Kind::Share, "keno") && !is_listed(Kind::Seed, "keno"));
    }

    #[test]
    fn a_tired_hand_is_read() {
        let words = of_seed(&Seed::from_bytes(&[0x5a; 32]));
        let short: Vec<&str> = words.iter().map(|word| word.get(..4).unwrap_or(word)).collect();
        let numbered: Vec<String> = words.iter().zip(1..).map(|(word, n)| format!("{n:>2}. {word},\n")).collect();
        for text in [words.join(" ").to_uppercase(), short.join("  "), numbered.concat()] {
            assert_eq!(seed(&text), [0x5a; 32]);
        }
    }

    #[test]
    fn a_wrong_word_is_told_by_its_place_and_the_words_before_it_stay() {
        let mut sheet = Sheet::default();
        sheet.push("legal").expect("a word");
        let error = sheet.push("winnr").expect_err("no word");
        let WordsError::Unknown { place: 2, near } = &error else { panic!("{error:?}") };
        assert_eq!(near.first(), Some(&"winner"));
        assert_eq!(error.to_string(), format!("word 2 is not one of the list; near it: {}", near.join(", ")));
        sheet.push("winner").expect("the right one");
        assert_eq!(sheet.words(), ["legal", "winner"]);
        assert_eq!(sheet.finish().expect_err("too few"), WordsError::TooFew { kind: Kind::Seed, found: 2 });
    }

    #[test]
    fn two_words_in_each_others_place_do_not_pass() {
        let mut words = of_seed(&Seed::from_bytes(&[0x5a; 32]));
        words.swap(3, 4);
        assert_eq!(read(&words.join(" ")).expect_err("swapped"), WordsError::Checksum { kind: Kind::Seed });
    }

    #[test]
    fn a_share_is_told_from_a_seed_by_its_first_words() {
        let share = shares::split(&[7; 32], 2, 3, &mut OsRng).remove(1);
        let words = bytewords::of_share(&share);
        assert_eq!(words[..3], SHARE_BEGINS);
        assert_eq!(words.len(), Kind::Share.words());
        let short: Vec<&str> = words.iter().map(|word| &word[..3]).collect();
        for text in [words.join(" "), format!("{} {}", words[..3].join(" "), short[3..].join(" "))] {
            assert!(matches!(read(&text), Ok(Written::Share(read)) if read == share));
        }
        for place in 3..words.len() {
            let mut wrong = words.clone();
            wrong[place] = if wrong[place] == "zoom" { "able" } else { "zoom" };
            assert_eq!(read(&wrong.join(" ")).expect_err("changed"), WordsError::Checksum { kind: Kind::Share });
        }
        // A seed may begin with such a word.
        assert!(matches!(read("tuna abandon"), Err(WordsError::TooFew { kind: Kind::Seed, found: 2 })));
        assert!(matches!(read("tuna next"), Err(WordsError::TooFew { kind: Kind::Seed, found: 2 })));
    }
}
