//! Opening: verified bytes under safe names, in a folder that this verb makes. A file appears under its final name
//! only when the whole exhibit has been checked; what fails leaves nothing behind, and what a cut leaves is told.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::commit;
use super::content::{self, Broken, Nowhere, Sink, input_name};
use super::exhibits::{self, Exhibit, Known};
use super::findings::Finding;
use super::quorum::Met;
use super::session::{Person, Request, Session};
use super::{Setting, Stage, VaultError};
use crate::crypto::hash::Hash;
use crate::format::event::Event;
use crate::format::vault_file::VaultFileError;
use crate::store::{Disk, Folder, Mode, OutFile, RelPath, StoreError, aside};

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
    /// In the order in which they were asked for.
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
        .begin(Stage::Opening, Some(chosen.iter().map(|(exhibit, _)| exhibit.blobs.len() as u64 * (16 << 20)).sum()));
    let out = match setting.disk.folder(request.out) {
        Err(StoreError::Missing { .. }) => setting.disk.create_folder(request.out, Mode::Private)?,
        other => other?,
    };
    let (mut exhibits, mut failure) = (Vec::new(), None);
    for (exhibit, known) in &chosen {
        match write_out(setting, &session, request, &out, exhibit, known) {
            Ok((opened, None)) => exhibits.push(opened),
            Ok((opened, Some(later))) => {
                exhibits.push(opened);
                failure = Some(later);
                break;
            }
            Err(error) if exhibits.is_empty() => return Err(error),
            // What was opened before it is readable here: that must stand in the record.
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
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
    let is_of = |name: &[u8]| {
        let labels = || ids.iter().map(|id| id.split('~').next().unwrap_or(id).as_bytes());
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
    let [(exhibit, known)] = chosen.as_slice() else { return Err(VaultError::OneExhibitOnly) };
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

fn choose(session: &Session, ids: &[String], reason: &str) -> Result<Vec<(Exhibit, Known)>, VaultError> {
    let history = session.sound_history()?;
    let mut chosen = Vec::new();
    for id in ids {
        let exhibit = exhibits::find(session, id)?;
        session.require_sound(exhibit.row.log)?;
        let withdrawn = history
            .withdrawals()
            .any(|(withdrawn, _)| withdrawn.log == exhibit.row.log && withdrawn.number == exhibit.row.number);
        if withdrawn && reason.is_empty() {
            return Err(VaultError::Withdrawn { id: exhibit.id });
        }
        let known = exhibits::record(session, &exhibit)?;
        chosen.push((exhibit, known));
    }
    Ok(chosen)
}

/// Writes one exhibit; also what went wrong once it stood under its name.
fn write_out(
    setting: &Setting<'_>,
    session: &Session,
    request: &OpenRequest<'_>,
    out: &Arc<dyn Folder>,
    exhibit: &Exhibit,
    known: &Known,
) -> Result<(OpenedExhibit, Option<VaultError>), VaultError> {
    let last = RelPath::parse(&exhibit.id).expect("a label is a name");
    if out.exists(&last)? && !request.overwrite {
        return Err(VaultError::Exists { path: request.out.join(&exhibit.id).display().to_string() });
    }
    let part = aside::free(&**out, &last, aside::NEW)?;
    let mut files = Files { out: Arc::clone(out), below: part.clone(), open: None, written: Vec::new() };
    let filled = files.fill(setting, session, exhibit, known).and_then(|()| Ok(out.sync(&files.written)?));
    let replaced = filled.and_then(|()| {
        let old = if request.overwrite && out.exists(&last)? { aside::set(&**out, &last)? } else { None };
        // Where nothing is replaced, one sync at the end is enough for all, and what came there meanwhile stays.
        match &old {
            Some(old) => aside::place(&**out, &part, &last, Some(old))?,
            None => out.rename_new(&part, &last)?,
        }
        Ok(old)
    });
    let old = match replaced {
        Ok(old) => old,
        Err(error) => {
            drop(files);
            // What was set aside has its name again, or lies beside it: nothing of the new one is needed.
            clear(&**out, &part)?;
            return Err(error);
        }
    };
    // From here on it is readable: whatever fails, that must stand in the record.
    let later = old.and_then(|old| out.sync(&[]).map_err(VaultError::from).and_then(|()| clear(&**out, &old)).err());
    let inside = match known.record.field("content/name") {
        Some(name) => format!("content/{name}"),
        None if known.record.field("content/parts").is_some() => format!("content/{}", input_name(&known.record)),
        None if known.record.field("content/listing_sha256").is_some() => "content".into(),
        None => "record.json".into(),
    };
    Ok((described(exhibit, known, request.out.join(&exhibit.id).join(inside)), later))
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
    chosen: &[(Exhibit, Known)],
    reason: &str,
) -> Result<(), VaultError> {
    let exhibits = chosen.iter().map(|(exhibit, _)| exhibit.reference()).collect();
    commit::say(setting, session, person, Event::Open { exhibits, reason: reason.into() })?;
    Ok(())
}

/// Removes a folder that this opening made, or that it was asked to replace, and all in it.
fn clear(out: &dyn Folder, path: &RelPath) -> Result<(), VaultError> {
    match out.list(Some(path)) {
        Ok(items) => {
            for item in items {
                if let Some(below) = path.join(&item.name) {
                    clear(out, &below)?;
                }
            }
            Ok(out.remove(path)?)
        }
        Err(StoreError::Missing { .. }) => Ok(()),
        Err(StoreError::NotFolder { .. } | StoreError::Link { .. }) => Ok(out.remove(path)?),
        Err(error) => Err(error.into()),
    }
}

/// Content into files below one folder.
struct Files {
    out: Arc<dyn Folder>,
    below: RelPath,
    open: Option<(RelPath, Box<dyn OutFile>)>,
    written: Vec<RelPath>,
}

impl Files {
    fn fill(
        &mut self,
        setting: &Setting<'_>,
        session: &Session,
        exhibit: &Exhibit,
        known: &Known,
    ) -> Result<(), VaultError> {
        content::walk(session, exhibit, known, setting.watch, self)?;
        let path = self.below.join("record.json").expect("a name");
        self.out.create(&path, &known.record.print()?, Mode::Private)?;
        self.written.push(path);
        Ok(())
    }
}

impl Sink for Files {
    fn begin(&mut self, name: &str) -> io::Result<()> {
        let path = name.split('/').try_fold(self.below.clone(), |path, part| path.join(part));
        let path = path.ok_or_else(|| io::Error::other("a name that is no name"))?;
        self.open = Some((path.clone(), self.out.create_stream(&path, Mode::Private).map_err(io::Error::other)?));
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.open {
            Some((_, file)) => file.write_all(bytes),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        if let Some((path, file)) = self.open.take() {
            file.finish().map_err(io::Error::other)?;
            self.written.push(path);
        }
        Ok(())
    }
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
