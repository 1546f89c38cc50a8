//! What a key opens in the vaults that lie here: tried, not guessed. Where it cannot be tried, the answer is *unknown*,
//! never *nothing*.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::kinds::{dearmored, is_part, secret_lines};
use super::together::{Shares, open_lent};
use super::{Fact, Find, Kind, Opens, Reach, read_key_file};
use crate::crypto::envelope;
use crate::crypto::recipient::Identity;
use crate::format::document::Document;
use crate::format::identity_file::IdentityFile;
use crate::format::ids::{MemberId, VaultId};
use crate::format::inventory::Inventory;
use crate::format::key_file::KeyFile;
use crate::format::role::{Role, Scope};
use crate::format::volume::{PAGE_BYTES, VolumePage};
use crate::store::{Disk, Folder, layout};
use crate::vault::exhibits::BLOB_BYTES_MAX;
use crate::vault::findings::Findings;
use crate::vault::history::{History, Signatures};
use crate::vault::pouch::archive::Archive;
use crate::vault::pouch::opened::Opened;
use crate::vault::pouch::pieces::Pieces;
use crate::vault::session::{Person, Request, Session};
use crate::vault::survey::{self, Survey};
use crate::vault::{Setting, VaultError, keyring, parallel};

/// Longer headers of age files are not looked into (`crypto::envelope` refuses them), nor what stands behind.
const HEADER_BYTES: usize = envelope::HEADER_BYTES_MAX + 64;
const ENTRY_BYTES_MAX: u64 = 16 << 20;
/// More than the header of a blob, which has one stanza beside what age makes up.
const BLOB_START_BYTES: u64 = 16 << 10;

/// The vaults that lie here, each with the ids that it could have, and how many more this device knows.
pub(in crate::vault) struct Vaults<'a> {
    pub(in crate::vault) state: &'a Path,
    pub(in crate::vault) here: &'a [(PathBuf, BTreeSet<VaultId>)],
    pub(in crate::vault) elsewhere: usize,
}

/// What came out of the keys that could be looked into.
#[derive(Default)]
pub(in crate::vault) struct Tried {
    /// To be tried on age files.
    keys: Vec<Identity>,
    /// To be put together.
    pub(in crate::vault) shares: Shares,
}

