//! The false accusation: random histories of honest people who seal, note, open, hand over, cosign, admit, remove, rotate
//! keys, merge, carry parts of copies, take older copies out of a drawer, restore an identity from paper or what a device
//! remembers from an image, and lose power in the middle. None of it ever shows as contradicting histories, a false
//! statement or a breach of authority; and when everything has been merged, all copies tell one story and lack nothing.
//!
//! One thing is left out, because nobody could tell it from forgery: that copy and memory of one device are both set
//! back before anything else has reached it. Then one key signs two histories, and they are worded so.
//!
//! `AMPARO_HISTORIES=3000 cargo test stories::false_accusation` goes through more of them, `AMPARO_SEED` says with which to
//! begin; `AMPARO_HISTORY=7` goes through that one, and shows it. Only age's own randomness, and how threads take turns,
//! differ between two runs of one seed.
//!
//! - [`acts`]: what people do
//! - [`fates`]: what happens to their devices
//! - [`too_late`]: what came to light in some of them: who relied on what came too late
//! - [`plants`]: programs with a fault, which these histories bring to light

mod acts;
mod draws;
mod fates;
mod plants;
mod too_late;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use amparo::crypto::hash::Hash;
use amparo::format::event::Event;
use amparo::format::ids::VaultId;
use amparo::format::note::Note;
use amparo::format::role::{Role, Scope, Section};
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::vault::Setting;
use amparo::vault::create::{CreateRequest, create};
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::history::{History, Place, Standing};
use amparo::vault::members::{AddRequest, add};
use amparo::vault::seal::{SealRequest, seal};
use amparo::vault::session::{Session, Trust};
use amparo::vault::verify::{VerifyRequest, verify};
use draws::Draws;
use plants::Plant;

use crate::vault::merging::carry;
use crate::vault::people::{Device, device, request, with, with_draws};

/// A history has at least so many steps, and at most
const STEPS_MIN: u64 = 6;
/// so many.
const STEPS_MAX: u64 = 20;
/// So many in each run of all tests: in that many each act must have happened.
const HISTORIES: u64 = 100;
/// The first four are there from the beginning, the others may be admitted.
const NAMES: [&str; 6] = ["Blue Heron", "Harbour", "Lantern", "Sparrow", "Tern", "Plover"];
const LAWYER: usize = 0;
const READER: usize = 1;
const MONITOR: usize = 2;
const SEALER: usize = 3;
const SEATS_MAX: usize = 7;

/// Somebody at a device, with the copy of the vault that lies there.
#[derive(Clone)]
struct Seat {
    who: usize,
    /// Where the device's memory lies now.
    state: PathBuf,
    machine: Hash,
    copy: PathBuf,
    /// What the device remembered at earlier times, kept aside.
    images: Vec<PathBuf>,
    /// The disk failed, and nothing has been written since.
    interrupted: bool,
}

impl Seat {
    fn device(&self) -> Device {
        let number = u8::try_from(self.who + 1).expect("small");
        let device = device(Path::new("/home"), NAMES[self.who], number);
        Device { state: self.state.clone(), machine: self.machine, ..device }
    }
}

/// A vault as it was founded, on a disk that each history gets for itself.
struct Founded {
    disk: FaultyDisk,
    vault: VaultId,
    seats: Vec<Seat>,
}

struct Story {
    seed: u64,
    dice: u64,
    /// How much randomness was drawn by the program itself.
    draws: Cell<u64>,
    disk: FaultyDisk,
    vault: VaultId,
    seats: Vec<Seat>,
    /// Copies that nobody works on: nothing is ever thrown away.
    drawer: Vec<PathBuf>,
    /// Cosignatures on their way, as texts.
    letters: Vec<Vec<Note>>,
    /// Offers that were made: at which seat, to which.
    offers: Vec<(usize, usize)>,
    /// What was done, for whoever has to find out why.
    told: Vec<String>,
    made: u64,
    /// What the program does wrong, for whoever has to see that it would be noticed.
    plant: Option<Plant>,
}

