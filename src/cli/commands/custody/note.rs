//! `amparo custody note`: a remark on custody, or that it was not recorded for a while.

use serde_json::json;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::{DONE, Exit};
use crate::vault::custody::note::{Kind, note};

/// Enter a remark in the custody record, or a gap in it
///
/// The time of the entry is now. What happened earlier and was not written down then is entered with --reconstructed; a
/// stretch of which nobody knows is a --gap.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo custody note \"the stick lay in the office safe\" --exhibit K7-0001
  amparo custody note \"the bag was out of sight at the border\" --gap --from \"20 November, 10:00\" --to \"12:30\"
  amparo custody note \"handed over on 3 May, entered today\" --reconstructed")]
pub(crate) struct Args {
    /// The remark; asked for where it is left out, so that no shell remembers it
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// The exhibit that it is about; else the vault
    #[arg(long, value_name = "ID")]
    exhibit: Option<String>,
    /// Custody was not recorded for a while
    #[arg(long, conflicts_with = "reconstructed")]
    gap: bool,
    /// Since when, as far as it is known
    #[arg(long, value_name = "TIME", requires = "gap")]
    from: Option<String>,
    /// Until when, as far as it is known
    #[arg(long, value_name = "TIME", requires = "gap")]
    to: Option<String>,
    /// Written down later, from memory or papers
    #[arg(long)]
    reconstructed: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Must)?;
    let person = call.person()?;
    call.warn_of_words();
    let text = match args.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => text.to_string(),
        None => call.need_line("The remark:", "the remark", "TEXT")?,
    };
    let kind = match (args.gap, args.reconstructed) {
        (true, _) => Kind::Gap { from: args.from.clone().unwrap_or_default(), to: args.to.clone().unwrap_or_default() },
        (false, true) => Kind::Reconstructed,
        (false, false) => Kind::Note,
    };
    let request = place.request(Some(&person));
    let noted = note(&mut call.parts().setting(), &request, &text, args.exhibit.as_deref(), kind)?;
    let label = &noted.said.label;
    if call.global.json {
        call.print_json(json!({
            "format": 1, "entry": label, "log": noted.said.head.log.to_string(), "seq": noted.said.head.size - 1,
            "event": if args.gap { "gap" } else { "note" }, "exhibit": noted.exhibit, "reconstructed": args.reconstructed,
        }))?;
        return Ok(DONE);
    }
    let what = match (args.gap, args.reconstructed) {
        (true, _) => "GAP",
        (false, true) => "NOTED, reconstructed,",
        (false, false) => "NOTED",
    };
    let about = noted.exhibit.as_ref().map_or_else(|| "the vault".into(), Clone::clone);
    call.print(&format!("{what} {label}, about {about}"))?;
    call.suggest("amparo custody log");
    Ok(DONE)
}
