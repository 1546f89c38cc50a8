//! `amparo custody receipt`: a short text that proves an exhibit was sealed.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::qr::Qr;
use crate::cli::{DONE, Exit, hints};
use crate::format::short_receipt::ShortReceipt;
use crate::store::Mode;
use crate::vault::receipt;

/// A short text that proves an exhibit was sealed
///
/// It holds no content. It can leave by another road than the evidence, on a phone or on paper, and proves later that
/// the exhibit existed and was not swapped. As a QR code it is one line that a camera takes and a hand can copy: it bears
/// no signature, and a copy of the vault says whether it still holds to it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo custody receipt K7-0001
  amparo custody receipt K7-0001 -o K7-0001.receipt
  amparo custody receipt K7-0001 --qr
  amparo custody receipt K7-0001 --qr-svg K7-0001.svg")]
pub(crate) struct Args {
    /// The exhibit
    #[arg(value_name = "ID")]
    id: String,
    /// Write it to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show its short form as a QR code, with the line that is in it
    #[arg(long)]
    qr: bool,
    /// Write that QR code to this file, as an image to be printed
    #[arg(long, value_name = "FILE")]
    qr_svg: Option<PathBuf>,
    /// Replace the files if they exist
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let output = args.output.clone().filter(|output| !is_dash(output));
    if args.qr_svg.as_deref().is_some_and(is_dash) {
        let message = "an image on a terminal helps nobody".into();
        return Err(CliError::Usage { message, hint: Some("name a file with --qr-svg FILE".into()) });
    }
    for file in output.iter().chain(&args.qr_svg).filter(|_| !args.overwrite) {
        call.must_be_free(file)?;
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
    let short = ShortReceipt::of(&receipt).map(|short| short.to_string()).unwrap_or_default();
    let code = Qr::of(&short).ok_or(CliError::TooLongForQr)?;
    if let Some(file) = &args.qr_svg {
        call.write_file(file, code.svg(&short).as_bytes(), Mode::Open, args.overwrite)?;
        call.say(&format!("The QR code of {} is in {}.", args.id, file.display()));
    }
    if call.global.json {
        let state = &receipt.checkpoint;
        let checkpoint = json!({
            "log": state.origin.log.to_string(), "size": state.size, "root": state.root.to_string(),
        });
        call.print_json(
            json!({ "format": 1, "id": args.id, "receipt": text, "short": short, "checkpoint": checkpoint }),
        )?;
    } else if args.qr {
        show(&code, &short, call)?;
    } else if args.qr_svg.is_some() {
        call.print(&short)?;
    } else if output.is_none() {
        call.print_bytes(text.as_bytes())?;
    }
    if args.qr || args.qr_svg.is_some() {
        call.say("It bears no signature: a copy of the vault tells whether it still holds to it, the whole receipt who signed.");
        call.suggest("amparo verify --receipt FILE");
    }
    Ok(DONE)
}

/// The code, and below it what is in it, for whoever has no camera.
fn show(code: &Qr, short: &str, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let terminal = call.context.terminal;
    let colours = call.colours(terminal.output);
    for line in code.lines(colours) {
        call.print(&line)?;
    }
    call.print(short)?;
    if terminal.output && terminal.width < code.width() {
        call.warn("this window is too narrow for the QR code: make it wider, or write an image with --qr-svg FILE");
    } else if !colours {
        call.say("Drawn for a dark screen; where a camera does not take it, write an image with --qr-svg FILE.");
    }
    Ok(())
}
