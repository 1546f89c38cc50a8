//! `amparo custody offer`: the first half of a handover.

use serde_json::{Value, json};

use super::told::{Told, receiver};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{count, shown};
use crate::cli::{DONE, Exit, hints};
use crate::vault::custody::offer::{OfferRequest, Offered, offer};

/// Offer exhibits, or the whole vault, to a member
///
/// Enter the offer first, then copy the vault: the offer travels in it. The receiver checks the copy and answers with
/// `amparo custody acknowledge`. An offer without an answer stays pending, and is no fault of the vault's.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo custody offer --to \"Grey Owl\"
  amparo custody offer --to grey-owl.card K7-0001 K7-0002 --medium \"USB stick\" --seal-no 4711")]
pub(crate) struct Args {
    /// The exhibits; none for everything that is sealed
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// To whom: a pseudonym, the digits or id of a member, or the file of her card
    #[arg(long, value_name = "MEMBER|CARD", required = true)]
    to: String,
    #[command(flatten)]
    told: Told,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    let told = args.told.ask(call)?;
    let to = receiver(&args.to, call)?;
    let request = OfferRequest { place: place.request(Some(&person)), to: &to, ids: &args.ids, told: &told };
    let offered = offer(&mut call.parts().setting(), &request)?;
    for id in &offered.withdrawn {
        call.warn(&format!("consent for {id} was withdrawn: it travels sealed, and is not to be opened or shown"));
    }
    if call.global.json {
        call.print_json(described(&offered))?;
    } else {
        tell(&offered, call)?;
    }
    Ok(DONE)
}

fn tell(offered: &Offered, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let label = &offered.said.label;
    let name = shown(&offered.name);
    let what = match offered.exhibits.len() {
        0 => format!("everything sealed by now, {}", count(offered.sealed, "exhibit")),
        _ => offered.exhibits.join(", "),
    };
    call.print(&format!("OFFERED {label} to {name}: {what}"))?;
    call.say(&format!("Copy the vault now, with this offer in it, and hand it over. {name} then types:"));
    call.say(&format!("  {}", hints::checked(format!("amparo custody acknowledge {label}"))));
    call.say("Until an answer is in your copy, the handover is pending.");
    call.suggest("amparo custody log");
    Ok(())
}

fn described(offered: &Offered) -> Value {
    let heads: Vec<Value> = offered.heads.iter().map(super::log::head).collect();
    json!({
        "format": 1, "offer": offered.said.label, "log": offered.said.head.log.to_string(),
        "seq": offered.said.head.size - 1, "to": offered.to.to_string(), "to_name": offered.name,
        "exhibits": offered.exhibits, "everything": offered.exhibits.is_empty(), "sealed": offered.sealed, "heads": heads,
    })
}
