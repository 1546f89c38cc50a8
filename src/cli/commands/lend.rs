//! `amparo identity lend`: hand one's share of a content key to another reader, for an opening.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{all_of, shown};
use crate::cli::{DONE, Exit, hints};
use crate::format::role::Section;
use crate::store::Mode;
use crate::vault::lend::{LendRequest, lend};

/// Lend your share of a key to another reader, for an opening
///
/// Where several readers must come together, one of them opens with the shares that the others lend. The file is
/// encrypted to that reader alone and may go by mail or by phone; the lending stands in the custody record. A share is
/// of the key of a section, not of one exhibit: where enough of them meet, that reader could keep the key. Lend only to
/// whom you would trust with all of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo identity lend --to \"Grey Owl\" -o for-grey-owl.txt
  amparo identity lend --to grey-owl.card --section register -o for-grey-owl.txt")]
pub(crate) struct Args {
    /// The reader who opens: pseudonym, digits, or a card file
    #[arg(long, value_name = "MEMBER")]
    to: String,
    /// The section
    #[arg(long, value_name = "S", default_value = "main")]
    section: Section,
    /// Which of the section's keys, counted from 0; else the newest
    #[arg(long, value_name = "N")]
    epoch: Option<u32>,
    /// Write it to this file; else it is printed
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let output = args.output.clone().filter(|output| !is_dash(output));
    if let (Some(output), false) = (&output, args.overwrite) {
        call.must_be_free(output)?;
    }
    let place = call.place(Contact::Must)?;
    // A card names its member; what it says beside that is the vault's to know.
    let card = PathBuf::from(&args.to);
    let to = match call.context.disk.stat(&call.path(&card)) {
        Ok(_) => call.card(&card)?.member().to_string(),
        Err(_) => args.to.clone(),
    };
    let person = call.person()?;
    let request =
        LendRequest { place: place.request(Some(&person)), to: &to, section: &args.section, epoch: args.epoch };
    let lending = lend(&mut call.parts().setting(), &request)?;
    let name = shown(&lending.to);
    if let Some(output) = &output {
        call.write_file(output, lending.text.as_bytes(), Mode::Private, args.overwrite)?;
        call.say(&format!("Your share for {name} is in {}. Only {name} can read it.", output.display()));
    }
    call.warn(&format!(
        "with {} shares together {name} opens all that is sealed to the section {} with this key, and could keep the key",
        lending.needed, args.section
    ));
    if call.global.json {
        call.print_json(json!({
            "format": 1,
            "to": lending.to,
            "section": args.section.to_string(),
            "epoch": lending.epoch,
            "needed": lending.needed,
            "share": lending.text,
        }))?;
        return Ok(DONE);
    }
    if output.is_none() {
        call.print_bytes(lending.text.as_bytes())?;
    }
    call.say("The lending stands in the custody record of this copy.");
    let file = output.map_or("FILE".into(), |output| hints::word(&output.display().to_string()));
    call.say(&format!("{name} opens with it: {}", hints::checked(format!("amparo open ID -o opened --share {file}"))));
    Ok(DONE)
}

/// What both sides are told where shares met.
pub(super) fn met(section: &str, lenders: &[String]) -> String {
    let lenders: Vec<String> = lenders.iter().map(|name| shown(name)).collect();
    format!(
        "your share and that of {} came together: this run could read all of the section {section}; whoever has this \
         device, you too, could have kept the key",
        all_of(&lenders)
    )
}
