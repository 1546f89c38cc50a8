//! `amparo merge`: what others have of this vault is taken in, another copy or cosignatures.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::member::{awaited_as_json, given_as_json};
use super::unpack::{self, Arrival};
use crate::cli::call::{Call, is_dash};
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::Contact;
use crate::cli::output::{Tone, count, said, shown, size};
use crate::cli::room::Needs;
use crate::cli::{DONE, Exit, hints};
use crate::format::armor;
use crate::format::cosignatures::COSIGNATURES_BYTES_MAX;
use crate::store::Kind;
use crate::vault::VaultError;
use crate::vault::findings::Verdict;
use crate::vault::members::Granted;
use crate::vault::merge::{Cleared, Forked, Growth, MergeRequest, Merged, clear, merge};
use crate::vault::pouch::pieces::{Pieces, TEXT_BYTES_MAX};

mod cosignatures;
pub(super) mod hand_on;

/// More than these are counted, and listed with --verbose.
const LISTED_MAX: usize = 10;
/// Enough of a file to tell what it is.
const START_BYTES: usize = 256;

/// Take in another copy of the same vault, or cosignatures and answers from a file
///
/// Copies of a vault that went separate ways are put together: longer custody records, and the sealed files, keys and
/// cosignatures that they name. The other copy is only read, and nothing here is lost: where one custody record has
/// contradicting histories, both are kept. Merge the other way as well, and both copies hold the same. What nothing
/// signed covers is left where it is. A file of cosignatures came by phone or mail from whoever made it with verify
/// --cosign --cosignatures: each is checked against this copy, and what holds and is not here yet is added. A file of answers
/// comes from pack --answers, or from unpack, and brings what was signed elsewhere into the custody record here. What was
/// interrupted goes on with the same command, whatever was done in between; --clear is for who will not go on.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo merge ../stick/evidence
  amparo merge ../stick/evidence --grant
  amparo merge ../stick/evidence --json
  amparo merge red-kite.cosignatures
  amparo merge answer.txt
  amparo merge - < red-kite.cosignatures
  amparo merge - < answer.txt
  amparo merge --clear")]
pub(crate) struct Args {
    /// The other copy's folder, or a file of cosignatures or answers
    #[arg(value_name = "DIR|FILE", required_unless_present = "clear")]
    source: Option<PathBuf>,
    /// Damaged files here give way to whole ones of the other copy; the damaged bytes are then gone
    #[arg(long)]
    replace_damaged: bool,
    /// Hand the keys that you hold to members who await them, without asking
    #[arg(long)]
    grant: bool,
    /// Take in nothing: remove what an interrupted merge or unpack brought and nothing signed covers
    #[arg(long, conflicts_with_all = ["source", "replace_damaged", "grant"])]
    clear: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let Some(named) = &args.source else {
        let vault = call.vault_folder()?.ok_or(CliError::NoVault)?;
        let needs = Needs { vault: Some((vault.clone(), true)), identity: true, ..Needs::default() };
        return call.confined(&needs, |_, call| clear_arrived(vault, call));
    };
    call.claim_stdin(named, "FILE")?;
    let source = call.path(named);
    if is_dash(named) || call.context.disk.stat(&source)?.kind != Kind::Folder {
        return unpack::comes_here(named, args.grant, call, |arrival, call| text(named, arrival, call));
    }
    let vault = call.vault_folder()?.ok_or(CliError::NoVault)?;
    let (sources, reached) = (vec![named.clone()], Some((vault.clone(), true)));
    let needs = Needs { sources, vault: reached, identity: true, ..Needs::default() };
    call.confined(&needs, |_, call| copy(args, vault, (named, &source), call))
}

fn clear_arrived(vault: PathBuf, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place_at(vault, Contact::Must)?;
    let person = call.person()?;
    let Cleared { removed, in_doubt } = clear(&mut call.parts().setting(), &place.request(Some(&person)))?;
    if call.global.json {
        call.print_json(json!({ "format": 1, "removed": removed, "in_doubt": in_doubt }))?;
        return Ok(DONE);
    }
    call.print(&format!("{} removed that an interrupted command had brought or begun.", count(removed, "file")))?;
    if in_doubt > 0 {
        let files = count(in_doubt, "file");
        call.print(&format!("Still here: {files}. An inventory that may list them is not in this copy, or damaged."))?;
    }
    Ok(DONE)
}

