//! What of a vault goes into a pouch: for logs and keys what a merge into an empty folder would take; of the sealed files,
//! those of exhibits that the receivers are not known to have.

mod custody;
mod going;
mod known;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use custody::{custody, news, paths, unread};
use going::{Gathered, Going};
use known::Has;

use super::write::Piece;
use crate::crypto::hash::Hash;
use crate::format::event::{Event, ExhibitRef, Offer};
use crate::format::ids::{LogId, MemberId};
use crate::store::{RelPath, layout};
use crate::vault::custody::offer::is_under;
use crate::vault::custody::withdraw::{Scope, withdrawn};
use crate::vault::exhibits::{self, Exhibit};
use crate::vault::history::{History, Place};
use crate::vault::labels;
use crate::vault::named;
use crate::vault::pouch::PouchError;
use crate::vault::session::Session;
use crate::vault::{Setting, VaultError};

/// As many exhibits one entry names at most. With the longest words and ten thousand logs it has room for them
/// ([`crate::format::entry::ENTRY_BYTES_MAX`]).
pub(super) const NAMED_MAX: usize = 1 << 15;

/// The exhibits that go.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    exhibits: Going,
    /// Of these, whose consent was withdrawn, and which go for the reason that was stated.
    overridden: BTreeSet<ExhibitRef>,
    /// Whether these are all that is sealed, but for what the receivers have.
    all_they_lack: bool,
    /// Exhibits that every receiver is known to have.
    pub(super) known: u64,
    /// Labels of those that stay because consent was withdrawn.
    pub(super) withdrawn: Vec<String>,
    /// Labels of all that do not go and of which consent was withdrawn, beside others of their sealing that go; and the
    /// manifest in which the record stands, of these as of those.
    beside: Vec<(String, Hash)>,
    /// Inventories that are damaged or not here: what they list cannot go.
    unlisted: Vec<Hash>,
    /// Their sealed files.
    blobs: Gathered<Hash, ()>,
    /// Those that describe them: they go first, for without them the others tell nothing.
    describing: BTreeSet<Hash>,
}

impl Chosen {
    /// What goes where nobody names it. Without `offers`: all that was sealed, but what every receiver has, and what was
    /// withdrawn. With offers of everything: all that one of them covers, whatever the receivers have, but what was withdrawn.
    /// [`Chosen::and`] makes it whole.
    pub(super) fn by_default(
        setting: &Setting<'_>,
        session: &Session,
        to: &[MemberId],
        offers: &[&Offer],
    ) -> Result<Self, VaultError> {
        let history = session.history()?;
        let has: Vec<Has> =
            if offers.is_empty() { to.iter().map(|member| Has::of(history, *member)).collect() } else { Vec::new() };
        let all_have = |one_has: &dyn Fn(&Has) -> bool| !has.is_empty() && has.iter().all(one_has);
        let consent = withdrawn(history);
        let (mut chosen, mut going) = (Self { all_they_lack: true, ..Self::default() }, Gathered::default());
        for sealing in history.sealings() {
            if setting.watch.stopped() {
                return Err(VaultError::Stopped);
            }
            if all_have(&|has| has.sealing(&sealing)) {
                chosen.known += u64::from(sealing.seal.count);
                continue;
            }
            // Sealed since: nobody offered it.
            if !offers.is_empty() && !offers.iter().any(|offer| is_under(&offer.heads, sealing.place)) {
                chosen.all_they_lack = false;
                continue;
            }
            let Ok(rows) = exhibits::rows(session, &sealing) else {
                chosen.all_they_lack = false;
                chosen.unlisted.push(sealing.seal.inventory);
                continue;
            };
            let mut goes = false;
            for (row, blobs) in rows {
                let reference = exhibits::reference(&row);
                if all_have(&|has| has.exhibit(&sealing, &reference)) {
                    chosen.known += 1;
                } else if consent.contains_key(&(row.log, row.number)) {
                    chosen.all_they_lack = false;
                    chosen.withdrawn.push(labels::label(history, &row));
                } else {
                    goes = true;
                    going.extend([(reference, sealing.place.seq)]);
                    chosen.blobs.extend(blobs.into_iter().map(|blob| (blob, ())));
                }
            }
            if goes {
                chosen.describing.extend(named::own_blobs(&sealing));
            }
        }
        chosen.exhibits = Going::new(going);
        Ok(chosen)
    }

