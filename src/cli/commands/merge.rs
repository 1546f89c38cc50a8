//! `amparo merge`: takes in what others have of this vault.

use std::path::PathBuf;

use crate::cli::Exit;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::store::Kind;

mod cosignatures;

/// Take cosignatures from a file into this copy
///
/// The file came by phone or mail from whoever made it with: amparo verify --cosign --cosignatures FILE. Each
/// cosignature is checked against this copy; what holds and is not here yet is added, the rest is listed with its reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo merge red-kite.cosignatures
  amparo merge - < red-kite.cosignatures")]
pub(crate) struct Args {
    /// A file of cosignatures
    #[arg(value_name = "FILE")]
    path: PathBuf,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    if !is_dash(&args.path) && call.context.disk.stat(&call.path(&args.path))?.kind == Kind::Folder {
        let message = format!("{} is a folder, and only files of cosignatures can be taken in", args.path.display());
        return Err(CliError::Usage { message, hint: Some("amparo merge --help".into()) });
    }
    cosignatures::take_in(&args.path, call)
}
