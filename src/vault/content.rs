//! An exhibit's content, from its blobs to its bytes: one walk that `open` and `verify` share. Every blob is checked
//! against the signed row before it is decrypted, and at the end the payload must be the one that the record tells.

use std::collections::VecDeque;
use std::io::{self, BufRead, Read};
use std::thread;

use sha2::{Digest, Sha256};

use super::Watch;
use super::exhibits::{self, Exhibit, Known, Opening};
use super::findings::{Check, Finding, Verdict};
use super::parallel::{self, Crew, Pending};
use super::session::Session;
use crate::crypto::envelope::{Buffer, Slots};
use crate::crypto::hash::Hash;
use crate::crypto::recipient::Identity;
use crate::format::listing::{FILES_MAX, Listing};
use crate::format::paragraphs;
use crate::format::payload::{Member, PART_BYTES, PayloadError, PayloadReader, Place, SEGMENT_BYTES, part_name};
use crate::format::record::Record;

/// Where content goes while it is checked. Nothing may be believed before the walk has ended well.
pub(super) trait Sink {
    /// A file begins; `name` is its safe path below the exhibit.
    fn begin(&mut self, name: &str) -> io::Result<()>;
    /// Its next bytes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// The file ends.
    fn end(&mut self) -> io::Result<()>;
}

/// For checking alone.
pub(super) struct Nowhere;

impl Sink for Nowhere {
    fn begin(&mut self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    fn write(&mut self, _bytes: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Why a walk ended early.
#[derive(Debug)]
pub(super) enum Broken {
    /// The exhibit is not what was sealed, or not whole here.
    Exhibit(Finding),
    /// The sink took no more.
    Sink(io::Error),
    /// The person wants to stop.
    Stopped,
}

/// The wish to stop, on its way through a reader.
#[derive(Debug, thiserror::Error)]
#[error("stopped, as asked")]
struct Halt;

/// What form an exhibit's content has, as its record says.
enum Shape {
    /// One file of this safe name.
    File(String),
    /// What came from standard input, in so many members.
    Parts(u32),
    /// A folder whose listing has this hash.
    Folder(Hash),
    /// Nothing but the record.
    Nothing,
}

/// What a walk has seen of a payload.
#[derive(Default)]
struct Seen {
    /// Of the content so far; of a folder, of its last file.
    sha256: Sha256,
    bytes: u64,
    members: u32,
    /// The content, where it is a text committed by paragraph.
    text: Vec<u8>,
    /// Of a folder: member, length and hash of each file.
    files: Vec<(String, u64, Hash)>,
    listing: Option<Vec<u8>>,
    record: Option<Vec<u8>>,
}

/// Walks through the payload, checks it wholly against its record, and hands the content to `sink`.
pub(super) fn walk(
    session: &Session,
    exhibit: &Exhibit,
    known: &Known,
    watch: &dyn Watch,
    sink: &mut dyn Sink,
) -> Result<(), Broken> {
    let judge = Judge { id: &exhibit.id, known };
    let shape = judge.shape()?;
    let key = session.ring.content(&exhibit.row.key).expect("the record was read with this key");
    thread::scope(|scope| {
        let crew = (exhibit.blobs.len() > 1).then(|| Crew::muster(scope, parallel::cores()));
        let (blobs, now) = (exhibit.blobs.iter(), Slots::new(Buffer::default(), 0));
        let segments = Segments { session, key, watch, blobs, crew, ahead: VecDeque::new(), now, at: 0 };
        judge.walk(&shape, segments, sink)
    })
}

/// The safe name under which standard input comes out again.
pub(super) fn input_name(record: &Record) -> String {
    let ending = match record.field("original/media_type") {
        Some("text/plain") => ".txt",
        Some("text/markdown") => ".md",
        Some("application/pdf") => ".pdf",
        Some("image/jpeg") => ".jpg",
        Some("image/png") => ".png",
        Some("application/zip") => ".zip",
        Some("application/x-tar") => ".tar",
        _ => "",
    };
    format!("standard-input{ending}")
}

/// Holds a payload against the record in the manifest, which the signed row fixes.
struct Judge<'a> {
    id: &'a str,
    known: &'a Known,
}

impl Judge<'_> {
    fn walk(&self, shape: &Shape, payload: impl BufRead, sink: &mut dyn Sink) -> Result<(), Broken> {
        let mut reader = PayloadReader::new(payload);
        let mut seen = Seen::default();
        let is_input = matches!(shape, Shape::Parts(_));
        if is_input {
            sink.begin(&format!("content/{}", input_name(&self.known.record))).map_err(Broken::Sink)?;
        }
        while let Some(mut member) = reader.next_member().map_err(|error| self.blame(error))? {
            match member.place {
                Place::Content => self.content(&mut member, shape, &mut seen, sink)?,
                Place::Listing => seen.listing = Some(self.whole(&mut member)?),
                Place::Record => seen.record = Some(self.whole(&mut member)?),
            }
        }
        self.agree(shape, &seen)?;
        if is_input {
            sink.end().map_err(Broken::Sink)?;
        }
        Ok(())
    }

    fn shape(&self) -> Result<Shape, Broken> {
        let field = |path| self.known.record.field(path);
        match (field("content/name"), field("content/parts"), field("content/listing_sha256")) {
            (Some(name), None, None) => Ok(Shape::File(name.into())),
            (None, Some(parts), None) => match parts.parse::<u32>() {
                Ok(count) if count > 0 && count.to_string() == parts => Ok(Shape::Parts(count)),
                _ => Err(self.wrong("its record does not tell how many parts it has")),
            },
            (None, None, Some(hash)) => {
                Hash::from_hex(hash).map(Shape::Folder).ok_or_else(|| self.wrong("its record names no listing"))
            }
            (None, None, None) => Ok(Shape::Nothing),
            _ => Err(self.wrong("its record tells of more than one form of content")),
        }
    }

    fn content<R: BufRead>(
        &self,
        member: &mut Member<'_, R>,
        shape: &Shape,
        seen: &mut Seen,
        sink: &mut dyn Sink,
    ) -> Result<(), Broken> {
        let (is_input, is_folder) = (matches!(shape, Shape::Parts(_)), matches!(shape, Shape::Folder(_)));
        let is_text = self.known.record.field("content/paragraphs").is_some();
        // What is remembered of each member must not fill the memory before they are counted at the end.
        self.hold(is_input || seen.files.len() < FILES_MAX, "it has more members than any folder's payload")?;
        if !is_input {
            sink.begin(&member.name).map_err(Broken::Sink)?;
        }
        if is_folder {
            seen.sha256 = Sha256::new(); // of each file by itself
        }
        loop {
            let bytes = member.fill_buf().map_err(|error| self.blame(PayloadError::Read(error)))?;
            let count = bytes.len();
            if count == 0 {
                break;
            }
            seen.sha256.update(bytes);
            if is_text && seen.text.len() <= paragraphs::TEXT_BYTES_MAX {
                seen.text.extend_from_slice(bytes);
            }
            sink.write(bytes).map_err(Broken::Sink)?;
            member.consume(count);
        }
        if !is_input {
            sink.end().map_err(Broken::Sink)?;
        }
        seen.members += 1;
        seen.bytes += member.bytes;
        if !is_input {
            seen.files.push((member.name.clone(), member.bytes, Hash(seen.sha256.clone().finalize().into())));
        }
        Ok(())
    }

    fn whole<R: BufRead>(&self, member: &mut Member<'_, R>) -> Result<Vec<u8>, Broken> {
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).map_err(|error| self.blame(PayloadError::Read(error)))?;
        Ok(bytes)
    }