impl Vaults<'_> {
    /// What a file opens that is a key in the clear.
    pub(in crate::vault) fn bare(&self, setting: &mut Setting<'_>, path: &Path, kind: Kind, tried: &mut Tried) -> Find {
        let unknown = || Find::new(kind, path, Opens::Unknown, Fact::Nothing);
        match read_key_file(setting.disk, path) {
            Ok(bytes) => self.plaintext(setting, path, &bytes, true, tried).unwrap_or_else(unknown),
            Err(_) => unknown(),
        }
    }

    /// What a file opens that is under a passphrase, if this is it.
    pub(in crate::vault) fn locked(
        &self,
        setting: &mut Setting<'_>,
        path: &Path,
        is_identity: bool,
        passphrase: Option<&str>,
        tried: &mut Tried,
    ) -> Find {
        let kind = if is_identity { Kind::Identity } else { Kind::LockedFile };
        let closed = |with_passphrase| Find::new(kind, path, Opens::Unknown, Fact::Locked { tried: with_passphrase });
        let Some(passphrase) = passphrase else { return closed(false) };
        let Ok(bytes) = read_key_file(setting.disk, path) else { return closed(false) };
        let binary = std::str::from_utf8(&bytes).ok().and_then(dearmored).unwrap_or(bytes);
        match envelope::open_with_passphrase(&binary, passphrase) {
            Ok(plaintext) => {
                let other = || Find::new(kind, path, Opens::Unknown, Fact::Nothing);
                self.plaintext(setting, path, &plaintext, false, tried).unwrap_or_else(other)
            }
            Err(_) => closed(true),
        }
    }

    /// Whether a key that could be looked into opens an age file.
    pub(in crate::vault) fn age_file(
        disk: &dyn Disk,
        (path, bytes): &(PathBuf, u64),
        tried: &mut Tried,
        all_opened: bool,
    ) -> Find {
        let keys: Vec<&Identity> = tried.keys.iter().collect();
        let is_for_one = || {
            let start = disk.read_start(path, HEADER_BYTES).ok()?;
            let armored = std::str::from_utf8(&start).ok().and_then(dearmored);
            // The first volume of a pouch holds its header, behind a page.
            let whole =
                start.get(..PAGE_BYTES).and_then(VolumePage::parse).map_or(&start[..], |_| &start[PAGE_BYTES..]);
            envelope::is_for(armored.as_ref().map_or(whole, |start| start.as_slice()), &keys).ok()
        };
        // Where no header can be read, as in a later volume of a pouch, in its parity or in a torn file, it is not known for
        // whom it is: with the other parts it may open.
        let here = if keys.is_empty() { Some(false) } else { is_for_one() };
        if here == Some(true)
            && let Some(share) = open_lent(disk, path, *bytes, &keys)
        {
            let fact = Fact::Share { sections: vec![share.scope.to_string()], enough: false };
            tried.shares.lent(path, &share);
            return Find::new(Kind::Share, path, Opens::Unknown, fact);
        }
        let is_part = disk.read_start(path, PAGE_BYTES).is_ok_and(|start| is_part(&start));
        let (opens, here) = match (here, all_opened) {
            (Some(true), _) if holds_custody_alone(disk, path, &keys) => (Opens::Custody, Some(true)),
            (Some(true), _) => (Opens::Content, Some(true)),
            (Some(false), true) => (Opens::Nothing, Some(false)),
            (None, _) | (Some(false), false) => (Opens::Unknown, None),
        };
        Find::new(Kind::AgeFile, path, opens, Fact::Encrypted { bytes: *bytes, here, is_part })
    }

    /// What the text of a key opens; `None` where it is no key that this program knows.
    fn plaintext(
        &self,
        setting: &mut Setting<'_>,
        path: &Path,
        text: &[u8],
        bare: bool,
        tried: &mut Tried,
    ) -> Option<Find> {
        if let Ok(identity) = IdentityFile::parse(text) {
            let person = Person::new(identity.name, identity.seed.keys(), bare);
            let shares = &mut tried.shares;
            let of_person = |(vault, _): &(PathBuf, _)| of_person(setting, self.state, vault, &person, (path, shares));
            let reaches: Vec<Reach> = self.here.iter().map(of_person).collect();
            let opens = self.sum(&reaches);
            tried.keys.push(person.keys.age);
            return Some(Find::new(Kind::Identity, path, opens, self.key(bare, reaches)));
        }
        let held = KeyFile::parse(text).ok();
        let lines: Vec<Zeroizing<String>> =
            secret_lines(text).map(|line| Zeroizing::new(String::from_utf8_lossy(line).into_owned())).collect();
        let keys: Vec<Identity> = lines.iter().filter_map(|line| line.parse().ok()).collect();
        let all_read = keys.len() == lines.len();
        let (mut all, mut opens) = (Vec::new(), Opens::Custody);
        for key in keys {
            let shares = &mut tried.shares;
            let of_key = |(vault, _): &(PathBuf, _)| of_key(setting.disk, vault, &key, held.as_ref(), (path, shares));
            let reaches: Vec<Reach> = self.here.iter().map(of_key).collect();
            // Of several keys in one file, what the worst of them opens.
            opens = match (opens, self.sum(&reaches)) {
                (Opens::Content, _) | (_, Opens::Content) => Opens::Content,
                (Opens::Custody, Opens::Custody) => Opens::Custody,
                _ => Opens::Unknown,
            };
            all.extend(reaches);
            tried.keys.push(key);
        }
        if lines.is_empty() || !all_read && opens != Opens::Content {
            return None;
        }
        // What a key says of itself is believed only where it makes matters worse.
        if opens == Opens::Unknown && held.as_ref().is_some_and(|held| held.scope != Scope::Custody) {
            opens = Opens::Content;
        }
        let kind = if held.is_some() { Kind::VaultKey } else { Kind::AgeKey };
        Some(Find::new(kind, path, opens, self.key(bare, all)))
    }

    fn key(&self, bare: bool, reaches: Vec<Reach>) -> Fact {
        Fact::Key { bare, reaches, elsewhere: self.elsewhere, together: Vec::new() }
    }

    /// What one key opens in all vaults together. Who opens nothing here may open much elsewhere: only somebody of whom it is
    /// known what she opens, in each vault that lies here or that this device knows, is known to open no content.
    fn sum(&self, reaches: &[Reach]) -> Opens {
        let any = |opens| reaches.iter().any(|reach| reach.opens == opens);
        // In an older copy, or one that lost files, a reader opens nothing. What she is, another copy of the same vault tells.
        let told: BTreeSet<VaultId> = self.ids(reaches, Opens::Custody).flatten().copied().collect();
        let untold = || self.ids(reaches, Opens::Nothing).any(|ids| ids.is_empty() || !ids.is_subset(&told));
        if any(Opens::Content) {
            Opens::Content
        } else if any(Opens::Unknown) || self.elsewhere > 0 || !any(Opens::Custody) || untold() {
            Opens::Unknown
        } else {
            Opens::Custody
        }
    }

    /// The ids of the vaults in which a key opens so much.
    fn ids(&self, reaches: &[Reach], opens: Opens) -> impl Iterator<Item = &BTreeSet<VaultId>> {
        let here = self.here.iter().zip(reaches).filter(move |(_, reach)| reach.opens == opens);
        here.map(|((_, ids), _)| ids)
    }
}

