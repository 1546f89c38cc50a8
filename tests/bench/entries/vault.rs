//! A vault of many entries: founded and sealed into by the program, then written on by all its members as the program
//! writes, but without waiting for the disk after each entry.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use amparo::crypto::envelope;
use amparo::crypto::hash::Hash;
use amparo::crypto::merkle::Growing;
use amparo::crypto::recipient::Identity;
use amparo::crypto::seed::Seed;
use amparo::format::card::Card;
use amparo::format::checkpoint::{Checkpoint, Origin};
use amparo::format::document::Document;
use amparo::format::entry::{Begins, Entry, HEADS_MAX, entry_leaf};
use amparo::format::event::{Admission, Event, ExhibitRef, Head};
use amparo::format::ids::{LogId, VaultId};
use amparo::format::pseudonym::Pseudonym;
use amparo::format::role::{Role, Section};
use amparo::store::layout::{self, CheckpointName, EntryName};
use amparo::store::real::RealDisk;
use amparo::vault::create::{CreateRequest, create};
use amparo::vault::exhibits;
use amparo::vault::seal::{SealRequest, seal};
use amparo::vault::session::{Person, Request, Session, Trust};
use amparo::vault::{Clock, Setting, Stage, TOOL, Watch};
use rand_core::OsRng;

const EXHIBITS: usize = 100;

/// Every such entry of a log is the first after its writer merged another copy: a check of the others' states, which names
/// as many of those that advanced as an entry can name.
const CHECK_EVERY: usize = 10;

/// Every such entry is about the first exhibit, every fourth of these reconstructed from memory.
const ABOUT_EVERY: usize = 7;

/// Many entries, and what is needed to read them.
pub(crate) struct Many {
    pub(crate) founder: Person,
    /// Who holds the custody key as well, and has said nothing yet.
    pub(crate) monitor: Person,
    pub(crate) custody: Identity,
    pub(crate) entries: usize,
    pub(crate) exhibits: usize,
    /// Where the entries lie.
    pub(crate) files: Vec<PathBuf>,
    pub(crate) vault: PathBuf,
    state: PathBuf,
    trust: Trust,
}

/// One member's log in the making.
struct Pen {
    keys: usize,
    vault: VaultId,
    id: LogId,
    begins: Option<Begins>,
    tree: Growing,
}

/// One entry that still is to be encrypted, signed and written.
struct Written {
    entry: Entry,
    leaf: Hash,
    checkpoint: Checkpoint,
    keys: usize,
}

impl Many {
    pub(crate) fn request(&self) -> Request<'_> {
        Request { vault: &self.vault, state: &self.state, person: Some(&self.founder), trust: Some(&self.trust) }
    }

    /// Writes it into `folder`: `entries` beside those of founding, admitting and sealing.
    pub(crate) fn write(folder: &Path, entries: usize, members: usize) -> Self {
        let (founder, monitor) = (person("Heron", 0), person("Owl", members + 1));
        let (vault, state) = (folder.join("vault"), folder.join("state"));
        let trust = Trust::VaultId(found(&vault, &state, &founder, monitor.card()));
        let sources = sources(folder);
        seal_all(&Request { vault: &vault, state: &state, person: Some(&founder), trust: None }, &sources);
        let mut many = Self {
            founder,
            monitor,
            custody: Identity::from_seed(&[0; 32]),
            entries,
            exhibits: EXHIBITS,
            files: Vec::new(),
            vault,
            state,
            trust,
        };
        let session = with(&many.founder, |setting| Session::open(setting, &many.request()).expect("the vault opens"));
        let custody = session.ring.custody();
        many.custody = Identity::from_seed(custody.first().expect("the founder's custody key").seed());
        let exhibit = exhibits::find(&session, "K7-0001").expect("the first exhibit").reference();
        let written = said(&session, exhibit, entries, members);
        drop(session);
        many.entries = written.len();
        many.encrypt(&written, members);
        many
    }

    fn encrypt(&mut self, written: &[Written], members: usize) {
        let keys: Vec<_> = (0..=members).map(|number| seed(number).keys()).collect();
        let recipient = self.custody.recipient();
        let logs: std::collections::BTreeSet<LogId> = written.iter().map(|one| one.entry.log).collect();
        for log in logs {
            for name in ["entries", "checkpoints"] {
                fs::create_dir_all(self.vault.join(layout::log(log).as_path()).join(name)).expect("a folder");
            }
        }
        let file_of = |one: &Written| {
            let file = envelope::seal(&one.entry.encode_padded(), &[&recipient]).bytes;
            let (log, seq) = (one.entry.log, one.entry.seq);
            let entry = layout::entry(log, &EntryName { seq, leaf: one.leaf, sha256: Hash::of(&file) });
            let note = one.checkpoint.sign(&keys[one.keys]).to_bytes();
            let name = CheckpointName { size: one.checkpoint.size, sha256: Hash::of(&note) };
            let path = self.vault.join(entry.as_path());
            fs::create_dir_all(path.parent().expect("an entry lies on a shelf")).expect("a shelf");
            fs::write(&path, file).expect("an entry");
            fs::write(self.vault.join(layout::checkpoint(log, &name).as_path()), note).expect("a checkpoint");
            path
        };
        self.files = on_all_cores(written, file_of);
    }
}

