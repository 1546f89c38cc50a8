//! Shares of one key that meet on one device: alone none of them tells anything of it, enough of them are the key. Which
//! belong together, the entries tell that handed them out, and each share by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::kinds::dearmored;
use super::read_key_file;
use crate::crypto::envelope;
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Identity;
use crate::format::event::Share;
use crate::format::ids::MemberId;
use crate::format::role::Scope;
use crate::format::share_file::{LENT_FILE_BYTES_MAX, LentShare, ShareFile, hash_of};
use crate::format::words::bytewords;
use crate::store::Disk;
use crate::vault::history::History;

/// Shares that lie here, and what is said of them.
#[derive(Default)]
pub(in crate::vault) struct Shares {
    /// By what all shares of one splitting have in common.
    splits: BTreeMap<[u8; 16], Split>,
    /// Which share lies in which file.
    held: BTreeSet<(PathBuf, Hash)>,
}

/// One splitting of one key.
struct Split {
    section: String,
    needed: u8,
    shares: BTreeSet<Hash>,
}

impl Shares {
    /// What a vault's story says of all shares; this file gives those of one member, wherever they lie now.
    pub(super) fn hold_of(&mut self, path: &Path, history: &History, member: MemberId) {
        for key in history.keys.values() {
            for wrap in key.wraps.iter().map(|(_, wrap)| wrap) {
                let Some(share) = &wrap.share else { continue };
                self.learn(&key.scope, share);
                if wrap.member == member {
                    self.hold(path, share.hash);
                }
            }
        }
    }

    /// A share that was lent, and that a key here opens.
    pub(super) fn lent(&mut self, path: &Path, share: &ShareFile) {
        let described = share.described();
        self.learn(&share.scope, &described);
        self.hold(path, described.hash);
    }

    /// Shares that stand in a file in the clear.
    pub(in crate::vault) fn written(&mut self, disk: &dyn Disk, path: &Path) {
        let Ok(bytes) = read_key_file(disk, path) else { return };
        if let Some(share) = read(&bytes) {
            self.learn(&share.scope, &share.described());
        }
        for share in std::str::from_utf8(&bytes).map(bytewords::urs).unwrap_or_default() {
            self.hold(path, hash_of(&share));
        }
    }

    fn learn(&mut self, scope: &Scope, share: &Share) {
        let new = || Split { section: scope.to_string(), needed: share.needed, shares: BTreeSet::new() };
        let split = self.splits.entry(share.split).or_insert_with(new);
        split.needed = split.needed.min(share.needed);
        split.shares.insert(share.hash);
    }

    fn hold(&mut self, path: &Path, share: Hash) {
        self.held.insert((path.to_path_buf(), share));
    }

    /// The files whose shares, with others that lie here, are a key, each with the sections that it opens.
    pub(in crate::vault) fn met(&self) -> BTreeMap<&Path, BTreeSet<&str>> {
        let mut met: BTreeMap<&Path, BTreeSet<&str>> = BTreeMap::new();
        for split in self.splits.values() {
            let here: Vec<&(PathBuf, Hash)> =
                self.held.iter().filter(|(_, share)| split.shares.contains(share)).collect();
            let different: BTreeSet<&Hash> = here.iter().map(|(_, share)| share).collect();
            if different.len() >= usize::from(split.needed) {
                for (path, _) in here {
                    met.entry(path).or_default().insert(&split.section);
                }
            }
        }
        met
    }
}

/// The share in an age file, if it is one that was lent, or one as it lies in a vault, and one of these keys opens it.
pub(super) fn open_lent(disk: &dyn Disk, path: &Path, bytes: u64, keys: &[&Identity]) -> Option<ShareFile> {
    if bytes > LENT_FILE_BYTES_MAX {
        return None;
    }
    let file = read_key_file(disk, path).ok()?;
    let binary: Zeroizing<Vec<u8>> = std::str::from_utf8(&file).ok().and_then(dearmored).unwrap_or(file);
    read(&envelope::open(&binary, keys).ok()?)
}

fn read(plaintext: &[u8]) -> Option<ShareFile> {
    let lent = LentShare::parse(plaintext).map(|lent| lent.file);
    lent.or_else(|_| ShareFile::parse(plaintext)).ok()
}
