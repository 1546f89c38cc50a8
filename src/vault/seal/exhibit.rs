//! One source becomes one exhibit: its content streams into the payload, then its record is made from what was read
//! and what was said, and both are committed to.

use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::payload::{Payload, Read, Sink};
use super::sources::{Piece, Skipped, SourceFile, refusal};
use crate::crypto::commit::Secret;
use crate::crypto::hash::Hash;
use crate::crypto::pad;
use crate::format::listing::{ListedFile, Listing};
use crate::format::manifest::ManifestRecord;
use crate::format::media::Glance;
use crate::format::names;
use crate::format::record::{Binding, Record, RecordTree};
use crate::format::{media, paragraphs, payload};
use crate::store::{Disk, FileTime, Stat};
use crate::vault::{TOOL, VaultError};

/// What a payload has around the content of one file, roughly: its header and the record; more makes its segment grow.
const FRAME_BYTES: u64 = 8 << 10;
/// What a record has that is neither said nor read: its binding and its secret, generously.
const RECORD_BYTES: usize = 512;
/// Room for standard input, to begin with: a power of two, so that doubled again and again it is a part.
const ROOM_BYTES: usize = 64 << 10;

/// What is committed to of an exhibit.
pub(super) struct Made {
    pub(super) record: ManifestRecord,
    pub(super) tree: RecordTree,
}

/// Content in its payload. Its record is still to come: only what was read to its end is given a number.
pub(super) struct Drawn<'w, S> {
    payload: Payload<'w, S>,
    content: Content,
    /// Whether the source kept changing while it was read.
    pub(super) changed: bool,
}

/// What was learnt from the content.
struct Content {
    bytes: u64,
    sha256: Hash,
    fields: Vec<(String, String)>,
    listing: Option<Vec<u8>>,
    text: Vec<String>,
}

/// Reads what one exhibit is made from. What of a folder cannot be read is left out, and added to `skipped`. `glance` is cast
/// at a file, and may be one that was cast at another before: it has room for as much as it has ever seen.
pub(super) fn draw<'w, S: Sink>(
    disk: &dyn Disk,
    begin: impl FnOnce(u64, Glance) -> Payload<'w, S>,
    piece: &Piece,
    input: &mut dyn std::io::Read,
    glance: &mut Glance,
    skipped: &mut Vec<Skipped>,
) -> Result<Drawn<'w, S>, Stop> {
    let expected = match piece {
        Piece::Input => payload::SEGMENT_BYTES as u64,
        _ => pad::padded_length(piece.bytes() + FRAME_BYTES, 16 << 10),
    };
    // A folder is no single file: nothing in it speaks for the whole.
    let is_folder = matches!(piece, Piece::Folder { .. });
    glance.again();
    let mut payload = begin(expected, if is_folder { Glance::averted() } else { std::mem::take(glance) });
    let (mut content, changed) = match piece {
        Piece::File(file) => one_file(disk, &mut payload, file),
        Piece::Folder { name, files, skipped: before, .. } => {
            folder(disk, &mut payload, name, files, skipped).map(|read| leave_out(read, *before, skipped))
        }
        Piece::Input => standard_input(&mut payload, input),
    }?;
    if changed {
        content.fields.push(("content/changed".into(), "yes".into()));
    }
    if !is_folder {
        *glance = std::mem::replace(&mut payload.glance, Glance::averted());
    }
    Ok(Drawn { payload, content, changed })
}

impl<'w, S: Sink> Drawn<'w, S> {
    /// An exhibit without content: identities and contacts of witnesses, for the section `register`.
    pub(super) fn nothing(begin: impl FnOnce(u64, Glance) -> Payload<'w, S>) -> Self {
        let content = Content { bytes: 0, sha256: Hash::of(b""), fields: Vec::new(), listing: None, text: Vec::new() };
        Self { payload: begin(16 << 10, Glance::averted()), content, changed: false }
    }

    /// Whose its segments are.
    pub(super) fn owner(&self) -> u64 {
        self.payload.owner()
    }

    /// The content's length.
    pub(super) fn bytes(&self) -> u64 {
        self.content.bytes
    }

    /// The content's SHA-256 (of a folder, its listing's).
    pub(super) fn sha256(&self) -> Hash {
        self.content.sha256
    }

    /// About how long its record gets in a manifest.
    pub(super) fn record_bytes(&self, said: &[(String, String)]) -> usize {
        let fields = said.iter().chain(&self.content.fields).map(|(path, value)| path.len() + value.len() + 8);
        fields.sum::<usize>() + self.content.text.len() * 34 + RECORD_BYTES
    }

