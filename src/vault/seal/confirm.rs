//! A key that is new to this device: before anything is sealed to it, the person at this device agrees to its readers.
//! What an owner rotates in while a laptop is offline must not get readers of evidence whom its sealer never saw named.

use crate::format::ids::{KeyId, MemberId};
use crate::format::role::{Scope, Section};
use crate::vault::VaultError;
use crate::vault::session::Session;

/// A content key that nobody has agreed to on this device.
#[derive(Clone, Debug)]
pub struct NewReaders {
    /// What it opens.
    pub section: Section,
    /// The key.
    pub key: KeyId,
    /// Who can open what is sealed to it: pseudonym and fingerprint.
    pub readers: Vec<(String, String)>,
}

impl NewReaders {
    /// Pseudonyms of the readers.
    pub fn names(&self) -> Vec<String> {
        self.readers.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// Refuses keys that are new here and were not accepted just now; remembers those that were. The keys of the founding
/// entry are agreed to with the vault's digits: that entry, readers and all, is what the digits are of.
pub(super) fn confirm(session: &Session, sections: &[&Section], accepted: &[KeyId]) -> Result<(), VaultError> {
    let history = session.sound_history()?;
    let mut unknown = Vec::new();
    for section in sections {
        let Some((id, key)) = history.newest_key(&Scope::Content((*section).clone())) else { continue };
        let is_founding = history.told(key.at).leaf == history.vault.0;
        if is_founding || session.memory.is_confirmed(&session.vault, &id)? {
            continue;
        }
        if accepted.contains(&id) {
            session.memory.confirm(&session.vault, &id)?;
            continue;
        }
        let reader = |member: MemberId| (history.name_of(member), member.fingerprint());
        let readers = history.holders(key).into_iter().map(reader).collect();
        unknown.push(NewReaders { section: (*section).clone(), key: id, readers });
    }
    if unknown.is_empty() { Ok(()) } else { Err(VaultError::NewReaders { keys: unknown }) }
}
