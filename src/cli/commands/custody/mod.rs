//! `amparo custody`: the custody record. One file a subcommand; [`table`] is how the story looks on a screen.

mod acknowledge;
pub(super) use acknowledge::{described as described_acknowledged, tell as tell_acknowledged};
mod decline;
mod log;
mod note;
mod offer;
mod receipt;
mod table;
pub(super) mod told;
mod withdraw;

use crate::cli::Exit;
use crate::cli::call::Call;
use crate::cli::error::CliError;

/// What to do with the custody record.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Log(log::Args),
    Offer(Box<offer::Args>),
    Acknowledge(acknowledge::Args),
    Decline(decline::Args),
    Note(note::Args),
    Withdraw(withdraw::Args),
    Receipt(receipt::Args),
}

pub(super) fn run(command: Command, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    match command {
        Command::Log(args) => log::run(&args, call),
        Command::Offer(args) => offer::run(&args, call),
        Command::Acknowledge(args) => acknowledge::run(&args, call),
        Command::Decline(args) => decline::run(&args, call),
        Command::Note(args) => note::run(&args, call),
        Command::Withdraw(args) => withdraw::run(&args, call),
        Command::Receipt(args) => receipt::run(&args, call),
    }
}
