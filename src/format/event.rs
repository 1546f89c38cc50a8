//! What an entry can say: 22 events, each with its fields. DESIGN's authority rules stand beside each in
//! [`Event::needs`]; who may say what is judged in `vault::history`.

mod references;
mod vault_key;

use std::ops::Range;

use serde::{Deserialize, Serialize};

pub use references::{EntryRef, ExhibitRef, Head};
pub use vault_key::{NewKey, Share, Wrap};

use super::ids::{KeyId, MemberId};
use super::role::Role;
use crate::crypto::hash::Hash;

/// A card admitted in these roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// The card's whole text.
    pub card: String,
    /// Sorted by their words, none twice, at least one.
    pub roles: Vec<Role>,
    /// The handle proposed for the member's first log.
    pub handle: Option<String>,
}

/// The manifest of one section in one sealing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestRef {
    /// The content key it is encrypted to.
    pub key: KeyId,
    /// Its blob.
    pub blob: Hash,
    /// How many records it holds.
    pub records: u32,
}

/// The founding of a vault; only the first entry of the founder's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The founder's card and roles; `owner` is among them.
    pub founder: Admission,
    /// The other founding members.
    pub members: Vec<Admission>,
    /// The first keys: one for custody, then one for each section.
    pub keys: Vec<NewKey>,
    /// How many monitors must cosign before a state counts as covered.
    pub monitors_needed: u32,
    /// Heads of the vault that this one continues, if any.
    pub continues: Vec<Head>,
}

/// A removal: which states of the removed member's logs still count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// Who.
    pub member: MemberId,
    /// `left` or `seized`.
    pub reason: RemoveReason,
    /// For each log of that member the state up to which it counts; a log not listed counts to size 0.
    pub cuts: Vec<Head>,
}

/// Why somebody is no longer a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RemoveReason {
    /// Went of their own accord, or the work ended.
    Left,
    /// The person or the device is in other hands.
    Seized,
}

/// One sealing: rows of the inventory and where the records are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The number of the first exhibit; numbers run on without gaps within a log.
    pub first: u64,
    /// How many exhibits.
    pub count: u32,
    /// The root of the tree over the rows.
    pub root: Hash,
    /// The blob of the inventory, encrypted to the custody key.
    pub inventory: Hash,
    /// One a section that occurs, in the order of key ids.
    pub manifests: Vec<ManifestRef>,
    /// Whether every blob was read back and compared before this was signed.
    pub readback: bool,
}

impl Seal {
    /// The numbers of its exhibits.
    pub fn numbers(&self) -> Range<u64> {
        self.first..self.first.saturating_add(u64::from(self.count))
    }
}

/// A handover begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// To whom.
    pub to: MemberId,
    /// What; empty for everything under `heads`.
    pub exhibits: Vec<ExhibitRef>,
    /// The states that are handed over.
    pub heads: Vec<Head>,
    /// The data medium, as described.
    pub medium: String,
    /// The number on its seal.
    pub seal_number: String,
    /// Its condition.
    pub condition: String,
    /// Who carries it, by pseudonym.
    pub carrier: String,
    /// Where it was handed over.
    pub place: String,
    /// What for.
    pub purpose: String,
    /// Under what authority.
    pub authority: String,
}

/// One thing that did not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discrepancy {
    /// The verifier's check.
    pub check: String,
    /// The file, exhibit, log or member.
    pub subject: String,
    /// In words.
    pub message: String,
}

/// A handover received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledge {
    /// The offer.
    pub offer: EntryRef,
    /// The states that were checked.
    pub heads: Vec<Head>,
    /// `bytes`, `custody` or `content`.
    pub level: String,
    /// Empty when all was well.
    pub discrepancies: Vec<Discrepancy>,
}

