//! Opening a vault for a person: the folder, this device's memory of it, the keys that the person's identity opens, and
//! the checked history. Every verb but `create` starts here.

mod contact;
mod person;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

pub use person::Person;

use super::exhibits::Lately;
use super::findings::{Check, Finding, Findings, Verdict};
use super::history::{History, Signatures};
use super::keyring::{self, Keyring};
use super::quorum;
use super::survey::{self, Survey};
use super::{Setting, Stage, VaultError, interrupted, orphans};
use crate::crypto::recipient::Recipient;
use crate::format::card::Card;
use crate::format::ids::{LogId, MemberId, VaultId};
use crate::format::role::{Role, Scope};
use crate::store::layout;
use crate::store::memory::{Intent, Memory, Unfinished};
use crate::store::overlay::Overlay;
use crate::store::veil::Veil;
use crate::store::{Folder, Lock};

/// Whose word makes a vault trusted at first contact.
#[derive(Clone, Debug)]
pub enum Trust {
    /// The vault's id, as its founder gave it.
    VaultId(VaultId),
    /// The founder's card, as the founder gave it.
    Owner(Box<Card>),
}

/// What to open, and with what.
pub struct Request<'a> {
    /// The vault's folder.
    pub vault: &'a Path,
    /// The device's memory.
    pub state: &'a Path,
    /// Who acts; `None` checks bytes alone.
    pub person: Option<&'a Person>,
    /// What the person was given at first contact.
    pub trust: Option<&'a Trust>,
}

impl<'a> Request<'a> {
    /// Who acts, for verbs that need somebody.
    pub fn person(&self) -> Result<&'a Person, VaultError> {
        self.person.ok_or(VaultError::NoKey)
    }
}

/// An open vault.
pub struct Session {
    /// Its folder.
    pub folder: Arc<dyn Folder>,
    /// This device's memory.
    pub memory: Memory,
    /// The vault's id: the leaf hash of its founding entry.
    pub vault: VaultId,
    /// Whether this device trusts it.
    pub pinned: bool,
    /// The names that lie there.
    pub survey: Survey,
    /// The keys that the person's identity opens.
    pub ring: Keyring,
    /// The story; `None` without a custody key, or without a founding entry.
    pub history: Option<History>,
    /// A custody key is here, and the entry that founds the vault is not, or does not hold.
    pub founding_lost: bool,
    /// What does not hold so far.
    pub findings: Findings,
    /// This device's own unfinished work.
    pub unfinished: Unfinished,
    /// Who acts.
    pub(super) member: Option<MemberId>,
    /// Whose logs nothing is built upon any more: she is about to be removed.
    aside: Option<MemberId>,
    /// Which signatures were checked.
    signatures: Signatures,
    /// Lists of sealings that were read last.
    pub(super) lately: Lately,
    /// Held while the session lives.
    _lock: Option<Box<dyn Lock>>,
}

impl Session {
    /// Opens a vault for reading.
    pub fn open(setting: &mut Setting<'_>, request: &Request<'_>) -> Result<Self, VaultError> {
        let folder = setting.disk.folder(request.vault)?;
        Self::enter(setting, request, Entrance { folder, beside: None, write: false, signatures: Signatures::All })
    }

    /// Opens a vault only to tell what it says, in half the time: of the signed states, those are checked that the story
    /// rests on. Nothing may be built on it or vouched for.
    pub(super) fn open_to_tell(setting: &mut Setting<'_>, request: &Request<'_>) -> Result<Self, VaultError> {
        let folder = setting.disk.folder(request.vault)?;
        Self::enter(setting, request, Entrance { folder, beside: None, write: false, signatures: Signatures::OfStory })
    }

    /// Opens a vault for writing: alone, and after completing what an earlier command left half done.
    pub fn open_to_write(setting: &mut Setting<'_>, request: &Request<'_>) -> Result<Self, VaultError> {
        let folder = setting.disk.folder(request.vault)?;
        Self::enter(setting, request, Entrance { folder, beside: None, write: true, signatures: Signatures::All })
    }

