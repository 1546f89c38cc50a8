//! `amparo member rotate`: new keys for sections, for all who read them now.

use serde_json::json;

use super::{awaited_as_json, renewed_as_json, tell_awaited, tell_renewed, warn_of_quorum};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::count;
use crate::cli::{DONE, Exit};
use crate::format::role::Section;
use crate::vault::members::{self, RotateRequest};

/// Make new keys for sections, for all who read them now
///
/// For an owner. Where several readers must come together, a newcomer can have no share of a key that was handed out
/// before: this makes a new key and hands its shares to all readers, so that as many as before must come together.
/// What was sealed until now still opens with the keys that it was sealed to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo member rotate
  amparo member rotate --section main --section register")]
pub(crate) struct Args {
    /// Which sections; else those where a reader awaits a share
    #[arg(long, value_name = "SECTION")]
    section: Vec<Section>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    let request = RotateRequest { place: place.request(Some(&person)), sections: &args.section };
    let rotated = members::rotate(&mut call.parts().setting(), &request)?;
    warn_of_quorum(&rotated.renewed, call);
    if call.global.json {
        call.print_json(json!({
            "format": 1, "renewed": renewed_as_json(&rotated.renewed),
            "awaits": awaited_as_json(&rotated.awaited, &rotated.names),
        }))?;
        return Ok(DONE);
    }
    call.print(&format!("ROTATED {}", count(rotated.renewed.len() as u64, "key")))?;
    tell_renewed(&rotated.renewed, &rotated.names, call);
    tell_awaited(&rotated.awaited, &rotated.names, call);
    call.say("Until this vault's folder reaches the others, they seal to the old keys.");
    call.suggest("amparo member list");
    Ok(DONE)
}
