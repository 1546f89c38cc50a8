//! What a key opens in the vaults that lie here: tried, not guessed. Where it cannot be tried, the answer is *unknown*,
//! never *nothing*.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::kinds::{dearmored, is_part, secret_lines};
use super::{Fact, Find, Kind, Opens, Reach, read_key_file};
use crate::crypto::envelope;
use crate::crypto::recipient::Identity;
use crate::format::document::Document;
use crate::format::identity_file::IdentityFile;
use crate::format::ids::MemberId;
use crate::format::inventory::Inventory;
use crate::format::key_file::KeyFile;
use crate::format::role::{Role, Scope};
use crate::format::volume::{PAGE_BYTES, VolumePage};
use crate::store::{Disk, Folder, layout};
use crate::vault::exhibits::BLOB_BYTES_MAX;
use crate::vault::findings::Findings;
use crate::vault::history::History;
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

/// The vaults that lie here, and how many more this device knows.
pub(in crate::vault) struct Vaults<'a> {
    pub(in crate::vault) state: &'a Path,
    pub(in crate::vault) here: &'a [PathBuf],
    pub(in crate::vault) elsewhere: usize,
}

/// Keys that could be looked into, to be tried on age files.
#[derive(Default)]
pub(in crate::vault) struct OpenKeys(Vec<Identity>);

impl Vaults<'_> {
    /// What a file opens that is a key in the clear.
    pub(in crate::vault) fn bare(
        &self,
        setting: &mut Setting<'_>,
        path: &Path,
        kind: Kind,
        opened: &mut OpenKeys,
    ) -> Find {
        let unknown = || Find::new(kind, path, Opens::Unknown, Fact::Nothing);
        match read_key_file(setting.disk, path) {
            Ok(bytes) => self.plaintext(setting, path, &bytes, true, opened).unwrap_or_else(unknown),
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
        opened: &mut OpenKeys,
    ) -> Find {
        let kind = if is_identity { Kind::Identity } else { Kind::LockedFile };
        let closed = |tried| Find::new(kind, path, Opens::Unknown, Fact::Locked { tried });
        let Some(passphrase) = passphrase else { return closed(false) };
        let Ok(bytes) = read_key_file(setting.disk, path) else { return closed(false) };
        let binary = std::str::from_utf8(&bytes).ok().and_then(dearmored).unwrap_or(bytes);
        match envelope::open_with_passphrase(&binary, passphrase) {
            Ok(plaintext) => {
                let other = || Find::new(kind, path, Opens::Unknown, Fact::Nothing);
                self.plaintext(setting, path, &plaintext, false, opened).unwrap_or_else(other)
            }
            Err(_) => closed(true),
        }
    }

    /// Whether a key that could be looked into opens an age file.
    pub(in crate::vault) fn age_file(
        disk: &dyn Disk,
        (path, bytes): &(PathBuf, u64),
        opened: &OpenKeys,
        all_opened: bool,
    ) -> Find {
        let keys: Vec<&Identity> = opened.0.iter().collect();
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
        opened: &mut OpenKeys,
    ) -> Option<Find> {
        if let Ok(identity) = IdentityFile::parse(text) {
            let person = Person::new(identity.name, identity.seed.keys(), bare);
            let reaches: Vec<Reach> =
                self.here.iter().map(|vault| of_person(setting, self.state, vault, &person)).collect();
            let find = self.judged(Kind::Identity, path, bare, reaches);
            opened.0.push(person.keys.age);
            return Some(find);
        }
        let held = KeyFile::parse(text).ok();
        let lines: Vec<Zeroizing<String>> =
            secret_lines(text).map(|line| Zeroizing::new(String::from_utf8_lossy(line).into_owned())).collect();
        if lines.is_empty() {
            return None;
        }
        let mut reaches = Vec::new();
        for key in lines.iter().filter_map(|line| line.parse::<Identity>().ok()) {
            reaches.extend(self.here.iter().map(|vault| of_key(setting.disk, vault, &key, held.as_ref())));
            opened.0.push(key);
        }
        let kind = if held.is_some() { Kind::VaultKey } else { Kind::AgeKey };
        let mut find = self.judged(kind, path, bare, reaches);
        // What a key says of itself is believed only where it makes matters worse.
        if held.is_some_and(|held| held.scope != Scope::Custody) && find.opens == Opens::Unknown {
            find.opens = Opens::Content;
        }
        Some(find)
    }

    /// The sum over all vaults. Who opens nothing here may open much elsewhere: only somebody of whom it is known what
    /// she opens, in each vault that this device knows, is known to open no content.
    fn judged(&self, kind: Kind, path: &Path, bare: bool, reaches: Vec<Reach>) -> Find {
        let any = |opens| reaches.iter().any(|reach| reach.opens == opens);
        let opens = if any(Opens::Content) {
            Opens::Content
        } else if any(Opens::Unknown) || self.elsewhere > 0 || !any(Opens::Custody) {
            Opens::Unknown
        } else {
            Opens::Custody
        };
        Find::new(kind, path, opens, Fact::Key { bare, reaches, elsewhere: self.elsewhere })
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

fn of_person(setting: &mut Setting<'_>, state: &Path, vault: &Path, person: &Person) -> Reach {
    let request = Request { vault, state, person: Some(person), trust: None };
    let session = match Session::open(setting, &request) {
        Ok(session) => session,
        Err(error) => return troubled(vault, &error),
    };
    let mut sections: BTreeSet<String> = session.ring.sections().into_iter().map(ToString::to_string).collect();
    let mut reach = no_reach(vault);
    if let Some(history) = &session.history {
        let (given, shares) = given(history, person.member());
        sections.extend(given);
        reach.shares = shares.into_iter().filter(|section| !sections.contains(section)).collect();
        reach.members = history.members.len() as u64;
        reach.exhibits = history.sealings().map(|sealing| u64::from(sealing.seal.count)).sum();
        reach.opens = Opens::Custody;
    } else if session.founding_lost {
        reach.opens = Opens::Unknown;
        reach.trouble = Some(VaultError::NoFounding { findings: session.findings.clone() }.to_string());
    }
    if !sections.is_empty() {
        reach.opens = Opens::Content;
        reach.sections = sections.into_iter().collect();
    }
    reach
}

/// The sections that a member was given the key of, or a share of it, wherever the file with it lies now; and those
/// that she reads by her role, to whom a holder can hand the key at any time.
fn given(history: &History, member: MemberId) -> (BTreeSet<String>, BTreeSet<String>) {
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
/// trying tells the first.
fn of_key(disk: &dyn Disk, vault: &Path, key: &Identity, held: Option<&KeyFile>) -> Reach {
    let read = || -> Result<Opens, VaultError> {
        let folder = disk.folder(vault)?;
        let survey = survey::survey(&*folder)?;
        let is_said = |custody| {
            held.is_some_and(|held| (held.scope == Scope::Custody) == custody && survey.keys.contains_key(&held.id()))
        };
        if is_said(false) || opens_content(&*folder, key)? {
            return Ok(Opens::Content);
        }
        if is_said(true) || opens_an_entry(&*folder, &survey, key) {
            return Ok(Opens::Custody);
        }
        let (ring, _) = keyring::unlock(&*folder, &survey, key);
        Ok(match (ring.sections().is_empty(), ring.custody().is_empty()) {
            (false, _) => Opens::Content,
            (true, false) => Opens::Custody,
            (true, true) => Opens::Nothing,
        })
    };
    match read() {
        Ok(opens) => Reach { opens, ..no_reach(vault) },
        Err(error) => troubled(vault, &error),
    }
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
