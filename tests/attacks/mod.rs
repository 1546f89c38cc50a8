//! What each adversary tries, and what becomes of it. `docs/THREATS.md` names these tests.

mod breaks;
mod copy_holder;
mod everything_seized;
mod first_contact;
mod hostile;
mod merge_folder;
mod pouches;
mod seized_device;
mod sources;
mod texts;

use std::path::{Path, PathBuf};

use amparo::crypto::hash::Hash;
use amparo::store::real::RealDisk;
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::session::{Request, Trust};
use amparo::vault::verify::{Verified, VerifyRequest, verify};
use amparo::vault::{Setting, VaultError};

use crate::vault::people::{World, with};

/// Acts on a machine of that name.
fn on<T>(machine: &str, act: impl FnOnce(&mut Setting<'_>) -> T) -> T {
    with(&RealDisk, Hash::of(machine.as_bytes()), act)
}

/// A vault with one exhibit, and the monitor's verdict so far.
fn sealed() -> World {
    let world = World::new();
    let source = world.write("s/a.txt", b"some words");
    world.seal(&[source], false).expect("sealed");
    world
}

/// Verifies without any key.
fn without_a_key(world: &World, trust: Option<&Trust>) -> Result<Verified, VaultError> {
    on("a court's machine", |setting| {
        let state = world.path("state of nobody");
        let place = Request { vault: &world.vault, state: &state, person: None, trust };
        verify(setting, &VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] })
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for item in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = item.path();
        if item.file_type().expect("its kind").is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

fn found(verified: &Verified, check: Check) -> Option<Verdict> {
    verified.findings.iter().filter(|finding| finding.check == check).map(|finding| finding.weight).max()
}

/// The folders of the logs.
fn logs(world: &World) -> Vec<PathBuf> {
    let logs = std::fs::read_dir(world.vault.join("logs")).expect("logs").flatten();
    logs.map(|log| log.path()).collect()
}
