//! A person's secret on one device: made, kept under a passphrase, opened, and its public half given out.

use std::path::Path;

use zeroize::Zeroizing;

use super::session::Person;
use super::{Setting, VaultError};
use crate::crypto::envelope;
use crate::crypto::seed::Seed;
use crate::format::card::Card;
use crate::format::identity_file::IdentityFile;
use crate::format::pseudonym::Pseudonym;
use crate::store::{Mode, RelPath, StoreError};

/// An identity file is a few kilobytes.
const IDENTITY_BYTES_MAX: u64 = 64 << 10;
/// A card is a few kilobytes.
const CARD_BYTES_MAX: u64 = 64 << 10;

/// Makes an identity and writes it to a file that must not exist, under a passphrase unless `passphrase` is `None`.
pub fn new(setting: &mut Setting<'_>, file: &Path, name: &str, passphrase: Option<&str>) -> Result<Person, VaultError> {
    let seed = Seed::generate(setting.rng);
    restore(setting, file, name, seed, passphrase)
}

/// Writes an identity whose seed is known to a file that must not exist, under a passphrase unless it is `None`.
pub fn restore(
    setting: &mut Setting<'_>,
    file: &Path,
    name: &str,
    seed: Seed,
    passphrase: Option<&str>,
) -> Result<Person, VaultError> {
    let identity = IdentityFile { name: Pseudonym::parse(name)?, seed };
    let plaintext = identity.to_bytes();
    let bytes = match passphrase {
        Some(passphrase) => Zeroizing::new(envelope::seal_with_passphrase(&plaintext, passphrase).bytes),
        None => plaintext,
    };
    let (folder, name) = split(setting, file, true)?;
    match folder.create(&name, &bytes, Mode::Private) {
        Err(StoreError::Exists { .. }) => return Err(VaultError::Exists { path: file.display().to_string() }),
        other => other?,
    }
    if let Err(error) = folder.sync(std::slice::from_ref(&name)) {
        // It looks whole, and may be gone after a power cut: nobody shall find it and rely on it.
        let _ = folder.remove(&name);
        return Err(error.into());
    }
    Ok(person(&identity, passphrase.is_none()))
}

/// Reads an identity file, and whether it lay there bare; `passphrase` is asked only where the file needs one.
pub fn read(
    setting: &mut Setting<'_>,
    file: &Path,
    passphrase: &mut dyn FnMut() -> Result<Zeroizing<String>, VaultError>,
) -> Result<(IdentityFile, bool), VaultError> {
    let (folder, name) = split(setting, file, false)?;
    let bytes = Zeroizing::new(folder.read(&name, IDENTITY_BYTES_MAX)?);
    let (plaintext, bare) = if bytes.starts_with(b"age-encryption.org/") {
        (envelope::open_with_passphrase(&bytes, &passphrase()?)?, false)
    } else {
        (bytes, true)
    };
    Ok((IdentityFile::parse(&plaintext)?, bare))
}

/// Removes an identity file. Nothing is overwritten: a flash drive writes elsewhere, whatever a program asks.
pub fn remove(setting: &mut Setting<'_>, file: &Path) -> Result<(), VaultError> {
    let (folder, name) = split(setting, file, false)?;
    folder.remove(&name)?;
    Ok(folder.sync(&[])?)
}

/// Makes sure that an identity file that is not there any more does not come back: its removal may have failed halfway.
pub fn keep_removed(setting: &Setting<'_>, file: &Path) -> Result<(), VaultError> {
    match split(setting, file, false) {
        Ok((folder, _)) => Ok(folder.sync(&[])?),
        // No folder, no file.
        Err(VaultError::Store(StoreError::Missing { .. } | StoreError::NotFolder { .. })) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads a card file and checks that it holds.
pub fn read_card(setting: &Setting<'_>, file: &Path) -> Result<Card, VaultError> {
    let (folder, name) = split(setting, file, false)?;
    Ok(Card::parse(&folder.read(&name, CARD_BYTES_MAX)?)?)
}

/// The person whose secret this is.
pub fn person(identity: &IdentityFile, bare: bool) -> Person {
    Person::new(identity.name.clone(), identity.seed.keys(), bare)
}

fn split(
    setting: &Setting<'_>,
    file: &Path,
    make: bool,
) -> Result<(std::sync::Arc<dyn crate::store::Folder>, RelPath), VaultError> {
    let missing = || StoreError::BadPath { path: file.to_path_buf() };
    let name = file.file_name().and_then(RelPath::parse).ok_or_else(missing)?;
    let parent = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = if make { setting.disk.create_folder_all(parent)? } else { setting.disk.folder(parent)? };
    Ok((folder, name))
}
