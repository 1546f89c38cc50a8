//! `amparo doctor`: what could be lost, and what is weak. It repairs nothing.

use serde_json::{Value, json};

use crate::cli::call::Call;
use crate::cli::error::CliError;
use crate::cli::folders::Contact;
use crate::cli::output::{Tone, shown};
use crate::cli::{DONE, Exit};
use crate::vault::doctor::{Examination, Gravity, doctor};

/// What could be lost, and what is weak; repairs nothing
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo doctor
  amparo doctor --json")]
pub(crate) struct Args {}

pub(super) fn run(_: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place(Contact::Looks)?;
    let person = call.person_if_any()?;
    let (identity, here) = (call.identity_file()?, call.context.folder.clone());
    let examination = Examination { place: place.request(person.as_ref()), identity: &identity, here: &here };
    let advice = doctor(&mut call.parts().setting(), &examination)?;
    if call.global.json {
        let described = |gravity| if gravity == Gravity::Warning { "warning" } else { "note" };
        let advice: Vec<Value> =
            advice.iter().map(|advice| json!({ "gravity": described(advice.gravity), "text": advice.text })).collect();
        call.print_json(json!({ "format": 1, "advice": advice }))?;
        return Ok(DONE);
    }
    for advice in &advice {
        let word = match advice.gravity {
            Gravity::Warning => call.set_off("warning:", Tone::Careful, call.context.terminal.output),
            Gravity::Note => "note:".into(),
        };
        call.print(&format!("{word} {}", shown(&advice.text)))?;
    }
    if advice.is_empty() {
        call.print("nothing to warn of")?;
    }
    call.suggest("amparo verify");
    Ok(DONE)
}
