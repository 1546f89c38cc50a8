//! `amparo pack`: what others lack of this vault, in one file for the road.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::custody::told::{Told, receiver};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{Tone, all_of, count, shown, size};
use crate::cli::{DONE, Exit, hints};
use crate::vault::pouch::pack::{PackRequest, Packed, answers, pack};

/// More than these are counted, and listed with --verbose.
const LISTED_MAX: usize = 10;

/// Put what others lack of this vault into one encrypted file, the pouch
///
/// Only those for whom it is made can open it; whoever carries it cannot, and neither can you afterwards. It tells nobody what
/// is in it, for whom, or how much but roughly. Without exhibits, all goes that they have not acknowledged; custody records
/// and keys always go. The pouch is the offer: it asks them to sign for what arrives. With --answers it is a short text without
/// sealed files, for mail or a phone: what you signed, and what they have not seen of the custody record.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo pack --to \"Grey Owl\" -o holiday.bin
  amparo pack --to \"Grey Owl\" --to red-kite.card -o holiday.bin K7-0001 K7-0002 --carrier \"Blue Tit\"
  amparo pack --answers --to \"Blue Heron\" -o answer.txt")]
pub(crate) struct Args {
    /// Exhibits, or an offer of yours; none for all that they have not acknowledged
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// For whom, several times for several: a pseudonym, the digits or id of a member, or the file of a card
    #[arg(long, value_name = "MEMBER|CARD", required = true)]
    to: Vec<String>,
    /// The pouch; its name is seen by everybody
    #[arg(short, long, value_name = "FILE", required = true)]
    output: PathBuf,
    /// No sealed files: a text for mail or a phone
    #[arg(long, conflicts_with_all = ["ids", "medium", "seal_no", "condition", "carrier", "place", "purpose", "authority"])]
    answers: bool,
    #[command(flatten)]
    told: Told,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    call.must_be_free(&args.output)?;
    let place = call.place(Contact::Must)?;
    call.must_be_outside(&place.vault, &args.output)?;
    let person = call.person()?;
    let to = args.to.iter().map(|to| receiver(to, call)).collect::<Result<Vec<_>, _>>()?;
    let told = if args.answers { Default::default() } else { args.told.ask(call)? };
    let (folder, name) = call.split_path(&args.output)?;
    let request = PackRequest {
        place: place.request(Some(&person)),
        to: &to,
        ids: &args.ids,
        told: &told,
        out: (&folder, &name),
    };
    let make = if args.answers { answers } else { pack };
    let packed = make(&mut call.parts().setting(), &request)?;
    warn(&packed, call);
    if call.global.json {
        call.print_json(described(&packed, &args.output))?;
    } else {
        tell(&packed, &args.output, call)?;
    }
    Ok(if packed.lacking.is_empty() { DONE } else { crate::cli::INCOMPLETE })
}

fn warn(packed: &Packed, call: &mut Call<'_, '_>) {
    for id in &packed.withdrawn {
        call.warn(&format!("{id} is not in it: consent was withdrawn"));
    }
    if !packed.lacking.is_empty() {
        let files = count(packed.lacking.len() as u64, "file");
        call.warn(&format!("{files} that belong into it are not here, or damaged; amparo verify tells which"));
    }
}

fn tell(packed: &Packed, output: &Path, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let names: Vec<String> = packed.to.iter().map(|(_, name)| shown(name)).collect();
    let (file, terminal) = (shown(&output.to_string_lossy()), call.context.terminal.output);
    let word = call.set_off("PACKED", Tone::Good, terminal);
    call.print(&format!(
        "{word} {file} for {}: {}, {}",
        all_of(&names),
        what(packed, call.global.verbose),
        size(packed.bytes)
    ))?;
    for (label, name) in &packed.offers {
        call.print(&format!("  {label} offers it to {}: pending until the answer is in your copy", shown(name)))?;
    }
    let typed = hints::word(&output.to_string_lossy());
    if packed.said.is_none() {
        call.say("Send it as a file or as text. They type:");
        call.say(&format!("  {}", hints::checked(format!("amparo merge {typed}"))));
        return Ok(());
    }
    call.say(&format!("SHA-256, to be compared by another road: {}", packed.sha256));
    call.say("Whoever carries it needs no key, and should have none. Receivers type:");
    call.say(&format!("  {}", hints::checked(format!("amparo unpack {typed} -o evidence"))));
    call.suggest(format!("amparo verify {typed}"));
    Ok(())
}

fn what(packed: &Packed, verbose: bool) -> String {
    if packed.said.is_none() {
        return format!("custody records, {}", count(packed.files, "file"));
    }
    match packed.exhibits.len() {
        0 => "custody records and keys, no exhibits".into(),
        number if number <= LISTED_MAX || verbose => packed.exhibits.join(", "),
        number => count(number as u64, "exhibit"),
    }
}

fn described(packed: &Packed, output: &Path) -> Value {
    let to: Vec<Value> =
        packed.to.iter().map(|(member, name)| json!({ "member": member.to_string(), "name": name })).collect();
    let offers: Vec<Value> =
        packed.offers.iter().map(|(label, name)| json!({ "offer": label, "to_name": name })).collect();
    json!({
        "format": 1, "pouch": output.to_string_lossy(), "bytes": packed.bytes, "sha256": packed.sha256.to_string(),
        "to": to, "offers": offers, "entry": packed.said.as_ref().map(|said| said.label.clone()),
        "exhibits": packed.exhibits, "everything": packed.everything, "known": packed.known,
        "withdrawn": packed.withdrawn, "lacking": packed.lacking,
    })
}
