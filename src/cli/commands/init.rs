//! `amparo init`: found a vault.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::all_of;
use crate::cli::{DONE, Exit, hints};
use crate::format::card::Card;
use crate::store::StoreError;
use crate::vault::create::{CreateRequest, Created, create};

/// Found a vault
///
/// DIR is made. Without --reader you can open what is sealed yourself; with it, only the readers named can, and you
/// cannot. Compare the digits of each card with its owner before you name it here.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo init evidence
  amparo init evidence --reader grey-owl.card --reader tern.card --monitor red-kite.card --handle K7
  amparo init evidence --monitor red-kite.card --monitor plover.card --monitors-needed 2
  amparo init evidence --reader grey-owl.card --reader tern.card --reader plover.card --quorum 2")]
pub(crate) struct Args {
    /// The folder to make
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Who can open what is sealed
    #[arg(long, value_name = "CARD")]
    reader: Vec<PathBuf>,
    /// Who can open the register of witnesses; else the readers
    #[arg(long, value_name = "CARD")]
    register_reader: Vec<PathBuf>,
    /// Who verifies and countersigns, and can open nothing
    #[arg(long, value_name = "CARD")]
    monitor: Vec<PathBuf>,
    /// How many monitors must sign a state before it counts as covered; else one, if there is any. Fixed for good
    #[arg(long, value_name = "N")]
    monitors_needed: Option<u32>,
    /// Who else may seal
    #[arg(long, value_name = "CARD")]
    sealer: Vec<PathBuf>,
    /// So many readers must come together to open; else each opens alone
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(2..=16))]
    quorum: Option<u8>,
    /// What your exhibits' numbers start with, as K7 in K7-0012
    #[arg(long, value_name = "K7", value_parser = handle)]
    handle: Option<String>,
}

pub(super) fn handle(text: &str) -> Result<String, String> {
    let plain = text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if plain && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.len() <= 8 {
        Ok(text.into())
    } else {
        Err("a capital letter, then up to 7 capital letters or digits".into())
    }
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let folder = call.path(&args.folder);
    if call.context.disk.stat(&folder).is_ok() {
        return Err(CliError::Exists { path: args.folder.clone() });
    }
    let given = [
        (&args.reader, "--reader"),
        (&args.register_reader, "--register-reader"),
        (&args.monitor, "--monitor"),
        (&args.sealer, "--sealer"),
    ];
    for (files, flag) in given {
        for file in files {
            call.claim_stdin(file, flag)?;
        }
    }
    let mut cards = |files: &[PathBuf]| -> Result<Vec<Card>, CliError> {
        let mut cards: Vec<Card> = Vec::new();
        for file in files {
            let card = call.card(file)?;
            if !cards.iter().any(|other| other.member() == card.member()) {
                cards.push(card);
            }
        }
        Ok(cards)
    };
    let readers = cards(&args.reader)?;
    let register_readers = cards(&args.register_reader)?;
    let monitors = cards(&args.monitor)?;
    let sealers = cards(&args.sealer)?;
    let founder = call.person()?;
    let state = call.state_folder()?;
    let request = CreateRequest {
        folder: &folder,
        state: &state,
        founder: &founder,
        readers: &readers,
        register_readers: &register_readers,
        monitors: &monitors,
        sealers: &sealers,
        handle: args.handle.clone(),
        monitors_needed: args.monitors_needed,
        quorum: args.quorum,
    };
    let created = match create(&mut call.parts().setting(), &request) {
        Err(crate::vault::VaultError::Store(StoreError::Exists { path })) => return Err(CliError::Exists { path }),
        other => other?,
    };
    warn(&created, call);
    if call.global.json {
        call.print_json(described(&created))?;
    } else {
        tell(args, &created, call)?;
    }
    Ok(DONE)
}

fn warn(created: &Created, call: &mut Call<'_, '_>) {
    if !created.others.is_empty() {
        call.warn(&format!(
            "nobody compared the cards of {}: before anything is sealed, ask each by another road for the digits (amparo member list shows them here)",
            all_of(&created.others)
        ));
    }
    if let Some(needed) = created.quorum {
        warn_of_quorum("what is sealed", needed, &created.readers, call);
        if created.register_readers != created.readers {
            warn_of_quorum("the register of witnesses", needed, &created.register_readers, call);
        }
    } else if let [only] = created.readers.as_slice() {
        call.warn(&format!("only {only} can open what is sealed: if that identity is lost, it is lost"));
    }
    if created.register_readers != created.readers
        && let [only] = created.register_readers.as_slice()
    {
        call.warn(&format!("only {only} can open the register of witnesses: if that identity is lost, it is lost"));
    }
    call.warn("you are the only owner: if your identity is lost, nobody can admit or remove anybody");
}

/// All of so many must be there: who is lost takes the key along.
fn warn_of_quorum(what: &str, needed: u8, readers: &[String], call: &mut Call<'_, '_>) {
    if readers.len() == usize::from(needed) {
        let all = all_of(readers);
        call.warn(&format!(
            "{all} must all come together to open {what}: if one of these identities is lost, it is lost"
        ));
    }
}

fn tell(args: &Args, created: &Created, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    call.say(&format!("Founded a vault in {}. This device knows it from now on.", args.folder.display()));
    call.say("Its digits, to give by another road to everybody who works with it:");
    call.print(&created.vault.fingerprint())?;
    call.say(&format!("{} open what is sealed here.", who(&created.readers, created.quorum)));
    if !created.founder_reads {
        call.say("You cannot, and nobody can make you: the key was forgotten.");
    }
    if created.register_readers != created.readers {
        call.say(&format!("{} open the register of witnesses.", who(&created.register_readers, created.quorum)));
    }
    if created.quorum.is_some() {
        call.say("Where they bring their shares together, that reader could keep the key: choose whom you would trust with it.");
    }
    if !created.sealers.is_empty() {
        call.say(&format!("{} may seal, as you may.", all_of(&created.sealers)));
    }
    if !created.monitors.is_empty() {
        call.say(&format!("{} can check the custody and open nothing.", all_of(&created.monitors)));
        call.say(&match created.monitors_needed {
            0 => "No exhibit needs a monitor's signature.".into(),
            needed => format!("An exhibit is covered once {} signed the record that holds it.", signers(needed)),
        });
    }
    call.say(&format!("Your exhibits are numbered {}-0001 and on.", created.handle));
    call.suggest(format!("amparo seal FILE --vault {}", hints::word(&args.folder.display().to_string())));
    Ok(())
}

fn signers(needed: u32) -> String {
    if needed == 1 { "1 monitor has".into() } else { format!("{needed} monitors have") }
}

fn who(readers: &[String], quorum: Option<u8>) -> String {
    match quorum {
        None => format!("{} can", all_of(readers)),
        Some(needed) => format!("Any {needed} of {} together can", all_of(readers)),
    }
}

fn described(created: &Created) -> serde_json::Value {
    json!({
        "format": 1,
        "vault": created.vault.to_string(),
        "fingerprint": created.vault.fingerprint(),
        "log": created.log.to_string(),
        "handle": created.handle,
        "readers": created.readers,
        "register_readers": created.register_readers,
        "sealers": created.sealers,
        "monitors": created.monitors,
        "monitors_needed": created.monitors_needed,
        "quorum": created.quorum,
    })
}
