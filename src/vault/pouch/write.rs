//! The files on their way into a pouch: one thread reads them and holds them against their names, one encrypts, one
//! hashes and writes what comes of it. What waits between them is bounded, whatever the pouch's size.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use sha2::{Digest, Sha256};

use crate::crypto::envelope::{self, PLAIN_CHUNK_BYTES, PayloadKey, SEALED_CHUNK_BYTES};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Recipient;
use crate::format::pouch;
use crate::format::tar::padding;
use crate::store::hygiene::leaving_nothing;
use crate::store::{Folder, RelPath, layout};
use crate::vault::exhibits::BLOB_BYTES_MAX;
use crate::vault::{Stage, VaultError, Watch, parallel};

/// Chunks that are encrypted between two handovers: 1 MiB.
const SLAB_CHUNKS: usize = 16;
/// Slabs, and read files, that may wait for the next thread.
const WAITING: usize = 3;
const ZEROS: usize = 64 << 10;

/// One file, as it is to stand in the pouch. There may be a million of them.
pub(super) enum Piece {
    /// A sealed file of the vault.
    Blob {
        /// Its name.
        sha256: Hash,
        /// Its length.
        bytes: u64,
    },
    /// Another file of the vault.
    File {
        /// Where it lies, and will.
        path: RelPath,
        /// Its length.
        bytes: u64,
    },
    /// What was signed just now, and is not read from the vault.
    Signed {
        /// Where it will lie.
        path: RelPath,
        /// All of it.
        content: Vec<u8>,
    },
}

impl Piece {
    /// Its path in the pouch.
    pub(super) fn path(&self) -> RelPath {
        match self {
            Self::Blob { sha256, .. } => layout::blob(*sha256),
            Self::File { path, .. } | Self::Signed { path, .. } => path.clone(),
        }
    }

    /// Its length.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Blob { bytes, .. } | Self::File { bytes, .. } => *bytes,
            Self::Signed { content, .. } => content.len() as u64,
        }
    }
}

/// What is packed, and how.
pub(super) struct Plan<'a> {
    pub(super) folder: &'a dyn Folder,
    pub(super) pieces: &'a [Piece],
    pub(super) recipients: &'a [&'a Recipient],
    /// The shortest that the archive may be.
    pub(super) floor: u64,
}

/// What came of it.
pub(super) struct Written {
    pub(super) sha256: Hash,
    pub(super) bytes: u64,
}

/// Why a pouch did not come to its end.
pub(super) enum Unwritten {
    /// This file of the vault is not as it was promised, or cannot be read: the pouch can be made without it.
    Unreadable(RelPath),
    /// The pouch could not be written.
    Out(io::Error),
    /// Something else.
    Other(VaultError),
}

