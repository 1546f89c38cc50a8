//! Which cosignatures are taken: those whose cosigner is known and whose lines hold. Anybody can put a file there;
//! nobody is accused by one that is left.

use crate::crypto::envelope;
use crate::crypto::hash::Hash;
use crate::format::checkpoint::{Checkpoint, Origin};
use crate::format::cosignature::verify_cosigned;
use crate::format::entry::ENTRY_FILE_BYTES_MAX;
use crate::format::event::Head;
use crate::format::note::Note;
use crate::store::layout;
use crate::vault::history::{History, Log};
use crate::vault::session::Session;

/// Whether a file of a log in the union belongs to the vault.
pub(super) fn holds(session: &Session, history: &History, log: &Log, file: Hash) -> bool {
    let path = layout::cosignature(log.id, file);
    let bytes = session.folder.read(&path, ENTRY_FILE_BYTES_MAX);
    let Some(bytes) = bytes.ok().filter(|bytes| Hash::of(bytes) == file) else { return false };
    if envelope::is_to_one_key(&bytes) != Ok(true) {
        return false;
    }
    let plaintext = envelope::open(&bytes, &session.ring.custody()).ok();
    let Some(note) = plaintext.and_then(|plaintext| Note::parse(&plaintext).ok()) else { return false };
    is_cosignature(history, log, &note)
}

fn is_cosignature(history: &History, log: &Log, note: &Note) -> bool {
    let Ok(checkpoint) = Checkpoint::parse_text(note.text()) else { return false };
    if checkpoint.origin != (Origin { vault: history.vault, log: log.id }) {
        return false;
    }
    // A cosigned state that contradicts the log is a proof if the log's member signed it, and else a stranger's word.
    let head = Head { log: log.id, size: checkpoint.size, root: checkpoint.root };
    let keys = history.members.get(&log.member).map(|member| member.card.keys());
    let fits = head.size > log.head.size
        || log.holds(&head)
        || keys.is_some_and(|keys| Checkpoint::verify(note, keys).is_ok());
    fits && history.members.values().any(|member| verify_cosigned(note, member.card.keys()).is_ok())
}
