//! The room in which bytes from outside are parsed: the system is told, for good, what this process may still reach, and
//! refuses the rest, whatever the process is made to ask for. Files by Landlock; the network, other programs and the odd
//! corners of the kernel by seccomp ([`calls`]), because Landlock stops neither UDP nor what is no file.
//!
//! What a thread gives up, threads that it starts later have given up too, and those that run already have not: so the
//! whole process must be one thread ([`whole_process`]). Handles that are open stay open: what must be reachable by no
//! path is opened before ([`super::ahead`]).

mod calls;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, Ruleset, RulesetAttr, RulesetCreatedAttr,
    Scope, make_bitflags,
};
use rustix::fs::{self, FileType, Mode, OFlags};

/// The newest restrictions that were tried here: files, terminals, TCP, signals to others.
const NEWEST: ABI = ABI::V6;
/// Older kernels (before 6.2) let a confined process cut files short that it may not write.
const OLDEST: ABI = ABI::V3;
/// How long a thread that has ended may still be listed.
const ENDING: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// What may be done at a path and below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Read what a person named; a link there is not followed, as nothing here follows it.
    Source,
    /// Read a folder.
    Read,
    /// Read a folder, and make, write and remove what lies in it.
    Write,
    /// Read and write a terminal.
    Terminal,
    /// Remove files of a folder, and list it: so an output that was made ahead can be taken back, and made durable.
    TakeBack,
    /// The same, and give a file of it another name: an output takes the place of an older one.
    Replace,
    /// Remove empty folders: so one that was made ahead can be taken back.
    RemoveFolder,
}

/// What stays within reach; what is not there is left out.
pub type Reach = Vec<(PathBuf, Right)>;

/// Why this process is not kept to its reach, or only in part.
#[derive(Debug, thiserror::Error)]
pub enum Unconfined {
    /// A thread that runs already would not be.
    #[error("another thread of this program is running")]
    NotAlone,
    /// The kernel was built without Landlock, or it is switched off, or it is too old to be worth it.
    #[error(
        "this kernel cannot keep a program to its folders (Landlock is missing, switched off, or older than Linux 6.2)"
    )]
    Kernel,
    /// Files: what the system said.
    #[error("the system refused to keep this program to its folders: {reason}")]
    Files {
        /// In the words of the library.
        reason: String,
    },
    /// Calls: what the system said.
    #[error("the system refused to take the network and other programs from this one: {reason}")]
    Calls {
        /// In the words of the library.
        reason: String,
    },
}

/// Keeps this process to its reach, until it ends. It must have one thread.
pub fn whole_process(reach: &Reach) -> Result<(), Unconfined> {
    let alone = wait_until_alone();
    this_thread(reach)?;
    alone
}

/// Keeps this thread, and those that it starts from now on, to its reach. Where one half cannot be had, the other is
/// taken all the same.
pub fn this_thread(reach: &Reach) -> Result<(), Unconfined> {
    let files = keep_files(reach);
    let calls = calls::refuse();
    files.and(calls)
}

/// A thread that was joined is listed for some moments more.
fn wait_until_alone() -> Result<(), Unconfined> {
    let threads = || std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count);
    let mut waited = Duration::ZERO;
    while threads() != 1 {
        if waited >= ENDING {
            return Err(Unconfined::NotAlone);
        }
        std::thread::sleep(LOOK_AGAIN);
        waited = waited.saturating_add(LOOK_AGAIN);
    }
    Ok(())
}

fn keep_files(reach: &Reach) -> Result<(), Unconfined> {
    let failed = |error: &dyn std::error::Error| Unconfined::Files { reason: error.to_string() };
    let mut ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))
        .and_then(|ruleset| ruleset.handle_access(AccessNet::from_all(NEWEST)))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        // What is refused here in an honest run would stand in the system's log, paths and all.
        .and_then(|created| created.log_same_exec(false))
        .map_err(|error| failed(&error))?;
    for (path, right) in reach {
        let Some((handle, is_folder)) = reached(path, *right) else { continue };
        let mut access = access(*right);
        if !is_folder {
            access &= AccessFs::from_file(NEWEST);
        }
        if !access.is_empty() {
            ruleset = ruleset.add_rule(PathBeneath::new(handle, access)).map_err(|error| failed(&error))?;
        }
    }
    let status = ruleset.restrict_self().map_err(|error| failed(&error))?;
    match status.landlock {
        LandlockStatus::Available { effective_abi, .. } if effective_abi >= OLDEST => Ok(()),
        _ => Err(Unconfined::Kernel),
    }
}

/// A handle that names what lies at a path, without opening it, and whether that is a folder.
fn reached(path: &Path, right: Right) -> Option<(OwnedFd, bool)> {
    let follow = if right == Right::Source { OFlags::NOFOLLOW } else { OFlags::empty() };
    let handle = fs::open(path, OFlags::PATH | OFlags::CLOEXEC | follow, Mode::empty()).ok()?;
    match FileType::from_raw_mode(fs::fstat(&handle).ok()?.st_mode) {
        FileType::Symlink => None,
        kind => Some((handle, kind == FileType::Directory)),
    }
}

fn access(right: Right) -> BitFlags<AccessFs> {
    match right {
        Right::Source | Right::Read => make_bitflags!(AccessFs::{ReadFile | ReadDir}),
        Right::Write => make_bitflags!(AccessFs::{
            ReadFile | ReadDir | WriteFile | Truncate | MakeReg | MakeDir | RemoveFile | RemoveDir
        }),
        Right::Terminal => make_bitflags!(AccessFs::{ReadFile | WriteFile | IoctlDev}),
        Right::TakeBack => make_bitflags!(AccessFs::{ReadDir | RemoveFile}),
        Right::Replace => make_bitflags!(AccessFs::{ReadDir | RemoveFile | MakeReg}),
        Right::RemoveFolder => AccessFs::RemoveDir.into(),
    }
}
