//! What a check found, in words for a report, and the verdict that follows. VALID means that there is no finding.

use std::collections::HashSet;
use std::fmt;

/// The verifier's checks, by the names that reports and scripts see. Add to them, never rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// Files where the format has none, or under names it does not give.
    Layout,
    /// The file `VAULT` against the pinned vault.
    Vault,
    /// A card's own signatures and its member id.
    Card,
    /// Both of the owner's lines on a checkpoint.
    Signature,
    /// Two histories signed with one key.
    Fork,
    /// Entries against the signed root.
    Tree,
    /// An entry file: there, intact, readable, in its place.
    Entry,
    /// Numbers of exhibits run on without gaps.
    Sequence,
    /// Who may say what.
    Authority,
    /// What one log says of another's state.
    Reference,
    /// States that somebody has seen and this copy lacks.
    Behind,
    /// Wrapped keys: there and intact.
    Key,
    /// Blobs: there and intact.
    Blob,
    /// An inventory against its entry.
    Inventory,
    /// A manifest against its entry and its rows.
    Manifest,
    /// A record against its row.
    Record,
    /// An exhibit's bytes against its record.
    Payload,
    /// A monitor's cosignature.
    Cosignature,
    /// A receipt against the vault.
    Receipt,
    /// Something that nothing signed covers: no evidence.
    Foreign,
}

impl Check {
    /// All of them, in the order in which they are made.
    pub const ALL: [Self; 20] = [
        Self::Layout,
        Self::Vault,
        Self::Card,
        Self::Signature,
        Self::Fork,
        Self::Tree,
        Self::Entry,
        Self::Sequence,
        Self::Authority,
        Self::Reference,
        Self::Behind,
        Self::Key,
        Self::Blob,
        Self::Inventory,
        Self::Manifest,
        Self::Record,
        Self::Payload,
        Self::Cosignature,
        Self::Receipt,
        Self::Foreign,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Layout => "layout",
            Self::Vault => "vault",
            Self::Card => "card",
            Self::Signature => "signature",
            Self::Fork => "fork",
            Self::Tree => "tree",
            Self::Entry => "entry",
            Self::Sequence => "sequence",
            Self::Authority => "authority",
            Self::Reference => "reference",
            Self::Behind => "behind",
            Self::Key => "key",
            Self::Blob => "blob",
            Self::Inventory => "inventory",
            Self::Manifest => "manifest",
            Self::Record => "record",
            Self::Payload => "payload",
            Self::Cosignature => "cosignature",
            Self::Receipt => "receipt",
            Self::Foreign => "foreign",
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How much is known to be well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Everything that could be checked at this level was, and holds.
    Valid,
    /// Something is missing, unreadable, behind or was skipped.
    Incomplete,
    /// Something was checked and does not hold.
    Invalid,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Incomplete => "incomplete",
            Self::Invalid => "invalid",
        })
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// What it makes of the verdict: [`Verdict::Incomplete`] or [`Verdict::Invalid`].
    pub weight: Verdict,
    /// The check.
    pub check: Check,
    /// The file, exhibit, log or member concerned.
    pub subject: String,
    /// What was found, in a sentence.
    pub message: String,
}

impl Finding {
    /// What was found, for those who may not read content: what is inside an exhibit can stand in a finding about it.
    pub fn message_for_members(&self) -> String {
        match self.check {
            Check::Manifest | Check::Record | Check::Payload => {
                "what is inside does not hold; a reader's verify says more".into()
            }
            _ => self.message.clone(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.message)
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<I: IntoIterator<Item = Finding>>(found: I) -> Self {
        let mut findings = Self::default();
        found.into_iter().for_each(|finding| findings.push(finding));
        findings
    }
}

/// A finding can be the reason why a verb fails.
impl std::error::Error for Finding {}

/// All that was found so far.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    /// The same again, to tell at once what is there: a hostile folder can cause a hundred thousand.
    known: HashSet<Finding>,
    subjects: HashSet<String>,
}

impl Findings {
    /// Something is missing, unreadable, behind or was skipped.
    pub fn incomplete(&mut self, check: Check, subject: impl Into<String>, message: impl Into<String>) {
        self.add(Verdict::Incomplete, check, subject.into(), message.into());
    }

    /// Something was checked and does not hold.
    pub fn invalid(&mut self, check: Check, subject: impl Into<String>, message: impl Into<String>) {
        self.add(Verdict::Invalid, check, subject.into(), message.into());
    }

    pub(super) fn add(&mut self, weight: Verdict, check: Check, subject: String, message: String) {
        let finding = Finding { weight, check, subject, message };
        if self.known.insert(finding.clone()) {
            self.subjects.insert(finding.subject.clone());
            self.list.push(finding);
        }
    }

    /// Takes one.
    pub fn push(&mut self, finding: Finding) {
        self.add(finding.weight, finding.check, finding.subject, finding.message);
    }

    /// Takes over another's findings.
    pub fn extend(&mut self, others: Self) {
        for finding in others.list {
            self.add(finding.weight, finding.check, finding.subject, finding.message);
        }
    }

    /// The verdict that follows.
    pub fn verdict(&self) -> Verdict {
        self.list.iter().map(|finding| finding.weight).max().unwrap_or(Verdict::Valid)
    }

    /// In the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter()
    }

    /// Whether anything was found about `subject`.
    pub fn mentions(&self, subject: &str) -> bool {
        self.subjects.contains(subject)
    }

    /// Whether any is of this check.
    pub fn any(&self, check: Check) -> bool {
        self.list.iter().any(|finding| finding.check == check)
    }
}
