//! One file a command: its arguments, its help with an example, its function.

pub(super) mod border_check;
pub(super) mod custody;
pub(super) mod doctor;
pub(super) mod form;
pub(super) mod identity;
pub(super) mod init;
pub(super) mod lend;
pub(super) mod list;
pub(super) mod member;
pub(super) mod merge;
pub(super) mod open;
pub(super) mod pack;
pub(super) mod seal;
pub(super) mod show;
pub(super) mod status;
pub(super) mod tour;
pub(super) mod unpack;
pub(super) mod util;
pub(super) mod verify;

use super::Exit;
use super::args::Command;
use super::call::Call;
use super::error::CliError;

/// Does what the command line asks.
pub(super) fn run(command: Option<Command>, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    match command {
        None => status::run(call),
        Some(Command::Tour(args)) => tour::run(&args, call),
        Some(Command::Identity(command)) => identity::run(command, call),
        Some(Command::Init(args)) => init::run(&args, call),
        Some(Command::Seal(args)) => seal::run(&args, call),
        Some(Command::Form(args)) => form::run(&args, call),
        Some(Command::List(args)) => list::run(&args, call),
        Some(Command::Show(args)) => show::run(&args, call),
        Some(Command::Open(args)) => open::run(&args, call),
        Some(Command::Verify(args)) => verify::run(&args, call),
        Some(Command::Member(command)) => member::run(command, call),
        Some(Command::Pack(args)) => pack::run(&args, call),
        Some(Command::Unpack(args)) => unpack::run(&args, call),
        Some(Command::Merge(args)) => merge::run(&args, call),
        Some(Command::Custody(command)) => custody::run(command, call),
        Some(Command::BorderCheck(args)) => border_check::run(&args, call),
        Some(Command::Doctor(args)) => doctor::run(&args, call),
        Some(Command::Util(command)) => util::run(command, call),
    }
}
