//! Sealing: sources become exhibits, exhibits become blobs, and an entry with the signed state makes them sealed.
//!
//! - [`sources`]: what is to be sealed, and what is skipped; [`index`]: a million of it in little memory
//! - [`confirm`]: whether the person agreed to who reads
//! - [`run`]: what becomes an exhibit when, and which number it has; [`ahead`]: small files on the
//!   way there; [`aside`]: what is kept of them until they have theirs
//! - [`exhibit`]: one source, its content and its record
//! - [`payload`]: the tar of one exhibit, cut into segments
//! - [`batch`]: segments become blobs; [`landing`]: on the disk, read back and compared; [`spare`]: their buffers, used again
//! - [`group`]: rows, manifests, inventory, entry: the commit

mod ahead;
mod aside;
mod batch;
mod confirm;
mod exhibit;
mod group;
mod index;
mod landing;
mod payload;
mod run;
mod sources;
mod spare;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use confirm::NewReaders;
pub use sources::Skipped;

use group::Group;
use run::Run;

use super::commit::OwnLog;
use super::findings::{Check, Finding, Verdict};
use super::history::History;
use super::keyring;
use super::members;
use super::orphans;
use super::session::{Request, Session};
use super::wrap;
use super::{Setting, Stage, VaultError};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::{self, Recipient};
use crate::format::event::Head;
use crate::format::ids::KeyId;
use crate::format::names;
use crate::format::role::{Role, Scope, Section};
use crate::store::layout;

/// An entry is written at the latest after so many exhibits,
const GROUP_EXHIBITS_MAX: usize = 4096;
/// so many bytes of content,
const GROUP_BYTES_MAX: u64 = 256 << 20;
/// so much time,
const GROUP_TIME_MAX: Duration = Duration::from_secs(30);
/// or so many bytes of records.
const GROUP_RECORD_BYTES_MAX: usize = 8 << 20;

/// What to seal, and what is said of it.
pub struct SealRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// Files, folders, or `-`.
    pub paths: &'a [PathBuf],
    /// A folder becomes one exhibit.
    pub together: bool,
    /// The section.
    pub section: Section,
    /// Fields of each record: path and value, valid.
    pub fields: &'a [(String, String)],
    /// Fields of the record in the section `register` that belongs to what is sealed.
    pub register: &'a [(String, String)],
    /// The identity's own file: never sealed, nor the vault or the device's memory, wherever they lie.
    pub identity: Option<&'a Path>,
    /// Whether blobs are read back before anything is signed.
    pub readback: bool,
    /// Keys new to this device whose readers the person has just agreed to.
    pub accepted: &'a [KeyId],
}

/// An exhibit that is sealed.
#[derive(Clone, Debug)]
pub struct SealedExhibit {
    /// Its label.
    pub id: String,
    /// What it was made from, raw, as the person named it.
    pub source: Vec<u8>,
    /// The content's length.
    pub bytes: u64,
    /// The content's SHA-256 (of a folder, its listing's).
    pub sha256: Hash,
    /// Whether the source kept changing while it was read; the record says so too.
    pub changed: bool,
    /// How many blobs hold it.
    pub blobs: u64,
}

/// What is sealed now.
#[derive(Debug, Default)]
pub struct Sealed {
    /// How many exhibits: each was handed over when it was sealed.
    pub count: u64,
    /// How many bytes of content they have.
    pub bytes: u64,
    /// The exhibit in the section `register`, if one was made.
    pub register: Option<String>,
    /// The signed state that covers them.
    pub head: Option<Head>,
    /// Whether every blob was read back and compared.
    pub readback: bool,
    /// Whether the system could be made to read from the medium itself.
    pub from_medium: bool,
    /// What was not sealed.
    pub skipped: Vec<Skipped>,
    /// Pseudonyms of those who can open it.
    pub readers: Vec<String>,
    /// Pseudonyms of readers whose wrapped key is missing or damaged here: they could not open it.
    pub unable: Vec<String>,
    /// Pseudonyms of those who were removed and can open it all the same: no newer key is there.
    pub removed: Vec<String>,
    /// How many of them must come together, where one alone cannot.
    pub needed: Option<u8>,
    /// Whether some reader has shown that this key can be opened.
    pub opened_before: bool,
    /// Files of an interrupted run that were removed before this one began.
    pub orphans_removed: u64,
    /// What is wrong with other members' logs, on which nothing of this rests.
    pub overlooked: Vec<Finding>,
    /// States that this device has seen and this copy lacks.
    pub lacking: Vec<Finding>,
    /// Why the run ended early, after what is listed here had been sealed.
    pub failure: Option<VaultError>,
}

