//! Verifying a vault at the level that the keys allow: *bytes* without a key, *custody* as a member, *content* as a
//! reader. Every verdict says what was not checked.
//!
//! - [`bytes`]: what anybody can check
//! - [`cosignatures`]: what other members signed, and how far the logs are covered by monitors
//! - [`sealings`]: what members and readers can check
//! - [`remembered`]: what others remember
//! - [`forks`]: proofs that one key signed two histories
//! - [`handovers`]: which wait for an answer
//! - [`report`]: the verdict in full
//! - [`short`]: the same of receipts in their short form

mod bytes;
mod cosignatures;
mod forks;
mod handovers;
mod remembered;
mod report;
mod sealings;
mod short;

use std::collections::{BTreeMap, BTreeSet};

use super::cosign::check::Checked;
use super::cosign::coverage::Coverage;
use super::findings::{Check, Finding, Findings, Verdict};
use super::history::Place;
use super::session::{Request, Session};
use super::{FILE_STEP, Setting, Stage, VaultError, survey};
use crate::crypto::hash::Hash;
use crate::format::fork_proof::ForkProof;
use crate::format::ids::{LogId, MemberId, VaultId};
use crate::format::note::Note;
use crate::format::receipt::Receipt;
use crate::format::role::Section;
use crate::format::short_receipt::ShortReceipt;

/// How deep a check could go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Names, hashes, trees.
    Bytes,
    /// Signatures, authority, order, inventories.
    Custody,
    /// Records and payloads of at least one section.
    Content,
}

impl Level {
    /// As it stands in entries and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Custody => "custody",
            Self::Content => "content",
        }
    }
}

/// What to verify.
pub struct VerifyRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// Receipts that it must still hold to.
    pub receipts: &'a [(String, Receipt)],
    /// The same in the short form, which bears no signature.
    pub short_receipts: &'a [(String, ShortReceipt)],
    /// Signed states that somebody else remembers, and proofs of contradicting histories.
    pub checkpoints: &'a [(String, Vec<u8>)],
}

/// How one check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was made and holds.
    Pass,
    /// It was made and found something.
    Fail,
    /// It could not be made at this level, or there was nothing to make it on.
    Skip,
}

/// One check with how often it was made.
#[derive(Clone, Copy, Debug)]
pub struct CheckDone {
    /// Which.
    pub check: Check,
    /// How it went.
    pub status: Status,
    /// On how many things.
    pub count: u64,
}

/// One log, as it was found.
#[derive(Clone, Debug)]
pub struct LogState {
    /// Its id.
    pub log: LogId,
    /// Whose it is, where that is known.
    pub member: Option<MemberId>,
    /// The owner's pseudonym, where that is known.
    pub name: Option<String>,
    /// Its size.
    pub size: u64,
    /// Its root.
    pub root: Hash,
    /// What its exhibits' labels start with, where that is known.
    pub handle: Option<String>,
    /// Who cosigned it, and up to where that is enough.
    pub coverage: Coverage,
}

/// What verifying found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The vault.
    pub vault: VaultId,
    /// Whether the vault is trusted here and its signatures were checked. Without that, what holds may be a forgery
    /// that holds.
    pub trusted: bool,
    /// How deep the check could go.
    pub level: Level,
    /// The verdict.
    pub verdict: Verdict,
    /// Every check.
    pub checks: Vec<CheckDone>,
    /// What does not hold, or is not there.
    pub findings: Vec<Finding>,
    /// What could not be checked, in sentences.
    pub not_checked: Vec<String>,
    /// What the reader of the verdict should know and that lowers it in no way.
    pub notices: Vec<String>,
    /// The logs.
    pub logs: Vec<LogState>,
    /// How many exhibits are sealed.
    pub exhibits: u64,
    /// How many blobs lie there.
    pub blobs: u64,
    /// How many of the exhibits are covered by enough monitors.
    pub covered_exhibits: u64,
    /// How many monitors the vault asks for; `None` where no key here reads it.
    pub monitors_needed: Option<u32>,
    /// Verdicts of exhibits that are not valid.
    pub exhibit_verdicts: BTreeMap<String, Verdict>,
    /// A proof of each pair of contradicting histories.
    pub fork_proofs: Vec<ForkProof>,
}

