//! Merging on a disk that fails: a power cut at any operation leaves a vault that is as it was or better, and a second
//! run completes it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use amparo::crypto::hash::Hash;
use amparo::store::faulty::{Fault, FaultyDisk, Rules, Times};
use amparo::store::{Disk, Folder, Item, RelPath, Stat, StoreError, layout};
use amparo::vault::VaultError;
use amparo::vault::custody::note::{Kind, note};
use amparo::vault::findings::{Check, Finding, Verdict};
use amparo::vault::merge::{Arrival, Cleared, MergeRequest, Merged, clear, merge};
use amparo::vault::verify::Verified;

use super::people::{Device, World, request, with};

const ROOT: &str = "/home";

/// Merges one folder into another on somebody's machine.
pub(crate) fn merge_into(
    disk: &dyn Disk,
    who: &Device,
    vault: &Path,
    source: &Path,
    replace_damaged: bool,
) -> Result<Merged, VaultError> {
    with(disk, who.machine, |setting| {
        let source = setting.disk.folder(source)?;
        merge(
            setting,
            &MergeRequest { place: request(vault, who, None), source, replace_damaged, whole_or_nothing: false },
        )
    })
}

/// Copies a folder as a file copier does, durably.
pub(crate) fn carry(disk: &FaultyDisk, from: &Path, to: &Path, which: impl Fn(&str) -> bool) {
    for (path, bytes) in disk.files() {
        if let Ok(below) = path.strip_prefix(from)
            && which(&below.to_string_lossy())
        {
            disk.put(&to.join(below), &bytes);
        }
    }
}

/// The reader has a copy; since then the lawyer sealed more, and the reader opened something.
fn apart(rules: Rules) -> (FaultyDisk, World, PathBuf) {
    let disk = FaultyDisk::new(rules);
    for name in ["first", "second"] {
        disk.put(&PathBuf::from(format!("/home/s/{name}.txt")), name.as_bytes());
    }
    let world = World::on(Arc::new(disk.clone()), Path::new(ROOT)).expect("founded");
    world.seal(&[world.path("s/first.txt")], false).expect("sealed");
    let copy = world.path("copy");
    carry(&disk, &world.vault, &copy, |_| true);
    world.seal(&[world.path("s/second.txt")], false).expect("sealed");
    let seen = world.verify_at(&copy, &world.reader).expect("verified");
    assert_eq!((seen.verdict, seen.exhibits), (Verdict::Valid, 1));
    (disk, world, copy)
}

fn is_as_it_was_or_better(seen: &Verified, context: &str) {
    assert_eq!(seen.verdict, Verdict::Valid, "{context}: {:?}", seen.findings);
    assert!(seen.exhibits == 1 || seen.exhibits == 2, "{context}: {} exhibits", seen.exhibits);
}

