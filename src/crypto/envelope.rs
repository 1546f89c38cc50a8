//! One age file (c2sp.org/age) in memory: sealed to recipients or a passphrase, opened by identities, a file key or
//! the passphrase.
//!
//! Everything that comes from a disk passes [`open_any`]: the header is bounded and must be canonical, and not a byte
//! of plaintext leaves before the last chunk was authenticated.

mod buffer;
mod parts;
mod slots;
mod start;

pub use buffer::Buffer;
pub use parts::{PLAIN_CHUNK_BYTES, PayloadKey, SEALED_CHUNK_BYTES, begin, enter, sealed_bytes};
pub use slots::{SealedSlots, Slots, SlotsError, open_named};
pub use start::{is_for, payload_bytes, start_bytes, work_factor};

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::iter;

use age::secrecy::SecretString;
use age::stream::StreamReader;
use age::{DecryptError, Decryptor, EncryptError, Encryptor, scrypt};
use age_core::format::{FILE_KEY_BYTES, FileKey as AgeFileKey, Stanza};
use age_core::secrecy::ExposeSecret;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::recipient::{Identity, Recipient, STANZA_TAG};

/// Longest header that is read, in bytes: about 300 post-quantum stanzas. age reads headers line by line and from the
/// start each time, so a hostile one must not be long.
pub const HEADER_BYTES_MAX: usize = 512 * 1024;

/// Most lines of a header that is read.
pub const HEADER_LINES_MAX: usize = 2048;

/// The scrypt work factor of every file sealed here, as a power of two. Fixed, so that what a fast machine sealed
/// opens on a slow one: 128 MiB of memory, 0.3 s on a server core of 2024, one to two seconds on a laptop of 2010.
pub const WORK_FACTOR: u8 = 17;

/// The largest work factor that is opened: what stock `age -p` writes (256 MiB). More could only be an attack.
pub const WORK_FACTOR_MAX: u8 = 18;

const CHUNK_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
const NONCE_BYTES: usize = 16;
/// Stanzas of this ending mean nothing; age adds one so that readers learn to pass over what they do not know.
const GREASE_SUFFIX: &str = "-grease";
const STANZA_BYTES: usize = 1_600;
const GREASE_BYTES_MAX: usize = 256;

/// Why an age file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// It is sound as far as can be told, and none of the identities opens it.
    #[error("it is encrypted to another key")]
    NotForThisKey,
    /// The passphrase is another one.
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// It asks for more work than any file of this program does.
    #[error("it demands a work factor of 2^{work_factor}, more than 2^{WORK_FACTOR_MAX}")]
    TooMuchWork {
        /// The exponent that it demands.
        work_factor: u8,
    },
    /// It is no age file of version 1, or was damaged or changed.
    #[error("its {part} is damaged")]
    Damaged {
        /// Where this was noticed.
        part: Part,
    },
}

/// The parts of an age file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The form of the header, or of the nonce behind it, which age counts as part of it.
    Header,
    /// The header's authentication code: it was changed by someone without the file key.
    HeaderMac,
    /// The encrypted payload: truncated, lengthened or changed.
    Payload,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::HeaderMac => "header's authentication code",
            Self::Payload => "payload",
        })
    }
}

/// The symmetric key of one age file: whoever has it opens that file and no other. It stays where it is when its owner moves,
/// to another thread or within a growing list, and is wiped there.
#[derive(Clone, PartialEq, Eq)]
pub struct FileKey(Box<Zeroizing<[u8; FILE_KEY_BYTES]>>);

impl FileKey {
    /// From the 16 secret bytes.
    pub fn from_bytes(bytes: &[u8; FILE_KEY_BYTES]) -> Self {
        Self(Box::new(Zeroizing::new(*bytes)))
    }

    /// The 16 secret bytes.
    pub fn as_bytes(&self) -> &[u8; FILE_KEY_BYTES] {
        &self.0
    }
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FileKey(…)")
    }
}

/// A finished age file, and the key with which the one who made it can read it back.
#[derive(Debug)]
pub struct Sealed {
    /// The whole file.
    pub bytes: Vec<u8>,
    /// Its key; forgotten when dropped.
    pub file_key: FileKey,
}

/// Encrypts to `recipients`, one stanza each, in that order.
///
/// # Panics
///
/// When there are no recipients: what nobody can open is never wanted.
pub fn seal(plaintext: &[u8], recipients: &[&Recipient]) -> Sealed {
    assert!(!recipients.is_empty(), "an age file needs a recipient");
    let recipients: Vec<&dyn age::Recipient> = recipients.iter().map(|recipient| *recipient as _).collect();
    seal_to(plaintext, &recipients)
}

