//! `unpack`: a pouch is opened, read as a folder, and merged into a vault as any other copy is. So it is verified before
//! anything of it counts, a second time changes nothing, and what stopped it need not begin anew.

use std::path::Path;
use std::sync::Arc;

use super::archive::Archive;
use super::unfinished;
use crate::crypto::hash::Hash;
use crate::format::checkpoint::Checkpoint;
use crate::format::ids::VaultId;
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::format::vault_file;
use crate::store::{Folder, Kind, Mode, layout};
use crate::vault::merge::{MergeRequest, Merged, Other, merge_from};
use crate::vault::session::Request;
use crate::vault::survey::{self, Survey};
use crate::vault::{Setting, VaultError};

/// More than any file `VAULT` has.
const TORN_BYTES_MAX: u64 = 256;

/// What to unpack into what.
pub struct UnpackRequest<'a> {
    /// The vault that takes in; [`found_copy`] has begun a new copy.
    pub place: Request<'a>,
    /// The pouch.
    pub pouch: &'a Arc<Archive>,
    /// What is whole counts, though the rest is damaged.
    pub salvage: bool,
}

/// Takes a pouch in.
pub fn unpack(setting: &mut Setting<'_>, request: &UnpackRequest<'_>) -> Result<Merged, VaultError> {
    let source: Arc<dyn Folder> = Arc::<Archive>::clone(request.pouch);
    let (place, other) = (Request { ..request.place }, Other::Pouch { has_gaps: request.pouch.has_gaps() });
    let request = MergeRequest { place, source, replace_damaged: false, whole_or_nothing: !request.salvage };
    merge_from(setting, &request, other)
}

/// Whether a folder can become a new copy: it is empty, or holds only the file `VAULT`, or what a power cut left of it.
pub fn is_bare(setting: &Setting<'_>, folder: &Path) -> Result<bool, VaultError> {
    let folder = setting.disk.folder(folder)?;
    let items = folder.list(None)?;
    Ok(match items.as_slice() {
        [] => true,
        [one] if one.name == "VAULT" && one.kind == Kind::File => {
            let read = folder.read(&layout::vault_file(), TORN_BYTES_MAX);
            read.is_ok_and(|bytes| vault_file::parse(&bytes).is_ok() || is_torn_vault_file(&bytes))
        }
        _ => false,
    })
}

/// Whether these can be bytes of a file `VAULT` that did not get to the disk whole: what is there is right, or zeros.
fn is_torn_vault_file(bytes: &[u8]) -> bool {
    let whole = vault_file::print(&VaultId(Hash([0; 32])));
    let first = whole.lines().next().unwrap_or_default().as_bytes();
    unfinished::is_torn(bytes, first, whole.len())
}

/// Begins a new copy in a bare folder: what it holds then is which vault it is of.
pub fn found_copy(setting: &Setting<'_>, folder: &Path, pouch: &Archive) -> Result<VaultId, VaultError> {
    let survey = survey::survey(pouch)?;
    let vault = survey.hint.or_else(|| signed_vault(pouch, &survey)).ok_or(VaultError::NotACopy)?;
    let (folder, file) = (setting.disk.folder(folder)?, layout::vault_file());
    if folder.exists(&file)? {
        match vault_file::parse(&folder.read(&file, TORN_BYTES_MAX)?) {
            Ok(other) if other != vault => return Err(VaultError::OtherCopy { vault: other }),
            // Written anew also where it looks whole: an earlier sync of it may have failed.
            Ok(_) | Err(_) => folder.remove(&file)?,
        }
    }
    folder.create(&file, vault_file::print(&vault).as_bytes(), Mode::Open)?;
    folder.sync(&[file])?;
    Ok(vault)
}

/// Takes back what [`found_copy`] wrote, if nothing else came into the folder.
pub fn abandon_copy(setting: &Setting<'_>, folder: &Path) {
    let Ok(folder) = setting.disk.folder(folder) else { return };
    let is_bare = folder.list(None).is_ok_and(|items| items.iter().all(|item| item.name == "VAULT"));
    if is_bare {
        // Best effort: an error is being told already.
        let _ = folder.remove(&layout::vault_file());
    }
}

/// The vault that a signed state in the pouch names, where its file `VAULT` was lost.
fn signed_vault(pouch: &Archive, survey: &Survey) -> Option<VaultId> {
    survey.logs.iter().find_map(|(log, files)| {
        files.checkpoints.iter().find_map(|name| {
            let bytes = pouch.read(&layout::checkpoint(*log, name), NOTE_BYTES_MAX as u64).ok()?;
            Some(Checkpoint::parse_text(Note::parse(&bytes).ok()?.text()).ok()?.origin.vault)
        })
    })
}