/// Whether a file is answers, or a pouch without sealed files: what it holds is looked at, and what cannot be counts as content.
fn holds_custody_alone(disk: &dyn Disk, path: &Path, keys: &[&Identity]) -> bool {
    let read = || Archive::read(Opened::open(Pieces::whole(disk, path)?, keys)?, path);
    read().is_ok_and(|archive| !archive.has_gaps() && !archive.has_blobs())
}

fn no_reach(vault: &Path) -> Reach {
    Reach {
        vault: vault.to_path_buf(),
        opens: Opens::Nothing,
        sections: Vec::new(),
        shares: Vec::new(),
        members: 0,
        exhibits: 0,
        trouble: None,
    }
}

fn troubled(vault: &Path, error: &VaultError) -> Reach {
    Reach { opens: Opens::Unknown, trouble: Some(error.to_string()), ..no_reach(vault) }
}

/// The file that is looked into, and the shares that were found so far.
type Looking<'a> = (&'a Path, &'a mut Shares);

fn of_person(setting: &mut Setting<'_>, state: &Path, vault: &Path, person: &Person, looking: Looking<'_>) -> Reach {
    let request = Request { vault, state, person: Some(person), trust: None };
    let session = match Session::open(setting, &request) {
        Ok(session) => session,
        Err(error) => return troubled(vault, &error),
    };
    let sections: BTreeSet<String> = session.ring.sections().into_iter().map(ToString::to_string).collect();
    if let Some(history) = &session.history {
        // She opens the story, and is nobody in it: in a copy that is older than what let her in, say.
        if sections.is_empty() && !history.members.contains_key(&person.member()) {
            return of_nobody(vault);
        }
        return of_member(vault, history, person.member(), sections, looking);
    }
    if !sections.is_empty() {
        return Reach { opens: Opens::Content, sections: sections.into_iter().collect(), ..no_reach(vault) };
    }
    if session.founding_lost {
        return troubled(vault, &VaultError::NoFounding { findings: session.findings });
    }
    no_reach(vault)
}

fn of_nobody(vault: &Path) -> Reach {
    let trouble = "it shows the custody record, and is on no member's card there";
    Reach { trouble: Some(trouble.into()), opens: Opens::Unknown, ..no_reach(vault) }
}

/// What a member opens, as the story of the vault tells it, beside the sections that she opens now.
fn of_member(
    vault: &Path,
    history: &History,
    member: MemberId,
    mut sections: BTreeSet<String>,
    (path, shares): Looking<'_>,
) -> Reach {
    let (whole, shared) = sections_of(history, member);
    shares.hold_of(path, history, member);
    sections.extend(whole);
    Reach {
        opens: if sections.is_empty() { Opens::Custody } else { Opens::Content },
        shares: shared.into_iter().filter(|section| !sections.contains(section)).collect(),
        sections: sections.into_iter().collect(),
        members: history.members.len() as u64,
        exhibits: history.sealings().map(|sealing| u64::from(sealing.seal.count)).sum(),
        ..no_reach(vault)
    }
}

/// The sections that a member was given the key of, or a share of it, wherever the file with it lies now; and those
/// that she reads by her role, to whom a holder can hand the key at any time.
fn sections_of(history: &History, member: MemberId) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut whole, mut shared) = (BTreeSet::new(), BTreeSet::new());
    for key in history.keys.values().filter(|key| key.scope != Scope::Custody) {
        for (_, wrap) in key.wraps.iter().filter(|(_, wrap)| wrap.member == member) {
            if wrap.share.is_none() { &mut whole } else { &mut shared }.insert(key.scope.to_string());
        }
    }
    if let Some(known) = history.members.get(&member) {
        let roles = known.grants.iter().filter_map(|grant| match &grant.role {
            Role::Reader(section) => Some(section.to_string()),
            _ => None,
        });
        whole.extend(roles.filter(|section| !shared.contains(section)));
    }
    (whole, shared)
}

