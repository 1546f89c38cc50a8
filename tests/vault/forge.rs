//! A forger: holds members' secrets and writes what it likes into a vault's folder, properly hashed, encrypted and
//! signed, and asks nobody for permission. The disk is in memory, so a forged vault costs milliseconds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use amparo::crypto::hash::Hash;
use amparo::crypto::merkle::Growing;
use amparo::crypto::recipient::{Identity, Recipient};
use amparo::crypto::seed::{Keys, Seed};
use amparo::format::card::Card;
use amparo::format::checkpoint::{Checkpoint, Origin};
use amparo::format::document::Document;
use amparo::format::entry::{Begins, Entry, entry_leaf};
use amparo::format::event::{Admission, Event, Head, NewKey, Wrap};
use amparo::format::ids::{KeyId, LogId, MemberId, VaultId};
use amparo::format::key_file::KeyFile;
use amparo::format::pseudonym::Pseudonym;
use amparo::format::role::Scope;
use amparo::store::faulty::FaultyDisk;
use amparo::store::layout::{self, CheckpointName, EntryName};
use amparo::store::{Disk, RelPath};
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::session::{Request, Trust};
use amparo::vault::verify::{Verified, VerifyRequest, verify};
use amparo::vault::{Setting, VaultError};

pub(crate) use super::forge_founding::{founded, founding, founding_with};
use super::forge_once::{fresh, new_state, sealed, signed};
use super::people::{Device, device, with};
use crate::vectors::{case, written};

pub(crate) const FOUNDER: u8 = 1;
pub(crate) const READER: u8 = 2;
pub(crate) const MONITOR: u8 = 3;
pub(crate) const SEALER: u8 = 4;
/// Not admitted when the vault is founded.
pub(crate) const ANN: u8 = 5;
pub(crate) const BEN: u8 = 6;
pub(crate) const EVE: u8 = 7;

const NAMES: [&str; 8] = ["Nobody", "Heron", "Harbour", "Lantern", "Sparrow", "Ann", "Ben", "Eve"];

/// Seeds of the vault's own keys.
pub(crate) const CUSTODY: u8 = 101;
pub(crate) const MAIN: u8 = 102;
pub(crate) const REGISTER: u8 = 103;
/// For rotations.
pub(crate) const LATER: u8 = 104;
pub(crate) const BESIDE: u8 = 105;

pub(crate) const VAULT: &str = case::VAULT;

pub(crate) fn keys(who: u8) -> Keys {
    Seed::from_bytes(&[who; 32]).keys()
}

pub(crate) fn card(who: u8) -> Card {
    let name = NAMES.get(usize::from(who)).map_or_else(|| format!("Member {who}"), ToString::to_string);
    Card::sign(&Pseudonym::parse(&name).expect("a name"), &keys(who))
}

pub(crate) fn member(who: u8) -> MemberId {
    MemberId::of(&keys(who).public())
}

/// One of the vault's own keys.
pub(crate) fn vault_key(seed: u8) -> Identity {
    Identity::from_seed(&[seed; 32])
}

pub(crate) fn to(seed: u8) -> Recipient {
    vault_key(seed).recipient()
}

pub(crate) fn admission(who: u8, roles: &[&str]) -> Admission {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    let roles = roles.into_iter().map(|role| role.parse().expect("a role")).collect();
    Admission { card: String::from_utf8(card(who).as_bytes().to_vec()).expect("text"), roles, handle: None }
}

pub(crate) fn admit(who: u8, roles: &[&str]) -> Event {
    Event::Admit(admission(who, roles))
}

pub(crate) fn note(text: &str) -> Event {
    Event::Note { text: text.into(), exhibit: None, reconstructed: false }
}

/// Log, scope and epoch.
type Brought = (LogId, Scope, u32);

