//! Handing a key of the vault to those who are to hold it: whole to each, or as shares of which some must come together.

use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use super::history::{History, VaultKey};
use super::random;
use crate::crypto::envelope;
use crate::crypto::hash::Hash;
use crate::crypto::recipient::{Identity, Recipient};
use crate::crypto::shares;
use crate::format::card::Card;
use crate::format::event::{NewKey, Wrap};
use crate::format::ids::LogId;
use crate::format::key_file::{KEY_FILE_BYTES, KeyFile};
use crate::format::role::Scope;
use crate::format::share_file::ShareFile;
use crate::store::{RelPath, layout};

/// Wrapped files of a key are at least so many, and a power of two: their number does not tell how many people there
/// are.
const WRAPS_MIN: usize = 4;

/// How a new key is handed out.
pub(super) struct NewWraps<'a> {
    /// The key.
    pub(super) key: &'a KeyFile,
    /// To whom.
    pub(super) holders: &'a [&'a Card],
    /// `None`: whole to each. Else as shares, of which so many must come together.
    pub(super) needed: Option<u8>,
}

/// Wraps a new key to its holders; the files go to `files`, the returned description into an entry.
///
/// # Panics
///
/// When the custody key is to be split, or `needed` is not from 2 to the number of holders, at most 16.
pub(super) fn wrap_new_key(
    rng: &mut dyn CryptoRngCore,
    new: &NewWraps<'_>,
    files: &mut Vec<(RelPath, Vec<u8>)>,
) -> NewKey {
    let NewWraps { key, holders, needed } = *new;
    let (id, scope, epoch) = (key.id(), key.scope.clone(), key.epoch);
    let mut keep = |bytes: Vec<u8>| {
        let name = Hash::of(&bytes);
        files.push((layout::wrapped_key(id, name), bytes));
        name
    };
    let mut wraps: Vec<Wrap> = match needed {
        None => {
            let plaintext = key.print();
            let whole = |card: &&Card| {
                let file = keep(envelope::seal(&plaintext, &[&card.keys().age]).bytes);
                Wrap { member: card.member(), file, share: None }
            };
            holders.iter().map(whole).collect()
        }
        Some(needed) => {
            assert!(scope != Scope::Custody, "every member reads the logs alone");
            let total = u8::try_from(holders.len()).expect("readers of a split key are few");
            let split = random(rng);
            let shares = shares::split(key.key.seed(), needed, total, rng);
            let one = |(card, share): (&&Card, shares::Share)| {
                let share = ShareFile { scope: scope.clone(), epoch, split, total, share };
                let file = keep(envelope::seal(&share.print(), &[&card.keys().age]).bytes);
                Wrap { member: card.member(), file, share: Some(share.described()) }
            };
            holders.iter().zip(shares).map(one).collect()
        }
    };
    wraps.sort_by_key(|wrap| wrap.member);
    let wanted = wraps.len().next_power_of_two().max(WRAPS_MIN);
    let mut dummies: Vec<Hash> =
        (wraps.len()..wanted).map(|_| keep(envelope::seal(&[b'\n'; KEY_FILE_BYTES], &[&nobody(rng)]).bytes)).collect();
    dummies.sort_unstable();
    NewKey { scope, epoch, recipient: key.key.recipient().to_string(), wraps, dummies }
}

/// A key that nobody has yet, for an entry of this log to bring.
pub(super) fn new_key(rng: &mut dyn CryptoRngCore, log: LogId, scope: Scope, epoch: u32) -> KeyFile {
    KeyFile { log, scope, epoch, key: Identity::from_seed(&Zeroizing::new(random(rng))) }
}

/// A recipient whose key is forgotten at once: nobody can open what is encrypted to it.
pub(super) fn nobody(rng: &mut dyn CryptoRngCore) -> Recipient {
    Identity::from_seed(&Zeroizing::new(random(rng))).recipient()
}

/// How many must come together to use a key; `None` where one is enough.
pub fn needed(key: &VaultKey) -> Option<u8> {
    let whole = key.wraps.iter().any(|(_, wrap)| wrap.share.is_none());
    if whole {
        None
    } else {
        key.wraps.iter().filter_map(|(_, wrap)| wrap.share.as_ref()).map(|share| share.needed).max()
    }
}

/// How a key that takes the place of `before` is to be split among so many holders: as that one was, as far as they are
/// enough. A rotation that handed it whole to each would end the quorum without saying so.
pub fn needed_after(before: &VaultKey, holders: usize) -> Option<u8> {
    let holders = u8::try_from(holders).unwrap_or(u8::MAX);
    needed(before).map(|needed| needed.min(holders)).filter(|needed| *needed >= 2)
}

/// How many of a key's holders can be lost so that it can still be used; `None` when it cannot be used now.
pub fn spare(history: &History, key: &VaultKey) -> Option<usize> {
    let holders = history.holders(key).len();
    holders.checked_sub(needed(key).map_or(1, usize::from))
}
