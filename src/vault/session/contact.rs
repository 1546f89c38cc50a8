//! Contact with a vault: which one it is, whether this device trusts it, and whether it is as far as this device remembers.

use std::collections::BTreeSet;

use super::{Session, Trust};
use crate::crypto::hash::Hash;
use crate::format::card::Card;
use crate::format::checkpoint::Checkpoint;
use crate::format::event::Head;
use crate::format::ids::{LogId, VaultId};
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::store::memory::{Memory, Seen};
use crate::store::{Folder, layout};
use crate::vault::VaultError;
use crate::vault::findings::{Check, Findings};
use crate::vault::history::{self, History};
use crate::vault::survey::{LogFiles, Survey};

impl Session {
    /// Takes what was given at first contact; from then on this device remembers.
    pub(super) fn settle_trust(&mut self, trust: Option<&Trust>) -> Result<(), VaultError> {
        let Some(trust) = trust else { return Ok(()) };
        let holds = match trust {
            Trust::VaultId(id) => *id == self.vault,
            Trust::Owner(card) => match &self.history {
                Some(history) => history.founder == card.member(),
                None => founded_by(&*self.folder, &self.survey, self.vault, card),
            },
        };
        if !holds {
            return Err(VaultError::OtherVault { vault: self.vault });
        }
        let founding_holds = self.history.is_some() || matches!(trust, Trust::Owner(_));
        if founding_holds && !self.pinned {
            self.memory.pin(&self.vault)?;
        }
        self.pinned = true;
        Ok(())
    }

    /// This copy against the states that this device has seen before.
    pub(super) fn compare_with_memory(&mut self, asked_as_member: bool) -> Result<(), VaultError> {
        let Some(history) = &self.history else {
            if asked_as_member && !self.founding_lost && !self.memory.remembered(&self.vault)?.is_empty() {
                let message =
                    "no key here can be opened by this identity, though this device has read this vault's logs before";
                self.findings.incomplete(Check::Key, "keys", message);
            }
            return Ok(());
        };
        for Seen { log: id, note, spoilt } in self.memory.remembered(&self.vault)? {
            let subject = layout::log(id).to_string();
            let there = history.logs.get(&id).map_or(0, |log| log.head.size);
            if let Some(size) = spoilt.filter(|size| there < *size)
                && history.cuts.get(&id).is_none_or(|cut| there < *cut)
            {
                let message = format!(
                    "this device has seen it with {size} events, and what it remembers of that is damaged; this copy has {there}"
                );
                self.findings.incomplete(Check::Behind, subject.clone(), message);
            }
            let Some(note) = note else { continue };
            let Some(log) = history.logs.get(&id) else {
                let signer = signer(history, id, &note);
                if !is_cut_off(history, id, signer) && !is_here_as_foreign(history, id, &note) {
                    let whose = signer.map_or_else(|| "a".into(), |card| format!("{}'s", card.name()));
                    let message = format!("this device has seen {whose} custody record before; this copy lacks it");
                    self.findings.incomplete(Check::Behind, subject, message);
                }
                continue;
            };
            let Some(card) = history.members.get(&log.member).map(|member| &member.card) else { continue };
            let Ok((head, _)) = history::check_head(&note, id, self.vault, card) else { continue };
            // Where both of contradicting histories are here, that was found already, and nothing that was seen is lacking.
            if log.holds(&head) {
                continue;
            }
            let cut = history.cuts.get(&id).copied();
            if head.size > log.head.size {
                // What lies beyond a cut is lacking to nobody.
                if cut.is_some_and(|cut| log.head.size >= cut) {
                    continue;
                }
                let message = format!(
                    "this device has seen {}'s custody record {} with {} events; this copy has {}",
                    card.name(),
                    log.handle,
                    head.size,
                    log.head.size
                );
                self.findings.incomplete(Check::Behind, subject, message);
            } else if cut != Some(0) {
                // How early the other history parted is not known: it may concern what counts, if anything does.
                let message = format!(
                    "two histories signed with one key, in {}'s custody record {}: this device has seen another one of {} events",
                    card.name(),
                    log.handle,
                    head.size
                );
                self.findings.invalid(Check::Fork, subject, message);
            }
        }
        Ok(())
    }
}

/// Who signed a state of a log that is not here, if somebody did who was ever a member.
fn signer<'h>(history: &'h History, id: LogId, note: &[u8]) -> Option<&'h Card> {
    let mut cards = history.members.values().map(|member| &member.card);
    cards.find(|card| history::check_head(note, id, history.vault, card).is_ok())
}

/// Whether a log that is not here belongs to somebody who was removed, and no removal lets any of it count. Whose it is, the
/// lines of the state that this device remembers tell.
fn is_cut_off(history: &History, id: LogId, signer: Option<&Card>) -> bool {
    signer.is_some_and(|card| history.cut_of(id, card.member()) == Some(0))
}

/// Whether a state is here, of a log that is no evidence any more: whoever admitted its member did so too late.
fn is_here_as_foreign(history: &History, id: LogId, note: &[u8]) -> bool {
    let Some(log) = history.foreign.get(&id) else { return false };
    let checkpoint = Note::parse(note).ok().and_then(|note| Checkpoint::parse_text(note.text()).ok());
    checkpoint.is_some_and(|seen| log.holds(&Head { log: id, size: seen.size, root: seen.root }))
}

/// Which vault this is: one whose founding entry lies there, of those trusted here or the one that `VAULT` names.
pub(super) fn recognise(
    survey: &Survey,
    memory: &Memory,
    trust: Option<&Trust>,
    findings: &mut Findings,
) -> Result<(VaultId, bool), VaultError> {
    let firsts: BTreeSet<Hash> =
        survey.logs.values().filter_map(|log| log.entries.get(&0)).flatten().map(|entry| entry.leaf).collect();
    let given = match trust {
        Some(Trust::VaultId(id)) => Some(*id),
        _ => None,
    };
    let pins = memory.pins()?;
    let trusted = pins.iter().copied().chain(given).find(|vault| firsts.contains(&vault.0));
    if let (Some(vault), Some(hint)) = (trusted, survey.hint)
        && vault != hint
    {
        let message = format!("the file names vault {hint}; the founding entry that lies here is that of {vault}");
        findings.invalid(Check::Vault, "VAULT", message);
    }
    let vault = trusted.or(survey.hint).ok_or(VaultError::NotAVault)?;
    Ok((vault, pins.contains(&vault)))
}

/// Whether the log that begins with the founding entry bears signatures of this card's owner, by what is signed alone.
/// The signed root must be that of the leaves in the names: else any member's log, with the founding entry's name planted
/// in it, would make that member the founder.
fn founded_by(folder: &dyn Folder, survey: &Survey, vault: VaultId, card: &Card) -> bool {
    let begins =
        |files: &LogFiles| files.entries.get(&0).is_some_and(|first| first.iter().any(|entry| entry.leaf == vault.0));
    // Its name can be planted in any log, and any file beside its states: neither may keep the true one from being seen.
    survey.logs.iter().filter(|(_, files)| begins(files)).any(|(log, files)| {
        files.checkpoints.iter().any(|name| {
            let bytes = folder.read(&layout::checkpoint(*log, name), NOTE_BYTES_MAX as u64);
            let head = bytes.ok().and_then(|bytes| Some(history::check_head(&bytes, *log, vault, card).ok()?.0));
            head.is_some_and(|head| files.root_at(head.size) == Some(head.root))
        })
    })
}
