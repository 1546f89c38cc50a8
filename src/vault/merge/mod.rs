//! Taking in another copy of the same vault: what both copies together prove is read as one story, and what of it this
//! copy lacks is copied. Everything else in the other copy stays where it is.
//!
//! - [`wanted`]: what of the other copy belongs here; [`there`]: of its sealed files
//! - [`carry`]: the files, a few at a time, and at the end the signed states that make them count
//! - [`arrival`]: which exhibits came whole, where something did not
//! - [`outcome`]: what came, what is lacking, what was left
//!
//! The other copy is only read, and nothing in it is believed: a file is taken if its bytes are what its name promises,
//! and if something signed names it.

mod arrival;
mod carry;
mod outcome;
mod there;
pub(in crate::vault) mod wanted;

use std::sync::Arc;

pub use arrival::Arrival;
pub use outcome::{Forked, Growth, Merged, Untaken};

use carry::Carrier;
use wanted::Wanted;

use super::findings::{Check, Finding};
use super::session::{Request, Session};
use super::survey::{self, Survey};
use super::{Setting, Stage, VaultError, orphans};
use crate::format::checkpoint::Checkpoint;
use crate::format::ids::VaultId;
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::store::{Folder, RelPath, layout};
use crate::vault::pouch::PouchError;

/// What to merge into what.
pub struct MergeRequest<'a> {
    /// The vault that takes in.
    pub place: Request<'a>,
    /// The other copy: a folder, or what is read as one.
    pub source: Held,
    /// Files here that are not what their names promise give way to whole ones of the other copy.
    pub replace_damaged: bool,
    /// Nothing counts unless all came that the other copy has and that belongs here: what is damaged there stops the merge
    /// before its end, and what was copied so far need not be copied again.
    pub whole_or_nothing: bool,
}

/// Merges.
pub fn merge(setting: &mut Setting<'_>, request: &MergeRequest<'_>) -> Result<Merged, VaultError> {
    merge_from(setting, request, Other::Folder)
}

/// What the other copy is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::vault) enum Other {
    /// A folder.
    Folder,
    /// A pouch, of which it is told exhibit by exhibit what came. It may have gaps: it may not tell all that it holds.
    Pouch { has_gaps: bool },
}

/// The same from a folder or a pouch. Where all is asked for or nothing, a pouch with gaps is looked at, and nothing is
/// copied.
pub(in crate::vault) fn merge_from(
    setting: &mut Setting<'_>,
    request: &MergeRequest<'_>,
    other: Other,
) -> Result<Merged, VaultError> {
    let person = request.place.person()?;
    let own = setting.disk.folder(request.place.vault)?;
    let source = Arc::clone(&request.source);
    if is_same(&*own, &*source) {
        return Err(VaultError::SameFolder);
    }
    let theirs = survey::survey(&*source)?;
    let session = Session::open_over(setting, &request.place, &own, &source)?;
    if !session.pinned {
        return Err(VaultError::NotPinned { vault: session.vault });
    }
    is_copy_of(&*source, &theirs, session.vault)?;
    let ours = survey::survey(&*own)?;
    let wanted = Wanted::find(setting, &session, (&*own, &ours), (&*source, &theirs), request.replace_damaged)?;
    setting.watch.begin(Stage::Merging, Some(wanted.bytes()));
    let mut carrier = Carrier::new(&session, (&own, &source), request.replace_damaged, &wanted.torn);
    let arrival =
        |watch, carrier: &Carrier<'_>| Arrival::of(watch, &session, (&*own, &ours), &wanted, &carrier.untaken());
    if request.whole_or_nothing && other == (Other::Pouch { has_gaps: true }) {
        carrier.look(setting, &wanted)?;
        return Err(VaultError::Pouch(PouchError::HasGaps { arrival: arrival(setting.watch, &carrier)? }));
    }
    carrier.files(setting, &wanted)?;
    if request.whole_or_nothing && !carrier.untaken().is_empty() {
        return Err(VaultError::Pouch(PouchError::ArrivedDamaged { arrival: arrival(setting.watch, &carrier)? }));
    }
    carrier.states(setting, &wanted)?;
    let carried = carrier.finish()?;
    // What is told is what lies here now, read anew and alone.
    let after = Session::open(setting, &request.place)?;
    // How it was to end is forgotten after what came: else what counts would seem to wait, where the end is lost again.
    orphans::forget_arrived(&after)?;
    for (intent, _) in after.memory.merges(&after.vault)? {
        after.memory.forget(&intent)?;
    }
    after.remember_heads()?;
    let union = Union { session: &session, own: (&*own, &ours), source: (&*source, &theirs), other };
    outcome::tell(setting.watch, &union, (&after, person), &wanted, carried)
}

