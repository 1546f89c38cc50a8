//! Packing and unpacking on a disk that fails: nothing half-made stays, an offer that stands is packed later, and whatever
//! stopped an unpacking, the next one completes it, copies nothing twice that is whole, and accuses nobody.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::crypto::hash::Hash;
use amparo::format::event::{Event, ExhibitRef, Offer};
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::store::{Disk, Mode, RelPath, StoreError};
use amparo::vault::custody::note::{Kind, note};
use amparo::vault::custody::offer::{Circumstances, Receiver};
use amparo::vault::custody::story::story;
use amparo::vault::exhibits::find;
use amparo::vault::findings::{Check, Verdict};
use amparo::vault::merge::{Cleared, Merged, clear};
use amparo::vault::pouch::PouchError;
use amparo::vault::pouch::archive::Archive;
use amparo::vault::pouch::opened::Opened;
use amparo::vault::pouch::pack::{PackRequest, Packed, pack};
use amparo::vault::pouch::pieces::{Pieces, Spool};
use amparo::vault::pouch::unpack::{UnpackRequest, found_copy, is_bare, unpack};
use amparo::vault::session::{Request, Session, Trust};
use amparo::vault::{VaultError, commit};

mod half_made;

use super::merging::{carry, merge_into};
use super::people::{Device, World, request, with};

const ROOT: &str = "/home";

/// The lawyer packs for the reader what she lacks, or one of her own offers.
fn packs(disk: &dyn Disk, world: &World, name: &str, ids: &[String]) -> Result<Packed, VaultError> {
    packs_with((None, None), disk, world, name, ids)
}

/// The same with parity, and in volumes.
fn packs_with(
    (parity, volume_bytes): (Option<u16>, Option<u64>),
    disk: &dyn Disk,
    world: &World,
    name: &str,
    ids: &[String],
) -> Result<Packed, VaultError> {
    let to = Receiver { typed: "Harbour".into(), card: None };
    let name = RelPath::parse(name).expect("a name");
    with(disk, world.lawyer.machine, |setting| {
        let (place, told) = (request(&world.vault, &world.lawyer, None), Circumstances::default());
        pack(setting, &PackRequest { ids, parity, volume_bytes, ..to_stick(place, &to, &told, &name) })
    })
}

/// What one person lacks, in one file on the stick.
fn to_stick<'a>(place: Request<'a>, to: &'a Receiver, told: &'a Circumstances, name: &'a RelPath) -> PackRequest<'a> {
    let (to, out) = (std::slice::from_ref(to), (Path::new("/stick"), name));
    PackRequest { place, to, ids: &[], told, out, parity: None, volume_bytes: None }
}

/// The reader unpacks into a folder, as `unpack -o` does; with whatever parity lies beside the pouch.
fn unpacks(disk: &dyn Disk, world: &World, pouch: &str, folder: &Path) -> Result<Merged, VaultError> {
    let who: &Device = &world.reader;
    let trust = Trust::VaultId(world.created.vault);
    with(disk, who.machine, |setting| {
        let files = [pouch.to_string(), format!("{pouch}.parity")].map(|name| Path::new("/stick").join(name));
        let files: Vec<PathBuf> = files.into_iter().filter(|file| disk.stat(file).is_ok()).collect();
        let pieces = Pieces::gather(disk, &files)?;
        if pieces.parity().is_some() {
            let (beside, name) = (folder.parent().expect("a folder"), RelPath::parse("copy").expect("a name"));
            pieces.spool_to(Spool::begin(disk, (beside, &name))?);
        }
        let opened = Opened::open(pieces, &[&who.person.keys.age])?;
        let pouch = Arc::new(Archive::read(opened, Path::new("pouch"))?);
        if disk.stat(folder).is_err() {
            disk.create_folder(folder, Mode::Open)?;
        }
        if is_bare(setting, folder)? {
            found_copy(setting, folder, &pouch)?;
        }
        let place = request(folder, who, Some(&trust));
        unpack(setting, &UnpackRequest { place, pouch: &pouch, salvage: false })
    })
}

