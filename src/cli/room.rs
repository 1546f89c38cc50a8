//! The room in which a command works that parses bytes from outside: before the first of them is parsed, this process
//! gives up whatever the command does not need (docs/decisions/0010). What it needs is told beforehand, path by path;
//! the identity is read into memory, still locked, and outputs are opened, so that neither their folders nor any other
//! stays within reach.

use std::path::{Path, PathBuf};

use super::call::{Call, is_dash};
use super::error::CliError;
use crate::store::ahead::Ahead;
use crate::store::confine::{Reach, Right};
use crate::store::{Mode, StoreError, aside};
use crate::vault::pouch::unfinished::Mark;

/// An identity, or the file of a passphrase.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// What a command needs while it parses bytes from outside; paths as the person named them.
#[derive(Default)]
pub(crate) struct Needs<'m> {
    /// What others made and it reads; `-` is left out.
    pub(crate) sources: Vec<PathBuf>,
    /// The vault, and whether it is written.
    pub(crate) vault: Option<(PathBuf, bool)>,
    /// A folder that it fills, and makes where there is none.
    pub(crate) folder: Option<(PathBuf, Mode)>,
    /// Files that it writes.
    pub(crate) outputs: Vec<Output<'m>>,
    /// Whether it can need the identity.
    pub(crate) identity: bool,
}

/// A file that a command writes.
pub(crate) struct Output<'m> {
    /// Where.
    pub(crate) file: PathBuf,
    /// Who may read it.
    pub(crate) mode: Mode,
    /// Whether it may take the place of an older one.
    pub(crate) replace: bool,
    /// Whether the command goes on where it cannot be made: nobody named it, and perhaps nothing is written to it.
    pub(crate) perhaps: bool,
    /// What marks it as unfinished. It was set before, and outlives the room: it goes after the file.
    pub(crate) mark: Option<&'m Mark>,
}

impl<'m> Output<'m> {
    /// One that the person named.
    pub(crate) fn named(file: &Path, mode: Mode, replace: bool) -> Self {
        Self { file: file.to_path_buf(), mode, replace, perhaps: false, mark: None }
    }

    /// One that is marked.
    pub(crate) fn marked(file: &Path, mark: &'m Mark) -> Self {
        Self { mark: Some(mark), ..Self::named(file, Mode::Open, false) }
    }
}