/// What a secret key alone opens: as a key of the vault itself, or as a person's. Without what was written around it, only
/// trying tells the first, and the story the second.
fn of_key(disk: &dyn Disk, vault: &Path, key: &Identity, held: Option<&KeyFile>, looking: Looking<'_>) -> Reach {
    let opens = |opens| Reach { opens, ..no_reach(vault) };
    let read = || -> Result<Reach, VaultError> {
        let folder = disk.folder(vault)?;
        let survey = survey::survey(&*folder)?;
        let said = held.filter(|held| survey.keys.contains_key(&held.id())).map(|held| &held.scope);
        if said.is_some_and(|scope| *scope != Scope::Custody) || opens_content(&*folder, key)? {
            return Ok(opens(Opens::Content));
        }
        if said.is_some() {
            return Ok(opens(Opens::Custody));
        }
        let (ring, _) = keyring::unlock(&*folder, &survey, key);
        let mut custody = ring.custody();
        if !ring.sections().is_empty() {
            return Ok(opens(Opens::Content));
        }
        if custody.is_empty() && !opens_an_entry(&*folder, &survey, key) {
            return Ok(opens(Opens::Nothing));
        }
        custody.push(key);
        Ok(of_reader_of_story(vault, &story(&*folder, &survey, &custody)?, key, looking))
    };
    read().unwrap_or_else(|error| troubled(vault, &error))
}

/// The story of a vault, of whichever of its ids there is one.
fn story(folder: &dyn Folder, survey: &Survey, custody: &[&Identity]) -> Result<History, VaultError> {
    let mut failed = VaultError::NotAVault;
    for id in survey.hint.into_iter().chain(ids(survey)) {
        match History::read(folder, survey, id, custody, &BTreeSet::new(), Signatures::All) {
            Ok(history) => return Ok(history),
            Err(error @ VaultError::NoFounding { .. }) => failed = error,
            Err(error) => return Err(error),
        }
    }
    Err(failed)
}

/// What a key opens that shows the story: that of a member, or the custody key itself. Of any other nobody can tell.
fn of_reader_of_story(vault: &Path, history: &History, key: &Identity, (path, shares): Looking<'_>) -> Reach {
    let recipient = key.recipient();
    let scopes: Vec<&Scope> =
        history.keys.values().filter(|key| key.recipient == recipient).map(|key| &key.scope).collect();
    let is_content_key = scopes.iter().any(|scope| **scope != Scope::Custody);
    let members = history.members.iter().filter(|(_, member)| member.card.keys().age == recipient);
    let of_members: Vec<Reach> =
        members.map(|(id, _)| of_member(vault, history, *id, BTreeSet::new(), (path, &mut *shares))).collect();
    // One key can be on the cards of two members.
    let worst = of_members.into_iter().max_by_key(|reach| reach.opens == Opens::Content);
    let opens = |opens| Reach { opens, ..no_reach(vault) };
    match worst {
        _ if is_content_key => opens(Opens::Content),
        Some(reach) => reach,
        None if !scopes.is_empty() => opens(Opens::Custody),
        None => of_nobody(vault),
    }
}

/// The ids that a vault could have: what its file says, and its logs' first entries.
pub(in crate::vault) fn ids(survey: &Survey) -> BTreeSet<VaultId> {
    let firsts = survey.logs.values().filter_map(|log| log.entries.get(&0)).flatten();
    survey.hint.into_iter().chain(firsts.map(|entry| VaultId(entry.leaf))).collect()
}

/// Whether a key opens a segment or a manifest: whatever it says of itself, and whatever it opens besides. Inventories are
/// the custody key's.
fn opens_content(folder: &dyn Folder, key: &Identity) -> Result<bool, VaultError> {
    let blobs = survey::blobs(folder, &mut Findings::default())?;
    let opened = parallel::map(&blobs, |blob| {
        let mut start = Vec::new();
        let read = folder.source(&layout::blob(*blob), BLOB_BYTES_MAX);
        let read = read.map(|source| source.take(BLOB_START_BYTES).read_to_end(&mut start));
        if !matches!(read, Ok(Ok(_))) || envelope::is_for(&start, &[key]) != Ok(true) {
            return false;
        }
        let plaintext = folder.read(&layout::blob(*blob), BLOB_BYTES_MAX).ok();
        let plaintext = plaintext.and_then(|bytes| envelope::open(&bytes, &[key]).ok());
        plaintext.is_none_or(|plaintext| Inventory::decode_padded(&plaintext).is_err())
    });
    Ok(opened.contains(&true))
}

fn opens_an_entry(folder: &dyn Folder, survey: &Survey, key: &Identity) -> bool {
    let entries = survey.logs.iter().flat_map(|(log, files)| files.entries.values().flatten().map(|name| (*log, name)));
    entries.into_iter().any(|(log, name)| {
        let bytes = folder.read(&layout::entry(log, name), ENTRY_BYTES_MAX);
        bytes.is_ok_and(|bytes| envelope::open(&bytes, &[key]).is_ok())
    })
}
