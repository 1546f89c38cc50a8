//! The one invariant, whatever failed and whenever: what was acknowledged verifies and opens, the rest is absent or an
//! orphan that lowers no verdict, other copies lose nothing, and the next command goes on.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use amparo::format::event::Event;
use amparo::format::ids::LogId;
use amparo::store::Disk;
use amparo::store::faulty::{FaultyDisk, Rules};
use amparo::vault::custody::story::story;
use amparo::vault::findings::Verdict;
use amparo::vault::parallel::alone;
use amparo::vault::verify::{VerifyRequest, verify};

use super::super::merging::{carry, merge_into};
use super::super::people::{Device, World, request, with};
use super::acts::{Act, trust};
use super::{is_of_paper, unchanged};

/// Where an act takes place.
pub(super) struct Stage {
    pub(super) act: &'static Act,
    pub(super) base: FaultyDisk,
    world: World,
    /// The copy as it is before; `None` where the act makes it.
    before: Option<Standing>,
    /// Files that are none of the act's business.
    others: Vec<(PathBuf, Vec<u8>)>,
    /// The disk as the program sees it: a planted fault stands between.
    program: Program,
    /// What everybody found in each state of a disk, and what looking left.
    looks: RefCell<Looks>,
}

/// By the print of a disk, what remembers for whoever looked, and whether as the program sees it.
type Looks = HashMap<(u64, PathBuf, bool), (Result<Seen, String>, FaultyDisk)>;

/// What somebody finds in a copy.
#[derive(Clone)]
struct Seen {
    standing: Standing,
    verdict: Verdict,
    findings: String,
}

/// People before a disk: as it is, or as the program sees it.
struct Sight<'d> {
    disk: &'d FaultyDisk,
    world: World,
    is_programs: bool,
}

/// What stands between the program and the disk.
pub(super) type Program = fn(FaultyDisk) -> Arc<dyn Disk>;

/// How far a copy has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Standing {
    logs: BTreeMap<LogId, u64>,
    exhibits: u64,
}

/// What a person was told when it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Told {
    /// Success.
    Done,
    /// What could not be done of it.
    InPart,
    /// Nothing, or that it failed.
    Nothing,
}

/// Where each act begins: a vault with one exhibit, and a reader's copy. It is made once; what is done to one is not
/// done to another.
fn home(rules: Rules) -> (FaultyDisk, World) {
    static HOMES: [OnceLock<(FaultyDisk, World)>; 2] = [const { OnceLock::new() }; 2];
    let (disk, world) = HOMES[usize::from(rules == Rules::ExFat)].get_or_init(|| founded(rules));
    let disk = disk.twin();
    let world = world.moved_to(Arc::new(disk.clone()));
    (disk, world)
}

fn founded(rules: Rules) -> (FaultyDisk, World) {
    let disk = FaultyDisk::new(rules);
    for (name, text) in [("first", "the first"), ("second", "the second"), ("third", "the third and longest")] {
        disk.put(Path::new(&format!("/home/s/{name}.txt")), text.as_bytes());
    }
    disk.put(Path::new("/stick/readme.txt"), b"mine");
    disk.put(Path::new("/home/keys/readme.txt"), b"mine");
    let world = World::on(Arc::new(disk.clone()), Path::new("/home")).expect("founded");
    world.seal(&[world.path("s/first.txt")], false).expect("sealed");
    let copy = world.path("copy");
    carry(&disk, &world.vault, &copy, |_| true);
    for (vault, who) in [(&copy, &world.reader), (&world.vault, &world.reader)] {
        assert_eq!(world.verify_at(vault, who).expect("verified").verdict, Verdict::Valid);
    }
    (disk, world)
}

impl Stage {
    pub(super) fn set(act: &'static Act, rules: Rules, program: Program) -> Self {
        let (disk, world) = home(rules);
        (act.before)(&disk, &world);
        let base = disk.crash(0);
        let world = world.moved_to(Arc::new(base.clone()));
        let mine = world.path(act.copy);
        let kept = ["vault", "copy", "nest", "s"].map(|name| world.path(name));
        let is_kept = |path: &Path| !path.starts_with(&mine) && kept.iter().any(|folder| path.starts_with(folder));
        let others = base.files().into_iter().filter(|(path, _)| is_kept(path)).collect();
        let mut stage = Self { act, base, world, before: None, others, program, looks: RefCell::default() };
        let first = stage.base.clone();
        let begun = stage.is_there(&stage.world).then(|| stage.begun(&stage.sight(&first)).expect("sound before"));
        stage.before = begun;
        stage
    }

    /// The people before a disk, as the program sees it.
    pub(super) fn program_on(&self, disk: &FaultyDisk) -> World {
        self.world.moved_to((self.program)(disk.clone()))
    }

