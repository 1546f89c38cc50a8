//! The vault's keys that one identity opens: found by trying each wrapped key, and kept where the key id in its path is that
//! of all that it says, and an entry that counts brought it.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::{Check, Findings};
use super::history::{History, VaultKey};
use super::parallel;
use super::quorum::Met;
use super::survey::Survey;
use crate::crypto::envelope;
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Identity;
use crate::format::ids::{KeyId, MemberId};
use crate::format::key_file::{KeyFile, WRAPPED_KEY_BYTES_MAX};
use crate::format::role::{Scope, Section};
use crate::format::share_file::ShareFile;
use crate::store::{Folder, layout};

/// The vault's keys that a person's identity opens.
#[derive(Default)]
pub struct Keyring {
    /// By key id.
    keys: BTreeMap<KeyId, KeyFile>,
    /// The person's own shares of keys that are split.
    shares: BTreeMap<KeyId, ShareFile>,
    /// What others lent, with whose share it is.
    lent: BTreeMap<KeyId, Vec<(MemberId, ShareFile)>>,
    /// Keys that shares gave.
    met: Vec<Met>,
}

impl Keyring {
    /// Keeps the keys that counted entries brought, and custody keys that came too late, to which inventories may be
    /// encrypted. Anybody can put a key of their own here, encrypted to a member's card and called a content key: it must
    /// not pass for access to anything.
    pub(super) fn keep_known(&mut self, history: &History) {
        let custody: BTreeSet<&KeyId> = history.custody_keys().collect();
        self.keys.retain(|id, _| history.keys.contains_key(id) || custody.contains(id));
    }

    /// The keys that read the logs.
    pub fn custody(&self) -> Vec<&Identity> {
        self.custody_by_id().map(|(_, key)| key).collect()
    }

    /// The same, each with its id.
    pub(super) fn custody_by_id(&self) -> impl Iterator<Item = (&KeyId, &Identity)> {
        self.keys.iter().filter(|(_, held)| held.scope == Scope::Custody).map(|(id, held)| (id, &held.key))
    }

    /// A content key.
    pub fn content(&self, key: &KeyId) -> Option<&Identity> {
        self.keys.get(key).filter(|held| held.scope != Scope::Custody).map(|held| &held.key)
    }

    /// A key of any scope, to hand it on.
    pub(super) fn key(&self, key: &KeyId) -> Option<&KeyFile> {
        self.keys.get(key)
    }

    /// The person's own share of a key.
    pub fn own_share(&self, key: &KeyId) -> Option<&ShareFile> {
        self.shares.get(key)
    }

