//! As a member: wrapped keys, inventories and blobs against the entries that name them; as a reader, records and
//! payloads as well.

use std::collections::{BTreeMap, BTreeSet};

use super::Examiner;
use crate::crypto::hash::Hash;
use crate::format::event::Event;
use crate::format::inventory::Row;
use crate::format::key_file::WRAPPED_KEY_BYTES_MAX;
use crate::store::{RelPath, layout};
use crate::vault::content::{self, Broken, Nowhere};
use crate::vault::exhibits::Exhibit;
use crate::vault::findings::{Check, Finding, Verdict};
use crate::vault::history::{History, Sealing};
use crate::vault::labels::{self, exhibit_label};
use crate::vault::session::Session;
use crate::vault::{Setting, VaultError, Watch, exhibits, named, parallel};

impl Examiner {
    /// Every wrapped key that a counted entry names.
    pub(super) fn check_keys(&mut self, session: &Session, history: &History) {
        let mut expected = named::counted_keys(history);
        let files = expected.iter().map(|(id, file)| (layout::wrapped_key(*id, *file), *file));
        let is_missing = |path: &RelPath| session.folder.exists(path).is_ok_and(|there| !there);
        let (missing, files): (Vec<_>, Vec<_>) = files.partition(|(path, _)| is_missing(path));
        self.count(Check::Key, missing.len() as u64);
        for (path, _) in missing {
            let message = "a wrapped key is missing: its reader could not open what is sealed";
            self.findings.incomplete(Check::Key, path.to_string(), message);
        }
        self.check_files(session, Check::Key, &files, WRAPPED_KEY_BYTES_MAX);
        for (_, told) in named::kept_beside(history) {
            expected.extend(named::key_files(told.entry.log, &told.entry.event));
        }
        for (id, files) in &session.survey.keys {
            for file in files.iter().filter(|file| !expected.contains(&(*id, **file))) {
                let path = layout::wrapped_key(*id, *file);
                if !session.unfinished.has(&path) {
                    self.findings.incomplete(
                        Check::Foreign,
                        path.to_string(),
                        "no entry that counts names this key file",
                    );
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
        let present = blobs.iter().copied().collect();
        let mut stock = Stock { present, disposed: history.disposed(), owners: BTreeMap::new() };
        for sealing in history.sealings() {
            if setting.watch.stopped() {
                return Err(VaultError::Stopped);
            }
            self.count(Check::Inventory, 1);
            self.exhibits += u64::from(sealing.seal.count);
            for blob in named::own_blobs(&sealing) {
                let entry = format!("{}, entry {}", layout::log(sealing.place.log), sealing.place.seq);
                self.own(&mut stock, blob, &entry);
            }
            let rows = match exhibits::rows(session, &sealing) {
                Ok(rows) => rows,
                Err(finding) => {
                    for number in sealing.seal.numbers() {
                        self.lower(&exhibit_label(sealing.handle, number), finding.weight);
                    }
                    self.findings.push(finding);
                    self.unread += 1;
                    continue;
                }
            };
            let exhibit = |(index, (row, blobs)): (u32, (Row, Vec<Hash>))| Exhibit {
                id: labels::label(history, &row),
                row,
                blobs,
                place: sealing.place,
                index,
            };
            let records = self.check_manifests(session, history, &sealing, &rows, &stock.disposed);
            let exhibits: Vec<Exhibit> = (0..).zip(rows).map(exhibit).collect();
            self.check_exhibits(setting.watch, session, &exhibits, &records, &mut stock)?;
        }
        for (place, told) in history.counted() {
            if let Event::Amend { blob, .. } = &told.entry.event {
                let amendment = format!("{}, entry {}", layout::log(place.log), place.seq);
                self.own(&mut stock, *blob, &amendment);
                // It is no exhibit's: the first record stays as it was.
                if let Presence::Wrong(finding) = self.presence(&amendment, *blob, &stock) {
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
        for blob in blobs.iter().filter(|blob| !stock.owners.contains_key(blob) && !kept.contains(blob)) {
            let path = layout::blob(*blob);
            if !session.unfinished.has(&path) {
                self.findings.incomplete(
                    Check::Foreign,
                    path.to_string(),
                    "no sealing names this blob; it is no evidence",
                );
            }
        }
        Ok(())
    }

    /// The exhibits of one sealing: their blobs, and what a reader can open, on all cores.
    fn check_exhibits(
        &mut self,
        watch: &dyn Watch,
        session: &Session,
        exhibits: &[Exhibit],
        records: &BTreeMap<u64, Result<exhibits::Known, Finding>>,
        stock: &mut Stock,
    ) -> Result<(), VaultError> {
        let is_here = |blob: &Hash| stock.present.contains(blob) && !self.bad_blobs.contains_key(blob);
        let walk = |exhibit: &Exhibit| match records.get(&exhibit.row.number) {
            Some(Ok(known)) if exhibit.blobs.iter().all(is_here) => {
                Some(content::walk(session, exhibit, known, watch, &mut Nowhere))
            }
            _ => None,
        };
        // A walk through several blobs uses all cores by itself.
        let mut walks = parallel::map(exhibits, |exhibit| (exhibit.blobs.len() <= 1).then(|| walk(exhibit)));
        for (done, exhibit) in walks.iter_mut().zip(exhibits) {
            done.get_or_insert_with(|| walk(exhibit));
        }
        for (exhibit, walk) in exhibits.iter().zip(walks.into_iter().map(Option::flatten)) {
            if let Some(found) = self.rows_wanted.get_mut(&exhibit.row.leaf()) {
                found.push(exhibit.place);
            }
            for blob in &exhibit.blobs {
                self.own(stock, *blob, &exhibit.id);
                if let Presence::Wrong(finding) = self.presence(&exhibit.id, *blob, stock) {
                    self.blame(&exhibit.id, finding);
                }
            }
            match (records.get(&exhibit.row.number), walk) {
                (_, Some(walk)) => self.check_content(&exhibit.id, walk)?,
                (Some(Err(finding)), None) => self.blame(&exhibit.id, finding.clone()),
                _ => {}
            }
        }
        Ok(())
    }

    fn check_manifests(
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
                if let Err(finding) = exhibits::check_blob(&*session.folder, manifest.blob) {
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
    fn own(&mut self, stock: &mut Stock, blob: Hash, owner: &str) {
        if let Some(other) = stock.owners.insert(blob, owner.into()) {
            let message = format!("it is named by {other} and by {owner}");
            self.findings.invalid(Check::Inventory, layout::blob(blob).to_string(), message);
        }
    }

    fn presence(&self, owner: &str, blob: Hash, stock: &Stock) -> Presence {
        if let Some(finding) = self.bad_blobs.get(&blob) {
            return Presence::Wrong(finding.clone());
        }
        match (stock.present.contains(&blob), stock.disposed.contains(&blob)) {
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

    /// What the walk through an exhibit's content came to.
    fn check_content(&mut self, id: &str, walk: Result<(), Broken>) -> Result<(), VaultError> {
        self.count(Check::Record, 1);
        self.count(Check::Payload, 1);
        match walk {
            Ok(()) => Ok(()),
            Err(Broken::Exhibit(finding)) => {
                self.blame(id, finding);
                Ok(())
            }
            Err(Broken::Sink(source)) => Err(VaultError::Output { source }),
            Err(Broken::Stopped) => Err(VaultError::Stopped),
        }
    }

    fn blame(&mut self, id: &str, finding: Finding) {
        self.lower(id, finding.weight);
        self.findings.push(finding);
    }

    fn lower(&mut self, id: &str, weight: Verdict) {
        let verdict = self.exhibit_verdicts.entry(id.into()).or_insert(weight);
        *verdict = weight.max(*verdict);
    }
}

/// The blobs of the vault.
struct Stock {
    /// What lies here.
    present: BTreeSet<Hash>,
    /// What may be absent.
    disposed: BTreeSet<Hash>,
    /// What each was found to belong to.
    owners: BTreeMap<Hash, String>,
}

/// Whether a blob that something names is there.
enum Presence {
    Here,
    /// It may be absent, and is.
    Disposed,
    /// It is missing, or not what its name says.
    Wrong(Finding),
}
