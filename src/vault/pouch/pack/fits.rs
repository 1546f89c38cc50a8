//! Whether a pouch can be made at all, from the lengths of what goes: known before anything is said, since an offer cannot be
//! taken back. What is left to chance is a disk that others fill, or that fails.

use super::super::volumes::{self, PAGES_BYTES};
use super::super::write::{Piece, Plan};
use super::offers::Due;
use super::{PackRequest, Packing};
use crate::crypto::envelope::{self, sealed_bytes};
use crate::crypto::pad::padme;
use crate::crypto::recipient::Recipient;
use crate::format::entry::{ENTRY_FILE_BYTES_MAX, HEADS_MAX};
use crate::format::note::NOTE_BYTES_MAX;
use crate::format::parity::{Grid, Layout};
use crate::format::pouch::{self, POUCH_BYTES_MIN};
use crate::store::FileSystem;
use crate::vault::custody::offer::Circumstances;
use crate::vault::pouch::{PouchError, parity};
use crate::vault::{Setting, VaultError};

/// A reference to an exhibit, or a state of a log, has less in an entry.
const NAMED_BYTES_MAX: u64 = 128;
/// So much do the other fields of an entry have, and its age file beside the plaintext.
const FRAME_BYTES_MAX: u64 = 16 << 10;
/// The header of one pouch differs from that of another to the same people by less: age adds a stanza that means nothing.
const GREASE_BYTES_MAX: u64 = 1 << 10;

impl Packing<'_> {
    /// Refuses what cannot become a pouch there.
    pub(super) fn must_fit(
        &self,
        setting: &Setting<'_>,
        request: &PackRequest<'_>,
        (recipients, due, pieces): (&[&Recipient], &[Due], &[Piece]),
    ) -> Result<(), VaultError> {
        let plan = Plan { folder: &*self.session.folder, pieces, recipients, floor: POUCH_BYTES_MIN };
        let logs = self.session.history()?.logs.len();
        let offers = due.iter().flat_map(|due| &due.parts);
        let offers = offers.map(|named| offer_bytes_max((named.len() + logs) as u64, request.told));
        let archive = (plan.members_bytes(), offers.sum());
        let header = envelope::begin(recipients).0.len() as u64;
        let there = setting.disk.file_system(request.out.0)?;
        must_be_possible(lengths(header, archive), (request.parity, request.volume_bytes), &there)?;
        Ok(())
    }
}

/// The most that an offer adds to the archive: its entry, and the state that covers it.
fn offer_bytes_max(named: u64, told: &Circumstances) -> u64 {
    let Circumstances { medium, seal_number, condition, carrier, place, purpose, authority } = told;
    let words = [medium, seal_number, condition, carrier, place, purpose, authority];
    let words: usize = words.iter().map(|words| words.len()).sum();
    let entry = padme(words as u64 + (named + HEADS_MAX as u64) * NAMED_BYTES_MAX + FRAME_BYTES_MAX) + FRAME_BYTES_MAX;
    let path = "p".repeat(200);
    let member = |bytes| pouch::member_bytes(&path, bytes);
    member(entry.min(ENTRY_FILE_BYTES_MAX)) + member(NOTE_BYTES_MAX as u64)
}

/// All lengths that the pouch can have: members of so many bytes, to which at most so many come.
fn lengths(header: u64, (members, more): (u64, u64)) -> impl Iterator<Item = u64> {
    let whole = |members| pouch::whole_bytes(members, POUCH_BYTES_MIN);
    let last = whole(members + more);
    let archives = std::iter::successors(Some(whole(members)), move |archive| Some(padme(archive + 1)));
    archives.take_while(move |archive| *archive <= last).flat_map(move |archive| {
        let sealed = sealed_bytes(archive);
        [header.saturating_sub(GREASE_BYTES_MAX) + sealed, header + GREASE_BYTES_MAX + sealed]
    })
}