/// What the founder and the members say: she admits them all, then each speaks in turn.
fn said(session: &Session, exhibit: ExhibitRef, entries: usize, members: usize) -> Vec<Written> {
    let history = session.history().expect("the founder reads it");
    let own = history.logs.values().next().expect("the founder's log");
    let mut founder = Pen { keys: 0, vault: session.vault, id: own.id, begins: None, tree: Growing::default() };
    founder.tree.extend(own.leaves());
    let mut written = Vec::with_capacity(entries + members);
    for number in 1..=members {
        let card = person(&format!("Member {number}"), number).card().clone();
        let card = String::from_utf8(card.as_bytes().to_vec()).expect("text");
        let role = if number % 10 == 0 { Role::Monitor } else { Role::Sealer };
        written.push(founder.say(Vec::new(), Event::Admit(Admission { card, roles: vec![role], handle: None })));
    }
    let mut pens: Vec<Pen> = (1..=members).map(|number| Pen::begin(session.vault, number)).collect();
    let mut named = vec![std::collections::BTreeMap::new(); members];
    for number in 0..entries {
        let who = number % members;
        let mut heads = Vec::new();
        if pens[who].begins.is_some() {
            heads.push(founder.head());
        }
        let event = if (number / members) % CHECK_EVERY == CHECK_EVERY - 1 {
            let others = (1..members.min(HEADS_MAX)).map(|step| (who + step) % members);
            let mut states: Vec<Head> = others.map(|other| pens[other].head()).collect();
            states.sort_unstable();
            // A state is named as seen once.
            let news = states.iter().filter(|head| named[who].insert(head.log, head.size) != Some(head.size));
            heads.extend(news.copied());
            Event::Verify { heads: states.clone(), level: "custody".into(), verdict: "valid".into() }
        } else {
            let about = number % ABOUT_EVERY == 0;
            let text = format!("Box {number} was looked at; its seal is whole.");
            Event::Note { text, exhibit: about.then_some(exhibit), reconstructed: number % (4 * ABOUT_EVERY) == 0 }
        };
        heads.sort_unstable();
        written.push(pens[who].say(heads, event));
    }
    written
}

impl Pen {
    fn begin(vault: VaultId, number: usize) -> Self {
        let member = person(&format!("Member {number}"), number).member();
        let salt = [7; 16];
        let id = LogId::derive(&vault, &member, &salt);
        let handle = format!("M{number}");
        let begins = Some(Begins { member, salt, handle, continues: None });
        Self { keys: number, vault, id, begins, tree: Growing::default() }
    }

    fn head(&self) -> Head {
        Head { log: self.id, size: self.tree.size(), root: self.tree.root() }
    }

    fn say(&mut self, heads: Vec<Head>, event: Event) -> Written {
        let entry = Entry {
            format: Entry::FORMAT.into(),
            vault: self.vault,
            log: self.id,
            seq: self.tree.size(),
            previous: self.tree.root(),
            nonce: [5; 16],
            time: "2031-05-04T23:10:00-03:00".into(),
            clock: "device".into(),
            heads,
            tool: TOOL.into(),
            begins: self.begins.take(),
            event,
        };
        let leaf = entry_leaf(&entry.encode());
        self.tree.push(leaf);
        let origin = Origin { vault: self.vault, log: self.id };
        let checkpoint = Checkpoint { origin, size: self.tree.size(), root: self.tree.root() };
        Written { entry, leaf, checkpoint, keys: self.keys }
    }
}

fn found(vault: &Path, state: &Path, founder: &Person, monitor: &Card) -> VaultId {
    let request = CreateRequest {
        folder: vault,
        state,
        founder,
        readers: std::slice::from_ref(founder.card()),
        register_readers: &[],
        monitors: std::slice::from_ref(monitor),
        sealers: &[],
        handle: Some("K7".into()),
        monitors_needed: None,
        quorum: None,
    };
    with(founder, |setting| create(setting, &request).expect("founded").vault)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let sources = folder.join("sources");
    fs::create_dir(&sources).expect("a folder");
    let source = |number| {
        let path = sources.join(format!("{number:04}.txt"));
        fs::write(&path, format!("Page {number}")).expect("a source");
        path
    };
    (0..EXHIBITS).map(source).collect()
}

/// What the founder seals, without reading it back.
pub(crate) fn seal_all(place: &Request<'_>, paths: &[PathBuf]) {
    let request = SealRequest {
        place: Request { ..*place },
        paths,
        together: false,
        section: Section::main(),
        fields: &[],
        register: &[],
        identity: None,
        readback: false,
        accepted: &[],
    };
    with(place.person.expect("the founder"), |setting| {
        seal(setting, &request, &mut std::io::empty(), &mut |_| {}).expect("sealed");
    });
}

fn seed(number: usize) -> Seed {
    let mut bytes = [9; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    Seed::from_bytes(&bytes)
}

fn person(name: &str, number: usize) -> Person {
    let keys = seed(number).keys();
    Person::new(Pseudonym::parse(name).expect("a name"), keys, true)
}

/// Does something on the founder's machine.
pub(crate) fn with<T>(person: &Person, act: impl FnOnce(&mut Setting<'_>) -> T) -> T {
    let mut rng = OsRng;
    let machine = Hash::of(person.card().as_bytes());
    act(&mut Setting { disk: &RealDisk, clock: &Stopped, rng: &mut rng, watch: &Stopped, machine })
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> jiff::ZonedDateTime {
        "2031-05-04T22:10:00-03:00[-03:00]".parse().expect("a time")
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

impl Watch for Stopped {
    fn begin(&self, _stage: Stage, _bytes: Option<u64>) {}
    fn advance(&self, _bytes: u64) {}
    fn stopped(&self) -> bool {
        false
    }
}

/// The same work on each item, on all cores, in no order.
pub(crate) fn on_all_cores<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let (next, cores) = (AtomicUsize::new(0), std::thread::available_parallelism().map_or(1, usize::from));
    std::thread::scope(|scope| {
        let one = || {
            let mut done = Vec::new();
            while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push(work(item));
            }
            done
        };
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(one)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no thread panics")).collect()
    })
}
