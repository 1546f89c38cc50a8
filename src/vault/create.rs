//! Founding a vault: its keys are made, wrapped to the founding members, and forgotten where the founder is no reader.

use std::collections::BTreeMap;
use std::path::Path;

use super::change;
use super::commit::OwnLog;
use super::session::Person;
use super::wrap::{self, NewWraps};
use super::{Setting, VaultError, clock};
use crate::crypto::shares::SHARES_MAX;
use crate::format::card::Card;
use crate::format::event::{Admission, Event, Found};
use crate::format::ids::{LogId, MemberId, VaultId};
use crate::format::role::{Role, Scope, Section};
use crate::format::vault_file;
use crate::store::memory::Memory;
use crate::store::{Mode, layout};

/// Who founds a vault, with whom.
pub struct CreateRequest<'a> {
    /// The folder to make.
    pub folder: &'a Path,
    /// The device's memory.
    pub state: &'a Path,
    /// Who founds it.
    pub founder: &'a Person,
    /// Who reads the section `main`; nobody named: the founder.
    pub readers: &'a [Card],
    /// Who reads the section `register`; nobody named: the readers of `main`.
    pub register_readers: &'a [Card],
    /// Who verifies and cosigns.
    pub monitors: &'a [Card],
    /// Who else seals.
    pub sealers: &'a [Card],
    /// What the labels of the founder's exhibits start with.
    pub handle: Option<String>,
    /// How many monitors must sign a state before it counts as covered; else one, if there is any.
    pub monitors_needed: Option<u32>,
    /// How many readers of a section must come together to open; `None`: each opens alone.
    pub quorum: Option<u8>,
}

/// A vault that was founded.
#[derive(Clone, Debug)]
pub struct Created {
    /// Its id; its digits are what others compare.
    pub vault: VaultId,
    /// The founder's log.
    pub log: LogId,
    /// What the labels of its exhibits start with.
    pub handle: String,
    /// Pseudonyms of those who can open the section `main`.
    pub readers: Vec<String>,
    /// Pseudonyms of those who can open the section `register`.
    pub register_readers: Vec<String>,
    /// Pseudonyms of the monitors.
    pub monitors: Vec<String>,
    /// How many of them must sign a state before it counts as covered.
    pub monitors_needed: u32,
    /// Pseudonyms of the other sealers.
    pub sealers: Vec<String>,
    /// Pseudonyms of everybody but the founder.
    pub others: Vec<String>,
    /// Whether the founder is among the readers of `main`.
    pub founder_reads: bool,
    /// How many readers must come together.
    pub quorum: Option<u8>,
}

/// Founds a vault in a new folder.
pub fn create(setting: &mut Setting<'_>, request: &CreateRequest<'_>) -> Result<Created, VaultError> {
    let founder = request.founder.member();
    let people = People::gather(request);
    let monitors_needed = monitors_needed(request, &people)?;
    if let Some(needed) = request.quorum {
        people.can_be_split(needed)?;
    }
    let mut log = OwnLog::found(setting, founder, request.handle.clone());
    let (mut new_keys, mut files) = (Vec::new(), Vec::new());
    for scope in [Scope::Custody, Scope::Content(Section::main()), Scope::Content(Section::register())] {
        let holders = people.holders_of(&scope);
        let needed = request.quorum.filter(|_| scope != Scope::Custody);
        let key = wrap::new_key(setting.rng, log.id(), scope, 0);
        new_keys.push(wrap::wrap_new_key(setting.rng, &NewWraps { key: &key, holders: &holders, needed }, &mut files));
    }
    let custody = new_keys.first().and_then(|key| key.recipient.parse().ok()).expect("the custody key was just made");
    let found = Found {
        founder: people.admission(founder, request.handle.clone()),
        members: people.others(founder).map(|member| people.admission(member, None)).collect(),
        keys: new_keys,
        monitors_needed,
        continues: Vec::new(),
    };
    if let Some(doubt) = clock::doubt(setting.clock, None) {
        setting.watch.doubts_clock(&doubt);
    }
    let (head, change) = log.write(setting, &request.founder.keys, &custody, Vec::new(), Event::Found(found), files)?;
    let vault = log.vault();
    let vault_text = vault_file::print(&vault);
    let change = change.preceded_by(&layout::vault_file(), vault_text.clone().into_bytes());
    let memory = Memory::open_to_write(setting.disk, request.state, setting.machine)?;
    memory.begin_log(&vault, &log.id(), &founder)?;
    memory.prepare(&vault, &log.id(), head.size, &change)?;
    // Trusted before it is there: whatever stops the rest, the next command in that folder completes it.
    memory.pin(&vault)?;
    let folder = setting.disk.create_folder(request.folder, Mode::Open)?;
    // By this file the next command knows where it is, so nothing else is begun before it.
    change::write_all(&*folder, &[(layout::vault_file(), vault_text.as_bytes())], change::Known::Nothing)?;
    change::carry_out(&*folder, &change, change::Known::Nothing)?;
    if let Some((_, note)) = change.files().next_back() {
        memory.remember(&vault, &log.id(), head.size, note)?;
    }
    let names = |role: Role| people.with_role(&role).map(|card| card.name().to_string()).collect::<Vec<_>>();
    Ok(Created {
        vault,
        log: log.id(),
        handle: log.handle().to_string(),
        readers: names(Role::Reader(Section::main())),
        register_readers: names(Role::Reader(Section::register())),
        monitors: names(Role::Monitor),
        monitors_needed,
        sealers: people
            .others(founder)
            .filter(|id| people.roles[id].1.contains(&Role::Sealer))
            .map(|id| people.roles[&id].0.name().to_string())
            .collect(),
        others: people.others(founder).map(|id| people.roles[&id].0.name().to_string()).collect(),
        founder_reads: people.roles[&founder].1.contains(&Role::Reader(Section::main())),
        quorum: request.quorum,
    })
}

