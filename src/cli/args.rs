//! The command line as data: global flags and the commands. Each command's own arguments stand in its file.

use std::path::PathBuf;

use clap::{CommandFactory, Parser, Subcommand};

use super::commands::{
    border_check, custody, doctor, form, identity, init, list, member, merge, open, pack, seal, show, tour, unpack,
    util, verify,
};

/// The encrypted evidence vault: seal, carry, verify, open.
#[derive(Debug, Parser)]
#[command(name = "amparo", version, disable_help_subcommand = true, color = clap::ColorChoice::Never)]
#[command(after_help = "\
Without a command, amparo says what to do next here.

Examples:
  amparo
  amparo identity new --name \"Blue Heron\"
  amparo init evidence --reader grey-owl.card --monitor red-kite.card
  amparo seal testimony.pdf --kind testimony
  amparo verify")]
#[command(after_long_help = "\
Without a command, amparo says what to do next here.

Exit codes:
  0    done; for verify: everything that could be checked was, and holds
  1    could not do it
  2    usage
  3    checked, and does not verify (INVALID)
  4    INCOMPLETE: something is missing, unreadable, behind or was skipped
  5    the signature holds, its signer or vault is not known here
  10   no vault here
  11   locked by another process
  12   no key here opens it
  130  interrupted

Environment:
  AMPARO_VAULT, AMPARO_IDENTITY, AMPARO_STATE, AMPARO_PASSPHRASE_FILE stand for the flags of these names;
  NO_COLOR or TERM=dumb turns colours off.

Examples:
  amparo
  amparo identity new --name \"Blue Heron\"
  amparo init evidence --reader grey-owl.card --monitor red-kite.card
  amparo seal testimony.pdf --kind testimony
  amparo verify")]
pub(crate) struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags of every command.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Everywhere")]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Global {
    /// The vault's folder; else the current folder or the nearest parent that is one
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) vault: Option<PathBuf>,
    /// Your identity file; else the one in your configuration folder
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) identity: Option<PathBuf>,
    /// What this device remembers; else your state folder
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// The passphrase is the first line of this file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// First contact: the vault's digits or id, as its founder gave them to you
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) vault_id: Option<String>,
    /// First contact: the founder's card, as the founder gave it to you
    #[arg(long, global = true, value_name = "CARD")]
    pub(crate) owner: Option<PathBuf>,
    /// Print one JSON object
    ///
    /// Its `warnings` are those that a person would see: of what is wrong with custody records the first five, and how many
    /// more there are. `amparo verify --json` lists all under `findings`.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Say nothing but results, warnings and errors
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more, file names too
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// Never ask; fail where an answer is needed
    #[arg(long, global = true)]
    pub(crate) no_input: bool,
    /// No colours
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
}

/// The commands. Where a variant says nothing, the help is that of its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See the whole story once, on sample evidence
    Tour(tour::Args),
    /// Your identity on this device and its card
    #[command(subcommand)]
    Identity(identity::Command),
    Init(init::Args),
    Seal(Box<seal::Args>),
    Form(form::Args),
    List(list::Args),
    Show(show::Args),
    Open(open::Args),
    Verify(verify::Args),
    /// Who works with this vault
    #[command(subcommand)]
    Member(member::Command),
    Merge(merge::Args),
    Pack(pack::Args),
    Unpack(unpack::Args),
    /// The custody record
    #[command(subcommand)]
    Custody(custody::Command),
    BorderCheck(border_check::Args),
    Doctor(doctor::Args),
    /// Completions and manual pages
    #[command(subcommand)]
    Util(util::Command),
}

/// The command line, for completions, manual pages, and whoever checks an example.
pub fn command() -> clap::Command {
    Cli::command()
}
