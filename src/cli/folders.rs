//! Where things are: the vault, the identity, what this device remembers; who acts, and whether the vault is the one
//! that its founder meant.

use std::path::{Component, Path, PathBuf};

use zeroize::Zeroizing;

use super::call::Call;
use super::error::CliError;
use crate::format::card::Card;
use crate::format::identity_file::IdentityFile;
use crate::format::ids::VaultId;
use crate::format::share_file::LENT_FILE_BYTES_MAX;
use crate::store::memory::Memory;
use crate::store::{Kind, StoreError};
use crate::vault::quorum::Lent;
use crate::vault::session::{Person, Request, Trust};
use crate::vault::{VaultError, identity, survey};

/// How an identity file under a passphrase begins: it is an age file.
const LOCKED: &[u8] = b"age-encryption.org/";
/// How often mistyped digits may be typed again.
const TRIES: usize = 3;

/// The vault and what this device knows of it.
pub(crate) struct Place {
    /// The vault's folder.
    pub(crate) vault: PathBuf,
    /// What this device remembers.
    pub(crate) state: PathBuf,
    /// What was given at first contact.
    pub(crate) trust: Option<Trust>,
}

impl Place {
    /// The request of a verb.
    pub(crate) fn request<'r>(&'r self, person: Option<&'r Person>) -> Request<'r> {
        Request { vault: &self.vault, state: &self.state, person, trust: self.trust.as_ref() }
    }
}

/// Whether a command can go on with a vault that this device does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contact {
    /// It refuses.
    Must,
    /// It goes on, and says so.
    May,
    /// It looks only: nobody is asked.
    Looks,
}

impl Call<'_, '_> {
    /// The vault that is meant, and first contact with it where that is still to come.
    pub(crate) fn place(&mut self, contact: Contact) -> Result<Place, CliError> {
        let vault = self.vault_folder()?.ok_or(CliError::NoVault)?;
        self.place_at(vault, contact)
    }

    /// The same for a vault that was named.
    pub(crate) fn place_at(&mut self, vault: PathBuf, contact: Contact) -> Result<Place, CliError> {
        let state = self.state_folder()?;
        let trust = self.first_contact(&vault, &state, contact)?;
        Ok(Place { vault, state, trust })
    }

    /// The vault's folder: as named, else here or above.
    pub(crate) fn vault_folder(&self) -> Result<Option<PathBuf>, CliError> {
        let named = self.global.vault.clone().or_else(|| self.variable("AMPARO_VAULT").map(PathBuf::from));
        if let Some(named) = named {
            let folder = self.path(&named);
            return match self.is_vault(&folder) {
                Ok(true) => Ok(Some(folder)),
                Ok(false) => Err(CliError::NotThere { folder: named, exists: self.context.disk.stat(&folder).is_ok() }),
                Err(error) => Err(error),
            };
        }
        for folder in self.context.folder.ancestors() {
            if self.is_vault(folder).unwrap_or(false) {
                return Ok(Some(folder.to_path_buf()));
            }
        }
        Ok(None)
    }

    /// Refuses a place inside the vault: what is put there in the clear travels with it.
    pub(crate) fn must_be_outside(&self, vault: &Path, output: &Path) -> Result<(), CliError> {
        if !self.lies_within(vault, output) {
            return Ok(());
        }
        let message =
            format!("{} lies inside the vault: what is readable there would travel with it", output.display());
        Err(CliError::Usage { message, hint: Some("name a place outside the vault, ../ and on".into()) })
    }

    /// Whether a path, as it was named, is a folder or lies below it.
    pub(crate) fn lies_within(&self, vault: &Path, path: &Path) -> bool {
        let disk = self.context.disk;
        let same = |folder: &Path| match (disk.stat(folder), disk.stat(vault)) {
            (Ok(one), Ok(other)) => one.id() == other.id(),
            _ => false,
        };
        let mut place = self.context.folder.clone();
        for part in path.components() {
            match part {
                Component::ParentDir => drop(place.pop()),
                Component::CurDir => {}
                part => place.push(part),
            }
        }
        place.ancestors().any(same)
    }