    /// These, and those that the person named, by label or by an offer; what was withdrawn only with a reason. With all that
    /// belongs to them.
    pub(super) fn and(
        mut self,
        session: &Session,
        ids: &[String],
        offers: &[&Offer],
        reason: &str,
    ) -> Result<Self, VaultError> {
        let history = session.history()?;
        let mut named: BTreeSet<ExhibitRef> = offers.iter().flat_map(|offer| offer.exhibits.iter().copied()).collect();
        named.extend(exhibits::find_all(session, ids, |_| Ok(()))?.iter().map(Exhibit::reference));
        let consent = withdrawn(history);
        // An offer that states a purpose says why they go.
        let mut unexplained = consent.clone();
        for offer in offers.iter().filter(|offer| !offer.purpose.is_empty()) {
            for exhibit in &offer.exhibits {
                unexplained.remove(&(exhibit.log, exhibit.number));
            }
        }
        self.take(session, named, (&unexplained, reason))?;
        self.take_amendments(history);
        self.find_withdrawn_beside(session, history, &consent);
        Ok(self)
    }

    fn take(
        &mut self,
        session: &Session,
        named: BTreeSet<ExhibitRef>,
        (consent, reason): (&BTreeMap<(LogId, u64), Scope>, &str),
    ) -> Result<(), VaultError> {
        let history = session.history()?;
        let is_new = |exhibit: &ExhibitRef| !self.exhibits.contains(exhibit);
        let mut left: BTreeSet<ExhibitRef> = named.into_iter().filter(is_new).collect();
        let mut going = Gathered::default();
        for sealing in history.sealings() {
            if left.range(exhibits::numbers(&sealing)).next().is_none() {
                continue;
            }
            let mut goes = false;
            for (row, blobs) in exhibits::rows(session, &sealing)? {
                let exhibit = exhibits::reference(&row);
                if !left.remove(&exhibit) {
                    continue;
                }
                if let Some(scope) = consent.get(&(row.log, row.number)) {
                    let label = labels::label(history, &row);
                    if reason.is_empty() {
                        return Err(VaultError::Pouch(PouchError::Withdrawn { id: label, scope: scope.word() }));
                    }
                    self.withdrawn.retain(|other| *other != label);
                    self.overridden.insert(exhibit);
                }
                self.blobs.extend(blobs.into_iter().map(|blob| (blob, ())));
                going.extend([(exhibit, sealing.place.seq)]);
                goes = true;
            }
            if goes {
                self.describing.extend(named::own_blobs(&sealing));
                // What was named may be known to them, or sealed since: only names tell what goes.
                self.all_they_lack = false;
            }
        }
        self.exhibits = std::mem::take(&mut self.exhibits).and(going);
        match left.first() {
            Some(exhibit) => Err(VaultError::NoExhibit { id: labels::reference_label(history, exhibit) }),
            None => Ok(()),
        }
    }

    fn take_amendments(&mut self, history: &History) {
        for (_, told) in history.counted() {
            if let Event::Amend { exhibit, blob, .. } = &told.entry.event
                && self.exhibits.contains(exhibit)
            {
                self.blobs.extend([(*blob, ())]);
            }
        }
    }

    /// A manifest holds the records of all that was sealed at once in a section: where one goes, those of the others go.
    fn find_withdrawn_beside(&mut self, session: &Session, history: &History, consent: &BTreeMap<(LogId, u64), Scope>) {
        for sealing in history.sealings().filter(|sealing| self.describing.contains(&sealing.seal.inventory)) {
            let (log, first) = (sealing.place.log, sealing.seal.first);
            let numbers = (log, first)..(log, first + u64::from(sealing.seal.count));
            if consent.range(numbers).next().is_none() {
                continue;
            }
            for (row, _) in exhibits::rows(session, &sealing).unwrap_or_default() {
                if consent.contains_key(&(row.log, row.number)) && !self.exhibits.contains(&exhibits::reference(&row)) {
                    let manifests = sealing.seal.manifests.iter().filter(|manifest| manifest.key == row.key);
                    let label = labels::label(history, &row);
                    self.beside.extend(manifests.map(|manifest| (label.clone(), manifest.blob)));
                }
            }
        }
    }

