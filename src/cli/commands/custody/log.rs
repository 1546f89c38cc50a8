//! `amparo custody log`: the story in causal order, as a table for people and as one object for scripts.

use serde_json::{Value, json};

use super::table::Table;
use crate::cli::Exit;
use crate::cli::call::Call;
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::Contact;
use crate::cli::output::shown;
use crate::cli::story::{NOT_SAID_WHOLE, Piece, beside, between, details, what};
use crate::format::card::Card;
use crate::format::event::{Admission, Event, Head, NewKey, RemoveReason, Wrap};
use crate::format::ids::MemberId;
use crate::vault::custody::handovers::Status;
use crate::vault::custody::premis;
use crate::vault::custody::story::{Line, Story, story};
use crate::vault::findings::Verdict;
use crate::vault::history::{History, Place, Standing};
use crate::vault::labels;

/// Tell the custody story of the vault, or of one exhibit
///
/// Each event stands after what its author had seen, whatever the clocks said. Times are what the devices claimed: no time is
/// proven by this version. What came late, was refused, is unconfirmed or reconstructed is told with that word. Of each log the
/// last signed state is checked, which covers all entries; `amparo verify` checks every one. Where a record has two signed
/// histories, the one that counts is told, and at the end what stands only in the other.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo custody log
  amparo custody log K7-0001
  amparo custody log --json")]
pub(crate) struct Args {
    /// The exhibit; else the whole vault
    #[arg(value_name = "ID")]
    id: Option<String>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Looks)?;
    let person = call.person()?;
    call.warn_if_unknown(&place)?;
    let story = story(&mut call.parts().setting(), &place.request(Some(&person)), args.id.as_deref())?;
    let troubles = story.troubles();
    call.warn_of_troubles("the story", troubles.iter().copied());
    let exit = by_weight(troubles.iter().map(|trouble| trouble.weight).max().unwrap_or(Verdict::Valid));
    if call.global.json {
        let entries = story.lines().map(|line| described(&story, &line));
        call.print_json_list(head_of(&story), "entries", entries, tail_of(&story))?;
    } else {
        tell(&story, call)?;
    }
    Ok(exit)
}

fn tell(story: &Story, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let history = story.history();
    let table = Table::new(history, call.context.terminal.width);
    call.print(&table.head())?;
    for line in story.lines() {
        let told: Vec<String> = details(&line, history)
            .iter()
            .map(|detail| {
                let pieces: String = detail.pieces.iter().map(|piece| spoken(piece, history)).collect();
                format!("{}: {pieces}", detail.label)
            })
            .collect();
        let name = shown(&history.name_of(line.member));
        call.print(&table.row(&line.label, &line.told.entry.time, &name, &what(&line), &told))?;
    }
    tell_open_ends(story, &table, call)
}

/// What is still open at the end: offers that wait, gaps, where an exhibit stopped being whole, and what the story leaves out
/// because a record has two histories.
fn tell_open_ends(story: &Story, table: &Table, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let history = story.history();
    let pending: Vec<String> = story
        .pending()
        .map(|place| {
            let line = story.line(place);
            let (from, to) = (history.name_of(line.member), history.name_of(story.receiver(place)));
            let time = Table::minutes(&line.told.entry.time);
            format!("{}  {} to {}, since {time} (claimed)", line.label, shown(&from), shown(&to))
        })
        .collect();
    table.section(call, "pending offers", &pending)?;
    let gaps: Vec<String> = story
        .gaps()
        .filter_map(|place| {
            let line = story.line(place);
            let Event::Gap { text, from, to, .. } = &line.told.entry.event else { return None };
            let end = |end: &str| if end.is_empty() { "?".to_string() } else { shown(end) };
            Some(format!("{}  {} to {} (as told): {}", line.label, end(from), end(to), shown(text)))
        })
        .collect();
    table.section(call, "gaps", &gaps)?;
    if let Some(parted) = story.parted() {
        let say = |place: Place| {
            let line = story.line(place);
            let (time, name) = (Table::minutes(&line.told.entry.time), history.name_of(line.member));
            format!("{} by {}, {time} (claimed)", line.label, shown(&name))
        };
        let (title, last) = match parted.whole {
            Some(whole) => (between(history, whole), say(whole)),
            None => (
                NOT_SAID_WHOLE,
                format!("{} had not signed before that she had it whole", shown(&history.name_of(parted.giver))),
            ),
        };
        let given = format!("given      {}", say(parted.offer));
        let lines = [format!("whole      {last}"), given, format!("not whole  {}", say(parted.amiss))];
        table.section(call, title, &lines)?;
    }
    let others = story.other_histories();
    let others: Vec<String> = others
        .iter()
        .map(|other| format!("{} of {}: {}", other.handle, shown(&history.name_of(other.member)), beside(other)))
        .collect();
    table.section(call, "contradicting histories", &others)?;
    if pending.is_empty() && gaps.is_empty() {
        let about = if story.exhibit().is_some() { " for this exhibit" } else { "" };
        call.say(&format!("\nNo offer waits for an answer, and no gap is recorded{about}."));
    }
    Ok(())
}