/// How many monitors must sign: never more than could.
fn monitors_needed(request: &CreateRequest<'_>, people: &People) -> Result<u32, VaultError> {
    let given = people.with_role(&Role::Monitor).count();
    match request.monitors_needed {
        None => Ok(u32::from(given > 0)),
        Some(needed) if needed as usize > given => Err(VaultError::TooFewMonitors { needed, given }),
        Some(needed) => Ok(needed),
    }
}

/// The founding members with their roles; one card may have several.
struct People {
    roles: BTreeMap<MemberId, (Card, Vec<Role>)>,
}

impl People {
    fn gather(request: &CreateRequest<'_>) -> Self {
        let mut people = Self { roles: BTreeMap::new() };
        let founder = std::slice::from_ref(request.founder.card());
        people.give(founder, &Role::Owner);
        people.give(founder, &Role::Sealer);
        let readers = if request.readers.is_empty() { founder } else { request.readers };
        people.give(readers, &Role::Reader(Section::main()));
        let register = if request.register_readers.is_empty() { readers } else { request.register_readers };
        people.give(register, &Role::Reader(Section::register()));
        people.give(request.monitors, &Role::Monitor);
        people.give(request.sealers, &Role::Sealer);
        people
    }

    /// Whether each section's readers are enough for `needed` of them to come together, and few enough to count.
    fn can_be_split(&self, needed: u8) -> Result<(), VaultError> {
        for section in [Section::main(), Section::register()] {
            let readers = self.holders_of(&Scope::Content(section.clone())).len();
            if needed < 2 || usize::from(needed) > readers || readers > usize::from(SHARES_MAX) {
                return Err(VaultError::Quorum { needed, section: section.to_string(), readers });
            }
        }
        Ok(())
    }

    fn give(&mut self, cards: &[Card], role: &Role) {
        for card in cards {
            let (_, roles) = self.roles.entry(card.member()).or_insert_with(|| (card.clone(), Vec::new()));
            if !roles.contains(role) {
                roles.push(role.clone());
                roles.sort_by_key(ToString::to_string);
            }
        }
    }

    fn holders_of(&self, scope: &Scope) -> Vec<&Card> {
        let holds = |roles: &[Role]| match scope {
            Scope::Custody => true,
            Scope::Content(section) => roles.contains(&Role::Reader(section.clone())),
        };
        self.roles.values().filter(|(_, roles)| holds(roles)).map(|(card, _)| card).collect()
    }

    fn with_role(&self, role: &Role) -> impl Iterator<Item = &Card> {
        self.roles.values().filter(move |(_, roles)| roles.contains(role)).map(|(card, _)| card)
    }

    fn others(&self, founder: MemberId) -> impl Iterator<Item = MemberId> {
        self.roles.keys().copied().filter(move |member| *member != founder)
    }

    fn admission(&self, member: MemberId, handle: Option<String>) -> Admission {
        let (card, roles) = &self.roles[&member];
        Admission { card: String::from_utf8_lossy(card.as_bytes()).into_owned(), roles: roles.clone(), handle }
    }
}
