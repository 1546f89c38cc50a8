//! `amparo member add`: a card becomes a member, once its digits were typed as its owner gave them.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{awaited_as_json, given_as_json, roles, tell_awaited, tell_given};
use crate::cli::call::Call;
use crate::cli::commands::init::handle;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::shown;
use crate::cli::{DONE, Exit};
use crate::format::card::Card;
use crate::format::entry::ROLES_MAX;
use crate::format::fingerprint::is_fingerprint;
use crate::format::role::{Role, Section};
use crate::vault::members::{self, AddRequest, Added, Awaited, Newcomer, Plan};

/// How often mistyped digits may be typed again.
const TRIES: usize = 3;

/// Admit people to the vault
///
/// You type the 40 digits of each card as its owner gave them to you, by another road than the card itself: a card
/// alone proves nothing about who made it. An owner admits anybody. A sealer admits monitors, who show as unconfirmed
/// until an owner adds them too. Every key that you hold and the newcomer needs is handed over at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo member add tern.card --role reader
  amparo member add gull.card --role sealer --handle G2
  amparo member add tern.card --role reader --section register --role owner
  amparo member add red-kite.card --role monitor --fingerprint \"28559 12310 93023 00000 67295 66051 00000 00000\"")]
pub(crate) struct Args {
    /// Their cards
    #[arg(value_name = "CARD", required = true)]
    cards: Vec<PathBuf>,
    /// What they may do; can be given several times
    #[arg(long = "role", value_name = "ROLE", required = true)]
    roles: Vec<RoleName>,
    /// Which section a reader reads; else main
    #[arg(long, value_name = "SECTION")]
    section: Vec<Section>,
    /// What the exhibits' numbers of this one card's owner start with, as K7 in K7-0012
    #[arg(long, value_name = "K7", value_parser = handle)]
    handle: Option<String>,
    /// The digits of a card as its owner gave them, instead of typing them; once for each card
    #[arg(long, value_name = "DIGITS")]
    fingerprint: Vec<String>,
}

/// A role as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum RoleName {
    Owner,
    Sealer,
    Reader,
    Monitor,
}

impl Args {
    fn roles(&self) -> Result<Vec<Role>, CliError> {
        let reads = self.roles.contains(&RoleName::Reader);
        if !self.section.is_empty() && !reads {
            let message = "--section is for readers: say --role reader".into();
            return Err(CliError::Usage { message, hint: Some("amparo member add --help".into()) });
        }
        let mut roles = Vec::new();
        for name in &self.roles {
            match name {
                RoleName::Owner => roles.push(Role::Owner),
                RoleName::Sealer => roles.push(Role::Sealer),
                RoleName::Monitor => roles.push(Role::Monitor),
                RoleName::Reader if self.section.is_empty() => roles.push(Role::Reader(Section::main())),
                RoleName::Reader => roles.extend(self.section.iter().cloned().map(Role::Reader)),
            }
        }
        roles.sort_by_key(ToString::to_string);
        roles.dedup();
        if roles.len() > ROLES_MAX {
            let message = format!("at most {ROLES_MAX} roles at a time");
            return Err(CliError::Usage { message, hint: Some("amparo member add --help".into()) });
        }
        Ok(roles)
    }
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let roles = args.roles()?;
    if args.handle.is_some() && args.cards.len() > 1 {
        let message = "--handle is for one card at a time".into();
        return Err(CliError::Usage { message, hint: Some("amparo member add --help".into()) });
    }
    if let Some(typed) = args.fingerprint.iter().find(|typed| !is_fingerprint(typed)) {
        let message = format!("{} is not 8 groups of 5 digits", shown(typed));
        return Err(CliError::Usage { message, hint: Some("amparo member add --help".into()) });
    }
    let mut cards: Vec<Card> = Vec::new();
    for file in &args.cards {
        call.claim_stdin(file, "CARD")?;
        let card = call.card(file)?;
        if !cards.iter().any(|other| other.member() == card.member()) {
            cards.push(card);
        }
    }
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    let request =
        AddRequest { place: place.request(Some(&person)), cards: &cards, roles: &roles, handle: args.handle.clone() };
    // What is refused anyway is refused before forty digits are typed.
    let plan = members::plan(&mut call.parts().setting(), &request)?;
    warn(&plan, call);
    compare(args, &cards, call)?;
    let added = members::add(&mut call.parts().setting(), &request)?;
    if call.global.json {
        call.print_json(described(&added))?;
    } else {
        tell(&added, call)?;
    }
    Ok(DONE)
}

