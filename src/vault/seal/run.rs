//! One run of the verb. Small files are drawn up and made into exhibits on all cores, in parcels: waking a thread costs as much
//! as a small file. What is larger streams, one after the other. Numbers are given out in the order of the index, and
//! only to what was read to its end.
//!
//! While one group lands, the next is numbered; nothing of it is on the disk before the first is signed for.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::ahead::{Ahead, Next, PARCEL_FILES_MAX, Read};
use super::aside::Aside;
use super::batch::{Batch, Stream};
use super::exhibit::{self, Drawn, Made, Stop};
use super::group::{Group, Item};
use super::index::Index;
use super::payload::{Payload, Sink};
use super::sources::Piece;
use super::{SealRequest, Sealed, SealedExhibit, Skipped, Target};
use crate::crypto::commit::Secret;
use crate::crypto::recipient::Recipient;
use crate::format::ids::KeyId;
use crate::format::media::Glance;
use crate::format::record::Binding;
use crate::format::role::Section;
use crate::vault::commit::OwnLog;
use crate::vault::labels::exhibit_label;
use crate::vault::parallel::{self, Crew, Pending};
use crate::vault::session::Session;
use crate::vault::{Setting, VaultError, random};

/// An entry is written when so many exhibits, or so many bytes, of the next have their numbers: less than lands at once.
const MEANWHILE_MAX: u64 = 256;
const MEANWHILE_BYTES_MAX: u64 = 16 << 20;

/// How long a parcel is waited for before it is asked whether the run should stop, or what is done be sealed first.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the person said of each exhibit: path and value.
type Said = Arc<Vec<(String, String)>>;

/// One run of the verb.
pub(super) struct Run<'a> {
    pub(super) request: &'a SealRequest<'a>,
    pub(super) session: &'a Session,
    pub(super) log: &'a mut OwnLog,
    pub(super) target: Target,
    pub(super) group: Group,
    /// The group before it, while it lands.
    pub(super) closing: Option<Group>,
    /// What is sealed, or told as skipped, by its place.
    pub(super) settled: Vec<bool>,
    pub(super) each: &'a mut dyn FnMut(SealedExhibit),
    pub(super) sealed: Sealed,
}

/// Small files that have their numbers, and wait to be made into exhibits.
type Numbered<'s> = Vec<(Drawn<'s, Aside>, Secret, Binding, Said)>;

