//! `pack`: what others lack of this vault, in one file that tells nothing. Packing for a member is the offer: it stands in
//! the pouch, and in the own log before the pouch is begun; that a pouch was made stands there when it is finished.

mod answers;
mod fits;
mod offers;

pub use answers::answers;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use offers::{Made, Standing};

use super::absent::Absent;
use super::parity::make_parity;
use super::pieces::Pieces;
use super::select::{self, Chosen, NAMED_MAX};
use super::unfinished::Mark;
use super::volumes::VolumeWriter;
use super::write::{Piece, Plan, Unwritten, Written};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::event::{Event, Offer};
use crate::format::ids::MemberId;
use crate::format::pouch::{POUCH_BYTES_MIN, rank, stanzas};
use crate::format::volume::PouchId;
use crate::store::{Folder, RelPath, StoreError};
use crate::vault::commit::OwnLog;
use crate::vault::custody::offer::{Circumstances, Receiver, receiver};
use crate::vault::custody::{Said, say};
use crate::vault::history::History;
use crate::vault::pouch::PouchError;
use crate::vault::session::{Person, Request, Session};
use crate::vault::{Setting, Stage, VaultError, labels, random, wrap};

/// What to pack.
pub struct PackRequest<'a> {
    /// The vault.
    pub place: Request<'a>,
    /// For whom.
    pub to: &'a [Receiver],
    /// Labels of exhibits, or of one's own offers; none for all that the receivers are not known to have.
    pub ids: &'a [String],
    /// What the offer says.
    pub told: &'a Circumstances,
    /// The folder of the pouch, and its name there.
    pub out: (&'a Path, &'a RelPath),
    /// How much of it may be lost and restored, in percent.
    pub parity: Option<u16>,
    /// How large its files may be.
    pub volume_bytes: Option<u64>,
}

/// Names of files: of a pouch, and of its parity.
pub type Files = (Vec<String>, Vec<String>);

/// A pouch that was made.
#[derive(Clone, Debug)]
pub struct Packed {
    /// For whom, by name.
    pub to: Vec<(MemberId, String)>,
    /// The offers that it carries, with the receiver's name.
    pub offers: Vec<(String, String)>,
    /// The entry that says so, the last of several; `None` of answers.
    pub said: Option<Said>,
    /// What goes, by label.
    pub exhibits: Vec<String>,
    /// Whether that is all that was sealed, and the entry says so.
    pub everything: bool,
    /// How many they are known to have.
    pub known: u64,
    /// What stays because consent was withdrawn.
    pub withdrawn: Vec<String>,
    /// Of what does not go and of which consent was withdrawn, that whose record goes: in a manifest, beside the records of
    /// what was sealed with it.
    pub withdrawn_records: Vec<String>,
    /// Labels of exhibits that were to go and of which some of these files lack: what there is of them goes.
    pub broken: Vec<String>,
    /// Files that belong into it and are not here, or damaged.
    pub lacking: Vec<String>,
    /// The files that were made, in order: of the pouch, then of its parity.
    pub made: Files,
    /// What of these may stay away; `None` of one file.
    pub absent: Option<Absent>,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: Hash,
    /// How many files of the vault are in it.
    pub files: u64,
}

/// Makes a pouch.
pub fn pack(setting: &mut Setting<'_>, request: &PackRequest<'_>) -> Result<Packed, VaultError> {
    make(setting, request, true)
}

/// Makes a pouch of what logs say and of keys, without any exhibit: the first that a newcomer gets. It offers nothing.
pub fn pack_custody(setting: &mut Setting<'_>, request: &PackRequest<'_>) -> Result<Packed, VaultError> {
    make(setting, request, false)
}

