//! The commit of one group of exhibits: their rows and records, the inventory and one manifest a section as blobs,
//! then the `seal` entry. The group stands or falls as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use super::batch::{Batch, Segment};
use super::exhibit::Made;
use super::{GROUP_BYTES_MAX, GROUP_EXHIBITS_MAX, GROUP_RECORD_BYTES_MAX, GROUP_TIME_MAX, SealedExhibit};
use crate::crypto::envelope::{Buffer, Slots};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::document::Document;
use crate::format::event::{Event, Head, ManifestRef, Seal};
use crate::format::ids::KeyId;
use crate::format::inventory::{Inventory, Row, blobs_root};
use crate::format::manifest::{Manifest, ManifestRecord};
use crate::vault::commit::{OwnLog, Saying};
use crate::vault::labels::exhibit_label;
use crate::vault::parallel::Pending;
use crate::vault::session::{Person, Session};
use crate::vault::{Setting, VaultError};

/// Exhibits that wait for their entry.
pub(super) struct Group {
    items: Vec<Item>,
    /// What they are made of, in the same order, as soon as it is there.
    made: Vec<Pending<Result<Vec<Made>, VaultError>>>,
    content_bytes: u64,
    record_bytes: usize,
    began: Duration,
}

pub(super) struct Item {
    pub(super) owner: u64,
    pub(super) key: KeyId,
    /// Its place in the index, and the path as the person named it; `None` for an exhibit that has no source of its own.
    pub(super) source: Option<(usize, Vec<u8>)>,
    pub(super) bytes: u64,
    pub(super) sha256: Hash,
    pub(super) changed: bool,
}

impl Group {
    pub(super) fn new(setting: &Setting<'_>) -> Self {
        let began = setting.clock.elapsed();
        Self { items: Vec::new(), made: Vec::new(), content_bytes: 0, record_bytes: 0, began }
    }

    pub(super) fn len(&self) -> u64 {
        self.items.len() as u64
    }

    /// Adds one, whose record has about so many bytes. What it is made of is expected after that of those before it.
    pub(super) fn add(&mut self, item: Item, record_bytes: usize) {
        self.content_bytes += item.bytes;
        self.record_bytes += record_bytes;
        self.items.push(item);
    }

    /// What the next of them are made of.
    pub(super) fn expect(&mut self, made: Pending<Result<Vec<Made>, VaultError>>) {
        self.made.push(made);
    }

    /// Whether there is anything but the register's own record.
    pub(super) fn has_evidence(&self) -> bool {
        self.items.iter().any(|item| item.source.is_some())
    }

    /// Whether it has so many exhibits, or so many bytes.
    pub(super) fn has_at_least(&self, exhibits: u64, bytes: u64) -> bool {
        self.len() >= exhibits || self.content_bytes >= bytes
    }

    /// Whether so many bytes more belong into an entry of their own.
    pub(super) fn would_overflow(&self, bytes: u64) -> bool {
        self.has_evidence() && self.content_bytes.saturating_add(bytes) > GROUP_BYTES_MAX
    }

    pub(super) fn is_full(&self, setting: &Setting<'_>) -> bool {
        // One more exhibit may come with one in the register; each adds at most a full record.
        self.items.len() + 2 > GROUP_EXHIBITS_MAX
            || self.content_bytes >= GROUP_BYTES_MAX
            || self.record_bytes + (256 << 10) > GROUP_RECORD_BYTES_MAX
            || setting.clock.elapsed().saturating_sub(self.began) >= GROUP_TIME_MAX
    }

    /// Signs for what landed. Returns each exhibit that has a source, with its place.
    pub(super) fn commit(
        self,
        setting: &mut Setting<'_>,
        session: &Session,
        log: &mut OwnLog,
        person: &Person,
        batch: &mut Batch<'_>,
        readback: bool,
    ) -> Result<(Head, Vec<(usize, SealedExhibit)>), VaultError> {
        let mut made = Vec::with_capacity(self.items.len());
        for expected in self.made {
            made.extend(expected.wait()?);
        }
        assert_eq!(made.len(), self.items.len(), "each exhibit was made");
        batch.settle()?;
        let rows = rows(&self.items, &made, log, batch);
        let inventory = Inventory::new(session.vault, log.id(), &rows);
        let (root, first) = (inventory.root(), log.next_number());
        let custody = session.custody_recipient()?.clone();
        let mut documents = vec![document(batch, custody, &inventory.encode_padded())];
        let mut exhibits = Vec::new();
        let mut sections: BTreeMap<KeyId, Vec<ManifestRecord>> = BTreeMap::new();
        let count = u32::try_from(rows.len()).expect("a group is small");
        for ((item, Made { record, .. }), (row, blobs)) in self.items.into_iter().zip(made).zip(&rows) {
            if let Some((place, source)) = item.source {
                let (id, blobs) = (exhibit_label(log.handle(), row.number), blobs.len() as u64);
                let Item { bytes, sha256, changed, .. } = item;
                exhibits.push((place, SealedExhibit { id, source, bytes, sha256, changed, blobs }));
            }
            sections.entry(item.key).or_default().push(record);
        }
        let mut manifests = Vec::new();
        for (key, records) in sections {
            let recipient = session.history()?.keys.get(&key).ok_or(VaultError::NoKey)?.recipient.clone();
            manifests.push((key, u32::try_from(records.len()).expect("a group is small")));
            let manifest = Manifest::new(session.vault, log.id(), records).encode_padded();
            documents.push(document(batch, recipient, &manifest));
        }
        let mut blobs = batch.land_alone(setting, documents)?.into_iter();
        let inventory = blobs.next().expect("one blob for each document");
        let manifests =
            manifests.into_iter().zip(blobs).map(|((key, records), blob)| ManifestRef { key, blob, records }).collect();
        let seal = Seal { first, count, root, inventory, manifests, readback };
        let intents = batch.hand_over();
        let saying = Saying { event: Event::Seal(seal), files: Vec::new(), intents };
        let head = log.append(setting, session, person, saying)?;
        Ok((head, exhibits))
    }
}

fn rows(items: &[Item], made: &[Made], log: &OwnLog, batch: &Batch<'_>) -> Vec<(Row, Vec<Hash>)> {
    let mut by_owner: BTreeMap<u64, Vec<Hash>> = BTreeMap::new();
    for written in batch.written() {
        by_owner.entry(written.owner).or_default().push(written.name);
    }
    let row = |(item, made): (&Item, &Made)| {
        let blobs = by_owner.remove(&item.owner).expect("an exhibit has a blob");
        let row = Row {
            log: log.id(),
            number: made.record.number,
            key: item.key,
            record_root: made.tree.root,
            record_leaves: made.tree.leaves,
            blobs: u32::try_from(blobs.len()).expect("sixty-four petabytes are refused earlier"),
            blobs_root: blobs_root(&blobs),
        };
        (row, blobs)
    };
    let rows = items.iter().zip(made).map(row).collect();
    assert!(by_owner.is_empty(), "nothing of the next group is on the disk");
    rows
}

/// A document that is to become a blob of its own.
fn document(batch: &mut Batch<'_>, recipient: Recipient, document: &[u8]) -> Segment {
    let mut plaintext = Slots::new(Buffer::default(), document.len());
    plaintext.extend(document);
    Segment { owner: batch.next_owner(), recipient, plaintext, spans: Vec::new() }
}
