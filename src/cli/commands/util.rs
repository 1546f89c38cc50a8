//! `amparo util`: completions and manual pages.

use std::path::PathBuf;

use clap_complete::Shell;
use serde_json::json;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::output::count;
use crate::cli::{DONE, Exit, command};
use crate::store::{Mode, StoreError};

/// What to print.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Completion(Completion),
    Man(Man),
}

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo util completion bash > amparo.bash
  amparo util completion fish")]
pub(crate) struct Completion {
    /// The shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Write the manual pages into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo util man manual
  amparo util man manual --overwrite")]
pub(crate) struct Man {
    /// The folder; it is made if it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Replace pages that exist
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn run(command: Command, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    match command {
        Command::Completion(args) => completion(&args, call),
        Command::Man(args) => man(&args, call),
    }
}

fn completion(args: &Completion, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command(), "amparo", &mut text);
    call.print_bytes(&text)?;
    Ok(DONE)
}

fn man(args: &Man, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let folder = call.path(&args.folder);
    if let Err(StoreError::Missing { .. }) = call.context.disk.folder(&folder) {
        call.context.disk.create_folder(&folder, Mode::Open)?;
    }
    let mut command = command();
    command.build();
    let mut pages = Vec::new();
    gather(&command, "amparo", &mut pages)?;
    for (name, page) in &pages {
        call.write_file(&args.folder.join(name), page, Mode::Open, args.overwrite)?;
    }
    if call.global.json {
        let names: Vec<&String> = pages.iter().map(|(name, _)| name).collect();
        call.print_json(json!({ "format": 1, "pages": names }))?;
    } else {
        call.say(&format!("Wrote {} into {}.", count(pages.len() as u64, "page"), args.folder.display()));
    }
    Ok(DONE)
}

fn gather(command: &clap::Command, name: &str, pages: &mut Vec<(String, Vec<u8>)>) -> Result<(), CliError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone().display_name(name))
        .render(&mut page)
        .map_err(|source| CliError::Output { source })?;
    pages.push((format!("{name}.1"), page));
    for sub in command.get_subcommands() {
        gather(sub, &format!("{name}-{}", sub.get_name()), pages)?;
    }
    Ok(())
}
