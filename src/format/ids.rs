//! Ids of different things as different types, so that one cannot stand where another is meant.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fingerprint::{fingerprint, same_fingerprint};
use super::role::Scope;
use crate::crypto::hash::{Hash, hex, unhex};
use crate::crypto::seed::PublicKeys;

/// A member: the hash of the public keys (MessagePack: 32 bytes).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MemberId(pub Hash);

/// A vault: the leaf hash of its founding entry, which itself carries [`VaultId::UNFOUNDED`] (MessagePack: 32 bytes).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VaultId(pub Hash);

/// A vault key: who brought it, for what, and its public half in one hash, so that nobody can bring the key of somebody
/// else once more (MessagePack: 32 bytes).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KeyId(pub Hash);

/// One member's log on one device (MessagePack: 16 bytes).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogId(#[serde(with = "serde_bytes")] pub [u8; 16]);

/// What the names of a member's keys begin with.
const KEY_NAME: &str = "amparo.v1/member/";

impl MemberId {
    /// The id of the member with these keys.
    pub fn of(keys: &PublicKeys) -> Self {
        Self(keys.member_id())
    }

    /// Under this name the member's card and cosignatures are signed.
    pub fn key_name(&self) -> String {
        format!("{KEY_NAME}{self}")
    }

    /// Reads such a name; anything else is `None`.
    pub fn from_key_name(name: &str) -> Option<Self> {
        Self::from_hex(name.strip_prefix(KEY_NAME)?)
    }
}

impl VaultId {
    /// What stands for the id inside the entry that founds the vault: 32 zero bytes.
    pub const UNFOUNDED: Self = Self(Hash::ZERO);
}

impl KeyId {
    /// `Hash::tagged("amparo.v1/key", [log id, scope, epoch, recipient])` of the key that an entry of this log brings: the
    /// epoch as four bytes, the recipient as its text.
    pub fn derive(log: &LogId, scope: &Scope, epoch: u32, recipient: &str) -> Self {
        let scope = scope.to_string();
        let parts: [&[u8]; 4] = [&log.0, scope.as_bytes(), &epoch.to_be_bytes(), recipient.as_bytes()];
        Self(Hash::tagged("amparo.v1/key", &parts))
    }
}

impl LogId {
    /// The first 16 bytes of `Hash::tagged("amparo.v1/log", [vault id, member id, nonce])`: the founder's first log has
    /// [`VaultId::UNFOUNDED`].
    pub fn derive(vault: &VaultId, member: &MemberId, nonce: &[u8; 16]) -> Self {
        let hash = Hash::tagged("amparo.v1/log", &[&vault.0.0, &member.0.0, nonce]);
        let (id, _) = hash.0.split_first_chunk().expect("16 of 32 bytes");
        Self(*id)
    }

    /// Reads 32 lowercase hex digits; anything else is `None`.
    pub fn from_hex(text: &str) -> Option<Self> {
        unhex(text).map(Self)
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the three hash-like ids share: 64 hex digits.
macro_rules! printed_as_hex {
    ($($id:ident),+) => {$(
        impl $id {
            /// Reads 64 lowercase hex digits; anything else is `None`.
            pub fn from_hex(text: &str) -> Option<Self> {
                Hash::from_hex(text).map(Self)
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )+};
}
printed_as_hex!(MemberId, VaultId, KeyId);

/// Those that people compare by voice or on paper.
macro_rules! compared_by_people {
    ($($id:ident),+) => {$(
        impl $id {
            /// 8 groups of 5 digits; see [`fingerprint`].
            pub fn fingerprint(&self) -> String {
                fingerprint(&self.0)
            }

            /// Whether `typed` is that fingerprint; see [`same_fingerprint`].
            pub fn has_fingerprint(&self, typed: &str) -> bool {
                same_fingerprint(typed, &self.0)
            }
        }
    )+};
}
compared_by_people!(MemberId, VaultId, KeyId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_bytes_in_message_pack_and_hex_in_text() {
        let id = MemberId(Hash::of(b"member"));
        let packed = rmp_serde::to_vec_named(&id).expect("32 bytes");
        assert_eq!(packed[..2], [0xc4, 32]);
        assert_eq!(rmp_serde::from_slice::<MemberId>(&packed).expect("own bytes"), id);
        assert_eq!(MemberId::from_hex(&id.to_string()), Some(id));
        let log = LogId::derive(&VaultId::UNFOUNDED, &id, &[1; 16]);
        let packed = rmp_serde::to_vec_named(&log).expect("16 bytes");
        assert_eq!(packed[..2], [0xc4, 16]);
        assert_eq!(rmp_serde::from_slice::<LogId>(&packed).expect("own bytes"), log);
        assert_eq!(LogId::from_hex(&log.to_string()), Some(log));
        assert_eq!(LogId::from_hex(&log.to_string().to_uppercase()), None);
    }

    #[test]
    fn a_log_id_depends_on_all_it_is_made_of() {
        let (one, two) = (Hash::of(b"1"), Hash::of(b"2"));
        let log = LogId::derive(&VaultId(one), &MemberId(one), &[1; 16]);
        assert_ne!(log, LogId::derive(&VaultId(two), &MemberId(one), &[1; 16]));
        assert_ne!(log, LogId::derive(&VaultId(one), &MemberId(two), &[1; 16]));
        assert_ne!(log, LogId::derive(&VaultId(one), &MemberId(one), &[2; 16]));
    }
}