/// Merges with one fault at each operation in turn; then the power is cut.
fn survives(rules: Rules, fault: Fault, times: Times, stride: usize) {
    let (base, world, copy) = apart(rules);
    let rehearsal = base.crash(0);
    let before = rehearsal.operations();
    merge_into(&rehearsal, &world.reader, &copy, &world.vault, false).expect("nothing fails in the rehearsal");
    let operations = rehearsal.operations() - before;
    assert!(operations > 40, "{operations} operations");
    for nth in (0..operations).step_by(stride) {
        let disk = base.crash(0);
        disk.fail_at(disk.operations() + nth, fault, times);
        let told = merge_into(&disk, &world.reader, &copy, &world.vault, false);
        disk.heal();
        let disk = disk.crash(nth);
        let there = world.moved_to(Arc::new(disk.clone()));
        let context = format!("{rules:?} {fault:?} {times:?} at {nth} of {operations}: {:?}", told.as_ref().err());

        let seen = there.verify_at(&copy, &there.reader).unwrap_or_else(|error| panic!("{context}: {error}"));
        match &told {
            // What could not be read just then is told, and is all that lacks.
            Ok(merged) if seen.verdict == Verdict::Incomplete => {
                let found = merged.findings.iter().map(|found| found.subject.as_str());
                let untaken = merged.untaken.iter().map(|file| file.path.as_str());
                let missing = merged.missing.iter().map(String::as_str);
                // Of a folder that could not be listed the folder is told.
                let told: Vec<&str> = untaken.chain(missing).chain(found).collect();
                assert_eq!(merged.verdict, Verdict::Incomplete, "{context}: {:?}", seen.findings);
                let is_told = |subject: &str| told.iter().any(|path| subject.starts_with(path));
                let untold = seen.findings.iter().find(|found| !is_told(&found.subject));
                assert_eq!(untold, None, "{context}");
            }
            _ => is_as_it_was_or_better(&seen, &context),
        }
        let done = told.as_ref().is_ok_and(|merged| merged.verdict == Verdict::Valid);
        assert!(!done || seen.exhibits == 2, "{context}: it was told as merged");
        // The copy that they came from is a copy like any other: nothing of the interruption shows there.
        let source = there.verify_at(&there.vault, &there.reader).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!((source.verdict, source.exhibits), (Verdict::Valid, 2), "{context}: {:?}", source.findings);

        let again = merge_into(&disk, &there.reader, &copy, &there.vault, false);
        let again = again.unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!(again.verdict, Verdict::Valid, "{context}: {:?}", again.findings);
        // On another device nothing tells of the interruption: what lies there must be whole by itself.
        let stranger = there.verify_at(&copy, &there.monitor).unwrap_or_else(|error| panic!("{context}: {error}"));
        assert_eq!((stranger.verdict, stranger.exhibits), (Verdict::Valid, 2), "{context}: {:?}", stranger.findings);
    }
}

#[test]
fn a_power_cut_at_any_operation_of_a_merge_leaves_it_as_it_was_or_done() {
    survives(Rules::Ext4, Fault::Io, Times::FromThenOn, 1);
    survives(Rules::ExFat, Fault::Io, Times::FromThenOn, 3);
}

#[test]
fn a_full_or_failing_disk_during_a_merge_costs_nothing() {
    for fault in [Fault::Full, Fault::Io, Fault::Sync, Fault::ShortWrite] {
        survives(Rules::Ext4, fault, Times::Once, 7);
    }
}

#[test]
fn what_an_interrupted_merge_left_stays_until_somebody_clears_it() {
    let (base, world, copy) = apart(Rules::Ext4);
    let rehearsal = base.crash(0);
    let before = rehearsal.operations();
    merge_into(&rehearsal, &world.reader, &copy, &world.vault, false).expect("merged");
    let operations = rehearsal.operations() - before;
    let mut most = 0;
    for nth in (operations / 2..operations).step_by(7) {
        let disk = base.crash(0);
        let founded = world.path("founded");
        carry(&disk, &copy, &founded, |_| true);
        disk.fail_at(disk.operations() + nth, Fault::Io, Times::FromThenOn);
        let _ = merge_into(&disk, &world.reader, &copy, &world.vault, false);
        disk.heal();
        let disk = disk.crash(nth);
        let there = world.moved_to(Arc::new(disk.clone()));
        let before = disk.files();
        // The newer copy never comes again. Another merge, of what is here already, cannot know that.
        let merged =
            merge_into(&disk, &there.reader, &copy, &founded, false).unwrap_or_else(|error| panic!("{nth}: {error}"));
        let whole = |(path, bytes): &&(PathBuf, Vec<u8>)| {
            path.starts_with(copy.join("blobs")) && path.ends_with(Hash::of(bytes).to_string())
        };
        let kept = disk.files();
        assert!(before.iter().filter(whole).all(|file| kept.contains(file)), "{nth}");
        let place = request(&copy, &there.reader, None);
        let cleared = with(&disk, there.reader.machine, |setting| clear(setting, &place));
        let cleared = cleared.unwrap_or_else(|error| panic!("{nth}: {error}"));
        assert_eq!(cleared, Cleared { removed: merged.interrupted, in_doubt: 0 }, "{nth}");
        most = most.max(merged.interrupted);
        let seen = there.verify_at(&copy, &there.monitor).unwrap_or_else(|error| panic!("{nth}: {error}"));
        is_as_it_was_or_better(&seen, &format!("{nth} of {operations}"));
    }
    assert!(most >= 3, "{most}: not even the sealed files of one sealing were left");
}

