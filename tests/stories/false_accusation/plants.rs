//! Programs with a planted fault. Histories of honest people must bring it to light: one of them is accused.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use amparo::store::faulty::Rules;
use amparo::store::{Disk, RelPath};
use amparo::vault::VaultError;
use amparo::vault::findings::Verdict;

use super::{Founded, LAWYER, Seat, Story, play};
use crate::vault::merging::carry;

/// So many random histories may pass before one of them shows a fault.
const HISTORIES_MAX: u64 = 200;
/// What somebody is then accused of.
const ACCUSATION: &str = "two histories signed with one key";
/// Where a planted fault keeps what a device wrote, by log and size.
const SHELF: &str = "/home/shelf";

/// What the program does wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum Plant {
    /// A device forgets which states it has seen.
    ForgetsWhatItSaw,
    /// A log is gone on with from an older copy, as if the device had never written more.
    GoesOnFromAnOlderCopy,
}

impl Story {
    /// What the fault does to a device's memory before whatever is done there next.
    pub(super) fn spoil_memory(&self, seat: &Seat) {
        match self.plant {
            None => {}
            Some(Plant::ForgetsWhatItSaw) => self.forget(&self.remembered(seat, "seen"), |_| true),
            Some(Plant::GoesOnFromAnOlderCopy) => {
                carry(&self.disk, &self.remembered(seat, "own"), Path::new(SHELF), |_| true);
            }
        }
    }

    /// An older copy has come out of the drawer: the device remembers of its own logs what that copy has, and nothing newer.
    pub(super) fn go_on_from_here(&self, seat: usize) {
        let (Some(Plant::GoesOnFromAnOlderCopy), Some(history)) = (self.plant, self.history(seat)) else { return };
        let seat = &self.seats[seat];
        let size_here = |log: &str| {
            let here = history.logs.values().find(|here| here.id.to_string() == log);
            here.map_or(0, |here| here.head.size)
        };
        let (own, seen) = (self.remembered(seat, "own"), self.remembered(seat, "seen"));
        let parts = |below: &str| below.split_once('/').map(|(log, name)| (log.to_string(), name.parse::<u64>().ok()));
        carry(&self.disk, Path::new(SHELF), &own, |below| {
            parts(below).is_some_and(|(log, size)| size.is_some_and(|size| size == size_here(&log)))
                && self.owns(&own, below)
        });
        self.forget(&own, |below| {
            parts(below).is_some_and(|(log, size)| size.is_some_and(|size| size > size_here(&log)))
        });
        self.forget(&seen, |below| self.owns(&own, below));
    }

    /// Whether this device writes the log that a path begins with.
    fn owns(&self, own: &Path, below: &str) -> bool {
        let log = below.split('/').next().unwrap_or_default();
        self.disk.stat(&own.join(log).join("owner")).is_ok()
    }

    fn remembered(&self, seat: &Seat, what: &str) -> PathBuf {
        seat.state.join(self.vault.to_string()).join(what)
    }

    /// Removes files below a folder. On a disk that fails just now they stay.
    fn forget(&self, folder: &Path, which: impl Fn(&str) -> bool) {
        for (path, _) in self.disk.files() {
            let Ok(below) = path.strip_prefix(folder) else { continue };
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { continue };
            if which(&below.to_string_lossy())
                && let Ok(folder) = self.disk.folder(parent)
            {
                let _ = folder.remove_all(&[RelPath::parse(name).expect("a name")]);
            }
        }
    }
}

/// The lawyer's device is set back to what it remembered earlier, sees its newer copy, and is then given an older one.
pub(super) fn set_back_to_an_image(plant: Option<Plant>) {
    let mut story = Story { plant, ..Story::begin(0, &Founded::on(Rules::Ext4)) };
    let (older, image) = (story.fresh("older"), story.fresh("image"));
    carry(&story.disk, &story.seats[LAWYER].copy, &older, |_| true);
    carry(&story.disk, &story.seats[LAWYER].state, &image, |_| true);
    story.note(LAWYER).expect("said");
    story.seats[LAWYER].state = image;
    assert_eq!(story.check(LAWYER), Verdict::Valid);
    let newer = std::mem::replace(&mut story.seats[LAWYER].copy, older);
    let said = story.note(LAWYER);
    assert!(matches!(said, Ok(()) | Err(VaultError::OlderCopy { .. })), "{said:?}");
    story.merge(LAWYER, &newer).expect("merged");
    assert_eq!(story.check(LAWYER), Verdict::Valid);
}

/// Whether somebody is accused in what is played.
fn accuses(what: impl FnOnce()) -> bool {
    let Err(panic) = catch_unwind(AssertUnwindSafe(what)) else { return false };
    let said = panic.downcast_ref::<String>().map_or("", String::as_str);
    assert!(said.contains(ACCUSATION), "{said}");
    true
}

#[test]
fn a_memory_that_forgets_what_it_saw_comes_to_light() {
    let _row = crate::soak::row(6);
    assert!(accuses(|| set_back_to_an_image(Some(Plant::ForgetsWhatItSaw))));
}

#[test]
fn a_log_that_is_gone_on_with_from_an_older_copy_comes_to_light() {
    let _row = crate::soak::row(6);
    let founded: Vec<Founded> = [Rules::Ext4, Rules::ExFat].into_iter().map(Founded::on).collect();
    let is_seen = |seed| accuses(|| drop(play(seed, &founded, Some(Plant::GoesOnFromAnOlderCopy))));
    assert!((1..=HISTORIES_MAX).any(is_seen), "not seen in {HISTORIES_MAX} histories");
}
