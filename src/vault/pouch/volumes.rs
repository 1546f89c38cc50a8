//! The bytes of a pouch on their way out: into one file, or into volumes of a size that a stick, a mail or a courier takes.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::crypto::hash::Hash;
use crate::format::parity::{CELL_BYTES_MIN, Grid};
use crate::format::volume::{PAGE_BYTES, PARTS_MAX, PouchId, VolumePage};
use crate::store::{Folder, Mode, OutFile, RelPath, StoreError};
use crate::vault::VaultError;
use crate::vault::pouch::PouchError;

/// What a volume holds beside its part of the pouch.
pub(super) const PAGES_BYTES: u64 = 2 * PAGE_BYTES as u64;

/// Files of one making: all of them stay, or none.
pub(super) struct Made<'a> {
    folder: &'a dyn Folder,
    finished: Vec<RelPath>,
    stay: bool,
}

impl<'a> Made<'a> {
    pub(super) fn none_yet(folder: &'a dyn Folder) -> Self {
        Self { folder, finished: Vec::new(), stay: false }
    }

    /// Ends a file, whose date tells nothing.
    pub(super) fn add(&mut self, path: RelPath, mut file: Box<dyn OutFile>) -> Result<(), StoreError> {
        file.undate();
        file.finish()?;
        self.finished.push(path);
        Ok(())
    }

    /// Makes them durable.
    pub(super) fn keep(mut self) -> Result<Vec<RelPath>, StoreError> {
        self.folder.sync(&self.finished)?;
        self.stay = true;
        Ok(self.finished.clone())
    }
}

impl Drop for Made<'_> {
    fn drop(&mut self) {
        if !self.stay {
            for path in &self.finished {
                // What cannot be removed was told of by the error that brought us here.
                let _ = self.folder.remove(path);
            }
        }
    }
}

/// The name of one of several files, from 1.
pub(super) fn part_name(name: &RelPath, part: u64, parts: u64) -> Result<RelPath, VaultError> {
    let width = parts.to_string().len().max(3);
    let mut numbered = name.as_path().as_os_str().to_owned();
    numbered.push(format!(".{part:0width$}"));
    RelPath::parse(&numbered).ok_or_else(|| StoreError::BadPath { path: numbered.into() }.into())
}

/// Writes a pouch: what is written is cut as it comes. Dropped before [`VolumeWriter::finish`], it leaves nothing.
pub struct VolumeWriter<'a> {
    made: Made<'a>,
    name: RelPath,
    pouch: PouchId,
    total: u64,
    /// Bytes of the pouch in each volume but the last; `None`: one file, without pages.
    data_bytes: Option<u64>,
    written: u64,
    open: Option<Open>,
}

struct Open {
    path: RelPath,
    file: Box<dyn OutFile>,
    hasher: Sha256,
}

impl<'a> VolumeWriter<'a> {
    /// Begins a pouch of exactly `total` bytes, under this name or, where volumes of at most `volume_bytes` are wanted,
    /// under names made from it.
    pub fn begin(
        folder: &'a dyn Folder,
        name: &RelPath,
        (pouch, total): (PouchId, u64),
        volume_bytes: Option<u64>,
    ) -> Result<Self, VaultError> {
        let data_bytes = volume_bytes.map(|bytes| data_bytes(bytes, total)).transpose()?;
        let made = Made::none_yet(folder);
        let mut writer = Self { made, name: name.clone(), pouch, total, data_bytes, written: 0, open: None };
        writer.open_next().map_err(|error| refusal(name, error))?;
        Ok(writer)
    }

    /// Keeps what was written, durably; returns the files, in order.
    ///
    /// # Panics
    ///
    /// When less was written than was announced: each volume says how long the whole is.
    pub fn finish(mut self) -> Result<Vec<RelPath>, VaultError> {
        assert_eq!(self.written, self.total, "a pouch is as long as it was planned");
        let (page, open) = (self.data_bytes.map(|_| self.page()), self.open.take());
        close(&mut self.made, page, open).map_err(|error| refusal(&self.name, error))?;
        Ok(self.made.keep()?)
    }