/// What [`clear`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cleared {
    /// How many files it removed.
    pub removed: u64,
    /// How many stay: an inventory that may list them is not here.
    pub in_doubt: u64,
}

/// Removes what merges and unpackings that were interrupted brought into this copy, and that counts for nothing.
pub fn clear(setting: &mut Setting<'_>, place: &Request<'_>) -> Result<Cleared, VaultError> {
    let session = Session::open_to_write(setting, place)?;
    if !session.pinned {
        return Err(VaultError::NotPinned { vault: session.vault });
    }
    // What is missing of a log may be what covers these files: whoever puts it back must find them.
    if let Some(history) = &session.history {
        session.sound_history()?;
        if let Some(finding) = session.findings.iter().chain(history.findings.iter()).find(|finding| is_gap(finding)) {
            return Err(finding.clone().into());
        }
        if !session.has_all_custody_keys() {
            return Err(VaultError::NoKey);
        }
    }
    let removed = orphans::clear_arrived(&session)?;
    Ok(Cleared { removed, in_doubt: orphans::arrived(&session)? })
}

/// Whether something of a log may be missing: its end, entries, a state, or whose it is.
fn is_gap(finding: &Finding) -> bool {
    match finding.check {
        Check::Behind | Check::Entry | Check::Tree | Check::Signature => finding.subject.starts_with("logs/"),
        Check::Foreign => finding.subject.strip_prefix("logs/").is_some_and(|log| !log.contains('/')),
        _ => false,
    }
}

/// Whether both handles lead to one folder: the same file lies in it under the same name.
fn is_same(own: &dyn Folder, source: &dyn Folder) -> bool {
    let file = |folder: &dyn Folder, path: &RelPath| folder.stat(path).map(|stat| stat.id());
    [layout::vault_file(), layout::logs(), layout::keys()].iter().any(|path| {
        let (own, source) = (file(own, path), file(source, path));
        matches!((own, source), (Ok(own), Ok(source)) if own == source)
    })
}

/// A copy may have lost its file `VAULT`, its founding entry, or all but its blobs; it must not be another vault's.
fn is_copy_of(source: &dyn Folder, theirs: &Survey, vault: VaultId) -> Result<(), VaultError> {
    let firsts = theirs.logs.values().filter_map(|log| log.entries.get(&0)).flatten();
    if theirs.hint == Some(vault) || firsts.into_iter().any(|first| first.leaf == vault.0) {
        return Ok(());
    }
    let mut others = theirs.hint;
    for (log, files) in &theirs.logs {
        for name in files.checkpoints.iter().take(1) {
            let bytes = source.read(&layout::checkpoint(*log, name), NOTE_BYTES_MAX as u64);
            let note = bytes.ok().and_then(|bytes| Note::parse(&bytes).ok());
            let state = note.and_then(|note| Checkpoint::parse_text(note.text()).ok());
            match state.map(|state| state.origin.vault) {
                Some(named) if named == vault => return Ok(()),
                named => others = others.or(named),
            }
        }
    }
    match others {
        Some(vault) => Err(VaultError::OtherCopy { vault }),
        None if has_parts(source, theirs) => Ok(()),
        None => Err(VaultError::NotACopy),
    }
}

fn has_parts(source: &dyn Folder, theirs: &Survey) -> bool {
    let blobs = source.list(Some(&layout::blobs())).is_ok_and(|shelves| !shelves.is_empty());
    blobs || !theirs.keys.is_empty() || !theirs.logs.is_empty()
}

/// One of the two copies: its folder and the names in it.
pub(in crate::vault) type Copy<'a> = (&'a dyn Folder, &'a Survey);

/// Both copies, and the session over them.
struct Union<'a> {
    session: &'a Session,
    own: Copy<'a>,
    source: Copy<'a>,
    other: Other,
}

/// A folder that several hold.
pub type Held = Arc<dyn Folder>;