fn spoken(piece: &Piece, history: &History) -> String {
    match piece {
        Piece::Ours(text) => text.clone(),
        Piece::Member(member) => shown(&history.name_of(*member)),
        Piece::Theirs(text) | Piece::Outsider(text) => shown(text),
    }
}

fn head_of(story: &Story) -> Value {
    json!({
        "format": 1, "vault": story.history().vault.to_string(), "id": story.exhibit().map(|exhibit| &exhibit.id),
    })
}

/// What ends the object: what is still open.
fn tail_of(story: &Story) -> Value {
    let history = story.history();
    let pending: Vec<Value> = story
        .pending()
        .map(|place| {
            let (line, to) = (story.line(place), story.receiver(place));
            json!({
                "offer": line.label, "from": line.member.to_string(), "from_name": history.name_of(line.member),
                "to": to.to_string(), "to_name": history.name_of(to), "time": line.told.entry.time,
            })
        })
        .collect();
    let gaps: Vec<Value> = story
        .gaps()
        .filter_map(|place| {
            let line = story.line(place);
            let Event::Gap { text, from, to, .. } = &line.told.entry.event else { return None };
            Some(json!({ "entry": line.label, "exhibits": line.exhibits, "text": text, "from": from, "to": to }))
        })
        .collect();
    let label = |place: Place| story.line(place).label;
    let parted = story.parted().map(|parted| {
        json!({
            "whole": parted.whole.map(label), "not_whole": label(parted.amiss), "offer": label(parted.offer),
            "giver": parted.giver.to_string(), "giver_name": history.name_of(parted.giver),
        })
    });
    let others = story.other_histories();
    let others: Vec<Value> = others
        .iter()
        .map(|other| {
            json!({
                "log": other.log.to_string(), "handle": other.handle, "member": other.member.to_string(),
                "name": history.name_of(other.member), "parted": other.parted, "size": other.head.size,
                "root": other.head.root.to_string(), "events": other.events(), "exhibits": other.exhibits,
            })
        })
        .collect();
    json!({
        "pending": pending, "gaps": gaps, "stopped_being_whole_between": parted, "contradicting_histories": others,
    })
}

/// A signed state as JSON.
pub(super) fn head(head: &Head) -> Value {
    json!({ "log": head.log.to_string(), "size": head.size, "root": head.root.to_string() })
}

/// One entry as JSON.
fn described(story: &Story, line: &Line<'_>) -> Value {
    let history = story.history();
    let entry = &line.told.entry;
    let refused = match &line.told.standing {
        Standing::Refused(reason) => Some(reason),
        Standing::Counted | Standing::Late => None,
    };
    let mut object = json!({
        "log": line.place.log.to_string(), "seq": line.place.seq, "label": line.label,
        "leaf": line.told.leaf.to_string(), "member": line.member.to_string(), "name": history.name_of(line.member),
        "time": entry.time, "clock": entry.clock, "not_before": null, "not_after": null, "event": entry.event.name(),
        "premis": premis::code(&entry.event), "exhibits": line.exhibits,
        "counts": line.told.standing == Standing::Counted, "late": line.told.standing == Standing::Late,
        "refused": refused, "adopted_in": line.adopted, "unconfirmed": line.unconfirmed, "reconstructed": crate::cli::story::is_reconstructed(line),
    });
    if let (Value::Object(object), Value::Object(more)) = (&mut object, said(line, history)) {
        object.extend(more);
    }
    object
}

