//! `amparo form`: a blank form for a kind of exhibit.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::json;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::{DONE, Exit};
use crate::format::fields::Kind;
use crate::format::form;

/// Print a blank form for a kind of exhibit
///
/// Fill it in with any editor and give it to seal with --form. It is readable by anyone who finds it: delete it once
/// the exhibit is sealed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo form testimony > testimony.toml
  amparo form photo")]
pub(crate) struct Args {
    /// The kind of exhibit
    #[arg(value_name = "KIND", value_parser = kinds())]
    kind: Kind,
}

/// The words for the kinds of exhibits.
pub(super) fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.word()))
        .map(|word| Kind::from_word(&word).expect("one of the words that were offered"))
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let text = form::blank(args.kind);
    if call.global.json {
        call.print_json(json!({ "format": 1, "kind": args.kind.word(), "form": text }))?;
    } else {
        call.print_bytes(text.as_bytes())?;
    }
    Ok(DONE)
}
