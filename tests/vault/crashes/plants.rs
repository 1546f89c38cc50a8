//! Programs with a planted fault: a disk that forgets one duty stands between the program and the model, and the judge must
//! see it.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::store::{Disk, FileSystem, Folder, Item, Lock, Mode, OutFile, ReadFrom, RelPath, Source, Stat, StoreError};

use super::judge::Program;
use super::{Found, Runs, act, cuts, failing, flips};

/// What is forgotten, or done that must not be.
#[derive(Clone, Copy)]
enum Duty {
    /// Nothing is synced.
    Sync,
    /// What the device remembers is not synced.
    SyncOfMemory,
    /// Files are written under another name, synced, and renamed; the rename is not.
    FinalNames,
    /// A sync that failed is taken for done.
    FailedSync,
    /// What found no room in a file is taken for written.
    FullDisk,
    /// The names of what is about to be written are not noted.
    Intents,
    /// What was written is read back from the system's memory.
    ReadBack,
    /// A change goes into the vault without being kept outside of it first.
    Changes,
}

struct Careless(FaultyDisk, Duty);

struct CarelessFolder(Arc<dyn Folder>, Duty);

impl Careless {
    fn below(&self, folder: Arc<dyn Folder>) -> Arc<dyn Folder> {
        Arc::new(CarelessFolder(folder, self.1))
    }
}

impl Disk for Careless {
    fn folder(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.0.folder(path).map(|folder| self.below(folder))
    }

    fn create_folder(&self, path: &Path, mode: Mode) -> Result<Arc<dyn Folder>, StoreError> {
        self.0.create_folder(path, mode).map(|folder| self.below(folder))
    }

    fn create_folder_all(&self, path: &Path) -> Result<Arc<dyn Folder>, StoreError> {
        self.0.create_folder_all(path).map(|folder| self.below(folder))
    }

    fn remove_folder(&self, path: &Path) -> Result<(), StoreError> {
        self.0.remove_folder(path)
    }

    fn stat(&self, path: &Path) -> Result<Stat, StoreError> {
        self.0.stat(path)
    }

    fn source(&self, path: &Path) -> Result<Box<dyn Source>, StoreError> {
        Disk::source(&self.0, path)
    }

    fn read_start(&self, path: &Path, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        self.0.read_start(path, bytes_max)
    }

    fn file_system(&self, path: &Path) -> Result<FileSystem, StoreError> {
        self.0.file_system(path)
    }

    fn list_source(&self, path: &Path) -> Result<Vec<Item>, StoreError> {
        self.0.list_source(path)
    }

    fn move_source(&self, from: &Path, to: &Path) -> Result<(), StoreError> {
        self.0.move_source(from, to)
    }
}

impl CarelessFolder {
    fn is_memory(&self) -> bool {
        self.0.shown().to_string_lossy().contains("state of")
    }

