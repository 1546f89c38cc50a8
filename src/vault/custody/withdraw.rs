//! `custody withdraw`: a witness takes back consent. It needs no opening, so that any sealer can enter it at once.

use std::collections::BTreeMap;

use super::super::commit::OwnLog;
use super::super::history::History;
use super::super::session::{Request, Session};
use super::super::{Setting, VaultError, exhibits};
use super::{Said, say};
use crate::format::event::Event;
use crate::format::ids::LogId;
use crate::format::role::Role;

/// What consent no longer covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Giving anything of it to others.
    Disclosure,
    /// Any use.
    All,
}

impl Scope {
    /// As it stands in the entry.
    pub fn word(self) -> &'static str {
        match self {
            Self::Disclosure => "disclosure",
            Self::All => "all",
        }
    }

    /// The scope of a word; of one that the format does not have, the wider.
    pub fn of_word(word: &str) -> Self {
        if word == "disclosure" { Self::Disclosure } else { Self::All }
    }
}

/// How far consent is withdrawn, for each exhibit of which somebody said so: the widest that was said.
pub fn withdrawn(history: &History) -> BTreeMap<(LogId, u64), Scope> {
    let mut all = BTreeMap::new();
    for (exhibit, scope) in history.withdrawals() {
        let known = all.entry((exhibit.log, exhibit.number)).or_insert(Scope::Disclosure);
        *known = Scope::of_word(scope).max(*known);
    }
    all
}

/// What became of the wish.
#[derive(Clone, Debug)]
pub struct Withdrawn {
    /// The exhibit.
    pub id: String,
    /// The entry; `None` where consent was withdrawn that far already.
    pub said: Option<Said>,
    /// How far it is withdrawn now.
    pub scope: Scope,
}

/// Withdraws consent for one exhibit.
pub fn withdraw(
    setting: &mut Setting<'_>,
    request: &Request<'_>,
    id: &str,
    scope: Scope,
) -> Result<Withdrawn, VaultError> {
    let session = Session::open_to_write(setting, request)?;
    let person = request.person()?;
    let history = session.sound_history()?;
    session.require(person.member(), "withdraw a witness's consent", &Role::Sealer)?;
    let exhibit = exhibits::find(&session, id)?;
    let before = withdrawn(history).get(&(exhibit.row.log, exhibit.row.number)).copied();
    if let Some(before) = before.filter(|before| *before >= scope) {
        return Ok(Withdrawn { id: exhibit.id, said: None, scope: before });
    }
    let event = Event::Withdraw { exhibit: exhibit.reference(), scope: scope.word().into() };
    let mut own = OwnLog::find(setting, &session, person.member())?;
    let said = say(setting, &session, person, &mut own, event)?;
    session.remember_heads()?;
    Ok(Withdrawn { id: exhibit.id, said: Some(said), scope })
}