    /// Leaves out what cannot go whole without these files. What is here of it goes, and is not handed over: nobody could sign
    /// for the rest. Returns the labels.
    pub(super) fn lose(&mut self, session: &Session, history: &History, lacking: &[RelPath]) -> Vec<String> {
        let lost: BTreeSet<Hash> = lacking.iter().filter_map(layout::blob_of).collect();
        let (mut labels, mut all_broken) = (Vec::new(), BTreeSet::new());
        if lost.is_empty() {
            return labels;
        }
        for sealing in history.sealings() {
            let mut broken: BTreeSet<ExhibitRef> = self.exhibits.within(exhibits::numbers(&sealing)).copied().collect();
            if broken.is_empty() {
                continue;
            }
            if !named::own_blobs(&sealing).any(|blob| lost.contains(&blob)) {
                // An inventory that was read before and cannot be any more lists nothing.
                for (row, blobs) in exhibits::rows(session, &sealing).unwrap_or_default() {
                    if !blobs.iter().any(|blob| lost.contains(blob)) {
                        broken.remove(&exhibits::reference(&row));
                    }
                }
            }
            let new = broken.into_iter().filter(|exhibit| all_broken.insert(*exhibit));
            labels.extend(new.map(|exhibit| labels::reference_label(history, &exhibit)));
        }
        self.exhibits.remove(&all_broken);
        self.all_they_lack &= all_broken.is_empty();
        labels
    }

    /// Labels of those that do not go, and whose record does: it stands in a manifest that is among these files.
    pub(super) fn records_beside(&self, pieces: &[Piece]) -> Vec<String> {
        let manifests: BTreeSet<Hash> = self.beside.iter().map(|(_, manifest)| *manifest).collect();
        let of_piece = |piece: &Piece| match piece {
            Piece::Blob { sha256, .. } => Some(*sha256).filter(|sha256| manifests.contains(sha256)),
            _ => None,
        };
        let go: BTreeSet<Hash> = pieces.iter().filter_map(of_piece).collect();
        let beside = self.beside.iter().filter(|(_, manifest)| go.contains(manifest));
        beside.map(|(label, _)| label.clone()).collect()
    }

    /// Whether one entry can hand them over without a name: as all that is sealed. Where some of it stays because the receivers
    /// have it, names say what goes, so that nobody signs for the rest again, or reads that it went.
    pub(super) fn is_everything(&self) -> bool {
        self.all_they_lack && self.known == 0 && !self.exhibits.is_empty()
    }

    /// Labels of all.
    pub(super) fn labels(&self, history: &History) -> Vec<String> {
        self.exhibits.all().map(|exhibit| labels::reference_label(history, exhibit)).collect()
    }

    /// Those of which `which` is true, by as many as one entry names. The last is not full: by it whoever was interrupted
    /// between two entries about a pouch knows that all were said.
    fn named(&self, which: impl Fn(&ExhibitRef, Place) -> bool) -> Vec<Vec<ExhibitRef>> {
        let mut parts: Vec<Vec<ExhibitRef>> = Vec::new();
        for exhibit in self.exhibits.which(which) {
            match parts.last_mut().filter(|part| part.len() < NAMED_MAX) {
                Some(part) => part.push(*exhibit),
                None => parts.push(vec![*exhibit]),
            }
        }
        if let Some(last) = parts.last_mut().filter(|last| last.len() == NAMED_MAX) {
            let rest = last.split_off(NAMED_MAX / 2);
            parts.push(rest);
        }
        parts
    }

    /// Those that none of these offers hands over: neither by name, nor with everything; and those whose consent was withdrawn,
    /// for only a new offer says why they go.
    pub(super) fn beyond(&self, offers: &[&Offer]) -> Vec<Vec<ExhibitRef>> {
        let named: BTreeSet<ExhibitRef> = offers.iter().flat_map(|offer| offer.exhibits.iter().copied()).collect();
        let of_everything = || offers.iter().filter(|offer| offer.exhibits.is_empty());
        self.named(|exhibit, sealing| {
            let is_offered = named.contains(exhibit) || of_everything().any(|offer| is_under(&offer.heads, sealing));
            !is_offered || self.overridden.contains(exhibit)
        })
    }