/// A vault and whoever writes into it.
#[derive(Clone)]
pub(crate) struct Forge {
    pub(crate) disk: FaultyDisk,
    pub(crate) vault: VaultId,
    /// Which log brought the key of each seed last, for which scope, as which epoch.
    brought: Arc<Mutex<BTreeMap<u8, Brought>>>,
}

/// One log in the making; a clone goes another way from there.
#[derive(Clone)]
pub(crate) struct Pen {
    pub(crate) who: u8,
    pub(crate) vault: VaultId,
    pub(crate) id: LogId,
    pub(crate) begins: Begins,
    pub(crate) tree: Growing,
    pub(crate) next_number: u64,
}

impl Forge {
    /// The same vault on a disk of its own, to go another way.
    pub(crate) fn copy(&self) -> Self {
        Self { disk: self.disk.crash(0), ..self.clone() }
    }

    /// A disk on which there may be a vault already.
    pub(crate) fn on(disk: FaultyDisk) -> Self {
        Self { disk, vault: VaultId::UNFOUNDED, brought: Arc::default() }
    }

    /// This log brings a key.
    pub(crate) fn brings(&self, by: LogId, scope: &str, epoch: u32, seed: u8) {
        let place = (by, scope.parse().expect("a scope"), epoch);
        self.brought.lock().expect("no test panicked here").insert(seed, place);
    }

    /// The key of a seed as it was brought; one that nobody brought yet is as if the vault itself had.
    pub(crate) fn key(&self, seed: u8) -> KeyFile {
        let brought = self.brought.lock().expect("no test panicked here").get(&seed).cloned();
        let (log, scope, epoch) = brought.unwrap_or((LogId([0; 16]), "main".parse().expect("a scope"), 1));
        KeyFile { log, scope, epoch, key: vault_key(seed) }
    }

    pub(crate) fn key_id(&self, seed: u8) -> KeyId {
        self.key(seed).id()
    }

    pub(crate) fn put(&self, path: &RelPath, bytes: &[u8]) {
        self.disk.put(&Path::new(VAULT).join(path.as_path()), bytes);
    }

    pub(crate) fn put_named(&self, name: &str, bytes: &[u8]) {
        self.disk.put(&Path::new(VAULT).join(name), bytes);
    }

    pub(crate) fn remove(&self, name: &str) {
        let folder = self.disk.folder(Path::new(VAULT)).expect("the vault");
        folder.remove_all(&[RelPath::parse(name).expect("a path")]).expect("removed");
    }

