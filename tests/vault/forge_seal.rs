//! Sealings as a forger makes them: everything as the program would, but for one twist.

use amparo::crypto::commit::Secret;
use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::recipient::Recipient;
use amparo::format::document::Document;
use amparo::format::event::{Event, ExhibitRef, ManifestRef, Seal};
use amparo::format::inventory::{Inventory, Row, blobs_root};
use amparo::format::listing::Listing;
use amparo::format::manifest::{Manifest, ManifestRecord};
use amparo::format::paragraphs;
use amparo::format::payload;
use amparo::format::record::{Binding, Record};
use amparo::store::layout;

use super::forge::{CUSTODY, Forge, MAIN, Pen, REGISTER, to, vault_key};

/// What one exhibit holds.
#[derive(Clone)]
pub(crate) struct Exhibit {
    /// The seed of the content key.
    pub(crate) key: u8,
    /// Members below `content/`, with their bytes, in order.
    pub(crate) members: Vec<(String, Vec<u8>)>,
    pub(crate) listing: Option<Listing>,
    pub(crate) fields: Vec<(String, String)>,
    /// Whether it is committed by paragraph.
    pub(crate) is_text: bool,
}

impl Exhibit {
    /// A text of one file, `a.txt`.
    pub(crate) fn text(text: &str) -> Self {
        let fields = vec![
            ("content/name".into(), "a.txt".into()),
            ("original/media_type".into(), "text/plain".into()),
            ("original/bytes".into(), text.len().to_string()),
            ("original/sha256".into(), Hash::of(text.as_bytes()).to_string()),
        ];
        let members = vec![("content/a.txt".into(), text.as_bytes().to_vec())];
        Self { key: MAIN, members, listing: None, fields, is_text: true }
    }

    /// A record alone, in the register.
    pub(crate) fn register(name: &str) -> Self {
        let fields = vec![("person/name".into(), name.into())];
        Self { key: REGISTER, members: Vec::new(), listing: None, fields, is_text: false }
    }

    /// Sets a field, or takes it away.
    pub(crate) fn with(mut self, path: &str, value: Option<&str>) -> Self {
        self.fields.retain(|(there, _)| there != path);
        self.fields.extend(value.map(|value| (path.to_string(), value.to_string())));
        self
    }

    fn paragraphs(&self) -> Vec<&str> {
        let text = self.members.first().filter(|_| self.is_text).map(|(_, bytes)| bytes.as_slice());
        text.and_then(|text| paragraphs::paragraphs("text/plain", text)).unwrap_or_default()
    }
}

type Bend<'a, T> = Option<&'a dyn Fn(&mut T)>;

/// What is bent while everything else follows the rules.
#[derive(Default, Clone, Copy)]
pub(crate) struct Twist<'a> {
    /// The record, before anything is made of it.
    pub(crate) record: Bend<'a, Record>,
    /// What is committed to, before the row is made.
    pub(crate) committed: Bend<'a, ManifestRecord>,
    /// The payload, before it is cut.
    pub(crate) payload: Bend<'a, Vec<u8>>,
    /// The plaintexts of the blobs.
    pub(crate) segments: Bend<'a, Vec<Vec<u8>>>,
    /// The blobs' names, before the row is made.
    pub(crate) blobs: Bend<'a, Vec<Hash>>,
    /// The rows with their blobs, before the tree is made.
    pub(crate) rows: Bend<'a, Vec<(Row, Vec<Hash>)>>,
    /// The inventory, after the tree is made.
    pub(crate) inventory: Bend<'a, Inventory>,
    /// The records of each manifest.
    pub(crate) manifest: Bend<'a, Manifest>,
    /// The entry.
    pub(crate) seal: Bend<'a, Seal>,
    /// To whom segments, inventory and manifests are encrypted instead.
    pub(crate) segments_to: Option<&'a [u8]>,
    pub(crate) inventory_to: Option<&'a [u8]>,
    pub(crate) manifests_to: Option<&'a [u8]>,
}

fn bend<T>(how: Bend<'_, T>, what: &mut T) {
    if let Some(how) = how {
        how(what);
    }
}

fn put(forge: &Forge, plaintext: &[u8], instead: Option<&[u8]>, honest: u8) -> Hash {
    let honest = [honest];
    let recipients: Vec<Recipient> = instead.unwrap_or(&honest).iter().map(|seed| to(*seed)).collect();
    forge.put_blob(plaintext, &recipients.iter().collect::<Vec<_>>())
}

impl Forge {
    /// The exhibits of a sealing, as its inventory lists them; none where that is bent.
    pub(crate) fn exhibits_of(&self, seal: &Seal) -> Vec<ExhibitRef> {
        let bytes = self.read(&path(seal.inventory));
        let Ok(plaintext) = envelope::open(&bytes, &[&vault_key(CUSTODY)]) else { return Vec::new() };
        let Ok((inventory, _)) = Inventory::decode_padded(&plaintext) else { return Vec::new() };
        let named = |row: Row| ExhibitRef { log: row.log, number: row.number, row: row.leaf() };
        inventory.rows().map(|(row, _)| named(row)).collect()
    }
}