    /// The whole payload was read: does it agree with the record?
    fn agree(&self, shape: &Shape, seen: &Seen) -> Result<(), Broken> {
        let record = &self.known.record;
        self.hold(seen.record == record.print().ok(), "the record inside it is not the one in the manifest")?;
        let is_folder = matches!(shape, Shape::Folder(_));
        self.hold(
            seen.listing.is_some() == is_folder,
            "it has a listing where it should have none, or none where it should",
        )?;
        let count = match shape {
            Shape::File(name) => {
                let named = seen.files.first().is_some_and(|(member, ..)| *member == format!("content/{name}"));
                self.hold(named, "its content has another name than its record says")?;
                Some(1)
            }
            Shape::Parts(parts) => {
                let full = |at: u32, bytes: u64| bytes == PART_BYTES || (at == *parts && bytes <= PART_BYTES);
                let parted =
                    (1..).zip(&seen.files).all(|(at, (name, bytes, _))| *name == part_name(at) && full(at, *bytes));
                self.hold(parted, "it is not cut into parts of 16 MiB")?;
                Some(*parts)
            }
            Shape::Folder(hash) => {
                self.folder(*hash, seen)?;
                let files = record.field("content/files");
                files.and_then(|files| files.parse().ok()).filter(|count: &u32| files == Some(&count.to_string()))
            }
            Shape::Nothing => Some(0),
        };
        self.hold(count == Some(seen.members), "it has more or fewer members than its record says")?;
        if !matches!(shape, Shape::Nothing) {
            self.hold(
                record.field("original/bytes") == Some(&seen.bytes.to_string()),
                "its length is not that in its record",
            )?;
        }
        if matches!(shape, Shape::File(_) | Shape::Parts(_)) {
            let sha256 = Hash(seen.sha256.clone().finalize().into());
            self.hold(
                record.field("original/sha256") == Some(&sha256.to_string()),
                "its SHA-256 is not that in its record",
            )?;
        }
        self.paragraphs(is_folder, seen)
    }

