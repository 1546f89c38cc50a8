//! `amparo unpack`: a pouch arrives.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::merge;
use crate::cli::call::Call;
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::{Contact, Place};
use crate::cli::output::{Tone, all_of, shown};
use crate::cli::room::{Needs, Output};
use crate::cli::{DONE, Exit, hints};
use crate::store::{Kind, Mode, StoreError};
use crate::vault::VaultError;
use crate::vault::custody::acknowledge::{AcknowledgeRequest, acknowledge};
use crate::vault::custody::offer::{Circumstances, Receiver};
use crate::vault::custody::{Waiting, waiting};
use crate::vault::findings::Verdict;
use crate::vault::merge::Merged;
use crate::vault::pouch::archive::Archive;
use crate::vault::pouch::opened::Opened;
use crate::vault::pouch::pack::{PackRequest, answers};
use crate::vault::pouch::pieces::Pieces;
use crate::vault::pouch::unpack::{UnpackRequest, abandon_copy, found_copy, is_bare, unpack};
use crate::vault::session::Person;

/// Take in a pouch: into a new folder, or into your copy of the vault
///
/// All of it is verified before anything counts. What is here already is not taken twice, and what was interrupted goes on
/// where it stopped. What was packed for you as a handover asks once whether you sign for it; your answer becomes a small text
/// that can go back by mail or phone.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo unpack holiday.bin -o evidence
  amparo unpack holiday.bin
  amparo unpack holiday.bin --sign --answer answer.txt
  amparo unpack holiday.bin --salvage")]
pub(crate) struct Args {
    /// The pouch; its volumes and its parity file in any order, or a folder of them
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The vault that takes it in, or a new folder; else the vault here
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Take what is whole from a damaged pouch
    #[arg(long)]
    salvage: bool,
    /// Sign for what arrived, without asking
    #[arg(long)]
    sign: bool,
    /// Where your answer is written; else beside you, named after the pouch
    #[arg(long, value_name = "FILE")]
    answer: Option<PathBuf>,
    /// Hand the keys that you hold to members who await them, without asking
    #[arg(long)]
    grant: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    if let Some(answer) = &args.answer {
        call.must_be_free(answer)?;
    }
    let output = args.output.as_deref();
    let vault = match output {
        None => Some((call.vault_folder()?.ok_or(CliError::NoVault)?, true)),
        Some(_) => None,
    };
    let needs = Needs {
        sources: args.files.clone(),
        vault,
        folder: output.map(|folder| (folder.to_path_buf(), Mode::Open)),
        outputs: answer_made_ahead(args, call)?,
        identity: true,
    };
    call.confined(&needs, |is_new, call| unpack_into(args, is_new, call))
}

/// Where an answer may have to be written, as long as it is not known whether anything was offered.
fn answer_made_ahead(args: &Args, call: &Call<'_, '_>) -> Result<Vec<Output>, CliError> {
    Ok(match &args.answer {
        Some(file) => vec![Output::named(file, Mode::Open, false)],
        None if args.sign || call.interactive() => {
            vec![Output { perhaps: true, ..Output::named(&free_name(&args.files[0], call)?, Mode::Open, false) }]
        }
        None => Vec::new(),
    })
}

/// `is_new`: the folder that is named was made just now, and has nothing in it.
fn unpack_into(args: &Args, is_new: bool, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let person = call.person()?;
    let pouch = open(&args.files, &person, call)?;
    let (place, made) = target(args.output.as_deref(), is_new, &pouch, call)?;
    let outcome = take_in(args, &pouch, &place, &person, call);
    if outcome.is_err() && made {
        abandon_copy(&call.parts().setting(), &place.vault);
    }
    outcome
}

/// Answers that came as a file, into the vault here: `merge FILE`.
pub(super) fn take_in_here(file: &Path, grant: bool, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let args = Args { files: vec![file.to_path_buf()], output: None, salvage: false, sign: false, answer: None, grant };
    run(&args, call)
}