    /// Opens a vault for writing, and reads it together with another copy: history, keys and all files are those of both.
    /// What is written goes to `own`, the vault's folder, itself.
    pub(super) fn open_over(
        setting: &mut Setting<'_>,
        request: &Request<'_>,
        own: &Arc<dyn Folder>,
        other: &Arc<dyn Folder>,
    ) -> Result<Self, VaultError> {
        let (folder, beside) = (Arc::clone(own), Some(Arc::clone(other)));
        Self::enter(setting, request, Entrance { folder, beside, write: true, signatures: Signatures::All })
    }

    fn enter(setting: &mut Setting<'_>, request: &Request<'_>, entrance: Entrance) -> Result<Self, VaultError> {
        setting.watch.begin(Stage::Logs, None);
        let Entrance { folder, beside, write, signatures } = entrance;
        let remembers = write || request.trust.is_some();
        let open_memory = if remembers { Memory::open_to_write } else { Memory::open };
        let memory = open_memory(setting.disk, request.state, setting.machine)?.of_copy(request.vault);
        let (mut lock, mut ended) = (None, Vec::new());
        let is_alone = beside.is_none();
        if write {
            // Whoever deletes or empties the file must not make two commands write one log at once: no lock, no writing.
            let hinted = survey::hint(&*folder)?;
            lock = Some(folder.lock(&layout::vault_file())?);
            if let Some(person) = request.person {
                super::change::complete(&*folder, &memory, &hinted, &person.member())?;
            }
            ended = interrupted::settle(&*folder, &memory, &hinted)?;
        }
        let folder = match survey::hint(&*folder) {
            Ok(hinted) => Veil::over(Arc::clone(&folder), interrupted::hidden(&*folder, &memory, &hinted)?),
            Err(_) => folder,
        };
        let survey = survey::survey(&*folder)?;
        let mut findings = survey.findings.clone();
        // Which vault this is, its own folder says: another copy, or what claims to be one, has no part in that.
        let (vault, pinned) = contact::recognise(&survey, &memory, request.trust, &mut findings)?;
        let (folder, survey) = match beside {
            Some(other) => {
                let folder: Arc<dyn Folder> = Arc::new(Overlay::new(folder, other));
                let survey = survey::survey(&*folder)?;
                findings.extend(survey.findings.clone());
                (folder, survey)
            }
            None => (folder, survey),
        };
        let unfinished = memory.unfinished(&vault)?;
        let (mut ring, opened) = match request.person {
            Some(person) => keyring::unlock(&*folder, &survey, &person.keys.age),
            None => Default::default(),
        };
        let (history, founding_lost) = match ring.custody().as_slice() {
            [] => (None, false),
            custody => match History::read(&*folder, &survey, vault, custody, &unfinished.anywhere, signatures) {
                Ok(history) => (Some(history), false),
                Err(VaultError::NoFounding { findings: why }) => {
                    findings.extend(why);
                    (None, true)
                }
                Err(error) => return Err(error),
            },
        };
        if let Some(history) = &history {
            ring.keep_known(history);
            if let Some(person) = request.person {
                keyring::check_own_wraps(&*folder, history, person.member(), &opened, &mut ring, &mut findings);
                quorum::meet(&mut ring, history, vault, person)?;
            }
        }
        let member = request.person.map(Person::member);
        let mut session = Self {
            folder,
            memory,
            vault,
            pinned,
            survey,
            ring,
            history,
            founding_lost,
            findings,
            unfinished,
            member,
            aside: None,
            signatures,
            lately: Lately::default(),
            _lock: lock,
        };
        session.settle_trust(request.trust)?;
        session.compare_with_memory(request.person.is_some())?;
        // Where another copy is read as well, it is not known from here what of this one counts; the merge itself ends with it.
        if is_alone {
            session.forget_ended(&ended)?;
        }
        Ok(session)
    }