/// Seals. `input` is standard input, read only where `-` is among the paths. Each exhibit is handed to `each` when it is
/// sealed, in the order of the numbers, and not remembered: a run may have a million of them.
pub fn seal(
    setting: &mut Setting<'_>,
    request: &SealRequest<'_>,
    input: &mut dyn std::io::Read,
    each: &mut dyn FnMut(SealedExhibit),
) -> Result<Sealed, VaultError> {
    // While the vault is read.
    recipient::prepare_to_seal();
    let session = Session::open_to_write(setting, &request.place)?;
    let person = request.place.person()?;
    let member = person.member();
    session.sound_history()?;
    session.require(member, "seal", &Role::Sealer)?;
    let register = Some(Section::register()).filter(|_| !request.register.is_empty());
    let sections: Vec<&Section> = std::iter::once(&request.section).chain(&register).collect();
    confirm::confirm(&session, &sections, request.accepted)?;
    let mut log = OwnLog::find(setting, &session, member)?;
    let mut sealed = Sealed { readback: request.readback, ..Sealed::default() };
    sealed.overlooked = session.overlooked();
    sealed.lacking = session.lacking();
    sealed.orphans_removed = orphans::clear(&session, setting.watch, &member)?;
    let target = Target::find(&session, &request.section)?;
    sealed.readers.clone_from(&target.readers);
    sealed.unable.clone_from(&target.unable);
    sealed.removed = removed_holders(session.history()?, &target.key);
    sealed.opened_before = target.opened_before;
    sealed.needed = target.needed;
    let own = [Some(request.place.vault), Some(request.place.state), request.identity];
    let (index, skipped) = sources::look(setting.disk, setting.watch, request.paths, request.together, &own)?;
    sealed.skipped = skipped;
    setting.watch.begin(Stage::Sealing, index.bytes());
    let (group, settled) = (Group::new(setting), vec![false; index.len()]);
    let mut run =
        Run { request, session: &session, log: &mut log, target, group, closing: None, settled, each, sealed };
    let outcome = run.all(setting, &index, input);
    let Run { mut sealed, settled, .. } = run;
    if let Err(error) = outcome {
        if sealed.count == 0 {
            return Err(error);
        }
        let left = (0..index.len()).filter(|place| !settled[*place]);
        let reason = "the run ended before it";
        sealed.skipped.extend(left.map(|place| Skipped { path: index.shown(place), reason: reason.into() }));
        sealed.failure = Some(error);
    }
    if sealed.count == 0 && sealed.skipped.is_empty() {
        return Err(VaultError::NothingToSeal);
    }
    Ok(sealed)
}

/// To whom it is sealed.
struct Target {
    key: KeyId,
    recipient: Recipient,
    readers: Vec<String>,
    unable: Vec<String>,
    opened_before: bool,
    needed: Option<u8>,
}

impl Target {
    fn find(session: &Session, section: &Section) -> Result<Self, VaultError> {
        let history = session.sound_history()?;
        let scope = Scope::Content(section.clone());
        let (id, key) =
            history.newest_key(&scope).ok_or_else(|| VaultError::NoSection { section: section.to_string() })?;
        let holders = history.holders(key);
        if holders.is_empty() {
            return Err(VaultError::NoReader { section: section.to_string() });
        }
        // Who was given the key can use it only if the file that hands it over is here and whole.
        let (able, unable): (Vec<_>, Vec<_>) =
            holders.into_iter().partition(|member| keyring::is_handed(&*session.folder, id, key, *member));
        let needed = wrap::needed(key);
        if able.len() < needed.map_or(1, usize::from) {
            let message = match needed {
                None => "no reader's wrapped key is here and whole: nobody could open what is sealed".into(),
                Some(needed) => format!(
                    "{needed} readers must come together, and the shares of only {} are here and whole: nobody could open what is sealed",
                    able.len()
                ),
            };
            let subject = format!("{}/{id}", layout::keys());
            return Err(Finding { weight: Verdict::Incomplete, check: Check::Key, subject, message }.into());
        }
        Ok(Self {
            key: id,
            recipient: key.recipient.clone(),
            readers: able.into_iter().map(|member| history.name_of(member)).collect(),
            unable: unable.into_iter().map(|member| history.name_of(member)).collect(),
            opened_before: history.shown_to_open(id),
            needed,
        })
    }
}

/// Who was given a key and removed since.
fn removed_holders(history: &History, key: &KeyId) -> Vec<String> {
    let outdated = members::outdated(history).into_iter().filter(|outdated| outdated.key == *key);
    outdated.flat_map(|outdated| outdated.by).map(|member| history.name_of(member)).collect()
}

/// A raw path as it may be shown.
pub fn shown(path: &[u8]) -> String {
    names::printable(path)
}
