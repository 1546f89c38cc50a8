//! Without a key: files against the hashes in their names, the leaves in the names against the roots of the signed
//! states, and what this device has seen before.

use super::{Examiner, LogState};
use crate::crypto::hash::Hash;
use crate::crypto::merkle;
use crate::format::card::Card;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::ids::LogId;
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::store::layout;
use crate::vault::findings::Check;
use crate::vault::session::{Session, Trust};
use crate::vault::{Setting, VaultError, exhibits, parallel};

impl Examiner {
    /// Every blob that lies here against its name.
    pub(super) fn check_blobs(&mut self, setting: &Setting<'_>, session: &Session, blobs: &[Hash]) {
        self.count(Check::Blob, blobs.len() as u64);
        let watch = setting.watch;
        let results = parallel::map(blobs, |name| {
            if watch.stopped() {
                return Ok(());
            }
            let result = exhibits::blob(&*session.folder, *name).map(drop);
            watch.advance(1 << 20);
            result
        });
        for (name, result) in blobs.iter().zip(results) {
            if let Err(finding) = result {
                // What this device was writing may be torn, and is nobody's fault until a sealing names it.
                if !session.unfinished.contains(&layout::blob(*name).to_string()) {
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
            for entry in files.entries.values().flatten() {
                self.count(Check::Entry, 1);
                let path = layout::entry(*id, entry);
                match session.folder.read(&path, 8 << 20) {
                    Ok(bytes) if Hash::of(&bytes) == entry.sha256 => {}
                    Ok(_) => self.findings.invalid(
                        Check::Entry,
                        path.to_string(),
                        "its bytes do not have the hash in its name",
                    ),
                    Err(error) => self.findings.incomplete(Check::Entry, path.to_string(), error.to_string()),
                }
            }
            self.check_tree(session, *id, card)?;
        }
        for (key, files) in &session.survey.keys {
            for file in files {
                self.count(Check::Key, 1);
                let path = layout::wrapped_key(*key, *file);
                if !session.folder.read(&path, 64 << 10).is_ok_and(|bytes| Hash::of(&bytes) == *file) {
                    self.findings.invalid(Check::Key, path.to_string(), "its bytes do not have the hash in its name");
                }
            }
        }
        Ok(())
    }

    pub(super) fn check_tree(&mut self, session: &Session, id: LogId, card: Option<&Card>) -> Result<(), VaultError> {
        let files = &session.survey.logs[&id];
        let leaves = files.leaves();
        // Of the log that founds the vault this card's owner must have signed every state; whose the others are, only
        // a custody key tells.
        let founds = card.is_some() && leaves.first() == Some(&session.vault.0);
        let mut largest: Option<(u64, Hash)> = None;
        for name in &files.checkpoints {
            self.count(Check::Tree, 1);
            let path = layout::checkpoint(id, name).to_string();
            let bytes = session.folder.read(&layout::checkpoint(id, name), NOTE_BYTES_MAX as u64)?;
            let checkpoint =
                Note::parse(&bytes).ok().and_then(|note| Some((Checkpoint::parse_text(note.text()).ok()?, note)));
            let Some((checkpoint, note)) = checkpoint.filter(|(checkpoint, _)| {
                Hash::of(&bytes) == name.sha256
                    && checkpoint.size == name.size
                    && checkpoint.origin == (Origin { vault: session.vault, log: id })
            }) else {
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
            match usize::try_from(checkpoint.size).ok().and_then(|size| leaves.get(..size)) {
                Some(leaves) if merkle::root(leaves) == checkpoint.root => self.founder_signed |= founds,
                Some(_) => {
                    self.findings.invalid(Check::Tree, path, "the entries do not lead to the root that is signed");
                }
                None => self.findings.incomplete(Check::Entry, path, "entries that it covers are missing, or doubled"),
            }
            largest = largest.max(Some((checkpoint.size, checkpoint.root)));
        }
        self.check_seen(session, id, &leaves)?;
        match largest {
            Some((size, root)) => {
                if leaves.len() as u64 > size {
                    self.findings.incomplete(
                        Check::Foreign,
                        layout::log(id).to_string(),
                        "entries beyond the largest signed state; they are no evidence",
                    );
                }
                self.logs.push(LogState { log: id, member: None, name: None, size, root });
            }
            None => self.findings.incomplete(
                Check::Tree,
                layout::log(id).to_string(),
                "no signed state of this log is here",
            ),
        }
        Ok(())
    }

    /// The names of the entries against the states that this device has seen, of whose signatures it made sure then.
    fn check_seen(&mut self, session: &Session, id: LogId, leaves: &[Hash]) -> Result<(), VaultError> {
        for (log, note) in session.memory.seen(&session.vault)?.iter().filter(|(log, _)| *log == id) {
            let Ok(seen) = Note::parse(note) else { continue };
            let Ok(seen) = Checkpoint::parse_text(seen.text()) else { continue };
            let subject = layout::log(*log).to_string();
            match usize::try_from(seen.size).ok().and_then(|size| leaves.get(..size)) {
                Some(leaves) if merkle::root(leaves) == seen.root => {}
                Some(_) => {
                    self.findings.invalid(
                        Check::Tree,
                        subject,
                        "the entries are not those that this device has seen before",
                    );
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
