//! `amparo member remove`: up to where a member counts, and new keys for what she could read.

use serde_json::{Value, json};

use super::{named, renewed_as_json, tell_renewed, warn_of_quorum};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{count, shown};
use crate::cli::{DONE, Exit};
use crate::format::event::RemoveReason;
use crate::format::role::Scope;
use crate::vault::members::{self, RemoveRequest, Removed};

/// Remove a member, and make new keys for what she could read
///
/// What she said counts as far as it is in this copy, or up to the entries that --trust-up-to names; what comes later
/// is kept and shown as late. If the removal was interrupted, the same command completes it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo member remove \"Grey Owl\" --reason left
  amparo member remove Sparrow --reason seized --trust-up-to S4:12")]
pub(crate) struct Args {
    /// A pseudonym, the 40 digits of her card, or the beginning of her member id
    #[arg(value_name = "MEMBER")]
    member: String,
    /// Whether she left, or she or her device is in other hands
    #[arg(long, value_name = "REASON")]
    reason: Reason,
    /// The last entry of hers that counts, as S4:12; once for each of her custody records
    #[arg(long, value_name = "ENTRY")]
    trust_up_to: Vec<String>,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Reason {
    Left,
    Seized,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    let reason = match args.reason {
        Reason::Left => RemoveReason::Left,
        Reason::Seized => RemoveReason::Seized,
    };
    let request = RemoveRequest {
        place: place.request(Some(&person)),
        member: &args.member,
        reason,
        trust_up_to: &args.trust_up_to,
    };
    let removed = members::remove(&mut call.parts().setting(), &request)?;
    if removed.now && reason == RemoveReason::Seized && args.trust_up_to.is_empty() {
        warn_of_trust(&removed, call);
    }
    warn(&removed, call);
    if call.global.json {
        call.print_json(described(&removed))?;
    } else {
        tell(&removed, call)?;
    }
    Ok(DONE)
}

/// Whoever has a seized device can have written with it before anybody knew.
fn warn_of_trust(removed: &Removed, call: &mut Call<'_, '_>) {
    let name = shown(&removed.name);
    for kept in &removed.kept {
        if let Some((entry, time)) = &kept.last {
            call.warn(&format!(
                "all that this copy has of {name}'s record {} is trusted, up to {entry}, which claims the time {time}; if others had the device by then, run this again with --trust-up-to and the last entry that was hers",
                shown(&kept.handle),
            ));
        }
    }
}

fn warn(removed: &Removed, call: &mut Call<'_, '_>) {
    for section in &removed.crowded {
        call.warn(&format!(
            "{} still has a share of the newest key to the section {section}: it has more readers than the 16 who can have shares; remove others, then run this again",
            shown(&removed.name)
        ));
    }
    if let Some(left) = &removed.left {
        call.warn(&format!(
            "your record {} ends here and another begins: its end is encrypted to a key that does not count any more, and that others may never have been given; if they cannot check what you sealed last, seal it again",
            shown(left)
        ));
    }
    warn_of_quorum(&removed.renewed, call);
    for (section, reader) in &removed.alone {
        let only = named(&removed.names, &[*reader]).join("");
        call.warn(&format!("only {only} can open the section {section} now: if that identity is lost, it is lost"));
    }
    if removed.one_owner {
        call.warn("you are the only owner now: if your identity is lost, nobody can admit or remove anybody");
    }
    call.warn_of_others(&removed.overlooked);
}

fn tell(removed: &Removed, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let name = shown(&removed.name);
    match (removed.now, removed.renewed.is_empty()) {
        (true, _) => call.print(&format!("REMOVED {name}"))?,
        (false, false) => call.print(&format!("COMPLETED the removal of {name}"))?,
        (false, true) => call.print(&format!("{name} was removed before; nothing is left to do"))?,
    }
    for kept in &removed.kept {
        let handle = shown(&kept.handle);
        call.say(&match &kept.last {
            Some((entry, time)) => format!(
                "Of the events in her record {handle}, {} of {} count, up to {entry} (claimed {time}).",
                kept.counted, kept.here
            ),
            None => format!("Of her record {handle}, nothing counts."),
        });
    }
    if removed.kept.is_empty() {
        call.say("She has written nothing in this copy. What turns up of hers later is shown as late.");
    }
    call.say("She keeps the custody record as far as she has it: who did what, and when. Nothing takes that back.");
    tell_renewed(&removed.renewed, &removed.names, call);
    if removed.renewed.iter().any(|renewed| renewed.scope != Scope::Custody) || removed.readable > 0 {
        call.say(&format!(
            "She keeps what she could read: {} sealed to keys that she holds. Nothing takes that back either.",
            count(removed.readable, "exhibit")
        ));
    }
    let reached = "Until this vault's folder reaches the others,";
    if removed.renewed.iter().any(|renewed| renewed.scope != Scope::Custody) {
        call.say(&format!("{reached} they seal to the old keys: valid, and readable by those removed since."));
    } else if !removed.renewed.is_empty() {
        call.say(&format!("{reached} she can read what they add to the custody record."));
    }
    call.suggest("amparo member list");
    Ok(())
}

fn described(removed: &Removed) -> Value {
    let kept: Vec<Value> = removed
        .kept
        .iter()
        .map(|kept| {
            let (entry, time) = kept.last.clone().unzip();
            json!({
                "log": kept.log.to_string(), "handle": kept.handle, "counted": kept.counted, "entries": kept.here,
                "trusted_up_to": entry, "time": time,
            })
        })
        .collect();
    json!({
        "format": 1,
        "member": removed.member.to_string(),
        "name": removed.name,
        "now": removed.now,
        "logs": kept,
        "own_log_left": removed.left,
        "renewed": renewed_as_json(&removed.renewed),
        "not_renewed": removed.crowded.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "still_readable": removed.readable,
    })
}
