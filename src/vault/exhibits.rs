//! From a label to what is known of an exhibit: its row and blobs for every member, its record for a reader. What is
//! read here is checked against the signed entry before anything is believed.

mod find;
mod lately;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::VaultError;
use super::findings::{Check, Finding, Verdict};
use super::history::{History, Sealing};
use super::labels::{exhibit_label, label};
use super::session::Session;
use super::{keyring, members, parallel, quorum};
use crate::crypto::envelope::{Buffer, EnvelopeError, Slots, SlotsError};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Identity;
use crate::format::document::Document;
use crate::format::event::{ExhibitRef, ManifestRef};
use crate::format::ids::MemberId;
use crate::format::inventory::{Inventory, Row, blobs_root};
use crate::format::manifest::{Manifest, ManifestRecord};
use crate::format::record::{Binding, Record};
use crate::store::{Folder, Source, StoreError, layout};

pub use find::{Sought, find};
pub(super) use find::{find_all, find_to_tell, label_of};
pub(super) use lately::Lately;

/// Header and authentication of an age file around a payload of 16 MiB, generously.
pub(super) const BLOB_BYTES_MAX: u64 = (16 << 20) + (1 << 20);
/// What is read and hashed at a time: it stays near the processor.
const PART_BYTES: usize = 256 << 10;

/// The rows of a sealing, each with its blobs.
pub(super) type Rows = Vec<(Row, Vec<Hash>)>;

/// One exhibit, as a member knows it.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// How people call it; with a piece of its hash where the bare label is not unique.
    pub id: String,
    /// Its row.
    pub row: Row,
    /// Its blobs in order.
    pub blobs: Vec<Hash>,
    /// The place of the entry that sealed it.
    pub place: super::history::Place,
    /// Its index among the rows of that sealing.
    pub index: u32,
}

impl Exhibit {
    /// How entries refer to it.
    pub fn reference(&self) -> ExhibitRef {
        reference(&self.row)
    }
}

/// As entries refer to the exhibit of a row.
pub(super) fn reference(row: &Row) -> ExhibitRef {
    ExhibitRef { log: row.log, number: row.number, row: row.leaf() }
}

/// All references to exhibits of a sealing, whatever their rows.
pub(super) fn numbers(sealing: &Sealing<'_>) -> Range<ExhibitRef> {
    let at = |number| ExhibitRef { log: sealing.place.log, number, row: Hash([0; 32]) };
    let Range { start, end } = sealing.seal.numbers();
    at(start)..at(end)
}

/// A record with the commitments to the paragraphs of its text.
#[derive(Clone)]
pub struct Known {
    /// The record.
    pub record: Record,
    /// Commitments to its paragraphs.
    pub text: Vec<Hash>,
}

/// Holds a blob against its name: there, of its length, of its hash.
pub(super) fn check_blob(folder: &dyn Folder, name: Hash) -> Result<(), Finding> {
    let (mut source, length) = source(folder, name)?;
    let mut part = vec![0; length.min(PART_BYTES)];
    let (mut hasher, mut read) = (Sha256::new(), 0);
    while read <= length {
        match source.read(&mut part) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&part[..count]);
                read += count;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(name, &error)),
        }
    }
    if Hash(hasher.finalize().into()) == name { Ok(()) } else { Err(other_hash(name)) }
}

/// What a blob is opened with, and what is found where that does not succeed.
pub(super) struct Opening<'a> {
    pub(super) check: Check,
    pub(super) keys: &'a [&'a Identity],
    /// How much it weighs that it is to another key than these.
    pub(super) other_key: Verdict,
}

/// Opens a blob: of its name, to one of these keys.
pub(super) fn open_blob(folder: &dyn Folder, name: Hash, with: &Opening<'_>) -> Result<Zeroizing<Vec<u8>>, Finding> {
    let opened = open_slots(folder, name, with, Buffer::default());
    opened.map(Slots::into_plaintext).map_err(|(finding, _)| finding)
}