    /// What offers hand over, each as it names it: nothing for everything.
    pub(super) fn offered(&self) -> Vec<Vec<ExhibitRef>> {
        if self.is_everything() { vec![Vec::new()] } else { self.named(|_, _| true) }
    }

    /// As entries about the pouch name them: `None` for everything, and none where there is nothing, or what there is had to
    /// stay.
    pub(super) fn packed(&self) -> Vec<Option<Vec<ExhibitRef>>> {
        if self.is_everything() {
            return vec![None];
        }
        let named = self.named(|_, _| true);
        if named.is_empty() { vec![Some(Vec::new())] } else { named.into_iter().map(Some).collect() }
    }

    /// Moves their sealed files that lie here to others of a pouch, what describes others first; returns those that do not.
    pub(super) fn move_files(&mut self, session: &Session, history: &History, pieces: &mut Vec<Piece>) -> Vec<RelPath> {
        let (describing, mut blobs) = (&self.describing, std::mem::take(&mut self.blobs).in_order());
        blobs.retain(|(blob, ())| !describing.contains(blob));
        pieces.reserve_exact(describing.len() + blobs.len());
        let (mut lacking, disposed) = (Vec::new(), history.disposed());
        for blob in describing.iter().chain(blobs.iter().map(|(blob, ())| blob)).filter(|blob| !disposed.contains(blob))
        {
            let path = layout::blob(*blob);
            match session.folder.stat(&path) {
                Ok(stat) => pieces.push(Piece::Blob { sha256: *blob, bytes: stat.bytes }),
                Err(_) => lacking.push(path),
            }
        }
        lacking.extend(self.unlisted.iter().map(|blob| layout::blob(*blob)));
        lacking
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::entry::{ENTRY_BYTES_MAX, TEXT_BYTES_MAX};
    use crate::format::event::Head;

    fn exhibits(count: usize) -> Chosen {
        let exhibit = |number| (ExhibitRef { log: LogId([0xFF; 16]), number, row: Hash([0xFF; 32]) }, 1);
        let mut gathered = Gathered::default();
        gathered.extend(((u64::MAX - count as u64)..u64::MAX).rev().map(exhibit));
        Chosen { exhibits: Going::new(gathered), ..Chosen::default() }
    }

    #[test]
    fn an_entry_names_no_more_than_it_has_room_for() {
        let chosen = exhibits(2 * NAMED_MAX + 1);
        let parts = chosen.offered();
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [NAMED_MAX, NAMED_MAX, 1]);
        let full = exhibits(NAMED_MAX).offered();
        assert_eq!(
            full.iter().map(Vec::len).collect::<Vec<_>>(),
            [NAMED_MAX / 2, NAMED_MAX / 2],
            "the last is not full"
        );
        assert_eq!(parts.concat(), chosen.exhibits.all().copied().collect::<Vec<_>>());
        assert_eq!(chosen.packed(), parts.iter().cloned().map(Some).collect::<Vec<_>>());
        let heads = (0..10_000).map(|_| Head { log: LogId([0xFF; 16]), size: u64::MAX, root: Hash([0xFF; 32]) });
        let words = || "w".repeat(TEXT_BYTES_MAX);
        let offer = Offer {
            to: MemberId(Hash([0xFF; 32])),
            exhibits: parts[0].clone(),
            heads: heads.collect(),
            medium: words(),
            seal_number: words(),
            condition: words(),
            carrier: words(),
            place: words(),
            purpose: words(),
            authority: words(),
        };
        let bytes = rmp_serde::to_vec_named(&Event::Offer(offer)).expect("it is encoded").len();
        assert!((bytes as u64) < ENTRY_BYTES_MAX * 95 / 100, "{bytes} bytes");
    }

    #[test]
    fn everything_needs_no_name_and_nothing_no_offer() {
        let everything = Chosen { all_they_lack: true, ..exhibits(3) };
        assert_eq!((everything.offered(), everything.packed()), (vec![Vec::new()], vec![None]));
        let more = Chosen { all_they_lack: true, known: 1, ..exhibits(3) };
        assert_eq!(more.offered().concat(), more.exhibits.all().copied().collect::<Vec<_>>());
        for nothing in [exhibits(0), Chosen { all_they_lack: true, ..exhibits(0) }] {
            assert_eq!((nothing.offered(), nothing.packed()), (Vec::new(), vec![Some(Vec::new())]));
        }
    }
}
