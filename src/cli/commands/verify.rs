//! `amparo verify`: a vault, receipts, signed states, proofs of contradicting histories, cards, pouches; and what was not checked.

use std::path::{Path, PathBuf};

use crate::cli::Exit;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::output::shown;
use crate::cli::room::{Needs, Output};
use crate::crypto::hash::Hash;
use crate::store::{Kind, Mode};
use crate::vault::pouch::unfinished::Mark;

mod alone;
mod contradiction;
mod cosigned;
mod paper;
mod pouch;
mod report;
mod verdict;
mod whole;

use cosigned::Cosigning;
use paper::Paper;
use report::{Names, Report};

/// Check a vault, receipts, signed states and cards
///
/// Without a key this checks that sealed files are what their names say; as a member, also signatures, authority and
/// order; as a reader, the content. VALID means unchanged since sealing, never true. Every verdict ends with what was
/// not checked. A pouch, its volumes and its parity are checked for damage without a key, and repaired with --repair; one that
/// came alone is held against the SHA-256 that its sender told by another road. To whom it is for, what is in it is a vault. With --cosign you sign, as a member, the states that hold, and your check stands in the
/// custody record.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo verify
  amparo verify evidence --receipt K7-0001.receipt
  amparo verify evidence --cosign --cosignatures red-kite.cosignatures
  amparo verify K7-0001.receipt --owner blue-heron.card
  amparo verify evidence --fork-proof contradiction.txt
  amparo verify contradiction.txt --owner blue-heron.card
  amparo verify holiday.bin holiday.bin.parity --repair whole.bin
  amparo verify holiday.bin --sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  amparo verify evidence --report report.md --names roles
  amparo verify evidence --vault-id \"28559 12310 93023 00000 67295 66051 00000 00000\" --json")]
pub(crate) struct Args {
    /// A vault's folder, a receipt, a signed state, a proof of contradicting histories, a card, or the files of a pouch; else the vault here
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A receipt that the vault must still hold to
    #[arg(long, value_name = "FILE")]
    receipt: Vec<PathBuf>,
    /// A share of the key that another reader lent you: to check the content where several must come together
    #[arg(long, value_name = "FILE")]
    share: Vec<PathBuf>,
    /// A signed state that somebody else remembers
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// Sign what holds: others then know that you saw these states
    #[arg(long)]
    cosign: bool,
    /// With --cosign: write your cosignatures to this file, to go to others by phone or mail
    #[arg(long, value_name = "FILE", requires = "cosign")]
    cosignatures: Option<PathBuf>,
    /// Where one key signed two histories, write the proof of it to this file: it convinces whoever has the card
    #[arg(long, value_name = "FILE")]
    fork_proof: Option<PathBuf>,
    /// Write the verdict and the custody story as a page, in Markdown
    #[arg(long, value_name = "FILE", requires = "names")]
    report: Option<PathBuf>,
    /// Of a damaged pouch: write it as it was to this file, if its parity can restore it
    #[arg(long, value_name = "FILE")]
    repair: Option<PathBuf>,
    /// Of a pouch: the SHA-256 that its sender told by another road. If it is the same, the pouch is undamaged; no key is used.
    /// Where more is damaged than memory holds, it is compared with what --repair writes
    #[arg(long, value_name = "DIGITS", value_parser = pouch::digest,
          conflicts_with_all = ["receipt", "share", "checkpoint", "cosign", "fork_proof", "report"])]
    sha256: Option<Hash>,
    /// Whose names stand in the report
    #[arg(long, value_name = "WHOSE", requires = "report")]
    names: Option<Names>,
    /// Replace the report or the file of cosignatures if it exists
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let Some(repaired) = &args.repair else {
        let needs = needs(args, call)?;
        return call.confined(&needs, |_, call| verify(args, None, call));
    };
    call.must_be_free_or_unfinished(repaired)?;
    let (folder, name) = call.split_path(repaired)?;
    let mark = Mark::file(call.context.disk, (&folder, &name))?;
    let outputs = vec![Output::marked(repaired, &mark)];
    let needs = Needs { sources: args.paths.clone(), outputs, ..Needs::default() };
    call.confined(&needs, |_, call| verify(args, Some(&mark), call))
}

/// Whatever of it turns out to be a vault is among the sources, too, and is written only to sign.
fn needs(args: &Args, call: &Call<'_, '_>) -> Result<Needs<'static>, CliError> {
    let (folders, _) = split(&args.paths, call)?;
    let vault = match folders.as_slice() {
        [vault] => Some(call.path(vault)),
        // Papers alone need none; whoever needs one says so within.
        _ => call.vault_folder().ok().flatten(),
    };
    let mut outputs = Vec::new();
    outputs.extend(args.cosignatures.iter().map(|file| Output::named(file, Mode::Open, args.overwrite)));
    outputs.extend(args.report.iter().map(|file| Output::named(file, Mode::Private, args.overwrite)));
    outputs.extend(args.fork_proof.iter().flat_map(|file| contradiction::made_ahead(file)));
    Ok(Needs {
        sources: [&args.paths, &args.receipt, &args.share, &args.checkpoint].into_iter().flatten().cloned().collect(),
        vault: vault.map(|vault| (vault, args.cosign)),
        folder: None,
        outputs,
        identity: true,
    })
}

