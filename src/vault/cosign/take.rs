//! Cosignatures that came as a text, by phone or mail, are taken into this copy: each is checked against what is here,
//! and those that hold and are not here yet are added. A crash leaves nothing that counts.

use std::collections::BTreeSet;

use super::check::{Cosignature, Judge, Worth, check};
use crate::format::checkpoint::Checkpoint;
use crate::format::cosignature::complete;
use crate::format::event::Head;
use crate::format::ids::MemberId;
use crate::format::note::Note;
use crate::store::{Mode, RelPath};
use crate::vault::findings::Verdict;
use crate::vault::history::History;
use crate::vault::session::{Request, Session};
use crate::vault::{Setting, VaultError, random};

/// One that holds.
#[derive(Clone, Debug)]
pub struct TakenOne {
    /// The state.
    pub head: Head,
    /// What the log's labels start with.
    pub handle: String,
    /// Whose log it is, by pseudonym.
    pub owner: String,
    /// Who cosigned, by pseudonym.
    pub cosigner: String,
    /// When, in seconds since 1970-01-01T00:00:00Z, as the cosigner's clock claimed.
    pub time: u64,
    /// What it is worth here.
    pub worth: Worth,
}

/// One that was not taken.
#[derive(Clone, Debug)]
pub struct RefusedOne {
    /// Which of those in the text, counted from 1.
    pub number: usize,
    /// Whether something was checked and does not hold, or it only could not be used here.
    pub weight: Verdict,
    /// Why.
    pub reason: String,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Added to this copy.
    pub added: Vec<TakenOne>,
    /// Here already.
    pub here: Vec<TakenOne>,
    /// Not taken.
    pub refused: Vec<RefusedOne>,
}

/// Takes cosignatures into a vault that this device trusts. What does not verify in that vault hinders nothing: a
/// cosignature may be the very proof of it.
pub fn take(setting: &mut Setting<'_>, request: &Request<'_>, notes: &[Note]) -> Result<Taken, VaultError> {
    let person = request.person()?.member();
    let session = Session::open_to_write(setting, request)?;
    let history = session.history()?;
    if !session.pinned {
        return Err(VaultError::NotPinned { vault: session.vault });
    }
    let checked = check(&session, history);
    let (judge, mut taken, mut files) = (Judge::new(history), Taken::default(), Vec::new());
    let mut beyond = Vec::new();
    let mut known: BTreeSet<(MemberId, Head)> = checked.held.iter().map(|held| (held.cosigner, held.head)).collect();
    for (number, note) in (1..).zip(notes) {
        match judge.note(note) {
            Err(refusal) => {
                taken.refused.push(RefusedOne { number, weight: refusal.weight, reason: refusal.reason });
            }
            Ok(cosignature) => {
                let one = described(history, &cosignature);
                let is = (cosignature.cosigner, cosignature.head);
                if known.contains(&is) {
                    taken.here.push(one);
                    continue;
                }
                known.insert(is);
                let note = proving(history, &cosignature);
                files.push(super::file(&session, cosignature.head.log, &note)?);
                taken.added.push(one);
                beyond.extend((cosignature.worth == Worth::Beyond).then_some((cosignature.head, note)));
            }
        }
    }
    write(setting, &session, &person, &files)?;
    // This device has now seen a longer state: a copy that lacks it is behind from now on, whatever becomes of the file.
    for (head, note) in beyond {
        if head.size > session.memory.seen_size(&session.vault, &head.log)? {
            session.memory.remember(&session.vault, &head.log, head.size, &note.to_bytes())?;
        }
    }
    Ok(taken)
}

fn described(history: &History, cosignature: &Cosignature) -> TakenOne {
    let log = &history.logs[&cosignature.head.log];
    TakenOne {
        head: cosignature.head,
        handle: log.handle.clone(),
        owner: history.name_of(log.member),
        cosigner: history.name_of(cosignature.cosigner),
        time: cosignature.time,
        worth: cosignature.worth,
    }
}

/// The note with the log's own two lines only where they hold; where they came without, those of this copy.
fn proving(history: &History, cosignature: &Cosignature) -> Note {
    let log = &history.logs[&cosignature.head.log];
    let owner = history.members[&log.member].card.keys();
    if Checkpoint::verify(&cosignature.note, owner).is_ok() {
        return cosignature.note.clone();
    }
    let cosigner = history.members[&cosignature.cosigner].card.keys();
    // Of smaller states the log's own lines may be nowhere: the story proves them by itself.
    let signed = if log.head == cosignature.head { &log.note } else { &bare(cosignature) };
    complete(signed, owner, &cosignature.note, cosigner)
}

/// The cosigner's lines alone.
fn bare(cosignature: &Cosignature) -> Note {
    let name = cosignature.cosigner.key_name();
    let lines = cosignature.note.lines().iter().filter(|line| line.name() == name).cloned();
    Note::new(cosignature.note.text().to_owned(), lines.collect())
}

/// Names first, so that the next command knows what a crash left; then the files, durable as a group.
fn write(
    setting: &mut Setting<'_>,
    session: &Session,
    person: &MemberId,
    files: &[(RelPath, Vec<u8>)],
) -> Result<(), VaultError> {
    if files.is_empty() {
        return Ok(());
    }
    let paths: Vec<RelPath> = files.iter().map(|(path, _)| path.clone()).collect();
    let intent = session.memory.intend(&session.vault, person, random(setting.rng), &paths)?;
    for (path, bytes) in files {
        session.folder.create(path, bytes, Mode::Open)?;
    }
    session.folder.sync(&paths)?;
    Ok(session.memory.forget(&intent)?)
}
