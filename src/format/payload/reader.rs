//! Reads a payload in one pass and in constant memory, whatever it claims, and refuses every byte that a writer would
//! not have written.

use std::cmp::Ordering;
use std::io::{self, BufRead, Read};

use super::{CONTENT, LISTING, MEMBERS_MAX, PAYLOAD_BYTES_MIN, RECORD, member_header, member_order, padding};
use crate::format::listing::LISTING_BYTES_MAX;
use crate::format::names::{is_safe_member, printable};
use crate::format::record::RECORD_BYTES_MAX;
use crate::format::tar;

/// Why bytes are not a payload.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The source failed; a damaged segment shows here as well.
    #[error("the payload could not be read: {0}")]
    Read(#[from] io::Error),
    /// It ends too early.
    #[error("the payload ends before it is complete, after {position} bytes")]
    Ends {
        /// How far it went, in bytes.
        position: u64,
    },
    /// A header that a writer would have printed differently.
    #[error("the payload's header at byte {position} is not the one that its member has")]
    Header {
        /// Where the header begins.
        position: u64,
    },
    /// A member that may not be there: unsafe, unknown, or in the wrong place.
    #[error("the payload has a member that may not stand there: {name}")]
    Unexpected {
        /// Its name, escaped for a terminal.
        name: String,
    },
    /// A member that is repeated, out of order, or a file and a folder at once.
    #[error("the payload's member {name} is repeated or out of order")]
    Order {
        /// Its name.
        name: String,
    },
    /// A record or listing above its limit.
    #[error("the payload's {name} has {bytes} bytes, too many")]
    TooLong {
        /// Its name.
        name: String,
        /// Its claimed size.
        bytes: u64,
    },
    /// Something other than zeros where zeros belong.
    #[error("the payload has something other than zeros in its padding before byte {position}")]
    Padding {
        /// Where the stretch ends in which it was found.
        position: u64,
    },
    /// It goes on after its end.
    #[error("the payload goes on after its end at byte {position}")]
    Trailing {
        /// Where it should have ended.
        position: u64,
    },
}

/// Which member of a payload it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Part of the original.
    Content,
    /// `listing.json`.
    Listing,
    /// `record.json`.
    Record,
}

/// Reads the members of a payload in their order.
#[derive(Debug)]
pub struct PayloadReader<R> {
    source: R,
    position: u64,
    /// What is still unread of the present member, and its padding.
    left: u64,
    padding: u64,
    members: u32,
    previous: Option<String>,
    /// Where the last member stood; `None` before the first.
    place: Option<Place>,
    ended: bool,
}

/// One member: its bytes are read from it. What is left unread is skipped by the next call.
#[derive(Debug)]
pub struct Member<'a, R> {
    /// Its place in the payload.
    pub place: Place,
    /// Its whole name, safe for a terminal and below any folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    payload: &'a mut PayloadReader<R>,
}

impl<R: BufRead> PayloadReader<R> {
    /// Begins at the first byte of a payload.
    pub fn new(source: R) -> Self {
        Self { source, position: 0, left: 0, padding: 0, members: 0, previous: None, place: None, ended: false }
    }

