//! `amparo pack`: what others lack of this vault, in one file for the road.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::custody::told::{Told, receiver};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{Tone, all_of, count, shown, size};
use crate::cli::{DONE, Exit, hints};
use crate::vault::custody::offer::Circumstances;
use crate::vault::merge::Arrival;
use crate::vault::pouch::absent::Absent;
use crate::vault::pouch::pack::{PackRequest, Packed, answers, pack, pack_custody};
use crate::vault::pouch::unfinished::Mark;

/// More than these are counted, and listed with --verbose.
const LISTED_MAX: usize = 10;
/// More files than these nobody types.
const FILES_TYPED_MAX: usize = 4;

/// Put what others lack of this vault into one encrypted file, the pouch
///
/// Only those for whom it is made can open it; whoever carries it cannot, and neither can you afterwards. It tells nobody
/// what is in it, for whom, or how much but roughly. Without exhibits, all goes that they have not acknowledged and did not
/// seal themselves; all goes with an offer of everything, made by `amparo custody offer`. Custody records and keys always go, and with --no-exhibits they go alone. The
/// pouch is the offer: it asks them to sign for what arrives; one without exhibits asks for nothing, and is answered by
/// whatever they sign next. What cannot become a pouch is refused before anything is offered; where the disk fails later, the
/// offer stands, and the same command packs it. With --answers it is a short text without sealed files, for mail or a phone:
/// what you signed, and what they have not seen of the custody record.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo pack --to \"Grey Owl\" -o holiday.bin
  amparo pack --to \"Grey Owl\" -o holiday.bin --parity 30% --volumes 700MiB
  amparo pack --to \"Grey Owl\" --to red-kite.card -o holiday.bin K7-0001 K7-0002 --carrier \"Blue Tit\"
  amparo pack --to \"Grey Owl\" -o first.bin --no-exhibits
  amparo pack --answers --to \"Blue Heron\" -o answer.txt")]
pub(crate) struct Args {
    /// Exhibits, or an offer of yours; none for all that they neither acknowledged nor sealed
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// For whom, several times for several: a pseudonym, the digits or id of a member, or the file of a card
    #[arg(long, value_name = "MEMBER|CARD", required = true)]
    to: Vec<String>,
    /// The pouch; its name is seen by everybody
    #[arg(short, long, value_name = "FILE", required = true)]
    output: PathBuf,
    /// Make a second file that restores the pouch when so much of both is lost: 1 to 100 percent, counted in cells of 4 KiB (up
    /// to 32 KiB in pouches above 16 GiB): a byte that is lost takes its cell with it
    #[arg(long, value_name = "P%", value_parser = percent, conflicts_with = "answers")]
    parity: Option<u16>,
    /// Cut both into files of at most this size, for FAT32 (at most 4000MiB), several couriers, or mail; how many of them
    /// may be missing is said
    #[arg(long, value_name = "SIZE", value_parser = bytes, conflicts_with = "answers")]
    volumes: Option<u64>,
    /// Custody records and keys, and no exhibit: the first pouch to a newcomer, who then has the vault and awaits the evidence
    #[arg(long, conflicts_with_all = ["answers", "ids", "medium", "seal_no", "condition", "carrier", "place", "purpose", "authority"])]
    no_exhibits: bool,
    /// No sealed files: a text for mail or a phone
    #[arg(long, conflicts_with_all = ["ids", "medium", "seal_no", "condition", "carrier", "place", "purpose", "authority"])]
    answers: bool,
    #[command(flatten)]
    told: Told,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    call.must_be_free_or_unfinished(&args.output)?;
    let place = call.place(Contact::Must)?;
    call.must_be_outside(&place.vault, &args.output)?;
    let person = call.person()?;
    let to = args.to.iter().map(|to| receiver(to, call)).collect::<Result<Vec<_>, _>>()?;
    let told = match args {
        Args { answers: true, .. } | Args { no_exhibits: true, .. } => Circumstances::default(),
        // Of an offer that stands everything was told.
        Args { ids, to, .. } if to.len() == 1 && !ids.is_empty() && ids.iter().all(|id| id.contains(':')) => {
            args.told.given()
        }
        _ => args.told.ask(call)?,
    };
    let (folder, name) = call.split_path(&args.output)?;
    let request = PackRequest {
        place: place.request(Some(&person)),
        to: &to,
        ids: &args.ids,
        told: &told,
        out: (&folder, &name),
        parity: args.parity,
        volume_bytes: args.volumes,
    };
    let packed = if args.answers {
        let mark = Mark::file(call.context.disk, request.out)?;
        answers(&mut call.parts().setting(), &request, &mark)?
    } else if args.no_exhibits {
        pack_custody(&mut call.parts().setting(), &request)?
    } else {
        pack(&mut call.parts().setting(), &request)?
    };
    warn(&packed, call);
    if call.global.json {
        call.print_json(described(&packed, &args.output))?;
    } else {
        tell(&packed, &args.output, call)?;
    }
    Ok(if packed.lacking.is_empty() { DONE } else { crate::cli::INCOMPLETE })
}

/// `10%`, or `10`.
fn percent(text: &str) -> Result<u16, String> {
    let number = text.strip_suffix('%').unwrap_or(text).parse().ok();
    number.filter(|number| (1..=100).contains(number)).ok_or_else(|| "from 1% to 100%".into())
}

