//! Receipts, signed states, proofs of contradicting histories and cards without a vault: what each proves, and what it does not.

use serde_json::{Value, json};

use super::contradiction;
use super::paper::{Content, Paper, Signer, signer};
use super::verdict::described_finding;
use crate::cli::call::Call;
use crate::cli::error::{CliError, by_weight};
use crate::cli::output::{Tone, count, shown};
use crate::cli::{DONE, Exit, UNKNOWN};
use crate::format::card::Card;
use crate::format::receipt::Receipt;
use crate::format::short_receipt::ShortReceipt;
use crate::vault::findings::{Check, Finding, Verdict};

const OF_STATES: [&str; 3] = [
    "whether what is sealed is true: a receipt proves that it was sealed, and shows if it was swapped since",
    "when it was sealed: the time is what the device claimed",
    "whether the vault still holds to it: verify the vault with --receipt or --checkpoint",
];
const OF_FORKS: Option<&str> =
    Some("which of two contradicting histories came first, and whether anybody meant to deceive");
const OF_CARDS: &str = "whose a card is: only its digits tell, compared by another road than the card came";

/// What was found of one paper.
struct Told {
    lines: Vec<String>,
    exit: Exit,
    finding: Option<Finding>,
}

/// Checks papers against the cards at hand.
pub(super) fn papers(papers: &[Paper], call: &mut Call<'_, '_>) -> Result<Exit, CliError> {
    let mut cards = Vec::new();
    if let Some(file) = call.global.owner.clone() {
        call.claim_stdin(&file, "--owner")?;
        cards.push(call.card(&file)?);
    }
    let owners = cards.len();
    cards.extend(papers.iter().filter_map(|paper| match &paper.content {
        Content::Card(card) => Some(Card::clone(card)),
        _ => None,
    }));
    let mut told = Vec::new();
    for paper in papers {
        told.push(match &paper.content {
            Content::Broken { message, .. } => Told {
                lines: vec![format!("it does not hold: {}", shown(message))],
                exit: by_weight(Verdict::Invalid),
                finding: paper.finding(),
            },
            // A card that came along with what it signs vouches for nobody: its digits decide, or --owner.
            Content::Card(card) => tell_card(card, cards[..owners].iter().any(|known| known == &**card), call)?,
            Content::Receipt(receipt) => tell_state(paper, Some(receipt), &cards),
            Content::Short(short) => tell_short(short),
            Content::State(_) => tell_state(paper, None, &cards),
            Content::Fork(proof) => {
                tell_signer(contradiction::tell(proof), contradiction::signers(proof, &cards), &paper.name)
            }
        });
    }
    // 3 and 4 are worse than 5, which is worse than 0.
    let exit = told.iter().map(|told| told.exit).min_by_key(|exit| match *exit {
        DONE => 9,
        UNKNOWN => 8,
        worse => worse,
    });
    let exit = exit.unwrap_or(DONE);
    if call.global.json {
        call.print_json(described(papers, &told, exit))?;
    } else {
        print(papers, &told, exit, call)?;
    }
    Ok(exit)
}

fn tell_state(paper: &Paper, receipt: Option<&Receipt>, cards: &[Card]) -> Told {
    let (checkpoint, note) = paper.state().expect("receipts and states hold a signed state");
    let mut lines = match receipt {
        Some(receipt) => tell_receipt(receipt),
        None => vec!["a signed state of a custody record".to_string()],
    };
    lines.push(format!("vault          {}", checkpoint.origin.vault.fingerprint()));
    lines.push(format!("record         {}, {}", checkpoint.origin.log, count(checkpoint.size, "event")));
    tell_signer(lines, signer(checkpoint, note, cards), &paper.name)
}

fn tell_signer(mut lines: Vec<String>, signer: Signer<'_>, name: &str) -> Told {
    let (exit, finding) = match signer {
        Signer::Known(card) => {
            lines.push(format!("signed by      {}, {}", card.name(), card.member().fingerprint()));
            lines.push("both signatures hold".into());
            (DONE, None)
        }
        Signer::Unknown => {
            lines.push(
                "signed by      nobody whose card was given: name the card of the supposed signer with --owner CARD"
                    .into(),
            );
            (UNKNOWN, None)
        }
        Signer::Wrong(message) => {
            lines.push(format!("its signatures do not hold: {}", shown(&message)));
            let (weight, check, subject) = (Verdict::Invalid, Check::Signature, name.to_string());
            (by_weight(weight), Some(Finding { weight, check, subject, message }))
        }
    };
    Told { lines, exit, finding }
}

fn tell_receipt(receipt: &Receipt) -> Vec<String> {
    let mut lines = match (&receipt.row, receipt.seal()) {
        (Some(proof), _) => vec![format!("a receipt of the exhibit numbered {:04}", proof.row.number)],
        (None, Ok(seal)) => {
            let last = seal.first.saturating_add(u64::from(seal.count)).saturating_sub(1);
            vec![format!("a receipt of the exhibits numbered {:04} to {last:04}", seal.first)]
        }
        (None, Err(_)) => vec!["a receipt".into()],
    };
    lines.push(format!("sealed         {} (the device's clock)", shown(&receipt.entry.time)));
    lines
}

/// Without a vault nothing can be said of it: nobody signed it.
fn tell_short(short: &ShortReceipt) -> Told {
    let state = short.checkpoint;
    let lines = vec![
        "a receipt in its short form; it bears no signature, so alone it proves nothing".into(),
        format!("vault          {}", state.origin.vault.fingerprint()),
        format!("record         {}, {}", state.origin.log, count(state.size, "event")),
        format!("row            {}", short.row),
        "a copy of the vault tells whether it still holds to it: amparo verify DIR --receipt FILE".into(),
    ];
    Told { lines, exit: UNKNOWN, finding: None }
}