impl Plan<'_> {
    /// How much its members take, with their headers.
    pub(super) fn members_bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| pouch::member_bytes(&piece.path().to_string(), piece.bytes())).sum()
    }

    /// How long the archive is.
    pub(super) fn archive_bytes(&self) -> u64 {
        pouch::whole_bytes(self.members_bytes(), self.floor)
    }

    /// Makes the header and the key of what follows; how long the whole pouch is.
    pub(super) fn begin(&self) -> (Vec<u8>, PayloadKey, u64) {
        let (start, key) = envelope::begin(self.recipients);
        let bytes = start.len() as u64 + envelope::sealed_bytes(self.archive_bytes());
        (start, key, bytes)
    }

    /// Writes it.
    pub(super) fn write(
        &self,
        watch: &dyn Watch,
        (start, key): (&[u8], &PayloadKey),
        out: &mut (dyn Write + Send),
    ) -> Result<Written, Unwritten> {
        let whole = self.archive_bytes();
        let (to_cipher, plain) = sync_channel::<Vec<u8>>(WAITING);
        let (to_out, sealed) = sync_channel::<Vec<u8>>(WAITING);
        thread::scope(|scope| {
            let reading = scope.spawn(move || self.read(watch, whole, &to_cipher));
            scope.spawn(move || leaving_nothing(|| encrypt(key, whole, &plain, &to_out)));
            let written = write_out(start, &sealed, out);
            // The writer's end closes the channel: whoever still reads notices, and stops.
            drop(sealed);
            let read = reading.join().expect("no reader panics");
            match (read, written) {
                (Err(unwritten), _) => Err(unwritten),
                (Ok(()), Err(error)) => Err(Unwritten::Out(error)),
                (Ok(()), Ok(written)) => Ok(written),
            }
        })
    }

    fn read(&self, watch: &dyn Watch, whole: u64, to: &SyncSender<Vec<u8>>) -> Result<(), Unwritten> {
        let (mut offset, mut between) = (0, Vec::new());
        for (index, piece) in (0..).zip(self.pieces) {
            if watch.stopped() {
                return Err(Unwritten::Other(VaultError::Stopped));
            }
            let bytes = piece.bytes();
            let content = self.content(piece)?;
            between.extend(pouch::member_header(&piece.path().to_string(), bytes, index));
            offset += (between.len() + content.len()) as u64;
            for part in [std::mem::take(&mut between), content] {
                if to.send(part).is_err() {
                    return Ok(()); // the writer failed, and tells why
                }
            }
            between.resize(usize::try_from(padding(bytes)).expect("below 512"), 0);
            watch.advance(bytes);
        }
        offset += between.len() as u64;
        let (header, zeros) = pouch::end_at(offset, self.floor);
        debug_assert_eq!(offset + header.len() as u64 + zeros, whole);
        between.extend(header);
        let (mut left, mut next) = (zeros, between);
        while to.send(next).is_ok() && left > 0 {
            let part = usize::try_from(left).unwrap_or(ZEROS).min(ZEROS);
            next = vec![0; part];
            left -= part as u64;
        }
        Ok(())
    }

    /// The files that cannot go, as far as nobody wants to stop.
    pub(super) fn unreadable(&self, watch: &dyn Watch) -> BTreeSet<RelPath> {
        watch.begin(Stage::Checking, Some(self.pieces.iter().map(Piece::bytes).sum()));
        let look = |piece: &Piece| {
            // A medium that stumbles is asked once more.
            let is_lost = !watch.stopped() && (0..2).all(|_| self.content(piece).is_err());
            watch.advance(piece.bytes());
            is_lost.then(|| piece.path())
        };
        parallel::map(self.pieces, look).into_iter().flatten().collect()
    }

    fn content(&self, piece: &Piece) -> Result<Vec<u8>, Unwritten> {
        if let Piece::Signed { content, .. } = piece {
            return Ok(content.clone());
        }
        let path = piece.path();
        match self.folder.read(&path, BLOB_BYTES_MAX) {
            Ok(bytes) if bytes.len() as u64 == piece.bytes() && layout::is_as_named(&path, &bytes) => Ok(bytes),
            _ => Err(Unwritten::Unreadable(path)),
        }
    }
}

/// Encrypts `whole` bytes, which come in parts of any length, and hands them on slab by slab.
fn encrypt(key: &PayloadKey, whole: u64, plain: &Receiver<Vec<u8>>, to: &SyncSender<Vec<u8>>) {
    let chunks = whole.div_ceil(PLAIN_CHUNK_BYTES as u64).max(1);
    let mut parts = Parts { from: plain, part: Vec::new(), taken: 0 };
    let mut index = 0;
    while index < chunks {
        let mut slab = Vec::with_capacity(SLAB_CHUNKS * SEALED_CHUNK_BYTES);
        for index in index..chunks.min(index + SLAB_CHUNKS as u64) {
            let last = index + 1 == chunks;
            let left = whole - index * PLAIN_CHUNK_BYTES as u64;
            let wanted = usize::try_from(left).unwrap_or(PLAIN_CHUNK_BYTES).min(PLAIN_CHUNK_BYTES);
            let start = slab.len();
            if !parts.append(&mut slab, wanted) {
                return; // the reader failed, and tells why
            }
            let tag = key.seal(index, last, &mut slab[start..]);
            slab.extend_from_slice(&tag);
        }
        index += SLAB_CHUNKS as u64;
        if to.send(slab).is_err() {
            return;
        }
    }
}

/// Parts of any length, taken in pieces of any other.
struct Parts<'a> {
    from: &'a Receiver<Vec<u8>>,
    part: Vec<u8>,
    taken: usize,
}

impl Parts<'_> {
    /// Appends exactly so many bytes; false where there are not so many.
    fn append(&mut self, to: &mut Vec<u8>, count: usize) -> bool {
        let mut left = count;
        while left > 0 {
            if self.taken == self.part.len() {
                let Ok(part) = self.from.recv() else { return false };
                (self.part, self.taken) = (part, 0);
            }
            let some = left.min(self.part.len() - self.taken);
            to.extend_from_slice(&self.part[self.taken..self.taken + some]);
            self.taken += some;
            left -= some;
        }
        true
    }
}

fn write_out(start: &[u8], sealed: &Receiver<Vec<u8>>, out: &mut (dyn Write + Send)) -> io::Result<Written> {
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    let mut put = |part: &[u8]| {
        hasher.update(part);
        bytes += part.len() as u64;
        out.write_all(part)
    };
    put(start)?;
    for slab in sealed {
        put(&slab)?;
    }
    Ok(Written { sha256: Hash(hasher.finalize().into()), bytes })
}
