//! `verify --cosign`: a member signs the states that she has just checked, and says so in her own log. Never what does
//! not verify, never below a state that was seen before: a cosignature says that no longer one is known.

use super::check::{Cosignature, Worth};
use super::coverage::coverage;
use crate::crypto::seed::Keys;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::cosignature::{complete, cosign as sign};
use crate::format::event::{Event, Head};
use crate::format::ids::{LogId, MemberId};
use crate::format::note::Note;
use crate::store::layout;
use crate::vault::commit::{Saying, say};
use crate::vault::findings::{Check, Finding, Verdict};
use crate::vault::history::{History, Log, Place};
use crate::vault::labels;
use crate::vault::session::{Person, Session, log_concerned};
use crate::vault::verify::{Examined, Level, Verified, VerifyRequest, examine};
use crate::vault::{Setting, VaultError};

/// A state that this member has signed.
#[derive(Clone, Debug)]
pub struct SignedState {
    /// The state.
    pub head: Head,
    /// Whose log it is, by pseudonym.
    pub name: String,
    /// How people call its last entry.
    pub up_to: String,
    /// When, in seconds since 1970-01-01T00:00:00Z, as this device's clock claimed.
    pub time: u64,
    /// The state with its owner's two lines and this member's.
    pub note: Note,
}

/// A log whose state was not signed.
#[derive(Clone, Debug)]
pub struct Withheld {
    /// The log.
    pub log: LogId,
    /// What its labels start with.
    pub handle: String,
    /// Whose it is, by pseudonym.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Cosigned {
    /// States that were signed now.
    pub signed: Vec<SignedState>,
    /// States that this member had signed before.
    pub before: Vec<SignedState>,
    /// Of these, states of which a better check is recorded now.
    pub rechecked: u64,
    /// Logs whose states were not signed, each with its reason.
    pub withheld: Vec<Withheld>,
    /// Why nothing at all was signed, if so.
    pub refused: Option<String>,
    /// The state of this member's own log with the entry that says so; none where there was nothing new to say.
    pub entry: Option<Head>,
}

impl Cosigned {
    /// This member's cosignatures on all states that she vouches for now, to go to others.
    pub fn notes(&self) -> Vec<Note> {
        self.signed.iter().chain(&self.before).map(|state| state.note.clone()).collect()
    }
}

/// Verifies a vault and cosigns what holds; keeps it open, as it was checked.
pub fn cosign(
    setting: &mut Setting<'_>,
    request: &VerifyRequest<'_>,
) -> Result<(Verified, Cosigned, Session), VaultError> {
    let person = request.place.person()?;
    let session = Session::open_to_write(setting, &request.place)?;
    let mut examined = examine(setting, &session, request)?;
    if !session.pinned {
        return Err(VaultError::NotPinned { vault: session.vault });
    }
    session.require_member(person.member(), "cosign")?;
    let mut cosigned = Cosigned::default();
    match against_all(&session, &examined) {
        Some(reason) => cosigned.refused = Some(reason),
        None => match sign_all(setting, &session, person, &examined, &mut cosigned) {
            // The verdict on a copy that lacks what this device wrote is still worth telling.
            Err(error @ VaultError::OlderCopy { .. }) => {
                cosigned = Cosigned { refused: Some(error.to_string()), ..Cosigned::default() };
            }
            other => other?,
        },
    }
    recount(session.history()?, person.member(), &mut examined, &cosigned);
    Ok((examined.verified, cosigned, session))
}

/// The coverage with what was signed just now.
fn recount(history: &History, cosigner: MemberId, examined: &mut Examined, cosigned: &Cosigned) {
    let new = cosigned.signed.iter().map(|state| {
        let (head, time, note) = (state.head, state.time, state.note.clone());
        Cosignature { head, cosigner, time, worth: Worth::Counts, by_monitor: history.is_monitor(cosigner), note }
    });
    examined.cosignatures.held.extend(new);
    let mut coverage = coverage(history, &examined.cosignatures.held);
    let verified = &mut examined.verified;
    for log in &mut verified.logs {
        log.coverage = coverage.remove(&log.log).unwrap_or_default();
    }
    verified.covered_exhibits = verified.logs.iter().map(|log| log.coverage.covered).sum();
}

/// Why nothing may be signed: something does not hold that is not the matter of one other member's log.
fn against_all(session: &Session, examined: &Examined) -> Option<String> {
    if let Err(error) = session.sound_history() {
        return Some(error.to_string());
    }
    let history = session.history().ok()?;
    let wrong = examined.verified.findings.iter().filter(|finding| finding.weight == Verdict::Invalid);
    // A file that says untruly that somebody cosigned is no fault of the log that it names.
    let mut wrong = wrong.filter(|finding| finding.check != Check::Cosignature && !session.is_others(history, finding));
    wrong.next().map(ToString::to_string)
}