/// Encrypts under a passphrase, with [`WORK_FACTOR`].
pub fn seal_with_passphrase(plaintext: &[u8], passphrase: &str) -> Sealed {
    let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase));
    recipient.set_work_factor(WORK_FACTOR);
    seal_to(plaintext, &[&recipient])
}

fn seal_to(plaintext: &[u8], recipients: &[&dyn age::Recipient]) -> Sealed {
    let capture = Capture { recipients, file_key: RefCell::new(None) };
    let encryptor = Encryptor::with_recipients(iter::once(&capture as _))
        .expect("recipients of one kind, each checked when it was parsed, take any file key");
    let chunks = plaintext.len().div_ceil(CHUNK_BYTES).max(1);
    let header_bytes = 128 + GREASE_BYTES_MAX + STANZA_BYTES * recipients.len();
    let bytes = Vec::with_capacity(header_bytes + NONCE_BYTES + plaintext.len() + TAG_BYTES * chunks);
    let write = || -> io::Result<Vec<u8>> {
        let mut writer = encryptor.wrap_output(bytes)?;
        writer.write_all(plaintext)?;
        writer.finish()
    };
    let bytes = write().expect("writing into memory does not fail");
    Sealed { bytes, file_key: capture.file_key.into_inner().expect("the encryptor wrapped the file key") }
}

/// Stands between age and the recipients and keeps the file key: a sealer is no recipient, and reads back all the same.
struct Capture<'a> {
    recipients: &'a [&'a dyn age::Recipient],
    file_key: RefCell<Option<FileKey>>,
}

impl age::Recipient for Capture<'_> {
    fn wrap_file_key(&self, file_key: &AgeFileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        let (mut stanzas, mut labels) = (Vec::new(), HashSet::new());
        for recipient in self.recipients {
            let (mut theirs, their_labels) = recipient.wrap_file_key(file_key)?;
            stanzas.append(&mut theirs);
            labels.extend(their_labels);
        }
        *self.file_key.borrow_mut() = Some(FileKey::from_bytes(file_key.expose_secret()));
        Ok((stanzas, labels))
    }
}

/// Opens with the first of `identities` that fits.
pub fn open(bytes: &[u8], identities: &[&Identity]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let identities: Vec<&dyn age::Identity> = identities.iter().map(|identity| *identity as _).collect();
    open_any(bytes, &identities)
}

/// Opens with the key that [`seal`] gave back; checks all that [`open`] checks, except that a recipient could open it.
pub fn open_with_file_key(bytes: &[u8], file_key: &FileKey) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    open_any(bytes, &[&Known(file_key)])
}

/// Opens a file sealed under a passphrase, here or by stock `age -p`, up to [`WORK_FACTOR_MAX`].
pub fn open_with_passphrase(bytes: &[u8], passphrase: &str) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let mut identity = scrypt::Identity::new(SecretString::from(passphrase));
    identity.set_max_work_factor(WORK_FACTOR_MAX);
    open_any(bytes, &[&identity])
}

/// An identity that knows the file key already, whatever the stanzas say.
struct Known<'a>(&'a FileKey);

impl age::Identity for Known<'_> {
    fn unwrap_stanza(&self, _: &Stanza) -> Option<Result<AgeFileKey, DecryptError>> {
        Some(Ok(AgeFileKey::init_with_mut(|key| key.copy_from_slice(self.0.as_bytes()))))
    }
}

/// Opens with age identities of any kind: what [`open`] and its siblings rest on.
pub fn open_any(bytes: &[u8], identities: &[&dyn age::Identity]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let gate = Gate::of(bytes, |_| true, identities).ok_or(EnvelopeError::Damaged { part: Part::Header })?;
    gate.open(bytes)
}

fn unwrap_error(error: &DecryptError) -> EnvelopeError {
    match error {
        DecryptError::NoMatchingKeys => EnvelopeError::NotForThisKey,
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => EnvelopeError::WrongPassphrase,
        DecryptError::ExcessiveWork { required, .. } => EnvelopeError::TooMuchWork { work_factor: *required },
        DecryptError::InvalidMac => EnvelopeError::Damaged { part: Part::HeaderMac },
        _ => EnvelopeError::Damaged { part: Part::Header },
    }
}

/// How many stanzas of the kind `mlkem768x25519` the header has. A blob has exactly one; age's grease and foreign
/// kinds do not count. Needs no key, so nothing is authenticated yet.
pub fn hybrid_stanzas(bytes: &[u8]) -> Result<usize, EnvelopeError> {
    canonical_header(bytes).map(|header| header.hybrid_stanzas)
}

/// Whether a file is encrypted to exactly one key of this program's kind and, grease aside, to nothing else: nobody but
/// that key's holders was handed it.
pub fn is_to_one_key(bytes: &[u8]) -> Result<bool, EnvelopeError> {
    canonical_header(bytes).map(|header| header.is_to_one_key())
}