fn make(setting: &mut Setting<'_>, request: &PackRequest<'_>, with_exhibits: bool) -> Result<Packed, VaultError> {
    let mut packing = Packing::begin(setting, request)?;
    let history = packing.session.history()?;
    let mark = Mark::pouch(setting, request.out, |pouch| was_said(history, packing.person, pouch))?;
    let (mut exhibits, offered) =
        if with_exhibits { packing.chosen(setting, request)? } else { (Chosen::default(), Vec::new()) };
    let (mut lacking, mut pieces) = packing.pieces(&mut exhibits)?;
    let mut broken = exhibits.lose(&packing.session, history, &lacking);
    let recipients = packing.recipients(setting)?;
    let recipients: Vec<&Recipient> = recipients.iter().collect();
    let due = packing.due(&exhibits, &offered, request.told)?;
    packing.must_fit(setting, request, (&recipients, &due, &pieces))?;
    let offers = packing.offer(setting, request, due, &mut pieces)?;
    let (written, made) = packing
        .write(setting, request, &recipients, (&mut pieces, &mut lacking))
        .map_err(|error| if offers.is_empty() { error } else { not_packed(&offers, error) })?;
    let Packing { session, person, mut own, to, .. } = packing;
    // What turned out to be damaged stands in the offer all the same: it was made before.
    let history = session.history()?;
    broken.extend(exhibits.lose(&session, history, &lacking));
    let (mut said, mut parts) = (None, exhibits.packed().into_iter().peekable());
    while let Some(exhibits) = parts.next() {
        let to = sorted(to.iter().map(|(member, _)| *member));
        // The last has them: of a pouch that was given up between two entries, none is carried.
        let carried =
            if parts.peek().is_none() { sorted(offers.iter().map(|offer| offer.place.seq)) } else { Vec::new() };
        let event = Event::Pack { to, exhibits, offers: carried, pouch: written.sha256, bytes: written.bytes };
        // Where this fails, the pouch is whole and stays marked: the entry may come with the next command.
        said = Some(say(setting, &session, person, &mut own, event)?);
    }
    mark.lift()?;
    session.remember_heads()?;
    let withdrawn_records = exhibits.records_beside(&pieces);
    let files = pieces.len() as u64;
    drop(pieces);
    Ok(Packed {
        to,
        offers: told(&offers),
        said,
        exhibits: exhibits.labels(history),
        everything: exhibits.is_everything(),
        known: exhibits.known,
        withdrawn_records,
        withdrawn: exhibits.withdrawn,
        broken,
        lacking: lacking.into_iter().map(|path| path.to_string()).collect(),
        absent: request
            .volume_bytes
            .filter(|_| made.0.len() > 1)
            .map(|each| Absent::of(written.bytes, request.parity, each)),
        made,
        bytes: written.bytes,
        sha256: written.sha256,
        files,
    })
}

/// What is at hand while a pouch is made.
struct Packing<'a> {
    session: Session,
    person: &'a Person,
    own: OwnLog,
    to: Vec<(MemberId, String)>,
}

impl<'a> Packing<'a> {
    fn begin(setting: &mut Setting<'_>, request: &PackRequest<'a>) -> Result<Self, VaultError> {
        let session = Session::open_to_write(setting, &request.place)?;
        let person = request.place.person()?;
        session.sound_history()?;
        let mut to: Vec<(MemberId, String)> = Vec::new();
        for one in request.to {
            let (member, name) = receiver(&session, one)?;
            if to.iter().all(|(known, _)| *known != member) {
                to.push((member, name));
            }
        }
        if stanzas(to.len()).is_none() {
            return Err(VaultError::Pouch(PouchError::TooManyReceivers { count: to.len() }));
        }
        let own = OwnLog::find(setting, &session, person.member())?;
        Ok(Self { session, person, own, to })
    }

    /// The exhibits, and the offers among what the person named.
    fn chosen(&self, setting: &Setting<'_>, request: &PackRequest<'_>) -> Result<(Chosen, Standing<'_>), VaultError> {
        // What one keeps for oneself is a copy: all of it goes, whoever else gets it.
        let mut to: Vec<MemberId> = self.to.iter().map(|(member, _)| *member).collect();
        if to.contains(&self.person.member()) {
            to.clear();
        }
        if request.ids.is_empty() {
            let chosen = Chosen::by_default(setting, &self.session, &to, &[])?;
            return Ok((chosen.and(&self.session, &[], &[], "")?, Vec::new()));
        }
        let history = self.session.history()?;
        let (offers, ids): (Vec<_>, Vec<_>) = request.ids.iter().cloned().partition(|id| id.contains(':'));
        let mut offered = Vec::new();
        for id in offers {
            let place = labels::find_entry(history, &id)?;
            offered.push((place, self.own_offer(history, place)?));
        }
        let standing: Vec<&Offer> = offered.iter().map(|(_, offer)| *offer).collect();
        let of_everything: Vec<&Offer> = standing.iter().copied().filter(|offer| offer.exhibits.is_empty()).collect();
        let chosen = match of_everything.as_slice() {
            [] => Chosen::default(),
            of_everything => Chosen::by_default(setting, &self.session, &to, of_everything)?,
        };
        Ok((chosen.and(&self.session, &ids, &standing, &request.told.purpose)?, offered))
    }

    /// All files that go, and those that should and cannot.
    fn pieces(&self, exhibits: &mut Chosen) -> Result<(Vec<RelPath>, Vec<Piece>), VaultError> {
        let session = &self.session;
        let wanted = select::custody(session)?;
        let mut lacking: Vec<RelPath> = wanted.missing.iter().cloned().collect();
        lacking.extend(select::unread(session, &wanted)?);
        let mut pieces = in_order(session, select::paths(&wanted))?;
        lacking.extend(exhibits.move_files(session, session.history()?, &mut pieces));
        Ok((lacking, pieces))
    }

    /// Those who can open it, and as many who do not exist as hide how many they are; in no order that tells anything.
    fn recipients(&self, setting: &mut Setting<'_>) -> Result<Vec<Recipient>, VaultError> {
        let history = self.session.history()?;
        let mut all: Vec<([u8; 16], Recipient)> = Vec::new();
        for (member, _) in &self.to {
            let card = &history.members[member].card;
            all.push((random(setting.rng), card.keys().age.clone()));
        }
        let wanted = stanzas(all.len()).expect("it was checked that they are not too many");
        while all.len() < wanted {
            all.push((random(setting.rng), wrap::nobody(setting.rng)));
        }
        all.sort_by_key(|(place, _)| *place);
        Ok(all.into_iter().map(|(_, recipient)| recipient).collect())
    }

