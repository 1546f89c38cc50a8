//! How people call what a vault holds, and what is meant by what they typed: exhibits `K7-0012`, entries `K7:12`,
//! members by pseudonym, by the digits of their card, or by the beginning of the member id.

use super::VaultError;
use super::history::{History, Log, Member, Place};
use crate::format::event::{ExhibitRef, Head};
use crate::format::ids::MemberId;
use crate::format::inventory::Row;

/// Fewer digits of a member id than this are no name.
const MEMBER_DIGITS_MIN: usize = 8;

/// How a log and a number are written: `K7-0012`.
pub fn exhibit_label(handle: &str, number: u64) -> String {
    format!("{handle}-{number:04}")
}

/// How people call an exhibit: `K7-0012`; with the first digits of its row's hash where two logs share the handle.
pub(super) fn label(history: &History, row: &Row) -> String {
    let handle = history.logs.get(&row.log).map_or("", |log| log.handle.as_str());
    let label = exhibit_label(handle, row.number);
    if history.is_shared(handle) { format!("{label}~{}", &row.leaf().to_string()[..4]) } else { label }
}

/// How people call an entry: `K7:12`; with the first digits of its leaf hash where two logs share the handle.
///
/// # Panics
///
/// When there is none at `place`; places come from this same history.
pub fn entry_label(history: &History, place: Place) -> String {
    let handle = &history.logs[&place.log].handle;
    let label = format!("{handle}:{}", place.seq);
    let leaf = history.told(place).leaf.to_string();
    if history.is_shared(handle) { format!("{label}~{}", &leaf[..4]) } else { label }
}

/// How people call the entry that a state ends with. It may be newer than `history`: then its log's `handle` tells, and
/// its `leaf`, where that is known.
pub(super) fn label_of_last(history: &History, handle: &str, head: Head, leaf: Option<&str>) -> String {
    let place = Place { log: head.log, seq: head.size.saturating_sub(1) };
    if history.logs.get(&head.log).is_some_and(|log| place.seq < log.entries.len() as u64) {
        return entry_label(history, place);
    }
    let shared = history.logs.values().any(|log| log.handle == handle && log.id != head.log);
    let piece = leaf.filter(|_| shared).and_then(|leaf| leaf.get(..4));
    let label = format!("{handle}:{}", place.seq);
    piece.map_or_else(|| label.clone(), |piece| format!("{label}~{piece}"))
}

/// How people call the exhibit that an entry points at.
pub fn reference_label(history: &History, exhibit: &ExhibitRef) -> String {
    let handle = history.logs.get(&exhibit.log).map_or("?", |log| log.handle.as_str());
    let label = exhibit_label(handle, exhibit.number);
    if history.is_shared(handle) { format!("{label}~{}", &exhibit.row.to_string()[..4]) } else { label }
}

/// The entry that a person means.
pub fn find_entry(history: &History, typed: &str) -> Result<Place, VaultError> {
    let none = || VaultError::NoEntry { entry: typed.into() };
    let (bare, piece) = typed.split_once('~').unwrap_or((typed, ""));
    let (handle, seq) = bare.rsplit_once(':').ok_or_else(none)?;
    let (handle, seq) = (handle.to_ascii_uppercase(), seq.parse::<u64>().map_err(|_| none())?);
    let holds = |log: &&Log| log.handle == handle && seq < log.entries.len() as u64;
    let places = history.logs.values().filter(holds).map(|log| Place { log: log.id, seq });
    let mut meant: Vec<Place> =
        places.filter(|place| history.told(*place).leaf.to_string().starts_with(piece)).collect();
    match meant.len() {
        0 => Err(none()),
        1 => Ok(meant.remove(0)),
        _ => {
            let choices = meant.into_iter().map(|place| entry_label(history, place)).collect();
            Err(VaultError::AmbiguousEntry { entry: typed.into(), choices })
        }
    }
}

/// The member whom a person means.
pub fn find_member<'a>(history: &'a History, typed: &str) -> Result<(MemberId, &'a Member), VaultError> {
    let typed = typed.trim();
    let is_meant = |id: &MemberId, member: &Member| {
        let start = typed.len() >= MEMBER_DIGITS_MIN && id.to_string().starts_with(&typed.to_ascii_lowercase());
        start || id.has_fingerprint(typed) || member.card.name().to_string().to_lowercase() == typed.to_lowercase()
    };
    let meant: Vec<_> = history.members.iter().filter(|(id, member)| is_meant(id, member)).collect();
    match meant.as_slice() {
        [] => Err(VaultError::NoMember { name: typed.into() }),
        [(id, member)] => Ok((**id, *member)),
        several => {
            let choices = several.iter().map(|(id, _)| id.to_string()[..16].to_string()).collect();
            Err(VaultError::AmbiguousMember { name: typed.into(), choices })
        }
    }
}
