//! What happens to people's devices and copies: parts of copies, older copies, paper, images of what a device remembers,
//! and power that fails in the middle of anything.

use amparo::crypto::hash::Hash;
use amparo::store::faulty::{Fault, Times};
use amparo::vault::VaultError;

use super::acts::{Act, is_honest};
use super::{LAWYER, NAMES, SEATS_MAX, Seat, Story};
use crate::vault::merging::carry;

/// About as many operations as the longest act takes.
const OPERATIONS: u64 = 500;

impl Story {
    /// One thing that somebody does, or that happens.
    pub(super) fn step(&mut self, step: u64) {
        let seat = self.one_of(self.seats.len());
        if self.below(3) == 0 {
            let (state, image) = (self.seats[seat].state.clone(), self.fresh("image"));
            carry(&self.disk, &state, &image, |_| true);
            self.seats[seat].images.push(image);
        }
        match self.below(24) {
            0 | 1 => self.merge_a_part(seat),
            2 | 3 => self.take_from_the_drawer(seat),
            4 if self.seats.len() < SEATS_MAX => self.restore_from_paper(seat),
            5 | 6 => self.restore_an_image(seat),
            7 | 8 => self.lose_power(seat, step),
            _ => self.go_on(seat, step),
        }
        self.check(seat);
    }

    fn tell(&mut self, seat: usize, text: &str) {
        let line = format!("{seat} {}: {text}", NAMES[self.seats[seat].who]);
        self.told.push(line);
    }

    fn go_on(&mut self, seat: usize, step: u64) {
        let act = self.draw(seat);
        self.does(seat, &act, step);
    }

    /// Where all is together, the founder mostly lets something count that came too late.
    pub(super) fn adopt_what_came_late(&mut self) {
        if self.below(3) > 0 {
            self.does(LAWYER, &Act::Adopt, 0);
        }
    }

    fn does(&mut self, seat: usize, act: &Act, step: u64) {
        self.tell(seat, &format!("{act:?}"));
        match self.act(seat, act, step) {
            Ok(()) => {
                let line = self.told.pop().unwrap_or_default();
                self.told.push(format!("{line} [{}]", act.name()));
                if let Act::Admit(whom, _) = act {
                    self.welcome(seat, *whom);
                }
            }
            Err(error) if is_honest(&error) => {
                let line = self.told.pop().unwrap_or_default();
                self.told.push(format!("{line}: {error}"));
            }
            Err(error) => panic!("{error}: {error:?}\n{}", self.context()),
        }
    }

    /// A newcomer gets a copy, and sits down at a device of her own.
    fn welcome(&mut self, by: usize, whom: usize) {
        if self.seats.len() < SEATS_MAX && self.seats.iter().all(|seat| seat.who != whom) {
            self.sit_down(whom, by, "newcomer");
        }
    }

    /// Somebody at a device that remembers nothing, with a copy of somebody else's, if it opens to her.
    pub(super) fn sit_down(&mut self, who: usize, other: usize, how: &str) {
        self.settle(other);
        let (copy, state) = (self.fresh("copy"), self.fresh("state"));
        carry(&self.disk, &self.seats[other].copy, &copy, |_| true);
        let machine = Hash::of(state.to_string_lossy().as_bytes());
        self.seats.push(Seat { who, state, machine, copy, images: Vec::new(), interrupted: false });
        let new = self.seats.len() - 1;
        if self.history(new).is_none() {
            self.seats.pop();
            return;
        }
        self.tell(new, &format!("sits down with the copy of {other} [{how}]"));
        self.check(new);
        match self.note(new) {
            Err(error) if !is_honest(&error) => panic!("{error}: {error:?}\n{}", self.context()),
            _ => {}
        }
    }

    /// What a crash left is cleared before a file copier takes the folder along.
    pub(super) fn settle(&mut self, seat: usize) {
        if !std::mem::take(&mut self.seats[seat].interrupted) {
            return;
        }
        let first = self.drawer[0].clone();
        self.merge(seat, &first).unwrap_or_else(|error| panic!("at {seat}: {error}\n{}", self.context()));
    }