fn open(files: &[PathBuf], person: &Person, call: &mut Call<'_, '_>) -> Result<Arc<Archive>, CliError> {
    let paths: Vec<PathBuf> = files.iter().map(|file| call.path(file)).collect();
    let pieces = Pieces::gather(call.context.disk, &paths)?;
    for stranger in pieces.unknown() {
        call.warn(&format!("{} is no part of the pouch", shown(&stranger.to_string_lossy())));
    }
    let opened = Opened::open(pieces, &[&person.keys.age])?;
    Ok(Arc::new(Archive::read(opened, &files[0])?))
}

/// The vault that takes it in, and whether its folder was just made.
fn target(
    output: Option<&Path>,
    is_new: bool,
    pouch: &Archive,
    call: &mut Call<'_, '_>,
) -> Result<(Place, bool), CliError> {
    let Some(named) = output else { return Ok((call.place(Contact::Must)?, false)) };
    let folder = call.path(named);
    if is_new {
        found_copy(&call.parts().setting(), &folder, pouch)?;
        return match call.place_at(folder.clone(), Contact::Must) {
            Ok(place) => Ok((place, true)),
            Err(error) => {
                abandon_copy(&call.parts().setting(), &folder);
                Err(error)
            }
        };
    }
    match call.context.disk.stat(&folder) {
        Err(error) => Err(error.into()),
        Ok(stat) if stat.kind == Kind::Folder && is_bare(&call.parts().setting(), &folder)? => {
            found_copy(&call.parts().setting(), &folder, pouch)?;
            Ok((call.place_at(folder, Contact::Must)?, false))
        }
        Ok(_) if call.is_vault(&folder)? => Ok((call.place_at(folder, Contact::Must)?, false)),
        Ok(_) => {
            let message = format!("{} is there and is no vault", shown(&named.to_string_lossy()));
            Err(CliError::Usage { message, hint: Some("name a vault, or a folder that does not exist yet".into()) })
        }
    }
}

fn take_in(
    args: &Args,
    pouch: &Arc<Archive>,
    place: &Place,
    person: &Person,
    call: &mut Call<'_, '_>,
) -> Result<Exit, CliError> {
    if let Some(answer) = &args.answer {
        call.must_be_outside(&place.vault, answer)?;
    }
    let request = UnpackRequest { place: place.request(Some(person)), pouch, salvage: args.salvage };
    let outcome = unpack(&mut call.parts().setting(), &request);
    if let Err(VaultError::Stopped) = outcome {
        call.say("What was copied so far counts for nothing yet; the same command goes on from there.");
    }
    let merged = outcome?;
    if !call.global.json {
        merge::tell(&merged, call, weight(&merged, pouch) == Verdict::Valid)?;
        tell_arrival(&merged, call)?;
    }
    let granted = merge::hand_on::hand_on(args.grant, &merged, place, person, call)?;
    let answer = sign(args, place, person, call)?;
    if call.global.json {
        let mut object = merge::described(&merged, granted.as_ref());
        object["whole"] = json!(merged.arrival.whole);
        object["not_whole"] = json!(merged.arrival.damaged);
        object["answer"] = answer.as_ref().map_or(Value::Null, |file| json!(file.to_string_lossy()));
        call.print_json(object)?;
    }
    call.suggest("amparo list");
    Ok(match weight(&merged, pouch) {
        Verdict::Valid => DONE,
        weight => by_weight(weight),
    })
}

/// What a pouch leaves out on purpose is no fault of it: only what it should have brought.
fn weight(merged: &Merged, pouch: &Archive) -> Verdict {
    let found = merged.findings.iter().map(|finding| finding.weight).max().unwrap_or(Verdict::Valid);
    let damaged = !merged.untaken.is_empty() || pouch.has_gaps();
    found.max(if damaged { Verdict::Incomplete } else { Verdict::Valid })
}

fn tell_arrival(merged: &Merged, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let arrival = &merged.arrival;
    if !arrival.whole.is_empty() {
        call.print(&format!("whole: {}", arrival.whole.join(", ")))?;
    }
    if !arrival.damaged.is_empty() {
        call.print(&format!("damaged: {}", arrival.damaged.join(", ")))?;
    }
    Ok(())
}

