//! The vault's keys that one identity opens: found by trying each wrapped key, and believed to be what the entries that
//! brought them say, never what the file itself says.

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
use crate::format::key_file::{self, WRAPPED_KEY_BYTES_MAX};
use crate::format::role::{Scope, Section};
use crate::format::share_file::ShareFile;
use crate::store::{Folder, layout};

/// The vault's keys that a person's identity opens.
#[derive(Default)]
pub struct Keyring {
    /// By key id.
    keys: BTreeMap<KeyId, (Scope, Identity)>,
    /// The person's own shares of keys that are split.
    shares: BTreeMap<KeyId, ShareFile>,
    /// What others lent, with whose share it is.
    lent: BTreeMap<KeyId, Vec<(MemberId, ShareFile)>>,
    /// Keys that shares gave.
    met: Vec<Met>,
}

impl Keyring {
    /// Keeps the keys that counted entries brought, as what they brought them. Anybody can put a key of their own here,
    /// encrypted to a member's card and called a content key: it must not pass for access to anything.
    pub(super) fn keep_known(&mut self, history: &History) {
        self.keys.retain(|id, (scope, _)| match history.keys.get(id) {
            Some(known) => {
                scope.clone_from(&known.scope);
                true
            }
            None => false,
        });
    }

    /// The keys that read the logs.
    pub fn custody(&self) -> Vec<&Identity> {
        self.keys.values().filter(|(scope, _)| *scope == Scope::Custody).map(|(_, key)| key).collect()
    }

    /// A content key.
    pub fn content(&self, key: &KeyId) -> Option<&Identity> {
        self.keys.get(key).filter(|(scope, _)| *scope != Scope::Custody).map(|(_, key)| key)
    }

    /// A key of any scope, to hand it on.
    pub(super) fn key(&self, key: &KeyId) -> Option<&Identity> {
        self.keys.get(key).map(|(_, key)| key)
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

    pub(super) fn keep_met(&mut self, id: KeyId, key: Identity, met: Met) {
        self.keys.insert(id, (met.scope.clone(), key));
        self.met.push(met);
    }

    /// The sections whose content it opens.
    pub fn sections(&self) -> BTreeSet<&Section> {
        let scopes = self.keys.values().map(|(scope, _)| scope);
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
    /// It holds the key, as a key of that scope and epoch.
    Key(Scope, u32),
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
        // Damage becomes a finding where the files are checked against the entries that name them.
        let opened = envelope::open_to_one_key(&bytes, &[identity]).and_then(Result::ok);
        Some(opened.map(|plaintext| Held::parse(&plaintext)))
    });
    let (mut ring, mut opened) = (Keyring::default(), BTreeMap::new());
    for ((key, file), plaintext) in names.into_iter().zip(plaintexts) {
        let outcome = match plaintext {
            None => Opened::Unread,
            Some(None) => Opened::No,
            Some(Some(Held::Key(scope, epoch, secret))) if KeyId::of(&secret.recipient()) == key => {
                // The logs will tell what it is for; until then a second file must not hide that it reads them.
                if ring.keys.get(&key).is_none_or(|(known, _)| *known != Scope::Custody) {
                    ring.keys.insert(key, (scope.clone(), *secret));
                }
                Opened::Key(scope, epoch)
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
    Key(Scope, u32, Box<Identity>),
    Share(Box<ShareFile>),
    Neither,
}

impl Held {
    fn parse(plaintext: &[u8]) -> Self {
        if let Ok((scope, epoch, key)) = key_file::parse(plaintext) {
            return Self::Key(scope, epoch, Box::new(key));
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
                (None | Some(Opened::Unread), _) => continue,
                (Some(Opened::Share(share)), Some(said)) => {
                    let promised = share.scope == key.scope && share.epoch == key.epoch && share.described() == *said;
                    if promised {
                        ring.shares.insert(*id, ShareFile::clone(share));
                    }
                    (promised, "it does not give this member the share that its entry promises")
                }
                (_, Some(_)) => (false, "it does not give this member the share that its entry promises"),
                (Some(Opened::Key(scope, epoch)), None) => (
                    *scope == key.scope && *epoch == key.epoch,
                    "it does not give this member the key that its entry promises",
                ),
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