    /// Writes the pouch, anew without each file that turns out to be damaged, and its parity. All of it stays, or nothing.
    fn write(
        &self,
        setting: &mut Setting<'_>,
        request: &PackRequest<'_>,
        recipients: &[&Recipient],
        (pieces, lacking): (&mut Vec<Piece>, &mut Vec<RelPath>),
    ) -> Result<(Written, Files), VaultError> {
        let folder = setting.disk.folder(request.out.0)?;
        loop {
            let plan = Plan { folder: &*self.session.folder, pieces, recipients, floor: POUCH_BYTES_MIN };
            let total = pieces.iter().map(Piece::bytes).sum();
            setting.watch.begin(Stage::Packing, Some(total));
            match write_once(setting, request, &plan, &*folder) {
                Ok((written, files)) => {
                    let parity =
                        parity(setting, request, &*folder, &files).inspect_err(|_| drop(folder.remove_all(&files)))?;
                    let names = |files: &[RelPath]| files.iter().map(ToString::to_string).collect();
                    return Ok((written, (names(&files), names(&parity))));
                }
                // Where one is damaged others may be: all are looked at, so that no more than one pouch is begun in vain.
                Err(Unwritten::Unreadable(path)) => {
                    let mut unreadable = plan.unreadable(setting.watch);
                    unreadable.insert(path);
                    pieces.retain(|piece| !unreadable.contains(&piece.path()));
                    lacking.extend(unreadable);
                }
                Err(Unwritten::Out(error)) => {
                    return Err(StoreError::from_io(&request.out.0.join(request.out.1), error).into());
                }
                Err(Unwritten::Other(error)) => return Err(error),
            }
        }
    }
}

/// Whether an entry of this person's says that this pouch was packed, of several the last.
fn was_said(history: &History, person: &Person, pouch: Hash) -> bool {
    let mut mine = history.counted().filter(|(place, _)| history.logs[&place.log].member == person.member());
    mine.any(|(_, told)| match &told.entry.event {
        Event::Pack { pouch: said, exhibits, .. } => {
            *said == pouch && exhibits.as_ref().is_none_or(|exhibits| exhibits.len() < NAMED_MAX)
        }
        _ => false,
    })
}

fn not_packed(offers: &[Made], error: VaultError) -> VaultError {
    VaultError::Pouch(PouchError::OfferedNotPacked { offers: told(offers), error: Box::new(error) })
}

fn told(offers: &[Made]) -> Vec<(String, String)> {
    offers.iter().map(|offer| (offer.label.clone(), offer.name.clone())).collect()
}

/// The pouch, in one file or in volumes; dropped unfinished, they are removed.
fn write_once(
    setting: &Setting<'_>,
    request: &PackRequest<'_>,
    plan: &Plan<'_>,
    folder: &dyn Folder,
) -> Result<(Written, Vec<RelPath>), Unwritten> {
    let (start, key, bytes) = plan.begin();
    let pouch = (PouchId::of(&start), bytes);
    let mut out = VolumeWriter::begin(folder, request.out.1, pouch, request.volume_bytes).map_err(Unwritten::Other)?;
    let written = plan.write(setting.watch, (&start, &key), &mut out)?;
    Ok((written, out.finish().map_err(Unwritten::Other)?))
}

/// What restores the pouch, if that is wanted: made from what was written.
fn parity(
    setting: &Setting<'_>,
    request: &PackRequest<'_>,
    folder: &dyn Folder,
    files: &[RelPath],
) -> Result<Vec<RelPath>, VaultError> {
    let Some(share) = request.parity else { return Ok(Vec::new()) };
    let (place, name) = request.out;
    let files: Vec<PathBuf> = files.iter().map(|file| place.join(file)).collect();
    let pieces = Pieces::gather(setting.disk, &files)?;
    let name = RelPath::parse(format!("{name}.parity"));
    let name = name.ok_or_else(|| StoreError::BadPath { path: place.join(request.out.1) })?;
    make_parity(setting.watch, &pieces, share, (folder, &name), request.volume_bytes)
}

/// With their lengths, in the order of a pouch.
fn in_order(session: &Session, paths: impl IntoIterator<Item = RelPath>) -> Result<Vec<Piece>, VaultError> {
    let mut pieces = Vec::new();
    for path in paths {
        let bytes = session.folder.stat(&path)?.bytes;
        pieces.push(Piece::File { path, bytes });
    }
    // What stands first of one kind stays first.
    pieces.sort_by_cached_key(|piece| rank(&piece.path().to_string()));
    Ok(pieces)
}

fn sorted<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<_>>().into_iter().collect()
}
