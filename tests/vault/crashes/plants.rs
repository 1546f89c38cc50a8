//! Programs with a planted fault: a disk that forgets one duty stands between the program and the model, and the judge must
//! see it.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::store::{Disk, FileSystem, Folder, Item, Lock, Mode, OutFile, ReadFrom, RelPath, Source, Stat, StoreError};

use super::acts::{Act, PLAIN, sealing, typed};
use super::judge::{Program, Stage};
use super::{Cuts, Found, Runs, STUMBLES, act, cuts, failing, flips, paper_flips, stumbles, unchanged};

/// What is forgotten, or done that must not be.
#[derive(Clone, Copy)]
enum Duty {
    /// Nothing is synced.
    Sync,
    /// What the device remembers is not synced.
    SyncOfMemory,
    /// What is moved away is not synced.
    Moves,
    /// Files are written under another name, synced, and renamed; the rename is not. All else is.
    FinalNames,
    /// What a person asked to replace is renamed over, not set aside first.
    RenameOver,
    /// When something fails, all is taken back that was done since the program began.
    TakeBack,
    /// A sync that failed is taken for done.
    FailedSync,
    /// What found no room in a file is taken for written.
    FullDisk,
    /// The names of what is about to be written are not noted.
    Intents,
    /// What was written is read back from the system's memory.
    ReadBack,
    /// What does not read is taken for absent.
    Hidden,
    /// No fault of the program: the system cannot be made to read from the medium.
    NoMedium,
    /// A change goes into the vault without being kept outside of it first.
    Changes,
}

#[derive(Clone)]
struct Careless {
    disk: FaultyDisk,
    duty: Duty,
    /// The disk as it was when the program began.
    first: FaultyDisk,
}

struct CarelessFolder {
    folder: Arc<dyn Folder>,
    on: Careless,
    /// What got its name by being renamed.
    renamed: Mutex<BTreeSet<RelPath>>,
}

impl Careless {
    fn new(disk: FaultyDisk, duty: Duty) -> Self {
        let first = disk.twin();
        Self { disk, duty, first }
    }

    fn below(&self, folder: Arc<dyn Folder>) -> Arc<dyn Folder> {
        Arc::new(CarelessFolder { folder, on: self.clone(), renamed: Mutex::default() })
    }
}

impl Disk for Careless {
    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.folder(path).map(|folder| self.below(folder))
    }

    fn create_folder(&self, path: &Path, mode: Mode) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.create_folder(path, mode).map(|folder| self.below(folder))
    }

    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.disk.create_folder_all(path).map(|folder| self.below(folder))
    }

    fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        self.disk.remove_folder(path)
    }

    fn stat(&self, path: &Path) -> Result<Stat, StoreError> {
        self.disk.stat(path)
    }

    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        Disk::source(&self.disk, path)
    }

    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        self.disk.read_start(path, bytes_max)
    }

    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError> {
        self.disk.file_system(path)
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        self.disk.list_source(path)
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        let Duty::Moves = self.duty else { return self.disk.move_source(from, to) };
        let below = |path: &Path| RelPath::parse(path.strip_prefix("/").expect("absolute")).expect("a path");
        self.disk.folder(Path::new("/"))?.rename_new(&below(from), &below(to))
    }
}

impl CarelessFolder {
    fn is_memory(&self) -> bool {
        self.folder.shown().to_string_lossy().contains("state of")
    }

    /// Whether a path of the device's memory is one of these.
    fn is_of(&self, path: &RelPath, rooms: &[&str]) -> bool {
        let mut parts = path.components().skip(1);
        self.is_memory() && parts.next().is_some_and(|room| rooms.iter().any(|name| room == *name))
    }

    /// What came of something; where it failed, all is taken back by a program that does so.
    fn came<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        let failed = matches!(outcome, Err(StoreError::Full { .. } | StoreError::NotDurable { .. }));
        if failed && matches!(self.on.duty, Duty::TakeBack) {
            self.on.disk.take_back_to(&self.on.first);
        }
        outcome
    }
}

/// Removes what lies at a path, and all below it.
fn gone(folder: &dyn Folder, path: &RelPath) -> Result<(), StoreError> {
    for item in folder.list(Some(path)).unwrap_or_default() {
        gone(folder, &path.join(&item.name).expect("a name"))?;
    }
    folder.remove(path)
}

/// A file whose writer looks at no error.
struct Bottomless(Box<dyn OutFile>);

impl Write for Bottomless {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).or(Ok(bytes.len()))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl OutFile for Bottomless {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }

    fn undate(&mut self) {
        self.0.undate();
    }

    fn finish(self: Box<Self>) -> Result<(), StoreError> {
        self.0.finish()
    }
}

