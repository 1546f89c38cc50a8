//! The commit of one group of exhibits: their rows and records, the inventory and one manifest a section as blobs,
//! then the `seal` entry. The group stands or falls as a whole.

use std::collections::BTreeMap;
use std::time::Duration;

use super::batch::{Batch, Segment};
use super::exhibit::Made;
use super::{GROUP_BYTES_MAX, GROUP_EXHIBITS_MAX, GROUP_RECORD_BYTES_MAX, GROUP_TIME_MAX, SealedExhibit};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::document::Document;
use crate::format::event::{Event, Head, ManifestRef, Seal};
use crate::format::ids::KeyId;
use crate::format::inventory::{Inventory, Row, blobs_root};
use crate::format::manifest::{Manifest, ManifestRecord};
use crate::vault::commit::{OwnLog, Saying};
use crate::vault::labels::exhibit_label;
use crate::vault::session::{Person, Session};
use crate::vault::{Setting, VaultError};

/// Exhibits that wait for their entry.
pub(super) struct Group {
    items: Vec<Item>,
    content_bytes: u64,
    record_bytes: usize,
    began: Duration,
    owners: u64,
}

struct Item {
    made: Made,
    key: KeyId,
    /// `None` for an exhibit that has no source of its own.
    source: Option<Vec<u8>>,
}

impl Group {
    pub(super) fn new(setting: &Setting<'_>) -> Self {
        Self { items: Vec::new(), content_bytes: 0, record_bytes: 0, began: setting.clock.elapsed(), owners: 0 }
    }

    /// A number for the segments of the next exhibit, used once in a group.
    pub(super) fn next_owner(&mut self) -> u64 {
        self.owners += 1;
        self.owners
    }

    pub(super) fn len(&self) -> u64 {
        self.items.len() as u64
    }

    pub(super) fn add(&mut self, made: Made, key: KeyId, source: Option<Vec<u8>>) {
        self.content_bytes += made.bytes;
        let fields =
            made.record.record.fields().iter().map(|(path, value)| path.len() + value.len() + 8).sum::<usize>();
        self.record_bytes += fields + made.record.text.len() * 34 + 64;
        self.items.push(Item { made, key, source });
    }

    /// Whether there is anything but the register's own record.
    pub(super) fn has_evidence(&self) -> bool {
        self.items.iter().any(|item| item.source.is_some())
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

    pub(super) fn commit(
        self,
        setting: &mut Setting<'_>,
        session: &Session,
        log: &mut OwnLog,
        person: &Person,
        batch: &mut Batch<'_>,
        readback: bool,
    ) -> Result<(Head, Vec<SealedExhibit>), VaultError> {
        batch.write(setting)?;
        let rows = self.rows(log, batch);
        let inventory = Inventory::new(session.vault, log.id(), &rows);
        let (root, first) = (inventory.root(), log.next_number());
        let custody = session.custody_recipient()?.clone();
        blob(setting, batch, self.owners + 1, custody, &inventory.encode_padded())?;
        let mut exhibits = Vec::new();
        let mut sections: BTreeMap<KeyId, Vec<ManifestRecord>> = BTreeMap::new();
        let count = u32::try_from(rows.len()).expect("a group is small");
        for (item, (row, blobs)) in self.items.into_iter().zip(&rows) {
            if let Some(source) = item.source {
                let id = exhibit_label(log.handle(), row.number);
                exhibits.push(SealedExhibit {
                    id,
                    source,
                    bytes: item.made.bytes,
                    changed: item.made.changed,
                    sha256: item.made.sha256,
                    blobs: blobs.len() as u64,
                });
            }
            sections.entry(item.key).or_default().push(item.made.record);
        }
        let (mut owner, mut counts) = (self.owners + 2, Vec::new());
        for (key, records) in sections {
            let recipient = session.history()?.keys.get(&key).ok_or(VaultError::NoKey)?.recipient.clone();
            counts.push((key, u32::try_from(records.len()).expect("a group is small"), owner));
            let manifest = Manifest::new(session.vault, log.id(), records).encode_padded();
            blob(setting, batch, owner, recipient, &manifest)?;
            owner += 1;
        }
        batch.write(setting)?;
        let name = |owner| batch.blobs_of(owner).first().copied().expect("a segment that was written has a name");
        let manifest = |(key, records, owner)| ManifestRef { key, blob: name(owner), records };
        let (inventory, manifests) = (name(self.owners + 1), counts.into_iter().map(manifest).collect());
        let seal = Seal { first, count, root, inventory, manifests, readback };
        let intents = batch.hand_over();
        let saying = Saying { event: Event::Seal(seal), files: Vec::new(), intents };
        let head = log.append(setting, session, person, saying)?;
        Ok((head, exhibits))
    }

    fn rows(&self, log: &OwnLog, batch: &Batch<'_>) -> Vec<(Row, Vec<Hash>)> {
        let mut by_owner: BTreeMap<u64, Vec<Hash>> = BTreeMap::new();
        for written in batch.written() {
            by_owner.entry(written.owner).or_default().push(written.name);
        }
        let row = |item: &Item| {
            let blobs = by_owner.remove(&item.made.owner).unwrap_or_default();
            let row = Row {
                log: log.id(),
                number: item.made.record.number,
                key: item.key,
                record_root: item.made.tree.root,
                record_leaves: item.made.tree.leaves,
                blobs: u32::try_from(blobs.len()).expect("sixty-four petabytes are refused earlier"),
                blobs_root: blobs_root(&blobs),
            };
            (row, blobs)
        };
        self.items.iter().map(row).collect()
    }
}

/// Lets one document become a blob of its own.
fn blob(
    setting: &mut Setting<'_>,
    batch: &mut Batch<'_>,
    owner: u64,
    recipient: Recipient,
    plaintext: &[u8],
) -> Result<(), VaultError> {
    let mut slots = batch.segment(plaintext.len());
    slots.extend(plaintext);
    batch.push(setting, Segment { owner, recipient, plaintext: slots, spans: Vec::new() })
}