fn warn(plan: &Plan, call: &mut Call<'_, '_>) {
    for newcomer in &plan.newcomers {
        if newcomer.seized {
            call.warn(&format!(
                "{name} was removed because a device was seized, and this card has the same keys as that device: if others can unlock it, and a newer copy reaches it, what they write counts as hers again; if she can, let her make a new identity and add that card",
                name = shown(&newcomer.name)
            ));
        }
        for digits in &newcomer.namesakes {
            call.warn(&format!(
                "another one here goes by the name {} too, with the digits {digits}: make sure which of the two this is",
                shown(&newcomer.name)
            ));
        }
    }
}

/// Each card against the digits that its owner gave. They are never shown here: what is read off the card itself
/// compares nothing.
fn compare(args: &Args, cards: &[Card], call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let is_of = |typed: &String, card: &Card| card.member().has_fingerprint(typed);
    let stray = args.fingerprint.iter().any(|typed| !cards.iter().any(|card| is_of(typed, card)));
    let open: Vec<&Card> =
        cards.iter().filter(|card| !args.fingerprint.iter().any(|typed| is_of(typed, card))).collect();
    if let (true, Some(card)) = (stray, open.first().copied().or(cards.first())) {
        return Err(CliError::OtherCard { name: card.name().to_string() });
    }
    for card in open {
        let name = shown(&card.name().to_string());
        if !call.interactive() {
            return Err(CliError::Needs { what: "each card's fingerprint", flag: "--fingerprint DIGITS" });
        }
        call.talk(&format!("Type the 40 digits of {name} as you were given them, by another road than the card."));
        let mut holds = false;
        for _ in 0..TRIES {
            let typed =
                call.need_line(&format!("Digits of {name}:"), "the digits of the card", "--fingerprint DIGITS")?;
            holds = is_of(&typed, card);
            if holds {
                break;
            }
            call.talk("These are not the digits of this card.");
        }
        if !holds {
            return Err(CliError::OtherCard { name: card.name().to_string() });
        }
    }
    Ok(())
}

fn tell(added: &Added, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    for (newcomer, entry) in &added.admitted {
        let (name, as_what) = (shown(&newcomer.name), roles(&newcomer.roles));
        call.print(&format!("ADMITTED {name} as {as_what} ({entry})"))?;
    }
    for (_, name) in &added.already {
        call.say(&format!("{} is a member in this role already.", shown(name)));
    }
    for (newcomer, _) in added.admitted.iter().filter(|(newcomer, _)| !newcomer.confirmed) {
        call.say(&format!("{} is unconfirmed until an owner adds the same card.", shown(&newcomer.name)));
    }
    tell_given(&added.given, &added.names, call);
    tell_awaited(&added.awaited, &added.names, call);
    let strangers = added.admitted.iter().filter(|(newcomer, _)| !newcomer.known).count();
    if strangers > 0 {
        let her = if strangers == 1 { "her" } else { "each of them" };
        call.say(&format!("Give {her} a copy of the vault's folder, and the vault's digits by another road."));
    }
    if added.awaited.iter().any(Awaited::needs_new_epoch) {
        call.suggest("amparo member rotate");
    } else {
        call.suggest("amparo member list");
    }
    Ok(())
}

fn described(added: &Added) -> Value {
    let one = |(newcomer, entry): &(Newcomer, String)| {
        json!({
            "member": newcomer.member.to_string(), "name": newcomer.name, "fingerprint": newcomer.member.fingerprint(),
            "roles": newcomer.roles.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "confirmed": newcomer.confirmed, "entry": entry,
        })
    };
    let already = added.already.iter().map(|(member, name)| json!({ "member": member.to_string(), "name": name }));
    json!({
        "format": 1,
        "admitted": added.admitted.iter().map(one).collect::<Vec<_>>(),
        "already": already.collect::<Vec<_>>(),
        "given": given_as_json(&added.given),
        "awaits": awaited_as_json(&added.awaited, &added.names),
    })
}
