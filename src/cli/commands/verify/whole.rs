//! A whole vault: the verdict first, in words that a monitor can paste into a report, and at the end what was not
//! checked.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::Args;
use super::cosigned;
use super::paper::{Content, Paper};
use crate::cli::call::{Call, is_dash};
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::{Contact, Place};
use crate::cli::output::{Tone, count, shown};
use crate::cli::{DONE, Exit, UNKNOWN, hints};
use crate::format::cosignatures;
use crate::format::receipt::Receipt;
use crate::format::short_receipt::ShortReceipt;
use crate::store::Mode;
use crate::vault::cosign::make::{Cosigned, cosign as sign};
use crate::vault::findings::Verdict;
use crate::vault::session::Person;
use crate::vault::verify::{Level, Status, Verified, VerifyRequest, verify as check};

/// Verifies a vault, with what others remember of it.
pub(super) fn verify(vault: PathBuf, papers: &[Paper], call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place_at(vault, Contact::May)?;
    let person = call.person_if_any()?;
    let given = Given::of(papers);
    let verified = check(&mut call.parts().setting(), &given.request(&place, person.as_ref()))?;
    report(verified, None, person.as_ref(), &place, papers, call)
}

/// Verifies a vault as a member and cosigns what holds.
pub(super) fn cosign(vault: PathBuf, args: &Args, papers: &[Paper], call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let to_file = args.cosignatures.as_deref().filter(|file| !is_dash(file));
    let to_stdout = args.cosignatures.is_some() && to_file.is_none();
    if to_stdout && call.global.json {
        let message = "the cosignatures and the JSON cannot both go to standard output".into();
        return Err(CliError::Usage { message, hint: Some("name a file with --cosignatures FILE".into()) });
    }
    if let (Some(file), false) = (to_file, args.overwrite) {
        call.must_be_free(file)?;
    }
    let place = call.place_at(vault, Contact::Must)?;
    let person = call.person()?;
    let given = Given::of(papers);
    let request = given.request(&place, Some(&person));
    let broken = papers.iter().find_map(Paper::finding);
    let (verified, cosigned) = if let Some(finding) = broken {
        let verified = check(&mut call.parts().setting(), &request)?;
        (verified, Cosigned { refused: Some(finding.to_string()), ..Cosigned::default() })
    } else {
        sign(&mut call.parts().setting(), &request)?
    };
    let notes = cosigned.notes();
    let text = cosignatures::print(&notes);
    if to_stdout {
        let sentence = format!("{}: {} cosigned", verified.verdict, count(notes.len() as u64, "state"));
        let exit = by_weight(verified.verdict);
        call.print_bytes(text.as_bytes())?;
        call.talk(&sentence);
        for withheld in &cosigned.withheld {
            call.talk(&format!(
                "not cosigned: {} of {}: {}",
                withheld.handle,
                shown(&withheld.name),
                shown(&withheld.reason)
            ));
        }
        return Ok(exit);
    }
    if let Some(file) = to_file.filter(|_| !notes.is_empty()) {
        call.write_file(file, text.as_bytes(), Mode::Open, args.overwrite)?;
    }
    let exit = report(verified, Some(&cosigned), Some(&person), &place, papers, call)?;
    match to_file {
        Some(file) if !notes.is_empty() => {
            let file = shown(&file.to_string_lossy());
            call.say(&format!(
                "\nYour cosignatures are in {file}; it may go by any road, best as a file and not within a message."
            ));
            call.say(&format!(
                "Whoever holds a copy of this vault adds them with: amparo merge {}",
                hints::word(&file)
            ));
        }
        Some(_) => call.warn("there is nothing to send: no file of cosignatures was written"),
        None => {}
    }
    Ok(exit)
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
                Content::State(_) => given.checkpoints.push((name, paper.bytes.clone())),
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

/// Tells the verdict; the exit code.
fn report(
    mut verified: Verified,
    signing: Option<&Cosigned>,
    person: Option<&Person>,
    place: &Place,
    papers: &[Paper],
    call: &mut Call<'_, '_>,
) -> Result<Exit, CliError> {
    for finding in papers.iter().filter_map(Paper::finding) {
        verified.verdict = verified.verdict.max(finding.weight);
        verified.findings.push(finding);
    }
    if verified.level == Level::Bytes {
        verified.notices.push(match person {
            Some(_) => "this identity is no member of this vault: only what needs no key was checked".into(),
            None => "there is no identity here: only what needs no key was checked".into(),
        });
    }
    let exit = match by_weight(verified.verdict) {
        DONE if !verified.trusted => UNKNOWN,
        exit => exit,
    };
    let pinned = call.knows(&place.vault, &place.state)?;
    if call.global.json {
        let mut object = described(&verified, exit, pinned);
        if let Some(signing) = signing {
            object["cosigned"] = cosigned::described(signing);
        }
        call.print_json(object)?;
    } else {
        tell(&verified, signing, exit, pinned, call)?;
    }
    Ok(exit)
}

fn tell(
    verified: &Verified,
    signing: Option<&Cosigned>,
    exit: Exit,
    pinned: bool,
    call: &mut Call<'_, '_>,
) -> Result<(), CliError> {
    let terminal = call.context.terminal.output;
    let (sentence, tone) = match (verified.verdict, exit) {
        (Verdict::Valid, UNKNOWN) => {
            ("NOT KNOWN HERE: what was checked holds, and whose vault it is, is open", Tone::Careful)
        }
        (Verdict::Valid, _) if verified.level == Level::Bytes => {
            ("VALID, bytes only: files match their names; whether all exhibits are here was NOT checked", Tone::Careful)
        }
        (Verdict::Valid, _) => ("VALID: unchanged since sealing", Tone::Good),
        (Verdict::Incomplete, _) => {
            ("INCOMPLETE: something is missing, unreadable, older than known, or no evidence", Tone::Careful)
        }
        (Verdict::Invalid, _) => ("INVALID: something was checked and does not hold", Tone::Bad),
    };
    let sentence = call.set_off(sentence, tone, terminal);
    call.print(&sentence)?;
    call.print("")?;
    call.print(&format!(
        "vault      {}{}",
        verified.vault.fingerprint(),
        if pinned { "" } else { "  (not known to this device)" }
    ))?;
    call.print(&format!("checked    {}", depth(verified.level)))?;
    call.print(&format!(
        "exhibits   {}",
        if verified.level == Level::Bytes {
            "not countable without a key".into()
        } else {
            verified.exhibits.to_string()
        }
    ))?;
    call.print(&format!("files      {} sealed files", verified.blobs))?;
    tell_findings(verified, call)?;
    cosigned::tell_coverage(verified, call)?;
    if let Some(signing) = signing {
        cosigned::tell_signing(signing, call)?;
    }
    section(
        call,
        "custody records",
        verified.logs.iter().map(|log| {
            let name = log.name.as_deref().map_or_else(|| "unknown member".into(), shown);
            format!(
                "{name}: {}, record {}, state {}",
                count(log.size, "event"),
                &log.log.to_string()[..8],
                &log.root.to_string()[..16]
            )
        }),
    )?;
    section(
        call,
        "checks",
        verified.checks.iter().map(|done| {
            let count = if done.status == Status::Skip { String::new() } else { format!("  {}", done.count) };
            format!("{}  {:<12}{count}", status(done.status), done.check.name()).trim_end().to_string()
        }),
    )?;
    section(call, "good to know", verified.notices.iter().map(|notice| shown(notice)))?;
    section(call, "not checked", verified.not_checked.iter().map(|text| shown(text)))?;
    if !verified.trusted && verified.verdict == Verdict::Valid {
        call.say(unknown(verified, pinned));
    }
    Ok(())
}

/// What would make it known.
fn unknown(verified: &Verified, pinned: bool) -> &'static str {
    match (pinned, verified.level) {
        (false, _) => {
            "\nTo know it: --vault-id with the digits that its founder gave you, or --owner with the founder's card."
        }
        (true, Level::Bytes) => {
            "\nNo signature was checked: that needs an identity that is a member, or --owner with the founder's card."
        }
        (true, _) => "\nNo signature of a known member was checked.",
    }
}

