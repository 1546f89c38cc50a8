//! What other members signed, how far enough monitors did, and what this member signed now: in words that a monitor can
//! paste into a report, and as JSON.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::verdict::section;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::hints;
use crate::cli::output::{count, shown};
use crate::format::cosignatures;
use crate::store::Mode;
use crate::vault::cosign::make::{Cosigned, SignedState};
use crate::vault::verify::{LogState, Verified};

/// Rows of covered exhibits named in a line.
const RANGES_SHOWN_MAX: usize = 8;

/// What a vault says of coverage that was founded without monitors.
pub(super) const NO_MONITOR: &str =
    "vault was founded to ask for no monitor, for good: what others signed is told, and nothing is called covered";

/// That states are to be signed, and where the signatures go as a text.
pub(super) struct Cosigning {
    pub(super) file: Option<PathBuf>,
    pub(super) overwrite: bool,
}

impl Cosigning {
    pub(super) fn takes_stdout(&self) -> bool {
        self.file.as_deref().is_some_and(is_dash)
    }

    fn to_file(&self) -> Option<&Path> {
        self.file.as_deref().filter(|file| !is_dash(file))
    }

    /// Refuses early what could not be done in the end.
    pub(super) fn must_be_possible(&self, call: &mut Call<'_, '_>) -> Result<(), CliError> {
        if self.takes_stdout() && call.global.json {
            let message = "the cosignatures and the JSON cannot both go to standard output".into();
            return Err(CliError::Usage { message, hint: Some("name a file with --cosignatures FILE".into()) });
        }
        self.to_file().filter(|_| !self.overwrite).map_or(Ok(()), |file| call.must_be_free(file))
    }

    /// Writes the signatures as a text, if there are any.
    pub(super) fn write(&self, signing: &Cosigned, call: &mut Call<'_, '_>) -> Result<(), CliError> {
        let notes = signing.notes();
        let text = cosignatures::print(&notes);
        if self.takes_stdout() {
            return call.print_bytes(text.as_bytes());
        }
        match self.to_file().filter(|_| !notes.is_empty()) {
            Some(file) => call.write_file(file, text.as_bytes(), Mode::Open, self.overwrite),
            None => Ok(()),
        }
    }

    /// What to do with them; where standard output has them, also what was signed.
    pub(super) fn say(&self, signing: &Cosigned, call: &mut Call<'_, '_>) {
        let states = signing.notes().len() as u64;
        if self.takes_stdout() {
            call.talk(&format!("{} cosigned", count(states, "state")));
            for withheld in &signing.withheld {
                let (name, reason) = (shown(&withheld.name), shown(&withheld.reason));
                call.talk(&format!("not cosigned: {} of {name}: {reason}", withheld.handle));
            }
        }
        match self.to_file() {
            Some(file) if states > 0 => {
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
    }
}

/// How far the monitors have signed.
pub(super) fn tell_coverage(verified: &Verified, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let Some(needed) = verified.monitors_needed else { return Ok(()) };
    let concerned = |log: &&LogState| log.coverage.exhibits > 0 || !log.coverage.signed_by.is_empty();
    let logs: Vec<&LogState> = verified.logs.iter().filter(concerned).collect();
    if needed == 0 {
        let signed = logs.iter().any(|log| !log.coverage.signed_by.is_empty());
        let line = format!("this {NO_MONITOR}");
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
pub(super) fn covered(log: &LogState, needed: u32) -> String {
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
        all => format!("{} of {all} exhibits covered{}", coverage.covered, which(&coverage.which)),
    };
    format!("{monitors} of the {needed} {people} needed signed {handle}{up_to}: {exhibits}")
}

/// `, K7-0001 to K7-0037, K7-0040`
fn which(covered: &[(String, String)]) -> String {
    let one = |(first, last): &(String, String)| {
        let (first, last) = (shown(first), shown(last));
        if first == last { format!(", {first}") } else { format!(", {first} to {last}") }
    };
    let more = covered.len().saturating_sub(RANGES_SHOWN_MAX);
    let mut said: String = covered.iter().take(RANGES_SHOWN_MAX).map(one).collect();
    if more > 0 {
        said.push_str(&format!(" and {more} more rows of numbers (--json has all)"));
    }
    said
}

fn signatures(log: &LogState) -> Vec<String> {
    let handle = shown(log.handle.as_deref().unwrap_or_default());
    let signed = log.coverage.signed_by.iter().map(|by| {
        let role = if by.monitor { "" } else { "; counts as no monitor" };
        let when = time(by.time).map_or(String::new(), |when| format!(", {when} by that device's clock"));
        format!("  {} signed {handle} at {}{when}{role}", shown(&by.name), count(by.size, "event"))
    });
    signed.collect()
}

/// What this member signed now.
pub(super) fn tell_signing(cosigned: &Cosigned, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let state = |state: &SignedState| format!("{} up to event {}", shown(&state.name), shown(&state.up_to));
    section(call, "cosigned by you now", cosigned.signed.iter().map(state))?;
    section(call, "cosigned by you before", cosigned.before.iter().map(state))?;
    if cosigned.rechecked > 0 {
        let states = count(cosigned.rechecked, "state");
        call.print(&format!("\nrecorded: a better check than your last one, of {states} cosigned before"))?;
    }
    section(
        call,
        "NOT cosigned",
        cosigned.withheld.iter().map(|log| format!("{} of {}: {}", log.handle, shown(&log.name), shown(&log.reason))),
    )?;
    section(call, "NOTHING was cosigned", cosigned.refused.iter().map(|reason| shown(reason)))
}

/// Which exhibits are covered, for scripts.
pub(super) fn ranges(covered: &[(String, String)]) -> Value {
    covered.iter().map(|(first, last)| json!({ "first": first, "last": last })).collect()
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
        "signed": states(&cosigned.signed), "before": states(&cosigned.before), "rechecked": cosigned.rechecked,
        "withheld": withheld,
        "refused": cosigned.refused, "entry": entry,
    })
}

/// RFC 3339 in UTC; nothing where no calendar has such a time.
fn time(seconds: u64) -> Option<String> {
    let time = jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
