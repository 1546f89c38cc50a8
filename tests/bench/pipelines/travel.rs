//! How evidence travels: packed, checked by whoever carries it, unpacked into a new folder, merged into another copy.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::store::RelPath;
use amparo::store::real::RealDisk;
use amparo::vault::custody::offer::{Circumstances, Receiver};
use amparo::vault::findings::Verdict;
use amparo::vault::merge::{MergeRequest, merge};
use amparo::vault::pouch::archive::Archive;
use amparo::vault::pouch::opened::Opened;
use amparo::vault::pouch::pack::{PackRequest, pack};
use amparo::vault::pouch::pieces::Pieces;
use amparo::vault::pouch::unpack::{UnpackRequest, found_copy, unpack};
use amparo::vault::session::Trust;
use divan::Bencher;
use tempfile::{TempDir, tempdir};

use super::copied::copy_all;
use super::people::{Stopped, World, request, with};
use super::{ALL, Evidence};

/// The share of parity of a pouch that is checked: that of `pack --parity 10`.
const PARITY: u16 = 10;

#[divan::bench(args = ALL, sample_count = 5, sample_size = 1)]
fn pack_all(bencher: Bencher<'_, '_>, evidence: Evidence) {
    let world = evidence.sealed();
    bencher.counter(evidence.bytes()).with_inputs(folder).bench_local_values(|out| {
        packed(&world, out.path(), None);
        out
    });
}

#[divan::bench(args = ALL, sample_count = 5, sample_size = 1)]
fn check_as_courier(bencher: Bencher<'_, '_>, evidence: Evidence) {
    let (world, out) = (evidence.sealed(), folder());
    let pouch = packed(&world, out.path(), Some(PARITY));
    let files = [pouch.clone(), pouch.with_extension("amparo.parity")];
    bencher.counter(evidence.bytes()).bench_local(|| {
        let pieces = Pieces::gather(&RealDisk, &files).expect("a pouch");
        let (condition, sha256) = pieces.look(&Stopped).expect("looked at");
        assert!(condition.is_whole() && condition.may_lose.is_some() && sha256.is_some(), "{condition:?}");
    });
}

#[divan::bench(args = ALL, sample_count = 5, sample_size = 1)]
fn unpack_as_reader(bencher: Bencher<'_, '_>, evidence: Evidence) {
    let (world, out) = (evidence.sealed(), folder());
    let pouch = packed(&world, out.path(), None);
    bencher.counter(evidence.bytes()).with_inputs(folder).bench_local_values(|copy| {
        let pieces = Pieces::gather(&RealDisk, std::slice::from_ref(&pouch)).expect("a pouch");
        let opened = Opened::open(pieces, &[&world.reader.person.keys.age]).expect("to the reader");
        let pouch = Arc::new(Archive::read(opened, &pouch).expect("read"));
        let trust = Trust::VaultId(world.created.vault);
        let place = request(copy.path(), &world.reader, Some(&trust));
        let unpacked = with(&RealDisk, world.reader.machine, |setting| {
            found_copy(setting, copy.path(), &pouch).expect("begun");
            unpack(setting, &UnpackRequest { place, pouch: &pouch, salvage: false }).expect("unpacked")
        });
        assert_eq!((unpacked.verdict, unpacked.missing.len()), (Verdict::Valid, 0), "{:?}", unpacked.findings);
        copy
    });
}

#[divan::bench(args = ALL, sample_count = 5, sample_size = 1)]
fn merge_as_lawyer(bencher: Bencher<'_, '_>, evidence: Evidence) {
    let world = World::new();
    let before = folder();
    copy_all(&world.vault, before.path());
    evidence.seal_in(&world);
    let older = || {
        let copy = folder();
        copy_all(before.path(), copy.path());
        copy
    };
    bencher.counter(evidence.bytes()).with_inputs(older).bench_local_values(|copy| {
        let merged = with(&RealDisk, world.lawyer.machine, |setting| {
            let source = setting.disk.folder(&world.vault).expect("the vault");
            let place = request(copy.path(), &world.lawyer, None);
            merge(setting, &MergeRequest { place, source, replace_damaged: false, whole_or_nothing: false })
        });
        let merged = merged.expect("merged");
        assert!(merged.blobs > 0 && merged.verdict == Verdict::Valid, "{:?}", merged.findings);
        copy
    });
}

fn folder() -> TempDir {
    tempdir().expect("a folder")
}

/// All of it, for the reader.
fn packed(world: &World, folder: &Path, parity: Option<u16>) -> PathBuf {
    let to = [Receiver { typed: "Harbour".into(), card: None }];
    let (told, name) = (Circumstances::default(), RelPath::parse("all.amparo").expect("a name"));
    let place = request(&world.vault, &world.lawyer, None);
    let request =
        PackRequest { place, to: &to, ids: &[], told: &told, out: (folder, &name), parity, volume_bytes: None };
    with(&RealDisk, world.lawyer.machine, |setting| pack(setting, &request).expect("packed"));
    folder.join("all.amparo")
}
