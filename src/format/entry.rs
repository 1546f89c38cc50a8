//! One entry of a log: who-knows-what order, a claimed time, and one [`Event`]. Its encoding is the leaf of the log's
//! tree; on disk it is an age file to the custody key over the padded encoding.

use serde::{Deserialize, Serialize};

use super::document::{Document, DocumentError};
use super::event::{Admission, Event, Head, NewKey, Share, Wrap};
use super::ids::{LogId, MemberId, VaultId};
use super::role::{Role, Scope, Section};
use crate::crypto::hash::Hash;
use crate::crypto::merkle::leaf_hash;

/// An entry's encoding is at most 4 MiB.
pub const ENTRY_BYTES_MAX: u64 = 4 << 20;
/// An entry's file: the padded encoding, and generously what age puts around it.
pub const ENTRY_FILE_BYTES_MAX: u64 = ENTRY_BYTES_MAX + (1 << 20);
/// Other logs that one entry can name.
pub const HEADS_MAX: usize = 64;
/// Roles that one admission gives.
pub const ROLES_MAX: usize = 64;
/// Words of a person in an entry, in bytes.
pub const TEXT_BYTES_MAX: usize = 4096;

/// How a log starts: said by its first entry, and only there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begins {
    /// Whose log it is.
    pub member: MemberId,
    /// Random; with vault and member it makes the log id ([`LogId::derive`]).
    #[serde(with = "serde_bytes")]
    pub salt: [u8; 16],
    /// What its exhibits' labels start with: `K7` in `K7-0012`.
    pub handle: String,
    /// The last known head of this member's log that can no longer be appended to.
    pub continues: Option<Head>,
}

/// One entry. The order of the fields is the order in the encoding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// `amparo.v1/entry`.
    pub format: String,
    /// The vault; 32 zero bytes in the entry that founds it.
    pub vault: VaultId,
    /// The log.
    pub log: LogId,
    /// Its place, from 0.
    pub seq: u64,
    /// The root of this log before this entry.
    pub previous: Hash,
    /// Random, so that nobody can guess an entry from its leaf hash.
    #[serde(with = "serde_bytes")]
    pub nonce: [u8; 16],
    /// The claimed time: RFC 3339 with seconds and offset.
    pub time: String,
    /// Where the time comes from: `device`.
    pub clock: String,
    /// States of other logs that advanced since this log's previous entry, sorted by log id: what its author had seen.
    pub heads: Vec<Head>,
    /// Program and version.
    pub tool: String,
    /// Set where `seq` is 0.
    pub begins: Option<Begins>,
    /// What is said.
    pub event: Event,
}

impl Entry {
    /// The value of `format`.
    pub const FORMAT: &'static str = "amparo.v1/entry";
}

impl Document for Entry {
    const KIND: &'static str = Self::FORMAT;
    const PADDED_MIN: u64 = 4096;

    fn format(&self) -> &str {
        &self.format
    }

    fn check(&self) -> Result<(), DocumentError> {
        Self::bound(self.heads.len() <= HEADS_MAX && sorted(self.heads.iter().map(|head| head.log)), "heads")?;
        Self::bound(self.heads.iter().all(|head| head.log != self.log && head.size > 0), "heads")?;
        Self::bound(is_time(&self.time), "time")?;
        Self::bound(is_text(&self.clock, 64) && is_text(&self.tool, 64), "tool")?;
        Self::bound(self.begins.is_some() == (self.seq == 0), "begins")?;
        if let Some(begins) = &self.begins {
            Self::bound(is_handle(&begins.handle), "handle")?;
        }
        check_event(&self.event)
    }
}

/// The leaf hash of an entry's encoding.
pub fn entry_leaf(encoding: &[u8]) -> Hash {
    leaf_hash(encoding)
}

/// A capital letter, then up to seven capitals or digits.
pub fn is_handle(text: &str) -> bool {
    text.len() <= 8
        && text.bytes().next().is_some_and(|letter| letter.is_ascii_uppercase())
        && text.bytes().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit())
}

/// RFC 3339 with whole seconds and a numeric offset: `2031-05-04T23:10:00-03:00`.
pub fn is_time(text: &str) -> bool {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:ddsdd:dd";
    let shaped = text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE).all(|(byte, shape)| match shape {
            b'd' => byte.is_ascii_digit(),
            b's' => byte == b'+' || byte == b'-',
            _ => byte == *shape,
        });
    // The library also takes leap seconds and offsets of a day and more, which other readers refuse.
    let ordinary = text.get(17..19) < Some("60") && text.get(20..22) < Some("24");
    shaped && ordinary && text.parse::<jiff::Timestamp>().is_ok()
}

