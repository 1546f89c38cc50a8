//! Shares that come together: the own one from the vault and those that others lent give a content key, in memory, for
//! this run. Each share is known by its hash in the entry that handed it out, so that a bad one has a name.

use std::collections::BTreeSet;

use super::VaultError;
use super::history::{History, VaultKey};
use super::keyring::Keyring;
use super::session::Person;
use crate::crypto::envelope::{self, EnvelopeError};
use crate::crypto::recipient::Identity;
use crate::crypto::shares::{Share, combine};
use crate::format::armor;
use crate::format::event::Wrap;
use crate::format::ids::{KeyId, MemberId, VaultId};
use crate::format::key_file::KeyFile;
use crate::format::role::Scope;
use crate::format::share_file::{LentShare, ShareFile};

/// A file with a share that somebody lent, as it was given.
#[derive(Clone)]
pub struct Lent {
    /// How the person called it.
    pub name: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// A content key that shares gave for this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Met {
    /// What it opens.
    pub scope: Scope,
    /// Which in the order of its scope's keys.
    pub epoch: u32,
    /// Whose shares were lent for it.
    pub lenders: Vec<MemberId>,
}

/// Takes what was lent to `person` and puts together what can be.
pub(super) fn meet(ring: &mut Keyring, history: &History, vault: VaultId, person: &Person) -> Result<(), VaultError> {
    let mut touched = BTreeSet::new();
    for lent in &person.lent {
        let (id, member, share) = take(lent, history, vault, person)?;
        let own = ring.own_share(&id).is_some_and(|own| own.described() == share.described());
        if own || ring.lent(&id).iter().any(|(other, _)| *other == member) {
            return Err(VaultError::LentTwice { file: lent.name.clone(), member: history.name_of(member) });
        }
        ring.keep_lent(id, member, share);
        touched.insert(id);
    }
    for id in touched {
        if ring.content(&id).is_none()
            && let Some(key) = history.keys.get(&id)
        {
            put_together(ring, id, key)?;
        }
    }
    Ok(())
}

/// What one file holds, once it is sure that it is for this person, of this vault, and the share that the entry names.
fn take(
    lent: &Lent,
    history: &History,
    vault: VaultId,
    person: &Person,
) -> Result<(KeyId, MemberId, ShareFile), VaultError> {
    let file = || lent.name.clone();
    let damaged = || VaultError::LentDamaged { file: file() };
    let bytes = if lent.bytes.starts_with(b"age-encryption.org/") {
        lent.bytes.clone()
    } else {
        armor::parse(&lent.bytes).map_err(|_| damaged())?
    };
    let plaintext = envelope::open(&bytes, &[&person.keys.age]).map_err(|error| match error {
        EnvelopeError::NotForThisKey => VaultError::LentToOther { file: file() },
        _ => damaged(),
    })?;
    let LentShare { vault: of, key: id, from, to, file: share } =
        LentShare::parse(&plaintext).map_err(|_| damaged())?;
    if of != vault {
        return Err(VaultError::LentElsewhere { file: file() });
    }
    if to != person.member() {
        return Err(VaultError::LentToOther { file: file() });
    }
    let Some(key) = history.keys.get(&id) else { return Err(VaultError::LentElsewhere { file: file() }) };
    // Who holds it is what the entry says, whatever the file calls itself.
    let said = share.described();
    match holder(key, |wrap| wrap.share.as_ref() == Some(&said)) {
        Some(member) if share.scope == key.scope && share.epoch == key.epoch => Ok((id, member, share)),
        _ => {
            let same_place = |wrap: &Wrap| {
                wrap.share.as_ref().is_some_and(|share| (share.split, share.index) == (said.split, said.index))
            };
            let member = holder(key, same_place).unwrap_or(from);
            Err(VaultError::LentWrong { file: file(), member: history.name_of(member) })
        }
    }
}

fn holder(key: &VaultKey, is_it: impl Fn(&Wrap) -> bool) -> Option<MemberId> {
    key.wraps.iter().map(|(_, wrap)| wrap).find(|wrap| is_it(wrap)).map(|wrap| wrap.member)
}

fn put_together(ring: &mut Keyring, id: KeyId, key: &VaultKey) -> Result<(), VaultError> {
    let all: Vec<&ShareFile> =
        ring.own_share(&id).into_iter().chain(ring.lent(&id).iter().map(|(_, share)| share)).collect();
    let splits: BTreeSet<[u8; 16]> = all.iter().map(|share| share.split).collect();
    let enough = |split: &[u8; 16]| {
        let of_split = all.iter().filter(|share| share.split == *split).map(|share| &share.share);
        let shares: Vec<&Share> = of_split.collect();
        shares.first().is_some_and(|first| shares.len() >= usize::from(first.needed())).then_some(shares)
    };
    let given = |shares: &Vec<&Share>| {
        let secret = Identity::from_seed(&*combine(shares).ok()?);
        let whole = KeyFile { log: key.at.log, scope: key.scope.clone(), epoch: key.epoch, key: secret };
        (whole.id() == id).then_some(whole)
    };
    let enough: Vec<Vec<&Share>> = splits.iter().filter_map(enough).collect();
    match enough.iter().find_map(given) {
        Some(whole) => {
            let lenders = ring.lent(&id).iter().map(|(member, _)| *member).collect();
            ring.keep_met(whole, lenders);
            Ok(())
        }
        None if enough.is_empty() => Ok(()),
        // Each is the one that the entry names: if they do not give this key, whoever split it handed out something else.
        None => Err(VaultError::SharesOfNothing { section: key.scope.to_string() }),
    }
}

/// Why a key cannot be used yet, for whoever holds one of its shares: how many are needed, and who could lend.
pub(super) fn too_few(
    ring: &Keyring,
    history: &History,
    member: MemberId,
    id: KeyId,
    exhibit: &str,
) -> Option<VaultError> {
    let key = history.keys.get(&id)?;
    let needed = super::wrap::needed(key)?;
    let holds = holder(key, |wrap| wrap.member == member).is_some();
    if !holds {
        return None;
    }
    let lenders: BTreeSet<MemberId> = ring.lent(&id).iter().map(|(lender, _)| *lender).collect();
    let others = history.holders(key).into_iter().filter(|other| *other != member && !lenders.contains(other));
    Some(VaultError::TooFewShares {
        id: exhibit.into(),
        section: key.scope.to_string(),
        epoch: key.epoch,
        needed,
        here: lenders.len() + usize::from(ring.own_share(&id).is_some()),
        able: others.map(|other| history.name_of(other)).collect(),
        own_name: history.name_of(member),
    })
}