/// Answers, or cosignatures.
fn text(file: &Path, arrival: Arrival<'_>, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    if is_dash(file) {
        let text = call.read_input(file, TEXT_BYTES_MAX)?;
        if !armor::begins(&text) {
            return cosignatures::take_in(file, &text, arrival.vault, call);
        }
        let person = call.person()?;
        return arrival.take_in(Pieces::of_text(&text)?, &person, call);
    }
    let path = call.path(file);
    if !is_pouch(&call.context.disk.read_start(&path, START_BYTES)?) {
        let text = call.read_file(file, COSIGNATURES_BYTES_MAX)?;
        return cosignatures::take_in(file, &text, arrival.vault, call);
    }
    let person = call.person()?;
    arrival.take_in(Pieces::gather(call.context.disk, &[path])?, &person, call)
}

/// Whether a file that begins so is an age file, as text or not.
fn is_pouch(start: &[u8]) -> bool {
    start.starts_with(b"age-encryption.org/v1\n") || armor::begins(start)
}

fn copy(
    args: &Args,
    vault: PathBuf,
    (named, source): (&Path, &Path),
    call: &mut Call<'_, '_>,
) -> Result<Exit, CliError> {
    let place = call.place_at(vault, Contact::Must)?;
    if call.lies_within(&place.vault, named) {
        let message = format!("{} is the vault itself, or lies inside it", shown(&named.to_string_lossy()));
        return Err(CliError::Usage { message, hint: Some("amparo merge --help".into()) });
    }
    let person = call.person()?;
    let source = call.context.disk.folder(source)?;
    let request = MergeRequest {
        place: place.request(Some(&person)),
        source,
        replace_damaged: args.replace_damaged,
        whole_or_nothing: false,
    };
    let outcome = merge(&mut call.parts().setting(), &request);
    if let Err(VaultError::Stopped) = outcome {
        call.say("What was copied so far is no part of the vault yet; the same command goes on from there.");
    }
    let merged = outcome?;
    if !merged.damaged.is_empty() && !args.replace_damaged {
        let files = count(merged.damaged.len() as u64, "file");
        call.warn(&format!("{files} here are damaged, and whole in the other copy: --replace-damaged takes those"));
    }
    if !call.global.json {
        tell(&merged, call, false)?;
    }
    let granted = hand_on::hand_on(args.grant, &merged, &place, &person, call)?;
    if call.global.json {
        call.print_json(described(&merged, granted.as_ref()))?;
    }
    if merged.forks.is_empty() {
        call.suggest("amparo verify");
    } else {
        call.suggest("amparo verify --fork-proof contradiction.txt");
    }
    if !merged.damaged.is_empty() && !args.replace_damaged {
        let source = hints::word(&named.to_string_lossy());
        call.suggest(format!("amparo merge {source} --replace-damaged"));
    }
    Ok(by_weight(merged.verdict))
}

/// What came of it. `is_part`: the other side left out on purpose what is missing.
pub(super) fn tell(merged: &Merged, call: &mut Call<'_, '_>, is_part: bool) -> Result<(), CliError> {
    let terminal = call.context.terminal.output;
    if merged.is_new() {
        let word = call.set_off("MERGED", Tone::Good, terminal);
        call.print(&format!("{word}: {}, {} in all", came(merged), size(merged.bytes)))?;
    } else {
        call.print("Nothing new: whatever of that copy belongs here was here already.")?;
    }
    for log in merged.logs.iter().filter(|log| log.after > log.before) {
        let new = log.after - log.before;
        call.print(&format!("  {} ({}): {}, now {}", shown(&log.name), log.handle, new_events(new), log.after))?;
    }
    let missing = if is_part { "not in it, and not here yet" } else { "still missing, in neither copy" };
    // What lies there and could not be taken is told as that; of a folder that could not be listed nobody knows.
    let untaken: BTreeSet<&str> = merged.untaken.iter().map(|file| file.path.as_str()).collect();
    let is_unseen = |path: &&String| path.match_indices('/').any(|(at, _)| untaken.contains(&path[..at]));
    let (unseen, absent): (Vec<_>, Vec<_>) =
        merged.missing.iter().filter(|path| !untaken.contains(path.as_str())).partition(is_unseen);
    list(call, missing, &all_shown(absent))?;
    list(call, "still missing, and perhaps in what could not be read of the other copy", &all_shown(unseen))?;
    let untaken: Vec<String> =
        merged.untaken.iter().map(|file| format!("{}: {}", shown(&file.path), shown(&file.reason))).collect();
    list(call, "could not be taken from the other copy", &untaken)?;
    list(call, "damaged here, and whole in the other copy", &all_shown(&merged.damaged))?;
    list(
        call,
        "left in the other copy: nothing signed that can be read here covers it; it is no evidence",
        &all_shown(&merged.foreign),
    )?;
    if merged.disposed > 0 {
        let files = count(merged.disposed, "sealed file");
        call.print(&format!("\nnot brought back: {files} that an owner let be disposed of"))?;
    }
    if merged.interrupted > 0 {
        let files = count(merged.interrupted, "file");
        call.print(&format!(
            "\nstill waiting: {files} of another merge or unpack, which was interrupted. The same command goes on with it; if \
             it never will: amparo merge --clear"
        ))?;
    }
    let forks: Vec<String> = merged.forks.iter().map(told).collect();
    list(call, "contradicting histories: two histories signed with one key, both kept", &forks)?;
    let (sentence, tone) = match merged.verdict {
        Verdict::Valid if merged.blobs == 0 => ("What the custody records name is here.", Tone::Good),
        Verdict::Valid => {
            ("What the custody records name is here. Sealed files were checked as they came.", Tone::Good)
        }
        Verdict::Incomplete if is_part => {
            ("All of it is here. It brings only a part of what the custody records name.", Tone::Good)
        }
        Verdict::Incomplete => ("INCOMPLETE: something is still missing, or could not be taken.", Tone::Careful),
        Verdict::Invalid => ("INVALID: something does not hold; amparo verify tells all of it.", Tone::Bad),
    };
    let sentence = call.set_off(sentence, tone, terminal);
    call.print(&format!("\n{sentence}"))?;
    let others = merged.findings.iter().map(|found| format!("{} ({})", said(found), found.check));
    list(call, "found", &others.collect::<Vec<_>>())
}

