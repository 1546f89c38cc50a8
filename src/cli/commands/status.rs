//! `amparo` alone: what to do next here, by what is here. It asks for no passphrase; what lies behind one, which offers
//! await an answer, it tells where the identity opens without a question.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Place;
use crate::cli::output::shown;
use crate::cli::{DONE, Exit, hints};
use crate::vault::custody::{Waiting, waiting};
use crate::vault::survey;

/// Offers that are shown one by one; `amparo custody log` has all.
const SHOWN_MAX: usize = 5;

pub(super) fn run(call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let identity = call.has_identity()?;
    let vault = call.vault_folder()?;
    let (mut known, mut events) = (false, 0);
    if let Some(vault) = &vault {
        known = call.knows(vault, &call.state_folder()?)?;
        let survey = survey::survey(&*call.context.disk.folder(vault)?)?;
        events = survey.logs.values().map(|log| log.entries.len()).sum();
    }
    let offers = match &vault {
        Some(vault) if identity && known => offers(vault.clone(), call)?,
        _ => None,
    };
    let answer = offers.iter().flatten().next().map(|first| format!("amparo custody acknowledge {}", first.offer));
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
        (true, Some(_)) if answer.is_some() => (
            "Something was handed over to you here, and you have not answered yet.",
            answer.as_deref().unwrap_or_default(),
        ),
        (true, Some(_)) if events <= 1 => {
            ("This vault is known here, and nothing is sealed in it.", "amparo seal FILE")
        }
        (true, Some(_)) => ("This vault is known here, and evidence is sealed in it.", "amparo verify"),
    };
    let next = hints::checked(next.into());
    if call.global.json {
        let vault = vault.map(|vault| vault.display().to_string());
        let offers: Option<Vec<Value>> = offers.map(|offers| {
            offers.iter().map(|waiting| json!({ "offer": waiting.offer, "from": waiting.from })).collect()
        });
        call.print_json(json!({
            "format": 1, "identity": identity, "vault": vault, "known": known, "events": events, "offers": offers,
            "next": next,
        }))?;
        return Ok(DONE);
    }
    if let Some(vault) = &vault {
        call.print(&format!("vault: {}", shown(&vault.display().to_string())))?;
    }
    call.print(said)?;
    for waiting in offers.iter().flatten().take(SHOWN_MAX) {
        call.print(&format!("  {} of {}", shown(&waiting.offer), shown(&waiting.from)))?;
    }
    call.print(&format!("next: {next}"))?;
    if identity && known && events > 1 {
        if offers.is_none() {
            let log = hints::checked("amparo custody log".into());
            call.print(&format!("      {log}   (tells, with your passphrase, whether an offer awaits you)"))?;
        }
        call.print(&format!("      {}", hints::checked("amparo list".into())))?;
        call.print(&format!("      {}   (if you seal here)", hints::checked("amparo seal FILE".into())))?;
    }
    call.print("All commands: amparo --help")?;
    Ok(DONE)
}

/// Offers that wait for whoever stands here; `None` where that cannot be told without a question.
fn offers(vault: PathBuf, call: &mut Call<'_, '_>) -> Result<Option<Vec<Waiting>>, CliError> {
    let Some(person) = call.person_unasked() else { return Ok(None) };
    let place = Place { vault, state: call.state_folder()?, trust: None };
    // What is wrong with a vault, `verify` tells; here it only means that nothing can be said.
    Ok(waiting(&mut call.parts().setting(), &place.request(Some(&person)), None).ok())
}