impl Run<'_> {
    pub(super) fn all(
        &mut self,
        setting: &mut Setting<'_>,
        index: &Index,
        input: &mut dyn std::io::Read,
    ) -> Result<(), VaultError> {
        let (disk, watch, over) = (setting.disk, setting.watch, AtomicBool::new(false));
        std::thread::scope(|scope| {
            let mut batch = Batch::new(scope, self.session, self.request.readback);
            let (readers, parcels) = (Crew::muster(scope, parallel::cores()), VecDeque::new());
            let mut ahead = Ahead { disk, watch, over: &over, readers, parcels };
            let outcome = match self.pieces(setting, &mut batch, &mut ahead, index, input) {
                // A full group is signed for, whenever the wish to stop comes.
                Err(VaultError::Stopped) => self.finish(setting, &mut batch).and(Err(VaultError::Stopped)),
                outcome => outcome,
            };
            over.store(true, Ordering::Relaxed);
            self.sealed.from_medium = batch.is_from_medium();
            if outcome.is_err() {
                // Whatever is not committed is given up: the vault is as it was after the last entry. What cannot be removed now the
                // device's memory knows, and the next run clears.
                let _ = batch.abandon();
            }
            outcome
        })
    }

    fn pieces<'s>(
        &mut self,
        setting: &mut Setting<'_>,
        batch: &mut Batch<'s>,
        ahead: &mut Ahead<'s>,
        index: &Index,
        input: &mut dyn std::io::Read,
    ) -> Result<(), VaultError> {
        let mut next = 0;
        loop {
            if setting.watch.stopped() {
                return Err(VaultError::Stopped);
            }
            if self.group.has_at_least(MEANWHILE_MAX, MEANWHILE_BYTES_MAX) {
                self.finish(setting, batch)?;
            }
            next = ahead.fill(&self.target.recipient, batch, index, next);
            // Nothing that can be signed for waits for a slow disk.
            match ahead.next(if self.closing.is_some() { Duration::ZERO } else { PATIENCE }) {
                Next::Parcel(places, files) => self.parcel(setting, batch, index, places, files)?,
                Next::NotYet if self.closing.is_some() => self.finish(setting, batch)?,
                Next::NotYet if self.group.has_evidence() && self.group.is_full(setting) => {
                    self.commit(setting, batch)?;
                }
                Next::NotYet => {}
                Next::Nothing if next < index.len() => {
                    self.one(setting, batch, next, &index.piece(next), input)?;
                    next += 1;
                }
                Next::Nothing => return self.commit(setting, batch),
            }
        }
    }

    /// Gives numbers to the files of a parcel, and has the crew make exhibits of them.
    fn parcel<'s>(
        &mut self,
        setting: &mut Setting<'_>,
        batch: &mut Batch<'s>,
        index: &Index,
        places: Range<usize>,
        files: Read<'s>,
    ) -> Result<(), VaultError> {
        // With room for all: a list that grows leaves copies of secrets behind.
        let mut numbered: Numbered<'s> = Vec::with_capacity(PARCEL_FILES_MAX);
        for (place, drawn) in places.zip(files) {
            let drawn = match drawn {
                Ok(drawn) => drawn,
                Err(Stop::TooLong) => {
                    self.make(setting, batch, &mut numbered)?;
                    self.one(setting, batch, place, &index.piece(place), &mut std::io::empty())?;
                    continue;
                }
                Err(Stop::Source(reason)) => {
                    self.skip(place, index.shown(place), reason);
                    continue;
                }
                Err(Stop::Run(error)) => return Err(error),
            };
            if self.group.would_overflow(drawn.bytes()) {
                self.make(setting, batch, &mut numbered)?;
                self.close(setting, batch)?;
            }
            let (secret, binding, said) = (Secret(random(setting.rng)), self.binding(), self.said());
            self.add(place, index.shown(place), &drawn, &said);
            numbered.push((drawn, secret, binding, said));
            self.follow_up(setting, batch, &mut numbered)?;
        }
        self.make(setting, batch, &mut numbered)
    }

    /// What an added exhibit may bring with it: the one in the register, and an entry, once the group is full.
    fn follow_up<'s>(
        &mut self,
        setting: &mut Setting<'_>,
        batch: &mut Batch<'s>,
        numbered: &mut Numbered<'s>,
    ) -> Result<(), VaultError> {
        if self.register_is_due() {
            self.make(setting, batch, numbered)?;
            self.register(setting, batch)?;
        }
        if self.group.is_full(setting) {
            self.make(setting, batch, numbered)?;
            self.close(setting, batch)?;
        }
        Ok(())
    }

    /// Has the crew make exhibits of what has its numbers.
    fn make<'s>(
        &mut self,
        setting: &mut Setting<'_>,
        batch: &mut Batch<'s>,
        numbered: &mut Numbered<'s>,
    ) -> Result<(), VaultError> {
        if numbered.is_empty() {
            return Ok(());
        }
        let numbered = std::mem::replace(numbered, Vec::with_capacity(PARCEL_FILES_MAX));
        let length = |bytes: u64| usize::try_from(bytes).expect("small files are small");
        let expected: Vec<(u64, usize)> =
            numbered.iter().map(|(drawn, ..)| (drawn.owner(), length(drawn.bytes()))).collect();
        // Files may have grown since they were looked at: nothing of this group lands before the one that is landing is signed for.
        if self.closing.is_some() && batch.would_land(&expected) {
            self.finish(setting, batch)?;
        }
        let made = batch.make(setting, expected, move || {
            let finished =
                numbered.into_iter().map(|(drawn, secret, binding, said)| drawn.finish(secret, &binding, &said));
            match finished.collect::<Result<Vec<(Made, Aside)>, _>>() {
                Ok(finished) => {
                    let (made, asides): (_, Vec<Aside>) = finished.into_iter().unzip();
                    (asides.into_iter().flat_map(|aside| aside.segments).collect(), Ok(made))
                }
                Err(error) => (Vec::new(), Err(error)),
            }
        })?;
        self.group.expect(made);
        Ok(())
    }

    /// Makes one exhibit of what is not small. What was skipped of a folder is told whether the rest of it is sealed or not.
    fn one(
        &mut self,
        setting: &mut Setting<'_>,
        batch: &mut Batch<'_>,
        place: usize,
        piece: &Piece,
        input: &mut dyn std::io::Read,
    ) -> Result<(), VaultError> {
        // What is done already does not wait for a large file, or for a stream whose end nobody knows.
        self.finish(setting, batch)?;
        if self.group.would_overflow(piece.bytes()) {
            self.commit(setting, batch)?;
        }
        let (secret, binding, said) = (Secret(random(setting.rng)), self.binding(), self.said());
        let owner = batch.next_owner();
        let (disk, mut skipped) = (setting.disk, Vec::new());
        let begin = streaming(setting, batch, owner, &self.target.recipient);
        let drawn = exhibit::draw(disk, begin, piece, input, &mut Glance::default(), &mut skipped);
        self.sealed.skipped.append(&mut skipped);
        match drawn {
            Ok(drawn) => {
                self.add(place, piece.shown(), &drawn, &said);
                let (made, _) = drawn.finish(secret, &binding, &said)?;
                self.group.expect(Pending::ready(Ok(vec![made])));
            }
            Err(Stop::Source(reason)) => {
                batch.drop_owner(owner)?;
                self.skip(place, piece.shown(), reason);
            }
            Err(Stop::Run(error)) => return Err(error),
            Err(Stop::TooLong) => unreachable!("a file that streams may have any length"),
        }
        self.follow_up(setting, batch, &mut Numbered::new())
    }

    /// Puts an exhibit into the group; from now on it has its number.
    fn add<S: Sink>(&mut self, place: usize, source: Vec<u8>, drawn: &Drawn<'_, S>, said: &Said) {
        self.group.add(item(drawn, self.target.key, Some((place, source))), drawn.record_bytes(said));
    }

    fn skip(&mut self, place: usize, path: Vec<u8>, reason: Cow<'static, str>) {
        self.settled[place] = true;
        self.sealed.skipped.push(Skipped { path, reason });
    }

    /// What is said of the exhibit that comes next.
    fn said(&self) -> Said {
        let mut said = self.request.fields.to_vec();
        if !self.request.register.is_empty() {
            let next = || exhibit_label(self.log.handle(), self.binding().number + 1);
            // The run's one exhibit in the section `register` follows the first that refers to it.
            let label = self.sealed.register.clone().unwrap_or_else(next);
            said.push(("source/register".to_string(), label));
        }
        Arc::new(said)
    }

    /// Whether something refers to the exhibit in the section `register`, and it is not made yet.
    fn register_is_due(&self) -> bool {
        !self.request.register.is_empty() && self.sealed.register.is_none() && self.group.has_evidence()
    }

    /// Makes that exhibit, once.
    fn register(&mut self, setting: &mut Setting<'_>, batch: &mut Batch<'_>) -> Result<(), VaultError> {
        let target = Target::find(self.session, &Section::register())?;
        let (secret, binding) = (Secret(random(setting.rng)), self.binding());
        let owner = batch.next_owner();
        let drawn = Drawn::nothing(streaming(setting, batch, owner, &target.recipient));
        self.group.add(item(&drawn, target.key, None), drawn.record_bytes(self.request.register));
        let (made, _) = drawn.finish(secret, &binding, self.request.register)?;
        self.group.expect(Pending::ready(Ok(vec![made])));
        self.sealed.register = Some(exhibit_label(self.log.handle(), binding.number));
        Ok(())
    }

    fn binding(&self) -> Binding {
        let before = self.closing.as_ref().map_or(0, Group::len);
        let number = self.log.next_number() + before + self.group.len();
        Binding { vault: self.session.vault, log: self.log.id(), number }
    }

    /// Commits all that has its number.
    fn commit(&mut self, setting: &mut Setting<'_>, batch: &mut Batch<'_>) -> Result<(), VaultError> {
        self.finish(setting, batch)?;
        if self.group.has_evidence() {
            self.close(setting, batch)?;
            return self.finish(setting, batch);
        }
        self.group = Group::new(setting);
        batch.abandon()
    }

    /// Lets the group land, and begins the next: one core does what an entry needs, and the others have something to do meanwhile.
    fn close(&mut self, setting: &mut Setting<'_>, batch: &mut Batch<'_>) -> Result<(), VaultError> {
        self.finish(setting, batch)?;
        batch.land(setting)?;
        self.closing = Some(std::mem::replace(&mut self.group, Group::new(setting)));
        Ok(())
    }

    /// Commits the group that is landing, if one is.
    fn finish(&mut self, setting: &mut Setting<'_>, batch: &mut Batch<'_>) -> Result<(), VaultError> {
        let Some(group) = self.closing.take() else { return Ok(()) };
        let person = self.request.place.person()?;
        let readback = self.request.readback;
        let (head, exhibits) = group.commit(setting, self.session, self.log, person, batch, readback)?;
        self.sealed.head = Some(head);
        for (place, exhibit) in exhibits {
            self.settled[place] = true;
            self.sealed.count += 1;
            self.sealed.bytes = self.sealed.bytes.saturating_add(exhibit.bytes);
            (self.each)(exhibit);
        }
        Ok(())
    }
}

/// Begins a payload whose segments go to the batch one by one.
fn streaming<'w, 'a, 'b: 'w, 's>(
    setting: &'a mut Setting<'b>,
    batch: &'a mut Batch<'s>,
    owner: u64,
    recipient: &Recipient,
) -> impl FnOnce(u64, Glance) -> Payload<'w, Stream<'a, 'b, 's>> {
    let (watch, recipient) = (setting.watch, recipient.clone());
    move |expected, glance| Payload::new(Stream { setting, batch }, watch, owner, recipient, expected, glance)
}

fn item<S: Sink>(drawn: &Drawn<'_, S>, key: KeyId, source: Option<(usize, Vec<u8>)>) -> Item {
    let (owner, bytes, sha256, changed) = (drawn.owner(), drawn.bytes(), drawn.sha256(), drawn.changed);
    Item { owner, key, source, bytes, sha256, changed }
}
