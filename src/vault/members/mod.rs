//! Who works with a vault: cards become members, keys are handed on, people leave and what they said is judged. Whether
//! any of it counts is decided in [`super::history`], by everybody who reads the logs; these verbs refuse beforehand
//! what would not.
//!
//! - [`add`]: a card is admitted in roles, and handed the keys that this person holds
//! - [`awaiting`]: who ought to hold which key and does not yet; who still holds what she ought not to
//! - [`grant`]: a holder wraps keys for those who await them
//! - [`remove`]: how far a member's logs count, and new keys for what she could read
//! - [`rotate`]: new epochs of keys, in shares where they were in shares
//! - [`exposure`]: what was sealed to keys of people who had been removed by then
//! - [`adopt`]: what came too late counts all the same
//! - [`list`]: all members with their standing

mod add;
mod adopt;
mod awaiting;
mod exposure;
mod grant;
mod list;
mod remove;
mod rotate;

pub use add::{AddRequest, Added, Newcomer, Plan, add, plan};
pub use adopt::{AdoptRequest, Adopted, adopt};
pub use awaiting::{Awaited, Outdated, awaiting, notices, outdated};
pub use exposure::{Exposed, readable_since};
pub use grant::{Given, Granted, grant, grant_here, grantable};
pub use list::{Listed, ListedLog, Since, list};
pub use remove::{Kept, RemoveRequest, Removed, remove};
pub use rotate::{Renewed, RotateRequest, Rotated, rotate};

use std::collections::{BTreeMap, BTreeSet};

use super::VaultError;
use super::history::{History, Member, VaultKey};
use super::session::Session;
use crate::format::card::Card;
use crate::format::ids::MemberId;
use crate::format::role::{Role, Scope};

/// Members who ought to hold the keys of a scope: all of them the custody key, readers of a section its content key.
fn entitled<'h>(history: &'h History, scope: &Scope) -> Vec<(MemberId, &'h Card)> {
    let present = history.members.iter().filter(|(_, member)| member.removed.is_none());
    present.filter(|(_, member)| is_entitled(member, scope)).map(|(id, member)| (*id, &member.card)).collect()
}

fn is_entitled(member: &Member, scope: &Scope) -> bool {
    match scope {
        Scope::Custody => true,
        Scope::Content(section) => {
            member.grants.iter().any(|grant| matches!(&grant.role, Role::Reader(of) if of == section))
        }
    }
}

/// Everybody who was ever given a key, or a share of it.
fn given(key: &VaultKey) -> BTreeSet<MemberId> {
    key.wraps.iter().map(|(_, wrap)| wrap.member).collect()
}

/// Whether a key was handed out in shares alone: nobody holds it, so nobody can hand it on.
fn is_split(key: &VaultKey) -> bool {
    key.wraps.iter().all(|(_, wrap)| wrap.share.is_some())
}

/// Refuses whoever is no owner.
fn require_owner(session: &Session, member: MemberId, what: &'static str) -> Result<(), VaultError> {
    session.require(member, what, &Role::Owner)
}

/// Pseudonyms of all members, for whoever tells an outcome.
fn names(history: &History) -> BTreeMap<MemberId, String> {
    history.members.iter().map(|(id, member)| (*id, member.card.name().to_string())).collect()
}
