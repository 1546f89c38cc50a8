//! What the people of a story hand to each other, answer, and pack; and what nobody should have said.

use amparo::crypto::hash::Hash;
use amparo::format::event::{Acknowledge, Discrepancy, EntryRef, Event, ExhibitRef};

use super::stories::{EVERYBODY, Teller};
use crate::vault::forge::member;
use crate::vault::handovers::offer_of;

impl Teller<'_> {
    /// An offer of everything, or of exhibits, some of which nobody sealed.
    pub(super) fn offer(&mut self, who: u8) -> Event {
        let exhibits = if self.dice.percent(50) { self.known() } else { Vec::new() };
        offer_of(who, exhibits, self.all_heads())
    }

    fn known(&mut self) -> Vec<ExhibitRef> {
        let all = self.exhibits.clone();
        let mut some = self.dice.some(&all, 40);
        if let Some(one) = some.last_mut()
            && self.dice.percent(15)
        {
            match self.dice.below(3) {
                0 => one.row = Hash::of(b"another row"),
                1 => one.number += 40,
                _ => one.log.0[0] ^= 1,
            }
        }
        some
    }

    /// An exhibit that was sealed, or one that was not.
    pub(super) fn exhibit(&mut self, at: usize) -> ExhibitRef {
        ExhibitRef { log: self.pens[at].id, number: 1 + self.dice.below(3) as u64, row: Hash::of(b"row") }
    }

    /// Somebody to whom something was offered answers.
    pub(super) fn answer(&mut self) {
        if self.offers.is_empty() {
            return;
        }
        let (offer, to) = *self.dice.one(&self.offers);
        if self.pens.iter().all(|pen| pen.who != to) || self.dice.percent(10) {
            self.begin(to);
        }
        let hers: Vec<usize> = (0..self.pens.len()).filter(|at| self.pens[*at].who == to).collect();
        let event = self.answer_to(offer);
        let at = *self.dice.one(&hers);
        self.say(at, event);
    }

    /// Whoever speaks answers an entry that may be no offer, or none of hers.
    pub(super) fn confused_answer(&mut self) -> Event {
        let offer = self.references().remove(0);
        self.answer_to(offer)
    }

    fn answer_to(&mut self, mut offer: EntryRef) -> Event {
        if self.dice.percent(5) {
            offer.leaf = Hash::of(b"another");
        }
        if self.dice.percent(40) {
            return Event::Decline { offer, reason: "not mine".into() };
        }
        let amiss = Discrepancy { check: "blob".into(), subject: "blobs/00".into(), message: "missing".into() };
        let discrepancies = if self.dice.percent(35) { vec![amiss] } else { Vec::new() };
        Event::Acknowledge(Acknowledge { offer, heads: self.all_heads(), level: "bytes".into(), discrepancies })
    }

    /// A pouch with everything, nothing, or some exhibits; with offers of this log, or with what is none.
    pub(super) fn packing(&mut self, at: usize) -> Event {
        let mut to: Vec<_> = self.dice.some(&EVERYBODY, 20).into_iter().map(member).collect();
        to.sort_unstable();
        let exhibits = match self.dice.below(4) {
            0 => None,
            1 | 2 => Some(Vec::new()),
            _ => Some(self.known()),
        };
        let mut offers: Vec<u64> = if self.dice.percent(50) {
            let log = self.pens[at].id;
            self.offers.iter().filter(|(offer, _)| offer.log == log).map(|(offer, _)| offer.seq).collect()
        } else {
            Vec::new()
        };
        if self.dice.percent(10) {
            offers.push(self.dice.below(6) as u64);
        }
        offers.sort_unstable();
        offers.dedup();
        let pouch = Hash::of(self.dice.one(&["one pouch", "another"]).as_bytes());
        Event::Pack { to, exhibits, offers, pouch, bytes: 20_000 }
    }
}