/// Two exhibits in the lawyer's vault, of which the reader has a copy with one, or nothing.
fn base(rules: Rules, has_copy: bool) -> (FaultyDisk, World, PathBuf) {
    let disk = FaultyDisk::new(rules);
    for name in ["first", "second"] {
        disk.put(&PathBuf::from(format!("/home/s/{name}.txt")), name.as_bytes());
    }
    disk.put(Path::new("/stick/readme.txt"), b"mine");
    let world = World::on(Arc::new(disk.clone()), Path::new(ROOT)).expect("founded");
    world.seal(&[world.path("s/first.txt")], false).expect("sealed");
    let copy = world.path("copy");
    if has_copy {
        for folder in [&copy, &world.path("older")] {
            carry(&disk, &world.vault, folder, |_| true);
        }
        assert_eq!(world.verify_at(&copy, &world.reader).expect("verified").verdict, Verdict::Valid);
    }
    world.seal(&[world.path("s/second.txt")], false).expect("sealed");
    (disk, world, copy)
}

/// Sealed files below a folder that are what their names say, on the medium: after a sync that failed the system shows what no
/// medium holds.
fn whole_blobs(disk: &FaultyDisk, folder: &Path) -> BTreeSet<PathBuf> {
    let Ok(below) = disk.folder(folder) else { return BTreeSet::new() };
    let is_whole = |path: &PathBuf| {
        let path = RelPath::parse(path.strip_prefix(folder).expect("below it")).expect("a path");
        let mut bytes = Vec::new();
        let read = below.read_back(&path, 1 << 24).map(|(mut source, _)| source.read_to_end(&mut bytes));
        matches!(read, Ok(Ok(_))) && path.as_path().ends_with(Hash::of(&bytes).to_string())
    };
    let paths = disk.files().into_iter().map(|(path, _)| path);
    paths.filter(|path| path.starts_with(folder.join("blobs"))).filter(is_whole).collect()
}

/// Unpacks with one fault at each operation in turn; then the power is cut.
fn survives(rules: Rules, has_copy: bool, fault: Fault, times: Times, stride: usize) {
    let (base, world, copy) = base(rules, has_copy);
    packs(&base, &world, "trip.bin", &[]).expect("packed");
    survives_from(&base, &world, &copy, (rules, has_copy, fault, times, stride));
}

/// The same of a pouch that has to be restored from its parity while it arrives.
fn survives_damage(rules: Rules, has_copy: bool, fault: Fault, times: Times, stride: usize) {
    let (base, world, copy) = base(rules, has_copy);
    packs_with((Some(30), None), &base, &world, "trip.bin", &[]).expect("packed");
    let pouch = Path::new("/stick/trip.bin");
    let (_, mut bytes) = base.files().into_iter().find(|(path, _)| path == pouch).expect("packed");
    let undamaged = bytes.clone();
    // Its beginning, and a part of each chunk in which files of the vault lie.
    bytes[..8192].fill(0);
    bytes[8192..].chunks_mut(65_536).take(6).for_each(|chunk| chunk[..9000].fill(0));
    base.put(pouch, &bytes);
    let without = base.twin();
    without.put(Path::new("/stick/trip.bin.parity"), b"lost");
    assert!(unpacks(&without, &world.moved_to(Arc::new(without.clone())), "trip.bin", &copy).is_err(), "it is needed");
    assert_ne!(bytes, undamaged);
    survives_from(&base, &world, &copy, (rules, has_copy, fault, times, stride));
}

