//! As a member: wrapped keys, inventories and blobs against the entries that name them; as a reader, records and
//! payloads as well.

use std::collections::{BTreeMap, BTreeSet};

use super::Examiner;
use crate::crypto::hash::Hash;
use crate::format::event::Event;
use crate::format::inventory::Row;
use crate::format::key_file::WRAPPED_KEY_BYTES_MAX;
use crate::store::layout;
use crate::vault::content::{self, Broken, Nowhere};
use crate::vault::findings::{Check, Finding, Verdict};
use crate::vault::history::{History, Sealing};
use crate::vault::labels::{self, exhibit_label};
use crate::vault::session::Session;
use crate::vault::{Setting, VaultError, exhibits, named};

impl Examiner {
    /// Every wrapped key that a counted entry names.
    pub(super) fn check_keys(&mut self, session: &Session, history: &History) {
        let mut expected = named::counted_keys(history);
        for (id, file) in &expected {
            let path = layout::wrapped_key(*id, *file);
            if session.folder.exists(&path).is_ok_and(|there| !there) {
                self.count(Check::Key, 1);
                let message = "a wrapped key is missing: its reader could not open what is sealed";
                self.findings.incomplete(Check::Key, path.to_string(), message);
            } else {
                self.check_file(session, Check::Key, &path, *file, WRAPPED_KEY_BYTES_MAX);
            }
        }
        for (_, told) in named::kept_beside(history) {
            expected.extend(named::key_files(&told.entry.event));
        }
        for (id, files) in &session.survey.keys {
            for file in files.iter().filter(|file| !expected.contains(&(*id, **file))) {
                let path = layout::wrapped_key(*id, *file).to_string();
                if !session.unfinished.contains(&path) {
                    self.findings.incomplete(Check::Foreign, path, "no entry that counts names this key file");
                }
            }
        }
    }

    /// Every sealing: inventory, manifests, rows, blobs, and what a reader can open.
    pub(super) fn check_sealings(
        &mut self,
        setting: &Setting<'_>,
        session: &Session,
        history: &History,
        blobs: &[Hash],
    ) -> Result<(), VaultError> {
        let present: BTreeSet<Hash> = blobs.iter().copied().collect();
        let disposed = history.disposed();
        let mut owners: BTreeMap<Hash, String> = BTreeMap::new();
        for sealing in history.sealings() {
            if setting.watch.stopped() {
                return Err(VaultError::Stopped);
            }
            self.count(Check::Inventory, 1);
            self.exhibits += u64::from(sealing.seal.count);
            for blob in named::own_blobs(&sealing) {
                self.own(
                    &mut owners,
                    blob,
                    &format!("{}, entry {}", layout::log(sealing.place.log), sealing.place.seq),
                );
            }
            let rows = match exhibits::rows(session, &sealing) {
                Ok(rows) => rows,
                Err(finding) => {
                    for number in sealing.seal.first..sealing.seal.first + u64::from(sealing.seal.count) {
                        self.lower(&exhibit_label(sealing.handle, number), finding.weight);
                    }
                    self.findings.push(finding);
                    self.unread += 1;
                    continue;
                }
            };
            let records = self.check_manifests(session, history, &sealing, &rows, &disposed);
            for (index, (row, blobs)) in rows.iter().enumerate() {
                let exhibit = exhibits::Exhibit {
                    id: labels::label(history, row),
                    row: *row,
                    blobs: blobs.clone(),
                    place: sealing.place,
                    index: u32::try_from(index).expect("a sealing is small"),
                };
                if let Some(found) = self.rows_wanted.get_mut(&row.leaf()) {
                    found.push(sealing.place);
                }
                let mut whole = true;
                for blob in blobs {
                    self.own(&mut owners, *blob, &exhibit.id);
                    match self.presence(&exhibit.id, *blob, &present, &disposed) {
                        Presence::Here => {}
                        Presence::Disposed => whole = false,
                        Presence::Wrong(finding) => {
                            whole = false;
                            self.blame(&exhibit.id, finding);
                        }
                    }
                }
                match records.get(&row.number) {
                    Some(Ok(known)) if whole => self.check_content(setting, session, &exhibit, known)?,
                    Some(Err(finding)) => self.blame(&exhibit.id, finding.clone()),
                    _ => {}
                }
            }
        }
        for (place, told) in history.counted() {
            if let Event::Amend { blob, .. } = &told.entry.event {
                let amendment = format!("{}, entry {}", layout::log(place.log), place.seq);
                self.own(&mut owners, *blob, &amendment);
                // It is no exhibit's: the first record stays as it was.
                if let Presence::Wrong(finding) = self.presence(&amendment, *blob, &present, &disposed) {
                    self.findings.push(finding);
                }
            }
        }
        if self.unread > 0 {
            // Without its inventory nobody can say which blobs belong to a sealing: none is called a stranger.
            self.not_checked.push(format!(
                "whether every file belongs to a sealing: {} inventories could not be read",
                self.unread
            ));
            return Ok(());
        }
        let kept = named::blobs_beside(session, history);
        for blob in blobs.iter().filter(|blob| !owners.contains_key(blob) && !kept.contains(blob)) {
            let path = layout::blob(*blob).to_string();
            if !session.unfinished.contains(&path) {
                self.findings.incomplete(Check::Foreign, path, "no sealing names this blob; it is no evidence");
            }
        }
        Ok(())
    }

