//! The false accusation: random histories of honest people who seal, note, open, merge, carry parts of copies, take older
//! copies out of a drawer, restore an identity from paper, and lose power. None of it ever shows as contradicting
//! histories, a false statement or a breach of authority; and when everything has been merged with everything, all copies
//! are valid and tell one story.
//!
//! `AMPARO_HISTORIES=1000 cargo test stories::false_accusation` goes through more of them; `AMPARO_HISTORY=7` through that one.

use std::path::{Path, PathBuf};

use amparo::crypto::hash::Hash;
use amparo::format::event::Event;
use amparo::format::ids::VaultId;
use amparo::format::role::Section;
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::vault::VaultError;
use amparo::vault::create::{CreateRequest, create};
use amparo::vault::findings::Verdict;
use amparo::vault::history::{Place, Standing};
use amparo::vault::open::{OpenRequest, open};
use amparo::vault::seal::{SealRequest, seal};
use amparo::vault::session::{Session, Trust};
use amparo::vault::verify::{VerifyRequest, verify};
use amparo::vault::{Setting, commit};

use crate::vault::merging::{carry, merge_into};
use crate::vault::people::{Device, device, request, with};

const STEPS: u64 = 20;
const NAMES: [&str; 4] = ["Blue Heron", "Harbour", "Lantern", "Sparrow"];
const LAWYER: usize = 0;
const READER: usize = 1;
const SEALER: usize = 3;

/// Somebody at a device, with the copy of the vault that lies there.
struct Seat {
    who: usize,
    device: Device,
    copy: PathBuf,
}

struct Story {
    seed: u64,
    dice: u64,
    disk: FaultyDisk,
    vault: VaultId,
    seats: Vec<Seat>,
    /// Copies that nobody works on: nothing is ever thrown away.
    drawer: Vec<PathBuf>,
    /// What was done, for whoever has to find out why.
    told: Vec<String>,
    made: u64,
}

impl Story {
    fn begin(seed: u64) -> Self {
        let disk = FaultyDisk::new(if seed.is_multiple_of(2) { Rules::Ext4 } else { Rules::ExFat });
        for number in 0..=STEPS {
            disk.put(&PathBuf::from(format!("/s/{number}.txt")), format!("source {number}").as_bytes());
        }
        disk.put(Path::new("/home/here"), b"");
        let root = Path::new("/home");
        let people: Vec<Device> = (1..).zip(NAMES).map(|(seed, name)| device(root, name, seed)).collect();
        let folder = root.join("vault of Blue Heron");
        let card = |who: usize| std::slice::from_ref(&people[who].person.card);
        let created = with(&disk, people[LAWYER].machine, |setting| {
            let request = CreateRequest {
                folder: &folder,
                state: &people[LAWYER].state,
                founder: &people[LAWYER].person,
                readers: card(READER),
                register_readers: &[],
                monitors: card(2),
                sealers: card(SEALER),
                monitors_needed: None,
                quorum: None,
                handle: Some("K7".into()),
            };
            create(setting, &request).expect("founded")
        });
        let seats = people.into_iter().enumerate().map(|(who, device)| {
            let copy = root.join(format!("vault of {}", NAMES[who]));
            Seat { who, device, copy }
        });
        let story = Self {
            seed,
            dice: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1,
            disk,
            vault: created.vault,
            seats: seats.collect(),
            drawer: vec![root.join("first copy")],
            told: Vec::new(),
            made: 0,
        };
        for to in story.seats.iter().skip(1).map(|seat| seat.copy.clone()).chain(story.drawer.clone()) {
            carry(&story.disk, &folder, &to, |_| true);
        }
        for seat in 0..story.seats.len() {
            story.check(seat);
        }
        story
    }