    /// Whether a path of the device's memory is one of these.
    fn is_of(&self, path: &RelPath, rooms: &[&str]) -> bool {
        let mut parts = path.components().skip(1);
        self.is_memory() && parts.next().is_some_and(|room| rooms.iter().any(|name| room == *name))
    }
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
        self.0.shown()
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        self.0.read(path, bytes_max)
    }

    fn read_back(&self, path: &RelPath, bytes_max: u64) -> Result<(Box<dyn Source>, ReadFrom), StoreError> {
        match self.1 {
            Duty::ReadBack => Ok((self.0.source(path, bytes_max)?, ReadFrom::Medium)),
            _ => self.0.read_back(path, bytes_max),
        }
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        self.0.stat(path)
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        self.0.list(below)
    }

    fn create(&self, path: &RelPath, bytes: &[u8], mode: Mode) -> Result<(), StoreError> {
        match self.1 {
            Duty::Intents if self.is_of(path, &["wrote", "merging", "arrived", "merged"]) => Ok(()),
            Duty::Changes if self.is_of(path, &["own"]) && !path.name().eq("owner") => Ok(()),
            Duty::FinalNames if !self.0.exists(path)? => {
                let first = RelPath::parse(format!("{path}.new")).expect("a name");
                self.0.create(&first, bytes, mode)?;
                self.0.sync(std::slice::from_ref(&first))?;
                self.0.rename_new(&first, path)
            }
            _ => self.0.create(path, bytes, mode),
        }
    }

    fn create_stream(&self, path: &RelPath, mode: Mode) -> Result<Box<dyn OutFile>, StoreError> {
        let file = self.0.create_stream(path, mode)?;
        Ok(if matches!(self.1, Duty::FullDisk) { Box::new(Bottomless(file)) } else { file })
    }

    fn create_folder(&self, path: &RelPath, mode: Mode) -> Result<(), StoreError> {
        self.0.create_folder(path, mode)
    }

    fn rename_new(&self, from: &RelPath, to: &RelPath) -> Result<(), StoreError> {
        self.0.rename_new(from, to)
    }

    fn sync(&self, created: &[RelPath]) -> Result<(), StoreError> {
        match self.1 {
            Duty::Sync | Duty::FinalNames => Ok(()),
            Duty::SyncOfMemory if self.is_memory() => Ok(()),
            Duty::FailedSync => self.0.sync(created).or(Ok(())),
            // What is not there cannot be synced; such a program does not look.
            Duty::Intents | Duty::Changes => {
                let there = created.iter().filter(|path| self.0.exists(path).unwrap_or(false)).cloned();
                self.0.sync(&there.collect::<Vec<_>>())
            }
            Duty::SyncOfMemory | Duty::FullDisk | Duty::ReadBack => self.0.sync(created),
        }
    }

    fn remove(&self, path: &RelPath) -> Result<(), StoreError> {
        match (self.1, self.0.remove(path)) {
            (Duty::Intents, Err(StoreError::Missing { .. })) => Ok(()),
            (_, removed) => removed,
        }
    }

    fn lock(&self, path: &RelPath) -> Result<Box<dyn Lock>, StoreError> {
        self.0.lock(path)
    }
}

/// A program on a disk that forgets a duty.
macro_rules! without {
    ($duty:ident) => {
        |disk| Arc::new(Careless(disk, Duty::$duty))
    };
}

fn after_power_cuts(name: &str, rules: Rules, program: Program) -> Found {
    cuts(act(name), rules, program, 400)
}

fn where_it_fails(name: &str, fault: Fault, program: Program) -> Found {
    failing(act(name), Rules::Ext4, program, &[(fault, Times::Once)], Runs::Spread(60))
}

#[test]
fn planted_faults_are_seen() {
    let plants: [(&str, Found); 9] = [
        ("nothing is synced", after_power_cuts("custody note", Rules::Ext4, without!(Sync))),
        ("what the device remembers is not synced", after_power_cuts("seal", Rules::Ext4, without!(SyncOfMemory))),
        ("files are renamed into place", after_power_cuts("custody note", Rules::Ext4, without!(FinalNames))),
        ("files are renamed into place on exFAT", after_power_cuts("seal", Rules::ExFat, without!(FinalNames))),
        ("nothing notes what a sealing is about to write", after_power_cuts("seal", Rules::Ext4, without!(Intents))),
        ("nothing notes what a merge is about to write", after_power_cuts("merge", Rules::Ext4, without!(Intents))),
        (
            "a change is not kept outside of the vault first",
            after_power_cuts("custody note", Rules::Ext4, without!(Changes)),
        ),
        ("a failed sync is taken for done", where_it_fails("custody note", Fault::Sync, without!(FailedSync))),
        ("a full disk is passed over", where_it_fails("open", Fault::ShortWrite, without!(FullDisk))),
    ];
    let not_read_back = flips(without!(ReadBack), 100);
    for (plant, found) in plants.into_iter().chain(not_read_back.map(|found| ("nothing is read back", found))) {
        assert!(!found.faults.is_empty(), "{plant}: not seen in {} states", found.states);
    }
}