#[test]
fn a_source_that_fails_while_it_is_read_is_told_file_by_file() {
    let (disk, world, copy) = apart(Rules::Ext4);
    let theirs: Vec<PathBuf> = disk.files().into_iter().map(|(path, _)| path).collect();
    let blob = theirs.iter().find(|path| {
        path.strip_prefix(world.vault.join("blobs"))
            .is_ok_and(|below| !theirs.contains(&copy.join("blobs").join(below)))
    });
    let blob = blob.expect("a new blob").clone();
    disk.put(&blob, b"torn");
    let merged = merge_into(&disk, &world.reader, &copy, &world.vault, false).expect("merged all the same");
    assert_eq!(merged.verdict, Verdict::Incomplete);
    assert_eq!(merged.untaken.len(), 1, "{:?}", merged.untaken);
    assert!(blob.to_string_lossy().ends_with(&merged.untaken[0].path));
    assert_eq!(merged.missing, [merged.untaken[0].path.clone()]);
    assert!(!disk.files().iter().any(|(path, bytes)| path.starts_with(&copy) && bytes == b"torn"));
}

/// The other copy, of which one folder cannot be listed.
struct Unlisted {
    folder: Arc<dyn Folder>,
    hidden: RelPath,
}

impl Folder for Unlisted {
    fn shown(&self) -> &Path {
        self.folder.shown()
    }

    fn read(&self, path: &RelPath, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
        self.folder.read(path, bytes_max)
    }

    fn stat(&self, path: &RelPath) -> Result<Stat, StoreError> {
        self.folder.stat(path)
    }

    fn list(&self, below: Option<&RelPath>) -> Result<Vec<Item>, StoreError> {
        match below {
            Some(path) if *path == self.hidden => Err(StoreError::Denied { path: self.shown().join(path) }),
            _ => self.folder.list(below),
        }
    }

    fn sync(&self, created: &[RelPath]) -> Result<(), StoreError> {
        self.folder.sync(created)
    }
}

/// What lies in a folder that cannot be listed is perhaps there; and what is odd here does not lie there.
#[test]
fn a_folder_of_the_other_copy_that_cannot_be_listed_is_told_as_that() {
    let (disk, world, copy) = apart(Rules::Ext4);
    disk.put(&copy.join("blobs/mine"), b"not of the format");
    let listed = world.list(&world.reader).expect("listed");
    let blob = layout::blob(listed[1].blob_names[0]);
    let shelf = blob.parent().expect("a shelf");
    let merged = with(&disk, world.reader.machine, |setting| {
        let folder = setting.disk.folder(&world.vault).expect("the other copy");
        let source = Arc::new(Unlisted { folder, hidden: shelf.clone() });
        let place = request(&copy, &world.reader, None);
        merge(setting, &MergeRequest { place, source, replace_damaged: false, whole_or_nothing: false })
    });
    let merged = merged.expect("merged all the same");
    assert_eq!(merged.untaken.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), [shelf.to_string()]);
    assert!(merged.missing.contains(&blob.to_string()), "{:?}", merged.missing);
    assert_eq!((merged.verdict, merged.foreign), (Verdict::Incomplete, Vec::new()));
    // Of a folder nobody is told exhibit by exhibit what came, and nothing that lay here is read for it.
    assert_eq!(merged.arrival, Arrival::default());
}