    /// A file copier was stopped, or somebody took what seemed enough.
    fn merge_a_part(&mut self, seat: usize) {
        let (other, part, way) = (self.one_of(self.seats.len()), self.fresh("part"), self.below(4));
        self.settle(other);
        self.tell(seat, &format!("merges a part ({way}) of the copy of {other} [part]"));
        let from = self.seats[other].copy.clone();
        let salt = self.below(1 << 20);
        let chance = |path: &str| Hash::of(format!("{salt} {path}").as_bytes()).0[0];
        carry(&self.disk, &from, &part, |path| match way {
            0 => !path.starts_with("blobs"),
            1 => chance(path) < 160,
            2 => !path.starts_with("logs/") || chance(&path[..path.len().min(37)]) < 128,
            _ => !path.contains("checkpoints") || chance(path) < 128,
        });
        match self.merge(seat, &part) {
            // An empty folder is no copy of anything.
            Ok(()) | Err(VaultError::NotACopy | VaultError::Store(_)) => {}
            Err(error) if is_honest(&error) => {}
            Err(error) => panic!("{error}: {error:?}\n{}", self.context()),
        }
    }

    /// The copy here goes into the drawer; an older one comes out.
    fn take_from_the_drawer(&mut self, seat: usize) {
        self.settle(seat);
        let which = self.one_of(self.drawer.len());
        let older = self.drawer[which].clone();
        let (kept, out) = (self.fresh("kept"), self.fresh("copy"));
        carry(&self.disk, &self.seats[seat].copy, &kept, |_| true);
        carry(&self.disk, &older, &out, |_| true);
        let here = std::mem::replace(&mut self.seats[seat].copy, out);
        if self.history(seat).is_none() {
            self.seats[seat].copy = here; // it is from before she was admitted
            return;
        }
        self.drawer.push(kept);
        self.go_on_from_here(seat);
        self.tell(seat, &format!("takes {} out of the drawer [drawer]", older.display()));
    }

    /// The same identity on a new machine that remembers nothing, with a copy of somebody else's. The old one may turn
    /// up again.
    fn restore_from_paper(&mut self, seat: usize) {
        let other = self.one_of(self.seats.len());
        self.sit_down(self.seats[seat].who, other, "paper");
    }

    /// The device remembers again what it remembered earlier; the copy there is as new as it was.
    fn restore_an_image(&mut self, seat: usize) {
        if self.seats[seat].images.is_empty() {
            return;
        }
        self.settle(seat);
        // She has just worked with that copy: it is not set back as well.
        if self.note(seat).is_err() {
            return;
        }
        let which = self.one_of(self.seats[seat].images.len());
        let image = self.seats[seat].images[which].clone();
        let state = self.fresh("state");
        carry(&self.disk, &image, &state, |_| true);
        self.seats[seat].state = state;
        self.tell(seat, &format!("remembers {} again [image]", image.display()));
    }

    /// Something is begun, and the disk fails, most often for good.
    fn lose_power(&mut self, seat: usize, step: u64) {
        let (after, seed) = (self.below(OPERATIONS), self.below(1 << 20));
        let (fault, times) = match self.below(8) {
            0 => (Fault::Full, Times::Once),
            1 => (Fault::ShortWrite, Times::Once),
            2 => (Fault::Sync, Times::Once),
            _ => (Fault::Io, Times::FromThenOn),
        };
        let act = self.draw(seat);
        self.disk.fail_at(self.disk.operations() + after, fault, times);
        let outcome = self.act(seat, &act, step);
        self.disk.heal();
        self.seats[seat].interrupted = true;
        // What fails once need not stop the machine; what was doomed by a sync shows only when it stops.
        if times == Times::FromThenOn || fault == Fault::Sync || self.below(2) == 0 {
            self.disk = self.disk.crash(seed);
        }
        let outcome = outcome.map_or_else(|error| error.to_string(), |()| "done".into());
        self.tell(seat, &format!("{fault:?} ({after}, {seed}) in {act:?}: {outcome} [power]"));
    }
}
