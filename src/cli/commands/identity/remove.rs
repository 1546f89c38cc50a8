//! `amparo identity remove`: take the identity off this device.

use serde_json::json;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::shown;
use crate::cli::{DONE, Exit};
use crate::format::ids::MemberId;
use crate::vault::identity;

/// Remove your identity from this device
///
/// Before a border, or before a device is given away. Without a backup on paper it is for ever: what was sealed to you
/// alone, nobody opens again.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo identity remove
  amparo identity remove --name \"Blue Heron\"")]
pub(crate) struct Args {
    /// The name of the identity, typed to say that it is meant
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let file = call.identity_file()?;
    if !call.has_identity()? {
        identity::keep_removed(&call.parts().setting(), &file)?;
    }
    let (identity, _) = call.identity_secret()?;
    let member = MemberId::of(&identity.seed.keys().public());
    let typed = if let Some(name) = &args.name {
        name.clone()
    } else {
        call.warn("without its words or shares on paper this identity is gone for ever, and what only it opens");
        call.need_line("Type its name to remove it:", "the name of the identity", "--name NAME")?
    };
    if typed.trim() != identity.name.as_str() {
        return Err(CliError::OtherName { name: identity.name.to_string() });
    }
    identity::remove(&mut call.parts().setting(), &file)?;
    let state = call.state_folder()?;
    call.warn(
        "the file is gone from its folder, and is not erased: flash memory keeps what was deleted, for whoever can \
         take it apart; under a good passphrase that is of little use to them",
    );
    let remembers = call.context.disk.stat(&state).is_ok();
    if remembers {
        call.warn(&format!(
            "{} stays: it tells which vaults were used here, and opens nothing",
            shown(&state.display().to_string())
        ));
    }
    if call.global.json {
        call.print_json(json!({
            "format": 1, "removed": file.display().to_string(), "member": member.to_string(), "state_left": remembers,
        }))?;
        return Ok(DONE);
    }
    call.print(&format!("Removed the identity of {} from this device.", shown(identity.name.as_str())))?;
    call.say("Cards, vaults and opened exhibits on this device stay where they are.");
    call.suggest("amparo identity restore");
    Ok(DONE)
}