fn check_event(event: &Event) -> Result<(), DocumentError> {
    let bound = <Entry as Document>::bound;
    match event {
        Event::Found(found) => {
            check_admission(&found.founder)?;
            found.members.iter().try_for_each(check_admission)?;
            bound(found.founder.roles.contains(&Role::Owner), "roles")?;
            bound(found.keys.first().is_some_and(|key| key.scope == Scope::Custody), "keys")?;
            let has = |section| found.keys.iter().any(|key| key.section() == Some(&section));
            bound(has(Section::main()) && has(Section::register()), "keys")?;
            check_keys(&found.keys)?;
            bound(found.keys.iter().all(|key| key.epoch == 0), "epoch")
        }
        Event::Admit(admission) => check_admission(admission),
        Event::Remove(remove) => bound(sorted(remove.cuts.iter().map(|cut| cut.log)), "cuts"),
        Event::Adopt { entries } => bound(!entries.is_empty(), "entries"),
        Event::Rotate { keys } => {
            bound(!keys.is_empty(), "keys")?;
            check_keys(keys)
        }
        Event::Share { wraps, dummies, .. } => check_wraps(wraps, dummies),
        Event::Seal(seal) => {
            bound(seal.first >= 1 && (1..=4096).contains(&seal.count), "count")?;
            bound(seal.first.checked_add(u64::from(seal.count)).is_some(), "first")?;
            bound(sorted(seal.manifests.iter().map(|manifest| manifest.key)), "manifests")?;
            bound(seal.manifests.iter().all(|manifest| manifest.records >= 1), "records")?;
            let records: u64 = seal.manifests.iter().map(|manifest| u64::from(manifest.records)).sum();
            bound(records == u64::from(seal.count), "records")
        }
        Event::Withdraw { scope, .. } => bound(matches!(scope.as_str(), "disclosure" | "all"), "scope"),
        Event::Acknowledge(acknowledge) => {
            bound(is_level(&acknowledge.level), "level")?;
            let texts = |one: &super::event::Discrepancy| {
                [&one.check, &one.subject, &one.message].into_iter().all(|text| is_text(text, TEXT_BYTES_MAX))
            };
            bound(acknowledge.discrepancies.iter().all(texts), "discrepancies")
        }
        Event::Offer(offer) => {
            let words = [&offer.medium, &offer.seal_number, &offer.condition, &offer.carrier, &offer.place];
            let words = words.into_iter().chain([&offer.purpose, &offer.authority]);
            bound(words.into_iter().all(|text| is_text(text, TEXT_BYTES_MAX)), "text")
        }
        Event::Verify { level, verdict, .. } => {
            bound(is_level(level) && matches!(verdict.as_str(), "valid" | "incomplete" | "invalid"), "verdict")
        }
        Event::Stamp { kind, .. } => bound(matches!(kind.as_str(), "rfc3161" | "opentimestamps"), "kind"),
        Event::Decline { reason, .. } | Event::Open { reason, .. } | Event::Close { reason } => {
            bound(is_text(reason, TEXT_BYTES_MAX), "reason")
        }
        Event::Disclose { to, reason, .. } => {
            bound(is_text(to, TEXT_BYTES_MAX) && is_text(reason, TEXT_BYTES_MAX), "text")
        }
        Event::Anchor { kind, value, published } => {
            bound([kind, value, published].into_iter().all(|text| is_text(text, TEXT_BYTES_MAX)), "text")
        }
        Event::Note { text, .. } => bound(is_text(text, TEXT_BYTES_MAX), "text"),
        Event::Gap { text, from, to, .. } => {
            bound([text, from, to].into_iter().all(|text| is_text(text, TEXT_BYTES_MAX)), "text")
        }
        Event::Dispose { blobs, reason, authority } => {
            bound(sorted(blobs.iter()), "blobs")?;
            bound(is_text(reason, TEXT_BYTES_MAX) && is_text(authority, TEXT_BYTES_MAX), "text")
        }
        Event::Pack { offers, .. } => bound(sorted(offers.iter()), "offers"),
        Event::Amend { .. } => Ok(()),
    }
}

fn check_admission(admission: &Admission) -> Result<(), DocumentError> {
    let words = admission.roles.iter().map(ToString::to_string);
    Entry::bound((1..=ROLES_MAX).contains(&admission.roles.len()) && sorted(words), "roles")?;
    Entry::bound(admission.handle.as_deref().is_none_or(is_handle), "handle")
}

/// Each scope once, the custody key first.
fn check_keys(keys: &[NewKey]) -> Result<(), DocumentError> {
    Entry::bound(sorted(keys.iter().map(|key| &key.scope)), "keys")?;
    keys.iter().try_for_each(|key| check_wraps(&key.wraps, &key.dummies))
}

fn check_wraps(wraps: &[Wrap], dummies: &[Hash]) -> Result<(), DocumentError> {
    Entry::bound(!wraps.is_empty() && sorted(wraps.iter().map(|wrap| wrap.member)), "wraps")?;
    Entry::bound(sorted(dummies.iter()), "dummies")?;
    let is_share =
        |share: &Share| (1..=share.total).contains(&share.index) && (1..=share.total).contains(&share.needed);
    Entry::bound(wraps.iter().filter_map(|wrap| wrap.share.as_ref()).all(is_share), "share")
}

fn is_level(text: &str) -> bool {
    matches!(text, "bytes" | "custody" | "content")
}

/// Whether a person's words can stand in an entry.
pub fn is_words(text: &str) -> bool {
    is_text(text, TEXT_BYTES_MAX)
}

/// Text that a terminal could not be tricked by once bidi is escaped: no controls but line feed and tab.
fn is_text(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && text.chars().all(|letter| !letter.is_control() || matches!(letter, '\n' | '\t'))
}

/// Strictly ascending: sorted, and nothing twice.
fn sorted<T: PartialOrd>(items: impl Iterator<Item = T>) -> bool {
    items.is_sorted_by(|one, next| one < next)
}