impl Founded {
    /// The lawyer founds it; the reader becomes an owner too, so that two of them act without knowing of each other.
    fn on(rules: Rules) -> Self {
        let disk = FaultyDisk::new(rules);
        for number in 0..=STEPS_MAX {
            disk.put(&PathBuf::from(format!("/s/{number}.txt")), format!("source {number}").as_bytes());
        }
        disk.put(Path::new("/home/here"), b"");
        let root = Path::new("/home");
        let people: Vec<Device> = (1..).zip(NAMES).map(|(seed, name)| device(root, name, seed)).collect();
        let seat = |who: usize| {
            let copy = root.join(format!("vault of {}", NAMES[who]));
            Seat {
                who,
                state: people[who].state.clone(),
                machine: people[who].machine,
                copy,
                images: Vec::new(),
                interrupted: false,
            }
        };
        let seats: Vec<Seat> = (0..=SEALER).map(seat).collect();
        let lawyer = &people[LAWYER];
        let card = |who: usize| std::slice::from_ref(people[who].person.card());
        let created = with(&disk, lawyer.machine, |setting| {
            let request = CreateRequest {
                folder: &seats[LAWYER].copy,
                state: &lawyer.state,
                founder: &lawyer.person,
                readers: card(READER),
                register_readers: &[],
                monitors: card(MONITOR),
                sealers: card(SEALER),
                monitors_needed: None,
                quorum: None,
                handle: Some("K7".into()),
            };
            create(setting, &request).expect("founded")
        });
        with(&disk, lawyer.machine, |setting| {
            let place = request(&seats[LAWYER].copy, lawyer, None);
            let roles = [Role::Owner];
            add(setting, &AddRequest { place, cards: card(READER), roles: &roles, handle: None }).expect("admitted");
        });
        let first = [PathBuf::from("/s/0.txt")];
        with(&disk, lawyer.machine, |setting| {
            let place = request(&seats[LAWYER].copy, lawyer, None);
            let request = SealRequest {
                place,
                paths: &first,
                together: false,
                section: Section::main(),
                fields: &[],
                register: &[],
                identity: None,
                accepted: &[],
                readback: true,
            };
            seal(setting, &request, &mut std::io::empty(), &mut drop).expect("sealed");
        });
        for to in seats.iter().skip(1).map(|seat| seat.copy.clone()).chain([root.join("first copy")]) {
            carry(&disk, &seats[LAWYER].copy, &to, |_| true);
        }
        let mut story = Story::begin(0, &Self { disk, vault: created.vault, seats });
        for seat in 0..story.seats.len() {
            assert_eq!(story.check(seat), Verdict::Valid);
        }
        Self { disk: story.disk.crash(0), vault: story.vault, seats: std::mem::take(&mut story.seats) }
    }
}

impl Story {
    fn begin(seed: u64, founded: &Founded) -> Self {
        Self {
            seed,
            dice: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            draws: Cell::new(0),
            disk: founded.disk.crash(0),
            vault: founded.vault,
            seats: founded.seats.clone(),
            drawer: vec![PathBuf::from("/home/first copy")],
            letters: Vec::new(),
            offers: Vec::new(),
            told: Vec::new(),
            made: 0,
            plant: None,
        }
    }

