//! What is wrong with a log while it is read, before it is known whose it is and whether anybody must hear of it.

use crate::format::ids::LogId;
use crate::store::StoreError;
use crate::vault::findings::{Check, Finding, Verdict};

/// Something wrong with one log.
pub(super) struct LogTrouble {
    pub(super) log: LogId,
    /// The first entry that it concerns.
    pub(super) seq: u64,
    pub(super) finding: Finding,
}

/// What is wrong with the log that is being read.
pub(super) struct Troubles {
    pub(super) log: LogId,
    pub(super) found: Vec<LogTrouble>,
}

impl Troubles {
    pub(super) fn add(&mut self, seq: u64, weight: Verdict, check: Check, subject: String, message: impl Into<String>) {
        let finding = Finding { weight, check, subject, message: message.into() };
        self.found.push(LogTrouble { log: self.log, seq, finding });
    }

    pub(super) fn mention(&self, subject: &str) -> bool {
        self.found.iter().any(|trouble| trouble.finding.subject == subject)
    }
}

/// Why a file cannot be used: damage, or only that it cannot be read here.
pub(crate) struct Trouble {
    pub(super) weight: Verdict,
    pub(super) reason: String,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        let oversize = matches!(error, StoreError::TooLarge { .. });
        Self { weight: if oversize { Verdict::Invalid } else { Verdict::Incomplete }, reason: error.to_string() }
    }
}

/// Why a checkpoint's file is no state of its log.
pub(crate) enum NotAHead {
    /// No line in it is by the log's owner.
    Stranger,
    /// It does not hold, or cannot be read.
    Trouble(Trouble),
}

impl NotAHead {
    pub(super) fn wrong(reason: &(impl ToString + ?Sized)) -> Self {
        Self::Trouble(Trouble { weight: Verdict::Invalid, reason: reason.to_string() })
    }
}

impl From<Trouble> for NotAHead {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}
