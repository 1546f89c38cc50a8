//! `amparo custody offer`: the first half of a handover.

use std::path::Path;

use serde_json::{Value, json};

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{count, shown};
use crate::cli::{DONE, Exit, hints};
use crate::format::card::Card;
use crate::vault::VaultError;
use crate::vault::custody::offer::{Circumstances, OfferRequest, Offered, Receiver, offer};

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
    /// The data medium, as you would describe it
    #[arg(long, value_name = "TEXT")]
    medium: Option<String>,
    /// The number on its seal
    #[arg(long, value_name = "TEXT")]
    seal_no: Option<String>,
    /// Its condition
    #[arg(long, value_name = "TEXT")]
    condition: Option<String>,
    /// Who carries it, by pseudonym
    #[arg(long, value_name = "TEXT")]
    carrier: Option<String>,
    /// Where it is handed over
    #[arg(long, value_name = "TEXT")]
    place: Option<String>,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// Under what authority
    #[arg(long, value_name = "TEXT")]
    authority: Option<String>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    let told = circumstances(args, call)?;
    let ask = |to: Receiver<'_>, call: &mut Call<'_, '_>| {
        let request = OfferRequest { place: place.request(Some(&person)), to, ids: &args.ids, told: &told };
        offer(&mut call.parts().setting(), &request)
    };
    let offered = match ask(Receiver::Typed(&args.to), call) {
        // Nobody is called so: then it may be the file of a card.
        Err(VaultError::NoMember { name }) => match card_file(&args.to, call)? {
            Some(card) => ask(Receiver::Card(&card), call)?,
            None => return Err(VaultError::NoMember { name }.into()),
        },
        other => other?,
    };
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

fn card_file(named: &str, call: &mut Call<'_, '_>) -> Result<Option<Card>, CliError> {
    let file = Path::new(named);
    if call.context.disk.stat(&call.path(file)).is_err() {
        return Ok(None);
    }
    call.card(file).map(Some)
}

/// What flags say, and the answers to short questions for the rest.
fn circumstances(args: &Args, call: &mut Call<'_, '_>) -> Result<Circumstances, CliError> {
    let mut told = Circumstances::default();
    let ask = call.interactive();
    if ask {
        call.talk("What a custody form asks. Enter leaves one open; every member can read the answers.");
    }
    let questions = [
        (&args.medium, &mut told.medium, "The medium:"),
        (&args.seal_no, &mut told.seal_number, "The number on its seal:"),
        (&args.condition, &mut told.condition, "Its condition:"),
        (&args.carrier, &mut told.carrier, "Who carries it (a pseudonym):"),
        (&args.place, &mut told.place, "Where it is handed over:"),
        (&args.purpose, &mut told.purpose, "What for:"),
        (&args.authority, &mut told.authority, "Under what authority:"),
    ];
    for (given, slot, question) in questions {
        *slot = match given {
            Some(text) => text.clone(),
            None if ask => call.ask_line(question)?.unwrap_or_default(),
            None => String::new(),
        };
    }
    Ok(told)
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
