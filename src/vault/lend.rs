//! Lending one's share of a content key to another reader for an opening: encrypted to that reader's card, and said in
//! one's own log before it leaves.

use super::commit;
use super::labels::find_member;
use super::session::{Request, Session};
use super::{Setting, VaultError};
use crate::crypto::envelope;
use crate::format::armor;
use crate::format::event::Event;
use crate::format::role::{Scope, Section};
use crate::format::share_file::LentShare;

/// What to lend, and to whom.
pub struct LendRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// The member, as a person calls her.
    pub to: &'a str,
    /// The section.
    pub section: &'a Section,
    /// Which of its keys; the newest, if nothing is said.
    pub epoch: Option<u32>,
}

/// A share that may leave.
pub struct Lending {
    /// The file: a few kilobytes of text.
    pub text: String,
    /// The borrower's pseudonym.
    pub to: String,
    /// Which of the section's keys.
    pub epoch: u32,
    /// How many shares must come together.
    pub needed: u8,
}

/// Lends this member's share. When it returns, the lending stands in the custody record.
pub fn lend(setting: &mut Setting<'_>, request: &LendRequest<'_>) -> Result<Lending, VaultError> {
    let session = Session::open_to_write(setting, &request.place)?;
    let person = request.place.person()?;
    let history = session.sound_history()?;
    let section = request.section.to_string();
    let scope = Scope::Content(request.section.clone());
    let of_epoch = |epoch| {
        let mut keys = history.keys.iter().filter(move |(_, key)| key.scope == scope && key.epoch == epoch);
        keys.find(|(id, _)| session.ring.own_share(id).is_some()).map(|(id, key)| (*id, key))
    };
    let newest = || history.newest_key(&Scope::Content(request.section.clone()));
    let (id, key) = match request.epoch {
        Some(epoch) => of_epoch(epoch),
        None => newest(),
    }
    .ok_or_else(|| VaultError::NoShare { section: section.clone() })?;
    let Some(share) = session.ring.own_share(&id) else { return Err(VaultError::NoShare { section }) };
    let (to, member) = find_member(history, request.to)?;
    if to == person.member() || !history.holders(key).contains(&to) {
        return Err(VaultError::NoBorrower { name: history.name_of(to), section });
    }
    let lent = LentShare { vault: session.vault, key: id, from: person.member(), to, file: share.clone() };
    let sealed = envelope::seal(&lent.print(), &[&member.card.keys().age]);
    let (epoch, needed, name) = (key.epoch, share.share.needed(), member.card.name().to_string());
    // A share that left unrecorded would be worse than a record of one that never arrived.
    let text = format!("lent a share of the key of section {section}, epoch {epoch}, to {name}, member {to}");
    commit::say(setting, &session, person, Event::Note { text, exhibit: None, reconstructed: false })?;
    Ok(Lending { text: armor::print(&sealed.bytes), to: name, epoch, needed })
}
