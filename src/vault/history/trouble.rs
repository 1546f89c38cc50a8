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
    /// Whether some of it lies there and cannot be read: what it says nobody knows.
    pub(super) unread: bool,
}

impl Troubles {
    pub(super) fn of(log: LogId) -> Self {
        Self { log, found: Vec::new(), unread: false }
    }

    pub(super) fn add(&mut self, seq: u64, weight: Verdict, check: Check, subject: String, message: impl Into<String>) {
        let finding = Finding { weight, check, subject, message: message.into() };
        self.found.push(LogTrouble { log: self.log, seq, finding });
    }

    /// Why a file of it cannot be used.
    pub(super) fn add_file(&mut self, seq: u64, check: Check, path: String, trouble: Trouble) {
        self.unread |= trouble.unread;
        self.add(seq, trouble.weight, check, path, trouble.reason);
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
    /// The medium did not give it: another time it may.
    pub(super) unread: bool,
}

impl Trouble {
    pub(super) fn new(weight: Verdict, reason: &(impl ToString + ?Sized)) -> Self {
        Self { weight, reason: reason.to_string(), unread: false }
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::TooLarge { .. } => Self::new(Verdict::Invalid, &error),
            _ => Self { unread: true, ..Self::new(Verdict::Incomplete, &error) },
        }
    }
}