fn tell_findings(verified: &Verified, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    section(
        call,
        "found",
        verified.findings.iter().map(|finding| {
            let weight = finding.weight.to_string().to_uppercase();
            format!("{weight} ({}) {}: {}", finding.check, shown(&finding.subject), shown(&finding.message))
        }),
    )?;
    let verdicts = verified.exhibit_verdicts.iter();
    section(
        call,
        "exhibits that are not valid",
        verdicts.map(|(id, verdict)| format!("{}  {}", shown(id), verdict.to_string().to_uppercase())),
    )
}

pub(super) fn section(
    call: &mut Call<'_, '_>,
    title: &str,
    lines: impl Iterator<Item = String>,
) -> Result<(), CliError> {
    let mut begun = false;
    for line in lines {
        if !begun {
            call.print(&format!("\n{title}:"))?;
            begun = true;
        }
        call.print(&format!("  {line}"))?;
    }
    Ok(())
}

fn depth(level: Level) -> &'static str {
    match level {
        Level::Bytes => "bytes: sealed files against their names, without a key",
        Level::Custody => "custody: signatures, authority, order and inventories; no content",
        Level::Content => "content: custody, and every record and content that this identity can open",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail => "FAIL",
        Status::Skip => "skip",
    }
}

fn described(verified: &Verified, exit: Exit, pinned: bool) -> Value {
    // A script that reads the verdict alone must not take an unknown vault for a valid one.
    let verdict = if exit == UNKNOWN { Verdict::Incomplete } else { verified.verdict };
    let checks: Vec<Value> = verified
        .checks
        .iter()
        .map(|done| {
            let status = status(done.status).to_lowercase();
            json!({ "name": done.check.name(), "status": status, "count": done.count })
        })
        .collect();
    let findings: Vec<Value> = verified
        .findings
        .iter()
        .map(|found| json!({ "check": found.check.name(), "subject": found.subject, "message": found.message }))
        .collect();
    let logs: Vec<Value> = verified
        .logs
        .iter()
        .map(|log| {
            json!({
                "log": log.log.to_string(), "member": log.member.map(|member| member.to_string()), "name": log.name,
                "size": log.size, "root": log.root.to_string(), "cosigned_by": cosigned::signed_by(log),
                "covered_size": log.coverage.size, "not_after": null, "not_before": null,
            })
        })
        .collect();
    let verdicts: Map<String, Value> =
        verified.exhibit_verdicts.iter().map(|(id, verdict)| (id.clone(), json!(verdict.to_string()))).collect();
    let mut not_checked = verified.not_checked.clone();
    if exit == UNKNOWN {
        not_checked.insert(0, unknown(verified, pinned).trim_start().into());
    }
    json!({
        "format": 1,
        "verdict": verdict.to_string(),
        "level": verified.level.name(),
        "vault": verified.vault.to_string(),
        "pinned": pinned,
        "trusted": verified.trusted,
        "checks": checks,
        "findings": findings,
        "not_checked": not_checked,
        "notices": verified.notices,
        "logs": logs,
        "exhibits": verified.exhibits,
        "covered_exhibits": verified.covered_exhibits,
        "monitors_needed": verified.monitors_needed,
        "blobs": verified.blobs,
        "exhibit_verdicts": verdicts,
    })
}
