//! Opening: verified bytes under safe names, in a folder that this verb makes. A file appears under its final name
//! only when the whole exhibit has been checked; what fails leaves nothing behind, and what a cut leaves is told.
//!
//! - [`group`]: some exhibits at a time, on all cores, durable together

mod group;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::commit;
use super::content::{self, Broken, Nowhere, Sink};
use super::custody::withdraw::withdrawn;
use super::exhibits::{self, Exhibit, Known};
use super::findings::Finding;
use super::quorum::Met;
use super::session::{Person, Request, Session};
use super::{Setting, Stage, VaultError};
use crate::crypto::hash::Hash;
use crate::format::event::Event;
use crate::format::vault_file::VaultFileError;
use crate::store::{Disk, Mode, StoreError, aside};

/// What to open, and where to.
pub struct OpenRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// Labels.
    pub ids: &'a [String],
    /// The folder to make or use: each exhibit gets a folder of its own in it.
    pub out: &'a Path,
    /// Whether an exhibit's folder that is there already is replaced.
    pub overwrite: bool,
    /// Why an exhibit is opened whose consent was withdrawn; logged.
    pub reason: &'a str,
}

/// An exhibit that was opened.
#[derive(Clone, Debug)]
pub struct OpenedExhibit {
    /// Its label.
    pub id: String,
    /// The file, or the folder of a folder.
    pub path: PathBuf,
    /// The content's length.
    pub bytes: u64,
    /// The content's SHA-256 (of a folder, its listing's).
    pub sha256: Hash,
}

/// What was opened.
#[derive(Debug)]
pub struct Opened {
    /// In the order of their labels, each once.
    pub exhibits: Vec<OpenedExhibit>,
    /// Why the opening could not be recorded in the vault, if so.
    pub unrecorded: Option<VaultError>,
    /// What is wrong with other members' logs, on which nothing of this rests.
    pub overlooked: Vec<Finding>,
    /// Sections that shares opened, with the pseudonyms of those who lent theirs.
    pub met: Vec<(String, Vec<String>)>,
    /// What ended the run before all were opened: those above are, and stand in the record.
    pub failure: Option<VaultError>,
}

/// Opens exhibits into a folder.
pub fn open(setting: &mut Setting<'_>, request: &OpenRequest<'_>) -> Result<Opened, VaultError> {
    let (session, read_only) = enter(setting, &request.place)?;
    let chosen = choose(&session, request.ids, request.reason)?;
    setting
        .watch
        .begin(Stage::Opening, Some(chosen.iter().map(|exhibit| exhibit.blobs.len() as u64 * (16 << 20)).sum()));
    let out = match setting.disk.folder(request.out) {
        Err(StoreError::Missing { .. }) => setting.disk.create_folder(request.out, Mode::Private)?,
        other => other?,
    };
    let (mut exhibits, mut failure) = (Vec::new(), None);
    for group in group::groups(&chosen) {
        failure = group::put_out(setting.watch, &session, request, &out, group, &mut exhibits).err();
        if failure.is_some() {
            break;
        }
    }
    // What was opened before it failed is readable here: that must stand in the record.
    if exhibits.is_empty()
        && let Some(error) = failure
    {
        return Err(error);
    }
    // They got their names last of all.
    failure = failure.or(out.sync(&[]).err().map(VaultError::from));
    let opened = chosen.get(..exhibits.len()).unwrap_or_default();
    let unrecorded = match read_only {
        Some(error) => Some(error),
        None => record_opening(setting, &session, request.place.person()?, opened, request.reason).err(),
    };
    Ok(Opened { exhibits, unrecorded, overlooked: session.overlooked(), met: met(&session)?, failure })
}

/// What lies in a folder beside these exhibits under a name that an interrupted opening leaves, or a stranger's: it is not removed,
/// and may be readable.
pub fn left_beside(disk: &dyn Disk, out: &Path, ids: &[String]) -> Vec<PathBuf> {
    let Ok(folder) = disk.folder(out) else { return Vec::new() };
    let Ok(items) = folder.list(None) else { return Vec::new() };
    let labels: Vec<String> = ids.iter().filter_map(|id| exhibits::label_of(id)).collect();
    let is_of = |name: &[u8]| {
        let labels = || labels.iter().map(String::as_bytes);
        let starts =
            |of: &[u8], label: &[u8]| of.get(..label.len()).is_some_and(|start| start.eq_ignore_ascii_case(label));
        aside::beside(name).is_some_and(|of| labels().any(|label| starts(of, label)))
    };
    let names = items.into_iter().map(|item| item.name).filter(|name| is_of(name.as_encoded_bytes()));
    names.map(|name| out.join(name)).collect()
}

