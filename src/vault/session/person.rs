//! Who acts.

use std::sync::OnceLock;

use crate::crypto::seed::Keys;
use crate::format::card::Card;
use crate::format::ids::MemberId;
use crate::format::pseudonym::Pseudonym;
use crate::vault::quorum::Lent;

/// An identity that is open.
pub struct Person {
    /// The secret keys.
    pub keys: Keys,
    name: Pseudonym,
    member: MemberId,
    /// The public half, signed when it is asked for.
    card: OnceLock<Card>,
    /// Whether the file it came from is under no passphrase.
    pub bare: bool,
    /// Shares of content keys that others lent her for this run.
    pub lent: Vec<Lent>,
}

impl Person {
    /// Whoever has these keys; `bare` if they came from a file under no passphrase.
    pub fn new(name: Pseudonym, keys: Keys, bare: bool) -> Self {
        let member = MemberId::of(&keys.public());
        Self { keys, name, member, card: OnceLock::new(), bare, lent: Vec::new() }
    }

    /// The member that this person is, wherever she is one.
    pub fn member(&self) -> MemberId {
        self.member
    }

    /// Her card. Few commands need it, and to sign it takes longer than to list a vault.
    pub fn card(&self) -> &Card {
        self.card.get_or_init(|| Card::sign(&self.name, &self.keys))
    }
}
