//! What people do: one thing each, on one device. What may fail honestly is named in one place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use amparo::format::event::{Event, RemoveReason};
use amparo::format::ids::KeyId;
use amparo::format::role::{Role, Section};
use amparo::vault::cosign::make::cosign;
use amparo::vault::cosign::take::take;
use amparo::vault::custody::acknowledge::{AcknowledgeRequest, acknowledge};
use amparo::vault::custody::decline::decline;
use amparo::vault::custody::offer::{Circumstances, OfferRequest, Receiver, offer};
use amparo::vault::custody::waiting;
use amparo::vault::custody::withdraw::{Scope, withdraw};
use amparo::vault::findings::Verdict;
use amparo::vault::history::{Place, Standing};
use amparo::vault::labels::entry_label;
use amparo::vault::members::{
    AddRequest, AdoptRequest, RemoveRequest, RotateRequest, add, adopt, grant_here, remove, rotate,
};
use amparo::vault::merge::{MergeRequest, merge};
use amparo::vault::open::{OpenRequest, open};
use amparo::vault::seal::{SealRequest, seal};
use amparo::vault::session::Session;
use amparo::vault::verify::VerifyRequest;
use amparo::vault::{VaultError, commit};

use super::{LAWYER, NAMES, READER, SEALER, Seat, Story};
use crate::vault::people::{device, request};

/// What somebody does.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Seal,
    Open,
    Note,
    Merge(usize),
    Cosign,
    Take,
    Offer(usize),
    Answer(usize),
    Decline(usize),
    Withdraw,
    Adopt,
    Admit(usize, Vec<Role>),
    Remove(usize, bool),
    Rotate,
    Grant,
}

/// Of three thousand histories one at least ends so.
pub(super) const RARE: &str = "ends incomplete";

/// Each must have worked at least once in a hundred histories, each fate have struck.
pub(super) const ALL: [&str; 24] = [
    "seal",
    "open",
    "note",
    "merge",
    "cosign",
    "take",
    "offer",
    "answer",
    "decline",
    "withdraw",
    "adopt",
    "admit",
    "remove",
    "rotate",
    "grant",
    "part",
    "drawer",
    "paper",
    "image",
    "power",
    "newcomer",
    "ends valid",
    RARE,
    "has late entries",
];

impl Act {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Seal => "seal",
            Self::Open => "open",
            Self::Note => "note",
            Self::Merge(_) => "merge",
            Self::Cosign => "cosign",
            Self::Take => "take",
            Self::Offer(_) => "offer",
            Self::Answer(_) => "answer",
            Self::Decline(_) => "decline",
            Self::Withdraw => "withdraw",
            Self::Adopt => "adopt",
            Self::Admit(..) => "admit",
            Self::Remove(..) => "remove",
            Self::Rotate => "rotate",
            Self::Grant => "grant",
        }
    }
}

/// What may fail honestly: what an older copy, a role, or another's act does not allow.
pub(super) fn is_honest(error: &VaultError) -> bool {
    matches!(
        error,
        VaultError::OlderCopy { .. }
            | VaultError::OlderThanSeen { .. }
            | VaultError::NotInRole { .. }
            | VaultError::NotAMember { .. }
            | VaultError::NoExhibit { .. }
            | VaultError::NotReadable { .. }
            | VaultError::AwaitsKey { .. }
            | VaultError::NoShareOfKey { .. }
            | VaultError::KeyLost { .. }
            | VaultError::Withdrawn { .. }
            | VaultError::NothingOffered
            | VaultError::NoMember { .. }
            | VaultError::RemovedMember { .. }
            | VaultError::NotRemovable { .. }
            | VaultError::LastReader { .. }
            | VaultError::CutBefore { .. }
            | VaultError::NoReader { .. }
            | VaultError::NothingToRotate
            | VaultError::NotAdoptable { .. }
    )
}