/// The events, by the names that stand in the entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
#[allow(missing_docs, clippy::large_enum_variant)]
pub enum Event {
    Found(Found),
    Admit(Admission),
    Remove(Remove),
    /// Entries beyond a cut that count all the same.
    Adopt {
        entries: Vec<EntryRef>,
    },
    /// New epochs of keys.
    Rotate {
        keys: Vec<NewKey>,
    },
    /// An existing key, wrapped to more members by one who holds it.
    Share {
        key: KeyId,
        wraps: Vec<Wrap>,
        dummies: Vec<Hash>,
    },
    Seal(Seal),
    /// Fields of a record said anew, in a blob to the content key.
    Amend {
        exhibit: ExhibitRef,
        key: KeyId,
        blob: Hash,
    },
    /// A witness withdraws consent: `disclosure` or `all`.
    Withdraw {
        exhibit: ExhibitRef,
        scope: String,
    },
    Offer(Offer),
    Acknowledge(Acknowledge),
    Decline {
        offer: EntryRef,
        reason: String,
    },
    /// A reader opened exhibits. The reason is given when consent had been withdrawn.
    Open {
        exhibits: Vec<ExhibitRef>,
        reason: String,
    },
    /// A member checked these states with this verdict (`valid`, `incomplete`, `invalid`).
    Verify {
        heads: Vec<Head>,
        level: String,
        verdict: String,
    },
    /// Chosen fields of an exhibit were given to somebody outside, in a file with this SHA-256.
    Disclose {
        exhibit: ExhibitRef,
        to: String,
        file: Hash,
        reason: String,
    },
    /// A time stamp over a checkpoint file (its SHA-256) was added: `rfc3161` or `opentimestamps`.
    Stamp {
        kind: String,
        checkpoint: Hash,
        file: Hash,
    },
    /// A public value that nobody could have foreseen: what was signed after it is not older than it.
    Anchor {
        kind: String,
        value: String,
        published: String,
    },
    /// A pouch was packed: with these exhibits, or with all that was sealed under the author's past (`None`). `offers` are
    /// places in the same log of the offers that it carries; of several entries about one pouch, the last has them.
    Pack {
        to: Vec<MemberId>,
        exhibits: Option<Vec<ExhibitRef>>,
        offers: Vec<u64>,
        pouch: Hash,
        bytes: u64,
    },
    Note {
        text: String,
        exhibit: Option<ExhibitRef>,
        reconstructed: bool,
    },
    /// Custody was not recorded between two times.
    Gap {
        text: String,
        from: String,
        to: String,
        exhibit: Option<ExhibitRef>,
    },
    /// These blobs may be absent: accounted for, not missing.
    Dispose {
        blobs: Vec<Hash>,
        reason: String,
        authority: String,
    },
    /// The last entry of its log.
    Close {
        reason: String,
    },
}

/// What gives a member the right to say something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Being the founder, at the very beginning.
    Founding,
    /// One of these roles.
    Role(&'static [Right]),
    /// Holding that key.
    Key(KeyId),
    /// Being a member.
    Membership,
}

/// A role without its section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// [`Role::Owner`]
    Owner,
    /// [`Role::Sealer`]
    Sealer,
    /// [`Role::Reader`] of any section
    Reader,
}

impl Event {
    /// Its name in records and on the screen.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::Admit(_) => "admit",
            Self::Remove(_) => "remove",
            Self::Adopt { .. } => "adopt",
            Self::Rotate { .. } => "rotate",
            Self::Share { .. } => "share",
            Self::Seal(_) => "seal",
            Self::Amend { .. } => "amend",
            Self::Withdraw { .. } => "withdraw",
            Self::Offer(_) => "offer",
            Self::Acknowledge(_) => "acknowledge",
            Self::Decline { .. } => "decline",
            Self::Open { .. } => "open",
            Self::Verify { .. } => "verify",
            Self::Disclose { .. } => "disclose",
            Self::Stamp { .. } => "stamp",
            Self::Anchor { .. } => "anchor",
            Self::Pack { .. } => "pack",
            Self::Note { .. } => "note",
            Self::Gap { .. } => "gap",
            Self::Dispose { .. } => "dispose",
            Self::Close { .. } => "close",
        }
    }

    /// Who may say it.
    pub fn needs(&self) -> Needs {
        match self {
            Self::Found(_) => Needs::Founding,
            // A sealer in the country may bring a monitor; it shows as unconfirmed until an owner agrees.
            Self::Admit(admission) if admission.roles == [Role::Monitor] => Needs::Role(&[Right::Owner, Right::Sealer]),
            Self::Admit(_) | Self::Remove(_) | Self::Adopt { .. } | Self::Rotate { .. } | Self::Dispose { .. } => {
                Needs::Role(&[Right::Owner])
            }
            Self::Share { key, .. } => Needs::Key(*key),
            Self::Seal(_) | Self::Amend { .. } | Self::Withdraw { .. } => Needs::Role(&[Right::Sealer]),
            Self::Open { .. } | Self::Disclose { .. } => Needs::Role(&[Right::Reader]),
            _ => Needs::Membership,
        }
    }

    /// The keys that it brings into being.
    pub fn new_keys(&self) -> &[NewKey] {
        match self {
            Self::Found(found) => &found.keys,
            Self::Rotate { keys } => keys,
            _ => &[],
        }
    }
}

impl Right {
    /// Whether `role` gives it.
    pub fn is_given_by(self, role: &Role) -> bool {
        matches!(
            (self, role),
            (Self::Owner, Role::Owner) | (Self::Sealer, Role::Sealer) | (Self::Reader, Role::Reader(_))
        )
    }
}