/// Opens one exhibit of a single file to a stream. It is checked wholly before the first byte leaves.
pub fn open_to(
    setting: &mut Setting<'_>,
    request: &OpenRequest<'_>,
    output: &mut dyn Write,
) -> Result<Opened, VaultError> {
    let (session, read_only) = enter(setting, &request.place)?;
    let chosen = choose(&session, request.ids, request.reason)?;
    let [exhibit] = chosen.as_slice() else { return Err(VaultError::OneExhibitOnly) };
    let known = &exhibits::record(&session, exhibit)?;
    if known.record.field("content/listing_sha256").is_some() {
        return Err(VaultError::OneExhibitOnly);
    }
    setting.watch.begin(Stage::Opening, None);
    content::walk(&session, exhibit, known, setting.watch, &mut Nowhere)?;
    let failure = content::walk(&session, exhibit, known, setting.watch, &mut Stream(output)).err().map(Into::into);
    let opened = described(exhibit, known, PathBuf::from("-"));
    let unrecorded = match read_only {
        Some(error) => Some(error),
        None => record_opening(setting, &session, request.place.person()?, &chosen, request.reason).err(),
    };
    let (overlooked, met) = (session.overlooked(), met(&session)?);
    Ok(Opened { exhibits: vec![opened], unrecorded, overlooked, met, failure })
}

fn met(session: &Session) -> Result<Vec<(String, Vec<String>)>, VaultError> {
    let history = session.history()?;
    let names = |met: &Met| met.lenders.iter().map(|lender| history.name_of(*lender)).collect();
    Ok(session.ring.met().iter().map(|met| (met.scope.to_string(), names(met))).collect())
}

/// For writing where that can be done; a read-only medium is opened all the same, and not written.
fn enter(setting: &mut Setting<'_>, place: &Request<'_>) -> Result<(Session, Option<VaultError>), VaultError> {
    match Session::open_to_write(setting, place) {
        // Without the file VAULT there is no lock, so nothing is written; what is sealed opens all the same.
        Err(
            error @ (VaultError::NotAVault
            | VaultError::VaultFile(VaultFileError::Malformed)
            | VaultError::Store(StoreError::ReadOnly { .. } | StoreError::Denied { .. })),
        ) => Ok((Session::open(setting, place)?, Some(error))),
        other => Ok((other?, None)),
    }
}

/// The exhibits that are meant, each once, once it is clear that all may be opened.
fn choose(session: &Session, ids: &[String], reason: &str) -> Result<Vec<Exhibit>, VaultError> {
    let history = session.sound_history()?;
    let consent = withdrawn(history);
    let chosen = exhibits::find_all(session, ids, |exhibit| {
        session.require_sound(exhibit.row.log)?;
        if consent.contains_key(&(exhibit.row.log, exhibit.row.number)) && reason.is_empty() {
            return Err(VaultError::Withdrawn { id: exhibit.id.clone() });
        }
        exhibits::record(session, exhibit).map(drop)
    })?;
    // Two that share even what tells two logs apart were made so by somebody: both would go into one folder.
    let mut labels = BTreeSet::new();
    match chosen.iter().find(|exhibit| !labels.insert(exhibit.id.as_str())) {
        Some(Exhibit { id, .. }) => Err(VaultError::AmbiguousExhibit { id: id.clone(), choices: vec![id.clone(); 2] }),
        None => Ok(chosen),
    }
}

fn described(exhibit: &Exhibit, known: &Known, path: PathBuf) -> OpenedExhibit {
    let field = |path| known.record.field(path);
    let sha256 = field("original/sha256").or(field("content/listing_sha256")).and_then(Hash::from_hex);
    OpenedExhibit {
        id: exhibit.id.clone(),
        path,
        bytes: field("original/bytes").and_then(|bytes| bytes.parse().ok()).unwrap_or(0),
        sha256: sha256.unwrap_or_else(|| Hash::of(b"")),
    }
}

fn record_opening(
    setting: &mut Setting<'_>,
    session: &Session,
    person: &Person,
    chosen: &[Exhibit],
    reason: &str,
) -> Result<(), VaultError> {
    let exhibits = chosen.iter().map(Exhibit::reference).collect();
    commit::say(setting, session, person, Event::Open { exhibits, reason: reason.into() })?;
    Ok(())
}

/// Content into a stream.
struct Stream<'a>(&'a mut dyn Write);

impl Sink for Stream<'_> {
    fn begin(&mut self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn end(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl From<Broken> for VaultError {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Exhibit(finding) => finding.into(),
            Broken::Stopped => Self::Stopped,
            Broken::Sink(error) => match error.downcast::<StoreError>() {
                Ok(error) => error.into(),
                Err(source) => Self::Output { source },
            },
        }
    }
}
