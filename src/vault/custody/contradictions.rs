//! Other histories of a log, which its owner signed as well. The story is told from one of them; what stands only in another
//! is not passed over.

use super::super::exhibits;
use super::super::history::{Fork, History, Log, Place, Sealing};
use super::super::labels::exhibit_label;
use super::super::session::Session;
use super::story::Story;
use crate::format::event::{Event, Head};
use crate::format::ids::{LogId, MemberId};

/// Another history of a log, beside the one that the story is told from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherHistory {
    /// The log.
    pub log: LogId,
    /// What its labels start with.
    pub handle: String,
    /// Whose it is.
    pub member: MemberId,
    /// How many events both histories have in common; `None` where the others are not here, and nobody can tell.
    pub parted: Option<u64>,
    /// Its signed state.
    pub head: Head,
    /// Exhibits that are sealed only there. Numbers go on from where the histories parted, so that another exhibit may bear
    /// the same: with the first digits of the row's hash, where the inventory can be read.
    pub exhibits: Vec<String>,
}

impl OtherHistory {
    /// How many events stand only there, where that can be told.
    pub fn events(&self) -> Option<u64> {
        self.parted.map(|parted| self.head.size - parted)
    }
}

impl Story {
    /// Every other history of every log.
    pub fn other_histories(&self) -> Vec<OtherHistory> {
        let history = self.history();
        let forks = history.logs.values().flat_map(|log| log.forks.iter().map(move |fork| (log, fork)));
        let other = |(log, fork): (&Log, &Fork)| OtherHistory {
            log: log.id,
            handle: log.handle.clone(),
            member: log.member,
            parted: (!fork.entries.is_empty()).then_some(fork.parted),
            head: fork.head,
            exhibits: sealed_there(&self.session, history, log, fork),
        };
        forks.map(other).collect()
    }
}

fn sealed_there(session: &Session, history: &History, log: &Log, fork: &Fork) -> Vec<String> {
    let mut labels = Vec::new();
    for told in &fork.entries {
        let place = Place { log: log.id, seq: told.entry.seq };
        let (Event::Seal(seal), Some(sealing)) = (&told.entry.event, history.sealing(place, told)) else { continue };
        labels.extend(
            labels_of(session, &sealing)
                .unwrap_or_else(|| seal.numbers().map(|number| exhibit_label(&log.handle, number)).collect()),
        );
    }
    labels
}

fn labels_of(session: &Session, sealing: &Sealing<'_>) -> Option<Vec<String>> {
    let rows = exhibits::rows(session, sealing).ok()?;
    let label = |number, row: String| format!("{}~{}", exhibit_label(sealing.handle, number), &row[..4]);
    Some(rows.iter().map(|(row, _)| label(row.number, row.leaf().to_string())).collect())
}