/// As [`open_blob`], in a buffer that may have served before and comes back in any case.
pub(super) fn open_slots(
    folder: &dyn Folder,
    name: Hash,
    with: &Opening<'_>,
    mut buffer: Buffer,
) -> Result<Slots, (Finding, Buffer)> {
    let length = match source(folder, name).and_then(|source| fill(source, name, &mut buffer)) {
        Ok(length) => length,
        Err(finding) => return Err((finding, buffer)),
    };
    let found =
        |weight, message| Finding { weight, check: with.check, subject: layout::blob(name).to_string(), message };
    let invalid = |message| found(Verdict::Invalid, message);
    Slots::open(buffer, length, name, with.keys).map_err(|(error, buffer)| {
        let finding = match error {
            SlotsError::OtherHash => other_hash(name),
            SlotsError::NotToOneKey => invalid("it is not an age file to exactly one key of the vault".into()),
            SlotsError::Envelope(EnvelopeError::NotForThisKey) => {
                found(with.other_key, "it is encrypted to another key than those that are known here for it".into())
            }
            SlotsError::Envelope(error) => invalid(error.to_string()),
        };
        (finding, buffer)
    })
}

/// A blob's file to be read, and how long it is.
fn source(folder: &dyn Folder, name: Hash) -> Result<(Box<dyn Source>, usize), Finding> {
    let opened = folder.source(&layout::blob(name), BLOB_BYTES_MAX);
    let opened = opened.and_then(|source| source.stat().map(|stat| (source, stat.bytes)));
    match opened {
        Ok((source, bytes)) => Ok((source, usize::try_from(bytes).expect("no longer than a blob can be"))),
        Err(StoreError::Missing { .. }) => {
            Err(blob_finding(Verdict::Incomplete, name, "it is not in this copy".into()))
        }
        Err(StoreError::TooLarge { .. }) => {
            Err(blob_finding(Verdict::Invalid, name, "it is longer than a blob can be".into()))
        }
        Err(error) => Err(unreadable(name, &error)),
    }
}

/// Reads a file of so many bytes into the buffer, and one byte more should it have grown; how many came.
fn fill((mut source, length): (Box<dyn Source>, usize), name: Hash, buffer: &mut Buffer) -> Result<usize, Finding> {
    if buffer.len() <= length {
        *buffer = Buffer::zeros(length + 1);
    }
    let mut filled = 0;
    while filled <= length {
        match source.read(&mut buffer[filled..=length]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(name, &error)),
        }
    }
    Ok(filled)
}

fn blob_finding(weight: Verdict, name: Hash, message: String) -> Finding {
    Finding { weight, check: Check::Blob, subject: layout::blob(name).to_string(), message }
}

fn unreadable(name: Hash, error: &dyn std::fmt::Display) -> Finding {
    blob_finding(Verdict::Incomplete, name, format!("it could not be read: {error}"))
}

fn other_hash(name: Hash) -> Finding {
    blob_finding(Verdict::Invalid, name, "its bytes do not have the hash in its name".into())
}

/// What a sealing sealed, by label; without what tells two logs of one handle apart.
fn range(sealing: &Sealing<'_>) -> String {
    let Range { start, end } = sealing.seal.numbers();
    let label = |number| exhibit_label(sealing.handle, number);
    if end - start == 1 { label(start) } else { format!("{} to {}", label(start), label(end - 1)) }
}

