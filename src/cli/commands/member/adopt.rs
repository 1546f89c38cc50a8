//! `amparo member adopt`: entries that came too late count all the same.

use serde_json::{Value, json};

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::shown;
use crate::cli::{DONE, Exit, INCOMPLETE};
use crate::vault::members::{self, AdoptRequest};

/// Let entries count that came too late
///
/// For an owner: what a removed member had said before she left, and what reached you only afterwards. It also confirms
/// a monitor whom a sealer admitted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo member adopt S4:13
  amparo member adopt S4:13 S4:14")]
pub(crate) struct Args {
    /// Entries, as amparo member list and the custody record show them
    #[arg(value_name = "ENTRY", required = true)]
    entries: Vec<String>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    let request = AdoptRequest { place: place.request(Some(&person)), entries: &args.entries };
    let adopted = members::adopt(&mut call.parts().setting(), &request)?;
    for (entry, why) in &adopted.refused {
        call.warn(&format!("{entry} is adopted and still does not count: {}", shown(why)));
    }
    let exit = if adopted.refused.is_empty() { DONE } else { INCOMPLETE };
    if call.global.json {
        let refused = adopted.refused.iter().map(|(entry, why)| json!({ "entry": entry, "reason": why }));
        call.print_json(json!({
            "format": 1, "adopted": adopted.adopted, "already": adopted.already,
            "refused": refused.collect::<Vec<Value>>(),
        }))?;
        return Ok(exit);
    }
    for entry in &adopted.adopted {
        call.print(&format!("ADOPTED {entry}"))?;
    }
    for entry in &adopted.already {
        call.print(&format!("{entry} counts already"))?;
    }
    call.suggest("amparo verify");
    Ok(exit)
}
