//! The offers that a pouch carries: a new one to each receiver, or one that stands already.

use super::super::select::Chosen;
use super::super::write::Piece;
use super::{PackRequest, Packing};
use crate::format::event::{Event, Head, Offer};
use crate::format::ids::MemberId;
use crate::format::pouch::rank;
use crate::vault::custody::offer::event;
use crate::vault::custody::say;
use crate::vault::history::{History, Place, Standing};
use crate::vault::pouch::PouchError;
use crate::vault::{Setting, VaultError, labels};

impl Packing<'_> {
    /// An offer of this person's to one of those for whom she packs.
    pub(super) fn own_offer<'h>(&self, history: &'h History, place: Place) -> Result<&'h Offer, VaultError> {
        let entry = || labels::entry_label(history, place);
        let Event::Offer(offer) = &history.told(place).entry.event else {
            return Err(VaultError::NotAnOffer { entry: entry() });
        };
        let is_hers = history.logs[&place.log].member == self.person.member();
        let is_theirs = self.to.iter().any(|(member, _)| *member == offer.to);
        if is_hers && is_theirs { Ok(offer) } else { Err(VaultError::Pouch(PouchError::NotToThem { offer: entry() })) }
    }

    /// Offers what goes to each receiver to whom it was not offered yet. The entries go with the pouch.
    pub(super) fn offer(
        &mut self,
        setting: &mut Setting<'_>,
        request: &PackRequest<'_>,
        exhibits: &Chosen,
        offered: &[(Place, MemberId)],
        pieces: &mut Vec<Piece>,
    ) -> Result<Vec<(String, String)>, VaultError> {
        let history = self.session.history()?;
        let mut offers = Vec::new();
        let mut heads: Vec<Head> = history.logs.values().map(|log| log.head).collect();
        for (member, name) in &self.to {
            if let Some((place, _)) = offered.iter().find(|(_, to)| to == member) {
                offers.push((labels::entry_label(history, *place), name.clone()));
                continue;
            }
            // What is kept for oneself is handed to nobody, and without exhibits there is nothing to sign for.
            if *member == self.person.member() || exhibits.exhibits.is_empty() {
                continue;
            }
            let event = event(*member, exhibits.offered(), heads.clone(), request.told)?;
            if let Some(place) = self.left_standing(history, &event) {
                offers.push((labels::entry_label(history, place), name.clone()));
                continue;
            }
            let said = say(setting, &self.session, self.person, &mut self.own, event)?;
            heads.retain(|head| head.log != said.head.log);
            heads.push(said.head);
            heads.sort_unstable();
            offers.push((said.label, name.clone()));
            self.take_signed(pieces)?;
        }
        Ok(offers)
    }

    /// An offer in the same words at the end of the own log, of the same states: an earlier run did not come to its pouch.
    fn left_standing(&self, history: &History, event: &Event) -> Option<Place> {
        let (log, Event::Offer(wanted)) = (history.logs.get(&self.own.id())?, event) else { return None };
        let others = |heads: &[Head]| heads.iter().filter(|head| head.log != log.id).copied().collect::<Vec<_>>();
        let after = log.entries.iter().rposition(|told| !matches!(told.entry.event, Event::Offer(_)));
        let from = after.map_or(0, |at| at + 1);
        let standing = (from as u64..).zip(&log.entries[from..]).find(|(_, told)| {
            let Event::Offer(offer) = &told.entry.event else { return false };
            let is_it = Offer { heads: Vec::new(), ..offer.clone() } == Offer { heads: Vec::new(), ..wanted.clone() };
            is_it && told.standing == Standing::Counted && others(&offer.heads) == others(&wanted.heads)
        });
        standing.map(|(seq, _)| Place { log: log.id, seq })
    }

    /// Adds the entry that was signed last, and its state.
    fn take_signed(&self, pieces: &mut Vec<Piece>) -> Result<(), VaultError> {
        let last = self.session.memory.last_change(&self.session.vault, &self.own.id())?;
        let (_, change) = last.expect("an entry was just written down");
        for (path, content) in change.files() {
            pieces.push(Piece { path, bytes: content.len() as u64, content: Some(content.to_vec()) });
        }
        pieces.sort_by_cached_key(|piece| rank(&piece.path.to_string()));
        Ok(())
    }
}
