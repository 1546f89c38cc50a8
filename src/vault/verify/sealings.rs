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
use crate::vault::history::{History, Place, Sealing};
use crate::vault::labels::{self, exhibit_label};
use crate::vault::parallel::Crew;
use crate::vault::session::Session;
use crate::vault::{FILE_STEP, Setting, Stage, VaultError, Watch, exhibits, named, parallel};

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
        let mut stock = Stock::new(blobs, history.disposed());
        std::thread::scope(|scope| {
            // While the exhibits of one sealing are looked at, the list of the next is read.
            let crew = Crew::muster(scope, 1);
            let mut listed = history
                .sealings()
                .map(|sealing| (sealing, crew.begin(move || exhibits::rows(session, &sealing))))
                .peekable();
            while let Some((sealing, rows)) = listed.next() {
                listed.peek();
                if setting.watch.stopped() {
                    return Err(VaultError::Stopped);
                }
                self.check_sealing(setting.watch, session, history, &sealing, rows.wait(), &mut stock)?;
            }
            Ok(())
        })?;
        let amended = history.counted().filter_map(|(place, told)| match &told.entry.event {
            Event::Amend { blob, .. } => Some((place, *blob)),
            _ => None,
        });
        let amended: Vec<(Place, Hash)> = amended.collect();
        self.check_blobs(setting.watch, session, &stock.unseen(amended.iter().map(|(_, blob)| *blob)));
        for (place, blob) in amended {
            let amendment = format!("{}, entry {}", layout::log(place.log), place.seq);
            self.own(&mut stock, blob, &amendment);
            // It is no exhibit's: the first record stays as it was.
            if let Presence::Wrong(finding) = self.presence(&amendment, blob, &stock) {
                self.findings.push(finding);
            }
        }
        let rest: Vec<Hash> = blobs.iter().filter(|blob| !stock.is_owned(blob)).copied().collect();
        self.check_blobs(setting.watch, session, &rest);
        if self.unread > 0 {
            // Without its inventory nobody can say which blobs belong to a sealing: none is called a stranger.
            self.not_checked.push(format!(
                "whether every file belongs to a sealing: {} inventories could not be read",
                self.unread
            ));
            return Ok(());
        }
        let kept = named::blobs_beside(session, history);
        for blob in rest.iter().filter(|blob| !kept.contains(blob)) {
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

    fn check_sealing(
        &mut self,
        watch: &dyn Watch,
        session: &Session,
        history: &History,
        sealing: &Sealing<'_>,
        rows: Result<exhibits::Rows, Finding>,
        stock: &mut Stock<'_>,
    ) -> Result<(), VaultError> {
        self.count(Check::Inventory, 1);
        self.exhibits += u64::from(sealing.seal.count);
        let entry = format!("{}, entry {}", layout::log(sealing.place.log), sealing.place.seq);
        let own: Vec<Hash> = named::own_blobs(sealing).collect();
        self.check_blobs(watch, session, &stock.unseen(own.iter().copied()));
        for blob in own {
            self.own(stock, blob, &entry);
        }
        let rows = match rows {
            Ok(rows) => rows,
            Err(finding) => {
                for number in sealing.seal.numbers() {
                    self.lower(&exhibit_label(sealing.handle, number), finding.weight);
                }
                self.findings.push(finding);
                self.unread += 1;
                return Ok(());
            }
        };
        let exhibit = |(index, (row, blobs)): (u32, (Row, Vec<Hash>))| Exhibit {
            id: labels::label(history, &row),
            row,
            blobs,
            place: sealing.place,
            index,
        };
        let records = self.check_manifests(session, history, sealing, &rows, stock);
        let exhibits: Vec<Exhibit> = (0..).zip(rows).map(exhibit).collect();
        self.check_exhibits(watch, session, &exhibits, &records, stock)
    }

    /// The exhibits of one sealing: their blobs, and what a reader can open, on all cores.
    fn check_exhibits(
        &mut self,
        watch: &dyn Watch,
        session: &Session,
        exhibits: &[Exhibit],
        records: &BTreeMap<u64, Result<exhibits::Known, Finding>>,
        stock: &mut Stock<'_>,
    ) -> Result<(), VaultError> {
        let walk = |exhibit: &Exhibit| match records.get(&exhibit.row.number) {
            Some(Ok(known)) if exhibit.blobs.iter().all(|blob| stock.is_here(blob)) => {
                Some(content::walk(session, exhibit, known, &EachBlob(watch), &mut Nowhere))
            }
            _ => None,
        };
        // A walk through several blobs uses all cores by itself.
        let mut walks = parallel::map(exhibits, |exhibit| (exhibit.blobs.len() <= 1).then(|| walk(exhibit)));
        for (done, exhibit) in walks.iter_mut().zip(exhibits) {
            done.get_or_insert_with(|| walk(exhibit));
        }
        let walked =
            || exhibits.iter().zip(&walks).map(|(exhibit, walk)| (exhibit, walk.as_ref().and_then(Option::as_ref)));
        // A walk to the end has held each blob against its name.
        let others = walked().filter(|(_, walk)| !matches!(walk, Some(Ok(())))).flat_map(|(exhibit, _)| &exhibit.blobs);
        let others = stock.unseen(others.copied());
        self.check_blobs(watch, session, &others);
        for (exhibit, walk) in exhibits.iter().zip(walks.into_iter().map(Option::flatten)) {
            if let Some(found) = self.rows_wanted.get_mut(&exhibit.row.leaf()) {
                found.push(exhibit.place);
            }
            let is_whole = exhibit.blobs.iter().all(|blob| !self.bad_blobs.contains_key(blob));
            for blob in &exhibit.blobs {
                self.own(stock, *blob, &exhibit.id);
                if let Presence::Wrong(finding) = self.presence(&exhibit.id, *blob, stock) {
                    self.blame(&exhibit.id, finding);
                }
            }
            match (records.get(&exhibit.row.number), walk) {
                // What a bad blob leads to says nothing more.
                (Some(Ok(_)), Some(walk)) if is_whole => self.check_content(&exhibit.id, walk)?,
                (Some(Err(finding)), _) => self.blame(&exhibit.id, finding.clone()),
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
        stock: &Stock<'_>,
    ) -> BTreeMap<u64, Result<exhibits::Known, Finding>> {
        let mut all = BTreeMap::new();
        let place = format!("{}, entry {}", layout::log(sealing.place.log), sealing.place.seq);
        for manifest in &sealing.seal.manifests {
            if matches!(self.presence(&place, manifest.blob, stock), Presence::Disposed) {
                self.not_checked.push(format!("the records that {place} sealed: their manifest was disposed of"));
                continue;
            }
            if session.ring.content(&manifest.key).is_none() {
                let found = if stock.is_here(&manifest.blob) {
                    self.bad_blobs.get(&manifest.blob).cloned()
                } else {
                    exhibits::check_blob(&*session.folder, manifest.blob).err()
                };
                if let Some(finding) = found {
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
    fn own(&mut self, stock: &mut Stock<'_>, blob: Hash, owner: &str) {
        if let Some(other) = stock.own(blob, owner) {
            let message = format!("it is named by {other} and by {owner}");
            self.findings.invalid(Check::Inventory, layout::blob(blob).to_string(), message);
        }
    }

    fn presence(&self, owner: &str, blob: Hash, stock: &Stock<'_>) -> Presence {
        if let Some(finding) = self.bad_blobs.get(&blob) {
            return Presence::Wrong(finding.clone());
        }
        match (stock.is_here(&blob), stock.disposed.contains(&blob)) {
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

/// A walk tells of each blob when it has it; what is told here counts blobs, whatever their length.
struct EachBlob<'a>(&'a dyn Watch);

impl Watch for EachBlob<'_> {
    fn begin(&self, _stage: Stage, _bytes: Option<u64>) {}

    fn advance(&self, _bytes: u64) {
        self.0.advance(FILE_STEP);
    }

    fn stopped(&self) -> bool {
        self.0.stopped()
    }
}

/// The blobs of the vault. There may be a million, which is why nothing is kept of each but what it was found to belong to.
struct Stock<'a> {
    /// What lies here, in order.
    present: &'a [Hash],
    /// What each of these was found to belong to.
    owners: Vec<Option<Box<str>>>,
    /// The same of what does not lie here.
    owners_of_absent: BTreeMap<Hash, Box<str>>,
    /// What may be absent.
    disposed: BTreeSet<Hash>,
}

impl<'a> Stock<'a> {
    fn new(present: &'a [Hash], disposed: BTreeSet<Hash>) -> Self {
        Self { present, owners: vec![None; present.len()], owners_of_absent: BTreeMap::new(), disposed }
    }

    fn is_here(&self, blob: &Hash) -> bool {
        self.present.binary_search(blob).is_ok()
    }

    fn is_owned(&self, blob: &Hash) -> bool {
        match self.present.binary_search(blob) {
            Ok(index) => self.owners[index].is_some(),
            Err(_) => self.owners_of_absent.contains_key(blob),
        }
    }

    /// Notes what a blob belongs to; returns what it was found to belong to before.
    fn own(&mut self, blob: Hash, owner: &str) -> Option<Box<str>> {
        match self.present.binary_search(&blob) {
            Ok(index) => self.owners[index].replace(owner.into()),
            Err(_) => self.owners_of_absent.insert(blob, owner.into()),
        }
    }

    /// Of these, each once, what lies here and belongs to nothing yet: what does was looked at before.
    fn unseen(&self, blobs: impl Iterator<Item = Hash>) -> Vec<Hash> {
        let is_unseen = |blob: &Hash| self.present.binary_search(blob).is_ok_and(|index| self.owners[index].is_none());
        let mut unseen: Vec<Hash> = blobs.filter(is_unseen).collect();
        unseen.sort_unstable();
        unseen.dedup();
        unseen
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
