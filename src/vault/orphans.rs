//! What an interrupted command left: files that this device wrote, as its memory shows, and that nothing signed covers.
//! Of its own making they are orphans, and the next sealing of whoever began them removes them. What came from another copy stays, whatever is done
//! in between: who goes on to take it in need not carry it again, and who will not says so. Only files of names that this device
//! itself wrote are ever removed.

use std::collections::BTreeSet;

use super::history::{Fork, History};
use super::session::Session;
use super::{FILE_STEP, Stage, VaultError, Watch, interrupted};
use super::{exhibits, named};
use crate::crypto::hash::Hash;
use crate::format::event::Event;
use crate::format::ids::MemberId;
use crate::store::memory::Record;
use crate::store::{RelPath, layout};

/// So many files are synced and read back before it is remembered that they are whole.
const AT_A_TIME: usize = 64;

/// Removes orphans of this person's making; returns how many. What was begun in another copy may be here because somebody copied
/// it, with what covers it still on its way, or because this folder lay there then: of that only what is torn goes. What another
/// identity at this device began may be covered by an entry that only her next command completes. She herself clears nothing
/// before her log is as long here as she ever signed it.
pub(super) fn clear(session: &Session, watch: &dyn Watch, member: &MemberId) -> Result<u64, VaultError> {
    let mut records = sealings(session)?;
    records.retain(|record| record.is_left_by(member));
    let (here, elsewhere): (Vec<Record>, Vec<Record>) = records.into_iter().partition(|record| record.is_of_this_copy);
    Ok(remove(session, &here)? + settle_elsewhere(session, watch, &elsewhere)?)
}

/// Removes what was begun elsewhere, lies here and is torn: it can serve nobody, whoever brought it. What is whole is remembered as
/// what came with a merge is, and looked at once.
fn settle_elsewhere(session: &Session, watch: &dyn Watch, records: &[Record]) -> Result<u64, VaultError> {
    let settled = arrived_here(session)?;
    let (mut left, _) = not_covered(session, records)?.sure_and_not();
    left.retain(|path| !settled.contains(path));
    let left: Vec<RelPath> = left.into_iter().collect();
    if left.is_empty() {
        return Ok(0);
    }
    let mut removed = 0;
    watch.begin(Stage::Checking, Some(left.len() as u64 * FILE_STEP));
    for some in left.chunks(AT_A_TIME) {
        if watch.stopped() {
            return Err(VaultError::Stopped);
        }
        let whole = interrupted::clear_torn(&*session.folder, some)?;
        watch.advance(some.len() as u64 * FILE_STEP);
        // What cannot be read just now is looked at again the next time.
        let Some(whole) = whole else { continue };
        removed += some.len() - whole.len();
        if !whole.is_empty() {
            session.memory.arrive(&session.vault, &whole)?;
        }
    }
    Ok(removed as u64)
}

/// What came into this copy from others, as far as the device remembers it.
fn arrived_here(session: &Session) -> Result<BTreeSet<RelPath>, VaultError> {
    let records = session.memory.arrivals(&session.vault)?;
    Ok(records.into_iter().filter(|record| record.is_of_this_copy).flat_map(|record| record.paths).collect())
}

/// How many files lie here that some sealing left and that count for nothing yet: begun in this copy, and elsewhere. What was begun
/// elsewhere a copier brought, or this folder lay there then; it is told until a sealing here has looked at it.
pub(super) fn begun(session: &Session) -> Result<(u64, u64), VaultError> {
    let (here, elsewhere): (Vec<Record>, Vec<Record>) =
        sealings(session)?.into_iter().partition(|record| record.is_of_this_copy);
    let here = not_covered(session, &here)?.files;
    let settled = arrived_here(session)?;
    let elsewhere = not_covered(session, &elsewhere)?.files;
    let elsewhere = elsewhere.iter().filter(|path| !here.contains(path) && !settled.contains(path));
    Ok((here.len() as u64, elsewhere.count() as u64))
}

/// What sealings at this device began and did not end. Cosignatures need nothing that covers them.
fn sealings(session: &Session) -> Result<Vec<Record>, VaultError> {
    let mut records = session.memory.intents(&session.vault)?;
    records.retain(|record| !record.is_of_cosignatures());
    Ok(records)
}

/// How many files lie here that this device began to write or to take in, whether they count or not.
pub(super) fn untold(session: &Session) -> Result<u64, VaultError> {
    let records = [session.memory.intents(&session.vault)?, session.memory.arrivals(&session.vault)?].concat();
    let named: BTreeSet<&RelPath> = records.iter().flat_map(|record| &record.paths).collect();
    Ok(named.into_iter().filter(|path| lies_here(session, path)).count() as u64)
}

/// Removes what came from other copies and counts for nothing: the person will not go on with it. Returns how many files.
pub(super) fn clear_arrived(session: &Session) -> Result<u64, VaultError> {
    remove(session, &arrivals(session)?)
}

/// What came from other copies and was not begun in this one.
fn arrivals(session: &Session) -> Result<Vec<Record>, VaultError> {
    let begun = sealings(session)?.into_iter().filter(|record| record.is_of_this_copy);
    let begun: BTreeSet<RelPath> = begun.flat_map(|record| record.paths).collect();
    let mut arrivals = session.memory.arrivals(&session.vault)?;
    for record in &mut arrivals {
        record.paths.retain(|path| !begun.contains(path));
    }
    Ok(arrivals)
}

