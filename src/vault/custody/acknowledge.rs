//! `custody acknowledge`: the second half of a handover. The receiver's own device makes every check that its keys allow
//! on the copy at hand, and then puts her name to it, or to what did not agree.

use std::sync::Arc;

use super::super::commit::OwnLog;
use super::super::findings::{Check, Finding, Verdict};
use super::super::history::Place;
use super::super::session::{Request, Session};
use super::super::verify::{Level, Verified, VerifyRequest, examine};
use super::super::{Setting, VaultError};
use super::{Said, discrepancies, offer_to_answer, say};
use crate::format::event::{Acknowledge, EntryRef, Event};
use crate::format::ids::MemberId;

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
    /// The same as a member.
    pub giver: MemberId,
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
    pub verified: Arc<Verified>,
}

/// Offers that were acknowledged with one look at the copy.
#[derive(Debug, Default)]
pub struct Signed {
    /// Those that were, in the order in which they were named.
    pub all: Vec<Acknowledged>,
    /// What kept the next one from it.
    pub failure: Option<VaultError>,
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
    let mut signed = sign(setting, &request.place, &[request.offer], request.sign_older)?;
    match (signed.all.pop(), signed.failure) {
        (Some(acknowledged), _) => Ok(acknowledged),
        (None, failure) => Err(failure.expect("one was asked for")),
    }
}

/// The same for several offers: the copy is checked once.
pub fn acknowledge_all(setting: &mut Setting<'_>, place: &Request<'_>, offers: &[&str]) -> Result<Signed, VaultError> {
    sign(setting, place, &offers.iter().copied().map(Some).collect::<Vec<_>>(), false)
}

fn sign(
    setting: &mut Setting<'_>,
    place: &Request<'_>,
    offers: &[Option<&str>],
    sign_older: bool,
) -> Result<Signed, VaultError> {
    let session = Session::open_to_write(setting, place)?;
    let person = place.person()?;
    let history = session.history_to_witness()?;
    let offers: Result<Vec<(Place, String)>, VaultError> =
        offers.iter().map(|offer| offer_to_answer(history, person.member(), *offer)).collect();
    let older = session.findings.iter().filter(|finding| finding.check == Check::Behind);
    let older: Vec<String> = older.map(|finding| finding.subject.clone()).collect();
    let offers = offers?;
    // Where her own record is shorter than she wrote it she can sign nothing, however old a copy she would sign for.
    let mut own = OwnLog::find_to_witness(setting, &session, person.member())?;
    if !older.is_empty() && !sign_older {
        return Err(VaultError::OlderThanSeen { logs: older });
    }
    let verify = VerifyRequest { place: Request { ..*place }, receipts: &[], short_receipts: &[], checkpoints: &[] };
    let verified = Arc::new(examine(setting, &session, &verify)?.verified);
    let mut signed = Signed::default();
    for offer in offers {
        match sign_one(setting, &session, &mut own, (place, offer), &verified) {
            Ok(one) => signed.all.push(one),
            Err(error) => {
                signed.failure = Some(error);
                break;
            }
        }
    }
    // Of a copy in which something does not hold, nothing is remembered but that this was said.
    if verified.verdict != Verdict::Invalid
        && let Err(error) = session.remember_heads()
    {
        // What was signed stands, and is told.
        signed.failure = signed.failure.or(Some(error));
    }
    Ok(signed)
}

fn sign_one(
    setting: &mut Setting<'_>,
    session: &Session,
    own: &mut OwnLog,
    (request, (place, label)): (&Request<'_>, (Place, String)),
    verified: &Arc<Verified>,
) -> Result<Acknowledged, VaultError> {
    let history = session.history_to_witness()?;
    let told = history.told(place);
    let Event::Offer(offer) = &told.entry.event else { return Err(VaultError::NotAnOffer { entry: label }) };
    let discrepancies = discrepancies::of_offer(session, history, (place, offer), &verified.findings);
    let event = Event::Acknowledge(Acknowledge {
        offer: EntryRef { log: place.log, seq: place.seq, leaf: told.leaf },
        heads: history.logs.values().map(|log| log.head).collect(),
        level: verified.level.word().into(),
        discrepancies: discrepancies::written(&discrepancies),
    });
    let said = say(setting, session, request.person()?, own, event)?;
    Ok(Acknowledged {
        offer: label,
        from: history.name_of(history.logs[&place.log].member),
        giver: history.logs[&place.log].member,
        said,
        level: verified.level,
        exhibits: Some(offer.exhibits.len()).filter(|count| *count > 0),
        listed: discrepancies.len().min(discrepancies::LISTED_MAX),
        discrepancies,
        verified: Arc::clone(verified),
    })
}
