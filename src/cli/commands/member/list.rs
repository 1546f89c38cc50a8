//! `amparo member list`: who works with this vault, since when, and who awaits what.

use serde_json::{Value, json};

use super::{Names, awaited_by_one, key, named, role};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{count, shown};
use crate::cli::{DONE, Exit};
use crate::format::event::RemoveReason;
use crate::vault::members::{self, Awaited, Listed};

/// Who works with this vault
///
/// Times are claimed by the devices that wrote them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo member list
  amparo member list --json")]
pub(crate) struct Args {}

pub(super) fn run(_: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Looks)?;
    let person = call.person()?;
    call.warn_if_unknown(&place)?;
    let (members, names) = members::list(&mut call.parts().setting(), &place.request(Some(&person)))?;
    if call.global.json {
        let members: Vec<Value> = members.iter().map(|listed| described(listed, &names)).collect();
        call.print_json(json!({ "format": 1, "members": members }))?;
        return Ok(DONE);
    }
    for listed in &members {
        for line in lines(listed, &names) {
            call.print(&line)?;
        }
    }
    call.say(&count(members.len() as u64, "member"));
    let mine = person.member();
    if members.iter().flat_map(|listed| &listed.awaits).any(|awaited| awaited.from.contains(&mine)) {
        call.suggest("amparo member grant");
    }
    Ok(DONE)
}

fn lines(listed: &Listed, names: &Names) -> Vec<String> {
    let mut first = shown(&listed.name);
    if listed.founder {
        first.push_str("  founder");
    }
    if listed.removed.is_some() {
        first.push_str("  REMOVED");
    }
    let mut lines = vec![first, format!("  digits   {}", listed.fingerprint)];
    for (which, since) in &listed.roles {
        let open = if listed.unconfirmed.contains(which) { "  UNCONFIRMED until an owner agrees" } else { "" };
        let (by, role, time) = (shown(&since.by), role(which), minute(&since.time));
        lines.push(format!("  role     {role}, since {} by {by} (claimed {time}){open}", since.entry));
    }
    if let Some((since, reason)) = &listed.removed {
        let why = reason_word(*reason);
        let by = shown(&since.by);
        lines.push(format!("  removed  in {} by {by} (claimed {}), {why}", since.entry, minute(&since.time)));
    }
    for log in &listed.logs {
        let mut line = format!("  record   {}  {}", shown(&log.handle), count(log.entries, "event"));
        for (number, what) in [(log.late, "LATE"), (log.refused, "REFUSED")] {
            if number > 0 {
                line.push_str(&format!(", {number} {what}"));
            }
        }
        lines.push(line);
    }
    lines.extend(listed.awaits.iter().map(|awaited| awaits(awaited, names)));
    lines
}

fn awaits(awaited: &Awaited, names: &Names) -> String {
    let key = key(&awaited.scope, awaited.epoch);
    match (awaited.split, awaited.from.as_slice()) {
        (true, _) if awaited.newest => {
            format!("  AWAITS   {key}: it exists in shares alone; an owner makes a new one with amparo member rotate")
        }
        (true, _) => format!("  WITHOUT  {key}: it exists in shares alone, and others hold them"),
        (false, []) => format!("  AWAITS   {key}: nobody who holds it is left"),
        (false, from) => format!("  AWAITS   {key}, from {}", named(names, from).join(" or ")),
    }
}

/// A claimed time to the minute, its offset left out.
fn minute(time: &str) -> String {
    time.get(..16).unwrap_or(time).replace('T', " ")
}

fn reason_word(reason: RemoveReason) -> &'static str {
    match reason {
        RemoveReason::Left => "left",
        RemoveReason::Seized => "seized",
    }
}

fn described(listed: &Listed, names: &Names) -> Value {
    let since: Vec<Value> = listed
        .roles
        .iter()
        .map(|(role, since)| {
            json!({ "role": role.to_string(), "entry": since.entry, "time": since.time, "by": since.by })
        })
        .collect();
    let removed = listed.removed.as_ref().map(|(since, reason)| {
        json!({ "entry": since.entry, "time": since.time, "by": since.by, "reason": reason_word(*reason) })
    });
    let logs: Vec<Value> = listed
        .logs
        .iter()
        .map(|log| {
            json!({
                "log": log.log.to_string(), "handle": log.handle, "entries": log.entries, "late": log.late,
                "refused": log.refused,
            })
        })
        .collect();
    json!({
        "member": listed.member.to_string(),
        "name": listed.name,
        "fingerprint": listed.fingerprint,
        "founder": listed.founder,
        "roles": listed.roles.iter().map(|(role, _)| role.to_string()).collect::<Vec<_>>(),
        "since": since,
        "unconfirmed": listed.unconfirmed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "removed": removed,
        "awaits": listed.awaits.iter().map(|one| awaited_by_one(one, names, false)).collect::<Vec<_>>(),
        "logs": logs,
    })
}