#[derive(Clone, Copy)]
struct Header {
    hybrid_stanzas: usize,
    strangers: usize,
}

impl Header {
    fn is_to_one_key(&self) -> bool {
        self.hybrid_stanzas == 1 && self.strangers == 0
    }
}

/// Reads the header and the nonce behind it, and refuses what is not written in the one way.
fn canonical_header(bytes: &[u8]) -> Result<Header, EnvelopeError> {
    let damaged = EnvelopeError::Damaged { part: Part::Header };
    let gate = Gate::of(bytes, |_| true, &[]).ok_or(damaged)?; // without a key: this never opens anything
    let _ = gate.reader(bytes);
    gate.passed.get().ok_or(damaged)
}

/// Where the header ends: behind the first line that begins with `---`, within the limits.
fn header_end(bytes: &[u8]) -> Option<usize> {
    let mut end = 0;
    for line in bytes[..bytes.len().min(HEADER_BYTES_MAX)].split_inclusive(|byte| *byte == b'\n').take(HEADER_LINES_MAX)
    {
        end += line.len();
        if line.starts_with(b"---") {
            return line.ends_with(b"\n").then_some(end);
        }
    }
    None
}

/// Stands between age and the identities: it sees the stanzas that age's own parser read, prints them again, and lets no
/// key near them where that differs: the parser still takes stanzas of before age 1.0, whose last line is missing or full.
struct Gate<'a> {
    header: &'a [u8],
    admits: fn(&Header) -> bool,
    identities: &'a [&'a dyn age::Identity],
    passed: Cell<Option<Header>>,
}

impl<'a> Gate<'a> {
    /// Before the file `bytes`; `None` where no header within the limits begins it.
    fn of(bytes: &'a [u8], admits: fn(&Header) -> bool, identities: &'a [&'a dyn age::Identity]) -> Option<Self> {
        let header = bytes.get(..header_end(bytes)?)?;
        Some(Self { header, admits, identities, passed: Cell::new(None) })
    }

    /// What decrypts the payload, of which nothing was looked at yet.
    fn reader<'b>(&self, bytes: &'b [u8]) -> Result<StreamReader<&'b [u8]>, EnvelopeError> {
        let decryptor = Decryptor::new_buffered(bytes).map_err(|error| unwrap_error(&error))?;
        decryptor.decrypt(iter::once(self as _)).map_err(|error| unwrap_error(&error))
    }

    fn open(&self, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let mut reader = self.reader(bytes)?;
        // Never less than the plaintext: growing would leave copies of it in memory that nobody wipes.
        let mut plaintext = Zeroizing::new(Vec::with_capacity(bytes.len() - self.header.len()));
        reader.read_to_end(&mut plaintext).map_err(|_| EnvelopeError::Damaged { part: Part::Payload })?;
        Ok(plaintext)
    }

    fn look(&self, stanzas: &[Stanza]) -> Option<Header> {
        let printed = printed(stanzas);
        let rest = self.header.strip_prefix(printed.as_slice())?;
        let strange = |stanza: &&Stanza| stanza.tag != STANZA_TAG && !stanza.tag.ends_with(GREASE_SUFFIX);
        rest.starts_with(b"--- ").then(|| Header {
            hybrid_stanzas: stanzas.iter().filter(|stanza| stanza.tag == STANZA_TAG).count(),
            strangers: stanzas.iter().filter(strange).count(),
        })
    }
}

impl age::Identity for Gate<'_> {
    fn unwrap_stanza(&self, _: &Stanza) -> Option<Result<AgeFileKey, DecryptError>> {
        None
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<AgeFileKey, DecryptError>> {
        self.passed.set(self.look(stanzas).filter(self.admits));
        if self.passed.get().is_none() {
            return Some(Err(DecryptError::InvalidHeader));
        }
        self.identities.iter().find_map(|identity| identity.unwrap_stanzas(stanzas))
    }
}

/// A header up to its last line, as age writes it.
fn printed(stanzas: &[Stanza]) -> Vec<u8> {
    let mut printed = b"age-encryption.org/v1\n".to_vec();
    for stanza in stanzas {
        printed.extend_from_slice(b"-> ");
        printed.extend_from_slice(stanza.tag.as_bytes());
        for argument in &stanza.args {
            printed.push(b' ');
            printed.extend_from_slice(argument.as_bytes());
        }
        let body = BASE64_STANDARD_NO_PAD.encode(&stanza.body);
        // The last line is always shorter than 64 columns, if need be empty.
        for line in body.as_bytes().chunks(64).chain((body.len() % 64 == 0).then_some(b"".as_slice())) {
            printed.push(b'\n');
            printed.extend_from_slice(line);
        }
        printed.push(b'\n');
    }
    printed
}

#[cfg(test)]
mod tests;