    /// The next member; `None` only when the whole payload, its padding and its length have been found right.
    pub fn next_member(&mut self) -> Result<Option<Member<'_, R>>, PayloadError> {
        if self.ended {
            return Ok(None);
        }
        io::copy(&mut Unread(self), &mut io::sink()).map_err(|error| self.failed(error))?;
        self.expect_zeros(self.padding)?;
        self.padding = 0;
        if self.place == Some(Place::Record) {
            self.expect_end()?;
            self.ended = true;
            return Ok(None);
        }
        let (name, bytes) = self.read_header()?;
        let place = self.admit(&name, bytes)?;
        self.place = Some(place);
        (self.left, self.padding) = (bytes, padding(bytes));
        Ok(Some(Member { place, name, bytes, payload: self }))
    }

    /// How many bytes have been read.
    pub fn position(&self) -> u64 {
        self.position
    }

    fn read_header(&mut self) -> Result<(String, u64), PayloadError> {
        let position = self.position;
        let wrong = || PayloadError::Header { position };
        let (name, bytes, read) = tar::claimed_header(|| self.read_block(), wrong)?;
        if member_header(&name, bytes, self.members) == read { Ok((name, bytes)) } else { Err(wrong()) }
    }

    /// Decides whether a member may stand here.
    fn admit(&mut self, name: &str, bytes: u64) -> Result<Place, PayloadError> {
        let unexpected = || PayloadError::Unexpected { name: printable(name.as_bytes()) };
        let limited = |place, bytes_max: usize| {
            let fits = bytes <= bytes_max as u64;
            fits.then_some(place).ok_or_else(|| PayloadError::TooLong { name: name.into(), bytes })
        };
        let in_content = matches!(self.place, None | Some(Place::Content));
        match name {
            LISTING if in_content => limited(Place::Listing, LISTING_BYTES_MAX),
            RECORD => limited(Place::Record, RECORD_BYTES_MAX),
            _ => {
                let path = name.strip_prefix(CONTENT).filter(|path| is_safe_member(path)).ok_or_else(unexpected)?;
                if !in_content || self.members >= MEMBERS_MAX {
                    return Err(unexpected());
                }
                if self.previous.as_deref().is_some_and(|previous| !may_follow(previous, path)) {
                    return Err(PayloadError::Order { name: name.into() });
                }
                self.previous = Some(path.into());
                self.members = self.members.saturating_add(1);
                Ok(Place::Content)
            }
        }
    }

    fn expect_end(&mut self) -> Result<(), PayloadError> {
        let position = self.position;
        let (header, zeros) = tar::end_at(position, PAYLOAD_BYTES_MIN, CONTENT);
        for expected in header.chunks(tar::BLOCK) {
            if self.read_block()? != expected {
                return Err(PayloadError::Header { position });
            }
        }
        self.expect_zeros(zeros)?;
        match self.read_some(&mut [0])? {
            0 => Ok(()),
            _ => Err(PayloadError::Trailing { position: self.position }),
        }
    }

    fn expect_zeros(&mut self, count: u64) -> Result<(), PayloadError> {
        let mut left = count;
        while left > 0 {
            let part = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                part => part?,
            };
            let some = usize::try_from(left).unwrap_or(usize::MAX).min(part.len());
            // Not byte by byte: around small files there are more zeros than content.
            let is_zero = part.iter().take(some).fold(0, |all, byte| all | byte) == 0;
            self.source.consume(some);
            self.position = self.position.saturating_add(some as u64);
            left = left.saturating_sub(some as u64);
            if some == 0 {
                return Err(PayloadError::Ends { position: self.position });
            }
            if !is_zero {
                return Err(PayloadError::Padding { position: self.position });
            }
        }
        Ok(())
    }

    fn read_block(&mut self) -> Result<[u8; tar::BLOCK], PayloadError> {
        let mut block = [0; tar::BLOCK];
        self.source.read_exact(&mut block).map_err(|error| self.failed(error))?;
        self.position = self.position.saturating_add(tar::BLOCK as u64);
        Ok(block)
    }

    fn read_some(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.source.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn failed(&self, error: io::Error) -> PayloadError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => PayloadError::Ends { position: self.position },
            _ => PayloadError::Read(error),
        }
    }
}

impl<R: BufRead> Read for Member<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Unread(self.payload).read(buffer)
    }
}

impl<R: BufRead> BufRead for Member<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let payload = &mut *self.payload;
        if payload.left == 0 {
            return Ok(&[]);
        }
        let bytes = payload.source.fill_buf()?;
        if bytes.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let wanted = usize::try_from(payload.left).unwrap_or(usize::MAX).min(bytes.len());
        Ok(bytes.get(..wanted).unwrap_or_default())
    }

    fn consume(&mut self, bytes: usize) {
        self.payload.source.consume(bytes);
        self.payload.left = self.payload.left.saturating_sub(bytes as u64);
        self.payload.position = self.payload.position.saturating_add(bytes as u64);
    }
}

/// The unread bytes of the present member. An end before them is an error, not an end.
struct Unread<'a, R>(&'a mut PayloadReader<R>);

impl<R: Read> Read for Unread<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let payload = &mut *self.0;
        let wanted = usize::try_from(payload.left).unwrap_or(usize::MAX).min(buffer.len());
        if wanted == 0 {
            return Ok(0);
        }
        let read = payload.source.read(buffer.get_mut(..wanted).unwrap_or_default())?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        payload.left = payload.left.saturating_sub(read as u64);
        payload.position = payload.position.saturating_add(read as u64);
        Ok(read)
    }
}

/// Whether `path` may stand after `previous`: later in the order, and not inside it.
pub(crate) fn may_follow(previous: &str, path: &str) -> bool {
    let inside = path.strip_prefix(previous).is_some_and(|rest| rest.starts_with('/'));
    member_order(previous, path) == Ordering::Less && !inside
}