    fn is_there(&self, world: &World) -> bool {
        world.disk().stat(&world.path(self.act.copy)).is_ok()
    }

    fn sight<'d>(&self, disk: &'d FaultyDisk) -> Sight<'d> {
        Sight { disk, world: self.world.moved_to(Arc::new(disk.clone())), is_programs: false }
    }

    fn programs_sight<'d>(&self, disk: &'d FaultyDisk) -> Sight<'d> {
        let is_programs = !std::ptr::fn_addr_eq(self.program, unchanged as Program);
        Sight { disk, world: self.program_on(disk), is_programs }
    }

    /// What somebody finds. Whoever looks at the same disk a second time finds the same, and leaves the same.
    fn look(&self, at: &Sight<'_>, who: &Device) -> Result<Seen, String> {
        let before = (at.disk.print(), who.state.clone(), at.is_programs);
        if let Some((found, after)) = self.looks.borrow().get(&before) {
            at.disk.take_back_to(after);
            return found.clone();
        }
        let found = alone(|| self.looks_anew(&at.world, who));
        self.looks.borrow_mut().insert(before, (found.clone(), at.disk.twin()));
        found
    }

    fn looks_anew(&self, world: &World, who: &Device) -> Result<Seen, String> {
        let copy = world.path(self.act.copy);
        let trust = trust(world, self.act.copy).ok_or("it is no vault any more")?;
        let place = request(&copy, who, Some(&trust));
        let verify_it = VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] };
        let seen = with(world.disk(), who.machine, |setting| verify(setting, &verify_it));
        let seen = seen.map_err(|error| error.to_string())?;
        let logs = seen.logs.iter().map(|log| (log.log, log.size)).collect();
        let standing = Standing { logs, exhibits: seen.exhibits };
        Ok(Seen { standing, verdict: seen.verdict, findings: format!("{:?}", seen.findings) })
    }

    fn sound(&self, at: &Sight<'_>, who: &Device, worst: Verdict) -> Result<Standing, String> {
        let seen = self.look(at, who)?;
        if seen.verdict > worst {
            return Err(format!("{}: {}", seen.verdict, seen.findings));
        }
        Ok(seen.standing)
    }

    /// The copy as whoever works in it finds it when it is done; it must be VALID, unless the act can do no better.
    fn standing(&self, at: &Sight<'_>) -> Result<Standing, String> {
        self.sound(at, (self.act.who)(&at.world), self.act.worst[1])
    }

    /// The same until it is done.
    fn begun(&self, at: &Sight<'_>) -> Result<Standing, String> {
        self.sound(at, (self.act.who)(&at.world), self.act.worst[0])
    }

    /// What was promised by acknowledging so many exhibits, where a disk shows this; they must be there.
    pub(super) fn promised(&self, disk: &FaultyDisk, acknowledged: u64) -> Result<Standing, String> {
        let now = self.standing(&self.programs_sight(disk)).map_err(|error| format!("acknowledged, and {error}"))?;
        let due = self.before.as_ref().map_or(0, |before| before.exhibits) + acknowledged;
        if now.exhibits < due {
            return Err(format!("{acknowledged} exhibits were acknowledged, and of {due} there are {}", now.exhibits));
        }
        Ok(now)
    }

    /// Whether what lies on a disk, after something failed and a person was told something, is as it must be.
    pub(super) fn holds(&self, disk: &FaultyDisk, told: Told, promise: Option<&Standing>) -> Result<(), String> {
        let files: BTreeMap<PathBuf, Vec<u8>> = disk.files().into_iter().collect();
        if let Some((lost, _)) = self.others.iter().find(|(path, bytes)| files.get(path) != Some(bytes)) {
            return Err(format!("{} is not what it was", lost.display()));
        }
        let at = self.sight(disk);
        alone(|| (self.act.always)(&at.world))?;
        if self.before.is_none() && promise.is_none() && told != Told::Done {
            return Ok(());
        }
        if told == Told::InPart && promise.is_none() {
            let seen = self.look(&at, (self.act.who)(&at.world))?;
            if seen.verdict > self.act.worst[0].max(Verdict::Incomplete) {
                return Err(seen.findings);
            }
            return self.has(&seen.standing, None);
        }
        if told != Told::Done {
            return self.has(&self.begun(&at)?, promise);
        }
        self.has(&self.standing(&at)?, promise)?;
        alone(|| (self.act.effect)(&at.world))
    }

    /// Whether a copy still has what it had, and what was promised.
    pub(super) fn has(&self, now: &Standing, promise: Option<&Standing>) -> Result<(), String> {
        for due in self.before.iter().chain(promise) {
            let shrunk = due.logs.iter().find(|(log, size)| now.logs.get(log).is_none_or(|there| there < size));
            if let Some((log, size)) = shrunk {
                return Err(format!("log {log} had {size} entries, and has {:?}", now.logs.get(log)));
            }
            if now.exhibits < due.exhibits {
                return Err(format!("there were {} exhibits, and are {}", due.exhibits, now.exhibits));
            }
        }
        Ok(())
    }

    /// Whether the same command goes on from there, once, and what it then acknowledges outlives another power cut.
    /// Where it `is_shown` to others: it is sound for somebody who knows of no interruption, and goes over into another
    /// copy.
    pub(super) fn goes_on(
        &self,
        disk: &FaultyDisk,
        told: Told,
        promise: Option<&Standing>,
        (seed, is_shown): (u64, bool),
    ) -> Result<(), String> {
        let there = self.program_on(disk);
        let again = (self.act.run)(&there, &mut || ());
        if told == Told::InPart && again.is_err() {
            // What was made lacks something, as was told, and is not made once more under its name.
            return self.has(&self.begun(&self.programs_sight(disk))?, promise);
        }
        match again
            .or_else(|error| (self.act.settles)(&there, error))
            .map_err(|error| format!("it does not go on: {error}"))?
        {
            true => {}
            false if told == Told::Nothing => return Ok(()),
            false => return Err("it does not go on".into()),
        }
        let promised = self.standing(&self.programs_sight(disk)).map_err(|error| format!("it went on: {error}"))?;
        self.has(&promised, promise)?;
        let cut = disk.crash(seed);
        let at = self.sight(&cut);
        let after = |error| format!("it went on, and the power failed: {error}");
        self.holds(&cut, Told::Done, Some(&promised)).map_err(after)?;
        alone(|| self.says_it_once(&at.world))?;
        if !is_shown {
            return Ok(());
        }
        let stranger = Device { state: at.world.path("state of nobody"), ..at.world.monitor.clone() };
        let worst = self.act.worst[1];
        self.has(&self.sound(&at, &stranger, worst).map_err(|error| format!("to others: {error}"))?, promise)?;
        alone(|| self.goes_over(&at.world))
    }

    fn says_it_once(&self, world: &World) -> Result<(), String> {
        if self.act.says.is_empty() {
            return Ok(());
        }
        let (copy, who) = (world.path(self.act.copy), (self.act.who)(world));
        let told = with(world.disk(), who.machine, |setting| story(setting, &request(&copy, who, None), None));
        let told = told.map_err(|error| error.to_string())?;
        // A medium that failed once makes a check worse: a better one afterwards is said as well, and each of them once. So
        // it is of new keys, where it hid that one was needed.
        let names = |event: &Event| match event {
            Event::Verify { level, verdict, .. } => vec![format!("verify {level} {verdict}")],
            Event::Rotate { keys } => keys.iter().map(|key| format!("rotate {}", key.scope)).collect(),
            other => vec![other.name().to_string()],
        };
        let names: Vec<String> = told.lines().flat_map(|line| names(&line.told.entry.event)).collect();
        for (event, times) in self.act.says {
            let of_event = names.iter().filter(|name| name.split(' ').next() == Some(*event));
            let said = of_event.map(|said| names.iter().filter(|name| *name == said).count()).max().unwrap_or(0);
            if said != *times {
                return Err(format!("{event} stands there {said} times: {names:?}"));
            }
        }
        Ok(())
    }

    /// Another copy of the same vault takes it in.
    fn goes_over(&self, world: &World) -> Result<(), String> {
        let (other, who) = match self.act.copy {
            "vault" => (world.path("copy"), &world.reader),
            "copy" | "new" => (world.vault.clone(), &world.lawyer),
            _ => return Ok(()),
        };
        let merged = merge_into(world.disk(), who, &other, &world.path(self.act.copy), false);
        let merged = merged.map_err(|error| format!("another copy: {error}"))?;
        let is_whole = merged.verdict == Verdict::Valid && merged.forks.is_empty() && merged.foreign.is_empty();
        if is_whole { Ok(()) } else { Err(format!("another copy: {:?} {:?}", merged.findings, merged.foreign)) }
    }
}

/// Whether the medium holds each paper as it was written, to the last bit: most papers tell by themselves only whether they are
/// whole. Empty files of names that were not needed may be there besides.
pub(super) fn papers_are_as_written(disk: &FaultyDisk, medium: &FaultyDisk) -> Result<(), String> {
    let held: BTreeMap<PathBuf, Vec<u8>> = medium.files().into_iter().collect();
    match disk.files().into_iter().find(|(path, bytes)| is_of_paper(path) && held.get(path) != Some(bytes)) {
        Some((path, _)) => Err(format!("{} is not what was written", path.display())),
        None => Ok(()),
    }
}
