//! Some exhibits at a time: each is checked while it is written under a name beside its own, on all cores; then all of them
//! are made durable together, and only then get their names, in order.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::{OpenRequest, OpenedExhibit, described};
use crate::format::record::Record;
use crate::store::{Folder, Mode, OutFile, RelPath, StoreError, aside};
use crate::vault::content::{self, Sink, input_name};
use crate::vault::exhibits::{self, Exhibit};
use crate::vault::session::Session;
use crate::vault::{VaultError, Watch, parallel};

/// So many exhibits wait for each other. Each is of one blob: a walk through several uses all cores by itself. As many may lie
/// beside their names after a power cut.
const EXHIBITS_MAX: usize = 16;

/// Exhibits that are put out together.
pub(super) fn groups(chosen: &[Exhibit]) -> impl Iterator<Item = &[Exhibit]> {
    let alike = chosen.chunk_by(|one, next| one.blobs.len() <= 1 && next.blobs.len() <= 1);
    alike.flat_map(|group| group.chunks(EXHIBITS_MAX))
}

/// Puts out a group. What stands under its name is among the opened, whatever fails then.
pub(super) fn put_out(
    watch: &dyn Watch,
    session: &Session,
    request: &OpenRequest<'_>,
    out: &Arc<dyn Folder>,
    group: &[Exhibit],
    opened: &mut Vec<OpenedExhibit>,
) -> Result<(), VaultError> {
    let (mut begun, mut outcome) = (Vec::with_capacity(group.len()), Ok(()));
    for exhibit in group {
        match Begun::new(&**out, request, exhibit) {
            Ok(one) => begun.push(one),
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    let mut filled = Vec::with_capacity(begun.len());
    for one in parallel::map(&begun, |one| one.fill(watch, session, request, out)) {
        match one {
            Ok(one) => filled.push(one),
            // The first is told, and what comes behind it is not opened.
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    let before = opened.len();
    let written: Vec<RelPath> = filled.iter_mut().flat_map(|(_, written)| std::mem::take(written)).collect();
    let synced = if filled.is_empty() { Ok(()) } else { out.sync(&written) };
    let described = filled.into_iter().map(|(described, _)| described);
    let named = synced.map_err(VaultError::from).and_then(|()| name(&**out, request, &begun, described, opened));
    // What was set aside has its name again, or lies beside it: nothing of the others is needed.
    let rest = begun.iter().skip(opened.len() - before);
    let cleared: Vec<_> = rest.map(|one| clear(&**out, &one.part)).collect();
    named.and(outcome).and(cleared.into_iter().collect())
}

/// Gives those that are durable their names, in order.
fn name(
    out: &dyn Folder,
    request: &OpenRequest<'_>,
    begun: &[Begun<'_>],
    described: impl Iterator<Item = OpenedExhibit>,
    opened: &mut Vec<OpenedExhibit>,
) -> Result<(), VaultError> {
    for (one, described) in begun.iter().zip(described) {
        let old = one.place(out, request.overwrite)?;
        // From here on it is readable: whatever fails, that must stand in the record.
        opened.push(described);
        if let Some(old) = old {
            out.sync(&[])?;
            clear(out, &old)?;
        }
    }
    Ok(())
}

/// An exhibit on its way out.
struct Begun<'a> {
    exhibit: &'a Exhibit,
    /// The name that it gets.
    last: RelPath,
    /// The name that it has until then.
    part: RelPath,
}

impl<'a> Begun<'a> {
    fn new(out: &dyn Folder, request: &OpenRequest<'_>, exhibit: &'a Exhibit) -> Result<Self, VaultError> {
        let last = RelPath::parse(&exhibit.id).expect("a label is a name");
        if out.exists(&last)? && !request.overwrite {
            return Err(VaultError::Exists { path: request.out.join(&exhibit.id).display().to_string() });
        }
        let part = aside::free(out, &last, aside::NEW)?;
        // From here on it is this one's alone.
        out.create_folder(&part, Mode::Private)?;
        Ok(Self { exhibit, last, part })
    }

    /// Checks it while it is written; what it is then, and which files are to be durable.
    fn fill(
        &self,
        watch: &dyn Watch,
        session: &Session,
        request: &OpenRequest<'_>,
        out: &Arc<dyn Folder>,
    ) -> Result<(OpenedExhibit, Vec<RelPath>), VaultError> {
        let known = exhibits::record(session, self.exhibit)?;
        let mut files = Files { out: Arc::clone(out), below: self.part.clone(), open: None, written: Vec::new() };
        content::walk(session, self.exhibit, &known, watch, &mut files)?;
        let record = self.part.join("record.json").expect("a name");
        out.create(&record, &known.record.print()?, Mode::Private)?;
        files.written.push(record);
        let path = request.out.join(&self.exhibit.id).join(inside(&known.record));
        Ok((described(self.exhibit, &known, path), files.written))
    }

    /// Gives it its name; what was set aside for that, if anything was.
    fn place(&self, out: &dyn Folder, overwrite: bool) -> Result<Option<RelPath>, StoreError> {
        let old = if overwrite && out.exists(&self.last)? { aside::set(out, &self.last)? } else { None };
        // Where nothing is replaced, one sync at the end is enough for all, and what came there meanwhile stays.
        match &old {
            Some(old) => aside::place(out, &self.part, &self.last, Some(old))?,
            None => out.rename_new(&self.part, &self.last)?,
        }
        Ok(old)
    }
}

/// The file, or the folder of a folder, below that of the exhibit.
fn inside(record: &Record) -> PathBuf {
    match record.field("content/name") {
        Some(name) => format!("content/{name}").into(),
        None if record.field("content/parts").is_some() => format!("content/{}", input_name(record)).into(),
        None if record.field("content/listing_sha256").is_some() => "content".into(),
        None => "record.json".into(),
    }
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