fn verify(args: &Args, repaired: Option<&Mark>, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) = split(&args.paths, call)?;
    let pouch: Vec<PathBuf> = files.iter().copied().cloned().collect();
    if folders.is_empty() && pouch::is_meant(&pouch, call)? {
        let without_key = repaired.is_some() || args.sha256.is_some();
        let opened = if without_key { None } else { pouch::opened(&pouch, call)? };
        return match opened {
            Some(opened) => {
                let papers = named_papers(args, call)?;
                pouch::verify_within(opened, (&pouch[0], &papers, &Wanted::of(args)), call)
            }
            None => pouch::verify(&pouch, args.sha256, args.repair.as_deref().zip(repaired), call),
        };
    }
    if repaired.is_some() || args.sha256.is_some() {
        let message = "--repair and --sha256 are about a pouch, and none is named".into();
        return Err(CliError::Usage { message, hint: Some("amparo verify --help".into()) });
    }
    let mut vaults = Vec::new();
    let mut papers = Vec::new();
    for path in &args.paths {
        if is_folder(path, call)? {
            if !call.is_vault(&call.path(path))? {
                return Err(CliError::NotThere { folder: path.clone(), exists: true });
            }
            vaults.push(call.path(path));
        } else {
            papers.push(read(path, "PATH", call)?);
        }
    }
    let paths_are_papers = !papers.is_empty() && call.global.vault.is_none();
    papers.extend(named_papers(args, call)?);
    let wanted = Wanted::of(args);
    match vaults.as_slice() {
        [] if paths_are_papers && wanted.is_nothing() => alone::papers(&papers, call),
        [] => match call.vault_folder()? {
            Some(vault) => whole::verify(vault, &papers, &wanted, call),
            None if papers.is_empty() => Err(CliError::NoVault),
            None => papers_alone(&papers, &wanted, call),
        },
        [vault] => whole::verify(vault.clone(), &papers, &wanted, call),
        _ => Err(CliError::Usage { message: "one vault at a time".into(), hint: None }),
    }
}

/// What --receipt and --checkpoint name.
fn named_papers(args: &Args, call: &mut Call<'_, '_>) -> Result<Vec<Paper>, CliError> {
    let mut papers = Vec::new();
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
    Ok(papers)
}

/// What a verification is to leave beside its verdict.
struct Wanted {
    /// Where to write the proof of contradicting histories.
    fork_proof: Option<PathBuf>,
    /// Shares of a key that others lent.
    shares: Vec<PathBuf>,
    /// Whether to sign the states that hold.
    cosigning: Option<Cosigning>,
    report: Option<Report>,
}

impl Wanted {
    fn of(args: &Args) -> Self {
        let report = args.report.clone().zip(args.names);
        Self {
            fork_proof: args.fork_proof.clone(),
            shares: args.share.clone(),
            cosigning: args.cosign.then(|| Cosigning { file: args.cosignatures.clone(), overwrite: args.overwrite }),
            report: report.map(|(file, names)| Report { file, names, overwrite: args.overwrite }),
        }
    }

    fn is_nothing(&self) -> bool {
        self.fork_proof.is_none() && self.shares.is_empty() && self.cosigning.is_none() && self.report.is_none()
    }

    /// Refuses early what could not be done in the end.
    fn must_be_possible(&self, vault: &Path, call: &mut Call<'_, '_>) -> Result<(), CliError> {
        if let Some(file) = &self.fork_proof {
            call.must_be_outside(vault, file)?;
            call.must_be_free(file)?;
        }
        if let Some(cosigning) = &self.cosigning {
            cosigning.must_be_possible(call)?;
        }
        self.report.as_ref().map_or(Ok(()), |report| report.must_be_possible(vault, call))
    }
}

/// Papers without a vault tell no custody story and hold no second history.
fn papers_alone(papers: &[Paper], wanted: &Wanted, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    if wanted.is_nothing() {
        return alone::papers(papers, call);
    }
    let message = "cosignatures, reports and proofs are about a vault, and none is named".into();
    Err(CliError::Usage { message, hint: Some("amparo verify DIR --cosign".into()) })
}

/// Folders and files, each in the order in which they were named.
fn split<'p>(paths: &'p [PathBuf], call: &Call<'_, '_>) -> Result<(Vec<&'p PathBuf>, Vec<&'p PathBuf>), CliError> {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for path in paths {
        if is_folder(path, call)? { folders.push(path) } else { files.push(path) }
    }
    Ok((folders, files))
}

fn is_folder(path: &Path, call: &Call<'_, '_>) -> Result<bool, CliError> {
    Ok(!is_dash(path) && call.context.disk.stat(&call.path(path))?.kind == Kind::Folder)
}

fn read(path: &Path, reader: &'static str, call: &mut Call<'_, '_>) -> Result<Paper, CliError> {
    call.claim_stdin(path, reader)?;
    let bytes = call.read_input(path, paper::BYTES_MAX)?;
    Paper::read(path, bytes)
}
