//! Without a key: files against the hashes in their names, the leaves in the names against the roots of the signed
//! states, and what this device has seen before.

use super::{Examiner, LogState};
use crate::crypto::hash::Hash;
use crate::crypto::merkle;
use crate::format::card::Card;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::entry::ENTRY_FILE_BYTES_MAX;
use crate::format::ids::LogId;
use crate::format::key_file::WRAPPED_KEY_BYTES_MAX;
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::store::layout::{self, CheckpointName};
use crate::store::memory::Seen;
use crate::store::{RelPath, StoreError};
use crate::vault::cosign::coverage::Coverage;
use crate::vault::findings::{Check, Verdict};
use crate::vault::session::{Session, Trust};
use crate::vault::survey::LogFiles;
use crate::vault::{FILE_STEP, VaultError, Watch, exhibits, parallel};

impl Examiner {
    /// Blobs that lie here against their names.
    pub(super) fn check_blobs(&mut self, watch: &dyn Watch, session: &Session, blobs: &[Hash]) {
        let results = parallel::map(blobs, |name| {
            if watch.stopped() {
                return Ok(());
            }
            let result = exhibits::check_blob(&*session.folder, *name);
            watch.advance(FILE_STEP);
            result
        });
        for (name, result) in blobs.iter().zip(results) {
            if let Err(finding) = result {
                // What this device was writing may be torn, and is nobody's fault until a sealing names it.
                if !session.unfinished.has(&layout::blob(*name)) {
                    self.findings.push(finding.clone());
                }
                self.bad_blobs.insert(*name, finding);
            }
        }
    }

    /// Without a key: files against their names, the leaves in the names against the roots of the states.
    pub(super) fn check_names(&mut self, session: &Session, trust: Option<&Trust>) -> Result<(), VaultError> {
        let card = match trust {
            Some(Trust::Owner(card)) => Some(&**card),
            _ => None,
        };
        for (id, files) in &session.survey.logs {
            let entries = files.entries.values().flatten().map(|entry| (layout::entry(*id, entry), entry.sha256));
            self.check_files(session, Check::Entry, &entries.collect::<Vec<_>>(), ENTRY_FILE_BYTES_MAX);
            self.check_tree(session, *id, card);
        }
        for (key, files) in &session.survey.keys {
            let files = files.iter().map(|file| (layout::wrapped_key(*key, *file), *file));
            self.check_files(session, Check::Key, &files.collect::<Vec<_>>(), WRAPPED_KEY_BYTES_MAX);
        }
        self.check_seen(session)
    }

    /// Cosignatures and time-stamp replies against their names, without a key.
    pub(super) fn check_cosignature_files(&mut self, session: &Session) {
        for (id, files) in &session.survey.logs {
            let files = files.cosignatures.iter().map(|file| (layout::cosignature(*id, *file), *file));
            let files = files.filter(|(path, _)| !session.unfinished.may_be_torn(path));
            self.check_files(session, Check::Cosignature, &files.collect::<Vec<_>>(), ENTRY_FILE_BYTES_MAX);
        }
    }

    /// Files against the hashes in their names.
    pub(super) fn check_files(&mut self, session: &Session, check: Check, files: &[(RelPath, Hash)], bytes_max: u64) {
        self.count(check, files.len() as u64);
        let read = parallel::map(files, |(path, _)| session.folder.read(path, bytes_max).map(|bytes| Hash::of(&bytes)));
        for ((path, sha256), read) in files.iter().zip(read) {
            match read {
                Ok(hash) if hash == *sha256 => {}
                Ok(_) => self.findings.invalid(check, path.to_string(), "its bytes do not have the hash in its name"),
                Err(error) => {
                    let oversize = matches!(error, StoreError::TooLarge { .. });
                    let weight = if oversize { Verdict::Invalid } else { Verdict::Incomplete };
                    self.findings.add(weight, check, path.to_string(), error.to_string());
                }
            }
        }
    }