    /// Makes the record from what was read and what was said, and lets the last segment go.
    pub(super) fn finish(
        self,
        secret: Secret,
        binding: &Binding,
        said: &[(String, String)],
    ) -> Result<(Made, S), VaultError> {
        let Self { payload, content, .. } = self;
        let record = record(secret, binding, said, &content)?;
        let paragraphs: Vec<&str> = content.text.iter().map(String::as_str).collect();
        let text = paragraphs::commitments(record.secret(), &paragraphs);
        let tree = record.tree(&text);
        let sink = payload.finish(content.listing.as_deref(), &record.print()?)?;
        Ok((Made { record: ManifestRecord { number: binding.number, record, text }, tree }, sink))
    }
}

fn record(
    secret: Secret,
    binding: &Binding,
    said: &[(String, String)],
    content: &Content,
) -> Result<Record, VaultError> {
    let mut record = Record::new(secret);
    record.bind(binding);
    for (path, value) in said.iter().chain(&content.fields) {
        record.set(path.as_str(), value.as_str())?;
    }
    if record.field("acquisition/tool").is_none() {
        record.set("acquisition/tool", TOOL)?;
    }
    Ok(record)
}

/// Why content was not read to its end.
pub(super) enum Stop {
    /// The source's own trouble: it is skipped.
    Source(Cow<'static, str>),
    /// It is longer now than what its segments go to takes: nothing of it was read.
    TooLong,
    /// The run's trouble.
    Run(VaultError),
}

impl<E: Into<VaultError>> From<E> for Stop {
    fn from(error: E) -> Self {
        match error.into() {
            // The source's own medium fails: that is this file's trouble, not the vault's.
            VaultError::SourceUnreadable { source } => Self::Source(format!("it could not be read: {source}").into()),
            error => Self::Run(error),
        }
    }
}

/// Content, and whether a source changed while it was read.
type Reading = Result<(Content, bool), Stop>;

fn one_file<S: Sink>(disk: &dyn Disk, payload: &mut Payload<'_, S>, file: &SourceFile) -> Reading {
    let name = names::member_name(&file.name);
    let read = read(disk, payload, &format!("content/{name}"), file)?;
    let whole = read.before.bytes == payload.glance.head().len() as u64;
    let media_type = media::media_type(payload.glance.head(), whole, &file.name);
    let mut fields = vec![("content/name".to_string(), name), names::raw_field("original/name", &file.name)];
    fields.extend(measured(read.before.bytes, read.sha256, media_type));
    fields.extend(modified(read.before.modified));
    fields.extend(embedded(payload));
    let text = text_of(payload, media_type, read.before.bytes, &mut fields);
    Ok((Content { bytes: read.before.bytes, sha256: read.sha256, fields, listing: None, text }, read.changed))
}

/// The files of a folder in the order of their members. One that cannot be read leaves no trace in the payload.
fn folder<S: Sink>(
    disk: &dyn Disk,
    payload: &mut Payload<'_, S>,
    name: &[u8],
    files: &[SourceFile],
    skipped: &mut Vec<Skipped>,
) -> Reading {
    let members = names::unique(&files.iter().map(|file| names::member_path(&file.name)).collect::<Vec<_>>());
    let mut order: Vec<(&SourceFile, String)> = files.iter().zip(members).collect();
    order.sort_by(|(_, one), (_, other)| payload::member_order(one, other));
    let (mut listed, mut bytes, mut changed) = (Vec::with_capacity(files.len()), 0, false);
    for (file, member) in order {
        let member = format!("content/{member}");
        let read = match read(disk, payload, &member, file) {
            Ok(read) => read,
            Err(Stop::Source(reason)) => {
                skipped.push(Skipped { path: file.path.as_os_str().as_bytes().to_vec(), reason });
                continue;
            }
            Err(run) => return Err(run),
        };
        changed |= read.changed;
        bytes += read.before.bytes;
        listed.push(ListedFile {
            member,
            name: file.name.clone(),
            bytes: read.before.bytes,
            sha256: read.sha256,
            modified: timestamp(read.before.modified),
        });
    }
    if listed.is_empty() {
        return Err(Stop::Source("none of its files could be read".into()));
    }
    let count = listed.len();
    let listing = Listing::new(listed)?.print()?;
    let sha256 = Hash::of(&listing);
    let fields = vec![
        names::raw_field("original/name", name),
        ("original/bytes".into(), bytes.to_string()),
        ("content/files".into(), count.to_string()),
        ("content/listing_sha256".into(), sha256.to_string()),
    ];
    Ok((Content { bytes, sha256, fields, listing: Some(listing), text: Vec::new() }, changed))
}

/// Says in the record how much of a folder was not sealed: what looking through it passed over, and what reading did.
fn leave_out((mut content, changed): (Content, bool), before: u64, skipped: &[Skipped]) -> (Content, bool) {
    let left_out = before + skipped.len() as u64;
    if left_out > 0 {
        content.fields.push(("content/skipped".into(), left_out.to_string()));
    }
    (content, changed)
}

/// Standard input: members of at most 16 MiB, so that no length need be known before.
fn standard_input<S: Sink>(payload: &mut Payload<'_, S>, input: &mut dyn std::io::Read) -> Reading {
    let (mut whole, mut bytes, mut parts) = (Sha256::new(), 0_u64, 0_u32);
    let mut room = Vec::new();
    loop {
        let count = fill(input, &mut room).map_err(|source| VaultError::SourceUnreadable { source })?;
        let part = &room[..count];
        if part.is_empty() && parts > 0 {
            break;
        }
        parts += 1;
        bytes += part.len() as u64;
        payload.member(&payload::part_name(parts), part, &mut whole)?;
        payload.advance(part.len() as u64);
        if (part.len() as u64) < payload::PART_BYTES {
            break;
        }
    }
    let sha256 = Hash(whole.finalize().into());
    let media_type = media::media_type(payload.glance.head(), bytes == payload.glance.head().len() as u64, b"");
    let mut fields = vec![("content/parts".to_string(), parts.to_string())];
    fields.extend(measured(bytes, sha256, media_type));
    fields.extend(embedded(payload));
    let text = text_of(payload, media_type, bytes, &mut fields);
    Ok((Content { bytes, sha256, fields, listing: None, text }, false))
}

/// Reads as much of a part as there is into room that grows with it and serves again. Returns how much came.
fn fill(input: &mut dyn std::io::Read, room: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut filled = 0;
    while (filled as u64) < payload::PART_BYTES {
        if filled == room.len() {
            room.resize((2 * filled).max(ROOM_BYTES), 0);
        }
        match input.read(&mut room[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A file that was read to the length that it had when it was opened.
struct ReadFile {
    before: Stat,
    sha256: Hash,
    changed: bool,
}

/// Reads one source file into the payload. One that changed while it was read is read once more, and then taken as it
/// was read; one that cannot be read to its end leaves nothing behind.
fn read<S: Sink>(
    disk: &dyn Disk,
    payload: &mut Payload<'_, S>,
    member: &str,
    file: &SourceFile,
) -> Result<ReadFile, Stop> {
    for last in [false, true] {
        payload.mark();
        match read_once(disk, payload, member, file) {
            Ok((before, Read::Whole(sha256))) => {
                payload.keep();
                return Ok(ReadFile { before, sha256, changed: false });
            }
            Ok((before, Read::Changed(sha256))) if last => {
                payload.keep();
                return Ok(ReadFile { before, sha256, changed: true });
            }
            Ok((_, Read::Changed(_) | Read::Short)) => payload.take_back()?,
            Err(Stop::Source(reason)) => {
                payload.take_back()?;
                return Err(Stop::Source(reason));
            }
            Err(run) => return Err(run),
        }
    }
    Err(Stop::Source("it became shorter while it was read, twice".into()))
}

fn read_once<S: Sink>(
    disk: &dyn Disk,
    payload: &mut Payload<'_, S>,
    member: &str,
    file: &SourceFile,
) -> Result<(Stat, Read), Stop> {
    let unreadable = |error| Stop::Source(refusal(&error));
    let mut source = disk.source(&file.path).map_err(unreadable)?;
    let before = source.stat().map_err(unreadable)?;
    if before.bytes > payload.file_bytes_max() {
        return Err(Stop::TooLong);
    }
    let read = payload.file(member, &mut *source, &before)?;
    Ok((before, read))
}

fn embedded<S: Sink>(payload: &Payload<'_, S>) -> impl Iterator<Item = (String, String)> {
    media::embedded(&payload.glance).into_iter().map(|(path, value)| (path.to_string(), value))
}

fn measured(bytes: u64, sha256: Hash, media_type: &str) -> [(String, String); 3] {
    [
        ("original/bytes".into(), bytes.to_string()),
        ("original/sha256".into(), sha256.to_string()),
        ("original/media_type".into(), media_type.into()),
    ]
}

fn timestamp(time: FileTime) -> Option<Timestamp> {
    Timestamp::new(time.seconds, i32::try_from(time.nanoseconds).ok()?).ok()
}

fn modified(time: FileTime) -> Option<(String, String)> {
    timestamp(time).map(|time| ("original/modified".into(), time.to_string()))
}

/// The paragraphs of a text that is small enough to be committed to piece by piece.
fn text_of<S: Sink>(
    payload: &Payload<'_, S>,
    media_type: &str,
    bytes: u64,
    fields: &mut Vec<(String, String)>,
) -> Vec<String> {
    if bytes != payload.glance.head().len() as u64 {
        return Vec::new();
    }
    let paragraphs = paragraphs::paragraphs(media_type, payload.glance.head()).unwrap_or_default();
    if !paragraphs.is_empty() {
        fields.push(("content/paragraphs".into(), paragraphs.len().to_string()));
    }
    paragraphs.into_iter().map(str::to_string).collect()
}