impl Story {
    /// What somebody might do next.
    pub(super) fn draw(&mut self, seat: usize) -> Act {
        let (who, other) = (self.seats[seat].who, self.one_of(self.seats.len()));
        let is_owner = matches!(who, LAWYER | READER);
        let has_removed = self.told.iter().any(|told| told.ends_with("[remove]"));
        if is_owner && has_removed && !self.late(seat).is_empty() && self.below(3) > 0 {
            return Act::Adopt;
        }
        // Whoever was offered something answers that rather than ask around.
        match self.offered_by(seat).map(|from| (from, self.below(6))) {
            Some((from, 0)) => return Act::Answer(from),
            Some((from, 1)) => return Act::Decline(from),
            _ => {}
        }
        match self.below(25) {
            0..=4 => match who {
                LAWYER | SEALER => Act::Seal,
                READER => Act::Open,
                _ => [Act::Seal, Act::Open, Act::Note][self.one_of(3)].clone(),
            },
            5 => Act::Note,
            6..=11 if other != seat => Act::Merge(other),
            12 => Act::Cosign,
            13 | 14 => Act::Offer(other),
            15 | 16 if other != seat => Act::Answer(other),
            17 | 18 if is_owner => self.draw_admission(),
            19 | 20 | 22 if is_owner && !self.is_peaceful() && other != seat => {
                Act::Remove(self.seats[other].who, self.below(2) == 0)
            }
            21 if is_owner => Act::Rotate,
            17..=19 if who == SEALER => Act::Admit(self.one_of(NAMES.len()), vec![Role::Monitor]),
            17..=21 => Act::Grant,
            24 if matches!(who, LAWYER | SEALER) => Act::Withdraw,
            _ => Act::Take,
        }
    }

    /// Who made the last offer to somebody at this seat, elsewhere.
    fn offered_by(&self, seat: usize) -> Option<usize> {
        let is_hers = |(from, to): &&(usize, usize)| *to == seat && *from != seat;
        self.offers.iter().rev().find(is_hers).map(|(from, _)| *from)
    }

    fn draw_admission(&mut self) -> Act {
        let whom = self.one_of(NAMES.len());
        let reader = Role::Reader(Section::main());
        let roles = match self.below(5) {
            0 => vec![Role::Monitor],
            1 => vec![Role::Sealer],
            2 => vec![reader],
            3 => vec![Role::Sealer, reader],
            _ => vec![Role::Owner, reader],
        };
        Act::Admit(whom, roles)
    }

    /// Does it, on a disk that may fail.
    pub(super) fn act(&mut self, seat: usize, act: &Act, step: u64) -> Result<(), VaultError> {
        match act {
            Act::Seal => self.seal(seat, step),
            Act::Open => self.open(seat, step),
            Act::Note => self.note(seat),
            Act::Merge(other) => self.merge(seat, &self.seats[*other].copy.clone()),
            Act::Cosign => self.cosign(seat),
            Act::Take => self.take(seat),
            Act::Offer(other) => {
                self.offer(seat, NAMES[self.seats[*other].who]).map(|()| self.offers.push((seat, *other)))
            }
            // Whoever made the offer hands her copy over with it.
            Act::Answer(other) => self.merge(seat, &self.seats[*other].copy.clone()).and_then(|()| self.answer(seat)),
            Act::Decline(other) => self.merge(seat, &self.seats[*other].copy.clone()).and_then(|()| self.decline(seat)),
            Act::Withdraw => self.withdraw(seat),
            Act::Adopt => self.adopt(seat),
            Act::Admit(whom, roles) => self.admit(seat, *whom, roles),
            Act::Remove(whom, in_part) => self.remove(seat, NAMES[*whom], *in_part),
            Act::Rotate => self.rotate(seat),
            Act::Grant => self.grant(seat),
        }
    }