    /// What others lent of a key.
    pub(super) fn lent(&self, key: &KeyId) -> &[(MemberId, ShareFile)] {
        self.lent.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Keys that shares gave for this run.
    pub fn met(&self) -> &[Met] {
        &self.met
    }

    pub(super) fn keep_lent(&mut self, key: KeyId, of: MemberId, share: ShareFile) {
        self.lent.entry(key).or_default().push((of, share));
    }

    pub(super) fn keep_met(&mut self, key: KeyFile, lenders: Vec<MemberId>) {
        self.met.push(Met { scope: key.scope.clone(), epoch: key.epoch, lenders });
        self.keys.insert(key.id(), key);
    }

    /// The sections whose content it opens.
    pub fn sections(&self) -> BTreeSet<&Section> {
        let scopes = self.keys.values().map(|held| &held.scope);
        scopes.filter_map(|scope| if let Scope::Content(section) = scope { Some(section) } else { None }).collect()
    }
}

/// What the person's identity makes of a wrapped key.
pub(super) enum Opened {
    /// It could not be read now; it may be later, and breaks no promise.
    Unread,
    /// It does not open: another member's, a dummy, or damaged.
    No,
    /// It opens, and holds no key, or another than its folder names.
    Other,
    /// It holds the key.
    Key,
    /// It holds a share of a key.
    Share(Box<ShareFile>),
}

/// Tries the person's identity on every wrapped key.
pub(super) fn unlock(
    folder: &dyn Folder,
    survey: &Survey,
    identity: &Identity,
) -> (Keyring, BTreeMap<(KeyId, Hash), Opened>) {
    let names: Vec<(KeyId, Hash)> =
        survey.keys.iter().flat_map(|(key, files)| files.iter().map(|file| (*key, *file))).collect();
    let plaintexts = parallel::map(&names, |(key, file)| {
        let bytes = folder.read(&layout::wrapped_key(*key, *file), WRAPPED_KEY_BYTES_MAX).ok()?;
        // A key is a key under whatever name it lies: damage becomes a finding where the files are checked against the
        // entries that name them.
        let hash = Hash::of(&bytes);
        let opened = envelope::open_named(bytes, hash, &[identity]).ok();
        Some(opened.map(|plaintext| Held::parse(&plaintext)))
    });
    let (mut ring, mut opened) = (Keyring::default(), BTreeMap::new());
    for ((key, file), plaintext) in names.into_iter().zip(plaintexts) {
        let outcome = match plaintext {
            None => Opened::Unread,
            Some(None) => Opened::No,
            Some(Some(Held::Key(held))) if held.id() == key => {
                ring.keys.insert(key, *held);
                Opened::Key
            }
            Some(Some(Held::Share(share))) => Opened::Share(share),
            Some(Some(_)) => Opened::Other,
        };
        opened.insert((key, file), outcome);
    }
    (ring, opened)
}

/// What the plaintext of a wrapped file is.
enum Held {
    Key(Box<KeyFile>),
    Share(Box<ShareFile>),
    Neither,
}

impl Held {
    fn parse(plaintext: &[u8]) -> Self {
        if let Ok(held) = KeyFile::parse(plaintext) {
            return Self::Key(Box::new(held));
        }
        ShareFile::parse(plaintext).map_or(Self::Neither, |share| Self::Share(Box::new(share)))
    }
}

/// A wrapped key, or share of one, that is whole and is not what its entry promises this member is the fault of whoever
/// signed that entry. Where no entry that counts names the file, it is a stranger's, and nobody's fault. Shares that are
/// what was promised go into the ring.
pub(super) fn check_own_wraps(
    folder: &dyn Folder,
    history: &History,
    member: MemberId,
    opened: &BTreeMap<(KeyId, Hash), Opened>,
    ring: &mut Keyring,
    findings: &mut Findings,
) {
    for (id, key) in &history.keys {
        for wrap in key.wraps.iter().map(|(_, wrap)| wrap).filter(|wrap| wrap.member == member) {
            let (promised, message) = match (opened.get(&(*id, wrap.file)), &wrap.share) {
                (None | Some(Opened::Unread), _) | (Some(Opened::Key), None) => continue,
                (Some(Opened::Share(share)), Some(said)) => {
                    let promised = share.scope == key.scope && share.epoch == key.epoch && share.described() == *said;
                    // Whoever brought the key comes first: who splits it once more does not hide that share.
                    if promised {
                        ring.shares.entry(*id).or_insert_with(|| ShareFile::clone(share));
                    }
                    (promised, "it does not give this member the share that its entry promises")
                }
                (_, Some(_)) => (false, "it does not give this member the share that its entry promises"),
                (_, None) => (false, "it does not give this member the key that its entry promises"),
            };
            let path = layout::wrapped_key(*id, wrap.file);
            if !promised && is_whole(folder, *id, wrap.file) {
                findings.invalid(Check::Key, path.to_string(), message);
            }
        }
    }
}

/// Whether the file that hands a key to a member is here and whole.
pub(super) fn is_handed(folder: &dyn Folder, id: KeyId, key: &VaultKey, member: MemberId) -> bool {
    key.wraps.iter().any(|(_, wrap)| wrap.member == member && is_whole(folder, id, wrap.file))
}

fn is_whole(folder: &dyn Folder, id: KeyId, file: Hash) -> bool {
    let bytes = folder.read(&layout::wrapped_key(id, file), WRAPPED_KEY_BYTES_MAX);
    bytes.is_ok_and(|bytes| Hash::of(&bytes) == file)
}
