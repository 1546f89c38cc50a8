//! One run of one command: the context, the global flags, and what every command needs of both.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Context;
use super::args::Global;
use super::error::CliError;
use super::progress::Progress;
use crate::crypto::hash::Hash;
use crate::store::{Disk, Folder, Kind, Mode, RelPath, StoreError, aside};
use crate::vault::change::read_back;
use crate::vault::pouch::unfinished;
use crate::vault::{Clock, ClockDoubt, Setting, VaultError};
use rand_core::CryptoRngCore;

/// One run of one command.
pub(crate) struct Call<'c, 'a> {
    /// What the outside world gives.
    pub(crate) context: &'c mut Context<'a>,
    /// Flags of every command.
    pub(crate) global: Global,
    /// What was warned of.
    pub(crate) warnings: Vec<String>,
    /// Whether the command that was typed can replace what is there.
    pub(crate) overwrites: bool,
    /// What was wrong with the clock when something was signed, until it is told.
    clock: Mutex<Option<ClockDoubt>>,
    /// Which argument reads standard input.
    stdin_reader: Option<&'static str>,
}

/// What a verb needs, borrowed from a call piece by piece.
pub(crate) struct Parts<'p> {
    disk: &'p dyn crate::store::Disk,
    clock: &'p dyn Clock,
    rng: &'p mut dyn CryptoRngCore,
    machine: Hash,
    progress: Progress<'p>,
    /// Standard input.
    pub(crate) stdin: &'p mut dyn Read,
    /// Standard output.
    pub(crate) stdout: &'p mut dyn Write,
}

impl Parts<'_> {
    /// The setting of a verb, with standard input and output beside it.
    pub(crate) fn split(&mut self) -> (Setting<'_>, &mut dyn Read, &mut dyn Write) {
        let (setting, stdin, stdout, _) = self.split_live();
        (setting, stdin, stdout)
    }

    /// The same, for a verb whose results are printed while it works, with the bar that has to step aside for them.
    pub(crate) fn split_live(&mut self) -> (Setting<'_>, &mut dyn Read, &mut dyn Write, &Progress<'_>) {
        let setting = Setting {
            disk: self.disk,
            clock: self.clock,
            rng: &mut *self.rng,
            watch: &self.progress,
            machine: self.machine,
        };
        (setting, &mut *self.stdin, &mut *self.stdout, &self.progress)
    }

    /// The setting of a verb.
    pub(crate) fn setting(&mut self) -> Setting<'_> {
        self.split().0
    }
}

impl<'c, 'a> Call<'c, 'a> {
    /// A call with these flags.
    pub(crate) fn new(context: &'c mut Context<'a>, global: Global) -> Self {
        let mut call = Self {
            context,
            global,
            warnings: Vec::new(),
            overwrites: false,
            clock: Mutex::default(),
            stdin_reader: None,
        };
        if call.passphrase_file().is_some_and(|file| is_dash(&file)) {
            call.stdin_reader = Some("--passphrase-file");
        }
        call
    }

    /// Does something as if the disk were another one.
    pub(crate) fn on_disk<T>(&mut self, disk: &dyn Disk, act: impl FnOnce(&mut Call<'_, '_>) -> T) -> T {
        let context = &mut *self.context;
        let mut context = Context {
            disk,
            clock: context.clock,
            rng: &mut *context.rng,
            machine: context.machine,
            env: context.env.clone(),
            folder: context.folder.clone(),
            rebase: context.rebase,
            stdin: &mut *context.stdin,
            stdout: &mut *context.stdout,
            stderr: &mut *context.stderr,
            terminal: context.terminal,
            ask: &mut *context.ask,
            stopped: context.stopped,
            confine: &mut *context.confine,
        };
        let mut call = Call::new(&mut context, self.global.clone());
        call.overwrites = self.overwrites;
        call.stdin_reader = self.stdin_reader;
        call.warnings = std::mem::take(&mut self.warnings);
        let outcome = act(&mut call);
        call.tell_clock();
        self.warnings = call.warnings;
        outcome
    }

