//! `amparo seal`: what is said of the evidence, the sealing, and what is left to do.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::form::kinds;
use crate::cli::call::{Call, is_dash};
use crate::cli::error::CliError;
use crate::cli::folders::{Contact, Place};
use crate::cli::output::Tone;
use crate::cli::stream::ObjectStream;
use crate::cli::{DONE, Exit, INCOMPLETE};
use crate::format::fields::Kind;
use crate::format::form::FormAnswers;
use crate::format::names::printable;
use crate::format::role::Section;
use crate::store::Mode;
use crate::vault::VaultError;
use crate::vault::receipt;
use crate::vault::seal::{SealRequest, Sealed, seal};
use crate::vault::session::Person;

mod after;
mod answers;
mod live;
mod readers;

use live::{Form, Told};

/// Seal files, folders or standard input
///
/// Each file becomes one exhibit; with --together a folder becomes one. What is printed as SEALED is on the disk, was
/// read back and compared, and is signed for. Hidden files are sealed; links and devices are skipped and listed.
/// Without answers by flag or form, the questions that a court will ask are asked here; Enter leaves one open.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo seal statement.pdf --kind testimony
  amparo seal photos --kind photo --field acquisition/when=2026-11-20 --done sealed
  amparo seal case-7 --together --form case-7.toml --receipt case-7.receipt
  amparo seal - --kind web < page.html")]
pub(crate) struct Args {
    /// Files, folders, or - for standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// What it is
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    kind: Option<Kind>,
    /// What it is called in a list; for every exhibit of this run
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// An answer, for every exhibit of this run; amparo form KIND shows what can be answered
    #[arg(long, value_name = "PATH=VALUE")]
    field: Vec<String>,
    /// A filled-in form, for every exhibit of this run
    #[arg(long, value_name = "FILE")]
    form: Option<PathBuf>,
    /// The section, which decides who can open it
    #[arg(long, value_name = "SECTION", default_value = "main")]
    section: Section,
    /// A folder becomes one exhibit
    #[arg(long)]
    together: bool,
    /// Write a receipt to this file, to leave by another road
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Move what was sealed into this folder, on the same disk
    #[arg(long, value_name = "DIR")]
    done: Option<PathBuf>,
    /// Do not read back what was written: faster, and a bad disk goes unnoticed
    #[arg(long)]
    no_readback: bool,
    /// Agree to the readers of a key that is new to this device
    #[arg(long)]
    accept_readers: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    for path in args.paths.iter().filter(|path| is_dash(path)) {
        call.claim_stdin(path, "PATH")?;
    }
    let given = answers::given(args, call)?;
    if let Some(receipt) = &args.receipt {
        call.must_be_free(receipt)?;
    }
    let paths: Vec<PathBuf> =
        args.paths.iter().map(|path| if is_dash(path) { path.clone() } else { call.path(path) }).collect();
    for path in paths.iter().filter(|path| !is_dash(path)) {
        call.context.disk.stat(path)?;
    }
    let place = call.place(Contact::Must)?;
    if place.trust.is_none() && !call.knows(&place.vault, &place.state)? {
        return Err(CliError::UnknownVault);
    }
    for path in args.receipt.iter().chain(&args.done) {
        call.must_be_outside(&place.vault, path)?;
    }
    let person = call.person()?;
    let identity = call.identity_file()?;
    let said = answers::ask_the_rest(given, call)?;
    if let Some(folder) = &args.done {
        call.context.disk.create_folder_all(&call.path(folder))?;
    }
    let mut told = live::Told::new(form(call), args.done.is_some());
    let mut accepted = Vec::new();
    let sealed = loop {
        let request = SealRequest { accepted: &accepted, ..request(args, &place, &person, &identity, &paths, &said) };
        let outcome = {
            let mut parts = call.parts();
            let (mut setting, stdin, stdout, progress) = parts.split_live();
            seal(&mut setting, &request, stdin, &mut |exhibit| told.tell(&exhibit, stdout, progress))
        };
        match outcome {
            Err(VaultError::NewReaders { keys }) if accepted.is_empty() => {
                readers::accept(args.accept_readers, &keys, call)?;
                accepted = keys.iter().map(|key| key.key).collect();
            }
            other => break other?,
        }
    };
    finish(args, call, Run { place: &place, person: &person, paths: &paths, sealed, told })
}

/// How each exhibit is told when it is sealed.
fn form(call: &Call<'_, '_>) -> Form {
    if call.global.json {
        return Form::Json(ObjectStream::default());
    }
    let word = call.set_off("SEALED", Tone::Good, call.context.terminal.output);
    Form::Line { word, verbose: call.global.verbose }
}