fn survives_from(
    base: &FaultyDisk,
    world: &World,
    copy: &Path,
    (rules, has_copy, fault, times, stride): (Rules, bool, Fault, Times, usize),
) {
    let rehearsal = base.crash(0);
    let before = rehearsal.operations();
    let all = unpacks(&rehearsal, world, "trip.bin", copy).expect("nothing fails in the rehearsal");
    let operations = rehearsal.operations() - before;
    assert!(operations > 40 && all.verdict == Verdict::Valid, "{operations} operations, {:?}", all.findings);
    let blobs = whole_blobs(&rehearsal, copy).len();
    for nth in (0..operations).step_by(stride) {
        let disk = base.crash(0);
        disk.fail_at(disk.operations() + nth, fault, times);
        let told = unpacks(&disk, world, "trip.bin", copy);
        disk.heal();
        let disk = if times == Times::FromThenOn { disk.crash(nth) } else { disk };
        let there = world.moved_to(Arc::new(disk.clone()));
        let context =
            format!("{rules:?} {has_copy} {fault:?} {times:?} at {nth} of {operations}: {:?}", told.as_ref().err());
        if has_copy {
            let seen = there.verify_at(copy, &there.reader).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_ne!(seen.verdict, Verdict::Invalid, "{context}: {:?}", seen.findings);
        }
        let here = whole_blobs(&disk, copy);
        // Whatever else she does before she goes on, nothing of what has come is lost.
        if has_copy && nth % 2 == 0 {
            let other = merge_into(&disk, &there.reader, copy, &there.path("older"), false);
            other.unwrap_or_else(|error| panic!("{context}: {error}"));
            assert!(whole_blobs(&disk, copy).is_superset(&here), "{context}");
        }
        let here = here.len();
        let again = unpacks(&disk, &there, "trip.bin", copy).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(again.verdict, Verdict::Valid, "{context}: {:?}", again.findings);
        assert!(again.foreign.is_empty() && again.forks.is_empty(), "{context}: {:?}", again.foreign);
        assert_eq!(usize::try_from(again.blobs).expect("few"), blobs - here, "{context}: copied twice");
        for who in [&there.reader, &there.monitor] {
            let seen = there.verify_at(copy, who).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_eq!((seen.verdict, seen.exhibits), (Verdict::Valid, 2), "{context}: {:?}", seen.findings);
        }
        let third = unpacks(&disk, &there, "trip.bin", copy).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert!(!third.is_new(), "{context}: something came a second time");
    }
}

/// A copy that is only beginning is cut off; before it is gone on with, the same pouch is unpacked elsewhere at this device, or the
/// folder is moved, where no record tells of it.
fn survives_among_others(rules: Rules, stride: usize) {
    let (base, world, copy) = base(rules, false);
    packs(&base, &world, "trip.bin", &[]).expect("packed");
    let rehearsal = base.crash(0);
    let before = rehearsal.operations();
    unpacks(&rehearsal, &world, "trip.bin", &copy).expect("nothing fails in the rehearsal");
    let operations = rehearsal.operations() - before;
    let mut cleared = 0;
    for nth in (0..operations).step_by(stride) {
        let disk = base.crash(0);
        disk.fail_at(disk.operations() + nth, Fault::Io, Times::FromThenOn);
        drop(unpacks(&disk, &world, "trip.bin", &copy));
        disk.heal();
        let disk = disk.crash(nth);
        let there = world.moved_to(Arc::new(disk.clone()));
        let context = format!("{rules:?} at {nth} of {operations}");
        let is_whole = |disk: &FaultyDisk, folder: &Path| {
            let there = world.moved_to(Arc::new(disk.clone()));
            let unpacked = unpacks(disk, &there, "trip.bin", folder);
            let unpacked = unpacked.unwrap_or_else(|error| panic!("{context}, {}: {error}", folder.display()));
            assert_eq!(unpacked.verdict, Verdict::Valid, "{context}, {}: {:?}", folder.display(), unpacked.findings);
            for who in [&there.reader, &there.monitor] {
                let seen = there.verify_at(folder, who).unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!(
                    (seen.verdict, seen.exhibits),
                    (Verdict::Valid, 2),
                    "{context}, {}: {:?}",
                    folder.display(),
                    seen.findings
                );
            }
        };
        let moved = there.path("moved");
        let twin = disk.twin();
        carry(&twin, &copy, &moved, |_| true);
        is_whole(&twin, &moved);
        // What came is cleared, also where nothing is there yet that could cover it, and comes once more.
        let twin = disk.twin();
        let place = request(&copy, &there.reader, None);
        let lies_there = |disk: &FaultyDisk, room: &str| {
            disk.files().iter().any(|(path, _)| path.starts_with(&copy) && path.to_string_lossy().contains(room))
        };
        match with(&twin, there.reader.machine, |setting| clear(setting, &place)) {
            Ok(Cleared { removed, in_doubt }) => {
                assert_eq!(in_doubt, 0, "{context}");
                assert!(removed == 0 || !lies_there(&twin, "/blobs/"), "{context}: {removed} removed");
                cleared += usize::from(removed > 0);
                is_whole(&twin, &copy);
            }
            // Nothing was begun there yet, or a state stands already of which some is not there.
            Err(error) => {
                let is_known = !lies_there(&twin, "/blobs/") || lies_there(&twin, "/checkpoints/");
                assert!(is_known, "{context}: {error}");
            }
        }
        is_whole(&disk, &there.path("another"));
        is_whole(&disk, &copy);
    }
    assert!(cleared > 0, "{rules:?}: nothing was ever cleared");
}

