//! `amparo custody withdraw`: a witness takes back consent.

use serde_json::json;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::{DONE, Exit, hints};
use crate::vault::custody::withdraw::{self, Withdrawn, withdraw};

/// Enter that a witness withdrew consent for an exhibit
///
/// Any sealer can enter it, without opening anything. From then on the exhibit is opened, packed or disclosed only with a
/// reason, which is entered in the custody record. Nothing is deleted.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo custody withdraw K7-0001 --scope disclosure
  amparo custody withdraw K7-0001 --scope all")]
pub(crate) struct Args {
    /// The exhibit
    #[arg(value_name = "ID")]
    id: String,
    /// What consent no longer covers: giving it to others, or any use
    #[arg(long, value_name = "SCOPE")]
    scope: Scope,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Scope {
    /// Nothing of it may be given to others
    Disclosure,
    /// It may not be used at all
    All,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    let scope = match args.scope {
        Scope::Disclosure => withdraw::Scope::Disclosure,
        Scope::All => withdraw::Scope::All,
    };
    let withdrawn = withdraw(&mut call.parts().setting(), &place.request(Some(&person)), &args.id, scope)?;
    if call.global.json {
        let said = withdrawn.said.as_ref();
        call.print_json(json!({
            "format": 1, "id": withdrawn.id, "scope": withdrawn.scope.word(), "entry": said.map(|said| &said.label),
            "log": said.map(|said| said.head.log.to_string()), "seq": said.map(|said| said.head.size - 1),
        }))?;
    } else {
        tell(&withdrawn, call)?;
    }
    Ok(DONE)
}

fn tell(withdrawn: &Withdrawn, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let (id, scope) = (&withdrawn.id, withdrawn.scope.word());
    let Some(said) = &withdrawn.said else {
        call.print(&format!("consent for {id} was withdrawn before, scope {scope}; nothing was entered"))?;
        return Ok(());
    };
    call.print(&format!("WITHDRAWN {id}, scope {scope}, in {}", said.label))?;
    call.say(
        "From now on, wherever this entry has arrived, it is not opened, packed or disclosed without a reason, and the",
    );
    call.say("reason is entered in the custody record. Copies that lack this entry know nothing of it: send it on.");
    match withdrawn.scope {
        withdraw::Scope::Disclosure => {
            call.say("It may not be given to others. Its readers may still need it: that is theirs to answer for.");
        }
        withdraw::Scope::All => {
            call.say("It may not be used at all. Its sealed files stay where they are, and can still be verified.");
        }
    }
    call.suggest(format!("amparo custody log {}", hints::word(id)));
    Ok(())
}