/// What the event itself says: all that the table says of it.
fn said(line: &Line<'_>, history: &History) -> Value {
    let names = |members: &[MemberId]| members.iter().map(|member| history.name_of(*member)).collect::<Vec<_>>();
    let heads = |heads: &[Head]| heads.iter().map(head).collect::<Vec<_>>();
    match &line.told.entry.event {
        Event::Offer(offer) => json!({
            "status": line.status.map(Status::word), "answers": line.answers,
            "everything": offer.exhibits.is_empty(), "to": offer.to.to_string(), "to_name": history.name_of(offer.to),
            "medium": offer.medium, "seal_no": offer.seal_number, "condition": offer.condition,
            "carrier": offer.carrier, "place": offer.place, "purpose": offer.purpose, "authority": offer.authority,
        }),
        Event::Acknowledge(acknowledge) => {
            let discrepancies = acknowledge.discrepancies.iter();
            let discrepancies: Vec<Value> = discrepancies
                .map(|one| json!({ "check": one.check, "subject": one.subject, "message": one.message }))
                .collect();
            json!({
                "offer": line.offer, "answers_it": line.no_answer.is_none(), "level": acknowledge.level,
                "heads": heads(&acknowledge.heads), "discrepancies": discrepancies,
            })
        }
        Event::Decline { reason, .. } => {
            json!({ "offer": line.offer, "answers_it": line.no_answer.is_none(), "reason": reason })
        }
        Event::Open { reason, .. } | Event::Close { reason } => json!({ "reason": reason }),
        Event::Verify { level, verdict, heads: checked } => {
            json!({ "level": level, "verdict": verdict, "heads": heads(checked) })
        }
        Event::Disclose { to, reason, file, .. } => {
            json!({ "to_outside": to, "reason": reason, "file": file.to_string() })
        }
        Event::Withdraw { scope, .. } => json!({ "scope": scope }),
        Event::Note { text, .. } => json!({ "text": text }),
        Event::Gap { text, from, to, .. } => json!({ "text": text, "from": from, "to": to }),
        Event::Pack { to, exhibits, pouch, bytes, .. } => json!({
            "status": line.status.map(Status::word), "everything": exhibits.is_none(),
            "to_members": to.iter().map(ToString::to_string).collect::<Vec<_>>(), "to_names": names(to), "bytes": bytes,
            "sha256": pouch.to_string(),
        }),
        Event::Dispose { blobs, reason, authority } => json!({
            "blobs": blobs.iter().map(ToString::to_string).collect::<Vec<_>>(), "reason": reason,
            "authority": authority,
        }),
        Event::Stamp { kind, checkpoint, file } => {
            json!({ "kind": kind, "checkpoint": checkpoint.to_string(), "file": file.to_string(), "proven": false })
        }
        Event::Anchor { kind, value, published } => {
            json!({ "kind": kind, "value": value, "published": published, "proven": false })
        }
        Event::Found(found) => {
            let members: Vec<Value> =
                std::iter::once(&found.founder).chain(&found.members).map(|one| admitted(one, history)).collect();
            json!({ "members": members, "monitors_needed": found.monitors_needed, "keys": keys(&found.keys, history) })
        }
        Event::Admit(admission) => admitted(admission, history),
        Event::Remove(removal) => {
            let reason = if removal.reason == RemoveReason::Left { "left" } else { "seized" };
            json!({
                "removed": removal.member.to_string(), "removed_name": history.name_of(removal.member), "reason": reason,
                "cuts": heads(&removal.cuts),
            })
        }
        Event::Adopt { entries } => {
            let adopted = entries.iter().map(|entry| {
                let label = history
                    .leaf_at(entry)
                    .filter(|leaf| *leaf == entry.leaf)
                    .map(|_| labels::entry_label(history, Place { log: entry.log, seq: entry.seq }));
                json!({
                    "log": entry.log.to_string(), "seq": entry.seq, "leaf": entry.leaf.to_string(), "label": label,
                })
            });
            json!({ "entries": adopted.collect::<Vec<_>>() })
        }
        Event::Rotate { keys: new } => json!({ "keys": keys(new, history) }),
        Event::Share { key, wraps, .. } => {
            let (to, known) = (members_of(wraps), history.keys.get(key));
            json!({
                "key": key.to_string(), "scope": known.map(|key| key.scope.to_string()),
                "to_members": to.iter().map(ToString::to_string).collect::<Vec<_>>(), "to_names": names(&to),
            })
        }
        Event::Amend { key, blob, .. } => json!({ "key": key.to_string(), "blob": blob.to_string() }),
        Event::Seal(seal) => json!({ "count": seal.count, "readback": seal.readback }),
    }
}

/// Who was admitted, and as what.
fn admitted(admission: &Admission, history: &History) -> Value {
    let member = Card::parse(admission.card.as_bytes()).ok().map(|card| card.member());
    let roles: Vec<String> = admission.roles.iter().map(ToString::to_string).collect();
    json!({
        "admitted": member.map(|member| member.to_string()),
        "admitted_name": member.map(|member| history.name_of(member)), "roles": roles,
    })
}

/// Keys that an entry brings, each with whom it was made out to.
fn keys(new: &[NewKey], history: &History) -> Vec<Value> {
    let described = new.iter().map(|key| {
        let to = members_of(&key.wraps);
        json!({
            "scope": key.scope.to_string(), "epoch": key.epoch,
            "to_members": to.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "to_names": to.iter().map(|member| history.name_of(*member)).collect::<Vec<_>>(),
        })
    });
    described.collect()
}

fn members_of(wraps: &[Wrap]) -> Vec<MemberId> {
    wraps.iter().map(|wrap| wrap.member).collect()
}
