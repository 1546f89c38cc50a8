//! What is told of the files of a pouch, by whichever command looks at them: what lacks, what is no part of it, what was
//! damaged and came back.

use std::ops::Range;

use serde_json::{Value, json};

use super::call::Call;
use super::error::CliError;
use super::output::{shown, size};
use crate::vault::VaultError;
use crate::vault::pouch::PouchError;
use crate::vault::pouch::archive::Archive;
use crate::vault::pouch::pieces::Pieces;

/// So many places are listed.
const LISTED_MAX: usize = 8;

/// What belongs to the pouch and is not here, a line each.
pub(crate) fn missing(pieces: &Pieces) -> impl Iterator<Item = String> + '_ {
    pieces.missing().iter().map(|missing| format!("missing: {missing}"))
}

/// Files that were given and show nothing of it, a line each.
pub(crate) fn unknown(pieces: &Pieces) -> impl Iterator<Item = String> + '_ {
    pieces
        .unknown()
        .iter()
        .map(|path| format!("no part of it, as far as can be told: {}", shown(&path.to_string_lossy())))
}

/// How much of it, and where; `None` of nothing.
pub(crate) fn places(word: &str, ranges: &[Range<u64>]) -> Option<String> {
    if ranges.is_empty() {
        return None;
    }
    let bytes = ranges.iter().map(|range| range.end - range.start).sum();
    let places = ranges.iter().take(LISTED_MAX).map(|range| format!("{}–{}", range.start, range.end - 1));
    let more = if ranges.len() > LISTED_MAX { ", …" } else { "" };
    Some(format!("{word}: {}, at bytes {}{more}", size(bytes), places.collect::<Vec<_>>().join(", ")))
}

/// Warns, before any of it is opened, of what lacks and of what does not belong to it.
pub(crate) fn warn_of_files(pieces: &Pieces, call: &mut Call<'_, '_>) {
    for line in missing(pieces).chain(unknown(pieces)).collect::<Vec<_>>() {
        call.warn(&line);
    }
}

/// Warns, once it was read, of what was damaged and came back.
pub(crate) fn warn_of_restored(pieces: &Pieces, call: &mut Call<'_, '_>) {
    if let Some(line) = places("damaged or missing, and restored from its parity", &pieces.mended().ranges) {
        call.warn(&line);
    }
}

/// What went wrong with a pouch of which keys or records are lost: who founded the vault, who is a member and which key opens it
/// stood there, so what seems to be another vault's, or nobody's, is damaged, and nobody is at fault.
pub(crate) fn or_damage(error: CliError, pouch: &Archive) -> CliError {
    let CliError::Vault(failed) = &error else { return error };
    let may_be_damage = matches!(
        failed,
        VaultError::NotAVault
            | VaultError::VaultFile(_)
            | VaultError::NoKey
            | VaultError::NoFounding { .. }
            | VaultError::OtherVault { .. }
            | VaultError::NotACopy
    );
    if may_be_damage && pouch.custody_is_damaged() { VaultError::Pouch(PouchError::CustodyLost).into() } else { error }
}

/// Its files, and what came back, for scripts.
pub(crate) fn described(pieces: &Pieces) -> Value {
    let unknown: Vec<Value> = pieces.unknown().iter().map(|path| json!(path.to_string_lossy())).collect();
    json!({ "missing": pieces.missing(), "unknown": unknown, "restored": ranges(&pieces.mended().ranges) })
}

/// Places in a pouch, for scripts.
pub(crate) fn ranges(ranges: &[Range<u64>]) -> Vec<Value> {
    ranges.iter().map(|range| json!({ "offset": range.start, "bytes": range.end - range.start })).collect()
}
