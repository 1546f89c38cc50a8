//! What can be checked without a vault: a receipt, whole or in its short form, a signed state, a proof of contradicting
//! histories, a card. What it is, its content tells.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::hints;
use crate::cli::output::shown;
use crate::format::card::Card;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::cosignatures;
use crate::format::fork_proof::{self, ForkProof};
use crate::format::note::Note;
use crate::format::receipt::Receipt;
use crate::format::short_receipt::ShortReceipt;
use crate::vault::findings::{Check, Finding, Verdict};

/// Longer than any of them may be.
pub(super) const BYTES_MAX: u64 = 1 << 20;

/// A receipt, a signed state, a proof of contradicting histories or a card.
pub(super) struct Paper {
    /// As the person named it, escaped.
    pub(super) name: String,
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// What it holds.
    pub(super) content: Content,
}

/// What a paper holds.
pub(super) enum Content {
    /// A receipt whose proofs hold.
    Receipt(Box<Receipt>),
    /// A receipt in its short form, which bears no signature.
    Short(Box<ShortReceipt>),
    /// A signed state; its signatures are still to be checked.
    State(Box<(Checkpoint, Note)>),
    /// A proof of contradicting histories whose hashes hold; its signatures are still to be checked.
    Fork(Box<ForkProof>),
    /// A card whose own signatures hold.
    Card(Box<Card>),
    /// It says what it is, and is not.
    Broken {
        /// What it says it is.
        check: Check,
        /// What is wrong.
        message: String,
    },
}

/// Who signed a receipt or a state.
pub(super) enum Signer<'c> {
    /// Both signatures are those of this card.
    Known(&'c Card),
    /// No card at hand made them.
    Unknown,
    /// A card at hand is named by them, and they do not hold.
    Wrong(String),
}

impl Paper {
    /// Reads it.
    pub(super) fn read(path: &Path, bytes: Vec<u8>) -> Result<Self, CliError> {
        let name = shown(&path.to_string_lossy());
        let text = String::from_utf8_lossy(&bytes);
        let first = text.lines().next().unwrap_or_default();
        let broken = |check, message: String| Content::Broken { check, message };
        let content = if first == "c2sp.org/tlog-proof@v1" {
            match Receipt::parse(&bytes) {
                Ok(receipt) if !fits(&receipt) => {
                    broken(Check::Receipt, "its entry is of another vault or record than its signed state".into())
                }
                Ok(receipt) => Content::Receipt(Box::new(receipt)),
                Err(error) => broken(Check::Receipt, error.to_string()),
            }
        } else if first == fork_proof::FIRST_LINE {
            match ForkProof::parse(&bytes) {
                Ok(proof) => Content::Fork(Box::new(proof)),
                Err(error) => broken(Check::Fork, error.to_string()),
            }
        } else if ShortReceipt::is_meant_by(&text) {
            match ShortReceipt::parse(&bytes) {
                Ok(short) => Content::Short(Box::new(short)),
                Err(error) => broken(Check::Receipt, error.to_string()),
            }
        } else if first.starts_with("amparo.v1/card") {
            match Card::parse(&bytes) {
                Ok(card) => Content::Card(Box::new(card)),
                Err(error) => broken(Check::Card, error.to_string()),
            }
        } else if Origin::parse(first).is_some() {
            let note = Note::parse(&bytes).map_err(|error| error.to_string());
            let state = note.and_then(|note| match Checkpoint::parse_text(note.text()) {
                Ok(checkpoint) => Ok((checkpoint, note)),
                Err(error) => Err(error.to_string()),
            });
            if state.is_err() && cosignatures::looks_like(&bytes) {
                let message = format!("{name} holds cosignatures, and a copy of the vault takes them in");
                let hint = format!("amparo merge {}", hints::word(&name));
                return Err(CliError::Usage { message, hint: Some(hint) });
            }
            state.map_or_else(|message| broken(Check::Signature, message), |state| Content::State(Box::new(state)))
        } else {
            return Err(CliError::UnknownKind { path: path.to_path_buf() });
        };
        Ok(Self { name, bytes, content })
    }

    /// Whether a flag takes this.
    pub(super) fn is_what(&self, flag: &str) -> bool {
        match &self.content {
            Content::Receipt(_) | Content::Short(_) | Content::Broken { check: Check::Receipt, .. } => {
                flag == "--receipt"
            }
            Content::State(_) | Content::Broken { check: Check::Signature, .. } => flag == "--checkpoint",
            Content::Fork(_) | Content::Card(_) | Content::Broken { .. } => false,
        }
    }

    /// The signed state it holds.
    pub(super) fn state(&self) -> Option<(&Checkpoint, &Note)> {
        match &self.content {
            Content::Receipt(receipt) => Some((&receipt.checkpoint, &receipt.note)),
            Content::State(state) => Some((&state.0, &state.1)),
            Content::Short(_) | Content::Fork(_) | Content::Card(_) | Content::Broken { .. } => None,
        }
    }

    /// What is wrong with it, as far as it alone tells.
    pub(super) fn finding(&self) -> Option<Finding> {
        let Content::Broken { check, message } = &self.content else { return None };
        let (subject, message) = (self.name.clone(), message.clone());
        Some(Finding { weight: Verdict::Invalid, check: *check, subject, message })
    }
}

/// Whether the proved entry says that it belongs where the signed state stands.
fn fits(receipt: &Receipt) -> bool {
    let origin = receipt.checkpoint.origin;
    receipt.entry.vault == origin.vault && receipt.entry.log == origin.log
}

/// Whose signatures a state bears.
pub(super) fn signer<'c>(checkpoint: &Checkpoint, note: &Note, cards: &'c [Card]) -> Signer<'c> {
    let Some(card) = cards.iter().find(|card| checkpoint.bears_lines_of(note, card.keys())) else {
        return Signer::Unknown;
    };
    match Checkpoint::verify(note, card.keys()) {
        Ok(_) => Signer::Known(card),
        Err(error) => Signer::Wrong(error.to_string()),
    }
}
