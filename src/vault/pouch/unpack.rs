//! `unpack`: a pouch is opened, read as a folder, and merged into a vault as any other copy is. So it is verified before
//! anything of it counts, a second time changes nothing, and what stopped it need not begin anew.

use std::path::Path;
use std::sync::Arc;

use super::archive::Archive;
use crate::format::checkpoint::Checkpoint;
use crate::format::ids::VaultId;
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::format::vault_file;
use crate::store::{Folder, Mode, layout};
use crate::vault::merge::{MergeRequest, Merged, merge};
use crate::vault::session::Request;
use crate::vault::survey::{self, Survey};
use crate::vault::{Setting, VaultError};

/// What to unpack into what.
pub struct UnpackRequest<'a> {
    /// The vault that takes in; for a new copy, [`found_copy`] made its folder.
    pub place: Request<'a>,
    /// The pouch.
    pub pouch: &'a Arc<Archive>,
    /// What is whole counts, though the rest is damaged.
    pub salvage: bool,
}

/// Takes a pouch in.
pub fn unpack(setting: &mut Setting<'_>, request: &UnpackRequest<'_>) -> Result<Merged, VaultError> {
    if request.pouch.has_gaps() && !request.salvage {
        return Err(VaultError::PouchHasGaps);
    }
    let source: Arc<dyn Folder> = Arc::<Archive>::clone(request.pouch);
    let place = Request { ..request.place };
    merge(setting, &MergeRequest { place, source, replace_damaged: false, whole_or_nothing: !request.salvage })
}

/// Makes the folder of a new copy, with nothing in it but which vault it is of.
pub fn found_copy(setting: &Setting<'_>, folder: &Path, pouch: &Archive) -> Result<VaultId, VaultError> {
    let survey = survey::survey(pouch)?;
    let vault = survey.hint.or_else(|| signed_vault(pouch, &survey)).ok_or(VaultError::NotACopy)?;
    let made = setting.disk.create_folder(folder, Mode::Open)?;
    let written = made.create(&layout::vault_file(), vault_file::print(&vault).as_bytes(), Mode::Open);
    if let Err(error) = written.and_then(|()| made.sync(&[layout::vault_file()])) {
        abandon_copy(setting, folder);
        return Err(error.into());
    }
    Ok(vault)
}

/// Removes the folder of a new copy again, if nothing came into it.
pub fn abandon_copy(setting: &Setting<'_>, folder: &Path) {
    let Ok(made) = setting.disk.folder(folder) else { return };
    let is_bare = made.list(None).is_ok_and(|items| items.iter().all(|item| item.name == "VAULT"));
    if is_bare {
        // Best effort: an error is being told already.
        let _ = made.remove(&layout::vault_file());
        let _ = setting.disk.remove_folder(folder);
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