    /// Paths below the vault that begin so.
    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let all = self.disk.files().into_iter();
        let names = all.filter_map(|(path, _)| Some(path.strip_prefix(VAULT).ok()?.to_str()?.to_string()));
        names.filter(|name| name.starts_with(prefix)).collect()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        let path = Path::new(VAULT).join(name);
        self.disk.files().into_iter().find(|(there, _)| *there == path).expect("it is there").1
    }

    /// Encrypts something and puts it among the blobs.
    pub(crate) fn put_blob(&self, plaintext: &[u8], recipients: &[&Recipient]) -> Hash {
        let recipients: Vec<Recipient> = recipients.iter().copied().cloned().collect();
        let bytes = sealed(plaintext, &recipients);
        let name = Hash::of(&bytes);
        self.put(&layout::blob(name), &bytes);
        name
    }

    /// Wraps bytes to a member under the folder of a key.
    pub(crate) fn put_wrap(&self, key: KeyId, plaintext: &[u8], who: u8) -> Hash {
        let bytes = sealed(plaintext, &[keys(who).age.recipient()]);
        let name = Hash::of(&bytes);
        self.put(&layout::wrapped_key(key, name), &bytes);
        name
    }

    pub(crate) fn wraps(&self, seed: u8, holders: &[u8]) -> Vec<Wrap> {
        let key = self.key(seed);
        let file = |who: u8| self.put_wrap(key.id(), &key.print(), who);
        let mut wraps: Vec<Wrap> =
            holders.iter().map(|who| Wrap { member: member(*who), file: file(*who), share: None }).collect();
        wraps.sort_by_key(|wrap| wrap.member);
        wraps
    }

    /// The key that this log brings, made out to these.
    pub(crate) fn new_key(&self, by: LogId, scope: &str, epoch: u32, seed: u8, holders: &[u8]) -> NewKey {
        self.brings(by, scope, epoch, seed);
        let wraps = self.wraps(seed, holders);
        let scope = scope.parse().expect("a scope");
        NewKey { scope, epoch, recipient: to(seed).to_string(), wraps, dummies: Vec::new() }
    }

    /// Puts the bytes of an entry where an entry of that place lies, encrypted to the custody key.
    pub(crate) fn put_entry(&self, log: LogId, seq: u64, leaf: Hash, padded: &[u8]) -> String {
        let file = sealed(padded, &[to(CUSTODY)]);
        let path = layout::entry(log, &EntryName { seq, leaf, sha256: Hash::of(&file) });
        self.put(&path, &file);
        path.to_string()
    }

    pub(crate) fn put_note(&self, log: LogId, size: u64, note: &[u8]) -> String {
        let path = layout::checkpoint(log, &CheckpointName { size, sha256: Hash::of(note) });
        self.put(&path, note);
        path.to_string()
    }

    /// Verifies as somebody on a device that has seen nothing before.
    pub(crate) fn verify(&self, who: u8) -> Verified {
        self.try_verify(who, &new_state()).unwrap_or_else(|error| panic!("no verdict: {error}"))
    }

    /// The lines of a case that say who verifies what.
    pub(super) fn head(&self, who: u8) -> case::Lines {
        vec![
            ("identity".into(), amparo::crypto::hash::hex(&[who; 32])),
            ("trust".into(), format!("given {}", self.vault)),
        ]
    }

    /// Does something as somebody on a device that has seen nothing before.
    pub(crate) fn as_member<T>(&self, who: u8, act: impl FnOnce(&mut Setting<'_>, &Request<'_>) -> T) -> T {
        let state = PathBuf::from(format!("/state/{}", fresh()));
        let device = Device { state, ..device(Path::new("/"), NAMES[usize::from(who)], who) };
        let trust = Trust::VaultId(self.vault);
        with(&self.disk, device.machine, |setting| {
            let (vault, person) = (Path::new(VAULT), Some(&*device.person));
            act(setting, &Request { vault, state: &device.state, person, trust: Some(&trust) })
        })
    }

    /// Verifies as somebody whose device keeps its memory there.
    pub(crate) fn try_verify(&self, who: u8, state: &str) -> Result<Verified, VaultError> {
        let mut case = written::wanted().then(|| (written::files_below(&self.disk, VAULT), self.head(who)));
        if let Some((_, head)) = &mut case {
            let seen = written::files_below(&self.disk, &format!("{state}/{}/seen", self.vault));
            let seen = seen.iter().filter_map(|(path, note)| Some((path.split_once('/')?.0, note)));
            head.extend(seen.map(|(log, note)| ("remembers".into(), format!("{log} {}", case::base64(note)))));
        }
        let device = Device { state: PathBuf::from(state), ..device(Path::new("/"), NAMES[usize::from(who)], who) };
        let trust = Trust::VaultId(self.vault);
        let verified = with(&self.disk, device.machine, |setting| {
            let place = Request {
                vault: Path::new(VAULT),
                state: &device.state,
                person: Some(&device.person),
                trust: Some(&trust),
            };
            verify(setting, &VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] })
        })?;
        if let Some((files, head)) = case {
            written::record(files, head, &verified);
        }
        Ok(verified)
    }

    /// What a member who reads finds is exactly this: check, weight, and the subject.
    #[track_caller]
    pub(crate) fn finds(&self, expected: &[(Check, Verdict, &str)]) -> Verified {
        let verified = self.verify(READER);
        assert_found(&verified, expected);
        verified
    }
}

