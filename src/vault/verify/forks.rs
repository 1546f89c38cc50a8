//! Proofs that one key signed two histories, for whoever has only the card: of histories that both lie here, and of what
//! this device or somebody else remembers against what lies here.

use std::collections::BTreeSet;

use crate::crypto::hash::Hash;
use crate::crypto::merkle::{consistency_proof, root};
use crate::format::event::Head;
use crate::format::fork_proof::{ForkProof, State};
use crate::format::note::Note;
use crate::vault::history::{Fork, History, Log, Told, check_head};
use crate::vault::session::Session;

/// Every contradiction that can be proved: between histories that lie here, and with these signed states of others.
pub(super) fn proofs(session: &Session, history: &History, others: &[Note]) -> Vec<ForkProof> {
    let mut proofs = Vec::new();
    let remembered = session.memory.seen(&session.vault).unwrap_or_default();
    let remembered: Vec<Note> = remembered.iter().filter_map(|(_, note)| Note::parse(note).ok()).collect();
    for log in history.logs.values() {
        let Some(card) = history.members.get(&log.member).map(|member| &member.card) else { continue };
        let mut known: BTreeSet<Head> = BTreeSet::new();
        for fork in &log.forks {
            known.insert(fork.head);
            proofs.extend(of_fork(log, fork));
        }
        for note in remembered.iter().chain(others) {
            let Ok((head, note)) = check_head(&note.to_bytes(), log.id, history.vault, card) else { continue };
            // What is part of a history that lies here contradicts nothing new.
            if !log.holds(&head) && known.insert(head) {
                proofs.extend(against(&leaves(&log.entries), head, note, log.note.clone()));
            }
        }
    }
    proofs
}

/// Two histories that both lie here: the longer one's leaves show that the shorter one is none of its states.
fn of_fork(log: &Log, fork: &Fork) -> Option<ForkProof> {
    let story = leaves(&log.entries);
    if fork.head.size <= log.head.size {
        return against(&story, fork.head, fork.note.clone(), log.note.clone());
    }
    let common = story.get(..usize::try_from(fork.parted).ok()?)?;
    let other = [common, &leaves(&fork.entries)].concat();
    against(&other, log.head, log.note.clone(), fork.note.clone())
}

/// The state `head`, signed in `first`, against the longer or equally long history with these leaves, signed in `second`.
fn against(leaves: &[Hash], head: Head, first: Note, second: Note) -> Option<ForkProof> {
    let size = usize::try_from(head.size).ok()?;
    let (path, root) = (consistency_proof(leaves, size)?, root(leaves.get(..size)?));
    ForkProof::new(State::of(first)?, State::of(second)?, root, path).ok()
}

fn leaves(entries: &[Told]) -> Vec<Hash> {
    entries.iter().map(|told| told.leaf).collect()
}