/// Asks once whether the person signs for what was offered to her; where her answer was written.
fn sign(args: &Args, place: &Place, person: &Person, call: &mut Call<'_, '_>) -> Result<Option<PathBuf>, CliError> {
    let offers = waiting(&mut call.parts().setting(), &place.request(Some(person)))?;
    let (offers, on_the_road): (Vec<Waiting>, Vec<Waiting>) = offers.into_iter().partition(|waiting| waiting.is_here);
    for waiting in &on_the_road {
        call.say(&format!("{} of {} is not all here, and is not signed for.", waiting.offer, shown(&waiting.from)));
    }
    if offers.is_empty() {
        return Ok(None);
    }
    if !args.sign && !agrees(&offers, call)? {
        call.suggest("amparo custody acknowledge");
        return Ok(None);
    }
    for waiting in &offers {
        let request =
            AcknowledgeRequest { place: place.request(Some(person)), offer: Some(&waiting.offer), sign_older: false };
        let signed = acknowledge(&mut call.parts().setting(), &request)?;
        if !call.global.json {
            super::custody::tell_acknowledged(&signed, call)?;
        }
    }
    answer(args, &offers, place, person, call).map(Some)
}

fn agrees(offers: &[Waiting], call: &mut Call<'_, '_>) -> Result<bool, CliError> {
    for waiting in offers {
        let line = format!("{} of {} waits for your signature.", waiting.offer, shown(&waiting.from));
        if call.interactive() { call.talk(&line) } else { call.say(&line) }
    }
    if !call.interactive() {
        return Ok(false);
    }
    let answer = call.ask_line("Check every hash and sign for it? Type yes, or press Enter to leave it:")?;
    Ok(answer.is_some_and(|answer| answer.eq_ignore_ascii_case("yes")))
}

/// Writes what goes back to those who offered.
fn answer(
    args: &Args,
    offers: &[Waiting],
    place: &Place,
    person: &Person,
    call: &mut Call<'_, '_>,
) -> Result<PathBuf, CliError> {
    let file = match &args.answer {
        Some(file) => file.clone(),
        None => free_name(&args.files[0], call)?,
    };
    call.must_be_outside(&place.vault, &file)?;
    let to: Vec<Receiver> =
        offers.iter().map(|waiting| Receiver { typed: waiting.member.to_string(), card: None }).collect();
    let (folder, name) = call.split_path(&file)?;
    let request = PackRequest {
        place: place.request(Some(person)),
        to: &to,
        ids: &[],
        told: &Circumstances::default(),
        out: (&folder, &name),
        parity: None,
        volume_bytes: None,
    };
    let packed = answers(&mut call.parts().setting(), &request)?;
    let names: Vec<String> = packed.to.iter().map(|(_, name)| shown(name)).collect();
    if !call.global.json {
        let terminal = call.context.terminal.output;
        let word = call.set_off("ANSWER", Tone::Good, terminal);
        let typed = hints::word(&file.to_string_lossy());
        call.print(&format!(
            "{word} {} for {}: send it back, as a file or as text",
            shown(&file.to_string_lossy()),
            all_of(&names)
        ))?;
        call.say(&format!("They type {}.", hints::checked(format!("amparo merge {typed}"))));
    }
    Ok(file)
}

/// A name beside the person that is free.
fn free_name(pouch: &Path, call: &Call<'_, '_>) -> Result<PathBuf, CliError> {
    let stem = pouch.file_stem().map_or_else(|| "pouch".into(), |stem| stem.to_string_lossy().into_owned());
    let mut names =
        std::iter::once(format!("{stem}.answer")).chain((2..1000).map(|number| format!("{stem}-{number}.answer")));
    let free = names
        .find(|name| matches!(call.context.disk.stat(&call.path(Path::new(name))), Err(StoreError::Missing { .. })));
    free.map(PathBuf::from).ok_or_else(|| CliError::Exists { path: format!("{stem}.answer").into() })
}
