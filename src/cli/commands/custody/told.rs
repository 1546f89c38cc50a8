//! What a custody form asks of a handover: flags, or answers to short questions. Shared by `custody offer` and `pack`.

use std::path::Path;

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::store::Kind;
use crate::vault::custody::offer::{Circumstances, Receiver};

/// The circumstances of a handover.
#[derive(Debug, clap::Args)]
pub(crate) struct Told {
    /// The data medium, as you would describe it
    #[arg(long, value_name = "TEXT")]
    medium: Option<String>,
    /// The number on its seal
    #[arg(long, value_name = "TEXT")]
    seal_no: Option<String>,
    /// Its condition
    #[arg(long, value_name = "TEXT")]
    condition: Option<String>,
    /// Who carries it, by pseudonym
    #[arg(long, value_name = "TEXT")]
    carrier: Option<String>,
    /// Where it is handed over
    #[arg(long, value_name = "TEXT")]
    place: Option<String>,
    /// What for
    #[arg(long, value_name = "TEXT")]
    purpose: Option<String>,
    /// Under what authority
    #[arg(long, value_name = "TEXT")]
    authority: Option<String>,
}

impl Told {
    /// What flags say.
    pub(crate) fn given(&self) -> Circumstances {
        let words = |given: &Option<String>| given.clone().unwrap_or_default();
        Circumstances {
            medium: words(&self.medium),
            seal_number: words(&self.seal_no),
            condition: words(&self.condition),
            carrier: words(&self.carrier),
            place: words(&self.place),
            purpose: words(&self.purpose),
            authority: words(&self.authority),
        }
    }

    /// What flags say, and the answers to short questions for the rest.
    pub(crate) fn ask(&self, call: &mut Call<'_, '_>) -> Result<Circumstances, CliError> {
        let mut told = self.given();
        if call.interactive() || told != Circumstances::default() {
            call.warn_of_words();
        }
        if !call.interactive() {
            return Ok(told);
        }
        call.talk("What a custody form asks. Enter leaves one open.");
        let questions = [
            (&self.medium, &mut told.medium, "The medium:"),
            (&self.seal_no, &mut told.seal_number, "The number on its seal:"),
            (&self.condition, &mut told.condition, "Its condition:"),
            (&self.carrier, &mut told.carrier, "Who carries it (a pseudonym):"),
            (&self.place, &mut told.place, "Where it is handed over:"),
            (&self.purpose, &mut told.purpose, "What for:"),
            (&self.authority, &mut told.authority, "Under what authority:"),
        ];
        for (_, slot, question) in questions.into_iter().filter(|(given, ..)| given.is_none()) {
            *slot = call.ask_line(question)?.unwrap_or_default();
        }
        Ok(told)
    }
}

/// A member as she is called, or the card in a file of that name.
pub(crate) fn receiver(named: &str, call: &mut Call<'_, '_>) -> Result<Receiver, CliError> {
    let file = Path::new(named);
    let card = match call.context.disk.stat(&call.path(file)) {
        Ok(stat) if stat.kind == Kind::File => Some(call.card(file)?),
        _ => None,
    };
    Ok(Receiver { typed: named.into(), card })
}
