//! A vault's verdict, in words that a monitor can paste into a report and as JSON; at the end what was not checked.

use serde_json::{Map, Value, json};

use super::cosigned;
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::{Tone, count, said, shown};
use crate::cli::{Exit, UNKNOWN};
use crate::vault::cosign::make::Cosigned;
use crate::vault::findings::{Finding, Verdict};
use crate::vault::verify::{Level, Status, Verified};

/// The verdict in words.
pub(super) fn sentence(verified: &Verified, exit: Exit) -> (&'static str, Tone) {
    match (verified.verdict, exit) {
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
    }
}

/// The whole verdict, for people.
pub(super) fn tell(
    verified: &Verified,
    signing: Option<&Cosigned>,
    exit: Exit,
    pinned: bool,
    call: &mut Call<'_, '_>,
) -> Result<(), CliError> {
    let terminal = call.context.terminal.output;
    let (sentence, tone) = sentence(verified, exit);
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
            format!("{weight} ({}) {}", finding.check, said(finding))
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

/// A finding, with what it makes of the verdict.
pub(super) fn described_finding(found: &Finding) -> Value {
    json!({
        "weight": found.weight.to_string(), "check": found.check.name(), "subject": found.subject,
        "message": found.message,
    })
}

/// The whole verdict, for scripts.
pub(super) fn described(verified: &Verified, exit: Exit, pinned: bool) -> Value {
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
                "size": log.size, "root": log.root.to_string(), "cosigned_by": cosigned::signed_by(log),
                "covered_size": log.coverage.size, "covered": cosigned::ranges(&log.coverage.which), "not_after": null, "not_before": null,
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
        "level": verified.level.word(),
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
