//! The only room that speaks: arguments, prompts, progress, errors with a way out, exit codes, JSON.
//!
//! The chain is the same for every command: argv → [`args`] → a verb of [`crate::vault`] → its outcome → words or JSON
//! → exit code. [`run`] does it on a [`Context`], which holds all that the outside world gives; [`main`] makes one from
//! the process. Results go to standard output, talk and progress to standard error.

mod args;
mod call;
mod commands;
mod context;
mod error;
mod folders;
mod hints;
mod output;
mod pieces;
mod process;
mod progress;
mod prompt;
mod qr;
mod room;
mod story;
mod stray;
mod stream;

use std::ffi::OsString;

use clap::{ArgMatches, FromArgMatches};

pub use args::command;
pub use context::{Ask, Context, Terminal};
pub use process::main;

use args::Cli;
use call::Call;

/// What a run ends with; see the table of exit codes in the manual.
pub(crate) type Exit = u8;

/// Done, or everything that could be checked holds.
pub(crate) const DONE: Exit = 0;
/// It could not be done.
pub(crate) const FAILED: Exit = 1;
/// The command line is no sentence of this program.
pub(crate) const USAGE: Exit = 2;
/// Checked, and does not verify.
pub(crate) const INVALID: Exit = 3;
/// Something is missing, unreadable, behind or was skipped.
pub(crate) const INCOMPLETE: Exit = 4;
/// It holds, and who signed it, or the vault, is not known here.
pub(crate) const UNKNOWN: Exit = 5;
/// No vault here.
pub(crate) const NO_VAULT: Exit = 10;
/// Another process has the vault.
pub(crate) const LOCKED: Exit = 11;
/// No key here opens it.
pub(crate) const NO_KEY: Exit = 12;
/// Interrupted.
pub(crate) const INTERRUPTED: Exit = 130;

/// Runs the program; `args` begins with the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>, context: &mut Context<'_>) -> Exit {
    let args: Vec<OsString> = args.into_iter().collect();
    let parsed = command()
        .term_width(context.terminal.width)
        .try_get_matches_from(&args)
        .and_then(|matches| Ok((Cli::from_arg_matches(&matches)?, has_overwrite(&matches))));
    match parsed {
        Ok((Cli { global, command }, overwrites)) => {
            let mut call = Call::new(context, global);
            call.overwrites = overwrites;
            let outcome = commands::run(command, &mut call);
            call.tell_clock();
            outcome.unwrap_or_else(|error| call.tell(&error))
        }
        Err(error) => stray::tell(&error, &args, context),
    }
}

/// Whether the command that was typed has the flag by which it replaces what is there.
fn has_overwrite(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((_, below)) => has_overwrite(below),
        None => matches.try_contains_id("overwrite").is_ok(),
    }
}