/// Refuses a share and volumes of which there would be too many, files that are too long there, and what has no room.
fn must_be_possible(
    lengths: impl Iterator<Item = u64>,
    (share, volume_bytes): (Option<u16>, Option<u64>),
    there: &FileSystem,
) -> Result<(), PouchError> {
    let (mut least, mut longest, mut needed) = (0, 0, 0);
    for bytes in lengths {
        let layout = share.map(|share| {
            let layout = Grid::of(bytes).and_then(|grid| Layout::of(grid, share));
            layout.ok_or(PouchError::TooLongForParity { bytes })
        });
        let layout = layout.transpose()?;
        let parity = layout.map_or(0, |layout| layout.bytes());
        least = volumes::least_bytes(bytes).max(layout.as_ref().map_or(0, parity::least_bytes)).max(least);
        longest = bytes.max(parity).max(longest);
        let data_bytes = volume_bytes.and_then(|each| volumes::data_bytes(each, bytes).ok());
        let pages = data_bytes.map_or(0, |data_bytes| bytes.div_ceil(data_bytes) * PAGES_BYTES);
        needed = (bytes + parity + pages).max(needed);
    }
    if let Some(bytes) = volume_bytes.filter(|bytes| *bytes < least) {
        return Err(PouchError::VolumeBytes { bytes, least });
    }
    let longest = volume_bytes.map_or(longest, |each| each.min(longest + PAGES_BYTES));
    if let Some(bytes_max) = there.kind.file_bytes_max().filter(|most| longest > *most) {
        return Err(PouchError::FileTooLong { bytes: longest, bytes_max });
    }
    let free = there.bytes_free;
    if free < needed { Err(PouchError::NoRoom { needed, free }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::FileSystemKind;

    fn on(kind: FileSystemKind, bytes_free: u64) -> FileSystem {
        FileSystem { kind, bytes_free, device: "0:1".into() }
    }

    fn judged(bytes: u64, share: Option<u16>, volume_bytes: Option<u64>, there: &FileSystem) -> Option<PouchError> {
        must_be_possible(lengths(8 << 10, (bytes, 40 << 10)), (share, volume_bytes), there).err()
    }

    #[test]
    fn too_many_volumes_and_too_long_files_are_known_beforehand() {
        let (disk, stick) = (on(FileSystemKind::Local, u64::MAX), on(FileSystemKind::of_magic(0x4D44), u64::MAX));
        assert!(judged(5 << 30, Some(10), None, &disk).is_none());
        for (share, volume_bytes) in [(None, None), (Some(10), None), (None, Some(4 << 30))] {
            let refused = judged(5 << 30, share, volume_bytes, &stick);
            assert!(matches!(refused, Some(PouchError::FileTooLong { bytes_max: 0xFFFF_FFFF, .. })), "{refused:?}");
        }
        assert!(judged(5 << 30, Some(100), Some(4000 << 20), &stick).is_none());
        assert!(judged(3 << 30, Some(10), None, &stick).is_none());
        // Of parity there are more bytes than of the pouch.
        assert!(matches!(judged(3900 << 20, Some(100), None, &stick), Some(PouchError::FileTooLong { .. })));
        for (bytes, share) in [(1 << 20, None), (1 << 30, None), (1 << 30, Some(10)), (90 << 30, Some(100))] {
            let Some(PouchError::VolumeBytes { least, .. }) = judged(bytes, share, Some(9000), &disk) else {
                panic!("9000 bytes are no volume")
            };
            assert!(judged(bytes, share, Some(least), &disk).is_none(), "{bytes} {share:?}: what is named is enough");
            assert!(judged(bytes, share, Some(least - 1), &disk).is_some(), "{bytes} {share:?}");
        }
        assert!(matches!(judged(129 << 30, Some(1), None, &disk), Some(PouchError::TooLongForParity { .. })));
        assert!(judged(129 << 30, None, None, &disk).is_none());
    }

    #[test]
    fn room_is_needed_for_all_of_it() {
        let free = |bytes| on(FileSystemKind::Local, bytes);
        assert!(judged(100 << 20, None, None, &free(90 << 20)).is_some());
        assert!(judged(100 << 20, None, None, &free(110 << 20)).is_none());
        assert!(judged(100 << 20, Some(50), None, &free(110 << 20)).is_some());
        // Pages of 8 KiB around each 4 KiB of the pouch.
        assert!(judged(1 << 20, None, Some(12 << 10), &free(3 << 20)).is_some());
        assert!(judged(1 << 20, None, Some(12 << 10), &free(4 << 20)).is_none());
    }

    #[test]
    fn every_length_between_is_on_the_grid() {
        let all: Vec<u64> = lengths(8 << 10, (5 << 20, 1 << 20)).collect();
        assert!(all.len() > 10 && all.is_sorted_by_key(|bytes| *bytes), "{all:?}");
        assert_eq!(lengths(8 << 10, (5 << 20, 0)).count(), 2);
    }
}
