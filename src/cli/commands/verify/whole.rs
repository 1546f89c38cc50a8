//! A whole vault: the verdict first, in words that a monitor can paste into a report, and at the end what was not
//! checked.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::paper::{Content, Paper};
use crate::cli::call::Call;
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::Contact;
use crate::cli::output::{Tone, count, shown};
use crate::cli::{DONE, Exit, UNKNOWN};
use crate::format::receipt::Receipt;
use crate::vault::findings::{Finding, Verdict};
use crate::vault::verify::{Level, Status, Verified, VerifyRequest, verify as check};

/// Verifies a vault, with what others remember of it.
pub(super) fn verify(vault: PathBuf, papers: &[Paper], call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place_at(vault, Contact::May)?;
    let person = call.person_if_any()?;
    let receipts: Vec<(String, Receipt)> = papers
        .iter()
        .filter_map(|paper| match &paper.content {
            Content::Receipt(receipt) => Some((paper.name.clone(), Receipt::clone(receipt))),
            _ => None,
        })
        .collect();
    let states = papers.iter().filter(|paper| matches!(paper.content, Content::State(_)));
    let checkpoints: Vec<(String, Vec<u8>)> = states.map(|paper| (paper.name.clone(), paper.bytes.clone())).collect();
    let request =
        VerifyRequest { place: place.request(person.as_ref()), receipts: &receipts, checkpoints: &checkpoints };
    let mut verified = check(&mut call.parts().setting(), &request)?;
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
    let exit = match by_weight(verified.verdict) {
        DONE if !verified.trusted => UNKNOWN,
        exit => exit,
    };
    let pinned = call.knows(&place.vault, &place.state)?;
    if call.global.json {
        call.print_json(described(&verified, exit, pinned))?;
    } else {
        tell(&verified, exit, pinned, call)?;
    }
    Ok(exit)
}

fn tell(verified: &Verified, exit: Exit, pinned: bool, call: &mut Call<'_, '_>) -> Result<(), CliError> {
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

fn section(call: &mut Call<'_, '_>, title: &str, lines: impl Iterator<Item = String>) -> Result<(), CliError> {
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

fn level(level: Level) -> &'static str {
    match level {
        Level::Bytes => "bytes",
        Level::Custody => "custody",
        Level::Content => "content",
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Pass => "pass",
        Status::Fail => "FAIL",
        Status::Skip => "skip",
    }
}

/// A finding, with what it makes of the verdict.
pub(super) fn described_finding(found: &Finding) -> Value {
    json!({
        "weight": found.weight.to_string(), "check": found.check.name(), "subject": found.subject,
        "message": found.message,
    })
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
    let findings: Vec<Value> = verified.findings.iter().map(described_finding).collect();
    let logs: Vec<Value> = verified
        .logs
        .iter()
        .map(|log| {
            json!({
                "log": log.log.to_string(), "member": log.member.map(|member| member.to_string()), "name": log.name,
                "size": log.size, "root": log.root.to_string(), "cosigned_by": [], "not_after": null,
                "not_before": null,
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
        "level": level(verified.level),
        "vault": verified.vault.to_string(),
        "pinned": pinned,
        "trusted": verified.trusted,
        "checks": checks,
        "findings": findings,
        "not_checked": not_checked,
        "notices": verified.notices,
        "logs": logs,
        "exhibits": verified.exhibits,
        "blobs": verified.blobs,
        "exhibit_verdicts": verdicts,
    })
}