impl Folder for CarelessFolder {
    fn shown(&self) -> &Path {
        self.folder.shown()
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        match (self.on.duty, self.folder.read(path, bytes_max)) {
            (Duty::Hidden, Err(StoreError::Io { path, .. })) => Err(StoreError::Missing { path }),
            (_, read) => read,
        }
    }

    fn read_back(&self, path: &RelPath, bytes_max: u64) -> Result<(Box<dyn Source>, ReadFrom), StoreError> {
        match self.on.duty {
            Duty::ReadBack => Ok((self.folder.source(path, bytes_max)?, ReadFrom::Medium)),
            Duty::NoMedium => Ok((self.folder.source(path, bytes_max)?, ReadFrom::Cache)),
            _ => self.folder.read_back(path, bytes_max),
        }
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        self.folder.stat(path)
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        match (self.on.duty, self.folder.list(below)) {
            (Duty::Hidden, Err(StoreError::Io { .. })) => Ok(Vec::new()),
            (_, listed) => listed,
        }
    }

    fn create(&self, path: &RelPath, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
        match self.on.duty {
            Duty::Intents if self.is_of(path, &["wrote", "merging", "arrived", "merged"]) => Ok(()),
            Duty::Changes if self.is_of(path, &["own"]) && !path.name().eq("owner") => Ok(()),
            Duty::FinalNames if !self.folder.exists(path)? => {
                let first = RelPath::parse(format!("{path}.new")).expect("a name");
                self.folder.create(&first, bytes, mode)?;
                self.folder.sync(std::slice::from_ref(&first))?;
                self.renamed.lock().expect("one thread").insert(path.clone());
                self.folder.rename_new(&first, path)
            }
            _ => self.came(self.folder.create(path, bytes, mode)),
        }
    }

    fn create_stream(&self, path: &RelPath, mode: Mode) -> Result<Box<dyn OutFile>, StoreError> {
        let file = self.came(self.folder.create_stream(path, mode))?;
        Ok(if matches!(self.on.duty, Duty::FullDisk) { Box::new(Bottomless(file)) } else { file })
    }