    fn below(&mut self, count: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) % count
    }

    fn one_of(&mut self, count: usize) -> usize {
        usize::try_from(self.below(count as u64)).expect("small")
    }

    fn fresh(&mut self, what: &str) -> PathBuf {
        self.made += 1;
        PathBuf::from(format!("/home/{what} {}", self.made))
    }

    /// In every third history nobody is removed: then everything counts in the end.
    fn is_peaceful(&self) -> bool {
        self.seed.is_multiple_of(3)
    }

    fn on<T>(&self, seat: usize, act: impl FnOnce(&mut Setting<'_>, &Seat, &Device) -> T) -> T {
        let seat = &self.seats[seat];
        self.spoil_memory(seat);
        self.draws.set(self.draws.get() + 1);
        let mut draws = Draws(self.seed, self.draws.get() << 32);
        with_draws(&self.disk, seat.machine, &mut draws, |setting| act(setting, seat, &seat.device()))
    }

    /// What somebody reads in her copy, if a key of hers opens it.
    fn history(&self, seat: usize) -> Option<History> {
        self.on(seat, |setting, seat, device| {
            Session::open(setting, &request(&seat.copy, device, None)).ok().and_then(|session| session.history)
        })
    }

    fn context(&self) -> String {
        format!("AMPARO_HISTORY={}\n{}", self.seed, self.told.join("\n"))
    }

    /// Nothing is wrong with anybody, whatever is missing.
    fn check(&self, seat: usize) -> Verdict {
        self.findings(seat).iter().map(|(weight, ..)| *weight).max().unwrap_or(Verdict::Valid)
    }

    fn findings(&self, seat: usize) -> Vec<(Verdict, Check, String)> {
        let trust = Trust::VaultId(self.vault);
        let verified = self.on(seat, |setting, seat, device| {
            let place = request(&seat.copy, device, Some(&trust));
            verify(setting, &VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] })
        });
        let verified = verified.unwrap_or_else(|error| panic!("at {seat}: {error}\n{}", self.context()));
        let found: Vec<_> =
            verified.findings.iter().map(|found| (found.weight, found.check, found.to_string())).collect();
        let accused: Vec<_> = found.iter().filter(|(weight, ..)| *weight == Verdict::Invalid).collect();
        assert!(accused.is_empty(), "at {seat}: {accused:#?}\n{}", self.context());
        found
    }

    /// Everything is merged: all comes together on the founder's device, and goes from there to everybody.
    fn end(&mut self, adopts: bool) {
        for seat in 0..self.seats.len() {
            self.settle(seat);
        }
        // Files are only added: all copies go into one folder first, by a file copier, and are merged from there.
        let all = self.fresh("all copies");
        for copy in self.seats.iter().skip(1).map(|seat| &seat.copy).chain(&self.drawer) {
            carry(&self.disk, copy, &all, |_| true);
        }
        self.merge(LAWYER, &all).unwrap_or_else(|error| panic!("{error}\n{}", self.context()));
        self.grant(LAWYER).unwrap_or_else(|error| panic!("{error}\n{}", self.context()));
        if adopts {
            self.adopt_what_came_late();
        }
        let whole = self.seats[LAWYER].copy.clone();
        for seat in 1..self.seats.len() {
            self.merge(seat, &whole).unwrap_or_else(|error| panic!("at {seat}: {error}\n{}", self.context()));
        }
        let found = self.findings_at_the_end(LAWYER);
        let (history, story) = self.story(LAWYER);
        let is_shunned = |(_, _, standing): &(Place, Hash, Standing)| *standing != Standing::Counted;
        if self.is_peaceful() {
            assert!(found.is_empty() && !story.iter().any(is_shunned), "{found:#?}\n{}", self.context());
        }
        let ends = if found.is_empty() { "ends valid" } else { "ends incomplete" };
        self.told.push(format!("[{ends}]"));
        if story.iter().any(is_shunned) {
            self.told.push("[has late entries]".into());
        }
        for seat in 1..self.seats.len() {
            if !self.reads_all(&history, seat) {
                // What nobody gave her a key to she cannot follow; that nobody is accused is asked here as well.
                self.lacks_only_keys(seat, &whole);
                continue;
            }
            // What is foreign no merge takes along: it is found where it lies.
            let shared = |found: BTreeSet<(Verdict, Check, String)>| -> BTreeSet<_> {
                found.into_iter().filter(|(_, check, _)| *check != Check::Foreign).collect()
            };
            let (found_here, found) = (shared(self.findings_at_the_end(seat)), shared(found.clone()));
            assert_eq!(found_here, found, "at {seat}\n{}", self.context());
            assert!(self.story(seat).1 == story, "two copies tell two stories, at {seat}\n{}", self.context());
        }
    }

    /// What is still found when everything has been merged: nothing is lacking, and no history contradicts another.
    fn findings_at_the_end(&self, seat: usize) -> BTreeSet<(Verdict, Check, String)> {
        let found: BTreeSet<_> = self.findings(seat).into_iter().collect();
        let lacks: Vec<_> = found.iter().filter(|(_, check, _)| matches!(check, Check::Behind | Check::Fork)).collect();
        assert!(lacks.is_empty(), "at {seat}: {lacks:#?}\n{}", self.context());
        found
    }

    /// Of what somebody lacks who reads a part, no file in any copy would give her more: a merge took all that it could.
    fn lacks_only_keys(&mut self, seat: usize, whole: &Path) {
        let lacking = |story: &Self| -> BTreeSet<String> {
            let found = story.findings(seat).into_iter();
            found.filter(|(_, check, _)| *check == Check::Behind).map(|(.., said)| said).collect()
        };
        let lacks = lacking(self);
        if self.history(seat).is_none() {
            return;
        }
        let (copy, all) = (self.seats[seat].copy.clone(), self.fresh("all files"));
        for from in [&copy, whole] {
            carry(&self.disk, from, &all, |_| true);
        }
        self.seats[seat].copy = all;
        let with_all = lacking(self);
        self.seats[seat].copy = copy;
        let lost: Vec<_> = lacks.difference(&with_all).collect();
        assert!(lost.is_empty(), "at {seat}: {lost:#?}\n{}", self.context());
    }

    fn story(&self, seat: usize) -> (History, Vec<(Place, Hash, Standing)>) {
        let history = self.history(seat).unwrap_or_else(|| panic!("{seat} reads nothing\n{}", self.context()));
        let told = |place: &Place| (*place, history.told(*place).leaf, history.told(*place).standing.clone());
        let story = history.order.iter().map(told).collect();
        (history, story)
    }

    /// Whether somebody was given every key that entries are encrypted to.
    fn reads_all(&self, history: &History, seat: usize) -> bool {
        let member = self.seats[seat].device().person.member();
        let void = history.late().any(|(_, told)| matches!(told.entry.event, Event::Rotate { .. }));
        let mut custody = history.keys.values().filter(|key| key.scope == Scope::Custody);
        !void && custody.all(|key| key.wraps.iter().any(|(_, wrap)| wrap.member == member))
    }
}

