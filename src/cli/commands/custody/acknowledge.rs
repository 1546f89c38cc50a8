//! `amparo custody acknowledge`: the second half of a handover.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::call::Call;
use crate::cli::error::{CliError, by_weight};
use crate::cli::folders::Contact;
use crate::cli::output::{Tone, count, said, shown};
use crate::cli::room::Needs;
use crate::cli::{DONE, Exit};
use crate::vault::custody::acknowledge::{AcknowledgeRequest, Acknowledged, acknowledge};
use crate::vault::findings::{Finding, Verdict};
use crate::vault::verify::Level;

/// Findings that are shown one by one; the entry and `verify` have more.
const SHOWN_MAX: usize = 20;

/// Check what you received and sign for it
///
/// Every hash of what was offered is computed again, as deep as your keys allow, and your answer is entered in the custody
/// record. What does not agree is signed as well, and ends with exit code 3 or 4. You can answer once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  amparo custody acknowledge
  amparo custody acknowledge K7:3")]
pub(crate) struct Args {
    /// The offer, as its giver told you; else the only one that waits for you
    #[arg(value_name = "OFFER")]
    offer: Option<String>,
    /// Sign for this copy although this device has seen a newer one: the discrepancy is signed
    #[arg(long)]
    sign_older: bool,
}

pub(super) fn run(args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let vault = call.vault_folder()?.ok_or(CliError::NoVault)?;
    let needs = Needs { vault: Some((vault.clone(), true)), identity: true, ..Needs::default() };
    call.confined(&needs, |_, call| acknowledge_in(vault, args, call))
}

fn acknowledge_in(vault: PathBuf, args: &Args, call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let place = call.place_at(vault, Contact::Must)?;
    let person = call.person()?;
    let request = AcknowledgeRequest {
        place: place.request(Some(&person)),
        offer: args.offer.as_deref(),
        sign_older: args.sign_older,
    };
    let signed = acknowledge(&mut call.parts().setting(), &request)?;
    let aside = signed.verified.findings.len().saturating_sub(signed.discrepancies.len());
    if aside > 0 {
        let text = "the copy has findings that do not concern what was offered; amparo verify lists them";
        call.warn(text);
    }
    if call.global.json {
        call.print_json(described(&signed))?;
    } else {
        tell(&signed, call)?;
    }
    Ok(match signed.weight() {
        Verdict::Valid => DONE,
        weight => by_weight(weight),
    })
}

pub(in crate::cli::commands) fn tell(signed: &Acknowledged, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let terminal = call.context.terminal.output;
    let (offer, from, entry) = (&signed.offer, shown(&signed.from), &signed.said.label);
    if signed.discrepancies.is_empty() {
        let word = call.set_off("ACKNOWLEDGED", Tone::Good, terminal);
        call.print(&format!("{word} {offer} of {from}, in {entry}: {}", depth(signed)))?;
    } else {
        let word = call.set_off("ACKNOWLEDGED WITH DISCREPANCIES", Tone::Bad, terminal);
        let number = count(signed.discrepancies.len() as u64, "finding");
        call.print(&format!("{word} {offer} of {from}, in {entry}: {number}"))?;
        for finding in signed.discrepancies.iter().take(SHOWN_MAX) {
            let weight = finding.weight.to_string().to_uppercase();
            call.print(&format!("  {weight} ({}) {}", finding.check, said(finding)))?;
        }
        if let Some(more) = signed.discrepancies.len().checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
            call.print(&format!("  and {more} more"))?;
        }
        call.say("You signed what does not agree: it stands in the custody record under your name. Tell the giver.");
    }
    call.say("The giver sees your answer once a copy of the vault with it comes back.");
    if signed.level == Level::Custody {
        call.say("Records and content were not opened: that needs a content key.");
    }
    call.suggest("amparo custody log");
    Ok(())
}

fn depth(signed: &Acknowledged) -> String {
    let what = match signed.exhibits {
        Some(exhibits) => count(exhibits as u64, "exhibit"),
        None => count(signed.verified.exhibits, "exhibit"),
    };
    match signed.level {
        Level::Content => format!("every hash of {what} was computed again, and what you can open was opened"),
        _ => format!("every hash of {what} was computed again"),
    }
}

pub(in crate::cli::commands) fn described(signed: &Acknowledged) -> Value {
    let discrepancies: Vec<Value> = signed.discrepancies.iter().map(described_finding).collect();
    json!({
        "format": 1, "offer": signed.offer, "answer": signed.said.label, "log": signed.said.head.log.to_string(),
        "seq": signed.said.head.size - 1, "from": signed.from, "level": signed.level.word(),
        "status": if signed.discrepancies.is_empty() { "acknowledged" } else { "acknowledged with discrepancies" },
        "discrepancies": discrepancies, "listed": signed.listed, "verdict": signed.verified.verdict.to_string(),
    })
}

fn described_finding(finding: &Finding) -> Value {
    json!({
        "check": finding.check.name(), "subject": finding.subject, "message": finding.message,
        "weight": finding.weight.to_string(),
    })
}
