//! `amparo unpack`: a pouch arrives.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::merge;
use crate::cli::call::Call;
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::{Contact, Place};
use crate::cli::output::shown;
use crate::cli::pieces;
use crate::cli::room::Needs;
use crate::cli::{DONE, Exit, hints};
use crate::store::{Kind, Mode, StoreError};
use crate::vault::VaultError;
use crate::vault::custody::acknowledge::{Acknowledged, Signed, acknowledge_all};
use crate::vault::custody::arrived::Whereabouts;
use crate::vault::custody::{Waiting, waiting};
use crate::vault::findings::Verdict;
use crate::vault::merge::{Arrival as Exhibits, Merged};
use crate::vault::pouch::archive::Archive;
use crate::vault::pouch::opened::Opened;
use crate::vault::pouch::pieces::{Pieces, Spool};
use crate::vault::pouch::unpack::{UnpackRequest, abandon_copy, found_copy, is_bare, unpack};
use crate::vault::session::Person;
use answer::Answer;

mod answer;

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
    let paths: Vec<PathBuf> = args.files.iter().map(|file| call.path(file)).collect();
    within(args, call, |arrival, call| {
        let person = call.person()?;
        let pieces = Pieces::gather(call.context.disk, &paths)?;
        arrival.take_in(pieces, &person, call)
    })
}

/// What comes by `merge`: from a file, or on standard input, into the vault here. `act` looks at what it is.
pub(super) fn comes_here(
    file: &Path,
    grant: bool,
    call: &mut Call<'_, '_>,
    act: impl FnOnce(Arrival<'_>, &mut Call<'_, '_>) -> Result<Exit, CliError>,
) -> Result<Exit, CliError> {
    let args = Args { files: vec![file.to_path_buf()], output: None, salvage: false, sign: false, answer: None, grant };
    within(&args, call, act)
}

/// A pouch, or answers, on the way into a vault.
pub(super) struct Arrival<'r> {
    args: &'r Args,
    /// The vault that takes it in.
    pub(super) vault: PathBuf,
    /// Whether its folder was made for it.
    is_new: bool,
    spool: Option<Spool>,
    answer: Option<&'r Answer>,
}

/// Makes whatever will be written beside the vault, and closes the room around the rest. Nothing of what comes is read
/// before.
fn within(
    args: &Args,
    call: &mut Call<'_, '_>,
    act: impl FnOnce(Arrival<'_>, &mut Call<'_, '_>) -> Result<Exit, CliError>,
) -> Result<Exit, CliError> {
    let vault = match &args.output {
        Some(folder) => target(folder, call)?,
        None => call.vault_folder()?.ok_or(CliError::NoVault)?,
    };
    let answer = Answer::ahead(args, &vault, call)?;
    // Where there is no place for it, much damage is restored slowly.
    let beside = call.split_path(&vault).ok();
    let spool = beside.and_then(|(folder, name)| Spool::begin(call.context.disk, (&folder, &name)).ok());
    let needs = Needs {
        sources: args.files.clone(),
        vault: args.output.is_none().then(|| (vault.clone(), true)),
        folder: args.output.clone().map(|folder| (folder, Mode::Open)),
        outputs: answer.iter().filter_map(Answer::output).collect(),
        identity: true,
    };
    call.confined(&needs, |is_new, call| act(Arrival { args, vault, is_new, spool, answer: answer.as_ref() }, call))
}

/// The folder that a flag names: a vault's, or one that can become one.
fn target(named: &Path, call: &Call<'_, '_>) -> Result<PathBuf, CliError> {
    let folder = call.path(named);
    let disk = call.context.disk;
    let can_be = match disk.stat(&folder) {
        Err(StoreError::Missing { .. }) => true,
        Err(error) => return Err(error.into()),
        Ok(stat) if stat.kind != Kind::Folder => false,
        Ok(_) => call.is_vault(&folder)? || disk.folder(&folder)?.list(None)?.is_empty(),
    };
    if can_be {
        return Ok(folder);
    }
    let message = format!("{} is there and is no vault", shown(&named.to_string_lossy()));
    Err(CliError::Usage { message, hint: Some("name a vault, or a folder that does not exist yet".into()) })
}

impl Arrival<'_> {
    /// Opens it and takes it in.
    pub(super) fn take_in(
        mut self,
        pieces: Pieces,
        person: &Person,
        call: &mut Call<'_, '_>,
    ) -> Result<Exit, CliError> {
        pieces::warn_of_files(&pieces, call);
        if let Some(spool) = self.spool.take() {
            pieces.spool_to(spool);
        }
        let opened = Opened::open(pieces, &[&person.keys.age])?;
        let pouch = Arc::new(Archive::read(opened, &self.args.files[0])?);
        let outcome = self.arrives(&pouch, person, call);
        if outcome.is_err() && self.is_new {
            abandon_copy(&call.parts().setting(), &self.vault);
        }
        outcome.map_err(|error| pieces::or_damage(error, &pouch))
    }

    fn arrives(&self, pouch: &Arc<Archive>, person: &Person, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
        if self.args.output.is_some() && is_bare(&call.parts().setting(), &self.vault)? {
            found_copy(&call.parts().setting(), &self.vault, pouch)?;
        }
        let place = call.place_at(self.vault.clone(), Contact::Must)?;
        take_in(self.args, self.answer, pouch, (&place, person), call)
    }
}

