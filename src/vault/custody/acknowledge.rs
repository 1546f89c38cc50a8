//! `custody acknowledge`: the second half of a handover. The receiver's own device makes every check that its keys allow
//! on the copy at hand, and then puts her name to it, or to what did not agree.

use super::super::commit::OwnLog;
use super::super::findings::{Check, Finding, Verdict};
use super::super::session::{Request, Session};
use super::super::verify::{Level, Verified, VerifyRequest, examine};
use super::super::{Setting, VaultError};
use super::{Said, discrepancies, offer_to_answer, say};
use crate::format::event::{Acknowledge, EntryRef, Event};

/// What to acknowledge.
pub struct AcknowledgeRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// The offer; else the only one that waits for this person.
    pub offer: Option<&'a str>,
    /// Sign although this copy is older than what this device has seen.
    pub sign_older: bool,
}

/// An offer that was acknowledged.
#[derive(Clone, Debug)]
pub struct Acknowledged {
    /// The offer.
    pub offer: String,
    /// Whose it was.
    pub from: String,
    /// The entry.
    pub said: Said,
    /// How deep the check went.
    pub level: Level,
    /// What was handed over: how many exhibits by name; `None` for everything.
    pub exhibits: Option<usize>,
    /// What did not agree, the gravest first.
    pub discrepancies: Vec<Finding>,
    /// How many of them stand in the entry one by one.
    pub listed: usize,
    /// The verdict on the whole copy.
    pub verified: Verified,
}

impl Acknowledged {
    /// How grave the discrepancies are.
    pub fn weight(&self) -> Verdict {
        self.discrepancies.iter().map(|finding| finding.weight).max().unwrap_or(Verdict::Valid)
    }
}

/// Checks this copy and acknowledges an offer.
///
/// A copy that lacks what this device has seen before is refused unless the receiver wants to sign for just that: most
/// often she has the newer one elsewhere, and an entry that says otherwise can never be taken back.
pub fn acknowledge(setting: &mut Setting<'_>, request: &AcknowledgeRequest<'_>) -> Result<Acknowledged, VaultError> {
    let session = Session::open_to_write(setting, &request.place)?;
    let person = request.place.person()?;
    let history = session.history_to_witness()?;
    let (place, label) = offer_to_answer(history, person.member(), request.offer)?;
    let older = session.findings.iter().filter(|finding| finding.check == Check::Behind);
    let older: Vec<String> = older.map(|finding| finding.subject.clone()).collect();
    if !older.is_empty() && !request.sign_older {
        return Err(VaultError::OlderThanSeen { logs: older });
    }
    let mut own = OwnLog::find_to_witness(setting, &session, person.member())?;
    let verify =
        VerifyRequest { place: Request { ..request.place }, receipts: &[], short_receipts: &[], checkpoints: &[] };
    let verified = examine(setting, &session, &verify)?.verified;
    let told = history.told(place);
    let Event::Offer(offer) = &told.entry.event else { return Err(VaultError::NotAnOffer { entry: label }) };
    let discrepancies = discrepancies::of_offer(&session, history, (place, offer), &verified.findings);
    let event = Event::Acknowledge(Acknowledge {
        offer: EntryRef { log: place.log, seq: place.seq, leaf: told.leaf },
        heads: history.logs.values().map(|log| log.head).collect(),
        level: verified.level.word().into(),
        discrepancies: discrepancies::written(&discrepancies),
    });
    let said = say(setting, &session, person, &mut own, event)?;
    // Of a copy in which something does not hold, nothing is remembered but that this was said.
    if verified.verdict != Verdict::Invalid {
        session.remember_heads()?;
    }
    Ok(Acknowledged {
        offer: label,
        from: history.name_of(history.logs[&place.log].member),
        said,
        level: verified.level,
        exhibits: Some(offer.exhibits.len()).filter(|count| *count > 0),
        listed: discrepancies.len().min(discrepancies::LISTED_MAX),
        discrepancies,
        verified,
    })
}