fn tell_card(card: &Card, known: bool, call: &mut Call<'_, '_>) -> Result<Told, CliError> {
    let mut lines = vec![format!("a card of {}; its own signatures hold", card.name())];
    let mut known = known;
    if !known && call.interactive() {
        let typed = call.ask_line("The digits that its owner told you (Enter: none):")?.unwrap_or_default();
        known = card.member().has_fingerprint(&typed);
        if !known && !typed.trim().is_empty() {
            let message = "these are not its digits: it may have been swapped, do not use it".to_string();
            lines.push(message.clone());
            lines.push(format!("its digits     {}", card.member().fingerprint()));
            let (weight, check, subject) = (Verdict::Invalid, Check::Card, card.name().to_string());
            return Ok(Told {
                lines,
                exit: by_weight(weight),
                finding: Some(Finding { weight, check, subject, message }),
            });
        }
        lines.push(if known { "its digits are those you typed" } else { "its digits were not confirmed" }.into());
    }
    lines.push(format!("its digits     {}", card.member().fingerprint()));
    if !known {
        lines.push("compare them, by another road than the card came, with what its owner tells you".into());
    }
    Ok(Told { lines, exit: if known { DONE } else { UNKNOWN }, finding: None })
}

/// What papers alone cannot show.
fn not_checked(papers: &[Paper]) -> Vec<&'static str> {
    let states = papers.iter().any(|paper| !matches!(paper.content, Content::Card(_) | Content::Fork(_)));
    let forks = papers.iter().any(|paper| matches!(paper.content, Content::Fork(_)));
    OF_STATES.into_iter().filter(|_| states).chain(OF_FORKS.filter(|_| forks)).chain([OF_CARDS]).collect()
}

fn print(papers: &[Paper], told: &[Told], exit: Exit, call: &mut Call<'_, '_>) -> Result<(), CliError> {
    let terminal = call.context.terminal.output;
    let proves = papers.iter().any(|paper| matches!(paper.content, Content::Fork(_)));
    let verdict = match exit {
        // Not VALID: what holds is that something is wrong.
        DONE if proves => {
            call.set_off("PROVED: one key signed two histories that contradict each other", Tone::Bad, terminal)
        }
        DONE => call.set_off("VALID: it holds, and who signed it is known here", Tone::Good, terminal),
        UNKNOWN => call.set_off(
            "NOT KNOWN HERE: nothing contradicts it; whose it is, this device does not know",
            Tone::Careful,
            terminal,
        ),
        _ => call.set_off("INVALID: something does not hold", Tone::Bad, terminal),
    };
    call.print(&verdict)?;
    for (paper, told) in papers.iter().zip(told) {
        call.print(&format!("\n{}", paper.name))?;
        for line in &told.lines {
            call.print(&format!("  {line}"))?;
        }
    }
    call.print("\nnot checked:")?;
    for text in not_checked(papers) {
        call.print(&format!("  {text}"))?;
    }
    Ok(())
}

fn described(papers: &[Paper], told: &[Told], exit: Exit) -> Value {
    let verdict = match exit {
        DONE => Verdict::Valid,
        UNKNOWN => Verdict::Incomplete,
        _ => Verdict::Invalid,
    };
    let files: Vec<Value> = papers
        .iter()
        .zip(told)
        .map(|(paper, told)| {
            let kind = match &paper.content {
                Content::Receipt(_) => "receipt",
                Content::Short(_) => "short receipt",
                Content::State(_) => "checkpoint",
                Content::Fork(_) => "fork",
                Content::Card(_) => "card",
                Content::Broken { check, .. } => check.name(),
            };
            // Of what nobody signed it cannot be said that it holds.
            let holds = (!matches!(paper.content, Content::Short(_))).then_some(told.finding.is_none());
            json!({ "path": paper.name, "kind": kind, "known": told.exit == DONE, "holds": holds })
        })
        .collect();
    let states = papers.iter().filter_map(Paper::state);
    let logs: Vec<Value> = states
        .map(|(state, _)| {
            json!({
                "log": state.origin.log.to_string(), "member": null, "size": state.size,
                "root": state.root.to_string(), "cosigned_by": [], "not_after": null, "not_before": null,
            })
        })
        .collect();
    let findings: Vec<Value> = told.iter().filter_map(|told| told.finding.as_ref()).map(described_finding).collect();
    let checks: Vec<Value> = [Check::Card, Check::Signature, Check::Fork, Check::Receipt]
        .into_iter()
        .map(|check| {
            let failed = told.iter().any(|told| told.finding.as_ref().is_some_and(|found| found.check == check));
            let of_it = |paper: &&Paper| match &paper.content {
                Content::Receipt(_) => matches!(check, Check::Signature | Check::Receipt),
                Content::Short(_) => false,
                Content::Fork(_) => matches!(check, Check::Signature | Check::Fork),
                Content::State(_) => check == Check::Signature,
                Content::Card(_) => check == Check::Card,
                Content::Broken { check: broken, .. } => check == *broken,
            };
            let count = papers.iter().filter(of_it).count();
            let unknown = check == Check::Signature && exit == UNKNOWN;
            let status = if failed {
                "fail"
            } else if count == 0 || unknown {
                "skip"
            } else {
                "pass"
            };
            json!({ "name": check.name(), "status": status, "count": count })
        })
        .collect();
    json!({
        "format": 1, "verdict": verdict.to_string(), "level": "bytes", "pinned": false, "checks": checks,
        "findings": findings, "not_checked": not_checked(papers), "notices": [], "logs": logs, "exhibits": 0, "blobs": 0,
        "exhibit_verdicts": {}, "files": files,
    })
}