fn sign_all(
    setting: &mut Setting<'_>,
    session: &Session,
    person: &Person,
    examined: &Examined,
    cosigned: &mut Cosigned,
) -> Result<(), VaultError> {
    let history = session.history()?;
    let time = u64::try_from(setting.clock.now().timestamp().as_second()).unwrap_or(0);
    let (mut heads, mut files) = (Vec::new(), Vec::new());
    for log in history.logs.values().filter(|log| log.member != person.member()) {
        if let Some(reason) = against(log, examined) {
            let (handle, name) = (log.handle.clone(), history.name_of(log.member));
            cosigned.withheld.push(Withheld { log: log.id, handle, name, reason });
            continue;
        }
        let last = Place { log: log.id, seq: log.head.size - 1 };
        let up_to = labels::entry_label(history, last);
        let (head, name) = (log.head, history.name_of(log.member));
        if let Some(held) = examined.cosignatures.of(person.member(), &log.head) {
            let (time, note) = (held.time, held.note.clone());
            cosigned.before.push(SignedState { head, name, up_to, time, note });
            // It is signed; that her check was better this time is said nowhere yet.
            if is_better(history, person.member(), &head, &examined.verified) {
                heads.push(head);
                cosigned.rechecked += 1;
            }
            continue;
        }
        let note = cosigned_state(history, log, &person.keys, time);
        files.push(super::file(session, log.id, &note)?);
        heads.push(log.head);
        cosigned.signed.push(SignedState { head, name, up_to, time, note });
    }
    if heads.is_empty() {
        return session.remember_heads();
    }
    let (level, verdict) = (examined.verified.level.word().into(), examined.verified.verdict.to_string());
    let saying = Saying { event: Event::Verify { heads, level, verdict }, files, intents: Vec::new() };
    let said = say(setting, session, person, saying)?;
    cosigned.entry = Some(said);
    Ok(())
}

/// Whether a check is better than what this member last said of a state that she had signed: of a milder verdict, or deeper.
fn is_better(history: &History, member: MemberId, head: &Head, verified: &Verified) -> bool {
    let checks = history.counted().filter_map(|(place, told)| match &told.entry.event {
        Event::Verify { heads, level, verdict } if heads.contains(head) => {
            (history.logs[&place.log].member == member).then_some((level, verdict))
        }
        _ => None,
    });
    let verdicts = [Verdict::Valid, Verdict::Incomplete, Verdict::Invalid];
    let verdict_of = |word: &str| verdicts.into_iter().find(|one| one.to_string() == word);
    let level_of =
        |word: &str| [Level::Bytes, Level::Custody, Level::Content].into_iter().find(|one| one.word() == word);
    checks.last().is_some_and(|(level, verdict)| {
        verdict_of(verdict) > Some(verified.verdict) || level_of(level) < Some(verified.level)
    })
}

/// The state of a log with its own two lines and this member's.
fn cosigned_state(history: &History, log: &Log, keys: &Keys, time: u64) -> Note {
    let origin = Origin { vault: history.vault, log: log.id };
    let checkpoint = Checkpoint { origin, size: log.head.size, root: log.head.root };
    let cosigned = sign(&checkpoint, keys, time);
    let owner = &history.members[&log.member].card;
    complete(&log.note, owner.keys(), &cosigned, &keys.public())
}

/// Why the state of one log is not signed.
fn against(log: &Log, examined: &Examined) -> Option<String> {
    if let Some(found) = examined.verified.findings.iter().find(|finding| forbids(log, finding)) {
        return Some(found.message.clone());
    }
    let surpassed = examined.surpassed.contains(&log.id) || examined.cosignatures.surpassed.contains(&log.id);
    surpassed.then(|| "a longer state of it was signed, which this copy lacks".into())
}

/// Whether a finding forbids to sign the state of a log: it does not hold, or there is a longer one. What others may
/// have put beside it, and what its entries lack of other logs, does not.
fn forbids(log: &Log, finding: &Finding) -> bool {
    if log_concerned(finding) != Some(log.id) || finding.check == Check::Cosignature {
        return false;
    }
    let of_state = matches!(finding.check, Check::Signature | Check::Fork | Check::Tree | Check::Entry);
    let is_behind = finding.check == Check::Behind && finding.subject == layout::log(log.id).to_string();
    finding.weight == Verdict::Invalid || of_state || is_behind
}