#[test]
fn other_copies_at_the_device_do_no_harm_to_one_that_was_cut_off() {
    survives_among_others(Rules::Ext4, 5);
    survives_among_others(Rules::ExFat, 11);
}

#[test]
fn the_power_goes_while_a_vault_arrives() {
    survives(Rules::Ext4, false, Fault::Io, Times::FromThenOn, 1);
    survives(Rules::ExFat, false, Fault::Io, Times::FromThenOn, 7);
}

#[test]
fn the_power_goes_while_a_copy_grows() {
    survives(Rules::Ext4, true, Fault::Io, Times::FromThenOn, 1);
    survives(Rules::ExFat, true, Fault::Io, Times::FromThenOn, 7);
}

#[test]
fn the_power_goes_while_a_pouch_is_restored_from_its_parity() {
    survives_damage(Rules::Ext4, false, Fault::Io, Times::FromThenOn, 3);
    survives_damage(Rules::ExFat, true, Fault::Io, Times::FromThenOn, 11);
}

/// A read of the stick that fails once is no damage that stays: what it hit is restored, or the next run takes it.
#[test]
fn a_failing_disk_while_a_pouch_is_restored_costs_nothing() {
    for fault in [Fault::Full, Fault::Io, Fault::Sync] {
        survives_damage(Rules::Ext4, true, fault, Times::Once, 29);
    }
}

#[test]
fn a_full_or_failing_disk_while_unpacking_costs_nothing() {
    for fault in [Fault::Full, Fault::Io, Fault::Sync, Fault::ShortWrite] {
        survives(Rules::Ext4, true, fault, Times::Once, 11);
        survives(Rules::Ext4, false, fault, Times::Once, 13);
    }
}

#[test]
fn a_pouch_without_its_file_vault_founds_the_copy_that_its_signed_states_name() {
    let (disk, world, copy) = base(Rules::Ext4, false);
    packs(&disk, &world, "trip.bin", &[]).expect("packed");
    // A power cut left the new copy's file torn, and nothing else.
    disk.put(&copy.join("VAULT"), &[0; 40]);
    let came = unpacks(&disk, &world, "trip.bin", &copy).expect("it goes on");
    assert_eq!(came.verdict, Verdict::Valid);
    assert!(came.findings.iter().all(|found| found.check != Check::Behind));
    // What somebody else put there is left alone.
    let other = world.path("other");
    disk.put(&other.join("VAULT"), b"a file of mine");
    assert!(unpacks(&disk, &world, "trip.bin", &other).is_err());
    assert!(disk.files().contains(&(other.join("VAULT"), b"a file of mine".to_vec())));
}

/// An offer is one of exhibits: in which order somebody named them, or an older program did, makes no second one.
#[test]
fn an_offer_stands_in_whatever_order_it_names_its_exhibits() {
    let (disk, world, _) = base(Rules::Ext4, false);
    let ids = ["K7-0001", "K7-0002"].map(String::from);
    let offered = with(&disk, world.lawyer.machine, |setting| {
        let place = request(&world.vault, &world.lawyer, None);
        let session = Session::open_to_write(setting, &place).expect("opened");
        let mut exhibits: Vec<ExhibitRef> =
            ids.iter().map(|id| find(&session, id).expect("sealed").reference()).collect();
        exhibits.sort_unstable_by(|one, other| other.cmp(one));
        let [medium, seal_number, condition, carrier, place, purpose, authority] = [const { String::new() }; 7];
        let heads = session.history().expect("read").logs.values().map(|log| log.head).collect();
        let to = world.reader.person.member();
        let offer = Offer { to, exhibits, heads, medium, seal_number, condition, carrier, place, purpose, authority };
        commit::say(setting, &session, &world.lawyer.person, Event::Offer(offer)).expect("offered")
    });
    let packed = packs(&disk, &world, "trip.bin", &ids).expect("packed");
    let said = packed.said.expect("it says what it carries");
    assert_eq!((packed.offers.len(), said.head.size), (1, offered.size + 1), "{:?}", packed.offers);
}
