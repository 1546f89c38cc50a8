//! `amparo open`: verified bytes under safe names.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::lend;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{count, shown, size};
use crate::cli::room::Needs;
use crate::cli::{DONE, Exit};
use crate::store::Mode;
use crate::vault::open::{OpenRequest, Opened, left_beside, open, open_to};

/// Open exhibits: verified bytes under safe names
///
/// Each exhibit gets a folder of its own in DIR, with its content and its record. A file appears under its name only
/// when the whole exhibit was checked. Who opened what is entered in the custody record.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo open K7-0001 -o opened
  amparo open K7-0001 --stdout > testimony.txt
  amparo open K7-0001 -o opened --share from-tern.txt")]
pub(crate) struct Args {
    /// The exhibits
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// The folder to put them in
    #[arg(short, long, value_name = "DIR", required_unless_present = "stdout")]
    output: Option<PathBuf>,
    /// Write the content of one exhibit to standard output
    #[arg(long, conflicts_with = "output")]
    stdout: bool,
    /// Replace what an earlier opening left there
    #[arg(long)]
    overwrite: bool,
    /// Why it is opened although consent was withdrawn; entered in the custody record
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// A share of the key that another reader lent you, where several must come together
    #[arg(long, value_name = "FILE")]
    share: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let to_stdout = args.stdout || args.output.as_deref().is_some_and(is_dash);
    if to_stdout && call.context.terminal.output {
        let message = "a terminal would obey what stands in an exhibit, and remember it".into();
        return Err(CliError::Usage { message, hint: Some(format!("amparo open {} -o opened", args.ids[0])) });
    }
    if to_stdout && call.global.json {
        let message = "the content and the JSON cannot both go to standard output".into();
        return Err(CliError::Usage { message, hint: Some("name a folder with -o DIR".into()) });
    }
    let vault = call.vault_folder()?.ok_or(CliError::NoVault)?;
    let folder = args.output.as_deref().filter(|output| !is_dash(output));
    if let Some(output) = folder {
        call.must_be_outside(&vault, output)?;
    }
    let needs = Needs {
        sources: args.share.clone(),
        vault: Some((vault.clone(), true)),
        folder: folder.map(|folder| (folder.to_path_buf(), Mode::Private)),
        identity: true,
        ..Needs::default()
    };
    call.confined(&needs, |_, call| open_from(vault, args, to_stdout, call))
}

fn open_from(vault: PathBuf, args: &Args, to_stdout: bool, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place_at(vault, Contact::Must)?;
    let mut person = call.person()?;
    person.lent = call.lent(&args.share)?;
    if !args.reason.is_empty() {
        call.warn_of_words();
    }
    let out = call.path(args.output.as_deref().unwrap_or(Path::new("-")));
    let request = OpenRequest {
        place: place.request(Some(&person)),
        ids: &args.ids,
        out: &out,
        overwrite: args.overwrite,
        reason: &args.reason,
    };
    let mut parts = call.parts();
    let opened = if to_stdout {
        let (mut setting, _, stdout) = parts.split();
        open_to(&mut setting, &request, stdout)
    } else {
        open(&mut parts.setting(), &request)
    };
    drop(parts);
    if !to_stdout {
        warn_of_left(&out, &args.ids, call);
    }
    let mut opened = opened?;
    let failure = opened.failure.take();
    call.warn_of_others(&opened.overlooked);
    for (section, lenders) in &opened.met {
        call.warn(&lend::met(section, lenders));
    }
    if let Some(error) = &opened.unrecorded {
        call.warn(&format!("the opening could not be entered in the custody record: {}", shown(&error.to_string())));
    }
    if call.global.json {
        call.print_json(described(&opened))?;
    } else if to_stdout {
        if failure.is_none() {
            call.say(&format!("Opened {}.", opened.exhibits[0].id));
        }
        if opened.unrecorded.is_none() {
            call.say("The opening stands in the custody record.");
        }
    } else {
        tell(&opened, call)?;
    }
    Ok(failure.map_or(DONE, |error| call.tell(&error.into())))
}

fn warn_of_left(out: &Path, ids: &[String], call: &mut Call<'_, '_>) {
    for path in left_beside(call.context.disk, out, ids) {
        call.warn(&format!(
            "left of an opening that was cut short, or a stranger's, and perhaps readable here: {}; look at it, and delete it",
            shown(&path.to_string_lossy())
        ));
    }
}

fn tell(opened: &Opened, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    for exhibit in &opened.exhibits {
        let path = shown(&exhibit.path.to_string_lossy());
        call.print(&format!("OPENED {}  {}  {path}", exhibit.id, size(exhibit.bytes)))?;
    }
    call.say(&format!(
        "{} checked wholly and readable here by anyone who has this device.",
        count(opened.exhibits.len() as u64, "exhibit")
    ));
    if opened.unrecorded.is_none() {
        call.say("The opening stands in the custody record.");
    }
    call.suggest("amparo verify");
    Ok(())
}

fn described(opened: &Opened) -> Value {
    let exhibits: Vec<Value> = opened
        .exhibits
        .iter()
        .map(|exhibit| {
            json!({
                "id": exhibit.id,
                "path": exhibit.path.to_string_lossy(),
                "bytes": exhibit.bytes,
                "sha256": exhibit.sha256.to_string(),
            })
        })
        .collect();
    let met: Vec<Value> =
        opened.met.iter().map(|(section, lenders)| json!({ "section": section, "lenders": lenders })).collect();
    json!({ "format": 1, "exhibits": exhibits, "recorded": opened.unrecorded.is_none(), "shares_met": met })
}