/// The rows of a sealing with their blobs, as its signed entry fixes them.
pub(super) fn rows(session: &Session, sealing: &Sealing<'_>) -> Result<Rows, Finding> {
    let seal = sealing.seal;
    let listing = |message: &str| format!("the list of {}: {message}", range(sealing));
    let wrong = |message: &str| Finding {
        weight: Verdict::Invalid,
        check: Check::Inventory,
        subject: layout::blob(seal.inventory).to_string(),
        message: listing(message),
    };
    // To a key that she was not given, or that came too late, an honest sealer may have written.
    let other_key = if session.has_all_custody_keys() { Verdict::Invalid } else { Verdict::Incomplete };
    let opening = Opening { check: Check::Inventory, keys: &session.ring.custody(), other_key };
    let plaintext = open_blob(&*session.folder, seal.inventory, &opening)
        .map_err(|finding| Finding { message: listing(&finding.message), ..finding })?;
    let (inventory, _) = Inventory::decode_padded(&plaintext).map_err(|error| wrong(&error.to_string()))?;
    if inventory.vault != session.vault || inventory.log != sealing.place.log {
        return Err(wrong("it belongs to another vault or log"));
    }
    if inventory.root() != seal.root || inventory.rows().len() != seal.count as usize {
        return Err(wrong("its rows do not lead to the root that the signed entry names"));
    }
    let rows: Rows = inventory.rows().collect();
    let mut records: BTreeMap<_, u32> = BTreeMap::new();
    // The rows lead: behind the last number there may be none.
    for ((row, blobs), number) in rows.iter().zip(seal.first..) {
        if row.number != number || row.log != sealing.place.log {
            return Err(wrong("its rows are not numbered as the signed entry says"));
        }
        if blobs_root(blobs) != row.blobs_root {
            return Err(wrong("the blobs that it lists are not those of its rows"));
        }
        *records.entry(row.key).or_default() += 1;
    }
    if !records.into_iter().eq(seal.manifests.iter().map(|manifest| (manifest.key, manifest.records))) {
        return Err(wrong("its rows are not encrypted to the keys that the signed entry names"));
    }
    Ok(rows)
}

/// The same, for who looks at one exhibit after the other.
pub(super) fn rows_of(session: &Session, sealing: &Sealing<'_>) -> Result<Arc<Rows>, Finding> {
    session.lately.rows.or_read(sealing.place, || rows(session, sealing))
}

/// The records of one section of a sealing, each checked against its row.
pub(super) fn records(
    session: &Session,
    sealing: &Sealing<'_>,
    manifest: &ManifestRef,
    rows: &[(Row, Vec<Hash>)],
) -> Result<BTreeMap<u64, Result<Known, Finding>>, Finding> {
    let listed = listed(session, sealing, manifest, rows)?;
    let checked = parallel::map(&listed, |listed| check_record(session, sealing, listed));
    let known =
        |(listed, checked): (ListedRecord, Result<(), Finding>)| (listed.row.number, checked.map(|()| listed.known()));
    Ok(listed.into_iter().zip(checked).map(known).collect())
}

/// What a manifest lists of one exhibit, not yet held against its row: of thousands, often one alone is wanted.
pub(super) struct ListedRecord {
    pub(super) row: Row,
    record: ManifestRecord,
}

impl ListedRecord {
    /// What it says, once [`check_record`] found it to be what was signed.
    pub(super) fn known(self) -> Known {
        Known { record: self.record.record, text: self.record.text }
    }
}

/// The records of one section of a sealing, of which only the numbers were held against the rows.
pub(super) fn listed(
    session: &Session,
    sealing: &Sealing<'_>,
    manifest: &ManifestRef,
    rows: &[(Row, Vec<Hash>)],
) -> Result<Vec<ListedRecord>, Finding> {
    let wrong = |message: String| Finding {
        weight: Verdict::Invalid,
        check: Check::Manifest,
        subject: layout::blob(manifest.blob).to_string(),
        message,
    };
    let keys = session.ring.content(&manifest.key).into_iter().collect::<Vec<_>>();
    let opening = Opening { check: Check::Manifest, keys: &keys, other_key: Verdict::Invalid };
    let plaintext = open_blob(&*session.folder, manifest.blob, &opening)?;
    let (document, _) = Manifest::decode_padded(&plaintext).map_err(|error| wrong(error.to_string()))?;
    if document.vault != session.vault || document.log != sealing.place.log {
        return Err(wrong("it belongs to another vault or log".into()));
    }
    let of_key: Vec<&Row> = rows.iter().map(|(row, _)| row).filter(|row| row.key == manifest.key).collect();
    if !of_key.iter().map(|row| row.number).eq(document.records.iter().map(|record| record.number)) {
        return Err(wrong("its records are not those of the rows of its section".into()));
    }
    Ok(of_key.into_iter().zip(document.records).map(|(row, record)| ListedRecord { row: *row, record }).collect())
}