/// One signed state here is damaged, which the other copy has whole: what else comes is seen at once, and told as it is.
#[test]
fn a_damaged_state_here_hides_nothing_that_a_merge_brings() {
    let (disk, world, copy) = apart(Rules::Ext4);
    let merged = merge_into(&disk, &world.reader, &copy, &world.vault, false).expect("merged");
    let place = request(&world.vault, &world.reader, None);
    with(&disk, world.reader.machine, |setting| note(setting, &place, "rain", None, Kind::Note)).expect("said");
    let lawyers = merged.logs.iter().find(|log| log.member == world.lawyer.person.member()).expect("a log").log;
    let states = copy.join("logs").join(lawyers.to_string()).join("checkpoints");
    let (newest, mut bytes) =
        disk.files().into_iter().filter(|(path, _)| path.starts_with(&states)).max().expect("one");
    bytes[40] ^= 1;
    disk.put(&newest, &bytes);
    let merged = merge_into(&disk, &world.reader, &copy, &world.vault, false).expect("merged");
    assert_eq!(merged.damaged.len(), 1, "{:?}", merged.damaged);
    let hers = merged.logs.iter().find(|log| log.member == world.reader.person.member()).expect("her log came");
    assert_eq!((hers.before, hers.after), (0, 1), "{:?}", merged.findings);
    assert_eq!(merged.foreign, Vec::<String>::new());
    let is_hers = |found: &&Finding| found.subject.contains(&hers.log.to_string());
    // What it names of the damaged log is beyond what this copy shows of that.
    let about_hers = merged.findings.iter().filter(is_hers).map(|found| found.check);
    assert_eq!(about_hers.collect::<Vec<_>>(), [Check::Behind], "{:?}", merged.findings);
}

/// A copier brought what an interrupted sealing left in another folder, and may bring its record next.
#[test]
fn a_sealing_leaves_what_another_copy_only_began() {
    let (base, world, copy) = apart(Rules::Ext4);
    let blobs_of = |disk: &FaultyDisk, folder: &Path| {
        let files = disk.files().into_iter().map(|(path, _)| path);
        files.filter_map(|path| Some(path.strip_prefix(folder.join("blobs")).ok()?.to_path_buf())).collect::<Vec<_>>()
    };
    let before = blobs_of(&base, &world.vault);
    let interrupted = |nth| {
        let disk = base.crash(0);
        disk.fail_at(disk.operations() + nth, Fault::Io, Times::FromThenOn);
        let told = world.moved_to(Arc::new(disk.clone())).seal(&[world.path("s/second.txt")], false);
        let is_sealed = told.is_ok_and(|sealing| !sealing.exhibits.is_empty());
        assert!(!is_sealed, "the sealing came to its end before it left anything");
        disk.heal();
        let mut left = blobs_of(&disk, &world.vault);
        left.retain(|blob| !before.contains(blob));
        let is_whole = |blob: &PathBuf| {
            let name = blob.file_name().expect("a name").to_string_lossy().into_owned();
            disk.files().iter().any(|(path, bytes)| path.ends_with(blob) && Hash::of(bytes).to_string() == name)
        };
        // Of what is torn no record can come.
        let (whole, torn): (Vec<PathBuf>, Vec<PathBuf>) = left.into_iter().partition(is_whole);
        (!whole.is_empty()).then_some((disk, whole, torn.len() as u64))
    };
    let (disk, begun, torn) = (0..).find_map(interrupted).expect("some fault leaves a whole sealed file");
    carry(&disk, &world.vault, &copy, |_| true);
    let mut there = world.moved_to(Arc::new(disk.clone()));
    there.vault.clone_from(&copy);
    let sealing = there.seal(&[world.path("s/first.txt")], false).expect("sealed");
    assert_eq!(sealing.sealed.orphans_removed, torn);
    let here = blobs_of(&disk, &copy);
    assert!(begun.iter().all(|blob| here.contains(blob)), "{begun:?} of {here:?}");
}
