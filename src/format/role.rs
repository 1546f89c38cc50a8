//! What a member may do, and the parts of a vault that keys belong to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A section's name: a lowercase letter, then up to 15 letters or digits. `custody` is no section.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Section(String);

impl Section {
    /// The section that every vault has.
    pub fn main() -> Self {
        Self("main".into())
    }

    /// The section for identities and contacts of witnesses; it has fewer readers.
    pub fn register() -> Self {
        Self("register".into())
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a vault key opens: the logs and inventories, or one section's content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Logs, inventories, cosignatures: every member.
    Custody,
    /// The content of one section: its readers.
    Content(Section),
}

/// A member's role. In records it is the word that [`fmt::Display`] prints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Role {
    /// May admit, remove, adopt, rotate and dispose.
    Owner,
    /// May seal, amend and withdraw.
    Sealer,
    /// May open the content of one section.
    Reader(Section),
    /// Verifies and cosigns.
    Monitor,
}

/// The text is no role, section or scope.
#[derive(Debug, thiserror::Error)]
#[error("{text:?} is not a {what}")]
pub struct NotAWord {
    text: String,
    what: &'static str,
}

impl FromStr for Section {
    type Err = NotAWord;

    fn from_str(text: &str) -> Result<Self, NotAWord> {
        let mut letters = text.bytes();
        let first_holds = letters.next().is_some_and(|letter| letter.is_ascii_lowercase());
        let rest_holds = letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit());
        if first_holds && rest_holds && text.len() <= 16 && text != "custody" {
            Ok(Self(text.into()))
        } else {
            Err(NotAWord { text: text.chars().take(64).collect(), what: "section" })
        }
    }
}

impl FromStr for Scope {
    type Err = NotAWord;

    fn from_str(text: &str) -> Result<Self, NotAWord> {
        if text == "custody" { Ok(Self::Custody) } else { text.parse().map(Self::Content) }
    }
}

impl FromStr for Role {
    type Err = NotAWord;

    fn from_str(text: &str) -> Result<Self, NotAWord> {
        match text {
            "owner" => Ok(Self::Owner),
            "sealer" => Ok(Self::Sealer),
            "monitor" => Ok(Self::Monitor),
            _ => match text.strip_prefix("reader/") {
                Some(section) => section.parse().map(Self::Reader),
                None => Err(NotAWord { text: text.chars().take(64).collect(), what: "role" }),
            },
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Custody => f.write_str("custody"),
            Self::Content(section) => section.fmt(f),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner => f.write_str("owner"),
            Self::Sealer => f.write_str("sealer"),
            Self::Reader(section) => write!(f, "reader/{section}"),
            Self::Monitor => f.write_str("monitor"),
        }
    }
}

macro_rules! text_in_records {
    ($($word:ty),*) => {$(
        impl TryFrom<String> for $word {
            type Error = NotAWord;

            fn try_from(text: String) -> Result<Self, NotAWord> {
                text.parse()
            }
        }

        impl From<$word> for String {
            fn from(word: $word) -> Self {
                word.to_string()
            }
        }
    )*};
}

text_in_records!(Section, Scope, Role);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_others_refused() {
        for word in ["owner", "sealer", "monitor", "reader/main", "reader/register"] {
            assert_eq!(word.parse::<Role>().expect("a role").to_string(), word);
        }
        for word in
            ["Owner", "reader", "reader/", "reader/custody", "reader/Main", "reader/a-b", "reader/a2345678901234567"]
        {
            assert!(word.parse::<Role>().is_err(), "{word}");
        }
        assert_eq!("custody".parse::<Scope>().expect("a scope"), Scope::Custody);
    }
}