    /// Whether a folder holds a file `VAULT`, or the logs of a vault that lost it.
    pub(crate) fn is_vault(&self, folder: &Path) -> Result<bool, CliError> {
        for (name, kind) in [("VAULT", Kind::File), ("logs", Kind::Folder)] {
            match self.context.disk.stat(&folder.join(name)) {
                Ok(stat) if stat.kind == kind && (name == "VAULT" || self.has_keys(folder)) => return Ok(true),
                Ok(_) | Err(StoreError::Missing { .. } | StoreError::NotFolder { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }

    fn has_keys(&self, folder: &Path) -> bool {
        self.context.disk.stat(&folder.join("keys")).is_ok_and(|stat| stat.kind == Kind::Folder)
    }

    /// The identity file: as named, else in the configuration folder.
    pub(crate) fn identity_file(&self) -> Result<PathBuf, CliError> {
        let named = self.global.identity.clone().or_else(|| self.variable("AMPARO_IDENTITY").map(PathBuf::from));
        match named {
            Some(file) => Ok(self.path(&file)),
            None => Ok(self.own_folder("XDG_CONFIG_HOME", ".config", "--identity FILE")?.join("identity.age")),
        }
    }

    /// What this device remembers.
    pub(crate) fn state_folder(&self) -> Result<PathBuf, CliError> {
        let named = self.global.state.clone().or_else(|| self.variable("AMPARO_STATE").map(PathBuf::from));
        match named {
            Some(folder) => Ok(self.path(&folder)),
            None => self.own_folder("XDG_STATE_HOME", ".local/state", "--state DIR"),
        }
    }

    fn own_folder(&self, variable: &str, below_home: &str, flag: &'static str) -> Result<PathBuf, CliError> {
        // The XDG specification: what is not absolute is ignored.
        let own = self.variable(variable).map(PathBuf::from).filter(|folder| folder.is_absolute());
        let home = || self.variable("HOME").map(|home| Path::new(&home).join(below_home));
        let folder = own.or_else(home).ok_or(CliError::Needs { what: "a home folder", flag })?;
        Ok(folder.join("amparo"))
    }

    fn names_identity(&self) -> bool {
        self.global.identity.is_some() || self.variable("AMPARO_IDENTITY").is_some()
    }

    /// Whether there is an identity file.
    pub(crate) fn has_identity(&self) -> Result<bool, CliError> {
        match self.context.disk.stat(&self.identity_file()?) {
            Ok(_) => Ok(true),
            Err(StoreError::Missing { .. } | StoreError::NotFolder { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Who acts.
    pub(crate) fn person(&mut self) -> Result<Person, CliError> {
        let (identity, bare) = self.identity_secret()?;
        Ok(identity::person(&identity, bare))
    }

    /// Who acts, if the identity opens without asking anybody: it is bare, or a file holds its passphrase.
    pub(crate) fn person_unasked(&mut self) -> Option<Person> {
        let file = self.identity_file().ok()?;
        let locked = self.read_file(&file, 64 << 10).ok()?.starts_with(LOCKED);
        if locked && self.passphrase_file().is_none() { None } else { self.person().ok() }
    }

    /// The secret of who acts, and whether its file is under no passphrase.
    pub(crate) fn identity_secret(&mut self) -> Result<(IdentityFile, bool), CliError> {
        let file = self.identity_file()?;
        if !self.has_identity()? {
            return Err(CliError::NoIdentity { file, named: self.names_identity() });
        }
        // Looked at first, so that nobody is asked for a passphrase that is not needed.
        let needs = self.read_file(&file, 64 << 10)?.starts_with(LOCKED);
        let passphrase = if needs { self.need_passphrase("Passphrase: ")? } else { Zeroizing::default() };
        let mut parts = self.parts();
        let mut once = || Ok(passphrase.clone());
        identity::read(&mut parts.setting(), &file, &mut once).map_err(|error| match error {
            VaultError::IdentityFile(error) => CliError::Identity { file: file.clone(), error },
            error => error.into(),
        })
    }

    /// Who acts, if anybody: a file that was named must be there.
    pub(crate) fn person_if_any(&mut self) -> Result<Option<Person>, CliError> {
        if self.names_identity() || self.has_identity()? { self.person().map(Some) } else { Ok(None) }
    }

    /// A card that a flag names.
    pub(crate) fn card(&mut self, file: &Path) -> Result<Card, CliError> {
        let bytes = self.read_input(file, 64 << 10)?;
        Card::parse(&bytes).map_err(|error| CliError::Card { file: file.to_path_buf(), error })
    }

    /// Shares that others lent, as files.
    pub(crate) fn lent(&mut self, files: &[PathBuf]) -> Result<Vec<Lent>, CliError> {
        let mut lent = Vec::new();
        for file in files {
            self.claim_stdin(file, "--share")?;
            let bytes = self.read_input(file, LENT_FILE_BYTES_MAX)?;
            lent.push(Lent { name: file.display().to_string(), bytes });
        }
        Ok(lent)
    }

    /// The ids that a vault in this folder could have: what its file says, and its logs' first entries.
    fn candidates(&self, vault: &Path) -> Result<Vec<VaultId>, CliError> {
        let survey = survey::survey(&*self.context.disk.folder(vault)?)?;
        let firsts = survey.logs.values().filter_map(|log| log.entries.get(&0)).flatten();
        Ok(survey.hint.into_iter().chain(firsts.map(|entry| VaultId(entry.leaf))).collect())
    }

    /// Whether this device knows the vault.
    pub(crate) fn knows(&self, vault: &Path, state: &Path) -> Result<bool, CliError> {
        let pins = Memory::open(self.context.disk, state, self.context.machine)?.pins()?;
        // Mostly its file says all that is asked here, and no log is looked through twice.
        if survey::hint(&*self.context.disk.folder(vault)?).is_ok_and(|id| pins.contains(&id)) {
            return Ok(true);
        }
        Ok(self.candidates(vault)?.iter().any(|id| pins.contains(id)))
    }

    /// For commands that only look: what is shown may not be the vault that its founder meant.
    pub(crate) fn warn_if_unknown(&mut self, place: &Place) -> Result<(), CliError> {
        if place.trust.is_none() && !self.knows(&place.vault, &place.state)? {
            self.warn("this device does not know this vault yet; what stands here may not be what its founder sealed");
        }
        Ok(())
    }

    fn first_contact(&mut self, vault: &Path, state: &Path, contact: Contact) -> Result<Option<Trust>, CliError> {
        if let Some(file) = self.global.owner.clone() {
            self.claim_stdin(&file, "--owner")?;
            return Ok(Some(Trust::Owner(Box::new(self.card(&file)?))));
        }
        if let Some(typed) = self.global.vault_id.clone() {
            return self.recognise(vault, &typed).map(|id| Some(Trust::VaultId(id)));
        }
        if contact == Contact::Looks || self.knows(vault, state)? {
            return Ok(None);
        }
        if !self.interactive() {
            // A verb that must know it refuses by itself; a verb that may looks on.
            return Ok(None);
        }
        self.ask_for_digits(vault, contact)
    }

    fn ask_for_digits(&mut self, vault: &Path, contact: Contact) -> Result<Option<Trust>, CliError> {
        self.talk("This device does not know this vault yet. Whoever founded it has given you its id: 8 groups of");
        self.talk("5 digits, by another road than the vault itself. Type them as you were given them.");
        let mut last = None;
        for _ in 0..TRIES {
            let Some(typed) = self.ask_line("Digits of the vault:")? else {
                return if contact == Contact::May { Ok(None) } else { Err(CliError::UnknownVault) };
            };
            match self.recognise(vault, &typed) {
                Ok(id) => return Ok(Some(Trust::VaultId(id))),
                Err(error) => {
                    self.talk("These are not the digits of this vault.");
                    last = Some(error);
                }
            }
        }
        Err(last.unwrap_or(CliError::UnknownVault))
    }

    fn recognise(&self, vault: &Path, typed: &str) -> Result<VaultId, CliError> {
        if let Some(id) = VaultId::from_hex(&typed.trim().to_lowercase()) {
            return Ok(id);
        }
        let candidates = self.candidates(vault)?;
        let meant = candidates.iter().find(|id| id.has_fingerprint(typed));
        match (meant, candidates.first()) {
            (Some(id), _) => Ok(*id),
            (None, Some(id)) => Err(VaultError::OtherVault { vault: *id }.into()),
            (None, None) => Err(VaultError::NotAVault.into()),
        }
    }
}