/// Holds a record against its row, which the signed entry fixes.
pub(super) fn check_record(session: &Session, sealing: &Sealing<'_>, listed: &ListedRecord) -> Result<(), Finding> {
    let ListedRecord { row, record: ManifestRecord { record, text, .. } } = listed;
    let wrong = |message: String| {
        let history = session.history.as_ref();
        let subject = history.map_or_else(|| exhibit_label(sealing.handle, row.number), |history| label(history, row));
        Finding { weight: Verdict::Invalid, check: Check::Record, subject, message }
    };
    let bound = Binding { vault: session.vault, log: row.log, number: row.number };
    if record.binding().map_err(|error| wrong(error.to_string()))? != bound {
        return Err(wrong("its record is bound to another exhibit".into()));
    }
    let tree = record.tree(text);
    if tree.root != row.record_root || tree.leaves != row.record_leaves {
        return Err(wrong("its record is not the one whose root was signed".into()));
    }
    Ok(())
}

/// The record of one exhibit, for a reader of its section.
pub(super) fn record(session: &Session, exhibit: &Exhibit) -> Result<Known, VaultError> {
    let history = session.history()?;
    if session.ring.content(&exhibit.row.key).is_none() {
        let section = history.keys.get(&exhibit.row.key).map_or_else(|| "?".into(), |key| key.scope.to_string());
        let member = session.member;
        let too_few =
            member.and_then(|member| quorum::too_few(&session.ring, history, member, exhibit.row.key, &exhibit.id));
        return Err(too_few.unwrap_or_else(|| no_key(session, history, exhibit, section)));
    }
    let sealing = history.sealing_at(exhibit.place).expect("an exhibit stands in a sealing");
    let manifest =
        sealing.seal.manifests.iter().find(|manifest| manifest.key == exhibit.row.key).expect("rows were checked");
    let of_section = (exhibit.place, exhibit.row.key);
    let read = || listed(session, &sealing, manifest, &rows_of(session, &sealing)?);
    let listed = session.lately.records.or_read(of_section, read)?;
    let wanted = listed.binary_search_by_key(&exhibit.row.number, |listed| listed.row.number);
    let wanted = &listed[wanted.expect("records were held against the rows")];
    check_record(session, &sealing, wanted)?;
    Ok(Known { record: wanted.record.record.clone(), text: wanted.record.text.clone() })
}

/// Why there is no key to an exhibit, for whoever holds no share of one.
fn no_key(session: &Session, history: &History, exhibit: &Exhibit, section: String) -> VaultError {
    let (id, key) = (exhibit.id.clone(), exhibit.row.key);
    let is_hers = |member: &MemberId| Some(*member) == session.member;
    let awaited = members::awaiting(history).into_iter().find(|awaited| awaited.key == key && is_hers(&awaited.member));
    if let Some(awaited) = awaited {
        if awaited.split {
            return VaultError::NoShareOfKey { id, section, is_newest: awaited.newest };
        }
        let from = awaited.from.iter().map(|member| history.name_of(*member)).collect();
        return VaultError::AwaitsKey { id, section, from };
    }
    let handed = history.keys.get(&key).filter(|key| key.wraps.iter().any(|(_, wrap)| is_hers(&wrap.member)));
    match handed.zip(session.member) {
        Some((handed, member)) => {
            VaultError::KeyLost { id, section, is_whole: keyring::is_handed(&*session.folder, key, handed, member) }
        }
        None => VaultError::NotReadable { id, section },
    }
}