#[track_caller]
pub(crate) fn assert_found(verified: &Verified, expected: &[(Check, Verdict, &str)]) {
    let mut found: Vec<(Check, Verdict, &str)> =
        verified.findings.iter().map(|finding| (finding.check, finding.weight, finding.subject.as_str())).collect();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected, "in full: {:#?}", verified.findings);
    let verdict = expected.iter().map(|(_, weight, _)| *weight).max().unwrap_or(Verdict::Valid);
    assert_eq!(verified.verdict, verdict);
}

impl Pen {
    /// A new log of somebody.
    pub(crate) fn begin(vault: VaultId, who: u8, handle: &str) -> Self {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&fresh().to_be_bytes());
        let begins = Begins { member: member(who), salt, handle: handle.into(), continues: None };
        let id = LogId::derive(&vault, &begins.member, &salt);
        Self { who, vault, id, begins, tree: Growing::default(), next_number: 1 }
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    pub(crate) fn head(&self) -> Head {
        Head { log: self.id, size: self.size(), root: self.tree.root() }
    }

    /// How findings name one of its entries.
    pub(crate) fn at(&self, seq: u64) -> String {
        format!("logs/{}, entry {seq}", self.id)
    }

    /// How findings name it.
    pub(crate) fn folder(&self) -> String {
        format!("logs/{}", self.id)
    }

    /// The entry that would come next.
    pub(crate) fn entry(&self, heads: &[Head], event: Event) -> Entry {
        let mut heads = heads.to_vec();
        heads.sort_unstable();
        let mut nonce = [0; 16];
        nonce[8..].copy_from_slice(&fresh().to_be_bytes());
        Entry {
            format: Entry::FORMAT.into(),
            vault: self.vault,
            log: self.id,
            seq: self.size(),
            previous: self.tree.root(),
            nonce,
            time: "2031-05-04T23:10:00-03:00".into(),
            clock: "device".into(),
            heads,
            tool: "forger".into(),
            begins: (self.size() == 0).then(|| self.begins.clone()),
            event,
        }
    }

    /// Says something, as the program would.
    pub(crate) fn say(&mut self, forge: &Forge, heads: &[Head], event: Event) -> Head {
        let entry = self.entry(heads, event);
        self.write(forge, &entry)
    }

    /// Writes an entry, whatever it is, and signs the state behind it.
    pub(crate) fn write(&mut self, forge: &Forge, entry: &Entry) -> Head {
        self.unsigned(forge, entry);
        self.sign(forge);
        self.head()
    }

    /// Writes an entry without signing anything; returns its path.
    pub(crate) fn unsigned(&mut self, forge: &Forge, entry: &Entry) -> String {
        let founds = matches!(entry.event, Event::Found(_)) && entry.vault == VaultId::UNFOUNDED;
        if let Event::Seal(seal) = &entry.event {
            self.next_number = seal.first + u64::from(seal.count);
        }
        let path = self.plaintext(forge, &entry.encode(), &entry.encode_padded());
        if founds && self.size() == 1 {
            self.vault = VaultId(self.tree.root());
        }
        path
    }

    /// Writes any bytes as the next entry: what is hashed as its leaf, and what is encrypted.
    pub(crate) fn plaintext(&mut self, forge: &Forge, encoding: &[u8], padded: &[u8]) -> String {
        let (seq, leaf) = (self.size(), entry_leaf(encoding));
        self.tree.push(leaf);
        forge.put_entry(self.id, seq, leaf, padded)
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let origin = Origin { vault: self.vault, log: self.id };
        Checkpoint { origin, size: self.size(), root: self.tree.root() }
    }

    /// Signs the present state; returns the path.
    pub(crate) fn sign(&self, forge: &Forge) -> String {
        forge.put_note(self.id, self.size(), &signed(&self.checkpoint(), &keys(self.who)))
    }
}
