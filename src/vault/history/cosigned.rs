//! What cosignatures carry beside the cosigner's word: a state of the log under its own member's two lines. One that is
//! beside the story shows another history, as surely as a checkpoint would, and clears whoever told of it.

use super::chain::Reading;
use super::signed::{Shown, SignedState, largest_first};
use crate::crypto::envelope::{self, SlotsError};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Identity;
use crate::format::card::Card;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::event::Head;
use crate::format::ids::LogId;
use crate::format::note::{NOTE_BYTES_MAX, Note};
use crate::store::{Folder, StoreError, layout};
use crate::vault::parallel;
use crate::vault::survey::LogFiles;

/// A note of the largest size in an age file, generously.
const COSIGNATURE_FILE_BYTES_MAX: u64 = (NOTE_BYTES_MAX as u64) + (16 << 10);

/// Opens a file of `cosign/`, or says why it is no evidence. `None` where it is unreadable or damaged, which is found where
/// files are held against their names.
pub(crate) fn open_cosignature(
    folder: &dyn Folder,
    log: LogId,
    file: Hash,
    custody: &[&Identity],
) -> Option<Result<Note, &'static str>> {
    let bytes = match folder.read(&layout::cosignature(log, file), COSIGNATURE_FILE_BYTES_MAX) {
        Err(StoreError::TooLarge { .. }) => return Some(Err("it is longer than a cosignature; it is no evidence")),
        other => other.ok()?,
    };
    Some(match envelope::open_named(bytes, file, custody) {
        Ok(plaintext) => Note::parse(&plaintext).map_err(|_| "it holds no cosignature; it is no evidence"),
        Err(SlotsError::OtherHash) => return None,
        Err(SlotsError::NotToOneKey) => Err("it is not an age file to exactly one key; it is no evidence"),
        Err(SlotsError::Envelope(_)) => Err("no custody key here opens it; it is no evidence"),
    })
}

/// States up to `largest` that cosignatures of a log carry, that are not those of the story, and that its own member signed.
pub(super) fn other_states(
    reading: &Reading<'_>,
    id: LogId,
    files: &LogFiles,
    card: &Card,
    largest: u64,
    is_told: impl Fn(&Head) -> bool + Sync,
) -> Vec<SignedState> {
    let states = parallel::map(&files.cosignatures, |file| {
        let note = open_cosignature(reading.folder, id, *file, reading.custody)?.ok()?;
        let checkpoint = Checkpoint::parse_text(note.text()).ok()?;
        let head = Head { log: id, size: checkpoint.size, root: checkpoint.root };
        let here = checkpoint.origin == (Origin { vault: reading.vault, log: id }) && head.size <= largest;
        // The signatures are looked at only where the story does not prove the state by itself.
        (here && !is_told(&head) && Checkpoint::verify(&note, card.keys()).is_ok())
            .then_some(SignedState { head, shown: Shown::Cosigned(note) })
    });
    let mut states: Vec<SignedState> = states.into_iter().flatten().collect();
    largest_first(&mut states);
    states
}
