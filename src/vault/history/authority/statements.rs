//! What an entry that counts says of other logs and their owners, held against what they are: states that contradict what
//! was signed, cuts and adoptions that name something else.

use super::super::order::contradicts;
use super::super::{History, Place, Told};
use super::subject;
use crate::format::event::{Event, Head};
use crate::vault::findings::{Check, Findings};

/// What an entry that counts says of other logs and their owners, against what they are.
pub(super) fn check_statements(history: &History, told: &Told, place: Place, findings: &mut Findings) {
    for head in stated_heads(told) {
        let Some(log) = history.logs.get(&head.log).filter(|log| log.head.size >= head.size) else { continue };
        let forked = log.forks.iter().any(|fork| fork.root_at(head.size) == Some(head.root));
        if head.size > 0 && !forked && log.root_at(head.size) != Some(head.root) {
            findings.invalid(Check::Reference, subject(place), contradicts(&head));
        }
    }
    match &told.entry.event {
        Event::Remove(removal) => {
            for cut in &removal.cuts {
                let here = history.logs.get(&cut.log).filter(|log| log.head.size >= cut.size || log.holds(cut));
                let Some(log) = here else {
                    let message = format!("it cuts log {} at {} entries; this copy has fewer", cut.log, cut.size);
                    findings.incomplete(Check::Behind, subject(place), message);
                    continue;
                };
                // Of contradicting histories the member signed both: whoever cuts at either is right.
                if log.member != removal.member || !log.holds(cut) {
                    let message = format!("the state at which it cuts log {} is none of that member's log", cut.log);
                    findings.invalid(Check::Reference, subject(place), message);
                }
            }
        }
        Event::Adopt { entries } => {
            for entry in entries {
                match history.leaf_at(entry) {
                    Some(leaf) if leaf == entry.leaf => {}
                    Some(_) => {
                        let message = format!("it adopts another entry {} of log {}", entry.seq, entry.log);
                        findings.invalid(Check::Reference, subject(place), message);
                    }
                    None => {
                        let message = format!("it adopts entry {} of log {}, which is not here", entry.seq, entry.log);
                        findings.incomplete(Check::Behind, subject(place), message);
                    }
                }
            }
        }
        _ => {}
    }
}

/// The states that an entry states beside those that its author had seen.
fn stated_heads(told: &Told) -> Vec<Head> {
    let stated = match &told.entry.event {
        Event::Offer(offer) => offer.heads.as_slice(),
        Event::Acknowledge(acknowledge) => acknowledge.heads.as_slice(),
        Event::Verify { heads, .. } => heads.as_slice(),
        _ => &[],
    };
    let continued = told.entry.begins.as_ref().and_then(|begins| begins.continues);
    stated.iter().copied().chain(continued).collect()
}
