//! Whether this device keeps what must not be lost or seen: who may read the identity and the device's memory, what kind
//! of disk they and the vault lie on, how much room is left, what the system writes of memory.

use std::path::Path;

use super::{Advice, Examination, Gravity};
use crate::crypto::envelope::{self, WORK_FACTOR};
use crate::store::{Disk, FileSystem, FileSystemKind, Kind};
use crate::vault::device::is_answered_form;
use crate::vault::device::machine::{self, Encrypted, Leak};

/// With less room a sealing soon fails.
const FREE_BYTES_MIN: u64 = 512 << 20;
/// Items of the current folder among which forms are looked for.
const ITEMS_MAX: usize = 1_000;
/// Bits that let others than the owner in.
const OTHERS: u32 = 0o077;

/// What a person should know of this device.
pub(super) fn safety(disk: &dyn Disk, examination: &Examination<'_>) -> Vec<Advice> {
    let mut advice = Vec::new();
    let (vault, state) = (examination.place.vault, examination.place.state);
    for (what, path) in
        [("the vault", vault), ("what this device remembers", state), ("the identity", examination.identity)]
    {
        if let Ok(there) = disk.file_system(path) {
            advice.extend(on_disk(what, &there));
        }
    }
    for (what, path, bits) in
        [("the identity", examination.identity, "600"), ("what this device remembers", state, "700")]
    {
        advice.extend(loose(disk, what, path, bits));
    }
    let start = disk.read_start(examination.identity, 4096).unwrap_or_default();
    if let Some(factor) = envelope::work_factor(&start).filter(|factor| *factor < WORK_FACTOR) {
        advice.push(warning(format!(
            "the passphrase of the identity is cheap to guess: its work factor is 2^{factor}, not 2^{WORK_FACTOR}"
        )));
    }
    advice.extend(forms(disk, examination.here));
    advice.extend(machine::leaks(disk).into_iter().filter_map(leaking));
    advice
}

fn warning(text: String) -> Advice {
    Advice { gravity: Gravity::Warning, text }
}

fn note(text: String) -> Advice {
    Advice { gravity: Gravity::Note, text }
}

fn on_disk(what: &str, there: &FileSystem) -> Vec<Advice> {
    let mut advice = Vec::new();
    match there.kind {
        FileSystemKind::Local => {}
        // A stick is where a vault is expected; everything else on one is for anybody who takes it.
        FileSystemKind::WithoutPermissions(name) if what == "the vault" => advice.push(note(format!(
            "{what} lies on {name}, which keeps no permissions: every user of a machine can copy it, and remove from it"
        ))),
        FileSystemKind::WithoutPermissions(name) => advice.push(warning(format!(
            "{what} lies on {name}, which keeps no permissions: every user of this machine can read it"
        ))),
        FileSystemKind::Memory => {
            advice.push(warning(format!("{what} lies in memory: it is gone when the machine is switched off")));
        }
        FileSystemKind::Network => advice.push(note(format!(
            "{what} lies on another machine: whoever runs that one sees when it is used, and can remove it"
        ))),
        FileSystemKind::Program => {
            advice
                .push(note(format!("{what} lies behind another program, which alone knows what is safe on its disk")));
        }
    }
    if there.bytes_free < FREE_BYTES_MIN && what != "the identity" {
        let free = there.bytes_free >> 20;
        advice.push(warning(format!("only {free} MiB are free where {what} lies: a sealing would soon fail")));
    }
    advice
}

fn loose(disk: &dyn Disk, what: &str, path: &Path, bits: &str) -> Option<Advice> {
    let stat = disk.stat(path).ok().filter(|stat| stat.permissions & OTHERS != 0)?;
    let kept = disk.file_system(path).is_ok_and(|there| there.kind.keeps_permissions());
    let shown = path.display();
    (kept && stat.kind != Kind::Link)
        .then(|| warning(format!("{what} is open to other users of this machine: chmod {bits} {shown}")))
}

/// Forms with answers in the current folder: they are sealed, and stay readable.
fn forms(disk: &dyn Disk, here: &Path) -> Vec<Advice> {
    let items = disk.list_source(here).unwrap_or_default();
    let files = items.into_iter().filter(|item| item.kind == Kind::File).take(ITEMS_MAX);
    let answered = files.filter(|item| is_answered_form(disk, &here.join(&item.name), item.bytes));
    answered
        .map(|item| {
            let name = item.name.to_string_lossy().into_owned();
            warning(format!("{name} is a form with answers in the clear: once it is sealed, delete it"))
        })
        .collect()
}

fn leaking(leak: Leak) -> Option<Advice> {
    Some(match leak {
        Leak::Swap(_, Encrypted::Yes) => return None,
        Leak::Swap(name, Encrypted::No) => warning(format!(
            "swap on {name} is not encrypted: what is opened or typed here may stay readable on that disk"
        )),
        Leak::Swap(name, Encrypted::Unknown) => note(format!(
            "whether swap on {name} is encrypted cannot be told; if not, what is opened here may stay there"
        )),
        Leak::Hibernation => {
            warning("this machine can sleep by writing all its memory to disk: shut it down instead".into())
        }
        Leak::CoreFiles => note("programs that crash leave their memory as a file; this one does not".into()),
        Leak::CoreProgram(program) => {
            note(format!("programs that crash hand their memory to {program}; this one does not"))
        }
    })
}
