//! `amparo` alone: what to do next here, by what is here. It needs no passphrase.

use serde_json::json;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::{DONE, Exit, hints};
use crate::vault::survey;

pub(super) fn run(call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let identity = call.has_identity()?;
    let vault = call.vault_folder()?;
    let (mut known, mut events) = (false, 0);
    if let Some(vault) = &vault {
        known = call.knows(vault, &call.state_folder()?)?;
        let survey = survey::survey(&*call.context.disk.folder(vault)?)?;
        events = survey.logs.values().map(|log| log.entries.len()).sum();
    }
    let (said, next) = match (identity, &vault) {
        (false, _) => (
            "There is no identity on this device yet: a secret by which you seal, open and sign.",
            "amparo identity new",
        ),
        (true, None) => (
            "You have an identity, and there is no vault here. Found one, or go to the folder of one.",
            "amparo init evidence",
        ),
        (true, Some(_)) if !known => (
            "This vault is not known to this device yet. Have at hand the digits that its founder gave you.",
            "amparo verify",
        ),
        (true, Some(_)) if events <= 1 => {
            ("This vault is known here, and nothing is sealed in it.", "amparo seal FILE")
        }
        (true, Some(_)) => ("This vault is known here, and evidence is sealed in it.", "amparo verify"),
    };
    let next = hints::checked(next.into());
    if call.global.json {
        let vault = vault.map(|vault| vault.display().to_string());
        call.print_json(json!({
            "format": 1, "identity": identity, "vault": vault, "known": known, "events": events, "next": next,
        }))?;
        return Ok(DONE);
    }
    if let Some(vault) = &vault {
        call.print(&format!("vault: {}", crate::cli::output::shown(&vault.display().to_string())))?;
    }
    call.print(said)?;
    call.print(&format!("next: {next}"))?;
    if vault.is_some() && known && events > 1 {
        call.print(&format!("      {}", hints::checked("amparo list".into())))?;
        call.print(&format!("      {}", hints::checked("amparo seal FILE".into())))?;
    }
    call.print("All commands: amparo --help")?;
    Ok(DONE)
}
