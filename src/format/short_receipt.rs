//! The short form of a receipt: one line that a QR code holds and a hand can copy. It names a state of a log and a row
//! that was sealed by then. It bears no signature: only a vault can say whether it holds to it.

use std::fmt;

use super::checkpoint::{Checkpoint, Origin, SIZE_MAX};
use super::ids::{LogId, VaultId};
use super::receipt::Receipt;
use crate::crypto::hash::Hash;

/// No short receipt is longer, with all the white space that copying may have added.
pub const SHORT_RECEIPT_BYTES_MAX: usize = 512;

/// Capitals, digits and spaces alone: a QR code holds these in 5½ bits each.
const KIND: &str = "AMPARO.V1/ROW";

/// Why a line is no short receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a kind, a vault, a record, a size, a root and a row in one line")]
pub struct ShortReceiptError;

/// Which row was sealed in which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortReceipt {
    /// The state; unsigned.
    pub checkpoint: Checkpoint,
    /// The leaf hash of the exhibit's row.
    pub row: Hash,
}

impl ShortReceipt {
    /// Of a receipt for one exhibit; `None` for one over a whole sealing.
    pub fn of(receipt: &Receipt) -> Option<Self> {
        let row = receipt.row.as_ref()?.row.leaf();
        Some(Self { checkpoint: receipt.checkpoint, row })
    }

    /// Whether a text says that it is one.
    pub fn is_meant_by(text: &str) -> bool {
        let text = text.trim_start();
        text.get(..KIND.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(KIND))
    }

    /// Whether one stands in a text, whatever stands around it: a letter, or the image of its QR code.
    pub fn stands_in(text: &str) -> bool {
        const WORDS: usize = 6;
        let text = text.to_ascii_uppercase();
        let at = |(place, _): (usize, &str)| {
            let behind = text.get(place..).unwrap_or_default().split(|c: char| c.is_whitespace() || c == '<');
            let words: Vec<&str> = behind.filter(|word| !word.is_empty()).take(WORDS).collect();
            Self::parse(words.join(" ").as_bytes()).is_ok()
        };
        text.match_indices(KIND).any(at)
    }

    /// Reads it, in small letters as well, with white space around it and more than one space between.
    pub fn parse(bytes: &[u8]) -> Result<Self, ShortReceiptError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ShortReceiptError)?;
        if bytes.len() > SHORT_RECEIPT_BYTES_MAX {
            return Err(ShortReceiptError);
        }
        let words: Vec<String> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
        let [kind, vault, log, size, root, row] = words.as_slice() else { return Err(ShortReceiptError) };
        let lower = |word: &String| word.to_ascii_lowercase();
        let read = || {
            let origin = Origin { vault: VaultId::from_hex(&lower(vault))?, log: LogId::from_hex(&lower(log))? };
            let size = size.parse().ok().filter(|size| *size > 0 && *size <= SIZE_MAX)?;
            let root = Hash::from_hex(&lower(root))?;
            Some(Self { checkpoint: Checkpoint { origin, size, root }, row: Hash::from_hex(&lower(row))? })
        };
        let short = read().filter(|_| kind == KIND).ok_or(ShortReceiptError)?;
        // Of all that a number's parser takes, only the canonical form prints the same.
        if short.to_string() == words.join(" ") { Ok(short) } else { Err(ShortReceiptError) }
    }
}

impl fmt::Display for ShortReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checkpoint { origin, size, root } = &self.checkpoint;
        let line = format!("{KIND} {} {} {size} {root} {}", origin.vault, origin.log, self.row);
        f.write_str(&line.to_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::checkpoint::tests::checkpoint;

    #[test]
    fn one_line_is_read_back_and_nothing_else_is() {
        let short = ShortReceipt { checkpoint: checkpoint(13), row: Hash::of(b"row") };
        let line = short.to_string();
        assert!(line.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" ./".contains(&byte)));
        let read = |text: &str| ShortReceipt::parse(text.as_bytes());
        for copied in [line.clone(), line.to_lowercase(), format!("\u{a0} {}\r\n", line.replace(' ', "\n  "))] {
            assert_eq!(read(&copied), Ok(short), "{copied}");
            assert!(ShortReceipt::is_meant_by(&copied));
            assert!(ShortReceipt::stands_in(&copied) && ShortReceipt::stands_in(&format!("<desc>{copied}</desc>")));
        }
        assert!(!ShortReceipt::stands_in(&line[..line.len() - 1]) && !ShortReceipt::stands_in("AMPARO.V1/ROW"));
        let wrong = [
            line.replace(" 13 ", " 013 "),
            line.replace(" 13 ", " +13 "),
            line.replace(" 13 ", " 0 "),
            line.replace(" 13 ", " 9223372036854775808 "),
            line.replace(".V1/", ".V2/"),
            format!("{line} X"),
            line[..line.len() - 1].into(),
            format!("{}{}", line, " ".repeat(SHORT_RECEIPT_BYTES_MAX)),
        ];
        for wrong in wrong {
            assert_eq!(read(&wrong), Err(ShortReceiptError), "{wrong}");
        }
    }
}