/// A verdict, and what it rests on that those who build on it need.
pub(super) struct Examined {
    pub(super) verified: Verified,
    /// Every cosignature, checked.
    pub(super) cosignatures: Checked,
    /// Logs of which a longer state was given by somebody.
    pub(super) surpassed: BTreeSet<LogId>,
}

/// Verifies a vault.
pub fn verify(setting: &mut Setting<'_>, request: &VerifyRequest<'_>) -> Result<Verified, VaultError> {
    verify_and_keep(setting, request).map(|(verified, _)| verified)
}

/// Verifies a vault and keeps it open: what is told of it afterwards is what was checked.
pub fn verify_and_keep(
    setting: &mut Setting<'_>,
    request: &VerifyRequest<'_>,
) -> Result<(Verified, Session), VaultError> {
    let session = Session::open(setting, &request.place)?;
    let verified = examine(setting, &session, request)?.verified;
    if verified.trusted && verified.verdict != Verdict::Invalid && session.history.is_some() {
        session.remember_heads()?;
    }
    Ok((verified, session))
}

/// Makes every check in a session that is open, and remembers nothing.
pub(super) fn examine(
    setting: &mut Setting<'_>,
    session: &Session,
    request: &VerifyRequest<'_>,
) -> Result<Examined, VaultError> {
    let mut examiner = Examiner::new(session, request);
    let blobs = survey::blobs(&*session.folder, &mut examiner.findings)?;
    setting.watch.begin(Stage::Checking, Some(blobs.len() as u64 * FILE_STEP));
    examiner.count(Check::Blob, blobs.len() as u64);
    examiner.check_cosignature_files(session);
    if let Some(history) = &session.history {
        examiner.findings.extend(history.findings.clone());
        examiner.check_keys(session, history);
        examiner.check_sealings(setting, session, history, &blobs)?;
        examiner.check_cosignatures(session, history);
        examiner.tell_standing(history);
        examiner.tell_handovers(history);
        examiner.check_remembered(history, request);
        examiner.check_short_receipts(session, history, request);
    } else {
        examiner.check_blobs(setting.watch, session, &blobs);
        examiner.check_names(session, request.place.trust)?;
        examiner.leave_remembered(request);
    }
    if setting.watch.stopped() {
        return Err(VaultError::Stopped);
    }
    let mut examined = examiner.conclude(session, blobs.len() as u64);
    if let Some(history) = &session.history {
        let given = request.receipts.iter().map(|(_, receipt)| receipt.note.clone());
        let states = request.checkpoints.iter().filter_map(|(_, bytes)| Note::parse(bytes).ok());
        examined.verified.fork_proofs = forks::proofs(session, history, &given.chain(states).collect::<Vec<_>>());
    }
    Ok(examined)
}

struct Examiner {
    findings: Findings,
    counts: BTreeMap<Check, u64>,
    notices: Vec<String>,
    not_checked: Vec<String>,
    logs: Vec<LogState>,
    exhibits: u64,
    exhibit_verdicts: BTreeMap<String, Verdict>,
    sections_read: BTreeSet<Section>,
    bad_blobs: BTreeMap<Hash, Finding>,
    cosignatures: Checked,
    surpassed: BTreeSet<LogId>,
    /// Rows that short receipts name, and where they were found among exhibits that count.
    rows_wanted: BTreeMap<Hash, Vec<Place>>,
    /// Inventories that could not be read.
    unread: u64,
    /// At the level of bytes: a card that was given has signed the log that founds the vault.
    founder_signed: bool,
}

impl Examiner {
    fn new(session: &Session, request: &VerifyRequest<'_>) -> Self {
        Self {
            findings: session.findings.clone(),
            counts: BTreeMap::new(),
            notices: Vec::new(),
            not_checked: Vec::new(),
            logs: Vec::new(),
            exhibits: 0,
            exhibit_verdicts: BTreeMap::new(),
            sections_read: BTreeSet::new(),
            bad_blobs: BTreeMap::new(),
            cosignatures: Checked::default(),
            surpassed: BTreeSet::new(),
            rows_wanted: request.short_receipts.iter().map(|(_, short)| (short.row, Vec::new())).collect(),
            unread: 0,
            founder_signed: false,
        }
    }

    fn count(&mut self, check: Check, more: u64) {
        *self.counts.entry(check).or_default() += more;
    }
}
