//! `amparo identity restore`: an identity from its words, or from enough shares of them.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::{choose_passphrase, made, words};
use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::{DONE, Exit};
use crate::format::pseudonym::Pseudonym;
use crate::vault::identity;

/// A file of words: sixteen shares are four kilobytes.
const BYTES_MAX: u64 = 64 << 10;

/// Restore an identity from paper: from its 24 words, or from shares
///
/// Words may be typed in any case and spacing, the first four letters are enough, and a wrong word is named by its
/// place. The name is not in the words; under another name the card differs, and the member is the same. A device that
/// is restored begins a new record in each vault, and goes on from there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo identity restore
  amparo identity restore --name \"Blue Heron\" --words words.txt")]
pub(crate) struct Args {
    /// The words stand in this file, or on standard input
    #[arg(long, value_name = "FILE")]
    words: Option<PathBuf>,
    /// The name on your card
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Where to write it; else your configuration folder
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// No passphrase: only for machines that nobody can seize
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let file = match &args.output {
        Some(output) => call.path(output),
        None => call.identity_file()?,
    };
    if call.context.disk.stat(&file).is_ok() {
        return Err(CliError::Exists { path: file });
    }
    if let Some(words) = &args.words {
        call.claim_stdin(words, "--words")?;
    }
    let name = match &args.name {
        Some(name) => name.clone(),
        None => call.need_line("The name on your card (it is not in the words):", "the name", "--name NAME")?,
    };
    Pseudonym::parse(&name).map_err(crate::vault::VaultError::from)?;
    let seed = match &args.words {
        Some(file) => {
            let bytes = Zeroizing::new(call.read_input(file, BYTES_MAX)?);
            let text = std::str::from_utf8(&bytes).map_err(|_| CliError::NotText { what: "the file of words" })?;
            words::read(text)?
        }
        None if call.interactive() => words::hear("The words of your identity, from paper.", call)?,
        None => return Err(CliError::Needs { what: "the words of the identity", flag: "--words FILE" }),
    };
    let passphrase = if args.no_passphrase { None } else { Some(choose_passphrase(call)?) };
    let words = passphrase.as_ref().map(|words| words.as_str());
    let person = identity::restore(&mut call.parts().setting(), &file, &name, seed, words)?;
    if !made(&person, &file, "Its digits. Compare them with your card: other digits are another identity.", call)? {
        return Ok(DONE);
    }
    if let Some(file) = &args.words {
        call.warn(&format!("{} still holds the words", crate::cli::output::shown(&file.display().to_string())));
    }
    call.suggest("amparo identity show");
    Ok(DONE)
}
