//! A damaged pouch written again as it was, in one file, from whatever parts of it and of its parity there are. No key is
//! needed, so a courier can do it; and no file stays in which a byte is missing.

use super::pieces::Pieces;
use super::pieces::Unrepaired;
use super::unfinished::Mark;
use super::volumes::Made;
use crate::crypto::hash::Hash;
use crate::store::{Mode, StoreError};
use crate::vault::pouch::PouchError;
use crate::vault::{Setting, VaultError};

/// Writes the pouch under the name that is marked. Returns the SHA-256 of what then lies there.
pub fn repair(setting: &Setting<'_>, pieces: &Pieces, mark: &Mark) -> Result<Hash, VaultError> {
    Ok(repair_if(setting, pieces, mark, |_| true)?.0)
}

/// The same, kept only where its SHA-256 `is_wanted`; whether it was.
pub fn repair_if(
    setting: &Setting<'_>,
    pieces: &Pieces,
    mark: &Mark,
    is_wanted: impl FnOnce(Hash) -> bool,
) -> Result<(Hash, bool), VaultError> {
    let (disk, watch, (folder, name)) = (setting.disk, setting.watch, mark.place());
    let opened = disk.folder(folder)?;
    let mut made = Made::none_yet(&*opened);
    let mut out = opened.create_stream(name, Mode::Open)?;
    pieces.write_whole(watch, &mut *out).map_err(|unrepaired| match unrepaired {
        Unrepaired::Stopped => VaultError::Stopped,
        Unrepaired::Lost(lost) => VaultError::Pouch(PouchError::BeyondRepair { lost, bytes: pieces.bytes() }),
        Unrepaired::Out(error) => StoreError::from_io(&folder.join(name), error).into(),
    })?;
    made.add(name.clone(), out)?;
    opened.sync(std::slice::from_ref(name))?;
    // What a stick says that it wrote, and what can be read from it, are two things.
    let written = Pieces::gather(disk, &[folder.join(name)])?;
    let sha256 = written.sha256(watch)?.filter(|_| written.bytes() == pieces.bytes());
    let sha256 = sha256
        .filter(|_| pieces.is_same_as(&written))
        .ok_or_else(|| VaultError::ReadBack { path: name.to_string() })?;
    if !is_wanted(sha256) {
        return Ok((sha256, false));
    }
    made.keep()?;
    mark.lift()?;
    Ok((sha256, true))
}
