//! `amparo verify`: a vault, receipts, signed states, cards; and what was not checked.

use std::path::{Path, PathBuf};

use crate::cli::Exit;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::output::shown;
use crate::store::Kind;

mod alone;
mod cosigned;
mod paper;
mod whole;

use paper::Paper;

/// Check a vault, receipts, signed states and cards
///
/// Without a key this checks that sealed files are what their names say; as a member, also signatures, authority and
/// order; as a reader, the content. VALID means unchanged since sealing, never true. Every verdict ends with what was
/// not checked. With --cosign you sign, as a member, the states that hold, and your check stands in the custody record.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo verify
  amparo verify evidence --receipt K7-0001.receipt
  amparo verify evidence --cosign --cosignatures red-kite.cosignatures
  amparo verify K7-0001.receipt --owner blue-heron.card
  amparo verify evidence --vault-id \"28559 12310 93023 00000 67295 66051 00000 00000\" --json")]
pub(crate) struct Args {
    /// A vault's folder, a receipt, a signed state or a card; else the vault here
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A receipt that the vault must still hold to
    #[arg(long, value_name = "FILE")]
    receipt: Vec<PathBuf>,
    /// A signed state that somebody else remembers
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Sign what holds: others then know that you saw these states
    #[arg(long)]
    cosign: bool,
    /// With --cosign: write your cosignatures to this file, to go to others by phone or mail
    #[arg(long, value_name = "FILE", requires = "cosign")]
    cosignatures: Option<PathBuf>,
    /// Replace the file of cosignatures if it exists
    #[arg(long, requires = "cosignatures")]
    overwrite: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let mut vaults = Vec::new();
    let mut papers = Vec::new();
    for path in &args.paths {
        if is_folder(path, call)? {
            if !call.is_vault(&call.path(path))? {
                return Err(CliError::NotThere { folder: path.clone() });
            }
            vaults.push(call.path(path));
        } else {
            papers.push(read(path, "PATH", call)?);
        }
    }
    let paths_are_papers = !papers.is_empty() && call.global.vault.is_none();
    for (files, flag) in [(&args.receipt, "--receipt"), (&args.checkpoint, "--checkpoint")] {
        for file in files {
            let paper = read(file, flag, call)?;
            if !paper.is_what(flag) {
                let message = format!("{} is not what {flag} takes", shown(&file.to_string_lossy()));
                return Err(CliError::Usage { message, hint: Some("amparo verify --help".into()) });
            }
            papers.push(paper);
        }
    }
    match vaults.as_slice() {
        [] if paths_are_papers => papers_alone(args, &papers, call),
        [] => match call.vault_folder()? {
            Some(vault) => of_vault(vault, args, &papers, call),
            None if !papers.is_empty() => papers_alone(args, &papers, call),
            None => Err(CliError::NoVault),
        },
        [vault] => of_vault(vault.clone(), args, &papers, call),
        _ => Err(CliError::Usage { message: "one vault at a time".into(), hint: None }),
    }
}

fn papers_alone(args: &Args, papers: &[Paper], call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    if args.cosign {
        let message = "only the states of a vault can be cosigned".into();
        return Err(CliError::Usage { message, hint: Some("amparo verify DIR --cosign".into()) });
    }
    alone::papers(papers, call)
}

fn of_vault(vault: PathBuf, args: &Args, papers: &[Paper], call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    if args.cosign { whole::cosign(vault, args, papers, call) } else { whole::verify(vault, papers, call) }
}

fn is_folder(path: &Path, call: &Call<'_, '_>) -> Result<bool, CliError> {
    Ok(!is_dash(path) && call.context.disk.stat(&call.path(path))?.kind == Kind::Folder)
}

fn read(path: &Path, reader: &'static str, call: &mut Call<'_, '_>) -> Result<Paper, CliError> {
    call.claim_stdin(path, reader)?;
    let bytes = call.read_input(path, paper::BYTES_MAX)?;
    Paper::read(path, bytes)
}
