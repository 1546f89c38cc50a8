//! A MessagePack document: named fields in the order of this crate's structs, shortest forms, nothing unknown,
//! nothing twice. What was read is printed again and must be the same bytes, so there is one encoding of each value.

use std::io;

use serde::{Serialize, de::DeserializeOwned};

use crate::crypto::pad::padded_length;

/// Deeper nesting than any record of the format needs (an event's members' roles stand at 7).
const DEPTH_MAX: usize = 16;

/// Why bytes are not a document of the wanted kind.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Not MessagePack, or not the fields that belong there.
    #[error("it is not a {kind}: {reason}")]
    Malformed {
        /// What was expected.
        kind: &'static str,
        /// What the parser met.
        reason: String,
    },
    /// The same values in other bytes than the format prescribes, or something behind them.
    #[error("its bytes are not those that the format prescribes for a {kind}")]
    NotCanonical {
        /// What was expected.
        kind: &'static str,
    },
    /// A later format, or another kind of document.
    #[error("it says that it is {found:?}, not {kind:?}")]
    OtherFormat {
        /// What was expected.
        kind: &'static str,
        /// What its first field says.
        found: String,
    },
    /// A value out of the bounds of the format.
    #[error("{field} is out of bounds in a {kind}")]
    OutOfBounds {
        /// What was expected.
        kind: &'static str,
        /// The field concerned.
        field: &'static str,
    },
}

/// A record of the format that is kept as MessagePack.
pub trait Document: Serialize + DeserializeOwned {
    /// The value of its first field, `format`.
    const KIND: &'static str;
    /// The least length, in bytes, that its padded plaintext has.
    const PADDED_MIN: u64;

    /// What its `format` field says.
    fn format(&self) -> &str;

    /// Checks every bound that types alone cannot express.
    fn check(&self) -> Result<(), DocumentError>;

    /// The one encoding.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.serialize(&mut rmp_serde::Serializer::new(&mut bytes).with_struct_map())
            .expect("records are maps, lists, text, bytes and whole numbers");
        bytes
    }

    /// Reads exactly one document.
    fn decode(bytes: &[u8]) -> Result<Self, DocumentError> {
        let value = Self::read(bytes)?;
        if printed_length(&value, bytes) == Some(bytes.len()) {
            Ok(value)
        } else {
            Err(DocumentError::NotCanonical { kind: Self::KIND })
        }
    }

    /// The encoding followed by zero bytes up to a Padmé length.
    fn encode_padded(&self) -> Vec<u8> {
        pad(self.encode(), Self::PADDED_MIN)
    }

    /// Reads a padded document; returns it with the length of its encoding.
    fn decode_padded(padded: &[u8]) -> Result<(Self, usize), DocumentError> {
        let value = Self::read(padded)?;
        let is_padding = |length: &usize| {
            let is_whole = padded_length(*length as u64, Self::PADDED_MIN) == padded.len() as u64;
            // All of them at once: a loop that can end at each byte is many times slower.
            is_whole && padded.iter().skip(*length).fold(0, |all, byte| all | byte) == 0
        };
        match printed_length(&value, padded).filter(is_padding) {
            Some(length) => Ok((value, length)),
            None => Err(DocumentError::NotCanonical { kind: Self::KIND }),
        }
    }

    /// Reads the value at the start of `bytes` and checks its bounds, not yet its encoding.
    #[doc(hidden)]
    fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let mut parser = rmp_serde::Deserializer::from_read_ref(bytes);
        parser.set_max_depth(DEPTH_MAX);
        let value = Self::deserialize(&mut parser)
            .map_err(|error| DocumentError::Malformed { kind: Self::KIND, reason: error.to_string() })?;
        if value.format() != Self::KIND {
            return Err(DocumentError::OtherFormat {
                kind: Self::KIND,
                found: value.format().chars().take(64).collect(),
            });
        }
        value.check()?;
        Ok(value)
    }

    /// `Ok` when `holds`, else the bound that `field` breaks.
    #[doc(hidden)]
    fn bound(holds: bool, field: &'static str) -> Result<(), DocumentError> {
        if holds { Ok(()) } else { Err(DocumentError::OutOfBounds { kind: Self::KIND, field }) }
    }
}

/// How long the encoding of a value is, where `bytes` begin with it.
fn printed_length(value: &impl Document, bytes: &[u8]) -> Option<usize> {
    let mut rest = Same(bytes);
    value.serialize(&mut rmp_serde::Serializer::new(&mut rest).with_struct_map()).ok()?;
    bytes.len().checked_sub(rest.0.len())
}

/// What is still to be printed, if it is what was read.
struct Same<'a>(&'a [u8]);

impl io::Write for Same<'_> {
    fn write(&mut self, printed: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(printed).ok_or(io::ErrorKind::InvalidData)?;
        Ok(printed.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn pad(mut encoding: Vec<u8>, padded_min: u64) -> Vec<u8> {
    let padded = padded_length(encoding.len() as u64, padded_min);
    encoding.resize(usize::try_from(padded).expect("a document in memory stays in memory"), 0);
    encoding
}