/// Removes from this copy what nothing covers, and forgets what was begun in it. A record of another copy stays: what lies
/// there, nobody sees from here; it may be this one, before its folder was moved.
fn remove(session: &Session, records: &[Record]) -> Result<u64, VaultError> {
    let of_this_copy = || records.iter().filter(|record| record.is_of_this_copy);
    let (mut orphans, left) = not_covered(session, records)?.sure_and_not();
    let removed = orphans.len() as u64;
    // What is gone may be so in the system's memory alone, where a sync failed: it must not come back when it is forgotten.
    let paths = of_this_copy().flat_map(|record| &record.paths);
    orphans.extend(paths.filter(|path| !lies_here(session, path)).cloned());
    session.folder.remove_all(&orphans.into_iter().collect::<Vec<_>>())?;
    for record in of_this_copy().filter(|record| !record.paths.iter().any(|path| left.contains(path))) {
        session.memory.forget(&record.intent)?;
    }
    Ok(removed)
}

/// Forgets what came from other copies, as far as it counts now.
pub(super) fn forget_arrived(session: &Session) -> Result<(), VaultError> {
    let mut records = session.memory.arrivals(&session.vault)?;
    records.retain(|record| record.is_of_this_copy);
    let left = not_covered(session, &records)?.files;
    for record in records {
        let still: Vec<RelPath> = record.paths.iter().filter(|path| left.contains(path)).cloned().collect();
        if !still.is_empty() && still.len() == record.paths.len() {
            continue;
        }
        if !still.is_empty() {
            session.memory.arrive(&session.vault, &still)?;
        }
        session.memory.forget(&record.intent)?;
    }
    Ok(())
}

/// How many files lie here that came from other copies, into whichever of this device, and count for nothing yet.
pub(super) fn arrived(session: &Session) -> Result<u64, VaultError> {
    Ok(not_covered(session, &arrivals(session)?)?.files.len() as u64)
}

/// Whether a copy is only beginning: it has no signed state, and so no story that could cover anything.
pub(super) fn is_beginning(session: &Session) -> bool {
    session.history.is_none() && session.survey.logs.values().all(|files| files.checkpoints.is_empty())
}

fn lies_here(session: &Session, path: &RelPath) -> bool {
    session.folder.exists(path).unwrap_or(true)
}

/// Files that lie here and that neither entries nor signed states cover.
struct NotCovered {
    files: BTreeSet<RelPath>,
    /// Whether an inventory cannot be read, which may list some of them.
    in_doubt: bool,
}

impl NotCovered {
    /// Those of which it is sure, and those of which it is not.
    fn sure_and_not(self) -> (BTreeSet<RelPath>, BTreeSet<RelPath>) {
        self.files.into_iter().partition(|path| !self.in_doubt || layout::blob_of(path).is_none())
    }
}

fn not_covered<'a>(session: &Session, records: impl IntoIterator<Item = &'a Record>) -> Result<NotCovered, VaultError> {
    let named = records.into_iter().flat_map(|record| &record.paths);
    let mut files: BTreeSet<RelPath> = named.filter(|path| lies_here(session, path)).cloned().collect();
    let mut in_doubt = false;
    if files.is_empty() || is_beginning(session) {
        return Ok(NotCovered { files, in_doubt });
    }
    let history = session.history()?;
    for (key, file) in named::counted_keys(history) {
        files.remove(&layout::wrapped_key(key, file));
    }
    for (_, told) in named::kept_beside(history) {
        for (key, file) in named::key_files(told.entry.log, &told.entry.event) {
            files.remove(&layout::wrapped_key(key, file));
        }
    }
    remove_logs(session, history, &mut files);
    if files.iter().any(|path| layout::blob_of(path).is_some()) {
        in_doubt = remove_blobs(session, history, &mut files);
    }
    Ok(NotCovered { files, in_doubt })
}

/// Entries of any history of a log, its signed states, and what others signed of it.
fn remove_logs(session: &Session, history: &History, paths: &mut BTreeSet<RelPath>) {
    let logs = history.mergeable();
    for (id, files) in &session.survey.logs {
        let Some(log) = logs.get(id) else { continue };
        let leaf_is = |seq: u64, leaf: Hash| {
            let at = |fork: &Fork| {
                let told = seq.checked_sub(fork.parted).and_then(|at| fork.entries.get(usize::try_from(at).ok()?));
                told.is_some_and(|told| told.leaf == leaf)
            };
            let told = usize::try_from(seq).ok().and_then(|seq| log.entries.get(seq));
            told.is_some_and(|told| told.leaf == leaf) || log.forks.iter().any(at)
        };
        for name in files.entries.values().flatten().filter(|name| leaf_is(name.seq, name.leaf)) {
            paths.remove(&layout::entry(*id, name));
        }
        let sizes: BTreeSet<u64> = log.forks.iter().map(|fork| fork.head.size).chain([log.head.size]).collect();
        for name in files.checkpoints.iter().filter(|name| sizes.iter().any(|size| name.size <= *size)) {
            paths.remove(&layout::checkpoint(*id, name));
        }
        for name in &files.cosignatures {
            paths.remove(&layout::cosignature(*id, *name));
        }
    }
}

/// Blobs that a sealing names. Returns whether an inventory cannot be read: nobody can say which it lists.
fn remove_blobs(session: &Session, history: &History, paths: &mut BTreeSet<RelPath>) -> bool {
    let mut in_doubt = false;
    for (place, told) in history.counted().chain(named::kept_beside(history)) {
        if let Event::Amend { blob, .. } = &told.entry.event {
            paths.remove(&layout::blob(*blob));
        }
        let Some(sealing) = history.sealing(place, told) else { continue };
        for blob in named::own_blobs(&sealing) {
            paths.remove(&layout::blob(blob));
        }
        match exhibits::rows(session, &sealing) {
            Ok(rows) => {
                for blob in rows.into_iter().flat_map(|(_, blobs)| blobs) {
                    paths.remove(&layout::blob(blob));
                }
            }
            Err(_) => in_doubt = true,
        }
    }
    in_doubt
}
