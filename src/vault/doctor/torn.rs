//! Sealed files that cannot be whole, told cheaply: by length and header alone, without hashing anything. What is changed
//! and has its length is for `verify`.

use std::path::Path;

use super::super::findings::Findings;
use super::super::session::Session;
use super::super::{Setting, VaultError, survey};
use crate::crypto::envelope;
use crate::format::payload::SEGMENT_BYTES;
use crate::store::layout;

/// Holds the header of any file that is sealed to one key, grease and all.
const START_BYTES: usize = 4096;
/// Everything that is sealed is padded to whole kibibytes (`crypto::pad`, above the floor).
const PADDED_TO: u64 = 1024;
const NAMED_MAX: usize = 3;

/// What a person should know of torn files.
pub(super) fn torn(
    setting: &Setting<'_>,
    vault: &Path,
    session: &Session,
    warn: &mut dyn FnMut(String),
) -> Result<(), VaultError> {
    let (mut named, mut count) = (Vec::new(), 0_u64);
    for blob in survey::blobs(&*session.folder, &mut Findings::default())? {
        if setting.watch.stopped() {
            return Err(VaultError::Stopped);
        }
        let path = layout::blob(blob);
        // Its own unfinished work is told apart, and the next sealing of whoever began it removes it.
        if session.unfinished.has(&path) {
            continue;
        }
        let whole = vault.join(&path);
        let looked =
            setting.disk.stat(&whole).and_then(|stat| Ok((stat.bytes, setting.disk.read_start(&whole, START_BYTES)?)));
        let is_torn = looked.map_or(true, |(bytes, start)| cannot_be_whole(&start, bytes));
        if is_torn {
            count += 1;
            if named.len() < NAMED_MAX {
                named.push(path.to_string());
            }
        }
    }
    if count > 0 {
        let more = if count > named.len() as u64 { ", …" } else { "" };
        let (files, are) = if count == 1 { ("sealed file", "is") } else { ("sealed files", "are") };
        warn(format!(
            "{count} {files} {are} torn or cannot be read ({}{more}): copy the vault anew from where it is whole; verify \
             says which exhibits are concerned",
            named.join(", ")
        ));
    }
    Ok(())
}

/// Whether a file of this length and beginning is surely not what was sealed.
fn cannot_be_whole(start: &[u8], bytes: u64) -> bool {
    let payload = envelope::payload_bytes(start, bytes);
    payload.is_none_or(|payload| payload == 0 || payload > SEGMENT_BYTES as u64 || !payload.is_multiple_of(PADDED_TO))
}
