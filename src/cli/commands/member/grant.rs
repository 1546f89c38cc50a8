//! `amparo member grant`: hands the keys that this person holds to those who await them.

use serde_json::json;

use super::{awaited_as_json, given_as_json, tell_awaited, tell_given};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::count;
use crate::cli::{DONE, Exit};
use crate::vault::members;

/// Hand the keys that you hold to members who await them
///
/// Only who holds a key can hand it on. A newcomer whom somebody else admitted awaits keys until you, or another
/// holder, runs this.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo member grant
  amparo member grant --json")]
pub(crate) struct Args {}

pub(super) fn run(_: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    let granted = members::grant_here(&mut call.parts().setting(), &place.request(Some(&person)))?;
    if call.global.json {
        call.print_json(json!({
            "format": 1, "given": given_as_json(&granted.given), "awaits": awaited_as_json(&granted.left, &granted.names),
        }))?;
        return Ok(DONE);
    }
    match (granted.given.len(), granted.left.as_slice()) {
        (0, []) => call.print("nobody awaits a key")?,
        (0, _) => call.print("nobody awaits a key that you hold")?,
        (given, _) => call.print(&format!("GRANTED {}", count(given as u64, "key")))?,
    }
    tell_given(&granted.given, &granted.names, call);
    tell_awaited(&granted.left, &granted.names, call);
    if !granted.given.is_empty() {
        call.say("It takes effect in their copies when this vault's folder reaches them.");
    }
    call.suggest("amparo member list");
    Ok(DONE)
}