fn came(merged: &Merged) -> String {
    let parts = [
        (merged.entries, "custody event"),
        (merged.blobs, "sealed file"),
        (merged.keys, "key"),
        (merged.cosignatures, "cosignature"),
        (merged.states, "signed state"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(*number, noun)).collect();
    crate::cli::output::all_of(&parts)
}

fn new_events(number: u64) -> String {
    if number == 1 { "1 new event".into() } else { format!("{number} new events") }
}

fn told(fork: &Forked) -> String {
    let [one, other] = fork.states;
    format!(
        "{} ({}): they part after {}; one has {}, the other {}",
        shown(&fork.name),
        fork.handle,
        count(fork.parted, "event"),
        count(one.size, "event"),
        count(other.size, "event")
    )
}

fn all_shown<'a>(paths: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    paths.into_iter().map(|path| shown(path)).collect()
}

/// Lines that a terminal can be shown.
fn list(call: &mut Call<'_, '_>, title: &str, lines: &[String]) -> Result<(), CliError> {
    if lines.is_empty() {
        return Ok(());
    }
    call.print(&format!("\n{title}:"))?;
    let most = if call.global.verbose { usize::MAX } else { LISTED_MAX };
    for line in lines.iter().take(most) {
        call.print(&format!("  {line}"))?;
    }
    if lines.len() > most {
        call.print(&format!("  and {} more; --verbose lists them", lines.len() - most))?;
    }
    Ok(())
}

pub(super) fn described(merged: &Merged, granted: Option<&Granted>) -> Value {
    let log = |log: &Growth| {
        json!({
            "log": log.log.to_string(), "member": log.member.to_string(), "name": log.name, "handle": log.handle,
            "before": log.before, "after": log.after,
        })
    };
    let fork = |fork: &Forked| {
        let state = |head: &crate::format::event::Head| json!({ "size": head.size, "root": head.root.to_string() });
        json!({
            "log": fork.log.to_string(), "member": fork.member.to_string(), "name": fork.name, "handle": fork.handle,
            "parted": fork.parted, "states": fork.states.iter().map(state).collect::<Vec<_>>(), "whole": fork.whole,
        })
    };
    let untaken: Vec<Value> =
        merged.untaken.iter().map(|file| json!({ "path": file.path, "reason": file.reason })).collect();
    let findings: Vec<Value> = merged
        .findings
        .iter()
        .map(|found| json!({ "check": found.check.name(), "subject": found.subject, "message": found.message }))
        .collect();
    json!({
        "format": 1,
        "logs": merged.logs.iter().map(log).collect::<Vec<_>>(),
        "entries": merged.entries,
        "blobs": merged.blobs,
        "keys": merged.keys,
        "cosignatures": merged.cosignatures,
        "states": merged.states,
        "bytes": merged.bytes,
        "missing": merged.missing,
        "foreign": merged.foreign,
        "untaken": untaken,
        "damaged": merged.damaged,
        "disposed": merged.disposed,
        "interrupted": merged.interrupted,
        "forks": merged.forks.iter().map(fork).collect::<Vec<_>>(),
        "findings": findings,
        "verdict": merged.verdict.to_string(),
        "given": given_as_json(granted.map_or(&[], |granted| granted.given.as_slice())),
        "awaits": awaited_as_json(granted.map_or(&merged.grantable, |granted| &granted.left), &merged.names),
    })
}