    fn below(&mut self, count: u64) -> u64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice >> 11) % count
    }

    fn pick(&mut self) -> usize {
        let count = self.seats.len() as u64;
        usize::try_from(self.below(count)).expect("small")
    }

    fn fresh(&mut self, what: &str) -> PathBuf {
        self.made += 1;
        PathBuf::from(format!("/home/{what} {}", self.made))
    }

    fn on<T>(&self, seat: usize, act: impl FnOnce(&mut Setting<'_>, &Seat) -> T) -> T {
        let seat = &self.seats[seat];
        with(&self.disk, seat.device.machine, |setting| act(setting, seat))
    }

    fn context(&self) -> String {
        format!("AMPARO_HISTORY={}\n{}", self.seed, self.told.join("\n"))
    }

    /// What may fail honestly: an older copy is refused where its own device has written more.
    fn allow<T>(&self, outcome: Result<T, VaultError>) {
        match outcome {
            Ok(_) | Err(VaultError::OlderCopy { .. }) => {}
            Err(error) => panic!("{error}: {error:?}\n{}", self.context()),
        }
    }

    fn note(&self, seat: usize) -> Result<(), VaultError> {
        self.on(seat, |setting, seat| {
            let place = request(&seat.copy, &seat.device, None);
            let session = Session::open_to_write(setting, &place)?;
            let note = Event::Note { text: "a remark".into(), exhibit: None, reconstructed: false };
            commit::say(setting, &session, &seat.device.person, note).map(drop)
        })
    }

    fn seal(&self, seat: usize, step: u64) -> Result<(), VaultError> {
        self.on(seat, |setting, seat| {
            let request = SealRequest {
                place: request(&seat.copy, &seat.device, None),
                paths: &[PathBuf::from(format!("/s/{step}.txt"))],
                together: false,
                section: Section::main(),
                fields: &[],
                register: &[],
                identity: None,
                accepted: &[],
                readback: true,
            };
            seal(setting, &request, &mut std::io::empty(), &mut drop).map(drop)
        })
    }

    fn open(&self, seat: usize, step: u64) -> Result<(), VaultError> {
        self.on(seat, |setting, seat| {
            let out = PathBuf::from(format!("/home/out {step}"));
            let place = request(&seat.copy, &seat.device, None);
            let ids = ["K7-0001".to_string()];
            let request = OpenRequest { place, ids: &ids, out: &out, overwrite: false, reason: "" };
            match open(setting, &request) {
                Err(VaultError::NoExhibit { .. } | VaultError::Unsound(_)) => Ok(()),
                other => other.map(drop),
            }
        })
    }

    fn merge(&self, seat: usize, from: &Path) -> Result<(), VaultError> {
        let seat = &self.seats[seat];
        merge_into(&self.disk, &seat.device, &seat.copy, from, false).map(drop)
    }

    /// What a crash left is cleared before a file copier takes the folder along.
    fn settle(&self, seat: usize) {
        self.merge(seat, &self.drawer[0]).unwrap_or_else(|error| panic!("{error}\n{}", self.context()));
    }

    /// One thing that somebody does, or that happens.
    fn step(&mut self, step: u64) {
        let seat = self.pick();
        let name = NAMES[self.seats[seat].who];
        let seals = matches!(self.seats[seat].who, LAWYER | SEALER);
        match self.below(12) {
            0..=2 if seals => {
                self.told.push(format!("{seat} {name} seals"));
                self.allow(self.seal(seat, step));
            }
            0..=2 if self.seats[seat].who == READER => {
                self.told.push(format!("{seat} {name} opens"));
                self.allow(self.open(seat, step));
            }
            0..=3 => {
                self.told.push(format!("{seat} {name} notes"));
                self.allow(self.note(seat));
            }
            4..=6 => {
                let other = self.pick();
                if other != seat {
                    self.told.push(format!("{seat} {name} merges the copy of {other}"));
                    self.allow(self.merge(seat, &self.seats[other].copy.clone()));
                }
            }
            7 | 8 => self.merge_a_part(seat),
            9 => self.take_from_the_drawer(seat),
            10 if self.seats.len() < 7 => self.restore_from_paper(seat),
            _ => self.lose_power(seat, step),
        }
        self.check(seat);
    }

    /// A file copier was stopped, or somebody took what seemed enough.
    fn merge_a_part(&mut self, seat: usize) {
        let (other, part, way) = (self.pick(), self.fresh("part"), self.below(4));
        self.settle(other);
        self.told.push(format!("{seat} merges a part ({way}) of the copy of {other}"));
        let from = self.seats[other].copy.clone();
        let salt = self.below(1 << 20);
        let chance = |path: &str| Hash::of(format!("{salt} {path}").as_bytes()).0[0];
        carry(&self.disk, &from, &part, |path| match way {
            0 => !path.starts_with("blobs"),
            1 => chance(path) < 160,
            2 => !path.starts_with("logs/") || chance(&path[..path.len().min(37)]) < 128,
            _ => !path.contains("checkpoints") || chance(path) < 128,
        });
        // An empty folder is no copy of anything.
        match self.merge(seat, &part) {
            Err(VaultError::NotACopy | VaultError::Store(_)) => {}
            other => self.allow(other),
        }
    }

    /// The copy here goes into the drawer; an older one comes out.
    fn take_from_the_drawer(&mut self, seat: usize) {
        self.settle(seat);
        let count = self.drawer.len() as u64;
        let which = usize::try_from(self.below(count)).expect("small");
        let older = self.drawer[which].clone();
        self.told.push(format!("{seat} takes {} out of the drawer", older.display()));
        let (kept, out) = (self.fresh("kept"), self.fresh("copy"));
        carry(&self.disk, &self.seats[seat].copy, &kept, |_| true);
        carry(&self.disk, &older, &out, |_| true);
        self.drawer.push(kept);
        self.seats[seat].copy = out;
    }

    /// The same identity on a new machine that remembers nothing, with a copy of somebody else's. The old one may turn
    /// up again.
    fn restore_from_paper(&mut self, seat: usize) {
        let (other, copy) = (self.pick(), self.fresh("restored"));
        self.settle(other);
        self.told.push(format!("{seat} is restored from paper as {} with the copy of {other}", self.seats.len()));
        carry(&self.disk, &self.seats[other].copy, &copy, |_| true);
        let who = self.seats[seat].who;
        let number = u8::try_from(who + 1).expect("small");
        let mut device = device(Path::new("/home"), NAMES[who], number);
        device.state = self.fresh("state");
        device.machine = Hash::of(device.state.to_string_lossy().as_bytes());
        self.seats.push(Seat { who, device, copy });
        let new = self.seats.len() - 1;
        self.check(new);
        self.allow(self.note(new));
    }

    /// Something is begun, and the power fails.
    fn lose_power(&mut self, seat: usize, step: u64) {
        let (other, way, after, seed) = (self.pick(), self.below(3), self.below(160), self.below(1 << 20));
        let seals = matches!(self.seats[seat].who, LAWYER | SEALER);
        self.told.push(format!("{seat} loses power ({way}, {after}) beside {other}"));
        self.disk.fail_at(self.disk.operations() + after, Fault::Io, Times::FromThenOn);
        let _ = match way {
            0 if seals => self.seal(seat, step),
            1 if other != seat => self.merge(seat, &self.seats[other].copy.clone()),
            _ => self.note(seat),
        };
        self.disk.heal();
        self.disk = self.disk.crash(seed);
    }

    /// Nothing is wrong with anybody, whatever is missing.
    fn check(&self, seat: usize) -> Verdict {
        let trust = Trust::VaultId(self.vault);
        let verified = self.on(seat, |setting, seat| {
            let place = request(&seat.copy, &seat.device, Some(&trust));
            verify(setting, &VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] })
        });
        let verified = verified.unwrap_or_else(|error| panic!("{error}\n{}", self.context()));
        let accused = verified.findings.iter().filter(|finding| finding.weight == Verdict::Invalid);
        let accused: Vec<_> = accused.map(|finding| format!("{}: {finding}", finding.check)).collect();
        assert!(accused.is_empty(), "at {seat}: {accused:#?}\n{}", self.context());
        verified.verdict
    }

    /// Everything is merged with everything: then all copies are valid and tell one story.
    fn end(&mut self) {
        for _ in 0..2 {
            for seat in 0..self.seats.len() {
                let others: Vec<PathBuf> =
                    self.seats.iter().map(|seat| &seat.copy).chain(&self.drawer).cloned().collect();
                for from in others.iter().filter(|from| **from != self.seats[seat].copy) {
                    self.merge(seat, from).unwrap_or_else(|error| panic!("{error}\n{}", self.context()));
                }
            }
        }
        let mut stories = Vec::new();
        for seat in 0..self.seats.len() {
            let verdict = self.check(seat);
            assert_eq!(verdict, Verdict::Valid, "at {seat}\n{}", self.context());
            stories.push(self.on(seat, |setting, seat| {
                let session = Session::open(setting, &request(&seat.copy, &seat.device, None)).expect("opened");
                let history = session.history().expect("read");
                let told = |place: &Place| (*place, history.told(*place).leaf, history.told(*place).standing.clone());
                history.order.iter().map(told).collect::<Vec<(Place, Hash, Standing)>>()
            }));
        }
        for other in &stories[1..] {
            assert!(stories[0] == *other, "two copies tell two stories\n{}", self.context());
        }
        assert!(stories[0].iter().all(|(_, _, standing)| *standing == Standing::Counted), "{}", self.context());
    }
}

#[test]
fn no_order_of_honest_acts_accuses_anybody() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("AMPARO_HISTORY") {
        Some(seed) => seed..seed + 1,
        None => 1..1 + number("AMPARO_HISTORIES").unwrap_or(3),
    };
    for seed in seeds {
        let mut story = Story::begin(seed);
        for step in 0..STEPS {
            story.step(step);
        }
        story.end();
    }
}