/// Folders that were made ahead, and are removed again if nothing came into them.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Call<'_, '_> {
    /// Does something within a room that holds what it needs and nothing else. The room is never left again: what a
    /// command does after this, it does within. `act` learns whether the folder that it fills was made for it.
    pub(crate) fn confined<T>(
        &mut self,
        needs: &Needs<'_>,
        act: impl FnOnce(bool, &mut Call<'_, '_>) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        let mut room = Room { ahead: Ahead::new(self.context.disk), reach: Reach::new(), made: Made::default() };
        let furnished = self.furnish(needs, &mut room);
        let Room { ahead, mut reach, made } = room;
        let outcome = furnished.and_then(|is_new| {
            reach.sort();
            reach.dedup();
            if let Err(error) = (self.context.confine)(&reach) {
                self.warn(&format!("what comes from outside is parsed without protection: {error}"));
            }
            self.on_disk(&ahead, |call| act(is_new, call))
        });
        drop(ahead);
        for folder in made.0.iter().rev() {
            // What is not empty stays, and that is how it should be.
            let _ = self.context.disk.remove_folder(folder);
        }
        outcome
    }

    /// Puts into the room what is needed; whether the folder that the command fills is new.
    fn furnish(&mut self, needs: &Needs<'_>, room: &mut Room<'_>) -> Result<bool, CliError> {
        let mut sources: Vec<PathBuf> = needs.sources.clone();
        sources.extend(self.global.owner.clone());
        for source in sources.iter().filter(|source| !is_dash(source)) {
            room.reach.push((self.path(source), Right::Source));
        }
        if let Some((vault, is_written)) = &needs.vault {
            room.reach.push((vault.clone(), if *is_written { Right::Write } else { Right::Read }));
        }
        let writes = needs.folder.is_some() || needs.vault.as_ref().is_some_and(|(_, is_written)| *is_written);
        self.furnish_state(writes, room);
        if needs.identity {
            self.furnish_identity(room);
        }
        for output in &needs.outputs {
            match self.furnish_output(output, room) {
                Err(_) if output.perhaps => {}
                furnished => furnished?,
            }
        }
        let Some((folder, mode)) = &needs.folder else { return Ok(false) };
        let folder = self.path(folder);
        let is_new = match self.context.disk.create_folder(&folder, *mode) {
            Ok(_) => true,
            Err(StoreError::Exists { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        if is_new {
            room.made(&folder);
        }
        room.reach.push((folder, Right::Write));
        Ok(is_new)
    }

    /// What the device remembers is written where there is something, or where something may have to be remembered.
    fn furnish_state(&mut self, writes: bool, room: &mut Room<'_>) {
        // Whoever comes to need it says that there is no place for it.
        let Ok(state) = self.state_folder() else { return };
        let is_there = |call: &Self, path: &Path| call.context.disk.stat(path).is_ok();
        let may_begin = writes || self.global.owner.is_some() || self.global.vault_id.is_some() || self.interactive();
        if may_begin && !is_there(self, &state) {
            let mut missing: Vec<PathBuf> = state.ancestors().map(Path::to_path_buf).collect();
            missing.retain(|path| !path.as_os_str().is_empty() && !is_there(self, path));
            // Where it cannot be made, whoever has to remember something will say so.
            if self.context.disk.create_folder_all(&state).is_ok() {
                missing.iter().rev().for_each(|folder| room.made(folder));
            }
        }
        room.reach.push((state, Right::Write));
    }

    /// The identity as it lies there, and the file that holds its passphrase; the terminal, where one would be typed. What
    /// is not there, or cannot be read, is told by whoever comes to need it.
    fn furnish_identity(&mut self, room: &mut Room<'_>) {
        let files = [self.identity_file().ok(), self.passphrase_file().filter(|file| !is_dash(file))];
        for file in files.into_iter().flatten() {
            if let Ok((folder, name)) = self.split_path(&file) {
                let _ = room.ahead.read(&folder, &name, SECRET_BYTES_MAX);
            }
        }
        if !self.global.no_input {
            room.reach.push((PathBuf::from("/dev/tty"), Right::Terminal));
        }
    }

    fn furnish_output(&mut self, output: &Output<'_>, room: &mut Room<'_>) -> Result<(), CliError> {
        if is_dash(&output.file) {
            return Ok(());
        }
        let (folder, name) = self.split_path(&output.file)?;
        let replaces = output.replace && self.context.disk.stat(&self.path(&output.file)).is_ok();
        let (name, right) = if replaces {
            let opened = self.context.disk.folder(&folder)?;
            (aside::free(&*opened, &name, aside::NEW)?, Right::Replace)
        } else {
            (name, Right::TakeBack)
        };
        if let Some(mark) = output.mark {
            room.ahead.hide(&folder, mark.path())?;
        }
        room.ahead.make(&folder, &name, output.mode)?;
        // Once it is there, it is read back and made durable by its path.
        room.reach.push((folder.join(name.as_path()), Right::Source));
        room.reach.push((folder, right));
        Ok(())
    }
}

/// What is put into a room before it is closed.
struct Room<'d> {
    ahead: Ahead<'d>,
    reach: Reach,
    made: Made,
}

impl Room<'_> {
    /// A folder was made, and can be taken back.
    fn made(&mut self, folder: &Path) {
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        self.reach.push((parent.to_path_buf(), Right::RemoveFolder));
        self.made.0.push(folder.to_path_buf());
    }
}