    /// What interrupted merges brought counts where they came to their end; then how they were to end is forgotten.
    fn forget_ended(&self, ended: &[Intent]) -> Result<(), VaultError> {
        if !ended.is_empty() && self.history.is_some() {
            orphans::forget_arrived(self)?;
        }
        ended.iter().try_for_each(|intent| Ok(self.memory.forget(intent)?))
    }

    /// The story, or that no key here reads it.
    pub fn history(&self) -> Result<&History, VaultError> {
        match &self.history {
            Some(history) => Ok(history),
            None if self.founding_lost => Err(VaultError::NoFounding { findings: self.findings.clone() }),
            None => Err(VaultError::NoKey),
        }
    }

    /// The story of a vault that this device trusts, as far as it may be built upon: nothing is wrong with the vault as
    /// a whole, with an owner's log, or with one's own. What is wrong with another member's log is [`Session::overlooked`]
    /// here and lowers every verdict: one dishonest monitor, or one restored disk, must not stop a lawyer's work.
    pub fn sound_history(&self) -> Result<&History, VaultError> {
        let history = self.history()?;
        if !self.pinned {
            return Err(VaultError::NotPinned { vault: self.vault });
        }
        match self.invalid(history).find(|finding| !self.is_others(history, finding)) {
            Some(finding) => Err(finding.clone().into()),
            None => Ok(history),
        }
    }

    /// Sets a member's logs aside: what is wrong with them must not keep an owner from removing her.
    pub(super) fn set_aside(&mut self, member: MemberId) {
        self.aside = Some(member);
    }

    /// The story of a vault that this device trusts, for who puts her name to what is wrong with it. Nothing is built on
    /// it: her entry says what she found, and only her own log must be in order.
    pub fn history_to_witness(&self) -> Result<&History, VaultError> {
        let history = self.history()?;
        if !self.pinned {
            return Err(VaultError::NotPinned { vault: self.vault });
        }
        let own = |log: LogId| history.logs.get(&log).is_some_and(|log| Some(log.member) == self.member);
        match self.invalid(history).find(|finding| log_concerned(finding).is_some_and(own)) {
            Some(finding) => Err(finding.clone().into()),
            None => Ok(history),
        }
    }

    /// What is wrong with logs that nothing else rests on.
    pub fn overlooked(&self) -> Vec<Finding> {
        let Some(history) = &self.history else { return Vec::new() };
        let others = self.invalid(history).filter(|finding| self.is_others(history, finding));
        others.chain(history.findings.iter().filter(|finding| finding.check == Check::Fork)).cloned().collect()
    }

    /// What does not hold of the logs: an entry may be missing, or another history may stand beside them.
    pub fn of_logs(&self) -> impl Iterator<Item = &Finding> {
        let all = self.findings.iter().chain(self.history.iter().flat_map(|history| history.findings.iter()));
        all.filter(|finding| {
            finding.subject.starts_with("logs/") && !matches!(finding.check, Check::Foreign | Check::Layout)
        })
    }

    /// States that this device has seen and this copy lacks.
    pub fn lacking(&self) -> Vec<Finding> {
        self.findings.iter().filter(|finding| finding.check == Check::Behind).cloned().collect()
    }

    /// Refuses a log with which anything is wrong: what rests on it is not to be opened, or vouched for.
    pub fn require_sound(&self, log: LogId) -> Result<(), VaultError> {
        let history = self.history()?;
        match self.invalid(history).find(|finding| log_concerned(finding) == Some(log)) {
            Some(finding) => Err(finding.clone().into()),
            None => Ok(()),
        }
    }

    /// What is INVALID, but for contradicting histories that are both here: they are told and lower every verdict, and
    /// stop nobody. Whoever signed them could have gone on with either; a restored disk image does it honestly.
    fn invalid<'a>(&'a self, history: &'a History) -> impl Iterator<Item = &'a Finding> {
        assert_eq!(self.signatures, Signatures::All, "nothing is built on a vault that was opened to tell of it");
        let of_history = history.findings.iter().filter(|finding| finding.check != Check::Fork);
        self.findings.iter().chain(of_history).filter(|finding| finding.weight == Verdict::Invalid)
    }