    /// The page of the volume that is being written.
    fn page(&self) -> VolumePage {
        let data_bytes = self.data_bytes.unwrap_or(self.total);
        let before = self.written.saturating_sub(1) / data_bytes * data_bytes;
        VolumePage {
            part: before / data_bytes + 1,
            parts: self.total.div_ceil(data_bytes),
            pouch: self.pouch,
            total: self.total,
            offset: before,
            length: (self.total - before).min(data_bytes),
        }
    }

    fn open_next(&mut self) -> io::Result<()> {
        let Some(data_bytes) = self.data_bytes else {
            let file = self.made.folder.create_stream(&self.name, Mode::Open).map_err(io::Error::other)?;
            self.open = Some(Open { path: self.name.clone(), file, hasher: Sha256::new() });
            return Ok(());
        };
        let page = self.page_at(data_bytes);
        let path = part_name(&self.name, page.part, page.parts).map_err(io::Error::other)?;
        let mut file = self.made.folder.create_stream(&path, Mode::Open).map_err(io::Error::other)?;
        file.write_all(&page.print(None))?;
        self.open = Some(Open { path, file, hasher: Sha256::new() });
        Ok(())
    }

    /// The page of the volume that begins where writing stands.
    fn page_at(&self, data_bytes: u64) -> VolumePage {
        let offset = self.written;
        VolumePage {
            part: offset / data_bytes + 1,
            offset,
            length: (self.total - offset).min(data_bytes),
            ..self.page()
        }
    }
}

impl Write for VolumeWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.written == self.total {
            return Err(io::Error::other("more than was announced"));
        }
        let mut room = self.total - self.written;
        if let Some(data_bytes) = self.data_bytes {
            if self.written > 0 && self.written.is_multiple_of(data_bytes) {
                let (page, open) = (self.page(), self.open.take());
                close(&mut self.made, Some(page), open)?;
                self.open_next()?;
            }
            room = room.min(data_bytes - self.written % data_bytes);
        }
        let open = self.open.as_mut().ok_or_else(|| io::Error::other("an earlier write failed"))?;
        let taken = bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        open.file.write_all(&bytes[..taken])?;
        if self.data_bytes.is_some() {
            open.hasher.update(&bytes[..taken]);
        }
        self.written += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What the disk refused, of an error that writing a pouch of this name gave.
pub fn refusal(name: &RelPath, error: io::Error) -> StoreError {
    error.downcast::<StoreError>().unwrap_or_else(|error| StoreError::from_io(name.as_path(), error))
}

/// Ends a volume with its page.
fn close(made: &mut Made<'_>, page: Option<VolumePage>, open: Option<Open>) -> io::Result<()> {
    let Some(Open { path, mut file, hasher }) = open else { return Err(io::Error::other("an earlier write failed")) };
    if let Some(page) = page {
        file.write_all(&page.print(Some(Hash(hasher.finalize().into()))))?;
    }
    made.add(path, file).map_err(io::Error::other)
}

/// How much of the pouch goes into a volume: whole cells, so that a lost volume costs no cell of another.
pub(super) fn data_bytes(volume_bytes: u64, total: u64) -> Result<u64, VaultError> {
    let least = least_bytes(total);
    if volume_bytes < least {
        return Err(VaultError::Pouch(PouchError::VolumeBytes { bytes: volume_bytes, least }));
    }
    let cell_bytes = cell_bytes(total);
    Ok((volume_bytes - PAGES_BYTES) / cell_bytes * cell_bytes)
}

/// The least that volumes of a pouch of this length may have: there are so many numbers for them.
pub(super) fn least_bytes(total: u64) -> u64 {
    let cell_bytes = cell_bytes(total);
    PAGES_BYTES + cell_bytes.max(total.div_ceil(PARTS_MAX).next_multiple_of(cell_bytes))
}

fn cell_bytes(total: u64) -> u64 {
    Grid::of(total).map_or(CELL_BYTES_MIN, |grid| grid.cell_bytes)
}