fn take_in(
    args: &Args,
    answer: Option<&Answer>,
    pouch: &Arc<Archive>,
    (place, person): (&Place, &Person),
    call: &mut Call<'_, '_>,
) -> Result<Exit, CliError> {
    let request = UnpackRequest { place: place.request(Some(person)), pouch, salvage: args.salvage };
    let outcome = unpack(&mut call.parts().setting(), &request);
    if let Err(VaultError::Stopped) = outcome {
        call.say("What was copied so far counts for nothing yet; the same command goes on from there.");
    }
    let pieces = pouch.opened().map(Opened::pieces);
    if let Some(pieces) = pieces {
        pieces::warn_of_restored(pieces, call);
    }
    let merged = outcome?;
    if !call.global.json {
        merge::tell(&merged, call, weight(&merged, pouch) == Verdict::Valid)?;
        tell_arrival(&merged, call)?;
    }
    let granted = merge::hand_on::hand_on(args.grant, &merged, place, person, call)?;
    let signed = sign(args, pouch, (place, person), call)?;
    let written = match &answer {
        Some(answer) if !signed.all.is_empty() => Some(answer.write(&signed.all, place, person, call)),
        _ => None,
    };
    // What was signed is told, whatever became of the answer.
    let (answer, unwritten) = match written.transpose() {
        Ok(file) => (file, None),
        Err(error) => (None, Some(error)),
    };
    let discrepancies = signed.all.iter().map(Acknowledged::weight).max().unwrap_or(Verdict::Valid);
    if call.global.json {
        let mut object = merge::described(&merged, granted.as_ref());
        object["whole"] = json!(merged.arrival.whole);
        object["not_whole"] = json!(merged.arrival.damaged);
        object["unseen"] = json!(merged.arrival.unseen);
        object["pouch"] = pieces.map_or(Value::Null, pieces::described);
        object["signed"] = signed.all.iter().map(super::custody::described_acknowledged).collect();
        object["answer"] = answer.as_ref().map_or(Value::Null, |file| json!(file.to_string_lossy()));
        call.print_json(object)?;
    }
    if let Some(error) = signed.failure {
        return Err(error.into());
    }
    if let Some(error) = unwritten {
        return Err(error);
    }
    call.suggest(there(args, "amparo list"));
    Ok(match weight(&merged, pouch).max(discrepancies) {
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
    let lists =
        [("whole", &arrival.whole), ("damaged", &arrival.damaged), ("not seen in it, perhaps lost", &arrival.unseen)];
    for (word, exhibits) in lists.iter().filter(|(_, exhibits)| !exhibits.is_empty()) {
        call.print(&format!("{word}: {}", Exhibits::listed(exhibits)))?;
    }
    Ok(())
}

/// Asks once whether the person signs for what was offered to her and came with this pouch.
fn sign(
    args: &Args,
    pouch: &Archive,
    (place, person): (&Place, &Person),
    call: &mut Call<'_, '_>,
) -> Result<Signed, CliError> {
    let mut offers = waiting(&mut call.parts().setting(), &place.request(Some(person)), Some(pouch))?;
    let others: Vec<Waiting> = offers.extract_if(.., |offer| offer.whereabouts != Whereabouts::CameNow).collect();
    for Waiting { offer, from, whereabouts, .. } in &others {
        let from = shown(from);
        let command = there(args, &format!("amparo custody acknowledge {offer}"));
        call.say(&match whereabouts {
            Whereabouts::OnTheRoad => format!("{offer} of {from} is not all here, and is not signed for."),
            _ => format!("{offer} of {from} came earlier, and still waits: {command}"),
        });
    }
    if offers.is_empty() {
        if args.sign {
            call.say("Nothing of this waits for your signature. An answer that got lost is written anew:");
            let file = args.answer.as_deref().map_or("answer.txt".into(), |file| hints::word(&file.to_string_lossy()));
            call.say(&format!("  {}", hints::checked(format!("amparo pack --answers --to MEMBER -o {file}"))));
        }
        return Ok(Signed::default());
    }
    if !args.sign && !agrees(&offers, call)? {
        call.suggest(there(args, "amparo custody acknowledge"));
        return Ok(Signed::default());
    }
    let labels: Vec<&str> = offers.iter().map(|waiting| waiting.offer.as_str()).collect();
    let signed = acknowledge_all(&mut call.parts().setting(), &place.request(Some(person)), &labels)?;
    if !call.global.json {
        for one in &signed.all {
            super::custody::tell_acknowledged(one, call)?;
        }
    }
    Ok(signed)
}

/// A command about the vault that took it in, which may lie elsewhere.
fn there(args: &Args, command: &str) -> String {
    let folder = args.output.as_ref().map(|folder| hints::word(&folder.to_string_lossy()));
    folder.map_or_else(|| command.to_string(), |folder| format!("{command} --vault {folder}"))
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