/// `2GiB`, `700MB`, `650000`: a number, and a unit of 1024 or 1000.
fn bytes(text: &str) -> Result<u64, String> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "kb" => 1000,
        "m" | "mib" => 1 << 20,
        "mb" => 1_000_000,
        "g" | "gib" => 1 << 30,
        "gb" => 1_000_000_000,
        _ => return Err("a number and a unit: 2GiB, 700MB".into()),
    };
    let number = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    number.ok_or_else(|| "a number and a unit: 2GiB, 700MB".into())
}

fn warn(packed: &Packed, call: &mut Call<'_, '_>) {
    for id in packed.withdrawn.iter().filter(|id| !packed.withdrawn_records.contains(id)) {
        call.warn(&format!("{id} is not in it: consent was withdrawn"));
    }
    for id in &packed.withdrawn_records {
        call.warn(&format!(
            "consent for {id} was withdrawn: its sealed files are not in it, but its record is, in one manifest with those of \
             what was sealed with it"
        ));
    }
    if !packed.broken.is_empty() {
        call.warn(&format!(
            "in it only in part, for the rest is damaged here, or not here: {}",
            Arrival::listed(&packed.broken)
        ));
    }
    if !packed.lacking.is_empty() {
        let files = count(packed.lacking.len() as u64, "file");
        call.warn(&format!(
            "{files} that belong into it are not here, damaged, or not to be read; amparo verify tells which"
        ));
    }
}

fn tell(packed: &Packed, output: &Path, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let names: Vec<String> = packed.to.iter().map(|(_, name)| shown(name)).collect();
    let (file, terminal) = (shown(&output.to_string_lossy()), call.context.terminal.output);
    let (word, what) = (call.set_off("PACKED", Tone::Good, terminal), what(packed, call.global.verbose));
    call.print(&format!("{word} {file} for {}: {what}, {}", all_of(&names), size(packed.bytes)))?;
    for (label, name) in &packed.offers {
        call.print(&format!("  {label} offers it to {}: pending until the answer is in your copy", shown(name)))?;
    }
    if packed.said.is_none() {
        let typed = hints::word(&output.to_string_lossy());
        call.say(&format!("SHA-256 of the text, to be compared by another road: {}", packed.sha256));
        call.say("Send it as a file or as text. They type:");
        call.say(&format!("  {}", hints::checked(format!("amparo merge {typed}"))));
        return Ok(());
    }
    if packed.exhibits.is_empty() && packed.offers.is_empty() {
        call.print("  it offers nothing: whatever they sign next answers it")?;
    }
    if packed.known > 0 {
        let known = count(packed.known, "exhibit");
        call.print(&format!("  not in it: {known}, which they signed for or sealed themselves"))?;
        call.say("Where such a copy was lost, offer everything, and pack that offer:");
        for (_, name) in &packed.to {
            call.say(&format!("  {}", hints::checked(format!("amparo custody offer --to {}", hints::word(name)))));
        }
    }
    let (pouch, parity) = &packed.made;
    if pouch.len() > 1 {
        call.print(&format!("  in {}: {}", count(pouch.len() as u64, "volume"), span(pouch)))?;
    }
    if !parity.is_empty() {
        call.print(&format!("  what restores it: {}", span(parity)))?;
    }
    if let Some(absent) = packed.absent {
        call.print(&format!("  {}", said_of(absent)))?;
    }
    call.say(&format!("SHA-256 of the pouch, to be compared by another road: {}", packed.sha256));
    call.say("Whoever carries it needs no key, and should have none. Receivers type:");
    let files: Vec<String> = [pouch, parity].into_iter().flatten().map(|file| beside(output, file)).collect();
    // Many files are named by the folder that they lie in.
    let files = if files.len() > FILES_TYPED_MAX { "FOLDER".into() } else { files.join(" ") };
    call.say(&format!("  {}", hints::checked(format!("amparo unpack {files} -o evidence"))));
    // Without parity nothing else shows that what lies there is whole.
    let sent = if parity.is_empty() { format!(" --sha256 {}", packed.sha256) } else { String::new() };
    call.suggest(format!("amparo verify {files}{sent}"));
    Ok(())
}

/// How many files may be missing, or what would let one be.
fn said_of(absent: Absent) -> String {
    match absent {
        Absent { may_be_missing: 0, share_for_one: Some(share), .. } => format!(
            "none of these may be missing; one could be with --parity {share}%, and with less where volumes are smaller"
        ),
        Absent { may_be_missing: 0, .. } => {
            "none of these may be missing; some could be with --parity and smaller volumes".into()
        }
        Absent { files, may_be_missing, .. } => {
            format!("any {may_be_missing} of these {files} files may be missing, when the others arrive whole")
        }
    }
}

/// The first and the last of several files.
fn span(files: &[String]) -> String {
    match files {
        [first, .., last] => format!("{} to {}", shown(first), shown(last)),
        files => files.iter().map(|file| shown(file)).collect(),
    }
}

/// A file beside the one that was named, as a shell needs it.
fn beside(output: &Path, name: &str) -> String {
    hints::word(&output.with_file_name(name).to_string_lossy())
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
        "format": 1, "pouch": output.to_string_lossy(), "files": packed.made.0, "parity": packed.made.1, "bytes": packed.bytes, "sha256": packed.sha256.to_string(),
        "to": to, "offers": offers, "entry": packed.said.as_ref().map(|said| said.label.clone()),
        "exhibits": packed.exhibits, "everything": packed.everything, "known": packed.known,
        "withdrawn": packed.withdrawn, "withdrawn_records": packed.withdrawn_records, "broken": packed.broken,
        "lacking": packed.lacking, "may_be_missing": packed.absent.map(|absent| absent.may_be_missing),
    })
}