impl Pen {
    /// Seals exhibits in one entry; returns all blobs that were put there: those of the rows, then the inventory, then
    /// the manifests.
    pub(crate) fn seal(&mut self, forge: &Forge, exhibits: &[Exhibit], twist: &Twist<'_>) -> Vec<Hash> {
        let (event, blobs) = self.sealing(forge, exhibits, twist);
        self.say(forge, &[], event);
        blobs
    }

    /// The same without the entry.
    pub(crate) fn sealing(&self, forge: &Forge, exhibits: &[Exhibit], twist: &Twist<'_>) -> (Event, Vec<Hash>) {
        let (mut all, mut rows, mut listed) = (Vec::new(), Vec::new(), Vec::new());
        for (number, exhibit) in (self.next_number..).zip(exhibits) {
            let known = self.record(number, exhibit, twist);
            let mut segments = vec![payload_of(exhibit, &known.record, twist)];
            bend(twist.segments, &mut segments);
            let mut blobs: Vec<Hash> =
                segments.iter().map(|plaintext| put(forge, plaintext, twist.segments_to, exhibit.key)).collect();
            all.extend(&blobs);
            bend(twist.blobs, &mut blobs);
            let tree = known.record.tree(&known.text);
            let row = Row {
                log: self.id,
                number,
                key: forge.key_id(exhibit.key),
                record_root: tree.root,
                record_leaves: tree.leaves,
                blobs: u32::try_from(blobs.len()).expect("few"),
                blobs_root: blobs_root(&blobs),
            };
            rows.push((row, blobs));
            listed.push((exhibit.key, known));
        }
        bend(twist.rows, &mut rows);
        let mut inventory = Inventory::new(self.vault, self.id, &rows);
        let root = inventory.root();
        bend(twist.inventory, &mut inventory);
        let inventory = put(forge, &inventory.encode_padded(), twist.inventory_to, CUSTODY);
        all.push(inventory);
        let manifests = self.manifests(forge, &listed, twist);
        all.extend(manifests.iter().map(|manifest| manifest.blob));
        let count = u32::try_from(exhibits.len()).expect("few");
        let mut seal = Seal { first: self.next_number, count, root, inventory, manifests, readback: true };
        bend(twist.seal, &mut seal);
        (Event::Seal(seal), all)
    }

    fn record(&self, number: u64, exhibit: &Exhibit, twist: &Twist<'_>) -> ManifestRecord {
        let mut secret = [7; 32];
        secret[..8].copy_from_slice(&number.to_be_bytes());
        let mut record = Record::new(Secret(secret));
        record.bind(&Binding { vault: self.vault, log: self.id, number });
        for (path, value) in &exhibit.fields {
            record.set(path.as_str(), value.as_str()).expect("a field");
        }
        let paragraphs = exhibit.paragraphs();
        if !paragraphs.is_empty() {
            record.set("content/paragraphs", paragraphs.len().to_string()).expect("a field");
        }
        bend(twist.record, &mut record);
        let text = paragraphs::commitments(record.secret(), &paragraphs);
        let mut known = ManifestRecord { number, record, text };
        bend(twist.committed, &mut known);
        known
    }

    fn manifests(&self, forge: &Forge, listed: &[(u8, ManifestRecord)], twist: &Twist<'_>) -> Vec<ManifestRef> {
        let mut manifests = Vec::new();
        for seed in [MAIN, REGISTER, super::forge::LATER, super::forge::BESIDE] {
            let records: Vec<ManifestRecord> =
                listed.iter().filter(|(key, _)| *key == seed).map(|(_, known)| known.clone()).collect();
            if records.is_empty() {
                continue;
            }
            let count = u32::try_from(records.len()).expect("few");
            let mut manifest = Manifest::new(self.vault, self.id, records);
            bend(twist.manifest, &mut manifest);
            let blob = put(forge, &manifest.encode_padded(), twist.manifests_to, seed);
            manifests.push(ManifestRef { key: forge.key_id(seed), blob, records: count });
        }
        manifests.sort_by_key(|manifest| manifest.key);
        manifests
    }

    /// How findings name an exhibit of this log.
    pub(crate) fn label(&self, number: u64) -> String {
        format!("{}-{number:04}", self.begins.handle)
    }
}

fn payload_of(exhibit: &Exhibit, record: &Record, twist: &Twist<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, (name, content)) in (0..).zip(&exhibit.members) {
        bytes.extend(payload::member_header(name, content.len() as u64, index));
        bytes.extend_from_slice(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    let listing = exhibit.listing.as_ref().map(|listing| listing.print().expect("short"));
    let tail = payload::tail(bytes.len() as u64, listing.as_deref(), &record.print().expect("short"));
    bytes.extend(tail.bytes);
    bytes.resize(bytes.len() + usize::try_from(tail.zeros).expect("short"), 0);
    bend(twist.payload, &mut bytes);
    bytes
}

/// How findings name a blob.
pub(crate) fn path(blob: Hash) -> String {
    layout::blob(blob).to_string()
}