    /// What was told, counted.
    pub(super) fn happened(&self) -> BTreeMap<&'static str, u64> {
        let mut happened = BTreeMap::new();
        for told in &self.told {
            if let Some(what) = ALL.iter().find(|what| told.ends_with(&format!("[{what}]"))) {
                *happened.entry(*what).or_default() += 1;
            }
        }
        happened
    }

    pub(super) fn note(&self, seat: usize) -> Result<(), VaultError> {
        self.on(seat, |setting, seat, device| {
            let session = Session::open_to_write(setting, &request(&seat.copy, device, None))?;
            let note = Event::Note { text: "a remark".into(), exhibit: None, reconstructed: false };
            commit::say(setting, &session, &device.person, note).map(drop)
        })
    }

    fn seal(&self, seat: usize, step: u64) -> Result<(), VaultError> {
        let sealing = |accepted: &[KeyId]| {
            self.on(seat, |setting, seat, device| {
                let request = SealRequest {
                    place: request(&seat.copy, device, None),
                    paths: &[PathBuf::from(format!("/s/{step}.txt"))],
                    together: false,
                    section: Section::main(),
                    fields: &[],
                    register: &[],
                    identity: None,
                    accepted,
                    readback: true,
                };
                seal(setting, &request, &mut std::io::empty(), &mut drop).map(drop)
            })
        };
        match sealing(&[]) {
            Err(VaultError::NewReaders { keys }) => sealing(&keys.iter().map(|key| key.key).collect::<Vec<_>>()),
            other => other,
        }
    }

    fn open(&self, seat: usize, step: u64) -> Result<(), VaultError> {
        self.on(seat, |setting, seat, device| {
            let out = PathBuf::from(format!("/home/out {step}"));
            let place = request(&seat.copy, device, None);
            let ids = ["K7-0001".to_string()];
            let request = OpenRequest { place, ids: &ids, out: &out, overwrite: false, reason: "" };
            match open(setting, &request) {
                // A part of a copy may have brought the entry, and not the sealed file: nothing was opened.
                Err(VaultError::Unsound(finding)) if finding.weight == Verdict::Incomplete => {
                    Err(VaultError::NoExhibit { id: ids[0].clone() })
                }
                other => other.map(drop),
            }
        })
    }

    pub(super) fn merge(&self, seat: usize, from: &Path) -> Result<(), VaultError> {
        self.on(seat, |setting, seat, device| {
            let place = request(&seat.copy, device, None);
            let source = setting.disk.folder(from)?;
            merge(setting, &MergeRequest { place, source, replace_damaged: false, whole_or_nothing: false }).map(drop)
        })
    }

    fn cosign(&mut self, seat: usize) -> Result<(), VaultError> {
        let made = self.on(seat, |setting, seat, device| {
            let place = request(&seat.copy, device, None);
            let request = VerifyRequest { place, receipts: &[], short_receipts: &[], checkpoints: &[] };
            cosign(setting, &request).map(|(_, made, _)| made.notes())
        })?;
        self.letters.push(made);
        Ok(())
    }

    /// Cosignatures that came by mail; they may be about what this copy does not have.
    fn take(&mut self, seat: usize) -> Result<(), VaultError> {
        if self.letters.is_empty() {
            return Err(VaultError::NothingOffered);
        }
        let which = self.one_of(self.letters.len());
        let taken = self.on(seat, |setting, seat, device| {
            take(setting, &request(&seat.copy, device, None), &self.letters[which])
        })?;
        let accused: Vec<_> = taken.refused.iter().filter(|refused| refused.weight == Verdict::Invalid).collect();
        assert!(accused.is_empty(), "at {seat}: {accused:#?}\n{}", self.context());
        Ok(())
    }

    fn offer(&self, seat: usize, to: &str) -> Result<(), VaultError> {
        self.on(seat, |setting, seat, device| {
            if NAMES[seat.who] == to {
                return Err(VaultError::NothingOffered);
            }
            let (place, told) = (request(&seat.copy, device, None), Circumstances::default());
            let to = Receiver { typed: to.into(), card: None };
            offer(setting, &OfferRequest { place, to: &to, ids: &[], told: &told }).map(drop)
        })
    }

    fn answer(&self, seat: usize) -> Result<(), VaultError> {
        self.on(seat, |setting, seat, device| {
            let waiting = waiting(setting, &request(&seat.copy, device, None), None)?;
            let first = waiting.first().ok_or(VaultError::NothingOffered)?;
            let place = request(&seat.copy, device, None);
            let request = AcknowledgeRequest { place, offer: Some(&first.offer), sign_older: false };
            acknowledge(setting, &request).map(drop)
        })
    }

    fn decline(&self, seat: usize) -> Result<(), VaultError> {
        self.on(seat, |setting, seat, device| {
            let waiting = waiting(setting, &request(&seat.copy, device, None), None)?;
            let first = waiting.first().ok_or(VaultError::NothingOffered)?;
            decline(setting, &request(&seat.copy, device, None), Some(&first.offer), "not now").map(drop)
        })
    }

    fn withdraw(&self, seat: usize) -> Result<(), VaultError> {
        self.on(seat, |setting, seat, device| {
            withdraw(setting, &request(&seat.copy, device, None), "K7-0001", Scope::Disclosure).map(drop)
        })
    }

    /// Entries that came too late, as a copy knows them.
    fn late(&self, seat: usize) -> Vec<String> {
        let Some(history) = self.history(seat) else { return Vec::new() };
        let is_late = |place: &&Place| history.told(**place).standing == Standing::Late;
        history.order.iter().filter(is_late).map(|place| entry_label(&history, *place)).collect()
    }

    fn adopt(&mut self, seat: usize) -> Result<(), VaultError> {
        let late = self.late(seat);
        if late.is_empty() {
            return Err(VaultError::NothingOffered);
        }
        let entry = late[self.one_of(late.len())].clone();
        self.on(seat, |setting, seat, device| {
            let place = request(&seat.copy, device, None);
            adopt(setting, &AdoptRequest { place, entries: &[entry] }).map(drop)
        })
    }

    fn admit(&self, seat: usize, whom: usize, roles: &[Role]) -> Result<(), VaultError> {
        let number = u8::try_from(whom + 1).expect("small");
        let card = device(Path::new("/home"), NAMES[whom], number).person.card().clone();
        self.on(seat, |setting, seat, device| {
            let place = request(&seat.copy, device, None);
            add(setting, &AddRequest { place, cards: &[card], roles, handle: None }).map(drop)
        })
    }

    /// All that is known of her counts; or, of one log of hers, only a part: her device was seized.
    fn remove(&mut self, seat: usize, name: &str, in_part: bool) -> Result<(), VaultError> {
        let mut trust_up_to = Vec::new();
        if in_part && let Some(history) = self.history(seat) {
            let logs: Vec<_> = history.logs.values().filter(|log| history.name_of(log.member) == name).collect();
            if !logs.is_empty() {
                let log = logs[self.one_of(logs.len())];
                let seq = self.below(log.head.size);
                trust_up_to.push(entry_label(&history, Place { log: log.id, seq }));
            }
        }
        self.on(seat, |setting, seat, device| {
            let place = request(&seat.copy, device, None);
            let reason = if in_part { RemoveReason::Seized } else { RemoveReason::Left };
            remove(setting, &RemoveRequest { place, member: name, reason, trust_up_to: &trust_up_to }).map(drop)
        })
    }

    fn rotate(&self, seat: usize) -> Result<(), VaultError> {
        self.on(seat, |setting, seat: &Seat, device| {
            let place = request(&seat.copy, device, None);
            rotate(setting, &RotateRequest { place, sections: &[Section::main()] }).map(drop)
        })
    }

    pub(super) fn grant(&self, seat: usize) -> Result<(), VaultError> {
        self.on(seat, |setting, seat, device| grant_here(setting, &request(&seat.copy, device, None)).map(drop))
    }
}
