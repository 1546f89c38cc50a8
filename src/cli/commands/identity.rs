//! `amparo identity`: make an identity, give out its card, show its fingerprint; keep it on paper, restore it, remove it.

mod backup;
mod remove;
mod restore;
mod words;

mod passphrase;

use std::path::{Path, PathBuf};

use bip39::Language;
use serde_json::json;
use zeroize::Zeroizing;

use super::lend;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::{DONE, Exit, hints};
use crate::format::pseudonym::Pseudonym;
use crate::store::Mode;
use crate::vault::identity;
use crate::vault::session::Person;

/// Words of a passphrase that is made here: ten times 11 bits, behind scrypt.
const WORDS: usize = 10;

/// Said of an identity without a passphrase, whenever it is used to make or show something.
const BARE: &str = "this identity is under no passphrase: whoever takes the file has it";

/// What to do with an identity.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    New(New),
    Card(Card),
    Show(Show),
    Backup(backup::Args),
    Restore(restore::Args),
    Remove(remove::Args),
    Lend(lend::Args),
}

/// Make an identity under a pseudonym
///
/// The identity is a secret file under a passphrase; an empty passphrase makes one of ten words, shown once. The card is
/// its public half: give it to the people you work with, and tell them its digits by another road.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo identity new --name \"Blue Heron\"
  amparo identity new --name \"Grey Owl\" -o owl.age --passphrase-file passphrase.txt")]
pub(crate) struct New {
    /// The name others see: a pseudonym is safer than your own
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where to write it; else your configuration folder
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// No passphrase: only for machines that nobody can seize
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
}

/// Print your card, to give to others
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo identity card
  amparo identity card -o blue-heron.card")]
pub(crate) struct Card {
    /// Write it to this file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    overwrite: bool,
}

/// Show your name and the digits that others compare
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo identity show
  amparo identity show --json")]
pub(crate) struct Show {}

pub(super) fn run(command: Command, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    match command {
        Command::New(args) => new(&args, call),
        Command::Card(args) => card(&args, call),
        Command::Show(Show {}) => show(call),
        Command::Backup(args) => backup::run(&args, call),
        Command::Restore(args) => restore::run(&args, call),
        Command::Remove(args) => remove::run(&args, call),
        Command::Lend(args) => lend::run(&args, call),
    }
}

fn new(args: &New, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let file = match &args.output {
        Some(output) => call.path(output),
        None => call.identity_file()?,
    };
    if call.context.disk.stat(&file).is_ok() {
        return Err(CliError::Exists { path: file });
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None => call.need_line("The name others will see (a pseudonym is safer):", "a name", "--name NAME")?,
    };
    Pseudonym::parse(&name).map_err(crate::vault::VaultError::from)?;
    let passphrase = if args.no_passphrase { None } else { Some(choose_passphrase(call)?) };
    let words = passphrase.as_ref().map(|words| words.as_str());
    let person = identity::new(&mut call.parts().setting(), &file, &name, words)?;
    if !made(&person, &file, "Its digits, to tell the people you work with by another road than the card:", call)? {
        return Ok(DONE);
    }
    call.say("This file is all there is: without it, or without its passphrase, nothing sealed to you can be opened.");
    call.say("amparo identity backup writes it on paper, whole or in shares for several people.");
    call.suggest(format!("amparo identity card -o {}", hints::word(&card_name(&person))));
    Ok(DONE)
}

/// Tells of an identity that is in its file now, with what its digits are for; whether people are told, not a script.
fn made(person: &Person, file: &Path, digits_for: &str, call: &mut Call<'_, '_>) -> Result<bool, CliError> {
    if person.bare {
        call.warn(BARE);
    }
    if call.global.json {
        call.print_json(described(person))?;
        return Ok(false);
    }
    call.say(&format!("The identity of {} is in {}.", person.card().name(), file.display()));
    call.say(digits_for);
    call.print(&person.member().fingerprint())?;
    Ok(true)
}

/// The name of a file for the card.
fn card_name(person: &Person) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let name: String = person.card().name().as_str().to_lowercase().chars().map(plain).collect();
    format!("{}.card", name.trim_matches('-'))
}

fn choose_passphrase(call: &mut Call<'_, '_>) -> Result<Zeroizing<String>, CliError> {
    let typed = call.new_passphrase("A passphrase, or Enter for one of ten words: ")?;
    if let Some(passphrase) = typed {
        if let Some(why) = passphrase::weakness(&passphrase) {
            call.warn(&format!(
                "this passphrase {why}: whoever takes the device can try millions. It is taken as it is; better are ten \
                 words that chance chose, which Enter at the question makes"
            ));
        }
        return Ok(passphrase);
    }
    let words = ten_words(call);
    call.talk("Your passphrase, shown this once. Write it down, and keep the paper where the device is not:");
    // The one secret that is ever shown: without it the identity is lost at once.
    call.talk(&format!("\n    {}\n", words.as_str()));
    Ok(words)
}

/// Ten words of the English list of BIP-39, each of them one of 2,048.
fn ten_words(call: &mut Call<'_, '_>) -> Zeroizing<String> {
    let list = Language::English.word_list();
    let mut words = Zeroizing::new(String::with_capacity(WORDS * 9));
    for _ in 0..WORDS {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(list[(call.context.rng.next_u32() & 2047) as usize]);
    }
    words
}

fn card(args: &Card, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let output = args.output.clone().filter(|output| !is_dash(output));
    if let (Some(output), false) = (&output, args.overwrite) {
        call.must_be_free(output)?;
    }
    let person = call.person()?;
    if let Some(output) = &output {
        call.write_file(output, person.card().as_bytes(), Mode::Open, args.overwrite)?;
        call.say(&format!("The card of {} is in {}.", person.card().name(), output.display()));
        call.say(&format!("Tell its digits by another road: {}", person.member().fingerprint()));
    }
    if call.global.json {
        call.print_json(described(&person))?;
    } else if output.is_none() {
        call.print_bytes(person.card().as_bytes())?;
    }
    Ok(DONE)
}

fn show(call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let person = call.person()?;
    if call.global.json {
        call.print_json(described(&person))?;
        return Ok(DONE);
    }
    call.print(person.card().name().as_str())?;
    call.print(&person.member().fingerprint())?;
    if person.bare {
        call.warn(BARE);
    }
    call.suggest("amparo identity card");
    Ok(DONE)
}

fn described(person: &Person) -> serde_json::Value {
    json!({
        "format": 1,
        "name": person.card().name().as_str(),
        "fingerprint": person.member().fingerprint(),
        "member": person.member().to_string(),
        "card": String::from_utf8_lossy(person.card().as_bytes()),
    })
}
