//! The plaintext of an identity file: comments with what restores the person, and the one line that makes it an
//! identity file of stock `age`. On disk it lies under a passphrase.

use zeroize::Zeroizing;

use super::ids::MemberId;
use super::pseudonym::{Pseudonym, PseudonymError};
use crate::crypto::hash::unhex;
use crate::crypto::seed::Seed;

/// The first line.
pub const FIRST_LINE: &str = "# amparo.v1/identity";

/// Longest identity file that is read, in bytes.
pub const IDENTITY_FILE_BYTES_MAX: usize = 1024;

/// Why bytes are no identity file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFileError {
    /// No identity file of this format; a plain age identity is none either.
    #[error("it is no identity of the format amparo.v1")]
    Kind,
    /// Not exactly the lines `name`, `member`, `seed` and the age key, in this order.
    #[error("the line {expected:?} is missing, or another stands in its place")]
    Line {
        /// Which line should stand there; empty where nothing more should.
        expected: &'static str,
    },
    /// A name that cannot be shown.
    #[error(transparent)]
    Name(#[from] PseudonymError),
    /// The seed is not 64 lowercase hex digits.
    #[error("the seed is not 64 hex digits")]
    Seed,
    /// The member id or the age key is not what the seed gives.
    #[error("the {line} is not that of the seed")]
    Disagrees {
        /// Which one.
        line: &'static str,
    },
}

/// A person's secret on one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFile {
    /// The name on the card.
    pub name: Pseudonym,
    /// All keys come from it.
    pub seed: Seed,
}

impl IdentityFile {
    /// The bytes that go under the passphrase.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut seed = Zeroizing::new(String::with_capacity(64));
        for byte in self.seed.as_bytes() {
            for digit in [byte >> 4, byte & 15] {
                seed.extend(char::from_digit(digit.into(), 16));
            }
        }
        let keys = self.seed.keys();
        let (member, age) = (MemberId::of(&keys.public()), keys.age.to_secret_line());
        // One buffer of the final size: growing would leave copies of the seed behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(IDENTITY_FILE_BYTES_MAX));
        let member = member.to_string();
        for (label, value) in [("", FIRST_LINE), ("# name ", self.name.as_str()), ("# member ", &member)] {
            push_line(&mut bytes, label, value);
        }
        push_line(&mut bytes, "# seed ", &seed);
        push_line(&mut bytes, "", &age);
        bytes
    }

    /// Reads them back; refuses what it would write differently.
    pub fn parse(bytes: &[u8]) -> Result<Self, IdentityFileError> {
        let text = std::str::from_utf8(bytes).map_err(|_| IdentityFileError::Kind)?;
        let mut lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        if bytes.len() > IDENTITY_FILE_BYTES_MAX || lines.next() != Some(FIRST_LINE) {
            return Err(IdentityFileError::Kind);
        }
        let mut value = |expected: &'static str| {
            let line = lines.next().and_then(|line| line.strip_prefix(expected));
            line.ok_or(IdentityFileError::Line { expected })
        };
        let name = Pseudonym::parse(value("# name ")?)?;
        let member = value("# member ")?;
        let seed = Zeroizing::new(unhex::<32>(value("# seed ")?).ok_or(IdentityFileError::Seed)?);
        let identity = Self { name, seed: Seed::from_bytes(&seed) };
        let keys = identity.seed.keys();
        if MemberId::of(&keys.public()).to_string() != member {
            return Err(IdentityFileError::Disagrees { line: "member id" });
        }
        if value("")? != *keys.age.to_secret_line() {
            return Err(IdentityFileError::Disagrees { line: "age key" });
        }
        if *identity.to_bytes() == bytes { Ok(identity) } else { Err(IdentityFileError::Line { expected: "" }) }
    }
}

fn push_line(bytes: &mut Vec<u8>, label: &str, value: &str) {
    bytes.extend_from_slice(label.as_bytes());
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heron() -> IdentityFile {
        IdentityFile { name: Pseudonym::parse("Blue Heron").expect("a name"), seed: Seed::from_bytes(&[0xa5; 32]) }
    }

    fn changed(from: &str, to: &str) -> IdentityFileError {
        let text = String::from_utf8(heron().to_bytes().to_vec()).expect("text");
        assert!(text.contains(from), "nothing to change");
        IdentityFile::parse(text.replacen(from, to, 1).as_bytes()).expect_err("changed")
    }

    #[test]
    fn it_is_read_as_it_was_written_and_by_age_too() {
        let bytes = heron().to_bytes();
        assert_eq!(IdentityFile::parse(&bytes), Ok(heron()));
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let secrets: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(secrets, [heron().seed.keys().age.to_secret_line().as_str()]);
        assert_eq!(bytes.capacity(), IDENTITY_FILE_BYTES_MAX, "it never grew");
    }

    #[test]
    fn the_longest_name_fits() {
        let name = Pseudonym::parse(&"\u{1f426}".repeat(64)).expect("64 characters of 4 bytes");
        let file = IdentityFile { name, ..heron() };
        assert!(file.to_bytes().len() <= IDENTITY_FILE_BYTES_MAX);
        assert_eq!(IdentityFile::parse(&file.to_bytes()), Ok(file));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        assert_eq!(changed("a5a5", "a5a6"), IdentityFileError::Disagrees { line: "member id" });
        assert_eq!(changed("a5a5", "A5a5"), IdentityFileError::Seed);
        assert_eq!(changed("AGE-", "# AGE-"), IdentityFileError::Disagrees { line: "age key" });
        assert_eq!(changed("# name", "#name"), IdentityFileError::Line { expected: "# name " });
        assert_eq!(changed("amparo.v1", "amparo.v2"), IdentityFileError::Kind);
        assert_eq!(IdentityFile::parse(b"AGE-SECRET-KEY-1"), Err(IdentityFileError::Kind));
        let more = [heron().to_bytes().as_slice(), b"more\n"].concat();
        assert_eq!(IdentityFile::parse(&more), Err(IdentityFileError::Line { expected: "" }));
        let cut = heron().to_bytes();
        assert_eq!(IdentityFile::parse(&cut[..cut.len() - 1]), Err(IdentityFileError::Line { expected: "" }));
    }
}