    /// What a verb needs.
    pub(crate) fn parts(&mut self) -> Parts<'_> {
        let visible = self.context.terminal.errors && !self.global.quiet && !self.global.json;
        let context = &mut *self.context;
        Parts {
            disk: context.disk,
            clock: context.clock,
            rng: &mut *context.rng,
            machine: context.machine,
            progress: Progress::new(context.stopped, visible, &self.clock),
            stdin: &mut *context.stdin,
            stdout: &mut *context.stdout,
        }
    }

    /// Warns, once, of a clock by which something was signed and that is plainly wrong.
    pub(crate) fn tell_clock(&mut self) {
        let doubt = self.clock.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(doubt) = doubt {
            self.warn(&doubt.to_string());
        }
    }

    /// An environment variable that is not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<OsString> {
        self.context.env.get(name).filter(|value| !value.is_empty()).cloned()
    }

    /// The file that holds the passphrase.
    pub(crate) fn passphrase_file(&self) -> Option<PathBuf> {
        self.global.passphrase_file.clone().or_else(|| self.variable("AMPARO_PASSPHRASE_FILE").map(PathBuf::from))
    }

    /// A path as the person meant it.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        if self.context.rebase { self.context.folder.join(path) } else { path.to_path_buf() }
    }

    /// Whether something reads standard input, so that it cannot answer questions.
    pub(crate) fn stdin_claimed(&self) -> bool {
        self.stdin_reader.is_some()
    }

    /// Gives standard input to one argument where its value is `-`; two readers of it are refused.
    pub(crate) fn claim_stdin(&mut self, path: &Path, reader: &'static str) -> Result<(), CliError> {
        match (is_dash(path), self.stdin_reader) {
            (false, _) => Ok(()),
            (true, None) => {
                self.stdin_reader = Some(reader);
                Ok(())
            }
            (true, Some(first)) => Err(CliError::TwoReaders { first, second: reader }),
        }
    }

    /// The whole of a small file, or of standard input, which the argument has claimed.
    pub(crate) fn read_input(&mut self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, CliError> {
        if !is_dash(path) {
            return self.read_file(path, bytes_max);
        }
        let mut bytes = Vec::new();
        self.context.stdin.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|source| CliError::Input { source })?;
        if bytes.len() as u64 > bytes_max {
            return Err(StoreError::TooLarge { path: "-".into(), bytes: bytes.len() as u64, bytes_max }.into());
        }
        Ok(bytes)
    }

    /// The whole of a small file.
    pub(crate) fn read_file(&self, path: &Path, bytes_max: u64) -> Result<Vec<u8>, CliError> {
        // By its own path: the folder that it lies in is none of this command's business, and may be out of reach.
        let path = self.path(path);
        let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX).saturating_add(1);
        let bytes = self.context.disk.read_start(&path, limit)?;
        if bytes.len() as u64 > bytes_max {
            return Err(StoreError::TooLarge { path, bytes: bytes.len() as u64, bytes_max }.into());
        }
        Ok(bytes)
    }

    /// Writes a result to a file that must not exist, unless it may be replaced. Where this fails, none is left, as far as the
    /// disk obeys.
    pub(crate) fn write_file(&self, path: &Path, bytes: &[u8], mode: Mode, replace: bool) -> Result<(), CliError> {
        let (folder, name) = self.split_path(path)?;
        let folder = self.context.disk.folder(&folder)?;
        match folder.create(&name, bytes, mode) {
            Err(StoreError::Exists { .. }) if replace && folder.stat(&name)?.kind != Kind::Folder => {
                return Ok(replace_file(&*folder, &name, bytes, mode)?);
            }
            Err(StoreError::Exists { path }) => return Err(CliError::Exists { path }),
            other => other?,
        }
        let written = make_durable(&*folder, &name, bytes);
        if written.is_err() {
            // It looks whole, and may be gone after a power cut: nobody shall find it and rely on it.
            let _ = folder.remove(&name);
        }
        Ok(written?)
    }

    /// Refuses early what could not be written in the end.
    pub(crate) fn must_be_free(&self, path: &Path) -> Result<(), CliError> {
        match self.context.disk.stat(&self.path(path)) {
            Ok(_) => Err(CliError::Exists { path: path.to_path_buf() }),
            Err(StoreError::Missing { .. }) => {
                let (folder, _) = self.split_path(path)?;
                self.context.disk.folder(&folder)?;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// As [`Call::must_be_free`]; what an interrupted run left there does not count, for it is made anew.
    pub(crate) fn must_be_free_or_unfinished(&self, path: &Path) -> Result<(), CliError> {
        if is_dash(path) {
            let message = "it is not written in one go, and cannot go to standard output".into();
            return Err(CliError::Usage { message, hint: Some("name a file".into()) });
        }
        let (folder, name) = self.split_path(path)?;
        if unfinished::is_marked(self.context.disk, (&folder, &name)) { Ok(()) } else { self.must_be_free(path) }
    }

    /// A path as the folder that holds it, and the name there.
    pub(crate) fn split_path(&self, path: &Path) -> Result<(PathBuf, RelPath), CliError> {
        let path = self.path(path);
        let name = path.file_name().and_then(RelPath::parse);
        let name = name.ok_or_else(|| StoreError::BadPath { path: path.clone() })?;
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Ok((folder.to_path_buf(), name))
    }
}

/// The new file is durable under another name before the old one goes.
fn replace_file(folder: &dyn Folder, name: &RelPath, bytes: &[u8], mode: Mode) -> Result<(), VaultError> {
    let part = aside::free(folder, name, aside::NEW)?;
    folder.create(&part, bytes, mode)?;
    let set = make_durable(folder, &part, bytes).and_then(|()| Ok(aside::set(folder, name)?));
    if set.is_err() {
        let _ = folder.remove(&part);
    }
    let old = set?;
    aside::place(folder, &part, name, old.as_ref())?;
    folder.sync(&[])?;
    Ok(old.map_or(Ok(()), |old| folder.remove(&old))?)
}

/// Syncs a file, and looks whether the medium holds what was written.
fn make_durable(folder: &dyn Folder, name: &RelPath, bytes: &[u8]) -> Result<(), VaultError> {
    folder.sync(std::slice::from_ref(name))?;
    let there = read_back(folder, name, bytes.len() as u64 + 1)?;
    if there == bytes {
        Ok(())
    } else {
        Err(VaultError::ReadBack { path: folder.shown().join(name).display().to_string() })
    }
}

/// Whether a path stands for standard input or output.
pub(crate) fn is_dash(path: &Path) -> bool {
    path == Path::new("-")
}
