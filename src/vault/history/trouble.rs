//! What is wrong with a log while it is read: kept by log and place, because what lies beyond a cut lowers nothing, and
//! where the cuts are is known only later.

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
    log: LogId,
    pub(super) found: Vec<LogTrouble>,
}

impl Troubles {
    pub(super) fn of(log: LogId) -> Self {
        Self { log, found: Vec::new() }
    }

    pub(super) fn add(&mut self, seq: u64, weight: Verdict, check: Check, subject: String, message: impl Into<String>) {
        let finding = Finding { weight, check, subject, message: message.into() };
        self.found.push(LogTrouble { log: self.log, seq, finding });
    }

    pub(super) fn mention(&self, subject: &str) -> bool {
        self.found.iter().any(|trouble| trouble.finding.subject == subject)
    }
}

/// Why a file cannot be used: damage, or only that it cannot be read here.
#[derive(Clone)]
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
