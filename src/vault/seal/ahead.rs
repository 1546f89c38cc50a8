//! Small files that are read ahead of what is being numbered, on all cores, in parcels of neighbours.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::aside::{Aside, SMALL_BYTES_MAX};
use super::batch::Batch;
use super::exhibit::{self, Drawn, Stop};
use super::index::Index;
use super::payload::Payload;
use super::sources::Piece;
use crate::crypto::recipient::Recipient;
use crate::format::media::Glance;
use crate::store::Disk;
use crate::vault::parallel::{self, Crew, Pending};
use crate::vault::{VaultError, Watch};

/// A parcel holds so many, or so many bytes, counted with what a payload has at least around its content.
pub(super) const PARCEL_FILES_MAX: usize = 16;
const PARCEL_BYTES_MAX: u64 = 512 << 10;
const AROUND_BYTES: u64 = 16 << 10;
/// So many parcels for each core are drawn up, or so many bytes.
const PARCELS_MAX: usize = 8;
const BYTES_MAX: u64 = 16 << 20;

/// The files of a parcel, in order, each with what became of it.
pub(super) type Read<'s> = Vec<Result<Drawn<'s, Aside>, Stop>>;

/// What reads small files, and the parcels that it is reading.
pub(super) struct Ahead<'s> {
    pub(super) disk: &'s dyn Disk,
    pub(super) watch: &'s dyn Watch,
    /// Whether the run has ended: nobody wants more.
    pub(super) over: &'s AtomicBool,
    /// Threads of their own: a disk that answers slowly keeps nothing that was read from being sealed.
    pub(super) readers: Crew<'s>,
    pub(super) parcels: VecDeque<Parcel<'s>>,
}

/// Small files at neighbouring places that are being read.
pub(super) struct Parcel<'s> {
    places: Range<usize>,
    bytes: u64,
    files: Pending<Read<'s>>,
}

/// What comes next of what is read ahead.
pub(super) enum Next<'s> {
    Parcel(Range<usize>, Read<'s>),
    NotYet,
    Nothing,
}

impl<'s> Ahead<'s> {
    /// Begins to read what stands from a place on, as far as it is small and there is room. Returns the place behind it.
    pub(super) fn fill(
        &mut self,
        recipient: &Recipient,
        batch: &mut Batch<'s>,
        index: &Index,
        mut from: usize,
    ) -> usize {
        while self.parcels.len() < PARCELS_MAX * parallel::cores()
            && self.parcels.iter().map(|parcel| parcel.bytes).sum::<u64>() < BYTES_MAX
            && let Some(parcel) = self.parcel(recipient.clone(), batch, index, from)
        {
            from = parcel.places.end;
            self.parcels.push_back(parcel);
        }
        from
    }

    /// The next parcel, waited for so long.
    pub(super) fn next(&mut self, patience: Duration) -> Next<'s> {
        let Some(Parcel { places, bytes, files }) = self.parcels.pop_front() else { return Next::Nothing };
        match files.wait_at_most(patience) {
            Ok(files) => Next::Parcel(places, files),
            Err(files) => {
                self.parcels.push_front(Parcel { places, bytes, files });
                Next::NotYet
            }
        }
    }

    /// Begins to read the small files from a place on; `None` where none stands there.
    fn parcel(&self, recipient: Recipient, batch: &mut Batch<'s>, index: &Index, from: usize) -> Option<Parcel<'s>> {
        let (mut bytes, mut pieces) = (0, Vec::new());
        for place in from..index.len() {
            let piece = index.piece(place);
            let is_small = matches!(&piece, Piece::File(file) if file.bytes <= SMALL_BYTES_MAX);
            if !is_small || pieces.len() == PARCEL_FILES_MAX || bytes >= PARCEL_BYTES_MAX {
                break;
            }
            bytes += piece.bytes() + AROUND_BYTES;
            pieces.push((batch.next_owner(), piece));
        }
        if pieces.is_empty() {
            return None;
        }
        let (places, spare) = (from..from + pieces.len(), Arc::clone(batch.spare()));
        let Self { disk, watch, over, .. } = *self;
        let mut glance = Glance::default();
        let draw = move |(owner, piece): (u64, Piece)| {
            if watch.stopped() || over.load(Ordering::Relaxed) {
                return Err(Stop::Run(VaultError::Stopped));
            }
            let sink = Aside { spare: Arc::clone(&spare), segments: Vec::new() };
            let begin = |expected, glance| Payload::new(sink, watch, owner, recipient.clone(), expected, glance);
            exhibit::draw(disk, begin, &piece, &mut std::io::empty(), &mut glance, &mut Vec::new())
        };
        let files = self.readers.begin(move || pieces.into_iter().map(draw).collect());
        Some(Parcel { places, bytes, files })
    }
}