    fn create_folder(&self, path: &RelPath, mode: Mode) -> Result<(), StoreError> {
        self.folder.create_folder(path, mode)
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> Result<(), StoreError> {
        match self.on.duty {
            Duty::RenameOver if to.as_path().extension().is_some_and(|ending| ending == "old") => Ok(()),
            Duty::RenameOver => {
                if self.folder.exists(to)? {
                    gone(&*self.folder, to)?;
                }
                self.folder.rename_new(from, to)
            }
            _ => self.folder.rename_new(from, to),
        }
    }

    fn sync(&self, created: &[RelPath]) -> Result<(), StoreError> {
        match self.on.duty {
            Duty::Sync => Ok(()),
            Duty::FinalNames => {
                let renamed = self.renamed.lock().expect("one thread");
                let others = created.iter().filter(|path| !renamed.contains(*path)).cloned();
                self.folder.sync(&others.collect::<Vec<_>>())
            }
            Duty::SyncOfMemory if self.is_memory() => Ok(()),
            Duty::FailedSync => self.folder.sync(created).or(Ok(())),
            // What is not there cannot be synced; such a program does not look.
            Duty::Intents | Duty::Changes => {
                let there = created.iter().filter(|path| self.folder.exists(path).unwrap_or(false)).cloned();
                self.folder.sync(&there.collect::<Vec<_>>())
            }
            _ => self.came(self.folder.sync(created)),
        }
    }

    fn remove(&self, path: &RelPath) -> Result<(), StoreError> {
        match (self.on.duty, self.folder.remove(path)) {
            (Duty::Intents | Duty::RenameOver, Err(StoreError::Missing { .. })) => Ok(()),
            (_, removed) => removed,
        }
    }

    fn lock(&self, path: &RelPath) -> Result<Box<dyn Lock>, StoreError> {
        self.folder.lock(path)
    }
}

/// A program on a disk that forgets a duty.
macro_rules! without {
    ($duty:ident) => {
        |disk| Arc::new(Careless::new(disk, Duty::$duty))
    };
}

const WANTED: Cuts = Cuts { judged: 400, drawn_max: 400 };

/// A sealing that acknowledges both groups when the first one is there.
static HASTY: Act = Act {
    name: "seal in two groups, hastily",
    run: |world, acknowledged| {
        let mut both = || (0..2).for_each(|_| acknowledged());
        let mut first = Some(&mut both);
        sealing::seals_slowly(world, &mut || first.take().map_or((), |both| both()))
    },
    ..PLAIN
};

/// An act whose copy may lack something.
const SALVAGING: &str = "unpack --salvage of a damaged pouch";

fn after_power_cuts(name: &str, rules: Rules, program: Program) -> Found {
    cuts(act(name), rules, program, WANTED)
}

fn where_it_fails(name: &str, fault: Fault, program: Program) -> Found {
    failing(act(name), Rules::Ext4, program, &[(fault, Times::Once)], Runs::Spread(60))
}

#[test]
fn planted_faults_are_seen() {
    let _row = crate::soak::row(2);
    let plants: [(&str, Found); 18] = [
        ("nothing is synced", after_power_cuts("custody note", Rules::Ext4, without!(Sync))),
        ("what the device remembers is not synced", after_power_cuts("seal", Rules::Ext4, without!(SyncOfMemory))),
        ("files are renamed into place", after_power_cuts("custody note", Rules::Ext4, without!(FinalNames))),
        ("files are renamed into place on exFAT", after_power_cuts("seal", Rules::ExFat, without!(FinalNames))),
        ("a file is renamed over", after_power_cuts("custody receipt --overwrite", Rules::ExFat, without!(RenameOver))),
        ("a paper is not synced", after_power_cuts("identity card -o", Rules::Ext4, without!(Sync))),
        ("a removal is not synced", after_power_cuts("identity remove", Rules::Ext4, without!(Sync))),
        ("what is moved away is not synced", after_power_cuts("seal --done", Rules::ExFat, without!(Moves))),
        ("it is salvaged, though nothing is synced", after_power_cuts(SALVAGING, Rules::Ext4, without!(Sync))),
        ("an opening is renamed over", after_power_cuts("open --overwrite", Rules::ExFat, without!(RenameOver))),
        ("nothing notes what a sealing is about to write", after_power_cuts("seal", Rules::Ext4, without!(Intents))),
        ("nothing notes what a merge is about to write", after_power_cuts("merge", Rules::Ext4, without!(Intents))),
        (
            "a change is not kept outside of the vault first",
            after_power_cuts("custody note", Rules::Ext4, without!(Changes)),
        ),
        ("a failed sync is taken for done", where_it_fails("custody note", Fault::Sync, without!(FailedSync))),
        (
            "what was acknowledged is taken back when the disk is full",
            where_it_fails("seal in two groups", Fault::Full, without!(TakeBack)),
        ),
        (
            "what was acknowledged is taken back when a sync fails",
            where_it_fails("seal in two groups", Fault::Sync, without!(TakeBack)),
        ),
        ("it is acknowledged before it is sealed", cuts(&HASTY, Rules::Ext4, unchanged, WANTED)),
        ("a full disk is passed over", where_it_fails("open", Fault::ShortWrite, without!(FullDisk))),
    ];
    let not_read_back = flips(without!(ReadBack), 60).into_iter().map(|found| ("nothing is read back", found));
    // To whom a key was given is read until nothing is left to renew: there such a program does no harm.
    let hidden = stumbles(act(STUMBLES[2]), without!(Hidden));
    // The second of each two are the runs in which the paper is struck.
    let papers = paper_flips(without!(ReadBack), 3).into_iter().skip(1).step_by(2);
    let papers = papers.map(|(paper, found)| (paper.name, found));
    let all = plants.into_iter().chain(not_read_back).chain(papers).chain([("what does not read is absent", hidden)]);
    for (plant, found) in all {
        assert!(!found.faults.is_empty(), "{plant}: not seen in {} states", found.states);
    }
}

#[test]
fn where_nothing_reads_from_the_medium_a_sealing_says_so() {
    let systems: [(Program, bool, &str); 2] = [
        (unchanged, true, "All of it was read back from the disk and compared."),
        (without!(NoMedium), false, "the system may have answered from memory, not from the disk."),
    ];
    for (program, from_medium, told) in systems {
        let stage = Stage::set(act("seal of standard input"), Rules::Ext4, program);
        let world = stage.program_on(&stage.base.twin());
        let types =
            |words: &[&str]| typed::types(&world, &typed::at_home(&world.lawyer, "vault"), words, b"", &mut || ());
        let said = types(&["seal", "desk/letter.txt"]);
        assert!(said.exit == 0 && said.err.contains(told), "{}", said.err);
        let json: serde_json::Value =
            serde_json::from_slice(&types(&["seal", "desk/letter.txt", "--json"]).out).expect("JSON");
        assert_eq!((&json["readback"], &json["from_medium"]), (&true.into(), &from_medium.into()));
    }
}
