//! Between which two acknowledgements an exhibit stopped being whole.

use super::super::exhibits::{self, Exhibit};
use super::super::history::Place;
use super::super::labels::label;
use super::concern::{Subject, offers};
use super::story::Story;
use crate::format::event::Event;

/// Between which two acknowledgements an exhibit stopped being whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted {
    /// The last acknowledgement before that found it whole; `None` where there was none.
    pub whole: Option<Place>,
    /// The first that did not.
    pub amiss: Place,
}

impl Story {
    /// Where the exhibit that the story is about stopped being whole; `None` where no acknowledgement says so, or the story
    /// is about the vault.
    pub fn parted(&self) -> Option<Parted> {
        let (_, subject) = self.exhibit.as_ref()?;
        self.parted_of(subject, &self.acknowledgements())
    }

    /// The same of every exhibit of the vault, by label, in causal order of their sealings. Of a sealing whose inventory cannot
    /// be read nobody can say which files are whose.
    pub fn all_parted(&self) -> Vec<(String, Parted)> {
        let (history, acknowledgements) = (self.history(), self.acknowledgements());
        let discrepant: Vec<&Event> = acknowledgements
            .iter()
            .map(|place| &history.told(*place).entry.event)
            .filter(|event| matches!(event, Event::Acknowledge(said) if !said.discrepancies.is_empty()))
            .collect();
        // Every inventory is opened for it: only where there is something to look for.
        if discrepant.is_empty() {
            return Vec::new();
        }
        let (offers, mut all) = (offers(history), Vec::new());
        for sealing in history.sealings() {
            let rows = exhibits::rows(&self.session, &sealing).unwrap_or_default();
            for (index, (row, blobs)) in (0..).zip(rows) {
                let exhibit = Exhibit { id: label(history, &row), row, blobs, place: sealing.place, index };
                let mut subject = Subject::new(history, &exhibit);
                if discrepant.iter().any(|event| subject.is_amiss(event)) {
                    subject.look_for(history, &offers);
                    let parted = self.parted_of(&subject, &acknowledgements);
                    all.extend(parted.map(|parted| (exhibit.id, parted)));
                }
            }
        }
        all
    }

    /// Acknowledgements that answer an offer, in causal order.
    fn acknowledgements(&self) -> Vec<Place> {
        let history = self.history();
        let answers = history.order.iter().copied().filter(|place| self.handovers.offer_of(*place).is_some());
        answers.filter(|place| matches!(history.told(*place).entry.event, Event::Acknowledge(_))).collect()
    }

    fn parted_of(&self, subject: &Subject, acknowledgements: &[Place]) -> Option<Parted> {
        let history = self.history();
        let mut whole = None;
        for place in acknowledgements.iter().copied() {
            let told = history.told(place);
            if !subject.is_concerned(&self.handovers, place, told) {
                continue;
            }
            if subject.is_amiss(&told.entry.event) {
                return Some(Parted { whole, amiss: place });
            }
            whole = Some(place);
        }
        None
    }
}
