//! `amparo custody decline`: what was offered is not taken.

use serde_json::json;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::shown;
use crate::cli::{DONE, Exit};
use crate::vault::custody::decline::decline;

/// Refuse what was offered to you, and say why
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo custody decline --reason \"the seal was broken\"
  amparo custody decline K7:3 --reason \"nothing arrived\"")]
pub(crate) struct Args {
    /// The offer; else the only one that waits for you
    #[arg(value_name = "OFFER")]
    offer: Option<String>,
    /// Why; every member can read it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    call.warn_of_words();
    let reason = match args.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) => reason.to_string(),
        None => call.need_line("Why is it not taken?", "the reason", "--reason TEXT")?,
    };
    let request = place.request(Some(&person));
    let declined = decline(&mut call.parts().setting(), &request, args.offer.as_deref(), &reason)?;
    let (offer, label) = (&declined.offer, &declined.said.label);
    if call.global.json {
        call.print_json(json!({
            "format": 1, "offer": offer, "answer": label, "log": declined.said.head.log.to_string(),
            "seq": declined.said.head.size - 1, "from": declined.from, "status": "declined", "reason": reason,
        }))?;
        return Ok(DONE);
    }
    call.print(&format!("DECLINED {offer} of {}, in {label}", shown(&declined.from)))?;
    call.say("The giver sees it once a copy of the vault with it comes back.");
    call.suggest("amparo custody log");
    Ok(DONE)
}