    /// Whether a finding is about the log of somebody else who is no owner and never was one, or is set aside.
    pub(super) fn is_others(&self, history: &History, finding: &Finding) -> bool {
        // A key that is none, or is not what was promised, seals and opens nothing here, whoever promised it.
        if finding.check == Check::Key {
            return true;
        }
        let Some(log) = log_concerned(finding).and_then(|id| history.logs.get(&id)) else { return false };
        let grants = history.members.get(&log.member).map(|member| member.grants.as_slice()).unwrap_or_default();
        let owned = grants.iter().any(|grant| grant.role == Role::Owner) && Some(log.member) != self.aside;
        Some(log.member) != self.member && !owned
    }

    /// Refuses whoever is no member.
    pub fn require_member(&self, member: MemberId, what: &'static str) -> Result<(), VaultError> {
        if self.history()?.has_role(member, |_| true) { Ok(()) } else { Err(VaultError::NotAMember { what }) }
    }

    /// Refuses whoever has not this role.
    pub fn require(&self, member: MemberId, what: &'static str, role: &Role) -> Result<(), VaultError> {
        if self.history()?.has_role(member, |has| has == role) {
            Ok(())
        } else {
            Err(VaultError::NotInRole { what, role: role.to_string() })
        }
    }

    /// To whom this person writes entries and inventories: the newest custody key that she holds. Whoever awaits a newer
    /// one, or was left out of it, must still be able to read her own log.
    pub fn custody_recipient(&self) -> Result<&Recipient, VaultError> {
        self.custody_recipient_in(self.history()?)
    }

    /// The same, were the story another.
    pub(super) fn custody_recipient_in<'a>(&self, history: &'a History) -> Result<&'a Recipient, VaultError> {
        let newest = history.newest_key_of(&Scope::Custody, |key| self.ring.key(key).is_some());
        newest.map(|(_, key)| &key.recipient).ok_or(VaultError::NoKey)
    }

    /// Whether she holds every key to which an inventory may be encrypted.
    pub(super) fn has_all_custody_keys(&self) -> bool {
        let mut all = self.history.iter().flat_map(History::custody_keys);
        all.all(|key| self.ring.key(key).is_some())
    }

    /// Remembers the state of every log with which nothing is wrong.
    pub fn remember_heads(&self) -> Result<(), VaultError> {
        let history = self.history()?;
        assert_eq!(self.signatures, Signatures::All, "nothing is remembered of a vault that was opened to tell of it");
        let all = self.findings.iter().chain(history.findings.iter());
        let wrong: BTreeSet<LogId> =
            all.filter(|finding| finding.weight == Verdict::Invalid).filter_map(log_concerned).collect();
        for log in history.logs.values().filter(|log| !wrong.contains(&log.id)) {
            // What this device wrote and does not know to be durable may be gone tomorrow, and the copy is then no older one.
            if self.memory.is_uncertain(&self.vault, &log.id)? {
                continue;
            }
            self.memory.remember(&self.vault, &log.id, log.head.size, &log.note.to_bytes())?;
        }
        Ok(())
    }
}

/// What a session is made from.
struct Entrance {
    /// The vault's folder.
    folder: Arc<dyn Folder>,
    /// Another copy, read with it.
    beside: Option<Arc<dyn Folder>>,
    /// Whether anything will be written.
    write: bool,
    /// Which signatures of the logs' states are checked.
    signatures: Signatures,
}

/// The log that a finding is about, if it is about one.
pub(super) fn log_concerned(finding: &Finding) -> Option<LogId> {
    finding.subject.strip_prefix("logs/").and_then(|rest| rest.get(..32)).and_then(LogId::from_hex)
}
