//! `amparo custody receipt`: a short text that proves an exhibit was sealed.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::{DONE, Exit, hints};
use crate::store::Mode;
use crate::vault::receipt;

/// A short text that proves an exhibit was sealed
///
/// It holds no content. It can leave by another road than the evidence, on a phone or on paper, and proves later that
/// the exhibit existed and was not swapped.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo custody receipt K7-0001
  amparo custody receipt K7-0001 -o K7-0001.receipt")]
pub(crate) struct Args {
    /// The exhibit
    #[arg(value_name = "ID")]
    id: String,
    /// Write it to this file
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
    let person = call.person()?;
    let receipt = receipt::of_exhibit(&mut call.parts().setting(), &place.request(Some(&person)), &args.id)?;
    let text = receipt.print();
    if let Some(output) = &output {
        call.write_file(output, text.as_bytes(), Mode::Open, args.overwrite)?;
        call.say(&format!("The receipt of {} is in {}.", args.id, output.display()));
        call.say("Let it leave by another road than the evidence; it holds no content.");
        call.suggest(format!("amparo verify --receipt {}", hints::word(&output.display().to_string())));
    }
    if call.global.json {
        let state = &receipt.checkpoint;
        let checkpoint = json!({
            "log": state.origin.log.to_string(), "size": state.size, "root": state.root.to_string(),
        });
        call.print_json(json!({ "format": 1, "id": args.id, "receipt": text, "checkpoint": checkpoint }))?;
    } else if output.is_none() {
        call.print_bytes(text.as_bytes())?;
    }
    Ok(DONE)
}
