//! A whole vault: checked with what others remember of it, cosigned where that is wanted, told, and written down.

use std::path::PathBuf;

use super::cosigned;
use super::paper::{Content, Paper};
use super::{Wanted, contradiction, verdict};
use crate::cli::call::Call;
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::{Contact, Place};
use crate::cli::{DONE, Exit, UNKNOWN, pieces};
use crate::format::receipt::Receipt;
use crate::format::short_receipt::ShortReceipt;
use crate::vault::cosign::make::{Cosigned, cosign};
use crate::vault::findings::Verdict;
use crate::vault::pouch::archive::Archive;
use crate::vault::pouch::opened::Opened;
use crate::vault::session::{Person, Session};
use crate::vault::verify::{Level, Verified, VerifyRequest, verify_and_keep};

/// Verifies a vault, with what others remember of it.
pub(super) fn verify(
    vault: PathBuf,
    papers: &[Paper],
    wanted: &Wanted,
    call: &mut Call<'_, '_>,
) -> Result<Exit, CliError> {
    wanted.must_be_possible(&vault, call)?;
    let cosigns = wanted.cosigning.is_some();
    let place = call.place_at(vault, if cosigns { Contact::Must } else { Contact::May })?;
    let must_act = cosigns || !wanted.shares.is_empty();
    let person = if must_act { Some(call.person()?) } else { call.person_if_any()? };
    verify_as(person, &place, None, (papers, wanted), call)
}

/// The same, for whoever acts; also of what lies in a pouch.
pub(super) fn verify_as(
    mut person: Option<Person>,
    place: &Place,
    pouch: Option<&Archive>,
    (papers, wanted): (&[Paper], &Wanted),
    call: &mut Call<'_, '_>,
) -> Result<Exit, CliError> {
    if let Some(person) = &mut person {
        person.lent = call.lent(&wanted.shares)?;
    }
    let given = Given::of(papers);
    let (mut verified, signing, session) = check(papers, wanted, &given.request(place, person.as_ref()), call)?;
    for finding in papers.iter().filter_map(Paper::finding) {
        verified.verdict = verified.verdict.max(finding.weight);
        verified.findings.push(finding);
    }
    if verified.level == Level::Bytes {
        verified.notices.push(match &person {
            Some(_) => "this identity is no member of this vault: only what needs no key was checked".into(),
            None => "there is no identity here: only what needs no key was checked".into(),
        });
    }
    let pieces = pouch.and_then(Archive::opened).map(Opened::pieces);
    if let Some(pieces) = pieces {
        pieces::warn_of_restored(pieces, call);
    }
    if pouch.is_some_and(Archive::has_gaps) {
        call.warn("the pouch is damaged where it tells what it holds: there may be more in it");
        verified.verdict = verified.verdict.max(Verdict::Incomplete);
    }
    let exit = match by_weight(verified.verdict) {
        DONE if !verified.trusted => UNKNOWN,
        exit => exit,
    };
    let proofs = match &wanted.fork_proof {
        Some(file) => contradiction::write(&verified.fork_proofs, file, call)?,
        None => Vec::new(),
    };
    if let Some((cosigning, signing)) = wanted.cosigning.as_ref().zip(signing.as_ref()) {
        cosigning.write(signing, call)?;
    }
    let pinned = call.knows(&place.vault, &place.state)?;
    if wanted.cosigning.as_ref().is_some_and(cosigned::Cosigning::takes_stdout) {
        call.talk(verdict::sentence(&verified, exit).0);
    } else if call.global.json {
        let mut object = verdict::described(&verified, exit, pinned);
        object["fork_proofs"] = proofs.into();
        if let Some(pieces) = pieces {
            object["pouch"] = pieces::described(pieces);
        }
        if let Some(signing) = &signing {
            object["cosigned"] = cosigned::described(signing);
        }
        call.print_json(object)?;
    } else {
        verdict::tell(&verified, signing.as_ref(), exit, pinned, call)?;
        if !verified.fork_proofs.is_empty() && wanted.fork_proof.is_none() {
            call.suggest("amparo verify --fork-proof contradiction.txt");
        }
    }
    if let Some((cosigning, signing)) = wanted.cosigning.as_ref().zip(signing.as_ref()) {
        cosigning.say(signing, call);
    }
    if let Some(report) = &wanted.report {
        let (words, _) = verdict::sentence(&verified, exit);
        report.write(&verified, words, exit, (session, person.as_ref().map(Person::member)), call)?;
    }
    Ok(exit)
}

/// Checks, and signs what holds where that is wanted; a paper that does not hold is no ground to sign anything on.
fn check(
    papers: &[Paper],
    wanted: &Wanted,
    request: &VerifyRequest<'_>,
    call: &mut Call<'_, '_>,
) -> Result<(Verified, Option<Cosigned>, Session), CliError> {
    let broken = papers.iter().find_map(Paper::finding).map(|finding| finding.to_string());
    let mut parts = call.parts();
    if wanted.cosigning.is_some() && broken.is_none() {
        let (verified, signed, session) = cosign(&mut parts.setting(), request)?;
        return Ok((verified, Some(signed), session));
    }
    let (verified, session) = verify_and_keep(&mut parts.setting(), request)?;
    let refused = wanted.cosigning.as_ref().map(|_| Cosigned { refused: broken, ..Cosigned::default() });
    Ok((verified, refused, session))
}

/// What was given beside the vault, as a verb takes it.
struct Given {
    receipts: Vec<(String, Receipt)>,
    short_receipts: Vec<(String, ShortReceipt)>,
    checkpoints: Vec<(String, Vec<u8>)>,
}

impl Given {
    fn of(papers: &[Paper]) -> Self {
        let mut given = Self { receipts: Vec::new(), short_receipts: Vec::new(), checkpoints: Vec::new() };
        for paper in papers {
            let name = paper.name.clone();
            match &paper.content {
                Content::Receipt(receipt) => given.receipts.push((name, Receipt::clone(receipt))),
                Content::Short(short) => given.short_receipts.push((name, **short)),
                Content::State(_) | Content::Fork(_) => given.checkpoints.push((name, paper.bytes.clone())),
                Content::Card(_) | Content::Broken { .. } => {}
            }
        }
        given
    }

    fn request<'r>(&'r self, place: &'r Place, person: Option<&'r Person>) -> VerifyRequest<'r> {
        VerifyRequest {
            place: place.request(person),
            receipts: &self.receipts,
            short_receipts: &self.short_receipts,
            checkpoints: &self.checkpoints,
        }
    }
}
