//! `amparo identity backup`: the seed as words, shown once, and typed back before it counts as done.

use std::path::{Path, PathBuf};

use serde_json::json;
use zeroize::Zeroizing;

use super::words;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::output::shown;
use crate::cli::{DONE, Exit, hints};
use crate::crypto::shares::{SHARES_MAX, split};
use crate::format::identity_file::IdentityFile;
use crate::format::ids::MemberId;
use crate::format::words::{bytewords, of_seed};
use crate::store::Mode;

/// A file of words is a few hundred bytes.
const BYTES_MAX: u64 = 64 << 10;

/// Write your identity on paper: 24 words, or shares of them
///
/// The words are shown once and then typed back from the paper: only then it is done. Whoever reads them is you, without
/// any passphrase. With --shares each of N people or places keeps one share; any K of them restore the identity, and
/// fewer tell nothing. The name is not in the words: remember it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo identity backup
  amparo identity backup --shares 2/3")]
pub(crate) struct Args {
    /// N shares, any K of which restore the identity
    #[arg(long, value_name = "K/N", value_parser = numbers, conflicts_with = "output")]
    shares: Option<Shares>,
    /// Write the words to this file instead: for a medium that nobody finds, never for this device
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How many of how many.
#[derive(Clone, Copy, Debug)]
struct Shares {
    needed: u8,
    total: u8,
}

fn numbers(text: &str) -> Result<Shares, String> {
    let numbers = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    match numbers {
        Some((needed, total)) if 2 <= needed && needed <= total && total <= SHARES_MAX => Ok(Shares { needed, total }),
        _ => Err(format!("K/N as in 2/3: K from 2 up to N, N at most {SHARES_MAX}")),
    }
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    if let Some(output) = &args.output {
        return to_file(output, call);
    }
    if !call.interactive() {
        let what = "a terminal that shows the words once and hears them back";
        return Err(CliError::Needs { what, flag: "-o FILE, where a file is wise" });
    }
    let (identity, _) = call.identity_secret()?;
    let name = shown(identity.name.as_str());
    let sheets = sheets(&identity, args.shares, call);
    tell_danger(&name, args.shares, call);
    for (title, words) in &sheets {
        let below = "Copy them by hand. No photo, no printer, no file.\n";
        let page = words::page(title, words, below);
        let prompt = "When they are on paper, press Enter: they vanish. ";
        let answer = call.context.ask.privately(&page, prompt).map_err(|source| CliError::Terminal { source })?;
        answer.ok_or(CliError::BackupNotDone)?;
    }
    rehearse(&identity, args.shares, call)
}

/// What is to be on paper: a title and words for each sheet.
fn sheets(
    identity: &IdentityFile,
    shares: Option<Shares>,
    call: &mut Call<'_, '_>,
) -> Vec<(String, Vec<&'static str>)> {
    let Some(Shares { needed, total }) = shares else {
        return vec![("The 24 words of this identity, shown this once.".into(), of_seed(&identity.seed))];
    };
    let shares = split(identity.seed.as_bytes(), needed, total, &mut *call.context.rng);
    let title = |share: &crate::crypto::shares::Share| {
        format!("Share {} of {total}, for one person or place of its own. Any {needed} restore it.", share.index())
    };
    shares.iter().map(|share| (title(share), bytewords::of_share(share))).collect()
}

fn tell_danger(name: &str, shares: Option<Shares>, call: &mut Call<'_, '_>) {
    match shares {
        None => call.warn(&format!(
            "whoever reads these words is {name}: opens what {name} can open, signs as {name}, and needs no passphrase"
        )),
        Some(Shares { needed, .. }) => call.warn(&format!(
            "whoever brings {needed} of these shares together is {name}, and needs no passphrase; give each to another \
             person or place"
        )),
    }
    call.warn(
        "paper in a flat that may be searched is a danger to you and to those you protect: keep it, or most shares, \
         where nobody searches with you",
    );
    call.say(&format!("The name {name} is not in the words: remember it too, restore asks for it."));
}

/// The words, or enough shares, typed back give the same member; else it is not done.
fn rehearse(identity: &IdentityFile, shares: Option<Shares>, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let purpose = match shares {
        None => "REHEARSAL: type back from the paper what you wrote. Only then this backup is done.".to_string(),
        Some(Shares { needed, .. }) => {
            format!("REHEARSAL: type back any {needed} shares from the paper. Only then this backup is done.")
        }
    };
    let member = MemberId::of(&identity.seed.keys().public());
    match words::hear(&purpose, call) {
        Ok(seed) if MemberId::of(&seed.keys().public()) == member => {}
        Ok(_) => return Err(CliError::BackupOther),
        Err(CliError::Stopped) => return Err(CliError::BackupNotDone),
        Err(error) => {
            call.warn(&error.to_string());
            return Err(CliError::BackupNotDone);
        }
    }
    call.say("DONE: what is on paper restores this identity.");
    call.print(&member.fingerprint())?;
    call.say("These are its digits, as on its card: compare them after a restore.");
    call.suggest("amparo identity show");
    Ok(DONE)
}

/// For a medium of its own. What was written is read back.
fn to_file(output: &Path, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    if is_dash(output) {
        let message = "words are not written to a pipe: whatever reads it may keep them".into();
        return Err(CliError::Usage { message, hint: Some("amparo identity backup".into()) });
    }
    call.must_be_free(output)?;
    let (identity, _) = call.identity_secret()?;
    let mut text = Zeroizing::new(String::with_capacity(512));
    for (number, word) in (1..).zip(of_seed(&identity.seed)) {
        text.push_str(&format!("{number:>2}. {word}\n"));
    }
    call.write_file(output, text.as_bytes(), Mode::Private, false)?;
    let written = Zeroizing::new(call.read_file(output, BYTES_MAX)?);
    let seed = words::read(&String::from_utf8_lossy(&written))?;
    let member = MemberId::of(&identity.seed.keys().public());
    if MemberId::of(&seed.keys().public()) != member {
        return Err(CliError::BackupOther);
    }
    call.warn("a file can be copied without a trace, and a flash drive keeps what was deleted: paper is safer");
    call.warn(&format!("whoever reads this file is {}, and needs no passphrase", shown(identity.name.as_str())));
    if call.global.json {
        call.print_json(json!({
            "format": 1, "file": output.display().to_string(), "member": member.to_string(),
            "fingerprint": member.fingerprint(),
        }))?;
        return Ok(DONE);
    }
    call.say(&format!("The words are in {}, and were read back from it.", output.display()));
    call.suggest(format!("amparo identity restore --words {}", hints::word(&output.display().to_string())));
    Ok(DONE)
}