    fn folder(&self, hash: Hash, seen: &Seen) -> Result<(), Broken> {
        let listing = seen.listing.as_deref().unwrap_or_default();
        self.hold(Hash::of(listing) == hash, "its listing is not the one whose hash is in its record")?;
        let listing = Listing::parse(listing).map_err(|error| self.wrong(&error.to_string()))?;
        let listed = listing.files().iter().map(|file| (&file.member, file.bytes, file.sha256));
        let found = seen.files.iter().map(|(member, bytes, sha256)| (member, *bytes, *sha256));
        self.hold(listed.eq(found), "its files are not those of its listing")
    }

    fn paragraphs(&self, is_folder: bool, seen: &Seen) -> Result<(), Broken> {
        let record = &self.known.record;
        let media_type = record.field("original/media_type").filter(|_| !is_folder).unwrap_or_default();
        let found = paragraphs::paragraphs(media_type, &seen.text).unwrap_or_default();
        let counted = record.field("content/paragraphs").map(str::to_string);
        let expected = (!found.is_empty()).then(|| found.len().to_string());
        self.hold(counted == expected, "it has more or fewer paragraphs than its record says")?;
        let committed = paragraphs::commitments(record.secret(), &found);
        self.hold(committed == self.known.text, "its paragraphs are not those that were committed to")
    }

    fn hold(&self, holds: bool, otherwise: &str) -> Result<(), Broken> {
        if holds { Ok(()) } else { Err(self.wrong(otherwise)) }
    }

    fn wrong(&self, message: &str) -> Broken {
        let subject = self.id.to_string();
        Broken::Exhibit(Finding { weight: Verdict::Invalid, check: Check::Payload, subject, message: message.into() })
    }

    /// A blob's own trouble keeps its name; everything else is the payload's.
    fn blame(&self, error: PayloadError) -> Broken {
        match error {
            PayloadError::Read(error) => match error.downcast::<Finding>() {
                Ok(finding) => Broken::Exhibit(finding),
                Err(error) => match error.downcast::<Halt>() {
                    Ok(Halt) => Broken::Stopped,
                    Err(error) => self.wrong(&error.to_string()),
                },
            },
            error => self.wrong(&error.to_string()),
        }
    }
}

/// The plaintext of an exhibit's blobs: while one segment is read, the next are opened.
struct Segments<'a> {
    session: &'a Session,
    key: &'a Identity,
    watch: &'a dyn Watch,
    blobs: std::slice::Iter<'a, Hash>,
    /// Opens what is ahead; `None` for a single segment.
    crew: Option<Crew<'a>>,
    ahead: VecDeque<Pending<Opened>>,
    now: Slots,
    at: usize,
}

/// A segment, or why there is none.
type Opened = Result<Slots, Finding>;

impl<'a> Segments<'a> {
    fn begin(&self, blob: Hash, buffer: Buffer) -> impl FnOnce() -> Opened + Send + 'a {
        let (folder, key) = (&*self.session.folder, self.key);
        move || {
            let opening = Opening { check: Check::Payload, keys: &[key], other_key: Verdict::Invalid };
            exhibits::open_slots(folder, blob, &opening, buffer).map_err(|(finding, _)| finding)
        }
    }

    /// Goes on to the next segment; false at the end.
    fn next(&mut self) -> io::Result<bool> {
        if self.watch.stopped() {
            return Err(io::Error::other(Halt));
        }
        let mut buffer = std::mem::replace(&mut self.now, Slots::new(Buffer::default(), 0)).into_buffer();
        self.at = 0;
        let opened = match &self.crew {
            None => {
                let Some(blob) = self.blobs.next() else { return Ok(false) };
                self.begin(*blob, buffer)()
            }
            Some(crew) => {
                while self.ahead.len() <= parallel::cores()
                    && let Some(blob) = self.blobs.next()
                {
                    self.ahead.push_back(crew.begin(self.begin(*blob, std::mem::take(&mut buffer))));
                }
                let Some(opened) = self.ahead.pop_front() else { return Ok(false) };
                opened.wait()
            }
        };
        self.now = opened.map_err(io::Error::other)?;
        let last = self.blobs.as_slice().is_empty() && self.ahead.is_empty();
        if self.now.is_empty() || self.now.len() > SEGMENT_BYTES || (self.now.len() < SEGMENT_BYTES && !last) {
            return Err(io::Error::other("it is not cut into segments of 16 MiB"));
        }
        self.watch.advance(self.now.len() as u64);
        Ok(true)
    }
}

impl BufRead for Segments<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.now.len() {
            if !self.next()? {
                return Ok(&[]);
            }
        }
        Ok(self.now.stretch(self.at))
    }

    fn consume(&mut self, bytes: usize) {
        self.at += bytes;
    }
}

impl Read for Segments<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}
