//! What other members signed, how far enough monitors did, and what this member signed now: in words that a monitor can
//! paste into a report, and as JSON.

use serde_json::{Value, json};

use super::whole::section;
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::shown;
use crate::vault::cosign::make::{Cosigned, SignedState};
use crate::vault::verify::{LogState, Verified};

/// How far the monitors have signed.
pub(super) fn tell_coverage(verified: &Verified, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let Some(needed) = verified.monitors_needed else { return Ok(()) };
    let concerned = |log: &&LogState| log.coverage.exhibits > 0 || !log.coverage.signed_by.is_empty();
    let logs: Vec<&LogState> = verified.logs.iter().filter(concerned).collect();
    if needed == 0 {
        let signed = logs.iter().any(|log| !log.coverage.signed_by.is_empty());
        let line = "this vault asks for no monitor, so nothing is called covered".to_string();
        section(call, "covered by monitors", signed.then_some(line).into_iter())?;
        return section(call, "signed by others", logs.into_iter().flat_map(signatures));
    }
    let mut lines = Vec::new();
    for log in &logs {
        lines.push(covered(log, needed));
        lines.extend(signatures(log));
    }
    if logs.len() > 1 {
        lines.push(format!("together: {} of {} exhibits covered", verified.covered_exhibits, verified.exhibits));
    }
    section(call, "covered by monitors", lines.into_iter())
}

/// `2 of the 2 monitors needed signed K7 up to event K7:12: 37 of 40 exhibits covered`
fn covered(log: &LogState, needed: u32) -> String {
    let coverage = &log.coverage;
    let reached = |size: u64| {
        let monitors = coverage.signed_by.iter().filter(|by| by.monitor && by.size >= size).count();
        u32::try_from(monitors).unwrap_or(u32::MAX).min(needed)
    };
    let handle = shown(log.handle.as_deref().unwrap_or_default());
    let (monitors, up_to) = match &coverage.up_to {
        Some(up_to) => (reached(coverage.size), format!(" up to event {}", shown(up_to))),
        None => (reached(1), String::new()),
    };
    let people = if needed == 1 { "monitor" } else { "monitors" };
    let exhibits = match coverage.exhibits {
        0 => "no exhibits are sealed in it".into(),
        all => format!("{} of {all} exhibits covered", coverage.covered),
    };
    format!("{monitors} of the {needed} {people} needed signed {handle}{up_to}: {exhibits}")
}

fn signatures(log: &LogState) -> Vec<String> {
    let handle = shown(log.handle.as_deref().unwrap_or_default());
    let signed = log.coverage.signed_by.iter().map(|by| {
        let role = if by.monitor { "" } else { "; counts as no monitor" };
        let when = time(by.time).map_or(String::new(), |when| format!(", {when} by that device's clock"));
        format!("  {} signed {handle} at {} events{when}{role}", shown(&by.name), by.size)
    });
    signed.collect()
}

/// What this member signed now.
pub(super) fn tell_signing(cosigned: &Cosigned, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let state = |state: &SignedState| format!("{} up to event {}", shown(&state.name), shown(&state.up_to));
    section(call, "cosigned by you now", cosigned.signed.iter().map(state))?;
    section(call, "cosigned by you before", cosigned.before.iter().map(state))?;
    section(
        call,
        "NOT cosigned",
        cosigned.withheld.iter().map(|log| format!("{} of {}: {}", log.handle, shown(&log.name), shown(&log.reason))),
    )?;
    section(call, "NOTHING was cosigned", cosigned.refused.iter().map(|reason| shown(reason)))
}

/// Who cosigned a log, for scripts.
pub(super) fn signed_by(log: &LogState) -> Value {
    let all = log.coverage.signed_by.iter().map(|by| {
        json!({
            "member": by.member.to_string(), "name": by.name, "size": by.size, "time": time(by.time),
            "monitor": by.monitor,
        })
    });
    all.collect()
}

/// What this member signed, for scripts.
pub(super) fn described(cosigned: &Cosigned) -> Value {
    let states = |states: &[SignedState]| -> Vec<Value> {
        let described = states.iter().map(|state| {
            let head = state.head;
            json!({ "log": head.log.to_string(), "size": head.size, "root": head.root.to_string(), "name": state.name })
        });
        described.collect()
    };
    let withheld: Vec<Value> = cosigned
        .withheld
        .iter()
        .map(|log| json!({ "log": log.log.to_string(), "name": log.name, "reason": log.reason }))
        .collect();
    let entry = cosigned.entry.map(|head| json!({ "log": head.log.to_string(), "seq": head.size.saturating_sub(1) }));
    json!({
        "signed": states(&cosigned.signed), "before": states(&cosigned.before), "withheld": withheld,
        "refused": cosigned.refused, "entry": entry,
    })
}

/// RFC 3339 in UTC; nothing where no calendar has such a time.
fn time(seconds: u64) -> Option<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