fn play(seed: u64, founded: &[Founded], plant: Option<Plant>) -> BTreeMap<&'static str, u64> {
    let which = usize::try_from(seed % founded.len() as u64).expect("small");
    let mut story = Story { plant, ..Story::begin(seed, &founded[which]) };
    for step in 0..STEPS_MIN + story.below(STEPS_MAX - STEPS_MIN + 1) {
        story.step(step);
    }
    story.end(true);
    story.happened()
}

#[test]
fn no_order_of_honest_acts_accuses_anybody() {
    let _row = crate::soak::row(6);
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = number("AMPARO_HISTORY");
    let first = one.or(number("AMPARO_SEED")).unwrap_or(1);
    let many = one.map_or_else(|| crate::soak::count("AMPARO_HISTORIES", HISTORIES), |_| 1);
    let (last, next) = (first + many - 1, AtomicU64::new(first));
    let founded: Vec<Founded> = [Rules::Ext4, Rules::ExFat].into_iter().map(Founded::on).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut happened: BTreeMap<&str, u64> = BTreeMap::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let seeds = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::SeqCst)));
                    seeds.take_while(|seed| *seed <= last).map(|seed| play(seed, &founded, None)).collect::<Vec<_>>()
                })
            })
            .collect();
        for worker in workers {
            // The story that failed has told itself already.
            let of_one = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            of_one.into_iter().flatten().for_each(|(what, times)| *happened.entry(what).or_default() += times);
        }
    });
    crate::soak::tell(&format!("no false accusation in AMPARO_HISTORY={first} to {last}: {happened:?}"));
    if many >= 100 {
        let never = acts::ALL.iter().filter(|what| !happened.contains_key(*what));
        let never: Vec<_> = never.filter(|what| many >= 3000 || **what != acts::RARE).collect();
        assert!(never.is_empty(), "{many} histories, and never {never:?}");
    }
}

/// A device that remembers less than it has seen since does not go on from there: what it has forgotten may lie anywhere.
#[test]
fn a_log_that_was_seen_longer_than_it_is_remembered_is_not_continued() {
    plants::set_back_to_an_image(None);
}
