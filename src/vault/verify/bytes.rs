//! Without a key: files against the hashes in their names, the leaves in the names against the roots of the signed
//! states, and what this device has seen before.

use super::{Examiner, LogState};
use crate::crypto::hash::Hash;
use crate::crypto::merkle;
use crate::format::card::Card;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::ids::LogId;
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::store::{StoreError, layout};
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
            if let Err(finding) = result
                && !session.unfinished.contains(&layout::blob(*name).to_string())
            {
                self.bad_blobs.insert(*name, finding.weight);
                self.findings.push(finding);
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
                    Err(error) => self.unreadable(Check::Entry, path.to_string(), &error),
                }
            }
            self.check_tree(session, *id, card)?;
        }
        for (key, files) in &session.survey.keys {
            for file in files {
                self.count(Check::Key, 1);
                let path = layout::wrapped_key(*key, *file);
                match session.folder.read(&path, 64 << 10) {
                    Ok(bytes) if Hash::of(&bytes) == *file => {}
                    Ok(_) => {
                        let message = "its bytes do not have the hash in its name";
                        self.findings.invalid(Check::Key, path.to_string(), message);
                    }
                    Err(error) => self.unreadable(Check::Key, path.to_string(), &error),
                }
            }
        }
        Ok(())
    }

    pub(super) fn check_tree(&mut self, session: &Session, id: LogId, card: Option<&Card>) -> Result<(), VaultError> {
        let files = &session.survey.logs[&id];
        let mut leaves = Vec::new();
        for seq in 0.. {
            match files.entries.get(&seq).map(Vec::as_slice) {
                Some([one]) => leaves.push(one.leaf),
                _ => break,
            }
        }
        let mut largest: Option<(u64, Hash)> = None;
        for name in &files.checkpoints {
            self.count(Check::Tree, 1);
            let path = layout::checkpoint(id, name).to_string();
            let bytes = match session.folder.read(&layout::checkpoint(id, name), NOTE_BYTES_MAX as u64) {
                Ok(bytes) => bytes,
                Err(error) => {
                    self.unreadable(Check::Signature, path, &error);
                    continue;
                }
            };
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
                match Checkpoint::verify(&note, card.keys()) {
                    Ok(_) => self.founder_signed |= leaves.first() == Some(&session.vault.0),
                    Err(error) => self.findings.invalid(Check::Signature, path.clone(), error.to_string()),
                }
            }
            match usize::try_from(checkpoint.size).ok().and_then(|size| leaves.get(..size)) {
                Some(leaves) if merkle::root(leaves) == checkpoint.root => {}
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

    /// A file that is too long was made so; one that cannot be read may be well.
    fn unreadable(&mut self, check: Check, path: String, error: &StoreError) {
        match error {
            StoreError::TooLarge { .. } => self.findings.invalid(check, path, error.to_string()),
            _ => self.findings.incomplete(check, path, error.to_string()),
        }
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