    fn check_tree(&mut self, session: &Session, id: LogId, card: Option<&Card>) {
        let leaves = session.survey.logs.get(&id).map(LogFiles::leaves).unwrap_or_default();
        // Of the log that founds the vault this card's owner must have signed every state; whose the others are, only
        // a custody key tells.
        let founds = card.is_some() && leaves.first() == Some(&session.vault.0);
        let roots = merkle::roots(&leaves);
        let mut largest: Option<(u64, Hash)> = None;
        for name in &session.survey.logs[&id].checkpoints {
            self.count(Check::Tree, 1);
            let path = layout::checkpoint(id, name).to_string();
            let bytes = match session.folder.read(&layout::checkpoint(id, name), NOTE_BYTES_MAX as u64) {
                Ok(bytes) => bytes,
                Err(error) => {
                    let oversize = matches!(error, StoreError::TooLarge { .. });
                    let weight = if oversize { Verdict::Invalid } else { Verdict::Incomplete };
                    self.findings.add(weight, Check::Signature, path, error.to_string());
                    continue;
                }
            };
            let Some((checkpoint, note)) = named_state(session, id, name, &bytes) else {
                self.findings.invalid(Check::Signature, path, "it is not the signed state that its name tells");
                continue;
            };
            if let Some(card) = card.filter(|card| checkpoint.bears_lines_of(&note, card.keys())) {
                self.count(Check::Signature, 1);
                if let Err(error) = Checkpoint::verify(&note, card.keys()) {
                    self.findings.invalid(Check::Signature, path, error.to_string());
                    continue;
                }
            } else if founds {
                self.findings.incomplete(Check::Foreign, path, "it bears no signature of this log's owner");
                continue;
            }
            match usize::try_from(checkpoint.size).ok().and_then(|size| roots.get(size)) {
                Some(root) if *root == checkpoint.root => self.founder_signed |= founds,
                Some(_) => {
                    self.findings.invalid(Check::Tree, path, "the entries do not lead to the root that is signed");
                }
                None => self.findings.incomplete(Check::Entry, path, "entries that it covers are missing, or doubled"),
            }
            largest = largest.max(Some((checkpoint.size, checkpoint.root)));
        }
        let subject = layout::log(id).to_string();
        let Some((size, root)) = largest else {
            return self.findings.incomplete(Check::Tree, subject, "no signed state of this log is here");
        };
        let own = |seq: usize| {
            let names = session.survey.logs[&id].entries.get(&(seq as u64)).into_iter().flatten();
            names.into_iter().all(|name| session.unfinished.has(&layout::entry(id, name)))
        };
        let covered = usize::try_from(size).unwrap_or(usize::MAX);
        if (covered..leaves.len()).any(|seq| !own(seq)) {
            let message = "entries beyond the largest signed state; they are no evidence";
            self.findings.incomplete(Check::Foreign, subject, message);
        }
        let coverage = Coverage::default();
        self.logs.push(LogState { log: id, member: None, name: None, size, root, handle: None, coverage });
    }

    /// The names of the entries against the states that this device has seen, of whose signatures it made sure then.
    fn check_seen(&mut self, session: &Session) -> Result<(), VaultError> {
        for Seen { log: id, note, spoilt } in session.memory.remembered(&session.vault)? {
            let leaves = session.survey.logs.get(&id).map(LogFiles::leaves).unwrap_or_default();
            let (subject, there) = (layout::log(id).to_string(), leaves.len() as u64);
            if let Some(size) = spoilt.filter(|size| there < *size) {
                let message = format!(
                    "this device has seen it with {size} entries, and what it remembers of that is damaged; this copy has {there}"
                );
                self.findings.incomplete(Check::Behind, subject.clone(), message);
            }
            let Some(Ok(seen)) = note.map(|note| Note::parse(&note)) else { continue };
            let Ok(seen) = Checkpoint::parse_text(seen.text()) else { continue };
            match usize::try_from(seen.size).ok().and_then(|size| leaves.get(..size)) {
                Some(leaves) if merkle::root(leaves) == seen.root => {}
                Some(_) => {
                    let message = "the entries are not those that this device has seen before";
                    self.findings.invalid(Check::Tree, subject, message);
                }
                None => {
                    let message = format!("this device has seen it with {} entries; this copy has fewer", seen.size);
                    self.findings.incomplete(Check::Behind, subject, message);
                }
            }
        }
        Ok(())
    }
}

/// The state that a checkpoint's file holds, if it is the one that its name tells.
fn named_state(session: &Session, id: LogId, name: &CheckpointName, bytes: &[u8]) -> Option<(Checkpoint, Note)> {
    let note = Note::parse(bytes).ok()?;
    let checkpoint = Checkpoint::parse_text(note.text()).ok()?;
    let here = checkpoint.origin == (Origin { vault: session.vault, log: id });
    (here && Hash::of(bytes) == name.sha256 && checkpoint.size == name.size).then_some((checkpoint, note))
}