/// What a run has done, and with what.
struct Run<'r> {
    place: &'r Place,
    person: &'r Person,
    paths: &'r [PathBuf],
    sealed: Sealed,
    told: Told,
}

fn request<'r>(
    args: &Args,
    place: &'r Place,
    person: &'r Person,
    identity: &'r Path,
    paths: &'r [PathBuf],
    said: &'r FormAnswers,
) -> SealRequest<'r> {
    SealRequest {
        place: place.request(Some(person)),
        paths,
        together: args.together,
        section: args.section.clone(),
        fields: &said.fields,
        register: &said.register,
        identity: Some(identity),
        readback: !args.no_readback,
        accepted: &[],
    }
}

/// Everything after the evidence is safe: the worst of what is said here is the exit code.
fn finish(args: &Args, call: &mut Call<'_, '_>, mut run: Run<'_>) -> Result<Exit, CliError> {
    let mut exit = if run.sealed.skipped.is_empty() { DONE } else { INCOMPLETE };
    after::warn(args, &run, call);
    call.tell_clock();
    if let Some(path) = &args.receipt
        && let Err(error) = write_receipt(path, call, &run)
    {
        exit = call.tell(&error);
    }
    let moved = match &args.done {
        Some(folder) => after::move_away(folder, call, &mut run),
        None => after::Moved::default(),
    };
    if moved.failed > 0 {
        exit = INCOMPLETE;
    }
    call.warn_of_others(&run.sealed.overlooked);
    call.warn_of_age(&run.sealed.lacking);
    let failure = run.sealed.failure.take();
    if failure.is_some() {
        call.warn("the run ended early: what is listed as sealed is sealed, the rest is not");
    }
    // What is sealed is sealed, and everything of it is told and done, though nobody reads the output any more.
    let deaf = run.told.trouble.take().map(|source| CliError::Output { source });
    match std::mem::replace(&mut run.told.form, Form::Json(ObjectStream::default())) {
        Form::Json(_) if deaf.is_some() => {}
        Form::Json(object) => print_rest(object, call, &run.sealed)?,
        Form::Line { .. } => after::tell(args, &moved, call, &run),
    }
    Ok(failure.map(CliError::from).or(deaf).map_or(exit, |error| call.tell(&error)))
}

fn write_receipt(path: &std::path::Path, call: &mut Call<'_, '_>, run: &Run<'_>) -> Result<(), CliError> {
    let Some(head) = run.sealed.head else { return Ok(()) };
    let place = run.place.request(Some(run.person));
    let receipt = {
        let mut parts = call.parts();
        match &run.told.first {
            Some(one) if run.sealed.count == 1 => receipt::of_exhibit(&mut parts.setting(), &place, one)?,
            _ => receipt::of_sealing(&mut parts.setting(), &place, head)?,
        }
    };
    call.write_file(path, receipt.print().as_bytes(), Mode::Open, false)?;
    call.say(&format!("The receipt is in {}: let it leave by another road than the evidence.", path.display()));
    Ok(())
}

/// The rest of the one object, behind the exhibits.
fn print_rest(mut object: ObjectStream, call: &mut Call<'_, '_>, sealed: &Sealed) -> Result<(), CliError> {
    let out = &mut *call.context.stdout;
    let mut write = || {
        object.begin(out, "exhibits")?;
        object.members(out, described(sealed))?;
        object.list(out, "skipped")?;
        for skipped in &sealed.skipped {
            object.item(out, &json!({ "path": printable(&skipped.path), "reason": skipped.reason }))?;
        }
        object.members(out, Map::from_iter([("warnings".to_string(), json!(call.warnings))]))
    };
    write().and_then(|()| object.end(out)).map_err(|source| CliError::Output { source })
}

fn described(sealed: &Sealed) -> Map<String, Value> {
    let checkpoint = sealed
        .head
        .map(|head| json!({ "log": head.log.to_string(), "size": head.size, "root": head.root.to_string() }));
    Map::from_iter([
        ("register".to_string(), json!(sealed.register)),
        ("checkpoint".to_string(), json!(checkpoint)),
        ("readback".to_string(), json!(sealed.readback)),
        ("from_medium".to_string(), json!(sealed.readback && sealed.from_medium)),
        ("readers".to_string(), json!(sealed.readers)),
        ("readable_by_removed".to_string(), json!(sealed.removed)),
        ("opened_before".to_string(), json!(sealed.opened_before)),
    ])
}
