//! A file is read once, while it is sealed, and may be a pipe. So what tells of it is kept as it goes by: its head, and
//! of films and sounds the few parts with device, times and place, wherever they stand. A phone that writes a film puts
//! them last, behind gigabytes.

/// The most bytes of a file's head that are kept: 16 MiB.
pub const HEAD_BYTES_MAX: usize = 16 << 20;

/// A part that is longer tells of something else: cover pictures, thousands of samples.
const PART_BYTES_MAX: u64 = 1 << 20;
const PARTS_MAX: usize = 16;
/// A film of a day in fragments of a second has fewer; a file made of nothing but headers is given up.
const HEADERS_MAX: u32 = 1 << 20;
/// So many bytes tell what container a file is.
const START_BYTES: usize = 12;

/// One part that tells of a file: what it is called, and its bytes.
pub(super) type Part = ([u8; 4], Vec<u8>);

/// What is kept of a file that goes by.
#[derive(Default)]
pub struct Glance {
    averted: bool,
    head: Vec<u8>,
    start: Vec<u8>,
    walk: Option<Walk>,
}

impl Glance {
    /// Looks at nothing: for what is no single file.
    pub fn averted() -> Self {
        Self { averted: true, ..Self::default() }
    }

    /// The file is read anew, from its start.
    pub fn again(&mut self) {
        self.head.clear();
        self.start.clear();
        self.walk = None;
    }

    /// The next bytes of the file.
    pub fn see(&mut self, bytes: &[u8]) {
        if self.averted {
            return;
        }
        let room = HEAD_BYTES_MAX.saturating_sub(self.head.len());
        self.head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let mut rest = bytes;
        if self.start.len() < START_BYTES {
            let missing = START_BYTES.saturating_sub(self.start.len());
            let (now, later) = rest.split_at_checked(missing).unwrap_or((rest, &[]));
            self.start.extend_from_slice(now);
            rest = later;
            if self.start.len() == START_BYTES {
                self.walk = Walk::begin(&self.start);
            }
        }
        if let Some(walk) = &mut self.walk {
            walk.feed(rest);
        }
    }

    /// Its first bytes, at most [`HEAD_BYTES_MAX`].
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    pub(super) fn parts(&self) -> &[Part] {
        self.walk.as_ref().map_or(&[], |walk| &walk.parts)
    }
}

/// How a container writes the lengths of its parts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    /// ISO/IEC 14496-12, QuickTime: length and type of a box, the length with its header.
    Boxes,
    /// RIFF (and RF64, EBU Tech 3306): name and length of a chunk, the length without its header.
    Chunks,
}

/// Goes along a container, header by header, and keeps what tells.
struct Walk {
    container: Container,
    header: Vec<u8>,
    keep: u64,
    skip: u64,
    headers: u32,
    lost: bool,
    /// The length of the samples where 32 bits cannot hold it.
    samples: Option<u64>,
    parts: Vec<Part>,
}

impl Walk {
    fn begin(start: &[u8]) -> Option<Self> {
        const FIRST: [&[u8]; 6] = [b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"];
        let (first, middle, last) = (start.get(..4)?, start.get(4..8)?, start.get(8..12)?);
        let container = match (first, last) {
            (b"RIFF" | b"RF64", b"WAVE") => Container::Chunks,
            _ if FIRST.contains(&middle) => Container::Boxes,
            _ => return None,
        };
        let header = Vec::with_capacity(16);
        let mut walk =
            Self { container, header, keep: 0, skip: 0, headers: 0, lost: false, samples: None, parts: Vec::new() };
        if container == Container::Boxes {
            walk.feed(start);
        }
        Some(walk)
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.lost {
            let wanted = match (self.keep, self.skip) {
                (0, 0) => self.header_bytes().saturating_sub(self.header.len()) as u64,
                (0, skip) => skip,
                (keep, _) => keep,
            };
            let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
            bytes = later;
            let taken = now.len() as u64;
            if self.keep > 0 {
                self.keep = self.keep.saturating_sub(taken);
                self.kept(now);
            } else if self.skip > 0 {
                self.skip = self.skip.saturating_sub(taken);
            } else {
                self.header.extend_from_slice(now);
                if self.header.len() == self.header_bytes() {
                    self.open();
                }
            }
        }
    }

    /// A box whose length is 1 has its true length behind its type.
    fn header_bytes(&self) -> usize {
        let long = self.container == Container::Boxes && self.header.starts_with(&[0, 0, 0, 1]);
        if long && self.header.len() >= 8 { 16 } else { 8 }
    }

    fn open(&mut self) {
        self.headers = self.headers.saturating_add(1);
        let header = std::mem::take(&mut self.header);
        let opened = match self.container {
            Container::Boxes => opened_box(&header),
            Container::Chunks => self.opened_chunk(&header),
        };
        match opened {
            Some((name, bytes)) if self.headers <= HEADERS_MAX => self.enter(name, bytes),
            _ => self.lost = true,
        }
    }

    fn enter(&mut self, name: [u8; 4], bytes: u64) {
        let tells = match self.container {
            // What a film says of itself stands among the boxes of `moov`: they follow as if they stood beside it.
            Container::Boxes if &name == b"moov" => return,
            Container::Boxes => matches!(&name, b"mvhd" | b"udta" | b"meta"),
            Container::Chunks => matches!(&name, b"bext" | b"LIST" | b"ds64"),
        };
        if tells && bytes <= PART_BYTES_MAX && self.parts.len() < PARTS_MAX {
            self.parts.push((name, Vec::new()));
            self.keep = bytes;
        } else {
            self.skip = bytes;
        }
    }

    fn kept(&mut self, bytes: &[u8]) {
        let Some((name, part)) = self.parts.last_mut() else { return };
        part.extend_from_slice(bytes);
        if self.keep == 0 && name == b"ds64" {
            let samples = part.get(8..).and_then(|rest| rest.first_chunk::<8>());
            self.samples = samples.map(|samples| u64::from_le_bytes(*samples));
        }
    }

    fn opened_chunk(&self, header: &[u8]) -> Option<([u8; 4], u64)> {
        let name = *header.first_chunk::<4>()?;
        let bytes = u32::from_le_bytes(*header.get(4..)?.first_chunk::<4>()?);
        let bytes = match (bytes, self.samples) {
            (u32::MAX, Some(samples)) => samples,
            (bytes, _) => u64::from(bytes),
        };
        // Chunks begin at even places.
        Some((name, bytes.checked_add(bytes & 1)?))
    }
}

/// The type of a box and how many bytes follow its header; a length of 0 reaches to the end of the file.
fn opened_box(header: &[u8]) -> Option<([u8; 4], u64)> {
    let name = *header.get(4..)?.first_chunk::<4>()?;
    let bytes = match u32::from_be_bytes(*header.first_chunk::<4>()?) {
        0 => return Some((name, u64::MAX)),
        1 => u64::from_be_bytes(*header.get(8..)?.first_chunk::<8>()?),
        short => u64::from(short),
    };
    Some((name, bytes.checked_sub(header.len() as u64)?))
}