    pub(super) fn check_manifests(
        &mut self,
        session: &Session,
        history: &History,
        sealing: &Sealing<'_>,
        rows: &[(Row, Vec<Hash>)],
        disposed: &BTreeSet<Hash>,
    ) -> BTreeMap<u64, Result<exhibits::Known, Finding>> {
        let mut all = BTreeMap::new();
        for manifest in &sealing.seal.manifests {
            let is_gone = || session.folder.exists(&layout::blob(manifest.blob)).is_ok_and(|there| !there);
            if disposed.contains(&manifest.blob) && is_gone() {
                let place = format!("{}, entry {}", layout::log(sealing.place.log), sealing.place.seq);
                self.not_checked.push(format!("the records that {place} sealed: their manifest was disposed of"));
                continue;
            }
            if session.ring.content(&manifest.key).is_none() {
                if let Err(finding) = exhibits::blob(&*session.folder, manifest.blob) {
                    self.findings.push(finding);
                }
                continue;
            }
            self.count(Check::Manifest, 1);
            match exhibits::records(session, sealing, manifest, rows) {
                Ok(records) => all.extend(records),
                Err(finding) => {
                    for (row, _) in rows.iter().filter(|(row, _)| row.key == manifest.key) {
                        self.lower(&labels::label(history, row), finding.weight);
                    }
                    self.findings.push(finding);
                }
            }
        }
        all
    }

    /// A blob belongs to one row, inventory or manifest.
    pub(super) fn own(&mut self, owners: &mut BTreeMap<Hash, String>, blob: Hash, owner: &str) {
        if let Some(other) = owners.insert(blob, owner.into()) {
            let message = format!("it is named by {other} and by {owner}");
            self.findings.invalid(Check::Inventory, layout::blob(blob).to_string(), message);
        }
    }

    fn presence(&self, owner: &str, blob: Hash, present: &BTreeSet<Hash>, disposed: &BTreeSet<Hash>) -> Presence {
        if let Some(finding) = self.bad_blobs.get(&blob) {
            return Presence::Wrong(finding.clone());
        }
        match (present.contains(&blob), disposed.contains(&blob)) {
            (true, _) => Presence::Here,
            (false, true) => Presence::Disposed,
            (false, false) => Presence::Wrong(Finding {
                weight: Verdict::Incomplete,
                check: Check::Blob,
                subject: layout::blob(blob).to_string(),
                message: format!("a part of {owner} is not in this copy"),
            }),
        }
    }

    pub(super) fn check_content(
        &mut self,
        setting: &Setting<'_>,
        session: &Session,
        exhibit: &exhibits::Exhibit,
        known: &exhibits::Known,
    ) -> Result<(), VaultError> {
        self.count(Check::Record, 1);
        self.count(Check::Payload, 1);
        match content::walk(session, exhibit, known, setting.watch, &mut Nowhere) {
            Ok(()) => Ok(()),
            Err(Broken::Exhibit(finding)) => {
                self.blame(&exhibit.id, finding);
                Ok(())
            }
            Err(Broken::Sink(source)) => Err(VaultError::Output { source }),
            Err(Broken::Stopped) => Err(VaultError::Stopped),
        }
    }

    pub(super) fn blame(&mut self, id: &str, finding: Finding) {
        self.lower(id, finding.weight);
        self.findings.push(finding);
    }

    pub(super) fn lower(&mut self, id: &str, weight: Verdict) {
        let verdict = self.exhibit_verdicts.entry(id.into()).or_insert(weight);
        *verdict = weight.max(*verdict);
    }
}

/// Whether a blob that something names is there.
enum Presence {
    Here,
    /// It may be absent, and is.
    Disposed,
    /// It is missing, or not what its name says.
    Wrong(Finding),
}
